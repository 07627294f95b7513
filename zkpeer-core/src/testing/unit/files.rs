//! The charm's directory of one unit: named at once, made when it is first needed, and never shared.

use std::cell::OnceCell;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{self, Path, PathBuf};

use tempfile::TempDir;

use super::OrBad;
use crate::testing::charm::copy;

/// A temporary directory, if there is need of one: to make it takes longer than a hook.
#[derive(Debug)]
pub(super) struct Files {
    place: PathBuf,
    /// The directory that handlers take for `/`, in it.
    root: PathBuf,
    made: OnceCell<TempDir>,
}

impl Default for Files {
    fn default() -> Self {
        let random = RandomState::new().build_hasher().finish();
        let temporary = tempfile::env::temp_dir();
        // Juju runs no hook command in a directory that is not absolute.
        let temporary = path::absolute(&temporary).unwrap_or(temporary);
        let place = temporary.join(format!("zkpeer-unit-{random:016x}"));
        Self { root: place.join(".root"), place, made: OnceCell::new() }
    }
}

impl Files {
    /// Where the directory is, or would be.
    pub(super) fn place(&self) -> &Path {
        &self.place
    }

    /// Where the machine's own files are, or would be.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The directory, which is there.
    pub(super) fn path(&self) -> &Path {
        self.made.get_or_init(|| make(&self.place).or_bad("no temporary directory")).path()
    }

    /// The directory, if there is something in it.
    fn used(&self) -> Option<&Path> {
        let path = self.made.get()?.path();
        fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()).then_some(path)
    }
}

/// Only for its owner, and an error if it is there already.
fn make(place: &Path) -> io::Result<TempDir> {
    let name = place.file_name().unwrap_or_default();
    tempfile::Builder::new().prefix(name).rand_bytes(0).tempdir_in(place.parent().unwrap_or(place))
}

/// Another directory with the same files: what one unit writes is not seen by the other.
impl Clone for Files {
    fn clone(&self) -> Self {
        let copied = Self::default();
        if let Some(path) = self.used() {
            copy(path, copied.path()).or_bad("the charm's files");
        }
        copied
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_made_where_it_was_to_be_when_it_is_needed_and_goes_with_its_unit() {
        let files = Files::default();
        let place = files.place().to_owned();
        assert!(!place.exists());
        assert_eq!(files.path(), place);
        fs::write(place.join("settings"), "port=80").unwrap();
        let copy = files.clone();
        assert_ne!(copy.place(), place);
        assert_eq!(fs::read_to_string(copy.path().join("settings")).unwrap(), "port=80");
        drop(files);
        assert!(!place.exists() && copy.place().exists());
    }

    #[test]
    fn a_copy_of_nothing_is_nothing() {
        let files = Files::default();
        files.path();
        assert!(!files.clone().place().exists() && files.root().starts_with(files.place()));
    }
}
