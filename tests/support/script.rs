//! What the units of a simulated model do in their hooks, as data: a test writes it, a charm in any process follows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What is done in a hook: hook commands in their order, then an exit code.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rule {
    /// On this unit; on all if none is given.
    pub unit: Option<String>,
    /// In the hook or action of this name, or only in the one that is shown so: `zkpeer-relation-joined (zk/1)`.
    pub hook: String,
    /// In the n-th run of the hook on a unit, the first being 1; in all if none is given.
    pub nth: Option<usize>,
    /// The commands.
    pub commands: Vec<ScriptedCommand>,
    /// The exit code, if it is not 0.
    pub code: i32,
    /// What is printed on standard output.
    pub stdout: String,
    /// What is printed on standard error.
    pub stderr: String,
}

/// One hook command of a rule.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ScriptedCommand {
    /// Its name and its arguments.
    pub words: Vec<String>,
    /// Whether `$JUJU_...` and `$1` in them stand for a variable and for what the first command of the hook has printed.
    pub expands: bool,
    /// What it can read on its standard input.
    pub stdin: Option<String>,
}

/// What a hook command came to, as the charm sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The command's name and arguments.
    pub words: Vec<String>,
    /// Its exit code.
    pub code: i32,
    /// What it printed on standard output.
    pub stdout: String,
    /// What it printed on standard error.
    pub stderr: String,
}

impl Rule {
    /// Whether it is for this run of a hook.
    #[must_use]
    pub fn is_for(&self, unit: &str, shown: &str, nth: usize) -> bool {
        let name = shown.split(" (").next().unwrap_or_default();
        self.unit.as_deref().is_none_or(|own| own == unit)
            && (self.hook == shown || self.hook == name)
            && self.nth.is_none_or(|own| own == nth)
    }
}

impl ScriptedCommand {
    /// The words that are run, given what the commands before it in this hook have printed.
    #[must_use]
    pub fn expanded(&self, variables: &BTreeMap<String, String>, printed: &[String]) -> Vec<String> {
        if !self.expands {
            return self.words.clone();
        }
        let expand = |word: &String| {
            // Backwards, so that no name is taken for the beginning of a longer one.
            let variables = variables.iter().rev().filter(|(name, _)| name.starts_with("JUJU_"));
            let word = variables.fold(word.clone(), |word, (name, value)| word.replace(&format!("${name}"), value));
            let printed = printed.iter().enumerate().rev();
            printed.fold(word, |word, (at, text)| word.replace(&format!("${}", at + 1), text.trim_end()))
        };
        self.words.iter().map(expand).collect()
    }
}

/// How a hook is shown, as its environment tells it: its name with the remote unit of a relation hook, the remote
/// application of a changed application bag, or the id of storage or a secret: `zkpeer-relation-joined (zk/1)`.
#[must_use]
pub fn shown(variables: &BTreeMap<String, String>) -> String {
    let variable = |name: &str| variables.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let path = variable("JUJU_DISPATCH_PATH").unwrap_or_default();
    let name = path.split_once('/').map_or(path, |(_, name)| name);
    let app = variable("JUJU_REMOTE_APP").filter(|_| name.ends_with("-relation-changed"));
    let about = variable("JUJU_REMOTE_UNIT").or(app);
    match about.or_else(|| variable("JUJU_STORAGE_ID")).or_else(|| variable("JUJU_SECRET_ID")) {
        Some(about) => format!("{name} ({about})"),
        None => name.to_owned(),
    }
}

/// The words of a line, as a shell splits it: quotes of both kinds, and backslashes outside of single ones.
///
/// # Panics
///
/// If a quote is not closed.
#[must_use]
pub fn words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(characters.next()),
            (_, Some(open)) if character == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (_, None) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    assert!(quote.is_none(), "a quote is not closed: {line}");
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        assert_eq!(
            words("relation-set  a=1 'b= c ' \"d=$e\" f=\\ g ''"),
            ["relation-set", "a=1", "b= c ", "d=$e", "f= g", ""]
        );
    }

    #[test]
    fn variables_and_what_was_printed_stand_in_for_their_names() {
        let variables = [("JUJU_UNIT_NAME", "zk/0"), ("JUJU_UNIT", "wrong")];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let command = ScriptedCommand { words: vec!["$JUJU_UNIT_NAME=$1".to_owned()], expands: true, stdin: None };
        assert_eq!(command.expanded(&variables, &["x\n".to_owned()]), ["zk/0=x"]);
    }
}
