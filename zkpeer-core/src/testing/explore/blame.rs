//! Whose doing it is that something differs, as far as that was seen.

use std::collections::BTreeSet;

use super::difference::Difference;
use super::place::Name;
use crate::context::FLAG_PREFIX;
use crate::testing::instants::{Changed, short};
use crate::testing::outcome::HookRun;
use crate::testing::process::KillPoint;

/// Those who have changed something of it in these runs; if that was not seen, all that ran, one of whom it was.
pub(super) fn who(differences: &[Difference], runs: &[&HookRun]) -> Option<String> {
    let authors = authors(differences, runs);
    if !authors.is_empty() {
        return Some(authors.join(", "));
    }
    let called: BTreeSet<String> = runs.iter().flat_map(|run| called(run)).collect();
    (!called.is_empty()).then(|| called.into_iter().collect::<Vec<_>>().join(" or "))
}

/// The handlers that have changed something of it in these runs, each with its place.
fn authors(differences: &[Difference], runs: &[&HookRun]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for run in runs {
        let of_unit = differences.iter().filter(|difference| difference.whose == run.unit.as_str());
        let differences: Vec<&Difference> = of_unit.collect();
        for instant in &run.instants {
            let (Some(handler), Some(changed)) = (&instant.handler, &instant.changed) else { continue };
            if differences.iter().any(|difference| is_of(difference, changed)) {
                found.insert(named(run, handler));
            }
        }
    }
    found.into_iter().collect()
}

/// Whether a change of this can make that difference.
pub(crate) fn is_of(difference: &Difference, changed: &Changed) -> bool {
    match (&difference.part, changed) {
        (Some(Name::Fake(_, name)), Changed::Fake(changed)) => *name == short(changed),
        (Some(Name::Stored), Changed::Key(key)) => difference.keys.contains(key),
        (Some(Name::Flags), Changed::Key(key)) => {
            key.strip_prefix(FLAG_PREFIX).is_some_and(|flag| difference.keys.contains(flag))
        }
        _ => false,
    }
}

/// The handler that ran when the hook issued its hook command of this number, from 1.
pub(super) fn caller(run: &HookRun, nth: usize) -> Option<String> {
    let instant = run.instants.iter().find(|instant| instant.point == KillPoint::Command(nth))?;
    instant.handler.as_ref().map(|handler| named(run, handler))
}

/// All handlers that were called, each with its place.
fn called(run: &HookRun) -> Vec<String> {
    run.report.iter().flat_map(super::story::called).map(|handler| named(run, handler)).collect()
}

/// The handler with its place: `` `zk::install` (src/main.rs:4) ``.
pub(crate) fn named(run: &HookRun, handler: &str) -> String {
    let calls = run.report.iter().flat_map(|report| &report.rounds).flat_map(|round| &round.handlers);
    let place = calls.filter(|call| call.name == handler).map(|call| &call.place).next();
    match place {
        Some(place) => format!("`{handler}` ({place})"),
        None => handler.to_owned(),
    }
}
