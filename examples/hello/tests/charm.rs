//! The charm's own program, started hook by hook as Juju starts it.

use std::error::Error;

use zkpeer_core::testing::{Player, UnitAgent};

fn agent() -> Result<UnitAgent, Box<dyn Error>> {
    let charm = UnitAgent::builder(env!("CARGO_MANIFEST_DIR")).program(env!("CARGO_BIN_EXE_hello"));
    Ok(charm.config("greeting", "good day").build()?)
}

#[test]
fn a_deployed_unit_is_active() -> Result<(), Box<dyn Error>> {
    let mut agent = agent()?;
    agent.deploy()?;
    let status = agent.status();
    assert_eq!((status.status.as_str(), status.message.as_str()), ("active", "good day"));
    Ok(())
}

#[test]
fn the_action_greets_by_name() -> Result<(), Box<dyn Error>> {
    let mut agent = agent()?;
    agent.deploy()?;
    let action = agent.run_action("greet", &[("name", "moon".into())])?;
    assert!(action.completed, "{}", action.message);
    assert_eq!(action.results["greeting"], "good day, moon".into());
    Ok(())
}

#[test]
fn the_story_is_played() -> Result<(), Box<dyn Error>> {
    let charm = env!("CARGO_MANIFEST_DIR");
    Player::read(format!("{charm}/story.yaml"))?.program(charm, env!("CARGO_BIN_EXE_hello")).play()?;
    Ok(())
}
