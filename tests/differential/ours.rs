//! The interpreter on zkpeer: a case becomes handlers, which do through the public API what the data says.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::rc::Rc;

use serde_json::{Value, json};
use zkpeer_core::__private::{Call, Notes, require};
use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Charm, CharmDir, ConditionDef, Config, Context, Conversation, Databag, EndHook, Endpoint, Flag, Flags, FromContext,
    HandlerDef, HandlerReturn, HookEvent, HookOutcome, Kv, Leader, Outcome, Quantifier, Rejection, Report, Resource,
    RestrictedHook, Result, TriggerOn, Triggers,
};

use crate::case::{Bond, Case, Condition, Edge, Event, Handler, Step, Talk, Trigger};
use crate::interfaces::{conversations, modern, params, speaking};
use crate::outcome::{Outcome as Seen, Round};
use crate::world::{Hook, World};

/// The most handlers that a case may have.
pub(crate) const MOST_HANDLERS: usize = 12;

type Run = fn(&Call<'_>) -> Outcome;

/// A handler's function knows itself by its number.
const RUNS: [Run; MOST_HANDLERS] = [
    run::<0>, run::<1>, run::<2>, run::<3>, run::<4>, run::<5>, run::<6>, run::<7>, run::<8>, run::<9>, run::<10>,
    run::<11>,
];

/// One unit of a case's charm.
pub(crate) struct Ours {
    unit: Unit,
    counts: Rc<RefCell<Vec<usize>>>,
}

/// What handlers find when they run.
pub(crate) struct Script {
    pub(crate) case: Case,
    counts: Rc<RefCell<Vec<usize>>>,
}

impl Ours {
    pub(crate) fn new(case: &Case) -> Self {
        let counts = Rc::new(RefCell::new(vec![0; case.handlers.len()]));
        let script = Script { case: case.clone(), counts: Rc::clone(&counts) };
        let triggers = case.triggers.clone();
        let charm = Charm::new()
            .handlers(&definitions(&case.handlers))
            .resource(script)
            .triggers(move |all| triggers.iter().for_each(|trigger| register(all, trigger)));
        let charm = if case.at_start.is_empty() { charm } else { charm.at_start(callback(&case.at_start)) };
        let charm = if case.at_exit.is_empty() { charm } else { charm.at_exit(callback(&case.at_exit)) };
        // The last version that runs the hooks of metrics.
        let unit = Unit::of(charm).metadata(&metadata(case)).juju("3.6.9");
        Self { unit, counts }
    }

    /// The event happens around the unit.
    pub(crate) fn take(&mut self, event: &Event, world: &World) {
        let bag = |bag: &BTreeMap<String, String>| -> Vec<(String, String)> {
            bag.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
        };
        match event {
            Event::Joined(relation, unit, data)
            | Event::Changed(relation, unit, data)
            | Event::Published(relation, unit, data) => {
                let data = bag(data);
                let data: Vec<(&str, &str)> = data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                self.unit.set_member(relation, unit, &data);
            }
            Event::ChangedApp(relation, data) => {
                let data: Vec<(&str, &str)> = data.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                let application = &world.relations[relation].application;
                self.unit.set_application_bag(relation, application, &data);
            }
            Event::Departed(relation, unit) => self.unit.remove_member(relation, unit),
            Event::Created(relation) => self.unit.set_relation(relation, &world.relations[relation].application),
            Event::Leaves => self.unit.set_leaving(true),
            Event::Leads(leader) => self.unit.set_leader(*leader),
            Event::Config(option, value) => self.unit.set_config(option, value.as_str()),
            Event::Setting(key, value) => self.unit.set_leader_setting(key, value),
            Event::File(file, text) => {
                let path = self.unit.charm_dir().join(file);
                match text {
                    Some(text) => fs::write(path, text).unwrap(),
                    None => drop(fs::remove_file(path)),
                }
            }
            Event::Hook(_) | Event::Action(_) | Event::Broken(_) => {}
        }
    }

    /// Runs a hook, in the world as it is when the hook begins.
    pub(crate) fn run(&mut self, hook: &Hook, world: &World) -> Seen {
        let report = match (&hook.relation, &hook.unit) {
            (Some(relation), Some(unit)) => self.unit.try_run_relation(&hook.name, relation, unit),
            (Some(relation), None) => self.unit.try_run_relation_without_unit(&hook.name, relation),
            _ if hook.action => self.unit.try_run_action(&hook.name, &[]),
            _ => self.unit.try_run(&hook.name),
        };
        self.seen(&report, world)
    }

    /// The operator goes on without a hook that has failed for good.
    pub(crate) fn resolve(&mut self, hook: &Hook) {
        let runs_apart = ["collect-metrics", "meter-status-changed"].contains(&hook.name.as_str());
        if !hook.action && !runs_apart {
            self.unit.resolve();
        }
    }

    fn seen(&self, report: &Report, world: &World) -> Seen {
        let own = world.relations.keys().map(|relation| (relation.clone(), self.unit.published(relation)));
        let own_app = world.relations.keys().map(|relation| (relation.clone(), self.unit.published_app(relation)));
        Seen {
            rounds: report.rounds.iter().map(Round::of).collect(),
            failure: (report.outcome == HookOutcome::Failed).then(|| report.error.clone().unwrap_or_default()),
            rows: self.unit.stored(),
            counts: self.counts.borrow().clone(),
            files: self.files(),
            settings: self.settings(world),
            own: own.collect(),
            own_app: own_app.collect(),
        }
    }

    fn files(&self) -> BTreeMap<String, String> {
        let files = fs::read_dir(self.unit.charm_dir()).unwrap();
        let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
        let text = |path: &std::path::Path| fs::read_to_string(path).unwrap();
        files.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), text(&path))).collect()
    }

    /// The leader settings after the hook: those that it has set are applied at once.
    fn settings(&self, world: &World) -> BTreeMap<String, String> {
        let mut settings = world.settings.clone();
        for command in self.unit.commands() {
            let Some(pair) = command.strip_prefix("leader-set ") else { continue };
            let (key, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                settings.remove(key);
            } else {
                settings.insert(key.to_owned(), value.to_owned());
            }
        }
        settings
    }
}

/// The text of its `metadata.yaml`, which JSON is, too.
fn metadata(case: &Case) -> String {
    metadata_of(case).to_string()
}

/// The metadata as both sides read it.
pub(crate) fn metadata_of(case: &Case) -> Value {
    let mut all = serde_json::Map::new();
    all.insert("name".to_owned(), crate::case::APPLICATION.into());
    for endpoint in &case.endpoints {
        let of_role = all.entry(endpoint.role.name()).or_insert_with(|| Value::Object(serde_json::Map::new()));
        of_role[&endpoint.name] = serde_json::json!({ "interface": endpoint.interface });
    }
    Value::Object(all)
}

// ---- definitions ----

fn definitions(handlers: &[Handler]) -> Vec<&'static HandlerDef> {
    let numbered = handlers.iter().zip(RUNS).enumerate();
    let all = numbered.map(|(number, (handler, run))| definition(number, handler, run));
    all.chain([&ASKS_FOR_ALL]).collect()
}

/// It never runs. An interface does something at the beginning of a hook if a handler asks for it.
static ASKS_FOR_ALL: HandlerDef = HandlerDef::new(
    "tests",
    "differential",
    "asks_for_all",
    "case",
    0,
    &[ConditionDef::Hook(&["leader-deposed"])],
    params(None),
    |_| Outcome::Done,
    Notes::UNKNOWN,
);

/// A handler as the macros would have made it. The line is the order.
fn definition(number: usize, handler: &Handler, run: Run) -> &'static HandlerDef {
    let conditions: Vec<ConditionDef> = handler.conditions.iter().map(condition).collect();
    let line = u32::try_from(number).unwrap() + 1;
    let name = for_ever(&format!("h{number}"));
    let conditions: &'static [ConditionDef] = Box::leak(conditions.into_boxed_slice());
    Box::leak(Box::new(HandlerDef::new(
        "tests",
        "differential",
        name,
        "case",
        line,
        conditions,
        params(handler.instances_of()),
        run,
        Notes::UNKNOWN,
    )))
}

fn condition(condition: &Condition) -> ConditionDef {
    let flags = |quantifier, names: &[String]| {
        let flags: Vec<Flag> = names.iter().map(|name| Flag::new(for_ever(name))).collect();
        ConditionDef::Flags(quantifier, Box::leak(flags.into_boxed_slice()))
    };
    match condition {
        Condition::All(names) => flags(Quantifier::All, names),
        Condition::Any(names) => flags(Quantifier::Any, names),
        Condition::None(names) => flags(Quantifier::None, names),
        Condition::NotAll(names) => flags(Quantifier::NotAll, names),
        Condition::Hook(patterns) => ConditionDef::Hook(all_for_ever(patterns)),
        Condition::Action(names) => ConditionDef::Action(all_for_ever(names)),
        Condition::File(files) => ConditionDef::FileChanged(all_for_ever(files)),
        Condition::Once => ConditionDef::OnlyOnce(&[]),
        Condition::CollectMetrics => ConditionDef::Restricted(RestrictedHook::CollectMetrics),
        Condition::MeterStatusChanged => ConditionDef::Restricted(RestrictedHook::MeterStatusChanged),
    }
}

/// Attributes are written by authors, and so what they say lives for ever. There are few texts, each is kept once.
fn for_ever(text: &str) -> &'static str {
    thread_local! {
        static KEPT: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
    }
    KEPT.with_borrow_mut(|kept| match kept.get(text) {
        Some(known) => known,
        None => {
            let new: &'static str = Box::leak(text.to_owned().into_boxed_str());
            kept.insert(new);
            new
        }
    })
}

fn all_for_ever(texts: &[String]) -> &'static [&'static str] {
    Box::leak(texts.iter().map(|text| for_ever(text)).collect::<Vec<_>>().into_boxed_slice())
}

// ---- handlers ----

fn run<const NUMBER: usize>(call: &Call<'_>) -> Outcome {
    perform(call, NUMBER).into_outcome()
}

fn perform(call: &Call<'_>, number: usize) -> Result {
    let script: Resource<Script> = ask(call)?;
    let handler = &script.case.handlers[number];
    let count = script.counts.borrow()[number];
    script.counts.borrow_mut()[number] += 1;
    let endpoints = speaking(call.context(), &call.param(0))?;
    let event: HookEvent = ask(call)?;
    let is_of_hook = handler.conditions.iter().any(Condition::is_of_hook);
    let hook = event.relation().map(|relation| relation.id.endpoint.as_str()).filter(|_| is_of_hook);
    let of_flags = handler.conditions.iter().filter_map(|condition| match condition {
        Condition::All(flags) => Some(flags),
        _ => None,
    });
    let flags: Vec<&str> = of_flags.flatten().map(String::as_str).collect();
    let about = conversations(&endpoints, hook, &flags)?;
    let Some(steps) = handler.runs.get(count.min(handler.runs.len().saturating_sub(1))) else { return Ok(()) };
    steps.iter().try_for_each(|step| take(call, step, &about))
}

fn ask<T: FromContext>(call: &Call<'_>) -> Result<T> {
    match T::from_context(call.context(), &call.param(0)) {
        Ok(value) => Ok(value),
        Err(Rejection::Fail(error)) => Err(error),
        Err(Rejection::Skip(reason)) => Err(reason.into()),
        Err(_) => Err("a parameter is refused for a new reason".into()),
    }
}

fn take(call: &Call<'_>, step: &Step, about: &[Conversation]) -> Result {
    let flags: Flags = ask(call)?;
    if change_flags(&flags, step) {
        return Ok(());
    }
    let kv: Kv = ask(call)?;
    let charm_dir: CharmDir = ask(call)?;
    match step {
        Step::Set(_) | Step::Clear(_) | Step::Toggle(..) | Step::Copy(..) => {}
        Step::Trigger(trigger) => register(&ask::<Triggers>(call)?, trigger),
        Step::Write(file, text) => fs::write(charm_dir.join(file), text)?,
        Step::Remove(file) => drop(fs::remove_file(charm_dir.join(file))),
        Step::KvSet(key, value) => kv.set(key, value)?,
        Step::KvUnset(key) => kv.unset(key),
        Step::KvAdd(key) => {
            let number = kv.get::<Value>(key)?.and_then(|value| value.as_i64());
            kv.set(key, &number.map_or(0, |number| (number + 1) % 3))?;
        }
        Step::KvCopy(from, to) => kv.set(to, &kv.get::<Value>(from)?)?,
        Step::Setting(key, value) => ask::<Leader>(call)?.set_now(key, value)?,
        Step::ReadSetting(key, flag) => flags.toggle(flag, ask::<Leader>(call)?.get(key)?.is_some()),
        Step::Leads(flag) => flags.toggle(flag, ask::<Leader>(call)?.is_leader()?),
        Step::Config(option, flag) => flags.toggle(flag, ask::<Config>(call)?.get::<Value>(option)?.is_some()),
        Step::Unless(names) => {
            let names: Vec<Flag> = names.iter().map(|name| Flag::new(for_ever(name))).collect();
            require(&flags, &names, "guarded")?;
        }
        Step::Data(id, value, flag) => flags.toggle(flag, kv.data_changed(id, value)?),
        Step::IsData(id, value, flag) => flags.toggle(flag, kv.is_data_changed(id, value)?),
        Step::AnyFile(files, flag) => flags.toggle(flag, kv.any_file_changed(files)?),
        Step::Invoked(id, flag) => flags.toggle(flag, kv.was_invoked(id)?),
        Step::Invoke(id) => kv.mark_invoked(id)?,
        Step::AnyHook(patterns, flag) => flags.toggle(flag, call.context().any_hook(patterns)?),
        Step::Unset(names) => kv.set("unset", &flags.not_set(names))?,
        Step::AtExit(steps) => call.context().at_exit(callback(steps)),
        Step::Talk(talk) => about.iter().try_for_each(|conversation| converse(&flags, &kv, talk, conversation))?,
        Step::Bond(name, bond) => {
            let own = call.param(0).endpoint.unwrap_or_default();
            let name = if name == "self" { own } else { name };
            if let Some(endpoint) = modern(call.context(), &call.param(0), name)? {
                bind(&flags, &kv, bond, &endpoint)?;
            }
        }
        Step::End => return Err(EndHook.into()),
        Step::Fail => return Err("it is to fail".into()),
    }
    Ok(())
}

/// What is done outside of handlers.
fn callback(steps: &[Step]) -> impl Fn(&Context) -> Result + 'static {
    let steps = steps.to_vec();
    move |context| {
        let flags = Flags::of(context);
        for step in &steps {
            match step {
                Step::Fail => return Err("it is to fail".into()),
                step => {
                    change_flags(&flags, step);
                }
            }
        }
        Ok(())
    }
}

/// Does a step that is about flags alone, as those of a trigger's function are.
pub(crate) fn change_flags(flags: &Flags, step: &Step) -> bool {
    match step {
        Step::Set(flag) => flags.set(flag),
        Step::Clear(flag) => flags.clear(flag),
        Step::Toggle(flag, set) => flags.toggle(flag, *set),
        Step::Copy(from, to) => flags.toggle(to, flags.is_set(from)),
        _ => return false,
    }
    true
}

pub(crate) fn register(triggers: &Triggers, trigger: &Trigger) {
    let mut on: TriggerOn = match trigger.edge {
        Edge::Set => triggers.when(&trigger.on),
        Edge::Cleared => triggers.when_not(&trigger.on),
    };
    if let Some(flag) = &trigger.set {
        on = on.set(flag);
    }
    if let Some(flag) = &trigger.clear {
        on = on.clear(flag);
    }
    if !trigger.call.is_empty() {
        let steps = trigger.call.clone();
        on.call(move |flags| {
            for step in &steps {
                change_flags(flags, step);
            }
            Ok(())
        });
    }
}

fn converse(flags: &Flags, kv: &Kv, talk: &Talk, conversation: &Conversation) -> Result {
    let own = |flag: &str| format!("{{relation_name}}.{flag}");
    match talk {
        Talk::Set(flag) => conversation.set_flag(&own(flag)),
        Talk::Clear(flag) => conversation.clear_flag(&own(flag)),
        Talk::Toggle(flag, set) => conversation.toggle_flag(&own(flag), *set),
        Talk::Copy(flag, to) => flags.toggle(to, conversation.is_flag_set(&own(flag))),
        Talk::Publish(key, value) => conversation.set_remote(key, value)?,
        Talk::Read(key) => kv.set(&format!("read.{}", conversation.scope()), &conversation.get_remote(key)?)?,
        Talk::Keep(key, value) => conversation.set_local(key, value)?,
        Talk::Kept(key) => {
            kv.set(&format!("kept.{}", conversation.scope()), &conversation.get_local::<Value>(key)?)?;
        }
    }
    Ok(())
}

fn bind(flags: &Flags, kv: &Kv, bond: &Bond, endpoint: &Endpoint) -> Result {
    let name = endpoint.name();
    let relations = endpoint.relations()?;
    let units = endpoint.all_joined_units()?;
    match bond {
        Bond::IsJoined(flag) => flags.toggle(flag, endpoint.is_joined()?),
        Bond::Joined => {
            let all = units.iter().map(|unit| json!([unit.relation().id().to_string(), unit.name().as_str()]));
            kv.set(&format!("joined.{name}"), &all.collect::<Vec<_>>())?;
        }
        Bond::Departed => {
            let mut all = Vec::new();
            for unit in &endpoint.all_departed_units()? {
                let bag: BTreeMap<String, String> = texts(&unit.received()?);
                all.push(json!([unit.relation().id().to_string(), unit.name().as_str(), bag]));
            }
            kv.set(&format!("departed.{name}"), &all)?;
        }
        Bond::ClearDeparted => endpoint.clear_departed_units()?,
        Bond::Applications => {
            let all: Vec<String> = relations.iter().map(|relation| relation.application()).collect::<Result<_, _>>()?;
            kv.set(&format!("applications.{name}"), &all)?;
        }
        Bond::Received(key) => {
            let mut all = Vec::new();
            for unit in &units {
                all.push(unit.received()?.get::<Value>(key)?);
            }
            kv.set(&format!("received.{name}"), &all)?;
        }
        Bond::ReceivedRaw(key) => {
            let mut all = Vec::new();
            for unit in &units {
                all.push(unit.received()?.raw(key).map(str::to_owned));
            }
            kv.set(&format!("raw.{name}"), &all)?;
        }
        Bond::ReceivedApp(key) => {
            let mut all = Vec::new();
            for relation in &relations {
                all.push(relation.received_app()?.get::<Value>(key)?);
            }
            kv.set(&format!("app.{name}"), &all)?;
        }
        Bond::Merged(key) => kv.set(&format!("merged.{name}"), &units.received()?.get::<Value>(key)?)?,
        Bond::Publish(key, value) => relations.iter().try_for_each(|relation| relation.publish(key, value))?,
        Bond::PublishRaw(key, text) => relations.iter().try_for_each(|relation| relation.publish_raw(key, text))?,
        Bond::Unpublish(key) => relations.iter().try_for_each(|relation| relation.unpublish(key))?,
        Bond::PublishApp(key, value) => relations.iter().try_for_each(|relation| relation.publish_app(key, value))?,
        Bond::PublishAppRaw(key, text) => {
            relations.iter().try_for_each(|relation| relation.publish_app_raw(key, text))?;
        }
    }
    Ok(())
}

fn texts(bag: &Databag) -> BTreeMap<String, String> {
    bag.iter().map(|(key, text)| (key.to_owned(), text.to_owned())).collect()
}
