//! The interpreter on charms.reactive: one process that is started once, and is given hooks.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use crate::case::{APPLICATION, Bag, Case};
use crate::ours::metadata_of;
use crate::outcome::{Outcome, Round};
use crate::world::{Hook, World};

/// How a hook is run there.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Way {
    /// With the numbered differences put into it; otherwise it is the original as it is.
    pub(crate) differences: bool,
    /// Its handlers are in an order of this number, not in that of the case.
    pub(crate) order: Option<u64>,
}

/// The way in which it is to do what ours does.
pub(crate) const AS_OURS: Way = Way { differences: true, order: None };
/// The way in which it is the original.
pub(crate) const ORIGINAL: Way = Way { differences: false, order: None };

/// What the hook finds, besides the world.
#[derive(Clone, Debug, Default)]
pub(crate) struct Before {
    /// The store, as text.
    pub(crate) rows: BTreeMap<String, String>,
    pub(crate) counts: Vec<usize>,
    pub(crate) files: BTreeMap<String, String>,
}

/// What it has made of a hook.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) outcome: Outcome,
    /// The numbers of the differences that were used, and how often.
    pub(crate) used: BTreeMap<String, u64>,
}

/// What is read of one line.
#[derive(Deserialize)]
struct Answered {
    rounds: Vec<Round>,
    failure: Option<String>,
    rows: BTreeMap<String, String>,
    counts: Vec<usize>,
    files: BTreeMap<String, String>,
    settings: Bag,
    written: BTreeMap<String, Written>,
    used: BTreeMap<String, u64>,
}

/// What it has written to a relation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    unit: Bag,
    application: Bag,
}

/// The process. It ends when its input does.
pub(crate) struct Theirs {
    process: Child,
    /// The charm's directory, in which nothing is.
    _directory: TempDir,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    /// Everything that was asked and answered, if that is wanted.
    pub(crate) noted: Option<Vec<(String, String)>>,
}

impl Theirs {
    pub(crate) fn start() -> Self {
        let python = std::env::var_os("ZKPEER_PYTHON").map(PathBuf::from).expect(
            "ZKPEER_PYTHON does not name a Python with charms.reactive 1.5.3: run this suite with `tests/run differential`",
        );
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("differential/python/interpreter.py");
        let directory = tempfile::tempdir().unwrap();
        let mut process = Command::new(python)
            .arg(source)
            .arg(directory.path())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let input = process.stdin.take();
        let mut theirs = Self { process, _directory: directory, input, output, noted: None };
        assert_eq!(theirs.line(), "\"ready\"\n");
        theirs
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        assert!(!line.is_empty(), "the interpreter in Python has ended; what it said is on standard error");
        line
    }

    /// Runs a hook in each of these ways, each time from the same beginning.
    pub(crate) fn run(
        &mut self,
        case: &Told,
        hook: &Hook,
        world: &World,
        before: &Before,
        ways: &[Way],
    ) -> Vec<Answer> {
        let request = format!(
            r#"{{"case":{},"hook":{},"world":{},"rows":{},"counts":{},"files":{},"ways":{}}}"#,
            case.0,
            text(hook),
            text(world),
            text(&before.rows),
            text(&before.counts),
            text(&before.files),
            text(ways),
        );
        let line = self.ask(&request);
        let answered: Vec<Answered> = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("the interpreter in Python is wrong: {line}\n{request}"));
        if let Some(noted) = &mut self.noted {
            noted.push((request, line));
        }
        answered.into_iter().map(|answered| answered.answer(world)).collect()
    }

    /// One line to the process, and one back.
    pub(crate) fn ask(&mut self, request: &str) -> String {
        let input = self.input.as_mut().expect("it is there as long as the process");
        writeln!(input, "{request}").unwrap();
        self.line()
    }
}

/// A case as it is told there.
pub(crate) struct Told(String);

impl Told {
    pub(crate) fn new(case: &Case) -> Self {
        let mut told = serde_json::to_value(case).unwrap();
        told["metadata"] = metadata_of(case);
        told["story"].take();
        Self(told.to_string())
    }
}

fn text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

impl Drop for Theirs {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

impl Answered {
    fn answer(self, world: &World) -> Answer {
        let nothing = Written::default();
        let written = |of: &String| self.written.get(of).unwrap_or(&nothing);
        let own = world.relations.iter().map(|(of, known)| (of.clone(), merged(&known.own, &written(of).unit)));
        let own: BTreeMap<String, Bag> = own.collect();
        let own_app = world.relations.iter().map(|(of, known)| {
            let before = known.applications.get(APPLICATION).cloned().unwrap_or_default();
            (of.clone(), merged(&before, &written(of).application))
        });
        let own_app: BTreeMap<String, Bag> = own_app.collect();
        let outcome = Outcome {
            rounds: self.rounds,
            failure: self.failure,
            rows: self.rows,
            counts: self.counts,
            files: self.files,
            settings: self.settings,
            own,
            own_app,
        };
        Answer { outcome, used: self.used }
    }
}

/// A databag with what was written to it; an empty value removes its key.
fn merged(bag: &Bag, written: &Bag) -> Bag {
    let mut bag = bag.clone();
    for (key, value) in written {
        if value.is_empty() {
            bag.remove(key);
        } else {
            bag.insert(key.clone(), value.clone());
        }
    }
    bag
}
