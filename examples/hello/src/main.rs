//! The smallest charm: greets in its status, in the words of its configuration.

use zkpeer_core::{Action, Config, Flags, Result, Status, action, when, when_not};

#[when_not("hello.installed")]
fn install(flags: Flags, status: Status) -> Result {
    status.maintenance("learning to greet")?;
    flags.set("hello.installed");
    Ok(())
}

#[when("hello.installed", "config.changed.greeting")]
fn greet(config: Config, status: Status) -> Result {
    let greeting: String = config.get("greeting")?.unwrap_or_default();
    if greeting.is_empty() {
        status.blocked("set the option `greeting`")?
    } else {
        status.active(&greeting)?
    }
    Ok(())
}

#[action("greet")]
fn greet_somebody(action: Action, config: Config) -> Result {
    let greeting: String = config.get("greeting")?.unwrap_or_default();
    let name: String = action.get("name")?.unwrap_or_default();
    action.set("greeting", &format!("{greeting}, {name}"));
    Ok(())
}

fn main() -> std::process::ExitCode {
    zkpeer_core::main()
}

#[cfg(test)]
mod tests {
    use zkpeer_core::testing::{Unit, check};
    use zkpeer_core::{Charm, handlers};

    use super::*;

    #[test]
    fn is_in_order() {
        check(&Charm::new(), env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn greets_in_the_words_of_the_configuration() {
        let mut unit = Unit::new(handlers![install, greet]);
        unit.set_config("greeting", "good day");
        let report = unit.run("config-changed");
        assert_eq!(report.handlers(), ["install", "greet"]);
        assert!(unit.commands().contains(&"status-set active good day".to_owned()));
    }

    #[test]
    fn greets_once_for_each_change() {
        let mut unit = Unit::new(handlers![install, greet]);
        unit.set_config("greeting", "good day");
        unit.run("config-changed");
        assert!(unit.run("update-status").handlers().is_empty());
        unit.set_config("greeting", "");
        unit.run("config-changed");
        assert!(unit.commands().contains(&"status-set blocked set the option `greeting`".to_owned()));
    }
}
