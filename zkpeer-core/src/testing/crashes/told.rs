//! An undisturbed story with its hooks, and what comes of it when something goes wrong in one of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Crashes;
use super::found::{Crash, CrashError, Happened};
use super::play::{self, Move, Place, Rest, Stopped, Went};
use crate::juju::UnitName;
use crate::testing::explore::place::Places;
use crate::testing::hook::Hook;
use crate::testing::instants::Instant;
use crate::testing::model::{Model, Step};
use crate::testing::outcome::{HookRun, Outcome};
use crate::testing::process::KillPoint;

/// A story as it goes undisturbed.
pub(super) struct Told {
    pub(super) seed: Option<u64>,
    moves: Vec<Move>,
    /// A sum over the state after each move.
    sums: Vec<u128>,
    pub(super) hooks: Vec<ToldHook>,
    end: Places,
}

/// One hook of it.
pub(super) struct ToldHook {
    /// The model before the hook begins.
    before: Model,
    /// The number of the move by which it does.
    at: usize,
    pub(super) unit: UnitName,
    pub(super) hook: Hook,
    pub(super) instants: Vec<Instant>,
    /// Where each handler is that ran in it.
    pub(super) places: BTreeMap<String, String>,
}

impl Told {
    /// Tells the story undisturbed.
    pub(super) fn tell(crashes: &Crashes, seed: Option<u64>) -> Result<Self, CrashError> {
        let mut model = crashes.model.fork();
        if let Some(seed) = seed {
            model.seed(seed);
        }
        let mut told = Self { seed, moves: Vec::new(), sums: Vec::new(), hooks: Vec::new(), end: Places::of(&model) };
        told.settle(&mut model)?;
        for (number, doing) in crashes.doings.iter().enumerate() {
            doing.apply(&mut model)?;
            told.moved(Move::Do(number), &model);
            told.settle(&mut model)?;
        }
        play::go_on(crashes, &mut model, Rest::default()).map_err(undisturbed)?;
        told.end = end_of(&model);
        Ok(told)
    }

    fn settle(&mut self, model: &mut Model) -> Result<(), CrashError> {
        while let Some(step) = model.choose()? {
            let before = matches!(step, Step::Begin(..)).then(|| model.fork());
            play::take(model, &step).map_err(undisturbed)?;
            if let (Some(before), Step::Begin(unit, hook)) = (before, &step) {
                let run = model.running.get(unit).map(|running| &running.result);
                self.hooks.push(ToldHook {
                    before,
                    at: self.moves.len(),
                    unit: unit.clone(),
                    hook: hook.clone(),
                    instants: run.map(|run| run.instants.clone()).unwrap_or_default(),
                    places: run.map(places_of).unwrap_or_default(),
                });
            }
            self.moved(Move::Take(step), model);
        }
        Ok(())
    }

    fn moved(&mut self, by: Move, model: &Model) {
        self.moves.push(by);
        self.sums.push(model.fingerprint());
    }

    /// What comes after the move of this number.
    fn rest(&self, at: usize) -> Rest<'_> {
        Rest { moves: &self.moves[at + 1..], sums: &self.sums[at + 1..] }
    }

    /// All that can go wrong in the hook of this number.
    pub(super) fn places(&self, number: usize) -> Vec<Place> {
        let hook = &self.hooks[number];
        let kills = hook.instants.iter().map(|instant| Place::Kill(instant.point));
        let mut places: Vec<Place> = std::iter::once(Place::Kill(KillPoint::Start)).chain(kills).collect();
        places.push(Place::Refused);
        if hook.is_leaders() {
            places.push(Place::LeadershipLost);
        }
        places
    }

    /// Lets it go wrong and goes on. Whether to the end: not if something else that went wrong in this hook has left the same, nor
    /// if all is soon again as it would have been.
    pub(super) fn crash(
        &self,
        crashes: &Crashes,
        number: usize,
        place: Place,
        left: &mut BTreeSet<u128>,
    ) -> Result<bool, CrashError> {
        let hook = &self.hooks[number];
        let mut model = hook.before.fork();
        let disturbed = hook.disturb(&mut model, place)?;
        if !left.insert(model.fingerprint()) {
            return Ok(false);
        }
        let mut retried = None;
        if disturbed.is_retried() {
            if place == Place::Refused || matches!(disturbed.outcome, Outcome::Refused(_)) {
                model.retry(hook.unit.as_str())?;
            }
            if play::begin(&mut model, &hook.unit)? {
                retried = model.running.get(&hook.unit).map(|running| running.result.clone());
            }
        }
        let happened = Happened { place, told: self, number, disturbed, retried };
        match play::go_on(crashes, &mut model, self.rest(hook.at)) {
            Ok(Went::Back) => return Ok(false),
            Ok(Went::ToItsEnd) => {}
            Err(Stopped::Failed(run)) => return Err(Crash::failed(&happened, &run)),
            Err(Stopped::Error(error)) => return Err(error.into()),
        }
        let end = end_of(&model);
        if end == self.end {
            return Ok(true);
        }
        for other in hook.others(place).iter().copied() {
            // A story in which that goes wrong by itself leads nowhere.
            if self.told_otherwise(crashes, hook, other)?.is_some_and(|wanted| wanted == end) {
                return Ok(true);
            }
        }
        let differs = end.differs_from(&self.end, ("now", "undisturbed"));
        // What is only in the other one is seen from there.
        let differs =
            differs.filter(|text| !text.is_empty()).or_else(|| self.end.differs_from(&end, ("undisturbed", "now")));
        Err(Crash::elsewhere(&happened, differs.unwrap_or_default()))
    }

    /// Where the story ends if in this hook something else happens that may be.
    fn told_otherwise(
        &self,
        crashes: &Crashes,
        hook: &ToldHook,
        other: Otherwise,
    ) -> Result<Option<Places>, CrashError> {
        let mut model = hook.before.fork();
        match other {
            Otherwise::NotRun | Otherwise::NotRunAndDeposed => model.forget_task(&hook.unit, &hook.hook),
            Otherwise::DeposedBefore | Otherwise::DeposedAfter => {}
        }
        match other {
            Otherwise::NotRun => {}
            Otherwise::NotRunAndDeposed | Otherwise::DeposedBefore => model.pass_leadership_on(&hook.unit),
            Otherwise::DeposedAfter => {
                play::begin(&mut model, &hook.unit)?;
                play::end(&mut model, &hook.unit)?;
                model.pass_leadership_on(&hook.unit);
            }
        }
        if matches!(other, Otherwise::DeposedBefore) {
            play::begin(&mut model, &hook.unit)?;
        }
        match play::go_on(crashes, &mut model, self.rest(hook.at)) {
            Ok(Went::Back) => Ok(Some(self.end.clone())),
            Ok(Went::ToItsEnd) => Ok(Some(end_of(&model))),
            Err(Stopped::Failed(_)) => Ok(None),
            Err(Stopped::Error(error)) => Err(error.into()),
        }
    }
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

impl ToldHook {
    fn is_leaders(&self) -> bool {
        let application = self.unit.application();
        let others = self.before.controller.units.keys().filter(|unit| unit.application() == application).count() > 1;
        others && self.before.controller.is_leader(&self.unit)
    }

    fn others(&self, place: Place) -> &'static [Otherwise] {
        let is_action = matches!(self.hook, Hook::Action { .. });
        match (place, is_action) {
            (Place::LeadershipLost, false) => &[Otherwise::DeposedAfter, Otherwise::DeposedBefore],
            (Place::LeadershipLost, true) => &[Otherwise::DeposedAfter, Otherwise::NotRunAndDeposed],
            (_, true) => &[Otherwise::NotRun],
            (_, false) => &[],
        }
    }

    /// Runs the hook with what goes wrong in it, to its end.
    fn disturb(&self, model: &mut Model, place: Place) -> Result<HookRun, CrashError> {
        let unit = self.unit.as_str();
        match place {
            Place::Kill(point) => model.kill_at(unit, point)?,
            Place::Refused => model.refuse_commit(unit, "a crash is explored")?,
            Place::LeadershipLost => model.lose_leadership_before_commit(unit)?,
        }
        let begins = Step::Begin(self.unit.clone(), self.hook.clone());
        model.take(&begins)?;
        let run = play::end(model, &self.unit)?.ok_or_else(|| CrashError::NoCrash(place.to_string()))?;
        let as_wanted = match place {
            Place::Kill(_) => run.outcome == Outcome::Killed,
            Place::Refused => matches!(run.outcome, Outcome::Refused(_)),
            Place::LeadershipLost => true,
        };
        if as_wanted { Ok(*run) } else { Err(CrashError::not_deterministic(self, place, &run)) }
    }
}

/// Whether and how Juju goes on with the hook.
trait Retried {
    fn is_retried(&self) -> bool;
}

impl Retried for HookRun {
    fn is_retried(&self) -> bool {
        let is_hook = !matches!(self.hook, Hook::Action { .. } | Hook::Exec { .. }) && !self.hook.is_restricted();
        is_hook && matches!(self.outcome, Outcome::Killed | Outcome::Refused(_))
    }
}

/// Where everything stands.
fn end_of(model: &Model) -> Places {
    Places::of(model).with_what_is_stored(model)
}

fn undisturbed(stopped: Stopped) -> CrashError {
    match stopped {
        Stopped::Failed(run) => CrashError::Undisturbed(run.problem().unwrap_or_default()),
        Stopped::Error(error) => error.into(),
    }
}

fn places_of(run: &HookRun) -> BTreeMap<String, String> {
    let rounds = run.report.iter().flat_map(|report| &report.rounds);
    rounds.flat_map(|round| &round.handlers).map(|call| (call.name.clone(), call.place.clone())).collect()
}
