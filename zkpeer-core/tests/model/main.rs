//! Several units at once: orders, overlap, what operators do; each on processes, on functions, or on handlers.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod crashes;
mod killed;
mod outside;
mod random;

use std::cell::RefCell;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use tempfile::TempDir;
use zkpeer_core::testing::{Application, Change, Error, Event, HookRun, Model, Step};

const METADATA: &str = "\
name: zk
summary: a charm
description: for tests
peers:
  zkpeer: {interface: zookeeper-quorum}
provides:
  client: {interface: zookeeper}
";

const CLIENT: &str = "\
name: kafka
summary: a charm
description: for tests
requires:
  zookeeper: {interface: zookeeper}
";

fn charm(metadata: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("metadata.yaml"), metadata).unwrap();
    directory
}

/// A charm that publishes its unit's name in the peer relation when that is created.
fn peers(charm: &TempDir) -> Application {
    Application::new(charm.path()).function(|hook| {
        if hook.variable("JUJU_HOOK_NAME") == Some("zkpeer-relation-created") {
            let unit = hook.variable("JUJU_UNIT_NAME").unwrap_or_default().to_owned();
            return hook.run("relation-set", &[&format!("name={unit}")]).code;
        }
        0
    })
}

fn of_unit(runs: &[HookRun], unit: &str) -> Vec<String> {
    runs.iter().filter(|run| run.unit.as_str() == unit).map(ToString::to_string).collect()
}

#[test]
fn units_see_each_other_and_what_they_publish() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(3))?;
    let runs = model.settle()?;
    let first = ["install", "zkpeer-relation-created", "leader-elected", "config-changed", "start"];
    assert_eq!(of_unit(&runs, "zk/0")[..5], first);
    for unit in ["zk/0", "zk/1", "zk/2"] {
        assert_eq!(model.members(unit, "zkpeer").len(), 2);
        assert_eq!(model.unit_data(0, unit)["name"], unit);
    }
    assert_eq!(model.leader("zk").unwrap().as_str(), "zk/0");
    assert!(model.is_quiet());
    Ok(())
}

#[test]
fn a_removed_unit_departs_and_leadership_is_claimed_by_another() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(3))?;
    model.settle()?;
    model.remove_unit("zk/0")?;
    let runs = model.settle()?;
    let leaving = ["zkpeer-relation-departed (zk/1)", "zkpeer-relation-departed (zk/2)", "stop", "remove"];
    assert_eq!(of_unit(&runs, "zk/0"), leaving);
    assert_eq!(of_unit(&runs, "zk/1")[..2], ["leader-elected", "zkpeer-relation-departed (zk/0)"]);
    assert_eq!(of_unit(&runs, "zk/2"), ["zkpeer-relation-departed (zk/0)"]);
    assert!(model.is_gone("zk/0"));
    assert_eq!(model.leader("zk").unwrap().as_str(), "zk/1");
    Ok(())
}

#[test]
fn hooks_of_different_units_overlap() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(2))?;
    let begins = |model: &Model| model.steps().into_iter().filter(|step| matches!(step, Step::Begin(..))).count();
    model.take(&model.steps()[0].clone())?;
    assert_eq!(begins(&model), 2);
    for unit in ["zk/0", "zk/1"] {
        let steps = model.steps();
        let begin = steps.iter().find(|step| matches!(step, Step::Begin(..)) && step.unit().as_str() == unit);
        assert!(matches!(model.take(begin.unwrap())?, Event::Began(..)));
    }
    assert_eq!((model.running("zk/0").is_some(), model.running("zk/1").is_some()), (true, true));
    assert_eq!(begins(&model), 0);
    model.settle()?;
    Ok(())
}

#[test]
fn what_a_hook_has_written_is_seen_by_nobody_before_its_end() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(1))?;
    while model.running("zk/0").is_none_or(|hook| hook.name() != "zkpeer-relation-created") {
        model.step()?;
    }
    assert_eq!(model.unit_data(0, "zk/0").get("name"), None);
    model.take(&Step::End("zk/0".parse()?))?;
    assert_eq!(model.unit_data(0, "zk/0")["name"], "zk/0");
    Ok(())
}

#[test]
fn units_on_one_machine_exclude_each_other() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(2))?;
    model.place("zk/1", "zk/0")?;
    model.seed(5);
    while !model.is_quiet() {
        model.step()?;
        assert!(model.running("zk/0").is_none() || model.running("zk/1").is_none());
    }
    Ok(())
}

#[test]
fn a_seed_repeats_the_story_and_another_tells_another() -> Result<(), Error> {
    let charm = charm(METADATA);
    let story = |seed| -> Result<Vec<String>, Error> {
        let mut model = Model::new();
        model.seed(seed);
        model.deploy(peers(&charm).units(3))?;
        let runs = model.settle()?;
        Ok(runs.iter().map(|run| format!("{} {run}", run.unit)).collect())
    };
    assert_eq!(story(1)?, story(1)?);
    assert!(story(1)? != story(2)? || story(1)? != story(3)?);
    Ok(())
}

#[test]
fn two_applications_relate_and_part() -> Result<(), Error> {
    let (zk, kafka) = (charm(METADATA), charm(CLIENT));
    let mut model = Model::new();
    model.deploy(peers(&zk).units(2))?;
    model.deploy(Application::new(kafka.path()).function(|_| 0))?;
    let relation = model.relate("zk:client", "kafka:zookeeper")?;
    let runs = model.settle()?;
    assert!(of_unit(&runs, "kafka/0").contains(&"zookeeper-relation-joined (zk/1)".to_owned()));
    assert_eq!(model.members("zk/0", "client").len(), 1);
    assert!(model.unit_data(relation, "zk/0").contains_key("ingress-address"));
    model.remove_relation("zk:client", "kafka:zookeeper")?;
    let runs = model.settle()?;
    assert_eq!(of_unit(&runs, "zk/0"), ["client-relation-departed (kafka/0)", "client-relation-broken"]);
    Ok(())
}

#[test]
fn what_does_not_fit_is_refused() -> Result<(), Error> {
    let (zk, kafka) = (charm(METADATA), charm(CLIENT));
    let mut model = Model::new();
    model.deploy(peers(&zk).units(1))?;
    model.deploy(Application::new(kafka.path()).function(|_| 0))?;
    for (one, other, why) in [
        ("zk:client", "kafka:nothing", "no endpoint `nothing`"),
        ("zk:zkpeer", "kafka:zookeeper", "provide what the other requires"),
        ("zk", "kafka:zookeeper", "application:endpoint"),
        ("zk:client", "nobody:zookeeper", "no application `nobody`"),
    ] {
        let error = model.relate(one, other).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
    assert!(model.remove_unit("zk/9").unwrap_err().to_string().contains("there is no unit zk/9"));
    assert!(model.deploy(peers(&zk)).unwrap_err().to_string().contains("already"));
    Ok(())
}

#[test]
fn what_is_asked_of_a_unit_that_never_was_is_refused_with_the_nearest_that_there_is() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(2))?;
    let refused = |ask: fn(&Model) -> String| {
        let panic = catch_unwind(AssertUnwindSafe(|| ask(&model))).unwrap_err();
        panic.downcast::<String>().map(|said| *said).unwrap_or_default()
    };
    let of_units: [fn(&Model) -> String; 12] = [
        |model| format!("{:?}", model.status("zk/2")),
        |model| format!("{:?}", model.flags("zk/2")),
        |model| format!("{:?}", model.stored("zk/2")),
        |model| format!("{:?}", model.failed("zk/2").is_none()),
        |model| format!("{:?}", model.running("zk/2").is_none()),
        |model| format!("{:?}", model.members("zk/2", "zkpeer")),
        |model| format!("{:?}", model.unit_data(0, "zk/2")),
        |model| format!("{:?}", model.charm_state("zk/2")),
        |model| format!("{:?}", model.ports("zk/2")),
        |model| format!("{:?}", model.fake::<u32>("zk/2")),
        |model| format!("{:?}", model.programs("zk/2")),
        |model| format!("{:?}", model.charm_dir("zk/2").is_none()),
    ];
    for ask in of_units {
        let said = refused(ask);
        let wanted = "there is no unit `zk/2`, and there was none; the model has: zk/0, zk/1";
        assert_eq!(said, wanted);
    }
    let of_applications: [fn(&Model) -> String; 9] = [
        |model| format!("{:?}", model.app_status("zkp")),
        |model| format!("{:?}", model.leader("zkp").is_none()),
        |model| format!("{:?}", model.relations("zkp")),
        |model| format!("{:?}", model.app_data(0, "zkp")),
        |model| format!("{:?}", model.leader_settings("zkp")),
        |model| format!("{:?}", model.workload_version("zkp").len()),
        |model| format!("{:?}", model.peer_endpoints("zkp")),
        |model| format!("{:?}", model.actions("zkp")),
        |model| format!("{:?}", model.is_gone("zkp/0")),
    ];
    for ask in of_applications {
        let said = refused(ask);
        assert_eq!(said, "there is no application `zkp`, and there was none; the model has: zk; is it `zk`?");
    }
    assert!(refused(|model| format!("{:?}", model.flags("zkp/0"))).contains("application `zkp`"));
    assert!(refused(|model| format!("{:?}", model.status("zk"))).contains("`zk` is not the name of a unit"));
    assert!(model.is_gone("zk/2"), "a unit may come later");
    model.settle()?;
    model.remove_unit("zk/1")?;
    model.settle()?;
    assert!(model.is_gone("zk/1") && model.failed("zk/1").is_none() && model.ports("zk/1").is_empty());
    Ok(())
}

#[test]
fn a_failed_hook_waits_and_is_retried_while_others_go_on() -> Result<(), Error> {
    let charm = charm(METADATA);
    let failures = Rc::new(RefCell::new(2));
    let left = Rc::clone(&failures);
    let application = Application::new(charm.path()).units(2).function(move |hook| {
        let fails = hook.variable("JUJU_HOOK_NAME") == Some("config-changed")
            && hook.variable("JUJU_UNIT_NAME") == Some("zk/1")
            && *left.borrow() > 0;
        if fails {
            *left.borrow_mut() -= 1;
        }
        i32::from(fails)
    });
    let mut model = Model::new();
    model.deploy(application)?;
    let Err(Error::HookFailed(failed)) = model.settle() else { panic!("nothing failed") };
    assert_eq!(failed.to_string(), "config-changed");
    assert_eq!(model.status("zk/1").message, "hook failed: \"config-changed\"");
    let before = model.now();
    let runs = model.settle_retrying(2)?;
    assert_eq!(of_unit(&runs, "zk/1")[..3], ["config-changed", "config-changed", "start"]);
    assert!(model.now() > before);
    assert_eq!(*failures.borrow(), 0);
    Ok(())
}

#[test]
fn a_script_repeats_what_a_seed_has_chosen() -> Result<(), Error> {
    let charm = charm(METADATA);
    let story = |prepare: &dyn Fn(&mut Model)| -> Result<(Vec<String>, Vec<usize>), Error> {
        let mut model = Model::new();
        prepare(&mut model);
        model.deploy(peers(&charm).units(3))?;
        let runs = model.settle()?;
        Ok((runs.iter().map(|run| format!("{} {run}", run.unit)).collect(), model.chosen().to_vec()))
    };
    let (told, chosen) = story(&|model| model.seed(3))?;
    assert!(chosen.iter().any(|choice| *choice > 0));
    assert_eq!(story(&|model| model.script(&chosen))?.0, told);
    let error = story(&|model| model.script(&[99])).unwrap_err().to_string();
    assert!(error.contains("asks for step 99"), "{error}");
    Ok(())
}

#[test]
fn an_application_can_be_deployed_again_under_the_name_of_a_removed_one() -> Result<(), Error> {
    let charm = charm(METADATA);
    fs::create_dir(charm.path().join("hooks")).unwrap();
    fs::write(charm.path().join("hooks/install"), "#!/bin/sh\n[ ! -e here ] && touch here\n").unwrap();
    let mut model = Model::new();
    model.deploy(Application::new(charm.path()))?;
    model.settle()?;
    model.remove_application("zk")?;
    model.settle()?;
    model.deploy(Application::new(charm.path()))?;
    model.settle()?;
    assert!(!model.is_gone("zk/0"));
    Ok(())
}

#[test]
fn an_application_cannot_be_related_to_itself() -> Result<(), Error> {
    let charm = charm(&format!("{METADATA}requires:\n  upstream: {{interface: zookeeper}}\n"));
    let mut model = Model::new();
    model.deploy(Application::new(charm.path()).function(|_| 0))?;
    for (one, other, instead) in [
        ("zk:client", "zk:upstream", "deploy the charm once more, under another name"),
        ("zk:zkpeer", "zk:zkpeer", "peers are related from their deployment on"),
    ] {
        let error = model.relate(one, other).unwrap_err().to_string();
        assert!(error.contains("cannot be related to itself") && error.contains(instead), "{error}");
    }
    Ok(())
}

#[test]
fn two_leaders_and_a_unit_as_its_own_peer_cannot_be_said() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    model.deploy(peers(&charm).units(2))?;
    model.settle()?;
    model.set_leader("zk/0")?;
    model.set_leader("zk/1")?;
    assert_eq!(model.leader("zk").map(ToString::to_string).as_deref(), Some("zk/1"));
    assert_eq!(model.members("zk/1", "zkpeer"), ["zk/0"]);
    let refused = model.set_leader("zk/2").unwrap_err().to_string();
    assert!(refused.contains("there is no unit zk/2; the model has: zk/0, zk/1"), "{refused}");
    let refused = model.set_leader("kafka/0").unwrap_err().to_string();
    assert!(refused.contains("there is no unit kafka/0"), "{refused}");
    model.check()
}

#[test]
fn leadership_that_was_to_move_to_a_unit_that_is_gone_stays_where_it_is() -> Result<(), Error> {
    let charm = charm(METADATA);
    let mut model = Model::new();
    let asking = Application::new(charm.path()).function(|hook| hook.run("is-leader", &[]).code);
    model.deploy(asking.units(3))?;
    model.settle()?;
    model.before_command("zk/1", 1, Change::Leader("zk/2".parse().unwrap()))?;
    model.hold("zk/1")?;
    model.remove_unit_by_force("zk/2")?;
    model.settle()?;
    model.release("zk/1")?;
    while model.step()?.is_some() {
        model.check()?;
        assert!(model.leader("zk").is_some_and(|unit| *unit == "zk/0"), "who leads goes on leading");
    }
    Ok(())
}
