//! Steps in one line, for people who watch.

use std::fmt;

use super::{Expectation, Remote, Step, StepKind};

/// The step much as a file has it, with what matters: `add-units: zk (2)`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match about(&self.kind) {
            about if about.is_empty() => f.write_str(name),
            about => write!(f, "{name}: {about}"),
        }
    }
}

fn about(kind: &StepKind) -> String {
    match kind {
        StepKind::Settle => String::new(),
        StepKind::Deploy(deployment) => format!("{} ({})", deployment.application, deployment.units),
        StepKind::AddUnits { application, count } => format!("{application} ({count})"),
        StepKind::RemoveUnit { unit, force } => forced(unit, *force),
        StepKind::RemoveApplication { application, force } => forced(application, *force),
        StepKind::Relate { sides } | StepKind::RemoveRelation { sides } => format!("{} {}", sides[0], sides[1]),
        StepKind::Config { application, set, reset } => {
            let set = set.iter().map(|(option, value)| format!("{option}={value}"));
            let options: Vec<String> = set.chain(reset.iter().map(|option| format!("reset {option}"))).collect();
            format!("{application} {}", options.join(" "))
        }
        StepKind::Trust { application, trust } => format!("{application} {trust}"),
        StepKind::Leader { unit: Some(unit), .. } => unit.to_string(),
        StepKind::Leader { application, unit: None } => format!("nobody leads {application}"),
        StepKind::Action { unit, name, .. } => format!("{name} on {unit}"),
        StepKind::Kill { unit, hook, at } => {
            let hook = hook.as_deref().unwrap_or("the next hook");
            format!("{hook} of {unit} at {at}")
        }
        StepKind::RefuseCommit { unit, .. }
        | StepKind::Reboot { unit }
        | StepKind::RestartAgent { unit }
        | StepKind::UpdateStatus { unit }
        | StepKind::Hold { unit }
        | StepKind::Release { unit } => unit.to_string(),
        StepKind::Refresh { application, charm, .. } => match charm {
            Some(charm) => format!("{application} to {}", charm.display()),
            None => application.clone(),
        },
        StepKind::Resolve { unit, retry: true } => unit.to_string(),
        StepKind::Resolve { unit, retry: false } => format!("{unit} without a retry"),
        StepKind::Address { unit, to: Some(to) } => format!("{unit} {to}"),
        StepKind::Address { unit, to: None } => format!("{unit} none"),
        StepKind::Pass { time } => format!("{time:?}"),
        StepKind::Run { unit, hook, remote } => {
            let hook = hook.as_deref().unwrap_or("what is next");
            let remote = match remote {
                Some(Remote::Unit(unit)) => format!(" ({unit})"),
                Some(Remote::Application(application)) => format!(" ({application})"),
                None => String::new(),
            };
            format!("{hook}{remote} on {unit}")
        }
        StepKind::AddStorage { unit, name, count } => format!("{name} ({count}) for {unit}"),
        StepKind::AttachStorage { unit, storage } => format!("{storage} to {unit}"),
        StepKind::DetachStorage { storage } => storage.clone(),
        StepKind::Expect(expectation) => match expectation {
            Expectation::Unit { unit, .. } => unit.to_string(),
            Expectation::Application { application, .. } => application.clone(),
            Expectation::Relation { relation, .. } => relation.to_string(),
            Expectation::Action { unit, name, .. } => format!("action {name} of {unit}"),
        },
    }
}

fn forced(what: impl fmt::Display, force: bool) -> String {
    if force { format!("{what} by force") } else { what.to_string() }
}
