//! Names of flags, checked once.

use std::fmt;

/// The name of a flag, checked when the charm is compiled.
///
/// A flag is set or it is not; handlers wait for flags with `#[when(..)]` and its kin. Wherever a flag is wanted, a
/// literal does; a constant keeps the name in one place.
///
/// ```
/// use zkpeer_core::Flag;
///
/// const INSTALLED: Flag = Flag::new("zookeeper.installed");
/// assert_eq!(INSTALLED.name(), "zookeeper.installed");
/// ```
///
/// A name that is not one does not compile:
///
/// ```compile_fail
/// const BAD: zkpeer_core::Flag = zkpeer_core::Flag::new("two words");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flag(&'static str);

impl Flag {
    /// A flag of this name.
    ///
    /// # Panics
    ///
    /// If the name is not one (see [`FlagNameError`]); in a constant that is a compile error.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        match check(name, true) {
            Ok(()) => Self(name),
            Err(FlagNameError::Empty) => panic!("a flag's name is not empty"),
            Err(FlagNameError::WhiteSpace) => panic!("a flag's name has no white space or control characters"),
            Err(FlagNameError::Brace) => {
                panic!("a flag's name has no braces, except as `{{endpoint_name}}` or `{{relation_name}}`")
            }
        }
    }

    /// The name as written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.0
    }
}

impl AsRef<str> for Flag {
    fn as_ref(&self) -> &str {
        self.0
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// Why a text is not the name of a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagNameError {
    /// There is no name.
    #[error("a flag's name is not empty")]
    Empty,
    /// A blank, a line end or another control character.
    #[error("a flag's name has no white space or control characters")]
    WhiteSpace,
    /// A brace that is not part of `{endpoint_name}` or `{relation_name}`, or a placeholder where a finished name is
    /// wanted.
    #[error("a flag's name has no braces, except as `{{endpoint_name}}` or `{{relation_name}}` in an interface")]
    Brace,
}

const PLACEHOLDERS: [&[u8]; 2] = [b"{endpoint_name}", b"{relation_name}"];

/// Whether `name` can name a flag; with `template`, placeholders for the endpoint's name are allowed.
pub(crate) const fn check(name: &str, template: bool) -> Result<(), FlagNameError> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Err(FlagNameError::Empty);
    }
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            0..=b' ' | 0x7f => return Err(FlagNameError::WhiteSpace),
            b'{' if template && starts_with(bytes, at, PLACEHOLDERS[0]) => at += PLACEHOLDERS[0].len(),
            b'{' if template && starts_with(bytes, at, PLACEHOLDERS[1]) => at += PLACEHOLDERS[1].len(),
            b'{' | b'}' => return Err(FlagNameError::Brace),
            _ => at += 1,
        }
    }
    Ok(())
}

const fn starts_with(bytes: &[u8], at: usize, prefix: &[u8]) -> bool {
    let mut i = 0;
    while i < prefix.len() {
        if at + i >= bytes.len() || bytes[at + i] != prefix[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// `template` with the endpoint's name in the place of each placeholder.
pub(crate) fn expand(template: &str, endpoint: &str) -> String {
    template.replace("{endpoint_name}", endpoint).replace("{relation_name}", endpoint)
}

/// Whether the name contains a placeholder for an endpoint's name.
pub(crate) fn is_template(name: &str) -> bool {
    name.contains("{endpoint_name}") || name.contains("{relation_name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert_eq!(check("zkpeer.joined", false), Ok(()));
        assert_eq!(check("", false), Err(FlagNameError::Empty));
        assert_eq!(check("a b", false), Err(FlagNameError::WhiteSpace));
        assert_eq!(check("a\n", false), Err(FlagNameError::WhiteSpace));
        assert_eq!(check("{relation_name}.joined", false), Err(FlagNameError::Brace));
        assert_eq!(check("{relation_name}.joined", true), Ok(()));
        assert_eq!(check("x.{endpoint_name}", true), Ok(()));
        assert_eq!(check("{endpoint_nam}", true), Err(FlagNameError::Brace));
        assert_eq!(check("a}", true), Err(FlagNameError::Brace));
    }

    #[test]
    fn placeholders_are_filled() {
        assert_eq!(expand("{relation_name}.x.{endpoint_name}", "zkpeer"), "zkpeer.x.zkpeer");
        assert!(is_template("{relation_name}.joined"));
        assert!(!is_template("zkpeer.joined"));
    }
}
