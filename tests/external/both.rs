//! One story, told by the same handlers on charms.reactive and on ours: after each hook the same is stored, published and shown.

use std::thread;

use zkpeer_core::testing::HookRun;

use crate::scene::Unit;

/// What there is to see of a unit after a hook.
#[derive(Debug, PartialEq)]
struct Seen {
    hook: String,
    stored: std::collections::BTreeMap<String, String>,
    /// Which functions have run, in their order.
    notes: String,
    conf: String,
    status: String,
    published: Vec<(String, String)>,
}

/// One unit through the whole story; what was seen after each hook.
fn tell(mut unit: Unit) -> Vec<Seen> {
    let mut seen = Vec::new();
    let hooks = unit.agent.deploy().unwrap();
    seen.push(look(&unit, hooks.last().unwrap()));
    run(&mut unit, "update-status", &mut seen);

    unit.write("motd", "first\n");
    run(&mut unit, "update-status", &mut seen);
    run(&mut unit, "update-status", &mut seen);

    let relation = unit.agent.relate("db", "postgresql").unwrap();
    unit.agent.add_remote(&relation, "postgresql/0", &[]).unwrap();
    settle(&mut unit, &mut seen);
    unit.agent.change_peer("db", "postgresql/0", &[("uri", "postgresql://here")]).unwrap();
    settle(&mut unit, &mut seen);
    unit.agent.set_config("title", "good day").unwrap();
    settle(&mut unit, &mut seen);
    unit.agent.add_remote(&relation, "postgresql/1", &[("uri", "postgresql://there")]).unwrap();
    settle(&mut unit, &mut seen);
    unit.agent.remove_peer("postgresql/0").unwrap();
    settle(&mut unit, &mut seen);
    unit.agent.remove_peer("postgresql/1").unwrap();
    settle(&mut unit, &mut seen);
    unit.agent.remove();
    settle(&mut unit, &mut seen);
    seen
}

fn settle(unit: &mut Unit, seen: &mut Vec<Seen>) {
    while let Some(run) = unit.agent.step().unwrap() {
        assert_eq!(run.problem(), None);
        seen.push(look(unit, &run));
    }
}

fn run(unit: &mut Unit, hook: &str, seen: &mut Vec<Seen>) {
    let run = unit.agent.run_hook(hook).unwrap();
    assert_eq!(run.problem(), None);
    seen.push(look(unit, &run));
}

fn look(unit: &Unit, run: &HookRun) -> Seen {
    let published = unit.agent.relation_data("db", "web/0");
    Seen {
        hook: run.to_string(),
        stored: unit.stored(),
        notes: unit.file("notes"),
        conf: unit.file("web.conf"),
        status: unit.agent.status().message,
        published: published.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    }
}

#[test]
fn a_handler_in_bash_does_the_same_on_charms_reactive_and_on_ours() {
    let python = thread::spawn(|| tell(Unit::python("handlers")));
    let ours = tell(Unit::ours("handlers"));
    let python = python.join().unwrap();
    for (ours, python) in ours.iter().zip(&python) {
        assert_eq!(ours, python);
    }
    assert_eq!(ours.len(), python.len());
}
