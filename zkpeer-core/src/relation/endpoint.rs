//! An endpoint of the charm: its relations, the units there, and the conversations with them.

use crate::ask;
use crate::context::Context;
use crate::error::Error;
use crate::flag;
use crate::juju::UnitName;
use crate::metadata::Role;

use super::conversation::{CONVERSATION_PREFIX, Conversation, FlagValue, LOCAL};
use super::departed;
use super::related::{Relation, Units, is_broken};

/// An endpoint of this charm, with its relations.
#[derive(Clone, Debug)]
pub struct Endpoint {
    context: Context,
    name: String,
}

/// With whom a conversation is (charms.reactive's scopes).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// With each remote unit for itself.
    Unit,
    /// With each remote application for itself; charms.reactive calls it a service.
    Application,
    /// With all there are.
    Global,
    /// With all there are, under a name of the interface's.
    Named(&'static str),
}

impl Endpoint {
    pub(crate) fn new(context: &Context, name: &str) -> Self {
        Self { context: context.clone(), name: name.to_owned() }
    }

    /// The endpoint's name in `metadata.yaml`, by which its flags begin.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The hook's context, for interfaces that need more than relations.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The name of one of its flags: `{relation_name}` and `{endpoint_name}` stand for its name.
    #[must_use]
    pub fn flag(&self, template: &str) -> String {
        flag::expand(template, &self.name)
    }

    /// The relations on this endpoint that this unit has entered, in the order of their numbers; none before `install` has
    /// ended (contract 3.1), and in its `-broken` hook a relation is no longer there.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn relations(&self) -> Result<Vec<Relation>, Error> {
        let mut ids = ask::relation_ids(&self.context, &self.name)?;
        ids.retain(|id| !is_broken(&self.context, id));
        ids.sort();
        Ok(ids.into_iter().map(|id| Relation::new(&self.context, id)).collect())
    }

    /// The relation that this hook is about, if it is one of this endpoint's.
    #[must_use]
    pub fn relation_of_hook(&self) -> Option<Relation> {
        let event = self.context.event().relation().filter(|event| event.id.endpoint == self.name)?;
        Some(Relation::new(&self.context, event.id.clone()))
    }

    /// Whether a unit is joined to it, over any relation.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn is_joined(&self) -> Result<bool, Error> {
        // A unit that this hook is about is there, unless it is leaving.
        let of_hook = self.context.event().relation().filter(|event| event.id.endpoint == self.name);
        if of_hook.is_some_and(|event| event.remote_unit.is_some()) && !self.context.event().is_departed() {
            return Ok(true);
        }
        for relation in self.relations()? {
            if !relation.joined_units()?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The units that have joined, of all its relations: in the order of the relations, and in each of the units' names. A
    /// unit that is related twice is there twice.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn all_joined_units(&self) -> Result<Units, Error> {
        let mut units = Vec::new();
        for relation in self.relations()? {
            units.extend(relation.joined_units()?);
        }
        Ok(Units::in_order(units))
    }

    /// The units that have departed, with what they had published, in the order in which they did; they stay until
    /// [`clear_departed_units`](Self::clear_departed_units), also where the flag `endpoint.NAME.departed` has long been
    /// cleared.
    ///
    /// ```
    /// # use zkpeer_core::metadata::Role;
    /// # use zkpeer_core::{Endpoint, Interface, Log, Result, when};
    /// # struct Website { endpoint: Endpoint }
    /// # impl Interface for Website {
    /// #     const ROLE: Role = Role::Provides;
    /// #     const NAME: &'static str = "http";
    /// #     fn new(endpoint: Endpoint) -> Self { Self { endpoint } }
    /// # }
    /// #[when("endpoint.{endpoint_name}.departed")]
    /// fn forget_proxies(website: Website, log: Log) -> Result {
    ///     for unit in &website.endpoint.all_departed_units()? {
    ///         log.info(&format!("{} has gone, it was at {:?}", unit.name(), unit.received()?.raw("ingress-address")));
    ///     }
    ///     website.endpoint.clear_departed_units()?;
    ///     website.endpoint.clear_flag("endpoint.{endpoint_name}.departed");
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If no handler waits for the flag `endpoint.NAME.departed`: then nobody keeps them.
    pub fn all_departed_units(&self) -> Result<Units, Error> {
        if !self.context.with_automatic(|automatic| automatic.keeps_departed(&self.name)) {
            return Err(Error::NotKept { endpoint: self.name.clone() });
        }
        departed::units(&self.context, &self.name)
    }

    /// All departed units have been seen to: they are forgotten.
    ///
    /// # Errors
    ///
    /// If what is stored of them cannot be read.
    pub fn clear_departed_units(&self) -> Result<(), Error> {
        departed::retain(&self.context, &self.name, |_| false)
    }

    /// This departed unit has been seen to: it is forgotten.
    ///
    /// # Errors
    ///
    /// If what is stored of them cannot be read.
    pub fn remove_departed_unit(&self, unit: &UnitName) -> Result<(), Error> {
        departed::retain(&self.context, &self.name, |other| other != unit)
    }

    /// Whether this unit is the one that leaves (contract 5.1).
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        let departing = self.context.event().relation().and_then(|relation| relation.departing_unit.as_ref());
        departing == Some(&self.context.outside().unit)
    }

    pub(super) fn is_of_peers(&self) -> bool {
        let endpoint = self.context.outside().metadata.endpoints.get(&self.name);
        endpoint.is_some_and(|endpoint| endpoint.role == Role::Peers)
    }

    /// The conversation of this scope with whom the hook is about; it begins with the first call, and the hook's remote
    /// unit takes part from then on.
    ///
    /// There is none if the hook is not one of this endpoint's, or has no remote unit (or application) for the scope: in
    /// `-created` and `-broken`, and in a `-changed` that is about an application's databag (contract 4.2).
    /// charms.reactive makes and stores a conversation with nobody then (F11).
    ///
    /// # Errors
    ///
    /// If it cannot be stored.
    pub fn conversation(&self, scope: Scope) -> Result<Option<Conversation>, Error> {
        let Some(event) = self.context.event().relation().filter(|event| event.id.endpoint == self.name) else {
            return Ok(None);
        };
        let unit = event.remote_unit.as_ref();
        let relation = event.id.to_string();
        let (namespace, partner) = match scope {
            Scope::Unit => (relation.as_str(), unit.map(UnitName::as_str)),
            Scope::Application => {
                let of_unit = unit.map(UnitName::application);
                (relation.as_str(), event.remote_application.as_deref().or(of_unit))
            }
            Scope::Global => (self.name.as_str(), Some("global")),
            Scope::Named(name) => (self.name.as_str(), Some(name)),
        };
        let Some(partner) = partner else { return Ok(None) };
        Conversation::begin(&self.context, namespace, partner, unit).map(Some)
    }

    /// All conversations on this endpoint, in the order of their keys; those with departed partners included as long as
    /// one of them has a flag.
    #[must_use]
    pub fn conversations(&self) -> Vec<Conversation> {
        self.conversations_of(|_| true)
    }

    /// Those of them whose scope is wanted.
    pub(super) fn conversations_of(&self, wanted: impl Fn(&str) -> bool) -> Vec<Conversation> {
        // An endpoint's name is followed by a relation's number, or by a scope.
        let of_endpoint = |key: &String| key.strip_prefix(&self.name).is_some_and(|rest| rest.starts_with([':', '.']));
        let keys = self.context.keys(CONVERSATION_PREFIX).into_iter().filter(|key| !key.contains(LOCAL));
        let of_scope = |key: &String| key.split_once('.').is_some_and(|(_, scope)| wanted(scope));
        let keys = keys.filter(of_endpoint).filter(of_scope).map(|key| format!("{CONVERSATION_PREFIX}{key}"));
        keys.filter_map(|key| Conversation::of_key(&self.context, &key)).collect()
    }

    /// The conversations that have a flag, in the order in which they got it.
    ///
    /// # Errors
    ///
    /// If the flag's value is not one of conversations.
    pub fn conversations_in(&self, flag: &str) -> Result<Vec<Conversation>, Error> {
        let value: Option<Option<FlagValue>> = self.context.flag_value(&self.flag(flag))?;
        let keys = value.flatten().map(|value| value.conversations).unwrap_or_default();
        Ok(keys.iter().filter_map(|key| Conversation::of_key(&self.context, key)).collect())
    }

    /// Sets a flag that is named after the endpoint, such as `{endpoint_name}.ready`.
    pub fn set_flag(&self, flag: &str) {
        self.context.set_flag(&self.flag(flag));
    }

    /// Whether the flag is set, as such or for a conversation.
    #[must_use]
    pub fn is_flag_set(&self, flag: &str) -> bool {
        self.context.is_set(&self.flag(flag))
    }

    /// Sets the flag or clears it.
    pub fn toggle_flag(&self, flag: &str, set: bool) {
        if set { self.set_flag(flag) } else { self.clear_flag(flag) }
    }

    /// Clears a flag that is named after the endpoint: an automatic one, one of the interface's, or one of conversations, which is
    /// taken from all of them at once. Of conversations whose partner has departed nothing is left at the end of the hook.
    pub fn clear_flag(&self, flag: &str) {
        self.context.clear_flag(&self.flag(flag));
    }
}
