//! What the attributes say of a handler, as data: its place, its conditions, its parameters, and how to call it.

use std::error::Error as StdError;
use std::fmt;

use crate::context::{Call, Setup};
use crate::extract::Caller;
use crate::flag::Flag;
use crate::metadata::Role;
use crate::notes::{FunctionDef, Notes};
use crate::params::Triggers;
use crate::relation::Endpoint;

/// A handler as its attributes describe it; one for each function, made by the macros.
///
/// Tests pass them by [`handlers!`](crate::handlers); a charm's binary finds them through `inventory`.
#[derive(Debug)]
#[non_exhaustive]
pub struct HandlerDef {
    /// The package that the function is compiled in.
    pub package: &'static str,
    /// The path of the module that the function stands in, beginning with its crate.
    pub module: &'static str,
    /// The function's name.
    pub name: &'static str,
    /// The source file, as the compiler was given it.
    pub file: &'static str,
    /// The line of the function's name.
    pub line: u32,
    /// What must hold for it to run; all of them.
    pub conditions: &'static [ConditionDef],
    /// Its parameters, in order.
    pub params: &'static [ParamDef],
    /// Takes the parameters out of the context and calls the function.
    pub run: fn(&Call<'_>) -> Outcome,
    /// What is known of its dealings with flags.
    #[doc(hidden)]
    pub notes: &'static Notes,
}

impl HandlerDef {
    /// For the macros only: no part of the public interface.
    #[doc(hidden)]
    #[expect(clippy::too_many_arguments, reason = "called by the macros alone, which know the order")]
    #[must_use]
    pub const fn new(
        package: &'static str,
        module: &'static str,
        name: &'static str,
        file: &'static str,
        line: u32,
        conditions: &'static [ConditionDef],
        params: &'static [ParamDef],
        run: fn(&Call<'_>) -> Outcome,
        notes: &'static Notes,
    ) -> Self {
        Self { package, module, name, file, line, conditions, params, run, notes }
    }
    /// Module path and name: `hello::install`. The same in every build, so it can be stored.
    #[must_use]
    pub fn path(&self) -> String {
        format!("{}::{}", self.module, self.name)
    }

    /// Where the function stands: `src/main.rs:12`.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    /// The crate that the function is compiled in, as its path begins.
    #[must_use]
    pub fn crate_name(&self) -> &'static str {
        self.module.split("::").next().unwrap_or(self.module)
    }
}

impl fmt::Display for HandlerDef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}::{} ({}:{})", self.module, self.name, self.file, self.line)
    }
}

/// One attribute's condition, before the endpoint's name is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionDef {
    /// `when`, `when_all`, `when_any`, `when_not`, `when_none`, `when_not_all`.
    Flags(Quantifier, &'static [Flag]),
    /// `hook`: the hook's name matches one of the patterns.
    Hook(&'static [&'static str]),
    /// `action`: the action has one of the names.
    Action(&'static [&'static str]),
    /// `collect_metrics`, `meter_status_changed`.
    Restricted(RestrictedHook),
    /// `when_file_changed`: one of the files differs from what this handler last succeeded on.
    FileChanged(&'static [&'static str]),
    /// `only_once`: this handler has not succeeded yet, nor has one of the Python functions it replaces
    /// (`reactive/x.py:12:install`).
    OnlyOnce(&'static [&'static str]),
}

/// How many of a condition's flags have to be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantifier {
    /// All of them: `when`, `when_all`.
    All,
    /// At least one: `when_any`.
    Any,
    /// None: `when_not`, `when_none`.
    None,
    /// Not all: `when_not_all`.
    NotAll,
}

/// The two hooks that Juju runs outside of the normal sequence (contract 1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestrictedHook {
    /// `collect-metrics`.
    CollectMetrics,
    /// `meter-status-changed`.
    MeterStatusChanged,
}

impl RestrictedHook {
    /// The hook's name in Juju.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CollectMetrics => "collect-metrics",
            Self::MeterStatusChanged => "meter-status-changed",
        }
    }
}

/// One parameter of a handler.
#[derive(Debug)]
#[non_exhaustive]
pub struct ParamDef {
    /// Its name, `_` if it is a pattern.
    pub name: &'static str,
    /// Its type as written.
    pub type_name: &'static str,
    /// The interface and role that an endpoint needs to fill it, if it is an interface.
    pub endpoint: Option<EndpointType>,
    /// What is done at the beginning of each hook, if it is an interface.
    #[doc(hidden)]
    pub at_start: Option<AtStart>,
    /// Whether nothing to fill it is an answer (`Option<T>`).
    pub optional: bool,
    /// Looks before the first handler runs whether this can be filled at all.
    pub check: fn(&Setup<'_>) -> Result<(), String>,
    /// Whether it is one of the library's own handles, by which no flag changes unseen, and which are always there.
    #[doc(hidden)]
    pub plain: bool,
    /// Calls a method by its name, if it is an interface.
    pub(crate) call: Caller,
}

impl ParamDef {
    /// For the macros only: no part of the public interface.
    #[doc(hidden)]
    #[must_use]
    pub const fn of<T: crate::extract::FromContext>(name: &'static str, type_name: &'static str) -> Self {
        Self {
            name,
            type_name,
            endpoint: T::ENDPOINT,
            at_start: T::AT_START,
            optional: T::OPTIONAL,
            check: T::check,
            plain: T::PLAIN,
            call: T::call,
        }
    }
}

/// What an interface does at the beginning of each hook, on each endpoint that has it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AtStart {
    pub(crate) of: EndpointType,
    /// The name of its type.
    pub(crate) interface: fn() -> &'static str,
    /// The flags of the endpoint that the interface sets and clears by itself.
    pub(crate) flags: &'static [&'static str],
    pub(crate) register_triggers: fn(Endpoint, &Triggers),
    pub(crate) manage_flags: fn(Endpoint) -> Result,
}

/// An interface and the role a charm plays in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointType {
    /// Peers, provides or requires.
    pub role: Role,
    /// The interface's name in `metadata.yaml`.
    pub interface: &'static str,
}

impl fmt::Display for EndpointType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.role, self.interface)
    }
}

/// How a call of a handler ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// The handler has done its work.
    Done,
    /// The handler has ended the hook, successfully: what is queued is left, and everything so far is kept.
    EndHook,
    /// A parameter had nothing to fill it, and says that this is no failure; the handler was not called.
    Skipped {
        /// Which parameter.
        param: usize,
        /// Why.
        reason: String,
    },
    /// A parameter could not be filled; the handler was not called.
    Rejected {
        /// Which parameter.
        param: usize,
        /// Why.
        error: Box<dyn StdError + Send + Sync>,
    },
    /// The handler returned an error.
    Failed(Box<dyn StdError + Send + Sync>),
}

/// What a handler gives: `Ok(())`, or any error that converts to a boxed one.
///
/// ```
/// fn install() -> zkpeer_core::Result {
///     std::fs::read_to_string("/etc/hostname")?;
///     Ok(())
/// }
/// # let _ = install;
/// ```
pub type Result<T = (), E = Box<dyn StdError + Send + Sync>> = std::result::Result<T, E>;

/// The error with which a handler ends the hook early and successfully.
///
/// No further handler runs in this hook; what was changed so far, in this handler too, is kept.
///
/// ```
/// use zkpeer_core::{EndHook, Result};
///
/// fn wait_for_disk() -> Result {
///     if !std::path::Path::new("/srv/data").exists() {
///         return Err(EndHook.into());
///     }
///     Ok(())
/// }
/// # let _ = wait_for_disk;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the handler ends the hook here, successfully")]
pub struct EndHook;

/// Whether the error is [`EndHook`], or has come of it. Some types that hold any error hide which one they hold; then its
/// text tells.
fn ends_hook(error: &(dyn StdError + 'static)) -> bool {
    let text = EndHook.to_string();
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<EndHook>() || error.to_string() == text {
            return true;
        }
        next = error.source();
    }
    false
}

/// What a handler may return.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "a handler returns nothing or a `Result<(), E>`",
    note = "`E` is any error that converts into `Box<dyn Error + Send + Sync>`, or `Box<dyn Error>`; `zkpeer_core::Result` is such a `Result`"
)]
pub trait HandlerReturn<Kind> {
    /// The outcome that this stands for.
    fn into_outcome(self) -> Outcome;
}

/// Tells the ways of returning apart, for the compiler only.
#[derive(Debug)]
pub enum ReturnsNothing {}
/// Tells the ways of returning apart, for the compiler only.
#[derive(Debug)]
pub enum ReturnsResult {}
/// Tells the ways of returning apart, for the compiler only.
#[derive(Debug)]
pub enum ReturnsLocalError {}

#[diagnostic::do_not_recommend]
impl HandlerReturn<ReturnsNothing> for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Done
    }
}

#[diagnostic::do_not_recommend]
impl<E: Into<Box<dyn StdError + Send + Sync>>> HandlerReturn<ReturnsResult> for std::result::Result<(), E> {
    fn into_outcome(self) -> Outcome {
        match self {
            Ok(()) => Outcome::Done,
            Err(error) => {
                let error = error.into();
                if ends_hook(&*error) { Outcome::EndHook } else { Outcome::Failed(error) }
            }
        }
    }
}

#[diagnostic::do_not_recommend]
impl HandlerReturn<ReturnsLocalError> for std::result::Result<(), Box<dyn StdError>> {
    fn into_outcome(self) -> Outcome {
        match self {
            Ok(()) => Outcome::Done,
            Err(error) if ends_hook(&*error) => Outcome::EndHook,
            Err(error) => Outcome::Failed(crate::error::describe(&*error).into()),
        }
    }
}

/// What the macros hand to `inventory`: a handler, or the list of a charm's interface crates.
#[doc(hidden)]
#[derive(Debug)]
pub enum Registration {
    /// A handler.
    Handler(&'static HandlerDef),
    /// A function that is no handler, and of which something is noted.
    Function(&'static FunctionDef),
    /// `interfaces![a, b]` in the package.
    Interfaces {
        /// The package that lists them: the charm.
        package: &'static str,
        /// The crates, in order.
        crates: &'static [&'static str],
    },
}

inventory::collect!(Registration);
