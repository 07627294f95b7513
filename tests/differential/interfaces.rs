//! The interfaces that the charms speak, each scope of conversations in each role.

use zkpeer_core::metadata::Role;
use zkpeer_core::{Context, Conversation, Endpoint, FromContext, Interface, Param, Rejection, Result, Scope};

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
