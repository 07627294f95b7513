//! Playing a story: its steps happen in a model, and what it expects is compared with what is there.

mod expect;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::application::Application;
use super::error::Error;
use super::hook::Hook;
use super::machine::Program;
use super::model::Step as Possible;
use super::model::{Course, Event, Model, Moment};
use super::outcome::{ActionReport, HookRun, Outcome};
use super::story::{Deployment, Step, Story, StoryError};
use crate::charm::Charm;
use crate::error::describe;
use crate::juju::UnitName;
use crate::report::HookOutcome;

/// Plays a [`Story`] in a [`Model`].
///
/// ```
/// use std::path::Path;
/// use zkpeer_core::testing::{Player, Story};
/// # let charm = tempfile::tempdir()?;
/// # std::fs::write(charm.path().join("metadata.yaml"), "name: zk\nsummary: s\ndescription: d\n")?;
/// # std::fs::create_dir(charm.path().join("hooks"))?;
/// # std::fs::write(charm.path().join("hooks/install"), "#!/bin/sh\n")?;
/// # let path = charm.path().join("story.yaml");
///
/// let text = "applications: {zk: .}\nsteps:\n  - settle\n  - expect: {unit: zk/0, status: active}\n";
/// let story = Story::parse(text, &path)?; // or Story::read
/// let error = Player::new(story).play().unwrap_err();
/// assert!(error.to_string().ends_with("story.yaml:4: the status of zk/0 is `unknown`, not `active`"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What fails and is not expected ends the story: a hook that fails more often than it is [retried](Self::retries), an expectation
/// that does not hold, something that Juju could not do. A hook that waits to be resolved, or an action whose program
/// has failed, is a failure at the end, unless the story has said that it expects it.
#[derive(Debug)]
pub struct Player {
    story: Story,
    model: Model,
    programs: BTreeMap<PathBuf, Runs>,
    retries: u32,
    max_hooks: u32,
    /// The next step; none before the applications of the head are deployed.
    next: Option<usize>,
    memory: Memory,
}

/// What runs for a charm's hooks.
#[derive(Clone, Debug)]
enum Runs {
    Program(PathBuf),
    Handlers(Rc<Charm>),
}

/// What is remembered from one step for a later one.
#[derive(Debug, Default)]
struct Memory {
    /// The number of the last action of a name, and the step that asked for it.
    actions: BTreeMap<(UnitName, String), (u64, usize)>,
    /// The storage that units of an application ask for.
    storage: BTreeMap<String, BTreeMap<String, u32>>,
    /// Actions that the story has said something about.
    expected_actions: BTreeSet<u64>,
    /// Units of which the story has expected that a hook has failed, with that hook.
    expected_failures: BTreeMap<UnitName, Hook>,
    /// The steps that are to befall a unit's later hook.
    plans: BTreeMap<UnitName, usize>,
    /// What each unit has tried in vain, and how often.
    tries: BTreeMap<UnitName, (Hook, u32)>,
}

/// Something that happens while a story is played.
#[derive(Debug)]
#[non_exhaustive]
pub enum Happening<'a> {
    /// A step begins; its place in the story's list, from 0.
    Step(usize, &'a Step),
    /// The program of a hook or an action starts.
    Begins(&'a UnitName, &'a Hook),
    /// A hook is over, after so many tries that did not succeed.
    Hook(&'a HookRun, u32),
    /// An action is over.
    Action(&'a ActionReport),
    /// A unit has become leader by itself.
    Leader(&'a UnitName),
    /// An expectation was looked at; all that is not as expected.
    Expected(&'a Step, &'a [String]),
}

/// Who is told what happens, with the model as it is then; `Break` ends the story.
pub type Listener<'a> = dyn FnMut(&Happening<'_>, &Model) -> ControlFlow<()> + 'a;

/// Why a story was not played to its end.
///
/// `Debug` is written as the message is, for tests that return it or `unwrap` it.
#[derive(Clone, PartialEq, Eq)]
pub struct PlayError {
    place: String,
    step: Option<usize>,
    problem: String,
}

impl PlayError {
    /// The step, as its place in the story's list from 0; none if it is about what is deployed first.
    #[must_use]
    pub fn step(&self) -> Option<usize> {
        self.step
    }

    /// What is wrong, without the place.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for PlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl fmt::Debug for PlayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for PlayError {}

/// More hooks than this of one unit in one step, and they will never come to rest.
const MAX_HOOKS: u32 = 1000;

/// Why a step ended early: what is wrong, or nothing but that the listener has had enough.
type Stopped = Option<String>;

impl Player {
    /// Begins with a story; nothing happens yet.
    #[must_use]
    pub fn new(story: Story) -> Self {
        let mut model = Model::of(story.juju.clone());
        if let Some(seed) = story.seed {
            model.seed(seed);
        }
        model.set_automatic_retries(story.model_config.automatically_retry_hooks);
        model.set_update_status_interval(story.model_config.update_status_hook_interval);
        model.set_peer_departure_bug(story.bugs.contains(&23326));
        Self {
            story,
            model,
            programs: BTreeMap::new(),
            retries: 1,
            max_hooks: MAX_HOOKS,
            next: None,
            memory: Memory::default(),
        }
    }

    /// Reads the story from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no story.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, StoryError> {
        Ok(Self::new(Story::read(path.as_ref())?))
    }

    /// The program that is the `dispatch` of the charm in this directory.
    #[must_use]
    pub fn program(mut self, charm: impl AsRef<Path>, program: impl Into<PathBuf>) -> Self {
        self.programs.insert(absolute(charm.as_ref()), Runs::Program(program.into()));
        self
    }

    /// Handlers that run in this process for the charm in this directory.
    #[must_use]
    pub fn in_process(mut self, charm: impl AsRef<Path>, handlers: Charm) -> Self {
        self.programs.insert(absolute(charm.as_ref()), Runs::Handlers(Rc::new(handlers)));
        self
    }

    /// How often a hook that fails is retried before the story fails; otherwise once. Where the story turns automatic retries off, a
    /// failed hook waits instead.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How long a hook may take before it is killed and counts as failed; otherwise 60 seconds.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.model.set_limit(limit);
        self
    }

    /// How many hooks one unit may run in one step before it counts as never coming to rest; otherwise 1000.
    #[must_use]
    pub fn max_hooks(mut self, hooks: u32) -> Self {
        self.max_hooks = hooks;
        self
    }

    /// The story.
    #[must_use]
    pub fn story(&self) -> &Story {
        &self.story
    }

    /// The model as it is now.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Ends the story here, and goes on with the model.
    #[must_use]
    pub fn into_model(self) -> Model {
        self.model
    }

    /// Plays all steps that have not been played yet.
    ///
    /// # Errors
    ///
    /// If something fails that was not expected.
    pub fn play(&mut self) -> Result<(), PlayError> {
        self.play_to(&mut |_, _| ControlFlow::Continue(()))
    }

    /// The same, and a listener is told what happens.
    ///
    /// # Errors
    ///
    /// As [`play`](Self::play). That the listener ends the story is no error.
    pub fn play_to(&mut self, listener: &mut Listener<'_>) -> Result<(), PlayError> {
        if self.next.is_none() {
            self.begin()?;
        }
        while let Some(number) = self.next.filter(|next| *next < self.story.steps.len()) {
            self.next = Some(number + 1);
            let step = self.story.steps[number].clone();
            if listener(&Happening::Step(number, &step), &self.model).is_break() {
                return Ok(());
            }
            match self.step(number, &step, listener) {
                Ok(()) => {}
                Err(Some(problem)) => return Err(self.error(number, problem)),
                Err(None) => return Ok(()),
            }
        }
        self.end()
    }

    /// What the head says: it has nothing that is not simulated, and its applications are deployed and related.
    fn begin(&mut self) -> Result<(), PlayError> {
        for (number, step) in self.story.steps.iter().enumerate() {
            steps::refuse(&step.kind).map_err(|problem| self.error(number, problem))?;
        }
        self.next = Some(0);
        for deployment in self.story.applications.clone() {
            let deployed = self.deploy(&deployment);
            deployed.map_err(|problem| self.error_at(deployment.line, problem))?;
        }
        for relation in self.story.relations.clone() {
            let related = self.relate(&relation.sides);
            related.map_err(|problem| self.error_at(relation.line, problem))?;
        }
        Ok(())
    }

    fn error(&self, number: usize, problem: String) -> PlayError {
        let place = self.story.steps.get(number).map_or_else(String::new, |step| self.story.place(step));
        PlayError { place, step: Some(number), problem }
    }

    fn error_at(&self, line: u64, problem: String) -> PlayError {
        PlayError { place: format!("{}:{line}", self.story.path.display()), step: None, problem }
    }

    fn deploy(&mut self, deployment: &Deployment) -> Result<(), String> {
        let name = &deployment.application;
        let mut application = self.application(&deployment.charm).named(name).units(0).trust(deployment.trust);
        for (option, value) in &deployment.config {
            application = application.config(option, value.as_str());
        }
        for (name, file) in &deployment.resources {
            application = application.resource(name, file);
        }
        self.memory.storage.insert(name.clone(), deployment.storage.clone());
        let deployed = self.model.deploy(application);
        let all = deployed.and_then(|_| (0..deployment.units).try_for_each(|_| self.add_unit(name)));
        all.map_err(|error| describe(&error))
    }

    /// One more unit, with all the storage that its application was deployed with.
    fn add_unit(&mut self, application: &str) -> Result<(), Error> {
        let unit = self.model.add_unit(application)?;
        for (name, wanted) in self.memory.storage.get(application).into_iter().flatten() {
            let has = u32::try_from(self.model.controller.storage.count(&unit, name)).unwrap_or(u32::MAX);
            if *wanted < has {
                return Error::impossible(format!("the charm asks for {has} of storage `{name}`, not only {wanted}"));
            }
            (has..*wanted).try_for_each(|_| self.model.add_storage(unit.as_str(), name).map(|_| ()))?;
        }
        Ok(())
    }

    /// The charm in this directory, with what runs for its hooks.
    fn application(&self, charm: &Path) -> Application {
        let mut application = Application::new(charm);
        match self.programs.get(&absolute(charm)) {
            Some(Runs::Program(program)) => application = application.program(program),
            Some(Runs::Handlers(handlers)) => application.program = Program::Handlers(Rc::clone(handlers)),
            None => {}
        }
        application
    }

    /// Lets happen what is due, and the clock go on until then, if a time is given.
    fn go_on(&mut self, until: Option<Duration>, listener: &mut Listener<'_>) -> Result<(), Stopped> {
        let retries = self.story.model_config.automatically_retry_hooks.then_some(self.retries);
        let memory = &mut self.memory;
        let max_hooks = self.max_hooks;
        let mut hooks: BTreeMap<UnitName, u32> = BTreeMap::new();
        let mut stopped: Option<Stopped> = None;
        let mut watch = |model: &Model, moment: Moment<'_>| {
            let told = match moment {
                Moment::After(Event::Ended(run)) => {
                    let count = hooks.entry(run.unit.clone()).or_default();
                    *count += 1;
                    memory.ended(run, model, listener).and_then(|()| at_rest(run, *count, max_hooks))
                }
                Moment::After(Event::Elected(unit)) => tell(listener, &Happening::Leader(unit), model),
                Moment::Before(Possible::Begin(unit, hook)) => tell(listener, &Happening::Begins(unit, hook), model),
                _ => Ok(()),
            };
            match told {
                Ok(()) => ControlFlow::Continue(()),
                Err(why) => {
                    stopped = Some(why);
                    ControlFlow::Break(())
                }
            }
        };
        let gone_on = self.model.go_on(Course { retries, until }, &mut watch);
        match (gone_on, stopped) {
            (_, Some(why)) => Err(why),
            (Err(Error::HookFailed(run)), None) => Err(Some(given_up(&run, self.retries))),
            (Err(error), None) => Err(Some(describe(&error))),
            (Ok(()), None) => Ok(()),
        }
    }

    /// What failed without being expected, and what was asked for and never came.
    fn end(&self) -> Result<(), PlayError> {
        let last = self.story.steps.len().saturating_sub(1);
        for unit in self.model.units() {
            let Some(hook) = self.model.failed(unit.as_str()) else { continue };
            if self.memory.expected_failures.get(&unit) != Some(hook) {
                let problem = match self.model.last_failed(&unit) {
                    Some(run) => given_up(run, 0),
                    None => format!("hook {hook} has failed on {unit}"),
                };
                return Err(self.error(last, format!("{problem}\nit still waits at the end of the story")));
            }
        }
        for ((unit, name), (id, step)) in &self.memory.actions {
            match self.model.action(*id) {
                Some(report) if report.run.failed() && !self.memory.expected_actions.contains(id) => {
                    let problem = format!("action {name} failed on {unit}: {}", said(&report.run));
                    return Err(self.error(*step, problem));
                }
                None if !self.model.is_gone(unit.as_str()) => {
                    let problem = format!("action {name} has not run on {unit}; write `settle` after it");
                    return Err(self.error(*step, problem));
                }
                _ => {}
            }
        }
        for (unit, step) in &self.memory.plans {
            let waits = self.model.plans.get(unit).is_some_and(|plan| plan.kill.is_some() || plan.refuse.is_some());
            if waits {
                let problem = format!("this has not happened: no such hook ran on {unit} afterwards");
                return Err(self.error(*step, problem));
            }
        }
        Ok(())
    }
}

impl Memory {
    /// A hook is over: who listens is told, and what must not be is noticed.
    fn ended(&mut self, run: &HookRun, model: &Model, listener: &mut Listener<'_>) -> Result<(), Stopped> {
        if let Hook::Action { id, .. } = &run.hook {
            match model.action(*id) {
                Some(report) => tell(listener, &Happening::Action(report), model)?,
                None => tell(listener, &Happening::Hook(run, 0), model)?,
            }
        } else {
            let before =
                self.tries.remove(&run.unit).filter(|(hook, _)| *hook == run.hook).map_or(0, |(_, tries)| tries);
            tell(listener, &Happening::Hook(run, before), model)?;
            if run.failed() || run.outcome == Outcome::Killed {
                self.tries.insert(run.unit.clone(), (run.hook.clone(), before + 1));
            }
        }
        if let Some(problem) = forgotten_failure(run) {
            return Err(Some(problem));
        }
        Ok(())
    }
}

fn at_rest(run: &HookRun, count: u32, max: u32) -> Result<(), Stopped> {
    if count <= max {
        return Ok(());
    }
    Err(Some(format!("{} has run {max} hooks without coming to rest; the last was {run}", run.unit)))
}

fn tell(listener: &mut Listener<'_>, happening: &Happening<'_>, model: &Model) -> Result<(), Stopped> {
    if listener(happening, model).is_break() { Err(None) } else { Ok(()) }
}

/// A failure that Juju would take for a success, or a charm only warns about.
fn forgotten_failure(run: &HookRun) -> Option<String> {
    let report = run.report.as_ref().filter(|_| !run.failed() && run.outcome != Outcome::Killed)?;
    let why = report.error.as_deref().unwrap_or("without a reason");
    match report.outcome {
        HookOutcome::Failed => Some(format!(
            "hook {run} failed on {}, but the program exited with code 0, so Juju would take it for done: {why}\n\
             `main` has to return what `zkpeer_core::main()` returns: fn main() -> std::process::ExitCode",
            run.unit
        )),
        HookOutcome::NotSettled => Some(format!("the flags did not settle in hook {run} on {}: {why}", run.unit)),
        _ => None,
    }
}

/// Why a hook failed for good.
fn given_up(run: &HookRun, retries: u32) -> String {
    let tries = match retries {
        0 => String::new(),
        1 => "\na retry did not help".to_owned(),
        n => format!("\n{n} retries did not help"),
    };
    match run.report.as_ref().and_then(|report| report.error.as_deref()) {
        Some(error) => format!("hook {run} failed on {}: {error}{tries}", run.unit),
        None => run.problem().unwrap_or_default() + &tries,
    }
}

/// The charm's own words, if its report has any.
fn said(run: &HookRun) -> String {
    let own = run.report.as_ref().and_then(|report| report.error.clone());
    own.unwrap_or_else(|| run.problem().unwrap_or_default())
}

/// The same directory is the same path, however it is written.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
