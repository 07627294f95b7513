//! The state in which a unit is, said by the test: leadership, configuration, relations, what is stored.

use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use super::{IMPOSSIBLE, OrBad, Unit, bad, possible, relation_id, unit_name};
use crate::context::FLAG_PREFIX;
use crate::juju::{RelationId, UnitName};
use crate::testing::charm::{ConfigOption, OptionKind};
use crate::testing::check;
use crate::testing::controller::{Application, Entries, entries};
use crate::testing::value;

/// The entries of a databag, as it can be.
#[track_caller]
fn checked(pairs: &[(&str, &str)]) -> Entries {
    let entries = entries(pairs);
    check::bag(&entries).or_bad(IMPOSSIBLE);
    entries
}

impl Unit {
    fn application(&mut self) -> &mut Application {
        self.controller.application(self.name.application())
    }

    /// Makes it the leader, or takes that from it.
    pub fn set_leader(&mut self, leader: bool) {
        self.application().leader = leader.then(|| self.name.clone());
    }

    /// Sets an option of the configuration; `null` gives it its default again.
    ///
    /// # Panics
    ///
    /// If the charm's `config.yaml` is known, and has no such option, or one of another type.
    #[track_caller]
    pub fn set_config(&mut self, option: &str, value: impl Into<Value>) {
        let whole = self.whole;
        let application = self.application();
        let value = value::Value::from_json(&value.into());
        if whole {
            match application.charm.option_value(option, value) {
                Ok(value::Value::Null) => drop(application.config.remove(option)),
                Ok(value) => drop(application.config.insert(option.to_owned(), value)),
                Err(error) => panic!("{error}"),
            }
            return;
        }
        if value == value::Value::Null {
            application.config.remove(option);
            return;
        }
        // Without a config.yaml there is no type to go by.
        let known = ConfigOption { kind: OptionKind::String, default: value::Value::Null };
        Rc::make_mut(&mut application.charm).options.entry(option.to_owned()).or_insert(known);
        application.config.insert(option.to_owned(), value);
    }

    /// Sets a leader setting, as the leader would; an empty value takes it away.
    ///
    /// # Panics
    ///
    /// On Juju 4, which has none: there [`Leader`](crate::Leader) keeps them in the peer relation's application databag.
    #[track_caller]
    pub fn set_leader_setting(&mut self, key: &str, value: &str) {
        if self.controller.juju.is_four() {
            let instead =
                "they are in the application's databag of the peer relation, each under `leadership.` and its name";
            bad("leader setting", &format!("Juju 4 has no leader settings; {instead}: use set_application_bag"));
        }
        self.application().leader_settings.apply(&entries(&[(key, value)]));
    }

    /// The relation of that id with that application, which this unit has entered.
    #[track_caller]
    pub(super) fn enter(&mut self, id: &RelationId, remote: &str) {
        possible::relation(self, id, remote).or_bad(IMPOSSIBLE);
        let own = (self.name.application().to_owned(), id.endpoint.clone());
        let other = (remote.to_owned(), "remote".to_owned());
        let sides = if remote == own.0 { vec![own] } else { vec![own, other] };
        self.controller.insert_relation(id.number, sides);
        self.agent.enter(id.clone(), &mut self.controller);
    }

    /// The remote unit is in the relation and has this databag: what Juju answers to `relation-list` and `relation-get`.
    ///
    /// To Juju it is a member of the relation, as if its `-joined` had run; if that is the next hook to run, then it becomes one in
    /// that hook. Flags do not know of it before a hook is run that is about it.
    ///
    /// # Panics
    ///
    /// If the names are none, or the unit cannot be in the relation.
    #[track_caller]
    pub fn set_member(&mut self, relation: &str, unit: &str, bag: &[(&str, &str)]) {
        let (relation, unit) = (relation_id(relation), unit_name(unit));
        self.enter(&relation, unit.application());
        possible::remote(self, &unit).or_bad(IMPOSSIBLE);
        self.controller.set_unit_bag(relation.number, &unit, checked(bag));
        if !self.is_member(relation.number, &unit) {
            self.news.insert((relation.number, unit.clone()));
        }
        self.agent.add_member(relation.number, &unit);
    }

    /// The remote unit has left the relation; its databag can still be read by name.
    ///
    /// It is no member any longer, as if its `-departed` had run; if that is the next hook to run, then it ceases to be one in
    /// that hook. (That hook alone says the same.)
    ///
    /// # Panics
    ///
    /// If the names are none.
    #[track_caller]
    pub fn remove_member(&mut self, relation: &str, unit: &str) {
        let (relation, unit) = (relation_id(relation), unit_name(unit));
        if self.is_member(relation.number, &unit) {
            self.news.insert((relation.number, unit.clone()));
        }
        self.agent.remove_member(relation.number, &unit);
    }

    pub(super) fn is_member(&self, number: u32, unit: &UnitName) -> bool {
        self.agent.relations.get(&number).is_some_and(|relation| relation.members.contains_key(unit))
    }

    /// This unit has entered the relation with that application; nobody has joined yet.
    ///
    /// # Panics
    ///
    /// If the relation's id is none, or there can be no such relation.
    #[track_caller]
    pub fn set_relation(&mut self, relation: &str, application: &str) {
        self.enter(&relation_id(relation), application);
    }

    /// The application has this databag in the relation; it is this unit's own, or the one at the other side.
    ///
    /// # Panics
    ///
    /// If the relation's id is none, or there can be no such relation.
    #[track_caller]
    pub fn set_application_bag(&mut self, relation: &str, application: &str, bag: &[(&str, &str)]) {
        let relation = relation_id(relation);
        let known = self.controller.relations.get(&relation.number);
        let own_of_known = application == self.name.application() && known.is_some();
        if !own_of_known {
            self.enter(&relation, application);
        }
        self.controller.set_application_bag(relation.number, application, checked(bag));
    }

    /// From now on it is this unit that leaves, or no longer: `-departed` hooks name it as the departing unit, whichever peer
    /// they are about (contract 5.1).
    pub fn set_leaving(&mut self, leaving: bool) {
        self.leaving = leaving;
    }

    /// From now on the hook command fails with this text; `None` lets it work again.
    pub fn fail_command(&mut self, command: &str, stderr: Option<&str>) {
        match stderr {
            Some(stderr) => self.failing.insert(command.to_owned(), stderr.to_owned()),
            None => self.failing.remove(command),
        };
    }

    /// Lets time pass, as far as the charm can see.
    pub fn pass(&mut self, time: Duration) {
        self.controller.now += time;
    }

    /// Changes what is stored, as if an earlier hook had.
    ///
    /// # Panics
    ///
    /// If the value has no form in JSON.
    #[track_caller]
    pub fn store<T: serde::Serialize + ?Sized>(&mut self, key: &str, value: &T) {
        let kept = self.store.set(key, value).and_then(|_| self.store.commit());
        kept.or_bad(key);
    }

    /// Removes something from what is stored, as if an earlier hook had.
    #[track_caller]
    pub fn unstore(&mut self, key: &str) {
        self.store.unset(key);
        self.store.commit().or_bad(key);
    }

    /// Sets a flag, as if an earlier hook had.
    #[track_caller]
    pub fn set_flag(&mut self, flag: &str) {
        self.store(&format!("{FLAG_PREFIX}{flag}"), &());
    }

    /// Clears a flag, as if an earlier hook had.
    #[track_caller]
    pub fn clear_flag(&mut self, flag: &str) {
        self.unstore(&format!("{FLAG_PREFIX}{flag}"));
    }
}
