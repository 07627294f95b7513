//! YAML as a tree in which everything knows its line, and every scalar its literal text.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, MessageFormatter as _, Spanned};

use super::error::Error;
use super::options;
use super::value::Value;

/// So many bytes may a file have.
const MAX_BYTES: u64 = 1 << 20;

/// So deep may lists and maps stand in each other.
const MAX_DEPTH: usize = 32;

/// So much may be said by aliases (`*name`).
const MAX_REPLAYED: usize = 10_000;

/// So many characters of a text are shown.
const MAX_SHOWN: usize = 60;

/// One place of the text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The line it begins on; of nothing, the line of its key.
    pub(crate) line: u64,
    pub(crate) kind: Kind,
}

/// What stands there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Nothing,
    /// The text as written, and what YAML takes it for.
    Scalar(String, Scalar),
    List(Vec<Node>),
    /// Entries are in the order of the text.
    Map(Vec<Entry>),
}

/// What a scalar is. Whole and broken numbers are told apart, as in Juju's own reader.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scalar {
    Bool(bool),
    Whole(i64),
    Broken(f64),
    Text,
}

/// One key of a map, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) line: u64,
    pub(crate) key: String,
    pub(crate) value: Node,
}

/// What is wrong with a text, and on which line where that is known.
#[derive(Clone, Debug)]
pub(crate) struct Wrong {
    pub(crate) line: Option<u64>,
    pub(crate) problem: String,
}

impl Wrong {
    /// Something wrong with the text as a whole.
    pub(crate) fn somewhere(problem: impl Into<String>) -> Self {
        Self { line: None, problem: problem.into() }
    }

    fn at(line: u64, problem: impl Into<String>) -> Self {
        Self { line: Some(line), problem: problem.into() }
    }

    /// The error that names file, line and problem.
    pub(crate) fn in_file(self, path: &Path) -> Error {
        let problem = on_one_line(&self.problem);
        match self.line {
            Some(line) => Error::charm(path, format!("line {line}: {problem}")),
            None => Error::charm(path, problem),
        }
    }

    /// The parser's reason, without the place in its words.
    fn of_parser(error: &serde_saphyr::Error) -> Self {
        let problem = match error.without_snippet() {
            serde_saphyr::Error::MultipleDocuments { .. } => {
                "a second document begins; there can be only one".to_owned()
            }
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
        };
        Self { line: error.location().map(|at| at.line()).filter(|line| *line > 0), problem }
    }
}

impl Entry {
    /// Something wrong with the key.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Wrong {
        Wrong::at(self.line, problem)
    }
}

/// The text of a file.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    let wrong = |problem: String| io::Error::new(io::ErrorKind::InvalidData, problem);
    if read as u64 > MAX_BYTES {
        return Err(wrong(format!("it is larger than {MAX_BYTES} bytes")));
    }
    String::from_utf8(bytes).map_err(|error| wrong(format!("it is not UTF-8: {}", error.utf8_error())))
}

impl Node {
    /// Reads one document in which no key is there twice; an empty one is nothing.
    pub(crate) fn parse(text: &str) -> Result<Self, Wrong> {
        let (root, twice) = Self::parse_with_twice(text)?;
        twice.into_iter().next().map_or(Ok(root), Err)
    }

    /// Reads one document, and gathers the keys that are there twice; the first of each counts. Octal numbers may begin with
    /// a bare zero, as in Juju's YAML.
    pub(crate) fn parse_with_twice(text: &str) -> Result<(Self, Vec<Wrong>), Wrong> {
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: MAX_DEPTH },
            alias_limits: serde_saphyr::alias_limits! { max_total_replayed_events: MAX_REPLAYED },
            duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::PassThrough,
            non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
            legacy_octal_numbers: true,
        };
        let source = text.strip_prefix('\u{feff}').unwrap_or(text);
        let raw = serde_saphyr::from_str_with_options::<Option<Spanned<Raw>>>(source, options);
        let mut builder = Builder { source, twice: Vec::new() };
        let root = match raw.map_err(|error| Wrong::of_parser(&error))? {
            Some(raw) => builder.node(raw, 1),
            None => Self { line: 1, kind: Kind::Nothing },
        };
        Ok((root, builder.twice))
    }

    /// Something wrong with this value.
    pub(crate) fn wrong(&self, problem: impl Into<String>) -> Wrong {
        Wrong::at(self.line, problem)
    }

    /// `what` is this value, and has to be of another kind.
    fn must_be(&self, what: &str, kind: &str) -> Wrong {
        let found = match self.as_text() {
            // `"7"` is told from 7.
            Some(text) if !text.is_empty() => format!("the text {self}"),
            _ => self.to_string(),
        };
        self.wrong(format!("{what} must be {kind}, not {found}"))
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.kind == Kind::Nothing
    }

    /// The value under `key`, if this is a map that has one.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value),
            _ => None,
        }
    }

    /// The literal text of a scalar: `3.10` is the number 3.1 to YAML, but a version to the author.
    pub(crate) fn literal(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, _) => Some(text),
            _ => None,
        }
    }

    /// The text, if YAML takes it for one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(text, Scalar::Text) => Some(text),
            _ => None,
        }
    }

    /// The text; a number or a boolean is none.
    pub(crate) fn text(&self, what: &str) -> Result<&str, Wrong> {
        self.as_text().ok_or_else(|| self.must_be(what, "text"))
    }

    /// The boolean; text may name one in Go's way.
    pub(crate) fn boolean(&self, what: &str) -> Result<bool, Wrong> {
        match &self.kind {
            Kind::Scalar(_, Scalar::Bool(value)) => Some(*value),
            Kind::Scalar(text, Scalar::Text) => options::boolean(text),
            _ => None,
        }
        .ok_or_else(|| self.must_be(what, "true or false"))
    }

    /// The whole number; text may spell one.
    pub(crate) fn whole(&self, what: &str) -> Result<i64, Wrong> {
        match &self.kind {
            Kind::Scalar(_, Scalar::Whole(number)) => Some(*number),
            Kind::Scalar(text, Scalar::Text) => text.parse().ok(),
            _ => None,
        }
        .ok_or_else(|| self.must_be(what, "a whole number"))
    }

    /// The number, if it is written as a broken one.
    pub(crate) fn broken(&self, what: &str) -> Result<f64, Wrong> {
        match self.kind {
            Kind::Scalar(_, Scalar::Broken(number)) => Ok(number),
            _ => Err(self.must_be(what, "a number with a decimal point")),
        }
    }

    /// The number, whole or broken.
    pub(crate) fn number(&self, what: &str) -> Result<f64, Wrong> {
        match self.kind {
            Kind::Scalar(_, Scalar::Whole(number)) => Ok(number as f64),
            Kind::Scalar(_, Scalar::Broken(number)) => Ok(number),
            _ => Err(self.must_be(what, "a number")),
        }
    }

    pub(crate) fn list(&self, what: &str) -> Result<&[Self], Wrong> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.must_be(what, "a list")),
        }
    }

    /// The texts of a list of nothing else.
    pub(crate) fn texts(&self, what: &str) -> Result<Vec<String>, Wrong> {
        let each = format!("each of {what}");
        self.list(what)?.iter().map(|item| item.text(&each).map(str::to_owned)).collect()
    }

    /// The entries of a map, in the order of the text.
    pub(crate) fn entries(&self, what: &str) -> Result<&[Entry], Wrong> {
        match &self.kind {
            Kind::Map(entries) => Ok(entries),
            _ => Err(self.must_be(what, "a map")),
        }
    }

    /// The whole as one value.
    pub(crate) fn value(&self) -> Value {
        self.value_with(&|text, scalar| match scalar {
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Whole(number) => Value::Number(number as f64),
            Scalar::Broken(number) => Value::Number(number),
            Scalar::Text => Value::from(text),
        })
    }

    /// The whole as one value, in which each scalar is its literal text.
    pub(crate) fn literal_value(&self) -> Value {
        self.value_with(&|text, _| Value::from(text))
    }

    fn value_with(&self, scalar: &dyn Fn(&str, Scalar) -> Value) -> Value {
        match &self.kind {
            Kind::Nothing => Value::Null,
            Kind::Scalar(text, kind) => scalar(text, *kind),
            Kind::List(items) => Value::List(items.iter().map(|item| item.value_with(scalar)).collect()),
            Kind::Map(entries) => {
                let entry = |entry: &Entry| (entry.key.clone(), entry.value.value_with(scalar));
                Value::Map(entries.iter().map(entry).collect())
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

/// A text of the file as messages show it: its beginning, if it is long.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The message with control characters made visible.
pub(crate) fn on_one_line(message: &str) -> String {
    let mut line = String::with_capacity(message.len());
    for c in message.chars() {
        if c.is_control() { line.extend(c.escape_debug()) } else { line.push(c) }
    }
    line
}

/// What the parser gives, without the literal texts of numbers and booleans.
enum Raw {
    Nothing,
    Text(String),
    Other(Scalar),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

/// Makes the tree of what the parser gives.
struct Builder<'t> {
    source: &'t str,
    twice: Vec<Wrong>,
}

impl Builder<'_> {
    fn node(&mut self, raw: Spanned<Raw>, key_line: u64) -> Node {
        let line = raw.referenced.line();
        let kind = match raw.value {
            Raw::Nothing => return Node { line: key_line, kind: Kind::Nothing },
            Raw::Text(text) => Kind::Scalar(text, Scalar::Text),
            Raw::Other(scalar) => Kind::Scalar(self.literal(scalar, raw.defined), scalar),
            Raw::List(items) => Kind::List(items.into_iter().map(|item| self.node(item, line)).collect()),
            Raw::Map(entries) => Kind::Map(self.entries(entries)),
        };
        Node { line, kind }
    }

    fn entries(&mut self, raw: Vec<(Spanned<String>, Spanned<Raw>)>) -> Vec<Entry> {
        let mut first: BTreeMap<String, u64> = BTreeMap::new();
        let mut entries = Vec::new();
        for (key, value) in raw {
            let line = key.referenced.line();
            if let Some(first) = first.get(&key.value) {
                let first = if *first == line { String::new() } else { format!(", first on line {first}") };
                self.twice.push(Wrong::at(line, format!("key `{}` is there twice{first}", shown(&key.value))));
                continue;
            }
            first.insert(key.value.clone(), line);
            entries.push(Entry { line, key: key.value, value: self.node(value, line) });
        }
        entries
    }

    fn literal(&self, scalar: Scalar, at: Location) -> String {
        let span = at.span();
        let bytes = span.byte_offset().zip(span.byte_len());
        let range = bytes.and_then(|(from, len)| Some(usize::try_from(from).ok()?..usize::try_from(from + len).ok()?));
        let written = range.and_then(|range| self.source.get(range)).map(str::trim).filter(|text| !text.is_empty());
        written.map_or_else(|| scalar.to_string(), str::to_owned)
    }
}

/// As YAML itself would write it.
impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Broken(number) => write!(f, "{number:?}"),
            Self::Text => Ok(()),
        }
    }
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
        Ok(Raw::Other(Scalar::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Other(Scalar::Whole(value)))
    }

    /// What does not fit is a broken number, as it is to Juju's reader.
    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Other(i64::try_from(value).map_or(Scalar::Broken(value as f64), Scalar::Whole)))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Other(Scalar::Broken(value as f64)))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Other(Scalar::Broken(value as f64)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Other(Scalar::Broken(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
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
        while let Some(entry) = entries.next_entry()? {
            list.push(entry);
        }
        Ok(Raw::Map(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(wrong: Wrong) -> String {
        wrong.in_file("x.yaml".as_ref()).to_string()
    }

    /// Of each entry: line and key, then line and value.
    fn entries(text: &str) -> Vec<(u64, String, u64, String)> {
        let root = Node::parse(text).unwrap();
        let shown = |entry: &Entry| (entry.line, entry.key.clone(), entry.value.line, entry.value.to_string());
        root.entries("the text").unwrap().iter().map(shown).collect()
    }

    #[test]
    fn scalars_keep_their_literal_text() {
        let text = "a: 3.10\nb: yes\nc: 0x10\nd: 'x y'\ne: 1e3   # three zeros\nf: {g: .inf, h: 007}\nä: 010\n";
        let texts: Vec<String> = entries(text).into_iter().map(|(_, _, _, shown)| shown).collect();
        assert_eq!(texts, ["`3.10`", "`yes`", "`0x10`", "`x y`", "`1e3`", "a map", "`010`"]);
        let root = Node::parse("- 1\n- true\n- [a, 1.50, ~]").unwrap();
        assert_eq!(root.value().to_json(), r#"[1,true,["a",1.5,null]]"#);
        assert_eq!(root.literal_value().to_json(), r#"["1","true",["a","1.50",null]]"#);
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
        assert_eq!(entries("\u{feff}a: 1\r\nb: 2.0\r\n")[1], at(2, "b", 2, "`2.0`"));
    }

    #[test]
    fn what_is_wrong_is_shown_with_its_line() {
        let root = Node::parse("a: 1\nb:\n  c: [x, 2]\n  d: no\n  e: '7.5'\n  f: \"a\\nb\"\n  g: ''\n").unwrap();
        let b = root.get("b").unwrap();
        assert_eq!(problem(root.texts("the file").unwrap_err()), "x.yaml: line 1: the file must be a list, not a map");
        let list = b.get("c").unwrap();
        assert_eq!(problem(list.texts("`c`").unwrap_err()), "x.yaml: line 3: each of `c` must be text, not `2`");
        assert!(!b.get("d").unwrap().boolean("`d`").unwrap());
        assert_eq!(problem(root.entries("it").unwrap()[1].wrong("bad key")), "x.yaml: line 2: bad key");
        let number = |key: &str| problem(b.get(key).unwrap().number("it").unwrap_err());
        assert_eq!(number("e"), "x.yaml: line 5: it must be a number, not the text `7.5`");
        assert_eq!(number("f"), "x.yaml: line 6: it must be a number, not the text `a\\nb`");
        assert_eq!(number("g"), "x.yaml: line 7: it must be a number, not an empty text");
    }

    #[test]
    fn the_first_of_two_equal_keys_counts_and_the_second_is_wrong() {
        let text = "a: 1\nb: {c: 1, c: 2}\na: 2\n";
        let (root, twice) = Node::parse_with_twice(text).unwrap();
        assert_eq!(root.value().to_json(), r#"{"a":1,"b":{"c":1}}"#);
        let twice: Vec<String> = twice.into_iter().map(problem).collect();
        let c = "x.yaml: line 2: key `c` is there twice";
        assert_eq!(twice, [c, "x.yaml: line 3: key `a` is there twice, first on line 1"]);
        assert_eq!(problem(Node::parse(text).unwrap_err()), c);
    }

    #[test]
    fn a_merged_map_gives_way_to_the_keys_beside_it() {
        let root = Node::parse("a: &a {b: 1, c: 2}\nd:\n  <<: *a\n  c: 3\n").unwrap();
        assert_eq!(root.get("d").unwrap().value().to_json(), r#"{"b":1,"c":3}"#);
    }

    #[test]
    fn what_is_no_yaml_is_refused_with_its_line() {
        for (text, line) in [("a: 1\nb: [\n", 2), ("a: 1\n\tb: 2\n", 1), ("a: b: c\n", 1), ("a: 1\n---\nb: 2\n", 3)] {
            let wrong = Node::parse(text).unwrap_err();
            assert_eq!(wrong.line, Some(line), "{text:?}: {}", wrong.problem);
        }
    }

    #[test]
    fn what_is_too_deep_or_too_large_is_refused() {
        for deep in ["[".repeat(100_000), "{a: ".repeat(100_000), format!("{}{}", "[".repeat(40), "]".repeat(40))] {
            assert!(Node::parse(&deep).is_err());
        }
        let bomb: String = (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9))).collect();
        assert!(Node::parse(&format!("a0: &a0 x\n{bomb}")).is_err());
    }

    #[test]
    fn an_empty_text_is_nothing() {
        for text in ["", "\n", "# nothing\n", "---\n", "~"] {
            assert!(Node::parse(text).unwrap().is_nothing(), "{text:?}");
        }
    }

    #[test]
    fn numbers_are_read_as_juju_reads_them() {
        let root = Node::parse("[7, '7', 7.0, 010, 18446744073709551615, x]").unwrap();
        let whole: Vec<Option<i64>> = root.list("it").unwrap().iter().map(|node| node.whole("it").ok()).collect();
        assert_eq!(whole, [Some(7), Some(7), None, Some(8), None, None]);
    }

    #[test]
    fn long_texts_are_shown_by_their_beginning() {
        assert_eq!(shown("zk/0"), "zk/0");
        assert_eq!(shown(&"ä".repeat(61)), "ä".repeat(60) + "...");
    }
}
