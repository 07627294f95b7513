//! The list of survivors: a mutation in a line of its own, and below it, indented, why no test can notice it.

use std::collections::BTreeMap;
use std::fmt;

/// One mutant, by what stays the same when lines move.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mutation {
    pub(crate) file: String,
    /// As cargo-mutants describes it; of several in the file with one description, with ` (2 of 3)`.
    pub(crate) what: String,
}

impl Mutation {
    /// The name of the function that is mutated, without its type.
    pub(crate) fn function(&self) -> &str {
        let what =
            self.what.rsplit_once(" (").filter(|(_, of)| of.contains(" of ")).map_or(&*self.what, |(what, _)| what);
        let path = match what.rsplit_once(" in ") {
            Some((_, path)) => path,
            None => {
                let path = what.strip_prefix("replace ").unwrap_or(what);
                let path = path.split(" with ").next().unwrap_or(path);
                path.split(" -> ").next().unwrap_or(path)
            }
        };
        path.rsplit("::").next().unwrap_or(path)
    }
}

impl fmt::Display for Mutation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.file, self.what)
    }
}

/// The survivors that are explained, with their explanations.
pub(crate) fn read() -> BTreeMap<Mutation, String> {
    let mut all: BTreeMap<Mutation, String> = BTreeMap::new();
    let mut last = None;
    for line in include_str!("survivors.txt").lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        if line.starts_with(' ') {
            let mutation = last.as_ref().expect("survivors.txt begins with a mutation");
            let why = all.entry(Mutation::clone(mutation)).or_default();
            why.push_str(line.trim());
        } else {
            let (file, what) = line.split_once(": ").expect("a line of survivors.txt is `FILE: MUTATION`");
            let mutation = Mutation { file: file.to_owned(), what: what.to_owned() };
            assert!(!all.contains_key(&mutation), "{mutation} is there twice");
            all.insert(mutation.clone(), String::new());
            last = Some(mutation);
        }
    }
    for (mutation, why) in &all {
        assert!(!why.is_empty(), "{mutation}: the reason is missing");
    }
    all
}
