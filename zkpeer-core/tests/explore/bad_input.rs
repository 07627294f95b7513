//! What cannot be explored, and what to change.

use zkpeer_core::handlers;
use zkpeer_core::testing::{Application, BuiltIn, Doing, ExploreError, Explored, Model, explore};

use crate::charms::{self, GREETS, model};

#[track_caller]
fn refused(result: Result<Explored, ExploreError>) -> String {
    result.expect_err("it is refused").to_string()
}

#[test]
fn a_bound_that_is_too_small_decides_nothing() {
    let (model, _charm) = model(GREETS, 3);
    let why = refused(explore(model).states(50).run());
    assert!(why.starts_with("50 states were looked at, and ") && why.contains(".states(..)"), "{why}");
}

#[test]
fn a_property_that_panics_is_named_with_the_story() {
    let (model, _charm) = model(GREETS, 1);
    let why = refused(explore(model).always("nothing is greeted", |model| model.flags("hello/0")[7].is_empty()).run());
    assert!(why.contains("`nothing is greeted`, always, panicked"), "{why}");
    assert!(why.contains("index out of bounds"), "{why}");
}

#[test]
fn a_handler_that_depends_on_the_process_is_found_by_running_it_twice() {
    let (model, _charm) = model(handlers![charms::depend_on_the_process], 1);
    let why = refused(explore(model).run());
    assert!(why.contains("hello/0 begins install did something else when it was run again"), "{why}");
    let told = "what `explore::charms::depend_on_the_process` (zkpeer-core/tests/explore/charms.rs:";
    assert!(why.contains(told), "{why}");
    assert!(why.contains("\n  status of hello/0:\n    once:  active call "), "{why}");
    assert!(why.contains("\n    again: active call "), "{why}");
    assert!(why.contains("\n   1. hello/0 begins install"), "{why}");
}

#[test]
fn what_is_stored_differently_is_named_with_both_values_and_the_handler() {
    let (model, _charm) = model(handlers![charms::greet, charms::remember_the_process], 1);
    let why = refused(explore(model).run());
    let (told, story) = why.split_once("\nHandlers may depend").unwrap();
    let (by, values) = told.split_once("what `").unwrap().1.split_once("`").unwrap();
    assert_eq!(by, "explore::charms::remember_the_process", "{why}");
    assert!(values.contains("\n  stored of hello/0:\n    once:  call: "), "{why}");
    assert!(values.contains("\n    again: call: "), "{why}");
    assert!(story.contains("\n   1. hello/0 begins install"), "{why}");
}

#[test]
fn what_is_published_differently_is_named_with_both_values() {
    let (model, _charm) = model(handlers![charms::greet, charms::publish_the_process], 1);
    let why = refused(explore(model).run());
    assert!(why.starts_with("hello/0 begins leader-elected did something else"), "{why}");
    assert!(
        why.contains("\n  leader settings of hello:\n    once:  call=") && why.contains("\n    again: call="),
        "{why}"
    );
}

#[test]
fn what_waits_for_the_end_of_the_hook_is_named_by_its_hook_command() {
    let (model, _charm) = model(handlers![charms::greet, charms::open_the_process], 1);
    let why = refused(explore(model).run());
    assert!(why.starts_with("hello/0 begins install did something else"), "{why}");
    assert!(why.contains(": once it called `open-port 1") && why.contains("`, and again `open-port 1"), "{why}");
}

#[test]
fn what_should_hold_once_all_is_quiet_is_not_proved_where_nothing_ever_is() {
    let (model, _charm) = model(handlers![charms::fail_always], 1);
    let why = refused(
        explore(model).without(BuiltIn::NoHookFails, "it does").once_quiet("it snows", |_: &Model| false).run(),
    );
    assert!(why.starts_with("`it snows` was never asked: in none of the "), "{why}");
}

#[test]
fn what_should_hold_sometimes_and_never_does_is_named() {
    let (model, _charm) = model(GREETS, 1);
    let why = refused(explore(model).sometimes("it rains", |_: &Model| false).run());
    assert!(why.starts_with("`it rains` should hold sometimes, and does in none of the "), "{why}");
}

#[test]
fn a_doing_that_is_never_possible_is_named_with_the_reason() {
    let (explored, _charm) = model(GREETS, 1);
    let why = refused(explore(explored).at_any_time(Doing::remove_unit("hello/9")).run());
    assert!(why.contains("`juju remove-unit hello/9` never happened") && why.contains("no unit hello/9"), "{why}");
    let (walked, _charm) = model(GREETS, 1);
    let why = refused(explore(walked).at_any_time(Doing::remove_unit("hello/9")).walk(3));
    assert!(why.contains("`juju remove-unit hello/9` never happened"), "{why}");
}

#[test]
fn processes_cannot_be_explored() {
    let (_, charm) = model(GREETS, 1);
    std::fs::create_dir(charm.path().join("hooks")).unwrap();
    std::fs::write(charm.path().join("hooks/install"), "").unwrap();
    let mut model = Model::new();
    model.deploy(Application::new(charm.path())).unwrap();
    let why = refused(explore(model).run());
    assert!(why.contains("hello/0 runs as processes") && why.contains("in_process"), "{why}");
}

#[test]
fn a_text_that_is_no_story_is_refused() {
    for text in ["?", "z0", "77777", "", "0", "0000-0000"] {
        let (model, _charm) = model(GREETS, 1);
        let why = refused(explore(model).replay(text));
        assert!(why.contains(&format!("`{text}` is no story of this exploration")), "{why}");
    }
}

#[test]
fn no_story_at_all_decides_nothing() {
    let (model, _charm) = model(GREETS, 1);
    let why = refused(explore(model).walk(0));
    assert!(why.starts_with("`.walk(0)` plays no story"), "{why}");
}
