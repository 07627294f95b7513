//! Contract section 2: what the exit code does; and section 10: buffered or immediate.

use crate::support::{Charm, Shell, names};
use zkpeer_core::testing::{Error, KillPoint, Outcome};

const WRITES: &str = "
relation-set -r 0 mine=1
state-set kept=1
open-port 80
status-set blocked 'as said'
leader-set settings=1
application-version-set 1.2
juju-log logged
";

#[test]
fn c2_1_a_hook_that_exits_0_has_all_its_changes_applied() {
    let mut shell = Shell::new(|builder| builder.leader(true));
    let run = shell.hook(&format!("{WRITES}relation-set -r 0 --app ours=1"));
    assert_eq!(run.outcome, Outcome::Done, "{run:?}");
    let agent = &shell.agent;
    assert_eq!(agent.relation_data("zkpeer", "hello/0")["mine"], "1");
    assert_eq!(agent.app_data("zkpeer", "hello")["ours"], "1");
    assert_eq!(agent.charm_state()["kept"], "1");
    assert_eq!(agent.ports(), ["80/tcp"]);
    assert_eq!(agent.status().status, "blocked");
    assert_eq!(agent.leader_settings()["settings"], "1");
    assert_eq!(agent.workload_version(), "1.2");
}

#[test]
fn c2_2_failed_hook_drops_buffered_writes_and_keeps_immediate_ones() {
    let mut shell = Shell::new(|builder| builder.leader(true));
    let run = shell.hook(&format!("{WRITES}exit 3"));
    assert_eq!((run.exit, &run.outcome), (Some(3), &Outcome::Failed("it exited with code 3".to_owned())));
    let agent = &shell.agent;
    assert!(!agent.relation_data("zkpeer", "hello/0").contains_key("mine"));
    assert!(agent.charm_state().is_empty() && agent.ports().is_empty());
    assert_eq!(agent.leader_settings()["settings"], "1");
    assert_eq!(agent.workload_version(), "1.2");
    assert_eq!(run.log[0].message, "logged");
    assert_eq!(agent.status().status, "error");
    assert_eq!(agent.status().message, "hook failed: \"update-status\"");
}

#[test]
fn c2_2_the_same_hook_runs_again_with_a_new_context_and_nothing_in_between_but_actions() {
    let charm = Charm::dispatch("[ \"$JUJU_REMOTE_UNIT\" != hello/1 ] || [ -n \"$JUJU_ACTION_NAME\" ] || [ -e fixed ]");
    let mut agent = charm.agent();
    agent.deploy().unwrap();
    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    let Err(Error::HookFailed(first)) = agent.settle() else { panic!("no failure") };
    assert_eq!(first.to_string(), "zkpeer-relation-joined (hello/1)");
    agent.set_config("greeting", "other").unwrap();
    assert!(agent.step().unwrap().is_none(), "other events wait");
    assert!(matches!(agent.run_hook("config-changed"), Err(Error::Impossible(_))));
    assert!(matches!(agent.settle(), Err(Error::HookFailed(_))));
    assert!(agent.run_action("backup", &[]).unwrap().completed);
    let again = agent.retry().unwrap();
    assert!(again.failed());
    assert_ne!(first.context_id(), again.context_id());
    let strip = |run: &zkpeer_core::testing::HookRun| {
        let mut environment = run.environment.clone();
        environment.remove("JUJU_CONTEXT_ID");
        environment
    };
    assert_eq!(strip(&first), strip(&again));
    std::fs::write(agent.charm_dir().join("fixed"), "").unwrap();
    assert!(!agent.retry().unwrap().failed());
    assert_eq!(names(&agent.settle().unwrap()), ["config-changed", "zkpeer-relation-changed (hello/1)"]);
}

#[test]
fn c2_2_a_hook_that_is_resolved_counts_as_done() {
    let mut agent = Charm::dispatch("case $JUJU_HOOK_NAME in *joined) exit 1;; esac").agent();
    agent.deploy().unwrap();
    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    assert!(agent.settle().is_err());
    agent.resolve().unwrap();
    assert_eq!(names(&agent.settle().unwrap()), ["zkpeer-relation-changed (hello/1)"]);
}

#[test]
fn c2_1_a_refused_commit_fails_the_hook_and_keeps_nothing() {
    let mut shell = Shell::new(|builder| builder);
    shell.agent.refuse_commit("the controller is away");
    let run = shell.hook("relation-set -r 0 mine=1; state-set kept=1");
    assert_eq!(run.outcome, Outcome::Refused("the controller is away".to_owned()));
    assert_eq!(run.exit, Some(0));
    assert!(shell.agent.charm_state().is_empty());
    assert_eq!(shell.agent.status().status, "error");
    assert!(!shell.agent.retry().unwrap().failed(), "refused once");
    assert_eq!(shell.agent.charm_state()["kept"], "1");
}

#[test]
fn c2_1_leadership_lost_before_the_commit_refuses_application_data() {
    let mut shell = Shell::new(|builder| builder.leader(true));
    shell.agent.lose_leadership_before_commit();
    let run = shell.hook("relation-set -r 0 --app ours=1; relation-set -r 0 mine=1");
    assert!(matches!(&run.outcome, Outcome::Refused(why) if why.contains("leadership was lost")), "{run:?}");
    assert!(shell.agent.app_data("zkpeer", "hello").is_empty());
    assert!(!shell.agent.relation_data("zkpeer", "hello/0").contains_key("mine"), "all or nothing");
}

#[test]
fn c10_own_writes_are_read_in_the_same_hook() {
    let mut shell = Shell::new(|builder| builder.leader(true));
    let run = shell.hook(
        "relation-set -r 0 a=1 b=2; relation-set -r 0 b=; relation-get -r 0 a hello/0; relation-get -r 0 b hello/0
         relation-set -r 0 --app c=3; relation-get -r 0 --app c hello
         state-set d=4; state-get d; state-delete d; state-get --format=json d
         open-port 80; opened-ports
         leader-set e=5; leader-get e
         status-get; status-set active; status-get",
    );
    let expected = ["1", "3", "4", "\"\"", "80/tcp", "5", "unknown", "unknown"];
    assert_eq!(run.stdout.lines().collect::<Vec<_>>(), expected, "{run:?}");
}

#[test]
fn c2_3_a_killed_hook_runs_again_from_the_same_state() {
    let mut shell = Shell::new(|builder| builder);
    for (point, commands) in [
        (KillPoint::Start, 0),
        (KillPoint::Command(1), 0),
        (KillPoint::Command(2), 1),
        (KillPoint::Answer(1), 1),
        (KillPoint::Answer(2), 2),
    ] {
        shell.agent.kill_at(point);
        let run = shell.hook("state-set a=1; relation-set -r 0 b=2; status-set active");
        assert_eq!((&run.outcome, run.commands.len()), (&Outcome::Killed, commands), "{point:?}");
        assert!(shell.agent.charm_state().is_empty());
        assert!(shell.agent.failed().is_none(), "queued again, not failed");
    }
    assert!(shell.agent.run_action("backup", &[]).is_err(), "a queued hook runs before any action");
    assert_eq!(names(&shell.agent.settle().unwrap()), ["update-status"]);
    assert_eq!(shell.agent.charm_state()["a"], "1");
}

#[test]
fn c2_3_ended_by_another_signal_is_a_failure() {
    let run = Charm::dispatch("kill -ABRT $$").agent().run_hook("install").unwrap();
    assert!(run.problem().unwrap().contains("signal 6"));
    let run = Charm::dispatch("kill -TERM $$").agent().run_hook("install").unwrap();
    assert_eq!(run.outcome, Outcome::Killed);
}

#[test]
fn c2_4_actions() {
    let mut shell = Shell::new(|builder| builder);
    let run = |shell: &mut Shell, script: &str| {
        shell.script(script);
        shell.agent.run_action("backup", &[("level", 3.into())]).unwrap()
    };
    let report = run(
        &mut shell,
        "action-get level; action-get --format=json; action-set a.b=1 a.c='x y'; action-log going on; state-set s=1; echo oops >&2",
    );
    assert!(report.completed, "{report:?}");
    assert_eq!(report.results["a"].to_json(), r#"{"b":"1","c":"x y"}"#);
    assert_eq!(report.results["stdout"].as_str(), Some("3\n{\"level\":3,\"to\":\"/tmp\"}\n"));
    assert_eq!(report.results["stderr"].as_str(), Some("oops\n"));
    assert_eq!(report.results["return-code"].to_json(), "0");
    assert_eq!(report.log, ["going on"]);
    assert_eq!(shell.agent.charm_state()["s"], "1");

    let report = run(&mut shell, "action-fail 'no space'; state-set t=1");
    assert_eq!((report.completed, report.message.as_str()), (false, "no space"));
    assert_eq!(shell.agent.charm_state()["t"], "1", "action-fail drops nothing");

    let report = run(&mut shell, "state-set u=1; exit 4");
    assert_eq!((report.completed, report.message.as_str()), (false, "exit status 4"));
    assert!(!shell.agent.charm_state().contains_key("u"));
    assert!(shell.agent.failed().is_none(), "an action never puts the unit into error");

    shell.agent.refuse_commit("no");
    assert_eq!(run(&mut shell, "state-set u=1").message, "committing requested changes failed");
    assert!(shell.agent.run_action("restore", &[]).is_err(), "c1_4: parameters are checked before the charm runs");
    assert!(shell.agent.run_action("nothing", &[]).is_err());
}

#[test]
fn c9_9_statuses_that_juju_sets_by_itself() {
    let mut agent = Charm::dispatch("status-get > status-of-$JUJU_HOOK_NAME").agent();
    agent.deploy().unwrap();
    let seen = |hook: &str| std::fs::read_to_string(agent.charm_dir().join(format!("status-of-{hook}"))).unwrap();
    assert_eq!(seen("install"), "maintenance\n");
    assert_eq!(agent.status().status, "unknown");
}
