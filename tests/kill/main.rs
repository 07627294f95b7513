//! Charms killed at every instant.
