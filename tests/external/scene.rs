//! The charms: the same handlers, once with charms.reactive and once with a program of ours.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use zkpeer_core::store::Json;
use zkpeer_core::testing::{Builder, UnitAgent};

/// Longer than any hook takes, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(600);

/// A unit and the source of its charm.
pub(crate) struct Unit {
    pub(crate) agent: UnitAgent,
    _source: TempDir,
}

impl Unit {
    /// On ours, with the handlers in this directory.
    pub(crate) fn ours(handlers: &str) -> Self {
        Self::new(&["charm", handlers], |builder| builder.program(tests::program("web", env!("CARGO_BIN_EXE_web"))))
    }

    /// On charms.reactive.
    pub(crate) fn python(handlers: &str) -> Self {
        let python = std::env::var_os("ZKPEER_PYTHON").map(PathBuf::from).expect(
            "ZKPEER_PYTHON does not name a Python with charms.reactive 1.5.3: run this suite with `tests/run external`",
        );
        let path = format!("{}:/usr/bin:/bin", python.parent().unwrap().display());
        Self::new(&["charm", "python", handlers], |builder| builder.path(&path))
    }

    fn new(parts: &[&str], prepare: impl Fn(Builder) -> Builder) -> Self {
        let source = tempfile::tempdir().unwrap();
        let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("external");
        parts.iter().for_each(|part| copy(&suite.join(part), source.path()));
        let agent = prepare(UnitAgent::builder(source.path()).limit(LIMIT)).build().unwrap();
        Self { agent, _source: source }
    }

    /// What charms.reactive and ours keep alike, the charm's directory written as CHARM.
    pub(crate) fn stored(&self) -> BTreeMap<String, String> {
        let directory = self.agent.charm_dir().display().to_string();
        let is_shared = |key: &String| {
            let kinds = ["states", "conversations", "invoked", "files_changed"];
            kinds.iter().any(|kind| key.strip_prefix("reactive.").is_some_and(|rest| rest.starts_with(kind)))
        };
        let stored = tests::stored(self.agent.charm_dir()).into_iter().filter(|(key, _)| is_shared(key));
        let same = |text: &str| Json::parse(text).unwrap().to_string();
        stored.map(|(key, text)| (key.replace(&directory, "CHARM"), same(&text))).collect()
    }

    /// The text of a file in the charm's directory; empty if there is none.
    pub(crate) fn file(&self, name: &str) -> String {
        fs::read_to_string(self.agent.charm_dir().join(name)).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.agent.charm_dir().join(name), text).unwrap();
    }
}

/// The program of a charm that has handlers of its own, too.
pub(crate) fn own() -> PathBuf {
    tests::program("own", env!("CARGO_BIN_EXE_own"))
}

/// A charm's files, with handlers that a test writes.
pub(crate) struct Handlers {
    charm: TempDir,
}

impl Handlers {
    pub(crate) fn new() -> Self {
        Self { charm: tests::charm() }
    }

    /// A handler in bash, of these functions.
    pub(crate) fn bash(&self, name: &str, functions: &str) {
        self.script(name, &Self::bash_text(functions));
    }

    /// The text of a handler in bash, its functions from line 5 on.
    pub(crate) fn bash_text(functions: &str) -> String {
        format!("#!/bin/bash\nset -e\nsource charms.reactive.sh\n\n{functions}\nreactive_handler_main\n")
    }

    /// An executable file.
    pub(crate) fn script(&self, name: &str, text: &str) {
        let path = self.charm.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A unit with these handlers and this program.
    pub(crate) fn with_program(&self, program: PathBuf) -> UnitAgent {
        self.builder(program).build().unwrap()
    }

    pub(crate) fn builder(&self, program: PathBuf) -> Builder {
        UnitAgent::builder(self.charm.path()).program(program).limit(LIMIT)
    }

    /// The unit's handlers become these.
    pub(crate) fn install(&self, agent: &UnitAgent) {
        copy(&self.charm.path().join("reactive"), &agent.charm_dir().join("reactive"));
    }
}

/// Copies a directory with all that is in it, and who may execute it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
