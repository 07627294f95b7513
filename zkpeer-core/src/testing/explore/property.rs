//! What is to hold: properties of the author's, and those that every charm should have.

use std::fmt;

use crate::panic;
use crate::testing::model::Model;

/// What a property says of a model: `true`, or `Ok(())`; else why not, or only `false`, which is told with the units' statuses and flags.
pub trait Verdict {
    /// Why it does not hold; none if it does.
    fn why_not(self) -> Option<String>;
}

impl Verdict for bool {
    fn why_not(self) -> Option<String> {
        (!self).then(String::new)
    }
}

impl<E: fmt::Display> Verdict for Result<(), E> {
    fn why_not(self) -> Option<String> {
        self.err().map(|why| why.to_string())
    }
}

/// When a property has to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// In every state.
    Always,
    /// Whenever all is quiet.
    OnceQuiet,
    /// In some state of every fair story.
    Eventually,
    /// In some state of some story.
    Sometimes,
}

impl fmt::Display for When {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Always => "always",
            Self::OnceQuiet => "once all is quiet",
            Self::Eventually => "eventually",
            Self::Sometimes => "sometimes",
        })
    }
}

type Judge = dyn Fn(&Model) -> Option<String>;

/// A property of the author's.
pub(super) struct Property {
    pub(super) name: String,
    pub(super) when: When,
    judge: Box<Judge>,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.when, self.name)
    }
}

/// What a property says of one state.
pub(super) enum Judged {
    Holds,
    /// It does not, for this reason, if it gave one.
    Broken(String),
    /// It panicked, with this message.
    Panicked(String),
}

impl Property {
    pub(super) fn new<V: Verdict>(name: &str, when: When, holds: impl Fn(&Model) -> V + 'static) -> Self {
        Self { name: name.to_owned(), when, judge: Box::new(move |model| holds(model).why_not()) }
    }

    pub(super) fn judge(&self, model: &Model) -> Judged {
        match panic::quietly(|| (self.judge)(model)) {
            Ok(None) => Judged::Holds,
            Ok(Some(why)) => Judged::Broken(why),
            Err(message) => Judged::Panicked(message),
        }
    }
}

/// What every charm should do, and an exploration looks at by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BuiltIn {
    /// No hook fails, for which flags that do not settle are one reason.
    NoHookFails,
    /// Units end in the same place whatever the order of events: flags, status, what they have published, their fakes and
    /// files. Ends are compared if the same units are there, with the same leaders and configuration.
    SameEnd,
    /// Once all is quiet, every unit is `active`, or `blocked` or `waiting` with a message that says why.
    NobodyStuck,
    /// Once all is quiet, an `update-status` changes nothing.
    RepeatingChangesNothing,
}

impl fmt::Display for BuiltIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHookFails => "no hook fails",
            Self::SameEnd => "every unit ends in the same place, whatever the order",
            Self::NobodyStuck => "nobody is stuck",
            Self::RepeatingChangesNothing => "a handler that runs again when all is quiet changes nothing",
        })
    }
}
