//! Relations, and the remote units that are in them.

use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use serde::Serialize;

use super::databag::Databag;
use crate::ask;
use crate::context::Context;
use crate::error::Error;
use crate::juju::{Bag, BagOwner, RelationId, Side, UnitName};
use crate::metadata::Role;
use crate::store::Json;

/// How much a databag holds, in bytes (contract 4.6: 16 MiB).
const MOST_IN_A_BAG: usize = 16 << 20;

/// One relation of an endpoint: who is in it, and the databags on both sides.
///
/// What is published is gathered, and sent at the end of the hook if it has succeeded, and only what differs from what is
/// there. It is seen at once in [`published`](Self::published).
///
/// ```
/// use zkpeer_core::metadata::Role;
/// use zkpeer_core::{Endpoint, Interface, Result, Unit, when};
///
/// struct Website {
///     endpoint: Endpoint,
/// }
///
/// impl Interface for Website {
///     const ROLE: Role = Role::Provides;
///     const NAME: &'static str = "http";
///
///     fn new(endpoint: Endpoint) -> Self {
///         Self { endpoint }
///     }
/// }
///
/// #[when("endpoint.{endpoint_name}.joined")]
/// fn serve(website: Website, unit: Unit) -> Result {
///     for relation in website.endpoint.relations()? {
///         relation.publish("port", &8080)?;
///         relation.publish_raw("hostname", &unit.private_address()?)?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Relation {
    context: Context,
    id: RelationId,
}

impl Relation {
    pub(crate) fn new(context: &Context, id: RelationId) -> Self {
        Self { context: context.clone(), id }
    }

    /// Its id, such as `db:3`.
    #[must_use]
    pub fn id(&self) -> &RelationId {
        &self.id
    }

    /// The name of the endpoint on this side.
    #[must_use]
    pub fn endpoint_name(&self) -> &str {
        &self.id.endpoint
    }

    /// The application on the other side; of a peer relation it is one's own, also where there is one unit only.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn application(&self) -> Result<String, Error> {
        let outside = self.context.outside();
        let endpoint = outside.metadata.endpoints.get(&self.id.endpoint);
        if endpoint.is_some_and(|endpoint| endpoint.role == Role::Peers) {
            return Ok(outside.unit.application().to_owned());
        }
        let event = self.context.event().relation().filter(|event| event.id == self.id);
        if let Some(name) = event.and_then(|event| event.remote_application.clone()) {
            return Ok(name);
        }
        ask::remote_application(&self.context, &self.id)
    }

    /// The remote units that have joined and have not departed, in the order of their names, as this unit sees it
    /// (contract 4.1).
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn joined_units(&self) -> Result<Units, Error> {
        let mut names = ask::members(&self.context, &self.id)?;
        names.sort();
        Ok(Units(names.into_iter().map(|name| RelatedUnit::new(self.clone(), name)).collect()))
    }

    /// What the application on the other side has published. In a peer relation that is one's own: as in
    /// [`published_app`](Self::published_app), this hook's words are included.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn received_app(&self) -> Result<Databag, Error> {
        let name = self.application()?;
        if name == self.context.outside().unit.application() {
            return self.published_app();
        }
        let bag = ask::bag(&self.context, &self.id, BagOwner::Application(name.clone()))?;
        Ok(Databag::new(&self.id, name, bag))
    }

    /// What this unit has published, this hook's words included.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn published(&self) -> Result<Databag, Error> {
        self.own(Side::Unit)
    }

    /// What this unit's application has published, this hook's words included. In a peer relation every unit may look at
    /// it, in others the leader only (contract 4.6).
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn published_app(&self) -> Result<Databag, Error> {
        self.own(Side::Application)
    }

    /// Publishes a value for this unit, as JSON.
    ///
    /// # Errors
    ///
    /// If the value has no form in JSON, or is more than a databag holds (16 MiB); if the key is empty; if the relation
    /// is one that this unit is not in, or is about to leave: its `-broken` hook, in which nobody reads it any more.
    pub fn publish<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Error> {
        self.write(Side::Unit, key, &self.json(key, value)?.to_string())
    }

    /// Publishes a text for this unit as it is, for interfaces that do not speak JSON. An empty one removes the key.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    pub fn publish_raw(&self, key: &str, value: &str) -> Result<(), Error> {
        self.write(Side::Unit, key, value)
    }

    /// Publishes each field of a struct, or each entry of a map, for this unit under its name, as JSON; one that is none is
    /// removed.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish), and if it is not a struct or map.
    pub fn publish_all<T: Serialize + ?Sized>(&self, values: &T) -> Result<(), Error> {
        self.write_all(Side::Unit, values)
    }

    /// Removes a key from what this unit has published.
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish).
    pub fn unpublish(&self, key: &str) -> Result<(), Error> {
        self.write(Side::Unit, key, "")
    }

    /// Publishes a value for this unit's application, as JSON. Only the leader may; the other side reads it with
    /// [`received_app`](Self::received_app).
    ///
    /// ```
    /// # use zkpeer_core::metadata::Role;
    /// # use zkpeer_core::{Endpoint, Interface, Result, when};
    /// # struct Website { endpoint: Endpoint }
    /// # impl Interface for Website {
    /// #     const ROLE: Role = Role::Provides;
    /// #     const NAME: &'static str = "http";
    /// #     fn new(endpoint: Endpoint) -> Self { Self { endpoint } }
    /// # }
    /// #[when("leadership.is_leader", "endpoint.website.joined")]
    /// fn announce(website: Website) -> Result {
    ///     for relation in website.endpoint.relations()? {
    ///         relation.publish_app("hosts", &["10.0.0.1", "10.0.0.2"])?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`publish`](Self::publish), and [`Error::NotLeader`].
    pub fn publish_app<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Error> {
        self.write(Side::Application, key, &self.json(key, value)?.to_string())
    }

    /// Publishes a text for this unit's application as it is. Only the leader may.
    ///
    /// # Errors
    ///
    /// As for [`publish_app`](Self::publish_app).
    pub fn publish_app_raw(&self, key: &str, value: &str) -> Result<(), Error> {
        self.write(Side::Application, key, value)
    }

    /// Publishes each field of a struct for this unit's application, as JSON; one that is none is removed. Only the leader
    /// may.
    ///
    /// # Errors
    ///
    /// As for [`publish_app`](Self::publish_app), and if it is not a struct or map.
    pub fn publish_app_all<T: Serialize + ?Sized>(&self, values: &T) -> Result<(), Error> {
        self.write_all(Side::Application, values)
    }

    /// Removes a key from what this unit's application has published. Only the leader may.
    ///
    /// # Errors
    ///
    /// As for [`publish_app`](Self::publish_app).
    pub fn unpublish_app(&self, key: &str) -> Result<(), Error> {
        self.write(Side::Application, key, "")
    }

    fn own(&self, side: Side) -> Result<Databag, Error> {
        let owner = ask::own(&self.context, side);
        let mut bag = ask::bag(&self.context, &self.id, owner.clone())?;
        if let Some(pending) = self.context.outbox().borrow().bags.get(&(self.id.clone(), side)) {
            let bag = Rc::make_mut(&mut bag);
            for (key, value) in pending {
                if value.is_empty() {
                    bag.remove(key);
                } else {
                    bag.insert(key.clone(), value.clone());
                }
            }
        }
        Ok(Databag::new(&self.id, owner, bag))
    }

    fn json<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<Json, Error> {
        Json::from_serialize(value).map_err(|source| self.refused(key, source))
    }

    fn write_all<T: Serialize + ?Sized>(&self, side: Side, values: &T) -> Result<(), Error> {
        let Json::Object(values) = self.json("", values)? else {
            return Err(self.refused("", "it is neither a struct nor a map, whose fields could be keys"));
        };
        self.check(side, "")?;
        for (key, value) in values.iter() {
            let text = if *value == Json::Null { String::new() } else { value.to_string() };
            self.put(side, &key.to_string_lossy(), &text)?;
        }
        Ok(())
    }

    fn write(&self, side: Side, key: &str, value: &str) -> Result<(), Error> {
        self.check(side, key)?;
        self.put(side, key, value)
    }

    /// Publishes texts for the application, as they are.
    pub(crate) fn publish_app_raw_all(&self, values: &Bag) -> Result<(), Error> {
        self.check(Side::Application, "")?;
        values.iter().try_for_each(|(key, value)| self.put(Side::Application, key, value))
    }

    /// Whether this unit may publish anything there.
    fn check(&self, side: Side, key: &str) -> Result<(), Error> {
        if is_broken(&self.context, &self.id) {
            return Err(
                self.refused(key, "the relation goes away, this is its last hook, and nobody reads it any more")
            );
        }
        let is_of_hook = self.context.event().relation().is_some_and(|event| event.id == self.id);
        if !is_of_hook && !ask::relation_ids(&self.context, &self.id.endpoint)?.contains(&self.id) {
            return Err(self.refused(key, "this unit is not in this relation, or no longer"));
        }
        if side == Side::Application && !ask::is_leader_now(&self.context)? {
            return Err(Error::NotLeader);
        }
        Ok(())
    }

    fn put(&self, side: Side, key: &str, value: &str) -> Result<(), Error> {
        if key.is_empty() {
            return Err(self.refused(key, "a key has at least one character"));
        }
        let mut outbox = self.context.outbox().borrow_mut();
        let pending = outbox.bags.entry((self.id.clone(), side)).or_default();
        let others = pending.iter().filter(|(other, _)| *other != key);
        let size: usize = others.map(|(key, value)| key.len() + value.len()).sum();
        if size + key.len() + value.len() > MOST_IN_A_BAG {
            return Err(self.refused(key, "a databag holds no more than 16 MiB"));
        }
        pending.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn refused(&self, key: &str, reason: impl fmt::Display) -> Error {
        Error::NotPublished { relation: self.id.clone(), key: key.to_owned(), reason: reason.to_string() }
    }
}

/// Whether this hook is the last of the relation.
pub(super) fn is_broken(context: &Context, relation: &RelationId) -> bool {
    let event = context.event();
    event.name().ends_with("-relation-broken") && event.relation().is_some_and(|event| event.id == *relation)
}

/// A remote unit in a relation.
#[derive(Clone, Debug)]
pub struct RelatedUnit {
    relation: Relation,
    name: UnitName,
    /// What it had published when it departed.
    last: Option<Databag>,
}

impl RelatedUnit {
    pub(crate) fn new(relation: Relation, name: UnitName) -> Self {
        Self { relation, name, last: None }
    }

    pub(super) fn departed(relation: Relation, name: UnitName, last: Databag) -> Self {
        Self { relation, name, last: Some(last) }
    }

    /// Its name, such as `wiki/0`.
    #[must_use]
    pub fn name(&self) -> &UnitName {
        &self.name
    }

    /// The name of its application.
    #[must_use]
    pub fn application(&self) -> &str {
        self.name.application()
    }

    /// The relation that it is in, or was in.
    #[must_use]
    pub fn relation(&self) -> &Relation {
        &self.relation
    }

    /// What it has published; of a departed unit, what it had published when it departed. Read once a hook.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn received(&self) -> Result<Databag, Error> {
        if let Some(last) = &self.last {
            return Ok(last.clone());
        }
        let bag = ask::bag(&self.relation.context, self.relation.id(), BagOwner::Unit(self.name.clone()))?;
        Ok(Databag::new(self.relation.id(), &self.name, bag))
    }

    /// The same for a unit that departs, of which Juju may know nothing any more (contract 5.2).
    pub(super) fn received_or_nothing(&self) -> Result<Bag, Error> {
        match self.received() {
            Ok(databag) => Ok(databag.bag().clone()),
            Err(Error::Juju(error)) if error.is_relation_not_found() => Ok(Bag::new()),
            Err(error) => Err(error),
        }
    }
}

/// Remote units, in order; a slice of [`RelatedUnit`], and what they have published taken together.
#[derive(Clone, Debug)]
pub struct Units(Vec<RelatedUnit>);

impl Units {
    pub(super) fn in_order(units: Vec<RelatedUnit>) -> Self {
        Self(units)
    }

    /// The first unit of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&RelatedUnit> {
        self.0.iter().find(|unit| unit.name == *name)
    }

    /// What all of them have published, as if it were one databag: of a key that several have published, the first unit's
    /// value. Where units may differ it is better to look at each by itself.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn received(&self) -> Result<Databag, Error> {
        Databag::merged(self.0.iter().map(RelatedUnit::received))
    }
}

impl Deref for Units {
    type Target = [RelatedUnit];

    fn deref(&self) -> &[RelatedUnit] {
        &self.0
    }
}

impl IntoIterator for Units {
    type Item = RelatedUnit;
    type IntoIter = std::vec::IntoIter<RelatedUnit>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'u> IntoIterator for &'u Units {
    type Item = &'u RelatedUnit;
    type IntoIter = std::slice::Iter<'u, RelatedUnit>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}
