//! For the tests of charms: a simulated Juju, of one unit or of many.
//!
//! | | units | hooks run | for |
//! |---|---|---|---|
//! | [`Unit`] | one | in this process, in any order that the test chooses | what a handler does |
//! | [`UnitAgent`] | one; all others are data | as processes of the charm's own program, in Juju's order | one unit from deployment to removal |
//! | [`Model`] | many, of several applications | in this process, or as processes | what units do to each other |
//!
//! What handlers do outside Juju is replaced per unit ([`Application::fake`]): [resources](crate::Resource) have another form, over
//! data ([`Fake`]); [programs](Programs) answer and are not run; [`Root`](crate::Root) is a directory of the unit's own.
//! [`explore_crashes`] stops each hook of a story at each of its instants, and goes on to the end.
//!
//! All three are one model, held as data. A hook is a run on what the unit sees when it begins, and then a commit, which applies
//! all that the hook has buffered or refuses it. As a process, it is started in its own charm directory with exactly the
//! environment that Juju sets and with the hook commands on its `PATH`; nothing in the charm knows that it is not Juju, and it
//! works for any charm with a `dispatch` or `hooks`, in any language. [`Story`] is a model's life in a YAML file.
//!
//! Comments refer to sections of the charm runtime contract of Juju by number; ARCHITECTURE.md says which module keeps which.

mod agent;
mod apart;
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
mod crashes;
mod directory;
mod entries;
mod environment;
mod error;
mod explore;
mod fake;
mod files;
mod fingerprint;
mod graph;
mod hook;
mod in_process;
mod instants;
mod machine;
mod model;
mod names;
mod options;
mod outcome;
mod player;
mod process;
mod programs;
mod run;
mod shared;
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
pub use crashes::{Crash, CrashError, Crashes, Survived, explore_crashes};
pub use error::Error;
pub use explore::{BuiltIn, Doing, Explore, ExploreError, Explored, Found, Verdict, explore};
pub use fake::{Fake, Fakes};
pub use graph::check;
pub use hook::{Hook, RelationHook, RelationKind, SecretHook, SecretKind, StorageHook};
pub use in_process::{CommandOutput, HookContext};
pub use model::{Event, Model, Step};
pub use names::JujuVersion;
pub use outcome::{ActionReport, HookRun, Outcome};
pub use player::{Happening, Listener, PlayError, Player};
pub use process::{CommandRun, KillPoint};
pub use programs::Programs;
pub use run::LogLine;
pub use story::{Story, StoryError};
pub use unit::{FlagChange, Unit, UnitRun, event};
pub use unit_agent::UnitAgent;
pub use value::Value;
