//! Looks at each state for what does not hold there.

use std::collections::{BTreeMap, BTreeSet};

use super::moves::{Came, State};
use super::place::{self, Places};
use super::property::{BuiltIn, Judged, Property, When};
use super::settings::Explore;
use super::story::{Path, called};
use crate::report::Report;
use crate::testing::error::Error;
use crate::testing::outcome::Outcome;
use crate::testing::shared::sum_of;

/// What does not hold.
#[derive(Debug)]
pub(super) struct Broken {
    /// The name of the property.
    pub(super) property: String,
    /// When it is to hold, if that is not said by the name.
    pub(super) when: Option<When>,
    pub(super) why: String,
    /// The story whose end is another, if it takes two to see it.
    pub(super) other: Option<Path>,
    /// The property could not say.
    pub(super) panicked: bool,
    /// Which of those it is that are looked at by themselves.
    pub(super) built_in: Option<BuiltIn>,
}

impl Broken {
    fn built_in(which: BuiltIn, why: String) -> Self {
        Self { property: which.to_string(), when: None, why, other: None, panicked: false, built_in: Some(which) }
    }

    pub(super) fn of(property: &Property, why: String) -> Self {
        Self {
            property: property.name.clone(),
            when: Some(property.when),
            why,
            other: None,
            panicked: false,
            built_in: None,
        }
    }

    fn panicked(property: &Property, message: String) -> Self {
        Self { panicked: true, ..Self::of(property, message) }
    }
}

/// Watches an exploration.
#[derive(Debug)]
pub(super) struct Watch<'e> {
    explore: &'e Explore,
    /// In which circumstances all was quiet.
    circumstances: BTreeSet<u128>,
    /// The first end for each of them, and the way to it.
    ends: BTreeMap<u128, (Path, Places)>,
    /// Which of the properties have held somewhere, a bit each.
    pub(super) held: u64,
    /// What hooks have done, each different report once.
    reports: BTreeMap<u128, Report>,
}

impl<'e> Watch<'e> {
    pub(super) fn new(explore: &'e Explore) -> Self {
        Self { explore, circumstances: BTreeSet::new(), ends: BTreeMap::new(), held: 0, reports: BTreeMap::new() }
    }

    fn built_in(&self, which: BuiltIn) -> bool {
        !self.explore.without.contains(&which)
    }

    /// How many ends there are that had to be told apart.
    pub(super) fn ends(&self) -> usize {
        self.circumstances.len()
    }

    /// What hooks have done, each different report once.
    pub(super) fn reports(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.reports).into_values().collect()
    }

    /// What a move has come to.
    pub(super) fn after(&mut self, came: &Came) -> Option<Broken> {
        let Came::Ended(run) = came else { return None };
        if let Some(report) = &run.report {
            self.reports.entry(sum_of(report)).or_insert_with(|| report.clone());
        }
        // What Juju refuses, and who is killed, is none of the charm's doing.
        let failed = matches!(run.outcome, Outcome::Failed(_) | Outcome::TimedOut(_)) && !run.hook.is_exec();
        if failed && self.built_in(BuiltIn::NoHookFails) {
            return Some(Broken::built_in(BuiltIn::NoHookFails, run.problem().unwrap_or_default()));
        }
        None
    }

    /// A state that was not seen before. Says, too, which of the properties that are to hold some time hold here.
    pub(super) fn at(&mut self, state: &State) -> Result<u64, Broken> {
        let mut here = 0;
        for (number, property) in self.explore.properties.iter().enumerate() {
            match (property.when, property.judge(&state.model)) {
                (When::OnceQuiet, _) => {}
                (_, Judged::Holds) => here |= 1 << number,
                (_, Judged::Panicked(message)) => return Err(Broken::panicked(property, message)),
                (When::Always, Judged::Broken(why)) => return Err(Broken::of(property, why)),
                (_, Judged::Broken(_)) => {}
            }
        }
        self.held |= here;
        Ok(here)
    }

    /// All is quiet here.
    pub(super) fn at_end(&mut self, state: &State, path: &dyn Fn() -> Path) -> Result<Option<Broken>, Error> {
        let circumstances = place::circumstances(&state.model);
        self.circumstances.insert(circumstances);
        let quiet = self.explore.properties.iter().filter(|property| property.when == When::OnceQuiet);
        for property in quiet {
            match property.judge(&state.model) {
                Judged::Holds => {}
                Judged::Broken(why) => return Ok(Some(Broken::of(property, why))),
                Judged::Panicked(message) => return Ok(Some(Broken::panicked(property, message))),
            }
        }
        if self.built_in(BuiltIn::NobodyStuck)
            && let Some(why) = place::stuck(&state.model)
        {
            return Ok(Some(Broken::built_in(BuiltIn::NobodyStuck, why)));
        }
        if self.built_in(BuiltIn::RepeatingChangesNothing)
            && let Some(why) = repeating_changes(state)?
        {
            return Ok(Some(Broken::built_in(BuiltIn::RepeatingChangesNothing, why)));
        }
        if self.built_in(BuiltIn::SameEnd) {
            return Ok(self.same_end(circumstances, state, path));
        }
        Ok(None)
    }

    fn same_end(&mut self, circumstances: u128, state: &State, path: &dyn Fn() -> Path) -> Option<Broken> {
        let places = Places::of(&state.model);
        match self.ends.get(&circumstances) {
            None => {
                self.ends.insert(circumstances, (path(), places));
                None
            }
            Some((other, there)) => {
                let why = places.differs_from(there, ("here", "at the end of the other story"))?;
                let broken = Broken::built_in(BuiltIn::SameEnd, why);
                Some(Broken { other: Some(other.clone()), ..broken })
            }
        }
    }
}

/// What an `update-status` on each unit changes, if anything.
fn repeating_changes(state: &State) -> Result<Option<String>, Error> {
    let started = |unit: &crate::juju::UnitName| state.model.agents.get(unit).is_some_and(|agent| agent.started);
    for unit in state.model.staying().map(|(unit, _)| unit).filter(|unit| started(unit)) {
        let mut model = state.model.fork();
        // What Juju has refused is taken back by the next hook, whichever that is.
        if model.unconfirmed(unit).is_some() {
            model.update_status(unit.as_str())?;
            model.run_now(unit, crate::testing::hook::Hook::plain("update-status"))?;
        }
        model.update_status(unit.as_str())?;
        let before = Places::of(&model);
        let run = model.run_now(unit, crate::testing::hook::Hook::plain("update-status"))?;
        if let Some(why) = Places::of(&model).differs_from(&before, ("after an update-status", "before")) {
            let handlers: Vec<&str> = run.report.as_ref().map(|report| called(report).collect()).unwrap_or_default();
            return Ok(Some(format!("on {unit} {} ran again:{why}", handlers.join(", "))));
        }
    }
    Ok(None)
}
