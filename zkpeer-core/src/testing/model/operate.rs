//! What operators do with applications: deploy, scale, relate, configure, refresh; and the options of the model.

mod faults;
mod leadership;
mod machines;
mod tasks;

use std::rc::Rc;
use std::time::Duration;

use super::{Deployed, Model};
use crate::juju::UnitName;
use crate::juju::names::is_application;
use crate::metadata::{EndpointMetadata, Role};
use crate::testing::agent::Agent;
use crate::testing::application::Application;
use crate::testing::charm::{CharmFiles, EndpointScope};
use crate::testing::controller::{Relation, Unit};
use crate::testing::directory::{Directory, Root};
use crate::testing::error::Error;
use crate::testing::machine::{Machine, Program};
use crate::testing::names::JujuVersion;
use crate::testing::shared::Shared;
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
        let values: Vec<(String, Value)> = application
            .config
            .into_iter()
            .map(|(option, value)| Ok((option.clone(), deployed.files.option_value(&option, value)?)))
            .collect::<Result<_, Error>>()?;
        // A peer relation always exists from deployment on (contract 3.1).
        for endpoint in deployed.files.peers() {
            self.controller.add_relation(&[(&name, endpoint)]);
        }
        let new = self.controller.application(&name);
        new.trust = application.trust;
        new.resources.clone_from(&application.resources);
        new.charm = Rc::clone(&deployed.files);
        new.config.extend(values);
        self.charms.insert(name.clone(), deployed);
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
            none => none.insert(Rc::new(Root::new()?)),
        };
        // Where there are copies of the model, what was unpacked once is put where it is needed, when it is.
        let unpacked = self.on_disk.as_ref().and_then(|on_disk| Some((on_disk, deployed.fitted.unpacked()?)));
        let directory = match &unpacked {
            Some((_, unpacked)) => Directory::of_unpacked(root, unit, unpacked),
            None => Directory::new(root, unit, &deployed)?,
        };
        if matches!(deployed.program, Program::Files) {
            directory.write_tools(root, &self.controller.juju)?;
        }
        // What befell a former unit of this name is none of this one's.
        self.held.remove(unit);
        self.plans.remove(unit);
        self.last_failed.remove(unit);
        self.controller.add_unit(unit, address);
        let revision = self.controller.application(unit.application()).revision;
        let fakes = deployed.fakes.as_ref().map(|fakes| fakes.of(unit));
        let mut machine = Machine::new(directory, &deployed, fakes);
        match (unpacked, &self.on_disk) {
            (Some((on_disk, unpacked)), _) => machine.keep_unpacked(on_disk, unpacked),
            (None, Some(on_disk)) => {
                machine.keep_files(on_disk)?;
                machine.charm_files().into_iter().for_each(|files| deployed.fitted.set_unpacked(files));
            }
            (None, None) => {}
        }
        self.machines.insert(unit.clone(), machine.into());
        self.agents.insert(unit.clone(), Agent::new(unit.clone(), revision, deployed.files).into());
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
        self.remove_with_subordinates(&unit);
        self.look_around();
        Ok(())
    }

    /// Who leaves takes the subordinates beside it along.
    fn remove_with_subordinates(&mut self, unit: &UnitName) {
        let beside = |found: &Unit| found.principal.as_ref() == Some(unit);
        let subordinates: Vec<UnitName> =
            self.controller.units.iter().filter(|(_, found)| beside(found)).map(|(name, _)| name.clone()).collect();
        subordinates.iter().chain([unit]).for_each(|unit| self.controller.remove_unit(unit));
    }

    /// `juju remove-unit --force`: it is gone at once, and a hook that runs on it is refused.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn remove_unit_by_force(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        self.remove_with_subordinates(&unit);
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
            self.remove_with_subordinates(&unit);
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
        if first_app == second_app {
            let instead = match first.role {
                Role::Peers => "peers are related from their deployment on",
                _ => "deploy the charm once more, under another name",
            };
            return Error::impossible(format!("{shown}: an application cannot be related to itself; {instead}"));
        }
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
            let beside = |(name, unit): (&UnitName, &Shared<Unit>)| {
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
        self.remove_unrelated_subordinates();
        self.look_around();
        Ok(())
    }

    /// A subordinate leaves when no relation of container scope holds it beside its principal any more.
    fn remove_unrelated_subordinates(&mut self) {
        let relations = &self.controller.relations;
        let held = |unit: &UnitName, principal: &UnitName| {
            let of = |relation: &Relation, app: &str| relation.sides.iter().any(|(side, _)| side == app);
            let mut live = relations.values().filter(|relation| relation.container && !relation.dying);
            live.any(|relation| of(relation, unit.application()) && of(relation, principal.application()))
        };
        let loose = |(name, found): (&UnitName, &Shared<Unit>)| {
            let principal = found.principal.as_ref()?;
            (!found.dying && !held(name, principal)).then(|| name.clone())
        };
        let loose: Vec<UnitName> = self.controller.units.iter().filter_map(loose).collect();
        loose.iter().for_each(|unit| self.controller.remove_unit(unit));
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
        self.deployed(application)?.files.option_value(option, value)
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
            fakes: application.fakes.clone(),
            fitted: Rc::default(),
        })
    }
}
