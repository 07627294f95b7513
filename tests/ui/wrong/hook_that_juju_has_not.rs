use zkpeer_core::hook;

#[hook(
    "config-change",
    "config_changed",
    "Install",
    "zkpeer-relation-join",
    "relation-joined",
    "{peers:zookeeper-quorum}-relation-{joined,change}",
    "{db,web}-relation-leave",
    "data-storage-detached",
    "web-pebble-redy",
    "{install, start}",
    "leader-deposed",
    "collect-metrics",
    "meter-status-changed",
    "backup-the-database"
)]
fn hooks() {}

#[hook]
fn none() {}

#[hook("start", "stop", "start")]
fn twice() {}

const NAME: &str = "start";

#[hook(NAME, 1)]
fn not_a_literal() {}

fn main() {}
