//! `cargo zkpeer check`: builds a Rust charm, whose program then checks its handlers, flags and triggers.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use clap::Args;

use crate::program::{self, Purpose, cannot_start};
use crate::trial;

/// What to check.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub(crate) struct Options {
    /// The charm: a directory with a Cargo.toml and a metadata.yaml
    charm: PathBuf,
    /// How the findings are written
    #[arg(long, default_value = "text")]
    format: Format,
}

const HELP: &str = "\
Nothing is run: handlers, flags and triggers are looked at as the source has them. Each finding has file and line, and can
be allowed there with a reason. What is found, and what to do about it: `cargo doc -p zkpeer-core --open`, module `check`.

With --format json there is one object: {findings: [{kind, place, subject, handlers, message, certain}], handlers: [{handler,
place, conditions, sets, clears, reads, all}]}; `certain` is false where a finding is so as far as the source shows, `all` is
whether the source shows all that a handler does to flags.

The exit code is 0 if nothing is found, 1 if something is or the charm cannot be checked.";

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A line for each.
    Text,
    /// One object with all.
    Json,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Checks the charm; the exit code is that of its program.
pub(crate) fn run(options: &Options) -> ExitCode {
    match check(options) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn check(options: &Options) -> Result<ExitCode, String> {
    let charm = &options.charm;
    trial::name(charm)?;
    if !charm.join("Cargo.toml").exists() {
        return Err(format!("{}: has no Cargo.toml; only charms that are Rust packages are checked", charm.display()));
    }
    let program = program::build(charm, Purpose::Trial { release: false })?;
    let mut command = Command::new(&program);
    command.arg("check").arg(charm).args(["--format", options.format.name()]);
    // Whatever starts this may be a hook; what it starts is none.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("JUJU_")) {
        command.env_remove(name);
    }
    let status = command.stdin(Stdio::null()).status().map_err(|error| cannot_start(&command, &error))?;
    match status.code().and_then(|code| u8::try_from(code).ok()) {
        Some(code @ (0 | 1)) => Ok(ExitCode::from(code)),
        _ => {
            Err(format!("{}: its program has not checked it: {status}; is its `main` that of zkpeer?", charm.display()))
        }
    }
}

/// Warns of files of the charm that are meant to be handlers and are none.
pub(crate) fn warn_of_scripts(charm: &Path) {
    match zkpeer_core::check::scripts(charm) {
        Ok(findings) => {
            for finding in findings {
                let place = charm.join(&finding.place);
                eprintln!("warning: {}: {}: {}", place.display(), finding.kind, finding.message);
            }
        }
        Err(error) => eprintln!("warning: {error}"),
    }
}
