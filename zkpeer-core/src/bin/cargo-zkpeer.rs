//! `cargo zkpeer`: the program for people who write charms.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

#[path = "../cli/archive.rs"]
mod archive;
#[path = "../cli/check.rs"]
mod check;
#[path = "../cli/elf.rs"]
mod elf;
#[path = "../cli/flags.rs"]
mod flags;
#[path = "../cli/json.rs"]
mod json;
#[path = "../cli/live.rs"]
mod live;
#[path = "../cli/new.rs"]
mod new;
#[path = "../cli/output.rs"]
mod output;
#[path = "../cli/pack.rs"]
mod pack;
#[path = "../cli/program.rs"]
mod program;
#[path = "../cli/simulate.rs"]
mod simulate;
#[path = "../cli/standing.rs"]
mod standing;
#[path = "../cli/table.rs"]
mod table;
#[path = "../cli/trial.rs"]
mod trial;
#[path = "../cli/words.rs"]
mod words;

/// Tools for people who write Juju charms in Rust.
#[derive(Debug, Parser)]
#[command(name = "cargo zkpeer", bin_name = "cargo zkpeer", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of it")]
enum Command {
    /// Looks for what is wrong with a charm's handlers, flags and triggers, without running any.
    Check(check::Options),
    /// Makes a charm to begin with.
    New(new::Options),
    /// Builds a charm and packs it into the archive that `juju deploy` takes.
    Pack(pack::Options),
    /// Plays the life of a charm in a simulated Juju, hook by hook.
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    // As a subcommand of cargo, the first argument is the subcommand's own name.
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|arg| arg == "zkpeer") {
        args.remove(1);
    }
    let matches = Cli::command().get_matches_from(args);
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match (cli.command, matches.subcommand()) {
        // In which order flags were given, only the matches know.
        (Command::Simulate(options), Some((_, own))) => simulate::run(&options, own),
        (Command::Simulate(_), None) => ExitCode::FAILURE,
        (Command::Check(options), _) => check::run(&options),
        (Command::New(options), _) => new::run(&options),
        (Command::Pack(options), _) => pack::run(&options),
    }
}
