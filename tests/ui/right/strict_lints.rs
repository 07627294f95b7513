//! Nothing that the attributes emit is touched by an author's lints.
#![forbid(unsafe_code, missing_docs, unreachable_pub, non_snake_case, missing_debug_implementations)]
#![deny(
    warnings,
    dead_code,
    non_upper_case_globals,
    unused,
    unused_qualifications,
    unused_results,
    deprecated,
    clippy::pedantic
)]
#![deny(
    rust_2018_idioms,
    let_underscore_drop,
    trivial_casts,
    unused_lifetimes,
    single_use_lifetimes,
    variant_size_differences
)]

use zkpeer_core::{
    Flag, Flags, Result, flag, handlers, hook, not_unless, only_once, when, when_file_changed, when_not,
};

const INSTALLED: Flag = flag!("zookeeper.installed");

/// What handlers in a library look like.
pub mod layer {
    use zkpeer_core::{Flags, Result, when};

    /// A public handler in a public module.
    #[when("layer.ready")]
    pub fn serve(flags: Flags) -> Result {
        drop(flags);
        Ok(())
    }
}

mod private {
    #[zkpeer_core::when("private.ready")]
    pub(crate) fn serve() {}

    #[zkpeer_core::when("private.ready")]
    pub(super) fn stop() {}
}

#[when_not(INSTALLED)]
#[only_once(was = "reactive/zookeeper.py:12:install")]
fn install(mut flags: Flags, _: Flags, _again: Option<Flags>) -> Result {
    flags = Flags::clone(&flags);
    drop(flags);
    Ok(())
}

#[hook("config-changed")]
const fn configure() {}

#[when_file_changed("/etc/hosts")]
#[must_use]
fn hosts_changed() -> Result {
    Ok(())
}

/// Old, and still there for old stores.
#[when("old")]
#[deprecated]
fn old() {}

#[not_unless("zookeeper.installed")]
fn restart(_: Flags) -> Result {
    #![allow(unused_mut)]
    Ok(())
}

#[when("a.{endpoint_name}.b")]
#[not_unless(INSTALLED, "b")]
fn both(times: Option<Flags>, flags: Flags) -> Result<(), Box<dyn std::error::Error>> {
    drop(times);
    drop(flags);
    Ok(())
}

fn main() {
    let listed = handlers![install, configure, hosts_changed, old, both, layer::serve, private::serve, private::stop];
    assert_eq!(listed.len(), 8);
    let _ = restart;
}
