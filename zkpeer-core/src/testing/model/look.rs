//! What can be seen of the model from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::Model;
use crate::context::FLAG_PREFIX;
use crate::juju::{RelationId, UnitName};
use crate::store::{self, Store};
use crate::testing::check;
use crate::testing::controller::{Entries, Status};
use crate::testing::error::Error;
use crate::testing::hook::Hook;
use crate::testing::outcome::ActionReport;
use crate::testing::programs::Lines;

impl Model {
    /// The time that has passed since the model began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.controller.now
    }

    /// The units there are, in the order of their names as text.
    #[must_use]
    pub fn units(&self) -> Vec<UnitName> {
        self.controller.units.keys().cloned().collect()
    }

    /// The applications there are.
    #[must_use]
    pub fn applications(&self) -> Vec<&str> {
        self.controller.applications.keys().map(String::as_str).collect()
    }

    /// Checks that Juju could be in this state; whatever operators and charms do, it is.
    ///
    /// # Errors
    ///
    /// What cannot be, and why.
    pub fn check(&self) -> Result<(), Error> {
        for (unit, other) in self.running.keys().flat_map(|unit| self.running.keys().map(move |other| (unit, other))) {
            let machine = |unit: &UnitName| self.controller.units.get(unit).map(|unit| unit.machine);
            if unit < other && machine(unit).is_some() && machine(unit) == machine(other) {
                return Error::impossible(format!("hooks of {unit} and {other} run on one machine at the same time"));
            }
        }
        check::state(&self.controller, &self.agents).map_err(Error::Impossible)
    }

    /// The peer endpoints of an application's charm.
    #[must_use]
    pub fn peer_endpoints(&self, application: &str) -> Vec<&str> {
        self.charms.get(application).map(|deployed| deployed.files.peers().collect()).unwrap_or_default()
    }

    /// The actions of an application's charm, each with whether it can be run without parameters.
    #[must_use]
    pub fn actions(&self, application: &str) -> Vec<(&str, bool)> {
        let four = self.controller.juju.is_four();
        let actions = self.charms.get(application).into_iter().flat_map(|deployed| &deployed.files.actions);
        actions.map(|(name, schema)| (name.as_str(), schema.complete(BTreeMap::new(), four).is_ok())).collect()
    }

    /// The status that `juju status` shows of a unit: `error` while a failed hook waits, otherwise the charm's.
    #[must_use]
    pub fn status(&self, unit: &str) -> Status {
        match (self.failed(unit), parse(unit).and_then(|unit| self.controller.units.get(&unit))) {
            (Some(hook), _) => Status::new("error", &format!("hook failed: \"{}\"", hook.name())),
            (None, Some(unit)) => unit.status.clone(),
            (None, None) => Status::default(),
        }
    }

    /// The application's status, if its leader has set one.
    #[must_use]
    pub fn app_status(&self, application: &str) -> Option<Status> {
        self.controller.applications.get(application)?.status.clone()
    }

    /// The hook that has failed on the unit and waits to be retried.
    #[must_use]
    pub fn failed(&self, unit: &str) -> Option<&Hook> {
        let agent = self.agents.get(&parse(unit)?)?;
        agent.pending.as_ref().filter(|pending| pending.failed).map(|pending| &pending.hook)
    }

    /// The hook of the unit that runs now.
    #[must_use]
    pub fn running(&self, unit: &str) -> Option<&Hook> {
        self.running.get(&parse(unit)?).map(|running| &running.result.hook)
    }

    /// The application's leader.
    #[must_use]
    pub fn leader(&self, application: &str) -> Option<&UnitName> {
        self.controller.applications.get(application)?.leader.as_ref()
    }

    /// Whether the unit has run its last hook, or was never there.
    #[must_use]
    pub fn is_gone(&self, unit: &str) -> bool {
        parse(unit).is_none_or(|unit| !self.controller.units.contains_key(&unit))
    }

    /// The members of an endpoint's relations, as the unit knows them.
    #[must_use]
    pub fn members(&self, unit: &str, endpoint: &str) -> Vec<UnitName> {
        let agent = parse(unit).and_then(|unit| self.agents.get(&unit));
        let relations = agent.iter().flat_map(|agent| agent.relations.values());
        let own = relations.filter(|relation| relation.id.endpoint == endpoint && !relation.broken);
        own.flat_map(|relation| relation.members.keys().cloned()).collect()
    }

    /// The relations of an application, as its units name them.
    #[must_use]
    pub fn relations(&self, application: &str) -> Vec<RelationId> {
        let numbers = self.controller.relations_of(application);
        numbers.into_iter().filter_map(|number| self.controller.relation_id(number, application)).collect()
    }

    /// A unit's bag in a relation, as the controller has it; empty if there is none.
    #[must_use]
    pub fn unit_data(&self, relation: u32, unit: &str) -> Entries {
        let relation = self.controller.relations.get(&relation);
        let bag = parse(unit).and_then(|unit| relation?.units.get(&unit));
        bag.map(|bag| bag.entries.clone()).unwrap_or_default()
    }

    /// An application's bag in a relation, as the controller has it; empty if there is none.
    #[must_use]
    pub fn app_data(&self, relation: u32, application: &str) -> Entries {
        let bag = self.controller.relations.get(&relation).and_then(|relation| relation.apps.get(application));
        bag.map(|bag| bag.entries.clone()).unwrap_or_default()
    }

    /// The leader settings of an application.
    #[must_use]
    pub fn leader_settings(&self, application: &str) -> Entries {
        let application = self.controller.applications.get(application);
        application.map(|application| application.leader_settings.entries.clone()).unwrap_or_default()
    }

    /// What the unit keeps with `state-set`.
    #[must_use]
    pub fn charm_state(&self, unit: &str) -> Entries {
        let unit = parse(unit).and_then(|unit| self.controller.units.get(&unit));
        unit.map(|unit| unit.charm_state.clone()).unwrap_or_default()
    }

    /// The unit's open ports, as `opened-ports` shows them.
    #[must_use]
    pub fn ports(&self, unit: &str) -> Vec<String> {
        let unit = parse(unit).and_then(|unit| self.controller.units.get(&unit));
        unit.map(|unit| unit.ports.keys().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// What `application-version-set` has set.
    #[must_use]
    pub fn workload_version(&self, application: &str) -> &str {
        self.controller.applications.get(application).map_or("", |application| &application.workload_version)
    }

    /// The report of an action that has run, by its number.
    #[must_use]
    pub fn action(&self, id: u64) -> Option<&ActionReport> {
        self.finished.get(&id).map(|report| &**report)
    }

    /// The directory in which the unit's charm runs; it stays when the unit goes.
    #[must_use]
    pub fn charm_dir(&self, unit: &str) -> Option<&Path> {
        Some(self.machines.get(&parse(unit)?)?.charm_dir())
    }

    /// The flags that are set on a unit: what its handlers in this process have stored, or its program in the file of charmhelpers,
    /// as charms on `zkpeer` and on charms.reactive do; none of any other charm.
    #[must_use]
    pub fn flags(&self, unit: &str) -> Vec<String> {
        self.with_store(unit, flags_in)
    }

    /// Everything that a unit has stored there, as JSON.
    #[must_use]
    pub fn stored(&self, unit: &str) -> BTreeMap<String, String> {
        self.with_store(unit, |store| store.range("").map(|(key, text)| (key.to_owned(), text.to_owned())).collect())
    }

    fn with_store<T: Default>(&self, unit: &str, look: impl Fn(&Store) -> T) -> T {
        let machine = parse(unit).and_then(|unit| self.machines.get(&unit));
        machine.map_or_else(T::default, |machine| match machine.memory().store() {
            Some(store) => look(store),
            None => stored(machine.charm_dir()).map_or_else(T::default, |store| look(&store)),
        })
    }

    /// What is in the unit's [`Fake`](crate::testing::Fake) of this type now; none if it has none. It stays when the unit goes.
    #[must_use]
    pub fn fake<S: Clone + 'static>(&self, unit: &str) -> Option<S> {
        self.machines.get(&parse(unit)?)?.world().get()
    }

    /// The lines of the programs that the unit's handlers have run, if [`Programs`](crate::testing::Programs) answer for them.
    #[must_use]
    pub fn programs(&self, unit: &str) -> Vec<String> {
        self.fake::<Lines>(unit).unwrap_or_default().0
    }

    /// The directory that the unit's handlers take for `/` where they ask for [`Root`](crate::Root).
    #[must_use]
    pub fn root_dir(&self, unit: &str) -> Option<PathBuf> {
        Some(self.machines.get(&parse(unit)?)?.directory.root())
    }

    /// Ends the model and keeps its directories; returns the one in which they are.
    #[must_use]
    pub fn keep(mut self) -> Option<PathBuf> {
        self.root.take().and_then(Rc::into_inner).map(crate::testing::directory::Root::keep)
    }
}

/// The file in which a charm's program keeps its state, if it has one that can be read.
fn stored(charm_dir: &Path) -> Option<Store> {
    let path = charm_dir.join(store::FILE);
    path.exists().then(|| Store::open(path, &store::Options::default().read_only()).ok()).flatten()
}

fn flags_in(store: &Store) -> Vec<String> {
    store.range(FLAG_PREFIX).map(|(key, _)| key[FLAG_PREFIX.len()..].to_owned()).collect()
}

fn parse(unit: &str) -> Option<UnitName> {
    unit.parse().ok()
}
