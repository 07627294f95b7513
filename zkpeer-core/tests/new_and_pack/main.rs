//! `cargo zkpeer new` and `cargo zkpeer pack` as their users meet them. Nothing is downloaded.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use zip::ZipArchive;

const METADATA: &str = "name: small\nsummary: s\ndescription: d\n";
const PACKAGE: &str = "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
/// It starts with the variables of Juju only.
const PROGRAM: &str = "fn main() { assert!(std::env::var_os(\"JUJU_UNIT_NAME\").is_some()) }\n";

/// A charm of one program that depends on nothing.
fn small() -> TempDir {
    let charm = tempfile::tempdir().unwrap();
    write(charm.path(), "metadata.yaml", METADATA);
    write(
        charm.path(),
        "manifest.yaml",
        &format!("bases: [{{name: ubuntu, channel: '24.04', architectures: [{}]}}]", arch()),
    );
    write(charm.path(), "Cargo.toml", PACKAGE);
    write(charm.path(), "src/main.rs", PROGRAM);
    charm
}

fn arch() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn zkpeer(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
    command.current_dir(directory).env("CARGO_NET_OFFLINE", "true").env_remove("RUSTFLAGS");
    command
        .env_remove("CARGO_PKG_NAME")
        .env("CARGO_TARGET_DIR", directory.join("target"))
        .arg("zkpeer")
        .args(arguments);
    command
}

#[track_caller]
fn succeeded(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

/// What the program says of its failure.
#[track_caller]
fn failed(command: &mut Command) -> String {
    let Output { status, stdout, stderr } = command.output().unwrap();
    assert!(status.code() == Some(1) && stdout.is_empty(), "{}", text(&stdout));
    text(&stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The names in an archive with their modes.
fn listed(archive: &Path) -> Vec<String> {
    let mut archive = ZipArchive::new(File::open(archive).unwrap()).unwrap();
    let indices = 0..archive.len();
    let mut line = |index| {
        let file = archive.by_index(index).unwrap();
        format!("{:o} {}", file.unix_mode().unwrap() & 0o777, file.name().unwrap())
    };
    indices.map(&mut line).collect()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Where the workspace builds; what a new charm depends on is there already.
fn shared_target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().to_owned()
}

#[test]
fn a_new_charm_passes_its_tests_and_is_played_as_it_is_and_from_its_archive() {
    let place = tempfile::tempdir().unwrap();
    let said = succeeded(&mut zkpeer(place.path(), &["new", "first-charm"]));
    let next = "\ncd first-charm\ncargo test\ncargo zkpeer check .\ncargo zkpeer simulate .\ncargo zkpeer pack .\n";
    assert!(said.starts_with("The charm first-charm is in first-charm") && said.ends_with(next), "{said}");
    let charm = place.path().join("first-charm");
    // The versions that this workspace is tested with, which are here.
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock"), charm.join("Cargo.lock")).unwrap();

    let sqlite = "profile.dev.package.libsqlite3-sys.opt-level=1";
    let mut test = Command::new(env!("CARGO"));
    test.current_dir(&charm).env("CARGO_TARGET_DIR", shared_target()).env_remove("RUSTFLAGS");
    let output = test.args(["test", "--offline", "--config", sqlite]).output().unwrap();
    let (tests, built) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && tests.contains("4 passed") && tests.contains("2 passed"), "{built}\n{tests}");
    assert!(!built.contains("warning"), "{built}");

    let here = |arguments: &[&str]| {
        let mut command = zkpeer(&charm, arguments);
        command.env("CARGO_TARGET_DIR", shared_target());
        // Quickly built; what is optimised otherwise does the same.
        for (setting, value) in [("OPT_LEVEL", "0"), ("LTO", "off"), ("CODEGEN_UNITS", "16")] {
            command.env(format!("CARGO_PROFILE_RELEASE_{setting}"), value);
        }
        succeeded(&mut command)
    };
    assert!(here(&["check", "."]).starts_with("no findings; handlers: "));
    let end = "first-charm/2          active  hello, also from first-charm/0, first-charm/1  ";
    let archive = format!("first-charm_{}.charm", arch());
    let said = here(&["pack", "."]);
    assert!(said.starts_with(&archive) && said.ends_with(&format!("\njuju deploy ./{archive}\n")), "{said}");
    let said = here(&["simulate", &archive, "--action", "greet"]);
    assert!(said.contains(end) && said.contains("  greeting: \"hello, world\"\n"), "{said}");
    let said = here(&["simulate", ".", "--release", "--units", "1", "--refresh", &archive]);
    assert!(said.contains("upgrade-charm"), "{said}");
}

#[test]
fn what_new_writes_is_formatted() {
    let files = ["src/main.rs", "tests/charm.rs"];
    for file in files.map(|file| Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cli/new").join(file)) {
        // From where no rustfmt.toml is found, as in a charm.
        let text = File::open(file).unwrap();
        let mut format = Command::new("rustfmt");
        format.args(["--check", "--edition", "2024"]).current_dir("/").stdin(text);
        let output = format.output().unwrap();
        assert!(output.status.success(), "{}", self::text(&output.stdout));
    }
}

#[test]
fn a_name_that_cannot_be_is_refused_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("Zoo", "`Zoo` is no name for a charm: it has to consist of lower-case letters and digits"),
        ("zk-2", "`zk-2` is no name for a charm"),
        ("in/zk_2", "`zk_2` is no name for a charm"),
        ("..", "..: has no name for a charm at its end"),
        ("zkpeer-core", "`zkpeer-core` is no name for a charm"),
        ("fn", "invalid package name `fn`: it is a Rust keyword"),
        ("in/a/juju", "`juju` is no good name for a charm, as Juju would refuse it: in/a/juju/metadata.yaml: line 7: "),
        ("y", "`y` is no good name for a charm, as Juju would refuse it: y/metadata.yaml: line 1: `name` must be text"),
    ] {
        let error = failed(&mut zkpeer(place.path(), &["new", name]));
        assert!(error.starts_with(&format!("error: {words}")), "{error}");
        assert!(names(place.path()).is_empty(), "{name}");
    }
    fs::create_dir(place.path().join("juju")).unwrap();
    failed(&mut zkpeer(place.path(), &["new", "juju"]));
    assert!(names(&place.path().join("juju")).is_empty());
}

#[test]
fn what_is_there_already_stays_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "full/kept", "");
    write(place.path(), "file", "");
    fs::create_dir(place.path().join("empty")).unwrap();
    let error = failed(&mut zkpeer(place.path(), &["new", "full"]));
    assert_eq!(error, "error: full: is there already, and not empty; choose another name\n");
    assert_eq!(names(&place.path().join("full")), ["kept"]);
    let error = failed(&mut zkpeer(place.path(), &["new", "file"]));
    assert_eq!(error, "error: file: is there already; choose another name\n");
    succeeded(&mut zkpeer(place.path(), &["new", "empty"]));
    let written = names(&place.path().join("empty"));
    assert!(written.contains(&".gitignore".to_owned()) && written.contains(&"Cargo.toml".to_owned()), "{written:?}");
    let error = failed(&mut zkpeer(place.path(), &["new", "other", "--path", "full"]));
    assert_eq!(error, "error: full: is no clone of zkpeer: there is no zkpeer-core in it\n");
}

#[test]
fn a_new_charm_has_a_workspace_of_its_own_only_where_it_needs_one() {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), "Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"charms/*\"]\n");
    let clone = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let new = |name: &str| succeeded(&mut zkpeer(place.path(), &["new", name, "--path", clone]));
    let manifest = |name: &str| fs::read_to_string(place.path().join(name).join("Cargo.toml")).unwrap();
    new("alone");
    assert!(manifest("alone").contains("\n[workspace]\n") && manifest("alone").contains("[profile.release]"));
    let mut within = zkpeer(place.path(), &["new", "within", "--path", clone]);
    let said = succeeded(within.env("CARGO_PKG_NAME", "zkpeer-core"));
    assert!(said.contains("\nFor `cargo zkpeer` outside the clone: cargo install --path "), "{said}");
    assert!(new("charms/member").contains("a member of the workspace above it"));
    assert!(!manifest("charms/member").contains("[workspace]") && !manifest("charms/member").contains("[profile"));
    for name in ["alone", "charms/member"] {
        let mut metadata = Command::new(env!("CARGO"));
        metadata.args(["metadata", "--no-deps", "--format-version=1"]).current_dir(place.path().join(name));
        let output = metadata.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
    }
}

#[test]
fn c11_the_archive_has_the_program_and_what_juju_reads_and_nothing_else() {
    let charm = small();
    let files = [
        "config.yaml",
        "actions.yaml",
        "layer.yaml",
        "README.md",
        "LICENSE-MIT",
        "icon.svg",
        "story.yaml",
        "notes.txt",
    ];
    for file in files {
        write(charm.path(), file, if file == "config.yaml" { "options: {}\n" } else { "{}\n" });
    }
    write(charm.path(), "hooks/install", "");
    symlink("README.md", charm.path().join("LICENSE")).unwrap();
    let said = succeeded(&mut zkpeer(charm.path(), &["pack", "."]));
    let archive = charm.path().join(format!("small_{}.charm", arch()));
    let expected = [
        "644 LICENSE",
        "644 LICENSE-MIT",
        "644 README.md",
        "644 actions.yaml",
        "644 config.yaml",
        "755 dispatch",
        "644 icon.svg",
        "644 layer.yaml",
        "644 manifest.yaml",
        "644 metadata.yaml",
    ];
    assert_eq!(listed(&archive), expected);
    assert!(said.contains("  dispatch\n") && said.contains("    3 B  README.md\n"), "{said}");
    assert_eq!(fs::metadata(&archive).unwrap().permissions().mode() & 0o444, 0o444);
    assert!(names(charm.path()).iter().all(|name| !name.starts_with(".zkpeer")));

    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("again.charm");
    let said = succeeded(&mut zkpeer(charm.path(), &["pack", ".", "--output", path.to_str().unwrap()]));
    assert!(said.ends_with(&format!("\njuju deploy {}\n", path.display())), "{said}");
    assert_eq!(fs::read(&path).unwrap(), fs::read(&archive).unwrap(), "the same files make the same archive");
    let played = succeeded(&mut zkpeer(other.path(), &["simulate", "again.charm"]));
    assert!(played.contains("\nsmall/0   config-changed "), "{played}");
}

#[test]
fn flags_of_the_users_for_the_compiler_stay() {
    let charm = small();
    let marked = "#[cfg(not(all(by_environment, target_feature = \"crt-static\")))]\ncompile_error!(\"lost\");\n";
    write(charm.path(), "src/main.rs", &format!("{marked}{PROGRAM}"));
    succeeded(zkpeer(charm.path(), &["pack", "."]).env("RUSTFLAGS", "--cfg by_environment"));
    write(charm.path(), "src/main.rs", &format!("{}{PROGRAM}", marked.replace("by_environment", "by_configuration")));
    write(charm.path(), ".cargo/config.toml", "[build]\nrustflags = [\"--cfg\", \"by_configuration\"]\n");
    // From elsewhere: the charm's own configuration is what counts.
    let other = tempfile::tempdir().unwrap();
    succeeded(&mut zkpeer(other.path(), &["pack", charm.path().to_str().unwrap()]));
}

#[test]
fn a_program_with_its_symbols_is_packed_with_a_hint() {
    let charm = small();
    let output = zkpeer(charm.path(), &["pack", "."]).output().unwrap();
    let hint = text(&output.stderr);
    assert!(output.status.success() && hint.contains("hint: the program has its symbols in it"), "{hint}");
    write(charm.path(), "Cargo.toml", &format!("{PACKAGE}[profile.release]\nstrip = true\n"));
    let output = zkpeer(charm.path(), &["pack", "."]).output().unwrap();
    assert!(output.status.success() && !text(&output.stderr).contains("hint"), "{}", text(&output.stderr));
}

#[test]
fn what_is_meant_to_be_a_handler_and_is_none_is_told() {
    let charm = small();
    write(charm.path(), "reactive/web.sh", "#!/bin/bash\nsource charms.reactive.sh\n");
    let warning = "warning: ./reactive/web.sh: not-executable: it is a script and cannot be executed";
    let target = charm.path().join("a.charm");
    let output = zkpeer(charm.path(), &["pack", ".", "--output"]).arg(&target).output().unwrap();
    assert!(output.status.success() && text(&output.stderr).contains(warning), "{}", text(&output.stderr));
    let said = text(&zkpeer(charm.path(), &["simulate", "."]).output().unwrap().stderr);
    assert!(said.contains(warning), "{said}");
    let script = charm.path().join("reactive/web.sh");
    write(charm.path(), "reactive/web.sh", "#!/bin/bash\nsource charms.reactive.sh\n@whn x\nfunction f() {\n:\n}\n");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    let said = text(&zkpeer(charm.path(), &["simulate", "."]).output().unwrap().stderr);
    let warning = "warning: ./reactive/web.sh:3: unknown-decorator: `@whn` is no condition";
    assert!(said.contains(warning) && said.contains("did you mean `@when`?"), "{said}");
}

#[test]
fn what_cannot_be_checked_says_why() {
    let charm = small();
    let check = || failed(zkpeer(charm.path(), &["check"]).arg("."));
    let error = check();
    assert!(error.contains("error: .: its program has not checked it: "), "{error}");
    write(charm.path(), "src/main.rs", "fn main() { nonsense }\n");
    assert!(check().contains("the charm does not build"));
    write(charm.path(), "metadata.yaml", "name: small\npeers: [\n");
    let error = check();
    assert!(error.contains("./metadata.yaml: line "), "{error}");
    write(charm.path(), "metadata.yaml", METADATA);
    fs::remove_file(charm.path().join("Cargo.toml")).unwrap();
    assert_eq!(check(), "error: .: has no Cargo.toml; only charms that are Rust packages are checked\n");
}

#[test]
fn what_cannot_be_packed_is_refused_before_it_is_built() {
    let charm = small();
    let path = |name: &str| charm.path().join(name);
    let pack = |arguments: &[&str]| failed(zkpeer(charm.path(), &["pack"]).args(arguments));
    for output in [".", "/dev/null"] {
        let error = pack(&[".", "--output", output]);
        assert_eq!(error, format!("error: {output}: is there and no file; --output takes the file to write\n"));
    }
    let error = pack(&[".", "--output", "nowhere/a.charm"]);
    assert!(error.starts_with("error: no archive can be written to nowhere: "), "{error}");

    write(charm.path(), "config.yaml", "options:\n  port: {type: number}\n");
    let error = pack(&["."]);
    assert!(error.starts_with("error: ./config.yaml: line 2: "), "as strictly as Juju: {error}");
    fs::remove_file(path("config.yaml")).unwrap();

    fs::rename(path("manifest.yaml"), path("kept")).unwrap();
    let error = pack(&["."]);
    assert!(error.starts_with("error: ./manifest.yaml: is missing; ") && error.contains("\nbases:\n"), "{error}");
    fs::rename(path("kept"), path("manifest.yaml")).unwrap();

    fs::rename(path("Cargo.toml"), path("kept")).unwrap();
    assert_eq!(pack(&["."]), "error: .: has no Cargo.toml; only charms that are Rust packages are packed\n");
    fs::rename(path("kept"), path("Cargo.toml")).unwrap();

    assert_eq!(pack(&["nowhere"]), "error: nowhere: there is no such directory; give the directory of a charm\n");
    assert!(!path("target").exists(), "nothing was built");
}

#[test]
fn a_charm_that_does_not_build_or_is_for_another_machine_makes_no_archive() {
    let charm = small();
    let pack = || failed(&mut zkpeer(charm.path(), &["pack", "."]));
    write(charm.path(), "src/main.rs", "fn main() { nonsense }\n");
    let error = pack();
    assert!(error.contains("cannot find value `nonsense`"), "cargo's own words: {error}");
    assert!(error.contains("error: .: the charm does not build; cargo's messages are above\n"), "{error}");

    write(charm.path(), "src/main.rs", PROGRAM);
    write(charm.path(), "src/bin/other.rs", PROGRAM);
    let error = pack();
    assert!(error.contains("the package has several binaries (other, small)"), "{error}");
    fs::remove_dir_all(charm.path().join("src/bin")).unwrap();
    write(charm.path(), "Cargo.toml", "[workspace]\n");
    assert!(pack().contains("is a workspace and no package"));
    write(charm.path(), "Cargo.toml", PACKAGE);

    write(charm.path(), "manifest.yaml", "bases: [{name: ubuntu, channel: '24.04', architectures: [s390x]}]");
    let error = pack();
    assert!(error.contains(&format!("./manifest.yaml: names s390x, and the program is for {}", arch())), "{error}");
    assert!(names(charm.path()).iter().all(|name| !name.ends_with(".charm")));
}

#[test]
fn what_is_no_archive_is_not_played() {
    let charm = small();
    let error = failed(&mut zkpeer(charm.path(), &["simulate", "metadata.yaml"]));
    assert!(error.starts_with("error: metadata.yaml: neither a directory nor a charm's archive: "), "{error}");
}
