//! The charm's program under other names: as `charms.reactive` in a handler, and as what starts a handler.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

use super::arguments::{self, BROKEN, Other};
use super::template;
use super::wire::{Answer, Request, SOCKET};

/// The name under which the charm's program is the command line of handlers.
pub(super) const CLIENT: &str = "charms.reactive";
/// The name under which it becomes a handler's program.
pub(super) const LAUNCHER: &str = "zkpeer-handler";

/// What a process is started with, besides its name.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) arguments: Vec<OsString>,
    pub(crate) vars: BTreeMap<OsString, OsString>,
    pub(crate) directory: PathBuf,
}

/// What the program does under this name, if that is not to run a hook; the exit code.
pub(crate) fn other_than_a_hook(program: &Path, process: impl FnOnce() -> Process) -> Option<u8> {
    let name = program.file_name()?;
    if name == OsStr::new(CLIENT) {
        return Some(command_line(process()));
    }
    (name == OsStr::new(LAUNCHER)).then(|| launch(process()))
}

/// Becomes the program of a handler, which dies with the charm: nothing may go on that the charm does not know of.
fn launch(process: Process) -> u8 {
    let [charm, program, arguments @ ..] = process.arguments.as_slice() else { return 127 };
    // Where the system cannot do it the handler goes on alone, as it would there.
    let dies = set_parent_process_death_signal(Some(Signal::KILL));
    let parent = getppid().map(|parent| parent.as_raw_nonzero().to_string());
    if dies.is_ok() && parent.as_deref() != charm.to_str() {
        return 128 + 9;
    }
    let error = match has_known_beginning(Path::new(program)) {
        Ok(true) => Command::new(program).args(arguments).exec(),
        Ok(false) => io::Error::other("it is neither a script nor a program of this system"),
        Err(error) => error,
    };
    let said = format!("it cannot be started: {error}; only handlers may be executable here");
    print(&ask(&process.vars, &Request { directory: process.directory, arguments: vec![BROKEN.to_owned(), said] }))
}

/// Whether it is a script or a binary; anything else the C library would give to a shell.
fn has_known_beginning(program: &Path) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(program)?.take(4).read_to_end(&mut beginning)?;
    Ok(beginning.starts_with(b"#!") || beginning == b"\x7fELF")
}

/// One use of the command line.
fn command_line(process: Process) -> u8 {
    let Process { arguments, vars, directory } = process;
    let Ok(arguments) = arguments.into_iter().map(OsString::into_string).collect::<Result<Vec<_>, _>>() else {
        return print(&Answer::refused(2, "charms.reactive: error: an argument is not UTF-8"));
    };
    let answer = match arguments::read(&arguments) {
        _ if arguments.first().is_some_and(|first| first == BROKEN) => ask(&vars, &Request { directory, arguments }),
        Err(Other::Help(text)) => Answer { code: 0, stdout: text, stderr: String::new() },
        Err(Other::Wrong(text)) => Answer::refused(2, &text),
        // It needs the variables of whoever calls it, and nothing of the charm's state.
        Ok(line) if line.command.name == "render_template" => template::render(&line, &vars, &directory),
        Ok(_) => ask(&vars, &Request { directory, arguments }),
    };
    print(&answer)
}

/// Asks the charm that runs the handler.
fn ask(vars: &BTreeMap<OsString, OsString>, request: &Request) -> Answer {
    let Some(socket) = vars.get(OsStr::new(SOCKET)) else {
        let message =
            "ERROR charms.reactive: ZKPEER_SOCKET is not set: this is for external handlers, while the charm runs one";
        return Answer::refused(1, message);
    };
    exchange(Path::new(socket), request).unwrap_or_else(|error| {
        let message =
            format!("ERROR charms.reactive: the charm that ran this handler does not answer any more: {error}");
        Answer::refused(1, &message)
    })
}

fn exchange(socket: &Path, request: &Request) -> io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&serde_json::to_vec(request)?)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(serde_json::from_slice(&answer)?)
}

fn print(answer: &Answer) -> u8 {
    let printed = io::stdout().write_all(answer.stdout.as_bytes()).and_then(|()| io::stdout().flush());
    // Where that cannot be written nothing more can be said.
    let _ = io::stderr().write_all(answer.stderr.as_bytes());
    if printed.is_err() { 1 } else { answer.code }
}
