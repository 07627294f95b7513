//! What can be wrong with a store.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use super::JsonError;

/// What the operating system or SQLite said.
type Cause = Box<dyn Error + Send + Sync>;

/// What can be wrong with a store, or with a value in it.
///
/// Each message names the file (`:memory:` for a store without one) and says what to do. After a failure to commit the
/// file is as it was, and the changes are still in memory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The file is something else than a database.
    #[error(
        "{file}: this is not an SQLite database; restore it, or move it away to start without any state",
        file = file.display()
    )]
    NotADatabase {
        /// The file of the store.
        file: PathBuf,
        /// What SQLite said.
        source: Cause,
    },

    /// The file is a database, but a damaged one.
    #[error(
        "{file}: the database is damaged; restore it, or see what `sqlite3 {file} .recover` finds",
        file = file.display()
    )]
    Corrupt {
        /// The file of the store.
        file: PathBuf,
        /// What SQLite said.
        source: Cause,
    },

    /// The file is a sound database with a table `kv` that is not the one of charmhelpers.
    #[error(
        "{file}: {found}, so this is not the state of a charm; move it away, or name another file in UNIT_STATE_DB",
        file = file.display()
    )]
    Layout {
        /// The file of the store.
        file: PathBuf,
        /// What is there instead.
        found: String,
    },

    /// A key or a value is no text.
    #[error(
        "{file}: {row} is {found} and not a text, which no charm writes; correct or delete that row with `sqlite3`",
        file = file.display()
    )]
    NotText {
        /// The file of the store.
        file: PathBuf,
        /// Which key or value.
        row: String,
        /// What it is instead.
        found: &'static str,
    },

    /// A value that was asked for is no JSON.
    #[error(
        "{file}: the value of `{key}` is not JSON; correct or delete that row of the table `kv` with `sqlite3`",
        file = file.display()
    )]
    NotJson {
        /// The file of the store.
        file: PathBuf,
        /// The key of the value.
        key: String,
        /// What is wrong with it.
        source: JsonError,
    },

    /// A value is JSON, but not of the type that was asked for.
    #[error(
        "{file}: the value of `{key}` does not have the expected shape; ask for another type, or for `Json`",
        file = file.display()
    )]
    Shape {
        /// The file of the store.
        file: PathBuf,
        /// The key of the value.
        key: String,
        /// What does not fit.
        source: JsonError,
    },

    /// A value that was to be stored cannot be written as JSON.
    #[error("{file}: the new value of `{key}` cannot be written as JSON; change its type", file = file.display())]
    NotStorable {
        /// The file of the store.
        file: PathBuf,
        /// The key of the value.
        key: String,
        /// What is wrong with it.
        source: JsonError,
    },

    /// Another process kept the file locked for longer than was to be waited.
    #[error(
        "{file}: another process has kept it locked for {} s; find it with `fuser {file}`, and try again",
        waited.as_secs_f64(),
        file = file.display()
    )]
    Locked {
        /// The file of the store.
        file: PathBuf,
        /// How long was waited.
        waited: Duration,
        /// What SQLite said.
        source: Cause,
    },

    /// The file is not what it was when it was loaded. Nothing was written.
    #[error(
        "{file}: since it was loaded it was {how} by another process, so nothing was written; \
         find out which one, and run the hook again",
        file = file.display()
    )]
    Changed {
        /// The file of the store.
        file: PathBuf,
        /// What happened to it.
        how: &'static str,
    },

    /// There is no space left. Nothing was written.
    #[error("{file}: there is no space left to write it; free some, and try again", file = file.display())]
    Full {
        /// The file of the store.
        file: PathBuf,
        /// What the system said.
        source: Cause,
    },

    /// The process may not do this with the file.
    #[error("{file}: it may not be {doing}; see to the owner and mode of it and its directory", file = file.display())]
    Denied {
        /// The file of the store.
        file: PathBuf,
        /// What was tried: `read` or `written`.
        doing: &'static str,
        /// What the system said.
        source: Cause,
    },

    /// Something else than a file has the name of the file.
    #[error(
        "{file}: this is {found} and not a file; move it away, or name another file in UNIT_STATE_DB",
        file = file.display()
    )]
    NotAFile {
        /// The name of the file.
        file: PathBuf,
        /// What it is.
        found: &'static str,
    },

    /// The process that wrote last was killed, and what it left can only be rolled back by one that may write.
    #[error(
        "{file}: a process was killed while it wrote, and this one may only read; \
         open it for writing, as the next hook does, and it is as before",
        file = file.display()
    )]
    Unfinished {
        /// The file of the store.
        file: PathBuf,
        /// What SQLite said.
        source: Cause,
    },

    /// The store was opened for reading only, and has changes.
    #[error(
        "{file}: it was opened for reading only and has changes; discard them, or open it for writing",
        file = file.display()
    )]
    ReadOnly {
        /// The file of the store.
        file: PathBuf,
    },

    /// Anything else that went wrong with the file.
    #[error("{file}: it could not be {doing}; see to its directory and its disk", file = file.display())]
    Io {
        /// The file of the store.
        file: PathBuf,
        /// What was tried: `read`, `created` or `written`.
        doing: &'static str,
        /// What the system said.
        source: Cause,
    },
}
