//! The files of a charm directory: which of them are deployed, and their copy.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::testing::error::Error;

/// The paths of all that is deployed, relative to the directory, each directory before what is in it: everything but what
/// belongs to building the charm, `.git` and cargo's target.
pub(crate) fn files(directory: &Path) -> Result<BTreeSet<PathBuf>, Error> {
    let mut found = BTreeSet::new();
    collect(directory, Path::new(""), &mut found)?;
    Ok(found)
}

fn collect(directory: &Path, inside: &Path, found: &mut BTreeSet<PathBuf>) -> Result<(), Error> {
    let path = directory.join(inside);
    let unreadable = || Error::io(format!("read {}", path.display()));
    for entry in fs::read_dir(&path).map_err(unreadable())? {
        let entry = entry.map_err(unreadable())?;
        let kind = entry.file_type().map_err(unreadable())?;
        let relative = inside.join(entry.file_name());
        if kind.is_dir() {
            if entry.file_name() == ".git" || entry.path().join("CACHEDIR.TAG").exists() {
                continue;
            }
            found.insert(relative.clone());
            collect(directory, &relative, found)?;
        } else if kind.is_file() || kind.is_symlink() {
            found.insert(relative);
        }
    }
    Ok(())
}

/// Copies a charm as `juju deploy` would archive it, over what is there already (contract 1.2).
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    fs::create_dir_all(to).map_err(Error::io(format!("create {}", to.display())))?;
    for relative in files(from)? {
        let source = from.join(&relative);
        copy_one(&source, &to.join(&relative)).map_err(Error::io(format!("copy {}", source.display())))?;
    }
    Ok(())
}

/// Removes a file, a link, or a directory with all that is in it; there need be none.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What was there is replaced, never written through: it may be a link to something else.
fn copy_one(source: &Path, target: &Path) -> io::Result<()> {
    let kind = fs::symlink_metadata(source)?.file_type();
    if kind.is_dir() && fs::symlink_metadata(target).is_ok_and(|there| there.is_dir()) {
        return Ok(());
    }
    remove(target)?;
    if kind.is_dir() {
        fs::create_dir(target)
    } else if kind.is_symlink() {
        symlink(fs::read_link(source)?, target)
    } else {
        fs::copy(source, target).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_belongs_to_building_is_not_deployed() {
        let charm = tempfile::tempdir().unwrap();
        for directory in ["hooks", ".git", "target/debug"] {
            fs::create_dir_all(charm.path().join(directory)).unwrap();
        }
        for file in ["metadata.yaml", "target/CACHEDIR.TAG", "target/debug/x", ".git/x", ".hidden"] {
            fs::write(charm.path().join(file), "").unwrap();
        }
        symlink("../dispatch", charm.path().join("hooks/install")).unwrap();
        let expected = [".hidden", "hooks", "hooks/install", "metadata.yaml"].map(PathBuf::from);
        assert_eq!(files(charm.path()).unwrap(), BTreeSet::from(expected));
    }

    #[test]
    fn c1_2_a_copy_over_an_older_one_replaces_links_and_leaves_their_targets_alone() {
        let (old, new, unit) =
            (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::write(old.path().join("dispatch"), "old").unwrap();
        symlink("dispatch", old.path().join("run")).unwrap();
        fs::write(old.path().join("lib"), "a file").unwrap();
        fs::write(new.path().join("run"), "new").unwrap();
        fs::create_dir(new.path().join("lib")).unwrap();
        fs::write(new.path().join("lib/a"), "inside").unwrap();
        symlink("lib/a", new.path().join("link")).unwrap();
        copy(old.path(), unit.path()).unwrap();
        fs::write(unit.path().join("kept"), "by the charm").unwrap();
        for _ in 0..2 {
            copy(new.path(), unit.path()).unwrap();
        }
        let text = |name: &str| fs::read_to_string(unit.path().join(name)).unwrap();
        assert_eq!(["dispatch", "run", "link", "kept"].map(text), ["old", "new", "inside", "by the charm"]);
    }
}
