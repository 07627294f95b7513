//! What a handler's program asks and tells while it runs: the commands of `charms.reactive` on the charm's own state.

use std::collections::{BTreeMap, BTreeSet};

use super::arguments::{self, BROKEN, Line, Other};
use super::calls;
use super::wire::{Answer, Request};
use super::words;
use crate::ask;
use crate::context::{Context, FLAG_PREFIX};
use crate::error::describe;
use crate::flag;
use crate::hash::Hash;
use crate::hook_pattern;
use crate::juju::{RelationId, UnitName};
use crate::params::Triggers;
use crate::params::kv::INVOKED;
use crate::predicate::{Moment, Phase};
use crate::registry::Registry;
use crate::store::{Json, JsonObject};
use crate::watched_file;

/// As `reactive.invoked.`, for functions of external handlers, by names without line numbers (rule 7, difference D35).
const FUNCTION_INVOKED: &str = "zkpeer.invoked.";

/// What a test has told of a handler.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    /// The flags that its functions watch, if it has named its functions.
    flags: Option<BTreeSet<String>>,
    /// It has asked for more than which of its functions are to run.
    asks_for_more: bool,
    /// For each file the functions that watch it.
    pub(super) files: BTreeMap<String, BTreeSet<String>>,
    /// What has been seen of files for functions that are to run.
    seen: Vec<(String, String, Option<String>)>,
    /// The functions that are to run and may only once.
    once: BTreeSet<String>,
    /// What the test did that a test may not, or what is wrong with the handler.
    pub(super) problem: Option<String>,
}

/// Why a command did not do what it was asked to.
pub(super) struct Refusal {
    message: String,
    /// It is no answer that a test can live with.
    is_broken: bool,
}

impl Refusal {
    pub(super) fn broken(message: impl Into<String>) -> Self {
        Self { message: message.into(), is_broken: true }
    }
}

impl<T: Into<String>> From<T> for Refusal {
    fn from(message: T) -> Self {
        Self { message: message.into(), is_broken: false }
    }
}

/// What a command gives.
pub(super) enum Given {
    Nothing,
    Whether(bool),
    Value(Json),
}

/// The use of the command line by one program of one handler.
#[derive(Debug)]
pub(super) struct Session<'r> {
    context: &'r Context,
    registry: &'r Registry,
    handler: &'r str,
    moment: Moment<'r>,
    is_test: bool,
    pub(super) told: Told,
}

impl<'r> Session<'r> {
    pub(super) fn of_test(context: &'r Context, registry: &'r Registry, handler: &'r str, moment: Moment<'r>) -> Self {
        Self { context, registry, handler, moment, is_test: true, told: Told::default() }
    }

    pub(super) fn of_run(context: &'r Context, registry: &'r Registry, handler: &'r str, moment: Moment<'r>) -> Self {
        Self { is_test: false, ..Self::of_test(context, registry, handler, moment) }
    }

    pub(super) fn answer(&mut self, request: &Request) -> Answer {
        if let [first, message @ ..] = request.arguments.as_slice()
            && first == BROKEN
        {
            self.told.problem = Some(message.join(" "));
            return Answer::refused(1, &format!("ERROR {}", message.join(" ")));
        }
        match arguments::read(&request.arguments) {
            Err(Other::Help(text)) => Answer { code: 0, stdout: text, stderr: String::new() },
            Err(Other::Wrong(text)) => Answer::refused(2, &text),
            Ok(line) => self.answer_line(&line, request),
        }
    }

    fn answer_line(&mut self, line: &Line, request: &Request) -> Answer {
        let name = line.command.name;
        if self.is_test && line.command.changes {
            return self.refuse(name, Refusal::broken(format!("a test changes nothing, and this one wants to {name}")));
        }
        let given = match self.run(line, request) {
            Ok(given) => given,
            Err(refusal) => return self.refuse(name, refusal),
        };
        let nothing = Json::String("".into());
        let (value, code) = match &given {
            Given::Nothing => (&nothing, 0),
            Given::Whether(holds) => (&nothing, u8::from(!holds)),
            Given::Value(value) => (value, 0),
        };
        match line.format.print(value) {
            Ok(stdout) => Answer { code, stdout, stderr: String::new() },
            Err(reason) => self.refuse(name, reason.into()),
        }
    }

    fn refuse(&mut self, command: &str, refusal: Refusal) -> Answer {
        // While it runs, the handler decides what comes of it.
        if refusal.is_broken && self.is_test {
            self.told.problem.get_or_insert_with(|| refusal.message.clone());
        }
        Answer::refused(1, &format!("ERROR charms.reactive {command}: {}", refusal.message))
    }

    fn run(&mut self, line: &Line, request: &Request) -> Result<Given, Refusal> {
        let names = line.arguments.as_slice();
        self.told.asks_for_more |= line.command.name != "test";
        Ok(match line.command.name {
            "set_flag" | "set_state" => self.set_flag(line.argument(0), line.given("value"))?,
            "clear_flag" | "remove_state" => self.clear_flag(line.argument(0))?,
            "toggle_flag" if line.argument(1).is_empty() => self.clear_flag(line.argument(0))?,
            "toggle_flag" => self.set_flag(line.argument(0), None)?,
            "register_trigger" => self.register_trigger(line)?,
            "is_flag_set" | "is_state" | "any_flags_set" | "any_states" => Given::Whether(self.any(names)),
            "all_flags_set" | "all_states" => Given::Whether(self.all(names)),
            "get_flags" => Given::Value(texts(self.context.flags())),
            "get_unset_flags" => {
                let unset: BTreeSet<&String> = names.iter().filter(|flag| !self.context.is_set(flag)).collect();
                Given::Value(texts(unset.into_iter().cloned()))
            }
            "get_states" => Given::Value(self.states()?),
            "relation_call" => Given::Value(calls::relation_call(self.context, self.registry, line, self.is_test)?),
            "relation_id" => Given::Value(self.relation_id(line.argument(0), line.argument(1))?),
            "any_hook" => Given::Whether(self.is_hook(names)?),
            "only_once" => Given::Whether(!self.has_run(line.argument(0))?),
            "mark_invoked" => {
                for handler in names {
                    self.context.set(&format!("{INVOKED}{handler}"), &true).map_err(|error| describe(&error))?;
                }
                Given::Nothing
            }
            "when_file_changed" => Given::Whether(self.when_file_changed(names, request)?),
            "test" => Given::Value(Json::String(self.test(names, request)?.into())),
            condition => Given::Whether(self.holds(condition, names)?),
        })
    }

    // ---- flags ----

    fn set_flag(&self, name: &str, value: Option<&str>) -> Result<Given, Refusal> {
        flag::check(name, false).map_err(|error| format!("`{name}`: {error}"))?;
        match value {
            Some(value) => self.context.set_flag_value(name, &value),
            None => self.context.set_flag(name),
        }
        Ok(Given::Nothing)
    }

    fn clear_flag(&self, name: &str) -> Result<Given, Refusal> {
        flag::check(name, false).map_err(|error| format!("`{name}`: {error}"))?;
        self.context.clear_flag(name);
        Ok(Given::Nothing)
    }

    fn register_trigger(&self, line: &Line) -> Result<Given, Refusal> {
        if line.option("callback").is_some() {
            return Err("a program has no function that could be called; use --set_flag or --clear_flag".into());
        }
        let triggers = Triggers::of(self.context);
        let on = match (line.option("when"), line.option("when_not")) {
            (Some(flag), None) => triggers.when(flag),
            (None, Some(flag)) => triggers.when_not(flag),
            _ => return Err("it takes one of --when and --when_not".into()),
        };
        let (set, clear) = (line.option("set_flag"), line.option("clear_flag"));
        for flag in set.iter().chain(&clear) {
            flag::check(flag, false).map_err(|error| format!("`{flag}`: {error}"))?;
        }
        match (set, clear) {
            (None, None) => return Err("it takes at least one of --set_flag and --clear_flag".into()),
            (Some(set), None) => drop(on.set(set)),
            (None, Some(clear)) => drop(on.clear(clear)),
            (Some(set), Some(clear)) => drop(on.set(set).clear(clear)),
        }
        Ok(Given::Nothing)
    }

    fn any(&self, flags: &[String]) -> bool {
        flags.iter().any(|flag| self.context.is_set(flag))
    }

    fn all(&self, flags: &[String]) -> bool {
        flags.iter().all(|flag| self.context.is_set(flag))
    }

    /// All flags that are set, with their values.
    fn states(&self) -> Result<Json, Refusal> {
        let value = |flag: String| {
            let json = self.context.with_store(|store| store.json(&format!("{FLAG_PREFIX}{flag}")));
            json.map(|json| (flag.into(), json.unwrap_or(Json::Null))).map_err(|error| describe(&error))
        };
        Ok(Json::Object(self.context.flags().into_iter().map(value).collect::<Result<JsonObject, _>>()?))
    }

    // ---- relations ----

    /// The relation on an endpoint over which the unit, or its application, is seen.
    fn relation_id(&self, endpoint: &str, unit: &str) -> Result<Json, Refusal> {
        let application = unit.split('/').next().unwrap_or(unit);
        let ids = ask::relation_ids(self.context, endpoint).map_err(|error| describe(&error))?;
        let is_with = |id: &RelationId| -> Result<bool, Refusal> {
            let members = ask::members(self.context, id).map_err(|error| describe(&error))?;
            Ok(members.iter().map(UnitName::application).any(|of_member| of_member == application))
        };
        for id in ids {
            if is_with(&id)? {
                return Ok(Json::String(id.to_string().into()));
            }
        }
        Err(format!("`{endpoint}` has no relation with `{unit}`").into())
    }

    // ---- conditions ----

    /// Whether the hook is one of these; to a handler in another language an action is a hook of its name (F7).
    fn is_hook(&self, patterns: &[String]) -> Result<bool, Refusal> {
        let running = self.context.event().name();
        let metadata = &self.context.outside().metadata;
        let mut is_one = false;
        for pattern in patterns {
            // The documentation of charms.reactive calls the role `peer`; there it then never matches (F6, difference D13).
            let pattern = pattern.replace("{peer:", "{peers:");
            hook_pattern::check(&pattern).map_err(|error| Refusal::broken(describe(&error)))?;
            is_one |= hook_pattern::hook_names(&pattern, metadata).iter().any(|name| name == running);
        }
        Ok(is_one)
    }

    /// Whether a condition on flags or the hook holds (rules 1 and 2).
    fn holds(&self, condition: &str, arguments: &[String]) -> Result<bool, Refusal> {
        let is_other = self.moment.phase == Phase::Other;
        Ok(match condition {
            "hook" => self.is_hook(arguments)? && self.moment.phase == Phase::Hooks,
            "when" | "when_all" => is_other && self.all(arguments),
            "when_any" => is_other && self.any(arguments),
            "when_not" | "when_none" => is_other && !self.any(arguments),
            "when_not_all" => is_other && !self.all(arguments),
            other => return Err(Refusal::broken(format!("there is no condition `{other}`"))),
        })
    }

    fn has_run(&self, handler: &str) -> Result<bool, Refusal> {
        let keys = [format!("{INVOKED}{handler}"), format!("{FUNCTION_INVOKED}{}", self.function(handler))];
        for key in keys {
            if self.context.get::<bool>(&key).map_err(|error| describe(&error))?.unwrap_or_default() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The name of a function that stays the same when its line moves: `PATH:LINE:NAME` has become `reactive/x.sh:NAME`.
    fn function(&self, handler: &str) -> String {
        let in_charm = |path: &str| {
            let charm_dir = self.context.charm_dir().to_string_lossy();
            path.strip_prefix(&*charm_dir).and_then(|path| path.strip_prefix('/')).map(str::to_owned)
        };
        let mut parts = handler.rsplitn(3, ':');
        match (parts.next(), parts.next(), parts.next().and_then(in_charm)) {
            (Some(name), Some(line), Some(path)) if line.parse::<u32>().is_ok() => format!("{path}:{name}"),
            _ => handler.to_owned(),
        }
    }

    /// Whether one of the files differs from what was seen of it last. A handler that runs has seen it then; what a test
    /// sees counts when the handler has succeeded (difference D9).
    fn when_file_changed(&mut self, files: &[String], request: &Request) -> Result<bool, Refusal> {
        if self.is_test {
            let function = self.handler.to_owned();
            let (changed, seen) = self.look_at(&function, files, request)?;
            self.told.seen.extend(seen);
            return Ok(changed);
        }
        let mut changed = false;
        for file in files {
            let hash = Hash::Md5.of_file(&request.directory.join(file)).map_err(|error| describe(&error))?;
            let known = watched_file::python_hash(self.context, file).map_err(|error| describe(&error))?;
            if hash != known {
                changed = true;
                watched_file::note(self.context, file, &hash).map_err(|error| describe(&error))?;
            }
        }
        Ok(changed)
    }

    /// Whether one of the files has changed for the function, and what each is now.
    fn look_at(&mut self, function: &str, files: &[String], request: &Request) -> Result<(bool, Seen), Refusal> {
        let mut changed = false;
        let mut seen = Vec::new();
        for file in files {
            let look = || {
                let hash = Hash::Md5.of_file(&request.directory.join(file))?;
                let known = watched_file::known_hash(self.context, function, file)?;
                Ok((hash, known))
            };
            let (hash, known) = look().map_err(|error: crate::Error| describe(&error))?;
            changed |= hash != known;
            self.told.files.entry(file.clone()).or_default().insert(function.to_owned());
            seen.push((function.to_owned(), file.clone(), hash));
        }
        Ok((changed, seen))
    }

    // ---- the functions of a shell handler ----

    /// The names of those functions whose conditions hold, separated by commas.
    fn test(&mut self, functions: &[String], request: &Request) -> Result<String, Refusal> {
        self.told.flags.get_or_insert_default();
        let mut due = Vec::new();
        for text in functions {
            let function = Function::read(text).map_err(|why| Refusal::broken(format!("`{text}`: {why}")))?;
            if self.is_due(&function, request)? {
                due.push(function.name);
            }
        }
        Ok(due.join(","))
    }

    fn is_due(&mut self, function: &Function, request: &Request) -> Result<bool, Refusal> {
        let name = self.function(&function.id);
        let flags: BTreeSet<String> = function.flags().cloned().collect();
        let (mut holds, mut is_once, mut seen) = (true, false, Vec::new());
        for (condition, arguments) in &function.conditions {
            holds &= match condition.as_str() {
                "only_once" => {
                    is_once = true;
                    !self.has_run(&function.id)?
                }
                "when_file_changed" => {
                    let (changed, of_files) = self.look_at(&name, arguments, request)?;
                    seen.extend(of_files);
                    changed
                }
                other => self.holds(other, arguments)?,
            };
        }
        // A function that waits for no hook belongs to the other phase (D16), and one without flags to its round 0 (rule 7).
        holds &= function.hooks() > 0 || self.moment.phase == Phase::Other;
        holds &= self.moment.changed.is_none_or(|changed| !changed.is_disjoint(&flags));
        if let Some(watched) = &mut self.told.flags {
            watched.extend(flags);
        }
        if holds {
            self.told.seen.append(&mut seen);
            if is_once {
                self.told.once.insert(name);
            }
        }
        Ok(holds)
    }
}

type Seen = Vec<(String, String, Option<String>)>;

impl Told {
    /// Whether the handler may have another answer now that these flags have changed (rule 6). One that asks for more than
    /// which of its functions are to run may have another answer at any time.
    pub(super) fn may_differ(&self, changed: &BTreeSet<String>) -> bool {
        let known = self.flags.as_ref().filter(|_| !self.asks_for_more);
        known.is_none_or(|flags| !flags.is_disjoint(changed))
    }

    /// The handler has done what it was told to do after this test (rule 7).
    pub(super) fn has_succeeded(
        &self,
        context: &Context,
        watchers: impl Fn(&str) -> Vec<String>,
    ) -> crate::Result<(), crate::Error> {
        for function in &self.once {
            context.set(&format!("{FUNCTION_INVOKED}{function}"), &true)?;
        }
        for (function, file, hash) in &self.seen {
            let watchers = watchers(file);
            let watchers: Vec<&str> = watchers.iter().map(String::as_str).collect();
            watched_file::take_over(context, file, watchers.iter().copied())?;
            watched_file::handled(context, function, file, hash, &watchers)?;
        }
        Ok(())
    }
}

/// A function of a shell handler, as its decorators describe it.
struct Function {
    name: String,
    id: String,
    /// The condition's name, and what it is on.
    conditions: Vec<(String, Vec<String>)>,
}

impl Function {
    fn read(text: &str) -> Result<Self, String> {
        let mut parts = words::split(text)?.into_iter();
        let (Some(name), Some(id)) = (parts.next(), parts.next()) else {
            return Err("it takes a function's name and what it is stored as".to_owned());
        };
        let mut function = Self { name, id, conditions: Vec::new() };
        while let (Some(condition), Some(arguments)) = (parts.next(), parts.next()) {
            function.conditions.push((condition, words::split(&arguments)?));
        }
        // Difference D13: there they never run, without a word (F8).
        if function.hooks() > 0 && function.flags_are_awaited() {
            return Err("it waits for a hook and for flags, and so would never run; write two functions".to_owned());
        }
        if function.hooks() > 1 {
            return Err(
                "it waits for one hook and for another, and so would never run; name both behind one @hook".to_owned()
            );
        }
        Ok(function)
    }

    fn hooks(&self) -> usize {
        self.conditions.iter().filter(|(condition, _)| condition == "hook").count()
    }

    fn flags_are_awaited(&self) -> bool {
        self.conditions.iter().any(|(condition, _)| is_on_flags(condition))
    }

    fn flags(&self) -> impl Iterator<Item = &String> {
        self.conditions.iter().filter(|(condition, _)| is_on_flags(condition)).flat_map(|(_, flags)| flags)
    }
}

fn is_on_flags(condition: &str) -> bool {
    condition == "when" || (condition.starts_with("when_") && condition != "when_file_changed")
}

fn texts(texts: impl IntoIterator<Item = String>) -> Json {
    Json::Array(texts.into_iter().map(|text| Json::String(text.into())).collect())
}
