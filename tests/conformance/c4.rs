//! Section 4 of the contract: relation hooks, their order, and databags.

use std::collections::BTreeSet;
use std::time::Duration;

use zkpeer_core::testing::{Change, Hook, HookRun, Outcome, RelationKind, Step};

use crate::scenes::{may_begin, of_relations, peers, related};
use crate::stage::{
    CLIENT, METADATA, Play, Stage, VERSIONS, answers_of, charm, error, hooks_of, ok, on_every_driver, on_every_version,
};

/// A charm that others of its kind may use, with an option, an action and storage.
const EVERYTHING: &str = "\
name: zk
summary: s
description: d
peers:
  zkpeer: {interface: zookeeper-quorum}
provides:
  client: {interface: zookeeper}
storage:
  data: {type: filesystem, multiple: {range: 0+}}
";

const OPTIONS: &str = "options:\n  port: {type: int, default: 2181}\n";

/// The unit runs this one of the hooks that it may begin now.
fn run_this(model: &mut Play, unit: &str, hook: &str) {
    let shown =
        |step: &Step| matches!(step, Step::Begin(of, found) if of.as_str() == unit && found.to_string() == hook);
    let step = model.steps().into_iter().find(shown);
    let step = step.unwrap_or_else(|| panic!("{unit} cannot begin {hook}, but {:?}", may_begin(model, unit)));
    model.take(&step);
    assert_eq!(model.end(unit).outcome, Outcome::Done);
}

fn unit_data(unit: &str, relation: u32, key: &str, value: &str) -> Change {
    let entries = [(key.to_owned(), value.to_owned())].into();
    Change::UnitData { relation, unit: unit.parse().unwrap(), entries }
}

fn app_data(application: &str, relation: u32, key: &str, value: &str) -> Change {
    let entries = [(key.to_owned(), value.to_owned())].into();
    Change::AppData { relation, application: application.to_owned(), entries }
}

#[test]
fn c4_1_numbers_come_from_one_counter_and_are_never_used_again() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1).deploy(CLIENT, 1);
        model.script("client-relation-created", &["relation-ids client", "relation-ids zkpeer"]);
        model.script("zookeeper-relation-created", &["relation-ids"]);
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        model.remove_relation("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        let peers = ok("zkpeer:0\n");
        assert_eq!(
            model.answers("zk/0", "client-relation-created"),
            [ok("client:1\n"), peers.clone(), ok("client:2\n"), peers]
        );
        let same_numbers = [ok("zookeeper:1\n"), ok("zookeeper:2\n")];
        assert_eq!(model.answers("kafka/0", "zookeeper-relation-created"), same_numbers);
    });
}

#[test]
fn c4_1_only_the_number_of_an_id_counts() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        for (n, id) in ["zkpeer:0", "0", "anything:0", ":0", "client:0"].into_iter().enumerate() {
            let commands = format!("relation-set -r {id} n={n}; relation-get -r {id} n zk/0; relation-list -r {id}");
            assert_eq!(model.ask("zk/0", &commands), [ok(""), ok(&format!("{n}\n")), ok("zk/1\n")], "{id}");
            assert_eq!(model.unit_data(0, "zk/0")["n"], n.to_string());
        }
        assert_eq!(model.ask("zk/0", "relation-list -r zkpeer:1"), [ok("kafka/0\n")]);
        let missing = error(2, "invalid value \"zkpeer:2\" for option -r: relation not found");
        assert_eq!(model.ask("zk/0", "relation-list -r zkpeer:2"), [missing]);
    });
}

#[test]
fn c4_1_a_member_is_one_from_joined_to_departed() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        for hook in ["created", "joined", "changed", "departed"] {
            model.script(&format!("zkpeer-relation-{hook}"), &["relation-list"]);
        }
        model.script("start", &["relation-list -r 0"]);
        model.settle();
        let lists = |model: &Play, hook: &str| model.answers("zk/0", hook);
        assert_eq!(lists(&model, "zkpeer-relation-created"), [ok("")]);
        assert_eq!(lists(&model, "start"), [ok("")]);
        assert_eq!(lists(&model, "zkpeer-relation-joined"), [ok("zk/1\n")]);
        assert_eq!(lists(&model, "zkpeer-relation-changed"), [ok("zk/1\n")]);

        // A new unit is there for the model, and no member before its `-joined`.
        model.hold("zk/0").unwrap();
        model.add_unit("zk").unwrap();
        model.settle();
        assert_eq!(model.members("zk/2", "zkpeer").len(), 2);
        model.release("zk/0").unwrap();
        assert_eq!(model.ask("zk/0", "relation-list -r 0"), [ok("zk/1\n")]);
        model.settle();
        assert_eq!(model.ask("zk/0", "relation-list -r 0"), [ok("zk/1\nzk/2\n")]);

        // A unit that has gone from the model remains a member until its `-departed`.
        model.hold("zk/0").unwrap();
        model.remove_unit("zk/1").unwrap();
        model.settle();
        assert!(model.is_gone("zk/1"));
        model.release("zk/0").unwrap();
        assert_eq!(model.ask("zk/0", "relation-list -r 0"), [ok("zk/1\nzk/2\n")]);
        model.settle();
        assert_eq!(lists(&model, "zkpeer-relation-departed"), [ok("zk/2\n")]);
        assert_eq!(model.ask("zk/0", "relation-list -r 0"), [ok("zk/2\n")]);
    });
}

#[test]
fn c4_1_each_relation_has_bags_of_its_own() {
    on_every_driver(|stage| {
        let mut model = related(stage, 1, 1);
        model.add_application(CLIENT, |application| application.named("other"));
        model.relate("other:zookeeper", "zk:client").unwrap();
        model.settle();
        for id in 0..3 {
            model.ask("zk/0", &format!("relation-set -r {id} a=unit{id}; relation-set -r {id} --app a=app{id}"));
        }
        model.settle();
        for (unit, id) in [("kafka/0", 1), ("other/0", 2)] {
            let commands = format!("relation-get -r {id} a zk/0; relation-get -r {id} --app a zk");
            assert_eq!(model.ask(unit, &commands), [ok(&format!("unit{id}\n")), ok(&format!("app{id}\n"))]);
        }
        let own = "relation-get -r 0 a zk/0; relation-get -r 0 --app a zk";
        assert_eq!(model.ask("zk/0", own), [ok("unit0\n"), ok("app0\n")]);
    });
}

#[test]
fn c4_1_in_a_peer_relation_the_others_are_remote() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 3);
        for hook in ["created", "joined", "changed"] {
            model.script(&format!("zkpeer-relation-{hook}"), &["relation-list --app", "relation-list"]);
        }
        model.settle();
        for (unit, others) in [("zk/0", "zk/1\nzk/2\n"), ("zk/1", "zk/0\nzk/2\n"), ("zk/2", "zk/0\nzk/1\n")] {
            let runs =
                model.story().iter().filter(|run| run.unit.as_str() == unit && run.hook.name().contains("relation"));
            for run in runs {
                assert_eq!(run.environment["JUJU_REMOTE_APP"], "zk");
                assert_ne!(run.environment["JUJU_REMOTE_UNIT"], unit);
                assert_eq!(answers_of(run)[0], ok("zk\n"));
                assert!(!answers_of(run)[1].stdout.contains(unit));
            }
            assert_eq!(model.ask(unit, "relation-list -r 0"), [ok(others)]);
        }
    });
}

#[test]
fn c4_1_a_peer_endpoint_has_one_relation() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 3);
        model.refresh("zk", METADATA);
        model.settle();
        for unit in ["zk/0", "zk/1", "zk/2"] {
            assert_eq!(model.ask(unit, "relation-ids zkpeer --format json"), [ok("[\"zkpeer:0\"]\n")]);
            assert_eq!(model.runs(unit, "zkpeer-relation-created").len(), 1);
        }
    });
}

#[test]
fn c4_2_changed_is_owed_even_to_a_unit_that_has_left() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.script("zkpeer-relation-changed (zk/1)", &["relation-get ingress-address"]);
        model.until_begun("zk/0", "zkpeer-relation-joined");
        model.hold("zk/0").unwrap();
        model.remove_unit("zk/1").unwrap();
        model.settle();
        assert!(model.is_gone("zk/1"));
        let caught_up = ["joined", "changed", "departed"].map(|hook| format!("zkpeer-relation-{hook} (zk/1)"));
        assert_eq!(model.catch_up("zk/0"), caught_up);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed"), [ok("10.0.0.5\n")]);
    });
}

/// While zk/0 is slow all that section 4.2 orders becomes due on it, in its peer relation.
fn everything_due(stage: &Stage<'_>) -> Play {
    let mut model = peers(stage, 4);
    model.set_leader("zk/1").unwrap();
    model.settle();
    model.hold("zk/0").unwrap();
    model.ask("zk/1", "relation-set -r 0 a=1; relation-set -r 0 --app b=2");
    model.add_unit("zk").unwrap();
    model.remove_unit("zk/2").unwrap();
    model.remove_unit("zk/3").unwrap();
    model.settle();
    model
}

const ORDER: [&str; 6] = [
    "zkpeer-relation-departed (zk/2)",
    "zkpeer-relation-departed (zk/3)",
    "zkpeer-relation-changed (zk)",
    "zkpeer-relation-joined (zk/4)",
    "zkpeer-relation-changed (zk/4)",
    "zkpeer-relation-changed (zk/1)",
];

#[test]
fn c4_2_departures_first() {
    on_every_version(&["2.9.52", "4.0.14"], |stage| {
        assert_eq!(of_relations(everything_due(stage).catch_up("zk/0"))[..2], ORDER[..2]);
    });
}

#[test]
fn c4_2_units_join_before_members_change() {
    on_every_driver(|stage| assert_eq!(of_relations(everything_due(stage).catch_up("zk/0")), ORDER));
}

#[test]
fn c4_2_an_application_changes_before_units_join() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1).deploy(CLIENT, 1);
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.script("client-relation-created", &["relation-set --app url=zk:2181"]);
        model.script(
            "zookeeper-relation-changed (zk)",
            &["relation-get --app url", "relation-get url", "relation-list"],
        );
        model.hold("kafka/0").unwrap();
        model.settle();
        assert_eq!(
            of_relations(model.catch_up("kafka/0")),
            [
                "zookeeper-relation-created",
                "zookeeper-relation-changed (zk)",
                "zookeeper-relation-joined (zk/0)",
                "zookeeper-relation-changed (zk/0)",
            ]
        );
        let run = model.runs("kafka/0", "zookeeper-relation-changed (zk)")[0];
        assert_eq!((&*run.environment["JUJU_REMOTE_UNIT"], &*run.environment["JUJU_REMOTE_APP"]), ("", "zk"));
        assert_eq!(answers_of(run), [ok("zk:2181\n"), ok("zk:2181\n"), ok("")]);
    });
}

#[test]
fn c4_2_for_a_dying_unit_or_relation_every_member_is_gone() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 2);
        model.remove_unit("zk/0").unwrap();
        let runs = model.settle();
        assert_eq!(
            of_relations(hooks_of(&runs, "zk/0")),
            [
                "client-relation-departed (kafka/0)",
                "client-relation-departed (kafka/1)",
                "client-relation-broken",
                "zkpeer-relation-departed (zk/1)",
            ]
        );
        model.remove_relation("kafka:zookeeper", "zk:client").unwrap();
        let runs = model.settle();
        assert_eq!(
            hooks_of(&runs, "zk/1"),
            ["client-relation-departed (kafka/0)", "client-relation-departed (kafka/1)", "client-relation-broken",]
        );
        for unit in ["kafka/0", "kafka/1"] {
            assert_eq!(hooks_of(&runs, unit), ["zookeeper-relation-departed (zk/1)", "zookeeper-relation-broken"]);
        }
    });
}

#[test]
fn c4_2_broken_ends_a_relation_but_not_one_of_peers() {
    on_every_version(&["2.9.52", "4.0.14"], |stage| {
        let mut model = related(stage, 2, 1);
        model.remove_application("zk").unwrap();
        model.settle();
        for unit in ["zk/0", "zk/1"] {
            let hooks = model.hooks(unit);
            let last = |endpoint: &str| hooks.iter().rfind(|hook| hook.starts_with(endpoint)).unwrap().as_str();
            assert_eq!(last("client"), "client-relation-broken");
            assert!(last("zkpeer").starts_with("zkpeer-relation-departed"), "{hooks:?}");
            assert!(model.runs(unit, "zkpeer-relation-broken").is_empty());
        }
    });
}

#[test]
fn c4_2_a_bag_never_written_causes_no_hook() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        let of_applications = |model: &Play| {
            let hooks = model.story().iter().map(ToString::to_string);
            hooks.filter(|hook| hook.contains("-changed (") && !hook.contains('/')).collect::<Vec<_>>()
        };
        assert_eq!(of_applications(&model), Vec::<String>::new());
        // To take away what is not there is not to write.
        model.ask("zk/0", "relation-set -r 0 --app a=; relation-set -r 1 --app a=");
        assert!(model.settle().is_empty());
        model.ask("zk/0", "relation-set -r 1 --app a=1");
        model.settle();
        assert_eq!(of_applications(&model), ["zookeeper-relation-changed (zk)"]);
    });
}

#[test]
fn c4_2_units_go_in_the_order_of_their_names_as_strings() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 11);
        (3..10).for_each(|n| model.remove_unit(&format!("zk/{n}")).unwrap());
        model.set_leader("zk/0").unwrap();
        model.hold("zk/0").unwrap();
        model.settle();
        let each = |hooks: &[&str]| -> Vec<String> {
            let units = ["zk/1", "zk/10", "zk/2"].into_iter();
            units.flat_map(|unit| hooks.iter().map(move |hook| format!("zkpeer-relation-{hook} ({unit})"))).collect()
        };
        let joined = of_relations(model.catch_up("zk/0"));
        assert_eq!(joined[1..], each(&["joined", "changed"]));

        model.hold("zk/0").unwrap();
        for unit in ["zk/2", "zk/10", "zk/1"] {
            model.ask(unit, "relation-set -r 0 a=1");
        }
        model.settle();
        assert_eq!(model.catch_up("zk/0"), each(&["changed"]));
        assert_eq!(model.ask("zk/0", "relation-list -r 0"), [ok("zk/1\nzk/10\nzk/2\n")]);

        model.hold("zk/0").unwrap();
        for unit in ["zk/2", "zk/10", "zk/1"] {
            model.remove_unit(unit).unwrap();
        }
        model.settle();
        assert_eq!(model.catch_up("zk/0"), each(&["departed"]));
    });
}

#[test]
fn c4_2_a_value_changed_and_changed_back_is_a_change() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.ask("zk/1", "relation-set -r 0 a=1");
        model.settle();
        model.script("zkpeer-relation-changed", &["relation-get a"]);
        model.hold("zk/0").unwrap();
        for value in [2, 1] {
            model.ask("zk/1", &format!("relation-set -r 0 a={value}"));
        }
        model.settle();
        assert_eq!(model.catch_up("zk/0"), ["zkpeer-relation-changed (zk/1)"]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed").last(), Some(&ok("1\n")));
    });
}

/// A hook of a peer relation and one of another relation are due on zk/0.
fn both_kinds_due(stage: &Stage<'_>) -> Play {
    let mut model = related(stage, 2, 1);
    model.hold("zk/0").unwrap();
    model.ask("zk/1", "relation-set -r 0 a=1");
    model.ask("kafka/0", "relation-set -r 1 a=1");
    model.settle();
    model.release("zk/0").unwrap();
    model
}

const BOTH_KINDS: [&str; 2] = ["zkpeer-relation-changed (zk/1)", "client-relation-changed (kafka/0)"];

#[test]
fn c4_2_peers_come_last_from_3_5_5_on() {
    on_every_version(&["3.5.5", "3.6.25", "4.0.14"], |stage| {
        let mut model = both_kinds_due(stage);
        for hook in BOTH_KINDS.into_iter().rev() {
            assert_eq!(may_begin(&model, "zk/0"), [hook]);
            run_this(&mut model, "zk/0", hook);
        }
        assert!(model.is_quiet());
    });
}

#[test]
fn c4_2_peers_are_mixed_with_others_before_3_5_5() {
    on_every_version(&["2.9.52", "3.1.7", "3.5.4"], |stage| {
        for first in 0..2 {
            let mut model = both_kinds_due(stage);
            assert_eq!(may_begin(&model, "zk/0"), BOTH_KINDS);
            run_this(&mut model, "zk/0", BOTH_KINDS[first]);
            assert_eq!(may_begin(&model, "zk/0"), [BOTH_KINDS[1 - first]]);
        }
    });
}

#[test]
fn c4_2_hooks_of_different_relations_interleave() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        for name in ["kafka", "other"] {
            model.add_application(CLIENT, |application| application.named(name));
            model.relate(&format!("{name}:zookeeper"), "zk:client").unwrap();
        }
        model.hold("zk/0").unwrap();
        model.settle();
        model.release("zk/0").unwrap();
        assert_eq!(may_begin(&model, "zk/0"), ["client-relation-created", "client-relation-created"]);
        model.until_done("zk/0", "client-relation-created", 2);
        let [kafka, other] =
            ["kafka", "other"].map(|app| ["joined", "changed"].map(|hook| format!("client-relation-{hook} ({app}/0)")));
        assert_eq!(may_begin(&model, "zk/0"), [&*kafka[0], &*other[0]]);
        run_this(&mut model, "zk/0", &other[0]);
        assert_eq!(may_begin(&model, "zk/0"), [&*kafka[0], &*other[1]]);
        run_this(&mut model, "zk/0", &kafka[0]);
        assert_eq!(may_begin(&model, "zk/0"), [&*kafka[1], &*other[1]]);
        run_this(&mut model, "zk/0", &other[1]);
        assert_eq!(may_begin(&model, "zk/0"), [&*kafka[1]]);
    });
}

/// The seeds of those tests that look at many orders.
fn seeds(stage: &Stage<'_>) -> std::ops::Range<u64> {
    match stage.driver {
        crate::stage::Driver::InProcess => 0..10,
        crate::stage::Driver::Processes => 0..1,
    }
}

/// The hooks of one relation on one unit that were done, in their order.
fn done_in<'a>(model: &'a Play, unit: &str, number: u32) -> Vec<(RelationKind, Option<&'a str>, &'a HookRun)> {
    let own = model.story().iter().filter(|run| run.unit.as_str() == unit && run.outcome == Outcome::Done);
    own.filter_map(|run| match &run.hook {
        Hook::Relation(hook) if hook.relation.number == number => {
            Some((hook.kind, hook.unit.as_ref().map(|unit| unit.as_str()), run))
        }
        _ => None,
    })
    .collect()
}

/// A life in an order that the seed gives: units come, write, and go; relations begin and end; hooks fail.
fn a_life(stage: &Stage<'_>, seed: u64) -> Play {
    let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
    model.seed(seed);
    for endpoint in ["zkpeer", "client", "zookeeper"] {
        model.script(&format!("{endpoint}-relation-joined"), &["relation-set joined=$JUJU_REMOTE_UNIT"]);
        model.script(&format!("{endpoint}-relation-broken"), &["relation-list"]);
        for hook in ["created", "joined", "departed"] {
            model.script(&format!("{endpoint}-relation-{hook}"), &[]).nth(1).exits(1);
        }
    }
    model.relate("kafka:zookeeper", "zk:client").unwrap();
    for _ in 0..10 {
        model.step();
    }
    model.add_unit("zk").unwrap();
    model.settle_retrying(1);
    model.remove_unit("zk/1").unwrap();
    for _ in 0..3 {
        model.step();
    }
    model.remove_relation("kafka:zookeeper", "zk:client").unwrap();
    model.settle_retrying(1);
    model
}

#[test]
fn c4_3_created_is_first_and_broken_is_last() {
    on_every_driver(|stage| {
        for seed in seeds(stage) {
            let model = a_life(stage, seed);
            for unit in ["zk/0", "zk/1", "zk/2", "kafka/0"] {
                for number in 0..2 {
                    let hooks = done_in(&model, unit, number);
                    let Some((last, others)) = hooks.split_last() else { continue };
                    assert_eq!(others.first().map(|(kind, ..)| *kind), Some(RelationKind::Created));
                    assert!(others.iter().skip(1).all(|(kind, ..)| *kind != RelationKind::Created));
                    assert!(others.iter().all(|(kind, ..)| *kind != RelationKind::Broken));
                    if number == 1 {
                        assert_eq!((last.0, answers_of(last.2)), (RelationKind::Broken, vec![ok("")]), "{unit}");
                    }
                }
            }
        }
    });
}

#[test]
fn c4_3_joined_once_then_changed_and_departed_once() {
    on_every_driver(|stage| {
        let mut failed = 0;
        for seed in seeds(stage) {
            let model = a_life(stage, seed);
            failed += model.story().iter().filter(|run| run.failed() && run.hook.name().ends_with("-joined")).count();
            for (unit, number) in
                ["zk/0", "zk/1", "zk/2", "kafka/0"].into_iter().flat_map(|unit| [(unit, 0), (unit, 1)])
            {
                let hooks: Vec<_> = done_in(&model, unit, number).into_iter().map(|(kind, of, _)| (kind, of)).collect();
                let remotes: BTreeSet<&str> = hooks.iter().filter_map(|(_, remote)| *remote).collect();
                for remote in remotes {
                    let own: Vec<usize> = (0..hooks.len()).filter(|at| hooks[*at].1 == Some(remote)).collect();
                    let kinds: Vec<RelationKind> = own.iter().map(|at| hooks[*at].0).collect();
                    assert_eq!(kinds[..2], [RelationKind::Joined, RelationKind::Changed], "{unit}, {remote}");
                    assert_eq!(own[1], own[0] + 1, "{unit} has run another hook of the relation between");
                    let times = |kind| kinds.iter().filter(|own| **own == kind).count();
                    assert_eq!(times(RelationKind::Joined), 1);
                    assert!(times(RelationKind::Departed) <= 1);
                    if times(RelationKind::Departed) == 1 {
                        assert_eq!(kinds.last(), Some(&RelationKind::Departed), "{unit}, {remote}");
                    }
                }
                if number == 1 {
                    let times = |kind| hooks.iter().filter(|(own, _)| *own == kind).count();
                    assert_eq!(times(RelationKind::Joined), times(RelationKind::Departed), "{unit}");
                }
            }
        }
        assert!(failed > 0);
    });
}

#[test]
fn c4_3_the_last_change_is_always_seen() {
    on_every_driver(|stage| {
        for seed in seeds(stage) {
            let mut model = stage.model().deploy(METADATA, 3);
            model.seed(seed);
            model.script("zkpeer-relation-changed", &["relation-get n"]);
            model.until("all are there", |model| (0..3).all(|n| !model.runs(&format!("zk/{n}"), "start").is_empty()));
            for n in 0..6 {
                for unit in ["zk/0", "zk/1", "zk/2"] {
                    model.exec(unit, &format!("relation-set -r 0 n={n}"), None).unwrap();
                }
                (0..n).for_each(|_| drop(model.step()));
            }
            model.settle();
            for (unit, remote) in [("zk/0", "zk/1"), ("zk/0", "zk/2"), ("zk/1", "zk/0"), ("zk/2", "zk/1")] {
                let seen = model.answers(unit, &format!("zkpeer-relation-changed ({remote})"));
                assert_eq!(seen.last(), Some(&ok("5\n")), "{unit} of {remote}");
            }
        }
        // Who wrote after the first `-changed` gets a further one.
        let mut model = peers(stage, 3);
        model.ask("zk/2", "relation-set -r 0 n=6");
        let runs = model.settle();
        for unit in ["zk/0", "zk/1"] {
            assert_eq!(hooks_of(&runs, unit), ["zkpeer-relation-changed (zk/2)"]);
        }
    });
}

#[test]
fn c4_3_equal_values_cause_no_hook() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(EVERYTHING).config(OPTIONS), 2).deploy(CLIENT, 1);
        model.set_leader("zk/0").unwrap();
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.settle();
        let write = "relation-set -r 0 a=1; relation-set -r 1 a=1; relation-set -r 0 --app a=1; \
                     relation-set -r 1 --app a=1; leader-set a=1";
        model.ask("zk/0", write);
        model.set_config("zk", "port", 2182).unwrap();
        assert!(!model.settle().is_empty());
        model.ask("zk/0", write);
        model.ask("zk/0", "relation-set -r 0 b=; relation-set -r 0 a=2; relation-set -r 0 c=; leader-set b=");
        model.settle();
        model.ask("zk/0", "relation-set -r 0 a=3 a2=2; relation-set -r 0 a=2 a2=");
        model.ask("zk/0", write.split(';').skip(1).collect::<Vec<_>>().join(";").as_str());
        model.set_config("zk", "port", 2182).unwrap();
        assert_eq!(model.settle().len(), 0);
    });
}

#[test]
fn c4_4_units_take_turns_in_any_order() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 3);
        model.set_leader("zk/0").unwrap();
        for unit in ["zk/0", "zk/1", "zk/2"] {
            assert_eq!(may_begin(&model, unit), ["install"]);
        }
        // They begin in one order and end in another, all running at the same time.
        for unit in ["zk/2", "zk/0", "zk/1"] {
            assert_eq!(model.begin(unit).name(), "install");
        }
        for unit in ["zk/1", "zk/2", "zk/0"] {
            assert_eq!(model.end(unit).outcome, Outcome::Done);
        }
        let orders = |seed| {
            let mut model = stage.model().deploy(METADATA, 3);
            model.seed(seed);
            model.settle();
            model.story().iter().map(|run| format!("{} {run}", run.unit)).collect::<Vec<_>>()
        };
        assert_ne!(orders(1), orders(2));
        assert_eq!(orders(1), orders(1));
    });
}

#[test]
fn c4_4_other_hooks_come_between_joined_and_changed() {
    on_every_driver(|stage| {
        let everything = charm(EVERYTHING).config(OPTIONS).actions("backup: {}\n");
        let mut model = stage.model().deploy(everything, 2).deploy(CLIENT, 1);
        model.set_leader("zk/0").unwrap();
        model.on("zk/0", "install", &["secret-add --owner unit --rotate hourly key=value"]);
        model.script("zkpeer-relation-joined", &["storage-add data"]);
        model.until_done("zk/0", "zkpeer-relation-joined", 1);
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.set_config("zk", "port", 2182).unwrap();
        model.run_action("zk/0", "backup", &[]).unwrap();
        model.advance(Duration::from_secs(3600));
        model.hold("zk/0").unwrap();
        model.settle();
        let hooks = model.catch_up("zk/0");
        let between = hooks.iter().take_while(|hook| *hook != "zkpeer-relation-changed (zk/1)");
        let between: Vec<&str> = between.map(|hook| hook.split(" (").next().unwrap()).collect();
        assert_eq!(
            between,
            [
                "client-relation-created",
                "secret-rotate",
                "action backup",
                "data-storage-attached",
                "config-changed",
                "client-relation-joined",
                "client-relation-changed",
            ]
        );
        assert!(hooks.len() > between.len());
    });
}

#[test]
fn c4_4_changes_coalesce() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.script("zkpeer-relation-changed", &["relation-get n"]);
        model.hold("zk/0").unwrap();
        for n in 1..=3 {
            model.ask("zk/1", &format!("relation-set -r 0 n={n}"));
        }
        assert_eq!(model.catch_up("zk/0"), ["zkpeer-relation-changed (zk/1)"]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed").last(), Some(&ok("3\n")));
    });
}

#[test]
fn c4_4_a_unit_that_comes_and_goes_is_never_seen() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.hold("zk/0").unwrap();
        model.add_unit("zk").unwrap();
        model.settle();
        model.remove_unit("zk/2").unwrap();
        model.settle();
        assert!(model.is_gone("zk/2"));
        assert_eq!(model.catch_up("zk/0"), Vec::<String>::new());
        assert_eq!(model.runs("zk/1", "zkpeer-relation-departed (zk/2)").len(), 1);
    });
}

#[test]
fn c4_4_a_changed_may_bring_nothing_new() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.script("zkpeer-relation-changed", &["relation-get n"]);
        model.ask("zk/1", "relation-set -r 0 n=1");
        model.before_command("zk/0", 1, unit_data("zk/1", 0, "n", "2")).unwrap();
        assert_eq!(hooks_of(&model.settle(), "zk/0"), ["zkpeer-relation-changed (zk/1)"; 2]);
        let seen = model.answers("zk/0", "zkpeer-relation-changed");
        assert_eq!(seen[seen.len() - 2..], [ok("2\n"), ok("2\n")]);
    });
}

#[test]
fn c4_4_a_bag_may_have_only_jujus_keys_at_first() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        for hook in ["joined", "changed"] {
            model.on("zk/0", &format!("zkpeer-relation-{hook}"), &["relation-get --format json"]);
        }
        model.on("zk/1", "start", &["relation-set -r 0 id=1"]);
        model.until_done("zk/1", "install", 1);
        model.hold("zk/1").unwrap();
        model.settle();
        let jujus = r#"{"egress-subnets":"10.0.0.5/32","ingress-address":"10.0.0.5","private-address":"10.0.0.5"}"#
            .to_owned()
            + "\n";
        assert_eq!(model.answers("zk/0", "zkpeer-relation-joined"), [ok(&jujus)]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed"), [ok(&jujus)]);
        model.catch_up("zk/1");
        let more = jujus.replace(r#","ingress"#, r#","id":"1","ingress"#);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed").last(), Some(&ok(&more)));
    });
}

#[test]
fn c4_4_an_early_restart_of_the_agent_loses_created() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
        model.relate("kafka:zookeeper", "zk:client").unwrap();
        model.until_done("zk/0", "install", 1);
        model.restart_agent("zk/0").unwrap();
        model.settle();
        let hooks = model.hooks("zk/0");
        assert!(!hooks.iter().any(|hook| hook.ends_with("-created")), "{hooks:?}");
        for hook in ["zkpeer-relation-joined (zk/1)", "client-relation-joined (kafka/0)"] {
            assert!(hooks.iter().any(|own| own == hook), "{hooks:?}");
        }
        assert_eq!(model.runs("zk/1", "zkpeer-relation-created").len(), 1);
    });
}

#[test]
fn c4_4_an_application_may_change_before_anyone_has_joined() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        model.ask("zk/0", "relation-set -r 0 --app a=1");
        model.script("zkpeer-relation-changed (zk)", &["relation-list --format json", "relation-get a"]);
        model.add_unit("zk").unwrap();
        model.settle();
        let hooks = of_relations(model.hooks("zk/1"));
        assert_eq!(
            hooks[..3],
            ["zkpeer-relation-created", "zkpeer-relation-changed (zk)", "zkpeer-relation-joined (zk/0)"]
        );
        assert_eq!(model.answers("zk/1", "zkpeer-relation-changed (zk)"), [ok("[]\n"), ok("1\n")]);
    });
}

#[test]
fn c4_5_peers_join_once_they_are_installed() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 3);
        model.set_leader("zk/0").unwrap();
        for unit in ["zk/1", "zk/2"] {
            model.hold(unit).unwrap();
        }
        model.settle();
        assert_eq!(of_relations(model.hooks("zk/0")), ["zkpeer-relation-created"]);
        // zk/2 has run `install` and nothing else.
        model.release("zk/2").unwrap();
        model.hold("zk/0").unwrap();
        model.until_done("zk/2", "install", 1);
        model.hold("zk/2").unwrap();
        let joined = |unit: &str| ["joined", "changed"].map(|hook| format!("zkpeer-relation-{hook} ({unit})"));
        assert_eq!(model.catch_up("zk/0"), joined("zk/2"));
        model.release("zk/1").unwrap();
        model.hold("zk/0").unwrap();
        model.until_done("zk/1", "install", 1);
        assert_eq!(model.catch_up("zk/0"), joined("zk/1"));
        // Who sees both sees them in the order of their names.
        model.hold("zk/0").unwrap();
        let hooks = of_relations(model.catch_up("zk/2"));
        assert_eq!(hooks[1..], [joined("zk/0"), joined("zk/1")].concat());
    });
}

#[test]
fn c4_5_units_see_different_members_at_one_moment() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 3);
        model.set_leader("zk/0").unwrap();
        model.until_done("zk/1", "zkpeer-relation-joined (zk/0)", 1);
        for unit in ["zk/0", "zk/1"] {
            model.hold(unit).unwrap();
        }
        model.until_done("zk/2", "start", 1);
        for unit in ["zk/0", "zk/1"] {
            model.release(unit).unwrap();
        }
        let lists =
            ["zk/0", "zk/1", "zk/2"].map(|unit| model.ask(unit, "relation-list -r 0 --format json").remove(0).stdout);
        assert_eq!(lists, ["[\"zk/1\"]\n", "[\"zk/0\"]\n", "[]\n"]);
    });
}

#[test]
fn c4_5_a_unit_may_run_far_behind() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 3);
        model.script("zkpeer-relation-changed", &["relation-get n"]);
        model.ask("zk/1", "relation-set -r 0 n=1");
        model.settle();
        model.hold("zk/2").unwrap();
        for n in 2..5 {
            model.ask("zk/1", &format!("relation-set -r 0 n={n}"));
            model.pass(Duration::from_secs(3600));
        }
        model.remove_unit("zk/0").unwrap();
        model.add_unit("zk").unwrap();
        model.settle();
        assert!(model.is_gone("zk/0"));
        model.release("zk/2").unwrap();
        let behind = "relation-list -r 0; relation-get -r 0 n zk/1";
        assert_eq!(model.ask("zk/2", behind), [ok("zk/0\nzk/1\n"), ok("1\n")]);
        model.settle();
        assert_eq!(model.ask("zk/2", behind), [ok("zk/1\nzk/3\n"), ok("4\n")]);
    });
}

#[test]
fn c4_5_a_single_unit_sees_no_joined() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 1);
        model.pass(Duration::from_secs(1000));
        let hooks = model.hooks("zk/0");
        assert_eq!(of_relations(hooks.clone()), ["zkpeer-relation-created"]);
        assert!(hooks.contains(&"update-status".to_owned()));
    });
}

#[test]
fn c4_6_what_juju_writes_into_a_bag() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("zkpeer-relation-created", &["relation-get --format json - zk/0"]);
        model.settle();
        let four = stage.version == "4.0.14";
        let private = if four { "" } else { r#","private-address":"10.0.0.4""# };
        let bag = |subnets: &str| {
            ok(&format!("{{\"egress-subnets\":\"{subnets}\",\"ingress-address\":\"10.0.0.4\"{private}}}\n"))
        };
        assert_eq!(model.answers("zk/0", "zkpeer-relation-created"), [bag("10.0.0.4/32")]);
        // Several are joined by commas; they come with the next that enters.
        model.set_model_config("egress-subnets", "10.1.0.0/16, 10.2.0.0/16").unwrap();
        model.add_unit("zk").unwrap();
        model.settle();
        let bag = bag("10.1.0.0/16,10.2.0.0/16").stdout.replace("0.0.4", "0.0.5");
        assert_eq!(model.ask("zk/0", "relation-get -r 0 --format json - zk/1"), [ok(&bag)]);
    });
}

#[test]
fn c4_6_without_an_address_the_keys_are_missing() {
    on_every_version(&["3.6.25", "4.0.14"], |stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.remove_address("zk/1").unwrap();
        model.script("zkpeer-relation-created", &["relation-get --format json - $JUJU_UNIT_NAME"]);
        model.on("zk/0", "zkpeer-relation-changed", &["relation-get ingress-address"]);
        model.settle();
        assert_eq!(model.answers("zk/1", "zkpeer-relation-created"), [ok("{}\n")]);
        model.set_address("zk/1", "10.0.9.9").unwrap();
        let runs = model.settle();
        assert_eq!(hooks_of(&runs, "zk/1"), ["config-changed"]);
        assert_eq!(hooks_of(&runs, "zk/0"), ["zkpeer-relation-changed (zk/1)"]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed"), [ok(""), ok("10.0.9.9\n")]);
    });
}

#[test]
fn c4_6_config_changed_writes_jujus_keys_again() {
    on_every_version(&["3.6.25", "4.0.14"], |stage| {
        let four = stage.version == "4.0.14";
        let mut model = stage.model().deploy(charm(METADATA).config(OPTIONS), 1);
        let own = "relation-set -r 0 ingress-address=a private-address=b egress-subnets=c other=d";
        model.script("zkpeer-relation-created", &[own]);
        model.script("config-changed", &["relation-get -r 0 ingress-address zk/0", own]);
        model.script("config-changed", &[]).nth(2).exits(1);
        model.script("start", &["relation-get -r 0 --format json - zk/0"]);
        model.settle();
        let private = if four { "b" } else { "10.0.0.4" };
        let written = format!(
            "{{\"egress-subnets\":\"10.0.0.4/32\",\"ingress-address\":\"10.0.0.4\",\"other\":\"d\",\"private-address\":\"{private}\"}}\n"
        );
        assert_eq!(model.answer("zk/0", "config-changed", 0), ok("a\n"));
        assert_eq!(model.answer("zk/0", "start", 0), ok(&written));
        // Each further one does, if it succeeds.
        model.ask("zk/0", own);
        assert!(model.settle().is_empty());
        assert_eq!(model.unit_data(0, "zk/0")["ingress-address"], "a");
        model.set_config("zk", "port", 2182).unwrap();
        model.settle_until_failure();
        assert_eq!(model.unit_data(0, "zk/0")["ingress-address"], "a");
        model.settle_retrying(1);
        assert_eq!(model.unit_data(0, "zk/0")["ingress-address"], "10.0.0.4");
        assert_eq!(model.unit_data(0, "zk/0")["egress-subnets"], "10.0.0.4/32");
        assert_eq!(model.unit_data(0, "zk/0")["private-address"], private);
    });
}

/// Two of each, with something in every bag of both relations, and everyone has seen it.
fn full_bags(stage: &Stage<'_>) -> Play {
    let mut model = related(stage, 2, 2);
    for unit in ["zk/0", "zk/1"] {
        model.ask(unit, &format!("relation-set -r 0 k={unit}; relation-set -r 1 k={unit}"));
    }
    for unit in ["kafka/0", "kafka/1"] {
        model.ask(unit, &format!("relation-set -r 1 k={unit}"));
    }
    model.ask("zk/0", "relation-set -r 0 --app k=zk-peer; relation-set -r 1 --app k=zk-client");
    model.ask("kafka/0", "relation-set -r 1 --app k=kafka");
    model.settle();
    model
}

#[test]
fn c4_6_what_the_leader_reads() {
    on_every_version(&["3.6.25", "4.0.14"], |stage| {
        let answers = full_bags(stage).ask(
            "zk/0",
            "relation-set -r 0 new=1; relation-set -r 0 --app new=2; relation-set -r 1 new=3; relation-set -r 1 --app new=4; \
             relation-get -r 0 k zk/0; relation-get -r 0 new zk/0; relation-get -r 0 --app k zk; relation-get -r 0 --app new zk; \
             relation-get -r 0 k zk/1; \
             relation-get -r 1 k zk/0; relation-get -r 1 new zk/0; relation-get -r 1 --app k zk; relation-get -r 1 --app new zk; \
             relation-get -r 1 k kafka/0; relation-get -r 1 k kafka/1; relation-get -r 1 --app k kafka",
        );
        let read: Vec<&str> = answers.iter().skip(4).map(|answer| answer.stdout.trim_end()).collect();
        let peer = ["zk/0", "1", "zk-peer", "2", "zk/1"];
        assert_eq!(read[..5], peer);
        assert_eq!(read[5..], ["zk/0", "3", "zk-client", "4", "kafka/0", "kafka/1", "kafka"]);
    });
}

#[test]
fn c4_6_what_others_read_in_a_peer_relation() {
    on_every_version(&["3.6.25", "4.0.14"], |stage| {
        let answers = full_bags(stage).ask(
            "zk/1",
            "relation-set -r 0 new=1; \
             relation-get -r 0 k zk/1; relation-get -r 0 new zk/1; relation-get -r 0 k zk/0; relation-get -r 0 --app k zk; \
             relation-get -r 0 --app k zk/0",
        );
        assert_eq!(answers[1..], [ok("zk/1\n"), ok("1\n"), ok("zk/0\n"), ok("zk-peer\n"), ok("zk-peer\n")]);
    });
}

#[test]
fn c4_6_what_others_read_in_other_relations() {
    on_every_version(&["2.9.52", "3.6.25", "4.0.14"], |stage| {
        let answers = full_bags(stage).ask(
            "zk/1",
            "relation-set -r 1 new=1; \
             relation-get -r 1 k zk/1; relation-get -r 1 new zk/1; relation-get -r 1 k kafka/0; relation-get -r 1 --app k kafka; \
             relation-get -r 1 --app k zk",
        );
        // 4.6.d: in Juju 4 nothing was found that refuses it.
        let own = if stage.version == "4.0.14" { ok("zk-client\n") } else { error(1, "permission denied") };
        assert_eq!(answers[1..], [ok("zk/1\n"), ok("1\n"), ok("kafka/0\n"), ok("kafka\n"), own]);
    });
}

#[test]
fn c4_6_who_writes_what() {
    on_every_driver(|stage| {
        let mut model = full_bags(stage);
        let app = "relation-set -r 0 --app w=1; relation-set -r 1 --app w=1";
        let unit = "relation-set -r 0 w=1; relation-set -r 1 w=1";
        let refused = error(1, "cannot write relation settings");
        assert_eq!(model.ask("zk/0", app), [ok(""), ok("")]);
        assert_eq!(model.ask("zk/0", unit), [ok(""), ok("")]);
        assert_eq!(model.ask("zk/1", unit), [ok(""), ok("")]);
        assert_eq!(model.ask("zk/1", app), [refused.clone(), refused]);
        let (kafka, kafka_0) = (model.app_data(1, "kafka"), model.unit_data(1, "kafka/0"));
        // There are no words to write anyone else's bag.
        let surplus = |word: &str| error(2, &format!("expected \"key=value\", got \"{word}\""));
        assert_eq!(
            model.ask("zk/0", "relation-set -r 1 w=2 kafka/0; relation-set -r 1 --app w=2 kafka"),
            [surplus("kafka/0"), surplus("kafka")]
        );
        model.settle();
        assert_eq!((model.app_data(1, "kafka"), model.unit_data(1, "kafka/0")), (kafka, kafka_0));
        for number in [0, 1] {
            assert_eq!(model.app_data(number, "zk")["w"], "1");
            assert_eq!(model.unit_data(number, "zk/0")["w"], "1");
            assert_eq!(model.unit_data(number, "zk/1")["w"], "1");
        }
    });
}

#[test]
fn c4_6_units_of_ones_own_application_can_be_read_by_name() {
    on_every_driver(|stage| {
        let mut model = full_bags(stage);
        assert_eq!(model.ask("zk/1", "relation-get -r 1 k zk/0"), [ok("zk/0\n")]);
        assert_eq!(model.ask("zk/0", "relation-get -r 1 k zk/1"), [ok("zk/1\n")]);
        assert_eq!(model.ask("zk/0", "relation-list -r 1"), [ok("kafka/0\nkafka/1\n")]);
    });
}

#[test]
fn c4_6_a_members_bag_is_kept_until_a_hook_about_it() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).config(OPTIONS), 2);
        model.set_leader("zk/0").unwrap();
        model.on("zk/1", "zkpeer-relation-created", &["relation-set n=1"]);
        let read = ["relation-get -r 0 n zk/1"; 2];
        for hook in ["config-changed", "zkpeer-relation-joined (zk/2)", "zkpeer-relation-changed (zk/1)"] {
            model.on("zk/0", hook, &read);
        }
        model.settle();
        model.hold("zk/0").unwrap();
        model.ask("zk/1", "relation-set -r 0 n=2");
        model.add_unit("zk").unwrap();
        model.set_config("zk", "port", 2182).unwrap();
        model.settle();
        assert_eq!(
            model.catch_up("zk/0")[..4],
            [
                "config-changed",
                "zkpeer-relation-joined (zk/2)",
                "zkpeer-relation-changed (zk/2)",
                "zkpeer-relation-changed (zk/1)",
            ]
        );
        let last = |hook: &str| {
            let answers = model.answers("zk/0", hook);
            answers[answers.len() - 2..].to_vec()
        };
        assert_eq!(last("config-changed"), [ok("1\n"), ok("1\n")]);
        assert_eq!(last("zkpeer-relation-joined (zk/2)"), [ok("1\n"), ok("1\n")]);
        assert_eq!(last("zkpeer-relation-changed (zk/1)"), [ok("2\n"), ok("2\n")]);
        // In the hook about the unit, too, the first read counts.
        model.ask("zk/1", "relation-set -r 0 n=3");
        model.before_command("zk/0", 2, unit_data("zk/1", 0, "n", "4")).unwrap();
        model.settle();
        let answers = model.answers("zk/0", "zkpeer-relation-changed (zk/1)");
        assert_eq!(answers[answers.len() - 4..], [ok("3\n"), ok("3\n"), ok("4\n"), ok("4\n")]);
    });
}

#[test]
fn c4_6_other_bags_are_read_once_a_hook() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        // zk/0 is no member of the other relation for zk/1, nor is it a peer that has joined when zk/2 starts.
        for (whose, change) in [
            ("-r 1 n zk/0", unit_data("zk/0", 1, "n", "new")),
            ("-r 0 --app n zk", app_data("zk", 0, "n", "new")),
            ("-r 1 --app n kafka", app_data("kafka", 1, "n", "new")),
        ] {
            let read = format!("relation-get {whose}; relation-get {whose}");
            model.before_command("zk/1", 2, change).unwrap();
            assert_eq!(model.ask("zk/1", &read), [ok(""), ok("")], "{whose}");
            assert_eq!(model.ask("zk/1", &read), [ok("new\n"), ok("new\n")], "{whose}");
        }
        model.on("zk/2", "start", &["relation-get -r 0 n zk/0"; 2]);
        let new = model.add_unit("zk").unwrap();
        model.until_done("zk/2", "config-changed", 1);
        model.before_command(new.as_str(), 2, unit_data("zk/0", 0, "n", "late")).unwrap();
        model.settle();
        assert_eq!(model.answers("zk/2", "start"), [ok(""), ok("")]);
        assert_eq!(model.ask("zk/2", "relation-get -r 0 n zk/0"), [ok("late\n")]);
    });
}

#[test]
fn c4_6_own_writes_are_read_back() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        let read = "relation-get -r 0 a zk/0; relation-get -r 0 --app a zk";
        model.ask("zk/0", "relation-set -r 0 a=old; relation-set -r 0 --app a=old");
        // What anyone else does meanwhile is not seen.
        model.before_command("zk/0", 2, unit_data("zk/0", 0, "b", "other")).unwrap();
        model.before_command("zk/0", 3, app_data("zk", 0, "b", "other")).unwrap();
        let answers = model.ask(
            "zk/0",
            &format!(
                "{read}; relation-set -r 0 a=new; relation-set -r 0 --app a=new; {read}; relation-set -r 0 a=; \
                 relation-set -r 0 --app a=; {read}; relation-get -r 0 --format json b zk/0; \
                 relation-get -r 0 --app --format json b zk"
            ),
        );
        let (old, new, none) = (ok("old\n"), ok("new\n"), ok(""));
        let both = |answer: &zkpeer_core::testing::CommandOutput| [answer.clone(), answer.clone()];
        assert_eq!(
            answers,
            [both(&old), both(&none), both(&new), both(&none), both(&none), both(&ok("null\n"))].concat()
        );
        assert_eq!(model.ask("zk/0", "relation-get -r 0 b zk/0; relation-get -r 0 --app b zk"), both(&ok("other\n")));
    });
}

#[test]
fn c4_6_an_empty_value_removes_the_key() {
    on_every_driver(|stage| {
        let mut model = peers(stage, 2);
        model.ask("zk/0", "relation-set -r 0 number=1e3 yes=no 'text= ü=1 ' gone=1; relation-set -r 0 gone= never=");
        model.settle();
        let read = "relation-get -r 0 number zk/0; relation-get -r 0 yes zk/0; relation-get -r 0 text zk/0; \
                    relation-get -r 0 --format json gone zk/0; relation-get -r 0 --format json never zk/0";
        assert_eq!(model.ask("zk/1", read), [ok("1e3\n"), ok("no\n"), ok("ü=1\n"), ok("null\n"), ok("null\n")]);
        model
            .script("update-status", &[])
            .run(&["relation-set", "-r", "0", "--file", "-"])
            .stdin("{\"number\": \"\", \"yes\": null, \"text\": \" kept \\n\", \"new\": 007}");
        model.run_hook("zk/0", "update-status");
        let bag = model.unit_data(0, "zk/0");
        assert_eq!((bag.get("number"), bag.get("yes")), (None, None));
        assert_eq!((&*bag["text"], &*bag["new"]), (" kept \n", "007"));
        assert!(bag.values().all(|value| !value.is_empty()));
    });
}

#[test]
fn c4_6_values_of_megabytes_are_taken() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.set_leader("zk/0").unwrap();
        let value = "x".repeat(3 << 20);
        let created = model.on("zk/1", "zkpeer-relation-created", &[]);
        created.run(&["relation-set", "--file", "-"]).stdin(&format!("{{\"big\": \"{value}\"}}"));
        model.on("zk/0", "zkpeer-relation-changed", &["relation-get --format json big"]).nth(2);
        model.settle();
        assert!(model.answer("zk/0", "zkpeer-relation-changed", 0) == ok(&format!("\"{value}\"\n")));
    });
}

#[test]
fn c4_7_peers_and_the_writer_itself_see_their_application_change() {
    on_every_version(&["2.9.52", "4.0.14"], |stage| {
        let mut model = peers(stage, 3);
        model.ask("zk/0", "relation-set -r 0 --app a=1");
        let runs = model.settle();
        for unit in ["zk/0", "zk/1", "zk/2"] {
            assert_eq!(hooks_of(&runs, unit), ["zkpeer-relation-changed (zk)"]);
            assert_eq!(model.variable(unit, "zkpeer-relation-changed", "JUJU_REMOTE_UNIT"), Some(""));
            assert_eq!(model.variable(unit, "zkpeer-relation-changed", "JUJU_REMOTE_APP"), Some("zk"));
        }
    });
}

#[test]
fn c4_7_a_single_leader_sees_its_own_write() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("leader-elected", &["relation-set -r 0 --app a=1"]);
        model.script("zkpeer-relation-changed", &["relation-get a"]);
        model.settle();
        assert_eq!(of_relations(model.hooks("zk/0")), ["zkpeer-relation-created", "zkpeer-relation-changed (zk)"]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-changed"), [ok("1\n")]);
    });
}

#[test]
fn c4_7_own_bags_cause_no_other_hook() {
    on_every_driver(|stage| {
        let mut model = related(stage, 2, 1);
        model.ask("zk/0", "relation-set -r 1 --app a=1");
        let runs = model.settle();
        assert_eq!(hooks_of(&runs, "kafka/0"), ["zookeeper-relation-changed (zk)"]);
        assert_eq!(runs.len(), 1);
        model.ask("zk/0", "relation-set -r 1 a=1; relation-set -r 0 a=1");
        let runs = model.settle();
        assert_eq!(hooks_of(&runs, "zk/0"), Vec::<String>::new());
        assert_eq!(hooks_of(&runs, "zk/1"), ["zkpeer-relation-changed (zk/0)"]);
        assert_eq!(hooks_of(&runs, "kafka/0"), ["zookeeper-relation-changed (zk/0)"]);
    });
}
