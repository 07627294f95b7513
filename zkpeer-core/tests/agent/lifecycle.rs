//! Contract sections 1.1, 3, 4 and 5: which file runs, and what runs next.

use crate::support::{Charm, Shell, names};
use zkpeer_core::testing::{Error, Outcome, UnitAgent};

#[test]
fn c3_1_first_start_of_a_leader() {
    let runs = Charm::dispatch("exit 0").builder().leader(true).build().unwrap().deploy().unwrap();
    let expected = ["install", "zkpeer-relation-created", "leader-elected", "config-changed", "start"];
    assert_eq!(names(&runs), expected);
}

#[test]
fn c3_1_first_start_of_another_unit() {
    let runs = Charm::dispatch("exit 0").agent().deploy().unwrap();
    assert_eq!(names(&runs)[2], "leader-settings-changed");
    let runs = Charm::dispatch("exit 0").builder().juju("4.0.14").build().unwrap().deploy().unwrap();
    assert_eq!(names(&runs)[2], "config-changed", "Juju 4 has no leader settings");
}

#[test]
fn c3_1_what_the_first_hooks_can_see() {
    let charm =
        Charm::dispatch("relation-ids --format=json zkpeer; is-leader --format=json; relation-list -r 0 --format=json");
    let mut agent = charm.builder().leader(true).build().unwrap();
    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    let install = agent.step().unwrap().unwrap();
    let answers = |run: &zkpeer_core::testing::HookRun| -> Vec<String> {
        run.commands.iter().map(|command| command.stdout.trim().to_owned()).collect()
    };
    assert_eq!(answers(&install)[..2], ["[]", "true"]);
}

#[test]
fn c3_1_all_relations_are_entered_before_the_first_created() {
    let charm = Charm::dispatch("relation-ids --format=json client; relation-set -r client:1 a=1 || true");
    let mut agent = charm.agent();
    agent.relate("client", "kafka").unwrap();
    agent.run_hook("install").unwrap_or_else(|error| panic!("{error}"));
    let created = agent.step().unwrap().unwrap();
    assert_eq!(created.to_string(), "zkpeer-relation-created");
    assert_eq!(created.commands[0].stdout, "[\"client:1\"]\n");
    assert_eq!(agent.relation_data("client", "hello/0")["a"], "1");
}

#[test]
fn c4_2_joined_changed_departed() {
    let mut agent = Charm::dispatch("relation-list -r 0 --format=json 2>/dev/null || true").agent();
    agent.deploy().unwrap();
    agent.add_peer("zkpeer", "hello/2", &[("a", "1")]).unwrap();
    agent.add_peer("zkpeer", "hello/10", &[]).unwrap();
    let runs = agent.settle().unwrap();
    let expected = [
        "zkpeer-relation-joined (hello/10)",
        "zkpeer-relation-changed (hello/10)",
        "zkpeer-relation-joined (hello/2)",
        "zkpeer-relation-changed (hello/2)",
    ];
    assert_eq!(names(&runs), expected);
    assert_eq!(runs[0].stdout, "[\"hello/10\"]\n", "the joining unit is a member");
    agent.change_peer("zkpeer", "hello/2", &[("a", "2")]).unwrap();
    agent.remove_peer("hello/10").unwrap();
    let runs = agent.settle().unwrap();
    assert_eq!(names(&runs), ["zkpeer-relation-departed (hello/10)", "zkpeer-relation-changed (hello/2)"]);
    assert_eq!(runs[0].stdout, "[\"hello/2\"]\n", "c5_2: the departing unit is none any more");
}

#[test]
fn c4_7_the_leader_sees_its_own_application_data_change() {
    let mut shell = Shell::new(|builder| builder.leader(true));
    shell.hook("relation-set -r 0 --app version=1");
    assert_eq!(names(&shell.agent.settle().unwrap()), ["zkpeer-relation-changed (hello)"]);
    shell.hook("relation-set -r 0 --app version=1");
    assert_eq!(names(&shell.agent.settle().unwrap()), [""; 0], "c4_3: equal values cause no hook");
}

#[test]
fn c4_6_members_bags_are_kept_across_hooks() {
    let mut shell = Shell::new(|builder| builder);
    shell.agent.add_peer("zkpeer", "hello/1", &[("a", "1")]).unwrap();
    shell.agent.settle().unwrap();
    let read = "relation-get -r 0 a hello/1";
    assert_eq!(shell.output(read), "1\n");
    shell.agent.change_peer("zkpeer", "hello/1", &[("a", "2")]).unwrap();
    assert_eq!(shell.output(read), "1\n", "as last seen");
    shell.script(read);
    let runs = shell.agent.settle().unwrap();
    assert_eq!(names(&runs), ["zkpeer-relation-changed (hello/1)"]);
    assert_eq!(runs[0].stdout, "2\n", "new with that unit's own hook");
}

#[test]
fn c5_2_a_departed_units_bag_stays_readable() {
    let mut shell = Shell::new(|builder| builder);
    shell.agent.add_peer("zkpeer", "hello/1", &[("a", "1")]).unwrap();
    shell.agent.settle().unwrap();
    shell.agent.remove_peer("hello/1").unwrap();
    shell.script("relation-get a; relation-get -r 0 a hello/1");
    let runs = shell.agent.settle().unwrap();
    assert_eq!(runs[0].stdout, "1\n1\n");
}

#[test]
fn c5_1_the_end_of_a_unit() {
    let mut agent = Charm::dispatch("exit 0").agent();
    agent.deploy().unwrap();
    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    agent.settle().unwrap();
    agent.remove();
    let runs = agent.settle().unwrap();
    assert_eq!(names(&runs), ["zkpeer-relation-departed (hello/1)", "stop", "remove"], "no broken for peers");
    assert_eq!(runs[0].environment["JUJU_DEPARTING_UNIT"], "hello/0");
    assert!(agent.is_gone());
}

#[test]
fn c3_2_config_changed_runs_when_values_really_changed() {
    let mut agent = Charm::dispatch("exit 0").agent();
    agent.deploy().unwrap();
    agent.set_config("greeting", "hello").unwrap();
    agent.set_config("port", "2181").unwrap();
    assert_eq!(names(&agent.settle().unwrap()), ["config-changed"]);
    agent.set_config("greeting", "hello").unwrap();
    assert_eq!(names(&agent.settle().unwrap()), [""; 0]);
    agent.set_address("10.9.9.9");
    assert_eq!(names(&agent.settle().unwrap()), ["config-changed"]);
    assert_eq!(agent.relation_data("zkpeer", "hello/0")["ingress-address"], "10.9.9.9", "c4_6");
    assert!(matches!(agent.set_config("port", "many"), Err(Error::Impossible(_))));
    assert!(agent.set_config("nothing", 1).is_err());
}

#[test]
fn c3_3_leadership_comes_and_goes() {
    let mut agent = Charm::dispatch("exit 0").agent();
    agent.deploy().unwrap();
    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    agent.settle().unwrap();
    agent.set_leader(true);
    assert_eq!(names(&agent.settle().unwrap()), ["leader-elected"]);
    agent.set_leader(false);
    assert_eq!(names(&agent.settle().unwrap()), [""; 0], "losing leadership runs no hook");
    agent.set_leader_settings(&[("a", "1")]).unwrap();
    assert_eq!(names(&agent.settle().unwrap()), ["leader-settings-changed"]);
}

#[test]
fn c3_2_upgrade_and_reboot() {
    let charm = Charm::dispatch("exit 0");
    let mut agent = charm.agent();
    agent.deploy().unwrap();
    agent.refresh(charm.path(), None).unwrap();
    assert_eq!(names(&agent.settle().unwrap()), ["upgrade-charm", "config-changed"]);
    agent.reboot();
    assert_eq!(names(&agent.settle().unwrap()), ["start"]);
    assert_eq!(names(&agent.update_status().unwrap()), ["update-status"]);
}

#[test]
fn c1_2_an_upgrade_removes_what_only_the_old_charm_had() {
    let (old, new) = (Charm::dispatch("touch mine lib/mine"), Charm::dispatch("exit 0"));
    for name in ["lib/a", "data", "hooks/gone"] {
        old.file(name, "old");
    }
    new.file("data/b", "new");
    let mut agent = old.agent();
    agent.deploy().unwrap();
    agent.refresh(new.path(), None).unwrap();
    agent.settle().unwrap();
    let there = |name: &str| agent.charm_dir().join(name).exists();
    assert!(there("mine") && there("data/b"));
    assert!(!there("lib") && !there("hooks"), "a directory goes with all that is in it");
}

#[test]
fn c1_1_without_dispatch_each_hook_has_its_own_file() {
    let charm = Charm::without_program();
    charm.script("hooks/install", "echo installing");
    charm.file("hooks/start", "#!/bin/sh\necho starting\n");
    charm.script("actions/backup", "echo saving");
    let mut agent = charm.agent();
    let runs = agent.deploy().unwrap();
    assert_eq!((&runs[0].outcome, runs[0].stdout.as_str()), (&Outcome::Done, "installing\n"));
    assert_eq!(runs[1].outcome, Outcome::NoFile, "a missing hook counts as done");
    assert_eq!(runs[4].stdout, "starting\n", "Juju makes files in hooks executable");
    assert!(agent.run_action("backup", &[]).unwrap().completed);
    let report = agent.run_action("restore", &[("from", "x".into())]).unwrap();
    assert_eq!(report.message, "action not implemented on unit \"hello/0\"");
}

#[test]
fn c1_1_a_file_that_is_not_executable_fails_the_hook() {
    let charm = Charm::without_program();
    charm.file("dispatch", "#!/bin/sh\n");
    let run = charm.agent().run_hook("install").unwrap();
    assert!(run.problem().unwrap().contains("Permission denied"), "{run:?}");
}

#[test]
fn what_juju_could_not_run_is_refused_with_the_reason() {
    let mut agent = Charm::dispatch("exit 0").agent();
    let why = |result: Result<_, Error>| match result {
        Err(Error::Impossible(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(why(agent.run_hook("start")).contains("`install` has not run yet"));
    agent.deploy().unwrap();
    assert!(why(agent.run_hook("install")).contains("installed already"));
    assert!(why(agent.run_hook("leader-elected")).contains("not leader"));
    assert!(why(agent.run_hook("zkpeer-relation-created")).contains("has run already"));
    assert!(why(agent.run_hook("zkpeer-relation-broken")).contains("peer relations have no such hook"));
    assert!(why(agent.run_hook("nothing-relation-created")).contains("no endpoint `nothing`"));
    assert!(why(agent.run_relation_hook("zkpeer-relation-changed", "hello/1")).contains("has not joined"));
    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    agent.run_relation_hook("zkpeer-relation-joined", "hello/1").unwrap();
    assert!(why(agent.run_relation_hook("zkpeer-relation-departed", "hello/1")).contains("still in the relation"));
    assert!(why(agent.run_hook("stop")).contains("not being removed"));
    assert!(agent.run_hook("some-new-hook").is_ok(), "a name of a newer Juju");
}

#[test]
fn what_cannot_be_in_the_model_is_refused_with_what_to_do_instead() {
    let mut agent = Charm::dispatch("exit 0").agent();
    let why = |result: Result<(), Error>| result.unwrap_err().to_string();
    let peers = |agent: &mut UnitAgent, endpoint: &str, unit: &str| agent.add_peer(endpoint, unit, &[]);
    assert!(why(peers(&mut agent, "zkpeer", "hello/0")).contains("no unit is its own peer; name another one"));
    assert!(why(peers(&mut agent, "zkpeer", "kafka/0")).contains("no unit of `hello`, as peers are; add_remote"));
    assert!(why(peers(&mut agent, "client", "hello/1")).contains("no endpoint for peers; those for peers are: zkpeer"));
    assert!(why(peers(&mut agent, "nothing", "hello/1")).contains("no endpoint `nothing` in metadata.yaml; it has"));
    peers(&mut agent, "zkpeer", "hello/1").unwrap();
    assert!(why(peers(&mut agent, "zkpeer", "hello/1")).contains("already; change_peer changes"));
    assert!(why(agent.relate("zkpeer", "hello").map(drop)).contains("add_peer adds one"));
    assert!(why(agent.relate("client", "hello").map(drop)).contains("own application; name another one"));
    let relation = agent.relate("client", "kafka").unwrap();
    assert!(why(agent.add_remote(&relation, "storm/0", &[])).contains("with `kafka`; name a unit of it"));
    let peers = agent.relations()[0].clone();
    assert!(why(agent.add_remote(&peers, "hello/2", &[])).contains("is a relation of peers; add_peer adds one"));
    assert!(why(agent.unrelate(&peers)).contains("one of peers"));
}
