//! Whether something holds eventually: in some state of every story in which nobody who can always go on is left out.
//!
//! A story that never has it either ends without it, or goes round in a circle without it for ever. The circle is fair if
//! each unit that could move in all of its states does move in one of them.

use std::collections::BTreeSet;

/// The graph of what was explored, by the numbers of states in the order in which they were found; 0 is the beginning.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Where each state's moves lead, and whose they are: the number of an actor; none if nobody has to make it.
    pub(super) edges: Vec<Vec<(u32, Option<u8>)>>,
}

impl Graph {
    pub(super) fn add(&mut self, from: u32, to: u32, actor: Option<u8>) {
        self.make(from.max(to));
        if let Some(edges) = self.edges.get_mut(from as usize) {
            edges.push((to, actor));
        }
    }

    /// The state is there, wherever it leads.
    pub(super) fn make(&mut self, state: u32) {
        if self.edges.len() <= state as usize {
            self.edges.resize_with(state as usize + 1, Vec::new);
        }
    }

    fn of(&self, state: u32) -> &[(u32, Option<u8>)] {
        self.edges.get(state as usize).map_or(&[], Vec::as_slice)
    }

    /// A state in which a fair story ends, or that it comes back to for ever, and never was in one of these states.
    pub(super) fn avoids(&self, has: impl Fn(u32) -> bool, is_end: impl Fn(u32) -> bool) -> Option<u32> {
        if has(0) {
            return None;
        }
        let reached = self.reached_without(&has);
        let mut ends: Vec<u32> = reached.iter().copied().filter(|state| is_end(*state)).collect();
        ends.extend(
            self.circles(&reached)
                .into_iter()
                .filter(|circle| self.is_fair(circle))
                .filter_map(|circle| circle.first().copied()),
        );
        ends.into_iter().min()
    }

    fn reached_without(&self, has: &impl Fn(u32) -> bool) -> BTreeSet<u32> {
        let mut reached = BTreeSet::from([0]);
        let mut waiting = vec![0];
        while let Some(state) = waiting.pop() {
            for (to, _) in self.of(state) {
                if !has(*to) && reached.insert(*to) {
                    waiting.push(*to);
                }
            }
        }
        reached
    }

    /// Who could move in all states of the circle, moves in it.
    fn is_fair(&self, circle: &BTreeSet<u32>) -> bool {
        let could = |state: &u32| self.of(*state).iter().filter_map(|(_, actor)| *actor).collect::<BTreeSet<u8>>();
        let mut always = circle.iter().map(could);
        let first = always.next().unwrap_or_default();
        let always = always.fold(first, |all, here| all.intersection(&here).copied().collect());
        let inside =
            |state: &u32| self.of(*state).iter().filter(|(to, _)| circle.contains(to)).filter_map(|(_, actor)| *actor);
        let moves: BTreeSet<u8> = circle.iter().flat_map(inside).collect();
        always.is_subset(&moves)
    }

    /// The largest sets of states of which each leads to each other, and a state that leads to itself: Tarjan's algorithm, without
    /// recursion.
    fn circles(&self, among: &BTreeSet<u32>) -> Vec<BTreeSet<u32>> {
        const NEW: u32 = u32::MAX;
        let size = self.edges.len();
        let (mut index, mut low) = (vec![NEW; size], vec![0_u32; size]);
        let mut on_stack = vec![false; size];
        let (mut stack, mut found, mut next) = (Vec::new(), Vec::new(), 0);
        for root in among {
            if index[*root as usize] != NEW {
                continue;
            }
            let mut calls = vec![(*root, 0_usize)];
            while let Some((state, edge)) = calls.pop() {
                let at = state as usize;
                if edge == 0 {
                    (index[at], low[at]) = (next, next);
                    next += 1;
                    stack.push(state);
                    on_stack[at] = true;
                }
                let later = self.of(state).iter().enumerate().skip(edge).find(|(_, (to, _))| {
                    let to_at = *to as usize;
                    if !among.contains(to) {
                        return false;
                    }
                    if index[to_at] == NEW {
                        return true;
                    }
                    if on_stack[to_at] {
                        low[at] = low[at].min(index[to_at]);
                    }
                    false
                });
                if let Some((number, (to, _))) = later {
                    calls.push((state, number + 1));
                    calls.push((*to, 0));
                    continue;
                }
                if low[at] == index[at] {
                    let mut circle = BTreeSet::new();
                    while let Some(member) = stack.pop() {
                        on_stack[member as usize] = false;
                        circle.insert(member);
                        if member == state {
                            break;
                        }
                    }
                    let turns = circle.len() > 1 || self.of(state).iter().any(|(to, _)| *to == state);
                    if turns {
                        found.push(circle);
                    }
                }
                if let Some((above, _)) = calls.last() {
                    let above = *above as usize;
                    low[above] = low[above].min(low[at]);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u32, u32, u8)]) -> Graph {
        let mut graph = Graph::default();
        graph.make(0);
        edges.iter().for_each(|(from, to, actor)| graph.add(*from, *to, Some(*actor)));
        graph
    }

    fn avoids(graph: &Graph, has: u32) -> Option<u32> {
        graph.avoids(|state| state == has, |state| graph.of(state).is_empty())
    }

    #[test]
    fn a_story_that_ends_without_it_avoids_it() {
        let graph = graph(&[(0, 1, 0), (0, 2, 0), (1, 3, 0)]);
        assert_eq!(avoids(&graph, 2), Some(3));
        assert_eq!(avoids(&graph, 0), None);
    }

    #[test]
    fn a_diamond_is_no_circle() {
        let graph = graph(&[(0, 1, 0), (0, 2, 1), (1, 3, 1), (2, 3, 0)]);
        assert_eq!(avoids(&graph, 3), None);
    }

    #[test]
    fn a_circle_in_which_somebody_waits_for_ever_is_not_fair() {
        // Actor 0 goes to and fro between 0 and 1; actor 1 could go to 2 from both.
        let unfair = graph(&[(0, 1, 0), (1, 0, 0), (0, 2, 1), (1, 2, 1)]);
        assert_eq!(avoids(&unfair, 2), None);
        // If it can only from one of them, the circle is fair: it can not always.
        let fair = graph(&[(0, 1, 0), (1, 0, 0), (0, 2, 1)]);
        assert_eq!(avoids(&fair, 2), Some(0));
    }

    #[test]
    fn circles_are_found_behind_others_and_alone() {
        let graph = graph(&[(0, 1, 0), (1, 2, 0), (2, 1, 0), (2, 3, 0), (3, 3, 0), (3, 4, 0)]);
        let circles = graph.circles(&(0..5).collect());
        assert_eq!(circles, [BTreeSet::from([3]), BTreeSet::from([1, 2])]);
    }
}
