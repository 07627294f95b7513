//! Where the hooks of one unit run: its charm directory, and its program, as a process or in this one.

use std::collections::BTreeMap;
use std::fmt;
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
use super::hook::Hook;
use super::in_process::{Function, Memory};
use super::model::Deployed;
use super::process::{self, CommandRun, KillPoint};
use super::run::{Reboot, Run};
use crate::charm::Charm;
use crate::report::Report;

/// All that a hook command works on, while a hook runs.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) run: Run,
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
    pub(crate) fn answer(&mut self, request: &Request) -> Answer {
        let next = self.answered + 1;
        let (due, later) = mem::take(&mut self.changes).into_iter().partition(|(number, _)| *number <= next);
        self.changes = later;
        due.into_iter().for_each(|(_, change): (usize, Change)| change.apply(&mut self.controller));
        let files = Files { charm: &self.charm, resources: &self.resources };
        let answer = command::answer(request, &mut self.run, &mut self.controller, &mut self.agent, &files);
        // A command that asks for its standard input comes again.
        self.answered += usize::from(answer != Answer::Refused(NEEDS_STDIN.to_owned()));
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
        }
    }
}

/// The machine of one unit.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) directory: Directory,
    pub(crate) program: Program,
    memory: Memory,
}

impl Machine {
    pub(crate) fn new(directory: Directory, program: Program) -> Self {
        Self { directory, program, memory: Memory::default() }
    }

    /// What handlers in this process have stored.
    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Runs the hook's program to its end; every wait has the limit.
    pub(crate) fn run(&mut self, start: &Start<'_>, session: Session) -> (Session, Result<Ended, Error>) {
        if !self.directory.charm().join("metadata.yaml").exists() {
            return (session, Ok(Ended::new(Exit::NotStarted("charm missing from disk".to_owned()))));
        }
        match &self.program {
            Program::Files => {
                let mut session = session;
                let ended = self.run_process(start, &mut session);
                (session, ended)
            }
            Program::Handlers(charm) => self.memory.run_handlers(charm, start, self.directory.charm(), session),
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
        self.directory.unpack(deployed)?;
        self.program = deployed.program.clone();
        self.memory.forget_charm();
        Ok(())
    }

    pub(crate) fn charm_dir(&self) -> &Path {
        self.directory.charm()
    }
}
