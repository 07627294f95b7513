//! Juju charms in Rust in the charms.reactive model: handlers guarded by flags, re-run until the flags settle.

extern crate self as zkpeer_core;

mod context;
mod error;
mod extract;
mod flag;
mod handler;
pub mod metadata;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use __private::Flags;
pub use context::{Context, Param, Setup};
pub use error::Error;
pub use extract::{FromContext, Rejection};
pub use flag::{Flag, FlagNameError};
pub use handler::{
    ConditionDef, EndHook, EndpointType, HandlerDef, HandlerReturn, Outcome, ParamDef, Quantifier, RestrictedHook,
    Result,
};
pub use zkpeer_macros::{
    action, collect_metrics, flag, handlers, hook, interfaces, meter_status_changed, not_unless, only_once, when,
    when_all, when_any, when_file_changed, when_none, when_not, when_not_all,
};

/// For the macros only: no part of the public interface, and free to change with every release.
#[doc(hidden)]
pub mod __private {
    pub use crate::context::Call;
    pub use crate::extract::{FromContext, Rejection};
    pub use crate::flag::Flag;
    pub use crate::handler::{
        ConditionDef, HandlerDef, HandlerReturn, Outcome, ParamDef, Quantifier, Registration, RestrictedHook,
    };
    pub use inventory;

    /// A stub until the real one is here.
    #[derive(Clone, Debug)]
    pub struct Flags(std::rc::Rc<()>);
    impl FromContext for Flags {
        fn from_context(_: &crate::Context, _: &crate::Param<'_>) -> Result<Self, Rejection> {
            Ok(Self(std::rc::Rc::default()))
        }
    }
    /// A stub until the real one is here.
    #[derive(Clone, Copy, Debug, thiserror::Error)]
    #[error("stub")]
    pub struct NotUnless;
    /// A stub until the real one is here.
    ///
    /// # Errors
    ///
    /// None.
    pub fn require(_: &Flags, wanted: &[Flag], _: &str) -> Result<(), NotUnless> {
        if wanted.is_empty() { Err(NotUnless) } else { Ok(()) }
    }

    /// What a parameter that was not filled makes of the call.
    #[must_use]
    pub fn not_filled(param: usize, rejection: Rejection) -> Outcome {
        match rejection {
            Rejection::Skip(reason) => Outcome::Skipped { param, reason },
            Rejection::Fail(error) => Outcome::Rejected { param, error },
        }
    }
}
