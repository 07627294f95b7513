//! Findings that are meant to be: each is named in the source, with a reason.

use super::{Finding, Kind};

/// A finding that is meant to be.
#[derive(Debug)]
pub(super) struct Allowance {
    /// The kind's name.
    pub(super) kind: &'static str,
    /// What it is about, by each name that that has; none if it is about the handler itself.
    pub(super) subjects: Option<Vec<String>>,
    /// The path of the handler that it stands on, if it is one.
    pub(super) handler: Option<String>,
    pub(super) place: String,
    /// Whether it is a finding, too, if there is nothing to allow.
    pub(super) must_allow: bool,
}

impl Allowance {
    fn allows(&self, finding: &Finding) -> bool {
        if self.kind != finding.kind.name() {
            return false;
        }
        let is_about_it = match (&self.subjects, &finding.subject) {
            (Some(subjects), Some(subject)) => subjects.contains(subject),
            (None, None) => self.handler.is_some(),
            _ => false,
        };
        let path = |id: &String| id.split('[').next().unwrap_or_default().to_owned();
        let is_of = |handler: &String| finding.handlers.iter().any(|id| path(id) == *handler);
        is_about_it && self.handler.as_ref().is_none_or(is_of)
    }
}

/// The findings that are left, and the allowances that allow nothing.
pub(super) fn apply(allowances: &[Allowance], found: Vec<Finding>) -> Vec<Finding> {
    let mut used = vec![false; allowances.len()];
    let mut left = Vec::new();
    for finding in found {
        let mut is_allowed = false;
        for (_, used) in allowances.iter().zip(&mut used).filter(|(allowance, _)| allowance.allows(&finding)) {
            (*used, is_allowed) = (true, true);
        }
        if !is_allowed {
            left.push(finding);
        }
    }
    let unused = allowances.iter().zip(used).filter(|(allowance, used)| allowance.must_allow && !used);
    left.extend(unused.map(|(allowance, _)| unused_allowance(allowance)));
    left
}

fn unused_allowance(allowance: &Allowance) -> Finding {
    let what = allowance.subjects.iter().flatten().map(|subject| format!(" of `{subject}`")).next().unwrap_or_default();
    Finding {
        place: allowance.place.clone(),
        kind: Kind::UnusedAllowance,
        subject: None,
        handlers: allowance.handler.iter().cloned().collect(),
        message: format!(
            "there is no finding `{}`{what} here that could be allowed: remove the allowance",
            allowance.kind
        ),
        certain: true,
    }
}
