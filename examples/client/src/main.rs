//! A client of Apache ZooKeeper: it asks for a namespace, and writes down how to reach the ensemble.

use std::fs;
use std::process::ExitCode;

use zkpeer_core::interfaces::zookeeper::connect_string;
use zkpeer_core::{
    CharmDir, Flags, Result, Status, Unit, Zookeeper, ZookeeperNamespace, allow_finding, when, when_not,
};

/// Each application of clients has a namespace of its own, named after it.
#[when("endpoint.namespace.joined")]
fn ask(namespace: ZookeeperNamespace, unit: Unit) -> Result {
    namespace.ask(&format!("/{}", unit.name().application()))?;
    Ok(())
}

/// Written again in every hook; the same file if nothing has changed.
#[when("zookeeper.available", "endpoint.namespace.all_responses", "endpoint.namespace.has_responses")]
#[allow_finding(never_read = "client.connected", reason = "for who looks at the unit: its story, and operators")]
fn connect(
    zookeeper: Zookeeper,
    namespace: ZookeeperNamespace,
    directory: CharmDir,
    status: Status,
    flags: Flags,
) -> Result {
    let made = namespace.made()?;
    if let Some(refused) = made.iter().find_map(|made| made.refused.as_ref()) {
        status.blocked(&format!("the servers refuse a namespace: {refused}"))?;
        return Ok(());
    }
    let Some(made) = made.first() else { return Ok(()) };
    let connect = format!("{}{}", connect_string(&zookeeper.servers()?), made.path);
    fs::write(directory.join("connect"), format!("{connect}\n"))?;
    zookeeper.dismiss_changed();
    flags.set("client.connected");
    status.active(&connect)?;
    Ok(())
}

#[when_not("zookeeper.available")]
fn wants_servers(status: Status, flags: Flags) -> Result {
    flags.clear("client.connected");
    status.blocked("relate it to zookeeper")?;
    Ok(())
}

#[when("zookeeper.available")]
#[when_not("endpoint.namespace.has_responses")]
fn wants_namespace(status: Status, flags: Flags) -> Result {
    flags.clear("client.connected");
    status.waiting("for a namespace")?;
    Ok(())
}

fn main() -> ExitCode {
    zkpeer_core::main()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test may panic")]

    use zkpeer_core::Charm;
    use zkpeer_core::testing::{Unit, check};

    #[test]
    fn is_in_order() {
        check(&Charm::new(), env!("CARGO_MANIFEST_DIR"));
    }

    fn unit() -> Unit {
        Unit::of(Charm::new()).charm(env!("CARGO_MANIFEST_DIR"))
    }

    fn status(unit: &Unit) -> String {
        unit.commands().into_iter().rfind(|command| command.starts_with("status-set")).unwrap_or_default()
    }

    /// The id of the request that the unit has made.
    fn request(unit: &Unit) -> String {
        let published = unit.published("namespace:2");
        published.keys().find_map(|key| key.strip_prefix("request_")).unwrap().to_owned()
    }

    fn with_servers() -> Unit {
        let mut unit = unit();
        unit.run("install");
        assert_eq!(status(&unit), "status-set blocked relate it to zookeeper");
        unit.set_member("zookeeper:1", "zookeeper/0", &[("host", "10.0.0.4"), ("port", "2181")]);
        unit.run_relation("zookeeper-relation-joined", "zookeeper:1", "zookeeper/0");
        assert_eq!(status(&unit), "status-set waiting for a namespace");
        unit.set_member("namespace:2", "zookeeper/0", &[]);
        unit.run_relation("namespace-relation-joined", "namespace:2", "zookeeper/0");
        unit
    }

    #[test]
    fn connects_once_it_knows_servers_and_has_a_namespace() {
        let mut unit = with_servers();
        let answer = format!("response_{}", request(&unit));
        unit.set_member("namespace:2", "zookeeper/0", &[(&answer, r#"{"path": "/app", "refused": null}"#)]);
        unit.run_relation("namespace-relation-changed", "namespace:2", "zookeeper/0");
        assert_eq!(status(&unit), "status-set active 10.0.0.4:2181/app");
        // All servers, as soon as the leader tells of them.
        let servers = r#"[{"host": "10.0.0.4", "port": 2181}, {"host": "fd00::5", "port": 2181}]"#;
        unit.set_application_bag("zookeeper:1", "zookeeper", &[("servers", servers)]);
        unit.run_relation("zookeeper-relation-changed", "zookeeper:1", "zookeeper/0");
        assert_eq!(status(&unit), "status-set active 10.0.0.4:2181,[fd00::5]:2181/app");
    }

    #[test]
    fn says_why_the_servers_refuse() {
        let mut unit = with_servers();
        let answer = format!("response_{}", request(&unit));
        unit.set_member("namespace:2", "zookeeper/0", &[(&answer, r#"{"path": "/app", "refused": "no room"}"#)]);
        unit.run_relation("namespace-relation-changed", "namespace:2", "zookeeper/0");
        assert_eq!(status(&unit), "status-set blocked the servers refuse a namespace: no room");
    }
}
