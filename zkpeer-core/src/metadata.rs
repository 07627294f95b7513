//! What a charm says of itself in `metadata.yaml` and `config.yaml`, as far as handlers need it (contract 11.1, 11.2).
//!
//! It is read for every hook, so it is read leniently and fast. What Juju refuses never comes this far; the simulated Juju
//! refuses the same (`testing::charm`).

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::path::Path;

use serde_json::{Map, Value};

use crate::error::Error;
use crate::handler::EndpointType;

/// The role that a charm plays on an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The units of one application among themselves.
    Peers,
    /// The side that offers.
    Provides,
    /// The side that uses.
    Requires,
}

impl Role {
    /// The role of this name: `peers`, `provides` or `requires`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "peers" => Some(Self::Peers),
            "provides" => Some(Self::Provides),
            "requires" => Some(Self::Requires),
            _ => None,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Peers => "peers",
            Self::Provides => "provides",
            Self::Requires => "requires",
        })
    }
}

/// One endpoint of the charm.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndpointMetadata {
    /// Its name, by which relations and flags are named.
    pub name: String,
    /// The charm's role on it.
    pub role: Role,
    /// Its interface.
    pub interface: String,
}

/// A charm's `metadata.yaml`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metadata {
    /// The charm's name.
    pub name: String,
    /// Its endpoints by name.
    pub endpoints: BTreeMap<String, EndpointMetadata>,
}

impl Metadata {
    /// Reads `metadata.yaml` of the charm directory.
    ///
    /// # Errors
    ///
    /// If the file is missing or malformed; the error names file and line.
    pub fn read(charm_dir: &Path) -> Result<Self, Error> {
        let path = charm_dir.join("metadata.yaml");
        Self::parse(&read(&path)?, &path)
    }

    /// Reads the text of a `metadata.yaml`; `path` is for messages.
    ///
    /// # Errors
    ///
    /// If the text is malformed, or two roles have an endpoint of the same name.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Malformed { path: path.to_owned(), reason };
        let mut all = yaml_map(text, path)?;
        let Some(Value::String(name)) = all.remove("name") else {
            return Err(malformed("it has no `name`, which is a text".to_owned()));
        };
        let mut metadata = Self { name, endpoints: BTreeMap::new() };
        for role in [Role::Peers, Role::Provides, Role::Requires] {
            let of_role =
                map_of(all.remove(&role.to_string())).ok_or_else(|| malformed(format!("`{role}` is no map")))?;
            for (name, endpoint) in of_role {
                let interface = match endpoint {
                    Value::String(interface) => Some(interface),
                    Value::Object(mut endpoint) => match endpoint.remove("interface") {
                        Some(Value::String(interface)) => Some(interface),
                        _ => None,
                    },
                    _ => None,
                };
                let no_interface = || malformed(format!("`{role}`: the endpoint `{name}` has no `interface`"));
                let interface = interface.ok_or_else(no_interface)?;
                metadata.add_endpoint(EndpointMetadata { name, role, interface }).map_err(malformed)?;
            }
        }
        Ok(metadata)
    }

    /// Adds an endpoint, or says why there cannot be one.
    pub(crate) fn add_endpoint(&mut self, endpoint: EndpointMetadata) -> Result<(), String> {
        match self.endpoints.entry(endpoint.name.clone()) {
            Entry::Occupied(there) => Err(format!(
                "endpoint `{}` is named twice; a name is unique over peers, provides and requires",
                there.key()
            )),
            Entry::Vacant(free) => {
                free.insert(endpoint);
                Ok(())
            }
        }
    }

    /// The names of the endpoints that have this interface in this role, in order.
    pub fn endpoints_of(&self, wanted: EndpointType) -> impl Iterator<Item = &str> {
        self.endpoints
            .values()
            .filter(move |endpoint| endpoint.role == wanted.role && endpoint.interface == wanted.interface)
            .map(|endpoint| endpoint.name.as_str())
    }

    /// The endpoint that the name of a relation hook begins with, and what follows: `joined` of `zkpeer-relation-joined`.
    #[must_use]
    pub fn relation_hook<'h>(&self, hook: &'h str) -> Option<(&EndpointMetadata, &'h str)> {
        let (endpoint, kind) = hook.rsplit_once("-relation-")?;
        Some((self.endpoints.get(endpoint)?, kind))
    }
}

/// The defaults of the options in a charm's `config.yaml`; an option without one has `null`.
pub type ConfigDefaults = BTreeMap<String, Value>;

/// Reads the options of `config.yaml` in the charm directory; none if there is no such file.
///
/// # Errors
///
/// If the file cannot be read or is malformed; the error names file and line.
pub(crate) fn read_config_defaults(charm_dir: &Path) -> Result<ConfigDefaults, Error> {
    let path = charm_dir.join("config.yaml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ConfigDefaults::new()),
        Err(source) => return Err(Error::Read { path, source }),
    };
    let malformed = |reason: String| Error::Malformed { path: path.clone(), reason };
    let options = map_of(yaml_map(&text, &path)?.remove("options"));
    let options = options.ok_or_else(|| malformed("`options` is no map".to_owned()))?;
    let default = |(name, option): (String, Value)| match option {
        Value::Object(mut option) => Ok((name, option.remove("default").unwrap_or_default())),
        _ => Err(malformed(format!("the option `{name}` is no map"))),
    };
    options.into_iter().map(default).collect()
}

fn read(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

/// Reads a YAML document that is a map, or empty; `path` is for messages. All files are read as one type, which keeps the
/// program small.
pub(crate) fn yaml_map(text: &str, path: &Path) -> Result<Map<String, Value>, Error> {
    let malformed = |reason: String| Error::Malformed { path: path.to_owned(), reason };
    let value: Option<Value> = serde_saphyr::from_str(text).map_err(|error| malformed(error.to_string()))?;
    map_of(value).ok_or_else(|| malformed("it is no map".to_owned()))
}

/// A map; an empty one where there is nothing.
pub(crate) fn map_of(value: Option<Value>) -> Option<Map<String, Value>> {
    match value {
        None | Some(Value::Null) => Some(Map::new()),
        Some(Value::Object(map)) => Some(map),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_metadata(text: &str) -> Result<Metadata, Error> {
        Metadata::parse(text, Path::new("metadata.yaml"))
    }

    #[test]
    fn both_forms_of_an_endpoint_are_read() {
        let metadata = parse_metadata(
            "name: zk\nsummary: s\npeers:\n  zkpeer:\n    interface: zookeeper-quorum\nrequires:\n  db: mysql\n\
             provides:\n  client: {interface: zookeeper, limit: 1}\n",
        )
        .unwrap();
        assert_eq!(metadata.name, "zk");
        let peers = EndpointType { role: Role::Peers, interface: "zookeeper-quorum" };
        assert_eq!(metadata.endpoints_of(peers).collect::<Vec<_>>(), ["zkpeer"]);
        assert_eq!(metadata.endpoints["db"].interface, "mysql");
        assert_eq!(metadata.endpoints["client"].role, Role::Provides);
        let (endpoint, kind) = metadata.relation_hook("zkpeer-relation-joined").unwrap();
        assert_eq!((endpoint.name.as_str(), kind), ("zkpeer", "joined"));
        assert!(metadata.relation_hook("other-relation-joined").is_none());
    }

    #[test]
    fn one_name_in_two_roles_is_refused() {
        let error = parse_metadata("name: zk\npeers:\n  a: x\nrequires:\n  a: z\n").unwrap_err().to_string();
        assert!(error.contains("metadata.yaml") && error.contains("`a` is named twice"), "{error}");
    }

    #[test]
    fn malformed_metadata_is_refused_with_its_line() {
        let error = parse_metadata("name: zk\npeers: [1\n").unwrap_err().to_string();
        assert!(error.contains("metadata.yaml") && error.contains("line"), "{error}");
    }
}
