//! The statuses that the handlers of a hook give, each under its context, and which of them is shown.

use std::collections::BTreeMap;

use crate::juju::{Side, StatusName};

/// A status with its message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) status: StatusName,
    pub(crate) message: String,
}

/// What has been said in this hook of the unit and of the application.
#[derive(Debug, Default)]
pub(crate) struct Statuses {
    /// The last word of each context, in the order in which the contexts first spoke.
    words: Vec<(Side, String, Said)>,
    /// What this hook has sent to Juju last.
    sent: BTreeMap<Side, Said>,
}

impl Statuses {
    /// A context's word for the end of the hook, in the place of an earlier one.
    pub(crate) fn say(&mut self, side: Side, context: &str, said: Said) {
        match self.words.iter_mut().find(|(s, c, _)| *s == side && c == context) {
            Some((_, _, word)) => *word = said,
            None => self.words.push((side, context.to_owned(), said)),
        }
    }

    /// A context has no word any longer.
    pub(crate) fn withdraw(&mut self, side: Side, context: &str) {
        self.words.retain(|(s, c, _)| *s != side || c != context);
    }

    /// A status has been sent at once.
    pub(crate) fn sent(&mut self, side: Side, said: Said) {
        self.sent.insert(side, said);
    }

    /// The word that is shown at the end: the worst, and of several that are as bad the one whose context spoke first.
    pub(crate) fn worst(&self, side: Side) -> Option<&Said> {
        let words = self.words.iter().filter(|(s, _, _)| *s == side).map(|(_, _, said)| said);
        words.rev().max_by_key(|said| severity(said.status))
    }

    /// What Juju will show if the hook succeeds as things are now; none if the hook has said nothing.
    pub(crate) fn shown(&self, side: Side) -> Option<&Said> {
        self.worst(side).or_else(|| self.sent.get(&side))
    }
}

fn severity(status: StatusName) -> u8 {
    match status {
        StatusName::Active => 0,
        StatusName::Maintenance => 1,
        StatusName::Waiting => 2,
        StatusName::Blocked => 3,
    }
}
