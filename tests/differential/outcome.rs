//! What a hook has done, as both sides tell it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use zkpeer_core::Phase;

use crate::case::Bag;

/// What there is when a hook has ended, and how it went.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Outcome {
    pub(crate) rounds: Vec<Round>,
    pub(crate) failure: Option<String>,
    /// Everything stored, as text with the keys of objects in order.
    pub(crate) rows: BTreeMap<String, String>,
    /// How often each handler has run.
    pub(crate) counts: Vec<usize>,
    pub(crate) files: BTreeMap<String, String>,
    pub(crate) settings: Bag,
    /// The unit's own databags, by relation.
    pub(crate) own: BTreeMap<String, Bag>,
    /// Those of its application.
    pub(crate) own_app: BTreeMap<String, Bag>,
}

/// The handlers of one round, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Round(pub(crate) String, pub(crate) u32, pub(crate) Vec<String>);

impl Round {
    pub(crate) fn of(round: &zkpeer_core::Round) -> Self {
        let phase = match round.phase {
            Phase::Restricted => "restricted",
            Phase::Hooks => "hooks",
            Phase::Other => "other",
        };
        let name = |path: &str| path.rsplit("::").next().unwrap_or(path).to_owned();
        Self(phase.to_owned(), round.round, round.handlers.iter().map(|call| name(&call.name)).collect())
    }

    /// The same whatever the order within the round.
    pub(crate) fn unordered(&self) -> (&str, u32, BTreeSet<&str>) {
        (&self.0, self.1, self.2.iter().map(String::as_str).collect())
    }
}

/// The keys that one side alone has: of charms.reactive what it needs within a hook, of zkpeer what it needs to be all or
/// nothing, and to know what is new. `reactive.flag_set_triggers.*` and `reactive.flag_clear_triggers.*` are gone at the end.
fn is_private(key: &str) -> bool {
    let of_theirs = key.starts_with("reactive.dispatch.") || key == "reactive.state_watch";
    of_theirs || key == "zkpeer.unconfirmed" || key == "zkpeer.config" || key.starts_with("zkpeer.files_left.")
}

/// Where two outcomes differ, in words; none if they do not.
pub(crate) fn difference(ours: &Outcome, theirs: &Outcome) -> Option<(Aspect, String)> {
    let rows = |outcome: &Outcome| -> BTreeMap<String, String> {
        outcome
            .rows
            .iter()
            .filter(|(key, _)| !is_private(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    };
    let (our_rows, their_rows) = (rows(ours), rows(theirs));
    let own = |outcome: &Outcome| -> Vec<(bool, String, Bag)> {
        let all = outcome.own.iter().map(|bag| (false, bag)).chain(outcome.own_app.iter().map(|bag| (true, bag)));
        all.filter(|(_, (_, bag))| !bag.is_empty()).map(|(app, (of, bag))| (app, of.clone(), bag.clone())).collect()
    };
    if ours.failure.is_some() != theirs.failure.is_some() {
        return Some((Aspect::Failure, format!("ours: {:?}\ntheirs: {:?}", ours.failure, theirs.failure)));
    }
    if ours.rounds != theirs.rounds {
        return Some((Aspect::Rounds, format!("ours: {:?}\ntheirs: {:?}", ours.rounds, theirs.rounds)));
    }
    if our_rows != their_rows {
        let keys: BTreeSet<&String> = our_rows.keys().chain(their_rows.keys()).collect();
        let differ = keys.into_iter().filter(|key| our_rows.get(*key) != their_rows.get(*key));
        let lines: Vec<String> = differ
            .map(|key| format!("  {key}: ours {}, theirs {}", shown(our_rows.get(key)), shown(their_rows.get(key))))
            .collect();
        return Some((Aspect::Stored, lines.join("\n")));
    }
    if own(ours) != own(theirs) {
        return Some((Aspect::Databags, format!("ours: {:?}\ntheirs: {:?}", own(ours), own(theirs))));
    }
    if ours.settings != theirs.settings {
        return Some((Aspect::Settings, format!("ours: {:?}\ntheirs: {:?}", ours.settings, theirs.settings)));
    }
    if ours.counts != theirs.counts {
        return Some((Aspect::Counts, format!("ours: {:?}\ntheirs: {:?}", ours.counts, theirs.counts)));
    }
    if ours.files != theirs.files {
        return Some((Aspect::Files, format!("ours: {:?}\ntheirs: {:?}", ours.files, theirs.files)));
    }
    None
}

fn shown(text: Option<&String>) -> &str {
    text.map_or("nothing", String::as_str)
}

/// What a difference is about. One that shrinks stays about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Aspect {
    Failure,
    Rounds,
    Stored,
    Databags,
    Settings,
    Counts,
    Files,
    /// A hook differs from the original's, and no number has been used.
    Unnumbered,
}
