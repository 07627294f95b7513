//! The same stories told by two languages: the charm `zookeeper` in Rust, and its like on charms.reactive, in lock step.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod compare;
mod cure;
mod differences;
mod judge;
mod lockstep;
mod ours;
mod predict;
mod random;
mod seen;
mod shown;
mod taken_over;
mod tales;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// The files that are the same in both charms, in a directory of their own: those of the example, with one endpoint more.
fn charm_files() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = ["config.yaml", "actions.yaml", "manifest.yaml"]
        .iter()
        .map(|name| (tests.join("../examples/zookeeper").join(name), *name))
        .collect();
    files.push((tests.join("stories/metadata.yaml"), "metadata.yaml"));
    for (from, name) in files {
        fs::copy(from, directory.path().join(name)).unwrap();
    }
    directory
}
