//! A charm with handlers of its own and of a crate that it lists.

use zkpeer_core::{Flags, allow_finding, interfaces, when};

interfaces![test_layer];

#[when("layer.ready")]
#[allow_finding(never_read = "charm.ready", reason = "the tests look for it")]
fn build_on_it(flags: Flags) {
    flags.set("charm.ready");
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
