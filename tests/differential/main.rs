//! Random charms on charms.reactive 1.5.3 and on zkpeer: they do the same, but for the numbered differences.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod bites;
mod case;
mod differences;
mod found;
mod fresh;
mod generate;
mod interfaces;
mod ours;
mod outcome;
mod play;
mod random;
mod show;
mod shrink;
mod theirs;
mod world;
