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

/// From now on a panic is remembered instead of printed: the error that it becomes says it once, with the handler.
pub(crate) fn remember() {
    std::panic::set_hook(Box::new(|info| {
        let message = payload_text(info.payload());
        let place =
            info.location().map_or_else(String::new, |place| format!(" (at {}:{})", place.file(), place.line()));
        LAST.with_borrow_mut(|last| *last = Some(format!("{message}{place}")));
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
        let hook = context.event().name();
        let message = format!(
            "handler `{}` at {} ended the process in {hook}: nothing that this hook did is kept; to end a hook early and \
             successfully return `Err(EndHook.into())`, to let it fail return an error",
            handler.id,
            handler.def.place()
        );
        RUNNING.with_borrow_mut(|running| *running = Some(Exit { message, context: context.clone() }));
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
    message: String,
    context: Context,
}

impl Exit {
    fn disarm(mut self) {
        self.message.clear();
    }
}

impl Drop for Exit {
    fn drop(&mut self) {
        if self.message.is_empty() {
            return;
        }
        eprintln!("ERROR {}", self.message);
        self.context.log(LogLevel::Error, &self.message);
        signal_hook::low_level::exit(1);
    }
}
