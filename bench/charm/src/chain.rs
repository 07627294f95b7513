//! A charm of 100 handlers: `config-changed` sets the first of 100 flags, and each handler sets the next.

use zkpeer_core::{Flags, hook, when, when_not};

#[hook("config-changed")]
fn begin(flags: Flags) {
    flags.set("chain.0");
}

include!(concat!(env!("OUT_DIR"), "/links.rs"));

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
