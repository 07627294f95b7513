//! The stories that are told in words.

use crate::judge;
use crate::lockstep::{Tale, Told};
use crate::seen::MEMBERS;

#[test]
fn from_one_unit_to_seven() {
    let mut tale = Tale::new("from one unit to seven", 1);
    tale.settle();
    for _ in 0..3 {
        tale.add_unit();
        tale.settle();
    }
    (0..3).for_each(|_| drop(tale.add_unit()));
    tale.end();
}

#[test]
fn a_peer_joins_before_the_server_is_installed() {
    let mut tale = Tale::new("a peer joins before the server is installed", 3);
    tale.hold_install("zookeeper/0");
    tale.settle();
    tale.let_install("zookeeper/0");
    tale.update_status("zookeeper/0");
    tale.end();
}

#[test]
fn a_peer_departs_before_the_server_is_installed() {
    let mut tale = Tale::new("a peer departs before the server is installed", 3);
    tale.hold_install("zookeeper/0");
    tale.settle();
    tale.remove_unit("zookeeper/2");
    tale.settle();
    tale.let_install("zookeeper/0");
    tale.update_status("zookeeper/0");
    tale.end();
}

#[test]
fn a_peer_departs_before_the_server_is_installed_and_the_next_one_joins() {
    let mut tale = Tale::new("a peer departs before the server is installed and the next one joins", 3);
    tale.hold_install("zookeeper/0");
    tale.settle();
    tale.remove_unit("zookeeper/2");
    tale.settle();
    let next = tale.add_unit();
    tale.until("zookeeper/0", &format!("watchers-relation-joined ({next})"));
    tale.let_install("zookeeper/0");
    tale.end();
}

#[test]
fn a_leaver_keeps_its_peers() {
    let mut tale = Tale::new("a leaver keeps its peers", 4);
    tale.settle();
    tale.remove_unit("zookeeper/0");
    tale.settle();
    tale.remove_unit("zookeeper/3");
    tale.remove_unit("zookeeper/1");
    tale.end();
}

#[test]
fn a_leaver_that_was_never_installed() {
    let mut tale = Tale::new("a leaver that was never installed", 3);
    tale.hold_install("zookeeper/1");
    tale.settle();
    tale.remove_unit("zookeeper/1");
    tale.until("zookeeper/1", "stop");
    tale.let_install("zookeeper/1");
    tale.end();
}

#[test]
fn units_come_and_go() {
    let mut tale = Tale::new("units come and go", 3);
    tale.settle();
    for unit in ["zookeeper/1", "zookeeper/3", "zookeeper/4"] {
        tale.remove_unit(unit);
        tale.add_unit();
        tale.settle();
    }
    tale.end();
}

#[test]
fn all_but_one_leave_at_once() {
    let mut tale = Tale::new("all but one leave at once", 5);
    tale.settle();
    for unit in ["zookeeper/0", "zookeeper/1", "zookeeper/3", "zookeeper/4"] {
        tale.remove_unit(unit);
    }
    tale.end();
}

#[test]
fn handlers_fail_and_are_retried() {
    let mut tale = Tale::new("handlers fail and are retried", 2);
    tale.go_on(5);
    tale.stumble("zookeeper/0", 3);
    tale.settle();
    tale.add_unit();
    tale.until("zookeeper/1", "zkpeer-relation-joined (zookeeper/2)");
    tale.stumble("zookeeper/1", 2);
    tale.settle();
    tale.remove_unit("zookeeper/2");
    tale.until("zookeeper/0", "zkpeer-relation-departed (zookeeper/2)");
    tale.stumble("zookeeper/0", 2);
    tale.stumble("zookeeper/1", 1);
    tale.stumble("zookeeper/2", 1);
    tale.end();
}

#[test]
fn leadership_moves() {
    let mut tale = Tale::new("leadership moves", 3);
    tale.settle();
    for unit in ["zookeeper/2", "zookeeper/1"] {
        tale.set_leader(unit);
        tale.settle();
    }
    tale.run_action("zookeeper/1", "restart");
    tale.settle();
    tale.set_leader("zookeeper/0");
    tale.run_action("zookeeper/1", "restart");
    tale.run_action("zookeeper/0", "restart");
    tale.remove_unit("zookeeper/0");
    tale.end();
}

#[test]
fn addresses_change() {
    let mut tale = Tale::new("addresses change", 3);
    tale.settle();
    tale.set_address("zookeeper/1", "10.0.7.1");
    tale.settle();
    tale.set_address("zookeeper/0", "10.0.7.2");
    tale.set_address("zookeeper/2", "10.0.7.3");
    tale.settle();
    let unit = tale.add_unit();
    tale.hold_install(&unit);
    tale.settle();
    tale.set_address("zookeeper/1", "10.0.8.1");
    tale.settle();
    tale.let_install(&unit);
    tale.update_status(&unit);
    tale.end();
}

#[test]
fn an_address_changes_and_its_unit_departs_before_the_server_is_installed() {
    let mut tale = Tale::new("an address changes and its unit departs before the server is installed", 3);
    tale.hold_install("zookeeper/0");
    tale.settle();
    tale.set_address("zookeeper/1", "10.0.7.1");
    tale.settle();
    tale.remove_unit("zookeeper/1");
    tale.until("zookeeper/0", "zkpeer-relation-departed (zookeeper/1)");
    tale.let_install("zookeeper/0");
    tale.end();
}

#[test]
fn restarts_are_told() {
    let mut tale = Tale::new("restarts are told", 3);
    tale.settle();
    tale.set_leader("zookeeper/0");
    for _ in 0..3 {
        tale.run_action("zookeeper/0", "restart");
        tale.settle();
    }
    tale.add_unit();
    tale.end();
}

/// That charms.reactive is started once and forks for each hook changes nothing.
#[test]
fn a_process_for_each_hook_tells_the_same() {
    let story = |name: &str, charm: judge::Charm| -> Told {
        let mut tale = Tale::of(name, 3, charm, None);
        tale.hold_install("zookeeper/0");
        tale.settle();
        tale.remove_unit("zookeeper/2");
        tale.settle();
        tale.let_install("zookeeper/0");
        tale.update_status("zookeeper/0");
        tale.end()
    };
    let (quick, plain) =
        (story("a fork for each hook", judge::Charm::quick()), story("a process for each hook", judge::Charm::plain()));
    assert_eq!(quick.lines, plain.lines);
    println!("a hook in Python takes {:.0?} as a fork and {:.0?} as a process", quick.python, plain.python);
}

#[test]
fn a_unit_waits_for_its_own_address() {
    let mut tale = Tale::new("a unit waits for its own address", 2);
    tale.settle();
    let unit = tale.add_unit_without_address();
    tale.settle_but_for_addresses();
    tale.set_address(&unit, "10.0.7.1");
    tale.end();
}

#[test]
fn a_peer_joins_before_its_address_is_known() {
    let mut tale = Tale::new("a peer joins before its address is known", 2);
    tale.settle();
    let unit = tale.add_unit_without_address();
    tale.hold_install(&unit);
    tale.settle_but_for_addresses();
    tale.set_address(&unit, "10.0.7.1");
    tale.settle();
    tale.let_install(&unit);
    tale.update_status(&unit);
    tale.settle();
    tale.remove_unit(&unit);
    tale.end();
}

#[test]
fn what_no_number_predicts_ends_the_story_and_shows_it() {
    let told = std::panic::catch_unwind(|| {
        let mut tale = Tale::new("a lie", 1);
        tale.settle();
        let members = tale.python.model.charm_dir("zookeeper/0").unwrap().join(MEMBERS);
        std::fs::write(members, "").unwrap();
        tale.update_status("zookeeper/0");
        tale.settle();
    });
    let shown = told.unwrap_err().downcast::<String>().unwrap();
    for part in ["a lie\n-- add-unit\n", "Python's zookeeper/0 in update-status", "expected {1: \"10.0.1.1\"}"] {
        assert!(shown.contains(part), "`{part}` is not in {shown}");
    }
}
