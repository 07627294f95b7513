//! A YAML text as a tree in which everything knows its line, and every scalar its literal text.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, MessageFormatter as _, Spanned};

use super::super::value::Value;
use super::words::shown;

/// So deep may lists and maps stand in each other.
const MAX_DEPTH: usize = 32;

/// So much of a story may be said by aliases (`*name`).
const MAX_REPLAYED: usize = 10_000;

/// One place of the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The line it begins on; of nothing, the line of its key.
    pub(super) line: u64,
    pub(super) kind: Kind,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Nothing,
    /// The text as written, and what YAML takes it for.
    Scalar(String, Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key with its value. Keys keep their order, and those that are there twice are there twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) key: String,
    pub(super) node: Node,
}

impl Node {
    /// The literal text of a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The whole as one value.
    pub(super) fn value(&self) -> Value {
        match &self.kind {
            Kind::Nothing => Value::Null,
            Kind::Scalar(_, value) => value.clone(),
            Kind::List(items) => Value::List(items.iter().map(Self::value).collect()),
            Kind::Map(entries) => {
                Value::Map(entries.iter().map(|entry| (entry.key.clone(), entry.node.value())).collect())
            }
        }
    }
}

/// As it stands in messages.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Nothing => f.write_str("nothing"),
            Kind::Scalar(text, _) if text.is_empty() => f.write_str("an empty text"),
            Kind::Scalar(text, _) => write!(f, "`{}`", shown(text)),
            Kind::List(_) => f.write_str("a list"),
            Kind::Map(_) => f.write_str("a map"),
        }
    }
}

/// Reads one document; an empty one is nothing. An error is the line, if there is one, and the reason.
pub(super) fn read(text: &str) -> Result<Node, (Option<u64>, String)> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH },
        alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
    };
    match serde_saphyr::from_str_with_options::<Option<Spanned<Raw>>>(text, options) {
        Ok(Some(raw)) => Ok(node(raw, text, 1)),
        Ok(None) => Ok(Node { line: 1, kind: Kind::Nothing }),
        Err(error) => Err((error.location().map(|at| at.line()).filter(|line| *line > 0), why(&error))),
    }
}

/// The parser's reason on one line, without the place.
fn why(error: &serde_saphyr::Error) -> String {
    match error.without_snippet() {
        serde_saphyr::Error::MultipleDocuments { .. } => "a second document begins; a story is one".to_owned(),
        serde_saphyr::Error::Budget { .. } => {
            format!("is too large, or lists and maps stand more than {MAX_DEPTH} deep in each other")
        }
        serde_saphyr::Error::AliasReplayLimitExceeded { .. } => {
            "is too large with all its aliases (`*name`)".to_owned()
        }
        error => {
            let reason = serde_saphyr::DefaultMessageFormatter.format_message(error);
            format!("is not YAML: {}", reason.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

/// What the parser gives, without the literal texts of numbers and booleans.
enum Raw {
    Nothing,
    Scalar(Value),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

fn node(raw: Spanned<Raw>, source: &str, key_line: u64) -> Node {
    let line = raw.referenced.line();
    let kind = match raw.value {
        Raw::Nothing => return Node { line: key_line, kind: Kind::Nothing },
        Raw::Scalar(value) => Kind::Scalar(literal(&value, raw.defined, source), value),
        Raw::List(items) => Kind::List(items.into_iter().map(|item| node(item, source, line)).collect()),
        Raw::Map(entries) => Kind::Map(entries.into_iter().map(|(key, value)| entry(key, value, source)).collect()),
    };
    Node { line, kind }
}

fn entry(key: Spanned<String>, value: Spanned<Raw>, source: &str) -> Entry {
    let line = key.referenced.line();
    Entry { line, key: key.value, node: node(value, source, line) }
}

/// `3.10` is the number 3.1 to YAML, but a version to the author.
fn literal(value: &Value, at: Location, source: &str) -> String {
    if let Value::Text(text) = value {
        return text.clone();
    }
    let span = at.span();
    let bytes = span.byte_offset().zip(span.byte_len());
    let range = bytes.and_then(|(from, len)| Some(usize::try_from(from).ok()?..usize::try_from(from + len).ok()?));
    let written = range.and_then(|range| source.get(range)).map(str::trim).filter(|text| !text.is_empty());
    written.map_or_else(|| value.to_json(), str::to_owned)
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Number(value as f64)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Number(value as f64)))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Number(value as f64)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Number(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::Number(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Scalar(Value::from(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Spanned<Raw>>()? {
            if key.value.is_empty() {
                return Err(A::Error::custom("a key is empty"));
            }
            list.push((key, value));
        }
        Ok(Raw::Map(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(u64, String, u64, String)> {
        match read(text).unwrap().kind {
            Kind::Map(entries) => entries
                .into_iter()
                .map(|entry| (entry.line, entry.key, entry.node.line, entry.node.to_string()))
                .collect(),
            other => panic!("no map: {other:?}"),
        }
    }

    #[test]
    fn scalars_keep_their_literal_text() {
        let text = "a: 3.10\nb: yes\nc: 0x10\nd: 'x y'\ne: 1e3   # three zeros\nf: {g: .inf, h: 007}\nä: 010\n";
        let texts: Vec<String> = entries(text).into_iter().map(|(_, _, _, shown)| shown).collect();
        assert_eq!(texts, ["`3.10`", "`yes`", "`0x10`", "`x y`", "`1e3`", "a map", "`010`"]);
        assert_eq!(read("- 1\n- true\n- [a]").unwrap().value().to_json(), r#"[1,true,["a"]]"#);
    }

    #[test]
    fn everything_knows_its_line() {
        let at = |line, key: &str, of, shown: &str| (line, key.to_owned(), of, shown.to_owned());
        let text = "# a story\n\na:\n  b: 1\nc: [1,\n  2]\nd:\n\ne: |\n  text\n\"f\": &x 5\ng: *x\n";
        assert_eq!(
            entries(text),
            [
                at(3, "a", 4, "a map"),
                at(5, "c", 5, "a list"),
                at(7, "d", 7, "nothing"),
                at(9, "e", 10, "`text\n`"),
                at(11, "f", 11, "`5`"),
                at(12, "g", 12, "`5`"),
            ]
        );
        assert_eq!(entries("a: 1\r\nb: 2\r\n")[1], at(2, "b", 2, "`2`"));
    }

    #[test]
    fn keys_that_are_there_twice_are_there_twice() {
        assert_eq!(entries("a: 1\na: 2\n").len(), 2);
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line() {
        for (text, line) in [("a: 1\nb: [\n", 2), ("a: 1\n\tb: 2\n", 1), ("a: b: c\n", 1), ("a: 1\n---\nb: 2\n", 3)] {
            let (at, reason) = read(text).unwrap_err();
            assert_eq!(at, Some(line), "{text:?}: {reason}");
        }
        let deep = "[".repeat(100_000);
        assert!(read(&deep).is_err());
        let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
        assert!(read(&deep).is_err());
    }

    #[test]
    fn an_empty_text_is_nothing() {
        for text in ["", "\n", "# nothing\n", "---\n", "~"] {
            assert_eq!(read(text).unwrap().kind, Kind::Nothing, "{text:?}");
        }
    }
}
