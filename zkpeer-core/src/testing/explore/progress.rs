//! How far a long exploration is, for whoever watches it on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// One line on a terminal's standard error, written again and again once it takes longer.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    next: Duration,
    every: Duration,
    shown: bool,
    terminal: bool,
}

/// From when on it is shown, and how often it is written anew.
const FIRST: Duration = Duration::from_secs(2);
const EVERY: Duration = Duration::from_millis(250);

impl Progress {
    pub(super) fn new() -> Self {
        Self { begun: Instant::now(), next: FIRST, every: EVERY, shown: false, terminal: io::stderr().is_terminal() }
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Shows where it is, if it is time.
    pub(super) fn show(&mut self, done: usize, of: usize, what: &str, rest: impl FnOnce() -> String) {
        let elapsed = self.begun.elapsed();
        if !self.terminal || elapsed < self.next {
            return;
        }
        self.next = elapsed + self.every;
        self.shown = true;
        let line = line(done, of, what, elapsed, &rest());
        // If it cannot be shown, nothing is lost.
        let _ = write!(io::stderr(), "\r\x1b[K{line}");
    }
}

fn line(done: usize, of: usize, what: &str, elapsed: Duration, rest: &str) -> String {
    let filled = done.saturating_mul(20).checked_div(of).unwrap_or_default().min(20);
    let rate = done as f64 / elapsed.as_secs_f64().max(0.001);
    format!("[{}{}] {done} {what}, {rate:.0}/s{rest}", "#".repeat(filled), ".".repeat(20 - filled))
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_bar_a_count_and_a_rate() {
        let text = line(250, 1000, "states", Duration::from_secs(2), ", depth 7");
        assert_eq!(text, "[#####...............] 250 states, 125/s, depth 7");
    }
}
