//! The seam to Juju: one method for each hook command, and Juju's names for its things.

use std::collections::BTreeMap;
use std::fmt;

pub(crate) mod names;
pub(crate) mod talk;
pub mod tools;

pub use names::{NameError, RelationId, UnitName};

/// A databag, or any other map of strings that Juju keeps.
pub type Bag = BTreeMap<String, String>;

/// Whose databag.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BagOwner {
    /// A unit's.
    Unit(UnitName),
    /// An application's.
    Application(String),
}

impl fmt::Display for BagOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => unit.fmt(f),
            Self::Application(application) => f.write_str(application),
        }
    }
}

/// Which of one's own two databags is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The unit's.
    Unit,
    /// The application's; leader only.
    Application,
}

/// The statuses that a charm may set (contract 9.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatusName {
    /// At work on itself, not serving.
    Maintenance,
    /// Needs the operator.
    Blocked,
    /// Needs something of another application or unit.
    Waiting,
    /// Serving.
    Active,
}

impl StatusName {
    /// The word that Juju uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maintenance => "maintenance",
            Self::Blocked => "blocked",
            Self::Waiting => "waiting",
            Self::Active => "active",
        }
    }
}

/// The levels of Juju's log (contract 9.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Finest.
    Trace,
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is not as it should be.
    Warning,
    /// Something failed.
    Error,
}

impl LogLevel {
    /// The word that `juju-log` takes.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        }
    }
}

/// One of the unit's own addresses (contract 9.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressKind {
    /// Within the model's network.
    Private,
    /// As seen from outside.
    Public,
}

/// A port, or a range of ports, to open or close: `2181/tcp`, `8000-8010/udp`, `icmp`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Port(String);

impl Port {
    /// A TCP port.
    #[must_use]
    pub fn tcp(port: u16) -> Self {
        Self(format!("{port}/tcp"))
    }

    /// A UDP port.
    #[must_use]
    pub fn udp(port: u16) -> Self {
        Self(format!("{port}/udp"))
    }

    /// All TCP ports from the first to the last.
    #[must_use]
    pub fn tcp_range(first: u16, last: u16) -> Self {
        Self(format!("{first}-{last}/tcp"))
    }

    /// All UDP ports from the first to the last.
    #[must_use]
    pub fn udp_range(first: u16, last: u16) -> Self {
        Self(format!("{first}-{last}/udp"))
    }

    /// ICMP, which has no ports.
    #[must_use]
    pub fn icmp() -> Self {
        Self("icmp".to_owned())
    }

    /// As the hook command takes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What `network-get` says of an endpoint (contract 9.11), as far as it is the same in all versions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkInfo {
    /// The addresses to listen on.
    pub bind_addresses: Vec<String>,
    /// The addresses under which the other side reaches this unit.
    pub ingress_addresses: Vec<String>,
    /// The subnets from which this unit's traffic comes.
    pub egress_subnets: Vec<String>,
}

/// A status as `status-get` tells it (contract 9.9).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CurrentStatus {
    /// Juju's word: one of [`StatusName`], or what Juju says itself, such as `unknown`.
    pub status: String,
    /// The message; often empty.
    pub message: String,
}

/// What `goal-state` says (contract 9.14): the only view of peers that have not joined yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoalState {
    /// The units of the charm's own application, this one included, and their statuses.
    pub units: BTreeMap<String, String>,
    /// For each endpoint but peers: the applications and units there, and their statuses.
    pub relations: BTreeMap<String, BTreeMap<String, String>>,
}

/// What a hook command refused, or why it could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JujuError {
    /// The command is not there.
    #[error("hook command `{command}` cannot be started; it is looked for in PATH={path}")]
    NotStarted {
        /// The command's name.
        command: String,
        /// Where it was looked for.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The command ran and failed: 1 if it could not, 2 if it was used wrongly (contract 7.1).
    #[error("hook command `{command}` failed with exit code {code}: {stderr}")]
    Failed {
        /// The command with its arguments.
        command: String,
        /// Its exit code; 128 and the number of the signal if it was killed.
        code: i32,
        /// What it wrote to standard error.
        stderr: String,
    },
    /// The command's answer is not what the contract says.
    #[error("hook command `{command}` gave an answer that is not understood ({reason}): {output}")]
    NotUnderstood {
        /// The command with its arguments.
        command: String,
        /// What was expected.
        reason: String,
        /// The beginning of the answer.
        output: String,
    },
    /// The command did not end in time.
    #[error(
        "hook command `{command}` did not end within {seconds} s and was killed; ZKPEER_HOOK_COMMAND_TIMEOUT sets the limit in seconds"
    )]
    TimedOut {
        /// The command with its arguments.
        command: String,
        /// The limit in seconds.
        seconds: u64,
    },
    /// The value would not arrive as it is: the command has no way to take it (contract 7.4).
    #[error("`{command}` cannot take the value of `{key}`: {reason}")]
    Unfit {
        /// The command's name.
        command: &'static str,
        /// The key.
        key: String,
        /// What would happen to it, and what to do.
        reason: &'static str,
    },
    /// Something went wrong while talking to the command.
    #[error("talking to hook command `{command}` failed")]
    Io {
        /// The command with its arguments.
        command: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// This version of Juju does not have it.
    #[error("{what} is not there in Juju {version}: {instead}")]
    NotInThisJuju {
        /// What was asked for.
        what: &'static str,
        /// The version.
        version: String,
        /// What to do instead.
        instead: &'static str,
    },
}

impl JujuError {
    /// Whether the relation that was asked about is gone, or has never been this unit's.
    #[must_use]
    pub fn is_relation_not_found(&self) -> bool {
        let gone = ["relation not found", "relation unit not found"];
        matches!(self, Self::Failed { stderr, .. } if gone.iter().any(|text| stderr.contains(text)))
    }

    /// Whether Juju knows no address of this unit yet (contract 9.11).
    #[must_use]
    pub fn is_address_not_found(&self) -> bool {
        let unknown = ["no network config found", "address not found"];
        matches!(self, Self::Failed { stderr, .. } if unknown.iter().any(|text| stderr.contains(text)))
    }

    /// Whether Juju refused because this unit is not the leader.
    #[must_use]
    pub fn is_not_leader(&self) -> bool {
        matches!(self, Self::Failed { stderr, .. }
            if stderr.contains("not the leader") || stderr.contains("cannot write relation settings"))
    }
}

/// What a hook command gives, or its error.
pub type JujuResult<T = ()> = Result<T, JujuError>;

/// Juju as a charm sees it in one hook: one method for each hook command.
///
/// There are two of it: the commands as processes ([`tools::Tools`]), and the simulated Juju of the feature `testing`.
/// Nothing is remembered here; what is asked twice is asked twice.
pub trait Juju: fmt::Debug {
    /// `relation-ids ENDPOINT`: the relations on an endpoint that this unit has entered.
    fn relation_ids(&self, endpoint: &str) -> JujuResult<Vec<RelationId>>;
    /// `relation-list -r ID`: the remote units that have joined so far, this unit's own view (contract 4.1).
    fn relation_list(&self, relation: &RelationId) -> JujuResult<Vec<UnitName>>;
    /// `relation-list -r ID --app`: the application on the other side (2.8.1 and later).
    fn relation_application(&self, relation: &RelationId) -> JujuResult<String>;
    /// `relation-get -r ID - OWNER`: a whole databag.
    fn relation_get(&self, relation: &RelationId, owner: &BagOwner) -> JujuResult<Bag>;
    /// `relation-set -r ID --file -`: sets keys of one's own databag; an empty value removes the key.
    fn relation_set(&self, relation: &RelationId, side: Side, values: &Bag) -> JujuResult;
    /// `config-get`: all options that have a value.
    fn config_get(&self) -> JujuResult<BTreeMap<String, serde_json::Value>>;
    /// `is-leader`: whether this unit leads, for at least 30 s to come.
    fn is_leader(&self) -> JujuResult<bool>;
    /// `leader-get`: the application's leader settings (up to 3.6).
    fn leader_get(&self) -> JujuResult<Bag>;
    /// `leader-set`: sets leader settings at once; an empty value removes the key (up to 3.6).
    fn leader_set(&self, values: &Bag) -> JujuResult;
    /// `state-get`: this unit's state in the controller.
    fn state_get(&self) -> JujuResult<Bag>;
    /// `state-set --file -`: sets keys of it; an empty value is stored.
    fn state_set(&self, values: &Bag) -> JujuResult;
    /// `state-delete KEY`.
    fn state_delete(&self, key: &str) -> JujuResult;
    /// `status-set`: at once.
    fn status_set(&self, side: Side, status: StatusName, message: &str) -> JujuResult;
    /// `status-get`: as it was when the hook first asked.
    fn status_get(&self, side: Side) -> JujuResult<CurrentStatus>;
    /// `juju-log`: at once.
    fn juju_log(&self, level: LogLevel, message: &str) -> JujuResult;
    /// `network-get ENDPOINT`.
    fn network_get(&self, endpoint: &str, relation: Option<&RelationId>) -> JujuResult<NetworkInfo>;
    /// `unit-get private-address` or `public-address`.
    fn unit_get(&self, kind: AddressKind) -> JujuResult<String>;
    /// `open-port`: with the hook's success; for some endpoints only, if any are named.
    fn open_port(&self, port: &Port, endpoints: &[String]) -> JujuResult;
    /// `close-port`: with the hook's success.
    fn close_port(&self, port: &Port, endpoints: &[String]) -> JujuResult;
    /// `application-version-set`: at once.
    fn application_version_set(&self, version: &str) -> JujuResult;
    /// `action-get`: all parameters, defaults filled in.
    fn action_get(&self) -> JujuResult<serde_json::Map<String, serde_json::Value>>;
    /// `action-set`: results by key; a dot in a key makes a nested map.
    fn action_set(&self, results: &Bag) -> JujuResult;
    /// `action-fail MESSAGE`: the action will have failed.
    fn action_fail(&self, message: &str) -> JujuResult;
    /// `action-log MESSAGE`: at once.
    fn action_log(&self, message: &str) -> JujuResult;
    /// `goal-state`.
    fn goal_state(&self) -> JujuResult<GoalState>;
}
