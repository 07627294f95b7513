//! Handlers in other languages: files that are meant to be one and are none, and conditions that are misspelt.

use std::fs;
use std::path::Path;

use super::names;
use super::{Finding, Kind};
use crate::error::Error;
use crate::external_files;

/// A handler in another language.
#[derive(Debug)]
pub(super) struct Script {
    content: Vec<u8>,
}

impl Script {
    /// Whether the flag stands in it as a word of its own.
    pub(super) fn mentions(&self, flag: &str) -> bool {
        let is_of_name =
            |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte));
        let (content, flag) = (self.content.as_slice(), flag.as_bytes());
        content.windows(flag.len()).enumerate().any(|(at, word)| {
            let before = at.checked_sub(1).and_then(|before| content.get(before));
            word == flag && !is_of_name(before) && !is_of_name(content.get(at + flag.len()))
        })
    }
}

/// The library for handlers in bash.
const LIBRARY: &str = "charms.reactive.sh";
/// The conditions that it has.
const DECORATORS: [&str; 10] = [
    "decorator",
    "hook",
    "only_once",
    "when",
    "when_all",
    "when_any",
    "when_file_changed",
    "when_none",
    "when_not",
    "when_not_all",
];

/// What is wrong with the handlers in other languages of the charm in this directory: those that `check` finds, too.
///
/// # Errors
///
/// If a file cannot be read.
pub fn scripts(charm_dir: &Path) -> Result<Vec<Finding>, Error> {
    read(charm_dir).map(|(_, findings)| findings)
}

/// The handlers that are files, and what is wrong with what may be meant as one.
pub(super) fn read(charm_dir: &Path) -> Result<(Vec<Script>, Vec<Finding>), Error> {
    let (mut scripts, mut findings) = (Vec::new(), Vec::new());
    for file in external_files::all(charm_dir)? {
        let path = file.path();
        let content = match fs::read(path) {
            Ok(content) => content,
            // A link that leads nowhere is no handler; charms.reactive passes it by, too.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Error::Read { path: path.to_owned(), source }),
        };
        let text = String::from_utf8_lossy(&content).into_owned();
        if external_files::is_handler(path)? {
            findings.extend(unknown_decorators(file.name(), &text));
            scripts.push(Script { content });
        } else {
            findings.extend(not_a_handler(file.name(), &text));
        }
    }
    Ok((scripts, findings))
}

fn sources_library(text: &str) -> bool {
    let is_source = |line: &str| {
        let mut words = line.split_whitespace();
        matches!(words.next(), Some("source" | "."))
            && words.next().is_some_and(|file| file.trim_matches(['"', '\'']).ends_with(LIBRARY))
    };
    text.lines().any(is_source)
}

/// A file that is no handler, and looks as if it was meant to be.
fn not_a_handler(name: &str, text: &str) -> Option<Finding> {
    let file = name.rsplit('/').next().unwrap_or(name);
    let extension = file.trim_start_matches('.').rsplit_once('.').map(|(_, extension)| extension);
    let is_named_as_one = extension.is_none_or(|extension| extension == "sh");
    let is_in_bash = sources_library(text);
    let message = match (text.starts_with("#!"), is_named_as_one) {
        (true, true) => format!("it is a script and cannot be executed, so it is no handler and nobody runs it: chmod +x {name}"),
        (false, true) if is_in_bash => {
            "it is meant to be a handler in bash and does not begin with `#!/bin/bash`, so nobody runs it".to_owned()
        }
        (_, false) if is_in_bash => {
            "it is meant to be a handler in bash, and nobody runs it under this name: it has to end in `.sh`, or in nothing"
                .to_owned()
        }
        _ => return None,
    };
    Some(of_file(name, Kind::NotExecutable, name.to_owned(), message))
}

/// The lines that look like conditions of a function and are none.
fn unknown_decorators(name: &str, text: &str) -> Vec<Finding> {
    if !sources_library(text) {
        return Vec::new();
    }
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let mut findings = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(word) = line.strip_prefix('@').and_then(|rest| rest.split_whitespace().next()) else { continue };
        let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !is_word || DECORATORS.contains(&word) || !stands_above_a_function(&lines[at + 1..]) {
            continue;
        }
        let meant =
            names::nearest(word, DECORATORS).map_or_else(String::new, |other| format!("; did you mean `@{other}`?"));
        let message = format!("`@{word}` is no condition, so the function below it is not run as is meant{meant}");
        findings.push(of_file(&format!("{name}:{}", at + 1), Kind::UnknownDecorator, format!("@{word}"), message));
    }
    findings
}

fn stands_above_a_function(below: &[&str]) -> bool {
    let mut lines = below.iter().skip_while(|line| line.is_empty() || line.starts_with(['@', '#']));
    lines.next().is_some_and(|line| line.starts_with("function ") || line.replace(' ', "").contains("()"))
}

fn of_file(place: &str, kind: Kind, subject: String, message: String) -> Finding {
    let subject = Some(subject);
    Finding { place: place.to_owned(), kind, subject, handlers: Vec::new(), message, certain: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_condition_above_a_function_is_found() {
        let text = "#!/bin/bash\nsource charms.reactive.sh\n\n@whn a.b\n@when_not c\nfunction f() {\n  cat <<E\n@whn x\nE\n}\n@hook x\ng() {\n:\n}\n";
        let found = unknown_decorators("reactive/x.sh", text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].place, "reactive/x.sh:4");
        assert!(found[0].message.ends_with("did you mean `@when`?"), "{}", found[0].message);
        assert!(unknown_decorators("reactive/x.sh", "#!/bin/bash\n@whn a\nf() {\n}\n").is_empty());
    }

    #[test]
    fn a_file_that_is_meant_to_be_a_handler_is_found() {
        let in_bash = "#!/bin/bash\n. charms.reactive.sh\n";
        assert!(not_a_handler("reactive/x.sh", in_bash).unwrap().message.ends_with("chmod +x reactive/x.sh"));
        assert!(not_a_handler("reactive/x", "#!/usr/bin/perl\n").is_some());
        assert!(not_a_handler("reactive/x.bash", in_bash).unwrap().message.contains("`.sh`"));
        assert!(
            not_a_handler("reactive/x.sh", "source charms.reactive.sh\n").unwrap().message.contains("`#!/bin/bash`")
        );
        for other in ["reactive/x.py", "reactive/README.md"] {
            assert!(not_a_handler(other, "#!/usr/bin/python3\n").is_none(), "{other}");
        }
        assert!(not_a_handler("reactive/list", "a text\n").is_none());
    }

    #[test]
    fn a_flag_is_mentioned_as_a_whole_word() {
        let script = Script { content: b"set_flag web.ready\n[[ \"x\" ]] && clear_flag 'db.up'".to_vec() };
        assert!(script.mentions("web.ready") && script.mentions("db.up"));
        assert!(!script.mentions("web") && !script.mentions("eb.ready") && !script.mentions("web.read"));
    }
}
