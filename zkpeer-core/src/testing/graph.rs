//! The check of a charm as a test of it.

use std::path::Path;

use crate::charm::Charm;
use crate::error::describe;

/// Fails with all that the [check](crate::check) of the charm finds; the directory is that of its files,
/// `env!("CARGO_MANIFEST_DIR")` in the charm's own tests.
///
/// ```no_run
/// use zkpeer_core::Charm;
/// use zkpeer_core::testing::check;
///
/// #[test]
/// fn nothing_is_misspelt_and_everything_can_run() {
///     check(&Charm::new(), env!("CARGO_MANIFEST_DIR"));
/// }
/// ```
///
/// What tests have seen handlers do can be added: [`Graph::seen`](crate::check::Graph::seen).
///
/// # Panics
///
/// If something is found, or the charm cannot be checked.
#[track_caller]
pub fn check(charm: &Charm, directory: impl AsRef<Path>) {
    match charm.graph(directory) {
        Ok(graph) if graph.findings().is_empty() => {}
        Ok(graph) => panic!("the check of the charm has findings:\n{}", graph.text()),
        Err(error) => panic!("the charm cannot be checked: {}", describe(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flags, handlers, when, when_not};

    #[when_not("app.installed")]
    fn install(flags: Flags) {
        flags.set("app.installed");
    }

    #[when("app.instaled")]
    fn greet() {}

    #[test]
    #[should_panic(expected = "did you mean `app.installed`?")]
    fn a_finding_fails_the_test_and_is_told() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("metadata.yaml"), "name: app\n").unwrap();
        check(&Charm::new().handlers(handlers![install, greet]), directory.path());
    }

    #[test]
    #[should_panic(expected = "the charm cannot be checked: cannot read")]
    fn a_charm_that_cannot_be_checked_fails_the_test_and_says_why() {
        check(&Charm::new().handlers(handlers![install]), "/nowhere");
    }
}
