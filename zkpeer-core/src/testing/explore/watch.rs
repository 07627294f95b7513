//! Looks at each state for what does not hold there.

use std::collections::{BTreeMap, BTreeSet};

use super::blame;
use super::difference;
use super::moves::{Came, State};
use super::place::{self, Places};
use super::property::{BuiltIn, Judged, Property, When};
use super::settings::Explore;
use super::story::Path;
use crate::juju::UnitName;
use crate::report::Report;
use crate::testing::error::Error;
use crate::testing::hook::Hook;
use crate::testing::model::Model;
use crate::testing::outcome::Outcome;
use crate::testing::shared::sum_of;

/// Why something does not hold eventually.
pub(super) const NEVER: &str = "the story ends, and it has held in none of its states";
pub(super) const AGAIN_AND_AGAIN: &str =
    "the story comes back to its last state again and again, and it holds in none of them";

/// What does not hold.
#[derive(Debug)]
pub(super) struct Broken {
    /// The name of the property, or of what else went wrong.
    pub(super) property: String,
    /// That it does not hold, without the reason.
    pub(super) headline: String,
    pub(super) why: String,
    /// The story whose end is another, if it takes two to see it.
    pub(super) other: Option<Path>,
    /// Which of those it is that are looked at by themselves.
    pub(super) built_in: Option<BuiltIn>,
}

impl Broken {
    fn built_in(which: BuiltIn, why: String) -> Self {
        let headline = format!("`{which}` does not hold");
        Self { property: which.to_string(), headline, why, other: None, built_in: Some(which) }
    }

    pub(super) fn of(property: &Property, why: String) -> Self {
        let Property { name, when, .. } = property;
        Self::named(name, format!("`{name}`, {when}, does not hold"), why)
    }

    /// It does not hold here, for this reason, if it gives one.
    fn here(property: &Property, why: String, model: &Model) -> Self {
        let why = if why.is_empty() {
            format!("no reason is given; how the units stand there:{}", place::overview(model))
        } else {
            why
        };
        Self::of(property, why)
    }

    fn panicked(property: &Property, message: String) -> Self {
        let Property { name, when, .. } = property;
        let headline = format!("`{name}`, {when}, panicked where it should have said `false` or why it does not hold");
        Self::named(name, headline, message)
    }

    fn named(name: &str, headline: String, why: String) -> Self {
        Self { property: name.to_owned(), headline, why, other: None, built_in: None }
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
        let run = match came {
            Came::Ended(run) => run,
            Came::Undone(doing, why) => {
                return Some(Broken::named(doing, format!("`{doing}` did not work"), why.clone()));
            }
            Came::Other => return None,
        };
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
                (When::Always, Judged::Broken(why)) => return Err(Broken::here(property, why, &state.model)),
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
                Judged::Broken(why) => return Ok(Some(Broken::here(property, why, &state.model))),
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
                let differences = there.differences(&places);
                if differences.is_empty() {
                    return None;
                }
                let why = difference::tell(&differences, ("in the other story", "in this one"));
                let broken = Broken::built_in(BuiltIn::SameEnd, why);
                Some(Broken { other: Some(other.clone()), ..broken })
            }
        }
    }
}

/// What an `update-status` on each unit changes, if anything, and who has done it.
fn repeating_changes(state: &State) -> Result<Option<String>, Error> {
    let started = |unit: &UnitName| state.model.agents.get(unit).is_some_and(|agent| agent.started);
    for unit in state.model.staying().map(|(unit, _)| unit).filter(|unit| started(unit)) {
        let mut model = state.model.fork();
        // What Juju has refused is taken back by the next hook, whichever that is.
        if model.unconfirmed(unit).is_some() {
            model.update_status(unit.as_str())?;
            model.run_now(unit, Hook::plain("update-status"))?;
        }
        model.update_status(unit.as_str())?;
        let mut after = model.fork();
        after.run_now(unit, Hook::plain("update-status"))?;
        let differences = Places::of(&model).differences(&Places::of(&after));
        if !differences.is_empty() {
            model.note_instants(true);
            let run = model.run_now(unit, Hook::plain("update-status"))?;
            let who = blame::who(&differences, &[&run]).unwrap_or_else(|| "the hook".to_owned());
            let told = difference::tell(&differences, ("before it", "after it"));
            return Ok(Some(format!("update-status ran once more on {unit}, and {who} changed:{told}")));
        }
    }
    Ok(None)
}
