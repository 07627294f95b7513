//! What one hook does to secrets: changes wait for the commit, and the hook sees its own (contract 9.12, 10).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::juju::UnitName;
use crate::testing::controller::Controller;
use crate::testing::controller::secrets::{Consumer, Content, Grant, Owner, Secret, Secrets, Subject, Update};

/// The changes of one hook, in their order.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Changes {
    pending: Vec<(String, Change)>,
}

/// One change of one secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Change {
    Add { owner: Owner, update: Update, at: Duration },
    Set { update: Update, at: Duration },
    Remove(Option<u32>),
    Grant(Grant),
    Revoke(Subject),
    Track(Consumer),
}

/// Which revision is read, and whether it is tracked from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    /// The tracked one; the latest, tracked from now on, at the first read.
    Tracked,
    /// The latest, just this time.
    Peek,
    /// The latest, tracked from now on.
    Refresh,
}

impl Changes {
    pub(crate) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// `secret-add`.
    pub(crate) fn add(&mut self, id: String, owner: Owner, update: Update, at: Duration) -> Result<(), String> {
        let label = update.label.as_ref();
        let taken = |change: &Change| matches!(change, Change::Add { update, .. } if update.label.as_ref() == label);
        if label.is_some() && self.pending.iter().any(|(_, change)| taken(change)) {
            return Err(already_exists(label.map_or("", String::as_str)));
        }
        self.pending.push((id, Change::Add { owner, update, at }));
        Ok(())
    }

    /// `secret-set`: joins what this hook has said about the secret already, so that one hook makes one revision.
    pub(crate) fn set(&mut self, id: &str, update: Update, at: Duration) {
        let earlier = self.pending.iter_mut().filter(|(of, _)| of == id).find_map(|(_, change)| match change {
            Change::Add { update, .. } | Change::Set { update, .. } => Some(update),
            _ => None,
        });
        match earlier {
            Some(earlier) => earlier.merge(update),
            None => self.pending.push((id.to_owned(), Change::Set { update, at })),
        }
    }

    /// `secret-remove`: what this hook has said about the secret before is forgotten.
    pub(crate) fn remove(&mut self, id: &str, revision: Option<u32>) {
        let added = |(of, change): &(String, Change)| of == id && matches!(change, Change::Add { .. });
        let was_added = self.pending.iter().any(added);
        self.pending.retain(|(of, change)| of != id || matches!(change, Change::Remove(_)));
        if !was_added {
            self.pending.push((id.to_owned(), Change::Remove(revision)));
        }
    }

    /// `secret-grant`.
    pub(crate) fn grant(&mut self, id: &str, grant: Grant) {
        self.pending.push((id.to_owned(), Change::Grant(grant)));
    }

    /// `secret-revoke`.
    pub(crate) fn revoke(&mut self, id: &str, subject: Subject) {
        self.pending.push((id.to_owned(), Change::Revoke(subject)));
    }

    fn is_added(&self, id: &str) -> bool {
        self.pending.iter().any(|(of, change)| of == id && matches!(change, Change::Add { .. }))
    }

    /// The secrets as they will be after the commit.
    fn view(&self, controller: &Controller, unit: &UnitName) -> Secrets {
        let mut secrets = controller.secrets.clone();
        for (id, change) in &self.pending {
            change.apply(id, unit, &mut secrets);
        }
        secrets
    }

    /// The metadata of the secrets that the unit may manage, with this hook's changes but not its new revisions.
    pub(crate) fn managed(&self, controller: &Controller, unit: &UnitName, leader: bool) -> BTreeMap<String, Secret> {
        let view = self.view(controller, unit);
        let managed = view.iter().filter(|(_, secret)| secret.is_managed_by(unit, leader));
        let mut all: BTreeMap<String, Secret> = managed.map(|(id, secret)| (id.to_owned(), secret.clone())).collect();
        for (id, secret) in &mut all {
            secret.latest = controller.secrets.get(id).map_or(secret.latest, |stored| stored.latest);
        }
        all
    }

    /// `secret-get`. The label finds the secret if there is no id, and is given to it if there is one.
    pub(crate) fn read(
        &mut self,
        controller: &Controller,
        unit: &UnitName,
        leader: bool,
        id: Option<&str>,
        label: &str,
        read: Read,
    ) -> Result<Content, String> {
        let view = self.view(controller, unit);
        let id = match id {
            Some(id) => id.to_owned(),
            None => labelled(&view, unit, label).ok_or_else(|| format!("consumer label \"{label}\" not found"))?,
        };
        // An update of this hook shows with --peek and --refresh only; a secret added in it always does.
        let as_updated = read != Read::Tracked || self.is_added(&id);
        let secrets = if as_updated { &view } else { &controller.secrets };
        let secret = secrets.get(&id).ok_or_else(|| format!("secret \"{id}\" not found"))?;
        let exists = |number| controller.relations.contains_key(&number);
        if !secret.is_readable_by(unit, exists) {
            return Err("permission denied".to_owned());
        }
        let tracked = view.get(&id).and_then(|secret| secret.consumers.get(unit)).cloned();
        let (revision, track) = match (read, &tracked) {
            (Read::Peek, _) => (secret.latest, false),
            (Read::Tracked, Some(tracked)) => (tracked.revision, !label.is_empty() && tracked.label != label),
            (Read::Refresh, _) | (Read::Tracked, None) => (secret.latest, true),
        };
        // A revision that this hook adds to a tracked secret is seen in what is pending only.
        let found = secret.revisions.get(&revision).or_else(|| view.get(&id)?.revisions.get(&revision));
        let content = found.map(|found| found.content.clone());
        let content = content.ok_or_else(|| format!("secret revision \"{id}/{revision}\" not found"))?;
        if secret.is_managed_by(unit, leader) && !label.is_empty() && secret.label != label {
            self.set(&id, Update { label: Some(label.to_owned()), ..Update::default() }, controller.now);
        }
        if track && !self.is_added(&id) {
            let kept = tracked.map(|tracked| tracked.label).unwrap_or_default();
            let label = if label.is_empty() { kept } else { label.to_owned() };
            self.pending.push((id, Change::Track(Consumer { label, revision })));
        }
        Ok(content)
    }

    /// The secrets after the commit, or why Juju refuses the changes.
    pub(super) fn committed(&self, controller: &Controller, unit: &UnitName) -> Result<Secrets, String> {
        let leader = controller.is_leader(unit);
        let mut secrets = controller.secrets.clone();
        for (id, change) in &self.pending {
            change.check(id, unit, leader, &secrets)?;
            change.apply(id, unit, &mut secrets);
        }
        Ok(secrets)
    }
}

impl Change {
    fn apply(&self, id: &str, unit: &UnitName, secrets: &mut Secrets) {
        match self {
            Self::Add { owner, update, at } => secrets.insert(id, Secret::new(owner.clone(), update, *at)),
            Self::Remove(revision) => secrets.remove(id, *revision),
            Self::Set { .. } | Self::Grant(_) | Self::Revoke(_) | Self::Track(_) => {
                if let Some(secret) = secrets.get_mut(id) {
                    self.apply_to(secret, unit);
                }
            }
        }
    }

    fn apply_to(&self, secret: &mut Secret, unit: &UnitName) {
        match self {
            Self::Set { update, at } => secret.update(update, *at),
            Self::Grant(grant) => {
                secret.grants.insert(grant.clone());
            }
            Self::Revoke(subject) => secret.grants.retain(|grant| !revokes(subject, &grant.subject)),
            Self::Track(consumer) => {
                secret.consumers.insert(unit.clone(), consumer.clone());
            }
            Self::Add { .. } | Self::Remove(_) => {}
        }
    }

    /// Only the owner changes a secret; for an application's that is the leader, at the commit too.
    fn check(&self, id: &str, unit: &UnitName, leader: bool, secrets: &Secrets) -> Result<(), String> {
        let owner = match self {
            Self::Track(_) => return Ok(()),
            Self::Add { owner, .. } => owner,
            _ => &secrets.get(id).ok_or_else(|| format!("secret \"{id}\" not found"))?.owner,
        };
        match owner {
            Owner::Unit(owner) if owner == unit => {}
            Owner::Application(app) if app == unit.application() && leader => {}
            Owner::Application(app) if app == unit.application() => {
                return Err(format!("{unit} is not the leader, so the secrets of application {app} cannot be changed"));
            }
            _ => return Err("permission denied".to_owned()),
        }
        let label = match self {
            Self::Add { update, .. } | Self::Set { update, .. } => update.label.as_deref().unwrap_or_default(),
            _ => "",
        };
        let taken = |(of, secret): (&str, &Secret)| of != id && secret.label == label && secret.owner == *owner;
        if !label.is_empty() && secrets.iter().any(taken) { Err(already_exists(label)) } else { Ok(()) }
    }
}

/// An application loses its units' grants, too; a unit only its own.
fn revokes(subject: &Subject, granted: &Subject) -> bool {
    match (subject, granted) {
        (Subject::Application(app), Subject::Unit(unit)) => app == unit.application(),
        _ => subject == granted,
    }
}

/// The secret that the unit knows under the label: its own, its application's, or one that it tracks.
fn labelled(secrets: &Secrets, unit: &UnitName, label: &str) -> Option<String> {
    let owns = |secret: &Secret| match &secret.owner {
        Owner::Unit(owner) => owner == unit,
        Owner::Application(app) => app == unit.application(),
    };
    let tracks = |secret: &Secret| secret.consumers.get(unit).is_some_and(|consumer| consumer.label == label);
    let mut all = secrets.iter().filter(|(_, secret)| secret.label == label && owns(secret));
    let found = all.next().or_else(|| secrets.iter().find(|(_, secret)| tracks(secret)));
    found.map(|(id, _)| id.to_owned())
}

fn already_exists(label: &str) -> String {
    format!("secret with label \"{label}\" already exists")
}
