//! What happens to a unit: one hook or one action, as a test writes it.
//!
//! The name of a hook is an event. What is about a relation, and an action, is made by a function:
//!
//! ```
//! use zkpeer_core::testing::{Unit, event};
//! # use zkpeer_core::{Flags, handlers, hook};
//! # #[hook("zkpeer-relation-joined")]
//! # fn greet(flags: Flags) {}
//! # const METADATA: &str = "name: zk\npeers: {zkpeer: zookeeper-quorum}\n";
//!
//! let unit = Unit::new(handlers![greet]).metadata(METADATA);
//! unit.on("config-changed").assert_ran([]);
//! unit.on(event::joined("zkpeer:0", "zk/1")).assert_ran(["greet"]);
//! ```

use serde_json::Value;

use crate::testing::hook::RelationKind;

/// One hook or one action.
#[derive(Clone, Debug)]
pub struct Event(pub(super) What);

#[derive(Clone, Debug)]
pub(super) enum What {
    Hook(String),
    Relation { kind: RelationKind, relation: String, unit: Option<String> },
    Action { name: String, parameters: Vec<(String, Value)> },
}

/// A hook that is about no relation: `install`, `config-changed`.
impl From<&str> for Event {
    fn from(hook: &str) -> Self {
        Self(What::Hook(hook.to_owned()))
    }
}

impl From<&String> for Event {
    fn from(hook: &String) -> Self {
        hook.as_str().into()
    }
}

/// The unit has entered the relation: `created("zkpeer:0")` is the hook `zkpeer-relation-created`.
#[must_use]
pub fn created(relation: &str) -> Event {
    of_relation(RelationKind::Created, relation, None)
}

/// The remote unit has come: `joined("zkpeer:0", "zk/1")`. What it has published is said before, by
/// [`set_member`](super::Unit::set_member); otherwise that is nothing.
#[must_use]
pub fn joined(relation: &str, unit: &str) -> Event {
    of_relation(RelationKind::Joined, relation, Some(unit))
}

/// The remote unit, a member, has published something: `changed("zkpeer:0", "zk/1")`. What it is is said before, by
/// [`set_member`](super::Unit::set_member).
#[must_use]
pub fn changed(relation: &str, unit: &str) -> Event {
    of_relation(RelationKind::Changed, relation, Some(unit))
}

/// The remote application has published something: `application_changed("db:1")`. What it is is said before, by
/// [`set_application_bag`](super::Unit::set_application_bag).
#[must_use]
pub fn application_changed(relation: &str) -> Event {
    of_relation(RelationKind::Changed, relation, None)
}

/// The remote unit, a member, has left: `departed("zkpeer:0", "zk/1")`. If it is this unit that leaves, that is said before, by
/// [`set_leaving`](super::Unit::set_leaving).
#[must_use]
pub fn departed(relation: &str, unit: &str) -> Event {
    of_relation(RelationKind::Departed, relation, Some(unit))
}

/// The relation is over: `broken("db:1")`.
#[must_use]
pub fn broken(relation: &str) -> Event {
    of_relation(RelationKind::Broken, relation, None)
}

/// Somebody runs an action: `action("backup").with("name", "daily")`.
#[must_use]
pub fn action(name: &str) -> Event {
    Event(What::Action { name: name.to_owned(), parameters: Vec::new() })
}

fn of_relation(kind: RelationKind, relation: &str, unit: Option<&str>) -> Event {
    Event(What::Relation { kind, relation: relation.to_owned(), unit: unit.map(str::to_owned) })
}

impl Event {
    /// The action with a parameter.
    ///
    /// # Panics
    ///
    /// If it is no action.
    #[track_caller]
    #[must_use]
    pub fn with(mut self, parameter: &str, value: impl Into<Value>) -> Self {
        match &mut self.0 {
            What::Action { parameters, .. } => parameters.push((parameter.to_owned(), value.into())),
            What::Hook(_) | What::Relation { .. } => super::bad("event", &"only an action has parameters"),
        }
        self
    }
}
