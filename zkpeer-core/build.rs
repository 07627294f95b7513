//! Compiles the hook-command program that the simulated unit agent carries within itself (feature `testing`).

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

const SOURCE: &str = "hook-command/main.rs";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_TESTING").is_none() {
        return Ok(());
    }
    let output = env::var("OUT_DIR")? + "/hook-command";
    // A static program starts in half the time; where the static C library is missing, a dynamic one does as well.
    let target = env::var("TARGET")?;
    if target.contains("linux-gnu") && compile(&target, &output, true)? {
        return Ok(());
    }
    if compile(&target, &output, false)? {
        return Ok(());
    }
    Err(format!("rustc could not compile {SOURCE}, the program behind the simulated hook commands").into())
}

fn compile(target: &str, output: &str, fixed: bool) -> Result<bool, Box<dyn Error>> {
    let mut rustc = Command::new(env::var_os("RUSTC").ok_or("cargo did not set RUSTC")?);
    rustc.args(["--edition=2024", "--crate-name=hook_command", "--crate-type=bin", "--target", target]);
    if let Ok(flags) = env::var("CARGO_ENCODED_RUSTFLAGS") {
        rustc.args(flags.split('\u{1f}').filter(|flag| !flag.is_empty()));
    }
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        let mut option = OsString::from("linker=");
        option.push(linker);
        rustc.arg("-C").arg(option);
    }
    rustc.args(["-C", "opt-level=s", "-C", "panic=abort", "-C", "strip=symbols"]);
    if fixed {
        rustc.args(["-C", "target-feature=+crt-static"]);
    }
    let made = rustc.arg("-o").arg(output).arg(Path::new(SOURCE)).output()?;
    if !made.status.success() && !fixed {
        eprintln!("{}", String::from_utf8_lossy(&made.stderr));
    }
    Ok(made.status.success())
}
