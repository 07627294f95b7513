//! Handlers that wake each other without end: the real dispatcher runs what is known of the handlers, on flags alone.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::handlers::{self, Stuck};
use super::{Finding, Flags, Graph, Kind, Node, combinations, holds};
use crate::dispatch::{Dispatch, Rules};
use crate::notes::What;
use crate::predicate::{Condition, Phase};
use crate::trigger::Edge;

/// So many rounds are looked at from each beginning; cycles are short.
const MOST_ROUNDS: usize = 64;
/// With more flags than this, not every combination is a beginning.
const MOST_FLAGS: usize = 6;

pub(super) fn find(graph: &Graph) -> Vec<Finding> {
    let own = |cycle: &Cycle<'_>| cycle.rounds.iter().flatten().any(|step| step.node.own);
    cycles(graph).iter().filter(|cycle| own(cycle)).map(finding).collect()
}

/// What repeats once it has begun.
#[derive(Debug)]
pub(super) struct Cycle<'g> {
    /// The flags that are set at the beginning.
    pub(super) start: BTreeSet<String>,
    rounds: Vec<Vec<Step<'g>>>,
    /// Whether all that runs before it repeats is known, too.
    pub(super) certain: bool,
}

/// One handler of one round.
#[derive(Debug)]
struct Step<'g> {
    node: &'g Node,
    changes: Vec<(String, Edge)>,
}

/// All cycles, one for each group of handlers.
pub(super) fn cycles(graph: &Graph) -> Vec<Cycle<'_>> {
    let turning = turning(graph);
    if turning.is_empty() {
        return Vec::new();
    }
    let stuck = handlers::stuck(graph);
    let player = Player::new(graph);
    let mut found: Vec<(BTreeSet<&str>, Cycle<'_>)> = Vec::new();
    for start in starts(graph, &player, &turning, &stuck) {
        let Some(cycle) = player.play(start).1 else { continue };
        let handlers = cycle.rounds.iter().flatten().map(|step| step.node.id.as_str()).collect();
        match found.iter_mut().find(|(known, _)| *known == handlers) {
            Some((_, known)) if known.certain || !cycle.certain => {}
            Some((_, known)) => *known = cycle,
            None => found.push((handlers, cycle)),
        }
    }
    found.into_iter().map(|(_, cycle)| cycle).collect()
}

/// The handlers that may be in a cycle: each is woken by one of them and wakes one.
fn turning(graph: &Graph) -> Vec<usize> {
    let mut left: BTreeSet<usize> = (0..graph.nodes.len()).filter(|at| graph.nodes[*at].is_on_flags()).collect();
    loop {
        let changes = |at: &usize| changed_by(graph, &graph.nodes[*at]);
        let changed: BTreeSet<&str> = left.iter().flat_map(changes).collect();
        let watched: BTreeSet<&str> =
            left.iter().flat_map(|at| graph.nodes[*at].predicate.flags()).map(AsRef::as_ref).collect();
        let stays = |at: &usize| {
            graph.nodes[*at].predicate.flags().any(|flag| changed.contains(flag.as_ref()))
                && changed_by(graph, &graph.nodes[*at]).iter().any(|flag| watched.contains(flag))
        };
        let next: BTreeSet<usize> = left.iter().copied().filter(|at| stays(at)).collect();
        if next.len() == left.len() {
            return next.into_iter().collect();
        }
        left = next;
    }
}

/// The flags that a handler always changes, and triggers after it.
fn changed_by<'g>(graph: &'g Graph, node: &'g Node) -> BTreeSet<&'g str> {
    let mut changed: BTreeSet<&str> = node.uses.iter().filter(|of| of.always).map(|of| of.flag.as_str()).collect();
    loop {
        let before = changed.len();
        let triggered = graph.triggers.iter().filter(|trigger| changed.contains(trigger.flag.as_str()));
        let triggered: Vec<&str> = triggered.map(|trigger| trigger.other.as_str()).collect();
        changed.extend(triggered);
        if changed.len() == before {
            return changed;
        }
    }
}

/// The states from which is played: nothing is set; each handler's conditions hold, alone and after a first hook.
fn starts(graph: &Graph, player: &Player<'_>, turning: &[usize], stuck: &[Option<Stuck>]) -> Vec<BTreeSet<String>> {
    let nothing = BTreeSet::new();
    let settled = player.play(nothing.clone()).0;
    let mut starts = vec![nothing];
    for at in turning.iter().copied().filter(|at| stuck[*at].is_none()) {
        let predicate = &graph.nodes[at].predicate;
        let watched: BTreeSet<&str> = predicate.flags().map(AsRef::as_ref).collect();
        if watched.len() > MOST_FLAGS {
            continue;
        }
        for set in combinations(&watched).into_iter().flatten().filter(|set| holds(predicate, set)) {
            let set: BTreeSet<String> = set.into_iter().map(str::to_owned).collect();
            let later = settled.iter().filter(|flag| !watched.contains(flag.as_str())).chain(&set).cloned().collect();
            starts.extend([set, later]);
        }
    }
    starts
}

/// Plays what is known of handlers.
struct Player<'g> {
    graph: &'g Graph,
    rules: Rules,
}

/// The flags in a game, on which nothing else runs.
fn only(set: &BTreeSet<String>) -> Flags<impl Fn(&str) -> bool> {
    Flags { is_set: |flag: &str| set.contains(flag), others: false }
}

impl<'g> Player<'g> {
    fn new(graph: &'g Graph) -> Self {
        Self { graph, rules: Rules::new(graph.nodes.iter().map(|node| Rc::clone(&node.predicate)).collect()) }
    }

    /// Plays from these flags to where they settle, or repeat.
    fn play(&self, start: BTreeSet<String>) -> (BTreeSet<String>, Option<Cycle<'g>>) {
        let mut set = start.clone();
        let mut dispatch = Dispatch::begin(&self.rules, Phase::Other, &only(&set));
        let mut rounds: Vec<Vec<Step<'g>>> = Vec::new();
        let mut states: Vec<(BTreeSet<String>, BTreeSet<String>)> = Vec::new();
        while rounds.len() < MOST_ROUNDS {
            let Some(round) = self.round(&mut dispatch, &mut set) else { break };
            rounds.push(round);
            let now = (set.clone(), dispatch.changed().clone());
            if !dispatch.next_round(&only(&set)) {
                break;
            }
            if let Some(at) = states.iter().position(|before| *before == now) {
                return (set, self.cycle(start, rounds, &states[at..], at + 1));
            }
            states.push(now);
        }
        (set, None)
    }

    /// Plays one round; none if the triggers of a change have no end.
    fn round(&self, dispatch: &mut Dispatch<'_>, set: &mut BTreeSet<String>) -> Option<Vec<Step<'g>>> {
        let mut round = Vec::new();
        while let Some(at) = dispatch.next() {
            let node = &self.graph.nodes[at];
            let mut changes = Vec::new();
            for of in node.uses.iter().filter(|of| of.always) {
                match of.what {
                    What::Sets => self.change(set, &of.flag, Edge::Set, &mut changes)?,
                    What::Clears => self.change(set, &of.flag, Edge::Cleared, &mut changes)?,
                    What::Reads => {}
                }
            }
            let changed = changes.iter().map(|(flag, _)| flag.clone()).collect();
            round.push(Step { node, changes });
            dispatch.ran(changed, &only(set));
        }
        Some(round)
    }

    /// Changes a flag, and what triggers change after it: what is set before what is cleared (rule 8).
    fn change(
        &self,
        set: &mut BTreeSet<String>,
        flag: &str,
        edge: Edge,
        changes: &mut Vec<(String, Edge)>,
    ) -> Option<()> {
        let is_change = if edge == Edge::Set { set.insert(flag.to_owned()) } else { set.remove(flag) };
        if !is_change {
            return Some(());
        }
        if changes.len() > self.graph.triggers.len() + self.graph.nodes.len() {
            return None;
        }
        changes.push((flag.to_owned(), edge));
        for then in [Edge::Set, Edge::Cleared] {
            let of_change = |t: &&super::Trigger| t.flag == flag && t.edge == edge && t.then == then;
            for trigger in self.graph.triggers.iter().filter(of_change) {
                self.change(set, &trigger.other, then, changes)?;
            }
        }
        Some(())
    }

    /// The rounds from this one on as a cycle, if all is known that may end it.
    fn cycle(
        &self,
        start: BTreeSet<String>,
        mut rounds: Vec<Vec<Step<'g>>>,
        states: &[(BTreeSet<String>, BTreeSet<String>)],
        from: usize,
    ) -> Option<Cycle<'g>> {
        let repeating = rounds.split_off(from);
        let flags: BTreeSet<&str> =
            repeating.iter().flatten().flat_map(|step| step.node.predicate.flags()).map(AsRef::as_ref).collect();
        let runs = |node: &Node| repeating.iter().flatten().any(|step| step.node.id == node.id);
        let may_run = |node: &Node| {
            let on_flags = node.predicate.0.iter().all(|condition| match condition {
                Condition::Hook { .. } | Condition::Action(_) | Condition::Restricted(_) => false,
                Condition::Flags(..) | Condition::FileChanged(_) | Condition::OnlyOnce | Condition::External => true,
            });
            let holds = |set: &BTreeSet<String>| holds(&node.predicate, &set.iter().map(String::as_str).collect());
            on_flags && !node.is_on_flags() && states.iter().any(|(set, _)| holds(set))
        };
        let mut nodes = self.graph.nodes.iter();
        if nodes.any(|node| (runs(node) || may_run(node)) && disturbs(node, &flags)) {
            return None;
        }
        let bearing = bearing(self.graph, &flags);
        let all_known = |node: &Node| !disturbs(node, &bearing);
        let certain = self.graph.is_known_to_play()
            && rounds.iter().chain(&repeating).flatten().all(|step| all_known(step.node))
            && self.graph.nodes.iter().filter(|node| may_run(node)).all(all_known);
        // Where it goes round without the rounds before it, these are none of it.
        Some(Cycle { start, rounds: repeating, certain })
    }
}

/// The flags on which it depends what becomes of these: others that handlers wait for, and triggers, that may change one of them.
fn bearing<'g>(graph: &'g Graph, flags: &BTreeSet<&'g str>) -> BTreeSet<&'g str> {
    let mut bearing = flags.clone();
    loop {
        let before = bearing.len();
        for node in &graph.nodes {
            let changes_one = node.uses.iter().any(|of| of.what != What::Reads && bearing.contains(of.flag.as_str()));
            if changes_one || disturbs(node, &bearing) {
                bearing.extend(node.predicate.flags().map(AsRef::as_ref));
            }
        }
        let triggered = graph.triggers.iter().filter(|trigger| bearing.contains(trigger.other.as_str()));
        let triggers: Vec<&str> = triggered.map(|trigger| trigger.flag.as_str()).collect();
        bearing.extend(triggers);
        if bearing.len() == before {
            return bearing;
        }
    }
}

/// Whether the handler may do something to the flags that is not played.
fn disturbs(node: &Node, flags: &BTreeSet<&str>) -> bool {
    let is_of = |flag: &String| flags.contains(flag.as_str());
    !node.known
        || !node.is_called
        || node.of_interfaces.iter().any(is_of)
        || node.uses.iter().any(|of| of.what != What::Reads && !of.always && is_of(&of.flag))
}

impl Graph {
    /// Whether nothing but handlers changes flags while they run.
    fn is_known_to_play(&self) -> bool {
        !self.files.has_programs() && self.unseen.iter().all(|id| self.nodes.iter().any(|node| node.id == *id))
    }
}

fn finding(cycle: &Cycle<'_>) -> Finding {
    let mut handlers: Vec<&Node> = Vec::new();
    for step in cycle.rounds.iter().flatten() {
        if !handlers.iter().any(|node| node.id == step.node.id) {
            handlers.push(step.node);
        }
    }
    let told = |step: &Step<'_>| {
        let changes =
            step.changes.iter().map(|(flag, edge)| format!(" {}{flag}", if *edge == Edge::Set { '+' } else { '-' }));
        format!("`{}`{}", step.node.name, changes.collect::<String>())
    };
    let rounds = cycle.rounds.iter().map(|round| round.iter().map(told).collect::<Vec<_>>().join(", "));
    let rounds = rounds.collect::<Vec<_>>().join("; then ");
    let start = match cycle.start.is_empty() {
        true => "from the first hook on".to_owned(),
        false => {
            format!("once {} {} set", super::listed(&cycle.start), if cycle.start.len() == 1 { "is" } else { "are" })
        }
    };
    let message = format!("flags never settle, {start}, and the hook fails: {rounds}; and so on");
    // Told in the order of the source, whichever comes first in the round.
    let place = handlers.iter().find(|node| node.own).or(handlers.first());
    Finding {
        place: place.map(|node| node.place.clone()).unwrap_or_default(),
        kind: Kind::NeverSettles,
        subject: None,
        handlers: handlers.iter().map(|node| node.id.clone()).collect(),
        message,
        certain: cycle.certain,
    }
}
