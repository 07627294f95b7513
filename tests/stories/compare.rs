//! After a hook: what each side has to show, given what is known of the unit and what the differences predict.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use zkpeer_core::testing::{Entries, Hook, HookRun, Model};

use crate::differences::{self, ENDPOINTS, Endpoint, FLAGS, Given, Ledger, QUORUM};
use crate::judge;
use crate::lockstep::{APP, Side, number};
use crate::seen::{CONVERSATIONS, Call, Calls, MEMBERS, Rounds, Seen};

/// What is known of a unit between its hooks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known {
    /// What ours has shown last.
    ours: Seen,
    /// The quorum in Python's file.
    quorum: BTreeMap<u64, String>,
    /// The status that Python shows.
    status: String,
    /// What Python has published.
    bags: BTreeMap<String, Entries>,
    endpoints: BTreeMap<&'static str, Endpoint>,
    /// The number of each relation, by endpoint.
    relations: BTreeMap<String, u32>,
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

/// What is predicted of the handlers for peers' flags.
#[derive(Clone, Debug, Default)]
struct Predicted {
    ours: Rounds,
    python: Vec<Call>,
    /// In which rounds Python's status is set anew.
    python_status: Vec<u32>,
    /// The handler for which Python has nobody to give.
    crash: Option<&'static str>,
    /// Whether Python has taken a peer for another.
    mistaken: bool,
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
            // Nothing is kept but what is in files.
            for (name, endpoint) in &next.endpoints {
                self.endpoints.entry(name).or_default().keep_from(endpoint);
            }
            self.quorum = next.quorum;
            self.ours.quorum.clone_from(&ended.seen.quorum);
        } else {
            if predicted.mistaken {
                next.mend(&ended, side);
            }
            next.forget_put_back(&unit, side);
            next.ours = ended.seen.clone();
            next.bags = shown.bags;
            next.status = shown.status;
            *self = next;
        }
        Ok(())
    }

    /// Both sides' peers go through the hook.
    fn happen(&mut self, ended: &Ended<'_>, ledger: &mut Ledger) -> Predicted {
        let hook = &ended.ours.hook;
        let unit = ended.ours.unit.as_str();
        let round = self.handlers_run_in(ended);
        if let Some(own) = ended.seen.quorum.get(&number(unit)).filter(|_| ran(ended.seen, "configure")) {
            self.quorum.insert(number(unit), own.clone());
        }
        let mut predicted = Predicted::default();
        for (name, handlers) in ENDPOINTS {
            let endpoint = self.endpoints.entry(name).or_default();
            let about = matches!(hook, Hook::Relation(about) if about.relation.endpoint == name);
            if about {
                endpoint.begin(hook, unit, about_address(hook, &ended.addresses), ledger);
            }
            let members = endpoint.members();
            for (flag, handler) in FLAGS.into_iter().zip(handlers) {
                if round.is_none() || predicted.crash.is_some() {
                    break;
                }
                let ours = endpoint.handle_ours(flag);
                if ours {
                    predicted.ours.entry(round).or_default().insert(handler.to_owned());
                }
                let Some(given) = endpoint.handle_python(flag, hook) else { continue };
                let peers = match given {
                    Given::These(peers) => peers,
                    Given::InPlace(peer) => {
                        ledger.note("D8 mistaken");
                        predicted.mistaken = true;
                        vec![peer]
                    }
                    Given::Nobody => {
                        predicted.crash = Some(handler);
                        continue;
                    }
                };
                if ours && !predicted.mistaken {
                    differences::d4_given(&peers, &members, ledger);
                }
                for peer in &peers {
                    let address = endpoint.d20_read(peer, ended.addresses.get(peer), ledger);
                    if name == QUORUM {
                        write_quorum(&mut self.quorum, flag, peer, address);
                    }
                }
                predicted.python.push(Call { round, handler: handler.to_owned(), peers: Some(peers) });
            }
            if about {
                endpoint.end(hook, ledger);
            } else {
                endpoint.end(&Hook::Plain(String::new()), ledger);
            }
        }
        let python: Vec<u32> =
            predicted.python.iter().filter(|call| is_of_quorum(&call.handler)).filter_map(|call| call.round).collect();
        let ours = predicted.ours.iter().filter(|(_, handlers)| handlers.iter().any(|handler| is_of_quorum(handler)));
        let ours: Vec<u32> = ours.filter_map(|(round, _)| *round).collect();
        for status in status_runs_in(&self.ours, ended.seen, round, &ours) {
            predicted.ours.entry(Some(status)).or_default().insert(STATUS.to_owned());
        }
        predicted.python_status = status_runs_in(&self.ours, ended.seen, round, &python);
        predicted
    }

    /// The round in which handlers that wait for `zookeeper.installed` run, if they do.
    fn handlers_run_in(&self, ended: &Ended<'_>) -> Option<u32> {
        match (self.ours.flags.contains_key("zookeeper.installed"), ended.held) {
            (true, _) => Some(0),
            (false, false) => Some(1),
            (false, true) => None,
        }
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
        if ended.seen.failed {
            previous.set_peers(&mut expected, |endpoint| &endpoint.python);
            return expected;
        }
        self.set_peers(&mut expected, |endpoint| &endpoint.python);
        self.endpoints.keys().for_each(|name| drop(expected.flags.remove(&format!("{name}.leaving"))));
        if !predicted.python_status.is_empty() && !expected.status.is_empty() {
            expected.status = ready(&self.quorum);
        } else if expected.status.starts_with(READY) {
            expected.status.clone_from(&self.status);
        }
        for (endpoint, bag) in &mut expected.bags {
            differences::d6_old_nonces(bag, self.bags.get(endpoint));
        }
        if ran(ended.seen, "restart") {
            differences::d6_d19_restart(&expected.bags, ledger);
        }
        expected
    }

    /// What is predicted of ours.
    fn check_ours(&self, ended: &Ended<'_>, predicted: &Predicted, before: &Seen) -> Result<(), String> {
        let mut expected = ended.seen.clone();
        let known = ENDPOINTS.iter().flat_map(|(_, handlers)| handlers).copied().chain([STATUS]);
        let known: BTreeSet<&str> = known.collect();
        for handlers in expected.handlers.values_mut() {
            handlers.retain(|handler| !known.contains(handler.as_str()));
        }
        for (round, handlers) in &predicted.ours {
            expected.handlers.entry(*round).or_default().extend(handlers.iter().cloned());
        }
        expected.handlers.retain(|_, handlers| !handlers.is_empty());
        let own = number(ended.ours.unit.as_str());
        let handled = predicted.ours.values().flatten().any(|handler| is_of_quorum(handler));
        let mut members: BTreeSet<u64> = match self.endpoints.get(QUORUM).filter(|_| handled) {
            Some(endpoint) => differences::numbers(&endpoint.members()).into_iter().chain([own]).collect(),
            None => before.quorum.keys().copied().collect(),
        };
        if ran(ended.seen, "configure") {
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

    /// The cure: what D8 keeps and Python has forgotten is put back into its store.
    fn put_back(&mut self, unit: &str, side: &Side) -> Vec<String> {
        let mut keys = Vec::new();
        for (name, endpoint) in &mut self.endpoints {
            let Some(relation) = self.relations.get(*name) else { continue };
            for peer in endpoint.put_back() {
                let key = format!("{CONVERSATIONS}{name}:{relation}.{peer}");
                let record =
                    serde_json::json!({"namespace": format!("{name}:{relation}"), "scope": peer, "units": [peer]});
                store(side, unit)
                    .execute("INSERT OR REPLACE INTO kv (key, data) VALUES (?1, ?2)", (&key, record.to_string()))
                    .unwrap();
                keys.push(key);
            }
        }
        self.write_flags(unit, side);
        keys
    }

    /// The flags of peers in Python's store become what they are here.
    fn write_flags(&self, unit: &str, side: &Side) {
        for (name, endpoint) in &self.endpoints {
            let Some(relation) = self.relations.get(*name) else { continue };
            for flag in FLAGS {
                let peers = endpoint.python.clone().flag(flag).clone();
                let keys: Vec<String> =
                    peers.iter().map(|peer| format!("{CONVERSATIONS}{name}:{relation}.{peer}")).collect();
                let value = serde_json::json!({"relation": name, "conversations": keys}).to_string();
                let row = format!("reactive.states.{name}.{flag}");
                let store = store(side, unit);
                if peers.is_empty() {
                    store.execute("DELETE FROM kv WHERE key = ?1", [row]).unwrap();
                } else {
                    store.execute("UPDATE kv SET data = ?2 WHERE key = ?1", [row, value]).unwrap();
                }
            }
        }
    }

    /// Records of those that have departed and were put back have done what they were for.
    fn forget_put_back(&mut self, unit: &str, side: &Side) {
        for (name, endpoint) in &mut self.endpoints {
            let Some(relation) = self.relations.get(*name) else { continue };
            for peer in endpoint.drop_put_back() {
                let key = format!("{CONVERSATIONS}{name}:{relation}.{peer}");
                store(side, unit).execute("DELETE FROM kv WHERE key = ?1", [&key]).unwrap();
            }
        }
    }

    /// After a mistake was seen: Python's quorum becomes what it was meant to be, and the flag that named nobody goes.
    fn mend(&mut self, ended: &Ended<'_>, side: &Side) {
        self.endpoints.values_mut().for_each(Endpoint::mend);
        self.write_flags(ended.ours.unit.as_str(), side);
        self.quorum.clone_from(&ended.seen.quorum);
        copy(MEMBERS, ended);
    }
}

fn write_quorum(quorum: &mut BTreeMap<u64, String>, flag: &str, peer: &str, address: Option<String>) {
    match flag {
        "departed" => drop(quorum.remove(&number(peer))),
        // R7: it writes what it gets.
        _ => drop(quorum.insert(number(peer), address.unwrap_or_else(|| "None".to_owned()))),
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

fn about_address<'a>(hook: &Hook, addresses: &'a BTreeMap<String, String>) -> Option<&'a String> {
    let Hook::Relation(hook) = hook else { return None };
    addresses.get(hook.unit.as_ref()?.as_str())
}

fn ran(seen: &Seen, handler: &str) -> bool {
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

/// The handler that sets the status.
const STATUS: &str = "status";
/// What it says begins so.
const READY: &str = "active ready";

/// What the charm says of these members.
fn ready(members: &BTreeMap<u64, String>) -> String {
    let hint = match members.len() {
        0..=2 => "; fewer than 3 tolerate no failure",
        even if even.is_multiple_of(2) => "; an even number tolerates no more failures than one less",
        _ => "",
    };
    let ids: Vec<String> = members.keys().map(ToString::to_string).collect();
    format!("{READY}, quorum of {}: {}{hint}", members.len(), ids.join(" "))
}

fn is_of_quorum(handler: &str) -> bool {
    handler.starts_with("quorum_")
}

/// The rounds in which the status is set: when the server is started and what was reported is no longer so, in round 0 or
/// after a change of either; `quorum` are the rounds of the handlers for the quorum. If the hook stumbles, it does so at the
/// end of the round `last`.
fn status_runs_in(before: &Seen, after: &Seen, last: Option<u32>, quorum: &[u32]) -> Vec<u32> {
    let runs =
        |handler: &str, round: u32| after.handlers.get(&Some(round)).is_some_and(|handlers| handlers.contains(handler));
    let is_configured = after.failed || after.flags.contains_key("zookeeper.configured");
    let mut started = before.flags.contains_key("zookeeper.started");
    let mut reported = before.flags.contains_key("zookeeper.reported");
    let (mut rounds, mut changed) = (Vec::new(), true);
    let end = if after.failed { last.unwrap_or_default() } else { MAX_ROUNDS };
    for round in 0..=end {
        let due = started && !reported && changed;
        changed = false;
        if quorum.contains(&round) || (runs("configure", round) && is_configured) {
            changed |= reported;
            reported = false;
        }
        if runs("start", round) {
            started = true;
            changed = true;
        }
        if due {
            rounds.push(round);
            reported = true;
            changed = true;
        }
    }
    rounds
}

/// More than any hook of the charm has.
const MAX_ROUNDS: u32 = 8;

fn store(side: &Side, unit: &str) -> Connection {
    Connection::open(side.model.charm_dir(unit).unwrap().join(".unit-state.db")).unwrap()
}

/// A file of the unit's becomes in Python what it is on our side.
fn copy(name: &str, ended: &Ended<'_>) {
    let directory = |run: &HookRun| Path::new(&run.environment["JUJU_CHARM_DIR"]).to_owned();
    fs::copy(directory(ended.ours).join(name), directory(&ended.python).join(name)).unwrap();
}
