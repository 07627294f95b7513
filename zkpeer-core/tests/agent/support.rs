//! Charms in shell, as small as a test needs them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use zkpeer_core::testing::{Builder, CommandRun, HookRun, UnitAgent};

pub(crate) const METADATA: &str = "\
name: hello
summary: a charm in shell
description: for tests
peers:
  zkpeer:
    interface: zookeeper-quorum
provides:
  client:
    interface: zookeeper
extra-bindings:
  public:
";

pub(crate) const CONFIG: &str = "\
options:
  greeting: {type: string, default: hi}
  port: {type: int}
  big: {type: int, default: 1000000}
  ratio: {type: float, default: 1.5}
  fast: {type: boolean, default: false}
";

pub(crate) const ACTIONS: &str = "\
backup:
  params:
    to: {type: string, default: /tmp}
    level: {type: integer}
    deep: {type: object}
restore:
  params:
    from: {type: string}
  required: [from]
";

pub(crate) const MANIFEST: &str = "bases: [{name: ubuntu, channel: '24.04', architectures: [amd64]}]\n";

/// A charm in a directory of its own.
pub(crate) struct Charm {
    directory: TempDir,
}

impl Charm {
    /// A charm whose `dispatch` is the given shell script.
    pub(crate) fn dispatch(script: &str) -> Self {
        let charm = Self::without_program();
        charm.script("dispatch", script);
        charm
    }

    pub(crate) fn without_program() -> Self {
        let charm = Self { directory: tempfile::tempdir().unwrap() };
        charm.file("metadata.yaml", METADATA);
        charm.file("config.yaml", CONFIG);
        charm.file("actions.yaml", ACTIONS);
        charm.file("manifest.yaml", MANIFEST);
        charm
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.file(name, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn builder(&self) -> Builder {
        UnitAgent::builder(self.path()).limit(Duration::from_secs(30))
    }

    pub(crate) fn agent(&self) -> UnitAgent {
        self.builder().build().unwrap()
    }
}

/// A unit whose charm, once deployed, runs whatever script it is given in `update-status`.
pub(crate) struct Shell {
    pub(crate) agent: UnitAgent,
}

impl Shell {
    pub(crate) fn new(build: impl FnOnce(Builder) -> Builder) -> Self {
        let charm = Charm::dispatch("[ -e script ] || exit 0\n. ./script");
        let mut agent = build(charm.builder()).build().unwrap();
        agent.deploy().unwrap();
        agent.settle().unwrap();
        Self { agent }
    }

    /// Makes the script that hooks run from now on.
    pub(crate) fn script(&self, script: &str) {
        fs::write(self.agent.charm_dir().join("script"), script).unwrap();
    }

    /// Runs the script in `update-status`.
    pub(crate) fn hook(&mut self, script: &str) -> HookRun {
        self.script(script);
        self.agent.run_hook("update-status").unwrap()
    }

    /// Runs one hook command, whose exit code does not become the hook's, and shows how it ended.
    pub(crate) fn command(&mut self, line: &str) -> CommandRun {
        let run = self.hook(&format!("{line}\ntrue"));
        run.commands.last().unwrap_or_else(|| panic!("{line}: no hook command ran: {run:?}")).clone()
    }

    /// Runs one hook command that has to succeed, and gives what it printed.
    pub(crate) fn output(&mut self, line: &str) -> String {
        let command = self.command(line);
        assert_eq!((command.code, command.stderr.as_str()), (0, ""), "{line}");
        command.stdout
    }

    /// Runs one hook command that has to fail, and gives the message and the code.
    pub(crate) fn error(&mut self, line: &str) -> (String, i32) {
        let command = self.command(line);
        assert_eq!(command.stdout, "", "{line}");
        let text = command.stderr.strip_prefix("ERROR ").and_then(|text| text.strip_suffix('\n'));
        (text.unwrap_or_else(|| panic!("{line}: {command:?}")).to_owned(), command.code)
    }
}

/// The names of hooks that were run.
pub(crate) fn names(runs: &[HookRun]) -> Vec<String> {
    runs.iter().map(ToString::to_string).collect()
}
