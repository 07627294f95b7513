//! Two handlers of one round, of which the first takes what the second waits for.

use std::collections::BTreeSet;

use super::{Finding, Graph, Kind, Node, combinations, holds, required};
use crate::notes::What;
use crate::predicate::{Phase, Predicate};
use crate::trigger::Edge;

pub(super) fn find(graph: &Graph) -> Vec<Finding> {
    let pairs = pairs(graph).into_iter().filter(|pair| pair.first.own && pair.second.own);
    pairs.map(|pair| finding(&pair)).collect()
}

/// The second does not run in a round in which the first does.
#[derive(Debug)]
pub(super) struct Pair<'g> {
    pub(super) first: &'g Node,
    pub(super) second: &'g Node,
    flag: &'g str,
    what: What,
    /// Whether the first runs whenever it could be the second's turn.
    pub(super) always: bool,
}

/// All pairs of which it is certain.
pub(super) fn pairs(graph: &Graph) -> Vec<Pair<'_>> {
    let mut pairs = Vec::new();
    for (at, first) in graph.nodes.iter().enumerate() {
        if !first.is_called || !first.is_on_flags() {
            continue;
        }
        for (flag, what) in taken(graph, first) {
            for second in graph.nodes[at + 1..].iter().filter(|second| second.predicate.can_match_in(Phase::Other)) {
                let both_want = required(&second.predicate).contains(&(flag, what == What::Clears));
                if both_want && run_together(first, second) {
                    let always = implies(&second.predicate, &first.predicate);
                    pairs.push(Pair { first, second, flag, what, always });
                }
            }
        }
    }
    pairs
}

/// The flags that a handler needs to be set and always clears, or the other way round.
fn taken<'g>(graph: &'g Graph, node: &'g Node) -> Vec<(&'g str, What)> {
    let mut taken = Vec::new();
    for (flag, set) in required(&node.predicate) {
        let (what, back, back_edge) = match set {
            true => (What::Clears, What::Sets, Edge::Set),
            false => (What::Sets, What::Clears, Edge::Cleared),
        };
        let is_given_back = node.does(back, flag)
            || graph.triggers.iter().any(|trigger| trigger.other == flag && trigger.then == back_edge);
        if !is_given_back && node.uses.iter().any(|of| of.what == what && of.flag == flag && of.always) {
            taken.push((flag, what));
        }
    }
    taken
}

fn watched<'p>(one: &'p Predicate, other: &'p Predicate) -> BTreeSet<&'p str> {
    one.flags().chain(other.flags()).map(AsRef::as_ref).collect()
}

fn run_together(one: &Node, other: &Node) -> bool {
    let flags = watched(&one.predicate, &other.predicate);
    combinations(&flags)
        .is_some_and(|mut all| all.any(|set| holds(&one.predicate, &set) && holds(&other.predicate, &set)))
}

/// Whether the other holds whenever this one does.
fn implies(one: &Predicate, other: &Predicate) -> bool {
    let flags = watched(one, other);
    combinations(&flags).is_some_and(|mut all| all.all(|set| !holds(one, &set) || holds(other, &set)))
}

fn finding(pair: &Pair<'_>) -> Finding {
    let Pair { first, second, flag, what, always } = pair;
    let does = if *what == What::Clears { "clears" } else { "sets" };
    let message = match always {
        true => format!(
            "`{}` never gets its turn: whenever it could run, `{}` ({}) runs before it and {does} `{flag}`",
            second.name, first.name, first.place
        ),
        false => format!(
            "`{}` does not run in a round in which `{}` ({}) does, which {does} `{flag}` before it",
            second.name, first.name, first.place
        ),
    };
    Finding {
        place: second.place.clone(),
        kind: Kind::OrderDecides,
        subject: Some((*flag).to_owned()),
        handlers: vec![second.id.clone(), first.id.clone()],
        message,
        certain: true,
    }
}
