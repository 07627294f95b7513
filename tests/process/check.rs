//! `check` on the program of each charm here: all are in order, or say why they are not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;
use tests::program;

const PROBE: [(&str, &str); 3] =
    [("metadata.yaml", tests::METADATA), ("config.yaml", tests::CONFIG), ("actions.yaml", tests::ACTIONS)];

fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// Checks the charm in this directory, as somebody would who is on the unit.
fn check(program: &Path, directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("JUJU_")) {
        command.env_remove(name);
    }
    command.current_dir(directory).arg("check").args(arguments).output().unwrap()
}

#[track_caller]
fn is_in_order(program: &Path, directory: &Path) {
    let Output { status, stdout, stderr } = check(program, directory, &[]);
    let (said, wrong) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success() && said.starts_with("no findings; handlers: "), "{}\n{said}{wrong}", program.display());
}

#[test]
fn every_charm_is_in_order() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let of = |name: &str| here.join(name);
    let examples = here.join("../examples");
    let programs: [(PathBuf, PathBuf); 7] = [
        (program("jobs", env!("CARGO_BIN_EXE_jobs")), of("languages/boss")),
        (program("jobs", env!("CARGO_BIN_EXE_jobs")), of("languages/crew")),
        (program("keeper", env!("CARGO_BIN_EXE_keeper")), of("takeover/charm")),
        (program("own", env!("CARGO_BIN_EXE_own")), directory(&PROBE[..1]).keep()),
        (program("web", env!("CARGO_BIN_EXE_web")), of("external/charm")),
        (program("client-charm", env!("CARGO_BIN_EXE_client-charm")), examples.join("client")),
        (program("zookeeper-charm", env!("CARGO_BIN_EXE_zookeeper-charm")), examples.join("zookeeper")),
    ];
    for (program, directory) in &programs {
        is_in_order(program, directory);
    }
    fs::remove_dir_all(&programs[3].1).unwrap();
    let others = directory(&PROBE);
    is_in_order(&crate::probe(), others.path());
    fs::remove_file(others.path().join("actions.yaml")).unwrap();
    for other in [crate::chain(), crate::layered()] {
        is_in_order(&other, others.path());
    }
    let clerk = tests::clerk::METADATA;
    let files =
        [("metadata.yaml", clerk), ("config.yaml", tests::clerk::CONFIG), ("actions.yaml", tests::clerk::ACTIONS)];
    is_in_order(&program("clerk", env!("CARGO_BIN_EXE_clerk")), directory(&files).path());
    let metadata = fs::read_to_string(of("stories/metadata.yaml")).unwrap();
    let actions = fs::read_to_string(examples.join("zookeeper/actions.yaml")).unwrap();
    let stories = directory(&[("metadata.yaml", &metadata), ("actions.yaml", &actions)]);
    is_in_order(&program("zookeeper-stories", env!("CARGO_BIN_EXE_zookeeper-stories")), stories.path());
}

#[test]
fn what_is_found_is_told_with_file_and_line_and_by_the_exit_code() {
    let charm = directory(&[("metadata.yaml", tests::METADATA), ("config.yaml", "options:\n  wrod: {type: string}\n")]);
    let Output { status, stdout, .. } = check(&crate::probe(), charm.path(), &[]);
    let said = String::from_utf8(stdout).unwrap();
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("tests/charms/probe.rs:"), "{said}");
    assert!(
        said.contains("unknown-option: the flag `config.changed.word`") && said.contains("did you mean `wrod`?"),
        "{said}"
    );
    assert!(said.contains("unknown-action: `echo`") && said.contains("\n2 findings; handlers: "), "{said}");
    assert!(said.contains("#[allow_finding(unknown_"), "{said}");
}

#[test]
fn what_is_found_is_one_object_for_programs() {
    let charm = directory(&PROBE[..1]);
    let Output { status, stdout, .. } =
        check(&crate::probe(), Path::new("/"), &[charm.path().to_str().unwrap(), "--format", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&stdout).unwrap();
    assert_eq!(status.code(), Some(1));
    let kinds: Vec<&str> =
        said["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["unknown-option", "unknown-action"]);
    let handlers = said["handlers"].as_array().unwrap();
    let install = handlers.iter().find(|handler| handler["handler"] == "probe::a_install").unwrap();
    assert_eq!(install["sets"], serde_json::json!(["probe.installed", "probe.pending"]));
    assert_eq!(install["all"], true);
}

#[test]
fn what_cannot_be_checked_says_why() {
    let wrong = |program: &Path, directory: &Path, part: &str| {
        let Output { status, stderr, stdout } = check(program, directory, &[]);
        let said = String::from_utf8(stderr).unwrap();
        assert!(status.code() == Some(1) && stdout.is_empty() && said.starts_with("error: "), "{said}");
        assert!(said.contains(part), "{said}");
    };
    let probe = directory(&PROBE);
    wrong(&crate::probe(), tempfile::tempdir().unwrap().path(), "cannot read ./metadata.yaml");
    wrong(&crate::probe(), directory(&[("metadata.yaml", "name: probe\npeers: [\n")]).path(), "line 2");
    wrong(&program("silent", env!("CARGO_BIN_EXE_silent")), probe.path(), "this charm has no handlers");
    wrong(&program("unlisted", env!("CARGO_BIN_EXE_unlisted")), probe.path(), "not all are listed");
    let unfit = directory(&[("metadata.yaml", "name: own\n")]);
    wrong(&program("own", env!("CARGO_BIN_EXE_own")), unfit.path(), "has no endpoint of the interface `friends`");
    let Output { status, stderr, .. } = check(&crate::probe(), probe.path(), &["--format", "xml"]);
    assert_eq!(status.code(), Some(2));
    assert!(String::from_utf8(stderr).unwrap().starts_with("error: `xml` is no format"));
}

#[test]
fn in_a_hook_it_is_no_check() {
    let mut command = Command::new(crate::probe());
    let hook =
        command.arg("check").env("JUJU_UNIT_NAME", "probe/0").env_remove("JUJU_CHARM_DIR").env_remove("CHARM_DIR");
    let Output { status, stdout, stderr } = hook.output().unwrap();
    assert!(status.code() == Some(1) && stdout.is_empty());
    assert!(String::from_utf8(stderr).unwrap().contains("JUJU_CHARM_DIR"));
}
