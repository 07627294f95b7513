//! `cargo zkpeer new`: a charm to begin with, which builds, passes its tests and can be simulated at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use clap::Args;
use zkpeer_core::juju::UnitName;

use crate::program::{cannot_start, cargo};
use crate::trial;

/// What is made, and where.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The directory to make; its last part is the charm's name
    name: PathBuf,
    /// The clone of zkpeer that the charm depends on [default: the one from which this program was built, if it is still
    /// there, as zkpeer is not on crates.io yet; otherwise the version of this program]
    #[arg(long, value_name = "DIRECTORY")]
    path: Option<PathBuf>,
}

/// The name in the files below, which are those of a charm that could be.
const NAME: &str = "my-charm";
/// In Cargo.toml, where zkpeer-core comes from.
const SOURCE: &str = "SOURCE";
/// In manifest.yaml, the machine.
const MACHINE: &str = "amd64";

/// All but Cargo.toml.
const FILES: [(&str, &str); 11] = [
    ("src/main.rs", include_str!("new/src/main.rs")),
    ("tests/charm.rs", include_str!("new/tests/charm.rs")),
    ("metadata.yaml", include_str!("new/metadata.yaml")),
    ("config.yaml", include_str!("new/config.yaml")),
    ("actions.yaml", include_str!("new/actions.yaml")),
    ("manifest.yaml", include_str!("new/manifest.yaml")),
    ("story.yaml", include_str!("new/story.yaml")),
    ("README.md", include_str!("new/README.md")),
    (".gitignore", include_str!("new/gitignore")),
    (".cargo/config.toml", include_str!("new/cargo-config.toml")),
    ("Cargo.toml", include_str!("new/package.toml")),
];
/// What else is in Cargo.toml; cargo reads it only of a package that is in no other workspace.
const PROFILE: &str = include_str!("new/profile.toml");
/// So that it is in no other workspace than its own.
const OWN_WORKSPACE: &str =
    "\n# Of the workspace in a directory above this one, the charm is no member.\n[workspace]\n";

/// Makes the charm.
pub(crate) fn run(options: &Options) -> ExitCode {
    match make(options) {
        Ok(made) => {
            print!("{made}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What is told of it.
fn make(options: &Options) -> Result<String, String> {
    let directory = &options.name;
    let name = charm_name(directory)?;
    let source = source(options.path.as_deref())?;
    let place = directory.display();
    match fs::read_dir(directory).map(|mut entries| entries.next().is_none()) {
        Ok(true) => {}
        Ok(false) => return Err(format!("{place}: is there already, and not empty; choose another name")),
        Err(_) if fs::symlink_metadata(directory).is_ok() => {
            return Err(format!("{place}: is there already; choose another name"));
        }
        Err(_) => {}
    }
    let missing = directory.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists()).last();
    let filled = fill(directory, &name, &source).and_then(|workspace| {
        // Some names are special in YAML, or reserved where the charm's name is a part of others.
        let refused = |problem| format!("`{name}` is no good name for a charm, as Juju would refuse it: {problem}");
        trial::name(directory).map(|_| workspace).map_err(refused)
    });
    if filled.is_err() {
        remove(directory, missing);
    }
    Ok(told(directory, &name, filled?))
}

/// Removes what was made in a directory that was empty, or of which this was the first part that was missing.
fn remove(directory: &Path, missing: Option<&Path>) {
    let Some(missing) = missing else {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
        }
        return;
    };
    let _ = fs::remove_dir_all(missing);
}

/// The name that the directory gives to the charm.
fn charm_name(directory: &Path) -> Result<String, String> {
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| format!("{}: has no name for a charm at its end", directory.display()))?;
    // Charms are named as applications are (contract 11.1), by which their units are.
    if format!("{name}/0").parse::<UnitName>().is_err() {
        return Err(format!(
            "`{name}` is no name for a charm: it has to consist of lower-case letters and digits, to begin with a \
             letter, and may have parts joined by `-`, each with at least one letter"
        ));
    }
    if name == env!("CARGO_PKG_NAME") {
        return Err(format!("`{name}` is no name for a charm: it is that of the library that charms depend on"));
    }
    package_name(&name)?;
    Ok(name)
}

/// Lets cargo judge the name as one of a package and of a program.
fn package_name(name: &str) -> Result<(), String> {
    let directory = tempfile::tempdir().map_err(|error| format!("cannot make a temporary directory: {error}"))?;
    let mut new = cargo();
    new.args(["new", "--quiet", "--vcs=none", "--name", name]).arg(directory.path().join("charm"));
    let done = new.stdin(Stdio::null()).output().map_err(|error| cannot_start(&new, &error))?;
    if done.status.success() {
        return Ok(());
    }
    let problem = String::from_utf8_lossy(&done.stderr);
    Err(problem.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned())
}

/// The key of the dependency on zkpeer-core: a path, or a version.
fn source(path: Option<&Path>) -> Result<String, String> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = match path {
        Some(path) => {
            let places = [path.join("zkpeer-core"), path.to_owned()];
            let found = places.into_iter().find(|place| place.join("src/dispatch.rs").exists());
            found.ok_or_else(|| format!("{}: is no clone of zkpeer: there is no zkpeer-core in it", path.display()))?
        }
        // In a clone, and not where cargo unpacks what it has downloaded, the macros are beside it.
        None if own.with_file_name("zkpeer-macros").join("Cargo.toml").exists() => own.to_owned(),
        None => return Ok(format!("version = \"{}\"", env!("CARGO_PKG_VERSION"))),
    };
    let library = library.canonicalize().map_err(|error| format!("{}: {error}", library.display()))?;
    let library = library.to_str().ok_or_else(|| format!("{}: is no UTF-8", library.display()))?;
    // A string in JSON is one in TOML.
    Ok(format!("path = {}", serde_json::Value::from(library)))
}

/// Whose member a package is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Workspace {
    None,
    Own,
    Other,
}

/// Writes all files.
fn fill(directory: &Path, name: &str, source: &str) -> Result<Workspace, String> {
    for (file, text) in FILES {
        let text = match file {
            "Cargo.toml" => text.replace(SOURCE, source),
            "manifest.yaml" => text.replace(MACHINE, architecture()),
            _ => text.to_owned(),
        };
        write(&directory.join(file), &text.replace(NAME, name))?;
    }
    let manifest = directory.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).map_err(|error| format!("{}: {error}", manifest.display()))?;
    if let Ok(root) = workspace(&manifest) {
        if root != manifest.canonicalize().ok() {
            return Ok(Workspace::Other);
        }
        write(&manifest, &(text + PROFILE))?;
        return Ok(Workspace::None);
    }
    write(&manifest, &(text + PROFILE + OWN_WORKSPACE))?;
    workspace(&manifest).map(|_| Workspace::Own)
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let made = path.parent().map_or(Ok(()), fs::create_dir_all);
    made.and_then(|()| fs::write(path, text)).map_err(|error| format!("{}: cannot be written: {error}", path.display()))
}

/// The Cargo.toml of the workspace that cargo finds for the package; an error if there is one that the package is no member
/// of.
fn workspace(manifest: &Path) -> Result<Option<PathBuf>, String> {
    let mut ask = cargo();
    ask.args(["locate-project", "--workspace", "--message-format=plain", "--manifest-path"]).arg(manifest);
    let answer = ask.stdin(Stdio::null()).output().map_err(|error| cannot_start(&ask, &error))?;
    if !answer.status.success() {
        return Err(String::from_utf8_lossy(&answer.stderr).trim().trim_start_matches("error: ").to_owned());
    }
    Ok(Path::new(String::from_utf8_lossy(&answer.stdout).trim()).canonicalize().ok())
}

/// Juju's name for this machine.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "aarch64" => "arm64",
        "powerpc64" => "ppc64el",
        "riscv64" => "riscv64",
        "s390x" => "s390x",
        _ => MACHINE,
    }
}

fn told(directory: &Path, name: &str, workspace: Workspace) -> String {
    let place = directory.display();
    let files = FILES.map(|(file, _)| file).join(", ");
    let mut text = format!("The charm {name} is in {place}; src/main.rs is where to begin.\nWritten: {files}\n");
    if workspace == Workspace::Other {
        text += "It is a member of the workspace above it, in whose Cargo.toml the release profile belongs.\n";
    }
    // Cargo has started this program as one of a package, not as a subcommand: that works in the clone only.
    if std::env::var_os("CARGO_PKG_NAME").is_some_and(|package| package == env!("CARGO_PKG_NAME")) {
        let library = env!("CARGO_MANIFEST_DIR");
        text += &format!("For `cargo zkpeer` outside the clone: cargo install --path {library} --features cli\n");
    }
    text + &format!("\ncd {place}\ncargo test\ncargo zkpeer check .\ncargo zkpeer simulate .\ncargo zkpeer pack .\n")
}
