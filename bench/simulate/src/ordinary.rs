//! Ten ordinary handlers, none of which is due while the server runs undisturbed.

use zkpeer_core::{Flags, hook, when, when_any, when_not, when_not_all};

#[when_not("server.installed")]
fn install(flags: Flags) {
    flags.set("server.installed");
}

#[when("server.installed")]
#[when_not("server.configured")]
fn configure(flags: Flags) {
    flags.set("server.configured");
}

#[when("server.configured")]
#[when_not("server.started")]
fn start(flags: Flags) {
    flags.set("server.started");
}

#[when("server.installed", "quorum.joined")]
fn grow(flags: Flags) {
    flags.clear("quorum.joined");
}

#[when("server.installed", "quorum.departed")]
fn shrink(flags: Flags) {
    flags.clear("quorum.departed");
}

#[when("server.restart.wanted")]
fn restart(flags: Flags) {
    flags.clear("server.restart.wanted");
}

#[when_any("backup.wanted", "backup.late")]
fn backup(flags: Flags) {
    flags.clear("backup.wanted");
    flags.clear("backup.late");
}

#[when_not_all("server.installed", "server.configured", "server.started")]
fn wait(flags: Flags) {
    flags.set("server.waiting");
}

#[hook("upgrade-charm")]
fn upgrade(flags: Flags) {
    flags.clear("server.configured");
}

#[hook("stop")]
fn stop(flags: Flags) {
    flags.clear("server.started");
}
