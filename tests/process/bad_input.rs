//! What a charm does with what it should never meet: one message that says what, where and what to do, on standard error
//! and in Juju's log; exit code 1; and nothing changed.

use std::fs;
use std::path::Path;

use tests::{Stage, flags, program, stored};

use crate::probe;

/// A stage on which `probe` has run once, so that there is a state to be left alone, and has something to do.
fn used() -> Stage {
    let stage = Stage::new();
    stage.behave("not yet");
    stage.run(&probe()).succeeded();
    reopen(&stage);
    stage
}

/// Gives `probe` something to do again.
fn reopen(stage: &Stage) {
    let path = stage.dir().join(".unit-state.db");
    let mut store = zkpeer_core::store::Store::open(path, &zkpeer_core::store::Options::default()).unwrap();
    store.set("reactive.states.probe.pending", &()).unwrap();
    store.commit().unwrap();
}

/// Runs `probe`, which fails and leaves everything as it was.
fn fails(stage: &Stage, parts: &[&str]) -> tests::Run {
    let before = stored(stage.dir());
    let run = stage.run(&probe());
    run.failed_with(parts);
    assert_eq!(stored(stage.dir()), before, "the store is as before");
    assert!(!run.calls.contains("relation-set"), "nothing is published: {}", run.calls);
    run
}

#[test]
fn a_missing_variable_is_named() {
    for name in ["JUJU_UNIT_NAME", "JUJU_CHARM_DIR", "JUJU_DISPATCH_PATH"] {
        let mut stage = used();
        for also in [name, "CHARM_DIR", "JUJU_HOOK_NAME"] {
            stage.unset(also);
        }
        if name == "JUJU_DISPATCH_PATH" {
            stage.set("CHARM_DIR", &stage.dir().display().to_string());
            // Without either, the program's own name is the hook's, as in the old layout; it is no `dispatch`.
            let dispatch = stage.dir().join("dispatch");
            std::os::unix::fs::symlink(probe(), &dispatch).unwrap();
            stage.run(&dispatch).failed_with(&[name, "it is not set", "unit agent"]);
        } else {
            fails(&stage, &[name, "it is not set", "unit agent"]);
        }
    }
}

#[test]
fn a_malformed_variable_is_named_with_what_it_should_be() {
    for (name, value) in [
        ("JUJU_UNIT_NAME", "probe"),
        ("JUJU_CHARM_DIR", "/nowhere"),
        ("JUJU_RELATION_ID", "friends"),
        ("JUJU_REMOTE_UNIT", "x"),
        ("JUJU_DISPATCH_PATH", "install"),
        ("ZKPEER_HOOK_COMMAND_TIMEOUT", "soon"),
    ] {
        let mut stage = used();
        if name == "JUJU_REMOTE_UNIT" {
            stage.set("JUJU_RELATION_ID", "friends:0");
        }
        stage.set(name, value);
        fails(&stage, &[name, value]);
    }
}

#[test]
fn metadata_that_is_missing_or_malformed_is_named_with_its_line() {
    let stage = used();
    let path = stage.dir().join("metadata.yaml");
    fs::write(&path, "name: probe\npeers: [\n").unwrap();
    fails(&stage, &["metadata.yaml", "line 2"]).logged("metadata.yaml");
    fs::remove_file(&path).unwrap();
    fails(&stage, &["cannot read", "metadata.yaml"]).logged("metadata.yaml");
}

#[test]
fn a_malformed_config_yaml_is_named_with_its_line() {
    let stage = used();
    fs::write(stage.dir().join("config.yaml"), "options:\n  word: [\n").unwrap();
    fails(&stage, &["config.yaml", "line 2"]).logged("config.yaml");
}

#[test]
fn a_hook_command_that_is_missing_is_named() {
    let stage = used();
    stage.remove_tool("config-get");
    fails(&stage, &["hook command `config-get` cannot be started", "PATH="]).logged("config-get");
}

#[test]
fn a_hook_command_that_fails_is_named_with_what_it_said() {
    let stage = used();
    stage.tool("config-get", "echo 'ERROR no such thing' >&2; exit 2");
    fails(&stage, &["`config-get --format=json` failed with exit code 2: no such thing"]).logged("no such thing");
}

#[test]
fn a_hook_command_that_is_killed_is_named_with_the_signal() {
    let stage = used();
    stage.tool("config-get", "kill -9 $$");
    fails(&stage, &["`config-get --format=json` failed with exit code 137"]);
}

#[test]
fn a_hook_command_that_prints_no_json_is_named_with_what_it_printed() {
    let stage = used();
    for (script, shown) in [("echo hello", "hello"), ("true", "(nothing)"), ("echo '[1'", "[1")] {
        stage.tool("config-get", script);
        fails(&stage, &["config-get", "is not understood", shown]).logged("is not understood");
    }
}

#[test]
fn a_hook_command_that_never_ends_is_killed_at_a_limit_that_can_be_set() {
    let mut stage = used();
    stage.set("ZKPEER_HOOK_COMMAND_TIMEOUT", "1");
    stage.tool("config-get", "exec sleep 1000");
    fails(&stage, &["`config-get --format=json` did not end within 1 s", "ZKPEER_HOOK_COMMAND_TIMEOUT"]);
}

#[test]
fn a_log_that_cannot_be_written_changes_nothing() {
    let stage = used();
    stage.behave("error");
    stage.remove_tool("juju-log");
    fails(&stage, &["told to fail"]);
}

#[test]
fn a_write_to_a_relation_that_is_gone_is_told_as_juju_tells_it() {
    let mut stage = used();
    for (name, value) in [
        ("JUJU_DISPATCH_PATH", "hooks/friends-relation-joined"),
        ("JUJU_RELATION_ID", "friends:9"),
        ("JUJU_REMOTE_UNIT", "probe/1"),
    ] {
        stage.set(name, value);
    }
    let gone = "cat >/dev/null; echo 'ERROR invalid value \"friends:9\" for option -r: relation not found' >&2; exit 2";
    stage.tool("relation-get", "echo '{}'");
    stage.tool("relation-set", gone);
    let before = stored(stage.dir());
    let run = stage.run(&probe());
    run.failed_with(&["relation-set -r friends:9", "relation not found"]);
    run.logged("relation not found");
    assert_eq!(stored(stage.dir()), before);
}

#[test]
fn a_handler_that_fails_is_named_with_its_place_the_hook_and_the_cause() {
    let stage = used();
    stage.behave("error");
    fails(&stage, &["probe::b_misbehave", "charms/probe.rs:", "update-status", "told to fail"]).logged("told to fail");
}

#[test]
fn a_handler_that_panics_is_named_and_nothing_else_is_printed() {
    let stage = used();
    stage.behave("panic");
    let run = fails(&stage, &["probe::b_misbehave", "panicked in update-status", "told to panic", "charms/probe.rs:"]);
    run.logged("told to panic");
    assert_eq!(run.stderr().lines().count(), 1, "{}", run.stderr());
}

#[test]
fn a_panic_in_another_thread_is_printed_and_the_handler_says_what_comes_of_it() {
    let stage = used();
    stage.behave("thread");
    let stderr = stage.run(&probe()).stderr();
    assert!(stderr.contains("ERROR panic outside of a handler's own thread: told to panic elsewhere"), "{stderr}");
    assert!(stderr.contains("the thread has gone"), "{stderr}");
}

#[test]
fn a_panic_outside_of_any_handler_is_one_message_and_exit_code_1() {
    let stage = used();
    fs::write(stage.dir().join("panic-early"), "").unwrap();
    fails(&stage, &["told to panic early", "charms/probe.rs:"]);
}

#[test]
fn a_handler_that_ends_the_process_is_named_and_the_exit_code_is_1() {
    let stage = used();
    stage.behave("exit");
    fails(&stage, &["probe::b_misbehave", "ended the process in update-status", "EndHook"]).logged("ended the process");
}

#[test]
fn a_process_that_is_ended_from_another_thread_or_before_any_handler_is_noticed_too() {
    let stage = used();
    stage.behave("exit elsewhere");
    fails(&stage, &["probe::b_misbehave", "ended the process in update-status"]).logged("ended the process");
    stage.behave("");
    fs::write(stage.dir().join("exit-early"), "").unwrap();
    fails(&stage, &["the charm ended the process in update-status"]);
}

#[test]
fn a_report_that_cannot_be_written_is_no_reason_to_fail_a_hook_that_is_done() {
    let mut stage = used();
    stage.set("ZKPEER_REPORT", "/nonexistent/report");
    let run = stage.run(&probe());
    run.succeeded();
    assert!(run.stderr().contains("WARNING cannot write /nonexistent/report"), "{}", run.stderr());
}

#[test]
fn an_action_of_the_old_layout_is_no_hook_of_its_name() {
    let mut stage = used();
    stage.unset("JUJU_DISPATCH_PATH");
    stage.set("JUJU_HOOK_NAME", "");
    stage.set("JUJU_ACTION_NAME", "install");
    fails(&stage, &["no handler for the action `install`"]);
}

#[test]
fn flags_that_do_not_settle_are_shown() {
    let stage = used();
    stage.behave("not settled");
    fails(&stage, &["do not settle", "b_misbehave", "-probe.pending", "+probe.pending"]).logged("do not settle");
}

#[test]
fn a_binary_without_handlers_says_what_to_do() {
    let stage = Stage::new();
    let run = stage.run(&program("silent", env!("CARGO_BIN_EXE_silent")));
    run.failed_with(&["no handlers", "#[when(..)]", "interfaces!"]);
    run.logged("no handlers");
}

#[test]
fn an_interface_crate_that_is_not_listed_is_named() {
    let stage = Stage::new();
    let run = stage.run(&program("unlisted", env!("CARGO_BIN_EXE_unlisted")));
    run.failed_with(&["`test-layer`", "test_layer::prepare", "interfaces!"]);
    run.logged("test-layer");
}

#[test]
fn an_unknown_hook_is_a_hook_like_any_other() {
    let mut stage = Stage::new();
    stage.set("JUJU_DISPATCH_PATH", "hooks/no-such-hook");
    stage.run(&probe()).succeeded();
    assert_eq!(flags(stage.dir()), ["probe.done", "probe.installed", "probe.triggered"]);
}

#[test]
fn restricted_hooks_leave_the_store_alone_and_need_none() {
    let mut stage = Stage::new();
    stage.set("JUJU_DISPATCH_PATH", "hooks/collect-metrics");
    for missing in ["JUJU_VERSION", "JUJU_HOOK_NAME"] {
        stage.unset(missing);
    }
    for tool in ["config-get", "is-leader", "leader-get", "juju-log"] {
        stage.remove_tool(tool);
    }
    let run = stage.run(&probe());
    run.succeeded();
    assert_eq!(run.calls, "");
    assert!(!stage.dir().join(".unit-state.db").exists());
    fs::write(stage.dir().join("measure"), "").unwrap();
    stage.run(&probe()).succeeded();
    assert!(stage.dir().join("measured").exists(), "its handler has run");
    stage.set("JUJU_DISPATCH_PATH", "hooks/meter-status-changed");
    // No handler for it: not even a file that is no store is looked at.
    fs::write(stage.dir().join(".unit-state.db"), "this is no database").unwrap();
    stage.run(&probe()).succeeded();
}

#[test]
fn a_store_that_is_none_is_named_and_left_as_it_is() {
    let stage = Stage::new();
    let path = stage.dir().join(".unit-state.db");
    fs::write(&path, "this is no database, but a text of some length").unwrap();
    let run = stage.run(&probe());
    run.failed_with(&[".unit-state.db"]);
    run.logged(".unit-state.db");
    assert_eq!(fs::read_to_string(&path).unwrap(), "this is no database, but a text of some length");
}

#[test]
fn difference_d11_a_write_to_the_store_behind_the_charms_back_fails_the_hook_and_stays() {
    // DIFFERENCE D11: charms.reactive commits half of the hook when an external handler is tested.
    let stage = used();
    stage.behave("write behind");
    let mut expected = stored(stage.dir());
    let run = stage.run(&probe());
    run.failed_with(&[".unit-state.db", "written by another process"]);
    run.logged(".unit-state.db");
    expected.insert("written.behind".to_owned(), "true".to_owned());
    assert_eq!(stored(stage.dir()), expected, "what the other has written stays, nothing of ours is");
}

#[test]
fn a_store_that_another_process_holds_is_waited_for_and_then_named() {
    let stage = used();
    let holder = rusqlite::Connection::open(stage.dir().join(".unit-state.db")).unwrap();
    holder.execute_batch("begin exclusive").unwrap();
    let run = stage.run(&probe());
    run.failed_with(&[".unit-state.db", "another process"]);
    holder.execute_batch("rollback").unwrap();
    stage.run(&probe()).succeeded();
}

#[test]
fn the_store_can_be_elsewhere() {
    let mut stage = Stage::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("state.db");
    stage.set("UNIT_STATE_DB", &path.display().to_string());
    stage.run(&probe()).succeeded();
    assert!(path.exists() && !Path::new(&stage.dir().join(".unit-state.db")).exists());
}
