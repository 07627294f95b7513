//! The flags that follow Juju: leadership, configuration, series upgrade, endpoints.
//!
#![doc = include_str!("docs/automatic.md")]

mod endpoint;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::ask;
use crate::context::{Context, FLAG_PREFIX};
use crate::error::Error;
use crate::metadata;
use crate::params::leadership;
use crate::trigger::Edge;

/// Flags that are brought up to date by the same question to Juju.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group<'n> {
    /// The flags of the endpoint of this name.
    Endpoint(&'n str),
    Leadership,
    LeaderSettings,
    Config,
}

const IS_LEADER: &str = "leadership.is_leader";
const LEADER_CHANGED: &str = "leadership.changed";
const LEADER_SET: &str = "leadership.set";
const CONFIG_CHANGED: &str = "config.changed";
const CONFIG_SET: &str = "config.set";
const CONFIG_DEFAULT: &str = "config.default";
const SERIES_UPGRADE: &str = "upgrade.series.in-progress";

/// Where the settings of the hook before are kept, as layer-leadership keeps them.
const SETTINGS_PREFIX: &str = "leadership.settings.";
/// Where the configuration of the hook before is kept.
pub(crate) const CONFIG_KEY: &str = "zkpeer.config";

/// Which groups have been brought up to date in this hook.
#[derive(Debug, Default)]
pub(crate) struct Automatic {
    leadership: bool,
    settings: bool,
    config: bool,
    endpoints: BTreeSet<String>,
    /// The endpoints for whose flags somebody waits, so that these are kept up in every hook.
    kept_up: BTreeMap<String, endpoint::KeptUp>,
    started: bool,
}

impl Automatic {
    /// Whether it is still to do; from now on it is not.
    pub(crate) fn begin(&mut self, group: Group<'_>) -> bool {
        let done = match group {
            Group::Endpoint(name) if self.endpoints.contains(name) => return false,
            Group::Endpoint(name) => return self.endpoints.insert(name.to_owned()),
            Group::Leadership => &mut self.leadership,
            Group::LeaderSettings => &mut self.settings,
            Group::Config => &mut self.config,
        };
        !std::mem::replace(done, true)
    }

    /// All groups that handlers and triggers watch from the beginning have been looked at.
    pub(crate) fn has_started(&self) -> bool {
        self.started
    }

    pub(crate) fn settings_are_refreshed(&self) -> bool {
        self.settings
    }

    fn kept_up(&self, endpoint: &str) -> Option<endpoint::KeptUp> {
        self.kept_up.get(endpoint).copied()
    }

    /// Whether units that depart from the endpoint are kept.
    pub(crate) fn keeps_departed(&self, endpoint: &str) -> bool {
        self.kept_up(endpoint).is_some_and(|kept_up| kept_up.departed)
    }
}

fn below(flag: &str, prefix: &str) -> bool {
    flag.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

impl<'n> Group<'n> {
    /// Those of which there is one.
    pub(crate) const SINGLE: [Self; 3] = [Self::Leadership, Self::LeaderSettings, Self::Config];

    /// The group to which a flag belongs, if it is an automatic one.
    pub(crate) fn of(flag: &'n str) -> Option<Self> {
        match flag.as_bytes().first() {
            Some(b'e') => endpoint::of_flag(flag).map(Self::Endpoint),
            Some(b'l') if flag == IS_LEADER => Some(Self::Leadership),
            Some(b'l') if below(flag, LEADER_CHANGED) || below(flag, LEADER_SET) => Some(Self::LeaderSettings),
            Some(b'c') if [CONFIG_CHANGED, CONFIG_SET, CONFIG_DEFAULT].iter().any(|prefix| below(flag, prefix)) => {
                Some(Self::Config)
            }
            _ => None,
        }
    }

    /// Asks Juju, and sets and clears the group's flags; their triggers act.
    pub(crate) fn refresh(self, context: &Context) -> Result<(), Error> {
        match self {
            Self::Endpoint(name) => endpoint::refresh(context, name)?,
            Self::Leadership => toggle(context, IS_LEADER, ask::is_leader(context)?),
            Self::LeaderSettings => refresh_settings(context)?,
            Self::Config => refresh_config(context)?,
        }
        Ok(())
    }
}

fn toggle(context: &Context, flag: &str, set: bool) {
    context.change_flag(flag, if set { Edge::Set } else { Edge::Cleared });
}

fn refresh_settings(context: &Context) -> Result<(), Error> {
    let current = leadership::settings(context)?;
    let mut all: BTreeMap<String, Option<String>> =
        context.keys(SETTINGS_PREFIX).into_iter().map(|key| (key, None)).collect();
    all.extend(current.into_iter().map(|(key, value)| (key, Some(value))));
    let mut any = false;
    for (key, value) in all {
        let changed = note_setting(context, &key, value.as_deref())?;
        toggle(context, &format!("{LEADER_CHANGED}.{key}"), changed);
        any |= changed;
    }
    toggle(context, LEADER_CHANGED, any);
    Ok(())
}

/// Notes a leader setting; whether it differs from what the last hook that looked, or an earlier write of this one, saw.
fn note_setting(context: &Context, key: &str, value: Option<&str>) -> Result<bool, Error> {
    let stored = format!("{SETTINGS_PREFIX}{key}");
    let before: Option<Option<String>> = context.get(&stored)?;
    toggle(context, &format!("{LEADER_SET}.{key}"), value.is_some());
    context.set(&stored, &value)?;
    Ok(before.flatten().as_deref() != value)
}

/// The leader has written a setting itself: its flags follow in this hook already. That it has changed stays true to the
/// end of the hook, even if it is written a second time.
pub(crate) fn settings_written(context: &Context, key: &str, value: &str) -> Result<(), Error> {
    if context.with_automatic(|automatic| automatic.settings_are_refreshed())
        && note_setting(context, key, Some(value).filter(|v| !v.is_empty()))?
    {
        toggle(context, &format!("{LEADER_CHANGED}.{key}"), true);
        toggle(context, LEADER_CHANGED, true);
    }
    Ok(())
}

fn refresh_config(context: &Context) -> Result<(), Error> {
    let defaults = metadata::read_config_defaults(context.charm_dir())?;
    let current = ask::config(context)?;
    let before: Option<BTreeMap<String, Value>> = context.get(CONFIG_KEY)?;
    let mut any = false;
    let options: BTreeSet<&String> =
        defaults.keys().chain(current.keys()).chain(before.iter().flat_map(BTreeMap::keys)).collect();
    for option in options {
        let value = current.get(option).unwrap_or(&Value::Null);
        let changed = before.as_ref().is_none_or(|before| !same(before.get(option).unwrap_or(&Value::Null), value));
        any |= changed;
        toggle(context, &format!("{CONFIG_CHANGED}.{option}"), changed);
        toggle(context, &format!("{CONFIG_SET}.{option}"), is_true(value));
        let is_default = defaults.get(option).is_some_and(|default| same(default, value));
        toggle(context, &format!("{CONFIG_DEFAULT}.{option}"), is_default);
    }
    toggle(context, CONFIG_CHANGED, any);
    context.set(CONFIG_KEY, &*current)?;
    Ok(())
}

/// Equal as Juju's values: integers and floats are not told apart (contract 9.6).
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// At the beginning of a hook: the flags that the hook's name decides, and the groups that some handler watches.
pub(crate) fn at_start<'f>(context: &Context, watched: impl Iterator<Item = &'f str>) {
    match context.event().name() {
        _ if context.event().action().is_some() => {}
        "pre-series-upgrade" => toggle(context, SERIES_UPGRADE, true),
        "post-series-upgrade" => toggle(context, SERIES_UPGRADE, false),
        _ => {}
    }
    let mut groups = BTreeSet::new();
    let mut kept_up: BTreeMap<String, endpoint::KeptUp> = BTreeMap::new();
    for flag in watched {
        let Some(group) = Group::of(flag) else { continue };
        if let Group::Endpoint(name) = group {
            if !context.outside().metadata.endpoints.contains_key(name) {
                continue;
            }
            kept_up.entry(name.to_owned()).or_default().add(flag);
        }
        groups.insert(group);
    }
    context.with_automatic(|automatic| {
        automatic.started = true;
        automatic.kept_up = kept_up;
    });
    for group in groups {
        context.ensure(group);
    }
}

/// At the end of a hook: flags that are those of one hook go, without a word.
pub(crate) fn at_end(context: &Context) {
    let (of_this_hook, config) = context.with_automatic(|automatic| {
        let is_of_this_hook = |endpoint: &&String| !automatic.kept_up.contains_key(*endpoint);
        let of_this_hook: Vec<String> = automatic.endpoints.iter().filter(is_of_this_hook).cloned().collect();
        (of_this_hook, automatic.config)
    });
    of_this_hook.iter().for_each(|endpoint| endpoint::forget(context, endpoint));
    if !config {
        return;
    }
    for prefix in [CONFIG_CHANGED, CONFIG_SET, CONFIG_DEFAULT] {
        let prefix = format!("{FLAG_PREFIX}{prefix}");
        for rest in context.keys(&prefix) {
            if rest.is_empty() || rest.starts_with('.') {
                context.unset(&format!("{prefix}{rest}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_automatic_flags_ask_juju() {
        assert_eq!(Group::of("leadership.is_leader"), Some(Group::Leadership));
        assert_eq!(Group::of("leadership.changed"), Some(Group::LeaderSettings));
        assert_eq!(Group::of("leadership.set.nonce"), Some(Group::LeaderSettings));
        assert_eq!(Group::of("config.changed.port"), Some(Group::Config));
        for own in ["config.changedX", "config.rendered", "leadership.mine", "zookeeper.installed", ""] {
            assert_eq!(Group::of(own), None, "{own}");
        }
    }

    #[test]
    fn integers_and_floats_are_not_told_apart() {
        assert!(same(&Value::from(3), &Value::from(3.0)));
        assert!(!same(&Value::from(3), &Value::from("3")));
    }
}
