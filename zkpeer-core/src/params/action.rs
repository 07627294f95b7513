//! The action that runs.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::context::{Context, Param};
use crate::error::Error;
use crate::extract::{FromContext, Rejection};
use crate::juju::{JujuResult, tools::check_pair};

/// The action that runs: its parameters and its results.
///
/// A handler that asks for it is skipped in hooks; `Option<Action>` is none there.
///
/// ```
/// use zkpeer_core::{Action, Result, action};
///
/// #[action("greet")]
/// fn greet(action: Action) -> Result {
///     let name: String = action.get("name")?.unwrap_or_else(|| "world".to_owned());
///     action.set("greeting", &format!("hello, {name}"));
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Action {
    context: Context,
    parameters: Map<String, Value>,
}

impl FromContext for Action {
    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        if context.event().action().is_none() {
            return Err(Rejection::Skip("no action is running".to_owned()));
        }
        Ok(Self { context: context.clone(), parameters: context.juju().action_get()? })
    }
}

impl Action {
    /// The action's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.context.event().name()
    }

    /// A parameter; none if it was not given and has no default.
    ///
    /// # Errors
    ///
    /// If the value is not of the type that is asked for.
    pub fn get<T: DeserializeOwned>(&self, parameter: &str) -> Result<Option<T>, Error> {
        match self.parameters.get(parameter) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value).map(Some).map_err(|source| Error::Value {
                what: "action parameter",
                key: parameter.to_owned(),
                source,
            }),
        }
    }

    /// Sets a result, told to the operator when the action has ended. A dot in the key makes a nested map; each part is
    /// of lower-case letters, digits and inner hyphens.
    ///
    /// What Juju would not take fails the hook.
    pub fn set(&self, key: &str, value: &str) {
        if let Err(error) = check_pair("action-set", key, value, false) {
            return self.context.fail(error.into());
        }
        self.context.outbox().borrow_mut().action_results.insert(key.to_owned(), value.to_owned());
    }

    /// The action has failed, for a reason that is the operator's business; what the charm has done so far is kept. For a
    /// failure that undoes everything, return an error.
    pub fn fail(&self, message: &str) {
        self.context.outbox().borrow_mut().action_failed = Some(message.to_owned());
    }

    /// Tells the operator about progress, at once.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn log(&self, message: &str) -> JujuResult {
        self.context.juju().action_log(message)
    }
}
