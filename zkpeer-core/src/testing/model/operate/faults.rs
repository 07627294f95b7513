//! What goes wrong on a unit, and how operators repair it.

use std::rc::Rc;

use crate::testing::agent::Seen;
use crate::testing::change::Change;
use crate::testing::error::Error;
use crate::testing::machine::Program;
use crate::testing::model::{Kill, Model, Plan};
use crate::testing::outcome::{HookRun, Outcome};
use crate::testing::process::KillPoint;

impl Model {
    /// `juju resolve`: the failed hook runs again, now.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or no hook has failed on it.
    pub fn retry(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        match self.agents.get_mut(&unit).and_then(|agent| agent.pending.as_mut()) {
            Some(pending) => {
                pending.failed = false;
                Ok(())
            }
            None => Error::impossible(format!("no hook has failed on {unit}, there is nothing to retry")),
        }
    }

    /// `juju resolve --no-retry`: the failed hook counts as done, without its changes.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or no hook has failed on it.
    pub fn resolve(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        let seen = Seen::now(&self.controller, &unit);
        let Some(agent) = self.agents.get_mut(&unit) else { return Err(self.no_unit(&unit)) };
        match agent.pending.take() {
            Some(pending) => agent.done(&pending.hook, &seen, &mut self.controller),
            None => return Error::impossible(format!("no hook has failed on {unit}, there is nothing to resolve")),
        }
        self.last_failed.remove(&unit);
        self.look_around();
        Ok(())
    }

    /// A slow unit: nothing happens on it until it is [released](Self::release).
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn hold(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        self.held.insert(unit);
        Ok(())
    }

    /// The unit goes on.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn release(&mut self, unit: &str) -> Result<(), Error> {
        let unit = self.unit_name(unit)?;
        self.held.remove(&unit);
        Ok(())
    }

    /// Kills the unit's next hook at this point, a process with SIGKILL. Handlers in this process can be killed at each effect; what
    /// runs there is unwound, and nothing that it still does counts.
    ///
    /// # Errors
    ///
    /// If there is no such unit, or what runs for its hooks cannot be killed there.
    pub fn kill_at(&mut self, unit: &str, point: KillPoint) -> Result<(), Error> {
        self.plan_kill(unit, Kill { point, hook: None })
    }

    /// The same for the unit's next hook or action of this name; those before it run undisturbed.
    ///
    /// # Errors
    ///
    /// As [`kill_at`](Self::kill_at).
    pub fn kill_hook_at(&mut self, unit: &str, hook: &str, point: KillPoint) -> Result<(), Error> {
        self.plan_kill(unit, Kill { point, hook: Some(hook.to_owned()) })
    }

    fn plan_kill(&mut self, unit: &str, kill: Kill) -> Result<(), Error> {
        let name = self.unit_name(unit)?;
        let point = kill.point;
        let (possible, what) = match self.machines.get(&name).map(|machine| &machine.program) {
            Some(Program::Handlers(_)) => (point.is_of_handlers(), "handlers in this process"),
            Some(Program::Function(_)) => (point.is_of_functions(), "a function in this process"),
            Some(Program::Files) | None => (point.is_of_processes(), "processes"),
        };
        if !possible {
            return Error::impossible(format!(
                "{unit} runs as {what}, which cannot be killed at `{point}`; they can at `start`, `command N` and `answer N`"
            ));
        }
        self.plan(unit)?.kill = Some(kill);
        Ok(())
    }

    /// Kills the hook that runs on the unit after its program has kept what it stores, and before Juju has applied what it has
    /// buffered: Juju drops that, and runs the hook again.
    ///
    /// # Errors
    ///
    /// If no hook runs on the unit.
    pub fn kill_running(&mut self, unit: &str) -> Result<HookRun, Error> {
        let unit = self.unit_name(unit)?;
        let Some(running) = self.running.get_mut(&unit) else {
            return Error::impossible(format!("no hook runs on {unit}"));
        };
        Rc::make_mut(running).result.outcome = Outcome::Killed;
        let run = self.end(&unit)?;
        self.look_around();
        Ok(run)
    }

    /// Refuses the changes of the unit's next hook that exits 0, for this reason.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn refuse_commit(&mut self, unit: &str, reason: &str) -> Result<(), Error> {
        self.plan(unit)?.refuse = Some(reason.to_owned());
        Ok(())
    }

    /// Leadership is lost during the unit's next hook, after its last hook command and before its changes are applied.
    ///
    /// # Errors
    ///
    /// If there is no such unit.
    pub fn lose_leadership_before_commit(&mut self, unit: &str) -> Result<(), Error> {
        self.plan(unit)?.lose_leadership = true;
        Ok(())
    }

    /// Lets something happen in the middle of the unit's next hook: before its n-th hook command (the first is 1). If the
    /// hook has fewer, it does not happen.
    ///
    /// ```
    /// # use zkpeer_core::testing::{Application, Change, Model};
    /// # let charm = tempfile::tempdir()?;
    /// # std::fs::write(charm.path().join("metadata.yaml"), "name: zk\nsummary: s\ndescription: d\n")?;
    /// # let mut model = Model::new();
    /// model.deploy(Application::new(charm.path()).function(|hook| {
    ///     hook.run("is-leader", &[]);
    ///     hook.run("is-leader", &[]).code
    /// }))?;
    /// model.set_leader("zk/0")?;
    /// model.before_command("zk/0", 2, Change::NoLeader("zk".to_owned()))?;
    /// let install = model.run_hook("zk/0", "install")?;
    /// assert_eq!((install.commands[0].stdout.as_str(), install.commands[1].stdout.as_str()), ("True\n", "False\n"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If there is no such unit, or the change is about something that does not exist.
    pub fn before_command(&mut self, unit: &str, number: usize, change: Change) -> Result<(), Error> {
        let change = self.checked(change)?;
        self.plan(unit)?.changes.push((number, change));
        Ok(())
    }

    /// The change, if all that it names exists.
    fn checked(&self, change: Change) -> Result<Change, Error> {
        match change {
            Change::Leader(ref unit) | Change::RemoveUnit(ref unit) => {
                self.unit_name(unit.as_str())?;
            }
            Change::NoLeader(ref application) => {
                self.deployed(application)?;
            }
            Change::AddStorage { ref unit, ref name } => {
                self.storage_to_add(&self.unit_name(unit.as_str())?, name)?;
            }
            Change::RemoveRelation(number)
                if self.controller.relations.get(&number).is_none_or(|relation| relation.is_peer()) =>
            {
                return Error::impossible(format!(
                    "there is no relation with the number {number} that could be removed"
                ));
            }
            Change::Config { application, option, value } => {
                let value = self.option_value(&application, &option, value)?;
                return Ok(Change::Config { application, option, value });
            }
            Change::UnitData { relation, .. } | Change::AppData { relation, .. }
                if !self.controller.relations.contains_key(&relation) =>
            {
                return Error::impossible(format!("there is no relation with the number {relation}"));
            }
            Change::RemoveRelation(_) | Change::UnitData { .. } | Change::AppData { .. } => {}
        }
        Ok(change)
    }

    fn plan(&mut self, unit: &str) -> Result<&mut Plan, Error> {
        let unit = self.unit_name(unit)?;
        Ok(self.plans.entry(unit).or_default())
    }

    /// With Juju 4: peers do not see that a unit leaves (juju issue 23326, contract 5.5).
    pub fn set_peer_departure_bug(&mut self, present: bool) {
        self.controller.peer_departure_bug = present;
    }
}
