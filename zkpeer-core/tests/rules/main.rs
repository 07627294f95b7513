//! One test for each rule of dispatch and for each deliberate difference from charms.reactive, named after it.
//!
//! A test marked `DIFFERENCE` asserts what charms.reactive 1.5.3 does not do.

mod automatic;
mod conversations;
mod differences;
mod dispatch;
mod failures;
mod found;
mod leader;
mod triggers;
