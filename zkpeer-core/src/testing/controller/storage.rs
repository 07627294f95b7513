//! The storage of the model: instances, each attached to one unit (contract 9.15, 11.1).

use std::collections::BTreeMap;

use crate::juju::UnitName;
use crate::testing::charm::{StorageKind, StorageSpec};

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Instance {
    pub(crate) unit: UnitName,
    pub(crate) kind: StorageKind,
    pub(crate) location: String,
    /// It has been made and is there for the unit; `install` waits for it (contract 3.1).
    pub(crate) provisioned: bool,
    /// It is to be detached.
    pub(crate) dying: bool,
}

/// All instances, by their ids: `data/0`.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Storage {
    all: BTreeMap<String, Instance>,
    /// One counter serves all storage of the model.
    next: u32,
}

impl Storage {
    /// Gives the unit one more instance, and returns its id.
    pub(crate) fn add(&mut self, unit: &UnitName, name: &str, spec: &StorageSpec) -> String {
        let id = format!("{name}/{}", self.next);
        let location = location(&id, self.next, spec);
        self.next += 1;
        let instance = Instance { unit: unit.clone(), kind: spec.kind, location, provisioned: true, dying: false };
        self.all.insert(id.clone(), instance);
        id
    }

    /// A unit is gone: so is what it had.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.all.retain(|_, instance| instance.unit != *unit);
    }

    /// The instance, if the unit has it.
    pub(crate) fn of_unit(&self, unit: &UnitName, id: &str) -> Option<&Instance> {
        self.all.get(id).filter(|instance| instance.unit == *unit)
    }

    /// All instances of the unit, in the order of their ids.
    pub(crate) fn all_of<'a>(&'a self, unit: &'a UnitName) -> impl Iterator<Item = (&'a str, &'a Instance)> {
        self.all.iter().filter(move |(_, instance)| instance.unit == *unit).map(|(id, found)| (id.as_str(), found))
    }

    /// How many instances of that name the unit has.
    pub(crate) fn count(&self, unit: &UnitName, name: &str) -> usize {
        self.all_of(unit).filter(|(id, _)| storage_name(id) == name).count()
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Instance> {
        self.all.get_mut(id)
    }

    /// The instance has been detached from its unit, or was never attached.
    pub(crate) fn remove(&mut self, id: &str) {
        self.all.remove(id);
    }
}

/// `data` of `data/0`.
pub(crate) fn storage_name(id: &str) -> &str {
    id.split_once('/').map_or(id, |(name, _)| name)
}

fn location(id: &str, number: u32, spec: &StorageSpec) -> String {
    match (&spec.location, spec.kind) {
        (_, StorageKind::Block) => {
            format!("/dev/sd{}", char::from(b'b' + u8::try_from(number % 25).unwrap_or_default()))
        }
        (Some(location), _) if spec.maximum == Some(1) => location.clone(),
        (Some(location), _) => format!("{location}/{id}"),
        (None, _) => format!("/var/lib/juju/storage/{id}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c9_15_one_counter_serves_all_storage() {
        let mut storage = Storage::default();
        let unit = "zk/0".parse().unwrap();
        let mut spec = StorageSpec {
            kind: StorageKind::Filesystem,
            minimum: 1,
            maximum: Some(1),
            location: None,
            shared: false,
            read_only: false,
        };
        assert_eq!(storage.add(&unit, "data", &spec), "data/0");
        spec.location = Some("/srv".to_owned());
        assert_eq!(storage.add(&unit, "logs", &spec), "logs/1");
        spec.maximum = None;
        storage.add(&unit, "logs", &spec);
        let locations: Vec<&str> = storage.all_of(&unit).map(|(_, instance)| instance.location.as_str()).collect();
        assert_eq!(locations, ["/var/lib/juju/storage/data/0", "/srv", "/srv/logs/2"]);
        assert_eq!(storage.count(&unit, "logs"), 2);
    }
}
