//! One unit of a charm with its agent, in a model in which all other units are data.

mod look;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::application::Application;
use super::builder::Builder;
use super::error::Error;
use super::hook::{Hook, RelationKind};
use super::model::{Event, Kill, Model, Plan, Step};
use super::outcome::{ActionReport, HookRun};
use super::process::KillPoint;
use super::value::Value;
use crate::juju::UnitName;

/// A unit of a charm, run as Juju runs one: each hook is a process of the charm's own program. Its peers and the units that it is
/// related to are data: what they write is told, and nothing runs for them. For several units that run there is
/// [`Model`].
///
/// ```no_run
/// use zkpeer_core::testing::UnitAgent;
///
/// let mut agent = UnitAgent::builder("examples/hello").program("target/debug/hello").leader(true).build()?;
/// agent.deploy()?;
/// agent.add_peer("zkpeer", "hello/1", &[("port", "2181")])?;
/// let hooks = agent.settle()?;
/// assert_eq!(hooks[0].to_string(), "zkpeer-relation-joined (hello/1)");
/// # Ok::<(), zkpeer_core::testing::Error>(())
/// ```
#[derive(Debug)]
pub struct UnitAgent {
    model: Model,
    name: UnitName,
}

/// More hooks than this in a row, and something will never come to rest.
const MAX_HOOKS: usize = 10_000;

impl UnitAgent {
    /// Begins with a charm: a directory that has a `metadata.yaml`. It is copied; nothing is written to it.
    pub fn builder(charm: impl Into<PathBuf>) -> Builder {
        Builder::new(charm.into())
    }

    pub(super) fn new(model: Model, name: UnitName) -> Self {
        Self { model, name }
    }

    /// Runs the next hook that is due, whatever comes of it; none if nothing is due, or a failed hook waits.
    ///
    /// # Errors
    ///
    /// If the agent itself cannot work. A hook that fails is a result, not an error.
    pub fn step(&mut self) -> Result<Option<HookRun>, Error> {
        self.model.look_around();
        while let Some(event) = self.model.step()? {
            if let Event::Ended(run) = event {
                return Ok(Some(*run));
            }
        }
        Ok(None)
    }

    /// What is due next, without running it: the first, if chance decides among several.
    pub fn due(&mut self) -> Option<Hook> {
        self.model.look_around();
        self.model.due(self.name.as_str())
    }

    /// Runs all hooks of the first start, from `install` to `start` (contract 3.1).
    ///
    /// # Errors
    ///
    /// If a hook fails, or the agent itself cannot work.
    pub fn deploy(&mut self) -> Result<Vec<HookRun>, Error> {
        self.run_until(|agent| agent.model.agents.get(&agent.name).is_none_or(|agent| agent.started))
    }

    /// Runs hooks until none is due.
    ///
    /// # Errors
    ///
    /// If a hook fails, or has failed before and waits; if there is no end to it; or the agent itself cannot work.
    pub fn settle(&mut self) -> Result<Vec<HookRun>, Error> {
        self.run_until(|_| false)
    }

    fn run_until(&mut self, enough: impl Fn(&Self) -> bool) -> Result<Vec<HookRun>, Error> {
        let mut runs = Vec::new();
        while !enough(self) {
            if runs.len() == MAX_HOOKS {
                let last = runs.last().map(HookRun::to_string).unwrap_or_default();
                return Err(Error::Endless(format!(
                    "{} has run {MAX_HOOKS} hooks and the next is due already; the last was {last}",
                    self.name
                )));
            }
            let Some(run) = self.step()? else { break };
            if run.failed() {
                return Err(Error::HookFailed(Box::new(run)));
            }
            runs.push(run);
        }
        match self.model.last_failed(&self.name) {
            Some(failed) if self.failed().is_some() => Err(Error::HookFailed(Box::new(failed.clone()))),
            _ => Ok(runs),
        }
    }

    /// Runs one hook now, whether or not it is due: a plain one, or `-created`, `-broken` or an application's
    /// `-changed` of a relation. For hooks about a remote unit there is [`Self::run_relation_hook`].
    ///
    /// A name that no Juju of this version has is run as given, as a charm would meet it under a newer one.
    ///
    /// # Errors
    ///
    /// If Juju could never run this hook now, or the agent itself cannot work.
    pub fn run_hook(&mut self, name: &str) -> Result<HookRun, Error> {
        self.model.look_around();
        let hook = match RelationKind::split(name) {
            Some((endpoint, kind)) => self.relation_hook(endpoint, kind, None)?,
            None => Hook::plain(name),
        };
        self.model.run_now(&self.name, hook)
    }

    /// Runs one hook of a relation about a remote unit: `-joined`, `-changed` or `-departed`.
    ///
    /// # Errors
    ///
    /// If Juju could never run this hook now, or the agent itself cannot work.
    pub fn run_relation_hook(&mut self, name: &str, unit: &str) -> Result<HookRun, Error> {
        self.model.look_around();
        let Some((endpoint, kind)) = RelationKind::split(name) else {
            return Error::impossible(format!("`{name}` is no hook of a relation"));
        };
        let hook = self.relation_hook(endpoint, kind, Some(unit.parse()?))?;
        self.model.run_now(&self.name, hook)
    }

    fn relation_hook(&self, endpoint: &str, kind: RelationKind, unit: Option<UnitName>) -> Result<Hook, Error> {
        let number = match &unit {
            Some(unit) => self.relation_with(endpoint, unit)?,
            None => self.relation_number(endpoint)?,
        };
        self.model.relation_hook(&self.name, number, kind, unit)
    }

    /// Runs the failed hook again, as Juju does after a delay, with a new context.
    ///
    /// # Errors
    ///
    /// If no hook has failed, or the agent itself cannot work.
    pub fn retry(&mut self) -> Result<HookRun, Error> {
        match self.model.pending(&self.name) {
            Some(hook) => self.model.run_at_once(&self.name.clone(), hook),
            None => Error::impossible("no hook has failed, there is nothing to retry"),
        }
    }

    /// `juju resolve --no-retry`: the failed hook counts as done, without its changes.
    ///
    /// # Errors
    ///
    /// If no hook has failed.
    pub fn resolve(&mut self) -> Result<(), Error> {
        self.model.resolve(self.name.as_str())
    }

    /// Runs an action, with the parameters given and the defaults of actions.yaml.
    ///
    /// # Errors
    ///
    /// If the charm has no such action, the parameters do not fit its schema, Juju could not run an action now, or the
    /// agent itself cannot work. An action that fails is a result, not an error.
    pub fn run_action(&mut self, name: &str, params: &[(&str, Value)]) -> Result<ActionReport, Error> {
        let id = self.model.run_action(self.name.as_str(), name, params)?;
        let hook = Hook::Action { id, name: name.to_owned() };
        let why = match self.model.pending(&self.name) {
            Some(hook) if self.failed().is_none() => format!("{hook} was killed and runs again before any action"),
            _ => format!("{hook} cannot run on {} now", self.name),
        };
        if !self.model.steps().contains(&Step::Begin(self.name.clone(), hook.clone())) {
            self.model.forget_task(&self.name, &hook);
            return Error::impossible(why);
        }
        self.model.run_at_once(&self.name.clone(), hook)?;
        match self.model.action(id) {
            Some(report) => Ok(report.clone()),
            None => Error::impossible(format!("action \"{name}\" left no report")),
        }
    }

    /// Lets the timer of `update-status` fire, and runs what is due: the hook comes after all others.
    ///
    /// # Errors
    ///
    /// As [`Self::settle`].
    pub fn update_status(&mut self) -> Result<Vec<HookRun>, Error> {
        self.make_update_status_due();
        self.settle()
    }

    /// Lets the timer of `update-status` fire, without running anything.
    pub fn make_update_status_due(&mut self) {
        let now = self.model.now();
        if let Some(agent) = self.model.agents.get_mut(&self.name) {
            agent.update_status = Some(now);
        }
    }

    /// The machine restarts: `start` is due again.
    pub fn reboot(&mut self) {
        if let Some(agent) = self.model.agents.get_mut(&self.name) {
            agent.rebooted = agent.started;
        }
    }

    /// The charm's files are replaced by those of `charm`, and its program by `program`: `upgrade-charm` is due. What
    /// the charm itself has written stays.
    ///
    /// # Errors
    ///
    /// If the directory is no charm, or a file cannot be written.
    pub fn refresh(&mut self, charm: &Path, program: Option<&Path>) -> Result<(), Error> {
        let mut application = Application::new(charm);
        let app = self.name.application();
        if let Some(program) = program.or(self.model.deployed(app)?.path.as_deref()) {
            application = application.program(program);
        }
        self.model.refresh(self.name.application(), application)
    }

    /// Kills the next hook's process (and its process group) with SIGKILL at the given point.
    pub fn kill_at(&mut self, point: KillPoint) {
        self.plan().kill = Some(Kill { point, hook: None });
    }

    /// Refuses the changes of the next hook that exits 0, for the reason given.
    pub fn refuse_commit(&mut self, reason: &str) {
        self.plan().refuse = Some(reason.to_owned());
    }

    /// Leadership is lost during the next hook, after its last hook command and before its changes are applied.
    pub fn lose_leadership_before_commit(&mut self) {
        self.plan().lose_leadership = true;
    }

    fn plan(&mut self) -> &mut Plan {
        self.model.plans.entry(self.name.clone()).or_default()
    }

    /// How long a hook may take from now on.
    pub fn set_limit(&mut self, limit: Duration) {
        self.model.set_limit(limit);
    }

    fn relations_of(&self, endpoint: &str) -> Vec<u32> {
        let own = self.name.application();
        let mut numbers = self.model.controller.relations_of(own);
        numbers
            .retain(|number| self.model.controller.relation_id(*number, own).is_some_and(|id| id.endpoint == endpoint));
        numbers
    }

    /// The first relation of the endpoint.
    fn relation_number(&self, endpoint: &str) -> Result<u32, Error> {
        self.model.deployed(self.name.application())?.files.endpoint(endpoint)?;
        let first = self.relations_of(endpoint).first().copied();
        first.ok_or_else(|| Error::Impossible(format!("nothing is related to `{endpoint}`; use relate first")))
    }

    /// The relation of the endpoint in which the unit is, or was; otherwise the first.
    fn relation_with(&self, endpoint: &str, unit: &UnitName) -> Result<u32, Error> {
        let relations = &self.model.controller.relations;
        let has = |number: &u32| relations.get(number).is_some_and(|found| found.units.contains_key(unit));
        match self.relations_of(endpoint).into_iter().find(has) {
            Some(number) => Ok(number),
            None => self.relation_number(endpoint),
        }
    }
}
