//! A charm's `main`: from the environment to the exit code.

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::panic::{AssertUnwindSafe, Location};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::callbacks::Callback;
use crate::check::{Graph, command::Check, gather};
use crate::context::{Context, Outside, Resources, Setup};
use crate::error::{Error, complain, describe};
use crate::external::{self, Means};
use crate::external_files;
use crate::handler::HandlerDef;
use crate::hook::{self, Environment, HookEvent, Vars};
use crate::juju::tools::Tools;
use crate::juju::{Juju, LogLevel, UnitName};
use crate::layers::Layers;
use crate::metadata::Metadata;
use crate::panic;
use crate::params::Triggers;
use crate::programs::Processes;
#[cfg(any(test, feature = "testing"))]
use crate::record::Noted;
use crate::registry::Registry;
use crate::report::Report;
use crate::runtime::{self, OnNotSettled, RegisterTriggers, Settings};
use crate::store::{Options, Store};

/// For how long a hook command may run; see `ZKPEER_HOOK_COMMAND_TIMEOUT`.
const HOOK_COMMAND_LIMIT: Duration = Duration::from_secs(300);
/// For how long the program of a handler may run; see `ZKPEER_EXTERNAL_TIMEOUT`.
const EXTERNAL_LIMIT: Duration = Duration::from_secs(3600);

/// Runs the hook for which Juju has started this program, with all handlers that are linked into it.
///
/// It is [`Charm::new().main()`](Charm::main), which tells more.
///
/// Handlers are linked in with the crate that they stand in, if the program names that crate at all. A package with both
/// `src/lib.rs` and `src/main.rs` is two crates: write `use my_charm as _;` in `main.rs`, or the library's handlers are
/// lost without a word. Other crates of handlers are named in [`interfaces!`](macro@crate::interfaces).
///
/// ```no_run
/// fn main() -> std::process::ExitCode {
///     zkpeer_core::main()
/// }
/// ```
#[must_use = "return it, or Juju takes a failed hook for done: fn main() -> std::process::ExitCode { zkpeer_core::main() }"]
pub fn main() -> ExitCode {
    Charm::new().main()
}

/// A charm: what `main` needs besides the handlers.
///
/// ```no_run
/// use zkpeer_core::{Charm, Resource, Result, when_not};
///
/// struct Server {
///     root: std::path::PathBuf,
/// }
///
/// #[when_not("server.installed")]
/// fn install(server: Resource<Server>) -> Result {
///     std::fs::create_dir_all(&server.root)?;
///     Ok(())
/// }
///
/// fn main() -> std::process::ExitCode {
///     Charm::new().resource(Server { root: "/srv".into() }).main()
/// }
/// ```
pub struct Charm {
    handlers: Option<Vec<&'static HandlerDef>>,
    resources: Resources,
    settings: Settings,
    may_go_back_to_python: bool,
}

impl fmt::Debug for Charm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Charm").field("resources", &self.resources).finish_non_exhaustive()
    }
}

impl Default for Charm {
    fn default() -> Self {
        Self::new()
    }
}

impl Charm {
    /// A charm of all handlers that are linked into the program.
    #[must_use]
    pub fn new() -> Self {
        Self {
            handlers: None,
            resources: Resources::default(),
            settings: Settings::default(),
            may_go_back_to_python: false,
        }
    }

    /// Only these handlers, as listed by [`handlers!`](crate::handlers).
    #[must_use]
    pub fn handlers(mut self, handlers: &[&'static HandlerDef]) -> Self {
        self.handlers = Some(handlers.to_vec());
        self
    }

    /// A value that handlers can ask for as [`Resource<T>`](crate::Resource); one of each type.
    #[must_use]
    pub fn resource<T: 'static>(self, value: T) -> Self {
        self.resource_as(Rc::new(value))
    }

    /// The same for a value that handlers know by a trait, and ask for as `Resource<dyn Server>`:
    /// `charm.resource_as::<dyn Server>(Rc::new(Files::new("/srv")))`.
    #[must_use]
    pub fn resource_as<T: ?Sized + 'static>(mut self, value: Rc<T>) -> Self {
        self.resources.insert(value);
        self
    }

    /// The same for a value that is made of what the hook's context has, each time when a handler asks for it;
    /// [`Resource`](crate::Resource) has an example.
    ///
    /// If it cannot be made, the hook fails.
    #[must_use]
    pub fn resource_from<T: ?Sized + 'static>(
        mut self,
        make: impl Fn(&Context) -> crate::Result<Rc<T>> + 'static,
    ) -> Self {
        self.resources.insert_made(make);
        self
    }

    /// Triggers that stand in every hook, from before its first handler.
    ///
    /// ```no_run
    /// fn main() -> std::process::ExitCode {
    ///     zkpeer_core::Charm::new()
    ///         .triggers(|triggers| {
    ///             triggers.when("config.changed").clear("server.configured");
    ///         })
    ///         .main()
    /// }
    /// ```
    #[track_caller]
    #[must_use]
    pub fn triggers(mut self, register: impl Fn(&Triggers) + 'static) -> Self {
        let place = Location::caller();
        self.settings.triggers.push(RegisterTriggers { register: Box::new(register), place });
        self
    }

    /// Calls a function in every hook before its first handler, when triggers and automatic flags are in place; what it changes
    /// belongs to the hook. Several run in the order in which they are given. charmhelpers' `atstart` does the same.
    ///
    /// If it fails, so does the hook; if it returns [`EndHook`](crate::EndHook), no handler runs. In the two hooks that run
    /// apart (`collect-metrics`, `meter-status-changed`) it is not called.
    ///
    /// ```no_run
    /// use zkpeer_core::{Charm, Log};
    ///
    /// fn main() -> std::process::ExitCode {
    ///     Charm::new()
    ///         .at_start(|context| {
    ///             let log: Log = context.ask_for()?;
    ///             log.info("here we go");
    ///             Ok(())
    ///         })
    ///         .main()
    /// }
    /// ```
    #[doc(alias = "atstart")]
    #[track_caller]
    #[must_use]
    pub fn at_start(mut self, callback: impl Fn(&Context) -> crate::Result + 'static) -> Self {
        self.settings.at_start.push(Callback::new(callback));
        self
    }

    /// Calls a function at the end of every hook that succeeds, as if every hook began with
    /// [`Context::at_exit`], which tells more; those that handlers register run before.
    ///
    /// ```no_run
    /// use zkpeer_core::{Charm, Flags, Result, Status};
    ///
    /// fn report(context: &zkpeer_core::Context) -> Result {
    ///     let (flags, status): (Flags, Status) = (context.ask_for()?, context.ask_for()?);
    ///     match flags.is_set("server.started") {
    ///         true => status.active("ready")?,
    ///         false => status.waiting("for the server")?,
    ///     }
    ///     Ok(())
    /// }
    ///
    /// fn main() -> std::process::ExitCode {
    ///     Charm::new().at_exit(report).main()
    /// }
    /// ```
    #[doc(alias = "atexit")]
    #[track_caller]
    #[must_use]
    pub fn at_exit(mut self, callback: impl Fn(&Context) -> crate::Result + 'static) -> Self {
        self.settings.at_exit.push(Callback::new(callback));
        self
    }

    /// What happens when the flags do not settle; otherwise the hook fails.
    #[must_use]
    pub fn on_not_settled(mut self, what: OnNotSettled) -> Self {
        self.settings.on_not_settled = what;
        self
    }

    /// Whether each hook tells in Juju's log what it does, one line for each event, at the level DEBUG: which handlers are
    /// queued and run, and which flags change by whom. It is quiet otherwise, unless the variable `ZKPEER_TRACE` is `1`.
    ///
    /// These are events of the crate `tracing` with the target `zkpeer`; events of the author's own code go to Juju's log
    /// always, by their levels. A subscriber of the author's gets all of them, too, if it is the thread's or the process's
    /// default when the hook begins. None is left behind here.
    ///
    /// ```no_run
    /// fn main() -> std::process::ExitCode {
    ///     zkpeer_core::Charm::new().trace(true).main()
    /// }
    /// ```
    #[must_use]
    pub fn trace(mut self, trace: bool) -> Self {
        self.settings.trace = trace;
        self
    }

    /// Every unit leaves `.juju-persistent-config`, as charmhelpers does, so that the charm can go back to charms.reactive
    /// ([how](crate::guide::migration)). Otherwise only those do that have the file, because they were Python once: a unit that
    /// was added since would take every option for changed in its first hook in Python.
    #[must_use]
    pub fn may_go_back_to_python(mut self) -> Self {
        self.may_go_back_to_python = true;
        self
    }

    /// Runs the hook for which Juju has started this program.
    ///
    /// The environment is read here, once. The exit code is 0 if everything has been done and kept, and 1 if anything
    /// failed and nothing is kept; then the reason is on standard error and in Juju's log.
    ///
    /// Of our own, six variables are heeded, none of which Juju sets: `UNIT_STATE_DB` is the file of the store instead of
    /// `.unit-state.db` in the charm's directory; `ZKPEER_HOOK_COMMAND_TIMEOUT` is the number of seconds that a hook
    /// command may run (300), `ZKPEER_EXTERNAL_TIMEOUT` that of an [external handler](crate::guide::external_handlers)
    /// (3600); `ZKPEER_REPORT` is a file to which a [`Report`] is appended as one line of JSON; `ZKPEER_TRACE=1` is as
    /// [`trace`](Self::trace); `ZKPEER_ROOT` is what [`Root`](crate::Root) is instead of `/`.
    ///
    /// Under the name `charms.reactive` the program is the command line that external handlers use. Started by hand as
    /// `my-charm check`, it [checks](crate::check) the charm and runs nothing.
    #[must_use = "return it from `main`, or Juju takes a failed hook for done"]
    pub fn main(self) -> ExitCode {
        panic::remember();
        let vars: Vars = std::env::vars_os().collect();
        let program = std::env::args_os().next().map(PathBuf::from).unwrap_or_default();
        let process = || external::Process {
            arguments: std::env::args_os().skip(1).collect(),
            vars: vars.clone(),
            directory: std::env::current_dir().unwrap_or_default(),
        };
        if let Some(code) = external::other_than_a_hook(&program, process) {
            return ExitCode::from(code);
        }
        if !hook::is_hook(&vars)
            && let Some(asked) = Check::asked(std::env::args_os().skip(1))
        {
            return ExitCode::from(
                asked.map_or_else(|code| code, |check| check.run(|directory| self.graph(directory))),
            );
        }
        match std::panic::catch_unwind(AssertUnwindSafe(|| self.run_hook(&vars, &program))) {
            Ok(Ok(())) => ExitCode::SUCCESS,
            // What it said has been printed.
            Err(_) => ExitCode::FAILURE,
            Ok(Err(Failed { error, juju })) => {
                let message = describe(&*error);
                complain(&format!("ERROR {message}"));
                if let Some(juju) = juju {
                    // It has been told on standard error; if the log cannot be written, the reason is the same again.
                    let _ = juju.juju_log(LogLevel::Error, &message);
                }
                ExitCode::FAILURE
            }
        }
    }

    fn run_hook(mut self, vars: &Vars, program: &std::path::Path) -> Result<(), Failed> {
        self.settings.trace |= environment::trace(vars);
        let environment =
            Environment::read(vars, program).map_err(|error| Failed { error: Box::new(error), juju: None })?;
        let limit = environment::limit(vars, "ZKPEER_HOOK_COMMAND_TIMEOUT", HOOK_COMMAND_LIMIT)
            .map_err(|error| Failed { error: Box::new(error), juju: None })?;
        // Juju starts a charm in its directory.
        let here = std::env::current_dir().ok();
        let elsewhere = Some(environment.charm_dir.clone()).filter(|charm_dir| here.as_ref() != Some(charm_dir));
        let juju: Rc<dyn Juju> = Rc::new(Tools::new(elsewhere, environment.path.clone(), limit));
        let failed = |error| Failed { error: Box::new(error), juju: Some(Rc::clone(&juju)) };
        let store_path = environment::store_path(vars, &environment);
        let report_path = vars.get(std::ffi::OsStr::new("ZKPEER_REPORT")).map(PathBuf::from);
        let begun = Instant::now();
        let means = environment::means(vars, &environment).map_err(&failed)?;
        let metadata = Metadata::read(&environment.charm_dir).map_err(&failed)?;
        let mut options = Options::default();
        if environment.event.is_restricted() {
            options = options.read_only();
        }
        let outside = Outside {
            event: environment.event,
            unit: environment.unit,
            layers: Layers::of(&environment.charm_dir),
            charm_dir: environment.charm_dir,
            before_files: Rc::new(|| {}),
            juju_version: environment.juju_version,
            context_id: environment.context_id,
            home_is_set: environment.home_is_set,
            program_path: Some(environment.path),
            may_go_back_to_python: self.may_go_back_to_python,
            metadata: Rc::new(metadata),
            juju: Rc::clone(&juju),
            resources: self.resources.clone(),
            clock: Rc::new(move || begun.elapsed()),
            programs: Rc::new(Processes),
            root: environment::root(vars),
            witness: None,
            externals: Some(means),
        };
        let registry = self.registry(&outside).map_err(&failed)?;
        if outside.event.is_restricted() && !registry.has_handler_of(outside.event.name()) {
            return Ok(());
        }
        let store = Store::open(store_path, &options).map_err(Error::from).map_err(&failed)?;
        let context = Context::new(outside, store);
        let (report, result) = self.run(&context, &registry);
        if let Some(path) = report_path {
            // What the hook has done is done, whether or not it can be told.
            if let Err(error) = append(&path, &report) {
                complain(&format!("WARNING {}", describe(&error)));
            }
        }
        result.map_err(failed)
    }

    /// All that is known of the handlers of this charm, whose files are in this directory, to be [checked](crate::check).
    ///
    /// No handler runs; what registers triggers is called.
    ///
    /// # Errors
    ///
    /// If one of the charm's files is missing or malformed, or a handler does not fit the charm.
    pub fn graph(&self, charm_dir: impl AsRef<Path>) -> Result<Graph, Error> {
        let charm_dir = charm_dir.as_ref();
        let metadata = Rc::new(Metadata::read(charm_dir)?);
        let unit: UnitName = format!("{}/0", metadata.name).parse().map_err(|_| Error::Malformed {
            path: charm_dir.join("metadata.yaml"),
            reason: format!("`{}` is no name for a charm", metadata.name),
        })?;
        let context = || Context::new(self.nowhere(charm_dir, &unit, &metadata), Store::in_memory());
        let registry = self.registry(context().outside())?;
        gather::graph(&gather::Sources {
            registry: &registry,
            settings: &self.settings,
            context: &context,
            charm_dir,
            all_linked: self.handlers.is_none(),
        })
    }

    /// What a run is given where there is no Juju.
    fn nowhere(&self, charm_dir: &Path, unit: &UnitName, metadata: &Rc<Metadata>) -> Outside {
        Outside {
            event: HookEvent::hook("update-status"),
            unit: unit.clone(),
            charm_dir: charm_dir.to_owned(),
            before_files: Rc::new(|| {}),
            juju_version: None,
            context_id: None,
            home_is_set: true,
            program_path: None,
            may_go_back_to_python: false,
            layers: Layers::of(charm_dir),
            metadata: Rc::clone(metadata),
            juju: Rc::new(Tools::new(None, OsString::new(), HOOK_COMMAND_LIMIT)),
            resources: self.resources.clone(),
            clock: Rc::new(Duration::default),
            programs: Rc::new(Processes),
            root: None,
            witness: None,
            externals: None,
        }
    }

    /// The charm's handlers, fitted to its metadata.
    pub(crate) fn registry(&self, outside: &Outside) -> Result<Registry, Error> {
        let externals = match &outside.externals {
            Some(_) => external_files::find(&outside.charm_dir)?,
            None => Vec::new(),
        };
        #[cfg(any(test, feature = "testing"))]
        let resources = &self.resources.with(&outside.resources);
        #[cfg(not(any(test, feature = "testing")))]
        let resources = &self.resources;
        let setup = Setup {
            metadata: &outside.metadata,
            juju_version: outside.juju_version.as_deref(),
            resources,
            layers: &outside.layers,
        };
        match &self.handlers {
            Some(handlers) => Registry::of(handlers, externals, setup),
            None => Registry::linked(externals, setup),
        }
    }

    fn run(&self, context: &Context, registry: &Registry) -> (Report, Result<(), Error>) {
        runtime::run(context, registry, &self.settings)
    }

    /// Runs one hook in this process, on the given store and with handlers that have been fitted: for tests, and for the
    /// simulated Juju. There is no report if there was nothing to run, or it was killed; then the store is as last committed.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn run_with(
        &self,
        outside: Outside,
        store: Store,
        registry: &Registry,
    ) -> (Option<Report>, Result<(), Error>, Store) {
        let Ran { report, result, store, .. } = self.run_recorded(outside, store, registry, false);
        (report, result, store)
    }

    /// The same, and what happens is recorded if it is wanted.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn run_recorded(&self, outside: Outside, store: Store, registry: &Registry, wanted: bool) -> Ran {
        let outside = Outside { resources: self.resources.with(&outside.resources), ..outside };
        if outside.event.is_restricted() && !registry.has_handler_of(outside.event.name()) {
            return Ran { report: None, result: Ok(()), store, record: Vec::new() };
        }
        let context = Context::new(outside, store);
        if wanted {
            context.start_record();
        }
        let ended = panic::unless_killed(|| self.run(&context, registry));
        if ended.is_none() {
            context.discard();
        }
        let (report, result) = ended.map_or((None, Ok(())), |(report, result)| (Some(report), result));
        Ran { report, result, store: context.take_store(), record: context.take_record() }
    }
}

/// A hook that has run in this process.
#[cfg(any(test, feature = "testing"))]
pub(crate) struct Ran {
    pub(crate) report: Option<Report>,
    pub(crate) result: Result<(), Error>,
    pub(crate) store: Store,
    pub(crate) record: Vec<Noted>,
}

/// Why the program exits with 1, and Juju, if it can be told.
struct Failed {
    error: Box<Error>,
    juju: Option<Rc<dyn Juju>>,
}

/// Appends one line.
fn append(path: &std::path::Path, report: &Report) -> Result<(), Error> {
    let write = || -> std::io::Result<()> {
        let mut line = serde_json::to_vec(report)?;
        line.push(b'\n');
        let mut file = std::fs::File::options().create(true).append(true).open(path)?;
        file.write_all(&line)
    };
    write().map_err(|source| Error::Write { path: path.to_owned(), source })
}

/// What of the environment is ours.
mod environment {
    use std::ffi::OsStr;
    use std::path::PathBuf;
    use std::time::Duration;

    use super::{EXTERNAL_LIMIT, Environment, Error, Means, Vars};

    pub(super) fn limit(vars: &Vars, name: &'static str, otherwise: Duration) -> Result<Duration, Error> {
        let Some(text) = vars.get(OsStr::new(name)).filter(|text| !text.is_empty()) else {
            return Ok(otherwise);
        };
        match text.to_str().and_then(|text| text.parse::<u32>().ok()).filter(|seconds| *seconds > 0) {
            Some(seconds) => Ok(Duration::from_secs(seconds.into())),
            None => {
                let reason = format!("`{}` is not a number of seconds", text.to_string_lossy());
                Err(Error::Variable { name, reason })
            }
        }
    }

    /// Where a simulated machine has its files.
    pub(super) fn root(vars: &Vars) -> Option<PathBuf> {
        vars.get(OsStr::new("ZKPEER_ROOT")).filter(|root| !root.is_empty()).map(PathBuf::from)
    }

    pub(super) fn trace(vars: &Vars) -> bool {
        vars.get(OsStr::new("ZKPEER_TRACE")).is_some_and(|value| !value.is_empty() && value != "0")
    }

    /// What programs of handlers need.
    pub(super) fn means(vars: &Vars, environment: &Environment) -> Result<Means, Error> {
        let program =
            std::env::current_exe().map_err(|source| Error::Read { path: "/proc/self/exe".into(), source })?;
        Ok(Means {
            program,
            temporary: std::env::temp_dir(),
            path: environment.path.clone(),
            hook_name_is_set: vars.contains_key(OsStr::new("JUJU_HOOK_NAME")),
            limit: limit(vars, "ZKPEER_EXTERNAL_TIMEOUT", EXTERNAL_LIMIT)?,
        })
    }

    pub(super) fn store_path(vars: &Vars, environment: &Environment) -> PathBuf {
        match vars.get(OsStr::new("UNIT_STATE_DB")).filter(|path| !path.is_empty()) {
            Some(path) => PathBuf::from(path),
            None => environment.charm_dir.join(crate::store::FILE),
        }
    }
}
