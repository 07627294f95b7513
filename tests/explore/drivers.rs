//! The two drivers of the simulated Juju, side by side: the same stories of `examples/zookeeper`, its handlers in this process and its
//! program started hook by hook, and the same report of every hook.
//!
//! A seed decides what operators do, what goes wrong, and all that Juju leaves to chance.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use zkpeer_core::testing::{Application, Change, Error, Event, HookContext, HookRun, KillPoint, Model};

use dice::Dice;

// Whoever names the crate `tests` links its handlers, which are not this charm's.
#[path = "../support/dice.rs"]
#[expect(unreachable_pub, reason = "it is public where it stands")]
mod dice;

const APP: &str = "zookeeper";
const CLIENT: &str = "client";
const CHARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/zookeeper");
const CLIENT_CHARM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/client");

/// So many stories each of two tests tells.
const STORIES: u64 = 25;
/// So many times something is done in a story.
const DEEDS: usize = 7;
/// So many units there are at most.
const MAX_UNITS: usize = 4;
/// After so many steps without a pause there is no end to a story.
const MAX_STEPS: usize = 3_000;

#[test]
fn both_drivers_give_the_same_report_in_stories_with_odd_seeds() {
    tell(|story| story * 2 + 1);
}

#[test]
fn both_drivers_give_the_same_report_in_stories_with_even_seeds() {
    tell(|story| story * 2 + 2);
}

/// These stories, or the one of `ZKPEER_SEED` if that is set.
fn tell(seed_of: impl Fn(u64) -> u64) {
    let only: Option<u64> =
        std::env::var("ZKPEER_SEED").ok().map(|seed| seed.parse().expect("ZKPEER_SEED is a number"));
    let mut hooks = 0;
    let mut ends = BTreeSet::new();
    for seed in (0..STORIES).map(seed_of).filter(|seed| only.is_none_or(|only| only == *seed)) {
        let mut story = Story::new(seed);
        story.play();
        hooks += story.hooks;
        ends.append(&mut story.ends);
    }
    if only.is_none() {
        assert!(hooks > 500, "the stories are too short to say much: {hooks} hooks");
        for end in ["Done", "Failed", "Refused", "Killed"] {
            assert!(ends.contains(end), "no hook came to `{end}`");
        }
    }
}

/// One story in two models.
struct Story {
    seed: u64,
    dice: Dice,
    in_process: Model,
    program: Model,
    told: Vec<String>,
    hooks: usize,
    /// How hooks have ended.
    ends: BTreeSet<&'static str>,
    /// The units in whose way something stands.
    blocked: BTreeSet<String>,
}

/// A client that asks for a namespace, with what Juju gives to a charm in any language.
fn client(hook: &mut HookContext<'_>) -> i32 {
    if hook.variable("JUJU_HOOK_NAME") == Some("namespace-relation-joined") {
        return hook.run("relation-set", &[r#"request_1={"path": "/app"}"#]).code;
    }
    0
}

impl Story {
    fn new(seed: u64) -> Self {
        let mut dice = Dice(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
        let version = *dice.one(&["2.9.52", "3.4.3", "3.6.25", "4.0.14"]);
        let units = 1 + dice.below(3) as u64;
        let program = env!("CARGO_BIN_EXE_zookeeper-charm");
        let model = |application: Application| {
            let mut model = Model::juju(version).unwrap();
            model.deploy(application.units(units)).unwrap();
            model
        };
        Self {
            seed,
            in_process: model(Application::new(CHARM).in_process(zookeeper::charm())),
            program: model(Application::new(CHARM).program(program)),
            dice,
            told: vec![format!("seed {seed}: Juju {version}, {units} units")],
            hooks: 0,
            ends: BTreeSet::new(),
            blocked: BTreeSet::new(),
        }
    }

    fn fail(&self, why: &str) -> ! {
        let seed = self.seed;
        panic!("{}\n{why}\nZKPEER_SEED={seed} repeats it", self.told.join("\n"));
    }

    fn play(&mut self) {
        if self.dice.below(2) == 0 {
            self.operate("a client", |model| {
                model.deploy(Application::new(CLIENT_CHARM).function(client))?;
                model.relate("zookeeper:client", "client:zookeeper")?;
                model.relate("zookeeper:namespaces", "client:namespace").map(drop)
            });
        }
        for _ in 0..DEEDS {
            self.go_on(4 + self.seed as usize % 9);
            self.deed();
        }
        for unit in std::mem::take(&mut self.blocked) {
            self.clear_way(&unit);
        }
        self.operate("elect", |model| model.elect(APP));
        self.go_on(MAX_STEPS);
        if self.step() {
            self.fail("there is no end to it");
        }
        self.compare_ends();
    }

    /// What an operator does, or what befalls, to both; what cannot be is refused by both.
    fn operate(&mut self, what: &str, operate: impl Fn(&mut Model) -> Result<(), Error>) {
        let refused = |result: Result<(), Error>| result.err().map(|error| error.to_string());
        let (one, other) = (refused(operate(&mut self.in_process)), refused(operate(&mut self.program)));
        self.told.push(format!("-- {what}{}", one.as_ref().map(|error| format!(": {error}")).unwrap_or_default()));
        if one != other {
            self.fail(&format!("only one of them refuses that: {one:?} and {other:?}"));
        }
    }

    /// Something that an operator does, or fate.
    fn deed(&mut self) {
        let all = self.in_process.units();
        let units: Vec<String> =
            all.iter().map(ToString::to_string).filter(|unit| unit.starts_with("zookeeper/")).collect();
        if units.is_empty() {
            return self.operate("add-unit", |model| model.add_unit(APP).map(drop));
        }
        let unit = self.dice.one(&units).clone();
        let number = 1 + self.dice.below(4);
        match self.dice.below(20) {
            0..3 if units.len() < MAX_UNITS => self.operate("add-unit", |model| model.add_unit(APP).map(drop)),
            0..4 => self.operate(&format!("remove {unit}"), |model| model.remove_unit(&unit)),
            4 => {
                let address = format!("10.0.9.{}", self.told.len() % 250);
                self.operate(&format!("address {unit} {address}"), |model| model.set_address(&unit, &address));
            }
            5 => self.operate(&format!("leader {unit}"), |model| model.set_leader(&unit)),
            6 => self.operate("no leader", |model| model.remove_leader(APP)),
            7 => self.operate("tick-time", |model| model.set_config(APP, "tick-time", 1000 + number as i32)),
            8 | 9 => {
                let action = *self.dice.one(&["restart", "quorum"]);
                self.operate(&format!("run {unit} {action}"), |model| model.run_action(&unit, action, &[]).map(drop));
            }
            10 => self.operate(&format!("update-status {unit}"), |model| model.update_status(&unit)),
            11 => self.operate(&format!("agent of {unit} restarts"), |model| model.restart_agent(&unit)),
            12 => self.operate(&format!("reboot {unit}"), |model| model.reboot(&unit)),
            13 | 14 => {
                let points = [KillPoint::Start, KillPoint::Command(number), KillPoint::Answer(number)];
                let point = *self.dice.one(&points);
                self.operate(&format!("kill {unit} at {point:?}"), |model| model.kill_at(&unit, point));
            }
            15 => self.operate(&format!("refuse {unit}"), |model| model.refuse_commit(&unit, "no room")),
            16 => self.operate(&format!("{unit} leads no longer at its commit"), |model| {
                model.lose_leadership_before_commit(&unit)
            }),
            17 => self.operate(&format!("nobody leads at command {number} of {unit}"), |model| {
                model.before_command(&unit, number, Change::NoLeader(APP.to_owned()))
            }),
            _ => self.block(&unit),
        }
    }

    /// Something stands where the charm has its files, or will have: its handlers fail.
    fn block(&mut self, unit: &str) {
        self.blocked.insert(unit.to_owned());
        self.told.push(format!("-- something stands in the way of {unit}"));
        for model in [&self.in_process, &self.program] {
            let directory = model.charm_dir(unit).unwrap();
            let _ = fs::rename(directory.join("zookeeper"), directory.join("away"));
            fs::write(directory.join("zookeeper"), "").unwrap();
        }
    }

    fn clear_way(&mut self, unit: &str) {
        self.told.push(format!("-- the way of {unit} is free"));
        for model in [&self.in_process, &self.program] {
            let Some(directory) = model.charm_dir(unit) else { continue };
            let _ = fs::remove_file(directory.join("zookeeper"));
            let _ = fs::rename(directory.join("away"), directory.join("zookeeper"));
        }
    }

    fn go_on(&mut self, steps: usize) {
        for _ in 0..steps {
            if !self.step() {
                return;
            }
        }
    }

    /// One step in both; false if nothing is due, and no hook has failed that could be run again.
    fn step(&mut self) -> bool {
        let (steps, others) = (self.in_process.steps(), self.program.steps());
        let texts = |steps: &[zkpeer_core::testing::Step]| steps.iter().map(ToString::to_string).collect::<Vec<_>>();
        if texts(&steps) != texts(&others) {
            self.fail(&format!("what is due differs: {:?} and {:?}", texts(&steps), texts(&others)));
        }
        if steps.is_empty() {
            return self.retry();
        }
        let choice = self.dice.below(steps.len());
        self.told.push(steps[choice].to_string());
        let one = self.in_process.take(&steps[choice]).unwrap();
        let other = self.program.take(&others[choice]).unwrap();
        for model in [&self.in_process, &self.program] {
            model.check().unwrap_or_else(|error| self.fail(&error.to_string()));
        }
        if let (Event::Ended(one), Event::Ended(other)) = (one, other) {
            self.compare(&one, &other);
        }
        true
    }

    fn retry(&mut self) -> bool {
        let units = self.in_process.units();
        let failed: Vec<String> =
            units.iter().map(ToString::to_string).filter(|unit| self.in_process.failed(unit).is_some()).collect();
        for unit in &failed {
            if self.blocked.remove(unit) {
                self.clear_way(unit);
            }
            self.operate(&format!("retry {unit}"), |model| model.retry(unit));
        }
        !failed.is_empty()
    }

    fn compare(&mut self, one: &HookRun, other: &HookRun) {
        self.hooks += 1;
        let outcome = format!("{:?}", one.outcome);
        let ends = ["Done", "Failed", "Refused", "Killed"];
        self.ends.extend(ends.into_iter().filter(|end| outcome.starts_with(end)));
        let texts = (shown(&self.in_process, one), shown(&self.program, other));
        self.same(&format!("{one} of {}", one.unit), texts);
    }

    /// What is left when all is quiet: what each unit has stored, and its files.
    fn compare_ends(&self) {
        for unit in self.in_process.units() {
            let unit = unit.as_str();
            let left = |model: &Model| {
                let directory = model.charm_dir(unit).unwrap();
                let text = format!("{:#?}\n{:#?}", model.stored(unit), files(&directory.join("zookeeper")));
                text.replace(&*directory.to_string_lossy(), "DIRECTORY")
            };
            self.same(&format!("what {unit} has in the end"), (left(&self.in_process), left(&self.program)));
        }
    }

    /// Both texts are the same, or the story ends with the first line that is not.
    fn same(&self, what: &str, (one, other): (String, String)) {
        if one == other {
            return;
        }
        let mut lines = one.lines().zip(other.lines());
        let (one, other) = lines.find(|(one, other)| one != other).unwrap_or((&one, &other));
        self.fail(&format!("{what} differs\n  in process: {one}\n  as program: {other}"));
    }
}

/// All that a hook came to, without what the drivers may do in their own way: paths, sockets and times.
fn shown(model: &Model, run: &HookRun) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{:?} {:?} {:?}", run.outcome, run.exit, run.stderr);
    let _ = writeln!(text, "{:#?}\n{:#?}\n{:#?}", run.report, run.commands, run.log);
    let status = model.status(run.unit.as_str());
    let _ = writeln!(text, "status {}: {}", status.status, status.message);
    for relation in model.relations(APP) {
        let own = model.unit_data(relation.number, run.unit.as_str());
        let _ = writeln!(text, "{relation} {own:?} {:?}", model.app_data(relation.number, APP));
    }
    let _ =
        writeln!(text, "ports {:?} state {:?}", model.ports(run.unit.as_str()), model.charm_state(run.unit.as_str()));
    let _ = writeln!(text, "flags {:?} settings {:?}", model.flags(run.unit.as_str()), model.leader_settings(APP));
    let clients = model.applications().contains(&CLIENT).then(|| model.relations(CLIENT));
    let _ = writeln!(text, "client {clients:?}");
    let directory = model.charm_dir(run.unit.as_str()).unwrap_or(Path::new("DIRECTORY"));
    text.replace(&*directory.to_string_lossy(), "DIRECTORY")
}

/// The content of each file below a directory.
fn files(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, text)| (format!("{name}/{below}"), text)));
        } else {
            found.insert(name, fs::read_to_string(&path).unwrap_or_default());
        }
    }
    found
}
