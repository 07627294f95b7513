//! A charm on charms.reactive is refreshed to Rust in the middle of a story, and back: no handler runs once too often, or once
//! less.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod charm;
mod found;
mod guide;
mod killed;
mod story;
mod telling;
