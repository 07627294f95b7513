//! What one run of a hook can see and change: the seam between handlers and everything outside them.

mod outside;
mod resources;
mod state;

pub use outside::Setup;
pub(crate) use outside::{Outside, has_leader_settings};
pub(crate) use resources::Resources;
pub(crate) use state::FLAG_PREFIX;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ask::Cache;
use crate::automatic::{Automatic, Group};
use crate::callbacks::ExitCallback;
use crate::error::{self, Error};
use crate::extract::{FromContext, Rejection};
use crate::flag;
use crate::hook::HookEvent;
use crate::hook_pattern;
use crate::juju::{Juju, LogLevel};
use crate::outbox::Outbox;
use crate::params::Flags;
use crate::record::Noted;
use crate::registry::Handler;
use crate::report::Change;
use crate::store::{Json, Store, StoreError};
use crate::trace;
use crate::trigger::{Actions, Callback, Edge, TriggerTable};

use state::{State, flag_key};

/// What one run of a hook can see and change; shared by all that a handler asks for.
///
/// Authors meet it when they write a [`FromContext`](crate::FromContext) of their own, which passes it on to the types that it
/// builds on, in a handler that asks which hook runs or has something to be done at the hook's end, and in
/// callbacks.
#[derive(Clone, Debug)]
pub struct Context(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    outside: Outside,
    state: RefCell<State>,
    cache: RefCell<Cache>,
    outbox: RefCell<Outbox>,
    /// Whether somebody wants to know what happens, line by line.
    traced: Cell<bool>,
    /// What has happened, step by step, if a test wants to know it.
    #[cfg(any(test, feature = "testing"))]
    record: RefCell<Option<Vec<Noted>>>,
}

impl Context {
    pub(crate) fn new(outside: Outside, store: Store) -> Self {
        let state = State {
            store,
            witness: outside.witness.clone(),
            sum: 0,
            changes: Vec::new(),
            triggers: TriggerTable::default(),
            automatic: Automatic::default(),
            has_run_external: false,
            at_exit: Vec::new(),
            running: None,
            failure: None,
        };
        Self(Rc::new(Inner {
            outside,
            state: RefCell::new(state),
            cache: RefCell::new(Cache::default()),
            outbox: RefCell::new(Outbox::default()),
            traced: Cell::new(false),
            #[cfg(any(test, feature = "testing"))]
            record: RefCell::new(None),
        }))
    }

    /// The store, at the end of a run: handles that a test has kept see an empty one from then on.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn take_store(&self) -> Store {
        let mut state = self.0.state.borrow_mut();
        // Callbacks may hold handles on the context, and so would keep it alive.
        state.triggers.forget();
        state.at_exit.clear();
        std::mem::replace(&mut state.store, Store::in_memory())
    }

    pub(crate) fn outside(&self) -> &Outside {
        &self.0.outside
    }

    pub(crate) fn event(&self) -> &HookEvent {
        &self.0.outside.event
    }

    pub(crate) fn juju(&self) -> &dyn Juju {
        &*self.0.outside.juju
    }

    pub(crate) fn charm_dir(&self) -> &Path {
        &self.0.outside.charm_dir
    }

    /// The same for a handler, which may write there.
    pub(crate) fn charm_dir_to_write(&self) -> &Path {
        self.note_files();
        self.charm_dir()
    }

    /// A handler may write files from now on.
    pub(crate) fn note_files(&self) {
        (self.0.outside.before_files)();
    }

    pub(crate) fn cache(&self) -> &RefCell<Cache> {
        &self.0.cache
    }

    pub(crate) fn outbox(&self) -> &RefCell<Outbox> {
        &self.0.outbox
    }

    /// Whether the hook that runs matches one of the patterns, which are written as in [`hook`](macro@crate::hook):
    /// `{a,b}` stands for alternatives, `{role:interface}` for the endpoints that have this role and interface. An action
    /// is no hook of its name.
    ///
    /// For a handler on flags that does something else in one hook; a handler for the hook alone has the attribute.
    ///
    /// ```
    /// use zkpeer_core::{Context, Result, when};
    ///
    /// #[when("server.started")]
    /// fn report(context: Context) -> Result {
    ///     if context.any_hook(["{peers:quorum}-relation-{joined,departed}", "update-status"])? {
    ///         println!("there may be news");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If a pattern can match nothing.
    pub fn any_hook<P: AsRef<str>>(&self, patterns: impl IntoIterator<Item = P>) -> Result<bool, Error> {
        let mut any = false;
        for pattern in patterns {
            let pattern = pattern.as_ref();
            hook_pattern::check(pattern)?;
            let names = hook_pattern::hook_names(pattern, &self.outside().metadata);
            any |= names.iter().any(|name| self.event().is_hook(name));
        }
        Ok(any)
    }

    /// Whether this Juju still has leader settings (up to 3.6); a version that is not told counts as one that has.
    pub(crate) fn has_leader_settings(&self) -> bool {
        has_leader_settings(self.outside().juju_version.as_deref())
    }

    /// A handler runs that is a program, and may tell Juju anything.
    pub(crate) fn note_external(&self) {
        self.0.state.borrow_mut().has_run_external = true;
    }

    pub(crate) fn has_run_external(&self) -> bool {
        self.0.state.borrow().has_run_external
    }

    // ---- stored values ----

    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, StoreError> {
        self.0.state.borrow().store.get(key)
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.0.state.borrow().store.contains(key)
    }

    /// The keys that begin with the prefix, without it.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.0.state.borrow().store.range(prefix).map(|(key, _)| key[prefix.len()..].to_owned()).collect()
    }

    pub(crate) fn set<T: Serialize + ?Sized>(&self, key: &str, value: &T) -> Result<(), StoreError> {
        // The value may look at the context while it is written, so nothing is held meanwhile.
        let json = Json::from_serialize(value).map_err(|source| StoreError::NotStorable {
            file: self.0.state.borrow().store.name(),
            key: key.to_owned(),
            source,
        })?;
        self.set_json(key, &json)
    }

    pub(crate) fn set_json(&self, key: &str, json: &Json) -> Result<(), StoreError> {
        self.0.state.borrow_mut().put(key, |store| Ok(store.set_json(key, json)))
    }

    pub(crate) fn unset(&self, key: &str) {
        self.0.state.borrow_mut().unset(key);
    }

    pub(crate) fn with_store<T>(&self, f: impl FnOnce(&Store) -> T) -> T {
        f(&self.0.state.borrow().store)
    }

    pub(crate) fn commit(&self) -> Result<(), StoreError> {
        let witness = self.0.outside.witness.as_ref().filter(|_| self.with_store(Store::is_changed));
        if let Some(witness) = witness {
            witness.commits();
        }
        self.0.state.borrow_mut().store.commit()?;
        if let Some(witness) = witness {
            witness.committed();
        }
        Ok(())
    }

    /// Puts back what was under these keys before.
    pub(crate) fn put_back(&self, before: BTreeMap<String, Option<String>>) {
        let store = &mut self.0.state.borrow_mut().store;
        before.into_iter().for_each(|(key, text)| store.put_back(&key, text));
    }

    pub(crate) fn discard(&self) {
        self.0.state.borrow_mut().store.discard();
    }

    /// A sum over everything stored, relative to the beginning of the hook.
    pub(crate) fn sum(&self) -> u128 {
        self.0.state.borrow().sum
    }

    // ---- flags ----

    pub(crate) fn is_set(&self, flag: &str) -> bool {
        if let Some(group) = Group::of(flag) {
            self.ensure(group);
        }
        self.0.state.borrow().store.contains(&flag_key(flag))
    }

    /// All flags that are set, in order; the automatic ones included.
    pub(crate) fn flags(&self) -> Vec<String> {
        for group in Group::SINGLE {
            self.ensure(group);
        }
        self.keys(FLAG_PREFIX)
    }

    /// Brings the automatic flags of a group up to date, once a hook.
    pub(crate) fn ensure(&self, group: Group<'_>) {
        if self.event().is_restricted() || !self.0.state.borrow_mut().automatic.begin(group) {
            return;
        }
        let (before, started) = {
            let state = self.0.state.borrow();
            (state.changes.len(), state.automatic.has_started())
        };
        // It is no doing of the handler that asks.
        let asks = self.0.state.borrow_mut().running.take();
        if let Err(error) = group.refresh(self) {
            self.fail(error);
        }
        self.set_running(asks);
        if started {
            // No handler watches the group, or it would have been looked at before the first one ran; and it is no doing of
            // the handler that asks.
            self.0.state.borrow_mut().changes.truncate(before);
        }
    }

    /// A trigger waits for the flag from now on: if it is an automatic one, it has to be brought up to date. Before the
    /// first handler that is done anyway, when all triggers are known.
    pub(crate) fn ensure_group_of(&self, flag: &str) {
        if let Some(group) = Group::of(flag).filter(|_| self.0.state.borrow().automatic.has_started()) {
            self.ensure(group);
        }
    }

    pub(crate) fn with_automatic<T>(&self, f: impl FnOnce(&mut Automatic) -> T) -> T {
        f(&mut self.0.state.borrow_mut().automatic)
    }

    /// Sets a flag by a name that an author gave.
    pub(crate) fn set_flag(&self, name: &str) {
        if self.check_name(name) {
            self.change_flag(name, Edge::Set);
        }
    }

    /// Clears a flag by a name that an author gave.
    pub(crate) fn clear_flag(&self, name: &str) {
        if self.check_name(name) {
            self.change_flag(name, Edge::Cleared);
        }
    }

    /// Whether the text can name a flag; otherwise the hook will have failed.
    pub(crate) fn check_name(&self, name: &str) -> bool {
        match flag::check(name, false) {
            Ok(()) => true,
            Err(source) => {
                self.fail(Error::FlagName { name: name.to_owned(), source });
                false
            }
        }
    }

    /// Sets a flag, or clears it. If that is a real change it is noted, and its triggers act at once, transitively: set,
    /// then clear, then callbacks (rule 8). A flag that is set and has a value keeps it.
    pub(crate) fn change_flag(&self, name: &str, edge: Edge) {
        let changed = self.0.state.borrow_mut().change_flag(name, edge);
        self.changed(name, edge, changed);
    }

    /// Sets a flag and gives it a value.
    pub(crate) fn set_flag_value<T: Serialize>(&self, name: &str, value: &T) {
        let changed = self.0.state.borrow_mut().set_flag_value(name, value);
        self.changed(name, Edge::Set, changed);
    }

    pub(crate) fn flag_value<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        self.get(&flag_key(name))
    }

    /// Follows a change through all that it sets off, depth first, without recursion but through callbacks.
    fn changed(&self, name: &str, edge: Edge, changed: Result<bool, StoreError>) {
        match changed {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => return self.fail(error.into()),
        }
        trace::flag_changed(self, name, edge, None);
        let _cascade = Cascade::enter(self);
        let mut steps = vec![Step::Follow(name.to_owned(), edge)];
        while let Some(step) = steps.pop() {
            match step {
                Step::Follow(flag, edge) => {
                    let followed = self.0.state.borrow_mut().triggers.follow(&flag, edge);
                    match followed {
                        Ok(Some(actions)) => steps.extend(Step::of(&actions, &flag, edge).into_iter().rev()),
                        Ok(None) => {}
                        Err(cascade) => return self.fail(Error::TriggerLoop { cascade }),
                    }
                }
                Step::Change(flag, edge, (by, by_edge)) => {
                    let changed = self.0.state.borrow_mut().change_flag(&flag, edge);
                    match changed {
                        Ok(true) => {
                            trace::flag_changed(self, &flag, edge, Some((&by, by_edge)));
                            steps.push(Step::Follow(flag, edge));
                        }
                        Ok(false) => {}
                        Err(error) => return self.fail(error.into()),
                    }
                }
                Step::Call(callback, flag, edge) => {
                    trace::trigger_calls(self, &flag, edge);
                    if let Err(source) = callback(&Flags::of(self)) {
                        let edge = if edge == Edge::Set { "set" } else { "cleared" };
                        self.fail(Error::TriggerFailed { flag, edge, source });
                    }
                }
            }
        }
    }

    /// The flags that some trigger waits for.
    pub(crate) fn triggering_flags(&self) -> Vec<String> {
        self.0.state.borrow().triggers.watched()
    }

    pub(crate) fn with_triggers(&self, f: impl FnOnce(&mut TriggerTable)) {
        f(&mut self.0.state.borrow_mut().triggers);
    }

    /// The real changes of flags since this was last asked.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        std::mem::take(&mut self.0.state.borrow_mut().changes)
    }

    // ---- the handler that runs, callbacks ----

    pub(crate) fn is_traced(&self) -> bool {
        self.0.traced.get()
    }

    pub(crate) fn set_traced(&self, traced: bool) {
        self.0.traced.set(traced);
    }

    /// From now on what happens is recorded.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn start_record(&self) {
        *self.0.record.borrow_mut() = Some(Vec::new());
    }

    /// What has been recorded.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn take_record(&self) -> Vec<Noted> {
        self.0.record.borrow_mut().take().unwrap_or_default()
    }

    /// Records a step, if a test wants to know it.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn note(&self, step: impl FnOnce() -> Noted) {
        if self.0.record.borrow().is_some() {
            // To tell the step may look at flags, and so be followed by steps.
            let step = step();
            if let Some(record) = &mut *self.0.record.borrow_mut() {
                record.push(step);
            }
        }
    }

    /// A charm's own program records nothing.
    #[cfg(not(any(test, feature = "testing")))]
    pub(crate) fn note(&self, step: impl FnOnce() -> Noted) {
        let _ = (self, step);
    }

    /// The path of the handler that runs, or which callback does; none before, between and after them.
    pub(crate) fn running(&self) -> Option<String> {
        self.0.state.borrow().running.clone()
    }

    pub(crate) fn set_running(&self, handler: Option<String>) {
        if let Some(witness) = &self.0.outside.witness {
            witness.runs(handler.as_deref());
        }
        self.0.state.borrow_mut().running = handler;
    }

    /// Calls a function when the hook has succeeded, before anything is sent to Juju or kept: what it changes belongs to the
    /// hook, and if it fails, so does the hook. charmhelpers' `atexit` does the same.
    ///
    /// The one that was registered last runs first; one that is registered by another runs next. Handlers do not run any more,
    /// so that a flag set here wakes nobody before the next hook. In the two hooks that run apart (`collect-metrics`,
    /// `meter-status-changed`) there is no such end. For a function that runs in every hook there is
    /// [`Charm::at_exit`](crate::Charm::at_exit).
    ///
    /// ```
    /// use zkpeer_core::{Context, Flags, when};
    ///
    /// #[when("server.restart-wanted")]
    /// fn restart_when_all_is_written(context: Context, flags: Flags) {
    ///     flags.clear("server.restart-wanted");
    ///     context.at_exit(|context| {
    ///         let commands: zkpeer_core::Commands = context.ask_for()?;
    ///         commands.run("systemctl", ["restart", "server"])?;
    ///         Ok(())
    ///     });
    /// }
    /// ```
    #[doc(alias = "atexit")]
    #[track_caller]
    pub fn at_exit(&self, callback: impl FnOnce(&Self) -> crate::Result + 'static) {
        self.add_exit_callback(ExitCallback::new(callback));
    }

    pub(crate) fn add_exit_callback(&self, callback: ExitCallback) {
        self.0.state.borrow_mut().at_exit.push(callback);
    }

    /// The exit callback that is to run next.
    pub(crate) fn next_exit_callback(&self) -> Option<ExitCallback> {
        self.0.state.borrow_mut().at_exit.pop()
    }

    /// Something that a handler could ask for as a parameter, for what is no handler.
    ///
    /// Interfaces are for parameters only: which endpoint is meant is found by the handler's flags.
    ///
    /// # Errors
    ///
    /// If there is nothing to make it of, or that fails.
    pub fn ask_for<T: FromContext>(&self) -> crate::Result<T> {
        T::from_context(self, &Param { endpoint: None }).map_err(|rejection| match rejection {
            Rejection::Skip(reason) => reason.into(),
            Rejection::Fail(error) => error,
        })
    }

    // ---- failures where no error can be returned ----

    /// Notes that the hook has failed; the first failure is the one that is told.
    pub(crate) fn fail(&self, error: Error) {
        self.0.state.borrow_mut().failure.get_or_insert(error);
    }

    pub(crate) fn take_failure(&self) -> Option<Error> {
        self.0.state.borrow_mut().failure.take()
    }

    /// Writes to Juju's log; that it cannot be written is no reason to fail a hook.
    pub(crate) fn log(&self, level: LogLevel, message: &str) {
        if let Err(error) = self.juju().juju_log(level, message) {
            error::complain(&format!("{}: {message} ({})", level.as_str(), error::describe(&error)));
        }
    }
}

/// One step of a cascade of triggers.
enum Step {
    /// See what a real change sets off.
    Follow(String, Edge),
    /// Set a flag, or clear it, because of another change.
    Change(String, Edge, (String, Edge)),
    /// Call a function because of a change.
    Call(Callback, String, Edge),
}

impl Step {
    /// What a change sets off: first what is set, then what is cleared, then what is called (rule 8).
    fn of(actions: &Actions, flag: &str, edge: Edge) -> Vec<Self> {
        let change = |then: &String, how| Self::Change(then.clone(), how, (flag.to_owned(), edge));
        let sets = actions.set.iter().map(|then| change(then, Edge::Set));
        let clears = actions.clear.iter().map(|then| change(then, Edge::Cleared));
        let calls = actions.call.iter().map(|callback| Self::Call(callback.clone(), flag.to_owned(), edge));
        sets.chain(clears).chain(calls).collect()
    }
}

/// As long as it lives a cascade is under way.
struct Cascade<'c>(&'c Context);

impl<'c> Cascade<'c> {
    fn enter(context: &'c Context) -> Self {
        context.0.state.borrow_mut().triggers.enter();
        Self(context)
    }
}

impl Drop for Cascade<'_> {
    fn drop(&mut self) {
        self.0.0.state.borrow_mut().triggers.leave();
    }
}

/// One call of one handler.
#[derive(Debug)]
pub struct Call<'a> {
    context: &'a Context,
    handler: &'a Handler,
}

impl<'a> Call<'a> {
    pub(crate) fn new(context: &'a Context, handler: &'a Handler) -> Self {
        Self { context, handler }
    }

    /// The hook's context.
    #[doc(hidden)]
    #[must_use]
    pub fn context(&self) -> &'a Context {
        self.context
    }

    /// The parameter of this number, from 0.
    #[doc(hidden)]
    #[must_use]
    pub fn param(&self, index: usize) -> Param<'a> {
        Param { endpoint: self.handler.endpoint(index, self.context.event()) }
    }
}

/// What is known of a parameter besides its type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Param<'a> {
    /// The endpoint that it speaks for, if its type is an interface and the charm has an endpoint for it.
    pub endpoint: Option<&'a str>,
}

impl<'a> Param<'a> {
    pub(crate) fn of(endpoint: &'a str) -> Self {
        Self { endpoint: Some(endpoint) }
    }
}
