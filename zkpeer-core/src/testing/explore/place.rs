//! Where everything stands when all is quiet: what has to be the same whatever the order was.

use std::collections::BTreeMap;

use crate::confirm;
use crate::juju::UnitName;
use crate::testing::model::Model;
use crate::testing::shared::sum_of;

/// What has come of one unit or application: parts by name, each as lines of text.
type Parts = BTreeMap<String, Vec<String>>;

/// What has come of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Places(BTreeMap<String, Parts>);

impl Places {
    pub(crate) fn of(model: &Model) -> Self {
        let units = model.staying().map(|(unit, _)| (unit.to_string(), of_unit(model, unit)));
        let applications = model.applications().into_iter().map(|name| (name.to_owned(), of_application(model, name)));
        Self(units.chain(applications).collect())
    }

    /// And all that units have stored, but for what only tells of Juju's last commit.
    pub(crate) fn with_what_is_stored(mut self, model: &Model) -> Self {
        for (unit, machine) in &model.machines {
            let Some(parts) = self.0.get_mut(unit.as_str()) else { continue };
            let entries = machine.memory().store().into_iter().flat_map(|store| store.range(""));
            let entries = entries.filter(|(key, _)| *key != confirm::UNCONFIRMED);
            parts.insert("stored".to_owned(), entries.map(|(key, text)| format!("{key}: {text}")).collect());
        }
        self
    }

    /// What is there and is other than in `other`, line by line; nothing if both are the same.
    pub(crate) fn differs_from(&self, other: &Self, (here, there): (&str, &str)) -> Option<String> {
        if self == other {
            return None;
        }
        let mut told = String::new();
        let none = Parts::new();
        for (whose, parts) in &self.0 {
            let others = other.0.get(whose).unwrap_or(&none);
            for (part, lines) in parts.iter().filter(|(part, lines)| others.get(*part) != Some(*lines)) {
                let of_other = others.get(part).map_or(&[][..], Vec::as_slice);
                told.push_str(&format!("\n  {part} of {whose}:"));
                let only = |told: &mut String, lines: &[String], others: &[String], whose: &str| {
                    let own: Vec<&str> =
                        lines.iter().filter(|line| !others.contains(line)).map(String::as_str).collect();
                    if !own.is_empty() {
                        told.push_str(&format!("\n    {whose}: {}", own.join("\n      ")));
                    }
                };
                only(&mut told, lines, of_other, here);
                only(&mut told, of_other, lines, there);
                if told.ends_with(&format!("{part} of {whose}:")) {
                    // The same lines, in another order or number.
                    told.push_str(&format!("\n    {here}: {}\n    {there}: {}", lines.join(" "), of_other.join(" ")));
                }
            }
        }
        Some(told)
    }
}

fn of_unit(model: &Model, unit: &UnitName) -> Parts {
    let name = unit.as_str();
    let mut parts = Parts::new();
    let flags = model.flags(name).into_iter().filter(|flag| !is_automatic(flag)).collect();
    parts.insert("flags".to_owned(), flags);
    let status = model.status(name);
    parts.insert("status".to_owned(), vec![format!("{} {}", status.status, status.message)]);
    parts.insert("open ports".to_owned(), model.ports(name));
    for relation in model.relations(unit.application()) {
        let entries = model.unit_data(relation.number, name);
        let entries = entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        parts.insert(format!("data in {relation}"), entries);
    }
    if let Some(machine) = model.machines.get(unit) {
        for (number, (name, state)) in machine.world().texts().into_iter().enumerate() {
            let lines = state.lines().map(|line| line.trim().to_owned()).collect();
            parts.insert(format!("fake {} `{name}`", number + 1), lines);
        }
        parts.insert("files".to_owned(), machine.file_lines());
    }
    parts
}

/// Those flags follow what Juju says, each time in the next hook: they are as old as the unit's last one.
fn is_automatic(flag: &str) -> bool {
    ["leadership.", "config.", "upgrade."].iter().any(|prefix| flag.starts_with(prefix))
}

fn of_application(model: &Model, name: &str) -> Parts {
    let mut parts = Parts::new();
    let lines = |entries: BTreeMap<String, String>| {
        entries.into_iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    parts.insert("leader settings".to_owned(), lines(model.leader_settings(name)));
    for relation in model.relations(name) {
        parts.insert(format!("data in {relation}"), lines(model.app_data(relation.number, name)));
    }
    let status = model.app_status(name).map(|status| format!("{} {}", status.status, status.message));
    parts.insert("status".to_owned(), status.into_iter().collect());
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
            return Some(format!("{unit} stays in `{} {}`, and nothing is due", status.status, status.message));
        }
    }
    let leaving = model.controller.units.iter().find(|(_, unit)| unit.dying);
    leaving.map(|(unit, _)| format!("{unit} is leaving, and never gone"))
}
