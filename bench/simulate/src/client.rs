//! What the hook-command program says to the agent, over one connection: see `zkpeer-core/hook-command/main.rs`.

use std::error::Error;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

/// The agent of the unit whose hook this is.
#[derive(Debug)]
pub(crate) struct Agent {
    stream: UnixStream,
    context: String,
    directory: String,
}

impl Agent {
    /// Connects to the agent that has started this process.
    pub(crate) fn of_hook() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            stream: UnixStream::connect(std::env::var("JUJU_AGENT_SOCKET_ADDRESS")?)?,
            context: std::env::var("JUJU_CONTEXT_ID")?,
            directory: std::env::current_dir()?.to_string_lossy().into_owned(),
        })
    }

    /// What this hook command prints; it has to succeed.
    pub(crate) fn ask(&mut self, command: &str, arguments: &[&str]) -> Result<String, Box<dyn Error>> {
        let mut fields = vec![self.context.as_str(), &self.directory, command, "0", ""];
        fields.extend(arguments);
        let mut body = Vec::new();
        for field in fields {
            body.extend(u32::try_from(field.len())?.to_le_bytes());
            body.extend(field.as_bytes());
        }
        let mut message = u32::try_from(body.len())?.to_le_bytes().to_vec();
        message.append(&mut body);
        self.stream.write_all(&message)?;

        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut answer = vec![0; usize::try_from(u32::from_le_bytes(length))?];
        self.stream.read_exact(&mut answer)?;
        match fields_of(&answer).as_slice() {
            [b"done", b"0", stdout, _] => Ok(String::from_utf8_lossy(stdout).into_owned()),
            _ => Err(format!("{command}: {}", String::from_utf8_lossy(&answer)).into()),
        }
    }
}

fn fields_of(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut fields = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk() {
        let Some((field, tail)) = tail.split_at_checked(u32::from_le_bytes(*length) as usize) else { break };
        fields.push(field);
        rest = tail;
    }
    fields
}
