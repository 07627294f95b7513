//! The simulated unit agent, proven with small charms in shell: each test is named after its claim, and after the section
//! of the charm runtime contract that makes it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod commands;
mod environment;
mod lifecycle;
mod outcome;
mod process;
mod support;
