//! What the suites share: where the charms' programs are, and a bare stage on which one is started.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

pub mod actor;
pub mod clerk;
pub mod dice;
pub mod instants;
pub mod python;
pub mod script;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use zkpeer_core::store::{Options, Store};

/// The program of one of the tests' charms: as `cargo test` built it, or the one of this name in the directory that
/// `ZKPEER_CHARMS` names, where `tests/run` puts release builds.
#[must_use]
pub fn program(name: &str, built: &str) -> PathBuf {
    match std::env::var_os("ZKPEER_CHARMS") {
        Some(directory) => Path::new(&directory).join(name),
        None => PathBuf::from(built),
    }
}

/// The metadata of the charm `probe`, and of all others that need none of their own.
pub const METADATA: &str = "name: probe\nsummary: s\ndescription: d\npeers:\n  friends: {interface: friends}\n";
/// The configuration of the charm `probe`.
pub const CONFIG: &str = "options:\n  word: {type: string, default: nothing}\n";
/// The actions of the charm `probe`.
pub const ACTIONS: &str = "echo:\n  params:\n    word: {type: string}\n";

/// Writes the files of the charm `probe` into a new directory.
#[must_use]
pub fn charm() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("metadata.yaml", METADATA), ("config.yaml", CONFIG), ("actions.yaml", ACTIONS)] {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Everything stored in a charm's directory.
#[must_use]
pub fn stored(charm_dir: &Path) -> BTreeMap<String, String> {
    let store = Store::open(charm_dir.join(".unit-state.db"), &Options::default()).unwrap();
    store.range("").map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}

/// The flags stored in a charm's directory.
#[must_use]
pub fn flags(charm_dir: &Path) -> Vec<String> {
    stored(charm_dir).keys().filter_map(|key| key.strip_prefix("reactive.states.")).map(str::to_owned).collect()
}

/// A charm's directory and hook commands that are scripts: for what a well-behaved agent never does.
#[derive(Debug)]
pub struct Stage {
    charm: TempDir,
    tools: TempDir,
    vars: BTreeMap<String, String>,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new()
    }
}

impl Stage {
    /// A stage on which the hook commands that a charm may call answer with something plausible.
    #[must_use]
    pub fn new() -> Self {
        let charm = charm();
        let mut stage = Self { tools: tempfile::tempdir().unwrap(), vars: BTreeMap::new(), charm };
        let directory = stage.dir().display().to_string();
        for (name, value) in [
            ("JUJU_UNIT_NAME", "probe/0"),
            ("JUJU_CHARM_DIR", &directory),
            ("CHARM_DIR", &directory),
            ("JUJU_DISPATCH_PATH", "hooks/update-status"),
            ("JUJU_HOOK_NAME", "update-status"),
            ("JUJU_VERSION", "3.6.25"),
            ("JUJU_REMOTE_UNIT", ""),
        ] {
            stage.vars.insert(name.to_owned(), value.to_owned());
        }
        let path = format!("{}:/usr/bin:/bin", stage.tools.path().display());
        stage.vars.insert("PATH".to_owned(), path);
        for (name, answer) in [("config-get", r#"{"word":"x"}"#), ("is-leader", "false"), ("leader-get", "{}")] {
            stage.tool(name, &format!("echo '{answer}'"));
        }
        for name in ["juju-log", "status-set", "relation-set", "action-fail", "action-set"] {
            stage.tool(name, "cat >/dev/null");
        }
        stage
    }

    /// The charm's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.charm.path()
    }

    /// Makes a hook command of a script; every call of it is noted.
    pub fn tool(&self, name: &str, script: &str) {
        let path = self.tools.path().join(name);
        let calls = self.tools.path().join("calls");
        let text = format!("#!/bin/sh\nprintf '%s\\n' \"{name} $*\" >> {}\n{script}\n", calls.display());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Takes a hook command away.
    pub fn remove_tool(&self, name: &str) {
        fs::remove_file(self.tools.path().join(name)).unwrap();
    }

    /// Sets a variable; an empty list of them is not the same as an empty variable.
    pub fn set(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
    }

    /// Takes a variable away.
    pub fn unset(&mut self, name: &str) {
        self.vars.remove(name);
    }

    /// What the charm is to do.
    pub fn behave(&self, behaviour: &str) {
        fs::write(self.dir().join("behaviour"), behaviour).unwrap();
    }

    /// Starts the program, with nothing in its environment but the stage's variables.
    #[must_use]
    pub fn run(&self, program: &Path) -> Run {
        let output = Command::new(program)
            .current_dir(self.dir())
            .env_clear()
            .envs(&self.vars)
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        let calls = fs::read_to_string(self.tools.path().join("calls")).unwrap_or_default();
        let _ = fs::remove_file(self.tools.path().join("calls"));
        Run { output, calls }
    }
}

/// How a program ended on the stage, and what it called.
#[derive(Debug)]
pub struct Run {
    output: Output,
    /// The hook commands with their arguments, one line each.
    pub calls: String,
}

impl Run {
    /// What it wrote to standard error.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// # Panics
    ///
    /// If it did not exit with 0.
    pub fn succeeded(&self) {
        assert_eq!(self.output.status.code(), Some(0), "{}", self.stderr());
    }

    /// # Panics
    ///
    /// If it did not exit with 1, with one message on standard error that has all of these parts.
    pub fn failed_with(&self, parts: &[&str]) {
        let stderr = self.stderr();
        assert_eq!(self.output.status.code(), Some(1), "{stderr}");
        assert!(stderr.starts_with("ERROR ") && stderr.matches("ERROR").count() == 1, "one message: {stderr}");
        for part in parts {
            assert!(stderr.contains(part), "`{part}` is not in: {stderr}");
        }
    }

    /// # Panics
    ///
    /// If the message is not in Juju's log, too.
    pub fn logged(&self, part: &str) {
        assert!(self.calls.contains("juju-log -l ERROR") && self.calls.contains(part), "{}", self.calls);
    }
}
