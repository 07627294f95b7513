//! The attributes and macros of `zkpeer-core`, which exports them all: write
//! `use zkpeer_core::when;` and so on, and depend on that crate alone.
//!
//! An attribute makes a handler of a function. The function stays as it is, can be called and tested; beside it stands
//! a hidden item that says what the handler waits for and how it is called, and that is found when the charm starts.
//!
//! Attributes stack on one function and mean AND, in any order, by any path, under `cfg_attr` too. They keep their
//! names: one that was imported under another name cannot be stacked under another. A mistake in them is an error when
//! the charm is compiled, and all the mistakes of one function are reported at once.
//!
//! - Handlers of the phase `other`, run again until the flags settle: [`when`](macro@when),
//!   [`when_all`](macro@when_all), [`when_any`](macro@when_any), [`when_not`](macro@when_not),
//!   [`when_none`](macro@when_none), [`when_not_all`](macro@when_not_all),
//!   [`when_file_changed`](macro@when_file_changed), [`only_once`](macro@only_once).
//! - Handlers of the phase `hooks`, before it: [`hook`](macro@hook), [`action`](macro@action).
//! - Handlers of the two hooks that Juju runs apart: [`collect_metrics`](macro@collect_metrics),
//!   [`meter_status_changed`](macro@meter_status_changed).
//! - A guard for any function: [`not_unless`](macro@not_unless).
//! - For the check of all handlers: [`sets`](macro@sets), [`clears`](macro@clears), [`reads`](macro@reads),
//!   [`allow_finding`](macro@allow_finding).
//! - Macros: [`flag!`], [`handlers!`], [`interfaces!`].

mod expand;
mod model;
mod parse;
mod pattern;
mod uses;

use proc_macro::TokenStream;

use crate::parse::Kind;

/// The handler runs when **all** of the flags are set.
///
/// A flag is a string literal, or the path of a constant of type `Flag`. In a flag, `{endpoint_name}`, or the older
/// `{relation_name}`, stands for the name of the endpoint that one of the parameters speaks for; the handler is there once for
/// each such endpoint, and reports name it `quorum_add[zkpeer]` then. If the charm has no endpoint of that interface and role,
/// the handler is not there at all. With two different interfaces among the parameters the endpoint's name has to be
/// written out.
///
/// The handler is tested in the phase `other`: first in every hook, and again in the rounds after one of its flags has
/// changed. If another handler changes a flag before this one's turn, its flags are looked at once more: it never runs
/// when they are not set.
///
/// ```
/// use zkpeer_core::{Flag, Result, flag, when};
///
/// const INSTALLED: Flag = flag!("zookeeper.installed");
///
/// #[when(INSTALLED, "zkpeer.joined")]
/// fn quorum_add() -> Result {
///     Ok(())
/// }
/// ```
///
/// A handler is a free function. Its parameters are found by their types, and it returns nothing or a `Result<(), E>`.
#[proc_macro_attribute]
pub fn when(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::When, arguments.into(), item.into()).into()
}

/// The handler runs when **all** of the flags are set: the same as [`when`](macro@when).
///
/// ```
/// #[zkpeer_core::when_all("zookeeper.installed", "zkpeer.joined")]
/// fn quorum_add() {}
/// ```
#[proc_macro_attribute]
pub fn when_all(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::WhenAll, arguments.into(), item.into()).into()
}

/// The handler runs when **at least one** of the flags is set.
///
/// Everything else is as for [`when`](macro@when).
///
/// ```
/// #[zkpeer_core::when_any("config.changed.port", "config.changed.data-dir")]
/// fn write_configuration() {}
/// ```
#[proc_macro_attribute]
pub fn when_any(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::WhenAny, arguments.into(), item.into()).into()
}

/// The handler runs when **none** of the flags is set.
///
/// Everything else is as for [`when`](macro@when). A flag that another attribute of the same function wants set is an
/// error: such a handler would never run.
///
/// ```
/// #[zkpeer_core::when_not("zookeeper.installed")]
/// fn install() {}
/// ```
///
/// ```compile_fail
/// #[zkpeer_core::when("zookeeper.installed")]
/// #[zkpeer_core::when_not("zookeeper.installed")]
/// fn never() {}
/// ```
#[proc_macro_attribute]
pub fn when_not(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::WhenNot, arguments.into(), item.into()).into()
}

/// The handler runs when **none** of the flags is set: the same as [`when_not`](macro@when_not).
///
/// ```
/// #[zkpeer_core::when_none("zookeeper.installed", "zookeeper.failed")]
/// fn install() {}
/// ```
#[proc_macro_attribute]
pub fn when_none(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::WhenNone, arguments.into(), item.into()).into()
}

/// The handler runs when **at least one** of the flags is **not** set.
///
/// Everything else is as for [`when`](macro@when).
///
/// ```
/// #[zkpeer_core::when_not_all("zookeeper.installed", "java.installed")]
/// fn tell_what_is_missing() {}
/// ```
#[proc_macro_attribute]
pub fn when_not_all(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::WhenNotAll, arguments.into(), item.into()).into()
}

/// The handler runs in the hooks that one of the names matches.
///
/// A name is one of Juju's: `install`, `config-changed`, `zkpeer-relation-joined` and so on. `{joined,changed}` stands
/// for alternatives, and `{peers:zookeeper-quorum}` (or `provides:`, `requires:`) for the endpoints that have this
/// interface in this role. A name that Juju never runs is an error, and so is, in the first hook, an endpoint that `metadata.yaml`
/// has not. Where no endpoint has the interface in this role, the handler is another charm's and never run, without a word: look
/// at the spelling in both.
/// Peers that leave run no `-broken` (but for one after a restart of the agent): use `-departed`, or `stop`.
///
/// The handler is tested in the phase `hooks`, once, before any handler with `when`; so the two never stand on one
/// function. Set a flag, and let another handler wait for it.
///
/// ```
/// #[zkpeer_core::hook("install", "upgrade-charm")]
/// fn install() {}
///
/// #[zkpeer_core::hook("{peers:zookeeper-quorum}-relation-{joined,changed}")]
/// fn peers_changed() {}
/// ```
///
/// ```compile_fail
/// #[zkpeer_core::hook("config-change")]
/// fn never() {}
/// ```
#[proc_macro_attribute]
pub fn hook(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Hook, arguments.into(), item.into()).into()
}

/// The handler runs when the unit is asked for one of the actions.
///
/// It is tested in the phase `hooks`, as with [`hook`](macro@hook), and like that never stands beside `when`.
///
/// ```
/// #[zkpeer_core::action("backup")]
/// fn backup() {}
/// ```
#[proc_macro_attribute]
pub fn action(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Action, arguments.into(), item.into()).into()
}

/// The handler runs when one of the files differs from what this handler last succeeded on.
///
/// A file is a string literal, or the path of a constant of type `&str`. Its appearing and vanishing count. If the
/// handler fails, it runs again.
///
/// It is tested in the phase `other`. Without any flag beside it, it is tested once in each hook, in the first round: a file
/// that a handler of the same hook writes is seen in the next one. To be run in the same hook, it waits for a flag, too,
/// that the writer changes:
///
/// ```
/// use zkpeer_core::{CharmDir, Flags, Result, when, when_file_changed, when_not};
///
/// #[when_not("server.configured")]
/// fn write_configuration(dir: CharmDir, flags: Flags) -> Result {
///     std::fs::write(dir.join("server.cfg"), "port=2181\n")?;
///     flags.set("server.configured");
///     Ok(())
/// }
///
/// #[when("server.configured")]
/// #[when_file_changed("server.cfg")]
/// fn restart() {}
/// ```
///
/// ```
/// const HOSTS: &str = "/etc/hosts";
///
/// #[zkpeer_core::when_file_changed(HOSTS, "/etc/resolv.conf")]
/// fn names_changed() {}
/// ```
#[proc_macro_attribute]
pub fn when_file_changed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::WhenFileChanged, arguments.into(), item.into()).into()
}

/// The handler runs until it has once succeeded, and never again.
///
/// What is remembered is the function's path, without a line number. A charm that takes over from one in Python says
/// what the function was called there, once or several times; if that has run already, the handler does not.
///
/// It is tested in the phase `other`. Without any flag beside it, it is tested once in each hook, in the first round.
///
/// ```
/// use zkpeer_core::{only_once, when};
///
/// #[only_once]
/// fn create_user() {}
///
/// #[when("zookeeper.installed")]
/// #[only_once(was = ["reactive/zookeeper.py:12:install", "reactive/zookeeper.py:14:install"])]
/// fn first_start() {}
/// ```
#[proc_macro_attribute]
pub fn only_once(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::OnlyOnce, arguments.into(), item.into()).into()
}

/// A call of the function is an error unless all of the flags are set.
///
/// This alone makes no handler: it guards a function that handlers call. The function has a parameter of type `Flags`,
/// and returns a `Result` whose error takes any other. It goes with any attribute but
/// [`collect_metrics`](macro@collect_metrics) and [`meter_status_changed`](macro@meter_status_changed).
///
/// ```
/// use zkpeer_core::{Flags, Result, not_unless};
///
/// #[not_unless("zookeeper.installed")]
/// fn restart(flags: Flags) -> Result {
///     Ok(())
/// }
/// # let _ = restart;
/// ```
#[proc_macro_attribute]
pub fn not_unless(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::NotUnless, arguments.into(), item.into()).into()
}

/// The function sets the flags, in ways that its own source does not show: in a function that it calls, or by names that are
/// made when it runs. For the check of the charm (`check`), which sees calls such as `flags.set("a")` by itself.
///
/// It stands on a handler, or on any other function or method. Together with [`clears`](macro@clears) it then says all that the
/// handler does to flags, besides what is seen: a change that a test sees and neither shows is a finding.
///
/// ```
/// use zkpeer_core::{Flags, sets, when_not};
///
/// #[when_not("server.installed")]
/// fn install(flags: Flags) {
///     tell(&flags, "installed");
/// }
///
/// #[sets("server.installed", "server.started")]
/// fn tell(flags: &Flags, what: &str) {
///     flags.set(format!("server.{what}"));
/// }
/// ```
#[proc_macro_attribute]
pub fn sets(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Sets, arguments.into(), item.into()).into()
}

/// The function clears the flags, in ways that its own source does not show: as [`sets`](macro@sets).
///
/// ```
/// #[zkpeer_core::clears("server.started")]
/// fn stop(flags: &zkpeer_core::Flags, what: &str) {
///     flags.clear(format!("server.{what}"));
/// }
/// ```
#[proc_macro_attribute]
pub fn clears(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Clears, arguments.into(), item.into()).into()
}

/// The function looks at the flags, in ways that its own source does not show: as [`sets`](macro@sets).
///
/// ```
/// #[zkpeer_core::reads("server.started")]
/// fn is(flags: &zkpeer_core::Flags, what: &str) -> bool {
///     flags.is_set(format!("server.{what}"))
/// }
/// ```
#[proc_macro_attribute]
pub fn reads(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::Reads, arguments.into(), item.into()).into()
}

/// A finding of the charm's check is meant to be: it is named with what it is about and a reason, and no longer reported.
///
/// On a handler it is about that handler, on any other function about any. An allowance that allows nothing is a
/// finding, too. May be repeated, with one finding each.
///
/// ```
/// #[zkpeer_core::when("server.broken")]
/// #[zkpeer_core::allow_finding(never_set = "server.broken", reason = "operators set it, with juju exec")]
/// fn repair() {}
/// ```
#[proc_macro_attribute]
pub fn allow_finding(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::AllowFinding, arguments.into(), item.into()).into()
}

/// The handler runs in the hook `collect-metrics`, which Juju runs apart from all others.
///
/// Only the handlers with this attribute are looked at then, and nothing they change is kept; so it goes with no other.
///
/// ```
/// #[zkpeer_core::collect_metrics]
/// fn count_sessions() {}
/// ```
#[proc_macro_attribute]
pub fn collect_metrics(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::CollectMetrics, arguments.into(), item.into()).into()
}

/// The handler runs in the hook `meter-status-changed`, which Juju runs apart from all others.
///
/// Only the handlers with this attribute are looked at then, and nothing they change is kept; so it goes with no other.
///
/// ```
/// #[zkpeer_core::meter_status_changed]
/// fn meter() {}
/// ```
#[proc_macro_attribute]
pub fn meter_status_changed(arguments: TokenStream, item: TokenStream) -> TokenStream {
    expand::attribute(Kind::MeterStatusChanged, arguments.into(), item.into()).into()
}

/// A constant of type `Flag`, its name checked when the charm is compiled.
///
/// ```
/// use zkpeer_core::{Flag, flag, when};
///
/// const INSTALLED: Flag = flag!("zookeeper.installed");
///
/// #[when(INSTALLED)]
/// fn start() {}
/// ```
///
/// ```compile_fail
/// const BAD: zkpeer_core::Flag = zkpeer_core::flag!("two words");
/// ```
#[proc_macro]
pub fn flag(input: TokenStream) -> TokenStream {
    expand::flag_macro(input.into()).into()
}

/// The handlers of these functions, as a `&'static [&'static HandlerDef]`, for a test.
///
/// ```
/// use zkpeer_core::{handlers, when, when_not};
///
/// #[when_not("zookeeper.installed")]
/// fn install() {}
///
/// mod peers {
///     #[zkpeer_core::when("zkpeer.joined")]
///     pub fn quorum_add() {}
/// }
///
/// # fn main() {
/// let listed = handlers![install, peers::quorum_add];
/// assert_eq!(listed[1].name, "quorum_add");
/// # }
/// ```
///
/// When the compiler cannot find `__zkpeer_start`, then `start` is spelt otherwise, cannot be reached from here, or has
/// no attribute that makes it a handler.
#[proc_macro]
pub fn handlers(input: TokenStream) -> TokenStream {
    expand::handlers_macro(input.into()).into()
}

/// Names the crates whose handlers a charm uses, in the order in which these run.
///
/// A crate that a charm never names is left out of the binary, its handlers with it; this names it. Within a round, the
/// handlers of `zkpeer_core` come first, then those of these crates in this order, then the charm's own. Once in a
/// charm, in its `main.rs`; a charm that uses only the interfaces of `zkpeer_core` needs none. A crate goes by its own name
/// here, not by one that `Cargo.toml` gives it.
///
/// ```
/// // Any crate will do here; in a charm these are crates with handlers.
/// zkpeer_core::interfaces![quote, proc_macro2];
/// ```
#[proc_macro]
pub fn interfaces(input: TokenStream) -> TokenStream {
    expand::interfaces_macro(input.into()).into()
}
