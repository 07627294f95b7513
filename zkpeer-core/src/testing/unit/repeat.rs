//! Whether a hook that is run twice from the same state does the same, and who does not.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::path::PathBuf;

use super::Unit;
use super::run::{UnitRun, short};
use crate::record::Noted;
use crate::report::CallOutcome;
use crate::testing::apart::{NOTHING, parted};
use crate::testing::charm::files;
use crate::trigger::Edge;

const ADVICE: &str = "what a handler does is to depend on the unit's state alone; time and chance belong into a resource \
                      that a test can replace";

impl UnitRun {
    /// The hook does the same when it is run again from the same state: it is so run, and everything compared, to the files in
    /// the charm's directory. What depends on the time, on chance, or on the order of a `HashMap` does not; the message names
    /// the handler.
    ///
    /// [Resources](crate::Resource) are the same values both times.
    ///
    /// # Panics
    ///
    /// If it does something else.
    #[track_caller]
    pub fn assert_deterministic(&self) -> &Self {
        let again = self.before.copy_and_play(self.happening.clone());
        if let Some(difference) = difference(self, &again) {
            self.fail(&format!("{difference}\n  {ADVICE}"));
        }
        self
    }
}

/// What is not the same, and whose doing it is.
fn difference(one: &UnitRun, two: &UnitRun) -> Option<String> {
    let at = (0..one.record.len().max(two.record.len())).find(|at| one.record.get(*at) != two.record.get(*at));
    let found = results(one, two);
    let Some(at) = at else {
        let whose = "the hook is not deterministic";
        return found.map(|found| format!("{whose}: {found}"));
    };
    let whose = match running(one, at) {
        Some(id) => {
            let place = one.handlers().iter().find(|handler| handler.id == id).map(|handler| handler.place());
            format!("`{}` ({}) is not deterministic", short(id), place.unwrap_or_default())
        }
        None => "the hook is not deterministic".to_owned(),
    };
    let (first, second) = (one.record.get(at), two.record.get(at));
    let (told, told_again) = (told(first), told(second));
    let what = match found {
        // It has stored or buffered something else; what that is the results show.
        Some(found) if told == told_again => found,
        None if told == told_again => "what it sends is not the same".to_owned(),
        _ => format!("{told}, and the second time {told_again}"),
    };
    Some(format!("{whose}: {what}"))
}

/// The handler that ran when the step was noted; one that ends is that step's.
fn running(run: &UnitRun, at: usize) -> Option<&str> {
    let before = run.record.get(..at)?.iter().rev();
    before.take_while(|noted| !matches!(noted, Noted::Ended { .. })).find_map(|noted| match noted {
        Noted::Began(id) => Some(id.as_str()),
        _ => None,
    })
}

fn told(noted: Option<&Noted>) -> String {
    match noted {
        None => "the hook is over".to_owned(),
        Some(Noted::Round { round, .. }) => format!("round {round} begins"),
        Some(Noted::Dequeued(_)) => "a handler is no longer queued".to_owned(),
        Some(Noted::Began(id)) => format!("`{}` runs", short(id)),
        Some(Noted::Changed { flag, edge: Edge::Set, .. }) => format!("the flag `{flag}` is set"),
        Some(Noted::Changed { flag, edge: Edge::Cleared, .. }) => format!("the flag `{flag}` is cleared"),
        Some(Noted::Ended { outcome: CallOutcome::Failed, reason, .. }) => {
            format!("it fails: {}", reason.as_deref().unwrap_or_default())
        }
        Some(Noted::Ended { .. }) => "it is done".to_owned(),
        Some(Noted::Settled(_)) => "the flags have settled".to_owned(),
    }
}

/// What is left of the hook, and is not the same.
fn results(one: &UnitRun, two: &UnitRun) -> Option<String> {
    let texts = |run: &UnitRun| {
        run.commands().iter().map(|command| format!("{command} -> {}", command.stdout.trim())).collect::<Vec<_>>()
    };
    let (commands, again) = (texts(one), texts(two));
    of_maps("what is stored under", &one.after.stored(), &two.after.stored())
        .or_else(|| {
            let at = (0..commands.len().max(again.len())).find(|at| commands.get(*at) != again.get(*at))?;
            let (once, again) = in_turn(commands.get(at).cloned(), again.get(at).cloned(), "no hook command");
            Some(format!("{once}, and the second time {again}"))
        })
        .or_else(|| {
            let numbered = |run: &UnitRun| run.after.fake_texts().into_iter().enumerate().collect::<BTreeMap<_, _>>();
            of_maps("outside Juju, fake", &numbered(one), &numbered(two))
        })
        .or_else(|| of_maps("the file", &contents(&one.after), &contents(&two.after)))
        .or_else(|| {
            (one.failure != two.failure).then(|| {
                let how = |run: &UnitRun| {
                    run.failure.as_ref().map_or("it succeeds".to_owned(), |why| format!("it fails: {why}"))
                };
                format!("{}, and the second time {}", how(one), how(two))
            })
        })
}

/// Two values of which one may not be there.
fn in_turn(one: Option<String>, two: Option<String>, nothing: &str) -> (String, String) {
    let (once, again) = parted(one.as_deref().unwrap_or_default(), two.as_deref().unwrap_or_default());
    let shown = |value: Option<String>, shown: String| value.map_or(nothing.to_owned(), |_| format!("`{shown}`"));
    (shown(one, once), shown(two, again))
}

/// The first key with another value.
fn of_maps<K: Ord + Display, V: PartialEq + Display>(
    what: &str,
    one: &BTreeMap<K, V>,
    two: &BTreeMap<K, V>,
) -> Option<String> {
    let key = one.keys().chain(two.keys()).find(|key| one.get(*key) != two.get(*key))?;
    let value = |all: &BTreeMap<K, V>| all.get(key).map(ToString::to_string);
    let (once, again) = in_turn(value(one), value(two), NOTHING);
    Some(format!("{what} `{key}` is {once}, and the second time {again}"))
}

/// The files in the charm's directory. One that cannot be read has no content to compare.
fn contents(unit: &Unit) -> BTreeMap<String, String> {
    let directory = unit.charm_dir();
    let paths = files(directory).unwrap_or_default();
    let content = |path: PathBuf| {
        let bytes = fs::read(directory.join(&path)).unwrap_or_default();
        (path.display().to_string(), String::from_utf8_lossy(&bytes).into_owned())
    };
    paths.into_iter().map(content).collect()
}
