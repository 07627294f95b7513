//! What can be wrong with a file, and what the messages say then.

use std::error::Error;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rusqlite::Connection;
use serde_json::json;
use zkpeer_core::store::{Options, Store, StoreError};

use crate::peer::Peer;
use crate::{open, state_file};

/// The error of opening the file, for writing and for reading alike.
fn refused(path: &Path) -> StoreError {
    let read_only = Store::open(path, &Options::default().read_only()).unwrap_err();
    let error = Store::open(path, &Options::default()).unwrap_err();
    assert_eq!(read_only.to_string(), error.to_string());
    error
}

/// Every message names the file and what to do, and leaves to the source what the source says.
fn assert_says(error: &StoreError, path: &Path, expected: &str) {
    let message = error.to_string();
    assert!(message.starts_with(&format!("{}: ", path.display())), "{message}");
    assert!(message.contains(expected), "{message}");
    assert!(message.contains("; ") || message.contains(", "), "{message}: what is to be done?");
    if let Some(source) = error.source() {
        assert!(!message.contains(&source.to_string()), "{message}: {source}");
    }
}

fn database(sql: &str) -> (tempfile::TempDir, PathBuf) {
    let (directory, path) = state_file();
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    (directory, path)
}

#[test]
fn what_is_no_database_is_named() {
    let (_directory, path) = state_file();
    fs::write(&path, "key: value\n".repeat(1000)).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error:?}");
    assert_says(&error, &path, "not an SQLite database");
}

#[test]
fn a_damaged_database_is_named() {
    let (_directory, path) = state_file();
    let mut store = open(&path);
    for key in 0..1000 {
        store.set(&format!("key-{key}"), &"x".repeat(50)).unwrap();
    }
    store.commit().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let half = bytes.len() / 2;
    bytes[4096..half].fill(0x55);
    fs::write(&path, bytes).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
    assert_says(&error, &path, "the database is damaged");
}

#[test]
fn a_truncated_database_is_an_error_and_stays_as_it_is() {
    let (_directory, path) = state_file();
    let mut store = open(&path);
    for key in 0..1000 {
        store.set(&format!("key-{key}"), &"x".repeat(50)).unwrap();
    }
    store.commit().unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    // One byte is nothing: SQLite itself writes one into an empty file, on some systems.
    for length in [2, 15, 16, 50, 99, 100, 512, 4096, 5000, 8192, bytes.len() - 4096] {
        fs::write(&path, &bytes[..length]).unwrap();
        let error = Store::open(&path, &Options::default()).err();
        assert!(
            matches!(error, Some(StoreError::NotADatabase { .. } | StoreError::Corrupt { .. } | StoreError::Io { .. })),
            "{length}: {error:?}"
        );
        assert_eq!(fs::read(&path).unwrap().len(), length);
    }
}

#[test]
fn another_layout_is_named_by_its_columns() {
    let (_directory, path) = database("create table kv (key text, data text, more text)");
    let error = refused(&path);
    assert!(matches!(error, StoreError::Layout { .. }), "{error:?}");
    assert_says(&error, &path, "has the columns `key`, `data`, `more` instead of `key`, `data`");

    let (_directory, path) =
        database("create table kv (key text, data text); insert into kv values ('a', 1), ('a', 2)");
    assert_says(&refused(&path), &path, "several rows with the same key");
}

#[test]
fn a_key_or_value_that_is_no_text_is_named() {
    let rows = [
        ("'bad key', x'00ff'", "the value of `bad key` is a BLOB and not a text"),
        ("'bad key', null", "the value of `bad key` is NULL and not a text"),
        ("'bad key', cast(x'ff' as text)", "the value of `bad key` is not valid UTF-8 and not a text"),
        ("null, '1'", "a key in the table `kv` is NULL and not a text"),
        ("x'00', '1'", "a key in the table `kv` is a BLOB and not a text"),
    ];
    for (row, expected) in rows {
        let sql = format!("create table kv (key text, data text, primary key (key)); insert into kv values ({row})");
        let (_directory, path) = database(&sql);
        let error = refused(&path);
        assert!(matches!(error, StoreError::NotText { .. }), "{error:?}");
        assert_says(&error, &path, expected);
    }
}

#[test]
fn a_value_that_is_no_json_is_an_error_when_it_is_asked_for() {
    let (_directory, path) = database(
        "create table kv (key text, data text, primary key (key)); insert into kv values ('a', '{'), ('b', '1')",
    );
    let mut store = open(&path);
    assert_eq!(store.get("b").unwrap(), Some(1));
    assert_eq!(store.get_text("a"), Some("{"));
    let error = store.get::<u8>("a").unwrap_err();
    assert!(matches!(error, StoreError::NotJson { .. }), "{error:?}");
    assert_says(&error, &path, "the value of `a` is not JSON");
    assert_says(&store.get::<String>("b").unwrap_err(), &path, "the value of `b` does not have the expected shape");
    store.set("b", &2).unwrap();
    store.commit().unwrap();
    assert_eq!(open(&path).get_text("a"), Some("{"), "what is not set stays");
}

#[test]
fn what_is_no_file_is_named() {
    let (directory, path) = state_file();
    fs::create_dir(&path).unwrap();
    let error = refused(&path);
    assert!(matches!(error, StoreError::NotAFile { .. }), "{error:?}");
    assert_says(&error, &path, "this is a directory");

    let path = directory.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_says(&refused(&path), &path, "this is a named pipe");

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    assert_says(&refused(&file.join("db")), &file.join("db"), "could not be read");

    let path = directory.path().join("no/such/directory/db");
    let mut store = open(&path);
    store.set("a", &1).unwrap();
    assert_says(&store.commit().unwrap_err(), &path, "could not be created");
    assert!(store.is_changed());
}

#[test]
fn a_name_that_means_something_to_sqlite_is_a_file_like_any_other() {
    let directory = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:db?mode=memory", "a%41b", "é \u{1f600}"] {
        let path = directory.path().join(name);
        let mut store = open(&path);
        store.set("a", &1).unwrap();
        store.commit().unwrap();
        drop(store);
        assert_eq!(open(&path).get("a").unwrap(), Some(1), "{name}");
        assert!(fs::metadata(&path).unwrap().len() > 0, "{name}");
    }
}

#[test]
fn a_symbolic_link_leads_to_the_file() {
    let (directory, path) = state_file();
    let target = directory.path().join("target");
    std::os::unix::fs::symlink(&target, &path).unwrap();
    for value in 0..3 {
        let mut store = open(&path);
        store.set("a", &value).unwrap();
        store.commit().unwrap();
    }
    assert!(fs::symlink_metadata(&path).unwrap().is_symlink());
    assert_eq!(open(&target).get("a").unwrap(), Some(2));
}

/// What a killed process left behind is rolled back by the next one that may write.
#[test]
fn a_file_whose_writer_was_killed_is_as_before_for_a_writer_and_an_error_for_a_reader() {
    let (directory, path) = state_file();
    let mut store = open(&path);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    drop(store);
    let peer = Peer::start();
    peer.call_to_die(&json!(["die_while_writing", path]));
    let journal = directory.path().join(".unit-state.db-journal");
    let look = || (fs::read(&path).unwrap(), fs::read(&journal).unwrap());
    let left = look();

    let error = Store::open(&path, &Options::default().read_only()).unwrap_err();
    assert!(matches!(error, StoreError::Unfinished { .. }), "{error:?}");
    assert_says(&error, &path, "a process was killed while it wrote");
    assert_eq!(look(), left, "a reader touches neither");

    let store = open(&path);
    assert_eq!(store.range("").collect::<Vec<_>>(), [("a", "1")]);
    assert!(!journal.exists());
    assert!(Store::open(&path, &Options::default().read_only()).is_ok());
}

/// The test of this name, in a process of its own.
fn in_another_process(program: &Path, test: &str, path: &Path) -> Command {
    let mut command = Command::new(program);
    command.args([&format!("failures::{test}"), "--exact", "--ignored", "--nocapture"]).env("ZKPEER_STORE_FILE", path);
    command
}

fn assert_passes(command: &mut Command) {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{command:?}: {text}");
}

fn file_of_this_process() -> PathBuf {
    std::env::var_os("ZKPEER_STORE_FILE").expect("this is a part of another test").into()
}

#[test]
fn a_disk_without_space_leaves_the_file_as_it_was() {
    let (directory, path) = state_file();
    let mut store = open(&path);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    drop(store);
    let bytes = fs::read(&path).unwrap();
    let program = std::env::current_exe().unwrap();
    let inner = in_another_process(&program, "part_that_writes_too_much", &path);

    // Every system can limit the size of files, which SQLite reports as a failure to write.
    let mut limited = Command::new("sh");
    limited
        .args(["-c", r#"trap "" XFSZ; ulimit -f 64; exec "$0" "$@""#])
        .arg(inner.get_program())
        .args(inner.get_args());
    assert_passes(limited.env("ZKPEER_STORE_FILE", &path).env("ZKPEER_EXPECTED", "Io"));
    assert_eq!(fs::read(&path).unwrap(), bytes);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);

    // A file system that is full needs a mount, which not every system lets us make.
    let mut unshared = Command::new("unshare");
    unshared.args(["--user", "--map-root-user", "--mount"]);
    if !unshared.arg("true").output().is_ok_and(|output| output.status.success()) {
        println!("`unshare` may not make a file system here, so none was filled");
        return;
    }
    let mount = directory.path().join("mount");
    fs::create_dir(&mount).unwrap();
    let script = r#"mount -t tmpfs -o size=256k none "$MOUNT" && cp "$FILE" "$MOUNT" && "$0" "$@" &&
        cmp "$FILE" "$ZKPEER_STORE_FILE" && test "$(ls -A "$MOUNT" | wc -l)" = 1"#;
    let mut full = Command::new("unshare");
    full.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    full.arg(inner.get_program()).args(inner.get_args()).env("MOUNT", &mount).env("FILE", &path);
    assert_passes(full.env("ZKPEER_STORE_FILE", mount.join(".unit-state.db")).env("ZKPEER_EXPECTED", "Full"));
}

#[test]
#[ignore = "is a part of another test"]
fn part_that_writes_too_much() {
    let path = file_of_this_process();
    let mut store = open(&path);
    store.set("a", &2).unwrap();
    store.set("large", &"x".repeat(1 << 20)).unwrap();
    for _ in 0..2 {
        let error = store.commit().unwrap_err();
        match std::env::var("ZKPEER_EXPECTED").unwrap().as_str() {
            "Full" => {
                assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
                assert_says(&error, &path, "no space left");
            }
            _ => {
                assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
                assert_says(&error, &path, "could not be written");
            }
        }
        assert_eq!(store.changes().len(), 2);
    }
    assert_eq!(open(&path).get("a").unwrap(), Some(1));
}

#[test]
fn what_a_process_may_not_do_is_named() {
    let (directory, path) = state_file();
    let mut store = open(&path);
    store.set("a", &1).unwrap();
    store.commit().unwrap();
    drop(store);
    let allow = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    // Root may do everything, so another user has to try; that one may not see where the program is.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let programs = tempfile::tempdir().unwrap();
    allow(programs.path(), 0o755);
    let program = programs.path().join("program");
    let original = std::env::current_exe().unwrap();
    fs::hard_link(&original, &program).or_else(|_| fs::copy(&original, &program).map(drop)).unwrap();
    let cases = [
        // The modes of the directory and of the file, and what cannot be done then.
        (0o755, 0o000, "read"),
        (0o000, 0o644, "read"),
        (0o755, 0o444, "written"),
        (0o555, 0o666, "written"),
    ];
    for (directory_mode, file_mode, doing) in cases {
        allow(&path, file_mode);
        allow(directory.path(), directory_mode);
        let mut command = in_another_process(&program, "part_that_may_not", &path);
        if is_root {
            command.uid(65534).gid(65534);
        }
        assert_passes(command.env("ZKPEER_EXPECTED", doing).current_dir("/"));
        allow(directory.path(), 0o755);
    }
    allow(&path, 0o600);
    assert_eq!(open(&path).get("a").unwrap(), Some(1));
}

#[test]
#[ignore = "is a part of another test"]
fn part_that_may_not() {
    let path = file_of_this_process();
    let expected = std::env::var("ZKPEER_EXPECTED").unwrap();
    let result = Store::open(&path, &Options::default()).and_then(|mut store| {
        assert_eq!(store.get("a").unwrap(), Some(1));
        store.set("a", &2).unwrap();
        store.commit()
    });
    let error = result.unwrap_err();
    assert!(matches!(&error, StoreError::Denied { doing, .. } if *doing == expected), "{error:?}");
    assert_says(&error, &path, &format!("it may not be {expected}"));
}
