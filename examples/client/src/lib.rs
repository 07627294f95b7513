//! A client of Apache ZooKeeper: it asks for a namespace, and writes down how to reach the ensemble.

use std::fs;

use zkpeer_core::interfaces::zookeeper::connect_string;
use zkpeer_core::{
    Charm, CharmDir, Flags, Result, Status, Unit, Zookeeper, ZookeeperNamespace, allow_finding, when, when_not,
};

/// The charm: all handlers that are linked.
#[must_use]
pub fn charm() -> Charm {
    Charm::new()
}

/// Each application of clients has a namespace of its own, named after it.
///
/// # Errors
///
/// If Juju refuses.
#[when("endpoint.namespace.joined")]
pub fn ask(namespace: ZookeeperNamespace, unit: Unit) -> Result {
    namespace.ask(&format!("/{}", unit.name().application()))?;
    Ok(())
}

/// Written again in every hook; the same file if nothing has changed.
///
/// # Errors
///
/// If the file cannot be written, or Juju refuses.
#[when("zookeeper.available", "endpoint.namespace.all_responses", "endpoint.namespace.has_responses")]
#[allow_finding(never_read = "client.connected", reason = "for who looks at the unit: its story, and operators")]
pub fn connect(
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

/// Without servers there is nothing to connect to.
///
/// # Errors
///
/// If Juju refuses.
#[when_not("zookeeper.available")]
pub fn wants_servers(status: Status, flags: Flags) -> Result {
    flags.clear("client.connected");
    status.blocked("relate it to zookeeper")?;
    Ok(())
}

/// The servers have not made the namespace yet.
///
/// # Errors
///
/// If Juju refuses.
#[when("zookeeper.available")]
#[when_not("endpoint.namespace.has_responses")]
pub fn wants_namespace(status: Status, flags: Flags) -> Result {
    flags.clear("client.connected");
    status.waiting("for a namespace")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use zkpeer_core::Charm;
    use zkpeer_core::testing::{Unit, check, event};

    #[test]
    fn is_in_order() {
        check(&Charm::new(), env!("CARGO_MANIFEST_DIR"));
    }

    /// A unit that knows a server, and has asked for a namespace; and the key under which it waits for the answer.
    fn with_servers() -> (Unit, String) {
        let unit = Unit::of(Charm::new()).charm(env!("CARGO_MANIFEST_DIR"));
        let run = unit.on("install");
        run.assert_status("blocked", "relate it to zookeeper");
        let mut unit = run.into_unit();
        unit.set_member("zookeeper:1", "zookeeper/0", &[("host", "10.0.0.4"), ("port", "2181")]);
        let run = unit.on(event::joined("zookeeper:1", "zookeeper/0"));
        run.assert_status("waiting", "for a namespace");
        let unit = run.into_unit().after(event::joined("namespace:2", "zookeeper/0"));
        let asked =
            unit.published("namespace:2").into_keys().find_map(|key| Some(key.strip_prefix("request_")?.to_owned()));
        (unit, format!("response_{}", asked.unwrap_or_default()))
    }

    #[test]
    fn connects_once_it_knows_servers_and_has_a_namespace() {
        let (mut unit, answer) = with_servers();
        unit.set_member("namespace:2", "zookeeper/0", &[(&answer, r#"{"path": "/app", "refused": null}"#)]);
        let run = unit.on(event::changed("namespace:2", "zookeeper/0"));
        run.assert_status("active", "10.0.0.4:2181/app");
        // All servers, as soon as the leader tells of them.
        let mut unit = run.into_unit();
        let servers = r#"[{"host": "10.0.0.4", "port": 2181}, {"host": "fd00::5", "port": 2181}]"#;
        unit.set_application_bag("zookeeper:1", "zookeeper", &[("servers", servers)]);
        let run = unit.on(event::application_changed("zookeeper:1"));
        run.assert_status("active", "10.0.0.4:2181,[fd00::5]:2181/app");
    }

    #[test]
    fn says_why_the_servers_refuse() {
        let (mut unit, answer) = with_servers();
        unit.set_member("namespace:2", "zookeeper/0", &[(&answer, r#"{"path": "/app", "refused": "no room"}"#)]);
        let run = unit.on(event::changed("namespace:2", "zookeeper/0"));
        run.assert_status("blocked", "the servers refuse a namespace: no room");
    }
}
