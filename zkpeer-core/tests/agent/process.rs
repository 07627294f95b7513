//! Charms that hang, fork, hold things and print without end; and the hook-command program itself.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::support::{Charm, Shell};
use zkpeer_core::HookOutcome;
use zkpeer_core::testing::{Error, Outcome};

#[test]
fn a_charm_that_hangs_is_killed_at_the_limit() {
    let charm = Charm::dispatch("echo waiting; sleep 1000 & wait");
    let mut agent = charm.builder().limit(Duration::from_millis(300)).build().unwrap();
    let run = agent.run_hook("install").unwrap();
    assert_eq!(run.outcome, Outcome::TimedOut(Duration::from_millis(300)));
    let problem = run.problem().unwrap();
    assert!(problem.contains("did not end within 300ms") && problem.ends_with("waiting"), "{problem}");
    assert!(matches!(agent.settle(), Err(Error::HookFailed(_))));
}

#[test]
fn a_process_left_behind_holds_up_nothing_and_is_noted() {
    let charm = Charm::dispatch("sleep 5 & echo done");
    let mut agent = charm.agent();
    let run = agent.run_hook("install").unwrap();
    assert_eq!((&run.outcome, run.stdout.as_str()), (&Outcome::Done, "done\n"));
    assert!(run.time < Duration::from_secs(5), "{:?}", run.time);
    assert!(run.notes[0].contains("left behind"), "{:?}", run.notes);
}

#[test]
fn a_process_that_holds_the_socket_holds_up_nothing() {
    // The hook command waits for its standard input, and goes on doing so after the hook has ended.
    let charm = Charm::dispatch("mkfifo pipe; (exec 3<>pipe; state-set --file - <&3 >/dev/null 2>&1) & sleep 0.3");
    let mut agent = charm.agent();
    let run = agent.run_hook("install").unwrap();
    assert_eq!(run.outcome, Outcome::Done);
    assert!(run.notes.iter().any(|note| note.contains("connection")), "{run:?}");
    assert!(agent.settle().is_ok());
}

#[test]
fn megabytes_of_output_arrive_whole() {
    let charm = Charm::dispatch("head -c 5000000 /dev/zero | tr '\\0' x; head -c 3000000 /dev/zero | tr '\\0' y >&2");
    let run = charm.agent().run_hook("install").unwrap();
    assert_eq!((run.stdout.len(), run.stderr.len()), (5_000_000, 3_000_000));
}

#[test]
fn output_without_end_is_not_kept_without_end() {
    let charm = Charm::dispatch("yes");
    let run = charm.builder().limit(Duration::from_millis(500)).build().unwrap().run_hook("install").unwrap();
    assert!(matches!(run.outcome, Outcome::TimedOut(_)));
    assert!(run.stdout.len() <= 32 << 20);
}

#[test]
fn megabytes_go_through_a_hook_command_in_both_directions() {
    let mut shell = Shell::new(|builder| builder);
    let run = shell.hook(
        "(printf '{\"a\": \"'; head -c 4000000 /dev/zero | tr '\\0' x; printf '\"}') | relation-set -r 0 --file -
         relation-get -r 0 a hello/0 | wc -c",
    );
    assert_eq!(run.stdout.trim(), "4000001", "{:?}", run.stderr);
    assert_eq!(shell.agent.relation_data("zkpeer", "hello/0")["a"].len(), 4_000_000);
}

#[test]
fn hook_commands_that_run_at_once_are_answered_one_by_one() {
    let mut shell = Shell::new(|builder| builder);
    let run = shell.hook("for i in 1 2 3 4 5 6 7 8; do state-set k$i=v & done; wait; state-get --format=json");
    assert_eq!(run.commands.len(), 9);
    assert_eq!(shell.agent.charm_state().len(), 8);
}

#[test]
fn standard_input_is_read_only_when_it_is_asked_for() {
    // A pipe that never ends: a command that read it would never return.
    let mut shell = Shell::new(|builder| builder);
    let run = shell.hook("mkfifo pipe; exec 3<>pipe; is-leader <&3; echo 'a: b' | state-set --file -");
    assert_eq!((run.commands.len(), &run.outcome), (2, &Outcome::Done));
    assert_eq!(run.commands[0].stdin, None);
    assert_eq!(run.commands[1].stdin.as_deref(), Some(&b"a: b\n"[..]));
}

#[test]
fn something_else_on_the_socket_does_no_harm() {
    let charm = Charm::dispatch("printf 'GET / HTTP/1.1' > request; perl -e 'exit 0'; is-leader");
    let run = charm.agent().run_hook("install").unwrap();
    assert_eq!(run.commands.len(), 1);
}

#[test]
fn s5_what_the_program_says_when_the_agent_cannot_be_reached() {
    let charm = Charm::dispatch("printenv PATH > path; printenv JUJU_AGENT_SOCKET_ADDRESS > socket");
    let mut agent = charm.agent();
    agent.run_hook("install").unwrap();
    let read = |name: &str| fs::read_to_string(agent.charm_dir().join(name)).unwrap().trim().to_owned();
    let program = format!("{}/is-leader", read("path").split(':').next().unwrap());
    let say = |variables: &[(&str, &str)]| {
        let output = Command::new(&program).env_clear().envs(variables.iter().copied()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        String::from_utf8(output.stderr).unwrap()
    };
    let id = ("JUJU_CONTEXT_ID", "x");
    let address = ("JUJU_AGENT_SOCKET_ADDRESS", read("socket"));
    let network = ("JUJU_AGENT_SOCKET_NETWORK", "unix");
    let address = (address.0, address.1.as_str());
    assert_eq!(say(&[]), "ERROR JUJU_CONTEXT_ID not set\n");
    assert_eq!(say(&[("JUJU_CONTEXT_ID", "")]), "ERROR JUJU_CONTEXT_ID not set\n");
    assert_eq!(say(&[id]), "ERROR JUJU_AGENT_SOCKET_ADDRESS not set\n");
    assert_eq!(say(&[id, address]), "ERROR JUJU_AGENT_SOCKET_NETWORK not set\n");
    let gone = format!("ERROR dial unix {}: connect: no such file or directory\n", address.1);
    assert_eq!(say(&[id, address, network]), gone, "between hooks nothing listens");
}

#[test]
fn s4_a_wrong_context_or_command_is_refused() {
    let mut shell = Shell::new(|builder| builder);
    let (text, code) = shell.error("JUJU_CONTEXT_ID=old is-leader");
    assert_eq!((text.as_str(), code), ("bad request: wrong context ID; got \"old\"", 1));
    let (text, code) = shell.error("tools=${PATH%%:*}; ln -s jujuc $tools/no-such; no-such");
    assert_eq!((text.as_str(), code), ("bad request: unknown command: no-such", 1));
}

#[test]
fn the_report_of_our_own_charms_is_read_and_broken_ones_are_noted() {
    let line = r#"{"hook":"install","outcome":"settled","error":null,"new":1,"rounds":[{"phase":"other","round":0,"handlers":[{"name":"hello::install","place":"src/main.rs:5","outcome":"done","reason":null,"changes":[{"flag":"a","edge":"set"}]}]}],"set":["a"],"cleared":[]}"#;
    let charm = Charm::dispatch(&format!(
        "[ $JUJU_HOOK_NAME = start ] && echo nonsense >> $ZKPEER_REPORT || echo '{line}' >> $ZKPEER_REPORT"
    ));
    let mut agent = charm.agent();
    let runs = agent.deploy().unwrap();
    let report = runs[0].report.as_ref().unwrap();
    assert_eq!((report.outcome, &report.set[..]), (HookOutcome::Settled, &["a".to_owned()][..]));
    let handler = &report.rounds[0].handlers[0];
    assert_eq!((handler.name.as_str(), handler.changes[0].flag.as_str()), ("hello::install", "a"));
    let last = runs.last().unwrap();
    assert!(last.report.is_none() && last.notes.iter().any(|note| note.contains("cannot be read")));
}

#[test]
fn wrong_charms_are_explained() {
    let say = |path: &std::path::Path| zkpeer_core::testing::UnitAgent::builder(path).build().unwrap_err().to_string();
    assert!(say("/no/such".as_ref()).contains("/no/such: there is no such directory"));
    let charm = Charm::without_program();
    assert!(say(charm.path()).contains("has no hooks nor dispatch file"));
    charm.file("config.yaml", "options:\n  a: {type: list}\n");
    assert!(say(charm.path()).contains("option `a` has the unknown type `list`"));
    let charm = Charm::dispatch("");
    let error = charm.builder().program("/no/such/program").build().unwrap_err().to_string();
    assert!(error.contains("/no/such/program") && error.contains("build it first"), "{error}");
    assert!(charm.builder().juju("1.25").build().is_err());
    assert!(charm.builder().unit("hello").build().is_err());
}

#[test]
fn a_report_that_is_a_pipe_holds_up_nothing() {
    let mut unit = Charm::dispatch("rm -f $ZKPEER_REPORT; mkfifo $ZKPEER_REPORT").agent();
    assert_eq!(unit.run_hook("install").unwrap().outcome, Outcome::Done);
}

#[test]
fn c1_1_a_charm_that_removes_the_agents_directory_fails_its_next_hook() {
    let mut unit = Charm::dispatch("rm -rf \"$(dirname \"$JUJU_AGENT_SOCKET_ADDRESS\")\"").agent();
    assert_eq!(unit.run_hook("install").unwrap().outcome, Outcome::Done);
    let next = unit.run_hook("config-changed").unwrap();
    assert_eq!(next.outcome, Outcome::Failed("charm missing from disk".to_owned()));
}
