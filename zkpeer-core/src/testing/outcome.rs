//! What a hook or an action came to, with everything seen of it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::hook::Hook;
use super::instants::Instant;
use super::process::CommandRun;
use super::run::{ActionRun, LogLine};
use super::value::Value;
use crate::juju::UnitName;
use crate::report::Report;

/// How a hook ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It exited 0, and its changes were applied.
    Done,
    /// The charm has no file for it: it counts as done.
    NoFile,
    /// It did not exit 0, or could not be started: nothing of what it buffered is kept.
    Failed(String),
    /// It exited 0, but its changes were refused, for this reason: it failed.
    Refused(String),
    /// It was killed; Juju runs the same hook again.
    Killed,
    /// It was still running at the limit and was killed: it failed.
    TimedOut(Duration),
}

/// Everything about one hook that was run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HookRun {
    /// What was run.
    pub hook: Hook,
    /// The unit.
    pub unit: UnitName,
    /// How it ended.
    pub outcome: Outcome,
    /// The program's exit code, if it ended by itself.
    pub exit: Option<i32>,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
    /// What it wrote to Juju's log.
    pub log: Vec<LogLine>,
    /// The hook commands it ran, in order.
    pub commands: Vec<CommandRun>,
    /// What a charm on `zkpeer` says about its handlers and flags.
    pub report: Option<Report>,
    /// What else is worth knowing: processes left behind, output not kept.
    pub notes: Vec<String>,
    /// The environment it was given.
    pub environment: BTreeMap<String, String>,
    /// How long it took.
    pub time: Duration,
    /// What it came to, if that was to be noted.
    pub(crate) instants: Vec<Instant>,
}

/// An action that was run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ActionReport {
    /// Whether it is `completed`; otherwise it is `failed`.
    pub completed: bool,
    /// Why it failed.
    pub message: String,
    /// What it set, with `stdout`, `stderr` and `return-code` as Juju adds them.
    pub results: BTreeMap<String, Value>,
    /// What it logged with `action-log`.
    pub log: Vec<String>,
    /// The run of its program.
    pub run: HookRun,
}

impl ActionReport {
    /// What becomes of an action (contract 2.4).
    pub(crate) fn new(run: HookRun, said: ActionRun) -> Self {
        let mut results = said.results;
        for (key, text) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
            if !text.is_empty() {
                results.insert(key.to_owned(), Value::from(text.as_str()));
            }
        }
        if let Some(code) = run.exit {
            results.insert("return-code".to_owned(), Value::from(code));
        }
        let message = match (&run.outcome, said.failed) {
            (Outcome::Done, None) => None,
            (Outcome::Done, Some(message)) | (Outcome::Refused(_), Some(message)) => Some(message),
            (Outcome::Refused(_), None) => Some("committing requested changes failed".to_owned()),
            (Outcome::NoFile, _) => Some(format!("action not implemented on unit \"{}\"", run.unit)),
            (Outcome::Failed(_), _) if run.exit.is_some() => run.exit.map(|code| format!("exit status {code}")),
            (Outcome::Failed(why), _) => Some(why.clone()),
            (Outcome::Killed, _) => Some("signal: killed".to_owned()),
            (Outcome::TimedOut(_), _) => run.problem(),
        };
        Self { completed: message.is_none(), message: message.unwrap_or_default(), results, log: said.log, run }
    }
}

impl HookRun {
    /// Whether the hook failed; one that was killed simply runs again.
    #[must_use]
    pub fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::Refused(_) | Outcome::TimedOut(_))
    }

    /// The context id, new for each run.
    #[must_use]
    pub fn context_id(&self) -> &str {
        self.environment.get("JUJU_CONTEXT_ID").map_or("", String::as_str)
    }

    /// The names of the hook commands, in order.
    #[must_use]
    pub fn command_names(&self) -> Vec<&str> {
        self.commands.iter().map(|command| command.name.as_str()).collect()
    }

    /// What went wrong, with the last lines that the charm printed; none if nothing did.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let what = match &self.outcome {
            Outcome::Done | Outcome::NoFile => return None,
            Outcome::Failed(why) => why.clone(),
            Outcome::Refused(why) => format!("it exited 0, but Juju refused its changes: {why}"),
            Outcome::Killed => "it was killed".to_owned(),
            Outcome::TimedOut(limit) => {
                format!(
                    "it did not end within {limit:?} and was killed; give it a higher limit if it only needs longer"
                )
            }
        };
        let mut text = format!("hook {self} failed on {}: {what}", self.unit);
        if self.outcome == Outcome::Killed {
            text = format!("hook {self} was killed on {}", self.unit);
        }
        let said = if self.stderr.trim().is_empty() { &self.stdout } else { &self.stderr };
        let lines: Vec<&str> = said.trim_end().lines().collect();
        for line in lines.iter().skip(lines.len().saturating_sub(10)) {
            text.push_str("\n  ");
            text.push_str(line);
        }
        Some(text)
    }
}

/// The hook's name, with the remote unit of a relation hook.
impl std::fmt::Display for HookRun {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.hook.fmt(f)
    }
}
