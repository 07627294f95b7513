//! What a charm has recorded in its own directory: a line for each hook, and one for each thing that it wrote.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;
use zkpeer_core::testing::Entries;

/// What a charm saw in one hook before it did anything, and what it wrote then.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct View {
    pub(crate) hook: String,
    pub(crate) unit: String,
    /// The relation's id; empty where there is none, as all that follow.
    pub(crate) relation: String,
    pub(crate) remote_unit: String,
    pub(crate) remote_app: String,
    pub(crate) departing_unit: String,
    /// The bag of the remote unit.
    pub(crate) remote_bag: Option<Entries>,
    pub(crate) leader: bool,
    pub(crate) relations: BTreeMap<String, Seen>,
    /// Every option that has a value.
    pub(crate) config: BTreeMap<String, Value>,
    /// The leader settings, if the framework and Juju have any.
    pub(crate) settings: Option<Entries>,
    /// How many hooks and actions have succeeded, by what the charm has stored.
    pub(crate) done: u64,
    pub(crate) wrote: Vec<Write>,
}

/// A relation as a charm saw it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) members: BTreeMap<String, Entries>,
    pub(crate) own: Entries,
    /// The own application's bag; none if this unit may not read it.
    pub(crate) app: Option<Entries>,
    /// The other application's bag; none in a peer relation, or if the framework does not show it.
    pub(crate) remote_app: Option<Entries>,
}

/// What a charm wrote, whether or not it was applied.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Write {
    /// The relation's id, or `settings`.
    pub(crate) relation: String,
    /// The unit or the application.
    pub(crate) whose: String,
    pub(crate) entries: Entries,
}

impl Write {
    /// Whether it went to the leader settings.
    pub(crate) fn is_setting(&self) -> bool {
        self.relation == "settings"
    }
}

/// The one hook that is recorded after so many others.
pub(crate) fn next(charm_dir: &Path, before: usize) -> View {
    let mut views = read(charm_dir);
    assert_eq!(views.len(), before + 1, "hooks that the charm has recorded in {}", charm_dir.display());
    views.remove(before)
}

/// All hooks that are recorded in a charm's directory.
pub(crate) fn read(charm_dir: &Path) -> Vec<View> {
    let Ok(text) = fs::read_to_string(charm_dir.join("view.jsonl")) else { return Vec::new() };
    let mut views: Vec<View> = Vec::new();
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        match line.get("wrote") {
            Some(_) => views.last_mut().expect("a hook comes before what it wrote").wrote.push(write(&line)),
            None => views.push(view(&line)),
        }
    }
    views
}

fn view(line: &Value) -> View {
    let relations = line["relations"].as_object().unwrap();
    let config = line["config"].as_object().unwrap();
    View {
        hook: text(&line["hook"]),
        unit: text(&line["unit"]),
        relation: text(&line["relation"]),
        remote_unit: text(&line["remote_unit"]),
        remote_app: text(&line["remote_app"]),
        departing_unit: text(&line["departing_unit"]),
        remote_bag: entries(&line["remote_bag"]),
        leader: line["leader"].as_bool().unwrap(),
        relations: relations.iter().map(|(id, relation)| (id.clone(), seen(relation))).collect(),
        config: config.iter().filter(|(_, value)| !value.is_null()).map(|(k, v)| (k.clone(), v.clone())).collect(),
        settings: entries(&line["settings"]),
        done: line["done"].as_u64().unwrap(),
        wrote: Vec::new(),
    }
}

fn seen(relation: &Value) -> Seen {
    let members = relation["members"].as_object().unwrap();
    Seen {
        members: members.iter().map(|(unit, bag)| (unit.clone(), entries(bag).unwrap())).collect(),
        own: entries(&relation["own"]).unwrap(),
        app: entries(&relation["app"]),
        remote_app: entries(&relation["remote_app"]),
    }
}

fn write(line: &Value) -> Write {
    Write { relation: text(&line["wrote"]), whose: text(&line["whose"]), entries: entries(&line["entries"]).unwrap() }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}

fn entries(value: &Value) -> Option<Entries> {
    value.as_object().map(|map| map.iter().map(|(key, value)| (key.clone(), text(value))).collect())
}
