//! One hook of one unit, killed at each of its system calls and at each hook command.

use std::collections::BTreeMap;

use tests::instants::{Call, Counts, Killable, Window};
use tests::{charm, program, stored};
use zkpeer_core::testing::{HookRun, KillPoint, Outcome, UnitAgent};

use crate::{AT_LEAST, assert_enough};

/// What there is to compare at the end.
type End = (BTreeMap<String, String>, BTreeMap<String, String>);

/// A unit just before the hook that is to be killed.
struct Scene {
    agent: UnitAgent,
    killable: Killable,
}

impl Scene {
    /// `install` is due: there is no store yet.
    fn install() -> Self {
        let killable = Killable::new(&program("probe", env!("CARGO_BIN_EXE_probe")));
        let agent = UnitAgent::builder(charm().path()).program(killable.program()).build().unwrap();
        Self { agent, killable }
    }

    /// The relation's first `-joined` is due: there is a store, and something to publish.
    fn joined() -> Self {
        let mut scene = Self::install();
        scene.agent.deploy().unwrap();
        scene.agent.add_peer("friends", "probe/1", &[]).unwrap();
        scene
    }

    /// Runs what is due and then all that follows.
    fn end(mut self) -> End {
        self.agent.deploy().unwrap();
        self.agent.settle().unwrap();
        let published = self.agent.relation_data("friends", "probe/0");
        let published = published.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        (stored(self.agent.charm_dir()), published)
    }

    fn step(&mut self) -> HookRun {
        self.agent.step().unwrap().unwrap()
    }

    /// The system calls of the hook that is due.
    fn calls(self) -> Vec<Call> {
        let Self { mut agent, killable } = self;
        killable.calls(|| assert_eq!(agent.step().unwrap().unwrap().outcome, Outcome::Done))
    }

    /// Kills the hook that is due at this system call; the window, or none if it ended before.
    fn kill_at(&mut self, call: &str) -> Option<Window> {
        let mut hook = None;
        let window = self.killable.kill_at(call, || hook = self.agent.step().unwrap());
        let hook = hook.unwrap();
        match hook.outcome {
            Outcome::Killed => Some(window),
            Outcome::Done => None,
            other => panic!("killed at {call}: {other:?}\n{}", hook.stderr),
        }
    }
}

/// Kills the hook at each of its system calls in turn, then again in the windows that have not had enough.
fn kill_everywhere(scene: fn() -> Scene) -> Counts {
    let undisturbed = scene().end();
    assert!(undisturbed.0.contains_key("reactive.states.probe.done"), "{undisturbed:?}");
    let all = scene().calls();
    let mut calls: BTreeMap<Window, Vec<&str>> = BTreeMap::new();
    let mut counts = Counts::new();
    let kill = |call: &str| {
        let mut scene = scene();
        let window = scene.kill_at(call);
        assert_eq!(scene.end(), undisturbed, "killed at {call}, {window:?}");
        window
    };
    for Call { name, .. } in &all {
        if let Some(window) = kill(name) {
            calls.entry(window).or_default().push(name);
            *counts.entry(window).or_default() += 1;
        }
    }
    // From run to run a call more or less is made, so that one now and then hits a neighbouring window, or nothing.
    for (window, calls) in &calls {
        for call in calls.iter().cycle().take(4 * AT_LEAST) {
            if counts[window] >= AT_LEAST {
                break;
            }
            if let Some(window) = kill(call) {
                *counts.entry(window).or_default() += 1;
            }
        }
    }
    println!(
        "killed at each of {} system calls, {} times in all: {counts:?}",
        all.len(),
        counts.values().sum::<usize>()
    );
    counts
}

#[test]
fn killed_at_every_system_call_of_the_first_hook_the_unit_ends_as_undisturbed() {
    let counts = kill_everywhere(Scene::install);
    // There is nothing to load yet.
    assert_enough(
        &counts,
        &[Window::BeforeLoad, Window::AtHookCommand, Window::InsideCommit, Window::BetweenCommitAndExit],
    );
}

#[test]
fn killed_at_every_system_call_of_a_relation_hook_the_unit_ends_as_undisturbed() {
    let counts = kill_everywhere(Scene::joined);
    assert_enough(
        &counts,
        &[
            Window::BeforeLoad,
            Window::Load,
            Window::BetweenHandlers,
            Window::AtHookCommand,
            Window::InsideCommit,
            Window::BetweenCommitAndExit,
        ],
    );
}

#[test]
fn killed_when_the_agent_is_asked_the_unit_ends_as_undisturbed() {
    let undisturbed = Scene::joined().end();
    let commands = Scene::joined().step().commands.len();
    assert!(commands >= 3, "{commands} hook commands");
    for number in (1..=commands).cycle().take(AT_LEAST) {
        let mut scene = Scene::joined();
        scene.agent.kill_at(KillPoint::Command(number));
        assert_eq!(scene.step().outcome, Outcome::Killed, "at hook command {number}");
        assert_eq!(scene.end(), undisturbed, "killed at hook command {number}");
    }
    println!("killed {AT_LEAST} times at {commands} hook commands");
}
