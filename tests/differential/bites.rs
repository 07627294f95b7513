//! That a wrong interpreter is found, soon, and shown in little.

use crate::case::{Case, Condition, Step};
use crate::generate;
use crate::play::{Also, Tally, play_another};
use crate::show::as_test;
use crate::shrink::shrink;
use crate::theirs::Theirs;

/// After so many cases something wrong counts as not found.
const MOST_CASES: u64 = 400;
/// So many handlers and events a case may have that shows it.
const SMALL: (usize, usize) = (3, 6);

/// Ours is told a charm that `wrong` has changed: that is found, and the case that shows it is small.
#[track_caller]
fn is_found(wrong: impl Fn(&mut Case)) {
    let mut theirs = Theirs::start();
    let mut parts = |case: &Case| {
        let mut told = case.clone();
        wrong(&mut told);
        play_another(&told, case, &mut theirs, Also::default(), &mut Tally::default())
    };
    let found = (0..MOST_CASES).map(generate::case).find(|case| parts(case).is_some());
    let found = found.expect("nothing was found");
    let small = shrink(&found, |case| parts(case).is_some());
    let parting = parts(&small).expect("what is shrunk still parts");
    let text = as_test(&small, &parting);
    assert!(small.handlers.len() <= SMALL.0 && small.story.len() <= SMALL.1, "{text}");
    let body = text.split("r##\"").nth(1).and_then(|rest| rest.split("\"##").next()).expect("it is a test");
    assert_eq!(serde_json::from_str::<Case>(body).expect("it is the case"), small);
}

#[test]
fn a_condition_that_is_dropped_is_found() {
    is_found(|case| {
        if let Some(handler) = case.handlers.iter_mut().find(|handler| handler.conditions.len() > 1) {
            handler.conditions.remove(0);
        }
    });
}

#[test]
fn a_condition_that_is_taken_for_another_is_found() {
    is_found(|case| {
        for condition in case.handlers.iter_mut().flat_map(|handler| &mut handler.conditions) {
            if let Condition::NotAll(flags) = condition {
                *condition = Condition::None(flags.clone());
            }
        }
    });
}

#[test]
fn a_step_that_is_left_out_is_found() {
    is_found(|case| {
        for run in case.handlers.iter_mut().flat_map(|handler| &mut handler.runs) {
            run.retain(|step| !matches!(step, Step::Clear(_)));
        }
    });
}

#[test]
fn handlers_in_another_order_are_found() {
    is_found(|case| case.handlers.reverse());
}
