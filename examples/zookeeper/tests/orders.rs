//! Two units and a leave, in every order of events that Juju permits; the servers are data.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a test may panic; the server's form for tests is shared with other tests"
)]

mod server;

use zkpeer_core::testing::{Application, Doing, ExploreError, Model, explore};

use crate::server::ServerState;

#[test]
fn every_server_lists_exactly_the_units_that_are_there() -> Result<(), ExploreError> {
    let mut model = Model::new();
    let charm = Application::new(env!("CARGO_MANIFEST_DIR")).in_process(zookeeper::charm());
    model.deploy(charm.fake(server::fake).units(2))?;
    explore(model)
        .at_any_time(Doing::remove_unit("zookeeper/1"))
        .once_quiet("the server of zookeeper/0 lists itself alone", |model| {
            let server: ServerState = model.fake("zookeeper/0").unwrap();
            server.members.iter().map(|member| member.id).collect::<Vec<_>>() == [1]
        })
        .run()?;
    Ok(())
}
