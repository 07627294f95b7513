//! Random lives of random models: what contract 3.1 and 4.3 guarantee, seen from the hooks alone.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::rc::Rc;

use tempfile::TempDir;
use zkpeer_core::juju::UnitName;
use zkpeer_core::testing::{
    Application, Entries, Event, Hook, HookContext, KillPoint, Model, Outcome, RelationHook, RelationKind,
};

const ZK: &str = "\
name: zk
summary: s
description: d
peers: {zkpeer: q, other: q}
provides: {client: {interface: zookeeper}}
";

const KAFKA: &str = "\
name: kafka
summary: s
description: d
peers: {kpeer: q}
requires: {zookeeper: {interface: zookeeper}, zk2: {interface: zookeeper}}
provides: {info: {interface: log, scope: container}}
";

const LOGS: &str = "\
name: logs
summary: s
description: d
subordinate: true
peers: {lpeer: q}
requires: {beside: {interface: log, scope: container}}
";

/// So many lives; more find more, and take half a second each.
const LIVES: u64 = 8;

/// A small generator.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn one<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        among.get(usize::try_from(self.roll(among.len().max(1) as u64)).unwrap())
    }
}

/// How the charms of a life behave, and what they have read.
struct World {
    dice: Dice,
    calm: bool,
    rewrite: bool,
    /// By unit, relation and remote unit or application: what the last hook about it has read.
    read: BTreeMap<(String, u32, String), BTreeMap<String, String>>,
}

fn read_bag(hook: &HookContext<'_>, id: &str, whose: &str, app: bool) -> Option<BTreeMap<String, String>> {
    let mut arguments = vec!["--format", "json", "-r", id];
    if app {
        arguments.push("--app");
    }
    arguments.extend(["-", whose]);
    let read = hook.run("relation-get", &arguments);
    let killed = read.stderr.contains("dial unix");
    (read.code == 0 && !killed).then(|| serde_json::from_str(&read.stdout).unwrap())
}

fn charm(world: &Rc<RefCell<World>>, hook: &HookContext<'_>) -> i32 {
    let mut world = world.borrow_mut();
    // What a killed process would do is not done.
    let killed = || hook.run("juju-log", &["alive"]).code != 0;
    if killed() || killed() {
        return 1;
    }
    let unit = hook.variable("JUJU_UNIT_NAME").unwrap().to_owned();
    if let Hook::Relation(about) = hook.hook() {
        let id = about.relation.to_string();
        let app = about.unit.is_none();
        let whose = about.unit.as_ref().map_or(about.app.as_str(), UnitName::as_str).to_owned();
        if about.kind == RelationKind::Changed {
            // A hook can read what it is about.
            let bag = read_bag(hook, &id, &whose, app).unwrap();
            world.read.insert((unit.clone(), about.relation.number, whose), bag);
        }
        let members = hook.run("relation-list", &["--format", "json", "-r", &id]);
        assert_eq!(members.code, 0, "{}", members.stderr);
        let members: Vec<String> = serde_json::from_str(&members.stdout).unwrap();
        if let Some(remote) = &about.unit {
            assert_eq!(members.contains(&remote.to_string()), about.kind != RelationKind::Departed, "{unit} {about:?}");
        }
        if about.kind == RelationKind::Broken {
            assert!(members.is_empty());
        }
    }
    if world.rewrite {
        for endpoint in ["zkpeer", "kpeer", "other", "client", "zookeeper", "zk2", "info", "lpeer", "beside"] {
            let ids = hook.run("relation-ids", &["--format", "json", endpoint]);
            let ids: Vec<String> = serde_json::from_str(&ids.stdout).unwrap_or_default();
            for id in ids {
                for (key, value) in read_bag(hook, &id, &unit, false).unwrap_or_default() {
                    hook.run("relation-set", &["-r", &id, &format!("{key}={value}")]);
                }
            }
        }
    }
    if world.calm {
        return 0;
    }
    for endpoint in ["zkpeer", "kpeer", "other", "client", "zookeeper", "zk2", "info", "lpeer", "beside"] {
        let ids = hook.run("relation-ids", &["--format", "json", endpoint]);
        let ids: Vec<String> = serde_json::from_str(&ids.stdout).unwrap_or_default();
        if hook.hook().name() == "install" {
            assert!(ids.is_empty());
        }
        for id in ids {
            if world.dice.roll(3) == 0 {
                let pair = format!("k{}={}", world.dice.roll(2), world.dice.roll(3));
                assert_eq!(hook.run("relation-set", &["-r", &id, &pair]).code, 0);
            }
            if world.dice.roll(4) == 0 && hook.run("is-leader", &[]).stdout.trim() == "True" {
                let pair = format!("a{}={}", world.dice.roll(2), world.dice.roll(3));
                assert_eq!(hook.run("relation-set", &["--app", "-r", &id, &pair]).code, 0);
            }
        }
    }
    i32::from(world.dice.roll(8) == 0)
}

/// What has been done on one unit.
#[derive(Default)]
struct Life {
    done: Vec<Hook>,
}

struct Play {
    model: Model,
    world: Rc<RefCell<World>>,
    dice: Dice,
    lives: BTreeMap<UnitName, Life>,
    story: Vec<String>,
}

fn directory(metadata: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("metadata.yaml"), metadata).unwrap();
    let manifest = "bases: [{name: ubuntu, channel: '24.04', architectures: [amd64]}]\n";
    fs::write(directory.path().join("manifest.yaml"), manifest).unwrap();
    fs::write(directory.path().join("config.yaml"), "options: {n: {type: int, default: 0}}\n").unwrap();
    directory
}

impl Play {
    fn application(&self, directory: &TempDir) -> Application {
        let world = Rc::clone(&self.world);
        Application::new(directory.path()).function(move |hook| charm(&world, hook))
    }

    fn note(&mut self, event: Event) {
        self.story.push(match &event {
            Event::Ended(run) => format!("{} {run} {:?}", run.unit, run.outcome),
            other => format!("{other:?}"),
        });
        if let Event::Ended(run) = event {
            match run.outcome {
                Outcome::Done | Outcome::NoFile => self.lives.entry(run.unit.clone()).or_default().done.push(run.hook),
                _ => {}
            }
        }
        self.model.check().unwrap();
    }

    fn steps(&mut self, count: u64) {
        for _ in 0..count {
            match self.model.step().unwrap() {
                Some(event) => self.note(event),
                None => return,
            }
        }
    }

    fn operate(&mut self) {
        let units: Vec<UnitName> = self.model.units();
        let unit = self.dice.one(&units).map(ToString::to_string).unwrap_or_default();
        let what = self.dice.roll(19);
        let told = match what {
            0 => self.model.add_unit("zk").map(|_| ()),
            1 => self.model.add_unit("kafka").map(|_| ()),
            2 | 3 => self.model.remove_unit(&unit),
            4 => {
                let n = self.dice.roll(4).to_string();
                self.model.set_config("zk", "n", n.as_str())
            }
            5 => self.model.relate("zk:client", "kafka:zookeeper").map(|_| ()),
            6 => self.model.relate("zk:client", "kafka:zk2").map(|_| ()),
            7 => self.model.remove_relation("zk:client", "kafka:zookeeper"),
            8 => self.model.relate("logs:beside", "kafka:info").map(|_| ()),
            9 => self.model.set_leader(&unit),
            10 => self.model.remove_leader("zk"),
            11 => self.model.elect("zk"),
            12 => self.model.retry(&unit),
            13 => match self.model.failed(&unit).cloned() {
                Some(hook) => {
                    if let Ok(unit) = unit.parse::<UnitName>() {
                        self.lives.entry(unit).or_default().done.push(hook);
                    }
                    self.model.resolve(&unit)
                }
                None => Ok(()),
            },
            14 => self.model.hold(&unit),
            15 => self.model.release(&unit),
            16 => self.model.kill_at(&unit, KillPoint::Command(1 + usize::try_from(self.dice.roll(2)).unwrap())),
            17 => self.model.refuse_commit(&unit, "by chance"),
            _ => self.model.lose_leadership_before_commit(&unit),
        };
        self.story.push(format!("operate {what} {unit}: {told:?}"));
        self.model.check().unwrap();
    }

    fn come_to_rest(&mut self) {
        for _ in 0..400 {
            for unit in self.model.units() {
                self.model.release(unit.as_str()).unwrap();
                let _ = self.model.retry(unit.as_str());
            }
            let mut quiet = true;
            for _ in 0..3000 {
                match self.model.step().unwrap() {
                    Some(event) => {
                        quiet = false;
                        self.note(event);
                    }
                    None => break,
                }
            }
            if quiet {
                return;
            }
        }
        panic!("no rest");
    }

    fn check_lives(&self) {
        for (unit, life) in &self.lives {
            self.check_first_start(unit, life);
            let mut relations: BTreeMap<u32, Vec<&RelationHook>> = BTreeMap::new();
            for hook in &life.done {
                if let Hook::Relation(hook) = hook {
                    relations.entry(hook.relation.number).or_default().push(hook);
                }
            }
            for hooks in relations.values() {
                check_relation(unit, hooks);
            }
        }
    }

    fn check_first_start(&self, unit: &UnitName, life: &Life) {
        let names: Vec<String> = life.done.iter().map(Hook::name).collect();
        let at = |wanted: &str| names.iter().position(|name| name == wanted);
        assert!(names.is_empty() || names[0] == "install", "{unit}: {names:?}");
        if let Some(start) = at("start") {
            assert_eq!(at("config-changed"), (0..start).find(|n| names[*n] == "config-changed"), "{unit}: {names:?}");
            let early = |kind: &str| names[..start].iter().any(|name| name.ends_with(&format!("-relation-{kind}")));
            assert!(!["joined", "changed", "departed", "broken"].into_iter().any(early), "{unit}: {names:?}");
        }
        for once in ["install", "stop", "remove"] {
            assert!(names.iter().filter(|name| *name == once).count() <= 1, "{unit}: {names:?}");
        }
        if let Some(remove) = at("remove") {
            assert_eq!(remove, names.len() - 1, "{unit}: {names:?}");
        }
    }

    /// What each live unit has read last of all it can see is what there is.
    fn check_news(&self) {
        let world = self.world.borrow();
        for unit in self.model.units() {
            for relation in self.model.relations(unit.application()) {
                let number = relation.number;
                for other in self.model.members(unit.as_str(), &relation.endpoint) {
                    let there = self.model.unit_data(number, other.as_str());
                    let read = world.read.get(&(unit.to_string(), number, other.to_string()));
                    assert_eq!(read, Some(&there), "{unit} of {other} in {relation}");
                }
            }
            for (relation, app) in self.remote_apps(&unit) {
                let there: Entries = self.model.app_data(relation, &app);
                let read = world.read.get(&(unit.to_string(), relation, app.clone()));
                assert_eq!(read.cloned().unwrap_or_default(), there, "{unit} of {app} in {relation}");
            }
        }
    }

    fn remote_apps(&self, unit: &UnitName) -> Vec<(u32, String)> {
        let own = unit.application();
        let mut apps = Vec::new();
        for id in self.model.relations(own) {
            let other = self
                .model
                .applications()
                .into_iter()
                .find(|app| *app != own && self.model.relations(app).iter().any(|other| other.number == id.number));
            apps.push((id.number, other.unwrap_or(own).to_owned()));
        }
        apps
    }
}

fn check_relation(unit: &UnitName, hooks: &[&RelationHook]) {
    let shown: Vec<String> = hooks.iter().map(|hook| format!("{:?} {:?}", hook.kind, hook.unit)).collect();
    let place = format!("{unit} {}: {shown:#?}", hooks[0].relation);
    // A relation that ends before its `-created` has run has nothing but its end (contract 3.2 row 3, 4.2 rule 3).
    assert!(hooks[0].kind == RelationKind::Created || hooks[0].kind == RelationKind::Broken, "{place}");
    let mut seen: BTreeMap<&UnitName, &str> = BTreeMap::new();
    for (at, hook) in hooks.iter().enumerate() {
        match (hook.kind, &hook.unit) {
            (RelationKind::Created, _) => assert_eq!(at, 0, "{place}"),
            (RelationKind::Broken, _) => {
                assert_eq!(at, hooks.len() - 1, "{place}");
                assert!(seen.values().all(|state| *state == "gone"), "{place}");
            }
            (RelationKind::Joined, Some(other)) => {
                assert_eq!(seen.insert(other, "here"), None, "{place}");
                if let Some(next) = hooks.get(at + 1) {
                    assert_eq!((next.kind, next.unit.as_ref()), (RelationKind::Changed, Some(other)), "{place}");
                }
            }
            (RelationKind::Changed, Some(other)) => assert_eq!(seen.get(other), Some(&"here"), "{place}"),
            (RelationKind::Departed, Some(other)) => assert_eq!(seen.insert(other, "gone"), Some("here"), "{place}"),
            _ => {}
        }
    }
}

fn live(seed: u64) -> Play {
    let versions = ["2.9.52", "3.1.7", "3.6.25", "4.0.14"];
    let mut dice = Dice(seed);
    let version = *dice.one(&versions).unwrap();
    let world = World { dice: Dice(seed ^ 0x5555), calm: false, rewrite: false, read: BTreeMap::new() };
    let mut model = Model::juju(version).unwrap();
    model.seed(seed);
    let mut play = Play {
        model,
        world: Rc::new(RefCell::new(world)),
        dice,
        lives: BTreeMap::new(),
        story: vec![format!("seed {seed}, {version}")],
    };
    let charms = [directory(ZK), directory(KAFKA), directory(LOGS)];
    for (charm, units) in charms.iter().zip([2, 2, 0]) {
        let application = play.application(charm).units(units);
        play.model.deploy(application).unwrap();
    }
    for _ in 0..60 {
        let count = play.dice.roll(12);
        play.steps(count);
        play.operate();
    }
    play.world.borrow_mut().calm = true;
    play.come_to_rest();
    play
}

#[test]
fn c4_3_what_is_guaranteed_holds_in_random_lives() {
    for seed in 0..LIVES {
        println!("seed {seed}");
        let mut play = live(seed);
        play.check_lives();
        play.check_news();
        // Equal values cause no hook.
        let before = play.story.len();
        play.world.borrow_mut().rewrite = true;
        for app in ["zk", "kafka"] {
            play.model.set_config(app, "n", 77).unwrap();
        }
        play.come_to_rest();
        let after: Vec<&String> = play.story[before..].iter().filter(|line| line.contains("-relation-")).collect();
        assert!(after.is_empty(), "{after:?}");
    }
}
