//! What a unit remembers between hooks: an ordered map with a list of changes, and the file behind it.
//!
//! The file is the one that charmhelpers keeps, `.unit-state.db` in the charm directory: an SQLite database whose
//! table `kv` has a JSON text under each key. A charm written in Python can go on with it, and the other way round.
//!
//! A [`Store`] is loaded whole and lives in memory. Nothing is locked while it does. [`Store::commit`] writes the rows
//! that have changed in one transaction, or none; where none has, the file is not touched. Values that were not set
//! stay the text that they were.
//!
//! ```
//! use zkpeer_core::store::{Options, Store};
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join(".unit-state.db");
//! let mut store = Store::open(&path, &Options::default())?;
//! store.set("ports", &[2181, 2888])?;
//! store.commit()?;
//!
//! let store = Store::open(&path, &Options::default().read_only())?;
//! assert_eq!(store.get::<Vec<u16>>("ports")?, Some(vec![2181, 2888]));
//! assert_eq!(store.get_text("ports"), Some("[2181, 2888]"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod file;
mod json;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::StoreError;
pub use json::{Json, JsonError, JsonInteger, JsonObject, JsonString};

use file::{File, Values};

/// The file's name in the charm directory.
pub(crate) const FILE: &str = ".unit-state.db";

/// How a store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Whether it may be written.
    pub access: Access,
    /// How long to wait, when reading and when writing, for a lock that another process holds. 5 seconds by default.
    pub wait: Duration,
}

/// Whether a store may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It is read, and changes may be committed.
    ReadWrite,
    /// It is read; nothing is created or written. If a process was killed while it wrote, this access cannot put the
    /// file in order, and opening it is an error ([`StoreError::Unfinished`]) until somebody has who may write.
    ReadOnly,
}

impl Options {
    /// For reading only.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { access: Access::ReadOnly, ..self }
    }

    /// With this time to wait for a lock.
    #[must_use]
    pub fn wait(self, wait: Duration) -> Self {
        Self { wait, ..self }
    }
}

/// For reading and writing, with 5 seconds to wait for a lock.
impl Default for Options {
    fn default() -> Self {
        Self { access: Access::ReadWrite, wait: Duration::from_secs(5) }
    }
}

/// What a unit remembers: keys in order, a JSON text under each, and what has changed since it was loaded.
#[derive(Debug)]
pub struct Store {
    values: Values,
    /// What was loaded under each key that has changed since.
    before: BTreeMap<String, Option<String>>,
    file: Option<File>,
}

/// One difference between a store and what was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change<'s> {
    /// The key.
    pub key: &'s str,
    /// The JSON text that was loaded; `None` if there was none.
    pub before: Option<&'s str>,
    /// The JSON text now; `None` if the key was removed.
    pub after: Option<&'s str>,
}

impl Store {
    /// An empty store without a file; to commit means that the changes can no longer be discarded.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { values: Values::new(), before: BTreeMap::new(), file: None }
    }

    /// The same values without a file.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn copy(&self) -> Self {
        Self { values: self.values.clone(), before: self.before.clone(), file: None }
    }

    /// Loads the store in this file. Where there is none, or an empty one, the store is empty, and the file is made by
    /// the first commit that has something to write.
    ///
    /// # Errors
    ///
    /// If what is there cannot be read, or is not a store.
    pub fn open(path: impl AsRef<Path>, options: &Options) -> Result<Self, StoreError> {
        let (file, values) = File::load(path.as_ref(), *options)?;
        Ok(Self { values, before: BTreeMap::new(), file: Some(file) })
    }

    /// The file's absolute path, or `None` for a store in memory.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(File::path)
    }

    /// The JSON text under `key`, as it was stored.
    #[must_use]
    pub fn get_text(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// The value under `key`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If what is stored is not JSON, or not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        let Some(json) = self.json(key)? else { return Ok(None) };
        match json.to() {
            Ok(value) => Ok(Some(value)),
            Err(source) => Err(StoreError::Shape { file: self.name(), key: key.to_owned(), source }),
        }
    }

    /// The value under `key` with all that JSON is to Python; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If what is stored is not JSON.
    pub fn json(&self, key: &str) -> Result<Option<Json>, StoreError> {
        match self.get_text(key).map(Json::parse) {
            None => Ok(None),
            Some(Ok(json)) => Ok(Some(json)),
            Some(Err(source)) => Err(StoreError::NotJson { file: self.name(), key: key.to_owned(), source }),
        }
    }

    /// Whether there is a value under `key`.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Stores a value and says whether that changed the stored text.
    ///
    /// A value that means the same as the stored one is no change, and the stored text stays, however it is written.
    ///
    /// ```
    /// use zkpeer_core::store::Store;
    ///
    /// let mut store = Store::in_memory();
    /// assert!(store.set("reactive.states.zookeeper.installed", &())?);
    /// assert!(!store.set("reactive.states.zookeeper.installed", &())?);
    /// # Ok::<(), zkpeer_core::store::StoreError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the value cannot be written as JSON ([`Json::from_serialize`]); nothing is changed then.
    pub fn set<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<bool, StoreError> {
        match Json::from_serialize(value) {
            Ok(json) => Ok(self.set_json(key, &json)),
            Err(source) => Err(StoreError::NotStorable { file: self.name(), key: key.to_owned(), source }),
        }
    }

    /// Stores a value, as [`Store::set`] does.
    pub fn set_json(&mut self, key: &str, value: &Json) -> bool {
        let text = value.to_string();
        let means_the_same = |stored: &str| stored == text || Json::parse(stored).is_ok_and(|stored| stored == *value);
        if self.get_text(key).is_some_and(means_the_same) {
            return false;
        }
        let loaded = self.before.get(key).cloned().flatten();
        let text = loaded.filter(|loaded| means_the_same(loaded)).unwrap_or(text);
        let old = self.values.insert(key.to_owned(), text);
        self.note(key, old);
        true
    }

    /// Removes a key and says whether it was there.
    pub fn unset(&mut self, key: &str) -> bool {
        let Some(old) = self.values.remove(key) else { return false };
        self.note(key, Some(old));
        true
    }

    /// Puts back the JSON text that was under a key, or that there was none.
    pub(crate) fn put_back(&mut self, key: &str, text: Option<String>) {
        let old = match text {
            Some(text) => self.values.insert(key.to_owned(), text),
            None => self.values.remove(key),
        };
        self.note(key, old);
    }

    /// Keeps the list of changes after what is under `key` has become something else than `old`.
    fn note(&mut self, key: &str, old: Option<String>) {
        match self.before.get(key) {
            None if old.as_deref() == self.get_text(key) => {}
            None => {
                self.before.insert(key.to_owned(), old);
            }
            Some(loaded) if loaded.as_deref() == self.get_text(key) => {
                self.before.remove(key);
            }
            Some(_) => {}
        }
    }

    /// The keys that begin with exactly `prefix` and their JSON texts, in order.
    pub fn range(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        self.values
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(key, text)| (key.as_str(), text.as_str()))
    }

    /// How the store differs from what was loaded or last committed, in the order of the keys.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = Change<'_>> {
        self.before.iter().map(|(key, before)| Change { key, before: before.as_deref(), after: self.get_text(key) })
    }

    /// Whether the store differs from what was loaded or last committed.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        !self.before.is_empty()
    }

    /// Writes the changes to the file, all of them or none. Without changes the file is not touched.
    ///
    /// A new file can be read and written by its owner only. A file that was missing may be left behind empty by a
    /// commit that failed, which is an empty store too.
    ///
    /// # Errors
    ///
    /// If the file cannot be written, or is not the one that was loaded: another process wrote it, or put another in
    /// its place. The changes are still there after that, so the commit may be tried again.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        if !self.is_changed() {
            return Ok(());
        }
        if let Some(file) = &mut self.file {
            let values = &self.values;
            let changes = self.before.iter();
            file.commit(
                changes.map(|(key, before)| (key.as_str(), before.is_some(), values.get(key).map(String::as_str))),
            )?;
        }
        self.before.clear();
        Ok(())
    }

    /// Whether the file is still the one that was loaded or last committed.
    ///
    /// # Errors
    ///
    /// If another process has written it, or put another in its place.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        self.file.as_ref().map_or(Ok(()), File::check)
    }

    /// Goes back to what was loaded or last committed.
    pub fn discard(&mut self) {
        for (key, before) in std::mem::take(&mut self.before) {
            match before {
                Some(text) => self.values.insert(key, text),
                None => self.values.remove(&key),
            };
        }
    }

    /// How messages name this store.
    pub(crate) fn name(&self) -> PathBuf {
        self.path().unwrap_or(Path::new(":memory:")).to_owned()
    }
}

#[cfg(test)]
mod tests;
