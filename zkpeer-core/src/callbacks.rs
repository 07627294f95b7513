//! What runs before the first handler of a hook, and after the last one.

use std::fmt;
use std::panic::Location;
use std::rc::Rc;

use crate::context::Context;
use crate::error::Error;
use crate::handler::{HandlerReturn, Outcome, Result};

/// A function of the author's that is no handler, for every hook.
#[derive(Clone)]
pub(crate) struct Callback {
    run: Rc<dyn Fn(&Context) -> Result>,
    place: &'static Location<'static>,
}

/// The same for the end of one hook.
pub(crate) struct ExitCallback {
    run: Box<dyn FnOnce(&Context) -> Result>,
    place: &'static Location<'static>,
}

impl Callback {
    #[track_caller]
    pub(crate) fn new(function: impl Fn(&Context) -> Result + 'static) -> Self {
        Self { run: Rc::new(function), place: Location::caller() }
    }
}

impl ExitCallback {
    #[track_caller]
    pub(crate) fn new(function: impl FnOnce(&Context) -> Result + 'static) -> Self {
        Self { run: Box::new(function), place: Location::caller() }
    }
}

impl From<&Callback> for ExitCallback {
    fn from(callback: &Callback) -> Self {
        let Callback { run, place } = callback.clone();
        Self { run: Box::new(move |context| run(context)), place }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "callback of {}", self.place)
    }
}

impl fmt::Debug for ExitCallback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "callback of {}", self.place)
    }
}

/// Runs the start callbacks in the order in which they were registered; whether the hook goes on.
pub(crate) fn at_start(context: &Context, callbacks: &[Callback]) -> Result<bool, Error> {
    for callback in callbacks {
        let run = |context: &Context| (callback.run)(context);
        if !call(context, "start", callback.place, run)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Runs the exit callbacks, the one first that was registered last, until there are no more.
pub(crate) fn at_exit(context: &Context) -> Result<(), Error> {
    while let Some(callback) = context.next_exit_callback() {
        // The hook is ending anyway.
        call(context, "exit", callback.place, callback.run)?;
    }
    Ok(())
}

/// Calls one; whether the hook goes on after it.
fn call(
    context: &Context,
    when: &'static str,
    place: &Location<'_>,
    run: impl FnOnce(&Context) -> Result,
) -> Result<bool, Error> {
    context.set_running(Some(format!("{when} callback of {place}")));
    let result = run(context);
    context.set_running(None);
    let failed = |source| {
        let hook = context.event().name().to_owned();
        Err(Error::CallbackFailed { when, place: place.to_string(), hook, source })
    };
    match (result.into_outcome(), context.take_failure()) {
        (Outcome::Failed(source), _) => failed(source),
        (_, Some(failure)) => failed(Box::new(failure)),
        (outcome, None) => Ok(!matches!(outcome, Outcome::EndHook)),
    }
}
