//! What the charm `actor` reads and writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::script::Seen;

/// Where the script is, from a charm directory.
pub const SCRIPT: &str = "../../../script";

/// Where the notes are, from a charm directory.
pub const NOTES: &str = "../notes";

/// One line of the notes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Note {
    /// A hook begins.
    Start(Start),
    /// A hook command has ended.
    Command(Seen),
}

/// How a hook's process was started.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// The hook, as its environment tells it.
    pub shown: String,
    /// All arguments, its own name included.
    pub arguments: Vec<String>,
    /// The working directory.
    pub directory: String,
    /// All that it could read on standard input.
    pub stdin: String,
    /// All variables.
    pub environment: BTreeMap<String, String>,
}
