//! Where an exploration is: a model, what may still befall it, and what may happen next.

use super::doing::Doing;
use crate::juju::UnitName;
use crate::testing::error::Error;
use crate::testing::model::{Event, Model, Step};
use crate::testing::outcome::HookRun;
use crate::testing::shared::sum_of;

/// One thing that may happen.
#[derive(Clone, Debug)]
pub(super) enum Move {
    /// What Juju does by itself.
    Step(Step),
    /// The operators' doing of this number.
    Doing(usize),
    /// The unit becomes leader in the place of another.
    Lead(UnitName),
    /// The unit's hook ends, and Juju refuses what it has buffered.
    Refuse(UnitName),
    /// The unit's hook is killed between its own commit and Juju's.
    Kill(UnitName),
    /// The unit's timer of `update-status` fires.
    Timer(UnitName),
    /// It is time to run the unit's failed hook again.
    Retry(UnitName),
}

/// How many of each fault may still come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    pub(super) leads: u32,
    pub(super) refusals: u32,
    pub(super) kills: u32,
    pub(super) timers: u32,
}

/// A state of the exploration.
#[derive(Debug)]
pub(super) struct State {
    pub(super) model: Model,
    /// Which of the operators' doings are done, a bit each.
    pub(super) done: u64,
    pub(super) left: Faults,
}

/// All that may happen in a state.
#[derive(Debug, Default)]
pub(super) struct Moves {
    /// What will happen some time, in some order.
    pub(super) due: Vec<Move>,
    /// How many of those are what operators do; they are the last.
    pub(super) doings: usize,
    /// What may as well never happen.
    pub(super) optional: Vec<Move>,
}

impl Moves {
    /// The move of this number: first those that are due.
    pub(super) fn get(&self, at: usize) -> Option<&Move> {
        self.due.get(at).or_else(|| self.optional.get(at - self.due.len().min(at)))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Move> {
        self.due.iter().chain(&self.optional)
    }
}

impl Move {
    /// Whose it is, for fairness: who can always go on, goes on some time.
    pub(super) fn actor(&self) -> Option<&UnitName> {
        match self {
            Self::Step(Step::Begin(unit, _) | Step::End(unit)) | Self::Retry(unit) => Some(unit),
            _ => None,
        }
    }

    /// In words.
    pub(super) fn describe(&self, doings: &[Planned]) -> String {
        match self {
            Self::Step(step) => step.to_string(),
            Self::Doing(number) => doings.get(*number).map(|planned| planned.doing.to_string()).unwrap_or_default(),
            Self::Lead(unit) => format!("leadership moves to {unit}"),
            Self::Refuse(unit) => format!("{unit} ends its hook, and Juju refuses its changes"),
            Self::Kill(unit) => format!("{unit} is killed after its own commit and before Juju's"),
            Self::Timer(unit) => format!("the timer of {unit} fires"),
            Self::Retry(unit) => format!("the failed hook of {unit} is to run again"),
        }
    }

    /// The lines of a test in which it happens.
    pub(super) fn code(&self, doings: &[Planned]) -> String {
        match self {
            Self::Step(step) => format!("model.happens({:?})?;", step.to_string()),
            Self::Doing(number) => doings.get(*number).map(|planned| planned.doing.code()).unwrap_or_default(),
            Self::Lead(unit) => format!("model.set_leader({:?})?;", unit.as_str()),
            Self::Refuse(unit) => {
                let ends = Step::End(unit.clone()).to_string();
                format!("model.refuse_commit({:?}, {REFUSED:?})?;\nmodel.happens({ends:?})?;", unit.as_str())
            }
            Self::Kill(unit) => format!("model.kill_running({:?})?;", unit.as_str()),
            Self::Timer(unit) => format!("model.update_status({:?})?;", unit.as_str()),
            Self::Retry(unit) => format!("model.retry({:?})?;", unit.as_str()),
        }
    }
}

const REFUSED: &str = "the exploration refuses it";

/// An operator's doing, and which one comes before it.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) doing: Doing,
    /// Only after this one.
    pub(super) after: Option<usize>,
}

/// What came of a move.
pub(super) enum Came {
    /// A hook is over.
    Ended(Box<HookRun>),
    /// Nothing came of the operators' doing of this name, for this reason.
    Undone(String, String),
    /// Something else has happened.
    Other,
}

impl State {
    /// Equal states have equal sums.
    pub(super) fn fingerprint(&self) -> u128 {
        sum_of(&(self.model.fingerprint(), self.done, self.left))
    }

    pub(super) fn fork(&self) -> Self {
        Self { model: self.model.fork(), done: self.done, left: self.left }
    }

    /// What may happen next, in a fixed order.
    ///
    /// If a unit's hook can end without anybody else noticing, nothing else is looked at: the others' moves commute with it, and
    /// are possible afterwards just the same. If it cannot be killed or refused, it ends in the move in which it begins.
    pub(super) fn moves(&self, doings: &[Planned]) -> Moves {
        let model = &self.model;
        let steps = model.steps();
        let rest = self.rest(doings);
        let ends_unnoticed = |step: &&Step| matches!(step, Step::End(unit) if model.ends_unnoticed(unit, &rest));
        if let Some(Step::End(unit)) = steps.iter().find(ends_unnoticed) {
            let mut moves = Moves { due: vec![Move::Step(Step::End(unit.clone()))], ..Moves::default() };
            moves.optional.extend(self.faults_at_end(unit));
            return moves;
        }
        let mut moves = Moves::default();
        for step in &steps {
            if let Step::End(unit) = step {
                moves.optional.extend(self.faults_at_end(unit));
            }
        }
        moves.due.extend(steps.into_iter().map(Move::Step));
        moves.due.extend(model.waiting_for_retry().into_iter().map(Move::Retry));
        let is_done = |number: usize| self.done & (1 << number) != 0;
        for (number, planned) in doings.iter().enumerate() {
            if !is_done(number) && planned.after.is_none_or(is_done) && planned.doing.why_not(model).is_none() {
                moves.due.push(Move::Doing(number));
                moves.doings += 1;
            }
        }
        if self.left.leads > 0 {
            moves.optional.extend(model.could_lead().into_iter().map(Move::Lead));
        }
        if self.left.timers > 0 {
            moves.optional.extend(model.with_timer().into_iter().map(Move::Timer));
        }
        moves
    }

    /// What operators have not done yet.
    fn rest<'d>(&self, doings: &'d [Planned]) -> Vec<&'d Doing> {
        let left = doings.iter().enumerate().filter(|(number, _)| self.done & (1 << number) == 0);
        left.map(|(_, planned)| &planned.doing).collect()
    }

    fn faults_at_end(&self, unit: &UnitName) -> impl Iterator<Item = Move> {
        let ends_well = self.model.will_be_done(unit);
        let refuse = (self.left.refusals > 0 && ends_well).then(|| Move::Refuse(unit.clone()));
        let kill = (self.left.kills > 0 && ends_well).then(|| Move::Kill(unit.clone()));
        refuse.into_iter().chain(kill)
    }

    /// Lets one of its moves happen.
    pub(super) fn take(&mut self, chosen: &Move, doings: &[Planned]) -> Result<Came, Error> {
        let rest = self.rest(doings);
        let model = &mut self.model;
        let came = match chosen {
            Move::Step(step) => match model.happen(step.clone())? {
                Event::Ended(run) => Came::Ended(run),
                Event::Began(unit, _) if !self.left.can_end_a_hook() && model.ends_unnoticed(&unit, &rest) => {
                    ends(model, &unit)?
                }
                _ => Came::Other,
            },
            Move::Doing(number) => {
                self.done |= 1 << number;
                let undone = doings.get(*number).and_then(|planned| Some((planned, planned.doing.apply(model).err()?)));
                match undone {
                    Some((planned, why)) => Came::Undone(planned.doing.to_string(), why.to_string()),
                    None => Came::Other,
                }
            }
            Move::Lead(unit) => {
                self.left.leads -= 1;
                model.set_leader(unit.as_str())?;
                Came::Other
            }
            Move::Refuse(unit) => {
                self.left.refusals -= 1;
                model.refuse_commit(unit.as_str(), REFUSED)?;
                ends(model, unit)?
            }
            Move::Kill(unit) => {
                self.left.kills -= 1;
                Came::Ended(Box::new(model.kill_running(unit.as_str())?))
            }
            Move::Timer(unit) => {
                self.left.timers -= 1;
                model.update_status(unit.as_str())?;
                Came::Other
            }
            Move::Retry(unit) => {
                model.retry(unit.as_str())?;
                Came::Other
            }
        };
        Ok(came)
    }
}

/// The unit's hook ends.
fn ends(model: &mut Model, unit: &UnitName) -> Result<Came, Error> {
    Ok(match model.happen(Step::End(unit.clone()))? {
        Event::Ended(run) => Came::Ended(run),
        _ => Came::Other,
    })
}

impl Faults {
    /// Whether the end of a hook may still be another one.
    fn can_end_a_hook(&self) -> bool {
        self.refusals > 0 || self.kills > 0
    }
}
