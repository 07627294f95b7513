//! The example charm zookeeper in a program with other charms.

use zkpeer_core::interfaces::zookeeper_quorum;
use zkpeer_core::{Charm, handlers};

/// Its own handlers, and not those of the other charms in this program.
pub(crate) fn servers() -> Charm {
    use zookeeper as zk;
    zookeeper::charm().handlers(handlers![
        zookeeper_quorum::created,
        zookeeper_quorum::joined,
        zookeeper_quorum::changed,
        zookeeper_quorum::departed,
        zookeeper_quorum::departed_untold,
        zk::install,
        zk::address,
        zk::configure,
        zk::start,
        zk::quorum_add,
        zk::quorum_remove,
        zk::quorum_update,
        zk::restart_ordered,
        zk::restart,
        zk::serve_clients,
        zk::make_namespaces,
        zk::status,
        zk::show_quorum,
        zk::order_restart,
    ])
}
