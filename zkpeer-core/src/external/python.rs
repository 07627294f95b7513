//! Values as the original command line prints them: as Python's `str`, `pprint`, `json`, `yaml` and `csv` do.

use crate::store::{Json, JsonObject, JsonString};

/// How a command's value is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Format {
    /// As Python's `str`; a list with an item on each line.
    #[default]
    Raw,
    Json,
    Py,
    Yaml,
    Csv,
    Tab,
}

/// The width within which `pprint` stays where it can.
const WIDTH: usize = 80;

impl Format {
    pub(super) const ALL: [(&'static str, Self); 6] = [
        ("raw", Self::Raw),
        ("json", Self::Json),
        ("py", Self::Py),
        ("yaml", Self::Yaml),
        ("csv", Self::Csv),
        ("tab", Self::Tab),
    ];

    /// The format of this name.
    pub(super) fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// The value as it is printed; or that it has no rows, which csv needs.
    pub(super) fn print(self, value: &Json) -> Result<String, &'static str> {
        let mut out = String::new();
        match self {
            Self::Raw => match value {
                Json::Array(items) => out = items.iter().map(str_of).collect::<Vec<_>>().join("\n"),
                other => out = str_of(other),
            },
            Self::Json => out = value.to_string(),
            Self::Py => {
                pretty(&mut out, value, 0, 0);
                out.push('\n');
            }
            Self::Yaml => yaml(&mut out, value),
            Self::Csv => rows(&mut out, value, ',')?,
            Self::Tab => rows(&mut out, value, '\t')?,
        }
        Ok(out)
    }
}

/// What `str` makes of a value.
fn str_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.to_string_lossy().into_owned(),
        other => repr(other),
    }
}

/// What `repr` makes of a value.
fn repr(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Integer(number) => number.to_string(),
        Json::Float(number) if number.is_nan() => "nan".to_owned(),
        Json::Float(number) if number.is_infinite() => if *number > 0.0 { "inf" } else { "-inf" }.to_owned(),
        Json::Float(_) => value.to_string(),
        Json::String(text) => repr_text(text),
        Json::Array(items) => format!("[{}]", items.iter().map(repr).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entry = |(key, value): (&JsonString, &Json)| format!("{}: {}", repr_text(key), repr(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}

fn repr_text(text: &JsonString) -> String {
    let text = text.to_string_lossy();
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

/// What `pprint` prints, without the end of the line: in one line where that fits, otherwise with a line for each item.
fn pretty(out: &mut String, value: &Json, indent: usize, allowance: usize) {
    let line = repr(value);
    if line.chars().count() + indent + allowance <= WIDTH {
        return out.push_str(&line);
    }
    let between = format!(",\n{}", " ".repeat(indent + 1));
    match value {
        Json::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { &between });
                let last = at + 1 == items.len();
                pretty(out, item, indent + 1, if last { allowance + 1 } else { 1 });
            }
            out.push(']');
        }
        Json::Object(entries) => {
            out.push('{');
            for (at, (key, item)) in entries.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { &between });
                let key = repr_text(key);
                let last = at + 1 == entries.len();
                let item_at = indent + 1 + key.chars().count() + 2;
                out.push_str(&key);
                out.push_str(": ");
                pretty(out, item, item_at, if last { allowance + 1 } else { 1 });
            }
            out.push('}');
        }
        _ => out.push_str(&line),
    }
}

/// What `yaml.safe_dump` prints.
fn yaml(out: &mut String, value: &Json) {
    match value {
        Json::Array(items) if !items.is_empty() => yaml_items(out, items, 0),
        Json::Object(entries) if !entries.is_empty() => yaml_entries(out, entries, 0),
        Json::Array(_) | Json::Object(_) => {
            yaml_scalar(out, value);
            out.push('\n');
        }
        scalar => {
            let begun = out.len();
            yaml_scalar(out, scalar);
            // A plain scalar that is a whole document says where it ends.
            let is_plain = !out[begun..].starts_with(['\'', '"']);
            out.push_str(if is_plain { "\n...\n" } else { "\n" });
        }
    }
}

fn yaml_items(out: &mut String, items: &[Json], indent: usize) {
    for (at, item) in items.iter().enumerate() {
        out.push_str(&" ".repeat(if at == 0 && !out.ends_with('\n') { 0 } else { indent }));
        out.push_str("- ");
        yaml_within(out, item, indent, true);
    }
}

fn yaml_entries(out: &mut String, entries: &JsonObject, indent: usize) {
    for (at, (key, item)) in entries.iter().enumerate() {
        out.push_str(&" ".repeat(if at == 0 && !out.is_empty() && !out.ends_with('\n') { 0 } else { indent }));
        yaml_text(out, &key.to_string_lossy());
        out.push(':');
        let is_nested = matches!(item, Json::Array(items) if !items.is_empty())
            || matches!(item, Json::Object(entries) if !entries.is_empty());
        out.push(if is_nested { '\n' } else { ' ' });
        yaml_within(out, item, indent, false);
    }
}

/// What stands in a list or behind a key; a list behind a key is not indented.
fn yaml_within(out: &mut String, value: &Json, indent: usize, in_list: bool) {
    match value {
        Json::Array(items) if !items.is_empty() => yaml_items(out, items, if in_list { indent + 2 } else { indent }),
        Json::Object(entries) if !entries.is_empty() => yaml_entries(out, entries, indent + 2),
        scalar => {
            yaml_scalar(out, scalar);
            out.push('\n');
        }
    }
}

fn yaml_scalar(out: &mut String, value: &Json) {
    match value {
        Json::String(text) => yaml_text(out, &text.to_string_lossy()),
        Json::Float(number) if number.is_nan() => out.push_str(".nan"),
        Json::Float(number) if number.is_infinite() => out.push_str(if *number > 0.0 { ".inf" } else { "-.inf" }),
        other => out.push_str(&other.to_string()),
    }
}

/// Without quotes where YAML reads it as the same text, else in single ones, or in double ones where it has control
/// characters.
fn yaml_text(out: &mut String, text: &str) {
    if text.chars().any(char::is_control) {
        return out.push_str(&Json::String(text.into()).to_string());
    }
    if is_plain(text) {
        return out.push_str(text);
    }
    out.push('\'');
    out.push_str(&text.replace('\'', "''"));
    out.push('\'');
}

fn is_plain(text: &str) -> bool {
    const INDICATORS: &str = "-?:,[]{}#&*!|>'\"%@`=";
    const WORDS: [&str; 9] = ["yes", "no", "on", "off", "true", "false", "null", "~", "<<"];
    let Some(first) = text.chars().next() else { return false };
    let is_word = WORDS.contains(&text.to_lowercase().as_str());
    let is_number = (first.is_ascii_digit() || matches!(first, '+' | '.'))
        && text.chars().all(|c| c.is_ascii_hexdigit() || "_.:xo+-".contains(c));
    !(INDICATORS.contains(first)
        || is_word
        || is_number
        || text.trim() != text
        || text.ends_with(':')
        || text.contains(": ")
        || text.contains(" #"))
}

/// What `csv.writer(..).writerows` prints: each item is a row, and each character of a text a cell.
fn rows(out: &mut String, value: &Json, separator: char) -> Result<(), &'static str> {
    let items: Vec<Json> = match value {
        Json::Array(items) => items.clone(),
        Json::Object(entries) => entries.iter().map(|(key, _)| Json::String(key.clone())).collect(),
        Json::String(text) => text.to_string_lossy().chars().map(text_of).collect(),
        _ => return Err("the value is no list, and csv and tab print rows"),
    };
    for item in &items {
        let cells: Vec<String> = match item {
            Json::Array(cells) => cells.iter().map(cell_of).collect(),
            Json::Object(entries) => entries.iter().map(|(key, _)| key.to_string_lossy().into_owned()).collect(),
            Json::String(text) => text.to_string_lossy().chars().map(String::from).collect(),
            _ => return Err("an item of the list is no row, and csv and tab print rows"),
        };
        let is_alone = cells.len() == 1;
        let quoted = |cell: &String| {
            let special = |c: char| c == separator || matches!(c, '"' | '\n' | '\r');
            let needs_quotes = cell.contains(special) || is_alone && cell.is_empty();
            if needs_quotes { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.clone() }
        };
        out.push_str(&cells.iter().map(quoted).collect::<Vec<_>>().join(&separator.to_string()));
        out.push_str("\r\n");
    }
    Ok(())
}

fn text_of(c: char) -> Json {
    Json::String(c.to_string().into())
}

fn cell_of(value: &Json) -> String {
    if matches!(value, Json::Null) { String::new() } else { str_of(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: Format, json: &str) -> String {
        format.print(&Json::parse(json).unwrap()).unwrap()
    }

    /// What the original prints for the same values, tried with Python 3.11.
    #[test]
    fn values_are_printed_as_python_prints_them() {
        let states = r#"{"a": null, "b": "5", "it's": {"relation": "db", "conversations": ["x", 1, true]}}"#;
        for (format, expected) in [
            (Format::Raw, r#"{'a': None, 'b': '5', "it's": {'conversations': ['x', 1, True], 'relation': 'db'}}"#),
            (Format::Json, r#"{"a": null, "b": "5", "it's": {"conversations": ["x", 1, true], "relation": "db"}}"#),
            (Format::Py, "{'a': None,\n 'b': '5',\n \"it's\": {'conversations': ['x', 1, True], 'relation': 'db'}}\n"),
            (Format::Yaml, "a: null\nb: '5'\nit's:\n  conversations:\n  - x\n  - 1\n  - true\n  relation: db\n"),
            (Format::Csv, "a\r\nb\r\ni,t,',s\r\n"),
            (Format::Tab, "a\r\nb\r\ni\tt\t'\ts\r\n"),
        ] {
            assert_eq!(printed(format, states), expected, "{format:?}");
        }
    }

    #[test]
    fn a_list_has_an_item_on_each_line() {
        let flags = r#"["db.ready", "yes"]"#;
        assert_eq!(printed(Format::Raw, flags), "db.ready\nyes");
        assert_eq!(printed(Format::Py, flags), "['db.ready', 'yes']\n");
        assert_eq!(printed(Format::Yaml, flags), "- db.ready\n- 'yes'\n");
        assert_eq!(printed(Format::Csv, r#"["a,"]"#), "a,\",\"\r\n");
        assert_eq!(printed(Format::Yaml, "[]"), "[]\n");
    }

    #[test]
    fn a_single_value_is_printed_as_such() {
        for (format, json, expected) in [
            (Format::Raw, "null", "None"),
            (Format::Raw, "true", "True"),
            (Format::Raw, "\"text\"", "text"),
            (Format::Raw, "\"\"", ""),
            (Format::Json, "\"\"", "\"\""),
            (Format::Yaml, "\"\"", "''\n"),
            (Format::Yaml, "\"text\"", "text\n...\n"),
            (Format::Yaml, "null", "null\n...\n"),
            (Format::Py, "\"\"", "''\n"),
            (Format::Csv, "\"\"", ""),
        ] {
            assert_eq!(printed(format, json), expected, "{format:?} {json}");
        }
        assert!(Format::Csv.print(&Json::Null).is_err());
    }
}
