//! The moves of a story, and how it goes on after something has gone wrong: as it would have, as far as that is still possible.

use std::fmt;

use super::Crashes;
use crate::juju::UnitName;
use crate::testing::error::Error;
use crate::testing::model::{Event, Model, Step};
use crate::testing::outcome::{HookRun, Outcome};
use crate::testing::process::KillPoint;

/// More than this, and something will never come to rest.
const MOST_STEPS: usize = 20_000;

/// What goes wrong in a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// It is killed.
    Kill(KillPoint),
    /// It exits 0, and Juju refuses its changes.
    Refused,
    /// Its unit leads no longer when its changes are to be applied.
    LeadershipLost,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kill(point) => point.fmt(f),
            Self::Refused => f.write_str("refused"),
            Self::LeadershipLost => f.write_str("leadership lost"),
        }
    }
}

/// One move of a story.
#[derive(Clone, Debug)]
pub(super) enum Move {
    Take(Step),
    /// An operator does the thing of this number.
    Do(usize),
}

/// What comes next in a story, each move with a sum over the state after it.
#[derive(Clone, Copy, Default)]
pub(super) struct Rest<'t> {
    pub(super) moves: &'t [Move],
    pub(super) sums: &'t [u128],
}

/// Where a story that goes on has come to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Went {
    /// Where it would have been undisturbed; so what follows is the same.
    Back,
    ToItsEnd,
}

/// A hook that did not end well in a story that should go on.
#[derive(Debug)]
pub(super) enum Stopped {
    Failed(Box<HookRun>),
    Error(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Lets a step happen; a hook that does not end well stops the story.
pub(super) fn take(model: &mut Model, step: &Step) -> Result<(), Stopped> {
    match model.take(step)? {
        Event::Ended(run) if !matches!(run.outcome, Outcome::Done | Outcome::NoFile) => Err(Stopped::Failed(run)),
        _ => Ok(()),
    }
}

/// Lets the rest of a story happen. What is no longer possible is left out; what is due besides happens before operators do
/// something, and at the end.
pub(super) fn go_on(crashes: &Crashes, model: &mut Model, rest: Rest<'_>) -> Result<Went, Stopped> {
    for (next, sum) in rest.moves.iter().zip(rest.sums) {
        match next {
            Move::Take(step) if model.steps().contains(step) => take(model, step)?,
            Move::Take(_) => {}
            Move::Do(number) => {
                settle(model)?;
                crashes.doings[*number].apply(model)?;
            }
        }
        if model.fingerprint() == *sum {
            return Ok(Went::Back);
        }
    }
    settle(model)?;
    last_hooks(model)?;
    Ok(Went::ToItsEnd)
}

fn settle(model: &mut Model) -> Result<(), Stopped> {
    for _ in 0..MOST_STEPS {
        let Some(step) = model.steps().into_iter().next() else { return Ok(()) };
        take(model, &step)?;
    }
    Err(Error::Endless(format!("{MOST_STEPS} steps more, and the next is due already")).into())
}

/// Each unit runs one hook more, in which it would take back what Juju has not kept.
fn last_hooks(model: &mut Model) -> Result<(), Stopped> {
    let started: Vec<UnitName> = model
        .agents
        .iter()
        .filter(|(_, agent)| agent.started && !agent.removed)
        .map(|(unit, _)| unit.clone())
        .collect();
    for unit in started {
        let run = model.run_hook(unit.as_str(), "update-status")?;
        if !matches!(run.outcome, Outcome::Done | Outcome::NoFile) {
            return Err(Stopped::Failed(Box::new(run)));
        }
    }
    settle(model)
}

/// The unit's hook begins, which one that is.
pub(super) fn begin(model: &mut Model, unit: &UnitName) -> Result<bool, Error> {
    let step = model.steps().into_iter().find(|step| matches!(step, Step::Begin(whose, _) if whose == unit));
    match step {
        Some(step) => model.take(&step).map(|_| true),
        None => Ok(false),
    }
}

/// The unit's hook ends.
pub(super) fn end(model: &mut Model, unit: &UnitName) -> Result<Option<Box<HookRun>>, Error> {
    match model.take(&Step::End(unit.clone()))? {
        Event::Ended(run) => Ok(Some(run)),
        _ => Ok(None),
    }
}
