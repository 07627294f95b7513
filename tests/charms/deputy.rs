//! A `dispatch` that hands its hook to a process that is there already: the file `deputy` beside it says at which socket.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longer than any hook takes.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Hook {
    arguments: Vec<String>,
    directory: String,
    environment: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Ended {
    code: u8,
    stdout: String,
    stderr: String,
}

fn main() -> ExitCode {
    match run() {
        Ok(ended) => {
            print!("{}", ended.stdout);
            eprint!("{}", ended.stderr);
            ExitCode::from(ended.code)
        }
        Err(error) => {
            eprintln!("ERROR the hook could not be handed on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<Ended, Box<dyn Error>> {
    let hook = Hook {
        arguments: std::env::args().collect(),
        directory: std::env::current_dir()?.to_string_lossy().into_owned(),
        environment: std::env::vars().collect(),
    };
    let mut stream = UnixStream::connect(std::fs::read_to_string("deputy")?)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(&serde_json::to_vec(&hook)?)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer.is_empty() {
        return Err("it ended without an answer".into());
    }
    Ok(serde_json::from_slice(&answer)?)
}
