//! The interfaces that come with the library, each as a charm uses it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod zookeeper;
mod zookeeper_namespace;
mod zookeeper_quorum;
