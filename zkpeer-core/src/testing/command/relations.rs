//! `relation-get`, `relation-set`, `relation-list`, `relation-ids`, `relation-model-get` (contract 9.1 to 9.5).

use super::super::hook::RelationHook;
use super::super::options::{quoted, quoted_list};
use super::super::value::{Value, map, texts};
use super::{Answered, Call, Failure, failed, usage};
use crate::juju::UnitName;
use crate::juju::names::is_application;

/// Whose bag is read.
enum Whose {
    Unit(UnitName),
    App(String),
}

pub(super) fn get(call: &mut Call<'_>) -> Answered {
    let number = call.relation_number()?;
    let args = call.args(usize::MAX)?;
    let key = args.first().map(String::as_str).filter(|key| *key != "-").unwrap_or_default();
    let whose = whose(call, args.get(1).map(String::as_str))?;
    if let Some(surplus) = args.get(2..).filter(|surplus| !surplus.is_empty()) {
        return usage(format!("unrecognized args: {}", quoted_list(surplus)));
    }
    let bag = match &whose {
        Whose::Unit(unit) => call.run.unit_bag(call.controller, call.unit, number, unit),
        Whose::App(app) => call.run.app_bag(call.controller, number, app),
    };
    let bag = bag.map_err(Failure::Failed)?;
    Ok(match key {
        "" => call.print(&Value::from(&bag)),
        key => call.print(&bag.get(key).map_or(Value::Null, |value| Value::from(value.as_str()))),
    })
}

fn whose(call: &Call<'_>, given: Option<&str>) -> Result<Whose, Failure> {
    let app = call.is_on("app");
    if let Some(given) = given {
        return match (given.parse::<UnitName>(), app) {
            (Ok(unit), false) => Ok(Whose::Unit(unit)),
            (Ok(unit), true) => Ok(Whose::App(unit.application().to_owned())),
            (Err(_), true) => Ok(Whose::App(given.to_owned())),
            (Err(_), false) if is_application(given) && !call.controller.juju.at_least(3, 3, 2) => {
                Ok(Whose::App(given.to_owned()))
            }
            (Err(_), false) if is_application(given) => {
                usage(format!("expected unit name, got application name {}", quoted(given)))
            }
            (Err(_), false) => usage(format!("invalid unit name {}", quoted(given))),
        };
    }
    // The default is the hook's remote, whatever relation `-r` names.
    match call.run.hook.relation() {
        Some(RelationHook { unit: Some(unit), .. }) if !app => Ok(Whose::Unit(unit.clone())),
        Some(RelationHook { app, .. }) if !app.is_empty() => Ok(Whose::App(app.clone())),
        _ => usage("no unit or application specified"),
    }
}

pub(super) fn set(call: &mut Call<'_>) -> Answered {
    let number = call.relation_number()?;
    let app = call.is_on("app");
    let entries = call.entries()?;
    if app && !call.run.is_leader(call.controller) {
        return failed("cannot write relation settings");
    }
    call.run.set_bag(number, app, entries);
    Ok(String::new())
}

pub(super) fn list(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let number = call.relation_number()?;
    let Some(relation) = call.run.relations.get(&number) else { return failed("relation not found") };
    Ok(if call.is_on("app") {
        call.print(&Value::from(relation.remote_app.as_str()))
    } else {
        call.print(&texts(&relation.members))
    })
}

pub(super) fn ids(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let own = call.run.hook.relation().map(|hook| hook.relation.endpoint.clone());
    let Some(endpoint) = args.into_iter().next().filter(|name| !name.is_empty()).or(own) else {
        let thing = if call.controller.juju.at_least(3, 6, 0) { "endpoint" } else { "relation" };
        return usage(format!("no {thing} name specified"));
    };
    let shown = call.run.relations.values().filter(|relation| relation.id.endpoint == endpoint && !relation.hidden);
    let mut ids: Vec<String> = shown.map(|relation| relation.id.to_string()).collect();
    ids.sort_unstable();
    Ok(call.print(&texts(ids)))
}

/// The model of the other side is this one, as long as there is only one.
pub(super) fn model_get(call: &mut Call<'_>) -> Answered {
    call.relation_number()?;
    call.args(0)?;
    Ok(call.print(&map([("uuid", Value::from(call.controller.uuid.as_str()))])))
}
