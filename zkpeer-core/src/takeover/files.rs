//! The hashes of watched files: charms.reactive has one for each file, we have one for each handler as well (difference D9).

use std::collections::BTreeSet;

use crate::context::Context;
use crate::error::Error;
use crate::params::kv::FILE;
use crate::predicate::Condition;
use crate::registry::Registry;
use crate::runtime::handler_file_key;

/// The prefix of the keys that have what we have left under charms.reactive's.
const LEFT: &str = "zkpeer.files_left.";

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
        let Some(hash) = context.get::<Option<String>>(&format!("{FILE}{file}"))? else { continue };
        let left = format!("{LEFT}{file}");
        if context.get::<Option<String>>(&left)?.as_ref() == Some(&hash) {
            continue;
        }
        for handler in registry.watching_file(file) {
            context.set(&handler_file_key(handler, file), &hash)?;
        }
        context.set(&left, &hash)?;
    }
    Ok(())
}

/// What there is now is our doing.
pub(super) fn at_end(context: &Context, registry: &Registry) -> Result<(), Error> {
    for file in watched(registry) {
        if let Some(hash) = context.get::<Option<String>>(&format!("{FILE}{file}"))? {
            context.set(&format!("{LEFT}{file}"), &hash)?;
        }
    }
    Ok(())
}
