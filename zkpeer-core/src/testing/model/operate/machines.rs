//! What befalls a unit's machine and its agent: storage, addresses, restarts, series upgrades.

use std::rc::Rc;

use crate::juju::UnitName;
use crate::testing::charm::StorageSpec;
use crate::testing::controller::SeriesUpgrade;
use crate::testing::controller::storage::Instance;
use crate::testing::error::Error;
use crate::testing::model::Model;
use crate::testing::outcome::Outcome;

impl Model {
    /// Puts the unit on the machine of another: their hooks exclude each other.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn place(&mut self, unit: &str, beside: &str) -> Result<(), Error> {
        let (unit, beside) = (self.unit_name(unit)?, self.unit_name(beside)?);
        let machine = self.controller.units.get(&beside).map(|unit| unit.machine);
        if let (Some(unit), Some(machine)) = (self.controller.units.get_mut(&unit), machine) {
            unit.machine = machine;
        }
        Ok(())
    }

    /// The machine restarts: `start` is due again, if it has run.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn reboot(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        if let Some(agent) = self.agents.get_mut(&unit) {
            agent.rebooted = agent.started;
        }
        Ok(())
    }

    /// The unit's agent restarts. Relations that it is in count as created, and it no longer knows which are peer relations
    /// (contract 4.4, 5.3); a hook that runs has failed (contract 2.3).
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn restart_agent(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        if let Some(running) = self.running.get_mut(&unit) {
            Rc::make_mut(running).result.outcome = Outcome::Failed("the agent restarted while it ran".to_owned());
            self.end(&unit)?;
        }
        if let Some(agent) = self.agents.get_mut(&unit) {
            agent.restart();
        }
        self.look_around();
        Ok(())
    }

    /// The timer of `update-status` fires.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn update_status(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        if let Some(agent) = self.agents.get_mut(&unit) {
            agent.update_status = Some(self.controller.now);
        }
        Ok(())
    }

    /// `juju add-storage`: one more instance of the charm's storage for the unit; returns its id.
    ///
    /// # Errors
    ///
    /// If there is no such unit or storage, or the unit has as many as it may.
    pub fn add_storage(&mut self, unit: &str, name: &str) -> Result<String, Error> {
        let unit = self.unit_name(unit)?;
        let spec = self.storage_to_add(&unit, name)?.clone();
        Ok(self.controller.storage.add(&unit, name, &spec))
    }

    /// What one more instance of this storage is to be, if the unit may have it.
    pub(super) fn storage_to_add(&self, unit: &UnitName, name: &str) -> Result<&StorageSpec, Error> {
        let files = &self.deployed(unit.application())?.files;
        let Some(spec) = files.storage.get(name) else {
            let known: Vec<&str> = files.storage.keys().map(String::as_str).collect();
            return Error::impossible(format!(
                "storage `{name}` is not in metadata.yaml; it has: {}",
                known.join(", ")
            ));
        };
        let has = self.controller.storage.count(unit, name);
        if spec.maximum.is_some_and(|most| has >= most as usize) {
            return Error::impossible(format!("{unit} has {has} of storage `{name}`, and may have no more"));
        }
        Ok(spec)
    }

    /// `juju detach-storage`: the instance leaves its unit, after a hook if it had been attached.
    ///
    /// # Errors
    ///
    /// If there is no such instance.
    pub fn detach_storage(&mut self, id: &str) -> Result<(), Error> {
        self.storage(id)?.dying = true;
        Ok(())
    }

    /// Whether the cloud has made the instance; until then `install` waits for it (contract 3.1).
    ///
    /// # Errors
    ///
    /// If there is no such instance.
    pub fn set_storage_ready(&mut self, id: &str, ready: bool) -> Result<(), Error> {
        self.storage(id)?.provisioned = ready;
        Ok(())
    }

    fn storage(&mut self, id: &str) -> Result<&mut Instance, Error> {
        let none = || Error::Impossible(format!("there is no storage `{id}`; its id looks like `data/0`"));
        self.controller.storage.get_mut(id).ok_or_else(none)
    }

    /// The series of the unit's machine is going to be upgraded: `pre-series-upgrade`, then nothing (contract 3.2, row 1).
    ///
    /// # Errors
    ///
    /// If there is no such unit, or Juju is 4 or later.
    pub fn prepare_series_upgrade(&mut self, unit: &str) -> Result<(), Error> {
        self.set_series_upgrade(unit, SeriesUpgrade::Preparing)
    }

    /// The series of the unit's machine has been upgraded: `post-series-upgrade`, then the rest.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or Juju is 4 or later.
    pub fn complete_series_upgrade(&mut self, unit: &str) -> Result<(), Error> {
        self.set_series_upgrade(unit, SeriesUpgrade::Completing)
    }

    fn set_series_upgrade(&mut self, unit: &str, to: SeriesUpgrade) -> Result<(), Error> {
        if self.controller.juju.is_four() {
            return Error::impossible("Juju 4 has no series upgrade");
        }
        let unit = self.unit_name(unit)?;
        match self.controller.units.get_mut(&unit) {
            Some(found) if found.series_upgrade.is_some() || to == SeriesUpgrade::Preparing => {
                found.series_upgrade = Some(to);
                Ok(())
            }
            _ => Error::impossible(format!("no series upgrade of {unit} has been prepared")),
        }
    }

    /// The unit's address changes; `config-changed` is due.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn set_address(&mut self, unit: &str, address: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        if let Some(unit) = self.controller.units.get_mut(&unit) {
            unit.address = Some(address.to_owned());
        }
        Ok(())
    }

    /// The unit's address is not known for a time; `config-changed` is due.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn remove_address(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        if let Some(unit) = self.controller.units.get_mut(&unit) {
            unit.address = None;
        }
        Ok(())
    }
}
