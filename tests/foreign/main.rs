//! Charms that are not ours on the simulated Juju: what each has seen is what it should have seen.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod application;
mod charm;
mod ledger;
mod life;
mod view;

use charm::Charm;

#[test]
fn a_unit_on_ops_sees_what_juju_3_shows() {
    life::of(&Charm::ops(), "3.6.25");
}

#[test]
fn a_unit_on_charms_reactive_sees_what_juju_3_shows() {
    life::of(&Charm::reactive(), "3.6.25");
}

#[test]
fn a_unit_in_shell_sees_what_each_juju_shows() {
    for juju in ["2.9.52", "3.6.25", "4.0.14"] {
        life::of(&Charm::shell(), juju);
    }
}

#[test]
fn an_application_on_ops_sees_what_juju_4_shows() {
    application::of(&Charm::ops(), "4.0.14", seed(1));
}

#[test]
fn an_application_on_charms_reactive_sees_what_juju_2_shows() {
    application::of(&Charm::reactive(), "2.9.52", seed(2));
}

#[test]
fn an_application_in_shell_sees_what_each_juju_shows() {
    for (number, juju) in (3..).zip(["2.9.52", "3.6.25", "4.0.14"]) {
        application::of(&Charm::shell(), juju, seed(number));
    }
}

#[test]
fn a_difference_is_noticed() {
    life::with_lies(&Charm::shell());
}

/// The seed of a test, unless `ZKPEER_SEED` sets another.
fn seed(usual: u64) -> u64 {
    std::env::var("ZKPEER_SEED").map_or(usual, |seed| seed.parse().expect("ZKPEER_SEED is a number"))
}
