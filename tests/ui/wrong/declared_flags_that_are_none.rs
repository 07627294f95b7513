use zkpeer_core::{clears, reads, sets, when};

#[when("a")]
#[sets]
fn nothing() {}

#[when("a")]
#[clears("two words", 7)]
fn no_names() {}

#[reads("a", "a")]
fn twice() {}

#[sets("a")]
struct NoFunction;

fn main() {}
