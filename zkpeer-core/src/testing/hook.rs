//! What a charm is started for: a hook or an action, with everything that distinguishes it (contract 1.3, 6.2).

use std::fmt;

use crate::juju::{RelationId, UnitName};

/// One hook or action.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hook {
    /// A hook that concerns no relation: `install`, `config-changed`, ...
    Plain(String),
    /// A hook of a relation.
    Relation(RelationHook),
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

/// The five hooks of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
            Self::Relation(hook) => format!("{}{}", hook.relation.endpoint, hook.kind.suffix()),
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

    /// Whether this is the plain hook of that name.
    pub(crate) fn is(&self, plain: &str) -> bool {
        matches!(self, Self::Plain(name) if name == plain)
    }

    /// `collect-metrics` and `meter-status-changed` run in a reduced environment (contract 1.5).
    pub(crate) fn is_restricted(&self) -> bool {
        self.is("collect-metrics") || self.is("meter-status-changed")
    }
}

/// The name, with the remote unit of a relation hook: `zkpeer-relation-joined (hello/1)`.
impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relation(RelationHook { unit: Some(unit), .. }) => write!(f, "{} ({unit})", self.name()),
            Self::Relation(RelationHook { kind: RelationKind::Changed, app, .. }) => {
                write!(f, "{} ({app})", self.name())
            }
            Self::Action { id, name } => write!(f, "action {name} ({id})"),
            Self::Exec { command, .. } => write!(f, "exec {command}"),
            _ => f.write_str(&self.name()),
        }
    }
}
