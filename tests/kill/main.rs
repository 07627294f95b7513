//! Charms killed with SIGKILL at every instant, retried as Juju retries, and compared with an undisturbed run.
//!
//! `strace` delivers the signal: at each system call of the charm's own, unchanged program in turn. What the program had
//! done by then is read off the trace, so that the kills in each window can be counted.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tests::{charm, program, stored};
use zkpeer_core::testing::{KillPoint, Outcome, UnitAgent};

/// How often the charm is killed in each window, at least.
const AT_LEAST: usize = 50;

/// The instants that differ in what a retry finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Window {
    BeforeLoad,
    Load,
    BetweenHandlers,
    AtHookCommand,
    InsideCommit,
    BetweenCommitAndExit,
}

/// A program that is the charm, or, when there is a file `kill`, runs it under strace and kills it at the system call that
/// the file names, such as `openat:when=3`.
fn killable(directory: &Path) -> PathBuf {
    let path = directory.join("killable");
    let script = format!(
        "#!/bin/sh\n[ -f {dir}/kill ] || exec {probe}\n\
         exec strace -qq -o {dir}/trace -e trace=all -e inject=$(cat {dir}/kill):signal=KILL {probe}\n",
        dir = directory.display(),
        probe = program("probe", env!("CARGO_BIN_EXE_probe")).display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Where the program was when the trace ended.
fn window(trace: &[&str]) -> Window {
    let is_call = |line: &str, calls: &[&str]| calls.iter().any(|call| line.starts_with(call));
    let last = |calls: &[&str]| trace.iter().rposition(|line| is_call(line, calls));
    if trace.iter().any(|line| line.starts_with("unlink(") && line.contains("-journal\") = 0")) {
        return Window::BetweenCommitAndExit;
    }
    if trace.iter().any(|line| line.starts_with("openat(") && line.contains("-journal\"") && !line.ends_with("= ?")) {
        return Window::InsideCommit;
    }
    let Some(begun) = trace.iter().position(|line| line.contains("/.unit-state.db\"") && !line.ends_with("= ?")) else {
        return Window::BeforeLoad;
    };
    // A hook command goes from the clone to the wait for its end.
    match (last(&["clone", "vfork"]), last(&["wait4", "waitid"])) {
        (Some(started), ended) if ended.is_none_or(|ended| ended < started) => return Window::AtHookCommand,
        _ => {}
    }
    // With a file, loading ends when the lock is given back.
    let loading = trace[begun..].iter().any(|line| line.starts_with("openat(") && line.contains("/.unit-state.db\""))
        && !trace[begun..].iter().any(|line| line.contains("F_UNLCK, l_whence=SEEK_SET, l_start=0"));
    if loading { Window::Load } else { Window::BetweenHandlers }
}

/// What there is to compare at the end of a story.
type End = (BTreeMap<String, String>, BTreeMap<String, String>);

/// A unit just before the hook that is to be killed.
struct Story {
    agent: UnitAgent,
    directory: tempfile::TempDir,
}

impl Story {
    /// `install` is due: there is no store yet.
    fn install() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let agent = UnitAgent::builder(charm().path()).program(killable(directory.path())).build().unwrap();
        Self { agent, directory }
    }

    /// The relation's first `-joined` is due: there is a store, and something to publish.
    fn joined() -> Self {
        let mut story = Self::install();
        story.agent.deploy().unwrap();
        story.agent.add_peer("friends", "probe/1", &[]).unwrap();
        story
    }

    /// Runs what is due and then all that follows.
    fn end(mut self) -> End {
        self.agent.deploy().unwrap();
        self.agent.settle().unwrap();
        self.observed()
    }

    fn observed(&self) -> End {
        let published = self.agent.relation_data("friends", "probe/0");
        let published = published.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        (stored(self.agent.charm_dir()), published)
    }

    /// The system calls of the hook that is due: each with how many of its name came before, itself included.
    fn calls(mut self) -> Vec<String> {
        assert_eq!(self.kill_at("getcpu:when=1"), None, "it makes no such call");
        let trace = fs::read_to_string(self.directory.path().join("trace")).unwrap();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let names = trace.lines().filter_map(|line| line.split_once('(')).map(|(name, _)| name);
        let is_name =
            |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        names
            .filter(is_name)
            .map(|name| {
                let count = counts.entry(name).or_default();
                *count += 1;
                format!("{name}:when={count}")
            })
            .collect()
    }

    /// Kills the hook that is due at this system call; the window, or none if it ended before.
    fn kill_at(&mut self, call: &str) -> Option<Window> {
        let kill = self.directory.path().join("kill");
        fs::write(&kill, call).unwrap();
        let hook = self.agent.step().unwrap().unwrap();
        fs::remove_file(&kill).unwrap();
        let trace = fs::read_to_string(self.directory.path().join("trace")).unwrap();
        match hook.outcome {
            Outcome::Killed => Some(window(&trace.lines().collect::<Vec<_>>())),
            Outcome::Done => None,
            other => panic!("killed at {call}: {other:?}\n{}", hook.stderr),
        }
    }
}

/// Kills the hook at each of its system calls in turn, then again in the windows that have not had enough.
fn kill_everywhere(story: fn() -> Story) -> BTreeMap<Window, usize> {
    let undisturbed = story().end();
    assert!(undisturbed.0.contains_key("reactive.states.probe.done"), "{undisturbed:?}");
    let all = story().calls();
    let mut calls: BTreeMap<Window, Vec<&String>> = BTreeMap::new();
    let mut counts: BTreeMap<Window, usize> = BTreeMap::new();
    let kill = |call: &str| {
        let mut story = story();
        let window = story.kill_at(call);
        assert_eq!(story.end(), undisturbed, "killed at {call}, {window:?}");
        window
    };
    // The first is the start of the program itself, which strace only sees the end of.
    for call in &all[1..] {
        if let Some(window) = kill(call) {
            calls.entry(window).or_default().push(call);
            *counts.entry(window).or_default() += 1;
        }
    }
    // From run to run a call more or less is made, so that one now and then hits a neighbouring window, or nothing.
    for (window, calls) in &calls {
        for call in calls.iter().cycle().take(4 * AT_LEAST) {
            if counts[window] >= AT_LEAST {
                break;
            }
            if let Some(window) = kill(call) {
                *counts.entry(window).or_default() += 1;
            }
        }
    }
    println!(
        "killed at each of {} system calls, {} times in all: {counts:?}",
        all.len() - 1,
        counts.values().sum::<usize>()
    );
    counts
}

#[test]
fn killed_at_every_system_call_of_the_first_hook_the_unit_ends_as_undisturbed() {
    let counts = kill_everywhere(Story::install);
    // There is nothing to load yet.
    for window in [Window::BeforeLoad, Window::AtHookCommand, Window::InsideCommit, Window::BetweenCommitAndExit] {
        assert!(counts.get(&window).is_some_and(|count| *count >= AT_LEAST), "{window:?}: {counts:?}");
    }
}

#[test]
fn killed_at_every_system_call_of_a_relation_hook_the_unit_ends_as_undisturbed() {
    let counts = kill_everywhere(Story::joined);
    let all = [
        Window::BeforeLoad,
        Window::Load,
        Window::BetweenHandlers,
        Window::AtHookCommand,
        Window::InsideCommit,
        Window::BetweenCommitAndExit,
    ];
    for window in all {
        assert!(counts.get(&window).is_some_and(|count| *count >= AT_LEAST), "{window:?}: {counts:?}");
    }
}

#[test]
fn killed_when_the_agent_is_asked_the_unit_ends_as_undisturbed() {
    let undisturbed = Story::joined().end();
    let commands = {
        let mut story = Story::joined();
        story.agent.step().unwrap().unwrap().commands.len()
    };
    assert!(commands >= 3, "{commands} hook commands");
    let mut killed = 0;
    for number in (1..=commands).cycle().take(AT_LEAST * commands) {
        let mut story = Story::joined();
        story.agent.kill_at(KillPoint::Command(number));
        let hook = story.agent.step().unwrap().unwrap();
        assert_eq!(hook.outcome, Outcome::Killed, "at hook command {number}");
        assert_eq!(story.end(), undisturbed, "killed at hook command {number}");
        killed += 1;
    }
    println!("killed {killed} times, {AT_LEAST} at each of {commands} hook commands");
}
