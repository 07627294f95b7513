//! Killed in its first hook after the refresh, at any instant, the charm goes on as if it had not been.

use std::collections::BTreeMap;

use tests::dice::Dice;
use tests::instants::{Call, Killable, Window};
use zkpeer_core::testing::{Outcome, Step};

use crate::charm::{APP, Language, program};
use crate::telling::{Record, Telling};

/// How many system calls of a window are tried.
fn how_many(window: Window) -> usize {
    // The file that charmhelpers keeps is written after the commit.
    if window == Window::BetweenCommitAndExit { 24 } else { 6 }
}

/// A unit with a peer, in Python; its first hook in Rust is due, which has news of every kind.
struct Scene {
    telling: Telling,
    killable: Killable,
}

const UNIT: &str = "keeper/0";

impl Scene {
    fn new() -> Self {
        let mut telling = Telling::new();
        telling.deploy(Language::Python, 1);
        telling.settle();
        telling.write("rules.txt", "rule 1");
        telling.model.set_config(APP, "word", "hello").unwrap();
        let killable = Killable::new(&program());
        telling.model.refresh(APP, telling.charm.of_program(&killable.program())).unwrap();
        Self { telling, killable }
    }

    /// Begins the first hook in Rust.
    fn begin(telling: &mut Telling) {
        let step = telling.model.steps().into_iter().next().unwrap();
        assert!(matches!(&step, Step::Begin(_, hook) if hook.to_string() == "upgrade-charm"), "{step}");
        telling.take(&step);
    }

    fn calls(mut self) -> Vec<Call> {
        let Self { telling, killable } = &mut self;
        killable.calls(|| Self::begin(telling))
    }

    /// Kills the hook at this system call, and lets it run again and all that follows, in Rust and back in Python.
    fn tell(mut self, kill: Option<&str>) -> (Option<Window>, Record) {
        let Self { telling, killable } = &mut self;
        let mut window = None;
        match kill {
            Some(call) => window = Some(killable.kill_at(call, || Self::begin(telling))),
            None => Self::begin(telling),
        }
        let run = telling.take(&Step::End(UNIT.parse().unwrap())).unwrap();
        let expected = if kill.is_some() { Outcome::Killed } else { Outcome::Done };
        assert_eq!(run.outcome, expected, "{kill:?}:\n{}", run.stderr);
        let first = telling.record.hooks.len() - usize::from(kill.is_none());
        telling.settle();
        // What was done before the commit is done, if nothing was to be sent.
        let again = &mut telling.record.hooks[first];
        if let Some(before) = telling.not_kept.pop().filter(|_| again.calls.is_empty()) {
            again.calls = before;
        }
        telling.end_chapter();
        telling.model.set_config(APP, "greet", true).unwrap();
        telling.settle();
        telling.refresh(Language::Python);
        telling.settle();
        telling.end_chapter();
        (window, self.telling.record)
    }
}

/// Some of the calls.
fn some(window: Window, calls: &[Call]) -> Vec<&Call> {
    let mut dice = Dice(calls.len() as u64);
    let mut left: Vec<&Call> = calls.iter().collect();
    let wanted = left.len().min(how_many(window));
    (0..wanted).map(|_| left.remove(dice.below(left.len()))).collect()
}

#[test]
fn killed_at_any_instant_of_its_first_hook_it_goes_on_as_if_it_had_not_been() {
    let (_, undisturbed) = Scene::new().tell(None);
    let mut windows: BTreeMap<Window, Vec<Call>> = BTreeMap::new();
    for call in Scene::new().calls() {
        windows.entry(call.window).or_default().push(call);
    }
    let mut counts: BTreeMap<Window, usize> = BTreeMap::new();
    for call in windows.iter().flat_map(|(window, calls)| some(*window, calls)) {
        let (window, told) = Scene::new().tell(Some(&call.name));
        *counts.entry(window.unwrap()).or_default() += 1;
        told.assert_same(&undisturbed, &format!("killed at {}, {window:?}", call.name));
    }
    println!("killed in these windows: {counts:?}");
    for window in [Window::BeforeLoad, Window::Load, Window::InsideCommit, Window::BetweenCommitAndExit] {
        assert!(counts.contains_key(&window), "never killed in {window:?}: {counts:?}");
    }
}
