//! The secret hooks of one unit, row 7 of contract 3.2: which are due, and what is noted when they are done.

use std::collections::{BTreeMap, BTreeSet};

use super::Agent;
use crate::juju::UnitName;
use crate::testing::controller::Controller;
use crate::testing::controller::secrets::Secret;
use crate::testing::hook::{Hook, SecretHook, SecretKind};

/// What the agent has run secret hooks for, by the ids of the secrets.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Seen {
    /// Revisions whose `secret-expired` has run.
    expired: BTreeSet<(String, u32)>,
    /// The newest revision that `secret-changed` has run for.
    changed: BTreeMap<String, u32>,
    /// Revisions whose `secret-remove` has run.
    removed: BTreeSet<(String, u32)>,
}

/// The secret hooks that are due on an installed unit that is not dying, in Juju's order.
pub(crate) fn due(controller: &Controller, agent: &Agent) -> Vec<Hook> {
    if !agent.installed || agent.dying(controller) {
        return Vec::new();
    }
    let unit = &agent.name;
    let leader = controller.is_leader(unit);
    let owned: Vec<(&str, &Secret)> =
        controller.secrets.iter().filter(|(_, secret)| secret.is_managed_by(unit, leader)).collect();
    let mut hooks = expired(controller, agent, &owned);
    hooks.extend(rotated(controller, &owned));
    hooks.extend(changed(controller, agent));
    hooks.extend(removed(controller, agent, &owned));
    hooks.into_iter().map(Hook::Secret).collect()
}

/// Records a secret hook as done, after its commit.
pub(crate) fn done(hook: &SecretHook, controller: &mut Controller, agent: &mut Agent) {
    let id = hook.id.strip_prefix("secret:").unwrap_or(&hook.id).to_owned();
    match hook.kind {
        SecretKind::Expired => {
            agent.secrets.expired.insert((id, hook.revision));
        }
        SecretKind::Rotate => {
            let now = controller.now;
            if let Some(secret) = controller.secrets.get_mut(&id) {
                secret.next_rotation = secret.rotation.and_then(|policy| policy.next(now));
            }
        }
        SecretKind::Changed => {
            agent.secrets.changed.insert(id, hook.revision);
        }
        SecretKind::Remove => {
            agent.secrets.removed.insert((id, hook.revision));
        }
    }
}

fn hook(kind: SecretKind, id: &str, label: &str, revision: u32) -> SecretHook {
    SecretHook { kind, id: format!("secret:{id}"), label: label.to_owned(), revision }
}

/// To the owner, once for each revision.
fn expired(controller: &Controller, agent: &Agent, owned: &[(&str, &Secret)]) -> Vec<SecretHook> {
    let mut hooks = Vec::new();
    for (id, secret) in owned {
        for (number, revision) in &secret.revisions {
            let over = revision.expires.is_some_and(|at| at <= controller.now);
            if over && !agent.secrets.expired.contains(&((*id).to_owned(), *number)) {
                hooks.push(hook(SecretKind::Expired, id, &secret.label, *number));
            }
        }
    }
    hooks
}

/// To the owner, when the time of the policy has come.
fn rotated(controller: &Controller, owned: &[(&str, &Secret)]) -> Vec<SecretHook> {
    let due = owned.iter().filter(|(_, secret)| secret.next_rotation.is_some_and(|at| at <= controller.now));
    due.map(|(id, secret)| hook(SecretKind::Rotate, id, &secret.label, secret.latest)).collect()
}

/// To a consumer, once for each newer revision than the one it tracks.
fn changed(controller: &Controller, agent: &Agent) -> Vec<SecretHook> {
    let mut hooks = Vec::new();
    for (id, secret) in controller.secrets.iter() {
        let Some(consumer) = secret.consumers.get(&agent.name) else { continue };
        if consumer.revision != secret.latest && agent.secrets.changed.get(id) != Some(&secret.latest) {
            hooks.push(hook(SecretKind::Changed, id, &consumer.label, secret.latest));
        }
    }
    hooks
}

/// To the owner, once for each old revision that nobody tracks.
fn removed(controller: &Controller, agent: &Agent, owned: &[(&str, &Secret)]) -> Vec<SecretHook> {
    let exists = |unit: &UnitName| controller.units.contains_key(unit);
    let mut hooks = Vec::new();
    for (id, secret) in owned {
        for number in secret.obsolete(exists) {
            if !agent.secrets.removed.contains(&((*id).to_owned(), number)) {
                hooks.push(hook(SecretKind::Remove, id, &secret.label, number));
            }
        }
    }
    hooks
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;
    use std::time::Duration;

    use super::*;
    use crate::testing::controller::secrets::{Consumer, Content, Owner, Rotation, Update};

    const ID: &str = "9m4e2mr0ui3e8a215n4g";

    fn update(value: &str) -> Update {
        Update { content: Some(Content::from([("key".to_owned(), value.to_owned())])), ..Update::default() }
    }

    /// zk/0 and zk/1 with a secret of their application; zk/0 is leader.
    fn world(first: Update) -> (Controller, Agent, Agent) {
        let mut controller = Controller::new("3.6.25".parse().unwrap());
        let agents = ["zk/0", "zk/1"].map(|name| {
            let name: UnitName = name.parse().unwrap();
            controller.add_unit(&name, None);
            let mut agent = Agent::new(name, 0, Rc::default());
            agent.installed = true;
            agent
        });
        let [first_agent, second] = agents;
        controller.application("zk").leader = Some(first_agent.name.clone());
        let secret = Secret::new(Owner::Application("zk".to_owned()), &first, controller.now);
        controller.secrets.insert(ID, secret);
        (controller, first_agent, second)
    }

    fn names(controller: &Controller, agent: &Agent) -> Vec<String> {
        due(controller, agent).iter().map(Hook::name).collect()
    }

    fn run_first(controller: &mut Controller, agent: &mut Agent) -> SecretHook {
        let Some(Hook::Secret(hook)) = due(controller, agent).into_iter().next() else { panic!("no hook is due") };
        done(&hook, controller, agent);
        hook
    }

    fn track(controller: &mut Controller, agent: &Agent, revision: u32) {
        let consumer = Consumer { label: "mine".to_owned(), revision };
        controller.secrets.get_mut(ID).unwrap().consumers.insert(agent.name.clone(), consumer);
    }

    #[test]
    fn c9_12_changed_runs_once_for_each_newer_revision() {
        let (mut controller, _, mut consumer) = world(update("YQ=="));
        track(&mut controller, &consumer, 1);
        assert!(due(&controller, &consumer).is_empty());
        for value in ["Yg==", "Yw=="] {
            let now = controller.now;
            controller.secrets.get_mut(ID).unwrap().update(&update(value), now);
        }
        let hook = run_first(&mut controller, &mut consumer);
        assert_eq!((hook.kind, hook.label.as_str(), hook.revision), (SecretKind::Changed, "mine", 3));
        assert!(due(&controller, &consumer).is_empty());
    }

    #[test]
    fn c9_12_remove_runs_on_the_owner_when_nobody_tracks_an_old_revision() {
        let (mut controller, mut leader, other) = world(update("YQ=="));
        track(&mut controller, &other, 1);
        let now = controller.now;
        controller.secrets.get_mut(ID).unwrap().update(&update("Yg=="), now);
        assert!(due(&controller, &leader).is_empty());
        track(&mut controller, &other, 2);
        let hook = run_first(&mut controller, &mut leader);
        assert_eq!((hook.kind, hook.revision), (SecretKind::Remove, 1));
        assert!(due(&controller, &leader).is_empty() && due(&controller, &other).is_empty());
    }

    #[test]
    fn c3_2_expired_comes_before_rotate_and_both_go_to_the_leader() {
        let hour = Duration::from_secs(3600);
        let mut first = update("YQ==");
        first.rotation = Some(Rotation::Hourly);
        let (mut controller, mut leader, other) = world(first);
        let later = Update { expires: Some(controller.now + hour), ..Update::default() };
        let now = controller.now;
        controller.secrets.get_mut(ID).unwrap().update(&later, now);
        assert!(due(&controller, &leader).is_empty());
        controller.now += hour;
        assert_eq!(names(&controller, &leader), ["secret-expired", "secret-rotate"]);
        assert!(due(&controller, &other).is_empty());
        run_first(&mut controller, &mut leader);
        run_first(&mut controller, &mut leader);
        assert!(due(&controller, &leader).is_empty());
        controller.now += hour;
        assert_eq!(names(&controller, &leader), ["secret-rotate"]);
    }

    #[test]
    fn c3_2_no_secret_hook_before_install_or_on_a_dying_unit() {
        let (mut controller, mut leader, _) = world(update("YQ=="));
        let now = controller.now;
        controller.secrets.get_mut(ID).unwrap().update(&update("Yg=="), now);
        assert_eq!(names(&controller, &leader), ["secret-remove"]);
        leader.installed = false;
        assert!(due(&controller, &leader).is_empty());
        leader.installed = true;
        controller.units.get_mut(&leader.name).unwrap().dying = true;
        assert!(due(&controller, &leader).is_empty());
    }
}
