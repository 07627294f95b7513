//! `cargo zkpeer`: the program for people who write charms.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[path = "../cli/program.rs"]
mod program;
#[path = "../cli/simulate.rs"]
mod simulate;
#[path = "../cli/table.rs"]
mod table;

/// Tools for people who write Juju charms in Rust.
#[derive(Debug, Parser)]
#[command(name = "cargo zkpeer", bin_name = "cargo zkpeer", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Plays the life of one unit of a charm, hook by hook, without a Juju.
    Simulate(simulate::Options),
}

fn main() -> ExitCode {
    // As a subcommand of cargo, the first argument is the subcommand's own name.
    let mut args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|arg| arg == "zkpeer") {
        args.remove(1);
    }
    match Cli::parse_from(args).command {
        Command::Simulate(options) => simulate::run(&options),
    }
}
