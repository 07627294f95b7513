//! One test for each rule of dispatch and for each deliberate difference from charms.reactive, named after it.
//!
//! A test marked `DIFFERENCE` asserts what charms.reactive 1.5.3 does not do.

mod automatic;
mod callbacks;
mod conversations;
mod differences;
mod dispatch;
mod endpoints;
mod failures;
mod found;
mod helpers;
mod layers;
mod leader;
mod request_response;
mod status;
mod taken_over;
mod trace;
mod triggers;

use zkpeer_core::metadata::Role;
use zkpeer_core::{Endpoint, Interface};

/// An interface for the tests, which look at its endpoint themselves.
struct Quorum(Endpoint);

impl Interface for Quorum {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "quorum";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}
