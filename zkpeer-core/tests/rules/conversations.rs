//! Conversations: scopes, flags, local values, departure (differences D8 and D12).

use zkpeer_core::testing::Unit;
use zkpeer_core::{Flags, Kv, Result, Scope, handlers, hook, when};

use crate::Quorum;

const METADATA: &str = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n";

#[hook("{peers:quorum}-relation-{joined,changed}")]
fn joined(quorum: Quorum) -> Result {
    for scope in [Scope::Unit, Scope::Application, Scope::Global] {
        quorum.0.conversation(scope)?;
    }
    let Some(conversation) = quorum.0.conversation(Scope::Unit)? else { return Ok(()) };
    conversation.clear_flag("{relation_name}.departed");
    conversation.set_flag("{relation_name}.joined");
    let address = conversation.get_remote("ingress-address")?;
    conversation.set_local("address", &address)?;
    conversation.set_remote("greeting", "hello")?;
    Ok(())
}

#[hook("{peers:quorum}-relation-departed")]
fn departed(quorum: Quorum) -> Result {
    let Some(conversation) = quorum.0.conversation(Scope::Unit)? else { return Ok(()) };
    conversation.clear_flag("{relation_name}.joined");
    conversation.set_flag("{relation_name}.departed");
    Ok(())
}

#[when("{relation_name}.departed", "handle")]
fn handles(quorum: Quorum, kv: Kv) -> Result {
    let mut seen = Vec::new();
    for conversation in quorum.0.conversations_in("{relation_name}.departed")? {
        assert!(conversation.has_departed() || conversation.is_flag_set("{relation_name}.departed"));
        let address: Option<Option<String>> = conversation.get_local("address")?;
        seen.push((conversation.units().map(str::to_owned).collect::<Vec<_>>(), address.flatten()));
        conversation.clear_flag("{relation_name}.departed");
    }
    kv.set("seen", &seen)?;
    Ok(())
}

fn unit() -> Unit {
    let mut unit = Unit::new(handlers![joined, departed, handles]).metadata(METADATA);
    for number in 1..=2 {
        let name = format!("zk/{number}");
        unit.set_member("zkpeer:0", &name, &[("ingress-address", &format!("10.0.0.{number}"))]);
        let report = unit.run_relation("zkpeer-relation-joined", "zkpeer:0", &name);
        assert_eq!(report.error, None);
    }
    unit
}

fn depart(unit: &mut Unit, name: &str) {
    unit.remove_member("zkpeer:0", name);
    let report = unit.run_relation("zkpeer-relation-departed", "zkpeer:0", name);
    assert_eq!(report.error, None);
}

#[test]
fn conversations_are_stored_as_charms_reactive_stores_them() {
    let stored = unit().stored();
    let text = |key: &str| stored.get(key).map(String::as_str).unwrap_or_default().to_owned();
    assert_eq!(
        text("reactive.conversations.zkpeer:0.zk/1"),
        r#"{"namespace": "zkpeer:0", "scope": "zk/1", "units": ["zk/1"]}"#
    );
    assert_eq!(
        text("reactive.conversations.zkpeer:0.zk"),
        r#"{"namespace": "zkpeer:0", "scope": "zk", "units": ["zk/1", "zk/2"]}"#
    );
    assert_eq!(
        text("reactive.conversations.zkpeer.global"),
        r#"{"namespace": "zkpeer", "scope": "global", "units": ["zk/1", "zk/2"]}"#
    );
    assert_eq!(
        text("reactive.states.zkpeer.joined"),
        r#"{"conversations": ["reactive.conversations.zkpeer:0.zk/1", "reactive.conversations.zkpeer:0.zk/2"], "relation": "zkpeer"}"#
    );
    assert_eq!(text("reactive.conversations.zkpeer:0.zk/1.local-data.address"), "\"10.0.0.1\"");
}

#[test]
fn a_flag_stands_as_long_as_one_conversation_has_it() {
    let mut unit = unit();
    depart(&mut unit, "zk/1");
    assert_eq!(unit.flags(), ["zkpeer.departed", "zkpeer.joined"]);
    depart(&mut unit, "zk/2");
    assert_eq!(unit.flags(), ["zkpeer.departed"]);
}

#[test]
fn difference_d8_a_departed_unit_can_be_handled_later_with_its_name_and_last_address() {
    // DIFFERENCE D8: charms.reactive has forgotten it, and the flag can never be cleared (R4).
    let mut unit = unit();
    depart(&mut unit, "zk/1");
    unit.store("reactive.states.handle", &());
    assert_eq!(unit.run("update-status").handlers(), ["handles[zkpeer]"]);
    assert_eq!(unit.stored()["seen"], r#"[[["zk/1"], "10.0.0.1"]]"#);
    assert_eq!(unit.flags(), ["handle", "zkpeer.joined"]);
    let left: Vec<String> = unit.stored().into_keys().filter(|key| key.contains("zkpeer:0.zk/1")).collect();
    assert_eq!(left, [""; 0], "nothing is left of it");
}

#[test]
fn difference_d8_a_stale_key_left_by_python_is_made_good() {
    let mut unit = unit();
    let stale = serde_json::json!({"relation": "zkpeer", "conversations": ["reactive.conversations.zkpeer:0.zk/9"]});
    unit.store("reactive.states.zkpeer.departed", &stale);
    unit.store("reactive.states.handle", &());
    unit.run("update-status");
    assert_eq!(unit.stored()["seen"], r#"[[["zk/9"], null]]"#);
    assert!(!unit.is_set("zkpeer.departed"));
}

#[test]
fn difference_d12_conversations_of_all_scopes_lose_a_unit_that_departs() {
    // DIFFERENCE D12: those of charms.reactive's scopes global and service never lose one (F12).
    let mut unit = unit();
    depart(&mut unit, "zk/1");
    for key in ["reactive.conversations.zkpeer:0.zk", "reactive.conversations.zkpeer.global"] {
        assert!(unit.stored()[key].ends_with(r#""units": ["zk/2"]}"#), "{}", unit.stored()[key]);
    }
    depart(&mut unit, "zk/2");
    for key in ["reactive.conversations.zkpeer:0.zk", "reactive.conversations.zkpeer.global"] {
        assert!(!unit.stored().contains_key(key));
    }
}

#[test]
fn a_unit_that_comes_back_is_no_longer_departed() {
    let mut unit = unit();
    depart(&mut unit, "zk/1");
    unit.set_member("zkpeer:0", "zk/1", &[("ingress-address", "10.0.0.9")]);
    unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    assert_eq!(unit.flags(), ["zkpeer.joined"]);
    let stored = unit.stored();
    assert_eq!(stored["reactive.conversations.zkpeer:0.zk/1.local-data.address"], "\"10.0.0.9\"");
    assert!(!stored.keys().any(|key| key.starts_with("zkpeer.departed.")));
}

#[test]
fn what_is_published_goes_out_once_at_the_end_if_it_is_not_there() {
    let mut unit = Unit::new(handlers![joined]).metadata(METADATA);
    unit.set_member("zkpeer:0", "zk/2", &[]);
    let mut sent = |hook: &str| {
        unit.run_relation(hook, "zkpeer:0", "zk/2");
        assert_eq!(unit.published("zkpeer:0")["greeting"], "hello");
        unit.commands().into_iter().filter(|command| command.starts_with("relation-set")).collect::<Vec<_>>()
    };
    assert_eq!(sent("zkpeer-relation-joined"), ["relation-set zkpeer:0 greeting=hello"]);
    assert_eq!(sent("zkpeer-relation-changed"), [""; 0]);
}

#[hook("zkpeer-relation-created", "zkpeer-relation-changed")]
fn talks_to_nobody(quorum: Quorum, flags: Flags) -> Result {
    flags.toggle("alone", quorum.0.conversation(Scope::Unit)?.is_none());
    Ok(())
}

#[test]
fn there_is_no_conversation_in_a_hook_that_is_about_nobody() {
    // charms.reactive makes and stores a conversation `None.None` (F11).
    for hook in ["zkpeer-relation-created", "zkpeer-relation-changed"] {
        let mut unit = Unit::new(handlers![talks_to_nobody]).metadata(METADATA);
        assert_eq!(unit.try_run_relation_without_unit(hook, "zkpeer:0").error, None);
        assert_eq!(unit.stored().into_keys().collect::<Vec<_>>(), ["reactive.states.alone"]);
    }
}

#[when("zkpeer.joined")]
fn sets_plainly(flags: Flags) {
    flags.set("zkpeer.joined");
}

#[test]
fn a_plain_set_of_a_conversations_flag_leaves_its_conversations() {
    // charms.reactive overwrites the value, and the handlers that want the relation fail.
    let mut unit = unit();
    let before = unit.stored()["reactive.states.zkpeer.joined"].clone();
    let mut with = Unit::new(handlers![sets_plainly]).metadata(METADATA);
    with.store("reactive.states.zkpeer.joined", &serde_json::from_str::<serde_json::Value>(&before).unwrap());
    with.run("update-status");
    assert_eq!(with.stored()["reactive.states.zkpeer.joined"], before);
    unit.run("update-status");
}

/// What all conversations of the endpoint tell of themselves.
#[when("zkpeer.joined")]
fn tells(quorum: Quorum, kv: Kv) -> Result {
    for conversation in quorum.0.conversations() {
        let units: Vec<&str> = conversation.units().collect();
        let relations: Vec<String> = conversation.relations()?.iter().map(ToString::to_string).collect();
        let is = if conversation.has_departed() { "has departed" } else { "is there" };
        let (scope, units, relations) = (conversation.scope(), units.join("+"), relations.join("+"));
        let address = conversation.get_remote("ingress-address")?.unwrap_or_default();
        let told = format!("{scope} ({units}) over {relations} {is}: {address}");
        kv.set(&format!("told by {}", conversation.key()), &told)?;
        kv.set(&format!("all of {scope}"), &conversation.remote()?)?;
    }
    Ok(())
}

fn told(unit: &Unit) -> [String; 4] {
    ["zkpeer:0.zk/1", "zkpeer:0.zk/2", "zkpeer:0.zk", "zkpeer.global"].map(|conversation| {
        let told = unit.stored().remove(&format!("told by reactive.conversations.{conversation}")).unwrap_or_default();
        told.replace('"', "")
    })
}

#[test]
fn a_conversation_tells_with_whom_it_is_over_which_relations_and_what_was_published() {
    let mut unit = Unit::new(handlers![joined, tells]).metadata(METADATA);
    let bags = [("zk/1", vec![("a", "1")]), ("zk/2", vec![("ingress-address", "10.0.0.2"), ("a", "2")])];
    for (name, bag) in bags {
        unit.set_member("zkpeer:0", name, &bag);
        unit.run_relation("zkpeer-relation-joined", "zkpeer:0", name);
    }
    unit.run("update-status");
    assert_eq!(
        told(&unit),
        [
            "zk/1 (zk/1) over zkpeer:0 is there: ",
            "zk/2 (zk/2) over zkpeer:0 is there: 10.0.0.2",
            "zk (zk/1+zk/2) over zkpeer:0 is there: 10.0.0.2",
            "global (zk/1+zk/2) over zkpeer:0 is there: 10.0.0.2",
        ]
    );
    assert_eq!(unit.stored()["all of global"], r#"{"a": "1", "ingress-address": "10.0.0.2"}"#, "the first of each key");
}

#[test]
fn a_partner_departs_with_its_last_unit_whose_databag_can_still_be_read() {
    let mut unit = Unit::new(handlers![joined, tells]).metadata(METADATA);
    for number in 1..=2 {
        let name = format!("zk/{number}");
        unit.set_member("zkpeer:0", &name, &[("ingress-address", &format!("10.0.0.{number}"))]);
        unit.run_relation("zkpeer-relation-joined", "zkpeer:0", &name);
    }
    depart(&mut unit, "zk/1");
    assert_eq!(
        told(&unit),
        [
            "zk/1 (zk/1) over zkpeer:0 has departed: 10.0.0.1",
            "zk/2 (zk/2) over zkpeer:0 is there: 10.0.0.2",
            "zk (zk/1+zk/2) over zkpeer:0 is there: 10.0.0.2",
            "global (zk/1+zk/2) over zkpeer:0 is there: 10.0.0.2",
        ]
    );
    depart(&mut unit, "zk/2");
    assert_eq!(
        told(&unit)[1..],
        [
            "zk/2 (zk/2) over zkpeer:0 has departed: 10.0.0.2",
            "zk (zk/2) over zkpeer:0 has departed: 10.0.0.2",
            "global (zk/2) over zkpeer:0 has departed: 10.0.0.2",
        ]
    );
}

#[hook("update-status")]
fn greets_all(quorum: Quorum) -> Result {
    for conversation in quorum.0.conversations() {
        conversation.set_remote(&format!("for-{}", conversation.scope().replace('/', "-")), "hello")?;
        conversation.toggle_flag("{relation_name}.greeted", true);
        conversation.toggle_flag("{relation_name}.greeted", !conversation.scope().contains('1'));
    }
    Ok(())
}

#[test]
fn a_partner_that_has_departed_is_told_nothing_and_can_still_be_flagged() {
    let mut unit = unit();
    depart(&mut unit, "zk/1");
    let mut unit = {
        let mut later = Unit::new(handlers![greets_all]).metadata(METADATA);
        unit.stored().into_iter().for_each(|(key, text)| {
            later.store(&key, &serde_json::from_str::<serde_json::Value>(&text).unwrap());
        });
        later.set_member("zkpeer:0", "zk/2", &[]);
        later
    };
    unit.unstore("zkpeer.unconfirmed");
    unit.run("update-status");
    let told: Vec<String> = unit.published("zkpeer:0").into_keys().collect();
    assert_eq!(told, ["for-global", "for-zk", "for-zk-2"]);
    let greeted = &unit.stored()["reactive.states.zkpeer.greeted"];
    assert!(!greeted.contains("zk/1") && greeted.contains("zk/2") && greeted.contains("global"), "{greeted}");
}

#[test]
fn a_stale_key_of_no_unit_is_a_conversation_of_nobody() {
    let mut unit = unit();
    unit.unstore("reactive.conversations.zkpeer.global");
    let stale = serde_json::json!({"relation": "zkpeer", "conversations": ["reactive.conversations.zkpeer.global"]});
    unit.store("reactive.states.zkpeer.departed", &stale);
    unit.set_flag("handle");
    unit.run("update-status");
    assert_eq!(unit.stored()["seen"], "[[[], null]]");
}

#[test]
fn a_flag_whose_value_is_not_one_of_conversations_fails_the_hook_that_gives_it_to_one() {
    let mut unit = Unit::new(handlers![joined]).metadata(METADATA);
    unit.store("reactive.states.zkpeer.joined", "a text");
    unit.set_member("zkpeer:0", "zk/1", &[]);
    let error = unit.try_run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1").error.unwrap_or_default();
    assert!(error.contains("reactive.states.zkpeer.joined"), "{error}");
}

#[hook("{peers:quorum}-relation-departed")]
fn departed_for_two(quorum: Quorum) -> Result {
    let Some(conversation) = quorum.0.conversation(Scope::Unit)? else { return Ok(()) };
    conversation.clear_flag("{relation_name}.joined");
    conversation.set_flag("{relation_name}.departed");
    conversation.set_flag("{relation_name}.untold");
    Ok(())
}

#[when("handle", "{relation_name}.departed")]
fn handles_one(quorum: Quorum, kv: Kv) -> Result {
    for conversation in quorum.0.conversations_in("{relation_name}.departed")? {
        conversation.clear_flag("{relation_name}.departed");
        let has = |flag: &str| conversation.is_flag_set(flag);
        kv.set("left", &(conversation.has_departed(), has("{relation_name}.departed"), has("{relation_name}.untold")))?;
    }
    Ok(())
}

#[when("tell", "{relation_name}.untold")]
fn handles_the_other(quorum: Quorum) -> Result {
    quorum
        .0
        .conversations_in("{relation_name}.untold")?
        .iter()
        .for_each(|gone| gone.clear_flag("{relation_name}.untold"));
    Ok(())
}

#[test]
fn a_departed_conversation_is_there_until_its_last_flag_is_taken() {
    let handlers = handlers![joined, departed_for_two, handles_one, handles_the_other];
    let mut unit = Unit::new(handlers).metadata(METADATA);
    unit.set_member("zkpeer:0", "zk/1", &[("ingress-address", "10.0.0.1")]);
    unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    depart(&mut unit, "zk/1");
    let is_known = |unit: &Unit| unit.stored().keys().any(|key| key.contains("zkpeer:0.zk/1"));
    unit.set_flag("handle");
    unit.run("update-status");
    assert_eq!(unit.stored()["left"], "[true, false, true]");
    assert!(is_known(&unit) && unit.is_set("zkpeer.untold"), "{:?}", unit.stored());
    unit.set_flag("tell");
    unit.run("update-status");
    assert!(!is_known(&unit) && !unit.is_set("zkpeer.untold"), "{:?}", unit.stored());
}

#[test]
fn a_conversation_of_which_there_is_only_a_flag_has_departed() {
    let mut unit = Unit::new(handlers![handles_one]).metadata(METADATA);
    let stale = serde_json::json!({"relation": "zkpeer", "conversations": ["reactive.conversations.zkpeer:0.zk/9"]});
    unit.store("reactive.states.zkpeer.departed", &stale);
    unit.set_flag("handle");
    unit.run("update-status");
    assert_eq!(unit.stored()["left"], "[true, false, false]");
}

#[hook("other-relation-departed")]
fn says_who_is_there(quorum: Quorum, kv: Kv) -> Result {
    let there: Vec<bool> = quorum.0.conversations().iter().map(|conversation| !conversation.has_departed()).collect();
    kv.set("there", &there)?;
    Ok(())
}

#[test]
fn who_departs_from_one_relation_has_not_departed_from_another() {
    let metadata = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n  other: {interface: other}\n";
    let mut unit = Unit::new(handlers![joined, departed, says_who_is_there]).metadata(metadata);
    for relation in ["zkpeer:0", "other:1"] {
        unit.set_member(relation, "zk/1", &[("ingress-address", "10.0.0.1")]);
    }
    unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    unit.run("update-status");
    let before = unit.stored();
    unit.remove_member("other:1", "zk/1");
    unit.run_relation("other-relation-departed", "other:1", "zk/1");
    let mut after = unit.stored();
    assert_eq!(after.remove("there").as_deref(), Some("[true, true, true]"));
    assert_eq!(after, before);
}

#[hook("{peers:quorum}-relation-changed")]
fn talks_to_who_has_published(quorum: Quorum) -> Result {
    quorum.0.conversation(Scope::Global)?;
    Ok(())
}

#[test]
fn who_departs_without_having_been_in_a_conversation_does_not_end_it() {
    let mut unit = Unit::new(handlers![talks_to_who_has_published]).metadata(METADATA);
    for name in ["zk/1", "zk/2"] {
        unit.set_member("zkpeer:0", name, &[]);
        unit.run_relation("zkpeer-relation-joined", "zkpeer:0", name);
    }
    unit.run_relation("zkpeer-relation-changed", "zkpeer:0", "zk/2");
    depart(&mut unit, "zk/1");
    assert_eq!(
        unit.stored().remove("reactive.conversations.zkpeer.global").as_deref(),
        Some(r#"{"namespace": "zkpeer", "scope": "global", "units": ["zk/2"]}"#)
    );
}

#[test]
fn over_a_relation_that_is_gone_nothing_was_published_and_any_other_refusal_fails_the_hook() {
    let gone = "invalid value \"zkpeer:0\" for option -r: relation not found";
    let mut unit = Unit::new(handlers![joined, tells]).metadata(METADATA);
    unit.set_member("zkpeer:0", "zk/1", &[("ingress-address", "10.0.0.1")]);
    unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    for command in ["relation-list", "relation-get"] {
        unit.fail_command(command, Some(gone));
        unit.run("update-status");
        assert!(told(&unit)[2].ends_with("is there: "), "{command}: {:?}", told(&unit));
        unit.fail_command(command, Some("connection refused"));
        let error = unit.try_run("update-status").error.unwrap_or_default();
        assert!(error.contains(command) && error.contains("connection refused"), "{command}: {error}");
        unit.fail_command(command, None);
    }
}
