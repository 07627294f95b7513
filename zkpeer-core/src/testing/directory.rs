//! The directories of one unit, as on a machine but under a temporary root.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead, Seek};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::charm::{self, CharmFiles};
use super::command;
use super::error::Error;
use super::files::Tree;
use super::hook::{Hook, is_hook_of};
use super::machine::Ended;
use super::model::Deployed;
use super::names::JujuVersion;
use super::wire;
use crate::juju::UnitName;

/// How long a file that was just written may be held open by a program that is being started elsewhere.
const BUSY: Duration = Duration::from_secs(10);

/// A temporary directory in which all machines of a model are; it goes with the model, unless it is kept.
#[derive(Debug)]
pub(crate) struct Root {
    directory: tempfile::TempDir,
    path: PathBuf,
}

impl Root {
    pub(crate) fn new() -> Result<Self, Error> {
        let directory = tempfile::Builder::new().prefix("zkpeer-").tempdir();
        let directory = directory.map_err(Error::io("make a temporary directory"))?;
        let path = directory.path().canonicalize();
        let path = path.map_err(Error::io(format!("find {}", directory.path().display())))?;
        Ok(Self { directory, path })
    }

    /// Leaves everything where it is.
    pub(crate) fn keep(self) -> PathBuf {
        let _ = self.directory.keep();
        self.path
    }

    /// The program behind every hook command, written once.
    fn hook_command(&self) -> Result<PathBuf, Error> {
        let program = self.path.join("tools").join("jujuc");
        if program.exists() {
            return Ok(program);
        }
        let written = fs::create_dir_all(self.path.join("tools"))
            .and_then(|()| fs::write(&program, wire::PROGRAM))
            .and_then(|()| fs::set_permissions(&program, fs::Permissions::from_mode(0o755)));
        written.map_err(Error::io(format!("write {}", program.display())))?;
        // Another thread that forked during the write holds the file open until it executes something else; the charm
        // must not run into that. Once the program starts here, it does everywhere.
        let began = Instant::now();
        loop {
            let mut trial = Command::new(&program);
            let tried = trial.env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            match tried {
                Ok(_) => return Ok(program),
                Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy && began.elapsed() < BUSY => {
                    std::thread::yield_now();
                }
                Err(error) => return Err(Error::io(format!("start {}", program.display()))(error)),
            }
        }
    }
}

/// The directories of one unit.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    charm: PathBuf,
    socket: PathBuf,
    tools: PathBuf,
    report: PathBuf,
    report_at: u64,
    /// What was unpacked from the charm, by its path in it.
    files: BTreeSet<PathBuf>,
}

impl Directory {
    /// The directories of a unit that has unpacked these files, wherever they are now.
    pub(crate) fn of_unpacked(root: &Root, unit: &UnitName, files: &Tree) -> Self {
        Self { files: files.keys().cloned().collect(), ..Self::at(root, unit) }
    }

    fn at(root: &Root, unit: &UnitName) -> Self {
        let agent = root.path.join("agents").join(unit.tag());
        Self {
            charm: agent.join("charm"),
            socket: agent.join("agent.socket"),
            tools: root.path.join("tools").join(unit.tag()),
            report: agent.join("report"),
            report_at: 0,
            files: BTreeSet::new(),
        }
    }

    /// Makes the directories of a unit and unpacks its charm.
    pub(crate) fn new(root: &Root, unit: &UnitName, deployed: &Deployed) -> Result<Self, Error> {
        let mut directory = Self::at(root, unit);
        let agent = root.path.join("agents").join(unit.tag());
        // A unit of the same name may have been here, on another machine.
        charm::remove(&agent).map_err(Error::io(format!("remove {}", agent.display())))?;
        directory.unpack(deployed)?;
        Ok(directory)
    }

    pub(crate) fn charm(&self) -> &Path {
        &self.charm
    }

    pub(crate) fn socket(&self) -> &Path {
        &self.socket
    }

    pub(crate) fn tools(&self) -> &Path {
        &self.tools
    }

    /// Where the unit's copies of its application's resources are.
    pub(crate) fn resources(&self) -> PathBuf {
        self.charm.with_file_name("resources")
    }

    /// Where the unit's machine has its own files.
    pub(crate) fn root(&self) -> PathBuf {
        self.charm.with_file_name("root")
    }

    pub(crate) fn report(&self) -> &Path {
        &self.report
    }

    /// Puts the charm's files, and its program, into place. What the former charm had and this one has not goes, a
    /// directory with all that is in it; what the charm itself has written elsewhere stays (contract 1.2).
    pub(crate) fn unpack(&mut self, deployed: &Deployed) -> Result<(), Error> {
        let files = charm::files(&deployed.directory)?;
        for gone in self.files.difference(&files) {
            let path = self.charm.join(gone);
            charm::remove(&path).map_err(Error::io(format!("remove {}", path.display())))?;
        }
        self.files = files;
        charm::copy(&deployed.directory, &self.charm)?;
        self.make_hooks_executable(&deployed.files)?;
        deployed.path.as_deref().map_or(Ok(()), |program| self.install_program(program))
    }

    /// Juju does this for files in `hooks/` that have the name of a hook, and only for those (contract 1.1).
    fn make_hooks_executable(&self, charm: &CharmFiles) -> Result<(), Error> {
        let hooks = self.charm.join("hooks");
        let Ok(entries) = fs::read_dir(&hooks) else { return Ok(()) };
        let known = |path: &PathBuf| path.file_name().is_some_and(|name| is_hook_of(&name.to_string_lossy(), charm));
        for path in entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file() && known(path)) {
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
    fn install_program(&self, program: &Path) -> Result<(), Error> {
        let found = program.canonicalize().map_err(|error| {
            Error::charm(program, format!("cannot be used as the charm's program: {error}; build it first"))
        })?;
        let dispatch = self.charm.join("dispatch");
        match fs::remove_file(&dispatch) {
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
    pub(crate) fn write_tools(&self, root: &Root, juju: &JujuVersion) -> Result<(), Error> {
        let program = root.hook_command()?;
        charm::remove(&self.tools).map_err(Error::io(format!("remove {}", self.tools.display())))?;
        let written = fs::create_dir_all(&self.tools)
            .and_then(|()| symlink(&program, self.tools.join("jujuc")))
            .and_then(|()| command::names(juju).iter().try_for_each(|name| symlink("jujuc", self.tools.join(name))));
        written.map_err(Error::io(format!("write the hook commands to {}", self.tools.display())))
    }

    /// The file that runs for a hook (contract 1.1): `dispatch` for all, otherwise one of its own, or none.
    pub(crate) fn program(&self, hook: &Hook) -> Option<PathBuf> {
        if hook.is_exec() {
            return Some(PathBuf::from("/bin/bash"));
        }
        let dispatch = self.charm.join("dispatch");
        let own = self.charm.join(hook.path());
        [dispatch, own].into_iter().find(|path| path.exists())
    }

    /// Takes what the charm has appended to its report since the last hook.
    pub(crate) fn read_report(&mut self, ended: &mut Ended) {
        // To open a pipe that the charm has put there would wait for a writer.
        if !self.report.is_file() {
            return;
        }
        let Ok(mut file) = fs::File::open(&self.report) else { return };
        if file.seek(io::SeekFrom::Start(self.report_at)).is_err() {
            return;
        }
        for line in io::BufReader::new(file).split(b'\n').map_while(Result::ok) {
            self.report_at += line.len() as u64 + 1;
            match serde_json::from_slice(&line) {
                Ok(report) => ended.report = Some(report),
                Err(error) => ended.notes.push(format!("the charm's report cannot be read: {error}")),
            }
        }
    }
}
