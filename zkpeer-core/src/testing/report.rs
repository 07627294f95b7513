//! What a charm built on `zkpeer` tells about a hook: which handlers ran, and which flags changed.
//!
//! The charm's program appends one JSON object, on one line, for each hook to the file that `ZKPEER_REPORT` names. This
//! is the one variable that the simulated agent sets and Juju does not. Charms that are not ours leave it alone; then
//! there is no report. Fields that this version does not know are ignored.

use serde::Deserialize;

/// What one hook's dispatch did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Report {
    /// The hook's name.
    pub hook: String,
    /// How it ended: `settled`, `ended-early`, `not-settled` or `failed`.
    pub outcome: String,
    /// Why it failed.
    #[serde(default)]
    pub error: Option<String>,
    /// The rounds, in order.
    #[serde(default)]
    pub rounds: Vec<Round>,
    /// Flags that are set after the hook and were not before.
    #[serde(default)]
    pub set: Vec<String>,
    /// Flags that were set before the hook and are not after it.
    #[serde(default)]
    pub cleared: Vec<String>,
}

/// One round of one phase.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Round {
    /// `hooks`, `other` or `restricted`.
    pub phase: String,
    /// The number of the round within the phase.
    #[serde(default)]
    pub round: u32,
    /// The handlers that were run or skipped, in order.
    #[serde(default)]
    pub handlers: Vec<HandlerRun>,
}

/// One handler in one round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct HandlerRun {
    /// Its full name: `hello::install`.
    pub name: String,
    /// Where it stands: `src/main.rs:5`.
    #[serde(default)]
    pub place: String,
    /// `done`, `failed`, `skipped` or `ended-hook`.
    #[serde(default)]
    pub outcome: String,
    /// Why it failed or was skipped.
    #[serde(default)]
    pub reason: Option<String>,
    /// Every real change of a flag, in order.
    #[serde(default)]
    pub changes: Vec<FlagChange>,
}

/// A flag that a handler set or cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct FlagChange {
    /// The flag.
    pub flag: String,
    /// `set` or `cleared`.
    pub edge: String,
}

impl Report {
    /// The handlers that ran, in order, without those that were skipped.
    pub fn handlers(&self) -> impl Iterator<Item = &HandlerRun> {
        self.rounds.iter().flat_map(|round| &round.handlers).filter(|handler| handler.outcome != "skipped")
    }
}
