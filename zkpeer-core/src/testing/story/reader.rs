//! Reads fields by their name and type, and gathers everything that is wrong on the way.
//!
//! A function that gives `None` has noted a problem.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::yaml::{Entry, Kind, Node, Scalar, Wrong, on_one_line, shown};
use super::words::{self, nearest};
use super::{EndpointName, StoryProblem};
use crate::juju::UnitName;
use crate::juju::names::is_application;

/// What is known while a story is read.
#[derive(Debug)]
pub(super) struct Reader<'p> {
    /// What paths are relative to.
    directory: &'p Path,
    problems: Vec<StoryProblem>,
    /// The applications that are deployed before the line that is read.
    applications: BTreeSet<String>,
    /// Those of them that are to be removed by then.
    removed: BTreeSet<String>,
}

/// A map of which every key is known.
#[derive(Debug)]
pub(super) struct Fields<'n> {
    /// What the map is, for messages: "step `config`".
    what: String,
    line: u64,
    /// How it looks when it is right.
    example: &'static str,
    fields: Vec<Field<'n>>,
    /// Keys that are there under a misspelt name.
    misspelt: Vec<String>,
}

/// One key with its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'n> {
    pub(super) name: &'n str,
    pub(super) node: &'n Node,
}

impl<'n> Fields<'n> {
    /// What the short form `name: value` means.
    pub(super) fn of_one(what: String, example: &'static str, name: &'n str, node: &'n Node) -> Self {
        Self { what, line: node.line, example, fields: vec![Field { name, node }], misspelt: Vec::new() }
    }

    /// No fields at all.
    pub(super) fn none(what: String, example: &'static str, line: u64) -> Self {
        Self { what, line, example, fields: Vec::new(), misspelt: Vec::new() }
    }

    pub(super) fn line(&self) -> u64 {
        self.line
    }

    pub(super) fn get(&self, name: &str) -> Option<Field<'n>> {
        self.fields.iter().find(|field| field.name == name).copied()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether the key is there, if need be under a misspelt name.
    pub(super) fn means(&self, name: &str) -> bool {
        self.has(name) || self.misspelt.iter().any(|misspelt| misspelt == name)
    }
}

impl<'p> Reader<'p> {
    /// A reader for the story in this file.
    pub(super) fn new(story: &'p Path) -> Self {
        Self {
            directory: story.parent().unwrap_or(Path::new("")),
            problems: Vec::new(),
            applications: BTreeSet::new(),
            removed: BTreeSet::new(),
        }
    }

    /// Everything that was wrong, in the order of the lines.
    pub(super) fn into_problems(mut self) -> Vec<StoryProblem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// Notes what is wrong.
    pub(super) fn problem<T>(&mut self, line: impl Into<Option<u64>>, text: impl Into<String>) -> Option<T> {
        self.problems.push(StoryProblem { line: line.into(), text: on_one_line(&text.into()) });
        None
    }

    /// Notes what is wrong with the text.
    pub(super) fn wrong_text<T>(&mut self, wrong: Wrong) -> Option<T> {
        self.problem(wrong.line, wrong.problem)
    }

    /// Notes that a field is of another kind than it has to be.
    pub(super) fn wrong<T>(&mut self, field: Field<'_>, wanted: impl Display) -> Option<T> {
        self.problem(field.node.line, format!("`{}` has to be {wanted}, not {}", field.name, field.node))
    }

    /// Takes a map apart, of which only these keys are known.
    pub(super) fn fields<'n>(
        &mut self,
        node: &'n Node,
        what: impl Into<String>,
        known: &[&str],
        example: &'static str,
    ) -> Option<Fields<'n>> {
        let what = what.into();
        let Kind::Map(entries) = &node.kind else {
            return self.problem(node.line, format!("{what} has to be a map, as in `{example}`, not {node}"));
        };
        let mut fields = Fields::none(what, example, node.line);
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let meant = nearest(&entry.key, known.iter().copied());
                fields.misspelt.extend(meant.map(str::to_owned));
                let text = unknown_key(&fields.what, entry, known, meant);
                self.problem::<()>(entry.line, text);
            } else {
                fields.fields.push(Field { name: &entry.key, node: &entry.value });
            }
        }
        Some(fields)
    }

    /// A field that has to be there.
    pub(super) fn need<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        name: &str,
        read: impl FnOnce(&mut Self, Field<'n>) -> Option<T>,
    ) -> Option<T> {
        match fields.get(name) {
            Some(field) => read(self, field),
            None if fields.means(name) => None,
            None => {
                let text = format!("{} needs `{name}`, as in `{}`", fields.what, fields.example);
                self.problem(fields.line, text)
            }
        }
    }

    /// A field that may be missing.
    pub(super) fn may<'n, T>(
        &mut self,
        fields: &Fields<'n>,
        name: &str,
        read: impl FnOnce(&mut Self, Field<'n>) -> Option<T>,
    ) -> Option<Option<T>> {
        match fields.get(name) {
            Some(field) => read(self, field).map(Some),
            None => Some(None),
        }
    }

    /// A field that has the type's default where it is missing.
    pub(super) fn or_default<'n, T: Default>(
        &mut self,
        fields: &Fields<'n>,
        name: &str,
        read: impl FnOnce(&mut Self, Field<'n>) -> Option<T>,
    ) -> Option<T> {
        self.may(fields, name, read).map(Option::unwrap_or_default)
    }

    // Scalars.

    pub(super) fn text(&mut self, field: Field<'_>) -> Option<String> {
        match field.node.literal() {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(field, "a text"),
        }
    }

    pub(super) fn truth(&mut self, field: Field<'_>) -> Option<bool> {
        match field.node.kind {
            Kind::Scalar(_, Scalar::Bool(truth)) => Some(truth),
            _ => self.wrong(field, "true or false"),
        }
    }

    pub(super) fn number(&mut self, field: Field<'_>, range: RangeInclusive<u64>) -> Option<u64> {
        let number = field.node.literal().and_then(|text| text.parse().ok()).filter(|number| range.contains(number));
        match number {
            Some(number) => Some(number),
            None if *range.end() == u64::MAX => self.wrong(field, "a whole number"),
            None => self.wrong(field, format!("a whole number from {} to {}", range.start(), range.end())),
        }
    }

    /// So many units or instances.
    pub(super) fn count(&mut self, field: Field<'_>, least: u32) -> Option<u32> {
        const MOST: u32 = 1000;
        self.number(field, u64::from(least)..=u64::from(MOST)).and_then(|number| u32::try_from(number).ok())
    }

    pub(super) fn time(&mut self, field: Field<'_>) -> Option<Duration> {
        match field.node.literal().and_then(words::duration) {
            Some(time) => Some(time),
            None => self.wrong(field, words::DURATION),
        }
    }

    /// A file or directory, relative to the story's directory.
    pub(super) fn path(&mut self, field: Field<'_>) -> Option<PathBuf> {
        match field.node.literal().filter(|text| !text.is_empty()) {
            Some(text) => Some(self.directory.join(text).components().collect()),
            None => self.wrong(field, "a path, relative to the story's file"),
        }
    }

    /// A text that passes a check.
    pub(super) fn checked(&mut self, field: Field<'_>, check: fn(&str) -> bool, wanted: &str) -> Option<String> {
        match field.node.literal().filter(|text| check(text)) {
            Some(text) => Some(text.to_owned()),
            None => self.wrong(field, wanted),
        }
    }

    /// One of these words.
    pub(super) fn one_of(&mut self, field: Field<'_>, words: &[&str]) -> Option<String> {
        if let Some(text) = field.node.literal() {
            if words.contains(&text) {
                return Some(text.to_owned());
            }
            if let Some(word) = nearest(text, words.iter().copied()) {
                let text = format!("`{}` cannot be `{}`; is it `{word}`?", field.name, shown(text));
                return self.problem(field.node.line, text);
            }
        }
        self.wrong(field, format!("one of {}", listed(words.iter().copied())))
    }

    pub(super) fn flag(&mut self, field: Field<'_>) -> Option<String> {
        let text = self.text(field)?;
        match crate::flag::check(&text, false) {
            Ok(()) => Some(text),
            Err(error) => self.problem(field.node.line, format!("`{}` is no flag: {error}", text)),
        }
    }

    // Names.

    /// The name of an application that the story has by then.
    pub(super) fn application(&mut self, field: Field<'_>) -> Option<String> {
        let name = self.application_name(field)?;
        self.knows(field.node.line, &name)?;
        Some(name)
    }

    /// The name of an application, whether there is one or not.
    pub(super) fn application_name(&mut self, field: Field<'_>) -> Option<String> {
        match field.node.literal() {
            Some(text) if text.parse::<UnitName>().is_ok() => {
                self.wrong(field, "the name of an application, without a unit's number")
            }
            Some(text) if is_application(text) => Some(text.to_owned()),
            _ => self.wrong(field, "the name of an application such as `zk`"),
        }
    }

    /// A unit of an application that the story has by then.
    pub(super) fn unit(&mut self, field: Field<'_>) -> Option<UnitName> {
        let Some(unit) = field.node.literal().and_then(|text| text.parse::<UnitName>().ok()) else {
            return self.wrong(field, "the name of a unit such as `zk/0`");
        };
        self.knows(field.node.line, unit.application())?;
        Some(unit)
    }

    /// A unit, or `none`.
    pub(super) fn unit_or_none(&mut self, field: Field<'_>) -> Option<Option<UnitName>> {
        if field.node.literal() == Some("none") { Some(None) } else { self.unit(field).map(Some) }
    }

    pub(super) fn endpoint(&mut self, field: Field<'_>) -> Option<EndpointName> {
        let Some(endpoint) = field.node.literal().and_then(|text| text.parse::<EndpointName>().ok()) else {
            return self.problem(field.node.line, format!("{} is no endpoint; one looks like `zk:client`", field.node));
        };
        self.knows(field.node.line, &endpoint.application)?;
        Some(endpoint)
    }

    /// The two sides of a relation.
    pub(super) fn sides(&mut self, field: Field<'_>) -> Option<[EndpointName; 2]> {
        let Kind::List(items) = &field.node.kind else {
            let text = format!("a relation is a pair such as `[zk:client, client:zookeeper]`, not {}", field.node);
            return self.problem(field.node.line, text);
        };
        let sides: Vec<_> = items.iter().map(|node| self.endpoint(Field { name: field.name, node })).collect();
        let sides: Vec<EndpointName> = sides.into_iter().collect::<Option<_>>()?;
        let Ok([one, other]) = <[EndpointName; 2]>::try_from(sides) else {
            let text = format!("a relation has two endpoints, not {}: `[zk:client, client:zookeeper]`", items.len());
            return self.problem(field.node.line, text);
        };
        if one == other {
            // Contract 3.1.
            let text = format!("`{one}` cannot be related to itself; a peer relation is there from deployment on");
            return self.problem(field.node.line, text);
        }
        Some([one, other])
    }

    // Lists and maps.

    /// A list; one item needs no brackets.
    pub(super) fn set<T: Ord>(
        &mut self,
        field: Field<'_>,
        read: impl Fn(&mut Self, Field<'_>) -> Option<T>,
    ) -> Option<BTreeSet<T>> {
        let items = match &field.node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(field.node),
        };
        let read: Vec<_> = items.iter().map(|node| read(self, Field { name: field.name, node })).collect();
        read.into_iter().collect()
    }

    /// A map from names of the user's to something.
    pub(super) fn map<T>(
        &mut self,
        field: Field<'_>,
        read: impl Fn(&mut Self, Field<'_>) -> Option<T>,
    ) -> Option<BTreeMap<String, T>> {
        let Kind::Map(entries) = &field.node.kind else { return self.wrong(field, "a map of names and values") };
        let mut read = |entry: &Entry| {
            if entry.key.is_empty() {
                return self.problem(entry.line, format!("`{}` has a key that is empty", field.name));
            }
            Some((entry.key.clone(), read(self, Field { name: &entry.key, node: &entry.value })?))
        };
        let read: Vec<_> = entries.iter().map(&mut read).collect();
        read.into_iter().collect()
    }

    // Applications.

    /// Whether anything is deployed before the line that is read.
    pub(super) fn has_applications(&self) -> bool {
        !self.applications.is_empty()
    }

    /// An application is deployed from here on.
    pub(super) fn deploys(&mut self, line: u64, application: &str) {
        let is_new = self.applications.insert(application.to_owned());
        if !self.removed.remove(application) && !is_new {
            self.problem::<()>(line, format!("application `{application}` is deployed already"));
        }
    }

    /// An application is to be removed from here on.
    pub(super) fn removes(&mut self, application: &str) {
        self.removed.insert(application.to_owned());
    }

    fn knows(&mut self, line: u64, application: &str) -> Option<()> {
        // A story without any application has been told so.
        if self.applications.is_empty() || self.applications.contains(application) {
            return Some(());
        }
        let known = self.applications.iter().map(String::as_str);
        let hint = match nearest(application, known.clone()) {
            Some(known) => format!("is it `{known}`?"),
            None => format!("by then there is {}; another one needs a place in `applications`", listed(known)),
        };
        self.problem(line, format!("the story has no application `{application}`; {hint}"))
    }
}

fn unknown_key(what: &str, entry: &Entry, known: &[&str], meant: Option<&str>) -> String {
    let shown = shown(&entry.key);
    // `{message: one, two}` is a message and a key `two`.
    if entry.value.is_nothing() && entry.key.contains(' ') {
        return format!("{what} has no `{shown}`; a text with a comma needs quotes within braces");
    }
    match meant {
        Some(meant) => format!("{what} has no `{shown}`; is it `{meant}`?"),
        None => format!("{what} has no `{shown}`, but {}", listed(known.iter().copied())),
    }
}

/// `a`, `b` and `c`.
pub(super) fn listed<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => quoted.concat(),
    }
}
