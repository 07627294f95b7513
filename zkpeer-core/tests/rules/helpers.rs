//! What handlers find out by comparing with what earlier hooks have noted.

use std::collections::BTreeMap;
use std::fs;

use serde_json::json;
use zkpeer_core::testing::{Application, Doing, ExploreError, Model, Unit, explore, explore_crashes};
use zkpeer_core::{
    Charm, CharmDir, Config, Context, Flags, HandlerDef, Hash, HookOutcome, Kv, Result, Status, action, handlers, hook,
    when, when_file_changed, when_not,
};

use crate::Quorum;

#[when_not("never")]
fn notes(kv: Kv, flags: Flags) -> Result {
    let members = kv.get::<BTreeMap<String, u16>>("members")?.unwrap_or_default();
    flags.toggle("would-change", kv.is_data_changed("members", &members)?);
    flags.toggle("changed", kv.data_changed("members", &members)?);
    flags.toggle("changed-again", kv.data_changed("members", &members)?);
    Ok(())
}

/// Members in the order of their names, as Python sorts them.
fn members(unit: &mut Unit, members: &[(&str, u16)]) {
    unit.store("members", &BTreeMap::from_iter(members.iter().copied()));
}

#[test]
fn data_has_changed_until_it_is_noted() {
    let mut unit = Unit::new(handlers![notes]);
    members(&mut unit, &[("zk/0", 2181)]);
    unit.run("install");
    assert_eq!(unit.flags(), ["changed", "would-change"], "the first value is a change");
    unit.run("start");
    assert_eq!(unit.flags(), [""; 0]);
    members(&mut unit, &[("zk/0", 2181), ("zk/1", 2181)]);
    unit.run("update-status");
    assert_eq!(unit.flags(), ["changed", "would-change"]);
}

#[test]
fn data_is_hashed_as_charms_reactive_does() {
    // python3 -c 'import hashlib, json; print(hashlib.md5(json.dumps({"zk/é": 1, "a": 2}, sort_keys=True).encode()).hexdigest())'
    let mut unit = Unit::new(handlers![notes]);
    members(&mut unit, &[("zk/é", 1), ("a", 2)]);
    unit.store("reactive.data_changed.members", "5809581ae3415e1e389631a4eba6b0ec");
    unit.run("install");
    assert_eq!(unit.flags(), [""; 0], "{:?}", unit.stored());
}

#[when_not("never")]
fn asks_by_other_hashes(kv: Kv, flags: Flags) -> Result {
    for (hash, name) in [(Hash::Sha1, "sha1"), (Hash::Sha256, "sha256"), (Hash::Sha512, "sha512")] {
        flags.toggle(name, kv.clone().with_hash(hash).is_data_changed(name, &json!({"b": [1, null], "a": "é"}))?);
    }
    Ok(())
}

#[test]
fn what_python_has_noted_with_another_hash_type_is_known() {
    let mut unit = Unit::new(handlers![asks_by_other_hashes]);
    for (name, hash) in [
        ("sha1", "7fa75330934f898fc808a14561e7bf5f576e9117"),
        ("sha256", "8920de3941419361f145cefba9aa462ed7008553c0e51521d11ae067eca18a8d"),
        (
            "sha512",
            "d6484032245d8ce797302879f60ce555b59ee97905b19ede47c3ad31b21f60fbcb2d8ee4f72ddbe18d6ec7dcc4b13f6a5cbfa6bfd415ddeb9f2d959e6b9c766f",
        ),
    ] {
        unit.store(&format!("reactive.data_changed.{name}"), hash);
    }
    unit.run("install");
    assert_eq!(unit.flags(), [""; 0]);
}

#[when_not("never")]
fn looks_at_files(kv: Kv, flags: Flags) -> Result {
    flags.toggle("files-changed", kv.any_file_changed(["server.conf", "absent"])?);
    flags.toggle("again", kv.any_file_changed(["server.conf", "absent"])?);
    Ok(())
}

#[test]
fn a_file_has_changed_when_it_appears_differs_or_vanishes() {
    let mut unit = Unit::new(handlers![looks_at_files]);
    let file = unit.charm_dir().join("server.conf");
    let changed = |unit: &mut Unit| {
        unit.run("update-status");
        assert!(!unit.is_set("again"), "it is noted at once");
        unit.is_set("files-changed")
    };
    assert!(!changed(&mut unit), "there are none");
    fs::write(&file, "abc").unwrap();
    assert!(changed(&mut unit));
    assert_eq!(unit.stored()["reactive.files_changed.server.conf"], "\"900150983cd24fb0d6963f7d28e17f72\"");
    assert!(!changed(&mut unit));
    fs::write(&file, "abcd").unwrap();
    assert!(changed(&mut unit));
    fs::remove_file(&file).unwrap();
    assert!(changed(&mut unit));
    assert_eq!(unit.stored()["reactive.files_changed.server.conf"], "null");
    fs::create_dir(&file).unwrap();
    let error = unit.try_run("update-status").error.unwrap();
    assert!(error.contains("server.conf") && error.contains("not a file"), "{error}");
}

#[when_file_changed("server.conf")]
fn reloads() {}

#[test]
fn who_asks_for_files_takes_nothing_from_handlers_that_watch_them() {
    // DIFFERENCE D9: in charms.reactive whoever asks first takes the change.
    let mut unit = Unit::new(handlers![looks_at_files, reloads]);
    fs::write(unit.charm_dir().join("server.conf"), "abc").unwrap();
    assert_eq!(unit.run("install").handlers(), ["looks_at_files", "reloads"]);
    assert_eq!(unit.run("start").handlers(), ["looks_at_files"]);
    fs::write(unit.charm_dir().join("server.conf"), "abcd").unwrap();
    assert_eq!(unit.run("update-status").handlers(), ["looks_at_files", "reloads"]);
    assert!(unit.is_set("files-changed"));
}

#[when("ready")]
#[when_file_changed("server.conf")]
fn reloads_when_ready() {}

#[test]
fn a_handler_that_waits_runs_for_a_file_that_another_has_asked_for() {
    let mut unit = Unit::new(handlers![looks_at_files, reloads_when_ready]);
    fs::write(unit.charm_dir().join("server.conf"), "abc").unwrap();
    assert_eq!(unit.run("install").handlers(), ["looks_at_files"]);
    unit.store("reactive.states.ready", &());
    assert_eq!(unit.run("start").handlers(), ["looks_at_files", "reloads_when_ready"]);
    assert_eq!(unit.run("update-status").handlers(), ["looks_at_files"]);
}

#[when_not("never")]
fn does_once(kv: Kv, charm_dir: CharmDir, flags: Flags) -> Result {
    if kv.was_invoked("format")? {
        return Ok(());
    }
    kv.mark_invoked("format")?;
    flags.set("formatted");
    if charm_dir.join("fails").exists() { Err("later".into()) } else { Ok(()) }
}

#[test]
fn what_is_marked_has_been_invoked_if_the_hook_succeeds() {
    let mut unit = Unit::new(handlers![does_once]);
    fs::write(unit.charm_dir().join("fails"), "").unwrap();
    assert_eq!(unit.try_run("install").outcome, HookOutcome::Failed);
    fs::remove_file(unit.charm_dir().join("fails")).unwrap();
    assert_eq!(unit.run("install").set, ["formatted"]);
    assert_eq!(unit.stored()["reactive.invoked.format"], "true");
    unit.store("reactive.states.formatted", &());
    assert_eq!(unit.run("start").set, [""; 0]);
}

const METADATA: &str = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n";

#[when_not("never")]
fn asks_for_the_hook(context: Context, flags: Flags) -> Result {
    let patterns = ["{peers:quorum}-relation-{joined,changed}", "install", "{install,upgrade-charm}"];
    flags.toggle("matches", context.any_hook(patterns)?);
    Ok(())
}

#[action("install")]
fn an_action() {}

#[test]
fn any_hook_knows_roles_and_alternatives() {
    let mut unit = Unit::new(handlers![asks_for_the_hook, an_action]).metadata(METADATA);
    let mut matches = |run: &mut dyn FnMut(&mut Unit)| {
        run(&mut unit);
        unit.is_set("matches")
    };
    assert!(matches(&mut |unit| drop(unit.run("install"))));
    assert!(!matches(&mut |unit| drop(unit.run("start"))));
    assert!(!matches(&mut |unit| drop(unit.run_action("install", &[]))), "an action is no hook");
    assert!(matches(&mut |unit| drop(unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1"))));
    assert!(matches(&mut |unit| drop(unit.run_relation("zkpeer-relation-changed", "zkpeer:0", "zk/1"))));
    assert!(!matches(&mut |unit| drop(unit.run_relation("zkpeer-relation-departed", "zkpeer:0", "zk/1"))));
}

#[when_not("never")]
fn asks_as_the_documentation_of_python_says(context: Context) -> Result {
    context.any_hook(["{peer:quorum}-relation-joined"])?;
    Ok(())
}

#[test]
fn difference_d13_a_pattern_that_can_match_nothing_is_an_error() {
    // DIFFERENCE D13: charms.reactive says nothing, and it never matches.
    let mut unit = Unit::new(handlers![asks_as_the_documentation_of_python_says]);
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("{peer:quorum}") && error.contains("`peers`"), "{error}");
}

#[when_not("never")]
fn lists_what_is_missing(flags: Flags) {
    assert_eq!(flags.not_set(["b", "there", "a"]), ["b", "a"]);
    assert_eq!(flags.not_set([String::from("there")]), [""; 0]);
}

#[test]
fn flags_that_are_not_set_are_told_in_their_order() {
    let mut unit = Unit::new(handlers![lists_what_is_missing]);
    unit.store("reactive.states.there", &());
    unit.run("install");
}

#[hook("config-changed")]
fn makes_a_file(config: Config, directory: CharmDir) -> Result {
    if config.get("make")? == Some(true) {
        fs::write(directory.join("made"), "")?;
    }
    Ok(())
}

#[hook("{start,update-status}")]
fn looks_for_it(config: Config, directory: CharmDir, status: Status) -> Result {
    let (made, wanted) = (directory.join("made").exists(), config.get::<bool>("make")?);
    status.active(if made && wanted != Some(true) { "somebody else's" } else { "fine" })?;
    Ok(())
}

#[test]
fn a_file_that_a_handler_writes_is_only_in_its_own_order_of_events() -> std::result::Result<(), ExploreError> {
    let charm = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| fs::write(charm.path().join(file), text).unwrap();
    write("metadata.yaml", "name: app\nsummary: s\ndescription: d\n");
    write("config.yaml", "options:\n  make: {type: boolean, default: false}\n");
    let mut model = Model::new();
    let handlers = Charm::new().handlers(handlers![makes_a_file, looks_for_it]);
    model.deploy(Application::new(charm.path()).in_process(handlers))?;
    explore(model)
        .at_any_time(Doing::set_config("app", "make", true))
        .update_status(1)
        .always("what is found was made here", |model| model.status("app/0").message != "somebody else's")
        .run()?;
    Ok(())
}

#[hook("start")]
fn writes_once(kv: Kv) -> Result {
    kv.set("a", &1)?;
    Ok(())
}

#[hook("start")]
fn writes_four_times(kv: Kv, flags: Flags) -> Result {
    kv.set("a", &1)?;
    kv.set("b", &1)?;
    kv.unset("b");
    flags.set("c");
    Ok(())
}

#[test]
fn each_write_to_the_store_is_an_instant_at_which_a_hook_may_be_killed() {
    let charm = tempfile::tempdir().unwrap();
    fs::write(charm.path().join("metadata.yaml"), "name: app\nsummary: s\ndescription: d\n").unwrap();
    let instants = |handlers: &[&'static HandlerDef]| {
        let mut model = Model::new();
        model.deploy(Application::new(charm.path()).in_process(Charm::new().handlers(handlers))).unwrap();
        explore_crashes(model).run().unwrap().instants
    };
    assert_eq!(instants(handlers![writes_four_times]) - instants(handlers![writes_once]), 3);
}

#[when_not("told")]
fn tells_its_peers(quorum: Quorum, flags: Flags) -> Result {
    for relation in quorum.0.relations()? {
        relation.publish("ready", &true)?;
        flags.set("told");
    }
    Ok(())
}

#[test]
fn what_is_published_and_the_flag_that_says_so_are_kept_together_whatever_goes_wrong() {
    let charm = tempfile::tempdir().unwrap();
    let metadata = "name: app\nsummary: s\ndescription: d\npeers:\n  quorum: {interface: quorum}\n";
    fs::write(charm.path().join("metadata.yaml"), metadata).unwrap();
    let mut model = Model::new();
    let handlers = Charm::new().handlers(handlers![tells_its_peers]);
    model.deploy(Application::new(charm.path()).in_process(handlers).units(2)).unwrap();
    let survived = explore_crashes(model).run().unwrap();
    assert!(survived.refusals > 5, "{survived}");
}
