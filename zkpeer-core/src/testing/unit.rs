//! One unit in this process: a hook in, a report out, in microseconds.

use std::collections::BTreeMap;
use std::fmt;
use std::mem;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::agent::Agent;
use super::charm::{ConfigOption, OptionKind};
use super::controller::{Controller, entries};
use super::hook::{Hook, RelationHook, RelationKind};
use super::in_process::LocalCommands;
use super::instants::{Instants, Watched};
use super::machine::Session;
use super::names::JujuVersion;
use super::process::CommandRun;
use super::run::Run;
use super::story::check_hook;
use crate::charm::Charm;
use crate::context::{FLAG_PREFIX, Outside, Resources};
use crate::error::{Error, describe};
use crate::handler::HandlerDef;
use crate::hook::{ActionEvent, HookEvent, RelationEvent};
use crate::juju::tools::Tools;
use crate::juju::{Bag, RelationId, UnitName};
use crate::layers::{self, Layers};
use crate::metadata::{self, Metadata};
use crate::programs::Processes;
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
    controller: Controller,
    agent: Agent,
    name: UnitName,
    metadata: Metadata,
    directory: tempfile::TempDir,
    parameters: BTreeMap<String, super::Value>,
    failing: BTreeMap<String, String>,
    commands: Vec<CommandRun>,
    leaving: bool,
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
        let name: UnitName = OWN_UNIT.parse().unwrap_or_else(|error| bad("unit", &error));
        let mut controller = Controller::new(JujuVersion::default());
        controller.add_unit(&name, Some("10.0.0.1".to_owned()));
        Self {
            charm,
            store: Some(Store::in_memory()),
            controller,
            agent: Agent::new(name.clone(), 0, Rc::default()),
            name,
            metadata: Metadata { name: OWN_APPLICATION.to_owned(), ..Metadata::default() },
            directory,
            parameters: BTreeMap::new(),
            failing: BTreeMap::new(),
            commands: Vec::new(),
            leaving: false,
        }
    }

    /// With the `metadata.yaml` of a charm's directory, the defaults of its `config.yaml`, and its `layer.yaml`;
    /// `env!("CARGO_MANIFEST_DIR")` is the directory of the charm whose test this is.
    ///
    /// # Panics
    ///
    /// If one of the files is malformed, or there is no `metadata.yaml`.
    #[track_caller]
    #[must_use]
    pub fn charm(mut self, directory: impl AsRef<Path>) -> Self {
        match Metadata::read(directory.as_ref()) {
            Ok(metadata) => self.know(metadata),
            Err(error) => bad("charm", &error),
        }
        match metadata::read_config_defaults(directory.as_ref()) {
            Ok(defaults) => defaults.into_iter().for_each(|(option, default)| self.set_config(&option, default)),
            Err(error) => bad("charm", &error),
        }
        let layers = directory.as_ref().join(layers::FILE);
        if layers.exists() {
            let copied = std::fs::copy(layers, self.directory.path().join(layers::FILE));
            copied.unwrap_or_else(|error| bad(layers::FILE, &error));
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
        self.know(Metadata::parse(yaml, path).unwrap_or_else(|error| bad("metadata", &error)));
        self
    }

    /// Charm and hook commands know the same endpoints.
    fn know(&mut self, metadata: Metadata) {
        Rc::make_mut(&mut self.controller.application(OWN_APPLICATION).charm).metadata = metadata.clone();
        self.metadata = metadata;
    }

    /// The version of Juju.
    ///
    /// # Panics
    ///
    /// If it is none, or one that is not simulated.
    #[track_caller]
    #[must_use]
    pub fn juju(mut self, version: &str) -> Self {
        self.controller.juju = version.parse().unwrap_or_else(|error| bad("version", &error));
        self
    }

    /// The charm's directory, a temporary one; files there are the charm's.
    #[must_use]
    pub fn charm_dir(&self) -> &Path {
        self.directory.path()
    }

    /// Makes it the leader, or takes that from it.
    pub fn set_leader(&mut self, leader: bool) {
        self.controller.application(OWN_APPLICATION).leader = leader.then(|| self.name.clone());
    }

    /// Sets an option of the configuration; `null` takes it away.
    pub fn set_config(&mut self, option: &str, value: impl Into<Value>) {
        let application = self.controller.application(OWN_APPLICATION);
        let value = super::Value::from_json(&value.into());
        if value == super::Value::Null {
            application.config.remove(option);
            return;
        }
        // Without a config.yaml there is no type to go by.
        let known = ConfigOption { kind: OptionKind::String, default: super::Value::Null };
        Rc::make_mut(&mut application.charm).options.entry(option.to_owned()).or_insert(known);
        application.config.insert(option.to_owned(), value);
    }

    /// Sets a leader setting, as the leader would; an empty value takes it away.
    pub fn set_leader_setting(&mut self, key: &str, value: &str) {
        let settings = &mut self.controller.application(OWN_APPLICATION).leader_settings;
        settings.apply(&entries(&[(key, value)]));
    }

    /// The relation of that id, which this unit has entered; for a peer relation the other side is its own application.
    fn relation(&mut self, id: &RelationId, remote: &str) {
        let own = (OWN_APPLICATION.to_owned(), id.endpoint.clone());
        let other = (remote.to_owned(), "remote".to_owned());
        let sides = if remote == OWN_APPLICATION { vec![own] } else { vec![own, other] };
        self.controller.insert_relation(id.number, sides);
        self.agent.enter(id.clone(), &mut self.controller);
    }

    /// What Juju answers to `relation-list` and `relation-get`: the unit is a member of the relation and has this databag.
    ///
    /// # Panics
    ///
    /// If the names are none.
    #[track_caller]
    pub fn set_member(&mut self, relation: &str, unit: &str, bag: &[(&str, &str)]) {
        let (relation, unit) = (self.known(relation), unit_name(unit));
        self.relation(&relation, unit.application());
        self.controller.set_unit_bag(relation.number, &unit, entries(bag));
        self.agent.add_member(relation.number, &unit);
    }

    /// The unit is no member of the relation any longer; its databag can still be read by name.
    ///
    /// # Panics
    ///
    /// If the names are none.
    #[track_caller]
    pub fn remove_member(&mut self, relation: &str, unit: &str) {
        let (relation, unit) = (relation_id(relation), unit_name(unit));
        self.agent.remove_member(relation.number, &unit);
    }

    /// This unit has entered the relation with that application; nobody has joined yet.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    pub fn set_relation(&mut self, relation: &str, application: &str) {
        let relation = self.known(relation);
        self.relation(&relation, application);
    }

    /// The application has this databag in the relation.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    pub fn set_application_bag(&mut self, relation: &str, application: &str, bag: &[(&str, &str)]) {
        let relation = self.known(relation);
        self.relation(&relation, application);
        self.controller.set_application_bag(relation.number, application, entries(bag));
    }

    /// From now on it is this unit that leaves, or no longer: `-departed` hooks name it as the departing unit, whichever peer
    /// they are about (contract 5.1).
    pub fn set_leaving(&mut self, leaving: bool) {
        self.leaving = leaving;
    }

    /// From now on the hook command fails with this text; `None` lets it work again.
    pub fn fail_command(&mut self, command: &str, stderr: Option<&str>) {
        match stderr {
            Some(stderr) => self.failing.insert(command.to_owned(), stderr.to_owned()),
            None => self.failing.remove(command),
        };
    }

    /// Lets time pass, as far as the charm can see.
    pub fn pass(&mut self, time: Duration) {
        self.controller.now += time;
    }

    /// Runs a hook that is about no relation.
    ///
    /// # Panics
    ///
    /// If Juju has no such hook, or it fails; [`try_run`](Self::try_run) is for hooks that are expected to.
    #[track_caller]
    pub fn run(&mut self, hook: &str) -> Report {
        succeeded(self.try_run(hook))
    }

    /// Runs a hook that is about no relation, and that may fail.
    ///
    /// # Panics
    ///
    /// If Juju has no such hook.
    #[track_caller]
    pub fn try_run(&mut self, hook: &str) -> Report {
        if let Err(reason) = check_hook(hook) {
            bad("hook", &reason);
        }
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
        let parameters = parameters.iter();
        self.parameters =
            parameters.map(|(name, value)| ((*name).to_owned(), super::Value::from_json(value))).collect();
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
            id: self.relation_of(hook, relation),
            remote_application: Some(unit.application().to_owned()),
            departing_unit: hook
                .ends_with("-departed")
                .then(|| if self.leaving { self.name.clone() } else { unit.clone() }),
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
        let id = self.relation_of(hook, relation);
        let own = self.name.application();
        let known = self.controller.relations.get(&id.number);
        let remote = known.map_or(own, |relation| relation.remote_app(own)).to_owned();
        let event = RelationEvent { id, remote_unit: None, remote_application: Some(remote), departing_unit: None };
        self.run_event(HookEvent::of_relation(hook, event)).0
    }

    /// The relation that a hook is about, as its name has to say, on an endpoint of the charm.
    #[track_caller]
    fn relation_of(&self, hook: &str, relation: &str) -> RelationId {
        let id = self.known(relation);
        let kind = hook.strip_prefix(id.endpoint.as_str()).and_then(|rest| rest.strip_prefix("-relation-"));
        match check_hook(hook) {
            Err(reason) => bad("hook", &reason),
            Ok(()) if kind.is_none() => {
                bad("hook", &format!("`{hook}` is not about `{relation}`, of `{}`", id.endpoint))
            }
            Ok(()) => id,
        }
    }

    /// A relation on an endpoint of the charm, if it has metadata at all.
    #[track_caller]
    fn known(&self, relation: &str) -> RelationId {
        let id = relation_id(relation);
        let endpoints = &self.metadata.endpoints;
        if !endpoints.is_empty() && !endpoints.contains_key(&id.endpoint) {
            let names: Vec<&str> = endpoints.keys().map(String::as_str).collect();
            let reason = format!("metadata.yaml has no endpoint `{}`; it has: {}", id.endpoint, names.join(", "));
            bad("relation", &reason);
        }
        id
    }

    /// Runs a hook or an action, and gives the error, too.
    pub fn run_event(&mut self, event: HookEvent) -> (Report, Result<(), Error>) {
        let hook = self.hook_of(&event);
        let context_id = format!("{}-{}", self.name, event.name());
        let parameters = super::Value::Map(mem::take(&mut self.parameters));
        let run = Run::begin(hook.clone(), context_id.clone(), parameters, &self.controller, &mut self.agent);
        let seen = run.seen.clone();
        let charm = Rc::clone(&self.controller.application(OWN_APPLICATION).charm);
        let agent = mem::replace(&mut self.agent, Agent::new(self.name.clone(), 0, Rc::default()));
        let controller = mem::take(&mut self.controller);
        let resources = self.directory.path().join("resources");
        let session = Session { run, controller, agent, charm, resources, changes: Vec::new(), answered: 0 };
        let now = session.controller.now;
        let juju_version = Some(session.controller.juju.to_string());
        let commands = LocalCommands::new(
            session,
            Rc::new(Instants::new(Watched::default())),
            self.directory.path(),
            self.failing.clone(),
        );
        let name = event.name().to_owned();
        let outside = Outside {
            event,
            unit: self.name.clone(),
            layers: Layers::of(self.directory.path()),
            charm_dir: self.directory.path().to_owned(),
            directory_asked: Rc::default(),
            juju_version,
            context_id: Some(context_id),
            home_is_set: true,
            program_path: None,
            may_go_back_to_python: false,
            metadata: Rc::new(self.metadata.clone()),
            juju: Rc::new(Tools::over(commands.clone())),
            resources: Resources::default(),
            clock: Rc::new(move || now),
            programs: Rc::new(Processes),
            root: Some(self.directory.path().join(".root")),
            witness: None,
            externals: None,
        };
        let store = self.store.take().unwrap_or_else(Store::in_memory);
        let (report, result, store) = self.charm.run_in(outside, store);
        self.store = Some(store);
        let (session, commands) = commands.close();
        self.commands = commands;
        (self.controller, self.agent) = (session.controller, session.agent);
        if result.is_ok() {
            // What Juju would refuse here (leadership lost in between) is for the simulated agent to show.
            let _ = session.run.commit(&mut self.controller);
            self.agent.done(&hook, &seen, &mut self.controller);
        }
        let report = report.unwrap_or_else(|| Report {
            hook: name,
            outcome: if result.is_ok() { HookOutcome::Settled } else { HookOutcome::Failed },
            error: result.as_ref().err().map(|error| describe(error)),
            ..Report::default()
        });
        (report, result)
    }

    /// The hook that has this event, its relation and its remote unit made known.
    fn hook_of(&mut self, event: &HookEvent) -> Hook {
        if let Some(action) = event.action() {
            return Hook::Action { id: action.id.parse().unwrap_or(1), name: action.name.clone() };
        }
        let Some(relation) = event.relation() else { return Hook::Plain(event.name().to_owned()) };
        let app = relation.remote_application.clone();
        let app = app.or_else(|| relation.remote_unit.as_ref().map(|unit| unit.application().to_owned()));
        let app = app.unwrap_or_else(|| OWN_APPLICATION.to_owned());
        self.relation(&relation.id, &app);
        if let Some(unit) = &relation.remote_unit {
            self.controller.know_unit(relation.id.number, unit);
        }
        Hook::Relation(RelationHook {
            kind: RelationKind::split(event.name()).map_or(RelationKind::Changed, |(_, kind)| kind),
            relation: relation.id.clone(),
            app,
            unit: relation.remote_unit.clone(),
            departing: relation.departing_unit.clone(),
            version: 0,
        })
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

    /// Sets a flag, as if an earlier hook had.
    pub fn set_flag(&mut self, flag: &str) {
        self.store(&format!("{FLAG_PREFIX}{flag}"), &());
    }

    /// Clears a flag, as if an earlier hook had.
    pub fn clear_flag(&mut self, flag: &str) {
        self.unstore(&format!("{FLAG_PREFIX}{flag}"));
    }

    /// Removes something from what is stored, as if an earlier hook had.
    ///
    /// # Panics
    ///
    /// Never: what is removed in memory is removed.
    pub fn unstore(&mut self, key: &str) {
        let store = self.store.get_or_insert_with(Store::in_memory);
        store.unset(key);
        store.commit().unwrap_or_else(|error| bad(key, &error));
    }

    /// The hook commands of the last hook, in order, as they would be written: `status-set active ready`.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.commands.iter().map(ToString::to_string).collect()
    }

    /// What the unit has published in its own databag of a relation, by hooks that succeeded.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    #[must_use]
    pub fn published(&self, relation: &str) -> Bag {
        let relation = self.controller.relations.get(&relation_id(relation).number);
        let own = relation.and_then(|relation| relation.units.get(&self.name)).map(|bag| bag.entries.clone());
        let juju = self.controller.initial_keys(&self.name);
        own.unwrap_or_default().into_iter().filter(|(key, value)| juju.get(key) != Some(value)).collect()
    }

    /// What the unit's application has published in its databag of a relation, by hooks that succeeded.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    #[must_use]
    pub fn published_app(&self, relation: &str) -> Bag {
        let relation = self.controller.relations.get(&relation_id(relation).number);
        let own = relation.and_then(|relation| relation.apps.get(self.name.application()));
        own.map(|bag| bag.entries.clone()).unwrap_or_default()
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
