//! What can be seen of the unit and its model from outside.

use std::path::{Path, PathBuf};

use super::UnitAgent;
use crate::juju::{RelationId, UnitName};
use crate::testing::controller::{Entries, Status};
use crate::testing::hook::Hook;

impl UnitAgent {
    /// The unit's name.
    #[must_use]
    pub fn name(&self) -> &UnitName {
        &self.name
    }

    /// The status that `juju status` shows: `error` while a failed hook waits, otherwise the charm's.
    #[must_use]
    pub fn status(&self) -> Status {
        match self.failed() {
            Some(hook) => Status::new("error", &format!("hook failed: \"{}\"", hook.name())),
            None => self.model.controller.units.get(&self.name).map(|unit| unit.status.clone()).unwrap_or_default(),
        }
    }

    /// The application's status, if the leader has set one.
    #[must_use]
    pub fn app_status(&self) -> Option<Status> {
        self.model.controller.applications.get(self.name.application())?.status.clone()
    }

    /// The hook that has failed and waits to be retried.
    #[must_use]
    pub fn failed(&self) -> Option<&Hook> {
        self.model.failed(self.name.as_str())
    }

    /// Whether the unit is leader.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.model.controller.is_leader(&self.name)
    }

    /// Whether the unit has run its last hook.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.model.is_gone(self.name.as_str())
    }

    /// A unit's bag in the relation of an endpoint, as the model has it; empty if there is none.
    #[must_use]
    pub fn relation_data(&self, endpoint: &str, unit: &str) -> Entries {
        let bag = unit.parse().ok().and_then(|name| {
            let number = self.relation_with(endpoint, &name).ok()?;
            self.model.controller.relations.get(&number)?.units.get(&name)
        });
        bag.map(|bag| bag.entries.clone()).unwrap_or_default()
    }

    /// An application's bag in the relation of an endpoint, as the model has it; empty if there is none.
    #[must_use]
    pub fn app_data(&self, endpoint: &str, app: &str) -> Entries {
        let relations = self.relations_of(endpoint);
        let bag = relations.iter().find_map(|number| self.model.controller.relations.get(number)?.apps.get(app));
        bag.map(|bag| bag.entries.clone()).unwrap_or_default()
    }

    /// The relations of this unit's application, in order.
    #[must_use]
    pub fn relations(&self) -> Vec<RelationId> {
        let own = self.name.application();
        self.model
            .controller
            .relations_of(own)
            .into_iter()
            .filter_map(|number| self.model.controller.relation_id(number, own))
            .collect()
    }

    /// The members of an endpoint's relations, as this unit knows them.
    #[must_use]
    pub fn members(&self, endpoint: &str) -> Vec<UnitName> {
        self.model.members(self.name.as_str(), endpoint)
    }

    /// The leader settings.
    #[must_use]
    pub fn leader_settings(&self) -> Entries {
        let application = self.model.controller.applications.get(self.name.application());
        application.map(|application| application.leader_settings.entries.clone()).unwrap_or_default()
    }

    /// What the unit keeps with `state-set`.
    #[must_use]
    pub fn charm_state(&self) -> Entries {
        self.model.controller.units.get(&self.name).map(|unit| unit.charm_state.clone()).unwrap_or_default()
    }

    /// The open ports, as `opened-ports` shows them.
    #[must_use]
    pub fn ports(&self) -> Vec<String> {
        let unit = self.model.controller.units.get(&self.name);
        unit.map(|unit| unit.ports.keys().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// What `application-version-set` has set.
    #[must_use]
    pub fn workload_version(&self) -> &str {
        self.model
            .controller
            .applications
            .get(self.name.application())
            .map_or("", |application| &application.workload_version)
    }

    /// The directory in which the charm runs.
    #[must_use]
    pub fn charm_dir(&self) -> &Path {
        self.model.charm_dir(self.name.as_str()).unwrap_or(Path::new(""))
    }

    /// The peer endpoints of the charm.
    pub fn peer_endpoints(&self) -> impl Iterator<Item = &str> {
        self.model.peer_endpoints(self.name.application()).into_iter()
    }

    /// The actions of the charm, each with whether it can be run without parameters.
    pub fn actions(&self) -> impl Iterator<Item = (&str, bool)> {
        self.model.actions(self.name.application()).into_iter()
    }

    /// Ends the agent and keeps its directories; returns the charm's.
    #[must_use]
    pub fn keep(self) -> PathBuf {
        let charm = self.charm_dir().to_owned();
        let _ = self.model.keep();
        charm
    }
}
