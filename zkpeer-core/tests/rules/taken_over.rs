//! What a charm on charms.reactive has left, and what it finds when the charm goes back to it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use zkpeer_core::testing::Unit;
use zkpeer_core::{Config, Flags, Kv, Result, Scope, handlers, hook, when, when_file_changed, when_not};

use crate::Quorum;

// ---- the configuration ----

#[when("config.changed.port")]
fn port_changed() {}

#[when("config.changed")]
fn any_changed() {}

#[when("fails")]
fn fails(flags: Flags) -> Result {
    flags.clear("fails");
    Err("not yet".into())
}

fn configured() -> Unit {
    let mut unit = Unit::new(handlers![port_changed, any_changed, fails]);
    fs::write(unit.charm_dir().join("config.yaml"), "options:\n  port: {type: int, default: 2181}\n").unwrap();
    unit.set_config("port", 2181);
    unit
}

fn file(unit: &Unit) -> PathBuf {
    unit.charm_dir().join(".juju-persistent-config")
}

/// What charmhelpers would find.
fn left(unit: &Unit) -> Value {
    serde_json::from_str(&fs::read_to_string(file(unit)).unwrap()).unwrap()
}

/// charmhelpers writes the file in each hook that looks at the configuration.
fn write_as_python(unit: &Unit, values: &Value) {
    fs::write(file(unit), values.to_string()).unwrap();
}

#[test]
fn the_configuration_that_python_saw_last_is_that_of_the_hook_before() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 2181}));
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0]);
    unit.set_config("port", 2182);
    assert_eq!(unit.run("config-changed").handlers(), ["port_changed", "any_changed"]);
    assert_eq!(unit.run("update-status").handlers(), [""; 0]);
}

#[test]
fn python_finds_the_configuration_that_the_last_hook_saw_and_its_own_values_beside_it() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 1, "kept by the charm": {"deep": [1.5]}, "gone": null}));
    assert_eq!(unit.run("upgrade-charm").handlers(), ["port_changed", "any_changed"], "what is no option has no flags");
    assert_eq!(left(&unit), json!({"port": 2181, "kept by the charm": {"deep": [1.5]}, "gone": null}));
}

#[test]
fn an_option_that_has_lost_its_value_has_none_for_python() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 1}));
    unit.set_config("port", Value::Null);
    assert_eq!(unit.run("config-changed").handlers(), ["port_changed", "any_changed"]);
    assert_eq!(left(&unit), json!({"port": null}));
}

#[test]
fn a_unit_that_never_was_python_gets_no_file_of_pythons() {
    let mut unit = configured();
    unit.run("config-changed");
    assert!(!file(&unit).exists());
}

#[test]
fn a_hook_that_fails_leaves_the_file_and_what_is_known_of_it() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 1}));
    unit.store("reactive.states.fails", &());
    assert_eq!(unit.try_run("upgrade-charm").handlers(), ["port_changed", "any_changed", "fails"]);
    assert_eq!(left(&unit), json!({"port": 1}));
    assert_eq!(unit.try_run("upgrade-charm").handlers(), ["port_changed", "any_changed", "fails"]);
}

#[test]
fn what_python_has_seen_since_counts_although_we_know_an_older_configuration() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 2181}));
    unit.run("upgrade-charm");
    unit.set_config("port", 2182);
    unit.run("config-changed");
    write_as_python(&unit, &json!({"port": 2181}));
    assert_eq!(unit.run("upgrade-charm").handlers(), ["port_changed", "any_changed"], "2182 again, after 2181");
    write_as_python(&unit, &json!({"port": 2183}));
    unit.set_config("port", 2183);
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0], "Python has seen it");
}

#[test]
fn a_file_that_a_kill_kept_from_being_replaced_is_not_pythons_word() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 1}));
    let written = fs::metadata(file(&unit)).unwrap().modified().unwrap();
    let text = fs::read_to_string(file(&unit)).unwrap();
    unit.run("config-changed");
    // The hook is committed, and the file is the old one.
    fs::write(file(&unit), text).unwrap();
    fs::File::options().write(true).open(file(&unit)).unwrap().set_modified(written).unwrap();
    assert_eq!(unit.run("config-changed").handlers(), [""; 0]);
    assert_eq!(left(&unit), json!({"port": 2181}), "it is replaced at last");

    // The same text from Python, which has seen it again.
    write_as_python(&unit, &json!({"port": 1}));
    let later = written + Duration::from_secs(1);
    fs::File::options().write(true).open(file(&unit)).unwrap().set_modified(later).unwrap();
    assert_eq!(unit.run("config-changed").handlers(), ["port_changed", "any_changed"]);
}

#[test]
fn a_file_that_python_was_killed_over_makes_every_option_a_changed_one() {
    for rest in ["", "{\"port\": 21", "[]", "\u{fffd}"] {
        let mut unit = configured();
        unit.run("config-changed");
        fs::write(file(&unit), rest).unwrap();
        let report = unit.run("upgrade-charm");
        assert_eq!(report.handlers(), ["port_changed", "any_changed"], "{rest}");
        assert!(unit.commands().iter().any(|command| command.contains("every option counts as changed")), "{rest}");
        assert_eq!(unit.run("update-status").handlers(), [""; 0]);
        assert_eq!(left(&unit), json!({"port": 2181}));
    }
}

#[hook("update-status")]
fn reads(config: Config) -> Result {
    config.get::<u16>("port")?;
    Ok(())
}

#[test]
fn python_finds_what_was_read_also_where_no_handler_waits_for_changes() {
    let mut unit = Unit::new(handlers![reads]);
    write_as_python(&unit, &json!({"port": 1}));
    let before = fs::metadata(file(&unit)).unwrap().modified().unwrap();
    unit.set_config("port", 2181);
    unit.run("start");
    assert_eq!(fs::metadata(file(&unit)).unwrap().modified().unwrap(), before, "nobody has read it");
    unit.run("update-status");
    assert_eq!(left(&unit), json!({"port": 2181}));
}

#[test]
fn the_file_is_not_written_where_nothing_is_new() {
    let mut unit = configured();
    write_as_python(&unit, &json!({"port": 2181}));
    let early = SystemTime::UNIX_EPOCH + Duration::from_secs(1);
    fs::File::options().write(true).open(file(&unit)).unwrap().set_modified(early).unwrap();
    unit.run("config-changed");
    assert_eq!(fs::metadata(file(&unit)).unwrap().modified().unwrap(), early);
}

// ---- files ----

#[when_file_changed("zoo.cfg")]
fn on_file() {}

#[when_file_changed("zoo.cfg", "myid")]
fn on_either_file() {}

const OF_A: &str = "0cc175b9c0f1b6a831c399e269772661";
const OF_B: &str = "92eb5ffee6ae2fec3ad71c777531578f";

#[test]
fn a_file_that_python_has_looked_at_since_is_known_to_every_handler() {
    let mut unit = Unit::new(handlers![on_file, on_either_file]);
    let file = unit.charm_dir().join("zoo.cfg");
    fs::write(&file, "a").unwrap();
    unit.store("reactive.files_changed.zoo.cfg", OF_A);
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0]);
    fs::write(&file, "b").unwrap();
    assert_eq!(unit.run("update-status").handlers(), ["on_file", "on_either_file"]);
    // In Python it was `a` again, and is `b` now.
    unit.store("reactive.files_changed.zoo.cfg", OF_A);
    assert_eq!(unit.run("upgrade-charm").handlers(), ["on_file", "on_either_file"]);
    // In Python it became `a`, and has stayed.
    fs::write(&file, "a").unwrap();
    unit.store("reactive.files_changed.zoo.cfg", OF_A);
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0]);
    assert_eq!(unit.stored()["reactive.files_changed.zoo.cfg"], format!("\"{OF_A}\""));
}

#[when_not("idle")]
fn looks_itself(kv: Kv) -> Result {
    // As a handler that asks for the file's change by itself.
    Ok(kv.set("reactive.files_changed.zoo.cfg", OF_B)?)
}

#[test]
fn a_hash_that_a_handler_of_ours_has_written_is_not_pythons() {
    let mut unit = Unit::new(handlers![on_file, looks_itself]);
    fs::write(unit.charm_dir().join("zoo.cfg"), "a").unwrap();
    unit.run("install");
    fs::write(unit.charm_dir().join("zoo.cfg"), "b").unwrap();
    assert_eq!(unit.run("update-status").handlers(), ["on_file", "looks_itself"]);
}

// ---- conversations in the old format ----

const METADATA: &str = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n";

#[when("zkpeer.joined")]
fn looks(quorum: Quorum, kv: Kv) -> Result {
    let conversations = quorum.0.conversations_in("zkpeer.joined")?;
    let seen = |conversation: &zkpeer_core::Conversation| -> Result<_> {
        let units: Vec<String> = conversation.units().map(str::to_owned).collect();
        Ok((conversation.key().to_owned(), units, conversation.get_local::<String>("address")?))
    };
    Ok(kv.set("seen", &conversations.iter().map(seen).collect::<Result<Vec<_>>>()?)?)
}

#[hook("zkpeer-relation-departed")]
fn departs(quorum: Quorum, kv: Kv) -> Result {
    let conversation = quorum.0.conversation(Scope::Unit)?;
    Ok(kv
        .set("departing", &conversation.map(|conversation| conversation.get_local::<String>("address")).transpose()?)?)
}

/// Stores a conversation as the first versions of charms.reactive did, with an address.
fn store_old(unit: &mut Unit, scope: &str, units: &[&str]) -> String {
    let key = format!("reactive.conversations.zkpeer.{scope}");
    unit.store(&key, &json!({"relation_name": "zkpeer", "scope": scope, "units": units}));
    unit.store(&format!("{key}.local-data.address"), &format!("address of {scope}"));
    key
}

fn give_flag(unit: &mut Unit, keys: &[String]) {
    unit.store("reactive.states.zkpeer.joined", &json!({"relation": "zkpeer", "conversations": keys}));
}

fn of_old() -> Unit {
    let mut unit = Unit::new(handlers![looks, departs]).metadata(METADATA);
    for number in 1..=2 {
        unit.set_member("zkpeer:0", &format!("zk/{number}"), &[]);
    }
    unit
}

#[test]
fn difference_d50_a_conversation_in_the_old_format_goes_on_with_its_flags_and_values() {
    // DIFFERENCE D50: charms.reactive leaves its values behind.
    let mut unit = of_old();
    let keys = [store_old(&mut unit, "zk/1", &["zk/1"]), store_old(&mut unit, "zk", &["zk/1", "zk/2", "zk/3"])];
    give_flag(&mut unit, &keys);
    unit.run("upgrade-charm");
    let stored = unit.stored();
    assert_eq!(
        serde_json::from_str::<Value>(&stored["seen"]).unwrap(),
        json!([
            ["reactive.conversations.zkpeer:0.zk", ["zk/1", "zk/2"], "address of zk"],
            ["reactive.conversations.zkpeer:0.zk/1", ["zk/1"], "address of zk/1"],
        ])
    );
    assert!(!stored.keys().any(|key| key.starts_with("reactive.conversations.zkpeer.")), "{stored:?}");
}

#[test]
fn difference_d50_a_conversation_with_all_keeps_its_key_also_under_a_name_of_the_interfaces() {
    // DIFFERENCE D50: charms.reactive splits one with a name by relations, and does not find it again.
    let mut unit = of_old();
    let keys = [store_old(&mut unit, "global", &["zk/1", "zk/2"]), store_old(&mut unit, "my-scope", &["zk/2"])];
    give_flag(&mut unit, &keys);
    unit.run("upgrade-charm");
    assert_eq!(
        serde_json::from_str::<Value>(&unit.stored()["seen"]).unwrap(),
        json!([
            ["reactive.conversations.zkpeer.global", ["zk/1", "zk/2"], "address of global"],
            ["reactive.conversations.zkpeer.my-scope", ["zk/2"], "address of my-scope"],
        ])
    );
}

#[test]
fn difference_d50_a_conversation_with_nobody_left_goes_and_its_flags_with_it() {
    // DIFFERENCE D50: charms.reactive leaves the flag, and the handlers that wait for it fail (R5).
    let mut unit = of_old();
    let keys = [store_old(&mut unit, "zk/9", &["zk/9"])];
    give_flag(&mut unit, &keys);
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0]);
    assert_eq!(unit.stored().into_keys().collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn difference_d50_the_unit_that_departs_in_the_first_hook_is_still_there() {
    // DIFFERENCE D50: Juju does not list it any more, and charms.reactive has lost it.
    let mut unit = of_old();
    store_old(&mut unit, "zk/2", &["zk/2"]);
    unit.remove_member("zkpeer:0", "zk/2");
    unit.run_relation("zkpeer-relation-departed", "zkpeer:0", "zk/2");
    assert_eq!(unit.stored()["departing"], "\"address of zk/2\"");
}

#[test]
fn conversations_in_the_new_format_cost_no_question() {
    let mut unit = of_old();
    unit.run("update-status");
    assert_eq!(unit.commands(), [""; 0]);
}
