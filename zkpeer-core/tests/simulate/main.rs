//! `cargo zkpeer simulate` as its users meet it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod live;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;
use zkpeer_core::store::{Options, Store};

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

/// The lines about hooks: the unit and the hook.
fn hooks(output: &Output) -> Vec<String> {
    let text = text(&output.stdout);
    let lines = text.lines().skip(2).take_while(|line| !line.is_empty());
    let lines = lines.filter(|line| line.contains(" ms") && !line.starts_with(' '));
    lines
        .map(|line| {
            let (unit, rest) = line.split_once("  ").unwrap();
            format!("{unit} {}", rest.trim_start().split("  ").next().unwrap())
        })
        .collect()
}

/// The hooks of one unit.
fn of_unit(output: &Output, unit: &str) -> Vec<String> {
    hooks(output).iter().filter_map(|hook| hook.strip_prefix(unit)).map(|hook| hook.trim().to_owned()).collect()
}

fn succeeded(output: Output) -> Output {
    assert!(output.status.success(), "{output:?}");
    output
}

const READY: &str = "[ $JUJU_HOOK_NAME != start ] || status-set active ready";

#[test]
fn the_default_story_of_a_charm_with_peers() {
    let charm = charm(READY);
    let output = succeeded(simulate(charm.path(), &[]));
    let first = of_unit(&output, "hello/0");
    assert_eq!(first[..5], ["install", "zkpeer-relation-created", "leader-elected", "config-changed", "start"]);
    let later = ["leader-settings-changed", "update-status"];
    assert!(first.windows(2).any(|hooks| hooks == later), "{first:?}");
    let last = ["zkpeer-relation-departed (hello/3)", "stop", "remove"];
    assert_eq!(first[first.len() - 3..], last, "it is removed before the others");
    let second = of_unit(&output, "hello/1");
    assert!(second.windows(2).any(|hooks| hooks == ["leader-elected", "action backup (1)"]), "{second:?}");
    assert!(of_unit(&output, "hello/2").contains(&"zkpeer-relation-joined (hello/3)".to_owned()));
    let text = text(&output.stdout);
    let steps: Vec<&str> = text.lines().filter(|line| line.starts_with("- ")).collect();
    let expected = [
        "- add-units: hello (1)",
        "- leader: hello/1",
        "- update-status: hello/0",
        "- action: backup on hello/1",
        "- remove-unit: hello/0",
        "- remove-application: hello",
    ];
    assert_eq!(steps, expected);
    let end = "as it was before the application was removed:\n\nunit     leader  status  message\nhello/1  leader  active  ready\n";
    assert!(text.contains(end) && text.contains("\nhello:zkpeer (0)  hello/1  egress-subnets="), "{text}");
    assert!(!text.contains('\x1b'), "no colour unless on a terminal");
}

#[test]
fn the_default_story_of_a_charm_without_peers() {
    let charm = charm(READY);
    write(charm.path(), "metadata.yaml", "name: hello\nsummary: s\ndescription: d\n");
    let output = succeeded(simulate(charm.path(), &[]));
    let expected = [
        "install",
        "leader-elected",
        "config-changed",
        "start",
        "update-status",
        "action backup (1)",
        "stop",
        "remove",
    ];
    assert_eq!(of_unit(&output, "hello/0"), expected);
    assert_eq!(hooks(&output).len(), expected.len());
}

#[test]
fn flags_make_a_story_in_their_order() {
    let charm = charm("[ $JUJU_HOOK_NAME != config-changed ] || status-set active $(config-get port)");
    let options = ["--units", "2", "--config", "port=7", "--add", "1", "--leader", "hello/2", "--remove", "hello/0"];
    let output = succeeded(simulate(charm.path(), &options));
    let said = text(&output.stdout);
    let steps: Vec<&str> = said.lines().filter(|line| line.starts_with("- ")).collect();
    let expected =
        ["- add-units: hello (1)", "- leader: hello/2", "- remove-unit: hello/0", "- remove-application: hello"];
    assert_eq!(steps, expected);
    assert!(said.contains("\nhello/1          active  7\nhello/2  leader  active  7\n"), "{said}");
    let other_way = text(&simulate(charm.path(), &["--remove", "hello/0", "--add", "hello/3"]).stdout);
    let steps: Vec<&str> = other_way.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(steps[..2], ["- remove-unit: hello/0", "- add-units: hello (1)"]);
}

#[test]
fn a_hook_is_killed_where_a_flag_says_so() {
    let charm = charm("status-set active first; echo x >> done");
    let options =
        ["--units", "1", "--kill", "hello/0:config-changed:command-1", "--add", "1", "--kill", "hello/1:install"];
    let output = succeeded(simulate(charm.path(), &options));
    let (first, second) = (of_unit(&output, "hello/0"), of_unit(&output, "hello/1"));
    assert_eq!(first[3..5], ["config-changed", "config-changed, retry 1"]);
    assert_eq!(second[..2], ["install", "install, retry 1"]);
    assert_eq!(text(&output.stdout).matches("KILLED").count(), 2);
}

#[test]
fn an_application_is_refreshed_and_nobody_leads_it() {
    let (one, two) = (charm(READY), charm("status-set active $JUJU_HOOK_NAME"));
    let options = ["--units", "1", "--no-leader", "--refresh", two.path().to_str().unwrap()];
    let output = succeeded(simulate(one.path(), &options));
    let hooks = of_unit(&output, "hello/0");
    assert!(!hooks.contains(&"leader-elected".to_owned()));
    assert_eq!(hooks[5..7], ["upgrade-charm", "config-changed"]);
    assert!(text(&output.stdout).contains("\nhello/0          active  config-changed\n"));
}

#[test]
fn an_action_runs_on_the_unit_that_is_named_with_its_parameters() {
    let charm = charm("[ -z \"$JUJU_ACTION_NAME\" ] || action-set from=$(action-get from)");
    let output = succeeded(simulate(charm.path(), &["--action", "hello/1:restore:{\"from\": \"x:y\"}"]));
    assert!(of_unit(&output, "hello/1").contains(&"action restore (1)".to_owned()));
    assert!(text(&output.stdout).contains("\n  from: \"x:y\"\n"));
    let crashing = self::charm("[ -z \"$JUJU_ACTION_NAME\" ] || exit 4");
    let output = simulate(crashing.path(), &["--action", "backup"]);
    let error = text(&output.stderr);
    assert!(!output.status.success() && error.starts_with("error: --action backup: action backup failed on hello/0"));
}

#[test]
fn a_seed_repeats_what_happens() {
    let charm = charm("exit 0");
    let play = |seed: &str| hooks(&succeeded(simulate(charm.path(), &["--seed", seed])));
    assert_eq!(play("3"), play("3"));
    assert!(play("3") != play("4") || play("3") != play("5"));
}

#[test]
fn a_version_of_juju_is_simulated() {
    let charm = charm("relation-ids zkpeer > /dev/null");
    write(charm.path(), "manifest.yaml", "bases: [{name: ubuntu, channel: '22.04', architectures: [amd64]}]\n");
    let hooks = |juju: &str| hooks(&succeeded(simulate(charm.path(), &["--juju", juju, "--units", "2"])));
    assert!(hooks("2.9").contains(&"hello/1 leader-settings-changed".to_owned()));
    assert!(!hooks("4.0").contains(&"hello/1 leader-settings-changed".to_owned()));
}

#[test]
fn a_story_from_a_file_is_played_and_fails_with_its_line() {
    let charm = charm(READY);
    let path = charm.path().join("story.yaml");
    let play = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
        command.args(["simulate", "--story"]).arg(&path).args(options).output().unwrap()
    };
    let story = "applications: {hello: {charm: ., units: 2}}\nsteps:\n  - settle\n  - expect: {unit: hello/1, status: active}\n";
    fs::write(&path, story).unwrap();
    let output = succeeded(play(&["--seed", "3"]));
    let said = text(&output.stdout);
    assert!(said.contains(", seed 3\n") && said.contains("\n- expect: hello/1\n"), "{said}");
    assert!(said.contains("\nhello/1  leader  active  ready\n") && !said.contains("before the application"), "{said}");

    let place = path.display();
    for (wrong, words) in [
        (story.replace("settle", "setle"), format!("error: {place}:3: there is no step `setle`; is it `settle`?")),
        (story.replace("charm: .,", "charm: nowhere,"), format!("error: {place}:1: ")),
        (
            story.replace("active", "blocked"),
            format!("error: {place}:4: the status of hello/1 is `active`, not `blocked`\n"),
        ),
        (
            story.replace("hello/1", "hello/7"),
            format!("error: {place}:4: Juju could not do this: there is no unit hello/7"),
        ),
    ] {
        fs::write(&path, &wrong).unwrap();
        let output = play(&[]);
        let error = text(&output.stderr);
        assert!(output.status.code() == Some(1) && error.starts_with(&words), "{wrong}: {error}");
    }
    let error = text(&play(&["--units", "3"]).stderr);
    assert!(error.contains("'--story <FILE>' cannot be used with '--units <N>'"), "{error}");
}

#[test]
fn a_hook_that_fails_for_good_is_the_first_thing_said() {
    let charm = charm("[ $JUJU_HOOK_NAME != config-changed ] || { echo 'disk full' >&2; exit 1; }");
    let output = simulate(charm.path(), &["--retries", "2", "--units", "1"]);
    assert_eq!(output.status.code(), Some(1));
    let error = text(&output.stderr);
    assert!(error.starts_with("error: hook config-changed failed on hello/0: it exited with code 1\n"), "{error}");
    assert!(error.ends_with("  disk full\n2 retries did not help\n"), "{error}");
    assert_eq!(hooks(&output).last().unwrap(), "hello/0 config-changed, retry 2");
    assert!(text(&output.stdout).contains("error   hook failed: \"config-changed\""));
}

#[test]
fn a_hook_that_succeeds_when_retried_is_no_failure() {
    let charm = charm("[ -e tried ] || { touch tried; exit 1; }");
    let output = succeeded(simulate(charm.path(), &["--units", "1"]));
    assert_eq!(hooks(&output)[..2], ["hello/0 install", "hello/0 install, retry 1"]);
}

#[test]
fn a_charm_that_never_ends_or_never_rests_is_given_up() {
    let output = simulate(charm("while :; do sleep 100; done").path(), &["--limit", "0.1", "--retries", "0"]);
    let error = text(&output.stderr);
    assert!(error.starts_with("error: hook install failed on hello/0: it did not end within 100ms"), "{error}");
    let script = "n=$(cat n); echo $((n + 1)) > n\ncase $JUJU_HOOK_NAME in *-relation-changed | *-joined) relation-set n=$n ;; esac";
    let output = simulate(charm(script).path(), &["--max-hooks", "40"]);
    let error = text(&output.stderr);
    assert!(error.contains(" has run 40 hooks without coming to rest; the last was zkpeer-relation-"), "{error}");
}

#[test]
fn json_lines() {
    let charm = charm("config-get > /dev/null; config-get port");
    let options = ["--format", "json", "--units", "2", "--seed", "1", "--config", "port=7"];
    let output =
        succeeded(simulate(charm.path(), &[&options[..], &["--action", "restore:{\"from\": \"x\"}"]].concat()));
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!(
        (&lines[0]["event"], &lines[0]["seed"], &lines[0]["applications"][0]["units"]),
        (&"begin".into(), &1.into(), &2.into())
    );
    assert_eq!((&of("step")[0]["number"], &of("step")[0]["step"]), (&1.into(), &"settle".into()));
    let install = of("hook").into_iter().find(|hook| hook["hook"] == "install").unwrap();
    assert_eq!((&install["commands"]["config-get"], &install["outcome"]), (&2.into(), &"done".into()));
    let joined = of("hook").into_iter().find(|hook| hook["hook"] == "zkpeer-relation-joined").unwrap();
    assert!(joined["unit"].as_str().unwrap() != joined["remote"].as_str().unwrap());
    assert_eq!(of("leader").len(), 1);
    let action = of("action")[0];
    assert_eq!(
        (&action["hook"], &action["completed"], &action["results"]["stdout"]),
        (&"restore".into(), &true.into(), &"7\n".into())
    );
    let end = lines.last().unwrap();
    assert_eq!((&end["event"], &end["ok"], &end["before_removal"]), (&"end".into(), &true.into(), &true.into()));
    assert_eq!(end["units"].as_array().unwrap().len(), 2);
    assert!(end["relations"][0]["bags"]["hello/1"]["ingress-address"].is_string());

    let output = simulate(charm.path(), &["--format", "json", "--remove", "hello/2", "--leader", "hello/2"]);
    let end: serde_json::Value = serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
    assert_eq!((&end["ok"], output.status.code()), (&false.into(), Some(1)));
    let problem = end["problem"].as_str().unwrap();
    assert!(problem.starts_with("--leader hello/2: ") && problem.contains("there is no unit hello/2"), "{problem}");
}

#[test]
fn a_reader_who_goes_away_ends_the_story() {
    let charm = charm("touch $JUJU_UNIT_NAME 2>/dev/null; exit 0");
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
    let mut child = command.arg("simulate").arg(charm.path()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(!child.wait().unwrap().success());
}

#[test]
fn handlers_and_flags_of_our_own_charms_are_shown() {
    let handler = r#"{"name":"hello::install","place":"src/main.rs:5","outcome":"done","changes":CHANGES}"#;
    let changes = r#"[{"flag":"a.b","edge":"set"},{"flag":"c","edge":"cleared"}]"#;
    let handler = handler.replace("CHANGES", changes);
    let round = format!(r#"{{"phase":"other","round":0,"handlers":[{handler}]}}"#);
    let report = format!(r#"{{"hook":"x","outcome":"settled","rounds":[{round}],"set":["a.b","auto"],"cleared":[]}}"#);
    let charm = charm(&format!("echo '{report}' >> $ZKPEER_REPORT"));
    let mut store = Store::open(charm.path().join(".unit-state.db"), &Options::default()).unwrap();
    store.set("reactive.states.a.b", &()).unwrap();
    store.set("reactive.states.auto", &()).unwrap();
    store.commit().unwrap();
    let text = text(&simulate(charm.path(), &["--units", "1"]).stdout);
    assert!(text.contains("install +a.b -c +auto\n") && text.contains("  a.b auto\n"), "{text}");
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
    let odd = self::charm("juju-log -l WARNING \"$(printf 'a\\nb\\033[2Jc')\"");
    let text = text(&simulate(odd.path(), &["--units", "1"]).stdout);
    assert!(text.contains("  WARNING: a\n  b [2Jc\n"), "codes for a terminal are not passed on: {text}");
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
    for (options, words) in [
        (["--action", "nope"], "error: --action nope: actions.yaml has no such action; it has: backup, restore"),
        (
            ["--action", "restore:x"],
            "invalid value 'restore:x' for '--action <[UNIT:]NAME[:JSON]>': the parameters of `restore` have to be a JSON object",
        ),
        (
            ["--action", "hello/9:backup"],
            "error: --action hello/9:backup: there is no unit hello/9; there are hello/0 to hello/2",
        ),
        (["--config", "port"], "it has to look like OPTION=VALUE"),
        (["--config", "nope=1"], "not in config.yaml"),
        (["--config", "port=many"], "takes a whole number"),
        (["--juju", "1.25"], "from 2.9 to 4.0"),
        (["--limit", "0"], "more than 0"),
        (["--units", "few"], "invalid value 'few' for '--units <N>'"),
        (["--units", "1001"], "1001 is not in"),
        (["--add", "1001"], "at most 1000"),
        (["--add", "some"], "it has to be a number, or a unit such as hello/3"),
        (["--add", "hello/9"], "error: --add hello/9: Juju gives units their numbers, and the next unit is hello/3"),
        (["--remove", "hello/9"], "error: --remove hello/9: there is no unit hello/9; there are hello/0 to hello/2"),
        (["--remove", "hello"], "it has to look like hello/0"),
        (["--leader", "other/0"], "there is no unit other/0"),
        (["--kill", "hello/0"], "it has to look like hello/0:config-changed"),
        (["--kill", "hello/0:strat"], "Juju has no hook `strat`; is it `start`?"),
        (["--kill", "hello/0:start:soon"], "`command N`"),
        (["--refresh", "/no/such"], "there is no such directory"),
        (["--sead", "1"], "a similar argument exists: '--seed'"),
    ] {
        let error = say(charm.path(), &options);
        assert!(error.contains(words), "{options:?}: {error}");
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
    let output = command.arg("simulate").output().unwrap();
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("<CHARM>"), "{output:?}");
}

#[test]
fn a_kill_that_never_came_is_told_with_its_flag() {
    let output = simulate(charm("exit 0").path(), &["--kill", "hello/0:upgrade-charm"]);
    let expected =
        "error: --kill hello/0:upgrade-charm: this has not happened: no such hook ran on hello/0 afterwards\n";
    assert_eq!(text(&output.stderr), expected);
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
    let kept = text(&output.stdout).lines().last().unwrap().strip_prefix("charms kept in  ").unwrap().to_owned();
    let kept = Path::new(&kept);
    assert!(kept.join("unit-hello-3/charm/dispatch").exists() && !kept.join("unit-hello-3/charm/target").exists());
    fs::remove_dir_all(kept.parent().unwrap()).unwrap();

    write(charm.path(), "src/main.rs", "fn main() { nonsense }\n");
    let output = build(&[]);
    let error = text(&output.stderr);
    assert!(error.contains("cannot find value `nonsense`"), "cargo's own words: {error}");
    assert!(error.contains("the charm does not build") && output.stdout.is_empty(), "{error}");
}
