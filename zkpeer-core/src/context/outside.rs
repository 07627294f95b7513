//! What a run is given and does not change: the hook, the charm, Juju, the author's own values.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use super::resources::Resources;
use crate::external::Means;
use crate::hook::HookEvent;
use crate::juju::{Juju, UnitName};
use crate::layers::Layers;
use crate::metadata::Metadata;
use crate::programs::Runner;
use crate::witness::Witness;

/// All that comes from outside a run and does not change in it.
pub(crate) struct Outside {
    pub(crate) event: HookEvent,
    pub(crate) unit: UnitName,
    pub(crate) charm_dir: PathBuf,
    /// Called before a handler may write files in the charm's directory, or below the root.
    pub(crate) before_files: Rc<dyn Fn()>,
    pub(crate) juju_version: Option<String>,
    /// Another one for each run of a hook.
    pub(crate) context_id: Option<String>,
    pub(crate) home_is_set: bool,
    /// `PATH`, if this process is the charm's program and not a test.
    pub(crate) program_path: Option<OsString>,
    /// Whether the unit leaves what a charm on charms.reactive needs, also where there never was one.
    pub(crate) may_go_back_to_python: bool,
    pub(crate) metadata: Rc<Metadata>,
    pub(crate) layers: Layers,
    pub(crate) juju: Rc<dyn Juju>,
    pub(crate) resources: Resources,
    /// The time since some fixed moment.
    pub(crate) clock: Rc<dyn Fn() -> Duration>,
    /// What runs programs.
    pub(crate) programs: Rc<dyn Runner>,
    /// Where the machine's files are, if not at `/`.
    pub(crate) root: Option<PathBuf>,
    /// Who is told what this run does, if it is a test's.
    pub(crate) witness: Option<Rc<dyn Witness>>,
    /// What programs of handlers need, if they can be started.
    pub(crate) externals: Option<Means>,
}

impl fmt::Debug for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("event", &self.event).field("unit", &self.unit).finish_non_exhaustive()
    }
}

/// Whether a Juju of this version still has leader settings (contract 12).
pub(crate) fn has_leader_settings(version: Option<&str>) -> bool {
    let major = version.and_then(|version| version.split('.').next()).and_then(|major| major.parse::<u32>().ok());
    major.is_none_or(|major| major < 4)
}

/// What is known of a charm before the first handler runs.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Setup<'a> {
    /// The charm's metadata.
    pub metadata: &'a Metadata,
    /// The version of Juju, if it was told.
    pub juju_version: Option<&'a str>,
    pub(crate) resources: &'a Resources,
    pub(crate) layers: &'a Layers,
}

impl fmt::Debug for Setup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("juju_version", &self.juju_version).finish_non_exhaustive()
    }
}

impl Setup<'_> {
    pub(crate) fn has_resource<T: ?Sized + 'static>(&self) -> bool {
        self.resources.contains::<T>()
    }
}
