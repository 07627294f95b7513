//! The example charm in every order: its servers list exactly the units that are there, whatever else happens.

use std::error::Error;

use zkpeer_core::testing::{Application, BuiltIn, Doing, Explore, Model, explore};

use crate::charm::servers;
use crate::server::{self, ServerState};

fn model(juju: &str, units: u64) -> Result<Model, Box<dyn Error>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/zookeeper");
    let mut model = Model::juju(juju)?;
    model.deploy(Application::new(directory).in_process(servers()).fake(server::fake).units(units))?;
    Ok(model)
}

/// The ids and addresses that a unit's server has been told.
fn told(model: &Model, unit: &str) -> Vec<(u64, String)> {
    let server: ServerState = model.fake(unit).unwrap_or_default();
    server.members.into_iter().map(|member| (member.id, member.address)).collect()
}

/// Every server lists exactly the units that are there, each with its address.
fn quorum(model: &Model) -> Result<(), String> {
    let units = model.units();
    let address = |unit: &str| model.unit_data(0, unit).get("ingress-address").cloned().unwrap_or_default();
    let mut there: Vec<(u64, String)> = units.iter().map(|unit| (unit.number() + 1, address(unit.as_str()))).collect();
    there.sort();
    for unit in &units {
        let told = told(model, unit.as_str());
        if told != there {
            return Err(format!("{unit} lists {told:?}, and there are {there:?}"));
        }
    }
    Ok(())
}

/// No two members of a server have one address.
fn addresses_are_their_own(model: &Model) -> Result<(), String> {
    for unit in model.units() {
        let mut told = told(model, unit.as_str());
        told.sort_by(|(_, one), (_, other)| one.cmp(other));
        if let Some(pair) = told.windows(2).find(|pair| pair[0].1 == pair[1].1) {
            return Err(format!("{unit} lists {pair:?}"));
        }
    }
    Ok(())
}

/// Everybody has followed the last order of the leader to restart, if there is one.
fn orders_are_followed(model: &Model) -> Result<(), String> {
    let settings = match model.leader_settings("zookeeper") {
        settings if settings.is_empty() => model.app_data(0, "zookeeper"),
        settings => settings,
    };
    let nonce = settings.iter().find(|(key, _)| key.ends_with("restart_nonce")).map(|(_, nonce)| nonce.clone());
    let Some(nonce) = nonce else { return Ok(()) };
    for unit in model.units() {
        let server: ServerState = model.fake(unit.as_str()).unwrap_or_default();
        if server.order != Some(format!("restart {nonce}")) {
            return Err(format!("{unit} has not followed order {nonce}: {:?}", server.order));
        }
    }
    Ok(())
}

/// Whether there is an order depends on who leads when the action runs.
const ORDERS: &str = "only the leader may order a restart, and leadership moves";

fn judged(exploration: Explore) -> Explore {
    exploration
        .once_quiet("every server lists exactly the units that are there", quorum)
        .once_quiet("everybody has followed the order to restart", orders_are_followed)
        .always("members have addresses of their own", addresses_are_their_own)
        .eventually("the first unit runs a server", |model: &Model| {
            model.fake::<ServerState>("zookeeper/0").is_some_and(|server| server.order.is_some())
        })
}

#[test]
fn three_units_join_and_one_leaves() -> Result<(), Box<dyn Error>> {
    let explored = judged(explore(model("3.6.25", 3)?)).at_any_time(Doing::remove_unit("zookeeper/2")).run()?;
    println!("zookeeper, three units and one leaves: {explored}");
    Ok(())
}

#[test]
fn two_units_are_ordered_to_restart_under_every_juju() -> Result<(), Box<dyn Error>> {
    for juju in ["2.9.52", "3.6.25", "4.0.14"] {
        let explored = judged(explore(model(juju, 2)?))
            .at_any_time(Doing::run_action("zookeeper/0", "restart"))
            .leadership_moves(1)
            .without(BuiltIn::SameEnd, ORDERS)
            .run()?;
        println!("zookeeper, an order to restart under {juju}: {explored}");
    }
    Ok(())
}

#[test]
fn a_long_life_in_random_stories_under_every_juju() -> Result<(), Box<dyn Error>> {
    for (seed, juju) in [(1, "2.9.52"), (2, "3.6.25"), (3, "4.0.14")] {
        let explored = judged(explore(model(juju, 3)?))
            .at_any_time(Doing::set_config("zookeeper", "tick-time", 500.0))
            .at_any_time(Doing::run_action("zookeeper/0", "restart"))
            .at_any_time(Doing::set_address("zookeeper/1", "10.9.9.9"))
            .at_any_time(Doing::add_unit("zookeeper"))
            .at_any_time(Doing::remove_unit("zookeeper/2"))
            .leadership_moves(2)
            .refused_commits(2)
            .kills(2)
            .update_status(2)
            .without(BuiltIn::SameEnd, ORDERS)
            .seed(seed)
            .walk(1_000)?;
        println!("zookeeper, a long life under {juju}: {explored}");
    }
    Ok(())
}
