#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;

use proptest::prelude::*;

use super::*;

fn texts<'s>(store: &'s Store, prefix: &'s str) -> Vec<(&'s str, &'s str)> {
    store.range(prefix).collect()
}

/// A store in memory that looks as if these texts had been loaded.
fn loaded(values: &[(&str, &str)]) -> Store {
    let values = values.iter().map(|&(key, text)| (key.to_owned(), text.to_owned())).collect();
    Store { values, ..Store::in_memory() }
}

fn change<'s>(key: &'s str, before: Option<&'s str>, after: Option<&'s str>) -> Change<'s> {
    Change { key, before, after }
}

#[test]
fn changes_are_listed_in_order_with_what_was_before() {
    let mut store = loaded(&[("b", "1"), ("c", "2"), ("d", "3")]);
    assert!(store.set("d", &"new").unwrap());
    assert!(store.set("a", &true).unwrap());
    assert!(store.unset("b"));
    assert!(!store.unset("b"));
    assert!(!store.set("c", &2).unwrap());
    assert_eq!(
        store.changes().collect::<Vec<_>>(),
        [change("a", None, Some("true")), change("b", Some("1"), None), change("d", Some("3"), Some("\"new\"")),]
    );
    store.commit().unwrap();
    assert!(!store.is_changed());
    assert_eq!(texts(&store, ""), [("a", "true"), ("c", "2"), ("d", "\"new\"")]);
}

#[test]
fn a_change_back_to_what_was_loaded_is_no_change() {
    let mut store = loaded(&[("a", r#"{"z": 1, "b": 2}"#)]);
    assert!(store.set("a", &1).unwrap());
    assert!(store.set("a", &BTreeMap::from([("b", 2), ("z", 1)])).unwrap());
    assert!(!store.is_changed());
    assert_eq!(store.get_text("a"), Some(r#"{"z": 1, "b": 2}"#), "the loaded text is back, not the sorted one");
    assert!(store.unset("a"));
    assert!(store.set("a", &BTreeMap::from([("b", 2), ("z", 1)])).unwrap());
    assert!(!store.is_changed());
    assert!(store.set("new", &1).unwrap());
    assert!(store.unset("new"));
    assert!(!store.is_changed());
}

#[test]
fn a_value_of_the_same_meaning_keeps_its_text() {
    let text = r#"{"z":1e2,"b" : ["é", NaN]}"#;
    let mut store = loaded(&[("a", text), ("number", "1"), ("broken", "{")]);
    let same = Json::parse(r#"{"b": ["\u00e9", NaN], "z": 100.0}"#).unwrap();
    assert!(!store.set_json("a", &same));
    assert_eq!(store.get_text("a"), Some(text));
    assert!(store.set("number", &1.0).unwrap(), "Python writes 1 and 1.0 differently, so their hashes differ");
    assert!(store.set("broken", &1).unwrap());
}

#[test]
fn discarding_goes_back_to_what_was_committed_last() {
    let mut store = loaded(&[("a", "1")]);
    store.set("b", &2).unwrap();
    store.commit().unwrap();
    store.set("b", &3).unwrap();
    store.set("c", &3).unwrap();
    store.unset("a");
    store.discard();
    assert!(!store.is_changed());
    assert_eq!(texts(&store, ""), [("a", "1"), ("b", "2")]);
}

#[test]
fn what_is_put_back_is_a_change_like_any_other() {
    let mut store = loaded(&[("a", "1"), ("b", "2"), ("c", "3")]);
    store.put_back("a", Some("{\"x\":1}".to_owned()));
    store.put_back("b", None);
    store.put_back("c", Some("3".to_owned()));
    store.put_back("new", Some("4".to_owned()));
    assert_eq!(texts(&store, ""), [("a", "{\"x\":1}"), ("c", "3"), ("new", "4")]);
    let changed = store.changes().map(|change| change.key);
    assert_eq!(changed.collect::<Vec<_>>(), ["a", "b", "new"], "what is as it was is none");
}

#[test]
fn a_look_at_the_file_tells_whether_somebody_else_has_written_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut ours = Store::open(&path, &Options::default()).unwrap();
    ours.set("a", &1).unwrap();
    ours.commit().unwrap();
    ours.check().unwrap();
    let mut theirs = Store::open(&path, &Options::default()).unwrap();
    theirs.set("a", &2).unwrap();
    ours.check().unwrap();
    theirs.commit().unwrap();
    assert!(matches!(ours.check(), Err(StoreError::Changed { .. })));
    assert!(Store::in_memory().check().is_ok());
}

#[test]
fn a_prefix_is_exact() {
    let keys = ["a", "a.", "a.b", "a.\u{10ffff}", "a%", "a_", "A.b", "b"];
    let store = loaded(&keys.map(|key| (key, "1")));
    let found = |prefix: &str| store.range(prefix).map(|(key, _)| key.to_owned()).collect::<Vec<_>>();
    assert_eq!(found("a."), ["a.", "a.b", "a.\u{10ffff}"]);
    assert_eq!(found("a%"), ["a%"]);
    assert_eq!(found("a_"), ["a_"]);
    assert_eq!(found("A"), ["A.b"]);
    assert_eq!(found("c"), Vec::<String>::new());
    assert_eq!(found("").len(), keys.len());
}

#[test]
fn a_value_that_cannot_be_used_is_named() {
    let mut store = loaded(&[("broken", "{"), ("text", "\"1\"")]);
    let chain = |error: StoreError| (error.to_string(), error.source().unwrap().to_string());
    let (message, source) = chain(store.get::<u8>("broken").unwrap_err());
    assert!(message.starts_with(":memory:: the value of `broken` is not JSON;"), "{message}");
    assert_eq!(source, "expected a key in double quotes, found the end of the text");
    let (message, source) = chain(store.get::<u8>("text").unwrap_err());
    assert!(message.starts_with(":memory:: the value of `text` does not have the expected shape;"), "{message}");
    assert_eq!(source, "invalid type: string \"1\", expected u8");
    let (message, source) = chain(store.set("pair", &BTreeMap::from([((1, 2), 3)])).unwrap_err());
    assert!(message.starts_with(":memory:: the new value of `pair` cannot be written as JSON;"), "{message}");
    assert!(source.starts_with("the key of a map"), "{source}");
    assert!(!store.is_changed());
    assert_eq!(store.get::<u8>("absent").unwrap(), None);
    assert_eq!(store.json("absent").unwrap(), None);
}

#[test]
fn a_full_disk_changes_nothing_and_the_commit_can_be_tried_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("db");
    let mut store = Store::open(&path, &Options::default()).unwrap();
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    store.file.as_ref().unwrap().fill_the_disk();
    let bytes = std::fs::read(&path).unwrap();

    store.set("a", &2).unwrap();
    store.set("large", &"x".repeat(100_000)).unwrap();
    let error = store.commit().unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
    assert_eq!(store.changes().len(), 2);

    store.unset("large");
    store.commit().unwrap();
    assert_eq!(Store::open(&path, &Options::default()).unwrap().get("a").unwrap(), Some(2));
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8, u8),
    Unset(u8),
    Commit,
    Discard,
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..5_u8, 0..3_u8).prop_map(|(key, value)| Step::Set(key, value)),
        2 => (0..5_u8).prop_map(Step::Unset),
        1 => Just(Step::Commit),
        1 => Just(Step::Discard),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_the_changes_are_the_difference_to_what_was_committed(
        steps in prop::collection::vec(any_step(), 0..40),
    ) {
        let mut store = Store::in_memory();
        let (mut now, mut committed) = (Values::new(), Values::new());
        for step in steps {
            match step {
                Step::Set(key, value) => {
                    let changed = now.insert(key.to_string(), value.to_string()) != Some(value.to_string());
                    prop_assert_eq!(store.set(&key.to_string(), &value).unwrap(), changed);
                }
                Step::Unset(key) => {
                    prop_assert_eq!(store.unset(&key.to_string()), now.remove(&key.to_string()).is_some());
                }
                Step::Commit => {
                    store.commit().unwrap();
                    committed = now.clone();
                }
                Step::Discard => {
                    store.discard();
                    now = committed.clone();
                }
            }
            prop_assert_eq!(&store.values, &now);
            let keys: std::collections::BTreeSet<_> = now.keys().chain(committed.keys()).collect();
            let expected: Vec<_> = keys
                .into_iter()
                .map(|key| change(key, committed.get(key).map(String::as_str), now.get(key).map(String::as_str)))
                .filter(|change| change.before != change.after)
                .collect();
            prop_assert_eq!(store.changes().collect::<Vec<_>>(), expected);
        }
    }
}

#[test]
fn what_others_do_to_the_file_meanwhile_is_noticed_but_by_a_reader() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.db");
    let open = || Store::open(&path, &Options::default()).unwrap();
    let written = |store: &mut Store, key: &str| {
        store.set(key, &1).unwrap();
        store.commit().unwrap();
    };
    let said = |store: &Store| store.check().unwrap_err().to_string();

    let early = open();
    early.check().unwrap();
    fs::write(&path, "").unwrap();
    early.check().unwrap();
    let mut one = open();
    written(&mut one, "a");
    one.check().unwrap();
    assert!(said(&early).contains("written"), "{}", said(&early));

    let reader = Store::open(&path, &Options::default().read_only()).unwrap();
    let mut other = open();
    written(&mut other, "b");
    other.check().unwrap();
    assert!(said(&one).contains("written"), "{}", said(&one));
    reader.check().unwrap();

    let copy = directory.path().join("copy.db");
    fs::copy(&path, &copy).unwrap();
    fs::rename(&copy, &path).unwrap();
    assert!(said(&other).contains("replaced"), "{}", said(&other));
    fs::remove_file(&path).unwrap();
    assert!(said(&other).contains("deleted"), "{}", said(&other));
    reader.check().unwrap();
}

#[test]
fn what_the_system_says_is_told_as_what_it_means_for_the_file() {
    use rusqlite::ffi;

    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path().join("state.db"), &Options::default()).unwrap();
    let file = store.file.as_ref().unwrap();
    let of_sqlite = |code: i32| {
        let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
        file.sqlite_error("written", error)
    };
    assert!(matches!(of_sqlite(ffi::SQLITE_PERM), StoreError::Denied { .. }));
    assert!(matches!(of_sqlite(ffi::SQLITE_READONLY), StoreError::Denied { .. }));
    assert!(matches!(of_sqlite(ffi::SQLITE_READONLY_DBMOVED), StoreError::Changed { how: "moved", .. }));
    assert!(matches!(of_sqlite(ffi::SQLITE_IOERR_READ), StoreError::Io { .. }));

    let of_io = |kind: std::io::ErrorKind| file::io_error(directory.path(), "created", kind.into());
    assert!(matches!(of_io(std::io::ErrorKind::StorageFull), StoreError::Full { .. }));
    assert!(matches!(of_io(std::io::ErrorKind::QuotaExceeded), StoreError::Full { .. }));
    assert!(matches!(of_io(std::io::ErrorKind::ReadOnlyFilesystem), StoreError::Denied { .. }));
    assert!(matches!(of_io(std::io::ErrorKind::NotFound), StoreError::Io { .. }));
}
