//! A simulated unit agent, for the tests of charms.

mod unit;

pub use unit::Unit;
