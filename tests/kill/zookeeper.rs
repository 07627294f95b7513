//! A story of several units of the charm zookeeper, in which each hook of one of them is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tests::instants::{Call, Counts, Killable, Window};
use tests::{program, stored};
use zkpeer_core::testing::{Application, Entries, Event, Hook, HookRun, KillPoint, Model, Outcome, Status, Step};

use crate::assert_enough;

const CHARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/zookeeper");

/// How often the story is told, each hook being killed at another instant.
const LIVES: usize = 26;

/// When a hook is killed.
#[derive(Clone, Debug)]
enum Instant {
    Call(String),
    Asked(KillPoint),
}

/// When each hook of the watched unit is killed, by its number among them.
type Kills = BTreeMap<usize, Instant>;

/// What there is to see of a unit.
#[derive(Debug, PartialEq)]
struct Left {
    /// Flags, conversations and values.
    stored: BTreeMap<String, String>,
    files: BTreeMap<PathBuf, String>,
    published: Entries,
    status: Status,
    ports: Vec<String>,
}

/// The watched unit after each of its hooks, and all units at the end.
#[derive(Debug, Default, PartialEq)]
struct Told {
    hooks: Vec<(String, Left)>,
    end: BTreeMap<String, Left>,
    settings: Entries,
}

/// The instants at which a hook can be killed.
#[derive(Debug, Default)]
struct Instants {
    calls: BTreeMap<Window, Vec<Call>>,
    commands: usize,
}

/// The story as it goes on.
struct Teller<'a> {
    model: Model,
    killable: Killable,
    watched: &'a str,
    /// Without it nothing is killed, and the instants of each hook are noted.
    kills: Option<&'a Kills>,
    instants: Vec<Instants>,
    /// Where the hook that is to be killed was.
    window: Option<Window>,
    /// The watched unit's hook was killed, and runs again.
    killed: bool,
    counts: Counts,
    told: Told,
}

impl<'a> Teller<'a> {
    fn new(watched: &'a str, kills: Option<&'a Kills>) -> Self {
        Self {
            model: Model::new(),
            killable: Killable::new(&program("zookeeper-charm", env!("CARGO_BIN_EXE_zookeeper-charm"))),
            watched,
            kills,
            instants: Vec::new(),
            window: None,
            killed: false,
            counts: Counts::new(),
            told: Told::default(),
        }
    }

    /// Three units are deployed, one is added, the leader orders a restart, a unit moves, the leader is removed.
    fn tell(mut self) -> Self {
        let application = Application::new(CHARM).program(self.killable.program()).units(3);
        let mut units: BTreeSet<_> = self.model.deploy(application).unwrap().into_iter().collect();
        self.settle();
        units.insert(self.model.add_unit("zookeeper").unwrap());
        self.settle();
        let order = self.model.run_action("zookeeper/0", "restart", &[]).unwrap();
        self.settle();
        self.model.set_address("zookeeper/1", "10.9.9.9").unwrap();
        self.settle();
        self.model.remove_unit("zookeeper/0").unwrap();
        self.settle();
        assert!(self.model.action(order).is_some_and(|report| report.completed));
        self.told.end = units.iter().map(|unit| (unit.to_string(), self.left_by(unit.as_str()))).collect();
        self.told.settings = self.model.leader_settings("zookeeper");
        self
    }

    fn settle(&mut self) {
        while let Some(step) = self.model.steps().first().cloned() {
            if let Step::Begin(unit, hook) = &step
                && self.is_watched(unit.as_str(), hook)
            {
                self.begin(&step);
            } else if let Event::Ended(run) = self.model.take(&step).unwrap() {
                self.ended(&run);
            }
        }
    }

    /// An action that is killed has failed, and is not run again (contract 2.4).
    fn is_watched(&self, unit: &str, hook: &Hook) -> bool {
        unit == self.watched && !matches!(hook, Hook::Action { .. })
    }

    /// The watched unit begins a hook, and is killed if it has not been in this one yet.
    fn begin(&mut self, step: &Step) {
        let Self { model, killable, kills, told, .. } = self;
        let kill = kills.map(|kills| kills.get(&told.hooks.len()).filter(|_| !self.killed));
        if let Some(Some(Instant::Asked(point))) = kill {
            model.kill_at(self.watched, *point).unwrap();
            self.window = Some(window_of(*point));
        }
        let mut take = || drop(model.take(step).unwrap());
        match kill {
            None => {
                let mut instants = Instants::default();
                for call in killable.calls(take) {
                    instants.calls.entry(call.window).or_default().push(call);
                }
                self.instants.push(instants);
            }
            Some(Some(Instant::Call(call))) => self.window = Some(killable.kill_at(call, take)),
            Some(Some(Instant::Asked(_)) | None) => take(),
        }
    }

    fn ended(&mut self, run: &HookRun) {
        let window = self.window.take();
        if !self.is_watched(run.unit.as_str(), &run.hook) {
            return assert_eq!(run.outcome, Outcome::Done, "{run} of {}:\n{}", run.unit, run.stderr);
        }
        self.killed = run.outcome == Outcome::Killed;
        match (&run.outcome, window) {
            (Outcome::Killed, Some(window)) => *self.counts.entry(window).or_default() += 1,
            (Outcome::Done, _) => {
                if let Some(instants) = self.instants.last_mut() {
                    instants.commands = run.commands.len();
                }
                self.told.hooks.push((run.to_string(), self.left_by(self.watched)));
            }
            (other, _) => panic!("{run} of {}: {other:?}\n{}", run.unit, run.stderr),
        }
    }

    fn left_by(&self, unit: &str) -> Left {
        let directory = self.model.charm_dir(unit).unwrap();
        let mut stored = stored(directory);
        // It names the run of the hook.
        stored.remove("zkpeer.unconfirmed");
        let relation = self.model.relations("zookeeper")[0].number;
        Left {
            stored,
            files: files(&directory.join("zookeeper")),
            published: self.model.unit_data(relation, unit),
            status: self.model.status(unit),
            ports: self.model.ports(unit),
        }
    }
}

/// The server's files. What a kill leaves of one that was being written is none of them; nobody reads it.
fn files(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_none_or(|extension| extension != "new") {
            let text = fs::read_to_string(&path).unwrap();
            // Each story has directories of its own.
            let text = text.replace(&directory.display().to_string(), "DIRECTORY");
            found.insert(PathBuf::from(path.file_name().unwrap()), text);
        }
    }
    found
}

/// The instants of a hook at which the agent sees something of it.
fn asked(hook: &Instants) -> Vec<KillPoint> {
    let commands = (1..=hook.commands).flat_map(|command| [KillPoint::Command(command), KillPoint::Answer(command)]);
    [KillPoint::Start].into_iter().chain(commands).collect()
}

/// The kills of each life. For every hook first all that the agent sees comes, then system calls: always in the window that has
/// the fewest kills yet, and spread over it evenly.
fn plan(instants: &[Instants]) -> Vec<Kills> {
    const GOLDEN: f64 = 0.618_034;
    let mut counts = Counts::new();
    let mut taken: BTreeMap<(usize, Window), usize> = BTreeMap::new();
    let mut kill = |life: usize, number: usize, hook: &Instants| {
        if let Some(point) = asked(hook).get(life) {
            *counts.entry(window_of(*point)).or_default() += 1;
            return Instant::Asked(*point);
        }
        let fewest = hook.calls.iter().min_by_key(|(window, _)| counts.get(window).copied().unwrap_or_default());
        let (window, calls) = fewest.unwrap();
        *counts.entry(*window).or_default() += 1;
        let taken = taken.entry((number, *window)).or_default();
        *taken += 1;
        let at = (*taken as f64 * GOLDEN).fract() * calls.len() as f64;
        Instant::Call(calls[at as usize].name.clone())
    };
    let mut kills = |life| instants.iter().enumerate().map(|(n, hook)| (n, kill(life, n, hook))).collect();
    (0..LIVES).map(&mut kills).collect()
}

fn window_of(point: KillPoint) -> Window {
    if point == KillPoint::Start { Window::BeforeLoad } else { Window::AtHookCommand }
}

fn kill_everywhere(watched: &str) {
    let undisturbed = Teller::new(watched, None).tell();
    let mut counts = Counts::new();
    for kills in plan(&undisturbed.instants) {
        let disturbed = Teller::new(watched, Some(&kills)).tell();
        for (number, (hook, undisturbed)) in disturbed.told.hooks.iter().zip(&undisturbed.told.hooks).enumerate() {
            assert_eq!(hook, undisturbed, "hook {number} of {watched}, killed at {:?}", kills.get(&number));
        }
        assert_eq!(disturbed.told, undisturbed.told, "hooks of {watched}, killed at {kills:?}");
        for (window, count) in disturbed.counts {
            *counts.entry(window).or_default() += count;
        }
    }
    println!(
        "{watched}: its {} hooks, each to be killed in {LIVES} lives, were killed {} times: {counts:?}",
        undisturbed.instants.len(),
        counts.values().sum::<usize>()
    );
    assert_enough(
        &counts,
        &[
            Window::BeforeLoad,
            Window::Load,
            Window::BetweenHandlers,
            Window::WritingAFile,
            Window::AtHookCommand,
            Window::InsideCommit,
            Window::BetweenCommitAndExit,
        ],
    );
}

#[test]
fn killed_in_every_hook_a_unit_that_stays_ends_as_undisturbed() {
    kill_everywhere("zookeeper/1");
}

#[test]
fn killed_in_every_hook_the_leader_that_leaves_ends_as_undisturbed() {
    kill_everywhere("zookeeper/0");
}
