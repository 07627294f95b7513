//! Section 6 of the contract: the environment of hooks, actions and commands.

use std::collections::BTreeSet;
use std::time::Duration;

use tests::actor::Note;
use zkpeer_core::testing::{Hook, HookRun, RelationKind};

use crate::scenes::{peers, related};
use crate::stage::{Driver, METADATA, Play, charm, ok, on_every_driver, on_every_version, on_processes};

/// What every hook, action and command has on Juju 3.6, sorted; the last is the simulation's own.
const ALWAYS: [&str; 25] = [
    "APT_LISTCHANGES_FRONTEND",
    "CHARM_DIR",
    "CLOUD_API_VERSION",
    "DEBIAN_FRONTEND",
    "JUJU_AGENT_SOCKET_ADDRESS",
    "JUJU_AGENT_SOCKET_NETWORK",
    "JUJU_API_ADDRESSES",
    "JUJU_AVAILABILITY_ZONE",
    "JUJU_CHARM_DIR",
    "JUJU_CHARM_FTP_PROXY",
    "JUJU_CHARM_HTTPS_PROXY",
    "JUJU_CHARM_HTTP_PROXY",
    "JUJU_CHARM_NO_PROXY",
    "JUJU_CONTEXT_ID",
    "JUJU_HOOK_NAME",
    "JUJU_MACHINE_ID",
    "JUJU_MODEL_NAME",
    "JUJU_MODEL_UUID",
    "JUJU_PRINCIPAL_UNIT",
    "JUJU_SLA",
    "JUJU_UNIT_NAME",
    "JUJU_VERSION",
    "LANG",
    "ZKPEER_REPORT",
    "ZKPEER_ROOT",
];

/// A command of an operator, run at once.
fn exec(model: &mut Play, unit: &str, command: &str) -> HookRun {
    model.exec(unit, command, None).unwrap();
    model.begin(unit);
    model.end(unit)
}

/// A variable of the run; none if it is not set.
fn value<'a>(run: &'a HookRun, name: &str) -> Option<&'a str> {
    run.environment.get(name).map(String::as_str)
}

/// The runs in which a variable is set.
fn with<'a>(model: &'a Play, name: &str) -> Vec<&'a HookRun> {
    model.story().iter().filter(|run| run.environment.contains_key(name)).collect()
}

#[test]
fn c6_1_where_and_who_one_is() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions("backup: {}\n"), 2);
        model.set_api_addresses(&["10.0.0.1:17070", "10.0.0.2:17070"]);
        model.settle();
        model.run_action("zk/1", "backup", &[]).unwrap();
        exec(&mut model, "zk/0", "is-leader");
        model.settle();
        for run in model.story() {
            let unit = run.unit.as_str();
            let directory = model.charm_dir(unit).unwrap().display().to_string();
            assert!(directory.ends_with(&format!("/agents/unit-{}/charm", unit.replace('/', "-"))), "{directory}");
            for (name, expected) in [
                ("JUJU_CHARM_DIR", &*directory),
                ("CHARM_DIR", &*directory),
                ("JUJU_UNIT_NAME", unit),
                ("JUJU_MODEL_NAME", "default"),
                ("JUJU_API_ADDRESSES", "10.0.0.1:17070 10.0.0.2:17070"),
                ("JUJU_MACHINE_ID", if unit == "zk/0" { "0" } else { "1" }),
                ("JUJU_AVAILABILITY_ZONE", "zone1"),
            ] {
                assert_eq!(value(run, name), Some(expected), "{name} in {run}");
            }
            let uuid = &run.environment["JUJU_MODEL_UUID"];
            let digits: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(digits, [8, 4, 4, 4, 12]);
            assert!(uuid.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c)), "{uuid}");
        }
    });
}

#[test]
fn c6_1_the_context_id_is_new_for_each_run() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions("backup: {}\n"), 2);
        model.on("zk/0", "zkpeer-relation-joined", &[]).nth(1).exits(1);
        model.settle_retrying(1);
        model.run_action("zk/0", "backup", &[]).unwrap();
        exec(&mut model, "zk/0", "is-leader");
        model.settle();
        let mut ids = BTreeSet::new();
        for run in model.story() {
            let name = if matches!(run.hook, Hook::Exec { .. }) { "run-commands".to_owned() } else { run.hook.name() };
            let id = &run.environment["JUJU_CONTEXT_ID"];
            let random = id.strip_prefix(&format!("{}-{name}-", run.unit)).unwrap_or_else(|| panic!("{id}"));
            assert!(random.len() == 32 && random.bytes().all(|c| c.is_ascii_hexdigit()), "{id}");
            ids.insert(random.to_owned());
        }
        assert_eq!(ids.len(), model.story().len());
        assert_eq!(model.runs("zk/0", "zkpeer-relation-joined").len(), 2);
        assert_eq!((model.runs("zk/0", "backup").len(), model.runs("zk/0", "run-commands").len()), (1, 1));
    });
}

#[test]
fn c6_1_the_socket_answers() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        let run = exec(&mut model, "zk/0", "is-leader");
        assert!(value(&run, "JUJU_AGENT_SOCKET_ADDRESS").unwrap().ends_with("/agents/unit-zk-0/agent.socket"));
        assert_eq!(value(&run, "JUJU_AGENT_SOCKET_NETWORK"), Some("unix"));
        assert_eq!(run.stdout, "True\n");
        if stage.driver == Driver::Processes {
            let run = exec(&mut model, "zk/0", "test -S \"$JUJU_AGENT_SOCKET_ADDRESS\"");
            assert_eq!(run.exit, Some(0));
            let run = exec(&mut model, "zk/0", "JUJU_AGENT_SOCKET_ADDRESS=/nowhere is-leader");
            assert_eq!((run.exit, &*run.stdout), (Some(1), ""));
            assert!(run.stderr.starts_with("ERROR "), "{}", run.stderr);
        }
    });
}

#[test]
fn c6_1_the_hooks_name_and_path() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions("backup: {}\n"), 2);
        model.settle();
        model.run_action("zk/0", "backup", &[]).unwrap();
        exec(&mut model, "zk/0", "is-leader");
        model.settle();
        for run in model.story() {
            let name = run.hook.name();
            let (hook, path) = match run.hook {
                Hook::Action { .. } => ("", Some(format!("actions/{name}"))),
                Hook::Exec { .. } => ("", None),
                _ => (&*name, Some(format!("hooks/{name}"))),
            };
            assert_eq!((value(run, "JUJU_HOOK_NAME"), value(run, "JUJU_DISPATCH_PATH")), (Some(hook), path.as_deref()));
        }
        assert_eq!(model.variable("zk/0", "zkpeer-relation-joined", "JUJU_HOOK_NAME"), Some("zkpeer-relation-joined"));
        assert_eq!(model.variable("zk/0", "install", "JUJU_DISPATCH_PATH"), Some("hooks/install"));
    });
}

#[test]
fn c6_1_what_depends_on_the_version() {
    on_every_version(&["2.9-rc1", "3.4.2.1", "3.6.25", "4.0.5", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let (four, traced) = (stage.version.starts_with('4'), stage.version == "4.0.14");
        for run in model.story() {
            assert_eq!(value(run, "JUJU_VERSION"), Some(stage.version));
            assert_eq!(value(run, "JUJU_SLA"), (!four).then_some("unsupported"));
            for name in ["HTTP", "GRPC", "CA_CERT"] {
                assert_eq!(value(run, &format!("JUJU_CHARM_TRACE_CONFIG_{name}")), traced.then_some(""));
            }
        }
    });
}

#[test]
fn c6_1_what_is_set_but_empty() {
    const HOST: &str = "name: zk\nsummary: s\ndescription: d\nprovides: {logs: {interface: logs, scope: container}}\n";
    const SUBORDINATE: &str = "name: ship\nsummary: s\ndescription: d\nsubordinate: true\n\
                               requires: {logs: {interface: logs, scope: container}}\n";
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(HOST, 1).deploy(SUBORDINATE, 0);
        model.relate("zk:logs", "ship:logs").unwrap();
        model.settle();
        for run in model.story() {
            let proxies = ["HTTP", "HTTPS", "FTP", "NO"].map(|kind| format!("JUJU_CHARM_{kind}_PROXY"));
            for name in proxies.iter().map(String::as_str).chain(["CLOUD_API_VERSION"]) {
                assert_eq!(value(run, name), Some(""), "{name}");
            }
        }
        assert_eq!(model.variable("zk/0", "install", "JUJU_PRINCIPAL_UNIT"), Some(""));
        assert_eq!(model.variable("ship/0", "install", "JUJU_PRINCIPAL_UNIT"), Some("zk/0"));
        assert_eq!(model.variable("ship/0", "install", "JUJU_MACHINE_ID"), Some("0"));
    });
}

#[test]
fn c6_1_proxies_of_the_model_in_both_spellings() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        let seen = |run: &HookRun| {
            let names = run.environment.iter().filter(|(name, _)| name.to_lowercase().ends_with("_proxy"));
            let shown = names.filter(|(_, value)| !value.is_empty()).map(|(name, value)| format!("{name}={value}"));
            shown.collect::<Vec<_>>()
        };
        model.begin("zk/0");
        model.set_model_config("http-proxy", "http://proxy:1").unwrap();
        model.set_model_config("no-proxy", "localhost").unwrap();
        model.set_model_config("juju-https-proxy", "http://proxy:2").unwrap();
        // A hook that runs has those of its beginning.
        assert_eq!(seen(&model.end("zk/0")), Vec::<String>::new());
        model.begin("zk/0");
        assert_eq!(
            seen(&model.end("zk/0")),
            [
                "HTTP_PROXY=http://proxy:1",
                "JUJU_CHARM_HTTPS_PROXY=http://proxy:2",
                "NO_PROXY=localhost",
                "http_proxy=http://proxy:1",
                "no_proxy=localhost",
            ]
        );
        for (kind, of_charms) in [("https", false), ("ftp", false), ("http", true), ("ftp", true), ("no", true)] {
            let prefix = if of_charms { "juju-" } else { "" };
            model.set_model_config(&format!("{prefix}{kind}-proxy"), "x").unwrap();
        }
        model.settle();
        let run = exec(&mut model, "zk/0", "is-leader");
        for kind in ["http", "https", "ftp", "no"] {
            let upper = kind.to_uppercase();
            for name in [format!("{kind}_proxy"), format!("{upper}_PROXY"), format!("JUJU_CHARM_{upper}_PROXY")] {
                assert!(value(&run, &name).is_some_and(|value| !value.is_empty()), "{name}");
            }
        }
    });
}

#[test]
fn c6_1_hook_commands_come_first_on_the_path() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        let usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";
        let path = model.variable("zk/0", "install", "PATH").unwrap();
        let (tools, agents) = path.split_once(':').unwrap();
        assert!(tools.ends_with("/tools/unit-zk-0"), "{tools}");
        assert_eq!(agents, usual);
        let tools = tools.to_owned();
        model.set_path("/usr/bin:/bin");
        let run = exec(&mut model, "zk/0", "is-leader");
        assert_eq!(value(&run, "PATH"), Some(&*format!("{tools}:/usr/bin:/bin")));
        if stage.driver == Driver::Processes {
            let run = exec(&mut model, "zk/0", "command -v relation-get");
            assert_eq!(run.stdout, format!("{tools}/relation-get\n"));
        }
    });
}

#[test]
fn c6_1_what_does_not_depend_on_the_unit() {
    on_every_version(&["2.9.52", "3.6.25", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions("backup: {}\n"), 1);
        model.settle();
        model.run_action("zk/0", "backup", &[]).unwrap();
        model.settle();
        for run in model.story() {
            assert_eq!(value(run, "LANG"), Some("C.UTF-8"));
            assert_eq!(value(run, "DEBIAN_FRONTEND"), Some("noninteractive"));
            assert_eq!(value(run, "APT_LISTCHANGES_FRONTEND"), Some("none"));
            assert_eq!(value(run, "TERM"), Some("tmux-256color"));
        }
    });
}

#[test]
fn c6_1_nothing_else_is_set() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions("backup: {}\n"), 2);
        model.settle();
        model.run_action("zk/0", "backup", &[]).unwrap();
        model.remove_unit("zk/1").unwrap();
        model.settle();
        let relation = ["JUJU_RELATION", "JUJU_RELATION_ID", "JUJU_REMOTE_APP", "JUJU_REMOTE_UNIT"];
        let action = ["JUJU_ACTION_NAME", "JUJU_ACTION_TAG", "JUJU_ACTION_UUID"];
        let mut kinds = BTreeSet::new();
        for start in model.notes("zk/0").into_iter().filter_map(|note| match note {
            Note::Start(start) => Some(start),
            Note::Command(_) => None,
        }) {
            let path = &start.environment["JUJU_DISPATCH_PATH"];
            let own: &[&str] = match path.as_str() {
                path if path.starts_with("actions/") => &action,
                path if path.contains("-relation-") => &relation,
                _ => &[],
            };
            let departing: &[&str] = if path.ends_with("-departed") { &["JUJU_DEPARTING_UNIT"] } else { &[] };
            let always = ALWAYS.iter().chain(&["JUJU_DISPATCH_PATH", "PATH", "TERM"]);
            let expected: BTreeSet<&str> = always.chain(own).chain(departing).copied().collect();
            let found: BTreeSet<&str> = start.environment.keys().map(String::as_str).collect();
            assert_eq!(found, expected, "{path}");
            kinds.insert((own.len(), departing.len()));
        }
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), [(0, 0), (3, 0), (4, 0), (4, 1)]);
    });
}

#[test]
fn c6_2_the_variables_of_the_five_relation_hooks() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        model.ask("zk/0", "relation-set -r 0 --app a=1; relation-set -r 1 --app a=1");
        model.pass(Duration::from_secs(1000));
        model.remove_application("zk").unwrap();
        model.settle();
        let mut kinds = BTreeSet::new();
        for run in model.story() {
            let relation = ["JUJU_RELATION", "JUJU_RELATION_ID", "JUJU_REMOTE_APP"].map(|name| value(run, name));
            let Hook::Relation(hook) = &run.hook else {
                assert_eq!(relation, [None; 3], "{run}");
                assert_eq!(value(run, "JUJU_REMOTE_UNIT"), None, "{run}");
                continue;
            };
            kinds.insert(format!("{:?}", hook.kind));
            let expected = match hook.relation.endpoint.as_str() {
                "zkpeer" => ["zkpeer", "zkpeer:0", "zk"],
                "client" => ["client", "client:1", "kafka"],
                _ => ["zookeeper", "zookeeper:1", "zk"],
            };
            assert_eq!(relation, expected.map(Some), "{run}");
            assert!(value(run, "JUJU_REMOTE_UNIT").is_some());
        }
        assert_eq!(kinds.len(), 5);
        // A command has them only if it is about a relation.
        let mut model = peers(stage, 1);
        assert_eq!(value(&exec(&mut model, "zk/0", "is-leader"), "JUJU_RELATION_ID"), None);
        let id = model.relations("zk").remove(0);
        model.exec("zk/0", "relation-ids", Some(&id)).unwrap();
        model.begin("zk/0");
        let run = model.end("zk/0");
        assert_eq!((value(&run, "JUJU_RELATION_ID"), &*run.stdout), (Some("zkpeer:0"), "zkpeer:0\n"));
    });
}

#[test]
fn c6_2_the_remote_unit_is_empty_where_there_is_none() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        model.ask("zk/0", "relation-set -r 0 --app a=1");
        model.settle();
        model.remove_application("kafka").unwrap();
        model.settle();
        let remote = |hook: &str| model.variable("zk/0", hook, "JUJU_REMOTE_UNIT");
        for hook in ["zkpeer-relation-created", "zkpeer-relation-changed (zk)", "client-relation-broken"] {
            assert_eq!(remote(hook), Some(""), "{hook}");
        }
        for hook in ["zkpeer-relation-joined", "zkpeer-relation-changed (zk/1)"] {
            assert_eq!(remote(hook), Some("zk/1"), "{hook}");
        }
        for hook in ["client-relation-joined", "client-relation-changed", "client-relation-departed"] {
            assert_eq!(remote(hook), Some("kafka/0"), "{hook}");
        }
    });
}

#[test]
fn c6_2_the_departing_unit_only_in_departed() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        model.remove_unit("zk/1").unwrap();
        model.settle();
        let departed = |run: &HookRun| matches!(&run.hook, Hook::Relation(hook) if hook.kind == RelationKind::Departed);
        let having = with(&model, "JUJU_DEPARTING_UNIT");
        assert!(having.iter().all(|run| departed(run) && value(run, "JUJU_DEPARTING_UNIT") == Some("zk/1")));
        assert_eq!(having.len(), model.story().iter().filter(|run| departed(run)).count());
        assert_eq!(having.len(), 4);
    });
}

#[test]
fn c6_2_the_variables_of_a_storage_hook() {
    const STORAGE: &str = "name: zk\nsummary: s\ndescription: d\nstorage:\n\
                           \x20 data: {type: filesystem, location: /srv/data}\n\
                           \x20 raw: {type: block, multiple: {range: 0+}}\n";
    on_every_version(&["2.9.20", "2.9.21", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(STORAGE, 1);
        model.settle();
        model.add_storage("zk/0", "raw").unwrap();
        model.settle();
        model.remove_unit("zk/0").unwrap();
        model.settle();
        let known = stage.version != "2.9.20";
        let names = ["JUJU_STORAGE_ID", "JUJU_STORAGE_LOCATION", "JUJU_STORAGE_KIND"];
        for (hook, expected) in [
            ("data-storage-attached", ["data/0", "/srv/data", "filesystem"]),
            ("data-storage-detaching", ["data/0", "/srv/data", "filesystem"]),
            ("raw-storage-attached", ["raw/1", "/dev/sdc", "block"]),
            ("raw-storage-detaching", ["raw/1", "/dev/sdc", "block"]),
        ] {
            let found = names.map(|name| model.variable("zk/0", hook, name));
            assert_eq!(found, expected.map(|value| known.then_some(value)), "{hook}");
        }
        for name in names {
            assert!(with(&model, name).iter().all(|run| matches!(run.hook, Hook::Storage(_))));
        }
    });
}

#[test]
fn c6_2_the_variables_of_a_secret_hook() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.set_leader("zk/0").unwrap();
        let added = ["secret-add --label own --rotate daily key=1", "relation-set -r zkpeer:0 --app id=$1"];
        model.script("leader-elected", &added);
        model.on("zk/0", "start", &["secret-add --owner unit --expire 1h key=1"]);
        model.on("zk/1", "zkpeer-relation-changed (zk)", &["relation-get id", "secret-get $1 --label theirs"]);
        model.on("zk/1", "secret-changed", &["secret-get --label theirs --refresh"]);
        model.settle();
        let id = model.answer("zk/0", "leader-elected", 0).stdout.trim_end().to_owned();
        let unlabelled = model.answer("zk/0", "start", 0).stdout.trim_end().to_owned();
        assert_eq!(model.ask("zk/0", &format!("secret-set {id} key=2")), [ok("")]);
        for hours in [0, 2, 24] {
            model.advance(Duration::from_secs(hours * 3600));
            model.settle();
        }
        for (unit, hook, secret, label, revision) in [
            ("zk/1", "secret-changed", &id, "theirs", None),
            ("zk/0", "secret-remove", &id, "own", Some("1")),
            ("zk/0", "secret-rotate", &id, "own", None),
            ("zk/0", "secret-expired", &unlabelled, "", Some("1")),
        ] {
            let found =
                ["ID", "LABEL", "REVISION"].map(|name| model.variable(unit, hook, &format!("JUJU_SECRET_{name}")));
            assert_eq!(found, [Some(secret.as_str()), Some(label), revision], "{hook}");
            assert!(secret.starts_with("secret:") && secret.len() == 27, "{secret}");
        }
        for name in ["JUJU_SECRET_ID", "JUJU_SECRET_LABEL"] {
            assert!(with(&model, name).iter().all(|run| matches!(run.hook, Hook::Secret(_))));
        }
    });
}

#[test]
fn c6_2_the_variables_of_a_series_upgrade() {
    on_every_version(&["2.9.8", "2.9.9", "3.0.2", "3.0.3", "3.6.25"], |stage| {
        let mut model = peers(stage, 1);
        model.prepare_series_upgrade("zk/0").unwrap();
        model.settle();
        model.complete_series_upgrade("zk/0").unwrap();
        model.settle();
        let (series, base) = ("JUJU_TARGET_SERIES", "JUJU_TARGET_BASE");
        let expected = match stage.version {
            "2.9.8" => [None, None],
            "2.9.9" | "3.0.2" => [Some("jammy"), None],
            _ => [Some("jammy"), Some("ubuntu@22.04/stable")],
        };
        assert_eq!([series, base].map(|name| model.variable("zk/0", "pre-series-upgrade", name)), expected);
        assert_eq!([series, base].map(|name| model.variable("zk/0", "post-series-upgrade", name)), [None, None]);
        assert!(with(&model, series).len() <= 1);
    });
    on_every_version(&["4.0.14"], |stage| {
        assert!(peers(stage, 1).prepare_series_upgrade("zk/0").is_err());
    });
}
