//! What an exploration of crashes has found, or why it could not say.

use std::collections::BTreeSet;
use std::fmt;

use super::play::Place;
use super::told::{Told, ToldHook};
use crate::testing::error::Error;
use crate::testing::instants::{Instant, short};
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

/// What happened in a hook, and when it was run again.
pub(super) struct Happened<'t> {
    pub(super) place: Place,
    pub(super) told: &'t Told,
    pub(super) number: usize,
    pub(super) disturbed: HookRun,
    pub(super) retried: Option<HookRun>,
}

impl Happened<'_> {
    fn hook(&self) -> &ToldHook {
        &self.told.hooks[self.number]
    }

    /// The instant at which it was killed.
    fn instant(&self) -> Option<&Instant> {
        let Place::Kill(point) = self.place else { return None };
        self.hook().instants.iter().find(|instant| instant.point == point)
    }

    fn what(&self) -> String {
        match (self.place, self.instant()) {
            (Place::Kill(_), Some(instant)) => format!("was killed {}", instant.what),
            (Place::Kill(_), None) => "was killed before it did anything".to_owned(),
            (Place::Refused, _) => "exited 0, and Juju refused its changes".to_owned(),
            (Place::LeadershipLost, _) => {
                "exited 0, and its unit was no leader any more when its changes were to be applied".to_owned()
            }
        }
    }

    fn named(&self, handler: &str) -> String {
        match self.hook().places.get(handler) {
            Some(place) => format!("`{handler}` ({place})"),
            None => handler.to_owned(),
        }
    }

    /// What handlers have changed both times, and is other than it should be.
    fn repeated(&self, differs: &str) -> Vec<String> {
        let changes = |run: &HookRun| -> BTreeSet<(String, &'static str)> {
            let changes = run.instants.iter().filter_map(|instant| Some((instant.handler.clone()?, instant.changed?)));
            changes.collect()
        };
        let before = changes(&self.disturbed);
        let again = self.retried.as_ref().map(changes).unwrap_or_default();
        let told = |(handler, what): &(String, &'static str)| {
            format!(
                "handler {} changed `{}` twice: before that, and again in the next try",
                self.named(handler),
                short(what)
            )
        };
        let both = before.intersection(&again).filter(|(_, what)| differs.contains(&format!("`{}` of ", short(what))));
        both.map(told).collect()
    }
}

impl Crash {
    fn new(happened: &Happened<'_>, differs: String) -> Self {
        let Happened { place, told, number, .. } = happened;
        let hook = happened.hook();
        let handler = happened.instant().and_then(|instant| instant.handler.as_ref());
        let seed = told.seed.map(|seed| format!("seed {seed}, ")).unwrap_or_default();
        Self {
            hook: format!("{} of {}", hook.hook, hook.unit),
            instant: happened.what(),
            handler: handler.map(|handler| happened.named(handler)),
            repeated: happened.repeated(&differs),
            differs,
            replay: format!("{seed}hook {}, {place}", number + 1),
        }
    }

    /// The story ends elsewhere.
    pub(super) fn elsewhere(happened: &Happened<'_>, differs: String) -> CrashError {
        CrashError::Found(Box::new(Self::new(happened, format!("all ended elsewhere than undisturbed:{differs}"))))
    }

    /// A hook fails that would not have.
    pub(super) fn failed(happened: &Happened<'_>, run: &HookRun) -> CrashError {
        let differs = format!("{run} of {} failed then: {}", run.unit, run.problem().unwrap_or_default());
        CrashError::Found(Box::new(Self::new(happened, differs)))
    }
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hook, instant, handler, differs, repeated, replay } = self;
        let ran = handler.as_ref().map(|handler| format!(", in handler {handler}")).unwrap_or_default();
        writeln!(f, "{hook} {instant}{ran}; {differs}")?;
        for repeated in repeated {
            writeln!(f, "{repeated}; it has to look at what is there first, or not to mind what is")?;
        }
        writeln!(
            f,
            "\nTo see it again: `.replay(\"{replay}\")` in the place of `.run()`; as a test of its own, in which"
        )?;
        writeln!(f, "`crashes()` is the exploration without `.run()`:\n")?;
        writeln!(f, "#[test]\nfn {}() -> Result<(), CrashError> {{", function(hook, replay))?;
        write!(f, "    crashes()?.replay(\"{replay}\").map(drop)\n}}\n")
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

/// Reads what [`Crash::replay`] has: the seed, the number of the hook from 0, and what befalls it.
pub(super) fn read(text: &str) -> Option<(Option<u64>, usize, Place)> {
    let mut parts: Vec<&str> = text.split(", ").collect();
    let seed = match parts.first()?.strip_prefix("seed ") {
        Some(seed) => {
            parts.remove(0);
            Some(seed.parse().ok()?)
        }
        None => None,
    };
    let [hook, place] = parts.as_slice() else { return None };
    let number: usize = hook.strip_prefix("hook ")?.parse().ok()?;
    let place = match *place {
        "refused" => Place::Refused,
        "leadership lost" => Place::LeadershipLost,
        point => Place::Kill(read_point(point)?),
    };
    Some((seed, number.checked_sub(1)?, place))
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
    /// A hook did something else the second time.
    #[error(
        "{hook} was to be disturbed at `{place}`, as it came there undisturbed, and did not come there again ({outcome}); handlers may \
         depend on what is in the model only: put what else they look at into a resource, and a fake in its place"
    )]
    NotDeterministic {
        /// The hook, and its unit.
        hook: String,
        /// Where it should have come.
        place: String,
        /// How it ended.
        outcome: String,
    },
    /// The text is not one that an exploration has given.
    #[error("`{0}` is no crash of this exploration: give it as it was printed, to the same model with the same doings")]
    NoCrash(String),
    /// The model cannot be, or cannot be explored.
    #[error(transparent)]
    Model(#[from] Error),
}

impl CrashError {
    pub(super) fn not_deterministic(hook: &ToldHook, place: Place, run: &HookRun) -> Self {
        Self::NotDeterministic {
            hook: format!("{} of {}", hook.hook, hook.unit),
            place: place.to_string(),
            outcome: format!("{:?}", run.outcome),
        }
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
        assert_eq!(read("seed 3, hook 12, changed 2"), Some((Some(3), 11, Place::Kill(KillPoint::Changed(2)))));
        assert_eq!(read("hook 1, leadership lost"), Some((None, 0, Place::LeadershipLost)));
        for place in
            ["start", "command 1", "answer 2", "change 1", "write 9", "commit 1", "committed 1", "exit", "refused"]
        {
            let (_, _, read) = read(&format!("hook 1, {place}")).unwrap();
            assert_eq!(read.to_string(), place);
        }
        for wrong in ["", "hook 0, exit", "hook 1", "hook 1, exit, exit", "seed x, hook 1, exit", "hook 1, often"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
