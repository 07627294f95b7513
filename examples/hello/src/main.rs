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
    use zkpeer_core::Charm;
    use zkpeer_core::testing::{Application, Doing, ExploreError, Model, Unit, check, event, explore};

    /// A unit of this charm, with all its handlers and its files.
    fn unit() -> Unit {
        Unit::of(Charm::new()).charm(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn is_in_order() {
        check(&Charm::new(), env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn greets_in_the_words_of_the_configuration() {
        let mut unit = unit();
        unit.on("install").assert_ran(["install", "greet"]).assert_status("active", "hello");
        unit.set_config("greeting", "good day");
        unit.on("install").assert_flag("hello.installed").assert_status("active", "good day");
    }

    #[test]
    fn greets_once_for_each_change() {
        let mut unit = unit().after("install");
        unit.on("update-status").assert_did_not_run("greet");
        unit.set_config("greeting", "");
        unit.on("config-changed").assert_ran(["greet"]).assert_status("blocked", "set the option `greeting`");
    }

    #[test]
    fn the_action_greets_by_name() {
        let unit = unit().after("install");
        unit.on(event::action("greet")).assert_command("action-set greeting=hello, world");
        let run = unit.on(event::action("greet").with("name", "moon"));
        run.assert_ran(["greet_somebody"]).assert_command("action-set greeting=hello, moon").assert_deterministic();
    }

    #[test]
    fn greets_in_every_order_of_events() -> Result<(), ExploreError> {
        let mut model = Model::new();
        model.deploy(Application::new(env!("CARGO_MANIFEST_DIR")).in_process(Charm::new()).units(2))?;
        explore(model)
            .at_any_time(Doing::set_config("hello", "greeting", "good day"))
            .at_any_time(Doing::remove_unit("hello/1"))
            .leadership_moves(1)
            .once_quiet("who stays greets in the new words", |model| model.status("hello/0").message == "good day")
            .run()?;
        Ok(())
    }
}
