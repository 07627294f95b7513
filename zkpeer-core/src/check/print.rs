//! Findings as text for people, and as JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{Finding, Graph, Kind};
use crate::notes::What;

/// What stands behind a finding that may not be so.
const AS_FAR_AS_IS_SEEN: &str = " (as far as the source shows)";

/// Each finding on a line, and how much there was to look at.
pub(super) fn text(graph: &Graph, findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let sure = if finding.certain { "" } else { AS_FAR_AS_IS_SEEN };
        let _ = writeln!(text, "{}: {}: {}{sure}", finding.place, finding.kind, finding.message);
    }
    if let Some(finding) = findings.iter().find(|finding| finding.kind != Kind::UnusedAllowance) {
        let _ = writeln!(text, "\nWhat is meant to be is allowed with a reason, as in {}", allowance(finding));
    }
    let flags: std::collections::BTreeSet<&str> = graph
        .nodes
        .iter()
        .flat_map(|node| node.predicate.flags().map(AsRef::as_ref).chain(node.uses.iter().map(|of| of.flag.as_str())))
        .collect();
    let (handlers, flags) = (graph.nodes.len() + graph.files.scripts.len(), flags.len());
    let number = match findings.len() {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        number => format!("{number} findings"),
    };
    let _ = writeln!(text, "{number}; handlers: {handlers}, flags: {flags}");
    text
}

fn allowance(finding: &Finding) -> String {
    let kind = finding.kind.name().replace('-', "_");
    let subject = finding.subject.as_ref().map_or_else(String::new, |subject| format!(" = {subject:?}"));
    let place = if finding.handlers.is_empty() { "`fn main`" } else { "the handler" };
    format!("#[allow_finding({kind}{subject}, reason = \"..\")] on {place}")
}

/// One object with all that was found.
pub(super) fn json(graph: &Graph, findings: &[Finding]) -> Value {
    let finding = |finding: &Finding| {
        json!({
            "kind": finding.kind.name(),
            "place": finding.place,
            "subject": finding.subject,
            "handlers": finding.handlers,
            "message": finding.message,
            "certain": finding.certain,
        })
    };
    let handler = |node: &super::Node| {
        let flags = |what: What| -> Vec<&str> {
            node.uses.iter().filter(|of| of.what == what).map(|of| of.flag.as_str()).collect()
        };
        json!({
            "handler": node.id,
            "place": node.place,
            "conditions": node.predicate.to_string(),
            "sets": flags(What::Sets),
            "clears": flags(What::Clears),
            "reads": flags(What::Reads),
            "all": node.known,
        })
    };
    json!({
        "findings": findings.iter().map(finding).collect::<Vec<_>>(),
        "handlers": graph.nodes.iter().map(handler).collect::<Vec<_>>(),
    })
}
