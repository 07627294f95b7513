//! What the new charm finds besides a unit at rest: a hook that has failed, and what charms.reactive itself cannot go on with.

use serde_json::{Value, json};
use zkpeer_core::store::{Options, Store};

use crate::charm::{APP, Language};
use crate::telling::{Record, Telling};

/// A unit and its peer, which have been told all that there is; the first is about to fail.
fn at_work(language: Language) -> Telling {
    let mut telling = Telling::new();
    telling.deploy(language, 2);
    telling.model.add_unit("client").unwrap();
    telling.model.relate("keeper:site", "client:site").unwrap();
    telling.settle();
    telling.write("rules.txt", "rule 1");
    telling.update_status();
    telling.settle();
    telling
}

/// Both units fail in a hook that has news of every kind, until they are refreshed.
fn fail_with_news(telling: &mut Telling) {
    telling.write("rules.txt", "rule 2");
    telling.write("stumble", "");
    telling.model.set_config(APP, "word", "hello").unwrap();
    telling.model.set_config(APP, "greet", true).unwrap();
    telling.model.set_config("client", "name", "second").unwrap();
    while telling.go_on().is_some() {}
    for unit in telling.units() {
        assert!(telling.model.failed(&unit).is_some(), "{unit}");
    }
}

fn refreshed_in_error(from: Language, to: Language) -> Record {
    let mut telling = at_work(from);
    fail_with_news(&mut telling);
    telling.refresh_by_force(to);
    telling.remove("stumble");
    for unit in telling.units() {
        telling.model.retry(&unit).unwrap();
    }
    telling.settle();
    telling.end_chapter();
    telling.record
}

#[test]
fn a_unit_that_is_refreshed_while_a_hook_has_failed_runs_that_hook_as_if_nothing_had_been() {
    let python = refreshed_in_error(Language::Python, Language::Python);
    refreshed_in_error(Language::Python, Language::Rust).assert_same(&python, "to Rust");
    refreshed_in_error(Language::Rust, Language::Python).assert_same(&python, "back to Python");
}

#[test]
fn a_unit_that_fails_in_its_first_hook_in_rust_starts_from_what_python_has_left() {
    let tell = |to| {
        let mut telling = at_work(Language::Python);
        telling.write("stumble", "");
        telling.model.set_config(APP, "word", "hello").unwrap();
        telling.refresh(to);
        while telling.go_on().is_some() {}
        let left: Vec<_> = telling.units().iter().map(|unit| telling.left_by(unit)).collect();
        telling.remove("stumble");
        telling.units().iter().for_each(|unit| telling.model.retry(unit).unwrap());
        telling.settle();
        telling.end_chapter();
        (left, telling.record)
    };
    let (python, rust) = (tell(Language::Python), tell(Language::Rust));
    assert_eq!(rust.0, python.0, "while the first hook has failed");
    rust.1.assert_same(&python.1, "after it");
}

/// Puts values into a unit's store, as if they had been there for long.
fn store(telling: &Telling, unit: &str, values: &[(&str, Value)]) {
    let mut store = Store::open(telling.dir(unit).join(".unit-state.db"), &Options::default()).unwrap();
    for (key, value) in values {
        store.set(key, value).unwrap();
    }
    store.commit().unwrap();
}

#[test]
fn a_departed_unit_that_charms_reactive_has_forgotten_is_seen_to_in_rust() {
    // DIFFERENCE D8: the flag names a conversation that is no more, and in Python each hook without a relation fails (R4, R5).
    let mut telling = at_work(Language::Python);
    let gone = telling.model.add_unit(APP).unwrap().to_string();
    telling.settle();
    telling.model.remove_unit(&gone).unwrap();
    telling.settle();
    let stale = "reactive.conversations.ring:0.keeper/2";
    let left = telling.left_by("keeper/0").stored;
    assert_eq!(left["reactive.states.ring.departed"]["conversations"], json!([stale]));
    assert!(!left.contains_key(stale));

    telling.refresh(Language::Rust);
    telling.settle();
    telling.model.set_config(APP, "tidy", true).unwrap();
    telling.settle();
    assert_eq!(telling.count("part"), 2, "on each unit, once");
    assert!(!telling.left_by("keeper/0").stored.contains_key("reactive.states.ring.departed"));

    telling.refresh(Language::Python);
    telling.update_status();
    telling.settle();
    assert_eq!(telling.count("part"), 2);
}

#[test]
fn a_departed_unit_that_rust_keeps_is_seen_to_in_python() {
    let mut telling = at_work(Language::Rust);
    let gone = telling.model.add_unit(APP).unwrap().to_string();
    telling.settle();
    telling.model.remove_unit(&gone).unwrap();
    telling.settle();
    telling.refresh(Language::Python);
    telling.settle();
    telling.model.set_config(APP, "tidy", true).unwrap();
    telling.settle();
    assert_eq!(telling.count("part"), 2, "on each unit, once");

    telling.refresh(Language::Rust);
    telling.settle();
    assert_eq!(telling.count("part"), 2);
    let all = tests::stored(telling.dir("keeper/0"));
    assert!(!all.keys().any(|key| key.contains("keeper/2")), "nothing is left of it: {all:?}");
}

#[test]
fn conversations_in_the_oldest_format_are_brought_up_to_date_by_either() {
    let tell = |to| {
        let mut telling = at_work(Language::Python);
        for (unit, peer) in [("keeper/0", "keeper/1"), ("keeper/1", "keeper/0")] {
            let (old, new) = (format!("reactive.conversations.ring.{peer}"), format!("ring:0.{peer}"));
            let path = telling.dir(unit).join(".unit-state.db");
            let mut store = Store::open(path, &Options::default()).unwrap();
            store.unset(&format!("reactive.conversations.{new}"));
            store.commit().unwrap();
            let flag = json!({"relation": "ring", "conversations": [old]});
            let record = json!({"relation_name": "ring", "scope": peer, "units": [peer]});
            self::store(&telling, unit, &[(&old, record), ("reactive.states.ring.joined", flag)]);
        }
        telling.refresh(to);
        telling.settle();
        telling.end_chapter();
        telling.model.set_config(APP, "tidy", true).unwrap();
        telling.settle();
        telling.end_chapter();
        assert_eq!(telling.count("meet"), 2, "on each unit, once");
        telling.record
    };
    tell(Language::Rust).assert_same(&tell(Language::Python), "in Rust");
}

#[test]
fn a_unit_that_comes_in_the_middle_and_never_was_python_goes_on_in_python() {
    let tell = |between| {
        let mut telling = at_work(Language::Python);
        telling.refresh(between);
        telling.settle();
        telling.model.add_unit(APP).unwrap();
        telling.settle();
        telling.write("rules.txt", "rule 2");
        telling.update_status();
        telling.settle();
        telling.refresh(Language::Python);
        telling.settle();
        telling.end_chapter();
        telling.record
    };
    tell(Language::Rust).assert_same(&tell(Language::Python), "with Rust between");
}
