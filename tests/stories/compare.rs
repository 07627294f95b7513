//! After a hook: what each side has to show, given what is known of the unit and what the differences predict.

use std::collections::{BTreeMap, BTreeSet};

use zkpeer_core::testing::{Entries, Hook, HookRun, Model};

use crate::cure::copy;
use crate::differences::{self, ENDPOINTS, Endpoint, FLAGS, Ledger, QUORUM};
use crate::judge;
use crate::lockstep::{APP, Side, number};
use crate::predict::{Predicted, STATUS, is_of_quorum};
use crate::seen::{Call, Calls, Seen};

/// What is known of a unit between its hooks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// What ours has shown last.
    pub(crate) ours: Seen,
    /// The quorum in Python's file.
    pub(crate) quorum: BTreeMap<u64, String>,
    /// The status that Python shows.
    status: String,
    /// What Python has published.
    bags: BTreeMap<String, Entries>,
    pub(crate) endpoints: BTreeMap<&'static str, Endpoint>,
    /// The number of each relation, by endpoint.
    pub(crate) relations: BTreeMap<String, u32>,
}

/// A hook that has ended on both sides.
pub(crate) struct Ended<'a> {
    pub(crate) ours: &'a HookRun,
    pub(crate) python: HookRun,
    /// What ours shows.
    pub(crate) seen: &'a Seen,
    /// Whether `install` waits.
    pub(crate) held: bool,
    /// The peers' addresses as they were when the hook began.
    pub(crate) addresses: BTreeMap<String, String>,
}

impl Known {
    /// Compares; the sides' units go on from there.
    ///
    /// # Errors
    ///
    /// What differs and was not predicted.
    pub(crate) fn compare(&mut self, mut ended: Ended<'_>, side: &mut Side, ledger: &mut Ledger) -> Result<(), String> {
        let unit = ended.ours.unit.to_string();
        self.relations = side.model.relations(APP).into_iter().map(|id| (id.endpoint.clone(), id.number)).collect();
        let mut next = self.clone();
        let mut predicted = next.happen(&ended, ledger);
        if predicted.crash.is_some() {
            ledger.note("D8 crash");
            next.expect_crash(&ended, &predicted, side)?;
            let mut cured = self.clone();
            let missing = cured.put_back(&unit, side);
            if ended.seen.failed {
                // It fails on our side as the story says, and in Python before it could: the next attempt is compared.
                copy("stumble", &ended);
                cured.keep_files(next, ended.seen);
                *self = cured;
                return Ok(());
            }
            side.model.retry(&unit).map_err(|error| error.to_string())?;
            ended.addresses = addresses_in(&side.model, ended.addresses);
            ended.python = side.run_next(&unit);
            next = cured.clone();
            predicted = next.happen(&ended, &mut Ledger::default());
            if predicted.crash.is_some() {
                return Err(format!("Python would fail again, with {missing:?} put back"));
            }
        }
        let shown = side.seen(&ended.python);
        let expected = next.expected(self, &ended, &predicted, ledger);
        next.check_ours(&ended, &predicted, &self.ours)?;
        let beside = expected.beside(&shown);
        if !beside.is_empty() {
            let problem = ended.python.problem().unwrap_or_default();
            return Err(format!("Python's {unit} in {}:\n{beside}{problem}", ended.ours));
        }
        check_given(&predicted.python, &side.calls(&ended.python))?;
        if ended.seen.failed {
            self.keep_files(next, ended.seen);
        } else {
            if predicted.mistaken {
                next.mend(&ended, side);
            }
            next.forget_put_back(&unit, side);
            next.ours = ended.seen.clone();
            next.bags = shown.bags;
            if !shown.status.is_empty() {
                next.status = shown.status;
            }
            *self = next;
        }
        Ok(())
    }

    /// After a hook that has failed nothing is kept but what is in files, and what Juju keeps.
    fn keep_files(&mut self, failed: Self, seen: &Seen) {
        for (name, endpoint) in &failed.endpoints {
            self.endpoints.entry(name).or_default().keep_from(endpoint);
        }
        self.quorum = failed.quorum;
        self.ours.quorum.clone_from(&seen.quorum);
    }

    /// What Python has to show: what ours shows, but for the differences.
    fn expected(&self, previous: &Self, ended: &Ended<'_>, predicted: &Predicted, ledger: &mut Ledger) -> Seen {
        let mut expected = ended.seen.clone();
        for (round, handlers) in &predicted.ours {
            expected.handlers.entry(*round).or_default().retain(|handler| !handlers.contains(handler));
        }
        for call in &predicted.python {
            expected.handlers.entry(call.round).or_default().insert(call.handler.clone());
        }
        for round in &predicted.python_status {
            expected.handlers.entry(Some(*round)).or_default().insert(STATUS.to_owned());
        }
        expected.handlers.retain(|_, handlers| !handlers.is_empty());
        expected.quorum.clone_from(&self.quorum);
        self.endpoints.keys().for_each(|name| drop(expected.flags.remove(&format!("{name}.leaving"))));
        for (endpoint, bag) in &mut expected.bags {
            differences::d6_old_nonces(bag, self.bags.get(endpoint));
        }
        if ended.seen.failed {
            previous.set_peers(&mut expected, |endpoint| &endpoint.python);
            return expected;
        }
        self.set_peers(&mut expected, |endpoint| &endpoint.python);
        if !predicted.python_status.is_empty() && !expected.status.is_empty() {
            expected.status = ready(&self.quorum);
        } else if expected.status.starts_with(READY) {
            expected.status.clone_from(&self.status);
        }
        if ran(ended.seen, "restart") {
            differences::d6_d19_restart(&expected.bags, ledger);
        }
        expected
    }

    /// What is predicted of ours.
    fn check_ours(&self, ended: &Ended<'_>, predicted: &Predicted, before: &Seen) -> Result<(), String> {
        let mut expected = ended.seen.clone();
        let known = ENDPOINTS.iter().flat_map(|(_, handlers)| handlers).copied().chain([STATUS, differences::CREATED]);
        let known: BTreeSet<&str> = known.collect();
        for handlers in expected.handlers.values_mut() {
            handlers.retain(|handler| !known.contains(handler.as_str()));
        }
        for (round, handlers) in &predicted.ours {
            expected.handlers.entry(*round).or_default().extend(handlers.iter().cloned());
        }
        expected.handlers.retain(|_, handlers| !handlers.is_empty());
        self.check_quorum(ended, predicted, before)?;
        if ended.seen.failed {
            expected.flags.clone_from(&before.flags);
            expected.conversations.clone_from(&before.conversations);
        } else {
            self.set_peers(&mut expected, |endpoint| &endpoint.ours);
            for (name, endpoint) in &self.endpoints {
                expected.flags.remove(&format!("{name}.leaving"));
                if endpoint.leaving {
                    expected.flags.insert(format!("{name}.leaving"), None);
                }
            }
            if ran(ended.seen, STATUS) && !expected.status.is_empty() {
                expected.status = ready(&ended.seen.quorum);
            }
        }
        let beside = expected.beside(ended.seen);
        if beside.is_empty() { Ok(()) } else { Err(format!("our {} in {}:\n{beside}", ended.ours.unit, ended.ours)) }
    }

    /// Ours writes all members when it handles peers, and its own line when it configures.
    fn check_quorum(&self, ended: &Ended<'_>, predicted: &Predicted, before: &Seen) -> Result<(), String> {
        let own = number(ended.ours.unit.as_str());
        let handled = predicted.ours.values().flatten().any(|handler| is_of_quorum(handler));
        let mut members: BTreeSet<u64> = match self.endpoints.get(QUORUM).filter(|_| handled) {
            Some(endpoint) => {
                let own = before.quorum.contains_key(&own).then_some(own);
                differences::numbers(&endpoint.members()).into_iter().chain(own).collect()
            }
            None => before.quorum.keys().copied().collect(),
        };
        if has_configured(ended.seen) {
            members.insert(own);
        }
        let written =
            |peer: &String, endpoint: &Endpoint| endpoint.address(peer) == ended.seen.quorum.get(&number(peer));
        let peers = self.endpoints.get(QUORUM).filter(|_| handled);
        if peers.is_some_and(|endpoint| !endpoint.members().iter().all(|peer| written(peer, endpoint))) {
            return Err(
                "the quorum of ours has to have the addresses that its peers had in their last hooks".to_owned()
            );
        }
        if !members.iter().eq(ended.seen.quorum.keys()) {
            return Err(format!("the quorum of ours has to be {members:?}"));
        }
        Ok(())
    }

    /// The flags of peers, and their conversations.
    fn set_peers(&self, seen: &mut Seen, side: impl Fn(&Endpoint) -> &differences::Peers) {
        seen.conversations.clear();
        for (name, endpoint) in &self.endpoints {
            let Some(relation) = self.relations.get(*name) else { continue };
            let key = |unit: &String| format!("{name}:{relation}.{unit}");
            let peers = side(endpoint);
            for flag in FLAGS {
                let full = format!("{name}.{flag}");
                let units = peers.clone().flag(flag).clone();
                seen.flags.remove(&full);
                if !units.is_empty() {
                    seen.flags.insert(full, Some(units.iter().map(key).collect()));
                }
            }
            let records = peers.recorded.iter().map(|unit| (key(unit), vec![unit.clone()]));
            seen.conversations.extend(records);
        }
    }

    /// Python fails, and each retry fails the same way.
    fn expect_crash(&self, ended: &Ended<'_>, predicted: &Predicted, side: &mut Side) -> Result<(), String> {
        let unit = ended.ours.unit.to_string();
        let mut run = ended.python.clone();
        for attempt in 0..3 {
            let last = side.calls(&run).0.pop().map(|call| call.handler);
            if !judge::failed_for_want_of_a_peer(&run) || last.as_deref() != predicted.crash {
                return Err(format!(
                    "Python has to fail for good in {:?} of {} on {unit}, having nobody to give to it; attempt {attempt}: {last:?}, {:?}",
                    predicted.crash,
                    ended.ours,
                    run.problem()
                ));
            }
            if attempt < 2 && !matches!(ended.ours.hook, Hook::Action { .. }) {
                side.model.retry(&unit).map_err(|error| error.to_string())?;
                run = side.run_next(&unit);
            }
        }
        Ok(())
    }
}

/// The address of each unit as the others can read it now; of those that are gone what it was.
pub(crate) fn addresses_in(model: &Model, before: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut addresses = before;
    for unit in model.units() {
        let bags = model.relations(APP).into_iter().map(|id| model.unit_data(id.number, unit.as_str()));
        if let Some(address) = bags.into_iter().find_map(|bag| bag.get("ingress-address").cloned()) {
            addresses.insert(unit.to_string(), address);
        }
    }
    addresses
}

/// Whether the server was configured: with an address of its own.
pub(crate) fn has_configured(seen: &Seen) -> bool {
    ran(seen, "configure") && (seen.failed || seen.flags.contains_key("zookeeper.configured"))
}

pub(crate) fn ran(seen: &Seen, handler: &str) -> bool {
    seen.handlers.values().any(|handlers| handlers.contains(handler))
}

fn check_given(predicted: &[Call], calls: &Calls) -> Result<(), String> {
    let sorted = |call: &Call| {
        let mut peers = call.peers.clone();
        peers.iter_mut().for_each(|peers| peers.sort());
        Call { peers, ..call.clone() }
    };
    let of_peers = |call: &&Call| ENDPOINTS.iter().any(|(_, handlers)| handlers.contains(&call.handler.as_str()));
    let found: Vec<Call> = calls.0.iter().filter(of_peers).map(sorted).collect();
    if found == predicted { Ok(()) } else { Err(format!("Python's handlers are given {found:?}, not {predicted:?}")) }
}

/// What the charm says while it is ready begins so.
const READY: &str = "active ready";

/// What the charm says of these members.
fn ready(members: &BTreeMap<u64, String>) -> String {
    let hint = match members.len() {
        0..=2 => "; fewer than 3 tolerate no failure",
        even if even.is_multiple_of(2) => "; an odd number is better",
        _ => "",
    };
    let ids: Vec<String> = members.keys().map(ToString::to_string).collect();
    format!("{READY}, quorum of {}: {}{hint}", members.len(), ids.join(" "))
}
