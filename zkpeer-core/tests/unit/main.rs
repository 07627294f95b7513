//! `testing::Unit` as the author of a charm meets it: a state, an event, what came of it, and what is refused.

mod impossible;
mod result;
mod story;

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What an assertion says that does not hold.
fn said<T>(assertion: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(assertion)).map(drop) {
        Ok(()) => panic!("it holds"),
        Err(panic) => *panic.downcast::<String>().unwrap_or_default(),
    }
}
