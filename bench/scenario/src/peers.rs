//! A charm whose units know their peers, for an exploration of everything that may happen to three of them.

use std::collections::BTreeSet;

use zkpeer_core::interfaces::zookeeper_quorum as quorum;
use zkpeer_core::testing::{Application, Doing, Explored, Fake, Model, explore};
use zkpeer_core::{Charm, HandlerDef, Resource, Result, Status, ZookeeperPeers, handlers, when};

/// Its handlers, and those of the interface.
const HANDLERS: &[&HandlerDef] =
    handlers![quorum::created, quorum::joined, quorum::changed, quorum::departed, quorum::departed_untold, add, remove];

/// The peers that a server outside Juju would have.
struct Known(Fake<BTreeSet<String>>);

fn follow(peers: &ZookeeperPeers, known: &Known, status: &Status) -> Result {
    let units: BTreeSet<String> = peers.get_nodes()?.into_iter().map(|node| node.unit.to_string()).collect();
    status.active(&format!("{} peers", units.len()))?;
    known.0.change(|known| *known = units);
    Ok(())
}

#[when("quorum.joined")]
fn add(quorum: ZookeeperPeers, known: Resource<Known>, status: Status) -> Result {
    follow(&quorum, &known, &status)?;
    quorum.dismiss_joined();
    Ok(())
}

#[when("quorum.departed")]
fn remove(quorum: ZookeeperPeers, known: Resource<Known>, status: Status) -> Result {
    follow(&quorum, &known, &status)?;
    quorum.dismiss_departed();
    Ok(())
}

/// Three units join, and one leaves at any time, in all orders that there are.
pub(crate) fn explored(charm: &str) -> std::result::Result<Explored, Box<dyn std::error::Error>> {
    let mut model = Model::new();
    let application = Application::new(charm).in_process(Charm::new().handlers(HANDLERS)).fake(|fakes| {
        let known = fakes.state(BTreeSet::new());
        fakes.resource(Known(known));
    });
    model.deploy(application.units(3))?;
    let explored = explore(model)
        .at_any_time(Doing::remove_unit("bench/2"))
        .once_quiet("who stays knows the others", |model| {
            let units = model.units();
            units.iter().all(|unit| {
                let known: BTreeSet<String> = model.fake(unit.as_str()).unwrap_or_default();
                units.iter().all(|other| other == unit || known.contains(other.as_str()))
                    && known.len() + 1 == units.len()
            })
        })
        .run()?;
    Ok(explored)
}
