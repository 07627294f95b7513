//! The charm's directory of one unit: named at once, made when it is first needed, and never shared.

use std::cell::OnceCell;
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::os::unix::fs::symlink;
use std::path::{self, Path, PathBuf};

use tempfile::TempDir;

use super::OrBad;
use crate::testing::charm::{copy, files};
use crate::testing::error::Error;

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
            lead_into(copied.path(), path).or_bad("the charm's files");
        }
        copied
    }
}

/// Links into the directory of which this one is a copy become links into the copy.
fn lead_into(copy: &Path, original: &Path) -> Result<(), Error> {
    for link in files(copy)?.into_iter().map(|file| copy.join(file)) {
        let Ok(target) = fs::read_link(&link) else { continue };
        if let Ok(inside) = target.strip_prefix(original) {
            let led = fs::remove_file(&link).and_then(|()| symlink(copy.join(inside), &link));
            led.map_err(Error::io(format!("copy {}", link.display())))?;
        }
    }
    Ok(())
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
    fn a_link_leads_into_the_copy_that_it_is_in() {
        let original = Files::default();
        let conf = |files: &Files| files.path().join("opt/server/conf");
        fs::create_dir_all(original.path().join("opt/server-1.0")).unwrap();
        symlink(original.path().join("opt/server-1.0"), original.path().join("opt/server")).unwrap();
        symlink("/etc/hostname", original.path().join("elsewhere")).unwrap();
        fs::write(conf(&original), "port=80").unwrap();
        let copied = original.clone();
        fs::write(conf(&copied), "port=99").unwrap();
        assert_eq!(fs::read_to_string(conf(&original)).unwrap(), "port=80");
        assert_eq!(fs::read_link(copied.path().join("elsewhere")).unwrap(), Path::new("/etc/hostname"));
        drop(original);
        assert_eq!(fs::read_to_string(conf(&copied)).unwrap(), "port=99");
    }

    #[test]
    fn a_copy_of_nothing_is_nothing() {
        let files = Files::default();
        files.path();
        assert!(!files.clone().place().exists() && files.root().starts_with(files.place()));
    }
}
