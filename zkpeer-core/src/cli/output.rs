//! Everything that `simulate` prints on standard output, in the form that was asked for.

use std::io::{self, IsTerminal, Write};
use std::ops::ControlFlow;
use std::time::Duration;

use zkpeer_core::testing::{Happening, HookRun, Model, Story};

use crate::json;
use crate::standing::Standing;
use crate::table::Table;

/// How output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people: a live view on a terminal, otherwise a line for each hook.
    Text,
    /// A line for each hook, on a terminal, too.
    Lines,
    /// One JSON object a line, for programs; `--help` says what is in it.
    Json,
}

/// What is said at the end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) standing: Standing,
    /// Whether `standing` is as it was before the application was removed.
    pub(crate) removed: bool,
    pub(crate) problem: Option<String>,
    pub(crate) hooks: usize,
    pub(crate) time: Duration,
    /// Where the units' directories are, if they stay.
    pub(crate) kept: Option<String>,
}

/// Standard output, as long as somebody reads it.
#[derive(Debug)]
pub(crate) struct Output {
    table: Option<Table>,
    hooks: usize,
    time: Duration,
    /// Nobody reads any more.
    closed: bool,
}

impl Output {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        let table = match format {
            Format::Json => None,
            Format::Lines => Some(Table::new(verbose, terminal, false)),
            Format::Text => Some(Table::new(verbose, terminal, terminal)),
        };
        Self { table, hooks: 0, time: Duration::ZERO, closed: false }
    }

    pub(crate) fn begin(&mut self, story: &Story) {
        let text = match &mut self.table {
            Some(table) => table.begin(story),
            None => line(&json::begin(story)),
        };
        self.write(&text);
    }

    /// One happening; `Break` if nobody reads it.
    pub(crate) fn happening(&mut self, happening: &Happening<'_>, model: &Model) -> ControlFlow<()> {
        if let Some(run) = finished(happening) {
            self.hooks += 1;
            self.time += run.time;
        }
        let text = match &mut self.table {
            Some(table) => table.happening(happening, model),
            None => json::happening(happening).map(|value| line(&value)).unwrap_or_default(),
        };
        self.write(&text);
        if self.closed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Takes away what is only there while the story is played; then others may print.
    pub(crate) fn finish(&mut self) {
        if let Some(table) = &mut self.table {
            let text = table.finish();
            self.write(&text);
        }
    }

    /// Where it ended. True if all could be written.
    pub(crate) fn end(mut self, mut ending: Ending) -> bool {
        ending.hooks = self.hooks;
        ending.time = self.time;
        let text = match &self.table {
            Some(table) => table.end(&ending),
            None => line(&json::end(&ending)),
        };
        self.write(&text);
        !self.closed
    }

    fn write(&mut self, text: &str) {
        if self.closed || text.is_empty() {
            return;
        }
        let mut out = io::stdout().lock();
        self.closed = out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err();
    }
}

/// The hook or action that is over.
pub(crate) fn finished<'a>(happening: &'a Happening<'_>) -> Option<&'a HookRun> {
    match happening {
        Happening::Hook(run, _) => Some(run),
        Happening::Action(report) => Some(&report.run),
        _ => None,
    }
}

fn line(value: &serde_json::Value) -> String {
    format!("{value}\n")
}
