//! What operators do while units are at work: at any moment, each once.

use std::fmt;
use std::rc::Rc;

use crate::testing::error::Error;
use crate::testing::model::Model;
use crate::testing::value::Value;

/// Something that an operator does, once, at any moment; see [`Explore::at_any_time`](super::Explore::at_any_time).
#[derive(Clone)]
#[non_exhaustive]
pub enum Doing {
    /// `juju add-unit APPLICATION`.
    AddUnit(String),
    /// `juju remove-unit UNIT`.
    RemoveUnit(String),
    /// `juju remove-unit --force UNIT`.
    RemoveUnitByForce(String),
    /// `juju config APPLICATION OPTION=VALUE`.
    SetConfig(String, String, Value),
    /// `juju run UNIT ACTION`, without parameters.
    RunAction(String, String),
    /// `juju integrate ONE OTHER`.
    Relate(String, String),
    /// `juju remove-relation ONE OTHER`.
    RemoveRelation(String, String),
    /// The unit gets this address.
    SetAddress(String, String),
    /// Anything else, under a name.
    Other(String, Other),
}

type Function = dyn Fn(&mut Model) -> Result<(), Error>;

/// A function that does something to a model.
#[derive(Clone)]
pub struct Other(Rc<Function>);

impl Doing {
    /// `juju add-unit`.
    #[must_use]
    pub fn add_unit(application: &str) -> Self {
        Self::AddUnit(application.to_owned())
    }

    /// `juju remove-unit`.
    #[must_use]
    pub fn remove_unit(unit: &str) -> Self {
        Self::RemoveUnit(unit.to_owned())
    }

    /// `juju remove-unit --force`.
    #[must_use]
    pub fn remove_unit_by_force(unit: &str) -> Self {
        Self::RemoveUnitByForce(unit.to_owned())
    }

    /// `juju config`.
    #[must_use]
    pub fn set_config(application: &str, option: &str, value: impl Into<Value>) -> Self {
        Self::SetConfig(application.to_owned(), option.to_owned(), value.into())
    }

    /// `juju run`, of an action without parameters.
    #[must_use]
    pub fn run_action(unit: &str, action: &str) -> Self {
        Self::RunAction(unit.to_owned(), action.to_owned())
    }

    /// `juju integrate`.
    #[must_use]
    pub fn relate(one: &str, other: &str) -> Self {
        Self::Relate(one.to_owned(), other.to_owned())
    }

    /// `juju remove-relation`.
    #[must_use]
    pub fn remove_relation(one: &str, other: &str) -> Self {
        Self::RemoveRelation(one.to_owned(), other.to_owned())
    }

    /// The unit's address changes.
    #[must_use]
    pub fn set_address(unit: &str, address: &str) -> Self {
        Self::SetAddress(unit.to_owned(), address.to_owned())
    }

    /// Anything else that can be done to a model.
    #[must_use]
    pub fn other(name: &str, doing: impl Fn(&mut Model) -> Result<(), Error> + 'static) -> Self {
        Self::Other(name.to_owned(), Other(Rc::new(doing)))
    }

    /// Why Juju would not take it now.
    pub(super) fn why_not(&self, model: &Model) -> Option<Error> {
        match self {
            // To try this would write files.
            Self::AddUnit(application) if model.applications().contains(&application.as_str()) => None,
            _ => self.apply(&mut model.fork()).err().filter(|error| matches!(error, Error::Impossible(_))),
        }
    }

    /// Does it, if Juju would take it now.
    pub(crate) fn apply(&self, model: &mut Model) -> Result<(), Error> {
        match self {
            Self::AddUnit(application) => model.add_unit(application).map(|_| ()),
            Self::RemoveUnit(unit) => model.remove_unit(unit),
            Self::RemoveUnitByForce(unit) => model.remove_unit_by_force(unit),
            Self::SetConfig(application, option, value) => model.set_config(application, option, value.clone()),
            Self::RunAction(unit, action) => model.run_action(unit, action, &[]).map(|_| ()),
            Self::Relate(one, other) => model.relate(one, other).map(|_| ()),
            Self::RemoveRelation(one, other) => model.remove_relation(one, other),
            Self::SetAddress(unit, address) => model.set_address(unit, address),
            Self::Other(_, doing) => (doing.0)(model),
        }
    }

    pub(super) fn may_change_addresses(&self) -> bool {
        matches!(self, Self::SetAddress(..))
    }

    /// Whether it makes a difference to a hook that runs then.
    pub(super) fn may_touch_running_hooks(&self) -> bool {
        matches!(self, Self::RemoveUnitByForce(..) | Self::Other(..))
    }

    /// The line of a test that does it.
    pub(super) fn code(&self) -> String {
        match self {
            Self::AddUnit(application) => format!("model.add_unit({application:?})?;"),
            Self::RemoveUnit(unit) => format!("model.remove_unit({unit:?})?;"),
            Self::RemoveUnitByForce(unit) => format!("model.remove_unit_by_force({unit:?})?;"),
            Self::SetConfig(application, option, value) => {
                format!("model.set_config({application:?}, {option:?}, {})?;", literal(value))
            }
            Self::RunAction(unit, action) => format!("model.run_action({unit:?}, {action:?}, &[])?;"),
            Self::Relate(one, other) => format!("model.relate({one:?}, {other:?})?;"),
            Self::RemoveRelation(one, other) => format!("model.remove_relation({one:?}, {other:?})?;"),
            Self::SetAddress(unit, address) => format!("model.set_address({unit:?}, {address:?})?;"),
            Self::Other(name, _) => format!("// What the exploration calls `{name}` is done here."),
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
        match self {
            Self::AddUnit(application) => write!(f, "juju add-unit {application}"),
            Self::RemoveUnit(unit) => write!(f, "juju remove-unit {unit}"),
            Self::RemoveUnitByForce(unit) => write!(f, "juju remove-unit --force {unit}"),
            Self::SetConfig(application, option, value) => {
                write!(f, "juju config {application} {option}={}", value.to_json())
            }
            Self::RunAction(unit, action) => write!(f, "juju run {unit} {action}"),
            Self::Relate(one, other) => write!(f, "juju integrate {one} {other}"),
            Self::RemoveRelation(one, other) => write!(f, "juju remove-relation {one} {other}"),
            Self::SetAddress(unit, address) => write!(f, "{unit} gets the address {address}"),
            Self::Other(name, _) => f.write_str(name),
        }
    }
}

impl fmt::Debug for Doing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Other")
    }
}
