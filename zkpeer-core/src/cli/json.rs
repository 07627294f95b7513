//! What happens as JSON, one object a line, for programs.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use zkpeer_core::HandlerReport;
use zkpeer_core::testing::{ActionReport, Happening, HookRun, Story};

use crate::output::Ending;
use crate::words::{counts, handlers, millis, outcome};

pub(crate) fn begin(story: &Story) -> Value {
    let applications: Vec<Value> = story
        .applications
        .iter()
        .map(|it| json!({"application": it.application, "charm": it.charm, "units": it.units}))
        .collect();
    json!({
        "event": "begin",
        "story": story.path,
        "juju": story.juju.to_string(),
        "seed": story.seed,
        "applications": applications,
        "steps": story.steps.len(),
    })
}

/// One happening; none if nobody has to know.
pub(crate) fn happening(happening: &Happening<'_>) -> Option<Value> {
    Some(match happening {
        Happening::Step(number, step) => {
            let line = Some(step.line).filter(|line| *line > 0);
            json!({"event": "step", "number": number + 1, "line": line, "step": step.to_string()})
        }
        Happening::Hook(run, attempt) => hook("hook", run, *attempt),
        Happening::Action(report) => action(report),
        Happening::Leader(unit) => json!({"event": "leader", "unit": unit.as_str()}),
        Happening::Expected(step, wrong) => {
            let line = Some(step.line).filter(|line| *line > 0);
            json!({"event": "expectation", "line": line, "held": wrong.is_empty(), "wrong": wrong})
        }
        _ => return None,
    })
}

fn hook(event: &str, run: &HookRun, attempt: u32) -> Value {
    let handlers: Vec<&HandlerReport> = handlers(run).collect();
    let remote = run.environment.get("JUJU_REMOTE_UNIT").filter(|unit| !unit.is_empty());
    json!({
        "event": event,
        "unit": run.unit.as_str(),
        "hook": run.hook.name(),
        "remote": remote,
        "attempt": attempt,
        "outcome": outcome(run),
        "exit": run.exit,
        "problem": run.problem(),
        "handlers": run.report.as_ref().map(|_| handlers),
        "set": run.report.as_ref().map(|report| &report.set),
        "cleared": run.report.as_ref().map(|report| &report.cleared),
        "commands": counts(run).into_iter().collect::<BTreeMap<_, _>>(),
        "notes": run.notes,
        "ms": millis(run.time),
    })
}

fn action(report: &ActionReport) -> Value {
    let mut value = hook("action", &report.run, 0);
    let results: Map<String, Value> = report
        .results
        .iter()
        .map(|(key, value)| (key.clone(), serde_json::from_str(&value.to_json()).unwrap_or_default()))
        .collect();
    if let Some(object) = value.as_object_mut() {
        object.insert("completed".to_owned(), report.completed.into());
        object.insert("message".to_owned(), report.message.as_str().into());
        object.insert("results".to_owned(), results.into());
        object.insert("log".to_owned(), json!(report.log));
    }
    value
}

pub(crate) fn end(ending: &Ending) -> Value {
    let standing = &ending.standing;
    let relations: Vec<Value> = standing
        .relations
        .iter()
        .map(|it| {
            let bags: Map<String, Value> = it.bags.iter().map(|(whose, bag)| (whose.clone(), json!(bag))).collect();
            json!({"relation": it.relation, "number": it.number, "bags": bags})
        })
        .collect();
    json!({
        "event": "end",
        "ok": ending.problem.is_none(),
        "problem": ending.problem,
        "hooks": ending.hooks,
        "ms": millis(ending.time),
        "before_removal": ending.removed,
        "units": standing.units,
        "applications": standing.applications,
        "relations": relations,
        "kept": ending.kept,
    })
}
