//! Section 5 of the contract: units, relations and applications that leave.

use zkpeer_core::testing::{Hook, HookRun, RelationKind};

use crate::scenes::{of_relations, peers, related};
use crate::stage::{CLIENT, METADATA, Play, VERSIONS, error, hooks_of, ok, on_every_driver, on_every_version};

/// A charm with storage.
const WITH_STORAGE: &str = "\
name: zk
summary: s
description: d
peers:
  zkpeer: {interface: zookeeper-quorum}
storage:
  data: {type: filesystem}
";

/// Remote and departing unit of a hook.
fn who(run: &HookRun) -> (&str, Option<&str>) {
    (&run.environment["JUJU_REMOTE_UNIT"], run.environment.get("JUJU_DEPARTING_UNIT").map(String::as_str))
}

/// The `-departed` of the unit in a relation of this number.
fn departures<'a>(model: &'a Play, unit: &str, number: u32) -> Vec<&'a HookRun> {
    let is_one = |run: &&HookRun| match &run.hook {
        Hook::Relation(hook) => hook.kind == RelationKind::Departed && hook.relation.number == number,
        _ => false,
    };
    model.story().iter().filter(|run| run.unit.as_str() == unit).filter(is_one).collect()
}

#[test]
fn c5_1_a_removed_unit_is_gone_for_others_at_once() {
    on_every_driver(|stage| {
        let mut model = related(stage, 3, 1);
        model.hold("zk/1").unwrap();
        model.remove_unit("zk/1").unwrap();
        let runs = model.settle();
        assert!(!model.is_gone("zk/1"));
        for (unit, number) in [("zk/0", 0), ("zk/2", 0), ("kafka/0", 1)] {
            assert_eq!(hooks_of(&runs, unit).len(), 1);
            assert_eq!(
                departures(&model, unit, number).into_iter().map(who).collect::<Vec<_>>(),
                [("zk/1", Some("zk/1"))]
            );
        }
        // What it does from now on brings them nothing more.
        model.release("zk/1").unwrap();
        let runs = model.settle();
        assert!(runs.iter().all(|run| run.unit.as_str() == "zk/1"));
        assert!(model.is_gone("zk/1"));
    });
}

#[test]
fn c5_1_departed_comes_before_during_or_after_the_leaving_units_hooks() {
    on_every_driver(|stage| {
        let at = |model: &Play, unit: &str, hook: &str| {
            let found = model.story().iter().position(|run| run.unit.as_str() == unit && run.hook.name() == hook);
            found.unwrap_or_else(|| panic!("{unit} has not run {hook}"))
        };
        let departed = "zkpeer-relation-departed";
        let leaving = |late: &str| {
            let mut model = peers(stage, 2);
            model.remove_unit("zk/1").unwrap();
            model.hold(late).unwrap();
            model.settle();
            model.catch_up(late);
            model
        };
        let before = leaving("zk/1");
        assert!(at(&before, "zk/0", departed) < at(&before, "zk/1", departed));
        let after = leaving("zk/0");
        assert!(at(&after, "zk/0", departed) > at(&after, "zk/1", "remove"));

        let mut during = peers(stage, 2);
        during.remove_unit("zk/1").unwrap();
        assert_eq!(during.begin("zk/1").name(), departed);
        assert_eq!(during.begin("zk/0").to_string(), "zkpeer-relation-departed (zk/1)");
        during.end("zk/1");
        during.end("zk/0");
        during.settle();
        assert!(during.is_gone("zk/1"));
    });
}

#[test]
fn c5_1_storage_detaches_first() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(WITH_STORAGE, 2);
        model.settle();
        model.remove_unit("zk/0").unwrap();
        let runs = model.settle();
        assert_eq!(
            hooks_of(&runs, "zk/0"),
            ["data-storage-detaching (data/0)", "zkpeer-relation-departed (zk/1)", "stop", "remove"]
        );
    });
}

#[test]
fn c5_1_the_leaving_unit_departs_from_each_member() {
    on_every_version(&["3.1.7", "3.6.25", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(METADATA, 11).deploy(CLIENT, 2);
        for n in 3..10 {
            model.remove_unit(&format!("zk/{n}")).unwrap();
        }
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.set_leader("zk/1").unwrap();
        model.settle();
        model.remove_unit("zk/0").unwrap();
        let hooks = hooks_of(&model.settle(), "zk/0");
        let client =
            ["client-relation-departed (kafka/0)", "client-relation-departed (kafka/1)", "client-relation-broken"];
        let peer = ["zk/1", "zk/10", "zk/2"].map(|unit| format!("zkpeer-relation-departed ({unit})"));
        let of = |endpoint: &str| hooks.iter().filter(|hook| hook.starts_with(endpoint)).cloned().collect::<Vec<_>>();
        assert_eq!((of("client-"), of("zkpeer-")), (client.map(str::to_owned).to_vec(), peer.to_vec()));
        if stage.version != "3.1.7" {
            assert_eq!(of_relations(hooks.clone())[..3], client);
        }
        assert_eq!(hooks[6..], ["stop", "remove"]);
        for number in [0, 1] {
            assert!(departures(&model, "zk/0", number).into_iter().all(|run| who(run).1 == Some("zk/0")));
            assert!(departures(&model, "zk/1", number).into_iter().all(|run| who(run).1 == Some(who(run).0)));
        }
        assert_eq!(departures(&model, "zk/1", 0).last().map(|run| who(run)), Some(("zk/0", Some("zk/0"))));
    });
}

#[test]
fn c5_1_stop_and_remove_come_last() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        model.remove_application("zk").unwrap();
        let runs = model.settle();
        for unit in ["zk/0", "zk/1"] {
            let hooks = hooks_of(&runs, unit);
            assert_eq!(hooks[hooks.len() - 2..], ["stop", "remove"]);
            assert!(hooks[..hooks.len() - 2].iter().all(|hook| hook.contains("-relation-")), "{hooks:?}");
            assert!(model.is_gone(unit));
        }
    });
}

#[test]
fn c5_1_what_never_started_is_not_stopped() {
    on_every_driver(|stage| {
        // Removed before `install`; what is attached already is detached.
        let mut model = stage.model().deploy(METADATA, 1);
        model.remove_unit("zk/0").unwrap();
        assert!(model.settle().is_empty());
        assert!(model.is_gone("zk/0"));
        let mut model = stage.model().deploy(WITH_STORAGE, 1);
        model.until_done("zk/0", "data-storage-attached", 1);
        model.remove_unit("zk/0").unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["data-storage-detaching (data/0)"]);
        assert!(model.is_gone("zk/0"));
        // Removed after `install`.
        let mut model = stage.model().deploy(METADATA, 2);
        model.set_leader("zk/0").unwrap();
        model.until_done("zk/0", "install", 1);
        model.remove_unit("zk/0").unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["remove"]);
        assert!(model.is_gone("zk/0"));
    });
}

#[test]
fn c5_1_what_a_leaving_unit_writes_reaches_nobody() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        model.on("zk/1", "zkpeer-relation-departed", &["relation-set late=1"]);
        model.on("zk/1", "client-relation-departed", &["relation-set late=2"]);
        model.on("zk/1", "stop", &["relation-set -r 0 later=3"]);
        model.remove_unit("zk/1").unwrap();
        let runs = model.settle();
        assert_eq!(hooks_of(&runs, "zk/0"), ["zkpeer-relation-departed (zk/1)"]);
        assert_eq!(hooks_of(&runs, "kafka/0"), ["zookeeper-relation-departed (zk/1)"]);
        let stored = model.unit_data(0, "zk/1");
        assert_eq!((&*stored["late"], &*stored["later"]), ("1", "3"));
        assert_eq!(model.unit_data(1, "zk/1")["late"], "2");
    });
}

#[test]
fn c5_2_the_list_shrinks_with_each_departure() {
    on_every_version(&["2.9.52", "4.0.14"], |stage| {
        let mut model = related(stage, 4, 2);
        for hook in ["zkpeer-relation-departed", "client-relation-departed", "client-relation-broken"] {
            model.script(hook, &["relation-list"]);
        }
        // Two leave while the others have not noticed the first yet.
        model.hold("zk/0").unwrap();
        for unit in ["zk/1", "zk/2"] {
            model.remove_unit(unit).unwrap();
        }
        model.settle();
        model.catch_up("zk/0");
        assert_eq!(model.answers("zk/0", "zkpeer-relation-departed"), [ok("zk/2\nzk/3\n"), ok("zk/3\n")]);
        let own = [ok("zk/2\nzk/3\n"), ok("zk/3\n"), ok("")];
        assert_eq!(model.answers("zk/1", "zkpeer-relation-departed"), own);
        assert_eq!(model.answers("zk/1", "client-relation-departed"), [ok("kafka/1\n"), ok("")]);
        assert_eq!(model.answers("zk/1", "client-relation-broken"), [ok("")]);
    });
}

#[test]
fn c5_2_a_departed_units_bag_stays_readable() {
    on_every_version(&["2.9.52", "3.6.25"], |stage| {
        let mut model = related(stage, 2, 1);
        model.ask("zk/1", "relation-set -r 0 name=peer; relation-set -r 1 name=server");
        model.settle();
        model.script("zkpeer-relation-departed (zk/1)", &["relation-get name zk/1"]);
        model.script("zookeeper-relation-departed (zk/1)", &["relation-get name zk/1"]);
        model.remove_unit("zk/1").unwrap();
        model.settle();
        assert!(model.is_gone("zk/1"));
        assert_eq!(model.answers("zk/0", "zkpeer-relation-departed"), [ok("peer\n")]);
        assert_eq!(model.answers("kafka/0", "zookeeper-relation-departed"), [ok("server\n")]);
        assert_eq!(model.ask("zk/0", "relation-get -r 0 name zk/1"), [ok("peer\n")]);
        assert_eq!(model.ask("kafka/0", "relation-get -r 1 name zk/1"), [ok("server\n")]);
        // With the relation it goes.
        model.remove_relation("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        let gone = error(2, "invalid value \"1\" for option -r: relation not found");
        assert_eq!(model.ask("kafka/0", "relation-get -r 1 name zk/1"), [gone]);
    });
}

#[test]
fn c5_2_in_4_0_a_departed_units_bag_is_in_an_archive() {
    on_every_version(&["4.0.14"], |stage| {
        let mut model = peers(stage, 2);
        model.ask("zk/1", "relation-set -r 0 name=peer");
        model.settle();
        model.script("zkpeer-relation-departed (zk/1)", &["relation-get name zk/1"]);
        model.remove_unit("zk/1").unwrap();
        model.settle();
        assert_eq!(model.answers("zk/0", "zkpeer-relation-departed"), [ok("peer\n")]);
        let nobody = error(1, "relation unit not found");
        assert_eq!(
            model.ask("zk/0", "relation-get -r 0 name zk/1; relation-get -r 0 name zk/9"),
            [ok("peer\n"), nobody]
        );
    });
}

#[test]
fn c5_2_without_arguments_the_departed_unit_is_read() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.script("zkpeer-relation-departed", &["relation-get ingress-address", "relation-get --format json"]);
        model.remove_unit("zk/1").unwrap();
        model.settle();
        for (unit, address) in [("zk/0", "10.0.0.5"), ("zk/1", "10.0.0.4")] {
            let answers = model.answers(unit, "zkpeer-relation-departed");
            assert_eq!(answers[0], ok(&format!("{address}\n")));
            assert!(answers[1].stdout.starts_with(&format!("{{\"egress-subnets\":\"{address}/32\"")));
        }
    });
}

#[test]
fn c5_3_a_peer_relation_is_never_broken() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = peers(stage, 3);
        model.remove_unit("zk/1").unwrap();
        model.settle();
        model.remove_application("zk").unwrap();
        model.settle();
        assert!(["zk/0", "zk/1", "zk/2"].iter().all(|unit| model.is_gone(unit)));
        assert!(model.story().iter().all(|run| run.hook.name() != "zkpeer-relation-broken"));
        assert!(model.story().iter().any(|run| run.hook.name() == "zkpeer-relation-departed"));
    });
}

#[test]
fn c5_3_the_last_unit_sees_no_peer_hook() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.remove_unit("zk/1").unwrap();
        model.settle();
        model.remove_unit("zk/0").unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["stop", "remove"]);
    });
}

#[test]
fn c5_3_after_an_agent_restart_a_peer_relation_may_break() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.restart_agent("zk/0").unwrap();
        for unit in ["zk/0", "zk/1"] {
            model.remove_unit(unit).unwrap();
        }
        let runs = model.settle();
        assert_eq!(
            hooks_of(&runs, "zk/0"),
            ["zkpeer-relation-departed (zk/1)", "zkpeer-relation-broken", "stop", "remove"]
        );
        assert_eq!(hooks_of(&runs, "zk/1"), ["zkpeer-relation-departed (zk/0)", "stop", "remove"]);
    });
}

#[test]
fn c5_3_after_an_agent_restart_the_remote_application_may_be_empty() {
    on_every_driver(|stage| {
        let mut model = related(stage, 1, 2);
        model.script("zookeeper-relation-broken", &["relation-list --app -r $JUJU_RELATION_ID"]);
        model.restart_agent("kafka/0").unwrap();
        model.remove_relation("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        for (unit, app) in [("kafka/0", ""), ("kafka/1", "zk")] {
            assert_eq!(model.variable(unit, "zookeeper-relation-broken", "JUJU_REMOTE_APP"), Some(app));
            assert_eq!(model.answers(unit, "zookeeper-relation-broken"), [ok("zk\n")]);
        }
    });
}

#[test]
fn c5_4_a_removed_relation_departs_and_breaks_on_both_sides() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 2);
        model.remove_relation("kafka:zookeeper", "zk:client").unwrap();
        let runs = model.settle();
        for (own, endpoint, other) in [("zk", "client", "kafka"), ("kafka", "zookeeper", "zk")] {
            for unit in [format!("{own}/0"), format!("{own}/1")] {
                let departed = |n| format!("{endpoint}-relation-departed ({other}/{n})");
                assert_eq!(hooks_of(&runs, &unit), [departed(0), departed(1), format!("{endpoint}-relation-broken")]);
                let departures = departures(&model, &unit, 1);
                assert!(departures.into_iter().all(|run| who(run).1 == Some(who(run).0)));
            }
        }
    });
}

#[test]
fn c5_4_a_removed_application_leaves_unit_by_unit() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 2);
        model.remove_application("kafka").unwrap();
        let runs = model.settle();
        for unit in ["kafka/0", "kafka/1"] {
            let departed = ["zk/0", "zk/1"].map(|remote| format!("zookeeper-relation-departed ({remote})"));
            let last = ["zookeeper-relation-broken", "stop", "remove"].map(str::to_owned);
            assert_eq!(hooks_of(&runs, unit), [departed.to_vec(), last.to_vec()].concat());
            assert!(departures(&model, unit, 1).into_iter().all(|run| who(run).1 == Some(unit)));
        }
        for unit in ["zk/0", "zk/1"] {
            let departed = ["kafka/0", "kafka/1"].map(|remote| format!("client-relation-departed ({remote})"));
            assert_eq!(hooks_of(&runs, unit), [departed.to_vec(), vec!["client-relation-broken".to_owned()]].concat());
            assert!(departures(&model, unit, 1).into_iter().all(|run| who(run).1 == Some(who(run).0)));
        }
    });
}

#[test]
fn c5_5_juju_4_may_not_tell_peers_of_a_departure() {
    on_every_version(&["3.6.25", "4.0.14"], |stage| {
        for bug in [false, true] {
            let mut model = related(stage, 3, 1);
            model.set_peer_departure_bug(bug);
            model.remove_unit("zk/1").unwrap();
            let runs = model.settle();
            assert!(model.is_gone("zk/1"));
            let told = !(bug && stage.version == "4.0.14");
            for unit in ["zk/0", "zk/2"] {
                assert_eq!(hooks_of(&runs, unit).contains(&"zkpeer-relation-departed (zk/1)".to_owned()), told);
                let list = model.ask(unit, "relation-list -r 0").remove(0).stdout;
                assert_eq!(list.contains("zk/1"), !told);
                let goal = model.ask(unit, "goal-state --format json").remove(0).stdout;
                assert!(goal.contains("\"zk/0\"") && goal.contains("\"zk/2\"") && !goal.contains("\"zk/1\""), "{goal}");
            }
            // Other relations are told.
            assert_eq!(hooks_of(&runs, "kafka/0"), ["zookeeper-relation-departed (zk/1)"]);
        }
    });
}
