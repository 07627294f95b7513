//! The flags that follow leadership, configuration and series upgrade.

use zkpeer_core::testing::Unit;
use zkpeer_core::{Config, Flags, HookOutcome, Result, handlers, when, when_any, when_not};

#[when("leadership.is_leader")]
fn leads() {}

#[when("leadership.changed.nonce")]
fn new_nonce() {}

#[when("leadership.set.nonce")]
fn has_nonce() {}

#[when("leadership.changed")]
fn any_setting() {}

#[when_not("never")]
fn idle() {}

#[test]
fn nobody_is_asked_when_nobody_wants_to_know() {
    let mut unit = Unit::new(handlers![idle]);
    unit.run("update-status");
    assert_eq!(unit.commands(), [""; 0]);
    let mut unit = Unit::new(handlers![leads]);
    unit.run("update-status");
    assert_eq!(unit.commands(), ["is-leader"]);
}

#[test]
fn leadership_follows_juju() {
    let mut unit = Unit::new(handlers![leads]);
    assert_eq!(unit.run("install").handlers(), [""; 0]);
    unit.set_leader(true);
    assert_eq!(unit.run("update-status").handlers(), ["leads"]);
    unit.set_leader(false);
    assert_eq!(unit.run("update-status").handlers(), [""; 0]);
    assert_eq!(unit.flags(), [""; 0]);
}

#[test]
fn leader_settings_are_new_once() {
    let mut unit = Unit::new(handlers![new_nonce, has_nonce, any_setting]);
    assert_eq!(unit.run("install").handlers(), [""; 0]);
    unit.set_leader_setting("nonce", "1");
    assert_eq!(unit.run("leader-settings-changed").handlers(), ["new_nonce", "has_nonce", "any_setting"]);
    assert_eq!(unit.run("update-status").handlers(), ["has_nonce"]);
    unit.set_leader_setting("nonce", "");
    assert_eq!(unit.run("leader-settings-changed").handlers(), ["new_nonce", "any_setting"]);
    assert_eq!(unit.run("update-status").handlers(), [""; 0]);
    let stored = unit.stored();
    assert_eq!(
        stored.get("leadership.settings.nonce").map(String::as_str),
        Some("null"),
        "as layer-leadership keeps it"
    );
}

#[test]
fn a_setting_that_a_failed_hook_saw_is_still_new() {
    #[when("leadership.changed.nonce")]
    fn fails() -> Result {
        Err("not yet".into())
    }
    let mut unit = Unit::new(handlers![new_nonce, fails]);
    unit.set_leader_setting("nonce", "1");
    assert_eq!(unit.try_run("update-status").outcome, HookOutcome::Failed);
    assert_eq!(unit.try_run("update-status").handlers(), ["new_nonce", "fails"]);
}

#[when("config.changed")]
fn any_option() {}

#[when("config.changed.port")]
fn new_port() {}

#[when("config.set.port")]
fn port_set() {}

#[when("config.default.port")]
fn port_default() {}

#[test]
fn configuration_is_new_once_and_its_flags_are_not_stored() {
    let mut unit = Unit::new(handlers![any_option, new_port, port_set, port_default]);
    std::fs::write(unit.charm_dir().join("config.yaml"), "options:\n  port: {type: int, default: 2181}\n").unwrap();
    unit.set_config("port", 2181);
    assert_eq!(unit.run("config-changed").handlers(), ["any_option", "new_port", "port_set", "port_default"]);
    assert_eq!(unit.run("update-status").handlers(), ["port_set", "port_default"]);
    unit.set_config("port", 0);
    assert_eq!(unit.run("config-changed").handlers(), ["any_option", "new_port"]);
    assert_eq!(unit.flags(), [""; 0]);
}

#[test]
fn a_malformed_config_yaml_fails_the_hook_with_its_line() {
    let mut unit = Unit::new(handlers![any_option]);
    std::fs::write(unit.charm_dir().join("config.yaml"), "options: [\n").unwrap();
    let error = unit.try_run("config-changed").error.unwrap();
    assert!(error.contains("config.yaml") && error.contains("line"), "{error}");
}

#[when_not("asked")]
fn asks_by_a_made_up_name(flags: Flags) {
    let option = String::from("port");
    flags.toggle("answer", flags.is_set(format!("config.set.{option}")));
    flags.set("asked");
}

#[test]
fn an_automatic_flag_can_be_asked_for_by_a_name_made_at_run_time() {
    let mut unit = Unit::new(handlers![asks_by_a_made_up_name]);
    unit.set_config("port", 1);
    unit.run("update-status");
    assert_eq!(
        (unit.commands(), unit.flags()),
        (vec!["config-get".to_owned()], vec!["answer".to_owned(), "asked".to_owned()])
    );
}

#[when_any("config.changed", "config.set.port")]
fn reads_config(config: Config) -> Result {
    assert_eq!(config.get::<u16>("port")?, Some(2181));
    assert!(config.get::<bool>("port").is_err());
    Ok(())
}

#[test]
fn configuration_is_read_once_a_hook() {
    let mut unit = Unit::new(handlers![reads_config]);
    unit.set_config("port", 2181);
    assert_eq!(unit.run("config-changed").error, None);
    assert_eq!(unit.commands(), ["config-get"]);
}

#[when("upgrade.series.in-progress")]
fn upgrading() {}

#[test]
fn the_flag_of_a_series_upgrade_stands_from_pre_to_post() {
    let mut unit = Unit::new(handlers![upgrading]);
    assert_eq!(unit.run("pre-series-upgrade").handlers(), ["upgrading"]);
    assert_eq!(unit.run("update-status").handlers(), ["upgrading"]);
    assert_eq!(unit.run("post-series-upgrade").handlers(), [""; 0]);
}

#[test]
fn a_restricted_hook_asks_juju_nothing() {
    let mut unit = Unit::new(handlers![leads, any_option]).juju("3.6.9");
    unit.run("collect-metrics");
    assert_eq!(unit.commands(), [""; 0]);
}
