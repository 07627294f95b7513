//! The same with two handlers on automatic flags, for which a hook asks Juju: `config-get` and `is-leader`.

mod ordinary;

use zkpeer_core::{Flags, when, when_not};

#[when("config.changed")]
fn render(flags: Flags) {
    flags.set("server.restart.wanted");
}

#[when("server.installed")]
#[when_not("leadership.is_leader")]
fn follow(flags: Flags) {
    flags.set("server.follower");
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
