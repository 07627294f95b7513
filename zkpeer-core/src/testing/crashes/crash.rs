//! What comes of a story when something goes wrong in one of its hooks.

use std::collections::BTreeSet;

use super::Crashes;
use super::found::{Crash, CrashError, Elsewhere};
use super::play::{self, Place, Stopped, Went};
use super::told::{Told, ToldHook};
use crate::testing::explore::place::Places;
use crate::testing::hook::Hook;
use crate::testing::instants::Instant;
use crate::testing::model::{Model, Step};
use crate::testing::outcome::{HookRun, Outcome};
use crate::testing::process::KillPoint;

/// A hook in which something goes wrong, and again in its next tries.
pub(super) struct Crashing<'t> {
    pub(super) crashes: &'t Crashes,
    pub(super) told: &'t Told,
    pub(super) number: usize,
    pub(super) places: Vec<Place>,
}

/// How a story went on in which that has happened.
#[derive(Debug, Default)]
pub(super) struct Survivor {
    /// Whether it was told to its end: not if something else that went wrong in this hook has left the same, nor if all was soon again
    /// as it would have been.
    pub(super) told: bool,
    /// Where the next try of the hook could be killed.
    pub(super) next: Vec<KillPoint>,
}

/// What befell each try.
pub(super) struct Happened {
    pub(super) tries: Vec<Try>,
    /// The last one, which nothing befell.
    pub(super) retried: Option<HookRun>,
}

/// One try of a hook, in which something goes wrong.
pub(super) struct Try {
    pub(super) place: Place,
    /// The instant, if it was one that was noted.
    pub(super) instant: Option<Instant>,
    pub(super) run: HookRun,
}

impl Crashing<'_> {
    pub(super) fn hook(&self) -> &ToldHook {
        &self.told.hooks[self.number]
    }

    /// Lets it go wrong and goes on; an error if that leads elsewhere than it may.
    pub(super) fn play(&self, left: &mut BTreeSet<u128>) -> Result<Survivor, CrashError> {
        let hook = self.hook();
        let mut model = self.told.before(hook);
        let mut happened = Happened { tries: Vec::new(), retried: None };
        let mut due = Some(Step::Begin(hook.unit.clone(), hook.hook.clone()));
        for (nth, place) in self.places.iter().enumerate() {
            let Some(begins) = due else { return Err(CrashError::no_such_try(self)) };
            let undisturbed = if nth == 0 { Some(hook.run.clone()) } else { tried(&model, &begins)? };
            let mut instants = undisturbed.into_iter().flat_map(|run| run.instants);
            let instant = instants.find(|instant| Place::Kill(instant.point) == *place);
            let run = self.disturb(&mut model, &begins, *place)?;
            if nth + 1 == self.places.len() && !left.insert(model.fingerprint()) {
                return Ok(Survivor::default());
            }
            if matches!(run.outcome, Outcome::Refused(_)) && is_retried(&run) {
                model.retry(hook.unit.as_str())?;
            }
            due = if is_retried(&run) { play::due(&model, &hook.unit) } else { None };
            happened.tries.push(Try { place: *place, instant, run });
        }
        if let Some(begins) = due {
            model.take(&begins)?;
            happened.retried = model.running.get(&hook.unit).map(|running| running.result.clone());
        }
        let next = happened.retried.iter().flat_map(|run| run.instants.iter().map(|instant| instant.point)).collect();
        let told = self.go_on(model, &happened)?;
        Ok(Survivor { told, next })
    }

    /// Tells the rest of the story; whether to its end.
    fn go_on(&self, mut model: Model, happened: &Happened) -> Result<bool, CrashError> {
        let mut quiet = Vec::new();
        let went = play::go_on(self.crashes, &mut model, self.told.rest(self.hook()), &mut quiet);
        if let Some(elsewhere) = self.elsewhere(&quiet)? {
            return Err(self.blame(Crash::elsewhere(self, happened, &elsewhere)));
        }
        match went {
            Ok(went) => Ok(went == Went::ToItsEnd),
            Err(Stopped::Failed(run)) => Err(self.blame(Crash::failed(self, happened, &run))),
            Err(Stopped::Undone(why)) => Err(self.blame(Crash::undone(self, happened, why))),
            Err(Stopped::Error(error)) => Err(error.into()),
        }
    }

    /// It is the crash, unless the story is another now without one.
    fn blame(&self, crash: Crash) -> CrashError {
        match self.told.tell_again(self.crashes) {
            Ok(()) => CrashError::Found(Box::new(crash)),
            Err(error) => error,
        }
    }

    /// The first time that all is quiet and stands where it may not, if there is one.
    fn elsewhere(&self, quiet: &[Places]) -> Result<Option<Elsewhere>, CrashError> {
        let first = self.told.quiet_before(self.hook());
        let undisturbed = &self.told.quiet[first..];
        if quiet.iter().zip(undisturbed).all(|(now, wanted)| now == wanted) {
            return Ok(None);
        }
        let mut others = Vec::new();
        for other in self.others() {
            others.push((other.describe(), self.told_otherwise(*other)?));
        }
        for (nth, (now, wanted)) in quiet.iter().zip(undisturbed).enumerate() {
            let others = || others.iter().filter_map(|(what, places)| Some((*what, places.get(nth)?)));
            if now == wanted || others().any(|(_, places)| places == now) {
                continue;
            }
            let mut than = vec![(("undisturbed", "undisturbed"), wanted.differences(now))];
            than.extend(others().map(|(what, places)| (what, places.differences(now))));
            let before = self.crashes.doings.get(first + nth).map(ToString::to_string);
            return Ok(Some(Elsewhere { before, than }));
        }
        Ok(None)
    }

    /// Where all stands each time that it is quiet, up to where something goes wrong by itself, in the story in which something else
    /// happens in this hook that may be.
    fn told_otherwise(&self, other: Otherwise) -> Result<Vec<Places>, CrashError> {
        let hook = self.hook();
        let mut model = self.told.before(hook);
        match other {
            Otherwise::NotRun => model.forget_task(&hook.unit, &hook.hook),
            Otherwise::NotRunAndDeposed => {
                model.forget_task(&hook.unit, &hook.hook);
                model.pass_leadership_on(&hook.unit);
            }
            Otherwise::DeposedBefore => {
                model.pass_leadership_on(&hook.unit);
                play::begin(&mut model, &hook.unit)?;
            }
            Otherwise::DeposedAfter => {
                play::begin(&mut model, &hook.unit)?;
                play::end(&mut model, &hook.unit)?;
                model.pass_leadership_on(&hook.unit);
            }
        }
        let mut quiet = Vec::new();
        match play::go_on(self.crashes, &mut model, self.told.rest(hook), &mut quiet) {
            // If it is back before the end, the rest is as it would have been.
            Ok(_) => {
                let told = &self.told.quiet[self.told.quiet_before(hook)..];
                quiet.extend(told.iter().skip(quiet.len()).cloned());
                Ok(quiet)
            }
            Err(Stopped::Failed(_) | Stopped::Undone(_)) => Ok(quiet),
            Err(Stopped::Error(error)) => Err(error.into()),
        }
    }

    /// What may be instead of the undisturbed story.
    fn others(&self) -> &'static [Otherwise] {
        let is_action = matches!(self.hook().hook, Hook::Action { .. });
        match (self.places.first(), is_action) {
            (Some(Place::LeadershipLost), false) => &[Otherwise::DeposedAfter, Otherwise::DeposedBefore],
            (Some(Place::LeadershipLost), true) => &[Otherwise::DeposedAfter, Otherwise::NotRunAndDeposed],
            (_, true) => &[Otherwise::NotRun],
            (_, false) => &[],
        }
    }

    /// Runs the hook with what goes wrong in it, to its end.
    fn disturb(&self, model: &mut Model, begins: &Step, place: Place) -> Result<HookRun, CrashError> {
        let hook = self.hook();
        let unit = hook.unit.as_str();
        match place {
            Place::Kill(point) => model.kill_at(unit, point)?,
            Place::Refused => model.refuse_commit(unit, "a crash is explored")?,
            Place::LeadershipLost => model.lose_leadership_before_commit(unit)?,
        }
        model.take(begins)?;
        let run = play::end(model, &hook.unit)?.ok_or_else(|| CrashError::NoCrash(place.to_string()))?;
        let as_wanted = match place {
            Place::Kill(_) => run.outcome == Outcome::Killed,
            Place::Refused => matches!(run.outcome, Outcome::Refused(_)),
            Place::LeadershipLost => true,
        };
        if as_wanted {
            return Ok(*run);
        }
        let what = format!(
            "it was to be disturbed at `{place}`, as it came there when it was not, and did not come there again ({:?})",
            run.outcome
        );
        Err(CrashError::not_deterministic(begins.to_string(), what))
    }
}

/// How the hook runs that would begin.
fn tried(model: &Model, begins: &Step) -> Result<Option<HookRun>, CrashError> {
    let mut model = model.fork();
    model.take(begins)?;
    Ok(model.running.get(begins.unit()).map(|running| running.result.clone()))
}

/// Whether Juju runs the hook again.
fn is_retried(run: &HookRun) -> bool {
    let is_hook = !matches!(run.hook, Hook::Action { .. } | Hook::Exec { .. }) && !run.hook.is_restricted();
    is_hook && matches!(run.outcome, Outcome::Killed | Outcome::Refused(_))
}

/// What else may happen in a hook in which something goes wrong.
#[derive(Clone, Copy)]
enum Otherwise {
    /// The action is not run.
    NotRun,
    /// Nor is it, and its unit is deposed.
    NotRunAndDeposed,
    /// Its unit is deposed, and then it runs.
    DeposedBefore,
    /// It runs, and then its unit is deposed.
    DeposedAfter,
}

impl Otherwise {
    /// What would have happened in that story, and the same in two words.
    fn describe(self) -> (&'static str, &'static str) {
        match self {
            Self::NotRun => ("if the action had not run", "not run"),
            Self::NotRunAndDeposed => ("if the unit had been deposed and the action had not run", "not run"),
            Self::DeposedBefore => ("if the unit had been deposed before it", "deposed before"),
            Self::DeposedAfter => ("if the unit had been deposed after it", "deposed after"),
        }
    }
}
