//! What can be seen of the model from outside.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::Model;
use crate::context::FLAG_PREFIX;
use crate::juju::{NameError, RelationId, UnitName};
use crate::store::{self, Store};
use crate::testing::check;
use crate::testing::controller::{Entries, Status};
use crate::testing::error::Error;
use crate::testing::hook::Hook;
use crate::testing::outcome::ActionReport;
use crate::testing::programs::Lines;
use crate::testing::story::nearest;

/// What is asked for by name is there, or was. What never was has no flags and no status, and nobody would notice that a test has
/// asked for another name than it meant: that panics.
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
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn peer_endpoints(&self, application: &str) -> Vec<&str> {
        self.asked_of(application);
        self.charms.get(application).map(|deployed| deployed.files.peers().collect()).unwrap_or_default()
    }

    /// The actions of an application's charm, each with whether it can be run without parameters.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn actions(&self, application: &str) -> Vec<(&str, bool)> {
        self.asked_of(application);
        let four = self.controller.juju.is_four();
        let actions = self.charms.get(application).into_iter().flat_map(|deployed| &deployed.files.actions);
        actions.map(|(name, schema)| (name.as_str(), schema.complete(BTreeMap::new(), four).is_ok())).collect()
    }

    /// The status that `juju status` shows of a unit: `error` while a failed hook waits, otherwise the charm's.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn status(&self, unit: &str) -> Status {
        match (self.failed(unit), self.controller.units.get(&self.unit(unit))) {
            (Some(hook), _) => Status::new("error", &format!("hook failed: \"{}\"", hook.name())),
            (None, Some(unit)) => unit.status.clone(),
            (None, None) => Status::default(),
        }
    }

    /// The application's status, if its leader has set one.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn app_status(&self, application: &str) -> Option<Status> {
        self.asked_of(application);
        self.controller.applications.get(application)?.status.clone()
    }

    /// The hook that has failed on the unit and waits to be retried.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn failed(&self, unit: &str) -> Option<&Hook> {
        let agent = self.agents.get(&self.unit(unit))?;
        agent.pending.as_ref().filter(|pending| pending.failed).map(|pending| &pending.hook)
    }

    /// The hook of the unit that runs now.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn running(&self, unit: &str) -> Option<&Hook> {
        self.running.get(&self.unit(unit)).map(|running| &running.result.hook)
    }

    /// The application's leader.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn leader(&self, application: &str) -> Option<&UnitName> {
        self.asked_of(application);
        self.controller.applications.get(application)?.leader.as_ref()
    }

    /// Whether the unit is not there: it has run its last hook, or has not been added yet. Of a unit that comes later, this is to
    /// be asked before anything else.
    ///
    /// # Panics
    ///
    /// If there is no application of its name, and there was none.
    #[track_caller]
    #[must_use]
    pub fn is_gone(&self, unit: &str) -> bool {
        let is_there = |name: &UnitName| self.controller.units.contains_key(name);
        match unit.parse::<UnitName>() {
            Ok(name) => {
                self.asked_of(name.application());
                !is_there(&name)
            }
            Err(why) => panic!("{why}"),
        }
    }

    /// The members of an endpoint's relations, as the unit knows them.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn members(&self, unit: &str, endpoint: &str) -> Vec<UnitName> {
        let agent = self.agents.get(&self.unit(unit));
        let relations = agent.iter().flat_map(|agent| agent.relations.values());
        let own = relations.filter(|relation| relation.id.endpoint == endpoint && !relation.broken);
        own.flat_map(|relation| relation.members.keys().cloned()).collect()
    }

    /// The relations of an application, as its units name them.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn relations(&self, application: &str) -> Vec<RelationId> {
        self.asked_of(application);
        let numbers = self.controller.relations_of(application);
        numbers.into_iter().filter_map(|number| self.controller.relation_id(number, application)).collect()
    }

    /// A unit's bag in a relation, as the controller has it; empty if there is none.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn unit_data(&self, relation: u32, unit: &str) -> Entries {
        let unit = self.unit(unit);
        let bag = self.controller.relations.get(&relation).and_then(|relation| relation.units.get(&unit));
        bag.map(|bag| bag.entries.clone()).unwrap_or_default()
    }

    /// An application's bag in a relation, as the controller has it; empty if there is none.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn app_data(&self, relation: u32, application: &str) -> Entries {
        self.asked_of(application);
        let bag = self.controller.relations.get(&relation).and_then(|relation| relation.apps.get(application));
        bag.map(|bag| bag.entries.clone()).unwrap_or_default()
    }

    /// The leader settings of an application.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn leader_settings(&self, application: &str) -> Entries {
        self.asked_of(application);
        let application = self.controller.applications.get(application);
        application.map(|application| application.leader_settings.entries.clone()).unwrap_or_default()
    }

    /// What the unit keeps with `state-set`.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn charm_state(&self, unit: &str) -> Entries {
        let unit = self.controller.units.get(&self.unit(unit));
        unit.map(|unit| unit.charm_state.clone()).unwrap_or_default()
    }

    /// The unit's open ports, as `opened-ports` shows them.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn ports(&self, unit: &str) -> Vec<String> {
        let unit = self.controller.units.get(&self.unit(unit));
        unit.map(|unit| unit.ports.keys().map(ToString::to_string).collect()).unwrap_or_default()
    }

    /// What `application-version-set` has set.
    ///
    /// # Panics
    ///
    /// If there is no such application, and there was none.
    #[track_caller]
    #[must_use]
    pub fn workload_version(&self, application: &str) -> &str {
        self.asked_of(application);
        self.controller.applications.get(application).map_or("", |application| &application.workload_version)
    }

    /// The report of an action that has run, by its number.
    #[must_use]
    pub fn action(&self, id: u64) -> Option<&ActionReport> {
        self.finished.get(&id).map(|report| &**report)
    }

    /// The directory in which the unit's charm runs; it stays when the unit goes.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn charm_dir(&self, unit: &str) -> Option<&Path> {
        Some(self.machines.get(&self.unit(unit))?.charm_dir())
    }

    /// The flags that are set on a unit: what its handlers in this process have stored, or its program in the file of charmhelpers,
    /// as charms on `zkpeer` and on charms.reactive do; none of any other charm.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn flags(&self, unit: &str) -> Vec<String> {
        self.with_store(&self.unit(unit), flags_in)
    }

    /// Everything that a unit has stored there, as JSON.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn stored(&self, unit: &str) -> BTreeMap<String, String> {
        self.with_store(&self.unit(unit), |store| {
            store.range("").map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
        })
    }

    fn with_store<T: Default>(&self, unit: &UnitName, look: impl Fn(&Store) -> T) -> T {
        let machine = self.machines.get(unit);
        machine.map_or_else(T::default, |machine| match machine.memory().store() {
            Some(store) => look(store),
            None => stored(machine.charm_dir()).map_or_else(T::default, |store| look(&store)),
        })
    }

    /// What is in the unit's [`Fake`](crate::testing::Fake) of this type now; none if it has none. It stays when the unit goes.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn fake<S: Clone + 'static>(&self, unit: &str) -> Option<S> {
        self.machines.get(&self.unit(unit))?.world().get()
    }

    /// The lines of the programs that the unit's handlers have run, if [`Programs`](crate::testing::Programs) answer for them.
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn programs(&self, unit: &str) -> Vec<String> {
        self.fake::<Lines>(unit).unwrap_or_default().0
    }

    /// The directory that the unit's handlers take for `/` where they ask for [`Root`](crate::Root).
    ///
    /// # Panics
    ///
    /// If there is no such unit, and there was none.
    #[track_caller]
    #[must_use]
    pub fn root_dir(&self, unit: &str) -> Option<PathBuf> {
        Some(self.machines.get(&self.unit(unit))?.directory.root())
    }

    /// Ends the model and keeps its directories; returns the one in which they are.
    #[must_use]
    pub fn keep(mut self) -> Option<PathBuf> {
        self.root.take().and_then(Rc::into_inner).map(crate::testing::directory::Root::keep)
    }
}

impl Model {
    /// The unit of that name, if it is there or was.
    pub(crate) fn known_unit(&self, unit: &str) -> Result<UnitName, String> {
        let name: UnitName = unit.parse().map_err(|error: NameError| error.to_string())?;
        self.known_application(name.application())?;
        if self.machines.contains_key(&name) || self.controller.units.contains_key(&name) {
            return Ok(name);
        }
        let known: Vec<&str> = self.controller.units.keys().map(UnitName::as_str).collect();
        Err(format!("there is no unit `{unit}`, and there was none; the model has: {}", listed(&known)))
    }

    /// Whether there is an application of that name, or there was one with units.
    pub(crate) fn known_application(&self, application: &str) -> Result<(), String> {
        let known = self.applications();
        if known.contains(&application) || self.machines.keys().any(|unit| unit.application() == application) {
            return Ok(());
        }
        let near = nearest(application, known.iter().copied()).map(|near| format!("; is it `{near}`?"));
        Err(format!(
            "there is no application `{application}`, and there was none; the model has: {}{}",
            listed(&known),
            near.unwrap_or_default()
        ))
    }

    #[track_caller]
    fn unit(&self, unit: &str) -> UnitName {
        match self.known_unit(unit) {
            Ok(name) => name,
            Err(why) => panic!("{why}"),
        }
    }

    #[track_caller]
    fn asked_of(&self, application: &str) {
        if let Err(why) = self.known_application(application) {
            panic!("{why}");
        }
    }
}

fn listed(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// The file in which a charm's program keeps its state, if it has one that can be read.
fn stored(charm_dir: &Path) -> Option<Store> {
    let path = charm_dir.join(store::FILE);
    path.exists().then(|| Store::open(path, &store::Options::default().read_only()).ok()).flatten()
}

fn flags_in(store: &Store) -> Vec<String> {
    store.range(FLAG_PREFIX).map(|(key, _)| key[FLAG_PREFIX.len()..].to_owned()).collect()
}
