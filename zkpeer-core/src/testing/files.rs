//! The files of a charm's directory as data, so that copies of a model can share one directory on the disk.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::hash::Hash;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::charm;
use super::error::Error;
use super::shared::{Shared, sum_of};

/// What is in a directory, by paths below it. Copies share it.
pub(crate) type Tree = Shared<BTreeMap<PathBuf, Entry>>;

/// One entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Entry {
    Directory,
    File { content: Rc<[u8]>, mode: u32 },
    Link(PathBuf),
}

/// Which tree is in which directory on the disk at this moment.
#[derive(Debug, Default)]
pub(crate) struct OnDisk(RefCell<BTreeMap<PathBuf, Tree>>);

impl OnDisk {
    /// Takes the directory as it is; what equals the tree that was there stays that one.
    pub(crate) fn take(&self, directory: &Path) -> Result<Tree, Error> {
        let mut found = BTreeMap::new();
        read(directory, Path::new(""), &mut found).map_err(Error::io(format!("read {}", directory.display())))?;
        let mut on_disk = self.0.borrow_mut();
        let tree = match on_disk.get(directory) {
            Some(tree) if **tree == found => tree.clone(),
            _ => Tree::new(found),
        };
        on_disk.insert(directory.to_owned(), tree.clone());
        Ok(tree)
    }

    /// Makes the directory what it was when the tree was taken.
    pub(crate) fn put(&self, directory: &Path, tree: &Tree) -> Result<(), Error> {
        let mut on_disk = self.0.borrow_mut();
        let nothing = Tree::default();
        let there = on_disk.get(directory).unwrap_or(&nothing);
        if there == tree {
            return Ok(());
        }
        write(directory, there, tree).map_err(Error::io(format!("write {}", directory.display())))?;
        on_disk.insert(directory.to_owned(), tree.clone());
        Ok(())
    }
}

/// What is in a tree, a line for each entry.
pub(crate) fn lines(tree: &Tree) -> Vec<String> {
    let entry = |(path, entry): (&PathBuf, &Entry)| match entry {
        Entry::Directory => format!("{}/", path.display()),
        Entry::Link(target) => format!("{} -> {}", path.display(), target.display()),
        Entry::File { content, .. } => {
            let text = String::from_utf8_lossy(content);
            let short: String = text.chars().take(200).collect();
            let more =
                if short.len() < text.len() { format!("... (sum {:x})", sum_of(content)) } else { String::new() };
            format!("{}: {short:?}{more}", path.display())
        }
    };
    tree.iter().map(entry).collect()
}

/// What is in it; nothing if it is not there.
fn read(root: &Path, below: &Path, found: &mut BTreeMap<PathBuf, Entry>) -> io::Result<()> {
    let entries = match fs::read_dir(root.join(below)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && below.as_os_str().is_empty() => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let (path, kind) = (below.join(entry.file_name()), entry.file_type()?);
        if kind.is_dir() {
            found.insert(path.clone(), Entry::Directory);
            read(root, &path, found)?;
        } else if kind.is_symlink() {
            found.insert(path, Entry::Link(fs::read_link(entry.path())?));
        } else if kind.is_file() {
            let (content, mode) = (fs::read(entry.path())?.into(), entry.metadata()?.permissions().mode());
            found.insert(path, Entry::File { content, mode });
        } else {
            let what = format!("{} is no file, directory or link, and cannot be kept", entry.path().display());
            return Err(io::Error::other(what));
        }
    }
    Ok(())
}

/// Writes what differs.
fn write(root: &Path, there: &Tree, wanted: &Tree) -> io::Result<()> {
    fs::create_dir_all(root)?;
    for (path, _) in there.iter().rev().filter(|(path, entry)| wanted.get(*path) != Some(*entry)) {
        charm::remove(&root.join(path))?;
    }
    for (path, entry) in wanted.iter().filter(|(path, entry)| there.get(*path) != Some(*entry)) {
        let path = root.join(path);
        match entry {
            Entry::Directory => fs::create_dir_all(&path)?,
            Entry::Link(target) => symlink(target, &path)?,
            Entry::File { content, mode } => {
                fs::write(&path, content)?;
                fs::set_permissions(&path, fs::Permissions::from_mode(*mode))?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_becomes_what_it_was() {
        let root = tempfile::tempdir().unwrap();
        let path = |name: &str| root.path().join(name);
        let on_disk = OnDisk::default();
        fs::create_dir(path("a")).unwrap();
        fs::write(path("a/one"), "1").unwrap();
        let before = on_disk.take(root.path()).unwrap();
        assert_eq!(on_disk.take(root.path()).unwrap().sum(), before.sum());
        fs::remove_dir_all(path("a")).unwrap();
        fs::write(path("a"), "a file now").unwrap();
        fs::create_dir_all(path("b/c")).unwrap();
        symlink("b", path("link")).unwrap();
        let after = on_disk.take(root.path()).unwrap();
        assert_ne!(before.sum(), after.sum());
        on_disk.put(root.path(), &before).unwrap();
        assert_eq!(fs::read_to_string(path("a/one")).unwrap(), "1");
        assert!(!path("b").exists() && !path("link").exists());
        on_disk.put(root.path(), &after).unwrap();
        assert_eq!(fs::read_to_string(path("a")).unwrap(), "a file now");
        assert!(path("link/c").is_dir());
    }
}
