use zkpeer_core::{Flag, flag, when, when_all, when_any, when_none, when_not, when_not_all};

const FLAG: Flag = flag!("c");

#[when("a", "b", FLAG)]
#[when_not("b", "a")]
#[when_none(FLAG)]
fn set_and_not_set() {}

#[when_not("{endpoint_name}.joined")]
#[when_all("{relation_name}.joined")]
fn not_set_and_set() {}

#[when_any("a", "b")]
#[when_none("a", "b", "c")]
fn any_of_none() {}

#[when("a", "b")]
#[when_not_all("b", "a")]
fn not_all_of_all() {}

#[when_any("a")]
#[when_not_all("a")]
fn one_each() {}

fn main() {}
