//! The way to a state: the numbers of the moves, what happened at each, and the test that goes it again.

use super::moves::{Came, Move, Planned, State};
use super::settings::Explore;
use crate::report::{CallOutcome, Report};
use crate::testing::error::Error;
use crate::testing::model::Step;
use crate::testing::outcome::HookRun;

/// A way from the beginning: of each state the number of one of its moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<u16>);

/// How many numbers are one character.
const SHORT: u32 = 35;

impl Path {
    /// As text: a character for each small number, three for a large one.
    pub(super) fn encode(&self) -> String {
        let digit = |number: u32| char::from_digit(number, 36).unwrap_or('0');
        let encode = |number: &u16| match u32::from(*number) {
            number @ 0..SHORT => digit(number).to_string(),
            number => format!("z{}{}", digit(number / 36 % 36), digit(number % 36)),
        };
        self.0.iter().map(encode).collect()
    }

    pub(super) fn decode(text: &str) -> Option<Self> {
        let mut path = Vec::new();
        let mut digits = text.chars().map(|digit| digit.to_digit(36));
        while let Some(digit) = digits.next() {
            let number = match digit? {
                SHORT => digits.next()?? * 36 + digits.next()??,
                small => small,
            };
            path.push(u16::try_from(number).ok()?);
        }
        Some(Self(path))
    }
}

/// What happened on a way, for people and as a test.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) lines: Vec<String>,
    pub(super) code: Vec<String>,
}

/// Goes the way again and tells what happens.
pub(super) fn tell(explore: &Explore, path: &Path) -> Result<Told, Error> {
    let mut state = explore.beginning();
    let mut told = Told::default();
    for number in &path.0 {
        let moves = state.moves(&explore.doings);
        let Some(chosen) = moves.get(usize::from(*number)) else { break };
        let came = state.take(chosen, &explore.doings)?;
        let mut line = chosen.describe(&explore.doings);
        if let Move::Step(Step::Begin(unit, _)) = chosen {
            let run = match &came {
                Came::Ended(run) => Some(&**run),
                _ => state.model.run_of(unit).map(|running| &running.result),
            };
            line.push_str(&run.map(what_it_did).unwrap_or_default());
        }
        let problem = match &came {
            Came::Ended(run) => run.problem(),
            Came::Undone(_, why) => Some(why.clone()),
            Came::Other => None,
        };
        line.extend(problem.map(|problem| format!(": {problem}")));
        told.lines.push(line);
        told.code.extend(chosen.code(&explore.doings).lines().map(str::to_owned));
        if let (Move::Step(Step::Begin(unit, _)), Came::Ended(_)) = (chosen, &came) {
            told.code.push(Move::Step(Step::End(unit.clone())).code(&explore.doings));
        }
    }
    Ok(told)
}

/// The steps with their numbers, without the first ones.
pub(super) fn numbered(lines: &[String], without: usize) -> String {
    let number = |(number, line): (usize, &String)| format!("{:>4}. {}", number + 1, line.replace('\n', "\n      "));
    lines.iter().enumerate().skip(without).map(number).collect::<Vec<_>>().join("\n")
}

/// Which handlers ran, and which flags changed.
fn what_it_did(run: &HookRun) -> String {
    let Some(report) = &run.report else { return String::new() };
    let handlers = called(report).map(short).collect::<Vec<_>>().join(", ");
    let flags = report.set.iter().map(|flag| format!(" +{flag}"));
    let flags: String = flags.chain(report.cleared.iter().map(|flag| format!(" -{flag}"))).collect();
    match (handlers.as_str(), flags.as_str()) {
        ("", "") => String::new(),
        ("", flags) => format!(":{flags}"),
        (handlers, flags) => format!(": {handlers}{flags}"),
    }
}

/// The handlers that were called, with their module paths.
pub(super) fn called(report: &Report) -> impl Iterator<Item = &str> {
    let calls = report.rounds.iter().flat_map(|round| &round.handlers);
    calls.filter(|call| call.outcome != CallOutcome::Skipped).map(|call| call.name.as_str())
}

fn short(handler: &str) -> &str {
    handler.rsplit("::").next().unwrap_or(handler)
}

/// A test in which the same happens, in two models if it takes two stories to see it.
pub(super) fn test(name: &str, found: &str, story: &Told, other: Option<&Told>) -> String {
    let comment = |line: &str| format!("// {line}").trim_end().to_owned();
    let mut lines = match other {
        None => story.played(),
        Some(other) => {
            ["one", "other"].into_iter().zip([story, other]).flat_map(|(name, story)| story.model(name)).collect()
        }
    };
    lines.extend(found.lines().map(comment));
    lines.push(match other {
        None => "panic!(\"put an assertion on `model` here that says what should hold\");".to_owned(),
        Some(_) => {
            "panic!(\"put an assertion here that says in what `one` and `other` should be the same\");".to_owned()
        }
    });
    let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    format!("#[test]\nfn {}() -> Result<(), Box<dyn std::error::Error>> {{\n{lines}}}\n", slug(name))
}

impl Told {
    /// The lines that make the model and play the story in it.
    fn played(&self) -> Vec<String> {
        let made = "let mut model = model()?;".to_owned();
        std::iter::once(made).chain(self.code.iter().cloned()).collect()
    }

    /// The lines that make a variable of the model in which the story has been played.
    fn model(&self, name: &str) -> Vec<String> {
        let played = self.played().into_iter().chain(["model".to_owned()]).map(|line| format!("    {line}"));
        std::iter::once(format!("let {name} = {{")).chain(played).chain(["};".to_owned()]).collect()
    }
}

/// The name as one of a function.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars() {
        match character {
            'a'..='z' | '0'..='9' => slug.push(character),
            'A'..='Z' => slug.push(character.to_ascii_lowercase()),
            '\'' => {}
            _ if !slug.is_empty() && !slug.ends_with('_') => slug.push('_'),
            _ => {}
        }
    }
    let slug = slug.trim_end_matches('_');
    if slug.starts_with(|first: char| first.is_ascii_digit()) || slug.is_empty() {
        format!("it_{slug}")
    } else {
        slug.to_owned()
    }
}

/// The names of the doings that never happened.
pub(super) fn names(doings: &[Planned]) -> Vec<String> {
    doings.iter().map(|planned| planned.doing.to_string()).collect()
}

impl State {
    /// The beginning of an exploration.
    pub(super) fn first(explore: &Explore) -> Self {
        Self { model: explore.model.fork(), done: 0, left: explore.faults }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_read_as_it_was_written() {
        for numbers in [vec![], vec![0, 1, 34], vec![35, 36, 1295, 0, 35]] {
            let path = Path(numbers);
            assert_eq!(Path::decode(&path.encode()), Some(path));
        }
        assert_eq!(Path(vec![0, 10, 35]).encode(), "0azz".to_owned().replace("zz", "z0z"));
        assert_eq!(Path::decode("z0"), None);
        assert_eq!(Path::decode("a-b"), None);
    }

    #[test]
    fn a_sentence_is_a_functions_name() {
        assert_eq!(slug("each unit's quorum is 3 units!"), "each_units_quorum_is_3_units");
        assert_eq!(slug("3 units"), "it_3_units");
    }
}
