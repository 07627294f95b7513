//! What went away with Juju 4: `payload-register`, `payload-unregister`, `payload-status-set`, and the specifications of
//! pods, `k8s-spec-*`, `k8s-raw-*` and `pod-spec-*` (contract 9.17).

use super::super::controller::Payload;
use super::super::options::{Opt, quoted, valued};
use super::{Answered, Call, FILE, Failure, failed, usage};

pub(super) const SPEC: &[Opt] = &[FILE, valued(&["k8s-resources"])];

const MISSING: &str = "missing required arguments";
const STATES: &[&str] = &["started", "starting", "stopped", "stopping"];

pub(super) fn payload_register(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let [kind, class, id, labels @ ..] = args.as_slice() else { return usage(MISSING) };
    match call.charm.payloads.get(class) {
        None => return failed(format!("payload {} not found in metadata.yaml", quoted(class))),
        Some(declared) if declared != kind => {
            let (kind, class, declared) = (quoted(kind), quoted(class), quoted(declared));
            return failed(format!("incorrect type {kind} for payload {class}, expected {declared}"));
        }
        Some(_) => {}
    }
    let payload = Payload { kind: kind.clone(), labels: labels.to_vec(), status: "running".to_owned() };
    if let Some(unit) = call.controller.units.get_mut(&call.run.unit) {
        unit.payloads.insert((class.clone(), id.clone()), payload);
    }
    Ok(String::new())
}

pub(super) fn payload_unregister(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let [class, id, ..] = args.as_slice() else { return usage(MISSING) };
    call.args(2)?;
    if let Some(unit) = call.controller.units.get_mut(&call.run.unit) {
        unit.payloads.remove(&(class.clone(), id.clone()));
    }
    Ok(String::new())
}

pub(super) fn payload_status_set(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let [class, id, status, ..] = args.as_slice() else { return usage(MISSING) };
    call.args(3)?;
    if !STATES.contains(&status.as_str()) {
        let known = STATES.join("\", \"");
        return failed(format!("status {} not supported; expected one of [\"{known}\"]", quoted(status)));
    }
    let unit = call.controller.units.get_mut(&call.run.unit);
    match unit.and_then(|unit| unit.payloads.get_mut(&(class.clone(), id.clone()))) {
        Some(payload) => payload.status.clone_from(status),
        None => return failed(format!("payload {} not found", quoted(&format!("{class}/{id}")))),
    }
    Ok(String::new())
}

pub(super) fn spec_set(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let mut spec = input(call, "k8s spec")?;
    if let Some(file) = call.given("k8s-resources").map(str::to_owned) {
        spec.push_str(&text(call, &file)?);
    }
    call.run.workload.spec = Some(as_leader(call, spec)?);
    Ok(String::new())
}

pub(super) fn raw_set(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let spec = input(call, "k8s raw spec")?;
    call.run.workload.raw = Some(as_leader(call, spec)?);
    Ok(String::new())
}

pub(super) fn spec_get(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let app = call.run.unit.application();
    let found = call.controller.application(app).workload.spec.clone();
    found.ok_or_else(|| Failure::Failed(format!("k8s spec for application {app} not found")))
}

pub(super) fn raw_get(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let app = call.run.unit.application();
    let found = call.controller.application(app).workload.raw.clone();
    found.ok_or_else(|| Failure::Failed(format!("k8s raw spec for application {app} not found")))
}

fn as_leader(call: &mut Call<'_>, spec: String) -> Answered {
    if call.run.is_leader(call.controller) { Ok(spec) } else { failed("this unit is not the leader") }
}

/// What `--file` names; standard input if it names nothing.
fn input(call: &Call<'_>, what: &str) -> Answered {
    let given = text(call, call.option("file").unwrap_or("-"))?;
    if given.is_empty() {
        return failed(format!("no {what} specified: pipe {what} to command, or specify a file with --file"));
    }
    Ok(given)
}

fn text(call: &Call<'_>, file: &str) -> Answered {
    Ok(String::from_utf8_lossy(&call.file(file)?).into_owned())
}
