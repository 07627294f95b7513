//! The charm my-charm: its units greet in their status, and know of each other.
//!
//! Juju starts this program for every hook, with the charm's directory as the working directory. It
//! runs the handlers whose flags are set, again and again until no flag changes any longer. If one
//! fails, nothing that the hook did is kept, and Juju runs the hook again.

use std::process::ExitCode;

use zkpeer_core::metadata::Role;
use zkpeer_core::{Action, Config, Endpoint, Flags, Interface, Log, Result, Status};
use zkpeer_core::{action, when, when_any, when_not};

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
// brings another value, and so are an endpoint's flags `joined`, `changed` and `departed`.
// `{endpoint_name}` stands for the endpoint in metadata.yaml that has the interface of the parameter
// `cluster`.
#[when("my-charm.installed")]
#[when_any(
    "config.changed.greeting",
    "endpoint.{endpoint_name}.changed",
    "endpoint.{endpoint_name}.departed"
)]
fn greet(config: Config, cluster: Cluster, status: Status) -> Result {
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
    cluster.endpoint.clear_flag("endpoint.{endpoint_name}.changed");
    cluster.endpoint.clear_flag("endpoint.{endpoint_name}.departed");
    cluster.endpoint.clear_departed_units()?;
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
    /// The names of the other units that have said that they are ready.
    fn ready_units(&self) -> Result<Vec<String>> {
        let mut ready = Vec::new();
        for unit in &self.endpoint.all_joined_units()? {
            if unit.received()?.get("ready")?.unwrap_or(false) {
                ready.push(unit.name().to_string());
            }
        }
        Ok(ready)
    }
}

// What is published goes to the other units once this hook has succeeded, and only if it is not what
// they know already.
#[when("my-charm.installed", "endpoint.{endpoint_name}.joined")]
fn introduce(cluster: Cluster) -> Result {
    for relation in cluster.endpoint.relations()? {
        relation.publish("ready", &true)?;
    }
    Ok(())
}

fn main() -> ExitCode {
    zkpeer_core::main()
}

// One unit, in this process: `on` runs one hook on a copy of it. An assertion that does not hold prints
// all that the hook did, and why other handlers did not run.
#[cfg(test)]
mod tests {
    use zkpeer_core::Charm;
    use zkpeer_core::testing::{Application, Doing, ExploreError, Model, Unit, check, event, explore};

    fn unit() -> Unit {
        Unit::of(Charm::new()).charm(env!("CARGO_MANIFEST_DIR"))
    }

    // No flag is misspelt, and every handler can run; `cargo zkpeer check .` says the same.
    #[test]
    fn is_in_order() {
        check(&Charm::new(), env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn is_installed_once() {
        let run = unit().on("install");
        run.assert_ran(["install", "greet[cluster]"]).assert_status("active", "hello");
        run.unit().on("update-status").assert_ran([]);
    }

    #[test]
    fn greets_with_those_that_are_ready() {
        let mut unit = unit().after("install");
        unit.set_member("cluster:0", "my-charm/1", &[("ready", "true")]);
        unit.set_member("cluster:0", "my-charm/2", &[]);
        let run = unit.on(event::changed("cluster:0", "my-charm/1"));
        run.assert_status("active", "hello, also from my-charm/1");
        run.assert_published("cluster:0", [("ready", "true")]);
        run.assert_no_flag("endpoint.cluster.changed");
    }

    // Two units, in every order of their hooks that Juju permits; what does not hold is shown by the shortest story.
    #[test]
    fn greets_with_its_peer_in_every_order_of_events() -> Result<(), ExploreError> {
        let mut model = Model::new();
        model.deploy(Application::new(env!("CARGO_MANIFEST_DIR")).in_process(Charm::new()).units(2))?;
        explore(model)
            .at_any_time(Doing::set_config("my-charm", "greeting", "good day"))
            .once_quiet("both greet", |model| {
                let greets = |unit: &str, other: &str| {
                    model.status(unit).message == format!("good day, also from {other}")
                };
                greets("my-charm/0", "my-charm/1") && greets("my-charm/1", "my-charm/0")
            })
            .run()?;
        Ok(())
    }
}
