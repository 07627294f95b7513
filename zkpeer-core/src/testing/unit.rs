//! One unit in this process: a hook in, a report out, in microseconds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::charm::Charm;
use crate::context::{FLAG_PREFIX, Outside, Resources};
use crate::error::{Error, describe};
use crate::handler::HandlerDef;
use crate::hook::{ActionEvent, HookEvent, RelationEvent};
use crate::juju::{
    AddressKind, Bag, BagOwner, GoalState, Juju, JujuError, JujuResult, LogLevel, NetworkInfo, Port, RelationId, Side,
    StatusName, UnitName,
};
use crate::metadata::{self, Metadata};
use crate::report::{HookOutcome, Report};
use crate::store::Store;

/// One unit of a charm, in this process and without a file: what Juju would answer is given as data, each hook is run by
/// hand, and what it did can be looked at.
///
/// ```
/// use zkpeer_core::testing::Unit;
/// use zkpeer_core::{Flags, handlers, when_not};
///
/// #[when_not("hello.installed")]
/// fn install(flags: Flags) {
///     flags.set("hello.installed");
/// }
///
/// let mut unit = Unit::new(handlers![install]);
/// let report = unit.run("install");
/// assert_eq!(report.handlers(), ["install"]);
/// assert_eq!(unit.flags(), ["hello.installed"]);
/// ```
///
/// Nothing here knows in which order Juju runs hooks; for that there is the simulated unit agent.
pub struct Unit {
    charm: Charm,
    store: Option<Store>,
    juju: Rc<FixedJuju>,
    name: UnitName,
    metadata: Metadata,
    juju_version: Option<String>,
    directory: tempfile::TempDir,
    now: Rc<RefCell<Duration>>,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit").field("name", &self.name).field("flags", &self.flags()).finish_non_exhaustive()
    }
}

const OWN_UNIT: &str = "app/0";
const OWN_APPLICATION: &str = "app";

/// The report of a hook that is expected to succeed.
#[track_caller]
fn succeeded(report: Report) -> Report {
    if let (HookOutcome::Failed, Some(error)) = (report.outcome, &report.error) {
        panic!("{} failed: {error}", report.hook);
    }
    report
}

/// A failure of the test's own doing.
#[track_caller]
fn bad(what: &str, error: &dyn fmt::Display) -> ! {
    panic!("{what}: {error}")
}

impl Unit {
    /// Unit `app/0` of a charm with these handlers, as listed by [`handlers!`](crate::handlers).
    #[must_use]
    pub fn new(handlers: &[&'static HandlerDef]) -> Self {
        Self::of(Charm::new().handlers(handlers))
    }

    /// Unit `app/0` of a charm.
    ///
    /// # Panics
    ///
    /// If no temporary directory can be made.
    #[must_use]
    pub fn of(charm: Charm) -> Self {
        let directory = tempfile::tempdir().unwrap_or_else(|error| bad("no temporary directory", &error));
        Self {
            charm,
            store: Some(Store::in_memory()),
            juju: Rc::default(),
            name: OWN_UNIT.parse().unwrap_or_else(|error| bad("unit", &error)),
            metadata: Metadata { name: OWN_APPLICATION.to_owned(), ..Metadata::default() },
            juju_version: Some("3.6.25".to_owned()),
            directory,
            now: Rc::default(),
        }
    }

    /// With the `metadata.yaml` of a charm's directory, and the defaults of its `config.yaml`; `env!("CARGO_MANIFEST_DIR")`
    /// is the directory of the charm whose test this is.
    ///
    /// # Panics
    ///
    /// If one of the files is malformed, or there is no `metadata.yaml`.
    #[track_caller]
    #[must_use]
    pub fn charm(mut self, directory: impl AsRef<Path>) -> Self {
        self.metadata = match Metadata::read(directory.as_ref()) {
            Ok(metadata) => metadata,
            Err(error) => bad("charm", &error),
        };
        match metadata::read_config_defaults(directory.as_ref()) {
            Ok(defaults) => defaults.into_iter().for_each(|(option, default)| self.set_config(&option, default)),
            Err(error) => bad("charm", &error),
        }
        self
    }

    /// The text of its `metadata.yaml`.
    ///
    /// # Panics
    ///
    /// If it is malformed.
    #[must_use]
    pub fn metadata(mut self, yaml: &str) -> Self {
        let path = Path::new("metadata.yaml");
        self.metadata = Metadata::parse(yaml, path).unwrap_or_else(|error| bad("metadata", &error));
        self
    }

    /// The version of Juju.
    #[must_use]
    pub fn juju(mut self, version: &str) -> Self {
        self.juju_version = Some(version.to_owned());
        self
    }

    /// The charm's directory, a temporary one; files there are the charm's.
    #[must_use]
    pub fn charm_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Makes it the leader, or takes that from it.
    pub fn set_leader(&mut self, leader: bool) {
        self.juju.answers.borrow_mut().leader = leader;
    }

    /// Sets an option of the configuration; `null` takes it away.
    pub fn set_config(&mut self, option: &str, value: impl Into<Value>) {
        let mut answers = self.juju.answers.borrow_mut();
        match value.into() {
            Value::Null => drop(answers.config.remove(option)),
            value => drop(answers.config.insert(option.to_owned(), value)),
        }
    }

    /// Sets a leader setting, as the leader would; an empty value takes it away.
    pub fn set_leader_setting(&mut self, key: &str, value: &str) {
        merge(&mut self.juju.answers.borrow_mut().settings, key, value);
    }

    /// What Juju answers to `relation-list` and `relation-get`: the unit is a member of the relation and has this databag.
    ///
    /// # Panics
    ///
    /// If the names are none.
    #[track_caller]
    pub fn set_member(&mut self, relation: &str, unit: &str, bag: &[(&str, &str)]) {
        let (relation, unit) = (relation_id(relation), unit_name(unit));
        let mut answers = self.juju.answers.borrow_mut();
        let bag = bag.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        answers.bags.insert((relation.clone(), BagOwner::Unit(unit.clone())), bag);
        let members = answers.members.entry(relation).or_default();
        members.retain(|member| *member != unit);
        members.push(unit);
    }

    /// The unit is no member of the relation any longer; its databag can still be read by name.
    ///
    /// # Panics
    ///
    /// If the names are none.
    #[track_caller]
    pub fn remove_member(&mut self, relation: &str, unit: &str) {
        let (relation, unit) = (relation_id(relation), unit_name(unit));
        self.juju.answers.borrow_mut().members.entry(relation).or_default().retain(|member| *member != unit);
    }

    /// From now on the hook command fails with this text; `None` lets it work again.
    pub fn fail_command(&mut self, command: &str, stderr: Option<&str>) {
        let mut answers = self.juju.answers.borrow_mut();
        match stderr {
            Some(stderr) => drop(answers.failing.insert(command.to_owned(), stderr.to_owned())),
            None => drop(answers.failing.remove(command)),
        }
    }

    /// Lets time pass, as far as the charm can see.
    pub fn pass(&mut self, time: Duration) {
        *self.now.borrow_mut() += time;
    }

    /// Runs a hook that is about no relation.
    ///
    /// # Panics
    ///
    /// If the hook fails; [`try_run`](Self::try_run) is for hooks that are expected to.
    #[track_caller]
    pub fn run(&mut self, hook: &str) -> Report {
        succeeded(self.try_run(hook))
    }

    /// Runs a hook that is about no relation, and that may fail.
    pub fn try_run(&mut self, hook: &str) -> Report {
        self.run_event(HookEvent::hook(hook)).0
    }

    /// Runs an action with parameters.
    ///
    /// # Panics
    ///
    /// If the hook fails; [`try_run_action`](Self::try_run_action) is for those that are expected to.
    #[track_caller]
    pub fn run_action(&mut self, name: &str, parameters: &[(&str, Value)]) -> Report {
        succeeded(self.try_run_action(name, parameters))
    }

    /// Runs an action with parameters, that may fail.
    pub fn try_run_action(&mut self, name: &str, parameters: &[(&str, Value)]) -> Report {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.juju.answers.borrow_mut().parameters = parameters;
        let action = ActionEvent { name: name.to_owned(), id: "1".to_owned(), tag: "action-1".to_owned() };
        self.run_event(HookEvent::of_action(action)).0
    }

    /// Runs a hook of a relation: `("zkpeer-relation-joined", "zkpeer:0", "zk/1")`.
    ///
    /// # Panics
    ///
    /// If the names are none, or the hook fails; [`try_run_relation`](Self::try_run_relation) is for those that are
    /// expected to.
    #[track_caller]
    pub fn run_relation(&mut self, hook: &str, relation: &str, remote_unit: &str) -> Report {
        succeeded(self.try_run_relation(hook, relation, remote_unit))
    }

    /// Runs a hook of a relation, that may fail.
    ///
    /// # Panics
    ///
    /// If the names are none.
    #[track_caller]
    pub fn try_run_relation(&mut self, hook: &str, relation: &str, remote_unit: &str) -> Report {
        let unit = unit_name(remote_unit);
        let event = RelationEvent {
            id: relation_id(relation),
            remote_application: Some(unit.application().to_owned()),
            departing_unit: hook.ends_with("-departed").then(|| unit.clone()),
            remote_unit: Some(unit),
        };
        self.run_event(HookEvent::of_relation(hook, event)).0
    }

    /// Runs a hook of a relation that is about no unit: `-created`, `-broken`, or a change of an application's databag; it
    /// may fail.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    pub fn try_run_relation_without_unit(&mut self, hook: &str, relation: &str) -> Report {
        let event = RelationEvent {
            id: relation_id(relation),
            remote_unit: None,
            remote_application: Some(self.name.application().to_owned()),
            departing_unit: None,
        };
        self.run_event(HookEvent::of_relation(hook, event)).0
    }

    /// Runs a hook or an action, and gives the error, too.
    pub fn run_event(&mut self, event: HookEvent) -> (Report, Result<(), Error>) {
        let now = Rc::clone(&self.now);
        let juju: Rc<FixedJuju> = Rc::clone(&self.juju);
        juju.begin();
        let outside = Outside {
            event,
            unit: self.name.clone(),
            charm_dir: self.directory.path().to_owned(),
            juju_version: self.juju_version.clone(),
            home_is_set: true,
            program_path: None,
            metadata: self.metadata.clone(),
            juju: juju.clone(),
            resources: Resources::default(),
            clock: Rc::new(move || *now.borrow()),
        };
        let store = self.store.take().unwrap_or_else(Store::in_memory);
        let name = outside.event.name().to_owned();
        let (report, result, store) = self.charm.run_in(outside, store);
        let report = report.unwrap_or_else(|| Report {
            hook: name,
            outcome: if result.is_ok() { HookOutcome::Settled } else { HookOutcome::Failed },
            error: result.as_ref().err().map(|error| describe(error)),
            ..Report::default()
        });
        self.store = Some(store);
        juju.end(result.is_ok());
        (report, result)
    }

    /// The flags that are set, in order.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        let of_store =
            |store: &Store| store.range(FLAG_PREFIX).map(|(key, _)| key[FLAG_PREFIX.len()..].to_owned()).collect();
        self.store.as_ref().map(of_store).unwrap_or_default()
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn is_set(&self, flag: &str) -> bool {
        self.store.as_ref().is_some_and(|store| store.contains(&format!("{FLAG_PREFIX}{flag}")))
    }

    /// Everything that the unit has stored.
    ///
    /// # Panics
    ///
    /// Never: the store is there whenever no hook runs.
    #[must_use]
    pub fn stored(&self) -> BTreeMap<String, String> {
        let all = |store: &Store| store.range("").map(|(key, text)| (key.to_owned(), text.to_owned())).collect();
        self.store.as_ref().map(all).unwrap_or_default()
    }

    /// Changes what is stored, as if an earlier hook had.
    ///
    /// # Panics
    ///
    /// If the value has no form in JSON.
    pub fn store<T: serde::Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let store = self.store.get_or_insert_with(Store::in_memory);
        let kept = store.set(key, value).and_then(|_| store.commit());
        kept.unwrap_or_else(|error| bad(key, &error));
    }

    /// The hook commands of the last hook, in order, as they would be written: `status-set active ready`.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.juju.commands.borrow().clone()
    }

    /// What the unit has published in its own databag of a relation, by hooks that succeeded.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    #[must_use]
    pub fn published(&self, relation: &str) -> Bag {
        let key = (relation_id(relation), Side::Unit);
        self.juju.answers.borrow().own.get(&key).cloned().unwrap_or_default()
    }
}

#[track_caller]
fn relation_id(id: &str) -> RelationId {
    id.parse().unwrap_or_else(|error| bad("relation", &error))
}

#[track_caller]
fn unit_name(name: &str) -> UnitName {
    name.parse().unwrap_or_else(|error| bad("unit", &error))
}

fn merge(bag: &mut Bag, key: &str, value: &str) {
    if value.is_empty() {
        bag.remove(key);
    } else {
        bag.insert(key.to_owned(), value.to_owned());
    }
}

/// A Juju that answers what it was told to.
#[derive(Debug, Default)]
struct FixedJuju {
    answers: RefCell<Answers>,
    commands: RefCell<Vec<String>>,
}

#[derive(Clone, Debug, Default)]
struct Answers {
    config: BTreeMap<String, Value>,
    leader: bool,
    settings: Bag,
    state: Bag,
    members: BTreeMap<RelationId, Vec<UnitName>>,
    bags: BTreeMap<(RelationId, BagOwner), Bag>,
    own: BTreeMap<(RelationId, Side), Bag>,
    parameters: Map<String, Value>,
    failing: BTreeMap<String, String>,
    /// What is as before when the hook fails.
    before: Option<Box<Answers>>,
}

impl FixedJuju {
    fn begin(&self) {
        self.commands.borrow_mut().clear();
        let before = self.answers.borrow().clone();
        self.answers.borrow_mut().before = Some(Box::new(before));
    }

    fn end(&self, succeeded: bool) {
        let mut answers = self.answers.borrow_mut();
        if let Some(before) = answers.before.take().filter(|_| !succeeded) {
            // Leader settings are written at once, and stay (contract 10).
            let settings = std::mem::take(&mut answers.settings);
            *answers = Answers { settings, ..*before };
        }
    }

    fn call(&self, command: &str, arguments: &str) -> JujuResult {
        let line = if arguments.is_empty() { command.to_owned() } else { format!("{command} {arguments}") };
        self.commands.borrow_mut().push(line.clone());
        match self.answers.borrow().failing.get(command) {
            Some(stderr) => Err(JujuError::Failed { command: line, code: 1, stderr: stderr.clone() }),
            None => Ok(()),
        }
    }
}

fn pairs(bag: &Bag) -> String {
    bag.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

impl Juju for FixedJuju {
    fn relation_ids(&self, endpoint: &str) -> JujuResult<Vec<RelationId>> {
        self.call("relation-ids", endpoint)?;
        Ok(self.answers.borrow().members.keys().filter(|id| id.endpoint == endpoint).cloned().collect())
    }

    fn relation_list(&self, relation: &RelationId) -> JujuResult<Vec<UnitName>> {
        self.call("relation-list", &relation.to_string())?;
        Ok(self.answers.borrow().members.get(relation).cloned().unwrap_or_default())
    }

    fn relation_get(&self, relation: &RelationId, owner: &BagOwner) -> JujuResult<Bag> {
        self.call("relation-get", &format!("{relation} {owner}"))?;
        let answers = self.answers.borrow();
        let side = match owner {
            BagOwner::Unit(unit) if unit.as_str() == OWN_UNIT => Some(Side::Unit),
            BagOwner::Application(application) if application == OWN_APPLICATION => Some(Side::Application),
            _ => None,
        };
        let bag = match side {
            Some(side) => answers.own.get(&(relation.clone(), side)),
            None => answers.bags.get(&(relation.clone(), owner.clone())),
        };
        Ok(bag.cloned().unwrap_or_default())
    }

    fn relation_set(&self, relation: &RelationId, side: Side, values: &Bag) -> JujuResult {
        let app = if side == Side::Application { "--app " } else { "" };
        self.call("relation-set", &format!("{relation} {app}{}", pairs(values)))?;
        let mut answers = self.answers.borrow_mut();
        if side == Side::Application && !answers.leader {
            let stderr = "cannot write relation settings".to_owned();
            return Err(JujuError::Failed { command: "relation-set --app".to_owned(), code: 1, stderr });
        }
        let bag = answers.own.entry((relation.clone(), side)).or_default();
        values.iter().for_each(|(key, value)| merge(bag, key, value));
        Ok(())
    }

    fn config_get(&self) -> JujuResult<BTreeMap<String, Value>> {
        self.call("config-get", "")?;
        Ok(self.answers.borrow().config.clone())
    }

    fn is_leader(&self) -> JujuResult<bool> {
        self.call("is-leader", "")?;
        Ok(self.answers.borrow().leader)
    }

    fn leader_get(&self) -> JujuResult<Bag> {
        self.call("leader-get", "")?;
        Ok(self.answers.borrow().settings.clone())
    }

    fn leader_set(&self, values: &Bag) -> JujuResult {
        self.call("leader-set", &pairs(values))?;
        let mut answers = self.answers.borrow_mut();
        values.iter().for_each(|(key, value)| merge(&mut answers.settings, key, value));
        Ok(())
    }

    fn state_get(&self) -> JujuResult<Bag> {
        self.call("state-get", "")?;
        Ok(self.answers.borrow().state.clone())
    }

    fn state_set(&self, values: &Bag) -> JujuResult {
        self.call("state-set", &pairs(values))?;
        self.answers.borrow_mut().state.extend(values.clone());
        Ok(())
    }

    fn state_delete(&self, key: &str) -> JujuResult {
        self.call("state-delete", key)?;
        self.answers.borrow_mut().state.remove(key);
        Ok(())
    }

    fn status_set(&self, side: Side, status: StatusName, message: &str) -> JujuResult {
        let app = if side == Side::Application { "--application " } else { "" };
        self.call("status-set", format!("{app}{} {message}", status.as_str()).trim_end())
    }

    fn juju_log(&self, level: LogLevel, message: &str) -> JujuResult {
        self.call("juju-log", &format!("{} {message}", level.as_str()))
    }

    fn network_get(&self, endpoint: &str, _: Option<&RelationId>) -> JujuResult<NetworkInfo> {
        self.call("network-get", endpoint)?;
        Ok(NetworkInfo::default())
    }

    fn unit_get(&self, kind: AddressKind) -> JujuResult<String> {
        let setting = if kind == AddressKind::Private { "private-address" } else { "public-address" };
        self.call("unit-get", setting)?;
        Ok("10.0.0.1".to_owned())
    }

    fn open_port(&self, port: &Port, _: &[String]) -> JujuResult {
        self.call("open-port", port.as_str())
    }

    fn close_port(&self, port: &Port, _: &[String]) -> JujuResult {
        self.call("close-port", port.as_str())
    }

    fn application_version_set(&self, version: &str) -> JujuResult {
        self.call("application-version-set", version)
    }

    fn action_get(&self) -> JujuResult<Map<String, Value>> {
        self.call("action-get", "")?;
        Ok(self.answers.borrow().parameters.clone())
    }

    fn action_set(&self, results: &Bag) -> JujuResult {
        self.call("action-set", &pairs(results))
    }

    fn action_fail(&self, message: &str) -> JujuResult {
        self.call("action-fail", message)
    }

    fn action_log(&self, message: &str) -> JujuResult {
        self.call("action-log", message)
    }

    fn goal_state(&self) -> JujuResult<GoalState> {
        self.call("goal-state", "")?;
        Ok(GoalState::default())
    }
}
