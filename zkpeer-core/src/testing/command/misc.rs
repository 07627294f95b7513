//! Configuration, leadership, status, log and goal state (contract 9.6, 9.7, 9.9, 9.10, 9.14).

use std::collections::BTreeMap;

use super::super::clock;
use super::super::controller::{Status, Unit};
use super::super::entries;
use super::super::options::{Format, quoted};
use super::super::run::LogLine;
use super::super::value::{Value, map};
use super::{Answered, Call, Failure, failed, usage};

pub(super) fn config_get(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let all = call.is_on("a");
    let key = args.first().filter(|key| !key.is_empty());
    if let Some(key) = key.filter(|_| all) {
        return usage(format!("cannot use argument --all together with key {}", quoted(key)));
    }
    let config = call.run.config(call.controller);
    let value = match key {
        Some(key) => config.get(key).cloned().unwrap_or_default(),
        None => Value::Map(
            config
                .iter()
                .filter(|(_, value)| all || **value != Value::Null)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        ),
    };
    Ok(call.print(&value))
}

pub(super) fn is_leader(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let leader = call.run.is_leader(call.controller);
    Ok(call.print(&Value::from(leader)))
}

pub(super) fn leader_get(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let key = args.first().map(String::as_str).filter(|key| !matches!(*key, "" | "-"));
    if let Some(key) = key.filter(|key| key.contains('=')) {
        return usage(format!("invalid key {}", quoted(key)));
    }
    call.args(1)?;
    let settings = &call.controller.application(call.run.unit.application()).leader_settings.entries;
    let value = match key {
        None => Value::from(settings),
        Some(key) => settings.get(key).map_or(Value::Null, |value| Value::from(value.as_str())),
    };
    Ok(call.print(&value))
}

pub(super) fn leader_set(call: &mut Call<'_>) -> Answered {
    let entries = entries::from_args(&call.args(usize::MAX)?).map_err(Failure::Usage)?;
    if !call.run.is_leader(call.controller) {
        return failed("cannot write leadership settings: cannot write settings: not the leader");
    }
    call.controller.application(call.run.unit.application()).leader_settings.apply(&entries);
    Ok(String::new())
}

pub(super) fn status_set(call: &mut Call<'_>) -> Answered {
    const KNOWN: &[&str] = &["maintenance", "blocked", "waiting", "active"];
    let args = call.args(usize::MAX)?;
    let Some(status) = args.first() else { return usage("invalid args, require <status> [message]") };
    if !KNOWN.contains(&status.as_str()) {
        return usage(format!("invalid status {}, expected one of [{}]", quoted(status), KNOWN.join(" ")));
    }
    call.args(2)?;
    let status = call.controller.status(status, args.get(1).map_or("", String::as_str));
    if call.is_on("application") {
        if !call.run.is_leader(call.controller) {
            return failed("this unit is not the leader");
        }
        call.controller.application(call.run.unit.application()).status = Some(status);
    } else if let Some(unit) = call.controller.units.get_mut(&call.run.unit) {
        unit.status = status;
        call.unit.status_set = true;
    }
    Ok(String::new())
}

pub(super) fn status_get(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let with_data = call.is_on("include-data");
    // A word alone, unless more is asked for.
    let smart = call.format == Format::Smart && !with_data;
    let shown = |status: &Status| {
        let mut entries = BTreeMap::from([("status".to_owned(), Value::from(status.status.as_str()))]);
        if with_data {
            entries.insert("message".to_owned(), Value::from(status.message.as_str()));
            entries.insert("status-data".to_owned(), Value::Map(BTreeMap::new()));
        }
        entries
    };
    if call.is_on("application") {
        if !call.run.is_leader(call.controller) {
            return failed("finding application status: this unit is not the leader");
        }
        let app = call.run.unit.application().to_owned();
        let own = call.controller.units.iter().filter(|(unit, _)| unit.application() == app);
        let units: BTreeMap<String, Value> =
            own.map(|(name, unit)| (name.to_string(), Value::Map(shown(&unit.status)))).collect();
        let status = call.controller.application(&app).status.clone().unwrap_or_else(|| Status::new("unknown", ""));
        if smart {
            return Ok(call.print(&Value::from(status.status)));
        }
        let mut entries = shown(&status);
        entries.insert("units".to_owned(), Value::Map(units));
        return Ok(call.print(&map([("application-status", Value::Map(entries))])));
    }
    // Read once per hook: a later status-set in the same hook does not show (contract 9.9).
    let now = call.controller.units.get(&call.run.unit).map(|unit| unit.status.clone()).unwrap_or_default();
    let status = call.run.status_read.get_or_insert(now).clone();
    Ok(call.print(&if smart { Value::from(status.status) } else { Value::Map(shown(&status)) }))
}

pub(super) fn application_version_set(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some(version) = args.first() else { return usage("no version specified") };
    call.args(1)?;
    call.controller.application(call.run.unit.application()).workload_version = version.clone();
    Ok(String::new())
}

/// The levels of Juju's log (contract 9.10).
const LEVELS: &[&str] = &["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

pub(super) fn juju_log(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    if args.is_empty() {
        return usage("no message specified");
    }
    let given = call.option("l").unwrap_or("INFO");
    let prefix = call.run.hook.relation().map(|hook| format!("{}: ", hook.relation)).unwrap_or_default();
    let level = match given.to_uppercase().as_str() {
        _ if call.is_on("debug") => Some("DEBUG"),
        "WARN" => Some("WARNING"),
        upper => LEVELS.iter().copied().find(|level| *level == upper),
    };
    if level.is_none() {
        let message = format!("Specified log level of {} is not valid", quoted(given));
        call.run.log.push(LogLine { level: "WARNING".to_owned(), message });
    }
    let level = level.unwrap_or("INFO").to_owned();
    call.run.log.push(LogLine { level, message: format!("{prefix}{}", args.join(" ")) });
    Ok(String::new())
}

/// Units and relations come first, a status before its time (contract 9.14).
const GOAL: &[&str] = &["units", "relations", "status", "since"];

pub(super) fn goal_state(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let state =
        |status: &str, since| map([("status", Value::from(status)), ("since", Value::from(clock::since(since)))]);
    let of_unit = |unit: &Unit| state(if unit.dying { "dying" } else { &unit.status.status }, unit.status.since);
    let of_app = |app: &str| -> BTreeMap<String, Value> {
        let units = call.controller.units.iter().filter(|(name, _)| name.application() == app);
        units.map(|(name, unit)| (name.to_string(), of_unit(unit))).collect()
    };
    let own = call.run.unit.application().to_owned();
    let mut relations: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (number, relation) in &call.controller.relations {
        let Some(id) = call.controller.relation_id(*number, &own).filter(|_| !relation.is_peer()) else { continue };
        let remote = relation.remote_app(&own);
        let entry = relations.entry(id.endpoint).or_default();
        entry.insert(remote.to_owned(), state(if relation.dying { "dying" } else { "joined" }, relation.since));
        entry.extend(of_app(remote));
    }
    let relations = relations.into_iter().map(|(endpoint, remote)| (endpoint, Value::Map(remote))).collect();
    let goal = map([("units", Value::Map(of_app(&own))), ("relations", Value::Map(relations))]);
    Ok(call.print_fields(&goal, GOAL))
}
