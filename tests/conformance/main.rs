//! The simulated Juju against the contract: one test for each fact that a charm can observe, on every driver.
//!
//! A test is named after the section of the contract that it proves: `c4_2_departures_first`. `contract.md` maps every
//! row of the contract to its tests, and `coverage` checks that it does.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod c1;
mod c10;
mod c11;
mod c13;
mod c2;
mod c3;
mod c4;
mod c5;
mod c6;
mod c7;
mod c8;
mod c9_1;
mod c9_9;
mod coverage;
mod scenes;
mod stage;
mod stories;
mod table;
