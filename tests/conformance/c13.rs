//! Section 13 of the contract: what a simulated agent must offer besides.

use zkpeer_core::testing::{Error, JujuVersion, KillPoint, Outcome, Step};

use crate::stage::{CLIENT, METADATA, Play, Stage, charm, hooks_of, ok, on_every_driver};

/// The hooks of all units, in the order in which they ended, as the seed has it.
fn told_by(stage: &Stage<'_>, seed: u64) -> Vec<String> {
    let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 2);
    model.seed(seed);
    model.relate("zk:client", "kafka:zookeeper").unwrap();
    model.script("zkpeer-relation-joined", &["relation-set seen=$JUJU_REMOTE_UNIT"]);
    model.settle();
    model.story().iter().map(|run| format!("{} {run}", run.unit)).collect()
}

#[test]
fn c13_a_seed_repeats_the_story_and_another_changes_it() {
    on_every_driver(|stage| {
        let first = told_by(stage, 7);
        assert_eq!(told_by(stage, 7), first);
        assert_ne!(told_by(stage, 8), first);
    });
}

#[test]
fn c13_a_unit_can_be_held_back() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.settle();
        model.hold("zk/1").unwrap();
        let before = model.story().len();
        for value in ["one", "two", "three"] {
            model.outputs_of("zk/0", &[format!("relation-set -r 0 value={value}")]);
        }
        model.add_unit("zk").unwrap();
        model.settle();
        assert!(model.is_quiet() && model.steps().is_empty());
        assert_eq!(hooks_of(&model.story()[before..], "zk/1"), [""; 0]);
        assert!(model.hooks("zk/2").contains(&"zkpeer-relation-changed (zk/1)".to_owned()), "the others go on");
        model.on("zk/1", "zkpeer-relation-changed (zk/0)", &["relation-get value"]);
        let late = model.catch_up("zk/1");
        let expected =
            ["joined (zk/2)", "changed (zk/2)", "changed (zk/0)"].map(|kind| format!("zkpeer-relation-{kind}"));
        assert_eq!(late, expected);
        assert_eq!(model.answers("zk/1", "zkpeer-relation-changed (zk/0)"), [ok("three\n")]);
    });
}

#[test]
fn c13_a_hook_can_be_killed_at_any_command() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.settle();
        let commands = ["relation-set -r 0 a=1", "status-set active", "state-set b=2"];
        model.script("config-changed", &commands);
        let points = [(KillPoint::Start, 0, 0)].into_iter();
        let points = points.chain((1..=3).map(|nth| (KillPoint::Command(nth), nth - 1, nth - 1)));
        for (point, run, answered) in points.chain((1..=3).map(|nth| (KillPoint::Answer(nth), nth, nth))) {
            model.outputs_of("zk/0", &["status-set waiting"]);
            model.kill_at("zk/0", point).unwrap();
            let killed = model.run_hook("zk/0", "config-changed");
            assert_eq!(killed.outcome, Outcome::Killed, "{point:?}");
            assert_eq!(killed.commands.iter().filter(|command| command.code == 0).count(), answered, "{point:?}");
            let status = if run >= 2 { "active" } else { "waiting" };
            assert_eq!(model.status("zk/0").status, status, "what takes effect at once has: {point:?}");
            assert_eq!(model.unit_data(0, "zk/0").get("a"), None, "{point:?}");
            assert!(model.charm_state("zk/0").is_empty(), "{point:?}");
            let again = model.settle();
            assert_eq!(hooks_of(&again, "zk/0"), ["config-changed"], "it runs again: {point:?}");
            assert_eq!((again[0].commands.len(), &again[0].outcome), (3, &Outcome::Done));
            assert_eq!((model.unit_data(0, "zk/0")["a"].as_str(), model.charm_state("zk/0")["b"].as_str()), ("1", "2"));
            model.outputs_of("zk/0", &["relation-set -r 0 a=", "state-delete b"]);
        }
    });
}

/// The reason for which the model refuses this.
fn reason<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Impossible(reason)) => reason,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("Juju could not do this"),
    }
}

/// One unit that has started and a related one of kafka, which is being removed.
fn with_a_dying_unit(stage: &Stage<'_>, version: &str) -> Play {
    let mut model = stage.juju(version).deploy(METADATA, 2).deploy(CLIENT, 1);
    model.relate("zk:client", "kafka:zookeeper").unwrap();
    model.settle();
    model.hold("kafka/0").unwrap();
    model.remove_unit("kafka/0").unwrap();
    model
}

#[test]
fn c13_what_juju_could_not_do_is_refused() {
    on_every_driver(|stage| {
        let mut model = with_a_dying_unit(stage, "3.6.25");
        for (unit, hook, why) in [
            ("zk/0", "install", "the unit is installed already"),
            ("zk/0", "stop", "the unit is not being removed"),
            ("zk/0", "remove", "the unit is not being removed"),
            ("kafka/0", "remove", "`stop` has not run yet"),
            ("zk/1", "leader-elected", "the unit is not leader"),
            ("zk/0", "leader-settings-changed", "the unit is leader"),
            ("zk/0", "leader-deposed", "Juju never runs it"),
            ("zk/0", "collect-metrics", "3.6.10"),
            ("zk/0", "zkpeer-relation-created", "it is not due"),
            ("zk/0", "zkpeer-relation-joined", "it is not due"),
            ("zk/0", "zkpeer-relation-broken", "it is not due"),
            ("zk/0", "zookeeper-relation-changed", "it is not due"),
            ("zk/9", "update-status", "there is no unit zk/9"),
        ] {
            let refused = reason((*model).run_hook(unit, hook));
            assert!(refused.contains(why), "{hook} on {unit}: {refused}");
        }
        assert!(reason(model.remove_unit("kafka/0")).contains("being removed already"));
        assert!(reason(model.add_unit("storm")).contains("there is no application `storm`"));
        assert!(reason(model.relate("zk:client", "zk:zkpeer")).contains("itself"));
        assert!(reason(model.relate("zk:client", "kafka:zookeeper")).contains("related already"));
        assert!(reason(model.relate("zk:none", "kafka:zookeeper")).contains("no endpoint `none`"));
        assert!(reason(model.remove_relation("zk:zkpeer", "zk:zkpeer")).contains("not related"));
        assert!(reason(model.set_config("zk", "port", 1)).contains("option `port`"));
        assert!(reason(model.run_action("zk/0", "backup", &[])).contains("\"backup\""));
        assert!(reason(model.retry("zk/0")).contains("no hook has failed"));
        assert!(reason(model.resolve("zk/0")).contains("no hook has failed"));
        assert!(reason(model.complete_series_upgrade("zk/0")).contains("prepared"));
        let again = model.application(&charm(METADATA));
        assert!(reason((*model).deploy(again)).contains("already"));
        let step = Step::End("zk/0".parse().unwrap());
        assert!(reason((*model).take(&step)).contains("not among what may happen next"));
        model.on("zk/0", "config-changed", &[]).exits(1);
        assert!(model.run_hook("zk/0", "config-changed").failed());
        assert!(reason((*model).run_hook("zk/0", "update-status")).contains("config-changed has failed"));
        let mut four = with_a_dying_unit(stage, "4.0.14");
        assert!(reason((*four).run_hook("zk/1", "leader-settings-changed")).contains("Juju 4 has no leader settings"));
        assert!(reason(four.prepare_series_upgrade("zk/0")).contains("Juju 4 has no series upgrade"));
        assert!("2.8.0".parse::<JujuVersion>().is_err() && "4.2".parse::<JujuVersion>().is_err());
    });
}
