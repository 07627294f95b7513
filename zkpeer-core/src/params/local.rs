//! What is the machine's: the charm's directory, the root of all other files, programs.

use std::ffi::OsStr;
use std::fs;
use std::ops::Deref;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use crate::context::{Context, Param};
use crate::error::Error;
use crate::extract::{FromContext, Rejection};
use crate::programs::{Program, Runner};

/// The charm's directory: where its files are, and where what it writes stays over hooks and upgrades.
///
/// Juju runs a charm in it, but a test that runs handlers in its own process does not: a relative path is not in it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharmDir(PathBuf);

impl CharmDir {
    pub(crate) fn of(context: &Context) -> Self {
        Self(context.charm_dir_to_write().to_owned())
    }
}

impl Deref for CharmDir {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

/// Where the machine's own files are: `/`, and in a test a temporary directory of the unit's.
///
/// ```no_run
/// use zkpeer_core::{Result, Root, when_not};
///
/// #[when_not("server.configured")]
/// fn configure(root: Root) -> Result {
///     std::fs::write(root.join("/etc/server.conf"), "port=2181\n")?;
///     Ok(())
/// }
/// ```
///
/// In a test, and in the simulated Juju, the directories are there that every machine has, such as `/etc`, `/opt`, `/usr/bin` and
/// `/var/lib`, and nothing is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root(PathBuf);

/// The directories of every machine that charms write to.
const DIRECTORIES: &[&str] = &[
    "etc/apt/sources.list.d",
    "etc/cron.d",
    "etc/default",
    "etc/logrotate.d",
    "etc/sysctl.d",
    "etc/systemd/system",
    "home",
    "lib/systemd/system",
    "opt",
    "root",
    "run",
    "srv",
    "tmp",
    "usr/bin",
    "usr/lib",
    "usr/local/bin",
    "usr/local/lib",
    "usr/sbin",
    "usr/share",
    "var/cache",
    "var/lib",
    "var/log",
];

impl Root {
    /// The path on this machine, or the same one in the unit's temporary directory.
    #[must_use]
    pub fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        let below = path.components().filter(|part| !matches!(part, Component::RootDir | Component::Prefix(_)));
        self.0.join(below.collect::<PathBuf>())
    }
}

impl FromContext for Root {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        context.note_files();
        let Some(root) = &context.outside().root else { return Ok(Self(PathBuf::from("/"))) };
        make_root(root)?;
        Ok(Self(root.clone()))
    }
}

/// Makes the directories that every machine has, if they are not there.
pub(crate) fn make_root(root: &Path) -> Result<(), Error> {
    // Not the root itself: it may have been emptied.
    if !root.join("etc").exists() {
        for path in DIRECTORIES.iter().map(|directory| root.join(directory)) {
            fs::create_dir_all(&path).map_err(|source| Error::Write { path, source })?;
        }
    }
    Ok(())
}

/// Runs programs, in the charm's directory, with the `HOME` that Juju does not set (contract 1.2) and many programs need.
///
/// ```no_run
/// use zkpeer_core::{Commands, Result, when_not};
///
/// #[when_not("server.unpacked")]
/// fn unpack(commands: Commands) -> Result {
///     commands.run("tar", ["-xf", "server.tar", "-C", "/opt"])?;
///     Ok(())
/// }
/// ```
///
/// In a test that says what programs answer (`testing::Programs`), none is run.
#[derive(Clone, Debug)]
pub struct Commands {
    runner: Rc<dyn Runner>,
    directory: PathBuf,
    home_is_set: bool,
}

impl Commands {
    pub(crate) fn of(context: &Context) -> Self {
        let outside = context.outside();
        Self {
            runner: Rc::clone(&outside.programs),
            directory: if outside.programs.writes_files() { context.charm_dir_to_write() } else { context.charm_dir() }
                .to_owned(),
            home_is_set: outside.home_is_set,
        }
    }

    /// A program to be run, for whatever [`run`](Self::run) does not offer.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Program {
        let program = Program::new(&self.runner, program.as_ref(), &self.directory);
        if self.home_is_set { program } else { program.env("HOME", "/root") }
    }

    /// Runs a program to its end and gives what it printed to standard output.
    ///
    /// # Errors
    ///
    /// If it cannot be started or does not exit with 0; the error has the end of what it printed to standard error.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String, Error> {
        self.program(program).args(arguments).run()
    }
}
