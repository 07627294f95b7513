//! The same stories told by two languages: the charm `zookeeper` in Rust, and its like on charms.reactive, in lock step.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod compare;
mod dice;
mod differences;
mod judge;
mod lockstep;
mod ours;
mod seen;
mod tales;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// The files that are the same in both charms, in a directory of their own.
fn charm_files() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("stories/charm");
    for name in ["metadata.yaml", "config.yaml", "actions.yaml", "manifest.yaml"] {
        fs::copy(files.join(name), directory.path().join(name)).unwrap();
    }
    directory
}
