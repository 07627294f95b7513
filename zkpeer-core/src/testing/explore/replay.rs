//! One story again, move by move.

use super::found::ExploreError;
use super::moves::State;
use super::progress::Progress;
use super::property::When;
use super::settings::{Explore, Explored};
use super::story::Path;
use super::watch::{Broken, Watch};

/// Plays the stories one after the other; none as an error if a story asks for a move that there is not.
pub(super) fn replay(explore: &Explore, paths: &[Path]) -> Result<Explored, Option<ExploreError>> {
    let progress = Progress::new();
    let mut watch = Watch::new(explore);
    let (mut states, mut depth) = (0, 0);
    for path in paths {
        let mut player = Player::begin(explore);
        player.look(&mut watch)?;
        for number in &path.0 {
            player.go(*number, &mut watch)?;
        }
        player.end(&mut watch)?;
        states += player.path.0.len() + 1;
        depth = depth.max(player.path.0.len());
    }
    let (moves, ends, elapsed) = (states - paths.len(), watch.ends(), progress.elapsed());
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

    /// The story is over: what there is to say of an end is said, if it is one.
    pub(super) fn end(&mut self, watch: &mut Watch<'_>) -> Result<(), ExploreError> {
        if !self.state.moves(&self.explore.doings).due.is_empty() {
            return Ok(());
        }
        let eventually = self.explore.properties.iter().enumerate().filter(|(_, p)| p.when == When::Eventually);
        for (number, property) in eventually {
            if self.held & (1 << number) == 0 {
                let why = "the story ends, and it has held in none of its states".to_owned();
                return Err(self.found(Broken::of(property, why)));
            }
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
