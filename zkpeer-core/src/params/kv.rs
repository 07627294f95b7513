//! Values that stay from hook to hook, and what is found out by comparing with them.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::Context;
use crate::error::Error;
use crate::hash::Hash;
use crate::store::{Json, StoreError};
use crate::watched_file;

/// The prefix of the keys of values' hashes; this one and those below as charms.reactive has them.
const DATA: &str = "reactive.data_changed.";
/// The prefix of the keys of files' hashes.
pub(crate) const FILE: &str = "reactive.files_changed.";
/// The prefix of the keys of files' hashes, one for each file and handler.
pub(crate) const HANDLER_FILE: &str = "zkpeer.files_changed.";
/// The prefix of the keys by which handlers, and what authors mark themselves, are known to have been done.
pub(crate) const INVOKED: &str = "reactive.invoked.";

/// Values that the unit keeps from hook to hook, by key; charmhelpers' `unitdata.kv()` reads and writes the same.
///
/// Changes are kept only if the hook succeeds. Keys that begin with `reactive.` or `zkpeer.` are the framework's.
///
/// ```
/// use zkpeer_core::{Kv, Result, when};
///
/// #[when("hello.started")]
/// fn count(kv: Kv) -> Result {
///     let hooks: u64 = kv.get("hello.hooks")?.unwrap_or(0);
///     kv.set("hello.hooks", &(hooks + 1))?;
///     Ok(())
/// }
/// ```
///
/// What has changed since an earlier hook is seen by a hash that is kept for it, under the same keys and of the same text as
/// in charms.reactive:
///
/// ```
/// use zkpeer_core::{Kv, Network, Result, when};
///
/// #[when("server.installed")]
/// fn configure(kv: Kv, network: Network) -> Result {
///     let address = network.ingress_address("zkpeer")?;
///     if kv.data_changed("server.address", &address)? {
///         std::fs::write("/etc/server.address", address.unwrap_or_default())?;
///     }
///     Ok(())
/// }
/// ```
#[doc(alias = "unitdata")]
#[derive(Clone, Debug)]
pub struct Kv {
    context: Context,
    hash: Hash,
}

impl Kv {
    /// The values that a run's store keeps, for interfaces.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self { context: context.clone(), hash: Hash::default() }
    }

    /// A value.
    ///
    /// # Errors
    ///
    /// If the stored value is not of the type that is asked for.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        Ok(self.context.get(key)?)
    }

    /// Sets a value.
    ///
    /// # Errors
    ///
    /// If the value has no form in JSON.
    pub fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), Error> {
        Ok(self.context.set(key, value)?)
    }

    /// Removes a value, if there is one.
    pub fn unset(&self, key: &str) {
        self.context.unset(key);
    }

    /// The keys that begin with the prefix, in order.
    #[must_use]
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        self.context.keys(prefix).into_iter().map(|rest| format!("{prefix}{rest}")).collect()
    }

    /// The same values; what has changed is seen by another hash than MD5.
    ///
    /// For what a Python charm has noted with `hash_type`. A hash of another kind than the one that is kept counts as a change.
    ///
    /// ```
    /// use zkpeer_core::{Hash, Kv, Result, when};
    ///
    /// #[when("server.installed")]
    /// fn restart(kv: Kv) -> Result {
    ///     if kv.with_hash(Hash::Sha256).any_file_changed(["/etc/server.conf", "/etc/server.keys"])? {
    ///         println!("to be restarted");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn with_hash(self, hash: Hash) -> Self {
        Self { hash, ..self }
    }

    /// Whether the value is another one than at the call before under this name, and notes it. The first one is a change.
    ///
    /// # Errors
    ///
    /// If the value has no form in JSON, or what is kept for the name is not a text.
    pub fn data_changed<T: Serialize + ?Sized>(&self, id: &str, value: &T) -> Result<bool, Error> {
        self.compare_data(id, value, true)
    }

    /// The same as [`data_changed`](Self::data_changed), but does not note the value: the next call compares with the same one
    /// as this.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn is_data_changed<T: Serialize + ?Sized>(&self, id: &str, value: &T) -> Result<bool, Error> {
        self.compare_data(id, value, false)
    }

    fn compare_data<T: Serialize + ?Sized>(&self, id: &str, value: &T, note: bool) -> Result<bool, Error> {
        let key = format!("{DATA}{id}");
        let json = Json::from_serialize(value).map_err(|source| StoreError::NotStorable {
            file: self.context.with_store(|store| store.name()),
            key: key.clone(),
            source,
        })?;
        self.compare(&key, Some(self.hash.of_text(&json.to_string())), note)
    }

    /// Whether the content of one of the files is another than at the call before, and notes what all of them are now. A file
    /// that appears or vanishes has changed. A relative path begins in the charm's directory.
    ///
    /// What is noted is shared by all who ask in this way for the same path; a handler with
    /// [`when_file_changed`](macro@crate::when_file_changed) has a view of its own.
    ///
    /// # Errors
    ///
    /// If a file is there and cannot be read, or its path is not UTF-8.
    pub fn any_file_changed<P: AsRef<Path>>(&self, files: impl IntoIterator<Item = P>) -> Result<bool, Error> {
        let mut any = false;
        for file in files {
            let file = file.as_ref();
            let name = file.to_str().ok_or_else(|| Error::Read {
                path: file.to_owned(),
                source: std::io::Error::other("its path is not UTF-8, and so cannot be a key"),
            })?;
            let hash = self.hash.of_file(&self.context.charm_dir().join(file))?;
            if self.compare(&format!("{FILE}{name}"), hash.clone(), false)? {
                // It is no news of charms.reactive's, which the handlers that watch the file would go by.
                watched_file::note(&self.context, name, &hash)?;
                any = true;
            }
        }
        Ok(any)
    }

    fn compare(&self, key: &str, hash: Option<String>, note: bool) -> Result<bool, Error> {
        let changed = self.context.get::<Option<String>>(key)?.flatten() != hash;
        if changed && note {
            self.context.set(key, &hash)?;
        }
        Ok(changed)
    }

    /// Whether [`mark_invoked`](Self::mark_invoked) has been called with this name, in this hook or one before that succeeded.
    ///
    /// For a whole handler there is [`only_once`](macro@crate::only_once).
    ///
    /// ```
    /// use zkpeer_core::{Kv, Result, when};
    ///
    /// #[when("server.installed")]
    /// fn format_disk(kv: Kv) -> Result {
    ///     if !kv.was_invoked("format_disk")? {
    ///         println!("formatting");
    ///         kv.mark_invoked("format_disk")?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If what is kept for the name is neither true nor false.
    pub fn was_invoked(&self, id: &str) -> Result<bool, Error> {
        Ok(self.context.get::<Option<bool>>(&format!("{INVOKED}{id}"))?.flatten().unwrap_or_default())
    }

    /// Notes that what has this name has been done.
    ///
    /// # Errors
    ///
    /// If it cannot be noted.
    pub fn mark_invoked(&self, id: &str) -> Result<(), Error> {
        self.set(&format!("{INVOKED}{id}"), &true)
    }
}
