//! Juju charms in Rust in the charms.reactive model: handlers guarded by flags, re-run until the flags settle.
//!
//! ```no_run
//! use zkpeer_core::{Flags, Result, Status, when, when_not};
//!
//! #[when_not("hello.installed")]
//! fn install(flags: Flags) {
//!     flags.set("hello.installed");
//! }
//!
//! #[when("hello.installed")]
//! fn ready(status: Status) -> Result {
//!     status.active("ready")?;
//!     Ok(())
//! }
//!
//! fn main() -> std::process::ExitCode {
//!     zkpeer_core::main()
//! }
//! ```
//!
//! - The attributes: [`when`](macro@when) and its kin, [`hook`](macro@hook), [`action`](macro@action).
//! - What a handler can ask for: the table at [`FromContext`].
//! - What it may return: [`Result`], and [`EndHook`] to end the hook early.
//! - [The rules](guide::rules) by which handlers run, the [automatic flags](guide::automatic_flags), and the [deliberate
//!   differences](guide::differences) from charms.reactive; [the migration guide](guide::migration) has every name of it.
//! - Interfaces: [`mod@interfaces`] has those that come with the library, first [`ZookeeperPeers`]; for one's own [`Interface`],
//!   [`Endpoint`], [`Conversation`].
//! - Handlers in bash and any other language: [external handlers](guide::external_handlers).
//! - `main` with resources, triggers and settings: [`Charm`].
//! - What is wrong with handlers, flags and triggers, without running any: [`check`].
//! - Tests: `testing::Unit` runs a unit in the test's process, `testing::Model` several of them, `testing::UnitAgent` starts the real
//!   program (feature `testing`).
#![cfg_attr(
    feature = "testing",
    doc = "  [Every order of events, and a kill at every instant](guide::exploring) is a page of its own."
)]
//!
//! "Contract 4.1" names a section of what Juju promises to charms; "rule 7" and "D8" are in the [`guide`]. `F` and `R` with a
//! number are observations of how charms.reactive and its `zookeeper-quorum` interface really behave.

#[allow(unused_extern_crates, reason = "what the macros write names the crate by its path from outside")]
extern crate self as zkpeer_core;

mod ask;
mod automatic;
mod callbacks;
mod charm;
pub mod check;
mod confirm;
mod context;
mod dispatch;
mod error;
mod external;
mod external_files;
mod extract;
mod flag;
mod handler;
mod hash;
mod hook;
mod hook_pattern;
pub mod interfaces;
pub mod juju;
mod layers;
pub mod metadata;
mod notes;
mod outbox;
mod panic;
mod params;
mod predicate;
mod programs;
mod record;
mod registry;
mod relation;
mod report;
pub mod request_response;
mod runtime;
mod status;
pub mod store;
mod takeover;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;
mod trigger;
mod watched_file;
mod witness;

pub use charm::{Charm, main};
pub use context::{Context, Param, Setup};
pub use error::{Error, NotUnless};
pub use extract::{FromContext, Rejection};
pub use flag::{Flag, FlagNameError};
pub use handler::{
    ConditionDef, EndHook, EndpointType, HandlerDef, HandlerReturn, Outcome, ParamDef, Quantifier, RestrictedHook,
    Result,
};
pub use hash::Hash;
pub use hook::{ActionEvent, HookEvent, RelationEvent};
pub use interfaces::zookeeper::{Zookeeper, ZookeeperClients};
pub use interfaces::zookeeper_namespace::{ZookeeperNamespace, ZookeeperNamespaces};
pub use interfaces::zookeeper_quorum::ZookeeperPeers;
pub use juju::{GoalState, Port};
pub use params::{
    Action, CharmDir, Commands, Config, ControllerState, Flags, Kv, Layer, LayerOptions, Leader, Log, Network, Ports,
    Resource, Root, Status, TriggerOn, Triggers, Unit,
};
pub use predicate::Phase;
pub use programs::{Program, ProgramOutput};
pub use relation::{Conversation, Databag, Endpoint, Interface, RelatedUnit, Relation, Scope, Units};
pub use report::{CallOutcome, Change, ChangedBy, HandlerReport, HookOutcome, Report, Round};
pub use runtime::OnNotSettled;
pub use trigger::Edge;
pub use zkpeer_macros::{
    action, allow_finding, clears, collect_metrics, flag, handlers, hook, interfaces, meter_status_changed, not_unless,
    only_once, reads, sets, when, when_all, when_any, when_file_changed, when_none, when_not, when_not_all,
};

/// What is not about one type.
pub mod guide {
    #[doc = include_str!("docs/rules.md")]
    pub mod rules {}

    #[doc = include_str!("docs/automatic.md")]
    pub mod automatic_flags {}

    #[doc = include_str!("docs/differences.md")]
    pub mod differences {}

    #[doc = include_str!("docs/external.md")]
    pub mod external_handlers {}

    #[cfg(feature = "testing")]
    #[doc = include_str!("docs/exploring.md")]
    pub mod exploring {}

    #[doc = include_str!("docs/migration.md")]
    pub mod migration {}
}

/// The README's examples, as tests.
#[cfg(all(doctest, feature = "testing"))]
#[doc = include_str!("../../README.md")]
pub mod readme {}

/// For the macros only: no part of the public interface, and free to change with every release.
#[doc(hidden)]
pub mod __private {
    pub use crate::context::Call;
    pub use crate::extract::{FromContext, Rejection};
    pub use crate::flag::Flag;
    pub use crate::handler::{
        ConditionDef, HandlerDef, HandlerReturn, Outcome, ParamDef, Quantifier, Registration, RestrictedHook,
    };
    pub use crate::notes::{AllowanceDef, FlagName, FlagUse, FunctionDef, Maybe, Named, Nameless, Notes, What};
    pub use crate::params::require;
    pub use inventory;

    /// What a parameter that was not filled makes of the call.
    #[must_use]
    pub fn not_filled(param: usize, rejection: Rejection) -> Outcome {
        match rejection {
            Rejection::Skip(reason) => Outcome::Skipped { param, reason },
            Rejection::Fail(error) => Outcome::Rejected { param, error },
        }
    }
}
