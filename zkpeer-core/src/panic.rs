//! Handlers that do not come back: those that panic, and those that end the process.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::fmt;
#[cfg(any(test, feature = "testing"))]
use std::panic::resume_unwind;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::PathBuf;
#[cfg(any(test, feature = "testing"))]
use std::sync::Once;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::context::Context;
use crate::error::complain;
use crate::handler::HandlerDef;
use crate::juju::tools::Tools;
use crate::juju::{Juju, LogLevel};

thread_local! {
    /// The last panic of this thread: message and place.
    static LAST: RefCell<Option<String>> = const { RefCell::new(None) };
    /// The handler that runs in this thread.
    static HANDLER: Cell<Option<&'static HandlerDef>> = const { Cell::new(None) };
}

#[cfg(any(test, feature = "testing"))]
thread_local! {
    /// Whether panics of this thread are only remembered.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The handler that runs in the program, for the end of the process: there is none when that comes as it should.
static RUNNING: Mutex<Option<Exit>> = Mutex::new(None);

/// How long the end of the process waits for the log.
const LOG_LIMIT: Duration = Duration::from_secs(30);

/// From now on a handler's panic is remembered instead of printed: the error that it becomes says it once, with the
/// handler. Any other panic is printed in one line.
pub(crate) fn remember() {
    std::panic::set_hook(Box::new(|info| {
        let message = with_place(info);
        let handler = HANDLER.get();
        match handler {
            None => complain(&format!("ERROR panic outside of a handler's own thread: {message}")),
            Some(_) if cfg!(panic = "unwind") => LAST.with_borrow_mut(|last| *last = Some(message)),
            Some(handler) => {
                // Nobody catches it, so this is the last moment at which anything can be said.
                complain(&format!("ERROR {} panicked: {message}", Who::Handler(handler)));
                signal_hook::low_level::exit(1);
            }
        }
    }));
}

/// What a panic says, and where.
fn with_place(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map_or_else(String::new, |at| format!(" (at {}:{})", at.file(), at.line()));
    format!("{}{place}", payload_text(info.payload()))
}

/// Runs what may panic in a test, maybe again and again, without a word on standard error; a panic's message has its place.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if QUIET.get() {
                LAST.with_borrow_mut(|last| *last = Some(with_place(info)));
            } else {
                before(info);
            }
        }));
    });
    let before = QUIET.replace(true);
    let ended = catch_unwind(AssertUnwindSafe(run));
    QUIET.set(before);
    ended.map_err(|payload| message(&*payload))
}

/// A kill of the simulated Juju, on its way out of what it has killed.
#[cfg(any(test, feature = "testing"))]
struct Kill;

/// Leaves everything that runs here at once, without a word.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn kill() -> ! {
    std::panic::resume_unwind(Box::new(Kill))
}

/// Runs something to its end, or to its kill: then there is no result.
#[cfg(any(test, feature = "testing"))]
pub(crate) fn unless_killed<T>(run: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(result) => Some(result),
        Err(payload) if payload.is::<Kill>() => None,
        Err(payload) => resume_unwind(payload),
    }
}

/// Runs what may panic. A kill is no panic, and goes on.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> std::thread::Result<T> {
    let ended = catch_unwind(AssertUnwindSafe(run));
    #[cfg(any(test, feature = "testing"))]
    if ended.as_ref().is_err_and(|payload| payload.is::<Kill>()) {
        kill();
    }
    ended
}

/// What a caught panic said.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    LAST.with_borrow_mut(Option::take).unwrap_or_else(|| payload_text(payload).to_owned())
}

fn payload_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("(no message)")
}

/// As long as it lives the process may not end: a handler runs, or what comes before and after handlers.
#[derive(Debug)]
pub(crate) struct Running {
    before: Option<Who>,
}

impl Running {
    /// From the first trigger to the end of the commit.
    pub(crate) fn hook(context: &Context) -> Self {
        let exit = context.outside().program_path.as_ref().map(|path| Exit {
            who: Who::Charm,
            hook: context.event().name().to_owned(),
            directory: context.charm_dir().to_owned(),
            path: path.clone(),
        });
        *running() = exit;
        Self { before: None }
    }

    /// For one call of a handler.
    pub(crate) fn handler(def: &'static HandlerDef) -> Self {
        HANDLER.set(Some(def));
        let before = running().as_mut().map(|exit| std::mem::replace(&mut exit.who, Who::Handler(def)));
        Self { before }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        HANDLER.set(None);
        let mut running = running();
        match (self.before, running.as_mut()) {
            (Some(before), Some(exit)) => exit.who = before,
            _ => *running = None,
        }
    }
}

fn running() -> MutexGuard<'static, Option<Exit>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Who is at work.
#[derive(Clone, Copy, Debug)]
enum Who {
    Charm,
    Handler(&'static HandlerDef),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Charm => f.write_str("the charm"),
            Self::Handler(def) => write!(f, "handler `{}` at {}", def.path(), def.place()),
        }
    }
}

/// What is to be said if the process ends now.
#[derive(Debug)]
struct Exit {
    who: Who,
    hook: String,
    directory: PathBuf,
    path: OsString,
}

dtor::declarative::dtor! {
    /// Runs when the process ends by `exit`, in whatever way the program is linked. If that is in the middle of a handler,
    /// nothing of the hook has been kept, and Juju must not take it for done.
    #[dtor(unsafe)]
    fn at_exit() {
        // A thread that holds it is a handler's, just ending or beginning.
        let Ok(Some(exit)) = RUNNING.try_lock().map(|mut running| running.take()) else { return };
        let message = format!(
            "{} ended the process in {}: nothing that this hook did is kept; to end a hook early and successfully return \
             `Err(EndHook.into())`, to let it fail return an error",
            exit.who, exit.hook
        );
        complain(&format!("ERROR {message}"));
        // It has been told on standard error; nothing more can be done about a log that cannot be written.
        let _ = Tools::new(Some(exit.directory), exit.path, LOG_LIMIT).juju_log(LogLevel::Error, &message);
        signal_hook::low_level::exit(1);
    }
}
