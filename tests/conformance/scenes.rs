//! Situations that tests of several sections begin with, and what may happen in them.

use zkpeer_core::testing::Step;

use crate::stage::{CLIENT, METADATA, Play, Stage};

/// Of these hooks those of relations.
pub(crate) fn of_relations(hooks: Vec<String>) -> Vec<String> {
    hooks.into_iter().filter(|hook| hook.contains("-relation-")).collect()
}

/// zk with so many units, and kafka with so many, related as number 1, everything at rest; zk/0 and kafka/0 lead.
pub(crate) fn related(stage: &Stage<'_>, zk: u64, kafka: u64) -> Play {
    let mut model = stage.model().deploy(METADATA, zk).deploy(CLIENT, kafka);
    model.set_leader("zk/0").unwrap();
    model.set_leader("kafka/0").unwrap();
    assert_eq!(model.relate("kafka:zookeeper", "zk:client").unwrap(), 1);
    model.settle();
    model
}

/// zk with so many units, everything at rest; zk/0 leads.
pub(crate) fn peers(stage: &Stage<'_>, units: u64) -> Play {
    let mut model = stage.model().deploy(METADATA, units);
    model.set_leader("zk/0").unwrap();
    model.settle();
    model
}

/// The hooks that the unit may begin now.
pub(crate) fn may_begin(model: &Play, unit: &str) -> Vec<String> {
    let steps = model.steps().into_iter().filter(|step| step.unit().as_str() == unit);
    steps.filter_map(|step| if let Step::Begin(_, hook) = step { Some(hook.to_string()) } else { None }).collect()
}
