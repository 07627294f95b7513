//! Contract 9.9 to 9.17: the hook commands for status, log, network, secrets, actions, goal state, storage and the rest.

use std::time::Duration;

use zkpeer_core::testing::{ActionReport, CommandOutput, LogLine, Outcome, Value};

use crate::stage::{
    CLIENT, METADATA, Play, Stage, VERSIONS, answers_of, charm, error, ok, on_every_driver, on_every_version,
};

const HOUR: Duration = Duration::from_secs(3600);

/// What these hook commands come to, one after the other in one hook of the unit; the first words are as in
/// [`Play::script`].
fn in_hook(model: &mut Play, unit: &str, commands: &[&str]) -> Vec<CommandOutput> {
    model.unscript("update-status");
    model.on(unit, "update-status", commands);
    let run = model.run_hook(unit, "update-status");
    assert_eq!(run.outcome, Outcome::Done);
    answers_of(&run)
}

/// What one hook command prints in a hook of its own.
fn printed(model: &mut Play, unit: &str, command: &str) -> String {
    let answer = in_hook(model, unit, &[command]).remove(0);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{command}");
    answer.stdout
}

/// Runs the table in one hook of the unit: each command comes to this.
fn check(model: &mut Play, unit: &str, table: &[(&str, CommandOutput)]) {
    let commands: Vec<&str> = table.iter().map(|(command, _)| *command).collect();
    for ((command, expected), answer) in table.iter().zip(in_hook(model, unit, &commands)) {
        assert_eq!(answer, *expected, "{command}");
    }
}

/// What the action, given these parameters, came to; it runs these commands.
fn in_action(model: &mut Play, params: &[(&str, Value)], commands: &[&str]) -> (Vec<CommandOutput>, ActionReport) {
    model.unscript("backup");
    model.script("backup", commands);
    let id = model.run_action("zk/0", "backup", params).unwrap();
    model.settle();
    let report = model.action(id).unwrap().clone();
    (answers_of(&report.run), report)
}

/// Nothing, and no error.
fn nothing() -> CommandOutput {
    ok("")
}

/// So many units of the usual charm, started; zk/0 leads.
fn started(stage: &Stage<'_>, units: u64) -> Play {
    let mut model = stage.model().deploy(METADATA, units);
    model.settle();
    model
}

/// The same with two units, and another application that is related to it by relation 1.
fn related(stage: &Stage<'_>) -> Play {
    let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 2);
    model.relate("zk:client", "kafka:zookeeper").unwrap();
    model.settle();
    model
}

#[test]
fn c9_9_the_four_statuses() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let unknown = |status: &str| {
            error(2, &format!("invalid status \"{status}\", expected one of [maintenance blocked waiting active]"))
        };
        check(
            &mut model,
            "zk/0",
            &[
                ("status-set", error(2, "invalid args, require <status> [message]")),
                ("status-set idle", unknown("idle")),
                ("status-set error broken", unknown("error")),
                ("status-set unknown", unknown("unknown")),
                ("status-set Active", unknown("Active")),
                ("status-set active all 'is well'", error(2, "unrecognized args: [\"is well\"]")),
            ],
        );
        assert_eq!(model.status("zk/0").status, "unknown");
        for status in ["maintenance", "blocked", "waiting", "active"] {
            check(&mut model, "zk/0", &[(&format!("status-set {status} 'this is so'"), nothing())]);
            let found = model.status("zk/0");
            assert_eq!((found.status.as_str(), found.message.as_str()), (status, "this is so"));
        }
        check(&mut model, "zk/0", &[("status-set active", nothing())]);
        assert_eq!(model.status("zk/0").message, "");
    });
}

#[test]
fn c9_9_an_applications_status_needs_leadership() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        let denied = "this unit is not the leader";
        let table = [
            ("status-set --application blocked", error(1, denied)),
            ("status-get --application", error(1, &format!("finding application status: {denied}"))),
        ];
        check(&mut model, "zk/1", &table);
        assert_eq!(model.app_status("zk"), None);
        check(&mut model, "zk/0", &[("status-set --application blocked 'no quorum'", nothing())]);
        let status = model.app_status("zk").unwrap();
        assert_eq!((status.status.as_str(), status.message.as_str()), ("blocked", "no quorum"));
        assert_eq!(model.status("zk/0").status, "unknown");
    });
}

#[test]
fn c9_9_unknown_after_start_if_never_set() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.on("zk/1", "install", &["status-set waiting 'for peers'"]);
        model.until_begun("zk/0", "start");
        assert_eq!(model.status("zk/0").status, "maintenance");
        model.settle();
        let status = model.status("zk/0");
        assert_eq!((status.status.as_str(), status.message.as_str()), ("unknown", ""));
        assert_eq!(model.status("zk/1").status, "waiting");
        assert_eq!(printed(&mut model, "zk/0", "status-get"), "unknown\n");
    });
}

#[test]
fn c9_9_juju_sets_maintenance_around_install_and_stop() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("install", &["status-get --include-data --format=json"]);
        model.script("start", &["status-set active"]);
        model.script("stop", &["status-get"]);
        model.settle();
        let expected = "{\"message\":\"installing charm software\",\"status\":\"maintenance\",\"status-data\":{}}\n";
        assert_eq!(model.answer("zk/0", "install", 0), ok(expected));
        model.remove_unit("zk/0").unwrap();
        model.settle();
        assert_eq!(model.answer("zk/0", "stop", 0), ok("maintenance\n"));
    });
}

#[test]
fn c9_9_what_status_get_prints() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        check(
            &mut model,
            "zk/0",
            &[
                ("status-set waiting 'for <quorum>'", nothing()),
                ("status-get", ok("waiting\n")),
                ("status-get --format=json", ok("{\"status\":\"waiting\"}\n")),
                ("status-get --format=yaml", ok("status: waiting\n")),
                ("status-get --include-data", ok("message: for <quorum>\nstatus: waiting\nstatus-data: {}\n")),
                (
                    "status-get --include-data --format=json",
                    ok("{\"message\":\"for \\u003cquorum\\u003e\",\"status\":\"waiting\",\"status-data\":{}}\n"),
                ),
                ("status-get x", error(2, "unrecognized args: [\"x\"]")),
            ],
        );
    });
}

#[test]
fn c9_9_what_status_get_prints_of_an_application() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        in_hook(&mut model, "zk/1", &["status-set blocked 'no disk'"]);
        let units = "{\"zk/0\":{\"status\":\"active\"},\"zk/1\":{\"status\":\"blocked\"}}";
        let with_data = "{\"application-status\":{\"message\":\"\",\"status\":\"waiting\",\"status-data\":{},\"units\":{\
            \"zk/0\":{\"message\":\"\",\"status\":\"active\",\"status-data\":{}},\
            \"zk/1\":{\"message\":\"no disk\",\"status\":\"blocked\",\"status-data\":{}}}}}\n";
        let plain = format!("{{\"application-status\":{{\"status\":\"waiting\",\"units\":{units}}}}}\n");
        let yaml = "application-status:\n  status: waiting\n  units:\n    zk/0:\n      status: active\n    zk/1:\n      \
            status: blocked\n";
        check(
            &mut model,
            "zk/0",
            &[
                ("status-set active", nothing()),
                ("status-set --application waiting", nothing()),
                ("status-get --application", ok("waiting\n")),
                ("status-get --application --format=json", ok(&plain)),
                ("status-get --application --format=yaml", ok(yaml)),
                ("status-get --application --include-data --format=json", ok(with_data)),
            ],
        );
    });
}

#[test]
fn c9_9_the_status_is_read_once_a_hook() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        check(
            &mut model,
            "zk/0",
            &[
                ("status-get", ok("unknown\n")),
                ("status-set active", nothing()),
                ("status-get", ok("unknown\n")),
                ("status-get --include-data --format=yaml", ok("message: \"\"\nstatus: unknown\nstatus-data: {}\n")),
            ],
        );
        assert_eq!(printed(&mut model, "zk/0", "status-get"), "active\n");
    });
}

#[test]
fn c9_9_the_version_of_the_workload() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        check(
            &mut model,
            "zk/0",
            &[
                ("application-version-set", error(2, "no version specified")),
                ("application-version-set 3.9 2", error(2, "unrecognized args: [\"2\"]")),
                ("application-version-set 3.9.2", nothing()),
            ],
        );
        assert_eq!(model.workload_version("zk"), "3.9.2");
        model.script("config-changed", &["application-version-set '3.9.3 (beta)'"]).exits(1);
        assert!(model.run_hook("zk/0", "config-changed").failed());
        assert_eq!(model.workload_version("zk"), "3.9.3 (beta)");
    });
}

/// The lines that `juju-log` writes in one hook, each as `LEVEL message`.
fn logged(model: &mut Play, hook: &str, commands: &[&str]) -> Vec<String> {
    model.unscript(hook);
    model.script(hook, commands);
    let run = model.run_hook("zk/0", hook);
    assert!(answers_of(&run).iter().all(|answer| *answer == nothing()), "{:?}", run.commands);
    run.log.iter().map(|LogLine { level, message }| format!("{level} {message}")).collect()
}

#[test]
fn c9_10_words_are_joined() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let commands = ["juju-log one two", "juju-log 'one  two' three", "juju-log -l INFO -- '-1 left' '' =x"];
        let expected = ["INFO one two", "INFO one  two three", "INFO -1 left  =x"];
        assert_eq!(logged(&mut model, "update-status", &commands), expected);
    });
}

#[test]
fn c9_10_levels() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let table = [
            ("", "INFO"),
            ("-l TRACE", "TRACE"),
            ("-l debug", "DEBUG"),
            ("--log-level Info", "INFO"),
            ("-l WARN", "WARNING"),
            ("--log-level=warning", "WARNING"),
            ("-lERROR", "ERROR"),
            ("-l critical", "CRITICAL"),
            ("--debug", "DEBUG"),
            ("--debug -l ERROR", "DEBUG"),
        ];
        let commands = table.map(|(options, _)| format!("juju-log {options} x"));
        let expected = table.map(|(_, level)| format!("{level} x"));
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        assert_eq!(logged(&mut model, "update-status", &commands), expected);
        let unknown = logged(&mut model, "update-status", &["juju-log -l loud x"]);
        assert!(unknown[0].starts_with("WARNING ") && unknown[0].contains("\"loud\""), "{unknown:?}");
        assert_eq!(unknown[1..], ["INFO x"]);
    });
}

#[test]
fn c9_10_a_relation_hook_logs_its_relation() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("zkpeer-relation-created", &["juju-log hello"]);
        model.settle();
        let line = LogLine { level: "INFO".to_owned(), message: "zkpeer:0: hello".to_owned() };
        assert_eq!(model.runs("zk/0", "zkpeer-relation-created")[0].log, [line]);
    });
}

#[test]
fn c9_10_a_message_is_needed() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let missing = error(2, "no message specified");
        check(&mut model, "zk/0", &[("juju-log", missing.clone()), ("juju-log -l ERROR", missing)]);
    });
}

#[test]
fn c9_11_endpoints_and_extra_bindings_have_a_network() {
    on_every_driver(|stage| {
        let bindings = format!("{METADATA}extra-bindings:\n  cluster:\n  admin-api:\n");
        let mut model = stage.model().deploy(bindings.as_str(), 1);
        model.settle();
        for binding in ["zkpeer", "client", "cluster", "admin-api"] {
            assert_eq!(printed(&mut model, "zk/0", &format!("network-get {binding} --ingress-address")), "10.0.0.4\n");
        }
    });
}

#[test]
fn c9_11_what_network_get_prints() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let json = "{\"bind-addresses\":[{\"mac-address\":\"00:16:3e:00:00:04\",\"interface-name\":\"eth0\",\
            \"addresses\":[{\"hostname\":\"\",\"value\":\"10.0.0.4\",\"cidr\":\"10.0.0.0/24\"}]}],\
            \"egress-subnets\":[\"10.0.0.4/32\"],\"ingress-addresses\":[\"10.0.0.4\"]}\n";
        let yaml = printed(&mut model, "zk/0", "network-get zkpeer --format=yaml");
        let table = [("network-get zkpeer --format=json", ok(json)), ("network-get zkpeer", ok(&yaml))];
        check(&mut model, "zk/0", &table);
        for line in ["address: 10.0.0.4", "value: 10.0.0.4", "cidr: 10.0.0.0/24", "hostname: \"\""] {
            assert!(yaml.lines().any(|found| found.trim_start_matches([' ', '-']) == line), "{line} in {yaml}");
        }
        for (new, old) in [("mac-address", "macaddress"), ("interface-name", "interfacename")] {
            let value = |key: &str| {
                let mut lines = yaml.lines().filter_map(|line| line.trim_start_matches([' ', '-']).split_once(": "));
                lines.find(|(found, _)| *found == key).map(|(_, value)| value.to_owned())
            };
            assert!(value(new).is_some() && value(new) == value(old), "{new} and {old} in {yaml}");
        }
        assert!(yaml.contains("egress-subnets:\n- 10.0.0.4/32\ningress-addresses:\n- 10.0.0.4\n"), "{yaml}");
    });
}

#[test]
fn c9_11_one_or_several_of_it() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let several = "{\"bind-address\":\"10.0.0.4\",\"egress-subnets\":[\"10.0.0.4/32\"],\"ingress-address\":\"10.0.0.4\"}\n";
        let alone = error(1, "--primary-address must be the only flag specified");
        check(
            &mut model,
            "zk/0",
            &[
                ("network-get zkpeer --bind-address", ok("10.0.0.4\n")),
                ("network-get zkpeer --bind-address --format=json", ok("\"10.0.0.4\"\n")),
                ("network-get zkpeer --ingress-address --format=json", ok("\"10.0.0.4\"\n")),
                ("network-get zkpeer --egress-subnets", ok("10.0.0.4/32\n")),
                ("network-get zkpeer --egress-subnets --format=json", ok("[\"10.0.0.4/32\"]\n")),
                (
                    "network-get --egress-subnets --ingress-address --bind-address zkpeer --format=json",
                    ok(several),
                ),
                (
                    "network-get zkpeer --bind-address --ingress-address",
                    ok("bind-address: 10.0.0.4\ningress-address: 10.0.0.4\n"),
                ),
                ("network-get zkpeer --primary-address", ok("10.0.0.4\n")),
                ("network-get zkpeer --primary-address --format=json", ok("\"10.0.0.4\"\n")),
                ("network-get zkpeer --primary-address --bind-address", alone.clone()),
                ("network-get zkpeer --egress-subnets --primary-address", alone),
            ],
        );
    });
}

#[test]
fn c9_11_errors_of_network_get() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let none = |binding: &str| error(1, &format!("no network config found for binding \"{binding}\""));
        check(
            &mut model,
            "zk/0",
            &[
                ("network-get", error(2, "no arguments specified")),
                ("network-get ''", error(2, "no binding name specified")),
                ("network-get zkpeer client", error(2, "unrecognized args: [\"client\"]")),
                ("network-get x", none("x")),
                ("network-get x --bind-address --format=json", none("x")),
            ],
        );
        model.remove_address("zk/0").unwrap();
        check(&mut model, "zk/0", &[("network-get zkpeer", none("zkpeer"))]);
    });
}

#[test]
fn c9_11_unit_get() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        check(
            &mut model,
            "zk/0",
            &[
                ("unit-get private-address", ok("10.0.0.4\n")),
                ("unit-get public-address", ok("10.0.0.4\n")),
                ("unit-get --format=json private-address", ok("\"10.0.0.4\"\n")),
                ("unit-get", error(2, "no setting specified")),
                ("unit-get address", error(2, "unknown setting \"address\"")),
                ("unit-get private-address x", error(2, "unrecognized args: [\"x\"]")),
            ],
        );
        model.remove_address("zk/0").unwrap();
        check(
            &mut model,
            "zk/0",
            &[
                ("unit-get private-address", error(1, "private address not found")),
                ("unit-get public-address", error(1, "public address not found")),
            ],
        );
    });
}

#[test]
fn c9_11_forms_of_ports() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        for command in ["open-port", "close-port"] {
            let table = ["80", "53/udp", "8000-8010", "9000-9009/UDP", "2181-2181", "ICMP"];
            for port in table {
                check(&mut model, "zk/0", &[(&format!("{command} {port}"), nothing())]);
            }
            let open = ["icmp", "80/tcp", "2181/tcp", "8000-8010/tcp", "53/udp", "9000-9009/udp"];
            let expected: &[&str] = if command == "open-port" { &open } else { &[] };
            assert_eq!(model.ports("zk/0"), expected);
        }
    });
}

#[test]
fn c9_11_ports_of_endpoints() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 1);
        for command in ["open-port 80", "open-port 443 --endpoints zkpeer,client", "open-port --endpoints client 443"] {
            check(&mut model, "zk/0", &[(command, nothing())]);
        }
        check(
            &mut model,
            "zk/0",
            &[
                ("opened-ports --endpoints", ok("80/tcp (*)\n443/tcp (client, zkpeer)\n")),
                ("opened-ports --endpoints --format=json", ok("[\"80/tcp (*)\",\"443/tcp (client, zkpeer)\"]\n")),
                ("opened-ports", ok("80/tcp\n443/tcp\n")),
            ],
        );
        check(&mut model, "zk/0", &[("close-port 443 --endpoints client", nothing())]);
        check(&mut model, "zk/0", &[("close-port 80 --endpoints zkpeer", nothing())]);
        assert_eq!(printed(&mut model, "zk/0", "opened-ports --endpoints"), "80/tcp (client)\n443/tcp (zkpeer)\n");
        check(&mut model, "zk/0", &[("close-port 443 --endpoints zkpeer", nothing())]);
        assert_eq!(printed(&mut model, "zk/0", "opened-ports --endpoints"), "80/tcp (client)\n");
    });
}

#[test]
fn c9_11_wrong_ports() {
    on_every_version(&VERSIONS, |stage| {
        let least = if stage.version < "3.6" { 1 } else { 0 };
        let atoi = |text: &str| format!("invalid port \"{text}\": strconv.Atoi: parsing \"{text}\": invalid syntax");
        let bounds = |got: &str| format!("port range bounds must be between {least} and 65535, got {got}");
        let protocol = |text: &str| format!("invalid protocol \"{text}\", expected \"tcp\", \"udp\", or \"icmp\"");
        let table = [
            ("", "no port or range specified".to_owned()),
            ("1-2-3", "invalid port range \"1-2-3\"".to_owned()),
            ("x", atoi("x")),
            ("80-y/udp", atoi("y")),
            ("9-1", "invalid port range 9-1/tcp".to_owned()),
            ("9-1/udp", "invalid port range 9-1/udp".to_owned()),
            ("70000", bounds("70000-70000")),
            ("1-65536", bounds("1-65536")),
            ("80/sctp", protocol("sctp")),
            ("80-90/x", protocol("x")),
            ("80 81", "unrecognized args: [\"81\"]".to_owned()),
        ];
        let mut model = started(stage, 1);
        for command in ["open-port", "close-port"] {
            let commands = table.iter().map(|(port, text)| (format!("{command} {port}"), error(2, text)));
            let commands: Vec<(String, CommandOutput)> = commands.collect();
            let commands: Vec<(&str, CommandOutput)> =
                commands.iter().map(|(command, answer)| (command.as_str(), answer.clone())).collect();
            check(&mut model, "zk/0", &commands);
        }
        assert_eq!(model.ports("zk/0"), [""; 0]);
    });
}

#[test]
fn c9_11_ranges_that_overlap() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1).deploy(CLIENT, 1);
        model.settle();
        model.place("kafka/0", "zk/0").unwrap();
        in_hook(&mut model, "kafka/0", &["open-port 85"]);
        let conflict = |range: &str, other: &str, unit: &str, when: &str| {
            error(
                1,
                &format!(
                    "cannot open {range} (unit \"zk/0\"): port range conflicts with {other} (unit \"{unit}\"){when}"
                ),
            )
        };
        let table = [
            ("open-port 80-90", conflict("80-90/tcp", "85/tcp", "kafka/0", "")),
            ("open-port 85", conflict("85/tcp", "85/tcp", "kafka/0", "")),
            ("open-port 80-90/udp", nothing()),
            ("open-port 100-110", nothing()),
            ("open-port 100-110", nothing()),
            ("open-port 105", conflict("105/tcp", "100-110/tcp", "zk/0", " requested earlier")),
            ("close-port 300", nothing()),
        ];
        check(&mut model, "zk/0", &table);
        let table = [
            ("open-port 100-110", nothing()),
            ("open-port 110-120", conflict("110-120/tcp", "100-110/tcp", "zk/0", "")),
            ("close-port 200", nothing()),
        ];
        check(&mut model, "zk/0", &table);
        assert_eq!(model.ports("zk/0"), ["100-110/tcp", "80-90/udp"]);
    });
}

#[test]
fn c9_11_open_ports_are_listed_in_order() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        check(
            &mut model,
            "zk/0",
            &[
                ("opened-ports", nothing()),
                ("opened-ports --format=json", ok("[]\n")),
                ("open-port 8080-8088/udp", nothing()),
                ("open-port 53/udp", nothing()),
                ("open-port 443", nothing()),
                ("open-port icmp", nothing()),
                ("open-port 80", nothing()),
            ],
        );
        let json = "[\"icmp\",\"80/tcp\",\"443/tcp\",\"53/udp\",\"8080-8088/udp\"]\n";
        check(
            &mut model,
            "zk/0",
            &[
                ("opened-ports", ok("icmp\n80/tcp\n443/tcp\n53/udp\n8080-8088/udp\n")),
                ("opened-ports --format=json", ok(json)),
                ("opened-ports x", error(2, "unrecognized args: [\"x\"]")),
            ],
        );
    });
}
