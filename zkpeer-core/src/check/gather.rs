//! From the charm's handlers, triggers and files to one graph.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::allowances::Allowance;
use super::files::Files;
use super::{Absent, Graph, Kind, Node, Trigger, Use};
use crate::context::Context;
use crate::error::Error;
use crate::flag;
use crate::handler::{HandlerDef, ParamDef, Registration};
use crate::metadata::Metadata;
use crate::notes::{FlagName, FunctionDef, Notes, What};
use crate::params::Triggers;
use crate::registry::{Body, Handler, Registry};
use crate::relation::Endpoint;
use crate::runtime::Settings;
use crate::trigger::Edge;

/// What a graph is made of.
pub(crate) struct Sources<'s> {
    pub(crate) registry: &'s Registry,
    pub(crate) settings: &'s Settings,
    /// A context in which nothing has happened yet; a new one each time.
    pub(crate) context: &'s dyn Fn() -> Context,
    pub(crate) charm_dir: &'s std::path::Path,
    /// Whether all functions are looked at, or only handlers that a test has listed.
    pub(crate) all_linked: bool,
}

/// Gathers all that is known.
pub(crate) fn graph(sources: &Sources<'_>) -> Result<Graph, Error> {
    let files = Files::read(sources.charm_dir)?;
    let registry = sources.registry;
    let metadata = &files.metadata;
    let nodes: Vec<Node> = registry.handlers().iter().filter_map(|handler| node(handler, registry, metadata)).collect();
    let functions: Vec<&FunctionDef> = inventory::iter::<Registration>
        .into_iter()
        .filter_map(|registration| match registration {
            Registration::Function(def) => Some(*def),
            _ => None,
        })
        .collect();
    let mut graph = Graph {
        others: functions
            .iter()
            .flat_map(|def| uses_of(def.file, &def.notes, &all_endpoints(metadata)))
            // Where a test has listed handlers, other handlers may need them.
            .map(|of| if sources.all_linked { of } else { Use { place: String::new(), ..of } })
            .collect(),
        triggers: Vec::new(),
        of_interfaces: registry
            .interfaces()
            .flat_map(|(endpoint, interface)| interface.flags.iter().map(move |name| flag::expand(name, endpoint)))
            .collect(),
        unseen: nodes.iter().filter(|node| !node.known && can_match(node)).map(|node| node.id.clone()).collect(),
        absent: absent(registry),
        allowances: Vec::new(),
        undeclared: Vec::new(),
        nodes,
        files,
    };
    graph.allowances = allowances(sources, &functions, &graph.files.metadata);
    add_triggers(sources, &mut graph)?;
    let callbacks = sources.settings.at_start.iter().chain(&sources.settings.at_exit);
    graph.unseen.extend(callbacks.map(|callback| format!("{callback:?}")));
    Ok(graph)
}

fn can_match(node: &Node) -> bool {
    use crate::predicate::Condition::Hook;
    !node.predicate.0.iter().any(|condition| matches!(condition, Hook { names, .. } if names.is_empty()))
}

fn all_endpoints(metadata: &Metadata) -> Vec<&str> {
    metadata.endpoints.keys().map(String::as_str).collect()
}

/// A handler that is a function.
fn node(handler: &Handler, registry: &Registry, metadata: &Metadata) -> Option<Node> {
    let Body::Function(def) = &handler.body else { return None };
    let interfaces = def.params.iter().filter_map(|param| param.at_start);
    let mut endpoints: Vec<&str> = handler.endpoints().collect();
    if endpoints.is_empty() {
        endpoints.extend(interfaces.clone().flat_map(|interface| metadata.endpoints_of(interface.of)));
    }
    let of_interfaces = interfaces.flat_map(|interface| {
        let expand = |name: &'static &str| endpoints.iter().map(|endpoint| flag::expand(name, endpoint));
        interface.flags.iter().flat_map(expand).collect::<Vec<_>>()
    });
    let of_interfaces: BTreeSet<String> = of_interfaces.collect();
    // An interface that names its flags changes no others.
    let is_seen = |param: &ParamDef| param.plain || param.at_start.is_some_and(|interface| !interface.flags.is_empty());
    Some(Node {
        id: handler.id.clone(),
        name: def.name.to_owned(),
        place: def.place(),
        own: registry.is_own(def),
        predicate: Rc::clone(&handler.predicate),
        uses: uses_of(def.file, def.notes, &endpoints),
        known: def.notes.declared || def.notes.whole && def.params.iter().all(is_seen),
        of_interfaces,
        is_called: def.params.iter().all(|param| param.plain || param.endpoint.is_some()),
    })
}

/// The names that a flag has on these endpoints.
fn names(name: &FlagName, endpoints: &[&str]) -> Vec<String> {
    match name.text() {
        Some(text) if flag::is_template(&text) => endpoints.iter().map(|name| flag::expand(&text, name)).collect(),
        text => text.into_iter().collect(),
    }
}

fn uses_of(file: &str, notes: &Notes, endpoints: &[&str]) -> Vec<Use> {
    let uses = notes.uses.iter().flat_map(|of| {
        let names = names(&of.flag, endpoints).into_iter();
        names.map(|flag| Use { what: of.what, flag, place: format!("{file}:{}", of.line), always: of.always })
    });
    uses.collect()
}

fn absent(registry: &Registry) -> Vec<Absent> {
    let own = registry.absent().iter().filter(|def| registry.is_own(def));
    let absent = own.filter_map(|def| {
        let wanted = def.params.iter().find_map(|param| param.endpoint)?;
        Some(Absent { id: def.path(), name: def.name.to_owned(), place: def.place(), wanted })
    });
    absent.collect()
}

fn allowances(sources: &Sources<'_>, functions: &[&FunctionDef], metadata: &Metadata) -> Vec<Allowance> {
    let registry = sources.registry;
    let endpoints = all_endpoints(metadata);
    let of = |notes: &Notes, file: &str, handler: Option<String>, must_allow: bool| -> Vec<Allowance> {
        let allowance = |allowed: &crate::notes::AllowanceDef| Allowance {
            kind: allowed.kind,
            subjects: allowed.subject.map(|name| names(&name, &endpoints)),
            handler: handler.clone(),
            place: format!("{file}:{}", allowed.line),
            // The same source may be the program of charms with other endpoints.
            must_allow: must_allow && allowed.kind != Kind::NoEndpoint.name(),
        };
        notes.allowed.iter().map(allowance).collect()
    };
    let mut defs: Vec<&HandlerDef> = Vec::new();
    for handler in registry.handlers() {
        if let Body::Function(def) = &handler.body
            && defs.last().is_none_or(|last| last.path() != def.path())
        {
            defs.push(def);
        }
    }
    defs.extend(registry.absent());
    let of_handlers = defs.into_iter().flat_map(|def| of(def.notes, def.file, Some(def.path()), true));
    let of_functions = functions.iter().flat_map(|def| of(&def.notes, def.file, None, sources.all_linked));
    of_handlers.chain(of_functions).collect()
}

/// What registers triggers is called, each in a context of its own.
fn add_triggers(sources: &Sources<'_>, graph: &mut Graph) -> Result<(), Error> {
    for register in &sources.settings.triggers {
        let context = (sources.context)();
        (register.register)(&Triggers::of(&context));
        let place = register.place.to_string();
        let place = place.rsplit_once(':').map_or(place.as_str(), |(place, _)| place);
        add(&context, graph, Some(place))?;
    }
    for (endpoint, interface) in sources.registry.interfaces() {
        let context = (sources.context)();
        (interface.register_triggers)(Endpoint::new(&context, endpoint), &Triggers::of(&context));
        add(&context, graph, None)?;
    }
    Ok(())
}

/// Adds the triggers of the context; those of the charm's own have a place.
fn add(context: &Context, graph: &mut Graph, place: Option<&str>) -> Result<(), Error> {
    if let Some(failure) = context.take_failure() {
        return Err(failure);
    }
    context.with_triggers(|table| {
        for (name, edge, actions) in table.all() {
            let sets = actions.set.iter().map(|other| (Edge::Set, other));
            for (then, other) in sets.chain(actions.clear.iter().map(|other| (Edge::Cleared, other))) {
                graph.triggers.push(Trigger { flag: name.to_owned(), edge, then, other: other.clone() });
                let what = if then == Edge::Set { What::Sets } else { What::Clears };
                graph.others.extend(place.map(|place| used(what, other, place)));
            }
            if !actions.call.is_empty() {
                graph.unseen.push(format!("what is called when `{name}` is {edge}"));
            }
            graph.others.push(used(What::Reads, name, place.unwrap_or_default()));
        }
    });
    Ok(())
}

fn used(what: What, flag: &str, place: &str) -> Use {
    Use { what, flag: flag.to_owned(), place: place.to_owned(), always: false }
}
