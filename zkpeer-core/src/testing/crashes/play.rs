//! The moves of a story, and how it goes on after something has gone wrong: as it would have, as far as that is still possible.

use std::fmt;

use super::Crashes;
use crate::juju::UnitName;
use crate::testing::error::Error;
use crate::testing::explore::Doing;
use crate::testing::explore::doing::Undone;
use crate::testing::explore::place::Places;
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

impl Move {
    /// In words.
    pub(super) fn describe(&self, crashes: &Crashes) -> String {
        match self {
            Self::Take(step) => step.to_string(),
            Self::Do(number) => crashes.doings[*number].to_string(),
        }
    }
}

/// What comes next in a story, each move with a sum over the state after it.
#[derive(Clone, Copy, Default)]
pub(super) struct Rest<'t> {
    pub(super) moves: &'t [Move],
    pub(super) sums: &'t [u128],
}

/// Where a story that goes on has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Went {
    /// Where it would have been undisturbed; so what follows is the same.
    Back,
    ToItsEnd,
}

/// Something that did not go well in a story that should go on.
#[derive(Debug)]
pub(super) enum Stopped {
    Failed(Box<HookRun>),
    /// Nothing came of an operator's doing.
    Undone(String),
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

/// Lets an operator do something.
pub(super) fn apply(model: &mut Model, doing: &Doing) -> Result<(), Stopped> {
    doing.apply(model).map_err(|why| match why {
        Undone::Error(error @ (Error::Io { .. } | Error::Interrupted)) => Stopped::Error(error),
        why => Stopped::Undone(format!("`{doing}` did not work: {why}")),
    })
}

/// Lets the rest of a story happen. What is no longer possible is left out; what is due besides happens before operators do
/// something, and at the end. Where everything stands each time that all is quiet is put down.
pub(super) fn go_on(
    crashes: &Crashes,
    model: &mut Model,
    rest: Rest<'_>,
    quiet: &mut Vec<Places>,
) -> Result<Went, Stopped> {
    for (next, sum) in rest.moves.iter().zip(rest.sums) {
        match next {
            Move::Take(step) if model.steps().contains(step) => take(model, step)?,
            Move::Take(_) => {}
            Move::Do(number) => {
                settle(model)?;
                quiet.push(quiet_at(model)?);
                apply(model, &crashes.doings[*number])?;
            }
        }
        if model.fingerprint() == *sum {
            return Ok(Went::Back);
        }
    }
    settle(model)?;
    quiet.push(quiet_at(model)?);
    Ok(Went::ToItsEnd)
}

fn settle(model: &mut Model) -> Result<(), Stopped> {
    for _ in 0..MOST_STEPS {
        let Some(step) = model.steps().into_iter().next() else { return Ok(()) };
        take(model, &step)?;
    }
    Err(Error::Endless(format!("{MOST_STEPS} steps more, and the next is due already")).into())
}

/// Where everything stands in a model in which nothing is due, once each unit has run one hook more, in which it takes back what
/// Juju has not kept. The model stays as it is.
pub(super) fn quiet_at(model: &Model) -> Result<Places, Stopped> {
    let mut model = model.fork();
    let started = model.agents.iter().filter(|(_, agent)| agent.started && !agent.removed);
    let started: Vec<UnitName> = started.map(|(unit, _)| unit.clone()).collect();
    for unit in started {
        let run = model.run_hook(unit.as_str(), "update-status")?;
        if !matches!(run.outcome, Outcome::Done | Outcome::NoFile) {
            return Err(Stopped::Failed(Box::new(run)));
        }
    }
    settle(&mut model)?;
    Ok(Places::of(&model).with_what_is_stored(&model))
}

/// The unit's hook that is due.
pub(super) fn due(model: &Model, unit: &UnitName) -> Option<Step> {
    model.steps().into_iter().find(|step| matches!(step, Step::Begin(whose, _) if whose == unit))
}

/// The unit's hook begins, which one that is.
pub(super) fn begin(model: &mut Model, unit: &UnitName) -> Result<bool, Error> {
    match due(model, unit) {
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
