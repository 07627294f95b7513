//! How a charm is invoked: section 1 of the contract.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tests::actor::{Note, Start};
use zkpeer_core::testing::{Outcome, Step, Value};

use crate::stage::{
    CLIENT, METADATA, Play, VERSIONS, charm, hooks_of, ok, on_every_driver, on_every_version, on_processes,
};

const ACTIONS: &str = "\
backup:
  params:
    target: {type: string}
    count: {type: integer, default: 1}
  required: [target]
  additionalProperties: false
check: {}
";

/// How each hook's process was started on the unit, as the charm saw it.
fn starts(model: &Play, unit: &str) -> Vec<Start> {
    let notes = model.notes(unit).into_iter();
    notes.filter_map(|note| if let Note::Start(start) = note { Some(start) } else { None }).collect()
}

/// The name of each hook and action that the unit has run.
fn names(model: &Play, unit: &str) -> Vec<String> {
    model.story().iter().filter(|run| run.unit.as_str() == unit).map(|run| run.hook.name()).collect()
}

/// The permissions of a file in the unit's charm directory.
fn mode(model: &Play, file: &str) -> u32 {
    fs::metadata(model.charm_dir("zk/0").unwrap().join(file)).unwrap().permissions().mode() & 0o777
}

/// Runs the action to its end and returns its number.
fn act(model: &mut Play, action: &str, params: &[(&str, Value)]) -> u64 {
    let id = model.run_action("zk/0", action, params).unwrap();
    model.settle();
    id
}

#[test]
fn c1_1_dispatch_runs_for_every_hook_and_action() {
    on_processes(|stage| {
        for version in VERSIONS {
            let mut model = stage.juju(version).deploy(charm(METADATA).actions(ACTIONS), 1);
            model.settle();
            act(&mut model, "check", &[]);
            model.update_status("zk/0").unwrap();
            model.settle();
            model.remove_unit("zk/0").unwrap();
            model.settle();
            let starts = starts(&model, "zk/0");
            let paths: Vec<&str> =
                starts.iter().map(|start| start.environment["JUJU_DISPATCH_PATH"].as_str()).collect();
            let expected = [
                "hooks/install",
                "hooks/zkpeer-relation-created",
                "hooks/leader-elected",
                "hooks/config-changed",
                "hooks/start",
                "actions/check",
                "hooks/update-status",
                "hooks/stop",
                "hooks/remove",
            ];
            assert_eq!(paths, expected);
            assert!(starts.iter().all(|start| start.arguments[0].ends_with("/charm/dispatch")), "{starts:#?}");
        }
    });
}

#[test]
fn c1_1_without_dispatch_the_file_of_that_name_runs() {
    on_processes(|stage| {
        let files = charm(METADATA).actions(ACTIONS).actor_at("hooks/install").actor_at("actions/check");
        let mut model = stage.model().deploy(files.actor_at("hooks/zkpeer-relation-created"), 1);
        model.settle();
        act(&mut model, "check", &[]);
        let charm_dir = model.charm_dir("zk/0").unwrap();
        let ran: Vec<String> = starts(&model, "zk/0").into_iter().map(|start| start.arguments[0].clone()).collect();
        let expected = ["hooks/install", "hooks/zkpeer-relation-created", "actions/check"];
        assert_eq!(ran, expected.map(|file| charm_dir.join(file).display().to_string()));
    });
}

#[test]
fn c1_1_a_hook_without_a_file_is_done() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actor_at("hooks/install"), 1);
        model.settle();
        let ran = ["install", "zkpeer-relation-created", "leader-elected", "config-changed", "start"];
        assert_eq!(model.hooks("zk/0"), ran);
        assert_eq!(model.story()[0].outcome, Outcome::Done);
        assert!(model.story()[1..].iter().all(|run| run.outcome == Outcome::NoFile && run.commands.is_empty()));
        assert_eq!(starts(&model, "zk/0").len(), 1);
    });
}

#[test]
fn c1_1_an_action_without_a_file_fails() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS).actor_at("hooks/install"), 1);
        model.settle();
        let id = act(&mut model, "check", &[]);
        let report = model.action(id).unwrap();
        assert_eq!((report.completed, report.message.as_str()), (false, "action not implemented on unit \"zk/0\""));
        assert!(model.failed("zk/0").is_none());
    });
}

#[test]
fn c1_1_no_arguments_and_an_absolute_path() {
    on_processes(|stage| {
        for (files, program) in
            [(charm(METADATA), "dispatch"), (charm(METADATA).actor_at("hooks/install"), "hooks/install")]
        {
            let mut model = stage.model().deploy(files, 1);
            model.until_done("zk/0", "install", 1);
            let program = model.charm_dir("zk/0").unwrap().join(program);
            assert!(program.is_absolute());
            assert_eq!(starts(&model, "zk/0")[0].arguments, [program.display().to_string()]);
        }
    });
}

#[test]
fn c1_1_any_executable_will_do() {
    // `install` is in no relation yet.
    const SCRIPT: &str =
        "#!/bin/sh\n[ $JUJU_HOOK_NAME != start ] || exec relation-set -r zkpeer:0 ran=$JUJU_DISPATCH_PATH\n";
    on_processes(|stage| {
        for files in [
            charm(METADATA).executable("hooks/start", SCRIPT).without_dispatch(),
            charm(METADATA).executable("dispatch", SCRIPT).without_dispatch(),
            charm(METADATA).executable("src/charm.sh", SCRIPT).link("dispatch", "src/charm.sh").without_dispatch(),
            charm(METADATA),
            charm(METADATA).actor_at("dispatch"),
        ] {
            let mut model = stage.model().deploy(files, 1);
            model.script("start", &["relation-set -r zkpeer:0 ran=$JUJU_DISPATCH_PATH"]);
            model.settle();
            assert_eq!(model.unit_data(0, "zk/0")["ran"], "hooks/start");
        }
    });
}

#[test]
fn c1_1_a_file_that_is_not_executable_fails_the_hook() {
    on_processes(|stage| {
        let script = "#!/bin/sh\n";
        let mut model = stage.model().deploy(charm(METADATA).file("dispatch", script).without_dispatch(), 1);
        let failed = model.settle_until_failure();
        assert_eq!(failed.to_string(), "install");
        assert!(matches!(failed.outcome, Outcome::Failed(_)), "{failed:?}");

        let files = charm(METADATA).actions(ACTIONS).file("actions/check", script).actor_at("hooks/install");
        let mut model = stage.model().deploy(files, 1);
        model.settle();
        let id = act(&mut model, "check", &[]);
        let report = model.action(id).unwrap();
        assert!(!report.completed && !report.message.contains("not implemented"), "{report:?}");
    });
}

#[test]
fn c1_1_only_files_of_known_hooks_are_made_executable() {
    let script = "#!/bin/sh\n";
    let unpacked = ["hooks/install", "hooks/start", "hooks/zkpeer-relation-joined", "hooks/helper"];
    on_processes(|stage| {
        let files = charm(METADATA).actions(ACTIONS).without_dispatch().file("actions/check", script);
        let files = unpacked.iter().fold(files, |files, path| files.file(path, script));
        let model = stage.model().deploy(files, 1);
        assert_eq!(unpacked.map(|path| mode(&model, path) & 0o100), [0o100, 0o100, 0o100, 0]);
        assert_eq!(mode(&model, "hooks/install"), 0o744);
        assert_eq!(mode(&model, "actions/check"), 0o644);
        let model = stage.model().deploy(charm(METADATA).file("dispatch", script).without_dispatch(), 1);
        assert_eq!(mode(&model, "dispatch"), 0o644);
    });
}

#[test]
fn c1_1_without_metadata_every_hook_fails() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.until_done("zk/0", "install", 1);
        let metadata = model.charm_dir("zk/0").unwrap().join("metadata.yaml");
        fs::remove_file(&metadata).unwrap();
        for _ in 0..2 {
            let failed = model.settle_until_failure();
            assert_eq!(failed.to_string(), "zkpeer-relation-created");
            assert_eq!(failed.outcome, Outcome::Failed("charm missing from disk".to_owned()));
            model.retry("zk/0").unwrap();
        }
        fs::write(metadata, METADATA).unwrap();
        model.settle();
        assert_eq!(model.hooks("zk/0").last().unwrap(), "start");
    });
}

#[test]
fn c1_1_links_to_one_program_can_be_told_apart() {
    let script = "#!/bin/sh\necho \"${0##*/} $JUJU_HOOK_NAME ${JUJU_DISPATCH_PATH#hooks/}\"\n";
    on_processes(|stage| {
        let files = charm(METADATA).executable("charm.sh", script).without_dispatch();
        let files = files.link("hooks/install", "../charm.sh").link("hooks/start", "../charm.sh");
        let mut model = stage.model().deploy(files, 1);
        model.settle();
        for hook in ["install", "start"] {
            assert_eq!(model.runs("zk/0", hook)[0].stdout, format!("{hook} {hook} {hook}\n"));
        }
    });
}

#[test]
fn c1_2_the_working_directory_is_the_charm_directory() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let charm_dir = model.charm_dir("zk/0").unwrap();
        assert!(charm_dir.ends_with("agents/unit-zk-0/charm"), "{charm_dir:?}");
        assert!(starts(&model, "zk/0").iter().all(|start| Path::new(&start.directory) == charm_dir));
    });
}

#[test]
fn c1_2_nothing_is_inherited() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let own: BTreeSet<String> = std::env::vars().map(|(name, _)| name).collect();
        assert!(own.contains("PATH") && own.len() > 1);
        let known = ["PATH", "LANG", "TERM", "DEBIAN_FRONTEND", "APT_LISTCHANGES_FRONTEND", "CHARM_DIR"];
        let known = |name: &str| known.contains(&name) || name.starts_with("JUJU_") || name == "CLOUD_API_VERSION";
        for start in starts(&model, "zk/0") {
            // The last are the two variables that are not Juju's.
            let others: Vec<&String> = start.environment.keys().filter(|name| !known(name)).collect();
            assert_eq!(others, ["ZKPEER_REPORT", "ZKPEER_ROOT"], "{}", start.shown);
        }
    });
}

#[test]
fn c1_2_standard_input_is_empty() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        assert!(starts(&model, "zk/0").iter().all(|start| start.stdin.is_empty()));
    });
}

#[test]
fn c1_2_both_outputs_are_taken() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("install", &[]).prints("one\ntwo\n").complains("three\n");
        model.settle();
        let run = model.runs("zk/0", "install")[0];
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("one\ntwo\n", "three\n"));
    });
}

#[test]
fn c1_2_a_unit_runs_one_thing_at_a_time() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.until_begun("zk/0", "install");
        model.run_action("zk/0", "check", &[]).unwrap();
        assert_eq!(model.steps().iter().filter(|step| matches!(step, Step::Begin(..))).count(), 0);
        assert!(model.steps().contains(&Step::End("zk/0".parse().unwrap())));
        model.settle();
        assert!(names(&model, "zk/0").contains(&"check".to_owned()));
    });
}

#[test]
fn c1_2_units_on_one_machine_exclude_each_other() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.place("zk/1", "zk/0").unwrap();
        model.seed(5);
        while model.step().is_some() {
            assert!(model.running("zk/0").is_none() || model.running("zk/1").is_none());
        }
        assert_eq!(
            model.variable("zk/0", "start", "JUJU_MACHINE_ID"),
            model.variable("zk/1", "start", "JUJU_MACHINE_ID")
        );
    });
}

#[test]
fn c1_2_hooks_of_different_units_overlap() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.begin("zk/0");
        model.begin("zk/1");
        assert!(model.running("zk/0").is_some() && model.running("zk/1").is_some());
        model.end("zk/1");
        assert_eq!(model.begin("zk/1").name(), "zkpeer-relation-created");
        assert_eq!(model.running("zk/0").unwrap().name(), "install");
        model.settle();
    });
}

#[test]
fn c1_2_an_action_returns_its_outputs_and_its_exit_code() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.settle();
        model.script("check", &["action-set done=yes"]).prints("out\n").complains("err\n").exits(3);
        let id = act(&mut model, "check", &[]);
        let results = &model.action(id).unwrap().results;
        let results: Vec<(&str, String)> = results.iter().map(|(key, value)| (key.as_str(), value.to_json())).collect();
        let expected = [("done", "\"yes\""), ("return-code", "3"), ("stderr", "\"err\\n\""), ("stdout", "\"out\\n\"")];
        assert_eq!(results, expected.map(|(key, value)| (key, value.to_owned())));
    });
}

#[test]
fn c1_2_the_charms_own_files_survive_an_upgrade() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        // The agent makes the file in the caller's directory, as if the charm had (contract 7.3).
        model.script("install", &["is-leader --format=json -o own"]);
        model.settle();
        model.refresh("zk", charm(METADATA).file("new", "new\n"));
        model.settle();
        let text = |file: &str| fs::read_to_string(model.charm_dir("zk/0").unwrap().join(file)).unwrap();
        assert_eq!((text("own").as_str(), text("new").as_str()), ("true\n", "new\n"));
    });
}

#[test]
fn c1_2_an_upgrade_removes_what_the_new_charm_has_not() {
    on_every_driver(|stage| {
        let old = charm(METADATA).file("lib/old/a", "old\n").file("lib/both", "old\n").file("gone", "old\n");
        let mut model = stage.model().deploy(old, 1);
        model.script("install", &["is-leader -o lib/own"]);
        model.settle();
        model.refresh("zk", charm(METADATA).file("lib/both", "new\n"));
        model.settle();
        let charm_dir = model.charm_dir("zk/0").unwrap();
        let there =
            ["lib/old/a", "gone", "lib/both", "lib/own", "metadata.yaml"].map(|file| charm_dir.join(file).exists());
        assert_eq!(there, [false, false, true, true, true]);
        assert_eq!(fs::read_to_string(charm_dir.join("lib/both")).unwrap(), "new\n");
    });
}

#[test]
fn c1_3_the_path_is_set_with_and_without_dispatch() {
    on_processes(|stage| {
        for version in VERSIONS {
            let old = charm(METADATA).actions(ACTIONS).actor_at("hooks/install").actor_at("actions/check");
            for files in [charm(METADATA).actions(ACTIONS), old] {
                let mut model = stage.juju(version).deploy(files, 1);
                model.settle();
                act(&mut model, "check", &[]);
                for (hook, path) in [("install", "hooks/install"), ("check", "actions/check")] {
                    assert_eq!(model.variable("zk/0", hook, "JUJU_DISPATCH_PATH"), Some(path));
                    let starts = starts(&model, "zk/0");
                    assert!(starts.iter().any(|start| start.environment["JUJU_DISPATCH_PATH"] == path));
                }
            }
        }
    });
}

#[test]
fn c1_3_the_hooks_of_a_unit() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.update_status("zk/0").unwrap();
        model.settle();
        model.refresh("zk", METADATA);
        model.settle();
        model.remove_unit("zk/0").unwrap();
        model.settle();
        let expected = [
            "install",
            "zkpeer-relation-created",
            "leader-elected",
            "config-changed",
            "start",
            "update-status",
            "upgrade-charm",
            "config-changed",
            "stop",
            "remove",
        ];
        assert_eq!(model.hooks("zk/0"), expected);
    });
}

#[test]
fn c1_3_the_five_hooks_of_a_relation() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1).deploy(CLIENT, 1);
        model.script("zookeeper-relation-joined", &["relation-set a=1"]);
        model.settle();
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        model.remove_relation("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        let names: Vec<String> = names(&model, "zk/0").into_iter().filter(|name| name.starts_with("client-")).collect();
        let kinds = ["created", "joined", "changed", "departed", "broken"];
        assert_eq!(names, kinds.map(|kind| format!("client-relation-{kind}")));
    });
}

#[test]
fn c1_3_the_hooks_of_storage() {
    on_every_version(&VERSIONS, |stage| {
        let metadata = format!("{METADATA}storage:\n  data: {{type: filesystem, location: /srv/data}}\n");
        let mut model = stage.model().deploy(metadata.as_str(), 1);
        model.settle();
        model.remove_unit("zk/0").unwrap();
        model.settle();
        let hooks: Vec<String> = names(&model, "zk/0").into_iter().filter(|name| name.contains("storage")).collect();
        assert_eq!(hooks, ["data-storage-attached", "data-storage-detaching"]);
        assert_eq!(model.variable("zk/0", "data-storage-attached", "JUJU_STORAGE_ID"), Some("data/0"));
    });
}

#[test]
fn c1_3_the_hooks_of_secrets() {
    on_every_version(&["3.1.7", "3.6.25", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1).deploy(CLIENT, 1);
        let add =
            ["secret-add --rotate hourly token=one", "secret-grant $1 -r $JUJU_RELATION_ID", "relation-set id=$1"];
        model.script("client-relation-created", &add);
        model.script("zookeeper-relation-changed (zk/0)", &["relation-get id", "secret-get $1"]);
        model.script("secret-changed", &["secret-get $JUJU_SECRET_ID --refresh"]);
        model
            .script("update-status", &["relation-get -r client:1 id zk/0", "secret-set $1 --expire 1h token=two"])
            .nth(1);
        model.settle();
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        model.update_status("zk/0").unwrap();
        model.settle();
        let id = model.unit_data(1, "zk/0")["id"].clone();
        assert_eq!(model.hooks("kafka/0").last().unwrap(), &format!("secret-changed ({id})"));
        assert_eq!(model.hooks("zk/0").last().unwrap(), &format!("secret-remove ({id})"));
        let later = hooks_of(&model.pass(Duration::from_secs(4000)), "zk/0");
        for hook in ["secret-rotate", "secret-expired"] {
            assert!(later.contains(&format!("{hook} ({id})")), "{later:?}");
        }
        for hook in ["secret-rotate", "secret-expired", "secret-remove"] {
            assert_eq!(model.variable("zk/0", hook, "JUJU_SECRET_ID"), Some(id.as_str()));
        }
    });
}

#[test]
fn c1_3_series_upgrade_hooks_until_3_6() {
    on_every_version(&["2.9.52", "3.1.7", "3.6.25"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.prepare_series_upgrade("zk/0").unwrap();
        let before = model.settle();
        model.complete_series_upgrade("zk/0").unwrap();
        let after = model.settle();
        assert_eq!(hooks_of(&before, "zk/0"), ["pre-series-upgrade"]);
        assert_eq!(hooks_of(&after, "zk/0"), ["post-series-upgrade"]);
    });
    on_every_version(&["4.0.14"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        assert!(model.prepare_series_upgrade("zk/0").is_err());
    });
}

#[test]
fn c1_3_leader_deposed_is_never_run() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.settle();
        for unit in ["zk/1", "zk/0"] {
            model.set_leader(unit).unwrap();
            model.settle();
        }
        model.remove_leader("zk").unwrap();
        model.settle();
        assert!(model.story().iter().all(|run| run.hook.name() != "leader-deposed"));
        let refused = model.model_mut().run_hook("zk/0", "leader-deposed").unwrap_err().to_string();
        assert!(refused.contains("Juju never runs it"), "{refused}");
    });
}

#[test]
fn c1_3_dashes_are_kept() {
    let metadata = METADATA.replace("zkpeer:", "my-zk-peers:").replace("client:", "a_client-x:");
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(metadata.as_str(), 2).deploy(CLIENT, 1);
        model.relate("zk:a_client-x", "kafka:zookeeper").unwrap();
        model.settle();
        let hooks = model.hooks("zk/0");
        for hook in ["my-zk-peers-relation-joined (zk/1)", "a_client-x-relation-changed (kafka/0)"] {
            assert!(hooks.contains(&hook.to_owned()), "{hooks:?}");
        }
        let hook = "my-zk-peers-relation-joined";
        assert_eq!(model.variable("zk/0", hook, "JUJU_RELATION"), Some("my-zk-peers"));
        assert_eq!(model.variable("zk/0", hook, "JUJU_RELATION_ID"), Some("my-zk-peers:0"));
        assert_eq!(model.variable("zk/0", hook, "JUJU_DISPATCH_PATH"), Some(&*format!("hooks/{hook}")));
    });
}

#[test]
fn c1_4_the_variables_of_an_action() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.settle();
        for number in ["1", "2"] {
            let id = act(&mut model, "check", &[]);
            assert_eq!(id.to_string(), number);
            let variable = |name| model.variable("zk/0", "check", name);
            assert_eq!(variable("JUJU_ACTION_NAME"), Some("check"));
            assert_eq!(variable("JUJU_ACTION_UUID"), Some(number));
            assert_eq!(variable("JUJU_ACTION_TAG"), Some(&*format!("action-{number}")));
            assert_eq!(variable("JUJU_HOOK_NAME"), Some(""));
            assert_eq!(variable("JUJU_DISPATCH_PATH"), Some("actions/check"));
            for relation in ["JUJU_RELATION", "JUJU_RELATION_ID", "JUJU_REMOTE_UNIT", "JUJU_REMOTE_APP"] {
                assert_eq!(variable(relation), None);
            }
        }
        assert_eq!(model.variable("zk/0", "start", "JUJU_ACTION_NAME"), None);
    });
}

#[test]
fn c1_4_hook_commands_work_in_an_action() {
    const COMMANDS: [&str; 22] = [
        "action-get",
        "action-log x",
        "action-set a=1",
        "application-version-set 1",
        "config-get",
        "goal-state",
        "is-leader",
        "juju-log x",
        "leader-get",
        "leader-set a=1",
        "network-get zkpeer",
        "open-port 80",
        "opened-ports",
        "relation-get -r zkpeer:0 - zk/0",
        "relation-ids zkpeer",
        "relation-list -r zkpeer:0",
        "relation-set -r zkpeer:0 a=1",
        "secret-add token=one",
        "state-set a=1",
        "status-set active",
        "storage-list",
        "unit-get private-address",
    ];
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.settle();
        model.script("check", &COMMANDS);
        let id = act(&mut model, "check", &[]);
        for (command, answer) in COMMANDS.iter().zip(model.answers("zk/0", "check")) {
            assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{command}");
        }
        assert!(model.action(id).unwrap().completed);
        assert_eq!(model.unit_data(0, "zk/0")["a"], "1");
    });
}

#[test]
fn c1_4_parameters_are_checked_before_the_charm_runs() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.script("backup", &["action-get --format=json"]);
        model.settle();
        let wrong: [&[(&str, Value)]; 3] =
            [&[], &[("target", Value::from(7))], &[("target", Value::from("x")), ("more", Value::from("y"))]];
        for params in wrong {
            assert!(model.run_action("zk/0", "backup", params).is_err(), "{params:?}");
        }
        assert!(model.run_action("zk/0", "nothing", &[]).is_err());
        model.settle();
        assert_eq!(model.runs("zk/0", "backup").len(), 0);
        act(&mut model, "backup", &[("target", Value::from("x"))]);
        assert_eq!(model.answer("zk/0", "backup", 0), ok("{\"count\":1,\"target\":\"x\"}\n"));
    });
}

#[test]
fn c1_5_restricted_hooks_run_outside_the_order() {
    on_every_version(&["2.9.52", "3.1.7", "3.6.9"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.until_done("zk/0", "install", 1);
        model.run_hook("zk/0", "collect-metrics");
        model.run_hook("zk/0", "meter-status-changed");
        model.until_done("zk/0", "config-changed", 1);
        model.run_hook("zk/0", "collect-metrics");
        model.settle();
        let expected = [
            "install",
            "collect-metrics",
            "meter-status-changed",
            "zkpeer-relation-created",
            "leader-elected",
            "config-changed",
            "collect-metrics",
            "start",
        ];
        assert_eq!(model.hooks("zk/0"), expected);
    });
}

#[test]
fn c1_5_the_environment_is_reduced() {
    on_every_version(&["2.9.52", "3.1.7", "3.6.9"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let common = [
            "CHARM_DIR",
            "JUJU_AGENT_SOCKET_ADDRESS",
            "JUJU_AGENT_SOCKET_NETWORK",
            "JUJU_CHARM_DIR",
            "JUJU_CONTEXT_ID",
            "JUJU_DISPATCH_PATH",
            "JUJU_UNIT_NAME",
        ];
        for (hook, more) in
            [("collect-metrics", &[][..]), ("meter-status-changed", &["JUJU_METER_INFO", "JUJU_METER_STATUS"])]
        {
            let run = model.run_hook("zk/0", hook);
            let names = run.environment.keys().map(String::as_str);
            let names: Vec<&str> = names.filter(|name| name.contains("JUJU") || *name == "CHARM_DIR").collect();
            let expected: BTreeSet<&str> = common.iter().chain(more).copied().collect();
            assert_eq!(names, expected.into_iter().collect::<Vec<_>>());
            assert!(run.environment.contains_key("PATH"));
            assert_eq!(run.environment["JUJU_DISPATCH_PATH"], format!("hooks/{hook}"));
        }
    });
}

#[test]
fn c1_5_hook_commands_are_refused_in_restricted_hooks() {
    const REFUSED: [&str; 6] =
        ["config-get", "is-leader", "relation-ids", "relation-set a=1", "state-get", "status-set active"];
    on_every_version(&["2.9.52", "3.1.7", "3.6.9"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        for hook in ["collect-metrics", "meter-status-changed"] {
            model.script(hook, &["juju-log hello", "add-metric requests=7"]);
            model.script(hook, &REFUSED);
            let run = model.run_hook("zk/0", hook);
            let answers = model.answers("zk/0", hook);
            assert_eq!(answers[0], ok(""));
            assert_eq!(run.log[0].message, "hello");
            assert_eq!(answers[1].code, i32::from(hook != "collect-metrics"));
            for answer in &answers[2..] {
                assert_eq!((answer.code, answer.stdout.as_str()), (1, ""));
                assert!(answer.stderr.contains("not implemented for restricted context"), "{answer:?}");
            }
            assert_eq!(answers.len(), 2 + REFUSED.len());
        }
    });
}

#[test]
fn c1_5_a_restricted_hook_that_fails_changes_nothing() {
    on_every_version(&["2.9.52", "3.6.9"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("collect-metrics", &["add-metric a=1"]).exits(1);
        model.settle();
        let status = model.status("zk/0");
        let run = model.run_hook("zk/0", "collect-metrics");
        assert_eq!(run.exit, Some(1));
        assert!(model.failed("zk/0").is_none() && model.is_quiet());
        assert_eq!(model.status("zk/0"), status);
        model.update_status("zk/0").unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["update-status"]);
    });
}

#[test]
fn c1_5_restricted_hooks_are_not_run_from_3_6_10_on() {
    for (version, runs) in [("2.9.52", true), ("3.6.9", true), ("3.6.10", false), ("4.0.14", false)] {
        on_every_version(&[version], |stage| {
            let mut model = stage.model().deploy(METADATA, 1);
            model.settle();
            model.pass(Duration::from_secs(3600));
            for hook in ["collect-metrics", "meter-status-changed"] {
                assert_eq!(model.model_mut().run_hook("zk/0", hook).is_ok(), runs, "{version} {hook}");
            }
            assert!(model.story().iter().all(|run| !run.hook.name().contains("met")));
        });
    }
}

#[test]
fn c1_6_a_command_runs_in_a_context_of_its_own() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.exec("zk/0", "relation-ids zkpeer; is-leader --format=json", None).unwrap();
        model.settle();
        let run = model.runs("zk/0", "run-commands")[0];
        assert_eq!((run.outcome.clone(), run.stdout.as_str()), (Outcome::Done, "zkpeer:0\ntrue\n"));
        let variable = |name: &str| run.environment.get(name).map(String::as_str);
        assert_eq!((variable("JUJU_HOOK_NAME"), variable("JUJU_DISPATCH_PATH")), (Some(""), None));
        assert_eq!((variable("JUJU_UNIT_NAME"), variable("JUJU_RELATION")), (Some("zk/0"), None));
        assert!(run.context_id().starts_with("zk/0-run-commands-"), "{}", run.context_id());
    });
    on_processes(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.exec("zk/0", "pwd", None).unwrap();
        model.settle();
        let directory = model.charm_dir("zk/0").unwrap().display().to_string();
        assert_eq!(model.runs("zk/0", "run-commands")[0].stdout.trim_end(), directory);
    });
}

#[test]
fn c1_6_a_command_with_a_relation() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.settle();
        let relation = model.relations("zk")[0].clone();
        model.exec("zk/0", "relation-list", Some(&relation)).unwrap();
        model.settle();
        let variable = |name: &str| model.variable("zk/0", "run-commands", name);
        assert_eq!(variable("JUJU_RELATION"), Some("zkpeer"));
        assert_eq!(variable("JUJU_RELATION_ID"), Some("zkpeer:0"));
        assert_eq!(variable("JUJU_REMOTE_APP"), Some("zk"));
        assert_eq!(model.answer("zk/0", "run-commands", 0), ok("zk/1\n"));
    });
}

#[test]
fn c1_6_a_command_commits_whatever_its_exit_code() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let command = "relation-set -r zkpeer:0 a=1; state-set s=1; open-port 80; exit 7";
        model.exec("zk/0", command, None).unwrap();
        model.settle();
        assert_eq!(model.runs("zk/0", "run-commands")[0].exit, Some(7));
        assert_eq!(model.unit_data(0, "zk/0")["a"], "1");
        assert_eq!(model.charm_state("zk/0")["s"], "1");
        assert_eq!(model.ports("zk/0"), ["80/tcp"]);
        assert!(model.failed("zk/0").is_none());
    });
}

#[test]
fn c1_2_actions_that_are_declared_parallel_exclude_nobody_on_the_machine() {
    let actions = "check: {}\nwatch: {parallel: true}\n";
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(actions), 2);
        model.place("zk/1", "zk/0").unwrap();
        model.settle();
        model.update_status("zk/0").unwrap();
        model.begin("zk/0");
        model.run_action("zk/1", "check", &[]).unwrap();
        let begins = |model: &Play| model.steps().into_iter().any(|step| matches!(step, Step::Begin(..)));
        assert!(!begins(&model));
        model.settle();
        model.update_status("zk/0").unwrap();
        model.begin("zk/0");
        model.run_action("zk/1", "watch", &[]).unwrap();
        assert_eq!(model.begin("zk/1").name(), "watch");
        model.settle();
    });
}
