//! Random stories, for models that are too large to be exhausted.

use std::cell::RefCell;

use proptest::collection::vec;
use proptest::num::u16;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::found::ExploreError;
use super::moves::Moves;
use super::progress::Progress;
use super::property::When;
use super::replay::Player;
use super::settings::{Explore, Explored};
use super::story;
use super::watch::Watch;

/// After so many random moves a story is played to its end, always with what is due first.
const RANDOM: usize = 400;
/// More than this, and a story never comes to rest.
const MOST: usize = 20_000;

/// Plays so many stories; the first that breaks something is made as short as can be.
pub(super) fn walk(explore: &Explore, stories: u32) -> Result<Explored, ExploreError> {
    let config = Config {
        cases: stories,
        max_shrink_iters: 2_000,
        failure_persistence: None,
        source_file: None,
        ..Config::default()
    };
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&explore.seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let walks = RefCell::new(Walks {
        explore,
        watch: Watch::new(explore),
        progress: Progress::new(),
        played: 0,
        states: 0,
        longest: 0,
        done: 0,
        last: None,
    });
    let run = runner.run(&vec(u16::ANY, 0..RANDOM), |choices| {
        let mut walks = walks.borrow_mut();
        // Only a story that breaks something is made shorter.
        if walks.last.as_ref().is_some_and(says_nothing) {
            return Err(TestCaseError::fail(""));
        }
        match walks.play(&choices, stories as usize) {
            // A story that was found is not made into one that says nothing.
            Err(error) if walks.last.is_some() && says_nothing(&error) => Ok(()),
            played => played.map_err(|error| {
                walks.last = Some(error);
                TestCaseError::fail("")
            }),
        }
    });
    let mut walks = walks.into_inner();
    if let Some(error) = walks.last.take_if(|error| says_nothing(error)) {
        return Err(error);
    }
    match run {
        Ok(()) => walks.over(),
        // The story that is left was not the last that was tried, so it is played once more.
        Err(TestError::Fail(_, choices)) => match walks.play(&choices, stories as usize) {
            Err(error) => Err(error),
            Ok(()) => Err(walks.last.unwrap_or_else(|| {
                ExploreError::TooMany("a story that broke a property did not break it again".to_owned())
            })),
        },
        Err(TestError::Abort(reason)) => Err(ExploreError::TooMany(reason.to_string())),
    }
}

/// Nothing was found, but nothing can be said either.
fn says_nothing(error: &ExploreError) -> bool {
    !matches!(error, ExploreError::Found(_))
}

/// Random stories that are under way.
struct Walks<'e> {
    explore: &'e Explore,
    watch: Watch<'e>,
    progress: Progress,
    played: usize,
    states: usize,
    longest: usize,
    done: u64,
    last: Option<ExploreError>,
}

impl Walks<'_> {
    /// One story: at each state the next number says which move.
    fn play(&mut self, choices: &[u16], of: usize) -> Result<(), ExploreError> {
        let mut player = Player::begin(self.explore);
        player.look(&mut self.watch)?;
        let mut choices = choices.iter();
        loop {
            let moves = player.state.moves(&self.explore.doings);
            let random = choices.next();
            let chosen = match random {
                Some(number) => choose(&moves, *number),
                None => (!moves.due.is_empty()).then_some(0),
            };
            let Some(chosen) = chosen else { break };
            let number = u16::try_from(chosen).unwrap_or(u16::MAX);
            player.go(number, &mut self.watch).map_err(|error| {
                // It is one of the moves that there are.
                error.unwrap_or_else(|| ExploreError::TooMany("a state has lost one of its moves".to_owned()))
            })?;
            if player.path.0.len() > MOST {
                let told =
                    format!("a story of {MOST} moves was not over; is there a hook that always brings the next one?");
                return Err(ExploreError::TooMany(told));
            }
        }
        player.end(&mut self.watch)?;
        self.played += 1;
        self.states += player.path.0.len() + 1;
        self.longest = self.longest.max(player.path.0.len());
        self.done |= player.state.done;
        let states = self.states;
        self.progress.show(self.played, of, "stories", || format!(", {states} states"));
        Ok(())
    }

    fn over(mut self) -> Result<Explored, ExploreError> {
        let states = self.states;
        let names = story::names(&self.explore.doings);
        if let Some(number) = (0..names.len()).find(|number| self.done & (1 << number) == 0) {
            let doing = names.into_iter().nth(number).unwrap_or_default();
            let why = "Juju did not take it whenever it was its turn".to_owned();
            return Err(ExploreError::NeverPossible { doing, states, why });
        }
        let sometimes = self.explore.properties.iter().enumerate().filter(|(_, p)| p.when == When::Sometimes);
        for (number, property) in sometimes {
            if self.watch.held & (1 << number) == 0 {
                return Err(ExploreError::Never { property: property.name.clone(), states });
            }
        }
        Ok(Explored {
            states,
            moves: states - self.played,
            depth: self.longest,
            ends: self.watch.ends(),
            elapsed: self.progress.elapsed(),
            reports: self.watch.reports(),
        })
    }
}

/// Which of the moves a random number stands for. One in eight is an operator's or a fault, so that they come at all times of a
/// story, and not all at its beginning.
fn choose(moves: &Moves, number: u16) -> Option<usize> {
    let (of_kind, number) = (number % 8, usize::from(number / 8));
    let steps = moves.due.len() - moves.doings;
    let others = moves.doings + moves.optional.len();
    if steps == 0 || (of_kind == 7 && others > 0) {
        return number.checked_rem(others).map(|at| steps + at);
    }
    Some(number % steps)
}
