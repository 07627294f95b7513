//! A charm with a few handlers of its own, beside which there are handlers in other languages.

use zkpeer_core::juju::{Bag, BagOwner, Side};
use zkpeer_core::metadata::Role;
use zkpeer_core::{Endpoint, Flags, Interface, Kv, Result, Unit, hook, when, when_not};

struct Friends(Endpoint);

impl Interface for Friends {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "friends";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

impl Friends {
    /// What this unit has published over its first relation.
    fn own(&self, unit: &Unit) -> Result<Bag> {
        let Some(relation) = self.0.relations()?.into_iter().next() else { return Ok(Bag::new()) };
        Ok((*self.0.bag(&relation, BagOwner::Unit(unit.name().clone()))?).clone())
    }
}

#[when_not("own.done")]
fn own(flags: Flags) {
    flags.set("own.done");
}

/// Publishes, and asks before that, so that the answer is soon out of date.
#[hook("{peers:friends}-relation-joined")]
fn publish(friends: Friends, unit: Unit, flags: Flags) -> Result {
    friends.own(&unit)?;
    for relation in friends.0.relations()? {
        friends.0.publish(&relation, Side::Unit, "greeting", "hello")?;
    }
    flags.set("own.published");
    Ok(())
}

#[when("own.published")]
fn remember(friends: Friends, unit: Unit, kv: Kv, flags: Flags) -> Result {
    kv.set("own.greeting", &friends.own(&unit)?.get("greeting"))?;
    flags.clear("own.published");
    flags.set("own.remembered");
    Ok(())
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
