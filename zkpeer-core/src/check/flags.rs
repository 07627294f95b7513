//! Flags that nobody sets, and flags that nobody reads.

use std::collections::BTreeSet;

use super::names::{self, Automatic};
use super::{Finding, Graph, Kind, listed};
use crate::Quantifier;
use crate::notes::What;
use crate::predicate::Condition;
use crate::trigger::Edge;

pub(super) fn find(graph: &Graph) -> Vec<Finding> {
    let mut found: Vec<Finding> = wanted(graph).iter().filter_map(|by| never_set(graph, by)).collect();
    found.extend(never_read(graph));
    found
}

/// Who wants a flag to be set by somebody.
#[derive(Default)]
struct Wanted<'g> {
    flag: &'g str,
    /// Where that is said first.
    place: &'g str,
    /// The handlers that wait for it, or for its absence.
    waiting: Vec<&'g str>,
    /// The handlers that cannot run without it.
    needing: Vec<&'g str>,
    ids: Vec<String>,
    /// How it is used, if nobody waits for it.
    what: Option<What>,
}

/// The flags that the charm's own handlers wait for, read or clear.
fn wanted(graph: &Graph) -> Vec<Wanted<'_>> {
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for node in graph.nodes.iter().filter(|node| node.own) {
        for condition in &node.predicate.0 {
            let Condition::Flags(quantifier, flags) = condition else { continue };
            for flag in flags {
                let by = entry(&mut wanted, flag);
                if by.place.is_empty() {
                    by.place = &node.place;
                }
                let needs = *quantifier == Quantifier::All || *quantifier == Quantifier::Any && flags.len() == 1;
                let list = if needs { &mut by.needing } else { &mut by.waiting };
                list.push(&node.name);
                by.ids.push(node.id.clone());
            }
        }
    }
    let own =
        graph.nodes.iter().filter(|node| node.own).flat_map(|node| node.uses.iter().map(|of| (of, Some(&node.id))));
    let others = graph.others.iter().map(|of| (of, None)).filter(|(of, _)| !of.place.is_empty());
    for (of, id) in own.chain(others).filter(|(of, _)| of.what != What::Sets) {
        let by = entry(&mut wanted, &of.flag);
        if by.place.is_empty() {
            by.place = &of.place;
            by.what = Some(of.what);
            by.ids.extend(id.cloned());
        }
    }
    wanted
}

fn entry<'l, 'g>(wanted: &'l mut Vec<Wanted<'g>>, flag: &'g str) -> &'l mut Wanted<'g> {
    let at = wanted.iter().position(|by| by.flag == flag).unwrap_or_else(|| {
        wanted.push(Wanted { flag, ..Wanted::default() });
        wanted.len() - 1
    });
    &mut wanted[at]
}

fn never_set(graph: &Graph, by: &Wanted<'_>) -> Option<Finding> {
    let flag = by.flag;
    if graph.is_set_by_somebody(flag) {
        return None;
    }
    let finding = |kind: Kind, certain: bool, message: String| Finding {
        place: by.place.to_owned(),
        kind,
        subject: Some(flag.to_owned()),
        handlers: by.ids.clone(),
        message,
        certain,
    };
    let files = &graph.files;
    Some(match names::automatic(flag, files) {
        Automatic::Yes => return None,
        Automatic::UnknownEndpoint(endpoint) => {
            let meant = names::meant(&endpoint, files.metadata.endpoints.keys().map(String::as_str));
            let message = format!("the flag `{flag}` is one of an endpoint that metadata.yaml has not{meant}");
            finding(Kind::UnknownEndpoint, true, message)
        }
        Automatic::UnknownOption(option) => {
            let meant = names::meant(&option, files.options.iter().map(String::as_str));
            finding(
                Kind::UnknownOption,
                true,
                format!("the flag `{flag}` is one of an option that config.yaml has not{meant}"),
            )
        }
        Automatic::No => {
            let meant = names::meant(flag, known(graph).iter().map(String::as_str));
            let who = match by.what {
                Some(What::Clears) => "; it is cleared here".to_owned(),
                Some(_) => "; it is looked for here".to_owned(),
                None if by.needing.is_empty() => format!("; {} {} for it", listed(&by.waiting), wait(by.waiting.len())),
                None => format!("; so {} never {}", listed(&by.needing), run(by.needing.len())),
            };
            finding(Kind::NeverSet, graph.is_certain(), format!("nobody sets the flag `{flag}`{who}{meant}"))
        }
    })
}

fn wait(number: usize) -> &'static str {
    if number == 1 { "waits" } else { "wait" }
}

fn run(number: usize) -> &'static str {
    if number == 1 { "runs" } else { "run" }
}

/// All flags that somebody sets.
fn known(graph: &Graph) -> BTreeSet<String> {
    let set = graph.uses().filter(|of| of.what == What::Sets).map(|of| of.flag.clone());
    let triggered =
        graph.triggers.iter().filter(|trigger| trigger.then == Edge::Set).map(|trigger| trigger.other.clone());
    let all = set.chain(triggered).chain(graph.of_interfaces.iter().cloned());
    all.chain(names::all_automatic(&graph.files)).collect()
}

/// Flags that the charm's own handlers and triggers set, and for which nobody waits.
fn never_read(graph: &Graph) -> Vec<Finding> {
    let watched: BTreeSet<&str> =
        graph.nodes.iter().flat_map(|node| node.predicate.flags()).map(AsRef::as_ref).collect();
    let read: BTreeSet<&str> = graph.uses().filter(|of| of.what == What::Reads).map(|of| of.flag.as_str()).collect();
    let is_read = |flag: &str| {
        watched.contains(flag)
            || read.contains(flag)
            || graph.triggers.iter().any(|trigger| trigger.flag == flag)
            || graph.of_interfaces.contains(flag)
            || graph.files.mentions(flag)
            || names::automatic(flag, &graph.files) == Automatic::Yes
    };
    let own = graph.nodes.iter().filter(|node| node.own);
    let of_nodes = own.flat_map(|node| node.uses.iter().map(|of| (of, vec![node.id.clone()])));
    let all = of_nodes.chain(graph.others.iter().map(|of| (of, Vec::new())));
    let mut found: Vec<Finding> = Vec::new();
    let is_own = |of: &super::Use| of.what == What::Sets && !of.place.is_empty();
    for (of, handlers) in all.filter(|(of, _)| is_own(of) && !is_read(&of.flag)) {
        if let Some(finding) = found.iter_mut().find(|finding| finding.subject.as_ref() == Some(&of.flag)) {
            finding.handlers.extend(handlers);
            continue;
        }
        let meant = names::meant(&of.flag, watched.iter().chain(&read).copied());
        found.push(Finding {
            place: of.place.clone(),
            kind: Kind::NeverRead,
            subject: Some(of.flag.clone()),
            handlers,
            message: format!("nobody waits for the flag `{}`, which is set here{meant}", of.flag),
            certain: graph.is_certain(),
        });
    }
    found
}
