//! The attributes as the compiler sees them: what is accepted, and each message for what is not.
//!
//! `right/` compiles and runs; `wrong/` gives the messages beside it. After a change of a message, run with
//! `TRYBUILD=overwrite` and read the difference as an author would.

#[test]
fn attributes() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/right/*.rs");
    cases.compile_fail("ui/wrong/*.rs");
}
