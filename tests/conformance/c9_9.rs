//! Contract 9.9 to 9.17: the hook commands for status, log, network, secrets, actions, goal state, storage and the rest.

use std::time::Duration;

use zkpeer_core::testing::{ActionReport, CommandOutput, LogLine, Outcome, Value};

use crate::stage::{CLIENT, METADATA, Play, Stage, VERSIONS, answers_of, charm, error, ok, on_every_driver};
use crate::table::{on_versions, related};

const HOUR: Duration = Duration::from_secs(3600);

/// What one hook command prints in a hook of its own.
fn printed(model: &mut Play, unit: &str, command: &str) -> String {
    let answer = model.outputs_of(unit, &[command]).remove(0);
    assert_eq!((answer.code, answer.stderr.as_str()), (0, ""), "{command}");
    answer.stdout
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

/// A related model with one more unit of kafka.
fn related_to_two(stage: &Stage<'_>) -> Play {
    let mut model = related(stage);
    model.add_unit("kafka").unwrap();
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
        model.try_all(
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
            model.try_all("zk/0", &[(format!("status-set {status} 'this is so'"), nothing())]);
            let found = model.status("zk/0");
            assert_eq!((found.status.as_str(), found.message.as_str()), (status, "this is so"));
        }
        model.try_all("zk/0", &[("status-set active", nothing())]);
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
        model.try_all("zk/1", &table);
        assert_eq!(model.app_status("zk"), None);
        model.try_all("zk/0", &[("status-set --application blocked 'no quorum'", nothing())]);
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
        model.try_all(
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
        model.outputs_of("zk/1", &["status-set blocked 'no disk'"]);
        let units = "{\"zk/0\":{\"status\":\"active\"},\"zk/1\":{\"status\":\"blocked\"}}";
        let with_data = "{\"application-status\":{\"message\":\"\",\"status\":\"waiting\",\"status-data\":{},\"units\":{\
            \"zk/0\":{\"message\":\"\",\"status\":\"active\",\"status-data\":{}},\
            \"zk/1\":{\"message\":\"no disk\",\"status\":\"blocked\",\"status-data\":{}}}}}\n";
        let plain = format!("{{\"application-status\":{{\"status\":\"waiting\",\"units\":{units}}}}}\n");
        let yaml = "application-status:\n  status: waiting\n  units:\n    zk/0:\n      status: active\n    zk/1:\n      \
            status: blocked\n";
        model.try_all(
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
        model.try_all(
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
        model.try_all(
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
        model.try_all("zk/0", &[("juju-log", missing.clone()), ("juju-log -l ERROR", missing)]);
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
        model.try_all("zk/0", &table);
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
        let several =
            "{\"bind-address\":\"10.0.0.4\",\"egress-subnets\":[\"10.0.0.4/32\"],\"ingress-address\":\"10.0.0.4\"}\n";
        let alone = error(1, "--primary-address must be the only flag specified");
        model.try_all(
            "zk/0",
            &[
                ("network-get zkpeer --bind-address", ok("10.0.0.4\n")),
                ("network-get zkpeer --bind-address --format=json", ok("\"10.0.0.4\"\n")),
                ("network-get zkpeer --ingress-address --format=json", ok("\"10.0.0.4\"\n")),
                ("network-get zkpeer --egress-subnets", ok("10.0.0.4/32\n")),
                ("network-get zkpeer --egress-subnets --format=json", ok("[\"10.0.0.4/32\"]\n")),
                ("network-get --egress-subnets --ingress-address --bind-address zkpeer --format=json", ok(several)),
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
        model.try_all(
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
        model.try_all("zk/0", &[("network-get zkpeer", none("zkpeer"))]);
    });
}

#[test]
fn c9_11_unit_get() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.try_all(
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
        model.try_all(
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
                model.try_all("zk/0", &[(format!("{command} {port}"), nothing())]);
            }
            let open = ["icmp", "80/tcp", "2181/tcp", "8000-8010/tcp", "53/udp", "9000-9009/udp"];
            let expected: &[&str] = if command == "open-port" { &open } else { &[] };
            assert_eq!(model.ports("zk/0"), expected);
        }
    });
}

#[test]
fn c9_11_ports_of_endpoints() {
    on_versions(&VERSIONS, |stage| {
        let mut model = started(stage, 1);
        for command in ["open-port 80", "open-port 443 --endpoints zkpeer,client", "open-port --endpoints client 443"] {
            model.try_all("zk/0", &[(command, nothing())]);
        }
        model.try_all(
            "zk/0",
            &[
                ("opened-ports --endpoints", ok("80/tcp (*)\n443/tcp (client, zkpeer)\n")),
                ("opened-ports --endpoints --format=json", ok("[\"80/tcp (*)\",\"443/tcp (client, zkpeer)\"]\n")),
                ("opened-ports", ok("80/tcp\n443/tcp\n")),
            ],
        );
        model.try_all("zk/0", &[("close-port 443 --endpoints client", nothing())]);
        model.try_all("zk/0", &[("close-port 80 --endpoints zkpeer", nothing())]);
        assert_eq!(printed(&mut model, "zk/0", "opened-ports --endpoints"), "80/tcp (client)\n443/tcp (zkpeer)\n");
        model.try_all("zk/0", &[("close-port 443 --endpoints zkpeer", nothing())]);
        assert_eq!(printed(&mut model, "zk/0", "opened-ports --endpoints"), "80/tcp (client)\n");
    });
}

#[test]
fn c9_11_wrong_ports() {
    on_versions(&VERSIONS, |stage| {
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
            model.try_all("zk/0", &commands);
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
        model.outputs_of("kafka/0", &["open-port 85"]);
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
        model.try_all("zk/0", &table);
        let table = [
            ("open-port 100-110", nothing()),
            ("open-port 110-120", conflict("110-120/tcp", "100-110/tcp", "zk/0", "")),
            ("close-port 200", nothing()),
        ];
        model.try_all("zk/0", &table);
        assert_eq!(model.ports("zk/0"), ["100-110/tcp", "80-90/udp"]);
    });
}

#[test]
fn c9_11_open_ports_are_listed_in_order() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.try_all(
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
        model.try_all(
            "zk/0",
            &[
                ("opened-ports", ok("icmp\n80/tcp\n443/tcp\n53/udp\n8080-8088/udp\n")),
                ("opened-ports --format=json", ok(json)),
                ("opened-ports x", error(2, "unrecognized args: [\"x\"]")),
            ],
        );
    });
}

/// Adds a secret with this content and these options; gives its URI.
fn secret(model: &mut Play, unit: &str, content: &str) -> String {
    printed(model, unit, &format!("secret-add {content}")).trim_end().to_owned()
}

/// A secret of zk that all units of kafka may read.
fn granted(model: &mut Play, content: &str) -> String {
    let uri = secret(model, "zk/0", content);
    model.try_all("zk/0", &[(format!("secret-grant {uri} -r client:1"), nothing())]);
    uri
}

fn id(uri: &str) -> &str {
    uri.strip_prefix("secret:").unwrap()
}

/// The hooks of secrets that the unit runs now; the URI is left out.
fn secret_hooks(model: &mut Play, unit: &str) -> Vec<String> {
    let runs = model.settle();
    let names = runs.iter().filter(|run| run.unit.as_str() == unit).map(|run| run.hook.name());
    names.filter(|name| name.starts_with("secret-")).collect()
}

#[test]
fn c9_12_secret_add_prints_the_id_and_is_for_the_application_by_default() {
    on_versions(&["3.1.7", "3.6.25", "4.0.14"], |stage| {
        let mut model = started(stage, 2);
        let owner = |model: &mut Play, unit: &str, options: &str| {
            let commands = [&format!("secret-add {options} password=s3cret"), "secret-info-get $1 --format=json"];
            let answers = model.outputs_of(unit, &commands);
            let (uri, info) = (answers[0].stdout.trim_end(), &answers[1].stdout);
            assert_eq!((uri.len(), answers[0].stdout.len()), (27, 28));
            assert!(id(uri).bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{uri}");
            let info: serde_json::Value = serde_json::from_str(info).unwrap();
            info[id(uri)]["owner"].as_str().unwrap().to_owned()
        };
        assert_eq!(owner(&mut model, "zk/0", ""), "application");
        assert_eq!(owner(&mut model, "zk/0", "--owner application"), "application");
        assert_eq!(owner(&mut model, "zk/0", "--owner=unit"), "unit");
        assert_eq!(owner(&mut model, "zk/1", "--owner unit"), "unit");
        let denied = error(1, "this unit is not the leader");
        let table = [("secret-add abc=x", denied.clone()), ("secret-add --owner application abc=x", denied)];
        model.try_all("zk/1", &table);
    });
}

#[test]
fn c9_12_policies_and_times() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let info = |model: &mut Play, options: &str| {
            let commands = [&format!("secret-add {options} abc=x"), "secret-info-get $1 --format=json"];
            let answers = model.outputs_of("zk/0", &commands);
            let info: serde_json::Value = serde_json::from_str(&answers[1].stdout).unwrap();
            info[id(answers[0].stdout.trim_end())].clone()
        };
        for (policy, next) in [
            ("never", None),
            ("hourly", Some("2024-05-01T11:00:00Z")),
            ("daily", Some("2024-05-02T10:00:00Z")),
            ("weekly", Some("2024-05-08T10:00:00Z")),
            ("monthly", Some("2024-06-01T10:00:00Z")),
            ("quarterly", Some("2024-08-01T10:00:00Z")),
            ("yearly", Some("2025-05-01T10:00:00Z")),
        ] {
            let info = info(&mut model, &format!("--rotate {policy}"));
            assert_eq!((info["rotation"].as_str(), info["rotates"].as_str()), (Some(policy), next));
        }
        for (time, expiry) in [
            ("2024-06-01T00:00:00Z", "2024-06-01T00:00:00Z"),
            ("2024-06-01T02:00:00+02:00", "2024-06-01T00:00:00Z"),
            ("2024-06-01T00:00:00", "2024-06-01T00:00:00Z"),
            ("24h", "2024-05-02T10:00:00Z"),
            ("1h30m", "2024-05-01T11:30:00Z"),
        ] {
            assert_eq!(info(&mut model, &format!("--expire {time}"))["expiry"].as_str(), Some(expiry), "{time}");
        }
        for options in ["--rotate often", "--expire soon", "--expire=-1h", "--expire 24"] {
            assert_eq!(model.outputs_of("zk/0", &[&format!("secret-add {options} abc=x")])[0].code, 2, "{options}");
        }
        let runs = model.pass(HOUR + HOUR / 2);
        let due: Vec<String> =
            runs.iter().map(|run| run.hook.name()).filter(|name| name.starts_with("secret")).collect();
        assert_eq!(due, ["secret-rotate", "secret-expired"]);
    });
}

#[test]
fn c9_12_keys_of_secrets() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        for key in ["abc", "key-1", "a1b2", "a-b-c", "abc-def-ghi"] {
            secret(&mut model, "zk/0", &format!("{key}=x"));
        }
        let wrong = ["ab", "a-b", "Abc", "abC", "1bc", "a_bc", "abc-", "a--bc", "key.x"];
        let commands = wrong.map(|key| format!("secret-add {key}=x"));
        let commands: Vec<&str> = commands.iter().map(String::as_str).collect();
        for (key, answer) in wrong.iter().zip(model.outputs_of("zk/0", &commands)) {
            assert_eq!(answer, error(2, &format!("key \"{key}\" not valid")));
        }
    });
}

#[test]
fn c9_12_where_values_come_from() {
    on_every_driver(|stage| {
        let files = charm(METADATA).file("one", "a line\n").file("all.yaml", "num: 1.50\ntext: in a file\n");
        let mut model = stage.model().deploy(files, 1);
        model.settle();
        let add = "secret-add plain=' x=y ' bin#base64=aGk= line#file=one --file all.yaml";
        let json =
            "{\"bin\":\"hi\",\"line\":\"a line\\n\",\"num\":\"1.50\",\"plain\":\" x=y \",\"text\":\"in a file\"}\n";
        let answers = model.outputs_of("zk/0", &[add, "secret-get $1 --format=json"]);
        assert_eq!(answers[1], ok(json));
        let answers = model.outputs_of("zk/0", &["secret-add --file=all.yaml", "secret-get $1 text"]);
        assert_eq!(answers[1], ok("in a file\n"));
        let missing = error(2, "missing secret value or filename");
        model.try_all("zk/0", &[("secret-add", missing.clone()), ("secret-add --label x", missing)]);
        for command in ["secret-add key#file=none", "secret-add --file none", "secret-add =x", "secret-add abc"] {
            assert_eq!(model.outputs_of("zk/0", &[command])[0].code, 2, "{command}");
        }
    });
}

#[test]
fn c9_12_limits_of_values() {
    on_every_driver(|stage| {
        let files = charm(METADATA)
            .file("most", &"x".repeat(750_000))
            .file("more", &"x".repeat(750_001))
            .file("half", &"x".repeat(375_000));
        let mut model = stage.model().deploy(files, 1);
        model.settle();
        secret(&mut model, "zk/0", "abc#file=most");
        secret(&mut model, "zk/0", "abc#file=half def#file=half");
        for content in ["abc#file=more", "abc#file=most def=x", "abc#file=half def#file=half ghi=x"] {
            let answer = model.outputs_of("zk/0", &[&format!("secret-add {content}")]).remove(0);
            assert!(answer.code != 0 && answer.stderr.contains("too large"), "{content}: {answer:?}");
        }
    });
}

#[test]
fn c9_12_secret_set_makes_a_revision_if_the_content_differs() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let uri = secret(&mut model, "zk/0", "abc=one");
        for (arguments, revision, label) in [
            ("abc=one", 1, ""),
            ("--label mine --description 'to test'", 1, "mine"),
            ("abc=two", 2, "mine"),
            ("def=two", 3, "mine"),
            ("def=two --label other", 3, "other"),
        ] {
            model.try_all("zk/0", &[(format!("secret-set {uri} {arguments}"), nothing())]);
            let info = printed(&mut model, "zk/0", &format!("secret-info-get {uri} --format=json"));
            let info: serde_json::Value = serde_json::from_str(&info).unwrap();
            assert_eq!(info[id(&uri)]["revision"], revision, "{arguments}");
            assert_eq!(info[id(&uri)]["label"], label, "{arguments}");
        }
        let table = [
            ("secret-set", error(2, "missing secret URI")),
            ("secret-set x abc=d", error(2, "secret URI \"x\" not valid")),
        ];
        model.try_all("zk/0", &table);
    });
}

#[test]
fn c9_12_what_secret_get_prints() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let uri = secret(&mut model, "zk/0", "password=s3cret 'key-b=two words'");
        let table = [
            ("", ok("key-b: two words\npassword: s3cret\n")),
            ("--format=yaml", ok("key-b: two words\npassword: s3cret\n")),
            ("--format=json", ok("{\"key-b\":\"two words\",\"password\":\"s3cret\"}\n")),
            ("password", ok("s3cret\n")),
            ("password --format=json", ok("\"s3cret\"\n")),
            ("password#base64", ok("czNjcmV0\n")),
            ("password#base64 --format=json", ok("\"czNjcmV0\"\n")),
            ("--format=smart", error(2, "invalid value \"smart\" for option --format: unknown format \"smart\"")),
        ];
        for (arguments, expected) in table {
            model.try_all("zk/0", &[(format!("secret-get {uri} {arguments}"), expected)]);
        }
        model.try_all("zk/0", &[(format!("secret-get {} password", id(&uri)), ok("s3cret\n"))]);
    });
}

#[test]
fn c9_12_a_secret_is_pinned_at_the_first_read() {
    on_every_driver(|stage| {
        let mut model = related_to_two(stage);
        let uri = granted(&mut model, "abc=one");
        let read = format!("secret-get {uri} abc");
        assert_eq!(printed(&mut model, "kafka/0", &read), "one\n");
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=two"), nothing())]);
        assert_eq!(secret_hooks(&mut model, "kafka/0"), ["secret-changed"]);
        assert_eq!(printed(&mut model, "kafka/0", &read), "one\n");
        assert_eq!(printed(&mut model, "kafka/1", &read), "two\n");
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=three"), nothing())]);
        let all = [printed(&mut model, "kafka/0", &read), printed(&mut model, "kafka/1", &read)];
        assert_eq!(all, ["one\n", "two\n"]);
    });
}

/// What a hook command prints in a hook that fails afterwards, and is given up.
fn printed_in_vain(model: &mut Play, unit: &str, command: &str) -> String {
    model.on(unit, "config-changed", &[command]).exits(1);
    let run = model.run_hook(unit, "config-changed");
    model.unscript("config-changed");
    model.resolve(unit).unwrap();
    assert!(run.failed());
    answers_of(&run).remove(0).stdout
}

#[test]
fn c9_12_what_is_pinned_counts_with_the_hook() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let uri = granted(&mut model, "abc=one");
        let read = format!("secret-get {uri} abc");
        assert_eq!(printed_in_vain(&mut model, "kafka/0", &read), "one\n");
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=two"), nothing())]);
        assert_eq!(printed(&mut model, "kafka/0", &read), "two\n");
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=three"), nothing())]);
        assert_eq!(printed_in_vain(&mut model, "kafka/0", &format!("{read} --refresh")), "three\n");
        assert_eq!(printed(&mut model, "kafka/0", &read), "two\n");
    });
}

#[test]
fn c9_12_refresh_moves_the_pin_and_peek_does_not() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let uri = granted(&mut model, "abc=one");
        let read =
            |model: &mut Play, options: &str| printed(model, "kafka/0", &format!("secret-get {uri} abc {options}"));
        assert_eq!(read(&mut model, "--peek"), "one\n");
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=two"), nothing())]);
        assert_eq!(read(&mut model, ""), "two\n", "to peek did not pin");
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=three"), nothing())]);
        assert_eq!(read(&mut model, "--peek"), "three\n");
        assert_eq!(read(&mut model, ""), "two\n");
        assert_eq!(read(&mut model, "--refresh"), "three\n");
        assert_eq!(read(&mut model, ""), "three\n");
    });
}

#[test]
fn c9_12_errors_of_secret_get() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let uri = secret(&mut model, "zk/0", "abc=one");
        let both = "specify one of --peek or --refresh but not both";
        let key = error(1, "secret key value \"other\" not found");
        model.try_all(
            "zk/0",
            &[
                ("secret-get", error(2, "require either a secret URI or label")),
                ("secret-get --peek", error(2, "require either a secret URI or label")),
                (&*format!("secret-get {uri} --peek --refresh"), error(2, both)),
                ("secret-get --label x --refresh --peek", error(2, both)),
                ("secret-get secret:9m4e2mr0ui3e8a215n4g", error(1, "secret \"9m4e2mr0ui3e8a215n4g\" not found")),
                (&*format!("secret-get {uri} other"), key.clone()),
                (&*format!("secret-get {uri} other#base64 --format=json"), key),
                (&*format!("secret-get {uri} abc x"), error(2, "unrecognized args: [\"x\"]")),
                ("secret-get x", error(2, "secret URI \"x\" not valid")),
            ],
        );
        let read = format!("secret-get {uri}");
        model.try_all("kafka/0", &[(&read, error(1, "permission denied"))]);
        assert_eq!(printed(&mut model, "zk/1", &read), "abc: one\n");
    });
}

#[test]
fn c9_12_a_secret_added_in_the_hook_can_be_read_in_it() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let commands =
            ["secret-add abc=one", "secret-get $1", "secret-get $1 abc --peek", "secret-get $1 --format=json"];
        let answers = model.outputs_of("zk/0", &commands);
        assert_eq!(answers[1..], [ok("abc: one\n"), ok("one\n"), ok("{\"abc\":\"one\"}\n")]);
        model.script("config-changed", &["secret-add abc=two", "secret-get $1 abc"]).exits(1);
        let failed = answers_of(&model.run_hook("zk/0", "config-changed"));
        assert_eq!(failed[1], ok("two\n"));
        let uri = failed[0].stdout.trim_end();
        model.resolve("zk/0").unwrap();
        let gone = error(1, &format!("secret \"{}\" not found", id(uri)));
        model.try_all("zk/0", &[(format!("secret-get {uri}"), gone)]);
    });
}

#[test]
fn c9_12_secret_remove_takes_a_revision_or_all() {
    on_every_driver(|stage| {
        let mut model = related_to_two(stage);
        let uri = granted(&mut model, "abc=one");
        let (read, gone) = (format!("secret-get {uri} abc"), format!("secret \"{}\" not found", id(&uri)));
        printed(&mut model, "kafka/0", &read);
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=two"), nothing())]);
        model.try_all("zk/0", &[(format!("secret-remove {uri} --revision 1"), nothing())]);
        assert_eq!(model.outputs_of("kafka/0", &[&read])[0].code, 1, "the revision that it tracks is gone");
        assert_eq!(printed(&mut model, "kafka/1", &read), "two\n");
        model.try_all("zk/1", &[(format!("secret-remove {uri}"), error(1, "this unit is not the leader"))]);
        model.try_all("zk/0", &[(format!("secret-remove {uri}"), nothing())]);
        for unit in ["zk/0", "zk/1", "kafka/1"] {
            model.try_all(unit, &[(&read, error(1, &gone))]);
        }
        model.try_all("zk/0", &[("secret-remove", error(2, "missing secret URI"))]);
    });
}

#[test]
fn c9_12_grants_let_others_read_until_they_are_revoked() {
    on_every_driver(|stage| {
        let mut model = related_to_two(stage);
        let uri = secret(&mut model, "zk/0", "abc=one");
        let readers = |model: &mut Play| {
            let read = format!("secret-get {uri} --peek");
            let reads = ["kafka/0", "kafka/1"].map(|unit| model.outputs_of(unit, &[&read]).remove(0));
            for answer in reads.iter().filter(|answer| answer.code != 0) {
                assert_eq!(*answer, error(1, "permission denied"));
            }
            reads.map(|answer| answer.code == 0)
        };
        assert_eq!(readers(&mut model), [false, false]);
        for (grant, who, revoke) in [
            ("-r client:1", [true, true], "-r client:1"),
            ("--relation 1", [true, true], "--app kafka"),
            ("-r 1 --unit kafka/1", [false, true], "--unit kafka/1"),
            ("-r 1 --unit kafka/0", [true, false], "--app kafka"),
        ] {
            model.try_all("zk/0", &[(format!("secret-grant {uri} {grant}"), nothing())]);
            assert_eq!(readers(&mut model), who, "{grant}");
            model.try_all("zk/0", &[(format!("secret-revoke {uri} {revoke}"), nothing())]);
            assert_eq!(readers(&mut model), [false, false], "{revoke}");
        }
        model.try_all(
            "zk/0",
            &[
                (format!("secret-grant {uri}"), error(2, "no relation id specified")),
                (format!("secret-revoke {uri}"), error(2, "missing relation or application or unit")),
            ],
        );
        model.try_all("zk/0", &[(format!("secret-grant {uri} -r 1"), nothing())]);
        model.remove_relation("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        assert_eq!(readers(&mut model), [false, false], "a grant ends with its relation");
    });
}

#[test]
fn c9_12_secret_ids_is_null_if_there_are_none() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        model.try_all("zk/0", &[("secret-ids", nothing()), ("secret-ids --format=json", ok("null\n"))]);
        let mut expected: Vec<String> =
            (0..5).map(|number| id(&secret(&mut model, "zk/0", &format!("abc={number}"))).to_owned()).collect();
        expected.sort_unstable();
        let orders: Vec<Vec<String>> =
            (0..10).map(|_| printed(&mut model, "zk/0", "secret-ids").lines().map(str::to_owned).collect()).collect();
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, expected);
        }
        assert!(orders.iter().any(|order| *order != orders[0]), "the order is chance");
        assert_eq!(printed(&mut model, "zk/1", "secret-ids --format=json"), "null\n");
    });
}

#[test]
fn c9_12_what_secret_info_get_prints() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let plain = secret(&mut model, "zk/0", "--owner unit abc=one");
        let options = "--label db --description 'for <kafka>' --rotate daily --expire 48h";
        let full = granted(&mut model, &format!("{options} abc=one"));
        let json = format!(
            "{{\"{}\":{{\"revision\":1,\"label\":\"db\",\"owner\":\"application\",\
             \"description\":\"for \\u003ckafka\\u003e\",\"rotation\":\"daily\",\"expiry\":\"2024-05-03T10:00:00Z\",\
             \"rotates\":\"2024-05-02T10:00:00Z\",\"access\":[{{\"target\":\"application-kafka\",\
             \"scope\":\"relation-kafka.zookeeper#zk.client\",\"role\":\"view\"}}]}}}}\n",
            id(&full)
        );
        let none = "secret \"9m4e2mr0ui3e8a215n4g\" not found";
        let both = "specify either a secret URI or label but not both";
        model.try_all(
            "zk/0",
            &[
                (
                    &*format!("secret-info-get {plain}"),
                    ok(&format!("{}:\n  revision: 1\n  label: \"\"\n  owner: unit\n", id(&plain))),
                ),
                (
                    &*format!("secret-info-get {plain} --format=json"),
                    ok(&format!("{{\"{}\":{{\"revision\":1,\"label\":\"\",\"owner\":\"unit\"}}}}\n", id(&plain))),
                ),
                (&*format!("secret-info-get {full} --format=json"), ok(&json)),
                ("secret-info-get --label db --format=json", ok(&json)),
                ("secret-info-get", error(2, "require either a secret URI or label")),
                (&*format!("secret-info-get {full} --label db"), error(2, both)),
                ("secret-info-get secret:9m4e2mr0ui3e8a215n4g", error(1, none)),
                ("secret-info-get --label x", error(1, "secret \"x\" not found")),
            ],
        );
    });
}

#[test]
fn c9_12_labels_name_secrets() {
    on_every_driver(|stage| {
        let mut model = related_to_two(stage);
        let uri = granted(&mut model, "abc=one --label mine");
        for unit in ["zk/0", "zk/1"] {
            assert_eq!(printed(&mut model, unit, "secret-get --label mine"), "abc: one\n");
        }
        assert_eq!(model.outputs_of("kafka/0", &["secret-get --label mine"])[0].code, 1);
        assert_eq!(printed(&mut model, "kafka/0", &format!("secret-get {uri} --label theirs")), "abc: one\n");
        assert_eq!(printed(&mut model, "kafka/0", "secret-get --label theirs"), "abc: one\n");
        assert_eq!(model.outputs_of("kafka/1", &["secret-get --label theirs"])[0].code, 1);
        let taken = model.outputs_of("zk/0", &["secret-add --label own abc=x", "secret-add --label own abc=y"]);
        assert_eq!(taken[1], error(1, "secret with label \"own\" already exists"));
        model.try_all("zk/0", &[(format!("secret-set {uri} abc=two"), nothing())]);
        assert_eq!(secret_hooks(&mut model, "kafka/0"), ["secret-changed"]);
        assert_eq!(model.variable("kafka/0", "secret-changed", "JUJU_SECRET_LABEL"), Some("theirs"));
    });
}

/// An action with defaults, and one without parameters.
const ACTIONS: &str = "\
backup:
  description: d
  params:
    file: {type: string, default: all.tgz}
    limits: {type: object, properties: {size: {type: integer, default: 3}, kinds: {type: array}}}
list: {description: d}
";

/// One unit of a charm with actions.
fn with_actions(stage: &Stage<'_>) -> Play {
    let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
    model.settle();
    model
}

#[test]
fn c9_13_not_running_an_action() {
    on_every_driver(|stage| {
        let mut model = with_actions(stage);
        let table = ["action-get", "action-get file", "action-set a=1", "action-fail x", "action-log x"];
        model.try_all("zk/0", &table.map(|command| (command, error(1, "not running an action"))));
    });
}

#[test]
fn c9_13_action_get_walks_into_maps() {
    on_every_driver(|stage| {
        let mut model = with_actions(stage);
        let table = [
            ("action-get", ok("file: all.tgz\nlimits:\n  size: 3\n")),
            ("action-get --format=json", ok("{\"file\":\"all.tgz\",\"limits\":{\"size\":3}}\n")),
            ("action-get file", ok("all.tgz\n")),
            ("action-get limits.size", ok("3\n")),
            ("action-get limits.size --format=json", ok("3\n")),
            ("action-get limits --format=json", ok("{\"size\":3}\n")),
            ("action-get limits.none", nothing()),
            ("action-get limits.size.more --format=json", ok("null\n")),
            ("action-get none --format=json", ok("null\n")),
            ("action-get file limits", error(2, "unrecognized args: [\"limits\"]")),
        ];
        let (answers, _) = in_action(&mut model, &[], &table.each_ref().map(|(command, _)| *command));
        for ((command, expected), answer) in table.iter().zip(answers) {
            assert_eq!(answer, *expected, "{command}");
        }
        let kinds = Value::List(vec![Value::from("a"), Value::from("b")]);
        let limits = Value::Map([("kinds".to_owned(), kinds)].into());
        let params = [("file", Value::from("x")), ("limits", limits)];
        let (answers, _) = in_action(&mut model, &params, &["action-get --format=json", "action-get limits.kinds"]);
        assert_eq!(answers[0], ok("{\"file\":\"x\",\"limits\":{\"kinds\":[\"a\",\"b\"],\"size\":3}}\n"));
        assert_eq!(answers[1], ok("a\nb\n"));
        model.script("list", &["action-get --format=json", "action-get", "action-get x"]);
        model.run_action("zk/0", "list", &[]).unwrap();
        model.settle();
        assert_eq!(model.answers("zk/0", "list"), [ok("{}\n"), ok("{}\n"), nothing()]);
    });
}

#[test]
fn c9_13_keys_of_results() {
    on_versions(&["2.9.52", "3.6.25"], |stage| {
        let mut model = with_actions(stage);
        let more = if stage.version == "2.9.52" { ", hyphens and periods" } else { " and hyphens" };
        let must = "must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric";
        let key = |key: &str| error(2, &format!("key \"{key}\" {must}{more}"));
        let reserved = |key: &str| error(2, &format!("cannot set reserved action key \"{key}\""));
        let table = [
            ("action-set A=1", key("A")),
            ("action-set a.-b=1", key("-b")),
            ("action-set a-=1", key("a-")),
            ("action-set a..b=1", key("")),
            ("action-set a_b=1", key("a_b")),
            ("action-set ok=1 x", error(2, "argument \"x\" must be of the form key...=value")),
            ("action-set stdout=1", reserved("stdout")),
            ("action-set stdout-encoding=1", reserved("stdout-encoding")),
            ("action-set stderr=1", reserved("stderr")),
            ("action-set a.stderr-encoding=1", reserved("stderr-encoding")),
            ("action-set --file x", error(2, "option provided but not defined: --file")),
            ("action-set a-1.2b.c=1", nothing()),
        ];
        let (answers, report) = in_action(&mut model, &[], &table.each_ref().map(|(command, _)| *command));
        for ((command, expected), answer) in table.iter().zip(answers) {
            assert_eq!(answer, *expected, "{command}");
        }
        assert_eq!(Value::Map(report.results).to_json(), "{\"a-1\":{\"2b\":{\"c\":\"1\"}},\"return-code\":0}");
    });
}

#[test]
fn c9_13_results_merge() {
    on_every_driver(|stage| {
        let mut model = with_actions(stage);
        let commands = [
            "action-set file.size=10 'text= spaces\t' empty= pair=a=b",
            "action-set file.name=x file.size=11 one=1 deep=2",
            "action-set one.two=3 deep.a.b=4 deep.a.c=5",
            "action-set one.two=6",
        ];
        let (answers, report) = in_action(&mut model, &[], &commands);
        assert!(answers.iter().all(|answer| *answer == nothing()));
        let expected = "{\"deep\":{\"a\":{\"b\":\"4\",\"c\":\"5\"}},\"empty\":\"\",\"file\":{\"name\":\"x\",\"size\":\"11\"},\
            \"one\":{\"two\":\"6\"},\"pair\":\"a=b\",\"return-code\":0,\"text\":\" spaces\\t\"}";
        assert_eq!(Value::Map(report.results).to_json(), expected);
    });
}

#[test]
fn c9_13_action_fail_without_a_message() {
    on_every_driver(|stage| {
        let mut model = with_actions(stage);
        let default = "action failed without reason given, check action for errors";
        for (command, message) in [("action-fail", default), ("action-fail 'no disk'", "no disk")] {
            let (answers, report) = in_action(&mut model, &[], &[command, "action-set a=1"]);
            assert_eq!(answers, [nothing(), nothing()]);
            assert_eq!((report.completed, report.message.as_str()), (false, message));
            assert_eq!(report.results["a"], Value::from("1"));
        }
        let (answers, report) = in_action(&mut model, &[], &["action-fail no disk"]);
        assert_eq!((answers, report.completed), (vec![error(2, "unrecognized args: [\"disk\"]")], true));
    });
}

#[test]
fn c9_13_action_log_is_immediate() {
    on_every_driver(|stage| {
        let mut model = with_actions(stage);
        model.script("backup", &["action-log half done", "action-log 'more than half'", "action-log"]).exits(1);
        let id = model.run_action("zk/0", "backup", &[]).unwrap();
        model.settle();
        assert_eq!(model.answer("zk/0", "backup", 2), error(2, "no message specified"));
        let report = model.action(id).unwrap();
        assert!(!report.completed);
        assert_eq!(report.log, ["half done", "more than half"], "what an action logs stays if it fails");
    });
}

#[test]
fn c9_14_what_goal_state_prints() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1).deploy(CLIENT, 1);
        model.advance(HOUR);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        model.outputs_of("zk/0", &["status-set active"]);
        let kafka = "2024-05-01 11:00:00Z";
        let json = format!(
            "{{\"units\":{{\"zk/0\":{{\"status\":\"active\",\"since\":\"{kafka}\"}}}},\
             \"relations\":{{\"client\":{{\"kafka\":{{\"status\":\"joined\",\"since\":\"{kafka}\"}},\
             \"kafka/0\":{{\"status\":\"unknown\",\"since\":\"{kafka}\"}}}}}}}}\n"
        );
        let yaml = format!(
            "units:\n  zk/0:\n    status: active\n    since: {kafka}\nrelations:\n  client:\n    kafka:\n      \
             status: joined\n      since: {kafka}\n    kafka/0:\n      status: unknown\n      since: {kafka}\n"
        );
        let smart = error(2, "invalid value \"smart\" for option --format: unknown format \"smart\"");
        model.try_all(
            "zk/0",
            &[
                ("goal-state --format=json", ok(&json)),
                ("goal-state", ok(&yaml)),
                ("goal-state --format yaml", ok(&yaml)),
                ("goal-state --format=smart", smart),
                ("goal-state x", error(2, "unrecognized args: [\"x\"]")),
            ],
        );
    });
}

/// The units in what `goal-state` has printed as JSON, each with its status.
fn goal(answer: &CommandOutput) -> Vec<(String, String)> {
    let goal: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    let units = goal["units"].as_object().unwrap().iter();
    units.map(|(unit, state)| (unit.clone(), state["status"].as_str().unwrap().to_owned())).collect()
}

fn pairs(units: &[(&str, &str)]) -> Vec<(String, String)> {
    units.iter().map(|(unit, status)| ((*unit).to_owned(), (*status).to_owned())).collect()
}

#[test]
fn c9_14_all_units_that_are_not_dead() {
    on_every_driver(|stage| {
        let mut model = started(stage, 3);
        let now = |model: &mut Play| goal(&model.outputs_of("zk/0", &["goal-state --format=json"])[0]);
        let unknown = [("zk/0", "unknown"), ("zk/1", "unknown"), ("zk/2", "unknown")];
        assert_eq!(now(&mut model), pairs(&unknown));
        model.remove_unit("zk/1").unwrap();
        assert_eq!(now(&mut model), pairs(&[unknown[0], ("zk/1", "dying"), unknown[2]]));
        model.settle();
        assert_eq!(now(&mut model), pairs(&[unknown[0], unknown[2]]));
        model.add_unit("zk").unwrap();
        assert_eq!(now(&mut model), pairs(&[unknown[0], unknown[2], ("zk/3", "waiting")]));
    });
}

#[test]
fn c9_14_relations_go_by_endpoint_without_peers() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2).deploy(CLIENT, 2);
        let relations = |model: &mut Play| {
            let goal = printed(model, "zk/0", "goal-state --format=json");
            let goal: serde_json::Value = serde_json::from_str(&goal).unwrap();
            let relations = goal["relations"].as_object().unwrap().iter();
            let keys = |found: &serde_json::Value| found.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
            relations.map(|(endpoint, remote)| format!("{endpoint} {}", keys(remote).join(" "))).collect::<Vec<_>>()
        };
        assert_eq!(relations(&mut model), [""; 0]);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        assert_eq!(relations(&mut model), ["client kafka kafka/0 kafka/1"]);
        model.add_application(CLIENT, |application| application.named("storm"));
        model.relate("storm:zookeeper", "zk:client").unwrap();
        assert_eq!(relations(&mut model), ["client kafka kafka/0 kafka/1 storm storm/0"]);
    });
}

#[test]
fn c9_14_it_is_read_anew_and_shows_who_has_not_joined() {
    use zkpeer_core::testing::Change;
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 3);
        model.on("zk/0", "zkpeer-relation-created", &["relation-list --format=json", "goal-state --format=json"]);
        model.settle();
        assert_eq!(model.answer("zk/0", "zkpeer-relation-created", 0), ok("[]\n"));
        let units = goal(&model.answer("zk/0", "zkpeer-relation-created", 1));
        assert_eq!(units.iter().map(|(unit, _)| unit).collect::<Vec<_>>(), ["zk/0", "zk/1", "zk/2"]);
        model.before_command("zk/0", 2, Change::RemoveUnit("zk/2".parse().unwrap())).unwrap();
        let answers = model.outputs_of("zk/0", &["goal-state --format=json", "goal-state --format=json"]);
        let unknown = [("zk/0", "unknown"), ("zk/1", "unknown"), ("zk/2", "unknown")];
        assert_eq!(goal(&answers[0]), pairs(&unknown));
        assert_eq!(goal(&answers[1]), pairs(&[unknown[0], unknown[1], ("zk/2", "dying")]));
    });
}

#[test]
fn c9_15_resource_get_prints_a_path_without_a_newline() {
    on_every_driver(|stage| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "first").unwrap();
        let resources = "resources:\n  server: {type: file, filename: server.tgz}\n  other: {filename: o}\n";
        let mut model = stage.model();
        let charm = format!("{METADATA}{resources}");
        model.add_application(charm.as_str(), |zk| zk.units(2).resource("server", file.path()));
        model.settle();
        let path = printed(&mut model, "zk/0", "resource-get server");
        assert!(path.ends_with("/unit-zk-0/resources/server/server.tgz"), "{path:?}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        std::fs::write(file.path(), "second").unwrap();
        assert_ne!(printed(&mut model, "zk/1", "resource-get server"), path);
        assert_eq!(printed(&mut model, "zk/0", "resource-get server"), path);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "second");
        let table = [
            ("resource-get", error(2, "missing required resource name")),
            ("resource-get server x", error(2, "unrecognized args: [\"x\"]")),
        ];
        model.try_all("zk/0", &table);
        for answer in model.outputs_of("zk/0", &["resource-get other", "resource-get none"]) {
            assert_eq!(answer.code, 1);
            assert!(answer.stderr.starts_with("ERROR could not download resource: "), "{answer:?}");
        }
    });
}

/// One instance of `data`, and none at first of `cache`.
const STORAGE: &str = "\
storage:
  data: {type: filesystem, location: /srv/data}
  cache: {type: block, multiple: {range: 0-3}}
";

fn with_storage(stage: &Stage<'_>) -> Play {
    let mut model = stage.model().deploy(format!("{METADATA}{STORAGE}").as_str(), 1);
    model.settle();
    model
}

#[test]
fn c9_15_storage_list_and_get() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(format!("{METADATA}{STORAGE}").as_str(), 1);
        let hook = ["storage-get --format=json", "storage-get location", "storage-get kind --format=json"];
        model.script("data-storage-attached", &hook);
        model.settle();
        let json = "{\"kind\":\"filesystem\",\"location\":\"/srv/data\"}\n";
        let expected = [ok(json), ok("/srv/data\n"), ok("\"filesystem\"\n")];
        assert_eq!(model.answers("zk/0", "data-storage-attached"), expected);
        model.outputs_of("zk/0", &["storage-add cache=2"]);
        model.settle();
        model.try_all(
            "zk/0",
            &[
                ("storage-list", ok("cache/1\ncache/2\ndata/0\n")),
                ("storage-list --format=json", ok("[\"cache/1\",\"cache/2\",\"data/0\"]\n")),
                ("storage-list data", ok("data/0\n")),
                ("storage-list none", nothing()),
                ("storage-list none --format=json", ok("[]\n")),
                ("storage-get -s data/0", ok("kind: filesystem\nlocation: /srv/data\n")),
                ("storage-get -s cache/2 kind", ok("block\n")),
            ],
        );
    });
}

#[test]
fn c9_15_errors_of_storage() {
    on_every_driver(|stage| {
        let mut model = with_storage(stage);
        let invalid =
            |id: &str| error(2, &format!("invalid value \"{id}\" for option -s: invalid storage ID \"{id}\""));
        model.try_all(
            "zk/0",
            &[
                ("storage-get", error(2, "no storage instance specified")),
                ("storage-get location", error(2, "no storage instance specified")),
                ("storage-get -s x", invalid("x")),
                ("storage-get -s data/01", invalid("data/01")),
                ("storage-get -s data/0 size", error(1, "invalid storage attribute \"size\"")),
                ("storage-get -s data/0 kind x", error(2, "unrecognized args: [\"x\"]")),
                ("storage-list data cache", error(2, "unrecognized args: [\"cache\"]")),
                ("storage-add", error(2, "storage add requires a storage directive")),
            ],
        );
        assert_ne!(model.outputs_of("zk/0", &["storage-get -s data/7"])[0].code, 0);
    });
}

#[test]
fn c9_15_added_storage_is_attached_later() {
    on_every_driver(|stage| {
        let mut model = with_storage(stage);
        let before = model.hooks("zk/0").len();
        model.outputs_of("zk/0", &["storage-add cache"]);
        model.settle();
        assert_eq!(model.hooks("zk/0")[before..], ["update-status", "cache-storage-attached (cache/1)"]);
        assert_eq!(model.variable("zk/0", "cache-storage-attached", "JUJU_STORAGE_KIND"), Some("block"));
        model.script("config-changed", &["storage-add cache=3"]);
        let refused = model.run_hook("zk/0", "config-changed");
        assert!(matches!(refused.outcome, Outcome::Refused(_)), "there would be four, and three is the most");
    });
}

#[test]
fn c9_15_credentials_need_trust() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let denied = model.outputs_of("zk/0", &["credential-get"]).remove(0);
        assert_eq!(denied.code, 1);
        assert!(denied.stderr.starts_with("ERROR cannot access cloud credentials: "), "{denied:?}");
        model.set_trust("zk", true).unwrap();
        model.settle();
        let found = printed(&mut model, "zk/0", "credential-get --format=json");
        let found: serde_json::Value = serde_json::from_str(&found).unwrap();
        assert!(found["type"].is_string() && found["credential"]["auth-type"].is_string(), "{found}");
        model.try_all("zk/0", &[("credential-get x", error(2, "unrecognized args: [\"x\"]"))]);
    });
}

#[test]
fn c9_16_a_reboot_after_the_hook() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        let before = model.hooks("zk/0").len();
        model.script("config-changed", &["juju-reboot", "status-set active rebooting"]).exits(1).nth(2);
        model.script("config-changed", &["juju-reboot x", "juju-reboot", "relation-set -r 0 a=1"]).nth(3);
        assert!(model.run_hook("zk/0", "config-changed").failed());
        assert_eq!(model.status("zk/0").status, "error");
        model.settle_retrying(1);
        let surplus = error(2, "unrecognized args: [\"x\"]");
        assert_eq!(model.answers("zk/0", "config-changed")[2..], [surplus, nothing(), nothing()]);
        assert_eq!(model.hooks("zk/0")[before..], ["config-changed", "config-changed", "start"]);
        assert_eq!(model.unit_data(0, "zk/0")["a"], "1", "its changes were applied");
    });
}

#[test]
fn c9_16_no_reboot_in_an_action() {
    on_every_driver(|stage| {
        let mut model = with_actions(stage);
        let before = model.hooks("zk/0").len();
        let denied = error(1, "juju-reboot is not supported when running an action.");
        let (answers, report) = in_action(&mut model, &[], &["juju-reboot", "juju-reboot --now"]);
        assert_eq!((answers, report.completed), (vec![denied.clone(), denied], true));
        assert_eq!(model.hooks("zk/0").len(), before + 1, "nothing follows the action");
    });
}

#[test]
fn c9_17_add_metric_only_in_collect_metrics() {
    on_versions(&["2.9.52", "3.6.9"], |stage| {
        let mut model = started(stage, 1);
        let commands = ["add-metric users=3 load=0.5 -l a=b,c=d", "add-metric --labels e=f users=4", "add-metric"];
        model.script("collect-metrics", &commands);
        let run = model.run_hook("zk/0", "collect-metrics");
        assert_eq!(run.outcome, Outcome::Done);
        assert_eq!(answers_of(&run), [nothing(), nothing(), error(2, "no metrics specified")]);
        assert_eq!(model.outputs_of("zk/0", &["add-metric users=3"])[0].code, 1);
        model.script("meter-status-changed", &["add-metric users=3"]);
        let run = model.run_hook("zk/0", "meter-status-changed");
        assert_eq!(answers_of(&run)[0].code, 1);
    });
}

#[test]
fn c9_17_payloads() {
    on_versions(&["2.9.52", "3.6.25"], |stage| {
        let payloads = format!("{METADATA}payloads:\n  monitor: {{type: docker}}\n");
        let mut model = stage.model().deploy(payloads.as_str(), 1);
        model.settle();
        let registered = ["payload-register docker monitor a1 label other", "payload-status-set monitor a1 starting"];
        model.try_all("zk/0", &registered.map(|command| (command, nothing())));
        for status in ["starting", "started", "stopping", "stopped"] {
            model.try_all("zk/0", &[(format!("payload-status-set monitor a1 {status}"), nothing())]);
        }
        model.try_all("zk/0", &[("payload-unregister monitor a1", nothing())]);
        let refused = [
            "payload-status-set monitor a1 started",
            "payload-register kvm monitor a1",
            "payload-register docker other a1",
            "payload-register docker monitor a2",
            "payload-status-set monitor a2 running",
        ];
        let codes: Vec<i32> = model.outputs_of("zk/0", &refused).iter().map(|answer| answer.code).collect();
        assert_eq!(codes, [1, 1, 1, 0, 1]);
        let surplus =
            ["payload-register docker monitor", "payload-unregister monitor", "payload-status-set monitor a2"];
        for answer in model.outputs_of("zk/0", &surplus) {
            assert_eq!(answer.code, 2, "{answer:?}");
        }
    });
}
