//! What is explored: a model, what operators do to it, what may go wrong, and what is to hold.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use super::doing::Doing;
use super::found::{ExploreError, Found};
use super::moves::{Faults, Planned, State};
use super::property::{BuiltIn, Property, Verdict, When};
use super::search::Search;
use super::story::Path;
use super::{replay, seal, walk};
use crate::report::Report;
use crate::testing::model::Model;

/// An exploration of a model; see [`explore`](super::explore).
#[derive(Debug)]
pub struct Explore {
    pub(super) model: Model,
    pub(super) doings: Vec<Planned>,
    pub(super) faults: Faults,
    pub(super) properties: Vec<Property>,
    pub(super) without: BTreeSet<BuiltIn>,
    pub(super) most_states: usize,
    pub(super) seed: u64,
}

/// How many states are looked at, unless another number is given.
const STATES: usize = 1_000_000;

/// What there was to explore, nothing of which breaks a property.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explored {
    /// How many states there are; of random stories, how many were passed through.
    pub states: usize,
    /// How many moves lead from one to another.
    pub moves: usize,
    /// The most steps that it takes to get to a state by the shortest way; of random stories, the longest one.
    pub depth: usize,
    /// How many ways there were for all to be quiet, told apart by units, leaders and configuration.
    pub ends: usize,
    /// How long it took.
    pub elapsed: Duration,
    /// What hooks have done, each different report once: for [`Graph::seen`](crate::check::Graph::seen).
    pub reports: Vec<Report>,
}

impl fmt::Display for Explored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { states, moves, depth, ends, elapsed, .. } = self;
        let seconds = elapsed.as_secs_f64();
        write!(f, "{states} states, {moves} moves, {depth} steps deep, {ends} ends, in {seconds:.1} s")
    }
}

impl Explore {
    pub(super) fn new(model: Model) -> Self {
        Self {
            model,
            doings: Vec::new(),
            faults: Faults::default(),
            properties: Vec::new(),
            without: BTreeSet::new(),
            most_states: STATES,
            seed: 0,
        }
    }

    /// An operator does this once, at any moment.
    #[must_use]
    pub fn at_any_time(mut self, doing: Doing) -> Self {
        self.doings.push(Planned { doing, after: None });
        self
    }

    /// An operator does this once, at any moment after the doing before it in the exploration.
    #[must_use]
    pub fn afterwards(mut self, doing: Doing) -> Self {
        let after = self.doings.len().checked_sub(1);
        self.doings.push(Planned { doing, after });
        self
    }

    /// Leadership moves to another unit up to so many times, at any moment.
    #[must_use]
    pub fn leadership_moves(mut self, times: u32) -> Self {
        self.faults.leads = times;
        self
    }

    /// Juju refuses the changes of a hook that has exited 0 up to so many times.
    #[must_use]
    pub fn refused_commits(mut self, times: u32) -> Self {
        self.faults.refusals = times;
        self
    }

    /// A hook is killed up to so many times, between its own commit and Juju's. For all other moments there is
    /// [`explore_crashes`](crate::testing::explore_crashes).
    #[must_use]
    pub fn kills(mut self, times: u32) -> Self {
        self.faults.kills = times;
        self
    }

    /// The timer of `update-status` fires up to so many times, on any unit.
    #[must_use]
    pub fn update_status(mut self, times: u32) -> Self {
        self.faults.timers = times;
        self
    }

    /// What has to hold in every state, also while hooks run, as far as anybody else could notice that they do.
    #[must_use]
    pub fn always<V: Verdict>(self, name: &str, holds: impl Fn(&Model) -> V + 'static) -> Self {
        self.with(Property::new(name, When::Always, holds))
    }

    /// What has to hold whenever all is quiet: no hook runs or is due, and operators have done all they do.
    #[must_use]
    pub fn once_quiet<V: Verdict>(self, name: &str, holds: impl Fn(&Model) -> V + 'static) -> Self {
        self.with(Property::new(name, When::OnceQuiet, holds))
    }

    /// What has to hold in some state of every story in which no unit that can always go on is left out for ever.
    #[must_use]
    pub fn eventually<V: Verdict>(self, name: &str, holds: impl Fn(&Model) -> V + 'static) -> Self {
        self.with(Property::new(name, When::Eventually, holds))
    }

    /// What has to hold in some state: so that an exploration that never gets where it is to get is noticed.
    #[must_use]
    pub fn sometimes<V: Verdict>(self, name: &str, holds: impl Fn(&Model) -> V + 'static) -> Self {
        self.with(Property::new(name, When::Sometimes, holds))
    }

    fn with(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }

    /// Does without one of the properties that are looked at by themselves; the reason is for who reads the test.
    #[must_use]
    pub fn without(mut self, built_in: BuiltIn, _reason: &str) -> Self {
        self.without.insert(built_in);
        self
    }

    /// Looks at so many states at most, instead of a million.
    #[must_use]
    pub fn states(mut self, most: usize) -> Self {
        self.most_states = most;
        self
    }

    /// Begins random stories from another number than 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Explores every order.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Found`] with the shortest story, if something does not hold; otherwise why nothing can be said.
    pub fn run(mut self) -> Result<Explored, ExploreError> {
        self.prepare()?;
        Search::new(&self).run()
    }

    /// Plays so many random stories, at least one, each from the beginning until all is quiet, for models that are too large to be
    /// exhausted. The [seed](Self::seed) decides which.
    ///
    /// # Errors
    ///
    /// [`ExploreError::Found`] with a story that was made as short as could be, if something does not hold; otherwise why
    /// nothing can be said. What has to hold [eventually](Self::eventually) has to hold in some state of each story.
    pub fn walk(mut self, stories: u32) -> Result<Explored, ExploreError> {
        if stories == 0 {
            let why = "`.walk(0)` plays no story, so nothing can be said: give it how many to play";
            return Err(ExploreError::Nothing(why.to_owned()));
        }
        self.prepare()?;
        walk::walk(&self, stories)
    }

    /// Plays one story again, as [`Found::replay`] has it, to see what it breaks: again, or no more.
    ///
    /// Once its moves are over, it goes on with what is due until all is quiet: whoever has waited longest is next, and operators do
    /// something only when nothing else is due. So a charm that was mended is seen to end well.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); and [`ExploreError::NoStory`] if the text is not whole, if the exploration is not what it was then,
    /// or if the charm has been changed so much that there are no such moves any more.
    pub fn replay(mut self, story: &str) -> Result<Explored, ExploreError> {
        self.prepare()?;
        let no_story = |why: String| ExploreError::NoStory { story: story.to_owned(), why };
        let paths = seal::open(&self, story).map_err(no_story)?;
        replay::replay(&self, &paths, &no_story)
    }

    fn prepare(&mut self) -> Result<(), ExploreError> {
        if self.doings.len() > 64 || self.properties.len() > 64 {
            let (doings, properties) = (self.doings.len(), self.properties.len());
            return Err(ExploreError::TooMany(format!(
                "an exploration takes 64 doings and 64 properties, and this one has {doings} and {properties}"
            )));
        }
        self.model.check()?;
        self.model.make_copiable()?;
        Ok(())
    }

    pub(super) fn beginning(&self) -> State {
        State::first(self)
    }

    pub(super) fn found(&self, broken: super::watch::Broken, path: &Path, shortest: bool) -> ExploreError {
        match Found::new(self, broken, path, shortest) {
            Ok(found) => ExploreError::Found(Box::new(found)),
            Err(error) => error.into(),
        }
    }
}
