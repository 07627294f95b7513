//! What each step of a story is in a model.

use super::{Happening, Listener, Player, Stopped, tell};
use crate::error::describe;
use crate::juju::UnitName;
use crate::testing::error::Error;
use crate::testing::hook::{Hook, RelationKind};
use crate::testing::model::Event;
use crate::testing::model::Step as Possible;
use crate::testing::outcome::HookRun;
use crate::testing::story::{EndpointName, Remote, Step, StepKind};
use crate::testing::value::Value;

/// What the controller says where a story gives no other reason (contract 2.1).
const REFUSAL: &str = "the controller refused the changes of the hook";

/// Steps that a model cannot play.
pub(super) fn refuse(kind: &StepKind) -> Result<(), String> {
    match kind {
        StepKind::AttachStorage { .. } => {
            let why = "storage that was detached is gone in this model and cannot be attached again; use `add-storage`";
            Err(why.to_owned())
        }
        _ => Ok(()),
    }
}

impl Player {
    pub(super) fn step(&mut self, number: usize, step: &Step, listener: &mut Listener<'_>) -> Result<(), Stopped> {
        match &step.kind {
            StepKind::Settle => self.go_on(None, listener),
            StepKind::Pass { time } => self.go_on(Some(self.model.now() + *time), listener),
            StepKind::Run { unit, hook, remote } => self.run(unit, hook.as_deref(), remote.as_ref(), listener),
            StepKind::Expect(expectation) => {
                let wrong = self.expect(expectation).map_err(Some)?;
                tell(listener, &Happening::Expected(step, &wrong), &self.model)?;
                if wrong.is_empty() { Ok(()) } else { Err(Some(wrong.join("\n"))) }
            }
            StepKind::Deploy(deployment) => self.deploy(deployment).map_err(Some),
            StepKind::Relate { sides } | StepKind::RemoveRelation { sides } => {
                let related = if matches!(step.kind, StepKind::Relate { .. }) {
                    self.relate(sides)
                } else {
                    self.model.remove_relation(&sides[0].to_string(), &sides[1].to_string()).map_err(|e| describe(&e))
                };
                related.map_err(Some)
            }
            kind => self.operate(number, kind).map_err(|error| Some(describe(&error))),
        }
    }

    pub(super) fn relate(&mut self, sides: &[EndpointName; 2]) -> Result<(), String> {
        let [one, other] = sides;
        self.model.relate(&one.to_string(), &other.to_string()).map(|_| ()).map_err(|error| describe(&error))
    }

    /// What operators do, and what befalls machines: nothing of it runs a hook.
    fn operate(&mut self, number: usize, kind: &StepKind) -> Result<(), Error> {
        match kind {
            StepKind::AddUnits { application, count } => (0..*count).try_for_each(|_| self.add_unit(application)),
            StepKind::RemoveUnit { unit, force: false } => self.model.remove_unit(unit.as_str()),
            StepKind::RemoveUnit { unit, force: true } => self.model.remove_unit_by_force(unit.as_str()),
            StepKind::RemoveApplication { application, force: false } => self.model.remove_application(application),
            StepKind::RemoveApplication { application, force: true } => {
                self.model.remove_application_by_force(application)
            }
            StepKind::Config { application, set, reset } => {
                for (option, value) in set {
                    self.model.set_config(application, option, value.as_str())?;
                }
                reset.iter().try_for_each(|option| self.model.reset_config(application, option))
            }
            StepKind::Trust { application, trust } => self.model.set_trust(application, *trust),
            StepKind::Leader { unit: Some(unit), .. } => self.model.set_leader(unit.as_str()),
            StepKind::Leader { application, unit: None } => self.model.remove_leader(application),
            StepKind::Action { unit, name, params } => {
                let params: Vec<(&str, Value)> =
                    params.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
                let id = self.model.run_action(unit.as_str(), name, &params)?;
                self.memory.actions.insert((unit.clone(), name.clone()), (id, number));
                Ok(())
            }
            StepKind::Kill { unit, hook, at } => {
                match hook {
                    Some(hook) => self.model.kill_hook_at(unit.as_str(), hook, *at)?,
                    None => self.model.kill_at(unit.as_str(), *at)?,
                }
                self.memory.plans.insert(unit.clone(), number);
                Ok(())
            }
            StepKind::RefuseCommit { unit, reason } => {
                self.model.refuse_commit(unit.as_str(), reason.as_deref().unwrap_or(REFUSAL))?;
                self.memory.plans.insert(unit.clone(), number);
                Ok(())
            }
            StepKind::Refresh { application, charm, force } => {
                let directory = match charm {
                    Some(charm) => charm.clone(),
                    None => self.model.deployed(application)?.directory.clone(),
                };
                let charm = self.application(&directory);
                if *force {
                    self.model.refresh_by_force(application, charm)
                } else {
                    self.model.refresh(application, charm)
                }
            }
            StepKind::Resolve { unit, retry: true } => self.model.retry(unit.as_str()),
            StepKind::Resolve { unit, retry: false } => self.model.resolve(unit.as_str()),
            StepKind::Reboot { unit } => self.model.reboot(unit.as_str()),
            StepKind::RestartAgent { unit } => self.model.restart_agent(unit.as_str()),
            StepKind::Address { unit, to: Some(address) } => {
                self.model.set_address(unit.as_str(), &address.to_string())
            }
            StepKind::Address { unit, to: None } => self.model.remove_address(unit.as_str()),
            StepKind::UpdateStatus { unit } => self.model.update_status(unit.as_str()),
            StepKind::AddStorage { unit, name, count } => {
                (0..*count).try_for_each(|_| self.model.add_storage(unit.as_str(), name).map(|_| ()))
            }
            StepKind::DetachStorage { storage } => self.model.detach_storage(storage),
            StepKind::Hold { unit } => self.model.hold(unit.as_str()),
            StepKind::Release { unit } => self.model.release(unit.as_str()),
            // The steps that `step` has taken, and those that are refused before anything is deployed.
            _ => Ok(()),
        }
    }

    /// One hook, from its beginning to its end.
    fn run(
        &mut self,
        unit: &UnitName,
        hook: Option<&str>,
        remote: Option<&Remote>,
        listener: &mut Listener<'_>,
    ) -> Result<(), Stopped> {
        self.elect(listener)?;
        let found = self.find(unit, hook, remote).map_err(Some)?;
        tell(listener, &Happening::Begins(unit, &found), &self.model)?;
        let ran = self.begin_and_end(unit, found);
        let run = ran.map_err(|error| Some(describe(&error)))?;
        self.memory.ended(&run, &self.model, listener)
    }

    /// A leader is elected in the background, by no hook.
    fn elect(&mut self, listener: &mut Listener<'_>) -> Result<(), Stopped> {
        let is_election = |step: &Possible| matches!(step, Possible::Elect(_));
        while let Some(step) = self.model.steps().into_iter().find(is_election) {
            let taken = self.model.take(&step);
            if let Event::Elected(unit) = taken.map_err(|error| Some(describe(&error)))? {
                tell(listener, &Happening::Leader(&unit), &self.model)?;
            }
        }
        Ok(())
    }

    /// The hook that is meant: one of those that are next, or one that Juju could run whether or not it is due.
    fn find(&self, unit: &UnitName, hook: Option<&str>, remote: Option<&Remote>) -> Result<Hook, String> {
        self.model.unit_name(unit.as_str()).map_err(|error| describe(&error))?;
        if self.model.is_held(unit) {
            return Err(format!("nothing of {unit} runs while it is held; write `release: {unit}` before this"));
        }
        let next = self.next_of(unit);
        let about = |hook: &Hook| match (remote, hook) {
            (None, _) => true,
            (Some(Remote::Unit(unit)), Hook::Relation(hook)) => hook.unit.as_ref() == Some(unit),
            (Some(Remote::Application(application)), Hook::Relation(hook)) => {
                hook.unit.is_none() && hook.app == *application
            }
            _ => false,
        };
        let meant = next.iter().find(|next| hook.is_none_or(|hook| next.name() == hook) && about(next));
        match (meant, hook) {
            (Some(meant), _) => Ok(meant.clone()),
            (None, Some(hook)) if RelationKind::split(hook).is_none() => Ok(Hook::plain(hook)),
            (None, hook) => {
                let hook = hook.map_or_else(|| "a hook".to_owned(), |hook| format!("{hook}{}", of(remote)));
                let next: Vec<String> = next.iter().map(Hook::to_string).collect();
                let next = if next.is_empty() { "nothing is".to_owned() } else { next.join(" or ") + " is" };
                Err(format!("{hook} is not due on {unit}; {next} next"))
            }
        }
    }

    fn next_of(&self, unit: &UnitName) -> Vec<Hook> {
        let own = self.model.steps().into_iter().filter_map(|step| match step {
            Possible::Begin(name, hook) if name == *unit => Some(hook),
            _ => None,
        });
        own.collect()
    }

    fn begin_and_end(&mut self, unit: &UnitName, hook: Hook) -> Result<HookRun, Error> {
        if self.next_of(unit).contains(&hook) {
            return self.model.run_at_once(unit, hook);
        }
        self.model.run_now(unit, hook)
    }
}

fn of(remote: Option<&Remote>) -> String {
    match remote {
        Some(Remote::Unit(unit)) => format!(" ({unit})"),
        Some(Remote::Application(application)) => format!(" ({application})"),
        None => String::new(),
    }
}
