//! Interfaces that come with the library, a file for each.

pub mod zookeeper_quorum;
