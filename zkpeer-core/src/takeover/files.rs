//! The hashes of watched files: charms.reactive has one for each file, we have one for each handler as well (difference D9).

use std::collections::BTreeSet;

use crate::context::Context;
use crate::error::Error;
use crate::predicate::Condition;
use crate::registry::Registry;
use crate::watched_file;

fn watched(registry: &Registry) -> BTreeSet<&'static str> {
    let conditions = registry.handlers().iter().flat_map(|handler| &handler.predicate.0);
    let files = conditions.filter_map(|condition| match condition {
        Condition::FileChanged(files) => Some(files),
        _ => None,
    });
    files.flatten().copied().collect()
}

/// If charms.reactive has looked at a file after us, all handlers know what it knows.
pub(super) fn at_start(context: &Context, registry: &Registry) -> Result<(), Error> {
    for file in watched(registry) {
        watched_file::take_over(context, file, registry.watching_file(file).map(|handler| handler.id.as_str()))?;
    }
    Ok(())
}

/// What there is now is our doing.
pub(super) fn at_end(context: &Context, registry: &Registry) -> Result<(), Error> {
    watched(registry).into_iter().try_for_each(|file| watched_file::left(context, file))
}
