//! What happens in the middle of a hook, while its program runs: before one of its hook commands.

use std::rc::Rc;

use super::controller::{Controller, Entries};
use super::value::Value;
use crate::juju::UnitName;

/// Something that others do while a unit's hook runs; see [`Model::before_command`](super::Model::before_command).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// This unit leads its application from now on.
    Leader(UnitName),
    /// Nobody leads the application.
    NoLeader(String),
    /// `juju remove-unit`.
    RemoveUnit(UnitName),
    /// `juju remove-relation`, of the relation with this number.
    RemoveRelation(u32),
    /// `juju add-storage`: one more instance for the unit.
    AddStorage {
        /// The unit.
        unit: UnitName,
        /// The name in metadata.yaml.
        name: String,
    },
    /// `juju config`.
    Config {
        /// The application.
        application: String,
        /// The option.
        option: String,
        /// Its new value.
        value: Value,
    },
    /// Another hook's changes to a unit's bag are applied.
    UnitData {
        /// The relation's number.
        relation: u32,
        /// Whose bag.
        unit: UnitName,
        /// What is set, and, where the value is empty, removed.
        entries: Entries,
    },
    /// Another hook's changes to an application's bag are applied.
    AppData {
        /// The relation's number.
        relation: u32,
        /// Whose bag.
        application: String,
        /// What is set, and, where the value is empty, removed.
        entries: Entries,
    },
}

impl Change {
    pub(crate) fn apply(self, controller: &mut Controller) {
        match self {
            // It may be gone by now.
            Self::Leader(unit) if !controller.units.contains_key(&unit) => {}
            Self::Leader(unit) => {
                let application = controller.application(unit.application());
                application.leader = Some(unit);
            }
            Self::NoLeader(application) => {
                let application = controller.application(&application);
                application.no_elections = true;
                application.leader = None;
            }
            Self::RemoveUnit(unit) => controller.remove_unit(&unit),
            Self::RemoveRelation(number) => {
                if let Some(relation) = controller.relations.get_mut(&number) {
                    relation.dying = true;
                }
            }
            Self::AddStorage { unit, name } => {
                let charm = Rc::clone(&controller.application(unit.application()).charm);
                if let Some(spec) = charm.storage.get(&name) {
                    controller.storage.add(&unit, &name, spec);
                }
            }
            Self::Config { application, option, value } => {
                controller.application(&application).config.insert(option, value);
            }
            Self::UnitData { relation, unit, entries } => {
                if let Some(relation) = controller.relations.get_mut(&relation) {
                    relation.units.entry(unit).or_default().apply(&entries);
                }
            }
            Self::AppData { relation, application, entries } => {
                if let Some(relation) = controller.relations.get_mut(&relation) {
                    relation.apps.entry(application).or_default().apply(&entries);
                }
            }
        }
    }
}
