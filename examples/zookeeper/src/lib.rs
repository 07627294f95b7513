//! Apache ZooKeeper: every unit is a member of the ensemble, from when it joins until it departs.
//!
//! The handlers are in the order in which they run. Each does one thing and is safe to repeat: what it writes depends on what
//! is now, not on what has changed.

mod server;

use std::rc::Rc;

use zkpeer_core::interfaces::zookeeper::Address;
use zkpeer_core::interfaces::zookeeper_namespace::Made;
use zkpeer_core::{
    Action, Charm, CharmDir, Config, Flags, HookEvent, Kv, Leader, Network, Port, Ports, Resource, Result, Status,
    Unit, ZookeeperClients, ZookeeperNamespaces, ZookeeperPeers, action, hook, when, when_not,
};

pub use crate::server::{CLIENT_PORT, Files, Member, Server, Settings};

/// The charm: all handlers that are linked, and the server by its files in the charm's directory.
#[must_use]
pub fn charm() -> Charm {
    Charm::new().resource_from::<dyn Server>(|context| {
        let charm_dir: CharmDir = context.ask_for()?;
        Ok(Rc::new(Files::new(charm_dir.join("zookeeper"))))
    })
}

/// The unit gets its place in the ensemble.
///
/// # Errors
///
/// If the server cannot be changed.
#[when_not("zookeeper.installed")]
pub fn install(server: Resource<dyn Server>, unit: Unit, status: Status, flags: Flags) -> Result {
    status.maintenance("installing")?;
    server.install(server::id_of(unit.name()))?;
    flags.set("zookeeper.installed");
    Ok(())
}

/// Juju runs this hook when an option has changed, and when this unit's own address has (contract 3.2).
#[hook("config-changed")]
pub fn address(flags: Flags) {
    flags.clear("zookeeper.configured");
}

/// The server's own part: its settings, and its line in the membership.
///
/// # Errors
///
/// If the server cannot be changed.
#[when("zookeeper.installed")]
#[when_not("zookeeper.configured")]
pub fn configure(
    zkpeer: ZookeeperPeers,
    server: Resource<dyn Server>,
    config: Config,
    unit: Unit,
    network: Network,
    status: Status,
    flags: Flags,
) -> Result {
    let Some(address) = network.ingress_address(zkpeer.endpoint().name())? else {
        status.waiting("for an address")?;
        return Ok(());
    };
    server.configure(&config.all::<Settings>()?)?;
    server.set_own(Member { id: server::id_of(unit.name()), address })?;
    flags.set("zookeeper.configured");
    flags.clear("zookeeper.reported");
    Ok(())
}

/// The server may run from here on.
///
/// # Errors
///
/// If the server cannot be changed.
#[when("zookeeper.installed", "zookeeper.configured")]
#[when_not("zookeeper.started")]
pub fn start(server: Resource<dyn Server>, ports: Ports, flags: Flags) -> Result {
    server.order("start")?;
    ports.open(Port::tcp(CLIENT_PORT));
    flags.set("zookeeper.started");
    Ok(())
}

/// Peers have joined.
///
/// # Errors
///
/// If the server cannot be changed.
#[when("zookeeper.installed", "zkpeer.joined")]
pub fn quorum_add(zkpeer: ZookeeperPeers, server: Resource<dyn Server>, flags: Flags) -> Result {
    server.set_peers(&zkpeer.get_nodes()?)?;
    zkpeer.dismiss_joined();
    flags.clear("zookeeper.reported");
    Ok(())
}

/// Peers have departed.
///
/// # Errors
///
/// If the server cannot be changed.
#[when("zookeeper.installed", "zkpeer.departed")]
pub fn quorum_remove(zkpeer: ZookeeperPeers, server: Resource<dyn Server>, flags: Flags) -> Result {
    server.set_peers(&zkpeer.get_nodes()?)?;
    zkpeer.dismiss_departed();
    flags.clear("zookeeper.reported");
    Ok(())
}

/// Peers have other addresses.
///
/// # Errors
///
/// If the server cannot be changed.
#[when("zookeeper.installed", "zkpeer.changed")]
pub fn quorum_update(zkpeer: ZookeeperPeers, server: Resource<dyn Server>, flags: Flags) -> Result {
    server.set_peers(&zkpeer.get_nodes()?)?;
    zkpeer.dismiss_changed();
    flags.clear("zookeeper.reported");
    Ok(())
}

/// The leader may have ordered a restart. Juju tells that its settings have changed, but not to a unit that has just been elected
/// itself, nor to the leader; and under Juju 4, where they are in the peer relation, that the application's databag has. The
/// leader looks when a peer tells that it has followed: up to Juju 3.6 an order is known to all even if the action failed
/// after it. (To wait for `leadership.changed.restart_nonce` would do as well, and ask Juju in every hook.)
///
/// # Errors
///
/// If Juju refuses.
#[hook("leader-settings-changed", "leader-elected", "{peers:zookeeper-quorum}-relation-changed")]
pub fn restart_ordered(leader: Leader, kv: Kv, flags: Flags) -> Result {
    let nonce = leader.get("restart_nonce")?;
    if nonce.is_some() && nonce != kv.get("zookeeper.restart-nonce")? {
        kv.set("zookeeper.restart-nonce", &nonce)?;
        flags.set("zookeeper.restart-ordered");
    }
    Ok(())
}

/// The server is restarted as soon as it runs, and the other units are told. Not in the action itself: that is not run again if it
/// fails, and then there has been no order, but a restart.
///
/// # Errors
///
/// If the server cannot be changed, or Juju refuses.
#[when("zookeeper.started", "zookeeper.restart-ordered")]
pub fn restart(
    event: HookEvent,
    zkpeer: ZookeeperPeers,
    server: Resource<dyn Server>,
    leader: Leader,
    flags: Flags,
) -> Result {
    if event.action().is_some() {
        return Ok(());
    }
    let nonce = leader.get("restart_nonce")?.unwrap_or_default();
    server.order(&format!("restart {nonce}"))?;
    zkpeer.inform_restart()?;
    flags.clear("zookeeper.restart-ordered");
    Ok(())
}

/// Clients learn where this unit's server is, and of the leader where all are.
///
/// # Errors
///
/// If the server cannot be asked, or Juju refuses.
#[when("zookeeper.started", "endpoint.client.joined")]
pub fn serve_clients(client: ZookeeperClients, server: Resource<dyn Server>, leader: Leader) -> Result {
    let address = |member: Member| Address { host: member.address, port: CLIENT_PORT };
    if let Some(own) = server.own()? {
        client.publish_server(&address(own))?;
    }
    if leader.is_leader()? {
        let members: Vec<Address> = server.members()?.into_iter().map(address).collect();
        client.publish_ensemble(&members)?;
    }
    Ok(())
}

/// Clients have asked for namespaces.
///
/// # Errors
///
/// If the server cannot be changed, or Juju refuses.
#[when("zookeeper.started", "endpoint.namespaces.new_requests")]
pub fn make_namespaces(namespaces: ZookeeperNamespaces, server: Resource<dyn Server>) -> Result {
    for request in namespaces.new_requests()? {
        let namespace = request.fields()?;
        let refused = namespace.fault();
        if refused.is_none() {
            server.add_namespace(&namespace.path)?;
        }
        request.respond(&Made { path: namespace.path, refused: refused.map(str::to_owned) })?;
    }
    Ok(())
}

/// What operators see: the quorum as this unit sees it.
///
/// # Errors
///
/// If Juju refuses.
#[when("zookeeper.started")]
#[when_not("zookeeper.reported")]
pub fn status(server: Resource<dyn Server>, status: Status, flags: Flags) -> Result {
    status.active(&message(&server.members()?))?;
    flags.set("zookeeper.reported");
    Ok(())
}

fn message(members: &[Member]) -> String {
    let ids: Vec<String> = members.iter().map(|member| member.id.to_string()).collect();
    let hint = match members.len() {
        0..3 => "; fewer than 3 tolerate no failure",
        even if even % 2 == 0 => "; an odd number is better",
        _ => "",
    };
    format!("ready, quorum of {}: {}{hint}", members.len(), ids.join(" "))
}

/// The action `quorum`.
///
/// # Errors
///
/// If Juju refuses, or the server cannot be asked.
#[action("quorum")]
pub fn show_quorum(action: Action, zkpeer: ZookeeperPeers, server: Resource<dyn Server>) -> Result {
    for member in server.members()? {
        action.set(&format!("members.{}", member.id), &member.address);
    }
    let restarted: Vec<String> = zkpeer.restarted_nodes()?.iter().map(|node| node.unit.to_string()).collect();
    action.set("restarted", &restarted.join(" "));
    Ok(())
}

/// The action `restart`: orders are numbered, so that none is like an earlier one.
///
/// # Errors
///
/// If Juju refuses.
#[action("restart")]
pub fn order_restart(action: Action, leader: Leader, kv: Kv, flags: Flags) -> Result {
    if !leader.is_leader()? {
        action.fail("only the leader orders a restart: run it on zookeeper/leader");
        return Ok(());
    }
    let last = leader.get("restart_nonce")?.and_then(|nonce| nonce.parse::<u64>().ok()).unwrap_or_default();
    let nonce = (last + 1).to_string();
    leader.set("restart_nonce", &nonce)?;
    // The leader follows its own order in its next hook: up to Juju 3.6 nobody tells it what it has set itself.
    kv.set("zookeeper.restart-nonce", &nonce)?;
    flags.set("zookeeper.restart-ordered");
    action.set("nonce", &nonce);
    Ok(())
}
