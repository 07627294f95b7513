//! What can be seen of a unit after a hook, in the same terms for both languages.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::fs;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use zkpeer_core::testing::{Entries, HookRun, Model};

/// One call of one handler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The round of the phase `other`; none in the phase `hooks`.
    pub(crate) round: Option<u32>,
    pub(crate) handler: String,
    /// The peers of the relation that it was given, where that is noted.
    pub(crate) peers: Option<Vec<String>>,
}

/// The handlers of a hook in the order in which they ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls(pub(crate) Vec<Call>);

impl Calls {
    /// As sets for each round.
    fn by_round(&self) -> Rounds {
        let mut rounds = Rounds::new();
        for call in &self.0 {
            rounds.entry(call.round).or_default().insert(call.handler.clone());
        }
        rounds
    }
}

/// The handlers of each round; none is the phase `hooks`.
pub(crate) type Rounds = BTreeMap<Option<u32>, BTreeSet<String>>;

/// A unit after a hook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) failed: bool,
    /// The flags, each with its conversations if it is one of conversations.
    pub(crate) flags: BTreeMap<String, Option<Vec<String>>>,
    /// The conversations by their keys, with their units.
    pub(crate) conversations: BTreeMap<String, Vec<String>>,
    /// What the unit has published, by endpoint.
    pub(crate) bags: BTreeMap<String, Entries>,
    pub(crate) handlers: Rounds,
    /// The addresses of the quorum's members by their numbers, as in the server's file.
    pub(crate) quorum: BTreeMap<u64, String>,
    /// The server's other files, with a word for the directory of the charm.
    pub(crate) files: BTreeMap<&'static str, String>,
    /// What `juju status` shows; nothing while a hook has failed, and of a unit that is gone.
    pub(crate) status: String,
}

const FLAGS: &str = "reactive.states.";
pub(crate) const CONVERSATIONS: &str = "reactive.conversations.";
/// Flags that layer-leadership sets for everybody, and `zkpeer` where a handler watches them.
const UNWATCHED: [&str; 1] = ["leadership.is_leader"];

impl Seen {
    pub(crate) fn of(model: &Model, run: &HookRun, calls: &Calls) -> Self {
        let unit = run.unit.as_str();
        let directory = model.charm_dir(unit).expect("a unit that has run a hook has a directory");
        let mut seen = Self { failed: run.failed(), handlers: calls.by_round(), ..Self::default() };
        for (key, value) in stored(directory) {
            if let Some(flag) = key.strip_prefix(FLAGS) {
                seen.flags.insert(flag.to_owned(), texts(&value["conversations"]));
            } else if let Some(key) = key.strip_prefix(CONVERSATIONS).filter(|key| !key.contains(".local-data.")) {
                seen.conversations.insert(key.to_owned(), texts(&value["units"]).unwrap_or_default());
            }
        }
        seen.flags.retain(|flag, _| !UNWATCHED.contains(&flag.as_str()));
        for relation in model.relations(run.unit.application()) {
            seen.bags.insert(relation.endpoint.clone(), model.unit_data(relation.number, unit));
        }
        seen.quorum = quorum(directory);
        seen.files = FILES.into_iter().filter_map(|name| Some((name, file(directory, name)?))).collect();
        if !seen.failed && model.failed(unit).is_none() && !model.is_gone(unit) {
            let status = model.status(unit);
            seen.status = format!("{} {}", status.status, status.message);
        }
        seen
    }

    /// Itself beside another, a line for each thing in which they differ.
    pub(crate) fn beside(&self, other: &Self) -> String {
        let mut text = String::new();
        let mut line = |what: &str, one: &dyn fmt::Debug, two: &dyn fmt::Debug, differs: bool| {
            if differs {
                let _ = writeln!(text, "  {what}\n    expected {one:?}\n    found    {two:?}");
            }
        };
        line("failed", &self.failed, &other.failed, self.failed != other.failed);
        line("flags", &self.flags, &other.flags, self.flags != other.flags);
        line("conversations", &self.conversations, &other.conversations, self.conversations != other.conversations);
        line("bags", &self.bags, &other.bags, self.bags != other.bags);
        line("handlers", &self.handlers, &other.handlers, self.handlers != other.handlers);
        line("quorum", &self.quorum, &other.quorum, self.quorum != other.quorum);
        line("files", &self.files, &other.files, self.files != other.files);
        line("status", &self.status, &other.status, self.status != other.status);
        text
    }
}

/// Short: for the telling of a story.
impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let handlers: Vec<String> = self
            .handlers
            .iter()
            .map(|(round, handlers)| {
                let handlers: Vec<&str> = handlers.iter().map(String::as_str).collect();
                format!("{}:{}", round.map_or("hooks".to_owned(), |round| round.to_string()), handlers.join(","))
            })
            .collect();
        let flags: Vec<String> = self
            .flags
            .iter()
            .map(|(flag, conversations)| match conversations {
                Some(conversations) => format!("{flag}={}", conversations.join("+")),
                None => flag.clone(),
            })
            .collect();
        let quorum: Vec<String> = self.quorum.iter().map(|(number, address)| format!("{number}={address}")).collect();
        let conversations: Vec<&str> = self.conversations.keys().map(String::as_str).collect();
        write!(f, "{} [{}]", if self.failed { "FAILED" } else { "done" }, handlers.join(" "))?;
        write!(f, "\n      flags {}", flags.join(" "))?;
        write!(f, "\n      conversations {}; quorum {}; {}", conversations.join(" "), quorum.join(" "), self.status)
    }
}

/// The file in which both keep their state.
pub(crate) fn stored(charm_dir: &Path) -> BTreeMap<String, Value> {
    let path = charm_dir.join(".unit-state.db");
    if !path.exists() {
        return BTreeMap::new();
    }
    let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut query = store.prepare("SELECT key, data FROM kv").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
    rows.map(|row| row.map(|(key, data)| (key, serde_json::from_str(&data).unwrap())).unwrap()).collect()
}

/// The texts of a list, sorted, without what all conversations' keys begin with; none if it is no list.
fn texts(value: &Value) -> Option<Vec<String>> {
    let list = value.as_array()?.iter().map(|text| text.as_str().unwrap_or("null"));
    let mut list: Vec<String> = list.map(|text| text.trim_start_matches(CONVERSATIONS).to_owned()).collect();
    list.sort();
    Some(list)
}

/// The members in the server's file.
pub(crate) fn quorum(charm_dir: &Path) -> BTreeMap<u64, String> {
    let text = fs::read_to_string(charm_dir.join(MEMBERS)).unwrap_or_default();
    text.lines().map(|line| member(line).unwrap_or_else(|| panic!("`{line}` is no member in {MEMBERS}"))).collect()
}

fn member(line: &str) -> Option<(u64, String)> {
    let (number, rest) = line.strip_prefix("server.")?.split_once('=')?;
    Some((number.parse().ok()?, rest.strip_suffix(":2888:3888:participant;2181")?.to_owned()))
}

/// The server's other files.
const FILES: [&str; 3] = ["order", "zoo.cfg", "data/myid"];

fn file(charm_dir: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(charm_dir.join("zookeeper").join(name)).ok()?;
    Some(text.replace(&charm_dir.display().to_string(), "CHARM"))
}

/// The file of the quorum's members, in the charm's directory.
pub(crate) const MEMBERS: &str = "zookeeper/zoo.cfg.dynamic";
