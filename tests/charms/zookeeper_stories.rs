//! The charm `zookeeper` as the stories tell it: its own handlers, and some beside them by which a story disturbs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use zkpeer_core::interfaces::zookeeper_quorum;
use zkpeer_core::{
    Action, Charm, CharmDir, Flags, Leader, Port, Ports, Result, Status, Unit, ZookeeperPeers, action, handlers, hook,
    when, when_not,
};

fn data(dir: &CharmDir) -> PathBuf {
    dir.join("data")
}

fn members(dir: &CharmDir) -> BTreeMap<u32, String> {
    let text = fs::read_to_string(data(dir).join("zoo.cfg.dynamic")).unwrap_or_default();
    let parse = |line: &str| {
        let (n, rest) = line.strip_prefix("server.")?.split_once('=')?;
        Some((n.parse().ok()?, rest.split(':').next()?.to_owned()))
    };
    text.lines().filter_map(parse).collect()
}

fn write(dir: &CharmDir, all: &BTreeMap<u32, String>) -> Result {
    fs::create_dir_all(data(dir))?;
    let text: String = all.iter().map(|(n, a)| format!("server.{n}={a}:2888:3888:participant;2181\n")).collect();
    fs::write(data(dir).join("zoo.cfg.dynamic"), text)?;
    Ok(())
}

fn want(dir: &CharmDir, unit: &Unit, peers: &ZookeeperPeers) -> Result {
    let mut all: BTreeMap<u32, String> =
        peers.get_nodes()?.into_iter().map(|node| (node.unit.number() as u32 + 1, node.address)).collect();
    all.insert(unit.name().number() as u32 + 1, unit.private_address()?);
    write(dir, &all)
}

#[hook("config-changed")]
fn address(flags: Flags) {
    flags.clear("zookeeper.configured");
}

#[when("zookeeper.installed")]
#[when_not("zookeeper.configured")]
fn configure(flags: Flags, dir: CharmDir, unit: Unit) -> Result {
    let mut all = members(&dir);
    all.insert(unit.name().number() as u32 + 1, unit.private_address()?);
    write(&dir, &all)?;
    flags.set("zookeeper.configured");
    Ok(())
}

#[when("zookeeper.installed", "zookeeper.configured")]
#[when_not("zookeeper.started")]
fn start(flags: Flags, ports: Ports) {
    ports.open(Port::tcp(2181));
    flags.set("zookeeper.started");
}

#[when("zookeeper.installed", "zkpeer.joined")]
fn quorum_add(zkpeer: ZookeeperPeers, dir: CharmDir, unit: Unit) -> Result {
    want(&dir, &unit, &zkpeer)?;
    zkpeer.dismiss_joined();
    Ok(())
}

#[when("zookeeper.installed", "zkpeer.departed")]
fn quorum_remove(zkpeer: ZookeeperPeers, dir: CharmDir, unit: Unit) -> Result {
    want(&dir, &unit, &zkpeer)?;
    zkpeer.dismiss_departed();
    Ok(())
}

#[when("zookeeper.installed", "zkpeer.changed")]
fn quorum_update(zkpeer: ZookeeperPeers, dir: CharmDir, unit: Unit) -> Result {
    want(&dir, &unit, &zkpeer)?;
    zkpeer.dismiss_changed();
    Ok(())
}

#[action("restart")]
fn ask_for_restart(leader: Leader, action: Action) -> Result {
    if !leader.is_leader()? {
        action.fail("only the leader can ask for a restart");
        return Ok(());
    }
    let nonce = leader.get("restart_nonce")?.and_then(|nonce| nonce.parse::<u64>().ok()).unwrap_or(0) + 1;
    leader.set("restart_nonce", &nonce.to_string())?;
    Ok(())
}

#[when("zookeeper.started", "leadership.changed.restart_nonce")]
fn restart(zkpeer: ZookeeperPeers) -> Result {
    zkpeer.inform_restart()?;
    Ok(())
}

#[when("zookeeper.started")]
fn status(status: Status, dir: CharmDir) -> Result {
    let units = members(&dir).len();
    let hint = match units {
        0..=2 => ": less than 3 is suboptimal",
        _ if units % 2 == 0 => ": even number is suboptimal",
        _ => "",
    };
    status.active(&format!("ready ({units} units){hint}"))?;
    Ok(())
}

/// Waits while there is a file `hold-install`.
#[when_not("zookeeper.installed")]
fn install(flags: Flags, status: Status, dir: CharmDir, unit: Unit) -> Result {
    if dir.join("hold-install").exists() {
        return Ok(());
    }
    status.maintenance("installing ZooKeeper")?;
    fs::create_dir_all(data(&dir))?;
    fs::write(data(&dir).join("myid"), format!("{}\n", unit.name().number() + 1))?;
    flags.set("zookeeper.installed");
    Ok(())
}

/// The second endpoint of the same interface.
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
    Charm::new()
        .handlers(&handlers![
            zookeeper_quorum::joined,
            zookeeper_quorum::changed,
            zookeeper_quorum::departed,
            address,
            configure,
            start,
            quorum_add,
            quorum_remove,
            quorum_update,
            ask_for_restart,
            restart,
            status,
            install,
            watcher_joined,
            watcher_departed,
            watcher_changed,
            stumble,
        ])
        .main()
}
