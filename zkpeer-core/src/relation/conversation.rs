//! Conversations: what goes on with one partner, over all hooks from joining to departing.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::endpoint::Endpoint;
use crate::ask;
use crate::context::{Context, FLAG_PREFIX};
use crate::error::Error;
use crate::flag;
use crate::juju::{Bag, BagOwner, RelationId, Side, UnitName};
use crate::trigger::Edge;

pub(crate) const CONVERSATION_PREFIX: &str = "reactive.conversations.";
/// The part of a key behind a conversation's own, before the name of a local value.
pub(crate) const LOCAL: &str = ".local-data.";
/// Marks a conversation whose last unit has gone; the conversation's own key comes behind.
const DEPARTED_PREFIX: &str = "zkpeer.departed.";

/// The value of a flag that conversations have, as charms.reactive stores it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct FlagValue {
    relation: String,
    pub(crate) conversations: Vec<String>,
}

/// What is stored of a conversation: exactly these fields, one more and charms.reactive fails on it (tried).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) namespace: String,
    pub(crate) scope: String,
    pub(crate) units: BTreeSet<String>,
}

impl Record {
    pub(crate) fn key(&self) -> String {
        format!("{CONVERSATION_PREFIX}{}.{}", self.namespace, self.scope)
    }
}

/// What is going on with one partner, over all hooks from joining to departing: flags and values for it alone.
///
/// The flag of a conversation is a flag of the charm that stands as long as at least one conversation has it.
///
/// A conversation whose last unit has departed stays, with its unit's name and its local values, until the last of its
/// flags is cleared (difference D8); charms.reactive forgets it at the end of the `-departed` hook, and its flags can then
/// never be cleared (R4).
#[derive(Clone, Debug)]
pub struct Conversation {
    context: Context,
    key: String,
    record: Record,
}

impl Conversation {
    fn new(context: &Context, namespace: &str, scope: &str) -> Self {
        let record = Record { namespace: namespace.to_owned(), scope: scope.to_owned(), units: BTreeSet::new() };
        Self { context: context.clone(), key: record.key(), record }
    }

    /// The conversation of a key that a flag names. If there is no record that can be understood, as where charms.reactive
    /// has forgotten a departed unit, it is made good from the key.
    pub(super) fn of_key(context: &Context, key: &str) -> Option<Self> {
        let (namespace, scope) = key.strip_prefix(CONVERSATION_PREFIX)?.split_once('.')?;
        let mut conversation = Self::new(context, namespace, scope);
        match conversation.read() {
            Some(record) => conversation.record = record,
            None if scope.contains('/') => drop(conversation.record.units.insert(scope.to_owned())),
            None => {}
        }
        Some(conversation)
    }

    /// The record, if there is one that can be understood: charms.reactive has left some with `null` in them (F11).
    fn read(&self) -> Option<Record> {
        self.context.get(&self.key).ok().flatten()
    }

    /// The conversation of a hook with this partner, in which the hook's remote unit takes part from now on.
    pub(super) fn begin(
        context: &Context,
        namespace: &str,
        partner: &str,
        unit: Option<&UnitName>,
    ) -> Result<Self, Error> {
        let mut conversation = Self::new(context, namespace, partner);
        if let Some(record) = conversation.read() {
            conversation.record = record;
        }
        if let Some(unit) = unit {
            if conversation.is_marked_departed() {
                // What is left of it is the name of the last unit that went.
                conversation.record.units.clear();
                context.unset(&conversation.departed_key());
            }
            conversation.record.units.insert(unit.to_string());
            conversation.write()?;
        }
        Ok(conversation)
    }

    fn write(&self) -> Result<(), Error> {
        Ok(self.context.set(&self.key, &self.record)?)
    }

    fn departed_key(&self) -> String {
        format!("{DEPARTED_PREFIX}{}", self.key)
    }

    fn is_marked_departed(&self) -> bool {
        self.context.contains(&self.departed_key())
    }

    /// The key under which it is stored; also its name in the values of flags.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The units that take part; of a departed partner, the last.
    pub fn units(&self) -> impl Iterator<Item = &str> {
        self.record.units.iter().map(String::as_str)
    }

    /// With whom it is: a unit, an application, or the name of the scope.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.record.scope
    }

    /// Whether its partner has departed, in this hook or an earlier one.
    #[must_use]
    pub fn has_departed(&self) -> bool {
        self.is_over() || self.is_departing()
    }

    /// Whether its partner departed in an earlier hook.
    fn is_over(&self) -> bool {
        // One that charms.reactive has forgotten has a unit, and no record.
        let is_forgotten = !self.context.contains(&self.key) && !self.record.units.is_empty();
        is_forgotten || self.is_marked_departed()
    }

    /// Whether this hook is the one in which its last unit departs.
    fn is_departing(&self) -> bool {
        let Some((relation, unit)) = departing(&self.context) else { return false };
        self.is_over_relation(relation) && self.record.units.len() == 1 && self.record.units.contains(unit.as_str())
    }

    fn is_over_relation(&self, relation: &RelationId) -> bool {
        self.record.namespace == relation.endpoint || self.record.namespace == relation.to_string()
    }

    fn endpoint_name(&self) -> &str {
        self.record.namespace.split(':').next().unwrap_or_default()
    }

    /// The relations it goes over: one, or all on the endpoint if it is with all there are.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn relations(&self) -> Result<Vec<RelationId>, Error> {
        match self.record.namespace.parse() {
            Ok(relation) => Ok(vec![relation]),
            Err(_) => ask::relation_ids(&self.context, self.endpoint_name()),
        }
    }

    fn flag_name(&self, template: &str) -> String {
        flag::expand(template, self.endpoint_name())
    }

    fn flag_value(&self, name: &str) -> Option<FlagValue> {
        match self.context.flag_value::<Option<FlagValue>>(name) {
            Ok(value) => value.flatten(),
            Err(error) => {
                self.context.fail(error.into());
                None
            }
        }
    }

    /// Gives it the flag, which is then set.
    pub fn set_flag(&self, flag: &str) {
        let name = self.flag_name(flag);
        if !self.context.check_name(&name) {
            return;
        }
        let mut value = self.flag_value(&name).unwrap_or_default();
        value.relation = self.endpoint_name().to_owned();
        if !value.conversations.contains(&self.key) {
            value.conversations.push(self.key.clone());
        }
        self.context.set_flag_value(&name, &value);
    }

    /// Takes the flag from it; the flag is cleared when no conversation has it any longer.
    pub fn clear_flag(&self, flag: &str) {
        let name = self.flag_name(flag);
        let Some(mut value) = self.flag_value(&name) else { return };
        value.conversations.retain(|key| *key != self.key);
        if value.conversations.is_empty() {
            self.context.change_flag(&name, Edge::Cleared);
        } else {
            self.context.set_flag_value(&name, &value);
        }
        if self.is_over() && !flagged(&self.context).contains(&self.key) {
            self.forget();
        }
    }

    /// Whether it has the flag.
    #[must_use]
    pub fn is_flag_set(&self, flag: &str) -> bool {
        self.flag_value(&self.flag_name(flag)).is_some_and(|value| value.conversations.contains(&self.key))
    }

    /// Gives it the flag or takes it.
    pub fn toggle_flag(&self, flag: &str, set: bool) {
        if set { self.set_flag(flag) } else { self.clear_flag(flag) }
    }

    fn local_key(&self, name: &str) -> String {
        format!("{}{LOCAL}{name}", self.key)
    }

    /// A value kept with the conversation, on this unit only.
    ///
    /// # Errors
    ///
    /// If the stored value is not of the type that is asked for.
    pub fn get_local<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        Ok(self.context.get(&self.local_key(name))?)
    }

    /// Keeps a value with the conversation, on this unit only.
    ///
    /// # Errors
    ///
    /// If the value has no form in JSON.
    pub fn set_local<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        Ok(self.context.set(&self.local_key(name), value)?)
    }

    /// A value that the partner has published: the first that is not empty, of the units that take part, the one that
    /// departs in this hook included. Of a partner or a relation that is gone there is none.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn get_remote(&self, key: &str) -> Result<Option<String>, Error> {
        for bag in self.remote_bags()? {
            if let Some(value) = bag.get(key).filter(|value| !value.is_empty()) {
                return Ok(Some(value.clone()));
            }
        }
        Ok(None)
    }

    /// All that the partner has published, as [`get_remote`](Self::get_remote) gives it key by key.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn remote(&self) -> Result<Bag, Error> {
        let mut all = Bag::new();
        for bag in self.remote_bags()? {
            for (key, value) in bag.iter().filter(|(_, value)| !value.is_empty()) {
                all.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
        Ok(all)
    }

    /// The databags of the units that take part, in their order, relation by relation.
    fn remote_bags(&self) -> Result<Vec<Rc<Bag>>, Error> {
        let mut bags = Vec::new();
        for relation in self.relations()? {
            for unit in self.units_over(&relation)? {
                match ask::bag(&self.context, &relation, BagOwner::Unit(unit)) {
                    Ok(bag) => bags.push(bag),
                    Err(Error::Juju(error)) if error.is_relation_not_found() => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(bags)
    }

    fn units_over(&self, relation: &RelationId) -> Result<Vec<UnitName>, Error> {
        // With one unit there is nobody to look for: Juju need not be asked who is there.
        if let Some(unit) = self.record.units.get(&self.record.scope).and_then(|unit| unit.parse().ok()) {
            return Ok(vec![unit]);
        }
        let gone = departing(&self.context).filter(|(of, _)| *of == relation).map(|(_, unit)| unit.clone());
        let members = match ask::members(&self.context, relation) {
            Err(Error::Juju(error)) if error.is_relation_not_found() => Vec::new(),
            members => members?,
        };
        Ok(members.into_iter().chain(gone).filter(|unit| self.record.units.contains(unit.as_str())).collect())
    }

    /// Publishes a value to the partner when the hook has succeeded, in this unit's databag of each of its relations; an
    /// empty value removes the key. A partner that has departed is told nothing.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn set_remote(&self, key: &str, value: &str) -> Result<(), Error> {
        if self.has_departed() {
            return Ok(());
        }
        for relation in self.relations()? {
            let mut outbox = self.context.outbox().borrow_mut();
            outbox.bags.entry((relation, Side::Unit)).or_default().insert(key.to_owned(), value.to_owned());
        }
        Ok(())
    }

    /// Its partner has gone, although Juju has not told: it is as after the hook of the departure.
    ///
    /// # Errors
    ///
    /// If it cannot be stored.
    pub fn end(&self) -> Result<(), Error> {
        Ok(self.context.set(&self.departed_key(), &true)?)
    }

    /// A unit has gone. The last one's name is kept as long as the conversation has a flag.
    fn depart(mut self, unit: &str) -> Result<(), Error> {
        if self.record.units.len() > 1 {
            self.record.units.remove(unit);
            return self.write();
        }
        self.end()
    }

    fn forget(&self) {
        self.context.unset(&self.key);
        self.context.unset(&self.departed_key());
        let locals = format!("{}{LOCAL}", self.key);
        for name in self.context.keys(&locals) {
            self.context.unset(&format!("{locals}{name}"));
        }
    }
}

/// The unit that departs in this hook, and over which relation. If it is this unit that leaves its peers, none of them
/// departs (difference D7).
fn departing(context: &Context) -> Option<(&RelationId, &UnitName)> {
    let event = context.event();
    let relation = event.relation().filter(|_| event.is_departed())?;
    let endpoint = Endpoint::new(context, &relation.id.endpoint);
    let leaves_peers = endpoint.is_leaving() && endpoint.is_of_peers();
    Some((&relation.id, relation.remote_unit.as_ref().filter(|_| !leaves_peers)?))
}

/// The keys of all conversations that have a flag.
fn flagged(context: &Context) -> BTreeSet<String> {
    let flags = context.keys(FLAG_PREFIX);
    let values = flags.iter().filter_map(|flag| context.flag_value::<Option<FlagValue>>(flag).ok()??);
    values.flat_map(|value| value.conversations).collect()
}

/// At the end of a hook: a unit that has departed leaves all conversations of the relation, whatever their scope (difference
/// D12; charms.reactive looks at those of scope unit only), and departed conversations that have no flag are forgotten.
pub(crate) fn at_end(context: &Context) -> Result<(), Error> {
    if let Some((relation, unit)) = departing(context) {
        let endpoint = Endpoint::new(context, &relation.endpoint);
        let is_left = |conversation: &Conversation| {
            conversation.is_over_relation(relation) && conversation.record.units.contains(unit.as_str())
        };
        let is_shared_or_its_own = |scope: &str| !scope.contains('/') || scope == unit.as_str();
        let mut left = endpoint.conversations_of(is_shared_or_its_own).into_iter().filter(is_left);
        left.try_for_each(|left| left.depart(unit.as_str()))?;
    }
    let departed = context.keys(DEPARTED_PREFIX);
    if departed.is_empty() {
        return Ok(());
    }
    let flagged = flagged(context);
    for key in departed.iter().filter(|key| !flagged.contains(*key)) {
        if let Some(conversation) = Conversation::of_key(context, key) {
            conversation.forget();
        }
    }
    Ok(())
}
