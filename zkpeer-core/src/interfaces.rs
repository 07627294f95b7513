//! Interfaces that come with the library, a file for each.

pub mod zookeeper;
pub mod zookeeper_namespace;
pub mod zookeeper_quorum;
