//! The charm's own files, read as strictly as Juju reads them (contract 11).

mod actions;
mod config;
mod directory;
mod manifest;
mod metadata;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::error::Error;
use super::names::JujuVersion;
use super::value::Value;
use super::yaml::{Node, Wrong, read_text};
use crate::metadata::{EndpointMetadata, Metadata, Role};

pub(crate) use actions::ActionSchema;
pub(crate) use config::{ConfigOption, OptionKind};
pub(crate) use directory::{copy, files, remove};
pub(crate) use manifest::Base;
pub use metadata::StorageKind;
pub(crate) use metadata::{EndpointScope, EndpointTerms, ResourceSpec, StorageSpec};

/// Every application provides it, with an interface of the same name, and runs no hooks for it.
const IMPLICIT: &str = "juju-info";

/// What a charm says of itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct CharmFiles {
    /// Its name and its endpoints, which the charm's own program reads, too.
    pub(crate) metadata: Rc<Metadata>,
    /// Whether its units live beside those of another charm.
    pub(crate) subordinate: bool,
    /// Names in `extra-bindings`.
    pub(crate) extra_bindings: Vec<String>,
    pub(crate) storage: BTreeMap<String, StorageSpec>,
    pub(crate) resources: BTreeMap<String, ResourceSpec>,
    /// The type of each payload.
    pub(crate) payloads: BTreeMap<String, String>,
    /// The names of its containers on Kubernetes.
    pub(crate) containers: BTreeSet<String>,
    /// The bases of manifest.yaml.
    pub(crate) bases: Vec<Base>,
    /// The options of config.yaml.
    pub(crate) options: BTreeMap<String, ConfigOption>,
    /// The actions of actions.yaml.
    pub(crate) actions: BTreeMap<String, ActionSchema>,
    /// For messages; empty if the files are texts.
    directory: PathBuf,
    terms: BTreeMap<String, EndpointTerms>,
}

/// The texts of the files that there are.
struct Texts<'t> {
    metadata: &'t str,
    config: Option<&'t str>,
    actions: Option<&'t str>,
    manifest: Option<&'t str>,
}

impl CharmFiles {
    /// Reads the files in `directory`.
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        if !directory.is_dir() {
            let problem = if directory.exists() { "is not a directory" } else { "there is no such directory" };
            return Err(Error::charm(directory, format!("{problem}; give the directory of a charm")));
        }
        let metadata = text_of(&directory.join("metadata.yaml"))?.ok_or_else(|| {
            let problem = "is missing; every charm needs one, with name, summary and description";
            Error::charm(&directory.join("metadata.yaml"), problem)
        })?;
        let [config, actions, manifest] =
            ["config.yaml", "actions.yaml", "manifest.yaml"].map(|name| text_of(&directory.join(name)));
        let (config, actions, manifest) = (config?, actions?, manifest?);
        let texts = Texts {
            metadata: &metadata,
            config: config.as_deref(),
            actions: actions.as_deref(),
            manifest: manifest.as_deref(),
        };
        Self::parse(directory, &texts)
    }

    /// A charm of which only this is known.
    pub(crate) fn of(metadata: Metadata) -> Self {
        Self { metadata: Rc::new(metadata), ..Self::default() }
    }

    /// Reads a charm that has no directory.
    #[cfg(test)]
    pub(crate) fn from_texts(metadata: &str, config: Option<&str>, actions: Option<&str>) -> Result<Self, Error> {
        Self::parse(Path::new(""), &Texts { metadata, config, actions, manifest: None })
    }

    fn parse(directory: &Path, texts: &Texts<'_>) -> Result<Self, Error> {
        let details = check(texts.metadata, &directory.join("metadata.yaml"), metadata::read)?;
        let read_actions = |root: &Node| actions::read(root, &details.metadata.name);
        let actions = check_any(texts.actions, &directory.join("actions.yaml"), read_actions)?;
        Ok(Self {
            metadata: Rc::new(details.metadata),
            subordinate: details.subordinate,
            extra_bindings: details.extra_bindings,
            storage: details.storage,
            resources: details.resources,
            payloads: details.payloads,
            containers: details.containers,
            bases: check_any(texts.manifest, &directory.join("manifest.yaml"), manifest::read)?,
            options: check_any(texts.config, &directory.join("config.yaml"), config::read)?,
            actions,
            directory: directory.to_owned(),
            terms: details.terms,
        })
    }

    /// Refuses what this version of Juju does not take.
    pub(crate) fn check_for(&self, juju: &JujuVersion) -> Result<(), Error> {
        if juju.is_four() && self.bases.is_empty() {
            let problem = format!(
                "charm metadata without bases in manifest not valid: Juju {juju} takes no charm without this file; write \
                 one with `bases: [{{name: ubuntu, channel: \"24.04\", architectures: [amd64]}}]`, or choose a version before 4.0"
            );
            return Err(Error::charm(&self.directory.join("manifest.yaml"), problem));
        }
        let secret = self.options.iter().find(|(_, option)| option.kind == OptionKind::Secret);
        if let Some((name, _)) = secret.filter(|_| !juju.at_least(3, 3, 0)) {
            let problem = format!("option `{name}` has the type `secret`, which Juju {juju} does not know; 3.3 does");
            return Err(Error::charm(&self.directory.join("config.yaml"), problem));
        }
        Ok(())
    }

    /// Refuses a charm that has nothing to run.
    pub(crate) fn check_program(&self) -> Result<(), Error> {
        let is_hook = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| !kind.is_dir());
        let mut hooks = fs::read_dir(self.directory.join("hooks")).into_iter().flatten().flatten();
        if self.directory.join("dispatch").exists() || hooks.any(|entry| is_hook(&entry)) {
            return Ok(());
        }
        let name = self.name();
        let problem = format!("invalid charm \"{name}\": has no hooks nor dispatch file; give the charm's program");
        Err(Error::charm(&self.directory, problem))
    }

    /// The charm's name.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// All endpoints by name.
    pub(crate) fn endpoints(&self) -> &BTreeMap<String, EndpointMetadata> {
        &self.metadata.endpoints
    }

    /// The peer endpoints, in the order of their names.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &str> {
        self.endpoints().values().filter(|endpoint| endpoint.role == Role::Peers).map(|endpoint| endpoint.name.as_str())
    }

    /// Whether this is the endpoint that every charm has without naming it (contract 11.1).
    pub(crate) fn is_implicit(&self, endpoint: &str) -> bool {
        endpoint == IMPLICIT && !self.endpoints().contains_key(endpoint)
    }

    /// The implicit endpoint.
    pub(crate) fn implicit() -> EndpointMetadata {
        EndpointMetadata { name: IMPLICIT.to_owned(), role: Role::Provides, interface: IMPLICIT.to_owned() }
    }

    /// The endpoint of that name, or an error that says which there are.
    pub(crate) fn endpoint(&self, name: &str) -> Result<&EndpointMetadata, Error> {
        self.endpoints().get(name).ok_or_else(|| {
            let names: Vec<&str> = self.endpoints().keys().map(String::as_str).collect();
            Error::Impossible(format!(
                "charm `{}` has no endpoint `{name}` in metadata.yaml; it has: {}",
                self.name(),
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            ))
        })
    }

    /// The value of an option as Juju keeps it: text is read according to the option's type.
    pub(crate) fn option_value(&self, option: &str, value: Value) -> Result<Value, Error> {
        let Some(found) = self.options.get(option) else {
            let known: Vec<&str> = self.options.keys().map(String::as_str).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Error::impossible(format!("option `{option}` is not in config.yaml; it has: {known}"));
        };
        match value {
            Value::Text(text) => found.parse(option, &text).map_err(Error::Impossible),
            value if found.fits(&value) => Ok(value),
            value => Error::impossible(format!("option `{option}` is a {}, not `{}`", found.kind, value.to_json())),
        }
    }

    /// The parameters with which the charm runs an action, if Juju takes those that are given (contract 1.4).
    pub(crate) fn action_parameters(
        &self,
        name: &str,
        given: BTreeMap<String, Value>,
        juju_four: bool,
    ) -> Result<Value, Error> {
        let Some(schema) = self.actions.get(name) else {
            return Error::impossible(format!("action \"{name}\" is not in actions.yaml"));
        };
        let refused = |why| Error::Impossible(format!("action \"{name}\" is refused before the charm runs: {why}"));
        schema.complete(given, juju_four).map_err(refused)
    }

    /// What an endpoint asks of its relations; for those that every charm has, what is usual.
    pub(crate) fn terms(&self, endpoint: &str) -> EndpointTerms {
        self.terms.get(endpoint).copied().unwrap_or_default()
    }
}

/// The text of a file; none if there is no such file.
fn text_of(path: &Path) -> Result<Option<String>, Error> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::charm(path, format!("cannot be read: {error}"))),
    }
}

/// Reads one document.
fn check<T>(text: &str, path: &Path, read: impl Fn(&Node) -> Result<T, Wrong>) -> Result<T, Error> {
    Node::parse(text).and_then(|root| read(&root)).map_err(|wrong| wrong.in_file(path))
}

/// Reads one document that need not be there.
fn check_any<T: Default>(
    text: Option<&str>,
    path: &Path,
    read: impl Fn(&Node) -> Result<T, Wrong>,
) -> Result<T, Error> {
    text.map_or_else(|| Ok(T::default()), |text| check(text, path, read))
}

#[cfg(test)]
mod tests;
