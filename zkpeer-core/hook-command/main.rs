//! The hook command: one small program under every command's name, as Juju's `jujuc` is.
//!
//! It knows nothing about the commands. It sends its name, arguments and working directory to the simulated unit agent,
//! prints what comes back, and exits with the code it is given. Standard input is read only when the agent asks for it.
//! What it says when the agent cannot be reached is what Juju's program says (agent-socket, section 5).
//!
//! `build.rs` compiles this file by itself, with `std` alone; `zkpeer_core::testing` carries the result.
//!
//! A message, in both directions, is a four byte length (little endian) and as many bytes of fields, each field again a
//! four byte length and its bytes. To the agent: context id, directory, name, `1` if standard input is given, standard
//! input, arguments. From the agent: `done`, exit code, standard output, standard error; or `refused`, the reason.

use std::env;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::path::Path;
use std::process::ExitCode;

const NEEDS_STDIN: &[u8] = b"hook tool requires stdin, none supplied";

fn main() -> ExitCode {
    match run() {
        Ok(code) => ExitCode::from(code),
        Err(text) => {
            let _ = writeln!(io::stderr(), "ERROR {text}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<u8, String> {
    let context = variable("JUJU_CONTEXT_ID")?;
    let directory = env::current_dir().map_err(|error| format!("getwd: {}", go(&error)))?;
    let mut args = env::args_os();
    let program = args.next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_owned();
    let args: Vec<OsString> = args.collect();
    let address = variable("JUJU_AGENT_SOCKET_ADDRESS")?;
    variable("JUJU_AGENT_SOCKET_NETWORK")?;

    let dial = |error: io::Error| format!("dial unix {}: connect: {}", address.to_string_lossy(), go(&error));
    let socket = match address.as_bytes().strip_prefix(b"@") {
        Some(abstract_name) => SocketAddr::from_abstract_name(abstract_name),
        None => SocketAddr::from_pathname(&address),
    };
    let mut agent = socket.and_then(|socket| UnixStream::connect_addr(&socket)).map_err(dial)?;

    let mut stdin: Option<Vec<u8>> = None;
    loop {
        let given: &[u8] = if stdin.is_some() { b"1" } else { b"0" };
        let input = stdin.as_deref().unwrap_or_default();
        let mut fields = vec![context.as_bytes(), directory.as_os_str().as_bytes(), name.as_bytes(), given, input];
        fields.extend(args.iter().map(|arg| arg.as_bytes()));
        let answer = exchange(&mut agent, &fields).map_err(|error| {
            if error.kind() == io::ErrorKind::UnexpectedEof { "unexpected EOF".to_owned() } else { go(&error) }
        })?;
        let answer: Vec<&[u8]> = answer.iter().map(Vec::as_slice).collect();
        match answer.as_slice() {
            [b"refused", NEEDS_STDIN] if stdin.is_none() => {
                let mut bytes = Vec::new();
                io::stdin().read_to_end(&mut bytes).map_err(|error| format!("cannot read stdin: {}", go(&error)))?;
                stdin = Some(bytes);
            }
            [b"refused", reason] => return Err(String::from_utf8_lossy(reason).into_owned()),
            [b"done", code, stdout, stderr] => {
                let _ = io::stdout().write_all(stdout).and_then(|()| io::stdout().flush());
                let _ = io::stderr().write_all(stderr);
                return Ok(std::str::from_utf8(code).ok().and_then(|code| code.parse().ok()).unwrap_or(3));
            }
            _ => return Err("the agent's answer makes no sense".to_owned()),
        }
    }
}

/// A variable that has to be there and not empty.
fn variable(name: &str) -> Result<OsString, String> {
    env::var_os(name).filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} not set"))
}

fn exchange(agent: &mut UnixStream, fields: &[&[u8]]) -> io::Result<Vec<Vec<u8>>> {
    let mut body = Vec::new();
    for field in fields {
        body.extend_from_slice(&length(field.len())?);
        body.extend_from_slice(field);
    }
    agent.write_all(&length(body.len())?)?;
    agent.write_all(&body)?;

    let mut four = [0; 4];
    agent.read_exact(&mut four)?;
    let mut answer = vec![0; u32::from_le_bytes(four) as usize];
    agent.read_exact(&mut answer)?;
    let mut rest = answer.as_slice();
    let mut fields = Vec::new();
    while let Some((head, tail)) = rest.split_first_chunk() {
        let end = (u32::from_le_bytes(*head) as usize).min(tail.len());
        fields.push(tail[..end].to_vec());
        rest = &tail[end..];
    }
    Ok(fields)
}

fn length(length: usize) -> io::Result<[u8; 4]> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "request too long");
    u32::try_from(length).map(u32::to_le_bytes).map_err(too_long)
}

/// The system's words, as Go writes them: small, and without the number.
fn go(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text[..1].to_lowercase() + &text[1..]
}
