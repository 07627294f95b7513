//! Rule 8 and difference D3.

use zkpeer_core::testing::Unit;
use zkpeer_core::{Charm, Edge, Flags, HookOutcome, Kv, Triggers, handlers, when, when_not};

#[when_not("begun")]
fn begin(flags: Flags) {
    flags.set("begun");
}

#[when("begun")]
fn on_begun() {}

fn changes(report: &zkpeer_core::Report) -> Vec<String> {
    let calls = report.rounds.iter().flat_map(|round| &round.handlers);
    calls
        .flat_map(|call| &call.changes)
        .map(|change| format!("{}{}", if change.edge == Edge::Set { '+' } else { '-' }, change.flag))
        .collect()
}

#[test]
fn rule_8_triggers_set_then_clear_then_call_transitively() {
    let charm = Charm::new().handlers(handlers![begin]).triggers(|triggers| {
        triggers.when("begun").call(|flags| {
            flags.set("called");
            Ok(())
        });
        triggers.when("begun").clear("old").set("one");
        triggers.when("one").set("two");
        triggers.when_not("old").set("three");
    });
    let mut unit = Unit::of(charm);
    unit.store("reactive.states.old", &());
    let report = unit.run("install");
    assert_eq!(changes(&report), ["+begun", "+one", "+two", "-old", "+three", "+called"]);
    assert_eq!(unit.flags(), ["begun", "called", "one", "three", "two"]);
}

#[test]
fn rule_8_one_change_sets_off_several_in_the_order_in_which_they_were_registered() {
    let charm = Charm::new().handlers(handlers![begin]).triggers(|triggers| {
        triggers.when("begun").set("two").set("one").clear("old").clear("older");
        triggers.when("begun").set("two").set("three");
    });
    let mut unit = Unit::of(charm);
    unit.set_flag("old");
    unit.set_flag("older");
    assert_eq!(changes(&unit.run("install")), ["+begun", "+two", "+one", "+three", "-old", "-older"]);
}

#[test]
fn rule_8_triggers_act_on_a_real_change_only() {
    let charm = Charm::new().handlers(handlers![begin]).triggers(|triggers| {
        triggers.when("begun").set("already").clear("absent");
        triggers.when("already").set("wrong");
        triggers.when_not("absent").set("wrong");
    });
    let mut unit = Unit::of(charm);
    unit.store("reactive.states.already", &());
    assert_eq!(changes(&unit.run("install")), ["+begun"]);
}

#[when_not("done")]
fn registers_itself(triggers: Triggers, flags: Flags, kv: Kv) {
    if kv.get::<bool>("register").ok().flatten().unwrap_or(false) {
        triggers.when("done").set("triggered");
    }
    flags.set("done");
}

#[test]
fn rule_8_triggers_are_registered_for_the_run_of_one_hook() {
    let mut unit = Unit::new(handlers![registers_itself]);
    unit.store("register", &true);
    unit.run("install");
    assert_eq!(unit.flags(), ["done", "triggered"]);

    let mut unit = Unit::new(handlers![registers_itself, forgets]);
    unit.store("register", &true);
    unit.store("reactive.states.done", &());
    unit.store("reactive.states.forget", &());
    unit.store("register", &false);
    unit.run("start");
    assert_eq!(unit.flags(), ["done"]);
}

#[when("forget")]
fn forgets(flags: Flags) {
    flags.clear("forget");
    flags.clear("done");
}

#[test]
fn rule_8_a_flag_that_a_trigger_sets_wakes_like_any_other() {
    let charm = Charm::new().handlers(handlers![begin, on_begun]).triggers(|triggers| {
        triggers.when("begun").clear("begun");
    });
    let report = Unit::of(charm).try_run("install");
    // Set and cleared at once: `begin` watches the flag, so it runs again, for ever.
    assert_eq!(report.outcome, HookOutcome::Failed);
}

#[test]
fn difference_d3_a_cascade_that_does_not_end_is_an_error_that_shows_it() {
    // DIFFERENCE D3: charms.reactive ends in a RecursionError.
    let charm = Charm::new().handlers(handlers![begin]).triggers(|triggers| {
        triggers.when("begun").set("nobodys").clear("begun");
        triggers.when_not("begun").set("begun");
    });
    let mut unit = Unit::of(charm);
    let report = unit.try_run("install");
    let error = report.error.unwrap();
    assert!(error.contains("`begun` set, `nobodys` set, `begun` cleared, `begun` set"), "{error}");
    assert!(error.contains("begin") && error.contains("triggers.rs:"), "{error}");
    assert_eq!(unit.flags(), [""; 0]);
}

#[test]
fn difference_d3_a_cycle_that_ends_by_itself_is_fine() {
    let charm = Charm::new().handlers(handlers![begin]).triggers(|triggers| {
        triggers.when("begun").set("other");
        triggers.when("other").set("begun");
    });
    let mut unit = Unit::of(charm);
    assert_eq!(unit.run("install").outcome, HookOutcome::Settled);
    assert_eq!(unit.flags(), ["begun", "other"]);
}

#[test]
fn a_trigger_that_fails_fails_the_hook() {
    let charm = Charm::new().handlers(handlers![begin]).triggers(|triggers| {
        triggers.when("begun").call(|_| Err("no disk".into()));
    });
    let mut unit = Unit::of(charm);
    let report = unit.try_run("install");
    let error = report.error.unwrap();
    assert!(error.contains("`begun` is set failed: no disk"), "{error}");
    assert_eq!(unit.flags(), [""; 0]);
}
