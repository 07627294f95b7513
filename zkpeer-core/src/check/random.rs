//! What is certain is true: random charms are checked, and then run from random states.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::cell::RefCell;
use std::collections::BTreeSet;

use proptest::prelude::*;

use super::handlers::{self, Stuck};
use super::{order, settle};
use crate::context::Call;
use crate::notes::{FlagName, FlagUse, Notes, What};
use crate::testing::Unit;
use crate::{Charm, ConditionDef, Flag, Flags, HandlerDef, HookOutcome, Outcome, ParamDef, Quantifier};

const FLAGS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// As many as there are functions below.
const MOST_HANDLERS: usize = 6;

/// A handler as data: its conditions, and what it does, each time or only when the flag `e` is set.
#[derive(Clone, Debug)]
struct Shape {
    conditions: Vec<(Quantifier, BTreeSet<usize>)>,
    changes: Vec<(bool, usize, bool)>,
}

/// A charm as data: its handlers, its triggers, and the flags that some hook sets.
#[derive(Clone, Debug)]
struct Case {
    handlers: Vec<Shape>,
    triggers: Vec<(usize, bool, bool, usize)>,
    from_outside: BTreeSet<usize>,
}

fn quantifier() -> impl Strategy<Value = Quantifier> {
    use Quantifier::{All, Any, None, NotAll};
    prop_oneof![4 => Just(All), 1 => Just(Any), 3 => Just(None), 1 => Just(NotAll)]
}

fn shape() -> impl Strategy<Value = Shape> {
    let flags = || prop::collection::btree_set(0..FLAGS.len(), 1..3);
    let change = (any::<bool>(), 0..FLAGS.len(), prop::bool::weighted(0.95));
    let conditions = prop::collection::vec((quantifier(), flags()), 1..3);
    (conditions, prop::collection::vec(change, 1..4)).prop_map(|(conditions, changes)| Shape { conditions, changes })
}

fn case() -> impl Strategy<Value = Case> {
    let flag = || 0..FLAGS.len();
    let triggers = prop::collection::vec((flag(), any::<bool>(), any::<bool>(), flag()), 0..2);
    let from_outside = prop::collection::btree_set(flag(), 1..4);
    (prop::collection::vec(shape(), 1..=MOST_HANDLERS), triggers, from_outside)
        .prop_map(|(handlers, triggers, from_outside)| Case { handlers, triggers, from_outside })
}

thread_local! {
    static PLAYED: RefCell<Option<Case>> = const { RefCell::new(None) };
}

/// Does what the case says that the handler of this number does.
fn act<const NUMBER: usize>(call: &Call<'_>) -> Outcome {
    let flags = Flags::of(call.context());
    let changes = PLAYED.with_borrow(|case| case.as_ref().map(|case| case.handlers[NUMBER].changes.clone()));
    for (set, flag, always) in changes.unwrap_or_default() {
        if always || flags.is_set("e") {
            flags.toggle(FLAGS[flag], set);
        }
    }
    Outcome::Done
}

/// Sets the flags that come from outside.
fn begin(call: &Call<'_>) -> Outcome {
    let flags = Flags::of(call.context());
    let set = PLAYED.with_borrow(|case| case.as_ref().map(|case| case.from_outside.clone()));
    set.into_iter().flatten().for_each(|flag| flags.set(FLAGS[flag]));
    Outcome::Done
}

const ACTS: [fn(&Call<'_>) -> Outcome; MOST_HANDLERS] = [act::<0>, act::<1>, act::<2>, act::<3>, act::<4>, act::<5>];

/// The handlers as the macros would have made them; they live for ever, as written ones do.
fn defs(case: &Case) -> Vec<&'static HandlerDef> {
    let params: &'static [ParamDef] = vec![ParamDef::of::<Flags>("flags", "Flags")].leak();
    let def = |number: usize, conditions: Vec<ConditionDef>, uses: Vec<FlagUse>, run| -> &'static HandlerDef {
        let notes = Notes { uses: uses.leak(), whole: true, declared: false, allowed: &[] };
        let (name, line) = (format!("h{number}").leak(), u32::try_from(number).unwrap());
        let notes = Box::leak(Box::new(notes));
        let new = HandlerDef::new("tests", "random", name, "random.rs", line, conditions.leak(), params, run, notes);
        Box::leak(Box::new(new))
    };
    let name = |flag: usize| FlagName::Text(FLAGS[flag]);
    let mut defs: Vec<&'static HandlerDef> = Vec::new();
    for (number, (shape, run)) in case.handlers.iter().zip(ACTS).enumerate() {
        let conditions = shape.conditions.iter().map(|(quantifier, flags)| {
            let flags: Vec<Flag> = flags.iter().map(|flag| Flag::new(FLAGS[*flag])).collect();
            ConditionDef::Flags(*quantifier, flags.leak())
        });
        let uses = shape.changes.iter().map(|(set, flag, always)| {
            let what = if *set { What::Sets } else { What::Clears };
            FlagUse { what, flag: name(*flag), line: 1, always: *always }
        });
        defs.push(def(number, conditions.collect(), uses.collect(), run));
    }
    let sets =
        case.from_outside.iter().map(|flag| FlagUse { what: What::Sets, flag: name(*flag), line: 1, always: false });
    defs.push(def(MOST_HANDLERS, vec![ConditionDef::Hook(&["start"])], sets.collect(), begin));
    defs
}

fn charm(case: &Case) -> Charm {
    let triggers = case.triggers.clone();
    Charm::new().handlers(&defs(case)).triggers(move |register| {
        for (flag, set, then_set, other) in &triggers {
            let on = if *set { register.when(FLAGS[*flag]) } else { register.when_not(FLAGS[*flag]) };
            if *then_set {
                on.set(FLAGS[*other])
            } else {
                on.clear(FLAGS[*other])
            };
        }
    })
}

/// A unit that is put into any state.
struct Player(Unit);

impl Player {
    fn new(case: &Case) -> Self {
        PLAYED.set(Some(case.clone()));
        Self(Unit::of(charm(case)))
    }

    /// Runs a hook on these flags: the handlers that ran, and the flags after it, unless they did not settle. None if triggers
    /// had no end.
    fn run(&mut self, set: &BTreeSet<String>, hook: &str) -> Option<(Vec<String>, Option<BTreeSet<String>>)> {
        let unit = &mut self.0;
        for flag in FLAGS {
            if set.contains(flag) { unit.set_flag(flag) } else { unit.clear_flag(flag) }
        }
        let report = unit.try_run(hook);
        let error = report.error.as_deref().unwrap_or_default();
        let failed = report.outcome == HookOutcome::Failed;
        if failed && !error.contains("settle") {
            return None;
        }
        let ran = report.handlers().into_iter().map(str::to_owned).collect();
        Some((ran, (!failed).then(|| unit.flags().into_iter().collect())))
    }
}

fn all_states() -> impl Iterator<Item = BTreeSet<String>> {
    (0..1_u32 << FLAGS.len()).map(|bits| {
        FLAGS.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, flag)| (*flag).to_owned()).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Handlers that never run do not, in no hook after the first; those that contradict themselves from no state at all; and
    /// one that never gets its turn from no state at all.
    #[test]
    fn what_never_runs_is_never_seen_to_run(case in case()) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("metadata.yaml"), "name: app\n").unwrap();
        let graph = charm(&case).graph(directory.path()).unwrap();
        let stuck = handlers::stuck(&graph);
        let names = |wanted: &dyn Fn(&Option<Stuck>) -> bool| -> Vec<&str> {
            let of = graph.nodes.iter().zip(&stuck).filter(|(_, why)| wanted(why));
            of.map(|(node, _)| node.name.as_str()).collect()
        };
        let contradict = names(&|why| *why == Some(Stuck::Contradiction));
        let never = names(&|why| why.is_some());
        let pairs = order::pairs(&graph);
        let mut player = Player::new(&case);
        for state in all_states() {
            let Some((ran, _)) = player.run(&state, "start") else { continue };
            prop_assert!(!ran.iter().any(|name| contradict.contains(&name.as_str())), "{ran:?} from {state:?}");
            for pair in &pairs {
                let late = ran.contains(&pair.second.name) && pair.always;
                prop_assert!(!late, "{} after {} from {state:?}", pair.second.name, pair.first.name);
            }
        }
        // From nothing, as a unit's life begins: whatever the hooks are.
        let mut reached = BTreeSet::from([BTreeSet::new()]);
        let mut left: Vec<BTreeSet<String>> = reached.iter().cloned().collect();
        while let Some(state) = left.pop() {
            for hook in ["start", "update-status"] {
                let Some((ran, after)) = player.run(&state, hook) else { continue };
                prop_assert!(!ran.iter().any(|name| never.contains(&name.as_str())), "{ran:?} from {state:?}");
                left.extend(after.filter(|after| reached.insert(after.clone())));
            }
        }
    }

    /// A cycle that is certain fails the hook that begins where it says.
    #[test]
    fn what_never_settles_does_not_settle(case in case()) {
        prop_assert_eq!(settled_after_all(&case), None);
    }
}

/// A cycle that is certain, and settles: the handlers that ran, and where it was to begin.
fn settled_after_all(case: &Case) -> Option<(Vec<String>, BTreeSet<String>)> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("metadata.yaml"), "name: app\n").unwrap();
    let graph = charm(case).graph(directory.path()).unwrap();
    settle::cycles(&graph).iter().filter(|cycle| cycle.certain).find_map(|cycle| {
        let (ran, after) = Player::new(case).run(&cycle.start, "update-status")?;
        after.map(|_| (ran, cycle.start.clone()))
    })
}

#[test]
fn what_a_handler_of_the_cycle_may_do_lets_another_end_it() {
    use Quantifier::{All, None, NotAll};
    let shape = |conditions: &[(Quantifier, &[usize])], changes: &[(bool, usize, bool)]| Shape {
        conditions: conditions
            .iter()
            .map(|(quantifier, flags)| (*quantifier, flags.iter().copied().collect()))
            .collect(),
        changes: changes.to_vec(),
    };
    let (a, d, e) = (0, 3, 4);
    let case = Case {
        handlers: vec![
            shape(&[(All, &[e])], &[(false, e, true), (true, e, true), (false, d, false)]),
            shape(&[(None, &[a])], &[(true, d, true)]),
            shape(&[(None, &[d]), (NotAll, &[a, e])], &[(false, e, true)]),
        ],
        triggers: Vec::new(),
        from_outside: BTreeSet::from([a]),
    };
    assert_eq!(settled_after_all(&case), Option::None);
}

/// Not one of the claims is empty: random charms have all that is looked for.
#[test]
fn random_charms_have_what_is_looked_for() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("metadata.yaml"), "name: app\n").unwrap();
    let mut runner = TestRunner::deterministic();
    let (mut stuck, mut late, mut cycles) = (0, 0, 0);
    for _ in 0..300 {
        let case = case().new_tree(&mut runner).unwrap().current();
        let graph = charm(&case).graph(directory.path()).unwrap();
        stuck += usize::from(handlers::stuck(&graph).iter().any(Option::is_some));
        late += usize::from(order::pairs(&graph).iter().any(|pair| pair.always));
        cycles += usize::from(settle::cycles(&graph).iter().any(|cycle| cycle.certain));
    }
    assert!(stuck > 30 && late > 5 && cycles > 10, "{stuck} {late} {cycles}");
}
