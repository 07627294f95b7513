use zkpeer_core::when;

#[when("a")]
#[when_not("b")]
fn no_import() {}

#[when("a")]
#[zkpeer::when_not("b")]
fn no_such_crate() {}

fn main() {}
