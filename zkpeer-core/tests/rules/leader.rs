//! What the leader writes, and where.

use std::time::Duration;

use zkpeer_core::testing::Unit;
use zkpeer_core::{Flags, HookOutcome, Leader, Result, handlers, when, when_not};

#[when_not("written")]
fn writes(leader: Leader, flags: Flags) -> Result {
    leader.set("nonce", "7")?;
    assert_eq!(leader.get("nonce")?.as_deref(), Some("7"));
    flags.set("written");
    Ok(())
}

#[when_not("written")]
fn writes_now(leader: Leader, flags: Flags) -> Result {
    leader.set_now("nonce", "8")?;
    flags.set("written");
    Ok(())
}

#[when("leadership.changed.nonce")]
fn new_nonce() {}

#[test]
fn a_leader_setting_is_written_with_the_hook() {
    let mut unit = Unit::new(handlers![writes, new_nonce]);
    unit.set_leader(true);
    let report = unit.run("install");
    assert_eq!(report.handlers_by_round(), [vec!["writes"], vec!["new_nonce"]], "its flags follow in the same hook");
    assert_eq!(unit.commands(), ["leader-get", "is-leader", "leader-set nonce=7"]);
}

#[test]
fn only_the_leader_writes() {
    let mut unit = Unit::new(handlers![writes]);
    let report = unit.try_run("install");
    assert_eq!(report.outcome, HookOutcome::Failed);
    assert!(report.error.unwrap().contains("this unit is not the leader"));
}

#[test]
fn at_once_means_although_the_hook_fails_later() {
    #[when("written")]
    fn fails() -> Result {
        Err("later".into())
    }
    let mut unit = Unit::new(handlers![writes_now, fails]);
    unit.set_leader(true);
    assert_eq!(unit.try_run("install").outcome, HookOutcome::Failed);
    assert!(unit.commands().contains(&"leader-set nonce=8".to_owned()));
}

const PEERS: &str = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n";

#[test]
fn under_juju_4_settings_live_in_the_peer_relations_application_databag() {
    let mut unit = Unit::new(handlers![writes]).metadata(PEERS).juju("4.0.14");
    unit.set_leader(true);
    unit.set_member("zkpeer:0", "app/1", &[]);
    assert_eq!(unit.run("start").error, None);
    assert!(
        unit.commands().contains(&"relation-set zkpeer:0 --app leadership.nonce=7".to_owned()),
        "{:?}",
        unit.commands()
    );
}

#[test]
fn under_juju_4_at_once_is_an_error_that_says_what_to_do() {
    let mut unit = Unit::new(handlers![writes_now]).metadata(PEERS).juju("4.0.14");
    unit.set_leader(true);
    let error = unit.try_run("start").error.unwrap();
    assert!(error.contains("4.0.14") && error.contains("Leader::set"), "{error}");
}

#[test]
fn under_juju_4_a_charm_without_peers_learns_at_the_start_what_it_needs() {
    let mut unit = Unit::new(handlers![writes]).juju("4.0.14");
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("writes") && error.contains("peers endpoint"), "{error}");
}

#[when_not("never")]
fn asks_twice(leader: Leader) -> Result {
    leader.is_leader()?;
    leader.is_leader()?;
    Ok(())
}

#[test]
fn leadership_is_asked_again_when_the_answer_is_older_than_juju_guarantees() {
    let mut unit = Unit::new(handlers![asks_twice]);
    unit.run("update-status");
    assert_eq!(unit.commands(), ["is-leader"]);
    unit.pass(Duration::from_secs(31));
    unit.run("update-status");
    assert_eq!(unit.commands(), ["is-leader"], "every hook asks anew anyway");
}
