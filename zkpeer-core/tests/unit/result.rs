//! A hook on a copy of the unit: what it gives back, and that the unit stays what it was.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use zkpeer_core::testing::{Fake, Unit, event};
use zkpeer_core::{
    Action, ChangedBy, CharmDir, Config, Edge, Endpoint, Flags, Interface, Kv, Resource, Result, Status, action,
    collect_metrics, handlers,
    interfaces::{zookeeper, zookeeper_quorum},
    metadata::Role,
    when, when_not,
};

use crate::{METADATA, said};

struct Sql(Endpoint);

impl Interface for Sql {
    const ROLE: Role = Role::Requires;
    const NAME: &'static str = "sql";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

#[when_not("installed")]
fn install(flags: Flags, directory: CharmDir, status: Status) -> Result {
    fs::write(directory.join("settings"), "new\n")?;
    status.maintenance("getting ready")?;
    flags.set("installed");
    Ok(())
}

#[when("installed", "config.changed.greeting")]
fn greet(config: Config, status: Status) -> Result {
    status.active(&config.get::<String>("greeting")?.unwrap_or_default())?;
    Ok(())
}

#[when("endpoint.db.joined")]
fn ask(db: Sql) -> Result {
    for relation in db.0.relations()? {
        relation.publish_raw("name", "shop")?;
    }
    Ok(())
}

#[action("fail")]
fn fails(flags: Flags) -> Result {
    flags.set("lost");
    Err("no way".into())
}

#[action("hail")]
fn hail(action: Action) -> Result {
    let name: String = action.get("name")?.unwrap_or_default();
    action.set("words", &format!("hail {name}"));
    Ok(())
}

fn unit() -> Unit {
    Unit::new(handlers![install, greet, ask, fails, hail]).metadata(METADATA)
}

#[test]
fn a_hook_leaves_the_unit_as_it_was() {
    let mut unit = unit();
    unit.set_config("greeting", "hello");
    let run = unit.on("config-changed");
    run.assert_ran(["install", "greet"]).assert_flag("installed").assert_status("active", "hello");
    assert!(unit.flags().is_empty() && unit.commands().is_empty() && !unit.charm_dir().join("settings").exists());
    assert!(run.unit().charm_dir().join("settings").exists());
}

#[test]
fn a_unit_can_be_tried_with_several_hooks_and_played_on() {
    let installed = unit().after("install");
    installed.on("start").assert_ran([]);
    installed.on("update-status").assert_did_not_run("install");
    let joined = installed.on(event::joined("db:1", "sql/0")).into_unit();
    joined.on(event::departed("db:1", "sql/0")).assert_no_flag("endpoint.db.joined").assert_ran([]);
    assert!(installed.published("db:1").is_empty());
}

#[test]
fn a_copy_has_files_of_its_own() {
    let installed = unit().after("install");
    let copy = installed.clone();
    fs::write(copy.charm_dir().join("settings"), "other\n").unwrap();
    assert_eq!(fs::read_to_string(installed.charm_dir().join("settings")).unwrap(), "new\n");
}

#[test]
fn changes_of_flags_are_told_with_who_made_them() {
    let mut unit = unit();
    unit.set_config("greeting", "hello");
    let run = unit.on("config-changed");
    let changes = run.changes();
    let of =
        |flag: &str| changes.iter().find(|change| change.flag == flag).map(|change| (change.edge, change.by.clone()));
    assert_eq!(of("config.changed.greeting").unwrap(), (Edge::Set, ChangedBy::Automatic));
    assert_eq!(of("installed").unwrap(), (Edge::Set, ChangedBy::Handler("unit::result::install".to_owned())));
}

#[test]
fn what_is_published_is_the_whole_databag_without_what_juju_writes() {
    let run = unit().on(event::joined("db:1", "sql/0"));
    run.assert_published("db:1", [("name", "shop")]).assert_published_app("db:1", []);
    let told = said(|| run.assert_published("db:1", [("name", "shack")]));
    assert!(told.contains("published on db:1:\n  `name` is \"shop\", and not \"shack\"\n\n"), "{told}");
    let told = said(|| run.assert_published("db:1", [("port", "80")]));
    let lines = "`name` is \"shop\", and not nothing\n  `port` is nothing, and not \"80\"";
    assert!(told.contains(lines), "{told}");
    let told = said(|| run.assert_published_app("db:1", [("port", "80")]));
    assert!(told.contains("published on db:1, for all:\n  `port` is nothing, and not \"80\""), "{told}");
}

#[test]
fn what_is_published_is_asked_of_a_relation_that_there_is() {
    let run = unit().on(event::joined("db:1", "sql/0"));
    let told = said(|| run.assert_published("db:2", []));
    assert!(told.contains("shop/0 is in no relation `db:2`; it is in: `db:1`"), "{told}");
    let told = said(|| unit().on("install").assert_published_app("db:1", []).report().clone());
    assert!(told.contains("shop/0 is in no relation `db:1`; it is in: none"), "{told}");
}

#[when_not("told")]
fn tells_much(status: Status, flags: Flags) -> Result {
    status.active(&format!("{}here{}", "a".repeat(400), "z".repeat(400)))?;
    flags.set("told");
    Ok(())
}

#[test]
fn long_values_are_shown_round_the_place_where_they_part() {
    let run = Unit::new(handlers![tells_much]).on("start");
    let told = said(|| run.assert_status("active", &format!("{}there{}", "a".repeat(400), "z".repeat(400))));
    let first = told.lines().next().unwrap();
    assert!(first.contains("aahere") && first.contains(", and not `…") && first.contains("aathere"), "{first}");
    assert!(first.len() < 400 && told.lines().all(|line| line.len() < 1000), "{told}");
}

#[test]
fn handlers_that_ran_in_another_order_are_said_to() {
    let mut unit = unit();
    unit.set_config("greeting", "hello");
    let told = said(|| unit.on("config-changed").assert_ran(["greet", "install"]).report().clone());
    assert!(told.contains("ran `install`, `greet`, and not in this order: `greet`, `install`"), "{told}");
}

#[test]
fn hook_commands_are_told_with_what_they_answered() {
    let mut unit = unit();
    unit.set_config("greeting", "hello");
    let run = unit.on("config-changed");
    let config = run.commands().iter().find(|command| command.name == "config-get").unwrap();
    assert!(config.stdout.contains("hello"), "{config:?}");
    run.assert_command("status-set active hello").assert_no_command("open-port").assert_no_command("status");
    let said = said(|| run.assert_command("status-set active hallo"));
    assert!(said.contains("has not run `status-set active hallo`; there is `status-set maintenance getting ready`, `status-set active hello`"), "{said}");
}

#[test]
fn a_hook_that_failed_keeps_nothing_and_only_that_can_be_asserted() {
    let run = unit().on(event::action("fail"));
    run.assert_failed("no way");
    assert!(!run.unit().is_set("lost"));
    assert!(said(|| run.assert_no_flag("lost")).contains("action fail (1): failed: "));
    assert!(said(|| run.assert_failed("yes")).contains("failed, but not with `yes`: "));
    let run = unit().on("install");
    let said = said(|| run.assert_failed("no way"));
    assert!(said.contains("succeeded, and was to fail with `no way`"), "{said}");
}

#[test]
fn an_action_is_given_its_parameters() {
    let run = unit().on(event::action("hail").with("name", "Anna"));
    run.assert_ran(["hail", "install"]).assert_command("action-set words=hail Anna");
}

#[when("never.a", "never.b")]
fn needs_two() {}

#[when("late")]
#[when_not("early")]
fn needs_neither() {}

#[when("parameter")]
fn needs_a_resource(flags: Flags, _limit: Resource<u32>) {
    flags.clear("parameter");
}

#[when_not("late")]
fn late(flags: Flags) {
    flags.set("late");
    flags.set("early");
}

#[test]
fn the_first_condition_that_does_not_hold_is_why_a_handler_did_not_run() {
    let run = Unit::new(handlers![needs_two, needs_neither, late, install]).on("start");
    assert_eq!(run.why_not("needs_two").unwrap(), "`never.a` is not set");
    assert_eq!(run.why_not("needs_neither").unwrap(), "in round 0 `late` is not set; at the end `early` is set");
    assert_eq!(run.why_not("late"), None);
    let mut unit = Unit::new(handlers![needs_two]);
    unit.set_flag("never.a");
    assert_eq!(unit.on("start").why_not("needs_two").unwrap(), "`never.b` is not set");
}

#[when_not("taken")]
fn takes(flags: Flags) {
    flags.set("taken");
}

#[when_not("taken")]
fn takes_too() {}

#[collect_metrics]
fn measures() {}

#[test]
fn what_happens_to_a_handler_that_was_queued_is_why_it_did_not_run() {
    let run = Unit::new(handlers![takes, takes_too]).on("start");
    assert_eq!(
        run.why_not("takes_too").unwrap(),
        "in round 0 it was queued, and then `taken` is set; at the end `taken` is set"
    );
    let run = Unit::new(handlers![ends, comes_late]).on("start");
    assert_eq!(run.why_not("comes_late").unwrap(), "it was queued, and the hook was over before its turn");
    let run = Unit::new(handlers![takes, measures]).juju("3.6.9").on("collect-metrics");
    run.assert_ran(["measures"]);
    assert_eq!(run.why_not("takes").unwrap(), "it is not for this hook, which runs apart from all others");
    assert_eq!(run.why_not("nobody").unwrap(), "there is no handler `nobody`");
}

#[when_not("late")]
fn ends() -> Result {
    Err(zkpeer_core::EndHook.into())
}

#[when_not("late")]
fn comes_late() {}

#[test]
fn names_that_nobody_knows_are_answered_with_the_nearest() {
    let run = unit().on("install");
    assert!(said(|| run.assert_did_not_run("gret")).contains("there is no handler `gret`; is it `greet`?"));
    assert!(said(|| run.assert_ran(["instal"])).contains("there is no handler `instal`; is it `install`?"));
    assert!(said(|| run.assert_flag("instaled")).contains("`instaled` is not set; is it `installed`?"));
    assert!(said(|| run.assert_no_flag("endpoint.db.joint")).contains("is it `endpoint.db.joined`?"));
}

#[when("endpoint.{endpoint_name}.joined")]
fn keep(_: Sql) {}

#[test]
fn a_handler_for_each_endpoint_is_found_by_the_name_of_its_function() {
    let run = Unit::new(handlers![install, keep]).metadata(METADATA).on("install");
    run.assert_did_not_run("keep[db]");
    let is_for_each = "there is no handler `keep`, but one for each endpoint: `keep[db]`";
    assert!(said(|| run.assert_did_not_run("keep")).contains(is_for_each));
    assert!(said(|| run.assert_ran(["install", "keep"])).contains(is_for_each));
    assert!(
        said(|| run.assert_did_not_run("keep[web]")).contains("`keep[web]`, but one for each endpoint: `keep[db]`")
    );
    assert!(said(|| run.assert_did_not_run("kep")).contains("there is no handler `kep`; is it `keep[db]`?"));
    assert_eq!(run.why_not("keep").unwrap(), is_for_each);
    let without = Unit::new(handlers![install, keep]).on("install");
    let told = said(|| without.assert_did_not_run("keep"));
    assert!(told.contains("`keep` (") && told.contains("and metadata.yaml has none with it"), "{told}");
}

#[test]
fn handlers_for_endpoints_that_the_charm_has_not_are_no_part_of_the_story() {
    let linked = handlers![zookeeper::look, zookeeper_quorum::joined, zookeeper_quorum::departed_untold, install];
    let story = Unit::new(linked).metadata(METADATA).on("start").to_string();
    assert!(!story.contains("look") && !story.contains("zookeeper_quorum"), "{story}");
    let unit = Unit::new(linked).metadata("name: zk\npeers:\n  zkpeer: {interface: zookeeper-quorum}\n");
    let story = unit.on("config-changed").to_string();
    assert!(story.contains("departed_untold") && !story.contains("look"), "{story}");
}

#[derive(Clone, Debug, Hash)]
struct Names(Vec<&'static str>);

#[when_not("written")]
fn writes(disk: Resource<Fake<Names>>) {
    disk.change(|names| names.0.push("settings"));
}

#[test]
fn what_is_outside_juju_is_told_before_and_after() {
    let unit = Unit::new(handlers![writes]).fake(|fakes| {
        let names = fakes.state(Names(vec!["a"]));
        fakes.resource(names);
    });
    let story = unit.on("start").to_string();
    assert!(story.contains("\n  outside Juju Names([\"a\"]) -> Names([\"a\", \"settings\"])\n"), "{story}");
}

#[when_not("stamped")]
fn stamps(kv: Kv, flags: Flags) -> Result {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    kv.set("stamp", &now.as_nanos().to_string())?;
    flags.set("stamped");
    Ok(())
}

#[when_not("sorted")]
fn sorts(status: Status, flags: Flags) -> Result {
    let all: std::collections::HashSet<u32> = (0..100).collect();
    status.active(&format!("{all:?}"))?;
    flags.set("sorted");
    Ok(())
}

#[test]
fn a_handler_that_is_not_deterministic_is_found_by_running_it_twice() {
    unit().on("install").assert_deterministic();
    let run = Unit::new(handlers![install, stamps]).on("install");
    let told = said(|| run.assert_deterministic());
    assert!(
        told.contains("`stamps` (") && told.contains("is not deterministic: what is stored under `stamp` is"),
        "{told}"
    );
    let run = Unit::new(handlers![install, sorts]).on("install");
    let told = said(|| run.assert_deterministic());
    assert!(told.contains("`sorts` (") && told.contains("is not deterministic: `status-set active {"), "{told}");
}

#[test]
fn the_same_state_and_event_give_the_same_story() {
    let mut unit = unit();
    unit.set_config("greeting", "hello");
    assert_eq!(unit.on("config-changed").to_string(), unit.clone().on("config-changed").to_string());
}

#[test]
fn a_parameter_that_has_nothing_is_why_a_handler_was_not_called() {
    let mut unit = Unit::new(handlers![needs_a_resource]);
    unit.set_flag("parameter");
    let failure = unit.on("start").failure().map(str::to_owned);
    assert!(failure.unwrap().contains("u32"), "a resource that is missing is no reason to skip");
}
