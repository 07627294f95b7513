//! What operators do while units are at work: at any moment, each once.

use std::fmt;
use std::rc::Rc;

use crate::panic;
use crate::testing::error::Error;
use crate::testing::model::Model;
use crate::testing::value::Value;

/// Something that an operator does, once: at any moment of an [exploration](super::Explore::at_any_time), or
/// [when all is quiet](crate::testing::Crashes::afterwards) in a story.
#[derive(Clone)]
pub struct Doing(Kind);

#[derive(Clone)]
enum Kind {
    AddUnit(String),
    RemoveUnit(String),
    RemoveUnitByForce(String),
    SetConfig(String, String, Value),
    RunAction(String, String),
    Relate(String, String),
    RemoveRelation(String, String),
    SetAddress(String, String),
    Other(String, Rc<Function>),
}

type Function = dyn Fn(&mut Model) -> Result<(), Error>;

/// Why nothing came of a doing.
#[derive(Debug)]
pub(crate) enum Undone {
    Error(Error),
    /// The author's function panicked, with this message.
    Panicked(String),
}

impl fmt::Display for Undone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => error.fmt(f),
            Self::Panicked(message) => write!(f, "it panicked: {message}"),
        }
    }
}

impl Doing {
    /// `juju add-unit`.
    #[must_use]
    pub fn add_unit(application: &str) -> Self {
        Self(Kind::AddUnit(application.to_owned()))
    }

    /// `juju remove-unit`.
    #[must_use]
    pub fn remove_unit(unit: &str) -> Self {
        Self(Kind::RemoveUnit(unit.to_owned()))
    }

    /// `juju remove-unit --force`.
    #[must_use]
    pub fn remove_unit_by_force(unit: &str) -> Self {
        Self(Kind::RemoveUnitByForce(unit.to_owned()))
    }

    /// `juju config`.
    #[must_use]
    pub fn set_config(application: &str, option: &str, value: impl Into<Value>) -> Self {
        Self(Kind::SetConfig(application.to_owned(), option.to_owned(), value.into()))
    }

    /// `juju run`, of an action without parameters.
    #[must_use]
    pub fn run_action(unit: &str, action: &str) -> Self {
        Self(Kind::RunAction(unit.to_owned(), action.to_owned()))
    }

    /// `juju integrate`.
    #[must_use]
    pub fn relate(one: &str, other: &str) -> Self {
        Self(Kind::Relate(one.to_owned(), other.to_owned()))
    }

    /// `juju remove-relation`.
    #[must_use]
    pub fn remove_relation(one: &str, other: &str) -> Self {
        Self(Kind::RemoveRelation(one.to_owned(), other.to_owned()))
    }

    /// The unit's address changes.
    #[must_use]
    pub fn set_address(unit: &str, address: &str) -> Self {
        Self(Kind::SetAddress(unit.to_owned(), address.to_owned()))
    }

    /// Anything else that can be done to a model, under a name. An error or a panic in it is told with the story that led there.
    #[must_use]
    pub fn other(name: &str, doing: impl Fn(&mut Model) -> Result<(), Error> + 'static) -> Self {
        Self(Kind::Other(name.to_owned(), Rc::new(doing)))
    }

    /// Why Juju would not take it now.
    pub(super) fn why_not(&self, model: &Model) -> Option<Error> {
        match &self.0 {
            // To try this would write files.
            Kind::AddUnit(application) if model.applications().contains(&application.as_str()) => None,
            _ => match self.apply(&mut model.fork()) {
                Err(Undone::Error(error @ Error::Impossible(_))) => Some(error),
                _ => None,
            },
        }
    }

    /// Does it, if Juju would take it now.
    pub(crate) fn apply(&self, model: &mut Model) -> Result<(), Undone> {
        let done = match &self.0 {
            Kind::AddUnit(application) => model.add_unit(application).map(|_| ()),
            Kind::RemoveUnit(unit) => model.remove_unit(unit),
            Kind::RemoveUnitByForce(unit) => model.remove_unit_by_force(unit),
            Kind::SetConfig(application, option, value) => model.set_config(application, option, value.clone()),
            Kind::RunAction(unit, action) => model.run_action(unit, action, &[]).map(|_| ()),
            Kind::Relate(one, other) => model.relate(one, other).map(|_| ()),
            Kind::RemoveRelation(one, other) => model.remove_relation(one, other),
            Kind::SetAddress(unit, address) => model.set_address(unit, address),
            Kind::Other(_, doing) => panic::quietly(|| doing(model)).map_err(Undone::Panicked)?,
        };
        done.map_err(Undone::Error)
    }

    pub(super) fn may_change_addresses(&self) -> bool {
        matches!(self.0, Kind::SetAddress(..))
    }

    /// Whether it makes a difference to a hook that runs then.
    pub(super) fn may_touch_running_hooks(&self) -> bool {
        matches!(self.0, Kind::RemoveUnitByForce(..) | Kind::Other(..))
    }

    /// The line of a test that does it.
    pub(super) fn code(&self) -> String {
        match &self.0 {
            Kind::AddUnit(application) => format!("model.add_unit({application:?})?;"),
            Kind::RemoveUnit(unit) => format!("model.remove_unit({unit:?})?;"),
            Kind::RemoveUnitByForce(unit) => format!("model.remove_unit_by_force({unit:?})?;"),
            Kind::SetConfig(application, option, value) => {
                format!("model.set_config({application:?}, {option:?}, {})?;", literal(value))
            }
            Kind::RunAction(unit, action) => format!("model.run_action({unit:?}, {action:?}, &[])?;"),
            Kind::Relate(one, other) => format!("model.relate({one:?}, {other:?})?;"),
            Kind::RemoveRelation(one, other) => format!("model.remove_relation({one:?}, {other:?})?;"),
            Kind::SetAddress(unit, address) => format!("model.set_address({unit:?}, {address:?})?;"),
            Kind::Other(name, _) => format!("// What the exploration calls `{name}` is done here."),
        }
    }
}

/// The value as a test would write it.
fn literal(value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::Text(text) => format!("{text:?}"),
        other => format!("/* {} */", other.to_json()),
    }
}

impl fmt::Display for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::AddUnit(application) => write!(f, "juju add-unit {application}"),
            Kind::RemoveUnit(unit) => write!(f, "juju remove-unit {unit}"),
            Kind::RemoveUnitByForce(unit) => write!(f, "juju remove-unit --force {unit}"),
            Kind::SetConfig(application, option, value) => {
                write!(f, "juju config {application} {option}={}", value.to_json())
            }
            Kind::RunAction(unit, action) => write!(f, "juju run {unit} {action}"),
            Kind::Relate(one, other) => write!(f, "juju integrate {one} {other}"),
            Kind::RemoveRelation(one, other) => write!(f, "juju remove-relation {one} {other}"),
            Kind::SetAddress(unit, address) => write!(f, "{unit} gets the address {address}"),
            Kind::Other(name, _) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
