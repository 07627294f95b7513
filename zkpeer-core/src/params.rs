//! What handlers can ask for by type.

mod action;
mod flags;
pub(crate) mod kv;
mod layer;
pub(crate) mod leadership;
mod local;
mod resource;
mod status;
mod unit;

pub use action::Action;
pub use flags::{Flags, TriggerOn, Triggers, require};
pub use kv::Kv;
pub use layer::{Layer, LayerOptions};
pub use leadership::Leader;
#[cfg(any(test, feature = "testing"))]
pub(crate) use local::make_root;
pub use local::{CharmDir, Commands, Root};
pub use resource::Resource;
pub use status::Status;
pub use unit::{Config, ControllerState, Log, Network, Ports, Unit};

use crate::context::{Context, Param};
use crate::extract::{FromContext, Rejection};
use crate::hook::HookEvent;
use crate::juju::GoalState;

/// Types that are a handle on the context: always there, and free to make.
macro_rules! handles {
    ($($handle:ident)*) => {$(
        impl FromContext for $handle {
            const PLAIN: bool = true;

            fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
                Ok(Self::of(context))
            }
        }
    )*};
}
handles! { Flags Triggers Kv CharmDir Commands Log Status Unit Ports Network ControllerState }

impl FromContext for HookEvent {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        Ok(context.event().clone())
    }
}

impl FromContext for GoalState {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        Ok(context.juju().goal_state()?)
    }
}

impl FromContext for Context {
    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        Ok(context.clone())
    }
}
