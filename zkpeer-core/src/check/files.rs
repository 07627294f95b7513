//! What the charm's files say: endpoints, options, actions, storages, and handlers that are files.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use serde_json::{Map, Value};

use super::Finding;
use super::scripts::{self, Script};
use crate::error::Error;
use crate::metadata::{self, Metadata};

/// What the files of a charm's directory say.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) metadata: Metadata,
    pub(super) options: BTreeSet<String>,
    /// The actions, each with its line.
    pub(super) actions: Vec<(String, usize)>,
    pub(super) storages: BTreeSet<String>,
    pub(super) containers: BTreeSet<String>,
    /// The handlers in other languages.
    pub(super) scripts: Vec<Script>,
    pub(super) findings: Vec<Finding>,
}

impl Files {
    /// Reads them.
    pub(super) fn read(charm_dir: &Path) -> Result<Self, Error> {
        let metadata = Metadata::read(charm_dir)?;
        let (of_metadata, _) = map(charm_dir, "metadata.yaml")?;
        let keys = |name: &str| match of_metadata.get(name) {
            Some(Value::Object(map)) => map.keys().cloned().collect(),
            _ => BTreeSet::new(),
        };
        let (actions, text) = map(charm_dir, "actions.yaml")?;
        let actions = actions.into_iter().map(|(name, _)| {
            let line = line_of(&text, &name);
            (name, line)
        });
        let (scripts, findings) = scripts::read(charm_dir)?;
        Ok(Self {
            metadata,
            options: metadata::read_config_defaults(charm_dir)?.into_keys().collect(),
            actions: actions.collect(),
            storages: keys("storage"),
            containers: keys("containers"),
            scripts,
            findings,
        })
    }

    /// Whether a handler in another language names the flag.
    pub(super) fn mentions(&self, flag: &str) -> bool {
        self.scripts.iter().any(|script| script.mentions(flag))
    }

    /// Whether there are handlers in other languages.
    pub(super) fn has_programs(&self) -> bool {
        !self.scripts.is_empty()
    }

    #[cfg(test)]
    pub(super) fn of_texts(metadata: &str, options: &[&str], actions: &[&str]) -> Self {
        Self {
            metadata: Metadata::parse(metadata, Path::new("metadata.yaml")).unwrap(),
            options: options.iter().map(|name| (*name).to_owned()).collect(),
            actions: actions.iter().map(|name| ((*name).to_owned(), 1)).collect(),
            ..Self::default()
        }
    }
}

/// A YAML file with a map, and its text; empty if there is no such file.
fn map(charm_dir: &Path, name: &str) -> Result<(Map<String, Value>, String), Error> {
    let path = charm_dir.join(name);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(source) => return Err(Error::Read { path, source }),
    };
    Ok((metadata::yaml_map(&text, &path)?, text))
}

/// The line of a key that begins its line.
fn line_of(text: &str, key: &str) -> usize {
    let is_key = |line: &str| {
        line.trim_start_matches(['"', '\''])
            .strip_prefix(key)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
    };
    text.lines().position(is_key).map_or(1, |at| at + 1)
}
