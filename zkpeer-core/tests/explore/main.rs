//! What an exploration finds, and what it says: charms with a fault each.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod bad_input;
mod charms;
mod faults;
mod found;
mod messages;
mod replays;
mod walks;
