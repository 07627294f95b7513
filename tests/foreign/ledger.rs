//! A ledger of everything that was committed, from which follows what each hook has to see.
//!
//! It is kept from what the charms say that they wrote, from which hooks the simulated Juju says it ran and how they
//! ended, and from what the test does; the model's own data is never looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use zkpeer_core::testing::{Entries, Hook, HookRun, Outcome, RelationKind};

use crate::charm::Manner;
use crate::view::{Seen, View, Write};

/// The keys that Juju itself writes into a unit's bag (contract 4.6).
const JUJU_KEYS: [&str; 3] = ["egress-subnets", "ingress-address", "private-address"];

/// Everything that was committed, and what each unit has been shown of it.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    app: String,
    manner: Manner,
    four: bool,
    hides_ended_relations: bool,
    config: BTreeMap<String, Value>,
    settings: Entries,
    relations: BTreeMap<String, Relation>,
    units: BTreeMap<String, Unit>,
}

#[derive(Clone, Debug, Default)]
struct Relation {
    /// The application on the other side; for peers the own one.
    remote_app: String,
    ended: bool,
    /// The units that have entered and do not leave.
    present: BTreeSet<String>,
    /// Bags of units and of applications, without Juju's own keys.
    bags: BTreeMap<String, Entries>,
}

#[derive(Clone, Debug, Default)]
struct Unit {
    installed: bool,
    leaving: bool,
    gone: bool,
    /// The relations that it has entered and whose `-broken` is not done.
    relations: BTreeSet<String>,
    /// The names of what ran, whatever came of it.
    hooks: Vec<String>,
    done: u64,
    /// As last fetched (contract 4.6).
    members: Members,
    /// The hook that runs, or has run and is not ended.
    running: Option<Running>,
}

/// What is to be recorded when the hook ends.
#[derive(Clone, Debug)]
struct Running {
    members: Members,
    wrote: Vec<Write>,
}

/// The members of each relation, with their bags.
type Members = BTreeMap<String, BTreeMap<String, Entries>>;

/// One hook that is compared.
struct Case<'a> {
    name: &'a str,
    hook: &'a Hook,
    unit: &'a Unit,
    members: &'a Members,
    view: &'a View,
    about: String,
}

impl Ledger {
    /// An application with its one peer relation and the configuration of its charm.
    pub(crate) fn new(app: &str, manner: Manner, juju: &str) -> Self {
        let (four, hides_ended_relations) = (juju.starts_with('4'), !juju.starts_with('2'));
        let config = [("word", Value::from("hello")), ("port", Value::from(8080)), ("loud", Value::from(false))];
        let mut ledger = Self {
            app: app.to_owned(),
            manner,
            four,
            hides_ended_relations,
            config: config.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            settings: Entries::new(),
            relations: BTreeMap::new(),
            units: BTreeMap::new(),
        };
        ledger.relate("cluster:0", app);
        ledger
    }

    pub(crate) fn set_config(&mut self, option: &str, value: impl Into<Value>) {
        self.config.insert(option.to_owned(), value.into());
    }

    /// A relation is made; for peers the remote application is the own one. All units that can enter it do.
    pub(crate) fn relate(&mut self, id: &str, remote_app: &str) {
        let units = self.units.iter_mut().filter(|(_, unit)| unit.installed && !unit.leaving);
        let entering = units.map(|(name, unit)| {
            unit.relations.insert(id.to_owned());
            name.clone()
        });
        let relation =
            Relation { remote_app: remote_app.to_owned(), present: entering.collect(), ..Relation::default() };
        self.relations.insert(id.to_owned(), relation);
    }

    /// A relation is removed.
    pub(crate) fn end_relation(&mut self, id: &str) {
        self.relations.get_mut(id).unwrap().ended = true;
    }

    /// A unit begins to leave.
    pub(crate) fn leave(&mut self, name: &str) {
        if let Some(unit) = self.units.get_mut(name) {
            unit.leaving = true;
        }
        for relation in self.relations.values_mut() {
            relation.present.remove(name);
        }
    }

    /// A unit that is data enters a relation.
    pub(crate) fn join(&mut self, relation: &str, unit: &str) {
        self.relations.get_mut(relation).unwrap().present.insert(unit.to_owned());
    }

    /// A write by somebody who is no charm: a peer or a remote unit that is data, or an application. `settings` are the
    /// leader's.
    pub(crate) fn publish(&mut self, relation: &str, whose: &str, entries: &[(&str, &str)]) {
        let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.apply(&Write { relation: relation.to_owned(), whose: whose.to_owned(), entries });
    }

    fn apply(&mut self, write: &Write) {
        let bag = match self.relations.get_mut(&write.relation) {
            Some(relation) => relation.bags.entry(write.whose.clone()).or_default(),
            None => &mut self.settings,
        };
        bag.extend(write.entries.clone());
        bag.retain(|_, value| !value.is_empty());
    }

    /// Whether there are leader settings.
    pub(crate) fn has_settings(&self) -> bool {
        !self.settings.is_empty()
    }

    /// The names of all hooks and actions that a unit has run.
    pub(crate) fn hooks(&self, unit: &str) -> &[String] {
        self.units.get(unit).map_or(&[], |unit| unit.hooks.as_slice())
    }

    /// A hook has begun, and its program has run: compares what the charm saw with what it had to see.
    pub(crate) fn begin(&mut self, name: &str, hook: &Hook, leader: bool, view: &View) {
        let mut unit = self.units.remove(name).unwrap_or_default();
        let members = self.members(&mut unit, hook);
        let about = format!("{hook} on {name}, which has run {:?}", unit.hooks);
        self.compare(&Case { name, hook, unit: &unit, members: &members, view, about }, leader);
        unit.hooks.push(hook.name());
        // Leader settings are written at once, all else only with the hook (contract 2.2).
        let (at_once, wrote): (Vec<Write>, _) = view.wrote.iter().cloned().partition(Write::is_setting);
        unit.running = Some(Running { members, wrote });
        self.units.insert(name.to_owned(), unit);
        for write in &at_once {
            self.apply(write);
        }
    }

    /// The hook is over: what it wrote was applied, or dropped.
    pub(crate) fn end(&mut self, run: &HookRun) {
        let name = run.unit.to_string();
        let unit = self.units.get_mut(&name).unwrap();
        let running = unit.running.take().expect("a hook ends that has begun");
        let done = matches!(run.outcome, Outcome::Done);
        let kept = done || self.manner.keeps_its_state_itself && matches!(run.outcome, Outcome::Refused(_));
        unit.done += u64::from(kept);
        if done {
            self.record(&name, &run.hook, running.members);
            for write in &running.wrote {
                self.apply(write);
            }
        }
    }

    /// `juju resolve --no-retry`: a hook that failed counts as done, without what it buffered (contract 2.2).
    pub(crate) fn resolve(&mut self, run: &HookRun) {
        let name = run.unit.to_string();
        let mut unit = self.units.remove(&name).unwrap();
        let members = self.members(&mut unit, &run.hook);
        self.units.insert(name.clone(), unit);
        self.record(&name, &run.hook, members);
    }

    /// The hook is done: who joined is a member, who departed is none.
    fn record(&mut self, name: &str, hook: &Hook, members: Members) {
        let unit = self.units.get_mut(name).unwrap();
        match hook {
            Hook::Relation(about) => {
                unit.members = members;
                if about.kind == RelationKind::Broken {
                    unit.relations.remove(&about.relation.to_string());
                }
            }
            Hook::Plain(hook) if hook == "install" => {
                unit.installed = true;
                // Contract 3.1: it enters all relations at once.
                for (id, relation) in self.relations.iter_mut().filter(|(_, relation)| !relation.ended) {
                    unit.relations.insert(id.clone());
                    relation.present.insert(name.to_owned());
                }
            }
            Hook::Plain(hook) if hook == "remove" => unit.gone = true,
            _ => {}
        }
    }

    /// Nothing is due any more: every unit has seen who is there, and the latest of what they have published (contract
    /// 4.3).
    pub(crate) fn quiet(&self) {
        for (name, unit) in self.units.iter().filter(|(_, unit)| !unit.gone) {
            for id in &unit.relations {
                let relation = &self.relations[id];
                let there = relation.present.iter().filter(|other| {
                    *other != name && other.split('/').next() == Some(relation.remote_app.as_str()) && !relation.ended
                });
                let expected: BTreeMap<_, _> = there.map(|other| (other.clone(), self.bag(id, other))).collect();
                let seen = unit.members.get(id).cloned().unwrap_or_default();
                assert_eq!(seen, expected, "members of {id} on {name}, which has run {:?}", unit.hooks);
            }
        }
    }

    /// The members that the hook has to see, and their bags. What is fetched anew stays even if the hook fails; who
    /// joined or departed does not (contract 2.1, 4.6).
    fn members(&self, unit: &mut Unit, hook: &Hook) -> Members {
        let mut members = unit.members.clone();
        for id in self.relations.keys() {
            members.entry(id.clone()).or_default();
        }
        if let Hook::Relation(about) = hook
            && let Some(remote) = about.unit.as_ref().map(ToString::to_string)
        {
            let id = about.relation.to_string();
            let found = members.get_mut(&id).unwrap();
            let relation = &self.relations[&id];
            let there = relation.present.contains(&remote) && !relation.ended && !unit.leaving;
            if about.kind == RelationKind::Departed {
                assert!(!there, "{hook}: {remote} does not leave");
                found.remove(&remote).unwrap_or_else(|| panic!("{hook}: {remote} was no member"));
            } else {
                let bag = self.bag(&id, &remote);
                if let Some(kept) = unit.members.get_mut(&id).and_then(|members| members.get_mut(&remote)) {
                    kept.clone_from(&bag);
                }
                let known = found.insert(remote.clone(), bag).is_some();
                assert!(there || known, "{hook}: {remote} is not there");
                assert_eq!(known, about.kind == RelationKind::Changed, "{hook}: whether {remote} was a member");
            }
        }
        members
    }

    fn bag(&self, relation: &str, whose: &str) -> Entries {
        self.relations[relation].bags.get(whose).cloned().unwrap_or_default()
    }

    fn compare(&self, case: &Case<'_>, leader: bool) {
        let Case { unit, view, about, .. } = case;
        self.compare_identity(case);
        assert_eq!(view.leader, leader, "leadership in {about}");
        assert_eq!(view.config, self.config, "configuration in {about}");
        assert_eq!(view.done, unit.done, "number of hooks by the charm's state in {about}");
        let settings = (self.manner.has_leader_settings && !self.four).then_some(&self.settings);
        assert_eq!(view.settings.as_ref(), settings, "leader settings in {about}");
        let listed: Vec<&String> = self.relations.keys().filter(|id| self.lists(case, id)).collect();
        assert_eq!(view.relations.keys().collect::<Vec<_>>(), listed, "relation-ids in {about}");
        for (id, seen) in &view.relations {
            self.compare_relation(case, id, seen);
        }
        self.compare_remote_bag(case);
    }

    /// The hook that the charm says it ran is the one that the simulated Juju says it ran.
    fn compare_identity(&self, case: &Case<'_>) {
        let Case { name, hook, unit, view, about, .. } = case;
        let mut expected = ["", "", "", ""].map(str::to_owned);
        if let Hook::Relation(hook) = hook {
            let id = hook.relation.to_string();
            let remote = hook.unit.as_ref().map(ToString::to_string).unwrap_or_default();
            let app = self.relations[&id].remote_app.clone();
            // Contract 5.1: whoever leaves, for the unit that leaves itself.
            let departing = match hook.kind {
                RelationKind::Departed if unit.leaving => (*name).to_owned(),
                RelationKind::Departed => remote.clone(),
                _ => String::new(),
            };
            expected = [id, remote, app, departing];
        }
        let seen = [&view.relation, &view.remote_unit, &view.remote_app, &view.departing_unit];
        assert_eq!((view.hook.as_str(), view.unit.as_str()), (hook.name().as_str(), *name), "{about}");
        assert_eq!(seen, expected.each_ref(), "relation, remote unit, remote application, departing unit in {about}");
    }

    /// Contract 3.1 and 9.4: no relation before `install` is done; from 3.4.4 on none that is ending once it has no
    /// members.
    fn lists(&self, case: &Case<'_>, id: &str) -> bool {
        let members = case.unit.members.get(id);
        let over = self.relations[id].ended && members.is_none_or(BTreeMap::is_empty);
        let own_broken = case.view.relation == id && case.view.hook.ends_with("-broken");
        let hidden = over && self.hides_ended_relations || own_broken && !self.manner.shows_broken_relations;
        case.unit.relations.contains(id) && !hidden
    }

    fn compare_relation(&self, case: &Case<'_>, id: &str, seen: &Seen) {
        let about = format!("of {id} in {}", case.about);
        let relation = &self.relations[id];
        let bag = |(unit, bag): (&String, &Entries)| (unit.clone(), self.without_jujus_keys(bag, &about));
        assert_eq!(seen.members.iter().map(bag).collect::<BTreeMap<_, _>>(), case.members[id], "members {about}");
        let own = self.without_jujus_keys(&seen.own, &about);
        assert_eq!(own, self.bag(id, case.name), "own bag {about}");
        let may_read = relation.remote_app == self.app || case.view.leader;
        match &seen.app {
            Some(app) => {
                assert!(may_read || self.four, "who may read the application's bag {about}");
                assert_eq!(app, &self.bag(id, &self.app), "application's bag {about}");
            }
            None => assert!(!may_read, "the application's bag {about}"),
        }
        if let Some(remote) = &seen.remote_app {
            assert_eq!(remote, &self.bag(id, &relation.remote_app), "remote application's bag {about}");
        }
    }

    fn compare_remote_bag(&self, case: &Case<'_>) {
        let (view, about) = (case.view, &case.about);
        let seen = view.remote_bag.as_ref().map(|bag| self.without_jujus_keys(bag, about));
        let departed_peer = view.hook.ends_with("-departed") && view.remote_app == self.app;
        let shown = !view.remote_unit.is_empty() && (!departed_peer || self.manner.shows_departed_peers);
        let expected = shown.then(|| match case.members[&view.relation].get(&view.remote_unit) {
            Some(bag) => bag.clone(),
            None => self.bag(&view.relation, &view.remote_unit),
        });
        assert_eq!(seen, expected, "bag of the remote unit in {about}");
    }

    /// Takes Juju's own keys from a unit's bag, in which they have to be.
    fn without_jujus_keys(&self, bag: &Entries, about: &str) -> Entries {
        let mut rest = bag.clone();
        for key in JUJU_KEYS {
            let there = rest.remove(key).is_some();
            assert_eq!(there, !(self.four && key == "private-address"), "`{key}` in a unit's bag {about}: {bag:?}");
        }
        rest
    }
}
