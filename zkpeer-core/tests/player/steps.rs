//! What each step does.

use std::fs;

use zkpeer_core::testing::PlayError;

use super::{Stage, hooks};

/// The hooks of a unit after its first start.
fn later(hooks: &[String], unit: &str) -> Vec<String> {
    let own = hooks.iter().filter_map(|hook| hook.strip_prefix(unit)).map(|hook| hook.trim().to_owned());
    own.skip_while(|hook| hook != "start").skip(1).collect()
}

#[test]
fn units_come_and_go() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "
  - settle
  - add-units: {application: zk, count: 2}
  - settle
  - expect: {application: zk, units: [zk/0, zk/1, zk/2]}
  - expect: {relation: zk:zkpeer, unit: zk/0, members: [zk/1, zk/2], data: {name: zk/0, nothing: null}}
  - remove-unit: zk/0
  - settle
  - expect: {application: zk, units: 2, leader: zk/1}
  - remove-unit: {unit: zk/1, force: true}
  - settle
  - expect: {application: zk, units: [zk/2], leader: zk/2}
  - remove-application: zk
  - settle
  - expect: {application: zk, units: 0, leader: none}
";
    let hooks = hooks(&mut stage.steps(1, steps))?;
    assert_eq!(later(&hooks, "zk/0").last().unwrap(), "remove");
    assert!(!later(&hooks, "zk/1").contains(&"stop".to_owned()), "who goes by force runs no hook");
    Ok(())
}

#[test]
fn relations_begin_and_end() -> Result<(), PlayError> {
    let stage = Stage::new();
    let story = "
applications: {zk: zk, client: client}
relations: [[zk:client, client:zookeeper]]
steps:
  - settle
  - expect: {relation: client:zookeeper, unit: zk/0, data: {name: zk/0}, members: [client/0]}
  - remove-relation: [zk:client, client:zookeeper]
  - settle
  - deploy: {application: second, charm: client}
  - relate: [second:zookeeper, zk:client]
  - settle
  - expect: {relation: [zk:client, second:zookeeper], unit: second/0, members: [zk/0]}
";
    let hooks = hooks(&mut stage.player(story))?;
    assert!(hooks.contains(&"client/0 zookeeper-relation-broken".to_owned()));
    Ok(())
}

#[test]
fn configuration_trust_addresses_and_time_bring_their_hooks() -> Result<(), PlayError> {
    let stage = Stage::new();
    let story = "
model-config: {update-status-hook-interval: 1m}
applications: {zk: {charm: zk, config: {port: 1}}}
steps:
  - settle
  - expect: {unit: zk/0, status: active, message: port 1, leader: true}
  - config: {application: zk, set: {port: 2}}
  - settle
  - expect: {unit: zk/0, message: port 2}
  - config: {application: zk, reset: [port]}
  - settle
  - expect: {unit: zk/0, message: port 2181}
  - trust: zk
  - settle
  - address: {unit: zk/0, to: 10.1.2.3}
  - settle
  - expect: {relation: zk:zkpeer, unit: zk/0, data: {ingress-address: 10.1.2.3}}
  - update-status: zk/0
  - settle
  - pass: 2m
  - reboot: zk/0
  - settle
  - restart-agent: zk/0
  - settle
";
    let hooks = hooks(&mut stage.player(story))?;
    let mut expected = vec!["config-changed"; 4];
    // Once because it was time, and then every minute.
    expected.extend(["update-status"; 2]);
    expected.push("start");
    let own: Vec<String> = later(&hooks, "zk/0");
    let without_more: Vec<&str> = own.iter().map(String::as_str).collect();
    assert!(without_more.starts_with(&expected[..5]) && without_more.contains(&"start"), "{own:?}");
    let updates = own.iter().filter(|hook| *hook == "update-status").count();
    assert!((2..=3).contains(&updates), "{own:?}");
    Ok(())
}

#[test]
fn leadership_moves_and_vanishes() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "
  - settle
  - leader: zk/1
  - settle
  - expect: {unit: zk/0, leader: false}
  - expect: {unit: zk/1, leader: true}
  - leader: {application: zk, unit: none}
  - settle
  - expect: {application: zk, leader: none}
";
    let hooks = hooks(&mut stage.steps(2, steps))?;
    assert!(later(&hooks, "zk/1").contains(&"leader-elected".to_owned()));
    Ok(())
}

#[test]
fn actions_run_and_their_results_are_texts() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "
  - settle
  - action: {unit: zk/0, name: backup, params: {level: 3}}
  - action: {unit: zk/0, name: refuse}
  - action: {unit: zk/0, name: crash}
  - settle
  - expect: {action: backup, unit: zk/0, status: completed, results: {size: 12, level: 3, other: null}}
  - expect: {action: refuse, unit: zk/0, status: failed, message: not now}
  - expect: {action: crash, unit: zk/0, status: failed}
";
    stage.steps(1, steps).play()
}

#[test]
fn a_kill_waits_for_the_hook_of_its_name() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "
  - kill: {unit: zk/0, hook: config-changed, at: command 1}
  - settle
  - kill: zk/0
  - config: {application: zk, set: {port: 5}}
  - settle
  - expect: {unit: zk/0, message: port 5}
";
    let hooks = hooks(&mut stage.steps(1, steps))?;
    let changed = hooks.iter().filter(|hook| *hook == "zk/0 config-changed").count();
    assert_eq!((hooks[0].as_str(), changed), ("zk/0 install", 4));
    Ok(())
}

#[test]
fn a_refused_commit_is_a_failed_hook_that_is_retried() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "  - refuse-commit: {unit: zk/0, reason: lost}\n  - settle\n";
    let hooks = hooks(&mut stage.steps(1, steps))?;
    assert_eq!(hooks[..2], ["zk/0 install", "zk/0 install"]);
    Ok(())
}

#[test]
fn a_charm_is_refreshed_also_by_force() -> Result<(), PlayError> {
    let stage = Stage::new();
    stage.charm("v2", super::METADATA, "[ $JUJU_HOOK_NAME != upgrade-charm ] || status-set active v2");
    let steps = "
  - settle
  - refresh: {application: zk, charm: v2}
  - settle
  - expect: {unit: zk/0, message: v2}
  - refresh: zk
  - settle
";
    let hooks = hooks(&mut stage.steps(1, steps))?;
    let upgraded = hooks.iter().filter(|hook| *hook == "zk/0 upgrade-charm").count();
    assert_eq!(upgraded, 2);
    let stage = Stage::of("exit 1");
    stage.charm("v2", super::METADATA, "");
    let story = "
model-config: {automatically-retry-hooks: false}
applications: {zk: zk}
steps:
  - settle
  - expect: {unit: zk/0, status: error, message: 'hook failed: \"install\"'}
  - refresh: {application: zk, charm: v2, force: true}
  - resolve: zk/0
  - settle
  - expect: {unit: zk/0, status: unknown}
";
    stage.player(story).play()
}

#[test]
fn a_failed_hook_may_count_as_done() -> Result<(), PlayError> {
    let stage = Stage::of("[ $JUJU_HOOK_NAME != config-changed ]");
    let story = "
model-config: {automatically-retry-hooks: false}
applications: {zk: zk}
steps:
  - settle
  - resolve: {unit: zk/0, retry: false}
  - settle
  - expect: {unit: zk/0, status: unknown}
";
    stage.player(story).play()
}

#[test]
fn one_hook_runs_when_a_step_says_so() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "
  - run: zk/1
  - run: {unit: zk/0, hook: install}
  - run: {unit: zk/0, hook: zkpeer-relation-created}
  - run: {unit: zk/0, hook: leader-elected}
  - run: {unit: zk/0, hook: config-changed}
  - run: {unit: zk/0, hook: start}
  - run: {unit: zk/0, hook: zkpeer-relation-joined, remote: zk/1}
  - run: {unit: zk/0, hook: update-status}
";
    let hooks = hooks(&mut stage.steps(2, steps))?;
    let expected = [
        "zk/1 install",
        "zk/0 install",
        "zk/0 zkpeer-relation-created",
        "zk/0 leader-elected",
        "zk/0 config-changed",
        "zk/0 start",
        "zk/0 zkpeer-relation-joined (zk/1)",
        "zk/0 update-status",
    ];
    assert_eq!(hooks, expected);
    Ok(())
}

#[test]
fn a_unit_that_is_held_does_nothing_until_it_is_released() -> Result<(), PlayError> {
    let stage = Stage::new();
    let steps = "
  - settle
  - hold: zk/1
  - add-units: zk
  - settle
  - expect: {relation: zk:zkpeer, unit: zk/1, members: [zk/0]}
  - release: zk/1
  - settle
  - expect: {relation: zk:zkpeer, unit: zk/1, members: [zk/0, zk/2]}
";
    stage.steps(2, steps).play()
}

#[test]
fn storage_is_there_as_asked_and_comes_and_goes() -> Result<(), PlayError> {
    let stage = Stage::new();
    let story = "
applications: {zk: {charm: zk, storage: {data: 1}}}
steps:
  - settle
  - add-units: zk
  - settle
  - add-storage: {unit: zk/0, name: data}
  - settle
  - detach-storage: data/0
  - settle
";
    let hooks = hooks(&mut stage.player(story))?;
    let of = |name: &str| hooks.iter().filter(|hook| hook.contains(name)).count();
    assert_eq!((of("zk/0 data-storage-attached"), of("zk/1 data-storage-attached")), (2, 1));
    assert_eq!(of("zk/0 data-storage-detaching"), 1);
    Ok(())
}

#[test]
fn the_bug_of_juju_4_is_there_where_a_story_says_so() -> Result<(), PlayError> {
    let stage = Stage::new();
    let story = |bugs: &str| {
        let text = format!(
            "juju: 4.0.14\n{bugs}applications: {{zk: {{charm: zk, units: 2}}}}\nsteps: [settle, {{remove-unit: zk/1}}, settle]\n"
        );
        hooks(&mut stage.player(&text))
    };
    let departed = "zk/0 zkpeer-relation-departed (zk/1)".to_owned();
    assert!(story("")?.contains(&departed));
    assert!(!story("bugs: [23326]\n")?.contains(&departed));
    Ok(())
}

#[test]
fn a_story_reads_its_charms_beside_itself() {
    let stage = Stage::new();
    let story = "applications: {zk: zk}\nsteps: [settle]\n";
    fs::write(stage.path("story.yaml"), story).unwrap();
    zkpeer_core::testing::Player::read(stage.path("story.yaml")).unwrap().play().unwrap();
}
