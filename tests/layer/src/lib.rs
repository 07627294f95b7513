//! A crate of handlers that no charm calls by name: they are found, or they are lost.

use zkpeer_core::{Flags, when_not};

#[when_not("layer.ready")]
fn prepare(flags: Flags) {
    flags.set("layer.ready");
}
