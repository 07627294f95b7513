//! The charm's program: built with cargo if the charm is a Rust package, otherwise the charm's own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// The part of cargo's messages that is read.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    manifest_path: PathBuf,
    #[serde(default)]
    executable: Option<PathBuf>,
    #[serde(default)]
    target: Target,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: Vec<String>,
}

/// Builds the charm, if it has a Cargo.toml; cargo's progress is seen on standard error.
pub(crate) fn find(charm: &Path, release: bool) -> Result<Option<PathBuf>, String> {
    let manifest = charm.join("Cargo.toml");
    if !manifest.exists() {
        let own = charm.join("dispatch").exists() || charm.join("hooks").is_dir();
        let missing =
            format!("{}: has neither a Cargo.toml, nor a `dispatch`, nor `hooks`: nothing to run", charm.display());
        return if own { Ok(None) } else { Err(missing) };
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(&cargo);
    build.args(["build", "--message-format=json-render-diagnostics", "--manifest-path"]).arg(&manifest);
    if release {
        build.arg("--release");
    }
    // What `cargo run` has set for this program is not meant for the charm's build scripts.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix)) {
            build.env_remove(&name);
        }
    }
    let started = build.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| format!("cannot start {}: {error}", cargo.display()))?;
    let manifest = manifest.canonicalize().map_err(|error| format!("{}: {error}", manifest.display()))?;
    let mut programs: Vec<(String, PathBuf)> = Vec::new();
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        if message.reason == "compiler-artifact"
            && message.target.kind.iter().any(|kind| kind == "bin")
            && message.manifest_path == manifest
            && let Some(executable) = message.executable
        {
            programs.push((message.target.name, executable));
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for cargo: {error}"))?;
    if !status.success() {
        return Err(format!("{}: the charm does not build; cargo's messages are above", charm.display()));
    }
    let names: Vec<String> = programs.iter().map(|(name, _)| name.clone()).collect();
    match (programs.len(), programs.into_iter().find(|(name, _)| name == "dispatch" || names.len() == 1)) {
        (_, Some((_, program))) => Ok(Some(program)),
        (0, None) => Err(format!("{}: the package has no binary; a charm needs a src/main.rs", manifest.display())),
        (_, None) => Err(format!(
            "{}: the package has several binaries ({}); name the charm's own one `dispatch`",
            manifest.display(),
            names.join(", ")
        )),
    }
}
