//! The charm's own program, started hook by hook as Juju starts it.

use std::error::Error;

use zkpeer_core::testing::{Player, UnitAgent};

const CHARM: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_my-charm");

#[test]
fn the_action_greets_by_name() -> Result<(), Box<dyn Error>> {
    let mut agent = UnitAgent::builder(CHARM).program(PROGRAM).build()?;
    agent.deploy()?;
    let action = agent.run_action("greet", &[("name", "moon".into())])?;
    assert!(action.completed, "{}", action.message);
    assert_eq!(action.results["greeting"], "hello, moon".into());
    Ok(())
}

#[test]
fn the_story_is_played() -> Result<(), Box<dyn Error>> {
    let story = Player::read(format!("{CHARM}/story.yaml"))?;
    Ok(story.program(CHARM, PROGRAM).play()?)
}
