//! Values that hook commands print, and the three formats of contract 7.3, written as Go and Juju's YAML write them.

use std::collections::BTreeMap;

use serde::de::{Deserialize, Deserializer};

/// A value of configuration, of an action, or of what a hook command answers. Maps are sorted.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number. Whole and broken ones are not told apart, as in Juju (contract 9.6).
    Number(f64),
    /// Text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// The entry under `key`, if this is a map that has one.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// The text, if this is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same value as `serde_json` has it.
    #[must_use]
    pub fn from_json(value: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or_default()),
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from_json).collect()),
            Json::Object(map) => {
                Self::Map(map.iter().map(|(key, value)| (key.clone(), Self::from_json(value))).collect())
            }
        }
    }

    /// One line of JSON as Go's encoder writes it.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_json_fields(&[])
    }

    /// The same, with maps whose keys are all among `fields` in their order: Go prints structures so.
    pub(crate) fn to_json_fields(&self, fields: &[&str]) -> String {
        let mut out = String::new();
        json(self, fields, &mut out);
        out
    }

    /// The value as Juju's YAML writes it, without the newline that ends the last line (unless a block scalar needs it).
    #[must_use]
    pub fn to_yaml(&self) -> String {
        self.to_yaml_fields(&[])
    }

    /// The same, with structures as in [`Self::to_json_fields`].
    pub(crate) fn to_yaml_fields(&self, fields: &[&str]) -> String {
        let mut out = String::new();
        yaml(self, fields, 0, &mut out);
        out
    }

    /// What Juju's `smart` prints.
    #[must_use]
    pub fn to_smart(&self) -> String {
        self.to_smart_fields(&[])
    }

    pub(crate) fn to_smart_fields(&self, fields: &[&str]) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Text(text) => text.clone(),
            Self::List(items) if items.iter().all(|item| matches!(item, Self::Text(_))) => {
                items.iter().filter_map(Self::as_str).collect::<Vec<_>>().join("\n")
            }
            other => other.to_yaml_fields(fields),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Number(f64::from(value))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items)
    }
}

impl From<BTreeMap<String, Value>> for Value {
    fn from(map: BTreeMap<String, Value>) -> Self {
        Self::Map(map)
    }
}

impl From<&BTreeMap<String, String>> for Value {
    fn from(map: &BTreeMap<String, String>) -> Self {
        Self::Map(map.iter().map(|(key, value)| (key.clone(), Self::Text(value.clone()))).collect())
    }
}

/// A map of the given entries.
pub(crate) fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// A list of texts.
pub(crate) fn texts<T: ToString>(items: impl IntoIterator<Item = T>) -> Value {
    Value::List(items.into_iter().map(|item| Value::Text(item.to_string())).collect())
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(|value| Self::from_json(&value))
    }
}

/// A number in Go's JSON: plain, with an exponent only when very small or very large.
fn json_number(number: f64) -> String {
    if number == 0.0 || (1e-6..1e21).contains(&number.abs()) { format!("{number}") } else { exponent(number) }
}

/// A number in Juju's YAML: Go's shortest `%g`, which turns to an exponent at 1,000,000 as it does below 0.0001 (7.3).
fn yaml_number(number: f64) -> String {
    if number == 0.0 || (1e-4..1e6).contains(&number.abs()) { format!("{number}") } else { exponent(number) }
}

/// `1e+06`: Go writes the sign and at least two digits.
fn exponent(number: f64) -> String {
    let text = format!("{number:e}");
    match text.split_once('e') {
        Some((digits, power)) => match power.strip_prefix('-') {
            Some(power) => format!("{digits}e-{power:0>2}"),
            None => format!("{digits}e+{power:0>2}"),
        },
        None => text,
    }
}

fn json_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            // What is no UTF-8 has become U+FFFD on its way here (contract 7.3).
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{fffd}' | '\0'..='\u{1f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// The entries of a map, in the order of `fields` if it has no others, otherwise in the order of their keys.
fn ordered<'v>(map: &'v BTreeMap<String, Value>, fields: &[&str]) -> Vec<(&'v String, &'v Value)> {
    let place = |key: &str| fields.iter().position(|field| *field == key);
    let mut entries: Vec<(&String, &Value)> = map.iter().collect();
    if map.keys().all(|key| place(key).is_some()) {
        entries.sort_by_key(|(key, _)| place(key));
    }
    entries
}

fn json(value: &Value, fields: &[&str], out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&json_number(*number)),
        Value::Text(text) => json_text(text, out),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json(item, fields, out);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, item)) in ordered(map, fields).into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                json_text(key, out);
                out.push(':');
                json(item, fields, out);
            }
            out.push('}');
        }
    }
}

/// Block style; a list inside a map is not indented further, as go-yaml writes it.
fn yaml(value: &Value, fields: &[&str], indent: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&yaml_number(*number)),
        Value::Text(text) => yaml_text(text, indent, out),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    new_line(indent, out);
                }
                out.push_str("- ");
                yaml(item, fields, indent + 2, out);
            }
        }
        Value::Map(map) => {
            for (index, (key, item)) in ordered(map, fields).into_iter().enumerate() {
                if index > 0 {
                    new_line(indent, out);
                }
                yaml_key(key, indent, out);
                out.push(':');
                match item {
                    Value::Map(inner) if !inner.is_empty() => {
                        new_line(indent + 2, out);
                        yaml(item, fields, indent + 2, out);
                    }
                    Value::List(inner) if !inner.is_empty() => {
                        new_line(indent, out);
                        yaml(item, fields, indent, out);
                    }
                    _ => {
                        out.push(' ');
                        yaml(item, fields, indent + 2, out);
                    }
                }
            }
        }
    }
}

fn new_line(indent: usize, out: &mut String) {
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out.extend(std::iter::repeat_n(' ', indent));
}

fn yaml_key(key: &str, indent: usize, out: &mut String) {
    if key.contains('\n') { double_quoted(key, out) } else { yaml_text(key, indent, out) }
}

fn yaml_text(text: &str, indent: usize, out: &mut String) {
    let special = text.chars().any(|c| c != '\n' && c != '\t' && (c.is_control() || c == '\u{feff}'));
    if special {
        double_quoted(text, out);
    } else if text.contains('\n') {
        literal(text, indent, out);
    } else if !is_plain_string(text) {
        double_quoted(text, out);
    } else if plain_allowed(text) {
        out.push_str(text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

fn double_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            c if u32::from(c) < 0x100 && c.is_control() => out.push_str(&format!("\\x{:02X}", u32::from(c))),
            '\u{feff}' => out.push_str("\\uFEFF"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A block scalar: `|-` without a newline at the end, `|` with one, `|+` with more.
fn literal(text: &str, indent: usize, out: &mut String) {
    out.push('|');
    if text.starts_with([' ', '\n']) {
        out.push('2');
    }
    let body = text.trim_end_matches('\n');
    match text.len() - body.len() {
        0 => out.push('-'),
        1 if !body.is_empty() => {}
        _ => out.push('+'),
    }
    let indent = indent.max(2);
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    if text.ends_with('\n') {
        out.push('\n');
    }
    for _ in 1..text.len() - body.len() {
        out.push('\n');
    }
}

/// Whether YAML 1.1, as go-yaml v2 reads it, takes the bare text for a string.
fn is_plain_string(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "~", "null", "Null", "NULL", "y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "true", "True",
        "TRUE", "false", "False", "FALSE", "on", "On", "ON", "off", "Off", "OFF", ".nan", ".NaN", ".NAN", ".inf",
        ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<",
    ];
    !(WORDS.contains(&text) || is_number(text) || is_date(text) || is_base_sixty(text))
}

fn is_number(text: &str) -> bool {
    let plain = text.replace('_', "");
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let digits = |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let prefixed = [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)];
    if prefixed.iter().any(|(prefix, radix)| unsigned.strip_prefix(prefix).is_some_and(|rest| digits(rest, *radix))) {
        return true;
    }
    // `^[-+]?[0-9]*\.?[0-9]+([eE][-+][0-9]+)?$`: an exponent needs its sign, which is why `1e3` is text.
    let (mantissa, exponent) = match unsigned.find(['e', 'E']) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, part)) => (whole.is_empty() || digits(whole, 10)) && digits(part, 10),
        None => digits(mantissa, 10),
    };
    mantissa_ok && exponent.is_none_or(|e| e.strip_prefix(['+', '-']).is_some_and(|rest| digits(rest, 10)))
}

/// A date, alone or followed by a time: after a `T` with a zone, after a space without one. So the times of `goal-state`
/// (contract 9.14) stand without quotes.
fn is_date(text: &str) -> bool {
    let date = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split('-').collect();
    let digits = |part: &str, least: usize, most: usize| {
        (least..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit())
    };
    let is_time = |rest: &str| {
        let mut rest = rest.chars();
        let zoned = match rest.next() {
            None => return true,
            separator => separator != Some(' '),
        };
        let (time, zone) = rest.as_str().split_at(rest.as_str().find(['Z', '+', '-']).unwrap_or(rest.as_str().len()));
        let mut parts = time.split(':');
        let clock = parts.clone().count() == 3 && parts.all(|part| part.starts_with(|c: char| c.is_ascii_digit()));
        clock && zoned != zone.is_empty()
    };
    parts.len() == 3
        && digits(parts[0], 4, 4)
        && digits(parts[1], 1, 2)
        && digits(parts[2], 1, 2)
        && is_time(&text[date.len()..])
}

/// `12:30:45`, a number to YAML 1.1.
fn is_base_sixty(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = unsigned.split(':');
    let first = parts.next().unwrap_or_default();
    let rest: Vec<&str> = parts.collect();
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && !rest.is_empty()
        && rest.iter().all(|part| {
            let part = part.split('.').next().unwrap_or_default();
            (1..=2).contains(&part.len()) && part.parse::<u32>().is_ok_and(|n| n < 60)
        })
}

/// Whether the emitter writes the text without quotes.
fn plain_allowed(text: &str) -> bool {
    let mut chars = text.chars();
    let first = chars.next().unwrap_or(' ');
    let second = chars.next();
    let starts_badly = match first {
        '-' | '?' | ':' => second.is_none_or(|c| c == ' '),
        c => "#,[]{}&*!|>'\"%@`".contains(c),
    };
    !(starts_badly
        || text.starts_with("---")
        || text.starts_with("...")
        || text.starts_with(' ')
        || text.ends_with(' ')
        || text.contains('\t')
        || text.contains(": ")
        || text.ends_with(':')
        || text.contains(" #"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml_of(text: &str) -> String {
        Value::from(text).to_yaml()
    }

    #[test]
    fn c7_3_json_escapes_as_go_does() {
        assert_eq!(Value::from("<a>&\u{2028}\"\\\n\u{1}").to_json(), r#""\u003ca\u003e\u0026\u2028\"\\\n\u0001""#);
        assert_eq!(Value::from(1_000_000).to_json(), "1000000");
        assert_eq!(Value::from(3.0).to_json(), "3");
        assert_eq!(Value::from(1e-7).to_json(), "1e-07");
        assert_eq!(map([("b", Value::Null), ("a", Value::from(true))]).to_json(), r#"{"a":true,"b":null}"#);
    }

    #[test]
    fn c7_3_yaml_follows_yaml_1_1() {
        for quoted in [
            "",
            "yes",
            "no",
            "y",
            "true",
            "null",
            "~",
            "12",
            "1.5",
            "0x10",
            "1e+3",
            "2024-05-01",
            "12:30",
            "2024-05-01T10:00:00Z",
            "2024-05-01 10:00:00",
        ] {
            assert_eq!(yaml_of(quoted), format!("\"{quoted}\""));
        }
        for plain in ["hello", "1e3", "a:b", "10.0.0.4", "10.5.24.51/32", "-x", "a#b", "hello world"] {
            assert_eq!(yaml_of(plain), plain);
        }
        assert_eq!(yaml_of("a: b"), "'a: b'");
        assert_eq!(yaml_of("'q"), "'''q'");
        assert_eq!(Value::from(1_000_000).to_yaml(), "1e+06");
        assert_eq!(Value::from(2181).to_yaml(), "2181");
        assert_eq!(Value::from(1_234_567).to_yaml(), "1.234567e+06");
    }

    #[test]
    fn c7_3_maps_and_lists_in_yaml() {
        let value = map([
            ("a", texts(["x", "y"])),
            ("b", map([("c", Value::from("d"))])),
            ("e", Value::List(vec![map([("f", Value::from(1)), ("g", Value::Map(BTreeMap::new()))])])),
            ("t", Value::from("one\ntwo\n")),
        ]);
        assert_eq!(value.to_yaml(), "a:\n- x\n- \"y\"\nb:\n  c: d\ne:\n- f: 1\n  g: {}\nt: |\n  one\n  two\n");
    }

    #[test]
    fn c7_3_smart() {
        assert_eq!(Value::from(true).to_smart(), "True");
        assert_eq!(texts(["zk/0", "zk/1"]).to_smart(), "zk/0\nzk/1");
        assert_eq!(Value::List(Vec::new()).to_smart(), "");
        assert_eq!(Value::Map(BTreeMap::new()).to_smart(), "{}");
    }
}
