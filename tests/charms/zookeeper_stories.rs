//! The charm `zookeeper` as the stories tell it: its own handlers, and some beside them by which a story disturbs it.

use std::fs;
use std::process::ExitCode;

use zkpeer_core::interfaces::zookeeper_quorum;
use zkpeer_core::{CharmDir, Flags, Result, Status, Unit, ZookeeperPeers, handlers, when, when_not};
use zookeeper::Server;

/// The charm's own, which waits while there is a file `hold-install`.
#[when_not("zookeeper.installed")]
fn install(dir: CharmDir, server: Server, unit: Unit, status: Status, flags: Flags) -> Result {
    if dir.join("hold-install").exists() { Ok(()) } else { zookeeper::install(server, unit, status, flags) }
}

/// The second endpoint of the interface.
#[when("zookeeper.installed", "watchers.joined")]
fn watcher_joined(watchers: ZookeeperPeers) {
    watchers.dismiss_joined();
}

#[when("zookeeper.installed", "watchers.departed")]
fn watcher_departed(watchers: ZookeeperPeers) {
    watchers.dismiss_departed();
}

#[when("zookeeper.installed", "watchers.changed")]
fn watcher_changed(watchers: ZookeeperPeers) {
    watchers.dismiss_changed();
}

/// Fails so many times as the file `stumble` says.
#[when("zookeeper.installed")]
fn stumble(dir: CharmDir) -> Result {
    let file = dir.join("stumble");
    let left: u32 = fs::read_to_string(&file).unwrap_or_default().trim().parse().unwrap_or(0);
    if left == 0 {
        return Ok(());
    }
    fs::write(file, (left - 1).to_string())?;
    Err("stumbled, as the file `stumble` says".into())
}

fn main() -> ExitCode {
    // In place of all that are linked; in the order of rule 10 those of this program come last.
    let handlers = handlers![
        zookeeper_quorum::joined,
        zookeeper_quorum::changed,
        zookeeper_quorum::departed,
        zookeeper::address,
        zookeeper::configure,
        zookeeper::start,
        zookeeper::quorum_add,
        zookeeper::quorum_remove,
        zookeeper::quorum_update,
        zookeeper::restart,
        zookeeper::status,
        zookeeper::show_quorum,
        zookeeper::order_restart,
        install,
        watcher_joined,
        watcher_departed,
        watcher_changed,
        stumble,
    ];
    zookeeper::charm().handlers(&handlers).main()
}
