use zkpeer_core::{Flag, flag, when, when_file_changed, when_not};

const TEXT: &str = "a";
const FLAG: Flag = flag!("a");

#[when(TEXT)]
fn a_text() {}

#[when_not(MISSING)]
fn not_there() {}

#[when_file_changed(FLAG)]
fn a_flag() {}

fn main() {}
