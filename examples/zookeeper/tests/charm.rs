//! The charm's own program, in stories of several units.

use std::error::Error;

use zkpeer_core::testing::Player;

#[test]
fn the_story_is_played() -> Result<(), Box<dyn Error>> {
    let charm = env!("CARGO_MANIFEST_DIR");
    Player::read(format!("{charm}/story.yaml"))?.program(charm, env!("CARGO_BIN_EXE_zookeeper")).play()?;
    Ok(())
}
