//! Locks, and files that change behind a store's back.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use zkpeer_core::store::{Options, Store, StoreError};

use crate::peer::Peer;
use crate::{open, state_file};

fn briefly() -> Options {
    Options::default().wait(Duration::from_millis(20))
}

/// A file with the value 1 under `a`.
fn prepared(path: &Path) {
    let mut store = open(path);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
}

fn assert_changed(result: Result<(), StoreError>, expected: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, StoreError::Changed { how, .. } if how == expected), "{error:?}");
}

#[test]
fn nothing_is_locked_between_loading_and_committing() {
    let (_directory, path) = state_file();
    prepared(&path);
    let store = open(&path);
    let mut peer = Peer::start();
    peer.call(json!(["connect", "writer", path]));
    assert_eq!(peer.call(json!(["execute", "writer", "begin exclusive"])), Value::Null);
    assert_eq!(peer.call(json!(["execute", "writer", "commit"])), Value::Null);
    assert_eq!(store.get("a").unwrap(), Some(1));
}

#[test]
fn a_file_that_python_holds_cannot_be_opened() {
    let (_directory, path) = state_file();
    prepared(&path);
    let mut peer = Peer::start();
    peer.call(json!(["connect", "writer", path]));
    peer.call(json!(["execute", "writer", "begin exclusive"]));
    for options in [briefly(), briefly().read_only()] {
        let error = Store::open(&path, &options).unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
        assert!(error.to_string().contains("kept it locked for 0.02 s"), "{error}");
    }
    peer.call(json!(["execute", "writer", "rollback"]));
    assert_eq!(open(&path).get("a").unwrap(), Some(1));
}

#[test]
fn a_commit_waits_for_a_writer_in_vain_and_can_be_tried_again() {
    let (_directory, path) = state_file();
    prepared(&path);
    let mut peer = Peer::start();
    peer.call(json!(["connect", "writer", path]));
    peer.call(json!(["execute", "writer", "begin immediate"]));
    let mut store = Store::open(&path, &briefly()).unwrap();
    store.set("a", &2).unwrap();
    for _ in 0..2 {
        let error = store.commit().unwrap_err();
        assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    }
    peer.call(json!(["execute", "writer", "rollback"]));
    store.commit().unwrap();
    assert_eq!(open(&path).get("a").unwrap(), Some(2));
}

#[test]
fn a_commit_that_a_reader_blocks_writes_nothing_and_leaves_no_lock() {
    let (_directory, path) = state_file();
    prepared(&path);
    let mut peer = Peer::start();
    peer.call(json!(["connect", "reader", path]));
    // The row is taken, the end of the rows is not: the reader keeps its lock.
    assert_eq!(peer.call(json!(["execute", "reader", "select data from kv union all select 1"])), json!(["1"]));
    let mut store = Store::open(&path, &briefly()).unwrap();
    store.set("a", &2).unwrap();
    let error = store.commit().unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error:?}");
    peer.call(json!(["connect", "writer", path]));
    assert_eq!(peer.call(json!(["execute", "writer", "begin immediate"])), Value::Null, "our lock is gone");
    peer.call(json!(["execute", "writer", "rollback"]));
    assert_eq!(open(&path).get("a").unwrap(), Some(1));
    peer.call(json!(["finish", "reader"]));
    store.commit().unwrap();
    assert_eq!(open(&path).get("a").unwrap(), Some(2));
}

#[test]
fn python_sees_the_lock_of_our_commit() {
    let (_directory, path) = state_file();
    prepared(&path);
    let mut peer = Peer::start();
    peer.call(json!(["connect", "reader", path]));
    peer.call(json!(["connect", "writer", path]));
    assert_eq!(peer.call(json!(["execute", "reader", "select data from kv union all select 1"])), json!(["1"]));
    // The reader keeps our commit in the middle of its work for as long as we want to look at it.
    let committing = {
        let mut store = Store::open(&path, &Options::default().wait(Duration::from_secs(60))).unwrap();
        store.set("a", &2).unwrap();
        std::thread::spawn(move || store.commit().unwrap())
    };
    let locked = loop {
        let answer = peer.call(json!(["try_to_write", "writer"]));
        if !answer.is_null() {
            break answer;
        }
        assert!(!committing.is_finished(), "it has not waited for the reader");
    };
    assert_eq!(locked, "database is locked");
    peer.call(json!(["finish", "reader"]));
    committing.join().unwrap();
    assert_eq!(peer.call(json!(["execute", "reader", "select data from kv"])), json!(["2"]));
}

#[test]
fn a_file_that_was_written_since_is_not_overwritten() {
    let (_directory, path) = state_file();
    prepared(&path);
    let mut peer = Peer::start();
    peer.call(json!(["open_store", path]));
    let mut store = open(&path);
    store.set("ours", &1).unwrap();
    peer.call(json!(["set_value", "theirs", "1"]));
    peer.call(json!(["flush"]));
    for _ in 0..2 {
        assert_changed(store.commit(), "written");
    }
    assert_eq!(store.changes().len(), 1);
    assert_eq!(peer.texts("raw"), [("a".into(), "1".into()), ("theirs".into(), "1".into())]);
    // What we write ourselves does not count.
    let mut store = open(&path);
    for round in 0..3 {
        store.set("ours", &round).unwrap();
        store.commit().unwrap();
    }
}

#[test]
fn a_file_that_was_written_by_this_process_through_another_store_is_not_overwritten_either() {
    let (_directory, path) = state_file();
    let (mut one, mut other) = (open(&path), open(&path));
    one.set("a", &1).unwrap();
    other.set("a", &2).unwrap();
    one.commit().unwrap();
    assert_changed(other.commit(), "written");
    let mut third = open(&path);
    third.set("b", &1).unwrap();
    third.commit().unwrap();
    one.set("a", &3).unwrap();
    assert_changed(one.commit(), "written");
}

#[test]
fn a_file_that_was_replaced_or_deleted_since_is_left_alone() {
    let (directory, path) = state_file();
    let other = directory.path().join("other");
    for start in ["a database", "an empty file"] {
        let begin = || {
            let _ = fs::remove_file(&path);
            if start == "an empty file" {
                fs::write(&path, "").unwrap()
            } else {
                prepared(&path)
            }
            let mut store = open(&path);
            store.set("a", &2).unwrap();
            store
        };
        let mut store = begin();
        fs::remove_file(&path).unwrap();
        assert_changed(store.commit(), "deleted");
        assert!(!path.exists(), "{start}");

        let mut store = begin();
        prepared(&other);
        fs::rename(&other, &path).unwrap();
        let bytes = fs::read(&path).unwrap();
        assert_changed(store.commit(), "replaced");
        assert_eq!(fs::read(&path).unwrap(), bytes, "{start}");
        assert!(store.is_changed());
    }
}

#[test]
fn a_file_that_appeared_since_is_used_if_it_is_empty_and_left_alone_if_not() {
    let (_directory, path) = state_file();
    let mut peer = Peer::start();
    let mut store = open(&path);
    store.set("a", &2).unwrap();
    peer.call(json!(["open_store", path]));
    peer.call(json!(["set_value", "theirs", "1"]));
    peer.call(json!(["flush"]));
    assert_changed(store.commit(), "written");
    assert_eq!(peer.texts("raw"), [("theirs".into(), "1".into())]);
    peer.call(json!(["unset_value", "theirs"]));
    peer.call(json!(["flush"]));
    store.commit().unwrap();
    assert_eq!(peer.texts("raw"), [("a".into(), "2".into())]);
}
