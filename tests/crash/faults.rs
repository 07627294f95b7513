//! Charms with a fault.
