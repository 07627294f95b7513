//! Charms on charms.reactive: the Python that runs them, and a process that is started once and forks for each hook.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use tempfile::TempDir;
use zkpeer_core::testing::Model;

/// How many seconds a hook may take in Python.
const LIMIT: u32 = 50;

/// One process in which charms.reactive is imported, and which forks for each hook. It ends when this one does, by itself: when
/// nobody holds the other end of its input any longer.
#[derive(Debug)]
pub struct Zygote {
    socket: PathBuf,
    _process: Child,
    _input: ChildStdin,
    _directory: TempDir,
}

impl Zygote {
    /// Starts it for the charm whose source is in this directory.
    ///
    /// # Panics
    ///
    /// If it does not start.
    #[must_use]
    pub fn start(charm: &Path) -> Self {
        Self::try_start(charm).expect("the process that imports charms.reactive once does not start")
    }

    fn try_start(charm: &Path) -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let socket = directory.path().join("socket");
        let mut process = Command::new(interpreter())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("support/python/zygote"))
            .arg(&socket)
            .arg(LIMIT.to_string())
            .arg(charm)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (input, output) = (process.stdin.take(), process.stdout.take());
        let mut line = String::new();
        BufReader::new(output.expect("it is piped")).read_line(&mut line)?;
        if line != "ready\n" {
            let _ = process.wait();
            return Err(io::Error::other("it has ended before it was ready; what it said is on standard error"));
        }
        Ok(Self { socket, _process: process, _input: input.expect("it is piped"), _directory: directory })
    }

    /// Where a charm hands its hooks over: the content of the file `deputy` of a charm whose program is `deputy`.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

/// The Python that `tests/run` has installed charms.reactive for.
///
/// # Panics
///
/// If nobody has.
#[must_use]
pub fn interpreter() -> PathBuf {
    std::env::var_os("ZKPEER_PYTHON").map(PathBuf::from).expect(
        "ZKPEER_PYTHON does not name a Python with charms.reactive 1.5.3: run this suite with `tests/run` and its name",
    )
}

/// Lets the model run charms in Python: on a hook's `PATH`, `python3` is this one.
///
/// # Panics
///
/// If there is none.
pub fn prepare(model: &mut Model) {
    let python = interpreter().parent().expect("ZKPEER_PYTHON is the path of a program").to_owned();
    model.set_path(&format!("{}:/usr/bin:/bin", python.display()));
}
