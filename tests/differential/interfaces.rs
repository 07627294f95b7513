//! The interfaces that the charms speak, each scope of conversations in each role.

use zkpeer_core::metadata::Role;
use zkpeer_core::{
    Context, Conversation, Endpoint, Flags, FromContext, Interface, Param, ParamDef, Rejection, Result, Scope, Triggers,
};

use crate::case::{self, MODERN};
use crate::ours::{case_of_now, change_flags, register};

/// The names of the interfaces, and whom a conversation of each is with.
const SCOPES: [(&str, Scope); 4] = [
    ("unit", Scope::Unit),
    ("app", Scope::Application),
    ("global", Scope::Global),
    ("named", Scope::Named("everybody")),
];
const ROLES: [Role; 3] = [Role::Provides, Role::Requires, Role::Peers];

/// An endpoint of an interface that is spoken in conversations.
struct Speaks<const SCOPE: usize, const ROLE: usize>(Endpoint);

impl<const SCOPE: usize, const ROLE: usize> Interface for Speaks<SCOPE, ROLE> {
    const ROLE: Role = ROLES[ROLE];
    const NAME: &str = SCOPES[SCOPE].0;

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

/// All endpoints of the charm that are spoken in conversations, with their scopes.
pub(crate) fn speaking(context: &Context, param: &Param<'_>) -> Result<Vec<(Endpoint, Scope)>> {
    let mut all = Vec::new();
    let mut add = |scope: usize, found: Result<Vec<Endpoint>>| -> Result {
        all.extend(found?.into_iter().map(|endpoint| (endpoint, SCOPES[scope].1)));
        Ok(())
    };
    add(0, of_scope::<0>(context, param))?;
    add(1, of_scope::<1>(context, param))?;
    add(2, of_scope::<2>(context, param))?;
    add(3, of_scope::<3>(context, param))?;
    Ok(all)
}

fn of_scope<const SCOPE: usize>(context: &Context, param: &Param<'_>) -> Result<Vec<Endpoint>> {
    let mut all = of::<SCOPE, 0>(context, param)?;
    all.extend(of::<SCOPE, 1>(context, param)?);
    all.extend(of::<SCOPE, 2>(context, param)?);
    Ok(all)
}

fn of<const SCOPE: usize, const ROLE: usize>(context: &Context, param: &Param<'_>) -> Result<Vec<Endpoint>> {
    match Vec::<Speaks<SCOPE, ROLE>>::from_context(context, param) {
        Ok(found) => Ok(found.into_iter().map(|speaks| speaks.0).collect()),
        Err(Rejection::Skip(_)) => Ok(Vec::new()),
        Err(Rejection::Fail(error)) => Err(error),
        Err(_) => Err("an endpoint is refused for a new reason".into()),
    }
}

/// The conversations that a handler is about: with whom the hook is about for one of hooks, those that have one of its flags
/// for one of flags.
pub(crate) fn conversations(
    endpoints: &[(Endpoint, Scope)],
    hook: Option<&str>,
    flags: &[&str],
) -> Result<Vec<Conversation>> {
    let mut all = Vec::new();
    for (endpoint, scope) in endpoints {
        if hook == Some(endpoint.name()) {
            all.extend(endpoint.conversation(*scope)?);
        }
    }
    for flag in flags {
        let of = flag.split('.').next().filter(|name| name.len() < flag.len());
        for (endpoint, _) in endpoints.iter().filter(|(endpoint, _)| of == Some(endpoint.name())) {
            all.extend(endpoint.conversations_in(flag)?);
        }
    }
    Ok(all)
}

/// An endpoint that is spoken without conversations.
pub(crate) struct Modern<const ROLE: usize>(pub(crate) Endpoint);

impl<const ROLE: usize> Modern<ROLE> {
    /// What the case says of the endpoint.
    fn said(&self) -> Option<case::Endpoint> {
        case_of_now().endpoints.iter().find(|endpoint| endpoint.name == self.0.name()).cloned()
    }
}

impl<const ROLE: usize> Interface for Modern<ROLE> {
    const ROLE: Role = ROLES[ROLE];
    const NAME: &str = MODERN;

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    fn register_triggers(&self, triggers: &Triggers) {
        let said = self.said().into_iter().flat_map(|endpoint| endpoint.triggers);
        said.for_each(|trigger| register(triggers, &trigger));
    }

    fn manage_flags(&self) -> Result {
        for step in self.said().into_iter().flat_map(|endpoint| endpoint.manage) {
            change_flags(&Flags::of(self.0.context()), &step);
        }
        Ok(())
    }
}

static ALL_MODERN: [ParamDef; 3] = [
    ParamDef::of::<Vec<Modern<0>>>("all", "Vec<Modern>"),
    ParamDef::of::<Vec<Modern<1>>>("all", "Vec<Modern>"),
    ParamDef::of::<Vec<Modern<2>>>("all", "Vec<Modern>"),
];
static PROVIDES: [ParamDef; 1] = [ParamDef::of::<Modern<0>>("this", "Modern")];
static REQUIRES: [ParamDef; 1] = [ParamDef::of::<Modern<1>>("this", "Modern")];
static PEERS: [ParamDef; 1] = [ParamDef::of::<Modern<2>>("this", "Modern")];

/// The parameters of a handler: for one of an interface its endpoint, for others all endpoints.
pub(crate) const fn params(of: Option<case::Role>) -> &'static [ParamDef] {
    match of {
        None => &ALL_MODERN,
        Some(case::Role::Provides) => &PROVIDES,
        Some(case::Role::Requires) => &REQUIRES,
        Some(case::Role::Peers) => &PEERS,
    }
}

/// The endpoint of this name, if it is a modern one.
pub(crate) fn modern(context: &Context, param: &Param<'_>, name: &str) -> Result<Option<Endpoint>> {
    let mut all = modern_of::<0>(context, param)?;
    all.extend(modern_of::<1>(context, param)?);
    all.extend(modern_of::<2>(context, param)?);
    Ok(all.into_iter().find(|endpoint| endpoint.name() == name))
}

fn modern_of<const ROLE: usize>(context: &Context, param: &Param<'_>) -> Result<Vec<Endpoint>> {
    match Vec::<Modern<ROLE>>::from_context(context, param) {
        Ok(found) => Ok(found.into_iter().map(|modern| modern.0).collect()),
        Err(Rejection::Skip(_)) => Ok(Vec::new()),
        Err(Rejection::Fail(error)) => Err(error),
        Err(_) => Err("an endpoint is refused for a new reason".into()),
    }
}
