//! In what two models differ that should be in the same state: the same hook was begun in both.

use super::blame;
use super::difference;
use super::place::Places;
use crate::juju::UnitName;
use crate::testing::model::Model;
use crate::testing::outcome::HookRun;

/// The state after the hook was run once, and after it was run again; and what ran.
pub(crate) struct Twice<'m> {
    pub(crate) once: &'m Model,
    pub(crate) again: &'m Model,
    /// The unit, if it is known which hook it was.
    pub(crate) unit: Option<&'m UnitName>,
    /// Those runs whose instants were noted.
    pub(crate) noted: Vec<&'m HookRun>,
}

impl Twice<'_> {
    /// In words.
    pub(crate) fn tell(&self) -> String {
        let differences = Places::of_all(self.once).differences(&Places::of_all(self.again));
        if !differences.is_empty() {
            let who = blame::who(&differences, &self.noted).unwrap_or_else(|| "it".to_owned());
            let told = difference::tell(&differences, ("once", "again"));
            return format!("what {who} changed differs:{told}");
        }
        self.runs().unwrap_or_else(|| {
            "neither flags, what is stored, fakes nor files show where; does the `Hash` of a fake depend on more than its \
             `Debug` shows?"
                .to_owned()
        })
    }

    /// What the hook has done that is not applied yet.
    fn runs(&self) -> Option<String> {
        let running = |model: &Model| Some(model.run_of(self.unit?)?.result.clone());
        let (once, again) = (running(self.once)?, running(self.again)?);
        let both = once.commands.iter().zip(&again.commands);
        if let Some((nth, (first, second))) = both.enumerate().find(|(_, (first, second))| first != second) {
            let caller = self.noted.iter().find_map(|run| blame::caller(run, nth + 1));
            let caller = caller.map(|handler| format!(" in {handler}")).unwrap_or_default();
            return Some(format!("once it called `{first}`, and again `{second}`{caller}"));
        }
        let (first, second) = (once.commands.len(), again.commands.len());
        if first != second {
            let more = once.commands.iter().skip(second).chain(again.commands.iter().skip(first)).next();
            let more = more.map(ToString::to_string).unwrap_or_default();
            return Some(format!(
                "once it called {first} hook commands, and again {second}; `{more}` is one of those more"
            ));
        }
        (once.outcome != again.outcome)
            .then(|| format!("once it ended as {:?}, and again as {:?}", once.outcome, again.outcome))
    }
}
