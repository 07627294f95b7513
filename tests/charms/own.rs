//! A charm with a few handlers of its own, beside which there are handlers in other languages.

use zkpeer_core::metadata::Role;
use zkpeer_core::{Endpoint, Flags, Interface, Kv, Result, allow_finding, hook, when, when_not};

struct Friends(Endpoint);

impl Interface for Friends {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "friends";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

impl Friends {
    /// What this unit greets with over its first relation.
    fn greeting(&self) -> Result<Option<String>> {
        let Some(relation) = self.0.relations()?.into_iter().next() else { return Ok(None) };
        Ok(relation.published()?.raw("greeting").map(str::to_owned))
    }
}

#[when_not("own.done")]
fn own(flags: Flags) {
    flags.set("own.done");
}

/// Publishes, and asks before that, so that the answer is soon out of date.
#[hook("{peers:friends}-relation-joined")]
fn publish(friends: Friends, flags: Flags) -> Result {
    friends.greeting()?;
    for relation in friends.0.relations()? {
        relation.publish_raw("greeting", "hello")?;
    }
    flags.set("own.published");
    Ok(())
}

#[when("own.published")]
#[allow_finding(never_read = "own.remembered", reason = "the tests look for it")]
fn remember(friends: Friends, kv: Kv, flags: Flags) -> Result {
    kv.set("own.greeting", &friends.greeting()?)?;
    flags.clear("own.published");
    flags.set("own.remembered");
    Ok(())
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
