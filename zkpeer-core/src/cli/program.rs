//! The charm's program: built with cargo if the charm is a Rust package, otherwise the charm's own.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// For what a program is built.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose<'a> {
    /// To be tried here.
    Trial { release: bool },
    /// To be deployed: optimised, in one static file, for this target or the usual one.
    Archive { target: Option<&'a str> },
}

/// What cargo says of packages, as far as it is read.
#[derive(Deserialize)]
struct Packages {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Default, Deserialize)]
struct Target {
    #[serde(default)]
    name: String,
    #[serde(default)]
    kind: Vec<String>,
}

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

/// Builds the charm, if it has a Cargo.toml; cargo's progress is seen on standard error.
pub(crate) fn find(charm: &Path, release: bool) -> Result<Option<PathBuf>, String> {
    if charm.join("Cargo.toml").exists() {
        return build(charm, Purpose::Trial { release }).map(Some);
    }
    let own = charm.join("dispatch").exists() || charm.join("hooks").is_dir();
    let missing =
        format!("{}: has neither a Cargo.toml, nor a `dispatch`, nor `hooks`: nothing to run", charm.display());
    if own { Ok(None) } else { Err(missing) }
}

/// Builds a charm that has a Cargo.toml.
pub(crate) fn build(charm: &Path, purpose: Purpose<'_>) -> Result<PathBuf, String> {
    let manifest = charm.join("Cargo.toml");
    let manifest = manifest.canonicalize().map_err(|error| format!("{}: {error}", manifest.display()))?;
    let name = binary(&manifest)?;
    let mut build = cargo();
    // There is the configuration that is meant for it.
    build.current_dir(charm);
    build.arg(if matches!(purpose, Purpose::Archive { .. }) { "rustc" } else { "build" });
    build.args(["--message-format=json-render-diagnostics", "--bin", &name, "--manifest-path"]).arg(&manifest);
    if !matches!(purpose, Purpose::Trial { release: false }) {
        build.arg("--release");
    }
    if let Purpose::Archive { target } = purpose {
        build.args(target.into_iter().flat_map(|target| ["--target", target]));
        // Behind what RUSTFLAGS and cargo's configuration say, which stays, and for the program alone: what it is linked
        // of is the same, and is not built anew.
        build.args(["--", "-C", "target-feature=+crt-static"]);
    }
    let started = build.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|error| cannot_start(&build, &error))?;
    let mut program = None;
    for line in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
        let Ok(message) = serde_json::from_str::<Message>(&line) else { continue };
        let own = message.reason == "compiler-artifact" && message.manifest_path == manifest;
        if own && message.target.is_binary() && message.target.name == name {
            program = message.executable.or(program);
        }
    }
    let status = child.wait().map_err(|error| format!("cannot wait for cargo: {error}"))?;
    if !status.success() {
        return Err(format!("{}: the charm does not build; cargo's messages are above", charm.display()));
    }
    program.ok_or_else(|| format!("{}: cargo does not say where it has put the program `{name}`", manifest.display()))
}

impl Target {
    fn is_binary(&self) -> bool {
        self.kind.iter().any(|kind| kind == "bin")
    }
}

/// The name of the package's binary that is the charm: its only one, or `dispatch`.
fn binary(manifest: &Path) -> Result<String, String> {
    let mut ask = cargo();
    ask.args(["metadata", "--no-deps", "--format-version=1", "--manifest-path"]).arg(manifest);
    let answer = ask.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let answer = answer.map_err(|error| cannot_start(&ask, &error))?;
    if !answer.status.success() {
        return Err(format!("{}: cannot be read; cargo's message is above", manifest.display()));
    }
    let packages: Packages = serde_json::from_slice(&answer.stdout)
        .map_err(|error| format!("cannot understand what cargo says of {}: {error}", manifest.display()))?;
    let package = packages.packages.into_iter().find(|package| package.manifest_path == manifest);
    let package = package.ok_or_else(|| {
        format!("{}: is a workspace and no package; give the directory of one charm", manifest.display())
    })?;
    let mut names: Vec<String> =
        package.targets.into_iter().filter(Target::is_binary).map(|target| target.name).collect();
    match (names.as_slice(), names.iter().position(|name| name == "dispatch")) {
        ([], _) => Err(format!("{}: the package has no binary; a charm needs a src/main.rs", manifest.display())),
        (_, Some(at)) => Ok(names.swap_remove(at)),
        ([_], None) => Ok(names.swap_remove(0)),
        (_, None) => Err(format!(
            "{}: the package has several binaries ({}); name the charm's own one `dispatch`",
            manifest.display(),
            names.join(", ")
        )),
    }
}

/// Cargo, as the user would start it.
pub(crate) fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    // What `cargo run` has set for this program is not meant for the charm's build scripts.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| text.starts_with(prefix)) {
            cargo.env_remove(&name);
        }
    }
    cargo
}

pub(crate) fn cannot_start(command: &Command, error: &dyn std::fmt::Display) -> String {
    format!("cannot start {}: {error}", OsStr::display(command.get_program()))
}
