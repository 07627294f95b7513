//! The table of the last results, `result.md`: a row for each file, of the commit that it names.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::outcomes::{Fate, Run, Tested};

const FILE: &str = "tests/mutants/result.md";
const HEAD: &str =
    "| file | mutants | caught | do not end | do not build | explained | minutes | date | commit | with |";

/// The rows as they are written, by file.
pub(crate) fn read() -> BTreeMap<String, String> {
    rows(include_str!("result.md"))
}

fn rows(text: &str) -> BTreeMap<String, String> {
    let lines = text.lines().filter(|line| line.starts_with("| `"));
    lines.map(|line| (line.split('`').nth(1).unwrap().to_owned(), line.to_owned())).collect()
}

/// Puts the rows of a run into the place of older ones.
pub(crate) fn write(workspace: &Path, run: &Run) {
    let path = workspace.join(FILE);
    let mut rows = rows(&fs::read_to_string(&path).unwrap());
    let with = format!("cargo-mutants {}, rustc {}", run.version, rustc());
    let commit = std::env::var("ZKPEER_MUTANTS_COMMIT").expect("`tests/run mutants` sets ZKPEER_MUTANTS_COMMIT");
    let end = format!("{} | {commit} | {with}", run.date);
    let mut files: BTreeMap<&str, Vec<&Tested>> = BTreeMap::new();
    run.fates.iter().for_each(|(mutation, tested)| files.entry(&mutation.file).or_default().push(tested));
    for (file, tested) in files {
        let of = |fate| tested.iter().filter(|tested| tested.fate == fate).count();
        let (caught, endless) = (of(Fate::Caught), of(Fate::Timeout));
        let (unviable, explained) = (of(Fate::Unviable), of(Fate::Missed));
        let minutes = tested.iter().map(|tested| tested.seconds).sum::<f64>() / 60.0;
        let counts = format!("{} | {caught} | {endless} | {unviable} | {explained}", tested.len());
        rows.insert(file.to_owned(), format!("| `{file}` | {counts} | {minutes:.1} | {end} |"));
    }
    fs::write(path, page(&rows)).unwrap();
}

fn page(rows: &BTreeMap<String, String>) -> String {
    let mut page = String::from(
        "# The last results of the suite `mutants`\n\n\
         Written by `tests/run mutants`. Each row is of the commit that it names. A mutant that does not end is noticed like one\n\
         that is caught; those that are explained are in `survivors.txt`, one by one.\n\n",
    );
    page.push_str(HEAD);
    page.push_str(&format!("\n|{}\n", "---|".repeat(HEAD.matches(" | ").count() + 1)));
    rows.values().for_each(|row| page.push_str(&format!("{row}\n")));
    page
}

fn said(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn rustc() -> String {
    said(Command::new("rustc").arg("--version")).split(' ').nth(1).unwrap().to_owned()
}
