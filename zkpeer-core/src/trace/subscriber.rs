//! Where events of the crate `tracing` go while a hook runs: to Juju's log, and to whatever subscriber the author has.

use std::cell::RefCell;
use std::fmt::{self, Write};
use std::sync::OnceLock;

use tracing::dispatcher::{self, Dispatch};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

use super::TARGET;
use crate::context::Context;
use crate::juju::LogLevel;

/// What the subscriber needs of the hook that runs in this thread.
#[derive(Clone)]
struct Running {
    context: Context,
    /// Whether our own events go to Juju's log.
    wanted: bool,
    /// The author's subscriber.
    author: Dispatch,
}

thread_local! {
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

/// Made for the whole process once: each new one would have to be made known to all places that make events.
static TO_JUJU: OnceLock<Dispatch> = OnceLock::new();

/// Runs a hook in this thread with its events going to its own log.
pub(super) fn within<T>(context: &Context, wanted: bool, run: impl FnOnce() -> T) -> T {
    let author = dispatcher::get_default(|current| match running() {
        // One hook runs within another, in a test.
        Some(outer) if current.is::<ToJuju>() => outer.author,
        _ => current.clone(),
    });
    let _before = Before(RUNNING.replace(Some(Running { context: context.clone(), wanted, author })));
    dispatcher::with_default(TO_JUJU.get_or_init(|| Dispatch::new(ToJuju)), run)
}

/// Puts back what was there before the hook, also after a panic.
struct Before(Option<Running>);

impl Drop for Before {
    fn drop(&mut self) {
        RUNNING.set(self.0.take());
    }
}

fn running() -> Option<Running> {
    RUNNING.with_borrow(Clone::clone)
}

fn author() -> Dispatch {
    running().map_or_else(Dispatch::none, |running| running.author)
}

/// Writes events to Juju's log. Spans are the author's subscriber's business.
struct ToJuju;

impl ToJuju {
    fn takes(running: &Running, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && (running.wanted || metadata.target() != TARGET)
    }
}

impl Subscriber for ToJuju {
    /// It depends on the hook, and so is asked each time.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        running().is_some_and(|running| Self::takes(&running, metadata) || running.author.enabled(metadata))
    }

    fn event(&self, event: &Event<'_>) {
        let Some(running) = running() else { return };
        if Self::takes(&running, event.metadata()) {
            running.context.log(level(*event.metadata().level()), &text(event));
        }
        if running.author.enabled(event.metadata()) {
            running.author.event(event);
        }
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        author().new_span(span)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        author().record(span, values);
    }

    fn record_follows_from(&self, span: &Id, follows: &Id) {
        author().record_follows_from(span, follows);
    }

    fn enter(&self, span: &Id) {
        author().enter(span);
    }

    fn exit(&self, span: &Id) {
        author().exit(span);
    }

    fn clone_span(&self, id: &Id) -> Id {
        author().clone_span(id)
    }

    fn try_close(&self, id: Id) -> bool {
        author().try_close(id)
    }
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::TRACE => LogLevel::Trace,
        Level::DEBUG => LogLevel::Debug,
        Level::INFO => LogLevel::Info,
        Level::WARN => LogLevel::Warning,
        Level::ERROR => LogLevel::Error,
    }
}

/// An event in one line: where it comes from, its message, its other values.
fn text(event: &Event<'_>) -> String {
    let mut text = Text { text: event.metadata().target().to_owned(), values: String::new() };
    text.text.push(':');
    event.record(&mut text);
    text.text + &text.values
}

struct Text {
    text: String,
    values: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // A string takes whatever is written to it.
        let _ = match field.name() {
            "message" => write!(self.text, " {value:?}"),
            name => write!(self.values, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}
