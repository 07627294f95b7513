//! This program as a charm's `dispatch`: publishes ten keys, and does in a hook what a file in its directory tells it.

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::hint::black_box;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::client::Agent;

/// The file that says what to do.
pub(crate) const TASK: &str = "task";
/// The file with what was measured.
pub(crate) const MEASURED: &str = "measured";

/// Round trips are timed by so many: one alone is too short for the clock.
const BATCH: u32 = 100;

pub(crate) fn run() -> Result<(), Box<dyn Error>> {
    if std::env::var("JUJU_HOOK_NAME")? == "quorum-relation-created" {
        return publish();
    }
    let Ok(task) = fs::read_to_string(TASK) else { return Ok(()) };
    let words: Vec<&str> = task.split_whitespace().collect();
    let measured = match words.as_slice() {
        ["round-trips", runs] => round_trips(runs.parse()?)?,
        ["commands", runs, beside] => commands(runs.parse()?, beside)?,
        _ => return Err(format!("no such task: {task}").into()),
    };
    Ok(fs::write(MEASURED, measured)?)
}

fn publish() -> Result<(), Box<dyn Error>> {
    let entries: Vec<String> = (0..10).map(|key| format!("key-{key}=value-{key}")).collect();
    let arguments: Vec<&str> = entries.iter().map(String::as_str).collect();
    Agent::of_hook()?.ask("relation-set", &arguments).map(|_| ())
}

/// Questions to the agent over one connection.
fn round_trips(runs: usize) -> Result<String, Box<dyn Error>> {
    let mut agent = Agent::of_hook()?;
    let questions: [(&str, &[&str]); 2] =
        [("is-leader", &["--format=json"]), ("relation-get", &["--format=json", "-r", "quorum:0", "-", "bench/1"])];
    let bag = agent.ask("relation-get", questions[1].1)?;
    if bag.matches("value-").count() != 10 {
        return Err(format!("the bag has not ten keys: {bag}").into());
    }
    let mut measured = String::new();
    for _ in 0..runs {
        for (name, arguments) in questions {
            let begun = Instant::now();
            for _ in 0..BATCH {
                black_box(agent.ask(name, arguments)?);
            }
            writeln!(measured, "round-trip-{name} {}", (begun.elapsed() / BATCH).as_nanos())?;
        }
    }
    Ok(measured)
}

/// A hook command as a process, and processes that do nothing, in turns.
fn commands(runs: usize, beside: &str) -> Result<String, Box<dyn Error>> {
    let mut measured = String::new();
    for _ in 0..runs {
        for (name, program) in [("is-leader", "is-leader"), ("true", "/bin/true"), ("nothing", beside)] {
            let begun = Instant::now();
            let status = Command::new(program).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
            let time = begun.elapsed();
            if !status.success() {
                return Err(format!("{program}: {status}").into());
            }
            writeln!(measured, "process-{name} {}", time.as_nanos())?;
        }
    }
    Ok(measured)
}
