//! Hooks that run in this process: a charm's handlers, or a function, over the same hook commands as a process has.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::command::{Answer, Request};
use super::error::Error;
use super::fake::Fakes;
use super::files::Tree;
use super::hook::Hook;
use super::instants::{Instants, Watched};
use super::machine::{Ended, Exit, Session, Start};
use super::process::{CommandRun, KillPoint};
use super::shared::sum_of;
use crate::charm::Charm;
use crate::confirm::{self, Unconfirmed};
use crate::context::Outside;
use crate::error::{self, describe};
use crate::hook::Environment;
use crate::juju::talk;
use crate::juju::tools::{self, Tools};
use crate::juju::{Juju, JujuResult, LogLevel};
use crate::layers::Layers;
use crate::metadata::Metadata;
use crate::programs::{Processes, Runner};
use crate::registry::Registry;
use crate::store::Store;
use crate::witness::Witness;

/// A function that is a charm's program; its result is the exit code.
pub(crate) type Function = Rc<RefCell<dyn FnMut(&mut HookContext<'_>) -> i32>>;

/// A hook command that has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandOutput {
    /// Its exit code.
    pub code: i32,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

/// A hook that runs as a function, with all that a process would have: its environment and the hook commands.
///
/// What a charm in any language does, told in a test; see [`Application::function`](super::Application::function).
#[derive(Debug)]
pub struct HookContext<'a> {
    hook: &'a Hook,
    environment: &'a BTreeMap<String, String>,
    charm_dir: &'a Path,
    commands: LocalCommands,
    stdout: String,
    stderr: String,
}

impl HookContext<'_> {
    /// The hook.
    #[must_use]
    pub fn hook(&self) -> &Hook {
        self.hook
    }

    /// The environment that a process would have.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<String, String> {
        self.environment
    }

    /// A variable of it; none if it is not set.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str)
    }

    /// The charm's directory, where its files are.
    #[must_use]
    pub fn charm_dir(&self) -> &Path {
        self.charm_dir
    }

    /// Runs a hook command: `context.run("relation-set", &["k=v"])`.
    pub fn run(&self, name: &str, arguments: &[&str]) -> CommandOutput {
        self.commands.run_command(name, arguments, None)
    }

    /// Runs a hook command that reads its standard input.
    pub fn run_with(&self, name: &str, arguments: &[&str], input: &[u8]) -> CommandOutput {
        self.commands.run_command(name, arguments, Some(input))
    }

    /// Prints a line on standard output.
    pub fn print(&mut self, line: &str) {
        self.stdout.push_str(line);
        self.stdout.push('\n');
    }

    /// Prints a line on standard error.
    pub fn complain(&mut self, line: &str) {
        self.stderr.push_str(line);
        self.stderr.push('\n');
    }
}

/// What is left of a unit's process between its hooks: nothing but what it has stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    store: Option<Rc<Store>>,
    /// What is known of what is stored, once somebody has asked.
    known: OnceCell<Known>,
    fitted: Rc<Fitted>,
}

/// What is the same for all units of one revision of a charm, made when it is first needed.
#[derive(Debug, Default)]
pub(crate) struct Fitted {
    metadata: OnceCell<Rc<Metadata>>,
    /// The charm's handlers, fitted to it.
    registry: OnceCell<Rc<Registry>>,
    /// The files as they are when they are unpacked.
    unpacked: OnceCell<Tree>,
}

impl Fitted {
    pub(crate) fn unpacked(&self) -> Option<&Tree> {
        self.unpacked.get()
    }

    pub(crate) fn set_unpacked(&self, files: &Tree) {
        self.unpacked.get_or_init(|| files.clone());
    }

    fn metadata(&self, charm_dir: &Path) -> Result<Rc<Metadata>, error::Error> {
        match self.metadata.get() {
            Some(metadata) => Ok(Rc::clone(metadata)),
            None => {
                let read = Rc::new(Metadata::read(charm_dir)?);
                Ok(Rc::clone(self.metadata.get_or_init(|| read)))
            }
        }
    }

    fn registry(&self, charm: &Charm, outside: &Outside) -> Result<Rc<Registry>, error::Error> {
        match self.registry.get() {
            Some(registry) => Ok(Rc::clone(registry)),
            None => {
                let fitted = Rc::new(charm.registry(outside)?);
                Ok(Rc::clone(self.registry.get_or_init(|| fitted)))
            }
        }
    }
}

/// What is stored, as far as it tells states apart.
#[derive(Clone, Debug, Default)]
struct Known {
    sum: u128,
    unconfirmed: Option<(String, u128)>,
}

impl Known {
    fn of(store: &Store) -> Self {
        let sum = |key_is: &dyn Fn(&str) -> bool| {
            let entries: Vec<(&str, &str)> = store.range("").filter(|(key, _)| key_is(key)).collect();
            sum_of(&entries)
        };
        let unconfirmed: Option<Unconfirmed> = store.get(confirm::UNCONFIRMED).ok().flatten();
        Self {
            sum: sum(&|key| key != confirm::UNCONFIRMED),
            unconfirmed: unconfirmed.map(|last| (last.context_id, sum_of(&(last.before, last.after)))),
        }
    }
}

impl Memory {
    /// A sum over what is stored, but for what is not confirmed.
    pub(crate) fn sum(&self) -> u128 {
        self.known().sum
    }

    /// The id of the hook that waits to be confirmed, with a sum over what would be taken back.
    pub(crate) fn unconfirmed(&self) -> Option<&(String, u128)> {
        self.known().unconfirmed.as_ref()
    }

    fn known(&self) -> &Known {
        self.known.get_or_init(|| self.store.as_deref().map(Known::of).unwrap_or_default())
    }

    /// What the handlers have stored; none before the first hook.
    pub(crate) fn store(&self) -> Option<&Store> {
        self.store.as_deref()
    }

    /// For a charm of which this is known.
    pub(crate) fn new(fitted: &Rc<Fitted>) -> Self {
        Self { fitted: Rc::clone(fitted), ..Self::default() }
    }

    /// The charm's files are others now.
    pub(crate) fn refit(&mut self, fitted: &Rc<Fitted>) {
        self.fitted = Rc::clone(fitted);
    }

    pub(crate) fn run_handlers(
        &mut self,
        charm: &Charm,
        start: &Start<'_>,
        charm_dir: &Path,
        fakes: Option<&Fakes>,
        session: Session,
    ) -> (Session, Result<Ended, Error>) {
        let now = session.controller.now;
        let watched = Watched { kill: start.kill, noted: start.noted, unwinds: true };
        let instants = Rc::new(Instants::new(watched));
        let commands = LocalCommands::new(session, Rc::clone(&instants), charm_dir, BTreeMap::new());
        let mut ended = Ended::new(Exit::Code(1));
        let wrote_files = Rc::new(Cell::new(false));
        let variable = |name: &str| start.environment.get(name).map(OsStr::new);
        let environment = Environment::read_from(&variable, Path::new("dispatch"));
        let metadata = self.fitted.metadata(charm_dir);
        match environment.and_then(|environment| Ok((environment, metadata?))) {
            _ if start.kill == Some(KillPoint::Start) => {}
            Err(error) => ended.stderr = format!("ERROR {}\n", describe(&error)),
            Ok((environment, metadata)) => {
                let juju: Rc<dyn Juju> = Rc::new(Tools::over(commands.clone()));
                let outside = Outside {
                    event: environment.event,
                    unit: environment.unit,
                    layers: Layers::of(&environment.charm_dir),
                    charm_dir: environment.charm_dir,
                    before_files: {
                        let wrote_files = Rc::clone(&wrote_files);
                        Rc::new(move || wrote_files.set(true))
                    },
                    juju_version: environment.juju_version,
                    context_id: environment.context_id,
                    home_is_set: environment.home_is_set,
                    program_path: None,
                    may_go_back_to_python: false,
                    metadata,
                    juju: Rc::clone(&juju),
                    resources: fakes.map(|fakes| fakes.resources().clone()).unwrap_or_default(),
                    clock: Rc::new(move || now),
                    programs: fakes.map_or_else(|| Rc::new(Processes) as Rc<dyn Runner>, Fakes::runner),
                    root: start.environment.get("ZKPEER_ROOT").map(PathBuf::from),
                    witness: Some(Rc::clone(&instants) as Rc<dyn Witness>),
                    externals: None,
                };
                let store = self
                    .store
                    .take()
                    .map_or_else(Store::in_memory, |store| Rc::try_unwrap(store).unwrap_or_else(|store| store.copy()));
                self.known.take();
                if let Some(fakes) = fakes {
                    fakes.watch(Some(&instants));
                }
                let (report, result, store) = match self.fitted.registry(charm, &outside) {
                    Ok(registry) => charm.run_with(outside, store, &registry),
                    Err(error) => (None, Err(error), store),
                };
                if !instants.is_killed() {
                    instants.exit();
                }
                if let Some(fakes) = fakes {
                    fakes.watch(None);
                }
                self.store = Some(Rc::new(store));
                ended.report = report;
                match result {
                    Ok(()) => ended.exit = Exit::Code(0),
                    Err(error) if !instants.is_killed() => {
                        let message = describe(&error);
                        ended.stderr = format!("ERROR {message}\n");
                        // As `main` does; what cannot be logged has been told on standard error.
                        let _ = juju.juju_log(LogLevel::Error, &message);
                    }
                    Err(_) => {}
                }
                ended.wrote_files = wrote_files.get();
                if instants.is_killed() {
                    // Who is dead says nothing.
                    ended.stderr.clear();
                }
            }
        }
        commands.end(ended, start)
    }

    pub(crate) fn run_function(
        &mut self,
        function: &Function,
        start: &Start<'_>,
        charm_dir: &Path,
        session: Session,
    ) -> (Session, Result<Ended, Error>) {
        let watched = Watched { kill: start.kill, noted: start.noted, unwinds: false };
        let commands = LocalCommands::new(session, Rc::new(Instants::new(watched)), charm_dir, BTreeMap::new());
        let mut ended = Ended::new(Exit::Code(1));
        if start.kill != Some(KillPoint::Start) {
            let mut context = HookContext {
                hook: start.hook,
                environment: start.environment,
                charm_dir,
                commands: commands.clone(),
                stdout: String::new(),
                stderr: String::new(),
            };
            ended.wrote_files = true;
            ended.exit = Exit::Code(function.borrow_mut()(&mut context));
            (ended.stdout, ended.stderr) = (context.stdout, context.stderr);
        }
        commands.end(ended, start)
    }
}

/// The hook commands, answered in this process.
#[derive(Clone)]
pub(crate) struct LocalCommands(Rc<Local>);

struct Local {
    /// There is none once the hook is over.
    session: RefCell<Option<Session>>,
    commands: RefCell<Vec<CommandRun>>,
    context_id: String,
    directory: String,
    /// Commands that fail, with what they say.
    failing: BTreeMap<String, String>,
    instants: Rc<Instants>,
}

impl fmt::Debug for LocalCommands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalCommands").field("context_id", &self.0.context_id).finish_non_exhaustive()
    }
}

impl LocalCommands {
    pub(crate) fn new(
        session: Session,
        instants: Rc<Instants>,
        charm_dir: &Path,
        failing: BTreeMap<String, String>,
    ) -> Self {
        Self(Rc::new(Local {
            context_id: session.run.context_id.clone(),
            session: RefCell::new(Some(session)),
            commands: RefCell::default(),
            directory: charm_dir.to_string_lossy().into_owned(),
            failing,
            instants,
        }))
    }

    fn is_killed(&self) -> bool {
        self.0.instants.is_killed()
    }

    /// What the program of every hook command does, which would be asked for its standard input where that is wanted.
    fn run_command(&self, name: &str, arguments: &[&str], input: Option<&[u8]>) -> CommandOutput {
        let local = &*self.0;
        let refused =
            |reason: &str| CommandOutput { code: 1, stdout: String::new(), stderr: format!("ERROR {reason}\n") };
        let line = || [&[name], arguments].concat().join(" ");
        local.instants.command(line);
        let mut session = local.session.borrow_mut();
        let Some(session) = session.as_mut().filter(|_| !local.instants.is_killed()) else {
            return refused("dial unix agent.socket: connect: connection refused");
        };
        let request = Request {
            context_id: local.context_id.as_str().into(),
            directory: local.directory.as_str().into(),
            name: name.into(),
            args: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            stdin: Some(input.unwrap_or_default().into()),
        };
        let output = match local.failing.get(name) {
            Some(stderr) => refused(stderr),
            None => match session.answer(&request) {
                Answer::Done(output) => {
                    CommandOutput { code: output.code, stdout: output.stdout, stderr: output.stderr }
                }
                Answer::Refused(reason) => refused(&reason),
            },
        };
        let (name, args, stdin) = (name.to_owned(), request.args, input.map(<[u8]>::to_vec));
        let CommandOutput { code, stdout, stderr } = output.clone();
        local.commands.borrow_mut().push(CommandRun { name, args, stdin, code, stdout, stderr });
        local.instants.answered(line);
        if session.reboots_now() {
            local.instants.kill();
        }
        output
    }

    /// The hook is over: who has kept a handle gets no answers any more.
    pub(crate) fn close(&self) -> (Session, Vec<CommandRun>) {
        match self.0.session.take() {
            Some(session) => (session, self.0.commands.take()),
            None => unreachable!("the session is taken once, when its hook is over"),
        }
    }

    fn end(&self, mut ended: Ended, start: &Start<'_>) -> (Session, Result<Ended, Error>) {
        let (session, commands) = self.close();
        ended.commands = commands;
        ended.instants = self.0.instants.take_seen();
        if self.is_killed() || start.kill == Some(KillPoint::Start) {
            ended.exit = Exit::Signal(9);
            ended.report = None;
        }
        (session, Ok(ended))
    }
}

impl tools::Commands for LocalCommands {
    fn run(&self, name: &'static str, arguments: &[&str], input: Option<&[u8]>) -> JujuResult<talk::Ended> {
        let CommandOutput { code, stdout, stderr } = self.run_command(name, arguments, input);
        Ok(talk::Ended { code, stdout: stdout.into_bytes(), stderr: stderr.into_bytes() })
    }
}
