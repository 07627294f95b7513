//! One story again, move by move.

use std::collections::{BTreeMap, BTreeSet};

use super::found::ExploreError;
use super::moves::State;
use super::progress::Progress;
use super::property::{Property, When};
use super::settings::{Explore, Explored};
use super::story::Path;
use super::watch::{AGAIN_AND_AGAIN, Broken, NEVER, Watch};
use crate::juju::UnitName;

/// More moves than this after its own, and a story never comes to rest.
const MOST: usize = 20_000;

/// Plays the stories one after the other.
pub(super) fn replay(
    explore: &Explore,
    paths: &[Path],
    no_story: &dyn Fn(String) -> ExploreError,
) -> Result<Explored, ExploreError> {
    let progress = Progress::new();
    let mut watch = Watch::new(explore);
    let (mut moves, mut depth) = (0, 0);
    for path in paths {
        let mut player = Player::begin(explore);
        player.look(&mut watch)?;
        for (at, number) in path.0.iter().enumerate() {
            let gone =
                || no_story(format!("there is no such move {} any more; explore the charm as it is now", at + 1));
            player.go(*number, &mut watch).map_err(|error| error.unwrap_or_else(gone))?;
        }
        player.go_on(&mut watch)?;
        player.end(&mut watch)?;
        moves += player.path.0.len();
        depth = depth.max(player.path.0.len());
    }
    let (states, ends, elapsed) = (moves + paths.len(), watch.ends(), progress.elapsed());
    Ok(Explored { states, moves, depth, ends, elapsed, reports: watch.reports() })
}

/// Plays one story.
pub(super) struct Player<'e> {
    explore: &'e Explore,
    pub(super) state: State,
    pub(super) path: Path,
    /// Which properties have held so far in this story, a bit each.
    held: u64,
}

/// One state of a story that goes on: who could move there, and who did.
struct Passed {
    sum: u128,
    could: BTreeSet<UnitName>,
    moved: Option<UnitName>,
}

impl<'e> Player<'e> {
    pub(super) fn begin(explore: &'e Explore) -> Self {
        Self { explore, state: explore.beginning(), path: Path::default(), held: 0 }
    }

    pub(super) fn look(&mut self, watch: &mut Watch<'_>) -> Result<(), ExploreError> {
        match watch.at(&self.state) {
            Ok(here) => {
                self.held |= here;
                Ok(())
            }
            Err(broken) => Err(self.found(broken)),
        }
    }

    /// The move of this number happens; none as an error if there is none.
    pub(super) fn go(&mut self, number: u16, watch: &mut Watch<'_>) -> Result<(), Option<ExploreError>> {
        let moves = self.state.moves(&self.explore.doings);
        let chosen = moves.get(usize::from(number)).ok_or(None)?;
        let came = self.state.take(chosen, &self.explore.doings).map_err(ExploreError::Model)?;
        self.path.0.push(number);
        if let Some(broken) = watch.after(&came) {
            return Err(Some(self.found(broken)));
        }
        self.look(watch).map_err(Some)
    }

    /// What is due happens, until all is quiet or the story goes round in a circle in which nobody is left out.
    fn go_on(&mut self, watch: &mut Watch<'_>) -> Result<(), ExploreError> {
        let mut passed: Vec<Passed> = Vec::new();
        let mut last = BTreeMap::new();
        for now in 0..MOST {
            let moves = self.state.moves(&self.explore.doings);
            if moves.due.is_empty() {
                return Ok(());
            }
            let sum = self.state.fingerprint();
            if let Some(at) = passed.iter().position(|before| before.sum == sum).filter(|at| is_fair(&passed[*at..])) {
                self.path.0.truncate(self.path.0.len() - (passed.len() - at));
                return self.circle();
            }
            let steps = moves.due.len() - moves.doings;
            let waits = |chosen: &usize| moves.due[*chosen].actor().and_then(|unit| last.get(unit)).copied();
            let chosen = (0..steps).min_by_key(waits).unwrap_or(steps);
            let moved = moves.due[chosen].actor().cloned();
            last.extend(moved.clone().map(|unit| (unit, now)));
            let could = moves.due.iter().filter_map(|due| due.actor().cloned()).collect();
            passed.push(Passed { sum, could, moved });
            // It is one of the moves that there are.
            let number = u16::try_from(chosen).unwrap_or(u16::MAX);
            self.go(number, watch).or_else(|error| error.map_or(Ok(()), Err))?;
        }
        let told = format!("{MOST} moves after the story was over, the next is due already");
        Err(ExploreError::TooMany(told))
    }

    /// The story comes back to where it is for ever.
    fn circle(&self) -> Result<(), ExploreError> {
        match self.never_held() {
            Some(property) => Err(self.found(Broken::of(property, AGAIN_AND_AGAIN.to_owned()))),
            None => Ok(()),
        }
    }

    /// What is to hold eventually, and has not in this story.
    fn never_held(&self) -> Option<&'e Property> {
        let mut properties = self.explore.properties.iter().enumerate();
        let found =
            properties.find(|(number, property)| property.when == When::Eventually && self.held & (1 << number) == 0);
        found.map(|(_, property)| property)
    }

    /// The story is over: what there is to say of an end is said, if it is one.
    pub(super) fn end(&mut self, watch: &mut Watch<'_>) -> Result<(), ExploreError> {
        if !self.state.moves(&self.explore.doings).due.is_empty() {
            return Ok(());
        }
        if let Some(property) = self.never_held() {
            return Err(self.found(Broken::of(property, NEVER.to_owned())));
        }
        let path = self.path.clone();
        match watch.at_end(&self.state, &|| path.clone())? {
            Some(broken) => Err(self.found(broken)),
            None => Ok(()),
        }
    }

    fn found(&self, broken: Broken) -> ExploreError {
        self.explore.found(broken, &self.path, false)
    }
}

/// Whether everybody moves in this circle who could in all of its states.
fn is_fair(circle: &[Passed]) -> bool {
    let Some((first, others)) = circle.split_first() else { return false };
    let always =
        others.iter().fold(first.could.clone(), |all, state| all.intersection(&state.could).cloned().collect());
    let moved: BTreeSet<&UnitName> = circle.iter().filter_map(|state| state.moved.as_ref()).collect();
    always.iter().all(|unit| moved.contains(unit))
}
