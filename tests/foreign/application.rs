//! The life of a whole foreign application: every unit runs the charm, their hooks overlap, and each is compared.

use std::fs;

use zkpeer_core::testing::{Event, Model, Outcome};

use crate::charm::Charm;
use crate::ledger::Ledger;
use crate::life::explain;
use crate::view;

/// An application in a model, and the ledger beside it.
struct Life {
    model: Model,
    ledger: Ledger,
    app: String,
    /// How many hooks have failed so far.
    failed: usize,
}

/// A charm's application goes through its life under one version of Juju; chance decides by the seed.
pub(crate) fn of(charm: &Charm, juju: &str, seed: u64) {
    println!("Juju {juju}, seed {seed}");
    let mut life = Life::new(charm, juju, seed);
    life.deployment(charm);
    life.five_units();
    life.configuration();
    life.another_application();
    life.leadership();
    life.failures();
    life.departures();
    life.end();
}

impl Life {
    fn new(charm: &Charm, juju: &str, seed: u64) -> Self {
        let app = charm.app();
        let mut model = Model::juju(juju).unwrap();
        model.seed(seed);
        charm.prepare(&mut model);
        Self { model, ledger: Ledger::new(&app, charm.manner, juju), app, failed: 0 }
    }

    fn unit(&self, number: u32) -> String {
        format!("{}/{number}", self.app)
    }

    fn units(&self) -> Vec<String> {
        let all = self.model.units().into_iter().map(|unit| unit.to_string());
        all.filter(|unit| unit.starts_with(&self.app)).collect()
    }

    fn deployment(&mut self, charm: &Charm) {
        self.model.deploy(charm.application().units(2)).unwrap();
        self.settle();
        assert_eq!(self.units().len(), 2);
    }

    fn five_units(&mut self) {
        for _ in 0..3 {
            self.model.add_unit(&self.app).unwrap();
        }
        self.settle();
        for unit in self.units() {
            assert_eq!(self.model.members(&unit, "cluster").len(), 4);
            assert_eq!(self.model.unit_data(0, &unit)["word"], "hello");
            assert_eq!(self.model.status(&unit).status, "active");
        }
    }

    fn configuration(&mut self) {
        self.set_config("word", "moon");
        self.settle();
        for unit in self.units() {
            assert_eq!(self.model.unit_data(0, &unit)["word"], "moon");
        }
    }

    fn another_application(&mut self) {
        self.model.deploy(Charm::proxy().units(2)).unwrap();
        self.settle();
        let number = self.model.relate(&format!("{}:website", self.app), "proxy:website").unwrap();
        let id = format!("website:{number}");
        self.ledger.relate(&id, "proxy");
        for unit in ["proxy/0", "proxy/1"] {
            self.ledger.join(&id, unit);
        }
        self.settle();
        assert_eq!(self.model.unit_data(number, &self.unit(4))["port"], "8080");
        assert_eq!(self.model.members("proxy/1", "website").len(), 5);
    }

    /// Leadership goes to another unit; in between nobody has it.
    fn leadership(&mut self) {
        let before = self.leader();
        self.model.remove_leader(&self.app).unwrap();
        for unit in self.units() {
            self.model.update_status(&unit).unwrap();
        }
        self.settle();
        let after = self.units().into_iter().rev().find(|unit| *unit != before).unwrap();
        self.model.set_leader(&after).unwrap();
        self.settle();
        assert!(self.ledger.hooks(&after).contains(&"leader-elected".to_owned()));
        assert_eq!(self.leader(), after);
    }

    /// The hook fails on three of five units, while the others go on.
    fn failures(&mut self) {
        for (number, times) in [(0, 2), (1, 1), (4, 1)] {
            let directory = self.model.charm_dir(&self.unit(number)).unwrap();
            fs::write(directory.join("failures"), times.to_string()).unwrap();
        }
        self.set_config("fail-in", "cluster-relation-changed");
        self.settle();
        let before = self.failed;
        self.set_config("word", "sun");
        self.settle();
        assert!(self.failed >= before + 4, "{} hooks failed", self.failed - before);
        for unit in self.units() {
            assert_eq!(self.model.unit_data(0, &unit).get("unkept"), None);
            assert_eq!(self.model.ports(&unit), [""; 0]);
            self.model.run_action(&unit, "report", &[]).unwrap();
        }
        self.settle();
    }

    /// The leader and another unit leave at the same time, and one comes.
    fn departures(&mut self) {
        let leader = self.leader();
        let other = self.units().into_iter().find(|unit| *unit != leader).unwrap();
        for unit in [&leader, &other] {
            self.model.remove_unit(unit).unwrap();
            self.ledger.leave(unit);
        }
        self.model.add_unit(&self.app).unwrap();
        self.settle();
        assert_eq!(self.units().len(), 4);
        assert!(self.model.is_gone(&leader) && self.model.is_gone(&other));
        assert!(self.units().contains(&self.leader()));
    }

    fn end(&mut self) {
        self.model.remove_relation(&format!("{}:website", self.app), "proxy:website").unwrap();
        self.ledger.end_relation("website:1");
        self.settle();
        let units = self.units();
        self.model.remove_application(&self.app).unwrap();
        for unit in &units {
            self.ledger.leave(unit);
        }
        self.settle();
        for unit in units {
            assert!(self.model.is_gone(&unit));
            assert_eq!(self.ledger.hooks(&unit).last().unwrap(), "remove");
        }
    }

    fn leader(&self) -> String {
        self.model.leader(&self.app).unwrap().to_string()
    }

    fn set_config(&mut self, option: &str, value: &str) {
        self.model.set_config(&self.app, option, value).unwrap();
        self.ledger.set_config(option, value);
    }

    /// Lets everything happen that is due, and compares each hook; one that fails is retried when nothing else is due.
    fn settle(&mut self) {
        loop {
            let leader = self.model.leader(&self.app).cloned();
            match self.model.step().unwrap() {
                Some(Event::Began(unit, hook)) if unit.application() == self.app => {
                    let (name, before) = (unit.as_str(), self.ledger.hooks(unit.as_str()).len());
                    let view = view::next(self.model.charm_dir(name).unwrap(), before);
                    self.ledger.begin(name, &hook, leader.as_ref() == Some(&unit), &view);
                }
                Some(Event::Ended(run)) if run.unit.application() == self.app => {
                    let told = matches!(run.outcome, Outcome::Done | Outcome::Refused(_)) || run.exit == Some(1);
                    assert!(told, "{}", explain(&run));
                    self.failed += usize::from(run.failed());
                    self.ledger.end(&run);
                }
                Some(_) => {}
                None if self.retry() => {}
                None => break,
            }
        }
        self.ledger.quiet();
    }

    /// Whether there was a failed hook to retry.
    fn retry(&mut self) -> bool {
        let failed: Vec<String> = self.units().into_iter().filter(|unit| self.model.failed(unit).is_some()).collect();
        for unit in &failed {
            self.model.retry(unit).unwrap();
        }
        !failed.is_empty()
    }
}
