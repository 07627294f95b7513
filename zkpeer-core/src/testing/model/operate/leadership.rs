//! Who leads an application.

use crate::juju::UnitName;
use crate::testing::error::Error;
use crate::testing::model::Model;

impl Model {
    /// This unit is leader from now on.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn set_leader(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        let application = self.controller.application(unit.application());
        application.no_elections = false;
        application.leader = Some(unit);
        self.look_around();
        Ok(())
    }

    /// Nobody leads the application, and nobody becomes leader before [`set_leader`](Self::set_leader) or
    /// [`elect`](Self::elect).
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub fn remove_leader(&mut self, application: &str) -> Result<(), Error> {
        self.deployed(application)?;
        let application = self.controller.application(application);
        application.no_elections = true;
        application.leader = None;
        self.look_around();
        Ok(())
    }

    /// Some unit may become leader again, if there is none.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub fn elect(&mut self, application: &str) -> Result<(), Error> {
        self.deployed(application)?;
        self.controller.application(application).no_elections = false;
        Ok(())
    }

    /// The unit leads no longer; the first of the others does, if there is one.
    pub(crate) fn pass_leadership_on(&mut self, unit: &UnitName) {
        let app = unit.application();
        let mut others = self.controller.units.keys().filter(|other| other.application() == app && *other != unit);
        let next = others.next().cloned();
        let application = self.controller.application(app);
        if application.leader.as_ref() == Some(unit) {
            application.leader = next;
        }
    }
}
