//! In what the places of two models differ, and how that is told.

use std::collections::{BTreeMap, BTreeSet};

use super::place::{Name, Part};
use crate::context::FLAG_PREFIX;
use crate::testing::apart::{parted, short};

/// What is told of a side that lacks the thing.
pub(super) const NOT_THERE: &str = "not there";
/// How many lines of one side are told.
const MOST_LINES: usize = 6;
/// How long the lines of one side may be to be told in one.
const ONE_LINE: usize = 100;

/// One thing that is other in one place than in another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The unit's or application's name.
    pub(crate) whose: String,
    /// None if all of it is there once only.
    pub(crate) part: Option<Name>,
    /// Of what has keys: those that differ.
    pub(crate) keys: BTreeSet<String>,
    before: Vec<String>,
    after: Vec<String>,
}

impl Difference {
    pub(super) fn whole(whose: &str, before: &str, after: &str) -> Self {
        let (before, after) = (vec![before.to_owned()], vec![after.to_owned()]);
        Self { whose: whose.to_owned(), part: None, keys: BTreeSet::new(), before, after }
    }
}

/// Adds what differs of one unit or application.
pub(super) fn of_parts(
    whose: &str,
    before: &BTreeMap<Name, Part>,
    after: &BTreeMap<Name, Part>,
    found: &mut Vec<Difference>,
) {
    let mut flags = BTreeSet::new();
    let both: BTreeSet<&Name> = before.keys().chain(after.keys()).collect();
    for name in both {
        let (before, after) = (before.get(name), after.get(name));
        if before == after {
            continue;
        }
        let nothing = Part::Lines(Vec::new());
        let (keys, before, after) = match (before, after) {
            (Some(Part::Text(before)), Some(Part::Text(after))) => {
                let (before, after) = parted(before, after);
                (BTreeSet::new(), vec![before], vec![after])
            }
            (before, after) => {
                let (before, after) = (before.unwrap_or(&nothing).lines(), after.unwrap_or(&nothing).lines());
                // What is stored of a flag has been told with the flag.
                let told = |line: &&String| *name != Name::Stored || !flags.contains(key(line));
                let before: Vec<&String> = before.iter().filter(told).collect();
                let after: Vec<&String> = after.iter().filter(told).collect();
                of_lines(&before, &after)
            }
        };
        if *name == Name::Flags {
            flags = keys.iter().map(|flag| format!("{FLAG_PREFIX}{flag}")).collect();
        }
        if before != after {
            found.push(Difference { whose: whose.to_owned(), part: Some(name.clone()), keys, before, after });
        }
    }
}

impl Part {
    fn lines(&self) -> &[String] {
        match self {
            Self::Lines(lines) => lines,
            Self::Text(text) => std::slice::from_ref(text),
        }
    }
}

/// What only one of both has, with the keys.
fn of_lines(before: &[&String], after: &[&String]) -> (BTreeSet<String>, Vec<String>, Vec<String>) {
    let only = |lines: &[&String], others: &[&String]| -> BTreeMap<String, String> {
        let own = lines.iter().filter(|line| !others.contains(line));
        own.map(|line| (key(line).to_owned(), (*line).clone())).collect()
    };
    let (old, new) = (only(before, after), only(after, before));
    if old.is_empty() && new.is_empty() {
        // The same lines, in another order or number.
        let all = |lines: &[&String]| lines.iter().map(|line| short(line)).collect();
        return (BTreeSet::new(), all(before), all(after));
    }
    let keys: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    let side = |own: &BTreeMap<String, String>, others: &BTreeMap<String, String>| -> Vec<String> {
        if own.is_empty() {
            return vec![NOT_THERE.to_owned()];
        }
        let told = |key: &String| match (own.get(key), others.get(key)) {
            (Some(line), Some(other)) => parted(line, other).0,
            (Some(line), None) => short(line),
            (None, _) => format!("no `{key}`"),
        };
        keys.iter().map(told).collect()
    };
    let (old, new) = (side(&old, &new), side(&new, &old));
    (keys, old, new)
}

/// What the line is about.
fn key(line: &str) -> &str {
    let ends = [line.find('='), line.find(": ")];
    ends.into_iter().flatten().min().map_or(line, |end| &line[..end])
}

/// What differs, line by line, the one before and the other afterwards.
pub(crate) fn tell(differences: &[Difference], (before, after): (&str, &str)) -> String {
    let width = before.len().max(after.len());
    let mut told = String::new();
    for difference in differences {
        let whose = &difference.whose;
        told.push_str(&match &difference.part {
            Some(part) => format!("\n  {part} of {whose}:"),
            None => format!("\n  {whose}:"),
        });
        for (label, lines) in [(before, &difference.before), (after, &difference.after)] {
            told.push_str(&format!("\n    {:width$} {}", format!("{label}:"), side(lines), width = width + 1));
        }
    }
    told
}

fn side(lines: &[String]) -> String {
    let mut shown: Vec<String> = lines.iter().take(MOST_LINES).cloned().collect();
    if lines.len() > MOST_LINES {
        shown.push(format!("and {} more", lines.len() - MOST_LINES));
    }
    if shown.iter().map(String::len).sum::<usize>() > ONE_LINE && shown.len() > 1 {
        shown.iter().map(|line| format!("\n      {line}")).collect()
    } else {
        shown.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str]) -> Part {
        Part::Lines(lines.iter().map(|line| (*line).to_owned()).collect())
    }

    fn told(name: Name, before: Option<Part>, after: Option<Part>) -> String {
        let parts = |part: Option<Part>| part.map(|part| (name.clone(), part)).into_iter().collect();
        let mut found = Vec::new();
        of_parts("zk/0", &parts(before), &parts(after), &mut found);
        tell(&found, ("undisturbed", "now"))
    }

    #[test]
    fn both_sides_are_told_in_the_same_order() {
        let text = told(Name::Flags, Some(lines(&["a", "b"])), Some(lines(&["a"])));
        assert_eq!(text, "\n  flags of zk/0:\n    undisturbed: b\n    now:         not there");
        let text = told(Name::Flags, Some(lines(&["a"])), Some(lines(&["a", "b"])));
        assert_eq!(text, "\n  flags of zk/0:\n    undisturbed: not there\n    now:         b");
        let text = told(Name::Files, None, Some(lines(&["log: \"x\""])));
        assert_eq!(text, "\n  files of zk/0:\n    undisturbed: not there\n    now:         log: \"x\"");
    }

    #[test]
    fn a_key_that_one_side_lacks_is_named_there() {
        let text = told(Name::LeaderSettings, Some(lines(&["a=1", "b=1"])), Some(lines(&["a=2", "b=1", "c=3"])));
        assert_eq!(text, "\n  leader settings of zk/0:\n    undisturbed: a=1, no `c`\n    now:         a=2, c=3");
    }

    #[test]
    fn values_are_shortened_round_the_place_where_they_differ() {
        let long = "x".repeat(300);
        let text =
            told(Name::Status, Some(Part::Text(format!("{long}1{long}"))), Some(Part::Text(format!("{long}2{long}"))));
        assert!(text.len() < 300 && text.contains("x1x") && text.contains("x2x"), "{text}");
    }

    #[test]
    fn what_is_there_twice_is_told_as_it_is() {
        let text = told(Name::OpenPorts, Some(lines(&["a"])), Some(lines(&["a", "a"])));
        assert_eq!(text, "\n  open ports of zk/0:\n    undisturbed: a\n    now:         a, a");
    }

    #[test]
    fn a_flag_is_told_once() {
        let with = |flags: &[&str], stored: &[&str]| {
            BTreeMap::from([(Name::Flags, lines(flags)), (Name::Stored, lines(stored))])
        };
        let mut found = Vec::new();
        let after = with(&["a"], &["reactive.states.a: null", "k: 1"]);
        of_parts("zk/0", &with(&[], &[]), &after, &mut found);
        let text = tell(&found, ("before", "after"));
        assert!(text.ends_with("stored of zk/0:\n    before: not there\n    after:  k: 1"), "{text}");
    }
}
