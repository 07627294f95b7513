//! What a hook stores and what Juju applies at its end are kept together, or neither is.
//!
//! The store is written before the program ends, and only after that Juju applies what was sent to it. In between the program may
//! be killed, and Juju may refuse (contract 2.1, 2.3). So a hook that does both gives both its context id: to Juju with
//! `state-set`, which is applied with the rest, and to the store together with what was there before. The next hook asks
//! Juju which id it has; if it is another one, the store goes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ask;
use crate::context::Context;
use crate::error::Error;

/// Where Juju has the id of the last hook that it has kept, among what the unit keeps in the controller.
const KEPT: &str = "zkpeer.kept";
/// Where the store has what Juju may not have kept.
const UNCONFIRMED: &str = "zkpeer.unconfirmed";

/// What a hook has changed before Juju kept it.
#[derive(Debug, Serialize, Deserialize)]
struct Unconfirmed {
    context_id: String,
    /// The JSON texts that were there before, by their keys.
    before: BTreeMap<String, Option<String>>,
}

/// Before anything looks at the store: what Juju has not kept is taken back, at once, so that this hook starts from it
/// whatever becomes of it.
pub(crate) fn at_start(context: &Context) -> Result<(), Error> {
    let Some(last) = context.get::<Unconfirmed>(UNCONFIRMED)? else { return Ok(()) };
    context.unset(UNCONFIRMED);
    if ask::controller_state(context, KEPT)?.as_ref() == Some(&last.context_id) {
        return Ok(());
    }
    context.put_back(last.before);
    Ok(context.commit()?)
}

/// Before anything is sent: the hook is marked, if it sends something that Juju drops when the hook fails (contract 2.2).
pub(crate) fn at_end(context: &Context) -> Result<(), Error> {
    let Some(context_id) = context.outside().context_id.clone() else { return Ok(()) };
    if !context.outbox().borrow().has_what_is_dropped() {
        return Ok(());
    }
    let before: BTreeMap<String, Option<String>> = context.with_store(|store| {
        let changes = store.changes().filter(|change| change.key != UNCONFIRMED);
        changes.map(|change| (change.key.to_owned(), change.before.map(str::to_owned))).collect()
    });
    if before.is_empty() {
        return Ok(());
    }
    context.outbox().borrow_mut().controller_state.insert(KEPT.to_owned(), Some(context_id.clone()));
    context.set(UNCONFIRMED, &Unconfirmed { context_id, before })?;
    Ok(())
}
