//! The actions of actions.yaml (contract 11.3) and the check of their parameters (contract 1.4).

use std::collections::BTreeMap;

use super::metadata::is_reserved;
use super::schema::Schema;
use crate::juju::names::is_action;
use crate::testing::value::Value;
use crate::testing::yaml::{Node, Wrong};

/// One action of the charm.
#[derive(Clone, Debug)]
pub(crate) struct ActionSchema {
    /// It may run beside the hooks of other units of its machine (contract 1.2).
    pub(crate) parallel: bool,
    params: Schema,
}

impl ActionSchema {
    /// Checks the parameters as they were given, and only then fills in the defaults: a required one is to be given
    /// although it has a default.
    pub(crate) fn complete(&self, given: BTreeMap<String, Value>, juju_four: bool) -> Result<Value, String> {
        // 4.0 takes no parameters but those of the schema, unless it says otherwise.
        self.params.check_map(&given, "", !juju_four)?;
        let mut params = given;
        self.params.fill(&mut params);
        Ok(Value::Map(params))
    }
}

/// Reads and checks the document of the charm of this name; an empty one has no actions.
pub(super) fn read(root: &Node, charm: &str) -> Result<BTreeMap<String, ActionSchema>, Wrong> {
    if root.is_nothing() {
        return Ok(BTreeMap::new());
    }
    let mut actions = BTreeMap::new();
    for entry in root.entries("actions.yaml")? {
        let name = &entry.key;
        if !is_action(name) {
            let advice = "lower-case letters, digits and, between them, `-`";
            return Err(entry.wrong(format!("`{name}` is no name for an action: it has to be {advice}")));
        }
        if is_reserved(charm, name) {
            let advice = "`juju` and names that begin with `juju-` are reserved; choose another";
            return Err(entry.wrong(format!("action `{name}` cannot be called so: {advice}")));
        }
        actions.insert(name.clone(), action(name, &entry.value)?);
    }
    Ok(actions)
}

fn action(name: &str, node: &Node) -> Result<ActionSchema, Wrong> {
    if node.is_nothing() {
        return Ok(ActionSchema { parallel: false, params: Schema::default() });
    }
    node.entries(&format!("action `{name}`"))?;
    refuse_references(node)?;
    for key in ["description", "title", "execution-group"] {
        if let Some(value) = node.get(key) {
            value.text(&format!("`{key}` of action `{name}`"))?;
        }
    }
    let parallel = node.get("parallel").map(|parallel| parallel.boolean(&format!("`parallel` of action `{name}`")));
    Ok(ActionSchema { parallel: parallel.transpose()?.unwrap_or_default(), params: Schema::of_action(node, name)? })
}

/// `$ref` and `$schema` stand nowhere in a schema.
fn refuse_references(node: &Node) -> Result<(), Wrong> {
    for entry in node.entries("it").unwrap_or_default() {
        if matches!(entry.key.as_str(), "$ref" | "$schema") {
            return Err(
                entry.wrong(format!("Juju takes no `{}` in an action; write out what it stands for", entry.key))
            );
        }
        refuse_references(&entry.value)?;
    }
    node.list("it").unwrap_or_default().iter().try_for_each(refuse_references)
}
