//! The charm my-charm: its units greet in their status, and know of each other.
//!
//! Juju starts this program for every hook, with the charm's directory as the working directory. It
//! runs the handlers whose flags are set, again and again until no flag changes any longer. If one
//! fails, nothing that the hook did is kept, and Juju runs the hook again.

use std::process::ExitCode;

use zkpeer_core::juju::{BagOwner, Side};
use zkpeer_core::metadata::Role;
use zkpeer_core::{Action, Config, Endpoint, Flags, Interface, Log, Result, Status};
use zkpeer_core::{action, hook, when, when_any, when_not};

// A handler is a function, with parameters of any of the types that the page of `FromContext` lists.
// Flags are the charm's memory: this handler runs in the first hook, and never again.
#[when_not("my-charm.installed")]
fn install(flags: Flags, status: Status, log: Log) -> Result {
    status.maintenance("installing")?;
    log.info("here a real charm would install what it runs");
    flags.set("my-charm.installed");
    Ok(())
}

// Attributes of one handler must all hold. `config.changed.OPTION` is set by itself, in the hook that
// brings another value. `{endpoint_name}` stands for the endpoint in metadata.yaml that has the
// interface of the parameter `cluster`.
#[when("my-charm.installed")]
#[when_any("config.changed.greeting", "{endpoint_name}.changed")]
fn greet(config: Config, cluster: Cluster, flags: Flags, status: Status) -> Result {
    let greeting: String = config.get("greeting")?.unwrap_or_default();
    let others = cluster.ready_units()?;
    if greeting.is_empty() {
        status.blocked("set the option `greeting`")?;
    } else if others.is_empty() {
        status.active(&greeting)?;
    } else {
        status.active(&format!("{greeting}, also from {}", others.join(", ")))?;
    }
    // What is done is said by clearing the flag.
    flags.clear(cluster.endpoint.flag("{endpoint_name}.changed"));
    Ok(())
}

// Its parameters are described in actions.yaml.
#[action("greet")]
fn greet_somebody(action: Action, config: Config) -> Result {
    let greeting: String = config.get("greeting")?.unwrap_or_default();
    let name: String = action.get("name")?.unwrap_or_default();
    action.set("greeting", &format!("{greeting}, {name}"));
    Ok(())
}

/// What the units of this application tell each other, over their peer relation.
struct Cluster {
    endpoint: Endpoint,
}

impl Interface for Cluster {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "my-charm-cluster";

    fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

impl Cluster {
    /// Tells the other units, once this hook has succeeded.
    fn say(&self, key: &str, value: &str) -> Result {
        for relation in self.endpoint.relations()? {
            self.endpoint.publish(&relation, Side::Unit, key, value)?;
        }
        Ok(())
    }

    /// The names of the other units that have said that they are ready.
    fn ready_units(&self) -> Result<Vec<String>> {
        let mut ready = Vec::new();
        for relation in self.endpoint.relations()? {
            for unit in self.endpoint.members(&relation)? {
                let bag = self.endpoint.bag(&relation, BagOwner::Unit(unit.clone()))?;
                if bag.get("ready").is_some_and(|ready| ready == "true") {
                    ready.push(unit.to_string());
                }
            }
        }
        Ok(ready)
    }
}

// Handlers of hooks run before those of flags. Of relations they make flags. This one runs when the
// unit enters the relation, after it was installed.
#[hook("{peers:my-charm-cluster}-relation-created")]
fn introduce(cluster: Cluster) -> Result {
    cluster.say("ready", "true")
}

#[hook("{peers:my-charm-cluster}-relation-{joined,changed,departed}")]
fn notice(cluster: Cluster, flags: Flags) {
    flags.set(cluster.endpoint.flag("{endpoint_name}.changed"));
}

fn main() -> ExitCode {
    zkpeer_core::main()
}

// One unit, in this process: each hook is run by hand. A hook that fails makes the test fail.
#[cfg(test)]
mod tests {
    use zkpeer_core::Charm;
    use zkpeer_core::testing::Unit;

    fn unit() -> Unit {
        Unit::of(Charm::new()).charm(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn is_installed_once() {
        let mut unit = unit();
        let report = unit.run("install");
        assert_eq!(report.handlers(), ["install", "greet[cluster]"]);
        assert!(unit.run("update-status").handlers().is_empty());
    }

    #[test]
    fn greets_with_those_that_are_ready() {
        let mut unit = unit();
        unit.run("install");
        unit.set_member("cluster:0", "app/1", &[("ready", "true")]);
        unit.set_member("cluster:0", "app/2", &[]);
        unit.run_relation("cluster-relation-changed", "cluster:0", "app/1");
        let status = "status-set active hello, also from app/1";
        assert!(unit.commands().contains(&status.to_owned()));
        assert!(!unit.is_set("cluster.changed"));
    }
}
