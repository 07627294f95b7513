//! What a charm is started for: a hook or an action, with everything that distinguishes it (contract 1.3, 6.2).

use std::fmt;

use super::charm::{CharmFiles, StorageKind};
use super::controller::storage::storage_name;
use crate::hook::RESTRICTED;
use crate::juju::{RelationId, UnitName};

/// One hook or action.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Hook {
    /// A hook that concerns no relation: `install`, `config-changed`, ...
    Plain(String),
    /// A hook of a relation.
    Relation(RelationHook),
    /// A hook of a storage instance.
    Storage(StorageHook),
    /// A hook of a secret.
    Secret(SecretHook),
    /// An action.
    Action {
        /// The number Juju gave it.
        id: u64,
        /// Its name in actions.yaml.
        name: String,
    },
    /// A command that an operator runs in a hook's context with `juju exec` (contract 1.6).
    Exec {
        /// The command, for a shell.
        command: String,
        /// The relation that was given.
        relation: Option<RelationHook>,
    },
}

/// A hook of a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelationHook {
    /// Which of the five.
    pub kind: RelationKind,
    /// The relation.
    pub relation: RelationId,
    /// `JUJU_REMOTE_APP`.
    pub app: String,
    /// `JUJU_REMOTE_UNIT`; none in `-created`, `-broken`, and `-changed` for an application's bag.
    pub unit: Option<UnitName>,
    /// `JUJU_DEPARTING_UNIT`.
    pub departing: Option<UnitName>,
    /// The version of the bag that made this hook due.
    pub(crate) version: u64,
}

/// A hook of a storage instance: `data-storage-attached`, `data-storage-detaching`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StorageHook {
    /// Whether the instance is being detached; otherwise it has been attached.
    pub detaching: bool,
    /// `JUJU_STORAGE_ID`, `data/0`.
    pub id: String,
    /// `JUJU_STORAGE_LOCATION`.
    pub location: String,
    /// `JUJU_STORAGE_KIND`.
    pub kind: StorageKind,
}

/// A hook of a secret, Juju 3.0 and later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SecretHook {
    /// Which of the four.
    pub kind: SecretKind,
    /// `JUJU_SECRET_ID`, with the scheme: `secret:9m4e2mr0ui3e8a215n4g`.
    pub id: String,
    /// `JUJU_SECRET_LABEL`, the one that this unit gave the secret.
    pub label: String,
    /// The revision that made the hook due; `JUJU_SECRET_REVISION` in `secret-remove` and `secret-expired`.
    pub revision: u32,
}

/// The four hooks of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// `secret-expired`: a revision has reached its time.
    Expired,
    /// `secret-rotate`: the owner is to make a new revision.
    Rotate,
    /// `secret-changed`: there is a newer revision than the one that this consumer tracks.
    Changed,
    /// `secret-remove`: nobody tracks an old revision any longer.
    Remove,
}

impl SecretKind {
    fn name(self) -> &'static str {
        match self {
            Self::Expired => "secret-expired",
            Self::Rotate => "secret-rotate",
            Self::Changed => "secret-changed",
            Self::Remove => "secret-remove",
        }
    }
}

impl StorageHook {
    fn name(&self) -> String {
        let suffix = if self.detaching { "detaching" } else { "attached" };
        format!("{}-storage-{suffix}", storage_name(&self.id))
    }
}

/// The five hooks of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// `-relation-created`
    Created,
    /// `-relation-joined`
    Joined,
    /// `-relation-changed`
    Changed,
    /// `-relation-departed`
    Departed,
    /// `-relation-broken`
    Broken,
}

impl RelationKind {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Created, "-relation-created"),
        (Self::Joined, "-relation-joined"),
        (Self::Changed, "-relation-changed"),
        (Self::Departed, "-relation-departed"),
        (Self::Broken, "-relation-broken"),
    ];

    fn suffix(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, suffix)| suffix)
    }

    /// The name of such a hook of an endpoint.
    pub(crate) fn hook_of(self, endpoint: &str) -> String {
        format!("{endpoint}{}", self.suffix())
    }

    /// Splits `zkpeer-relation-joined` into the endpoint and the kind.
    pub(crate) fn split(name: &str) -> Option<(&str, Self)> {
        Self::ALL.iter().find_map(|(kind, suffix)| Some((name.strip_suffix(suffix)?, *kind)))
    }
}

impl Hook {
    /// A hook without a relation.
    pub(crate) fn plain(name: &str) -> Self {
        Self::Plain(name.to_owned())
    }

    /// The name: of the hook as Juju writes it, or of the action.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Plain(name) | Self::Action { name, .. } => name.clone(),
            Self::Relation(hook) => hook.kind.hook_of(&hook.relation.endpoint),
            Self::Storage(hook) => hook.name(),
            Self::Secret(hook) => hook.kind.name().to_owned(),
            Self::Exec { .. } => "run-commands".to_owned(),
        }
    }

    /// The name relative to the charm directory, as in `JUJU_DISPATCH_PATH`.
    pub(crate) fn path(&self) -> String {
        let directory = if self.is_action() { "actions" } else { "hooks" };
        format!("{directory}/{}", self.name())
    }

    /// Whether this is an action.
    #[must_use]
    pub fn is_action(&self) -> bool {
        matches!(self, Self::Action { .. })
    }

    /// Whether this is a command of an operator.
    pub(crate) fn is_exec(&self) -> bool {
        matches!(self, Self::Exec { .. })
    }

    /// What the program is started with: nothing, but for a command (contract 1.1, 1.6).
    pub(crate) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Exec { command, .. } => vec!["-c".to_owned(), command.clone()],
            _ => Vec::new(),
        }
    }

    /// The relation of a relation hook.
    pub(crate) fn relation(&self) -> Option<&RelationHook> {
        match self {
            Self::Relation(hook) | Self::Exec { relation: Some(hook), .. } => Some(hook),
            _ => None,
        }
    }

    /// The storage instance of a storage hook.
    pub(crate) fn storage(&self) -> Option<&StorageHook> {
        match self {
            Self::Storage(hook) => Some(hook),
            _ => None,
        }
    }

    /// Whether this is the plain hook of that name.
    pub(crate) fn is(&self, plain: &str) -> bool {
        matches!(self, Self::Plain(name) if name == plain)
    }

    /// Whether it runs in a reduced environment (contract 1.5).
    pub(crate) fn is_restricted(&self) -> bool {
        RESTRICTED.iter().any(|name| self.is(name))
    }
}

/// What a hook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookFamily {
    /// Neither an endpoint nor a storage nor a container.
    Plain,
    Relation(RelationKind),
    Storage,
    /// A container on Kubernetes.
    Workload,
}

impl HookFamily {
    /// The names of the plain hooks, those of secrets among them (contract 1.3).
    pub(crate) const PLAIN: [&str; 18] = [
        "install",
        "start",
        "config-changed",
        "upgrade-charm",
        "stop",
        "remove",
        "update-status",
        "leader-elected",
        "leader-deposed",
        "leader-settings-changed",
        "secret-changed",
        "secret-rotate",
        "secret-expired",
        "secret-remove",
        "pre-series-upgrade",
        "post-series-upgrade",
        "collect-metrics",
        "meter-status-changed",
    ];

    const STORAGE: [&str; 2] = ["-storage-attached", "-storage-detaching"];

    const WORKLOAD: [&str; 4] =
        ["-pebble-ready", "-pebble-custom-notice", "-pebble-check-failed", "-pebble-check-recovered"];

    /// Sorts a hook by its name, which begins with that of its endpoint, storage or container.
    pub(crate) fn of(name: &str) -> Option<(Self, &str)> {
        let owner = |suffixes: &[&str]| suffixes.iter().find_map(|suffix| name.strip_suffix(suffix));
        if Self::PLAIN.contains(&name) {
            return Some((Self::Plain, ""));
        }
        let relation = RelationKind::split(name).map(|(endpoint, kind)| (Self::Relation(kind), endpoint));
        relation
            .or_else(|| Some((Self::Storage, owner(&Self::STORAGE)?)))
            .or_else(|| Some((Self::Workload, owner(&Self::WORKLOAD)?)))
    }
}

/// Whether a hook of this charm has that name.
pub(crate) fn is_hook_of(name: &str, charm: &CharmFiles) -> bool {
    match HookFamily::of(name) {
        None => false,
        Some((HookFamily::Plain, _)) => true,
        Some((HookFamily::Relation(_), endpoint)) => charm.endpoints().contains_key(endpoint),
        Some((HookFamily::Storage, storage)) => charm.storage.contains_key(storage),
        Some((HookFamily::Workload, container)) => charm.containers.contains(container),
    }
}

/// The name, with what the hook is about: `zkpeer-relation-joined (hello/1)`, `data-storage-attached (data/0)`.
impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation(RelationHook { unit: Some(unit), .. }) => write!(f, "{} ({unit})", self.name()),
            Self::Relation(RelationHook { kind: RelationKind::Changed, app, .. }) => {
                write!(f, "{} ({app})", self.name())
            }
            Self::Storage(hook) => write!(f, "{} ({})", self.name(), hook.id),
            Self::Secret(hook) => write!(f, "{} ({})", self.name(), hook.id),
            Self::Action { id, name } => write!(f, "action {name} ({id})"),
            Self::Exec { command, .. } => write!(f, "exec {command}"),
            _ => f.write_str(&self.name()),
        }
    }
}
