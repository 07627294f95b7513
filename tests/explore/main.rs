//! Every order of events, for models of several units.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod charm;
mod peers;
mod zookeeper;

#[path = "../../examples/zookeeper/tests/server/mod.rs"]
mod server;
