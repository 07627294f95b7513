//! One story told by both languages at once: the same steps, and after every hook a comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::fs;
use std::time::Duration;

use tests::dice::Dice;
use zkpeer_core::testing::{Error, Event, Hook, HookRun, Model, Step};

use crate::compare::{Ended, Known, addresses_in};
use crate::differences::Ledger;
use crate::seen::{self, Calls, Seen};
use crate::{judge, ours};

/// The application in every story.
pub(crate) const APP: &str = "zookeeper";

/// After so many steps without a pause there is no end to a story.
const MAX_STEPS: usize = 5_000;

/// A model in which one of the languages tells.
pub(crate) struct Side {
    pub(crate) model: Model,
    calls: fn(&Model, &HookRun) -> Calls,
}

impl Side {
    pub(crate) fn ours(charm: &ours::Charm) -> Self {
        let mut model = Model::new();
        model.deploy(charm.application().units(0)).unwrap();
        Self { model, calls: ours::calls }
    }

    pub(crate) fn python(charm: &judge::Charm) -> Self {
        let mut model = Model::new();
        tests::python::prepare(&mut model);
        model.deploy(charm.application().units(0)).unwrap();
        Self { model, calls: judge::calls }
    }

    /// Lets everything happen that is due, each hook that fails only once; returns them all.
    pub(crate) fn settle(&mut self) -> Vec<HookRun> {
        let mut runs = Vec::new();
        while let Some(step) = self.model.steps().into_iter().next() {
            if let Event::Ended(run) = self.take(&step) {
                runs.push(*run);
            }
        }
        runs
    }

    /// What may happen next, by its text.
    fn due(&self) -> BTreeMap<String, Step> {
        self.model.steps().into_iter().map(|step| (step.to_string(), step)).collect()
    }

    fn take(&mut self, step: &Step) -> Event {
        let event = self.model.take(step).unwrap();
        self.model.check().unwrap();
        event
    }

    /// Runs the unit's next hook from its beginning to its end, now.
    pub(crate) fn run_next(&mut self, unit: &str) -> HookRun {
        let step = self.model.steps().into_iter().find(|step| step.unit().as_str() == unit).unwrap();
        self.take(&step);
        match self.take(&Step::End(unit.parse().unwrap())) {
            Event::Ended(run) => *run,
            other => panic!("{other:?} is no end of a hook"),
        }
    }

    pub(crate) fn calls(&self, run: &HookRun) -> Calls {
        (self.calls)(&self.model, run)
    }

    pub(crate) fn seen(&self, run: &HookRun) -> Seen {
        Seen::of(&self.model, run, &self.calls(run))
    }
}

/// What was so when a hook began.
#[derive(Default)]
struct Begun {
    held: bool,
    addresses: BTreeMap<String, String>,
}

/// A story while it is told.
pub(crate) struct Tale {
    name: String,
    pub(crate) ours: Side,
    pub(crate) python: Side,
    dice: Option<Dice>,
    told: Vec<String>,
    pub(crate) ledger: Ledger,
    known: BTreeMap<String, Known>,
    /// What was so when the hooks that run now began.
    begun: BTreeMap<String, Begun>,
    addresses: BTreeMap<String, String>,
    /// The numbers of the servers that have, or had, an address.
    owners: BTreeMap<String, u64>,
    removed: BTreeSet<String>,
    /// The address of each server.
    current: BTreeMap<u64, String>,
    /// So many more hooks may fail on our side.
    stumbles: usize,
    hooks: usize,
    /// How long all hooks in Python took.
    time: Duration,
    /// Their directories are there as long as the story.
    _charms: (ours::Charm, judge::Charm),
}

impl Tale {
    /// A story that begins with so many units; where Juju leaves something to chance, always the first comes true.
    pub(crate) fn new(name: &str, units: u64) -> Self {
        Self::of(name, units, judge::Charm::quick(), None)
    }

    /// The same with a seed for what Juju leaves to chance.
    pub(crate) fn random(name: &str, units: u64, seed: u64) -> Self {
        Self::of(name, units, judge::Charm::quick(), Some(Dice(seed)))
    }

    pub(crate) fn of(name: &str, units: u64, charm: judge::Charm, dice: Option<Dice>) -> Self {
        let our_charm = ours::Charm::new();
        let mut tale = Self {
            name: name.to_owned(),
            ours: Side::ours(&our_charm),
            python: Side::python(&charm),
            dice,
            told: Vec::new(),
            ledger: Ledger::default(),
            known: BTreeMap::new(),
            begun: BTreeMap::new(),
            addresses: BTreeMap::new(),
            owners: BTreeMap::new(),
            removed: BTreeSet::new(),
            current: BTreeMap::new(),
            stumbles: 0,
            hooks: 0,
            time: Duration::ZERO,
            _charms: (our_charm, charm),
        };
        (0..units).for_each(|_| drop(tale.add_unit()));
        tale
    }

    /// Ends the test, and shows the whole story.
    pub(crate) fn fail(&self, why: &dyn Display) -> ! {
        panic!("{}\n{}\n{why}", self.name, self.told.join("\n"));
    }

    pub(crate) fn tell(&mut self, line: String) {
        self.told.push(line);
    }

    /// What an operator does, to both; what cannot be done is refused by both.
    pub(crate) fn operate(&mut self, what: &str, operate: impl Fn(&mut Model) -> Result<(), Error>) {
        let (ours, python) = (operate(&mut self.ours.model), operate(&mut self.python.model));
        let refused = |result: Result<(), Error>| result.err().map(|error| error.to_string());
        let (ours, python) = (refused(ours), refused(python));
        self.tell(format!("-- {what}{}", ours.as_ref().map(|error| format!(": {error}")).unwrap_or_default()));
        if ours != python {
            self.fail(&format!("only one side refuses that: {ours:?} and {python:?}"));
        }
    }

    pub(crate) fn units(&self) -> Vec<String> {
        self.ours.model.units().iter().map(ToString::to_string).collect()
    }

    pub(crate) fn add_unit(&mut self) -> String {
        self.operate("add-unit", |model| model.add_unit(APP).map(drop));
        let unit = self.units().into_iter().max_by_key(|unit| number(unit)).unwrap();
        self.set_address(&unit, &format!("10.0.1.{}", number(&unit)));
        unit
    }

    /// A unit whose address nobody knows yet.
    pub(crate) fn add_unit_without_address(&mut self) -> String {
        self.operate("add-unit", |model| model.add_unit(APP).map(drop));
        let unit = self.units().into_iter().max_by_key(|unit| number(unit)).unwrap();
        self.operate(&format!("no address {unit}"), |model| model.remove_address(&unit));
        unit
    }

    pub(crate) fn remove_unit(&mut self, unit: &str) {
        self.operate(&format!("remove-unit {unit}"), |model| model.remove_unit(unit));
        self.removed.insert(unit.to_owned());
    }

    pub(crate) fn set_leader(&mut self, unit: &str) {
        self.operate(&format!("leader {unit}"), |model| model.set_leader(unit));
    }

    pub(crate) fn remove_leader(&mut self) {
        self.operate("no leader", |model| model.remove_leader(APP));
    }

    pub(crate) fn elect(&mut self) {
        self.operate("elect", |model| model.elect(APP));
    }

    /// The units that are not being removed.
    pub(crate) fn living(&self) -> Vec<String> {
        self.units().into_iter().filter(|unit| !self.removed.contains(unit)).collect()
    }

    pub(crate) fn set_address(&mut self, unit: &str, address: &str) {
        self.owners.insert(address.to_owned(), number(unit));
        self.current.insert(number(unit), address.to_owned());
        self.operate(&format!("address {unit} {address}"), |model| model.set_address(unit, address));
    }

    pub(crate) fn update_status(&mut self, unit: &str) {
        self.operate(&format!("update-status {unit}"), |model| model.update_status(unit));
    }

    pub(crate) fn run_action(&mut self, unit: &str, action: &str) {
        self.operate(&format!("run {unit} {action}"), |model| model.run_action(unit, action, &[]).map(drop));
    }

    /// The unit's `install` waits, until it is let go.
    pub(crate) fn hold_install(&mut self, unit: &str) {
        self.tell(format!("-- install of {unit} waits"));
        self.files(unit, |path| fs::write(path, "").unwrap(), "hold-install");
    }

    pub(crate) fn let_install(&mut self, unit: &str) {
        self.tell(format!("-- install of {unit} goes on"));
        self.files(unit, |path| drop(fs::remove_file(path)), "hold-install");
    }

    /// The unit's next hooks fail, so many.
    pub(crate) fn stumble(&mut self, unit: &str, times: usize) {
        self.tell(format!("-- {unit} stumbles {times} times"));
        self.files(unit, |path| fs::write(path, times.to_string()).unwrap(), "stumble");
        self.stumbles += times;
    }

    fn files(&self, unit: &str, change: impl Fn(&std::path::Path), name: &str) {
        for side in [&self.ours, &self.python] {
            change(&side.model.charm_dir(unit).unwrap().join(name));
        }
    }

    /// Lets everything happen that is due, failed hooks retried, until all is quiet; then the invariants hold.
    pub(crate) fn settle(&mut self) {
        self.settle_but_for_addresses();
        self.check_quiet();
    }

    /// The same while the address of some unit is not known.
    pub(crate) fn settle_but_for_addresses(&mut self) {
        for _ in 0..MAX_STEPS {
            if !self.step() {
                return;
            }
        }
        self.fail(&"there is no end to it");
    }

    /// So many steps, if there are.
    pub(crate) fn go_on(&mut self, steps: usize) {
        for _ in 0..steps {
            if !self.step() {
                return;
            }
        }
    }

    /// Until the unit is about to begin this hook, shown as `name (remote unit)`.
    pub(crate) fn until(&mut self, unit: &str, hook: &str) {
        for _ in 0..MAX_STEPS {
            let next = self.ours.model.due(unit).map(|hook| hook.to_string());
            if self.ours.model.running(unit).is_none() && next.as_deref() == Some(hook) {
                return;
            }
            if !self.step() {
                break;
            }
        }
        self.fail(&format!("{unit} never comes to {hook}"));
    }

    /// One step on both sides; false if nothing is due.
    pub(crate) fn step(&mut self) -> bool {
        let (ours, python) = (self.ours.due(), self.python.due());
        if !ours.keys().eq(python.keys()) {
            let texts = |due: BTreeMap<String, Step>| due.into_keys().collect::<Vec<_>>().join("\n  ");
            self.fail(&format!("ours could go on with\n  {}\nPython with\n  {}", texts(ours), texts(python)));
        }
        // In the model's order, which is not that of the texts.
        let steps = self.ours.model.steps();
        if steps.is_empty() {
            return self.retry();
        }
        let choice = self.dice.as_mut().map_or(0, |dice| dice.below(steps.len()));
        let text = steps[choice].to_string();
        let events = (self.ours.take(&ours[&text]), self.python.take(&python[&text]));
        match events {
            (Event::Ended(ours), Event::Ended(python)) => self.compare(&ours, *python),
            (Event::Began(unit, _), Event::Began(..)) => self.begin(unit.as_str(), text),
            (Event::Elected(_), Event::Elected(_)) => self.tell(text),
            (ours, python) => self.fail(&format!("{ours:?} and {python:?}")),
        }
        true
    }

    /// Failed hooks run again; false if there is none.
    fn retry(&mut self) -> bool {
        let failed: Vec<String> =
            self.units().into_iter().filter(|unit| self.ours.model.failed(unit).is_some()).collect();
        for unit in &failed {
            self.operate(&format!("retry {unit}"), |model| model.retry(unit));
        }
        !failed.is_empty()
    }

    fn begin(&mut self, unit: &str, text: String) {
        self.tell(text);
        self.addresses = addresses_in(&self.ours.model, std::mem::take(&mut self.addresses));
        let held = self.ours.model.charm_dir(unit).unwrap().join("hold-install").exists();
        self.begun.insert(unit.to_owned(), Begun { held, addresses: self.addresses.clone() });
    }

    fn compare(&mut self, ours: &HookRun, python: HookRun) {
        self.hooks += 1;
        self.time += python.time;
        let unit = ours.unit.to_string();
        let seen = self.ours.seen(ours);
        self.tell(format!("{unit} ends {ours}\n   ours   {seen}"));
        let shown = self.python.seen(&python);
        self.tell(format!("   Python {shown}"));
        self.check_ours(ours, &seen);
        self.check_action(&ours.hook);
        let Begun { held, addresses } = self.begun.remove(&unit).unwrap_or_default();
        let mut known = self.known.remove(&unit).unwrap_or_default();
        let ended = Ended { ours, python, seen: &seen, held, addresses };
        if let Err(why) = known.compare(ended, &mut self.python, &mut self.ledger) {
            self.fail(&why);
        }
        self.known.insert(unit, known);
    }

    /// An action answers the same, but for those that have restarted, to whom nothing leads in Python (D19).
    fn check_action(&self, hook: &Hook) {
        let Hook::Action { id, .. } = hook else { return };
        let answer = |side: &Side| {
            let report = side.model.action(*id).unwrap();
            let mut results = report.results.clone();
            ["restarted", "stdout", "stderr"].iter().for_each(|name| drop(results.remove(*name)));
            (report.completed, report.message.clone(), results)
        };
        let (ours, python) = (answer(&self.ours), answer(&self.python));
        if ours != python {
            self.fail(&format!("ours answers {ours:?}, and Python {python:?}"));
        }
    }

    /// What holds after every hook on our side.
    fn check_ours(&mut self, run: &HookRun, seen: &Seen) {
        if seen.failed {
            if self.stumbles == 0 {
                self.fail(&format!("a hook of ours fails by itself: {}", run.problem().unwrap_or_default()));
            }
            self.stumbles -= 1;
        }
        for (member, address) in &seen.quorum {
            if self.owners.get(address) != Some(member) {
                self.fail(&format!("{} takes {address} for the address of server {member}", run.unit));
            }
        }
    }

    /// What holds on our side when all is quiet: each unit's quorum is the units that there are, with their addresses.
    fn check_quiet(&mut self) {
        let members: Vec<u64> = self.units().iter().map(|unit| number(unit)).collect();
        let addresses: BTreeMap<u64, String> =
            members.iter().map(|member| (*member, self.current[member].clone())).collect();
        for unit in self.units() {
            let directory = self.ours.model.charm_dir(&unit).unwrap();
            if directory.join("hold-install").exists() {
                continue;
            }
            let quorum = seen::quorum(directory);
            if quorum != addresses {
                self.fail(&format!("all is quiet, the quorum of {unit} is {quorum:?}, and there are {addresses:?}"));
            }
        }
    }

    /// The story is over: its differences are counted.
    pub(crate) fn end(mut self) -> Told {
        self.settle();
        self.ledger.publish(&self.name, self.hooks);
        Told { lines: self.told, python: self.time / self.hooks.max(1) as u32 }
    }
}

/// A story that is over.
pub(crate) struct Told {
    pub(crate) lines: Vec<String>,
    /// How long a hook in Python took, on average.
    pub(crate) python: Duration,
}

/// The server's number of a unit.
pub(crate) fn number(unit: &str) -> u64 {
    unit.rsplit('/').next().and_then(|number| number.parse::<u64>().ok()).map_or(0, |number| number + 1)
}
