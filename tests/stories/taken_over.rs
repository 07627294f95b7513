//! A deployed charm on charms.reactive is refreshed to ours in place, and goes on where it was.

use std::fs;

use zkpeer_core::testing::{Event, HookRun, Model, Outcome};

use crate::lockstep::{APP, number};
use crate::{judge, ours, seen};

/// A deployment in Python, and ours to refresh it to.
struct Deployment {
    model: Model,
    ours: ours::Charm,
    _python: judge::Charm,
}

impl Deployment {
    fn in_python(units: u64) -> Self {
        let python = judge::Charm::quick();
        let mut model = Model::new();
        tests::python::prepare(&mut model);
        model.deploy(python.application().units(units)).unwrap();
        let mut deployment = Self { model, ours: ours::Charm::new(), _python: python };
        deployment.settle();
        deployment
    }

    /// Lets everything happen that is due; each hook that fails does so once.
    fn settle(&mut self) -> Vec<HookRun> {
        let mut runs = Vec::new();
        while let Some(step) = self.model.steps().into_iter().next() {
            if let Event::Ended(run) = self.model.take(&step).unwrap() {
                runs.push(*run);
            }
            self.model.check().unwrap();
        }
        runs
    }

    fn settle_well(&mut self) -> Vec<HookRun> {
        let runs = self.settle();
        for run in &runs {
            assert_eq!(run.outcome, Outcome::Done, "{run} of {}:\n{}", run.unit, run.stderr);
        }
        runs
    }

    /// Each unit's quorum is the units that there are, with their addresses.
    fn assert_quorum(&self) {
        let relations = self.model.relations(APP);
        let relation = relations.iter().find(|relation| relation.endpoint == "zkpeer").unwrap().number;
        let address = |unit: &str| self.model.unit_data(relation, unit)["ingress-address"].clone();
        let units = self.model.units();
        let expected = units.iter().map(|unit| (number(unit.as_str()), address(unit.as_str()))).collect();
        for unit in &units {
            assert_eq!(seen::quorum(self.model.charm_dir(unit.as_str()).unwrap()), expected, "{unit}");
        }
    }
}

#[test]
fn a_charm_on_charms_reactive_is_refreshed_in_place_and_goes_on() {
    let mut deployment = Deployment::in_python(3);
    deployment.assert_quorum();
    deployment.model.refresh(APP, deployment.ours.application()).unwrap();
    let runs = deployment.settle_well();
    let reports = runs.iter().filter_map(|run| run.report.as_ref());
    assert!(!reports.flat_map(|report| report.handlers()).any(|handler| handler == "install"), "it is installed");
    deployment.assert_quorum();

    deployment.model.remove_unit("zookeeper/1").unwrap();
    deployment.model.add_unit(APP).unwrap();
    deployment.settle_well();
    deployment.model.set_address("zookeeper/2", "10.9.9.9").unwrap();
    deployment.settle_well();
    deployment.assert_quorum();
}

#[test]
fn a_unit_that_fails_for_good_in_python_is_cured_by_being_refreshed() {
    let mut deployment = Deployment::in_python(2);
    let unit = deployment.model.add_unit(APP).unwrap().to_string();
    let hold = deployment.model.charm_dir(&unit).unwrap().join("hold-install");
    fs::write(&hold, "").unwrap();
    deployment.settle();
    deployment.model.remove_unit("zookeeper/0").unwrap();
    deployment.settle();
    // R4, R5: of the departed peer there is no record any more, and the next hook without a relation has nobody to give.
    fs::remove_file(hold).unwrap();
    deployment.model.update_status(&unit).unwrap();
    for _ in 0..3 {
        let runs = deployment.settle();
        assert!(runs.last().is_some_and(HookRun::failed), "{runs:?}");
        deployment.model.retry(&unit).unwrap();
    }
    deployment.settle();

    deployment.model.refresh_by_force(APP, deployment.ours.application()).unwrap();
    deployment.model.retry(&unit).unwrap();
    deployment.settle_well();
    assert!(!deployment.model.flags(&unit).contains(&"zkpeer.departed".to_owned()));
    deployment.assert_quorum();
}
