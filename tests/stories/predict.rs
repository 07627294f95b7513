//! What the differences predict of one hook: which handlers for peers run on each side, and what is given to them.

use std::collections::BTreeMap;

use zkpeer_core::testing::{Hook, RelationKind};

use crate::compare::{Ended, Known, has_configured};
use crate::differences::{self, ENDPOINTS, Endpoint, FLAGS, Given, Ledger, QUORUM};
use crate::lockstep::number;
use crate::seen::{Call, Rounds, Seen};

/// What is predicted of the handlers for peers' flags.
#[derive(Clone, Debug, Default)]
pub(crate) struct Predicted {
    pub(crate) ours: Rounds,
    pub(crate) python: Vec<Call>,
    /// In which rounds Python's status is set anew.
    pub(crate) python_status: Vec<u32>,
    /// The handler for which Python has nobody to give.
    pub(crate) crash: Option<&'static str>,
    /// Whether Python has taken a peer for another.
    pub(crate) mistaken: bool,
}

impl Known {
    /// Both sides' peers go through the hook.
    pub(crate) fn happen(&mut self, ended: &Ended<'_>, ledger: &mut Ledger) -> Predicted {
        let hook = &ended.ours.hook;
        let unit = ended.ours.unit.as_str();
        let round = self.handlers_run_in(ended);
        if let Some(own) = ended.seen.quorum.get(&number(unit)).filter(|_| has_configured(ended.seen)) {
            self.quorum.insert(number(unit), own.clone());
        }
        let mut predicted = Predicted::default();
        if matches!(hook, Hook::Relation(about) if about.kind == RelationKind::Created) {
            differences::d19_created(&mut predicted.ours, ledger);
        }
        if let Some(about) = self.about(hook) {
            about.begin(hook, unit, about_address(hook, &ended.addresses), ledger);
        }
        for (name, handlers) in ENDPOINTS {
            for (flag, handler) in FLAGS.into_iter().zip(handlers) {
                if round.is_some() && predicted.crash.is_none() {
                    self.handle(ended, (name, flag, handler), round, &mut predicted, ledger);
                }
            }
        }
        for (name, _) in ENDPOINTS {
            let about = matches!(hook, Hook::Relation(about) if about.relation.endpoint == name);
            self.endpoints.entry(name).or_default().end(hook, about, ledger);
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

    /// One handler for a flag of peers, on both sides.
    fn handle(
        &mut self,
        ended: &Ended<'_>,
        (name, flag, handler): (&'static str, &'static str, &'static str),
        round: Option<u32>,
        predicted: &mut Predicted,
        ledger: &mut Ledger,
    ) {
        let hook = &ended.ours.hook;
        let endpoint = self.endpoints.entry(name).or_default();
        let members = endpoint.members();
        let ours = endpoint.handle_ours(flag);
        if ours {
            predicted.ours.entry(round).or_default().insert(handler.to_owned());
        }
        let (peers, led) = match endpoint.handle_python(flag, hook) {
            None => return,
            Some(Given::Nobody) => {
                predicted.crash = Some(handler);
                return;
            }
            Some(Given::These(peers)) => {
                if ours {
                    differences::d4_given(&peers, &members, ledger);
                }
                (peers, Some(endpoint))
            }
            Some(Given::InPlace(peer)) => {
                ledger.note("D8 mistaken");
                predicted.mistaken = true;
                // The conversation is one of the hook's endpoint, and so is the flag that is dismissed for it.
                (vec![peer], self.about(hook))
            }
        };
        let Some(led) = led else { return };
        let addresses: Vec<Option<String>> =
            peers.iter().map(|peer| led.d21_read(peer, ended.addresses.get(peer), ledger)).collect();
        led.python.flag(flag).retain(|peer| !peers.contains(peer));
        for (peer, address) in peers.iter().zip(addresses).filter(|_| name == QUORUM) {
            write_quorum(&mut self.quorum, flag, peer, address);
        }
        predicted.python.push(Call { round, handler: handler.to_owned(), peers: Some(peers) });
    }

    /// The endpoint that the hook is about.
    fn about(&mut self, hook: &Hook) -> Option<&mut Endpoint> {
        let Hook::Relation(about) = hook else { return None };
        let (name, _) = ENDPOINTS.into_iter().find(|(name, _)| about.relation.endpoint == *name)?;
        Some(self.endpoints.entry(name).or_default())
    }

    /// The round in which handlers that wait for `zookeeper.installed` run, if they do.
    fn handlers_run_in(&self, ended: &Ended<'_>) -> Option<u32> {
        match (self.ours.flags.contains_key("zookeeper.installed"), ended.held) {
            (true, _) => Some(0),
            (false, false) => Some(1),
            (false, true) => None,
        }
    }
}

/// The handler that sets the status.
pub(crate) const STATUS: &str = "status";

fn write_quorum(quorum: &mut BTreeMap<u64, String>, flag: &str, peer: &str, address: Option<String>) {
    match flag {
        "departed" => drop(quorum.remove(&number(peer))),
        // R7: it writes what it gets.
        _ => drop(quorum.insert(number(peer), address.unwrap_or_else(|| "None".to_owned()))),
    }
}

fn about_address<'a>(hook: &Hook, addresses: &'a BTreeMap<String, String>) -> Option<&'a String> {
    let Hook::Relation(hook) = hook else { return None };
    addresses.get(hook.unit.as_ref()?.as_str())
}

pub(crate) fn is_of_quorum(handler: &str) -> bool {
    handler.starts_with("quorum_")
}

/// The rounds in which the status is set: when the server is started and what was reported is no longer so, in round 0 or
/// after a change of either; `quorum` are the rounds of the handlers for the quorum. If the hook stumbles, it does so at the
/// end of the round `last`.
fn status_runs_in(before: &Seen, after: &Seen, last: Option<u32>, quorum: &[u32]) -> Vec<u32> {
    let runs =
        |handler: &str, round: u32| after.handlers.get(&Some(round)).is_some_and(|handlers| handlers.contains(handler));
    let mut started = before.flags.contains_key("zookeeper.started");
    let mut reported = before.flags.contains_key("zookeeper.reported");
    let (mut rounds, mut changed) = (Vec::new(), true);
    let end = if after.failed { last.unwrap_or_default() } else { MAX_ROUNDS };
    for round in 0..=end {
        let due = started && !reported && changed;
        changed = false;
        if quorum.contains(&round) || (runs("configure", round) && has_configured(after)) {
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
