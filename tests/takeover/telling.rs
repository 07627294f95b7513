//! A story while it is told: what runs, which handlers ran, and what is left.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use zkpeer_core::testing::{Event, HookRun, Model, Outcome, Step};

use crate::charm::{APP, Charm, Language, client, vault};

/// What charms.reactive notes for the hook that runs, and what is Rust's alone.
const NOT_SHARED: [&str; 4] = ["reactive.dispatch.", "reactive.state_watch", "zkpeer.", "reactive.invoked.keeper::"];

/// A hook that has ended well, with the handlers that ran in it, sorted: charms.reactive has no order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) hook: String,
    pub(crate) calls: Vec<String>,
}

/// What the next charm finds of a unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Left {
    pub(crate) stored: BTreeMap<String, Value>,
    pub(crate) config: Value,
    pub(crate) published: Vec<String>,
}

/// All that is to be the same in every telling.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    pub(crate) hooks: Vec<Told>,
    /// At the end of each chapter.
    pub(crate) left: Vec<BTreeMap<String, Left>>,
    pub(crate) settings: Vec<String>,
}

impl Record {
    /// # Panics
    ///
    /// If it differs, with the first place where it does.
    #[track_caller]
    pub(crate) fn assert_same(&self, other: &Self, what: &str) {
        for (number, (one, other)) in self.hooks.iter().zip(&other.hooks).enumerate() {
            assert_eq!(one, other, "{what}: hook {number}, after {:#?}", &self.hooks[number.saturating_sub(2)..number]);
        }
        assert_eq!(self.hooks.len(), other.hooks.len(), "{what}: so many hooks");
        for (chapter, (one, other)) in self.left.iter().zip(&other.left).enumerate() {
            for (unit, one) in one {
                let other = &other[unit];
                for key in one.stored.keys().chain(other.stored.keys()) {
                    assert_eq!(
                        one.stored.get(key),
                        other.stored.get(key),
                        "{what}: `{key}` of {unit} after chapter {chapter}"
                    );
                }
                assert_eq!(one, other, "{what}: {unit} after chapter {chapter}");
            }
        }
        assert_eq!(self, other, "{what}");
    }
}

pub(crate) struct Telling {
    pub(crate) model: Model,
    pub(crate) charm: Charm,
    pub(crate) record: Record,
    /// The calls of hooks that have not ended well.
    pub(crate) not_kept: Vec<Vec<String>>,
    /// So many bytes of each unit's calls have been read.
    read: BTreeMap<String, usize>,
}

impl Telling {
    /// Nothing is deployed but the other applications.
    pub(crate) fn new() -> Self {
        let mut model = Model::new();
        tests::python::prepare(&mut model);
        model.deploy(client().units(0)).unwrap();
        model.deploy(vault().units(0)).unwrap();
        Self { model, charm: Charm::new(), record: Record::default(), not_kept: Vec::new(), read: BTreeMap::new() }
    }

    pub(crate) fn deploy(&mut self, language: Language, units: u64) {
        self.model.deploy(self.charm.application(language).units(units)).unwrap();
    }

    pub(crate) fn refresh(&mut self, language: Language) {
        self.model.refresh(APP, self.charm.application(language)).unwrap();
    }

    pub(crate) fn refresh_by_force(&mut self, language: Language) {
        self.model.refresh_by_force(APP, self.charm.application(language)).unwrap();
    }

    pub(crate) fn units(&self) -> Vec<String> {
        let units = self.model.units().into_iter().filter(|unit| unit.application() == APP);
        units.map(|unit| unit.to_string()).collect()
    }

    pub(crate) fn dir(&self, unit: &str) -> &Path {
        self.model.charm_dir(unit).unwrap()
    }

    /// Writes a file into each unit's directory.
    pub(crate) fn write(&self, name: &str, text: &str) {
        for unit in self.units() {
            fs::write(self.dir(&unit).join(name), text).unwrap();
        }
    }

    pub(crate) fn remove(&self, name: &str) {
        for unit in self.units() {
            fs::remove_file(self.dir(&unit).join(name)).unwrap();
        }
    }

    pub(crate) fn update_status(&mut self) {
        for unit in self.units() {
            self.model.update_status(&unit).unwrap();
        }
    }

    /// Lets everything happen that is due; every hook ends well.
    pub(crate) fn settle(&mut self) {
        while let Some(run) = self.go_on() {
            assert_eq!(run.outcome, Outcome::Done, "{run} of {}:\n{}", run.unit, run.stderr);
        }
    }

    /// The same up to so many hooks.
    pub(crate) fn settle_some(&mut self, hooks: usize) {
        for _ in 0..hooks {
            let Some(run) = self.go_on() else { return };
            assert_eq!(run.outcome, Outcome::Done, "{run} of {}:\n{}", run.unit, run.stderr);
        }
    }

    /// To the end of the next hook of the charm; none if nothing is due.
    pub(crate) fn go_on(&mut self) -> Option<HookRun> {
        while let Some(step) = self.model.steps().into_iter().next() {
            if let Some(run) = self.take(&step) {
                return Some(run);
            }
        }
        None
    }

    /// Takes a step; the hook of the charm that it ends.
    pub(crate) fn take(&mut self, step: &Step) -> Option<HookRun> {
        let event = self.model.take(step).unwrap();
        self.model.check().unwrap();
        let Event::Ended(run) = event else { return None };
        if run.unit.application() != APP {
            assert_eq!(run.outcome, Outcome::Done, "{run} of {}:\n{}", run.unit, run.stderr);
            return None;
        }
        self.note(&run);
        Some(*run)
    }

    /// Notes the calls of a hook.
    fn note(&mut self, run: &HookRun) {
        let unit = run.unit.as_str();
        let text = fs::read_to_string(self.dir(unit).join("calls")).unwrap_or_default();
        let read = self.read.entry(unit.to_owned()).or_default();
        let mut calls: Vec<String> = text[*read..].lines().map(str::to_owned).map(spaced).collect();
        *read = text.len();
        calls.sort();
        if run.outcome == Outcome::Done {
            self.record.hooks.push(Told { hook: format!("{unit} {run}"), calls });
        } else {
            self.not_kept.push(calls);
        }
    }

    /// Notes what is left of all units.
    pub(crate) fn end_chapter(&mut self) {
        let left = self.units().iter().map(|unit| (unit.clone(), self.left_by(unit))).collect();
        self.record.left.push(left);
        self.record.settings.push(format!("{:?}", self.model.leader_settings(APP)));
    }

    pub(crate) fn left_by(&self, unit: &str) -> Left {
        let dir = self.dir(unit);
        let text = |text: &str| text.replace(&dir.display().to_string(), "CHARM");
        let all = tests::stored(dir);
        // charms.reactive leaves the values of a conversation that is over.
        let is_over = |key: &str| key.split_once(".local-data.").is_some_and(|(owner, _)| !all.contains_key(owner));
        let is_shared = |key: &str| !NOT_SHARED.iter().any(|not| key.starts_with(not)) && !is_over(key);
        let stored = all.iter().filter(|(key, _)| is_shared(key));
        let config = fs::read_to_string(dir.join(".juju-persistent-config")).unwrap();
        let relations = self.model.relations(APP);
        let published =
            relations.iter().map(|relation| format!("{relation} {:?}", self.model.unit_data(relation.number, unit)));
        Left {
            stored: stored.map(|(key, value)| (text(key), serde_json::from_str(value).unwrap())).collect(),
            config: serde_json::from_str(&config).unwrap(),
            published: published.collect(),
        }
    }

    /// How often a handler has run, in all hooks that have ended well, on all units.
    pub(crate) fn count(&self, handler: &str) -> usize {
        let calls = self.record.hooks.iter().flat_map(|told| &told.calls);
        calls.filter(|call| call.starts_with(&format!("[\"{handler}\","))).count()
    }
}

/// Both languages write the same JSON, with other spaces.
fn spaced(call: String) -> String {
    serde_json::from_str::<Value>(&call).unwrap().to_string()
}
