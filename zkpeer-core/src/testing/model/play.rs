//! Letting hooks happen: their beginnings and ends, one after the other or until all is quiet.

use std::mem;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use super::{Event, Model, Running, Step};
use crate::confirm;
use crate::juju::UnitName;
use crate::testing::agent::{Next, Pending};
use crate::testing::chance;
use crate::testing::check;
use crate::testing::environment;
use crate::testing::error::Error;
use crate::testing::hook::{Hook, RelationKind};
use crate::testing::machine::{Exit, Session, Start};
use crate::testing::outcome::{ActionReport, HookRun, Outcome};
use crate::testing::run::{Reboot, Run};
use crate::testing::shared::Shared;
use crate::testing::value::Value;

/// More than this without a pause, and something will never come to rest.
const MAX_EVENTS: usize = 20_000;

/// The first delay before a failed hook is retried, and the longest (contract 2.2).
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// How far things go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Course {
    /// A hook that fails more often than this is an error; without it, it just waits.
    pub(crate) retries: Option<u32>,
    /// The time until which the clock goes on; without it, it goes on only where a failed hook waits to be retried.
    pub(crate) until: Option<Duration>,
}

/// What is told to who watches.
#[derive(Debug)]
pub(crate) enum Moment<'a> {
    /// This is going to happen.
    Before(&'a Step),
    /// This has happened.
    After(&'a Event),
}

/// Who watches.
type Watch<'a> = dyn FnMut(&Model, Moment<'_>) -> ControlFlow<()> + 'a;

impl Model {
    /// Lets everything happen that is due, until all is quiet, without time passing.
    ///
    /// # Errors
    ///
    /// If a hook fails (the others wait then), or has failed before and waits; if there is no end to it; or the simulation
    /// itself cannot work.
    pub fn settle(&mut self) -> Result<Vec<HookRun>, Error> {
        self.settle_retrying(0)
    }

    /// The same, and a hook that fails is retried up to so many times, as Juju does, while the others go on.
    ///
    /// # Errors
    ///
    /// As [`settle`](Self::settle), for a hook that fails once more than that.
    pub fn settle_retrying(&mut self, retries: u32) -> Result<Vec<HookRun>, Error> {
        let mut runs = Vec::new();
        self.settle_with(retries, &mut |run| runs.push(run.clone()))?;
        Ok(runs)
    }

    /// The same, and each hook is shown when it is over.
    ///
    /// # Errors
    ///
    /// As [`settle_retrying`](Self::settle_retrying).
    pub fn settle_with(&mut self, retries: u32, shown: &mut dyn FnMut(&HookRun)) -> Result<(), Error> {
        let course = Course { retries: Some(retries), until: None };
        self.go_on(course, &mut |_, moment| {
            if let Moment::After(Event::Ended(run)) = moment {
                shown(run);
            }
            ControlFlow::Continue(())
        })
    }

    /// Lets everything happen that is due, and time pass as the course says; before and after each step, `watch` is told, and may
    /// end it.
    pub(crate) fn go_on(&mut self, course: Course, watch: &mut Watch<'_>) -> Result<(), Error> {
        let (mut events, mut last) = (0, String::new());
        loop {
            if let Some(failed) = course.retries.and_then(|retries| self.given_up(retries)) {
                return Err(Error::HookFailed(Box::new(failed)));
            }
            let Some(step) = self.choose()? else {
                match self.next_moment(course) {
                    Some(at) => self.controller.now = at,
                    None => break,
                }
                continue;
            };
            events += 1;
            if events > MAX_EVENTS {
                return Err(Error::Endless(format!(
                    "{MAX_EVENTS} hooks have begun and ended and the next is due already; the last was {last}"
                )));
            }
            if watch(self, Moment::Before(&step)).is_break() {
                return Ok(());
            }
            let event = self.happen(step)?;
            if let Event::Ended(run) = &event {
                last = format!("{run} on {}", run.unit);
            }
            if watch(self, Moment::After(&event)).is_break() {
                return Ok(());
            }
        }
        self.controller.now = self.controller.now.max(course.until.unwrap_or_default());
        Ok(())
    }

    /// The time to which the clock jumps when nothing is due.
    fn next_moment(&self, course: Course) -> Option<Duration> {
        match course.until {
            Some(end) => self.next_timer().filter(|at| *at <= end),
            None => self.next_retry().filter(|at| self.controller.retries && *at > self.controller.now),
        }
    }

    /// A hook that has failed more often than it is to be retried.
    fn given_up(&self, retries: u32) -> Option<HookRun> {
        let failed = |unit: &UnitName| self.agents.get(unit)?.pending.as_ref().filter(|pending| pending.failed);
        let given_up = |unit: &UnitName| failed(unit).is_some_and(|pending| pending.failures > retries);
        self.last_failed.iter().find(|(unit, _)| given_up(unit)).map(|(_, run)| HookRun::clone(run))
    }

    /// When the first failed hook is retried.
    fn next_retry(&self) -> Option<Duration> {
        let waiting = |unit: &&UnitName| !self.held.contains(*unit);
        let agents = self.agents.iter().filter(|(unit, _)| waiting(unit));
        let pending = agents.filter_map(|(_, agent)| agent.pending.as_ref().filter(|pending| pending.failed));
        pending.map(|pending| pending.retry_at).min()
    }

    /// When the first timer of any kind fires.
    fn next_timer(&self) -> Option<Duration> {
        let retry = self.next_retry().filter(|_| self.controller.retries);
        let update = self.agents.values().filter(|agent| !agent.removed).filter_map(|agent| agent.update_status).min();
        let secret = self.controller.secrets.next_time(self.controller.now);
        [retry, update, secret].into_iter().flatten().filter(|at| *at > self.controller.now).min()
    }

    /// Lets time pass: all that is due now happens, then what each timer brings (`update-status`, retries of failed hooks, the
    /// rotation of secrets), hooks that fail included.
    ///
    /// # Errors
    ///
    /// If there is no end to it, or the simulation itself cannot work.
    pub fn pass(&mut self, time: Duration) -> Result<Vec<HookRun>, Error> {
        let mut runs = Vec::new();
        let course = Course { retries: None, until: Some(self.controller.now + time) };
        self.go_on(course, &mut |_, moment| {
            if let Moment::After(Event::Ended(run)) = moment {
                runs.push((**run).clone());
            }
            ControlFlow::Continue(())
        })?;
        Ok(runs)
    }

    /// Moves the clock without running anything.
    pub fn advance(&mut self, time: Duration) {
        self.controller.now += time;
    }

    /// Runs this hook on the unit now, whether or not it is due.
    ///
    /// # Errors
    ///
    /// If Juju could never run it now, or the simulation itself cannot work.
    pub fn run_hook(&mut self, unit: &str, name: &str) -> Result<HookRun, Error> {
        let unit = self.unit_name(unit)?;
        let due = match self.agent(&unit)?.next(&self.controller) {
            Next::Run(hooks) => hooks.into_iter().find(|hook| hook.name() == name),
            _ => None,
        };
        let hook = match (due, RelationKind::split(name)) {
            (Some(hook), _) => hook,
            (None, Some(_)) => return Error::impossible(format!("{name} cannot run on {unit}: it is not due")),
            (None, None) => Hook::plain(name),
        };
        self.run_now(&unit, hook)
    }

    /// Runs a hook that Juju could run now; a hook that has failed or was killed comes first.
    pub(crate) fn run_now(&mut self, unit: &UnitName, hook: Hook) -> Result<HookRun, Error> {
        let agent = self.agent(unit)?;
        let hook = match &agent.pending {
            Some(pending) if pending.hook.name() == hook.name() => pending.hook.clone(),
            Some(Pending { hook: waiting, failed, .. }) => {
                let state = if *failed { "has failed" } else { "was killed" };
                return Error::impossible(format!("{waiting} {state}, and until it is done no other hook runs"));
            }
            None => {
                check::hook(&hook, agent, &self.controller).map_err(Error::Impossible)?;
                hook
            }
        };
        self.run_at_once(unit, hook)
    }

    /// Begins and ends a hook.
    pub(crate) fn run_at_once(&mut self, unit: &UnitName, hook: Hook) -> Result<HookRun, Error> {
        if self.running.contains_key(unit) {
            return Error::impossible(format!("a hook of {unit} runs already"));
        }
        self.begin(unit, hook)?;
        let run = self.end(unit)?;
        self.look_around();
        Ok(run)
    }

    /// A hook of a relation as it would be run now.
    pub(crate) fn relation_hook(
        &self,
        name: &UnitName,
        number: u32,
        kind: RelationKind,
        remote: Option<UnitName>,
    ) -> Result<Hook, Error> {
        let relation = self.controller.relations.get(&number);
        let bag = relation.and_then(|relation| match &remote {
            Some(unit) => relation.units.get(unit),
            None => relation.apps.get(relation.remote_app(name.application())),
        });
        let version = bag.map_or(0, |bag| bag.version);
        let dying = self.controller.units.get(name).is_some_and(|unit| unit.dying);
        let departing = if dying { Some(name.clone()) } else { remote.clone() };
        let departing = departing.filter(|_| kind == RelationKind::Departed);
        Ok(self.agent(name)?.relation_hook(&self.controller, number, kind, remote, departing, version))
    }

    /// The hook of the unit that was begun and is not done.
    pub(crate) fn pending(&self, unit: &UnitName) -> Option<Hook> {
        self.agents.get(unit)?.pending.as_ref().map(|pending| pending.hook.clone())
    }

    pub(crate) fn last_failed(&self, unit: &UnitName) -> Option<&HookRun> {
        self.last_failed.get(unit).map(|run| &**run)
    }

    /// An action that waits is given up.
    pub(crate) fn forget_task(&mut self, unit: &UnitName, hook: &Hook) {
        if let Some(unit) = self.controller.units.get_mut(unit) {
            unit.tasks.retain(|task| task.hook != *hook);
        }
    }

    /// Begins a hook: its program runs to its end, and what it has buffered waits.
    pub(crate) fn begin(&mut self, unit: &UnitName, hook: Hook) -> Result<(), Error> {
        self.before(unit, &hook)?;
        self.contexts += 1;
        let context_id = self.context_id(unit, &hook);
        let params = self.task_params(unit, &hook);
        let plan = self.plans.entry(unit.clone()).or_default();
        let changes = mem::take(&mut plan.changes);
        let kill = plan.kill.take_if(|kill| kill.hook.as_ref().is_none_or(|name| *name == hook.name()));
        let kill = kill.map(|kill| kill.point);
        let deployed = self.charms.get(unit.application()).map(|deployed| Rc::clone(&deployed.files));
        let (Some(machine), Some(mut agent), Some(charm)) =
            (self.machines.get_mut(unit), self.agents.remove(unit).map(Shared::into_inner), deployed)
        else {
            return Err(self.no_unit(unit));
        };
        let controller = mem::take(&mut self.controller);
        let run = Run::begin(hook.clone(), context_id.clone(), params, &controller, &mut agent);
        let place = environment::Place {
            unit,
            charm: machine.directory.charm(),
            socket: machine.directory.socket(),
            tools: machine.directory.tools(),
            report: machine.directory.report(),
            root: &machine.directory.root(),
            path: &self.path,
            context_id: &context_id,
        };
        let environment = environment::variables(&hook, &controller, &place);
        let resources = machine.directory.resources();
        let session = Session { run: Box::new(run), controller, agent, charm, resources, changes, answered: 0 };
        let interrupt = self.interrupt.as_deref();
        let start = Start {
            hook: &hook,
            environment: &environment,
            limit: self.limit,
            kill,
            noted: self.notes_instants,
            interrupt,
        };
        let (session, ended) = machine.run(&start, session);
        let Session { run, controller, agent, .. } = session;
        self.controller = controller;
        self.agents.insert(unit.clone(), agent.into());
        let mut ended = ended?;
        if let Some(point) = kill.filter(|_| !matches!(ended.exit, Exit::Signal(9))) {
            ended.notes.push(format!("it was to be killed at {point}, and ended before that"));
        }
        let exit = if let Exit::Code(code) = ended.exit { Some(code) } else { None };
        let result = HookRun {
            hook,
            unit: unit.clone(),
            outcome: match ended.exit {
                Exit::Code(0) => Outcome::Done,
                Exit::Code(code) => Outcome::Failed(format!("it exited with code {code}")),
                // SIGKILL and SIGTERM (contract 2.3).
                Exit::Signal(9 | 15) => Outcome::Killed,
                Exit::Signal(signal) => Outcome::Failed(format!("it was ended by signal {signal}")),
                Exit::Limit => Outcome::TimedOut(self.limit),
                Exit::NotStarted(why) => Outcome::Failed(why),
                Exit::NoFile => Outcome::NoFile,
            },
            exit,
            stdout: ended.stdout,
            stderr: ended.stderr,
            log: run.log.clone(),
            commands: ended.commands,
            report: ended.report,
            notes: ended.notes,
            environment,
            time: ended.time,
            instants: ended.instants,
        };
        self.running.insert(unit.clone(), Rc::new(Running { run, result }));
        Ok(())
    }

    /// Another one than the unit's last. In a model of which there are copies it says nothing else about the past.
    fn context_id(&self, unit: &UnitName, hook: &Hook) -> String {
        let id = |number| format!("{unit}-{}-{}", hook.name(), random_part(number));
        if self.on_disk.is_none() {
            return id(self.contexts);
        }
        let unconfirmed = self.machines.get(unit).and_then(|machine| machine.memory().unconfirmed());
        let kept = self.controller.units.get(unit).and_then(|unit| unit.charm_state.get(confirm::KEPT));
        let is_used = |id: &String| Some(id) == kept || unconfirmed.is_some_and(|(other, _)| id == other);
        (0..3).map(id).find(|id| !is_used(id)).unwrap_or_default()
    }

    /// What Juju does before a hook: it shows what it is about (contract 9.9), and unpacks a new charm (contract 3.2, row 15).
    fn before(&mut self, unit: &UnitName, hook: &Hook) -> Result<(), Error> {
        if hook.is("upgrade-charm") {
            self.unpack(unit)?;
        }
        let message = match hook {
            Hook::Plain(name) if name == "install" => "installing charm software",
            Hook::Plain(name) if name == "stop" => "stopping charm software",
            Hook::Plain(name) if name == "remove" => "cleaning up prior to charm deletion",
            _ => return Ok(()),
        };
        let status = self.controller.status("maintenance", message);
        if let Some(unit) = self.controller.units.get_mut(unit) {
            unit.status = status;
        }
        Ok(())
    }

    /// Puts the application's charm, as it is now, into the unit's directory.
    pub(super) fn unpack(&mut self, unit: &UnitName) -> Result<(), Error> {
        let Some(deployed) = self.charms.get(unit.application()) else { return Ok(()) };
        let revision = self.controller.application(unit.application()).revision;
        if let (Some(agent), Some(machine)) = (self.agents.get_mut(unit), self.machines.get_mut(unit))
            && agent.revision != revision
        {
            machine.unpack(deployed)?;
            agent.revision = revision;
            agent.charm = Rc::clone(&deployed.files);
        }
        Ok(())
    }

    /// The parameters of an action, which is no longer waiting now.
    fn task_params(&mut self, unit: &UnitName, hook: &Hook) -> Value {
        let tasks = self.controller.units.get_mut(unit).map(|unit| &mut unit.tasks);
        let task = tasks.and_then(|tasks| tasks.remove(tasks.iter().position(|task| task.hook == *hook)?));
        task.map(|task| task.params).unwrap_or_default()
    }

    /// Ends a hook: what it has buffered is applied together or not at all (contract 2.1), and it is recorded as done, or
    /// not.
    pub(crate) fn end(&mut self, unit: &UnitName) -> Result<HookRun, Error> {
        let Some(running) = self.running.remove(unit) else {
            return Error::impossible(format!("no hook runs on {unit}"));
        };
        let Running { run, mut result } = Rc::unwrap_or_clone(running);
        self.commit(&run, &mut result);
        let reboots = match run.reboot {
            Some(Reboot::After) => result.outcome == Outcome::Done,
            Some(Reboot::Now) => result.outcome == Outcome::Killed,
            None => false,
        };
        if let Some(agent) = self.agents.get_mut(unit).filter(|_| reboots) {
            agent.rebooted = agent.started;
        }
        match &result.hook {
            Hook::Action { id, .. } => {
                let report = ActionReport::new(result.clone(), run.action.unwrap_or_default());
                self.finished.insert(*id, Rc::new(report));
            }
            Hook::Exec { .. } => {}
            hook if hook.is_restricted() => {}
            _ => self.record(&run, &result),
        }
        Ok(result)
    }

    fn commit(&mut self, run: &Run, result: &mut HookRun) {
        // The exit code of an operator's command is data, not failure (contract 1.6).
        let exec = result.hook.is_exec() && result.exit.is_some();
        if !exec && !matches!(result.outcome, Outcome::Done) {
            return;
        }
        let plan = self.plans.entry(result.unit.clone()).or_default();
        let refused = plan.refuse.take();
        if mem::take(&mut plan.lose_leadership) {
            self.pass_leadership_on(&result.unit);
        }
        let committed = match refused {
            Some(reason) => Err(reason),
            // What a restricted hook does is kept by nobody (contract 1.5).
            None => run.commit(&mut self.controller),
        };
        if let Err(reason) = committed {
            result.outcome = Outcome::Refused(reason);
        }
    }

    /// Records the hook as done, or what is to become of it.
    fn record(&mut self, run: &Run, result: &HookRun) {
        let Some(agent) = self.agents.get_mut(&result.unit).filter(|agent| !agent.removed) else { return };
        let failed = match result.outcome {
            Outcome::Done | Outcome::NoFile => {
                if result.hook.is("config-changed") {
                    agent.refresh_addresses(&mut self.controller);
                }
                agent.done(&result.hook, &run.seen, &mut self.controller);
                self.last_failed.remove(&result.unit);
                let status_set = agent.status_set;
                if result.hook.is("start") || result.hook.is("update-status") {
                    self.start_timer(&result.unit);
                }
                let unknown = self.controller.status("unknown", "");
                if let Some(unit) = self.controller.units.get_mut(&result.unit)
                    && result.hook.is("start")
                    && !status_set
                {
                    unit.status = unknown;
                }
                return;
            }
            Outcome::Killed => false,
            Outcome::Failed(_) | Outcome::Refused(_) | Outcome::TimedOut(_) => true,
        };
        let failures = agent.pending.as_ref().map_or(0, |pending| pending.failures) + u32::from(failed);
        let (first, longest) = RETRY;
        let delay = first.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(longest);
        // With a jitter of up to a fifth.
        let jitter = Duration::from_millis(self.chance.below(1 + (delay.as_secs() * 200)));
        let retry_at = self.controller.now + delay + jitter;
        agent.pending = Some(Pending { hook: result.hook.clone(), failed, failures, retry_at });
        if failed {
            self.last_failed.insert(result.unit.clone(), Rc::new(result.clone()));
        }
    }

    /// The next `update-status` is due after its interval, varied by a fifth both ways (contract 3.2).
    fn start_timer(&mut self, unit: &UnitName) {
        let interval = self.update_status.as_secs().max(1);
        let fifth = interval / 5;
        let varied = Duration::from_secs(interval - fifth + self.chance.below(2 * fifth + 1));
        if let Some(agent) = self.agents.get_mut(unit) {
            agent.update_status = Some(self.controller.now + varied);
        }
    }

    /// Whether nothing more happens by itself, without time passing.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.steps().is_empty()
    }

    /// The hook that the unit would run next, the first if several may be.
    #[must_use]
    pub fn due(&self, unit: &str) -> Option<Hook> {
        let unit: UnitName = unit.parse().ok()?;
        match self.agents.get(&unit)?.next(&self.controller) {
            Next::Run(hooks) => hooks.into_iter().next(),
            Next::Failed(_) | Next::Idle | Next::Gone => None,
        }
    }
}

/// The random part of a context id: 32 hexadecimal digits, the same in every repetition.
fn random_part(number: u64) -> String {
    format!("{:016x}{:016x}", chance::mix(number), chance::mix(!number))
}
