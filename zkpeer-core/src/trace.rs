//! What a hook does, told line by line where somebody wants to know it: as events of the crate `tracing`, at its level DEBUG.

mod subscriber;

use std::collections::BTreeSet;

use tracing::{Level, debug};

use crate::context::{Context, FLAG_PREFIX};
use crate::error::Error;
use crate::predicate::Phase;
use crate::record;
use crate::registry::{Handler, Registry};
use crate::report::{CallOutcome, HandlerReport, HookOutcome, Report};
use crate::trigger::Edge;

/// The target of our own events.
const TARGET: &str = "zkpeer";

/// Runs a hook so that events reach Juju's log: those of the author's code always, ours if they are wanted.
pub(crate) fn within<T>(context: &Context, wanted: bool, run: impl FnOnce() -> T) -> T {
    // A subscriber of the author's may want them, too.
    context.set_traced(wanted || tracing::enabled!(target: TARGET, Level::DEBUG));
    subscriber::within(context, wanted, run)
}

fn tell(context: &Context, line: impl FnOnce() -> String) {
    if context.is_traced() {
        debug!(target: TARGET, "{}", line());
    }
}

pub(crate) fn hook_begins(context: &Context) {
    tell(context, || {
        let flags = context.keys(FLAG_PREFIX);
        let flags = if flags.is_empty() { "no flag is set".to_owned() } else { format!("set: {}", flags.join(", ")) };
        format!("{} begins; {flags}", context.event().name())
    });
}

pub(crate) fn round_begins(context: &Context, phase: Phase, round: u32, queue: &BTreeSet<usize>, registry: &Registry) {
    tell(context, || match phase {
        Phase::Other => format!("phase {phase}, round {round}"),
        Phase::Restricted | Phase::Hooks => format!("phase {phase}"),
    });
    for handler in queue {
        tell(context, || format!("++ queued {}", registry.handlers()[*handler].id));
    }
}

/// The conditions of a handler that was queued do not hold any longer.
pub(crate) fn dequeued(context: &Context, handler: &Handler) {
    tell(context, || format!("-- dequeued {}", handler.id));
}

pub(crate) fn handler_begins(context: &Context, handler: &Handler) {
    record::handler_begins(context, handler);
    tell(context, || format!("{} runs ({})", handler.id, handler.place()));
}

pub(crate) fn handler_ended(context: &Context, report: &HandlerReport) {
    record::handler_ended(context, report);
    tell(context, || {
        let outcome = match report.outcome {
            CallOutcome::Done => "is done",
            CallOutcome::EndedHook => "has ended the hook",
            CallOutcome::Skipped => "was skipped",
            CallOutcome::Failed => "has failed",
        };
        let reason = report.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("{} {outcome}{reason}", report.name)
    });
}

/// A flag has really changed, by the handler that runs or by a trigger on another flag.
pub(crate) fn flag_changed(context: &Context, flag: &str, edge: Edge, trigger: Option<(&str, Edge)>) {
    record::flag_changed(context, flag, edge, trigger);
    tell(context, || {
        let cause = match (trigger, context.running()) {
            (Some((flag, edge)), _) => format!("by a trigger: {flag} {edge}"),
            (None, Some(running)) => format!("by {running}"),
            (None, None) => "automatically".to_owned(),
        };
        format!("{edge} {flag} ({cause})")
    });
}

/// A trigger calls a function.
pub(crate) fn trigger_calls(context: &Context, flag: &str, edge: Edge) {
    tell(context, || format!("a function is called by a trigger: {flag} {edge}"));
}

pub(crate) fn hook_ends(context: &Context, report: &Report, result: &Result<(), Error>) {
    tell(context, || {
        let outcome = match (result, report.outcome) {
            (Err(_), _) | (_, HookOutcome::Failed) => "fails, and nothing is kept",
            (_, HookOutcome::Settled) => "ends: the flags have settled",
            (_, HookOutcome::EndedEarly) => "was ended early",
            (_, HookOutcome::NotSettled) => "ends, although the flags have not settled",
        };
        format!("{} {outcome}", report.hook)
    });
}
