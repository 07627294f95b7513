//! What the leader writes, and where.

use std::time::Duration;

use zkpeer_core::testing::{Application, Model, Unit};
use zkpeer_core::{Charm, Flags, HookOutcome, Leader, Result, handlers, hook, when, when_not};

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
    let report = unit.run("start");
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
    unit.set_member("zkpeer:0", "zk/1", &[]);
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

#[when("leadership.is_leader", "started")]
#[when_not("written")]
fn writes_several(leader: Leader, flags: Flags) -> Result {
    leader.set_all([("user", "admin"), ("password", "long")])?;
    leader.unset("nonce")?;
    flags.set("written");
    Ok(())
}

#[when("leadership.changed")]
fn writes_down(leader: Leader, flags: Flags) -> Result {
    for (key, value) in leader.settings()? {
        flags.set(format!("seen.{key}.{value}"));
    }
    Ok(())
}

#[hook("start")]
fn starts(flags: Flags) {
    flags.set("started");
}

#[test]
fn several_settings_are_written_and_read_back_in_the_same_hook() {
    for juju in ["3.6.25", "4.0.14"] {
        let mut unit = Unit::new(handlers![starts, writes_several, writes_down]).metadata(PEERS).juju(juju);
        unit.set_leader(true);
        unit.set_member("zkpeer:0", "zk/1", &[]);
        if juju == "3.6.25" {
            unit.set_leader_setting("nonce", "7");
        } else {
            unit.set_application_bag("zkpeer:0", "zk", &[("leadership.nonce", "7")]);
        }
        unit.run("start");
        assert!(unit.is_set("seen.user.admin") && unit.is_set("seen.password.long"), "{juju}: {:?}", unit.flags());
        let asked = unit.commands().iter().filter(|command| *command == "is-leader").count();
        assert_eq!(asked, 3, "for the flag, and for each call that writes");
    }
}

#[test]
fn other_units_read_what_the_leader_has_written() -> Result {
    let directory = tempfile::tempdir()?;
    let manifest = "bases:\n- {name: ubuntu, channel: '24.04', architectures: [amd64]}\n";
    std::fs::write(directory.path().join("metadata.yaml"), format!("{PEERS}summary: s\ndescription: d\n"))?;
    std::fs::write(directory.path().join("manifest.yaml"), manifest)?;
    for juju in ["3.6.25", "4.0.14"] {
        let charm = Charm::new().handlers(handlers![starts, writes_several, writes_down]);
        let mut model = Model::juju(juju)?;
        model.deploy(Application::new(directory.path()).in_process(charm).units(2))?;
        model.settle()?;
        for unit in ["zk/0", "zk/1"] {
            let seen: Vec<String> = model.flags(unit).into_iter().filter(|flag| flag.starts_with("seen")).collect();
            assert_eq!(seen, ["seen.password.long", "seen.user.admin"], "{unit}, {juju}");
        }
    }
    Ok(())
}

#[when("leadership.is_leader")]
fn writes_what_cannot_be(leader: Leader, flags: Flags) {
    flags.toggle("refused", leader.set_all([("good", "1"), ("bad=", "2")]).is_err());
}

#[test]
fn if_one_of_several_settings_is_refused_none_is_set() {
    let mut unit = Unit::new(handlers![writes_what_cannot_be]);
    unit.set_leader(true);
    unit.run("start");
    assert!(unit.is_set("refused"));
    assert!(!unit.commands().iter().any(|command| command.starts_with("leader-set")), "{:?}", unit.commands());
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
