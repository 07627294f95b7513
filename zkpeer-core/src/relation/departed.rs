//! The units that have departed from an endpoint, with what they had published, until somebody has done with them.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::databag::Databag;
use super::related::{RelatedUnit, Relation, Units};
use crate::context::Context;
use crate::error::Error;
use crate::juju::{Bag, RelationId, UnitName};

/// Where charms.reactive keeps them; the endpoint's name comes behind.
const PREFIX: &str = "reactive.endpoints.departed.";

/// A departed unit as charms.reactive stores it.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    relation: RelationId,
    unit_name: UnitName,
    data: Bag,
}

fn key(endpoint: &str) -> String {
    format!("{PREFIX}{endpoint}")
}

fn read(context: &Context, endpoint: &str) -> Result<Vec<Record>, Error> {
    Ok(context.get::<Option<Vec<Record>>>(&key(endpoint))?.flatten().unwrap_or_default())
}

fn write(context: &Context, endpoint: &str, records: &[Record]) -> Result<(), Error> {
    if records.is_empty() {
        context.unset(&key(endpoint));
        return Ok(());
    }
    Ok(context.set(&key(endpoint), records)?)
}

/// All of them, in the order in which they departed.
pub(super) fn units(context: &Context, endpoint: &str) -> Result<Units, Error> {
    let unit = |record: Record| {
        let bag = Databag::new(&record.relation, &record.unit_name, Rc::new(record.data));
        RelatedUnit::departed(Relation::new(context, record.relation), record.unit_name, bag)
    };
    Ok(Units::in_order(read(context, endpoint)?.into_iter().map(unit).collect()))
}

/// A unit departs in this hook.
pub(crate) fn note(context: &Context, unit: &RelatedUnit) -> Result<(), Error> {
    let endpoint = &unit.relation().id().endpoint;
    let mut records = read(context, endpoint)?;
    records.push(Record {
        relation: unit.relation().id().clone(),
        unit_name: unit.name().clone(),
        data: unit.received_or_nothing()?,
    });
    write(context, endpoint, &records)
}

/// Only those stay for which it is true.
pub(super) fn retain(context: &Context, endpoint: &str, stays: impl Fn(&UnitName) -> bool) -> Result<(), Error> {
    let mut records = read(context, endpoint)?;
    records.retain(|record| stays(&record.unit_name));
    write(context, endpoint, &records)
}
