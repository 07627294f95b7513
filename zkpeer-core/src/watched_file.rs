//! What is known of watched files: charms.reactive has one hash for each file, we have one for each handler as well (rule 7,
//! difference D9).

use crate::context::Context;
use crate::error::Error;
use crate::params::kv::{FILE, HANDLER_FILE};

/// The prefix of the keys that have what we have left under charms.reactive's.
const LEFT: &str = "zkpeer.files_left.";

/// The hash of a file that this handler last succeeded on; if charms.reactive has looked at the file after us, what it knows.
pub(crate) fn known_hash(context: &Context, handler: &str, file: &str) -> Result<Option<String>, Error> {
    match news(context, file)? {
        Some(hash) => Ok(hash),
        None => Ok(context.get::<Option<String>>(&handler_key(handler, file))?.flatten()),
    }
}

/// What charms.reactive knows of a file.
pub(crate) fn python_hash(context: &Context, file: &str) -> Result<Option<String>, Error> {
    Ok(context.get::<Option<String>>(&format!("{FILE}{file}"))?.flatten())
}

/// If charms.reactive has looked at the file after us, all who watch it know what it knows.
pub(crate) fn take_over<'w>(
    context: &Context,
    file: &str,
    watchers: impl IntoIterator<Item = &'w str>,
) -> Result<(), Error> {
    let Some(hash) = news(context, file)? else { return Ok(()) };
    for watcher in watchers {
        context.set(&handler_key(watcher, file), &hash)?;
    }
    Ok(context.set(&format!("{LEFT}{file}"), &hash)?)
}

/// What charms.reactive knows of a file, if it has looked at it after us.
fn news(context: &Context, file: &str) -> Result<Option<Option<String>>, Error> {
    let known: Option<Option<String>> = context.get(&format!("{FILE}{file}"))?;
    let left: Option<Option<String>> = context.get(&format!("{LEFT}{file}"))?;
    Ok(known.filter(|known| left.as_ref() != Some(known)))
}

/// The handler has succeeded on this content. charms.reactive's hash is written when the last of those who watch the
/// file has.
pub(crate) fn handled(
    context: &Context,
    handler: &str,
    file: &str,
    hash: &Option<String>,
    watchers: &[&str],
) -> Result<(), Error> {
    context.set(&handler_key(handler, file), hash)?;
    for watcher in watchers {
        let known: Option<Option<String>> = context.get(&handler_key(watcher, file))?;
        if known.as_ref() != Some(hash) {
            return Ok(());
        }
    }
    note(context, file, hash)
}

/// charms.reactive's hash of a file becomes this one, which is our doing.
pub(crate) fn note(context: &Context, file: &str, hash: &Option<String>) -> Result<(), Error> {
    context.set(&format!("{FILE}{file}"), hash)?;
    Ok(context.set(&format!("{LEFT}{file}"), hash)?)
}

/// What there is now of charms.reactive's is our doing.
pub(crate) fn left(context: &Context, file: &str) -> Result<(), Error> {
    match context.get::<Option<String>>(&format!("{FILE}{file}"))? {
        Some(hash) => Ok(context.set(&format!("{LEFT}{file}"), &hash)?),
        None => Ok(()),
    }
}

fn handler_key(handler: &str, file: &str) -> String {
    format!("{HANDLER_FILE}{handler}:{file}")
}
