//! What a hook will write to Juju at its end.

use std::collections::BTreeMap;

use crate::juju::{Bag, Juju, JujuResult, Port, RelationId, Side};

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
