//! The list of interface crates: linked, in order, without a warning.
#![deny(warnings)]

use zkpeer_core::__private::{Registration, inventory};

zkpeer_core::interfaces![tempfile, serde_json,];

/// A module of a crate's name is not in the way.
mod tempfile {}

fn main() {
    let lists: Vec<(&str, &[&str])> = inventory::iter::<Registration>()
        .filter_map(|registration| match registration {
            Registration::Interfaces { package, crates } => Some((*package, *crates)),
            Registration::Handler(_) | Registration::Function(_) => None,
        })
        .collect();
    assert_eq!(lists, [(env!("CARGO_PKG_NAME"), ["tempfile", "serde_json"].as_slice())]);
}
