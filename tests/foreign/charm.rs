//! The three charms: where each is, what it needs, and in what it differs from the others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use zkpeer_core::testing::{Builder, UnitAgent};

/// A charm that is not ours.
pub(crate) struct Charm {
    name: &'static str,
    /// The directory of the Python that it runs on.
    python: Option<PathBuf>,
    pub(crate) manner: Manner,
}

/// In what the frameworks differ.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// The state is in a file of the charm's own and not with Juju: a commit that Juju refuses does not undo it
    /// (contract 2.2).
    pub(crate) keeps_its_state_itself: bool,
    /// Leader settings can be read and are used.
    pub(crate) has_leader_settings: bool,
    /// The leader publishes in the application's bags.
    pub(crate) writes_application_bags: bool,
    /// The bag of a peer can be read in the hook of its departure.
    pub(crate) shows_departed_peers: bool,
}

impl Charm {
    pub(crate) fn ops() -> Self {
        let manner = Manner {
            keeps_its_state_itself: false,
            has_leader_settings: false,
            writes_application_bags: true,
            shows_departed_peers: false,
        };
        Self { name: "ops", python: Some(python()), manner }
    }

    pub(crate) fn reactive() -> Self {
        let manner = Manner {
            keeps_its_state_itself: true,
            has_leader_settings: true,
            writes_application_bags: false,
            shows_departed_peers: true,
        };
        Self { name: "reactive", python: Some(python()), manner }
    }

    pub(crate) fn shell() -> Self {
        let manner = Manner {
            keeps_its_state_itself: false,
            has_leader_settings: true,
            writes_application_bags: true,
            shows_departed_peers: true,
        };
        Self { name: "shell", python: None, manner }
    }

    /// The application's name.
    pub(crate) fn app(&self) -> String {
        format!("foreign-{}", self.name)
    }

    /// A unit of it, as yet without a hook.
    pub(crate) fn builder(&self) -> Builder {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign").join(self.name);
        let python = self.python.iter().map(|path| path.display().to_string());
        let path: Vec<String> = python.chain(["/usr/bin".to_owned(), "/bin".to_owned()]).collect();
        UnitAgent::builder(directory).path(&path.join(":")).limit(Duration::from_secs(120))
    }
}

/// The directory of the program that `ZKPEER_PYTHON` names; on a hook's `PATH` it is what `python3` is.
fn python() -> PathBuf {
    let program = std::env::var_os("ZKPEER_PYTHON").map(PathBuf::from).expect(
        "ZKPEER_PYTHON does not name a Python with ops 3.9 and charms.reactive 1.5.3: run this suite with \
         `tests/run foreign`",
    );
    program.parent().expect("ZKPEER_PYTHON is the path of a program").to_owned()
}
