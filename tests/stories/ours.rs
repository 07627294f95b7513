//! The charm in Rust, as a program, and what it reports of a hook.

use tempfile::TempDir;
use zkpeer_core::CallOutcome;
use zkpeer_core::testing::{Application, HookRun, Model};

use crate::seen::{Call, Calls};

/// The charm as it is deployed; the directory is its source, and has to stay until then.
pub(crate) struct Charm {
    directory: TempDir,
}

impl Charm {
    pub(crate) fn new() -> Self {
        Self { directory: crate::charm_files() }
    }

    pub(crate) fn application(&self) -> Application {
        let program = tests::program("zookeeper-stories", env!("CARGO_BIN_EXE_zookeeper-stories"));
        Application::new(self.directory.path()).program(program)
    }
}

/// The handlers that ran.
pub(crate) fn calls(_: &Model, run: &HookRun) -> Calls {
    let mut calls = Vec::new();
    for round in run.report.iter().flat_map(|report| &report.rounds) {
        let number = (round.phase == zkpeer_core::Phase::Other).then_some(round.round);
        for call in round.handlers.iter().filter(|call| call.outcome != CallOutcome::Skipped) {
            let name = call.name.rsplit("::").next().unwrap_or(&call.name);
            let name = name.split(['[', '(']).next().unwrap_or(name).trim();
            calls.push(Call { round: number, handler: name.to_owned(), peers: None });
        }
    }
    Calls(calls)
}
