//! Files that handlers watch: what each handler last succeeded on (rule 7, difference D9).

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use md5::{Digest, Md5};

use crate::context::Context;
use crate::error::Error;

/// The prefix of the keys of files' hashes: charms.reactive's, one for each file.
const FILE: &str = "reactive.files_changed.";
/// The same for each handler.
const HANDLER_FILE: &str = "zkpeer.files_changed.";

/// The MD5 of a file's content, as charms.reactive stores it; none if there is no such file.
pub(crate) fn hash_of(path: &Path) -> Result<Option<String>, Error> {
    let read = || -> io::Result<Option<String>> {
        if !std::fs::metadata(path)?.is_file() {
            return Err(io::Error::other("it is not a file"));
        }
        let mut file = File::open(path)?;
        let mut hash = Md5::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            match file.read(&mut chunk)? {
                0 => break,
                read => hash.update(&chunk[..read]),
            }
        }
        Ok(Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
    };
    match read() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        hash => hash.map_err(|source| Error::Read { path: path.to_owned(), source }),
    }
}

/// What is known of a file's content: the hash that this handler last succeeded on, else the one that the charm's Python
/// predecessor stored.
pub(crate) fn known_hash(context: &Context, handler: &str, file: &str) -> Result<Option<String>, Error> {
    let own: Option<Option<String>> = context.get(&handler_key(handler, file))?;
    if let Some(hash) = own {
        return Ok(hash);
    }
    // A handler that has come with an upgrade has succeeded on nothing yet; charms.reactive's hash is for the first
    // hook after the charm was taken over.
    let of_file = format!(":{file}");
    if context.keys(HANDLER_FILE).iter().any(|key| key.ends_with(&of_file)) {
        return Ok(None);
    }
    python_hash(context, file)
}

/// What charms.reactive knows of a file's content.
pub(crate) fn python_hash(context: &Context, file: &str) -> Result<Option<String>, Error> {
    Ok(context.get::<Option<String>>(&python_key(file))?.flatten())
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
    handled_by_all(context, file, hash)
}

/// All who watch the file know this content.
pub(crate) fn handled_by_all(context: &Context, file: &str, hash: &Option<String>) -> Result<(), Error> {
    Ok(context.set(&python_key(file), hash)?)
}

fn handler_key(handler: &str, file: &str) -> String {
    format!("{HANDLER_FILE}{handler}:{file}")
}

fn python_key(file: &str) -> String {
    format!("{FILE}{file}")
}
