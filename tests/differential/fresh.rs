//! A hook that runs in the process of many others is the same hook as in a process of its own.

use crate::generate;
use crate::play::{Also, Tally, play};
use crate::theirs::Theirs;

/// How many hooks are run again in a process of their own.
const SAMPLE: usize = 20;
/// How many cases are played before.
const CASES: u64 = 30;

#[test]
fn a_hook_among_many_is_the_same_as_in_a_process_of_its_own() {
    let mut theirs = Theirs::start();
    theirs.noted = Some(Vec::new());
    for seed in 0..CASES {
        let also = Also { original: true, order: None };
        let parting = play(&generate::case(seed), &mut theirs, also, &mut Tally::default());
        assert!(parting.is_none(), "{parting:?}");
    }
    let noted = theirs.noted.take().unwrap();
    let every = noted.len() / SAMPLE;
    for (request, answer) in noted.iter().skip(every / 2).step_by(every).take(SAMPLE) {
        assert_eq!(Theirs::start().ask(request), *answer, "{request}");
    }
}
