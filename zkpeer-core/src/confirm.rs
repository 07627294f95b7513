//! What a hook stores and what Juju applies at its end are kept together, or neither is.
//!
//! The store is written before the program ends, and only after that Juju applies what was sent to it. In between the program may
//! be killed, and Juju may refuse (contract 2.1, 2.3). So a hook that does both gives both its context id: to Juju with
//! `state-set`, which is applied with the rest, and to the store together with what was there before. The next hook asks
//! Juju which id it has; if it is another one, the store goes back. Not if anybody else has written anything meanwhile: the charm
//! may have been another one, on charms.reactive, which has gone on from what it found.
//!
//! What Juju applies at once is outside: statuses, and up to Juju 3.6 leader settings, which others may have seen by then.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ask;
use crate::context::Context;
use crate::error::Error;
use crate::hash::Hash;
use crate::store::Store;

/// Where Juju has the id of the last hook that it has kept, among what the unit keeps in the controller.
pub(crate) const KEPT: &str = "zkpeer.kept";
/// Where the store has what Juju may not have kept.
pub(crate) const UNCONFIRMED: &str = "zkpeer.unconfirmed";

/// The prefix of keys that nobody else writes.
const OWN: &str = "zkpeer.";

/// What a hook has changed before Juju kept it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Unconfirmed {
    pub(crate) context_id: String,
    /// The JSON texts that were there before, by their keys.
    pub(crate) before: BTreeMap<String, Option<String>>,
    /// The hash of everything that is there since, but for what only this library writes.
    pub(crate) after: String,
}

/// Before anything looks at the store: what Juju has not kept is taken back, at once, so that this hook starts from it
/// whatever becomes of it.
pub(crate) fn at_start(context: &Context) -> Result<(), Error> {
    let Some(last) = context.get::<Unconfirmed>(UNCONFIRMED)? else { return Ok(()) };
    context.unset(UNCONFIRMED);
    if ask::controller_state(context, KEPT)?.as_ref() == Some(&last.context_id) {
        return Ok(());
    }
    if context.with_store(hash) == last.after {
        context.put_back(last.before);
    }
    Ok(context.commit()?)
}

/// Before anything is sent: the hook is marked, if it sends something that Juju drops when the hook fails (contract 2.2).
pub(crate) fn at_end(context: &Context) -> Result<(), Error> {
    let Some(context_id) = context.outside().context_id.clone() else { return Ok(()) };
    // Nobody knows what a handler in another language has told Juju. And if `install` runs again, Juju has set the unit's status to
    // its own words before (contract 9.9): what the handlers said of it, they have to say again.
    let is_kept_by_juju = context.outbox().borrow().has_what_is_dropped() || context.event().is_hook("install");
    if !is_kept_by_juju && !context.has_run_external() {
        return Ok(());
    }
    let (before, after) = context.with_store(|store| {
        let changes = || store.changes().filter(|change| change.key != UNCONFIRMED);
        let before: BTreeMap<String, Option<String>> =
            changes().map(|change| (change.key.to_owned(), change.before.map(str::to_owned))).collect();
        (before, hash(store))
    });
    if before.is_empty() {
        return Ok(());
    }
    context.outbox().borrow_mut().controller_state.insert(KEPT.to_owned(), Some(context_id.clone()));
    context.set(UNCONFIRMED, &Unconfirmed { context_id, before, after })?;
    Ok(())
}

/// Of everything that somebody else could have written, too.
fn hash(store: &Store) -> String {
    let entries = store.range("").filter(|(key, _)| !key.starts_with(OWN));
    // No key and no text has a zero byte in it.
    let text: String = entries.flat_map(|(key, text)| [key, "\0", text, "\0"]).collect();
    Hash::Md5.of_text(&text)
}
