//! `action-get`, `action-set`, `action-fail`, `action-log` (contract 9.13).

use std::collections::BTreeMap;

use super::super::names::JujuVersion;
use super::super::options::quoted;
use super::super::run::ActionRun;
use super::super::value::Value;
use super::{Answered, Call, Failure, usage};

/// What the action returns by itself.
const RESERVED: &[&str] = &["stdout", "stdout-encoding", "stderr", "stderr-encoding"];

fn action<'c>(call: &'c mut Call<'_>) -> Result<&'c mut ActionRun, Failure> {
    call.run.action.as_mut().ok_or_else(|| Failure::Failed("not running an action".to_owned()))
}

pub(super) fn get(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let params = action(call)?.params.clone();
    let Some(path) = args.first().filter(|path| !path.is_empty()) else { return Ok(call.print(&params)) };
    let found = path.split('.').try_fold(&params, |value, key| value.get(key));
    Ok(call.print(found.unwrap_or(&Value::Null)))
}

pub(super) fn set(call: &mut Call<'_>) -> Answered {
    let mut pairs = Vec::new();
    for arg in call.args(usize::MAX)? {
        let Some((path, value)) = arg.split_once('=') else {
            return usage(format!("argument {} must be of the form key...=value", quoted(&arg)));
        };
        let keys: Vec<String> = path.split('.').map(str::to_owned).collect();
        for key in &keys {
            check_key(key, &call.controller.juju)?;
        }
        pairs.push((keys, value.to_owned()));
    }
    let action = action(call)?;
    for (keys, value) in pairs {
        put(&mut action.results, &keys, value);
    }
    Ok(String::new())
}

fn check_key(key: &str, juju: &JujuVersion) -> Result<(), Failure> {
    if !is_key(key) {
        let must = "must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric";
        let more = if juju.at_least(3, 6, 0) { " and hyphens" } else { ", hyphens and periods" };
        return usage(format!("key {} {must}{more}", quoted(key)));
    }
    if RESERVED.contains(&key) {
        return usage(format!("cannot set reserved action key {}", quoted(key)));
    }
    Ok(())
}

/// Later values replace earlier ones, nested maps merge.
fn put(map: &mut BTreeMap<String, Value>, keys: &[String], value: String) {
    let Some((first, rest)) = keys.split_first() else { return };
    if rest.is_empty() {
        map.insert(first.clone(), Value::Text(value));
        return;
    }
    let inner = map.entry(first.clone()).or_default();
    if !matches!(inner, Value::Map(_)) {
        *inner = Value::Map(BTreeMap::new());
    }
    if let Value::Map(inner) = inner {
        put(inner, rest, value);
    }
}

fn is_key(key: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    key.starts_with(word) && key.ends_with(word) && key.chars().all(|c| word(c) || c == '-')
}

pub(super) fn fail(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let default = "action failed without reason given, check action for errors";
    action(call)?.failed = Some(args.into_iter().next().unwrap_or_else(|| default.to_owned()));
    Ok(String::new())
}

pub(super) fn log(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    if args.is_empty() {
        return usage("no message specified");
    }
    action(call)?.log.push(args.join(" "));
    Ok(String::new())
}
