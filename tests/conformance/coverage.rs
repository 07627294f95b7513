//! The check of `contract.md`: every row has a proof, every test that is named exists, every test proves a row.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

const CONTRACT: &str = include_str!("contract.md");

/// The numbered sections of the contract, in its order.
const SECTIONS: &[&str] = &[
    "1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "2.1", "2.2", "2.3", "2.4", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3",
    "4.4", "4.5", "4.6", "4.7", "5.1", "5.2", "5.3", "5.4", "5.5", "6.1", "6.2", "7.1", "7.2", "7.3", "7.4", "7.5",
    "8", "9.1", "9.2", "9.3", "9.4", "9.5", "9.6", "9.7", "9.8", "9.9", "9.10", "9.11", "9.12", "9.13", "9.14", "9.15",
    "9.16", "9.17", "10", "11", "11.1", "11.2", "11.3", "11.4", "12", "13",
];

/// One row of a table: one fact.
#[derive(Debug, PartialEq)]
struct Row<'a> {
    line: usize,
    section: &'a str,
    id: &'a str,
    proof: Proof<'a>,
}

#[derive(Debug, PartialEq)]
enum Proof<'a> {
    Tests(Vec<&'a str>),
    Reason,
}

/// Reads all rows, and says of each line that cannot be read what is wrong with it.
fn read(text: &str) -> (Vec<Row<'_>>, Vec<String>) {
    let (mut rows, mut faults) = (Vec::new(), Vec::new());
    let mut section = "";
    for (number, line) in (1..).zip(text.lines()) {
        let mut fault = |what: String| faults.push(format!("contract.md:{number}: {what}"));
        if let Some(heading) = line.strip_prefix("## ") {
            let known =
                heading.split_whitespace().next().and_then(|name| SECTIONS.iter().find(|known| **known == name));
            match known {
                Some(known) if place(known) < place(section) => {
                    fault(format!("section {known} comes before {section}"))
                }
                Some(known) => section = known,
                None => fault(format!("`{heading}` is no section of the contract")),
            }
        } else if line.trim_start().starts_with('|') {
            match row(line, number, section) {
                Ok(row) => rows.extend(row),
                Err(what) => fault(what),
            }
        }
    }
    (rows, faults)
}

fn place(section: &str) -> Option<usize> {
    SECTIONS.iter().position(|known| *known == section)
}

/// Reads one line of a table; the two lines of its head are no row.
fn row<'a>(line: &'a str, number: usize, section: &'a str) -> Result<Option<Row<'a>>, String> {
    let [id, fact, proof] = cells(line)[..] else { return Err("a row has three cells: id, fact and proof".to_owned()) };
    if [id, fact, proof] == ["id", "fact", "proof"] || [id, fact, proof].iter().all(|cell| *cell == "---") {
        return Ok(None);
    }
    if !id.strip_prefix(section).is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')) {
        return Err(format!("row `{id}` is in section `{section}`, so its id has to begin with `{section}.`"));
    }
    if fact.is_empty() {
        return Err(format!("row {id} states no fact"));
    }
    let proof = read_proof(proof).map_err(|what| format!("row {id} {what}"))?;
    Ok(Some(Row { line: number, section, id, proof }))
}

/// The cells between the bars that are not escaped.
fn cells(line: &str) -> Vec<&str> {
    let inner = line.trim();
    let inner = inner.strip_prefix('|').unwrap_or(inner);
    let inner = inner.strip_suffix('|').unwrap_or(inner);
    let (mut cells, mut begin) = (Vec::new(), 0);
    for (at, _) in inner.match_indices('|').filter(|(at, _)| !inner[..*at].ends_with('\\')) {
        cells.push(inner[begin..at].trim());
        begin = at + 1;
    }
    cells.push(inner[begin..].trim());
    cells
}

fn read_proof(proof: &str) -> Result<Proof<'_>, String> {
    match proof.strip_prefix("reason:").map(str::trim) {
        Some("") => return Err("has an empty reason".to_owned()),
        Some(_) => return Ok(Proof::Reason),
        None if proof.is_empty() => return Err("has no proof: name its tests, or give a reason".to_owned()),
        None => {}
    }
    let mut names = Vec::new();
    for word in proof.split_whitespace() {
        match word.strip_prefix('`').and_then(|word| word.strip_suffix('`')).filter(|name| section_of(name).is_some()) {
            Some(name) => names.push(name),
            None => return Err(format!("has `{word}` for a proof: it takes names as `c4_2_claim`, or `reason: ...`")),
        }
    }
    Ok(Proof::Tests(names))
}

/// The section that a test is named after: 4.2 for `c4_2_departures_first`.
fn section_of(test: &str) -> Option<String> {
    let mut words = test.strip_prefix('c')?.split('_').peekable();
    let mut number = || words.next_if(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()));
    let chapter = number()?;
    let section = number();
    words.peek()?;
    Some(section.map_or_else(|| chapter.to_owned(), |section| format!("{chapter}.{section}")))
}

/// What the rows among themselves leave out or have twice.
fn gaps(rows: &[Row<'_>]) -> Vec<String> {
    let mut lines = BTreeMap::new();
    let mut faults = Vec::new();
    for row in rows {
        if let Some(first) = lines.insert(row.id, row.line) {
            faults.push(format!("contract.md:{}: row {} is in line {first} already", row.line, row.id));
        }
    }
    let sections: BTreeSet<&str> = rows.iter().map(|row| row.section).collect();
    let missing = SECTIONS.iter().filter(|section| !sections.contains(*section));
    faults.extend(missing.map(|section| format!("section {section} has no row")));
    faults
}

/// What the rows name and the binary has not, and the other way round.
fn mismatches(rows: &[Row<'_>], tests: &[String]) -> Vec<String> {
    let mut named: BTreeMap<&str, Vec<&Row<'_>>> = BTreeMap::new();
    for row in rows {
        let Proof::Tests(names) = &row.proof else { continue };
        names.iter().for_each(|name| named.entry(name).or_default().push(row));
    }
    let mut faults = Vec::new();
    for (name, rows) in named.iter().filter(|(name, _)| !tests.iter().any(|test| test == *name)) {
        let rows: Vec<String> = rows.iter().map(|row| format!("{} in line {}", row.id, row.line)).collect();
        faults.push(format!("there is no test `{name}`; named by {}", rows.join(", ")));
    }
    let mut seen = BTreeSet::new();
    for test in tests {
        let Some(section) = section_of(test) else { continue };
        if !seen.insert(test) {
            faults.push(format!("two tests have the name `{test}`"));
        } else if !named.get(test.as_str()).is_some_and(|rows| rows.iter().any(|row| row.section == section)) {
            faults.push(format!("test `{test}` is in no row of section {section}"));
        }
    }
    faults
}

/// The names of the tests of this binary, without their modules: of all, or of those that are ignored.
fn tests_of_this_binary(which: &[&str]) -> Vec<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--list", "--format", "terse"]).args(which).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let paths = text.lines().filter_map(|line| line.strip_suffix(": test"));
    paths.filter_map(|path| path.rsplit("::").next()).map(str::to_owned).collect()
}

fn none(faults: &[String]) {
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_row_of_the_contract_has_a_proof() {
    let (rows, mut faults) = read(CONTRACT);
    faults.extend(gaps(&rows));
    let reasons = rows.iter().filter(|row| row.proof == Proof::Reason).count();
    let names = rows.iter().filter_map(|row| if let Proof::Tests(names) = &row.proof { Some(names) } else { None });
    let tests: BTreeSet<&str> = names.flatten().copied().collect();
    println!("contract.md: {} rows, {reasons} with a reason, all others proved by {} tests", rows.len(), tests.len());
    none(&faults);
}

#[test]
fn every_test_that_is_named_exists_and_every_test_proves_a_row() {
    none(&mismatches(&read(CONTRACT).0, &tests_of_this_binary(&[])));
}

#[test]
fn no_test_is_ignored() {
    assert_eq!(tests_of_this_binary(&["--ignored"]), [""; 0]);
}

/// A table of section 4.2 with these rows.
fn table(rows: &str) -> String {
    format!("# A table\n\n## 4.2 The algorithm\n\n| id | fact | proof |\n|---|---|---|\n{rows}")
}

/// What is wrong with such a table.
fn faults(rows: &str, tests: &[&str]) -> Vec<String> {
    let text = table(rows);
    let (rows, mut faults) = read(&text);
    let tests: Vec<String> = tests.iter().map(|test| (*test).to_owned()).collect();
    faults.extend(gaps(&rows).into_iter().filter(|fault| !fault.starts_with("section ")));
    faults.extend(mismatches(&rows, &tests));
    faults
}

#[test]
fn a_good_table_has_no_faults() {
    let text = table("| 4.2.1 | A\\|B. | `c4_2_x` `c4_3_y` |\n| 4.2.a | C. | reason: nobody sees it |\n");
    let (rows, faults) = read(&text);
    assert_eq!(faults, [""; 0]);
    let proofs = [Proof::Tests(vec!["c4_2_x", "c4_3_y"]), Proof::Reason];
    let expected = ["4.2.1", "4.2.a"].into_iter().zip(7..).zip(proofs);
    let expected: Vec<Row<'_>> = expected.map(|((id, line), proof)| Row { line, section: "4.2", id, proof }).collect();
    assert_eq!(rows, expected);
}

#[test]
fn a_row_without_a_proof_is_named() {
    let expected = ["contract.md:7: row 4.2.1 has no proof: name its tests, or give a reason"];
    assert_eq!(faults("| 4.2.1 | A. | |\n", &[]), expected);
    assert_eq!(faults("| 4.2.1 | A. | reason: |\n", &[]), ["contract.md:7: row 4.2.1 has an empty reason"]);
    for proof in ["c4_2_x", "`departures_first`", "`c4_2`", "`c4_2_x`, `c4_2_y`", "later"] {
        let faults = faults(&format!("| 4.2.1 | A. | {proof} |\n"), &["c4_2_x"]);
        assert!(faults[0].starts_with("contract.md:7: row 4.2.1 has `"), "{proof}: {faults:?}");
    }
}

#[test]
fn a_row_that_cannot_be_read_is_named() {
    assert_eq!(faults("| 4.2.1 | A. |\n", &[]), ["contract.md:7: a row has three cells: id, fact and proof"]);
    assert_eq!(faults("| 4.2.1 | A | B | reason: c |\n", &[]).len(), 1);
    assert_eq!(faults("| 4.2.1 | | reason: c |\n", &[]), ["contract.md:7: row 4.2.1 states no fact"]);
    for id in ["4.3.1", "4.2", "4.2.", "4.21", ""] {
        let faults = faults(&format!("| {id} | A. | reason: c |\n"), &[]);
        assert!(faults[0].contains("its id has to begin with `4.2.`"), "{id}: {faults:?}");
    }
}

#[test]
fn an_id_that_is_there_twice_is_named() {
    let rows = "| 4.2.1 | A. | reason: c |\n| 4.2.1 | B. | reason: d |\n";
    assert_eq!(faults(rows, &[]), ["contract.md:8: row 4.2.1 is in line 7 already"]);
}

#[test]
fn a_section_that_is_missing_unknown_or_out_of_order_is_named() {
    let text = table("| 4.2.1 | A. | reason: c |\n");
    let (rows, _) = read(&text);
    let gaps = gaps(&rows);
    assert_eq!(gaps.len(), SECTIONS.len() - 1);
    assert_eq!((gaps[0].as_str(), gaps.last().unwrap().as_str()), ("section 1.1 has no row", "section 13 has no row"));
    assert_eq!(read("## 4.9 More\n").1, ["contract.md:1: `4.9 More` is no section of the contract"]);
    assert_eq!(read("## 4.2 B\n## 4.1 A\n").1, ["contract.md:2: section 4.1 comes before 4.2"]);
}

#[test]
fn a_test_that_does_not_exist_is_named() {
    let expected = ["there is no test `c4_2_x`; named by 4.2.1 in line 7, 4.2.2 in line 8"];
    assert_eq!(faults("| 4.2.1 | A. | `c4_2_x` |\n| 4.2.2 | B. | `c4_2_x` |\n", &["helper"]), expected);
}

#[test]
fn a_test_in_no_row_of_its_section_is_named() {
    let rows = "| 4.2.1 | A. | `c4_3_x` |\n";
    let expected = ["test `c4_2_y` is in no row of section 4.2", "test `c4_3_x` is in no row of section 4.3"];
    assert_eq!(faults(rows, &["c4_2_y", "c4_3_x", "helper"]), expected);
    assert_eq!(faults("| 4.2.1 | A. | `c4_2_x` |\n", &["c4_2_x", "c4_2_x"]), ["two tests have the name `c4_2_x`"]);
}

#[test]
fn a_test_says_by_its_name_which_section_it_proves() {
    let section = |test| section_of(test);
    assert_eq!(section("c4_2_departures_first").as_deref(), Some("4.2"));
    assert_eq!(section("c9_12_a_secret_is_pinned").as_deref(), Some("9.12"));
    assert_eq!(section("c10_ports").as_deref(), Some("10"));
    for name in ["c4_2", "c10", "claims", "a_row", "c_4_x", "c4"] {
        assert_eq!(section(name), None, "{name}");
    }
}

#[test]
fn this_binary_lists_its_own_tests() {
    assert!(tests_of_this_binary(&[]).contains(&"this_binary_lists_its_own_tests".to_owned()));
}
