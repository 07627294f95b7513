//! The store against charmhelpers 1.2.1, in both directions, and against what can happen to a file.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod failures;
mod files;
mod kills;
mod locks;
mod peer;
mod texts;

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use zkpeer_core::store::{Options, Store};

/// A directory with the name of a state file in it that is not there yet.
fn state_file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".unit-state.db");
    (directory, path)
}

fn open(path: &std::path::Path) -> Store {
    Store::open(path, &Options::default()).unwrap_or_else(|error| panic!("{error}: {error:?}"))
}

/// Random numbers that can be had again: the seed is shown when a test fails, and `ZKPEER_SEED` sets it.
struct Random(u64);

impl Random {
    fn new() -> Self {
        let seed = match std::env::var("ZKPEER_SEED") {
            Ok(seed) => seed.parse().expect("ZKPEER_SEED is a number"),
            // Small enough for every language to read it as it is.
            Err(_) => SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as u64 & 0xffff_ffff,
        };
        println!("ZKPEER_SEED={seed} repeats this test");
        Self(seed)
    }

    /// The next number (SplitMix64).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}
