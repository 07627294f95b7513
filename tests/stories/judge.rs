//! The charm on charms.reactive: its process that is started once, and what it has left of a hook.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde::Deserialize;
use tempfile::TempDir;
use tests::python::Zygote;
use zkpeer_core::testing::{Application, HookRun, Model};

use crate::seen::{Call, Calls};

/// The process of this one in which charms.reactive and the charm are imported.
fn zygote() -> &'static Zygote {
    static ZYGOTE: OnceLock<Zygote> = OnceLock::new();
    ZYGOTE.get_or_init(|| Zygote::start(&source("python")))
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
        fs::write(directory.path().join("deputy"), zygote().socket().to_str().unwrap()).unwrap();
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

fn source(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stories").join(part)
}
