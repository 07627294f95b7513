//! Flags and triggers.

use std::rc::Rc;

use crate::context::Context;
use crate::error::{Error, NotUnless};
use crate::flag::{self, Flag};
use crate::handler::Result;
use crate::trigger::Edge;

/// The charm's flags: what is set stays set, over all hooks, until it is cleared.
///
/// A change acts at once, with its triggers; it is kept only if the hook succeeds (rule 11). A handler that watches the
/// flag runs in the next round (rule 4).
///
/// A name that is not one (empty, or with white space) fails the hook when it is set or cleared; names written as
/// literals in attributes are checked by the compiler.
///
/// ```
/// use zkpeer_core::{Flags, when_not};
///
/// #[when_not("hello.greeted")]
/// fn greet(flags: Flags) {
///     flags.set("hello.greeted");
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Flags(Context);

impl Flags {
    /// The flags of a run, for interfaces.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// Sets a flag. One that is set already stays as it is.
    #[doc(alias = "set_flag")]
    pub fn set(&self, flag: impl AsRef<str>) {
        self.0.set_flag(flag.as_ref());
    }

    /// Clears a flag. One that is not set is not changed.
    #[doc(alias = "clear_flag")]
    pub fn clear(&self, flag: impl AsRef<str>) {
        self.0.clear_flag(flag.as_ref());
    }

    /// Sets the flag or clears it.
    #[doc(alias = "toggle_flag")]
    pub fn toggle(&self, flag: impl AsRef<str>, set: bool) {
        if set { self.set(flag) } else { self.clear(flag) }
    }

    /// Whether the flag is set. For an automatic flag (leadership, configuration) Juju is asked once a hook.
    #[doc(alias = "is_flag_set")]
    #[must_use]
    pub fn is_set(&self, flag: impl AsRef<str>) -> bool {
        self.0.is_set(flag.as_ref())
    }

    /// Whether all of the flags are set.
    #[doc(alias = "all_flags_set")]
    #[must_use]
    pub fn all_set<F: AsRef<str>>(&self, flags: impl IntoIterator<Item = F>) -> bool {
        flags.into_iter().all(|flag| self.is_set(flag))
    }

    /// Whether at least one of the flags is set.
    #[doc(alias = "any_flags_set")]
    #[must_use]
    pub fn any_set<F: AsRef<str>>(&self, flags: impl IntoIterator<Item = F>) -> bool {
        flags.into_iter().any(|flag| self.is_set(flag))
    }

    /// Those of the flags that are not set, in the order in which they are given.
    ///
    /// ```
    /// use zkpeer_core::{Flags, Log, when_not};
    ///
    /// #[when_not("hello.started")]
    /// fn tell_what_is_missing(flags: Flags, log: Log) {
    ///     for flag in flags.not_set(["hello.installed", "hello.configured"]) {
    ///         log.debug(&format!("not yet: {flag}"));
    ///     }
    /// }
    /// ```
    #[doc(alias = "get_unset_flags")]
    #[must_use]
    pub fn not_set<F: AsRef<str>>(&self, flags: impl IntoIterator<Item = F>) -> Vec<F> {
        flags.into_iter().filter(|flag| !self.is_set(flag)).collect()
    }

    /// The flags that are set, in the order of their names; the automatic ones of this hook included.
    #[doc(alias = "get_flags")]
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        self.0.flags()
    }
}

/// The guard of `#[not_unless(..)]`, called by what the attribute writes.
#[doc(hidden)]
pub fn require(flags: &Flags, wanted: &[Flag], function: &str) -> std::result::Result<(), NotUnless> {
    let missing: Vec<String> =
        wanted.iter().filter(|flag| !flags.is_set(flag)).map(|flag| flag.name().to_owned()).collect();
    if missing.is_empty() { Ok(()) } else { Err(NotUnless { function: function.to_owned(), missing }) }
}

/// Registers triggers: what happens at the instant in which a flag is really set or cleared.
///
/// Triggers act in the order set, clear, call; transitively; and for the rest of the hook's run in which they are
/// registered (rule 8). To have them in every hook, give them to [`Charm::triggers`](crate::Charm::triggers), which
/// registers them before the first handler.
///
/// ```
/// use zkpeer_core::{Triggers, when};
///
/// #[when("config.changed.port")]
/// fn on_new_port(triggers: Triggers) {
///     triggers.when_not("server.configured").clear("server.started");
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Triggers(Context);

impl Triggers {
    pub(crate) fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// When the flag is set, although it was not.
    #[must_use]
    pub fn when(&self, flag: impl AsRef<str>) -> TriggerOn {
        TriggerOn { context: self.0.clone(), flag: flag.as_ref().to_owned(), edge: Edge::Set }
    }

    /// When the flag is cleared, although it was set.
    #[must_use]
    pub fn when_not(&self, flag: impl AsRef<str>) -> TriggerOn {
        TriggerOn { context: self.0.clone(), flag: flag.as_ref().to_owned(), edge: Edge::Cleared }
    }
}

/// What a flag's change sets off; each call registers one thing more.
#[derive(Clone, Debug)]
pub struct TriggerOn {
    context: Context,
    flag: String,
    edge: Edge,
}

impl TriggerOn {
    /// Sets another flag.
    pub fn set(self, flag: impl AsRef<str>) -> Self {
        self.add(Edge::Set, flag.as_ref())
    }

    /// Clears another flag.
    pub fn clear(self, flag: impl AsRef<str>) -> Self {
        self.add(Edge::Cleared, flag.as_ref())
    }

    /// Calls a function; if it returns an error, the hook fails.
    pub fn call(self, function: impl Fn(&Flags) -> Result + 'static) -> Self {
        self.context.ensure_group_of(&self.flag);
        self.context.with_triggers(|triggers| triggers.register_call(&self.flag, self.edge, Rc::new(function)));
        self
    }

    fn add(self, then: Edge, other: &str) -> Self {
        self.context.ensure_group_of(&self.flag);
        match flag::check(other, false) {
            Ok(()) => self.context.with_triggers(|triggers| triggers.register(&self.flag, self.edge, then, other)),
            Err(source) => self.context.fail(Error::FlagName { name: other.to_owned(), source }),
        }
        self
    }
}
