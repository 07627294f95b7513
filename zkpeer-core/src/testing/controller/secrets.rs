//! The secrets of the model: content by revision, owners, grants, and the revisions that consumers track (contract 9.12).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::juju::UnitName;
use crate::testing::clock;

/// The content of one revision; the values are kept in base64.
pub(crate) type Content = BTreeMap<String, String>;

/// All secrets, by their ids without the scheme.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Secrets {
    all: BTreeMap<String, Secret>,
    /// How many ids have been given out.
    made: u32,
}

/// Who owns a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Owner {
    Application(String),
    Unit(UnitName),
}

/// One secret.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Secret {
    pub(crate) owner: Owner,
    pub(crate) label: String,
    pub(crate) description: String,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) next_rotation: Option<Duration>,
    pub(crate) revisions: BTreeMap<u32, Revision>,
    /// The number of the newest revision, also when it has been removed.
    pub(crate) latest: u32,
    pub(crate) grants: BTreeSet<Grant>,
    pub(crate) consumers: BTreeMap<UnitName, Consumer>,
}

/// One revision of a secret.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Revision {
    pub(crate) content: Content,
    pub(crate) expires: Option<Duration>,
}

/// What a unit tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Consumer {
    pub(crate) label: String,
    pub(crate) revision: u32,
}

/// Who may read a secret, for as long as the relation exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Grant {
    pub(crate) relation: u32,
    pub(crate) subject: Subject,
}

/// An application with all its units, or one unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Subject {
    Application(String),
    Unit(UnitName),
}

impl Subject {
    fn is_or_has(&self, unit: &UnitName) -> bool {
        match self {
            Self::Application(app) => app == unit.application(),
            Self::Unit(name) => name == unit,
        }
    }
}

/// How Juju writes it as a tag: `application-kafka`, `unit-kafka-0`.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Application(app) => write!(f, "application-{app}"),
            Self::Unit(unit) => f.write_str(&unit.tag()),
        }
    }
}

/// How often the owner is asked to make a new revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Rotation {
    Never,
    Hourly,
    Daily,
    Weekly,
    Monthly,
    Quarterly,
    Yearly,
}

impl Rotation {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Never, "never"),
        (Self::Hourly, "hourly"),
        (Self::Daily, "daily"),
        (Self::Weekly, "weekly"),
        (Self::Monthly, "monthly"),
        (Self::Quarterly, "quarterly"),
        (Self::Yearly, "yearly"),
    ];

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(policy, name)| (name == text).then_some(policy))
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(policy, name)| (policy == self).then_some(name)).unwrap_or_default()
    }

    /// When the secret is due, counted from `from`.
    pub(crate) fn next(self, from: Duration) -> Option<Duration> {
        let hours = |hours: u64| Some(from + Duration::from_secs(hours * 3600));
        match self {
            Self::Never => None,
            Self::Hourly => hours(1),
            Self::Daily => hours(24),
            Self::Weekly => hours(7 * 24),
            Self::Monthly => Some(clock::after_months(from, 1)),
            Self::Quarterly => Some(clock::after_months(from, 3)),
            Self::Yearly => Some(clock::after_months(from, 12)),
        }
    }
}

/// What `secret-add` and `secret-set` say about a secret; what is none stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Update {
    pub(crate) content: Option<Content>,
    pub(crate) label: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) expires: Option<Duration>,
}

impl Update {
    /// The later of two changes wins, field by field; together they make one revision.
    pub(crate) fn merge(&mut self, later: Self) {
        self.content = later.content.or(self.content.take());
        self.label = later.label.or(self.label.take());
        self.description = later.description.or(self.description.take());
        self.rotation = later.rotation.or(self.rotation.take());
        self.expires = later.expires.or(self.expires.take());
    }
}

impl Secret {
    pub(crate) fn new(owner: Owner, update: &Update, now: Duration) -> Self {
        let mut secret = Self {
            owner,
            label: String::new(),
            description: String::new(),
            rotation: None,
            next_rotation: None,
            revisions: BTreeMap::new(),
            latest: 0,
            grants: BTreeSet::new(),
            consumers: BTreeMap::new(),
        };
        secret.update(update, now);
        secret
    }

    /// Makes a new revision if the content differs from the latest, and sets what else is given.
    pub(crate) fn update(&mut self, update: &Update, now: Duration) {
        let latest = self.revisions.get(&self.latest).map(|revision| &revision.content);
        if let Some(content) = update.content.as_ref().filter(|content| Some(*content) != latest) {
            self.latest += 1;
            self.revisions.insert(self.latest, Revision { content: content.clone(), expires: None });
        }
        if let Some(revision) = self.revisions.get_mut(&self.latest) {
            revision.expires = update.expires.or(revision.expires);
        }
        if let Some(label) = &update.label {
            self.label.clone_from(label);
        }
        if let Some(description) = &update.description {
            self.description.clone_from(description);
        }
        if let Some(policy) = update.rotation.filter(|policy| self.rotation != Some(*policy)) {
            self.rotation = Some(policy);
            self.next_rotation = policy.next(now);
        }
    }

    /// Whether the unit, which is leader of its application or not, may change the secret.
    pub(crate) fn is_managed_by(&self, unit: &UnitName, leader: bool) -> bool {
        match &self.owner {
            Owner::Unit(owner) => owner == unit,
            Owner::Application(app) => app == unit.application() && leader,
        }
    }

    /// Whether the unit may read: the owner, each unit of an owning application, and whom it is granted to.
    pub(crate) fn is_readable_by(&self, unit: &UnitName, relation_exists: impl Fn(u32) -> bool) -> bool {
        let owns = match &self.owner {
            Owner::Unit(owner) => owner == unit,
            Owner::Application(app) => app == unit.application(),
        };
        owns || self.grants.iter().any(|grant| grant.subject.is_or_has(unit) && relation_exists(grant.relation))
    }

    /// The old revisions that no consumer tracks.
    pub(crate) fn obsolete(&self, unit_exists: impl Fn(&UnitName) -> bool) -> Vec<u32> {
        let consumers = self.consumers.iter().filter(|(unit, _)| unit_exists(unit));
        let tracked: BTreeSet<u32> = consumers.map(|(_, consumer)| consumer.revision).collect();
        self.revisions.keys().copied().filter(|number| *number < self.latest && !tracked.contains(number)).collect()
    }
}

impl Secrets {
    /// A new id, in the manner of Juju's: 20 characters, the same in every repetition.
    pub(crate) fn new_id(&mut self, now: Duration) -> String {
        self.made += 1;
        let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..9].copy_from_slice(b"juju\0");
        bytes[9..].copy_from_slice(&self.made.to_be_bytes()[1..]);
        base32(&bytes)
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Secret> {
        self.all.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Secret> {
        self.all.get_mut(id)
    }

    pub(crate) fn insert(&mut self, id: &str, secret: Secret) {
        self.all.insert(id.to_owned(), secret);
    }

    /// Removes one revision, or the whole secret; a secret without revisions is gone.
    pub(crate) fn remove(&mut self, id: &str, revision: Option<u32>) {
        if let Some(secret) = self.all.get_mut(id).filter(|_| revision.is_some()) {
            secret.revisions.retain(|number, _| Some(*number) != revision);
        }
        if revision.is_none() || self.all.get(id).is_some_and(|secret| secret.revisions.is_empty()) {
            self.all.remove(id);
        }
    }

    /// When, after `now`, the first secret is to be rotated or a revision expires.
    pub(crate) fn next_time(&self, now: Duration) -> Option<Duration> {
        let rotations = self.all.values().filter_map(|secret| secret.next_rotation);
        let ends = self.all.values().flat_map(|secret| secret.revisions.values().filter_map(|found| found.expires));
        rotations.chain(ends).filter(|at| *at > now).min()
    }

    /// A unit is gone: so are its secrets, and what it followed.
    pub(crate) fn forget(&mut self, unit: &UnitName) {
        self.all.retain(|_, secret| secret.owner != Owner::Unit(unit.clone()));
        self.all.values_mut().for_each(|secret| drop(secret.consumers.remove(unit)));
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.all.iter().map(|(id, secret)| (id.as_str(), secret))
    }
}

/// The id in `secret:9m4e2mr0ui3e8a215n4g`, with or without the scheme and the model's UUID.
pub(crate) fn parse_uri(text: &str) -> Option<&str> {
    let path = text.strip_prefix("secret:").unwrap_or(text);
    let id = match path.rsplit_once('/') {
        Some((source, id)) => is_uuid(source.trim_start_matches('/')).then_some(id)?,
        None => path,
    };
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'v').contains(&byte);
    (id.len() == 20 && id.bytes().all(is_digit)).then_some(id)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12] && text.bytes().all(|byte| byte == b'-' || matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Base 32 with the digits 0 to 9 and a to v, without padding.
fn base32(bytes: &[u8]) -> String {
    let digits = (bytes.len() * 8).div_ceil(5);
    let bit = |at: usize| bytes.get(at / 8).is_some_and(|byte| byte >> (7 - at % 8) & 1 == 1);
    let digit = |place: usize| (0..5).fold(0_u32, |digit, at| digit << 1 | u32::from(bit(place * 5 + at)));
    (0..digits).filter_map(|place| char::from_digit(digit(place), 32)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(value: &str) -> Update {
        Update { content: Some(Content::from([("key".to_owned(), value.to_owned())])), ..Update::default() }
    }

    fn secret() -> Secret {
        Secret::new(Owner::Unit("zk/0".parse().unwrap()), &content("YQ=="), clock::START)
    }

    #[test]
    fn c9_12_ids_have_twenty_characters_and_are_never_the_same() {
        let mut secrets = Secrets::default();
        let (first, second) = (secrets.new_id(clock::START), secrets.new_id(clock::START));
        assert_ne!(first, second);
        for id in [first, second] {
            assert_eq!(parse_uri(&format!("secret:{id}")), Some(id.as_str()));
        }
        let source = "secret://6a8b0f9e-3f1b-4c41-8d6e-5d0c5a1b2c3d/9m4e2mr0ui3e8a215n4g";
        assert_eq!(parse_uri(source), Some("9m4e2mr0ui3e8a215n4g"));
        for wrong in ["", "secret:", "secret:short", "http:9m4e2mr0ui3e8a215n4g", "secret:9m4e2mr0ui3e8a215n4z"] {
            assert_eq!(parse_uri(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn c9_12_a_new_revision_needs_other_content() {
        let mut secret = secret();
        secret.update(&content("YQ=="), clock::START);
        assert_eq!(secret.latest, 1);
        secret.update(&content("Yg=="), clock::START);
        assert_eq!((secret.latest, secret.revisions.len()), (2, 2));
    }

    #[test]
    fn c9_12_a_revision_is_obsolete_when_nobody_tracks_it() {
        let mut secret = secret();
        let consumer: UnitName = "kafka/0".parse().unwrap();
        secret.consumers.insert(consumer.clone(), Consumer { label: String::new(), revision: 1 });
        secret.update(&content("Yg=="), clock::START);
        assert!(secret.obsolete(|_| true).is_empty());
        assert_eq!(secret.obsolete(|_| false), [1]);
        secret.consumers.entry(consumer).or_default().revision = 2;
        assert_eq!(secret.obsolete(|_| true), [1]);
    }

    #[test]
    fn c9_12_a_grant_lasts_as_long_as_its_relation() {
        let mut secret = secret();
        let reader: UnitName = "kafka/0".parse().unwrap();
        assert!(!secret.is_readable_by(&reader, |_| true));
        secret.grants.insert(Grant { relation: 3, subject: Subject::Application("kafka".to_owned()) });
        assert!(secret.is_readable_by(&reader, |number| number == 3));
        assert!(!secret.is_readable_by(&reader, |_| false));
    }
}
