//! What goes between the charm and `charms.reactive` in a handler: one request, one answer, both JSON and the end of what is sent.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The variable that names the socket.
pub(super) const SOCKET: &str = "ZKPEER_SOCKET";

/// A command line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    /// Where it was called, to which the names of files are relative.
    pub(super) directory: PathBuf,
    /// The arguments behind the program's name.
    pub(super) arguments: Vec<String>,
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The exit code.
    pub(super) code: u8,
    /// For standard output.
    pub(super) stdout: String,
    /// For standard error.
    pub(super) stderr: String,
}

impl Answer {
    /// Something is wrong.
    pub(super) fn refused(code: u8, message: &str) -> Self {
        Self { code, stdout: String::new(), stderr: format!("{message}\n") }
    }
}
