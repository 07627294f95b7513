//! The dispatcher: which handler runs next. It decides and does nothing else.
//!
#![doc = include_str!("docs/rules.md")]
//!
//! Rules 8, 10 and 11 are kept by the triggers, the registry and the run of the hook; the rest here.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::predicate::{Moment, Phase, Predicate, World};

/// The handlers' conditions, in the order in which handlers run, and who watches which flag.
#[derive(Debug)]
pub(crate) struct Rules {
    predicates: Vec<Rc<Predicate>>,
    /// The handlers that something other than flags decides about.
    beyond_flags: Vec<usize>,
    /// The handlers that are programs; which flags they watch they say when they are tested.
    external: Vec<usize>,
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
        let external = (0..predicates.len()).filter(|&handler| predicates[handler].is_external()).collect();
        Self { predicates, beyond_flags, external, watchers }
    }

    /// All flags that some handler watches.
    pub(crate) fn watched(&self) -> impl Iterator<Item = &str> {
        self.watchers.keys().map(AsRef::as_ref)
    }

    fn watchers(&self, flags: &BTreeSet<String>) -> BTreeSet<usize> {
        flags.iter().filter_map(|flag| self.watchers.get(flag.as_str())).flatten().copied().collect()
    }

    fn holds(&self, handler: usize, moment: &Moment<'_>, world: &impl World) -> bool {
        self.predicates[handler].holds(handler, moment, world)
    }
}

/// One phase of one hook: a queue of handlers, round after round.
#[derive(Debug)]
pub(crate) struct Dispatch<'r> {
    rules: &'r Rules,
    phase: Phase,
    round: u32,
    queue: BTreeSet<usize>,
    changed: BTreeSet<String>,
    /// What changed in the round before; none in round 0.
    changed_before: Option<BTreeSet<String>>,
}

impl<'r> Dispatch<'r> {
    /// Begins round 0 of a phase: every handler of the phase whose conditions hold is queued.
    pub(crate) fn begin(rules: &'r Rules, phase: Phase, world: &impl World) -> Self {
        let moment = Moment { phase, changed: None };
        let of_phase = (0..rules.predicates.len()).filter(|&handler| rules.predicates[handler].can_match_in(phase));
        let queue = of_phase.filter(|&handler| rules.holds(handler, &moment, world)).collect();
        Self { rules, phase, round: 0, queue, changed: BTreeSet::new(), changed_before: None }
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
        let moment = Moment { phase: self.phase, changed: self.changed_before.as_ref() };
        // The conditions of all others are what they were when they were queued.
        for handler in rules.watchers(&changed).into_iter().chain(rules.beyond_flags.iter().copied()) {
            if self.queue.contains(&handler) && !rules.holds(handler, &moment, world) {
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
        self.round += 1;
        if changed.is_empty() {
            return false;
        }
        let rules = self.rules;
        let mut watching = rules.watchers(&changed);
        watching.extend(&rules.external);
        let moment = Moment { phase: self.phase, changed: Some(&changed) };
        let is_due = |&handler: &usize| {
            rules.predicates[handler].can_match_in(self.phase) && rules.holds(handler, &moment, world)
        };
        self.queue = watching.into_iter().filter(is_due).collect();
        self.changed_before = Some(changed);
        !self.queue.is_empty()
    }

    /// The flags changed in this round so far.
    pub(crate) fn changed(&self) -> &BTreeSet<String> {
        &self.changed
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::handler::Quantifier;
    use crate::predicate::Condition;

    /// Flags, which are seen to be looked at, and the program that is the handler 0: it waits for the flag `go`, and is seen
    /// to be asked.
    #[derive(Default)]
    struct Flags {
        set: BTreeSet<&'static str>,
        looked_at: RefCell<Vec<String>>,
        asked: RefCell<Vec<(Phase, Option<Vec<String>>)>>,
    }

    impl World for Flags {
        fn is_set(&self, flag: &str) -> bool {
            self.looked_at.borrow_mut().push(flag.to_owned());
            self.set.contains(flag)
        }
        fn is_hook(&self, _: &str) -> bool {
            false
        }
        fn is_action(&self, _: &str) -> bool {
            false
        }
        fn file_changed(&self, _: usize, _: &[&'static str]) -> bool {
            false
        }
        fn has_succeeded(&self, _: usize) -> bool {
            false
        }
        fn wants_to_run(&self, handler: usize, moment: &Moment<'_>) -> bool {
            assert_eq!(handler, 0);
            self.asked
                .borrow_mut()
                .push((moment.phase, moment.changed.map(|changed| changed.iter().cloned().collect())));
            self.set.contains("go")
        }
    }

    fn rules() -> Rules {
        let on = |flag: &'static str| Rc::new(Predicate(vec![Condition::Flags(Quantifier::All, vec![flag.into()])]));
        Rules::new(vec![Rc::new(Predicate(vec![Condition::External])), on("go"), on("other")])
    }

    #[test]
    fn a_program_is_asked_in_each_round_whatever_has_changed_and_told_what() {
        let (rules, mut world) = (rules(), Flags::default());
        let mut dispatch = Dispatch::begin(&rules, Phase::Other, &world);
        assert_eq!(dispatch.next(), None);
        world.set.insert("elsewhere");
        dispatch.ran(["elsewhere".to_owned()].into(), &world);
        assert!(!dispatch.next_round(&world));
        let asked = [(Phase::Other, None), (Phase::Other, Some(vec!["elsewhere".to_owned()]))];
        assert_eq!(*world.asked.borrow(), asked);
    }

    #[test]
    fn only_what_watches_a_changed_flag_is_tested_again() {
        let (rules, world) = (rules(), Flags { set: ["go", "other"].into(), ..Flags::default() });
        let mut dispatch = Dispatch::begin(&rules, Phase::Other, &world);
        assert_eq!(world.looked_at.take(), ["go", "other"]);
        assert_eq!(dispatch.next(), Some(0));
        dispatch.ran(["elsewhere".to_owned()].into(), &world);
        assert_eq!(world.looked_at.take(), [""; 0]);
        dispatch.ran(["other".to_owned()].into(), &world);
        assert_eq!(world.looked_at.take(), ["other"]);
        dispatch.next_round(&world);
        assert_eq!(world.looked_at.take(), ["other"]);
    }

    #[test]
    fn a_program_is_asked_again_while_it_is_queued_and_is_not_queued_by_that() {
        let (rules, mut world) = (rules(), Flags { set: ["go", "other"].into(), ..Flags::default() });
        let mut dispatch = Dispatch::begin(&rules, Phase::Other, &world);
        assert_eq!(dispatch.queue(), &[0, 1, 2].into());
        assert_eq!(dispatch.next(), Some(0));
        // It runs, and is no longer queued.
        assert_eq!(dispatch.ran(["elsewhere".to_owned()].into(), &world), [0; 0]);
        assert_eq!(dispatch.queue(), &[1, 2].into());
        world.set.remove("go");
        assert_eq!(dispatch.ran(["go".to_owned()].into(), &world), [1]);

        let mut dispatch = Dispatch::begin(&rules, Phase::Hooks, &world);
        assert_eq!((dispatch.next(), dispatch.round()), (None, 0), "flags are for the other phase");
        world.set.insert("go");
        dispatch = Dispatch::begin(&rules, Phase::Hooks, &world);
        assert_eq!(dispatch.queue(), &[0].into(), "a program can match in each phase");
        world.set.remove("go");
        assert_eq!(dispatch.ran(["elsewhere".to_owned()].into(), &world), [0]);
        assert_eq!(dispatch.next(), None);
    }
}
