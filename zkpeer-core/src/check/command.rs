//! `check` on the charm's program: outside of a hook, for its author.

use std::ffi::OsString;
use std::path::PathBuf;

use super::{Graph, print};
use crate::error::{Error, describe};

/// How it is called.
const USAGE: &str = "\
usage: check [DIRECTORY] [--format text|json]

Reports what is wrong with the charm's handlers, flags and triggers, without running any. DIRECTORY is where metadata.yaml
is; without it, the working directory. The exit code is 0 if nothing is found, 1 if something is or the charm cannot be
checked, 2 if the command line is not understood.";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Check {
    directory: PathBuf,
    json: bool,
}

impl Check {
    /// Whether the program is started as `check`, and what it is to do then.
    pub(crate) fn asked(mut arguments: impl Iterator<Item = OsString>) -> Option<Result<Self, u8>> {
        arguments.next().filter(|name| name == "check")?;
        Some(Self::read(arguments).map_err(|wrong| match wrong {
            Some(problem) => {
                eprintln!("error: {problem}\n{USAGE}");
                2
            }
            None => {
                println!("{USAGE}");
                0
            }
        }))
    }

    /// The rest of the command line, or what is wrong with it; nothing is, if only help is wanted.
    fn read(mut arguments: impl Iterator<Item = OsString>) -> Result<Self, Option<String>> {
        let (mut directory, mut json) = (None, false);
        while let Some(argument) = arguments.next() {
            let text = argument.to_string_lossy();
            let format = match text.as_ref() {
                "--help" | "-h" => return Err(None),
                "--format" => Some(arguments.next().unwrap_or_default().to_string_lossy().into_owned()),
                _ => text.strip_prefix("--format=").map(str::to_owned),
            };
            match format.as_deref() {
                Some("text") => json = false,
                Some("json") => json = true,
                Some(other) => return Err(Some(format!("`{other}` is no format: it is `text` or `json`"))),
                None if text.starts_with('-') => return Err(Some(format!("`{text}` is not understood"))),
                None if directory.is_some() => return Err(Some(format!("`{text}` is one directory too many"))),
                None => directory = Some(PathBuf::from(&argument)),
            }
        }
        Ok(Self { directory: directory.unwrap_or_else(|| PathBuf::from(".")), json })
    }

    /// Checks, and prints; the exit code.
    pub(crate) fn run(&self, graph: impl FnOnce(&std::path::Path) -> Result<Graph, Error>) -> u8 {
        let graph = match graph(&self.directory) {
            Ok(graph) => graph,
            Err(error) => {
                eprintln!("error: {}", describe(&error));
                return 1;
            }
        };
        let findings = graph.findings();
        match self.json {
            true => println!("{:#}", print::json(&graph, &findings)),
            false => print!("{}", print::text(&graph, &findings)),
        }
        u8::from(!findings.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(line: &str) -> Option<Result<Check, u8>> {
        Check::asked(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn the_command_line_is_read() {
        let check = |directory: &str, json| Some(Ok(Check { directory: directory.into(), json }));
        assert_eq!(asked("check"), check(".", false));
        assert_eq!(asked("check charm --format json"), check("charm", true));
        assert_eq!(asked("check --format=text charm"), check("charm", false));
        assert_eq!(asked("check --help"), Some(Err(0)));
        for wrong in ["check --format", "check --format xml", "check a b", "check --verbose"] {
            assert_eq!(asked(wrong), Some(Err(2)), "{wrong}");
        }
        assert_eq!(asked("hooks/install"), None);
        assert_eq!(asked(""), None);
    }
}
