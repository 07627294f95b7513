//! Ten handlers, one of them due in each hook: it counts itself and says so; those of peers also read and publish.

use zkpeer_core::metadata::Role;
use zkpeer_core::{Endpoint, HandlerDef, Interface, Kv, Result, Scope, Status, handlers, hook};

/// The handlers; those of the interfaces that come with the library are not among them.
pub(crate) const HANDLERS: &[&HandlerDef] = handlers![
    install,
    leader_elected,
    config_changed,
    start,
    joined,
    changed,
    departed,
    update_status,
    upgrade_charm,
    stop
];

/// The keys under which they count themselves.
pub(crate) const NAMES: [&str; 10] = [
    "install",
    "leader_elected",
    "config_changed",
    "start",
    "joined",
    "changed",
    "departed",
    "update_status",
    "upgrade_charm",
    "stop",
];

struct Quorum(Endpoint);

impl Interface for Quorum {
    const ROLE: Role = Role::Peers;
    const NAME: &str = "zookeeper-quorum";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

fn count(name: &str, kv: &Kv, status: &Status) -> Result {
    let times = kv.get::<u32>(name)?.unwrap_or(0) + 1;
    kv.set(name, &times)?;
    status.active(&format!("{name} {times}"))?;
    Ok(())
}

/// Publishes the addresses of all peers that were met.
fn meet(quorum: &Quorum, kv: &Kv) -> Result {
    let Some(peer) = quorum.0.conversation(Scope::Unit)? else { return Ok(()) };
    let mut met: Vec<String> = kv.get("met")?.unwrap_or_default();
    met.extend(peer.get_remote("ingress-address")?.filter(|address| !met.contains(address)));
    kv.set("met", &met)?;
    peer.set_remote("met", &met.join(" "))?;
    Ok(())
}

#[hook("install")]
fn install(kv: Kv, status: Status) -> Result {
    count("install", &kv, &status)
}

#[hook("leader-elected")]
fn leader_elected(kv: Kv, status: Status) -> Result {
    count("leader_elected", &kv, &status)
}

#[hook("config-changed")]
fn config_changed(kv: Kv, status: Status) -> Result {
    count("config_changed", &kv, &status)
}

#[hook("start")]
fn start(kv: Kv, status: Status) -> Result {
    count("start", &kv, &status)
}

#[hook("{peers:zookeeper-quorum}-relation-joined")]
fn joined(quorum: Quorum, kv: Kv, status: Status) -> Result {
    meet(&quorum, &kv)?;
    count("joined", &kv, &status)
}

#[hook("{peers:zookeeper-quorum}-relation-changed")]
fn changed(quorum: Quorum, kv: Kv, status: Status) -> Result {
    meet(&quorum, &kv)?;
    count("changed", &kv, &status)
}

#[hook("{peers:zookeeper-quorum}-relation-departed")]
fn departed(kv: Kv, status: Status) -> Result {
    count("departed", &kv, &status)
}

#[hook("update-status")]
fn update_status(kv: Kv, status: Status) -> Result {
    count("update_status", &kv, &status)
}

#[hook("upgrade-charm")]
fn upgrade_charm(kv: Kv, status: Status) -> Result {
    count("upgrade_charm", &kv, &status)
}

#[hook("stop")]
fn stop(kv: Kv, status: Status) -> Result {
    count("stop", &kv, &status)
}
