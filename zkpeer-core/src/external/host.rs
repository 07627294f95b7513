//! Where the programs of external handlers run: a private directory with what they need, and one of them at a time, served
//! until it has ended.
//!
//! One loop waits for the process, its output, the socket and every connection. It ends when the process does; what the
//! process has left behind holds up nothing.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::client::{CLIENT, LAUNCHER};
use super::wire::{Answer, Request, SOCKET};
use crate::hash::Hash;

/// The shell library, in the directory that comes first on a handler's `PATH`.
const LIBRARY: (&str, &str) = ("charms.reactive.sh", include_str!("charms.reactive.sh"));

/// The longest that the path of a directory for sockets may be: Linux takes 107 bytes with the socket's name.
const LONGEST: usize = 60;
/// The most that a test may print: it becomes an argument.
const MOST_OUTPUT: usize = 128 * 1024 - 1;
/// The most that one request may have.
const MOST_REQUEST: usize = 16 << 20;
/// How long is waited at a time where the system cannot tell that a process has ended (kernels before 5.3).
const GLANCE: Duration = Duration::from_millis(20);

/// What the charm's `main` knows, and programs of handlers need.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    /// The charm's own program, which is the command line `charms.reactive`, too.
    pub(crate) program: PathBuf,
    /// Where directories that do not stay are made.
    pub(crate) temporary: PathBuf,
    /// `PATH`.
    pub(crate) path: OsString,
    /// Whether Juju has set `JUJU_HOOK_NAME`.
    pub(crate) hook_name_is_set: bool,
    /// How long a program may run; see `ZKPEER_EXTERNAL_TIMEOUT`.
    pub(crate) limit: Duration,
}

/// The directory, which goes when it is dropped.
#[derive(Debug)]
pub(super) struct Host {
    directory: PathBuf,
    means: Means,
}

/// How a program ended, and what it printed if that was wanted.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: Vec<u8>,
}

/// Why it did not end, or not by itself.
#[derive(Debug)]
pub(super) enum Failure {
    /// It was not done when the time was over, and has been killed.
    Limit,
    /// It prints more than fits.
    Output,
    /// The system refuses something.
    Io(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Host {
    pub(super) fn new(means: &Means, charm_dir: &Path) -> io::Result<Self> {
        let tag = tag(charm_dir);
        let place = if means.temporary.as_os_str().len() > LONGEST { Path::new("/tmp") } else { &means.temporary };
        let host = Self { directory: private_directory(place, &tag)?, means: means.clone() };
        symlink(&means.program, host.directory.join(CLIENT))?;
        let mut library = OpenOptions::new().write(true).create_new(true).mode(0o700).open(host.file(LIBRARY.0))?;
        library.write_all(LIBRARY.1.as_bytes())?;
        Ok(host)
    }

    /// How long a program may run.
    pub(super) fn limit(&self) -> Duration {
        self.means.limit
    }

    fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Runs a program to its end and answers what it asks.
    pub(super) fn run(&self, start: &Start<'_>, answer: &mut dyn FnMut(&Request) -> Answer) -> Result<Ended, Failure> {
        // Another socket for each program: one that was left behind does not speak for the next.
        let socket = Socket::bind(self.file("socket"))?;
        let mut command = Command::new(&self.means.program);
        command.arg0(LAUNCHER).arg(std::process::id().to_string()).arg(start.program).args(start.arguments);
        command.current_dir(start.charm_dir).env(SOCKET, &socket.path).env("PATH", self.path());
        command.env("CHARM_DIR", start.charm_dir);
        if !self.means.hook_name_is_set {
            command.env("JUJU_HOOK_NAME", start.hook);
        }
        let stdout = if start.wants_output { Stdio::piped() } else { Stdio::inherit() };
        let mut child = command.stdin(Stdio::null()).stdout(stdout).process_group(0).spawn()?;
        let served = Served::new(&mut child, socket, self.means.limit).and_then(|mut served| served.serve(answer));
        if served.is_err() {
            // Nothing more is to be learnt from it; without the kill it would outlive the hook.
            let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
            let _ = child.wait();
        }
        served
    }

    fn path(&self) -> OsString {
        let mut path = self.directory.clone().into_os_string();
        path.push(OsStr::new(":"));
        path.push(&self.means.path);
        path
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // What cannot be removed is a few links in a directory for what does not stay.
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// What the names of a unit's directories have in common.
fn tag(charm_dir: &Path) -> String {
    Hash::Md5.of_text(&charm_dir.to_string_lossy()).chars().take(8).collect()
}

/// A directory that nobody else can look into.
fn private_directory(place: &Path, tag: &str) -> io::Result<PathBuf> {
    let beginning = format!("zkpeer-{tag}-");
    remove_what_was_left(place, &beginning);
    let mut number = 0_u32;
    loop {
        let path = place.join(format!("{beginning}{}-{number}", std::process::id()));
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| path),
        }
    }
}

/// Removes the directories of this unit's hooks that were killed.
fn remove_what_was_left(place: &Path, beginning: &str) {
    // Where it cannot be read or removed, nothing depends on it.
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let process = name.to_str().and_then(|name| name.strip_prefix(beginning)?.split('-').next());
        let has_gone = process.is_some_and(|process| !Path::new("/proc").join(process).exists());
        if has_gone {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// What is to run.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [&'a OsStr],
    pub(super) charm_dir: &'a Path,
    pub(super) hook: &'a str,
    /// Whether what it prints is for us, and not for Juju's log.
    pub(super) wants_output: bool,
}

/// A socket in the file system, which goes when it is dropped.
#[derive(Debug)]
struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    fn bind(path: PathBuf) -> io::Result<Self> {
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        Ok(Self { listener, path })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // The directory goes, too.
        let _ = fs::remove_file(&self.path);
    }
}

/// A program that runs.
#[derive(Debug)]
struct Served<'c> {
    child: &'c mut Child,
    ended: Option<OwnedFd>,
    stdout: Option<ChildStdout>,
    output: Vec<u8>,
    socket: Socket,
    connections: Vec<Connection>,
    deadline: Option<Instant>,
}

impl<'c> Served<'c> {
    fn new(child: &'c mut Child, socket: Socket, limit: Duration) -> Result<Self, Failure> {
        let stdout = child.stdout.take();
        if let Some(pipe) = &stdout {
            rustix::io::ioctl_fionbio(pipe, true).map_err(io::Error::from)?;
        }
        let ended = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).ok();
        let deadline = Instant::now().checked_add(limit);
        Ok(Self { child, ended, stdout, output: Vec::new(), socket, connections: Vec::new(), deadline })
    }

    fn serve(&mut self, answer: &mut dyn FnMut(&Request) -> Answer) -> Result<Ended, Failure> {
        loop {
            let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(Failure::Limit);
            }
            let may_have_ended = self.wait(left)?;
            self.read_output()?;
            if may_have_ended && let Some(status) = self.child.try_wait()? {
                self.read_output()?;
                return Ok(Ended { status, output: std::mem::take(&mut self.output) });
            }
            while let Ok((stream, _)) = self.socket.listener.accept() {
                stream.set_nonblocking(true)?;
                self.connections.push(Connection { stream, state: Talk::Hears(Vec::new()) });
            }
            self.connections.retain_mut(|connection| connection.goes_on(answer));
        }
    }

    /// Waits until there is something to do; whether the process may have ended.
    fn wait(&self, left: Option<Duration>) -> io::Result<bool> {
        let mut fds: Vec<PollFd<'_>> = self.ended.iter().map(|ended| PollFd::new(ended, PollFlags::IN)).collect();
        fds.extend(self.stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.push(PollFd::new(&self.socket.listener, PollFlags::IN));
        for connection in &self.connections {
            fds.push(PollFd::from_borrowed_fd(connection.stream.as_fd(), connection.wants()));
        }
        let left = if self.ended.is_none() { Some(left.map_or(GLANCE, |left| left.min(GLANCE))) } else { left };
        let timeout = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) => Ok(self.ended.is_none() || fds.first().is_some_and(|fd| !fd.revents().is_empty())),
            Err(rustix::io::Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what there is, and closes the pipe at its end.
    fn read_output(&mut self) -> Result<(), Failure> {
        let mut chunk = [0; 4096];
        while let Some(pipe) = &mut self.stdout {
            match pipe.read(&mut chunk) {
                Ok(0) => self.stdout = None,
                Ok(read) => self.output.extend_from_slice(&chunk[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
            if self.output.len() > MOST_OUTPUT {
                return Err(Failure::Output);
            }
        }
        Ok(())
    }
}

/// One use of the command line by the program.
#[derive(Debug)]
struct Connection {
    stream: UnixStream,
    state: Talk,
}

#[derive(Debug)]
enum Talk {
    /// What has been heard of the request.
    Hears(Vec<u8>),
    /// What is left to be said of the answer.
    Says(Vec<u8>),
}

impl Connection {
    fn wants(&self) -> PollFlags {
        if matches!(self.state, Talk::Hears(_)) { PollFlags::IN } else { PollFlags::OUT }
    }

    /// Hears and says what can be without waiting; false when it is over. A caller that has gone wants no answer.
    fn goes_on(&mut self, answer: &mut dyn FnMut(&Request) -> Answer) -> bool {
        match self.go_on(answer) {
            Ok(is_over) => !is_over,
            Err(error) => matches!(error.kind(), ErrorKind::WouldBlock),
        }
    }

    fn go_on(&mut self, answer: &mut dyn FnMut(&Request) -> Answer) -> io::Result<bool> {
        if let Talk::Hears(heard) = &mut self.state {
            let mut chunk = [0; 16 * 1024];
            loop {
                match self.stream.read(&mut chunk) {
                    Ok(0) => break,
                    Ok(_) if heard.len() > MOST_REQUEST => return Ok(true),
                    Ok(read) => heard.extend_from_slice(&chunk[..read]),
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            let answer = match serde_json::from_slice(heard) {
                Ok(request) => answer(&request),
                Err(error) => Answer::refused(1, &format!("ERROR the request makes no sense: {error}")),
            };
            self.state = Talk::Says(serde_json::to_vec(&answer)?);
        }
        let Talk::Says(said) = &mut self.state else { return Ok(false) };
        while !said.is_empty() {
            match self.stream.write(said) {
                Ok(written) => drop(said.drain(..written)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// How a program ended, in words, if it was not with 0.
pub(super) fn how_it_ended(status: ExitStatus) -> Option<String> {
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(format!("exit code {code}")),
        (None, signal) => Some(format!("it was killed by signal {}", signal.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_hook_of_this_unit_has_left_behind_goes_with_the_next() {
        let place = tempfile::tempdir().unwrap();
        // No process has the number 0, and this one runs.
        let living = format!("zkpeer-own-{}-0", std::process::id());
        for name in ["zkpeer-own-0-0", "zkpeer-other-0-0", &living] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        let made = private_directory(place.path(), "own").unwrap();
        let mut left: Vec<_> = fs::read_dir(place.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        left.sort();
        let mut expected = [made, place.path().join(living), place.path().join("zkpeer-other-0-0")];
        expected.sort();
        assert_eq!(left, expected);
    }
}
