//! One hook as a process: started, listened to, answered, and ended, with a limit on everything.
//!
//! One loop waits for all there is to wait for: the process, its two outputs, the socket and every connection. It ends
//! when the process does; what others still hold then (a daemon that the hook has left behind) holds up nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::command::{Answer, NEEDS_STDIN, Request};
use super::entries;
use super::error::Error;
use super::machine::{Ended, Exit, Session};
use super::wire::{self, Received};

/// When to kill a hook's process, as the machine or a user might.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KillPoint {
    /// Before it has done anything.
    Start,
    /// When it issues its n-th hook command (the first is 1), which is neither run nor answered.
    Command(usize),
    /// When its n-th hook command has been run; the hook does not live to see the answer.
    Answer(usize),
    /// So long after it was started, unless it has ended by then. Only a process.
    After(Duration),
    /// Before its n-th change of a [`Fake`](super::Fake) (the first is 1). This and what follows is only for handlers that run in
    /// this process.
    Change(usize),
    /// After its n-th change of a [`Fake`](super::Fake).
    Changed(usize),
    /// After its n-th write to the store, which has not been committed.
    Write(usize),
    /// When all has been sent, before it commits the store; a hook that takes back what Juju has not kept commits that first.
    Commit(usize),
    /// After its n-th commit of the store.
    Committed(usize),
    /// When all has been done, before it exits: Juju applies nothing.
    Exit,
}

impl KillPoint {
    /// Whether a process can be killed there.
    pub(crate) fn is_of_processes(self) -> bool {
        matches!(self, Self::Start | Self::Command(_) | Self::Answer(_) | Self::After(_))
    }

    /// Whether handlers in this process can.
    pub(crate) fn is_of_handlers(self) -> bool {
        !matches!(self, Self::After(_))
    }

    /// Whether a function in this process can.
    pub(crate) fn is_of_functions(self) -> bool {
        matches!(self, Self::Start | Self::Command(_) | Self::Answer(_))
    }
}

/// One hook command of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandRun {
    /// The command's name.
    pub name: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// What it was given on standard input, if it read it.
    pub stdin: Option<Vec<u8>>,
    /// Its exit code.
    pub code: i32,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

/// The command as a person would write it: without options that only say how it is written, and with what it was given
/// on standard input as arguments.
impl fmt::Display for CommandRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let form = ["--format=json", "--", "-", "-r", "-l", "--file"];
        for argument in self.args.iter().filter(|argument| !form.contains(&argument.as_str()) && !argument.is_empty()) {
            write!(f, " {argument}")?;
        }
        let entries = self.stdin.as_deref().and_then(|text| entries::from_yaml(text).ok());
        entries.iter().flatten().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<String>,
    pub(crate) directory: &'a Path,
    pub(crate) environment: &'a BTreeMap<String, String>,
    pub(crate) socket: &'a Path,
    pub(crate) limit: Duration,
    pub(crate) kill: Option<KillPoint>,
    /// Once something can be read here, the process is killed.
    pub(crate) interrupt: Option<&'a UnixStream>,
}

/// How long a process that has been killed may take to be gone.
const LAST_WAIT: Duration = Duration::from_secs(30);

/// How long outputs may stay open after the process has ended, before something is taken for left behind.
const GRACE: Duration = Duration::from_millis(500);

/// So much of each output is kept.
const MAX_OUTPUT: usize = 32 << 20;

/// Starts the process and serves it until it ends.
pub(crate) fn run(start: &Start<'_>, session: &mut Session) -> Result<Ended, Error> {
    if let Some(point) = start.kill.filter(|point| !point.is_of_processes()) {
        return Error::impossible(format!(
            "a process cannot be killed at `{point}`: only handlers in this process can"
        ));
    }
    if start.kill == Some(KillPoint::Start) {
        // Nobody can tell it from a process that was killed as it began, and none gets a chance to be faster than the signal.
        return Ok(Ended::new(Exit::Signal(9)));
    }
    let listener = listen(start.socket)?;
    let began = Instant::now();
    let mut ended = match spawn(start) {
        Ok(child) => Hook::new(child, listener, start, began)?.serve(session)?,
        Err(error) => {
            Ended::new(Exit::NotStarted(format!("{} could not be started: {error}", start.program.display())))
        }
    };
    ended.time = began.elapsed();
    // The charm may have removed it, or all of the unit's directory: that is the charm's doing, and harms the next hook.
    let _ = fs::remove_file(start.socket);
    Ok(ended)
}

fn listen(path: &Path) -> Result<UnixListener, Error> {
    if path.as_os_str().len() > 107 {
        return Err(Error::Io {
            what: format!("make a socket at {}", path.display()),
            source: io::Error::new(
                ErrorKind::InvalidInput,
                "the path is longer than the 107 bytes a socket may have; set TMPDIR to a shorter directory",
            ),
        });
    }
    let _ = fs::remove_file(path);
    let listener = UnixListener::bind(path);
    let listener = listener.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
    listener.map_err(Error::io(format!("make a socket at {}", path.display())))
}

fn spawn(start: &Start<'_>) -> io::Result<Child> {
    let began = Instant::now();
    loop {
        let child = Command::new(start.program)
            .args(&start.arguments)
            .current_dir(start.directory)
            .env_clear()
            .envs(start.environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn();
        match child {
            // Another thread of this program has forked while the file was being written, and holds it open for the
            // moment until it executes something else.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && began.elapsed() < start.limit => {
                std::thread::yield_now();
            }
            other => return other,
        }
    }
}

/// A hook that is running.
struct Hook<'a> {
    start: &'a Start<'a>,
    child: Child,
    pid: Pid,
    ended: OwnedFd,
    listener: UnixListener,
    connections: Vec<Connection>,
    outputs: [Output; 2],
    commands: Vec<CommandRun>,
    notes: Vec<String>,
    began: Instant,
    killed: Option<Killed>,
    killed_at: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq)]
enum Killed {
    AsAsked,
    AtLimit,
}

impl<'a> Hook<'a> {
    fn new(mut child: Child, listener: UnixListener, start: &'a Start<'a>, began: Instant) -> Result<Self, Error> {
        let pid = Pid::from_child(&child);
        let outputs =
            [Output::new(child.stdout.take().map(OwnedFd::from)), Output::new(child.stderr.take().map(OwnedFd::from))];
        let watched = pidfd_open(pid, PidfdFlags::empty()).map_err(io::Error::from);
        let prepared = watched.and_then(|ended| {
            outputs.iter().flat_map(|output| &output.file).try_for_each(set_nonblocking)?;
            Ok(ended)
        });
        let ended = match prepared {
            Ok(ended) => ended,
            Err(source) => {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(Error::Io { what: "watch the hook's process".to_owned(), source });
            }
        };
        Ok(Self {
            start,
            child,
            pid,
            ended,
            listener,
            connections: Vec::new(),
            outputs,
            commands: Vec::new(),
            notes: Vec::new(),
            began,
            killed: None,
            killed_at: None,
        })
    }

    fn serve(mut self, session: &mut Session) -> Result<Ended, Error> {
        let served = self.serve_until_ended(session);
        if let Err(error) = served {
            self.kill(Killed::AsAsked);
            let _ = self.child.try_wait();
            return Err(error);
        }
        let status = self.child.wait().map_err(Error::io("wait for the hook's process"))?;
        self.drain().map_err(Error::io("read the hook's output"))?;
        self.connections.iter_mut().for_each(Connection::receive);
        self.connections.retain(|connection| !connection.over);
        if self.killed.is_none() && self.outputs.iter().any(|output| output.file.is_some()) {
            self.notes.push("a process that the hook has left behind still holds its output open".to_owned());
        }
        if self.killed.is_none() && !self.connections.is_empty() {
            let note =
                "a process that the hook has left behind still holds a connection to the agent: Juju would wait for it";
            self.notes.push(note.to_owned());
        }
        let exit = match (self.killed, status.code(), status.signal()) {
            (Some(Killed::AtLimit), ..) => Exit::Limit,
            (_, Some(code), _) => Exit::Code(code),
            (_, None, signal) => Exit::Signal(signal.unwrap_or_default()),
        };
        for (output, name) in self.outputs.iter().zip(["standard output", "standard error"]) {
            if output.dropped > 0 {
                self.notes.push(format!("{} bytes of {name} were not kept", output.dropped));
            }
        }
        let [stdout, stderr] = self.outputs.map(|output| String::from_utf8_lossy(&output.bytes).into_owned());
        Ok(Ended { stdout, stderr, commands: self.commands, notes: self.notes, ..Ended::new(exit) })
    }

    fn serve_until_ended(&mut self, session: &mut Session) -> Result<(), Error> {
        loop {
            let now = self.began.elapsed();
            if self.killed.is_none() && now >= self.start.limit {
                self.kill(Killed::AtLimit);
            }
            let mut until = self.start.limit.saturating_sub(now);
            if let Some(KillPoint::After(after)) = self.start.kill
                && self.killed.is_none()
            {
                if now >= after {
                    self.kill(Killed::AsAsked);
                }
                until = until.min(after.saturating_sub(now));
            }
            // Once killed there is only the process's end to wait for; the system may hold it up, but not for ever.
            if let Some(killed) = self.killed_at {
                until = LAST_WAIT.saturating_sub(killed.elapsed());
                if until.is_zero() {
                    let source = io::Error::new(ErrorKind::TimedOut, "it has been killed and is still there");
                    return Err(Error::Io {
                        what: format!("end the process of {}", self.start.program.display()),
                        source,
                    });
                }
            }
            let ready = self.wait(until).map_err(Error::io("wait for the hook"))?;
            if ready.interrupted {
                return Err(Error::Interrupted);
            }
            for (output, ready) in self.outputs.iter_mut().zip([ready.stdout, ready.stderr]) {
                if ready {
                    output.read();
                }
            }
            if ready.ended {
                return Ok(());
            }
            if self.killed.is_some() {
                continue;
            }
            for at in ready.connections {
                self.talk(at, session);
            }
            self.connections.retain(|connection| !connection.over);
            if ready.listener {
                self.accept();
            }
        }
    }

    fn wait(&self, timeout: Duration) -> io::Result<Ready> {
        let timeout = Timespec {
            tv_sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        };
        let mut fds = vec![PollFd::new(&self.ended, PollFlags::IN)];
        let mut outputs = [None, None];
        for (slot, output) in outputs.iter_mut().zip(&self.outputs) {
            if let Some(file) = &output.file {
                *slot = Some(fds.len());
                fds.push(PollFd::new(file, PollFlags::IN));
            }
        }
        let interrupt = self.start.interrupt.map(|stream| {
            fds.push(PollFd::new(stream, PollFlags::IN));
            fds.len() - 1
        });
        let listener = fds.len();
        if self.killed.is_none() {
            fds.push(PollFd::new(&self.listener, PollFlags::IN));
            for connection in &self.connections {
                let wanted = if connection.outgoing.is_empty() { PollFlags::IN } else { PollFlags::OUT };
                fds.push(PollFd::new(&connection.stream, wanted));
            }
        }
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => return Ok(Ready::default()),
            Err(error) => return Err(error.into()),
        }
        let is = |at: usize| fds.get(at).is_some_and(|fd| !fd.revents().is_empty());
        Ok(Ready {
            ended: is(0),
            interrupted: interrupt.is_some_and(is),
            stdout: outputs[0].is_some_and(is),
            stderr: outputs[1].is_some_and(is),
            listener: is(listener),
            connections: (0..self.connections.len()).filter(|at| is(listener + 1 + at)).collect(),
        })
    }

    /// Reads what is left of the outputs to their ends, which come at once unless a process was left behind. Another thread's
    /// child may hold them for the moment until it executes something else, so the ends are waited for, but not for long.
    fn drain(&mut self) -> io::Result<()> {
        let began = Instant::now();
        loop {
            self.outputs.iter_mut().for_each(Output::read);
            let left = GRACE.saturating_sub(began.elapsed());
            let timeout = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
            let files = self.outputs.iter().flat_map(|output| &output.file);
            let mut fds: Vec<PollFd<'_>> = files.map(|file| PollFd::new(file, PollFlags::IN)).collect();
            if fds.is_empty() || self.killed.is_some() || left.is_zero() {
                return Ok(());
            }
            match poll(&mut fds, Some(&timeout)) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                self.connections.push(Connection { stream, incoming: Vec::new(), outgoing: Vec::new(), over: false });
            }
        }
    }

    /// Reads and answers what one connection has sent.
    fn talk(&mut self, at: usize, session: &mut Session) {
        let Some(connection) = self.connections.get_mut(at) else { return };
        connection.send();
        connection.receive();
        while self.killed.is_none() {
            let Some(connection) = self.connections.get_mut(at) else { return };
            let request = match wire::request(&connection.incoming) {
                Received::Part => return,
                Received::Nonsense => {
                    connection.over = true;
                    self.notes.push("something that is no hook command spoke to the agent's socket".to_owned());
                    return;
                }
                Received::Request(request, used) => {
                    connection.incoming.drain(..used);
                    request
                }
            };
            let number = self.commands.len() + 1;
            if self.start.kill == Some(KillPoint::Command(number)) {
                self.kill(Killed::AsAsked);
                return;
            }
            let answer = session.answer(&request);
            let response = wire::response(&answer);
            if answer == Answer::Refused(NEEDS_STDIN.to_owned()) {
                connection.outgoing.extend(response);
                connection.send();
                continue;
            }
            let (code, stdout, stderr) = match answer {
                Answer::Done(output) => (output.code, output.stdout, output.stderr),
                Answer::Refused(reason) => (1, String::new(), format!("ERROR {reason}\n")),
            };
            let Request { name, args, stdin, .. } = request;
            let (name, stdin) = (name.into_owned(), stdin.map(Cow::into_owned));
            self.commands.push(CommandRun { name, args, stdin, code, stdout, stderr });
            if self.start.kill == Some(KillPoint::Answer(number)) || session.reboots_now() {
                // It is not told: a hook that knew could end by itself before the signal reaches it.
                self.kill(Killed::AsAsked);
                return;
            }
            connection.outgoing.extend(response);
            connection.send();
        }
    }

    /// Kills the process and all that is left of its process group; it has not been waited for, so the number is its own.
    fn kill(&mut self, why: Killed) {
        self.killed = Some(why);
        self.killed_at.get_or_insert_with(Instant::now);
        let _ = kill_process_group(self.pid, Signal::KILL);
        self.connections.clear();
    }
}

#[derive(Default)]
struct Ready {
    ended: bool,
    interrupted: bool,
    stdout: bool,
    stderr: bool,
    listener: bool,
    connections: Vec<usize>,
}

/// One of the two outputs of the process.
struct Output {
    file: Option<File>,
    bytes: Vec<u8>,
    dropped: usize,
}

impl Output {
    fn new(pipe: Option<OwnedFd>) -> Self {
        Self { file: pipe.map(File::from), bytes: Vec::new(), dropped: 0 }
    }

    /// Takes what is there, once the buffer is empty or the other end closed; never waits.
    fn read(&mut self) {
        let mut buffer = [0; 64 << 10];
        // A process left behind might write faster than this reads: a few megabytes at a time.
        for _ in 0..64 {
            let Some(file) = &mut self.file else { return };
            match file.read(&mut buffer) {
                Ok(0) => self.file = None,
                Ok(count) => {
                    let kept = count.min(MAX_OUTPUT.saturating_sub(self.bytes.len()));
                    self.bytes.extend_from_slice(buffer.get(..kept).unwrap_or_default());
                    self.dropped += count - kept;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.file = None,
            }
        }
    }
}

/// One connection of a hook command.
struct Connection {
    stream: UnixStream,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    over: bool,
}

impl Connection {
    fn receive(&mut self) {
        let mut buffer = [0; 64 << 10];
        for _ in 0..64 {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.over = true,
                Ok(count) => {
                    self.incoming.extend_from_slice(buffer.get(..count).unwrap_or_default());
                    continue;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => self.over = true,
            }
            return;
        }
    }

    fn send(&mut self) {
        while !self.outgoing.is_empty() {
            match self.stream.write(&self.outgoing) {
                Ok(count) => drop(self.outgoing.drain(..count)),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.over = true;
                    return;
                }
            }
        }
    }
}

fn set_nonblocking(file: &File) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(file.as_fd())?;
    Ok(rustix::fs::fcntl_setfl(file.as_fd(), flags | rustix::fs::OFlags::NONBLOCK)?)
}
