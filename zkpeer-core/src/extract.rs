//! Parameters of handlers, found by their type.

use std::error::Error as StdError;

use crate::context::{Context, Param, Setup};
use crate::handler::{AtStart, EndpointType};

/// A type that a handler can ask for by naming it as a parameter.
///
/// Parameters are taken by value and share the hook's state, so that two of them never stand in each other's way.
/// `Option<T>` takes an absence as a value.
#[doc = include_str!("docs/injectable.md")]
#[diagnostic::on_unimplemented(
    message = "a handler cannot ask for `{Self}`",
    label = "nothing can be put in here",
    note = "a handler's parameters are taken by value, each one of: `Flags`, `Triggers`, `Config`, `Unit`, `Leader`, `Status`, `Log`, `HookEvent`, `Action`, `Kv`, `CharmDir`, `Root`, `Commands`, `Ports`, `Network`, `GoalState`, `ControllerState`, `Context`, an interface (a type with `Interface`) or a `Vec` of one, `Resource<T>` of a value or a trait given to `Charm::resource`, `LayerOptions<T>` of a type with `Layer`, or an `Option` of one of these"
)]
pub trait FromContext: Sized {
    /// The endpoint that a value of this type speaks for, if it is an interface.
    #[doc(hidden)]
    const ENDPOINT: Option<EndpointType> = None;
    /// What is done at the beginning of each hook, if it is an interface.
    #[doc(hidden)]
    const AT_START: Option<AtStart> = None;
    /// Whether an absence is a value of this type.
    #[doc(hidden)]
    const OPTIONAL: bool = false;
    /// Whether it is one of the library's own handles, by which no flag changes unseen, and which are always there.
    #[doc(hidden)]
    const PLAIN: bool = false;

    /// Makes the value for one call of a handler.
    ///
    /// # Errors
    ///
    /// A [`Rejection`]: nothing to fill the parameter with, which skips the handler, or a failure, which fails the hook.
    fn from_context(context: &Context, param: &Param<'_>) -> Result<Self, Rejection>;

    /// Looks before any handler runs whether a value can be made at all in this charm.
    ///
    /// # Errors
    ///
    /// What is missing and what to do about it, in a sentence for the charm's author.
    fn check(setup: &Setup<'_>) -> Result<(), String> {
        let _ = setup;
        Ok(())
    }

    /// Calls a method by its name, if this is an interface and it has one of that name.
    #[doc(hidden)]
    fn call(
        context: &Context,
        param: &Param<'_>,
        method: &str,
        arguments: &[String],
    ) -> crate::Result<Option<serde_json::Value>> {
        let _ = (context, param, method, arguments);
        Ok(None)
    }
}

/// Calls a method of an interface by its name.
pub(crate) type Caller =
    fn(&Context, &Param<'_>, method: &str, arguments: &[String]) -> crate::Result<Option<serde_json::Value>>;

/// Why a parameter was not filled.
#[derive(Debug)]
#[non_exhaustive]
pub enum Rejection {
    /// There is nothing to fill it with in this hook: the handler is skipped, and the report says why.
    Skip(String),
    /// It should have been there, and something went wrong: the hook fails.
    Fail(Box<dyn StdError + Send + Sync>),
}

impl<E: StdError + Send + Sync + 'static> From<E> for Rejection {
    fn from(error: E) -> Self {
        Self::Fail(Box::new(error))
    }
}

impl<T: FromContext> FromContext for Option<T> {
    const ENDPOINT: Option<EndpointType> = T::ENDPOINT;
    const AT_START: Option<AtStart> = T::AT_START;
    const OPTIONAL: bool = true;
    const PLAIN: bool = T::PLAIN;

    fn from_context(context: &Context, param: &Param<'_>) -> Result<Self, Rejection> {
        match T::from_context(context, param) {
            Ok(value) => Ok(Some(value)),
            Err(Rejection::Skip(_)) => Ok(None),
            Err(fail) => Err(fail),
        }
    }
}
