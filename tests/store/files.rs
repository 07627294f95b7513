//! Files: what one side writes, the other reads.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use rusqlite::Connection;
use serde_json::{Value, json};
use zkpeer_core::store::{Json, Options, Store};

use crate::peer::Peer;
use crate::{Random, open, state_file};

/// What is in our store: keys and texts, as they are stored.
fn raw(store: &Store) -> Vec<(String, String)> {
    store.range("").map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

/// What is in our store, as `json.dumps(sort_keys=True)` would write it.
fn sorted(store: &Store) -> Vec<(String, String)> {
    let keys = store.range("").map(|(key, _)| key);
    keys.map(|key| (key.to_owned(), store.json(key).unwrap().unwrap().to_string())).collect()
}

#[test]
fn what_a_reactive_charm_leaves_is_read_and_given_back() {
    let (_directory, path) = state_file();
    let mut peer = Peer::start();
    peer.call(json!(["react", path]));
    let theirs = peer.texts("raw");

    let mut store = open(&path);
    assert_eq!(raw(&store), theirs);
    assert_eq!(sorted(&store), peer.texts("values"));
    assert_eq!(store.get_text("reactive.states.zookeeper.installed"), Some("null"));
    let flags: Vec<_> = store.range("reactive.states.").map(|(key, _)| key.to_owned()).collect();
    assert_eq!(
        flags,
        ["reactive.states.with.value", "reactive.states.zkpeer.joined", "reactive.states.zookeeper.installed"]
    );
    let value = store.json("reactive.states.with.value").unwrap().unwrap();
    assert_eq!(value.to_string(), r#"{"a": "\u00e9\ud800", "z": [1.0, 1e-07, NaN]}"#);
    let conversation = "reactive.conversations.zkpeer:0.zk/1";
    let fields: BTreeMap<String, Value> = store.get(conversation).unwrap().unwrap();
    assert_eq!(json!(fields), json!({"namespace": "zkpeer:0", "units": ["zk/1"], "scope": "zk/1"}));
    let big = store.json(&format!("{conversation}.local-data.big")).unwrap().unwrap();
    assert_eq!(big.to_string(), format!("1{}", "0".repeat(30)));

    // And back: a unit and an address more, a flag less.
    let fields = BTreeMap::from([
        ("namespace", json!("zkpeer:0")),
        ("units", json!(["zk/1", "zk/2"])),
        ("scope", json!("zk/1")),
    ]);
    assert!(store.set(conversation, &fields).unwrap());
    assert!(store.set(&format!("{conversation}.local-data.address"), "10.0.0.2").unwrap());
    assert!(store.unset("reactive.states.with.value"));
    assert!(store.set("reactive.states.from.rust", &()).unwrap());
    store.commit().unwrap();
    let answer = Peer::start().call(json!(["flags_of", path]));
    let flags = ["from.rust", "zkpeer.joined", "zookeeper.installed"];
    assert_eq!(answer, json!([flags, "zkpeer", ["zk/1", "zk/2"], "10.0.0.2", false]));
}

#[test]
fn our_file_has_the_tables_the_journal_and_the_mode_of_theirs() {
    let (_directory, ours) = state_file();
    let (_other_directory, theirs) = state_file();
    let mut store = open(&ours);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    let mut peer = Peer::start();
    peer.call(json!(["open_store", theirs]));
    peer.call(json!(["set_value", "a", "1"]));
    peer.call(json!(["flush"]));
    assert_eq!(peer.call(json!(["describe", ours])), peer.call(json!(["describe", theirs])));

    peer.call(json!(["open_store", ours]));
    assert_eq!(peer.call(json!(["history"])), json!([[1, "in-hook", "2", "install"]]));
    assert_eq!(raw(&open(&ours)), [("a".into(), "1".into()), ("in-hook".into(), "2".into())]);
}

#[test]
fn values_that_are_not_set_stay_the_same_text_through_every_commit() {
    let (_directory, path) = state_file();
    let (mut peer, mut random) = (Peer::start(), Random::new());
    peer.call(json!(["open_store", path]));
    let values = peer.call(json!(["random_values", random.next() >> 32, 500]));
    for (index, value) in values.as_array().unwrap().iter().enumerate() {
        peer.call(json!(["set_value", format!("key-{index}"), value[0]]));
    }
    peer.call(json!(["flush"]));
    let mut expected = peer.texts("raw");

    let mut store = open(&path);
    for (key, text) in &expected {
        assert!(!store.set_json(key, &Json::parse(text).unwrap()), "{key} means the same");
    }
    assert!(!store.is_changed());
    for round in 0..10 {
        store.set("zzz", &round).unwrap();
        store.commit().unwrap();
    }
    expected.push(("zzz".into(), "9".into()));
    assert_eq!(peer.texts("raw"), expected);
    assert_eq!(raw(&open(&path)), expected);
}

#[test]
fn what_we_write_charmhelpers_reads_as_the_same_values() {
    let (_directory, path) = state_file();
    let (mut peer, mut random) = (Peer::start(), Random::new());
    let values = peer.call(json!(["random_values", random.next() >> 32, 500]));
    let mut store = open(&path);
    let mut expected = BTreeMap::new();
    for (index, value) in values.as_array().unwrap().iter().enumerate() {
        let key = format!("é\0😀 %_ {index:03}");
        store.set_json(&key, &Json::parse(value[0].as_str().unwrap()).unwrap());
        expected.insert(key, value[1].as_str().unwrap().to_owned());
    }
    store.commit().unwrap();
    peer.call(json!(["open_store", path]));
    let expected: Vec<_> = expected.into_iter().collect();
    assert_eq!(peer.texts("values"), expected);
    assert_eq!(peer.texts("raw"), expected);
}

#[test]
fn both_sides_take_turns_and_never_disagree() {
    let (_directory, path) = state_file();
    let (mut peer, mut random) = (Peer::start(), Random::new());
    peer.call(json!(["open_store", path]));
    let values = peer.call(json!(["random_values", random.next() >> 32, 100]));
    let mut expected = BTreeMap::new();
    for turn in 0..300 {
        let mut store = open(&path);
        for _ in 0..random.below(4) {
            let key = format!("key-{}", random.below(10));
            let value = &values[random.below(100)];
            let set = random.below(4) > 0;
            match (turn % 2, set) {
                (0, true) => drop(peer.call(json!(["set_value", key, value[0]]))),
                (0, false) => drop(peer.call(json!(["unset_value", key]))),
                (_, true) => drop(store.set_json(&key, &Json::parse(value[0].as_str().unwrap()).unwrap())),
                (_, false) => drop(store.unset(&key)),
            }
            match set {
                true => expected.insert(key, value[1].as_str().unwrap().to_owned()),
                false => expected.remove(&key),
            };
        }
        if turn % 2 == 0 {
            peer.call(json!(["flush"]));
            store = open(&path);
        } else {
            store.commit().unwrap();
        }
        let expected: Vec<_> = expected.clone().into_iter().collect();
        assert_eq!(sorted(&store), expected, "turn {turn}");
        assert_eq!(sorted(&open(&path)), expected, "turn {turn}");
        assert_eq!(peer.texts("values"), expected, "turn {turn}");
    }
}

#[test]
fn a_missing_file_is_an_empty_store_and_is_made_by_the_first_change() {
    let (directory, path) = state_file();
    let mut store = open(&path);
    assert_eq!(store.path(), Some(path.as_path()));
    assert_eq!(raw(&store), []);
    store.commit().unwrap();
    store.set("a", &1).unwrap();
    store.unset("a");
    store.commit().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0, "nothing changed, so nothing was written");
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no journal stays");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    store.set("a", &2).unwrap();
    store.commit().unwrap();
    assert_eq!(raw(&open(&path)), [("a".into(), "2".into())]);
}

#[test]
fn an_empty_file_and_a_database_without_our_table_are_empty_stores() {
    let (_directory, path) = state_file();
    fs::write(&path, "").unwrap();
    let mut store = open(&path);
    assert_eq!(raw(&store), []);
    store.commit().unwrap();
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    assert_eq!(raw(&open(&path)), [("a".into(), "1".into())]);

    let (_directory, path) = state_file();
    Connection::open(&path).unwrap().execute_batch("create table ours (x); insert into ours values (1)").unwrap();
    let mut store = open(&path);
    assert_eq!(raw(&store), []);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    assert_eq!(raw(&open(&path)), [("a".into(), "1".into())]);
    let sum: i64 = Connection::open(&path).unwrap().query_row("select sum(x) from ours", [], |row| row.get(0)).unwrap();
    assert_eq!(sum, 1, "other tables stay as they are");
}

#[test]
fn without_a_change_no_byte_of_the_file_is_touched() {
    let (directory, path) = state_file();
    let mut store = open(&path);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    let look = || {
        let metadata = fs::metadata(&path).unwrap();
        let directory = fs::metadata(directory.path()).unwrap();
        (fs::read(&path).unwrap(), metadata.modified().unwrap(), directory.modified().unwrap())
    };
    let before = look();
    let mut store = open(&path);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    let mut reader = Store::open(&path, &Options::default().read_only()).unwrap();
    assert_eq!(reader.get("a").unwrap(), Some(1));
    reader.set("a", &2).unwrap();
    let message = reader.commit().unwrap_err().to_string();
    assert!(message.contains("opened for reading only"), "{message}");
    reader.discard();
    reader.commit().unwrap();
    drop(reader);
    assert_eq!(look(), before);
}

#[test]
fn a_read_only_store_makes_no_file() {
    let (directory, path) = state_file();
    let mut store = Store::open(&path, &Options::default().read_only()).unwrap();
    store.set("a", &1).unwrap();
    assert!(store.commit().is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
