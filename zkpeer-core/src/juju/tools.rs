//! The hook commands behind the trait: JSON in, JSON out; as processes, every wait has a limit.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::talk::{self, Ended};
use super::{
    AddressKind, Bag, BagOwner, CurrentStatus, GoalState, Juju, JujuError, JujuResult, LogLevel, NameError,
    NetworkInfo, Port, RelationId, Side, StatusName, UnitName,
};

/// The longest that one argument may be: Linux takes 128 KiB, its end included.
const ARGUMENT_LIMIT: usize = 128 * 1024 - 1;
/// The longest text that is passed to a command that only shows it.
const MESSAGE_LIMIT: usize = 64 * 1024;

/// What runs hook commands: the system, or the simulated Juju of the feature `testing`.
pub(crate) trait Commands: fmt::Debug {
    /// Runs one command to its end.
    fn run(&self, name: &'static str, arguments: &[&str], input: Option<&[u8]>) -> JujuResult<Ended>;
}

/// Juju, by its hook commands.
#[derive(Debug)]
pub struct Tools {
    commands: Box<dyn Commands>,
}

impl Tools {
    /// The hook commands as processes, found by the process's own `PATH` (`path` is what errors show of it), run in
    /// `directory` or where the process is; each is killed when it has not ended within `limit`.
    ///
    /// To change the directory costs each command a third of a millisecond in a static program.
    #[must_use]
    pub fn new(directory: Option<PathBuf>, path: OsString, limit: Duration) -> Self {
        Self::over(Processes { directory, path, limit })
    }

    pub(crate) fn over(commands: impl Commands + 'static) -> Self {
        Self { commands: Box::new(commands) }
    }

    fn run(&self, name: &'static str, arguments: &[&str], input: Option<&[u8]>) -> JujuResult<Vec<u8>> {
        let Ended { code, stdout, stderr } = self.commands.run(name, arguments, input)?;
        if code == 0 {
            return Ok(stdout);
        }
        let stderr = String::from_utf8_lossy(&stderr);
        let stderr = stderr.trim();
        let stderr = stderr.strip_prefix("ERROR ").unwrap_or(stderr);
        let stderr = if stderr.is_empty() { "(it said nothing)".to_owned() } else { cut(stderr, 2000) };
        Err(JujuError::Failed { command: shown(name, arguments), code, stderr })
    }

    fn ask<T: DeserializeOwned>(&self, name: &'static str, arguments: &[&str]) -> JujuResult<T> {
        let mut all = vec!["--format=json"];
        all.extend_from_slice(arguments);
        let output = self.run(name, &all, None)?;
        serde_json::from_slice(&output).map_err(|error| JujuError::NotUnderstood {
            command: shown(name, &all),
            reason: error.to_string(),
            output: if output.is_empty() { "(nothing)".into() } else { cut(&String::from_utf8_lossy(&output), 200) },
        })
    }

    fn ask_bag(&self, name: &'static str, arguments: &[&str]) -> JujuResult<Bag> {
        Ok(self.ask::<Option<Bag>>(name, arguments)?.unwrap_or_default())
    }

    fn tell(&self, name: &'static str, arguments: &[&str]) -> JujuResult {
        self.run(name, arguments, None).map(|_| ())
    }

    /// A bag as JSON over standard input: nothing is trimmed, and nothing is too long.
    fn tell_bag(&self, name: &'static str, arguments: &[&str], values: &Bag) -> JujuResult {
        let Ok(input) = serde_json::to_vec(values) else { unreachable!("texts by their names are JSON") };
        self.run(name, arguments, Some(&input)).map(|_| ())
    }

    fn tell_pairs(&self, name: &'static str, values: &Bag, trimmed: bool) -> JujuResult {
        let mut pairs = Vec::new();
        for (key, value) in values {
            check_pair(name, key, value, trimmed)?;
            pairs.push(format!("{key}={value}"));
        }
        self.tell(name, &pairs.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn ports(&self, name: &'static str, port: &Port, endpoints: &[String]) -> JujuResult {
        let joined = endpoints.join(",");
        let mut arguments = vec![port.as_str()];
        if !endpoints.is_empty() {
            arguments.extend(["--endpoints", &joined]);
        }
        self.tell(name, &arguments)
    }
}

/// The hook commands as processes.
#[derive(Debug)]
struct Processes {
    directory: Option<PathBuf>,
    path: OsString,
    limit: Duration,
}

impl Commands for Processes {
    fn run(&self, name: &'static str, arguments: &[&str], input: Option<&[u8]>) -> JujuResult<Ended> {
        let mut command = Command::new(name);
        command.args(arguments);
        if let Some(directory) = &self.directory {
            command.current_dir(directory);
        }
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|source| JujuError::NotStarted {
            command: name.to_owned(),
            path: self.path.to_string_lossy().into_owned(),
            source,
        })?;
        match talk::until_end(&mut child, input.unwrap_or_default(), self.limit) {
            Ok(Some(ended)) => Ok(ended),
            failed => {
                // Nothing more is to be learnt from it; without the kill it would outlive the hook.
                let _ = child.kill();
                let _ = child.wait();
                let command = shown(name, arguments);
                Err(match failed {
                    Err(source) => JujuError::Io { command, source },
                    Ok(_) => JujuError::TimedOut { command, seconds: self.limit.as_secs() },
                })
            }
        }
    }
}

/// Refuses what would arrive changed where a command takes `key=value` and nothing else (contract 7.4).
pub(crate) fn check_pair(command: &'static str, key: &str, value: &str, trimmed: bool) -> JujuResult {
    let unfit = |reason| Err(JujuError::Unfit { command, key: key.to_owned(), reason });
    if key.is_empty() || key.contains('=') || key.starts_with('-') || key.trim() != key {
        return unfit("the key is empty, begins with `-`, contains `=` or has white space at an end; choose another");
    }
    if key.contains('\0') || value.contains('\0') {
        return unfit("it contains a NUL character, which no argument can; encode it");
    }
    if trimmed && value.trim() != value {
        return unfit("white space at its ends would be cut off; encode it, as JSON for example");
    }
    if key.len() + 1 + value.len() > ARGUMENT_LIMIT {
        return unfit("it is longer than the 128 KiB that an argument may have; keep it elsewhere and set a reference");
    }
    Ok(())
}

/// A list or map, where Juju may say `null` for an empty one (contract 13).
fn or_null<'de, T: Deserialize<'de> + Default, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// A text for people, fit to be an argument: no NUL, and not endless.
fn message(text: &str) -> String {
    cut(&text.replace('\0', "\u{fffd}"), MESSAGE_LIMIT)
}

fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{} [... {} bytes more]", &text[..end], text.len() - end)
}

fn shown(name: &str, arguments: &[&str]) -> String {
    let mut text = name.to_owned();
    for argument in arguments {
        text.push(' ');
        text.push_str(&cut(argument, 80));
    }
    text
}

fn names<T>(command: &str, texts: &[String], parse: fn(&str) -> Result<T, NameError>) -> JujuResult<Vec<T>> {
    let not_a_name = |text: &str, error: NameError| JujuError::NotUnderstood {
        command: command.to_owned(),
        reason: error.to_string(),
        output: cut(text, 200),
    };
    texts.iter().map(|text| parse(text).map_err(|error| not_a_name(text, error))).collect()
}

impl Juju for Tools {
    fn relation_ids(&self, endpoint: &str) -> JujuResult<Vec<RelationId>> {
        let ids: Option<Vec<String>> = self.ask("relation-ids", &[endpoint])?;
        names("relation-ids", &ids.unwrap_or_default(), str::parse)
    }

    fn relation_list(&self, relation: &RelationId) -> JujuResult<Vec<UnitName>> {
        let units: Option<Vec<String>> = self.ask("relation-list", &["-r", &relation.to_string()])?;
        names("relation-list", &units.unwrap_or_default(), str::parse)
    }

    fn relation_application(&self, relation: &RelationId) -> JujuResult<String> {
        self.ask("relation-list", &["-r", &relation.to_string(), "--app"])
    }

    fn relation_get(&self, relation: &RelationId, owner: &BagOwner) -> JujuResult<Bag> {
        match owner {
            BagOwner::Unit(unit) => self.ask_bag("relation-get", &["-r", &relation.to_string(), "-", unit.as_str()]),
            BagOwner::Application(app) => {
                self.ask_bag("relation-get", &["-r", &relation.to_string(), "--app", "-", app])
            }
        }
    }

    fn relation_set(&self, relation: &RelationId, side: Side, values: &Bag) -> JujuResult {
        let relation = relation.to_string();
        let mut arguments = vec!["-r", &relation, "--file", "-"];
        if side == Side::Application {
            arguments.push("--app");
        }
        self.tell_bag("relation-set", &arguments, values)
    }

    fn config_get(&self) -> JujuResult<BTreeMap<String, Value>> {
        Ok(self.ask::<Option<_>>("config-get", &[])?.unwrap_or_default())
    }

    fn is_leader(&self) -> JujuResult<bool> {
        self.ask("is-leader", &[])
    }

    fn leader_get(&self) -> JujuResult<Bag> {
        self.ask_bag("leader-get", &[])
    }

    fn leader_set(&self, values: &Bag) -> JujuResult {
        self.tell_pairs("leader-set", values, true)
    }

    fn state_get(&self) -> JujuResult<Bag> {
        self.ask_bag("state-get", &[])
    }

    fn state_set(&self, values: &Bag) -> JujuResult {
        self.tell_bag("state-set", &["--file", "-"], values)
    }

    fn state_delete(&self, key: &str) -> JujuResult {
        self.tell("state-delete", &["--", key])
    }

    fn status_set(&self, side: Side, status: StatusName, text: &str) -> JujuResult {
        let text = message(text);
        let mut arguments = vec![];
        if side == Side::Application {
            arguments.push("--application");
        }
        arguments.extend(["--", status.as_str(), &text]);
        self.tell("status-set", &arguments)
    }

    fn status_get(&self, side: Side) -> JujuResult<CurrentStatus> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default, deserialize_with = "or_null")]
            status: String,
            #[serde(default, deserialize_with = "or_null")]
            message: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct RawApplication {
            application_status: Raw,
        }
        let Raw { status, message } = match side {
            Side::Unit => self.ask("status-get", &["--include-data"])?,
            Side::Application => {
                let raw: RawApplication = self.ask("status-get", &["--include-data", "--application"])?;
                raw.application_status
            }
        };
        Ok(CurrentStatus { status, message })
    }

    fn juju_log(&self, level: LogLevel, text: &str) -> JujuResult {
        self.tell("juju-log", &["-l", level.as_str(), "--", &message(text)])
    }

    fn network_get(&self, endpoint: &str, relation: Option<&RelationId>) -> JujuResult<NetworkInfo> {
        #[derive(Deserialize)]
        #[serde(rename_all = "kebab-case")]
        struct Raw {
            #[serde(default, deserialize_with = "or_null")]
            bind_addresses: Vec<Interface>,
            #[serde(default, deserialize_with = "or_null")]
            ingress_addresses: Vec<String>,
            #[serde(default, deserialize_with = "or_null")]
            egress_subnets: Vec<String>,
        }
        #[derive(Deserialize)]
        struct Interface {
            #[serde(default, deserialize_with = "or_null")]
            addresses: Vec<Address>,
        }
        #[derive(Deserialize)]
        struct Address {
            value: String,
        }
        let relation = relation.map(ToString::to_string);
        let mut arguments = vec![endpoint];
        if let Some(relation) = &relation {
            arguments.extend(["-r", relation]);
        }
        let raw: Raw = self.ask("network-get", &arguments)?;
        let addresses = raw.bind_addresses.into_iter().flat_map(|interface| interface.addresses);
        Ok(NetworkInfo {
            bind_addresses: addresses.map(|address| address.value).collect(),
            ingress_addresses: raw.ingress_addresses,
            egress_subnets: raw.egress_subnets,
        })
    }

    fn unit_get(&self, kind: AddressKind) -> JujuResult<String> {
        let setting = match kind {
            AddressKind::Private => "private-address",
            AddressKind::Public => "public-address",
        };
        self.ask("unit-get", &[setting])
    }

    fn open_port(&self, port: &Port, endpoints: &[String]) -> JujuResult {
        self.ports("open-port", port, endpoints)
    }

    fn close_port(&self, port: &Port, endpoints: &[String]) -> JujuResult {
        self.ports("close-port", port, endpoints)
    }

    fn application_version_set(&self, version: &str) -> JujuResult {
        self.tell("application-version-set", &["--", &message(version)])
    }

    fn action_get(&self) -> JujuResult<Map<String, Value>> {
        Ok(self.ask::<Option<_>>("action-get", &[])?.unwrap_or_default())
    }

    fn action_set(&self, results: &Bag) -> JujuResult {
        self.tell_pairs("action-set", results, false)
    }

    fn action_fail(&self, text: &str) -> JujuResult {
        self.tell("action-fail", &["--", &message(text)])
    }

    fn action_log(&self, text: &str) -> JujuResult {
        self.tell("action-log", &["--", &message(text)])
    }

    fn goal_state(&self) -> JujuResult<GoalState> {
        #[derive(Deserialize)]
        struct Raw {
            #[serde(default, deserialize_with = "or_null")]
            units: BTreeMap<String, Goal>,
            #[serde(default, deserialize_with = "or_null")]
            relations: BTreeMap<String, BTreeMap<String, Goal>>,
        }
        #[derive(Deserialize)]
        struct Goal {
            status: String,
        }
        let statuses =
            |goals: BTreeMap<String, Goal>| goals.into_iter().map(|(name, goal)| (name, goal.status)).collect();
        let raw: Raw = self.ask("goal-state", &[])?;
        Ok(GoalState {
            units: statuses(raw.units),
            relations: raw.relations.into_iter().map(|(endpoint, goals)| (endpoint, statuses(goals))).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_an_empty_list_or_map() {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default, deserialize_with = "or_null")]
            list: Vec<String>,
            #[serde(default, deserialize_with = "or_null")]
            map: BTreeMap<String, String>,
        }
        for text in [r#"{"list":null,"map":null}"#, "{}"] {
            let answer: Answer = serde_json::from_str(text).unwrap();
            assert!(answer.list.is_empty() && answer.map.is_empty());
        }
    }

    #[test]
    fn what_would_arrive_changed_is_refused() {
        for (key, value) in [("k", " v"), ("k", "v\n"), ("", "v"), ("-k", "v"), ("a=b", "v"), (" k", "v"), ("k", "\0")]
        {
            let error = check_pair("leader-set", key, value, true).unwrap_err().to_string();
            assert!(error.contains("leader-set") && error.contains(&format!("`{key}`")), "{error}");
        }
        assert!(check_pair("action-set", "k", " v ", false).is_ok());
        assert!(check_pair("leader-set", "k", &"v".repeat(128 * 1024), true).is_err());
        assert!(check_pair("leader-set", "k", "a=b -c", true).is_ok());
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        assert_eq!(cut("äöü", 3), "ä [... 4 bytes more]");
        assert_eq!(cut("äöü", 6), "äöü");
    }
}
