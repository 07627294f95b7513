//! The words of stories: durations, hooks, moments of a kill; and what was probably meant by one that is none.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::super::hook::RelationKind;
use super::super::process::KillPoint;
use super::super::yaml::shown;
use crate::juju::NameError;

/// The longest time that a step may let pass: ten years.
const MAX_TIME: Duration = Duration::from_secs(3650 * 86400);

/// Units of time, in milliseconds.
const UNITS: [(&str, u64); 5] = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// How a duration looks, for messages.
pub(super) const DURATION: &str = "a time such as `10m`, `1h30m` or `200ms`";

/// Reads a duration: whole numbers, each with its unit.
pub(super) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut millis: u64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let after = &rest[digits..];
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (_, unit) = UNITS.iter().find(|(unit, _)| *unit == &after[..end])?;
        millis = rest[..digits].parse::<u64>().ok()?.checked_mul(*unit)?.checked_add(millis)?;
        rest = &after[end..];
    }
    Some(Duration::from_millis(millis)).filter(|time| *time <= MAX_TIME)
}

/// How the moment of a kill looks, for messages.
pub(super) const KILL: &str =
    "`start`, `command N` (at the N-th hook command), `answer N` (after it) or `after TIME` such as `after 200ms`";

/// As a story writes it; `command-3` is `command 3`, for command lines.
impl FromStr for KillPoint {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let wrong = || NameError(format!("`{}` is no moment of a kill: it has to be {KILL}", shown(text)));
        kill_point(&text.replace('-', " ")).ok_or_else(wrong)
    }
}

impl fmt::Display for KillPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("start"),
            Self::Command(nth) => write!(f, "command {nth}"),
            Self::Answer(nth) => write!(f, "answer {nth}"),
            Self::After(time) => write!(f, "after {time:?}"),
        }
    }
}

/// Reads the moment of a kill.
pub(super) fn kill_point(text: &str) -> Option<KillPoint> {
    let mut words = text.split_whitespace();
    let (what, of) = (words.next()?, words.next());
    let nth = || of?.parse::<usize>().ok().filter(|nth| *nth > 0);
    let point = match what {
        "start" if of.is_none() => KillPoint::Start,
        "command" => KillPoint::Command(nth()?),
        "answer" => KillPoint::Answer(nth()?),
        "after" => KillPoint::After(duration(of?)?),
        _ => return None,
    };
    words.next().is_none().then_some(point)
}

/// Whether this can name an endpoint or a storage (contract 11.1).
pub(super) fn is_endpoint(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    name.starts_with(|c: char| c.is_ascii_lowercase()) && name.split(['-', '_']).all(part)
}

/// Whether this is the id of a storage instance, `data/0`.
pub(super) fn is_storage_id(id: &str) -> bool {
    id.split_once('/').is_some_and(|(name, number)| {
        is_endpoint(name) && number.parse::<u32>().is_ok_and(|parsed| parsed.to_string() == number)
    })
}

/// Whether this can name an action (contract 11.3).
pub(super) fn is_action(name: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    name.bytes().all(|b| plain(b) || b == b'-')
        && name.bytes().next().is_some_and(plain)
        && name.bytes().last().is_some_and(plain)
        && name != "juju"
        && !name.starts_with("juju-")
}

/// The hooks of a machine charm that concern neither relation nor storage (contract 1.3).
const HOOKS: [&str; 18] = [
    "install",
    "start",
    "config-changed",
    "upgrade-charm",
    "stop",
    "remove",
    "update-status",
    "leader-elected",
    "leader-settings-changed",
    "secret-changed",
    "secret-rotate",
    "secret-expired",
    "secret-remove",
    "pre-series-upgrade",
    "post-series-upgrade",
    "collect-metrics",
    "meter-status-changed",
    "leader-deposed",
];

/// What a hook is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HookFamily {
    Plain,
    Storage,
    Relation(RelationKind),
}

/// Sorts a hook by its name; what is none gives the reason.
pub(super) fn hook(name: &str) -> Result<HookFamily, String> {
    if name == "leader-deposed" {
        return Err("Juju never runs `leader-deposed`".to_owned());
    }
    if HOOKS.contains(&name) {
        return Ok(HookFamily::Plain);
    }
    if let Some((endpoint, kind)) = RelationKind::split(name)
        && is_endpoint(endpoint)
    {
        return Ok(HookFamily::Relation(kind));
    }
    let storage = ["-storage-attached", "-storage-detaching"].iter().find_map(|end| name.strip_suffix(end));
    if storage.is_some_and(is_endpoint) {
        return Ok(HookFamily::Storage);
    }
    let hint = match nearest(name, HOOKS) {
        Some(hook) => format!("is it `{hook}`?"),
        None => "it has to look like `install`, `config-changed`, `zkpeer-relation-joined` or \
                 `data-storage-attached`"
            .to_owned(),
    };
    Err(format!("Juju has no hook `{}`; {hint}", shown(name)))
}

/// A longer text is near no word.
const MAX_WORD: usize = 60;

/// The known word with the fewest letters to change, if these are few and some stay.
pub(super) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > MAX_WORD {
        return None;
    }
    let word = word.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    known
        .into_iter()
        .map(|candidate| (distance(&word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(6) / 3 && *distance < candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// How many letters to insert, leave out or replace.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        for (text, millis) in
            [("10m", 600_000), ("1h30m", 5_400_000), ("200ms", 200), ("2d", 172_800_000), ("0s", 0), ("1m5ms", 60_005)]
        {
            assert_eq!(duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in
            ["", "10", "m", "10 m", "-1s", "1.5h", "10min", "9999999999999999999d", "20000d", "1s 2", "١s", "1h30"]
        {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn kills_have_a_moment() {
        assert_eq!(kill_point("start"), Some(KillPoint::Start));
        assert_eq!(kill_point("command 3"), Some(KillPoint::Command(3)));
        assert_eq!(kill_point("answer  1"), Some(KillPoint::Answer(1)));
        assert_eq!(kill_point("after 200ms"), Some(KillPoint::After(Duration::from_millis(200))));
        assert_eq!("command-3".parse(), Ok(KillPoint::Command(3)));
        assert!("command".parse::<KillPoint>().unwrap_err().to_string().contains("`command N`"));
        for text in ["start", "command 3", "answer 1", "after 200ms"] {
            assert_eq!(text.parse::<KillPoint>().unwrap().to_string(), text);
        }
        for text in ["", "end", "start 1", "command", "command 0", "command x", "answer 1 2", "after", "after 5"] {
            assert_eq!(kill_point(text), None, "{text}");
        }
    }

    #[test]
    fn c11_names_of_endpoints_actions_and_storage() {
        assert!(["client", "zk-peer", "a_b2"].iter().all(|name| is_endpoint(name)));
        assert!(!["", "Client", "2a", "a--b", "a-", "-a", "a b", "ä"].iter().any(|name| is_endpoint(name)));
        assert!(["backup", "2", "a-b"].iter().all(|name| is_action(name)));
        assert!(!["", "-a", "a-", "A", "a.b", "juju", "juju-x"].iter().any(|name| is_action(name)));
        assert!(["data/0", "my-data/12"].iter().all(|id| is_storage_id(id)));
        assert!(!["", "data", "data/", "data/01", "data/+1", "/0", "data/0/1"].iter().any(|id| is_storage_id(id)));
    }

    #[test]
    fn c1_3_hooks_are_known_by_their_names() {
        assert_eq!(hook("install"), Ok(HookFamily::Plain));
        assert_eq!(hook("zkpeer-relation-joined"), Ok(HookFamily::Relation(RelationKind::Joined)));
        assert_eq!(hook("data-storage-attached"), Ok(HookFamily::Storage));
        assert_eq!(hook("config_change").unwrap_err(), "Juju has no hook `config_change`; is it `config-changed`?");
        for wrong in ["", "-relation-joined", "zkpeer-relation-join", "backup", "leader-deposed"] {
            assert!(hook(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_far_from_all_is_near_none() {
        assert_eq!(nearest(&"x".repeat(1 << 20), ["settle"]), None);
        assert_eq!(nearest("Add_Unit", ["add-units", "remove-unit"]), Some("add-units"));
        assert_eq!(nearest("frobnicate", ["add-units", "remove-unit"]), None);
        assert_eq!(nearest("x", ["to"]), None);
    }
}
