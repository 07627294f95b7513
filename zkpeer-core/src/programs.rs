//! Programs that handlers run: what is to be run, what came of it, and what runs it, which tests put something else in the place of.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use crate::error::Error;
use crate::juju::talk;

/// What runs programs.
pub(crate) trait Runner: fmt::Debug {
    /// Runs the program to its end.
    ///
    /// # Errors
    ///
    /// Why it has not even begun, or has not ended.
    fn run(&self, call: &Call) -> Result<ProgramOutput, String>;

    /// Whether what it runs may write to the charm's directory.
    fn writes_files(&self) -> bool {
        true
    }
}

/// A program with all that it is given.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) program: OsString,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) variables: BTreeMap<OsString, OsString>,
    pub(crate) directory: PathBuf,
    pub(crate) input: Vec<u8>,
}

/// As a person would write it.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program.to_string_lossy())?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", argument.to_string_lossy()))
    }
}

/// What a program said, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ProgramOutput {
    /// Its exit code; 128 and the number of the signal if one killed it.
    pub code: i32,
    /// What it printed to standard output.
    pub stdout: String,
    /// What it printed to standard error.
    pub stderr: String,
}

/// A program to be run, with what it is given; made by [`Commands::program`](crate::Commands::program).
///
/// ```no_run
/// use zkpeer_core::{Commands, Result, when_not};
///
/// #[when_not("server.keys")]
/// fn import_keys(commands: Commands) -> Result {
///     let keys = std::fs::read("keys")?;
///     let output = commands.program("keytool").args(["-import", "-noprompt"]).input(keys).output()?;
///     if output.code > 1 {
///         return Err(output.stderr.into());
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "it runs when `run` or `output` is called"]
pub struct Program {
    runner: Rc<dyn Runner>,
    call: Call,
}

impl Program {
    pub(crate) fn new(runner: &Rc<dyn Runner>, program: &OsStr, directory: &Path) -> Self {
        let call = Call {
            program: program.to_owned(),
            arguments: Vec::new(),
            variables: BTreeMap::new(),
            directory: directory.to_owned(),
            input: Vec::new(),
        };
        Self { runner: Rc::clone(runner), call }
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.call.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// More arguments.
    pub fn args<A: AsRef<OsStr>>(self, arguments: impl IntoIterator<Item = A>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// A variable of its environment, besides those of the hook.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.call.variables.insert(name.as_ref().to_owned(), value.as_ref().to_owned());
        self
    }

    /// The directory that it begins in; otherwise the charm's.
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.call.directory.push(directory);
        self
    }

    /// What it can read on its standard input; otherwise nothing.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.call.input = input.into();
        self
    }

    /// Runs it to its end and gives what it printed to standard output.
    ///
    /// # Errors
    ///
    /// If it cannot be started or does not exit with 0; the error has the end of what it printed to standard error.
    pub fn run(self) -> Result<String, Error> {
        let command = self.call.to_string();
        let output = self.output()?;
        if output.code == 0 {
            return Ok(output.stdout);
        }
        Err(Error::Command { command, reason: format!("exit code {}: {}", output.code, last_words(&output)) })
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Errors
    ///
    /// If it cannot be started.
    pub fn output(self) -> Result<ProgramOutput, Error> {
        let failed = |reason| Error::Command { command: self.call.to_string(), reason };
        self.runner.run(&self.call).map_err(failed)
    }
}

/// Runs programs as processes of this machine.
#[derive(Debug)]
pub(crate) struct Processes;

impl Runner for Processes {
    fn run(&self, call: &Call) -> Result<ProgramOutput, String> {
        let mut command = Command::new(&call.program);
        let stdin = if call.input.is_empty() { Stdio::null() } else { Stdio::piped() };
        command.args(&call.arguments).envs(&call.variables).current_dir(&call.directory);
        let child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.map_err(|error| format!("it cannot be started: {error}"))?;
        // A daemon that it leaves behind may hold its output open for ever; what counts is that it has ended itself.
        match talk::until_end(&mut child, &call.input, Duration::MAX) {
            Ok(Some(ended)) => Ok(ProgramOutput {
                code: ended.code,
                stdout: String::from_utf8_lossy(&ended.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&ended.stderr).into_owned(),
            }),
            Ok(None) => Err("it did not end".to_owned()),
            Err(error) => Err(format!("talking to it failed: {error}")),
        }
    }
}

fn last_words(output: &ProgramOutput) -> String {
    let said = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(5)..].join("\n")
}
