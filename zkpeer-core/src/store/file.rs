//! The file behind a store: the SQLite database of charmhelpers 1.2.1.
//!
//! It is read at once and written at once. In between there is a connection, but no transaction and no lock. The
//! connection stays because only it can tell whether another one has written since.

use std::collections::BTreeMap;
use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, ffi};

use super::{Access, Options, StoreError};

/// The tables of charmhelpers; their columns, types and keys are what it expects.
const TABLES: &str = "
    create table if not exists kv (key text, data text, primary key (key));
    create table if not exists kv_revisions (key text, revision integer, data text, primary key (key, revision));
    create table if not exists hooks (version integer primary key autoincrement, hook text, date text);
";

/// Keys and their JSON texts.
pub(super) type Values = BTreeMap<String, String>;

#[derive(Debug)]
pub(super) struct File {
    /// Absolute, so that a change of the working directory, or a name that means something to SQLite, does no harm.
    path: PathBuf,
    options: Options,
    /// Which file was loaded; `None` if there was none.
    identity: Option<Identity>,
    /// `None` while the file is missing or empty.
    session: Option<Session>,
}

/// Tells a file from one that took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

#[derive(Debug)]
struct Session {
    connection: Connection,
    /// SQLite's `data_version`, which differs once another connection has written.
    version: i64,
}

impl File {
    /// Reads the file. One that is missing or empty has no values.
    pub(super) fn load(path: &Path, options: Options) -> Result<(Self, Values), StoreError> {
        let path = std::path::absolute(path).map_err(|error| io_error(path, "read", error))?;
        let mut file = Self { path, options, identity: None, session: None };
        // Looked up before it is opened: if it is replaced in between, a commit is refused rather than lost.
        let Some(metadata) = file.metadata()? else { return Ok((file, Values::new())) };
        file.identity = Some(Identity::of(&metadata));
        if metadata.len() == 0 {
            return Ok((file, Values::new()));
        }
        let (session, values) = file.connect()?;
        file.session = Some(session);
        Ok((file, values))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the changed values (`None` is a removed one) in one transaction, or none of them.
    ///
    /// `before` tells whether a key was there when the file was loaded.
    pub(super) fn commit<'c>(
        &mut self,
        changes: impl Iterator<Item = (&'c str, bool, Option<&'c str>)>,
    ) -> Result<(), StoreError> {
        if self.options.access == Access::ReadOnly {
            return Err(StoreError::ReadOnly { file: self.path.clone() });
        }
        if let Some(mut session) = self.session.take() {
            let result = self.write(&mut session, changes);
            self.session = Some(session);
            return result;
        }
        let was = self.identity;
        let is = self.create()?;
        if was.is_some_and(|was| was != is) {
            return Err(self.changed("replaced"));
        }
        let (mut session, values) = self.connect()?;
        if !values.is_empty() {
            return Err(self.changed("written"));
        }
        self.identity = Some(is);
        let result = self.write(&mut session, changes);
        match result {
            Ok(()) => self.session = Some(session),
            Err(_) => self.identity = was,
        }
        result
    }

    /// Whether anybody else has written it, or put another in its place, since it was loaded. One that may not be written
    /// is not looked at.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        let metadata = self.metadata()?;
        match &self.session {
            _ if self.options.access == Access::ReadOnly => Ok(()),
            None if metadata.as_ref().is_some_and(|metadata| metadata.len() > 0) => Err(self.changed("written")),
            None => Ok(()),
            Some(session) => {
                let version = data_version(&session.connection).map_err(|error| self.sqlite_error("read", error))?;
                if version != session.version { Err(self.changed("written")) } else { self.check_identity(metadata) }
            }
        }
    }

    /// Whether it is the file that was loaded.
    fn check_identity(&self, metadata: Option<Metadata>) -> Result<(), StoreError> {
        match metadata {
            None => Err(self.changed("deleted")),
            Some(metadata) if Some(Identity::of(&metadata)) != self.identity => Err(self.changed("replaced")),
            Some(_) => Ok(()),
        }
    }

    fn write<'c>(
        &self,
        session: &mut Session,
        changes: impl Iterator<Item = (&'c str, bool, Option<&'c str>)>,
    ) -> Result<(), StoreError> {
        let failed = |error| self.sqlite_error("written", error);
        session.connection.execute_batch("pragma synchronous = full").map_err(failed)?;
        let transaction = Transaction::new(&mut session.connection, TransactionBehavior::Immediate).map_err(failed)?;
        if data_version(&transaction).map_err(failed)? != session.version {
            return Err(self.changed("written"));
        }
        self.check_identity(self.metadata()?)?;
        write_rows(&transaction, changes).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// Makes sure that there is a file, and says which.
    fn create(&self) -> Result<Identity, StoreError> {
        if let Some(metadata) = self.metadata()? {
            return Ok(Identity::of(&metadata));
        }
        if self.identity.is_some() {
            return Err(self.changed("deleted"));
        }
        // SQLite would let others read it. (Closing a file drops the locks that this process has on it, but nobody
        // has opened this one yet.)
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&self.path)
            .and_then(|file| file.metadata())
            .map(|metadata| Identity::of(&metadata))
            .map_err(|error| io_error(&self.path, "created", error))
    }

    fn connect(&self) -> Result<(Session, Values), StoreError> {
        let failed = |error| self.sqlite_error("read", error);
        let access = match self.options.access {
            Access::ReadWrite => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Access::ReadOnly => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        let connection =
            Connection::open_with_flags(&self.path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
        // SQLite counts milliseconds in an `i32`.
        let longest = Duration::from_millis(i32::MAX.unsigned_abs().into());
        connection.busy_timeout(self.options.wait.min(longest)).map_err(failed)?;
        // One transaction, so that the version belongs to the rows, and the file is locked once instead of three times.
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        // Only a commit asks for the version.
        let version = match self.options.access {
            Access::ReadWrite => data_version(&transaction).map_err(failed)?,
            Access::ReadOnly => 0,
        };
        let values = self.read_rows(&transaction)?;
        transaction.commit().map_err(failed)?;
        Ok((Session { connection, version }, values))
    }

    fn read_rows(&self, connection: &Connection) -> Result<Values, StoreError> {
        let failed = |error| self.sqlite_error("read", error);
        let mut statement = match connection.prepare("select * from kv") {
            Ok(statement) => statement,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::Unknown) => {
                let sql = "select count(*) from sqlite_schema where name = 'kv'";
                let tables: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
                return if tables == 0 { Ok(Values::new()) } else { Err(failed(error)) };
            }
            Err(error) => return Err(failed(error)),
        };
        if !statement.column_names().eq(["key", "data"]) {
            let columns: Vec<_> = statement.column_names().collect();
            let found = format!("its table `kv` has the columns `{}` instead of `key`, `data`", columns.join("`, `"));
            return Err(StoreError::Layout { file: self.path.clone(), found });
        }
        let mut values = Vec::new();
        let mut rows = statement.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            let key = self.text(row.get_ref(0).map_err(failed)?, || "a key in the table `kv`".into())?;
            let data = self.text(row.get_ref(1).map_err(failed)?, || format!("the value of `{key}`"))?;
            values.push((key, data));
        }
        let rows = values.len();
        let values: Values = values.into_iter().collect();
        if values.len() < rows {
            let found = "its table `kv` has several rows with the same key".into();
            return Err(StoreError::Layout { file: self.path.clone(), found });
        }
        Ok(values)
    }

    fn text(&self, value: ValueRef<'_>, row: impl FnOnce() -> String) -> Result<String, StoreError> {
        let found = match value {
            ValueRef::Text(bytes) => match str::from_utf8(bytes) {
                Ok(text) => return Ok(text.to_owned()),
                Err(_) => "not valid UTF-8",
            },
            ValueRef::Null => "NULL",
            ValueRef::Integer(_) | ValueRef::Real(_) => "a number",
            ValueRef::Blob(_) => "a BLOB",
        };
        Err(StoreError::NotText { file: self.path.clone(), row: row(), found })
    }

    /// What the file system knows about the file; `None` if there is none.
    fn metadata(&self) -> Result<Option<Metadata>, StoreError> {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error(&self.path, "read", error)),
        };
        let kind = metadata.file_type();
        let found = if kind.is_file() {
            return Ok(Some(metadata));
        } else if kind.is_dir() {
            "a directory"
        } else if kind.is_fifo() {
            "a named pipe"
        } else if kind.is_socket() {
            "a socket"
        } else {
            "a device"
        };
        Err(StoreError::NotAFile { file: self.path.clone(), found })
    }

    fn changed(&self, how: &'static str) -> StoreError {
        StoreError::Changed { file: self.path.clone(), how }
    }

    pub(super) fn sqlite_error(&self, doing: &'static str, error: rusqlite::Error) -> StoreError {
        let file = self.path.clone();
        let Some(&ffi::Error { code, extended_code }) = error.sqlite_error() else {
            return StoreError::Io { file, doing, source: error.into() };
        };
        let source = error.into();
        match code {
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
                StoreError::Locked { file, waited: self.options.wait, source }
            }
            ErrorCode::NotADatabase => StoreError::NotADatabase { file, source },
            ErrorCode::DatabaseCorrupt => StoreError::Corrupt { file, source },
            ErrorCode::DiskFull => StoreError::Full { file, source },
            ErrorCode::ReadOnly => match extended_code {
                ffi::SQLITE_READONLY_DBMOVED => self.changed("moved"),
                ffi::SQLITE_READONLY_ROLLBACK | ffi::SQLITE_READONLY_RECOVERY => {
                    StoreError::Unfinished { file, source }
                }
                _ => StoreError::Denied { file, doing, source },
            },
            ErrorCode::PermissionDenied => StoreError::Denied { file, doing, source },
            // SQLite does not say why it could not open a file.
            ErrorCode::CannotOpen => match rustix::fs::access(&self.path, rustix::fs::Access::READ_OK) {
                Err(error) => io_error(&self.path, doing, error.into()),
                Ok(()) => StoreError::Io { file, doing, source },
            },
            _ => StoreError::Io { file, doing, source },
        }
    }
}

pub(super) fn io_error(path: &Path, doing: &'static str, error: io::Error) -> StoreError {
    let file = path.to_owned();
    let kind = error.kind();
    let source = error.into();
    match kind {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            StoreError::Denied { file, doing, source }
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full { file, source },
        _ => StoreError::Io { file, doing, source },
    }
}

fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("pragma data_version", [], |row| row.get(0))
}

fn write_rows<'c>(
    connection: &Connection,
    changes: impl Iterator<Item = (&'c str, bool, Option<&'c str>)>,
) -> rusqlite::Result<()> {
    connection.execute_batch(TABLES)?;
    for (key, existed, data) in changes {
        match (existed, data) {
            (false, Some(data)) => {
                connection.prepare_cached("insert into kv (key, data) values (?1, ?2)")?.execute([key, data])?
            }
            (true, Some(data)) => {
                connection.prepare_cached("update kv set data = ?2 where key = ?1")?.execute([key, data])?
            }
            (_, None) => connection.prepare_cached("delete from kv where key = ?1")?.execute([key])?,
        };
    }
    Ok(())
}

#[cfg(test)]
impl File {
    /// Lets SQLite find its disk full: the database may not become larger than it is.
    pub(super) fn fill_the_disk(&self) {
        if let Some(session) = &self.session {
            let _ = session.connection.query_row("pragma max_page_count = 1", [], |_| Ok(()));
        }
    }
}
