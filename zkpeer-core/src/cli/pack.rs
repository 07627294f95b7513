//! `cargo zkpeer pack`: a Rust charm as the archive that `juju deploy` takes.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Deserialize;
use tempfile::NamedTempFile;

use crate::archive::{self, Entry};
use crate::check;
use crate::elf;
use crate::program::{self, Purpose};
use crate::trial;

/// What to pack, and where to.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub(crate) struct Options {
    /// The charm: a directory with a Cargo.toml, a metadata.yaml and a manifest.yaml
    charm: PathBuf,
    /// Where the archive is written [default: NAME_ARCHITECTURE.charm in the working directory]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Build for this target of Rust's instead of this machine's own
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
}

const HELP: &str = "\
The program is built with the profile `release` and linked into one static file, which becomes `dispatch`. Beside it are
metadata.yaml and manifest.yaml, and if the charm has them, config.yaml, actions.yaml, layer.yaml, lxd-profile.yaml,
metrics.yaml, icon.svg, README.md, LICENSE (also LICENSE-...), revision and version; and for handlers in other languages
all of reactive/, hooks/reactive/, hooks/relations/, templates/ and bin/ but Python. Nothing else: what the charm needs at run time is
compiled in, with `include_str!` or `include_bytes!`.

What Juju would refuse in these files is refused here. The same files and the same program make the same archive, byte
for byte. `cargo zkpeer simulate FILE.charm` plays it.";

/// What Juju reads or shows of a charm besides its program (contract 11), and what the program reads.
const FILES: [&str; 12] = [
    METADATA,
    MANIFEST,
    "LICENSE",
    "README.md",
    "actions.yaml",
    "config.yaml",
    "icon.svg",
    "layer.yaml",
    "lxd-profile.yaml",
    "metrics.yaml",
    "revision",
    "version",
];
const METADATA: &str = "metadata.yaml";
const MANIFEST: &str = "manifest.yaml";
/// Licences of several files, such as `LICENSE-MIT`.
const LICENCES: &str = "LICENSE-";

/// Where handlers in other languages are, and what they use.
const OF_HANDLERS: [&str; 5] = ["bin", "hooks/reactive", "hooks/relations", "reactive", "templates"];

const NO_MANIFEST: &str = "is missing; it says on which systems Juju may put the charm, and no charm is deployed \
without it. For Ubuntu 24.04, write:

bases:
  - name: ubuntu
    channel: \"24.04\"
    architectures: [amd64]
";

const PROFILE: &str = "\
hint: the program has its symbols in it, and may be three times as large as it needs to be. In the Cargo.toml of the
      charm, or of the workspace that it is in:

[profile.release]
opt-level = \"s\"
lto = \"fat\"
codegen-units = 1
strip = true
";

/// The part of manifest.yaml that is of interest, once the whole has been checked.
#[derive(Deserialize)]
struct Manifest {
    bases: Vec<Base>,
}

#[derive(Deserialize)]
struct Base {
    name: String,
    channel: String,
    #[serde(default)]
    architectures: Vec<String>,
}

/// Packs the charm.
pub(crate) fn run(options: &Options) -> ExitCode {
    match pack(options) {
        Ok(packed) => {
            print!("{packed}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What is told of the archive.
fn pack(options: &Options) -> Result<String, String> {
    let charm = &options.charm;
    // What is wrong with the charm's files, or with where the archive is to be, is said before minutes of building.
    let name = trial::name(charm)?;
    if !charm.join("Cargo.toml").exists() {
        let place = charm.display();
        return Err(format!("{place}: has no Cargo.toml; only charms that are Rust packages are packed"));
    }
    check::warn_of_scripts(charm);
    let mut entries = files(charm)?;
    // Nothing is left lying about if the build is interrupted.
    drop(begin(options.output.as_deref())?);

    let path = program::build(charm, Purpose::Archive { target: options.target.as_deref() })?;
    let content = fs::read(&path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    let elf = checked(&path, &content)?;
    restrict(&charm.join(MANIFEST), &mut entries, elf.architecture)?;
    entries.push(Entry { name: "dispatch".to_owned(), content, is_program: true });
    entries.sort_by(|one, other| one.name.cmp(&other.name));

    let file = options.output.clone().unwrap_or_else(|| PathBuf::from(format!("{name}_{}.charm", elf.architecture)));
    let failed = |error: &dyn std::fmt::Display| format!("{}: cannot be written: {error}", file.display());
    let output = begin(options.output.as_deref())?;
    archive::write(output.as_file(), &entries).map_err(|error| failed(&error))?;
    output.persist(&file).map_err(|error| failed(&error.error))?;
    let size = fs::metadata(&file).map_err(|error| failed(&error))?.len();
    if !elf.is_stripped {
        eprintln!("{PROFILE}");
    }
    Ok(told(&file, size, &entries))
}

/// The charm's files that go into the archive.
fn files(charm: &Path) -> Result<Vec<Entry>, String> {
    let mut names: Vec<String> = FILES.map(str::to_owned).into();
    let listed = fs::read_dir(charm).map_err(|error| format!("{}: cannot be read: {error}", charm.display()))?;
    let listed = listed.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.extend(listed.filter(|name| name.starts_with(LICENCES)));
    let mut entries = Vec::new();
    for name in names {
        let path = charm.join(&name);
        match fs::read(&path) {
            Ok(content) => entries.push(Entry { name, content, is_program: false }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && name == MANIFEST => {
                return Err(format!("{}: {NO_MANIFEST}", path.display()));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{}: cannot be read: {error}", path.display())),
        }
    }
    for directory in OF_HANDLERS {
        let found = files_below(charm, directory, &mut entries);
        found.map_err(|error| format!("{}: cannot be read: {error}", charm.join(directory).display()))?;
    }
    Ok(entries)
}

/// All files below a directory, if there is one, that are not Python's.
fn files_below(charm: &Path, directory: &str, entries: &mut Vec<Entry>) -> io::Result<()> {
    let listed = match fs::read_dir(charm.join(directory)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        listed => listed?,
    };
    for entry in listed {
        let entry = entry?;
        let name = format!("{directory}/{}", entry.file_name().to_string_lossy());
        let is_python = name.ends_with(".py") || name.ends_with("/__pycache__");
        if is_python {
            continue;
        }
        let found = fs::metadata(entry.path())?;
        if found.is_dir() {
            files_below(charm, &name, entries)?;
        } else {
            let is_program = found.permissions().mode() & 0o111 != 0;
            entries.push(Entry { name, content: fs::read(entry.path())?, is_program });
        }
    }
    Ok(())
}

/// The file that becomes the archive once all is well, in the directory where that will be.
fn begin(output: Option<&Path>) -> Result<NamedTempFile, String> {
    if let Some(path) = output.filter(|path| path.exists() && !path.is_file()) {
        return Err(format!("{}: is there and no file; --output takes the file to write", path.display()));
    }
    let parent = output.and_then(Path::parent).filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new();
    // As any file that a program makes: for all to read, unless the umask says otherwise.
    let file = file.prefix(".zkpeer-").suffix(".charm").permissions(fs::Permissions::from_mode(0o666));
    file.tempfile_in(parent).map_err(|error| format!("no archive can be written to {}: {error}", parent.display()))
}

/// Refuses a program that would not run on a bare machine.
fn checked(path: &Path, content: &[u8]) -> Result<elf::Program, String> {
    let place = path.display();
    let elf = elf::read(content).ok_or_else(|| {
        format!("{place}: is no Linux program for a machine that Juju knows (amd64, arm64, ppc64el, riscv64, s390x)")
    })?;
    if elf.is_static {
        return Ok(elf);
    }
    Err(format!(
        "{place}: is not static, and so may not start on the machine of a unit; a `-C target-feature=-crt-static` in \
         RUSTFLAGS or in cargo's configuration has to go, or --target has to name a target that can be linked statically"
    ))
}

/// The archive's manifest names no other architecture than the program's: on those it would not start.
fn restrict(path: &Path, entries: &mut [Entry], architecture: &str) -> Result<(), String> {
    let Some(entry) = entries.iter_mut().find(|entry| entry.name == MANIFEST) else { return Ok(()) };
    let wrong = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    let Manifest { bases } = serde_saphyr::from_slice(&entry.content).map_err(|error| wrong(&error))?;
    let architectures: Vec<&str> = bases.iter().flat_map(|base| &base.architectures).map(String::as_str).collect();
    if architectures.iter().all(|other| *other == architecture) && !architectures.is_empty() {
        return Ok(());
    }
    let fitting =
        |base: &&Base| base.architectures.is_empty() || base.architectures.iter().any(|it| it == architecture);
    let fitting: Vec<&Base> = bases.iter().filter(fitting).collect();
    if fitting.is_empty() {
        let named = if architectures.is_empty() { "no base".to_owned() } else { architectures.join(", ") };
        return Err(wrong(&format!(
            "names {named}, and the program is for {architecture}; write `architectures: [{architecture}]`, or choose \
             another --target"
        )));
    }
    let mut text = "bases:\n".to_owned();
    for Base { name, channel, .. } in fitting {
        let [name, channel] = [name, channel].map(|text| serde_json::Value::from(text.as_str()));
        // What JSON quotes, YAML reads.
        let _ = writeln!(text, "  - name: {name}\n    channel: {channel}\n    architectures: [{architecture}]");
    }
    entry.content = text.into_bytes();
    Ok(())
}

fn told(file: &Path, size: u64, entries: &[Entry]) -> String {
    let mut text = format!("{}  {}\n\n", file.display(), amount(size));
    for entry in entries {
        let _ = writeln!(text, "{:>8}  {}", amount(entry.content.len() as u64), entry.name);
    }
    // Without a slash, Juju would look for it on Charmhub.
    let here = if file.parent().is_some_and(|parent| parent.as_os_str().is_empty()) { "./" } else { "" };
    let _ = writeln!(text, "\njuju deploy {here}{}", file.display());
    text
}

fn amount(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn restricted(manifest: &str) -> Result<String, String> {
        let mut entries =
            [Entry { name: MANIFEST.to_owned(), content: manifest.as_bytes().to_vec(), is_program: false }];
        restrict(Path::new(MANIFEST), &mut entries, "amd64")?;
        let [entry] = entries;
        Ok(String::from_utf8(entry.content).unwrap())
    }

    #[test]
    fn c11_4_the_archive_names_no_architecture_on_which_the_program_would_not_start() {
        let fits = "# as it is\nbases: [{name: ubuntu, channel: '24.04', architectures: [amd64]}]\n";
        assert_eq!(restricted(fits).unwrap(), fits);
        let both = "bases: [{name: ubuntu, channel: '24.04', architectures: [amd64, arm64]}, \
                    {name: ubuntu, channel: '22.04', architectures: [arm64]}]";
        let only = "bases:\n  - name: \"ubuntu\"\n    channel: \"24.04\"\n    architectures: [amd64]\n";
        assert_eq!(restricted(both).unwrap(), only);
        assert_eq!(restricted("bases: [{name: ubuntu, channel: '24.04'}]").unwrap(), only);
        let error = restricted("bases: [{name: ubuntu, channel: '24.04', architectures: [arm64]}]").unwrap_err();
        assert!(error.starts_with("manifest.yaml: names arm64, and the program is for amd64"), "{error}");
    }

    #[test]
    fn handlers_in_other_languages_are_packed_with_what_they_use() {
        let charm = tempfile::tempdir().unwrap();
        for (name, mode) in [
            ("metadata.yaml", 0o644),
            ("manifest.yaml", 0o644),
            ("reactive/web.sh", 0o755),
            ("reactive/old.py", 0o755),
            ("reactive/__pycache__/old.pyc", 0o644),
            ("hooks/relations/db/requires", 0o755),
            ("templates/web.conf", 0o644),
            ("src/main.rs", 0o644),
        ] {
            let path = charm.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, name).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        let entries = files(charm.path()).unwrap();
        let mut packed: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.is_program)).collect();
        packed.sort();
        assert_eq!(
            packed,
            [
                ("hooks/relations/db/requires", true),
                ("manifest.yaml", false),
                ("metadata.yaml", false),
                ("reactive/web.sh", true),
                ("templates/web.conf", false),
            ]
        );
    }

    #[test]
    fn a_program_that_is_not_static_or_for_no_machine_of_jujus_is_refused() {
        let own = fs::read(std::env::current_exe().unwrap()).unwrap();
        let error = checked(Path::new("charm"), &own).unwrap_err();
        assert!(error.starts_with("charm: is not static"), "{error}");
        let error = checked(Path::new("charm"), b"#!/bin/sh\n").unwrap_err();
        assert!(error.starts_with("charm: is no Linux program"), "{error}");
    }

    #[test]
    fn amounts_are_for_people() {
        assert_eq!([999, 1_500, 3_751_488].map(amount), ["999 B", "1.5 kB", "3.8 MB"]);
    }

    #[test]
    fn what_is_deployed_is_told_with_a_slash() {
        assert!(told(Path::new("a.charm"), 1, &[]).ends_with("juju deploy ./a.charm\n"));
        assert!(told(Path::new("out/a.charm"), 1, &[]).ends_with("juju deploy out/a.charm\n"));
    }
}
