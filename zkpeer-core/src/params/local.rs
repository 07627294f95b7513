//! What is the charm's own: its directory, programs it runs, values of the author's types.

use std::ffi::OsStr;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use crate::context::{Context, Param, Setup};
use crate::error::Error;
use crate::extract::{FromContext, Rejection};
use crate::juju::talk::{self, Ended};

/// The charm's directory: where its files are, and where what it writes stays over hooks and upgrades.
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
#[derive(Clone, Debug)]
pub struct Commands {
    directory: PathBuf,
    home_is_set: bool,
}

impl Commands {
    pub(crate) fn of(context: &Context) -> Self {
        Self { directory: context.charm_dir_to_write().to_owned(), home_is_set: context.outside().home_is_set }
    }

    /// A program to be run, for whatever [`run`](Self::run) does not offer.
    #[must_use]
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.directory);
        if !self.home_is_set {
            command.env("HOME", "/root");
        }
        command
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
        let mut command = self.command(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn();
        let failed = |reason| Error::Command { command: shown(&command), reason };
        let mut child = child.map_err(|error| failed(format!("it cannot be started: {error}")))?;
        // A daemon that it leaves behind may hold its output open for ever; what counts is that it has ended itself.
        match talk::until_end(&mut child, b"", Duration::MAX) {
            Ok(Some(ended)) if ended.code == 0 => Ok(String::from_utf8_lossy(&ended.stdout).into_owned()),
            Ok(Some(ended)) => Err(failed(format!("exit code {}: {}", ended.code, last_words(&ended)))),
            Ok(None) => Err(failed("it did not end".to_owned())),
            Err(error) => Err(failed(format!("talking to it failed: {error}"))),
        }
    }
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

fn last_words(output: &Ended) -> String {
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}

/// A value of a type of the author's, given to [`Charm::resource`](crate::Charm::resource): what handlers need besides
/// Juju, and what tests put something else in the place of.
#[derive(Debug)]
pub struct Resource<T>(Rc<T>);

impl<T> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T> Deref for Resource<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: 'static> FromContext for Resource<T> {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        match context.outside().resources.get() {
            Some(value) => Ok(Self(value)),
            None => Err(Rejection::Skip(missing::<T>())),
        }
    }

    fn check(setup: &Setup<'_>) -> Result<(), String> {
        if setup.has_resource::<T>() { Ok(()) } else { Err(missing::<T>()) }
    }
}

fn missing<T>() -> String {
    let name = std::any::type_name::<T>();
    format!("there is no resource of type `{name}`; give one in main: `Charm::new().resource(..).main()`")
}
