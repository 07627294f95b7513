//! What a story expects, compared with what is there.

use std::collections::{BTreeMap, BTreeSet};

use super::Player;
use crate::juju::UnitName;
use crate::testing::controller::{Entries, Status};
use crate::testing::model::Model;
use crate::testing::outcome::ActionReport;
use crate::testing::story::{EndpointName, Expectation, ExpectedLeader, Remote, Units};
use crate::testing::value::Value;

impl Player {
    /// All that is not as expected; an error if what is named is not there at all.
    pub(super) fn expect(&mut self, expectation: &Expectation) -> Result<Vec<String>, String> {
        let mut wrong = Vec::new();
        match expectation {
            Expectation::Unit { unit, status, message, flags, not_flags, leader } => {
                self.model.unit_name(unit.as_str()).map_err(|error| error.to_string())?;
                let found = self.model.status(unit.as_str());
                check_status(unit.as_str(), &found, status.as_ref(), message.as_ref(), &mut wrong);
                check_flags(&self.model, unit, flags, not_flags, &mut wrong);
                check_leading(&self.model, unit, *leader, &mut wrong);
                if status.as_deref() == Some("error")
                    && let Some(hook) = self.model.failed(unit.as_str())
                {
                    self.memory.expected_failures.insert(unit.clone(), hook.clone());
                }
            }
            Expectation::Application { application, units, leader, status, message } => {
                // One that was removed with its last unit has none.
                if units != &Some(Units::Count(0)) {
                    self.model.deployed(application).map_err(|error| error.to_string())?;
                }
                check_units(&self.model, application, units.as_ref(), &mut wrong);
                check_leader(&self.model, application, leader.as_ref(), &mut wrong);
                let found = self.model.controller.applications.get(application);
                let found = found.and_then(|application| application.status.clone()).unwrap_or_default();
                check_status(application, &found, status.as_ref(), message.as_ref(), &mut wrong);
            }
            Expectation::Relation { relation, with, owner, data, members } => {
                let number = relation_number(&self.model, relation, with.as_ref())?;
                match owner {
                    Remote::Unit(unit) => drop(self.model.known_unit(unit.as_str())?),
                    Remote::Application(name) => self.model.known_application(name)?,
                }
                let (name, bag) = match owner {
                    Remote::Unit(unit) => (unit.to_string(), self.model.unit_data(number, unit.as_str())),
                    Remote::Application(name) => (name.clone(), self.model.app_data(number, name)),
                };
                check_data(&name, relation, data, &bag, &mut wrong);
                if let (Remote::Unit(unit), Some(members)) = (owner, members) {
                    check_members(&self.model, number, unit, members, &mut wrong);
                }
            }
            Expectation::Action { unit, name, completed, message, results } => {
                let Some((id, _)) = self.memory.actions.get(&(unit.clone(), name.clone())) else {
                    return Err(format!("no step before this runs action {name} on {unit}"));
                };
                let Some(report) = self.model.action(*id) else {
                    return Err(format!("action {name} has not run on {unit}; write `settle` before this"));
                };
                self.memory.expected_actions.insert(*id);
                check_action(report, *completed, message.as_ref(), results, &mut wrong);
            }
        }
        Ok(wrong)
    }
}

fn check_status(
    name: &str,
    found: &Status,
    status: Option<&String>,
    message: Option<&String>,
    wrong: &mut Vec<String>,
) {
    for (what, found, expected) in [("status", &found.status, status), ("message", &found.message, message)] {
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            wrong.push(format!("the {what} of {name} is `{found}`, not `{expected}`"));
        }
    }
}

fn check_flags(
    model: &Model,
    unit: &UnitName,
    flags: &BTreeSet<String>,
    not_flags: &BTreeSet<String>,
    wrong: &mut Vec<String>,
) {
    if flags.is_empty() && not_flags.is_empty() {
        return;
    }
    let set = model.flags(unit.as_str());
    for flag in flags.iter().filter(|flag| !set.contains(flag)) {
        let set = if set.is_empty() { "none are".to_owned() } else { format!("set are {}", set.join(", ")) };
        wrong.push(format!("flag `{flag}` is not set on {unit}; {set}"));
    }
    for flag in not_flags.iter().filter(|flag| set.contains(flag)) {
        wrong.push(format!("flag `{flag}` is set on {unit}"));
    }
}

fn check_leading(model: &Model, unit: &UnitName, expected: Option<bool>, wrong: &mut Vec<String>) {
    let leader = model.leader(unit.application());
    let leads = leader == Some(unit);
    match expected {
        Some(true) if !leads => wrong.push(format!("{unit} is not leader; {}", leads_or_nobody(leader))),
        Some(false) if leads => wrong.push(format!("{unit} is leader")),
        _ => {}
    }
}

fn leads_or_nobody(leader: Option<&UnitName>) -> String {
    leader.map_or_else(|| "nobody is".to_owned(), |leader| format!("{leader} is"))
}

fn check_units(model: &Model, application: &str, units: Option<&Units>, wrong: &mut Vec<String>) {
    let found: Vec<UnitName> = model.units().into_iter().filter(|unit| unit.application() == application).collect();
    let (fits, expected) = match units {
        Some(Units::Count(count)) => (u32::try_from(found.len()) == Ok(*count), count.to_string()),
        Some(Units::Named(named)) => (found.iter().eq(named), listed(named)),
        None => return,
    };
    if !fits {
        wrong.push(format!("application {application} has {}, not {expected}", listed(&found)));
    }
}

fn check_leader(model: &Model, application: &str, expected: Option<&ExpectedLeader>, wrong: &mut Vec<String>) {
    let leader = model.controller.applications.get(application).and_then(|application| application.leader.as_ref());
    match (expected, leader) {
        (Some(ExpectedLeader::Nobody), Some(leader)) => wrong.push(format!("{leader} leads {application}, not nobody")),
        (Some(ExpectedLeader::Unit(unit)), leader) if leader != Some(unit) => {
            wrong.push(format!("{unit} does not lead {application}; {}", leads_or_nobody(leader)));
        }
        _ => {}
    }
}

/// The relation that is meant: of the endpoint, or of both sides, and not yet ending if there is such a one.
fn relation_number(model: &Model, relation: &EndpointName, with: Option<&EndpointName>) -> Result<u32, String> {
    let side = |name: &EndpointName| (name.application.clone(), name.endpoint.clone());
    let wanted: Vec<_> = [Some(relation), with].into_iter().flatten().map(side).collect();
    let has_all = |sides: &[(String, String)]| wanted.iter().all(|side| sides.contains(side));
    let fits: Vec<_> = model.controller.relations.iter().filter(|(_, found)| has_all(&found.sides)).collect();
    let alive: Vec<_> = fits.iter().filter(|(_, found)| !found.dying).collect();
    match (alive.as_slice(), fits.last()) {
        ([(number, _)], _) | ([], Some((number, _))) => Ok(**number),
        ([], None) => {
            let with = with.map(|with| format!(" with {with}")).unwrap_or_default();
            Err(format!("{relation} has no relation{with}"))
        }
        ([(_, first), ..], _) => {
            let sides: Vec<String> = first.sides.iter().map(|(app, endpoint)| format!("{app}:{endpoint}")).collect();
            let count = alive.len();
            Err(format!("{relation} has {count} relations; name both sides, as in `relation: [{}]`", sides.join(", ")))
        }
    }
}

fn check_data(
    name: &str,
    relation: &EndpointName,
    data: &BTreeMap<String, Option<String>>,
    bag: &Entries,
    wrong: &mut Vec<String>,
) {
    for (key, expected) in data {
        match (bag.get(key), expected) {
            (Some(found), Some(expected)) if found != expected => {
                wrong.push(format!("`{key}` of {name} in {relation} is `{found}`, not `{expected}`"));
            }
            (None, Some(expected)) => {
                let keys = if bag.is_empty() { "nothing".to_owned() } else { listed(bag.keys()) };
                wrong.push(format!("{name} has no `{key}` in {relation}, expected `{expected}`; it has {keys}"));
            }
            (Some(found), None) => wrong.push(format!("`{key}` of {name} in {relation} is `{found}`, not missing")),
            _ => {}
        }
    }
}

fn check_members(model: &Model, number: u32, unit: &UnitName, expected: &BTreeSet<UnitName>, wrong: &mut Vec<String>) {
    let relation = model.agents.get(unit).and_then(|agent| agent.relations.get(&number));
    let found: Vec<&UnitName> = relation.map(|relation| relation.members.keys().collect()).unwrap_or_default();
    if !found.iter().copied().eq(expected) {
        wrong.push(format!("{unit} has the members {}, not {}", listed(&found), listed(expected)));
    }
}

fn check_action(
    report: &ActionReport,
    completed: Option<bool>,
    message: Option<&String>,
    results: &BTreeMap<String, Value>,
    wrong: &mut Vec<String>,
) {
    let action = format!("action {} on {}", report.run.hook.name(), report.run.unit);
    match completed {
        Some(true) if !report.completed => wrong.push(format!("{action} failed: {}", report.message)),
        Some(false) if report.completed => wrong.push(format!("{action} did not fail")),
        _ => {}
    }
    if let Some(expected) = message.filter(|expected| **expected != report.message) {
        wrong.push(format!("the message of {action} is `{}`, not `{expected}`", report.message));
    }
    for (key, expected) in results {
        match (found(&report.results, key), expected) {
            (None, Value::Null) => {}
            (None, _) => {
                let keys = if report.results.is_empty() { "none".to_owned() } else { listed(report.results.keys()) };
                wrong.push(format!("{action} has no result `{key}`; it has {keys}"));
            }
            (Some(found), expected) if texts(found) != *expected => {
                let (found, expected) = (found.to_json(), expected.to_json());
                wrong.push(format!("result `{key}` of {action} is {found}, not {expected}"));
            }
            _ => {}
        }
    }
}

/// A result by the key that the charm has given it: a dot in it has made a nested map (contract 9.13).
fn found<'r>(results: &'r BTreeMap<String, Value>, key: &str) -> Option<&'r Value> {
    results.get(key).or_else(|| {
        let mut parts = key.split('.');
        let first = results.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// Results are compared as texts (contract 9.13).
fn texts(value: &Value) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => Value::Text(value.to_json()),
        Value::List(items) => Value::List(items.iter().map(texts).collect()),
        Value::Map(entries) => Value::Map(entries.iter().map(|(key, value)| (key.clone(), texts(value))).collect()),
        Value::Null | Value::Text(_) => value.clone(),
    }
}

fn listed(names: impl IntoIterator<Item = impl ToString>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
