//! What Juju could not produce is refused, and the message says why.

use std::fs;

use zkpeer_core::testing::{Unit, event};
use zkpeer_core::{Flags, Result, handlers, hook, when_not};

use crate::{METADATA, said};

#[when_not("installed")]
fn install(flags: Flags) {
    flags.set("installed");
}

#[hook("db-relation-broken", "start")]
fn fails(flags: Flags) -> Result {
    flags.set("lost");
    Err("no way".into())
}

fn unit() -> Unit {
    Unit::new(handlers![install]).metadata(METADATA)
}

/// The unit after a change, and an event that Juju could not produce then: each with words of the reason.
type Case = (&'static str, fn(&mut Unit), fn() -> event::Event, &'static str);

#[test]
fn an_event_that_juju_could_not_produce_is_refused() {
    let nothing = |_: &mut Unit| {};
    let cases: [Case; 21] = [
        ("no such hook", nothing, || "config-change".into(), "is it `config-changed`?"),
        ("not elected", nothing, || "leader-elected".into(), "the unit is not leader; call set_leader(true) before"),
        (
            "leads",
            |unit| unit.set_leader(true),
            || "leader-settings-changed".into(),
            "the unit is leader; call set_leader(false) before",
        ),
        (
            "no metrics",
            nothing,
            || "collect-metrics".into(),
            "not run from Juju 3.6.10 on; choose an earlier version with Unit::juju",
        ),
        ("no relation", nothing, || "db-relation-joined".into(), "it is about a relation"),
        ("no endpoint", nothing, || event::created("web:1"), "has no endpoint `web`; it has: db, staff"),
        ("near endpoint", nothing, || event::created("dbs:1"), "no endpoint `dbs`; it has: db, staff; is it `db`?"),
        ("not joined", nothing, || event::changed("db:1", "sql/0"), "sql/0 has not joined"),
        ("joined", |unit| drop(join(unit)), || event::joined("db:1", "sql/0"), "sql/0 has joined already"),
        ("never joined", nothing, || event::departed("db:1", "sql/0"), "sql/0 has never joined"),
        ("itself", nothing, || event::joined("staff:0", "shop/0"), "no unit is its own peer"),
        ("no peer", nothing, || event::joined("staff:0", "sql/0"), "`sql` is another application"),
        ("with whom", nothing, || event::created("db:1"), "say so with set_relation"),
        ("itself as other", nothing, || event::joined("db:1", "shop/1"), "the unit's own application"),
        ("two remotes", member, || event::joined("db:1", "web/0"), "db:1 is a relation with `sql`"),
        ("members", member, || event::broken("db:1"), "sql/0 is a member yet"),
        ("peers", |unit| unit.set_relation("staff:0", "shop"), || event::broken("staff:0"), "peers have no such hook"),
        ("no unit", nothing, || event::joined("db:1", "sql"), "`sql` is not the name of a unit: it has to look like"),
        ("no id", nothing, || event::joined("db", "sql/0"), "`db` is not a relation id: it has to look like"),
        ("other number", member, || event::joined("staff:1", "shop/1"), "relation 1 is of `db`"),
        ("not the first", member, || event::created("db:1"), "sql/0 is a member already"),
    ];
    for (case, change, event, reason) in cases {
        let mut unit = unit();
        change(&mut unit);
        let said = said(|| unit.on(event()));
        assert!(said.contains(reason), "{case}: {said}");
        assert!(!said.contains("contract"), "{case} is told in words of its own: {said}");
    }
}

fn member(unit: &mut Unit) {
    unit.set_member("db:1", "sql/0", &[]);
}

fn join(unit: &mut Unit) -> zkpeer_core::Report {
    unit.run(event::joined("db:1", "sql/0"))
}

#[test]
fn a_relation_that_is_over_comes_back_under_another_number() {
    let mut unit = unit();
    unit.set_relation("db:1", "sql");
    let over = unit.after(event::created("db:1")).after(event::broken("db:1"));
    assert!(said(|| over.on(event::joined("db:1", "sql/0"))).contains("db:1 is over"));
    over.on(event::joined("db:2", "sql/0")).assert_succeeded();
    assert!(said(|| over.on(event::joined("staff:1", "shop/1"))).contains("relation 1 is of `db`"));
}

#[test]
fn c4_6_a_key_of_a_databag_has_a_value() {
    let mut unit = unit();
    assert!(
        said(|| unit.set_member("db:1", "sql/0", &[("host", "")]))
            .contains("the key `host` is empty or has an empty value, which stands for none; leave it out")
    );
    assert!(said(|| unit.set_application_bag("db:1", "sql", &[("", "x")])).contains("the key `` is empty"));
}

#[test]
fn c3_1_a_unit_that_is_not_installed_is_in_no_relation() {
    let mut unit = unit();
    member(&mut unit);
    assert!(
        said(|| unit.on("install"))
            .contains("it is in the relation db:1 already, and a unit enters its relations after `install`")
    );
}

#[test]
fn c9_7_juju_4_has_no_leader_settings() {
    let mut unit = unit().juju("4.0.14");
    assert!(said(|| unit.on("leader-settings-changed")).contains("Juju 4 has no leader settings"));
    let said = said(|| unit.set_leader_setting("password", "x"));
    assert!(said.contains("Juju 4 has no leader settings"), "{said}");
}

#[test]
fn who_is_said_to_be_a_member_joins_in_the_next_hook_or_has_joined_before() {
    let mut unit = unit();
    member(&mut unit);
    unit.on(event::joined("db:1", "sql/0")).assert_succeeded();
    unit.on(event::changed("db:1", "sql/0")).assert_succeeded();
    let later = unit.after("config-changed");
    assert!(said(|| later.on(event::joined("db:1", "sql/0"))).contains("has joined already"));
}

#[test]
fn whoever_departs_leaves_by_that_hook_alone() {
    let mut unit = unit();
    member(&mut unit);
    let gone = unit.after("config-changed").after(event::departed("db:1", "sql/0"));
    assert!(said(|| gone.on(event::departed("db:1", "sql/0"))).contains("or has departed"));
    gone.on(event::broken("db:1")).assert_succeeded();
}

#[test]
fn c2_2_a_hook_that_fails_is_run_again_until_it_is_resolved() {
    let mut unit = Unit::new(handlers![fails]).metadata(METADATA);
    unit.set_relation("db:1", "sql");
    let run = unit.on(event::broken("db:1"));
    run.assert_failed("no way");
    run.unit().on(event::broken("db:1")).assert_failed("no way");
    let mut resolved = run.unit().clone();
    resolved.resolve();
    assert!(said(|| resolved.on(event::broken("db:1"))).contains("db:1 is over"));
    // Another hook comes only when that one has been resolved.
    let later = run.unit().after("update-status");
    assert!(said(|| later.on(event::joined("db:1", "sql/0"))).contains("db:1 is over"));
    assert!(said(|| resolved.resolve()).contains("no hook has failed"));
}

#[hook("db-relation-changed")]
fn fails_on_changed() -> Result {
    Err("no way".into())
}

#[test]
fn a_member_departs_also_after_its_changed_has_failed() {
    let mut unit = Unit::new(handlers![fails_on_changed]).metadata(METADATA);
    unit.run(event::joined("db:1", "sql/0"));
    assert!(unit.try_run(event::changed("db:1", "sql/0")).error.is_some());
    unit.remove_member("db:1", "sql/0");
    unit.run(event::departed("db:1", "sql/0"));
    assert!(said(|| unit.on(event::departed("db:1", "sql/0"))).contains("or has departed"));
}

#[test]
fn a_unit_that_has_run_its_last_hook_runs_none() {
    let gone = unit().after("stop").after("remove");
    assert!(said(|| gone.on("start")).contains("the unit has been removed"));
}

#[test]
fn options_and_parameters_are_those_of_the_charm() -> Result {
    let charm = tempfile::tempdir()?;
    let write = |name: &str, text: &str| fs::write(charm.path().join(name), text);
    write("metadata.yaml", METADATA)?;
    write("config.yaml", "options:\n  port: {type: int, default: 80}\n")?;
    write("actions.yaml", "backup:\n  params:\n    name: {type: string}\n  required: [name]\n")?;
    let mut unit = Unit::new(handlers![install]).charm(charm.path());
    assert_eq!(unit.name(), "shop/0");
    assert!(said(|| unit.on("data-storage-attached")).contains("metadata.yaml has no storage `data`; it has: none"));
    assert!(said(|| unit.set_config("prot", 8080)).contains("option `prot` is not in config.yaml; it has: port"));
    assert!(said(|| unit.set_config("port", true)).contains("option `port` is a int, not `true`"));
    unit.set_config("port", 8080);
    let refused = |event: event::Event| said(|| unit.on(event));
    assert!(refused(event::action("bakup")).contains("action \"bakup\" is not in actions.yaml; it has: backup"));
    assert!(refused(event::action("backup")).contains("name"));
    assert!(refused(event::action("backup").with("name", 1)).contains("name"));
    assert!(said(|| event::Event::from("start").with("name", 1)).contains("only an action has parameters"));
    Ok(())
}

#[test]
fn a_unit_has_the_name_that_the_test_gives_it() {
    assert_eq!(Unit::new(handlers![install]).name(), "app/0");
    assert_eq!(unit().name(), "shop/0");
    let mut unit = unit().named("store/3");
    unit.set_member("staff:0", "store/0", &[]);
    assert!(said(|| unit.clone().named("store/4")).contains("say who it is first"));
}
