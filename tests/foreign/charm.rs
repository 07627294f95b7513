//! The three charms: where each is, what it needs, and in what it differs from the others.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tests::python::interpreter;
use zkpeer_core::testing::{Application, Builder, Model, UnitAgent};

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
    /// A relation is listed in its own `-broken`, if Juju lists it.
    pub(crate) shows_broken_relations: bool,
}

impl Charm {
    pub(crate) fn ops() -> Self {
        let manner = Manner {
            keeps_its_state_itself: false,
            has_leader_settings: false,
            writes_application_bags: true,
            shows_departed_peers: false,
            shows_broken_relations: false,
        };
        Self { name: "ops", python: Some(python()), manner }
    }

    pub(crate) fn reactive() -> Self {
        let manner = Manner {
            keeps_its_state_itself: true,
            has_leader_settings: true,
            writes_application_bags: false,
            shows_departed_peers: true,
            shows_broken_relations: true,
        };
        Self { name: "reactive", python: Some(python()), manner }
    }

    pub(crate) fn shell() -> Self {
        let manner = Manner {
            keeps_its_state_itself: false,
            has_leader_settings: true,
            writes_application_bags: true,
            shows_departed_peers: true,
            shows_broken_relations: true,
        };
        Self { name: "shell", python: None, manner }
    }

    /// The application's name.
    pub(crate) fn app(&self) -> String {
        format!("foreign-{}", self.name)
    }

    /// One unit of it, with peers that are data.
    pub(crate) fn builder(&self) -> Builder {
        UnitAgent::builder(directory(self.name)).path(&self.path()).limit(LIMIT)
    }

    /// An application of it.
    pub(crate) fn application(&self) -> Application {
        Application::new(directory(self.name))
    }

    /// Lets the model run it.
    pub(crate) fn prepare(&self, model: &mut Model) {
        model.set_path(&self.path());
        model.set_limit(LIMIT);
    }

    /// The application on the other side of `website`, which does nothing.
    pub(crate) fn proxy() -> Application {
        Application::new(directory("proxy")).function(|_| 0)
    }

    /// What an agent has on its `PATH`.
    fn path(&self) -> String {
        let python = self.python.iter().map(|path| path.display().to_string());
        let path: Vec<String> = python.chain(["/usr/bin".to_owned(), "/bin".to_owned()]).collect();
        path.join(":")
    }
}

/// Longer than any hook takes, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(120);

fn directory(charm: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("foreign").join(charm)
}

/// The directory of the Python that runs charms; on a hook's `PATH` it is what `python3` is.
fn python() -> PathBuf {
    interpreter().parent().expect("ZKPEER_PYTHON is the path of a program").to_owned()
}
