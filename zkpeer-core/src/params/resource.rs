//! Values of the author's types: what handlers need besides Juju, and what tests put something else in the place of.

use std::ops::Deref;
use std::rc::Rc;

use crate::context::{Context, Param, Setup};
use crate::extract::{FromContext, Rejection};

/// A value of a type of the author's, given to [`Charm::resource`](crate::Charm::resource): what handlers need besides
/// Juju, and what tests put something else in the place of.
///
/// A trait of the author's says what handlers need of it, and has one form for the machine and one for tests:
///
/// ```
/// use std::rc::Rc;
/// use zkpeer_core::{Charm, CharmDir, Resource, Result, when_not};
///
/// trait Server {
///     fn install(&self) -> std::io::Result<()>;
/// }
///
/// /// By its files.
/// struct Files(std::path::PathBuf);
///
/// impl Server for Files {
///     fn install(&self) -> std::io::Result<()> {
///         std::fs::create_dir_all(&self.0)
///     }
/// }
///
/// #[when_not("server.installed")]
/// fn install(server: Resource<dyn Server>) -> Result {
///     server.install()?;
///     Ok(())
/// }
///
/// fn charm() -> Charm {
///     Charm::new().resource_from::<dyn Server>(|context| {
///         let charm_dir: CharmDir = context.ask_for()?;
///         Ok(Rc::new(Files(charm_dir.join("server"))))
///     })
/// }
/// ```
#[derive(Debug)]
pub struct Resource<T: ?Sized>(Rc<T>);

impl<T: ?Sized> Clone for Resource<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Resource<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + 'static> FromContext for Resource<T> {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        match context.outside().resources.get(context) {
            Ok(Some(value)) => Ok(Self(value)),
            Ok(None) => Err(Rejection::Skip(missing::<T>())),
            Err(error) => Err(Rejection::Fail(error)),
        }
    }

    fn check(setup: &Setup<'_>) -> Result<(), String> {
        if setup.has_resource::<T>() { Ok(()) } else { Err(missing::<T>()) }
    }
}

fn missing<T: ?Sized>() -> String {
    let name = std::any::type_name::<T>();
    let give = if name.starts_with("dyn ") { format!("resource_as::<{name}>") } else { "resource".to_owned() };
    format!(
        "there is no resource of type `{name}`; give one in main: `Charm::new().{give}(..).main()`, or in a test with `fake`"
    )
}
