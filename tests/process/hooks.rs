//! Hooks under the simulated unit agent.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tests::{Stage, charm, flags, stored};
use zkpeer_core::testing::{Outcome, UnitAgent, Value};

use crate::{chain, layered, probe};

fn agent(program: &Path) -> UnitAgent {
    UnitAgent::builder(charm().path()).program(program).build().unwrap()
}

#[test]
fn a_chain_of_100_flags_settles_in_one_hook() {
    let mut agent = agent(&chain());
    let hook = agent.run_hook("install").unwrap();
    assert_eq!(hook.problem(), None);
    assert_eq!(flags(agent.charm_dir()).len(), 100);
    let report = hook.report.as_ref().unwrap();
    assert_eq!(report.rounds.len(), 100, "one link a round");
    assert_eq!(
        hook.command_names(),
        ["state-set"],
        "it is marked as install, and no hook command is needed for the chain"
    );
}

#[test]
fn a_failing_hook_is_retried_from_the_same_state_until_it_succeeds() {
    let mut agent = agent(&probe());
    let behaviour = agent.charm_dir().join("behaviour");
    fs::write(&behaviour, "error").unwrap();
    let first = agent.run_hook("install").unwrap();
    assert!(first.failed() && first.stderr.contains("told to fail"), "{first:?}");
    assert!(first.log.iter().any(|line| line.message.contains("told to fail")), "it is in Juju's log: {:?}", first.log);
    assert_eq!(agent.status().message, "hook failed: \"install\"");
    assert!(!agent.charm_dir().join(".unit-state.db").exists(), "nothing of it is kept");

    let again = agent.retry().unwrap();
    assert!(again.failed());
    assert_ne!(first.context_id(), again.context_id());
    assert_eq!(first.report.as_ref().unwrap().rounds, again.report.as_ref().unwrap().rounds, "the same handlers again");

    fs::remove_file(&behaviour).unwrap();
    assert_eq!(agent.retry().unwrap().outcome, Outcome::Done);
    assert_eq!(flags(agent.charm_dir()), ["probe.done", "probe.installed", "probe.triggered"]);
    assert_eq!(stored(agent.charm_dir())["probe.value"], "2");
}

#[test]
fn handlers_of_a_listed_crate_are_linked_and_run_before_the_charms_own() {
    let mut agent = agent(&layered());
    let hook = agent.run_hook("install").unwrap();
    assert_eq!(hook.problem(), None);
    assert_eq!(hook.report.as_ref().unwrap().handlers(), ["prepare", "build_on_it"]);
    assert_eq!(flags(agent.charm_dir()), ["charm.ready", "layer.ready"]);
}

#[test]
fn a_program_tells_what_it_does_if_its_environment_asks_for_it() {
    let mut stage = Stage::new();
    for (value, asked) in [("", false), ("0", false), ("1", true)] {
        stage.set("ZKPEER_TRACE", value);
        let run = stage.run(&probe());
        run.succeeded();
        let told = run.calls.contains("juju-log -l DEBUG -- zkpeer: update-status begins");
        assert_eq!(told, asked, "{value:?}: {}", run.calls);
    }
}

#[test]
fn a_unit_goes_through_its_life() {
    let mut agent = agent(&probe());
    let hooks = agent.deploy().unwrap();
    let names: Vec<String> = hooks.iter().map(ToString::to_string).collect();
    assert_eq!(names[0], "install");
    assert_eq!(names.last().unwrap(), "start");
    assert_eq!(agent.status().message, "done");
    assert_eq!(stored(agent.charm_dir())["probe.word"], "\"nothing\"");

    agent.set_config("word", "new").unwrap();
    agent.settle().unwrap();
    assert_eq!(stored(agent.charm_dir())["probe.word"], "\"new\"");

    agent.add_peer("friends", "probe/1", &[]).unwrap();
    agent.settle().unwrap();
    assert_eq!(flags(agent.charm_dir()), ["friends.met", "probe.done", "probe.installed", "probe.triggered"]);
    let address = &stored(agent.charm_dir())["reactive.conversations.friends:0.probe/1.local-data.address"];
    assert!(address.starts_with("\"10."), "{address}");
    assert_eq!(agent.relation_data("friends", "probe/0")["greeting"], "hello\n", "white space arrives as it is");

    agent.remove_peer("probe/1").unwrap();
    agent.settle().unwrap();
    assert_eq!(flags(agent.charm_dir()), ["probe.done", "probe.installed", "probe.triggered"]);
}

#[test]
fn a_commit_that_juju_refuses_fails_the_hook_and_it_runs_again() {
    let mut agent = agent(&probe());
    agent.deploy().unwrap();
    agent.refuse_commit("leadership lost");
    agent.add_peer("friends", "probe/1", &[]).unwrap();
    let refused = agent.step().unwrap().unwrap();
    assert!(matches!(refused.outcome, Outcome::Refused(_)), "{:?}", refused.outcome);
    agent.retry().unwrap();
    agent.settle().unwrap();
    assert_eq!(agent.relation_data("friends", "probe/0")["greeting"], "hello\n");
}

/// A unit whose `-joined` hook Juju has refused after it had stored something, and what was stored before.
fn refused() -> (UnitAgent, BTreeMap<String, String>) {
    let mut agent = agent(&probe());
    agent.deploy().unwrap();
    let before = stored(agent.charm_dir());
    agent.refuse_commit("leadership lost");
    agent.add_peer("friends", "probe/1", &[]).unwrap();
    assert!(agent.step().unwrap().unwrap().failed());
    assert_ne!(stored(agent.charm_dir()), before);
    (agent, before)
}

#[test]
fn what_juju_has_not_kept_is_taken_back_by_the_next_hook() {
    let (mut agent, before) = refused();
    // The refused hook counts as done.
    agent.resolve().unwrap();
    assert_eq!(agent.run_hook("update-status").unwrap().command_names(), ["state-get", "config-get"]);
    assert_eq!(stored(agent.charm_dir()), before);
    assert_eq!(agent.run_hook("update-status").unwrap().command_names(), ["config-get"], "it is asked once");
}

#[test]
fn what_juju_has_not_kept_stays_if_another_program_has_gone_on_from_it() {
    let (mut agent, before) = refused();
    let mut expected = stored(agent.charm_dir());
    let key = expected.keys().find(|key| !key.starts_with("zkpeer.") && !before.contains_key(*key)).unwrap().clone();
    let file = rusqlite::Connection::open(agent.charm_dir().join(".unit-state.db")).unwrap();
    assert_eq!(file.execute("UPDATE kv SET data = '\"other\"' WHERE key = ?1", [&key]).unwrap(), 1);
    agent.resolve().unwrap();
    agent.run_hook("update-status").unwrap();
    expected.insert(key, "\"other\"".to_owned());
    expected.remove("zkpeer.unconfirmed");
    assert_eq!(stored(agent.charm_dir()), expected);
}

#[test]
fn what_juju_has_not_kept_stays_if_another_program_has_written_anything_else() {
    let (mut agent, _) = refused();
    let mut expected = stored(agent.charm_dir());
    let file = rusqlite::Connection::open(agent.charm_dir().join(".unit-state.db")).unwrap();
    file.execute("INSERT INTO kv (key, data) VALUES ('reactive.states.theirs', 'null')", []).unwrap();
    agent.resolve().unwrap();
    agent.run_hook("update-status").unwrap();
    expected.insert("reactive.states.theirs".to_owned(), "null".to_owned());
    expected.remove("zkpeer.unconfirmed");
    assert_eq!(stored(agent.charm_dir()), expected, "who has gone on from it has taken it for the truth");
}

#[test]
fn an_action_ends_as_its_handler_says() {
    let mut agent = agent(&probe());
    agent.deploy().unwrap();
    let run = |agent: &mut UnitAgent, word: &str| agent.run_action("echo", &[("word", Value::from(word))]).unwrap();

    let report = run(&mut agent, "moon");
    assert!(report.completed, "{}", report.message);
    assert_eq!(report.results["word"], "moon".into());

    let report = run(&mut agent, "fail");
    assert_eq!((report.completed, report.message.as_str()), (false, "told to fail"));

    let report = run(&mut agent, "error");
    assert!(!report.completed && report.run.stderr.contains("told to err"), "{}", report.message);
    assert_eq!(agent.failed(), None, "an action never puts the unit into error");
}
