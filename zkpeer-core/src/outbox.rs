//! What a hook has read of Juju, and what it will write at its end.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use serde_json::Value;

use crate::juju::{Bag, BagOwner, Juju, JujuResult, Port, RelationId, Side, UnitName};

/// For how long Juju guarantees leadership after it has said yes (contract 3.3).
pub(crate) const LEADERSHIP: Duration = Duration::from_secs(30);

/// Answers of Juju: each question is asked once a hook, and only when somebody wants to know.
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
    /// Hands everything to Juju, which applies it when the hook has succeeded. What Juju applies at once comes last.
    pub(crate) fn flush(&mut self, juju: &dyn Juju) -> JujuResult {
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
        let settings = std::mem::take(&mut self.leader_settings);
        if !settings.is_empty() {
            juju.leader_set(&settings)?;
        }
        Ok(())
    }
}
