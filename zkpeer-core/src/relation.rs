//! Relations as an interface sees them: its endpoint, who is there, what they publish, and the conversations with them.

mod conversation;
mod databag;
pub(crate) mod departed;
mod endpoint;
mod related;

pub use conversation::Conversation;
pub(crate) use conversation::{CONVERSATION_PREFIX, FlagValue, LOCAL, Record, at_end};
pub use databag::Databag;
pub use endpoint::{Endpoint, Scope};
pub use related::{RelatedUnit, Relation, Units};

use std::error::Error as StdError;

use crate::context::{Context, Param, Setup};
use crate::extract::{FromContext, Rejection};
use crate::handler::{AtStart, EndpointType};
use crate::metadata::Role;
use crate::params::Triggers;

/// An interface: a type that speaks the protocol of one kind of relation from one side of it.
///
/// A handler that takes an interface as a parameter is given the endpoint that its flags name; with
/// `{relation_name}` or `{endpoint_name}` in its flags there is one instance of the handler for each endpoint of the
/// metadata that has the interface and role.
///
/// ```
/// use zkpeer_core::metadata::Role;
/// use zkpeer_core::{Endpoint, Interface, Result, Scope, hook};
///
/// pub struct PingPeers {
///     endpoint: Endpoint,
/// }
///
/// impl Interface for PingPeers {
///     const ROLE: Role = Role::Peers;
///     const NAME: &str = "ping";
///
///     fn new(endpoint: Endpoint) -> Self {
///         Self { endpoint }
///     }
/// }
///
/// #[hook("{peers:ping}-relation-joined")]
/// fn joined(ping: PingPeers) -> Result {
///     if let Some(conversation) = ping.endpoint.conversation(Scope::Unit)? {
///         conversation.set_flag("{relation_name}.joined");
///     }
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an interface",
    label = "does not implement `Interface`",
    note = "an interface is a type with `impl Interface for ..`: its role, its name in metadata.yaml, and how it is made of an `Endpoint`"
)]
pub trait Interface: Sized {
    /// The role that the charm plays.
    const ROLE: Role;
    /// The interface's name in `metadata.yaml`.
    const NAME: &'static str;

    /// The flags that the interface sets and clears by itself, in methods and in what it does at the beginning of a hook: for
    /// [the check](crate::check) of a charm, which sees only what handlers do in their own bodies. `{endpoint_name}` stands for
    /// the endpoint's name.
    const FLAGS: &'static [&'static str] = &[];

    /// The interface on this endpoint, for one call of one handler.
    fn new(endpoint: Endpoint) -> Self;

    /// Registers triggers that stand in this hook. It is called at the beginning of each hook, once for each endpoint that
    /// has the interface and role, before the automatic flags of endpoints are brought up to date: so these set them off.
    ///
    /// ```
    /// # use zkpeer_core::{Endpoint, Triggers};
    /// # struct Database { endpoint: Endpoint }
    /// # impl Database {
    /// fn register_triggers(&self, triggers: &Triggers) {
    ///     let joined = self.endpoint.flag("endpoint.{endpoint_name}.joined");
    ///     triggers.when_not(joined).clear(self.endpoint.flag("{endpoint_name}.available"));
    /// }
    /// # }
    /// ```
    fn register_triggers(&self, triggers: &Triggers) {
        let _ = triggers;
    }

    /// Brings flags of the interface's own up to date. It is called at the beginning of each hook, once for each endpoint
    /// that has the interface and role, after the automatic flags and before the first handler.
    ///
    /// ```
    /// # use zkpeer_core::{Endpoint, Result};
    /// # struct Database { endpoint: Endpoint }
    /// # impl Database {
    /// fn manage_flags(&self) -> Result {
    ///     let mut knows_a_host = false;
    ///     for unit in &self.endpoint.all_joined_units()? {
    ///         knows_a_host |= unit.received()?.raw("host").is_some();
    ///     }
    ///     self.endpoint.toggle_flag("{endpoint_name}.available", knows_a_host);
    ///     Ok(())
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Whatever goes wrong fails the hook.
    fn manage_flags(&self) -> crate::Result {
        Ok(())
    }

    /// Looks before any handler runs whether the charm has what the interface needs besides its endpoint, such as leader
    /// settings: `Leader::check(setup)`.
    ///
    /// # Errors
    ///
    /// What is missing and what to do about it, in a sentence for the charm's author.
    fn check(setup: &Setup<'_>) -> Result<(), String> {
        let _ = setup;
        Ok(())
    }

    /// Calls a method by its name, for [handlers in other languages](crate::guide::external_handlers):
    /// `charms.reactive relation_call --flag db.ready uri`. `None` says that there is no such method.
    ///
    /// The methods that all interfaces have in charms.reactive (`conversations`, `get_remote`, `set_remote`, `get_local`,
    /// `set_local`, `set_flag`, `remove_flag`, `is_flag_set`, `toggle_flag`) are there without it.
    ///
    /// # Errors
    ///
    /// Whatever the method fails with: the caller is told, and the hook goes on.
    fn call(&self, method: &str, arguments: &[String]) -> crate::Result<Option<serde_json::Value>> {
        let _ = (method, arguments);
        Ok(None)
    }
}

const fn endpoint_type<T: Interface>() -> EndpointType {
    EndpointType { role: T::ROLE, interface: T::NAME }
}

/// What the interface does at the beginning of each hook.
const fn at_start<T: Interface>() -> AtStart {
    fn register_triggers<T: Interface>(endpoint: Endpoint, triggers: &Triggers) {
        T::new(endpoint).register_triggers(triggers);
    }
    fn manage_flags<T: Interface>(endpoint: Endpoint) -> Result<(), Box<dyn StdError + Send + Sync>> {
        T::new(endpoint).manage_flags()
    }
    AtStart {
        of: endpoint_type::<T>(),
        interface: std::any::type_name::<T>,
        flags: T::FLAGS,
        register_triggers: register_triggers::<T>,
        manage_flags: manage_flags::<T>,
    }
}

/// An interface for which the charm has no endpoint needs nothing: its handlers are there for other charms.
fn check_if_used<T: Interface>(setup: &Setup<'_>) -> Result<(), String> {
    let is_used = setup.metadata.endpoints_of(endpoint_type::<T>()).next().is_some();
    if is_used { <T as Interface>::check(setup) } else { Ok(()) }
}

#[diagnostic::do_not_recommend]
impl<T: Interface> FromContext for T {
    const ENDPOINT: Option<EndpointType> = Some(endpoint_type::<T>());
    const AT_START: Option<AtStart> = Some(at_start::<T>());

    fn from_context(context: &Context, param: &Param<'_>) -> Result<Self, Rejection> {
        match param.endpoint {
            Some(name) => Ok(T::new(Endpoint::new(context, name))),
            None => Err(Rejection::Skip(format!("no endpoint of this charm is {}:{} here", T::ROLE, T::NAME))),
        }
    }

    fn check(setup: &Setup<'_>) -> Result<(), String> {
        check_if_used::<T>(setup)
    }

    fn call(
        context: &Context,
        param: &Param<'_>,
        method: &str,
        arguments: &[String],
    ) -> crate::Result<Option<serde_json::Value>> {
        let Some(name) = param.endpoint else { return Ok(None) };
        T::new(Endpoint::new(context, name)).call(method, arguments)
    }
}

/// All endpoints of the charm that have the interface and role, in the order of their names; where there is none the handler is
/// skipped.
impl<T: Interface> FromContext for Vec<T> {
    const AT_START: Option<AtStart> = Some(at_start::<T>());

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        let names = context.outside().metadata.endpoints_of(endpoint_type::<T>());
        let all: Self = names.map(|name| T::new(Endpoint::new(context, name))).collect();
        if all.is_empty() {
            return Err(Rejection::Skip(format!("no endpoint of this charm is {}:{}", T::ROLE, T::NAME)));
        }
        Ok(all)
    }

    fn check(setup: &Setup<'_>) -> Result<(), String> {
        check_if_used::<T>(setup)
    }
}
