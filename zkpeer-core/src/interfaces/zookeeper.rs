//! The interface `zookeeper`: clients of an ensemble learn where its servers are.
//!
//! ```yaml
//! provides: {client: {interface: zookeeper}}    # the servers' charm
//! requires: {zookeeper: {interface: zookeeper}} # a client's charm
//! ```
//!
//! Each server's unit publishes `host` and `port`, the leader publishes all `servers` in its application's databag. Where that
//! list is not there, as with servers on charms.reactive, clients take what the units say.
//!
//! | flag | set | cleared |
//! |---|---|---|
//! | `{endpoint_name}.available` | a client knows where a server is | when that is over |
//! | `{endpoint_name}.changed` | the servers are others than before | by [`dismiss_changed`](Zookeeper::dismiss_changed) |
//!
//! ```
//! use zkpeer_core::interfaces::zookeeper::{Address, connect_string};
//! use zkpeer_core::{Result, Zookeeper, ZookeeperClients, when};
//!
//! #[when("server.started", "endpoint.client.joined")]
//! fn serve(client: ZookeeperClients) -> Result {
//!     Ok(client.publish_server(&Address { host: "10.0.0.1".to_owned(), port: 2181 })?)
//! }
//! #[when("zookeeper.available", "zookeeper.changed")]
//! fn connect(zookeeper: Zookeeper) -> Result {
//!     println!("connecting to {}", connect_string(&zookeeper.servers()?));
//!     zookeeper.dismiss_changed();
//!     Ok(())
//! }
//! ```

use serde::{Deserialize, Serialize};

use crate::metadata::Role;
use crate::{Endpoint, Error, Interface, Kv, Result, hook};

const AVAILABLE: &str = "{endpoint_name}.available";
const CHANGED: &str = "{endpoint_name}.changed";
const SERVERS: &str = "servers";

/// Where a server is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Its address or name.
    pub host: String,
    /// Its port for clients.
    pub port: u16,
}

/// The addresses as ZooKeeper's clients take them: `10.0.0.1:2181,[fd00::2]:2181`.
#[must_use]
pub fn connect_string(servers: &[Address]) -> String {
    let host = |host: &str| if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let text = |server: &Address| format!("{}:{}", host(&server.host), server.port);
    servers.iter().map(text).collect::<Vec<_>>().join(",")
}

/// The servers' side.
#[derive(Clone, Debug)]
pub struct ZookeeperClients(Endpoint);

impl Interface for ZookeeperClients {
    const ROLE: Role = Role::Provides;
    const NAME: &'static str = "zookeeper";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

impl ZookeeperClients {
    /// Tells all clients where this unit's server is.
    ///
    /// # Errors
    /// If Juju refuses.
    pub fn publish_server(&self, server: &Address) -> Result<(), Error> {
        for relation in self.0.relations()? {
            relation.publish_raw("host", &server.host)?;
            relation.publish("port", &server.port)?;
        }
        Ok(())
    }

    /// Tells all clients where the servers of the ensemble are. Only the leader may.
    ///
    /// # Errors
    /// If this unit is not the leader, or Juju refuses.
    pub fn publish_ensemble(&self, servers: &[Address]) -> Result<(), Error> {
        self.0.relations()?.iter().try_for_each(|relation| relation.publish_app(SERVERS, servers))
    }
}

/// A client's side.
#[derive(Clone, Debug)]
pub struct Zookeeper(Endpoint);

impl Interface for Zookeeper {
    const ROLE: Role = Role::Requires;
    const NAME: &'static str = "zookeeper";
    const FLAGS: &'static [&'static str] = &[AVAILABLE, CHANGED];

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

impl Zookeeper {
    /// The servers, in the order in which they are told; none if none is known yet.
    ///
    /// # Errors
    /// If what was published is no such list, or Juju refuses.
    pub fn servers(&self) -> Result<Vec<Address>, Error> {
        let mut servers = Vec::new();
        for relation in self.0.relations()? {
            if let Some(told) = relation.received_app()?.get::<Vec<Address>>(SERVERS)? {
                servers.extend(told);
                continue;
            }
            for unit in &relation.joined_units()? {
                let said = unit.received()?;
                if said.raw("host").and(said.raw("port")).is_some() {
                    servers.push(said.all()?);
                }
            }
        }
        Ok(servers)
    }

    /// Clears `{endpoint_name}.changed`.
    pub fn dismiss_changed(&self) {
        self.0.clear_flag(CHANGED);
    }
}

/// Something may have changed at the other side.
///
/// # Errors
/// If Juju refuses.
#[hook("{requires:zookeeper}-relation-{joined,changed,departed,broken}")]
pub fn look(zookeeper: Zookeeper, kv: Kv) -> Result {
    let Zookeeper(endpoint) = &zookeeper;
    let servers = zookeeper.servers()?;
    endpoint.toggle_flag(AVAILABLE, !servers.is_empty());
    let known = endpoint.flag("zkpeer.zookeeper.{endpoint_name}");
    if kv.get::<Vec<Address>>(&known)?.unwrap_or_default() != servers {
        kv.set(&known, &servers)?;
        endpoint.set_flag(CHANGED);
    }
    Ok(())
}
