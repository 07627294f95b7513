//! Each row of what was observed of the Python interface (R1 to R13), with what ours does beside it.
//!
//! What differs on purpose is marked `DIFFERENCE`, with its number.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Value, json};
use zkpeer_core::testing::{Error, HookRun, Model};

use crate::lockstep::{APP, Side, number};
use crate::seen::{self, CONVERSATIONS};
use crate::{judge, ours};

const FIRST: &str = "zookeeper/0";
const SECOND: &str = "zookeeper/1";
const THIRD: &str = "zookeeper/2";
const FOURTH: &str = "zookeeper/3";

/// Both sides, each for itself.
struct Beside {
    ours: Side,
    python: Side,
    _charms: (ours::Charm, judge::Charm),
}

impl Beside {
    /// So many units; `install` of the first waits.
    fn held(units: u64) -> Self {
        let beside = Self::new(units);
        beside.write(FIRST, "hold-install", "");
        beside
    }

    fn new(units: u64) -> Self {
        let charms = (ours::Charm::new(), judge::Charm::quick());
        let mut beside = Self { ours: Side::ours(&charms.0), python: Side::python(&charms.1), _charms: charms };
        (0..units).for_each(|_| beside.add_unit());
        beside
    }

    fn add_unit(&mut self) {
        self.operate(|model| model.add_unit(APP).map(drop));
        let unit = self.ours.model.units().into_iter().max_by_key(|unit| unit.number()).unwrap();
        let address = format!("10.0.1.{}", number(unit.as_str()));
        self.operate(|model| model.set_address(unit.as_str(), &address));
    }

    fn operate(&mut self, operate: impl Fn(&mut Model) -> Result<(), Error>) {
        for side in [&mut self.ours, &mut self.python] {
            operate(&mut side.model).unwrap();
        }
    }

    /// The hooks that have run, on our side and in Python.
    fn settle(&mut self) -> (Vec<HookRun>, Vec<HookRun>) {
        (self.ours.settle(), self.python.settle())
    }

    fn write(&self, unit: &str, name: &str, text: &str) {
        for side in [&self.ours, &self.python] {
            write(side, unit, name, text);
        }
    }

    fn let_install(&self, unit: &str) {
        for side in [&self.ours, &self.python] {
            fs::remove_file(side.model.charm_dir(unit).unwrap().join("hold-install")).unwrap();
        }
    }

    /// The next hook that the unit runs, with all that is due for others.
    fn update_status(&mut self, unit: &str) -> (HookRun, HookRun) {
        self.operate(|model| model.update_status(unit));
        let (ours, python) = self.settle();
        (last(ours, unit), last(python, unit))
    }

    /// What the methods answer in the unit's next `update-status`: those of ours, and those that a flag, or the endpoint's name, leads
    /// to in Python.
    fn ask(&mut self, unit: &str, ours: &[&str], python: &[&str]) -> (Value, Value) {
        let both = self.ask_and_see(unit, ours, python);
        (both.0.0, both.1.0)
    }

    fn ask_and_see(&mut self, unit: &str, ours: &[&str], python: &[&str]) -> ((Value, HookRun), (Value, HookRun)) {
        let ask = |side: &mut Side, lines: &[&str]| {
            write(side, unit, "probe", &lines.join("\n"));
            side.model.update_status(unit).unwrap();
            let run = last(side.settle(), unit);
            assert!(!run.failed(), "{}", run.problem().unwrap_or_default());
            let directory = side.model.charm_dir(unit).unwrap();
            fs::remove_file(directory.join("probe")).unwrap();
            (serde_json::from_str(&fs::read_to_string(directory.join("probed")).unwrap()).unwrap(), run)
        };
        (ask(&mut self.ours, ours), ask(&mut self.python, python))
    }
}

fn write(side: &Side, unit: &str, name: &str, text: &str) {
    fs::write(side.model.charm_dir(unit).unwrap().join(name), text).unwrap();
}

fn last(runs: Vec<HookRun>, unit: &str) -> HookRun {
    runs.into_iter().rfind(|run| run.unit.as_str() == unit).unwrap()
}

fn quorum(side: &Side, unit: &str) -> Vec<u64> {
    seen::quorum(side.model.charm_dir(unit).unwrap()).into_keys().collect()
}

/// The conversations of a flag, by their units.
fn flagged(side: &Side, unit: &str, flag: &str) -> Option<Vec<String>> {
    let stored = seen::stored(side.model.charm_dir(unit).unwrap());
    let value = stored.get(&format!("reactive.states.{flag}"))?;
    let keys = value["conversations"].as_array()?.iter();
    Some(
        keys.map(|key| key.as_str().unwrap().split_once('.').unwrap().1.rsplit('.').next().unwrap().to_owned())
            .collect(),
    )
}

/// Whether there is a record of a conversation with the peer over `zkpeer`.
fn is_recorded(side: &Side, unit: &str, peer: &str) -> bool {
    let stored = seen::stored(side.model.charm_dir(unit).unwrap());
    stored.keys().any(|key| key.starts_with(&format!("{CONVERSATIONS}zkpeer:")) && key.ends_with(&format!(".{peer}")))
}

/// The peers that a handler in Python was given in its last hook.
fn given(side: &Side, run: &HookRun, handler: &str) -> Option<Vec<String>> {
    side.calls(run).0.into_iter().rfind(|call| call.handler == handler)?.peers
}

fn own_bag(side: &Side, unit: &str) -> BTreeMap<String, String> {
    let relation = side.model.relations(APP).into_iter().find(|relation| relation.endpoint == "zkpeer").unwrap();
    side.model.unit_data(relation.number, unit)
}

/// DIFFERENCE (D4).
#[test]
fn r1_python_gives_those_that_have_joined_and_ours_the_other_members() {
    let mut beside = Beside::new(3);
    beside.settle();
    beside.add_unit();
    let joined = "zkpeer-relation-joined (zookeeper/3)";
    let python = step_to(&mut beside.python, FIRST, joined);
    assert_eq!(given(&beside.python, &python, "quorum_add"), Some(vec![FOURTH.to_owned()]));
    step_to(&mut beside.ours, FIRST, joined);
    assert_eq!(quorum(&beside.ours, FIRST), [1, 2, 3, 4]);
}

/// Lets everything happen until the unit has run this hook.
fn step_to(side: &mut Side, unit: &str, shown: &str) -> HookRun {
    loop {
        let step = side.model.steps().into_iter().next().unwrap_or_else(|| panic!("{unit} never runs {shown}"));
        if let zkpeer_core::testing::Event::Ended(run) = side.model.take(&step).unwrap()
            && run.unit.as_str() == unit
            && run.to_string() == shown
        {
            return *run;
        }
    }
}

/// DIFFERENCE (D4).
#[test]
fn r1_python_gives_peers_in_the_order_of_joining_and_ours_in_that_of_their_numbers() {
    let mut beside = Beside::held(3);
    beside.operate(|model| model.hold(SECOND));
    beside.settle();
    beside.operate(|model| model.release(SECOND));
    beside.settle();
    let (ours, python) = beside.ask(FIRST, &["get_nodes", "joined_nodes"], &["zkpeer.joined get_nodes"]);
    let joined = json!([[THIRD, "10.0.1.3"], [SECOND, "10.0.1.2"]]);
    assert_eq!(python, json!([joined]));
    assert_eq!(ours, json!([[[SECOND, "10.0.1.2"], [THIRD, "10.0.1.3"]], joined]));
}

/// DIFFERENCE (D4).
#[test]
fn r2_python_gives_those_that_have_departed_and_ours_those_that_remain() {
    let mut beside = Beside::held(3);
    beside.settle();
    beside.operate(|model| model.remove_unit(SECOND));
    write(&beside.python, FIRST, "probe", "zkpeer.departed get_nodes");
    write(&beside.ours, FIRST, "probe", "get_nodes\ndeparted_nodes");
    step_to(&mut beside.python, FIRST, "zkpeer-relation-departed (zookeeper/1)");
    step_to(&mut beside.ours, FIRST, "zkpeer-relation-departed (zookeeper/1)");
    assert_eq!(probed(&beside.python, FIRST), json!([[[SECOND, "10.0.1.2"]]]));
    assert_eq!(probed(&beside.ours, FIRST), json!([[[THIRD, "10.0.1.3"]], [[SECOND, "10.0.1.2"]]]));
}

fn probed(side: &Side, unit: &str) -> Value {
    serde_json::from_str(&fs::read_to_string(side.model.charm_dir(unit).unwrap().join("probed")).unwrap()).unwrap()
}

/// The same in both.
#[test]
fn r3_a_join_clears_departed_for_that_peer_only() {
    let mut beside = Beside::held(3);
    beside.settle();
    beside.operate(|model| model.remove_unit(SECOND));
    beside.settle();
    beside.add_unit();
    beside.settle();
    for side in [&beside.ours, &beside.python] {
        assert_eq!(flagged(side, FIRST, "zkpeer.departed"), Some(vec![SECOND.to_owned()]));
        assert_eq!(flagged(side, FIRST, "zkpeer.joined"), Some(vec![THIRD.to_owned(), FOURTH.to_owned()]));
    }
}

/// DIFFERENCE (D8).
#[test]
fn r4_after_the_departed_hook_python_has_no_record_and_never_clears_the_flag() {
    let mut beside = Beside::held(3);
    beside.settle();
    beside.operate(|model| model.remove_unit(SECOND));
    beside.settle();
    for side in [&beside.ours, &beside.python] {
        assert_eq!(flagged(side, FIRST, "zkpeer.departed"), Some(vec![SECOND.to_owned()]));
    }
    assert!(!is_recorded(&beside.python, FIRST, SECOND));
    assert!(is_recorded(&beside.ours, FIRST, SECOND));
    let (ours, _) = beside.ask(FIRST, &["departed_nodes"], &[]);
    assert_eq!(ours, json!([[[SECOND, "10.0.1.2"]]]));

    // It is dismissed in the next hook of the relation.
    beside.let_install(FIRST);
    beside.add_unit();
    beside.settle();
    assert_eq!(flagged(&beside.python, FIRST, "zkpeer.departed"), Some(vec![SECOND.to_owned()]));
    assert_eq!(flagged(&beside.ours, FIRST, "zkpeer.departed"), None);
    assert!(!is_recorded(&beside.ours, FIRST, SECOND));
}

/// DIFFERENCE (D8).
#[test]
fn r5_in_a_hook_without_a_relation_python_fails_for_good() {
    let mut beside = Beside::held(3);
    beside.settle();
    beside.operate(|model| model.remove_unit(SECOND));
    beside.settle();
    beside.let_install(FIRST);
    let (ours, python) = beside.update_status(FIRST);
    assert!(!ours.failed(), "{}", ours.problem().unwrap_or_default());
    assert_eq!(quorum(&beside.ours, FIRST), [1, 3]);
    assert!(judge::failed_for_want_of_a_peer(&python));
    for _ in 0..4 {
        beside.python.model.retry(FIRST).unwrap();
        assert!(judge::failed_for_want_of_a_peer(&beside.python.run_next(FIRST)));
    }
}

/// DIFFERENCE (D8).
#[test]
fn r5_in_a_hook_of_another_peer_python_takes_that_one_for_departed() {
    let mut beside = Beside::held(3);
    beside.settle();
    beside.operate(|model| model.remove_unit(SECOND));
    beside.settle();
    beside.add_unit();
    let [joined, changed] = ["joined", "changed"].map(|kind| format!("zkpeer-relation-{kind} (zookeeper/3)"));
    for side in [&mut beside.ours, &mut beside.python] {
        step_until(side, FIRST, &joined);
    }
    beside.let_install(FIRST);
    let python = step_to(&mut beside.python, FIRST, &joined);
    assert_eq!(given(&beside.python, &python, "quorum_remove"), Some(vec![FOURTH.to_owned()]));
    assert_eq!(quorum(&beside.python, FIRST), [1, 3], "it has deleted the one that has just joined");
    step_to(&mut beside.ours, FIRST, &joined);
    assert_eq!(quorum(&beside.ours, FIRST), [1, 3, 4]);

    // So in every later hook of the relation.
    let python = step_to(&mut beside.python, FIRST, &changed);
    assert_eq!(given(&beside.python, &python, "quorum_remove"), Some(vec![FOURTH.to_owned()]));
}

/// Lets everything happen until the unit is about to begin this hook.
fn step_until(side: &mut Side, unit: &str, shown: &str) {
    while side.model.running(unit).is_some() || side.model.due(unit).is_none_or(|hook| hook.to_string() != shown) {
        let step = side.model.steps().into_iter().next().unwrap_or_else(|| panic!("{unit} never comes to {shown}"));
        side.model.take(&step).unwrap();
    }
}

/// DIFFERENCE (D7).
#[test]
fn r6_a_unit_that_is_removed_takes_all_its_peers_for_departed_in_python() {
    let mut beside = Beside::new(3);
    beside.settle();
    beside.operate(|model| model.remove_unit(FIRST));
    write(&beside.ours, FIRST, "probe", "is_leaving\nget_nodes");
    beside.settle();
    assert_eq!(quorum(&beside.python, FIRST), [1]);
    assert_eq!(quorum(&beside.ours, FIRST), [1, 2, 3]);
    assert_eq!(probed(&beside.ours, FIRST), json!([true, [[SECOND, "10.0.1.2"], [THIRD, "10.0.1.3"]]]));
}

/// DIFFERENCE (D17).
#[test]
fn r7_python_gives_a_peer_without_an_address() {
    let mut beside = Beside::held(1);
    beside.operate(|model| model.add_unit(APP).map(drop));
    beside.operate(|model| model.remove_address(SECOND));
    beside.write(SECOND, "hold-install", "");
    beside.settle();
    let (ours, python) = beside.ask(FIRST, &["get_nodes", "joined_nodes"], &["zkpeer.joined get_nodes"]);
    assert_eq!(python, json!([[[SECOND, null]]]));
    assert_eq!(ours, json!([[], []]));
    assert_eq!(flagged(&beside.ours, FIRST, "zkpeer.joined"), None);
    beside.operate(|model| model.set_address(SECOND, "10.0.1.2"));
    beside.settle();
    let (ours, _) = beside.ask(FIRST, &["get_nodes", "joined_nodes"], &[]);
    assert_eq!(ours, json!([[[SECOND, "10.0.1.2"]], [[SECOND, "10.0.1.2"]]]));
}

/// DIFFERENCE (D21).
#[test]
fn r7_python_reads_an_address_at_the_call_and_ours_in_the_hooks_of_its_peer() {
    let mut beside = Beside::held(2);
    beside.settle();
    beside.operate(|model| model.set_address(SECOND, "10.0.7.1"));
    for side in [&mut beside.ours, &mut beside.python] {
        // The first has not seen that its peer has moved.
        step_to(side, SECOND, "config-changed");
        side.model.update_status(FIRST).unwrap();
    }
    write(&beside.ours, FIRST, "probe", "get_nodes");
    write(&beside.python, FIRST, "probe", "zkpeer.joined get_nodes");
    let ours = beside.ours.model.run_hook(FIRST, "update-status").unwrap();
    let python = beside.python.model.run_hook(FIRST, "update-status").unwrap();
    assert!(!ours.failed() && !python.failed());
    assert_eq!(probed(&beside.python, FIRST), json!([[[SECOND, "10.0.7.1"]]]));
    assert_eq!(probed(&beside.ours, FIRST), json!([[[SECOND, "10.0.1.2"]]]));
    beside.settle();
    assert_eq!(probed(&beside.ours, FIRST), json!([[[SECOND, "10.0.7.1"]]]));
}

/// DIFFERENCE (D18).
#[test]
fn r7_r13_python_tells_of_every_changed_hook_and_ours_of_another_address() {
    let mut beside = Beside::held(2);
    beside.settle();
    assert_eq!(flagged(&beside.python, FIRST, "zkpeer.changed"), Some(vec![SECOND.to_owned()]));
    assert_eq!(flagged(&beside.ours, FIRST, "zkpeer.changed"), None);
    beside.operate(|model| model.set_address(SECOND, "10.0.7.1"));
    beside.settle();
    assert_eq!(flagged(&beside.ours, FIRST, "zkpeer.changed"), Some(vec![SECOND.to_owned()]));
}

/// DIFFERENCE (D5).
#[test]
fn r8_python_never_finds_the_leader_of_the_ensemble() {
    let mut beside = Beside::held(2);
    beside.write(SECOND, "hold-install", "");
    beside.settle();
    beside.ask(SECOND, &["set_zk_leader"], &["zkpeer.joined set_zk_leader"]);
    beside.settle();
    for side in [&beside.ours, &beside.python] {
        assert_eq!(own_bag(side, SECOND).get("is_zk_leader").map(String::as_str), Some("True"));
    }
    let (ours, python) = beside.ask(FIRST, &["find_zk_leader"], &["zkpeer.joined find_zk_leader"]);
    assert_eq!(python, json!([null]));
    assert_eq!(ours, json!([[SECOND, "10.0.1.2"]]));
}

/// DIFFERENCE (D5).
#[test]
fn r9_python_cannot_take_the_mark_back_so_that_two_have_it() {
    let mut beside = Beside::held(3);
    beside.write(SECOND, "hold-install", "");
    beside.write(THIRD, "hold-install", "");
    beside.settle();
    beside.ask(SECOND, &["set_zk_leader"], &["zkpeer.joined set_zk_leader"]);
    beside.ask(THIRD, &["set_zk_leader"], &["zkpeer.joined set_zk_leader"]);
    beside.ask(SECOND, &["set_zk_leader no"], &[]);
    beside.settle();
    let marked = |side: &Side| [SECOND, THIRD].map(|unit| own_bag(side, unit).contains_key("is_zk_leader"));
    assert_eq!(marked(&beside.python), [true, true]);
    assert_eq!(marked(&beside.ours), [false, true]);
    let (ours, _) = beside.ask(FIRST, &["find_zk_leader"], &[]);
    assert_eq!(ours, json!([[THIRD, "10.0.1.3"]]));
}

/// DIFFERENCE (D6).
#[test]
fn r10_without_a_nonce_python_tells_of_a_restart_called_none() {
    let mut beside = Beside::held(2);
    beside.settle();
    beside.ask(FIRST, &["inform_restart"], &["zkpeer.joined inform_restart"]);
    let told =
        |side: &Side| own_bag(side, FIRST).into_keys().filter(|key| key.starts_with("restarted.")).collect::<Vec<_>>();
    assert_eq!(told(&beside.python), ["restarted.None"]);
    assert_eq!(told(&beside.ours), Vec::<String>::new());

    // With nonces, old ones stay in Python.
    beside.operate(|model| model.set_leader(SECOND));
    for _ in 0..2 {
        beside.operate(|model| model.run_action(SECOND, "restart", &[]).map(drop));
        beside.settle();
        beside.ask(FIRST, &["inform_restart"], &["zkpeer.joined inform_restart"]);
    }
    assert_eq!(told(&beside.python), ["restarted.1", "restarted.2", "restarted.None"]);
    assert_eq!(told(&beside.ours), ["restarted.2"]);
}

/// DIFFERENCE (D19).
#[test]
fn r11_python_asks_for_the_nonce_once_for_each_peer() {
    let mut beside = Beside::held(4);
    beside.settle();
    let asked = |run: &HookRun| run.command_names().iter().filter(|name| **name == "leader-get").count();
    let quiet = beside.ask_and_see(FIRST, &[], &[]);
    let informed = beside.ask_and_see(FIRST, &["inform_restart"], &["zkpeer.joined inform_restart"]);
    assert_eq!(asked(&informed.1.1) - asked(&quiet.1.1), 3);
    assert_eq!(asked(&informed.0.1), 1);
}

/// DIFFERENCE (D19).
#[test]
fn r12_once_joined_is_dismissed_nothing_leads_to_the_interface_in_python() {
    let mut beside = Beside::new(2);
    beside.settle();
    let (ours, python) = beside.ask(
        FIRST,
        &["get_nodes", "inform_restart"],
        &["zkpeer.joined get_nodes", "zkpeer get_nodes", "zkpeer inform_restart"],
    );
    assert_eq!(python, json!(["nothing", "relation-list fails", "relation-set fails"]));
    assert_eq!(ours, json!([[[SECOND, "10.0.1.2"]], null]));
}

/// DIFFERENCE (D8).
#[test]
fn r13_a_change_that_waits_when_its_peer_departs_stays_in_python() {
    let mut beside = Beside::held(3);
    beside.settle();
    beside.operate(|model| model.set_address(SECOND, "10.0.7.1"));
    beside.settle();
    for side in [&beside.ours, &beside.python] {
        assert!(flagged(side, FIRST, "zkpeer.changed").unwrap().contains(&SECOND.to_owned()));
    }
    beside.operate(|model| model.remove_unit(SECOND));
    beside.settle();
    assert!(flagged(&beside.python, FIRST, "zkpeer.changed").unwrap().contains(&SECOND.to_owned()));
    assert_eq!(flagged(&beside.ours, FIRST, "zkpeer.changed"), None);
}
