//! The parts of a hook of zookeeper's, each with those before it: `parts nothing`, `parts metadata`, `parts store`, `parts hook`.

use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use zkpeer_core::metadata::Metadata;
use zkpeer_core::store::{Options, Store};

fn main() -> ExitCode {
    let part = std::env::args().nth(1).unwrap_or_default();
    if part == "hook" {
        return zookeeper::charm().main();
    }
    match up_to(&part) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{part}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn up_to(part: &str) -> Result<(), Box<dyn Error>> {
    if part == "nothing" {
        return Ok(());
    }
    let metadata = Metadata::read(Path::new("."))?;
    if part == "metadata" && metadata.name == "zookeeper" {
        return Ok(());
    }
    let store = Store::open(".unit-state.db", &Options::default())?;
    if part == "store" && store.range("").count() == 100 {
        return Ok(());
    }
    Err("no such part, or not the charm directory of the benchmark".into())
}
