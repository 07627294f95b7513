//! What external handlers do on ours, where charms.reactive does something else or nothing.

use std::fs;

use tests::stored;
use zkpeer_core::store::{Options, Store};
use zkpeer_core::testing::{HookRun, KillPoint, Outcome, UnitAgent, Value};

use crate::scene::{Handlers, own};

/// The names of the handlers of a hook in their order, external ones by their paths.
fn handlers(run: &HookRun) -> Vec<&str> {
    run.report.as_ref().unwrap().handlers()
}

fn done(run: HookRun) -> HookRun {
    assert_eq!(run.problem(), None);
    run
}

fn notes(agent: &UnitAgent) -> String {
    fs::read_to_string(agent.charm_dir().join("notes")).unwrap_or_default()
}

#[test]
fn programs_run_after_the_charms_own_handlers_in_the_order_of_their_paths() {
    let files = Handlers::new();
    files.bash("reactive/b.sh", "@when_not 'b'\nfunction b() { set_flag b; }\n");
    files.bash("reactive/a/z.sh", "@when_not 'z'\nfunction z() { set_flag z; }\n");
    files.bash("hooks/reactive/c.sh", "@when_not 'c'\nfunction c() { set_flag c; }\n");
    let mut agent = files.with_program(own());
    let run = done(agent.run_hook("install").unwrap());
    assert_eq!(handlers(&run), ["own", "hooks/reactive/c.sh", "reactive/a/z.sh", "reactive/b.sh"]);
}

#[test]
fn difference_d38_functions_of_a_file_run_in_the_order_of_their_lines() {
    // DIFFERENCE D38: there in no order.
    let files = Handlers::new();
    let names = ["zulu", "alpha", "mike", "bravo", "yankee"];
    let functions = names.map(|name| format!("@when_not 'done'\nfunction {name}() {{ echo {name} >>notes; }}\n"));
    files.bash("reactive/a.sh", &(functions.concat() + "@when_not 'done'\nfunction last() { set_flag done; }\n"));
    let mut agent = files.with_program(own());
    done(agent.run_hook("install").unwrap());
    assert_eq!(notes(&agent).lines().collect::<Vec<_>>(), names);
}

#[test]
fn a_program_is_tested_again_only_when_a_flag_has_changed_that_it_watches() {
    // Rules 5 and 6: in round 0, and then when `own.done` or `left` has changed.
    let files = Handlers::new();
    files.bash("reactive/a.sh", "echo test >>notes\n@when 'left'\nfunction a() { clear_flag left; }\n");
    files.bash("reactive/b.sh", "@when_not 'right'\nfunction b() { set_flag right; }\n");
    let mut agent = files.with_program(own());
    let run = done(agent.run_hook("install").unwrap());
    assert_eq!(handlers(&run), ["own", "reactive/b.sh"]);
    assert_eq!(notes(&agent), "test\ntest\n", "in the phase of the hook handlers, and in round 0 of the other");
}

#[test]
fn a_queued_program_whose_flag_is_cleared_does_not_run() {
    // Rule 5.
    let files = Handlers::new();
    for name in ["a", "b"] {
        let function =
            format!("@when 'own.done'\n@when_not 'one.has.run'\nfunction {name}() {{ set_flag one.has.run; }}\n");
        files.bash(&format!("reactive/{name}.sh"), &function);
    }
    let mut agent = files.with_program(own());
    let run = done(agent.run_hook("install").unwrap());
    assert_eq!(handlers(&run), ["own", "reactive/a.sh"]);
}

#[test]
fn difference_d36_a_program_that_always_wants_to_run_runs_in_rounds_in_which_something_has_changed() {
    // DIFFERENCE D36: there it runs in each of a hundred rounds.
    let files = Handlers::new();
    files.script("reactive/always", "#!/bin/sh\n[ $1 = --test ] || echo run >>notes\n");
    let mut agent = files.with_program(own());
    let hooks = agent.deploy().unwrap();
    assert_eq!(handlers(&hooks[0]), ["reactive/always", "own", "reactive/always", "reactive/always"]);
    assert_eq!(handlers(&hooks[1]), ["reactive/always", "reactive/always"], "with the hook handlers, and in round 0");
}

#[test]
fn difference_d35_a_function_that_may_run_once_is_known_without_its_line() {
    // DIFFERENCE D35: there an upgrade that moves the line lets it run again (F4).
    let files = Handlers::new();
    let once = "@only_once\n@when 'own.done'\nfunction once() { echo once >>notes; }\n";
    files.bash("reactive/a.sh", once);
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    files.bash("reactive/a.sh", &format!("# A line more.\n{once}"));
    files.install(&agent);
    done(agent.run_hook("update-status").unwrap());
    assert_eq!(notes(&agent), "once\n");
    assert!(stored(agent.charm_dir()).contains_key("zkpeer.invoked.reactive/a.sh:once"));
}

#[test]
fn what_a_function_has_done_on_charms_reactive_it_does_not_do_again() {
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@only_once\nfunction once() { echo once >>notes; }\n@when_file_changed 'motd'\nfunction show() { cat motd >>notes; }\n",
    );
    let mut agent = files.with_program(own());
    let mut store = Store::open(agent.charm_dir().join(".unit-state.db"), &Options::default()).unwrap();
    let once = format!("reactive.invoked.{}/reactive/a.sh:6:once", agent.charm_dir().display());
    store.set(&once, &true).unwrap();
    // The MD5 of `first`.
    store.set("reactive.files_changed.motd", "8b04d5e3775d298e78455efc5ca404d5").unwrap();
    store.commit().unwrap();
    fs::write(agent.charm_dir().join("motd"), "first").unwrap();
    done(agent.run_hook("install").unwrap());
    assert_eq!(notes(&agent), "");
    fs::write(agent.charm_dir().join("motd"), "second\n").unwrap();
    agent.deploy().unwrap();
    assert_eq!(notes(&agent), "second\n");
}

#[test]
fn difference_d9_a_file_that_changes_while_its_flag_is_not_set_is_not_lost() {
    // DIFFERENCE D9: there the test stores the new hash, although the function does not run (F3).
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@when 'open'\n@when_file_changed 'motd'\nfunction show() { cat motd >>notes; }\n");
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    fs::write(agent.charm_dir().join("motd"), "new\n").unwrap();
    done(agent.run_hook("update-status").unwrap());
    assert_eq!(notes(&agent), "");
    files.bash("reactive/b.sh", "@when_not 'open'\nfunction b() { set_flag open; }\n");
    files.install(&agent);
    done(agent.run_hook("update-status").unwrap());
    done(agent.run_hook("update-status").unwrap());
    assert_eq!(notes(&agent), "new\n");
    assert!(stored(agent.charm_dir()).contains_key("reactive.files_changed.motd"));
}

#[test]
fn difference_d13_the_role_peer_means_peers() {
    // DIFFERENCE D13: there it never matches, although the documentation writes it so (F6).
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@hook '{peer:friends}-relation-joined'\nfunction meet() { set_flag met; }\n");
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    agent.add_peer("friends", "probe/1", &[]).unwrap();
    agent.settle().unwrap();
    assert!(tests::flags(agent.charm_dir()).contains(&"met".to_owned()));
}

#[test]
fn difference_d38_other_lines_may_stand_between_a_condition_and_its_function() {
    // DIFFERENCE D38: there a decorator stands on the line above.
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@when_not \\\n    'a'\n\n# What it does.\nfunction a {\n    set_flag a\n}\n");
    let mut agent = files.with_program(own());
    done(agent.run_hook("install").unwrap());
    assert_eq!(tests::flags(agent.charm_dir()), ["a", "own.done"]);
}

#[test]
fn difference_d39_a_value_is_found_by_the_name_of_the_endpoint() {
    // DIFFERENCE D39: there the command line has no `relation_id`, which the shell library calls.
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@hook 'friends-relation-changed'\nfunction ask() {\n    name_relation_get friends probe/1 word >>notes\n    \
         name_relation_get friends probe/1 --format=json >>notes\n}\n",
    );
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    agent.add_peer("friends", "probe/1", &[("word", "hello")]).unwrap();
    agent.settle().unwrap();
    let notes = notes(&agent);
    assert!(notes.starts_with("hello\n{") && notes.contains("\"word\":\"hello\""), "{notes}");
}

#[test]
fn an_action_is_a_hook_of_its_name() {
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@hook 'echo'\nfunction answer() { action-set word=\"$(action-get word)\"; }\n");
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    let report = agent.run_action("echo", &[("word", Value::from("moon"))]).unwrap();
    assert!(report.completed, "{}", report.message);
    assert_eq!(report.results["word"], "moon".into());
}

#[test]
fn an_action_that_no_program_takes_has_no_handler() {
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@hook 'other'\nfunction answer() { true; }\n");
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    let report = agent.run_action("echo", &[]).unwrap();
    assert!(
        !report.completed && report.run.stderr.contains("no handler for the action `echo`"),
        "{}",
        report.run.stderr
    );
}

#[test]
fn what_handlers_have_published_before_it_a_program_finds() {
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@when 'own.remembered'\nfunction look() { relation-get -r \"$(relation-ids friends)\" greeting probe/0 >>notes; }\n",
    );
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    agent.add_peer("friends", "probe/1", &[]).unwrap();
    agent.settle().unwrap();
    assert!(notes(&agent).contains("hello"), "{}", notes(&agent));
}

#[test]
fn what_a_program_has_told_juju_its_handlers_are_told() {
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@hook '{peers:friends}-relation-joined'\nfunction tell() { relation-set greeting=other; }\n",
    );
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    agent.add_peer("friends", "probe/1", &[]).unwrap();
    agent.settle().unwrap();
    assert_eq!(stored(agent.charm_dir())["own.greeting"], "\"other\"", "it is asked for anew");
}

#[test]
fn what_a_program_has_told_juju_and_what_is_stored_are_kept_together() {
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@hook '{peers:friends}-relation-joined'\nfunction tell() { set_flag told; relation-set told=yes; }\n",
    );
    let mut agent = files.with_program(own());
    agent.deploy().unwrap();
    let before = stored(agent.charm_dir());
    agent.refuse_commit("leadership lost");
    agent.add_peer("friends", "probe/1", &[]).unwrap();
    assert!(agent.step().unwrap().unwrap().failed());
    agent.resolve().unwrap();
    done(agent.run_hook("update-status").unwrap());
    assert_eq!(stored(agent.charm_dir()), before);
}

#[test]
fn the_quorum_is_known_to_handlers_in_other_languages() {
    let charm = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/zookeeper");
    let program = tests::program("zookeeper-charm", env!("CARGO_BIN_EXE_zookeeper-charm"));
    let mut agent = UnitAgent::builder(charm).program(program).build().unwrap();
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@hook 'zkpeer-relation-joined'\nfunction ask() { charms.reactive -j relation_call --relation_name zkpeer get_nodes >>notes; }\n",
    );
    files.install(&agent);
    agent.deploy().unwrap();
    agent.add_peer("zkpeer", "zookeeper/1", &[("ingress-address", "10.0.0.9")]).unwrap();
    agent.settle().unwrap();
    assert_eq!(notes(&agent), "[[\"zookeeper/1\", \"10.0.0.9\"]]");
}

#[test]
fn restricted_hooks_are_for_programs_that_say_so_and_keep_nothing() {
    let files = Handlers::new();
    files.script(
        "reactive/meter",
        "#!/bin/sh\ncharms.reactive any_hook collect-metrics || exit 1\n[ $1 = --test ] || { charms.reactive set_flag x; echo metered >>notes; }\n",
    );
    files.bash(
        "reactive/a.sh",
        "@hook 'collect-metrics'\nfunction never() { echo never >>notes; }\n@only_once\nfunction once() { true; }\n",
    );
    let mut agent = files.builder(own()).juju("3.6.9").build().unwrap();
    agent.deploy().unwrap();
    let before = stored(agent.charm_dir());
    let run = done(agent.run_hook("collect-metrics").unwrap());
    assert_eq!(handlers(&run), ["reactive/meter"]);
    assert_eq!(notes(&agent), "metered\n");
    assert_eq!(stored(agent.charm_dir()), before);
}

#[test]
fn a_charm_may_have_no_handlers_but_programs() {
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@when_not 'a'\nfunction a() { set_flag a; }\n");
    let mut agent = files.with_program(tests::program("silent", env!("CARGO_BIN_EXE_silent")));
    done(agent.run_hook("install").unwrap());
    assert_eq!(tests::flags(agent.charm_dir()), ["a"]);
}

#[test]
fn what_a_program_prints_is_what_the_hook_prints() {
    let files = Handlers::new();
    files.bash("reactive/a.sh", "@when_not 'a'\nfunction a() { echo to Juju; echo on error >&2; set_flag a; }\n");
    let mut agent = files.with_program(own());
    let run = done(agent.run_hook("install").unwrap());
    assert!(run.stdout.contains("to Juju") && run.stderr.contains("on error"), "{run:?}");
    assert!(run.stderr.contains("a.sh: a"), "which function runs is told: {}", run.stderr);
}

#[test]
fn with_xtrace_only_the_handlers_own_commands_are_shown() {
    let files = Handlers::new();
    files.script(
        "reactive/a.sh",
        "#!/bin/bash\nset -ex\nsource charms.reactive.sh\n\n@when_not 'a'\nfunction a() {\n    true shown\n    set_flag a\n}\n\nreactive_handler_main\n",
    );
    let mut agent = files.with_program(own());
    let run = done(agent.run_hook("install").unwrap());
    let shown: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with('+')).collect();
    assert!(shown.contains(&"+ true shown") && shown.contains(&"+ charms.reactive set_flag a"), "{shown:?}");
    assert!(!shown.iter().any(|line| line.contains("REACTIVE") || line.contains("mapfile")), "{shown:?}");
}

#[test]
fn a_unit_that_is_killed_while_a_program_runs_ends_as_an_undisturbed_one() {
    let files = Handlers::new();
    files.bash(
        "reactive/a.sh",
        "@when 'own.done'\n@when_not 'a'\nfunction a() { set_flag a; status-set active one; relation-ids friends; echo a >>notes; status-set active two; }\n",
    );
    let end = |mut agent: UnitAgent| {
        agent.deploy().unwrap();
        let directory = agent.charm_dir().display().to_string();
        let stored = stored(agent.charm_dir()).into_iter();
        stored.map(|(key, text)| (key.replace(&directory, "CHARM"), text)).collect::<Vec<_>>()
    };
    let undisturbed = end(files.with_program(own()));
    let commands = {
        let mut agent = files.with_program(own());
        done(agent.run_hook("install").unwrap()).commands
    };
    let first = commands.iter().position(|command| command.name == "status-set").unwrap() + 1;
    for number in first..=commands.len() {
        for point in [KillPoint::Command(number), KillPoint::Answer(number)] {
            let mut agent = files.with_program(own());
            agent.kill_at(point);
            assert_eq!(agent.step().unwrap().unwrap().outcome, Outcome::Killed, "{point:?}");
            assert!(!agent.charm_dir().join(".unit-state.db").exists(), "nothing of the killed hook is kept");
            assert_eq!(end(agent), undisturbed, "{point:?}");
        }
    }
}
