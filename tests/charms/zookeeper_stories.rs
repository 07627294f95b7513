//! The charm `zookeeper` as the stories tell it: its own handlers, and some beside them by which a story disturbs it.

use std::fs;
use std::process::ExitCode;

use serde_json::{Value, json};
use zkpeer_core::interfaces::zookeeper_quorum::{self, Node};
use zkpeer_core::{
    Action, CharmDir, Flags, Resource, Result, Status, Unit, ZookeeperPeers, allow_finding, handlers, sets, when,
    when_not,
};
use zookeeper::Server;

/// The charm's own, which waits while there is a file `hold-install`.
#[when_not("zookeeper.installed")]
#[sets("zookeeper.installed")]
fn install(dir: CharmDir, server: Resource<dyn Server>, unit: Unit, status: Status, flags: Flags) -> Result {
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

/// So that these flags are watched, and compared.
#[when("zookeeper.installed", "leadership.changed.restart_nonce")]
fn nonce_changed() {}

/// Fails so many times as the file `stumble` says; not in actions, as what they set would stay in Python (F5).
#[when("zookeeper.installed")]
fn stumble(dir: CharmDir, action: Option<Action>) -> Result {
    let file = dir.join("stumble");
    let left: u32 = fs::read_to_string(&file).unwrap_or_default().trim().parse().unwrap_or(0);
    if left == 0 || action.is_some() {
        return Ok(());
    }
    fs::write(file, (left - 1).to_string())?;
    Err("stumbled, as the file `stumble` says".into())
}

/// Does what each line of the file `probe` says, the name of a method with what it is given, and writes what came of them to `probed`.
#[when_not("stories.never")]
#[allow_finding(never_set = "stories.never", reason = "it runs in every hook")]
fn probe(dir: CharmDir, zkpeer: ZookeeperPeers) -> Result {
    let Ok(text) = fs::read_to_string(dir.join("probe")) else { return Ok(()) };
    let answers = text.lines().map(|line| ask(&zkpeer, line)).collect::<Result<Vec<Value>>>()?;
    fs::write(dir.join("probed"), Value::from(answers).to_string())?;
    Ok(())
}

fn ask(zkpeer: &ZookeeperPeers, method: &str) -> Result<Value> {
    let nodes = |nodes: Vec<Node>| nodes.iter().map(|node| json!([node.unit.as_str(), node.address])).collect();
    Ok(match method {
        "get_nodes" => nodes(zkpeer.get_nodes()?),
        "joined_nodes" => nodes(zkpeer.joined_nodes()?),
        "departed_nodes" => {
            zkpeer.departed_nodes()?.iter().map(|node| json!([node.unit.as_str(), node.address])).collect()
        }
        "restarted_nodes" => nodes(zkpeer.restarted_nodes()?),
        "inform_restart" => json!(zkpeer.inform_restart()?),
        "set_zk_leader" => json!(zkpeer.set_zk_leader(true)?),
        "set_zk_leader no" => json!(zkpeer.set_zk_leader(false)?),
        "find_zk_leader" => {
            zkpeer.find_zk_leader()?.map_or(Value::Null, |node| json!([node.unit.as_str(), node.address]))
        }
        "is_leaving" => json!(zkpeer.is_leaving()),
        other => return Err(format!("`{other}` is no method of the interface").into()),
    })
}

fn main() -> ExitCode {
    // In place of all that are linked; in the order of rule 10 those of this program come last.
    let handlers = handlers![
        zookeeper_quorum::created,
        zookeeper_quorum::joined,
        zookeeper_quorum::changed,
        zookeeper_quorum::departed,
        zookeeper_quorum::departed_untold,
        zookeeper::address,
        zookeeper::configure,
        zookeeper::start,
        zookeeper::quorum_add,
        zookeeper::quorum_remove,
        zookeeper::quorum_update,
        zookeeper::restart_ordered,
        zookeeper::restart,
        zookeeper::status,
        zookeeper::show_quorum,
        zookeeper::order_restart,
        install,
        watcher_joined,
        watcher_departed,
        watcher_changed,
        nonce_changed,
        stumble,
        probe,
    ];
    zookeeper::charm().handlers(handlers).main()
}
