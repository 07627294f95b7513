//! Contract sections 9.1 to 9.8: relations, configuration, leadership, and the state that Juju keeps for a charm.
//!
//! Where versions differ in what commands print, processes play the last of them only: it is the agent that prints.

use std::time::Duration;

use zkpeer_core::testing::{Change, Outcome};

use crate::stage::{CLIENT, METADATA, Play, Stage, VERSIONS, charm, error, ok, on_every_driver};
use crate::table::{on_versions, related};

#[test]
fn c9_1_the_hooks_own_relation_or_the_one_named() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
        model.on("zk/1", "zkpeer-relation-created", &["relation-set from=peer"]);
        model.on("kafka/0", "zookeeper-relation-created", &["relation-set from=client"]);
        model.settle();
        let commands = ["relation-get from", "relation-get -r client:1 from", "relation-get -r zkpeer:0 from zk/1"];
        model.on("zk/0", "client-relation-joined", &commands);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.until_done("kafka/0", "zookeeper-relation-created", 1);
        model.settle();
        assert_eq!(model.answers("zk/0", "client-relation-joined"), [ok("client\n"), ok("client\n"), ok("peer\n")]);
    });
}

#[test]
fn c9_1_no_key_a_dash_and_nothing_mean_all() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.script("client-relation-changed", &["relation-get", "relation-get -", "relation-get ''"]);
        model.outputs_of("kafka/0", &["relation-set -r 1 a=b"]);
        model.settle();
        let address = &model.unit_data(1, "kafka/0")["ingress-address"];
        let all =
            format!("a: b\negress-subnets: {address}/32\ningress-address: {address}\nprivate-address: {address}\n");
        assert_eq!(model.answers("zk/0", "client-relation-changed"), [ok(&all), ok(&all), ok(&all)]);
        let json = format!(
            "{{\"a\":\"b\",\"egress-subnets\":\"{address}/32\",\"ingress-address\":\"{address}\",\
             \"private-address\":\"{address}\"}}\n"
        );
        model.try_all(
            "zk/0",
            &["''", "-"].map(|key| (format!("relation-get -r 1 {key} kafka/0 --format json"), ok(&json))),
        );
    });
}

/// A related model in which every bag says whose it is, under the key `whose`.
fn named(stage: &Stage<'_>) -> Play {
    let mut model = related(stage);
    let own = ["-r 0 whose=zk/0", "-r 0 --app whose=peers", "-r 1 whose=zk/0", "-r 1 --app whose=zk"];
    for (unit, arguments) in [
        ("zk/0", &own[..]),
        ("zk/1", &["-r 0 whose=zk/1"]),
        ("kafka/0", &["-r 1 whose=kafka/0", "-r 1 --app whose=kafka"]),
    ] {
        let rows: Vec<_> = arguments.iter().map(|arguments| (format!("relation-set {arguments}"), ok(""))).collect();
        model.try_all(unit, &rows);
    }
    model.settle();
    model
}

#[test]
fn c9_1_the_second_argument_says_whose_bag() {
    on_every_driver(|stage| {
        let mut model = named(stage);
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r 1 whose kafka/0", ok("kafka/0\n")),
                ("relation-get -r 1 whose zk/0", ok("zk/0\n")),
                ("relation-get -r 0 whose zk/1", ok("zk/1\n")),
                ("relation-get -r 1 --app whose kafka", ok("kafka\n")),
                ("relation-get -r 1 --app whose kafka/0", ok("kafka\n")),
                ("relation-get -r 1 --app whose zk", ok("zk\n")),
                ("relation-get -r 0 --app whose zk/1", ok("peers\n")),
            ],
        );
    });
}

#[test]
fn c9_1_only_a_unit_without_app() {
    on_versions(&["2.9.52", "3.1.7", "3.3.1", "3.3.2", "3.6.25", "4.0.14"], |stage| {
        let mut model = named(stage);
        let application = match stage.version {
            "2.9.52" | "3.1.7" | "3.3.1" => ok("kafka\n"),
            _ => error(2, "expected unit name, got application name \"kafka\""),
        };
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r 1 whose kafka", application),
                ("relation-get -r 1 whose kafka/", error(2, "invalid unit name \"kafka/\"")),
                ("relation-get -r 1 whose Kafka/0", error(2, "invalid unit name \"Kafka/0\"")),
            ],
        );
    });
}

#[test]
fn c9_1_whose_bag_by_default() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1).deploy(CLIENT, 1);
        let names = ["relation-set whose=unit", "relation-set --app whose=application"];
        model.script("zookeeper-relation-created", &names);
        model.script("zkpeer-relation-created", &["relation-set --app whose=peers"]);
        let read = ["relation-get whose", "relation-get --app whose"];
        for hook in ["created", "joined", "changed (kafka/0)", "changed (kafka)", "departed", "broken"] {
            model.script(&format!("client-relation-{hook}"), &read);
        }
        model.script("zkpeer-relation-changed", &read);
        model.settle();
        // The other side has written before this one looks.
        model.hold("zk/0").unwrap();
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        model.release("zk/0").unwrap();
        model.settle();
        model.remove_relation("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        let (unit, application) = (ok("unit\n"), ok("application\n"));
        for (hook, expected) in [
            ("client-relation-created", &application),
            ("client-relation-joined", &unit),
            ("client-relation-changed (kafka/0)", &unit),
            ("client-relation-changed (kafka)", &application),
            ("client-relation-departed", &unit),
            ("client-relation-broken", &application),
            ("zkpeer-relation-changed", &ok("peers\n")),
        ] {
            let by_application = if hook.starts_with("zkpeer") { expected } else { &application };
            assert_eq!(model.answers("zk/0", hook), [expected.clone(), by_application.clone()], "{hook}");
        }
    });
}

#[test]
fn c9_1_no_default_outside_of_relation_hooks() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let none = || error(2, "no unit or application specified");
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r 0", none()),
                ("relation-get -r 1 ingress-address", none()),
                ("relation-get -r 1 --app", none()),
                ("relation-get -r 1 -", none()),
            ],
        );
    });
}

#[test]
fn c9_1_what_is_printed() {
    on_every_driver(|stage| {
        let mut model = named(stage);
        model.outputs_of("zk/0", &["relation-set -r 1 --app zero=0"]);
        let all = "whose: zk\nzero: \"0\"\n";
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r 1 --app - zk", ok(all)),
                ("relation-get -r 1 --app - zk --format yaml", ok(all)),
                ("relation-get -r 1 --app - zk --format json", ok("{\"whose\":\"zk\",\"zero\":\"0\"}\n")),
                ("relation-get -r 1 --app zero zk", ok("0\n")),
                ("relation-get -r 1 --app zero zk --format json", ok("\"0\"\n")),
                ("relation-get -r 1 --app zero zk --format yaml", ok("\"0\"\n")),
                ("relation-get -r 1 --app none zk", ok("")),
                ("relation-get -r 1 --app none zk --format json", ok("null\n")),
                ("relation-get -r 1 --app none zk --format yaml", ok("")),
                ("relation-set -r 1 --app whose= zero=", ok("")),
                ("relation-get -r 1 --app - zk", ok("{}\n")),
                ("relation-get -r 1 --app - zk --format json", ok("{}\n")),
            ],
        );
    });
}

#[test]
fn c9_1_who_has_no_part_in_the_relation() {
    on_versions(&VERSIONS[..3], |stage| {
        let mut model = related(stage);
        let denied = || error(1, "permission denied");
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r zkpeer:0 - kafka/0", denied()),
                ("relation-get -r zkpeer:0 --app - kafka", denied()),
                ("relation-get -r client:1 - nobody/0", denied()),
                ("relation-get -r client:1 --app - nobody", denied()),
            ],
        );
    });
}

#[test]
fn c9_1_a_unit_that_never_entered() {
    on_versions(&VERSIONS, |stage| {
        let mut model = related(stage);
        // A unit that is there, and has not come so far.
        model.add_unit("zk").unwrap();
        model.hold("zk/2").unwrap();
        model.settle();
        let never = |unit: &str, relation: &str| match stage.version {
            "4.0.14" => error(1, "relation unit not found"),
            _ => error(
                1,
                &format!(
                    "cannot read settings for unit \"{unit}\" in relation \"{relation}\": unit \"{unit}\": \
                     settings not found"
                ),
            ),
        };
        model.try_all(
            "zk/0",
            &[
                ("relation-get -r zkpeer:0 - zk/9", never("zk/9", "zk:zkpeer")),
                ("relation-get -r zkpeer:0 - zk/2", never("zk/2", "zk:zkpeer")),
                ("relation-get -r client:1 - kafka/9", never("kafka/9", "kafka:zookeeper zk:client")),
            ],
        );
    });
}

#[test]
fn c9_2_ones_own_bag_or_the_applications() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/0",
            &[
                ("relation-set -r 1 a=unit b=unit", ok("")),
                ("relation-set -r 1 --app a=application", ok("")),
                ("relation-set --relation=zkpeer:0 --app=false a=peer", ok("")),
            ],
        );
        assert_eq!(
            (model.unit_data(1, "zk/0")["a"].as_str(), model.unit_data(1, "zk/0")["b"].as_str()),
            ("unit", "unit")
        );
        assert_eq!(
            model.app_data(1, "zk").into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), "application".to_owned())]
        );
        assert_eq!(model.unit_data(0, "zk/0")["a"], "peer");
        assert!(model.app_data(0, "zk").is_empty() && !model.unit_data(1, "kafka/0").contains_key("a"));
    });
}

#[test]
fn c9_2_keys_are_any_text() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let keys = ["a.b", "$a", "a b", "Ä/ö", "a\nb", "{\"", "-"];
        let words: Vec<String> = keys.iter().map(|key| format!("{key}=x")).collect();
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.splice(0..0, ["relation-set", "-r", "0", "--"]);
        model.script("config-changed", &[]).run(&words);
        model.set_address("zk/0", "10.9.9.9").unwrap();
        model.settle();
        assert_eq!(model.answers("zk/0", "config-changed"), [ok("")]);
        let bag = model.unit_data(0, "zk/0");
        assert!(keys.iter().all(|key| bag.get(*key).is_some_and(|value| value == "x")), "{bag:?}");
    });
}

#[test]
fn c9_2_without_pairs_it_does_nothing() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let nothing = ["relation-set -r 0", "relation-set -r 0 ''", "relation-set -r 0 --app"];
        let before = (model.unit_data(0, "zk/0"), model.app_data(0, "zk"));
        model.try_all("zk/0", &nothing.map(|line| (line, ok(""))));
        assert_eq!((model.unit_data(0, "zk/0"), model.app_data(0, "zk")), before);
        assert_eq!(model.settle().len(), 0);
        let not_leader = error(1, "cannot write relation settings");
        model.try_all("zk/1", &[(nothing[0], ok("")), (nothing[1], ok("")), (nothing[2], not_leader)]);
    });
}

#[test]
fn c9_2_in_every_hook_for_every_relation() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        let hooks = [
            "zkpeer-relation-created",
            "client-relation-created",
            "leader-elected",
            "config-changed",
            "start",
            "zkpeer-relation-joined",
            "zkpeer-relation-changed",
            "client-relation-joined",
            "client-relation-changed",
            "update-status",
            "client-relation-departed",
            "client-relation-broken",
            "zkpeer-relation-departed",
            "stop",
        ];
        for hook in hooks {
            model.on("zk/0", hook, &[&format!("relation-set -r zkpeer:0 {hook}=0")]);
            if hook != "zkpeer-relation-departed" && hook != "stop" {
                model.on("zk/0", hook, &[&format!("relation-set -r client:1 {hook}=1")]);
            }
        }
        model.settle();
        model.run_hook("zk/0", "update-status");
        model.remove_relation("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        // The unit that leaves: nobody reads it any more.
        model.remove_unit("zk/0").unwrap();
        model.settle();
        for hook in hooks {
            let answers = model.answers("zk/0", hook);
            assert!(!answers.is_empty() && answers.iter().all(|answer| *answer == ok("")), "{hook}: {answers:?}");
            assert_eq!(model.unit_data(0, "zk/0").get(hook).map(String::as_str), Some("0"), "{hook}");
        }
    });
}

#[test]
fn c9_2_a_format_is_accepted_with_a_notice() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let outputs =
            model.outputs_of("zk/0", &["relation-set -r 0 --format json a=b", "relation-set -r 0 --format=x c=d"]);
        for output in outputs {
            assert_eq!((output.code, output.stdout.as_str()), (0, ""));
            assert_eq!(output.stderr, "--format flag deprecated for command \"relation-set\"\n");
        }
        let bag = model.unit_data(0, "zk/0");
        assert_eq!((bag["a"].as_str(), bag["c"].as_str()), ("b", "d"));
    });
}

#[test]
fn c9_2_errors_and_their_codes() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.try_all(
            "zk/1",
            &[
                ("relation-set a=b", error(2, "no relation id specified")),
                ("relation-set -r 7 a=b", error(2, "invalid value \"7\" for option -r: relation not found")),
                ("relation-set -r 0 x", error(2, "expected \"key=value\", got \"x\"")),
                ("relation-set -r 0 --app a=b", error(1, "cannot write relation settings")),
                // Wrong arguments are found before it asks who leads.
                ("relation-set -r 0 --app x", error(2, "expected \"key=value\", got \"x\"")),
            ],
        );
        let text = "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!map into string";
        assert_eq!(model.output_with("zk/1", "relation-set -r 0 --file -", "a: {}"), error(1, text));
        assert!(!model.unit_data(0, "zk/1").contains_key("a"));
    });
}

#[test]
fn c9_3_members_sorted_as_strings() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 11);
        for number in [1, 3, 4, 5, 6, 7, 8, 9] {
            model.hold(&format!("zk/{number}")).unwrap();
        }
        let commands = ["relation-list -r 0", "relation-list -r 0 --format json", "relation-list -r 0 --format yaml"];
        model.script("start", &commands);
        model.settle();
        assert_eq!(model.answers("zk/0", "start"), [ok(""), ok("[]\n"), ok("[]\n")]);
        let rows = [ok("zk/10\nzk/2\n"), ok("[\"zk/10\",\"zk/2\"]\n"), ok("- zk/10\n- zk/2\n")];
        let rows: Vec<_> = commands.into_iter().zip(rows).collect();
        model.try_all("zk/0", &rows);
    });
}

#[test]
fn c9_3_app_prints_the_remote_application() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.script("client-relation-created", &["relation-list --app"]);
        model.try_all(
            "zk/0",
            &[
                ("relation-list --app -r client:1", ok("kafka\n")),
                ("relation-list --app -r client:1 --format json", ok("\"kafka\"\n")),
                ("relation-list --app -r zkpeer:0", ok("zk\n")),
            ],
        );
        model.try_all("kafka/0", &[("relation-list --app -r zookeeper:1", ok("zk\n"))]);
    });
}

#[test]
fn c9_4_the_hooks_endpoint_by_default() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.script("client-relation-changed", &["relation-ids", "relation-ids zkpeer"]);
        model.script("zkpeer-relation-changed", &["relation-ids", "relation-ids client"]);
        model.settle();
        assert_eq!(model.answers("zk/0", "client-relation-changed"), [ok("client:1\n"), ok("zkpeer:0\n")]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed"), [ok("zkpeer:0\n"), ok("client:1\n")]);
    });
}

#[test]
fn c9_4_ids_sorted_as_strings() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        for number in 1..=10 {
            let name = format!("kafka-{}", "x".repeat(number));
            model.add_application(CLIENT, |application| application.named(&name).units(0));
            model.relate("zk:client", &format!("{name}:zookeeper")).unwrap();
        }
        model.settle();
        let ids: Vec<String> = [1, 10, 2, 3, 4, 5, 6, 7, 8, 9].map(|number| format!("client:{number}")).into();
        model.try_all(
            "zk/0",
            &[
                ("relation-ids client", ok(&format!("{}\n", ids.join("\n")))),
                ("relation-ids client --format json", ok(&format!("[\"{}\"]\n", ids.join("\",\"")))),
                ("relation-ids nothing", ok("")),
                ("relation-ids nothing --format json", ok("[]\n")),
            ],
        );
    });
}

#[test]
fn c9_4_no_endpoint_and_no_default() {
    on_versions(&["2.9.52", "3.1.7", "3.6.0", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let what = if stage.version < "3.6" { "relation" } else { "endpoint" };
        model.try_all("zk/0", &[("relation-ids", error(2, &format!("no {what} name specified")))]);
    });
}

#[test]
fn c9_4_an_ending_relation_is_left_out_from_3_4_4_on() {
    on_versions(&["2.9.52", "3.4.3", "3.4.4", "3.6.25", "4.0.14"], |stage| {
        let mut model = related(stage);
        let commands = [
            "relation-ids client",
            "relation-ids zkpeer",
            "relation-list -r client:1",
            "relation-set -r client:1 a=b",
            "relation-get -r client:1 a zk/0",
        ];
        model.script("client-relation-departed", &commands);
        model.script("client-relation-broken", &commands);
        model.remove_relation("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        let rest = [ok("zkpeer:0\n"), ok(""), ok(""), ok("b\n")];
        // In the last `-departed` it still has had a member.
        let departed = model.answers("zk/0", "client-relation-departed");
        assert_eq!((&departed[0], &departed[1..]), (&ok("client:1\n"), &rest[..]));
        let broken = model.answers("zk/0", "client-relation-broken");
        let shown = if ["2.9.52", "3.4.3"].contains(&stage.version) { ok("client:1\n") } else { ok("") };
        assert_eq!((&broken[0], &broken[1..]), (&shown, &rest[..]));
    });
}

#[test]
fn c9_5_the_model_of_the_other_side() {
    on_versions(&["3.6.1", "3.6.25", "4.0.14"], |stage| {
        let mut model = related(stage);
        model.run_hook("zk/0", "update-status");
        let uuid = model.variable("zk/0", "update-status", "JUJU_MODEL_UUID").unwrap().to_owned();
        model.try_all(
            "zk/0",
            &[
                ("relation-model-get -r client:1 --format json", ok(&format!("{{\"uuid\":\"{uuid}\"}}\n"))),
                ("relation-model-get -r client:1", ok(&format!("uuid: {uuid}\n"))),
                ("relation-model-get", error(2, "no relation id specified")),
            ],
        );
    });
}

const OPTIONS: &str = "\
options:
  name: {type: string, default: a b}
  port: {type: int, default: 2181}
  ratio: {type: float, default: 3.0}
  half: {type: float, default: 0.5}
  debug: {type: boolean, default: false}
  password: {type: secret}
  free: {type: string}
  count: {type: int}
  untyped: {}
";

/// One unit of a charm with these options.
fn configured(stage: &Stage<'_>) -> Play {
    let mut model = stage.model().deploy(charm(METADATA).config(OPTIONS), 1);
    model.settle();
    model
}

#[test]
fn c9_6_all_options_that_have_a_value() {
    on_every_driver(|stage| {
        let mut model = configured(stage);
        model.set_config("zk", "count", 7).unwrap();
        model.set_config("zk", "port", 2182).unwrap();
        model.settle();
        let some = "{\"count\":7,\"debug\":false,\"half\":0.5,\"name\":\"a b\",\"port\":2182,\"ratio\":3}\n";
        let all = "{\"count\":7,\"debug\":false,\"free\":null,\"half\":0.5,\"name\":\"a b\",\"password\":null,\
                   \"port\":2182,\"ratio\":3,\"untyped\":null}\n";
        let yaml = "count: 7\ndebug: false\nfree: null\nhalf: 0.5\nname: a b\npassword: null\nport: 2182\nratio: 3\n\
                    untyped: null\n";
        model.try_all(
            "zk/0",
            &[
                ("config-get --format json", ok(some)),
                ("config-get --all --format json", ok(all)),
                ("config-get -a --format json", ok(all)),
                ("config-get --all", ok(yaml)),
            ],
        );
        let mut bare = stage.model().deploy(METADATA, 1);
        bare.settle();
        bare.try_all("zk/0", &[("config-get --format json", ok("{}\n")), ("config-get --all", ok("{}\n"))]);
    });
}

#[test]
fn c9_6_one_option_set_unset_or_unknown() {
    on_every_driver(|stage| {
        let mut model = configured(stage);
        model.set_config("zk", "untyped", "text").unwrap();
        model.settle();
        model.try_all(
            "zk/0",
            &[
                ("config-get port", ok("2181\n")),
                ("config-get untyped", ok("text\n")),
                ("config-get free", ok("")),
                ("config-get free --format json", ok("null\n")),
                ("config-get unknown", ok("")),
                ("config-get unknown --format json", ok("null\n")),
            ],
        );
        // What has been set and is reset has its default again.
        model.reset_config("zk", "untyped").unwrap();
        model.settle();
        model.try_all("zk/0", &[("config-get untyped --format json", ok("null\n"))]);
    });
}

#[test]
fn c9_6_all_and_a_key_exclude_each_other() {
    on_every_driver(|stage| {
        let mut model = configured(stage);
        let text = "cannot use argument --all together with key \"port\"";
        model.try_all("zk/0", &[("config-get --all port", error(2, text)), ("config-get port -a", error(2, text))]);
    });
}

#[test]
fn c9_6_types_of_options() {
    on_every_driver(|stage| {
        let mut model = configured(stage);
        model.set_config("zk", "password", "secret:9m4e2mr0ui3e8a215n4g").unwrap();
        model.settle();
        model.try_all(
            "zk/0",
            &[
                ("config-get name --format json", ok("\"a b\"\n")),
                ("config-get debug --format json", ok("false\n")),
                ("config-get debug", ok("False\n")),
                ("config-get port --format json", ok("2181\n")),
                ("config-get half --format json", ok("0.5\n")),
                ("config-get ratio --format json", ok("3\n")),
                ("config-get ratio", ok("3\n")),
                ("config-get password --format json", ok("\"secret:9m4e2mr0ui3e8a215n4g\"\n")),
            ],
        );
    });
}

#[test]
fn c9_6_options_are_read_once_a_hook() {
    on_every_driver(|stage| {
        let mut model = configured(stage);
        let change = Change::Config { application: "zk".to_owned(), option: "port".to_owned(), value: 1.into() };
        model.before_command("zk/0", 2, change).unwrap();
        let twice = [("config-get port", ok("2181\n")), ("config-get port", ok("2181\n"))];
        model.try_all("zk/0", &twice);
        model.script("config-changed", &["config-get port"]);
        model.settle();
        assert_eq!(model.answers("zk/0", "config-changed"), [ok("1\n")]);
        // A change before the first read of a hook is read.
        let change = Change::Config { application: "zk".to_owned(), option: "port".to_owned(), value: 2.into() };
        model.before_command("zk/0", 2, change).unwrap();
        model.try_all("zk/0", &[("is-leader", ok("True\n")), ("config-get port", ok("2\n"))]);
    });
}

#[test]
fn c9_7_is_leader_prints_a_boolean() {
    on_versions(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.settle();
        model.try_all("zk/0", &[("is-leader", ok("True\n")), ("is-leader --format json", ok("true\n"))]);
        model.try_all("zk/1", &[("is-leader", ok("False\n")), ("is-leader --format json", ok("false\n"))]);
    });
}

#[test]
fn c9_7_false_stays_false_for_the_hook() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let (zk0, zk1) = ("zk/0".parse().unwrap(), "zk/1".parse().unwrap());
        model.before_command("zk/0", 2, Change::Leader(zk1)).unwrap();
        model.before_command("zk/0", 4, Change::Leader(zk0)).unwrap();
        model.try_all(
            "zk/0",
            &[
                ("is-leader", ok("True\n")),
                // True is asked anew, false is not.
                ("is-leader", ok("False\n")),
                ("is-leader", ok("False\n")),
                ("is-leader", ok("False\n")),
            ],
        );
        model.try_all("zk/0", &[("is-leader", ok("True\n"))]);
    });
}

#[test]
fn c9_7_leader_get_prints_a_map_or_a_string() {
    on_versions(&VERSIONS[..3], |stage| {
        let mut model = related(stage);
        model.try_all("zk/1", &[("leader-get", ok("{}\n")), ("leader-get --format json", ok("{}\n"))]);
        model.outputs_of("zk/0", &["leader-set b=2 a=one"]);
        for unit in ["zk/0", "zk/1"] {
            model.try_all(
                unit,
                &[
                    ("leader-get", ok("a: one\nb: \"2\"\n")),
                    ("leader-get - --format json", ok("{\"a\":\"one\",\"b\":\"2\"}\n")),
                    ("leader-get '' --format json", ok("{\"a\":\"one\",\"b\":\"2\"}\n")),
                    ("leader-get b", ok("2\n")),
                    ("leader-get b --format json", ok("\"2\"\n")),
                    ("leader-get none", ok("")),
                    ("leader-get none --format json", ok("null\n")),
                    ("leader-get a=b", error(2, "invalid key \"a=b\"")),
                ],
            );
        }
    });
}

#[test]
fn c9_7_leader_set_takes_effect_at_once() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        model.outputs_of("zk/0", &["leader-set gone=1"]);
        model.set_address("zk/0", "10.9.9.9").unwrap();
        let commands = ["leader-get", "leader-set kept=1 gone=", "leader-get --format json", "leader-get gone"];
        model.on("zk/0", "config-changed", &commands).exits(1).nth(2);
        model.settle_until_failure();
        let expected = [ok("gone: \"1\"\n"), ok(""), ok("{\"kept\":\"1\"}\n"), ok("")];
        assert_eq!(model.answers("zk/0", "config-changed"), expected);
        assert_eq!(model.leader_settings("zk").into_iter().collect::<Vec<_>>(), [("kept".to_owned(), "1".to_owned())]);
        // The other one sees it while the hook has not even ended.
        model.settle_retrying(1);
        model.on("zk/0", "config-changed", &["leader-set kept=2"]);
        model.set_address("zk/0", "10.9.9.8").unwrap();
        model.until_begun("zk/0", "config-changed");
        model.try_all("zk/1", &[("leader-get kept", ok("2\n"))]);
    });
}

#[test]
fn c9_7_only_the_leader_writes_leader_settings() {
    on_versions(&VERSIONS[..3], |stage| {
        let mut model = related(stage);
        let not_leader = || error(1, "cannot write leadership settings: cannot write settings: not the leader");
        model.try_all("zk/1", &[("leader-set a=b", not_leader()), ("leader-set", not_leader())]);
        assert!(model.leader_settings("zk").is_empty());
        model.try_all("zk/0", &[("leader-set a=b", ok("")), ("leader-set", ok(""))]);
    });
}

#[test]
fn c9_7_leader_settings_changed_runs_on_the_others() {
    on_versions(&VERSIONS[..3], |stage| {
        let mut model = stage.model().deploy(METADATA, 3);
        model.settle();
        model.script("leader-settings-changed", &["leader-get a"]);
        let before = ["zk/0", "zk/1", "zk/2"].map(|unit| model.runs(unit, "leader-settings-changed").len());
        assert_eq!(before, [0, 1, 1]);
        model.outputs_of("zk/0", &["leader-set a=b"]);
        assert_eq!(model.settle().len(), 2);
        for unit in ["zk/1", "zk/2"] {
            assert_eq!(model.answers(unit, "leader-settings-changed"), [ok("b\n")]);
        }
        // What changes nothing runs nothing.
        model.outputs_of("zk/0", &["leader-set a=b none="]);
        assert_eq!(model.settle().len(), 0);
    });
}

#[test]
fn c9_8_charm_state_survives_upgrades_and_restarts() {
    on_versions(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.settle();
        model.try_all("zk/0", &[("state-set a=1 b=2", ok(""))]);
        model.script("upgrade-charm", &["state-get a", "state-get none"]);
        model.refresh("zk", METADATA);
        model.settle();
        assert_eq!(model.answers("zk/0", "upgrade-charm"), [ok("1\n"), ok("")]);
        // Each unit has its own.
        assert_eq!(model.answers("zk/1", "upgrade-charm"), [ok(""), ok("")]);
        model.restart_agent("zk/0").unwrap();
        model.try_all(
            "zk/0",
            &[("state-get", ok("a: \"1\"\nb: \"2\"\n")), ("state-get --format json b", ok("\"2\"\n"))],
        );
    });
}

#[test]
fn c9_8_all_of_nothing_is_null() {
    on_versions(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.try_all(
            "zk/0",
            &[
                ("state-get --format json", ok("null\n")),
                ("state-get - --format json", ok("null\n")),
                ("state-get", ok("{}\n")),
                ("state-get --format yaml", ok("{}\n")),
                ("state-set b=2 a=1", ok("")),
                ("state-get --format json", ok("{\"a\":\"1\",\"b\":\"2\"}\n")),
                ("state-get -", ok("a: \"1\"\nb: \"2\"\n")),
            ],
        );
    });
}

#[test]
fn c9_8_a_missing_key_is_an_empty_string() {
    on_versions(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.try_all(
            "zk/0",
            &[
                ("state-set a=one", ok("")),
                ("state-get a", ok("one\n")),
                ("state-get a --strict --format json", ok("\"one\"\n")),
                ("state-get none", ok("")),
                ("state-get none --format json", ok("\"\"\n")),
                ("state-get none --strict", error(1, "\"none\" not found")),
                ("state-get none --strict --format json", error(1, "\"none\" not found")),
            ],
        );
    });
}

#[test]
fn c9_8_an_empty_value_is_stored() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.try_all("zk/0", &[("state-set a= b=2", ok("")), ("state-set b=", ok(""))]);
        assert_eq!(model.charm_state("zk/0").into_values().collect::<Vec<_>>(), ["", ""]);
        let rows = [
            ("state-get --strict a --format json", ok("\"\"\n")),
            ("state-get --format json", ok("{\"a\":\"\",\"b\":\"\"}\n")),
        ];
        model.try_all("zk/0", &rows);
    });
}

#[test]
fn c9_8_nothing_to_do_is_no_error() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.try_all(
            "zk/0",
            &[
                ("state-set", ok("")),
                ("state-set ''", ok("")),
                ("state-delete", ok("")),
                ("state-delete none", ok("")),
                ("state-set a=1 b=2", ok("")),
                ("state-delete a", ok("")),
                ("state-delete a", ok("")),
                ("state-get", ok("b: \"2\"\n")),
            ],
        );
    });
}

#[test]
fn c9_8_limits_of_keys_and_values() {
    let (key, value) = ("k".repeat(256), "v".repeat(65_536));
    on_versions(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let over = |what: &str, limit: u32| match stage.version {
            "4.0.14" => error(1, &format!("max allowed {what} length ({limit}): quota limit exceeded")),
            _ => error(1, &format!("max allowed {what} length ({limit}) exceeded")),
        };
        let rows = [
            (format!("state-set {key}={value}"), ok("")),
            (format!("state-set {key}x=v"), over("key", 256)),
            (format!("state-set x={value}v"), over("value", 65_536)),
            // A letter counts as many bytes as it has.
            (format!("state-set {}=x", "é".repeat(129)), over("key", 256)),
        ];
        model.try_all("zk/0", &rows);
        assert_eq!(model.charm_state("zk/0").into_iter().collect::<Vec<_>>(), [(key.clone(), value.clone())]);
    });
}

#[test]
fn c9_8_keys_are_applied_in_no_order_until_one_fails() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let mut kept: Vec<Vec<String>> = Vec::new();
        for _ in 0..8 {
            let command = format!("state-set a=1 b=1 c=1 {}=1 y=1 z=1", "k".repeat(257));
            let codes: Vec<i32> = model.outputs_of("zk/0", &[&command]).iter().map(|output| output.code).collect();
            assert_eq!(codes, [1]);
            kept.push(model.charm_state("zk/0").into_keys().collect());
            model.outputs_of("zk/0", &["a", "b", "c", "y", "z"].map(|key| format!("state-delete {key}")));
        }
        assert!(kept.iter().all(|keys| keys.len() <= 5 && keys.iter().all(|key| key.len() == 1)));
        kept.sort();
        kept.dedup();
        assert!(kept.len() > 1, "{kept:?}");
    });
}

#[test]
fn c9_8_the_limit_of_all_is_checked_at_the_end() {
    // 32 times 65,536 bytes are the 2 MiB, without their keys.
    let values = |number| {
        let values: Vec<String> = (0..number).map(|key| format!("\"{key}\": \"{}\"", "v".repeat(65_536))).collect();
        format!("{{{}}}", values.join(", "))
    };
    let all = values(32);
    on_versions(&["2.9.52", "3.6.25"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        model.on("zk/0", "config-changed", &["state-set --file -"]).stdin(&all);
        model.on("zk/0", "config-changed", &["relation-set -r 0 a=b", "state-get --format json 0 -o read"]);
        model.set_address("zk/0", "10.9.9.9").unwrap();
        let run = model.settle_until_failure();
        assert!(run.commands.iter().all(|command| command.code == 0) && run.exit == Some(0), "{run:?}");
        assert!(matches!(&run.outcome, Outcome::Refused(why) if why.contains("2097152")), "{:?}", run.outcome);
        // All of the hook is dropped.
        assert!(model.charm_state("zk/0").is_empty() && !model.unit_data(0, "zk/0").contains_key("a"));
        model.unscript("config-changed");
        model.pass(Duration::from_secs(10));
        assert_eq!(model.failed("zk/0"), None);
        assert_eq!(model.output_with("zk/0", "state-set --file -", &values(31)), ok(""));
        assert_eq!(model.charm_state("zk/0").len(), 31);
    });
}
