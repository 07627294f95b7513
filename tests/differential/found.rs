//! What the random cases have found, and stays found.

use crate::case::Case;
use crate::play::{Also, Tally, play};
use crate::show::as_test;
use crate::theirs::Theirs;

/// Both sides do the same in this case.
#[track_caller]
#[allow(dead_code, reason = "as long as nothing has been found")]
fn same(case: &str) {
    let case: Case = serde_json::from_str(case).unwrap();
    let also = Also { original: true, order: None };
    if let Some(parting) = play(&case, &mut Theirs::start(), also, &mut Tally::default()) {
        panic!("{}", as_test(&case, &parting));
    }
}
