//! The table of the migration guide has every public name of charms.reactive 1.5.3, and for each what it is here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

/// How the table of names begins.
const HEAD: &str = "| in charms.reactive | here |";

fn guide() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../zkpeer-core/src/docs/migration.md")).unwrap()
}

/// The rows of the table of names, a list of cells each.
fn rows(guide: &str) -> Vec<Vec<&str>> {
    let table = guide.lines().skip_while(|line| *line != HEAD).skip(2).take_while(|line| line.starts_with('|'));
    table.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// What stands in backticks.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The names that charms.reactive has, by looking at it.
fn public_names() -> BTreeSet<String> {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(tests::python::interpreter())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("takeover/names.py"))
        .env("CHARM_DIR", directory.path())
        .env("JUJU_CHARM_DIR", directory.path())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_public_name_of_charms_reactive_is_in_the_table_once() {
    let guide = guide();
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for row in rows(&guide) {
        names(row[0]).for_each(|name| *told.entry(name).or_default() += 1);
    }
    let public = public_names();
    assert!(public.len() > 250, "only {} names are found", public.len());
    let missing: Vec<&String> = public.iter().filter(|name| !told.contains_key(name.as_str())).collect();
    assert!(missing.is_empty(), "the table does not have {missing:?}");
    let twice: Vec<&&str> = told.iter().filter(|(_, times)| **times > 1).map(|(name, _)| name).collect();
    assert!(twice.is_empty(), "the table has twice {twice:?}");
    let strange: Vec<&&str> = told.keys().filter(|name| !public.contains(**name)).collect();
    assert!(strange.is_empty(), "charms.reactive does not have {strange:?}");
}

#[test]
fn the_table_says_of_each_name_what_it_is_here() {
    let guide = guide();
    for row in rows(&guide) {
        let [there, here] = row[..] else { panic!("not two cells: {row:?}") };
        let is_heading = there.contains("**") && names(there).next().is_none();
        assert!(is_heading || !here.is_empty(), "an empty cell beside {there}");
        assert!(is_heading || names(there).next().is_some(), "no name in {there}");
    }
}
