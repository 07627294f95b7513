//! One unit in this process: a hook in, a report out, in microseconds.

mod assert;
pub mod event;
mod files;
mod look;
mod play;
mod possible;
mod reasons;
mod repeat;
mod run;
mod set;
mod tell;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::rc::Rc;

use super::agent::Agent;
use super::charm::CharmFiles;
use super::controller::Controller;
use super::fake::{Fakes, MakeFakes};
use super::hook::Hook;
use super::names::JujuVersion;
use super::process::CommandRun;
use crate::charm::Charm;
use crate::handler::HandlerDef;
use crate::juju::{RelationId, UnitName};
use crate::layers;
use crate::metadata::Metadata;
use crate::registry::Registry;
use crate::store::Store;

use files::Files;
pub use run::{FlagChange, UnitRun};

/// One unit of a charm, in this process and without a file: what Juju would answer is given as data, each hook is run by
/// hand, and what it did can be looked at.
///
/// A unit is a value. [`on`](Self::on) runs a hook on a copy of it and gives all that there is to know: what ran and what did
/// not and why, who changed which flag, the hook commands, and the unit afterwards. The unit itself stays what it was, so a test
/// can try one state with several hooks, and a hook with several states. Assertions are sentences, and one that fails prints
/// the whole story.
///
/// ```
/// use zkpeer_core::testing::Unit;
/// use zkpeer_core::{Flags, Result, Status, handlers, when, when_not};
///
/// #[when_not("hello.installed")]
/// fn install(flags: Flags) {
///     flags.set("hello.installed");
/// }
///
/// #[when("hello.installed", "leadership.is_leader")]
/// fn lead(status: Status) -> Result {
///     status.active("I lead")?;
///     Ok(())
/// }
///
/// let mut unit = Unit::new(handlers![install, lead]);
/// unit.on("install").assert_ran(["install"]).assert_flag("hello.installed").assert_did_not_run("lead");
/// assert!(unit.on("install").why_not("lead").unwrap().contains("`leadership.is_leader` is not set"));
///
/// unit.set_leader(true);
/// let installed = unit.after("install");
/// installed.on("leader-elected").assert_ran(["lead"]).assert_status("active", "I lead");
/// ```
///
/// For a life of many hooks there is also [`run`](Self::run), which changes the unit and copies nothing. Both are the same
/// hook: a second form is here because a copy, a record of each step, and two states to compare cost more than the hook does.
///
/// # What cannot be
///
/// A state or an event that Juju could not produce is refused, and the message says why: a unit that is its own peer, a
/// `-changed` of a unit that never joined, an option that is not in `config.yaml`, `leader-elected` on a unit that does not lead.
/// What has happened before a test begins, and between two hooks of it, is not asked: the test says what it has come to. In
/// which order Juju runs hooks [`UnitAgent`](super::UnitAgent) and [`Model`](super::Model) know.
pub struct Unit {
    charm: Rc<Charm>,
    /// The charm's handlers, fitted when they are first needed.
    registry: Option<Rc<Registry>>,
    store: Store,
    controller: Controller,
    agent: Agent,
    name: UnitName,
    /// Whether all files of the charm are known, and not its metadata at most.
    whole: bool,
    files: Rc<Files>,
    /// What the unit has outside Juju, if the test has something in its place.
    outside: Option<Outside>,
    failing: BTreeMap<String, String>,
    commands: Vec<CommandRun>,
    leaving: bool,
    /// Who has been said to come or go since the last hook: what comes next may be the hook that is about it.
    news: BTreeSet<(u32, UnitName)>,
    /// The hook that has failed, and that Juju runs again.
    failed: Option<Hook>,
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Unit").field("name", &self.name).field("flags", &self.flags()).finish_non_exhaustive()
    }
}

/// Another unit in the same state, with copies of its files and of its [fakes](Unit::fake). Other
/// [resources](crate::Resource) are the same values.
impl Clone for Unit {
    fn clone(&self) -> Self {
        Self {
            charm: Rc::clone(&self.charm),
            registry: self.registry.clone(),
            store: self.store.copy(),
            controller: self.controller.clone(),
            agent: self.agent.clone(),
            name: self.name.clone(),
            whole: self.whole,
            files: Rc::new(Files::clone(&self.files)),
            outside: self.outside.clone(),
            failing: self.failing.clone(),
            commands: self.commands.clone(),
            leaving: self.leaving,
            news: self.news.clone(),
            failed: self.failed.clone(),
        }
    }
}

/// What a test has put in the place of resources.
struct Outside {
    make: MakeFakes,
    fakes: Fakes,
}

impl Outside {
    fn new(make: MakeFakes, unit: &UnitName) -> Self {
        Self { fakes: make.of(unit), make }
    }
}

/// The same at this moment, and from then on another one.
impl Clone for Outside {
    fn clone(&self) -> Self {
        let copy = Self::new(self.make.clone(), self.fakes.unit());
        copy.fakes.load(&self.fakes.save());
        copy
    }
}

/// The application of a charm without metadata.
const APPLICATION: &str = "app";

/// What is said of a state or an event that Juju could not produce.
const IMPOSSIBLE: &str = "Juju could not do this";

/// A failure of the test's own doing.
#[track_caller]
fn bad(what: &str, error: &dyn fmt::Display) -> ! {
    panic!("{what}: {error}")
}

/// What cannot be fails at the test's own line; in a closure that place would be lost.
trait OrBad<T> {
    fn or_bad(self, what: &str) -> T;
}

impl<T, E: fmt::Display> OrBad<T> for Result<T, E> {
    #[track_caller]
    fn or_bad(self, what: &str) -> T {
        match self {
            Ok(value) => value,
            Err(error) => bad(what, &error),
        }
    }
}

impl Unit {
    /// Unit `app/0` of a charm with these handlers, as listed by [`handlers!`](crate::handlers).
    #[must_use]
    pub fn new(handlers: &[&'static HandlerDef]) -> Self {
        Self::of(Charm::new().handlers(handlers))
    }

    /// Unit `app/0` of a charm.
    #[must_use]
    pub fn of(charm: Charm) -> Self {
        let name = unit_name(&format!("{APPLICATION}/0"));
        let mut controller = Controller::new(JujuVersion::default());
        controller.add_unit(&name, Some("10.0.0.1".to_owned()));
        let metadata = Metadata { name: APPLICATION.to_owned(), ..Metadata::default() };
        controller.application(APPLICATION).charm = Rc::new(CharmFiles::of(metadata));
        Self {
            charm: Rc::new(charm),
            registry: None,
            store: Store::in_memory(),
            controller,
            agent: Agent::new(name.clone(), 0, Rc::default()),
            name,
            whole: false,
            files: Rc::default(),
            outside: None,
            failing: BTreeMap::new(),
            commands: Vec::new(),
            leaving: false,
            news: BTreeSet::new(),
            failed: None,
        }
    }

    /// With the files of a charm's directory: `metadata.yaml`, `config.yaml` with its defaults, `actions.yaml`, `layer.yaml`.
    /// They are read as strictly as Juju reads them. `env!("CARGO_MANIFEST_DIR")` is the directory of the charm whose test this
    /// is.
    ///
    /// The unit is unit 0 of an application with the charm's name.
    ///
    /// # Panics
    ///
    /// If one of the files is malformed, or there is no `metadata.yaml`.
    #[track_caller]
    #[must_use]
    pub fn charm(mut self, directory: impl AsRef<Path>) -> Self {
        match CharmFiles::read(directory.as_ref()) {
            Ok(files) => self.know(files),
            Err(error) => bad("charm", &error),
        }
        self.whole = true;
        let layers = directory.as_ref().join(layers::FILE);
        if layers.exists() {
            let copied = std::fs::copy(layers, self.files.path().join(layers::FILE));
            copied.or_bad(layers::FILE);
        }
        self
    }

    /// With the text of its `metadata.yaml`, of which only the name and the endpoints are looked at.
    ///
    /// The unit is unit 0 of an application with the charm's name.
    ///
    /// # Panics
    ///
    /// If it is malformed.
    #[track_caller]
    #[must_use]
    pub fn metadata(mut self, yaml: &str) -> Self {
        let metadata = Metadata::parse(yaml, Path::new("metadata.yaml"));
        self.know(CharmFiles::of(metadata.or_bad("metadata")));
        self
    }

    /// Charm and hook commands know the same files.
    #[track_caller]
    fn know(&mut self, files: CharmFiles) {
        let name = format!("{}/0", files.name());
        self.rename(unit_name(&name));
        let own = self.controller.application(self.name.application());
        let mut files = files;
        // What has been set before there were files has no type.
        for (option, known) in &own.charm.options {
            files.options.entry(option.clone()).or_insert_with(|| known.clone());
        }
        own.charm = Rc::new(files);
        self.registry = None;
    }

    /// The unit is of that name, `zk/3`, and of that application.
    ///
    /// # Panics
    ///
    /// If it is no name, or the unit is in a relation already.
    #[track_caller]
    #[must_use]
    pub fn named(mut self, unit: &str) -> Self {
        self.rename(unit_name(unit));
        self
    }

    /// It is as if it had been called so from the beginning.
    #[track_caller]
    fn rename(&mut self, name: UnitName) {
        if name == self.name {
            return;
        }
        if !self.agent.relations.is_empty() {
            bad("unit", &"it is in a relation already; say who it is first, with `named`, `charm` or `metadata`");
        }
        let controller = &mut self.controller;
        let leads = controller.is_leader(&self.name);
        let address = controller.units.get(&self.name).and_then(|unit| unit.address.clone());
        controller.forget_unit(&self.name);
        if let Some(application) = controller.applications.remove(self.name.application()) {
            controller.applications.insert(name.application().to_owned(), application);
        }
        controller.add_unit(&name, address);
        controller.application(name.application()).leader = leads.then(|| name.clone());
        self.agent.name = name.clone();
        self.outside = self.outside.take().map(|outside| Outside::new(outside.make, &name));
        self.name = name;
    }

    /// With something in the place of resources that is data, and is copied with the unit: `fake(|fakes| ..)` as
    /// [`Application::fake`](super::Application::fake) has it. [`faked`](Self::faked) shows it. What is given in several calls is all
    /// there.
    ///
    /// ```
    /// use zkpeer_core::testing::{Fake, Unit};
    /// use zkpeer_core::{Resource, handlers, when_not};
    ///
    /// struct Disk(Fake<Vec<String>>);
    ///
    /// #[when_not("written")]
    /// fn write(disk: Resource<Disk>) {
    ///     disk.0.change(|files| files.push("settings".to_owned()));
    /// }
    ///
    /// let unit = Unit::new(handlers![write]).fake(|fakes| {
    ///     let files = fakes.state(Vec::new());
    ///     fakes.resource(Disk(files));
    /// });
    /// let installed = unit.after("install");
    /// assert_eq!(installed.faked::<Vec<String>>(), Some(vec!["settings".to_owned()]));
    /// assert_eq!(unit.faked::<Vec<String>>(), Some(Vec::new()));
    /// ```
    #[must_use]
    pub fn fake(mut self, make: impl Fn(&mut Fakes) + 'static) -> Self {
        let before = self.outside.take().map(|outside| outside.make);
        self.outside = Some(Outside::new(MakeFakes::after(before, make), &self.name));
        self.registry = None;
        self
    }

    /// The version of Juju.
    ///
    /// # Panics
    ///
    /// If it is none, or one that is not simulated.
    #[track_caller]
    #[must_use]
    pub fn juju(mut self, version: &str) -> Self {
        self.controller.juju = version.parse().or_bad("version");
        self.registry = None;
        self
    }

    /// What the charm says of itself.
    fn charm_files(&self) -> Rc<CharmFiles> {
        let application = self.controller.applications.get(self.name.application());
        application.map(|application| Rc::clone(&application.charm)).unwrap_or_default()
    }
}

#[track_caller]
fn relation_id(id: &str) -> RelationId {
    id.parse().or_bad("relation")
}

#[track_caller]
fn unit_name(name: &str) -> UnitName {
    name.parse().or_bad("unit")
}
