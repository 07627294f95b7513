//! Running a hook: on the unit itself, or on a copy of it.

use std::collections::BTreeMap;
use std::mem;
use std::rc::Rc;

use serde_json::Value;

use super::event::{Event, What};
use super::{IMPOSSIBLE, OrBad, Unit, UnitRun, bad, possible, relation_id};
use crate::context::Outside;
use crate::error::{Error, describe};
use crate::hook::{ActionEvent, HookEvent, RelationEvent};
use crate::juju::tools::Tools;
use crate::juju::{RelationId, UnitName};
use crate::layers::Layers;
use crate::programs::{Processes, Runner};
use crate::record::Noted;
use crate::registry::Registry;
use crate::report::{HookOutcome, Report};
use crate::store::Store;
use crate::testing::agent::{Agent, Seen};
use crate::testing::hook::{Hook, RelationHook, RelationKind};
use crate::testing::in_process::LocalCommands;
use crate::testing::machine::Session;
use crate::testing::run::Run;
use crate::testing::story::check_hook;
use crate::testing::value;

/// An event with its names checked, and the parameters of an action.
#[derive(Clone, Debug)]
pub(super) struct Happening {
    pub(super) event: HookEvent,
    parameters: value::Value,
}

/// A hook that is over.
pub(super) struct Played {
    pub(super) hook: Hook,
    pub(super) report: Report,
    pub(super) result: Result<(), Error>,
    /// Why Juju does not take what the hook has buffered, although it succeeded.
    pub(super) refused: Option<String>,
    pub(super) record: Vec<Noted>,
}

/// The report of a hook that is expected to succeed.
#[track_caller]
fn succeeded(report: Report) -> Report {
    if let (HookOutcome::Failed, Some(error)) = (report.outcome, &report.error) {
        panic!("{} failed: {error}", report.hook);
    }
    report
}

impl Unit {
    /// Runs a hook or an action on a copy of the unit, which itself stays as it is. An event is the name of a hook, or made by a
    /// function of [`event`](super::event).
    ///
    /// What came of it is in the [`UnitRun`], also if the hook failed; each assertion but
    /// [`assert_failed`](UnitRun::assert_failed) then fails.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state.
    #[track_caller]
    #[must_use = "the unit itself stays as it is"]
    pub fn on(&self, event: impl Into<Event>) -> UnitRun {
        let happening = self.happening(event.into());
        self.copy_and_play(happening)
    }

    /// The unit after a hook or an action that has to succeed.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state, or it fails.
    #[track_caller]
    #[must_use = "the unit itself stays as it is"]
    pub fn after(&self, event: impl Into<Event>) -> Self {
        self.on(event).into_unit()
    }

    #[track_caller]
    pub(super) fn copy_and_play(&self, happening: Happening) -> UnitRun {
        let mut after = self.clone();
        let played = after.play(happening.clone(), true);
        UnitRun::new(self.clone(), happening, after, played)
    }

    /// Runs a hook or an action. An event is the name of a hook, or made by a function of [`event`](super::event).
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state, or it fails; [`try_run`](Self::try_run) is for hooks that are expected
    /// to.
    #[track_caller]
    pub fn run(&mut self, event: impl Into<Event>) -> Report {
        succeeded(self.try_run(event))
    }

    /// Runs a hook or an action that may fail.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state.
    #[track_caller]
    pub fn try_run(&mut self, event: impl Into<Event>) -> Report {
        let happening = self.happening(event.into());
        self.play(happening, false).report
    }

    /// Runs an action with parameters.
    ///
    /// # Panics
    ///
    /// If Juju would not, or it fails; [`try_run_action`](Self::try_run_action) is for those that are expected to.
    #[track_caller]
    pub fn run_action(&mut self, name: &str, parameters: &[(&str, Value)]) -> Report {
        succeeded(self.try_run_action(name, parameters))
    }

    /// Runs an action with parameters, that may fail.
    ///
    /// # Panics
    ///
    /// If the charm's `actions.yaml` is known, and has no such action, or one whose schema these parameters do not fit. Up to 3.6
    /// Juju takes what a schema does not name, unless it says `additionalProperties: false`.
    #[track_caller]
    pub fn try_run_action(&mut self, name: &str, parameters: &[(&str, Value)]) -> Report {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.try_run(Event(What::Action { name: name.to_owned(), parameters }))
    }

    /// Runs a hook of a relation: `("zkpeer-relation-joined", "zkpeer:0", "zk/1")`.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state, or it fails; [`try_run_relation`](Self::try_run_relation) is for those
    /// that are expected to.
    #[track_caller]
    pub fn run_relation(&mut self, hook: &str, relation: &str, remote_unit: &str) -> Report {
        succeeded(self.try_run_relation(hook, relation, remote_unit))
    }

    /// Runs a hook of a relation, that may fail.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state.
    #[track_caller]
    pub fn try_run_relation(&mut self, hook: &str, relation: &str, remote_unit: &str) -> Report {
        let kind = kind_of(hook, &relation_id(relation));
        let unit = Some(remote_unit.to_owned());
        self.try_run(Event(What::Relation { kind, relation: relation.to_owned(), unit }))
    }

    /// Runs a hook of a relation that is about no unit: `-created`, `-broken`, or a change of an application's databag; it
    /// may fail.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state.
    #[track_caller]
    pub fn try_run_relation_without_unit(&mut self, hook: &str, relation: &str) -> Report {
        let kind = kind_of(hook, &relation_id(relation));
        self.try_run(Event(What::Relation { kind, relation: relation.to_owned(), unit: None }))
    }

    /// Runs a hook or an action as Juju would describe it to the charm, and gives the error, too.
    ///
    /// # Panics
    ///
    /// If Juju could not run it on a unit in this state.
    #[track_caller]
    pub fn run_event(&mut self, event: HookEvent) -> (Report, Result<(), Error>) {
        let played = self.play(Happening { event, parameters: value::Value::default() }, false);
        (played.report, played.result)
    }

    /// `juju resolve --no-retry`: the hook that failed counts as done, without its changes. For a `-broken` this means that it
    /// has failed for good.
    ///
    /// Without this, if another hook comes next than the one that failed, that has happened before it.
    ///
    /// # Panics
    ///
    /// If no hook has failed.
    #[track_caller]
    pub fn resolve(&mut self) {
        match self.failed.take() {
            Some(hook) => self.done(&hook),
            None => bad("resolve", &"no hook has failed"),
        }
    }

    fn done(&mut self, hook: &Hook) {
        let seen = Seen::now(&self.controller, &self.name);
        self.agent.done(hook, &seen, &mut self.controller);
        let comes_or_goes =
            matches!(hook, Hook::Relation(RelationHook { kind: RelationKind::Joined | RelationKind::Departed, .. }));
        if let Some(about) = about(hook).filter(|_| comes_or_goes) {
            self.news.remove(&about);
        }
    }

    /// The event as Juju describes it, its names checked.
    #[track_caller]
    fn happening(&self, event: Event) -> Happening {
        let mut parameters = value::Value::default();
        let event = match event.0 {
            What::Hook(hook) => {
                check_hook(&hook).or_bad("hook");
                HookEvent::hook(&hook)
            }
            What::Action { name, parameters: given } => {
                parameters = self.parameters(&name, &given);
                HookEvent::of_action(ActionEvent { name, id: "1".to_owned(), tag: "action-1".to_owned() })
            }
            What::Relation { kind, relation, unit } => {
                self.relation_event(kind, relation_id(&relation), unit.as_deref())
            }
        };
        Happening { event, parameters }
    }

    #[track_caller]
    fn parameters(&self, action: &str, given: &[(String, Value)]) -> value::Value {
        let given: BTreeMap<String, value::Value> =
            given.iter().map(|(name, value)| (name.clone(), value::Value::from_json(value))).collect();
        if !self.whole {
            return value::Value::Map(given);
        }
        match self.charm_files().action_parameters(action, given, self.controller.juju.is_four()) {
            Ok(parameters) => parameters,
            Err(error) => panic!("{error}"),
        }
    }

    #[track_caller]
    fn relation_event(&self, kind: RelationKind, id: RelationId, unit: Option<&str>) -> HookEvent {
        let unit = unit.map(str::parse::<UnitName>).transpose().or_bad("unit");
        let own = self.name.application();
        let known = self.controller.relations.get(&id.number).map(|relation| relation.remote_app(own));
        let application = match unit.as_ref().map(UnitName::application).or(known) {
            Some(application) => application.to_owned(),
            None if possible::has_peers(self, &id.endpoint) => own.to_owned(),
            None => bad("relation", &format!("with which application is {id}? say so with set_relation")),
        };
        let departing = unit.as_ref().filter(|_| kind == RelationKind::Departed);
        let departing = departing.map(|unit| if self.leaving { &self.name } else { unit });
        let event = RelationEvent {
            departing_unit: departing.cloned(),
            remote_unit: unit,
            remote_application: Some(application),
            id,
        };
        HookEvent::of_relation(&kind.hook_of(&event.id.endpoint), event)
    }

    /// The hook that has this event, its relation and its remote unit made known.
    #[track_caller]
    fn hook_of(&mut self, event: &HookEvent) -> Hook {
        if let Some(action) = event.action() {
            return Hook::Action { id: action.id.parse().unwrap_or(1), name: action.name.clone() };
        }
        let Some(relation) = event.relation() else { return Hook::Plain(event.name().to_owned()) };
        let app = relation.remote_application.clone();
        let app = app.or_else(|| relation.remote_unit.as_ref().map(|unit| unit.application().to_owned()));
        let app = app.unwrap_or_else(|| self.name.application().to_owned());
        self.enter(&relation.id, &app);
        if let Some(unit) = &relation.remote_unit {
            possible::remote(self, unit).or_bad(IMPOSSIBLE);
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

    /// The hook runs to its end, and the unit is what it is then.
    #[track_caller]
    pub(super) fn play(&mut self, happening: Happening, record: bool) -> Played {
        let Happening { event, parameters } = happening;
        let hook = self.hook_of(&event);
        self.is_next(&hook);
        let context_id = format!("{}-{}", self.name, event.name());
        let run = Run::begin(hook.clone(), context_id.clone(), parameters, &self.controller, &mut self.agent);
        let seen = run.seen.clone();
        let charm = self.charm_files();
        let nobody = Agent::new(self.name.clone(), 0, Rc::clone(&self.agent.charm));
        let agent = mem::replace(&mut self.agent, nobody);
        let controller = mem::take(&mut self.controller);
        let files = Rc::clone(&self.files);
        let resources = files.place().join("resources");
        let metadata = Rc::clone(&charm.metadata);
        let session =
            Session { run: Box::new(run), controller, agent, charm, resources, changes: Vec::new(), answered: 0 };
        let now = session.controller.now;
        let juju_version = Some(session.controller.juju.to_string());
        let commands = LocalCommands::new(session, Rc::default(), files.place(), self.failing.clone());
        let name = event.name().to_owned();
        let outside = Outside {
            event,
            unit: self.name.clone(),
            layers: Layers::of(files.place()),
            charm_dir: files.place().to_owned(),
            root: Some(files.root().to_owned()),
            before_files: Rc::new(move || {
                files.path();
            }),
            juju_version,
            context_id: Some(context_id),
            home_is_set: true,
            program_path: None,
            may_go_back_to_python: false,
            metadata,
            juju: Rc::new(Tools::over(commands.clone())),
            resources: self.outside.as_ref().map(|outside| outside.fakes.resources().clone()).unwrap_or_default(),
            clock: Rc::new(move || now),
            programs: self
                .outside
                .as_ref()
                .map_or_else(|| Rc::new(Processes) as Rc<dyn Runner>, |outside| outside.fakes.runner()),
            witness: None,
            externals: None,
        };
        let store = mem::replace(&mut self.store, Store::in_memory());
        let (report, result, store, record) = match self.fitted(&outside) {
            Ok(registry) => {
                let ran = self.charm.run_recorded(outside, store, &registry, record);
                (ran.report, ran.result, ran.store, ran.record)
            }
            Err(error) => (None, Err(error), store, Vec::new()),
        };
        self.store = store;
        let (session, commands) = commands.close();
        self.commands = commands;
        (self.controller, self.agent) = (session.controller, session.agent);
        let refused = match &result {
            Ok(()) => session.run.commit(&mut self.controller).err(),
            Err(_) => None,
        };
        if result.is_ok() && refused.is_none() {
            self.agent.done(&hook, &seen, &mut self.controller);
            self.is_old(&hook, true);
        } else if !hook.is_action() && !hook.is_restricted() {
            self.failed = Some(hook.clone());
            self.is_old(&hook, false);
        }
        let report = report.unwrap_or_else(|| Report {
            hook: name,
            outcome: if result.is_ok() { HookOutcome::Settled } else { HookOutcome::Failed },
            error: result.as_ref().err().map(|error| describe(error)),
            ..Report::default()
        });
        Played { hook, report, result, refused, record }
    }

    /// The hook that comes next, which has to be possible. If it is not the one that has failed, that one has been resolved
    /// (contract 2.2).
    #[track_caller]
    fn is_next(&mut self, hook: &Hook) {
        if hook.is_action() || hook.is_restricted() {
            // They may run when a hook has failed, too.
        } else if let Some(failed) = self.failed.take().filter(|failed| failed != hook) {
            self.done(&failed);
        }
        possible::event(self, hook).or_bad(IMPOSSIBLE);
        let Hook::Relation(RelationHook { kind, relation, unit: Some(unit), .. }) = hook else { return };
        // Who has just been said to come or go does so in this hook.
        match kind {
            RelationKind::Joined => self.agent.remove_member(relation.number, unit),
            RelationKind::Departed => self.agent.add_member(relation.number, unit),
            RelationKind::Created | RelationKind::Changed | RelationKind::Broken => {}
        }
    }

    /// Who was said to come or go has come or gone for all later hooks: this one has seen it so. One that failed runs again.
    fn is_old(&mut self, hook: &Hook, succeeded: bool) {
        if !hook.is_restricted() {
            let again = about(hook).filter(|_| !succeeded);
            self.news.retain(|news| Some(news) == again.as_ref());
        }
    }

    /// The charm's handlers, fitted when they are first needed.
    fn fitted(&mut self, outside: &Outside) -> Result<Rc<Registry>, Error> {
        if let Some(registry) = &self.registry {
            return Ok(Rc::clone(registry));
        }
        let registry = Rc::new(self.charm.registry(outside)?);
        self.registry = Some(Rc::clone(&registry));
        Ok(registry)
    }
}

/// The relation and the remote unit of a hook.
fn about(hook: &Hook) -> Option<(u32, UnitName)> {
    let hook = hook.relation()?;
    Some((hook.relation.number, hook.unit.clone()?))
}

/// The kind of a relation's hook, whose name has to fit the relation.
#[track_caller]
fn kind_of(hook: &str, relation: &RelationId) -> RelationKind {
    check_hook(hook).or_bad("hook");
    match RelationKind::split(hook) {
        Some((endpoint, kind)) if endpoint == relation.endpoint => kind,
        _ => bad("hook", &format!("`{hook}` is not about `{relation}`, of `{}`", relation.endpoint)),
    }
}
