//! What programs answer in a test that runs none.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use super::fake::Fake;
use crate::programs::{Call, ProgramOutput, Runner};

/// What programs answer that handlers run through [`Commands`](crate::Commands), in a test that runs none of them; given to
/// [`Fakes::programs`](super::Fakes::programs).
///
/// A program is told by its line, as a person would write it; in a pattern `*` stands for any text. Of several that match the last
/// counts. A program that no pattern matches fails the hook, with a message that says what to add.
///
/// ```
/// use zkpeer_core::testing::{Application, Programs};
/// # let charm = ".";
///
/// let application = Application::new(charm).in_process(zkpeer_core::Charm::new()).fake(|fakes| {
///     fakes.programs(
///         Programs::new()
///             .answer("systemctl *", "")
///             .answer("java -version", "openjdk 17.0.1\n")
///             .fail("systemctl restart broken", 5, "Unit broken.service not found."),
///     );
/// });
/// # let _ = application;
/// ```
#[derive(Clone, Default)]
pub struct Programs(Vec<(String, Rc<Answer>)>);

type Answer = dyn Fn(&str) -> ProgramOutput;

impl fmt::Debug for Programs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(pattern, _)| pattern)).finish()
    }
}

impl Programs {
    /// None at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// These succeed, and print this to standard output.
    #[must_use]
    pub fn answer(self, pattern: &str, stdout: &str) -> Self {
        let output = ProgramOutput { stdout: stdout.to_owned(), ..ProgramOutput::default() };
        self.answer_with(pattern, move |_| output.clone())
    }

    /// These exit with this code, and print this to standard error.
    #[must_use]
    pub fn fail(self, pattern: &str, code: i32, stderr: &str) -> Self {
        let output = ProgramOutput { code, stderr: stderr.to_owned(), ..ProgramOutput::default() };
        self.answer_with(pattern, move |_| output.clone())
    }

    /// What these do is a function of the test's, which is given the line and may change a [`Fake`].
    #[must_use]
    pub fn answer_with(mut self, pattern: &str, answer: impl Fn(&str) -> ProgramOutput + 'static) -> Self {
        self.0.push((pattern.to_owned(), Rc::new(answer)));
        self
    }

    fn find(&self, line: &str) -> Result<&Answer, String> {
        let found = self.0.iter().rev().find(|(pattern, _)| matches(pattern, line));
        found.map(|(_, answer)| &**answer).ok_or_else(|| {
            let known: Vec<&str> = self.0.iter().map(|(pattern, _)| pattern.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            format!(
                "no program is run in this test, and it does not say what this one answers: add \
                 `.answer(\"{line}\", \"\")` to its `Programs`; there is: {known}"
            )
        })
    }
}

/// Whether the line is one of the pattern, in which `*` stands for any text.
fn matches(pattern: &str, line: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == line };
    let Some(mut left) = line.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(last)
}

/// The lines of the programs that a unit's handlers have run, in order. It is no part of what a unit's state is: two units that
/// differ in nothing else are in the same one.
#[derive(Clone, Default)]
pub(crate) struct Lines(pub(crate) Vec<String>);

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

impl Hash for Lines {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// Answers instead of running anything, and notes what was to be run.
#[derive(Debug)]
pub(crate) struct Answers {
    pub(crate) programs: Programs,
    pub(crate) lines: Fake<Lines>,
}

impl Runner for Answers {
    fn run(&self, call: &Call) -> Result<ProgramOutput, String> {
        let line = call.to_string();
        let answer = self.programs.find(&line)?;
        self.lines.change(|lines| lines.0.push(line.clone()));
        Ok(answer(&line))
    }

    fn writes_files(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, line) in [("ls", "ls"), ("ls *", "ls -l a"), ("* a", "ls -l a"), ("l*-*a", "ls -l a"), ("*", "")]
        {
            assert!(matches(pattern, line), "{pattern} {line}");
        }
        for (pattern, line) in [("ls", "ls -l"), ("ls *", "ls"), ("*b", "ls -l a"), ("a*a", "a"), ("*x*", "ls")] {
            assert!(!matches(pattern, line), "{pattern} {line}");
        }
    }

    #[test]
    fn the_last_pattern_that_matches_counts() {
        let programs = Programs::new().answer("ls *", "all").answer("ls a", "one");
        assert_eq!(programs.find("ls a").unwrap()("ls a").stdout, "one");
        assert_eq!(programs.find("ls b").unwrap()("ls b").stdout, "all");
        let error = programs.find("tar x").err().unwrap();
        assert!(error.contains("`.answer(\"tar x\", \"\")`") && error.ends_with("there is: ls *, ls a"), "{error}");
    }
}
