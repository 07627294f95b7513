//! What Juju says of the hook that runs, read once from a map of the environment (contract 1 and 6).

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::juju::{NameError, RelationId, UnitName};

/// The hook or action that runs, and what it is about.
///
/// Handlers look at flags; which hook brought the change is for the log, and for what only one hook can know.
///
/// ```
/// use zkpeer_core::{HookEvent, Log, when};
///
/// #[when("config.changed")]
/// fn note(event: HookEvent, log: Log) {
///     log.info(&format!("configuration changed, seen in {}", event.name()));
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookEvent {
    name: String,
    action: Option<ActionEvent>,
    relation: Option<RelationEvent>,
}

/// The action that runs (contract 1.4).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActionEvent {
    /// Its name.
    pub name: String,
    /// Its number in the model; a UUID in old versions.
    pub id: String,
    /// Its tag.
    pub tag: String,
}

/// The relation that the hook is about (contract 6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RelationEvent {
    /// The relation; its endpoint is the one in the hook's name.
    pub id: RelationId,
    /// The unit that joined, changed or departed; none in `-created`, `-broken` and changes of an application's databag.
    pub remote_unit: Option<UnitName>,
    /// The application at the other side; one's own in a peer relation.
    pub remote_application: Option<String>,
    /// The unit that leaves, in `-departed` only; if it is this unit, it is this one that goes (contract 5.1).
    pub departing_unit: Option<UnitName>,
}

/// The hooks that run apart from all others (contract 1.5).
pub(crate) const RESTRICTED: [&str; 2] = ["collect-metrics", "meter-status-changed"];

impl HookEvent {
    /// A hook that is about no relation.
    #[must_use]
    pub fn hook(name: &str) -> Self {
        Self { name: name.to_owned(), action: None, relation: None }
    }

    /// A hook that is about a relation.
    #[must_use]
    pub fn of_relation(name: &str, relation: RelationEvent) -> Self {
        Self { name: name.to_owned(), action: None, relation: Some(relation) }
    }

    /// An action.
    #[must_use]
    pub fn of_action(action: ActionEvent) -> Self {
        Self { name: action.name.clone(), action: Some(action), relation: None }
    }

    /// The hook's or the action's name, such as `zkpeer-relation-joined`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The action, if it is one that runs.
    #[must_use]
    pub fn action(&self) -> Option<&ActionEvent> {
        self.action.as_ref()
    }

    /// The relation, if the hook is about one.
    #[must_use]
    pub fn relation(&self) -> Option<&RelationEvent> {
        self.relation.as_ref()
    }

    /// Whether the hook of this name runs; an action has no hook's name.
    #[must_use]
    pub fn is_hook(&self, name: &str) -> bool {
        self.action.is_none() && self.name == name
    }

    /// Whether this is one of the two hooks that run apart from all others.
    #[must_use]
    pub fn is_restricted(&self) -> bool {
        RESTRICTED.iter().any(|name| self.is_hook(name))
    }

    /// Whether the hook tells that a unit has departed.
    #[must_use]
    pub fn is_departed(&self) -> bool {
        self.relation.is_some() && self.name.ends_with("-relation-departed")
    }
}

/// Whether Juju has started the process for a hook or an action (contract 6).
pub(crate) fn is_hook(vars: &Vars) -> bool {
    ["JUJU_DISPATCH_PATH", "JUJU_HOOK_NAME", "JUJU_UNIT_NAME"].iter().any(|name| vars.contains_key(OsStr::new(name)))
}

/// A process's environment, as a map.
pub(crate) type Vars = BTreeMap<OsString, OsString>;

/// All that Juju's environment says of one run (contract 6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Environment {
    pub(crate) event: HookEvent,
    pub(crate) unit: UnitName,
    pub(crate) charm_dir: PathBuf,
    pub(crate) juju_version: Option<String>,
    /// Another one for each run of a hook.
    pub(crate) context_id: Option<String>,
    pub(crate) path: OsString,
    /// Juju does not set `HOME` (contract 1.2).
    pub(crate) home_is_set: bool,
}

impl Environment {
    /// Reads the variables; `program` is the path by which the process was started.
    pub(crate) fn read(vars: &Vars, program: &Path) -> Result<Self, Error> {
        let read = Self::read_from(&|name| vars.get(OsStr::new(name)).map(OsString::as_os_str), program)?;
        if !read.charm_dir.is_dir() {
            let reason = format!("`{}` is not a directory", read.charm_dir.display());
            return Err(Error::Variable { name: "JUJU_CHARM_DIR", reason });
        }
        Ok(read)
    }

    /// The same, each variable by its name, without a look at the directory.
    pub(crate) fn read_from<'v>(vars: &'v dyn Fn(&str) -> Option<&'v OsStr>, program: &Path) -> Result<Self, Error> {
        let reader = Reader { vars };
        let unit = reader.required("JUJU_UNIT_NAME", str::parse)?;
        let charm_dir = match reader.raw("JUJU_CHARM_DIR").or_else(|| reader.raw("CHARM_DIR")) {
            Some(dir) => PathBuf::from(dir),
            None => return Err(missing("JUJU_CHARM_DIR")),
        };
        Ok(Self {
            event: Self::event(&reader, program)?,
            unit,
            charm_dir,
            juju_version: reader.text("JUJU_VERSION")?,
            context_id: reader.text("JUJU_CONTEXT_ID")?,
            path: reader.raw("PATH").unwrap_or_default().to_owned(),
            home_is_set: reader.is_set("HOME"),
        })
    }

    fn event(reader: &Reader<'_>, program: &Path) -> Result<HookEvent, Error> {
        let dispatch_path = reader.text("JUJU_DISPATCH_PATH")?;
        let by_path = dispatch_path.as_deref().and_then(|path| path.strip_prefix("actions/")).map(str::to_owned);
        // The old layout has no path: contract 1.1, 1.4.
        let by_name = if dispatch_path.is_none() { reader.text("JUJU_ACTION_NAME")? } else { None };
        if let Some(name) = by_path.or(by_name) {
            let action = ActionEvent {
                name,
                id: reader.text("JUJU_ACTION_UUID")?.unwrap_or_default(),
                tag: reader.text("JUJU_ACTION_TAG")?.unwrap_or_default(),
            };
            return Ok(HookEvent::of_action(action));
        }
        let from_path = dispatch_path.as_deref().and_then(|path| path.strip_prefix("hooks/")).map(str::to_owned);
        if let (Some(path), None) = (&dispatch_path, &from_path) {
            let reason = format!("`{path}` begins with neither `hooks/` nor `actions/`");
            return Err(Error::Variable { name: "JUJU_DISPATCH_PATH", reason });
        }
        let from_program =
            || program.file_name().map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "dispatch");
        let name = match from_path {
            Some(name) => name,
            // The old layout, one link for each hook: contract 1.1.
            None => match reader.text("JUJU_HOOK_NAME")?.or_else(from_program) {
                Some(name) if !reader.is_set("JUJU_DISPATCH_PATH") => name,
                _ => return Err(missing("JUJU_DISPATCH_PATH")),
            },
        };
        let relation = match reader.optional("JUJU_RELATION_ID", str::parse)? {
            None => None,
            Some(id) => Some(RelationEvent {
                id,
                remote_unit: reader.optional("JUJU_REMOTE_UNIT", str::parse)?,
                remote_application: reader.text("JUJU_REMOTE_APP")?,
                departing_unit: reader.optional("JUJU_DEPARTING_UNIT", str::parse)?,
            }),
        };
        Ok(HookEvent { name, action: None, relation })
    }
}

fn missing(name: &'static str) -> Error {
    Error::Variable { name, reason: "it is not set".to_owned() }
}

/// Reads variables; one that is empty counts as one that is not there (contract 13).
struct Reader<'v> {
    vars: &'v dyn Fn(&str) -> Option<&'v OsStr>,
}

impl<'v> Reader<'v> {
    fn raw(&self, name: &str) -> Option<&'v OsStr> {
        (self.vars)(name).filter(|value| !value.is_empty())
    }

    fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, Error> {
        match self.raw(name).map(OsStr::to_str) {
            None => Ok(None),
            Some(Some(text)) => Ok(Some(text.to_owned())),
            Some(None) => Err(Error::Variable { name, reason: "it is not UTF-8".to_owned() }),
        }
    }

    fn optional<T>(&self, name: &'static str, parse: fn(&str) -> Result<T, NameError>) -> Result<Option<T>, Error> {
        let text = self.text(name)?;
        let parsed = text.as_deref().map(parse).transpose();
        parsed.map_err(|error| Error::Variable { name, reason: error.to_string() })
    }

    fn required<T>(&self, name: &'static str, parse: fn(&str) -> Result<T, NameError>) -> Result<T, Error> {
        self.optional(name, parse)?.ok_or_else(|| missing(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vars(pairs: &[(&str, &str)]) -> Vars {
        let own = [("JUJU_UNIT_NAME", "zk/0"), ("JUJU_CHARM_DIR", "/"), ("PATH", "/usr/bin")];
        own.iter().chain(pairs).map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    fn event(pairs: &[(&str, &str)], program: &str) -> Result<HookEvent, String> {
        Environment::read(&vars(pairs), Path::new(program)).map(|env| env.event).map_err(|error| error.to_string())
    }

    #[test]
    fn the_event_is_named_by_dispatch_path_then_hook_name_then_program() {
        let all = [("JUJU_DISPATCH_PATH", "hooks/install"), ("JUJU_HOOK_NAME", "start")];
        assert_eq!(event(&all, "/c/hooks/stop").unwrap().name(), "install");
        assert_eq!(event(&all[1..], "/c/hooks/stop").unwrap().name(), "start");
        assert_eq!(event(&[], "/c/hooks/stop").unwrap().name(), "stop");
        assert!(event(&[], "/c/dispatch").unwrap_err().contains("JUJU_DISPATCH_PATH"));
    }

    #[test]
    fn an_action_is_no_hook_of_its_name() {
        let event = event(&[("JUJU_DISPATCH_PATH", "actions/install"), ("JUJU_HOOK_NAME", "")], "/c/dispatch").unwrap();
        assert_eq!(event.action().unwrap().name, "install");
        assert!(!event.is_hook("install"));
    }

    #[test]
    fn what_is_set_but_empty_is_not_there() {
        let relation = [
            ("JUJU_DISPATCH_PATH", "hooks/zkpeer-relation-created"),
            ("JUJU_RELATION_ID", "zkpeer:3"),
            ("JUJU_REMOTE_UNIT", ""),
            ("JUJU_REMOTE_APP", "zk"),
        ];
        let event = event(&relation, "/c/dispatch").unwrap();
        let relation = event.relation().unwrap();
        assert_eq!((relation.id.to_string(), &relation.remote_unit), ("zkpeer:3".to_owned(), &None));
        assert_eq!(relation.remote_application.as_deref(), Some("zk"));
    }

    #[test]
    fn a_malformed_variable_is_named() {
        let path = ("JUJU_DISPATCH_PATH", "hooks/x");
        for (name, value) in [("JUJU_RELATION_ID", "x"), ("JUJU_UNIT_NAME", "zk"), ("JUJU_CHARM_DIR", "/nowhere")] {
            let error = event(&[path, (name, value)], "/c/dispatch").unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
        let error = event(&[("JUJU_DISPATCH_PATH", "install")], "/c/dispatch").unwrap_err();
        assert!(error.contains("JUJU_DISPATCH_PATH"), "{error}");
    }
}
