//! The check of a charm: what its handlers, flags and triggers do to each other, found without running anything.
//!
#![doc = include_str!("docs/check.md")]

mod allowances;
pub(crate) mod command;
mod files;
mod flags;
pub(crate) mod gather;
mod handlers;
mod names;
mod order;
mod print;
#[cfg(all(test, feature = "testing"))]
mod random;
mod scripts;
mod seen;
mod settle;
#[cfg(all(test, feature = "testing"))]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::rc::Rc;

use crate::notes::What;
use crate::predicate::{Condition, Moment, Phase, Predicate, World};
use crate::trigger::Edge;

use allowances::Allowance;
use files::Files;
pub use scripts::scripts;

/// The handlers of a charm, with all that is known of what they do to flags.
///
/// It is made by [`Charm::graph`](crate::Charm::graph). What a run has shown can be added, and then it is known, too:
///
/// ```
/// # #[cfg(feature = "testing")] {
/// use zkpeer_core::testing::Unit;
/// use zkpeer_core::{Charm, Flags, handlers, when, when_not};
///
/// #[when_not("hello.installed")]
/// fn install(flags: Flags) {
///     note(&flags, "installed");
/// }
///
/// fn note(flags: &Flags, what: &str) {
///     flags.set(format!("hello.{what}"));
/// }
///
/// #[when("hello.installed")]
/// fn greet() {}
///
/// let charm = || Charm::new().handlers(handlers![install, greet]);
/// # let directory = tempfile::tempdir().unwrap();
/// # let directory = directory.path();
/// # std::fs::write(directory.join("metadata.yaml"), "name: hello\n").unwrap();
/// let mut graph = charm().graph(directory).unwrap();
/// assert_eq!(graph.findings()[0].kind.name(), "never-set");
/// graph.seen(&Unit::of(charm()).run("install"));
/// assert!(graph.findings().is_empty());
/// # }
/// ```
#[derive(Debug)]
pub struct Graph {
    /// In the order in which they run.
    nodes: Vec<Node>,
    /// What functions that are no handlers do, and triggers of the charm's own.
    others: Vec<Use>,
    triggers: Vec<Trigger>,
    /// The flags that interfaces set, clear and read by themselves.
    of_interfaces: BTreeSet<String>,
    /// Who else may change flags, and nobody sees which.
    unseen: Vec<String>,
    absent: Vec<Absent>,
    files: Files,
    allowances: Vec<Allowance>,
    /// What runs have shown that should not have been.
    undeclared: Vec<Finding>,
}

/// A handler.
#[derive(Debug)]
struct Node {
    /// As reports name it.
    id: String,
    /// Without its module.
    name: String,
    place: String,
    /// Whether it is the charm's own, and of no crate of interfaces.
    own: bool,
    predicate: Rc<Predicate>,
    uses: Vec<Use>,
    /// Whether `uses` and `of_interfaces` are all that it does to flags.
    known: bool,
    /// The flags of the interfaces that it has in its hands.
    of_interfaces: BTreeSet<String>,
    /// Whether it is called whenever it is its turn: no parameter can be missing.
    is_called: bool,
}

/// What somebody does to a flag.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Use {
    what: What,
    flag: String,
    /// Empty, if nothing is to be said of it.
    place: String,
    /// Whether this is done whenever it runs.
    always: bool,
}

/// "When this flag changes this way, that one changes that way."
#[derive(Debug)]
struct Trigger {
    flag: String,
    edge: Edge,
    then: Edge,
    other: String,
}

/// A handler that is not there, as no endpoint has its interface in its role.
#[derive(Debug)]
struct Absent {
    id: String,
    name: String,
    place: String,
    wanted: crate::EndpointType,
}

/// One thing that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// File and line; a file of the charm's directory alone where there is no line.
    pub place: String,
    /// Of which kind it is.
    pub kind: Kind,
    /// What it is about: a flag, an action, a file.
    pub subject: Option<String>,
    /// The handlers that have a part in it, as reports name them.
    pub handlers: Vec<String>,
    /// What is wrong, and what to do.
    pub message: String,
    /// Whether it is so whatever else happens. Otherwise it is so as far as the source shows.
    pub certain: bool,
}

/// The kinds of findings; their names stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A flag that is waited for, read or cleared is set by nobody.
    NeverSet,
    /// A flag is set, and nobody waits for it or reads it.
    NeverRead,
    /// The conditions of a handler never hold.
    NeverRuns,
    /// A handler is for the endpoints of an interface, and there is none.
    NoEndpoint,
    /// A handler takes from another one, in the same round, what that waits for.
    OrderDecides,
    /// Handlers wake each other without end.
    NeverSettles,
    /// A flag names an endpoint that is not in `metadata.yaml`.
    UnknownEndpoint,
    /// A flag names an option that is not in `config.yaml`.
    UnknownOption,
    /// A handler is for an action that is not in `actions.yaml`.
    UnknownAction,
    /// An action in `actions.yaml` has no handler.
    UnansweredAction,
    /// A file that is meant to be a handler cannot be run.
    NotExecutable,
    /// A handler in bash has a condition that there is not.
    UnknownDecorator,
    /// A test has seen a handler change a flag that is not among those that it changes.
    UndeclaredChange,
    /// An allowance allows nothing.
    UnusedAllowance,
}

impl Kind {
    /// Its name: `never-set`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NeverSet => "never-set",
            Self::NeverRead => "never-read",
            Self::NeverRuns => "never-runs",
            Self::NoEndpoint => "no-endpoint",
            Self::OrderDecides => "order-decides",
            Self::NeverSettles => "never-settles",
            Self::UnknownEndpoint => "unknown-endpoint",
            Self::UnknownOption => "unknown-option",
            Self::UnknownAction => "unknown-action",
            Self::UnansweredAction => "unanswered-action",
            Self::NotExecutable => "not-executable",
            Self::UnknownDecorator => "unknown-decorator",
            Self::UndeclaredChange => "undeclared-change",
            Self::UnusedAllowance => "unused-allowance",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Graph {
    /// All findings that are not allowed, in the order of their places.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut found = Vec::new();
        found.extend(flags::find(self));
        found.extend(handlers::find(self));
        found.extend(order::find(self));
        found.extend(settle::find(self));
        found.extend(self.files.findings.iter().cloned());
        found.extend(self.undeclared.iter().cloned());
        let left = allowances::apply(&self.allowances, found);
        in_order(left)
    }

    /// What is found, and of how much, as `check` prints it for people.
    #[must_use]
    pub fn text(&self) -> String {
        print::text(self, &self.findings())
    }

    /// All uses of flags, those of handlers first.
    fn uses(&self) -> impl Iterator<Item = &Use> {
        self.nodes.iter().flat_map(|node| &node.uses).chain(&self.others)
    }

    /// Whether nobody may change flags unseen.
    fn is_certain(&self) -> bool {
        self.unseen.is_empty() && !self.files.has_programs()
    }

    /// Whether somebody is seen to set the flag, who may be anyone.
    fn is_set_by_somebody(&self, flag: &str) -> bool {
        self.uses().any(|of| of.what == What::Sets && of.flag == flag) || self.is_set_by_others(flag)
    }

    /// The same of all that are no handlers, Juju included.
    fn is_set_by_others(&self, flag: &str) -> bool {
        self.others.iter().any(|of| of.what == What::Sets && of.flag == flag)
            || self.triggers.iter().any(|trigger| trigger.then == Edge::Set && trigger.other == flag)
            || self.of_interfaces.contains(flag)
            || self.files.mentions(flag)
            || names::automatic(flag, &self.files) == names::Automatic::Yes
    }
}

impl Node {
    /// Whether it runs on flags alone, in the rounds of the phase `other`.
    fn is_on_flags(&self) -> bool {
        self.predicate.0.iter().all(|condition| matches!(condition, Condition::Flags(..)))
    }

    fn does(&self, what: What, flag: &str) -> bool {
        self.uses.iter().any(|of| of.what == what && of.flag == flag)
    }
}

/// Flags that are set, for conditions to look at. Whatever else a condition is about is taken for so, or for not so.
struct Flags<F> {
    is_set: F,
    others: bool,
}

impl<F: Fn(&str) -> bool> World for Flags<F> {
    fn is_set(&self, flag: &str) -> bool {
        (self.is_set)(flag)
    }

    fn is_hook(&self, _: &str) -> bool {
        self.others
    }

    fn is_action(&self, _: &str) -> bool {
        self.others
    }

    fn file_changed(&self, _: usize, _: &[&'static str]) -> bool {
        self.others
    }

    fn has_succeeded(&self, _: usize) -> bool {
        !self.others
    }

    fn wants_to_run(&self, _: usize, _: &Moment<'_>) -> bool {
        self.others
    }
}

fn holds(predicate: &Predicate, set: &BTreeSet<&str>) -> bool {
    let world = Flags { is_set: |flag: &str| set.contains(flag), others: true };
    predicate.holds(0, &Moment { phase: Phase::Other, changed: None }, &world)
}

/// With more flags than this, not every combination is looked at.
const MOST_FLAGS: usize = 12;

/// All combinations of the flags; none if there are too many.
fn combinations<'f>(flags: &BTreeSet<&'f str>) -> Option<impl Iterator<Item = BTreeSet<&'f str>>> {
    let flags: Vec<&str> = flags.iter().copied().collect();
    (flags.len() <= MOST_FLAGS).then(|| {
        (0..1_u32 << flags.len()).map(move |bits| {
            flags.iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, flag)| *flag).collect()
        })
    })
}

/// The findings in the order of their places, each once; lines go by their numbers.
fn in_order(findings: Vec<Finding>) -> Vec<Finding> {
    fn key(finding: &Finding) -> (&str, u32, Kind, &Option<String>) {
        let line = finding.place.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse().ok()?)));
        let (file, line) = line.unwrap_or((&finding.place, 0));
        (file, line, finding.kind, &finding.subject)
    }
    // There are few: to insert each is less code than a sort, in a program that is to be small.
    let mut sorted: Vec<Finding> = Vec::new();
    for finding in findings {
        let at = sorted.iter().position(|other| key(&finding) <= key(other)).unwrap_or(sorted.len());
        if sorted[at..].iter().take_while(|other| key(other) == key(&finding)).all(|other| *other != finding) {
            sorted.insert(at, finding);
        }
    }
    sorted
}

/// For each flag that a handler watches whether it has to be set, or must not be, in every case in which the handler runs.
fn required(predicate: &Predicate) -> Vec<(&str, bool)> {
    use crate::Quantifier::{All, Any, None, NotAll};
    let mut required = Vec::new();
    for condition in &predicate.0 {
        let Condition::Flags(quantifier, flags) = condition else { continue };
        let set = match (quantifier, flags.len()) {
            (All, _) | (Any, 1) => true,
            (None, _) | (NotAll, 1) => false,
            _ => continue,
        };
        required.extend(flags.iter().map(|flag| (flag.as_ref(), set)));
    }
    required
}

/// Names in a row: "`a`, `b` and `c`".
fn listed<T: fmt::Display>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match items.as_slice() {
        [] => "nobody".to_owned(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
