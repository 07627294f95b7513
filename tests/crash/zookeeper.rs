//! The charms of the examples, the servers being data.

use zkpeer_core::testing::{Application, CrashError, Crashes, Doing, Error, Model, explore_crashes};
use zkpeer_core::{Charm, handlers};

use crate::charm::servers;
use crate::server::{self, ServerState};
use crate::{VERSIONS, survives};

const ZOOKEEPER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/zookeeper");
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/client");

fn clients() -> Charm {
    let handlers = handlers![client::ask, client::connect, client::wants_servers, client::wants_namespace];
    client::charm().handlers(handlers)
}

fn ensemble(juju: &str, units: u64) -> Result<Model, Error> {
    let mut model = Model::juju(juju)?;
    model.deploy(Application::new(ZOOKEEPER).in_process(servers()).fake(server::fake).units(units))?;
    Ok(model)
}

/// The life of three units.
fn life(juju: &str) -> Result<Crashes, Error> {
    Ok(explore_crashes(ensemble(juju, 3)?)
        .afterwards(Doing::set_config("zookeeper", "tick-time", 500.0))
        .afterwards(Doing::run_action("zookeeper/0", "restart"))
        .afterwards(Doing::run_action("zookeeper/1", "quorum"))
        .afterwards(Doing::set_address("zookeeper/1", "10.9.9.9"))
        .afterwards(Doing::other("leadership moves", |model| model.set_leader("zookeeper/1")))
        .afterwards(Doing::remove_unit("zookeeper/2"))
        .afterwards(Doing::remove_unit("zookeeper/1"))
        .afterwards(Doing::add_unit("zookeeper")))
}

#[test]
fn an_ensemble_survives_each_instant_on_every_juju() -> Result<(), CrashError> {
    for juju in VERSIONS {
        survives(&format!("zookeeper, Juju {juju}"), life(juju)?)?;
    }
    Ok(())
}

#[test]
fn an_ensemble_survives_each_instant_while_hooks_overlap() -> Result<(), CrashError> {
    survives("zookeeper, hooks overlapping", life("3.6.25")?.seeds(1..3))
}

#[test]
fn an_ensemble_survives_two_kills_in_a_row() -> Result<(), CrashError> {
    survives("zookeeper, killed twice", life("3.6.25")?.kills(2))
}

#[test]
fn servers_and_clients_survive_each_instant() -> Result<(), CrashError> {
    for juju in VERSIONS {
        let mut model = ensemble(juju, 2)?;
        model.deploy(Application::new(CLIENT).in_process(clients()).units(2))?;
        model.relate("zookeeper:client", "client:zookeeper")?;
        let crashes = explore_crashes(model)
            .afterwards(Doing::relate("zookeeper:namespaces", "client:namespace"))
            .afterwards(Doing::remove_unit("zookeeper/1"))
            .afterwards(Doing::remove_relation("zookeeper:client", "client:zookeeper"));
        survives(&format!("zookeeper and client, Juju {juju}"), crashes)?;
    }
    Ok(())
}

#[test]
fn what_is_told_is_what_there_is() -> Result<(), Error> {
    let mut model = ensemble("3.6.25", 3)?;
    model.settle()?;
    let server: ServerState = model.fake("zookeeper/2").unwrap();
    let ids: Vec<u64> = server.members.iter().map(|member| member.id).collect();
    assert_eq!((server.id, ids, server.order.as_deref()), (Some(3), vec![1, 2, 3], Some("start")));
    assert!(server.settings.is_some() && server.namespaces.is_empty());
    Ok(())
}
