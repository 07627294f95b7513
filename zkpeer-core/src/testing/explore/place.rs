//! Where everything stands when all is quiet: what has to be the same whatever the order was.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::difference::{self, Difference, NOT_THERE};
use crate::confirm;
use crate::juju::UnitName;
use crate::testing::apart::short;
use crate::testing::model::Model;
use crate::testing::shared::sum_of;

/// What has come of one unit or application.
type Parts = BTreeMap<Name, Part>;

/// What a part of it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Name {
    Status,
    Flags,
    OpenPorts,
    /// Of a relation.
    Data(String),
    LeaderSettings,
    /// Of this number, from 1, and this type.
    Fake(usize, &'static str),
    Files,
    Stored,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => f.write_str("status"),
            Self::Flags => f.write_str("flags"),
            Self::OpenPorts => f.write_str("open ports"),
            Self::Data(relation) => write!(f, "data in {relation}"),
            Self::LeaderSettings => f.write_str("leader settings"),
            Self::Fake(number, name) => write!(f, "fake {number} `{name}`"),
            Self::Files => f.write_str("files"),
            Self::Stored => f.write_str("stored"),
        }
    }
}

/// What is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Each for itself, some with a value: `key=value` or `key: value`.
    Lines(Vec<String>),
    Text(String),
}

/// What has come of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places(BTreeMap<String, Parts>);

impl Places {
    /// Without the units that are leaving.
    pub(crate) fn of(model: &Model) -> Self {
        Self::of_these(model, model.staying().map(|(unit, _)| unit))
    }

    /// All of it, with what is stored.
    pub(crate) fn of_all(model: &Model) -> Self {
        Self::of_these(model, model.controller.units.keys()).with_what_is_stored(model)
    }

    fn of_these<'m>(model: &'m Model, units: impl Iterator<Item = &'m UnitName>) -> Self {
        let units = units.map(|unit| (unit.to_string(), of_unit(model, unit)));
        let applications = model.applications().into_iter().map(|name| (name.to_owned(), of_application(model, name)));
        Self(units.chain(applications).collect())
    }

    /// And all that units have stored, but for what only tells of Juju's last commit.
    pub(crate) fn with_what_is_stored(mut self, model: &Model) -> Self {
        for (unit, machine) in &model.machines {
            let Some(parts) = self.0.get_mut(unit.as_str()) else { continue };
            let entries = machine.memory().store().into_iter().flat_map(|store| store.range(""));
            let entries = entries.filter(|(key, _)| *key != confirm::UNCONFIRMED);
            parts.insert(Name::Stored, Part::Lines(entries.map(|(key, text)| format!("{key}: {text}")).collect()));
        }
        self
    }

    /// What is there afterwards and was not before, or the other way round, or is other.
    pub(crate) fn differences(&self, after: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        let both: BTreeSet<&String> = self.0.keys().chain(after.0.keys()).collect();
        for whose in both {
            match (self.0.get(whose), after.0.get(whose)) {
                (Some(before), Some(after)) if before != after => {
                    difference::of_parts(whose, before, after, &mut found)
                }
                (Some(_), None) => found.push(Difference::whole(whose, "there", NOT_THERE)),
                (None, Some(_)) => found.push(Difference::whole(whose, NOT_THERE, "there")),
                _ => {}
            }
        }
        found
    }
}

fn of_unit(model: &Model, unit: &UnitName) -> Parts {
    let name = unit.as_str();
    let status = model.status(name);
    let mut parts = Parts::from([
        (Name::Status, Part::Text(format!("{} {}", status.status, status.message))),
        (Name::Flags, Part::Lines(own_flags(model, name))),
        (Name::OpenPorts, Part::Lines(model.ports(name))),
    ]);
    for relation in model.relations(unit.application()) {
        parts.insert(Name::Data(relation.to_string()), entries(model.unit_data(relation.number, name)));
    }
    if let Some(machine) = model.machines.get(unit) {
        for (number, (name, state)) in machine.world().lines().into_iter().enumerate() {
            parts.insert(Name::Fake(number + 1, name), Part::Text(state));
        }
        parts.insert(Name::Files, Part::Lines(machine.file_lines()));
    }
    parts
}

fn own_flags(model: &Model, unit: &str) -> Vec<String> {
    model.flags(unit).into_iter().filter(|flag| !is_automatic(flag)).collect()
}

fn entries(entries: BTreeMap<String, String>) -> Part {
    Part::Lines(entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect())
}

/// Units with their statuses and flags, a line each: for a property that does not say why it does not hold.
pub(super) fn overview(model: &Model) -> String {
    let line = |unit: &UnitName| {
        let status = model.status(unit.as_str());
        let leads = if model.controller.is_leader(unit) { " (leader)" } else { "" };
        let flags = own_flags(model, unit.as_str()).join(", ");
        let flags = if flags.is_empty() { "no flags".to_owned() } else { format!("flags {flags}") };
        let said = format!("{} {}", status.status, status.message);
        format!("\n  {unit}{leads}: `{}`; {}", short(said.trim_end()), short(&flags))
    };
    model.units().iter().map(line).collect()
}

/// Those flags follow what Juju says, each time in the next hook: they are as old as the unit's last one.
fn is_automatic(flag: &str) -> bool {
    ["leadership.", "config.", "upgrade."].iter().any(|prefix| flag.starts_with(prefix))
}

fn of_application(model: &Model, name: &str) -> Parts {
    let mut parts = Parts::from([(Name::LeaderSettings, entries(model.leader_settings(name)))]);
    for relation in model.relations(name) {
        parts.insert(Name::Data(relation.to_string()), entries(model.app_data(relation.number, name)));
    }
    if let Some(status) = model.app_status(name) {
        parts.insert(Name::Status, Part::Text(format!("{} {}", status.status, status.message)));
    }
    parts
}

/// What has to be the same for two ends to be compared: who there is, who leads, how everything is configured.
pub(crate) fn circumstances(model: &Model) -> u128 {
    let units: Vec<&UnitName> = model.staying().map(|(unit, _)| unit).collect();
    let applications: Vec<_> = model
        .controller
        .applications
        .iter()
        .map(|(name, application)| (name, &application.leader, &application.config, application.revision))
        .collect();
    let addresses: Vec<_> = model.staying().map(|(_, unit)| &unit.address).collect();
    sum_of(&(units, applications, addresses))
}

/// Why the unit is stuck, if it is: it does not say that it is active, and not why it is not.
pub(crate) fn stuck(model: &Model) -> Option<String> {
    for (unit, _) in model.staying() {
        if let Some(hook) = model.failed(unit.as_str()) {
            return Some(format!("{hook} has failed on {unit}, and nobody retries it"));
        }
        let says_something = model.agents.get(unit).is_some_and(|agent| agent.status_set);
        let status = model.status(unit.as_str());
        let is_reason = matches!(status.status.as_str(), "blocked" | "waiting") && !status.message.is_empty();
        if says_something && status.status != "active" && !is_reason {
            let without = match status.status.as_str() {
                "blocked" | "waiting" if status.message.is_empty() => " without a message that says for what",
                _ => "",
            };
            let shown = format!("{} {}", status.status, status.message);
            return Some(format!("{unit} stays in `{}`{without}, and nothing is due", shown.trim_end()));
        }
    }
    let leaving = model.controller.units.iter().find(|(_, unit)| unit.dying);
    leaving.map(|(unit, _)| format!("{unit} is leaving, and never gone"))
}
