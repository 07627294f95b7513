//! The simulated Juju: several applications and units, and what may happen next.
//!
//! A hook is two steps, its beginning (the program runs, on what the unit sees then) and its end (Juju applies what the hook has
//! buffered, or refuses it), so that hooks of different units overlap, changes coalesce and commits fail, without threads.

mod look;
mod operate;
mod play;

pub(crate) use play::{Course, Moment};

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::agent::{Agent, Next};
use super::chance::Chance;
use super::change::Change;
use super::charm::CharmFiles;
use super::controller::{Controller, Relation};
use super::directory::Root;
use super::environment;
use super::error::Error;
use super::fake::MakeFakes;
use super::files::OnDisk;
use super::hook::Hook;
use super::in_process::Fitted;
use super::machine::{Machine, Program};
use super::names::JujuVersion;
use super::outcome::{ActionReport, HookRun};
use super::process::KillPoint;
use super::run::Run;
use super::shared::Shared;
use crate::juju::UnitName;

/// A model of simulated Juju: applications, units, relations, and what may happen next.
///
/// Operators' doings are methods ([`deploy`](Self::deploy), [`add_unit`](Self::add_unit), [`set_config`](Self::set_config), ...);
/// then [`settle`](Self::settle) runs all hooks that become due, or [`steps`](Self::steps) tells what may happen next, and
/// [`take`](Self::take) lets it happen. Where Juju leaves something to chance, a [seed](Self::seed) decides; without one, hooks run
/// in a fixed order, each to its end.
///
/// ```
/// use zkpeer_core::testing::{Application, Model};
/// # let charm = tempfile::tempdir()?;
/// # std::fs::write(charm.path().join("metadata.yaml"),
/// #     "name: zk\nsummary: s\ndescription: d\npeers:\n  zkpeer: {interface: zookeeper-quorum}\n")?;
/// # std::fs::create_dir(charm.path().join("hooks"))?;
/// # std::fs::write(charm.path().join("hooks/install"), "")?;
///
/// let mut model = Model::new();
/// let application = Application::new(charm.path()).units(2).function(|hook| {
///     hook.run("relation-ids", &["zkpeer"]).code
/// });
/// model.deploy(application)?;
/// model.settle()?;
/// assert_eq!(model.members("zk/0", "zkpeer"), ["zk/1"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Model {
    pub(super) controller: Controller,
    pub(super) agents: BTreeMap<UnitName, Shared<Agent>>,
    pub(super) machines: BTreeMap<UnitName, Shared<Machine>>,
    pub(super) charms: BTreeMap<String, Deployed>,
    pub(super) plans: BTreeMap<UnitName, Plan>,
    pub(super) running: BTreeMap<UnitName, Rc<Running>>,
    pub(super) held: BTreeSet<UnitName>,
    chance: Chance,
    chosen: Vec<usize>,
    root: Option<Rc<Root>>,
    /// What is in the charms' directories now, once there are copies of the model.
    pub(super) on_disk: Option<Rc<OnDisk>>,
    limit: Duration,
    interrupt: Option<Rc<UnixStream>>,
    /// How often `update-status` runs: the model's option `update-status-hook-interval` (contract 3.2).
    update_status: Duration,
    path: String,
    contexts: u64,
    actions: u64,
    finished: BTreeMap<u64, Rc<ActionReport>>,
    last_failed: BTreeMap<UnitName, Rc<HookRun>>,
    /// Whether the instants of hooks are noted.
    notes_instants: bool,
}

/// What an application was deployed from.
#[derive(Clone, Debug)]
pub(crate) struct Deployed {
    pub(super) files: Rc<CharmFiles>,
    pub(super) directory: PathBuf,
    pub(super) path: Option<PathBuf>,
    pub(super) program: Program,
    pub(super) fakes: Option<MakeFakes>,
    pub(super) fitted: Rc<Fitted>,
}

/// What is to befall the next hook of a unit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    pub(super) kill: Option<Kill>,
    pub(super) changes: Vec<(usize, Change)>,
    pub(super) refuse: Option<String>,
    pub(super) lose_leadership: bool,
}

impl Plan {
    pub(super) fn is_something(&self) -> bool {
        self.kill.is_some() || !self.changes.is_empty() || self.refuse.is_some() || self.lose_leadership
    }
}

/// When a hook is to be killed.
#[derive(Clone, Debug)]
pub(crate) struct Kill {
    pub(super) point: KillPoint,
    /// Only a hook or action of this name.
    pub(super) hook: Option<String>,
}

/// A hook whose program has ended, and whose changes wait.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) run: Box<Run>,
    pub(crate) result: HookRun,
}

/// Something that may happen next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// The unit begins this hook: its program runs.
    Begin(UnitName, Hook),
    /// The unit's hook is over: what it has buffered is applied, or refused.
    End(UnitName),
    /// The unit becomes its application's leader.
    Elect(UnitName),
}

impl Step {
    /// The unit that it happens to.
    #[must_use]
    pub fn unit(&self) -> &UnitName {
        match self {
            Self::Begin(unit, _) | Self::End(unit) | Self::Elect(unit) => unit,
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // A unit may be in several relations of one endpoint.
            Self::Begin(unit, Hook::Relation(hook)) => {
                write!(f, "{unit} begins {} of {}", Hook::Relation(hook.clone()), hook.relation)
            }
            Self::Begin(unit, hook) => write!(f, "{unit} begins {hook}"),
            Self::End(unit) => write!(f, "{unit} ends its hook"),
            Self::Elect(unit) => write!(f, "{unit} becomes leader"),
        }
    }
}

/// What has happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A hook's program has run; its changes wait.
    Began(UnitName, Hook),
    /// A hook is over.
    Ended(Box<HookRun>),
    /// A unit has become leader.
    Elected(UnitName),
}

impl Default for Model {
    fn default() -> Self {
        Self::new()
    }
}

impl Model {
    /// An empty model of Juju 3.6.
    #[must_use]
    pub fn new() -> Self {
        Self::of(JujuVersion::default())
    }

    /// An empty model of this version of Juju, 2.9 to 4.0.
    ///
    /// # Errors
    ///
    /// If the text is no version, or one that is not simulated.
    pub fn juju(version: &str) -> Result<Self, Error> {
        Ok(Self::of(version.parse()?))
    }

    pub(super) fn of(juju: JujuVersion) -> Self {
        Self {
            controller: Controller::new(juju),
            agents: BTreeMap::new(),
            machines: BTreeMap::new(),
            charms: BTreeMap::new(),
            plans: BTreeMap::new(),
            running: BTreeMap::new(),
            held: BTreeSet::new(),
            chance: Chance::First,
            chosen: Vec::new(),
            root: None,
            on_disk: None,
            limit: Duration::from_secs(60),
            interrupt: None,
            update_status: Duration::from_secs(300),
            path: environment::PATH.to_owned(),
            contexts: 0,
            actions: 0,
            finished: BTreeMap::new(),
            last_failed: BTreeMap::new(),
            notes_instants: false,
        }
    }

    /// From now on the model can be copied, which costs little: copies share what they do not change.
    ///
    /// The ids of hooks' contexts say nothing about the past any more, so that models whose past differs can be in the same state.
    ///
    /// # Errors
    ///
    /// If hooks run as processes, which have state that cannot be copied, or a file cannot be read.
    pub(crate) fn make_copiable(&mut self) -> Result<(), Error> {
        if let Some((unit, _)) = self.machines.iter().find(|(_, machine)| matches!(machine.program, Program::Files)) {
            return Error::impossible(format!(
                "{unit} runs as processes; only models whose hooks all run in this process can be explored: \
                 use Application::in_process"
            ));
        }
        let on_disk = self.on_disk.get_or_insert_default();
        self.machines.values_mut().try_for_each(|machine| machine.keep_files(on_disk))
    }

    /// Whether the instants of hooks are noted from now on.
    pub(crate) fn note_instants(&mut self, noted: bool) {
        self.notes_instants = noted;
    }

    /// A copy, of one that was made [copiable](Self::make_copiable).
    pub(crate) fn fork(&self) -> Self {
        Self {
            controller: self.controller.clone(),
            agents: self.agents.clone(),
            machines: self.machines.clone(),
            charms: self.charms.clone(),
            plans: self.plans.clone(),
            running: self.running.clone(),
            held: self.held.clone(),
            chance: self.chance.clone(),
            chosen: self.chosen.clone(),
            root: self.root.clone(),
            on_disk: self.on_disk.clone(),
            limit: self.limit,
            interrupt: self.interrupt.clone(),
            update_status: self.update_status,
            path: self.path.clone(),
            contexts: self.contexts,
            actions: self.actions,
            finished: self.finished.clone(),
            last_failed: self.last_failed.clone(),
            notes_instants: self.notes_instants,
        }
    }

    /// Makes everything that Juju leaves to chance depend on this number: which unit is next, which relation, who becomes
    /// leader, and whether others' hooks run before a hook's changes are applied.
    pub fn seed(&mut self, seed: u64) {
        self.chance = Chance::Seed(seed);
    }

    /// Takes these steps: each the number of one among [`steps`](Self::steps) at that moment, from 0; afterwards always the
    /// first. A story repeats if it is given what [`chosen`](Self::chosen) tells of another.
    pub fn script(&mut self, choices: &[usize]) {
        self.chance = Chance::Script(choices.iter().copied().collect());
    }

    /// The numbers of the steps that [`step`](Self::step) has chosen so far, each among those that were possible then.
    #[must_use]
    pub fn chosen(&self) -> &[usize] {
        &self.chosen
    }

    /// How long a hook may take before it is killed and counts as failed; otherwise 60 seconds.
    pub fn set_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Once something can be read from this stream, nothing more happens, and a hook that runs as a process is killed: for
    /// programs that have to end in order, when a signal says so.
    pub fn interrupt_by(&mut self, stream: UnixStream) {
        self.interrupt = Some(Rc::new(stream));
    }

    /// What follows the hook commands on a process's `PATH`; otherwise the directories that a machine's agent has.
    pub fn set_path(&mut self, path: &str) {
        path.clone_into(&mut self.path);
    }

    /// Everything that may happen next, in a fixed order; nothing if all is quiet.
    ///
    /// A unit has several hooks here only where Juju itself would choose by chance (contract 4.2).
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let free = |unit: &&UnitName| !self.held.contains(*unit);
        steps.extend(self.running.keys().filter(free).cloned().map(Step::End));
        for (name, application) in &self.controller.applications {
            if application.leader.is_none() && !application.no_elections {
                let units =
                    self.controller.units.iter().filter(|(unit, found)| unit.application() == name && !found.dying);
                let own = units.map(|(unit, _)| unit).filter(|unit| self.agents.contains_key(*unit)).filter(free);
                steps.extend(own.cloned().map(Step::Elect));
            }
        }
        for (unit, agent) in self.agents.iter().filter(|(unit, _)| free(unit) && !self.running.contains_key(*unit)) {
            if let Next::Run(hooks) = agent.next(&self.controller) {
                let free = hooks.into_iter().filter(|hook| !self.is_locked_out(unit, hook));
                steps.extend(free.map(|hook| Step::Begin(unit.clone(), hook)));
            }
        }
        steps
    }

    /// Whether the hook has to wait for one of another unit on the machine (contract 1.2).
    fn is_locked_out(&self, unit: &UnitName, hook: &Hook) -> bool {
        let machine = |unit: &UnitName| self.controller.units.get(unit).map(|unit| unit.machine);
        let beside = self.running.iter().filter(|(other, _)| machine(other) == machine(unit));
        self.takes_lock(unit, hook)
            && beside.into_iter().any(|(other, running)| self.takes_lock(other, &running.run.hook))
    }

    /// All hooks and actions take the lock of their machine, except actions that are declared parallel.
    fn takes_lock(&self, unit: &UnitName, hook: &Hook) -> bool {
        let Hook::Action { name, .. } = hook else { return true };
        let deployed = self.charms.get(unit.application());
        !deployed.and_then(|deployed| deployed.files.actions.get(name)).is_some_and(|action| action.parallel)
    }

    /// Lets one of [`steps`](Self::steps) happen.
    ///
    /// # Errors
    ///
    /// If it is none of them, or the simulation itself cannot work. A hook that fails is an event, not an error.
    pub fn take(&mut self, step: &Step) -> Result<Event, Error> {
        if !self.steps().contains(step) {
            return Error::impossible(format!("{step}: that is not among what may happen next"));
        }
        self.happen(step.clone())
    }

    /// Lets that one of [`steps`](Self::steps) happen which is written so: `zookeeper/0 begins install`.
    ///
    /// # Errors
    ///
    /// If it is not among what may happen next, or the simulation itself cannot work.
    pub fn happens(&mut self, step: &str) -> Result<Event, Error> {
        let steps = self.steps();
        match steps.iter().find(|found| found.to_string() == step) {
            Some(found) => self.happen(found.clone()),
            None => {
                let steps: Vec<String> = steps.iter().map(ToString::to_string).collect();
                let now = if steps.is_empty() { "nothing".to_owned() } else { steps.join("; ") };
                Error::impossible(format!("{step}: that is not among what may happen next, which is: {now}"))
            }
        }
    }

    /// Lets one thing happen, by chance; none if nothing is due.
    ///
    /// # Errors
    ///
    /// If the simulation itself cannot work, or a [script](Self::script) asks for a step that there is not.
    pub fn step(&mut self) -> Result<Option<Event>, Error> {
        match self.choose()? {
            Some(step) => self.happen(step).map(Some),
            None => Ok(None),
        }
    }

    /// One of the steps, by chance.
    pub(super) fn choose(&mut self) -> Result<Option<Step>, Error> {
        let mut steps = self.steps();
        let Some(choice) = self.chance.step(&steps) else { return Ok(None) };
        if choice >= steps.len() {
            return Error::impossible(format!("the script asks for step {choice}, and there are {}", steps.len()));
        }
        self.chosen.push(choice);
        Ok(Some(steps.swap_remove(choice)))
    }

    /// Lets something happen that is known to be possible.
    pub(crate) fn happen(&mut self, step: Step) -> Result<Event, Error> {
        let event = match step {
            Step::Begin(unit, hook) => {
                self.begin(&unit, hook.clone())?;
                Event::Began(unit, hook)
            }
            Step::End(unit) => Event::Ended(Box::new(self.end(&unit)?)),
            Step::Elect(unit) => {
                self.controller.application(unit.application()).leader = Some(unit.clone());
                Event::Elected(unit)
            }
        };
        self.look_around();
        self.add_subordinates()?;
        Ok(event)
    }

    /// What agents do by themselves between hooks; who has run the last hook is gone.
    pub(super) fn look_around(&mut self) {
        for (unit, agent) in &mut self.agents {
            // Only where something changes, so that copies of the model go on sharing what stays.
            if !self.running.contains_key(unit) && agent.has_to_look(&self.controller) {
                agent.look(&mut self.controller);
            }
        }
        let gone = |(unit, agent): (&UnitName, &Shared<Agent>)| {
            (agent.is_gone(&self.controller) && !self.running.contains_key(unit)).then(|| unit.clone())
        };
        let gone: Vec<UnitName> = self.agents.iter().filter_map(gone).collect();
        for unit in gone {
            if let Some(agent) = self.agents.get_mut(&unit) {
                agent.removed = true;
            }
            self.controller.forget_unit(&unit);
        }
        self.sweep();
    }

    /// Relations that all have left are no more, nor are applications whose last unit is gone.
    fn sweep(&mut self) {
        let agents = &self.agents;
        let left = |number: u32| {
            let inside = |agent: &Agent| agent.relations.get(&number).is_some_and(|relation| !relation.broken);
            !agents.values().any(|agent| !agent.removed && inside(agent))
        };
        self.controller.relations.retain(|number, relation| !relation.dying || !left(*number));
        let units = &self.controller.units;
        let over = |name: &str, dying: bool| dying && !units.keys().any(|unit| unit.application() == name);
        let applications = self.controller.applications.iter();
        let gone: Vec<String> =
            applications.filter(|(name, found)| over(name, found.dying)).map(|(name, _)| name.clone()).collect();
        for name in gone {
            self.controller.applications.remove(&name);
            self.charms.remove(&name);
            let own = |relation: &Relation| relation.is_peer() && relation.sides.iter().any(|(app, _)| *app == name);
            self.controller.relations.retain(|_, relation| !own(relation));
        }
    }

    /// Whether the unit is [held](Self::hold).
    pub(super) fn is_held(&self, unit: &UnitName) -> bool {
        self.held.contains(unit)
    }

    pub(super) fn agent(&self, unit: &UnitName) -> Result<&Agent, Error> {
        self.agents.get(unit).map(|agent| &**agent).ok_or_else(|| self.no_unit(unit))
    }

    fn no_unit(&self, unit: &UnitName) -> Error {
        let units: Vec<&str> = self.controller.units.keys().map(UnitName::as_str).collect();
        let units = if units.is_empty() { "none".to_owned() } else { units.join(", ") };
        Error::Impossible(format!("there is no unit {unit}; the model has: {units}"))
    }
}
