//! What an exploration has found, or why it could not say.

use std::fmt;

use super::moves::Faults;
use super::property::BuiltIn;
use super::seal;
use super::settings::Explore;
use super::story::{self, Path};
use super::watch::Broken;
use crate::testing::error::Error;

/// Something that does not hold, with the story that leads to it.
///
/// Its text tells what and, where something was changed, who; step by step how; the string that [`replay`](super::Explore::replay)
/// takes; and a test that can be pasted in.
#[derive(Clone)]
#[non_exhaustive]
pub struct Found {
    /// The name of the property.
    pub property: String,
    /// Why it does not hold.
    pub why: String,
    /// What happened, step by step.
    pub story: Vec<String>,
    /// What happened in the story whose end is another, if it takes two to see it; else nothing.
    pub other: Vec<String>,
    /// What [`Explore::replay`](super::Explore::replay) takes to see it again.
    pub replay: String,
    /// A test in which the same happens; if it takes two stories to see it, in two models.
    pub test: String,
    headline: String,
    shortest: bool,
    built_in: Option<BuiltIn>,
}

impl Found {
    pub(super) fn new(explore: &Explore, broken: Broken, path: &Path, shortest: bool) -> Result<Self, Error> {
        let Broken { property, headline, why, other, built_in } = broken;
        // A fault may be in a story for nothing, if it makes later hooks one move instead of two.
        let shortest = shortest && explore.faults == Faults::default();
        let space = if why.starts_with('\n') { "" } else { " " };
        let headline = format!("{headline}:{space}{why}");
        let told = story::tell(explore, path)?;
        let others = other.as_ref().map(|other| story::tell(explore, other)).transpose()?;
        let replay = seal::seal(explore, other.iter().chain([path]));
        let test = story::test(&property, &headline, &told, others.as_ref());
        let (story, other) = (told.lines, others.unwrap_or_default().lines);
        Ok(Self { property, why, story, other, replay, test, headline, shortest, built_in })
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { headline, story, other, replay, test, shortest, built_in, .. } = self;
        let none_shorter = if *shortest { ", and none is shorter" } else { "" };
        writeln!(f, "{headline}\n\nThe story, in {}{none_shorter}:", steps(story.len()))?;
        writeln!(f, "{}", story::numbered(story, 0))?;
        if !other.is_empty() {
            let same = story.iter().zip(other).take_while(|(one, other)| one == other).count();
            let same_told = match same {
                0 => String::new(),
                1 => ", of which the first is the same".to_owned(),
                same => format!(", of which the first {same} are the same"),
            };
            writeln!(f, "\nThe other story, in {}{same_told}:\n{}", steps(other.len()), story::numbered(other, same))?;
        }
        if let Some(built_in) = built_in {
            writeln!(f, "\nIf that is as it should be: `.without(BuiltIn::{built_in:?}, \"why\")`.")?;
        }
        writeln!(
            f,
            "\nTo see it again: `.replay(\"{replay}\")` in the place of `.run()` or `.walk(..)`; or this test,"
        )?;
        writeln!(
            f,
            "in which `fn model() -> Result<Model, Error>` makes the model that was given to `explore`:\n\n{test}"
        )
    }
}

fn steps(count: usize) -> String {
    if count == 1 { "1 step".to_owned() } else { format!("{count} steps") }
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
    /// The text is not one that this exploration has given.
    #[error("`{story}` is no story of this exploration: {why}")]
    NoStory {
        /// The text.
        story: String,
        /// Why not, and what to do.
        why: String,
    },
    /// Nothing was to be played.
    #[error("{0}")]
    Nothing(String),
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
