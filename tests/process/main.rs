//! Charms as real processes: started hook by hook by the simulated unit agent, and on a bare stage for what no agent does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod check;
mod hooks;

use std::path::PathBuf;

fn probe() -> PathBuf {
    tests::program("probe", env!("CARGO_BIN_EXE_probe"))
}

fn chain() -> PathBuf {
    tests::program("chain", env!("CARGO_BIN_EXE_chain"))
}

fn layered() -> PathBuf {
    tests::program("layered", env!("CARGO_BIN_EXE_layered"))
}
