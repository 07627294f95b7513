//! What happens in a hook beyond what its report says, step by step, where a test wants to know it: who changed which flag, and
//! why handlers did not run. A charm's own program never records.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::context::Context;
use crate::dispatch::Dispatch;
use crate::predicate::{Phase, World};
use crate::registry::{Handler, Registry};
use crate::report::{CallOutcome, ChangedBy, HandlerReport};
use crate::trigger::Edge;

/// One step of a hook. Handlers are their numbers in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Noted {
    /// A round begins, without these handlers of its phase.
    Round { phase: Phase, round: u32, idle: Vec<Idle> },
    /// A handler that was queued is no longer.
    Dequeued(Idle),
    /// A handler is called.
    Began(String),
    /// A flag has really changed.
    Changed { flag: String, edge: Edge, by: ChangedBy },
    /// The handler's call is over.
    Ended { outcome: CallOutcome, reason: Option<String>, state: Digest },
    /// The flags have settled, and these handlers cannot run.
    Settled(Vec<Idle>),
}

/// A handler that is not run, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Idle {
    pub(crate) handler: usize,
    pub(crate) why: String,
}

/// All that the hook has stored and buffered so far, as numbers that are equal if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Digest(u128, u64);

impl Digest {
    fn of(context: &Context) -> Self {
        let mut outbox = DefaultHasher::new();
        format!("{:?}", context.outbox().borrow()).hash(&mut outbox);
        Self(context.sum(), outbox.finish())
    }
}

pub(crate) fn round_begins(
    context: &Context,
    registry: &Registry,
    phase: Phase,
    dispatch: &Dispatch<'_>,
    world: &impl World,
) {
    context.note(|| {
        let waits = |handler: usize| !dispatch.queue().contains(&handler);
        let of_phase = |handler: &usize| registry.handlers()[*handler].predicate.can_match_in(phase);
        let all = (0..registry.handlers().len()).filter(of_phase);
        let idle = all.filter(|handler| waits(*handler)).map(|handler| Idle::of(handler, registry, world)).collect();
        Noted::Round { phase, round: dispatch.round(), idle }
    });
}

/// The conditions of a handler that was queued do not hold any longer.
pub(crate) fn dequeued(context: &Context, registry: &Registry, handler: usize, world: &impl World) {
    context.note(|| Noted::Dequeued(Idle::of(handler, registry, world)));
}

pub(crate) fn settled(context: &Context, registry: &Registry, world: &impl World) {
    context.note(|| {
        let unmet = |handler: usize| {
            // Its own conditions have been looked at; a program is not asked again.
            let why = registry.handlers()[handler].predicate.unmet(handler, world)?;
            Some(Idle { handler, why })
        };
        let of_phase = |handler: &usize| registry.handlers()[*handler].predicate.can_match_in(Phase::Other);
        Noted::Settled((0..registry.handlers().len()).filter(of_phase).filter_map(unmet).collect())
    });
}

impl Idle {
    fn of(handler: usize, registry: &Registry, world: &impl World) -> Self {
        let why = registry.handlers()[handler].predicate.unmet(handler, world);
        let why = why.unwrap_or_else(|| "none of its flags has changed in the round before".to_owned());
        Self { handler, why }
    }
}

pub(crate) fn handler_begins(context: &Context, handler: &Handler) {
    context.note(|| Noted::Began(handler.id.clone()));
}

pub(crate) fn handler_ended(context: &Context, report: &HandlerReport) {
    context.note(|| Noted::Ended {
        outcome: report.outcome,
        reason: report.reason.clone(),
        state: Digest::of(context),
    });
}

/// A flag has really changed, by the handler that runs or by a trigger on another flag.
pub(crate) fn flag_changed(context: &Context, flag: &str, edge: Edge, trigger: Option<(&str, Edge)>) {
    context.note(|| {
        let by = match (trigger, context.running()) {
            (Some((flag, edge)), _) => ChangedBy::Trigger { flag: flag.to_owned(), edge },
            (None, Some(running)) => ChangedBy::Handler(running),
            (None, None) => ChangedBy::Automatic,
        };
        Noted::Changed { flag: flag.to_owned(), edge, by }
    });
}
