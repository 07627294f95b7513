//! What a hook will write to Juju at its end.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::ask;
use crate::context::Context;
use crate::error::Error;
use crate::juju::{Bag, Juju, JujuResult, Port, RelationId, Side};
use crate::status::Statuses;

/// Writes that wait for the end of the hook: a hook that fails sends none of them.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    pub(crate) bags: BTreeMap<(RelationId, Side), Bag>,
    /// A value, or that the key is to go.
    pub(crate) controller_state: BTreeMap<String, Option<String>>,
    pub(crate) leader_settings: Bag,
    /// Opened or closed, in the order in which it was asked.
    pub(crate) ports: Vec<(Port, bool)>,
    pub(crate) action_results: Bag,
    pub(crate) action_failed: Option<String>,
    pub(crate) statuses: Statuses,
}

impl Outbox {
    /// Whether there is something that Juju drops when the hook fails, and cannot be seen to have dropped (contract 2.2).
    pub(crate) fn has_what_is_dropped(&self) -> bool {
        !(self.bags.is_empty() && self.controller_state.is_empty() && self.ports.is_empty())
    }

    /// Hands everything to Juju, which applies it when the hook has succeeded. What Juju applies at once comes last.
    pub(crate) fn flush(&mut self, juju: &dyn Juju) -> JujuResult {
        self.flush_what_is_dropped(juju)?;
        let settings = std::mem::take(&mut self.leader_settings);
        if !settings.is_empty() {
            juju.leader_set(&settings)?;
        }
        let statuses = std::mem::take(&mut self.statuses);
        for side in [Side::Application, Side::Unit] {
            if let Some(said) = statuses.worst(side) {
                juju.status_set(side, said.status, &said.message)?;
            }
        }
        Ok(())
    }

    /// Hands to Juju what it drops when the hook fails, and what becomes of the action.
    pub(crate) fn flush_what_is_dropped(&mut self, juju: &dyn Juju) -> JujuResult {
        for ((relation, side), values) in std::mem::take(&mut self.bags) {
            juju.relation_set(&relation, side, &values)?;
        }
        let mut set = Bag::new();
        for (key, value) in std::mem::take(&mut self.controller_state) {
            match value {
                Some(value) => drop(set.insert(key, value)),
                None => juju.state_delete(&key)?,
            }
        }
        if !set.is_empty() {
            juju.state_set(&set)?;
        }
        for (port, open) in std::mem::take(&mut self.ports) {
            if open { juju.open_port(&port, &[])? } else { juju.close_port(&port, &[])? }
        }
        let results = std::mem::take(&mut self.action_results);
        if !results.is_empty() {
            juju.action_set(&results)?;
        }
        if let Some(message) = self.action_failed.take() {
            juju.action_fail(&message)?;
        }
        Ok(())
    }
}

/// What is to be published, and is there already, need not be sent. One question for each databag saves two commands.
pub(crate) fn drop_what_is_there(context: &Context) -> Result<(), Error> {
    let pending: Vec<(RelationId, Side)> = context.outbox().borrow().bags.keys().cloned().collect();
    for (relation, side) in pending {
        let there = match ask::bag(context, &relation, ask::own(context, side)) {
            Ok(bag) => bag,
            // What it has to say it says of the writing.
            Err(Error::Juju(_)) => continue,
            Err(error) => return Err(error),
        };
        let mut outbox = context.outbox().borrow_mut();
        if let Entry::Occupied(mut bag) = outbox.bags.entry((relation, side)) {
            bag.get_mut().retain(|key, value| there.get(key).map_or("", String::as_str) != value);
            if bag.get().is_empty() {
                bag.remove();
            }
        }
    }
    Ok(())
}
