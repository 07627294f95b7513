//! What Juju could never produce, a hook that cannot run now or a state that cannot be, with the reason.

use std::collections::BTreeMap;

use super::agent::Agent;
use super::controller::{Controller, Entries};
use super::hook::{Hook, RelationHook, RelationKind};
use super::shared::Shared;
use crate::juju::UnitName;

/// Whether Juju could run this hook on the unit now, whatever else is due.
pub(crate) fn hook(hook: &Hook, agent: &Agent, controller: &Controller) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("{hook} cannot run on {}: {why}", agent.name));
    let dying = controller.units.get(&agent.name).is_none_or(|unit| unit.dying);
    if agent.removed {
        return refuse("the unit has been removed");
    }
    match hook {
        Hook::Plain(name) if name == "install" && agent.installed => return refuse("the unit is installed already"),
        Hook::Plain(name) if name == "install" => {}
        _ if !agent.installed => return refuse("`install` has not run yet"),
        Hook::Plain(name) => {
            if let Some(wrong) = plain_hook(name, agent, controller, dying) {
                return refuse(wrong);
            }
        }
        Hook::Relation(hook) => {
            if let Some(wrong) = relation_hook(hook, agent, controller, dying) {
                return refuse(wrong);
            }
        }
        _ => {}
    }
    Ok(())
}

fn plain_hook(name: &str, agent: &Agent, controller: &Controller, dying: bool) -> Option<&'static str> {
    match name {
        "start" if agent.config.is_none() => Some("`config-changed` has not run yet"),
        "update-status" if !agent.started => Some("`start` has not run yet"),
        "stop" | "remove" if !dying => Some("the unit is not being removed"),
        "remove" if agent.started && !agent.stopped => Some("`stop` has not run yet"),
        _ => not_now(name, &agent.name, controller),
    }
}

/// Why the hook cannot run on the unit now, whatever has run before.
pub(crate) fn not_now(name: &str, unit: &UnitName, controller: &Controller) -> Option<&'static str> {
    let (juju, leader) = (&controller.juju, controller.is_leader(unit));
    match name {
        "leader-elected" if !leader => Some("the unit is not leader"),
        "leader-settings-changed" if leader => Some("the unit is leader"),
        "leader-settings-changed" if juju.is_four() => Some("Juju 4 has no leader settings"),
        "collect-metrics" | "meter-status-changed" if !juju.has_metrics() => {
            Some("it is not run from Juju 3.6.10 on; choose an earlier version")
        }
        "pre-series-upgrade" | "post-series-upgrade" if juju.is_four() => Some("Juju 4 has no series upgrade"),
        "secret-changed" | "secret-rotate" | "secret-expired" | "secret-remove" if !juju.at_least(3, 0, 0) => {
            Some("there are secrets from Juju 3.0 on")
        }
        "leader-deposed" => Some("Juju never runs it"),
        _ => None,
    }
}

fn relation_hook(hook: &RelationHook, agent: &Agent, controller: &Controller, dying: bool) -> Option<&'static str> {
    let number = hook.relation.number;
    let (Some(state), Some(relation)) = (agent.relations.get(&number), controller.relations.get(&number)) else {
        return Some("the unit is not in the relation");
    };
    let ends = relation.dying || dying;
    let there = |unit: &UnitName| !ends && controller.sees(relation, &agent.name, unit);
    let wrong = match (hook.kind, &hook.unit) {
        _ if state.broken => "the relation is over",
        (RelationKind::Created, _) if state.created => "it has run already",
        (RelationKind::Created, _) => return None,
        _ if !state.created => "its `-relation-created` has not run yet",
        (RelationKind::Joined | RelationKind::Departed, None) => "it needs a remote unit: use run_relation_hook",
        (RelationKind::Broken, _) if relation.is_peer() && !state.forgotten => "peer relations have no such hook",
        (RelationKind::Broken, _) if !ends => "neither the relation nor the unit is being removed",
        (RelationKind::Broken, _) if !state.members.is_empty() => "there are members yet to depart",
        (RelationKind::Joined, Some(unit)) if state.members.contains_key(unit) => "the unit has joined already",
        (RelationKind::Joined, Some(unit)) if !there(unit) => "the remote unit is not in the relation",
        (RelationKind::Changed, Some(unit)) if !state.members.contains_key(unit) => "the unit has not joined yet",
        (RelationKind::Departed, Some(unit)) if !state.members.contains_key(unit) => "the unit never joined",
        (RelationKind::Departed, Some(unit)) if there(unit) => "the remote unit is still in the relation",
        (_, Some(unit)) if state.changed_due.as_ref().is_some_and(|due| due != unit) => {
            "after `-joined` comes `-changed` for the same unit"
        }
        _ => return None,
    };
    Some(wrong)
}

/// Whether Juju could have all of this at the same time.
pub(crate) fn state(controller: &Controller, agents: &BTreeMap<UnitName, Shared<Agent>>) -> Result<(), String> {
    for (name, application) in &controller.applications {
        if let Some(leader) = application.leader.as_ref().filter(|leader| !controller.units.contains_key(leader)) {
            return Err(format!("{leader} leads `{name}`, and there is no such unit"));
        }
        if let Some(leader) = application.leader.as_ref().filter(|leader| leader.application() != name) {
            return Err(format!("{leader} leads `{name}`, and is not of it"));
        }
        bag(&application.leader_settings.entries).map_err(|why| format!("the leader settings of `{name}`: {why}"))?;
    }
    for (number, relation) in &controller.relations {
        let of_side = |app: &str| relation.sides.iter().any(|(side, _)| side == app);
        for unit in &relation.present {
            if !controller.units.contains_key(unit) && !controller.peer_departure_bug {
                return Err(format!("{unit} is in relation {number}, and there is no such unit"));
            }
            if !of_side(unit.application()) {
                return Err(format!("{unit} is in relation {number}, in which its application has no part"));
            }
        }
        for (unit, found) in &relation.units {
            bag(&found.entries).map_err(|why| format!("the bag of {unit} in relation {number}: {why}"))?;
        }
        for (app, found) in &relation.apps {
            bag(&found.entries).map_err(|why| format!("the bag of `{app}` in relation {number}: {why}"))?;
        }
    }
    agents.iter().try_for_each(|(unit, agent)| {
        agent_state(agent, controller).map_err(|why| format!("the agent of {unit}: {why}"))
    })
}

/// A key with an empty value cannot be (contract 4.6).
pub(crate) fn bag(entries: &Entries) -> Result<(), String> {
    match entries.iter().find(|(key, value)| key.is_empty() || value.is_empty()) {
        Some((key, _)) => {
            Err(format!("the key `{key}` is empty or has an empty value, which stands for none; leave it out"))
        }
        None => Ok(()),
    }
}

fn agent_state(agent: &Agent, controller: &Controller) -> Result<(), String> {
    if agent.removed == controller.units.contains_key(&agent.name) {
        return Err("it has run its last hook, and the unit is there; or the other way round".to_owned());
    }
    if agent.started && (!agent.installed || agent.config.is_none()) {
        return Err("`start` has run before `install` and `config-changed`".to_owned());
    }
    if agent.stopped && !agent.removed && controller.units.get(&agent.name).is_some_and(|unit| !unit.dying) {
        return Err("`stop` has run, and the unit is not being removed".to_owned());
    }
    for (number, state) in &agent.relations {
        let Some(relation) = controller.relations.get(number) else { continue };
        let remote = relation.remote_app(agent.name.application());
        if let Some(member) = state.members.keys().find(|unit| **unit == agent.name || unit.application() != remote) {
            return Err(format!("{member} is a member of {}, and cannot be", state.id));
        }
        if let Some(due) = state.changed_due.as_ref().filter(|unit| !state.members.contains_key(*unit)) {
            return Err(format!("`-changed` is owed to {due} in {}, which is no member", state.id));
        }
        if !state.created && !state.members.is_empty() {
            return Err(format!("{} has members before its `-created`", state.id));
        }
        if state.broken && !state.members.is_empty() {
            return Err(format!("{} is broken and has members", state.id));
        }
    }
    Ok(())
}
