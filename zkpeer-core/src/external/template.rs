//! `render_template`: a Jinja2 template of the charm, with the variables of the environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::arguments::Line;
use super::wire::Answer;

/// Renders `templates/SOURCE` to TARGET.
#[cfg(not(feature = "templates"))]
pub(super) fn render(_: &Line, _: &BTreeMap<OsString, OsString>, _: &Path) -> Answer {
    let message = "ERROR charms.reactive render_template: this charm was built without it; enable the feature `templates` of \
                   zkpeer-core in the charm's Cargo.toml";
    Answer::refused(1, message)
}
