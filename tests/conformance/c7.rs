//! Contract section 7: what all hook commands have in common.

use zkpeer_core::testing::CommandOutput;

use crate::c8::commands_of;
use crate::stage::{CharmFiles, METADATA, charm, error, ok, on_every_driver, on_processes};
use crate::table::related;

#[test]
fn c7_1_a_missing_key_is_no_error() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r zkpeer:0 none zk/1", ok("")),
                ("relation-get -r zkpeer:0 none zk/0 --format json", ok("null\n")),
                ("config-get none --format json", ok("null\n")),
                ("leader-get none --format json", ok("null\n")),
                ("state-get none --format json", ok("\"\"\n")),
                ("state-delete none", ok("")),
            ],
        );
    });
}

#[test]
fn c7_1_an_error_is_one_message_on_standard_error() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/1",
            &[
                ("relation-set -r zkpeer:0 --app a=b", error(1, "cannot write relation settings")),
                ("state-get --strict none", error(1, "\"none\" not found")),
                ("juju-log", error(2, "no message specified")),
                ("is-leader --nonsense", error(2, "option provided but not defined: --nonsense")),
                ("relation-get -r zkpeer:9", error(2, "invalid value \"zkpeer:9\" for option -r: relation not found")),
            ],
        );
        let lines = "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string";
        assert_eq!(model.output_with("zk/1", "state-set --file -", "a: []"), error(1, lines));
    });
}

/// A charm whose `dispatch` is this shell script.
fn shell(script: &str) -> CharmFiles {
    charm(METADATA).executable("dispatch", &format!("#!/bin/sh\n{script}")).without_dispatch()
}

#[test]
fn c7_1_without_an_agent_a_hook_command_ends_with_1() {
    on_processes(|stage| {
        let script = "JUJU_AGENT_SOCKET_ADDRESS=/nowhere/agent.socket is-leader\necho $?\n";
        let mut model = stage.model().deploy(shell(script), 1);
        let install = model.run_hook("zk/0", "install");
        assert_eq!(install.stdout, "1\n");
        let text = "ERROR dial unix /nowhere/agent.socket: connect: no such file or directory\n";
        assert_eq!(install.stderr, text);
    });
}

#[test]
fn c7_1_help_is_printed_with_code_0() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        for name in commands_of(stage.version) {
            let lines = [format!("{name} --help"), format!("{name} -h")];
            let outputs = model.outputs_of("zk/0", &lines);
            assert!(outputs[0].stdout.starts_with(&format!("Usage: {name}")), "{name}: {:?}", outputs[0]);
            assert_eq!((outputs[0].code, outputs[0].stderr.as_str()), (0, ""), "{name}");
            assert_eq!(outputs[0], outputs[1], "{name}");
        }
    });
}

#[test]
fn c7_1_texts_for_wrong_options() {
    let unknown = |option: &str| error(2, &format!("option provided but not defined: {option}"));
    let needs = |option: &str| error(2, &format!("option needs an argument: {option}"));
    let format = |format: &str| {
        error(2, &format!("invalid value \"{format}\" for option --format: unknown format \"{format}\""))
    };
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/0",
            &[
                ("relation-get --foo", unknown("--foo")),
                ("relation-get --foo=bar", unknown("--foo")),
                ("relation-get -x", unknown("-x")),
                ("relation-get -xr 0", unknown("-x")),
                ("relation-get --r 0", unknown("--r")),
                ("juju-log --format json", unknown("--format")),
                ("juju-log -1 left", unknown("-1")),
                ("relation-get -r", needs("-r")),
                ("relation-get a --relation", needs("--relation")),
                ("juju-log -l", needs("-l")),
                ("state-set --file", needs("--file")),
                ("is-leader --format", needs("--format")),
                ("is-leader -o", needs("-o")),
                ("is-leader --format foo", format("foo")),
                ("relation-ids --format=JSON", format("JSON")),
                ("relation-ids --format=", format("")),
                ("goal-state --format smart", format("smart")),
                // The first of several mistakes counts.
                ("is-leader --foo --format foo", unknown("--foo")),
                ("is-leader --format foo --foo", format("foo")),
            ],
        );
    });
}

#[test]
fn c7_1_texts_for_relation_ids() {
    let wrong = |value: &str, option: &str, why: &str| {
        error(2, &format!("invalid value \"{value}\" for option {option}: {why}"))
    };
    let (invalid, unknown) = ("invalid relation id", "relation not found");
    let none = || error(2, "no relation id specified");
    on_every_driver(|stage| {
        let mut model = related(stage);
        for command in ["relation-get", "relation-set", "relation-list", "relation-model-get"] {
            let lines = ["", " -r x", " -r zkpeer:", " --relation zkpeer:x", " -r zkpeer:9", " --relation=9 ", " -r 1"];
            let lines = lines.map(|line| format!("{command}{line}"));
            let rows: [CommandOutput; 7] = [
                none(),
                wrong("x", "-r", invalid),
                wrong("zkpeer:", "-r", invalid),
                wrong("zkpeer:x", "--relation", invalid),
                wrong("zkpeer:9", "-r", unknown),
                wrong("9", "--relation", unknown),
                // A relation of the model that the unit is not in.
                wrong("1", "-r", unknown),
            ];
            let rows: Vec<_> = lines.iter().map(String::as_str).zip(rows).collect();
            let mut alone = stage.model().deploy(METADATA, 1);
            alone.settle();
            alone.try_all("zk/0", &rows);
            // In the relation's own hook it needs no option.
            model.script("client-relation-changed", &[command]);
        }
        model.try_all("zk/0", &[("network-get client -r x", wrong("x", "-r", invalid))]);
        model.add_unit("kafka").unwrap();
        model.settle();
        let codes: Vec<i32> =
            model.answers("zk/0", "client-relation-changed").iter().map(|output| output.code).collect();
        assert_eq!(codes, [0; 4]);
    });
}

#[test]
fn c7_2_forms_of_options() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let address = model.unit_data(0, "zk/1")["ingress-address"].clone();
        let json = ok(&format!("\"{address}\"\n"));
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r zkpeer:0 --format json ingress-address zk/1", json.clone()),
                ("relation-get -rzkpeer:0 --format=json ingress-address zk/1", json.clone()),
                ("relation-get --relation 0 ingress-address --format json zk/1", json.clone()),
                ("relation-get --relation=anything:0 ingress-address zk/1 --format=json", json.clone()),
                ("relation-get ingress-address zk/1 --format json -r0", json.clone()),
                // The last of several counts.
                ("relation-get -r 1 -r 0 --format yaml --format json ingress-address zk/1", json),
                ("config-get -a --format json", ok("{}\n")),
                ("config-get --format json --all", ok("{}\n")),
            ],
        );
    });
}

#[test]
fn c7_2_an_equals_sign_after_a_letter_is_part_of_the_value() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/0",
            &[
                ("relation-list -r=0", error(2, "invalid value \"=0\" for option -r: invalid relation id")),
                ("relation-list -r=zkpeer:0", ok("zk/1\n")),
            ],
        );
    });
}

#[test]
fn c7_2_switches_may_be_given_true_or_false() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/0",
            &[
                ("relation-list -r 1 --app", ok("kafka\n")),
                ("relation-list -r 1 --app=true", ok("kafka\n")),
                ("relation-list -r 1 --app=false", ok("kafka/0\n")),
                ("relation-list -r 1 --app --app=false", ok("kafka/0\n")),
                ("relation-list --app -r 1", ok("kafka\n")),
                // What follows is an argument, not its value.
                ("relation-list -r 1 --app false", error(2, "unrecognized args: [\"false\"]")),
            ],
        );
    });
}

#[test]
fn c7_2_two_dashes_end_the_options() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/0",
            &[
                ("juju-log -l ERROR -- '-1 left' -- --debug", ok("")),
                ("juju-log '-1 left'", error(2, "option provided but not defined: -1")),
                ("state-set a=1 -- --key=-value -=dash", ok("")),
                ("state-get --format json - -o -", ok("")),
                ("state-get --format json -", ok("{\"-\":\"dash\",\"--key\":\"-value\",\"a\":\"1\"}\n")),
                ("state-get --format json -- --key", ok("\"-value\"\n")),
            ],
        );
        let log = &model.story().last().unwrap().log;
        assert_eq!((log[0].level.as_str(), log[0].message.as_str()), ("ERROR", "-1 left -- --debug"));
    });
}

#[test]
fn c7_3_each_value_in_each_format() {
    let config = "options: {on: {type: boolean, default: true}, off: {type: boolean, default: false}, \
                  port: {type: int, default: 2181}, half: {type: float, default: 0.5}}";
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).config(config), 3);
        let state = r#"{"empty": "", "text": "hello", "line": "hello\n", "lines": "one\n\n two\nthree\n\n"}"#;
        model.on("zk/0", "install", &["state-set --file -"]).stdin(state);
        model.settle();
        let maps = r##"{"b": "yes", "a": "x", "B": "", "c": "1.5", "d": "e: f", "g": "h\ni", "null": "#j"}"##;
        assert_eq!(model.output_with("zk/1", "state-set --file -", maps), ok(""));
        let yaml = "B: \"\"\na: x\nb: \"yes\"\nc: \"1.5\"\nd: 'e: f'\ng: |-\n  h\n  i\n\"null\": '#j'\n";
        let json = r##"{"B":"","a":"x","b":"yes","c":"1.5","d":"e: f","g":"h\ni","null":"#j"}"##;
        for (unit, command, smart, json, yaml) in [
            ("zk/0", "config-get none", "", "null", ""),
            ("zk/0", "state-get empty", "", "\"\"", "\"\"\n"),
            ("zk/0", "state-get text", "hello\n", "\"hello\"", "hello\n"),
            ("zk/0", "state-get line", "hello\n\n", "\"hello\\n\"", "|\n  hello\n"),
            (
                "zk/0",
                "state-get lines",
                "one\n\n two\nthree\n\n\n",
                "\"one\\n\\n two\\nthree\\n\\n\"",
                "|+\n  one\n\n   two\n  three\n\n",
            ),
            ("zk/0", "relation-ids none", "", "[]", "[]\n"),
            ("zk/0", "relation-list -r 0", "zk/1\nzk/2\n", "[\"zk/1\",\"zk/2\"]", "- zk/1\n- zk/2\n"),
            ("zk/0", "config-get on", "True\n", "true", "true\n"),
            ("zk/0", "config-get off", "False\n", "false", "false\n"),
            ("zk/0", "config-get port", "2181\n", "2181", "2181\n"),
            ("zk/0", "config-get half", "0.5\n", "0.5", "0.5\n"),
            ("zk/0", "leader-get", "{}\n", "{}", "{}\n"),
            ("zk/1", "state-get", yaml, json, yaml),
        ] {
            let rows = [
                (command.to_owned(), ok(smart)),
                (format!("{command} --format smart"), ok(smart)),
                (format!("{command} --format json"), ok(&format!("{json}\n"))),
                (format!("{command} --format yaml"), ok(yaml)),
            ];
            model.try_all(unit, &rows);
        }
    });
}

#[test]
fn c7_3_output_into_a_file() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let directory = model.charm_dir("zk/0").unwrap().to_owned();
        let elsewhere = tempfile::tempdir().unwrap();
        let absolute = elsewhere.path().join("leader").display().to_string();
        let missing = elsewhere.path().join("none/leader").display().to_string();
        let rows = [
            ("is-leader -o one".to_owned(), ok("")),
            ("is-leader --format json --output two".to_owned(), ok("")),
            ("relation-get -r 0 none zk/0 -o nothing".to_owned(), ok("")),
            (format!("is-leader -o {absolute}"), ok("")),
            (format!("is-leader -o {missing}"), error(1, &format!("open {missing}: no such file or directory"))),
        ];
        model.try_all("zk/0", &rows);
        let text = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
        assert_eq!([text("one"), text("two"), text("nothing"), text(&absolute)], ["True\n", "true\n", "", "True\n"]);
    });
}

#[test]
fn c7_3_json_is_as_go_writes_it() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let given = r#"{"b": "<a href=\"&\">", "a": "é\u2028\\/", "B": "\t\u0001\r"}"#;
        assert_eq!(model.output_with("zk/0", "state-set --file -", given), ok(""));
        let shown = r#"{"B":"\t\u0001\r","a":"é\u2028\\/","b":"\u003ca href=\"\u0026\"\u003e"}"#;
        model.try_all("zk/0", &[("state-get --format json", ok(&format!("{shown}\n")))]);
    });
}

#[test]
fn c7_3_what_is_no_text_is_replaced() {
    on_processes(|stage| {
        let script = "state-set \"a=$(printf 'x\\377y')\"\nstate-get --format json a\n";
        let mut model = stage.model().deploy(shell(script), 1);
        assert_eq!(model.run_hook("zk/0", "install").stdout, "\"x\\ufffdy\"\n");
        assert_eq!(model.charm_state("zk/0")["a"], "x\u{fffd}y");
    });
}

#[test]
fn c7_3_yaml_is_unsafe_for_programs() {
    let config = "options: {big: {type: int, default: 1000000}, more: {type: int, default: 1234567}, \
                  less: {type: int, default: 999999}, word: {default: '1e3'}}";
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).config(config), 1);
        model.settle();
        let yaml = ok("big: 1e+06\nless: 999999\nmore: 1.234567e+06\nword: 1e3\n");
        let json = "{\"big\":1000000,\"less\":999999,\"more\":1234567,\"word\":\"1e3\"}\n";
        model.try_all(
            "zk/0",
            &[
                ("config-get", yaml.clone()),
                ("config-get --format yaml", yaml),
                ("config-get --format json", ok(json)),
                ("config-get big", ok("1e+06\n")),
                ("config-get big --format yaml", ok("1e+06\n")),
                ("config-get big --format json", ok("1000000\n")),
                ("config-get word --format yaml", ok("1e3\n")),
            ],
        );
    });
}

/// What writes `key=value` arguments, and what reads a key back.
const WRITERS: [(&str, &str, &str); 3] = [
    ("relation-set -r 0", "relation-get -r 0 --format json", "zk/0"),
    ("leader-set", "leader-get --format json", ""),
    ("state-set", "state-get --format json", ""),
];

#[test]
fn c7_4_keys_and_values_are_trimmed() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        for (set, get, whose) in WRITERS {
            let rows = [
                (format!("{set} ' a\t= b=c \n\r' b==d '\n c = e'"), ok("")),
                (format!("{get} a {whose}"), ok("\"b=c\"\n")),
                (format!("{get} b {whose}"), ok("\"=d\"\n")),
                (format!("{get} c {whose}"), ok("\"e\"\n")),
            ];
            model.try_all("zk/0", &rows);
        }
    });
}

#[test]
fn c7_4_what_is_no_pair_is_refused() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        for (set, get, whose) in WRITERS {
            let no_pair = |text: &str| error(2, &format!("expected \"key=value\", got {text}"));
            let rows = [
                (format!("{set} ok=1 foo"), no_pair("\"foo\"")),
                (format!("{set} ok=1 =foo"), no_pair("\"=foo\"")),
                (format!("{set} ok=1 ' =foo'"), no_pair("\" =foo\"")),
                (format!("{set} ok=1 ' '"), no_pair("\" \"")),
                (format!("{set} a=1 ok=1 ' a =2'"), error(2, "key \"a\" specified more than once")),
                (format!("{get} ok {whose}"), ok(if set == "state-set" { "\"\"\n" } else { "null\n" })),
                (format!("{set} '' ok=2 ''"), ok("")),
                (format!("{get} ok {whose}"), ok("\"2\"\n")),
            ];
            model.try_all("zk/0", &rows);
        }
    });
}

#[test]
fn c7_4_a_file_keeps_white_space_and_takes_long_values() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let long = "x".repeat(200_000);
        let given = format!("{{\"white\": \" a \\n\", \"long\": \"{long}\"}}");
        assert_eq!(model.output_with("zk/0", "relation-set -r 0 --file -", &given), ok(""));
        let bag = model.unit_data(0, "zk/0");
        assert_eq!((bag["white"].as_str(), bag["long"] == long), (" a \n", true));
        let white = model.outputs_of("zk/1", &["relation-get -r 0 --format json white zk/0"]);
        assert_eq!(white, [ok("\" a \\n\"\n")]);
    });
}

#[test]
fn c7_5_a_file_or_standard_input() {
    let files = charm(METADATA).file("data.yaml", "a: 1\nb: \"2\"\n").file("data/x.json", "{\"c\": \"3\"}");
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(files.clone(), 1);
        model.settle();
        let path = model.charm_dir("zk/0").unwrap().join("data.yaml").display().to_string();
        for set in ["relation-set -r 0", "state-set"] {
            let lines = [
                format!("{set} --file data.yaml"),
                format!("{set} --file=data/x.json"),
                format!("{set} --file {path} path=yes"),
            ];
            assert_eq!(model.outputs_of("zk/0", &lines), [ok(""), ok(""), ok("")]);
            assert_eq!(model.output_with("zk/0", &format!("{set} --file -"), "d: 4"), ok(""));
            assert_eq!(model.output_with("zk/0", &format!("{set} --file -"), "{\"e\": \"5\"}"), ok(""));
        }
        for mut entries in [model.unit_data(0, "zk/0"), model.charm_state("zk/0")] {
            entries.retain(|key, _| !key.contains('-'));
            let entries: Vec<_> = entries.iter().map(|(key, value)| format!("{key}={value}")).collect();
            assert_eq!(entries, ["a=1", "b=2", "c=3", "d=4", "e=5", "path=yes"]);
        }
    });
}

#[test]
fn c7_5_scalars_are_taken_as_they_are_written() {
    let given = "a: 1.50\nb: yes\nc: 0x10\nd: 2024-05-01\ne: true\nf: null\ng: ~\nh:\ni: ' x '\nj: \"\\ty\\n\"\n\
                 k: |\n  two\n  lines\nl: >-\n  one\n  line\nm: !!binary aGk=\nn: 1_000\no: 010\np: \"null\"\n";
    let read = [
        ("a", "1.50"),
        ("b", "yes"),
        ("c", "0x10"),
        ("d", "2024-05-01"),
        ("e", "true"),
        ("f", ""),
        ("g", ""),
        ("h", ""),
        ("i", " x "),
        ("j", "\ty\n"),
        ("k", "two\nlines\n"),
        ("l", "one line"),
        ("m", "hi"),
        ("n", "1_000"),
        ("o", "010"),
        ("p", "null"),
    ];
    on_every_driver(|stage| {
        let mut model = related(stage);
        assert_eq!(model.output_with("zk/0", "state-set --file -", given), ok(""));
        let state = model.charm_state("zk/0");
        let state: Vec<(&str, &str)> = state.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        assert_eq!(state, read);
        // The empty ones delete with `relation-set`.
        model.outputs_of("zk/0", &["relation-set -r 0 f=1 g=2 h=3 a=4"]);
        assert_eq!(model.output_with("zk/0", "relation-set -r 0 --file -", given), ok(""));
        let bag = model.unit_data(0, "zk/0");
        assert_eq!(bag["a"], "1.50");
        assert!(["f", "g", "h"].iter().all(|key| !bag.contains_key(*key)), "{bag:?}");
    });
}

#[test]
fn c7_5_duplicates_documents_and_nothing() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        for text in ["a: 1\nb: 1\na: 2\n", "---\nc: 3\n---\nc: 4\nd: 5\n", "", "# nothing\n", "{}", "{\"e\": 6}\n...\n"]
        {
            assert_eq!(model.output_with("zk/0", "state-set --file -", text), ok(""), "{text}");
        }
        model.try_all("zk/0", &[("state-get", ok("a: \"2\"\nb: \"1\"\nc: \"3\"\ne: \"6\"\n"))]);
    });
}

#[test]
fn c7_5_what_is_no_map_of_scalars_fails() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        for (text, lines) in [
            ("a: [1]", "  line 1: cannot unmarshal !!seq into string"),
            ("a: b\nc: {d: e}\n", "  line 2: cannot unmarshal !!map into string"),
            (
                "b: []\na: {}\n",
                "  line 1: cannot unmarshal !!seq into string\n  line 2: cannot unmarshal !!map into string",
            ),
            ("{\"a\": {\"b\": \"c\"}}", "  line 1: cannot unmarshal !!map into string"),
            ("- a\n", "  line 1: cannot unmarshal !!seq into map[string]string"),
            ("words\n", "  line 1: cannot unmarshal !!str `words` into map[string]string"),
        ] {
            let expected = error(1, &format!("yaml: unmarshal errors:\n{lines}"));
            for command in ["state-set --file -", "relation-set -r 0 --file -"] {
                assert_eq!(model.output_with("zk/0", command, text), expected, "{text}");
            }
        }
        let broken = model.output_with("zk/0", "state-set --file -", "a: [");
        assert!(broken.code == 1 && broken.stderr.starts_with("ERROR yaml: "), "{broken:?}");
        assert!(model.charm_state("zk/0").is_empty());
    });
}

#[test]
fn c7_5_arguments_override_the_file() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        for command in ["state-set --file - a=argument c=", "relation-set -r 0 a=argument c= --file -"] {
            assert_eq!(model.output_with("zk/0", command, "a: file\nb: file\nc: file\n"), ok(""));
        }
        model.try_all("zk/0", &[("state-get --format json", ok("{\"a\":\"argument\",\"b\":\"file\",\"c\":\"\"}\n"))]);
        let bag = model.unit_data(0, "zk/0");
        assert_eq!((bag["a"].as_str(), bag["b"].as_str(), bag.get("c")), ("argument", "file", None));
    });
}
