//! What Juju takes and refuses in each of a charm's files, one table for each section of the contract.

use std::fs;
use std::os::unix::fs::symlink;

use super::metadata::{ResourceKind, StorageKind};
use super::*;
use crate::testing::value::Value;

/// What every metadata.yaml begins with.
const BEGIN: &str = "name: zk\nsummary: s\ndescription: d\n";

fn metadata(rest: &str) -> Result<CharmFiles, Error> {
    CharmFiles::from_texts(&format!("{BEGIN}{rest}"), None, None)
}

fn config(text: &str) -> Result<CharmFiles, Error> {
    CharmFiles::from_texts(BEGIN, Some(text), None)
}

fn actions(text: &str) -> Result<CharmFiles, Error> {
    CharmFiles::from_texts(BEGIN, None, Some(text))
}

/// Each text is refused with a message that has the part beside it.
fn refused(read: impl Fn(&str) -> Result<CharmFiles, Error>, table: &[(&str, &str)]) {
    for (text, part) in table {
        let error = read(text).err().unwrap_or_else(|| panic!("taken:\n{text}")).to_string();
        assert!(error.contains(part), "{error}\ndoes not say: {part}\nof:\n{text}");
    }
}

fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    directory
}

/// Parameters as a YAML map.
fn params(text: &str) -> BTreeMap<String, Value> {
    match Node::parse(text).unwrap().value() {
        Value::Map(map) => map,
        _ => BTreeMap::new(),
    }
}

#[test]
fn c11_errors_name_the_file_the_line_and_what_to_do() {
    let charm = directory(&[]);
    let read = || CharmFiles::read(charm.path()).unwrap_err().to_string();
    assert!(read().ends_with("metadata.yaml: is missing; every charm needs one, with name, summary and description"));
    fs::write(charm.path().join("metadata.yaml"), "name: zk\npeers: [a, b\nx: 1\n").unwrap();
    assert!(read().contains("metadata.yaml: line 3: is not YAML: "), "{}", read());
    fs::write(charm.path().join("metadata.yaml"), format!("{BEGIN}peers:\n  a: {{scope: x}}\n")).unwrap();
    assert!(read().ends_with("metadata.yaml: line 5: `interface` of endpoint `a` is missing"), "{}", read());
    assert!(CharmFiles::read(&charm.path().join("no")).unwrap_err().to_string().contains("there is no such directory"));
}

#[test]
fn c11_a_charm_needs_something_to_run() {
    let charm = |files: &[(&str, &str)]| {
        let mut all = vec![("metadata.yaml", BEGIN)];
        all.extend(files);
        directory(&all)
    };
    for files in [&[("dispatch", "")][..], &[("hooks/install", "")]] {
        let charm = charm(files);
        assert!(CharmFiles::read(charm.path()).unwrap().check_program().is_ok(), "{files:?}");
    }
    let linked = charm(&[("hooks/lib/x", "")]);
    let read = || CharmFiles::read(linked.path()).unwrap().check_program();
    assert!(read().unwrap_err().to_string().contains("invalid charm \"zk\": has no hooks nor dispatch file"));
    symlink("../dispatch", linked.path().join("hooks/start")).unwrap();
    assert!(read().is_ok(), "a link in hooks/ is a file");
}

#[test]
fn c11_juju_4_needs_a_manifest_and_secrets_as_options_need_3_3() {
    let charm = directory(&[("metadata.yaml", BEGIN)]);
    let check = |juju: &str| CharmFiles::read(charm.path()).unwrap().check_for(&juju.parse().unwrap());
    assert!(check("3.6.25").is_ok());
    let error = check("4.0.14").unwrap_err().to_string();
    assert!(error.contains("manifest.yaml: charm metadata without bases in manifest not valid"), "{error}");
    fs::write(charm.path().join("manifest.yaml"), "bases: [{name: ubuntu, channel: '24.04'}]\n").unwrap();
    assert!(check("4.0.14").is_ok());
    fs::write(charm.path().join("config.yaml"), "options: {key: {type: secret}}\n").unwrap();
    assert!(check("3.3.0").is_ok());
    assert!(check("3.2.4").unwrap_err().to_string().contains("config.yaml: option `key` has the type `secret`"));
}

#[test]
fn c11_1_endpoints_in_both_forms() {
    let charm = metadata(
        "peers: {zkpeer: {interface: quorum}}\nrequires: {db: mysql, info: {interface: juju-info, scope: container}}\n\
         provides: {client: {interface: zookeeper, limit: 1, optional: yes}, free: {interface: x, limit: ~}}\n",
    )
    .unwrap();
    assert_eq!((charm.name(), charm.peers().collect::<Vec<_>>()), ("zk", vec!["zkpeer"]));
    let roles: Vec<_> = charm.endpoints().values().map(|found| (found.name.as_str(), found.role)).collect();
    let (provides, requires) = (Role::Provides, Role::Requires);
    let expected =
        [("client", provides), ("db", requires), ("free", provides), ("info", requires), ("zkpeer", Role::Peers)];
    assert_eq!(roles, expected);
    let terms = |name: &str| (charm.terms(name).scope, charm.terms(name).limit, charm.terms(name).optional);
    assert_eq!(terms("client"), (EndpointScope::Global, Some(1), true));
    assert_eq!(terms("info"), (EndpointScope::Container, None, false));
    assert_eq!(terms("free"), terms("db"));
    assert_eq!(charm.endpoint("db").unwrap().interface, "mysql");
    assert!(charm.endpoint("no").unwrap_err().to_string().contains("it has: client, db, free, info, zkpeer"));
}

#[test]
fn c11_1_the_program_reads_the_same_endpoints() {
    let text =
        format!("{BEGIN}peers:\n  zkpeer:\n    interface: quorum\nrequires:\n  db: mysql\nextra-bindings: {{x: }}\n");
    let charm = CharmFiles::from_texts(&text, None, None).unwrap();
    assert_eq!(*charm.metadata, Metadata::parse(&text, Path::new("metadata.yaml")).unwrap());
}

#[test]
fn c11_1_what_is_refused_at_the_top() {
    let alone = |text: &str| CharmFiles::from_texts(text, None, None);
    refused(
        alone,
        &[
            ("", "metadata.yaml must be a map, not nothing"),
            ("x", "must be a map, not the text `x`"),
            ("summary: s\ndescription: d\n", "metadata.yaml: `name` is missing; every charm has"),
            ("name: zk\ndescription: d\n", "`summary` is missing"),
            ("name: zk\nsummary: s\n", "`description` is missing"),
            ("name: zk\nsummary: 5\ndescription: d\n", "line 2: `summary` must be text, not `5`"),
            ("name: Zk\nsummary: s\ndescription: d\n", "line 1: `Zk` is no name for a charm"),
            ("name: zk-2\nsummary: s\ndescription: d\n", "`zk-2` is no name for a charm"),
        ],
    );
    refused(
        metadata,
        &[
            ("subordinate: 1\n", "line 4: `subordinate` must be true or false"),
            ("subordinate: true\nrequires: {a: b}\n", "line 4: a subordinate without a container-scoped endpoint"),
            ("charm-user: me\n", "`charm-user` must be root, sudoer or non-root"),
            ("series: focal\n", "`series` must be a list"),
            ("assumes: juju\n", "`assumes` must be a list"),
            ("extra-bindings: {}\n", "`extra-bindings` is empty"),
            ("extra-bindings: {a: b}\n", "extra binding `a`: it has to be a name with nothing"),
            ("peers: {a: b}\nextra-bindings: {a: }\n", "has the name of an endpoint under `peers`"),
        ],
    );
    let charm = metadata("tags: [x]\nwhatever: {a: 1}\nassumes: [juju >= 3.1]\nextra-bindings: {public: }\n").unwrap();
    assert_eq!(charm.extra_bindings, ["public"]);
    assert!(metadata("subordinate: true\nrequires: {juju-info: {interface: juju-info, scope: container}}\n").is_ok());
}

#[test]
fn c11_1_what_is_refused_of_endpoints() {
    refused(
        metadata,
        &[
            ("peers:\n", "line 4: `peers` must be a map, not nothing"),
            ("peers: {a: }\n", "endpoint `a` must be a map, not nothing"),
            ("peers: {a: {scope: global}}\n", "`interface` of endpoint `a` is missing"),
            ("peers: {a: {interface: 1}}\n", "`interface` of endpoint `a` must be text"),
            (
                "peers:\n  a:\n    interface: b\n    scope: machine\n",
                "line 7: `scope` of endpoint `a` must be global or",
            ),
            ("peers: {a: {interface: b, limit: many}}\n", "`limit` of endpoint `a` must be a whole number"),
            ("peers: {a: {interface: b, optional: 3}}\n", "`optional` of endpoint `a` must be true or false"),
            ("peers:\n  A: b\n", "line 5: `A` is no name for an endpoint"),
            ("peers: {a--b: b}\n", "`a--b` is no name"),
            ("peers: {2a: b}\n", "`2a` is no name"),
            ("peers:\n  a: b\nrequires:\n  a: c\n", "line 7: endpoint `a` is named twice"),
            ("requires: {juju: b}\n", "endpoint `juju` cannot be called so"),
            ("requires: {juju-info: {interface: juju-info, scope: container}}\n", "endpoint `juju-info` cannot"),
            ("provides: {a: juju-info}\n", "endpoint `a`: `juju` and interfaces that begin with `juju-` are reserved"),
            ("peers: {a: juju}\n", "are reserved under peers and provides"),
        ],
    );
    let own = "name: juju-x\nsummary: s\ndescription: d\npeers: {juju: juju-x}\n";
    assert!(CharmFiles::from_texts(own, None, Some("juju-run: {}\n")).is_ok(), "a charm of Juju's own");
    assert!(metadata("peers: {a_b-2: x}\nrequires: {info: juju-info}\n").is_ok());
}

#[test]
fn c11_1_the_two_formats_do_not_mix() {
    assert!(metadata("series: [focal, jammy]\nmin-juju-version: 2.9.0\n").is_ok());
    let new = metadata("containers: {zk: {resource: image}}\nresources: {image: {type: oci-image}}\n").unwrap();
    assert_eq!(new.containers, BTreeSet::from(["zk".to_owned()]));
    let mixed = "ambiguous metadata: keys \"series\" cannot be used with \"assumes\", \"containers\"";
    refused(
        metadata,
        &[
            ("series: [focal]\ncontainers: {}\nassumes: []\n", mixed),
            ("containers: {}\ndeployment: {}\n", "keys \"deployment\" cannot be used with \"containers\""),
        ],
    );
}

#[test]
fn c11_1_storage_resources_and_payloads() {
    let charm = metadata(
        "storage:\n  data: {type: filesystem, location: /srv, multiple: {range: 1-3}, minimum-size: 1G}\n  \
         raw: {type: block, shared: true, read-only: true}\n  logs: {type: filesystem, multiple: {range: 2+}}\n\
         resources:\n  snap: {filename: zk.snap}\n  image: {type: oci-image}\n",
    )
    .unwrap();
    let count = |name: &str| (charm.storage[name].minimum, charm.storage[name].maximum);
    assert_eq!(["data", "raw", "logs"].map(count), [(1, Some(3)), (1, Some(1)), (2, None)]);
    assert_eq!(charm.storage["data"].location.as_deref(), Some("/srv"));
    assert!(charm.storage["raw"].kind == StorageKind::Block && charm.storage["raw"].shared);
    let snap = ResourceSpec { kind: ResourceKind::File, filename: "zk.snap".to_owned() };
    assert_eq!(charm.resources["snap"], snap);
    refused(
        metadata,
        &[
            ("storage: {a: {}}\n", "`type` of storage `a` is missing"),
            ("storage: {a: {type: disk}}\n", "`type` of storage `a` must be filesystem or block"),
            ("storage: {a: {type: block, location: /x}}\n", "`location` of storage `a` is only for a filesystem"),
            ("storage: {a: {type: block, multiple: {}}}\n", "`multiple` of storage `a` has no `range`"),
            ("storage: {a: {type: block, multiple: {range: 0}}}\n", "must look like 3, 1-3 or 1+, not `0`"),
            ("storage: {a: {type: block, multiple: {range: 1-0}}}\n", "not `1-0`"),
            ("storage: {a: {type: block, multiple: {range: +1-2}}}\n", "not `+1-2`"),
            ("storage: {a: {type: block, minimum-size: 5}}\n", "`minimum-size` of storage `a` must be text"),
            ("resources: {a: {type: zip}}\n", "`type` of resource `a` must be file or oci-image"),
            ("payloads: {a: docker}\n", "payload `a` must be a map"),
            ("payloads: {a: {}}\n", "`type` of payload `a` is missing"),
            ("payloads: {a: {type: ''}}\n", "`type` of payload `a` is empty"),
            ("resources: {a: {}}\n", "`filename` of resource `a` is missing or wrong"),
            ("resources: {a: {filename: b/c}}\n", "`filename` of resource `a` is missing or wrong"),
        ],
    );
}

#[test]
fn c11_2_defaults_fit_their_types() {
    let charm = config(
        "options:\n  a: {type: string, default: ''}\n  b: {type: int, default: '7'}\n  c: {type: float, default: 1.5}\n  \
         d: {type: boolean, default: 'True'}\n  e: {type: secret}\n  f:\n  g: {default: hi}\n",
    )
    .unwrap();
    let defaults: Vec<String> = charm.options.values().map(|option| option.default.to_json()).collect();
    assert_eq!(defaults, ["\"\"", "7", "1.5", "true", "null", "null", "\"hi\""]);
    assert!(config("options:\n").unwrap().options.is_empty());
    refused(
        config,
        &[
            ("", "config.yaml: invalid config: empty configuration"),
            ("x: 1\n", "invalid config: empty configuration"),
            ("options: [a]\n", "`options` must be a map, not a list"),
            ("options: {a: 5}\n", "option `a` must be a map"),
            (
                "options:\n  a:\n    type: number\n",
                "line 3: option `a` has the unknown type `number`; it has to be string",
            ),
            ("options: {a: {type: string, default: 5}}\n", "the default of option `a` of type string must be text"),
            ("options: {a: {default: yes}}\n", "of type string must be text, not `yes`"),
            ("options: {a: {type: int, default: 1.5}}\n", "must be a whole number, not `1.5`"),
            ("options: {a: {type: int, default: ''}}\n", "must be a whole number, not an empty text"),
            ("options: {a: {type: float, default: 1}}\n", "must be a number with a decimal point, not `1`"),
            ("options: {a: {type: boolean, default: henry}}\n", "must be true or false, not the text `henry`"),
            ("options: {a: {type: secret, default: x}}\n", "must be empty or a secret's URI"),
        ],
    );
}

#[test]
fn c11_2_values_as_text_are_read_by_type() {
    let charm = config("options: {a: {type: int}, b: {type: float}, c: {type: boolean}, d: {type: string}}\n").unwrap();
    let parse = |name: &str, text: &str| charm.options[name].parse(name, text).map(|value| value.to_json());
    let read = [parse("a", "-3"), parse("b", "1"), parse("c", "T"), parse("d", "7")];
    assert_eq!(read.map(Result::unwrap), ["-3", "1", "true", "\"7\""]);
    assert_eq!(parse("a", "x").unwrap_err(), "option `a` takes a whole number, not `x`");
    assert!(parse("b", "x").is_err() && parse("c", "maybe").is_err());
    let fits = |name: &str, value: Value| charm.options[name].fits(&value);
    assert!(fits("a", 3.into()) && !fits("a", 1.5.into()) && fits("b", 3.into()) && fits("a", Value::Null));
    assert!(!fits("d", true.into()) && !fits("c", "true".into()) && !fits("d", Value::List(Vec::new())));
}

#[test]
fn c11_3_what_is_refused_of_actions() {
    refused(
        actions,
        &[
            ("[a]\n", "actions.yaml must be a map"),
            ("a_b: {}\n", "actions.yaml: line 1: `a_b` is no name for an action"),
            ("a: {}\n-b: {}\n", "line 2: `-b` is no name for an action"),
            ("b-: {}\n", "`b-` is no name for an action"),
            ("juju-run: {}\n", "action `juju-run` cannot be called so"),
            ("a: 5\n", "action `a` must be a map"),
            ("a: {description: 5}\n", "`description` of action `a` must be text"),
            ("a: {parallel: 5}\n", "`parallel` of action `a` must be true or false"),
            ("a: {required: b}\n", "`required` of action `a` must be a list"),
            ("a: {params: [b]}\n", "`params` of action `a` must be a map"),
            ("a: {params: {b: x}}\n", "parameter `b` of action `a` must be a map"),
            (
                "a: {params: {b: {type: text}}}\n",
                "`type` of parameter `b` of action `a` must be array, boolean, integer",
            ),
            ("a: {params: {b: {required: true}}}\n", "`required` of parameter `b` of action `a` must be a list"),
            ("a: {params: {b: {enum: x}}}\n", "`enum` of parameter `b` of action `a` must be a list"),
            ("a:\n  params:\n    b:\n      $ref: x\n", "line 4: Juju takes no `$ref` in an action"),
            ("a: {params: {b: {anyOf: [{$schema: x}]}}}\n", "Juju takes no `$schema`"),
        ],
    );
    let charm = actions("a:\n2-b: {params: {x: {type: [string, 'null'], pattern: x}}, anything: 5}\n").unwrap();
    assert_eq!(charm.actions.keys().collect::<Vec<_>>(), ["2-b", "a"]);
    assert!(actions("").unwrap().actions.is_empty());
}

#[test]
fn c11_3_more_parameters_are_taken_up_to_3_6_only() {
    let charm = actions(
        "a: {params: {b: {type: string}}}\nopen: {additionalProperties: true}\nclosed:\n  additionalProperties: false\n",
    );
    let charm = charm.unwrap();
    let takes = |action: &str, four: bool| charm.actions[action].complete(params("more: 1"), four).is_ok();
    assert_eq!([takes("a", false), takes("a", true)], [true, false]);
    assert_eq!([takes("open", true), takes("closed", false)], [true, false]);
    let error = charm.actions["a"].complete(params("more: 1"), true).unwrap_err();
    assert_eq!(error, "parameter `more` is not in actions.yaml");
}

#[test]
fn c1_4_parameters_are_checked_before_the_charm_runs() {
    let charm = actions(
        "a:\n  required: [name]\n  params:\n    name: {type: string, minLength: 2, maxLength: 3, default: xyz}\n    \
         level: {type: integer, minimum: 1, maximum: 9, exclusiveMaximum: true}\n    mode: {enum: [fast, 5]}\n    \
         size: {type: [number, 'null']}\n    list: {type: array, items: {type: boolean}}\n    \
         deep: {type: object, required: [x], properties: {x: {type: string}}, additionalProperties: {type: integer}}\n",
    )
    .unwrap();
    let complete = |text: &str| charm.actions["a"].complete(params(text), false);
    for good in [
        "name: ab",
        "{name: abc, level: 1, mode: 5, size: 1.5}",
        "{name: äöü, size: ~, list: [true], deep: {x: w, z: 1}}",
    ] {
        assert!(complete(good).is_ok(), "{good}: {:?}", complete(good));
    }
    for (bad, message) in [
        ("{}", "parameter `name` is required"),
        ("name: 5", "parameter `name` must be of type string, not `5`"),
        ("name: a", "parameter `name` must have at least 2 characters, not `\"a\"`"),
        ("name: abcd", "parameter `name` must have at most 3 characters, not `\"abcd\"`"),
        ("{name: ab, level: 1.5}", "parameter `level` must be of type integer, not `1.5`"),
        ("{name: ab, level: 0}", "parameter `level` must be greater or equal to 1, not `0`"),
        ("{name: ab, level: 9}", "parameter `level` must be less than 9, not `9`"),
        ("{name: ab, mode: slow}", "parameter `mode` must be one of \"fast\", 5, not `\"slow\"`"),
        ("{name: ab, size: x}", "parameter `size` must be of type number, null, not `\"x\"`"),
        ("{name: ab, list: [true, 1]}", "parameter `list[1]` must be of type boolean, not `1`"),
        ("{name: ab, deep: {}}", "parameter `deep.x` is required"),
        ("{name: ab, deep: {x: w, z: w}}", "parameter `deep.z` must be of type integer, not `\"w\"`"),
    ] {
        assert_eq!(complete(bad).unwrap_err(), message, "{bad}");
    }
}

#[test]
fn c11_3_defaults_are_filled_in_wherever_they_are() {
    let charm = actions(
        "a:\n  params:\n    count: {type: integer, default: 3}\n    given: {default: 1}\n    none: {type: string}\n    \
         deep: {properties: {x: {default: xx}, z: {type: string}}}\n    there: {properties: {x: {default: xx}}}\n",
    )
    .unwrap();
    let completed = charm.actions["a"].complete(params("{given: 2, there: {w: 1}}"), true).unwrap();
    assert_eq!(completed.to_json(), r#"{"count":3,"deep":{"x":"xx"},"given":2,"there":{"w":1,"x":"xx"}}"#);
}

#[test]
fn c11_4_bases() {
    let read = |text: &str| {
        let charm = directory(&[("metadata.yaml", BEGIN), ("manifest.yaml", text)]);
        CharmFiles::read(charm.path())
    };
    let charm = read("bases:\n  - {name: ubuntu, channel: 22.04/stable, architectures: [amd64, arm64]}\n").unwrap();
    let architectures = ["amd64", "arm64"].map(str::to_owned).to_vec();
    let base = Base { name: "ubuntu".to_owned(), channel: "22.04/stable".to_owned(), architectures };
    assert_eq!(charm.bases, [base]);
    refused(
        read,
        &[
            ("", "manifest.yaml: `bases` is missing"),
            ("bases: {}\n", "`bases` must be a list"),
            ("bases:\n  - {name: ubuntu}\n", "line 2: a base without `channel`"),
            ("bases: [{name: ubuntu, channel: 22.04}]\n", "`channel` of a base must be text, not `22.04`"),
            ("bases: [{name: '', channel: x}]\n", "a base needs a name and a channel"),
        ],
    );
}
