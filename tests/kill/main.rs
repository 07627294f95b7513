//! Charms killed with SIGKILL at every instant, retried as Juju retries, and compared with an undisturbed run.
//!
//! `probe` is killed in one hook at all of them; `zookeeper` in each hook of a story of several units, at some in each window.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod probe;
mod zookeeper;

use tests::instants::{Counts, Window};

/// How often the charm is killed in each window, at least.
const AT_LEAST: usize = 50;

#[track_caller]
fn assert_enough(counts: &Counts, windows: &[Window]) {
    for window in windows {
        assert!(counts.get(window).is_some_and(|count| *count >= AT_LEAST), "{window:?}: {counts:?}");
    }
}
