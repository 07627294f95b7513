//! The charm on charms.reactive: its process that is started once, and what it has left of a hook.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::{fs, io};

use serde::Deserialize;
use tempfile::TempDir;
use zkpeer_core::testing::{Application, HookRun, Model};

use crate::seen::{Call, Calls};

/// How many seconds a hook may take in Python.
const LIMIT: u32 = 50;

/// One process in which charms.reactive and the charm are imported, and which forks for each hook. It ends when this one does, by
/// itself: when nobody holds the other end of its input any longer.
struct Zygote {
    socket: PathBuf,
    _process: Child,
    _input: ChildStdin,
    _directory: TempDir,
}

impl Zygote {
    /// The one of this process.
    fn get() -> &'static Self {
        static ZYGOTE: OnceLock<Zygote> = OnceLock::new();
        ZYGOTE.get_or_init(|| Self::start().expect("the process that imports charms.reactive once does not start"))
    }

    fn start() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let socket = directory.path().join("socket");
        let mut process = Command::new(interpreter())
            .arg(source("python/zygote"))
            .arg(&socket)
            .arg(LIMIT.to_string())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut line = String::new();
        BufReader::new(output.expect("it is piped")).read_line(&mut line)?;
        if line != "ready\n" {
            let _ = process.wait();
            return Err(io::Error::other("it has ended before it was ready; what it said is on standard error"));
        }
        Ok(Self { socket, _process: process, _input: input.expect("it is piped"), _directory: directory })
    }
}

/// The charm as it is deployed; the directory is its source, and has to stay until then.
pub(crate) struct Charm {
    directory: TempDir,
    plain: bool,
}

impl Charm {
    /// Its hooks run in forks of one process.
    pub(crate) fn quick() -> Self {
        let directory = crate::charm_files();
        fs::write(directory.path().join("deputy"), Zygote::get().socket.to_str().unwrap()).unwrap();
        Self { directory, plain: false }
    }

    /// Each of its hooks is a process of its own, as with Juju.
    pub(crate) fn plain() -> Self {
        let directory = crate::charm_files();
        for part in ["hooks", "lib", "reactive"] {
            symlink(source("python").join(part), directory.path().join(part)).unwrap();
        }
        fs::copy(source("python/plain"), directory.path().join("dispatch")).unwrap();
        Self { directory, plain: true }
    }

    pub(crate) fn application(&self) -> Application {
        let application = Application::new(self.directory.path());
        if self.plain { application } else { application.program(env!("CARGO_BIN_EXE_deputy")) }
    }
}

/// Lets the model run it.
pub(crate) fn prepare(model: &mut Model) {
    let python = interpreter().parent().expect("ZKPEER_PYTHON is the path of a program").to_owned();
    model.set_path(&format!("{}:/usr/bin:/bin", python.display()));
}

/// A line of `witnessed.jsonl`.
#[derive(Deserialize)]
struct Witnessed {
    phase: String,
    round: u32,
    handler: String,
    peers: Option<Vec<Option<String>>>,
}

/// The handlers that charms.reactive ran in the unit's last hook.
pub(crate) fn calls(model: &Model, run: &HookRun) -> Calls {
    let charm_dir = model.charm_dir(run.unit.as_str()).expect("a unit that has run a hook has a directory");
    let text = fs::read_to_string(charm_dir.join("witnessed.jsonl")).unwrap_or_default();
    let line = text.lines().last().unwrap_or("[]");
    let witnessed: Vec<Witnessed> = serde_json::from_str(line).unwrap();
    let call = |call: Witnessed| {
        // The rounds of the phase `hooks` have no number of their own.
        let round = if call.phase == "other" { Some(call.round) } else { None };
        let peers = call.peers.map(|peers| peers.into_iter().map(Option::unwrap_or_default).collect());
        Call { round, handler: call.handler, peers }
    };
    Calls(witnessed.into_iter().map(call).collect())
}

/// Whether the hook has failed as charms.reactive and the charm do where a peer is taken from the hook, and it has none: no relation
/// to ask about (R5), or nobody's name (F11).
pub(crate) fn failed_for_want_of_a_peer(run: &HookRun) -> bool {
    let asked = run.stderr.contains("'relation-list', '--format=json'") && run.stderr.contains("exit status 2");
    run.failed() && (asked || run.stderr.contains("NoPeer"))
}

fn interpreter() -> PathBuf {
    std::env::var_os("ZKPEER_PYTHON").map(PathBuf::from).expect(
        "ZKPEER_PYTHON does not name a Python with charms.reactive 1.5.3: run this suite with `tests/run stories`",
    )
}

fn source(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stories").join(part)
}
