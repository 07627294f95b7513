//! How a simulated unit is made: what it is to be like.

use std::path::PathBuf;
use std::time::Duration;

use super::application::Application;
use super::charm::CharmFiles;
use super::environment;
use super::error::Error;
use super::model::Model;
use super::names::JujuVersion;
use super::unit_agent::UnitAgent;
use super::value::Value;
use crate::juju::UnitName;

/// What a [`UnitAgent`] is to be like.
#[derive(Clone, Debug)]
pub struct Builder {
    application: Application,
    unit: Option<String>,
    juju: String,
    leader: bool,
    limit: Duration,
    path: String,
    seed: Option<u64>,
    address: Option<String>,
}

impl Builder {
    pub(super) fn new(charm: PathBuf) -> Self {
        Self {
            application: Application::new(charm).units(0),
            unit: None,
            juju: JujuVersion::default().to_string(),
            leader: false,
            limit: Duration::from_secs(60),
            path: environment::PATH.to_owned(),
            seed: None,
            address: None,
        }
    }

    /// The program that is the charm's `dispatch`; without it the charm directory has its own `dispatch` or `hooks`.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.application = self.application.program(program);
        self
    }

    /// The unit's name; otherwise the charm's name with `/0`.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// The version of Juju, 2.9 to 4.0; otherwise 3.6.25.
    #[must_use]
    pub fn juju(mut self, version: &str) -> Self {
        version.clone_into(&mut self.juju);
        self
    }

    /// Whether the unit is its application's leader from the beginning; otherwise it is not.
    #[must_use]
    pub fn leader(mut self, leader: bool) -> Self {
        self.leader = leader;
        self
    }

    /// A value of the configuration, set at deployment.
    #[must_use]
    pub fn config(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.application = self.application.config(option, value);
        self
    }

    /// How long a hook may take before it is killed and counts as failed; otherwise 60 seconds.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What follows the hook commands on `PATH`; otherwise the directories that a machine's agent has.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Makes the choices that Juju leaves to chance (the order among relations) depend on this number.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The unit's address; otherwise one in 10.0.0.0/24.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// Copies the charm into a directory of its own and makes everything ready for the first hook.
    ///
    /// # Errors
    ///
    /// If the directory is no charm, a name or a value is not one that Juju takes, or a file cannot be written.
    pub fn build(self) -> Result<UnitAgent, Error> {
        let mut model = Model::juju(&self.juju)?;
        if let Some(seed) = self.seed {
            model.seed(seed);
        }
        model.set_limit(self.limit);
        model.set_path(&self.path);
        // Failed hooks wait for the test, and leadership, too.
        model.set_automatic_retries(false);
        let unit = match self.unit {
            Some(unit) => unit.parse()?,
            None => format!("{}/0", CharmFiles::read(&self.application.charm)?.name()).parse::<UnitName>()?,
        };
        model.deploy(self.application.named(unit.application()))?;
        model.add_named_unit(&unit, self.address)?;
        model.remove_leader(unit.application())?;
        if self.leader {
            model.set_leader(unit.as_str())?;
            model.controller.application(unit.application()).no_elections = true;
        }
        Ok(UnitAgent::new(model, unit))
    }
}
