//! `cargo zkpeer simulate` as its users meet it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

const METADATA: &str = "name: hello\nsummary: s\ndescription: d\npeers: {zkpeer: {interface: zookeeper-quorum}}\n";

fn charm(script: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path(), "metadata.yaml", METADATA);
    write(directory.path(), "actions.yaml", "backup:\nrestore: {params: {from: {type: string}}, required: [from]}\n");
    write(directory.path(), "config.yaml", "options: {port: {type: int, default: 1}}\n");
    write(directory.path(), "dispatch", &format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(directory.path().join("dispatch"), fs::Permissions::from_mode(0o755)).unwrap();
    directory
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn simulate(charm: &Path, options: &[&str]) -> Output {
    // As cargo calls a subcommand: with the subcommand's name first.
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
    command.arg("zkpeer").arg("simulate").arg(charm).args(options).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The first column of the lines about hooks.
fn hooks(output: &Output) -> Vec<String> {
    let text = text(&output.stdout);
    let lines = text.lines().skip(2).take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("  "));
    lines.map(|line| line.split("  ").next().unwrap().to_owned()).collect()
}

#[test]
fn the_default_story() {
    let charm = charm("[ $JUJU_HOOK_NAME != start ] || status-set active ready");
    let output = simulate(charm.path(), &[]);
    assert!(output.status.success(), "{output:?}");
    let expected = [
        "install",
        "zkpeer-relation-created",
        "leader-elected",
        "config-changed",
        "start",
        "zkpeer-relation-joined (hello/1)",
        "zkpeer-relation-changed (hello/1)",
        "zkpeer-relation-joined (hello/2)",
        "zkpeer-relation-changed (hello/2)",
        "zkpeer-relation-departed (hello/2)",
        "update-status",
        "action backup (1)",
        "zkpeer-relation-departed (hello/1)",
        "stop",
        "remove",
    ];
    assert_eq!(hooks(&output), expected);
    let text = text(&output.stdout);
    assert!(
        text.contains("\nstatus         active ready\n") && text.contains("\nran            15 hooks in "),
        "{text}"
    );
    assert!(!text.contains('\x1b'), "no colour unless on a terminal");
}

#[test]
fn a_hook_that_fails_for_good_is_the_first_thing_said() {
    let charm = charm("[ $JUJU_HOOK_NAME != config-changed ] || { echo 'disk full' >&2; exit 1; }");
    let output = simulate(charm.path(), &["--retries", "2"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("error: hook config-changed failed on hello/0: it exited with code 1\n"), "{error}");
    assert!(error.ends_with("  disk full\n2 retries did not help\n"), "{error}");
    assert_eq!(hooks(&output).last().unwrap(), "config-changed, retry 2");
    assert!(text(&output.stdout).contains("status         error hook failed: \"config-changed\""));
}

#[test]
fn a_hook_that_succeeds_when_retried_is_no_failure() {
    let charm = charm("[ -e tried ] || { touch tried; exit 1; }");
    let output = simulate(charm.path(), &["--peers", "0"]);
    assert!(output.status.success());
    assert_eq!(hooks(&output)[..2], ["install", "install, retry 1"]);
}

#[test]
fn json_lines() {
    let charm = charm("config-get > /dev/null; config-get port");
    let options = ["--format", "json", "--no-leader", "--config", "port=7", "--action", "restore:{\"from\": \"x\"}"];
    let output = simulate(charm.path(), &options);
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["leader"], false);
    assert_eq!(lines[1]["hook"], "install");
    assert_eq!(lines[1]["commands"]["config-get"], 2);
    let action = lines.iter().find(|line| line["action"] == "restore").unwrap();
    assert_eq!((&action["completed"], &action["results"]["stdout"]), (&true.into(), &"7\n".into()));
    assert_eq!(lines.last().unwrap()["ok"], true);
}

#[test]
fn handlers_and_flags_of_our_own_charms_are_shown() {
    let handler = r#"{"name":"hello::install","place":"src/main.rs:5","outcome":"done","changes":CHANGES}"#;
    let changes = r#"[{"flag":"a.b","edge":"set"},{"flag":"c","edge":"cleared"}]"#;
    let handler = handler.replace("CHANGES", changes);
    let round = format!(r#"{{"phase":"other","round":0,"handlers":[{handler}]}}"#);
    let report = format!(r#"{{"hook":"x","outcome":"settled","rounds":[{round}],"set":["a.b","auto"],"cleared":[]}}"#);
    let charm = charm(&format!("echo '{report}' >> $ZKPEER_REPORT"));
    let text = text(&simulate(charm.path(), &[]).stdout);
    assert!(text.contains("install +a.b -c +auto\n") && text.contains("\nflags          a.b auto\n"), "{text}");
}

#[test]
fn a_report_of_failure_with_exit_code_0_is_a_failure_that_says_what_main_has_to_return() {
    let report = r#"{"hook":"install","outcome":"failed","error":"no disk","rounds":[],"set":[],"cleared":[]}"#;
    let output = simulate(charm(&format!("echo '{report}' >> $ZKPEER_REPORT")).path(), &[]);
    let error = text(&output.stderr);
    assert!(!output.status.success() && error.contains("no disk") && error.contains("ExitCode"), "{error}");
}

#[test]
fn handlers_that_repeat_are_folded() {
    let handler = |name: &str| format!(r#"{{"name":"hello::{name}","place":"x:1","outcome":"done","changes":[]}}"#);
    let rounds: Vec<String> = (0..12)
        .map(|at| {
            let name = if at % 2 == 0 { "a" } else { "b" };
            format!(r#"{{"phase":"other","round":{at},"handlers":[{}]}}"#, handler(name))
        })
        .collect();
    let report = format!(r#"{{"hook":"x","outcome":"settled","rounds":[{}],"set":[],"cleared":[]}}"#, rounds.join(","));
    let charm = charm(&format!("echo '{report}' >> $ZKPEER_REPORT"));
    let text = text(&simulate(charm.path(), &[]).stdout);
    assert!(text.contains("  a b (×6)\n"), "{text}");
}

#[test]
fn warnings_are_shown_and_everything_when_asked() {
    let charm = charm("[ $JUJU_HOOK_NAME != install ] || { juju-log -l WARNING careful; juju-log quiet; echo loud; }");
    let said = |options: &[&str]| text(&simulate(charm.path(), options).stdout);
    let short = said(&[]);
    assert!(short.contains("  WARNING: careful\n") && !short.contains("quiet") && !short.contains("loud"), "{short}");
    let long = said(&["--verbose"]);
    assert!(long.contains("  INFO: quiet\n") && long.contains("  printed: loud\n"), "{long}");
}

#[test]
fn flags_that_do_not_settle_are_a_failure_even_where_the_charm_only_warns() {
    let report =
        r#"{"hook":"install","outcome":"not-settled","error":"a and b go round","rounds":[],"set":[],"cleared":[]}"#;
    let charm = charm(&format!("echo '{report}' >> $ZKPEER_REPORT"));
    let output = simulate(charm.path(), &[]);
    assert!(!output.status.success());
    let expected = "error: the flags did not settle in hook install on hello/0: a and b go round\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let say = |charm: &Path, options: &[&str]| {
        let output = simulate(charm, options);
        assert!(!output.status.success() && output.stdout.is_empty(), "{output:?}");
        text(&output.stderr)
    };
    assert!(say("/no/such".as_ref(), &[]).contains("/no/such: there is no such directory; give"));
    let empty = tempfile::tempdir().unwrap();
    assert!(say(empty.path(), &[]).contains("metadata.yaml: is missing"));
    write(empty.path(), "metadata.yaml", METADATA);
    assert!(say(empty.path(), &[]).contains("neither a Cargo.toml, nor a `dispatch`, nor `hooks`"));
    write(empty.path(), "metadata.yaml", "name: hello\npeers: [x\n");
    write(empty.path(), "dispatch", "");
    assert!(say(empty.path(), &[]).contains("line 2"));
    let charm = charm("exit 0");
    assert!(say(charm.path(), &["--action", "nope"]).contains("no such action; it has: backup, restore"));
    assert!(say(charm.path(), &["--action", "restore:x"]).contains("JSON object"));
    assert!(say(charm.path(), &["--config", "port"]).contains("OPTION=VALUE"));
    assert!(say(charm.path(), &["--config", "nope=1"]).contains("not in config.yaml"));
    assert!(say(charm.path(), &["--juju", "1.25"]).contains("from 2.9 to 4.0"));
    assert!(say(charm.path(), &["--limit", "0"]).contains("more than 0"));
}

#[test]
fn a_rust_charm_is_built_first() {
    let charm = tempfile::tempdir().unwrap();
    write(charm.path(), "metadata.yaml", METADATA);
    let manifest = "[package]\nname = \"hello-charm\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    write(charm.path(), "Cargo.toml", manifest);
    write(charm.path(), "src/main.rs", "fn main() { assert!(std::env::var_os(\"JUJU_UNIT_NAME\").is_some()) }\n");
    let build = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
        command.env("CARGO_TARGET_DIR", charm.path().join("target")).arg("simulate").arg(charm.path());
        command.args(options).output().unwrap()
    };
    let output = build(&["--keep"]);
    assert!(output.status.success(), "{output:?}");
    let kept = text(&output.stdout).lines().last().unwrap().strip_prefix("charm kept at  ").unwrap().to_owned();
    assert!(Path::new(&kept).join("dispatch").exists() && !Path::new(&kept).join("target").exists());
    fs::remove_dir_all(Path::new(&kept).ancestors().nth(3).unwrap()).unwrap();

    write(charm.path(), "src/main.rs", "fn main() { nonsense }\n");
    let output = build(&[]);
    let error = text(&output.stderr);
    assert!(error.contains("cannot find value `nonsense`"), "cargo's own words: {error}");
    assert!(error.contains("the charm does not build") && output.stdout.is_empty(), "{error}");
}
