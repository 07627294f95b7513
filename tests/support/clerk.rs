//! The charm `clerk`: it asks and tells Juju as much as a charm may, so that any difference between two Jujus shows.

use zkpeer_core::metadata::Role;
use zkpeer_core::{
    Action, Charm, Config, ControllerState, Endpoint, Flags, HandlerDef, HookEvent, Interface, Kv, Leader, Log,
    Network, Port, Ports, Result, Scope, Status, Unit, action, allow_finding, handlers, hook, only_once, when,
    when_not,
};

/// Its `metadata.yaml`.
pub const METADATA: &str = "\
name: clerk
summary: a charm that writes everything down
description: for tests
peers:
  staff: {interface: staff}
provides:
  desk: {interface: desk}
requires:
  visit: {interface: desk}
";

/// Its `config.yaml`.
pub const CONFIG: &str = "\
options:
  word: {type: string, default: good day}
  port: {type: int, default: 80}
  fail-in: {type: string, default: none}
";

/// Its `actions.yaml`.
pub const ACTIONS: &str = "greet:\n  params:\n    name: {type: string, default: you}\n";

struct Staff(Endpoint);

impl Interface for Staff {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "staff";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

struct Desk(Endpoint);

impl Interface for Desk {
    const ROLE: Role = Role::Provides;
    const NAME: &'static str = "desk";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

#[hook("{peers:staff}-relation-{joined,changed}")]
#[allow_finding(never_read = "{relation_name}.met", reason = "the tests look for it")]
fn meet(staff: Staff, log: Log) -> Result {
    let Some(colleague) = staff.0.conversation(Scope::Unit)? else { return Ok(()) };
    colleague.set_flag("{relation_name}.met");
    colleague.set_local("address", &colleague.get_remote("ingress-address")?)?;
    colleague.set_remote("seen", "yes")?;
    log.info(&format!("{:?} says {:?}", colleague.scope(), colleague.get_remote("word")?));
    Ok(())
}

#[hook("{peers:staff}-relation-departed")]
fn part(staff: Staff) -> Result {
    if let Some(colleague) = staff.0.conversation(Scope::Unit)? {
        colleague.clear_flag("{relation_name}.met");
    }
    Ok(())
}

#[hook("{provides:desk}-relation-joined", "{provides:desk}-relation-changed")]
fn serve(desk: Desk) -> Result {
    for relation in desk.0.relations()? {
        relation.publish("guests", &relation.joined_units()?.len())?;
    }
    Ok(())
}

#[hook("leader-elected")]
fn lead(leader: Leader, staff: Staff, status: Status) -> Result {
    // A hook that failed is run again, also when leadership is gone.
    if !leader.is_leader()? {
        return Ok(());
    }
    leader.set("motto", "in order")?;
    for relation in staff.0.relations()? {
        relation.publish_app_raw("leader", "elected")?;
    }
    status.application().active("led")?;
    Ok(())
}

#[when_not("clerk.installed")]
fn install(flags: Flags, kv: Kv, unit: Unit, status: Status) -> Result {
    flags.set("clerk.installed");
    kv.set("clerk.address", &unit.private_address()?)?;
    status.maintenance("installing")?;
    Ok(())
}

#[only_once]
fn introduce(log: Log, unit: Unit) {
    log.info(&format!("{} was here", unit.name()));
}

#[when("clerk.installed", "config.changed")]
fn configure(config: Config, flags: Flags, state: ControllerState, ports: Ports) -> Result {
    let word: String = config.get("word")?.unwrap_or_default();
    let port: u16 = config.get("port")?.unwrap_or_default();
    state.set("word", &word);
    ports.open(Port::tcp(port));
    flags.set("clerk.configured");
    flags.set("clerk.word.new");
    Ok(())
}

#[when("clerk.word.new")]
fn publish(staff: Staff, config: Config, flags: Flags) -> Result {
    let word: String = config.get("word")?.unwrap_or_default();
    for relation in staff.0.relations()? {
        relation.publish_raw("word", &word)?;
    }
    flags.clear("clerk.word.new");
    Ok(())
}

#[when("clerk.configured")]
fn look(status: Status, leader: Leader, network: Network, staff: Staff, event: HookEvent, config: Config) -> Result {
    let known = staff.0.all_joined_units()?.len();
    let address = network.of_endpoint("staff")?.ingress_addresses.concat();
    let motto = leader.get("motto")?.unwrap_or_default();
    let place = if leader.is_leader()? { "leading" } else { "led" };
    status.active(&format!("{place}, {known} colleagues, at {address}, {motto}"))?;
    let fail_in: String = config.get("fail-in")?.unwrap_or_default();
    if fail_in == event.name() { Err(format!("told to fail in {fail_in}").into()) } else { Ok(()) }
}

#[action("greet")]
fn greet(action: Action, kv: Kv) -> Result {
    let name: String = action.get("name")?.unwrap_or_default();
    let times: u64 = kv.get("clerk.greeted")?.unwrap_or_default();
    kv.set("clerk.greeted", &(times + 1))?;
    if name == "nobody" {
        action.fail("nobody is there");
    }
    action.set("greeting", &format!("good day, {name}, for the {times}. time"));
    Ok(())
}

#[hook("stop")]
fn close(ports: Ports, flags: Flags) {
    ports.close(Port::tcp(80));
    flags.clear("clerk.configured");
}

fn all() -> &'static [&'static HandlerDef] {
    handlers![meet, part, serve, lead, install, introduce, configure, publish, look, greet, close]
}

/// The charm: exactly the handlers of this file.
#[must_use]
pub fn charm() -> Charm {
    Charm::new().handlers(all())
}
