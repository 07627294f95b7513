//! Section 11 of the contract: the files of a charm.
//!
//! What Juju refuses in them it refuses at deployment, before any hook: no driver makes a difference there, and one is used.

use zkpeer_core::testing::{Application, Value};

use crate::stage::{CLIENT, CharmFiles, Driver, METADATA, Play, Stage, VERSIONS, charm, error, ok, on_every_driver};
use crate::table::on_versions;

/// What stands in every `metadata.yaml`.
const REQUIRED: &str = "name: zk\nsummary: s\ndescription: d\n";

/// Deploys the charm with one unit; why it is refused, if it is.
fn deploy(version: &str, files: &CharmFiles) -> Result<Play, String> {
    let mut model = Stage { driver: Driver::InProcess, version }.model();
    let application = model.application(files);
    match (*model).deploy(application) {
        Ok(_) => Ok(model),
        Err(error) => Err(error.to_string()),
    }
}

/// Why a file is refused with this text in it.
fn refused(file: &str, text: &str) -> String {
    match deploy("3.6.25", &charm(METADATA).file(file, text)) {
        Ok(_) => panic!("taken, and should not be: {text}"),
        Err(why) => {
            assert!(why.contains(file), "it is not said where: {why}");
            why
        }
    }
}

/// Each text is refused in the file, with words that contain these.
fn all_refused(file: &str, table: &[(&str, &str)]) {
    for (text, words) in table {
        let why = refused(file, text);
        assert!(why.contains(words), "{text:?}: {why}");
    }
}

/// Why more in `metadata.yaml`, beside what is required, is refused.
fn refused_metadata(more: &str) -> String {
    refused("metadata.yaml", &format!("{REQUIRED}{more}\n"))
}

/// A charm that has more than what is required in `metadata.yaml`.
fn with(more: &str) -> CharmFiles {
    charm(&format!("{REQUIRED}{more}\n"))
}

/// Deploys a directory of these files; why it is refused, if it is.
fn deploy_files(version: &str, files: &[(&str, &str)]) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::create_dir_all(directory.path().join(name).parent().unwrap()).unwrap();
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let mut model = Stage { driver: Driver::Processes, version }.model();
    (*model).deploy(Application::new(directory.path())).map(drop).map_err(|error| error.to_string())
}

const BASES: &str = "bases: [{name: ubuntu, channel: '24.04', architectures: [amd64]}]\n";

#[test]
fn c11_a_charm_needs_metadata() {
    let why = deploy_files("3.6.25", &[("dispatch", ""), ("manifest.yaml", BASES)]).unwrap_err();
    assert!(why.contains("metadata.yaml: is missing"), "{why}");
}

#[test]
fn c11_a_manifest_is_needed_in_4_0() {
    let without = [("dispatch", ""), ("metadata.yaml", REQUIRED)];
    let with = [("dispatch", ""), ("metadata.yaml", REQUIRED), ("manifest.yaml", BASES)];
    for version in VERSIONS {
        assert_eq!(deploy_files(version, &with), Ok(()), "{version}");
        let result = deploy_files(version, &without);
        if version < "4" {
            assert_eq!(result, Ok(()), "{version}");
        } else {
            let why = result.unwrap_err();
            assert!(why.contains("charm metadata without bases in manifest not valid"), "{why}");
        }
    }
}

#[test]
fn c11_a_charm_needs_something_to_run() {
    let metadata = ("metadata.yaml", REQUIRED);
    for nothing in [&[metadata] as &[_], &[metadata, ("src/main.rs", "")], &[metadata, ("hooks/lib/x", "")]] {
        let why = deploy_files("3.6.25", nothing).unwrap_err();
        assert!(why.contains("invalid charm \"zk\": has no hooks nor dispatch file"), "{why}");
    }
    for something in ["dispatch", "hooks/install"] {
        assert_eq!(deploy_files("3.6.25", &[metadata, (something, "")]), Ok(()));
    }
}

#[test]
fn c11_configuration_and_actions_may_be_missing() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("install", &["config-get --format=json", "config-get --all --format=json"]);
        model.settle();
        assert_eq!(model.answers("zk/0", "install"), [ok("{}\n"), ok("{}\n")]);
        let why = model.run_action("zk/0", "backup", &[]).unwrap_err().to_string();
        assert!(why.contains("\"backup\""), "{why}");
    });
}

#[test]
fn c11_charmcraft_yaml_is_not_read() {
    on_every_driver(|stage| {
        let craft = "name: other\nconfig: {options: {port: {type: int, default: 1}}}\nactions: {backup: {}}\n";
        let mut model = stage.model().deploy(charm(METADATA).file("charmcraft.yaml", craft), 1);
        model.script("install", &["config-get --format=json"]);
        model.settle();
        assert_eq!(model.answers("zk/0", "install"), [ok("{}\n")]);
        assert!(model.run_action("zk/0", "backup", &[]).is_err());
    });
    let why = deploy_files("3.6.25", &[("dispatch", ""), ("charmcraft.yaml", REQUIRED)]).unwrap_err();
    assert!(why.contains("metadata.yaml: is missing"), "{why}");
}

#[test]
fn c11_1_name_summary_and_description_are_needed() {
    let lines: Vec<&str> = REQUIRED.lines().collect();
    for key in ["name", "summary", "description"] {
        let without: Vec<&str> = lines.iter().copied().filter(|line| !line.starts_with(key)).collect();
        let why = refused("metadata.yaml", &without.join("\n"));
        assert!(why.contains(&format!("`{key}` is missing")), "{why}");
        for wrong in ["[a]", "{a: b}", "3", "null"] {
            let why = refused("metadata.yaml", &format!("{}\n{key}: {wrong}\n", without.join("\n")));
            assert!(why.contains(&format!("`{key}`")), "{wrong}: {why}");
        }
    }
}

#[test]
fn c11_1_names_of_charms() {
    let metadata = |name: &str| format!("name: '{name}'\nsummary: s\ndescription: d\n");
    for name in ["z", "zk", "zk3", "zk-a", "zk-2a", "zk-a2-b", "a-b-c"] {
        assert!(deploy("3.6.25", &charm(&metadata(name))).is_ok(), "{name}");
    }
    for name in ["", "Zk", "2zk", "-zk", "zk-", "zk--a", "zk_a", "zk-2", "zk a", "zk.a", "zé"] {
        assert!(refused("metadata.yaml", &metadata(name)).contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn c11_1_unknown_keys_are_ignored() {
    let more = "\
maintainer: someone <a@b.c>
nonsense: {a: [1]}
categories: [databases]
tags: [a, b]
terms: [x/1]
devices: {gpu: {type: gpu, countmin: 1}}
website: https://example.org
";
    on_versions(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(with(more), 1);
        model.settle();
        assert_eq!(model.hooks("zk/0").first().map(String::as_str), Some("install"));
    });
}

#[test]
fn c11_1_both_forms_of_endpoints() {
    on_every_driver(|stage| {
        let server = with("peers:\n  quorum: zookeeper-quorum\nprovides: {client: zookeeper}");
        let user = charm("name: kafka\nsummary: s\ndescription: d\nrequires:\n  store:\n    interface: zookeeper\n");
        let mut model = stage.model().deploy(server, 1).deploy(user, 1);
        model.script("store-relation-created", &["relation-list --app"]);
        model.relate("zk:client", "kafka:store").unwrap();
        model.settle();
        let ids: Vec<String> = model.relations("zk").iter().map(ToString::to_string).collect();
        assert_eq!(ids, ["quorum:0", "client:1"]);
        assert_eq!(model.answer("kafka/0", "store-relation-created", 0), ok("zk\n"));
    });
    for more in ["peers: {q: {}}", "peers: {q: [x]}", "peers: [q]", "provides: {q: {interface: [x]}}", "peers: {Q: x}"]
    {
        refused_metadata(more);
    }
}

#[test]
fn c11_1_a_subordinate_needs_a_container_endpoint() {
    let container = "requires: {host: {interface: juju-info, scope: container}}";
    for wrong in [
        "subordinate: true",
        "subordinate: true\nrequires: {host: juju-info}",
        "subordinate: true\nrequires: {host: {interface: juju-info, scope: global}}",
        "subordinate: true\nprovides: {host: {interface: x, scope: container}}",
    ] {
        assert!(refused_metadata(wrong).contains("subordinate"), "{wrong}");
    }
    assert!(refused_metadata(&format!("subordinate: often\n{container}")).contains("`subordinate`"));
    let mut model = Stage { driver: Driver::InProcess, version: "3.6.25" }.model();
    model.add_application(with(&format!("subordinate: true\n{container}")), |zk| zk.units(0));
    assert!(model.add_unit("zk").is_err(), "its units come with those of others");
}

#[test]
fn c11_1_storage_has_a_type_and_a_number() {
    on_every_driver(|stage| {
        let more = "\
storage:
  one: {type: filesystem}
  three: {type: block, multiple: {range: 3}}
  some: {type: filesystem, multiple: {range: 1-2}, location: /srv/some, minimum-size: 1G}
  any: {type: filesystem, multiple: {range: 0+}, description: d, shared: false, read-only: true}
  more: {type: filesystem, multiple: {range: 2+}, properties: [transient]}
  place: {type: filesystem, location: /srv/place}
";
        let mut model = stage.model().deploy(with(more), 1);
        model.script("install", &["storage-list --format=json"]);
        model.script("place-storage-attached", &["storage-get location"]);
        model.script("three-storage-attached", &["storage-get kind"]);
        model.settle();
        let ids = "[\"more/0\",\"more/1\",\"one/2\",\"place/3\",\"some/4\",\"three/5\",\"three/6\",\"three/7\"]\n";
        assert_eq!(model.answer("zk/0", "install", 0), ok(ids));
        assert_eq!(model.answer("zk/0", "place-storage-attached", 0), ok("/srv/place\n"));
        assert_eq!(model.answer("zk/0", "three-storage-attached", 0), ok("block\n"));
    });
    for wrong in [
        "{}",
        "{type: disk}",
        "{type: block, location: /srv}",
        "{type: filesystem, multiple: {range: many}}",
        "{type: filesystem, multiple: {range: 1-2-3}}",
        "{type: filesystem, multiple: {range: -1}}",
        "{type: filesystem, multiple: {}}",
        "{type: filesystem, shared: often}",
        "filesystem",
    ] {
        let why = refused_metadata(&format!("storage: {{data: {wrong}}}"));
        assert!(why.contains("storage `data`"), "{wrong}: {why}");
    }
}

#[test]
fn c11_1_resources_have_a_type_and_a_file_name() {
    let good =
        "resources:\n  a: {type: file, filename: a.tgz, description: d}\n  b: {filename: b}\n  c: {type: oci-image}";
    assert!(deploy("3.6.25", &with(good)).is_ok());
    for wrong in ["{type: file}", "{}", "{type: snap, filename: x}", "{type: file, filename: a/b}", "x"] {
        let why = refused_metadata(&format!("resources: {{a: {wrong}}}"));
        assert!(why.contains("resource `a`"), "{wrong}: {why}");
    }
    let mut model = Stage { driver: Driver::InProcess, version: "3.6.25" }.model();
    let application = model.application(&with("resources: {a: {filename: a}}"));
    let why = (*model).deploy(application.resource("b", "/dev/null")).unwrap_err().to_string();
    assert!(why.contains("no resource `b`"), "{why}");
}

#[test]
fn c11_1_keys_of_both_formats_cannot_be_mixed() {
    for (more, one, other) in [
        ("series: [jammy]\nassumes: [juju >= 3.1]", "\"series\"", "\"assumes\""),
        ("min-juju-version: 2.9.0\nassumes: []", "\"min-juju-version\"", "\"assumes\""),
        (
            "series: [jammy]\ncontainers: {a: {resource: a}}\nresources: {a: {type: oci-image}}",
            "\"series\"",
            "\"containers\"",
        ),
        ("deployment: {type: stateful}\ncharm-user: root", "\"deployment\"", "\"charm-user\""),
    ] {
        let why = refused_metadata(more);
        let said =
            [format!("keys {one} cannot be used with {other}"), format!("keys {other} cannot be used with {one}")];
        assert!(why.contains("ambiguous metadata: keys "), "{why}");
        assert!(said.iter().any(|words| why.contains(words)), "{why}");
    }
    assert!(refused_metadata("assumes: juju").contains("`assumes`"));
    for alone in ["assumes: [juju >= 3.1]", "series: [jammy]"] {
        assert!(deploy("3.6.25", &with(alone)).is_ok(), "{alone}");
    }
    let old = format!("{REQUIRED}series: [jammy]\n");
    for version in VERSIONS {
        let result = deploy_files(version, &[("dispatch", ""), ("metadata.yaml", &old)]);
        assert_eq!(result.is_ok(), version < "4", "{version}: {result:?}");
    }
}

#[test]
fn c11_1_scope_and_limit() {
    on_every_driver(|stage| {
        let server = with("provides: {client: {interface: zookeeper, limit: 1, scope: global, optional: true}}");
        let mut model = stage.model().deploy(server, 1).deploy(CLIENT, 1);
        model.add_application(CLIENT, |storm| storm.named("storm"));
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        let why = model.relate("zk:client", "storm:zookeeper").unwrap_err().to_string();
        assert!(why.contains("zk:client"), "{why}");
        model.settle();
        assert!(model.hooks("storm/0").iter().all(|hook| !hook.contains("relation")));
        model.remove_relation("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        model.relate("zk:client", "storm:zookeeper").unwrap();
        model.settle();
        assert_eq!(model.members("zk/0", "client"), ["storm/0"]);
    });
    for wrong in ["scope: machine", "limit: few", "optional: perhaps"] {
        let why = refused_metadata(&format!("provides: {{client: {{interface: x, {wrong}}}}}"));
        assert!(why.contains("endpoint `client`"), "{wrong}: {why}");
    }
}

/// A subordinate that uses what every application provides.
const SUBORDINATE: &str = "\
name: watch
summary: s
description: d
subordinate: true
requires:
  host: {interface: juju-info, scope: container}
";

#[test]
fn c11_1_container_scope_is_one_machine() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.add_application(SUBORDINATE, |watch| watch.units(0));
        model.script("host-relation-joined", &["relation-list"]);
        model.relate("zk:juju-info", "watch:host").unwrap();
        model.settle();
        for (unit, principal) in [("watch/0", "zk/0"), ("watch/1", "zk/1")] {
            assert_eq!(model.members(unit, "host"), [principal]);
            assert_eq!(model.answers(unit, "host-relation-joined"), [ok(&format!("{principal}\n"))]);
            assert_eq!(model.variable(unit, "install", "JUJU_PRINCIPAL_UNIT"), Some(principal));
            let machine = |unit: &str| model.variable(unit, "install", "JUJU_MACHINE_ID").map(str::to_owned);
            assert_eq!(machine(unit), machine(principal));
        }
    });
}

#[test]
fn c11_1_juju_info_runs_no_hook() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let before = model.hooks("zk/0");
        model.add_application(SUBORDINATE, |watch| watch.units(0));
        model.relate("watch:host", "zk:juju-info").unwrap();
        model.settle();
        model.remove_relation("watch:host", "zk:juju-info").unwrap();
        model.settle();
        assert_eq!(model.hooks("zk/0"), before);
        let of_host: Vec<String> =
            model.hooks("watch/0").into_iter().filter(|hook| hook.contains("relation")).collect();
        let expected = ["created", "joined (zk/0)", "changed (zk/0)", "departed (zk/0)", "broken"];
        assert_eq!(of_host, expected.map(|kind| format!("host-relation-{kind}")));
        model.remove_unit("zk/0").unwrap();
        model.settle();
        assert_eq!(model.hooks("zk/0")[before.len()..], ["stop", "remove"]);
    });
}

#[test]
fn c11_1_an_endpoint_stands_once() {
    for more in
        ["peers: {a: x}\nprovides: {a: x}", "provides: {a: x}\nrequires: {a: y}", "peers: {a: x}\nrequires: {a: x}"]
    {
        let why = refused_metadata(more);
        assert!(why.contains("`a`") || why.contains("\"a\""), "{why}");
    }
}

#[test]
fn c11_1_names_of_juju_are_reserved() {
    for wrong in [
        "peers: {juju: x}",
        "provides: {juju-x: x}",
        "requires: {juju: x}",
        "requires: {juju-info: {interface: juju-info, scope: container}}",
        "provides: {a: juju}",
        "provides: {a: juju-info}",
        "peers: {a: {interface: juju-x}}",
    ] {
        assert!(refused_metadata(wrong).contains("reserved"), "{wrong}");
    }
    for right in [
        "requires: {info: juju-info}",
        "peers: {jujus: x}",
        "subordinate: true\nrequires: {juju-info: {interface: juju-info, scope: container}}",
    ] {
        let mut model = Stage { driver: Driver::InProcess, version: "3.6.25" }.model();
        model.add_application(with(right), |zk| zk.units(0));
    }
}

#[test]
fn c11_1_names_of_applications_and_units() {
    let mut model = Stage { driver: Driver::InProcess, version: "3.6.25" }.model();
    for name in ["zk-2", "Zk", "2zk", "zk_a", "zk-", "", "zk/0"] {
        let application = model.application(&charm(METADATA)).named(name);
        let why = (*model).deploy(application).unwrap_err().to_string();
        assert!(why.contains(&format!("`{name}`")), "{why}");
    }
    model.add_application(METADATA, |application| application.named("zk-2a"));
    model.settle();
    let invalid = |name: &str| error(2, &format!("invalid unit name \"{name}\""));
    let names = ["zk-2a/00", "zk-2a/01", "zk-2/0", "zk-2a/", "zk-2a/x", "/0", "zk-2a/0/1", "zk-2a/-1"];
    model.try_all("zk-2a/0", &names.map(|name| (format!("relation-get -r 0 - '{name}'"), invalid(name))));
    assert_eq!(model.outputs_of("zk-2a/0", &["relation-get -r 0 - zk-2a/0"])[0].code, 0);
}

#[test]
fn c11_2_types_of_options() {
    let all = "\
options:
  text: {type: string, default: hello}
  number: {type: int, default: 2181}
  broken: {type: float, default: 1.5}
  flag: {type: boolean, default: true}
  bare: {default: a, description: d}
  unset: {type: int}
";
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).config(all), 1);
        model.script("install", &["config-get --format=json --all"]);
        model.settle();
        let json = "{\"bare\":\"a\",\"broken\":1.5,\"flag\":true,\"number\":2181,\"text\":\"hello\",\"unset\":null}\n";
        assert_eq!(model.answer("zk/0", "install", 0), ok(json));
        for (option, wrong) in [("number", "x"), ("number", "1.5"), ("broken", "x"), ("flag", "perhaps"), ("none", "x")]
        {
            assert!(model.set_config("zk", option, wrong).is_err(), "{option}={wrong}");
        }
        for (option, right) in [("number", "7"), ("broken", "2"), ("flag", "false"), ("text", "7"), ("bare", "b")] {
            model.set_config("zk", option, right).unwrap();
        }
        model.script("config-changed", &["config-get --format=json"]).nth(2);
        model.settle();
        let json = "{\"bare\":\"b\",\"broken\":2,\"flag\":false,\"number\":7,\"text\":\"7\"}\n";
        assert_eq!(model.answer("zk/0", "config-changed", 0), ok(json));
    });
    for kind in ["list", "integer", "bool", "3", "[string]"] {
        assert!(
            refused("config.yaml", &format!("options: {{a: {{type: {kind}}}}}\n")).contains("option `a`"),
            "{kind}"
        );
    }
    let secret = charm(METADATA).config("options: {password: {type: secret}}\n");
    for version in VERSIONS {
        assert_eq!(deploy(version, &secret).is_ok(), version >= "3.3", "{version}");
    }
}

#[test]
fn c11_2_a_default_fits_its_type() {
    for (kind, default) in [
        ("string", "3"),
        ("string", "true"),
        ("string", "[a]"),
        ("int", "x"),
        ("int", "1.5"),
        ("float", "x"),
        ("boolean", "3"),
        ("boolean", "perhaps"),
        ("secret", "x"),
    ] {
        let why = refused("config.yaml", &format!("options: {{a: {{type: {kind}, default: {default}}}}}\n"));
        assert!(why.contains("option `a`"), "{kind} {default}: {why}");
    }
    for right in
        ["{type: string, default: ''}", "{type: int, default: -1}", "{type: float, default: 1.0}", "{type: int}"]
    {
        assert!(deploy("3.6.25", &charm(METADATA).config(&format!("options: {{a: {right}}}\n"))).is_ok(), "{right}");
    }
}

#[test]
fn c11_2_options_must_be_there() {
    let empty = "invalid config: empty configuration";
    all_refused("config.yaml", &[("{}\n", empty), ("# nothing\n", empty), ("port: {type: int}\n", empty)]);
    for right in ["options: {}\n", "options:\n"] {
        assert!(deploy("3.6.25", &charm(METADATA).config(right)).is_ok(), "{right}");
    }
}

const ACTIONS: &str = "\
backup:
  description: d
  params:
    file: {type: string, default: all.tgz}
    level: {type: integer, minimum: 1}
    target: {type: object, properties: {host: {type: string}, port: {type: integer, default: 22}}}
  required: [level]
plain: {}
";

#[test]
fn c11_3_parameters_follow_the_schema() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.script("backup", &["action-get --format=json"]);
        model.settle();
        let host = |host: Value| ("target", Value::Map([("host".to_owned(), host)].into()));
        for (wrong, params) in [
            ("level", vec![]),
            ("level", vec![("level", Value::from("three"))]),
            ("level", vec![("level", Value::from(0))]),
            ("level", vec![("level", Value::from(1.5))]),
            ("file", vec![("level", Value::from(1)), ("file", Value::from(3))]),
            ("target.host", vec![("level", Value::from(1)), host(Value::from(3))]),
        ] {
            let why = model.run_action("zk/0", "backup", &params).unwrap_err().to_string();
            assert!(why.contains(&format!("`{wrong}`")), "{why}");
        }
        assert!(model.is_quiet(), "what is refused does not run");
        model.run_action("zk/0", "backup", &[("level", Value::from(3)), host(Value::from("a"))]).unwrap();
        model.settle();
        let json = "{\"file\":\"all.tgz\",\"level\":3,\"target\":{\"host\":\"a\",\"port\":22}}\n";
        assert_eq!(model.answers("zk/0", "backup"), [ok(json)]);
    });
    for wrong in
        ["backup: {params: 3}", "backup: {params: {a: {type: text}}}", "backup: {required: a}", "backup: 3", "[a]"]
    {
        refused("actions.yaml", wrong);
    }
}

#[test]
fn c11_3_names_of_actions() {
    for name in ["a", "backup", "back-up", "2b", "b2", "a--b", "jujus"] {
        assert!(deploy("3.6.25", &charm(METADATA).actions(&format!("{name}: {{}}\n"))).is_ok(), "{name}");
    }
    for name in ["Backup", "-a", "a-", "a_b", "a b", "a.b", "juju", "juju-x"] {
        assert!(refused("actions.yaml", &format!("'{name}': {{}}\n")).contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn c11_3_references_are_refused() {
    all_refused(
        "actions.yaml",
        &[
            ("a: {$schema: 'http://json-schema.org/schema#'}", "`$schema`"),
            ("a: {params: {b: {$ref: '#/c'}}}", "`$ref`"),
            ("a: {params: {b: {type: array, items: [{$ref: '#/c'}]}}}", "`$ref`"),
        ],
    );
}

#[test]
fn c11_3_more_parameters_are_refused_in_4_0() {
    on_versions(&VERSIONS, |stage| {
        let actions = "usual: {}\nopen: {additionalProperties: true}\nclosed: {additionalProperties: false}\n";
        let mut model = stage.model().deploy(charm(METADATA).actions(actions), 1);
        model.settle();
        let more = [("more", Value::from("x"))];
        let taken = ["usual", "open", "closed"].map(|action| model.run_action("zk/0", action, &more).is_ok());
        assert_eq!(taken, [stage.version < "4", true, false]);
    });
}

#[test]
fn c11_4_bases() {
    for right in [
        "bases:\n- {name: ubuntu, channel: '22.04', architectures: [amd64]}\n",
        "bases:\n- {name: ubuntu, channel: 22.04/stable, architectures: [amd64, arm64]}\n- {name: ubuntu, channel: '24.04'}\n",
    ] {
        assert!(deploy("4.0.14", &charm(METADATA).file("manifest.yaml", right)).is_ok(), "{right}");
    }
    all_refused(
        "manifest.yaml",
        &[
            ("bases: ubuntu", "`bases`"),
            ("bases: [ubuntu]", "`bases`"),
            ("bases: [{channel: '22.04'}]", "`name`"),
            ("bases: [{name: ubuntu}]", "`channel`"),
            ("bases: [{name: ubuntu, channel: [22]}]", "`channel`"),
            ("bases: [{name: ubuntu, channel: '22.04', architectures: amd64}]", "`architectures`"),
        ],
    );
}
