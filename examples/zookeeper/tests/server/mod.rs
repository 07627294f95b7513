//! The server's form for tests: what it has been told is data of the unit's.

use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;

use zkpeer_core::testing::{Fake, Fakes};
use zookeeper::{Member, Server, Settings};

/// What a server has been told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct ServerState {
    pub(crate) id: Option<u64>,
    pub(crate) settings: Option<Settings>,
    pub(crate) members: Vec<Member>,
    pub(crate) namespaces: BTreeSet<String>,
    pub(crate) order: Option<String>,
}

/// A server that is data.
struct FakeServer(Fake<ServerState>);

/// Gives a unit such a server: `Application::fake(server::fake)`.
pub(crate) fn fake(fakes: &mut Fakes) {
    let state = fakes.state(ServerState::default());
    fakes.resource_as::<dyn Server>(Rc::new(FakeServer(state)));
}

impl Server for FakeServer {
    fn install(&self, id: u64) -> io::Result<()> {
        self.0.change(|server| server.id = Some(id));
        Ok(())
    }

    fn id(&self) -> io::Result<u64> {
        self.0.read(|server| server.id).ok_or_else(|| io::Error::other("it is not installed"))
    }

    fn configure(&self, settings: &Settings) -> io::Result<()> {
        self.0.change(|server| server.settings = Some(settings.clone()));
        Ok(())
    }

    fn members(&self) -> io::Result<Vec<Member>> {
        Ok(self.0.read(|server| server.members.clone()))
    }

    fn set_members(&self, mut members: Vec<Member>) -> io::Result<()> {
        members.sort();
        self.0.change(|server| server.members = members);
        Ok(())
    }

    fn add_namespace(&self, path: &str) -> io::Result<()> {
        self.0.change(|server| server.namespaces.insert(path.to_owned()));
        Ok(())
    }

    fn order(&self, order: &str) -> io::Result<()> {
        self.0.change(|server| server.order = Some(order.to_owned()));
        Ok(())
    }
}
