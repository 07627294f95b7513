//! What the handlers need of the unit's server, whatever it is behind: its files on the machine, or data in a test.

mod files;

use std::io;

use serde::Deserialize;
use zkpeer_core::interfaces::zookeeper_quorum::Node;
use zkpeer_core::juju::UnitName;

pub use files::Files;

/// Where clients connect.
pub const CLIENT_PORT: u16 = 2181;

/// The number of a unit's server in the ensemble; 0 is none of ZooKeeper's.
pub(crate) fn id_of(unit: &UnitName) -> u64 {
    unit.number() + 1
}

/// A member of the ensemble.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Member {
    /// The number of its server.
    pub id: u64,
    /// Its address.
    pub address: String,
}

impl From<&Node> for Member {
    fn from(node: &Node) -> Self {
        Self { id: id_of(&node.unit), address: node.address.clone() }
    }
}

/// The options of the charm that the server knows.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    tick_time: u32,
    init_limit: u32,
    sync_limit: u32,
    autopurge_purge_interval: u32,
    autopurge_snap_retain_count: u32,
}

/// The unit's server. What is done twice is as what is done once, so that a hook that was killed can run again.
pub trait Server {
    /// Makes room for the server's data, and gives it its number.
    ///
    /// # Errors
    ///
    /// If that cannot be written; so for all that write.
    fn install(&self, id: u64) -> io::Result<()>;

    /// The server's number.
    ///
    /// # Errors
    ///
    /// If it has none, or it cannot be read; so for all that read.
    fn id(&self) -> io::Result<u64>;

    /// Gives it its settings.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    fn configure(&self, settings: &Settings) -> io::Result<()>;

    /// The members that it has been told, in the order of their numbers.
    ///
    /// # Errors
    ///
    /// As for [`id`](Self::id).
    fn members(&self) -> io::Result<Vec<Member>>;

    /// Tells it all members.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    fn set_members(&self, members: Vec<Member>) -> io::Result<()>;

    /// Adds a znode to those that are to be there.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    fn add_namespace(&self, path: &str) -> io::Result<()>;

    /// Tells what runs the server to do something; the same order twice is one.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    fn order(&self, order: &str) -> io::Result<()>;

    /// This unit's own place among the members, once it has one.
    ///
    /// # Errors
    ///
    /// As for [`id`](Self::id).
    fn own(&self) -> io::Result<Option<Member>> {
        let id = self.id()?;
        Ok(self.members()?.into_iter().find(|member| member.id == id))
    }

    /// Gives this unit its own place among the members.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    fn set_own(&self, own: Member) -> io::Result<()> {
        let mut members = self.members()?;
        members.retain(|member| member.id != own.id);
        members.push(own);
        self.set_members(members)
    }

    /// Sets all other members: these are wanted, and this unit.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    fn set_peers(&self, peers: &[Node]) -> io::Result<()> {
        self.set_members(self.own()?.into_iter().chain(peers.iter().map(Member::from)).collect())
    }
}
