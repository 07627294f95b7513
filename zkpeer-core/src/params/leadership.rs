//! Leadership and what the leader tells the other units.

use crate::context::{Context, Param, Setup, has_leader_settings};
use crate::error::Error;
use crate::extract::{FromContext, Rejection};
use crate::juju::{Bag, BagOwner, JujuError, RelationId, Side, tools::check_pair};
use crate::metadata::{Metadata, Role};
use crate::relation::Relation;
use crate::{ask, automatic};

/// Under Juju 4, the keys of leader settings in the peer relation's application databag begin with this.
const PEER_PREFIX: &str = "leadership.";

/// Leadership of the application, and the settings that the leader makes known to all units.
///
/// Up to Juju 3.6 these are Juju's leader settings. Juju 4 has none: there they live in the application databag of the
/// relation on the charm's first peers endpoint (in the order of names), their keys prefixed with `leadership.`. A charm
/// without a peers endpoint that asks for `Leader` is told so when its first hook runs under Juju 4.
///
/// ```
/// use zkpeer_core::{Leader, Result, when};
///
/// #[when("leadership.is_leader", "zookeeper.restart-wanted")]
/// fn order_restart(leader: Leader) -> Result {
///     leader.set("restart_nonce", "7")?;
///     Ok(())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Leader(Context);

impl FromContext for Leader {
    const PLAIN: bool = true;

    fn from_context(context: &Context, _: &Param<'_>) -> Result<Self, Rejection> {
        Ok(Self::of(context))
    }

    fn check(setup: &Setup<'_>) -> Result<(), String> {
        if has_leader_settings(setup.juju_version) || peers_endpoint(setup.metadata).is_some() {
            return Ok(());
        }
        Err("Juju 4 has no leader settings, and this charm has no peers endpoint in whose application databag they could \
             live; add one to metadata.yaml"
            .to_owned())
    }
}

impl Leader {
    /// Leadership in a run, for interfaces.
    #[must_use]
    pub fn of(context: &Context) -> Self {
        Self(context.clone())
    }

    /// Whether this unit leads, for at least 30 s to come; asked again when the last answer is older.
    ///
    /// # Errors
    ///
    /// If Juju cannot tell.
    pub fn is_leader(&self) -> Result<bool, Error> {
        ask::is_leader(&self.0)
    }

    /// A leader setting; what this hook has set is seen.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn get(&self, key: &str) -> Result<Option<String>, Error> {
        Ok(self.settings()?.remove(key))
    }

    /// All leader settings.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn settings(&self) -> Result<Bag, Error> {
        settings(&self.0)
    }

    /// Sets a leader setting when the hook has succeeded; an empty value removes it. The flags `leadership.changed.KEY`
    /// and `leadership.set.KEY` follow at once if the charm uses them.
    ///
    /// # Errors
    ///
    /// If this unit is not the leader; if the value would not arrive as it is (white space at its ends, up to Juju 3.6).
    #[doc(alias = "leader_set")]
    pub fn set(&self, key: &str, value: &str) -> Result<(), Error> {
        self.set_all([(key, value)])
    }

    /// Sets several leader settings when the hook has succeeded, as [`set`](Self::set) does one. If one is refused, none is
    /// set.
    ///
    /// ```
    /// use zkpeer_core::{Leader, Result, when, when_not};
    ///
    /// #[when("leadership.is_leader")]
    /// #[when_not("leadership.set.user")]
    /// fn choose_who_may_come_in(leader: Leader) -> Result {
    ///     leader.set_all([("user", "admin"), ("password", "a long one")])?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As there.
    pub fn set_all<K: Into<String>, V: Into<String>>(
        &self,
        settings: impl IntoIterator<Item = (K, V)>,
    ) -> Result<(), Error> {
        let settings: Bag = settings.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        if self.0.has_leader_settings() {
            self.check_leadership()?;
            settings.iter().try_for_each(|(key, value)| check_pair("leader-set", key, value, true))?;
            self.0.outbox().borrow_mut().leader_settings.extend(settings.clone());
        } else {
            let relation = peer_relation(&self.0)?.ok_or_else(no_relation_yet)?;
            let prefixed = settings.iter().map(|(key, value)| (format!("{PEER_PREFIX}{key}"), value.clone()));
            Relation::new(&self.0, relation).publish_app_raw_all(&prefixed.collect())?;
        }
        settings.iter().try_for_each(|(key, value)| automatic::settings_written(&self.0, key, value))
    }

    /// Removes a leader setting when the hook has succeeded.
    ///
    /// # Errors
    ///
    /// If this unit is not the leader.
    pub fn unset(&self, key: &str) -> Result<(), Error> {
        self.set(key, "")
    }

    /// Sets a leader setting at once, although the hook may still fail: for what has to be known before something
    /// irrevocable is done. Up to Juju 3.6 only.
    ///
    /// # Errors
    ///
    /// If this unit is not the leader, or Juju is 4 or later, where nothing can be set before the hook has succeeded.
    pub fn set_now(&self, key: &str, value: &str) -> Result<(), Error> {
        if !self.0.has_leader_settings() {
            return Err(Error::Juju(JujuError::NotInThisJuju {
                what: "a leader setting that is known at once",
                version: self.0.outside().juju_version.clone().unwrap_or_default(),
                instead: "use `Leader::set`, and do what is irrevocable in the hook that sees the value come back",
            }));
        }
        self.check_leadership()?;
        self.0.juju().leader_set(&Bag::from([(key.to_owned(), value.to_owned())]))?;
        if let Some(settings) = &mut self.0.cache().borrow_mut().leader_settings {
            merge(settings, key, value);
        }
        automatic::settings_written(&self.0, key, value)
    }

    /// Asks Juju anew: a write needs leadership now, not 30 s ago.
    fn check_leadership(&self) -> Result<(), Error> {
        if ask::is_leader_now(&self.0)? {
            return Ok(());
        }
        Err(Error::NotLeader)
    }
}

fn merge(settings: &mut Bag, key: &str, value: &str) {
    if value.is_empty() {
        settings.remove(key);
    } else {
        settings.insert(key.to_owned(), value.to_owned());
    }
}

/// The settings as this hook sees them: Juju's, and what the hook has set.
pub(crate) fn settings(context: &Context) -> Result<Bag, Error> {
    let known = context.cache().borrow().leader_settings.clone();
    let mut settings = match known {
        Some(settings) => settings,
        None => {
            let settings =
                if context.has_leader_settings() { context.juju().leader_get()? } else { of_peers(context)? };
            context.cache().borrow_mut().leader_settings = Some(settings.clone());
            settings
        }
    };
    for (key, value) in &pending(context)? {
        merge(&mut settings, key, value);
    }
    Ok(settings)
}

/// What this hook has set and Juju does not know yet.
fn pending(context: &Context) -> Result<Bag, Error> {
    if context.has_leader_settings() {
        return Ok(context.outbox().borrow().leader_settings.clone());
    }
    let relation = peer_relation(context)?.map(|relation| (relation, Side::Application));
    let outbox = context.outbox().borrow();
    Ok(relation.and_then(|key| outbox.bags.get(&key)).map(unprefixed).unwrap_or_default())
}

fn of_peers(context: &Context) -> Result<Bag, Error> {
    let Some(relation) = peer_relation(context)? else { return Ok(Bag::new()) };
    let application = context.outside().unit.application().to_owned();
    let bag = ask::bag(context, &relation, BagOwner::Application(application))?;
    Ok(unprefixed(&bag))
}

/// The leader settings among what is in the peer relation's application databag.
fn unprefixed(bag: &Bag) -> Bag {
    bag.iter().filter_map(|(key, value)| Some((key.strip_prefix(PEER_PREFIX)?.to_owned(), value.clone()))).collect()
}

fn peers_endpoint(metadata: &Metadata) -> Option<&str> {
    metadata.endpoints.values().find(|endpoint| endpoint.role == Role::Peers).map(|endpoint| endpoint.name.as_str())
}

fn peer_relation(context: &Context) -> Result<Option<RelationId>, Error> {
    match peers_endpoint(&context.outside().metadata) {
        Some(endpoint) => Ok(ask::relation_ids(context, endpoint)?.into_iter().next()),
        None => Ok(None),
    }
}

fn no_relation_yet() -> Error {
    Error::Juju(JujuError::NotInThisJuju {
        what: "a leader setting in this hook",
        version: "4 and later".to_owned(),
        instead: "the peer relation that carries it is entered only after `install`; set it in a later hook",
    })
}
