//! `ZookeeperPeers`: flags, members, restarts, the ensemble's leader (differences D4 to D8, D17 to D20).

use zkpeer_core::interfaces::zookeeper_quorum::{self as quorum, DepartedNode, Node};
use zkpeer_core::testing::{Application, Error, Model, Unit};
use zkpeer_core::{Action, Charm, Flags, Interface, Kv, Leader, Result, ZookeeperPeers, action, handlers, hook, when};

const METADATA: &str =
    "name: zk\nsummary: a charm\ndescription: for tests\npeers:\n  zkpeer: {interface: zookeeper-quorum}\n";

fn nodes(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| format!("{} {}", node.unit, node.address)).collect()
}

fn gone(nodes: &[DepartedNode]) -> Vec<String> {
    nodes.iter().map(|node| format!("{} {}", node.unit, node.address.as_deref().unwrap_or("-"))).collect()
}

#[when("ready", "{relation_name}.joined")]
fn add(zkpeer: ZookeeperPeers, kv: Kv) -> Result {
    let name = zkpeer.endpoint().name().to_owned();
    kv.set(&format!("{name} quorum"), &nodes(&zkpeer.get_nodes()?))?;
    kv.set(&format!("{name} joined"), &nodes(&zkpeer.joined_nodes()?))?;
    zkpeer.dismiss_joined();
    Ok(())
}

#[when("ready", "{relation_name}.departed")]
fn remove(zkpeer: ZookeeperPeers, kv: Kv) -> Result {
    let name = zkpeer.endpoint().name().to_owned();
    kv.set(&format!("{name} quorum"), &nodes(&zkpeer.get_nodes()?))?;
    kv.set(&format!("{name} departed"), &gone(&zkpeer.departed_nodes()?))?;
    zkpeer.dismiss_departed();
    kv.set(&format!("{name} after"), &nodes(&zkpeer.get_nodes()?))?;
    Ok(())
}

#[when("ready", "{relation_name}.changed")]
fn update(zkpeer: ZookeeperPeers, kv: Kv) -> Result {
    kv.set(&format!("{} quorum", zkpeer.endpoint().name()), &nodes(&zkpeer.get_nodes()?))?;
    zkpeer.dismiss_changed();
    Ok(())
}

/// Asks everything that can be asked, outside the relation's hooks.
#[hook("update-status")]
fn look(zkpeer: ZookeeperPeers, kv: Kv) -> Result {
    kv.set("quorum", &nodes(&zkpeer.get_nodes()?))?;
    kv.set("restarted", &nodes(&zkpeer.restarted_nodes()?))?;
    kv.set("leader", &nodes(zkpeer.find_zk_leader()?.as_slice()))?;
    kv.set("leaving", &zkpeer.is_leaving())?;
    Ok(())
}

#[when("restart")]
fn inform(zkpeer: ZookeeperPeers) -> Result {
    zkpeer.inform_restart()?;
    Ok(())
}

#[when("leads")]
fn lead(zkpeer: ZookeeperPeers) -> Result {
    zkpeer.set_zk_leader(true)?;
    Ok(())
}

#[when("led")]
fn follow(zkpeer: ZookeeperPeers) -> Result {
    zkpeer.set_zk_leader(false)?;
    Ok(())
}

/// A unit whose peers have numbers from 1 on, all of them joined and their hooks run.
fn unit(peers: u32) -> Unit {
    let mut unit = Unit::new(handlers![
        quorum::joined,
        quorum::changed,
        quorum::departed,
        add,
        remove,
        update,
        look,
        inform,
        lead,
        follow
    ])
    .metadata(METADATA);
    (1..=peers).for_each(|number| join(&mut unit, number));
    unit
}

fn join(unit: &mut Unit, number: u32) {
    tell(unit, number, &[("ingress-address", &format!("10.0.0.{number}"))]);
    unit.run_relation("zkpeer-relation-joined", "zkpeer:0", &format!("zk/{number}"));
    unit.run_relation("zkpeer-relation-changed", "zkpeer:0", &format!("zk/{number}"));
}

fn tell(unit: &mut Unit, number: u32, bag: &[(&str, &str)]) {
    unit.set_member("zkpeer:0", &format!("zk/{number}"), bag);
}

fn hear(unit: &mut Unit, number: u32, bag: &[(&str, &str)]) {
    tell(unit, number, bag);
    unit.run_relation("zkpeer-relation-changed", "zkpeer:0", &format!("zk/{number}"));
}

fn depart(unit: &mut Unit, number: u32) {
    unit.remove_member("zkpeer:0", &format!("zk/{number}"));
    unit.run_relation("zkpeer-relation-departed", "zkpeer:0", &format!("zk/{number}"));
}

fn ready(unit: &mut Unit) {
    unit.store("reactive.states.ready", &());
}

fn seen(unit: &Unit, key: &str) -> String {
    unit.stored()[key].replace('"', "")
}

#[test]
fn difference_d4_the_quorum_is_all_other_members_in_the_order_of_their_numbers() {
    // DIFFERENCE D4: the Python interface gives only those that have just joined (R1), in the order of joining.
    let mut unit = unit(0);
    ready(&mut unit);
    for number in [2, 10, 1] {
        join(&mut unit, number);
    }
    assert_eq!(seen(&unit, "zkpeer quorum"), "[zk/1 10.0.0.1, zk/2 10.0.0.2, zk/10 10.0.0.10]");
    assert_eq!(seen(&unit, "zkpeer joined"), "[zk/1 10.0.0.1]");
    assert_eq!(unit.flags(), ["ready"]);
}

#[test]
fn difference_d4_in_a_departed_handler_the_quorum_is_those_that_remain() {
    // DIFFERENCE D4: the Python interface gives those that have departed (R2).
    let mut unit = unit(3);
    ready(&mut unit);
    depart(&mut unit, 2);
    assert_eq!(seen(&unit, "zkpeer quorum"), "[zk/1 10.0.0.1, zk/3 10.0.0.3]");
    assert_eq!(seen(&unit, "zkpeer departed"), "[zk/2 10.0.0.2]");
    assert_eq!(seen(&unit, "zkpeer after"), "[zk/1 10.0.0.1, zk/3 10.0.0.3]", "dismissing brings nobody back");
    assert!(!unit.stored().keys().any(|key| key.contains("zk/2")), "nothing is left of it: {:?}", unit.stored());
}

#[test]
fn difference_d8_peers_that_departed_before_the_charm_was_ready_are_handled_later() {
    // DIFFERENCE D8: the Python interface fails for good, or takes another peer for them (R4, R5).
    let mut unit = unit(3);
    depart(&mut unit, 1);
    depart(&mut unit, 3);
    assert_eq!(unit.flags(), ["zkpeer.departed", "zkpeer.joined"]);
    join(&mut unit, 4);
    ready(&mut unit);
    let report = unit.run("update-status");
    assert_eq!(report.handlers(), ["look", "add[zkpeer]", "remove[zkpeer]"]);
    assert_eq!(seen(&unit, "zkpeer joined"), "[zk/2 10.0.0.2, zk/4 10.0.0.4]");
    assert_eq!(seen(&unit, "zkpeer departed"), "[zk/1 10.0.0.1, zk/3 10.0.0.3]");
    assert_eq!(seen(&unit, "zkpeer quorum"), "[zk/2 10.0.0.2, zk/4 10.0.0.4]");
    assert_eq!(unit.flags(), ["ready"]);
}

#[test]
fn a_peer_that_comes_back_is_no_longer_departed() {
    let mut unit = unit(1);
    depart(&mut unit, 1);
    join(&mut unit, 1);
    assert_eq!(unit.flags(), ["zkpeer.joined"]);
}

#[test]
fn a_peer_that_comes_back_in_a_hook_that_was_resolved_is_no_longer_departed() {
    let mut unit = unit(1);
    depart(&mut unit, 1);
    hear(&mut unit, 1, &[("ingress-address", "10.0.0.1")]);
    assert_eq!(unit.flags(), ["zkpeer.joined"]);
}

#[test]
fn difference_d17_a_peer_joins_when_its_address_is_known() {
    // DIFFERENCE D17: the Python interface tells it at once, with `None` for an address (R7).
    let mut unit = unit(0);
    ready(&mut unit);
    tell(&mut unit, 1, &[]);
    unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
    assert!(!unit.stored().contains_key("zkpeer quorum"));
    unit.run("update-status");
    assert_eq!(seen(&unit, "quorum"), "[]");
    hear(&mut unit, 1, &[("ip", "10.0.0.7")]);
    assert_eq!(seen(&unit, "zkpeer joined"), "[zk/1 10.0.0.7]");
}

#[test]
fn an_address_is_the_ingress_address_else_the_private_one_else_the_charms_own() {
    let all = [("ip", "1.1.1.1"), ("private-address", "2.2.2.2"), ("ingress-address", "3.3.3.3")];
    for known in 1..=all.len() {
        let mut unit = unit(0);
        ready(&mut unit);
        tell(&mut unit, 1, &all[..known]);
        unit.run_relation("zkpeer-relation-joined", "zkpeer:0", "zk/1");
        assert_eq!(seen(&unit, "zkpeer quorum"), format!("[zk/1 {}]", all[known - 1].1));
    }
}

#[test]
fn difference_d18_changed_tells_of_another_address_and_of_nothing_else() {
    // DIFFERENCE D18: the Python interface tells it in every `-changed` hook.
    let mut unit = unit(2);
    ready(&mut unit);
    unit.run("update-status");
    hear(&mut unit, 2, &[("ingress-address", "10.0.0.2"), ("other", "value")]);
    assert!(!unit.is_set("zkpeer.changed"));
    let report = {
        tell(&mut unit, 2, &[("ingress-address", "10.9.9.9")]);
        unit.run_relation("zkpeer-relation-changed", "zkpeer:0", "zk/2")
    };
    assert_eq!(report.handlers(), ["changed", "update[zkpeer]"]);
    assert_eq!(seen(&unit, "zkpeer quorum"), "[zk/1 10.0.0.1, zk/2 10.9.9.9]");
    hear(&mut unit, 2, &[]);
    unit.run("update-status");
    assert_eq!(
        seen(&unit, "quorum"),
        "[zk/1 10.0.0.1, zk/2 10.9.9.9]",
        "an address that is taken back is still the last"
    );
}

#[test]
fn departing_clears_that_peers_joined_and_changed() {
    let mut unit = unit(2);
    hear(&mut unit, 1, &[("ingress-address", "10.9.9.9")]);
    hear(&mut unit, 2, &[("ingress-address", "10.9.9.8")]);
    depart(&mut unit, 1);
    assert_eq!(unit.flags(), ["zkpeer.changed", "zkpeer.departed", "zkpeer.joined"]);
    depart(&mut unit, 2);
    assert_eq!(unit.flags(), ["zkpeer.departed"]);
}

#[test]
fn difference_d7_a_unit_that_leaves_sees_nobody_depart() {
    // DIFFERENCE D7: the Python interface takes everybody else for departed (R6).
    let mut unit = unit(3);
    ready(&mut unit);
    unit.run("update-status");
    unit.set_leaving(true);
    for number in 1..=3 {
        depart(&mut unit, number);
        unit.run("update-status");
        assert_eq!(seen(&unit, "quorum"), "[zk/1 10.0.0.1, zk/2 10.0.0.2, zk/3 10.0.0.3]");
        assert_eq!(seen(&unit, "leaving"), "true");
    }
    assert_eq!(unit.flags(), ["ready", "zkpeer.leaving"]);
    assert!(!unit.stored().contains_key("zkpeer departed"));
}

#[test]
fn the_cost_of_a_hook_does_not_grow_with_the_number_of_peers() {
    let commands = |peers: u32| {
        let mut unit = unit(peers);
        ready(&mut unit);
        unit.set_leader_setting("restart_nonce", "7");
        let mut all = Vec::new();
        unit.run("update-status");
        all.push(unit.commands());
        join(&mut unit, peers + 1);
        unit.run_relation("zkpeer-relation-changed", "zkpeer:0", "zk/1");
        all.push(unit.commands());
        depart(&mut unit, 1);
        all.push(unit.commands());
        unit.store("reactive.states.restart", &());
        unit.store("reactive.states.leads", &());
        unit.run("config-changed");
        all.push(unit.commands());
        all
    };
    let few = commands(3);
    assert_eq!(few[0], ["leader-get"]);
    assert_eq!(few[1], ["relation-get zkpeer:0 zk/1"]);
    assert_eq!(few[2], [""; 0]);
    assert_eq!(few, commands(30));
}

#[test]
fn a_restart_is_told_with_the_nonce_and_earlier_ones_are_taken_back() {
    let mut unit = unit(2);
    unit.store("reactive.states.restart", &());
    for (nonce, expected) in [("1", "restarted.1=True"), ("2", "restarted.2=True"), ("2", "restarted.2=True")] {
        unit.set_leader_setting("restart_nonce", nonce);
        unit.run("config-changed");
        let told: Vec<String> =
            unit.published("zkpeer:0").iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(told, [expected]);
    }
}

#[test]
fn difference_d6_without_a_nonce_there_is_nothing_to_tell() {
    // DIFFERENCE D6: the Python interface writes `restarted.None` (R10).
    let mut unit = unit(2);
    unit.store("reactive.states.restart", &());
    unit.run("config-changed");
    assert!(unit.published("zkpeer:0").is_empty());
    assert_eq!(unit.commands(), ["leader-get"]);
}

#[test]
fn those_have_restarted_who_say_so_with_the_nonce_that_holds() {
    let mut unit = unit(3);
    hear(&mut unit, 1, &[("ingress-address", "10.0.0.1"), ("restarted.1", "True"), ("restarted.2", "True")]);
    hear(&mut unit, 2, &[("ingress-address", "10.0.0.2"), ("restarted.1", "True"), ("restarted.2", "False")]);
    for (nonce, expected) in
        [("1", "[zk/1 10.0.0.1, zk/2 10.0.0.2]"), ("2", "[zk/1 10.0.0.1]"), ("3", "[]"), ("", "[]")]
    {
        unit.set_leader_setting("restart_nonce", nonce);
        unit.run("update-status");
        assert_eq!(seen(&unit, "restarted"), expected, "nonce {nonce}");
    }
}

#[test]
fn difference_d5_the_ensembles_leader_is_found_with_its_address_and_can_take_that_back() {
    // DIFFERENCE D5: the Python interface never finds it, and never takes the mark back (R8, R9).
    let mut unit = unit(3);
    unit.run("update-status");
    assert_eq!(seen(&unit, "leader"), "[]");
    hear(&mut unit, 1, &[("ingress-address", "10.0.0.1"), ("is_zk_leader", "False")]);
    hear(&mut unit, 3, &[("ingress-address", "10.0.0.3"), ("is_zk_leader", "True")]);
    hear(&mut unit, 2, &[("ingress-address", "10.0.0.2"), ("is_zk_leader", "True")]);
    unit.run("update-status");
    assert_eq!(seen(&unit, "leader"), "[zk/2 10.0.0.2]");
    hear(&mut unit, 2, &[("ingress-address", "10.0.0.2")]);
    unit.run("update-status");
    assert_eq!(seen(&unit, "leader"), "[zk/3 10.0.0.3]");
    depart(&mut unit, 3);
    unit.run("update-status");
    assert_eq!(seen(&unit, "leader"), "[]");
    unit.store("reactive.states.leads", &());
    unit.run("config-changed");
    assert_eq!(unit.published("zkpeer:0")["is_zk_leader"], "True");
    unit.store("reactive.states.led", &());
    unit.run("config-changed");
    assert!(unit.published("zkpeer:0").is_empty());
}

#[test]
fn what_is_told_before_the_relation_is_entered_is_told_then() {
    for first in ["created", "joined"] {
        let handlers = handlers![quorum::created, quorum::joined, inform, lead, follow];
        let mut unit = Unit::new(handlers).metadata(METADATA);
        unit.set_leader_setting("restart_nonce", "7");
        for flag in ["leads", "restart"] {
            unit.store(&format!("reactive.states.{flag}"), &());
        }
        unit.run("install");
        assert!(unit.published("zkpeer:0").is_empty());
        ["leads", "restart"].into_iter().for_each(|flag| unit.clear_flag(flag));
        let hook = format!("zkpeer-relation-{first}");
        let report = match first {
            "created" => unit.try_run_relation_without_unit(&hook, "zkpeer:0"),
            _ => unit.run_relation(&hook, "zkpeer:0", "zk/1"),
        };
        assert_eq!(report.error, None);
        let told: Vec<String> =
            unit.published("zkpeer:0").into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(told, ["is_zk_leader=True", "restarted.7=True"], "{first}");
        assert!(!unit.stored().keys().any(|key| key.contains("to-be-told")));
    }
}

#[test]
fn of_several_restarts_before_the_relation_is_entered_the_last_is_told() {
    let mut unit = Unit::new(handlers![quorum::created, inform, lead]).metadata(METADATA);
    unit.set_flag("leads");
    unit.set_flag("restart");
    for nonce in ["7", "8"] {
        unit.set_leader_setting("restart_nonce", nonce);
        unit.run("config-changed");
    }
    ["leads", "restart"].into_iter().for_each(|flag| unit.clear_flag(flag));
    assert_eq!(unit.try_run_relation_without_unit("zkpeer-relation-created", "zkpeer:0").error, None);
    let told: Vec<String> = unit.published("zkpeer:0").into_keys().collect();
    assert_eq!(told, ["is_zk_leader", "restarted.8"]);
}

#[test]
fn two_endpoints_of_the_interface_do_not_mix() {
    let metadata = "name: zk\npeers:\n  zkpeer: {interface: zookeeper-quorum}\n  zk: {interface: zookeeper-quorum}\n";
    let mut unit =
        Unit::new(handlers![quorum::joined, quorum::changed, quorum::departed, add, remove, update]).metadata(metadata);
    for (endpoint, relation, address) in [("zkpeer", "zkpeer:0", "10.0.0.1"), ("zk", "zk:1", "10.1.0.1")] {
        unit.set_member(relation, "zk/1", &[("ingress-address", address)]);
        unit.run_relation(&format!("{endpoint}-relation-joined"), relation, "zk/1");
    }
    assert_eq!(unit.flags(), ["zk.joined", "zkpeer.joined"]);
    ready(&mut unit);
    unit.run("update-status");
    assert_eq!(seen(&unit, "zkpeer quorum"), "[zk/1 10.0.0.1]");
    assert_eq!(seen(&unit, "zk quorum"), "[zk/1 10.1.0.1]");
    unit.remove_member("zk:1", "zk/1");
    unit.run_relation("zk-relation-departed", "zk:1", "zk/1");
    assert_eq!(
        (seen(&unit, "zk quorum"), seen(&unit, "zkpeer quorum")),
        ("[]".to_owned(), "[zk/1 10.0.0.1]".to_owned())
    );
    assert!(!unit.stored().contains_key("zkpeer departed"));
}

#[test]
fn a_peer_that_is_met_over_two_relations_of_one_endpoint_is_one_member() {
    let mut unit = unit(2);
    unit.set_member("zkpeer:7", "zk/2", &[("ingress-address", "10.0.0.22")]);
    unit.run_relation("zkpeer-relation-joined", "zkpeer:7", "zk/2");
    unit.run("update-status");
    assert_eq!(seen(&unit, "quorum"), "[zk/1 10.0.0.1, zk/2 10.0.0.22]");
}

/// What the Python interface has stored of two peers, one of which departed before it was dismissed.
fn taken_over() -> Unit {
    let mut unit = unit(0);
    for number in [1, 2] {
        tell(&mut unit, number, &[("private-address", &format!("10.0.0.{number}"))]);
    }
    let unit_name = "zk/1";
    let record = serde_json::json!({"namespace": "zkpeer:0", "scope": unit_name, "units": [unit_name]});
    unit.store("reactive.conversations.zkpeer:0.zk/1", &record);
    let stale = serde_json::json!({"relation": "zkpeer", "conversations": ["reactive.conversations.zkpeer:0.zk/2"]});
    unit.store("reactive.states.zkpeer.departed", &stale);
    unit
}

#[test]
fn peers_that_the_python_charm_has_met_are_looked_at_once() {
    let mut unit = taken_over();
    unit.run("update-status");
    assert_eq!(unit.commands(), ["relation-get zkpeer:0 zk/1", "leader-get"]);
    unit.run("update-status");
    assert_eq!(unit.commands(), ["leader-get"]);
    assert_eq!(seen(&unit, "quorum"), "[zk/1 10.0.0.1]");
}

#[test]
fn a_stale_departure_that_the_python_charm_has_left_is_handled_and_gone() {
    let mut unit = taken_over();
    ready(&mut unit);
    unit.run("update-status");
    assert_eq!(seen(&unit, "zkpeer departed"), "[zk/2 -]");
    assert_eq!(unit.flags(), ["ready"]);
}

#[test]
fn a_peer_that_the_python_charm_has_met_joins_again_when_it_is_heard_of() {
    let mut unit = taken_over();
    hear(&mut unit, 1, &[("ingress-address", "10.9.9.9")]);
    assert!(unit.is_set("zkpeer.joined"), "which address the charm knows of it cannot be told");
}

#[test]
fn a_peer_whose_joining_was_resolved_without_running_joins_when_it_is_heard_of() {
    let mut unit = unit(0);
    ready(&mut unit);
    hear(&mut unit, 1, &[("ingress-address", "10.0.0.1")]);
    assert_eq!(seen(&unit, "zkpeer joined"), "[zk/1 10.0.0.1]");
}

#[test]
fn hundreds_of_departures_are_dismissed_at_once() {
    let mut unit = unit(0);
    for number in 1..=300 {
        tell(&mut unit, number, &[("ingress-address", "10.0.0.1")]);
        unit.run_relation("zkpeer-relation-joined", "zkpeer:0", &format!("zk/{number}"));
    }
    for number in 1..=300 {
        depart(&mut unit, number);
    }
    ready(&mut unit);
    let report = unit.run("update-status");
    assert_eq!(report.handlers(), ["look", "remove[zkpeer]"]);
    assert!(!unit.stored().keys().any(|key| key.contains("zk/")));
}

#[test]
fn a_charm_without_the_endpoint_runs_its_hooks_under_juju_4_too() {
    let handlers =
        handlers![quorum::created, quorum::joined, quorum::changed, quorum::departed, quorum::departed_untold];
    let mut unit = Unit::new(handlers).metadata("name: zk\n").juju("4.0.14");
    assert_eq!(unit.run("update-status").handlers(), [""; 0]);
}

/// Calls the methods as programs do, by their names.
#[hook("config-changed")]
fn calls(zkpeer: ZookeeperPeers, flags: Flags, kv: Kv) -> Result {
    for method in ["get_nodes", "inform_restart", "dismiss_joined", "dismiss_departed", "dismiss_changed", "forget"] {
        let before: Vec<String> = flags.list().into_iter().filter(|flag| flag.starts_with("zkpeer.")).collect();
        let before = before.join(" ");
        let answer = zkpeer.call(method, &[])?.map_or_else(|| "no such method".to_owned(), |value| value.to_string());
        kv.set(method, &format!("{answer}, of {before}"))?;
    }
    Ok(())
}

#[test]
fn programs_call_its_methods_by_their_names() {
    let mut unit = Unit::new(handlers![quorum::joined, quorum::changed, quorum::departed, calls]).metadata(METADATA);
    (1..=3).for_each(|number| join(&mut unit, number));
    hear(&mut unit, 1, &[("ingress-address", "10.0.0.9")]);
    depart(&mut unit, 2);
    unit.set_leader_setting("restart_nonce", "7");
    unit.run("config-changed");
    let nodes = r#"[["zk/1","10.0.0.9"],["zk/3","10.0.0.3"]]"#;
    let all = "zkpeer.changed zkpeer.departed zkpeer.joined";
    let answers = [
        ("get_nodes", nodes, all),
        ("inform_restart", "null", all),
        ("dismiss_joined", "null", all),
        ("dismiss_departed", "null", "zkpeer.changed zkpeer.departed"),
        ("dismiss_changed", "null", "zkpeer.changed"),
        ("forget", "no such method", ""),
    ];
    for (method, answer, flags) in answers {
        let seen: String = serde_json::from_str(&unit.stored()[method]).unwrap();
        assert_eq!(seen, format!("{answer}, of {flags}"), "{method}");
    }
    assert_eq!(unit.published("zkpeer:0")["restarted.7"], "True");
}

/// A charm's directory.
fn charm() -> tempfile::TempDir {
    let charm = tempfile::tempdir().unwrap();
    let bases = "bases: [{name: ubuntu, channel: \"24.04\", architectures: [amd64]}]\n";
    let files = [("metadata.yaml", METADATA), ("manifest.yaml", bases), ("actions.yaml", "quorum: {}\n")];
    files.iter().for_each(|(name, text)| std::fs::write(charm.path().join(name), text).unwrap());
    charm
}

#[action("quorum")]
fn tell_quorum(action: Action, zkpeer: ZookeeperPeers) -> Result {
    action.set("quorum", &nodes(&zkpeer.get_nodes()?).join(", "));
    Ok(())
}

#[test]
fn difference_d20_a_departure_that_juju_4_does_not_tell_is_found_out() -> std::result::Result<(), Error> {
    // DIFFERENCE D20: nothing but Juju's word removes a peer from the Python interface.
    let charm = charm();
    let mut model = Model::juju("4.0.14")?;
    model.set_peer_departure_bug(true);
    let handlers = handlers![quorum::joined, quorum::changed, quorum::departed, quorum::departed_untold, tell_quorum];
    model.deploy(Application::new(charm.path()).in_process(Charm::new().handlers(handlers)).units(3))?;
    model.settle()?;
    model.remove_unit("zk/2")?;
    model.settle()?;
    assert!(!model.flags("zk/0").contains(&"zkpeer.departed".to_owned()), "Juju does not tell");
    model.update_status("zk/0")?;
    model.settle()?;
    assert!(model.flags("zk/0").contains(&"zkpeer.departed".to_owned()));
    let action = model.run_action("zk/0", "quorum", &[])?;
    model.settle()?;
    assert_eq!(model.action(action).unwrap().results["quorum"], "zk/1 10.0.0.5".into());
    Ok(())
}

#[test]
fn difference_d20_where_juju_tells_every_departure_goal_state_is_not_asked_for() {
    let commands = |version: &str| {
        let mut unit = Unit::new(handlers![quorum::departed_untold]).metadata(METADATA).juju(version);
        unit.run("update-status");
        unit.commands()
    };
    assert_eq!(commands("2.9.52"), [""; 0]);
    assert_eq!(commands("3.6.25"), [""; 0]);
    assert_eq!(commands("4.0.14"), ["goal-state"]);
}

/// The leader orders a restart.
#[hook("update-status")]
fn order(leader: Leader, zkpeer: ZookeeperPeers) -> Result {
    if leader.is_leader()? {
        leader.set("restart_nonce", "7")?;
        zkpeer.inform_restart()?;
    }
    Ok(())
}

#[when("leadership.changed.restart_nonce")]
fn obey(zkpeer: ZookeeperPeers) -> Result {
    zkpeer.inform_restart()?;
    Ok(())
}

#[test]
fn a_restart_that_the_leader_orders_is_told_by_all_on_every_juju() -> std::result::Result<(), Error> {
    let charm = charm();
    for version in ["2.9.52", "3.6.25", "4.0.14"] {
        let mut model = Model::juju(version)?;
        let handlers = handlers![quorum::joined, quorum::changed, quorum::departed, order, obey];
        model.deploy(Application::new(charm.path()).in_process(Charm::new().handlers(handlers)).units(3))?;
        model.settle()?;
        model.update_status("zk/0")?;
        model.settle()?;
        for unit in ["zk/0", "zk/1", "zk/2"] {
            assert_eq!(
                model.unit_data(0, unit).get("restarted.7").map(String::as_str),
                Some("True"),
                "{unit}, {version}"
            );
        }
    }
    Ok(())
}
