//! What a test demands of a hook, in sentences. One that does not hold prints the whole story.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::relation_id;
use super::run::{UnitRun, is_called, short};
use crate::juju::Bag;
use crate::record::Noted;
use crate::testing::apart::{parted, parted_or_nothing, short as short_value};
use crate::testing::story::nearest;

/// "; is it `that`?", if something is near.
pub(super) fn meant<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> String {
    near(name, known).map(|known| format!("; is it `{known}`?")).unwrap_or_default()
}

/// The known name that is nearest, if one is near; between `_` and `-` there is no difference.
fn near<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let by_words: BTreeMap<String, &str> = known.into_iter().map(|known| (known.replace('_', "-"), known)).collect();
    nearest(name, by_words.keys().map(String::as_str)).and_then(|found| by_words.get(found).copied())
}

fn quoted<T: Display>(items: &[T]) -> String {
    let all: Vec<String> = items.iter().map(|item| format!("`{item}`")).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

/// A handler's name without its endpoint.
fn function_of(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

impl UnitRun {
    #[track_caller]
    pub(super) fn fail(&self, what: &str) -> ! {
        panic!("{}: {what}\n\n{self}", self.hook)
    }

    /// What is asked of a hook that failed is asked of a mistake.
    #[track_caller]
    fn has_to_succeed(&self) {
        if let Some(failure) = &self.failure {
            self.fail(&format!("failed: {failure}"));
        }
    }

    /// The hook succeeded.
    ///
    /// # Panics
    ///
    /// If it failed.
    #[track_caller]
    pub fn assert_succeeded(&self) -> &Self {
        self.has_to_succeed();
        self
    }

    /// The hook failed, with an error that has this text in it.
    ///
    /// # Panics
    ///
    /// If it succeeded, or has another error.
    #[track_caller]
    pub fn assert_failed(&self, text: &str) -> &Self {
        match &self.failure {
            Some(failure) if failure.contains(text) => self,
            Some(failure) => self.fail(&format!("failed, but not with `{text}`: {failure}")),
            None => self.fail(&format!("succeeded, and was to fail with `{text}`")),
        }
    }

    /// Exactly these handlers ran, in this order. Names are those of the functions; where a handler has an instance for each
    /// endpoint, the endpoint follows in brackets.
    ///
    /// # Panics
    ///
    /// If others ran, or the hook failed.
    #[track_caller]
    pub fn assert_ran<'h>(&self, handlers: impl IntoIterator<Item = &'h str>) -> &Self {
        self.has_to_succeed();
        let (ran, wanted) = (self.ran(), handlers.into_iter().collect::<Vec<&str>>());
        if ran == wanted {
            return self;
        }
        let sorted = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect::<BTreeSet<String>>();
        let same =
            ran.len() == wanted.len() && sorted(ran.iter().map(String::as_str).collect()) == sorted(wanted.clone());
        let order = if same { " in this order:" } else { "" };
        let mut what = format!("ran {}, and not{order} {}", quoted(&ran), quoted(&wanted));
        for name in wanted.iter().filter(|name| !ran.iter().any(|ran| ran == *name)).collect::<BTreeSet<_>>() {
            what.push_str(&match self.unknown(name) {
                Some(unknown) => format!("\n  {unknown}"),
                None => format!("\n  `{name}` did not run: {}", self.why_not(name).unwrap_or_default()),
            });
        }
        self.fail(&what)
    }

    /// The handler did not run.
    ///
    /// # Panics
    ///
    /// If it ran, there is no such handler, or the hook failed.
    #[track_caller]
    pub fn assert_did_not_run(&self, handler: &str) -> &Self {
        self.has_to_succeed();
        if let Some(unknown) = self.unknown(handler) {
            self.fail(&unknown);
        }
        if self.why_not(handler).is_none() {
            self.fail(&format!("`{handler}` ran"));
        }
        self
    }

    /// Why the name is no handler's. One that has an instance for each endpoint is found without the endpoint, too.
    pub(super) fn unknown(&self, name: &str) -> Option<String> {
        if self.handlers().iter().any(|handler| is_called(handler, name)) {
            return None;
        }
        let names: Vec<&str> = self.handlers().iter().map(|handler| short(&handler.id)).collect();
        let function = function_of(short(name));
        let of =
            |function: &str| names.iter().copied().filter(|name| function_of(name) == function).collect::<Vec<_>>();
        if !of(function).is_empty() {
            return Some(format!("there is no handler `{name}`, but one for each endpoint: {}", quoted(&of(function))));
        }
        let absent = self.after.registry.iter().flat_map(|registry| registry.absent());
        if let Some(def) = absent.into_iter().find(|def| def.name == function) {
            let place = def.place();
            return Some(format!(
                "`{function}` ({place}) runs for each endpoint of an interface, and metadata.yaml has none with it"
            ));
        }
        let meant = near(function, names.iter().map(|name| function_of(name))).map(of).unwrap_or_default();
        let meant = if meant.is_empty() { String::new() } else { format!("; is it {}?", quoted(&meant)) };
        Some(format!("there is no handler `{name}`{meant}"))
    }

    /// The flag is set after the hook.
    ///
    /// # Panics
    ///
    /// If it is not, or the hook failed.
    #[track_caller]
    pub fn assert_flag(&self, flag: &str) -> &Self {
        self.has_to_succeed();
        if !self.after.is_set(flag) {
            let set = self.after.flags();
            let near = meant(flag, set.iter().map(String::as_str));
            self.fail(&format!("the flag `{flag}` is not set{near}{}", self.who_cleared(flag)));
        }
        self
    }

    /// The flag is not set after the hook.
    ///
    /// # Panics
    ///
    /// If it is, no handler waits for such a flag and nothing sets or clears it, or the hook failed.
    #[track_caller]
    pub fn assert_no_flag(&self, flag: &str) -> &Self {
        self.has_to_succeed();
        if self.after.is_set(flag) {
            self.fail(&format!("the flag `{flag}` is set"));
        }
        // A name that is nobody's is easily not set.
        let known = self.known_flags();
        if let Some(near) = near(flag, known.iter().map(String::as_str)).filter(|_| !known.contains(flag)) {
            self.fail(&format!("nobody knows the flag `{flag}`; is it `{near}`?"));
        }
        self
    }

    fn known_flags(&self) -> BTreeSet<String> {
        let watched = self.after.registry.iter().flat_map(|registry| registry.rules().watched().map(str::to_owned));
        let changed = self.changes().into_iter().map(|change| change.flag);
        watched.chain(changed).chain(self.before.flags()).chain(self.after.flags()).collect()
    }

    fn who_cleared(&self, flag: &str) -> String {
        let is_change = |noted: &&Noted| matches!(noted, Noted::Changed { flag: changed, .. } if changed == flag);
        match self.record.iter().rfind(is_change) {
            Some(_) => "; it was, and has been cleared again".to_owned(),
            None => String::new(),
        }
    }

    /// The unit's workload status after the hook: `assert_status("active", "ready")`.
    ///
    /// # Panics
    ///
    /// If it is another one, or the hook failed.
    #[track_caller]
    pub fn assert_status(&self, status: &str, message: &str) -> &Self {
        self.has_to_succeed();
        let (is, wanted) = (self.status(), format!("{status}: {message}"));
        if (is.status.as_str(), is.message.as_str()) != (status, message) {
            let (is, wanted) = parted(&format!("{}: {}", is.status, is.message), &wanted);
            self.fail(&format!("the status is `{is}`, and not `{wanted}`"));
        }
        self
    }

    /// The unit's own databag of the relation has exactly these entries after the hook, besides those that Juju writes:
    /// `assert_published("zkpeer:0", [("port", "2181")])`.
    ///
    /// # Panics
    ///
    /// If it has others, or the hook failed.
    #[track_caller]
    pub fn assert_published<'k>(&self, relation: &str, entries: impl IntoIterator<Item = (&'k str, &'k str)>) -> &Self {
        self.is_in(relation);
        self.assert_bag(relation, &self.after.published(relation), entries)
    }

    /// The same of the application's databag, which the leader writes.
    ///
    /// # Panics
    ///
    /// If it has other entries, or the hook failed.
    #[track_caller]
    pub fn assert_published_app<'k>(
        &self,
        relation: &str,
        entries: impl IntoIterator<Item = (&'k str, &'k str)>,
    ) -> &Self {
        self.is_in(relation);
        self.assert_bag(&format!("{relation}, for all"), &self.after.published_app(relation), entries)
    }

    #[track_caller]
    fn assert_bag<'k>(&self, place: &str, bag: &Bag, entries: impl IntoIterator<Item = (&'k str, &'k str)>) -> &Self {
        self.has_to_succeed();
        let wanted: Bag = entries.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let keys: BTreeSet<&String> = bag.keys().chain(wanted.keys()).collect();
        let differing = keys.into_iter().filter(|key| bag.get(*key) != wanted.get(*key)).map(|key| {
            let value = |bag: &Bag| bag.get(key).cloned();
            let (is, wanted) = parted_or_nothing(value(bag).as_deref(), value(&wanted).as_deref());
            format!("`{key}` is {is}, and not {wanted}")
        });
        let differing: Vec<String> = differing.collect();
        if !differing.is_empty() {
            self.fail(&format!("published on {place}:\n  {}", differing.join("\n  ")));
        }
        self
    }

    /// What is asked of a relation is asked of one that there is.
    #[track_caller]
    fn is_in(&self, relation: &str) {
        self.has_to_succeed();
        let id = relation_id(relation);
        let relations = &self.after.agent.relations;
        if !relations.values().any(|found| found.id == id) {
            let all: Vec<String> = relations.values().map(|found| found.id.to_string()).collect();
            self.fail(&format!("{} is in no relation `{relation}`; it is in: {}", self.after.name, quoted(&all)));
        }
    }

    /// The hook has run this hook command, as a person would write it: `assert_command("open-port 2181/tcp")`.
    ///
    /// # Panics
    ///
    /// If it has not, or the hook failed.
    #[track_caller]
    pub fn assert_command(&self, command: &str) -> &Self {
        self.has_to_succeed();
        let all: Vec<String> = self.commands().iter().map(ToString::to_string).collect();
        if !all.iter().any(|run| run == command) {
            let name = command.split(' ').next().unwrap_or_default();
            let same = all.iter().filter(|run| run.split(' ').next() == Some(name));
            let same: Vec<String> = same.map(|run| parted(run, command).0).collect();
            let near = if same.is_empty() { String::new() } else { format!("; there is {}", quoted(&same)) };
            self.fail(&format!("has not run `{}`{near}", short_value(command)));
        }
        self
    }

    /// The hook has run no hook command that is this or begins with it: `assert_no_command("open-port")`.
    ///
    /// # Panics
    ///
    /// If it has, or the hook failed.
    #[track_caller]
    pub fn assert_no_command(&self, command: &str) -> &Self {
        self.has_to_succeed();
        let begins =
            |text: &String| text.strip_prefix(command).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
        if let Some(run) = self.commands().iter().map(ToString::to_string).find(begins) {
            self.fail(&format!("has run `{}`", short_value(&run)));
        }
        self
    }
}
