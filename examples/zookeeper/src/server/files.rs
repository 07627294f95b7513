//! The server by its files: `zoo.cfg`, the membership in `zoo.cfg.dynamic`, `data/myid`, and the znodes for clients in `namespaces`.
//!
//! What runs the server reads them, and looks at `order`, which says when it is to be started and restarted.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{CLIENT_PORT, Member, Server, Settings};

/// A server by its files. Writing what is there already changes nothing, and a file is replaced in one step, so that a kill leaves
/// the old one or the new one.
#[derive(Clone, Debug)]
pub struct Files {
    directory: PathBuf,
}

impl Files {
    /// The server whose files are in this directory.
    #[must_use]
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
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

impl Server for Files {
    fn install(&self, id: u64) -> io::Result<()> {
        fs::create_dir_all(self.data())?;
        write(&self.myid(), &format!("{id}\n"))
    }

    fn id(&self) -> io::Result<u64> {
        let path = self.myid();
        let text = fs::read_to_string(&path)?;
        let wrong = || io::Error::other(format!("{} has `{}`, which is no number", path.display(), text.trim()));
        text.trim().parse().map_err(|_| wrong())
    }

    fn configure(&self, settings: &Settings) -> io::Result<()> {
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

    fn members(&self) -> io::Result<Vec<Member>> {
        Ok(read(&self.dynamic())?.lines().filter_map(member).collect())
    }

    fn set_members(&self, mut members: Vec<Member>) -> io::Result<()> {
        members.sort();
        let text: String = members.iter().map(line).collect();
        write(&self.dynamic(), &text)
    }

    fn add_namespace(&self, path: &str) -> io::Result<()> {
        let file = self.directory.join("namespaces");
        let text = read(&file)?;
        let paths: BTreeSet<&str> = text.lines().chain([path]).collect();
        write(&file, &paths.iter().map(|path| format!("{path}\n")).collect::<String>())
    }

    fn order(&self, order: &str) -> io::Result<()> {
        write(&self.directory.join("order"), &format!("{order}\n"))
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
    use zkpeer_core::interfaces::zookeeper_quorum::Node;

    use super::*;

    fn member(id: u64, address: &str) -> Member {
        Member { id, address: address.to_owned() }
    }

    fn server(directory: &tempfile::TempDir) -> Files {
        let server = Files::new(directory.path().join("zookeeper"));
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
