//! Contract section 8: the hook commands that there are, and what each takes.

use crate::stage::{
    CLIENT, CharmFiles, Driver, METADATA, Play, Stage, charm, error, ok, on_every_driver, on_every_version,
};
use crate::table::related;
use zkpeer_core::testing::CommandOutput;

/// How a command takes `--format`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// All three formats, and `smart` by itself.
    Smart,
    /// YAML by itself, or JSON.
    Yaml,
    /// None, without a word.
    Ignored,
    /// None.
    None,
}

/// In which of the versions of [`VERSIONS`] there is a command.
#[derive(Clone, Copy, Debug)]
enum In {
    All,
    /// From this one on.
    From(&'static str),
    /// Up to this one.
    To(&'static str),
    None,
}

/// Those at which commands come or go, in their order.
const VERSIONS: [&str; 8] = ["2.9.52", "3.0.0", "3.6.0", "3.6.1", "3.6.9", "3.6.10", "3.6.25", "4.0.14"];

const COMMANDS: [(&str, Takes, In); 53] = [
    ("action-fail", Takes::None, In::All),
    ("action-get", Takes::Smart, In::All),
    ("action-log", Takes::None, In::All),
    ("action-set", Takes::None, In::All),
    ("add-metric", Takes::None, In::To("3.6.9")),
    ("application-version-set", Takes::None, In::All),
    ("close-port", Takes::Ignored, In::All),
    ("config-get", Takes::Smart, In::All),
    ("credential-get", Takes::Smart, In::All),
    ("goal-state", Takes::Yaml, In::All),
    ("is-leader", Takes::Smart, In::All),
    ("juju-log", Takes::None, In::All),
    ("juju-reboot", Takes::None, In::All),
    ("k8s-raw-get", Takes::None, In::To("3.6.25")),
    ("k8s-raw-set", Takes::None, In::To("3.6.25")),
    ("k8s-spec-get", Takes::None, In::To("3.6.25")),
    ("k8s-spec-set", Takes::None, In::To("3.6.25")),
    ("leader-get", Takes::Smart, In::To("3.6.25")),
    ("leader-set", Takes::None, In::To("3.6.25")),
    ("network-get", Takes::Smart, In::All),
    ("open-port", Takes::Ignored, In::All),
    ("opened-ports", Takes::Smart, In::All),
    ("payload-register", Takes::None, In::To("3.6.25")),
    ("payload-status-set", Takes::None, In::To("3.6.25")),
    ("payload-unregister", Takes::None, In::To("3.6.25")),
    ("pod-spec-get", Takes::None, In::To("3.6.25")),
    ("pod-spec-set", Takes::None, In::To("3.6.25")),
    ("relation-get", Takes::Smart, In::All),
    ("relation-ids", Takes::Smart, In::All),
    ("relation-list", Takes::Smart, In::All),
    ("relation-model-get", Takes::Smart, In::From("3.6.1")),
    ("relation-set", Takes::Ignored, In::All),
    ("resource-get", Takes::None, In::All),
    ("secret-add", Takes::None, In::From("3.0.0")),
    ("secret-get", Takes::Yaml, In::From("3.0.0")),
    ("secret-grant", Takes::None, In::From("3.0.0")),
    ("secret-ids", Takes::Smart, In::From("3.0.0")),
    ("secret-info-get", Takes::Yaml, In::From("3.0.0")),
    ("secret-remove", Takes::None, In::From("3.0.0")),
    ("secret-revoke", Takes::None, In::From("3.0.0")),
    ("secret-set", Takes::None, In::From("3.0.0")),
    ("state-delete", Takes::None, In::All),
    ("state-get", Takes::Smart, In::All),
    ("state-set", Takes::None, In::All),
    ("status-get", Takes::Smart, In::All),
    ("status-set", Takes::None, In::All),
    ("storage-add", Takes::None, In::All),
    ("storage-get", Takes::Smart, In::All),
    ("storage-list", Takes::Smart, In::All),
    ("unit-get", Takes::Smart, In::All),
    // Those of 2.7 only, and what is none at all.
    ("function-get", Takes::None, In::None),
    ("juju-run", Takes::None, In::None),
    ("nonsense", Takes::None, In::None),
];

impl In {
    fn has(self, version: &str) -> bool {
        let place = |version: &str| VERSIONS.iter().position(|known| *known == version).unwrap();
        match self {
            Self::All => true,
            Self::From(first) => place(first) <= place(version),
            Self::To(last) => place(version) <= place(last),
            Self::None => false,
        }
    }
}

/// The names of the commands of one of [`VERSIONS`].
pub(crate) fn commands_of(version: &str) -> Vec<&'static str> {
    COMMANDS.iter().filter(|(_, _, present)| present.has(version)).map(|(name, ..)| *name).collect()
}

#[test]
fn c8_each_version_has_its_commands() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        let lines: Vec<String> = COMMANDS.iter().map(|(name, ..)| format!("{name} --help")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        model.script("install", &lines);
        model.until_done("zk/0", "install", 1);
        let install = model.runs("zk/0", "install")[0];
        let (there, not): (Vec<_>, Vec<_>) = install.commands.iter().partition(|command| command.code == 0);
        let names: Vec<&str> = there.iter().map(|command| command.name.as_str()).collect();
        assert_eq!(names, commands_of(stage.version), "{}", stage.version);
        // A process finds no program of such a name at all, and the model hears nothing of it.
        let expected = if stage.driver == Driver::Processes { 0 } else { COMMANDS.len() - names.len() };
        assert_eq!(not.len(), expected);
        for command in not {
            let text = format!("ERROR bad request: unknown command: {}\n", command.name);
            assert_eq!((command.code, &command.stdout, &command.stderr), (1, &String::new(), &text));
        }
    });
}

#[test]
fn c8_which_commands_take_a_format() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let refused = |option: &str| error(2, &format!("option provided but not defined: {option}"));
        let unknown = |format: &str| {
            error(2, &format!("invalid value \"{format}\" for option --format: unknown format \"{format}\""))
        };
        for (name, takes, _) in COMMANDS.iter().filter(|(_, _, present)| present.has("3.6.25")) {
            let options = ["--format json -?", "--format smart -?", "--format foo -?", "-o file -?"];
            let lines = options.map(|options| format!("{name} {options}"));
            let seen = model.outputs_of("zk/0", &lines);
            // Options are looked at one after the other: to have gone on to `-?` is to have taken the one before.
            let taken = || refused("-?");
            let expected: [CommandOutput; 4] = match takes {
                Takes::Smart => [taken(), taken(), unknown("foo"), taken()],
                Takes::Yaml => [taken(), unknown("smart"), unknown("foo"), taken()],
                Takes::Ignored => [taken(), taken(), taken(), refused("-o")],
                Takes::None => [refused("--format"), refused("--format"), refused("--format"), refused("-o")],
            };
            assert_eq!(seen, expected, "{name}");
        }
    });
}

#[test]
fn c8_how_many_arguments_each_takes() {
    on_every_driver(|stage| {
        let files = charm(METADATA).actions("backup: {}\n");
        let mut model = stage.model().deploy(files, 1);
        model.settle();
        let lines = [
            "relation-get -r 0 a zk/0",
            "relation-list -r 0",
            "relation-ids zkpeer",
            "relation-model-get -r 0",
            "config-get a",
            "is-leader",
            "leader-get a",
            "state-get a",
            "state-delete a",
            "status-get",
            "status-set active message",
            "application-version-set 1",
            "network-get zkpeer",
            "unit-get private-address",
            "open-port 80",
            "close-port 80",
            "opened-ports",
            "action-get a",
            "action-fail message",
            "goal-state",
            "storage-list name",
            "secret-ids",
            "juju-reboot",
        ];
        // With one or two more than these, each refuses them, and does nothing.
        let more: Vec<String> =
            lines.iter().flat_map(|line| [format!("{line} more"), format!("{line} more 'and more'")]).collect();
        let commands: Vec<&str> = more.iter().map(String::as_str).chain(lines).collect();
        model.script("backup", &commands);
        let id = model.run_action("zk/0", "backup", &[]).unwrap();
        model.settle();
        let seen = model.answers("zk/0", "backup");
        let surplus =
            [error(2, "unrecognized args: [\"more\"]"), error(2, "unrecognized args: [\"more\" \"and more\"]")];
        for (line, seen) in lines.iter().zip(seen.chunks(2)) {
            assert_eq!(seen, surplus, "{line}");
        }
        for (line, seen) in lines.iter().zip(&seen[2 * lines.len()..]) {
            assert!(seen.code == 0 || *line == "juju-reboot", "{line}: {seen:?}");
        }
        assert_eq!(model.action(id).unwrap().message, "message");
    });
}

/// A charm of which everything can be read.
fn readable(stage: &Stage<'_>) -> Play {
    let metadata =
        format!("{METADATA}storage:\n  data: {{type: filesystem}}\nresources:\n  doc: {{type: file, filename: d}}\n");
    let files: CharmFiles = charm(&metadata).config("options: {port: {type: int, default: 2181}}");
    let mut model = stage.model();
    let doc = std::env::current_exe().unwrap();
    model.add_application(files, |application| application.units(2).trust(true).resource("doc", doc));
    let mut model = model.deploy(CLIENT, 1);
    model.relate("zk:client", "kafka:zookeeper").unwrap();
    model.settle();
    model
}

/// All that the model shows of what commands might have changed.
fn all_of(model: &Play) -> String {
    let units = model.units().into_iter().map(|unit| {
        let unit = unit.as_str();
        let bags = [0, 1].map(|relation| model.unit_data(relation, unit));
        format!("{bags:?} {:?} {:?} {:?}\n", model.charm_state(unit), model.ports(unit), model.status(unit))
    });
    let applications = ["zk", "kafka"].map(|name| {
        let bags = [0, 1].map(|relation| model.app_data(relation, name));
        let (settings, status) = (model.leader_settings(name), model.app_status(name));
        format!("{bags:?} {settings:?} {status:?} {:?}\n", model.workload_version(name))
    });
    units.chain(applications).collect()
}

#[test]
fn c8_reading_changes_nothing() {
    on_every_driver(|stage| {
        let mut model = readable(stage);
        model.outputs_of("zk/0", &["state-set a=b", "leader-set c=d", "relation-set -r 1 --app e=f", "open-port 80"]);
        model.settle();
        let before = all_of(&model);
        let outputs = model.outputs_of(
            "zk/0",
            &[
                "relation-get -r 0 - zk/1",
                "relation-get -r 1 --app - zk",
                "relation-list -r 1",
                "relation-ids client",
                "relation-model-get -r 1",
                "config-get",
                "is-leader",
                "leader-get",
                "state-get",
                "status-get",
                "status-get --application",
                "network-get client",
                "unit-get private-address",
                "opened-ports",
                "goal-state",
                "resource-get doc",
                "storage-list",
                "secret-ids --format json",
                "credential-get",
            ],
        );
        for output in outputs {
            assert!((output.code, output.stderr.as_str()) == (0, "") && !output.stdout.is_empty(), "{output:?}");
        }
        assert_eq!(all_of(&model), before);
        assert_eq!(model.settle().len(), 0);
    });
}

#[test]
fn c8_what_needs_leadership() {
    on_every_driver(|stage| {
        let mut model = related(stage);
        let rows = [
            ("relation-set -r 0 --app a=b", "cannot write relation settings"),
            ("leader-set a=b", "cannot write leadership settings: cannot write settings: not the leader"),
            ("status-set --application active", "this unit is not the leader"),
        ];
        model.try_all("zk/1", &rows.map(|(line, text)| (line, error(1, text))));
        assert!(model.app_data(0, "zk").is_empty() && model.leader_settings("zk").is_empty());
        assert!(model.app_status("zk").is_none());
        model.try_all("zk/0", &rows.map(|(line, _)| (line, ok(""))));
        assert_eq!(
            (&model.app_data(0, "zk")["a"], &model.leader_settings("zk")["a"]),
            (&"b".to_owned(), &"b".to_owned())
        );
        assert_eq!(model.app_status("zk").unwrap().status, "active");
    });
}
