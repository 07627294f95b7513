//! The words of stories: durations, hooks, moments of a kill; and what was probably meant by one that is none.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::super::hook::HookFamily;
use super::super::process::KillPoint;
use super::super::yaml::shown;
use crate::juju::NameError;
use crate::juju::names::{is_endpoint, is_storage};

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
            Self::Change(nth) => write!(f, "change {nth}"),
            Self::Changed(nth) => write!(f, "changed {nth}"),
            Self::Write(nth) => write!(f, "write {nth}"),
            Self::Commit(nth) => write!(f, "commit {nth}"),
            Self::Committed(nth) => write!(f, "committed {nth}"),
            Self::Exit => f.write_str("exit"),
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

/// Sorts a hook by its name; what is none gives the reason.
pub(super) fn hook(name: &str) -> Result<HookFamily, String> {
    match HookFamily::of(name) {
        Some((HookFamily::Plain, _)) if name == "leader-deposed" => Err("Juju never runs `leader-deposed`".to_owned()),
        Some((HookFamily::Workload, _)) => {
            Err(format!("`{}` is for charms on Kubernetes, which are not simulated", shown(name)))
        }
        Some((family @ HookFamily::Plain, _)) => Ok(family),
        Some((family @ HookFamily::Relation(_), endpoint)) if is_endpoint(endpoint) => Ok(family),
        Some((family @ HookFamily::Storage, storage)) if is_storage(storage) => Ok(family),
        _ => {
            let hint = match nearest(name, HookFamily::PLAIN) {
                Some(hook) => format!("is it `{hook}`?"),
                None => "it has to look like `install`, `config-changed`, `zkpeer-relation-joined` or \
                         `data-storage-attached`"
                    .to_owned(),
            };
            Err(format!("Juju has no hook `{}`; {hint}", shown(name)))
        }
    }
}

/// A longer text is near no word.
const MAX_WORD: usize = 60;

/// The known word with the fewest letters to change, if these are few and some stay.
pub(in crate::testing) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
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
    use crate::testing::hook::RelationKind;

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
    fn c1_3_hooks_are_known_by_their_names() {
        assert_eq!(hook("install"), Ok(HookFamily::Plain));
        assert_eq!(hook("zkpeer-relation-joined"), Ok(HookFamily::Relation(RelationKind::Joined)));
        assert_eq!(hook("data-storage-attached"), Ok(HookFamily::Storage));
        assert_eq!(hook("config_change").unwrap_err(), "Juju has no hook `config_change`; is it `config-changed`?");
        assert!(hook("zk-pebble-ready").unwrap_err().contains("on Kubernetes"));
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
