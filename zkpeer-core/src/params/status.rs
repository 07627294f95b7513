//! The status that operators see: of several reasons the worst.

use crate::ask;
use crate::context::Context;
use crate::error::Error;
use crate::juju::{CurrentStatus, JujuResult, Side, StatusName};
use crate::status::Said;

/// The status that operators see.
///
/// Each handler says how things are as far as it can tell; what is shown is the worst of it: [`blocked`](Self::blocked) goes
/// over [`waiting`](Self::waiting), and that over [`active`](Self::active). Of several that are as bad, the one is shown whose
/// context spoke first in this hook. It is sent to Juju once, at the end of the hook, and only if the hook succeeds.
/// [`maintenance`](Self::maintenance) is for work that is under way, and so is shown at once.
///
/// ```
/// use zkpeer_core::{Result, Status, when, when_not};
///
/// #[when("server.started")]
/// fn ready(status: Status) -> Result {
///     status.active("ready")?;
///     Ok(())
/// }
///
/// #[when_not("database.connected")]
/// fn without_database(status: Status) -> Result {
///     status.waiting("for the database")?;
///     Ok(())
/// }
/// ```
///
/// # Contexts
///
/// A word stands in a context, and a later one in the same context takes its place. The context is the handler that speaks,
/// unless it is [named](Self::context). So a handler that runs again replaces its own word, and what handler A has to say stays
/// although handler B speaks later. Handlers that speak of the same thing use a context by name, or a `waiting` from the hook's
/// first round would go over the `active` of a later one:
///
/// ```
/// use zkpeer_core::{Result, Status, when, when_not};
///
/// #[when_not("database.connected")]
/// fn without_database(status: Status) -> Result {
///     status.context("database").waiting("for the database")?;
///     Ok(())
/// }
///
/// #[when("database.connected")]
/// fn with_database(status: Status) {
///     status.context("database").withdraw();
/// }
/// ```
///
/// Words are those of one hook. If nobody says anything in a hook, the status stays what it was; if anybody does, only what was
/// said in this hook counts. So a handler that has a reason to be blocked waits for flags that hold as long as the reason does,
/// and then speaks in every hook.
#[doc(alias = "status_set")]
#[derive(Clone, Debug)]
pub struct Status {
    context: Context,
    side: Side,
    /// The context that the words stand in; none for that of the handler.
    name: Option<String>,
}

impl Status {
    pub(crate) fn of(context: &Context) -> Self {
        Self { context: context.clone(), side: Side::Unit, name: None }
    }

    /// The same status, spoken of in a context of this name instead of the handler's own.
    #[must_use]
    pub fn context(&self, name: &str) -> Self {
        Self { name: Some(name.to_owned()), ..self.clone() }
    }

    /// The status of the application instead of the unit's, with contexts of its own; only the leader may set it.
    ///
    /// ```
    /// use zkpeer_core::{Result, Status, when};
    ///
    /// #[when("leadership.is_leader", "quorum.lost")]
    /// fn without_quorum(status: Status) -> Result {
    ///     status.application().blocked("more than half of the units are gone")?;
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn application(&self) -> Self {
        Self { side: Side::Application, ..self.clone() }
    }

    /// The unit is at work on itself and does not serve. It is shown at once, and stays if the hook fails (contract 9.9); at
    /// the end of the hook the words of other contexts take its place, if there are any.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn maintenance(&self, message: &str) -> Result<(), Error> {
        self.set_now(StatusName::Maintenance, message)
    }

    /// The unit needs the operator to do something: say what.
    ///
    /// # Errors
    ///
    /// If it is the application's status, and this unit is not the leader; so for the other statuses.
    pub fn blocked(&self, message: &str) -> Result<(), Error> {
        self.set(StatusName::Blocked, message)
    }

    /// The unit waits for another application or unit.
    ///
    /// # Errors
    ///
    /// As [`blocked`](Self::blocked).
    pub fn waiting(&self, message: &str) -> Result<(), Error> {
        self.set(StatusName::Waiting, message)
    }

    /// The unit serves.
    ///
    /// # Errors
    ///
    /// As [`blocked`](Self::blocked).
    pub fn active(&self, message: &str) -> Result<(), Error> {
        self.set(StatusName::Active, message)
    }

    /// One of the four, as the method of its name.
    ///
    /// # Errors
    ///
    /// As the method of its name.
    pub fn set(&self, status: StatusName, message: &str) -> Result<(), Error> {
        // A restricted hook has no end at which anything is sent; Juju says there what it thinks of it (contract 1.5).
        if status == StatusName::Maintenance || self.context.event().is_restricted() {
            return self.set_now(status, message);
        }
        self.check_leadership()?;
        let said = Said { status, message: message.to_owned() };
        self.context.outbox().borrow_mut().statuses.say(self.side, &self.name(), said);
        Ok(())
    }

    /// Shows a status at once, whatever others say, as charmhelpers' `status_set` does; it stays if the hook fails (contract
    /// 9.9).
    ///
    /// The context has no word for the end of the hook then. Where others have one, that takes the place of this.
    ///
    /// # Errors
    ///
    /// If Juju refuses; if it is the application's status, and this unit is not the leader.
    pub fn set_now(&self, status: StatusName, message: &str) -> Result<(), Error> {
        self.check_leadership()?;
        self.context.juju().status_set(self.side, status, message)?;
        let mut outbox = self.context.outbox().borrow_mut();
        outbox.statuses.withdraw(self.side, &self.name());
        outbox.statuses.sent(self.side, Said { status, message: message.to_owned() });
        Ok(())
    }

    /// The context has nothing to say any longer; a status that has been shown already stays until another is.
    pub fn withdraw(&self) {
        self.context.outbox().borrow_mut().statuses.withdraw(self.side, &self.name());
    }

    /// The status as Juju will show it when the hook succeeds as things are now: the worst that was said in this hook, else
    /// what was shown at once, else what Juju has.
    ///
    /// ```
    /// use zkpeer_core::{Log, Result, Status, when};
    ///
    /// #[when("server.started")]
    /// fn look(status: Status, log: Log) -> Result {
    ///     let shown = status.get()?;
    ///     log.debug(&format!("{}: {}", shown.status, shown.message));
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// If Juju refuses, as it does where the application's status is asked for by another unit than the leader.
    #[doc(alias = "status_get")]
    pub fn get(&self) -> Result<CurrentStatus, Error> {
        if let Some(said) = self.context.outbox().borrow().statuses.shown(self.side) {
            return Ok(CurrentStatus { status: said.status.as_str().to_owned(), message: said.message.clone() });
        }
        Ok(self.context.juju().status_get(self.side)?)
    }

    /// Tells the version of what the application runs; at once.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    #[doc(alias = "application_version_set")]
    pub fn application_version(&self, version: &str) -> JujuResult {
        self.context.juju().application_version_set(version)
    }

    fn name(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.context.running().unwrap_or_default())
    }

    /// Asks Juju anew, as for all that only the leader may write.
    fn check_leadership(&self) -> Result<(), Error> {
        if self.side == Side::Unit || ask::is_leader_now(&self.context)? { Ok(()) } else { Err(Error::NotLeader) }
    }
}
