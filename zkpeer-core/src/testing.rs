//! A simulated unit agent, for the tests of charms.
