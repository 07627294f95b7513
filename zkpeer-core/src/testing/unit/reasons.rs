//! Why a handler did not run: of each moment at which it could have, the first of its conditions that did not hold.

use std::fmt;

use super::run::UnitRun;
use crate::predicate::Phase;
use crate::record::{Idle, Noted};
use crate::report::CallOutcome;

/// The reasons in their order; what is the same twice in a row is there once.
#[derive(Debug, Default)]
pub(super) struct Reasons(Vec<Reason>);

/// One moment, and why the handler did not run then.
#[derive(Debug)]
struct Reason {
    when: String,
    why: String,
}

/// One reason alone is told without its moment.
impl fmt::Display for Reasons {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.0.as_slice() {
            return f.write_str(&only.why);
        }
        for (i, Reason { when, why }) in self.0.iter().enumerate() {
            write!(f, "{}{when} {why}", if i == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl Reasons {
    fn note(&mut self, when: &str, why: &str) {
        if self.0.last().is_none_or(|last| last.why != why) {
            self.0.push(Reason { when: when.to_owned(), why: why.to_owned() });
        }
    }
}

/// The reasons of the handler of this number, which never ran.
pub(super) fn of(run: &UnitRun, index: usize) -> Reasons {
    let mut search =
        Search { run, index, reasons: Reasons::default(), when: String::new(), is_queued: false, runs: false };
    run.record.iter().for_each(|noted| search.look_at(noted));
    search.end()
}

/// The record, read for one handler.
struct Search<'r> {
    run: &'r UnitRun,
    index: usize,
    reasons: Reasons,
    /// The round that is being read.
    when: String,
    /// It is queued in this round.
    is_queued: bool,
    /// It is this handler whose call is being read.
    runs: bool,
}

impl Search<'_> {
    fn look_at(&mut self, noted: &Noted) {
        match noted {
            Noted::Round { phase, round, idle } => {
                self.when = match phase {
                    Phase::Other => format!("in round {round}"),
                    _ => format!("in phase {phase}"),
                };
                match self.own(idle) {
                    Some(why) => self.reasons.note(&self.when, why),
                    None => self.is_queued = self.run.handlers()[self.index].predicate.can_match_in(*phase),
                }
            }
            Noted::Dequeued(idle) => {
                if let Some(why) = self.own([idle]) {
                    self.reasons.note(&self.when, &format!("it was queued, and then {why}"));
                    self.is_queued = false;
                }
            }
            Noted::Began(id) => self.runs = *id == self.run.handlers()[self.index].id,
            Noted::Ended { outcome: CallOutcome::Skipped, reason: Some(reason), .. } if self.runs => {
                self.reasons.note(&self.when, &format!("nothing fills its parameter {reason}"));
                self.is_queued = false;
            }
            Noted::Settled(idle) => {
                if let Some(why) = self.own(idle) {
                    self.reasons.note("at the end", why);
                }
            }
            Noted::Ended { .. } | Noted::Changed { .. } => {}
        }
    }

    fn own<'i>(&self, idle: impl IntoIterator<Item = &'i Idle>) -> Option<&'i str> {
        idle.into_iter().find(|idle| idle.handler == self.index).map(|idle| idle.why.as_str())
    }

    fn end(mut self) -> Reasons {
        let is_settled = self.run.record.iter().any(|noted| matches!(noted, Noted::Settled(_)));
        if self.is_queued {
            self.reasons.note(&self.when, "it was queued, and the hook was over before its turn");
        } else if self.run.hook.is_restricted() {
            self.reasons.note("", "it is not for this hook, which runs apart from all others");
        } else if !is_settled {
            self.reasons.note("then", "the hook was over");
        }
        self.reasons
    }
}
