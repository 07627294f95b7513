//! The story of one hook, as a person reads it: the unit before, what ran and what did not, the unit after.

use std::fmt::Write;

use super::run::{UnitRun, short};
use super::{Unit, reasons};
use crate::juju::Bag;
use crate::predicate::Phase;
use crate::record::Noted;
use crate::report::{CallOutcome, ChangedBy, HookOutcome};
use crate::testing::apart::{one_line, parted, parted_or_nothing, short as short_value};
use crate::testing::process::CommandRun;
use crate::trigger::Edge;

/// An indented text, line by line.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, depth: usize, line: impl AsRef<str>) {
        // To write into a text cannot fail.
        let _ = writeln!(self.0, "{:1$}{2}", "", depth * 2, line.as_ref());
    }

    /// A word, and beside it what there is to say of it.
    fn field(&mut self, depth: usize, name: &str, value: impl AsRef<str>) {
        self.line(depth, format!("{name:<10} {}", value.as_ref()).trim_end());
    }
}

/// All of it.
pub(super) fn story(run: &UnitRun) -> String {
    let mut text = Text::default();
    text.line(0, format!("{} before the hook", run.before.name));
    before(&run.before, &mut text);
    text.line(0, run.hook.to_string());
    rounds(run, &mut text);
    idle(run, &mut text);
    commands(run.commands(), &mut text);
    ending(run, &mut text);
    text.line(0, format!("{} after the hook", run.before.name));
    after(run, &mut text);
    text.0
}

fn listed(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn bag_of<'b>(entries: impl IntoIterator<Item = (&'b String, &'b String)>) -> String {
    let pairs: Vec<String> =
        entries.into_iter().map(|(key, value)| format!("{key}={:?}", short_value(value))).collect();
    if pairs.is_empty() { "nothing".to_owned() } else { pairs.join(" ") }
}

fn before(unit: &Unit, text: &mut Text) {
    text.field(1, "flags", listed(&unit.flags()));
    let controller = &unit.controller;
    if controller.is_leader(&unit.name) {
        text.field(1, "leader", "yes");
    }
    let application = controller.applications.get(unit.name.application());
    let options: Vec<String> = application
        .iter()
        .flat_map(|application| application.values())
        .map(|(name, value)| format!("{name}={}", short_value(&value.to_json().to_string())))
        .collect();
    if !options.is_empty() {
        text.field(1, "config", options.join(" "));
    }
    let settings = application.map(|application| &application.leader_settings.entries).filter(|all| !all.is_empty());
    if let Some(settings) = settings {
        text.field(1, "settings", bag_of(settings));
    }
    for (number, state) in unit.agent.relations.iter().filter(|(_, state)| !state.broken) {
        let Some(relation) = controller.relations.get(number) else { continue };
        text.line(1, format!("{} with `{}`", state.id, relation.remote_app(unit.name.application())));
        let application = unit.application_bag(*number);
        for (who, bag) in [("published", unit.own_bag(*number)), ("for all", application)] {
            if !bag.is_empty() {
                text.field(2, who, bag_of(&bag));
            }
        }
        for member in state.members.keys() {
            let bag = relation.units.get(member).map(|bag| bag.entries.clone()).unwrap_or_default();
            text.field(2, member.as_str(), bag_of(&bag));
        }
    }
}

fn rounds(run: &UnitRun, text: &mut Text) {
    // Before the first round the library and callbacks change flags, and after the last one callbacks do.
    let title = Some("before the handlers".to_owned());
    let mut rounds = Rounds { run, text, title, running: None };
    run.record.iter().for_each(|noted| rounds.tell(noted));
}

/// What happened round by round. A round in which nothing happened is left out.
struct Rounds<'r> {
    run: &'r UnitRun,
    text: &'r mut Text,
    /// What begins, while nothing has happened in it.
    title: Option<String>,
    running: Option<&'r str>,
}

impl<'r> Rounds<'r> {
    fn tell(&mut self, noted: &'r Noted) {
        match noted {
            Noted::Round { phase: Phase::Other, round, .. } => self.title = Some(format!("round {round}")),
            Noted::Round { phase, .. } => self.title = Some(format!("phase {phase}")),
            Noted::Settled(_) => self.title = Some("after the handlers".to_owned()),
            Noted::Began(id) => {
                self.running = Some(id);
                self.line(2, format!("{} ({})", short(id), place(self.run, id)));
            }
            Noted::Changed { flag, edge, by } => {
                let sign = if *edge == Edge::Set { '+' } else { '-' };
                let depth = if self.running.is_some() { 3 } else { 2 };
                self.line(depth, format!("{sign} {flag}{}", whose(by, self.running)));
            }
            Noted::Dequeued(idle) => {
                let name = self.run.handlers().get(idle.handler).map_or("", |handler| short(&handler.id));
                self.line(2, format!("{name} is no longer queued: {}", idle.why));
            }
            Noted::Ended { outcome, reason, .. } => {
                self.running = None;
                if let Some(how) = how(*outcome) {
                    let reason = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
                    self.line(3, format!("{how}{reason}"));
                }
            }
        }
    }

    fn line(&mut self, depth: usize, line: String) {
        if let Some(title) = self.title.take() {
            self.text.line(1, title);
        }
        self.text.line(depth, line);
    }
}

/// Who changed a flag, if it is not the handler that runs.
fn whose(by: &ChangedBy, running: Option<&str>) -> String {
    match by {
        ChangedBy::Handler(id) if Some(id.as_str()) == running => String::new(),
        ChangedBy::Handler(id) => format!(" (by {id})"),
        ChangedBy::Trigger { flag, edge } => format!(" (by a trigger: {flag} {edge})"),
        ChangedBy::Automatic => " (automatically)".to_owned(),
    }
}

fn how(outcome: CallOutcome) -> Option<&'static str> {
    match outcome {
        CallOutcome::Done => None,
        CallOutcome::EndedHook => Some("ended the hook"),
        CallOutcome::Skipped => Some("was not called"),
        CallOutcome::Failed => Some("failed"),
    }
}

fn place(run: &UnitRun, id: &str) -> String {
    run.handlers().iter().find(|handler| handler.id == id).map(|handler| handler.place()).unwrap_or_default()
}

/// The handlers that never ran, and why.
fn idle(run: &UnitRun, text: &mut Text) {
    let ran = |id: &str| {
        let mut calls = run.report.rounds.iter().flat_map(|round| &round.handlers);
        calls.any(|call| call.name == id && call.outcome != CallOutcome::Skipped)
    };
    let all = run.handlers().iter().enumerate().filter(|(_, handler)| !ran(&handler.id) && !run.is_for_others(handler));
    let lines = all
        .map(|(index, handler)| format!("{} ({}): {}", short(&handler.id), handler.place(), reasons::of(run, index)));
    for (number, line) in lines.enumerate() {
        if number == 0 {
            text.line(1, "did not run");
        }
        text.line(2, line);
    }
}

fn commands(commands: &[CommandRun], text: &mut Text) {
    if commands.is_empty() {
        return;
    }
    text.line(1, "hook commands");
    for command in commands {
        let answer = if command.code == 0 { &command.stdout } else { &command.stderr };
        let answer = answer.trim();
        let answer = short_value(&answer.replace('\n', " "));
        let command_line = short_value(&command.to_string());
        text.line(
            2,
            match (command.code, answer.is_empty()) {
                (0, true) => command_line,
                (0, false) => format!("{command_line} -> {answer}"),
                (code, _) => format!("{command_line} -> exit {code}: {answer}"),
            },
        );
    }
}

fn ending(run: &UnitRun, text: &mut Text) {
    let told = |failure: &String| {
        let mut noted = run.record.iter();
        noted.any(|noted| matches!(noted, Noted::Ended { reason: Some(reason), .. } if reason == failure))
    };
    match (&run.failure, run.report.outcome) {
        (Some(failure), _) if told(failure) => text.line(1, "nothing is kept"),
        (Some(failure), _) => text.line(1, format!("failed, and nothing is kept: {failure}")),
        (None, HookOutcome::NotSettled) => text.line(1, "ended, although the flags had not settled"),
        (None, HookOutcome::EndedEarly) => text.line(1, "was ended early"),
        (None, _) => {}
    }
}

fn after(run: &UnitRun, text: &mut Text) {
    let unit = &run.after;
    text.field(1, "flags", listed(&unit.flags()));
    let status = unit.status();
    text.field(1, "status", format!("{}: {}", status.status, status.message));
    let (fakes, before) = (unit.fake_texts(), run.before.fake_texts());
    for (now, before) in fakes.iter().zip(&before).filter(|(now, before)| now != before) {
        let (before, now) = parted(&one_line(before), &one_line(now));
        text.line(1, format!("outside Juju {before} -> {now}"));
    }
    for (relation, is_application, before, after) in run.published() {
        let whose = if is_application { format!("{relation}, for all") } else { relation };
        text.line(1, format!("published on {whose}"));
        difference(&before, &after, text);
    }
}

fn difference(before: &Bag, after: &Bag, text: &mut Text) {
    let keys: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let value = |bag: &Bag, key: &str| bag.get(key).cloned();
    for key in keys.into_iter().filter(|key| before.get(*key) != after.get(*key)) {
        let (before, after) = parted_or_nothing(value(before, key).as_deref(), value(after, key).as_deref());
        text.line(2, format!("{key}: {before} -> {after}"));
    }
}
