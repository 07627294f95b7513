//! Where the two languages differ on purpose: what each number of a difference predicts, on both sides.
//!
//! Numbers with D are those of `zkpeer`'s documentation; those with R in comments are rows of what was observed of the Python
//! interface. Each number is a function; what none of them predicts has to be the same on both sides.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use zkpeer_core::testing::{Entries, Hook, RelationKind};

use crate::lockstep::number;
use crate::seen::Rounds;

/// How often each number was used.
#[derive(Debug, Default)]
pub(crate) struct Ledger(BTreeMap<&'static str, usize>);

static ALL: Mutex<(usize, BTreeMap<&'static str, usize>)> = Mutex::new((0, BTreeMap::new()));

impl Ledger {
    pub(crate) fn note(&mut self, number: &'static str) {
        *self.0.entry(number).or_default() += 1;
    }

    /// Adds it to what all stories have used, and prints that.
    pub(crate) fn publish(&self, story: &str, hooks: usize) {
        let (all_hooks, all) = &mut *ALL.lock().unwrap();
        *all_hooks += hooks;
        self.0.iter().for_each(|(number, times)| *all.entry(number).or_default() += times);
        let list = |used: &BTreeMap<&str, usize>| {
            used.iter().map(|(number, times)| format!("{number} {times}")).collect::<Vec<_>>().join(", ")
        };
        println!("{story}: {hooks} hooks ({}); all so far: {all_hooks} hooks ({})", list(&self.0), list(all));
    }
}

/// The endpoints of the interface, each with the handlers for its flags `joined`, `departed` and `changed`.
pub(crate) const ENDPOINTS: [(&str, [&str; 3]); 2] = [
    (QUORUM, ["quorum_add", "quorum_remove", "quorum_update"]),
    ("watchers", ["watcher_joined", "watcher_departed", "watcher_changed"]),
];
/// The endpoint whose peers are the quorum.
pub(crate) const QUORUM: &str = "zkpeer";
pub(crate) const FLAGS: [&str; 3] = ["joined", "departed", "changed"];

/// The conversations of one endpoint on one side, by the names of their units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Peers {
    pub(crate) joined: BTreeSet<String>,
    pub(crate) departed: BTreeSet<String>,
    pub(crate) changed: BTreeSet<String>,
    /// Those of whom there is a record.
    pub(crate) recorded: BTreeSet<String>,
}

impl Peers {
    /// Those that have one of [`FLAGS`].
    pub(crate) fn flag(&mut self, flag: &str) -> &mut BTreeSet<String> {
        match flag {
            "joined" => &mut self.joined,
            "departed" => &mut self.departed,
            _ => &mut self.changed,
        }
    }

    fn has_flag(&self, unit: &str) -> bool {
        [&self.joined, &self.departed, &self.changed].iter().any(|flag| flag.contains(unit))
    }
}

/// One endpoint on both sides, and what is true of both.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoint {
    pub(crate) ours: Peers,
    pub(crate) python: Peers,
    /// Those of our records whose unit has departed.
    gone: BTreeSet<String>,
    /// Whether this unit is leaving.
    pub(crate) leaving: bool,
    /// The address of each peer as ours saw it in that peer's last hook.
    addresses: BTreeMap<String, String>,
    /// The addresses that Juju keeps for Python: as it has read them first after a peer's last hook.
    kept: BTreeMap<String, Option<String>>,
    /// Those whose record was put back into Python's store.
    put_back: BTreeSet<String>,
}

/// What comes of a handler for a flag of peers in Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// The conversations that it is given.
    These(Vec<String>),
    /// In place of those that have no record any more, the unit that the hook is about.
    InPlace(String),
    /// There is none to take: it fails.
    Nobody,
}

impl Endpoint {
    /// What the interface's own handler does in a hook of this endpoint; `address` is the peer's in this hook.
    pub(crate) fn begin(&mut self, hook: &Hook, unit: &str, address: Option<&String>, ledger: &mut Ledger) {
        let Hook::Relation(hook) = hook else { return };
        let Some(peer) = hook.unit.as_ref().map(ToString::to_string) else { return };
        let leaves = hook.departing.as_ref().is_some_and(|departing| departing.as_str() == unit);
        self.kept.remove(&peer);
        let known = self.addresses.get(&peer).cloned();
        if hook.kind != RelationKind::Departed {
            self.addresses.extend(address.map(|address| (peer.clone(), address.clone())));
        }
        match hook.kind {
            RelationKind::Joined => self.d17_joined(&peer, address.is_some(), ledger),
            RelationKind::Changed => self.d18_changed(&peer, known.as_ref(), address, ledger),
            RelationKind::Departed if leaves => self.d7_leaving(&peer, ledger),
            RelationKind::Departed => self.depart(&peer, ledger),
            _ => {}
        }
    }

    /// R7: in Python a peer has joined in any case; ours waits for its address.
    fn d17_joined(&mut self, peer: &str, has_address: bool, ledger: &mut Ledger) {
        for side in [&mut self.ours, &mut self.python] {
            side.recorded.insert(peer.to_owned());
            side.departed.remove(peer);
        }
        self.gone.remove(peer);
        self.python.joined.insert(peer.to_owned());
        if has_address {
            self.ours.joined.insert(peer.to_owned());
        } else {
            ledger.note("D17");
        }
    }

    /// R7: in Python each `-changed` sets the flag, also the one that follows on joining; ours is for another address.
    fn d18_changed(&mut self, peer: &str, known: Option<&String>, address: Option<&String>, ledger: &mut Ledger) {
        self.python.changed.insert(peer.to_owned());
        match (known, address) {
            (None, Some(_)) => drop(self.ours.joined.insert(peer.to_owned())),
            (Some(known), Some(address)) if known != address => drop(self.ours.changed.insert(peer.to_owned())),
            _ => ledger.note("D18"),
        }
    }

    /// R6: a unit that is removed takes each of its peers for departed in Python; ours notes that it leaves itself.
    fn d7_leaving(&mut self, peer: &str, ledger: &mut Ledger) {
        self.python.joined.remove(peer);
        self.python.departed.insert(peer.to_owned());
        self.leaving = true;
        ledger.note("D7");
    }

    fn depart(&mut self, peer: &str, ledger: &mut Ledger) {
        for side in [&mut self.ours, &mut self.python] {
            side.recorded.insert(peer.to_owned());
            side.joined.remove(peer);
            side.departed.insert(peer.to_owned());
        }
        self.gone.insert(peer.to_owned());
        self.d8_changed_of_the_departed(peer, ledger);
    }

    /// R13: a `changed` that waits when its peer departs stays in Python.
    fn d8_changed_of_the_departed(&mut self, peer: &str, ledger: &mut Ledger) {
        self.ours.changed.remove(peer);
        if self.python.changed.contains(peer) {
            ledger.note("D8 changed");
        }
    }

    /// A handler of ours for one of the flags: none has it any more. Whether it runs at all.
    pub(crate) fn handle_ours(&mut self, flag: &str) -> bool {
        let had = std::mem::take(self.ours.flag(flag));
        !had.is_empty()
    }

    /// A handler of Python's for one of the flags: what it is given.
    pub(crate) fn handle_python(&mut self, flag: &str, hook: &Hook) -> Option<Given> {
        let had = self.python.flag(flag).clone();
        if had.is_empty() {
            return None;
        }
        let these: Vec<String> = had.intersection(&self.python.recorded).cloned().collect();
        if these.is_empty() {
            return Some(d8_nobody_is_recorded(hook));
        }
        Some(Given::These(these))
    }

    /// The end of a hook, which is about this endpoint or not.
    pub(crate) fn end(&mut self, hook: &Hook, about: bool, ledger: &mut Ledger) {
        if about
            && let Hook::Relation(hook) = hook
            && hook.kind == RelationKind::Departed
            && let Some(peer) = &hook.unit
        {
            self.python.recorded.remove(peer.as_str());
            self.d8_departed(peer.as_str(), ledger);
        }
        let Self { ours, gone, .. } = self;
        let flagged = ours.clone();
        ours.recorded.retain(|peer| !gone.contains(peer) || flagged.has_flag(peer));
        gone.retain(|peer| flagged.has_flag(peer));
    }

    /// R4: a peer that departs and is not dismissed has no record in Python, and its flag can never be cleared; ours has one.
    fn d8_departed(&mut self, peer: &str, ledger: &mut Ledger) {
        if self.gone.contains(peer) && self.ours.has_flag(peer) {
            ledger.note("D8 departed");
        }
    }

    /// The members that `get_nodes` of ours gives.
    pub(crate) fn members(&self) -> BTreeSet<String> {
        let there = self.ours.recorded.difference(&self.gone);
        there.filter(|peer| self.addresses.contains_key(*peer)).cloned().collect()
    }

    /// What an operator would have to do for Python: the records of those that have departed are put back, and nobody who has
    /// departed is `changed`. Returns whose records.
    pub(crate) fn put_back(&mut self) -> BTreeSet<String> {
        let Peers { departed, changed, recorded, .. } = &mut self.python;
        changed.retain(|peer| recorded.contains(peer));
        let missing: BTreeSet<String> = departed.difference(recorded).cloned().collect();
        recorded.extend(missing.iter().cloned());
        self.put_back.extend(missing.iter().cloned());
        missing
    }

    /// Records that were put back have done what they were for; returns whose.
    pub(crate) fn drop_put_back(&mut self) -> BTreeSet<String> {
        let put_back = std::mem::take(&mut self.put_back);
        self.python.recorded.retain(|peer| !put_back.contains(peer));
        put_back
    }

    /// Flags in Python that name nobody of whom there is a record are taken away.
    pub(crate) fn mend(&mut self) {
        let Peers { joined, departed, changed, recorded } = &mut self.python;
        [joined, departed, changed].into_iter().for_each(|flag| flag.retain(|peer| recorded.contains(peer)));
    }

    /// The address of a peer as ours saw it in that peer's last hook.
    pub(crate) fn address(&self, peer: &str) -> Option<&String> {
        self.addresses.get(peer)
    }

    /// R7: the address that Python reads at the call; `now` is what it would be if Juju kept none.
    pub(crate) fn d21_read(&mut self, peer: &str, now: Option<&String>, ledger: &mut Ledger) -> Option<String> {
        let read = self.kept.entry(peer.to_owned()).or_insert_with(|| now.cloned()).clone();
        if read.as_ref() != self.addresses.get(peer) {
            ledger.note("D21");
        }
        read
    }

    /// What Juju keeps stays, also when a hook fails.
    pub(crate) fn keep_from(&mut self, other: &Self) {
        self.kept.clone_from(&other.kept);
    }
}

/// R5: with nobody left of those that have the flag, charms.reactive takes the unit that the hook is about.
fn d8_nobody_is_recorded(hook: &Hook) -> Given {
    match hook {
        Hook::Relation(hook) => hook.unit.as_ref().map_or(Given::Nobody, |unit| Given::InPlace(unit.to_string())),
        _ => Given::Nobody,
    }
}

/// R1, R2: a handler of Python's is given those that have its flag; ours gets all the quorum's other members.
pub(crate) fn d4_given(given: &[String], members: &BTreeSet<String>, ledger: &mut Ledger) {
    if !given.iter().eq(members) {
        ledger.note("D4");
    }
}

/// R12: what was said before the relation was entered ours tells in `-created`; in Python the interface cannot be reached then, nor
/// without harm in `-created` (F11), and the charm tells at the end of the hook.
pub(crate) fn d19_created(ours: &mut Rounds, ledger: &mut Ledger) {
    ours.entry(None).or_default().insert(CREATED.to_owned());
    ledger.note("D19 created");
}

/// The handler of our interface for `-created`.
pub(crate) const CREATED: &str = "created";

/// R10: what a unit has told of earlier restarts is taken back by ours, and stays in Python.
pub(crate) fn d6_old_nonces(ours: &mut Entries, python_before: Option<&Entries>) {
    let told = python_before.into_iter().flatten().filter(|(key, _)| key.starts_with(RESTARTED));
    for (key, value) in told {
        ours.entry(key.clone()).or_insert_with(|| value.clone());
    }
}

/// R10, R12: a restart. Python's charm writes by itself, as nothing leads to the interface once `joined` is dismissed.
pub(crate) fn d6_d19_restart(python: &BTreeMap<String, Entries>, ledger: &mut Ledger) {
    ledger.note("D19");
    if python.values().any(|bag| bag.keys().filter(|key| key.starts_with(RESTARTED)).count() > 1) {
        ledger.note("D6");
    }
}

const RESTARTED: &str = "restarted.";

/// The servers' numbers of units.
pub(crate) fn numbers(units: &BTreeSet<String>) -> BTreeSet<u64> {
    units.iter().map(|unit| number(unit)).collect()
}
