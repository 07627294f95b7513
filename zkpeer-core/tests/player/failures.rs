//! What goes wrong in a story, and where it says so.

use std::time::Duration;

use super::{Stage, hooks, wrong};

#[test]
fn what_is_not_as_expected_is_told_with_what_is_there() {
    let stage = Stage::new();
    for (expected, words) in [
        ("{unit: zk/0, status: blocked}", "the status of zk/0 is `active`, not `blocked`"),
        ("{unit: zk/0, message: x}", "the message of zk/0 is `port 2181`, not `x`"),
        ("{unit: zk/0, flags: [a]}", "flag `a` is not set on zk/0; none are"),
        ("{unit: zk/0, leader: false}", "zk/0 is leader"),
        ("{unit: zk/1, leader: true}", "zk/1 is not leader; zk/0 is"),
        ("{unit: zk/9, leader: true}", "there is no unit zk/9; the model has: zk/0, zk/1"),
        ("{application: zk, units: 3}", "application zk has zk/0, zk/1, not 3"),
        ("{application: zk, units: [zk/1]}", "application zk has zk/0, zk/1, not zk/1"),
        ("{application: zk, leader: none}", "zk/0 leads zk, not nobody"),
        ("{application: zk, leader: zk/1}", "zk/1 does not lead zk; zk/0 is"),
        ("{application: zk, status: active}", "the status of zk is ``, not `active`"),
        ("{relation: zk:zkpeer, unit: zk/0, data: {name: x}}", "`name` of zk/0 in zk:zkpeer is `zk/0`, not `x`"),
        ("{relation: zk:zkpeer, unit: zk/0, data: {name: null}}", "`name` of zk/0 in zk:zkpeer is `zk/0`, not missing"),
        (
            "{relation: zk:zkpeer, application: zk, data: {x: 1}}",
            "zk has no `x` in zk:zkpeer, expected `1`; it has nothing",
        ),
        ("{relation: zk:zkpeer, unit: zk/0, members: []}", "zk/0 has the members zk/1, not none"),
        ("{relation: zk:client, unit: zk/0, data: {}}", "zk:client has no relation"),
        ("{action: backup, unit: zk/0, status: completed}", "no step before this runs action backup on zk/0"),
    ] {
        let (line, problem) = wrong(&mut stage.steps(2, &format!("  - settle\n  - expect: {expected}\n")));
        assert!(line == 4 && problem.contains(words), "{expected}: {line}: {problem}");
    }
}

#[test]
fn what_an_action_did_not_do_is_told() {
    let stage = Stage::new();
    let steps = "  - settle\n  - action: {unit: zk/0, name: backup}\n  - settle\n  - expect: ";
    for (expected, words) in [
        ("{action: backup, unit: zk/0, status: failed}", "action backup on zk/0 did not fail"),
        ("{action: backup, unit: zk/0, message: x}", "the message of action backup on zk/0 is ``, not `x`"),
        (
            "{action: backup, unit: zk/0, results: {size: 13}}",
            "result `size` of action backup on zk/0 is \"12\", not \"13\"",
        ),
        ("{action: backup, unit: zk/0, results: {sise: 12}}", "has no result `sise`; it has level, "),
    ] {
        let (line, problem) = wrong(&mut stage.steps(1, &format!("{steps}{expected}\n")));
        assert!(line == 6 && problem.contains(words), "{expected}: {line}: {problem}");
    }
}

#[test]
fn what_juju_could_not_do_is_told_at_its_step() {
    let stage = Stage::new();
    for (step, words) in [
        ("remove-unit: zk/9", "there is no unit zk/9; the model has: zk/0"),
        ("config: {application: zk, set: {nope: 1}}", "option `nope` is not in config.yaml"),
        ("action: {unit: zk/0, name: nope}", "action \"nope\" is not in actions.yaml"),
        ("resolve: zk/0", "no hook has failed on zk/0"),
        ("relate: [zk:client, zk:zkpeer]", "one has to provide what the other requires"),
        ("remove-relation: [zk:client, zk:zkpeer]", "are not related"),
        ("refresh: {application: zk, charm: nowhere}", "there is no such directory"),
        ("run: {unit: zk/0, hook: leader-settings-changed}", "the unit is leader"),
        (
            "run: {unit: zk/0, hook: zkpeer-relation-joined, remote: zk/4}",
            "zkpeer-relation-joined (zk/4) is not due on zk/0; nothing is next",
        ),
        ("run: zk/0", "a hook is not due on zk/0; nothing is next"),
        ("run: zk/5", "there is no unit zk/5"),
        ("add-storage: {unit: zk/0, name: nope}", "storage `nope` is not in metadata.yaml"),
    ] {
        let (line, problem) = wrong(&mut stage.steps(1, &format!("  - settle\n  - {step}\n")));
        assert!(line == 4 && problem.contains(words), "{step}: {line}: {problem}");
    }
    let (line, problem) = wrong(&mut stage.steps(1, "  - hold: zk/0\n  - run: zk/0\n"));
    assert_eq!((line, problem.contains("write `release: zk/0` before this")), (4, true));
}

#[test]
fn what_is_deployed_wrongly_is_told_at_its_line() {
    let stage = Stage::new();
    for (applications, words) in [
        ("  zk: nowhere\n", "there is no such directory"),
        ("  zk: {charm: zk, config: {port: many}}\n", "takes a whole number"),
        ("  zk: {charm: zk, storage: {data: 3}}\n", "may have no more"),
    ] {
        let story = format!("applications:\n  client: client\n{applications}steps: [settle]\n");
        let (line, problem) = wrong(&mut stage.player(&story));
        assert!(line == 3 && problem.contains(words), "{line}: {problem}");
    }
    let story =
        "applications: {zk: zk, client: client}\nrelations:\n  - [zk:zkpeer, client:zookeeper]\nsteps: [settle]\n";
    assert_eq!(wrong(&mut stage.player(story)).0, 3);
}

#[test]
fn what_cannot_be_played_is_told_before_anything_runs() {
    let stage = Stage::new();
    let mut player = stage.steps(1, "  - settle\n  - attach-storage: {unit: zk/0, storage: data/0}\n");
    let (line, problem) = wrong(&mut player);
    assert!(line == 4 && problem.contains("use `add-storage`"), "{line}: {problem}");
    assert!(player.model().units().is_empty());
}

#[test]
fn a_hook_that_fails_once_more_than_it_is_retried_ends_the_story() {
    let script = "[ $JUJU_HOOK_NAME != start ] || { echo x >> tried; [ $(wc -l < tried) -gt 2 ] || { echo full >&2; exit 1; }; }";
    let stage = Stage::of(script);
    let (line, problem) = wrong(&mut stage.steps(1, "  - settle\n"));
    assert_eq!(line, 3);
    assert_eq!(problem, "hook start failed on zk/0: it exited with code 1\n  full\na retry did not help");
    let tries = hooks(&mut stage.steps(1, "  - settle\n").retries(2)).unwrap();
    assert_eq!(tries.iter().filter(|hook| *hook == "zk/0 start").count(), 3);
}

#[test]
fn a_hook_that_waits_at_the_end_is_a_failure_unless_it_was_expected() {
    let stage = Stage::of("[ $JUJU_HOOK_NAME != start ]");
    let head = "model-config: {automatically-retry-hooks: false}\napplications: {zk: zk}\nsteps:\n  - settle\n";
    let (line, problem) = wrong(&mut stage.player(head));
    assert!(line == 4 && problem.contains("hook start failed on zk/0") && problem.contains("still waits"), "{problem}");
    stage.player(&format!("{head}  - expect: {{unit: zk/0, status: error}}\n")).play().unwrap();
}

#[test]
fn an_action_that_fails_or_never_runs_is_a_failure_unless_it_was_expected() {
    let stage = Stage::new();
    let (line, problem) = wrong(&mut stage.steps(1, "  - settle\n  - action: {unit: zk/0, name: crash}\n  - settle\n"));
    assert!(line == 4 && problem.contains("action crash failed on zk/0"), "{problem}");
    let (line, problem) = wrong(&mut stage.steps(1, "  - settle\n  - action: {unit: zk/0, name: backup}\n"));
    assert!(line == 4 && problem.contains("has not run on zk/0; write `settle` after it"), "{problem}");
    // What the charm itself refuses is its answer.
    stage.steps(1, "  - settle\n  - action: {unit: zk/0, name: refuse}\n  - settle\n").play().unwrap();
}

#[test]
fn a_kill_that_never_came_is_told() {
    let stage = Stage::new();
    let (line, problem) = wrong(&mut stage.steps(1, "  - settle\n  - kill: {unit: zk/0, hook: install}\n  - settle\n"));
    assert_eq!((line, problem.as_str()), (4, "this has not happened: no such hook ran on zk/0 afterwards"));
}

#[test]
fn a_kill_later_than_the_hook_is_noted() {
    let stage = Stage::of("");
    let mut notes = Vec::new();
    let mut player = stage.steps(1, "  - kill: {unit: zk/0, at: command 3}\n  - settle\n");
    player
        .play_to(&mut |happening, _| {
            if let zkpeer_core::testing::Happening::Hook(run, _) = happening {
                notes.extend(run.notes.iter().filter(|note| note.contains("killed")).cloned());
            }
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(notes, ["it was to be killed at command 3, and ended before that"]);
}

#[test]
fn units_that_never_come_to_rest_are_noticed() {
    let stage = Stage::of(
        "n=$(cat n 2>/dev/null); echo $((n + 1)) > n\ncase $JUJU_HOOK_NAME in *-relation-changed | *-relation-joined) relation-set n=$n ;; esac",
    );
    let (line, problem) = wrong(&mut stage.steps(2, "  - settle\n").max_hooks(50));
    assert!(line == 3 && problem.contains("has run 50 hooks without coming to rest"), "{problem}");
}

#[test]
fn a_hook_that_never_ends_is_killed_at_the_limit() {
    let stage = Stage::of("while :; do sleep 100; done");
    let (_, problem) = wrong(&mut stage.steps(1, "  - settle\n").retries(0).limit(Duration::from_millis(100)));
    assert!(problem.contains("it did not end within 100ms and was killed"), "{problem}");
}

#[test]
fn a_failure_that_exits_0_and_flags_that_do_not_settle_are_failures() {
    let report = |outcome: &str| {
        let report = format!(
            r#"{{"hook":"install","outcome":"{outcome}","error":"no disk","rounds":[],"set":[],"cleared":[]}}"#
        );
        let stage = Stage::of(&format!("echo '{report}' >> $ZKPEER_REPORT"));
        wrong(&mut stage.steps(1, "  - settle\n")).1
    };
    assert!(report("failed").contains("no disk\n`main` has to return"));
    assert_eq!(report("not-settled"), "the flags did not settle in hook install on zk/0: no disk");
}
