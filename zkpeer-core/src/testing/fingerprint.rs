//! When two models are in the same state: all that decides what may happen next, and what it leads to, is the same.
//!
//! Left out is what only tells of the past: logs, times at which something was set, and numbers that only grow. Of those it
//! counts whether the newest has been seen: the version of a databag against the one that a unit's agent has run a hook for, the
//! id of the hook that the unit waits to see confirmed against the one that Juju has.

use std::hash::{Hash, Hasher};

use siphasher::sip128::{Hasher128, SipHasher13};

use super::agent::{Agent, Pending, RelationState};
use super::controller::{Application, Bag, Controller, Entries, Relation, Status, Unit};
use super::hook::{Hook, RelationHook};
use super::model::{Model, Running};
use super::value::Value;
use crate::confirm;
use crate::juju::UnitName;

impl Model {
    /// A sum over the state; equal states have equal sums.
    pub(crate) fn fingerprint(&self) -> u128 {
        let mut hasher = SipHasher13::new();
        let controller = &self.controller;
        (&controller.options, &controller.secrets, &controller.storage).hash(&mut hasher);
        (&controller.applications, &controller.units, &controller.relations).hash(&mut hasher);
        for (unit, agent) in &self.agents {
            (unit, agent).hash(&mut hasher);
            news(agent, controller, &mut hasher);
            self.unconfirmed(unit).hash(&mut hasher);
        }
        self.machines.hash(&mut hasher);
        for (unit, running) in &self.running {
            unit.hash(&mut hasher);
            self.hash_run(running, &mut hasher);
        }
        for (unit, plan) in &self.plans {
            if plan.is_something() {
                (unit, format!("{plan:?}")).hash(&mut hasher);
            }
        }
        self.held.hash(&mut hasher);
        hasher.finish128().as_u128()
    }

    /// What the next hook of the unit will take back.
    pub(super) fn unconfirmed(&self, unit: &UnitName) -> Option<u128> {
        let (context_id, sum) = self.machines.get(unit)?.memory().unconfirmed()?;
        let kept = self.controller.units.get(unit)?.charm_state.get(confirm::KEPT);
        (kept != Some(context_id)).then_some(*sum)
    }

    fn hash_run(&self, Running { run, result }: &Running, hasher: &mut SipHasher13) {
        (&run.hook, &run.seen.config, run.reboot, &run.new_storage, &run.workload).hash(hasher);
        (&run.secrets, &run.ports, format!("{:?}", result.outcome)).hash(hasher);
        for (number, relation) in &run.relations {
            (number, &relation.pending, &relation.pending_app).hash(hasher);
        }
        if let Some(state) = run.state.as_ref().filter(|_| run.state_changed) {
            hash_charm_state(state, hasher);
            state.contains_key(confirm::KEPT).hash(hasher);
        }
        let application = self.controller.applications.get(run.unit.application());
        let version = application.map_or(0, |application| application.leader_settings.version);
        (run.seen.leader_settings == version).hash(hasher);
        is_newest(&run.hook, &self.controller).hash(hasher);
    }
}

/// Which of the changes that the agent runs hooks for it has not run them for yet.
fn news(agent: &Agent, controller: &Controller, hasher: &mut SipHasher13) {
    let application = controller.applications.get(agent.name.application());
    let version = application.map_or(0, |application| application.leader_settings.version);
    agent.leader_settings.map(|seen| seen == version).hash(hasher);
    for (number, state) in &agent.relations {
        let Some(relation) = controller.relations.get(number) else { continue };
        for (unit, seen) in &state.members {
            (relation.units.get(unit).map(|bag| bag.version) == Some(*seen)).hash(hasher);
        }
        let app = relation.apps.get(relation.remote_app(agent.name.application()));
        (app.map_or(0, |bag| bag.version) == state.app_version).hash(hasher);
    }
    if let Some(Pending { hook, failed, retry_at, .. }) = &agent.pending {
        (failed, *retry_at <= controller.now, is_newest(hook, controller)).hash(hasher);
    }
    agent.update_status.map(|at| at <= controller.now).hash(hasher);
}

/// Whether a relation hook is about the bag as it is now.
fn is_newest(hook: &Hook, controller: &Controller) -> bool {
    let Hook::Relation(hook) = hook else { return true };
    let Some(relation) = controller.relations.get(&hook.relation.number) else { return true };
    let bag = match &hook.unit {
        Some(unit) => relation.units.get(unit),
        None => relation.apps.get(&hook.app),
    };
    bag.map_or(0, |bag| bag.version) == hook.version
}

fn hash_charm_state(state: &Entries, hasher: &mut impl Hasher) {
    for entry in state.iter().filter(|(key, _)| *key != confirm::KEPT) {
        entry.hash(hasher);
    }
}

impl Hash for RelationHook {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { kind, relation, app, unit, departing, version: _ } = self;
        (kind, relation, app, unit, departing).hash(hasher);
    }
}

impl Hash for Bag {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.entries.hash(hasher);
    }
}

impl Hash for Status {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        (&self.status, &self.message).hash(hasher);
    }
}

impl Hash for Value {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        std::mem::discriminant(self).hash(hasher);
        match self {
            Self::Null => {}
            Self::Bool(value) => value.hash(hasher),
            Self::Number(value) => value.to_bits().hash(hasher),
            Self::Text(value) => value.hash(hasher),
            Self::List(value) => value.hash(hasher),
            Self::Map(value) => value.hash(hasher),
        }
    }
}

impl Hash for Application {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { leader, leader_settings, config, status, workload_version, workload, .. } = self;
        (leader, leader_settings, config, status, workload_version, workload).hash(hasher);
        let Self { trust, revision, dying, next_unit, no_elections, .. } = self;
        (trust, revision, dying, next_unit, no_elections).hash(hasher);
    }
}

impl Hash for Unit {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { address, dying, status, charm_state, ports, payloads, machine, principal, series_upgrade, tasks } =
            self;
        (address, dying, status, ports, payloads, machine, principal, series_upgrade, tasks).hash(hasher);
        hash_charm_state(charm_state, hasher);
    }
}

impl Hash for Relation {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { sides, since: _, container, dying, present, units, apps } = self;
        (sides, container, dying, present, units, apps).hash(hasher);
    }
}

impl Hash for Agent {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { installed, started, stopped, removed, elected, config, revision, .. } = self;
        (installed, started, stopped, removed, elected, config, revision).hash(hasher);
        let Self { rebooted, status_set, queued, relations, secrets, storage, pending, .. } = self;
        (rebooted, status_set, queued, relations, secrets, storage).hash(hasher);
        pending.as_ref().map(|pending| &pending.hook).hash(hasher);
    }
}

impl Hash for RelationState {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Self { id, created, broken, implicit, forgotten, members, app_version: _, changed_due, cache } = self;
        (id, created, broken, implicit, forgotten, changed_due, cache).hash(hasher);
        members.keys().for_each(|member| member.hash(hasher));
    }
}
