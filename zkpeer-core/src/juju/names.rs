//! The names that Juju gives to things, each checked once where it enters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A unit, `hello/0`. Units are ordered as Juju orders them: by their names as strings, `zk/10` before `zk/2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UnitName(String);

/// A name is as good as its text: `unit == "zk/0"`.
impl PartialEq<str> for UnitName {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for UnitName {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl UnitName {
    /// The application of the unit: `hello` of `hello/0`.
    #[must_use]
    pub fn application(&self) -> &str {
        // From the end: the number is the shorter part.
        self.0.bytes().rposition(|byte| byte == b'/').map_or("", |at| &self.0[..at])
    }

    /// The number of the unit within its application.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0.split_once('/').and_then(|(_, number)| number.parse().ok()).unwrap_or_default()
    }

    /// The name as Juju writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as it stands in paths: `unit-hello-0`.
    #[cfg(feature = "testing")]
    pub(crate) fn tag(&self) -> String {
        format!("unit-{}", self.0.replace('/', "-"))
    }
}

impl TryFrom<String> for UnitName {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<UnitName> for String {
    fn from(name: UnitName) -> Self {
        name.0
    }
}

impl fmt::Display for UnitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for UnitName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError(format!("`{text}` is not the name of a unit: it has to look like `hello/0`"));
        let (app, number) = text.split_once('/').ok_or_else(wrong)?;
        let digits = !number.is_empty() && number.len() < 19 && number.bytes().all(|b| b.is_ascii_digit());
        if !is_application(app) || !digits || (number.len() > 1 && number.starts_with('0')) {
            return Err(wrong());
        }
        Ok(Self(text.to_owned()))
    }
}

/// Whether Juju would take `name` for an application: groups joined by `-`, each later one with a letter.
pub(crate) fn is_application(name: &str) -> bool {
    let mut groups = name.split('-');
    let plain = |group: &str| group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let first = groups.next().unwrap_or_default();
    first.starts_with(|c: char| c.is_ascii_lowercase())
        && plain(first)
        && groups.all(|group| plain(group) && group.bytes().any(|b| b.is_ascii_lowercase()))
}

/// Whether Juju would take `name` for an endpoint: groups joined by `-` or `_` (contract 11.1).
#[cfg(feature = "testing")]
pub(crate) fn is_endpoint(name: &str) -> bool {
    let group = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split(['-', '_']).all(group)
}

/// Whether Juju would take `name` for an action: letters and digits and, between them, `-` (contract 11.3).
#[cfg(feature = "testing")]
pub(crate) fn is_action(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = [name.bytes().next(), name.bytes().last()];
    ends.into_iter().all(|end| end.is_some_and(plain)) && name.bytes().all(|b| plain(b) || b == b'-')
}

/// Whether Juju would take `name` for a storage, which is named like an application: `data`, `log-2a`.
#[cfg(feature = "testing")]
pub(crate) fn is_storage(name: &str) -> bool {
    is_application(name)
}

/// Whether this is the form of the id of a storage instance, `data/0` (contract 11.1).
#[cfg(feature = "testing")]
pub(crate) fn is_storage_id(text: &str) -> bool {
    let Some((name, number)) = text.split_once('/') else { return false };
    let number_ok = number == "0" || !number.starts_with('0') && !number.is_empty();
    is_storage(name) && number_ok && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// A relation, `zkpeer:3`. Only the number identifies it (contract 4.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RelationId {
    /// The endpoint of this unit's charm.
    pub endpoint: String,
    /// The number, unique in the model and never used again.
    pub number: u32,
}

impl TryFrom<String> for RelationId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<RelationId> for String {
    fn from(id: RelationId) -> Self {
        id.to_string()
    }
}

impl fmt::Display for RelationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.endpoint, self.number)
    }
}

impl FromStr for RelationId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.rsplit_once(':')
            .filter(|(endpoint, number)| !endpoint.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|(endpoint, number)| Some(Self { endpoint: endpoint.to_owned(), number: number.parse().ok()? }))
            .ok_or_else(|| NameError(format!("`{text}` is not a relation id: it has to look like `zkpeer:3`")))
    }
}

/// A name that Juju would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub(crate) String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_ordered_as_strings() {
        let mut units: Vec<UnitName> = ["zk/2", "zk/10"].iter().map(|name| name.parse().unwrap()).collect();
        units.sort();
        assert_eq!(units[0].as_str(), "zk/10");
        assert_eq!((units[0].application(), units[0].number()), ("zk", 10));
    }

    #[test]
    fn what_juju_would_not_take_is_no_unit() {
        for name in ["", "zk", "zk/", "zk/01", "zk/x", "Zk/0", "zk-2/0", "/0", "zk/0/1", "zk/-1"] {
            let error = name.parse::<UnitName>().unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}` is not the name of a unit")), "{error}");
        }
        for name in ["zk/0", "zk-2a/10"] {
            assert!(name.parse::<UnitName>().is_ok(), "{name}");
        }
    }

    #[cfg(feature = "testing")]
    #[test]
    fn c11_names_of_endpoints_actions_and_storage() {
        assert!(["client", "zk-peer", "a_b2", "a-2"].iter().all(|name| is_endpoint(name)));
        assert!(!["", "Client", "2a", "a--b", "a-", "-a", "a b", "ä"].iter().any(|name| is_endpoint(name)));
        assert!(["backup", "2", "a-b"].iter().all(|name| is_action(name)));
        assert!(!["", "-a", "a-", "A", "a.b"].iter().any(|name| is_action(name)));
        assert!(["data/0", "log-a/12"].iter().all(|id| is_storage_id(id)));
        let wrong = ["", "data", "data/", "data/x", "data/01", "data/+1", "/0", "Data/0", "data/0/1"];
        assert!(!wrong.iter().any(|id| is_storage_id(id)));
    }

    #[test]
    fn what_is_no_relation_id_is_refused() {
        let id: RelationId = "zkpeer:3".parse().unwrap();
        assert_eq!((id.endpoint.as_str(), id.number, id.to_string().as_str()), ("zkpeer", 3, "zkpeer:3"));
        for text in ["zkpeer", ":3", "zkpeer:", "zkpeer:x", "zkpeer:-1", "3", ""] {
            assert!(text.parse::<RelationId>().is_err(), "{text}");
        }
    }
}
