//! An undisturbed story with its hooks: it is the same each time that it is told.

use super::Crashes;
use super::found::CrashError;
use super::play::{self, Move, Place, Rest, Stopped};
use crate::juju::UnitName;
use crate::testing::explore::differ::Twice;
use crate::testing::explore::difference;
use crate::testing::explore::place::Places;
use crate::testing::hook::Hook;
use crate::testing::model::{Model, Step};
use crate::testing::outcome::HookRun;
use crate::testing::process::KillPoint;

/// A story as it goes undisturbed.
pub(super) struct Told {
    pub(super) seed: Option<u64>,
    moves: Vec<Move>,
    /// A sum over the state after each move.
    sums: Vec<u128>,
    /// The model at the beginning, and after each move.
    models: Vec<Model>,
    pub(super) hooks: Vec<ToldHook>,
    /// Where everything stands each time that all is quiet: before each doing, and at the end.
    pub(super) quiet: Vec<Places>,
}

/// One hook of it.
pub(super) struct ToldHook {
    /// The number of the move by which it begins.
    pub(super) at: usize,
    pub(super) unit: UnitName,
    pub(super) hook: Hook,
    /// How it ran.
    pub(super) run: HookRun,
}

impl Told {
    /// Tells the story undisturbed, twice.
    pub(super) fn tell(crashes: &Crashes, seed: Option<u64>) -> Result<Self, CrashError> {
        let mut model = crashes.model.fork();
        if let Some(seed) = seed {
            model.seed(seed);
        }
        let models = vec![model.fork()];
        let mut told = Self { seed, moves: Vec::new(), sums: Vec::new(), models, hooks: Vec::new(), quiet: Vec::new() };
        told.settle(&mut model)?;
        for (number, doing) in crashes.doings.iter().enumerate() {
            play::apply(&mut model, doing).map_err(undisturbed)?;
            told.moved(Move::Do(number), &model);
            told.settle(&mut model)?;
        }
        told.tell_again(crashes)?;
        Ok(told)
    }

    /// Lets all that is due happen, and puts down where everything stands then.
    fn settle(&mut self, model: &mut Model) -> Result<(), CrashError> {
        while let Some(step) = model.choose()? {
            play::take(model, &step).map_err(undisturbed)?;
            if let Step::Begin(unit, hook) = &step
                && let Some(running) = model.running.get(unit)
            {
                let (at, unit, run) = (self.moves.len(), unit.clone(), running.result.clone());
                self.hooks.push(ToldHook { at, unit, hook: hook.clone(), run });
            }
            self.moved(Move::Take(step), model);
        }
        self.quiet.push(play::quiet_at(model).map_err(undisturbed)?);
        Ok(())
    }

    fn moved(&mut self, by: Move, model: &Model) {
        self.moves.push(by);
        self.sums.push(model.fingerprint());
        self.models.push(model.fork());
    }

    /// The same moves lead to the same states each time; otherwise nothing can be blamed on a crash.
    pub(super) fn tell_again(&self, crashes: &Crashes) -> Result<(), CrashError> {
        let Some(mut model) = self.models.first().map(Model::fork) else { return Ok(()) };
        let mut quiet = Vec::new();
        for ((by, sum), once) in self.moves.iter().zip(&self.sums).zip(&self.models[1..]) {
            let went = match by {
                Move::Take(step) => play::take(&mut model, step),
                Move::Do(number) => {
                    quiet.push(play::quiet_at(&model).map_err(undisturbed)?);
                    play::apply(&mut model, &crashes.doings[*number])
                }
            };
            let step = || by.describe(crashes);
            went.map_err(|stopped| CrashError::not_deterministic(step(), undisturbed(stopped).to_string()))?;
            if model.fingerprint() != *sum {
                let unit = if let Move::Take(Step::Begin(unit, _)) = by { Some(unit) } else { None };
                let running = |model: &Model| Some(model.running.get(unit?)?.result.clone());
                let runs: Vec<HookRun> = [running(once), running(&model)].into_iter().flatten().collect();
                let what = Twice { once, again: &model, unit, noted: runs.iter().collect() }.tell();
                return Err(CrashError::not_deterministic(step(), what));
            }
        }
        quiet.push(play::quiet_at(&model).map_err(undisturbed)?);
        let differs = self.quiet.iter().zip(&quiet).map(|(once, again)| once.differences(again));
        match differs.into_iter().find(|differences| !differences.is_empty()) {
            Some(differences) => {
                let what = difference::tell(&differences, ("once", "again"));
                Err(CrashError::not_deterministic("an update-status when all was quiet".to_owned(), what))
            }
            None => Ok(()),
        }
    }

    /// The model before the hook begins.
    pub(super) fn before(&self, hook: &ToldHook) -> Model {
        self.models[hook.at].fork()
    }

    /// What comes after the hook has begun.
    pub(super) fn rest(&self, hook: &ToldHook) -> Rest<'_> {
        Rest { moves: &self.moves[hook.at + 1..], sums: &self.sums[hook.at + 1..] }
    }

    /// How often all is quiet before the hook.
    pub(super) fn quiet_before(&self, hook: &ToldHook) -> usize {
        self.moves[..hook.at].iter().filter(|by| matches!(by, Move::Do(_))).count()
    }

    /// All that can go wrong in the hook of this number.
    pub(super) fn places(&self, number: usize) -> Vec<Place> {
        let hook = &self.hooks[number];
        let mut places = vec![Place::Kill(KillPoint::Start)];
        places.extend(hook.run.instants.iter().map(|instant| Place::Kill(instant.point)));
        places.push(Place::Refused);
        if self.is_leaders(hook) {
            places.push(Place::LeadershipLost);
        }
        places
    }

    fn is_leaders(&self, hook: &ToldHook) -> bool {
        let controller = &self.models[hook.at].controller;
        let application = hook.unit.application();
        let others = controller.units.keys().filter(|unit| unit.application() == application).count() > 1;
        others && controller.is_leader(&hook.unit)
    }
}

fn undisturbed(stopped: Stopped) -> CrashError {
    match stopped {
        Stopped::Failed(run) => CrashError::Undisturbed(run.problem().unwrap_or_default()),
        Stopped::Undone(why) => CrashError::Undisturbed(why),
        Stopped::Error(error) => error.into(),
    }
}
