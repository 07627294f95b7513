//! Bugs that were found, each with the test that found it.

use std::cell::Cell;
use std::rc::Rc;

use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Charm, Commands, Config, Conversation, Flags, HookOutcome, Kv, Leader, Resource, Result, Scope, Triggers, handlers,
    hook, when, when_file_changed, when_not,
};

use crate::Quorum;

fn with(quorum: &Quorum, scope: Scope, then: impl FnOnce(Conversation)) -> Result {
    if let Some(conversation) = quorum.0.conversation(scope)? {
        then(conversation);
    }
    Ok(())
}

const METADATA: &str = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n";

// ---- triggers on automatic flags ----
#[when_not("never")]
fn idle() {}

#[test]
fn trigger_on_config_changed_without_a_watching_handler() {
    let charm = Charm::new().handlers(handlers![idle]).triggers(|triggers| {
        triggers.when("config.changed").clear("server.configured");
    });
    let mut unit = Unit::of(charm);
    unit.store("reactive.states.server.configured", &());
    unit.set_config("port", 1);
    unit.try_run("config-changed");
    assert!(!unit.is_set("server.configured"), "the trigger of Charm::triggers' own example has acted");
}

#[test]
fn trigger_on_is_leader() {
    let charm = Charm::new().handlers(handlers![idle]).triggers(|triggers| {
        triggers.when("leadership.is_leader").set("lead");
    });
    let mut unit = Unit::of(charm);
    unit.set_leader(true);
    unit.try_run("leader-elected");
    assert!(unit.is_set("lead"));
}

// ---- Rc cycle ----
#[when_not("begun")]
fn captures(triggers: Triggers, flags: Flags, kv: Kv) {
    triggers.when("begun").call(move |_| Ok(kv.set("called", &true)?));
    flags.set("begun");
}

#[test]
fn a_callback_that_captures_a_handle_keeps_nothing_from_being_stored() {
    let mut unit = Unit::new(handlers![captures]);
    let report = unit.try_run("install");
    assert_eq!(report.outcome, HookOutcome::Settled);
    assert_eq!(unit.flags(), ["begun"]);
}

#[when_not("begun")]
fn captures_a_resource(triggers: Triggers, flags: Flags, kv: Kv, resource: Resource<Rc<()>>) {
    let captured = Rc::clone(&resource);
    triggers.when("begun").call(move |_| Ok(kv.set("owners", &Rc::strong_count(&captured))?));
    flags.set("begun");
}

#[test]
fn a_callback_that_captures_a_handle_is_let_go_of_after_the_hook() {
    let resource = Rc::new(());
    let charm = Charm::new().handlers(handlers![captures_a_resource]).resource(Rc::clone(&resource));
    let mut unit = Unit::of(charm);
    let owners = Rc::strong_count(&resource);
    unit.run("install");
    assert_eq!(unit.stored()["owners"], (owners + 1).to_string());
    assert_eq!(Rc::strong_count(&resource), owners);
}

// ---- leader set twice ----
#[when("leadership.is_leader", "go")]
fn sets_twice(leader: Leader, flags: Flags) -> Result {
    flags.clear("go");
    leader.set("nonce", "1")?;
    leader.set("nonce", "1")?;
    Ok(())
}
#[when("leadership.changed.nonce")]
fn new_nonce() {}

#[test]
fn setting_the_same_again_leaves_the_changed_flag() {
    let mut unit = Unit::new(handlers![sets_twice, new_nonce]);
    unit.set_leader(true);
    unit.store("reactive.states.go", &());
    let report = unit.try_run("update-status");
    assert_eq!(report.handlers(), ["sets_twice", "new_nonce"]);
}

#[when("go")]
fn sets_then_asks(leader: Leader, flags: Flags) -> Result {
    leader.set("nonce", "1")?;
    flags.clear("go");
    flags.toggle("seen", flags.is_set("leadership.set.nonce"));
    flags.toggle("got", leader.get("nonce")?.is_some());
    Ok(())
}
#[test]
fn what_this_hook_has_set_is_seen_by_the_flag() {
    let mut unit = Unit::new(handlers![sets_then_asks]);
    unit.set_leader(true);
    unit.store("reactive.states.go", &());
    unit.try_run("update-status");
    assert!(unit.is_set("got"));
    assert!(unit.is_set("seen"));
}

#[when_not("x")]
fn sets_white_space(leader: Leader, flags: Flags) -> Result {
    flags.set("x");
    leader.set("nonce", " 1 ")?;
    Ok(())
}
#[test]
fn leader_set_refuses_what_would_be_trimmed() {
    let mut unit = Unit::new(handlers![sets_white_space]);
    unit.set_leader(true);
    let report = unit.try_run("update-status");
    assert_eq!(report.outcome, HookOutcome::Failed);
}

// ---- conversations ----
#[hook("{peers:quorum}-relation-joined")]
fn global_joined(quorum: Quorum) -> Result {
    with(&quorum, Scope::Global, |conversation| conversation.set_flag("{relation_name}.connected"))?;
    Ok(())
}

#[test]
fn difference_d12_the_last_unit_of_a_global_conversation_with_a_flag_leaves_too() {
    let mut unit = Unit::new(handlers![global_joined]).metadata(METADATA);
    for n in 1..=3 {
        let name = format!("zk/{n}");
        unit.set_member("zkpeer:0", &name, &[]);
        unit.try_run_relation("zkpeer-relation-joined", "zkpeer:0", &name);
        unit.remove_member("zkpeer:0", &name);
        unit.try_run_relation("zkpeer-relation-departed", "zkpeer:0", &name);
    }
    unit.set_member("zkpeer:0", "zk/4", &[]);
    unit.try_run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/4");
    assert!(
        unit.stored()["reactive.conversations.zkpeer.global"].ends_with(r#""units": ["zk/4"]}"#),
        "{}",
        unit.stored()["reactive.conversations.zkpeer.global"]
    );
}

#[hook("{peers:quorum}-relation-joined")]
fn local_departed(quorum: Quorum) -> Result {
    let Some(conversation) = quorum.0.conversation(Scope::Unit)? else { return Ok(()) };
    conversation.set_flag("{relation_name}.joined");
    conversation.set_local("departed", &false)?;
    conversation.set_local("address", "10.0.0.1")?;
    Ok(())
}
#[when("zkpeer.joined")]
fn dismiss(quorum: Quorum) -> Result {
    for conversation in quorum.0.conversations_in("{relation_name}.joined")? {
        conversation.clear_flag("{relation_name}.joined");
    }
    Ok(())
}
#[test]
fn a_local_value_named_departed_is_the_authors_own() {
    let mut unit = Unit::new(handlers![local_departed, dismiss]).metadata(METADATA);
    unit.set_member("zkpeer:0", "zk/1", &[]);
    let report = unit.try_run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    assert_eq!(report.error, None);
    assert!(
        unit.stored().contains_key("reactive.conversations.zkpeer:0.zk/1.local-data.address"),
        "{:?}",
        unit.stored()
    );
}

#[hook("{peers:quorum}-relation-joined")]
fn joined(quorum: Quorum) -> Result {
    with(&quorum, Scope::Unit, |conversation| conversation.set_flag("{relation_name}.joined"))?;
    Ok(())
}
#[hook("{peers:quorum}-relation-departed")]
fn departed(quorum: Quorum) -> Result {
    with(&quorum, Scope::Unit, |conversation| conversation.set_flag("{relation_name}.departed"))?;
    Ok(())
}

#[test]
fn records_with_null_left_by_python_do_not_fail_hooks() {
    let mut unit = Unit::new(handlers![joined, departed]).metadata(METADATA);
    // As charms.reactive 1.5.3 stores them outside a hook of a relation (F11), taken from a run of it.
    unit.store(
        "reactive.conversations.None.None",
        &serde_json::json!({"namespace": null, "scope": null, "units": [null]}),
    );
    unit.set_member("zkpeer:0", "zk/1", &[]);
    assert_eq!(unit.try_run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1").error, None);
    unit.remove_member("zkpeer:0", "zk/1");
    assert_eq!(unit.try_run_relation("zkpeer-relation-departed", "zkpeer:0", "zk/1").error, None);
}

#[when("clear")]
fn plain_clear(flags: Flags) {
    flags.clear("zkpeer.departed");
    flags.clear("clear");
}
#[test]
fn a_plain_clear_forgets_the_departed_conversation_too() {
    #[hook("{peers:quorum}-relation-departed")]
    fn gone(quorum: Quorum) -> Result {
        let Some(conversation) = quorum.0.conversation(Scope::Unit)? else { return Ok(()) };
        conversation.clear_flag("{relation_name}.joined");
        conversation.set_flag("{relation_name}.departed");
        Ok(())
    }
    let mut unit = Unit::new(handlers![joined, gone, plain_clear]).metadata(METADATA);
    unit.set_member("zkpeer:0", "zk/1", &[]);
    unit.try_run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    unit.remove_member("zkpeer:0", "zk/1");
    unit.try_run_relation("zkpeer-relation-departed", "zkpeer:0", "zk/1");
    unit.store("reactive.states.clear", &());
    unit.try_run("update-status");
    let left: Vec<String> = unit.stored().into_keys().filter(|key| key.contains("conversations")).collect();
    assert_eq!(left, [""; 0]);
}

#[hook("{peers:quorum}-relation-{joined,changed}")]
fn joined_or_changed(quorum: Quorum) -> Result {
    with(&quorum, Scope::Unit, |conversation| conversation.set_flag("{relation_name}.joined"))?;
    Ok(())
}
#[when("leadership.is_leader", "go")]
fn tells(leader: Leader, flags: Flags) -> Result {
    flags.clear("go");
    leader.set("nonce", "1")?;
    Ok(())
}
#[test]
fn under_juju_4_leader_settings_bring_a_changed_hook_that_is_about_nobody() {
    let mut unit = Unit::new(handlers![joined_or_changed, tells]).metadata(METADATA).juju("4.0.14");
    unit.set_leader(true);
    unit.set_member("zkpeer:0", "zk/1", &[]);
    unit.store("reactive.states.go", &());
    assert_eq!(unit.try_run("update-status").error, None);
    // contract 4.7: all units, the leader included, then run -changed without a remote unit.
    let report = unit.try_run_relation_without_unit("zkpeer-relation-changed", "zkpeer:0");
    assert_eq!(report.error, None);
}

#[when_not("asked")]
fn asks_departed(quorum: Quorum, flags: Flags) -> Result {
    for conversation in quorum.0.conversations() {
        conversation.get_remote("ingress-address")?;
    }
    flags.set("asked");
    Ok(())
}
#[test]
fn there_is_no_remote_data_of_a_relation_that_is_gone() {
    let mut unit = Unit::new(handlers![asks_departed]).metadata(METADATA);
    unit.store(
        "reactive.conversations.zkpeer:0.zk/1",
        &serde_json::json!({"namespace": "zkpeer:0", "scope": "zk/1", "units": ["zk/1"]}),
    );
    unit.fail_command("relation-list", Some("invalid value \"zkpeer:0\" for option -r: relation not found"));
    assert_eq!(unit.try_run("update-status").error, None);
}

// ---- a hook handler with a parameter that nothing fills ----
#[hook("install")]
fn on_install(quorum: Quorum, flags: Flags) {
    flags.set(quorum.0.flag("{relation_name}.prepared"));
}
#[test]
fn difference_d13_a_hook_handler_has_its_interface_in_a_hook_without_relation_too() {
    let mut unit = Unit::new(handlers![on_install]).metadata(METADATA);
    let report = unit.try_run("install");
    assert!(
        report.outcome == HookOutcome::Failed || unit.is_set("zkpeer.prepared"),
        "neither run nor refused: {report:?}"
    );
}

// ---- commands ----
#[when_not("started")]
fn starts_daemon(commands: Commands, flags: Flags) -> Result {
    commands.run("sh", ["-c", "(sleep 20; touch daemon-ended) & echo started"])?;
    flags.set("started");
    Ok(())
}
#[test]
fn a_command_that_leaves_a_daemon_behind_does_not_hang_the_hook() {
    let mut unit = Unit::new(handlers![starts_daemon]);
    assert_eq!(unit.run("start").handlers(), ["starts_daemon"]);
    assert!(!unit.charm_dir().join("daemon-ended").exists(), "the hook has waited for the end of the daemon");
}

// ---- settling ----
#[when("work")]
fn works_through(queue: Resource<Cell<u32>>, flags: Flags) {
    flags.clear("work");
    if queue.get() > 0 {
        queue.set(queue.get() - 1);
        flags.set("work");
    }
}
#[test]
fn difference_d2_work_that_ends_outside_the_store_settles() {
    let mut unit = Unit::of(Charm::new().handlers(handlers![works_through]).resource(Cell::new(3_u32)));
    unit.store("reactive.states.work", &());
    let report = unit.try_run("install");
    assert_eq!(report.error, None);
}

// ---- files ----
#[when_file_changed("x.conf")]
fn old_watcher() {}
#[when_file_changed("x.conf")]
fn new_watcher() {}
#[test]
fn rule_7_a_handler_that_is_new_has_succeeded_on_nothing() {
    let mut unit = Unit::new(handlers![old_watcher]);
    std::fs::write(unit.charm_dir().join("x.conf"), "a").unwrap();
    unit.try_run("start");
    let stored = unit.stored();
    let mut upgraded = Unit::new(handlers![old_watcher, new_watcher]);
    std::fs::write(upgraded.charm_dir().join("x.conf"), "a").unwrap();
    for (key, text) in stored.into_iter().filter(|(key, _)| key != "zkpeer.unconfirmed") {
        upgraded.store(&key, &serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }
    assert_eq!(upgraded.try_run("upgrade-charm").handlers(), ["new_watcher"]);
}
#[when_file_changed("x.conf/deeper")]
fn below_a_file() {}
#[test]
fn a_path_below_a_file_is_a_file_that_is_not_there() {
    let mut unit = Unit::new(handlers![below_a_file]);
    std::fs::write(unit.charm_dir().join("x.conf"), "a").unwrap();
    assert_eq!(unit.try_run("install").error, None);
}

#[when("config.changed.port")]
fn port_changed(config: Config) {
    let _ = config;
}

struct Nosy(Flags);
impl serde::Serialize for Nosy {
    fn serialize<S: serde::Serializer>(&self, s: S) -> std::result::Result<S::Ok, S::Error> {
        s.serialize_bool(self.0.is_set("x"))
    }
}
#[when_not("done")]
fn nosy(kv: Kv, flags: Flags) -> Result {
    kv.set("k", &Nosy(flags.clone()))?;
    flags.set("done");
    Ok(())
}
#[test]
fn a_value_that_looks_at_flags_while_it_is_stored() {
    let report = Unit::new(handlers![nosy]).try_run("install");
    assert_eq!(report.error, None);
}

#[when_not("done")]
fn writes_app(quorum: Quorum, flags: Flags) -> Result {
    for relation in quorum.0.relations()? {
        relation.publish_app_raw("k", "v")?;
    }
    flags.set("done");
    Ok(())
}
#[test]
fn an_application_databag_is_written_by_the_leader_only() {
    let mut unit = Unit::new(handlers![writes_app]).metadata(METADATA);
    unit.set_relation("zkpeer:0", "zk");
    let report = unit.try_run("config-changed");
    assert_eq!(report.outcome, HookOutcome::Failed);
}

// F03b as it should have been asked: the watcher stands behind.
#[when("leadership.is_leader", "go")]
fn confirms(leader: Leader, flags: Flags) -> Result {
    flags.clear("go");
    leader.set("nonce", "1")?;
    Ok(())
}
#[when("leadership.changed.nonce")]
fn sees_it() {}
#[test]
fn confirming_a_setting_that_is_new_leaves_the_changed_flag() {
    let mut unit = Unit::new(handlers![confirms, sees_it]);
    unit.set_leader(true);
    unit.set_leader_setting("nonce", "1");
    unit.store("reactive.states.go", &());
    let report = unit.try_run("update-status");
    assert_eq!(report.handlers(), ["confirms", "sees_it"]);
}

#[hook("{peers:quorum}-relation-joined")]
fn keeps_going(quorum: Quorum, flags: Flags) -> Result {
    let _ = quorum;
    flags.set("a");
    Ok(())
}
#[test]
fn an_option_that_is_gone_has_changed() {
    let mut unit = Unit::new(handlers![port_changed, keeps_going]).metadata(METADATA);
    unit.set_config("port", 1);
    unit.try_run("config-changed");
    unit.set_config("port", serde_json::Value::Null);
    assert_eq!(unit.try_run("config-changed").handlers(), ["port_changed"]);
}

#[when("go")]
fn sets_app(leader: Leader, flags: Flags) -> Result {
    leader.set("nonce", "1")?;
    flags.clear("go");
    Ok(())
}
#[when("ask")]
fn reads_app(leader: Leader, flags: Flags) -> Result {
    flags.toggle("seen", leader.get("nonce")?.is_some());
    Ok(())
}
#[test]
fn unit_of_juju_4_keeps_what_the_leader_set() {
    let mut unit = Unit::new(handlers![sets_app, reads_app]).metadata(METADATA).juju("4.0.1");
    unit.set_leader(true);
    unit.set_member("zkpeer:0", "zk/1", &[]);
    unit.store("reactive.states.go", &());
    assert_eq!(unit.try_run("update-status").error, None);
    unit.store("reactive.states.ask", &());
    assert_eq!(unit.try_run("update-status").error, None);
    assert!(unit.is_set("seen"));
}
#[derive(Debug)]
struct Wrapped(zkpeer_core::EndHook);
impl std::fmt::Display for Wrapped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("wrapped")
    }
}
impl std::error::Error for Wrapped {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}
#[when_not("done")]
fn ends_wrapped(flags: Flags) -> std::result::Result<(), Wrapped> {
    flags.set("done");
    Err(Wrapped(zkpeer_core::EndHook))
}
#[test]
fn an_end_hook_that_an_error_of_the_authors_wraps() {
    let report = Unit::new(handlers![ends_wrapped]).try_run("install");
    assert_eq!(report.outcome, HookOutcome::EndedEarly, "{:?}", report.error);
}
#[when("ask")]
fn catches(flags: Flags) {
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| flags.set("x0")));
    flags.clear("x0");
    flags.set("x0");
}
#[test]
fn a_caught_panic_in_a_callback_ends_the_cascade() {
    let once = std::cell::Cell::new(true);
    let charm = zkpeer_core::Charm::new().handlers(handlers![catches]).triggers(move |t| {
        let first = once.replace(false);
        let armed = std::rc::Rc::new(std::cell::Cell::new(first));
        t.when("x0").call(move |_| {
            if armed.replace(false) {
                panic!("once")
            }
            Ok(())
        });
    });
    let mut unit = Unit::of(charm);
    unit.store("reactive.states.ask", &());
    assert_eq!(unit.try_run("install").error, None);
}
#[when_not("asked")]
fn asks_lazily(flags: Flags) {
    let _ = flags.is_set("config.changed.port");
    flags.set("asked");
}
#[test]
fn asking_is_no_change_of_the_handlers() {
    let mut unit = Unit::new(handlers![asks_lazily]);
    unit.set_config("port", 1);
    let report = unit.try_run("install");
    let changes: Vec<&str> = report.rounds[0].handlers[0].changes.iter().map(|c| c.flag.as_str()).collect();
    assert_eq!(changes, ["asked"]);
}
#[zkpeer_core::hook("no-such-endpoint-relation-joined")]
fn never(flags: Flags) {
    flags.set("x");
}
#[test]
fn d13_a_hook_of_an_endpoint_that_the_charm_has_not() {
    let report = Unit::new(handlers![never]).metadata(METADATA).try_run("install");
    assert_eq!(report.outcome, HookOutcome::Failed);
}

/// What a test of a charm says that asks for what Juju never does.
fn refused(test: impl FnOnce(&mut Unit) + std::panic::UnwindSafe) -> String {
    let run = || test(&mut Unit::new(handlers![]).metadata("name: zk\npeers:\n  zkpeer: {interface: quorum}\n"));
    let panic = std::panic::catch_unwind(run).err();
    panic.and_then(|panic| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

#[test]
fn a_test_that_misspells_a_hook_or_an_endpoint_fails() {
    let hook = "hook: Juju has no hook `config-change`; is it `config-changed`?";
    assert_eq!(refused(|unit| drop(unit.run("config-change"))), hook);
    let endpoint = "Juju could not do this: metadata.yaml has no endpoint `peer`; it has: zkpeer; is it `zkpeer`?";
    assert_eq!(refused(|unit| unit.set_member("peer:0", "zk/1", &[])), endpoint);
    assert_eq!(refused(|unit| drop(unit.run_relation("peer-relation-joined", "peer:0", "zk/1"))), endpoint);
    let other = "hook: `peer-relation-joined` is not about `zkpeer:0`, of `zkpeer`";
    assert_eq!(refused(|unit| drop(unit.run_relation("peer-relation-joined", "zkpeer:0", "zk/1"))), other);
}
