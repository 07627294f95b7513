//! What an exploration of crashes has found, or why it could not say.

use std::collections::BTreeSet;
use std::fmt;

use super::crash::{Crashing, Happened, Try};
use super::play::Place;
use crate::testing::error::Error;
use crate::testing::explore::blame;
use crate::testing::explore::difference::{self, Difference};
use crate::testing::instants::{Changed, short};
use crate::testing::outcome::HookRun;
use crate::testing::process::KillPoint;

/// A crash after which all does not end as it would have.
///
/// Its text tells where it was, what differs, which handler cannot be repeated, and how to see it again.
#[derive(Clone)]
#[non_exhaustive]
pub struct Crash {
    /// The hook, and its unit.
    pub hook: String,
    /// What befell it, and when.
    pub instant: String,
    /// The handler that ran then, with its place.
    pub handler: Option<String>,
    /// What has come of it.
    pub differs: String,
    /// The handlers that have changed the same before the crash and again after it, which is not safe to repeat here.
    pub repeated: Vec<String>,
    /// What [`Crashes::replay`](super::Crashes::replay) takes to see it again.
    pub replay: String,
}

/// Where all stands when all is quiet, and may not.
pub(super) struct Elsewhere {
    /// The operator's doing that is next, if there is one.
    pub(super) before: Option<String>,
    /// In what it differs from each of the stories that may be: what happens in that one, in a sentence and in two words.
    pub(super) than: Vec<((&'static str, &'static str), Vec<Difference>)>,
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.before {
            Some(doing) => write!(f, "Once all was quiet, before `{doing}`, this was ")?,
            None => f.write_str("At the end, when all was quiet, this was ")?,
        }
        for (nth, ((story, label), differences)) in self.than.iter().enumerate() {
            let and = if nth > 0 { "\nand " } else { "" };
            write!(f, "{and}other than {story}:{}", difference::tell(differences, (label, "now")))?;
        }
        Ok(())
    }
}

/// What befell the hook, try by try.
fn what_befell(happened: &Happened) -> String {
    let tries: Vec<String> = happened.tries.iter().map(befell).collect();
    tries.join("; in its next try it ")
}

fn befell(of: &Try) -> String {
    match (of.place, &of.instant) {
        (Place::Kill(_), Some(instant)) => format!("was killed {}", instant.what),
        (Place::Kill(_), None) => "was killed before it did anything".to_owned(),
        (Place::Refused, _) => "exited 0, and Juju refused its changes".to_owned(),
        (Place::LeadershipLost, _) => {
            "exited 0, and its unit was no leader any more when its changes were to be applied".to_owned()
        }
    }
}

/// What handlers have changed outside the store in an earlier try and again in the last one, and is other than it should be.
fn repeated(crashing: &Crashing<'_>, happened: &Happened, differences: &[Difference]) -> Vec<String> {
    let changes = |run: &HookRun| -> BTreeSet<(String, Changed)> {
        let changes =
            run.instants.iter().filter_map(|instant| Some((instant.handler.clone()?, instant.changed.clone()?)));
        changes.collect()
    };
    let before: BTreeSet<(String, Changed)> = happened.tries.iter().flat_map(|of| changes(&of.run)).collect();
    let again = happened.retried.as_ref().map(changes).unwrap_or_default();
    let both = before.intersection(&again);
    let differs = both.filter(|(_, what)| differences.iter().any(|difference| blame::is_of(difference, what)));
    let told = |(handler, what): &(String, Changed)| {
        let Changed::Fake(what) = what else { return None };
        let handler = blame::named(&crashing.hook().run, handler);
        let what = short(what);
        Some(format!("Handler {handler} changed `{what}` twice: before that, and again in the next try"))
    };
    differs.filter_map(told).collect()
}

impl Crash {
    fn new(crashing: &Crashing<'_>, happened: &Happened, differs: String) -> Self {
        let hook = crashing.hook();
        let last = happened.tries.last().and_then(|of| of.instant.as_ref());
        let handler = last.and_then(|instant| instant.handler.as_ref());
        let seed = crashing.told.seed.map(|seed| format!("seed {seed}, ")).unwrap_or_default();
        let places: Vec<String> = crashing.places.iter().map(ToString::to_string).collect();
        Self {
            hook: format!("{} of {}", hook.hook, hook.unit),
            instant: what_befell(happened),
            handler: handler.map(|handler| blame::named(&hook.run, handler)),
            repeated: Vec::new(),
            differs,
            replay: format!("{seed}hook {}, {}", crashing.number + 1, places.join(", ")),
        }
    }

    /// The story is elsewhere when all is quiet.
    pub(super) fn elsewhere(crashing: &Crashing<'_>, happened: &Happened, elsewhere: &Elsewhere) -> Self {
        let differences = elsewhere.than.first().map(|(_, differences)| differences.as_slice()).unwrap_or_default();
        let repeated = repeated(crashing, happened, differences);
        Self { repeated, ..Self::new(crashing, happened, elsewhere.to_string()) }
    }

    /// A hook fails that would not have.
    pub(super) fn failed(crashing: &Crashing<'_>, happened: &Happened, run: &HookRun) -> Self {
        Self::new(crashing, happened, format!("Then {}", run.problem().unwrap_or_default()))
    }

    /// Nothing comes of what an operator does.
    pub(super) fn undone(crashing: &Crashing<'_>, happened: &Happened, why: String) -> Self {
        Self::new(crashing, happened, format!("Then {why}"))
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, instant, handler, differs, repeated, replay } = self;
        let ran = handler.as_ref().map(|handler| format!(", in handler {handler}")).unwrap_or_default();
        writeln!(f, "{hook} {instant}{ran}.\n{differs}")?;
        for repeated in repeated {
            writeln!(
                f,
                "{repeated}; it should look first whether that is done, or do it so that it may be done twice"
            )?;
        }
        writeln!(
            f,
            "\nTo see it again: `.replay(\"{replay}\")` in the place of `.run()`; as a test of its own, in which"
        )?;
        writeln!(f, "`fn explored_crashes() -> Result<Crashes, Error>` makes the exploration without `.run()`:\n")?;
        writeln!(f, "#[test]\nfn {}() -> Result<(), CrashError> {{", function(hook, replay))?;
        write!(f, "    explored_crashes()?.replay(\"{replay}\").map(drop)\n}}\n")
    }
}

impl fmt::Debug for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A function's name of words.
fn function(hook: &str, replay: &str) -> String {
    let words = format!("{hook} {replay}");
    let words = words.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

/// Reads what [`Crash::replay`] has: the seed, the number of the hook from 0, and what befalls it, try by try.
pub(super) fn read(text: &str) -> Option<(Option<u64>, usize, Vec<Place>)> {
    let mut parts: Vec<&str> = text.split(", ").collect();
    let seed = match parts.first()?.strip_prefix("seed ") {
        Some(seed) => {
            parts.remove(0);
            Some(seed.parse().ok()?)
        }
        None => None,
    };
    let (hook, places) = parts.split_first()?;
    let number: usize = hook.strip_prefix("hook ")?.parse().ok()?;
    let places: Vec<Place> = places.iter().map(|place| read_place(place)).collect::<Option<_>>()?;
    (!places.is_empty()).then_some((seed, number.checked_sub(1)?, places))
}

fn read_place(text: &str) -> Option<Place> {
    Some(match text {
        "refused" => Place::Refused,
        "leadership lost" => Place::LeadershipLost,
        point => Place::Kill(read_point(point)?),
    })
}

fn read_point(text: &str) -> Option<KillPoint> {
    if text == "exit" {
        return Some(KillPoint::Exit);
    }
    let Some((what, nth)) = text.split_once(' ') else { return text.parse().ok() };
    let nth = nth.parse().ok()?;
    Some(match what {
        "change" => KillPoint::Change(nth),
        "changed" => KillPoint::Changed(nth),
        "write" => KillPoint::Write(nth),
        "commit" => KillPoint::Commit(nth),
        "committed" => KillPoint::Committed(nth),
        _ => return text.parse().ok(),
    })
}

/// Why an exploration of crashes is no success.
///
/// `Debug` is written as the message is, for tests that return it or `unwrap` it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CrashError {
    /// A crash leads elsewhere.
    #[error("{0}")]
    Found(Box<Crash>),
    /// The story does not go well undisturbed.
    #[error("the story does not go well undisturbed, so nothing can be said of crashes: {0}")]
    Undisturbed(String),
    /// The same story was another one the second time, without any crash.
    #[error(
        "{step} did something else when it was run again in the same state, so nothing can be said of crashes: {what}\n\
         Handlers may depend on what is in the model only. Put what else they look at (time, chance, global state, files outside \
         the charm's directory) into a resource, and a fake in its place."
    )]
    NotDeterministic {
        /// What happened twice.
        step: String,
        /// How the two differ.
        what: String,
    },
    /// Nothing was to be explored.
    #[error("{0}")]
    Nothing(String),
    /// The text is not one that an exploration has given.
    #[error("`{0}` is no crash of this exploration: give it as it was printed, to the same model with the same doings")]
    NoCrash(String),
    /// The model cannot be, or cannot be explored.
    #[error(transparent)]
    Model(#[from] Error),
}

impl CrashError {
    pub(super) fn not_deterministic(step: String, what: String) -> Self {
        Self::NotDeterministic { step, what }
    }

    /// Juju does not run the hook so often.
    pub(super) fn no_such_try(crashing: &Crashing<'_>) -> Self {
        Self::NoCrash(crashing.places.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for CrashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_is_read_as_it_is_written() {
        assert_eq!(read("seed 3, hook 12, changed 2"), Some((Some(3), 11, vec![Place::Kill(KillPoint::Changed(2))])));
        assert_eq!(read("hook 1, leadership lost"), Some((None, 0, vec![Place::LeadershipLost])));
        let twice = vec![Place::Refused, Place::Kill(KillPoint::Exit)];
        assert_eq!(read("hook 2, refused, exit"), Some((None, 1, twice)));
        for place in
            ["start", "command 1", "answer 2", "change 1", "write 9", "commit 1", "committed 1", "exit", "refused"]
        {
            let (_, _, read) = read(&format!("hook 1, {place}")).unwrap();
            assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [place]);
        }
        for wrong in ["", "hook 0, exit", "hook 1", "hook 1, exit, ", "seed x, hook 1, exit", "hook 1, often"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
