//! The instants of a hook that runs in this process: each effect outside its own memory, counted; at one of them it is killed.
//!
//! A kill unwinds what runs there, so that nothing more is done. What still runs while it unwinds, or catches it, has no effect: hook
//! commands are refused, fakes stay as they are, and what is not committed is discarded.

use std::cell::{Cell, RefCell};
use std::fmt;

use super::process::KillPoint;
use crate::panic;
use crate::witness::Witness;

/// An instant that a hook has come to.
#[derive(Clone, Debug)]
pub(crate) struct Instant {
    pub(crate) point: KillPoint,
    /// What happens there, for people.
    pub(crate) what: String,
    /// The handler that runs, by its path, or which callback.
    pub(crate) handler: Option<String>,
    /// What has just been changed.
    pub(crate) changed: Option<Changed>,
}

/// What a hook has changed that outlives it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Changed {
    /// Of the unit's world, by the name of its type.
    Fake(&'static str),
    /// A key of the store.
    Key(String),
}

/// How a hook is watched.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Watched {
    /// Where it is killed.
    pub(crate) kill: Option<KillPoint>,
    /// Whether its instants are noted.
    pub(crate) noted: bool,
    /// Whether a kill unwinds; what runs goes on otherwise, and what it does has no effect.
    pub(crate) unwinds: bool,
}

/// The instants of one hook.
#[derive(Default)]
pub(crate) struct Instants {
    watched: Watched,
    killed: Cell<bool>,
    commands: Cell<usize>,
    changes: Cell<usize>,
    writes: Cell<usize>,
    commits: Cell<usize>,
    handler: RefCell<Option<String>>,
    seen: RefCell<Vec<Instant>>,
}

impl fmt::Debug for Instants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instants").field("watched", &self.watched).finish_non_exhaustive()
    }
}

impl Instants {
    pub(crate) fn new(watched: Watched) -> Self {
        Self {
            watched,
            killed: Cell::new(false),
            commands: Cell::new(0),
            changes: Cell::new(0),
            writes: Cell::new(0),
            commits: Cell::new(0),
            handler: RefCell::default(),
            seen: RefCell::default(),
        }
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.get()
    }

    /// What the hook came to, in order.
    pub(crate) fn take_seen(&self) -> Vec<Instant> {
        self.seen.take()
    }

    /// The hook issues a hook command.
    pub(crate) fn command(&self, line: impl FnOnce() -> String) {
        let nth = next(&self.commands);
        self.at(KillPoint::Command(nth), None, || format!("before its hook command `{}`", line()));
    }

    /// The hook command has been run, and its answer would come.
    pub(crate) fn answered(&self, line: impl FnOnce() -> String) {
        let nth = self.commands.get();
        self.at(KillPoint::Answer(nth), None, || format!("after its hook command `{}`", line()));
    }

    /// Something of the unit's world is about to change. Whether it does.
    pub(crate) fn change(&self, what: &'static str) -> bool {
        let nth = next(&self.changes);
        self.at(KillPoint::Change(nth), None, || format!("before it changed `{}`", short(what)));
        !self.is_killed()
    }

    /// It has changed.
    pub(crate) fn changed(&self, what: &'static str) {
        let nth = self.changes.get();
        self.at(KillPoint::Changed(nth), Some(Changed::Fake(what)), || format!("after it changed `{}`", short(what)));
    }

    /// The program ends.
    pub(crate) fn exit(&self) {
        let unwinds = self.watched.unwinds;
        self.note(KillPoint::Exit, None, || "when all was done, before it exited".to_owned());
        if self.watched.kill == Some(KillPoint::Exit) && unwinds {
            self.killed.set(true);
        }
    }

    /// The hook is killed from outside.
    pub(crate) fn kill(&self) {
        self.killed.set(true);
        if self.watched.unwinds {
            panic::kill();
        }
    }

    fn at(&self, point: KillPoint, changed: Option<Changed>, what: impl FnOnce() -> String) {
        if self.is_killed() {
            return;
        }
        self.note(point, changed, what);
        if self.watched.kill == Some(point) {
            self.kill();
        }
    }

    fn note(&self, point: KillPoint, changed: Option<Changed>, what: impl FnOnce() -> String) {
        if self.watched.noted && !self.is_killed() {
            let instant = Instant { point, what: what(), handler: self.handler.borrow().clone(), changed };
            self.seen.borrow_mut().push(instant);
        }
    }
}

impl Witness for Instants {
    fn runs(&self, handler: Option<&str>) {
        if self.watched.noted {
            *self.handler.borrow_mut() = handler.map(str::to_owned);
        }
    }

    fn wrote(&self, key: &str) {
        let nth = next(&self.writes);
        let changed = self.watched.noted.then(|| Changed::Key(key.to_owned()));
        self.at(KillPoint::Write(nth), changed, || format!("after it wrote `{key}` to its store"));
    }

    fn commits(&self) {
        let nth = next(&self.commits);
        self.at(KillPoint::Commit(nth), None, || "before it committed its store".to_owned());
    }

    fn committed(&self) {
        let nth = self.commits.get();
        self.at(KillPoint::Committed(nth), None, || "after it committed its store".to_owned());
    }
}

fn next(count: &Cell<usize>) -> usize {
    count.set(count.get() + 1);
    count.get()
}

/// A type's name without its path.
pub(crate) fn short(type_name: &str) -> &str {
    let end = type_name.find('<').unwrap_or(type_name.len());
    type_name[..end].rfind("::").map_or(type_name, |at| &type_name[at + 2..])
}
