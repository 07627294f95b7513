//! The storage hooks of one unit, row 10 of contract 3.2: which are due, and what is noted when they are done.

use std::collections::BTreeSet;

use super::Agent;
use crate::testing::controller::Controller;
use crate::testing::controller::storage::Instance;
use crate::testing::hook::{Hook, StorageHook};

/// The instances whose `-storage-attached` has run.
#[derive(Clone, Debug, Default, Hash)]
pub(crate) struct Seen {
    attached: BTreeSet<String>,
}

/// The storage hooks that are due, in the order of the ids: before `install` on machines, and on a dying unit
/// `-detaching` for all that is attached (contract 3.1, 5.1).
pub(crate) fn due(controller: &Controller, agent: &Agent) -> Vec<Hook> {
    let dying = agent.dying(controller);
    let mut hooks = Vec::new();
    for (id, instance) in controller.storage.all_of(&agent.name) {
        let detaching = dying || instance.dying;
        // What is to be detached before it was ever attached runs no hook.
        if agent.storage.attached.contains(id) == detaching && (detaching || instance.provisioned) {
            hooks.push(hook(id, instance, detaching));
        }
    }
    hooks
}

/// Whether `install` still waits for storage that was asked for at deployment (contract 3.1).
pub(crate) fn waits(controller: &Controller, agent: &Agent) -> bool {
    let missing = |(id, instance): (&str, &Instance)| !instance.dying && !agent.storage.attached.contains(id);
    !agent.installed && !agent.dying(controller) && controller.storage.all_of(&agent.name).any(missing)
}

/// Records a storage hook as done, after its commit.
pub(crate) fn done(hook: &StorageHook, controller: &mut Controller, agent: &mut Agent) {
    if hook.detaching {
        agent.storage.attached.remove(&hook.id);
        controller.storage.remove(&hook.id);
    } else {
        agent.storage.attached.insert(hook.id.clone());
    }
}

fn hook(id: &str, instance: &Instance, detaching: bool) -> Hook {
    Hook::Storage(StorageHook {
        detaching,
        id: id.to_owned(),
        location: instance.location.clone(),
        kind: instance.kind,
    })
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::Next;
    use super::*;
    use crate::testing::charm::CharmFiles;

    fn world() -> (Controller, Agent) {
        let mut controller = Controller::new("3.6.25".parse().unwrap());
        let storage = "storage: {data: {type: filesystem}, logs: {type: filesystem}}";
        let metadata = format!("name: zk\nsummary: s\ndescription: d\n{storage}\n");
        let charm = Rc::new(CharmFiles::from_texts(&metadata, None, None).unwrap());
        controller.application("zk").charm = Rc::clone(&charm);
        let agent = Agent::new("zk/0".parse().unwrap(), 0, charm);
        controller.add_unit(&agent.name, None);
        (controller, agent)
    }

    fn play(controller: &mut Controller, agent: &mut Agent) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(Hook::Storage(hook)) = due(controller, agent).into_iter().next() {
            names.push(Hook::Storage(hook.clone()).to_string());
            done(&hook, controller, agent);
        }
        names
    }

    #[test]
    fn c3_1_install_waits_for_the_storage_of_the_deployment() {
        let (mut controller, mut agent) = world();
        controller.storage.get_mut("logs/1").unwrap().provisioned = false;
        assert_eq!(play(&mut controller, &mut agent), ["data-storage-attached (data/0)"]);
        assert!(waits(&controller, &agent));
        controller.storage.get_mut("logs/1").unwrap().provisioned = true;
        assert_eq!(play(&mut controller, &mut agent), ["logs-storage-attached (logs/1)"]);
        assert!(!waits(&controller, &agent));
    }

    #[test]
    fn c5_1_a_dying_unit_detaches_what_is_attached() {
        let (mut controller, mut agent) = world();
        controller.storage.get_mut("logs/1").unwrap().provisioned = false;
        play(&mut controller, &mut agent);
        controller.remove_unit(&agent.name.clone());
        assert_eq!(play(&mut controller, &mut agent), ["data-storage-detaching (data/0)"]);
        assert!(!waits(&controller, &agent));
    }

    #[test]
    fn c3_2_install_comes_after_the_storage_and_waits_for_it() {
        let (mut controller, mut agent) = world();
        controller.storage.get_mut("logs/1").unwrap().provisioned = false;
        let Next::Run(hooks) = agent.next(&controller) else { panic!("nothing is due") };
        assert_eq!(hooks, due(&controller, &agent));
        play(&mut controller, &mut agent);
        assert_eq!(agent.next(&controller), Next::Idle);
        controller.storage.get_mut("logs/1").unwrap().provisioned = true;
        play(&mut controller, &mut agent);
        assert_eq!(agent.next(&controller), Next::Run(vec![Hook::plain("install")]));
    }
}
