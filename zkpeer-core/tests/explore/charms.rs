//! Charms of a few handlers: one that is right, and some with a fault.

use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use zkpeer_core::testing::{Application, Fake, Model};
use zkpeer_core::{
    Charm, Flags, HandlerDef, Kv, Leader, Port, Ports, Resource, Result, Status, handlers, hook, when, when_not,
};

/// What the charms change outside Juju.
pub(crate) struct Counter(pub(crate) Fake<u32>);

#[when_not("greeted")]
pub(crate) fn greet(status: Status, flags: Flags) -> Result {
    status.active("good day")?;
    flags.set("greeted");
    Ok(())
}

/// The fault: what is said depends on whether it was elected before its friend came, or after.
#[hook("friends-relation-joined")]
pub(crate) fn say_who_led(leader: Leader, status: Status) -> Result {
    let who = if leader.is_leader()? { "it led" } else { "it did not lead" };
    status.active(&format!("when its friend came, {who}"))?;
    Ok(())
}

/// The fault: it cannot bear a farewell.
#[hook("friends-relation-departed")]
pub(crate) fn fail_when_one_departs() -> Result {
    Err("nobody may go".into())
}

/// The fault: it says that it is at work, and nothing comes of it.
#[when("greeted")]
pub(crate) fn stay_at_work(status: Status) -> Result {
    status.maintenance("thinking")?;
    Ok(())
}

/// The fault: it does so each time.
#[hook("update-status")]
pub(crate) fn count(counter: Resource<Counter>) {
    counter.0.change(|count| *count += 1);
}

static CALLS: AtomicU32 = AtomicU32::new(0);

/// The fault: what it does depends on how often it was called in this process.
#[when_not("called")]
pub(crate) fn depend_on_the_process(flags: Flags, status: Status) -> Result {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed);
    status.active(&format!("call {calls}"))?;
    flags.set("called");
    Ok(())
}

/// The fault: what it remembers and marks depends on how often it was called in this process.
#[when_not("marked")]
pub(crate) fn remember_the_process(flags: Flags, kv: Kv) -> Result {
    let calls = CALLS.fetch_add(1, Ordering::Relaxed);
    kv.set("call", &calls)?;
    flags.set("marked");
    Ok(())
}

/// The fault: what it publishes depends on how often it was called in this process.
#[hook("leader-elected")]
pub(crate) fn publish_the_process(leader: Leader) -> Result {
    leader.set("call", &CALLS.fetch_add(1, Ordering::Relaxed).to_string())?;
    Ok(())
}

/// The fault: which port it opens depends on how often it was called in this process.
#[hook("install")]
pub(crate) fn open_the_process(ports: Ports) {
    ports.open(Port::tcp(1000 + CALLS.fetch_add(1, Ordering::Relaxed) as u16));
}

/// It runs again and again, and changes nothing.
#[hook("update-status")]
pub(crate) fn look_on(counter: Resource<Counter>) {
    counter.0.read(|count| *count);
}

/// The fault: it fails for ever.
#[hook("start")]
pub(crate) fn never_start() -> Result {
    Err("the server does not start".into())
}

/// The fault: only who leads when it is elected tells; a leader that comes later finds the word taken.
#[hook("leader-elected")]
pub(crate) fn tell_once(leader: Leader, counter: Resource<Counter>) -> Result {
    counter.0.change(|count| *count += 1);
    if leader.get("told")?.is_none() {
        leader.set("told", "yes")?;
    }
    Ok(())
}

pub(crate) const GREETS: &[&HandlerDef] = handlers![greet];

/// A model of a charm with these handlers and a peer relation.
pub(crate) fn model(handlers: &'static [&'static HandlerDef], units: u64) -> (Model, TempDir) {
    let charm = tempfile::tempdir().unwrap();
    let metadata = "name: hello\nsummary: s\ndescription: d\npeers:\n  friends: {interface: friends}\n";
    std::fs::write(charm.path().join("metadata.yaml"), metadata).unwrap();
    let mut model = Model::new();
    let application = Application::new(charm.path()).in_process(Charm::new().handlers(handlers)).units(units);
    let application = application.fake(|fakes| {
        let count = fakes.state(0_u32);
        fakes.resource(Counter(count));
    });
    model.deploy(application).unwrap();
    (model, charm)
}

#[hook("config-changed")]
pub(crate) fn fail_always() -> Result {
    Err("it always does".into())
}
