//! Each fault is found, by the property that it breaks.

use zkpeer_core::handlers;
use zkpeer_core::testing::{BuiltIn, Doing, ExploreError, Found, Model, explore};

use crate::charms::{self, GREETS, model};

/// What an exploration has found.
#[track_caller]
pub(crate) fn found(result: Result<zkpeer_core::testing::Explored, ExploreError>) -> Found {
    match result {
        Err(ExploreError::Found(found)) => *found,
        Err(other) => panic!("nothing was found: {other}"),
        Ok(explored) => panic!("nothing was found: {explored}"),
    }
}

#[test]
fn a_charm_that_is_right_passes_and_all_its_ends_are_seen() {
    let (model, _charm) = model(GREETS, 2);
    let explored = explore(model)
        .at_any_time(Doing::remove_unit("hello/1"))
        .always("nobody forgets", |model| model.flags("hello/0").len() < 2)
        .once_quiet("who stays has greeted", |model| model.flags("hello/0") == ["greeted"])
        .eventually("hello/0 greets", |model| model.flags("hello/0") == ["greeted"])
        .sometimes("hello/1 leads", |model| model.leader("hello").is_some_and(|leader| leader == "hello/1"))
        .run()
        .unwrap();
    assert!(explored.states > 100, "{explored}");
    assert_eq!(explored.ends, 1, "hello/0 leads in the end, whoever led before");
}

#[test]
fn an_end_that_depends_on_the_order_is_found() {
    let (model, _charm) = model(handlers![charms::greet, charms::say_who_led], 2);
    let found = found(explore(model).run());
    assert_eq!(found.property, BuiltIn::SameEnd.to_string());
    assert!(found.why.contains("it led") && found.why.contains("it did not lead"), "{}", found.why);
    assert!(found.replay.contains('/'), "two stories are needed to see it: {}", found.replay);
}

#[test]
fn a_hook_that_fails_is_found_with_its_reason() {
    let (model, _charm) = model(handlers![charms::greet, charms::fail_when_one_departs], 2);
    let found = found(explore(model).at_any_time(Doing::remove_unit("hello/1")).run());
    assert_eq!(found.property, BuiltIn::NoHookFails.to_string());
    assert!(found.why.contains("nobody may go"), "{}", found.why);
    assert!(found.story.last().unwrap().contains("friends-relation-departed"), "{found}");
}

#[test]
fn who_is_stuck_is_named() {
    let (model, _charm) = model(handlers![charms::greet, charms::stay_at_work], 1);
    let found = found(explore(model).run());
    assert_eq!(found.property, BuiltIn::NobodyStuck.to_string());
    assert!(found.why.contains("hello/0 stays in `maintenance thinking`"), "{}", found.why);
}

#[test]
fn a_handler_that_does_its_work_again_and_again_is_named() {
    let (model, _charm) = model(handlers![charms::greet, charms::count], 1);
    let found = found(explore(model).run());
    assert_eq!(found.property, BuiltIn::RepeatingChangesNothing.to_string());
    assert!(found.why.contains("count") && found.why.contains("fake 1 `u32`"), "{}", found.why);
}

#[test]
fn what_is_done_without_is_not_looked_at() {
    let (model, _charm) = model(handlers![charms::greet, charms::count], 1);
    explore(model).without(BuiltIn::RepeatingChangesNothing, "it counts").run().unwrap();
}

#[test]
fn what_never_comes_because_a_hook_fails_for_ever_is_found_as_a_circle() {
    let (model, _charm) = model(handlers![charms::greet, charms::never_start], 1);
    let exploration = explore(model)
        .without(BuiltIn::NoHookFails, "it is to fail")
        .eventually("it has started", |model: &Model| model.flags("hello/0").contains(&"started".to_owned()));
    let found = found(exploration.run());
    assert_eq!(found.property, "it has started");
    assert!(found.why.contains("again and again"), "{}", found.why);
}

#[test]
fn leadership_that_moves_is_seen_by_those_who_count() {
    let (model, _charm) = model(handlers![charms::greet, charms::tell_once], 2);
    let found = found(
        explore(model)
            .leadership_moves(1)
            .without(BuiltIn::SameEnd, "they count")
            .always("only one was ever elected", |model: &Model| {
                let elected: u32 = ["hello/0", "hello/1"].iter().filter_map(|unit| model.fake::<u32>(unit)).sum();
                if elected > 1 { Err(format!("{elected} were")) } else { Ok(()) }
            })
            .run(),
    );
    assert_eq!(found.why, "2 were");
    assert!(found.story.iter().any(|line| line.starts_with("leadership moves to")), "{found}");
}

#[test]
fn a_status_that_install_told_is_told_again_after_a_kill_between_both_commits() {
    let (model, _charm) = model(GREETS, 1);
    explore(model).kills(1).refused_commits(1).run().unwrap();
}

#[test]
fn what_hooks_have_done_is_there_once_each_for_the_graph() {
    let (model, _charm) = model(GREETS, 2);
    let explored = explore(model).run().unwrap();
    let greeted = explored.reports.iter().filter(|report| report.handlers() == ["greet"]);
    assert_eq!(greeted.count(), 1, "both units have done the same");
    assert!(explored.reports.len() < 10 && explored.moves > 50, "{} of {explored}", explored.reports.len());
}
