//! How a simulated unit is made: what it is to be like, and its directories.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::agent::Agent;
use super::charm::{self, CharmFiles};
use super::command;
use super::controller::Controller;
use super::environment;
use super::error::Error;
use super::hook::Hook;
use super::names::JujuVersion;
use super::unit_agent::UnitAgent;
use super::value::Value;
use super::wire;
use crate::juju::UnitName;

/// What a [`UnitAgent`] is to be like.
#[derive(Clone, Debug)]
pub struct Builder {
    charm: PathBuf,
    program: Option<PathBuf>,
    unit: Option<String>,
    juju: String,
    leader: bool,
    config: Vec<(String, Value)>,
    limit: Duration,
    path: String,
    seed: Option<u64>,
    address: Option<String>,
}

impl Builder {
    pub(super) fn new(charm: PathBuf) -> Self {
        Self {
            charm,
            program: None,
            unit: None,
            juju: JujuVersion::default().to_string(),
            leader: false,
            config: Vec::new(),
            limit: Duration::from_secs(60),
            path: environment::PATH.to_owned(),
            seed: None,
            address: None,
        }
    }

    /// The program that is the charm's `dispatch`; without it the charm directory has its own `dispatch` or `hooks`.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// The unit's name; otherwise the charm's name with `/0`.
    #[must_use]
    pub fn unit(mut self, unit: &str) -> Self {
        self.unit = Some(unit.to_owned());
        self
    }

    /// The version of Juju, 2.9 to 4.0; otherwise 3.6.25.
    #[must_use]
    pub fn juju(mut self, version: &str) -> Self {
        version.clone_into(&mut self.juju);
        self
    }

    /// Whether the unit is its application's leader from the beginning; otherwise it is not.
    #[must_use]
    pub fn leader(mut self, leader: bool) -> Self {
        self.leader = leader;
        self
    }

    /// A value of the configuration, set at deployment.
    #[must_use]
    pub fn config(mut self, option: &str, value: impl Into<Value>) -> Self {
        self.config.push((option.to_owned(), value.into()));
        self
    }

    /// How long a hook may take before it is killed and counts as failed; otherwise 60 seconds.
    #[must_use]
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What follows the hook commands on `PATH`; otherwise the directories that a machine's agent has.
    #[must_use]
    pub fn path(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self
    }

    /// Makes the choices that Juju leaves to chance (the order among relations) depend on this number.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// The unit's address; otherwise one in 10.0.0.0/24.
    #[must_use]
    pub fn address(mut self, address: &str) -> Self {
        self.address = Some(address.to_owned());
        self
    }

    /// Copies the charm into a directory of its own and makes everything ready for the first hook.
    ///
    /// # Errors
    ///
    /// If the directory is no charm, a name or a value is not one that Juju takes, or a file cannot be written.
    pub fn build(self) -> Result<UnitAgent, Error> {
        let charm = CharmFiles::read(&self.charm)?;
        let juju: JujuVersion = self.juju.parse()?;
        let name: UnitName = self.unit.unwrap_or_else(|| format!("{}/0", charm.name())).parse()?;
        charm.check_for(&juju)?;
        if self.program.is_none() {
            charm.check_program()?;
        }
        let mut controller = Controller::new(juju);
        controller.add_unit(&name, self.address);
        if self.leader {
            controller.application(name.application()).leader = Some(name.clone());
        } // A peer relation always exists from deployment on (contract 3.1).
        for endpoint in charm.peers() {
            controller.add_relation(&[(name.application(), endpoint)]);
        }
        let root = Root::new(&name, &self.charm, self.program.as_deref(), &controller.juju)?;
        let mut agent = UnitAgent::new(controller, Agent::new(name, self.seed), charm, root, self.limit, self.path);
        for (option, value) in self.config {
            agent.set_config(&option, value)?;
        }
        Ok(agent)
    }
}

/// How long a file that was just written may be held open by a program that is being started elsewhere.
const BUSY: Duration = Duration::from_secs(10);

/// The directories of one unit, as on a machine but under a temporary root.
#[derive(Debug)]
pub(super) struct Root {
    /// Removed with the agent, unless it is kept.
    pub(super) directory: Option<tempfile::TempDir>,
    pub(super) charm: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) tools: PathBuf,
    pub(super) report: PathBuf,
}

impl Root {
    pub(super) fn new(
        unit: &UnitName,
        charm: &Path,
        program: Option<&Path>,
        juju: &JujuVersion,
    ) -> Result<Self, Error> {
        let directory = tempfile::Builder::new().prefix("zkpeer-").tempdir();
        let directory = directory.map_err(Error::io("make a temporary directory"))?;
        let path = directory.path().canonicalize();
        let path = path.map_err(Error::io(format!("find {}", directory.path().display())))?;
        let root = Self {
            directory: Some(directory),
            charm: path.join("agents").join(unit.tag()).join("charm"),
            socket: path.join("agents").join(unit.tag()).join("agent.socket"),
            tools: path.join("tools").join(unit.tag()),
            report: path.join("report"),
        };
        charm::copy(charm, &root.charm)?;
        root.make_hooks_executable()?;
        if let Some(program) = program {
            root.install_program(program)?;
        }
        root.write_tools(juju)?;
        Ok(root)
    }

    /// Juju does this for files in `hooks/`, and only for those (contract 1.1).
    pub(super) fn make_hooks_executable(&self) -> Result<(), Error> {
        let hooks = self.charm.join("hooks");
        let Ok(entries) = fs::read_dir(&hooks) else { return Ok(()) };
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
            let made = fs::metadata(&path).and_then(|metadata| {
                let mut permissions = metadata.permissions();
                permissions.set_mode(permissions.mode() | 0o100);
                fs::set_permissions(&path, permissions)
            });
            made.map_err(Error::io(format!("make {} executable", path.display())))?;
        }
        Ok(())
    }

    /// A link where that is possible: the same file, not a copy of megabytes.
    pub(super) fn install_program(&self, program: &Path) -> Result<(), Error> {
        let found = program.canonicalize().map_err(|error| {
            Error::charm(program, format!("cannot be used as the charm's program: {error}; build it first"))
        })?;
        let dispatch = self.charm.join("dispatch");
        let removed = fs::remove_file(&dispatch);
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::io(format!("replace {}", dispatch.display()))(error));
            }
            _ => {}
        }
        fs::hard_link(&found, &dispatch)
            .or_else(|_| fs::copy(&found, &dispatch).map(|_| ()))
            .map_err(Error::io(format!("copy {}", found.display())))
    }

    /// One program, linked under the name of every hook command.
    fn write_tools(&self, juju: &JujuVersion) -> Result<(), Error> {
        let program = self.tools.join("jujuc");
        let written = fs::create_dir_all(&self.tools)
            .and_then(|()| fs::write(&program, wire::PROGRAM))
            .and_then(|()| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)))
            .and_then(|()| command::names(juju).iter().try_for_each(|name| symlink("jujuc", self.tools.join(name))));
        written.map_err(Error::io(format!("write the hook commands to {}", self.tools.display())))?; // Another thread that forked during the write holds the file open until it executes something else; the charm
        // must not run into that. Once the program starts here, it does everywhere.
        let began = Instant::now();
        loop {
            let mut trial = Command::new(&program);
            let tried = trial.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            match tried {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && began.elapsed() < BUSY => {
                    std::thread::yield_now();
                }
                Err(error) => return Err(Error::io(format!("start {}", program.display()))(error)),
            }
        }
    }

    /// The file that runs for a hook (contract 1.1): `dispatch` for all, otherwise one of its own, or none.
    pub(super) fn program(&self, hook: &Hook) -> Option<PathBuf> {
        let dispatch = self.charm.join("dispatch");
        let own = self.charm.join(hook.path());
        [dispatch, own].into_iter().find(|path| path.exists())
    }
}
