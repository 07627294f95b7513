//! A case as a test that can be put into `found.rs`, and what a run has seen.

use std::fmt::Write as _;

use serde::Serialize;

use crate::case::Case;
use crate::play::{Parting, Tally};

/// The case as a test, and where its sides part.
pub(crate) fn as_test(case: &Case, parting: &Parting) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "They part in `{}` (event {}): {:?}\n{}\n",
        parting.hook, parting.event, parting.aspect, parting.what
    );
    let _ = writeln!(text, "#[test]\nfn say_what_it_is_about() {{\n    same(\n        r##\"{{");
    let part = |text: &mut String, name: &str, items: Vec<String>, last: bool| {
        if items.is_empty() && !last {
            return;
        }
        let items: Vec<String> = items.into_iter().map(|item| format!("\n    {item}")).collect();
        let _ = writeln!(text, "  \"{name}\": [{}\n  ]{}", items.join(","), if last { "" } else { "," });
    };
    part(&mut text, "endpoints", lines(&case.endpoints), false);
    part(&mut text, "handlers", lines(&case.handlers), false);
    part(&mut text, "triggers", lines(&case.triggers), false);
    part(&mut text, "at_start", lines(&case.at_start), false);
    part(&mut text, "at_exit", lines(&case.at_exit), false);
    part(&mut text, "story", lines(&case.story), true);
    let _ = writeln!(text, "}}\"##,\n    );\n}}");
    text
}

fn lines<T: Serialize>(items: &[T]) -> Vec<String> {
    items.iter().map(|item| serde_json::to_string(item).unwrap()).collect()
}

/// What has been compared, and how often each numbered difference was used.
pub(crate) fn summary(tally: &Tally) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "differential: {} cases, {} hooks, {} calls of handlers, {} hooks failed on both sides",
        tally.cases, tally.hooks, tally.calls, tally.failed
    );
    let _ = writeln!(
        text,
        "number  hooks in which it was used; of so many that the original ran, it came to another end in"
    );
    for (number, uses) in &tally.numbers {
        let _ = writeln!(text, "{number:<7} {:>7} {:>10} {:>7}", uses.hooks, uses.compared, uses.mattered);
    }
    let _ = writeln!(
        text,
        "the original ran {} hooks, and did something else in {}, always where a number was used",
        tally.originals.0, tally.originals.1
    );
    let _ = writeln!(
        text,
        "D1: {} hooks were run in another order, too; {} ended otherwise",
        tally.orders.0, tally.orders.1
    );
    text
}
