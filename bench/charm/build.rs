//! Writes the 99 handlers of the chain, as an author would write each of them.

use std::error::Error;
use std::fmt::Write;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let mut text = String::new();
    for link in 0..99 {
        let next = link + 1;
        write!(
            text,
            "#[when(\"chain.{link}\")]\n#[when_not(\"chain.{next}\")]\n\
             fn link_{link}(flags: Flags) {{\n    flags.set(\"chain.{next}\");\n}}\n\n"
        )?;
    }
    std::fs::write(std::env::var("OUT_DIR")? + "/links.rs", text)?;
    Ok(())
}
