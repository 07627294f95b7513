//! What the exit code of a hook does: section 2 of the contract.

use std::time::Duration;

use zkpeer_core::testing::{Change, CommandOutput, HookRun, KillPoint, Outcome, Status, Value};

use crate::stage::{
    METADATA, Play, Stage, VERSIONS, answers_of, charm, error, hooks_of, ok, on_every_driver, on_every_version,
    on_processes,
};

const CONFIG: &str = "options:\n  port: {type: int, default: 2181}\n";
const ACTIONS: &str = "check: {}\n";
const STORAGE: &str = "storage:\n  data: {type: filesystem, multiple: {range: 0+}}\n";

/// An application of one or more units that has started; unit 0 leads it.
fn started(stage: &Stage<'_>, units: u64) -> Play {
    let metadata = format!("{METADATA}{STORAGE}");
    let mut model = stage.model().deploy(charm(&metadata).config(CONFIG).actions(ACTIONS), units);
    model.settle();
    model
}

fn has_secrets(stage: &Stage<'_>) -> bool {
    !stage.version.starts_with("2.")
}

/// Commands that print all that a hook can buffer: bags, charm state, ports, storage and secrets.
fn reads(stage: &Stage<'_>) -> Vec<&'static str> {
    let all = [
        "relation-get -r zkpeer:0 --format=json - zk/0",
        "relation-get -r zkpeer:0 --format=json --app - zk",
        "relation-get -r other:1 --format=json - zk/0",
        "state-get --format=json",
        "opened-ports --format=json",
        "storage-list --format=json",
        "secret-info-get --format=json --label old",
        "secret-get --format=json --peek --label old",
    ];
    all.into_iter().filter(|line| has_secrets(stage) || !line.starts_with("secret")).collect()
}

/// Commands that change all of that.
fn writes(stage: &Stage<'_>) -> Vec<&'static str> {
    let all = [
        "relation-set -r zkpeer:0 a=1",
        "relation-set -r zkpeer:0 --app b=2",
        "relation-set -r other:1 a=1",
        "state-set new=1",
        "state-delete old",
        "open-port 80",
        "close-port 443",
        "storage-add data",
        "secret-add --label new token=one",
        "secret-info-get --format=json --label old",
        "secret-set --label old --description changed $1 token=two",
    ];
    all.into_iter().filter(|line| has_secrets(stage) || !line.starts_with("secret")).collect()
}

/// A unit in two peer relations, with something of each kind that can be changed.
fn with_belongings(stage: &Stage<'_>) -> Play {
    let metadata = METADATA.replace("provides:", "  other: {interface: other}\nprovides:");
    let metadata = format!("{metadata}{STORAGE}");
    let mut model = stage.model().deploy(charm(&metadata).config(CONFIG).actions(ACTIONS), 1);
    model.script("start", &["state-set old=1", "open-port 443", "storage-add data"]);
    if has_secrets(stage) {
        model.script("start", &["secret-add --label old token=one", "relation-set -r zkpeer:0 secret=$4"]);
    }
    model.settle();
    model
}

/// The next `update-status` of the unit, whatever it comes to.
fn update_status(model: &mut Play, unit: &str) -> HookRun {
    model.update_status(unit).unwrap();
    model.until_begun(unit, "update-status");
    model.end(unit)
}

fn outputs(run: &HookRun) -> Vec<CommandOutput> {
    answers_of(run)
}

fn status(status: &str, message: &str) -> (String, String) {
    (status.to_owned(), message.to_owned())
}

fn words(status: &Status) -> (String, String) {
    (status.status.clone(), status.message.clone())
}

#[test]
fn c2_1_everything_is_applied_together() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = with_belongings(stage);
        let (reads, writes) = (reads(stage), writes(stage));
        model.script("update-status", &reads).nth(1);
        let before = outputs(&update_status(&mut model, "zk/0"));
        model.script("update-status", &["relation-get -r zkpeer:0 secret zk/0"]).nth(2);
        model.script("update-status", &writes).nth(2);
        model.update_status("zk/0").unwrap();
        model.until_begun("zk/0", "update-status");
        assert!(!model.unit_data(0, "zk/0").contains_key("a") && !model.unit_data(1, "zk/0").contains_key("a"));
        assert!(model.app_data(0, "zk").is_empty() && model.ports("zk/0") == ["443/tcp"]);
        assert_eq!(model.charm_state("zk/0").keys().collect::<Vec<_>>(), ["old"]);
        let run = model.end("zk/0");
        assert!(outputs(&run).iter().all(|output| output.code == 0), "{run:#?}");
        assert!(model.unit_data(0, "zk/0").contains_key("a") && model.unit_data(1, "zk/0").contains_key("a"));
        assert!(model.app_data(0, "zk").contains_key("b") && model.ports("zk/0") == ["80/tcp"]);
        assert_eq!(model.charm_state("zk/0").keys().collect::<Vec<_>>(), ["new"]);
        model.script("update-status", &reads).nth(3);
        let after = outputs(&update_status(&mut model, "zk/0"));
        for ((line, before), after) in reads.iter().zip(&before).zip(&after) {
            assert_ne!(before, after, "{line}");
        }
    });
}

#[test]
fn c2_1_secrets_are_applied_first_until_4_0_12() {
    for (version, stays) in [("3.1.7", true), ("3.6.25", true), ("4.0.11", true), ("4.0.12", false), ("4.0.14", false)]
    {
        on_every_version(&[version], |stage| {
            let mut model = started(stage, 2);
            let commands = ["secret-add --owner unit token=one", "state-set a=1", "relation-set -r zkpeer:0 --app a=1"];
            model.script("update-status", &commands).nth(1);
            model.script("update-status", &["secret-ids"]).nth(2);
            model.lose_leadership_before_commit("zk/0").unwrap();
            let refused = update_status(&mut model, "zk/0");
            assert!(matches!(refused.outcome, Outcome::Refused(_)), "{refused:?}");
            model.retry("zk/0").unwrap();
            model.settle();
            assert_eq!(!model.answer("zk/0", "update-status", 3).stdout.is_empty(), stays);
            assert!(model.charm_state("zk/0").is_empty());
        });
    }
}

#[test]
fn c2_1_refused_changes_fail_the_hook() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = with_belongings(stage);
        let reads = reads(stage);
        model.script("update-status", &reads);
        model.script("update-status", &["relation-set -r zkpeer:0 a=1", "state-set new=1", "open-port 80"]).nth(1);
        model.refuse_commit("zk/0", "the controller is gone").unwrap();
        let refused = update_status(&mut model, "zk/0");
        assert_eq!(refused.outcome, Outcome::Refused("the controller is gone".to_owned()));
        assert_eq!((refused.exit, refused.failed()), (Some(0), true));
        assert_eq!(words(&model.status("zk/0")), status("error", "hook failed: \"update-status\""));
        model.retry("zk/0").unwrap();
        model.settle();
        let runs = model.runs("zk/0", "update-status");
        assert_eq!(outputs(runs[0])[..reads.len()], outputs(runs[1])[..]);
    });
}

#[test]
fn c2_1_leadership_lost_before_the_end_refuses_the_changes() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 2);
        let write =
            ["is-leader", "relation-set -r zkpeer:0 --app a=1", "state-set a=1", "relation-get -r zkpeer:0 - zk/0"];
        model.on("zk/0", "update-status", &write);
        model.before_command("zk/0", 4, Change::Leader("zk/1".parse().unwrap())).unwrap();
        let refused = update_status(&mut model, "zk/0");
        assert!(matches!(refused.outcome, Outcome::Refused(_)), "{refused:?}");
        assert_eq!(outputs(&refused)[..3], [ok("True\n"), ok(""), ok("")]);
        assert!(model.app_data(0, "zk").is_empty() && model.charm_state("zk/0").is_empty());
        // The retry finds that it does not lead, and what it may write is kept.
        model.retry("zk/0").unwrap();
        let retried = model.settle();
        let retried = outputs(retried.iter().find(|run| run.unit.as_str() == "zk/0").unwrap());
        assert_eq!(retried[..2], [ok("False\n"), error(1, "cannot write relation settings")]);
        assert_eq!(model.charm_state("zk/0")["a"], "1");
    });
}

#[test]
fn c2_1_a_hook_is_recorded_after_its_changes() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.add_unit("zk").unwrap();
        model.hold("zk/0").unwrap();
        model.settle();
        model.refuse_commit("zk/0", "not now").unwrap();
        model.release("zk/0").unwrap();
        model.until_begun("zk/0", "zkpeer-relation-joined");
        assert_eq!(model.members("zk/0", "zkpeer").len(), 0);
        model.end("zk/0");
        assert_eq!(model.members("zk/0", "zkpeer").len(), 0);
        assert_eq!(model.failed("zk/0").unwrap().to_string(), "zkpeer-relation-joined (zk/1)");
        model.retry("zk/0").unwrap();
        model.until_done("zk/0", "zkpeer-relation-joined", 2);
        assert_eq!(model.members("zk/0", "zkpeer").len(), 1);
        assert_eq!(model.begin("zk/0").to_string(), "zkpeer-relation-changed (zk/1)");
        model.settle();
        // The version that a refused `-changed` was about is not seen either.
        model.on("zk/1", "update-status", &["relation-set -r zkpeer:0 a=1"]);
        model.refuse_commit("zk/0", "not now").unwrap();
        model.update_status("zk/1").unwrap();
        assert_eq!(model.settle_until_failure().to_string(), "zkpeer-relation-changed (zk/1)");
        let retried = model.settle_retrying(1);
        assert_eq!(hooks_of(&retried, "zk/0"), ["zkpeer-relation-changed (zk/1)"]);
        assert!(model.is_quiet());
    });
}

#[test]
fn c2_2_a_failed_hook_drops_what_it_buffered() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = with_belongings(stage);
        let (reads, writes) = (reads(stage), writes(stage));
        model.script("update-status", &["relation-get -r zkpeer:0 secret zk/0"]);
        model.script("update-status", &reads);
        model.script("update-status", &writes).nth(1);
        model.script("update-status", &["juju-reboot"]).nth(1).exits(1);
        if has_secrets(stage) {
            model.script("update-status", &["secret-grant $1 -r zkpeer:0", "secret-revoke $1 --app kafka"]).nth(1);
        }
        let failed = update_status(&mut model, "zk/0");
        assert!(outputs(&failed).iter().all(|output| output.code == 0), "{failed:#?}");
        assert_eq!(failed.outcome, Outcome::Failed("it exited with code 1".to_owned()));
        let retried = model.settle_retrying(1);
        assert_eq!(hooks_of(&retried, "zk/0"), ["update-status"], "nothing else is due, and no reboot");
        assert_eq!(outputs(&retried[0]), outputs(&failed)[..=reads.len()]);
    });
}

#[test]
fn c2_2_a_failed_hook_keeps_what_took_effect_at_once() {
    on_every_version(&VERSIONS, |stage| {
        let four = stage.version.starts_with('4');
        let metadata =
            if four { METADATA.to_owned() } else { format!("{METADATA}payloads:\n  web: {{type: docker}}\n") };
        let mut model = stage.model().deploy(charm(&metadata).actions(ACTIONS), 1);
        model.settle();
        let immediate = ["status-set active ready", "application-version-set 3.8", "juju-log hello"];
        model.script("update-status", &immediate).nth(1).exits(1);
        if !four {
            model.script("update-status", &["leader-set a=1", "payload-register docker web p1"]).nth(1);
        }
        let failed = update_status(&mut model, "zk/0");
        assert!(failed.failed() && outputs(&failed).iter().all(|output| output.code == 0), "{failed:#?}");
        assert_eq!(failed.log[0].message, "hello");
        assert_eq!(model.workload_version("zk"), "3.8");
        assert_eq!(model.leader_settings("zk").get("a").map(String::as_str), (!four).then_some("1"));
        if !four {
            // What is not registered has no status.
            model.script("update-status", &["payload-status-set web p1 stopped"]).nth(2);
        }
        assert!(outputs(&model.settle_retrying(1)[0]).iter().all(|output| output.code == 0));
        assert_eq!(words(&model.status("zk/0")), status("active", "ready"));
        model.script("check", &["action-log half"]).exits(1);
        let id = model.run_action("zk/0", "check", &[]).unwrap();
        model.settle();
        assert_eq!(
            (model.action(id).unwrap().completed, &*model.action(id).unwrap().log),
            (false, &["half".to_owned()][..])
        );
    });
}

#[test]
fn c2_2_files_do_not_roll_back() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("update-status", &["is-leader --format=json -o own"]).exits(1);
        assert!(update_status(&mut model, "zk/0").failed());
        let own = model.charm_dir("zk/0").unwrap().join("own");
        assert_eq!(std::fs::read_to_string(own).unwrap(), "true\n");
    });
}

#[test]
fn c2_2_the_agents_status_is_error() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("update-status", &["status-set active ready"]).nth(1);
        model.script("zkpeer-relation-joined", &[]).nth(1).exits(1);
        update_status(&mut model, "zk/0");
        model.add_unit("zk").unwrap();
        model.settle_until_failure();
        assert_eq!(words(&model.status("zk/0")), status("error", "hook failed: \"zkpeer-relation-joined\""));
        model.settle_retrying(1);
        assert_eq!(words(&model.status("zk/0")), status("active", "ready"));
    });
}

#[test]
fn c2_2_the_same_hook_runs_again_in_a_new_context() {
    on_every_driver(|stage| {
        let mut model = started(stage, 3);
        model.script("zkpeer-relation-departed", &[]).nth(1).exits(1);
        model.remove_unit("zk/2").unwrap();
        model.settle_retrying(1);
        for (unit, hook) in [("zk/0", "zkpeer-relation-departed (zk/2)"), ("zk/2", "zkpeer-relation-departed (zk/0)")] {
            let runs = model.runs(unit, hook);
            let [first, second] = runs[..] else { panic!("{unit} has run {hook} {} times", runs.len()) };
            assert!(first.failed() && !second.failed());
            let differing = first.environment.iter().filter(|(name, value)| second.environment[*name] != **value);
            assert_eq!(differing.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["JUJU_CONTEXT_ID"]);
            assert_eq!(first.environment.len(), second.environment.len());
            assert_eq!(first.environment["JUJU_DEPARTING_UNIT"], "zk/2");
        }
    });
}

#[test]
fn c2_2_only_actions_commands_and_a_forced_upgrade_run_in_between() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        model.set_automatic_retries(false);
        model.script("config-changed", &[]).nth(2).exits(1);
        model.set_config("zk", "port", 2182).unwrap();
        model.hold("zk/1").unwrap();
        model.settle_until_failure();
        // All of this waits.
        model.set_config("zk", "port", 2183).unwrap();
        model.set_leader("zk/1").unwrap();
        model.update_status("zk/0").unwrap();
        model.reboot("zk/0").unwrap();
        model.exec("zk/0", "is-leader", None).unwrap();
        model.run_action("zk/0", "check", &[]).unwrap();
        let files = charm(&format!("{METADATA}{STORAGE}")).config(CONFIG).actions(ACTIONS);
        model.refresh("zk", files.clone().file("version", "2\n"));
        let between = model.settle_retrying(9);
        assert_eq!(hooks_of(&between, "zk/0"), ["action check (1)", "exec is-leader"]);
        let version = model.charm_dir("zk/0").unwrap().join("version");
        assert!(!version.exists());
        model.refresh_by_force("zk", files.file("version", "3\n"));
        assert_eq!(std::fs::read_to_string(version).unwrap(), "3\n");
        assert_eq!(hooks_of(&model.settle_retrying(9), "zk/0"), [""; 0]);
        assert_eq!(model.failed("zk/0").unwrap().name(), "config-changed");
    });
}

#[test]
fn c2_2_other_events_wait() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        model.set_automatic_retries(false);
        model.script("update-status", &[]).nth(1).exits(1);
        model.on("zk/1", "config-changed", &["relation-set -r zkpeer:0 a=1"]);
        update_status(&mut model, "zk/0");
        model.add_unit("zk").unwrap();
        model.set_config("zk", "port", 2183).unwrap();
        assert_eq!(hooks_of(&model.settle_retrying(9), "zk/0"), [""; 0]);
        model.retry("zk/0").unwrap();
        let expected = [
            "update-status",
            "config-changed",
            "zkpeer-relation-joined (zk/2)",
            "zkpeer-relation-changed (zk/2)",
            "zkpeer-relation-changed (zk/1)",
        ];
        assert_eq!(hooks_of(&model.settle(), "zk/0"), expected);
    });
}

/// How many seconds pass before each retry of a hook that fails again and again.
fn delays(model: &mut Play, count: usize) -> Vec<u64> {
    let mut delays = Vec::new();
    let mut failed_at = model.now();
    for _ in 0..count {
        loop {
            let runs = model.pass(Duration::from_secs(1));
            if !runs.is_empty() {
                assert_eq!(hooks_of(&runs, "zk/0"), ["config-changed"]);
                delays.push((model.now() - failed_at).as_secs());
                failed_at = model.now();
                break;
            }
        }
    }
    delays
}

#[test]
fn c2_2_each_retry_waits_longer_up_to_five_minutes() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("config-changed", &[]).exits(1);
        model.set_config("zk", "port", 2182).unwrap();
        model.settle_until_failure();
        assert_eq!(delays(&mut model, 9), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    });
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.seed(3);
        model.script("config-changed", &[]).exits(1);
        model.set_config("zk", "port", 2182).unwrap();
        model.settle_until_failure();
        let (delays, least) = (delays(&mut model, 9), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        // A clock that is read once a second shows up to one more.
        assert!(
            delays.iter().zip(least).all(|(delay, least)| (least..=least + least / 5 + 1).contains(delay)),
            "{delays:?}"
        );
        assert_ne!(delays, least);
    });
}

#[test]
fn c2_2_without_automatic_retries_only_resolve_runs_it_again() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.set_automatic_retries(false);
        model.script("config-changed", &[]).nth(2).exits(1);
        model.set_config("zk", "port", 2182).unwrap();
        model.settle_until_failure();
        assert_eq!(model.pass(Duration::from_secs(3600)).len(), 0);
        model.retry("zk/0").unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0")[0], "config-changed");
        assert!(model.failed("zk/0").is_none());
    });
}

#[test]
fn c2_2_a_hook_resolved_without_retry_counts_as_done() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).config(CONFIG), 1);
        model.script("config-changed", &["state-set a=1"]).nth(1).exits(1);
        model.settle_until_failure();
        model.resolve("zk/0").unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["start"]);
        assert!(model.charm_state("zk/0").is_empty());
        assert_eq!(model.runs("zk/0", "config-changed").len(), 1);
    });
}

#[test]
fn c2_2_after_a_skipped_joined_comes_changed() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("zkpeer-relation-joined", &[]).nth(1).exits(1);
        model.add_unit("zk").unwrap();
        model.hold("zk/0").unwrap();
        model.until_done("zk/1", "start", 1);
        model.release("zk/0").unwrap();
        model.hold("zk/1").unwrap();
        model.settle_until_failure();
        model.resolve("zk/0").unwrap();
        assert_eq!(model.members("zk/0", "zkpeer").len(), 1);
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["zkpeer-relation-changed (zk/1)"]);
    });
}

#[test]
fn c2_3_a_killed_hook_is_queued_again() {
    on_every_driver(|stage| {
        for point in [KillPoint::Start, KillPoint::Command(2), KillPoint::Answer(2)] {
            let mut model = started(stage, 1);
            model.script("config-changed", &["state-set a=1", "is-leader"]);
            model.set_config("zk", "port", 2182).unwrap();
            model.kill_at("zk/0", point).unwrap();
            model.until_done("zk/0", "config-changed", 2);
            let killed = model.story().last().unwrap();
            assert_eq!((killed.outcome.clone(), killed.failed()), (Outcome::Killed, false));
            assert!(model.failed("zk/0").is_none() && model.charm_state("zk/0").is_empty());
            let before = model.now();
            assert_eq!(hooks_of(&model.settle(), "zk/0"), ["config-changed"]);
            assert_eq!((model.now(), model.charm_state("zk/0")["a"].as_str()), (before, "1"));
        }
    });
    on_processes(|stage| {
        for signal in ["TERM", "KILL"] {
            let script = format!("#!/bin/sh\n[ -e here ] || {{ : >here; kill -{signal} $$; }}\n");
            let mut model =
                stage.model().deploy(charm(METADATA).executable("hooks/start", &script).without_dispatch(), 1);
            model.settle();
            let outcomes: Vec<Outcome> = model.runs("zk/0", "start").iter().map(|run| run.outcome.clone()).collect();
            assert_eq!(outcomes, [Outcome::Killed, Outcome::Done]);
        }
    });
}

#[test]
fn c2_3_an_agent_restart_during_a_hook_fails_it() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("config-changed", &["state-set a=1"]).nth(2);
        model.set_config("zk", "port", 2182).unwrap();
        model.until_begun("zk/0", "config-changed");
        model.restart_agent("zk/0").unwrap();
        assert!(model.running("zk/0").is_none());
        assert_eq!(words(&model.status("zk/0")), status("error", "hook failed: \"config-changed\""));
        assert!(model.charm_state("zk/0").is_empty());
        assert_eq!(hooks_of(&model.settle_retrying(1), "zk/0"), ["config-changed"]);
        assert!(model.failed("zk/0").is_none());
    });
}

#[test]
fn c2_3_reboot_now_drops_the_changes_and_runs_the_hook_again() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 1);
        model.script("config-changed", &["state-set a=1"]);
        model.script("config-changed", &["juju-reboot --now", "state-set b=1"]).nth(2);
        model.set_config("zk", "port", 2182).unwrap();
        model.until_done("zk/0", "config-changed", 2);
        let killed = model.story().last().unwrap();
        assert_eq!(
            (killed.outcome.clone(), killed.command_names()),
            (Outcome::Killed, vec!["state-set", "juju-reboot"])
        );
        assert!(model.charm_state("zk/0").is_empty());
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["config-changed", "start"]);
        assert_eq!(model.charm_state("zk/0").into_iter().collect::<Vec<_>>(), [("a".to_owned(), "1".to_owned())]);
    });
}

/// Runs the action to its end and returns its number.
fn act(model: &mut Play) -> u64 {
    let id = model.run_action("zk/0", "check", &[]).unwrap();
    model.settle();
    id
}

fn report(model: &Play, id: u64) -> (bool, &str) {
    let report = model.action(id).unwrap();
    (report.completed, &report.message)
}

#[test]
fn c2_4_an_action_that_exits_0_is_committed() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model
            .script("check", &["relation-set -r zkpeer:0 a=1", "state-set a=1", "open-port 80", "action-set done=yes"]);
        let id = act(&mut model);
        assert_eq!(report(&model, id), (true, ""));
        assert_eq!(model.action(id).unwrap().results["done"], Value::from("yes"));
        assert_eq!((&*model.unit_data(0, "zk/0")["a"], &*model.charm_state("zk/0")["a"]), ("1", "1"));
        assert_eq!(model.ports("zk/0"), ["80/tcp"]);
        model.unscript("check");
        model.script("check", &["action-fail 'no room'"]);
        let id = act(&mut model);
        assert_eq!(report(&model, id), (false, "no room"));
    });
}

#[test]
fn c2_4_an_action_that_fails_drops_its_changes() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("check", &["relation-set -r zkpeer:0 a=1", "state-set a=1", "open-port 80"]).exits(2);
        let id = act(&mut model);
        assert!(!report(&model, id).0);
        assert!(!model.unit_data(0, "zk/0").contains_key("a") && model.charm_state("zk/0").is_empty());
        assert_eq!(model.ports("zk/0"), [""; 0]);
    });
}

#[test]
fn c2_4_an_action_never_fails_the_unit() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("check", &[]).exits(2);
        let before = words(&model.status("zk/0"));
        act(&mut model);
        assert!(model.failed("zk/0").is_none() && model.is_quiet());
        assert_eq!(words(&model.status("zk/0")), before);
        model.kill_at("zk/0", KillPoint::Start).unwrap();
        let id = act(&mut model);
        assert!(!report(&model, id).0 && model.failed("zk/0").is_none() && model.is_quiet());
    });
}

#[test]
fn c2_4_action_fail_ends_nothing_and_drops_nothing() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.script("check", &["state-set a=1", "action-fail 'no room'", "relation-set -r zkpeer:0 a=1"]);
        let id = act(&mut model);
        assert_eq!(report(&model, id), (false, "no room"));
        assert_eq!(model.action(id).unwrap().run.command_names(), ["state-set", "action-fail", "relation-set"]);
        assert_eq!((&*model.unit_data(0, "zk/0")["a"], &*model.charm_state("zk/0")["a"]), ("1", "1"));
    });
}

#[test]
fn c2_4_refused_changes_fail_the_action() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        model.script("check", &["relation-set -r zkpeer:0 --app a=1"]);
        model.lose_leadership_before_commit("zk/0").unwrap();
        let id = act(&mut model);
        assert_eq!(report(&model, id), (false, "committing requested changes failed"));
        model.set_leader("zk/0").unwrap();
        model.script("check", &["action-fail 'no room'"]);
        model.lose_leadership_before_commit("zk/0").unwrap();
        let id = act(&mut model);
        assert_eq!(report(&model, id), (false, "no room"));
        assert!(model.app_data(0, "zk").is_empty() && model.failed("zk/0").is_none());
    });
}
