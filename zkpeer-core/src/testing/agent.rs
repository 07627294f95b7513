//! One unit agent's own state, and its decision what runs next (contract sections 3.2, 4.2 and 5).
//!
//! The decision is pure: it looks at the model and at what this unit has already run, and names one hook.

pub(crate) mod secrets;
pub(crate) mod storage;

use std::collections::{BTreeMap, VecDeque};

use super::controller::{Controller, Entries, Relation};
use super::hook::{Hook, RelationHook, RelationKind};
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
    /// The configuration and address of the last `config-changed`.
    pub(crate) config: Option<(BTreeMap<String, Value>, Option<String>)>,
    pub(crate) upgraded: bool,
    pub(crate) rebooted: bool,
    pub(crate) update_status: bool,
    /// The charm has set a status of its own.
    pub(crate) status_set: bool,
    /// Hooks that follow another one: `start`, `config-changed` after `upgrade-charm`.
    pub(crate) queued: VecDeque<Hook>,
    /// The hook that has not been done yet: it failed, or it was killed and is queued again.
    pub(crate) pending: Option<Pending>,
    pub(crate) relations: BTreeMap<u32, RelationState>,
    pub(crate) secrets: secrets::Seen,
    pub(crate) storage: storage::Seen,
    /// The state of the generator behind the choices that Juju leaves to chance; none: always the first.
    pub(crate) seed: Option<u64>,
}

/// A hook that was begun and not done.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) hook: Hook,
    /// Failed, and waits for a retry; otherwise killed, and simply runs again.
    pub(crate) failed: bool,
}

/// What the unit has seen of one relation.
#[derive(Clone, Debug)]
pub(crate) struct RelationState {
    pub(crate) id: RelationId,
    pub(crate) created: bool,
    pub(crate) broken: bool,
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
    /// Run this.
    Run(Hook),
    /// A hook has failed and waits for a retry.
    Failed(Hook),
    /// Nothing is due.
    Idle,
    /// The unit has been removed.
    Gone,
}

impl Agent {
    pub(crate) fn new(name: UnitName, seed: Option<u64>) -> Self {
        Self {
            name,
            installed: false,
            started: false,
            stopped: false,
            removed: false,
            elected: false,
            leader_settings: None,
            config: None,
            upgraded: false,
            rebooted: false,
            update_status: false,
            status_set: false,
            queued: VecDeque::new(),
            pending: None,
            relations: BTreeMap::new(),
            secrets: secrets::Seen::default(),
            storage: storage::Seen::default(),
            seed,
        }
    }

    fn dying(&self, controller: &Controller) -> bool {
        controller.units.get(&self.name).is_none_or(|unit| unit.dying)
    }

    /// Enters every relation that exists: all at once, right after `install` (contract 3.1).
    pub(crate) fn enter_relations(&mut self, controller: &mut Controller) {
        if !self.installed || self.dying(controller) {
            return;
        }
        for number in controller.relations_of(self.name.application()) {
            let alive = controller.relations.get(&number).is_some_and(|relation| !relation.dying);
            let Some(id) = controller.relation_id(number, self.name.application()) else { continue };
            if alive && !self.relations.contains_key(&number) {
                controller.enter(&self.name, number);
                self.relations.insert(number, RelationState::new(id));
            }
        }
    }

    /// The table of contract 3.2, row by row; row numbers are the contract's. Actions (row 8) are run when asked for.
    pub(crate) fn next(&mut self, controller: &mut Controller) -> Next {
        if self.removed {
            return Next::Gone;
        }
        if let Some(pending) = &self.pending {
            let hook = pending.hook.clone();
            return if pending.failed { Next::Failed(hook) } else { Next::Run(hook) };
        }
        self.enter_relations(controller);
        let dying = self.dying(controller);
        let leader = controller.is_leader(&self.name);
        if !leader {
            self.elected = false;
        } // 2: the machine was rebooted.
        if self.rebooted && self.started && !self.stopped {
            return Next::Run(Hook::plain("start"));
        } // 14 and everything that waits for it.
        if !self.installed {
            // 10: storage that was asked for at deployment comes first.
            if let Some(hook) = storage::due(controller, self).into_iter().next() {
                return Next::Run(hook);
            }
            if storage::waits(controller, self) {
                return Next::Idle;
            }
            return if dying { Next::Gone } else { Next::Run(Hook::plain("install")) };
        }
        if !dying {
            // 3: relations without their `-created`.
            let fresh: Vec<u32> = self.open_relations().filter(|(_, r)| !r.created).map(|(n, _)| n).collect();
            if let Some(number) = self.choose(&fresh) {
                return Next::Run(self.relation_hook(controller, number, RelationKind::Created, None, None, 0));
            } // 4: leadership newly held.
            if leader && !self.elected {
                return Next::Run(Hook::plain("leader-elected"));
            } // 5: leader settings changed.
            if !leader
                && !controller.juju.is_four()
                && self.leader_settings != Some(leader_settings_version(controller, self))
            {
                return Next::Run(Hook::plain("leader-settings-changed"));
            }
        }
        // 7: secrets. 10: storage.
        if let Some(hook) = secrets::due(controller, self).into_iter().chain(storage::due(controller, self)).next() {
            return Next::Run(hook);
        }
        // 11: what follows another hook.
        if let Some(hook) = self.queued.front() {
            return Next::Run(hook.clone());
        } // 13: the unit is dying.
        if dying {
            return self.teardown(controller);
        } // 15: the charm changed.
        if self.upgraded {
            return Next::Run(Hook::plain("upgrade-charm"));
        } // 16: configuration or addresses changed.
        if self.config.as_ref() != Some(&config_now(controller, &self.name)) {
            return Next::Run(Hook::plain("config-changed"));
        } // 17: relation hooks.
        if let Some(hook) = self.next_relation_hook(controller) {
            return Next::Run(hook);
        } // 18: the timer.
        if self.update_status { Next::Run(Hook::plain("update-status")) } else { Next::Idle }
    }

    /// Section 5.1, steps 2 to 4.
    fn teardown(&mut self, controller: &Controller) -> Next {
        if let Some(hook) = self.next_relation_hook(controller) {
            return Next::Run(hook);
        }
        if self.started && !self.stopped {
            return Next::Run(Hook::plain("stop"));
        }
        Next::Run(Hook::plain("remove"))
    }

    fn open_relations(&self) -> impl Iterator<Item = (u32, &RelationState)> {
        self.relations.iter().filter(|(_, relation)| !relation.broken).map(|(number, relation)| (*number, relation))
    }

    /// Across relations: peers last since 3.5.5; within each group, chance (contract 4.2).
    fn next_relation_hook(&mut self, controller: &Controller) -> Option<Hook> {
        let mut due: Vec<(u32, bool)> = Vec::new();
        for (number, state) in self.open_relations() {
            let peer = controller.relations.get(&number).is_some_and(Relation::is_peer);
            if self.due(controller, number, state).is_some() {
                due.push((number, peer));
            }
        }
        if controller.juju.at_least(3, 5, 5) && due.iter().any(|(_, peer)| !peer) {
            due.retain(|(_, peer)| !peer);
        }
        let numbers: Vec<u32> = due.into_iter().map(|(number, _)| number).collect();
        let number = self.choose(&numbers)?;
        let (kind, unit, departing, version) = self.due(controller, number, self.relations.get(&number)?)?;
        Some(self.relation_hook(controller, number, kind, unit, departing, version))
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
        let snapshot = if ends { BTreeMap::new() } else { relation.visible(&self.name) }; // 1: `-changed` is owed after `-joined`.
        if let Some(unit) = &state.changed_due {
            let version = relation.units.get(unit).map_or(0, |bag| bag.version);
            return Some((RelationKind::Changed, Some(unit.clone()), None, version));
        } // 2: departures.
        if let Some(unit) = state.members.keys().find(|unit| !snapshot.contains_key(*unit)) {
            let departing = if unit_dying { &self.name } else { unit };
            return Some((RelationKind::Departed, Some(unit.clone()), Some(departing.clone()), 0));
        } // 3: the end, which peer relations do not see.
        if ends {
            return (!relation.is_peer()).then_some((RelationKind::Broken, None, None, 0));
        } // 4: the remote application's bag.
        let app = relation.apps.get(relation.remote_app(self.name.application())).map_or(0, |bag| bag.version);
        if app != state.app_version {
            return Some((RelationKind::Changed, None, None, app));
        } // 5: units that are not members yet.
        if let Some((unit, version)) = snapshot.iter().find(|(unit, _)| !state.members.contains_key(*unit)) {
            return Some((RelationKind::Joined, Some(unit.clone()), None, *version));
        } // 6: members whose bag changed.
        let changed = snapshot.iter().find(|(unit, version)| state.members.get(*unit) != Some(*version));
        changed.map(|(unit, version)| (RelationKind::Changed, Some(unit.clone()), None, *version))
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
        Hook::Relation(RelationHook {
            kind,
            relation: id.unwrap_or(RelationId { endpoint: String::new(), number }),
            app: controller.relations.get(&number).map_or(own, |relation| relation.remote_app(own)).to_owned(),
            unit,
            departing,
            version,
        })
    }

    /// Records a hook as done, after its commit: memberships, what is owed, versions last seen.
    pub(crate) fn done(&mut self, hook: &Hook, controller: &mut Controller) {
        self.pending = None;
        match hook {
            Hook::Action { .. } => {}
            Hook::Relation(hook) => self.relation_done(hook, controller),
            Hook::Storage(hook) => storage::done(hook, controller, self),
            Hook::Secret(hook) => secrets::done(hook, controller, self),
            Hook::Plain(name) => self.plain_done(name, controller),
        }
    }

    fn plain_done(&mut self, name: &str, controller: &mut Controller) {
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
            "leader-settings-changed" => self.leader_settings = Some(leader_settings_version(controller, self)),
            "config-changed" => {
                self.config = Some(config_now(controller, &self.name));
                let keys = controller.initial_keys(&self.name);
                for number in self.relations.keys() {
                    if let Some(bag) = controller.relations.get_mut(number).and_then(|r| r.units.get_mut(&self.name)) {
                        bag.apply(&keys);
                    }
                }
                if !self.started && !self.queued.iter().any(|hook| hook.is("start")) {
                    self.queued.push_back(Hook::plain("start"));
                }
            }
            "upgrade-charm" => {
                self.upgraded = false;
                self.queued.push_back(Hook::plain("config-changed"));
            }
            "update-status" => self.update_status = false,
            "stop" => self.stopped = true,
            "remove" => self.removed = true,
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

    /// One of several that Juju would run in random order.
    fn choose(&mut self, candidates: &[u32]) -> Option<u32> {
        let Some(seed) = &mut self.seed else { return candidates.first().copied() };
        *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *seed;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let at = (mixed ^ (mixed >> 31)).checked_rem(candidates.len() as u64)?;
        candidates.get(usize::try_from(at).ok()?).copied()
    }
}

impl RelationState {
    fn new(id: RelationId) -> Self {
        Self {
            id,
            created: false,
            broken: false,
            members: BTreeMap::new(),
            app_version: 0,
            changed_due: None,
            cache: BTreeMap::new(),
        }
    }
}

fn leader_settings_version(controller: &Controller, unit: &Agent) -> u64 {
    controller.applications.get(unit.name.application()).map_or(0, |application| application.leader_settings.version)
}

fn config_now(controller: &Controller, unit: &UnitName) -> (BTreeMap<String, Value>, Option<String>) {
    let config = controller.applications.get(unit.application()).map(|application| application.config.clone());
    (config.unwrap_or_default(), controller.units.get(unit).and_then(|unit| unit.address.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world() -> (Controller, Agent) {
        let mut controller = Controller::new("3.6.25".parse().unwrap());
        let unit: UnitName = "zk/0".parse().unwrap();
        controller.add_unit(&unit, None);
        controller.add_relation(&[("zk", "zkpeer")]);
        (controller, Agent::new(unit, None))
    }

    /// Runs all that is due, each hook succeeding without doing anything.
    fn play(controller: &mut Controller, unit: &mut Agent) -> Vec<String> {
        let mut names = Vec::new();
        while let Next::Run(hook) = unit.next(controller) {
            names.push(hook.to_string());
            unit.done(&hook, controller);
        }
        names
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
        let Next::Run(joined) = unit.next(&mut controller) else { panic!("nothing due") };
        unit.done(&joined, &mut controller);
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
        let Next::Run(Hook::Relation(first)) = unit.next(&mut controller) else { panic!("nothing due") };
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
        assert_eq!(unit.next(&mut controller), Next::Gone);
    }

    #[test]
    fn c3_2_leadership_and_configuration_overtake_relation_hooks() {
        let (mut controller, mut unit) = world();
        play(&mut controller, &mut unit);
        peer(&mut controller, "zk/1");
        controller.application("zk").leader = Some("zk/0".parse().unwrap());
        controller.application("zk").config.insert("a".to_owned(), Value::from("b"));
        assert_eq!(
            play(&mut controller, &mut unit)[..3],
            ["leader-elected", "config-changed", "zkpeer-relation-joined (zk/1)"]
        );
    }

    #[test]
    fn c3_2_a_seed_repeats_the_order_and_another_changes_it() {
        let order = |seed| {
            let (mut controller, mut unit) = world();
            unit.seed = Some(seed);
            for name in ["a", "b", "c", "d"] {
                controller.add_relation(&[("zk", name), ("other", "x")]);
            }
            play(&mut controller, &mut unit)
        };
        assert_eq!(order(7), order(7));
        assert!((0..20).any(|seed| order(seed) != order(7)));
    }
}
