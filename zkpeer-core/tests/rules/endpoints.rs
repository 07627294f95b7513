//! Endpoints in the manner of charms.reactive's `Endpoint`: who is there, what is published, automatic flags (D15, D22 to D25).

use serde::{Deserialize, Serialize};
use zkpeer_core::metadata::Role;
use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Databag, Endpoint, Flags, HookOutcome, Interface, Kv, Result, Setup, Triggers, handlers, hook, only_once, when,
    when_not,
};

const METADATA: &str = "\
name: shop
provides: {site: {interface: http}}
requires: {db: {interface: sql}}
peers: {staff: {interface: staff}}
";

pub(crate) struct Sql(pub(crate) Endpoint);
impl Interface for Sql {
    const ROLE: Role = Role::Requires;
    const NAME: &str = "sql";
    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

struct Http(Endpoint);
impl Interface for Http {
    const ROLE: Role = Role::Provides;
    const NAME: &str = "http";
    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

struct Staff(Endpoint);
impl Interface for Staff {
    const ROLE: Role = Role::Peers;
    const NAME: &str = "staff";
    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
    fn register_triggers(&self, triggers: &Triggers) {
        triggers.when(self.0.flag("endpoint.{endpoint_name}.joined")).set(self.0.flag("{endpoint_name}.met"));
    }
    fn manage_flags(&self) -> Result {
        let flags = Flags::of(self.0.context());
        flags.toggle(self.0.flag("{endpoint_name}.complete"), self.0.all_joined_units()?.len() == 2);
        Ok(())
    }
}

#[when("endpoint.db.joined")]
fn watches(_db: Sql) {}

#[when("endpoint.db.changed.host")]
fn watches_data(_db: Sql) {}

#[when("endpoint.db.departed", "handle")]
fn buries(db: Sql, kv: Kv) -> Result {
    let mut seen = Vec::new();
    for unit in &db.0.all_departed_units()? {
        let host: Option<String> = unit.received()?.get("host")?;
        seen.push((unit.name().to_string(), unit.relation().id().to_string(), host));
    }
    kv.set("buried", &seen)?;
    db.0.clear_departed_units()?;
    db.0.clear_flag("endpoint.{endpoint_name}.departed");
    Ok(())
}

fn joined(unit: &mut Unit, relation: &str, name: &str, bag: &[(&str, &str)]) {
    let (endpoint, _) = relation.split_once(':').unwrap_or_default();
    unit.set_member(relation, name, bag);
    unit.run_relation(&format!("{endpoint}-relation-joined"), relation, name);
}

fn departed(unit: &mut Unit, relation: &str, name: &str) {
    let (endpoint, _) = relation.split_once(':').unwrap_or_default();
    unit.remove_member(relation, name);
    unit.run_relation(&format!("{endpoint}-relation-departed"), relation, name);
}

fn unit() -> Unit {
    Unit::new(handlers![watches, watches_data, buries]).metadata(METADATA)
}

#[test]
fn joined_stands_as_long_as_a_unit_of_any_relation_is_there() {
    let mut unit = unit();
    joined(&mut unit, "db:1", "sql/0", &[]);
    joined(&mut unit, "db:2", "other/0", &[]);
    assert!(unit.is_set("endpoint.db.joined"));
    departed(&mut unit, "db:1", "sql/0");
    assert!(unit.is_set("endpoint.db.joined"));
    departed(&mut unit, "db:2", "other/0");
    assert!(!unit.is_set("endpoint.db.joined"));
}

#[test]
fn changed_names_the_keys_whose_decoded_values_differ() {
    let mut unit = unit();
    joined(&mut unit, "db:1", "sql/0", &[("host", "a"), ("port", "5432")]);
    assert!(unit.is_set("endpoint.db.changed") && unit.is_set("endpoint.db.changed.host"));
    for flag in ["changed", "changed.host", "changed.port"] {
        unit.clear_flag(&format!("endpoint.db.{flag}"));
    }
    // The same value, written differently; and one that goes is no change.
    unit.set_member("db:1", "sql/0", &[("port", " 5432 ")]);
    unit.run_relation("db-relation-changed", "db:1", "sql/0");
    assert!(!unit.is_set("endpoint.db.changed"), "{:?}", unit.flags());
    unit.set_member("db:1", "sql/0", &[("port", "5433")]);
    unit.run_relation("db-relation-changed", "db:1", "sql/0");
    assert!(unit.is_set("endpoint.db.changed.port") && !unit.is_set("endpoint.db.changed.host"));
    let stored = unit.stored();
    // The MD5 of `5433`, which is how Python writes that number.
    assert_eq!(
        stored["reactive.data_changed.endpoint.db.db:1.sql/0.port"], "\"bf25356fd2a6e038f1a3a59c26687e80\"",
        "{stored:?}"
    );
}

// DIFFERENCE D15
#[test]
fn data_is_compared_for_the_unit_that_the_hook_is_about() {
    let mut unit = unit();
    joined(&mut unit, "db:1", "sql/0", &[("host", "a")]);
    unit.clear_flag("endpoint.db.changed");
    unit.set_member("db:1", "sql/0", &[("host", "b")]);
    joined(&mut unit, "db:1", "sql/1", &[]);
    assert!(!unit.is_set("endpoint.db.changed"));
    unit.run("config-changed");
    assert_eq!(unit.commands(), [""; 0]);
    unit.run_relation("db-relation-changed", "db:1", "sql/0");
    assert!(unit.is_set("endpoint.db.changed"));
}

#[test]
fn departed_units_are_kept_with_their_last_data_until_they_are_cleared() {
    let mut unit = unit();
    joined(&mut unit, "db:1", "sql/0", &[("host", "a")]);
    joined(&mut unit, "db:1", "sql/1", &[("host", "b")]);
    departed(&mut unit, "db:1", "sql/0");
    assert!(unit.is_set("endpoint.db.departed"));
    assert_eq!(
        unit.stored()["reactive.endpoints.departed.db"],
        r#"[{"data": {"host": "a"}, "relation": "db:1", "unit_name": "sql/0"}]"#
    );
    // As in charms.reactive (F10) the flag goes when another hook finds somebody joined; the units stay.
    unit.run("update-status");
    assert!(!unit.is_set("endpoint.db.departed"));
    departed(&mut unit, "db:1", "sql/1");
    unit.set_flag("handle");
    unit.run("update-status");
    let buried: Vec<(String, String, Option<String>)> = serde_json::from_str(&unit.stored()["buried"]).unwrap();
    let of = |unit: &str, host: &str| (unit.to_owned(), "db:1".to_owned(), Some(host.to_owned()));
    assert_eq!(buried, [of("sql/0", "a"), of("sql/1", "b")]);
    assert!(!unit.stored().contains_key("reactive.endpoints.departed.db"));
    assert!(!unit.is_set("endpoint.db.departed"));
}

#[when("endpoint.staff.joined")]
fn meets(_staff: Staff) {}

// DIFFERENCE D23
#[test]
fn an_interface_registers_triggers_and_manages_its_flags_in_every_hook() {
    let mut unit = Unit::new(handlers![meets]).metadata(METADATA);
    unit.run("install");
    assert!(!unit.is_set("staff.met"));
    joined(&mut unit, "staff:0", "shop/1", &[]);
    assert!(unit.is_set("staff.met") && !unit.is_set("staff.complete"));
    joined(&mut unit, "staff:0", "shop/2", &[]);
    assert!(unit.is_set("staff.complete"));
    unit.clear_flag("staff.complete");
    unit.run("config-changed");
    assert!(unit.is_set("staff.complete"));
}

// DIFFERENCE D28
#[test]
fn what_nobody_waits_for_is_not_kept() {
    let mut unit = Unit::new(handlers![watches]).metadata(METADATA);
    joined(&mut unit, "db:1", "sql/0", &[("host", "a")]);
    assert_eq!(unit.commands(), [""; 0]);
    departed(&mut unit, "db:1", "sql/0");
    assert_eq!(unit.stored().keys().map(String::as_str).collect::<Vec<_>>(), ["zkpeer.endpoints.db"]);
}

#[when_not("asked")]
fn asks_for_departed(db: Sql) -> Result {
    db.0.all_departed_units()?;
    Ok(())
}

#[test]
fn departed_units_of_an_endpoint_that_nobody_watches_are_refused() {
    let mut unit = Unit::new(handlers![asks_for_departed]).metadata(METADATA);
    let report = unit.try_run("install");
    let error = report.error.unwrap();
    assert!(error.contains("units that depart from `db` are not kept"), "{error}");
}

#[when_not("asked")]
fn asks_by_name(flags: Flags, kv: Kv) -> Result {
    kv.set("was", &flags.is_set("endpoint.db.joined"))?;
    Ok(())
}

#[test]
fn joined_is_right_when_it_is_asked_for_by_name() {
    let mut unit = Unit::new(handlers![asks_by_name]).metadata(METADATA);
    joined(&mut unit, "db:1", "sql/0", &[]);
    assert_eq!(unit.stored()["was"], "true");
    assert!(!unit.is_set("endpoint.db.joined"), "nobody keeps it up");
    departed(&mut unit, "db:1", "sql/0");
    assert_eq!(unit.stored()["was"], "false");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Server {
    host: String,
    client_port: u16,
    replicas: Vec<String>,
    note: Option<String>,
    ratio: f64,
}

#[when("endpoint.db.joined")]
fn reads(db: Sql, kv: Kv) -> Result {
    let units = db.0.all_joined_units()?;
    let server: Server = units[0].received()?.all()?;
    kv.set("server", &server)?;
    kv.set("raw", &units[0].received()?.raw("host"))?;
    kv.set("version", &units[0].received()?.get::<String>("version")?)?;
    let names: Vec<&str> = units.iter().map(|unit| unit.name().as_str()).collect();
    kv.set("names", &names)?;
    kv.set("merged", &units.received()?.get::<String>("host")?)?;
    Ok(())
}

#[test]
fn what_was_received_is_read_value_by_value_as_json_or_as_it_is() {
    let mut unit = Unit::new(handlers![reads]).metadata(METADATA);
    let bag = [
        ("host", "db.example"),
        ("client-port", "5432"),
        ("replicas", r#"["a", "b"]"#),
        ("note", "null"),
        ("ratio", "2"),
        ("version", "2.10"),
    ];
    joined(&mut unit, "db:1", "sql/0", &bag);
    let stored = unit.stored();
    let server: Server = serde_json::from_str(&stored["server"]).unwrap();
    let replicas = vec!["a".to_owned(), "b".to_owned()];
    let expected = Server { host: "db.example".to_owned(), client_port: 5432, replicas, note: None, ratio: 2.0 };
    assert_eq!(server, expected);
    assert_eq!(stored["raw"], "\"db.example\"");
    assert_eq!(stored["version"], "\"2.10\"");
}

// DIFFERENCE D22
#[test]
fn relations_are_in_the_order_of_their_numbers_and_units_in_that_of_their_names() {
    let mut unit = Unit::new(handlers![reads]).metadata(METADATA);
    let bag = |host| [("host", host), ("client-port", "1"), ("replicas", "[]"), ("ratio", "1")];
    for (relation, name) in [("db:10", "sql/0"), ("db:9", "sql/2"), ("db:9", "sql/10")] {
        joined(&mut unit, relation, name, &bag(name));
    }
    let stored = unit.stored();
    assert_eq!(stored["names"], r#"["sql/10", "sql/2", "sql/0"]"#);
    assert_eq!(stored["merged"], "\"sql/10\"");
}

#[test]
fn a_value_that_does_not_decode_is_an_error_for_whom_asks_and_names_all_there_is_to_it() {
    let mut unit = Unit::new(handlers![watches, reads]).metadata(METADATA);
    let long = "x".repeat(100);
    let bag = [("host", "h"), ("client-port", long.as_str()), ("replicas", "[]"), ("ratio", "1")];
    unit.set_member("db:1", "sql/0", &bag);
    let report = unit.try_run_relation("db-relation-joined", "db:1", "sql/0");
    let error = report.error.unwrap();
    for part in ["sql/0", "db:1", "`client-port`", &format!("`{}..`", "x".repeat(60)), "u16"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    // A handler that does not ask runs.
    let mut unit = Unit::new(handlers![watches]).metadata(METADATA);
    joined(&mut unit, "db:1", "sql/0", &bag);
}

#[test]
fn a_key_that_is_missing_is_named() {
    let mut unit = Unit::new(handlers![reads]).metadata(METADATA);
    unit.set_member("db:1", "sql/0", &[("host", "h")]);
    let error = unit.try_run_relation("db-relation-joined", "db:1", "sql/0").error.unwrap();
    assert!(error.contains("missing field `client-port`") && error.contains("sql/0"), "{error}");
}

#[when("endpoint.site.joined")]
fn serves(site: Http, kv: Kv) -> Result {
    for relation in site.0.relations()? {
        relation.publish("port", &80)?;
        relation.publish("names", &["b", "a"])?;
        relation.publish_raw("host", "shop.example")?;
        let published: Databag = relation.published()?;
        kv.set("seen", &published.get::<u16>("port")?)?;
        if kv.get::<bool>("again")? == Some(true) {
            relation.unpublish("host")?;
        }
    }
    Ok(())
}

#[test]
fn what_is_published_is_sent_once_and_only_what_differs() {
    let mut unit = Unit::new(handlers![serves]).metadata(METADATA);
    unit.set_member("site:3", "proxy/0", &[]);
    unit.run_relation("site-relation-joined", "site:3", "proxy/0");
    let sets = |unit: &Unit| unit.commands().iter().filter(|command| command.starts_with("relation-set")).count();
    assert_eq!(sets(&unit), 1);
    assert_eq!(unit.published("site:3")["names"], r#"["b", "a"]"#);
    assert_eq!(unit.published("site:3")["port"], "80");
    assert_eq!(unit.published("site:3")["host"], "shop.example");
    assert_eq!(unit.stored()["seen"], "80");
    unit.run("update-status");
    assert_eq!(sets(&unit), 0, "{:?}", unit.commands());
    unit.store("again", &true);
    unit.run("update-status");
    assert_eq!(sets(&unit), 1);
    assert!(!unit.published("site:3").contains_key("host"));
}

#[when_not("done")]
fn publishes_app(site: Http, flags: Flags) -> Result {
    for relation in site.0.relations()? {
        relation.publish_app("motto", &"open")?;
    }
    flags.set("done");
    Ok(())
}

#[test]
fn only_the_leader_publishes_for_the_application() {
    let mut unit = Unit::new(handlers![publishes_app]).metadata(METADATA);
    unit.set_member("site:3", "proxy/0", &[]);
    let error = unit.try_run("update-status").error.unwrap();
    assert!(error.contains("not the leader") && error.contains("leadership.is_leader"), "{error}");
    unit.set_leader(true);
    unit.run("update-status");
    assert_eq!(unit.published_app("site:3")["motto"], "\"open\"");
}

#[hook("site-relation-broken")]
fn publishes_in_vain(site: Http) -> Result {
    assert!(site.0.relations()?.is_empty());
    match site.0.relation_of_hook() {
        Some(relation) => Ok(relation.publish("port", &80)?),
        None => Ok(()),
    }
}

#[test]
fn a_relation_that_goes_away_is_not_published_to() {
    let mut unit = Unit::new(handlers![publishes_in_vain]).metadata(METADATA);
    joined(&mut unit, "site:3", "proxy/0", &[]);
    departed(&mut unit, "site:3", "proxy/0");
    let error = unit.try_run_relation_without_unit("site-relation-broken", "site:3").error.unwrap();
    assert!(error.contains("`port` cannot be published over site:3") && error.contains("goes away"), "{error}");
}

#[only_once]
fn publishes_too_much(site: Http) -> Result {
    for relation in site.0.relations()? {
        relation.publish_raw("a", &"x".repeat(9 << 20))?;
        relation.publish_raw("a", &"y".repeat(9 << 20))?;
        relation.publish_raw("b", &"x".repeat(9 << 20))?;
    }
    Ok(())
}

#[test]
fn more_than_a_databag_holds_is_refused_at_the_call() {
    let mut unit = Unit::new(handlers![publishes_too_much]).metadata(METADATA);
    unit.set_member("site:3", "proxy/0", &[]);
    let report = unit.try_run("update-status");
    assert_eq!(report.outcome, HookOutcome::Failed);
    let error = report.error.unwrap();
    assert!(error.contains("`b` cannot be published") && error.contains("16 MiB"), "{error}");
}

#[when("ask")]
fn asks_applications(site: Http, staff: Staff, kv: Kv) -> Result {
    let mut names = Vec::new();
    for relation in site.0.relations()?.into_iter().chain(staff.0.relations()?) {
        names.push(relation.application()?);
    }
    kv.set("applications", &names)?;
    Ok(())
}

// DIFFERENCE D25
#[test]
fn a_relation_knows_its_application_also_where_nobody_has_joined() {
    let mut unit = Unit::new(handlers![asks_applications]).metadata(METADATA);
    unit.set_relation("site:3", "proxy");
    unit.set_relation("staff:0", "shop");
    unit.set_flag("ask");
    unit.run("update-status");
    assert_eq!(unit.stored()["applications"], r#"["proxy", "shop"]"#);
}

#[when("endpoint.db.joined")]
fn sets_flags(db: Sql) {
    db.0.set_flag("{endpoint_name}.ready");
    db.0.toggle_flag("plain", db.0.is_flag_set("{endpoint_name}.ready"));
    assert_eq!(db.0.flag("endpoint.{endpoint_name}.ready"), "endpoint.db.ready");
}

// DIFFERENCE D29
#[test]
fn the_name_of_a_flag_is_whole() {
    let mut unit = Unit::new(handlers![sets_flags]).metadata(METADATA);
    joined(&mut unit, "db:1", "sql/0", &[]);
    assert_eq!(unit.flags(), ["db.ready", "endpoint.db.joined", "plain"]);
}

/// An interface that needs something besides its endpoint.
struct Ftp(#[expect(dead_code, reason = "nothing is asked of it")] Endpoint);
impl Interface for Ftp {
    const ROLE: Role = Role::Provides;
    const NAME: &str = "ftp";
    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
    fn check(setup: &Setup<'_>) -> std::result::Result<(), String> {
        if setup.metadata.name == "shop" { Ok(()) } else { Err("it is for shops; change the charm's name".to_owned()) }
    }
}

#[hook("{provides:ftp}-relation-{joined,changed}")]
fn meets_ftp(_ftp: Ftp) {}

#[hook("update-status")]
fn meets_all_ftp(_all: Vec<Ftp>) {}

#[test]
fn what_an_interface_needs_is_looked_for_in_charms_that_have_an_endpoint_for_it() {
    let start = |metadata: &str| Unit::new(handlers![meets_ftp, meets_all_ftp]).metadata(metadata).try_run("install");
    let error = start("name: zk\nprovides: {files: {interface: ftp}}\n").error.unwrap();
    assert!(error.contains("meets_ftp") && error.contains("`_ftp`: it is for shops"), "{error}");
    assert_eq!(start("name: shop\nprovides: {files: {interface: ftp}}\n").error, None);
    assert_eq!(start("name: zk\n").error, None, "the handlers are there for other charms");
}
