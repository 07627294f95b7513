//! A charm whose handlers are in bash and Perl; in Rust there is the interface that they use.

use serde_json::Value;
use zkpeer_core::metadata::Role;
use zkpeer_core::{Endpoint, Interface, Result, Scope, allow_finding, hook, reads};

struct Database(Endpoint);

impl Interface for Database {
    const ROLE: Role = Role::Requires;
    const NAME: &'static str = "web-db";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    fn call(&self, method: &str, _: &[String]) -> Result<Option<Value>> {
        match method {
            "uri" => Ok(Some(self.uri()?.into())),
            _ => Ok(None),
        }
    }
}

impl Database {
    #[reads("{relation_name}.available")]
    fn uri(&self) -> Result<Option<String>> {
        let available = self.0.conversations_in("{relation_name}.available")?;
        Ok(available.first().map(|first| first.get_remote("uri")).transpose()?.flatten())
    }
}

#[hook("{requires:web-db}-relation-{joined,changed}")]
#[allow_finding(never_read = "{relation_name}.connected", reason = "handlers in other languages wait for it")]
fn changed(database: Database) -> Result {
    let Some(conversation) = database.0.conversation(Scope::Unit)? else { return Ok(()) };
    conversation.set_flag("{relation_name}.connected");
    if conversation.get_remote("uri")?.is_some() {
        conversation.set_flag("{relation_name}.available");
    }
    Ok(())
}

#[hook("{requires:web-db}-relation-departed")]
fn departed(database: Database) -> Result {
    let Some(conversation) = database.0.conversation(Scope::Unit)? else { return Ok(()) };
    conversation.clear_flag("{relation_name}.connected");
    conversation.clear_flag("{relation_name}.available");
    Ok(())
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}
