//! The instants at which a charm's own, unchanged program is killed: each of its system calls, and where it is by then.
//!
//! `strace` delivers the signal, and tells what the program had done.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// The instants that differ in what a retry finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Window {
    /// The store has not been opened.
    BeforeLoad,
    /// The store is being read.
    Load,
    /// Handlers run, or what comes before and after them.
    BetweenHandlers,
    /// A file is being written that is to take another one's place.
    WritingAFile,
    /// A hook command runs.
    AtHookCommand,
    /// The store is being written.
    InsideCommit,
    /// The store has been written.
    BetweenCommitAndExit,
}

/// How many kills there were in each window.
pub type Counts = BTreeMap<Window, usize>;

/// A system call of a hook, such as `openat:when=3`, and the window in which it is made.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its name, and which of them it is.
    pub name: String,
    /// Where the hook is when it makes the call.
    pub window: Window,
}

/// No hook makes this call.
const NEVER: &str = "getcpu:when=1";

/// A program that is the charm, and runs under strace when it is to be killed.
#[derive(Debug)]
pub struct Killable {
    directory: TempDir,
}

impl Killable {
    /// This program.
    ///
    /// # Panics
    ///
    /// If the script that starts it cannot be written.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let script = format!(
            "#!/bin/sh\n[ -f {dir}/kill ] || exec {program}\n\
             exec strace -qq -o {dir}/trace -e trace=all -e inject=$(cat {dir}/kill):signal=KILL {program}\n",
            dir = directory.path().display(),
            program = program.display()
        );
        let killable = Self { directory };
        fs::write(killable.program(), script).unwrap();
        fs::set_permissions(killable.program(), fs::Permissions::from_mode(0o755)).unwrap();
        killable
    }

    /// What a charm is deployed with.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.directory.path().join("killable")
    }

    /// What is run meanwhile is killed at this system call; the window, if it came to that.
    ///
    /// # Panics
    ///
    /// If nothing is run, or there is no strace.
    pub fn kill_at(&self, call: &str, run: impl FnOnce()) -> Window {
        let trace = self.trace(call, run);
        trace.lines().fold(Progress::default(), Progress::after).window()
    }

    /// The system calls of what is run meanwhile, undisturbed.
    ///
    /// # Panics
    ///
    /// If nothing is run, or there is no strace.
    pub fn calls(&self, run: impl FnOnce()) -> Vec<Call> {
        let trace = self.trace(NEVER, run);
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let mut progress = Progress::default();
        let mut calls = Vec::new();
        for line in trace.lines() {
            let window = progress.window();
            progress = progress.after(line);
            let Some((name, _)) = line.split_once('(').filter(|(name, _)| is_name(name)) else { continue };
            let count = counts.entry(name).or_default();
            *count += 1;
            calls.push(Call { name: format!("{name}:when={count}"), window });
        }
        // The first is the start of the program itself, which strace only sees the end of.
        calls.split_off(1)
    }

    fn trace(&self, call: &str, run: impl FnOnce()) -> String {
        let kill = self.directory.path().join("kill");
        fs::write(&kill, call).unwrap();
        run();
        fs::remove_file(&kill).unwrap();
        fs::read_to_string(self.directory.path().join("trace")).unwrap()
    }
}

fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// How far a program has come, by its system calls.
#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    begun: bool,
    loading: bool,
    writing: bool,
    at_hook_command: bool,
    committing: bool,
    committed: bool,
}

impl Progress {
    /// After one more line of the trace. A call in which the program was killed ends with a question mark.
    fn after(mut self, line: &str) -> Self {
        let is = |calls: &[&str]| calls.iter().any(|call| line.starts_with(call));
        let done = !line.ends_with("= ?");
        let opens = is(&["openat("]) && done;
        if opens && line.contains("-journal\"") {
            self.committing = true;
        } else if done && line.contains("/.unit-state.db\"") {
            self.begun = true;
            self.loading = self.loading || opens;
        } else if line.contains("F_UNLCK, l_whence=SEEK_SET, l_start=0") {
            // With a file, loading ends when the lock is given back.
            self.loading = false;
        } else if is(&["unlink("]) && line.contains("-journal\") = 0") {
            self.committed = true;
        } else if opens && line.contains(".new\"") {
            self.writing = true;
        } else if is(&["rename("]) && done {
            self.writing = false;
        } else if is(&["clone", "vfork"]) {
            // A hook command goes from the clone to the wait for its end.
            self.at_hook_command = true;
        } else if is(&["wait4", "waitid"]) {
            self.at_hook_command = false;
        }
        self
    }

    fn window(self) -> Window {
        match self {
            Self { committed: true, .. } => Window::BetweenCommitAndExit,
            Self { committing: true, .. } => Window::InsideCommit,
            Self { begun: false, .. } => Window::BeforeLoad,
            Self { at_hook_command: true, .. } => Window::AtHookCommand,
            Self { loading: true, .. } => Window::Load,
            Self { writing: true, .. } => Window::WritingAFile,
            _ => Window::BetweenHandlers,
        }
    }
}
