use zkpeer_core::{Flags, Result, when};

struct Mine;

#[when("a")]
fn a_text(flags: Flags, name: String, list: Vec<(u8, Mine)>) -> Result {
    let _ = (flags, name, list);
    Ok(())
}

#[when("a")]
fn a_reference(flags: &Flags) {
    let _ = flags;
}

#[when("a")]
fn a_mutable_reference(flags: &mut Flags) {
    let _ = flags;
}

#[when("a")]
fn an_option(mine: Option<Mine>) {
    let _ = mine;
}

#[when("a")]
fn a_slice(_: &'static [u8]) {}

#[when("a")]
fn not_imported(_: Config) {}

fn main() {}
