//! One unit agent's own memory, and its decision what runs next (contract sections 3.2, 4.2 and 5).
//!
//! The decision is pure: it looks at what the controller knows and at what this unit has already run, and names the hooks of
//! which one runs next. There are several only where Juju itself leaves it to chance.

pub(crate) mod secrets;
pub(crate) mod storage;

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use super::charm::CharmFiles;
use super::controller::{Controller, Entries, Relation, SeriesUpgrade};
use super::hook::{Hook, RelationHook, RelationKind};
use super::shared::Shared;
use super::value::Value;
use crate::juju::{RelationId, UnitName};

/// Everything the agent of one unit remembers between hooks.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    pub(crate) name: UnitName,
    pub(crate) installed: bool,
    pub(crate) started: bool,
    pub(crate) stopped: bool,
    pub(crate) removed: bool,
    /// `leader-elected` has run since leadership was gained.
    pub(crate) elected: bool,
    /// The version of the leader settings at the last `leader-settings-changed`.
    pub(crate) leader_settings: Option<u64>,
    /// What the last `config-changed` was run for.
    pub(crate) config: Option<Configuration>,
    /// The revision of the charm that is unpacked.
    pub(crate) revision: u64,
    pub(crate) charm: Rc<CharmFiles>,
    pub(crate) rebooted: bool,
    /// When the timer of `update-status` fires, as time of the controller's clock.
    pub(crate) update_status: Option<Duration>,
    /// The charm has set a status of its own.
    pub(crate) status_set: bool,
    /// Hooks that follow another one: `start`, `config-changed` after `upgrade-charm`.
    pub(crate) queued: VecDeque<Hook>,
    /// The hook that has not been done yet: it failed, or it was killed and is queued again.
    pub(crate) pending: Option<Pending>,
    pub(crate) relations: BTreeMap<u32, RelationState>,
    pub(crate) secrets: secrets::Seen,
    pub(crate) storage: storage::Seen,
}

/// A hook that was begun and not done.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) hook: Hook,
    /// Failed, and waits for a retry; otherwise killed, and simply runs again.
    pub(crate) failed: bool,
    /// How often it has failed in a row.
    pub(crate) failures: u32,
    /// When Juju retries it, as time of the controller's clock.
    pub(crate) retry_at: Duration,
}

/// What brings `config-changed` when it changes (contract 3.2, row 16).
#[derive(Clone, Debug, PartialEq, Hash)]
pub(crate) struct Configuration {
    options: BTreeMap<String, Value>,
    address: Option<String>,
    trust: bool,
}

impl Configuration {
    /// Whether nothing of it has changed.
    fn is_that_of(&self, controller: &Controller, unit: &UnitName) -> bool {
        let application = controller.applications.get(unit.application());
        let address = controller.units.get(unit).and_then(|unit| unit.address.as_ref());
        self.options.iter().eq(application.into_iter().flat_map(|application| application.values()))
            && application.is_some_and(|application| application.trust) == self.trust
            && address == self.address.as_ref()
    }
}

/// What there was to see when a hook began: changes that come later are news to the next one.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) config: Configuration,
    pub(crate) leader_settings: u64,
}

impl Seen {
    pub(crate) fn now(controller: &Controller, unit: &UnitName) -> Self {
        let application = controller.applications.get(unit.application());
        let config = Configuration {
            options: application.map(|application| application.options()).unwrap_or_default(),
            address: controller.units.get(unit).and_then(|unit| unit.address.clone()),
            trust: application.is_some_and(|application| application.trust),
        };
        Self { config, leader_settings: application.map_or(0, |application| application.leader_settings.version) }
    }
}

/// What the unit has seen of one relation.
#[derive(Clone, Debug)]
pub(crate) struct RelationState {
    pub(crate) id: RelationId,
    pub(crate) created: bool,
    pub(crate) broken: bool,
    /// Of the endpoint `juju-info`, which runs no hooks (contract 11.1).
    pub(crate) implicit: bool,
    /// The agent was restarted since it entered: it has forgotten what it only learns then (contract 5.3).
    pub(crate) forgotten: bool,
    /// Members, with the version of the bag that a hook was last run for.
    pub(crate) members: BTreeMap<UnitName, u64>,
    /// The same for the remote application's bag.
    pub(crate) app_version: u64,
    /// After `-joined`, `-changed` for the same unit is next in this relation.
    pub(crate) changed_due: Option<UnitName>,
    /// Members' bags are kept across hooks (contract 4.6).
    pub(crate) cache: BTreeMap<UnitName, Option<Entries>>,
}

/// What the agent does next.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Next {
    /// Run one of these.
    Run(Vec<Hook>),
    /// A hook has failed; it is run again when its time has come, or when the operator says so.
    Failed(Hook),
    /// Nothing is due.
    Idle,
    /// The unit has run its last hook.
    Gone,
}

fn run(hook: &str) -> Next {
    Next::Run(vec![Hook::plain(hook)])
}

impl Agent {
    pub(crate) fn new(name: UnitName, revision: u64, charm: Rc<CharmFiles>) -> Self {
        Self {
            name,
            installed: false,
            started: false,
            stopped: false,
            removed: false,
            elected: false,
            leader_settings: None,
            config: None,
            revision,
            charm,
            rebooted: false,
            update_status: None,
            status_set: false,
            queued: VecDeque::new(),
            pending: None,
            relations: BTreeMap::new(),
            secrets: secrets::Seen::default(),
            storage: storage::Seen::default(),
        }
    }

    fn dying(&self, controller: &Controller) -> bool {
        controller.units.get(&self.name).is_none_or(|unit| unit.dying)
    }

    /// No failed and no queued hook (contract 3.2).
    fn idle(&self) -> bool {
        self.pending.is_none() && self.queued.is_empty()
    }

    /// Whether [`look`](Self::look) would change anything.
    pub(crate) fn has_to_look(&self, controller: &Controller) -> bool {
        let own = |relation: &Relation| relation.sides.iter().any(|(app, _)| app == self.name.application());
        let is_new = |(number, relation): (&u32, &Shared<Relation>)| {
            !relation.dying && !self.relations.contains_key(number) && own(relation)
        };
        let enters = self.installed && controller.relations.iter().any(is_new);
        let leaves = self.relations.values().any(|state| state.implicit && !state.broken);
        enters || leaves || (self.elected && !controller.is_leader(&self.name))
    }

    /// What the agent does by itself between hooks: it enters relations, and notices that it leads no longer.
    pub(crate) fn look(&mut self, controller: &mut Controller) {
        if self.idle() {
            self.enter_relations(controller);
            self.leave_implicit_relations(controller);
        }
        if !controller.is_leader(&self.name) {
            self.elected = false;
        }
    }

    /// Enters every relation that exists: all at once, right after `install` (contract 3.1).
    fn enter_relations(&mut self, controller: &mut Controller) {
        if !self.installed || self.dying(controller) {
            return;
        }
        let is_new =
            |(number, relation): &(&u32, &Shared<Relation>)| !relation.dying && !self.relations.contains_key(*number);
        let new = controller.relations.iter().filter(is_new);
        let ids = new.filter_map(|(number, _)| controller.relation_id(*number, self.name.application()));
        // An endpoint that only a newer revision of the charm has waits until that is unpacked.
        let implicit = |id: &RelationId| self.charm.is_implicit(&id.endpoint);
        let known = ids.filter(|id| implicit(id) || self.charm.metadata.endpoints.contains_key(&id.endpoint));
        for id in known.collect::<Vec<_>>() {
            controller.enter(&self.name, id.number);
            let implicit = implicit(&id);
            self.relations.insert(id.number, RelationState { implicit, ..RelationState::new(id) });
        }
    }

    /// Relations of the implicit endpoint end without a hook (contract 11.1).
    fn leave_implicit_relations(&mut self, controller: &mut Controller) {
        for (number, state) in self.relations.iter_mut().filter(|(_, state)| state.implicit) {
            if let Some(relation) = controller.relations.get_mut(number).filter(|relation| relation.dying) {
                relation.present.remove(&self.name);
                state.broken = true;
            }
        }
    }

    /// The commit of a successful `config-changed` writes the keys that Juju sets in each bag of the unit (contract 4.6).
    pub(crate) fn refresh_addresses(&self, controller: &mut Controller) {
        let keys = controller.initial_keys(&self.name);
        for number in self.relations.keys() {
            let relation = controller.relations.get_mut(number);
            if let Some(bag) = relation.and_then(|relation| relation.units.get_mut(&self.name)) {
                bag.apply(&keys);
            }
        }
    }

    /// Enters this relation, if it has not yet, and takes it as created.
    pub(crate) fn enter(&mut self, id: RelationId, controller: &mut Controller) {
        if !self.relations.contains_key(&id.number) {
            controller.enter(&self.name, id.number);
            self.relations.insert(id.number, RelationState { created: true, ..RelationState::new(id) });
        }
    }

    /// The remote unit has joined, and nothing is known of its bag.
    pub(crate) fn add_member(&mut self, number: u32, unit: &UnitName) {
        if let Some(relation) = self.relations.get_mut(&number) {
            relation.members.insert(unit.clone(), 0);
            relation.cache.remove(unit);
        }
    }

    /// The remote unit has departed.
    pub(crate) fn remove_member(&mut self, number: u32, unit: &UnitName) {
        if let Some(relation) = self.relations.get_mut(&number) {
            relation.members.remove(unit);
            relation.cache.remove(unit);
        }
    }

    /// The agent process starts anew: what it only learns on entering a relation is lost (contract 4.4, 5.3).
    pub(crate) fn restart(&mut self) {
        for relation in self.relations.values_mut() {
            relation.created = true;
            relation.forgotten = true;
            relation.cache.clear();
        }
    }

    /// Whether the unit has run its last hook, which only one that leaves can have.
    pub(crate) fn is_gone(&self, controller: &Controller) -> bool {
        (self.removed || self.dying(controller)) && self.next(controller) == Next::Gone
    }

    /// The table of contract 3.2, row by row; row numbers are the contract's. The first row that matches wins.
    pub(crate) fn next(&self, controller: &Controller) -> Next {
        if self.removed {
            return Next::Gone;
        }
        let (dying, idle) = (self.dying(controller), self.idle());
        let leader = controller.is_leader(&self.name);
        let ready = self.installed && !dying && idle;
        let Some(unit) = controller.units.get(&self.name) else { return Next::Gone };
        // 1: a series upgrade is in progress; nothing else runs.
        if let Some(upgrade) = unit.series_upgrade.filter(|_| self.installed && idle) {
            return upgrade.hook().map_or(Next::Idle, run);
        }
        // 2: the machine was rebooted.
        if self.rebooted && self.started && !self.stopped && idle {
            return run("start");
        }
        if ready {
            // 3: live relations without their `-created`.
            let fresh: Vec<Hook> = self
                .open_relations()
                .filter(|(number, state)| !state.created && controller.relations.get(number).is_some_and(|r| !r.dying))
                .map(|(number, _)| self.relation_hook(controller, number, RelationKind::Created, None, None, 0))
                .collect();
            if !fresh.is_empty() {
                return Next::Run(fresh);
            }
            // 4: leadership newly held.
            if leader && !self.elected {
                return run("leader-elected");
            }
        }
        // 5: leader settings changed.
        if self.installed && !self.stopped && !leader && idle && !controller.juju.is_four() {
            let version = controller.applications.get(self.name.application()).map_or(0, |a| a.leader_settings.version);
            if self.leader_settings != Some(version) {
                return run("leader-settings-changed");
            }
        }
        // 6 is Kubernetes'.
        // 7: secrets.
        if ready && let Some(hook) = secrets::due(controller, self).into_iter().next() {
            return Next::Run(vec![hook]);
        }
        // 8 and 9: an action waits, or else a command. They may run when a hook has failed, too.
        let failed = self.pending.as_ref().filter(|pending| pending.failed);
        if self.installed
            && (idle || failed.is_some())
            && let Some(task) = unit.next_task()
        {
            return Next::Run(vec![task.hook.clone()]);
        }
        // 10: storage, before `install` too. Among several, chance.
        let storage = storage::due(controller, self);
        if (idle || !self.installed) && !storage.is_empty() {
            return Next::Run(storage);
        }
        // 11: what is queued: a hook that was killed, or one that follows another.
        if let Some(pending) = self.pending.as_ref().filter(|pending| !pending.failed) {
            return Next::Run(vec![pending.hook.clone()]);
        }
        // 12: a hook has failed.
        if let Some(pending) = failed {
            let due = controller.retries && pending.retry_at <= controller.now;
            return if due { Next::Run(vec![pending.hook.clone()]) } else { Next::Failed(pending.hook.clone()) };
        }
        if let Some(hook) = self.queued.front() {
            return Next::Run(vec![hook.clone()]);
        }
        // 13: the unit is dying.
        if dying {
            return if self.installed { self.teardown(controller) } else { Next::Gone };
        }
        // 14: not installed.
        if !self.installed && storage::waits(controller, self) {
            return Next::Idle;
        }
        if !self.installed {
            return run("install");
        }
        // 15: the charm changed.
        let revision = controller.applications.get(self.name.application()).map_or(0, |a| a.revision);
        if self.revision != revision {
            return run("upgrade-charm");
        }
        // 16: configuration, trust or addresses changed.
        if !self.config.as_ref().is_some_and(|config| config.is_that_of(controller, &self.name)) {
            return run("config-changed");
        }
        // 17: relation hooks.
        let relations = self.next_relation_hooks(controller);
        if !relations.is_empty() {
            return Next::Run(relations);
        }
        // 18: the timer.
        if self.update_status.is_some_and(|at| at <= controller.now) { run("update-status") } else { Next::Idle }
    }

    /// Section 5.1, steps 2 to 4.
    fn teardown(&self, controller: &Controller) -> Next {
        let relations = self.next_relation_hooks(controller);
        if !relations.is_empty() {
            return Next::Run(relations);
        }
        run(if self.started && !self.stopped { "stop" } else { "remove" })
    }

    fn open_relations(&self) -> impl Iterator<Item = (u32, &RelationState)> {
        let runs_hooks = |(_, relation): &(&u32, &RelationState)| !relation.broken && !relation.implicit;
        self.relations.iter().filter(runs_hooks).map(|(number, relation)| (*number, relation))
    }

    /// Across relations: peers last since 3.5.5; within each group, chance (contract 4.2).
    fn next_relation_hooks(&self, controller: &Controller) -> Vec<Hook> {
        let mut due: Vec<(bool, Hook)> = Vec::new();
        for (number, state) in self.open_relations() {
            let peer = controller.relations.get(&number).is_some_and(|relation| relation.is_peer());
            if let Some((kind, unit, departing, version)) = self.due(controller, number, state) {
                due.push((peer, self.relation_hook(controller, number, kind, unit, departing, version)));
            }
        }
        if controller.juju.at_least(3, 5, 5) && due.iter().any(|(peer, _)| !peer) {
            due.retain(|(peer, _)| !peer);
        }
        due.into_iter().map(|(_, hook)| hook).collect()
    }

    /// The algorithm of contract 4.2 for one relation; the numbers are the contract's.
    fn due(
        &self,
        controller: &Controller,
        number: u32,
        state: &RelationState,
    ) -> Option<(RelationKind, Option<UnitName>, Option<UnitName>, u64)> {
        let relation = controller.relations.get(&number)?;
        let unit_dying = self.dying(controller);
        let ends = unit_dying || relation.dying;
        // 1: `-changed` is owed after `-joined`.
        if let Some(unit) = &state.changed_due {
            let version = relation.units.get(unit).map_or(0, |bag| bag.version);
            return Some((RelationKind::Changed, Some(unit.clone()), None, version));
        } // 2: departures.
        if let Some(unit) = state.members.keys().find(|unit| ends || !controller.sees(relation, &self.name, unit)) {
            let departing = if unit_dying { &self.name } else { unit };
            return Some((RelationKind::Departed, Some(unit.clone()), Some(departing.clone()), 0));
        } // 3: the end, which peer relations do not see.
        if ends {
            let peer = relation.is_peer() && !state.forgotten;
            return (!peer).then_some((RelationKind::Broken, None, None, 0));
        } // 4: the remote application's bag.
        let app = relation.apps.get(relation.remote_app(self.name.application())).map_or(0, |bag| bag.version);
        if app != state.app_version {
            return Some((RelationKind::Changed, None, None, app));
        } // 5: units that are not members yet.
        let mut snapshot = controller.visible(relation, &self.name);
        if let Some((unit, version)) = snapshot.find(|(unit, _)| !state.members.contains_key(*unit)) {
            return Some((RelationKind::Joined, Some(unit.clone()), None, version));
        } // 6: members whose bag changed.
        let mut snapshot = controller.visible(relation, &self.name);
        let changed = snapshot.find(|(unit, version)| state.members.get(*unit) != Some(version));
        changed.map(|(unit, version)| (RelationKind::Changed, Some(unit.clone()), None, version))
    }

    /// A hook of a relation, with what its environment needs.
    pub(crate) fn relation_hook(
        &self,
        controller: &Controller,
        number: u32,
        kind: RelationKind,
        unit: Option<UnitName>,
        departing: Option<UnitName>,
        version: u64,
    ) -> Hook {
        let own = self.name.application();
        let id = controller.relation_id(number, own);
        let forgotten = self.relations.get(&number).is_some_and(|state| state.forgotten);
        let app = match kind {
            // An agent that was restarted may not know it any more (contract 5.3).
            RelationKind::Broken if forgotten => "",
            _ => controller.relations.get(&number).map_or(own, |relation| relation.remote_app(own)),
        };
        Hook::Relation(RelationHook {
            kind,
            relation: id.unwrap_or(RelationId { endpoint: String::new(), number }),
            app: app.to_owned(),
            unit,
            departing,
            version,
        })
    }

    /// Records a hook as done, after its commit: memberships, what is owed, versions last seen.
    pub(crate) fn done(&mut self, hook: &Hook, seen: &Seen, controller: &mut Controller) {
        match hook {
            // An action leaves a failed hook as it is.
            Hook::Action { .. } | Hook::Exec { .. } => return,
            Hook::Relation(hook) => self.relation_done(hook, controller),
            Hook::Storage(hook) => storage::done(hook, controller, self),
            Hook::Secret(hook) => secrets::done(hook, controller, self),
            Hook::Plain(name) => self.plain_done(name, seen, controller),
        }
        self.pending = None;
    }

    fn plain_done(&mut self, name: &str, seen: &Seen, controller: &mut Controller) {
        if self.queued.front().is_some_and(|hook| hook.is(name)) {
            self.queued.pop_front();
        }
        match name {
            "install" => {
                self.installed = true;
                self.enter_relations(controller);
            }
            "start" => {
                self.started = true;
                self.rebooted = false;
            }
            "leader-elected" => self.elected = true,
            "leader-settings-changed" => self.leader_settings = Some(seen.leader_settings),
            "config-changed" => {
                self.config = Some(seen.config.clone());
                if !self.started && !self.queued.iter().any(|hook| hook.is("start")) {
                    self.queued.push_back(Hook::plain("start"));
                }
            }
            "upgrade-charm" => self.queued.push_back(Hook::plain("config-changed")),
            "update-status" => self.update_status = None,
            "stop" => self.stopped = true,
            "remove" => self.removed = true,
            "pre-series-upgrade" | "post-series-upgrade" => {
                if let Some(unit) = controller.units.get_mut(&self.name) {
                    unit.series_upgrade = unit.series_upgrade.and_then(SeriesUpgrade::after_hook);
                }
            }
            _ => {}
        }
    }

    fn relation_done(&mut self, hook: &RelationHook, controller: &mut Controller) {
        let Some(state) = self.relations.get_mut(&hook.relation.number) else { return };
        match (hook.kind, &hook.unit) {
            (RelationKind::Created, _) => state.created = true,
            (RelationKind::Joined, Some(unit)) => {
                state.members.insert(unit.clone(), hook.version);
                state.changed_due = Some(unit.clone());
            }
            (RelationKind::Changed, Some(unit)) => {
                if state.changed_due.as_ref() == Some(unit) {
                    state.changed_due = None;
                }
                if let Some(version) = state.members.get_mut(unit) {
                    *version = hook.version;
                }
            }
            (RelationKind::Changed, None) => state.app_version = hook.version,
            (RelationKind::Departed, Some(unit)) => {
                state.members.remove(unit);
                state.cache.remove(unit);
            }
            (RelationKind::Broken, _) => {
                state.broken = true;
                if let Some(relation) = controller.relations.get_mut(&hook.relation.number) {
                    relation.present.remove(&self.name);
                }
            }
            (RelationKind::Joined | RelationKind::Departed, None) => {}
        }
    }
}

impl RelationState {
    fn new(id: RelationId) -> Self {
        Self {
            id,
            created: false,
            broken: false,
            implicit: false,
            forgotten: false,
            members: BTreeMap::new(),
            app_version: 0,
            changed_due: None,
            cache: BTreeMap::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::chance::Chance;

    fn charm(metadata: &str) -> Rc<CharmFiles> {
        Rc::new(CharmFiles::from_texts(metadata, None, None).unwrap())
    }

    fn world() -> (Controller, Agent) {
        let mut controller = Controller::new("3.6.25".parse().unwrap());
        let unit: UnitName = "zk/0".parse().unwrap();
        controller.add_unit(&unit, None);
        controller.add_relation(&[("zk", "zkpeer")]);
        let metadata = "name: zk\nsummary: s\ndescription: d\npeers: {zkpeer: q}\n\
             provides: {client: z, a: z, b: z, c: z, d: z}\n";
        (controller, Agent::new(unit, 0, charm(metadata)))
    }

    /// Runs all that is due, each hook succeeding without doing anything.
    fn play(controller: &mut Controller, unit: &mut Agent) -> Vec<String> {
        play_by(controller, unit, &mut Chance::First)
    }

    fn play_by(controller: &mut Controller, unit: &mut Agent, chance: &mut Chance) -> Vec<String> {
        let mut names = Vec::new();
        unit.look(controller);
        while let Next::Run(hooks) = unit.next(controller) {
            let hook = chance.pick(&hooks).unwrap();
            names.push(hook.to_string());
            unit.done(hook, &Seen::now(controller, &unit.name), controller);
            unit.look(controller);
        }
        names
    }

    /// The next hook, which alone is due.
    fn next(controller: &mut Controller, unit: &mut Agent) -> Hook {
        unit.look(controller);
        let Next::Run(hooks) = unit.next(controller) else { panic!("nothing is due") };
        assert_eq!(hooks.len(), 1);
        hooks[0].clone()
    }

    fn peer(controller: &mut Controller, name: &str) {
        let name = name.parse().unwrap();
        controller.add_unit(&name, None);
        controller.enter(&name, 0);
    }

    fn write(controller: &mut Controller, unit: &str, value: &str) {
        let bag = controller.relations.get_mut(&0).unwrap().units.get_mut(&unit.parse().unwrap()).unwrap();
        bag.apply(&Entries::from([("k".to_owned(), value.to_owned())]));
    }

    #[test]
    fn c3_1_order_of_the_first_start() {
        let (mut controller, mut unit) = world();
        let expected = ["install", "zkpeer-relation-created", "leader-settings-changed", "config-changed", "start"];
        assert_eq!(play(&mut controller, &mut unit), expected);
        let (mut controller, mut unit) = world();
        controller.application("zk").leader = Some("zk/0".parse().unwrap());
        assert_eq!(play(&mut controller, &mut unit)[2], "leader-elected");
        let (mut controller, mut unit) = world();
        controller.juju = "4.0.14".parse().unwrap();
        assert_eq!(play(&mut controller, &mut unit)[2], "config-changed");
    }

    #[test]
    fn c4_2_joined_then_changed_in_string_order() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/2");
        peer(&mut controller, "zk/10");
        let expected = [
            "zkpeer-relation-joined (zk/10)",
            "zkpeer-relation-changed (zk/10)",
            "zkpeer-relation-joined (zk/2)",
            "zkpeer-relation-changed (zk/2)",
        ];
        assert_eq!(play(&mut controller, &mut unit), expected);
    }

    #[test]
    fn c4_2_application_changes_come_before_joined_and_departures_before_both() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/1");
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/3");
        controller.remove_unit(&"zk/1".parse().unwrap());
        let entries = Entries::from([("a".to_owned(), "1".to_owned())]);
        controller.relations.get_mut(&0).unwrap().apps.get_mut("zk").unwrap().apply(&entries);
        let order = play(&mut controller, &mut unit);
        assert_eq!(order[0], "zkpeer-relation-departed (zk/1)");
        assert_eq!(order[1], "zkpeer-relation-changed (zk)");
        assert_eq!(order[2], "zkpeer-relation-joined (zk/3)");
    }

    #[test]
    fn c4_4_changes_coalesce_and_equal_values_cause_no_hook() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/1");
        play(&mut controller, &mut unit);
        for value in ["1", "2", "3"] {
            write(&mut controller, "zk/1", value);
        }
        assert_eq!(play(&mut controller, &mut unit), ["zkpeer-relation-changed (zk/1)"]);
        write(&mut controller, "zk/1", "3");
        assert_eq!(play(&mut controller, &mut unit), [""; 0]);
    }

    #[test]
    fn c4_2_changed_is_owed_even_to_a_unit_that_has_left() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/1");
        let joined = next(&mut controller, &mut unit);
        unit.done(&joined, &Seen::now(&controller, &unit.name), &mut controller);
        controller.remove_unit(&"zk/1".parse().unwrap());
        assert_eq!(
            play(&mut controller, &mut unit),
            ["zkpeer-relation-changed (zk/1)", "zkpeer-relation-departed (zk/1)"]
        );
    }

    #[test]
    fn c5_1_the_leaving_unit_departs_from_each_member_then_stops() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/1");
        peer(&mut controller, "zk/2");
        let number = controller.add_relation(&[("zk", "client"), ("kafka", "zookeeper")]);
        controller.add_unit(&"kafka/0".parse().unwrap(), None);
        controller.enter(&"kafka/0".parse().unwrap(), number);
        play(&mut controller, &mut unit);
        controller.remove_unit(&"zk/0".parse().unwrap());
        let Hook::Relation(first) = next(&mut controller, &mut unit) else { panic!("no relation hook") };
        assert_eq!(first.departing, Some("zk/0".parse().unwrap()));
        let expected = [
            "client-relation-departed (kafka/0)",
            "client-relation-broken",
            "zkpeer-relation-departed (zk/1)",
            "zkpeer-relation-departed (zk/2)",
            "stop",
            "remove",
        ];
        assert_eq!(play(&mut controller, &mut unit), expected);
        assert_eq!(unit.next(&controller), Next::Gone);
    }

    #[test]
    fn c3_2_leadership_and_configuration_overtake_relation_hooks() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/1");
        controller.application("zk").leader = Some("zk/0".parse().unwrap());
        controller.units.get_mut(&unit.name).unwrap().address = Some("10.9.9.9".to_owned());
        assert_eq!(
            play(&mut controller, &mut unit)[..3],
            ["leader-elected", "config-changed", "zkpeer-relation-joined (zk/1)"]
        );
    }

    #[test]
    fn c3_2_a_seed_repeats_the_order_and_another_changes_it() {
        let order = |seed| {
            let (mut controller, mut unit) = world();
            for name in ["a", "b", "c", "d"] {
                controller.add_relation(&[("zk", name), ("other", "x")]);
            }
            play_by(&mut controller, &mut unit, &mut Chance::Seed(seed))
        };
        assert_eq!(order(7), order(7));
        assert!((0..20).any(|seed| order(seed) != order(7)));
    }
}
