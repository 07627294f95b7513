//! A process that is killed at any instant leaves all of a commit or nothing of it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use crate::{Random, open, state_file};

#[test]
fn after_a_kill_at_any_instant_the_last_commit_is_there_whole() {
    let (_directory, path) = state_file();
    let mut random = Random::new();
    let mut at_least = 0_u64;
    for _ in 0..40 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["kills::part_that_commits_for_ever", "--exact", "--ignored", "--nocapture"])
            .env("ZKPEER_STORE_FILE", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Kept to the end: the child would fail for want of a reader before it is killed.
        let mut committed = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .filter_map(|line| line.unwrap().strip_prefix("committed ")?.parse::<u64>().ok());
        if let Some(last) = committed.by_ref().take(random.below(20)).last() {
            at_least = last;
        }
        // Somewhere in the next commits.
        for _ in 0..random.below(100_000) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();

        let store = open(&path);
        let value = |key: &str| store.get::<u64>(key).unwrap().unwrap_or_default();
        assert_eq!(value("first"), value("last"), "half of a commit");
        assert!(value("first") >= at_least, "{} was committed, {} is there", at_least, value("first"));
    }
    assert!(at_least > 0);
}

#[test]
#[ignore = "is a part of another test"]
fn part_that_commits_for_ever() {
    let path = std::env::var_os("ZKPEER_STORE_FILE").expect("this is a part of another test");
    let mut store = open(path.as_ref());
    println!();
    for number in store.get::<u64>("first").unwrap().unwrap_or_default() + 1.. {
        store.set("first", &number).unwrap();
        store.set("middle", &"x".repeat(20_000 + number as usize % 7_000)).unwrap();
        store.set("last", &number).unwrap();
        store.commit().unwrap();
        println!("committed {number}");
    }
}
