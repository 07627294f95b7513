//! The head of a story: the version of Juju, the model's options, what is deployed and related before the first step.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::super::names::JujuVersion;
use super::super::yaml::{Kind, Node};
use super::reader::{Field, Fields, Reader};
use super::{Deployment, ModelConfig, Relation, Story, StoryProblem, steps};
use crate::juju::names::{is_application, is_storage};

const KEYS: [&str; 7] = ["juju", "seed", "bugs", "model-config", "applications", "relations", "steps"];

const EXAMPLE: &str = "{applications: {zk: {charm: ./charm, units: 3}}, steps: [settle]}";

/// What an application takes.
const DEPLOYMENT: [&str; 6] = ["charm", "units", "config", "trust", "resources", "storage"];

/// What step `deploy` takes: the name as well.
pub(super) const DEPLOY: [&str; 7] = ["application", "charm", "units", "config", "trust", "resources", "storage"];

/// Bugs of Juju that can be simulated: in 4.0, peers are not told of a unit that is removed (contract 5.5).
const BUGS: [&str; 1] = ["23326"];

/// Reads a whole story.
pub(super) fn story(text: &str, path: &Path) -> Result<Story, Vec<StoryProblem>> {
    let mut reader = Reader::new(path);
    let story = match Node::parse_with_twice(text) {
        Ok((node, _)) if node.is_nothing() => reader.problem(None, format!("is empty; a story looks like `{EXAMPLE}`")),
        Ok((node, twice)) => {
            for wrong in twice {
                reader.wrong_text::<()>(wrong);
            }
            read(&mut reader, &node, path)
        }
        Err(wrong) => reader.wrong_text(wrong),
    };
    story.filter(|_| reader.is_clean()).ok_or_else(|| reader.into_problems())
}

fn read(reader: &mut Reader<'_>, node: &Node, path: &Path) -> Option<Story> {
    let fields = reader.fields(node, "a story", &KEYS, EXAMPLE)?;
    let juju = reader.or_default(&fields, "juju", juju);
    let seed = reader.may(&fields, "seed", |reader, field| reader.number(field, 0..=u64::MAX));
    let bugs = bugs(reader, &fields, juju.as_ref());
    let model_config = reader.or_default(&fields, "model-config", model_config);
    let applications = reader.or_default(&fields, "applications", applications);
    let relations = reader.or_default(&fields, "relations", relations);
    let steps = reader.need(&fields, "steps", steps::read);
    if !fields.means("applications") && !reader.has_applications() {
        return reader.problem(None, "nothing is deployed; a story needs `applications: {zk: {charm: ./charm}}`");
    }
    Some(Story {
        path: path.to_owned(),
        juju: juju?,
        seed: seed?,
        bugs: bugs?,
        model_config: model_config?,
        applications: applications?,
        relations: relations?,
        steps: steps?,
    })
}

fn juju(reader: &mut Reader<'_>, field: Field<'_>) -> Option<JujuVersion> {
    match reader.text(field)?.parse() {
        Ok(version) => Some(version),
        Err(error) => reader.problem(field.node.line, format!("`juju`: {error}")),
    }
}

fn bugs(reader: &mut Reader<'_>, fields: &Fields<'_>, juju: Option<&JujuVersion>) -> Option<BTreeSet<u32>> {
    let found = reader.or_default(fields, "bugs", |reader, field| {
        reader.set(field, |reader, field| reader.one_of(field, &BUGS)?.parse::<u32>().ok())
    })?;
    match (fields.get("bugs"), juju) {
        (Some(field), Some(juju)) if found.contains(&23326) && !juju.is_four() => {
            reader.problem(field.node.line, format!("Juju {juju} does not have bug 23326; it came with 4.0"))
        }
        _ => Some(found),
    }
}

fn model_config(reader: &mut Reader<'_>, field: Field<'_>) -> Option<ModelConfig> {
    const RETRY: &str = "automatically-retry-hooks";
    const INTERVAL: &str = "update-status-hook-interval";
    let fields =
        reader.fields(field.node, "`model-config`", &[RETRY, INTERVAL], "{update-status-hook-interval: 5m}")?;
    let default = ModelConfig::default();
    let retry = reader.may(&fields, RETRY, Reader::truth);
    let interval = reader.may(&fields, INTERVAL, Reader::time);
    Some(ModelConfig {
        automatically_retry_hooks: retry?.unwrap_or(default.automatically_retry_hooks),
        update_status_hook_interval: interval?.unwrap_or(default.update_status_hook_interval),
    })
}

fn applications(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Vec<Deployment>> {
    let Kind::Map(entries) = &field.node.kind else {
        return reader.wrong(field, "a map such as `{zk: {charm: ./charm, units: 3}}`");
    };
    if entries.is_empty() {
        return reader.problem(field.node.line, "`applications` is empty; a story needs at least one");
    }
    let mut deployments = Vec::new();
    for entry in entries {
        if !is_application(&entry.key) {
            let text = format!("`{}` is no name of an application; it has to look like `zk`", entry.key);
            reader.problem::<()>(entry.line, text);
            continue;
        }
        reader.deploys(entry.line, &entry.key);
        let what = format!("application `{}`", entry.key);
        deployments.push(application(reader, &entry.value, what).and_then(|fields| {
            deployment(reader, &fields, Some(entry.key.clone())).map(|it| Deployment { line: entry.line, ..it })
        }));
    }
    deployments.into_iter().collect()
}

/// `zk: ./charm` is short for `zk: {charm: ./charm}`.
fn application<'n>(reader: &mut Reader<'_>, node: &'n Node, what: String) -> Option<Fields<'n>> {
    const EXAMPLE: &str = "{charm: ./charm, units: 3}";
    match &node.kind {
        Kind::Scalar(..) => Some(Fields::of_one(what, EXAMPLE, "charm", node)),
        _ => reader.fields(node, what, &DEPLOYMENT, EXAMPLE),
    }
}

/// What stands in step `deploy`.
pub(super) fn deploy(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Deployment> {
    let name = reader.need(fields, "application", Reader::application_name);
    if let Some(name) = &name {
        reader.deploys(fields.line(), name);
    }
    deployment(reader, fields, name)
}

fn deployment(reader: &mut Reader<'_>, fields: &Fields<'_>, application: Option<String>) -> Option<Deployment> {
    let charm = reader.need(fields, "charm", Reader::path);
    let units = reader.may(fields, "units", |reader, field| reader.count(field, 0));
    let config = reader.or_default(fields, "config", config);
    let trust = reader.or_default(fields, "trust", Reader::truth);
    let resources = reader.or_default(fields, "resources", |reader, field| reader.map(field, Reader::path));
    let storage = reader.or_default(fields, "storage", storage);
    Some(Deployment {
        line: fields.line(),
        application: application?,
        charm: charm?,
        units: units?.unwrap_or(1),
        config: config?,
        trust: trust?,
        resources: resources?,
        storage: storage?,
    })
}

/// Values of options, each as its literal text.
pub(super) fn config(reader: &mut Reader<'_>, field: Field<'_>) -> Option<BTreeMap<String, String>> {
    reader.map(field, |reader, option| match option.node.kind {
        Kind::Scalar(..) => reader.text(option),
        Kind::Nothing => {
            let text = format!("option `{}` has no value; leave it out, or write '' for an empty text", option.name);
            reader.problem(option.node.line, text)
        }
        _ => reader.wrong(option, "a text, a number, or true or false"),
    })
}

fn storage(reader: &mut Reader<'_>, field: Field<'_>) -> Option<BTreeMap<String, u32>> {
    reader.map(field, |reader, field| {
        if !is_storage(field.name) {
            let text = format!("`{}` is no name of a storage; it has to look like `data`", field.name);
            return reader.problem(field.node.line, text);
        }
        reader.count(field, 0)
    })
}

fn relations(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Vec<Relation>> {
    let Kind::List(items) = &field.node.kind else {
        return reader.wrong(field, "a list of pairs such as `[zk:client, client:zookeeper]`");
    };
    if items.len() == 2 && items.iter().all(|item| item.literal().is_some()) {
        return reader.wrong(field, "a list of pairs; one pair is `[[zk:client, client:zookeeper]]`");
    }
    let read = |reader: &mut Reader<'_>, node| {
        let sides = reader.sides(Field { name: field.name, node })?;
        Some(Relation { line: node.line, sides })
    };
    let relations: Vec<_> = items.iter().map(|node| read(reader, node)).collect();
    relations.into_iter().collect()
}
