//! What can go wrong, said so that a charm's author knows what, where, and what to do.

use std::error::Error as StdError;
use std::path::PathBuf;

use crate::flag::FlagNameError;
use crate::juju::{JujuError, RelationId};
use crate::store::{JsonError, StoreError};

/// Why a hook failed, or could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A variable of Juju's environment is missing or malformed.
    #[error(
        "environment variable {name}: {reason}; this program is a Juju charm and is started by the unit agent, or by \
         `cargo zkpeer simulate`"
    )]
    Variable {
        /// The variable.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the charm cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A file of the charm is not what it should be.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line where that is known.
        reason: String,
    },
    /// What the unit remembers cannot be read or written.
    #[error("the unit's store failed")]
    Store(#[from] StoreError),
    /// Juju refused something.
    #[error("Juju refused")]
    Juju(#[from] JujuError),
    /// The binary has no handlers.
    #[error(
        "this charm has no handlers: no function with `#[when(..)]`, `#[hook(..)]` or their kin is linked into it; \
         handlers in another crate need that crate named in `zkpeer_core::interfaces![..]`"
    )]
    NoHandlers,
    /// Handlers come from a crate that is neither the charm's nor listed.
    #[error(
        "handlers of more than one crate, and not all are listed: {}; one of these is the charm, which names the others in \
         the order in which they are to run: `zkpeer_core::interfaces![a_crate, another];`", packages.join(", ")
    )]
    UnlistedCrates {
        /// The packages, each with one of its handlers.
        packages: Vec<String>,
    },
    /// `interfaces!` stands in more than one place.
    #[error("`interfaces![..]` is written in more than one place ({}); the order of handlers needs one list", packages.join(", "))]
    InterfacesTwice {
        /// The packages that have one.
        packages: Vec<String>,
    },
    /// Two handlers have the same path.
    #[error("two handlers are called `{path}`: {first} and {second}; rename one, what it has done is stored by name")]
    SamePath {
        /// The path.
        path: String,
        /// Where one stands.
        first: String,
        /// Where the other stands.
        second: String,
    },
    /// A handler cannot be made to fit this charm.
    #[error("handler `{handler}` at {place}: {reason}")]
    Handler {
        /// Its path.
        handler: String,
        /// Its file and line.
        place: String,
        /// What does not fit, and what to do.
        reason: String,
    },
    /// A handler failed.
    #[error("handler `{handler}` at {place} failed in {hook}")]
    HandlerFailed {
        /// Its path.
        handler: String,
        /// Its file and line.
        place: String,
        /// The hook or action.
        hook: String,
        /// What it returned.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A handler that is a program failed.
    #[error("external handler `{handler}` failed in {hook}: {reason}")]
    External {
        /// Its path in the charm's directory.
        handler: String,
        /// The hook or action.
        hook: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A parameter of a handler could not be filled.
    #[error("handler `{handler}` at {place}: nothing for its parameter `{param}` in {hook}")]
    Parameter {
        /// Its path.
        handler: String,
        /// Its file and line.
        place: String,
        /// The hook or action.
        hook: String,
        /// The parameter.
        param: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A handler panicked.
    #[error("handler `{handler}` at {place} panicked in {hook}: {message}")]
    HandlerPanicked {
        /// Its path.
        handler: String,
        /// Its file and line.
        place: String,
        /// The hook or action.
        hook: String,
        /// The panic's message and place.
        message: String,
    },
    /// A callback at the start or the exit of a hook failed.
    #[error("the {when} callback registered at {place} failed in {hook}")]
    CallbackFailed {
        /// `start` or `exit`.
        when: &'static str,
        /// The source file and line, with the column.
        place: String,
        /// The hook or action.
        hook: String,
        /// What it returned.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// A text that is not a flag's name was set or cleared.
    #[error("`{name}` cannot be set or cleared")]
    FlagName {
        /// The text.
        name: String,
        /// Why.
        source: FlagNameError,
    },
    /// A cascade of triggers does not end (difference D3).
    #[error("a cascade of triggers does not end: {cascade}")]
    TriggerLoop {
        /// The changes in order.
        cascade: String,
    },
    /// A function registered as a trigger failed.
    #[error("the function that a trigger calls when `{flag}` is {edge} failed")]
    TriggerFailed {
        /// The flag.
        flag: String,
        /// `set` or `cleared`.
        edge: &'static str,
        /// What it returned.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The flags do not settle (difference D2).
    #[error(
        "the flags do not settle: after {rounds} rounds {how}:\n{repeating}{advice}",
        advice = "let one of these handlers wait for a flag that the others leave alone"
    )]
    NotSettled {
        /// How many rounds have run.
        rounds: u32,
        /// What was noticed.
        how: &'static str,
        /// The rounds that repeat: handlers and flags.
        repeating: String,
    },
    /// A pattern of hooks' names can match nothing.
    #[error("the pattern of hooks `{pattern}` can match nothing: {reason}")]
    HookPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Juju runs an action for which there is no handler.
    #[error("no handler for the action `{name}`; a function with `#[action(\"{name}\")]` is one")]
    NoAction {
        /// The action.
        name: String,
    },
    /// Only the leader may do this.
    #[error(
        "this unit is not the leader, and only the leader writes leader settings, the application's databags and the \
             application's status; guard the handler with #[when(\"leadership.is_leader\")]"
    )]
    NotLeader,
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A command that a handler ran failed.
    #[error("command `{command}` failed: {reason}")]
    Command {
        /// The command with its arguments.
        command: String,
        /// Its exit code and the end of what it said.
        reason: String,
    },
    /// A value is not of the type that was asked for.
    #[error("{what} `{key}` is not what was asked for")]
    Value {
        /// What kind of value.
        what: &'static str,
        /// Its key.
        key: String,
        /// What serde says.
        source: serde_json::Error,
    },
    /// What was received over a relation is not of the type that was asked for.
    #[error("{about}: {what} is not what was asked for")]
    Databag {
        /// Who has published it, over which relation.
        about: String,
        /// The key, and the beginning of its value.
        what: String,
        /// Why it does not fit.
        source: JsonError,
    },
    /// Something cannot be published over a relation.
    #[error("`{key}` cannot be published over {relation}: {reason}")]
    NotPublished {
        /// The relation.
        relation: RelationId,
        /// The key.
        key: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Departed units were asked for, and nobody keeps them.
    #[error(
        "units that depart from `{endpoint}` are not kept: no handler or trigger of this charm waits for the flag \
         `endpoint.{endpoint}.departed`"
    )]
    NotKept {
        /// The endpoint.
        endpoint: String,
    },
    /// An interface failed at the beginning of a hook.
    #[error("the interface `{interface}` on the endpoint `{endpoint}` cannot manage its flags")]
    Interface {
        /// Its type.
        interface: &'static str,
        /// The endpoint.
        endpoint: String,
        /// What it returned.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// The call of a function guarded by `#[not_unless(..)]` before its flags were set (difference D10).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{function}` was called before {} set: {}", if missing.len() == 1 { "this flag was" } else { "these flags were" }, missing.join(", "))]
#[non_exhaustive]
pub struct NotUnless {
    /// The guarded function.
    pub function: String,
    /// The flags that are not set.
    pub missing: Vec<String>,
}

/// Says something on standard error; where that cannot be written, nothing more can be said.
pub(crate) fn complain(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{message}");
}

/// An error with all its causes in one line: `this: because of this: and this`.
pub(crate) fn describe(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}
