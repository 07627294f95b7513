//! "When this flag is set or cleared, set or clear that one, or call this function."

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::handler::Result;
use crate::params::Flags;

/// What happened to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edge {
    /// It was not set, and is now.
    Set,
    /// It was set, and is no longer.
    Cleared,
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "set",
            Self::Cleared => "cleared",
        })
    }
}

pub(crate) type Callback = Rc<dyn Fn(&Flags) -> Result>;

/// What one change of one flag sets off: what is set, then what is cleared, then what is called (rule 8).
#[derive(Clone, Default)]
pub(crate) struct Actions {
    pub(crate) set: Vec<String>,
    pub(crate) clear: Vec<String>,
    pub(crate) call: Vec<Callback>,
}

impl fmt::Debug for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set {:?}, clear {:?}, call {}", self.set, self.clear, self.call.len())
    }
}

/// All triggers of one hook's run, and the cascade that is under way.
#[derive(Debug, Default)]
pub(crate) struct TriggerTable {
    actions: BTreeMap<(String, Edge), Rc<Actions>>,
    /// Every real change since the first of the cascade, in order.
    cascade: Vec<(String, Edge)>,
    /// How many changes are being followed; more than one where a callback changes flags.
    depth: usize,
}

impl TriggerTable {
    fn entry(&mut self, flag: &str, edge: Edge) -> &mut Actions {
        Rc::make_mut(self.actions.entry((flag.to_owned(), edge)).or_default())
    }

    /// Sets or clears a flag whenever the other changes this way; the same twice is the same.
    pub(crate) fn register(&mut self, flag: &str, edge: Edge, then: Edge, other: &str) {
        let actions = self.entry(flag, edge);
        let list = match then {
            Edge::Set => &mut actions.set,
            Edge::Cleared => &mut actions.clear,
        };
        if !list.iter().any(|known| known == other) {
            list.push(other.to_owned());
        }
    }

    /// Calls a function whenever the flag changes this way.
    pub(crate) fn register_call(&mut self, flag: &str, edge: Edge, callback: Callback) {
        self.entry(flag, edge).call.push(callback);
    }

    /// The flags that some trigger waits for.
    pub(crate) fn watched(&self) -> Vec<String> {
        self.actions.keys().map(|(flag, _)| flag.clone()).collect()
    }

    /// All triggers, in the order of their flags.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, Edge, &Actions)> {
        self.actions.iter().map(|((flag, edge), actions)| (flag.as_str(), *edge, &**actions))
    }

    /// Forgets all triggers.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn forget(&mut self) {
        self.actions.clear();
    }

    /// A change is being followed from here; [`leave`](Self::leave) has to come after it.
    pub(crate) fn enter(&mut self) {
        self.depth += 1;
    }

    /// All that the change has set off has been done.
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
        if self.depth == 0 {
            self.cascade.clear();
        }
    }

    /// A flag has really changed: what that sets off, if anything.
    ///
    /// # Errors
    ///
    /// The cascade, if this flag has already changed this way in it: it would go on for ever, or nearly (difference D3).
    pub(crate) fn follow(&mut self, flag: &str, edge: Edge) -> Result<Option<Rc<Actions>>, String> {
        if self.actions.is_empty() {
            return Ok(None);
        }
        let change = (flag.to_owned(), edge);
        if self.cascade.contains(&change) {
            let steps = self.cascade.iter().chain([&change]).map(|(flag, edge)| format!("`{flag}` {edge}"));
            return Err(steps.collect::<Vec<_>>().join(", "));
        }
        let actions = self.actions.get(&change).cloned();
        if actions.is_some() || !self.cascade.is_empty() {
            self.cascade.push(change);
        }
        Ok(actions)
    }
}
