//! What a hook did: which handlers ran in which round, what changed, how it ended.

use serde::{Deserialize, Serialize};

use crate::predicate::Phase;
use crate::trigger::Edge;

/// What one run of a hook did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The hook's or the action's name.
    pub hook: String,
    /// How it ended.
    pub outcome: HookOutcome,
    /// The error, if it failed.
    pub error: Option<String>,
    /// The rounds in order, those of the phase `hooks` before those of `other`; rounds in which nothing ran are left out.
    pub rounds: Vec<Round>,
    /// The flags that are set now and were not before.
    pub set: Vec<String>,
    /// The flags that were set before and are not now.
    pub cleared: Vec<String>,
}

/// How a hook ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum HookOutcome {
    /// The flags have settled, and what was done is kept.
    #[default]
    Settled,
    /// A handler ended the hook, and what was done is kept.
    EndedEarly,
    /// The flags did not settle; the charm is set to go on with a warning, and what was done is kept.
    NotSettled,
    /// Something failed, and nothing is kept.
    Failed,
}

/// One round of one phase.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Round {
    /// The phase.
    pub phase: Phase,
    /// The round's number within its phase, from 0.
    pub round: u32,
    /// The handlers in the order in which they ran.
    pub handlers: Vec<HandlerReport>,
}

/// One call of one handler.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HandlerReport {
    /// Module path, name, and the endpoint in brackets if there is an instance for each.
    pub name: String,
    /// Source file and line.
    pub place: String,
    /// How the call ended.
    pub outcome: CallOutcome,
    /// Why, where that says something.
    pub reason: Option<String>,
    /// Every real change of a flag, in order.
    pub changes: Vec<Change>,
}

/// How a call of a handler ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CallOutcome {
    /// It did its work.
    Done,
    /// It ended the hook.
    EndedHook,
    /// It was not called: a parameter had nothing to fill it.
    Skipped,
    /// It failed.
    Failed,
}

/// A real change of a flag.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Change {
    /// The flag.
    pub flag: String,
    /// What happened to it.
    pub edge: Edge,
}

/// Who changed a flag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangedBy {
    /// A handler by its path, or a callback by its place.
    Handler(String),
    /// A trigger on another flag.
    Trigger {
        /// The other flag.
        flag: String,
        /// What happened to it.
        edge: Edge,
    },
    /// The library: the flag is an automatic one, or one that an interface manages.
    Automatic,
}

impl Report {
    /// The names of the handlers that were called, in order, without their module paths.
    #[must_use]
    pub fn handlers(&self) -> Vec<&str> {
        self.rounds.iter().flat_map(Round::called).collect()
    }

    /// The same for each round of the phase `other`.
    #[must_use]
    pub fn handlers_by_round(&self) -> Vec<Vec<&str>> {
        let others = self.rounds.iter().filter(|round| round.phase == Phase::Other);
        others.map(|round| round.called().collect()).collect()
    }
}

impl Round {
    fn called(&self) -> impl Iterator<Item = &str> {
        let called = self.handlers.iter().filter(|call| call.outcome != CallOutcome::Skipped);
        called.map(|call| call.name.rsplit("::").next().unwrap_or(&call.name))
    }
}
