//! Text for people: a line for each hook as it ends, on a terminal the live view below them, and tables at the end.

use std::fmt::Write as _;
use std::io;

use zkpeer_core::testing::story::Step;
use zkpeer_core::testing::{ActionReport, Happening, HookRun, LogLine, Model, Story};

use crate::live::Live;
use crate::output::Ending;
use crate::standing::Unit;
use crate::words::{
    BOLD, DIM, GREEN, Paint, RED, Word, counted, counts, handler_words, millis, one_line, outcome_word, wrap,
};

/// Makes the text; who calls prints it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Whether everything that the charm logs and prints is shown, not only its warnings and errors.
    verbose: bool,
    paint: Paint,
    /// The width to wrap at; none when the output is no terminal: then every hook has exactly one line.
    width: Option<usize>,
    unit: usize,
    live: Option<Live>,
}

const HOOK: usize = 38;
const COMMANDS: usize = 28;
const TIME: usize = 9;

impl Table {
    pub(crate) fn new(verbose: bool, terminal: bool, live: bool) -> Self {
        let set = |name: &str| std::env::var(name).unwrap_or_default();
        let able = terminal && set("TERM") != "dumb";
        let paint = Paint(able && set("NO_COLOR").is_empty());
        let width = terminal.then(|| size().0.max(100));
        Self { verbose, paint, width, unit: 0, live: (able && live).then(|| Live::new(paint)) }
    }

    fn middle(&self) -> usize {
        self.width.unwrap_or(130).saturating_sub(self.unit + HOOK + TIME + COMMANDS + 8)
    }

    /// The heading.
    pub(crate) fn begin(&mut self, story: &Story) -> String {
        let longest = story.applications.iter().map(|it| it.application.len() + 3).max();
        self.unit = longest.unwrap_or_default().max(8);
        let applications: Vec<String> =
            story.applications.iter().map(|it| format!("{} of {}", it.application, it.charm.display())).collect();
        let seed = story.seed.map(|seed| format!(", seed {seed}")).unwrap_or_default();
        let what = if applications.is_empty() { story.path.display().to_string() } else { applications.join(", ") };
        let (unit, middle) = (self.unit, self.middle());
        let head = format!(
            "{:<unit$}  {:<HOOK$} {:>TIME$}  {:<middle$}  hook commands",
            "unit", "hook", "time", "handlers and flags"
        );
        let mut text =
            format!("{} on Juju {}{seed}\n{}\n", self.paint.text(BOLD, &what), story.juju, self.paint.text(DIM, &head));
        if let Some(live) = &mut self.live {
            live.steps(story.steps.len());
            text.push_str(&live.draw());
        }
        text
    }

    /// What there is to say of a happening, above the live view if there is one.
    pub(crate) fn happening(&mut self, happening: &Happening<'_>, model: &Model) -> String {
        let said = match happening {
            Happening::Step(_, step) => self.step(step),
            Happening::Hook(run, attempt) => self.hook(run, *attempt),
            Happening::Action(report) => self.hook(&report.run, 0) + &self.action(report),
            Happening::Leader(unit) => {
                format!("{:<width$}  {}\n", unit.as_str(), self.paint.text(DIM, "becomes leader"), width = self.unit)
            }
            _ => String::new(),
        };
        match &mut self.live {
            Some(live) => {
                live.note(happening, model);
                live.erase() + &said + &live.draw()
            }
            None => said,
        }
    }

    pub(crate) fn finish(&mut self) -> String {
        self.live.take().map(|mut live| live.erase()).unwrap_or_default()
    }

    /// What a step does is seen by what runs then; only the others are worth a line.
    fn step(&self, step: &Step) -> String {
        match step.name() {
            "settle" | "run" => String::new(),
            _ => format!("{}\n", self.paint.text(DIM, &format!("- {step}"))),
        }
    }

    fn hook(&self, run: &HookRun, attempt: u32) -> String {
        let again = if attempt > 0 { format!(", retry {attempt}") } else { String::new() };
        let hook = format!("{run}{again}");
        let commands: Vec<Word> = counts(run).iter().map(|(name, count)| Word::plain(counted(name, *count))).collect();
        let mut words = handler_words(run);
        words.extend(outcome_word(run));
        if words.is_empty() {
            words.push(Word::styled(DIM, "-"));
        }
        let (width, middle) = (self.unit, self.middle());
        let (left, right) = match self.width {
            Some(_) => (wrap(words, middle), wrap(commands, COMMANDS)),
            None => (vec![words], vec![commands]),
        };
        let time = format!("{:.1} ms", run.time.as_secs_f64() * 1000.0);
        let (mut text, none) = (String::new(), Vec::new());
        for line in 0..left.len().max(right.len()) {
            let (unit, hook, time) =
                if line == 0 { (run.unit.as_str(), hook.as_str(), time.as_str()) } else { ("", "", "") };
            let line = format!(
                "{unit:<width$}  {hook:<HOOK$} {time:>TIME$}  {}  {}",
                self.paint.cell(left.get(line).unwrap_or(&none), middle),
                self.paint.cell(right.get(line).unwrap_or(&none), 0),
            );
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text + &self.said(run)
    }

    /// What the charm logged and printed, as far as it is shown.
    fn said(&self, run: &HookRun) -> String {
        let shown = |line: &&LogLine| self.verbose || matches!(line.level.as_str(), "WARNING" | "ERROR" | "CRITICAL");
        // What the last line says anyway is not said twice.
        let error = run.report.as_ref().and_then(|report| report.error.as_deref()).unwrap_or_default();
        let log = run.log.iter().filter(shown).filter(|line| line.message != error);
        let mut lines: Vec<String> = log.map(|line| format!("{}: {}", line.level, line.message)).collect();
        if self.verbose {
            lines.extend(run.stdout.lines().chain(run.stderr.lines()).map(|line| format!("printed: {line}")));
        }
        lines.extend(run.notes.iter().map(|note| format!("note: {note}")));
        // A text of several lines, or with codes for a terminal, must not spoil what is drawn below it.
        let lines = lines.iter().flat_map(|text| text.lines());
        lines.map(|line| format!("  {}\n", self.paint.text(DIM, &one_line(line)))).collect()
    }

    /// An action's result, under its line.
    fn action(&self, report: &ActionReport) -> String {
        let shown = |key: &str| !matches!(key, "stdout" | "stderr" | "return-code");
        let mut lines: Vec<String> = report.log.iter().map(|line| one_line(line)).collect();
        let results = report.results.iter().filter(|(key, _)| shown(key));
        lines.extend(results.map(|(key, value)| format!("{key}: {}", value.to_json())));
        if !report.completed {
            lines.push(self.paint.text(RED, &format!("action failed: {}", one_line(&report.message))));
        }
        lines.iter().map(|line| format!("  {line}\n")).collect()
    }

    /// Where it ended.
    pub(crate) fn end(&self, end: &Ending) -> String {
        let mut text = String::from("\n");
        let hooks = if end.hooks == 1 { "1 hook".to_owned() } else { format!("{} hooks", end.hooks) };
        let _ = writeln!(text, "{hooks} in {} ms", millis(end.time));
        if end.removed {
            let _ = writeln!(text, "{}", self.paint.text(DIM, "as it was before the application was removed:"));
        }
        text.push('\n');
        let standing = &end.standing;
        let sections = [self.units(&standing.units), self.applications(end), self.relations(end)];
        let sections: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
        text.push_str(&sections.join("\n"));
        if let Some(kept) = &end.kept {
            let _ = writeln!(text, "\ncharms kept in  {kept}");
        }
        text
    }

    fn units(&self, units: &[Unit]) -> String {
        let with_flags = units.iter().any(|unit| !unit.flags.is_empty());
        let mut rows = vec![self.head(&["unit", "leader", "status", "message"])];
        if units.is_empty() {
            return "no units\n".to_owned();
        }
        for unit in units {
            let leader = if unit.leader { "leader" } else { "" };
            let message = one_line(&unit.message);
            rows.push(vec![
                Word::plain(unit.unit.clone()),
                Word::plain(leader.to_owned()),
                status(&unit.status),
                Word::plain(message),
            ]);
        }
        if with_flags {
            rows[0].push(Word::styled(DIM, "flags"));
            for (row, unit) in rows[1..].iter_mut().zip(units) {
                let flags = if unit.flags.is_empty() { "none".to_owned() } else { unit.flags.join(" ") };
                row.push(Word::plain(flags));
            }
        }
        self.lines(&rows)
    }

    fn applications(&self, end: &Ending) -> String {
        let mut rows = vec![self.head(&["application", "status", "message", "version", "leader settings"])];
        for it in &end.standing.applications {
            rows.push(vec![
                Word::plain(it.application.clone()),
                status(&it.status),
                Word::plain(one_line(&it.message)),
                Word::plain(one_line(&it.version)),
                Word::plain(entries(it.leader_settings.iter())),
            ]);
        }
        if rows.len() == 1 { String::new() } else { self.lines(&rows) }
    }

    fn relations(&self, end: &Ending) -> String {
        let mut rows = vec![self.head(&["relation", "whose", "data"])];
        for it in &end.standing.relations {
            for (at, (whose, bag)) in it.bags.iter().enumerate() {
                let name = if at == 0 { format!("{} ({})", it.relation, it.number) } else { String::new() };
                rows.push([name, whose.clone(), entries(bag.iter())].map(Word::plain).into());
            }
        }
        if rows.len() == 1 { String::new() } else { self.lines(&rows) }
    }

    fn head(&self, names: &[&str]) -> Vec<Word> {
        names.iter().map(|name| Word::styled(DIM, *name)).collect()
    }

    fn lines(&self, rows: &[Vec<Word>]) -> String {
        self.paint.rows(rows, None).iter().map(|line| format!("{line}\n")).collect()
    }
}

/// A status in its colour.
pub(crate) fn status(status: &str) -> Word {
    let style = match status {
        "active" => GREEN,
        "error" | "blocked" => RED,
        _ => "",
    };
    Word::styled(style, status)
}

fn entries<'a>(entries: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let entries: Vec<String> = entries.map(|(key, value)| format!("{key}={}", value.escape_debug())).collect();
    if entries.is_empty() { "nothing".to_owned() } else { entries.join(" ") }
}

/// The terminal's columns and lines.
pub(crate) fn size() -> (usize, usize) {
    let known = rustix::termios::tcgetwinsize(io::stdout()).ok().filter(|size| size.ws_col > 0 && size.ws_row > 0);
    match known {
        Some(size) => (size.ws_col.into(), size.ws_row.into()),
        None => (std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120), 40),
    }
}
