//! Conversations as charms.reactive stored them at first, one for all relations of an endpoint, become those of one relation each.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ask;
use crate::context::{Context, FLAG_PREFIX};
use crate::error::Error;
use crate::juju::RelationId;
use crate::relation::{CONVERSATION_PREFIX, FlagValue, LOCAL, Record};

/// A conversation in the old format; the new one has `namespace` instead of `relation_name`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Old {
    relation_name: String,
    scope: String,
    units: BTreeSet<String>,
}

impl Old {
    /// Whether it is with a unit or an application, and so about one relation at a time.
    fn is_of_relation(&self) -> bool {
        let is_its = |unit: &String| unit == &self.scope || unit.split('/').next() == Some(&self.scope);
        self.units.iter().any(is_its)
    }
}

/// Each conversation in the old format is one with the units that are still there, over each of their relations; its flags and
/// its local values go with it (difference D50).
pub(super) fn at_start(context: &Context) -> Result<(), Error> {
    for key in old(context) {
        let Ok(Some(conversation)) = context.get::<Old>(&key) else { continue };
        let records = records(context, &conversation)?;
        let new: Vec<String> = records.iter().map(Record::key).collect();
        for record in &records {
            context.set(&record.key(), record)?;
        }
        if !new.contains(&key) {
            move_local_values(context, &key, &new)?;
            context.unset(&key);
            rename_in_flags(context, &key, &new)?;
        }
    }
    Ok(())
}

fn old(context: &Context) -> Vec<String> {
    context.with_store(|store| {
        let all = store.range(CONVERSATION_PREFIX).filter(|(key, _)| !key.contains(LOCAL));
        all.filter(|(_, text)| text.contains("\"relation_name\"")).map(|(key, _)| key.to_owned()).collect()
    })
}

fn records(context: &Context, old: &Old) -> Result<Vec<Record>, Error> {
    let record = |namespace: String, units| Record { namespace, scope: old.scope.clone(), units };
    if !old.is_of_relation() {
        return Ok(vec![record(old.relation_name.clone(), old.units.clone())]);
    }
    let mut records = Vec::new();
    for relation in ask::relation_ids(context, &old.relation_name)? {
        let there = units(context, &relation)?;
        let units: BTreeSet<String> = old.units.intersection(&there).cloned().collect();
        if !units.is_empty() {
            records.push(record(relation.to_string(), units));
        }
    }
    Ok(records)
}

/// The units over a relation; one that departs in this hook is no longer listed, but its conversation ends only with the hook.
fn units(context: &Context, relation: &RelationId) -> Result<BTreeSet<String>, Error> {
    let listed = ask::members(context, relation)?;
    let of_hook = context.event().relation().filter(|event| event.id == *relation);
    let of_hook = of_hook.and_then(|event| event.remote_unit.clone());
    Ok(listed.into_iter().chain(of_hook).map(|unit| unit.to_string()).collect())
}

fn move_local_values(context: &Context, key: &str, new: &[String]) -> Result<(), Error> {
    let prefix = format!("{key}{LOCAL}");
    for name in context.keys(&prefix) {
        let old = format!("{prefix}{name}");
        if let Some(value) = context.with_store(|store| store.json(&old))? {
            for key in new {
                context.set_json(&format!("{key}{LOCAL}{name}"), &value)?;
            }
        }
        context.unset(&old);
    }
    Ok(())
}

/// A flag of nobody is none.
fn rename_in_flags(context: &Context, key: &str, new: &[String]) -> Result<(), Error> {
    for flag in context.keys(FLAG_PREFIX) {
        let Ok(Some(Some(mut value))) = context.flag_value::<Option<FlagValue>>(&flag) else { continue };
        if !value.conversations.iter().any(|other| other == key) {
            continue;
        }
        value.conversations.retain(|other| other != key);
        value.conversations.extend_from_slice(new);
        let stored = format!("{FLAG_PREFIX}{flag}");
        if value.conversations.is_empty() {
            context.unset(&stored);
        } else {
            context.set(&stored, &value)?;
        }
    }
    Ok(())
}
