//! A kill at every instant: a hook that was stopped anywhere, and runs again, leads to where an undisturbed one does.
//!
//! Charms are killed: machines lose power, the kernel runs out of memory, Juju's agent is restarted in the middle of a hook. Juju runs
//! the same hook again. [`explore_crashes`] plays a story undisturbed; then again with each hook stopped at each of its instants in
//! turn, and goes on to the end each time, which has to be the same.
//!
//! ```
//! use std::rc::Rc;
//! use zkpeer_core::testing::{Application, CrashError, Fake, Model, explore_crashes};
//! use zkpeer_core::{Flags, Resource, handlers, when_not};
//!
//! /// How many keys the server has been given.
//! struct Keys(Fake<u32>);
//!
//! #[when_not("installed")]
//! fn install(keys: Resource<Keys>, flags: Flags) {
//!     keys.0.change(|keys| *keys += 1);
//!     flags.set("installed");
//! }
//!
//! # let charm = tempfile::tempdir()?;
//! # std::fs::write(charm.path().join("metadata.yaml"), "name: hello\nsummary: s\ndescription: d\n")?;
//! # let directory = charm.path();
//! let charm = zkpeer_core::Charm::new().handlers(handlers![install]);
//! let mut model = Model::new();
//! model.deploy(Application::new(directory).in_process(charm).fake(|fakes| {
//!     let keys = Keys(fakes.state(0));
//!     fakes.resource(keys);
//! }))?;
//! let Err(CrashError::Found(crash)) = explore_crashes(model).run() else { panic!("one key too many") };
//! assert!(crash.repeated[0].contains("install` ("), "{crash}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The instants of a hook are: before it begins; before each hook command, and after it; before each change of a
//! [fake](super::Fake), and after it (so also of each program that [`Programs`](super::Programs) answer for); after each write to the
//! store; before each commit of the store, after it, and before the program exits. The last two are also the power cut between the
//! charm's own commit and Juju's. Besides, the changes of each hook that has exited 0 are refused once by Juju, and a leader loses its
//! leadership once in each of its hooks, after the last hook command.
//!
//! Compared is where everything stands each time that all is quiet, before each thing that an operator does and at the end: what each
//! unit has stored, its fakes, files, status, ports and relation data; leader settings and data of applications. For the comparison
//! each unit runs an `update-status` more, in copies of the model: only the hook after a kill takes back what Juju has not kept of
//! it, and after an action none may be due. So what every `update-status` mends by itself is not found.
//!
//! In two cases all may stand elsewhere than undisturbed. An action is not run again by Juju: it leads to where the whole action does,
//! or to where none at all does. After a leadership that was lost all is where it would be if the unit had been deposed before the
//! hook, or after it. What differs is then told from each of these.
//!
//! The undisturbed story is played twice before anything is stopped, and once more before a crash is blamed: if it is not the same each
//! time, handlers depend on time, chance or something else that is not in the model, and that is what is told.
//!
//! A hook is stopped once, and then runs through. What was stopped may be stopped again when it is run again:
//! [`kills(2)`](Crashes::kills).

mod crash;
mod found;
mod play;
mod told;

pub use found::{Crash, CrashError};

use std::collections::BTreeSet;
use std::fmt;
use std::time::{Duration, Instant};

use super::explore::Doing;
use super::model::Model;
use crash::Crashing;
use play::Place;
use told::Told;

/// An exploration of crashes; see [`explore_crashes`].
#[derive(Debug)]
pub struct Crashes {
    model: Model,
    doings: Vec<Doing>,
    seeds: Vec<Option<u64>>,
    kills: usize,
}

/// How many instants there were; each led to the end of an undisturbed story.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survived {
    /// How many hooks there were in the undisturbed stories.
    pub hooks: usize,
    /// At how many instants one was killed.
    pub instants: usize,
    /// How often the changes of one were refused.
    pub refusals: usize,
    /// How often a leader lost its leadership at the end of one.
    pub lost: usize,
    /// After how many of all these the story was told to its end. It need not be where another kill in the same hook has left the
    /// same, nor where all is soon again as it would have been undisturbed.
    pub told: usize,
    /// How long it took.
    pub elapsed: Duration,
}

impl fmt::Display for Survived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hooks, instants, refusals, lost, told, elapsed } = self;
        let seconds = elapsed.as_secs_f64();
        write!(
            f,
            "{instants} instants in {hooks} hooks, {refusals} refused commits, {lost} lost leaderships: {told} stories told \
             to their ends in {seconds:.1} s"
        )
    }
}

/// Begins an exploration of the crashes in this model's further life.
///
/// All its hooks have to run in this process, and what handlers do outside Juju has to be in the model, as
/// [fakes](super::Fakes) or as files in the charm's directory or below [`Root`](crate::Root).
pub fn explore_crashes(model: Model) -> Crashes {
    Crashes { model, doings: Vec::new(), seeds: vec![None], kills: 1 }
}

impl Crashes {
    /// What an operator does next, when all is quiet.
    #[must_use]
    pub fn afterwards(mut self, doing: Doing) -> Self {
        self.doings.push(doing);
        self
    }

    /// Tells the story once for each of these seeds, which decide how hooks of different units overlap; otherwise once, each hook to
    /// its end.
    #[must_use]
    pub fn seeds(mut self, seeds: impl IntoIterator<Item = u64>) -> Self {
        self.seeds = seeds.into_iter().map(Some).collect();
        self
    }

    /// Kills a hook up to so many times in a row, instead of once: what was stopped or refused is killed again when it is run again,
    /// at each of its instants. Two take a few times as long as one; most of what is found takes only one.
    #[must_use]
    pub fn kills(mut self, in_a_row: usize) -> Self {
        self.kills = in_a_row;
        self
    }

    /// Explores all of them.
    ///
    /// # Errors
    ///
    /// [`CrashError::Found`] with the first crash that leads elsewhere; otherwise why nothing can be said.
    pub fn run(mut self) -> Result<Survived, CrashError> {
        self.prepare()?;
        let began = Instant::now();
        let mut survived = Survived::default();
        for seed in &self.seeds {
            let told = Told::tell(&self, *seed)?;
            survived.hooks += told.hooks.len();
            for number in 0..told.hooks.len() {
                self.crash_in(&told, number, &mut survived)?;
            }
        }
        if survived.hooks == 0 {
            let what = "no hook runs in this model, so none can be killed: give it something to do with `.afterwards(..)`, or do not \
                        settle it before";
            return Err(CrashError::Nothing(what.to_owned()));
        }
        survived.elapsed = began.elapsed();
        Ok(survived)
    }

    /// Everything that can go wrong in one hook: in its first try, then in the next one, too.
    fn crash_in(&self, told: &Told, number: usize, survived: &mut Survived) -> Result<(), CrashError> {
        let mut left = BTreeSet::new();
        let mut tries: Vec<Vec<Place>> = told.places(number).into_iter().map(|place| vec![place]).collect();
        for _ in 0..self.kills {
            let mut next = Vec::new();
            for places in tries {
                survived.count(&places);
                let crashing = Crashing { crashes: self, told, number, places };
                let survivor = crashing.play(&mut left)?;
                survived.told += usize::from(survivor.told);
                let then = |point| crashing.places.iter().copied().chain([Place::Kill(point)]).collect();
                next.extend(survivor.next.into_iter().map(then));
            }
            tries = next;
        }
        Ok(())
    }

    /// Plays one crash again, as [`Crash::replay`] has it, whatever [`kills`](Self::kills) says.
    ///
    /// # Errors
    ///
    /// As for [`run`](Self::run); [`CrashError::NoCrash`] if the text is not one of this story.
    pub fn replay(mut self, crash: &str) -> Result<Survived, CrashError> {
        self.prepare()?;
        let no_crash = || CrashError::NoCrash(crash.to_owned());
        let (seed, number, places) = found::read(crash).ok_or_else(no_crash)?;
        let told = Told::tell(&self, seed)?;
        if number >= told.hooks.len() || !told.places(number).contains(&places[0]) {
            return Err(no_crash());
        }
        let mut survived = Survived { hooks: 1, told: 1, ..Survived::default() };
        survived.count(&places);
        let played = Crashing { crashes: &self, told: &told, number, places }.play(&mut BTreeSet::new());
        played.map(|_| survived).map_err(|error| match error {
            CrashError::NoCrash(_) => no_crash(),
            error => error,
        })
    }

    fn prepare(&mut self) -> Result<(), CrashError> {
        if self.seeds.is_empty() || self.kills == 0 {
            let what =
                if self.kills == 0 { "`.kills(0)` kills no hook" } else { "`.seeds(..)` of none tells no story" };
            return Err(CrashError::Nothing(format!(
                "{what}, so nothing can be said: give it at least one, or leave it out"
            )));
        }
        self.model.check()?;
        self.model.make_copiable()?;
        self.model.note_instants(true);
        Ok(())
    }
}

impl Survived {
    fn count(&mut self, places: &[Place]) {
        match places.last() {
            Some(Place::Kill(_)) => self.instants += 1,
            Some(Place::Refused) => self.refusals += 1,
            Some(Place::LeadershipLost) => self.lost += 1,
            None => {}
        }
    }
}
