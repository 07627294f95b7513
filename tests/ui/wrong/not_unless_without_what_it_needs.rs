use zkpeer_core::{Flags, Result, not_unless, when};

#[derive(Debug)]
struct NotAnError;

#[not_unless("a")]
fn no_flags() -> Result {
    Ok(())
}

#[not_unless("a")]
fn flags_that_may_be_missing(flags: Option<Flags>) -> Result {
    let _ = flags;
    Ok(())
}

#[not_unless("a")]
fn neither() {}

#[not_unless("a")]
fn a_tuple(_: Flags) -> (u8, u8) {
    (1, 2)
}

#[not_unless("a")]
fn a_number(_: Flags) -> u8 {
    1
}

#[not_unless("a")]
fn an_error_that_does_not_convert(_: Flags) -> Result<u8, NotAnError> {
    Ok(1)
}

#[not_unless("a")]
fn a_pattern(Flags { .. }: Flags) -> Result {
    Ok(())
}

#[not_unless("a")]
const fn constant(_: Flags) -> Result {
    Ok(())
}

#[when("a")]
#[not_unless("b")]
fn handler_too() {}

fn main() {
    let _ = (no_flags, flags_that_may_be_missing, neither, a_tuple, a_number, an_error_that_does_not_convert);
    let _ = (a_pattern, constant);
}
