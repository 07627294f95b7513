//! `state-get`, `state-set`, `state-delete`: a map of strings for each unit, kept by the controller (contract 9.8).

use super::super::chance;
use super::super::options::quoted;
use super::super::value::Value;
use super::{Answered, Call, failed};
use crate::testing::options::Format;

pub(super) fn get(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let strict = call.is_on("strict");
    let state = call.run.state(call.controller);
    match args.first().map(String::as_str).filter(|key| !matches!(*key, "" | "-")) {
        None if state.is_empty() && call.format == Format::Json => Ok(call.print(&Value::Null)),
        None => Ok(call.format.print(&Value::from(state))),
        Some(key) => match state.get(key) {
            Some(value) => Ok(call.format.print(&Value::from(value.as_str()))),
            // JSON shows the missing key as an empty string; smart and yaml differ only in what they quote.
            None if strict => failed(format!("{} not found", quoted(key))),
            None if call.format == Format::Smart => Ok(String::new()),
            None => Ok(call.print(&Value::from(""))),
        },
    }
}

pub(super) fn set(call: &mut Call<'_>) -> Answered {
    let entries = call.entries()?;
    if entries.is_empty() {
        return Ok(String::new());
    }
    let over = |what: &str, limit: usize| match call.controller.juju.is_four() {
        true => format!("max allowed {what} length ({limit}): quota limit exceeded"),
        false => format!("max allowed {what} length ({limit}) exceeded"),
    };
    // The keys are applied in random order, until one cannot be (contract 9.8).
    let mut entries: Vec<(String, String)> = entries.into_iter().collect();
    entries.sort_by_key(|(key, _)| chance::place(&call.run.context_id, key));
    for (key, value) in entries {
        if key.len() > 256 {
            return failed(over("key", 256));
        }
        if value.len() > 65_536 {
            return failed(over("value", 65_536));
        }
        call.run.state_mut(call.controller).insert(key, value);
    }
    Ok(String::new())
}

pub(super) fn delete(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    if let Some(key) = args.first().filter(|key| !key.is_empty()) {
        call.run.state_mut(call.controller).remove(key);
    }
    Ok(String::new())
}
