//! What a run changes: the store with a sum over it, changes of flags, triggers, and what is to be done at the end.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use serde::Serialize;

use crate::automatic::Automatic;
use crate::callbacks::ExitCallback;
use crate::error::Error;
use crate::report::Change;
use crate::store::{Store, StoreError};
use crate::trigger::{Edge, TriggerTable};
use crate::witness::Witness;

/// The prefix of a flag's key in the store, as charms.reactive has it.
pub(crate) const FLAG_PREFIX: &str = "reactive.states.";

/// What changes while a hook runs: all that is stored, and what is known of this run.
#[derive(Debug)]
pub(super) struct State {
    pub(super) store: Store,
    /// Who is told of each write.
    pub(super) witness: Option<Rc<dyn Witness>>,
    /// A sum over everything stored, kept up with each change: equal states have equal sums.
    pub(super) sum: u128,
    /// Real changes of flags since they were last taken.
    pub(super) changes: Vec<Change>,
    pub(super) triggers: TriggerTable,
    pub(super) automatic: Automatic,
    /// Whether a handler has run that is a program.
    pub(super) has_run_external: bool,
    pub(super) at_exit: Vec<ExitCallback>,
    /// The handler or callback that runs.
    pub(super) running: Option<String>,
    /// The first thing that went wrong where no error could be returned; it fails the hook after the handler.
    pub(super) failure: Option<Error>,
}

impl State {
    pub(super) fn change_flag(&mut self, name: &str, edge: Edge) -> Result<bool, StoreError> {
        let key = flag_key(name);
        if self.store.contains(&key) == (edge == Edge::Set) {
            return Ok(false);
        }
        match edge {
            Edge::Set => self.set(&key, &())?,
            Edge::Cleared => self.unset(&key),
        }
        self.changes.push(Change { flag: name.to_owned(), edge });
        Ok(true)
    }

    pub(super) fn set_flag_value<T: Serialize>(&mut self, name: &str, value: &T) -> Result<bool, StoreError> {
        let changed = self.change_flag(name, Edge::Set)?;
        self.set(&flag_key(name), value)?;
        Ok(changed)
    }

    fn set<T: Serialize>(&mut self, key: &str, value: &T) -> Result<(), StoreError> {
        self.put(key, |store| store.set(key, value))
    }

    /// Changes one key, and keeps up the sum.
    pub(super) fn put(
        &mut self,
        key: &str,
        change: impl FnOnce(&mut Store) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        let before = self.store.get_text(key).map(|text| digest(key, text));
        if change(&mut self.store)? {
            let after = self.store.get_text(key).map(|text| digest(key, text));
            self.sum ^= before.unwrap_or_default() ^ after.unwrap_or_default();
            self.wrote(key);
        }
        Ok(())
    }

    pub(super) fn unset(&mut self, key: &str) {
        if let Some(text) = self.store.get_text(key) {
            self.sum ^= digest(key, text);
            self.store.unset(key);
            self.wrote(key);
        }
    }

    fn wrote(&self, key: &str) {
        if let Some(witness) = &self.witness {
            witness.wrote(key);
        }
    }
}

pub(super) fn flag_key(flag: &str) -> String {
    let mut key = String::with_capacity(FLAG_PREFIX.len() + flag.len());
    key.push_str(FLAG_PREFIX);
    key.push_str(flag);
    key
}

fn digest(key: &str, text: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, key, text).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
