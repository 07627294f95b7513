//! A hook on a copy of the unit: what it gives back, and that the unit stays what it was.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use zkpeer_core::testing::{Unit, event};
use zkpeer_core::{
    Action, ChangedBy, CharmDir, Config, Edge, Endpoint, Flags, Interface, Kv, Resource, Result, Status, action,
    collect_metrics, handlers, metadata::Role, when, when_not,
};

use crate::said;

const METADATA: &str = "name: shop\nrequires:\n  db: {interface: sql}\npeers:\n  staff: {interface: staff}\n";

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
    let said = said(|| run.assert_published("db:1", [("name", "shack")]));
    assert!(said.contains(r#"published on db:1 is name="shop", and not name="shack""#), "{said}");
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
    assert_eq!(run.why_not("nobody").unwrap(), "there is no such handler");
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
