//! Options of hook commands, parsed as Juju's parser does it (contract 7.2), and the formats of contract 7.3.

use super::value::Value;

/// One option: its one-letter and its long names, and whether it takes a value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opt {
    pub(crate) names: &'static [&'static str],
    pub(crate) takes_value: bool,
}

/// An option without a value.
pub(crate) const fn switch(names: &'static [&'static str]) -> Opt {
    Opt { names, takes_value: false }
}

/// An option with a value.
pub(crate) const fn valued(names: &'static [&'static str]) -> Opt {
    Opt { names, takes_value: true }
}

/// One option as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    /// The first of the option's names.
    pub(crate) name: &'static str,
    /// As it was written: `-r` or `--relation`.
    pub(crate) spelled: String,
    pub(crate) value: String,
}

/// What the parser found, up to the first thing that it could not take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) given: Vec<Given>,
    pub(crate) args: Vec<String>,
    pub(crate) error: Option<String>,
    pub(crate) help: bool,
}

impl Parsed {
    /// The last value given for the option.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.given.iter().rev().find(|given| given.name == name).map(|given| given.value.as_str())
    }

    /// Whether the switch is on.
    pub(crate) fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| boolean(value) == Some(true))
    }
}

/// Parses the arguments. Values are not looked at here, except those of switches.
pub(crate) fn parse<'o>(options: &(impl Iterator<Item = &'o Opt> + Clone), args: &[String]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        let step = if arg == "--" {
            parsed.args.extend(rest.cloned());
            return parsed;
        } else if let Some(long) = arg.strip_prefix("--") {
            take_long(options, long, &mut rest, &mut parsed)
        } else if arg.starts_with('-') && arg != "-" {
            take_short(options, arg.get(1..).unwrap_or_default(), &mut rest, &mut parsed)
        } else {
            parsed.args.push(arg.clone());
            Ok(())
        };
        if let Err(error) = step {
            parsed.error = Some(error);
            return parsed;
        }
        if parsed.help {
            return parsed;
        }
    }
    parsed
}

fn find<'o>(options: &(impl Iterator<Item = &'o Opt> + Clone), name: &str) -> Option<&'o Opt> {
    options.clone().find(|option| option.names.contains(&name))
}

fn take_long<'a, 'o>(
    options: &(impl Iterator<Item = &'o Opt> + Clone),
    text: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text, None),
    };
    let spelled = format!("--{name}");
    let Some(option) = find(options, name).filter(|_| name.chars().count() > 1) else {
        if name == "help" {
            parsed.help = true;
            return Ok(());
        }
        return Err(format!("option provided but not defined: {spelled}"));
    };
    let value = match (value, option.takes_value) {
        (Some(value), true) => value,
        (None, true) => rest.next().cloned().ok_or_else(|| format!("option needs an argument: {spelled}"))?,
        (None, false) => "true".to_owned(),
        (Some(value), false) => {
            if boolean(&value).is_none() {
                return Err(format!(
                    "invalid boolean value {} for option {spelled}: strconv.ParseBool: parsing {}: invalid syntax",
                    quoted(&value),
                    quoted(&value)
                ));
            }
            value
        }
    };
    parsed.given.push(Given { name: option.names[0], spelled, value });
    Ok(())
}

/// One-letter options: switches may stand together, a value follows directly or as the next argument.
fn take_short<'a, 'o>(
    options: &(impl Iterator<Item = &'o Opt> + Clone),
    letters: &str,
    rest: &mut impl Iterator<Item = &'a String>,
    parsed: &mut Parsed,
) -> Result<(), String> {
    for (at, letter) in letters.char_indices() {
        let spelled = format!("-{letter}");
        let Some(option) = find(options, letter.encode_utf8(&mut [0; 4])) else {
            if letter == 'h' {
                parsed.help = true;
                return Ok(());
            }
            return Err(format!("option provided but not defined: {spelled}"));
        };
        if option.takes_value {
            let joined = letters.get(at + letter.len_utf8()..).unwrap_or_default();
            let value = if joined.is_empty() {
                rest.next().cloned().ok_or_else(|| format!("option needs an argument: {spelled}"))?
            } else {
                joined.to_owned()
            };
            parsed.given.push(Given { name: option.names[0], spelled, value });
            return Ok(());
        }
        parsed.given.push(Given { name: option.names[0], spelled, value: "true".to_owned() });
    }
    Ok(())
}

/// A boolean as Go reads it.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Text in double quotes as Go's `%q` writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `["a" "b"]`, as Go prints a list of quoted strings.
pub(crate) fn quoted_list(items: &[String]) -> String {
    format!("[{}]", items.iter().map(|item| quoted(item)).collect::<Vec<_>>().join(" "))
}

/// How a value is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Smart,
    Json,
    Yaml,
}

impl Format {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "smart" => Some(Self::Smart),
            "json" => Some(Self::Json),
            "yaml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// The value as it is printed, with the newline that ends every output that is not empty.
    pub(crate) fn print(self, value: &Value) -> String {
        self.print_fields(value, &[])
    }

    /// The same, for what is a structure in Juju: a map whose keys are all among `fields` is printed in their order.
    pub(crate) fn print_fields(self, value: &Value, fields: &[&str]) -> String {
        let mut text = match (self, value) {
            (Self::Json, value) => value.to_json_fields(fields),
            (_, Value::Null) => return String::new(),
            (Self::Smart, value) => {
                let text = value.to_smart_fields(fields);
                // A string is printed as it is, with a newline more; YAML ends with its own.
                if text.is_empty() || (text.ends_with('\n') && !matches!(value, Value::Text(_))) {
                    return text;
                }
                text
            }
            (Self::Yaml, value) => {
                let text = value.to_yaml_fields(fields);
                if text.ends_with('\n') {
                    return text;
                }
                text
            }
        };
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::value::{map, texts};

    const OPTIONS: &[Opt] = &[valued(&["r", "relation"]), switch(&["app"]), switch(&["a", "all"])];

    fn parsed(args: &[&str]) -> Parsed {
        parse(&OPTIONS.iter(), &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn c7_2_forms_of_options() {
        for args in [&["-r", "3", "x"][..], &["-r3", "x"], &["--relation", "3", "x"], &["x", "--relation=3"]] {
            let parsed = parsed(args);
            assert_eq!((parsed.value("r"), &parsed.args[..]), (Some("3"), &["x".to_owned()][..]), "{args:?}");
        }
        assert_eq!(parsed(&["-r=3"]).value("r"), Some("=3"));
        assert!(parsed(&["--app=true"]).is_on("app") && !parsed(&["--app=false"]).is_on("app"));
        assert_eq!(parsed(&["-", "--", "-r", "--app"]).args, ["-", "-r", "--app"]);
    }

    #[test]
    fn c7_1_texts_of_wrong_options() {
        assert_eq!(parsed(&["--foo"]).error.unwrap(), "option provided but not defined: --foo");
        assert_eq!(parsed(&["-x"]).error.unwrap(), "option provided but not defined: -x");
        assert_eq!(parsed(&["-r"]).error.unwrap(), "option needs an argument: -r");
        assert!(parsed(&["--help"]).help && parsed(&["-h"]).help);
    }

    #[test]
    fn c7_3_the_table_of_outputs() {
        let table = [
            (Value::Null, "", "null\n", ""),
            (Value::from(""), "", "\"\"\n", "\"\"\n"),
            (Value::from("hello"), "hello\n", "\"hello\"\n", "hello\n"),
            (Value::from("hello\n"), "hello\n\n", "\"hello\\n\"\n", "|\n  hello\n"),
            (Value::List(Vec::new()), "", "[]\n", "[]\n"),
            (texts(["zk/0", "zk/1"]), "zk/0\nzk/1\n", "[\"zk/0\",\"zk/1\"]\n", "- zk/0\n- zk/1\n"),
            (Value::from(true), "True\n", "true\n", "true\n"),
            (map([]), "{}\n", "{}\n", "{}\n"),
            (
                map([("b", Value::from("yes")), ("a", Value::from("x"))]),
                "a: x\nb: \"yes\"\n",
                "{\"a\":\"x\",\"b\":\"yes\"}\n",
                "a: x\nb: \"yes\"\n",
            ),
        ];
        for (value, smart, json, yaml) in table {
            assert_eq!(Format::Smart.print(&value), smart);
            assert_eq!(Format::Json.print(&value), json);
            assert_eq!(Format::Yaml.print(&value), yaml);
        }
    }
}
