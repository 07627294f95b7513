//! Handlers that are programs of their own, in any language: files of the charm, tested and run by a protocol.
//!
//! They reach flags and all that the charm knows through the charm that runs them (difference D11).

mod arguments;
mod calls;
mod client;
mod host;
mod python;
mod session;
mod template;
mod wire;
mod words;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;

use crate::context::Context;
use crate::error::{Error, describe};
use crate::external_files::External;
use crate::juju::LogLevel;
use crate::outbox;
use crate::predicate::{Moment, Phase};
use crate::registry::Registry;

pub(crate) use client::{Process, other_than_a_hook};
pub(crate) use host::Means;

use host::{Ended, Failure, Host, Start, how_it_ended};
use session::{Session, Told};

/// The external handlers of one hook: what they have told so far, and where they run.
#[derive(Debug)]
pub(crate) struct Externals<'r> {
    context: &'r Context,
    registry: &'r Registry,
    host: OnceCell<Host>,
    tested: BTreeMap<usize, Tested>,
}

/// The last test of a handler.
#[derive(Clone, Debug)]
struct Tested {
    phase: Phase,
    output: Vec<u8>,
    told: Told,
}

impl<'r> Externals<'r> {
    pub(crate) fn new(context: &'r Context, registry: &'r Registry) -> Self {
        Self { context, registry, host: OnceCell::new(), tested: BTreeMap::new() }
    }

    /// Whether the handler of this number wants to run now. Testing changes nothing (rule 3).
    pub(crate) fn test(&mut self, number: usize, external: &External, moment: &Moment<'_>) -> Result<bool, Error> {
        if let (Some(tested), Some(changed)) = (self.tested.get(&number), moment.changed)
            && !tested.told.may_differ(changed)
        {
            return Ok(false);
        }
        let mut session = Session::of_test(self.context, self.registry, external.name(), *moment);
        let ended = self.run(external, &[OsStr::new("--test")], true, &mut session)?;
        let told = session.told;
        if let Some(problem) = &told.problem {
            return Err(self.failed(external, problem.clone()));
        }
        self.check_store(external)?;
        let wants_to_run = ended.status.code() == Some(0);
        if let Some(signal) = ended.status.signal() {
            return Err(self.failed(external, format!("its --test was killed by signal {signal}")));
        }
        if wants_to_run && ended.output.contains(&0) {
            return Err(self.failed(external, "its --test prints a zero byte, which no argument can have".to_owned()));
        }
        // A shell's words for "there is no such command": a slip of the author's rather than an answer.
        if let Some(code @ (126 | 127)) = ended.status.code() {
            let message =
                format!("the --test of `{}` ended with exit code {code}, which counts as a no", external.name());
            self.context.log(LogLevel::Warning, &message);
        }
        self.tested.insert(number, Tested { phase: moment.phase, output: ended.output, told });
        Ok(wants_to_run)
    }

    /// Runs the handler of this number, as its last test has told.
    pub(crate) fn invoke(&mut self, number: usize, external: &External) -> Result<(), Error> {
        let context = self.context;
        let Some(Tested { phase, output, told }) = self.tested.get(&number).cloned() else { return Ok(()) };
        // The program asks Juju itself: it is to find what handlers before it have published.
        outbox::drop_what_is_there(context)?;
        let flushed = context.outbox().borrow_mut().flush_what_is_dropped(context.juju());
        flushed.map_err(|error| self.failed(external, describe(&error)))?;
        context.note_external();
        let moment = Moment { phase, changed: None };
        let mut session = Session::of_run(context, self.registry, external.name(), moment);
        let arguments = [OsStr::new("--invoke"), OsStr::from_bytes(&output)];
        let ended = self.run(external, &arguments, false, &mut session);
        let problem = session.told.problem.take();
        // It may have told Juju anything.
        context.cache().take();
        let ended = ended?;
        if let Some(how) = problem.or_else(|| how_it_ended(ended.status)) {
            return Err(self.failed(external, how));
        }
        self.check_store(external)?;
        if context.event().is_restricted() {
            return Ok(());
        }
        told.has_succeeded(context, |file| self.watchers(file))
    }

    /// All who watch a file, by the names under which their view of it is stored.
    pub(crate) fn watchers(&self, file: &str) -> Vec<String> {
        let functions = self.tested.values().flat_map(|tested| tested.told.files.get(file)).flatten().cloned();
        self.registry.watching_file(file).map(|handler| handler.id.clone()).chain(functions).collect()
    }

    fn run(
        &self,
        external: &External,
        arguments: &[&OsStr],
        wants_output: bool,
        session: &mut Session<'_>,
    ) -> Result<Ended, Error> {
        let context = self.context;
        let host = self.host().map_err(|error| self.failed(external, error))?;
        let start = Start {
            program: external.path(),
            arguments,
            charm_dir: context.charm_dir(),
            hook: context.event().name(),
            wants_output,
        };
        host.run(&start, &mut |request| session.answer(request)).map_err(|failure| {
            let reason = match failure {
                Failure::Limit => format!(
                    "it did not end within {} s and was killed; ZKPEER_EXTERNAL_TIMEOUT sets the limit in seconds",
                    host.limit().as_secs()
                ),
                Failure::Output => "its --test prints more than the 128 KiB that an argument may have".to_owned(),
                Failure::Io(error) => format!("talking to it failed: {error}"),
            };
            self.failed(external, reason)
        })
    }

    fn host(&self) -> Result<&Host, String> {
        if let Some(host) = self.host.get() {
            return Ok(host);
        }
        let Some(means) = &self.context.outside().externals else {
            return Err("programs cannot be started here".to_owned());
        };
        let place = means.temporary.display();
        let host = Host::new(means, self.context.charm_dir())
            .map_err(|error| format!("a directory for it cannot be made in {place}: {error}"))?;
        Ok(self.host.get_or_init(|| host))
    }

    /// Nobody but the charm writes the store while the charm runs (difference D11).
    fn check_store(&self, external: &External) -> Result<(), Error> {
        self.context.with_store(|store| store.check()).map_err(|error| {
            let advice = "a handler changes what is stored with `charms.reactive` only";
            self.failed(external, format!("{}; {advice}", describe(&error)))
        })
    }

    fn failed(&self, external: &External, reason: String) -> Error {
        Error::External { handler: external.name().to_owned(), hook: self.context.event().name().to_owned(), reason }
    }
}
