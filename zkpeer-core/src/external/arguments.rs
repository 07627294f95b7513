//! The command line `charms.reactive`: its commands, their arguments, and what is wrong with a use of it.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::python::Format;

/// One command: `NAME [--OPTION VALUE].. POSITIONAL.. [REST..]`.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) name: &'static str,
    options: &'static [&'static str],
    positional: &'static [&'static str],
    rest: Option<&'static str>,
    /// Whether it changes something, which a test may not (rule 3).
    pub(super) changes: bool,
    help: &'static str,
}

const fn asks(
    name: &'static str,
    positional: &'static [&'static str],
    rest: Option<&'static str>,
    help: &'static str,
) -> Command {
    Command { name, options: &[], positional, rest, changes: false, help }
}

const fn changes(
    name: &'static str,
    options: &'static [&'static str],
    positional: &'static [&'static str],
    rest: Option<&'static str>,
    help: &'static str,
) -> Command {
    Command { name, options, positional, rest, changes: true, help }
}

/// The commands of charms.reactive 1.5.3, and `relation_id`, which its shell library calls and it does not have.
const COMMANDS: &[Command] = &[
    changes("set_flag", &["value"], &["flag"], None, "set a flag"),
    changes("clear_flag", &[], &["flag"], None, "clear a flag"),
    changes("toggle_flag", &[], &["flag", "should_set"], None, "set a flag, or clear it if the second is empty"),
    changes(
        "register_trigger",
        &["when", "when_not", "set_flag", "clear_flag", "callback"],
        &[],
        None,
        "set or clear a flag whenever another one is set or cleared, for the rest of the hook",
    ),
    asks("is_flag_set", &["flag"], None, "whether the flag is set"),
    asks("all_flags_set", &[], Some("flag"), "whether all of the flags are set"),
    asks("any_flags_set", &[], Some("flag"), "whether one of the flags is set"),
    asks("get_flags", &[], None, "the flags that are set"),
    asks("get_unset_flags", &[], Some("flag"), "those of the flags that are not set"),
    changes("set_state", &["value"], &["state"], None, "set_flag by its old name"),
    changes("remove_state", &[], &["state"], None, "clear_flag by its old name"),
    asks("is_state", &["state"], None, "is_flag_set by its old name"),
    asks("all_states", &[], Some("state"), "all_flags_set by its old name"),
    asks("any_states", &[], Some("state"), "any_flags_set by its old name"),
    asks("get_states", &[], None, "the flags that are set, with their values"),
    Command {
        name: "relation_call",
        options: &["relation_name", "flag", "state"],
        positional: &["method"],
        rest: Some("argument"),
        changes: false,
        help: "call a method of the interface behind a flag or an endpoint",
    },
    asks("relation_id", &["relation_name", "unit"], None, "the relation over which this unit sees another"),
    asks("any_hook", &[], Some("pattern"), "whether the hook is one of these"),
    asks("hook", &[], Some("pattern"), "the same, in the phase of the hook handlers only"),
    asks("when", &[], Some("flag"), "whether all of the flags are set, after the phase of the hook handlers"),
    asks("when_all", &[], Some("flag"), "the same"),
    asks("when_any", &[], Some("flag"), "whether one of the flags is set, after the phase of the hook handlers"),
    asks("when_not", &[], Some("flag"), "whether none of the flags is set, after the phase of the hook handlers"),
    asks("when_none", &[], Some("flag"), "the same"),
    asks(
        "when_not_all",
        &[],
        Some("flag"),
        "whether one of the flags is not set, after the phase of the hook handlers",
    ),
    asks("when_file_changed", &[], Some("file"), "whether one of the files has changed"),
    asks("only_once", &["handler"], None, "whether the handler has not run yet"),
    changes("mark_invoked", &[], &[], Some("handler"), "the handlers have run"),
    asks("test", &[], Some("handler"), "which of the handlers are to run; each is `NAME ID [TEST ARGUMENTS]..`"),
    asks(
        "render_template",
        &["source", "target"],
        None,
        "a template of templates/ with the variables of the environment",
    ),
];

/// What the shell library says where it can say nothing else; no command of charms.reactive.
pub(super) const BROKEN: &str = "--broken-handler";

/// A command with its arguments.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) command: &'static Command,
    pub(super) format: Format,
    options: BTreeMap<&'static str, String>,
    /// The positional arguments, and then the rest.
    pub(super) arguments: Vec<String>,
}

impl Line {
    /// The value of an option; an empty one is none.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The value of an option, empty or not.
    pub(super) fn given(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// The argument of this number; each positional one is there.
    pub(super) fn argument(&self, number: usize) -> &str {
        self.arguments.get(number).map_or("", String::as_str)
    }
}

/// What a command line is, if it is no command.
#[derive(Debug)]
pub(super) enum Other {
    /// Somebody wants to know how it is used.
    Help(String),
    /// It is used wrongly: exit code 2.
    Wrong(String),
}

/// Reads the arguments behind the program's name.
pub(super) fn read(arguments: &[String]) -> Result<Line, Other> {
    let mut format = Format::default();
    let mut rest = arguments.iter();
    let name = loop {
        let Some(argument) = rest.next() else { return Err(wrong("no command", None)) };
        match argument.as_str() {
            "-h" | "--help" => return Err(Other::Help(help())),
            "--format" => format = rest.next().and_then(|name| Format::of(name)).ok_or_else(wrong_format)?,
            option if option.starts_with("--format=") => {
                format = Format::of(&option["--format=".len()..]).ok_or_else(wrong_format)?;
            }
            option if option.starts_with('-') => {
                let of_option = |(name, _): &&(&str, Format)| {
                    option[1..] == name[..1] || option.strip_prefix("--").is_some_and(|word| word == *name)
                };
                let known = Format::ALL.iter().find(of_option).map(|(_, format)| *format);
                format = known.ok_or_else(|| wrong(&format!("there is no option `{option}`"), None))?;
            }
            name => break name,
        }
    };
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        return Err(wrong(&format!("there is no command `{name}`"), None));
    };
    let (mut options, mut given) = (BTreeMap::new(), Vec::new());
    let mut only_arguments = false;
    while let Some(argument) = rest.next() {
        match argument.strip_prefix('-').filter(|_| !only_arguments) {
            Some("-") => only_arguments = true,
            Some("h" | "-help") => return Err(Other::Help(usage(command) + "\n\n" + command.help + "\n")),
            Some(option) if !option.is_empty() && option.parse::<f64>().is_err() => {
                let (name, value) = match option.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_owned())),
                    None => (option, None),
                };
                let known = command.options.iter().find(|known| name.strip_prefix('-') == Some(**known));
                let known = known.ok_or_else(|| wrong(&format!("there is no option `{argument}`"), Some(command)))?;
                let value = value.or_else(|| rest.next().cloned());
                let value = value.ok_or_else(|| wrong(&format!("`{argument}` has no value"), Some(command)))?;
                options.insert(*known, value);
            }
            _ => given.push(argument.clone()),
        }
    }
    if let Some(missing) = command.positional.get(given.len()) {
        return Err(wrong(&format!("`{missing}` is missing"), Some(command)));
    }
    if let (Some(extra), None) = (given.get(command.positional.len()), command.rest) {
        return Err(wrong(&format!("`{extra}` is one argument too many"), Some(command)));
    }
    Ok(Line { command, format, options, arguments: given })
}

fn wrong_format() -> Other {
    let names: Vec<&str> = Format::ALL.iter().map(|(name, _)| *name).collect();
    wrong(&format!("--format takes one of {}", names.join(", ")), None)
}

fn wrong(what: &str, command: Option<&Command>) -> Other {
    let usage = command.map_or_else(|| USAGE.to_owned(), usage);
    Other::Wrong(format!("{usage}\ncharms.reactive: error: {what}"))
}

const USAGE: &str = "usage: charms.reactive [-h] [--format FORMAT | -r | -j | -p | -y | -c | -t] COMMAND ...";

fn usage(command: &Command) -> String {
    let mut text = format!("usage: charms.reactive {}", command.name);
    for option in command.options {
        let _ = write!(text, " [--{option} {}]", option.to_uppercase());
    }
    for argument in command.positional {
        let _ = write!(text, " {argument}");
    }
    if let Some(rest) = command.rest {
        let _ = write!(text, " [{rest} ...]");
    }
    text
}

fn help() -> String {
    let mut text = format!(
        "{USAGE}\n\nWhat a handler in another language asks and tells the charm that runs it. Whether something holds is told by\n\
         the exit code, 0 or 1.\n\ncommands:\n"
    );
    for command in COMMANDS {
        let _ = writeln!(text, "  {}\n      {}", &usage(command)["usage: charms.reactive ".len()..], command.help);
    }
    text.push_str(
        "\nformats of what is printed:\n  raw (the default), json, py, yaml, csv, tab; -r, -j and so on in short\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &[&str]) -> Result<Line, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        read(&words).map_err(|other| match other {
            Other::Help(text) | Other::Wrong(text) => text,
        })
    }

    #[test]
    fn a_command_has_a_format_before_it_and_options_and_arguments_behind_it() {
        let call =
            line(&["--format", "json", "relation_call", "--flag", "db.ready", "get_remote", "key", "-1"]).unwrap();
        assert_eq!(
            (call.command.name, call.format, call.option("flag")),
            ("relation_call", Format::Json, Some("db.ready"))
        );
        assert_eq!(call.arguments, ["get_remote", "key", "-1"]);
        for format in ["-y", "--yaml", "--format=yaml"] {
            assert_eq!(line(&[format, "get_flags"]).unwrap().format, Format::Yaml);
        }
        assert_eq!(line(&["set_flag", "a", "--value=b"]).unwrap().option("value"), Some("b"));
        assert_eq!(line(&["set_flag", "--", "--value"]).unwrap().arguments, ["--value"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_the_usage() {
        for (words, parts) in [
            (&[][..], ["COMMAND", "no command"]),
            (&["nope"], ["COMMAND", "`nope`"]),
            (&["--format", "xml", "get_flags"], ["COMMAND", "raw, json"]),
            (&["-x", "get_flags"], ["COMMAND", "`-x`"]),
            (&["set_flag"], ["set_flag [--value VALUE] flag", "`flag` is missing"]),
            (&["set_flag", "a", "b"], ["set_flag", "`b` is one argument too many"]),
            (&["set_flag", "a", "--nope", "b"], ["set_flag", "`--nope`"]),
            (&["set_flag", "a", "--value"], ["set_flag", "`--value` has no value"]),
        ] {
            let error = line(words).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }

    #[test]
    fn help_names_every_command() {
        let help = line(&["--help"]).unwrap_err();
        assert!(COMMANDS.iter().all(|command| help.contains(&format!("\n  {}", command.name))), "{help}");
        assert!(line(&["set_flag", "-h"]).unwrap_err().contains("set a flag"));
    }
}
