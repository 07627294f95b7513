//! What cargo-mutants has left alive is explained, one by one, and nothing is explained that is not alive.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may panic")]

mod outcomes;
mod result;
mod survivors;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use outcomes::Fate;

/// The directory of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The files whose mutants are tested.
fn files() -> BTreeSet<String> {
    let text = include_str!("files.txt");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn what_is_explained_is_a_mutation_of_a_function_that_exists() {
    let files = files();
    for mutation in survivors::read().keys() {
        assert!(files.contains(&mutation.file), "{mutation}: files.txt does not have this file");
        let text = fs::read_to_string(workspace().join(&mutation.file)).expect(&mutation.file);
        let function = mutation.function();
        assert!(text.contains(&format!("fn {function}")), "{mutation}: there is no function `{function}` any more");
    }
}

#[test]
fn every_file_exists_and_every_result_is_of_one_of_them() {
    let files = files();
    files.iter().for_each(|file| assert!(workspace().join(file).exists(), "{file}: there is no such file"));
    let known: BTreeSet<String> = result::read().into_keys().collect();
    assert!(known.is_subset(&files), "result.md is of other files than files.txt: run `tests/run mutants`");
}

/// For `tests/run mutants`, which names the directories that cargo-mutants has written.
#[test]
#[ignore = "needs a run of cargo-mutants"]
fn what_survives_is_explained() {
    let directories = std::env::var("ZKPEER_MUTANTS_OUT").expect("`tests/run mutants` sets ZKPEER_MUTANTS_OUT");
    let runs: Vec<outcomes::Run> = directories.split(':').map(|out| outcomes::read(Path::new(out))).collect();
    let fates: BTreeMap<_, _> = runs.iter().flat_map(|run| &run.fates).collect();
    let tested: BTreeSet<&str> = fates.keys().map(|mutation| mutation.file.as_str()).collect();

    let explained = survivors::read();
    let mut wrong = Vec::new();
    for (mutation, _) in fates.iter().filter(|(_, tested)| tested.fate == Fate::Missed) {
        if !explained.contains_key(*mutation) {
            wrong.push(format!("no test notices it: {mutation}"));
        }
    }
    for mutation in explained.keys().filter(|mutation| tested.contains(mutation.file.as_str())) {
        match fates.get(mutation) {
            None => wrong.push(format!("explained, but there is no such mutant any more: {mutation}")),
            Some(tested) if tested.fate != Fate::Missed => wrong.push(format!("explained, but noticed: {mutation}")),
            Some(_) => {}
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong; kill them with a test, or say in tests/mutants/survivors.txt why that is right:\n  {}",
        wrong.len(),
        wrong.join("\n  ")
    );
    runs.iter().for_each(|run| result::write(&workspace(), run));
}
