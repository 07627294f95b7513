//! The charm of the suite `takeover`, the like of the one in `takeover/python`: each handler notes that it has run, and what
//! it was told.

use std::fs::{self, File};
use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::{Value, json};
use zkpeer_core::metadata::Role;
use zkpeer_core::{
    Charm, CharmDir, Config, Conversation, Endpoint, Flags, Interface, Kv, Leader, Result, Scope, handlers, hook,
    only_once, when, when_file_changed, when_not,
};

fn note(dir: &CharmDir, handler: &str, told: impl Serialize) -> Result {
    let mut file = File::options().create(true).append(true).open(dir.join("calls"))?;
    // In one write: a kill leaves a whole line, or none.
    file.write_all(format!("{}\n", json!([handler, told])).as_bytes())?;
    Ok(())
}

struct Ring(Endpoint);

impl Interface for Ring {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "keeper-ring";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

impl Ring {
    /// The units that have the flag, each with its number.
    fn units(&self, flag: &str) -> Result<Vec<Value>> {
        let unit = |conversation: &Conversation| {
            Ok(json!([conversation.scope(), conversation.get_local::<Option<u32>>("number")?]))
        };
        self.0.conversations_in(flag)?.iter().map(unit).collect()
    }
}

struct Site(Endpoint);

impl Interface for Site {
    const ROLE: Role = Role::Provides;
    const NAME: &'static str = "keeper-site";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

/// Units with their names.
fn names(units: zkpeer_core::Units) -> Result<Vec<Value>> {
    units.iter().map(|unit| Ok(json!([unit.name().as_str(), unit.received()?.get::<String>("name")?]))).collect()
}

struct Store(Endpoint);

impl Interface for Store {
    const ROLE: Role = Role::Requires;
    const NAME: &'static str = "keeper-store";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

#[hook("{peers:keeper-ring}-relation-joined")]
fn ring_joined(ring: Ring, dir: CharmDir) -> Result {
    let Some(peer) = ring.0.conversation(Scope::Unit)? else { return Ok(()) };
    note(&dir, "ring_joined", peer.scope())?;
    let number: Option<u32> = peer.scope().split('/').nth(1).and_then(|number| number.parse().ok());
    peer.set_local("number", &number)?;
    peer.clear_flag("{relation_name}.departed");
    peer.set_flag("{relation_name}.joined");
    Ok(())
}

#[hook("{peers:keeper-ring}-relation-departed")]
fn ring_departed(ring: Ring, dir: CharmDir) -> Result {
    let Some(peer) = ring.0.conversation(Scope::Unit)? else { return Ok(()) };
    note(&dir, "ring_departed", peer.scope())?;
    peer.clear_flag("{relation_name}.joined");
    peer.set_flag("{relation_name}.departed");
    Ok(())
}

#[when("endpoint.{endpoint_name}.joined")]
fn serve(site: Site, config: Config, dir: CharmDir) -> Result {
    let port: Option<u16> = config.get("port")?;
    note(&dir, "serve", port)?;
    for relation in site.0.relations()? {
        relation.publish("port", &port)?;
    }
    Ok(())
}

#[when("endpoint.{endpoint_name}.changed.name")]
fn named(site: Site, flags: Flags, dir: CharmDir) -> Result {
    note(&dir, "named", names(site.0.all_joined_units()?)?)?;
    flags.clear(site.0.flag("endpoint.{endpoint_name}.changed.name"));
    Ok(())
}

#[when("endpoint.{endpoint_name}.departed")]
fn gone(_site: Site, dir: CharmDir) -> Result {
    note(&dir, "gone", ())
}

#[hook("{requires:keeper-store}-relation-{joined,changed}")]
fn store_changed(store: Store, dir: CharmDir) -> Result {
    let Some(conversation) = store.0.conversation(Scope::Global)? else { return Ok(()) };
    let uri = conversation.get_remote("uri")?;
    note(&dir, "store_changed", &uri)?;
    if uri.is_some() {
        conversation.set_flag("{relation_name}.available");
    }
    Ok(())
}

#[when_not("keeper.installed")]
fn install(flags: Flags, dir: CharmDir) -> Result {
    flags.set("keeper.installed");
    note(&dir, "install", ())
}

#[only_once(was = "reactive/keeper.py:20:introduce")]
#[when("keeper.installed")]
fn introduce(dir: CharmDir) -> Result {
    note(&dir, "introduce", ())
}

#[only_once(was = "reactive/keeper.py:26:greet")]
#[when("config.set.greet")]
fn greet(dir: CharmDir) -> Result {
    note(&dir, "greet", ())
}

#[when_file_changed("rules.txt")]
fn rules_changed(dir: CharmDir) -> Result {
    note(&dir, "rules_changed", fs::read_to_string(dir.join("rules.txt"))?)
}

#[when("config.changed")]
fn any_option(dir: CharmDir) -> Result {
    note(&dir, "any_option", ())
}

#[when("config.changed.word")]
fn word_changed(config: Config, dir: CharmDir) -> Result {
    note(&dir, "word_changed", config.get::<String>("word")?)
}

#[when("config.set.note")]
fn has_note(config: Config, dir: CharmDir) -> Result {
    note(&dir, "has_note", config.get::<String>("note")?)
}

#[when("leadership.is_leader", "config.changed.word")]
fn order(config: Config, leader: Leader, dir: CharmDir) -> Result {
    let word: String = config.get("word")?.unwrap_or_default();
    note(&dir, "order", &word)?;
    // At once, as in Python: a failure of the hook does not take it back.
    leader.set_now("word", &word)?;
    Ok(())
}

#[when("leadership.changed.word")]
fn ordered(leader: Leader, dir: CharmDir) -> Result {
    note(&dir, "ordered", leader.get("word")?)
}

#[when("{relation_name}.joined", "config.set.tidy")]
fn meet(ring: Ring, dir: CharmDir) -> Result {
    note(&dir, "meet", ring.units("{relation_name}.joined")?)?;
    ring.0.clear_flag("{relation_name}.joined");
    Ok(())
}

#[when("{relation_name}.departed", "config.set.tidy")]
fn part(ring: Ring, dir: CharmDir) -> Result {
    note(&dir, "part", ring.units("{relation_name}.departed")?)?;
    ring.0.clear_flag("{relation_name}.departed");
    Ok(())
}

#[when("config.set.tidy")]
fn sweep(site: Site, dir: CharmDir) -> Result {
    let departed = names(site.0.all_departed_units()?)?;
    note(&dir, "sweep", &departed)?;
    if !departed.is_empty() {
        site.0.clear_departed_units()?;
    }
    Ok(())
}

#[when("{relation_name}.available")]
fn use_store(store: Store, kv: Kv, dir: CharmDir) -> Result {
    for conversation in store.0.conversations_in("{relation_name}.available")? {
        let uri = conversation.get_remote("uri")?;
        note(&dir, "use_store", &uri)?;
        if kv.data_changed("keeper.uri", &uri)? {
            note(&dir, "new_store", &uri)?;
        }
    }
    Ok(())
}

#[when("keeper.installed")]
fn stumble(dir: CharmDir) -> Result {
    if dir.join("stumble").exists() { Err("there is a file `stumble`".into()) } else { Ok(()) }
}

fn main() -> ExitCode {
    let handlers = handlers![
        ring_joined,
        ring_departed,
        serve,
        named,
        gone,
        store_changed,
        install,
        introduce,
        greet,
        rules_changed,
        any_option,
        word_changed,
        has_note,
        order,
        ordered,
        meet,
        part,
        sweep,
        use_store,
        stumble,
    ];
    Charm::new().handlers(handlers).may_go_back_to_python().main()
}
