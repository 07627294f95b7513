//! What a run of cargo-mutants has found out, from its `outcomes.json`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::survivors::Mutation;

/// What became of a mutant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Some test failed.
    Caught,
    /// No test failed.
    Missed,
    /// It does not compile.
    Unviable,
    /// A test did not end.
    Timeout,
}

/// One mutant that was tested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tested {
    pub(crate) fate: Fate,
    pub(crate) seconds: f64,
}

/// One run of cargo-mutants.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) version: String,
    pub(crate) date: String,
    pub(crate) fates: BTreeMap<Mutation, Tested>,
}

#[derive(Deserialize)]
struct Outcomes {
    outcomes: Vec<Outcome>,
    cargo_mutants_version: String,
    start_time: String,
    end_time: Option<String>,
}

#[derive(Deserialize)]
struct Outcome {
    scenario: Scenario,
    summary: String,
    phase_results: Vec<Phase>,
}

#[derive(Deserialize)]
enum Scenario {
    Baseline,
    Mutant(Mutant),
}

#[derive(Deserialize)]
struct Mutant {
    name: String,
    file: String,
    span: Span,
}

#[derive(Deserialize)]
struct Span {
    start: Position,
}

#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Position {
    line: u32,
    column: u32,
}

#[derive(Deserialize)]
struct Phase {
    duration: f64,
}

/// The run that has left its files in this directory.
pub(crate) fn read(out: &Path) -> Run {
    let path = out.join("mutants.out/outcomes.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let read: Outcomes = serde_json::from_str(&text).unwrap();
    assert!(read.end_time.is_some(), "{}: the run was interrupted", path.display());
    let date = read.start_time.split('T').next().unwrap().to_owned();
    Run { version: read.cargo_mutants_version, date, fates: fates(read.outcomes) }
}

fn fates(outcomes: Vec<Outcome>) -> BTreeMap<Mutation, Tested> {
    let mut by_place = BTreeMap::new();
    for Outcome { scenario, summary, phase_results } in outcomes {
        let Scenario::Mutant(mutant) = scenario else { continue };
        let place = format!("{}:{}:{}: ", mutant.file, mutant.span.start.line, mutant.span.start.column);
        let what = mutant.name.strip_prefix(&place).unwrap_or_else(|| panic!("{} is not at {place}", mutant.name));
        let seconds = phase_results.iter().map(|phase| phase.duration).sum();
        let same: &mut Vec<_> =
            by_place.entry(Mutation { file: mutant.file.clone(), what: what.to_owned() }).or_default();
        same.push((mutant.span.start, Tested { fate: fate(&summary), seconds }));
    }
    by_place.into_iter().flat_map(|(mutation, same)| numbered(&mutation, same)).collect()
}

/// Those with one description are told apart by their order in the file.
fn numbered(mutation: &Mutation, mut same: Vec<(Position, Tested)>) -> Vec<(Mutation, Tested)> {
    same.sort_by(|(one, _), (other, _)| one.cmp(other));
    let count = same.len();
    let name = |number: usize| match count {
        1 => mutation.clone(),
        _ => Mutation { what: format!("{} ({number} of {count})", mutation.what), ..mutation.clone() },
    };
    same.into_iter().enumerate().map(|(i, (_, tested))| (name(i + 1), tested)).collect()
}

fn fate(summary: &str) -> Fate {
    match summary {
        "CaughtMutant" => Fate::Caught,
        "MissedMutant" => Fate::Missed,
        "Unviable" => Fate::Unviable,
        "Timeout" => Fate::Timeout,
        other => panic!("what is the outcome `{other}`?"),
    }
}
