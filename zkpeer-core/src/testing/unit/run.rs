//! One hook that was run on a copy of a unit: the unit before and after it, and all that happened between.

use std::fmt;

use super::play::{Happening, Played};
use super::{Unit, reasons, tell};
use crate::juju::Bag;
use crate::predicate::Condition;
use crate::record::Noted;
use crate::registry::{Body, Handler};
use crate::report::{ChangedBy, Report};
use crate::testing::controller::Status;
use crate::testing::hook::Hook;
use crate::testing::process::CommandRun;
use crate::trigger::Edge;

/// A hook or an action that [`Unit::on`] has run: the unit before and after it, and all that happened between.
///
/// `{run}` prints the whole story. The assertions read as sentences, give the run back so that they can be chained, and print
/// the story where they fail.
#[must_use = "assert something of it, or go on with its unit"]
pub struct UnitRun {
    pub(super) before: Unit,
    pub(super) happening: Happening,
    pub(super) hook: Hook,
    pub(super) after: Unit,
    pub(super) report: Report,
    /// Why the hook failed.
    pub(super) failure: Option<String>,
    pub(super) record: Vec<Noted>,
}

/// A real change of a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FlagChange {
    /// The flag.
    pub flag: String,
    /// What happened to it.
    pub edge: Edge,
    /// Who did it.
    pub by: ChangedBy,
}

impl fmt::Debug for UnitRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnitRun").field("hook", &self.hook).field("report", &self.report).finish_non_exhaustive()
    }
}

/// The whole story, as failed assertions print it.
impl fmt::Display for UnitRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&tell::story(self))
    }
}

impl UnitRun {
    pub(super) fn new(before: Unit, happening: Happening, after: Unit, played: Played) -> Self {
        let Played { hook, report, result, refused, record } = played;
        let failed = result.is_err().then(|| report.error.clone().unwrap_or_default());
        let failure = failed.or_else(|| Some(format!("it exited 0, but Juju refused its changes: {}", refused?)));
        Self { before, happening, hook, after, report, failure, record }
    }

    /// The unit after the hook, for another one. After a hook that failed it is what it was, but for what Juju applies at once
    /// and for what is outside Juju (files, [fakes](Unit::fake)), and it is the same hook that Juju runs next.
    #[must_use]
    pub fn unit(&self) -> &Unit {
        &self.after
    }

    /// The unit after a hook that has to have succeeded.
    ///
    /// # Panics
    ///
    /// If it failed.
    #[track_caller]
    #[must_use]
    pub fn into_unit(self) -> Unit {
        self.assert_succeeded();
        self.after
    }

    /// Which handlers ran in which round, and how the hook ended.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Why the hook failed; none if it succeeded.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// The real changes of flags in their order, also those before the first handler, and by whom.
    #[must_use]
    pub fn changes(&self) -> Vec<FlagChange> {
        let changes = self.record.iter().filter_map(|noted| match noted {
            Noted::Changed { flag, edge, by } => Some(FlagChange { flag: flag.clone(), edge: *edge, by: by.clone() }),
            _ => None,
        });
        changes.collect()
    }

    /// The hook commands in their order, with their arguments and what they answered.
    #[must_use]
    pub fn commands(&self) -> &[CommandRun] {
        &self.after.commands
    }

    /// What the hook has changed in the databags that it may write: the relation, whether it is the application's bag, and
    /// the bag before and after.
    pub(super) fn published(&self) -> Vec<(String, bool, Bag, Bag)> {
        let mut changed = Vec::new();
        for (number, state) in &self.after.agent.relations {
            let own = (self.before.own_bag(*number), self.after.own_bag(*number));
            let of_application = (self.before.application_bag(*number), self.after.application_bag(*number));
            for (is_application, (before, after)) in [(false, own), (true, of_application)] {
                if before != after {
                    changed.push((state.id.to_string(), is_application, before, after));
                }
            }
        }
        changed
    }

    /// The unit's workload status after the hook.
    #[must_use]
    pub fn status(&self) -> Status {
        self.after.status()
    }

    /// Why a handler did not run: of each round the first of its conditions that did not hold, or the parameter that had nothing
    /// to fill it. None if it ran. The name is the function's, if need be with its module and, in brackets, its endpoint.
    #[must_use]
    pub fn why_not(&self, handler: &str) -> Option<String> {
        if self.ran().iter().any(|ran| ran == handler) {
            return None;
        }
        let Some(index) = self.handlers().iter().position(|known| is_called(known, handler)) else {
            return self.unknown(handler);
        };
        Some(reasons::of(self, index).to_string())
    }

    /// Whether the handler is in a library and waits for an endpoint that this charm has not: it is there for other charms.
    pub(super) fn is_for_others(&self, handler: &Handler) -> bool {
        let registry = self.after.registry.as_deref();
        let Body::Function(def) = &handler.body else { return false };
        if registry.is_none_or(|registry| registry.is_own(def)) {
            return false;
        }
        let files = self.after.charm_files();
        let is_there = |of| files.metadata.endpoints_of(of).next().is_some();
        let no_hook = |condition: &Condition| matches!(condition, Condition::Hook { names, .. } if names.is_empty());
        let mut interfaces = handler.params().iter().filter(|param| !param.optional).filter_map(|param| param.at_start);
        handler.predicate.0.iter().any(no_hook) || interfaces.any(|at_start| !is_there(at_start.of))
    }

    pub(super) fn handlers(&self) -> &[Handler] {
        self.after.registry.as_deref().map_or(&[], |registry| registry.handlers())
    }

    /// The handlers that ran, without their module paths.
    pub(super) fn ran(&self) -> Vec<String> {
        self.report.handlers().into_iter().map(str::to_owned).collect()
    }
}

/// Whether this is the handler's name: the whole path, or its last part.
pub(super) fn is_called(handler: &Handler, name: &str) -> bool {
    handler.id == name || short(&handler.id) == name
}

/// A handler's name without its module path, as reports have it.
pub(super) fn short(id: &str) -> &str {
    id.rsplit("::").next().unwrap_or(id)
}
