//! Actions, and commands in a hook's context: what waits for its turn on a unit.

use std::collections::BTreeMap;

use crate::juju::{RelationId, UnitName};
use crate::testing::controller::Task;
use crate::testing::error::Error;
use crate::testing::hook::Hook;
use crate::testing::hook::RelationKind::Created;
use crate::testing::model::Model;
use crate::testing::value::Value;

impl Model {
    /// `juju run`: the action waits for its turn (contract 3.2, row 8); its number tells its [report](Self::action).
    ///
    /// # Errors
    ///
    /// If there is no such unit or action, or the parameters do not fit its schema.
    pub fn run_action(&mut self, unit: &str, name: &str, params: &[(&str, Value)]) -> Result<u64, Error> {
        let unit = self.unit_name(unit)?;
        let four = self.controller.juju.is_four();
        let given: BTreeMap<String, Value> =
            params.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
        let params = self.deployed(unit.application())?.files.action_parameters(name, given, four)?;
        self.actions += 1;
        let id = self.actions;
        self.add_task(&unit, Hook::Action { id, name: name.to_owned() }, params);
        Ok(id)
    }

    /// `juju exec`: a shell command in a hook's context, when its turn comes (contract 1.6); about a relation, if one is
    /// named as the unit names it.
    ///
    /// # Errors
    ///
    /// If there is no such unit or relation.
    pub fn exec(&mut self, unit: &str, command: &str, relation: Option<&RelationId>) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        let agent = self.agent(&unit)?;
        let relation = match relation {
            Some(id) if !agent.relations.contains_key(&id.number) => {
                return Error::impossible(format!("{unit} is not in the relation {id}"));
            }
            Some(id) => agent.relation_hook(&self.controller, id.number, Created, None, None, 0).relation().cloned(),
            None => None,
        };
        self.add_task(&unit, Hook::Exec { command: command.to_owned(), relation }, Value::Null);
        Ok(())
    }

    fn add_task(&mut self, unit: &UnitName, hook: Hook, params: Value) {
        if let Some(unit) = self.controller.units.get_mut(unit) {
            unit.tasks.push_back(Task { hook, params });
        }
    }
}
