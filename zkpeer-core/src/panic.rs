//! Handlers that do not come back: those that panic, and those that end the process.

use std::any::Any;
use std::cell::RefCell;

use crate::context::Context;
use crate::juju::LogLevel;
use crate::registry::Handler;

thread_local! {
    /// The last panic of this thread: message and place.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The handler that runs. It is dropped with something in it only if the process ends within a handler.
    static RUNNING: RefCell<Option<Exit>> = const { RefCell::new(None) };
}

/// From now on a handler's panic is remembered instead of printed: the error that it becomes says it once, with the
/// handler. Any other panic is printed in one line.
pub(crate) fn remember() {
    std::panic::set_hook(Box::new(|info| {
        let message = payload_text(info.payload());
        let place = info.location().map_or_else(String::new, |at| format!(" (at {}:{})", at.file(), at.line()));
        let message = format!("{message}{place}");
        let handler = RUNNING.with(|running| running.try_borrow().ok()?.as_ref().map(|exit| exit.handler.clone()));
        match handler {
            None => eprintln!("ERROR panic outside of a handler's own thread: {message}"),
            Some(_) if cfg!(panic = "unwind") => LAST.with_borrow_mut(|last| *last = Some(message)),
            Some(handler) => {
                // Nobody catches it, so this is the last moment at which anything can be said.
                eprintln!("ERROR {handler} panicked: {message}");
                signal_hook::low_level::exit(1);
            }
        }
    }));
}

/// What a caught panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    LAST.with_borrow_mut(Option::take).unwrap_or_else(|| payload_text(payload).to_owned())
}

fn payload_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}

/// As long as it lives a handler runs.
#[derive(Debug)]
pub(crate) struct Running;

impl Running {
    pub(crate) fn enter(handler: &Handler, context: &Context) -> Self {
        let handler = format!("handler `{}` at {}", handler.id, handler.def.place());
        RUNNING.with_borrow_mut(|running| *running = Some(Exit { handler, context: context.clone() }));
        Self
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The handler has come back, so what stands for its not coming back must not be dropped.
        let exit = RUNNING.with_borrow_mut(Option::take);
        if let Some(exit) = exit {
            exit.disarm();
        }
    }
}

/// Tells, when it is dropped, that the process is being ended.
#[derive(Debug)]
struct Exit {
    /// Who runs, and where it stands; nothing once it has come back.
    handler: String,
    context: Context,
}

impl Exit {
    fn disarm(mut self) {
        self.handler.clear();
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        if self.handler.is_empty() {
            return;
        }
        let message = format!(
            "{} ended the process in {}: nothing that this hook did is kept; to end a hook early and successfully return \
             `Err(EndHook.into())`, to let it fail return an error",
            self.handler,
            self.context.event().name()
        );
        eprintln!("ERROR {message}");
        self.context.log(LogLevel::Error, &message);
        signal_hook::low_level::exit(1);
    }
}
