//! Who is told what a run does to its store, and may end it there: the seam for tests that kill a hook at every instant.

use std::fmt;

/// Who is told. It may unwind what runs.
pub(crate) trait Witness: fmt::Debug {
    /// A handler runs from now on, or a callback, or none.
    fn runs(&self, handler: Option<&str>);

    /// A value has been written, and is not committed.
    fn wrote(&self, key: &str);

    /// What was written is about to be committed.
    fn commits(&self);

    /// It has been committed.
    fn committed(&self);
}
