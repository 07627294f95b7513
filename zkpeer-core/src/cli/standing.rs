//! Where everything stands: units, their flags, and what is in the bags.

use std::collections::BTreeMap;

use serde::Serialize;
use zkpeer_core::juju::UnitName;
use zkpeer_core::testing::{Entries, Model};

/// All that is shown at the end.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Standing {
    pub(crate) units: Vec<Unit>,
    pub(crate) applications: Vec<Application>,
    pub(crate) relations: Vec<Relation>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Unit {
    pub(crate) unit: String,
    pub(crate) leader: bool,
    pub(crate) status: String,
    pub(crate) message: String,
    pub(crate) flags: Vec<String>,
}

/// An application, where its leader has set anything.
#[derive(Debug, Serialize)]
pub(crate) struct Application {
    pub(crate) application: String,
    pub(crate) status: String,
    pub(crate) message: String,
    /// What `application-version-set` has set.
    pub(crate) version: String,
    pub(crate) leader_settings: Entries,
}

#[derive(Debug, Serialize)]
pub(crate) struct Relation {
    /// `zk:zkpeer`, or both sides of it.
    pub(crate) relation: String,
    pub(crate) number: u32,
    /// By unit or application; applications' bags only where there is anything in them.
    pub(crate) bags: Vec<(String, Entries)>,
}

/// Where everything stands now.
pub(crate) fn look(model: &Model) -> Standing {
    Standing { units: units(model), applications: applications(model), relations: relations(model) }
}

fn units(model: &Model) -> Vec<Unit> {
    let mut units = model.units();
    units.sort_by_key(|unit| (unit.application().to_owned(), unit.number()));
    let unit = |unit: UnitName| {
        let status = model.status(unit.as_str());
        let (leader, flags) = (model.leader(unit.application()) == Some(&unit), model.flags(unit.as_str()));
        Unit { unit: unit.to_string(), leader, status: status.status, message: status.message, flags }
    };
    units.into_iter().map(unit).collect()
}

fn applications(model: &Model) -> Vec<Application> {
    let application = |name: &&str| {
        let status = model.app_status(name).unwrap_or_default();
        let (version, leader_settings) = (model.workload_version(name).to_owned(), model.leader_settings(name));
        let said = !status.status.is_empty() || !version.is_empty() || !leader_settings.is_empty();
        let (application, status, message) = ((*name).to_owned(), status.status, status.message);
        said.then_some(Application { application, status, message, version, leader_settings })
    };
    model.applications().iter().filter_map(application).collect()
}

fn relations(model: &Model) -> Vec<Relation> {
    let mut sides: BTreeMap<u32, Vec<(&str, String)>> = BTreeMap::new();
    for application in model.applications() {
        for id in model.relations(application) {
            sides.entry(id.number).or_default().push((application, format!("{application}:{}", id.endpoint)));
        }
    }
    let units = model.units();
    let relation = |(number, sides): (u32, Vec<(&str, String)>)| {
        let mut bags = Vec::new();
        for (application, _) in &sides {
            let own = units.iter().filter(|unit| unit.application() == *application);
            bags.extend(own.map(|unit| (unit.to_string(), model.unit_data(number, unit.as_str()))));
            let shared = Some(model.app_data(number, application)).filter(|bag| !bag.is_empty());
            bags.extend(shared.map(|bag| ((*application).to_owned(), bag)));
        }
        let names: Vec<String> = sides.into_iter().map(|(_, name)| name).collect();
        Relation { relation: names.join(" "), number, bags }
    };
    sides.into_iter().map(relation).filter(|relation| !relation.bags.is_empty()).collect()
}
