//! What there is to say of a hook, word by word, and how words are painted.

use std::time::Duration;

use zkpeer_core::testing::{HookRun, Outcome};
use zkpeer_core::{CallOutcome, Edge, HandlerReport};

pub(crate) const BOLD: &str = "1";
pub(crate) const DIM: &str = "2";
pub(crate) const RED: &str = "31";
pub(crate) const GREEN: &str = "32";
pub(crate) const YELLOW: &str = "33";

/// A word, and how it looks on a terminal.
#[derive(Debug)]
pub(crate) struct Word {
    pub(crate) style: &'static str,
    pub(crate) text: String,
}

impl Word {
    pub(crate) fn styled(style: &'static str, text: impl Into<String>) -> Self {
        Self { style, text: text.into() }
    }

    fn room(&self) -> usize {
        self.text.chars().count()
    }

    pub(crate) fn plain(text: String) -> Self {
        Self { style: "", text }
    }
}

/// The calls of handlers, in order, without those that were skipped.
pub(crate) fn handlers(run: &HookRun) -> impl Iterator<Item = &HandlerReport> {
    let all = run.report.iter().flat_map(|report| &report.rounds).flat_map(|round| &round.handlers);
    all.filter(|handler| handler.outcome != CallOutcome::Skipped)
}

/// The handlers in order, and the flags each has set (+) and cleared (-).
pub(crate) fn handler_words(run: &HookRun) -> Vec<Word> {
    let mut told: Vec<(&str, bool)> = Vec::new();
    let crate_name = format!("{}::", run.unit.application().replace('-', "_"));
    let mut calls = Vec::new();
    for handler in handlers(run) {
        let mut words = Vec::new();
        let known = [crate_name.as_str(), "zkpeer_core::interfaces::"];
        let name = known.iter().find_map(|known| handler.name.strip_prefix(known)).unwrap_or(&handler.name).to_owned();
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
pub(crate) fn counts(run: &HookRun) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for command in &run.commands {
        match counts.iter_mut().find(|(name, _)| *name == command.name) {
            Some((_, count)) => *count += 1,
            None => counts.push((command.name.clone(), 1)),
        }
    }
    counts
}

pub(crate) fn counted(name: &str, count: usize) -> String {
    if count == 1 { name.to_owned() } else { format!("{name}×{count}") }
}

pub(crate) fn wrap(words: Vec<Word>, width: usize) -> Vec<Vec<Word>> {
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

pub(crate) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

/// How a hook ended, for programs.
pub(crate) fn outcome(run: &HookRun) -> &'static str {
    match run.outcome {
        Outcome::Done => "done",
        Outcome::NoFile => "no file",
        Outcome::Refused(_) => "refused",
        Outcome::Killed => "killed",
        Outcome::TimedOut(_) => "timed out",
        _ => "failed",
    }
}

/// The same for people; nothing where nothing is to be said.
pub(crate) fn outcome_word(run: &HookRun) -> Option<Word> {
    let (style, text) = match run.outcome {
        Outcome::Done => return None,
        Outcome::NoFile => (DIM, "no file for it"),
        Outcome::Killed => (RED, "KILLED"),
        Outcome::Refused(_) => (RED, "REFUSED"),
        Outcome::TimedOut(_) => (RED, "TIMED OUT"),
        _ => (RED, "FAILED"),
    };
    Some(Word { style, text: text.to_owned() })
}

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint(pub(crate) bool);

impl Paint {
    pub(crate) fn text(self, style: &str, text: &str) -> String {
        if self.0 && !style.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Words in a column; colours take no room.
    pub(crate) fn cell(self, words: &[Word], width: usize) -> String {
        let room: usize = words.iter().map(|word| word.text.chars().count() + 1).sum::<usize>().saturating_sub(1);
        let painted: Vec<String> = words.iter().map(|word| self.text(word.style, &word.text)).collect();
        painted.join(" ") + &" ".repeat(width.saturating_sub(room))
    }

    /// Rows with all columns as wide as they need; the last one is not filled up. No line is longer than `width`, if there is one.
    pub(crate) fn rows(self, rows: &[Vec<Word>], width: Option<usize>) -> Vec<String> {
        let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
        let widest = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(Word::room).max();
        let widths: Vec<usize> = (0..columns).map(|column| widest(column).unwrap_or_default()).collect();
        rows.iter().map(|row| self.row(row, &widths, width.unwrap_or(usize::MAX))).collect()
    }

    fn row(self, row: &[Word], widths: &[usize], width: usize) -> String {
        let (mut line, mut used) = (String::new(), 0);
        for (column, word) in row.iter().enumerate() {
            let between = if column == 0 { 0 } else { GAP + widths[column - 1] - row[column - 1].room() };
            let left = width.saturating_sub(used + between);
            if left == 0 {
                break;
            }
            let shown: String = if word.room() > left {
                word.text.chars().take(left - 1).chain(['…']).collect()
            } else {
                word.text.clone()
            };
            used += between + shown.chars().count();
            line.push_str(&" ".repeat(between));
            line.push_str(&self.text(word.style, &shown));
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Between two columns.
const GAP: usize = 2;

/// One line of a text that may have several, or codes for a terminal.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_aligned_and_cut() {
        let row = |words: [&str; 3]| words.map(|word| Word::plain(word.to_owned())).into();
        let rows: Vec<Vec<Word>> = vec![row(["unit", "x", "status"]), row(["hello/0", "", "waiting for all"])];
        assert_eq!(Paint(false).rows(&rows, None), ["unit     x  status", "hello/0     waiting for all"]);
        assert_eq!(Paint(false).rows(&rows, Some(16)), ["unit     x  sta…", "hello/0     wai…"]);
        assert_eq!(one_line("a\nb\x1b[2J"), "a b [2J");
    }
}
