//! Where the hooks of one unit run: its charm directory, and its program, as a process or in this one.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::mem;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use super::agent::Agent;
use super::change::Change;
use super::charm::CharmFiles;
use super::command::{self, Answer, Files, NEEDS_STDIN, Request};
use super::controller::Controller;
use super::directory::Directory;
use super::error::Error;
use super::fake::{Fakes, World};
use super::files::{self, OnDisk, Tree};
use super::hook::Hook;
use super::in_process::{Function, Memory};
use super::instants::Instant;
use super::model::Deployed;
use super::process::{self, CommandRun, KillPoint};
use super::run::{Reboot, Run};
use crate::charm::Charm;
use crate::report::Report;

/// All that a hook command works on, while a hook runs.
#[derive(Debug)]
pub(crate) struct Session {
    /// In a place of its own: large, and made for each hook.
    pub(crate) run: Box<Run>,
    pub(crate) controller: Controller,
    pub(crate) agent: Agent,
    pub(crate) charm: Rc<CharmFiles>,
    /// Where the unit's copies of resources are.
    pub(crate) resources: PathBuf,
    /// What happens before the hook command of this number; the first is 1.
    pub(crate) changes: Vec<(usize, Change)>,
    /// How many hook commands have been answered.
    pub(crate) answered: usize,
}

impl Session {
    pub(crate) fn answer(&mut self, request: &Request<'_>) -> Answer {
        let next = self.answered + 1;
        if !self.changes.is_empty() {
            let (due, later) = mem::take(&mut self.changes).into_iter().partition(|(number, _)| *number <= next);
            self.changes = later;
            due.into_iter().for_each(|(_, change): (usize, Change)| change.apply(&mut self.controller));
        }
        let files = Files { charm: &self.charm, resources: &self.resources };
        let answer = command::answer(request, &mut self.run, &mut self.controller, &mut self.agent, &files);
        // A command that asks for its standard input comes again.
        self.answered += usize::from(!matches!(&answer, Answer::Refused(why) if why == NEEDS_STDIN));
        answer
    }

    /// `juju-reboot --now` kills the hook (contract 9.16).
    pub(crate) fn reboots_now(&self) -> bool {
        self.run.reboot == Some(Reboot::Now)
    }
}

/// What runs for a hook.
#[derive(Clone)]
pub(crate) enum Program {
    /// A process: the charm's `dispatch`, or its files in `hooks` and `actions`.
    Files,
    /// Handlers, in this process.
    Handlers(Rc<Charm>),
    /// A function, in this process.
    Function(Function),
}

impl fmt::Debug for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Files => "Files",
            Self::Handlers(_) => "Handlers",
            Self::Function(_) => "Function",
        })
    }
}

/// One hook to run.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) hook: &'a Hook,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) limit: Duration,
    pub(crate) kill: Option<KillPoint>,
    /// Whether the hook's instants are noted, where it runs in this process.
    pub(crate) noted: bool,
    pub(crate) interrupt: Option<&'a UnixStream>,
}

/// How a hook's program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// With an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It was still running at the limit, and was killed.
    Limit,
    /// It could not be started.
    NotStarted(String),
    /// The charm has no file for this hook.
    NoFile,
}

/// Everything about a hook's program that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) commands: Vec<CommandRun>,
    pub(crate) report: Option<Report>,
    /// What is worth knowing beside the outcome.
    pub(crate) notes: Vec<String>,
    pub(crate) time: Duration,
    /// Whether it may have written files to the charm's directory.
    pub(crate) wrote_files: bool,
    /// What it came to, if that was to be noted.
    pub(crate) instants: Vec<Instant>,
}

impl Ended {
    pub(crate) fn new(exit: Exit) -> Self {
        Self {
            exit,
            stdout: String::new(),
            stderr: String::new(),
            commands: Vec::new(),
            report: None,
            notes: Vec::new(),
            time: Duration::ZERO,
            wrote_files: false,
            instants: Vec::new(),
        }
    }
}

/// The machine of one unit.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) directory: Directory,
    pub(crate) program: Program,
    memory: Memory,
    /// What stands in the place of what the unit has outside Juju, and what is in it.
    fakes: Option<Rc<Fakes>>,
    world: World,
    /// The files of the unit's directories, in a model of which there are copies.
    kept: Option<Kept>,
}

impl Hash for Machine {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.memory.sum().hash(hasher);
        self.world.hash(hasher);
        self.kept.as_ref().map(|kept| (&kept.charm, &kept.root)).hash(hasher);
    }
}

/// The files of directories that copies of a model share on the disk.
#[derive(Clone, Debug)]
struct Kept {
    on_disk: Rc<OnDisk>,
    charm: Tree,
    root: Tree,
}

impl Machine {
    pub(crate) fn new(directory: Directory, deployed: &Deployed, fakes: Option<Fakes>) -> Self {
        let world = fakes.as_ref().map(Fakes::save).unwrap_or_default();
        let (program, memory) = (deployed.program.clone(), Memory::new(&deployed.fitted));
        Self { directory, program, memory, fakes: fakes.map(Rc::new), world, kept: None }
    }

    /// What the unit has outside Juju, as far as that is data.
    pub(crate) fn world(&self) -> &World {
        &self.world
    }

    /// From now on copies of this machine can each have files of their own.
    pub(crate) fn keep_files(&mut self, on_disk: &Rc<OnDisk>) -> Result<(), Error> {
        self.kept = Some(Kept {
            on_disk: Rc::clone(on_disk),
            charm: on_disk.take(self.directory.charm())?,
            root: on_disk.take(&self.directory.root())?,
        });
        Ok(())
    }

    /// The same for a machine whose files are those that another one had, unpacked, and are not on the disk yet.
    pub(crate) fn keep_unpacked(&mut self, on_disk: &Rc<OnDisk>, charm: &Tree) {
        self.kept = Some(Kept { on_disk: Rc::clone(on_disk), charm: charm.clone(), root: Tree::default() });
    }

    /// The files of the charm's directory, if they are known.
    pub(crate) fn charm_files(&self) -> Option<&Tree> {
        self.kept.as_ref().map(|kept| &kept.charm)
    }

    /// Puts this machine's files where another copy's may be.
    pub(crate) fn put_files(&self) -> Result<(), Error> {
        let Some(Kept { on_disk, charm, root }) = &self.kept else { return Ok(()) };
        on_disk.put(self.directory.charm(), charm)?;
        on_disk.put(&self.directory.root(), root)
    }

    /// The files of the charm's directory, and below the root of the others, a line each with a sum over the content.
    pub(crate) fn file_lines(&self) -> Vec<String> {
        let Some(kept) = &self.kept else { return Vec::new() };
        let root = files::lines(&kept.root).into_iter().map(|line| format!("/{line}"));
        files::lines(&kept.charm).into_iter().chain(root).collect()
    }

    fn take_files(&mut self) -> Result<(), Error> {
        if let Some(kept) = &mut self.kept {
            kept.charm = kept.on_disk.take(self.directory.charm())?;
            kept.root = kept.on_disk.take(&self.directory.root())?;
        }
        Ok(())
    }

    /// What handlers in this process have stored.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Runs the hook's program to its end; every wait has the limit.
    pub(crate) fn run(&mut self, start: &Start<'_>, session: Session) -> (Session, Result<Ended, Error>) {
        // A directory of which there are copies is there.
        if self.kept.is_none() && !self.directory.charm().join("metadata.yaml").exists() {
            return (session, Ok(Ended::new(Exit::NotStarted("charm missing from disk".to_owned()))));
        }
        if let Err(error) = self.put_files() {
            return (session, Err(error));
        }
        let (session, ended) = self.run_program(start, session);
        let ended = match ended {
            Ok(ended) if ended.wrote_files => self.take_files().map(|()| ended),
            ended => ended,
        };
        (session, ended)
    }

    fn run_program(&mut self, start: &Start<'_>, session: Session) -> (Session, Result<Ended, Error>) {
        match &self.program {
            Program::Files => {
                let mut session = session;
                let ended = self.run_process(start, &mut session);
                (session, ended)
            }
            Program::Handlers(charm) => {
                let fakes = self.fakes.as_deref();
                if let Some(fakes) = fakes {
                    fakes.load(&self.world);
                }
                let run = self.memory.run_handlers(charm, start, self.directory.charm(), fakes, session);
                self.world = fakes.map(Fakes::save).unwrap_or_default();
                run
            }
            Program::Function(function) => self.memory.run_function(function, start, self.directory.charm(), session),
        }
    }

    fn run_process(&mut self, start: &Start<'_>, session: &mut Session) -> Result<Ended, Error> {
        let Some(program) = self.directory.program(start.hook) else { return Ok(Ended::new(Exit::NoFile)) };
        let process = process::Start {
            program: &program,
            arguments: start.hook.arguments(),
            directory: self.directory.charm(),
            environment: start.environment,
            socket: self.directory.socket(),
            limit: start.limit,
            kill: start.kill,
            interrupt: start.interrupt,
        };
        let mut ended = process::run(&process, session)?;
        self.directory.read_report(&mut ended);
        Ok(ended)
    }

    /// Puts another revision of the charm in place.
    pub(crate) fn unpack(&mut self, deployed: &Deployed) -> Result<(), Error> {
        self.put_files()?;
        self.directory.unpack(deployed)?;
        self.program = deployed.program.clone();
        self.memory.refit(&deployed.fitted);
        self.take_files()
    }

    pub(crate) fn charm_dir(&self) -> &Path {
        self.directory.charm()
    }
}
