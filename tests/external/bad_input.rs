//! What comes of a handler in another language that does what it should not: one message that names its file, exit code 1, and
//! nothing kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tests::Stage;

use crate::scene::{Handlers, own};

/// A stage with one handler.
fn stage(name: &str, text: impl AsRef<[u8]>) -> Stage {
    let stage = Stage::new();
    let path = stage.dir().join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    stage
}

fn bash(functions: &str) -> Stage {
    stage("reactive/x.sh", Handlers::bash_text(functions))
}

/// The hook fails with this message, besides what the handler itself has said.
fn fails(stage: &Stage, parts: &[&str]) -> String {
    let run = stage.run(&own());
    let stderr = run.stderr();
    let message =
        stderr.lines().find(|line| line.starts_with("ERROR external handler")).unwrap_or_else(|| panic!("{stderr}"));
    for part in parts {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    run.logged("external handler");
    assert!(!stage.dir().join(".unit-state.db").exists(), "nothing is kept");
    message.to_owned()
}

#[test]
fn one_that_fails_is_named_with_its_exit_code() {
    fails(
        &stage("reactive/x", "#!/bin/sh\n[ $1 = --test ] || exit 3\n"),
        &["`reactive/x`", "update-status", "exit code 3"],
    );
    fails(&stage("reactive/x", "#!/bin/sh\n[ $1 = --test ] || kill -9 $$\n"), &["`reactive/x`", "signal 9"]);
    fails(&bash("@when_not 'x'\nfunction f() { set_flag x; false; }\n"), &["`reactive/x.sh`", "exit code 1"]);
}

#[test]
fn one_whose_test_is_killed_is_named() {
    fails(&stage("reactive/x", "#!/bin/sh\nkill -9 $$\n"), &["`reactive/x`", "--test was killed by signal 9"]);
}

#[test]
fn one_whose_test_says_no_in_an_odd_way_does_not_run_and_that_is_logged() {
    for code in [1, 2, 126, 127] {
        let stage = stage("reactive/x", format!("#!/bin/sh\n[ $1 = --test ] && exit {code}\ntouch ran\n"));
        let run = stage.run(&own());
        run.succeeded();
        assert!(!stage.dir().join("ran").exists());
        let is_odd = code > 125;
        assert_eq!(run.calls.contains("juju-log -l WARNING"), is_odd, "{}", run.calls);
    }
}

#[test]
fn one_that_cannot_be_started_is_named_with_the_reason() {
    fails(&stage("reactive/x", "#!/no/such/interpreter\n"), &["`reactive/x`", "cannot be started", "No such file"]);
    fails(&stage("reactive/x", b"\xff\xfe"), &["`reactive/x`", "cannot be started", "neither a script"]);
}

#[test]
fn one_that_never_ends_is_killed_at_a_limit_that_can_be_set() {
    for script in ["#!/bin/sh\nsleep 1000\n", "#!/bin/sh\n[ $1 = --test ] || sleep 1000\n"] {
        let mut stage = stage("reactive/x", script);
        stage.set("ZKPEER_EXTERNAL_TIMEOUT", "1");
        fails(&stage, &["`reactive/x`", "did not end within 1 s", "ZKPEER_EXTERNAL_TIMEOUT"]);
    }
    let mut stage = stage("reactive/x", "#!/bin/sh\n");
    stage.set("ZKPEER_EXTERNAL_TIMEOUT", "soon");
    stage.run(&own()).failed_with(&["ZKPEER_EXTERNAL_TIMEOUT", "soon"]);
}

#[test]
fn a_test_that_prints_too_much_or_what_no_argument_can_be_is_named() {
    let much = "#!/bin/sh\nyes | head -n 100000\n";
    fails(&stage("reactive/x", much), &["`reactive/x`", "--test prints more than the 128 KiB"]);
    fails(&stage("reactive/x", "#!/bin/sh\nprintf 'a\\0b'\n"), &["`reactive/x`", "zero byte"]);
}

#[test]
fn garbage_that_a_test_prints_arrives_as_it_is() {
    let stage = stage(
        "reactive/x",
        "#!/bin/sh\nif [ $1 = --test ]; then printf ' a\\377$(b)\\n '; else printf %s \"$2\" >got; fi\n",
    );
    stage.run(&own()).succeeded();
    assert_eq!(fs::read(stage.dir().join("got")).unwrap(), b" a\xff$(b)\n ");
}

#[test]
fn difference_d37_a_test_that_changes_something_fails_the_hook() {
    // DIFFERENCE D37: there it is committed (F5).
    for command in ["set_flag x", "clear_flag x", "mark_invoked x", "register_trigger --when x --set_flag y"] {
        let text = format!("#!/bin/sh\ncharms.reactive {command}\nexit 1\n");
        fails(
            &stage("reactive/x", &text),
            &["`reactive/x`", "a test changes nothing", command.split(' ').next().unwrap()],
        );
    }
}

#[test]
fn difference_d11_one_that_writes_the_store_itself_is_named() {
    // DIFFERENCE D11: charms.reactive commits half of the hook when an external handler is tested.
    for stage_of in ["--test", "--invoke"] {
        let write = format!("[ $1 = {stage_of} ] && cp elsewhere.db .unit-state.db\n[ $1 = --test ]\n");
        let text = format!("#!/bin/sh\n{write}true\n");
        let stage = stage("reactive/x", &text);
        let mut store =
            zkpeer_core::store::Store::open(stage.dir().join("elsewhere.db"), &zkpeer_core::store::Options::default())
                .unwrap();
        store.set("written.behind", &true).unwrap();
        store.commit().unwrap();
        let run = stage.run(&own());
        let stderr = run.stderr();
        assert!(stderr.contains("external handler `reactive/x` failed in update-status"), "{stderr}");
        assert!(stderr.contains("written by another process") && stderr.contains("charms.reactive"), "{stderr}");
        assert_eq!(tests::flags(stage.dir()), [""; 0], "nothing of the hook is kept");
    }
}

#[test]
fn a_condition_that_stands_above_no_function_is_named_with_its_line() {
    let message = fails(&bash("@when_not 'x'\n\necho nothing\n"), &["`reactive/x.sh`", "x.sh:5", "above no function"]);
    assert_eq!(message.matches("x.sh:5").count(), 1, "{message}");
}

#[test]
fn conditions_that_can_never_hold_together_are_named() {
    // DIFFERENCE D13: there they never hold, without a word (F8).
    for conditions in ["@hook 'start'\n@when 'x'\n", "@hook 'start'\n@hook 'stop'\n"] {
        fails(
            &bash(&format!("{conditions}function never() {{ true; }}\n")),
            &["`reactive/x.sh`", "never", "would never run"],
        );
    }
}

#[test]
fn a_flag_that_is_none_is_refused_and_the_handler_decides_what_comes_of_it() {
    let stage = bash("@when_not 'x'\nfunction f() { set_flag x; set_flag 'a b' || echo refused >got; }\n");
    let run = stage.run(&own());
    run.succeeded();
    assert!(run.stderr().contains("`a b`") && run.stderr().contains("white space"), "{}", run.stderr());
    assert_eq!(fs::read_to_string(stage.dir().join("got")).unwrap(), "refused\n");
}

#[test]
fn flags_that_do_not_settle_are_shown_with_the_program() {
    let stage = stage(
        "reactive/x",
        "#!/bin/sh\n[ $1 = --test ] || { charms.reactive set_flag x; charms.reactive clear_flag x; }\n",
    );
    let run = stage.run(&own());
    run.failed_with(&["do not settle", "reactive/x", "+x", "-x"]);
}

#[test]
fn a_process_that_a_handler_leaves_behind_holds_up_nothing_and_reaches_nothing() {
    let stage = bash(
        "@when_not 'x'\nfunction f() { set_flag x; (while [ -e \"$ZKPEER_SOCKET\" ]; do read -rt 0.01 <>/dev/zero || true; done; \
         charms.reactive set_flag late 2>said) >/dev/null 2>&1 & }\n",
    );
    stage.run(&own()).succeeded();
    assert_eq!(tests::flags(stage.dir()), ["own.done", "x"]);
}

#[test]
fn the_command_line_says_where_it_belongs() {
    let stage = Stage::new();
    let client = stage.dir().join("charms.reactive");
    std::os::unix::fs::symlink(own(), &client).unwrap();
    let run = stage.run(&client);
    assert!(run.stderr().contains("usage: charms.reactive"), "{}", run.stderr());
}

#[test]
fn nothing_is_left_in_the_directory_for_temporary_files() {
    let mut stage = bash("@when_not 'x'\nfunction f() { set_flag x; }\n");
    let temporary = tempfile::tempdir().unwrap();
    stage.set("TMPDIR", &temporary.path().display().to_string());
    stage.run(&own()).succeeded();
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
}
