//! What is told of what was found: who, what before and after, how it came to be.

use zkpeer_core::handlers;
use zkpeer_core::testing::{BuiltIn, Doing, Model, explore};

use crate::charms::{self, GREETS, model};
use crate::faults::found;
use crate::found::play;

#[test]
fn a_property_that_says_only_false_is_told_with_statuses_and_flags() {
    let (always, _charm) = model(GREETS, 2);
    let found_always = found(explore(always).always("nobody greets", |model| model.flags("hello/0").is_empty()).run());
    let why = "no reason is given; how the units stand there:\n  hello/0: `active good day`; flags greeted\n  \
               hello/1: `waiting installing agent`; no flags";
    assert_eq!(found_always.why, why, "{found_always}");
    let (quiet, _charm) = model(GREETS, 1);
    let found_quiet = found(explore(quiet).once_quiet("it is night", |_: &Model| false).run());
    assert!(found_quiet.why.ends_with("hello/0 (leader): `active good day`; flags greeted"), "{found_quiet}");
}

#[test]
fn of_two_stories_each_is_told_with_its_own_steps() {
    let (model, _charm) = model(handlers![charms::greet, charms::say_who_led], 2);
    let found = found(explore(model).run());
    let text = found.to_string();
    assert!(!found.story.iter().any(|line| line.contains("other story")), "{text}");
    let steps = found.other.len();
    let same = found.story.iter().zip(&found.other).take_while(|(one, other)| one == other).count();
    let same_told = match same {
        0 => String::new(),
        1 => ", of which the first is the same".to_owned(),
        same => format!(", of which the first {same} are the same"),
    };
    let head = format!("\n\nThe other story, in {steps} steps{same_told}:\n");
    let (_, told) = text.split_once(&head).unwrap_or_else(|| panic!("{head} is not in:\n{text}"));
    assert!(told.starts_with(&format!("{:>4}. {}", same + 1, found.other[same])), "{text}");
    let (other, this) = found
        .why
        .split_once("    in the other story: active when its friend came, ")
        .unwrap()
        .1
        .split_once('\n')
        .unwrap();
    assert!(this.starts_with("    in this one:        active when its friend came, "), "{text}");
    assert!(!this.ends_with(other), "{text}");
}

#[test]
fn the_test_of_two_stories_plays_both() {
    let two = || model(handlers![charms::greet, charms::say_who_led], 2);
    let found = found(explore(two().0).run());
    let (one, other) = found.test.split_once("    let other = {\n").unwrap_or_else(|| panic!("{found}"));
    assert!(one.contains("    let one = {\n        let mut model = model()?;\n        model.happens("), "{found}");
    let statuses = |test: &str| {
        let (mut model, _charm) = two();
        play(&mut model, test);
        ["hello/0", "hello/1"].map(|unit| model.status(unit))
    };
    assert_ne!(statuses(one), statuses(other), "{found}");
    assert!(other.ends_with("in what `one` and `other` should be the same\");\n}\n"), "{found}");
}

#[test]
fn only_the_handler_that_changes_something_again_is_named() {
    let (model, _charm) = model(handlers![charms::greet, charms::look_on, charms::count], 1);
    let found = found(explore(model).run());
    assert!(
        found.why.starts_with(
            "update-status ran once more on hello/0, and `explore::charms::count` (zkpeer-core/tests/explore/charms.rs:"
        ),
        "{found}"
    );
    assert!(
        found.why.ends_with(") changed:\n  fake 1 `u32` of hello/0:\n    before it: 0\n    after it:  1"),
        "{found}"
    );
}

#[test]
fn a_step_of_the_authors_that_panics_is_told_with_its_story() {
    let (explored, _charm) = model(GREETS, 1);
    let look = |model: &mut Model| {
        assert!(!model.flags("hello/0").contains(&"greeted".to_owned()), "it has greeted already");
        Ok(())
    };
    let panicked = found(explore(explored).at_any_time(Doing::other("somebody looks", look)).run());
    assert_eq!(panicked.property, "somebody looks");
    let text = panicked.to_string();
    assert!(text.starts_with("`somebody looks` did not work: it panicked: it has greeted already (at zkpeer-core/tests/explore/messages.rs:"), "{text}");
    assert!(panicked.story[0].starts_with("hello/0 begins install"), "{text}");
    assert!(panicked.story.last().unwrap().starts_with("somebody looks: it panicked"), "{text}");
}

#[test]
fn a_step_of_the_authors_that_fails_is_told_with_its_story() {
    let (explored, _charm) = model(handlers![charms::greet, charms::never_start], 1);
    let settle = |model: &mut Model| model.settle().map(drop);
    let exploration = explore(explored).without(BuiltIn::NoHookFails, "it is to fail");
    let failed = found(exploration.at_any_time(Doing::other("all settles", settle)).run());
    assert!(failed.why.contains("the server does not start"), "{failed}");
    assert!(!failed.story.is_empty(), "{failed}");
}
