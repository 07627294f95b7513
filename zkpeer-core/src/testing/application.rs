//! An application as it is deployed: a charm, what runs for its hooks, how many units, and their configuration.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use super::fake::{Fakes, MakeFakes};
use super::in_process::HookContext;
use super::machine::Program;
use super::value::Value;
use crate::charm::Charm;

/// An application to deploy with [`Model::deploy`](super::Model::deploy).
///
/// ```no_run
/// use zkpeer_core::testing::{Application, Model};
///
/// let mut model = Model::new();
/// model.deploy(Application::new("examples/hello").program("target/debug/hello").units(3))?;
/// model.settle()?;
/// # Ok::<(), zkpeer_core::testing::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Application {
    pub(super) charm: PathBuf,
    pub(super) name: Option<String>,
    pub(super) path: Option<PathBuf>,
    pub(super) program: Program,
    pub(super) units: u64,
    pub(super) config: Vec<(String, Value)>,
    pub(super) trust: bool,
    pub(super) resources: BTreeMap<String, PathBuf>,
    pub(super) fakes: Option<MakeFakes>,
}

impl Application {
    /// One unit of the charm in this directory, which has a `metadata.yaml`, with its own `dispatch` or `hooks`. The directory
    /// is copied for each unit; nothing is written to it.
    #[must_use]
    pub fn new(charm: impl Into<PathBuf>) -> Self {
        Self {
            charm: charm.into(),
            name: None,
            path: None,
            program: Program::Files,
            units: 1,
            config: Vec::new(),
            trust: false,
            resources: BTreeMap::new(),
            fakes: None,
        }
    }

    /// The application's name; otherwise the charm's.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The program that is the charm's `dispatch`.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.path = Some(program.into());
        self.program = Program::Files;
        self
    }

    /// Handlers that run in this process, in microseconds; each unit has a store of its own, in memory.
    #[must_use]
    pub fn in_process(mut self, charm: Charm) -> Self {
        self.program = Program::Handlers(Rc::new(charm));
        self
    }

    /// What the handlers of each unit find in the place of what they do outside Juju: called once for each unit. What is given in
    /// several calls is all there.
    ///
    /// ```
    /// use zkpeer_core::testing::{Application, Fake};
    /// use zkpeer_core::{Resource, when_not};
    ///
    /// /// What the charm restarts: in production a service, in tests a number.
    /// struct Service(Box<dyn Fn()>);
    ///
    /// #[when_not("restarted")]
    /// fn restart(service: Resource<Service>) {
    ///     (service.0)();
    /// }
    ///
    /// let application = Application::new(".").in_process(zkpeer_core::Charm::new()).fake(|fakes| {
    ///     let restarts: Fake<u32> = fakes.state(0);
    ///     fakes.resource(Service(Box::new(move || restarts.change(|restarts| *restarts += 1))));
    /// });
    /// # let _ = application;
    /// ```
    #[must_use]
    pub fn fake(mut self, make: impl Fn(&mut Fakes) + 'static) -> Self {
        self.fakes = Some(MakeFakes::after(self.fakes.take(), make));
        self
    }

    /// A function in this process that is run for each hook of each unit, and whose result is the exit code.
    #[must_use]
    pub fn function(mut self, function: impl FnMut(&mut HookContext<'_>) -> i32 + 'static) -> Self {
        self.program = Program::Function(Rc::new(RefCell::new(function)));
        self
    }

    /// How many units; otherwise one.
    #[must_use]
    pub fn units(mut self, units: u64) -> Self {
        self.units = units;
        self
    }

    /// A value of the configuration. Text is read according to the option's type.
    #[must_use]
    pub fn config(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.config.push((option.to_owned(), value.into()));
        self
    }

    /// Whether the charm may see the cloud's credentials; otherwise it may not.
    #[must_use]
    pub fn trust(mut self, trust: bool) -> Self {
        self.trust = trust;
        self
    }

    /// The file of a resource.
    #[must_use]
    pub fn resource(mut self, name: &str, file: impl Into<PathBuf>) -> Self {
        self.resources.insert(name.to_owned(), file.into());
        self
    }
}
