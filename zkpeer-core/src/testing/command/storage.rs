//! `storage-list`, `storage-get`, `storage-add` (contract 9.15).

use super::super::controller::storage::storage_name;
use super::super::options::{Opt, quoted, valued};
use super::super::value::{Value, map, texts};
use super::{Answered, Call, Failure, failed, usage};

pub(super) const GET: &[Opt] = &[valued(&["s"])];

pub(super) fn list(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let wanted = args.first().filter(|name| !name.is_empty());
    let ids = call.run.storage.iter();
    let shown = texts(ids.filter(|id| wanted.is_none_or(|name| name == storage_name(id))));
    Ok(call.print(&shown))
}

pub(super) fn get(call: &mut Call<'_>) -> Answered {
    let own = call.run.hook.storage().map(|hook| hook.id.clone());
    let Some(id) = call.option("s").map(str::to_owned).or(own) else { return usage("no storage instance specified") };
    let args = call.args(1)?;
    let Some(instance) = call.controller.storage.of_unit(&call.run.unit, &id) else {
        return failed("storage not found");
    };
    if !instance.provisioned {
        return failed("storage attachment not provisioned");
    }
    let (kind, location) = (Value::from(instance.kind.to_string()), Value::from(instance.location.as_str()));
    match args.first().map_or("", String::as_str) {
        "" => Ok(call.print(&map([("kind", kind), ("location", location)]))),
        "kind" => Ok(call.print(&kind)),
        "location" => Ok(call.print(&location)),
        other => failed(format!("invalid storage attribute {}", quoted(other))),
    }
}

pub(super) fn add(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    if args.is_empty() {
        return usage("storage add requires a storage directive");
    }
    let mut wanted: Vec<(String, u32)> = Vec::new();
    for arg in &args {
        let (name, count) = directive(arg)?;
        if wanted.iter().any(|(other, _)| *other == name) {
            return usage(format!("storage {} specified more than once", quoted(&name)));
        }
        wanted.push((name, count));
    }
    call.run.new_storage.extend(wanted);
    Ok(String::new())
}

/// `data` or `data=2`.
fn directive(arg: &str) -> Result<(String, u32), Failure> {
    let (name, count) = arg.split_once('=').unwrap_or((arg, "1"));
    if name.is_empty() || count.contains('=') {
        return usage(format!("expected \"name=constraints\" or \"name\", got {}", quoted(arg)));
    }
    let cannot = |why: &str| usage(format!("cannot parse constraints for storage {}: {why}", quoted(name)));
    match count.parse::<i64>().map(u32::try_from) {
        Ok(Ok(count)) if count > 0 => Ok((name.to_owned(), count)),
        Ok(_) => cannot(&format!("cannot parse count: count must be greater than zero, got {}", quoted(count))),
        Err(_) if count.is_empty() => cannot("storage constraints require at least one field to be specified"),
        Err(_) => usage(format!("only count can be specified for {}", quoted(name))),
    }
}
