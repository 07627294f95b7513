use zkpeer_core::hook as on;
use zkpeer_core::when_not as unless;
use zkpeer_core::{handlers, when};

#[when("a")]
#[unless("b")]
fn two_handlers() {}

#[when("a")]
#[cfg_attr(all(), unless("b"))]
fn two_handlers_under_cfg() {}

#[when("a")]
#[on("install")]
fn never_matches() {}

fn main() {
    let _ = handlers![two_handlers, two_handlers_under_cfg, never_matches];
}
