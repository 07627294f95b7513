//! Entries given to a hook command: `key=value` arguments (contract 7.4) and the content of `--file` (contract 7.5).

use std::collections::BTreeMap;

use super::controller::Entries;
use super::options::quoted;
use super::yaml::{Kind, Node};

/// Reads `key=value` arguments; both sides are trimmed, empty arguments are skipped.
pub(crate) fn from_args(args: &[String]) -> Result<Entries, String> {
    let mut entries = Entries::new();
    for arg in args.iter().filter(|arg| !arg.is_empty()) {
        let pair = arg.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let Some((key, value)) = pair.filter(|(key, _)| !key.is_empty()) else {
            return Err(format!("expected \"key=value\", got {}", quoted(arg)));
        };
        if entries.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(format!("key {} specified more than once", quoted(key)));
        }
    }
    Ok(entries)
}

/// Reads one YAML or JSON map of scalars; each scalar is taken as its literal text.
pub(crate) fn from_yaml(bytes: &[u8]) -> Result<Entries, String> {
    if let Some(entries) = from_plain_json(bytes) {
        return Ok(entries);
    }
    let text = String::from_utf8_lossy(bytes);
    let first = first_document(&text);
    if first.lines().all(|line| line.trim_start().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Entries::new());
    }
    match serde_saphyr::from_str_with_options::<Option<BTreeMap<String, Option<String>>>>(first, options()) {
        Ok(map) => {
            let map = map.unwrap_or_default();
            Ok(map.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
        }
        Err(error) => Err(why(first).unwrap_or_else(|| format!("yaml: {}", error.without_snippet()))),
    }
}

/// What is the same in JSON and in YAML, and read much faster as JSON: texts in ASCII, without codes of other characters.
fn from_plain_json(bytes: &[u8]) -> Option<Entries> {
    let is_plain = bytes.starts_with(b"{")
        && bytes.iter().all(|byte| matches!(byte, b' '..=b'~'))
        && !bytes.windows(2).any(|pair| pair == b"\\u");
    if is_plain { serde_json::from_slice(bytes).ok() } else { None }
}

fn options() -> serde_saphyr::options::Options {
    serde_saphyr::options! { duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins, budget: None }
}

/// Only the first document is read.
fn first_document(text: &str) -> &str {
    let body = text.strip_prefix("---").filter(|rest| rest.starts_with(char::is_whitespace)).unwrap_or(text);
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        if matches!(line.trim_end(), "---" | "...") || line.starts_with("--- ") {
            return &body[..at];
        }
        at += line.len();
    }
    body
}

/// Juju's words for a file that is YAML, but no map of scalars.
fn why(text: &str) -> Option<String> {
    let wrong = |line: u64, kind: &str, wanted: &str| format!("  line {line}: cannot unmarshal {kind} into {wanted}");
    let (root, _) = Node::parse_with_twice(text).ok()?;
    let lines: Vec<String> = match &root.kind {
        Kind::Map(entries) => {
            let values = entries.iter().map(|entry| &entry.value);
            values.filter_map(|value| Some(wrong(value.line, tag(value)?, "string"))).collect()
        }
        _ => {
            let scalar = || format!("!!str `{}`", shortened(text.trim()));
            vec![wrong(root.line, &tag(&root).map_or_else(scalar, str::to_owned), "map[string]string")]
        }
    };
    (!lines.is_empty()).then(|| format!("yaml: unmarshal errors:\n{}", lines.join("\n")))
}

/// What YAML calls a value that is no scalar.
fn tag(node: &Node) -> Option<&'static str> {
    match node.kind {
        Kind::List(_) => Some("!!seq"),
        Kind::Map(_) => Some("!!map"),
        Kind::Nothing | Kind::Scalar(..) => None,
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() > 10 { text.chars().take(7).chain("...".chars()).collect() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(args: &[&str]) -> Result<Entries, String> {
        from_args(&args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>())
    }

    fn read(text: &str) -> Vec<(String, String)> {
        from_yaml(text.as_bytes()).unwrap().into_iter().collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn c7_4_arguments_are_trimmed_and_checked() {
        assert_eq!(args(&["a = b=c \n", ""]).unwrap()["a"], "b=c");
        assert_eq!(args(&["foo"]).unwrap_err(), r#"expected "key=value", got "foo""#);
        assert_eq!(args(&["=x"]).unwrap_err(), r#"expected "key=value", got "=x""#);
        assert_eq!(args(&["a=1", "a=2"]).unwrap_err(), r#"key "a" specified more than once"#);
    }

    #[test]
    fn c7_5_scalars_are_taken_as_their_literal_text() {
        assert_eq!(
            read("a: 1.50\nb: yes\nc: 0x10\nd: null\ne: ~\nf:\ng: ' x '\nh: |\n  two\n  lines\ni: 2024-05-01\n"),
            pairs(&[
                ("a", "1.50"),
                ("b", "yes"),
                ("c", "0x10"),
                ("d", ""),
                ("e", ""),
                ("f", ""),
                ("g", " x "),
                ("h", "two\nlines\n"),
                ("i", "2024-05-01"),
            ])
        );
        assert_eq!(read("{\"a\": \"null\", \"b\": \"\\u0041\\n\"}"), pairs(&[("a", "null"), ("b", "A\n")]));
        assert_eq!(read("a: !!binary aGk=\n"), pairs(&[("a", "hi")]));
    }

    #[test]
    fn plain_json_is_read_as_yaml_would_be() {
        for text in [
            r#"{}"#,
            r#"{"a": "", "b": "null", "c": "x: y # z", "d": "{[&*!|>'%@`"}"#,
            r#"{"a":"\"\\\/\b\f\n\r\t","a":"2"}"#,
            r#" {"a": "1"} "#,
            r#"{"---": "...", "b": "--- "}"#,
        ] {
            let plain: Vec<_> = from_plain_json(text.trim().as_bytes()).unwrap().into_iter().collect();
            assert_eq!(plain, read(&format!("# not as JSON\n{text}")), "{text}");
        }
        for text in ["{\"a\": 1}", "{\"a\": null}", "{\"a\": \"\\u0041\"}", "{\"a\": \"\u{e9}\"}", "{a: b}", "a: b"] {
            assert_eq!(from_plain_json(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn c7_5_duplicates_documents_and_nothing() {
        assert_eq!(read("a: 1\na: 2\n"), pairs(&[("a", "2")]));
        assert_eq!(read("---\na: 1\n---\nb: 2\n"), pairs(&[("a", "1")]));
        assert_eq!(read(""), pairs(&[]));
        assert_eq!(read("# nothing\n"), pairs(&[]));
    }

    #[test]
    fn c7_5_what_is_no_map_of_scalars_is_refused() {
        let error = |text: &str| from_yaml(text.as_bytes()).unwrap_err();
        assert_eq!(error("a: [1]"), "yaml: unmarshal errors:\n  line 1: cannot unmarshal !!seq into string");
        assert_eq!(error("a: b\nc:\n  d: e\n").lines().nth(1), Some("  line 3: cannot unmarshal !!map into string"));
        assert!(error("- a\n").contains("cannot unmarshal !!seq into map[string]string"));
        assert!(error("just words\n").contains("cannot unmarshal !!str `just words`"));
        assert!(error("a: [").starts_with("yaml: "));
    }

    #[test]
    fn a_value_of_megabytes_is_read() {
        let text = format!("{{\"a\": \"{}\"}}", "x".repeat(4 << 20));
        assert_eq!(from_yaml(text.as_bytes()).unwrap()["a"].len(), 4 << 20);
    }
}
