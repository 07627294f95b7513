//! What Juju's controller knows: applications, units and relations, as data.
//!
//! Nothing here runs anything. What one unit agent has seen of it is in [`super::agent`]; what one hook reads and writes
//! is in [`super::run`].

pub(crate) mod secrets;
pub(crate) mod storage;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use self::secrets::Secrets;
use self::storage::Storage;
use super::charm::CharmFiles;
use super::clock;
use super::hook::Hook;
use super::names::JujuVersion;
use super::shared::Shared;
use super::value::Value;
use crate::juju::{RelationId, UnitName};

/// The entries of one databag, of leader settings or of the charm state.
pub type Entries = BTreeMap<String, String>;

/// A databag. Its version grows only when its content really changes (contract 4.2, 4.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bag {
    pub(crate) entries: Entries,
    pub(crate) version: u64,
}

impl Bag {
    /// Sets and, where the value is empty, removes keys; true if anything changed.
    pub(crate) fn apply(&mut self, changes: &Entries) -> bool {
        let before = self.entries.clone();
        overlay(&mut self.entries, changes);
        let changed = before != self.entries;
        self.version += u64::from(changed);
        changed
    }
}

/// The entries of these pairs.
pub(crate) fn entries(pairs: &[(&str, &str)]) -> Entries {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// Writes the changes over the entries; an empty value takes its key away.
pub(crate) fn overlay(entries: &mut Entries, changes: &Entries) {
    for (key, value) in changes {
        if value.is_empty() {
            entries.remove(key);
        } else {
            entries.insert(key.clone(), value.clone());
        }
    }
}

/// A workload status, of a unit or an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// `active`, `blocked`, ...; `error` is an agent's, not a charm's.
    pub status: String,
    /// The words beside it.
    pub message: String,
    /// When it was set.
    pub(crate) since: Duration,
}

impl Status {
    pub(crate) fn new(status: &str, message: &str) -> Self {
        Self { status: status.to_owned(), message: message.to_owned(), since: clock::START }
    }
}

/// A range of ports, opened or closed by `open-port` and `close-port`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PortRange {
    /// `tcp`, `udp` or `icmp`.
    pub(crate) protocol: String,
    /// The first port; 0 for icmp.
    pub(crate) from: u16,
    /// The last port.
    pub(crate) to: u16,
}

impl std::fmt::Display for PortRange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.protocol.as_str(), self.from == self.to) {
            ("icmp", _) => f.write_str("icmp"),
            (protocol, true) => write!(f, "{}/{protocol}", self.from),
            (protocol, false) => write!(f, "{}-{}/{protocol}", self.from, self.to),
        }
    }
}

/// Open ranges, with the endpoints each is open for; an empty set means all endpoints.
pub(crate) type OpenPorts = BTreeMap<PortRange, BTreeSet<String>>;

/// One application.
#[derive(Clone, Debug, Default)]
pub(crate) struct Application {
    pub(crate) leader: Option<UnitName>,
    pub(crate) leader_settings: Bag,
    pub(crate) charm: Rc<CharmFiles>,
    /// What the user has set; defaults are in the charm.
    pub(crate) config: BTreeMap<String, Value>,
    pub(crate) status: Option<Status>,
    pub(crate) workload_version: String,
    /// May see the credentials of the model's cloud.
    pub(crate) trust: bool,
    /// Grows with each refresh of the charm.
    pub(crate) revision: u64,
    pub(crate) dying: bool,
    /// The number of the next unit; numbers are not used again.
    pub(crate) next_unit: u64,
    /// Nobody claims a vacant leadership while this holds.
    pub(crate) no_elections: bool,
    /// The files of the resources of metadata.yaml, as far as there are any.
    pub(crate) resources: BTreeMap<String, PathBuf>,
    pub(crate) workload: Workload,
}

/// What an application on Kubernetes has asked for, as text (contract 9.17).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Workload {
    pub(crate) spec: Option<String>,
    pub(crate) raw: Option<String>,
}

/// A payload that a unit has registered (contract 9.17).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Payload {
    pub(crate) kind: String,
    pub(crate) labels: Vec<String>,
    pub(crate) status: String,
}

impl Application {
    /// Every option of the charm with its value, null where it has none.
    pub(crate) fn options(&self) -> BTreeMap<String, Value> {
        self.values().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The same, to look at.
    pub(crate) fn values(&self) -> impl Iterator<Item = (&String, &Value)> {
        let options = self.charm.options.iter();
        options.map(|(name, option)| (name, self.config.get(name).unwrap_or(&option.default)))
    }
}

/// One unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) address: Option<String>,
    pub(crate) dying: bool,
    pub(crate) status: Status,
    pub(crate) charm_state: Entries,
    pub(crate) ports: OpenPorts,
    /// By class and id.
    pub(crate) payloads: BTreeMap<(String, String), Payload>,
    /// `JUJU_MACHINE_ID`; units on one machine never run hooks at the same time (contract 1.2).
    pub(crate) machine: u64,
    /// The unit that a subordinate is beside.
    pub(crate) principal: Option<UnitName>,
    pub(crate) series_upgrade: Option<SeriesUpgrade>,
    /// Actions and commands that wait (contract 3.2, rows 8 and 9).
    pub(crate) tasks: VecDeque<Task>,
}

impl Unit {
    /// The task that is next: actions before commands (contract 3.2, rows 8 and 9).
    pub(crate) fn next_task(&self) -> Option<&Task> {
        self.tasks.iter().find(|task| task.hook.is_action()).or(self.tasks.front())
    }
}

/// An action or a command of an operator that waits for its unit.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Task {
    pub(crate) hook: Hook,
    pub(crate) params: Value,
}

/// How far the upgrade of a machine's series is (contract 1.3, 3.2 row 1; up to 3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum SeriesUpgrade {
    /// `pre-series-upgrade` is due.
    Preparing,
    /// The machine is being upgraded; nothing runs.
    Upgrading,
    /// `post-series-upgrade` is due.
    Completing,
}

impl SeriesUpgrade {
    pub(crate) fn hook(self) -> Option<&'static str> {
        match self {
            Self::Preparing => Some("pre-series-upgrade"),
            Self::Upgrading => None,
            Self::Completing => Some("post-series-upgrade"),
        }
    }

    pub(crate) fn after_hook(self) -> Option<Self> {
        (self == Self::Preparing).then_some(Self::Upgrading)
    }
}

/// One relation. A peer relation has one side.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    /// Application and endpoint of each side.
    pub(crate) sides: Vec<(String, String)>,
    pub(crate) since: Duration,
    /// `scope: container`: units see only their counterparts on the same machine (contract 11.1).
    pub(crate) container: bool,
    pub(crate) dying: bool,
    /// The units that have entered and not been removed.
    pub(crate) present: BTreeSet<UnitName>,
    /// Unit bags; they outlive the unit (contract 5.2).
    pub(crate) units: BTreeMap<UnitName, Bag>,
    /// Application bags.
    pub(crate) apps: BTreeMap<String, Bag>,
}

impl Relation {
    fn new(sides: Vec<(String, String)>, since: Duration) -> Self {
        let apps = sides.iter().map(|(app, _)| (app.clone(), Bag::default())).collect();
        let (present, units) = (BTreeSet::new(), BTreeMap::new());
        Self { sides, container: false, dying: false, since, present, units, apps }
    }

    pub(crate) fn is_peer(&self) -> bool {
        self.sides.len() == 1
    }

    /// The application across from `app`: for a peer relation, itself.
    pub(crate) fn remote_app<'a>(&'a self, app: &'a str) -> &'a str {
        let mut others = self.sides.iter().filter(|(name, _)| name != app);
        others.next().map_or(app, |(name, _)| name)
    }

    /// How Juju's messages write the relation: `app:endpoint`, two of them with a space between.
    pub(crate) fn key(&self) -> String {
        let sides: Vec<String> = self.sides.iter().map(|(app, endpoint)| format!("{app}:{endpoint}")).collect();
        sides.join(" ")
    }
}

/// All that the controller knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Controller {
    pub(crate) juju: JujuVersion,
    pub(crate) name: String,
    pub(crate) uuid: String,
    /// The model's own options, as far as they are set: proxies, and `egress-subnets`.
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) api_addresses: Vec<String>,
    /// The model's time, since the UNIX epoch.
    pub(crate) now: Duration,
    pub(crate) secrets: Secrets,
    pub(crate) storage: Storage,
    pub(crate) applications: BTreeMap<String, Shared<Application>>,
    pub(crate) units: BTreeMap<UnitName, Shared<Unit>>,
    pub(crate) relations: BTreeMap<u32, Shared<Relation>>,
    next_relation: u32,
    next_machine: u64,
    /// Failed hooks are retried by and by: the model's option `automatically-retry-hooks` (contract 2.2).
    pub(crate) retries: bool,
    /// Peers do not see that a unit leaves: juju issue 23326, Juju 4 (contract 5.5).
    pub(crate) peer_departure_bug: bool,
}

impl Controller {
    pub(crate) fn new(juju: JujuVersion) -> Self {
        Self {
            juju,
            name: "default".to_owned(),
            uuid: "6a8b0f9e-3f1b-4c41-8d6e-5d0c5a1b2c3d".to_owned(),
            api_addresses: vec!["10.0.0.1:17070".to_owned()],
            retries: true,
            now: clock::START,
            ..Self::default()
        }
    }

    /// The application, created when it is first named.
    pub(crate) fn application(&mut self, name: &str) -> &mut Application {
        self.applications.entry(name.to_owned()).or_default()
    }

    /// A status that is set now.
    pub(crate) fn status(&self, status: &str, message: &str) -> Status {
        Status { since: self.now, ..Status::new(status, message) }
    }

    /// Adds a unit on a machine of its own, with an address of its own and the storage that its charm asks for.
    pub(crate) fn add_unit(&mut self, name: &UnitName, address: Option<String>) {
        let application = self.application(name.application());
        application.next_unit = application.next_unit.max(name.number() + 1);
        if self.units.contains_key(name) {
            return;
        }
        let machine = self.next_machine;
        self.next_machine += 1;
        let number = machine + 4;
        let address = address.or_else(|| Some(format!("10.0.{}.{}", number / 250, number % 250)));
        let status = self.status("waiting", "installing agent");
        let unit = Unit {
            address,
            dying: false,
            status,
            charm_state: Entries::new(),
            ports: OpenPorts::new(),
            payloads: BTreeMap::new(),
            machine,
            principal: None,
            series_upgrade: None,
            tasks: VecDeque::new(),
        };
        self.units.insert(name.clone(), unit.into());
        let charm = Rc::clone(&self.application(name.application()).charm);
        for (storage, spec) in &charm.storage {
            for _ in 0..spec.minimum {
                self.storage.add(name, storage, spec);
            }
        }
    }

    /// Adds a relation; one side makes a peer relation.
    pub(crate) fn add_relation(&mut self, sides: &[(&str, &str)]) -> u32 {
        let number = self.next_relation;
        self.next_relation += 1;
        let sides: Vec<(String, String)> =
            sides.iter().map(|(app, endpoint)| ((*app).to_owned(), (*endpoint).to_owned())).collect();
        self.relations.insert(number, Relation::new(sides, self.now).into());
        number
    }

    /// A relation of a given number, unless there is one.
    pub(crate) fn insert_relation(&mut self, number: u32, sides: Vec<(String, String)>) {
        self.next_relation = self.next_relation.max(number + 1);
        let now = self.now;
        self.relations.entry(number).or_insert_with(|| Relation::new(sides, now).into());
    }

    /// What a unit has in its bag, whatever was there before.
    pub(crate) fn set_unit_bag(&mut self, number: u32, unit: &UnitName, entries: Entries) {
        self.know_unit(number, unit);
        if let Some(bag) = self.relations.get_mut(&number).and_then(|relation| relation.units.get_mut(unit)) {
            bag.version += u64::from(bag.entries != entries);
            bag.entries = entries;
        }
    }

    pub(crate) fn set_application_bag(&mut self, number: u32, application: &str, entries: Entries) {
        if let Some(relation) = self.relations.get_mut(&number) {
            let bag = relation.apps.entry(application.to_owned()).or_default();
            bag.version += u64::from(bag.entries != entries);
            bag.entries = entries;
        }
    }

    /// The unit is there, in the model and in the relation, with an empty bag at first.
    pub(crate) fn know_unit(&mut self, number: u32, unit: &UnitName) {
        self.add_unit(unit, None);
        if let Some(relation) = self.relations.get_mut(&number) {
            relation.present.insert(unit.clone());
            relation.units.entry(unit.clone()).or_default();
        }
    }

    /// The relation's id as the units of `app` see it.
    pub(crate) fn relation_id(&self, number: u32, app: &str) -> Option<RelationId> {
        let sides = &self.relations.get(&number)?.sides;
        let (_, endpoint) = sides.iter().find(|(name, _)| name == app)?;
        Some(RelationId { endpoint: endpoint.clone(), number })
    }

    /// The numbers of the relations that `app` has a side in.
    pub(crate) fn relations_of(&self, app: &str) -> Vec<u32> {
        let has_side = |relation: &Relation| relation.sides.iter().any(|(name, _)| name == app);
        self.relations.iter().filter(|(_, relation)| has_side(relation)).map(|(number, _)| *number).collect()
    }

    /// A unit enters a relation: from now on others see it, with the keys that Juju itself writes (contract 4.6).
    pub(crate) fn enter(&mut self, unit: &UnitName, number: u32) {
        let initial = self.initial_keys(unit);
        if let Some(relation) = self.relations.get_mut(&number)
            && relation.present.insert(unit.clone())
        {
            relation.units.entry(unit.clone()).or_default().apply(&initial);
        }
    }

    /// The keys that Juju writes into a unit's bag on entering, and again with each `config-changed`.
    pub(crate) fn initial_keys(&self, unit: &UnitName) -> Entries {
        let mut keys = Entries::new();
        let subnets = self.egress_subnets(unit);
        if !subnets.is_empty() {
            keys.insert("egress-subnets".to_owned(), subnets.join(","));
        }
        if let Some(address) = self.units.get(unit).and_then(|unit| unit.address.clone()) {
            if !self.juju.is_four() {
                keys.insert("private-address".to_owned(), address.clone());
            }
            keys.insert("ingress-address".to_owned(), address);
        }
        keys
    }

    /// Where the unit's connections come from: the model's option, otherwise the unit's own address.
    pub(crate) fn egress_subnets(&self, unit: &UnitName) -> Vec<String> {
        match (self.options.get("egress-subnets"), self.units.get(unit).and_then(|unit| unit.address.as_ref())) {
            (Some(subnets), _) => subnets.split(',').map(|subnet| subnet.trim().to_owned()).collect(),
            (None, Some(address)) => vec![format!("{address}/32")],
            (None, None) => Vec::new(),
        }
    }

    /// The units that `unit` can see across the relation, in their order, with the versions of their bags.
    pub(crate) fn visible<'a>(
        &'a self,
        relation: &'a Relation,
        unit: &'a UnitName,
    ) -> impl Iterator<Item = (&'a UnitName, u64)> {
        let seen = relation.present.iter().filter(move |other| self.is_across(relation, unit, other));
        seen.map(|other| (other, relation.units.get(other).map_or(0, |bag| bag.version)))
    }

    /// Whether `unit` can see the other unit across the relation.
    pub(crate) fn sees(&self, relation: &Relation, unit: &UnitName, other: &UnitName) -> bool {
        relation.present.contains(other) && self.is_across(relation, unit, other)
    }

    fn is_across(&self, relation: &Relation, unit: &UnitName, other: &UnitName) -> bool {
        let machine = |unit: &UnitName| self.units.get(unit).map(|unit| unit.machine);
        other != unit
            && other.application() == relation.remote_app(unit.application())
            && (!relation.container || machine(other) == machine(unit))
    }

    /// A unit starts to leave: it is gone for all others at once, whatever it still does (contract 5.1).
    pub(crate) fn remove_unit(&mut self, unit: &UnitName) {
        if let Some(unit) = self.units.get_mut(unit) {
            unit.dying = true;
        }
        self.leave_relations(unit);
    }

    /// A unit is gone; so is its leadership.
    pub(crate) fn forget_unit(&mut self, unit: &UnitName) {
        self.units.remove(unit);
        self.secrets.forget(unit);
        self.storage.forget(unit);
        self.leave_relations(unit);
        if let Some(application) = self.applications.get_mut(unit.application())
            && application.leader.as_ref() == Some(unit)
        {
            application.leader = None;
        }
    }

    /// For all others the unit is in no relation any more.
    fn leave_relations(&mut self, unit: &UnitName) {
        let bug = self.peer_departure_bug && self.juju.is_four();
        for relation in self.relations.values_mut().filter(|relation| !(bug && relation.is_peer())) {
            relation.present.remove(unit);
        }
    }

    /// Whether the unit holds its application's leadership.
    pub(crate) fn is_leader(&self, unit: &UnitName) -> bool {
        self.applications.get(unit.application()).is_some_and(|application| application.leader.as_ref() == Some(unit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c4_3_writing_equal_values_is_no_change() {
        let mut bag = Bag::default();
        let entries = Entries::from([("a".to_owned(), "1".to_owned())]);
        assert!(bag.apply(&entries) && !bag.apply(&entries));
        assert_eq!(bag.version, 1);
        assert!(bag.apply(&Entries::from([("a".to_owned(), String::new())])));
        assert!(bag.entries.is_empty());
    }

    #[test]
    fn c4_6_private_address_is_gone_in_juju_4() {
        for (version, keys) in [("3.6.25", 3), ("4.0.14", 2)] {
            let mut controller = Controller::new(version.parse().unwrap());
            let unit = "zk/0".parse().unwrap();
            controller.add_unit(&unit, None);
            assert_eq!(controller.initial_keys(&unit).len(), keys);
        }
    }
}
