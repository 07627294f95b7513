//! Handlers in other languages: the same files run by charms.reactive and by ours, and what goes wrong with them.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod alone;
mod bad_input;
mod both;
mod commands;
mod scene;
