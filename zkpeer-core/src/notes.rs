//! What the source says of a function, as data: what it does to flags, and which findings are meant to be.

use std::fmt;

/// What is known of a function's dealings with flags; made by the macros.
#[derive(Clone, Copy, Debug)]
pub struct Notes {
    /// The calls that name a flag.
    pub uses: &'static [FlagUse],
    /// Whether these are all that the function does to flags by the handles that it is given.
    pub whole: bool,
    /// Whether the author says what else it does: then that is all, by whatever means.
    pub declared: bool,
    /// The findings that are meant to be.
    pub allowed: &'static [AllowanceDef],
}

impl Notes {
    /// Of a function of which nothing is known.
    pub const UNKNOWN: &'static Self = &Self { uses: &[], whole: false, declared: false, allowed: &[] };
}

/// What happens to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// It is set.
    Sets,
    /// It is cleared.
    Clears,
    /// Somebody looks whether it is set.
    Reads,
}

/// One call that names a flag.
#[derive(Clone, Copy, Debug)]
pub struct FlagUse {
    /// What the call does.
    pub what: What,
    /// The flag.
    pub flag: FlagName,
    /// Its line.
    pub line: u32,
    /// Whether a call of the function that comes to its end has always done this.
    pub always: bool,
}

/// The name of a flag, before the endpoint's name is filled in.
#[derive(Clone, Copy)]
pub enum FlagName {
    /// As it is written.
    Text(&'static str),
    /// That of a constant; none if it is not one that can name a flag.
    Of(fn() -> Option<String>),
}

impl FlagName {
    pub(crate) fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) => Some((*text).to_owned()),
            Self::Of(name) => name(),
        }
    }
}

impl fmt::Debug for FlagName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text(), f)
    }
}

/// A finding that is meant to be.
#[derive(Clone, Copy, Debug)]
pub struct AllowanceDef {
    /// Its kind: `never-set`.
    pub kind: &'static str,
    /// What it is about, if that is not the function itself.
    pub subject: Option<FlagName>,
    /// Why it is meant to be.
    pub reason: &'static str,
    /// The line of the allowance.
    pub line: u32,
}

/// A function that is no handler, and of which something is noted.
#[derive(Debug)]
pub struct FunctionDef {
    /// The path of the module that it stands in.
    pub module: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line of its name.
    pub line: u32,
    /// What is known of it.
    pub notes: Notes,
}

/// A constant of which it is not known whether it names a flag.
#[derive(Debug)]
pub struct Maybe<T>(pub T);

/// The name of a constant that has one: this method is found before that of [`Nameless`].
pub trait Named {
    /// The name.
    fn flag_name(&self) -> Option<String>;
}

impl<T: AsRef<str> + ?Sized> Named for Maybe<&T> {
    fn flag_name(&self) -> Option<String> {
        Some(self.0.as_ref().to_owned())
    }
}

/// The name of any other constant: none.
pub trait Nameless {
    /// None.
    fn flag_name(&self) -> Option<String>;
}

impl<T> Nameless for &Maybe<T> {
    fn flag_name(&self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Maybe, Named as _, Nameless as _};
    use crate::flag::Flag;

    #[test]
    #[expect(
        clippy::needless_borrow,
        reason = "as the macros write it: without the borrow the second trait is not found"
    )]
    fn only_what_is_a_name_has_one() {
        assert_eq!((&Maybe(&"a")).flag_name().as_deref(), Some("a"));
        assert_eq!((&Maybe(&Flag::new("b"))).flag_name().as_deref(), Some("b"));
        assert_eq!((&Maybe(&7)).flag_name(), None);
    }
}
