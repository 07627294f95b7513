//! All handlers of a charm, in their order, fitted to its metadata; what does not fit is an error before any hook runs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::context::Setup;
use crate::dispatch::Rules;
use crate::error::Error;
use crate::external_files::External;
use crate::extract::Caller;
use crate::flag::{self, Flag};
use crate::handler::{AtStart, ConditionDef, EndpointType, HandlerDef, ParamDef, Registration};
use crate::hook::HookEvent;
use crate::hook_pattern::hook_names;
use crate::metadata::Metadata;
use crate::predicate::{Condition, Predicate};

/// The crate whose interfaces come before all others.
const CORE: &str = "zkpeer_core";
/// Where they are in it.
const CORE_INTERFACES: &str = "zkpeer_core::interfaces::";

/// A handler fitted to the charm: endpoints' names filled in.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) body: Body,
    /// Module path and name, with the endpoint in brackets if there is an instance for each; of a program its path in the
    /// charm's directory.
    pub(crate) id: String,
    /// For each parameter the endpoint that fills it.
    endpoints: Vec<Filled>,
    pub(crate) predicate: Rc<Predicate>,
}

/// What runs when a handler runs.
#[derive(Debug)]
pub(crate) enum Body {
    /// A function of the charm's own program.
    Function(&'static HandlerDef),
    /// A program of its own, in the charm's directory.
    External(External),
}

#[derive(Debug)]
enum Filled {
    /// It is no interface, or the charm has no endpoint for it.
    No,
    /// This endpoint.
    By(String),
    /// The endpoint of the hook that runs, if it is one of these.
    ByHook(Vec<String>),
}

impl Handler {
    /// The endpoint for a parameter in this hook.
    pub(crate) fn endpoint(&self, param: usize, event: &HookEvent) -> Option<&str> {
        match self.endpoints.get(param)? {
            Filled::No => None,
            Filled::By(name) => Some(name),
            Filled::ByHook(names) => {
                let running = event.relation()?.id.endpoint.as_str();
                names.iter().map(String::as_str).find(|name| *name == running)
            }
        }
    }

    /// All endpoints that may fill a parameter.
    pub(crate) fn endpoints(&self) -> impl Iterator<Item = &str> {
        self.endpoints
            .iter()
            .flat_map(|filled| match filled {
                Filled::No => &[],
                Filled::By(name) => std::slice::from_ref(name),
                Filled::ByHook(names) => names.as_slice(),
            })
            .map(String::as_str)
    }

    fn new(def: &'static HandlerDef, instance: Option<&str>, endpoints: Vec<Filled>, metadata: &Metadata) -> Self {
        let id = match instance {
            Some(endpoint) => format!("{}[{endpoint}]", def.path()),
            None => def.path(),
        };
        let conditions = def.conditions.iter().map(|condition| fill(condition, instance, metadata));
        let predicate = Rc::new(Predicate(conditions.collect()));
        Self { body: Body::Function(def), id, endpoints, predicate }
    }

    fn external(external: External) -> Self {
        let predicate = Rc::new(Predicate(vec![Condition::External]));
        Self { id: external.name().to_owned(), body: Body::External(external), endpoints: Vec::new(), predicate }
    }

    /// Where it stands: `src/main.rs:12`, or the path of a program.
    pub(crate) fn place(&self) -> String {
        match &self.body {
            Body::Function(def) => def.place(),
            Body::External(external) => external.name().to_owned(),
        }
    }

    pub(crate) fn params(&self) -> &'static [ParamDef] {
        match &self.body {
            Body::Function(def) => def.params,
            Body::External(_) => &[],
        }
    }

    /// The names of the Python functions that this one replaces (`only_once(was = ..)`).
    pub(crate) fn replaced(&self) -> impl Iterator<Item = &'static str> {
        let conditions = match &self.body {
            Body::Function(def) => def.conditions,
            Body::External(_) => &[],
        };
        conditions
            .iter()
            .flat_map(|condition| match condition {
                ConditionDef::OnlyOnce(was) => *was,
                _ => &[],
            })
            .copied()
    }
}

fn fill(condition: &ConditionDef, instance: Option<&str>, metadata: &Metadata) -> Condition {
    match *condition {
        ConditionDef::Flags(quantifier, flags) => {
            let name = |flag: &Flag| match instance {
                Some(name) if flag::is_template(flag.name()) => Cow::Owned(flag::expand(flag.name(), name)),
                _ => Cow::Borrowed(flag.name()),
            };
            Condition::Flags(quantifier, flags.iter().map(name).collect())
        }
        ConditionDef::Hook(patterns) => {
            let names = patterns.iter().flat_map(|pattern| hook_names(pattern, metadata)).collect();
            Condition::Hook { patterns: patterns.to_vec(), names }
        }
        ConditionDef::Action(names) => Condition::Action(names.to_vec()),
        ConditionDef::Restricted(hook) => Condition::Restricted(hook),
        ConditionDef::FileChanged(files) => Condition::FileChanged(files.to_vec()),
        ConditionDef::OnlyOnce(_) => Condition::OnlyOnce,
    }
}

/// The hooks that a handler is for in this charm.
fn hooks(def: &HandlerDef, metadata: &Metadata) -> Vec<String> {
    let patterns = def.conditions.iter().flat_map(|condition| match condition {
        ConditionDef::Hook(patterns) => *patterns,
        _ => &[],
    });
    patterns.flat_map(|pattern| hook_names(pattern, metadata)).collect()
}

/// All handlers of a charm in the order of rule 10.
#[derive(Debug)]
pub(crate) struct Registry {
    handlers: Vec<Handler>,
    rules: Rules,
    /// By endpoint and type: the interfaces that handlers ask for, on each endpoint that they fit.
    interfaces: BTreeMap<(String, &'static str), AtStart>,
    /// The handlers for each endpoint of an interface that this charm has not: they are not among the handlers.
    absent: Vec<&'static HandlerDef>,
    /// The interface crates, as the charm lists them.
    listed: Vec<String>,
}

impl Registry {
    /// The handlers that are linked into this binary, and programs beside it.
    pub(crate) fn linked(externals: Vec<External>, setup: Setup<'_>) -> Result<Self, Error> {
        let mut defs = Vec::new();
        let mut lists: BTreeMap<&str, Vec<&[&str]>> = BTreeMap::new();
        for registration in inventory::iter::<Registration> {
            match registration {
                Registration::Handler(def) => defs.push(*def),
                Registration::Function(_) => {}
                Registration::Interfaces { package, crates } => lists.entry(package).or_default().push(crates),
            }
        }
        let (charm, listed) = match lists.len() {
            0 => (None, Vec::new()),
            1 if lists.values().all(|of_package| of_package.len() == 1) => {
                let (package, of_package) = lists.into_iter().next().unwrap_or_default();
                (Some(package), of_package.concat())
            }
            _ => {
                let packages = lists
                    .iter()
                    .flat_map(|(package, of_package)| vec![(*package).to_owned(); of_package.len()])
                    .collect();
                return Err(Error::InterfacesTwice { packages });
            }
        };
        check_crates(&defs, charm, &listed)?;
        if defs.iter().all(|def| def.crate_name() == CORE) && externals.is_empty() {
            return Err(Error::NoHandlers);
        }
        Self::new(defs, &listed, externals, setup)
    }

    /// These handlers and no others, and programs.
    pub(crate) fn of(defs: &[&'static HandlerDef], externals: Vec<External>, setup: Setup<'_>) -> Result<Self, Error> {
        Self::new(defs.to_vec(), &[], externals, setup)
    }

    fn new(
        mut defs: Vec<&'static HandlerDef>,
        listed: &[&str],
        externals: Vec<External>,
        setup: Setup<'_>,
    ) -> Result<Self, Error> {
        let rank = |def: &HandlerDef| match def.crate_name() {
            CORE => 0,
            name => listed.iter().position(|crate_| *crate_ == name).map_or(listed.len(), |at| at) + 1,
        };
        defs.sort_by_cached_key(|def| (rank(def), def.module, def.line, def.name));
        let mut by_path: BTreeMap<(&str, &str), &HandlerDef> = BTreeMap::new();
        let mut handlers = Vec::new();
        let mut absent = Vec::new();
        for def in defs {
            if let Some(other) = by_path.insert((def.module, def.name), def) {
                return Err(Error::SamePath { path: def.path(), first: other.place(), second: def.place() });
            }
            let instances = instances(def, setup).map_err(|reason| Error::Handler {
                handler: def.path(),
                place: def.place(),
                reason,
            })?;
            if instances.is_empty() {
                absent.push(def);
            }
            handlers.extend(instances);
        }
        handlers.extend(externals.into_iter().map(Handler::external));
        let rules = Rules::new(handlers.iter().map(|handler| Rc::clone(&handler.predicate)).collect());
        let params = handlers.iter().flat_map(Handler::params);
        let interfaces = params.filter_map(|param| param.at_start).flat_map(|at_start| {
            let endpoints = setup.metadata.endpoints_of(at_start.of);
            endpoints.map(move |name| ((name.to_owned(), (at_start.interface)()), at_start))
        });
        let interfaces = interfaces.collect();
        let listed = listed.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self { handlers, rules, interfaces, absent, listed })
    }

    /// The interfaces that handlers ask for, with each endpoint that they fit, in the order of the endpoints' names.
    pub(crate) fn interfaces(&self) -> impl Iterator<Item = (&str, &AtStart)> {
        self.interfaces.iter().map(|((endpoint, _), at_start)| (endpoint.as_str(), at_start))
    }

    /// The handlers for each endpoint of an interface that this charm has not.
    pub(crate) fn absent(&self) -> &[&'static HandlerDef] {
        &self.absent
    }

    /// Whether the handler is the charm's own, and of no crate of interfaces.
    pub(crate) fn is_own(&self, def: &HandlerDef) -> bool {
        !def.module.starts_with(CORE_INTERFACES) && !self.listed.iter().any(|name| name == def.crate_name())
    }

    pub(crate) fn handlers(&self) -> &[Handler] {
        &self.handlers
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The handlers whose files include this one.
    pub(crate) fn watching_file(&self, file: &str) -> impl Iterator<Item = &Handler> {
        self.handlers.iter().filter(move |handler| {
            handler.predicate.0.iter().any(|c| matches!(c, Condition::FileChanged(files) if files.contains(&file)))
        })
    }

    /// Whether some handler may be for this one of the two hooks that run apart.
    pub(crate) fn has_handler_of(&self, restricted: &str) -> bool {
        let is_for = |c: &Condition| match c {
            Condition::Restricted(hook) => hook.name() == restricted,
            Condition::External => true,
            _ => false,
        };
        self.handlers.iter().any(|handler| handler.predicate.0.iter().any(is_for))
    }

    /// What calls methods by name on an endpoint: the interface of the first handler that takes it as a parameter.
    pub(crate) fn method_caller(&self, metadata: &Metadata, endpoint: &str) -> Option<Caller> {
        let endpoint = metadata.endpoints.get(endpoint)?;
        let is_of = |wanted: EndpointType| wanted.role == endpoint.role && wanted.interface == endpoint.interface;
        let mut params = self.handlers.iter().flat_map(Handler::params);
        params.find(|param| param.endpoint.is_some_and(is_of)).map(|param| param.call)
    }

    /// Whether some handler is a program.
    pub(crate) fn has_external(&self) -> bool {
        self.handlers.iter().any(|handler| handler.predicate.is_external())
    }

    /// Whether some handler is for the action of this name.
    pub(crate) fn has_action(&self, name: &str) -> bool {
        let is_for = |c: &Condition| matches!(c, Condition::Action(names) if names.contains(&name));
        self.handlers.iter().any(|handler| handler.predicate.0.iter().any(is_for))
    }
}

/// Every handler comes from core, from the charm, or from a crate that the charm lists.
fn check_crates(defs: &[&'static HandlerDef], charm: Option<&str>, listed: &[&str]) -> Result<(), Error> {
    let mut others: BTreeMap<&str, String> = BTreeMap::new();
    for def in defs {
        let name = def.crate_name();
        let known = name == CORE || listed.contains(&name) || Some(def.package) == charm;
        if !known {
            others.entry(def.package).or_insert_with(|| format!("`{}` ({})", def.package, def.path()));
        }
    }
    // Without a list there is one package that need not be on it: the charm itself.
    let allowed = usize::from(charm.is_none());
    if others.len() <= allowed {
        return Ok(());
    }
    Err(Error::UnlistedCrates { packages: others.into_values().collect() })
}

/// One handler for each endpoint if its flags have a placeholder, otherwise one.
fn instances(def: &'static HandlerDef, setup: Setup<'_>) -> Result<Vec<Handler>, String> {
    let metadata = setup.metadata;
    for hook in hooks(def, metadata) {
        // Every charm has this endpoint without naming it (contract 11.1).
        let endpoint = hook.rsplit_once("-relation-").map(|(endpoint, _)| endpoint).filter(|name| *name != "juju-info");
        if let Some(endpoint) = endpoint.filter(|name| !metadata.endpoints.contains_key(*name)) {
            return Err(format!("it is for the hook `{hook}`, and metadata.yaml has no endpoint `{endpoint}`"));
        }
    }
    let interfaces: Vec<EndpointType> = def.params.iter().filter_map(|param| param.endpoint).collect();
    if !flags(def).any(flag::is_template) {
        let endpoints = def.params.iter().map(|param| filled(def, param, metadata)).collect::<Result<_, _>>()?;
        return Ok(vec![checked(Handler::new(def, None, endpoints, metadata), setup)?]);
    }
    let [first, others @ ..] = interfaces.as_slice() else {
        return Err(
            "its flags name `{endpoint_name}` or `{relation_name}`, but no parameter is an interface whose endpoints \
                    could stand for it; add one, such as `peers: ZookeeperPeers`"
                .to_owned(),
        );
    };
    if others.iter().any(|other| other != first) {
        return Err(
            "its flags name `{endpoint_name}` or `{relation_name}`, and its parameters are different interfaces; \
                    write the endpoint's name into the flags"
                .to_owned(),
        );
    }
    let each = metadata.endpoints_of(*first).map(|name| {
        let fill = |param: &ParamDef| param.endpoint.map_or(Filled::No, |_| Filled::By(name.to_owned()));
        checked(Handler::new(def, Some(name), def.params.iter().map(fill).collect(), metadata), setup)
    });
    each.collect()
}

fn checked(handler: Handler, setup: Setup<'_>) -> Result<Handler, String> {
    for param in handler.params().iter().filter(|param| !param.optional) {
        (param.check)(&setup).map_err(|reason| format!("parameter `{}`: {reason}", param.name))?;
    }
    Ok(handler)
}

fn flags(def: &HandlerDef) -> impl Iterator<Item = &'static str> {
    def.conditions
        .iter()
        .flat_map(|condition| match condition {
            ConditionDef::Flags(_, flags) => *flags,
            _ => &[],
        })
        .map(|flag| flag.name())
}

/// The endpoint for a parameter: the one whose name begins a flag, else the one with the parameter's name, else the only
/// one there is.
fn filled(def: &HandlerDef, param: &ParamDef, metadata: &Metadata) -> Result<Filled, String> {
    let Some(wanted) = param.endpoint else { return Ok(Filled::No) };
    let candidates: Vec<&str> = metadata.endpoints_of(wanted).collect();
    let is_of_candidate =
        |hook: &String| metadata.relation_hook(hook).is_some_and(|(e, _)| candidates.contains(&e.name.as_str()));
    let hooks = hooks(def, metadata);
    let has_patterns = def.conditions.iter().any(|condition| matches!(condition, ConditionDef::Hook(_)));
    // A pattern for a role that this charm does not play: the handler is another charm's.
    let is_anothers = has_patterns && hooks.is_empty();
    if is_anothers || hooks.iter().any(is_of_candidate) {
        return Ok(Filled::ByHook(candidates.into_iter().map(str::to_owned).collect()));
    }
    let begins = |name: &str, flag: &str| flag.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
    let of_flags: BTreeSet<&str> =
        candidates.iter().copied().filter(|name| flags(def).any(|flag| begins(name, flag))).collect();
    let named: Option<&str> =
        candidates.iter().copied().find(|name| name.replace('-', "_") == param.name.trim_start_matches('_'));
    let found = match (of_flags.len(), candidates.len()) {
        (1, _) => of_flags.first().copied(),
        (0, 1) => candidates.first().copied(),
        (0, _) => named,
        (_, _) => named.filter(|name| of_flags.contains(name)),
    };
    match found {
        Some(name) => Ok(Filled::By(name.to_owned())),
        None if candidates.is_empty() && param.optional => Ok(Filled::No),
        None if candidates.is_empty() => Err(format!(
            "nothing can fill its parameter `{}: {}`: metadata.yaml has no endpoint of the interface `{}` under `{}`; add \
             one, or make it an `Option`",
            param.name, param.type_name, wanted.interface, wanted.role
        )),
        None => Err(format!(
            "its parameter `{}: {}` could be each of the endpoints {}; give the parameter the name of one, or wait for a \
             flag that begins with it",
            param.name,
            param.type_name,
            candidates.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )),
    }
}
