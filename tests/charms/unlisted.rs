//! A charm that links a crate of handlers and does not list it.

use test_layer as _;
use zkpeer_core::{Flags, when};

#[when("layer.ready")]
fn build_on_it(flags: Flags) {
    flags.set("charm.ready");
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
