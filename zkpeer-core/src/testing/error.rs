//! What can go wrong around a simulated unit, apart from a hook that fails (which is a result, not an error).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::outcome::HookRun;
use crate::juju::NameError;

/// Why the simulated unit agent could not do what it was asked.
///
/// `Debug` is written as the message is, for tests that return it or `unwrap` it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The charm directory is not a charm, or one of its files is wrong.
    #[error("{}: {problem}", path.display())]
    Charm {
        /// The file or directory.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// A file, directory or socket of the agent could not be used.
    #[error("cannot {what}")]
    Io {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// The model was interrupted; a hook that ran as a process was killed.
    #[error("interrupted")]
    Interrupted,
    /// A name that Juju would not take.
    #[error(transparent)]
    Name(#[from] NameError),
    /// Something that Juju could never do was asked for.
    #[error("Juju could not do this: {0}")]
    Impossible(String),
    /// A hook failed, or was given up, where a call expected it to succeed.
    #[error("{}", .0.problem().unwrap_or_default())]
    HookFailed(Box<HookRun>),
    /// One hook after the other became due without end.
    #[error("{0}")]
    Endless(String),
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")?;
        match std::error::Error::source(self) {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl Error {
    pub(crate) fn charm(path: &Path, problem: impl Into<String>) -> Self {
        Self::Charm { path: path.to_owned(), problem: problem.into() }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn impossible<T>(why: impl Into<String>) -> Result<T, Self> {
        Err(Self::Impossible(why.into()))
    }
}
