use zkpeer_core::{Flag, flag, not_unless, when, when_any, when_not};

#[when("")]
fn empty() {}

#[when("two words", "fine", "a\n")]
#[when_not("{endpoint}.joined")]
fn several_in_one_function() {}

#[when_any("a}")]
fn brace() {}

#[not_unless("b c")]
fn guarded(_: zkpeer_core::Flags) -> zkpeer_core::Result {
    Ok(())
}

const BAD: Flag = flag!("a b");
const BRACE: Flag = flag!("{relation}.joined");

fn main() {
    let _ = (BAD, BRACE, guarded);
}
