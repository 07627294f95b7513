//! Stories: what is deployed and what happens then, read from a YAML file as pure data.
//!
#![doc = include_str!("../docs/stories.md")]
// The parts, each above those it uses:
//
// - `deploy`, `steps`, `expect`: the sections of a story, and what each takes;
// - `show`: steps in one line;
// - `reader`: fields by name and type; it gathers what is wrong;
// - `words`: durations, hooks, moments of a kill, and what was probably meant.

mod deploy;
mod expect;
mod reader;
mod show;
mod steps;
mod words;

pub(super) use words::nearest;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use super::names::JujuVersion;
use super::process::KillPoint;
use super::value::Value;
use super::yaml::read_text;
use crate::juju::names::{is_application, is_endpoint};
use crate::juju::{NameError, UnitName};

/// Whether Juju has a hook of this name; otherwise the reason, with the nearest that there is.
pub(super) fn check_hook(name: &str) -> Result<(), String> {
    words::hook(name).map(drop)
}

/// A story: what is deployed, and what happens then, one step after the other.
///
/// How it is written: [the module](self). All that a text can tell is checked when it is read: names,
/// types, and that applications are deployed before they are used. Whether a unit exists at a step's time is not.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// The file, for messages; charms are relative to its directory.
    pub path: PathBuf,
    /// The version of Juju.
    pub juju: JujuVersion,
    /// What the choices depend on that Juju leaves to chance; without it they are always the same.
    pub seed: Option<u64>,
    /// The bugs of Juju that are there, by the number of their issue.
    pub bugs: BTreeSet<u32>,
    /// What `juju model-config` says.
    pub model_config: ModelConfig,
    /// What is deployed before the first step, in the order of the file.
    pub applications: Vec<Deployment>,
    /// What is related before the first step.
    pub relations: Vec<Relation>,
    /// What happens.
    pub steps: Vec<Step>,
}

impl Story {
    /// Reads a story from a file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is no story; the error names each line that is wrong.
    pub fn read(path: &Path) -> Result<Self, StoryError> {
        match read_text(path) {
            Ok(text) => Self::parse(&text, path),
            Err(error) => {
                let problem = StoryProblem { line: None, text: format!("cannot be read: {error}") };
                Err(StoryError { path: path.to_owned(), problems: vec![problem] })
            }
        }
    }

    /// Reads a story from its text; `path` is the file that it would be.
    ///
    /// ```
    /// use std::path::Path;
    /// use zkpeer_core::testing::Story;
    ///
    /// let text = "applications:\n  zk: ./charm\nsteps:\n  - setle\n";
    /// let error = Story::parse(text, Path::new("story.yaml")).unwrap_err();
    /// assert_eq!(error.to_string(), "story.yaml:4: there is no step `setle`; is it `settle`?");
    /// ```
    ///
    /// # Errors
    ///
    /// If it is no story; the error names each line that is wrong.
    pub fn parse(text: &str, path: &Path) -> Result<Self, StoryError> {
        deploy::story(text, path).map_err(|problems| StoryError { path: path.to_owned(), problems })
    }

    /// Where a step stands, for messages: `story.yaml:12`.
    #[must_use]
    pub fn place(&self, step: &Step) -> String {
        format!("{}:{}", self.path.display(), step.line)
    }
}

/// The options of the model that a charm can notice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModelConfig {
    /// `automatically-retry-hooks`: whether a hook that failed is run again by itself (contract 2.2).
    pub automatically_retry_hooks: bool,
    /// `update-status-hook-interval` (contract 3.2).
    pub update_status_hook_interval: Duration,
}

impl Default for ModelConfig {
    fn default() -> Self {
        Self { automatically_retry_hooks: true, update_status_hook_interval: Duration::from_secs(300) }
    }
}

/// An application with all that it is deployed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The line it stands on.
    pub line: u64,
    /// Its name.
    pub application: String,
    /// The directory of its charm.
    pub charm: PathBuf,
    /// How many units it begins with.
    pub units: u32,
    /// Its configuration, each value as `juju config` takes it: a text that the option's type makes a value of.
    pub config: BTreeMap<String, String>,
    /// Whether it is trusted.
    pub trust: bool,
    /// The files of its resources.
    pub resources: BTreeMap<String, PathBuf>,
    /// How many instances of each storage every unit asks for.
    pub storage: BTreeMap<String, u32>,
}

/// Two endpoints that are related.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// The line it stands on.
    pub line: u64,
    /// Its two sides.
    pub sides: [EndpointName; 2],
}

/// An endpoint of an application, `zk:client`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EndpointName {
    /// The application.
    pub application: String,
    /// The endpoint of its charm.
    pub endpoint: String,
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.application, self.endpoint)
    }
}

impl FromStr for EndpointName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        text.split_once(':')
            .filter(|(application, endpoint)| is_application(application) && is_endpoint(endpoint))
            .map(|(application, endpoint)| Self { application: application.to_owned(), endpoint: endpoint.to_owned() })
            .ok_or_else(|| NameError(format!("`{text}` is not an endpoint: it has to look like `zk:client`")))
    }
}

/// One step of a story.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The line it begins on.
    pub line: u64,
    /// What happens.
    pub kind: StepKind,
}

impl Step {
    /// Its name, as the file has it: `add-units`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        steps::name(&self.kind)
    }
}

/// What happens in a step.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum StepKind {
    /// All that is due runs.
    Settle,
    /// An application is deployed.
    Deploy(Deployment),
    /// An application gets further units.
    AddUnits {
        /// The application.
        application: String,
        /// How many.
        count: u32,
    },
    /// A unit is to be removed.
    RemoveUnit {
        /// The unit.
        unit: UnitName,
        /// Whether it goes although its hooks fail.
        force: bool,
    },
    /// An application is to be removed, with its units and relations.
    RemoveApplication {
        /// The application.
        application: String,
        /// Whether it goes although hooks fail.
        force: bool,
    },
    /// Two endpoints are related.
    Relate {
        /// The two sides.
        sides: [EndpointName; 2],
    },
    /// A relation is to end.
    RemoveRelation {
        /// The two sides.
        sides: [EndpointName; 2],
    },
    /// Options of an application change.
    Config {
        /// The application.
        application: String,
        /// New values, as `juju config` takes them.
        set: BTreeMap<String, String>,
        /// Options that have their default again.
        reset: BTreeSet<String>,
    },
    /// An application is trusted, or no longer.
    Trust {
        /// The application.
        application: String,
        /// Whether it is trusted from now on.
        trust: bool,
    },
    /// Leadership moves.
    Leader {
        /// The application.
        application: String,
        /// The new leader, or none for a time without one.
        unit: Option<UnitName>,
    },
    /// An action is waiting.
    Action {
        /// The unit.
        unit: UnitName,
        /// The action's name.
        name: String,
        /// Its parameters.
        params: BTreeMap<String, Value>,
    },
    /// The unit's next hook is killed.
    Kill {
        /// The unit.
        unit: UnitName,
        /// Only one of this name, if there is one; those before it run undisturbed.
        hook: Option<String>,
        /// When.
        at: KillPoint,
    },
    /// The unit's next hook that exits 0 is refused at its commit.
    RefuseCommit {
        /// The unit.
        unit: UnitName,
        /// What the controller says.
        reason: Option<String>,
    },
    /// An application gets another revision of its charm.
    Refresh {
        /// The application.
        application: String,
        /// The directory of the new charm; none for the same one, read anew.
        charm: Option<PathBuf>,
        /// Whether units whose hook has failed get it too.
        force: bool,
    },
    /// A failed hook is resolved.
    Resolve {
        /// The unit.
        unit: UnitName,
        /// Whether the hook runs again, or counts as done.
        retry: bool,
    },
    /// The unit's machine reboots.
    Reboot {
        /// The unit.
        unit: UnitName,
    },
    /// The unit's agent is started anew.
    RestartAgent {
        /// The unit.
        unit: UnitName,
    },
    /// The unit's address changes.
    Address {
        /// The unit.
        unit: UnitName,
        /// The new address, or none while it is not known.
        to: Option<IpAddr>,
    },
    /// Time passes.
    Pass {
        /// How much.
        time: Duration,
    },
    /// The time for `update-status` has come.
    UpdateStatus {
        /// The unit.
        unit: UnitName,
    },
    /// One hook runs.
    Run {
        /// The unit.
        unit: UnitName,
        /// Exactly this one, or whatever is next.
        hook: Option<String>,
        /// Of a relation hook, which unit or application it has to be about.
        remote: Option<Remote>,
    },
    /// A unit gets further storage.
    AddStorage {
        /// The unit.
        unit: UnitName,
        /// The storage's name in metadata.yaml.
        name: String,
        /// How many instances.
        count: u32,
    },
    /// Storage that was detached is attached to a unit.
    AttachStorage {
        /// The unit.
        unit: UnitName,
        /// The instance, `data/0`.
        storage: String,
    },
    /// Storage is to be detached from its unit.
    DetachStorage {
        /// The instance, `data/0`.
        storage: String,
    },
    /// Nothing of a unit runs until it is released.
    Hold {
        /// The unit.
        unit: UnitName,
    },
    /// A unit that was held goes on.
    Release {
        /// The unit.
        unit: UnitName,
    },
    /// What has to be true now.
    Expect(Expectation),
}

/// Whether Juju has a hook of this name; the error says what else may have been meant.
///
/// # Errors
///
/// If Juju has none.
pub fn check_hook_name(name: &str) -> Result<(), NameError> {
    words::hook(name).map(|_| ()).map_err(NameError)
}

/// The other side of a relation hook (contract 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remote {
    /// `JUJU_REMOTE_UNIT`.
    Unit(UnitName),
    /// `JUJU_REMOTE_APP`, without a unit.
    Application(String),
}

/// What a story expects. What it does not name may be anything.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Expectation {
    /// Of a unit.
    Unit {
        /// The unit.
        unit: UnitName,
        /// Its workload status; `error` while a hook has failed.
        status: Option<String>,
        /// The words beside the status.
        message: Option<String>,
        /// Flags that are set.
        flags: BTreeSet<String>,
        /// Flags that are not set.
        not_flags: BTreeSet<String>,
        /// Whether it leads its application.
        leader: Option<bool>,
    },
    /// Of an application.
    Application {
        /// The application.
        application: String,
        /// Its units.
        units: Option<Units>,
        /// Its leader.
        leader: Option<ExpectedLeader>,
        /// The status that its leader has set for it.
        status: Option<String>,
        /// The words beside the status.
        message: Option<String>,
    },
    /// Of a relation, as seen from one of its sides.
    Relation {
        /// One side.
        relation: EndpointName,
        /// The other one, where the endpoint may have several relations.
        with: Option<EndpointName>,
        /// Whose databag and members are meant.
        owner: Remote,
        /// Entries of the databag; none where there has to be no such key.
        data: BTreeMap<String, Option<String>>,
        /// The remote units that the unit has joined and that have not departed, as `relation-list` prints them.
        members: Option<BTreeSet<UnitName>>,
    },
    /// Of the last action of that name on a unit.
    Action {
        /// The unit.
        unit: UnitName,
        /// The action's name.
        name: String,
        /// Whether it was completed; otherwise it failed.
        completed: Option<bool>,
        /// What it said when it failed.
        message: Option<String>,
        /// Some of its results.
        results: BTreeMap<String, Value>,
    },
}

/// The units that an application is expected to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Units {
    /// So many.
    Count(u32),
    /// Exactly these.
    Named(BTreeSet<UnitName>),
}

/// The leader that an application is expected to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedLeader {
    /// None.
    Nobody,
    /// This unit.
    Unit(UnitName),
}

/// Why a file is no story: everything that is wrong with it, in the order of its lines.
///
/// `Debug` is written as the message is, for tests that return it or `unwrap` it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoryError {
    path: PathBuf,
    problems: Vec<StoryProblem>,
}

/// One thing that is wrong with a story.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct StoryProblem {
    /// The line, if it is about one.
    pub line: Option<u64>,
    /// What is wrong, and what to do.
    pub text: String,
}

/// So many problems are told at once.
const MAX_PROBLEMS: usize = 20;

impl StoryError {
    /// Everything that is wrong, in the order of the lines.
    #[must_use]
    pub fn problems(&self) -> &[StoryProblem] {
        &self.problems
    }
}

impl fmt::Display for StoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().take(MAX_PROBLEMS).enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            match problem.line {
                Some(line) => write!(f, "{end}{}:{line}: {}", self.path.display(), problem.text)?,
                None => write!(f, "{end}{}: {}", self.path.display(), problem.text)?,
            }
        }
        match self.problems.len().saturating_sub(MAX_PROBLEMS) {
            0 => Ok(()),
            more => write!(f, "\n{}: and {more} more", self.path.display()),
        }
    }
}

impl fmt::Debug for StoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StoryError {}
