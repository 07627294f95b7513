//! What operators do: deploy, scale, relate, configure, run actions, refresh, repair; and what else befalls a unit.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::{Deployed, Kill, Model, Plan};
use crate::juju::names::is_application;
use crate::juju::{RelationId, UnitName};
use crate::metadata::{EndpointMetadata, Role};
use crate::testing::agent::Agent;
use crate::testing::application::Application;
use crate::testing::change::Change;
use crate::testing::charm::{CharmFiles, EndpointScope};
use crate::testing::controller::storage::Instance;
use crate::testing::controller::{SeriesUpgrade, Task, Unit};
use crate::testing::directory::{Directory, Root};
use crate::testing::error::Error;
use crate::testing::hook::Hook;
use crate::testing::machine::{Machine, Program};
use crate::testing::names::JujuVersion;
use crate::testing::process::KillPoint;
use crate::testing::value::Value;

impl Model {
    /// `juju deploy`: an application with its units, and its peer relations. Nothing runs yet.
    ///
    /// # Errors
    ///
    /// If the directory is no charm, a name or a value is not one that Juju takes, or a file cannot be written.
    pub fn deploy(&mut self, application: Application) -> Result<Vec<UnitName>, Error> {
        let files = CharmFiles::read(&application.charm)?;
        let name = application.name.clone().unwrap_or_else(|| files.name().to_owned());
        if !is_application(&name) {
            return Error::impossible(format!("`{name}` is no name for an application"));
        }
        if self.controller.applications.contains_key(&name) {
            return Error::impossible(format!("there is an application `{name}` already"));
        }
        let deployed = Deployed::new(&application, files, &self.controller.juju)?;
        if deployed.files.subordinate && application.units > 0 {
            return Error::impossible(format!("`{name}` is subordinate: its units come with those it is related to"));
        }
        let declared = &deployed.files.resources;
        if let Some(unknown) = application.resources.keys().find(|resource| !declared.contains_key(*resource)) {
            return Error::impossible(format!("`{name}` has no resource `{unknown}`: it is not in metadata.yaml"));
        }
        // A peer relation always exists from deployment on (contract 3.1).
        for endpoint in deployed.files.peers() {
            self.controller.add_relation(&[(&name, endpoint)]);
        }
        let new = self.controller.application(&name);
        new.trust = application.trust;
        new.resources.clone_from(&application.resources);
        new.charm = Rc::clone(&deployed.files);
        self.charms.insert(name.clone(), deployed);
        for (option, value) in application.config {
            self.set_config(&name, &option, value)?;
        }
        (0..application.units).map(|_| self.add_unit(&name)).collect()
    }

    /// `juju add-unit`: one more unit, on a machine of its own.
    ///
    /// # Errors
    ///
    /// If there is no such application, or a file cannot be written.
    pub fn add_unit(&mut self, application: &str) -> Result<UnitName, Error> {
        if self.deployed(application)?.files.subordinate {
            return Error::impossible(format!("`{application}` is subordinate: its units come with their principals"));
        }
        self.add_unit_anyhow(application)
    }

    fn add_unit_anyhow(&mut self, application: &str) -> Result<UnitName, Error> {
        let number = self.controller.application(application).next_unit;
        let unit: UnitName = format!("{application}/{number}").parse()?;
        self.add_named_unit(&unit, None)?;
        Ok(unit)
    }

    /// A unit of this number, with an agent and a machine.
    pub(crate) fn add_named_unit(&mut self, unit: &UnitName, address: Option<String>) -> Result<(), Error> {
        let deployed = self.deployed(unit.application())?.clone();
        let root = match &mut self.root {
            Some(root) => root,
            none => none.insert(Root::new()?),
        };
        let directory = Directory::new(root, unit, &deployed)?;
        if matches!(deployed.program, Program::Files) {
            directory.write_tools(root, &self.controller.juju)?;
        }
        self.controller.add_unit(unit, address);
        let revision = self.controller.application(unit.application()).revision;
        self.machines.insert(unit.clone(), Machine::new(directory, deployed.program));
        self.agents.insert(unit.clone(), Agent::new(unit.clone(), revision, deployed.files));
        Ok(())
    }

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

    /// `juju remove-unit`: for all others it is gone at once; it runs its last hooks by and by.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or it is leaving already.
    pub fn remove_unit(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        if self.controller.units.get(&unit).is_some_and(|unit| unit.dying) {
            return Error::impossible(format!("{unit} is being removed already"));
        }
        let beside = |found: &Unit| found.principal.as_ref() == Some(&unit);
        let subordinates: Vec<UnitName> =
            self.controller.units.iter().filter(|(_, found)| beside(found)).map(|(name, _)| name.clone()).collect();
        subordinates.iter().chain([&unit]).for_each(|unit| self.controller.remove_unit(unit));
        self.look_around();
        Ok(())
    }

    /// `juju remove-unit --force`: it is gone at once, and a hook that runs on it is refused.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn remove_unit_by_force(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        self.controller.remove_unit(&unit);
        self.controller.forget_unit(&unit);
        self.last_failed.remove(&unit);
        if let Some(agent) = self.agents.get_mut(&unit) {
            agent.removed = true;
            agent.pending = None;
        }
        self.look_around();
        Ok(())
    }

    /// `juju remove-application`: all its units and relations go.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub fn remove_application(&mut self, application: &str) -> Result<(), Error> {
        self.deployed(application)?;
        self.controller.application(application).dying = true;
        for number in self.controller.relations_of(application) {
            if let Some(relation) = self.controller.relations.get_mut(&number).filter(|relation| !relation.is_peer()) {
                relation.dying = true;
            }
        }
        let own = self.controller.units.keys().filter(|unit| unit.application() == application);
        for unit in own.cloned().collect::<Vec<_>>() {
            self.controller.remove_unit(&unit);
        }
        self.look_around();
        Ok(())
    }

    /// `juju remove-application --force`: its units are gone at once.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub fn remove_application_by_force(&mut self, application: &str) -> Result<(), Error> {
        self.remove_application(application)?;
        let own = self.units().into_iter().filter(|unit| unit.application() == application);
        own.collect::<Vec<_>>().iter().try_for_each(|unit| self.remove_unit_by_force(unit.as_str()))
    }

    /// `juju integrate`: relates two endpoints, each as `application:endpoint`. The relation's number is the same for both.
    ///
    /// # Errors
    ///
    /// If there is no such endpoint, the two do not fit each other, or a limit is reached.
    pub fn relate(&mut self, one: &str, other: &str) -> Result<u32, Error> {
        let (one, other) = (self.endpoint(one)?, self.endpoint(other)?);
        let ((first, first_app, first_name), (second, second_app, second_name)) = (&one, &other);
        let fits =
            matches!((first.role, second.role), (Role::Provides, Role::Requires) | (Role::Requires, Role::Provides));
        let shown = format!("{first_app}:{first_name} and {second_app}:{second_name}");
        if !fits {
            return Error::impossible(format!("{shown}: one has to provide what the other requires"));
        }
        if first.interface != second.interface {
            let (one, other) = (&first.interface, &second.interface);
            return Error::impossible(format!("{shown} have different interfaces, {one} and {other}"));
        }
        let (provider, requirer) = if first.role == Role::Provides { (&one, &other) } else { (&other, &one) };
        let sides = [(requirer.1.as_str(), requirer.2.as_str()), (provider.1.as_str(), provider.2.as_str())];
        let owned = sides.map(|(app, endpoint)| (app.to_owned(), endpoint.to_owned())).to_vec();
        if self.controller.relations.values().any(|relation| relation.sides == owned && !relation.dying) {
            return Error::impossible(format!("{shown} are related already"));
        }
        for (_, application, endpoint) in [&one, &other] {
            self.check_limit(application, endpoint)?;
        }
        let container = |application: &str, endpoint: &str| {
            let terms = self.charms.get(application).map(|deployed| deployed.files.terms(endpoint));
            terms.is_some_and(|terms| terms.scope == EndpointScope::Container)
        };
        let container = sides.iter().any(|(application, endpoint)| container(application, endpoint));
        let number = self.controller.add_relation(&sides);
        if let Some(relation) = self.controller.relations.get_mut(&number) {
            relation.container = container;
        }
        self.look_around();
        self.add_subordinates()?;
        Ok(number)
    }

    /// The most relations that an endpoint may have (contract 11.1).
    fn check_limit(&self, application: &str, endpoint: &str) -> Result<(), Error> {
        let Some(limit) = self.deployed(application)?.files.terms(endpoint).limit else { return Ok(()) };
        let side = (application.to_owned(), endpoint.to_owned());
        let live =
            self.controller.relations.values().filter(|relation| !relation.dying && relation.sides.contains(&side));
        if live.count() < limit as usize {
            return Ok(());
        }
        Error::impossible(format!("{application}:{endpoint} takes no more than {limit} relations, and has them"))
    }

    /// Each principal unit that has entered a relation of container scope gets a unit of the subordinate beside it.
    pub(super) fn add_subordinates(&mut self) -> Result<(), Error> {
        let mut wanted: Vec<(String, UnitName)> = Vec::new();
        for relation in self.controller.relations.values().filter(|relation| relation.container && !relation.dying) {
            let subordinate = |app: &str| self.charms.get(app).is_some_and(|deployed| deployed.files.subordinate);
            for (app, _) in relation.sides.iter().filter(|(app, _)| subordinate(app)) {
                let principals = relation.present.iter().filter(|unit| unit.application() != app);
                wanted.extend(principals.map(|principal| (app.clone(), principal.clone())));
            }
        }
        for (app, principal) in wanted {
            let beside = |(name, unit): (&UnitName, &Unit)| {
                name.application() == app && unit.principal.as_ref() == Some(&principal)
            };
            if self.controller.units.iter().any(beside) {
                continue;
            }
            let machine = self.controller.units.get(&principal).map_or(0, |unit| unit.machine);
            let name = self.add_unit_anyhow(&app)?;
            if let Some(unit) = self.controller.units.get_mut(&name) {
                unit.machine = machine;
                unit.principal = Some(principal);
            }
        }
        Ok(())
    }

    /// An endpoint of an application: `zk:client`.
    fn endpoint(&self, text: &str) -> Result<(EndpointMetadata, String, String), Error> {
        let Some((application, name)) = text.split_once(':') else {
            return Error::impossible(format!("`{text}` is no endpoint: it has to look like application:endpoint"));
        };
        let files = &self.deployed(application)?.files;
        let endpoint = if files.is_implicit(name) { CharmFiles::implicit() } else { files.endpoint(name)?.clone() };
        Ok((endpoint, application.to_owned(), name.to_owned()))
    }

    /// `juju remove-relation`: both sides' units depart from each other.
    ///
    /// # Errors
    ///
    /// If there is no such relation, or it is a peer relation.
    pub fn remove_relation(&mut self, one: &str, other: &str) -> Result<(), Error> {
        let side = |text: &str| text.split_once(':').map(|(app, endpoint)| (app.to_owned(), endpoint.to_owned()));
        let sides = [side(one), side(other)];
        let found = self.controller.relations.values_mut().find(|relation| {
            !relation.is_peer() && !relation.dying && sides.iter().flatten().all(|side| relation.sides.contains(side))
        });
        match found {
            Some(relation) => relation.dying = true,
            None => return Error::impossible(format!("{one} and {other} are not related")),
        }
        self.look_around();
        Ok(())
    }

    /// `juju config`: sets an option. Text is read according to the option's type.
    ///
    /// # Errors
    ///
    /// If the charm has no such option, or the value does not fit its type.
    pub fn set_config(&mut self, application: &str, option: &str, value: impl Into<Value>) -> Result<(), Error> {
        let value = self.option_value(application, option, value.into())?;
        self.controller.application(application).config.insert(option.to_owned(), value);
        Ok(())
    }

    /// The value as the option keeps it.
    fn option_value(&self, application: &str, option: &str, value: Value) -> Result<Value, Error> {
        let Some(found) = self.deployed(application)?.files.options.get(option) else {
            return Error::impossible(format!("option `{option}` is not in config.yaml"));
        };
        match value {
            Value::Text(text) => found.parse(option, &text).map_err(Error::Impossible),
            value if found.fits(&value) => Ok(value),
            value => Error::impossible(format!("option `{option}` is a {}, not `{}`", found.kind, value.to_json())),
        }
    }

    /// `juju config --reset`: the option's default counts again.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub fn reset_config(&mut self, application: &str, option: &str) -> Result<(), Error> {
        self.deployed(application)?;
        self.controller.application(application).config.remove(option);
        Ok(())
    }

    /// `juju trust`: whether the application may see the cloud's credentials; `config-changed` is due.
    ///
    /// # Errors
    ///
    /// If there is no such application.
    pub fn set_trust(&mut self, application: &str, trust: bool) -> Result<(), Error> {
        self.deployed(application)?;
        self.controller.application(application).trust = trust;
        Ok(())
    }

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

    /// `juju run`: the action waits for its turn (contract 3.2, row 8); its number tells its [report](Self::action).
    ///
    /// # Errors
    ///
    /// If there is no such unit or action, or the parameters do not fit its schema.
    pub fn run_action(&mut self, unit: &str, name: &str, params: &[(&str, Value)]) -> Result<u64, Error> {
        let unit = self.unit_name(unit)?;
        let four = self.controller.juju.is_four();
        let Some(schema) = self.deployed(unit.application())?.files.actions.get(name) else {
            return Error::impossible(format!("action \"{name}\" is not in actions.yaml"));
        };
        let given: BTreeMap<String, Value> =
            params.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let params = schema
            .complete(given, four)
            .map_err(|why| Error::Impossible(format!("action \"{name}\" is refused before the charm runs: {why}")))?;
        self.actions += 1;
        let id = self.actions;
        self.add_task(&unit, Hook::Action { id, name: name.to_owned() }, params);
        Ok(id)
    }

    fn add_task(&mut self, unit: &UnitName, hook: Hook, params: Value) {
        if let Some(unit) = self.controller.units.get_mut(unit) {
            unit.tasks.push_back(Task { hook, params });
        }
    }

    /// `juju exec`: a shell command in a hook's context, when its turn comes (contract 1.6); about a relation, if one is
    /// named as the unit names it.
    ///
    /// # Errors
    ///
    /// If there is no such unit or relation.
    pub fn exec(&mut self, unit: &str, command: &str, relation: Option<&RelationId>) -> Result<(), Error> {
        use crate::testing::hook::RelationKind::Created;
        let unit = self.unit_name(unit)?;
        let agent = self.agent(&unit)?;
        let relation = match relation {
            Some(id) if !agent.relations.contains_key(&id.number) => {
                return Error::impossible(format!("{unit} is not in the relation {id}"));
            }
            Some(id) => agent.relation_hook(&self.controller, id.number, Created, None, None, 0).relation().cloned(),
            None => None,
        };
        self.add_task(&unit, Hook::Exec { command: command.to_owned(), relation }, Value::Null);
        Ok(())
    }

    /// `juju refresh`: the charm's files are replaced by those of `charm`; `upgrade-charm` is due on each unit. What runs for its
    /// hooks is as in [`Application`].
    ///
    /// # Errors
    ///
    /// If the directory is no charm.
    pub fn refresh(&mut self, name: &str, charm: Application) -> Result<(), Error> {
        self.deployed(name)?;
        let deployed = Deployed::new(&charm, CharmFiles::read(&charm.charm)?, &self.controller.juju)?;
        for endpoint in deployed.files.peers() {
            let sides = [(name.to_owned(), endpoint.to_owned())];
            if !self.controller.relations.values().any(|relation| relation.sides == sides) {
                self.controller.add_relation(&[(name, endpoint)]);
            }
        }
        let application = self.controller.application(name);
        application.charm = Rc::clone(&deployed.files);
        application.revision += 1;
        self.charms.insert(name.to_owned(), deployed);
        self.look_around();
        Ok(())
    }

    /// `juju refresh --force-units`: units with a failed hook get the new charm, too, and retry the hook with it; they do not run
    /// `upgrade-charm`.
    ///
    /// # Errors
    ///
    /// As [`refresh`](Self::refresh).
    pub fn refresh_by_force(&mut self, name: &str, charm: Application) -> Result<(), Error> {
        self.refresh(name, charm)?;
        let failed: Vec<UnitName> = self
            .agents
            .iter()
            .filter(|(unit, agent)| unit.application() == name && agent.pending.as_ref().is_some_and(|p| p.failed))
            .map(|(unit, _)| unit.clone())
            .collect();
        failed.iter().try_for_each(|unit| self.unpack(unit))
    }

    /// `juju resolve`: the failed hook runs again, now.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or no hook has failed on it.
    pub fn retry(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        match self.agents.get_mut(&unit).and_then(|agent| agent.pending.as_mut()) {
            Some(pending) => {
                pending.failed = false;
                Ok(())
            }
            None => Error::impossible(format!("no hook has failed on {unit}, there is nothing to retry")),
        }
    }

    /// `juju resolve --no-retry`: the failed hook counts as done, without its changes.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or no hook has failed on it.
    pub fn resolve(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        let seen = crate::testing::agent::Seen::now(&self.controller, &unit);
        let Some(agent) = self.agents.get_mut(&unit) else { return Err(self.no_unit(&unit)) };
        match agent.pending.take() {
            Some(pending) => agent.done(&pending.hook, &seen, &mut self.controller),
            None => return Error::impossible(format!("no hook has failed on {unit}, there is nothing to resolve")),
        }
        self.last_failed.remove(&unit);
        self.look_around();
        Ok(())
    }

    /// Failed hooks are retried by and by, or only when [`retry`](Self::retry) says so: the model's option
    /// `automatically-retry-hooks`.
    pub fn set_automatic_retries(&mut self, automatic: bool) {
        self.controller.retries = automatic;
    }

    /// How often `update-status` runs, in whole seconds; otherwise every 5 minutes. The model's option
    /// `update-status-hook-interval`; a timer that runs already is not changed.
    pub fn set_update_status_interval(&mut self, interval: Duration) {
        self.update_status = interval;
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
            running.result.outcome =
                crate::testing::outcome::Outcome::Failed("the agent restarted while it ran".to_owned());
            self.end(&unit)?;
        }
        if let Some(agent) = self.agents.get_mut(&unit) {
            agent.restart();
        }
        self.look_around();
        Ok(())
    }

    /// `juju add-storage`: one more instance of the charm's storage for the unit; returns its id.
    ///
    /// # Errors
    ///
    /// If there is no such unit or storage, or the unit has as many as it may.
    pub fn add_storage(&mut self, unit: &str, name: &str) -> Result<String, Error> {
        let unit = self.unit_name(unit)?;
        let files = Rc::clone(&self.deployed(unit.application())?.files);
        let Some(spec) = files.storage.get(name) else {
            let known: Vec<&str> = files.storage.keys().map(String::as_str).collect();
            return Error::impossible(format!(
                "storage `{name}` is not in metadata.yaml; it has: {}",
                known.join(", ")
            ));
        };
        let has = self.controller.storage.count(&unit, name);
        if spec.maximum.is_some_and(|most| has >= most as usize) {
            return Error::impossible(format!("{unit} has {has} of storage `{name}`, and may have no more"));
        }
        Ok(self.controller.storage.add(&unit, name, spec))
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

    /// `juju model-config`: an option of the model itself that charms observe. These are `http-proxy`, `https-proxy`, `ftp-proxy`,
    /// `no-proxy`, the same with `juju-` before them, and `egress-subnets`. An empty value takes the option back.
    ///
    /// # Errors
    ///
    /// If it is another option.
    pub fn set_model_config(&mut self, option: &str, value: &str) -> Result<(), Error> {
        const PROXIES: &[&str] = &["http-proxy", "https-proxy", "ftp-proxy", "no-proxy"];
        let proxy = option.strip_prefix("juju-").unwrap_or(option);
        if !PROXIES.contains(&proxy) && option != "egress-subnets" {
            let known = PROXIES.join(", ");
            return Error::impossible(format!(
                "the model's option `{option}` is not simulated: choose one of {known}, one of these with `juju-` before it, or \
                 egress-subnets"
            ));
        }
        if value.is_empty() {
            self.controller.options.remove(option);
        } else {
            self.controller.options.insert(option.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// Where Juju's controllers are, each with its port; otherwise there is one, at `10.0.0.1:17070`.
    pub fn set_api_addresses(&mut self, addresses: &[&str]) {
        self.controller.api_addresses = addresses.iter().map(|address| (*address).to_owned()).collect();
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

    /// A slow unit: nothing happens on it until it is [released](Self::release).
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn hold(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        self.held.insert(unit);
        Ok(())
    }

    /// The unit goes on.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn release(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        self.held.remove(&unit);
        Ok(())
    }

    /// Kills the unit's next hook with SIGKILL at this point. A hook in this process is killed at its hook commands only.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn kill_at(&mut self, unit: &str, point: KillPoint) -> Result<(), Error> {
        self.plan_kill(unit, Kill { point, hook: None })
    }

    /// The same for the unit's next hook or action of this name; those before it run undisturbed.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn kill_hook_at(&mut self, unit: &str, hook: &str, point: KillPoint) -> Result<(), Error> {
        self.plan_kill(unit, Kill { point, hook: Some(hook.to_owned()) })
    }

    fn plan_kill(&mut self, unit: &str, kill: Kill) -> Result<(), Error> {
        let name = self.unit_name(unit)?;
        let files = self.machines.get(&name).is_some_and(|machine| matches!(machine.program, Program::Files));
        if matches!(kill.point, KillPoint::After(_)) && !files {
            return Error::impossible(format!("{unit} runs in this process, and cannot be killed by the clock"));
        }
        self.plan(unit)?.kill = Some(kill);
        Ok(())
    }

    /// Refuses the changes of the unit's next hook that exits 0, for this reason.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn refuse_commit(&mut self, unit: &str, reason: &str) -> Result<(), Error> {
        self.plan(unit)?.refuse = Some(reason.to_owned());
        Ok(())
    }

    /// Leadership is lost during the unit's next hook, after its last hook command and before its changes are applied.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn lose_leadership_before_commit(&mut self, unit: &str) -> Result<(), Error> {
        self.plan(unit)?.lose_leadership = true;
        Ok(())
    }

    /// Lets something happen in the middle of the unit's next hook: before its n-th hook command (the first is 1). If the
    /// hook has fewer, it does not happen.
    ///
    /// ```
    /// # use zkpeer_core::testing::{Application, Change, Model};
    /// # let charm = tempfile::tempdir()?;
    /// # std::fs::write(charm.path().join("metadata.yaml"), "name: zk\nsummary: s\ndescription: d\n")?;
    /// # let mut model = Model::new();
    /// model.deploy(Application::new(charm.path()).function(|hook| {
    ///     hook.run("is-leader", &[]);
    ///     hook.run("is-leader", &[]).code
    /// }))?;
    /// model.set_leader("zk/0")?;
    /// model.before_command("zk/0", 2, Change::NoLeader("zk".to_owned()))?;
    /// let install = model.run_hook("zk/0", "install")?;
    /// assert_eq!((install.commands[0].stdout.as_str(), install.commands[1].stdout.as_str()), ("True\n", "False\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such unit, or the change is about something that does not exist.
    pub fn before_command(&mut self, unit: &str, number: usize, change: Change) -> Result<(), Error> {
        let change = self.checked(change)?;
        self.plan(unit)?.changes.push((number, change));
        Ok(())
    }

    /// The change, if all that it names exists.
    fn checked(&self, change: Change) -> Result<Change, Error> {
        match change {
            Change::Leader(ref unit) | Change::RemoveUnit(ref unit) => {
                self.unit_name(unit.as_str())?;
            }
            Change::NoLeader(ref application) => {
                self.deployed(application)?;
            }
            Change::Config { application, option, value } => {
                let value = self.option_value(&application, &option, value)?;
                return Ok(Change::Config { application, option, value });
            }
            Change::UnitData { relation, .. } | Change::AppData { relation, .. }
                if !self.controller.relations.contains_key(&relation) =>
            {
                return Error::impossible(format!("there is no relation with the number {relation}"));
            }
            Change::UnitData { .. } | Change::AppData { .. } => {}
        }
        Ok(change)
    }

    fn plan(&mut self, unit: &str) -> Result<&mut Plan, Error> {
        let unit = self.unit_name(unit)?;
        Ok(self.plans.entry(unit).or_default())
    }

    /// With Juju 4: peers do not see that a unit leaves (juju issue 23326, contract 5.5).
    pub fn set_peer_departure_bug(&mut self, present: bool) {
        self.controller.peer_departure_bug = present;
    }

    /// The time that has passed since the model began.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.controller.now
    }

    pub(crate) fn deployed(&self, application: &str) -> Result<&Deployed, Error> {
        self.charms.get(application).ok_or_else(|| {
            let known: Vec<&str> = self.charms.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            Error::Impossible(format!("there is no application `{application}`; the model has: {known}"))
        })
    }

    /// The unit of that name that has an agent.
    pub(crate) fn unit_name(&self, unit: &str) -> Result<UnitName, Error> {
        let unit: UnitName = unit.parse()?;
        if self.agents.contains_key(&unit) && self.controller.units.contains_key(&unit) {
            Ok(unit)
        } else {
            Err(self.no_unit(&unit))
        }
    }
}

impl Deployed {
    fn new(application: &Application, files: CharmFiles, juju: &JujuVersion) -> Result<Self, Error> {
        let directory = &application.charm;
        files.check_for(juju)?;
        if matches!(application.program, Program::Files) && application.path.is_none() {
            files.check_program()?;
        }
        Ok(Self {
            files: Rc::new(files),
            directory: directory.clone(),
            path: application.path.clone(),
            program: application.program.clone(),
        })
    }
}
