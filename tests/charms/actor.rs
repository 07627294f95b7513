//! A charm that does in its hooks what a script says, and writes down what it sees.
//!
//! Both files are where no charm looks for them and no variable names them: the script beside the directories of all units,
//! the notes beside its own charm directory.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use tests::actor::{NOTES, Note, SCRIPT, Start};
use tests::script::{Rule, ScriptedCommand, Seen, shown};

fn main() -> ExitCode {
    match act() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("the actor cannot act: {error}");
            ExitCode::from(99)
        }
    }
}

fn act() -> io::Result<u8> {
    let start = start()?;
    let (unit, hook) = (start.environment.get("JUJU_UNIT_NAME").cloned().unwrap_or_default(), start.shown.clone());
    let nth = 1 + count(&hook)?;
    let environment = start.environment.clone();
    note(&Note::Start(start))?;
    let rules: Vec<Rule> = serde_json::from_str(&fs::read_to_string(SCRIPT)?)?;
    let mut printed = Vec::new();
    let mut code = 0;
    for rule in rules.iter().filter(|rule| rule.is_for(&unit, &hook, nth)) {
        for command in &rule.commands {
            let seen = run(command, &environment, &printed)?;
            printed.push(seen.stdout.clone());
            note(&Note::Command(seen))?;
        }
        print!("{}", rule.stdout);
        eprint!("{}", rule.stderr);
        code = if rule.code == 0 { code } else { rule.code };
    }
    Ok(u8::try_from(code).unwrap_or(99))
}

/// How this process was started.
fn start() -> io::Result<Start> {
    let mut stdin = String::new();
    io::stdin().read_to_string(&mut stdin)?;
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    Ok(Start {
        shown: shown(&environment),
        arguments: std::env::args().collect(),
        directory: std::env::current_dir()?.display().to_string(),
        stdin,
        environment,
    })
}

/// How often the hook has run here before.
fn count(hook: &str) -> io::Result<usize> {
    let Ok(text) = fs::read_to_string(NOTES) else { return Ok(0) };
    let notes = text.lines().map(serde_json::from_str);
    let notes: Vec<Note> = notes.collect::<Result<_, _>>()?;
    Ok(notes.iter().filter(|note| matches!(note, Note::Start(start) if start.shown == hook)).count())
}

fn note(note: &Note) -> io::Result<()> {
    let mut file = File::options().create(true).append(true).open(Path::new(NOTES))?;
    file.write_all(format!("{}\n", serde_json::to_string(note)?).as_bytes())
}

fn run(command: &ScriptedCommand, environment: &BTreeMap<String, String>, printed: &[String]) -> io::Result<Seen> {
    let words = command.expanded(environment, printed);
    let Some((name, arguments)) = words.split_first() else { return Err(io::Error::other("a command has no name")) };
    let stdin = if command.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
    let child = Command::new(name).args(arguments).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = match child {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Seen { words, code: 127, stdout: String::new(), stderr: "command not found\n".to_owned() });
        }
        other => other?,
    };
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), &command.stdin) {
        // A command that does not want it may be gone already.
        let _ = pipe.write_all(text.as_bytes());
    }
    let output = child.wait_with_output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(Seen {
        code: output.status.code().unwrap_or(128),
        stdout: text(&output.stdout),
        stderr: text(&output.stderr),
        words,
    })
}
