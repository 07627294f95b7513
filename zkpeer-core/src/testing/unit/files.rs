//! The charm's directory of one unit: made when it is first needed, and never shared.

use std::cell::OnceCell;
use std::fs;
use std::path::Path;

use super::OrBad;
use crate::testing::charm::copy;

/// A temporary directory, if there is need of one.
#[derive(Debug, Default)]
pub(super) struct Files(OnceCell<tempfile::TempDir>);

impl Files {
    pub(super) fn path(&self) -> &Path {
        self.0.get_or_init(|| tempfile::tempdir().or_bad("no temporary directory")).path()
    }

    /// The directory, if there is something in it.
    fn used(&self) -> Option<&Path> {
        let path = self.0.get()?.path();
        fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_some()).then_some(path)
    }
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
