use zkpeer_core::{Flag, flag, not_unless, when, when_all, when_any, when_none, when_not, when_not_all};

const NOT_A_FLAG: &str = "a";

#[when]
fn no_parentheses() {}

#[when()]
#[when_all()]
#[when_any()]
#[when_not]
#[when_none()]
#[when_not_all()]
fn empty() {}

#[when(1, b"bytes", "a"suffix, concat!("a", "b"), "a" "b", ?, x = "a")]
fn neither_text_nor_constant() {}

#[when(, "a",, "b")]
fn commas() {}

#[not_unless]
fn guarded(_: zkpeer_core::Flags) -> zkpeer_core::Result {
    Ok(())
}

#[when("a")]
#[when_not = "b"]
fn equals() {}

const NO_TEXT: Flag = flag!();
const TWO_TEXTS: Flag = flag!("a", "b");
const NO_LITERAL: Flag = flag!(NOT_A_FLAG);

fn main() {
    let _ = (NO_TEXT, TWO_TEXTS, NO_LITERAL, guarded);
}
