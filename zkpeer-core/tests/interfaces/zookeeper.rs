//! The interface `zookeeper`, both sides.

use zkpeer_core::interfaces::zookeeper::{self, Address, connect_string};
use zkpeer_core::testing::Unit;
use zkpeer_core::{Kv, Leader, Result, Zookeeper, ZookeeperClients, handlers, when};

const METADATA: &str = "name: a\nprovides: {client: {interface: zookeeper}}\nrequires: {zk: {interface: zookeeper}}\n";

#[when("endpoint.client.joined")]
fn serve(client: ZookeeperClients, leader: Leader) -> Result {
    let own = Address { host: "10.0.0.1".to_owned(), port: 2181 };
    client.publish_server(&own)?;
    if leader.is_leader()? {
        client.publish_ensemble(&[own, Address { host: "fd00::2".to_owned(), port: 2182 }])?;
    }
    Ok(())
}

#[when("zk.available", "zk.changed")]
fn connect(zk: Zookeeper, kv: Kv) -> Result {
    kv.set("servers", &connect_string(&zk.servers()?))?;
    zk.dismiss_changed();
    Ok(())
}

fn client() -> Unit {
    Unit::new(handlers![zookeeper::look, connect]).metadata(METADATA)
}

#[test]
fn a_server_tells_its_place_and_the_leader_tells_all() {
    let mut unit = Unit::new(handlers![serve]).metadata(METADATA);
    unit.set_member("client:1", "app-b/0", &[]);
    unit.run_relation("client-relation-joined", "client:1", "app-b/0");
    let published = unit.published("client:1");
    assert_eq!((published["host"].as_str(), published["port"].as_str()), ("10.0.0.1", "2181"));
    assert!(unit.published_app("client:1").is_empty());
    unit.set_leader(true);
    unit.run("leader-elected");
    let servers = r#"[{"host": "10.0.0.1", "port": 2181}, {"host": "fd00::2", "port": 2182}]"#;
    assert_eq!(unit.published_app("client:1")["servers"], servers);
}

#[test]
fn a_client_takes_what_the_units_say_until_the_leader_tells() {
    let mut unit = client();
    unit.set_member("zk:1", "server/0", &[]);
    unit.run_relation("zk-relation-joined", "zk:1", "server/0");
    assert!(!unit.is_set("zk.available"));
    unit.set_member("zk:1", "server/0", &[("host", "10.0.0.4"), ("port", "2181"), ("rest_port", "9998")]);
    unit.run_relation("zk-relation-changed", "zk:1", "server/0");
    assert!(unit.is_set("zk.available"));
    assert_eq!(unit.stored()["servers"], "\"10.0.0.4:2181\"");
    unit.set_application_bag("zk:1", "server", &[("servers", r#"[{"host": "fd00::2", "port": 2182}]"#)]);
    unit.run_relation("zk-relation-changed", "zk:1", "server/0");
    assert_eq!(unit.stored()["servers"], "\"[fd00::2]:2182\"");
}

#[test]
fn changed_is_told_once_for_each_change_and_available_ends_with_the_relation() {
    let mut unit = client();
    unit.set_member("zk:1", "server/0", &[("host", "10.0.0.4"), ("port", "2181")]);
    let report = unit.run_relation("zk-relation-joined", "zk:1", "server/0");
    assert_eq!(report.handlers(), ["look", "connect"]);
    let report = unit.run_relation("zk-relation-changed", "zk:1", "server/0");
    assert_eq!(report.handlers(), ["look"]);
    unit.remove_member("zk:1", "server/0");
    unit.run_relation("zk-relation-departed", "zk:1", "server/0");
    assert!(!unit.is_set("zk.available") && unit.is_set("zk.changed"));
}

#[test]
fn a_list_that_is_none_is_an_error_that_names_it() {
    let mut unit = client();
    unit.set_member("zk:1", "server/0", &[]);
    unit.set_application_bag("zk:1", "server", &[("servers", r#"[{"host": "a", "port": 99999}]"#)]);
    let error = unit.try_run_relation("zk-relation-joined", "zk:1", "server/0").error.unwrap();
    for part in ["server", "zk:1", "`servers`", "99999"] {
        assert!(error.contains(part), "{part} in {error}");
    }
}
