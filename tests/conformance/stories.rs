//! The same random stories on both drivers: what a charm of ours is told, does and reports is the same.

use std::fmt::Write as _;
use std::fs;

use tempfile::TempDir;
use tests::clerk;
use zkpeer_core::testing::{Application, Error, Event, HookRun, KillPoint, Model, Outcome};

/// Numbers from a seed (SplitMix64), so that a story repeats.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }

    fn one<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        among.get(self.below(among.len()))
    }
}

fn charm() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let manifest = "bases:\n- {name: ubuntu, channel: 22.04/stable, architectures: [amd64]}\n";
    let files = [
        ("metadata.yaml", clerk::METADATA),
        ("config.yaml", clerk::CONFIG),
        ("actions.yaml", clerk::ACTIONS),
        ("manifest.yaml", manifest),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// A story: what was done, and what came of it, line by line.
struct Story {
    model: Model,
    dice: Dice,
    told: Vec<String>,
    made: usize,
}

impl Story {
    fn play(seed: u64, charm: &TempDir, in_process: bool) -> Vec<String> {
        let mut dice = Dice(seed);
        let version = ["2.9.52", "3.1.7", "3.6.25", "4.0.14"][dice.below(4)];
        let mut model = Model::juju(version).unwrap();
        model.seed(seed);
        let application = |name: &str| {
            let application = Application::new(charm.path()).named(name);
            if in_process {
                application.in_process(clerk::charm())
            } else {
                application.program(tests::program("clerk", env!("CARGO_BIN_EXE_clerk")))
            }
        };
        let units = 1 + dice.below(3) as u64;
        model.deploy(application("north").units(units)).unwrap();
        model.deploy(application("south")).unwrap();
        let mut story = Self { model, dice, told: vec![format!("seed {seed}, Juju {version}")], made: 0 };
        for _ in 0..12 {
            story.change();
            let steps = story.dice.below(14);
            story.run(steps);
        }
        story.finish();
        story.told
    }

    fn tell(&mut self, line: String) {
        self.told.push(line);
    }

    /// One of the things that operators, or fate, may do; what cannot be done now is refused the same way by both.
    fn change(&mut self) {
        let units: Vec<String> = self.model.units().iter().map(ToString::to_string).collect();
        let unit = self.dice.one(&units).cloned().unwrap_or_else(|| "north/0".to_owned());
        let app = unit.split('/').next().unwrap_or_default().to_owned();
        self.made += 1;
        let made = self.made;
        let number = 1 + self.dice.below(6);
        let (what, done): (String, Result<(), Error>) = match self.dice.below(20) {
            0 | 1 if units.len() < 5 => ("add".to_owned(), self.model.add_unit(&app).map(drop)),
            2 => (format!("remove {unit}"), self.model.remove_unit(&unit)),
            3 | 4 => {
                let word = format!("word {made} <&> ünder");
                (format!("config {word}"), self.model.set_config(&app, "word", word.as_str()))
            }
            5 => ("port".to_owned(), self.model.set_config(&app, "port", (8000 + made as i64).to_string().as_str())),
            6 => {
                let hook = ["config-changed", "staff-relation-joined", "update-status", "none"][self.dice.below(4)];
                (format!("fail-in {hook}"), self.model.set_config(&app, "fail-in", hook))
            }
            7 | 8 => (format!("leader {unit}"), self.model.set_leader(&unit)),
            9 => (format!("no leader of {app}"), self.model.remove_leader(&app)),
            10 => (format!("elect in {app}"), self.model.elect(&app)),
            11 => {
                let name = ["nobody", "moon"][self.dice.below(2)];
                let greeted = self.model.run_action(&unit, "greet", &[("name", name.into())]);
                (format!("greet {name} on {unit}"), greeted.map(drop))
            }
            12 => ("relate".to_owned(), self.model.relate("north:desk", "south:visit").map(drop)),
            13 => ("part".to_owned(), self.model.remove_relation("north:desk", "south:visit")),
            14 => (format!("kill {unit} at {number}"), self.model.kill_at(&unit, KillPoint::Command(number))),
            15 => (format!("refuse {unit}"), self.model.refuse_commit(&unit, "because")),
            16 => (format!("depose {unit}"), self.model.lose_leadership_before_commit(&unit)),
            17 => (format!("restart {unit}"), self.model.restart_agent(&unit)),
            18 => (format!("reboot {unit}"), self.model.reboot(&unit)),
            _ => {
                let address = format!("10.1.0.{made}");
                (format!("{unit} at {address}"), self.model.set_address(&unit, &address))
            }
        };
        let refused = done.err().map(|error| format!(": {error}")).unwrap_or_default();
        self.tell(format!("-- {what}{refused}"));
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            match self.model.step().unwrap() {
                Some(Event::Ended(run)) => self.tell(shown(&run)),
                Some(other) => {
                    let line = match other {
                        Event::Began(unit, hook) => format!("{unit} begins {hook}"),
                        Event::Elected(unit) => format!("{unit} leads"),
                        _ => String::new(),
                    };
                    self.tell(line);
                }
                None => return,
            }
            self.model.check().unwrap_or_else(|error| panic!("{error}\n{}", self.told.join("\n")));
        }
    }

    /// Lets everything come to rest, and tells where it ended.
    fn finish(&mut self) {
        for app in ["north", "south"] {
            let _ = self.model.set_config(app, "fail-in", "none");
            let _ = self.model.elect(app);
        }
        let ended = self.model.settle_retrying(20);
        for run in ended.unwrap_or_else(|error| panic!("{error}\n{}", self.told.join("\n"))) {
            self.tell(shown(&run));
        }
        for unit in self.model.units() {
            let status = self.model.status(unit.as_str());
            let state = self.model.charm_state(unit.as_str());
            let ports = self.model.ports(unit.as_str());
            self.tell(format!("{unit}: {} {} {state:?} {ports:?}", status.status, status.message));
            for app in ["north", "south"] {
                for relation in self.model.relations(app) {
                    let bag = self.model.unit_data(relation.number, unit.as_str());
                    self.tell(format!("{unit} in {relation}: {bag:?}"));
                }
            }
        }
        for app in ["north", "south"] {
            let settings = self.model.leader_settings(app);
            let bags: Vec<_> = (0..3).map(|number| self.model.app_data(number, app)).collect();
            self.tell(format!("{app}: {settings:?} {bags:?}"));
        }
    }
}

/// Everything about one hook, but for times and what a process's exit code tells beside its outcome.
fn shown(run: &HookRun) -> String {
    let mut text = format!("{} ended {run}: {:?}", run.unit, run.outcome);
    for command in &run.commands {
        let _ = write!(text, "\n  {command} -> {} {:?} {:?}", command.code, command.stdout, command.stderr);
    }
    for line in &run.log {
        let _ = write!(text, "\n  log {} {}", line.level, line.message);
    }
    if run.outcome != Outcome::Killed {
        let _ = write!(text, "\n  stderr {:?}\n  {:?}", run.stderr, run.report);
    }
    text
}

fn same_on_both_drivers(seeds: std::ops::Range<u64>) {
    let charm = charm();
    let mut hooks = 0;
    for seed in seeds {
        let (here, there) = (Story::play(seed, &charm, true), Story::play(seed, &charm, false));
        hooks += here.iter().filter(|line| line.contains(" ended ")).count();
        let differ = here.iter().zip(&there).position(|(one, other)| one != other);
        if let Some(at) = differ.or((here.len() != there.len()).then_some(here.len().min(there.len()))) {
            let (before, nothing) = (&here[at.saturating_sub(5)..at.min(here.len())], "nothing".to_owned());
            panic!(
                "seed {seed}: after\n{}\nthis process tells\n{}\nand processes tell\n{}",
                before.join("\n"),
                here.get(at).unwrap_or(&nothing),
                there.get(at).unwrap_or(&nothing)
            );
        }
    }
    assert!(hooks > 500, "stories of {hooks} hooks prove little");
}

#[test]
fn the_same_random_stories_give_the_same_reports_in_both_drivers_1_to_25() {
    same_on_both_drivers(1..26);
}

#[test]
fn the_same_random_stories_give_the_same_reports_in_both_drivers_26_to_50() {
    same_on_both_drivers(26..51);
}

#[test]
fn a_story_repeats() {
    let charm = charm();
    assert_eq!(Story::play(7, &charm, true), Story::play(7, &charm, true));
    assert_ne!(Story::play(7, &charm, true), Story::play(8, &charm, true));
}

#[test]
fn no_random_story_leads_where_juju_could_not_be() {
    let charm = charm();
    for seed in 1000..1100 {
        Story::play(seed, &charm, true);
    }
}
