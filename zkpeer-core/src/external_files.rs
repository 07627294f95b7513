//! Which files of a charm are external handlers: as charms.reactive finds them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use crate::error::Error;

/// A handler that is a program.
#[derive(Debug)]
pub(crate) struct External {
    /// Its path in the charm's directory.
    name: String,
    path: PathBuf,
}

impl External {
    /// Its path in the charm's directory: `reactive/website.sh`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Where they are looked for, with all directories below.
const DIRECTORIES: [&str; 3] = ["hooks/reactive", "hooks/relations", "reactive"];

/// What is not looked at.
const CACHE: &str = "__pycache__";

/// The external handlers of a charm, in the order of their paths.
pub(crate) fn find(charm_dir: &Path) -> Result<Vec<External>, Error> {
    let mut found = Vec::new();
    for file in all(charm_dir)? {
        if is_handler(&file.path)? {
            found.push(file);
        }
    }
    Ok(found)
}

/// All files that are looked at, in the order of their paths.
pub(crate) fn all(charm_dir: &Path) -> Result<Vec<External>, Error> {
    let mut found = Vec::new();
    for directory in DIRECTORIES {
        search(charm_dir, directory, &mut found)?;
    }
    found.sort_by(|a, b| a.name().cmp(b.name()));
    Ok(found)
}

fn search(charm_dir: &Path, directory: &str, found: &mut Vec<External>) -> Result<(), Error> {
    let path = charm_dir.join(directory);
    let failed = |source: io::Error| Error::Read { path: path.clone(), source };
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    for entry in entries {
        let entry = entry.map_err(failed)?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = format!("{directory}/{name}");
        // A link to a directory is not followed.
        if entry.file_type().map_err(failed)?.is_dir() {
            if entry.file_name() != CACHE {
                search(charm_dir, &name, found)?;
            }
        } else if !entry.path().is_dir() {
            found.push(External { name, path: entry.path() });
        }
    }
    Ok(())
}

/// Executable, no extension or `.sh`, and a script or a binary.
pub(crate) fn is_handler(path: &Path) -> Result<bool, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A dot at the beginning begins no extension, one at the end does.
    let extension = name.trim_start_matches('.').rsplit_once('.').map(|(_, extension)| extension);
    if extension.is_some_and(|extension| extension != "sh") || access(path, Access::EXEC_OK).is_err() || path.is_dir() {
        return Ok(false);
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(1024).read_to_end(&mut start));
    read.map_err(|source| Error::Read { path: path.to_owned(), source })?;
    Ok(start.starts_with(b"#!") || str::from_utf8(&start).is_err())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn programs_of_three_directories_are_found_in_the_order_of_their_paths() {
        let charm = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &[u8], mode: u32| {
            let path = charm.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        for handler in
            ["reactive/b.sh", "reactive/a", "reactive/deep/er/c", "hooks/reactive/d", "hooks/relations/x/e.sh"]
        {
            write(handler, b"#!/bin/sh\n", 0o755);
        }
        write("reactive/binary", b"\x7fELF\xff\xfe", 0o755);
        write("reactive/.hidden", b"#!/bin/sh\n", 0o755);
        for (other, content, mode) in [
            ("reactive/not-executable.sh", &b"#!/bin/sh\n"[..], 0o644),
            ("reactive/text", b"no script", 0o755),
            ("reactive/python.py", b"#!/usr/bin/python3\n", 0o755),
            ("reactive/dot.", b"#!/bin/sh\n", 0o755),
            ("reactive/__pycache__/cached", b"#!/bin/sh\n", 0o755),
            ("hooks/install", b"#!/bin/sh\n", 0o755),
            ("elsewhere/f", b"#!/bin/sh\n", 0o755),
        ] {
            write(other, content, mode);
        }
        symlink("nowhere", charm.path().join("reactive/broken")).unwrap();
        symlink("../elsewhere", charm.path().join("reactive/linked")).unwrap();
        symlink("../elsewhere/f", charm.path().join("reactive/link")).unwrap();
        let found = find(charm.path()).unwrap();
        assert_eq!(
            found.iter().map(External::name).collect::<Vec<_>>(),
            [
                "hooks/reactive/d",
                "hooks/relations/x/e.sh",
                "reactive/.hidden",
                "reactive/a",
                "reactive/b.sh",
                "reactive/binary",
                "reactive/deep/er/c",
                "reactive/link",
            ]
        );
    }

    #[test]
    fn a_charm_without_such_directories_has_none() {
        assert!(find(tempfile::tempdir().unwrap().path()).unwrap().is_empty());
    }
}
