//! For the tests of charms: one unit in this process, and a simulated unit agent.
//!
//! [`Unit`] runs one hook after another in this process, in microseconds; what Juju would answer is given as data.
//!
//! [`UnitAgent`] runs a charm as Juju would: each hook is a process of the charm's own program, started in its own charm
//! directory with exactly the environment that Juju sets, and with the hook commands on its `PATH`. Nothing in the charm
//! knows that it is not Juju. It works for any charm with a `dispatch` or `hooks`, in any language.
//!
//! Underneath is one model, held as data. A hook is a run on a snapshot of it, and then a commit, which applies all
//! that the hook has buffered or refuses it:
//!
//! - `controller`: applications, units, relations and bags, as the controller has them;
//! - `agent`: what one unit's agent has seen of that, and its decision what runs next;
//! - `run`: one hook, with its reads, pending writes and commit;
//! - `command`: the hook commands, which work on a run;
//! - `charm`: the charm's own files, read as strictly as Juju reads them;
//! - `environment`, `process`, `wire`: the hook's process, and how it is spoken to;
//! - [`UnitAgent`]: all of it together.
//!
//! Comments refer to sections of the charm runtime contract of Juju by number.

mod agent;
mod application;
mod base64;
mod builder;
mod chance;
mod change;
mod charm;
mod check;
mod clock;
mod command;
mod controller;
mod directory;
mod entries;
mod environment;
mod error;
mod hook;
mod in_process;
mod machine;
mod model;
mod names;
mod options;
mod outcome;
mod process;
mod run;
pub mod story;
mod unit;
mod unit_agent;
mod value;
mod wire;
mod yaml;

pub use application::Application;
pub use builder::Builder;
pub use change::Change;
pub use charm::StorageKind;
pub use controller::{Entries, Status};
pub use error::Error;
pub use hook::{Hook, RelationHook, RelationKind, SecretHook, SecretKind, StorageHook};
pub use in_process::{CommandOutput, HookContext};
pub use model::{Event, Model, Step};
pub use names::JujuVersion;
pub use outcome::{ActionReport, HookRun, Outcome};
pub use process::{CommandRun, KillPoint};
pub use run::LogLine;
pub use story::{Story, StoryError};
pub use unit::Unit;
pub use unit_agent::UnitAgent;
pub use value::Value;
