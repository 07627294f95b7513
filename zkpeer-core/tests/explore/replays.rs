//! What a string that was printed plays: the same failure again, or a story to its end; and what is none.

use zkpeer_core::HandlerDef;
use zkpeer_core::handlers;
use zkpeer_core::testing::{BuiltIn, Doing, Explore, ExploreError, Explored, Model, explore};

use crate::charms::{self, GREETS, model};
use crate::faults::found;

const FAILS: &[&HandlerDef] = handlers![charms::greet, charms::fail_when_one_departs];

/// Two units, one of which is removed.
fn departing(handlers: &'static [&'static HandlerDef], units: u64) -> (Explore, tempfile::TempDir) {
    let (model, charm) = model(handlers, units);
    (explore(model).at_any_time(Doing::remove_unit("hello/1")), charm)
}

fn replayed(handlers: &'static [&'static HandlerDef], text: &str) -> Result<Explored, ExploreError> {
    let (exploration, _charm) = departing(handlers, 2);
    exploration.replay(text)
}

fn story() -> String {
    let (exploration, _charm) = departing(FAILS, 2);
    found(exploration.run()).replay
}

#[test]
fn a_part_of_a_story_is_none() {
    let whole = story();
    assert_eq!(found(replayed(FAILS, &whole)).property, BuiltIn::NoHookFails.to_string());
    let (moves, seal) = whole.split_once('-').unwrap();
    for part in [&whole[1..], &whole[..whole.len() - 1], moves, &format!("{}-{seal}", &moves[..4])] {
        let error = replayed(FAILS, part).unwrap_err();
        assert!(matches!(error, ExploreError::NoStory { .. }), "{error}");
        assert!(error.to_string().contains("it is not whole; copy all"), "{error}");
    }
}

#[test]
fn a_story_of_another_exploration_is_none() {
    let whole = story();
    let (more_units, _charm) = departing(FAILS, 3);
    let (other_faults, _charm) = departing(FAILS, 2);
    let (model, _charm) = model(FAILS, 2);
    for other in [more_units, other_faults.kills(1), explore(model)] {
        let error = other.replay(&whole).unwrap_err().to_string();
        assert!(error.contains("with another model, other doings or other faults"), "{error}");
    }
}

#[test]
fn a_story_of_a_charm_that_was_mended_goes_on_to_its_end() {
    let explored = replayed(GREETS, &story()).unwrap();
    assert_eq!(explored.ends, 1, "{explored}");
    let (exploration, _charm) = departing(GREETS, 2);
    let found =
        found(exploration.once_quiet("they are two", |model: &Model| model.units().len() == 2).replay(&story()));
    assert_eq!(found.property, "they are two");
}

#[test]
fn what_never_comes_in_a_circle_is_seen_again() {
    let never = || {
        let (model, charm) = model(handlers![charms::greet, charms::never_start], 2);
        let exploration = explore(model)
            .without(BuiltIn::NoHookFails, "it is to fail")
            .eventually("it has started", |model: &Model| model.flags("hello/0").contains(&"started".to_owned()));
        (exploration, charm)
    };
    let (exploration, _charm) = never();
    let first = found(exploration.run());
    let (exploration, _charm) = never();
    let again = found(exploration.replay(&first.replay));
    assert_eq!((&again.property, &again.why), (&first.property, &first.why));
    assert!(again.story.starts_with(&first.story), "{again}");
}
