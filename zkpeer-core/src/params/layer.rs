//! Options of the charm's layers, as one type for each.

use std::ops::Deref;

use serde::de::DeserializeOwned;

use crate::context::{Context, Param, Setup};
use crate::error::describe;
use crate::extract::{FromContext, Rejection};

/// The options that a layer of the charm has: its schema.
///
/// A type with serde's `Deserialize`: its fields are the options, with serde's words for defaults and other names. See
/// [`LayerOptions`].
pub trait Layer: DeserializeOwned {
    /// The layer's name, under which `layer.yaml` has its options.
    const NAME: &'static str;
}

/// The options of a layer, fixed when the charm is built: what `layer.yaml` in the charm's directory has under
/// `options: {LAYER: {..}}`.
///
/// They are held to the layer's type before any handler runs: an option that the type has not, or a value that does not fit, is
/// an error that names file, layer and option. A charm without `layer.yaml`, or one that says nothing of the layer, has the
/// defaults.
///
/// ```
/// use serde::Deserialize;
/// use zkpeer_core::{Layer, LayerOptions, when_not};
///
/// /// options: {server: {java-heap: 512}}
/// #[derive(Deserialize)]
/// #[serde(default, rename_all = "kebab-case")]
/// struct Server {
///     java_heap: u32,
///     packages: Vec<String>,
/// }
///
/// impl Default for Server {
///     fn default() -> Self {
///         Self { java_heap: 256, packages: Vec::new() }
///     }
/// }
///
/// impl Layer for Server {
///     const NAME: &'static str = "server";
/// }
///
/// #[when_not("server.installed")]
/// fn install(options: LayerOptions<Server>) {
///     println!("-Xmx{}m", options.java_heap);
/// }
/// ```
#[doc(alias = "layer.options")]
#[derive(Clone, Debug)]
pub struct LayerOptions<T>(T);

impl<T> Deref for LayerOptions<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: Layer> FromContext for LayerOptions<T> {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        Ok(Self(context.outside().layers.options(T::NAME)?))
    }

    fn check(setup: &Setup<'_>) -> Result<(), String> {
        setup.layers.options::<T>(T::NAME).map(|_| ()).map_err(|error| describe(&error))
    }
}
