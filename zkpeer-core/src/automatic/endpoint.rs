//! The flags of an endpoint: whether somebody is joined, what has changed, that somebody has departed.
//!
//! Membership changes in the endpoint's own hooks only (contract 4.1), so that other hooks ask nothing.

use super::toggle;
use crate::context::Context;
use crate::error::Error;
use crate::hash::Hash;
use crate::relation::{Endpoint, RelatedUnit, departed};
use crate::trigger::Edge;

const JOINED: &str = "endpoint.{endpoint_name}.joined";
const CHANGED: &str = "endpoint.{endpoint_name}.changed";
const DEPARTED: &str = "endpoint.{endpoint_name}.departed";

/// Where the hashes of what each unit has published are kept, as charms.reactive keeps them.
const DATA: &str = "reactive.data_changed.endpoint.";
/// The endpoint of this name has been looked at, and every hook of it since.
const LOOKED_AT: &str = "zkpeer.endpoints.";

/// The endpoint whose automatic flag this is.
pub(super) fn of_flag(flag: &str) -> Option<&str> {
    let (endpoint, flag) = flag.strip_prefix("endpoint.")?.split_once('.')?;
    let is_automatic = matches!(flag, "joined" | "changed" | "departed") || flag.starts_with("changed.");
    is_automatic.then_some(endpoint)
}

/// Which flags of an endpoint are kept up: those for which somebody waits, and `joined` with each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KeptUp {
    changed: bool,
    pub(super) departed: bool,
}

impl KeptUp {
    /// Somebody waits for this flag.
    pub(super) fn add(&mut self, flag: &str) {
        match flag.splitn(3, '.').nth(2) {
            Some("joined") | None => {}
            Some("departed") => self.departed = true,
            Some(_) => self.changed = true,
        }
    }
}

/// Brings the flags up to date. Of an endpoint for whose flags nobody waits, `joined` only: what has changed since when is not
/// known.
pub(super) fn refresh(context: &Context, name: &str) -> Result<(), Error> {
    if !context.outside().metadata.endpoints.contains_key(name) {
        return Ok(());
    }
    let endpoint = Endpoint::new(context, name);
    let Some(kept_up) = context.with_automatic(|automatic| automatic.kept_up(name)) else {
        toggle(context, &endpoint.flag(JOINED), endpoint.is_joined()?);
        return Ok(());
    };
    let unit = endpoint.relation_of_hook().and_then(|relation| {
        let name = context.event().relation()?.remote_unit.clone()?;
        Some(RelatedUnit::new(relation, name))
    });
    let departs = unit.as_ref().filter(|_| kept_up.departed && context.event().is_departed());
    if let Some(unit) = departs {
        departed::note(context, unit)?;
    }

    let was_joined = context.is_set(&endpoint.flag(JOINED));
    let is_joined = if is_to_be_looked_at(context, name) { endpoint.is_joined()? } else { was_joined };
    toggle(context, &endpoint.flag(JOINED), is_joined);
    if departs.is_some() {
        context.change_flag(&endpoint.flag(DEPARTED), Edge::Set);
    } else if is_joined && kept_up.departed {
        context.change_flag(&endpoint.flag(DEPARTED), Edge::Cleared);
    }

    if !kept_up.changed {
        return Ok(());
    }
    // What a unit has published is looked at in its own hooks, all at the first join (difference D15).
    if is_joined && !was_joined {
        for unit in &endpoint.all_joined_units()? {
            compare(context, &endpoint, unit)?;
        }
    } else if let Some(unit) = unit.filter(|_| !context.event().is_departed()) {
        compare(context, &endpoint, &unit)?;
    }
    Ok(())
}

/// Whether it may have changed who is joined: in the hooks of a unit that comes or goes, in the last of a relation, and when
/// this charm has not been there for all of them.
fn is_to_be_looked_at(context: &Context, name: &str) -> bool {
    let marker = format!("{LOOKED_AT}{name}");
    let is_new = !context.contains(&marker);
    if is_new && let Err(error) = context.set(&marker, &true) {
        context.fail(error.into());
    }
    let event = context.event();
    let own = event.relation().filter(|relation| relation.id.endpoint == name);
    let may_change = own.is_some_and(|own| own.remote_unit.is_some() || event.name().ends_with("-relation-broken"));
    is_new || may_change || event.is_hook("upgrade-charm")
}

/// Sets the flags of what differs from when it was last looked at; a key that is gone is no change.
fn compare(context: &Context, endpoint: &Endpoint, unit: &RelatedUnit) -> Result<(), Error> {
    let received = unit.received()?;
    for (key, value) in received.decoded() {
        let stored = format!("{DATA}{}.{}.{}.{key}", endpoint.name(), unit.relation().id(), unit.name());
        let hash = Hash::default().of_text(&value.to_string());
        if context.get(&stored)?.as_ref() != Some(&hash) {
            context.set(&stored, &hash)?;
            context.change_flag(&endpoint.flag(CHANGED), Edge::Set);
            // Whatever the key: what others publish makes no hook fail.
            context.change_flag(&format!("{}.{key}", endpoint.flag(CHANGED)), Edge::Set);
        }
    }
    Ok(())
}

/// The flags of an endpoint for which nobody waits are those of one hook.
pub(super) fn forget(context: &Context, name: &str) {
    let endpoint = Endpoint::new(context, name);
    context.unset(&format!("{}{}", crate::context::FLAG_PREFIX, endpoint.flag(JOINED)));
}
