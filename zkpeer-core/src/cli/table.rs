//! What `simulate` prints: a line for each hook as it ends, and a block about where it all ended.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use serde_json::json;
use zkpeer_core::testing::{ActionReport, HookRun, LogLine, Outcome, UnitAgent};
use zkpeer_core::{CallOutcome, Edge, HandlerReport};

/// How output is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Writes to standard output, and remembers the flags.
#[derive(Debug)]
pub(crate) struct Table {
    format: Format,
    /// Whether everything that the charm logs and prints is shown, not only its warnings and errors.
    verbose: bool,
    colour: bool,
    /// The width to wrap at; none when the output is no terminal: then every hook has exactly one line.
    width: Option<usize>,
    flags: BTreeSet<String>,
    reported: bool,
    hooks: usize,
    time: Duration,
}

const HOOK: usize = 38;
const COMMANDS: usize = 28;
const TIME: usize = 8;

impl Table {
    pub(crate) fn new(format: Format, verbose: bool) -> Self {
        let set = |name: &str| std::env::var(name).unwrap_or_default();
        let terminal = io::stdout().is_terminal();
        let columns = set("COLUMNS").parse().unwrap_or(120).max(100);
        Self {
            format,
            verbose,
            colour: terminal && set("NO_COLOR").is_empty() && set("TERM") != "dumb",
            width: terminal.then_some(columns),
            flags: BTreeSet::new(),
            reported: false,
            hooks: 0,
            time: Duration::ZERO,
        }
    }

    fn middle(&self) -> usize {
        self.width.unwrap_or(120).saturating_sub(HOOK + TIME + COMMANDS + 5)
    }

    /// The heading.
    pub(crate) fn begin(&self, agent: &UnitAgent, juju: &str, charm: &str) -> io::Result<()> {
        if self.format == Format::Json {
            let leader = agent.is_leader();
            return emit(&json!({"unit": agent.name().to_string(), "juju": juju, "charm": charm, "leader": leader}));
        }
        let leader = if agent.is_leader() { ", leader" } else { "" };
        let mut out = io::stdout().lock();
        writeln!(out, "{} of {charm} on Juju {juju}{leader}", self.paint(BOLD, agent.name().as_str()))?;
        let middle = self.middle();
        let head = format!("{:<HOOK$} {:>TIME$}  {:<middle$}  hook commands", "hook", "time", "handlers and flags");
        writeln!(out, "{}", self.paint(DIM, &head))
    }

    /// One hook.
    pub(crate) fn hook(&mut self, run: &HookRun, attempt: u32) -> io::Result<()> {
        self.hooks += 1;
        self.time += run.time;
        if let Some(report) = run.report.as_ref() {
            self.reported = true;
            if matches!(run.outcome, Outcome::Done) {
                self.flags.extend(report.set.iter().cloned());
                self.flags.retain(|flag| !report.cleared.contains(flag));
            }
        }
        match self.format {
            Format::Json => emit(&hook_json(run, attempt)),
            Format::Text => self.hook_text(run, attempt),
        }
    }

    fn hook_text(&self, run: &HookRun, attempt: u32) -> io::Result<()> {
        let again = if attempt > 0 { format!(", retry {attempt}") } else { String::new() };
        let hook = format!("{run}{again}");
        let commands: Vec<Word> = counts(run).iter().map(|(name, count)| Word::plain(counted(name, *count))).collect();
        let mut words = handler_words(run);
        match &run.outcome {
            Outcome::Done => {}
            Outcome::NoFile => words.push(Word { style: DIM, text: "no file for it".to_owned() }),
            Outcome::Killed => words.push(Word { style: RED, text: "KILLED".to_owned() }),
            Outcome::Refused(_) => words.push(Word { style: RED, text: "REFUSED".to_owned() }),
            Outcome::TimedOut(_) => words.push(Word { style: RED, text: "TIMED OUT".to_owned() }),
            _ => words.push(Word { style: RED, text: "FAILED".to_owned() }),
        }
        if words.is_empty() {
            words.push(Word { style: DIM, text: "-".to_owned() });
        }
        let middle = self.middle();
        let (left, right) = match self.width {
            Some(_) => (wrap(words, middle), wrap(commands, COMMANDS)),
            None => (vec![words], vec![commands]),
        };
        let time = format!("{:.1} ms", run.time.as_secs_f64() * 1000.0);
        let mut out = io::stdout().lock();
        let none = Vec::new();
        for line in 0..left.len().max(right.len()) {
            let (hook, time) = if line == 0 { (hook.as_str(), time.as_str()) } else { ("", "") };
            let text = format!(
                "{hook:<HOOK$} {time:>TIME$}  {}  {}",
                self.cell(left.get(line).unwrap_or(&none), middle),
                self.cell(right.get(line).unwrap_or(&none), 0),
            );
            writeln!(out, "{}", text.trim_end())?;
        }
        let shown = |line: &&LogLine| self.verbose || matches!(line.level.as_str(), "WARNING" | "ERROR" | "CRITICAL");
        // What the last line says anyway is not said twice.
        let error = run.report.as_ref().and_then(|report| report.error.as_deref()).unwrap_or_default();
        for line in run.log.iter().filter(shown).filter(|line| line.message != error) {
            writeln!(out, "  {}", self.paint(DIM, &format!("{}: {}", line.level, line.message)))?;
        }
        let printed = if self.verbose { run.stdout.lines().chain(run.stderr.lines()).collect() } else { Vec::new() };
        for line in printed {
            writeln!(out, "  {}", self.paint(DIM, &format!("printed: {line}")))?;
        }
        for note in &run.notes {
            writeln!(out, "  {}", self.paint(DIM, &format!("note: {note}")))?;
        }
        out.flush()
    }

    /// An action's result, under its line.
    pub(crate) fn action(&self, report: &ActionReport) -> io::Result<()> {
        let shown = |key: &str| !matches!(key, "stdout" | "stderr" | "return-code");
        let results = report.results.iter().filter(|(key, _)| shown(key));
        match self.format {
            Format::Json => {
                let results: serde_json::Map<String, serde_json::Value> = report
                    .results
                    .iter()
                    .map(|(key, value)| (key.clone(), serde_json::from_str(&value.to_json()).unwrap_or_default()))
                    .collect();
                let (completed, name) = (report.completed, report.run.hook.name());
                emit(&json!({"action": name, "completed": completed, "message": report.message, "results": results}))
            }
            Format::Text => {
                let mut out = io::stdout().lock();
                for line in &report.log {
                    writeln!(out, "  {line}")?;
                }
                for (key, value) in results {
                    writeln!(out, "  {key}: {}", value.to_json())?;
                }
                if !report.completed {
                    writeln!(out, "  {}", self.paint(RED, &format!("action failed: {}", report.message)))?;
                }
                Ok(())
            }
        }
    }

    /// The flags that are set now, as far as the charm's reports tell.
    pub(crate) fn flags(&self) -> Option<Vec<String>> {
        self.reported.then(|| self.flags.iter().cloned().collect())
    }

    /// Where it ended.
    pub(crate) fn end(&self, end: &Ending, problem: Option<&str>) -> io::Result<()> {
        if self.format == Format::Json {
            return emit(&json!({
                "ok": problem.is_none(),
                "problem": problem,
                "hooks": self.hooks,
                "ms": millis(self.time),
                "status": {"status": end.status.0, "message": end.status.1},
                "flags": end.flags,
                "relations": end.relations,
                "applications": end.applications,
            }));
        }
        let mut out = io::stdout().lock();
        writeln!(out)?;
        if end.removed {
            writeln!(out, "{}", self.paint(DIM, "as it was before its removal:"))?;
        }
        let time = millis(self.time);
        let hooks = if self.hooks == 1 { "1 hook".to_owned() } else { format!("{} hooks", self.hooks) };
        writeln!(out, "{:<14} {hooks} in {time} ms", "ran")?;
        let (status, message) = &end.status;
        let colour = match status.as_str() {
            "active" => GREEN,
            "error" | "blocked" => RED,
            _ => DIM,
        };
        writeln!(out, "{:<14} {} {message}", "status", self.paint(colour, status))?;
        if let Some(flags) = &end.flags {
            let text = if flags.is_empty() { "none".to_owned() } else { flags.join(" ") };
            writeln!(out, "{:<14} {text}", "flags")?;
        }
        for (whose, bag) in end.relations.iter().chain(&end.applications) {
            let entries: Vec<String> =
                bag.iter().map(|(key, value)| format!("{key}={}", value.escape_debug())).collect();
            let text = if entries.is_empty() { "nothing".to_owned() } else { entries.join(" ") };
            writeln!(out, "{whose:<14} {text}")?;
        }
        if let Some(kept) = &end.kept {
            writeln!(out, "{:<14} {kept}", "charm kept at")?;
        }
        out.flush()
    }

    fn paint(&self, style: &str, text: &str) -> String {
        if self.colour && !style.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Words in a column; colours take no room.
    fn cell(&self, words: &[Word], width: usize) -> String {
        let room: usize = words.iter().map(|word| word.text.chars().count() + 1).sum::<usize>().saturating_sub(1);
        let painted: Vec<String> = words.iter().map(|word| self.paint(word.style, &word.text)).collect();
        painted.join(" ") + &" ".repeat(width.saturating_sub(room))
    }
}

/// What is said at the end.
#[derive(Debug, Default)]
pub(crate) struct Ending {
    pub(crate) status: (String, String),
    /// This unit's own bags, by relation.
    pub(crate) relations: BTreeMap<String, BTreeMap<String, String>>,
    /// Its application's bags, where there is anything in them.
    pub(crate) applications: BTreeMap<String, BTreeMap<String, String>>,
    pub(crate) flags: Option<Vec<String>>,
    /// Whether the unit has been removed since.
    pub(crate) removed: bool,
    pub(crate) kept: Option<String>,
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

struct Word {
    style: &'static str,
    text: String,
}

impl Word {
    fn plain(text: String) -> Self {
        Self { style: "", text }
    }
}

/// The calls of handlers, in order, without those that were skipped.
fn handlers(run: &HookRun) -> impl Iterator<Item = &HandlerReport> {
    let all = run.report.iter().flat_map(|report| &report.rounds).flat_map(|round| &round.handlers);
    all.filter(|handler| handler.outcome != CallOutcome::Skipped)
}

/// The handlers in order, and the flags each has set (+) and cleared (-).
fn handler_words(run: &HookRun) -> Vec<Word> {
    let mut told: Vec<(&str, bool)> = Vec::new();
    let crate_name = format!("{}::", run.unit.application().replace('-', "_"));
    let mut calls = Vec::new();
    for handler in handlers(run) {
        let mut words = Vec::new();
        let name = handler.name.strip_prefix(&crate_name).unwrap_or(&handler.name).to_owned();
        let style = if handler.outcome == CallOutcome::Failed { RED } else { BOLD };
        words.push(Word { style, text: name });
        for change in &handler.changes {
            told.push((change.flag.as_str(), change.edge == Edge::Set));
            words.push(flag_word(&change.flag, change.edge == Edge::Set));
        }
        calls.push(words);
    }
    let mut words = folded(calls);
    // What no handler did: flags that the charm's endpoints, configuration or leadership set by themselves.
    if let Some(report) = &run.report {
        let set = report.set.iter().map(|flag| (flag.as_str(), true));
        let cleared = report.cleared.iter().map(|flag| (flag.as_str(), false));
        let rest = set.chain(cleared).filter(|change| !told.contains(change));
        words.extend(rest.map(|(flag, set)| flag_word(flag, set)));
    }
    words
}

/// Calls in order; what repeats at least three times in a row is there once, with how often it was.
fn folded(calls: Vec<Vec<Word>>) -> Vec<Word> {
    const LONGEST: usize = 8;
    let texts: Vec<String> = calls.iter().map(|words| words.iter().map(|word| word.text.as_str()).collect()).collect();
    let repeats = |at: usize, length: usize| {
        let pattern = &texts[at..at + length];
        texts[at..].chunks(length).take_while(|chunk| *chunk == pattern).count()
    };
    let mut words = Vec::new();
    let (mut at, mut calls) = (0, calls.into_iter());
    while at < texts.len() {
        let lengths = 1..=LONGEST.min(texts.len() - at);
        let found = lengths.map(|length| (length, repeats(at, length))).find(|(_, times)| *times >= 3);
        let (length, times) = found.unwrap_or((1, 1));
        words.extend(calls.by_ref().take(length).flatten());
        if times > 1 {
            words.push(Word { style: DIM, text: format!("(×{times})") });
            calls.by_ref().take(length * (times - 1)).for_each(drop);
        }
        at += length * times;
    }
    words
}

fn flag_word(flag: &str, set: bool) -> Word {
    let (style, sign) = if set { (GREEN, '+') } else { (YELLOW, '-') };
    Word { style, text: format!("{sign}{flag}") }
}

/// The hook commands in the order of their first use, with how often each ran.
fn counts(run: &HookRun) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for command in &run.commands {
        match counts.iter_mut().find(|(name, _)| *name == command.name) {
            Some((_, count)) => *count += 1,
            None => counts.push((command.name.clone(), 1)),
        }
    }
    counts
}

fn counted(name: &str, count: usize) -> String {
    if count == 1 { name.to_owned() } else { format!("{name}×{count}") }
}

fn wrap(words: Vec<Word>, width: usize) -> Vec<Vec<Word>> {
    let mut lines = vec![Vec::new()];
    let mut used = 0;
    for word in words {
        let room = word.text.chars().count();
        if used > 0 && used + 1 + room > width {
            lines.push(Vec::new());
            used = 0;
        }
        used += room + usize::from(used > 0);
        if let Some(line) = lines.last_mut() {
            line.push(word);
        }
    }
    lines
}

fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

fn hook_json(run: &HookRun, attempt: u32) -> serde_json::Value {
    let handlers: Vec<&HandlerReport> = handlers(run).collect();
    let outcome = match run.outcome {
        Outcome::Done => "done",
        Outcome::NoFile => "no file",
        Outcome::Refused(_) => "refused",
        Outcome::Killed => "killed",
        Outcome::TimedOut(_) => "timed out",
        _ => "failed",
    };
    let remote = run.environment.get("JUJU_REMOTE_UNIT").filter(|unit| !unit.is_empty());
    json!({
        "hook": run.hook.name(),
        "action": run.hook.is_action(),
        "remote": remote,
        "attempt": attempt,
        "outcome": outcome,
        "exit": run.exit,
        "problem": run.problem(),
        "handlers": run.report.as_ref().map(|_| handlers),
        "set": run.report.as_ref().map(|report| &report.set),
        "cleared": run.report.as_ref().map(|report| &report.cleared),
        "commands": counts(run).into_iter().collect::<BTreeMap<_, _>>(),
        "notes": run.notes,
        "ms": millis(run.time),
    })
}

fn emit(value: &serde_json::Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{value}")?;
    out.flush()
}
