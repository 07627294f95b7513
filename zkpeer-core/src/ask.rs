//! Questions to Juju, each asked once a hook, and only when somebody wants to know.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::context::Context;
use crate::error::Error;
use crate::juju::{Bag, BagOwner, RelationId, Side, UnitName};

/// For how long Juju guarantees leadership after it has said yes (contract 3.3).
const LEADERSHIP: Duration = Duration::from_secs(30);

/// Juju's answers in this hook.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    pub(crate) relation_ids: BTreeMap<String, Vec<RelationId>>,
    pub(crate) members: BTreeMap<RelationId, Vec<UnitName>>,
    pub(crate) bags: BTreeMap<(RelationId, BagOwner), Rc<Bag>>,
    pub(crate) config: Option<Rc<BTreeMap<String, Value>>>,
    pub(crate) leader_settings: Option<Bag>,
    pub(crate) controller_state: Option<Bag>,
    /// The answer and when it was given.
    pub(crate) is_leader: Option<(bool, Duration)>,
}

/// The relations on an endpoint; asked once a hook.
pub(crate) fn relation_ids(context: &Context, endpoint: &str) -> Result<Vec<RelationId>, Error> {
    if let Some(ids) = context.cache().borrow().relation_ids.get(endpoint) {
        return Ok(ids.clone());
    }
    let ids = context.juju().relation_ids(endpoint)?;
    context.cache().borrow_mut().relation_ids.insert(endpoint.to_owned(), ids.clone());
    Ok(ids)
}

/// The remote units that have joined so far; asked once a hook.
pub(crate) fn members(context: &Context, relation: &RelationId) -> Result<Vec<UnitName>, Error> {
    if let Some(members) = context.cache().borrow().members.get(relation) {
        return Ok(members.clone());
    }
    let members = context.juju().relation_list(relation)?;
    context.cache().borrow_mut().members.insert(relation.clone(), members.clone());
    Ok(members)
}

/// The application on the other side of a relation.
pub(crate) fn remote_application(context: &Context, relation: &RelationId) -> Result<String, Error> {
    if let Some(unit) = context.cache().borrow().members.get(relation).and_then(|members| members.first()) {
        return Ok(unit.application().to_owned());
    }
    Ok(context.juju().relation_application(relation)?)
}

/// Whose databag this side's own one is.
pub(crate) fn own(context: &Context, side: Side) -> BagOwner {
    let unit = &context.outside().unit;
    match side {
        Side::Unit => BagOwner::Unit(unit.clone()),
        Side::Application => BagOwner::Application(unit.application().to_owned()),
    }
}

/// A databag as Juju has it; asked once a hook.
pub(crate) fn bag(context: &Context, relation: &RelationId, owner: BagOwner) -> Result<Rc<Bag>, Error> {
    let key = (relation.clone(), owner);
    if let Some(bag) = context.cache().borrow().bags.get(&key) {
        return Ok(Rc::clone(bag));
    }
    let bag = Rc::new(context.juju().relation_get(relation, &key.1)?);
    context.cache().borrow_mut().bags.insert(key, Rc::clone(&bag));
    Ok(bag)
}

/// The configuration; asked once a hook.
pub(crate) fn config(context: &Context) -> Result<Rc<BTreeMap<String, Value>>, Error> {
    if let Some(config) = &context.cache().borrow().config {
        return Ok(Rc::clone(config));
    }
    let config = Rc::new(context.juju().config_get()?);
    context.cache().borrow_mut().config = Some(Rc::clone(&config));
    Ok(config)
}

/// What this unit keeps in the controller; asked once a hook.
pub(crate) fn controller_state(context: &Context, key: &str) -> Result<Option<String>, Error> {
    if let Some(state) = &context.cache().borrow().controller_state {
        return Ok(state.get(key).cloned());
    }
    let state = context.juju().state_get()?;
    let value = state.get(key).cloned();
    context.cache().borrow_mut().controller_state = Some(state);
    Ok(value)
}

/// Whether this unit leads: asked anew when the last answer is older than Juju guarantees.
pub(crate) fn is_leader(context: &Context) -> Result<bool, Error> {
    let known = context.cache().borrow().is_leader;
    match known {
        Some((answer, at)) if (context.outside().clock)().saturating_sub(at) < LEADERSHIP => Ok(answer),
        _ => is_leader_now(context),
    }
}

/// Whether this unit leads at this moment.
pub(crate) fn is_leader_now(context: &Context) -> Result<bool, Error> {
    let answer = context.juju().is_leader()?;
    context.cache().borrow_mut().is_leader = Some((answer, (context.outside().clock)()));
    Ok(answer)
}
