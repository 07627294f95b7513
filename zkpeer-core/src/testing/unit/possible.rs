//! The events and states of one unit that Juju could not produce, each with the reason.
//!
//! What has run before, and what may have run between two hooks of a test, is not asked: [`check`](crate::testing::check) knows
//! that of a unit whose whole life is known.

use super::Unit;
use super::assert::meant;
use crate::juju::{RelationId, UnitName};
use crate::metadata::Role;
use crate::testing::check;
use crate::testing::hook::{Hook, HookFamily, RelationHook, RelationKind};

/// Whether there can be such a relation with that application.
pub(super) fn relation(unit: &Unit, id: &RelationId, remote: &str) -> Result<(), String> {
    let files = unit.charm_files();
    let endpoint = files.endpoints().get(&id.endpoint);
    let own = unit.name.application();
    match endpoint {
        None if !files.endpoints().is_empty() && !files.is_implicit(&id.endpoint) => {
            let names: Vec<&str> = files.endpoints().keys().map(String::as_str).collect();
            let near = meant(&id.endpoint, names.iter().copied());
            return Err(format!("metadata.yaml has no endpoint `{}`; it has: {}{near}", id.endpoint, names.join(", ")));
        }
        Some(endpoint) if endpoint.role == Role::Peers && remote != own => {
            return Err(format!(
                "`{}` is an endpoint for peers, and `{remote}` is another application; name units of `{own}`, or an \
                 endpoint that is not for peers",
                id.endpoint
            ));
        }
        Some(endpoint) if endpoint.role != Role::Peers && remote == own => {
            return Err(format!(
                "`{}` is no endpoint for peers, and `{own}` is the unit's own application; name another one, or an \
                 endpoint for peers",
                id.endpoint
            ));
        }
        _ => {}
    }
    let Some(known) = unit.controller.relations.get(&id.number) else { return Ok(()) };
    let of = known.sides.iter().find(|(application, _)| application == own).map(|(_, endpoint)| endpoint.as_str());
    if let Some(endpoint) = of.filter(|endpoint| *endpoint != id.endpoint) {
        return Err(format!(
            "relation {} is of `{endpoint}`, and each relation of a model has a number of its own; give this one another",
            id.number
        ));
    }
    if unit.agent.relations.get(&id.number).is_some_and(|state| state.broken) {
        return Err(format!("{id} is over, and a relation that comes later has another number; give this one another"));
    }
    let other = known.remote_app(own);
    if other != remote {
        return Err(format!(
            "{id} is a relation with `{other}`, and `{remote}` is another application; give its relation another number"
        ));
    }
    Ok(())
}

/// Whether the endpoint may be one for peers, as far as the endpoints are known.
pub(super) fn has_peers(unit: &Unit, endpoint: &str) -> bool {
    unit.charm_files().endpoints().get(endpoint).is_none_or(|endpoint| endpoint.role == Role::Peers)
}

/// Whether the unit can be at the other side of a relation.
pub(super) fn remote(unit: &Unit, remote: &UnitName) -> Result<(), String> {
    if *remote == unit.name {
        return Err(format!("{remote} is this unit, and no unit is its own peer; name another one"));
    }
    Ok(())
}

/// Whether Juju could run this now on a unit in this state.
pub(super) fn event(unit: &Unit, hook: &Hook) -> Result<(), String> {
    let refused = match hook {
        _ if unit.agent.removed => {
            Some("the unit has been removed, `remove` was its last hook; take the unit as it was before".to_owned())
        }
        Hook::Plain(name) => plain(unit, name),
        Hook::Relation(hook) => of_relation(unit, hook),
        _ => None,
    };
    refused.map_or(Ok(()), |why| Err(format!("{hook} cannot run on {}: {why}", unit.name)))
}

fn plain(unit: &Unit, name: &str) -> Option<String> {
    if let Some((HookFamily::Relation(_), _)) = HookFamily::of(name) {
        return Some("it is about a relation; say which, as in event::joined(\"db:1\", \"mysql/0\")".to_owned());
    }
    if let Some((HookFamily::Storage, storage)) = HookFamily::of(name).filter(|_| unit.whole)
        && !unit.charm_files().storage.contains_key(storage)
    {
        let files = unit.charm_files();
        let known: Vec<&str> = files.storage.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Some(format!("metadata.yaml has no storage `{storage}`; it has: {known}"));
    }
    // Contract 3.1: the unit enters its relations right after `install`.
    if let Some(entered) = unit.agent.relations.values().next().filter(|_| name == "install") {
        return Some(format!(
            "it is in the relation {} already, and a unit enters its relations after `install`; run `install` first, and \
             say of the unit after it in which relations it is",
            entered.id
        ));
    }
    let why = check::not_now(name, &unit.name, &unit.controller)?;
    Some(format!("{why}{}", advice(name, unit)))
}

/// What a test says for the hook to be possible.
fn advice(name: &str, unit: &Unit) -> &'static str {
    match name {
        "leader-elected" => "; call set_leader(true) before",
        "leader-settings-changed" if unit.controller.is_leader(&unit.name) => "; call set_leader(false) before",
        "leader-deposed" => "",
        "collect-metrics" | "meter-status-changed" => " with Unit::juju",
        _ => "; Unit::juju chooses the version",
    }
}

fn of_relation(unit: &Unit, hook: &RelationHook) -> Option<String> {
    let number = hook.relation.number;
    let state = unit.agent.relations.get(&number)?;
    let is_member = |remote: &UnitName| state.members.contains_key(remote);
    // Who has just been said to come or go does so in this hook.
    let is_news = |remote: &UnitName| unit.news.contains(&(number, remote.clone()));
    let first = state.members.keys().next();
    // Contract 4.2 and 4.3.
    match (hook.kind, &hook.unit) {
        (RelationKind::Created, _) => first.map(|first| {
            format!("{first} is a member already, and this hook is the relation's first; say so after it")
        }),
        (RelationKind::Joined, Some(remote)) if is_member(remote) && !is_news(remote) => Some(format!(
            "{remote} has joined already, and joins once; what it publishes later is event::changed, and with \
                 remove_member it is gone"
        )),
        (RelationKind::Changed, Some(remote)) if !is_member(remote) => {
            Some(format!("{remote} has not joined; run its `-joined`, or say that it is a member with set_member"))
        }
        (RelationKind::Departed, Some(remote)) if !is_member(remote) && !is_news(remote) => {
            Some(format!("{remote} has never joined, or has departed; say that it is a member with set_member"))
        }
        (RelationKind::Joined | RelationKind::Departed, None) => {
            Some("it is about a remote unit; say which".to_owned())
        }
        (RelationKind::Broken, _) if hook.app == unit.name.application() => {
            Some("peers have no such hook; a peer that goes is event::departed".to_owned())
        }
        (RelationKind::Broken, _) => first.map(|first| format!("{first} is a member yet; run its `-departed` first")),
        _ => None,
    }
}
