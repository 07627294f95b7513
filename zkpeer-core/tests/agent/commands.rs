//! Contract sections 7 to 9: the hook commands through the real program, with outputs, texts and exit codes.

use crate::support::{Shell, names};

fn shell() -> Shell {
    Shell::new(|builder| builder)
}

/// A unit with a member in its peer relation and one in another.
fn related(leader: bool) -> Shell {
    let mut shell = Shell::new(|builder| builder.leader(leader));
    shell.agent.add_peer("zkpeer", "hello/1", &[("k", "v"), ("yes", "no")]).unwrap();
    let client = shell.agent.relate("client", "kafka").unwrap();
    shell.agent.add_remote(&client, "kafka/0", &[]).unwrap();
    shell.agent.settle().unwrap();
    shell
}

/// Each command fails with this text and this code.
fn errors(shell: &mut Shell, table: &[(&str, &str, i32)]) {
    for (line, text, code) in table {
        assert_eq!(shell.error(line), ((*text).to_owned(), *code), "{line}");
    }
}

/// Each command prints this.
fn outputs(shell: &mut Shell, table: &[(&str, &str)]) {
    for (line, text) in table {
        assert_eq!(shell.output(line), *text, "{line}");
    }
}

#[test]
fn c7_1_general_errors() {
    errors(
        &mut shell(),
        &[
            ("relation-get --foo", "option provided but not defined: --foo", 2),
            ("relation-get -x", "option provided but not defined: -x", 2),
            ("relation-get -r", "option needs an argument: -r", 2),
            ("relation-get -r x", "invalid value \"x\" for option -r: invalid relation id", 2),
            ("relation-get -r zkpeer:9", "invalid value \"zkpeer:9\" for option -r: relation not found", 2),
            (
                "relation-get --relation zkpeer:9",
                "invalid value \"zkpeer:9\" for option --relation: relation not found",
                2,
            ),
            ("is-leader --format foo", "invalid value \"foo\" for option --format: unknown format \"foo\"", 2),
            ("is-leader a b", "unrecognized args: [\"a\" \"b\"]", 2),
            ("relation-get", "no relation id specified", 2),
            ("relation-list", "no relation id specified", 2),
            ("relation-set a=b", "no relation id specified", 2),
        ],
    );
}

#[test]
fn c7_1_help_is_printed_with_code_0() {
    let mut shell = shell();
    assert!(shell.output("relation-get --help").starts_with("Usage: relation-get [options]"));
    assert!(shell.output("state-delete -h").starts_with("Usage: state-delete"));
}

#[test]
fn c7_3_output_goes_to_a_file_of_the_callers_directory() {
    let mut shell = shell();
    assert_eq!(shell.output("mkdir -p sub; cd sub; is-leader --format json -o answer"), "");
    let written = std::fs::read_to_string(shell.agent.charm_dir().join("sub/answer")).unwrap();
    assert_eq!(written, "false\n");
    assert_eq!(shell.error("is-leader -o no/such").1, 1);
}

#[test]
fn c9_1_relation_get() {
    let mut shell = related(false);
    outputs(
        &mut shell,
        &[
            ("relation-get -r zkpeer:0 k hello/1", "v\n"),
            ("relation-get -r 0 k hello/1", "v\n"),
            ("relation-get -r anything:0 k hello/1", "v\n"),
            ("relation-get -r 0 --format=json k hello/1", "\"v\"\n"),
            ("relation-get -r 0 missing hello/1", ""),
            ("relation-get -r 0 --format=json missing hello/1", "null\n"),
            ("relation-get -r 0 --app --format=json - hello", "{}\n"),
            ("relation-get -r 0 --app - hello/1", "{}\n"),
            ("relation-get -r 1 --app --format=json '' kafka", "{}\n"),
        ],
    );
    let all = shell.output("relation-get -r 0 - hello/1");
    assert!(all.contains("\nk: v\n") && all.ends_with("\"yes\": \"no\"\n"), "{all}");
    let all = shell.output("relation-get -r 0 --format json - hello/1");
    assert!(all.starts_with("{\"egress-subnets\":\"") && all.ends_with("\"yes\":\"no\"}\n"), "{all}");
    errors(
        &mut shell,
        &[
            ("relation-get -r 0 k", "no unit or application specified", 2),
            ("relation-get -r 0 k kafka", "expected unit name, got application name \"kafka\"", 2),
            ("relation-get -r 0 k x_y", "invalid unit name \"x_y\"", 2),
            ("relation-get -r 0 k hello/1 more", "unrecognized args: [\"more\"]", 2),
            ("relation-get -r 1 --app - hello", "permission denied", 1),
            ("relation-get -r 0 - other/0", "permission denied", 1),
            (
                "relation-get -r 0 - hello/9",
                "cannot read settings for unit \"hello/9\" in relation \"hello:zkpeer\": unit \"hello/9\": settings not found",
                1,
            ),
        ],
    );
}

#[test]
fn c9_1_relation_get_in_a_relation_hook() {
    let mut shell = related(false);
    shell.agent.change_app("zkpeer", "hello", &[("of", "the app")]).unwrap();
    shell.script("relation-get of; relation-get --app of; relation-list --app; relation-ids");
    let runs = shell.agent.settle().unwrap();
    assert_eq!(runs[0].stdout, "the app\nthe app\nhello\nzkpeer:0\n", "an empty remote unit means the application");
    shell.agent.change_peer("zkpeer", "hello/1", &[("k", "w")]).unwrap();
    shell.script("relation-get k; relation-get --app of; juju-log seen");
    let runs = shell.agent.settle().unwrap();
    assert_eq!(runs[0].stdout, "w\nthe app\n");
    assert_eq!(runs[0].log[0].message, "zkpeer:0: seen", "c9_10");
}

#[test]
fn c9_2_relation_set() {
    let mut shell = related(false);
    errors(
        &mut shell,
        &[
            ("relation-set -r 0 foo", "expected \"key=value\", got \"foo\"", 2),
            ("relation-set -r 0 a=1 a=2", "key \"a\" specified more than once", 2),
            ("relation-set -r 0 --app a=1", "cannot write relation settings", 1),
            ("relation-set -r 0 --app", "cannot write relation settings", 1),
            (
                "echo '[1]' | relation-set -r 0 --file -",
                "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into map[string]string",
                1,
            ),
            (
                "echo 'a: [1]' | relation-set -r 0 --file -",
                "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string",
                1,
            ),
        ],
    );
    let (text, code) = shell.error("relation-set -r 0 --file nothing");
    assert!(text.ends_with("/nothing: no such file or directory") && code == 1, "{text}");
    shell.output("relation-set -r 0 ' a = b '");
    shell.output("printf 'c: \" d \"\\ne: 1.50\\na: gone' > file; relation-set -r 0 --file file a=kept");
    shell.output("relation-set -r 0");
    let bag = shell.agent.relation_data("zkpeer", "hello/0");
    assert_eq!((bag["a"].as_str(), bag["c"].as_str(), bag["e"].as_str()), ("kept", " d ", "1.50"));
    shell.output("relation-set -r 0 a=");
    assert!(!shell.agent.relation_data("zkpeer", "hello/0").contains_key("a"), "an empty value removes the key");
    let command = shell.command("relation-set -r 0 --format json a=1");
    assert!(command.code == 0 && command.stderr.contains("deprecated"), "{command:?}");
}

#[test]
fn c9_3_and_c9_4_relation_list_and_ids() {
    let mut shell = related(false);
    outputs(
        &mut shell,
        &[
            ("relation-list -r 0", "hello/1\n"),
            ("relation-list -r 1 --format=json", "[\"kafka/0\"]\n"),
            ("relation-list -r 1 --app", "kafka\n"),
            ("relation-ids zkpeer", "zkpeer:0\n"),
            ("relation-ids --format json client", "[\"client:1\"]\n"),
            ("relation-ids --format=json nothing", "[]\n"),
            ("relation-ids nothing", ""),
        ],
    );
    errors(&mut shell, &[("relation-ids", "no endpoint name specified", 2)]);
    let mut older = Shell::new(|builder| builder.juju("2.9.52"));
    errors(&mut older, &[("relation-ids", "no relation name specified", 2)]);
    assert_eq!(older.output("relation-list -r 0 --format=json"), "[]\n");
}

#[test]
fn c9_4_an_ending_relation_is_left_out_but_can_be_read() {
    let mut shell = related(false);
    let client = shell.agent.relations()[1].clone();
    shell.agent.unrelate(&client).unwrap();
    shell.script("relation-ids client; relation-list -r client:1 --format=json");
    let runs = shell.agent.settle().unwrap();
    assert_eq!(names(&runs), ["client-relation-departed (kafka/0)", "client-relation-broken"]);
    assert_eq!(runs[0].stdout, "client:1\n[]\n", "it had a member when the hook began");
    assert_eq!(runs[1].stdout, "[]\n");
}

#[test]
fn c9_4_a_relation_that_only_the_unit_leaves_is_listed() {
    let mut shell = related(false);
    shell.agent.remove();
    shell.script("relation-ids client");
    let runs = shell.agent.settle().unwrap();
    assert_eq!(names(&runs)[..2], ["client-relation-departed (kafka/0)", "client-relation-broken"]);
    assert_eq!([&runs[0].stdout, &runs[1].stdout], ["client:1\n", "client:1\n"]);
}

#[test]
fn c9_6_config_get() {
    let mut shell = Shell::new(|builder| builder.config("greeting", "hello"));
    outputs(
        &mut shell,
        &[
            ("config-get greeting", "hello\n"),
            ("config-get --format=json fast", "false\n"),
            ("config-get fast", "False\n"),
            ("config-get port", ""),
            ("config-get --format=json port", "null\n"),
            ("config-get --format=json unknown", "null\n"),
            ("config-get --format=json", "{\"big\":1000000,\"fast\":false,\"greeting\":\"hello\",\"ratio\":1.5}\n"),
            (
                "config-get -a --format=json",
                "{\"big\":1000000,\"fast\":false,\"greeting\":\"hello\",\"port\":null,\"ratio\":1.5}\n",
            ),
            ("config-get", "big: 1e+06\nfast: false\ngreeting: hello\nratio: 1.5\n"),
        ],
    );
    errors(&mut shell, &[("config-get --all greeting", "cannot use argument --all together with key \"greeting\"", 2)]);
}

#[test]
fn c9_7_leadership() {
    let mut shell = related(false);
    outputs(
        &mut shell,
        &[("is-leader", "False\n"), ("is-leader --format=json", "false\n"), ("leader-get --format=json", "{}\n")],
    );
    errors(
        &mut shell,
        &[
            ("leader-set a=1", "cannot write leadership settings: cannot write settings: not the leader", 1),
            ("leader-get a=b", "invalid key \"a=b\"", 2),
        ],
    );
    shell.agent.set_leader(true);
    shell.agent.settle().unwrap();
    shell.output("leader-set a=1 b=2; leader-set b=");
    outputs(&mut shell, &[("leader-get a", "1\n"), ("leader-get --format=json b", "null\n"), ("leader-get b", "")]);
    let mut four = Shell::new(|builder| builder.juju("4.0.14"));
    let run = four.hook("leader-get; true");
    assert!(run.commands.is_empty() && run.stderr.contains("not found"), "Juju 4 has no such command");
}

#[test]
fn c9_8_state() {
    let mut shell = shell();
    outputs(
        &mut shell,
        &[
            ("state-get --format=json", "null\n"),
            ("state-get", "{}\n"),
            ("state-set a=1 empty=", ""),
            ("state-get a", "1\n"),
            ("state-get --format=json", "{\"a\":\"1\",\"empty\":\"\"}\n"),
            ("state-get --format=json missing", "\"\"\n"),
            ("state-get missing", ""),
            ("state-set", ""),
            ("state-delete", ""),
            ("state-delete missing", ""),
            ("state-delete a", ""),
            ("state-get --format=json -", "{\"empty\":\"\"}\n"),
        ],
    );
    errors(
        &mut shell,
        &[
            ("state-get --strict missing", "\"missing\" not found", 1),
            ("state-set $(printf '%0257d' 0)=1", "max allowed key length (256) exceeded", 1),
            ("state-set a=$(printf '%065537d' 0)", "max allowed value length (65536) exceeded", 1),
            ("state-delete a b", "unrecognized args: [\"b\"]", 2),
        ],
    );
}

#[test]
fn c9_9_status() {
    let mut shell = shell();
    errors(
        &mut shell,
        &[
            ("status-set", "invalid args, require <status> [message]", 2),
            ("status-set x", "invalid status \"x\", expected one of [maintenance blocked waiting active]", 2),
            ("status-set active a b", "unrecognized args: [\"b\"]", 2),
            ("status-set --application active", "this unit is not the leader", 1),
            ("status-get --application", "finding application status: this unit is not the leader", 1),
            ("application-version-set", "no version specified", 2),
        ],
    );
    shell.output("status-set active 'all well'");
    outputs(
        &mut shell,
        &[
            ("status-get", "active\n"),
            ("status-get --format=json", "{\"status\":\"active\"}\n"),
            (
                "status-get --include-data --format=json",
                "{\"message\":\"all well\",\"status\":\"active\",\"status-data\":{}}\n",
            ),
        ],
    );
    shell.agent.set_leader(true);
    shell.agent.settle().unwrap();
    shell.output("status-set --application waiting");
    assert_eq!(
        shell.output("status-get --application --format=json"),
        "{\"application-status\":{\"status\":\"waiting\",\"units\":{\"hello/0\":{\"status\":\"active\"}}}}\n"
    );
}

#[test]
fn c9_10_juju_log() {
    let mut shell = shell();
    errors(&mut shell, &[("juju-log -l INFO", "no message specified", 2)]);
    let run = shell.hook("juju-log two words; juju-log -l warn w; juju-log -l NONE n; juju-log -- -1 left");
    let log: Vec<String> = run.log.iter().map(|line| format!("{} {}", line.level, line.message)).collect();
    assert_eq!((log[0].as_str(), log[1].as_str()), ("INFO two words", "WARNING w"));
    assert!(log[2].starts_with("WARNING ") && log[3] == "INFO n" && log[4] == "INFO -1 left", "{log:?}");
    assert_eq!(run.stdout, "");
}

#[test]
fn c9_11_network() {
    let mut shell = Shell::new(|builder| builder.address("10.0.0.4"));
    assert_eq!(
        shell.output("network-get --format=json zkpeer"),
        "{\"bind-addresses\":[{\"mac-address\":\"00:16:3e:00:00:04\",\"interface-name\":\"eth0\",\
         \"addresses\":[{\"hostname\":\"\",\"value\":\"10.0.0.4\",\"cidr\":\"10.0.0.0/24\"}]}],\
         \"egress-subnets\":[\"10.0.0.4/32\"],\"ingress-addresses\":[\"10.0.0.4\"]}\n"
    );
    outputs(
        &mut shell,
        &[
            ("network-get public --bind-address", "10.0.0.4\n"),
            ("network-get zkpeer --egress-subnets --format json", "[\"10.0.0.4/32\"]\n"),
            ("network-get zkpeer --primary-address", "10.0.0.4\n"),
            (
                "network-get zkpeer --bind-address --ingress-address --format=json",
                "{\"bind-address\":\"10.0.0.4\",\"ingress-address\":\"10.0.0.4\"}\n",
            ),
            ("unit-get private-address", "10.0.0.4\n"),
        ],
    );
    assert!(shell.output("network-get zkpeer").contains("macaddress"));
    errors(
        &mut shell,
        &[
            ("network-get", "no arguments specified", 2),
            ("network-get ''", "no binding name specified", 2),
            ("network-get x", "no network config found for binding \"x\"", 1),
            (
                "network-get zkpeer --primary-address --bind-address",
                "--primary-address must be the only flag specified",
                1,
            ),
            ("unit-get", "no setting specified", 2),
            ("unit-get x", "unknown setting \"x\"", 2),
        ],
    );
}

#[test]
fn c9_11_ports() {
    let mut shell = shell();
    errors(
        &mut shell,
        &[
            ("open-port", "no port or range specified", 2),
            ("open-port 1-2-3", "invalid port range \"1-2-3\"", 2),
            ("open-port x", "invalid port \"x\": strconv.Atoi: parsing \"x\": invalid syntax", 2),
            ("open-port 9-1", "invalid port range 9-1/tcp", 2),
            ("open-port 70000", "port range bounds must be between 0 and 65535, got 70000-70000", 2),
            ("open-port 80/sctp", "invalid protocol \"sctp\", expected \"tcp\", \"udp\", or \"icmp\"", 2),
        ],
    );
    shell.output("open-port 85; open-port 85; open-port 8080-8088/udp --endpoints client; open-port icmp");
    outputs(
        &mut shell,
        &[
            ("opened-ports", "icmp\n85/tcp\n8080-8088/udp\n"),
            ("opened-ports --endpoints", "icmp (*)\n85/tcp (*)\n8080-8088/udp (client)\n"),
        ],
    );
    let conflict = "cannot open 80-90/tcp (unit \"hello/0\"): port range conflicts with 85/tcp (unit \"hello/0\")";
    errors(&mut shell, &[("open-port 80-90", conflict, 1)]);
    let (text, _) = shell.error("open-port 10; open-port 5-15");
    assert!(text.ends_with(" requested earlier"), "{text}");
    shell.output("close-port 85; close-port 85; close-port icmp");
    assert_eq!(shell.agent.ports(), ["10/tcp", "8080-8088/udp"]);
}

#[test]
fn c9_13_actions() {
    let mut shell = shell();
    for command in ["action-get", "action-set a=1", "action-fail", "action-log x"] {
        assert_eq!(shell.error(command), ("not running an action".to_owned(), 1), "{command}");
    }
    let mut run = |script: &str| {
        shell.script(script);
        let deep = serde_json::from_str(r#"{"a": {"b": "c"}}"#).unwrap();
        shell.agent.run_action("backup", &[("deep", deep)]).unwrap()
    };
    let key = "must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens";
    for (line, text, code) in [
        ("action-set A=1", format!("key \"A\" {key}"), 2),
        ("action-set x", "argument \"x\" must be of the form key...=value".to_owned(), 2),
        ("action-set stdout=1", "cannot set reserved action key \"stdout\"".to_owned(), 2),
    ] {
        let command = run(line).run.commands[0].clone();
        assert_eq!((command.stderr, command.code), (format!("ERROR {text}\n"), code));
    }
    assert_eq!(run("action-get deep.a.b; action-get deep.x; action-get --format=json deep.x").run.stdout, "c\nnull\n");
    let default = "action failed without reason given, check action for errors";
    assert_eq!(run("action-fail").message, default);
}

#[test]
fn c9_14_goal_state() {
    let mut shell = related(false);
    shell.agent.add_peer("zkpeer", "hello/2", &[]).unwrap();
    let text = shell.output("goal-state --format=json");
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    let units: Vec<&String> = state["units"].as_object().unwrap().keys().collect();
    assert_eq!(units, ["hello/0", "hello/1", "hello/2"], "peers that have not joined yet, too");
    assert_eq!(state["relations"]["client"]["kafka"]["status"], "joined");
    assert!(state["relations"].get("zkpeer").is_none());
    assert!(shell.output("goal-state").starts_with("units:\n  hello/0:\n    status: "));
    let smart = "invalid value \"smart\" for option --format: unknown format \"smart\"";
    errors(&mut shell, &[("goal-state --format smart", smart, 2)]);
}
