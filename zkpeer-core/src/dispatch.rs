//! The dispatcher: which handler runs next. It decides and does nothing else.
//!
#![doc = include_str!("docs/rules.md")]
//!
//! Rules 8, 10 and 11 are kept by the triggers, the registry and the run of the hook; the rest here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::predicate::{Phase, Predicate, World};

/// The handlers' conditions, in the order in which handlers run, and who watches which flag.
#[derive(Debug)]
pub(crate) struct Rules {
    predicates: Vec<Rc<Predicate>>,
    /// The handlers that something other than flags decides about.
    beyond_flags: Vec<usize>,
    watchers: BTreeMap<Cow<'static, str>, Vec<usize>>,
}

impl Rules {
    pub(crate) fn new(predicates: Vec<Rc<Predicate>>) -> Self {
        let mut watchers: BTreeMap<Cow<'static, str>, Vec<usize>> = BTreeMap::new();
        for (handler, predicate) in predicates.iter().enumerate() {
            for flag in predicate.flags() {
                let of_flag = watchers.entry(flag.clone()).or_default();
                if of_flag.last() != Some(&handler) {
                    of_flag.push(handler);
                }
            }
        }
        let beyond_flags = (0..predicates.len()).filter(|&handler| predicates[handler].looks_beyond_flags()).collect();
        Self { predicates, beyond_flags, watchers }
    }

    /// All flags that some handler watches.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &str> {
        self.watchers.keys().map(AsRef::as_ref)
    }

    fn watchers(&self, flags: &BTreeSet<String>) -> BTreeSet<usize> {
        flags.iter().filter_map(|flag| self.watchers.get(flag.as_str())).flatten().copied().collect()
    }

    fn holds(&self, handler: usize, world: &impl World) -> bool {
        self.predicates[handler].holds(handler, world)
    }
}

/// One phase of one hook: a queue of handlers, round after round.
#[derive(Debug)]
pub(crate) struct Dispatch<'r> {
    rules: &'r Rules,
    round: u32,
    queue: BTreeSet<usize>,
    changed: BTreeSet<String>,
}

impl<'r> Dispatch<'r> {
    /// Begins round 0 of a phase: every handler of the phase whose conditions hold is queued.
    pub(crate) fn begin(rules: &'r Rules, phase: Phase, world: &impl World) -> Self {
        let of_phase = (0..rules.predicates.len()).filter(|&handler| rules.predicates[handler].phase() == phase);
        let queue = of_phase.filter(|&handler| rules.holds(handler, world)).collect();
        Self { rules, round: 0, queue, changed: BTreeSet::new() }
    }

    /// The number of the round, from 0.
    pub(crate) fn round(&self) -> u32 {
        self.round
    }

    /// The next handler to run in this round; the caller runs it and then says what it changed.
    pub(crate) fn next(&mut self) -> Option<usize> {
        self.queue.pop_first()
    }

    /// What is queued, in its order.
    pub(crate) fn queue(&self) -> &BTreeSet<usize> {
        &self.queue
    }

    /// Takes note of the flags that the last handler really changed, and tests again what is queued; gives what is not
    /// queued any longer.
    pub(crate) fn ran(&mut self, changed: BTreeSet<String>, world: &impl World) -> Vec<usize> {
        let mut dequeued = Vec::new();
        if changed.is_empty() {
            return dequeued;
        }
        let rules = self.rules;
        // The conditions of all others are what they were when they were queued.
        for handler in rules.watchers(&changed).into_iter().chain(rules.beyond_flags.iter().copied()) {
            if self.queue.contains(&handler) && !rules.holds(handler, world) {
                self.queue.remove(&handler);
                dequeued.push(handler);
            }
        }
        self.changed.extend(changed);
        dequeued
    }

    /// Begins the next round with the handlers that watch what changed in this one; false when the flags have settled.
    pub(crate) fn next_round(&mut self, world: &impl World) -> bool {
        let changed = std::mem::take(&mut self.changed);
        let rules = self.rules;
        let watching = rules.watchers(&changed).into_iter();
        self.queue = watching
            .filter(|&handler| rules.predicates[handler].phase() == Phase::Other && rules.holds(handler, world))
            .collect();
        self.round += 1;
        !self.queue.is_empty()
    }

    /// The flags changed in this round so far.
    pub(crate) fn changed(&self) -> &BTreeSet<String> {
        &self.changed
    }
}
