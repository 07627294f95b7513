//! The agent of one unit: it starts the charm's real program for each hook, as Juju does, against a model held here.

mod look;
mod world;

use std::fs;
use std::io::{self, BufRead, Seek};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::agent::{Agent, Next, Pending};
use super::builder::{Builder, Root};
use super::charm::{self, CharmFiles};
use super::command;
use super::controller::{Controller, Entries, Status};
use super::environment;
use super::error::Error;
use super::hook::{Hook, RelationHook, RelationKind};
use super::outcome::{ActionReport, HookRun, Outcome};
use super::process::{self, Exit, KillPoint};
use super::run::Run;
use super::value::Value;
use crate::juju::UnitName;

/// A unit of a charm, run as Juju runs one: each hook is a process of the charm's own program.
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
    controller: Controller,
    unit: Agent,
    charm: CharmFiles,
    root: Root,
    limit: Duration,
    path: String,
    contexts: u64,
    actions: u64,
    report_at: u64,
    kill: Option<KillPoint>,
    refuse: Option<String>,
    lose_leadership: bool,
    last_failed: Option<HookRun>,
}

/// More hooks than this in a row, and something will never come to rest.
const MAX_HOOKS: usize = 10_000;

impl UnitAgent {
    /// Begins with a charm: a directory that has a `metadata.yaml`. It is copied; nothing is written to it.
    pub fn builder(charm: impl Into<PathBuf>) -> Builder {
        Builder::new(charm.into())
    }

    pub(super) fn new(
        controller: Controller,
        unit: Agent,
        charm: CharmFiles,
        root: Root,
        limit: Duration,
        path: String,
    ) -> Self {
        Self {
            controller,
            unit,
            charm,
            root,
            limit,
            path,
            contexts: 0,
            actions: 0,
            report_at: 0,
            kill: None,
            refuse: None,
            lose_leadership: false,
            last_failed: None,
        }
    }

    /// Runs the next hook that is due, whatever comes of it; none if nothing is due, or a failed hook waits.
    ///
    /// # Errors
    ///
    /// If the agent itself cannot work. A hook that fails is a result, not an error.
    pub fn step(&mut self) -> Result<Option<HookRun>, Error> {
        match self.unit.next(&mut self.controller) {
            Next::Run(hook) => Ok(Some(self.execute(hook, Value::Null)?.0)),
            Next::Failed(_) | Next::Idle | Next::Gone => Ok(None),
        }
    }

    /// What is due next, without running it.
    pub fn due(&mut self) -> Option<Hook> {
        match self.unit.clone().next(&mut self.controller.clone()) {
            Next::Run(hook) => Some(hook),
            Next::Failed(_) | Next::Idle | Next::Gone => None,
        }
    }

    /// Runs all hooks of the first start, from `install` to `start` (contract 3.1).
    ///
    /// # Errors
    ///
    /// If a hook fails, or the agent itself cannot work.
    pub fn deploy(&mut self) -> Result<Vec<HookRun>, Error> {
        self.run_until(|unit| unit.started)
    }

    /// Runs hooks until none is due.
    ///
    /// # Errors
    ///
    /// If a hook fails, or has failed before and waits; if there is no end to it; or the agent itself cannot work.
    pub fn settle(&mut self) -> Result<Vec<HookRun>, Error> {
        self.run_until(|_| false)
    }

    fn run_until(&mut self, enough: impl Fn(&Agent) -> bool) -> Result<Vec<HookRun>, Error> {
        let mut runs = Vec::new();
        while !enough(&self.unit) {
            if runs.len() == MAX_HOOKS {
                let last = runs.last().map(HookRun::to_string).unwrap_or_default();
                return Err(Error::Endless(format!(
                    "{} has run {MAX_HOOKS} hooks and the next is due already; the last was {last}",
                    self.unit.name
                )));
            }
            let Some(run) = self.step()? else { break };
            if run.failed() {
                return Err(Error::HookFailed(Box::new(run)));
            }
            runs.push(run);
        }
        match &self.last_failed {
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
        self.unit.enter_relations(&mut self.controller);
        let hook = match RelationKind::split(name) {
            Some((endpoint, kind)) => self.relation_hook(endpoint, kind, None)?,
            None => Hook::plain(name),
        };
        self.run_checked(hook)
    }

    /// Runs one hook of a relation about a remote unit: `-joined`, `-changed` or `-departed`.
    ///
    /// # Errors
    ///
    /// If Juju could never run this hook now, or the agent itself cannot work.
    pub fn run_relation_hook(&mut self, name: &str, unit: &str) -> Result<HookRun, Error> {
        self.unit.enter_relations(&mut self.controller);
        let Some((endpoint, kind)) = RelationKind::split(name) else {
            return Error::impossible(format!("`{name}` is no hook of a relation"));
        };
        let hook = self.relation_hook(endpoint, kind, Some(unit.parse()?))?;
        self.run_checked(hook)
    }

    fn relation_hook(&self, endpoint: &str, kind: RelationKind, unit: Option<UnitName>) -> Result<Hook, Error> {
        let number = match &unit {
            Some(unit) => self.relation_with(endpoint, unit)?,
            None => self.relation_number(endpoint)?,
        };
        let relation = self.controller.relations.get(&number);
        let bag = relation.and_then(|relation| match &unit {
            Some(unit) => relation.units.get(unit),
            None => relation.apps.get(relation.remote_app(self.unit.name.application())),
        });
        let dying = self.controller.units.get(&self.unit.name).is_some_and(|unit| unit.dying);
        let departing = (kind == RelationKind::Departed)
            .then(|| if dying { Some(self.unit.name.clone()) } else { unit.clone() })
            .flatten();
        let version = bag.map_or(0, |bag| bag.version);
        Ok(self.unit.relation_hook(&self.controller, number, kind, unit, departing, version))
    }

    fn run_checked(&mut self, hook: Hook) -> Result<HookRun, Error> {
        if let Some(pending) = &self.unit.pending {
            let (waiting, state) = (&pending.hook, if pending.failed { "has failed" } else { "was killed" });
            if waiting.name() != hook.name() {
                return Error::impossible(format!("{waiting} {state}, and until it is done no other hook runs"));
            }
            let waiting = waiting.clone();
            return Ok(self.execute(waiting, Value::Null)?.0);
        }
        self.check(&hook)?;
        Ok(self.execute(hook, Value::Null)?.0)
    }

    /// Refuses what could not be, with the reason.
    fn check(&self, hook: &Hook) -> Result<(), Error> {
        let unit = &self.unit;
        let refuse = |why: &str| Error::impossible(format!("{hook} cannot run on {}: {why}", unit.name));
        let dying = self.controller.units.get(&unit.name).is_none_or(|unit| unit.dying);
        if unit.removed {
            return refuse("the unit has been removed");
        }
        match hook {
            Hook::Plain(name) if name == "install" => {
                if unit.installed {
                    return refuse("the unit is installed already");
                }
            }
            _ if !unit.installed => return refuse("`install` has not run yet"),
            Hook::Plain(name) => {
                let four = self.controller.juju.is_four();
                let wrong = match name.as_str() {
                    "start" if unit.config.is_none() => Some("`config-changed` has not run yet"),
                    "leader-elected" if !self.controller.is_leader(&unit.name) => Some("the unit is not leader"),
                    "leader-settings-changed" if self.controller.is_leader(&unit.name) => Some("the unit is leader"),
                    "leader-settings-changed" if four => Some("Juju 4 has no leader settings"),
                    "collect-metrics" | "meter-status-changed" if !self.controller.juju.has_metrics() => {
                        Some("it is not run from Juju 3.6.10 on; choose an earlier version")
                    }
                    "pre-series-upgrade" | "post-series-upgrade" if four => Some("Juju 4 has no series upgrade"),
                    "update-status" if !unit.started => Some("`start` has not run yet"),
                    "stop" | "remove" if !dying => Some("the unit is not being removed"),
                    "remove" if unit.started && !unit.stopped => Some("`stop` has not run yet"),
                    "leader-deposed" => Some("Juju never runs it"),
                    _ => None,
                };
                if let Some(wrong) = wrong {
                    return refuse(wrong);
                }
            }
            Hook::Relation(hook) => {
                if let Some(wrong) = self.wrong_relation_hook(hook) {
                    return refuse(&wrong);
                }
            }
            Hook::Action { .. } | Hook::Storage(_) | Hook::Secret(_) => {}
        }
        Ok(())
    }

    fn wrong_relation_hook(&self, hook: &RelationHook) -> Option<String> {
        let number = hook.relation.number;
        let (Some(state), Some(relation)) = (self.unit.relations.get(&number), self.controller.relations.get(&number))
        else {
            return Some("the unit is not in the relation".to_owned());
        };
        let dying = relation.dying || self.controller.units.get(&self.unit.name).is_none_or(|unit| unit.dying);
        let there = |unit: &UnitName| !dying && relation.visible(&self.unit.name).contains_key(unit);
        let wrong = match (hook.kind, &hook.unit) {
            _ if state.broken => "the relation is over",
            (RelationKind::Created, _) if state.created => "it has run already",
            (RelationKind::Created, _) => return None,
            _ if !state.created => "its `-relation-created` has not run yet",
            (RelationKind::Joined | RelationKind::Departed, None) => "it needs a remote unit: use run_relation_hook",
            (RelationKind::Broken, _) if relation.is_peer() => "peer relations have no such hook",
            (RelationKind::Broken, _) if !dying => "neither the relation nor the unit is being removed",
            (RelationKind::Broken, _) if !state.members.is_empty() => "there are members yet to depart",
            (RelationKind::Joined, Some(unit)) if state.members.contains_key(unit) => "the unit has joined already",
            (RelationKind::Joined, Some(unit)) if !there(unit) => "the remote unit is not in the relation",
            (RelationKind::Changed, Some(unit)) if !state.members.contains_key(unit) => "the unit has not joined yet",
            (RelationKind::Departed, Some(unit)) if !state.members.contains_key(unit) => "the unit never joined",
            (RelationKind::Departed, Some(unit)) if there(unit) => "the remote unit is still in the relation",
            (_, Some(unit)) if state.changed_due.as_ref().is_some_and(|due| due != unit) => {
                "after `-joined` comes `-changed` for the same unit"
            }
            _ => return None,
        };
        Some(wrong.to_owned())
    }

    /// Runs the failed hook again, as Juju does after a delay, with a new context.
    ///
    /// # Errors
    ///
    /// If no hook has failed, or the agent itself cannot work.
    pub fn retry(&mut self) -> Result<HookRun, Error> {
        match self.unit.pending.as_ref().map(|pending| pending.hook.clone()) {
            Some(hook) => Ok(self.execute(hook, Value::Null)?.0),
            None => Error::impossible("no hook has failed, there is nothing to retry"),
        }
    }

    /// `juju resolve --no-retry`: the failed hook counts as done, without its changes.
    ///
    /// # Errors
    ///
    /// If no hook has failed.
    pub fn resolve(&mut self) -> Result<(), Error> {
        match self.unit.pending.take() {
            Some(pending) => self.unit.done(&pending.hook, &mut self.controller),
            None => return Error::impossible("no hook has failed, there is nothing to resolve"),
        }
        self.last_failed = None;
        Ok(())
    }

    /// Runs an action, with the parameters given and the defaults of actions.yaml.
    ///
    /// # Errors
    ///
    /// If the charm has no such action, the parameters do not fit its schema, Juju could not run an action now, or the
    /// agent itself cannot work. An action that fails is a result, not an error.
    pub fn run_action(&mut self, name: &str, params: &[(&str, Value)]) -> Result<ActionReport, Error> {
        let Some(schema) = self.charm.actions.get(name) else {
            return Error::impossible(format!("action \"{name}\" is not in actions.yaml"));
        };
        let given = params.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let params = schema
            .complete(given, self.controller.juju.is_four())
            .map_err(|why| Error::Impossible(format!("action \"{name}\" is refused before the charm runs: {why}")))?;
        if let Some(pending) = self.unit.pending.as_ref().filter(|pending| !pending.failed) {
            return Error::impossible(format!("{} was killed and runs again before any action", pending.hook));
        }
        self.actions += 1;
        let hook = Hook::Action { id: self.actions, name: name.to_owned() };
        self.check(&hook)?;
        let (run, said) = self.execute(hook, params)?;
        let said = said.action.unwrap_or_default();
        let mut results = said.results;
        for (key, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            if !text.is_empty() {
                results.insert(key.to_owned(), Value::from(text.as_str()));
            }
        }
        if let Some(code) = run.exit {
            results.insert("return-code".to_owned(), Value::from(code));
        }
        let message = match (&run.outcome, said.failed) {
            (Outcome::Done, None) => None,
            (Outcome::Done, Some(message)) | (Outcome::Refused(_), Some(message)) => Some(message),
            (Outcome::Refused(_), None) => Some("committing requested changes failed".to_owned()),
            (Outcome::NoFile, _) => Some(format!("action not implemented on unit \"{}\"", self.unit.name)),
            (Outcome::Failed(_), _) if run.exit.is_some() => run.exit.map(|code| format!("exit status {code}")),
            (Outcome::Failed(why), _) => Some(why.clone()),
            (Outcome::Killed, _) => Some("signal: killed".to_owned()),
            (Outcome::TimedOut(_), _) => run.problem(),
        };
        let completed = message.is_none();
        Ok(ActionReport { completed, message: message.unwrap_or_default(), results, log: said.log, run })
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
        self.unit.update_status = true;
    }

    /// The machine restarts: `start` is due again.
    pub fn reboot(&mut self) {
        self.unit.rebooted = self.unit.started;
    }

    /// The charm's files are replaced by those of `charm`, and its program by `program`: `upgrade-charm` is due. What
    /// the charm itself has written stays.
    ///
    /// # Errors
    ///
    /// If the directory is no charm, or a file cannot be written.
    pub fn refresh(&mut self, charm: &Path, program: Option<&Path>) -> Result<(), Error> {
        self.charm = CharmFiles::read(charm)?;
        charm::copy(charm, &self.root.charm)?;
        self.root.make_hooks_executable()?;
        if let Some(program) = program {
            self.root.install_program(program)?;
        }
        let app = self.unit.name.application().to_owned();
        for endpoint in self.charm.peers() {
            let known = self
                .controller
                .relations
                .values()
                .any(|relation| relation.sides == [(app.clone(), endpoint.to_owned())]);
            if !known {
                self.controller.add_relation(&[(&app, endpoint)]);
            }
        }
        self.unit.upgraded = true;
        Ok(())
    }

    /// Kills the next hook's process (and its process group) with SIGKILL at the given point.
    pub fn kill_at(&mut self, point: KillPoint) {
        self.kill = Some(point);
    }

    /// Refuses the changes of the next hook that exits 0, for the reason given.
    pub fn refuse_commit(&mut self, reason: &str) {
        self.refuse = Some(reason.to_owned());
    }

    /// Leadership is lost during the next hook, after its last hook command and before its changes are applied.
    pub fn lose_leadership_before_commit(&mut self) {
        self.lose_leadership = true;
    }

    /// How long a hook may take from now on.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    fn relations_of(&self, endpoint: &str) -> Vec<u32> {
        let own = self.unit.name.application();
        let mut numbers = self.controller.relations_of(own);
        numbers.retain(|number| self.controller.relation_id(*number, own).is_some_and(|id| id.endpoint == endpoint));
        numbers
    }

    /// The first relation of the endpoint.
    fn relation_number(&self, endpoint: &str) -> Result<u32, Error> {
        self.charm.endpoint(endpoint)?;
        let first = self.relations_of(endpoint).first().copied();
        first.ok_or_else(|| Error::Impossible(format!("nothing is related to `{endpoint}`; use relate first")))
    }

    /// The relation of the endpoint in which the unit is, or was; otherwise the first.
    fn relation_with(&self, endpoint: &str, unit: &UnitName) -> Result<u32, Error> {
        let has =
            |number: &u32| self.controller.relations.get(number).is_some_and(|found| found.units.contains_key(unit));
        match self.relations_of(endpoint).into_iter().find(has) {
            Some(number) => Ok(number),
            None => self.relation_number(endpoint),
        }
    }

    /// Runs one hook: a run on a snapshot, a process, and a commit that may be refused.
    fn execute(&mut self, hook: Hook, params: Value) -> Result<(HookRun, Run), Error> {
        self.before(&hook);
        self.contexts += 1;
        let context_id = format!("{}-{}-{}", self.unit.name, hook.name(), random_part(self.contexts));
        let mut run = Run::begin(hook.clone(), context_id.clone(), params, &self.controller, &mut self.unit);
        let place = environment::Place {
            unit: &self.unit.name,
            charm: &self.root.charm,
            socket: &self.root.socket,
            tools: &self.root.tools,
            report: &self.root.report,
            path: &self.path,
            context_id: &context_id,
        };
        let environment = environment::variables(&hook, &self.controller, &place);
        let kill = self.kill.take();
        let mut result = HookRun {
            hook,
            unit: self.unit.name.clone(),
            outcome: Outcome::Done,
            exit: None,
            stdout: String::new(),
            stderr: String::new(),
            log: Vec::new(),
            commands: Vec::new(),
            report: None,
            notes: Vec::new(),
            environment,
            time: Duration::ZERO,
        };
        let program = self.root.program(&result.hook);
        if !self.root.charm.join("metadata.yaml").exists() {
            result.outcome = Outcome::Failed("charm missing from disk".to_owned());
        } else if let Some(program) = program {
            let start = process::Start {
                program: &program,
                directory: &self.root.charm,
                environment: &result.environment,
                socket: &self.root.socket,
                limit: self.limit,
                kill,
            };
            let (controller, unit, charm) = (&mut self.controller, &mut self.unit, &self.charm);
            let ended =
                process::run(&start, &mut |request| command::answer(request, &mut run, controller, unit, charm))?;
            result.exit = if let Exit::Code(code) = ended.exit { Some(code) } else { None };
            result.outcome = match ended.exit {
                Exit::Code(0) => Outcome::Done,
                Exit::Code(code) => Outcome::Failed(format!("it exited with code {code}")), // SIGKILL and SIGTERM (contract 2.3).
                Exit::Signal(9 | 15) => Outcome::Killed,
                Exit::Signal(signal) => Outcome::Failed(format!("it was ended by signal {signal}")),
                Exit::Limit => Outcome::TimedOut(self.limit),
                Exit::NotStarted(why) => Outcome::Failed(why),
            };
            (result.stdout, result.stderr) = (ended.stdout, ended.stderr);
            (result.commands, result.notes, result.time) = (ended.commands, ended.notes, ended.time);
        } else {
            result.outcome = Outcome::NoFile;
        }
        result.log.clone_from(&run.log);
        self.read_report(&mut result);
        self.commit(&run, &mut result);
        self.after(&result);
        Ok((result, run))
    }

    /// Juju itself shows what it is about (contract 9.9).
    fn before(&mut self, hook: &Hook) {
        let message = match hook.name().as_str() {
            "install" => "installing charm software",
            "stop" => "stopping charm software",
            "remove" => "cleaning up prior to charm deletion",
            _ => return,
        };
        if let Some(unit) = self.controller.units.get_mut(&self.unit.name).filter(|_| !hook.is_action()) {
            unit.status = Status::new("maintenance", message);
        }
    }

    /// Applies the changes of a hook that exited 0, or does not.
    fn commit(&mut self, run: &Run, result: &mut HookRun) {
        if !matches!(result.outcome, Outcome::Done) {
            return;
        }
        if std::mem::take(&mut self.lose_leadership) {
            self.set_leader(false);
        } // What a restricted hook does is kept by nobody (contract 1.5).
        let committed = match self.refuse.take() {
            Some(reason) => Err(reason),
            None => run.commit(&mut self.controller),
        };
        if let Err(reason) = committed {
            result.outcome = Outcome::Refused(reason);
        }
    }

    /// Records the hook as done, or what is to become of it.
    fn after(&mut self, result: &HookRun) {
        if result.hook.is_action() || result.hook.is_restricted() {
            return;
        }
        let failed = match result.outcome {
            Outcome::Done | Outcome::NoFile => {
                self.unit.done(&result.hook, &mut self.controller);
                self.last_failed = None;
                let unset = result.hook.is("start") && !self.unit.status_set;
                if let Some(unit) = self.controller.units.get_mut(&self.unit.name).filter(|_| unset) {
                    unit.status = Status::new("unknown", "");
                }
                return;
            }
            Outcome::Killed => false,
            Outcome::Failed(_) | Outcome::Refused(_) | Outcome::TimedOut(_) => true,
        };
        self.last_failed = failed.then(|| result.clone());
        self.unit.pending = Some(Pending { hook: result.hook.clone(), failed });
    }

    /// Takes what the charm has appended to its report since the last hook.
    fn read_report(&mut self, result: &mut HookRun) {
        let Ok(mut file) = fs::File::open(&self.root.report) else { return };
        if file.seek(io::SeekFrom::Start(self.report_at)).is_err() {
            return;
        }
        for line in io::BufReader::new(file).split(b'\n').map_while(Result::ok) {
            self.report_at += line.len() as u64 + 1;
            match serde_json::from_slice(&line) {
                Ok(report) => result.report = Some(report),
                Err(error) => result.notes.push(format!("the charm's report cannot be read: {error}")),
            }
        }
    }
}

fn entries(pairs: &[(&str, &str)]) -> Entries {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The random part of a context id: 32 hexadecimal digits, the same in every repetition.
fn random_part(number: u64) -> String {
    let mix = |mut value: u64| {
        value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        value ^ (value >> 31)
    };
    format!("{:016x}{:016x}", mix(number), mix(!number))
}
