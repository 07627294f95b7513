//! The unit, its configuration, ports and networks, and its part of the log.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::ask;
use crate::context::{Context, Param};
use crate::error::Error;
use crate::extract::{FromContext, Rejection};
use crate::juju::{AddressKind, JujuResult, LogLevel, NetworkInfo, Port, UnitName};

/// The charm's configuration, read once a hook.
///
/// ```
/// use zkpeer_core::{Config, Result, when};
///
/// #[when("config.changed.port")]
/// fn listen(config: Config) -> Result {
///     let port: u16 = config.get("port")?.unwrap_or(2181);
///     println!("listening on {port}");
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Config(Rc<BTreeMap<String, Value>>);

impl FromContext for Config {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        Ok(Self(ask::config(context)?))
    }
}

impl Config {
    /// The value of an option; none if it has no value, nor a default, or is not in `config.yaml`. Ask for types that own
    /// what they hold: `String`, not `&str`.
    ///
    /// # Errors
    ///
    /// If the value is not of the type that is asked for.
    pub fn get<T: DeserializeOwned>(&self, option: &str) -> Result<Option<T>, Error> {
        match self.0.get(option) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => T::deserialize(value).map(Some).map_err(|source| Error::Value {
                what: "configuration option",
                key: option.to_owned(),
                source,
            }),
        }
    }

    /// The whole configuration as one type, such as a struct with a field for each option (with serde's feature `derive`).
    ///
    /// ```
    /// use zkpeer_core::{Config, Result, when};
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "kebab-case")]
    /// struct Options {
    ///     client_port: u16,
    /// }
    ///
    /// #[when("config.changed")]
    /// fn listen(config: Config) -> Result {
    ///     let options: Options = config.all()?;
    ///     println!("listening on {}", options.client_port);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If the values do not fit the type.
    pub fn all<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let map: Map<String, Value> = self.0.iter().map(|(option, value)| (option.clone(), value.clone())).collect();
        let fit = |map: Map<String, Value>| T::deserialize(Value::Object(map));
        fit(map.clone()).map_err(|source| {
            // The option that does not fit is the one without which the error is another one.
            let is_it = |option: &&String| {
                let rest = map.iter().filter(|(other, _)| other != option);
                let rest = rest.map(|(option, value)| (option.clone(), value.clone())).collect();
                fit(rest).err().is_none_or(|other| other.to_string() != source.to_string())
            };
            let is_of_one = !source.to_string().starts_with("missing field");
            match map.keys().find(is_it).filter(|_| is_of_one) {
                Some(option) => Error::Value { what: "configuration option", key: option.clone(), source },
                None => Error::Value { what: "configuration", key: "config.yaml".to_owned(), source },
            }
        })
    }
}

/// This unit.
#[derive(Clone, Debug)]
pub struct Unit(Context);

impl Unit {
    /// The unit of a run, for interfaces.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// Its name, such as `zk/0`.
    #[must_use]
    pub fn name(&self) -> &UnitName {
        &self.0.outside().unit
    }

    /// The version of Juju that runs it, such as `3.6.25`.
    #[must_use]
    pub fn juju_version(&self) -> Option<&str> {
        self.0.outside().juju_version.as_deref()
    }

    /// Its address within the model (`unit-get private-address`).
    ///
    /// # Errors
    ///
    /// If Juju does not know it yet.
    pub fn private_address(&self) -> JujuResult<String> {
        self.0.juju().unit_get(AddressKind::Private)
    }

    /// Its address as seen from outside (`unit-get public-address`).
    ///
    /// # Errors
    ///
    /// If Juju does not know it yet.
    pub fn public_address(&self) -> JujuResult<String> {
        self.0.juju().unit_get(AddressKind::Public)
    }
}

/// Juju's log of this unit. A message that cannot be logged goes to standard error.
///
/// Events that are made with the crate `tracing` while a hook runs are there, too, by their levels; `Log` is for a charm that
/// needs nothing else.
#[derive(Clone, Debug)]
pub struct Log(Context);

impl Log {
    pub(crate) fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// For whoever looks for a fault.
    pub fn debug(&self, message: &str) {
        self.0.log(LogLevel::Debug, message);
    }

    /// Worth knowing.
    pub fn info(&self, message: &str) {
        self.0.log(LogLevel::Info, message);
    }

    /// Something is not as it should be.
    pub fn warning(&self, message: &str) {
        self.0.log(LogLevel::Warning, message);
    }

    /// Something failed.
    pub fn error(&self, message: &str) {
        self.0.log(LogLevel::Error, message);
    }
}

/// The unit's open ports. Changes take effect when the hook has succeeded.
#[derive(Clone, Debug)]
pub struct Ports(Context);

impl Ports {
    pub(crate) fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// Opens a port or a range; one that is open stays open.
    pub fn open(&self, port: Port) {
        self.0.outbox().borrow_mut().ports.push((port, true));
    }

    /// Closes a port or a range; one that is closed stays closed.
    pub fn close(&self, port: Port) {
        self.0.outbox().borrow_mut().ports.push((port, false));
    }
}

/// The unit's networks.
#[derive(Clone, Debug)]
pub struct Network(Context);

impl Network {
    pub(crate) fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// The addresses bound to an endpoint (`network-get`).
    ///
    /// # Errors
    ///
    /// If there is no such endpoint.
    pub fn of_endpoint(&self, endpoint: &str) -> JujuResult<NetworkInfo> {
        self.0.juju().network_get(endpoint, None)
    }

    /// The address under which the other side of an endpoint reaches this unit, the one that Juju tells peers; none as long as
    /// Juju knows none. When it changes Juju runs `config-changed` (contract 3.2).
    ///
    /// # Errors
    ///
    /// If Juju refuses. A name that is no endpoint's is taken for one without an address: Juju says the same of both.
    pub fn ingress_address(&self, endpoint: &str) -> JujuResult<Option<String>> {
        match self.of_endpoint(endpoint) {
            Err(error) if error.is_address_not_found() => Ok(None),
            info => Ok(info?.ingress_addresses.into_iter().next()),
        }
    }
}

/// What this unit keeps in the controller (`state-get`, `state-set`): it is applied together with relation data when the
/// hook has succeeded, and outlives the unit's disk.
///
/// A key may have 256 bytes, a value 65,536 (contract 9.8).
#[derive(Clone, Debug)]
pub struct ControllerState(Context);

impl ControllerState {
    pub(crate) fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// A value; what this hook has set is seen.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn get(&self, key: &str) -> Result<Option<String>, Error> {
        if let Some(pending) = self.0.outbox().borrow().controller_state.get(key) {
            return Ok(pending.clone());
        }
        ask::controller_state(&self.0, key)
    }

    /// Sets a value when the hook has succeeded.
    pub fn set(&self, key: &str, value: &str) {
        self.0.outbox().borrow_mut().controller_state.insert(key.to_owned(), Some(value.to_owned()));
    }

    /// Removes a key when the hook has succeeded.
    pub fn unset(&self, key: &str) {
        self.0.outbox().borrow_mut().controller_state.insert(key.to_owned(), None);
    }
}
