//! Section 10 of the contract: what takes effect when, and what a hook sees of itself.

use zkpeer_core::testing::{Change, Outcome, Value};

use crate::scenes::{peers, related};
use crate::stage::{CLIENT, METADATA, Play, answers_of, charm, hooks_of, ok, on_every_driver, on_every_version};

const WITH_STORAGE: &str = "\
name: zk
summary: s
description: d
storage:
  data: {type: filesystem, multiple: {range: 0+}}
";

/// The unit runs these commands and then waits for its changes to be applied, with [`Play::end`].
fn begin(model: &mut Play, unit: &str, commands: &str) {
    model.exec(unit, commands, None).unwrap();
    assert_eq!(model.begin(unit).name(), "run-commands");
}

#[test]
fn c10_a_units_bag() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        let read = "relation-get -r 0 a zk/0";
        begin(&mut model, "zk/0", &format!("relation-set -r 0 a=1; {read}"));
        assert_eq!(model.unit_data(0, "zk/0").get("a"), None);
        assert_eq!(model.steps().len(), 1, "nobody is told before the hook has succeeded");
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok("1\n")]);
        model.on("zk/1", "zkpeer-relation-changed", &[read]);
        assert_eq!(hooks_of(&model.settle(), "zk/1"), ["zkpeer-relation-changed (zk/0)"]);
        assert_eq!(model.answers("zk/1", "zkpeer-relation-changed").last(), Some(&ok("1\n")));
    });
}

#[test]
fn c10_an_applications_bag() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        let read = "relation-get -r 0 --app a zk; relation-get -r 1 --app a zk";
        let write =
            |value: &str| format!("relation-set -r 0 --app a={value}; relation-set -r 1 --app a={value}; {read}");
        begin(&mut model, "zk/0", &write("1"));
        assert_eq!(model.ask("kafka/0", "relation-get -r 1 --app a zk"), [ok("")]);
        assert_eq!(model.ask("zk/1", "relation-get -r 0 --app a zk"), [ok("")]);
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok(""), ok("1\n"), ok("1\n")]);
        let runs = model.settle();
        assert_eq!(hooks_of(&runs, "kafka/0"), ["zookeeper-relation-changed (zk)"]);
        for unit in ["zk/0", "zk/1"] {
            assert_eq!(hooks_of(&runs, unit), ["zkpeer-relation-changed (zk)"]);
        }
        assert_eq!(model.ask("kafka/0", "relation-get -r 1 --app a zk"), [ok("1\n")]);
        // Who leads no longer does not see what it has written, and it is refused.
        model.before_command("zk/0", 3, Change::NoLeader("zk".to_owned())).unwrap();
        begin(
            &mut model,
            "zk/0",
            "relation-set -r 0 --app a=2; relation-get -r 0 --app a zk; relation-get -r 0 --app a zk",
        );
        let run = model.end("zk/0");
        assert_eq!(answers_of(&run), [ok(""), ok("2\n"), ok("1\n")]);
        assert!(matches!(run.outcome, Outcome::Refused(_)), "{:?}", run.outcome);
        assert_eq!(model.app_data(0, "zk")["a"], "1");
    });
}

#[test]
fn c10_charm_state() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        begin(&mut model, "zk/0", "state-set a=1 b=2; state-get --format json");
        assert!(model.charm_state("zk/0").is_empty());
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok("{\"a\":\"1\",\"b\":\"2\"}\n")]);
        assert_eq!(model.charm_state("zk/0").len(), 2);
        begin(&mut model, "zk/0", "state-delete a; state-get --format json");
        assert_eq!(model.charm_state("zk/0").len(), 2);
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok("{\"b\":\"2\"}\n")]);
        assert_eq!(model.charm_state("zk/0").len(), 1);
    });
}

#[test]
fn c10_ports() {
    on_every_version(&["3.1.0", "3.1.1", "4.0.14"], |stage| {
        let pending_is_seen = stage.version != "3.1.0";
        let mut model = peers(stage, 1);
        begin(&mut model, "zk/0", "opened-ports; open-port 80; opened-ports");
        assert_eq!(model.ports("zk/0"), Vec::<String>::new());
        let seen = if pending_is_seen { "80/tcp\n" } else { "" };
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok(""), ok(seen)]);
        assert_eq!(model.ports("zk/0"), ["80/tcp"]);
        begin(&mut model, "zk/0", "close-port 80; opened-ports");
        assert_eq!(model.ports("zk/0"), ["80/tcp"]);
        let seen = if pending_is_seen { "" } else { "80/tcp\n" };
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok(seen)]);
        assert_eq!(model.ports("zk/0"), Vec::<String>::new());
    });
}

#[test]
fn c10_secrets() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.on("zk/0", "update-status", &["secret-add key=1", "secret-get $1 --format json"]);
        model.update_status("zk/0").unwrap();
        assert_eq!(model.begin("zk/0").name(), "update-status");
        assert_eq!(model.ask("zk/1", "secret-ids --format json"), [ok("null\n")]);
        let answers = answers_of(&model.end("zk/0"));
        let id = answers[0].stdout.trim_end().to_owned();
        assert_eq!(answers[1], ok("{\"key\":\"1\"}\n"));
        let peek = format!("secret-get {id} --format json --peek");
        assert_eq!(model.ask("zk/1", &peek), [ok("{\"key\":\"1\"}\n")]);

        // The owner sees its update at once when it asks for the latest.
        let (read, one, two) =
            (format!("secret-get {id} --format json"), ok("{\"key\":\"1\"}\n"), ok("{\"key\":\"2\"}\n"));
        model.ask("zk/0", &read);
        begin(&mut model, "zk/0", &format!("secret-set {id} key=2; {read}; {peek}; {read}; {read} --refresh; {read}"));
        assert_eq!(model.ask("zk/1", &peek)[0], one);
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), one.clone(), two.clone(), one, two.clone(), two.clone()]);
        assert_eq!(model.ask("zk/1", &peek), [two]);
    });
}

#[test]
fn c10_storage() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(WITH_STORAGE, 1);
        model.settle();
        begin(&mut model, "zk/0", "storage-list; storage-add data; storage-list");
        assert_eq!(model.steps().len(), 1);
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok(""), ok("")]);
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["data-storage-attached (data/0)"]);
        // Nor does what an operator adds meanwhile show.
        let add = Change::AddStorage { unit: "zk/0".parse().unwrap(), name: "data".to_owned() };
        model.before_command("zk/0", 2, add).unwrap();
        assert_eq!(model.ask("zk/0", "storage-list; storage-list"), [ok("data/0\n"), ok("data/0\n")]);
        model.settle();
        assert_eq!(model.ask("zk/0", "storage-list"), [ok("data/0\ndata/1\n")]);
    });
}

#[test]
fn c10_status() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        begin(&mut model, "zk/0", "status-set blocked why; status-get; status-set active; status-get");
        assert_eq!(model.status("zk/0").status, "active", "it is set while the hook runs");
        assert_eq!(answers_of(&model.end("zk/0")), [ok(""), ok("blocked\n"), ok(""), ok("blocked\n")]);
        let again = model.ask("zk/0", "status-get; status-set waiting; status-get");
        assert_eq!(again, [ok("active\n"), ok(""), ok("active\n")]);
        assert_eq!(model.status("zk/0").status, "waiting");
    });
}

#[test]
fn c10_what_an_action_says_of_itself_counts_at_its_end() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).actions("backup: {}\n"), 1);
        model.script(
            "backup",
            &["action-set size=1 size=2", "action-fail first", "action-fail last", "action-set a.b=3"],
        );
        model.settle();
        let id = model.run_action("zk/0", "backup", &[]).unwrap();
        model.begin("zk/0");
        assert!(model.action(id).is_none());
        assert_eq!(model.end("zk/0").outcome, Outcome::Done);
        let report = model.action(id).unwrap();
        assert_eq!((report.completed, &*report.message), (false, "last"));
        assert_eq!(report.results["size"], Value::from("2"));
    });
}

#[test]
fn c10_relations_and_members_do_not_change_within_a_hook() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        let read = "relation-list -r 0; relation-ids client; relation-list -r 1";
        let twice = format!("{read}; {read}");
        for change in [
            Change::RemoveUnit("zk/1".parse().unwrap()),
            Change::RemoveUnit("kafka/0".parse().unwrap()),
            Change::RemoveRelation(1),
        ] {
            model.before_command("zk/0", 4, change).unwrap();
        }
        let before = [ok("zk/1\n"), ok("client:1\n"), ok("kafka/0\n")];
        assert_eq!(model.ask("zk/0", &twice), [before.clone(), before].concat());
        model.settle();
        let gone = "ERROR invalid value \"1\" for option -r: relation not found\n";
        let answers = model.ask("zk/0", read);
        assert_eq!(answers[..2], [ok(""), ok("")]);
        assert_eq!(answers[2].stderr, gone);
        // Without members it is left out once it is ending, but not in the midst of a hook.
        let mut model = stage.model().deploy(METADATA, 1).deploy(CLIENT, 0);
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        model.before_command("zk/0", 2, Change::RemoveRelation(1)).unwrap();
        let ids = "relation-ids client";
        assert_eq!(model.ask("zk/0", &format!("{ids}; {ids}")), [ok("client:1\n"), ok("client:1\n")]);
        assert_eq!(model.ask("zk/0", ids), [ok("")]);
    });
}
