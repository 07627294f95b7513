//! Rule 11, and what a handler can do wrong.

use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Config, ControllerState, EndHook, Flags, HookOutcome, Kv, Port, Ports, Result, Status, action, handlers, when,
    when_not,
};

#[when_not("begun")]
fn begins(flags: Flags, kv: Kv, state: ControllerState, ports: Ports) -> Result {
    flags.set("begun");
    kv.set("value", &1)?;
    state.set("key", "value");
    ports.open(Port::tcp(2181));
    Ok(())
}

#[when("begun")]
fn fails() -> Result {
    Err(std::io::Error::other("the disk is full").into())
}

#[when("begun")]
fn panics() {
    let empty: Vec<u8> = Vec::new();
    assert!(!empty.is_empty(), "nothing there");
}

#[test]
fn rule_11_a_hook_that_fails_in_the_middle_leaves_no_trace() {
    let mut unit = Unit::new(handlers![begins, fails]);
    unit.store("value", &0);
    let before = unit.stored();
    let report = unit.try_run("install");
    assert_eq!((report.handlers(), report.outcome), (vec!["begins", "fails"], HookOutcome::Failed));
    assert_eq!(unit.stored(), before);
    assert_eq!(unit.commands(), [""; 0], "nothing that was gathered is sent");
    assert_eq!(unit.try_run("install").handlers(), ["begins", "fails"], "the retry starts from the same state");
}

#[test]
fn rule_11_what_was_gathered_is_sent_at_the_end() {
    let mut unit = Unit::new(handlers![begins]);
    unit.run("install");
    assert_eq!(unit.commands(), ["state-set key=value zkpeer.kept=app/0-install", "open-port 2181/tcp"]);
    assert_eq!(unit.flags(), ["begun"]);
}

#[test]
fn rule_11_whether_juju_has_kept_a_hook_is_asked_once_by_the_next() {
    let mut unit = Unit::new(handlers![begins]);
    unit.run("install");
    unit.run("config-changed");
    assert_eq!(unit.commands(), ["state-get"]);
    unit.run("start");
    assert_eq!(unit.commands(), [""; 0]);
    assert_eq!(unit.flags(), ["begun"]);
}

/// A unit that has stored what the hook `install` has left, which Juju has not kept.
fn not_kept() -> Unit {
    let mut kept = Unit::new(handlers![begins]);
    kept.run("install");
    let mut unit = Unit::new(handlers![says]);
    for (key, text) in kept.stored() {
        unit.store(&key, &serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default());
    }
    unit
}

#[test]
fn rule_11_what_juju_has_not_kept_is_taken_back_before_the_next_hook() {
    let mut unit = not_kept();
    assert_eq!(unit.run("config-changed").handlers(), [""; 0], "`begun` is not set any longer");
    assert_eq!(unit.commands(), ["state-get"]);
    assert!(unit.stored().is_empty(), "{:?}", unit.stored());
}

#[test]
fn rule_11_what_juju_has_not_kept_stays_if_somebody_else_has_gone_on_from_it() {
    let mut unit = not_kept();
    unit.store("value", &2);
    assert_eq!(unit.run("config-changed").handlers(), ["says"]);
    let stored = unit.stored();
    let stored: Vec<_> = stored.iter().map(|(key, text)| (key.as_str(), text.as_str())).collect();
    assert_eq!(stored, [("reactive.states.begun", "null"), ("value", "2")]);
}

#[test]
fn rule_11_a_write_that_juju_refuses_fails_the_hook_and_nothing_is_kept() {
    let mut unit = Unit::new(handlers![begins]);
    unit.fail_command("open-port", Some("cannot open 2181/tcp"));
    let report = unit.try_run("install");
    assert!(report.error.unwrap().contains("cannot open 2181/tcp"));
    assert_eq!(unit.flags(), [""; 0]);
}

#[test]
fn an_error_names_handler_place_hook_and_cause() {
    let error = Unit::new(handlers![begins, fails]).try_run("install").error.unwrap();
    for part in ["failures::fails", "tests/rules/failures.rs:", "install", "the disk is full"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[test]
fn a_panic_names_handler_place_hook_and_message() {
    let mut unit = Unit::new(handlers![begins, panics]);
    let error = unit.try_run("start").error.unwrap();
    for part in ["failures::panics", "tests/rules/failures.rs:", "panicked in start", "nothing there"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert_eq!(unit.flags(), [""; 0]);
}

#[when_not("never")]
fn a_ends_hook(flags: Flags) -> Result {
    flags.set("kept");
    Err(EndHook.into())
}

#[when_not("never")]
fn b_is_not_reached() {}

#[test]
fn a_handler_can_end_the_hook_early_and_successfully() {
    let mut unit = Unit::new(handlers![a_ends_hook, b_is_not_reached]);
    let report = unit.run("install");
    assert_eq!((report.handlers(), report.outcome), (vec!["a_ends_hook"], HookOutcome::EndedEarly));
    assert_eq!(unit.flags(), ["kept"]);
}

#[when_not("x")]
fn sets_no_name(flags: Flags) {
    flags.set("two words");
}

#[test]
fn a_text_that_is_no_flags_name_fails_the_hook() {
    let mut unit = Unit::new(handlers![sets_no_name]);
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("`two words` cannot be set or cleared") && error.contains("sets_no_name"), "{error}");
}

#[when("begun")]
fn says(status: Status) -> Result {
    Ok(status.maintenance("at work")?)
}

#[test]
fn what_juju_applies_at_once_is_outside() {
    let mut unit = Unit::new(handlers![begins, says, fails]);
    // `fails` stands above `says` in this file.
    assert_eq!(unit.try_run("install").handlers(), ["begins", "fails"]);
    let mut unit = Unit::new(handlers![begins, says]);
    unit.run("install");
    assert_eq!(unit.commands()[0], "status-set maintenance at work");
}

#[action("backup")]
fn backup() -> Result {
    Err("no space".into())
}

#[test]
fn an_action_without_a_handler_says_so() {
    let error = Unit::new(handlers![backup]).try_run_action("restore", &[]).error.unwrap();
    assert!(error.contains("no handler for the action `restore`"), "{error}");
}

#[derive(serde::Deserialize)]
struct Options {
    name: String,
    #[serde(rename = "client-port")]
    port: u16,
}

#[when("whole")]
fn reads_all(config: Config, flags: Flags) -> Result {
    let Options { name, port } = config.all()?;
    flags.set(format!("{name}.{port}"));
    Ok(())
}

#[test]
fn a_configuration_that_does_not_fit_names_the_option() {
    let mut unit = Unit::new(handlers![reads_all]);
    unit.store("reactive.states.whole", &());
    unit.set_config("name", "zk");
    let missing = unit.try_run("start").error.unwrap_or_default();
    assert!(
        missing.contains("configuration `config.yaml`") && missing.contains("missing field `client-port`"),
        "{missing}"
    );
    unit.set_config("client-port", -5);
    let wrong = unit.try_run("start").error.unwrap_or_default();
    assert!(wrong.contains("configuration option `client-port`") && wrong.contains("expected u16"), "{wrong}");
    unit.set_config("client-port", 2181);
    unit.run("start");
    assert!(unit.is_set("zk.2181"));
}
