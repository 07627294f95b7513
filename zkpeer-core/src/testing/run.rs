//! One hook as Juju sees it: a run on a snapshot, with its own pending writes, and a commit that may be refused.
//!
//! Reads are made once and kept for the run (contract 10); writes wait for [`Run::commit`], which applies them together
//! or not at all. Who may read and write what is contract 4.6.

pub(crate) mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use super::agent::{Agent, Seen};
use super::controller::{Controller, Entries, OpenPorts, Status, Workload, overlay};
use super::hook::{Hook, RelationKind};
use super::value::Value;
use crate::juju::{RelationId, UnitName};

/// A line that the charm wrote to Juju's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `INFO`, `WARNING`, ...
    pub level: String,
    /// The text; in a relation hook Juju puts the relation's id before it.
    pub message: String,
}

/// One run of one hook.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) hook: Hook,
    pub(crate) context_id: String,
    pub(crate) unit: UnitName,
    /// What there was to see when it began.
    pub(crate) seen: Seen,
    /// Each in a place of its own: there are few, and a map with room for several is slow to make.
    pub(crate) relations: BTreeMap<u32, Box<RelationRun>>,
    pub(crate) action: Option<ActionRun>,
    pub(crate) log: Vec<LogLine>,
    pub(crate) status_read: Option<Status>,
    /// What `juju-reboot` has asked for; the agent sees to it.
    pub(crate) reboot: Option<Reboot>,
    /// What `add-metric` has said; metrics go to nobody here.
    pub(crate) metrics: Vec<Metric>,
    /// What `storage-add` has asked for, by name.
    pub(crate) new_storage: Vec<(String, u32)>,
    /// What an application on Kubernetes is to be from now on.
    pub(crate) workload: Workload,
    pub(crate) secrets: secrets::Changes,
    /// The ids of the unit's storage when the hook began.
    pub(crate) storage: Vec<String>,
    config: Option<BTreeMap<String, Value>>,
    others: BTreeMap<(u32, UnitName), Entries>,
    apps: BTreeMap<(u32, String), Entries>,
    pub(crate) state: Option<Entries>,
    pub(crate) state_changed: bool,
    pub(crate) ports: Option<OpenPorts>,
    /// Once false, `is-leader` stays false for the run (contract 9.7).
    deposed: bool,
}

/// A reboot of the machine that the charm has asked for (contract 9.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reboot {
    /// After the hook, if it succeeds.
    After,
    /// At once: the hook is killed, and runs again after the reboot.
    Now,
}

/// One value of `add-metric`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) labels: Entries,
}

/// A relation as one run sees it.
#[derive(Clone, Debug)]
pub(crate) struct RelationRun {
    pub(crate) id: RelationId,
    pub(crate) remote_app: String,
    pub(crate) members: BTreeSet<UnitName>,
    /// Left out of `relation-ids`: it is ending and has no members (contract 9.4).
    pub(crate) hidden: bool,
    own: Option<Entries>,
    pub(crate) pending: Entries,
    pub(crate) pending_app: Entries,
}

/// What an action has said so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct ActionRun {
    pub(crate) params: Value,
    pub(crate) results: BTreeMap<String, Value>,
    pub(crate) failed: Option<String>,
    pub(crate) log: Vec<String>,
}

impl Run {
    /// Begins the run: membership changes that the hook is about take effect, caches are brought up to date (4.6).
    pub(crate) fn begin(
        hook: Hook,
        context_id: String,
        params: Value,
        controller: &Controller,
        unit: &mut Agent,
    ) -> Self {
        let mut relations = BTreeMap::new();
        let about = hook.relation().cloned();
        for (number, state) in unit.relations.iter_mut().filter(|(_, state)| !state.broken) {
            let mut members: BTreeSet<UnitName> = state.members.keys().cloned().collect();
            state.cache.retain(|unit, _| members.contains(unit));
            if let Some(about) = about.as_ref().filter(|about| about.relation.number == *number)
                && let Some(remote) = &about.unit
            {
                if about.kind == RelationKind::Departed {
                    members.remove(remote);
                    state.cache.remove(remote);
                } else {
                    members.insert(remote.clone());
                    state.cache.insert(remote.clone(), None);
                }
            }
            let Some(relation) = controller.relations.get(number) else { continue };
            // Contract 9.4: by the members before this hook, so not yet in the last `-departed`; and by the relation's
            // own life, not the unit's.
            let over = relation.dying && !relation.is_peer() && state.members.is_empty();
            let hidden = over && controller.juju.at_least(3, 4, 4);
            let run = RelationRun {
                id: state.id.clone(),
                remote_app: relation.remote_app(unit.name.application()).to_owned(),
                members,
                hidden,
                own: None,
                pending: Entries::new(),
                pending_app: Entries::new(),
            };
            relations.insert(*number, Box::new(run));
        }
        let action = hook.is_action().then(|| ActionRun { params, ..ActionRun::default() });
        Self {
            hook,
            context_id,
            unit: unit.name.clone(),
            seen: Seen::now(controller, &unit.name),
            relations,
            action,
            log: Vec::new(),
            status_read: None,
            reboot: None,
            metrics: Vec::new(),
            new_storage: Vec::new(),
            workload: Workload::default(),
            secrets: secrets::Changes::default(),
            storage: controller.storage.all_of(&unit.name).map(|(id, _)| id.to_owned()).collect(),
            config: None,
            others: BTreeMap::new(),
            apps: BTreeMap::new(),
            state: None,
            state_changed: false,
            ports: None,
            deposed: false,
        }
    }

    /// Whether the unit is leader, asked anew while it was.
    pub(crate) fn is_leader(&mut self, controller: &Controller) -> bool {
        self.deposed = self.deposed || !controller.is_leader(&self.unit);
        !self.deposed
    }

    /// The configuration: every option of the charm, null where it has no value.
    pub(crate) fn config(&mut self, controller: &Controller) -> &BTreeMap<String, Value> {
        let application = controller.applications.get(self.unit.application());
        self.config.get_or_insert_with(|| application.map(|application| application.options()).unwrap_or_default())
    }

    /// A unit's bag, from where this run has to take it.
    pub(crate) fn unit_bag(
        &mut self,
        controller: &Controller,
        unit: &mut Agent,
        number: u32,
        whose: &UnitName,
    ) -> Result<Entries, String> {
        let own = *whose == self.unit;
        let Some(relation) = self.relations.get_mut(&number) else { return Err("relation not found".to_owned()) };
        if own {
            let bag = relation.own.get_or_insert_with(|| stored(controller, number, whose).unwrap_or_default());
            return Ok(overlaid(bag, &relation.pending));
        }
        if relation.members.contains(whose)
            && let Some(state) = unit.relations.get_mut(&number)
        {
            if let Some(Some(cached)) = state.cache.get(whose) {
                return Ok(cached.clone());
            }
            let bag = fetch(controller, number, whose)?;
            state.cache.insert(whose.clone(), Some(bag.clone()));
            return Ok(bag);
        }
        if let Some(bag) = self.others.get(&(number, whose.clone())) {
            return Ok(bag.clone());
        }
        let bag = fetch(controller, number, whose)?;
        self.others.insert((number, whose.clone()), bag.clone());
        Ok(bag)
    }

    /// An application's bag.
    pub(crate) fn app_bag(&mut self, controller: &Controller, number: u32, app: &str) -> Result<Entries, String> {
        let denied =
            || if controller.juju.is_four() { "relation unit not found" } else { "permission denied" }.to_owned();
        let relation = controller.relations.get(&number).ok_or_else(denied)?;
        let bag = relation.apps.get(app).ok_or_else(denied)?;
        let own = app == self.unit.application();
        let leader = own && self.is_leader(controller);
        if own && !leader && !relation.is_peer() && !controller.juju.is_four() {
            return Err(denied());
        }
        let bag = self.apps.entry((number, app.to_owned())).or_insert_with(|| bag.entries.clone());
        // What this hook has written shows while the unit is still leader (contract 10).
        let none = Entries::new();
        let pending = self.relations.get(&number).filter(|_| leader).map_or(&none, |relation| &relation.pending_app);
        Ok(overlaid(bag, pending))
    }

    /// Notes writes to this unit's bag, or to its application's.
    pub(crate) fn set_bag(&mut self, number: u32, app: bool, changes: Entries) {
        if let Some(relation) = self.relations.get_mut(&number) {
            if app { &mut relation.pending_app } else { &mut relation.pending }.extend(changes);
        }
    }

    /// The charm state, with this run's changes.
    pub(crate) fn state(&mut self, controller: &Controller) -> &Entries {
        let stored = || controller.units.get(&self.unit).map(|unit| unit.charm_state.clone()).unwrap_or_default();
        self.state.get_or_insert_with(stored)
    }

    /// The charm state, to be changed.
    pub(crate) fn state_mut(&mut self, controller: &Controller) -> &mut Entries {
        self.state(controller);
        self.state_changed = true;
        self.state.get_or_insert_default()
    }

    /// The open ports, with this run's changes.
    pub(crate) fn ports(&self, controller: &Controller) -> OpenPorts {
        let stored = || controller.units.get(&self.unit).map(|unit| unit.ports.clone()).unwrap_or_default();
        self.ports.clone().unwrap_or_else(stored)
    }

    /// Sets the ports that will be open after the commit.
    pub(crate) fn set_ports(&mut self, ports: OpenPorts) {
        self.ports = Some(ports);
    }

    /// The relation that the hook is about.
    pub(crate) fn own_relation(&self) -> Option<u32> {
        self.hook.relation().map(|hook| hook.relation.number)
    }

    /// Applies everything, or, for the reason given, nothing (contract 2.1).
    ///
    /// Until 4.0.12 Juju applies the changes of secrets before the rest, and they stay if the rest is refused.
    pub(crate) fn commit(&self, controller: &mut Controller) -> Result<(), String> {
        let secrets = self.secrets.committed(controller, &self.unit)?;
        if controller.juju.at_least(4, 0, 12) {
            self.check(controller)?;
            controller.secrets = secrets;
        } else {
            controller.secrets = secrets;
            self.check(controller)?;
        }
        self.apply(controller);
        Ok(())
    }

    /// Whether the commit changes anything that another unit, or what the agent does next, depends on.
    pub(crate) fn is_seen_by_others(&self) -> bool {
        let in_relation = |relation: &RelationRun| !relation.pending.is_empty() || !relation.pending_app.is_empty();
        self.relations.values().any(|relation| in_relation(relation))
            || !self.secrets.is_empty()
            || !self.new_storage.is_empty()
            || self.workload != Workload::default()
            || self.reboot.is_some()
    }

    /// Why Juju refuses all that is not about secrets, if it does.
    fn check(&self, controller: &Controller) -> Result<(), String> {
        if !controller.units.contains_key(&self.unit) {
            return Err(format!("unit \"{}\" not found", self.unit));
        }
        for relation in self.relations.values() {
            if !relation.pending_app.is_empty() && !controller.is_leader(&self.unit) {
                return Err(format!(
                    "leadership was lost before the hook ended, so `relation-set --app` on {} cannot be applied",
                    relation.id
                ));
            }
        }
        if let Some(state) = self.state.as_ref().filter(|_| self.state_changed)
            && !controller.juju.is_four()
            && state.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>() > MAX_STATE
        {
            return Err(format!("max allowed size ({MAX_STATE}) of the charm state exceeded"));
        }
        if self.workload.spec.is_some() && self.workload.raw.is_some() {
            let both = "either k8s-spec-set or k8s-raw-set can be run for each application, but not both";
            return Err(both.to_owned());
        }
        if self.workload != Workload::default() && !controller.is_leader(&self.unit) {
            return Err("leadership was lost before the hook ended, so the pod spec cannot be set".to_owned());
        }
        self.check_storage(controller)
    }

    fn check_storage(&self, controller: &Controller) -> Result<(), String> {
        let app = controller.applications.get(self.unit.application());
        let mut wanted: BTreeMap<&str, u32> = BTreeMap::new();
        for (name, count) in &self.new_storage {
            *wanted.entry(name).or_default() += count;
        }
        for (name, count) in wanted {
            let refuse = |why: &str| Err(format!("adding storage to unit {}: {why}", self.unit));
            let Some(spec) = app.and_then(|app| app.charm.storage.get(name)) else {
                return refuse(&format!("charm storage \"{name}\" not found"));
            };
            let all = controller.storage.count(&self.unit, name) + count as usize;
            if let Some(most) = spec.maximum.filter(|most| all > *most as usize) {
                return refuse(&format!("storage \"{name}\": at most {most} instances supported, {all} specified"));
            }
        }
        Ok(())
    }

    fn apply(&self, controller: &mut Controller) {
        for (number, run) in &self.relations {
            let Some(relation) = controller.relations.get_mut(number) else { continue };
            if !run.pending.is_empty() {
                relation.units.entry(self.unit.clone()).or_default().apply(&run.pending);
            }
            if !run.pending_app.is_empty() {
                relation.apps.entry(self.unit.application().to_owned()).or_default().apply(&run.pending_app);
            }
        }
        if let Some(unit) = controller.units.get_mut(&self.unit) {
            if let Some(state) = self.state.as_ref().filter(|_| self.state_changed) {
                unit.charm_state = state.clone();
            }
            if let Some(ports) = &self.ports {
                unit.ports = ports.clone();
            }
        }
        let Some(app) = controller.applications.get_mut(self.unit.application()) else { return };
        app.workload.spec = self.workload.spec.clone().or(app.workload.spec.take());
        app.workload.raw = self.workload.raw.clone().or(app.workload.raw.take());
        for (name, count) in &self.new_storage {
            let Some(spec) = app.charm.storage.get(name) else { continue };
            for _ in 0..*count {
                controller.storage.add(&self.unit, name, spec);
            }
        }
    }
}

/// `max-charm-state-size`, the controller's default.
const MAX_STATE: usize = 2 << 20;

fn stored(controller: &Controller, number: u32, unit: &UnitName) -> Option<Entries> {
    Some(controller.relations.get(&number)?.units.get(unit)?.entries.clone())
}

/// Reads another unit's bag from the controller, with Juju's words where there is none.
fn fetch(controller: &Controller, number: u32, unit: &UnitName) -> Result<Entries, String> {
    if let Some(bag) = stored(controller, number, unit) {
        return Ok(bag);
    }
    let relation = controller.relations.get(&number);
    if controller.juju.is_four() {
        return Err("relation unit not found".to_owned());
    }
    match relation {
        Some(relation) if relation.sides.iter().any(|(app, _)| app == unit.application()) => Err(format!(
            "cannot read settings for unit \"{unit}\" in relation \"{}\": unit \"{unit}\": settings not found",
            relation.key()
        )),
        _ => Err("permission denied".to_owned()),
    }
}

fn overlaid(bag: &Entries, changes: &Entries) -> Entries {
    let mut bag = bag.clone();
    overlay(&mut bag, changes);
    bag
}
