//! What an operator would have to do on a unit in Python after a difference was seen, so that the story goes on for both.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use zkpeer_core::testing::HookRun;

use crate::compare::{Ended, Known};
use crate::differences::{Endpoint, FLAGS};
use crate::lockstep::Side;
use crate::seen::{CONVERSATIONS, MEMBERS};

impl Known {
    /// The cure: what D8 keeps and Python has forgotten is put back into its store.
    pub(crate) fn put_back(&mut self, unit: &str, side: &Side) -> Vec<String> {
        let mut keys = Vec::new();
        for (name, endpoint) in &mut self.endpoints {
            let Some(relation) = self.relations.get(*name) else { continue };
            for peer in endpoint.put_back() {
                let key = format!("{CONVERSATIONS}{name}:{relation}.{peer}");
                let record = json!({"namespace": format!("{name}:{relation}"), "scope": peer, "units": [peer]});
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
                let value = json!({"relation": name, "conversations": keys}).to_string();
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
    pub(crate) fn forget_put_back(&mut self, unit: &str, side: &Side) {
        for (name, endpoint) in &mut self.endpoints {
            let Some(relation) = self.relations.get(*name) else { continue };
            for peer in endpoint.drop_put_back() {
                let key = format!("{CONVERSATIONS}{name}:{relation}.{peer}");
                store(side, unit).execute("DELETE FROM kv WHERE key = ?1", [&key]).unwrap();
            }
        }
    }

    /// After a mistake was seen: Python's quorum becomes what it was meant to be, and the flag that named nobody goes.
    pub(crate) fn mend(&mut self, ended: &Ended<'_>, side: &Side) {
        self.endpoints.values_mut().for_each(Endpoint::mend);
        self.write_flags(ended.ours.unit.as_str(), side);
        self.quorum.clone_from(&ended.seen.quorum);
        copy(MEMBERS, ended);
    }
}

fn store(side: &Side, unit: &str) -> Connection {
    Connection::open(side.model.charm_dir(unit).unwrap().join(".unit-state.db")).unwrap()
}

/// A file of the unit's becomes in Python what it is on our side.
pub(crate) fn copy(name: &str, ended: &Ended<'_>) {
    let directory = |run: &HookRun| Path::new(&run.environment["JUJU_CHARM_DIR"]).to_owned();
    fs::copy(directory(ended.ours).join(name), directory(&ended.python).join(name)).unwrap();
}
