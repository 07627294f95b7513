//! YAML as a tree whose nodes know their lines, so that what is wrong is shown where it stands.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::error::Error;
use super::options;
use super::value::Value;

/// A value and the line on which it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    line: u64,
    content: Content,
}

/// Whole and broken numbers are told apart, as in Juju's own reader; entries are in the order of the file.
#[derive(Clone, Debug)]
enum Content {
    Null,
    Bool(bool),
    Whole(i64),
    Broken(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One key of a map, and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) value: Node,
    line: u64,
}

/// What is wrong with a file, and on which line where that is known.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    line: Option<u64>,
    problem: String,
}

impl Wrong {
    /// Something wrong with the file as a whole.
    pub(crate) fn somewhere(problem: impl Into<String>) -> Self {
        Self { line: None, problem: problem.into() }
    }

    /// The error that names file, line and problem.
    pub(crate) fn in_file(self, path: &Path) -> Error {
        match self.line {
            Some(line) => Error::charm(path, format!("line {line}: {}", self.problem)),
            None => Error::charm(path, self.problem),
        }
    }
}

impl Entry {
    /// Something wrong with the key.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Wrong {
        Wrong { line: Some(self.line), problem: problem.into() }
    }
}

impl Node {
    /// Reads one document; an empty one is null. Octal numbers may begin with a bare zero, as in Juju's YAML.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let options = serde_saphyr::options! { legacy_octal_numbers: true };
        serde_saphyr::from_str_with_options(text, options)
            .map_err(|error| Wrong::somewhere(format!("cannot be read: {}", error.without_snippet())))
    }

    /// Something wrong with this value.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Wrong {
        Wrong { line: Some(self.line), problem: problem.into() }
    }

    /// `what` is this value, and has to be of another kind.
    fn must_be(&self, what: &str, kind: &str) -> Wrong {
        self.wrong(format!("{what} must be {kind}, not {self}"))
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// The value under `key`, if this is a map that has one.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.content {
            Content::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text; a number or a boolean is none.
    pub(crate) fn text(&self, what: &str) -> Result<&str, Wrong> {
        self.as_text().ok_or_else(|| self.must_be(what, "text"))
    }

    /// The boolean; text may name one in Go's way.
    pub(crate) fn boolean(&self, what: &str) -> Result<bool, Wrong> {
        match &self.content {
            Content::Bool(value) => Some(*value),
            Content::Text(text) => options::boolean(text),
            _ => None,
        }
        .ok_or_else(|| self.must_be(what, "true or false"))
    }

    /// The whole number; text may spell one.
    pub(crate) fn whole(&self, what: &str) -> Result<i64, Wrong> {
        match &self.content {
            Content::Whole(number) => Some(*number),
            Content::Text(text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.must_be(what, "a whole number"))
    }

    /// The number, if it is written as a broken one.
    pub(crate) fn broken(&self, what: &str) -> Result<f64, Wrong> {
        match self.content {
            Content::Broken(number) => Ok(number),
            _ => Err(self.must_be(what, "a number with a decimal point")),
        }
    }

    /// The number, whole or broken.
    pub(crate) fn number(&self, what: &str) -> Result<f64, Wrong> {
        match self.content {
            Content::Whole(number) => Ok(number as f64),
            Content::Broken(number) => Ok(number),
            _ => Err(self.must_be(what, "a number")),
        }
    }

    pub(crate) fn list(&self, what: &str) -> Result<&[Self], Wrong> {
        match &self.content {
            Content::List(items) => Ok(items),
            _ => Err(self.must_be(what, "a list")),
        }
    }

    /// The texts of a list of nothing else.
    pub(crate) fn texts(&self, what: &str) -> Result<Vec<String>, Wrong> {
        let each = format!("each of {what}");
        self.list(what)?.iter().map(|item| item.text(&each).map(str::to_owned)).collect()
    }

    /// The entries of a map, in the order of the file.
    pub(crate) fn entries(&self, what: &str) -> Result<&[Entry], Wrong> {
        match &self.content {
            Content::Map(entries) => Ok(entries),
            _ => Err(self.must_be(what, "a map")),
        }
    }

    /// The value without its lines.
    pub(crate) fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Whole(number) => Value::Number(*number as f64),
            Content::Broken(number) => Value::Number(*number),
            Content::Text(text) => Value::Text(text.clone()),
            Content::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => {
                let entry = |entry: &Entry| (entry.key.clone(), entry.value.to_value());
                Value::Map(entries.iter().map(entry).collect::<BTreeMap<_, _>>())
            }
        }
    }
}

/// As it is shown in a message.
impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.content {
            Content::Null => f.write_str("nothing"),
            Content::Bool(value) => write!(f, "`{value}`"),
            Content::Whole(number) => write!(f, "`{number}`"),
            Content::Broken(number) => write!(f, "`{number:?}`"),
            Content::Text(text) => write!(f, "the text `{text}`"),
            Content::List(_) => f.write_str("a list"),
            Content::Map(_) => f.write_str("a map"),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        Ok(Self { line: spanned.referenced.line(), content: spanned.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
        Content::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Content, E> {
        Ok(Content::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Content, E> {
        Ok(Content::Whole(value))
    }

    /// What does not fit is a broken number, as it is to Juju's reader.
    fn visit_u64<E>(self, value: u64) -> Result<Content, E> {
        Ok(i64::try_from(value).map_or(Content::Broken(value as f64), Content::Whole))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Content, E> {
        Ok(Content::Broken(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Content, E> {
        Ok(Content::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Content::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Spanned<String>, Node>()? {
            map.push(Entry { line: key.referenced.line(), key: key.value, value });
        }
        Ok(Content::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(wrong: Wrong) -> String {
        wrong.in_file("x.yaml".as_ref()).to_string()
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_line() {
        let root = Node::parse("a: 1\nb:\n  c: [x, 2]\n  d: no\n").unwrap();
        let b = root.get("b").unwrap();
        assert_eq!(problem(root.texts("the file").unwrap_err()), "x.yaml: line 1: the file must be a list, not a map");
        let list = b.get("c").unwrap();
        assert_eq!(problem(list.texts("`c`").unwrap_err()), "x.yaml: line 3: each of `c` must be text, not `2`");
        assert!(!b.get("d").unwrap().boolean("`d`").unwrap());
        assert_eq!(problem(root.entries("it").unwrap()[1].wrong("bad key")), "x.yaml: line 2: bad key");
        let error = problem(Node::parse("a: 1\na: 2\n").unwrap_err());
        assert!(error.starts_with("x.yaml: cannot be read: ") && error.contains("line 2"), "{error}");
    }

    #[test]
    fn what_is_too_deep_is_refused() {
        assert!(Node::parse(&format!("{}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
        assert!(Node::parse(&"{a: ".repeat(100_000)).is_err());
    }

    #[test]
    fn numbers_are_read_as_juju_reads_them() {
        let root = Node::parse("[7, '7', 7.0, 010, 18446744073709551615, x]").unwrap();
        let whole: Vec<Option<i64>> = root.list("it").unwrap().iter().map(|node| node.whole("it").ok()).collect();
        assert_eq!(whole, [Some(7), Some(7), None, Some(8), None, None]);
    }
}
