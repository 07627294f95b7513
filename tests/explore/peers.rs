//! `ZookeeperPeers` in every order: who joins and who leaves, leadership that moves, commits that are refused, hooks that are killed.

use std::collections::BTreeMap;
use std::error::Error;

use zkpeer_core::interfaces::zookeeper_quorum::{self as quorum, Node};
use zkpeer_core::testing::{Application, Doing, Explore, Fake, Model, explore};
use zkpeer_core::{Charm, Flags, Resource, Result, Status, ZookeeperPeers, handlers, when, when_not};

/// The smallest charm with a quorum: each unit keeps the addresses of its peers.
struct Ensemble(Fake<BTreeMap<String, String>>);

impl Ensemble {
    fn set(&self, nodes: &[Node]) {
        let members = nodes.iter().map(|node| (node.unit.to_string(), node.address.clone()));
        let members: BTreeMap<String, String> = members.collect();
        if self.0.read(|known| *known != members) {
            self.0.change(|known| *known = members);
        }
    }
}

#[when("zkpeer.joined")]
fn add(zkpeer: ZookeeperPeers, ensemble: Resource<Ensemble>, flags: Flags) -> Result {
    ensemble.set(&zkpeer.get_nodes()?);
    zkpeer.dismiss_joined();
    flags.clear("reported");
    Ok(())
}

#[when("zkpeer.departed")]
fn remove(zkpeer: ZookeeperPeers, ensemble: Resource<Ensemble>, flags: Flags) -> Result {
    ensemble.set(&zkpeer.get_nodes()?);
    zkpeer.dismiss_departed();
    flags.clear("reported");
    Ok(())
}

#[when("zkpeer.changed")]
fn update(zkpeer: ZookeeperPeers, ensemble: Resource<Ensemble>, flags: Flags) -> Result {
    ensemble.set(&zkpeer.get_nodes()?);
    zkpeer.dismiss_changed();
    flags.clear("reported");
    Ok(())
}

#[when_not("reported")]
fn report(ensemble: Resource<Ensemble>, status: Status, flags: Flags) -> Result {
    let members = ensemble.0.read(|members| members.keys().cloned().collect::<Vec<_>>().join(" "));
    status.active(&format!("peers: {members}"))?;
    flags.set("reported");
    Ok(())
}

fn application(units: u64) -> Application {
    let charm = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/zookeeper");
    Application::new(charm)
        .in_process(Charm::new().handlers(handlers![
            quorum::created,
            quorum::joined,
            quorum::changed,
            quorum::departed,
            quorum::departed_untold,
            add,
            remove,
            update,
            report
        ]))
        .fake(|fakes| {
            let members = fakes.state(BTreeMap::new());
            fakes.resource(Ensemble(members));
        })
        .units(units)
}

fn model(units: u64) -> Result<Model, Box<dyn Error>> {
    let mut model = Model::new();
    model.deploy(application(units))?;
    Ok(model)
}

/// What a unit knows of its peers.
fn known(model: &Model, unit: &str) -> BTreeMap<String, String> {
    model.fake(unit).unwrap_or_default()
}

/// Everybody who stays knows exactly the others.
fn knows_the_others(model: &Model) -> Result<(), String> {
    let units = model.units();
    for unit in &units {
        let others: Vec<&str> = units.iter().filter(|other| *other != unit).map(|other| other.as_str()).collect();
        let known = known(model, unit.as_str());
        if known.keys().map(String::as_str).collect::<Vec<_>>() != others {
            return Err(format!("{unit} knows {known:?}, and there are {units:?}"));
        }
    }
    Ok(())
}

/// Who is known is known by an address that is its own.
fn own_addresses(model: &Model) -> Result<(), String> {
    for unit in model.units() {
        for (peer, address) in known(model, unit.as_str()) {
            let published = model.unit_data(0, &peer);
            if published.get("ingress-address").is_some_and(|own| *own != address) {
                return Err(format!("{unit} knows {peer} as {address}, and it is {published:?}"));
            }
        }
    }
    Ok(())
}

/// No peer has joined and departed at once.
fn joined_or_departed(model: &Model) -> Result<(), String> {
    for unit in model.units() {
        let stored = model.stored(unit.as_str());
        let of_flag = |flag: &str| -> Vec<String> {
            let stored = stored.get(&format!("reactive.states.zkpeer.{flag}"));
            let value: serde_json::Value = stored.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
            serde_json::from_value(value["conversations"].clone()).unwrap_or_default()
        };
        let departed = of_flag("departed");
        if let Some(both) = of_flag("joined").into_iter().find(|conversation| departed.contains(conversation)) {
            return Err(format!("on {unit}: {both}"));
        }
    }
    Ok(())
}

fn judged(exploration: Explore) -> Explore {
    exploration
        .once_quiet("everybody knows exactly the others", knows_the_others)
        .always("a peer is known by its own address", own_addresses)
        .always("nobody has joined and departed at once", joined_or_departed)
}

#[test]
fn two_units_join() -> Result<(), Box<dyn Error>> {
    let explored = judged(explore(model(2)?)).run()?;
    println!("{explored}");
    Ok(())
}

#[test]
fn three_units_join_and_one_leaves() -> Result<(), Box<dyn Error>> {
    let explored = judged(explore(model(3)?)).at_any_time(Doing::remove_unit("zookeeper/2")).run()?;
    println!("{explored}");
    Ok(())
}

#[test]
fn three_units_join_while_leadership_moves() -> Result<(), Box<dyn Error>> {
    println!("{}", judged(explore(model(3)?)).leadership_moves(1).run()?);
    Ok(())
}

#[test]
fn two_units_join_while_leadership_moves_commits_are_refused_and_hooks_are_killed() -> Result<(), Box<dyn Error>> {
    let exploration = judged(explore(model(2)?)).leadership_moves(1).refused_commits(1).kills(1).update_status(1);
    println!("{}", exploration.run()?);
    Ok(())
}

/// Five units, two of which come later and two go; everything that may go wrong does, twice.
fn five_units(seed: u64, stories: u32) -> Result<(), Box<dyn Error>> {
    let exploration = judged(explore(model(3)?))
        .at_any_time(Doing::add_unit("zookeeper"))
        .afterwards(Doing::add_unit("zookeeper"))
        .at_any_time(Doing::remove_unit("zookeeper/1"))
        .afterwards(Doing::remove_unit("zookeeper/3"))
        .leadership_moves(2)
        .refused_commits(2)
        .kills(2)
        .update_status(2)
        .seed(seed);
    println!("{}", exploration.walk(stories)?);
    Ok(())
}

// 20,000 stories, on two cores.

#[test]
fn five_units_come_and_go_in_ten_thousand_random_stories() -> Result<(), Box<dyn Error>> {
    five_units(1, 10_000)
}

#[test]
fn five_units_come_and_go_in_ten_thousand_others() -> Result<(), Box<dyn Error>> {
    five_units(2, 10_000)
}
