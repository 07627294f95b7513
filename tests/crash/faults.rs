//! Charms with a fault each: it is found, with the handler, and without the fault it is not.

use std::rc::Rc;

use tempfile::TempDir;
use zkpeer_core::testing::{Application, Crash, CrashError, Doing, Error, Fake, Model, explore_crashes};
use zkpeer_core::{
    Charm, CharmDir, Flags, HandlerDef, HookEvent, Leader, Port, Ports, Resource, Result, action, handlers, hook, when,
    when_not,
};

use crate::survives;

/// What a unit has outside Juju.
#[derive(Clone, Debug, Default, Hash)]
struct Machine {
    accounts: Vec<String>,
    announced: bool,
    running: bool,
}

struct Host(Fake<Machine>);

/// An account more for each try.
#[when_not("account")]
fn add_account(host: Resource<Host>, flags: Flags) {
    host.0.change(|machine| machine.accounts.push(format!("zk-{}", machine.accounts.len())));
    flags.set("account");
}

/// The same account, however often.
#[when_not("account")]
fn have_account(host: Resource<Host>, flags: Flags) {
    host.0.change(|machine| machine.accounts = vec!["zk-0".to_owned()]);
    flags.set("account");
}

/// A counter in a file.
#[hook("config-changed")]
fn count(directory: CharmDir, leader: Leader) -> Result {
    let file = directory.join("count");
    let counted: u32 = std::fs::read_to_string(&file).ok().and_then(|text| text.parse().ok()).unwrap_or_default();
    std::fs::write(file, (counted + 1).to_string())?;
    leader.is_leader()?;
    Ok(())
}

/// Tells the world, in a place of its own, before it is true; and looks there whether it has been done.
#[when("account")]
fn announce_first(host: Resource<Host>) {
    if !host.0.read(|machine| machine.announced) {
        host.0.change(|machine| machine.announced = true);
        host.0.change(|machine| machine.running = true);
    }
}

/// Tells the world when it is true.
#[when("account")]
fn announce_last(host: Resource<Host>) {
    if !host.0.read(|machine| machine.announced) {
        host.0.change(|machine| machine.running = true);
        host.0.change(|machine| machine.announced = true);
    }
}

/// Does in the action what only a hook can do again.
#[action("stop")]
fn stop_at_once(host: Resource<Host>, flags: Flags) {
    host.0.change(|machine| machine.running = false);
    flags.set("stopped");
}

/// Leaves it to the next hook.
#[action("stop")]
fn note_stop(flags: Flags) {
    flags.set("stop");
}

#[when("stop")]
fn stop(event: HookEvent, host: Resource<Host>, flags: Flags) {
    if event.action().is_none() {
        host.0.change(|machine| machine.running = false);
        flags.clear("stop");
        flags.set("stopped");
    }
}

/// Publishes for all at once, up to Juju 3.6, by a number that grows with each try.
#[hook("start")]
fn number_at_once(leader: Leader) -> Result {
    if leader.is_leader()? {
        let last: u32 = leader.get("number")?.and_then(|number| number.parse().ok()).unwrap_or_default();
        leader.set_now("number", &(last + 1).to_string())?;
    }
    Ok(())
}

/// Publishes it with the hook.
#[hook("start")]
fn number(leader: Leader, flags: Flags) -> Result {
    if leader.is_leader()? && !flags.is_set("numbered") {
        leader.set("number", "1")?;
        flags.set("numbered");
    }
    Ok(())
}

fn explore(handlers: &[&'static HandlerDef]) -> std::result::Result<(), CrashError> {
    let directory = charm();
    let mut model = Model::new();
    let charm = Charm::new().handlers(handlers);
    model.deploy(Application::new(directory.path()).in_process(charm).units(2).fake(|fakes| {
        let machine = fakes.state(Machine::default());
        fakes.resource_as(Rc::new(Host(machine)));
    }))?;
    let crashes = explore_crashes(model).afterwards(Doing::set_config("zk", "port", 80.0));
    let stops = handlers
        .iter()
        .any(|handler| handler.path().ends_with("stop_at_once") || handler.path().ends_with("note_stop"));
    survives("a charm", if stops { crashes.afterwards(Doing::run_action("zk/1", "stop")) } else { crashes })
}

fn charm() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("metadata.yaml", "name: zk\nsummary: s\ndescription: d\n"),
        ("config.yaml", "options:\n  port: {type: int, default: 0, description: p}\n"),
        ("actions.yaml", "stop: {}\n"),
    ] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn found(handlers: &[&'static HandlerDef]) -> std::result::Result<Crash, Error> {
    match explore(handlers) {
        Err(CrashError::Found(crash)) => {
            println!("{crash}");
            Ok(*crash)
        }
        Err(CrashError::Model(error)) => Err(error),
        other => panic!("nothing was found: {other:?}"),
    }
}

#[test]
fn an_account_more_for_each_try_is_found() -> std::result::Result<(), CrashError> {
    let crash = found(handlers![add_account])?;
    assert!(crash.repeated[0].contains("add_account` (tests/crash/faults.rs:"), "{crash}");
    assert!(crash.repeated[0].contains("changed `Machine` twice"), "{crash}");
    explore(handlers![have_account])
}

#[test]
fn a_counter_in_a_file_is_found() -> std::result::Result<(), CrashError> {
    let crash = found(handlers![count])?;
    assert!(crash.differs.contains("count: \"2\"") && crash.hook.starts_with("config-changed"), "{crash}");
    Ok(())
}

#[test]
fn what_is_announced_before_it_is_true_is_found() -> std::result::Result<(), CrashError> {
    let crash = found(handlers![have_account, announce_first])?;
    assert!(crash.handler.as_ref().unwrap().contains("announce_first"), "{crash}");
    assert!(crash.differs.contains("running: false"), "{crash}");
    explore(handlers![have_account, announce_last])
}

#[test]
fn an_action_that_does_what_cannot_be_undone_is_found() -> std::result::Result<(), CrashError> {
    let crash = found(handlers![have_account, announce_last, stop_at_once])?;
    assert!(crash.hook.starts_with("action stop"), "{crash}");
    explore(handlers![have_account, announce_last, note_stop, stop])
}

#[test]
fn what_is_published_at_once_and_depends_on_what_is_there_is_found() -> std::result::Result<(), CrashError> {
    let crash = found(handlers![number_at_once])?;
    assert!(crash.differs.contains("number=2"), "{crash}");
    explore(handlers![number])
}

/// Remembers outside the store that it has told Juju what Juju drops with the hook.
#[hook("start")]
fn open_once(host: Resource<Host>, ports: Ports) {
    if !host.0.read(|machine| machine.announced) {
        ports.open(Port::tcp(80));
        host.0.change(|machine| machine.announced = true);
    }
}

/// Remembers it where it is kept together with that.
#[hook("start")]
fn open_and_remember(ports: Ports, flags: Flags) {
    if !flags.is_set("open") {
        ports.open(Port::tcp(80));
        flags.set("open");
    }
}

#[test]
fn what_is_remembered_apart_from_what_juju_keeps_is_found() -> std::result::Result<(), CrashError> {
    let crash = found(handlers![open_once])?;
    assert!(crash.differs.contains("80/tcp"), "{crash}");
    explore(handlers![open_and_remember])
}
