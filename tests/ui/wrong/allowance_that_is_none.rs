use zkpeer_core::{allow_finding, when};

#[when("a")]
#[allow_finding]
fn without_anything() {}

#[when("a")]
#[allow_finding(never_set = "a")]
fn without_a_reason() {}

#[when("a")]
#[allow_finding(never_set = "a", reason = " ")]
fn with_an_empty_reason() {}

#[when("a")]
#[allow_finding(never_sett = "a", reason = "x")]
fn of_no_kind() {}

#[when("a")]
#[allow_finding(never_set, reason = "x")]
fn about_nothing() {}

#[when("a")]
#[allow_finding(never_runs = "a", reason = "x")]
fn about_something() {}

#[when("a")]
#[allow_finding(never_set = "a", never_read = "a", reason = "x")]
fn of_two() {}

#[when("a")]
#[allow_finding("never-set", 7 = 3, reason = 1)]
fn of_no_form() {}

#[when("a")]
#[allow_finding(unused_allowance, reason = "x")]
fn of_itself() {}

fn main() {}
