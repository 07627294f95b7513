//! The live view: a table of all units and a line of progress, drawn again in place below the hooks that have ended.

use std::collections::BTreeMap;
use std::time::Instant;

use zkpeer_core::juju::UnitName;
use zkpeer_core::testing::{Happening, Model};

use crate::output::finished;
use crate::table::{size, status};
use crate::words::{BOLD, DIM, Paint, RED, Word, one_line};

/// What is shown, and how much of the terminal it takes.
#[derive(Debug)]
pub(crate) struct Live {
    paint: Paint,
    began: Instant,
    /// So many lines have been drawn and not erased.
    drawn: usize,
    units: BTreeMap<(String, u64), Row>,
    hooks: usize,
    /// The number of the step, how many there are, and its text.
    step: (usize, usize, String),
}

#[derive(Debug)]
struct Row {
    name: UnitName,
    leader: bool,
    /// The hook that runs, or the last one.
    hook: String,
    running: bool,
    failed: bool,
    status: String,
    message: String,
    flags: usize,
}

impl Live {
    pub(crate) fn new(paint: Paint) -> Self {
        let (units, step) = (BTreeMap::new(), (0, 0, String::new()));
        Self { paint, began: Instant::now(), drawn: 0, units, hooks: 0, step }
    }

    pub(crate) fn steps(&mut self, count: usize) {
        self.step.1 = count;
    }

    /// Takes over what has changed.
    pub(crate) fn note(&mut self, happening: &Happening<'_>, model: &Model) {
        match happening {
            Happening::Step(number, step) => {
                self.step.0 = number + 1;
                self.step.2 = step.to_string();
            }
            Happening::Begins(unit, hook) => {
                let row = self.row(unit);
                row.hook = hook.to_string();
                row.running = true;
            }
            _ => {}
        }
        if let Some(run) = finished(happening) {
            self.hooks += 1;
            let flags = model.flags(run.unit.as_str()).len();
            let row = self.row(&run.unit);
            row.running = false;
            row.flags = flags;
        }
        let units = model.units();
        self.units.retain(|_, row| units.contains(&row.name));
        for unit in units {
            let (leader, failed) =
                (model.leader(unit.application()) == Some(&unit), model.failed(unit.as_str()).is_some());
            let status = model.status(unit.as_str());
            let row = self.row(&unit);
            row.leader = leader;
            row.failed = failed;
            row.status = status.status;
            row.message = one_line(&status.message);
        }
    }

    fn row(&mut self, unit: &UnitName) -> &mut Row {
        self.units.entry((unit.application().to_owned(), unit.number())).or_insert_with(|| Row {
            name: unit.clone(),
            leader: false,
            hook: String::new(),
            running: false,
            failed: false,
            status: String::new(),
            message: String::new(),
            flags: 0,
        })
    }

    /// Takes the view away.
    pub(crate) fn erase(&mut self) -> String {
        match std::mem::take(&mut self.drawn) {
            0 => String::new(),
            lines => format!("\r\x1b[{lines}A\x1b[J"),
        }
    }

    pub(crate) fn draw(&mut self) -> String {
        let (width, height) = size();
        let lines = self.lines(width.saturating_sub(1), height.saturating_sub(2));
        self.drawn = lines.len();
        lines.iter().map(|line| format!("{line}\n")).collect()
    }

    fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let head = ["unit", "", "hook", "flags", "status"].map(|name| Word::styled(DIM, name));
        let mut rows = vec![Vec::from(head)];
        let room = height.saturating_sub(4).max(1);
        // Who does something is shown first where not all can be shown.
        let mut shown: Vec<&Row> = self.units.values().collect();
        if shown.len() > room {
            shown.sort_by_key(|row| !(row.running || row.failed));
            shown.truncate(room);
        }
        rows.extend(shown.iter().map(|row| row.words()));
        let mut lines = vec![String::new()];
        lines.extend(self.paint.rows(&rows, Some(width)));
        let more = self.units.len() - shown.len();
        if more > 0 {
            lines.push(self.paint.text(DIM, &format!("and {more} more units")));
        }
        let (number, of, step) = &self.step;
        let progress =
            format!("{} hooks, {:.1} s, step {number} of {of}: {step}", self.hooks, self.began.elapsed().as_secs_f64());
        lines.push(self.paint.rows(&[vec![Word::styled(BOLD, one_line(&progress))]], Some(width)).concat());
        lines
    }
}

impl Row {
    fn words(&self) -> Vec<Word> {
        let style = match (self.running, self.failed) {
            (true, _) => BOLD,
            (false, true) => RED,
            (false, false) => DIM,
        };
        let mut status = status(&self.status);
        if !self.message.is_empty() {
            status.text = format!("{}: {}", status.text, self.message);
        }
        vec![
            Word::plain(self.name.to_string()),
            Word::plain(if self.leader { "*" } else { "" }.to_owned()),
            Word::styled(style, self.hook.clone()),
            Word::plain(self.flags.to_string()),
            status,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn live(units: u64) -> Live {
        let mut live = Live::new(Paint(false));
        for number in 0..units {
            let name: UnitName = format!("zk/{number}").parse().unwrap();
            let row = live.row(&name);
            row.hook = "install".to_owned();
            row.status = "waiting".to_owned();
        }
        live.step = (2, 5, "settle".to_owned());
        live
    }

    #[test]
    fn units_stand_in_the_order_of_their_numbers_within_the_width() {
        let lines = live(11).lines(30, 40);
        assert!(lines[1].starts_with("unit"));
        assert!(lines[3].starts_with("zk/1 ") && lines[12].starts_with("zk/10 "), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 30), "{lines:?}");
    }

    #[test]
    fn what_does_not_fit_on_the_terminal_is_counted_and_who_runs_is_shown() {
        let mut live = live(30);
        live.row(&"zk/29".parse().unwrap()).running = true;
        let lines = live.lines(80, 10);
        assert_eq!(lines.len(), 10);
        assert!(lines[2].starts_with("zk/29") && lines[8] == "and 24 more units", "{lines:?}");
        assert!(lines[9].contains("step 2 of 5: settle"));
    }

    #[test]
    fn what_was_drawn_is_erased_once() {
        let mut live = live(1);
        assert_eq!(live.erase(), "");
        let drawn = live.draw().lines().count();
        assert_eq!(live.erase(), format!("\r\x1b[{drawn}A\x1b[J"));
        assert_eq!(live.erase(), "");
    }
}
