//! `testing::Unit` as the author of a charm meets it: a state, an event, what came of it, and what is refused.

mod impossible;
mod result;
mod story;

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// A charm with an endpoint for peers, and one for something else.
const METADATA: &str =
    "name: shop\nsummary: s\ndescription: d\nrequires:\n  db: {interface: sql}\npeers:\n  staff: {interface: staff}\n";

thread_local! {
    /// The file in which this thread has panicked last.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// What an assertion says that does not hold. It says so at the test's own line.
fn said<T>(assertion: impl FnOnce() -> T) -> String {
    static NOTE_PLACES: Once = Once::new();
    NOTE_PLACES.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            PLACE.set(panic.location().map(|place| place.file().to_owned()).unwrap_or_default());
            before(panic);
        }));
    });
    match catch_unwind(AssertUnwindSafe(assertion)).map(drop) {
        Ok(()) => panic!("it holds"),
        Err(panic) => {
            let place = PLACE.take();
            assert!(place.ends_with(".rs") && place.contains("tests/unit/"), "it panics at {place}");
            *panic.downcast::<String>().unwrap_or_default()
        }
    }
}
