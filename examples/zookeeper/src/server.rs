//! The server's files: `zoo.cfg`, the membership in `zoo.cfg.dynamic`, `data/myid`, and the znodes for clients in `namespaces`.
//!
//! What runs the server reads them, and looks at `order`, which says when it is to be started and restarted.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use zkpeer_core::interfaces::zookeeper_quorum::Node;
use zkpeer_core::juju::UnitName;
use zkpeer_core::{CharmDir, Context, FromContext, Param, Rejection, Resource};

/// Where clients connect.
pub const CLIENT_PORT: u16 = 2181;

/// The number of a unit's server in the ensemble; 0 is none of ZooKeeper's.
pub(crate) fn id_of(unit: &UnitName) -> u64 {
    unit.number() + 1
}

/// Where the server's files are: a path, from the charm's directory.
#[derive(Clone, Debug)]
pub struct DataDirectory(pub PathBuf);

impl Default for DataDirectory {
    fn default() -> Self {
        Self(PathBuf::from("zookeeper"))
    }
}

/// The unit's server, by its files. Writing what is there already changes nothing, and a file is replaced in one step, so
/// that a kill leaves the old one or the new one.
#[derive(Clone, Debug)]
pub struct Server {
    directory: PathBuf,
}

impl FromContext for Server {
    fn from_context(context: &Context, param: &Param<'_>) -> Result<Self, Rejection> {
        let charm_dir = CharmDir::from_context(context, param)?;
        let data = Resource::<DataDirectory>::from_context(context, param)?;
        Ok(Self { directory: charm_dir.join(&data.0) })
    }
}

/// A member of the ensemble.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Settings {
    tick_time: u32,
    init_limit: u32,
    sync_limit: u32,
    autopurge_purge_interval: u32,
    autopurge_snap_retain_count: u32,
}

impl Server {
    /// The server whose files are in this directory.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Makes the directories, and gives the server its number.
    ///
    /// # Errors
    ///
    /// If a file cannot be written; so for all that write.
    pub fn install(&self, id: u64) -> io::Result<()> {
        fs::create_dir_all(self.data())?;
        write(&self.myid(), &format!("{id}\n"))
    }

    /// Writes the settings.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    pub fn configure(&self, settings: &Settings) -> io::Result<()> {
        let Settings { tick_time, init_limit, sync_limit, autopurge_purge_interval, autopurge_snap_retain_count } =
            settings;
        let (data, dynamic) = (self.data(), self.dynamic());
        let text = format!(
            "tickTime={tick_time}\n\
             initLimit={init_limit}\n\
             syncLimit={sync_limit}\n\
             dataDir={}\n\
             dynamicConfigFile={}\n\
             reconfigEnabled=true\n\
             standaloneEnabled=false\n\
             admin.enableServer=false\n\
             4lw.commands.whitelist=srvr,mntr,conf\n\
             autopurge.purgeInterval={autopurge_purge_interval}\n\
             autopurge.snapRetainCount={autopurge_snap_retain_count}\n",
            data.display(),
            dynamic.display(),
        );
        write(&self.directory.join("zoo.cfg"), &text)
    }

    /// Writes this unit's own line of the membership.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    pub fn set_own(&self, own: Member) -> io::Result<()> {
        let mut members = self.members()?;
        members.retain(|member| member.id != own.id);
        members.push(own);
        self.set_members(members)
    }

    /// Writes the lines of all other members: these are wanted, and this unit.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    pub fn set_peers(&self, peers: &[Node]) -> io::Result<()> {
        self.set_members(self.own()?.into_iter().chain(peers.iter().map(Member::from)).collect())
    }

    /// This unit's own line of the membership, once it is written.
    ///
    /// # Errors
    ///
    /// If a file cannot be read.
    pub fn own(&self) -> io::Result<Option<Member>> {
        let id = self.id()?;
        Ok(self.members()?.into_iter().find(|member| member.id == id))
    }

    /// Adds a znode to those that are to be there, in the file `namespaces`.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    pub fn add_namespace(&self, path: &str) -> io::Result<()> {
        let file = self.directory.join("namespaces");
        let text = read(&file)?;
        let paths: BTreeSet<&str> = text.lines().chain([path]).collect();
        write(&file, &paths.iter().map(|path| format!("{path}\n")).collect::<String>())
    }

    /// The members as they are written.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub fn members(&self) -> io::Result<Vec<Member>> {
        Ok(read(&self.dynamic())?.lines().filter_map(member).collect())
    }

    /// Tells what runs the server to do something; the same order twice is one.
    ///
    /// # Errors
    ///
    /// As for [`install`](Self::install).
    pub fn order(&self, order: &str) -> io::Result<()> {
        write(&self.directory.join("order"), &format!("{order}\n"))
    }

    fn set_members(&self, mut members: Vec<Member>) -> io::Result<()> {
        members.sort();
        let text: String = members.iter().map(line).collect();
        write(&self.dynamic(), &text)
    }

    fn id(&self) -> io::Result<u64> {
        let path = self.myid();
        let text = fs::read_to_string(&path)?;
        let wrong = || io::Error::other(format!("{} has `{}`, which is no number", path.display(), text.trim()));
        text.trim().parse().map_err(|_| wrong())
    }

    fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    fn myid(&self) -> PathBuf {
        self.data().join("myid")
    }

    fn dynamic(&self) -> PathBuf {
        self.directory.join("zoo.cfg.dynamic")
    }
}

/// A member's line, as ZooKeeper 3.5 and later read it.
fn line(member: &Member) -> String {
    // An IPv6 address stands in brackets.
    let address = if member.address.contains(':') { format!("[{}]", member.address) } else { member.address.clone() };
    format!("server.{}={address}:2888:3888:participant;{CLIENT_PORT}\n", member.id)
}

fn member(line: &str) -> Option<Member> {
    let (id, rest) = line.strip_prefix("server.")?.split_once('=')?;
    let address = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None => rest.split_once(':')?.0,
    };
    Some(Member { id: id.parse().ok()?, address: address.to_owned() })
}

/// What is in the file; nothing if there is none.
fn read(path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        text => text,
    }
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    let new = path.with_file_name(format!("{}.new", path.file_name().unwrap_or_default().to_string_lossy()));
    fs::write(&new, text)?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u64, address: &str) -> Member {
        Member { id, address: address.to_owned() }
    }

    fn server(directory: &tempfile::TempDir) -> Server {
        let server = Server::new(directory.path().join("zookeeper"));
        server.install(2).unwrap();
        server
    }

    #[test]
    fn what_is_written_is_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let server = server(&directory);
        for address in ["10.0.0.1", "fd00::1", "zk-1.example"] {
            server.set_own(member(2, address)).unwrap();
            assert_eq!(server.members().unwrap(), [member(2, address)]);
        }
    }

    #[test]
    fn members_are_told_apart_by_their_whole_numbers() {
        let directory = tempfile::tempdir().unwrap();
        let server = server(&directory);
        let node = |unit: &str, address: &str| Node { unit: unit.parse().unwrap(), address: address.to_owned() };
        server.set_own(member(2, "10.0.0.2")).unwrap();
        server.set_peers(&[node("zookeeper/19", "10.0.0.20"), node("zookeeper/0", "10.0.0.1")]).unwrap();
        let text = fs::read_to_string(directory.path().join("zookeeper/zoo.cfg.dynamic")).unwrap();
        assert_eq!(
            text,
            "server.1=10.0.0.1:2888:3888:participant;2181\n\
             server.2=10.0.0.2:2888:3888:participant;2181\n\
             server.20=10.0.0.20:2888:3888:participant;2181\n"
        );
        server.set_peers(&[]).unwrap();
        assert_eq!(server.members().unwrap(), [member(2, "10.0.0.2")]);
    }
}
