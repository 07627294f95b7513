//! What can be seen of a unit between its hooks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{OrBad, Unit, relation_id};
use crate::context::FLAG_PREFIX;
use crate::juju::Bag;
use crate::params;
use crate::testing::controller::Status;
use crate::testing::programs::Lines;

impl Unit {
    /// The unit's name, `app/0`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The charm's directory, a temporary one. Nothing is in it at first but `layer.yaml`, if the charm has one; files that a test
    /// puts there are the charm's to its handlers.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[must_use]
    pub fn charm_dir(&self) -> &Path {
        self.files.path()
    }

    /// The directory that handlers take for `/` where they ask for [`Root`](crate::Root), with the directories that every machine
    /// has.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[track_caller]
    #[must_use]
    pub fn root_dir(&self) -> PathBuf {
        self.files.path();
        let root = self.files.root();
        params::make_root(root).or_bad("no temporary directory");
        root.to_owned()
    }

    /// The lines of the programs that handlers have run, if [`Programs`](crate::testing::Programs) answer for them.
    #[must_use]
    pub fn programs(&self) -> Vec<String> {
        self.faked::<Lines>().unwrap_or_default().0
    }

    /// The flags that are set, in order.
    #[must_use]
    pub fn flags(&self) -> Vec<String> {
        self.store.range(FLAG_PREFIX).map(|(key, _)| key[FLAG_PREFIX.len()..].to_owned()).collect()
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn is_set(&self, flag: &str) -> bool {
        self.store.contains(&format!("{FLAG_PREFIX}{flag}"))
    }

    /// Everything that the unit has stored, as JSON.
    #[must_use]
    pub fn stored(&self) -> BTreeMap<String, String> {
        self.store.range("").map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
    }

    /// The unit's workload status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.controller.units.get(&self.name).map(|unit| unit.status.clone()).unwrap_or_default()
    }

    /// The hook commands of the last hook, in order, as they would be written: `status-set active ready`.
    #[must_use]
    pub fn commands(&self) -> Vec<String> {
        self.commands.iter().map(ToString::to_string).collect()
    }

    /// What the unit has outside Juju, as far as it is a [fake](Self::fake) of this type; the first, if there are several.
    #[must_use]
    pub fn faked<S: Clone + 'static>(&self) -> Option<S> {
        self.outside.as_ref().and_then(|outside| outside.fakes.save().get())
    }

    /// The fakes, each as text.
    pub(super) fn fake_texts(&self) -> Vec<String> {
        let texts = self.outside.as_ref().map(|outside| outside.fakes.save().texts());
        texts.into_iter().flatten().map(|(_, text)| text).collect()
    }

    /// What the unit has published in its own databag of a relation, by hooks that succeeded.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    #[must_use]
    pub fn published(&self, relation: &str) -> Bag {
        self.own_bag(relation_id(relation).number)
    }

    pub(super) fn own_bag(&self, number: u32) -> Bag {
        let relation = self.controller.relations.get(&number);
        let own = relation.and_then(|relation| relation.units.get(&self.name)).map(|bag| bag.entries.clone());
        let juju = self.controller.initial_keys(&self.name);
        own.unwrap_or_default().into_iter().filter(|(key, value)| juju.get(key) != Some(value)).collect()
    }

    /// What the unit's application has published in its databag of a relation, by hooks that succeeded.
    ///
    /// # Panics
    ///
    /// If the relation's id is none.
    #[track_caller]
    #[must_use]
    pub fn published_app(&self, relation: &str) -> Bag {
        self.application_bag(relation_id(relation).number)
    }

    pub(super) fn application_bag(&self, number: u32) -> Bag {
        let relation = self.controller.relations.get(&number);
        let own = relation.and_then(|relation| relation.apps.get(self.name.application()));
        own.map(|bag| bag.entries.clone()).unwrap_or_default()
    }
}
