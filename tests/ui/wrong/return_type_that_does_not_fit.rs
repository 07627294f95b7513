use zkpeer_core::{Flags, when};

#[derive(Debug)]
struct NotAnError;

#[when("a")]
fn a_number() -> u32 {
    1
}

#[when("a")]
fn an_option(flags: Flags) -> Option<()> {
    let _ = flags;
    None
}

#[when("a")]
fn a_result_with_a_value() -> Result<u32, String> {
    Ok(1)
}

#[when("a")]
fn a_result_with_no_error() -> Result<(), NotAnError> {
    Ok(())
}

#[when("a")]
fn a_result_with_a_reference() -> Result<(), &'static str> {
    Ok(())
}

fn main() {}
