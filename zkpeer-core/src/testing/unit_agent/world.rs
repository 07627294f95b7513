//! What happens around the unit: peers and other applications come, write and go; operators change things.

use super::UnitAgent;
use crate::juju::names::is_application;
use crate::juju::{RelationId, UnitName};
use crate::metadata::Role;
use crate::testing::controller::entries;
use crate::testing::error::Error;
use crate::testing::value::Value;

impl UnitAgent {
    /// Another unit of this application appears in the peer relation, with what it has written to its bag.
    ///
    /// # Errors
    ///
    /// If there is no such endpoint, it is not for peers, or the unit cannot be a peer.
    pub fn add_peer(&mut self, endpoint: &str, unit: &str, bag: &[(&str, &str)]) -> Result<(), Error> {
        let name: UnitName = unit.parse()?;
        let own = self.name.application();
        if name == self.name {
            return Error::impossible(format!("{name} is this unit, and no unit is its own peer; name another one"));
        }
        if name.application() != own {
            return Error::impossible(format!("{name} is no unit of `{own}`, as peers are; add_remote is for others"));
        }
        let files = &self.model.deployed(own)?.files;
        if files.endpoint(endpoint)?.role != Role::Peers {
            let peers: Vec<&str> = files.peers().collect();
            let peers = if peers.is_empty() { "none".to_owned() } else { peers.join(", ") };
            return Error::impossible(format!("`{endpoint}` is no endpoint for peers; those for peers are: {peers}"));
        }
        let number = self.relation_number(endpoint)?;
        self.add_to(number, &name, bag)
    }

    /// A peer writes to its bag; an empty value removes a key. Values that are there already change nothing.
    ///
    /// # Errors
    ///
    /// If there is no such endpoint or peer.
    pub fn change_peer(&mut self, endpoint: &str, unit: &str, bag: &[(&str, &str)]) -> Result<(), Error> {
        let name: UnitName = unit.parse()?;
        let number = self.relation_with(endpoint, &name)?;
        match self.model.controller.relations.get_mut(&number) {
            Some(relation) if relation.present.contains(&name) && name != self.name => {
                relation.units.entry(name).or_default().apply(&entries(bag));
                Ok(())
            }
            _ => Error::impossible(format!("{name} is not among the remote units of `{endpoint}`; add it first")),
        }
    }

    /// A peer, or a unit of another application, leaves.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or it is this one.
    pub fn remove_peer(&mut self, unit: &str) -> Result<(), Error> {
        let name: UnitName = unit.parse()?;
        if name == self.name || self.model.controller.units.get(&name).is_none_or(|unit| unit.dying) {
            return Error::impossible(format!("there is no other unit {name} to remove"));
        }
        self.model.controller.remove_unit(&name);
        self.model.controller.forget_unit(&name);
        Ok(())
    }

    /// Relates another application to an endpoint of this charm, as yet without units.
    ///
    /// # Errors
    ///
    /// If there is no such endpoint, or it is a peer endpoint.
    pub fn relate(&mut self, endpoint: &str, app: &str) -> Result<RelationId, Error> {
        let found = self.model.deployed(self.name.application())?.files.endpoint(endpoint)?;
        if found.role == Role::Peers {
            return Error::impossible(format!(
                "`{endpoint}` is an endpoint for peers, who are related from the deployment on; add_peer adds one"
            ));
        }
        if app == self.name.application() {
            return Error::impossible(format!("`{app}` is the unit's own application; name another one"));
        }
        if !is_application(app) {
            return Error::impossible(format!("`{app}` is no name for an application"));
        }
        self.model.controller.application(app);
        let number = self.model.controller.add_relation(&[(self.name.application(), endpoint), (app, "remote")]);
        Ok(RelationId { endpoint: endpoint.to_owned(), number })
    }

    /// A unit of a related application appears, with what it has written to its bag.
    ///
    /// # Errors
    ///
    /// If there is no such relation, or the unit is not of the other application.
    pub fn add_remote(&mut self, relation: &RelationId, unit: &str, bag: &[(&str, &str)]) -> Result<(), Error> {
        let name: UnitName = unit.parse()?;
        let Some(found) = self.model.controller.relations.get(&relation.number) else {
            return Error::impossible(format!("there is no relation {relation}; relate makes one"));
        };
        if found.is_peer() {
            return Error::impossible(format!("{relation} is a relation of peers; add_peer adds one"));
        }
        let other = found.remote_app(self.name.application());
        if name.application() != other {
            return Error::impossible(format!(
                "{relation} is a relation with `{other}`; name a unit of it, not {name}"
            ));
        }
        self.add_to(relation.number, &name, bag)
    }

    fn add_to(&mut self, number: u32, name: &UnitName, bag: &[(&str, &str)]) -> Result<(), Error> {
        if self.model.controller.relations.get(&number).is_some_and(|relation| relation.present.contains(name)) {
            return Error::impossible(format!(
                "{name} is in the relation already; change_peer changes what it has written"
            ));
        }
        self.model.controller.add_unit(name, None);
        self.model.controller.enter(name, number);
        if let Some(bag_there) =
            self.model.controller.relations.get_mut(&number).and_then(|found| found.units.get_mut(name))
        {
            bag_there.apply(&entries(bag));
        }
        Ok(())
    }

    /// Writes to an application's bag, of this application or the other, as its leader would.
    ///
    /// # Errors
    ///
    /// If there is no such endpoint, or the application has no part in the relation.
    pub fn change_app(&mut self, endpoint: &str, app: &str, bag: &[(&str, &str)]) -> Result<(), Error> {
        let number = self.relation_number(endpoint)?;
        match self.model.controller.relations.get_mut(&number).and_then(|relation| relation.apps.get_mut(app)) {
            Some(found) => {
                found.apply(&entries(bag));
                Ok(())
            }
            None => Error::impossible(format!("{app} has no part in the relation of `{endpoint}`")),
        }
    }

    /// Removes a relation to another application.
    ///
    /// # Errors
    ///
    /// If there is no such relation, or it is a peer relation.
    pub fn unrelate(&mut self, relation: &RelationId) -> Result<(), Error> {
        match self.model.controller.relations.get_mut(&relation.number) {
            Some(found) if !found.is_peer() => {
                found.dying = true;
                Ok(())
            }
            _ => Error::impossible(format!(
                "{relation} cannot be removed: it is none, or one of peers, who part with the last unit"
            )),
        }
    }

    /// This unit gains leadership, or loses it to the first of its peers (to nobody, if it has none).
    pub fn set_leader(&mut self, leader: bool) {
        if leader {
            self.model.controller.application(self.name.application()).leader = Some(self.name.clone());
        } else {
            self.model.pass_leadership_on(&self.name);
        }
    }

    /// Leader settings, written by the leader, which must be another unit.
    ///
    /// # Errors
    ///
    /// If this unit is leader, or Juju is 4 or later.
    pub fn set_leader_settings(&mut self, settings: &[(&str, &str)]) -> Result<(), Error> {
        if self.model.controller.juju.is_four() || self.model.controller.is_leader(&self.name) {
            return Error::impossible("only another unit, as leader, writes leader settings, and only up to Juju 3");
        }
        self.model.controller.application(self.name.application()).leader_settings.apply(&entries(settings));
        Ok(())
    }

    /// `juju config`: sets an option. Text is read according to the option's type.
    ///
    /// # Errors
    ///
    /// If the charm has no such option, or the value does not fit its type.
    pub fn set_config(&mut self, option: &str, value: impl Into<Value>) -> Result<(), Error> {
        self.model.set_config(self.name.application(), option, value)
    }

    /// `juju config --reset`: the option's default counts again.
    pub fn reset_config(&mut self, option: &str) {
        self.model.controller.application(self.name.application()).config.remove(option);
    }

    /// The unit's address changes; `config-changed` is due.
    pub fn set_address(&mut self, address: &str) {
        if let Some(unit) = self.model.controller.units.get_mut(&self.name) {
            unit.address = Some(address.to_owned());
        }
    }

    /// The unit is to be removed: its relations end, then come `stop` and `remove`.
    pub fn remove(&mut self) {
        self.model.controller.remove_unit(&self.name.clone());
    }
}
