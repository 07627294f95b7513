//! `resource-get`, `credential-get`, `juju-reboot`, `add-metric` (contract 9.15 to 9.17).

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::super::controller::Entries;
use super::super::entries;
use super::super::options::quoted;
use super::super::run::{Metric, Reboot};
use super::super::value::{Value, map};
use super::{Answered, Call, Failure, failed, go_error, usage};

/// Prints the path without a newline. The file is a copy of the unit's own, brought up to date with each call.
pub(super) fn resource_get(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some(name) = args.first() else { return usage("missing required resource name") };
    call.args(1)?;
    match download(call, name) {
        Ok(path) => Ok(path.display().to_string()),
        Err(why) => failed(format!("could not download resource: {why}")),
    }
}

/// Copies a resource's file to `resources/NAME/FILENAME` of the unit.
fn download(call: &mut Call<'_>, name: &str) -> Result<PathBuf, String> {
    let unit = &call.run.unit;
    let source = call.controller.application(unit.application()).resources.get(name);
    let Some((source, spec)) = source.zip(call.charm.resources.get(name)) else {
        return Err(format!("resource {} not found", quoted(name)));
    };
    let path = call.resources.join(name).join(&spec.filename);
    let copied = fs::create_dir_all(call.resources.join(name)).and_then(|()| fs::copy(source, &path));
    copied.map_err(|error| format!("open {}: {}", source.display(), go_error(&error)))?;
    Ok(path)
}

const CLOUD: &[&str] = &["type", "name", "region", "endpoint", "credential", "auth-type", "attrs"];

pub(super) fn credential_get(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    if !call.controller.application(call.run.unit.application()).trust {
        return failed("cannot access cloud credentials: permission denied");
    }
    let text = |text: &str| Value::from(text);
    let attributes = map([("client-cert", text("")), ("client-key", text("")), ("server-cert", text(""))]);
    let cloud = map([
        ("type", text("lxd")),
        ("name", text("localhost")),
        ("region", text("localhost")),
        ("endpoint", text("https://10.0.0.1:8443")),
        ("credential", map([("auth-type", text("certificate")), ("attrs", attributes)])),
    ]);
    Ok(call.print_fields(&cloud, CLOUD))
}

pub(super) fn juju_reboot(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    if call.run.action.is_some() {
        return failed("juju-reboot is not supported when running an action.");
    }
    call.run.reboot = Some(if call.is_on("now") { Reboot::Now } else { Reboot::After });
    Ok(String::new())
}

pub(super) fn add_metric(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    if args.is_empty() {
        return usage("no metrics specified");
    }
    let values = pairs(&args, "invalid metrics")?;
    let labels: Vec<String> =
        call.given("l").map(|text| text.split(',').map(str::to_owned).collect()).unwrap_or_default();
    let labels = pairs(&labels, "invalid labels")?;
    for (key, value) in values {
        if key.starts_with("juju") {
            return failed(format!("{key} uses a reserved prefix"));
        }
        if !call.run.hook.is("collect-metrics") {
            return failed("cannot record metric: metrics not allowed in this context");
        }
        call.run.metrics.push(Metric { key, value, labels: labels.clone() });
    }
    Ok(String::new())
}

/// `key=value` arguments, none of them with an empty value.
fn pairs(args: &[String], what: &str) -> Result<BTreeMap<String, String>, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("{what}: {why}"));
    let pairs: Entries = entries::from_args(args).map_err(|why| wrong(&why))?;
    match pairs.iter().find(|(_, value)| value.is_empty()) {
        Some((key, _)) => Err(wrong(&format!("expected \"key=value\", got {}", quoted(&format!("{key}="))))),
        None => Ok(pairs),
    }
}
