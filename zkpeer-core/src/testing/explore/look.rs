//! What an exploration has to know of a model, besides what anybody may.

use super::doing::Doing;
use crate::juju::UnitName;
use crate::testing::controller::Unit;
use crate::testing::hook::{Hook, RelationKind};
use crate::testing::model::{Model, Running};
use crate::testing::outcome::Outcome;
use crate::testing::shared::Shared;

impl Model {
    /// Whether the end of the hook that runs on the unit changes nothing that anybody else can see, now or after what else may
    /// happen before it; `rest` is what operators have not done yet.
    pub(super) fn ends_unnoticed(&self, unit: &UnitName, rest: &[&Doing]) -> bool {
        let Some(running) = self.running.get(unit) else { return false };
        if rest.iter().any(|doing| doing.may_touch_running_hooks()) {
            return false;
        }
        let is_quiet = match &running.run.hook {
            // It writes the unit's address, which is there already unless it changes now.
            Hook::Plain(name) if name == "config-changed" => !rest.iter().any(|doing| doing.may_change_addresses()),
            Hook::Plain(name) => {
                matches!(name.as_str(), "leader-elected" | "leader-settings-changed" | "update-status" | "start")
            }
            Hook::Relation(hook) => hook.kind != RelationKind::Broken,
            _ => false,
        };
        is_quiet && !running.run.is_seen_by_others() && !self.shares_machine(unit)
    }

    fn shares_machine(&self, unit: &UnitName) -> bool {
        let machine = self.controller.units.get(unit).map(|unit| unit.machine);
        let beside = |(other, found): (&UnitName, &Shared<Unit>)| other != unit && Some(found.machine) == machine;
        self.controller.units.iter().any(beside)
    }

    /// Whether the hook that runs on the unit will be done, if nothing comes in between.
    pub(super) fn will_be_done(&self, unit: &UnitName) -> bool {
        self.running.get(unit).is_some_and(|running| running.result.outcome == Outcome::Done)
    }

    /// What the unit's running hook has done, if that is known.
    pub(super) fn run_of(&self, unit: &UnitName) -> Option<&Running> {
        self.running.get(unit).map(|running| &**running)
    }

    /// The units whose failed hook waits for its time.
    pub(super) fn waiting_for_retry(&self) -> Vec<UnitName> {
        let waits = |unit: &UnitName| {
            let pending = self.agents.get(unit).and_then(|agent| agent.pending.as_ref());
            pending.is_some_and(|pending| pending.failed && pending.retry_at > self.controller.now)
        };
        let free = self.agents.keys().filter(|unit| !self.running.contains_key(*unit) && !self.held.contains(*unit));
        free.filter(|unit| self.controller.retries && waits(unit)).cloned().collect()
    }

    /// The units that leadership could move to.
    pub(super) fn could_lead(&self) -> Vec<UnitName> {
        let leads = |unit: &UnitName| self.controller.is_leader(unit);
        let led = |unit: &UnitName| self.leader(unit.application()).is_some();
        let units = self.controller.units.iter().filter(|(_, found)| !found.dying).map(|(unit, _)| unit);
        units.filter(|unit| self.agents.contains_key(*unit) && led(unit) && !leads(unit)).cloned().collect()
    }

    /// The units whose timer of `update-status` may fire.
    pub(super) fn with_timer(&self) -> Vec<UnitName> {
        let now = self.controller.now;
        let waits =
            self.agents.iter().filter(|(_, agent)| !agent.removed && agent.update_status.is_some_and(|at| at > now));
        waits
            .map(|(unit, _)| unit.clone())
            .filter(|unit| self.controller.units.get(unit).is_some_and(|u| !u.dying))
            .collect()
    }

    /// The units that are not leaving.
    pub(super) fn staying(&self) -> impl Iterator<Item = (&UnitName, &Unit)> {
        self.controller.units.iter().filter(|(_, unit)| !unit.dying).map(|(name, unit)| (name, &**unit))
    }
}
