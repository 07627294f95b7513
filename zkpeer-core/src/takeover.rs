//! What a unit has from a charm on charms.reactive, and what it leaves for one, where the same keys in the same store are not
//! enough.

mod config;
mod conversations;
mod files;

pub(crate) use config::after_commit;

use crate::context::Context;
use crate::error::Error;
use crate::registry::Registry;

/// Before anything looks at what is stored: what a charm on charms.reactive has left since becomes ours.
pub(crate) fn at_start(context: &Context, registry: &Registry) -> Result<(), Error> {
    // First, as it commits what it takes over.
    config::at_start(context)?;
    conversations::at_start(context)?;
    files::at_start(context, registry)
}

/// After the last handler.
pub(crate) fn at_end(context: &Context, registry: &Registry) -> Result<(), Error> {
    files::at_end(context, registry)
}

/// When it is settled what is taken back if Juju does not keep the hook.
pub(crate) fn before_commit(context: &Context) -> Result<(), Error> {
    config::before_commit(context)
}
