//! Handlers that never run, and actions that have none.

use std::collections::BTreeSet;

use super::names;
use super::{Finding, Graph, Kind, Node, combinations, holds, listed, required};
use crate::notes::What;
use crate::predicate::Condition;

pub(super) fn find(graph: &Graph) -> Vec<Finding> {
    let mut found = Vec::new();
    let stuck = stuck(graph);
    for (node, why) in graph.nodes.iter().zip(&stuck).filter(|(node, _)| node.own) {
        found.extend(no_such_hook(graph, node));
        found.extend(unknown_actions(graph, node));
        found.extend(why.as_ref().and_then(|why| never_runs(graph, node, why, &stuck)));
    }
    found.extend(graph.absent.iter().map(|absent| no_endpoint(graph, absent)));
    found.extend(unanswered_actions(graph));
    found
}

fn about(node: &Node, kind: Kind, subject: Option<String>, message: String) -> Finding {
    Finding { place: node.place.clone(), kind, subject, handlers: vec![node.id.clone()], message, certain: true }
}

/// Why a handler can never run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// Its own conditions never hold together.
    Contradiction,
    /// Its conditions want flags that nobody sets, or that only handlers set which never run.
    Without(Vec<String>),
}

/// For each handler why it can never run, if that is known. Flags that somebody sets unseen are not thought of.
pub(super) fn stuck(graph: &Graph) -> Vec<Option<Stuck>> {
    let everything: BTreeSet<&str> =
        graph.nodes.iter().flat_map(|node| node.predicate.flags()).map(AsRef::as_ref).collect();
    let contradicts = |node: &Node| !is_possible(node, &everything);
    let mut stuck: Vec<Option<Stuck>> =
        graph.nodes.iter().map(|node| contradicts(node).then_some(Stuck::Contradiction)).collect();
    // Most handlers run; those are taken for stuck whose flags no others set, until nothing changes.
    let mut possible: BTreeSet<&str> = everything.iter().copied().filter(|flag| graph.is_set_by_others(flag)).collect();
    loop {
        let before = possible.len();
        for (node, _) in graph.nodes.iter().zip(&stuck).filter(|(_, why)| why.is_none()) {
            if is_possible(node, &possible) {
                possible.extend(node.uses.iter().filter(|of| of.what == What::Sets).map(|of| of.flag.as_str()));
                possible.extend(node.of_interfaces.iter().map(String::as_str));
            }
        }
        if possible.len() == before {
            break;
        }
    }
    for (node, why) in graph.nodes.iter().zip(&mut stuck).filter(|(_, why)| why.is_none()) {
        if !is_possible(node, &possible) {
            let needed = required(&node.predicate).into_iter().filter(|(_, set)| *set).map(|(flag, _)| flag);
            *why = Some(Stuck::Without(needed.filter(|flag| !possible.contains(flag)).map(str::to_owned).collect()));
        }
    }
    stuck
}

/// Whether its conditions can hold, if only these flags can be set.
pub(super) fn is_possible(node: &Node, possible: &BTreeSet<&str>) -> bool {
    let watched: BTreeSet<&str> = node.predicate.flags().map(AsRef::as_ref).collect();
    let free: BTreeSet<&str> = watched.intersection(possible).copied().collect();
    let Some(mut combinations) = combinations(&free) else { return true };
    combinations.any(|set| holds(&node.predicate, &set))
}

/// Whether it waits, by way of others, for a flag that nobody sets; of what it waits for itself, that is said of the flag.
fn follows_from_never_set(graph: &Graph, node: &Node, stuck: &[Option<Stuck>]) -> bool {
    let mut looked_at: BTreeSet<&str> = BTreeSet::new();
    let mut left = vec![node];
    let mut depth = 0;
    while let Some(node) = left.pop() {
        let at = graph.nodes.iter().position(|other| other.id == node.id);
        let Some(Stuck::Without(flags)) = at.and_then(|at| stuck[at].as_ref()) else { continue };
        for flag in flags.iter().filter(|flag| looked_at.insert(flag)) {
            // Far from where it is not set, it is said only if it is certain.
            if !graph.is_set_by_somebody(flag) && (depth == 0 || !graph.is_certain()) {
                return true;
            }
            left.extend(graph.nodes.iter().filter(|other| other.does(What::Sets, flag)));
        }
        depth += 1;
    }
    false
}

fn never_runs(graph: &Graph, node: &Node, why: &Stuck, stuck: &[Option<Stuck>]) -> Option<Finding> {
    if node.predicate.0.iter().any(|condition| matches!(condition, Condition::Hook { names, .. } if names.is_empty())) {
        return None;
    }
    match why {
        Stuck::Contradiction => {
            let message = format!("`{}` never runs: its conditions never hold together, {}", node.name, node.predicate);
            Some(about(node, Kind::NeverRuns, None, message))
        }
        // That nobody sets a flag is said of the flag.
        Stuck::Without(_) if follows_from_never_set(graph, node, stuck) => None,
        Stuck::Without(flags) => {
            let setters = graph.nodes.iter().filter(|other| flags.iter().any(|flag| other.does(What::Sets, flag)));
            let setters: BTreeSet<&str> = setters.map(|other| other.name.as_str()).collect();
            let message = match flags.is_empty() {
                true => {
                    format!("`{}` never runs: it waits for flags that only handlers set which never run", node.name)
                }
                false => format!(
                    "`{}` never runs: it waits for {}, which only {} would set, and never can",
                    node.name,
                    listed(flags),
                    listed(setters)
                ),
            };
            Some(Finding { certain: graph.is_certain(), ..about(node, Kind::NeverRuns, None, message) })
        }
    }
}

/// Hooks of storages and containers that the charm has not, and patterns that mean no hook of this charm.
fn no_such_hook(graph: &Graph, node: &Node) -> Option<Finding> {
    let (patterns, names) = node.predicate.0.iter().find_map(|condition| match condition {
        Condition::Hook { patterns, names } => Some((patterns, names)),
        _ => None,
    })?;
    if names.is_empty() {
        let message = format!(
            "`{}` never runs: its hook {} is for an interface in a role that no endpoint of metadata.yaml has{}",
            node.name,
            listed(patterns),
            in_another_role(graph, patterns)
        );
        return Some(about(node, Kind::NoEndpoint, None, message));
    }
    let is_missing = |name: &&String| {
        let storage = ["-storage-attached", "-storage-detaching"].iter().find_map(|end| name.strip_suffix(end));
        let container = name.strip_suffix("-pebble-ready");
        storage.is_some_and(|name| !graph.files.storages.contains(name))
            || container.is_some_and(|name| !graph.files.containers.contains(name))
    };
    let missing: Vec<&String> = names.iter().filter(is_missing).collect();
    if missing.len() < names.len() {
        return None;
    }
    let kind = if missing[0].ends_with("-pebble-ready") { "container" } else { "storage" };
    let message = format!(
        "`{}` never runs: it is for the hook {}, and metadata.yaml has no such {kind}",
        node.name,
        listed(missing)
    );
    Some(about(node, Kind::NeverRuns, None, message))
}

/// The endpoints that have the interface of a pattern in another role.
fn in_another_role(graph: &Graph, patterns: &[&str]) -> String {
    let inside = patterns.iter().filter_map(|pattern| pattern.split_once('{')?.1.split_once('}'));
    let interface = inside.filter_map(|(inside, _)| inside.split_once(':')).map(|(_, interface)| interface).next();
    interface.map_or_else(String::new, |interface| other_roles(graph, interface))
}

fn other_roles(graph: &Graph, interface: &str) -> String {
    let endpoints = graph.files.metadata.endpoints.values();
    let of: Vec<String> = endpoints
        .clone()
        .filter(|endpoint| endpoint.interface == interface)
        .map(|endpoint| format!("`{}` has it under `{}`", endpoint.name, endpoint.role))
        .collect();
    match of.is_empty() {
        true => names::meant(interface, endpoints.map(|endpoint| endpoint.interface.as_str())),
        false => format!("; {}", of.join(", ")),
    }
}

fn no_endpoint(graph: &Graph, absent: &super::Absent) -> Finding {
    let message = format!(
        "`{}` never runs: it is for each endpoint of the interface `{}` under `{}`, and metadata.yaml has none{}",
        absent.name,
        absent.wanted.interface,
        absent.wanted.role,
        other_roles(graph, absent.wanted.interface)
    );
    let handlers = vec![absent.id.clone()];
    Finding { place: absent.place.clone(), kind: Kind::NoEndpoint, subject: None, handlers, message, certain: true }
}

fn unknown_actions(graph: &Graph, node: &Node) -> Vec<Finding> {
    let names = node.predicate.0.iter().flat_map(|condition| match condition {
        Condition::Action(names) => names.as_slice(),
        _ => &[],
    });
    let unknown = names.filter(|name| graph.files.actions.iter().all(|(known, _)| known != *name));
    let finding = |name: &&str| {
        let meant = names::meant(name, graph.files.actions.iter().map(|(name, _)| name.as_str()));
        let message = format!("`{}` is for the action `{name}`, which actions.yaml has not{meant}", node.name);
        about(node, Kind::UnknownAction, Some((*name).to_owned()), message)
    };
    unknown.map(finding).collect()
}

fn unanswered_actions(graph: &Graph) -> Vec<Finding> {
    if graph.files.has_programs() {
        return Vec::new();
    }
    let answered: BTreeSet<&str> = graph
        .nodes
        .iter()
        .flat_map(|node| &node.predicate.0)
        .flat_map(|condition| match condition {
            Condition::Action(names) => names.as_slice(),
            _ => &[],
        })
        .copied()
        .collect();
    let unanswered = graph.files.actions.iter().filter(|(name, _)| !answered.contains(name.as_str()));
    let finding = |(name, line): &(String, usize)| Finding {
        place: format!("actions.yaml:{line}"),
        kind: Kind::UnansweredAction,
        subject: Some(name.clone()),
        handlers: Vec::new(),
        message: format!(
            "no handler is for the action `{name}`: it fails whenever it is run{}",
            names::meant(name, answered.iter().copied())
        ),
        certain: true,
    };
    unanswered.map(finding).collect()
}
