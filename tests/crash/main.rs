//! Stories of several units in which every hook is stopped at every instant: each ends as the undisturbed one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod faults;
mod peers;
mod zookeeper;

#[path = "../explore/charm.rs"]
mod charm;
#[path = "../../examples/zookeeper/tests/server/mod.rs"]
mod server;

use zkpeer_core::testing::{CrashError, Crashes};

/// The versions of Juju that differ in what they apply at once.
const VERSIONS: [&str; 3] = ["2.9.52", "3.6.25", "4.0.14"];

/// Explores the crashes, and says how many there were.
fn survives(what: &str, crashes: Crashes) -> Result<(), CrashError> {
    let survived = crashes.run()?;
    println!("{what}: {survived}");
    Ok(())
}
