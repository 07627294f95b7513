use zkpeer_core::{Flag, flag, when, when_any, when_file_changed};

const FLAG: Flag = flag!("c");
const PATH: &str = "/etc/hosts";

#[when("a", "b", "a")]
#[when_any("b", FLAG, FLAG, "{endpoint_name}.x", "{relation_name}.x")]
fn flags() {}

#[when_file_changed("/etc/passwd", PATH, "/etc/passwd", PATH)]
fn files() {}

fn main() {}
