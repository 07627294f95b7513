//! What an exploration has found, or why it could not say.

use std::fmt;

use super::moves::Faults;
use super::property::BuiltIn;
use super::settings::Explore;
use super::story::{self, Path, Told};
use super::watch::Broken;
use crate::testing::error::Error;

/// Something that does not hold, with the story that leads to it.
///
/// Its text tells what, step by step how, the string that [`replay`](super::Explore::replay) takes, and a test that can be pasted in.
#[derive(Clone)]
#[non_exhaustive]
pub struct Found {
    /// The name of the property.
    pub property: String,
    /// Why it does not hold.
    pub why: String,
    /// What happened, step by step.
    pub story: Vec<String>,
    /// What [`Explore::replay`](super::Explore::replay) takes to see it again.
    pub replay: String,
    /// A test in which the same happens.
    pub test: String,
    headline: String,
    shortest: bool,
    built_in: Option<BuiltIn>,
}

impl Found {
    pub(super) fn new(explore: &Explore, broken: Broken, path: &Path, shortest: bool) -> Result<Self, Error> {
        let Broken { property, when, why, other, panicked, built_in } = broken;
        // A fault may be in a story for nothing, if it makes later hooks one move instead of two.
        let shortest = shortest && explore.faults == Faults::default();
        let when = when.map(|when| format!(", {when},")).unwrap_or_default();
        let headline = match (panicked, why.as_str()) {
            (true, _) => {
                format!("`{property}`{when} panicked where it should have said `false` or why it does not hold: {why}")
            }
            (false, "") => format!("`{property}`{when} does not hold"),
            (false, why) => format!("`{property}`{when} does not hold: {why}"),
        };
        let mut told = story::tell(explore, path)?;
        let mut replay = path.encode();
        if let Some(other) = other {
            let Told { lines, .. } = story::tell(explore, &other)?;
            told.lines.push("and the other story:".to_owned());
            told.lines.extend(lines);
            replay = format!("{}/{replay}", other.encode());
        }
        let test = told.test(&property, &headline);
        Ok(Self { property, why, story: told.lines, replay, test, headline, shortest, built_in })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { headline, story, replay, test, shortest, built_in, .. } = self;
        let none_shorter = if *shortest { ", and none is shorter" } else { "" };
        writeln!(f, "{headline}\n\nThe story, in {} steps{none_shorter}:", story.len())?;
        for (number, line) in story.iter().enumerate() {
            writeln!(f, "{:>4}. {line}", number + 1)?;
        }
        if let Some(built_in) = built_in {
            writeln!(f, "\nIf that is as it should be: `.without(BuiltIn::{built_in:?}, \"why\")`.")?;
        }
        writeln!(
            f,
            "\nTo see it again: `.replay(\"{replay}\")` in the place of `.run()` or `.walk(..)`; or this test, in which"
        )?;
        write!(f, "`fn model() -> Result<Model, Error>` makes the model that was given to `explore`:\n\n{test}")
    }
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Why an exploration is no success.
///
/// `Debug` is written as the message is, for tests that return it or `unwrap` it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ExploreError {
    /// Something does not hold.
    #[error("{0}")]
    Found(Box<Found>),
    /// Nothing was found so far, and there is more.
    #[error(
        "{states} states were looked at, and {waiting} more wait at depth {depth}: nothing was found so far, and nothing is proved. \
         Raise the bound with `.states(..)`, take something out of the model, or play random stories with `.walk(..)`"
    )]
    TooSmall {
        /// How many states were looked at.
        states: usize,
        /// How many are known and were not looked at.
        waiting: usize,
        /// The least number of steps to those.
        depth: usize,
    },
    /// A property that should hold in some state never did.
    #[error("`{property}` should hold sometimes, and does in none of the {states} states that were looked at")]
    Never {
        /// The property's name.
        property: String,
        /// How many states were looked at.
        states: usize,
    },
    /// The operators' doing was never possible.
    #[error("`{doing}` never happened, in none of the {states} states that were looked at: {why}")]
    NeverPossible {
        /// The doing.
        doing: String,
        /// How many states were looked at.
        states: usize,
        /// Why it is not possible at the beginning.
        why: String,
    },
    /// The same hook in the same state did something else the second time.
    #[error(
        "{step} did something else when it was run again in the same state, so nothing can be said of all orders: {what}\n\
         Handlers may depend on what is in the model only. Put what else they look at (time, chance, global state, files \
         outside the charm's directory) into a resource, and a fake in its place.\n\nThe story:\n{story}"
    )]
    NotDeterministic {
        /// What happened twice.
        step: String,
        /// How the two differ.
        what: String,
        /// The way there.
        story: String,
    },
    /// The text is not one that an exploration has given.
    #[error("`{0}` is no story of this exploration: give it as it was printed, to the same model with the same doings")]
    NoStory(String),
    /// More than an exploration takes.
    #[error("{0}")]
    TooMany(String),
    /// The model cannot be, or cannot be explored.
    #[error(transparent)]
    Model(#[from] Error),
}

impl fmt::Debug for ExploreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}
