//! Lifecycle and order: section 3 of the contract.

use std::collections::BTreeSet;
use std::time::Duration;

use zkpeer_core::testing::{Change, Step};

use crate::stage::{CLIENT, METADATA, Play, Stage, VERSIONS, charm, hooks_of, ok, on_every_driver, on_every_version};

const CONFIG: &str = "options:\n  port: {type: int, default: 2181}\n";
const ACTIONS: &str = "check: {}\n";
const NOTHING: [&str; 0] = [];

/// An application of so many units that has started; unit 0 leads it.
fn started(stage: &Stage<'_>, units: u64) -> Play {
    let mut model = stage.model().deploy(charm(METADATA).config(CONFIG).actions(ACTIONS), units);
    model.settle();
    model
}

/// The names of the application's hooks until all is quiet, by unit.
fn settled(model: &mut Play, unit: &str) -> Vec<String> {
    hooks_of(&model.settle(), unit)
}

/// Units zk/0 and kafka/0, related; zk/0 has a relation hook due, and nothing has run since.
fn with_a_waiting_relation_hook(stage: &Stage<'_>, metadata: &str) -> Play {
    let mut model = stage.model().deploy(charm(metadata).config(CONFIG).actions(ACTIONS), 1).deploy(CLIENT, 1);
    model.relate("zk:client", "kafka:zookeeper").unwrap();
    model.settle();
    model.script("update-status", &["relation-set -r zookeeper:1 changed=yes"]);
    model.hold("zk/0").unwrap();
    model.update_status("kafka/0").unwrap();
    model.settle();
    model.release("zk/0").unwrap();
    assert_eq!(model.due("zk/0").unwrap().to_string(), WAITING);
    model
}

const WAITING: &str = "client-relation-changed (kafka/0)";

#[test]
fn c3_1_the_first_start() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(METADATA, 2).deploy(CLIENT, 1);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.hold("kafka/0").unwrap();
        model.settle();
        let created: BTreeSet<String> = model.hooks("zk/0")[1..3].iter().cloned().collect();
        assert_eq!(created.into_iter().collect::<Vec<_>>(), ["client-relation-created", "zkpeer-relation-created"]);
        let hooks = model.hooks("zk/0");
        assert_eq!(hooks[0], "install");
        let rest = ["leader-elected", "config-changed", "start", "zkpeer-relation-joined (zk/1)"];
        assert_eq!(hooks[3..7], rest);
        model.pass(Duration::from_secs(400));
        assert_eq!(model.hooks("zk/0").last().unwrap(), "update-status");
    });
}

#[test]
fn c3_1_storage_is_attached_before_install() {
    let storage = "storage:\n  data: {type: filesystem, multiple: {range: 2}}\n  logs: {type: block}\n";
    on_every_version(&VERSIONS, |stage| {
        let metadata = format!("{METADATA}{storage}");
        let mut model = stage.model().deploy(metadata.as_str(), 1);
        model.settle();
        let hooks = model.hooks("zk/0");
        let attached: BTreeSet<&str> = hooks[..3].iter().map(String::as_str).collect();
        let expected =
            ["data-storage-attached (data/0)", "data-storage-attached (data/1)", "logs-storage-attached (logs/2)"];
        assert_eq!(attached.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(hooks[3], "install");

        // What is not ready yet holds up `install`, and nothing else.
        let mut model = stage.model().deploy(metadata.as_str(), 1);
        model.set_storage_ready("logs/2", false).unwrap();
        model.settle();
        assert_eq!(model.hooks("zk/0"), ["data-storage-attached (data/0)", "data-storage-attached (data/1)"]);
        model.set_storage_ready("logs/2", true).unwrap();
        model.settle();
        assert_eq!(model.hooks("zk/0")[2..4], ["logs-storage-attached (logs/2)", "install"]);
    });
}

#[test]
fn c3_1_the_created_hooks_come_in_any_order() {
    let metadata = "name: zk\nsummary: s\ndescription: d\npeers: {one: q, two: q, three: q}\n";
    on_every_driver(|stage| {
        let orders: BTreeSet<Vec<String>> = (0..8)
            .map(|seed| {
                let mut model = stage.model();
                model.seed(seed);
                let mut model = model.deploy(metadata, 1);
                model.settle();
                model.hooks("zk/0")[1..4].to_vec()
            })
            .collect();
        assert!(orders.len() > 1, "{orders:?}");
        for order in orders {
            let sorted: BTreeSet<String> = order.into_iter().collect();
            let expected = ["one-relation-created", "three-relation-created", "two-relation-created"];
            assert_eq!(sorted.into_iter().collect::<Vec<_>>(), expected);
        }
    });
}

#[test]
fn c3_1_followers_run_leader_settings_changed_once() {
    on_every_version(&VERSIONS, |stage| {
        let four = stage.version.starts_with('4');
        let mut model = stage.model().deploy(METADATA, 2);
        model.settle();
        assert!(model.leader_settings("zk").is_empty());
        let runs = |unit: &str| model.runs(unit, "leader-settings-changed").len();
        assert_eq!((runs("zk/0"), runs("zk/1")), (0, usize::from(!four)));
        let first = if four {
            ["install", "zkpeer-relation-created", "config-changed", "start"]
        } else {
            ["install", "zkpeer-relation-created", "leader-settings-changed", "config-changed"]
        };
        assert_eq!(model.hooks("zk/1")[..4], first);
    });
}

#[test]
fn c3_1_install_sees_no_relation() {
    let metadata = format!("{METADATA}storage:\n  data: {{type: filesystem}}\n");
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(metadata.as_str(), 1).deploy(CLIENT, 1);
        let reads = ["relation-ids zkpeer --format=json", "relation-ids client --format=json", "relation-ids zkpeer"];
        model.script("data-storage-attached", &reads);
        model.script("install", &reads);
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        model.settle();
        for hook in ["data-storage-attached", "install"] {
            assert_eq!(model.answers("zk/0", hook), [ok("[]\n"), ok("[]\n"), ok("")]);
        }
    });
}

#[test]
fn c3_1_all_relations_are_entered_before_the_first_created() {
    let metadata = "name: zk\nsummary: s\ndescription: d\npeers: {one: q, two: q}\n";
    on_every_version(&VERSIONS, |stage| {
        let mut model = stage.model().deploy(metadata, 1);
        let commands =
            ["relation-ids one", "relation-ids two", "relation-set -r one:0 a=1", "relation-set -r two:1 a=1"];
        model.script("one-relation-created", &commands);
        model.script("two-relation-created", &commands);
        model.until_done("zk/0", "install", 1);
        let first = model.begin("zk/0").name();
        model.end("zk/0");
        assert_eq!(model.answers("zk/0", &first), [ok("one:0\n"), ok("two:1\n"), ok(""), ok("")]);
        for relation in 0..2 {
            assert_eq!(model.unit_data(relation, "zk/0")["a"], "1");
        }
    });
}

#[test]
fn c3_1_others_may_join_a_unit_that_has_not_started() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.add_unit("zk").unwrap();
        model.until_done("zk/1", "install", 1);
        model.hold("zk/1").unwrap();
        model.settle();
        assert_eq!(model.hooks("zk/1"), ["install"]);
        let hooks = model.hooks("zk/0");
        assert_eq!(hooks[hooks.len() - 2..], ["zkpeer-relation-joined (zk/1)", "zkpeer-relation-changed (zk/1)"]);
    });
}

#[test]
fn c3_1_relation_list_is_empty_until_the_first_joined() {
    on_every_driver(|stage| {
        let mut model = started(stage, 3);
        let list = ["relation-list -r zkpeer:0 --format=json"];
        let first = ["zkpeer-relation-created", "leader-settings-changed", "config-changed", "start"];
        for hook in first {
            model.on("zk/3", hook, &list);
        }
        model.on("zk/3", "zkpeer-relation-joined", &list);
        model.add_unit("zk").unwrap();
        model.settle();
        for hook in first {
            assert_eq!(model.answers("zk/3", hook), [ok("[]\n")], "{hook}");
        }
        let joined = model.answers("zk/3", "zkpeer-relation-joined");
        let expected = ["[\"zk/0\"]\n", "[\"zk/0\",\"zk/1\"]\n", "[\"zk/0\",\"zk/1\",\"zk/2\"]\n"];
        assert_eq!(joined, expected.map(ok));
    });
}

#[test]
fn c3_1_is_leader_works_from_the_first_hook_on() {
    let metadata = format!("{METADATA}storage:\n  data: {{type: filesystem}}\n");
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(metadata.as_str(), 2);
        model.set_leader("zk/1").unwrap();
        for hook in ["data-storage-attached", "install", "zkpeer-relation-created"] {
            model.script(hook, &["is-leader --format=json"]);
        }
        model.settle();
        for hook in ["data-storage-attached", "install", "zkpeer-relation-created"] {
            assert_eq!(
                (model.answers("zk/0", hook), model.answers("zk/1", hook)),
                (vec![ok("false\n")], vec![ok("true\n")])
            );
        }
    });
}

/// A charm for everything that can be due at the same time.
const ALL: &str = "\
name: zk
summary: s
description: d
peers:
  zkpeer: {interface: zookeeper-quorum}
provides:
  client: {interface: zookeeper}
requires:
  late: {interface: late}
storage:
  data: {type: filesystem, multiple: {range: 0+}}
";

const LATE: &str = "name: late\nsummary: s\ndescription: d\nprovides:\n  late: {interface: late}\n";

#[test]
fn c3_2_the_first_row_that_matches_wins() {
    on_every_version(&["3.1.7", "3.6.25", "4.0.14"], |stage| {
        let files = charm(ALL).config(CONFIG).actions(ACTIONS);
        let mut model = stage.model().deploy(files.clone(), 2).deploy(CLIENT, 1).deploy(LATE, 1);
        model.set_leader("zk/1").unwrap();
        model.relate("zk:client", "kafka:zookeeper").unwrap();
        let share = ["secret-add token=one", "secret-grant $1 -r $JUJU_RELATION_ID", "relation-set id=$1"];
        model.on("kafka/0", "zookeeper-relation-created", &share);
        model.on("zk/0", "client-relation-changed", &["relation-get id", "secret-get $1"]);
        model.on("zk/0", "update-status", &["storage-add data"]).nth(1);
        model.on("kafka/0", "update-status", &["relation-get -r zookeeper:1 id kafka/0", "secret-set $1 token=two"]);
        model.on("kafka/0", "update-status", &["relation-set -r zookeeper:1 changed=yes"]);
        model.settle();

        // A hook runs on zk/0, and meanwhile everything happens; the hook itself asks for storage.
        model.update_status("zk/0").unwrap();
        model.until_begun("zk/0", "update-status");
        model.hold("zk/0").unwrap();
        model.update_status("kafka/0").unwrap();
        model.until_done("kafka/0", "update-status", 1);
        model.release("zk/0").unwrap();
        model.reboot("zk/0").unwrap();
        model.relate("zk:late", "late:late").unwrap();
        model.set_leader("zk/0").unwrap();
        model.run_action("zk/0", "check", &[]).unwrap();
        model.exec("zk/0", "is-leader", None).unwrap();
        model.refresh("zk", files.file("version", "2\n"));
        model.set_config("zk", "port", 2182).unwrap();
        model.end("zk/0");
        // `start` begins the timer anew, so that it cannot have fired before.
        assert_eq!(model.begin("zk/0").name(), "start");
        model.end("zk/0");
        model.update_status("zk/0").unwrap();
        let id = model.unit_data(1, "kafka/0")["id"].clone();
        let expected = [
            "late-relation-created".to_owned(),
            "leader-elected".to_owned(),
            format!("secret-changed ({id})"),
            "action check (1)".to_owned(),
            "exec is-leader".to_owned(),
            "data-storage-attached (data/0)".to_owned(),
            "upgrade-charm".to_owned(),
            "config-changed".to_owned(),
            WAITING.to_owned(),
            "late-relation-joined (late/0)".to_owned(),
            "late-relation-changed (late/0)".to_owned(),
            "update-status".to_owned(),
        ];
        assert_eq!(settled(&mut model, "zk/0"), expected);
    });
}

#[test]
fn c3_2_a_series_upgrade_runs_its_hooks_only() {
    on_every_version(&["2.9.52", "3.1.7", "3.6.25"], |stage| {
        let mut model = started(stage, 2);
        model.prepare_series_upgrade("zk/0").unwrap();
        model.set_config("zk", "port", 2182).unwrap();
        model.run_action("zk/0", "check", &[]).unwrap();
        model.reboot("zk/0").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["pre-series-upgrade"]);
        assert_eq!(hooks_of(&model.pass(Duration::from_secs(3600)), "zk/0"), NOTHING);
        model.complete_series_upgrade("zk/0").unwrap();
        let after = ["post-series-upgrade", "start", "action check (1)", "config-changed"];
        assert_eq!(settled(&mut model, "zk/0"), after);
    });
}

#[test]
fn c3_2_start_runs_again_after_a_reboot() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 1);
        for _ in 0..2 {
            model.reboot("zk/0").unwrap();
            assert_eq!(settled(&mut model, "zk/0"), ["start"]);
        }
        // Not if the unit has never started.
        let mut model = stage.model().deploy(METADATA, 1);
        model.until_done("zk/0", "install", 1);
        model.reboot("zk/0").unwrap();
        model.settle();
        assert_eq!(model.runs("zk/0", "start").len(), 1);
    });
}

#[test]
fn c3_2_configuration_overtakes_relation_hooks() {
    on_every_driver(|stage| {
        let mut model = with_a_waiting_relation_hook(stage, METADATA);
        model.set_config("zk", "port", 2182).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed", WAITING]);
    });
}

#[test]
fn c3_2_an_action_runs_when_idle_or_after_a_failure() {
    on_every_driver(|stage| {
        let mut model = with_a_waiting_relation_hook(stage, METADATA);
        model.run_action("zk/0", "check", &[]).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["action check (1)", WAITING]);
        // With a hook queued it waits: `start` follows the first `config-changed`.
        let mut model = stage.model().deploy(charm(METADATA).actions(ACTIONS), 1);
        model.until_done("zk/0", "config-changed", 1);
        model.run_action("zk/0", "check", &[]).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["start", "action check (1)"]);
        // With a failed one it does not.
        model.script("update-status", &[]).nth(1).exits(1);
        model.update_status("zk/0").unwrap();
        model.settle_until_failure();
        model.run_action("zk/0", "check", &[]).unwrap();
        let runs = model.settle_retrying(1);
        assert_eq!(hooks_of(&runs, "zk/0"), ["action check (2)", "update-status"]);
    });
}

#[test]
fn c3_2_a_command_overtakes_relation_hooks() {
    on_every_driver(|stage| {
        let mut model = with_a_waiting_relation_hook(stage, METADATA);
        model.exec("zk/0", "is-leader", None).unwrap();
        model.run_action("zk/0", "check", &[]).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["action check (1)", "exec is-leader", WAITING]);
    });
}

#[test]
fn c3_2_storage_hooks_overtake_relation_hooks() {
    on_every_driver(|stage| {
        let metadata = format!("{METADATA}storage:\n  data: {{type: filesystem, multiple: {{range: 0+}}}}\n");
        let mut model = with_a_waiting_relation_hook(stage, &metadata);
        model.exec("zk/0", "storage-add data", None).unwrap();
        let expected = ["exec storage-add data", "data-storage-attached (data/0)", WAITING];
        assert_eq!(settled(&mut model, "zk/0"), expected);
    });
}

#[test]
fn c3_2_secret_hooks_overtake_relation_hooks() {
    on_every_version(&["3.1.7", "3.6.25", "4.0.14"], |stage| {
        let mut model = with_a_waiting_relation_hook(stage, METADATA);
        // Of a secret of one's own one revision has expired, one is read by nobody, and the rotation is due.
        model.script("check", &["secret-add --owner unit --rotate hourly token=one"]).nth(1);
        model.script("check", &["secret-ids", "secret-set $1 --expire 1m token=two"]).nth(2);
        for _ in 0..2 {
            model.run_action("zk/0", "check", &[]).unwrap();
        }
        model.until_done("zk/0", "check", 2);
        model.advance(Duration::from_secs(3601));
        let id = model.answer("zk/0", "check", 0).stdout.trim_end().to_owned();
        let expected = ["secret-expired", "secret-rotate", "secret-remove"].map(|hook| format!("{hook} ({id})"));
        let hooks = settled(&mut model, "zk/0");
        assert_eq!(hooks[..3], expected);
        assert_eq!(hooks[3], WAITING);
    });
}

#[test]
fn c3_2_a_queued_hook_runs_even_in_a_dying_unit() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(charm(METADATA).config(CONFIG), 1);
        model.until_done("zk/0", "config-changed", 1);
        model.remove_unit("zk/0").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["start", "stop", "remove"]);
        let mut model = started(stage, 1);
        model.refresh("zk", charm(METADATA).config(CONFIG).actions(ACTIONS));
        model.until_done("zk/0", "upgrade-charm", 1);
        model.remove_unit("zk/0").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed", "stop", "remove"]);
    });
}

#[test]
fn c3_2_a_failed_hook_holds_up_what_follows() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("config-changed", &[]).nth(1).exits(1);
        model.script("config-changed", &[]).nth(2).exits(1);
        model.settle_until_failure();
        assert!(model.is_quiet());
        let runs = model.settle_retrying(2);
        assert_eq!(hooks_of(&runs, "zk/0"), ["config-changed", "config-changed", "start"]);
        // It holds up a unit's end as well.
        model.script("update-status", &[]).nth(1).exits(1);
        model.update_status("zk/0").unwrap();
        model.settle_until_failure();
        model.remove_unit("zk/0").unwrap();
        assert!(model.is_quiet());
        assert_eq!(hooks_of(&model.settle_retrying(1), "zk/0"), ["update-status", "stop", "remove"]);
    });
}

#[test]
fn c3_2_a_dying_unit_does_nothing_but_leave() {
    on_every_driver(|stage| {
        let mut model = with_a_waiting_relation_hook(stage, METADATA);
        model.remove_unit("zk/0").unwrap();
        model.set_config("zk", "port", 2182).unwrap();
        model.update_status("zk/0").unwrap();
        model.refresh("zk", charm(METADATA).config(CONFIG).actions(ACTIONS));
        let expected = ["client-relation-departed (kafka/0)", "client-relation-broken", "stop", "remove"];
        assert_eq!(settled(&mut model, "zk/0"), expected);
        // A unit that was never installed leaves without a word.
        model.add_unit("zk").unwrap();
        model.remove_unit("zk/1").unwrap();
        assert_eq!(settled(&mut model, "zk/1"), NOTHING);
        assert!(model.is_gone("zk/1"));
    });
}

#[test]
fn c3_2_config_changed_for_options_addresses_and_trust() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 1);
        model.set_config("zk", "port", 2182).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed"]);
        model.set_address("zk/0", "10.0.0.99").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed"]);
        model.set_trust("zk", true).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed"]);
        model.reset_config("zk", "port").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed"]);
    });
}

#[test]
fn c3_2_config_changed_only_for_a_real_difference() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.set_config("zk", "port", 2181).unwrap();
        model.restart_agent("zk/0").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), NOTHING);
        for port in [2182, 2183, 2184] {
            model.set_config("zk", "port", port).unwrap();
        }
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed"]);
        model.set_config("zk", "port", 2185).unwrap();
        model.set_config("zk", "port", 2184).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), NOTHING);
        // What changes while the hook runs is news to the next one.
        model.script("config-changed", &["config-get port", "config-get port"]);
        model.set_config("zk", "port", 2186).unwrap();
        let change = Change::Config { application: "zk".to_owned(), option: "port".to_owned(), value: 2187.into() };
        model.before_command("zk/0", 2, change).unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed", "config-changed"]);
        let printed: Vec<String> = model.answers("zk/0", "config-changed").into_iter().map(|out| out.stdout).collect();
        assert_eq!(printed, ["2186\n", "2186\n", "2187\n", "2187\n"]);
    });
}

#[test]
fn c3_2_losing_leadership_runs_no_hook() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 2);
        model.set_leader("zk/1").unwrap();
        model.settle();
        model.set_leader("zk/0").unwrap();
        model.settle();
        // Both have run `leader-settings-changed` now, where there is one.
        model.set_leader("zk/1").unwrap();
        let runs = model.settle();
        assert_eq!((hooks_of(&runs, "zk/0"), hooks_of(&runs, "zk/1")), (vec![], vec!["leader-elected".to_owned()]));
        model.remove_leader("zk").unwrap();
        assert_eq!(model.settle().len(), 0);
    });
}

#[test]
fn c3_2_config_changed_directly_follows_upgrade_charm() {
    on_every_version(&VERSIONS, |stage| {
        let mut model = started(stage, 2);
        model.refresh("zk", charm(METADATA).config(CONFIG).actions(ACTIONS));
        model.until_begun("zk/0", "upgrade-charm");
        model.run_action("zk/0", "check", &[]).unwrap();
        model.update_status("zk/0").unwrap();
        assert_eq!(
            settled(&mut model, "zk/0"),
            ["upgrade-charm", "config-changed", "action check (1)", "update-status"]
        );
    });
}

#[test]
fn c3_2_new_endpoints_get_their_created() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        let metadata = METADATA.replace("provides:", "  more: {interface: q}\nprovides:");
        model.refresh("zk", charm(&metadata).config(CONFIG).actions(ACTIONS));
        let runs = model.settle();
        for (unit, other) in [("zk/0", "zk/1"), ("zk/1", "zk/0")] {
            let hooks = hooks_of(&runs, unit);
            assert_eq!(hooks.iter().filter(|hook| *hook == "more-relation-created").count(), 1);
            assert_eq!(hooks[0], "upgrade-charm");
            assert!(hooks.contains(&format!("more-relation-joined ({other})")), "{hooks:?}");
        }
    });
}

#[test]
fn c3_2_update_status_comes_about_every_five_minutes() {
    on_every_driver(|stage| {
        let mut model = started(stage, 1);
        model.seed(4);
        let gaps = gaps_between_update_status(&mut model);
        assert!(gaps.iter().all(|gap| (240..=360).contains(gap)), "{gaps:?}");
        assert!(gaps.iter().collect::<BTreeSet<_>>().len() > 1, "{gaps:?}");
        // Never while something else is due.
        model.hold("zk/0").unwrap();
        model.set_config("zk", "port", 2182).unwrap();
        model.update_status("zk/0").unwrap();
        model.release("zk/0").unwrap();
        assert_eq!(settled(&mut model, "zk/0"), ["config-changed", "update-status"]);
    });
}

/// The seconds from one `update-status` to the next, ten times.
fn gaps_between_update_status(model: &mut Play) -> Vec<u64> {
    let (mut gaps, mut last) = (Vec::new(), None);
    while gaps.len() < 10 {
        if model.pass(Duration::from_secs(1)).is_empty() {
            continue;
        }
        let now = model.now().as_secs();
        gaps.extend(last.replace(now).map(|last: u64| now - last));
    }
    gaps
}

#[test]
fn c3_3_at_most_one_unit_leads() {
    on_every_driver(|stage| {
        let mut model = stage.model();
        model.seed(11);
        let mut model = model.deploy(METADATA, 3);
        model.script("update-status", &["is-leader --format=json"]);
        model.settle();
        for leader in ["zk/1", "zk/2", "zk/0"] {
            model.set_leader(leader).unwrap();
            for unit in ["zk/0", "zk/1", "zk/2"] {
                model.update_status(unit).unwrap();
            }
            model.settle();
            for unit in ["zk/0", "zk/1", "zk/2"] {
                let told = model.answers(unit, "update-status").pop().unwrap();
                assert_eq!(told, ok(if unit == leader { "true\n" } else { "false\n" }));
            }
        }
        // It goes from a unit that is gone to one that is not.
        model.remove_unit("zk/0").unwrap();
        model.settle();
        assert!(["zk/1", "zk/2"].contains(&model.leader("zk").unwrap().as_str()));
    });
}

#[test]
fn c3_3_there_may_be_no_leader() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 2);
        model.remove_leader("zk").unwrap();
        model.script("start", &["is-leader --format=json"]);
        model.settle();
        assert!(model.leader("zk").is_none());
        for unit in ["zk/0", "zk/1"] {
            assert_eq!(model.answer(unit, "start", 0), ok("false\n"));
            assert_eq!(model.runs(unit, "leader-elected").len(), 0);
        }
        model.elect("zk").unwrap();
        assert!(model.steps().iter().all(|step| matches!(step, Step::Elect(_))));
        let runs = model.settle();
        assert_eq!((runs.len(), runs[0].to_string().as_str()), (1, "leader-elected"));
    });
}

#[test]
fn c3_3_leader_elected_once_for_each_gain() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        for gains in 2..4 {
            model.set_leader("zk/1").unwrap();
            model.settle();
            model.set_leader("zk/0").unwrap();
            model.settle();
            model.set_leader("zk/0").unwrap();
            model.update_status("zk/0").unwrap();
            assert_eq!(settled(&mut model, "zk/0"), ["update-status"]);
            assert_eq!(model.runs("zk/0", "leader-elected").len(), gains);
        }
    });
}

#[test]
fn c3_3_leader_elected_is_skipped_if_leadership_is_gone() {
    on_every_driver(|stage| {
        let mut model = started(stage, 2);
        model.update_status("zk/1").unwrap();
        model.until_begun("zk/1", "update-status");
        model.set_leader("zk/1").unwrap();
        model.set_leader("zk/0").unwrap();
        model.end("zk/1");
        model.settle();
        assert_eq!(model.runs("zk/1", "leader-elected").len(), 0);
    });
}

#[test]
fn c3_3_a_unit_leads_before_its_leader_elected() {
    on_every_driver(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.set_leader("zk/0").unwrap();
        let commands = ["is-leader --format=json", "relation-set --app a=1"];
        model.script("zkpeer-relation-created", &commands);
        model.settle();
        let hooks = model.hooks("zk/0");
        assert_eq!(hooks[1..3], ["zkpeer-relation-created", "leader-elected"]);
        assert_eq!(model.answers("zk/0", "zkpeer-relation-created"), [ok("true\n"), ok("")]);
        assert_eq!(model.app_data(0, "zk")["a"], "1");
    });
}
