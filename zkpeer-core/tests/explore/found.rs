//! A story that was found is the shortest, comes again, and is a test that can be pasted in.

use std::collections::BTreeMap;

use zkpeer_core::handlers;
use zkpeer_core::testing::{Doing, Explore, Model, explore};

use crate::charms::{self, model};
use crate::faults::found;

fn departing() -> (Explore, Model, tempfile::TempDir) {
    let handlers = handlers![charms::greet, charms::fail_when_one_departs];
    let (explored, charm) = model(handlers, 2);
    let mut again = Model::new();
    let charm_of = zkpeer_core::Charm::new().handlers(handlers);
    let application = zkpeer_core::testing::Application::new(charm.path()).in_process(charm_of).units(2);
    again.deploy(application).unwrap();
    (explore(explored).at_any_time(Doing::remove_unit("hello/1")), again, charm)
}

#[test]
fn the_shortest_story_is_found() {
    let (exploration, _, _charm) = departing();
    let found = found(exploration.run());
    let expected = [
        "hello/0 begins install: greet +greeted",
        "hello/0 ends its hook",
        "hello/0 begins friends-relation-created of friends:0",
        "hello/0 begins leader-settings-changed",
        "hello/0 begins config-changed",
        "hello/0 begins start",
        "hello/1 begins install: greet +greeted",
        "hello/1 ends its hook",
        "hello/0 begins friends-relation-joined (hello/1) of friends:0",
        "hello/0 begins friends-relation-changed (hello/1) of friends:0",
        "juju remove-unit hello/1",
    ];
    let (last, before) = found.story.split_last().unwrap();
    assert_eq!(before, expected, "{found}");
    assert!(last.starts_with("hello/0 begins friends-relation-departed (hello/1) of friends:0"), "{last}");
}

#[test]
fn a_story_is_found_again_by_its_text() {
    let (exploration, _, _charm) = departing();
    let first = found(exploration.run());
    let (exploration, _, _charm) = departing();
    let again = found(exploration.replay(&first.replay));
    assert_eq!((again.property, again.why, again.story), (first.property, first.why, first.story));
}

/// Does what the lines of a test do, as far as they are calls of a model.
pub(crate) fn play(model: &mut Model, test: &str) {
    let calls = test.lines().filter_map(|line| line.trim().strip_prefix("model.")?.strip_suffix("?;"));
    for call in calls {
        let (name, argument) = call.strip_suffix(')').unwrap().split_once('(').unwrap();
        let argument: String = serde_json::from_str(argument).unwrap();
        let calls: BTreeMap<&str, fn(&mut Model, &str)> = BTreeMap::from([
            ("happens", (|model, step| drop(model.happens(step).unwrap())) as fn(&mut Model, &str)),
            ("remove_unit", |model, unit| model.remove_unit(unit).unwrap()),
        ]);
        calls[name](model, &argument);
    }
}

#[test]
fn the_test_that_is_printed_does_the_same() {
    let (exploration, mut again, _charm) = departing();
    let found = found(exploration.run());
    assert!(
        found.test.starts_with("#[test]\nfn no_hook_fails() -> Result<(), Box<dyn std::error::Error>> {\n"),
        "{found}"
    );
    play(&mut again, &found.test);
    assert!(again.failed("hello/0").is_some(), "the hook has failed there, too");
}

#[test]
fn what_is_printed_has_all_of_it() {
    let (exploration, _, _charm) = departing();
    let found = found(exploration.run());
    let text = found.to_string();
    for part in [&found.property, &found.why, &format!(".replay(\"{}\")", found.replay), &found.test] {
        assert!(text.contains(part.as_str()), "{part} is not in:\n{text}");
    }
    assert!(text.contains("The story, in 12 steps, and none is shorter:\n   1. hello/0 begins install"), "{text}");
    assert_eq!(format!("{found:?}"), text);
}
