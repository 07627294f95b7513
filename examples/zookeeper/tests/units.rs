//! One unit in this process, and a few of them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod server;

use std::fs;

use zkpeer_core::testing::{Application, Error, Hook, Model, Unit, check};
use zookeeper::{Files, Server};

use crate::server::ServerState;

const CHARM: &str = env!("CARGO_MANIFEST_DIR");

fn unit() -> Unit {
    Unit::of(zookeeper::charm()).charm(CHARM)
}

fn file(unit: &Unit, name: &str) -> String {
    fs::read_to_string(unit.charm_dir().join("zookeeper").join(name)).unwrap()
}

#[test]
fn no_flag_is_misspelt_and_every_handler_can_run() {
    check(&zookeeper::charm(), CHARM);
}

#[test]
fn a_unit_alone_is_an_ensemble_of_one() {
    let mut unit = unit();
    assert_eq!(unit.run("install").handlers(), ["install", "configure", "start", "status"]);
    assert_eq!(file(&unit, "data/myid"), "1\n");
    assert_eq!(file(&unit, "zoo.cfg.dynamic"), "server.1=10.0.0.1:2888:3888:participant;2181\n");
    assert!(file(&unit, "zoo.cfg").starts_with("tickTime=2000\n"));
    let status = "status-set active ready, quorum of 1: 1; fewer than 3 tolerate no failure";
    assert!(unit.commands().contains(&status.to_owned()), "{:?}", unit.commands());
    assert!(unit.run("update-status").handlers().is_empty(), "nothing is due");
}

#[test]
fn an_option_is_in_the_settings_after_its_hook() {
    let mut unit = unit();
    unit.run("install");
    unit.set_config("tick-time", 500);
    unit.run("config-changed");
    assert!(file(&unit, "zoo.cfg").starts_with("tickTime=500\n"));
}

#[test]
fn a_unit_that_is_no_leader_cannot_order_a_restart() {
    let mut unit = unit();
    unit.run_action("restart", &[]);
    assert!(unit.commands().iter().any(|command| command.starts_with("action-fail")));
}

/// The membership as a unit has written it.
fn members(model: &Model, unit: &str) -> String {
    fs::read_to_string(model.charm_dir(unit).unwrap().join("zookeeper/zoo.cfg.dynamic")).unwrap()
}

#[test]
fn until_its_address_is_known_a_unit_waits_and_is_nobodys_member() -> Result<(), Error> {
    let mut model = Model::new();
    model.deploy(Application::new(CHARM).in_process(zookeeper::charm()).units(2))?;
    model.remove_address("zookeeper/1")?;
    model.settle()?;
    assert_eq!(model.status("zookeeper/1").message, "for an address");
    assert!(!members(&model, "zookeeper/0").contains("server.2"));
    model.set_address("zookeeper/1", "10.9.9.9")?;
    model.settle()?;
    for unit in ["zookeeper/0", "zookeeper/1"] {
        assert!(members(&model, unit).contains("server.2=10.9.9.9:"), "{unit}: {}", members(&model, unit));
    }
    Ok(())
}

#[test]
fn every_unit_follows_an_order_to_restart_once_also_one_that_comes_later() -> Result<(), Error> {
    for version in ["2.9.52", "3.6.25", "4.0.14"] {
        let mut model = Model::juju(version)?;
        model.deploy(Application::new(CHARM).in_process(zookeeper::charm()).units(2))?;
        model.settle()?;
        model.run_action("zookeeper/0", "restart", &[])?;
        let mut runs = model.settle()?;
        model.add_unit("zookeeper")?;
        runs.extend(model.settle()?);
        for unit in ["zookeeper/0", "zookeeper/1", "zookeeper/2"] {
            let hooks = runs.iter().filter(|run| run.unit == unit && !matches!(run.hook, Hook::Action { .. }));
            let reports = hooks.filter_map(|run| run.report.as_ref());
            let handlers: Vec<&str> = reports.flat_map(|report| report.handlers()).collect();
            assert_eq!(handlers.iter().filter(|handler| **handler == "restart").count(), 1, "{unit}, {version}");
            let order = fs::read_to_string(model.charm_dir(unit).unwrap().join("zookeeper/order")).unwrap();
            assert_eq!(order, "restart 1\n", "{unit}, {version}");
        }
    }
    Ok(())
}

#[test]
fn a_unit_that_is_elected_before_it_is_told_of_an_order_follows_it() -> Result<(), Error> {
    let mut model = Model::new();
    model.deploy(Application::new(CHARM).in_process(zookeeper::charm()).units(1))?;
    model.settle()?;
    model.run_action("zookeeper/0", "restart", &[])?;
    model.settle()?;
    assert!(!model.unit_data(0, "zookeeper/0").contains_key("restarted.1"), "it follows in its next hook");
    model.remove_unit("zookeeper/0")?;
    model.add_unit("zookeeper")?;
    model.hold("zookeeper/0")?;
    model.set_leader("zookeeper/1")?;
    let runs = model.settle()?;
    assert!(runs.iter().any(|run| run.to_string() == "leader-elected"), "it leads from the first");
    assert!(!runs.iter().any(|run| run.to_string() == "leader-settings-changed"), "so it is not told");
    assert_eq!(model.unit_data(0, "zookeeper/1").get("restarted.1").map(String::as_str), Some("True"));
    Ok(())
}

#[test]
fn a_server_that_is_data_is_told_the_same_as_one_of_files() -> Result<(), Error> {
    let application = || Application::new(CHARM).in_process(zookeeper::charm()).units(3);
    let mut files = Model::new();
    files.deploy(application())?;
    files.settle()?;
    let mut data = Model::new();
    data.deploy(application().fake(server::fake))?;
    data.settle()?;
    for unit in ["zookeeper/0", "zookeeper/1", "zookeeper/2"] {
        let server: ServerState = data.fake(unit).unwrap();
        let told = Files::new(files.charm_dir(unit).unwrap().join("zookeeper"));
        assert_eq!((server.id.unwrap(), &server.members), (told.id().unwrap(), &told.members().unwrap()), "{unit}");
        assert_eq!(server.order.as_deref(), Some("start"));
        assert!(server.settings.is_some() && server.namespaces.is_empty());
        assert!(!data.charm_dir(unit).unwrap().join("zookeeper").exists(), "nothing is written");
    }
    Ok(())
}
