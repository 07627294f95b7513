//! Random stories: the same from the same seed, and short once they have found something.

use zkpeer_core::handlers;
use zkpeer_core::testing::{BuiltIn, Doing, explore};

use crate::charms::{self, GREETS, model};
use crate::faults::found;

#[test]
fn the_same_seed_plays_the_same_stories_and_another_seed_others() {
    let walk = |seed| {
        let (model, _charm) = model(GREETS, 3);
        let explored = explore(model).at_any_time(Doing::remove_unit("hello/1")).seed(seed).walk(20).unwrap();
        (explored.states, explored.moves, explored.depth, explored.ends)
    };
    assert_eq!(walk(1), walk(1));
    assert_ne!(walk(1), walk(2));
}

#[test]
fn a_story_that_breaks_something_is_made_short() {
    let (model, _charm) = model(handlers![charms::greet, charms::fail_when_one_departs], 3);
    let exploration = explore(model).at_any_time(Doing::remove_unit("hello/1")).leadership_moves(3);
    let found = found(exploration.walk(100));
    assert_eq!(found.property, BuiltIn::NoHookFails.to_string());
    assert!(
        !found.story.iter().any(|line| line.starts_with("leadership moves")),
        "that has nothing to do with it: {found}"
    );
}

#[test]
fn refused_commits_and_kills_come_in_random_stories_too() {
    let (model, _charm) = model(GREETS, 2);
    let explored = explore(model)
        .refused_commits(2)
        .kills(2)
        .update_status(2)
        .sometimes("a hook has been refused", |model| model.failed("hello/0").is_some())
        .walk(40)
        .unwrap();
    assert!(explored.states > 400, "{explored}");
}

#[test]
fn a_story_without_an_end_is_not_made_shorter() {
    let (model, _charm) = model(handlers![charms::fail_always], 1);
    let error = explore(model).without(BuiltIn::NoHookFails, "it does").walk(1).unwrap_err().to_string();
    assert!(error.starts_with("a story of 20000 moves was not over"), "{error}");
}
