//! Killed in its first hook after the refresh, at any instant, the charm goes on as if it had not been.

use std::collections::BTreeMap;

use tests::dice::Dice;
use tests::instants::{Call, Killable, Window};
use zkpeer_core::testing::{Outcome, Step};

use crate::charm::{APP, Language, program};
use crate::telling::{Record, Telling};

/// A unit in Python whose first hook in Rust is due, which has news of every kind.
struct Scene {
    telling: Telling,
    killable: Killable,
}

/// Whether the hook has something to send: then it is taken back if Juju has not kept it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sends {
    Nothing,
    Port,
}

const UNIT: &str = "keeper/0";

impl Scene {
    fn new(sends: Sends) -> Self {
        let mut telling = Telling::new();
        telling.deploy(Language::Python, 1);
        if sends == Sends::Port {
            telling.model.add_unit("client").unwrap();
            telling.model.relate("keeper:site", "client:site").unwrap();
        }
        telling.settle();
        telling.write("rules.txt", "rule 1");
        telling.model.set_config(APP, "word", "hello").unwrap();
        telling.model.set_config(APP, "port", 81).unwrap();
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

    /// Kills the hook at this system call, and lets it run again and all that follows, in Rust and back in Python. If the call
    /// does not come, as a read of a pipe may that another time took two, the hook is not killed, and there is no window.
    fn tell(mut self, kill: Option<&str>) -> (Option<Window>, Record) {
        let Self { telling, killable } = &mut self;
        let mut window = None;
        match kill {
            Some(call) => window = Some(killable.kill_at(call, || Self::begin(telling))),
            None => Self::begin(telling),
        }
        let run = telling.take(&Step::End(UNIT.parse().unwrap())).unwrap();
        let killed = run.outcome == Outcome::Killed;
        assert!(killed || run.outcome == Outcome::Done, "{kill:?}: {:?}\n{}", run.outcome, run.stderr);
        let first = telling.record.hooks.len() - usize::from(!killed);
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
        (window.filter(|_| killed), self.telling.record)
    }
}

/// So many of the calls.
fn some(calls: &[Call], wanted: usize) -> Vec<&Call> {
    let mut dice = Dice(calls.len() as u64);
    let mut left: Vec<&Call> = calls.iter().collect();
    (0..wanted.min(left.len())).map(|_| left.remove(dice.below(left.len()))).collect()
}

#[test]
fn killed_at_any_instant_of_its_first_hook_it_goes_on_as_if_it_had_not_been() {
    kill_everywhere(Sends::Nothing, 8, 8);
}

#[test]
fn killed_at_any_instant_of_a_first_hook_that_sends_something_it_goes_on_as_if_it_had_not_been() {
    kill_everywhere(Sends::Port, 12, usize::MAX);
}

/// At so many system calls before the hook is committed, and at so many after that, when the file of charmhelpers is written.
fn kill_everywhere(sends: Sends, before: usize, after: usize) {
    let (_, undisturbed) = Scene::new(sends).tell(None);
    let calls = Scene::new(sends).calls();
    // What is taken over is committed first, then the hook.
    let committed = calls.iter().rposition(|call| call.name.starts_with("unlink:")).unwrap();
    let (before, after) = (some(&calls[..committed], before), some(&calls[committed..], after));
    assert!(after.iter().any(|call| call.name.starts_with("rename:")) || sends == Sends::Nothing);
    let mut counts: BTreeMap<Window, usize> = BTreeMap::new();
    let (tried, mut killed) = (before.len() + after.len(), 0);
    for call in before.into_iter().chain(after) {
        let (window, told) = Scene::new(sends).tell(Some(&call.name));
        if let Some(window) = window {
            *counts.entry(window).or_default() += 1;
            killed += 1;
        }
        told.assert_same(&undisturbed, &format!("killed at {}, {window:?}", call.name));
    }
    println!("{sends:?}: killed {killed} times of {tried} tried, in these windows: {counts:?}");
    assert!(killed * 2 >= tried, "{killed} of {tried}: most of the system calls did not come");
}
