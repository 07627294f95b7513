//! What a hook tells of itself: nothing unless it is asked to; and what authors tell with `tracing`.

use std::fmt;
use std::sync::{Arc, Mutex};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};
use zkpeer_core::testing::Unit;
use zkpeer_core::{Charm, Flags, Result, Triggers, handlers, hook, only_once, when, when_not};

#[hook("install")]
fn begins(flags: Flags) {
    flags.set("begun");
}

#[when("begun")]
fn goes_on(flags: Flags) {
    flags.clear("begun");
    flags.set("going");
}

#[when("begun")]
fn comes_too_late() {}

#[when("leadership.is_leader")]
fn leads() {}

fn triggers(triggers: &Triggers) {
    triggers.when("going").set("gone").call(|_| Ok(()));
}

/// The lines that the last hook has written to Juju's log.
fn log(unit: &Unit) -> Vec<String> {
    unit.commands().iter().filter_map(|command| command.strip_prefix("juju-log ").map(str::to_owned)).collect()
}

#[test]
fn a_hook_is_quiet_unless_it_is_asked() {
    let mut unit =
        Unit::of(Charm::new().handlers(handlers![begins, goes_on, comes_too_late, leads]).triggers(triggers));
    unit.run("install");
    assert_eq!(log(&unit), [""; 0]);
}

#[test]
fn each_event_is_a_line_when_it_is_asked_for() {
    let charm = Charm::new().handlers(handlers![begins, goes_on, comes_too_late, leads]).triggers(triggers);
    let mut unit = Unit::of(charm.trace(true));
    unit.set_leader(true);
    unit.store("reactive.states.before", &());
    unit.run("install");
    let lines: Vec<String> = log(&unit).iter().map(|line| without_line_numbers(line)).collect();
    assert_eq!(
        lines,
        [
            "DEBUG zkpeer: install begins; set: before",
            "DEBUG zkpeer: set leadership.is_leader (automatically)",
            "DEBUG zkpeer: phase hooks",
            "DEBUG zkpeer: ++ queued rules::trace::begins",
            "DEBUG zkpeer: rules::trace::begins runs (zkpeer-core/tests/rules/trace.rs:N)",
            "DEBUG zkpeer: set begun (by rules::trace::begins)",
            "DEBUG zkpeer: rules::trace::begins is done",
            "DEBUG zkpeer: phase other, round 0",
            "DEBUG zkpeer: ++ queued rules::trace::goes_on",
            "DEBUG zkpeer: ++ queued rules::trace::comes_too_late",
            "DEBUG zkpeer: ++ queued rules::trace::leads",
            "DEBUG zkpeer: rules::trace::goes_on runs (zkpeer-core/tests/rules/trace.rs:N)",
            "DEBUG zkpeer: cleared begun (by rules::trace::goes_on)",
            "DEBUG zkpeer: set going (by rules::trace::goes_on)",
            "DEBUG zkpeer: set gone (by a trigger: going set)",
            "DEBUG zkpeer: a function is called by a trigger: going set",
            "DEBUG zkpeer: rules::trace::goes_on is done",
            "DEBUG zkpeer: -- dequeued rules::trace::comes_too_late",
            "DEBUG zkpeer: rules::trace::leads runs (zkpeer-core/tests/rules/trace.rs:N)",
            "DEBUG zkpeer: rules::trace::leads is done",
            "DEBUG zkpeer: install ends: the flags have settled",
        ]
    );
}

fn without_line_numbers(line: &str) -> String {
    match line.split_once(".rs:") {
        Some((before, after)) => format!("{before}.rs:N{}", after.trim_start_matches(|c: char| c.is_ascii_digit())),
        None => line.to_owned(),
    }
}

#[test]
fn who_changed_a_flag_and_why_a_handler_did_not_run_is_recorded() {
    let unit = Unit::new(handlers![begins, goes_on, leads]);
    let run = unit.on("install");
    assert!(run.why_not("leads").unwrap().contains("`leadership.is_leader` is not set"));
    let changes: Vec<String> =
        run.changes().iter().map(|change| format!("{} {} {:?}", change.edge, change.flag, change.by)).collect();
    let by = |handler: &str| format!("Handler(\"rules::trace::{handler}\")");
    let expected = [("begun", "set", "begins"), ("begun", "cleared", "goes_on"), ("going", "set", "goes_on")];
    assert_eq!(changes, expected.map(|(flag, edge, handler)| format!("{edge} {flag} {}", by(handler))));
}

#[when_not("never")]
fn fails() -> Result {
    Err("as told".into())
}

#[test]
fn a_failure_is_told_with_its_reason() {
    let mut unit = Unit::of(Charm::new().handlers(handlers![fails]).trace(true));
    unit.try_run("install");
    let log = log(&unit);
    let [.., failed, ended] = log.as_slice() else { panic!("{log:?}") };
    assert!(
        failed.starts_with("DEBUG zkpeer: rules::trace::fails has failed: ") && failed.ends_with("as told"),
        "{failed}"
    );
    assert_eq!(ended, "DEBUG zkpeer: install fails, and nothing is kept");
}

#[only_once]
fn tells() {
    let _span = tracing::info_span!("telling").entered();
    tracing::trace!("very fine");
    tracing::debug!(port = 2181, "fine");
    tracing::info!(name = "zk", path = ?["a"], "worth {}", "knowing");
    tracing::warn!(target: "disk", "full");
    tracing::error!(code = 1);
}

/// What `tells` tells.
const TOLD: [&str; 5] = [
    "TRACE rules::trace: very fine",
    "DEBUG rules::trace: fine port=2181",
    "INFO rules::trace: worth knowing name=zk path=[\"a\"]",
    "WARNING disk: full",
    "ERROR rules::trace: code=1",
];

#[test]
fn what_authors_tell_with_tracing_is_in_jujus_log_by_level() {
    let mut unit = Unit::new(handlers![tells]);
    unit.run("install");
    assert_eq!(log(&unit), TOLD);
    tells();
    assert_eq!(log(&unit), TOLD, "outside of a hook it goes elsewhere");
}

/// A subscriber of an author's, who wants to know nothing finer than INFO.
#[derive(Clone, Default)]
struct Own(Arc<Mutex<Vec<String>>>);

impl Own {
    fn note(&self, what: impl fmt::Display) {
        if let Ok(mut seen) = self.0.lock() {
            seen.push(what.to_string());
        }
    }

    fn seen(&self) -> Vec<String> {
        self.0.lock().map(|seen| seen.clone()).unwrap_or_default()
    }
}

impl Subscriber for Own {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= tracing::Level::INFO
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.note(format_args!("span {}", span.metadata().name()));
        Id::from_u64(7)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.note(format_args!("{} {}", event.metadata().level(), event.metadata().target()));
    }

    fn enter(&self, span: &Id) {
        self.note(format_args!("enter {}", span.into_u64()));
    }

    fn exit(&self, span: &Id) {
        self.note(format_args!("exit {}", span.into_u64()));
    }
}

#[test]
fn a_subscriber_of_the_authors_gets_everything_too_and_is_there_afterwards() {
    let own = Own::default();
    tracing::subscriber::with_default(own.clone(), || {
        let mut unit = Unit::of(Charm::new().handlers(handlers![tells]).trace(true));
        unit.run("install");
        assert!(TOLD.iter().all(|line| log(&unit).contains(&(*line).to_owned())), "{:?}", log(&unit));
        tracing::info!(target: "after", "the hook");
    });
    let expected =
        ["span telling", "enter 7", "INFO rules::trace", "WARN disk", "ERROR rules::trace", "exit 7", "INFO after"];
    assert_eq!(own.seen(), expected);
}

#[when_not("never")]
fn runs_another_unit() {
    let mut unit = Unit::new(handlers![tells]);
    unit.run("install");
    assert_eq!(log(&unit), TOLD);
    tracing::info!("outer");
}

#[test]
fn each_hook_has_its_own_log() {
    let mut unit = Unit::new(handlers![runs_another_unit]);
    unit.run("install");
    assert_eq!(log(&unit), ["INFO rules::trace: outer"]);
}
