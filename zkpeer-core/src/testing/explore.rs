//! Every order of events that Juju permits, for a model of several units.
//!
//! The order of hooks is not the charm's: units are slow, hooks of different units overlap, a change comes before or after another, a
//! hook fails and is run again. [`explore`] goes through all orders that the rules of Juju permit, joins those that lead to the
//! same state, and looks in each state for what does not hold.
//!
//! ```
//! use zkpeer_core::testing::{Application, Doing, Model, explore};
//! use zkpeer_core::{Flags, Status, handlers, when_not};
//!
//! #[when_not("greeted")]
//! fn greet(flags: Flags, status: Status) -> zkpeer_core::Result {
//!     flags.set("greeted");
//!     status.active("good day")?;
//!     Ok(())
//! }
//!
//! # let charm = tempfile::tempdir()?;
//! # std::fs::write(charm.path().join("metadata.yaml"),
//! #     "name: hello\nsummary: s\ndescription: d\npeers:\n  friends: {interface: friends}\n")?;
//! # let directory = charm.path();
//! let mut model = Model::new();
//! let charm = zkpeer_core::Charm::new().handlers(handlers![greet]);
//! model.deploy(Application::new(directory).in_process(charm).units(2))?;
//! let explored = explore(model)
//!     .at_any_time(Doing::remove_unit("hello/1"))
//!     .once_quiet("who stays has greeted", |model| model.flags("hello/0") == ["greeted"])
//!     .run()?;
//! assert!(explored.states > 50, "{explored}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! An order is one of *moves*: a unit begins a hook (its program runs, on what the unit sees then), a unit ends its hook (Juju applies
//! what the hook has buffered), a unit becomes leader, an operator does [something](Doing), a fault happens. What a move leads
//! to depends on nothing but the state, so handlers that are explored may look at nothing else; what they do outside Juju has to be
//! in the model, as [fakes](super::Fakes), or as files in the charm's directory or below [`Root`](crate::Root).
//!
//! Found is the shortest story that breaks a property. It prints itself step by step, with a string that
//! [`replay`](Explore::replay) takes, and as a test. An error or a panic in what an operator does is told with its story, too.

pub(crate) mod blame;
pub(crate) mod differ;
pub(crate) mod difference;
pub(crate) mod doing;
mod fairness;
mod found;
mod look;
mod moves;
pub(crate) mod place;
mod progress;
mod property;
mod replay;
mod seal;
mod search;
mod settings;
mod story;
mod walk;
mod watch;

pub use doing::Doing;
pub use found::{ExploreError, Found};
pub use property::{BuiltIn, Verdict};
pub use settings::{Explore, Explored};

use super::model::Model;

/// Begins an exploration of this model, from where it is now.
///
/// All its hooks have to run in this process. What is to hold is said with [`always`](Explore::always) and its kin; some
/// [properties](BuiltIn) every charm should have, and they are looked at without being asked for.
pub fn explore(model: Model) -> Explore {
    Explore::new(model)
}
