//! Charms that are not ours on the simulated Juju: what each has seen is what it should have seen.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod charm;
mod ledger;
mod life;
mod view;

use charm::Charm;

#[test]
fn a_charm_on_ops_sees_what_juju_3_shows() {
    life::of(&Charm::ops(), "3.6.25");
}

#[test]
fn a_charm_on_ops_sees_what_juju_4_shows() {
    life::of(&Charm::ops(), "4.0.14");
}

#[test]
fn a_charm_on_charms_reactive_sees_what_juju_3_shows() {
    life::of(&Charm::reactive(), "3.6.25");
}

#[test]
fn a_charm_in_shell_sees_what_juju_2_shows() {
    life::of(&Charm::shell(), "2.9.52");
}

#[test]
fn a_charm_in_shell_sees_what_juju_3_shows() {
    life::of(&Charm::shell(), "3.6.25");
}

#[test]
fn a_charm_in_shell_sees_what_juju_4_shows() {
    life::of(&Charm::shell(), "4.0.14");
}

#[test]
fn a_difference_is_noticed() {
    life::with_lies(&Charm::shell());
}
