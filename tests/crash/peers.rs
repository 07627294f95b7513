//! `ZookeeperPeers` alone, with handlers that write down what it tells.

use std::collections::BTreeMap;
use std::rc::Rc;

use tempfile::TempDir;
use zkpeer_core::interfaces::zookeeper_quorum;
use zkpeer_core::testing::{Application, CrashError, Doing, Error, Fake, Fakes, Model, explore_crashes};
use zkpeer_core::{Charm, Resource, Result, ZookeeperPeers, action, handlers, when};

use crate::{VERSIONS, survives};

/// Who the peers are, as a unit was last told.
struct Peers(Fake<BTreeMap<String, String>>);

fn fake(fakes: &mut Fakes) {
    let peers = fakes.state(BTreeMap::new());
    fakes.resource_as(Rc::new(Peers(peers)));
}

fn write_down(peers: &Peers, zkpeer: &ZookeeperPeers) -> Result {
    let nodes = zkpeer.get_nodes()?;
    peers.0.change(|peers| *peers = nodes.iter().map(|node| (node.unit.to_string(), node.address.clone())).collect());
    Ok(())
}

#[when("zkpeer.joined")]
fn joined(zkpeer: ZookeeperPeers, peers: Resource<Peers>) -> Result {
    write_down(&peers, &zkpeer)?;
    zkpeer.dismiss_joined();
    Ok(())
}

#[when("zkpeer.departed")]
fn departed(zkpeer: ZookeeperPeers, peers: Resource<Peers>) -> Result {
    write_down(&peers, &zkpeer)?;
    zkpeer.dismiss_departed();
    Ok(())
}

#[when("zkpeer.changed")]
fn changed(zkpeer: ZookeeperPeers, peers: Resource<Peers>) -> Result {
    write_down(&peers, &zkpeer)?;
    zkpeer.dismiss_changed();
    Ok(())
}

#[action("lead")]
fn lead(zkpeer: ZookeeperPeers) -> Result {
    zkpeer.set_zk_leader(true)?;
    Ok(())
}

fn model(juju: &str, units: u64) -> std::result::Result<(TempDir, Model), Error> {
    let directory = tempfile::tempdir().unwrap();
    let metadata = "name: zk\nsummary: s\ndescription: d\npeers:\n  zkpeer: {interface: zookeeper-quorum}\n";
    std::fs::write(directory.path().join("metadata.yaml"), metadata).unwrap();
    std::fs::write(directory.path().join("actions.yaml"), "lead: {}\n").unwrap();
    let bases = "bases: [{name: ubuntu, channel: '24.04', architectures: [amd64]}]\n";
    std::fs::write(directory.path().join("manifest.yaml"), bases).unwrap();
    let charm = Charm::new().handlers(handlers![
        zookeeper_quorum::created,
        zookeeper_quorum::joined,
        zookeeper_quorum::changed,
        zookeeper_quorum::departed,
        zookeeper_quorum::departed_untold,
        joined,
        departed,
        changed,
        lead,
    ]);
    let mut model = Model::juju(juju)?;
    model.deploy(Application::new(directory.path()).in_process(charm).fake(fake).units(units))?;
    Ok((directory, model))
}

#[test]
fn peers_survive_each_instant() -> std::result::Result<(), CrashError> {
    for juju in VERSIONS {
        let (_directory, model) = model(juju, 3)?;
        let crashes = explore_crashes(model)
            .afterwards(Doing::run_action("zk/1", "lead"))
            .afterwards(Doing::set_address("zk/0", "10.9.9.9"))
            .afterwards(Doing::remove_unit("zk/1"))
            .afterwards(Doing::add_unit("zk"));
        survives(&format!("ZookeeperPeers, Juju {juju}"), crashes)?;
    }
    Ok(())
}

#[test]
fn peers_survive_each_instant_while_hooks_overlap() -> std::result::Result<(), CrashError> {
    let (_directory, model) = model("3.6.25", 3)?;
    let crashes = explore_crashes(model).afterwards(Doing::remove_unit("zk/2")).afterwards(Doing::remove_unit("zk/0"));
    survives("ZookeeperPeers, hooks overlapping", crashes.seeds(1..5))
}
