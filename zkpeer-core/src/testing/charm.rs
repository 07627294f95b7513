//! The charm's own files, as far as the agent needs them: `metadata.yaml`, `config.yaml` and `actions.yaml`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::Error;
use super::value::Value;

/// What the charm directory says about the charm.
#[derive(Clone, Debug, Default)]
pub(crate) struct CharmFiles {
    /// `name` of metadata.yaml.
    pub(crate) name: String,
    /// All endpoints.
    pub(crate) endpoints: BTreeMap<String, Endpoint>,
    /// Names in `extra-bindings`.
    pub(crate) extra_bindings: Vec<String>,
    /// The options of config.yaml.
    pub(crate) options: BTreeMap<String, ConfigOption>,
    /// The actions of actions.yaml.
    pub(crate) actions: BTreeMap<String, ActionSchema>,
}

/// One endpoint of the charm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The group it stands in.
    pub(crate) role: Role,
    /// Its interface.
    pub(crate) interface: String,
}

/// The three groups of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Peer,
    Provider,
    Requirer,
}

/// One option of config.yaml.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ConfigOption {
    /// The type; text if none is given.
    #[serde(rename = "type", default = "text_type")]
    pub(crate) kind: String,
    /// The value while the user sets none.
    #[serde(default)]
    pub(crate) default: Value,
}

fn text_type() -> String {
    "string".to_owned()
}

impl ConfigOption {
    /// Reads a value given as text, as `juju config` does.
    pub(crate) fn parse(&self, name: &str, text: &str) -> Result<Value, String> {
        let wrong = |kind: &str| format!("option `{name}` takes {kind}, not `{text}`");
        match self.kind.as_str() {
            "int" => text.parse::<i64>().map(|n| Value::Number(n as f64)).map_err(|_| wrong("a whole number")),
            "float" => text.parse().map(Value::Number).map_err(|_| wrong("a number")),
            "boolean" => match text {
                "true" | "True" => Ok(Value::Bool(true)),
                "false" | "False" => Ok(Value::Bool(false)),
                _ => Err(wrong("true or false")),
            },
            _ => Ok(Value::from(text)),
        }
    }

    /// Whether the value fits the type.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Text(_) => matches!(self.kind.as_str(), "string" | "secret"),
            Value::Number(number) => self.kind == "float" || self.kind == "int" && number.fract() == 0.0,
            Value::Bool(_) => self.kind == "boolean",
            Value::List(_) | Value::Map(_) => false,
        }
    }
}

/// One action of actions.yaml.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ActionSchema {
    #[serde(default)]
    pub(crate) params: BTreeMap<String, ParamSchema>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    #[serde(default, rename = "additionalProperties")]
    pub(crate) additional: Option<bool>,
}

/// One parameter of an action.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ParamSchema {
    #[serde(default, rename = "type")]
    pub(crate) kind: Value,
    #[serde(default)]
    pub(crate) default: Option<Value>,
    #[serde(default, rename = "enum")]
    pub(crate) choices: Option<Vec<Value>>,
}

impl ActionSchema {
    /// Checks the parameters and fills in the defaults, as Juju does before the charm runs (contract 1.4, 11.3).
    pub(crate) fn complete(&self, given: BTreeMap<String, Value>, juju_four: bool) -> Result<Value, String> {
        let mut params = given;
        for (name, schema) in &self.params {
            if let Some(default) = &schema.default {
                params.entry(name.clone()).or_insert_with(|| default.clone());
            }
        }
        if let Some(missing) = self.required.iter().find(|name| !params.contains_key(*name)) {
            return Err(format!("parameter `{missing}` is required"));
        }
        for (name, value) in &params {
            let Some(schema) = self.params.get(name) else {
                if self.additional.unwrap_or(!juju_four) {
                    continue;
                }
                return Err(format!("parameter `{name}` is not in actions.yaml"));
            };
            if !schema.takes(value) {
                return Err(format!("parameter `{name}` must be of type {}", schema.kind.to_smart()));
            }
            if schema.choices.as_ref().is_some_and(|choices| !choices.contains(value)) {
                return Err(format!("parameter `{name}` has a value that is not among those allowed"));
            }
        }
        Ok(Value::Map(params))
    }
}

impl ParamSchema {
    fn takes(&self, value: &Value) -> bool {
        let is = |kind: &str| match (kind, value) {
            ("string", Value::Text(_))
            | ("boolean", Value::Bool(_))
            | ("number", Value::Number(_))
            | ("array", Value::List(_))
            | ("object", Value::Map(_))
            | ("null", Value::Null) => true,
            ("integer", Value::Number(number)) => number.fract() == 0.0,
            _ => false,
        };
        match &self.kind {
            Value::Text(kind) => is(kind),
            Value::List(kinds) => kinds.iter().filter_map(Value::as_str).any(is),
            _ => true,
        }
    }
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    #[serde(default)]
    peers: Option<BTreeMap<String, EndpointForm>>,
    #[serde(default)]
    provides: Option<BTreeMap<String, EndpointForm>>,
    #[serde(default)]
    requires: Option<BTreeMap<String, EndpointForm>>,
    #[serde(default, rename = "extra-bindings")]
    extra_bindings: Option<BTreeMap<String, Value>>,
}

/// `db: mysql` or `db: {interface: mysql}`.
#[derive(Deserialize)]
#[serde(untagged)]
enum EndpointForm {
    Short(String),
    Long { interface: String },
}

#[derive(Deserialize)]
struct Config {
    options: Option<BTreeMap<String, ConfigOption>>,
}

impl CharmFiles {
    /// Reads the files in `directory`.
    pub(crate) fn read(directory: &Path) -> Result<Self, Error> {
        if !directory.is_dir() {
            let problem = if directory.exists() { "is not a directory" } else { "there is no such directory" };
            return Err(Error::charm(directory, format!("{problem}; give the directory of a charm")));
        }
        let path = directory.join("metadata.yaml");
        let metadata: Metadata = read_yaml(&path)?.ok_or_else(|| {
            Error::charm(&path, "is missing; every charm needs one, with name, summary and description")
        })?;
        let mut files = Self { name: metadata.name, ..Self::default() };
        if !crate::juju::names::is_application(&files.name) {
            return Err(Error::charm(&path, format!("name `{}` is not one that Juju takes", files.name)));
        }
        let groups =
            [(Role::Peer, metadata.peers), (Role::Provider, metadata.provides), (Role::Requirer, metadata.requires)];
        for (role, group) in groups {
            for (name, form) in group.into_iter().flatten() {
                let interface = match form {
                    EndpointForm::Short(interface) | EndpointForm::Long { interface } => interface,
                };
                if files.endpoints.insert(name.clone(), Endpoint { role, interface }).is_some() {
                    return Err(Error::charm(&path, format!("endpoint `{name}` is there twice")));
                }
            }
        }
        files.extra_bindings = metadata.extra_bindings.into_iter().flatten().map(|(name, _)| name).collect();
        let path = directory.join("config.yaml");
        if let Some(config) = read_yaml::<Config>(&path)? {
            files.options = config.options.ok_or_else(|| Error::charm(&path, "invalid config: empty configuration"))?;
        }
        for (name, option) in &files.options {
            if !matches!(option.kind.as_str(), "string" | "int" | "float" | "boolean" | "secret") {
                return Err(Error::charm(&path, format!("option `{name}` has the unknown type `{}`", option.kind)));
            }
            if !option.fits(&option.default) {
                return Err(Error::charm(&path, format!("the default of option `{name}` is no {}", option.kind)));
            }
        }
        if let Some(actions) = read_yaml::<BTreeMap<String, Option<ActionSchema>>>(&directory.join("actions.yaml"))? {
            files.actions = actions.into_iter().map(|(name, schema)| (name, schema.unwrap_or_default())).collect();
        }
        Ok(files)
    }

    /// The peer endpoints, in the order of their names.
    pub(crate) fn peers(&self) -> impl Iterator<Item = &str> {
        self.endpoints.iter().filter(|(_, endpoint)| endpoint.role == Role::Peer).map(|(name, _)| name.as_str())
    }

    /// The endpoint of that name, or an error that says which there are.
    pub(crate) fn endpoint(&self, name: &str) -> Result<&Endpoint, Error> {
        self.endpoints.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.endpoints.keys().map(String::as_str).collect();
            Error::Impossible(format!(
                "charm `{}` has no endpoint `{name}` in metadata.yaml; it has: {}",
                self.name,
                if names.is_empty() { "none".to_owned() } else { names.join(", ") }
            ))
        })
    }
}

/// Reads one file; a missing file is `None`.
fn read_yaml<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::charm(path, format!("cannot be read: {error}"))),
    };
    if text.trim().is_empty() {
        return Err(Error::charm(path, "is empty"));
    }
    serde_saphyr::from_str(&text)
        .map(Some)
        .map_err(|error| Error::charm(path, format!("is not what Juju expects: {}", error.without_snippet())))
}

/// Copies a charm as `juju deploy` would archive it, without what belongs to building it: `.git` and cargo's target.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::io(format!("create {}", to.display())))?;
    let entries = fs::read_dir(from).map_err(Error::io(format!("read {}", from.display())))?;
    for entry in entries {
        let entry = entry.map_err(Error::io(format!("read {}", from.display())))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(Error::io(format!("read {}", source.display())))?;
        let copied = if kind.is_symlink() {
            fs::read_link(&source).and_then(|link| std::os::unix::fs::symlink(link, &target))
        } else if kind.is_dir() {
            if entry.file_name() != ".git" && !source.join("CACHEDIR.TAG").exists() {
                copy(&source, &target)?;
            }
            Ok(())
        } else if kind.is_file() {
            fs::copy(&source, &target).map(|_| ())
        } else {
            Ok(())
        };
        copied.map_err(Error::io(format!("copy {}", source.display())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn charm(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<CharmFiles, Error>) {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let read = CharmFiles::read(directory.path());
        (directory, read)
    }

    #[test]
    fn both_forms_of_an_endpoint_are_read() {
        let (_keep, read) = charm(&[(
            "metadata.yaml",
            "name: hello\nsummary: s\ndescription: d\npeers: {zkpeer: {interface: q}}\nrequires: {db: mysql}\n",
        )]);
        let files = read.unwrap();
        assert_eq!(files.peers().collect::<Vec<_>>(), ["zkpeer"]);
        assert_eq!(files.endpoints["db"].role, Role::Requirer);
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let (_keep, read) = charm(&[]);
        assert!(read.unwrap_err().to_string().contains("metadata.yaml: is missing"));
        let (_keep, read) = charm(&[("metadata.yaml", "name: hello\npeers: [a, b\nx: 1\n")]);
        let text = read.unwrap_err().to_string();
        assert!(text.contains("metadata.yaml") && text.contains("line 2"), "{text}");
        let (_keep, read) = charm(&[("metadata.yaml", "name: hello\n"), ("config.yaml", "x: 1\n")]);
        assert!(read.unwrap_err().to_string().contains("empty configuration"));
    }

    #[test]
    fn c11_3_parameters_are_checked_and_completed() {
        let schema: ActionSchema = serde_saphyr::from_str(
            "params: {count: {type: integer, default: 3}, name: {type: string}}\nrequired: [name]\n",
        )
        .unwrap();
        let given = BTreeMap::from([("name".to_owned(), Value::from("x"))]);
        assert_eq!(schema.complete(given.clone(), false).unwrap().to_json(), r#"{"count":3,"name":"x"}"#);
        assert!(schema.complete(BTreeMap::new(), false).unwrap_err().contains("`name` is required"));
        let mut extra = given;
        extra.insert("more".to_owned(), Value::Null);
        assert!(schema.complete(extra.clone(), false).is_ok());
        assert!(schema.complete(extra, true).is_err());
    }
}
