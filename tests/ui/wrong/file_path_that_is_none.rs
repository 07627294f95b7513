use zkpeer_core::when_file_changed;

#[when_file_changed]
fn none() {}

#[when_file_changed("", "a\0b", b"bytes", 7)]
fn empty() {}

fn main() {}
