//! A charm is deployed without units, in a model of its own: what Juju would refuse is refused with file and line.

use std::error::Error as _;
use std::path::Path;

use zkpeer_core::testing::{Application, Error, JujuVersion, Model};

/// The model in which it is then; its only application has the charm's name.
pub(crate) fn deploy<'c>(
    charm: &Path,
    config: impl IntoIterator<Item = (&'c String, &'c String)>,
    juju: &JujuVersion,
) -> Result<Model, String> {
    let mut application = Application::new(charm).units(0).function(|_| 0);
    for (option, value) in config {
        application = application.config(option, value.as_str());
    }
    let mut model = Model::juju(&juju.to_string()).map_err(|error| told(&error))?;
    model.deploy(application).map_err(|error| told(&error))?;
    Ok(model)
}

/// The charm's name, if Juju would take what it says of itself.
pub(crate) fn name(charm: &Path) -> Result<String, String> {
    let model = deploy(charm, [], &JujuVersion::default())?;
    Ok(model.applications().first().copied().unwrap_or_default().to_owned())
}

fn told(error: &Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
