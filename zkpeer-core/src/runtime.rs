//! One run of one hook: the only place where dispatcher, store, triggers and Juju meet.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::panic::Location;

use crate::automatic;
use crate::callbacks::{self, Callback};
use crate::confirm;
use crate::context::{Call, Context, FLAG_PREFIX};
use crate::dispatch::Dispatch;
use crate::error::{Error, describe};
use crate::external::Externals;
use crate::external_files::External;
use crate::handler::Outcome;
use crate::hash::Hash;
use crate::juju::LogLevel;
use crate::outbox;
use crate::panic;
use crate::params::Triggers;
use crate::params::kv::INVOKED;
use crate::predicate::{Condition, Moment, Phase, World};
use crate::record;
use crate::registry::{Body, Handler, Registry};
use crate::relation::{self, Endpoint};
use crate::report::{CallOutcome, Change, HandlerReport, HookOutcome, Report, Round};
use crate::takeover;
use crate::trace;
use crate::trigger::Edge;
use crate::watched_file;

/// After so many rounds the flags count as not settling, even if every round is new.
const MOST_ROUNDS: u32 = 10_000;
/// After so many times in the same state, with the same changes, the flags count as not settling. Once would do if all that
/// handlers look at were stored; but one may work off a queue outside, and charms.reactive lets it for 100 rounds.
const MOST_REPETITIONS: u32 = 100;

/// What a charm does when its flags do not settle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnNotSettled {
    /// The hook fails, and the message shows the rounds that repeat.
    #[default]
    Fail,
    /// A warning is logged, and the hook ends successfully, as charms.reactive ends without a warning; for a charm that is
    /// taken over.
    Warn,
}

/// What registers triggers of the charm's own, and where that is written.
pub(crate) struct RegisterTriggers {
    pub(crate) register: Box<dyn Fn(&Triggers)>,
    pub(crate) place: &'static Location<'static>,
}

/// What a charm does in every hook besides its handlers.
#[derive(Default)]
pub(crate) struct Settings {
    /// What registers the charm's own triggers.
    pub(crate) triggers: Vec<RegisterTriggers>,
    pub(crate) at_start: Vec<Callback>,
    pub(crate) at_exit: Vec<Callback>,
    pub(crate) on_not_settled: OnNotSettled,
    /// Whether what the hook does is told in Juju's log, line by line.
    pub(crate) trace: bool,
}

/// Runs the hook of the context to its end, whatever that is; after a failure nothing is kept.
pub(crate) fn run(context: &Context, registry: &Registry, settings: &Settings) -> (Report, Result<(), Error>) {
    trace::within(context, settings.trace, || run_traced(context, registry, settings))
}

fn run_traced(context: &Context, registry: &Registry, settings: &Settings) -> (Report, Result<(), Error>) {
    let _running = panic::Running::hook(context);
    trace::hook_begins(context);
    let mut report = Report { hook: context.event().name().to_owned(), ..Report::default() };
    let externals = RefCell::new(Externals::new(context, registry));
    let result = Run { context, registry, settings, seen: RefCell::default(), externals }.all(&mut report);
    if result.is_ok() {
        takeover::after_commit(context);
    }
    if let Err(error) = &result {
        report.outcome = HookOutcome::Failed;
        report.error = Some(describe(error));
        report.set.clear();
        report.cleared.clear();
        context.discard();
    }
    trace::hook_ends(context, &report, &result);
    (report, result)
}

struct Run<'a> {
    context: &'a Context,
    registry: &'a Registry,
    settings: &'a Settings,
    /// The hash of each file when it was last tested for a handler.
    seen: RefCell<BTreeMap<(usize, &'static str), Option<String>>>,
    externals: RefCell<Externals<'a>>,
}

/// Whether handlers go on being run.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    EndHook,
}

impl Run<'_> {
    fn all(&self, report: &mut Report) -> Result<(), Error> {
        let context = self.context;
        if context.event().is_restricted() {
            let mut dispatch = Dispatch::begin(self.registry.rules(), Phase::Restricted, self);
            self.round(&mut dispatch, Phase::Restricted, report)?;
            // What such a hook changes is not kept: it may run beside another one (contract 1.5).
            context.discard();
            return Ok(());
        }
        let action = context.event().action().filter(|action| !self.registry.has_action(&action.name));
        if let Some(action) = action.filter(|_| !self.registry.has_external()) {
            return Err(Error::NoAction { name: action.name.clone() });
        }
        confirm::at_start(context)?;
        takeover::at_start(context, self.registry)?;
        self.settings.triggers.iter().for_each(|triggers| (triggers.register)(&Triggers::of(context)));
        for (endpoint, interface) in self.registry.interfaces() {
            (interface.register_triggers)(Endpoint::new(context, endpoint), &Triggers::of(context));
        }
        self.settings.at_exit.iter().for_each(|callback| context.add_exit_callback(callback.into()));
        let triggering = context.triggering_flags();
        let watched = self.registry.rules().watched().chain(triggering.iter().map(String::as_str));
        automatic::at_start(context, watched);
        for (endpoint, interface) in self.registry.interfaces() {
            (interface.manage_flags)(Endpoint::new(context, endpoint)).map_err(|source| Error::Interface {
                interface: (interface.interface)(),
                endpoint: endpoint.to_owned(),
                source,
            })?;
        }
        self.failure()?;
        let goes_on = callbacks::at_start(context, &self.settings.at_start)?;
        // Every handler is considered in round 0 anyway.
        context.take_changes();

        if goes_on {
            self.phases(report)?;
        } else {
            report.outcome = HookOutcome::EndedEarly;
        }

        callbacks::at_exit(context)?;
        relation::at_end(context)?;
        automatic::at_end(context);
        takeover::at_end(context, self.registry)?;
        self.failure()?;
        context.with_store(|store| {
            for change in store.changes() {
                let Some(flag) = change.key.strip_prefix(FLAG_PREFIX) else { continue };
                match (change.before, change.after) {
                    (None, Some(_)) => report.set.push(flag.to_owned()),
                    (Some(_), None) => report.cleared.push(flag.to_owned()),
                    _ => {}
                }
            }
        });
        outbox::drop_what_is_there(context)?;
        confirm::at_end(context)?;
        takeover::before_commit(context)?;
        let flushed = context.outbox().borrow_mut().flush(context.juju());
        flushed?;
        context.commit()?;
        Ok(())
    }

    fn phases(&self, report: &mut Report) -> Result<(), Error> {
        let rules = self.registry.rules();
        let mut hooks = Dispatch::begin(rules, Phase::Hooks, self);
        if self.round(&mut hooks, Phase::Hooks, report)? == Next::EndHook {
            report.outcome = HookOutcome::EndedEarly;
            return Ok(());
        }
        let action = self.context.event().action();
        if let Some(action) =
            action.filter(|action| report.rounds.is_empty() && !self.registry.has_action(&action.name))
        {
            return Err(Error::NoAction { name: action.name.clone() });
        }
        let mut states = BTreeMap::new();
        let mut other = Dispatch::begin(rules, Phase::Other, self);
        loop {
            if self.round(&mut other, Phase::Other, report)? == Next::EndHook {
                report.outcome = HookOutcome::EndedEarly;
                return Ok(());
            }
            let state = (self.context.sum(), other.changed().clone());
            let round = other.round();
            if !other.next_round(self) {
                record::settled(self.context, self.registry, self);
                return Ok(());
            }
            let (last, times) = states.entry(state).or_insert((round, 0));
            let before = std::mem::replace(last, round);
            *times += 1;
            if *times > MOST_REPETITIONS {
                return self.not_settled(Some(before), round, report);
            }
            if round >= MOST_ROUNDS {
                return self.not_settled(None, round, report);
            }
        }
    }

    /// The flags do not settle (difference D2): shows the rounds that would repeat for ever.
    fn not_settled(&self, first: Option<u32>, round: u32, report: &mut Report) -> Result<(), Error> {
        let from = first.map_or(round.saturating_sub(3), |first| first + 1);
        let mut repeating = String::new();
        for round in report.rounds.iter().filter(|round| round.phase == Phase::Other && round.round >= from).take(20) {
            for handler in &round.handlers {
                repeating.push_str(&format!("  round {}: {} ({})", round.round, handler.name, handler.place));
                for change in &handler.changes {
                    let sign = if change.edge == Edge::Set { '+' } else { '-' };
                    repeating.push_str(&format!(" {sign}{}", change.flag));
                }
                repeating.push('\n');
            }
        }
        let how =
            if first.is_some() { "everything is as it was before, and repeats" } else { "there is no end in sight" };
        let error = Error::NotSettled { rounds: round + 1, how, repeating };
        match self.settings.on_not_settled {
            OnNotSettled::Fail => Err(error),
            OnNotSettled::Warn => {
                self.context.log(LogLevel::Warning, &describe(&error));
                report.outcome = HookOutcome::NotSettled;
                report.error = Some(describe(&error));
                Ok(())
            }
        }
    }

    /// Runs what is queued, to the end of the round.
    fn round(&self, dispatch: &mut Dispatch<'_>, phase: Phase, report: &mut Report) -> Result<Next, Error> {
        let mut started = false;
        self.failure()?;
        trace::round_begins(self.context, phase, dispatch.round(), dispatch.queue(), self.registry);
        record::round_begins(self.context, self.registry, phase, dispatch, self);
        while let Some(index) = dispatch.next() {
            if !started {
                report.rounds.push(Round { phase, round: dispatch.round(), handlers: Vec::new() });
                started = true;
            }
            let handler = &self.registry.handlers()[index];
            let (mut call, result) = self.call(index, handler);
            let failure = self.context.take_failure();
            if failure.is_some() && result.is_ok() {
                call.outcome = CallOutcome::Failed;
            }
            let outcome = call.outcome;
            let changed = call.changes.iter().map(|change| change.flag.clone()).collect();
            if let Some(round) = report.rounds.last_mut() {
                round.handlers.push(call);
            }
            result?;
            if let Some(failure) = failure {
                return Err(self.failed(handler, Box::new(failure)));
            }
            if outcome == CallOutcome::EndedHook {
                return Ok(Next::EndHook);
            }
            for dequeued in dispatch.ran(changed, self) {
                trace::dequeued(self.context, &self.registry.handlers()[dequeued]);
                record::dequeued(self.context, self.registry, dequeued, self);
            }
            self.failure()?;
        }
        Ok(Next::GoOn)
    }

    fn call(&self, index: usize, handler: &Handler) -> (HandlerReport, Result<(), Error>) {
        let def = match &handler.body {
            Body::Function(def) => *def,
            Body::External(external) => return self.call_external(index, handler, external),
        };
        let call = Call::new(self.context, handler);
        self.context.set_running(Some(handler.id.clone()));
        trace::handler_begins(self.context, handler);
        let ended = {
            let _running = panic::Running::handler(def);
            panic::caught(|| (def.run)(&call))
        };
        self.context.set_running(None);
        let name = handler.id.clone();
        let place = def.place();
        let hook = || self.context.event().name().to_owned();
        let param = |index: usize| {
            let param = def.params.get(index);
            param.map_or_else(String::new, |param| format!("{}: {}", param.name, param.type_name))
        };
        let (outcome, reason, result) = match ended {
            Ok(Outcome::Done) => (CallOutcome::Done, None, self.succeeded(index, handler)),
            Ok(Outcome::EndHook) => (CallOutcome::EndedHook, None, self.succeeded(index, handler)),
            Ok(Outcome::Skipped { param: index, reason }) => {
                (CallOutcome::Skipped, Some(format!("`{}`: {reason}", param(index))), Ok(()))
            }
            Ok(Outcome::Rejected { param: index, error: source }) => {
                let param = param(index);
                let error =
                    Error::Parameter { handler: name.clone(), place: place.clone(), hook: hook(), param, source };
                (CallOutcome::Failed, None, Err(error))
            }
            Ok(Outcome::Failed(source)) => (CallOutcome::Failed, None, Err(self.failed(handler, source))),
            Err(payload) => {
                let message = panic::message(&*payload);
                let error =
                    Error::HandlerPanicked { handler: name.clone(), place: place.clone(), hook: hook(), message };
                (CallOutcome::Failed, None, Err(error))
            }
        };
        let reason = result.as_ref().err().map(|error| describe(error)).or(reason);
        let changes: Vec<Change> = self.context.take_changes();
        let report = HandlerReport { name, place, outcome, reason, changes };
        trace::handler_ended(self.context, &report);
        (report, result)
    }

    fn call_external(
        &self,
        index: usize,
        handler: &Handler,
        external: &External,
    ) -> (HandlerReport, Result<(), Error>) {
        self.context.set_running(Some(handler.id.clone()));
        trace::handler_begins(self.context, handler);
        let result = self.externals.borrow_mut().invoke(index, external);
        self.context.set_running(None);
        let outcome = if result.is_ok() { CallOutcome::Done } else { CallOutcome::Failed };
        let reason = result.as_ref().err().map(|error| describe(error));
        let changes = self.context.take_changes();
        let report = HandlerReport { name: handler.id.clone(), place: handler.place(), outcome, reason, changes };
        trace::handler_ended(self.context, &report);
        (report, result)
    }

    fn failed(&self, handler: &Handler, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
        let hook = self.context.event().name().to_owned();
        Error::HandlerFailed { handler: handler.id.clone(), place: handler.place(), hook, source }
    }

    fn failure(&self) -> Result<(), Error> {
        self.context.take_failure().map_or(Ok(()), Err)
    }

    /// Remembers that the handler has succeeded, as far as its conditions want to know (rule 7).
    fn succeeded(&self, index: usize, handler: &Handler) -> Result<(), Error> {
        if self.context.event().is_restricted() {
            return Ok(());
        }
        for condition in &handler.predicate.0 {
            match condition {
                Condition::OnlyOnce => self.invoked(handler)?,
                Condition::FileChanged(files) => {
                    for file in files {
                        let hash = self.seen.borrow().get(&(index, *file)).cloned().unwrap_or_default();
                        let watchers = self.externals.borrow().watchers(file);
                        let watchers: Vec<&str> = watchers.iter().map(String::as_str).collect();
                        watched_file::handled(self.context, &handler.id, file, &hash, &watchers)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// It has succeeded under its own name and under those by which charms.reactive would know it.
    fn invoked(&self, handler: &Handler) -> Result<(), Error> {
        self.context.set(&format!("{INVOKED}{}", handler.id), &true)?;
        for was in self.replaced(handler) {
            self.context.set(&format!("{INVOKED}{was}"), &true)?;
        }
        Ok(())
    }

    /// The names of the Python functions that a handler replaces: charms.reactive's have the path of the file.
    fn replaced(&self, handler: &Handler) -> impl Iterator<Item = String> {
        handler.replaced().map(|was| self.context.charm_dir().join(was).to_string_lossy().into_owned())
    }
}

impl World for Run<'_> {
    fn is_set(&self, flag: &str) -> bool {
        self.context.is_set(flag)
    }

    fn is_hook(&self, name: &str) -> bool {
        self.context.event().is_hook(name)
    }

    fn is_action(&self, name: &str) -> bool {
        self.context.event().action().is_some_and(|action| action.name == name)
    }

    fn file_changed(&self, index: usize, files: &[&'static str]) -> bool {
        let handler = &self.registry.handlers()[index];
        let mut any = false;
        for file in files {
            let test = || {
                let hash = Hash::Md5.of_file(&self.context.charm_dir().join(file))?;
                let known = watched_file::known_hash(self.context, &handler.id, file)?;
                Ok((hash, known))
            };
            match test() {
                Ok((hash, known)) => {
                    any |= hash != known;
                    self.seen.borrow_mut().insert((index, file), hash);
                }
                Err(error) => self.context.fail(error),
            }
        }
        any
    }

    fn wants_to_run(&self, index: usize, moment: &Moment<'_>) -> bool {
        let Body::External(external) = &self.registry.handlers()[index].body else { return false };
        let tested = self.externals.borrow_mut().test(index, external, moment);
        tested.unwrap_or_else(|error| {
            self.context.fail(error);
            false
        })
    }

    fn has_succeeded(&self, index: usize) -> bool {
        let handler = &self.registry.handlers()[index];
        let known = |id: &str| matches!(self.context.get::<bool>(&format!("{INVOKED}{id}")), Ok(Some(true)));
        known(&handler.id) || self.replaced(handler).any(|was| known(&was))
    }
}
