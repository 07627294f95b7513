//! Juju charms in Rust in the charms.reactive model: handlers guarded by flags, re-run until the flags settle.

extern crate self as zkpeer_core;

mod flag;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use flag::{Flag, FlagNameError};
