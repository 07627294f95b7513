//! The interface `zookeeper-quorum`, role peers: the units of an Apache ZooKeeper deployment become aware of each other.
//!
//! ```yaml
//! peers:
//!   zkpeer:
//!     interface: zookeeper-quorum
//! ```
//!
//! | flag | set | cleared |
//! |---|---|---|
//! | `{relation_name}.joined` | a peer has joined, and its address is known | by `dismiss_joined`; for a peer that departs |
//! | `{relation_name}.changed` | the address of a peer has changed | by `dismiss_changed`; for a peer that departs |
//! | `{relation_name}.departed` | a peer has departed | by `dismiss_departed`; for a peer that joins again |
//! | `{relation_name}.leaving` | this unit is being removed | never |
//!
//! The first three belong to the conversation with each peer, and stand as long as one of them has the flag. A flag that is
//! not dismissed is still there in the next hook, whichever it is: a peer that departs before the charm is ready for it
//! keeps its name and its last address until it is dismissed.
//!
//! ```
//! use zkpeer_core::interfaces::zookeeper_quorum::Node;
//! use zkpeer_core::{Result, ZookeeperPeers, when};
//!
//! #[when("zookeeper.installed", "zkpeer.joined")]
//! fn quorum_add(zkpeer: ZookeeperPeers) -> Result {
//!     increase_quorum(&zkpeer.get_nodes()?)?;
//!     zkpeer.dismiss_joined();
//!     Ok(())
//! }
//!
//! #[when("zookeeper.installed", "zkpeer.departed")]
//! fn quorum_remove(zkpeer: ZookeeperPeers) -> Result {
//!     decrease_quorum(&zkpeer.get_nodes()?)?;
//!     zkpeer.dismiss_departed();
//!     Ok(())
//! }
//! # fn increase_quorum(_: &[Node]) -> Result { Ok(()) }
//! # fn decrease_quorum(_: &[Node]) -> Result { Ok(()) }
//! ```
//!
//! What a peer has published is kept with its conversation and looked at again in that peer's own hooks, which is when Juju
//! looks at it again, too (contract 4.6). So nothing here costs a hook command for each peer.
//!
//! A restart of the servers is ordered by the leader: it sets the leader setting `restart_nonce` to a value that has not been used
//! before (`Leader::set`). Each unit that has restarted says so with [`inform_restart`](ZookeeperPeers::inform_restart), and
//! [`restarted_nodes`](ZookeeperPeers::restarted_nodes) are those that have.
//!
//! The order is seen in one hook only; a charm that cannot follow at once keeps it in a flag of its own. A handler whose flags
//! stand runs in every hook, those included in which a peer tells that it has restarted. So a unit that waits for its turn needs no
//! flag of the interface:
//!
//! ```
//! use zkpeer_core::{Flags, Result, Unit, ZookeeperPeers, when};
//!
//! #[when("leadership.changed.restart_nonce")]
//! fn restart_ordered(flags: Flags) {
//!     flags.set("zookeeper.restart-ordered");
//! }
//!
//! /// One after the other, in the order of the units' numbers.
//! #[when("zookeeper.started", "zookeeper.restart-ordered")]
//! fn restart(zkpeer: ZookeeperPeers, unit: Unit, flags: Flags) -> Result {
//!     let restarted = zkpeer.restarted_nodes()?;
//!     let is_before = |number| number < unit.name().number();
//!     let waits_for = |node: &_| !restarted.contains(node);
//!     if zkpeer.get_nodes()?.iter().filter(|node| is_before(node.unit.number())).any(waits_for) {
//!         return Ok(());
//!     }
//!     restart_server()?;
//!     zkpeer.inform_restart()?;
//!     flags.clear("zookeeper.restart-ordered");
//!     Ok(())
//! }
//! # fn restart_server() -> Result { Ok(()) }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::juju::{Bag, UnitName};
use crate::metadata::Role;
use crate::{
    Context, Conversation, Endpoint, Error, Flags, FromContext, GoalState, Interface, Kv, Leader, Param, Rejection,
    Result, Scope, Unit, hook, sets,
};

const JOINED: &str = "{relation_name}.joined";
const CHANGED: &str = "{relation_name}.changed";
const DEPARTED: &str = "{relation_name}.departed";
const LEAVING: &str = "{relation_name}.leaving";

/// Where a unit's address is, the first that there is (contract 4.6; `ip` is a charm's own word).
const ADDRESSES: [&str; 3] = ["ingress-address", "private-address", "ip"];
/// A unit that has restarted publishes this with the nonce behind it.
const RESTARTED: &str = "restarted.";
/// The unit whose server leads the ensemble publishes this.
const IS_ZK_LEADER: &str = "is_zk_leader";
/// What the interface publishes for yes, as its Python forerunner does.
const YES: &str = "True";
/// The leader setting by which a restart is ordered.
const RESTART_NONCE: &str = "restart_nonce";
/// What is kept with a peer's conversation.
const PUBLISHED: &str = "published";
/// What is kept for an endpoint: values that wait for the relation to be entered.
const TO_BE_TOLD: &str = "zkpeer.to-be-told.{relation_name}";

/// The peers of a ZooKeeper unit, over one endpoint; see [the module](self) for the flags.
#[derive(Clone, Debug)]
pub struct ZookeeperPeers {
    endpoint: Endpoint,
}

impl Interface for ZookeeperPeers {
    const ROLE: Role = Role::Peers;
    const NAME: &str = "zookeeper-quorum";
    const FLAGS: &[&str] = &[JOINED, CHANGED, DEPARTED, LEAVING];

    fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    fn call(&self, method: &str, _: &[String]) -> Result<Option<Value>> {
        match method {
            "get_nodes" => {
                let nodes = self.get_nodes()?.into_iter();
                return Ok(Some(nodes.map(|node| json!([node.unit.as_str(), node.address])).collect()));
            }
            "inform_restart" => self.inform_restart()?,
            "dismiss_joined" => self.dismiss_joined(),
            "dismiss_departed" => self.dismiss_departed(),
            "dismiss_changed" => self.dismiss_changed(),
            _ => return Ok(None),
        }
        Ok(Some(Value::Null))
    }
}

/// A member of the quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its unit.
    pub unit: UnitName,
    /// Its address, as Juju gives it to peers.
    pub address: String,
}

/// A member that has gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DepartedNode {
    /// Its unit.
    pub unit: UnitName,
    /// The last address that was known of it.
    pub address: Option<String>,
}

/// What is known of a peer: what it had published when it was last looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Published {
    address: Option<String>,
    restarted: Vec<String>,
    is_zk_leader: bool,
}

impl From<Bag> for Published {
    fn from(bag: Bag) -> Self {
        let is_yes = |value: &str| value.eq_ignore_ascii_case(YES);
        let restarted = bag.iter().filter(|(_, value)| is_yes(value));
        Self {
            address: ADDRESSES.iter().find_map(|key| bag.get(*key)).cloned(),
            restarted: restarted.filter_map(|(key, _)| key.strip_prefix(RESTARTED)).map(str::to_owned).collect(),
            is_zk_leader: bag.get(IS_ZK_LEADER).is_some_and(|value| is_yes(value)),
        }
    }
}

/// This unit has entered the relation.
///
/// # Errors
///
/// If Juju refuses.
#[hook("{peers:zookeeper-quorum}-relation-created")]
pub fn created(peers: ZookeeperPeers) -> Result {
    peers.tell_what_waits()?;
    Ok(())
}

/// A peer has joined; that is told once its address is known.
///
/// # Errors
///
/// If Juju refuses.
#[hook("{peers:zookeeper-quorum}-relation-joined")]
pub fn joined(peers: ZookeeperPeers) -> Result {
    let Some(peer) = peers.endpoint.conversation(Scope::Unit)? else { return Ok(()) };
    // Not every relation has a `-created` (contract 4.4).
    peers.tell_what_waits()?;
    peer.clear_flag(DEPARTED);
    if look_at(&peer)?.address.is_some() {
        peer.set_flag(JOINED);
    }
    Ok(())
}

/// A peer has published something.
///
/// # Errors
///
/// If Juju refuses.
#[hook("{peers:zookeeper-quorum}-relation-changed")]
pub fn changed(peers: ZookeeperPeers) -> Result {
    let Some(peer) = peers.endpoint.conversation(Scope::Unit)? else { return Ok(()) };
    if peer.is_flag_set(DEPARTED) {
        // It has joined again, in a hook that an operator has resolved without running it (contract 2.2).
        return joined(peers);
    }
    let known: Option<Published> = peer.get_local(PUBLISHED)?;
    let Some(address) = look_at(&peer)?.address else { return Ok(()) };
    match known.and_then(|known| known.address) {
        Some(known) if known == address => {}
        Some(_) => peer.set_flag(CHANGED),
        // So it is, too, if its `-joined` was resolved without running, or ran in this charm's Python forerunner.
        None => peer.set_flag(JOINED),
    }
    Ok(())
}

/// A peer has departed, unless it is this unit that leaves: then all stay what they were.
///
/// # Errors
///
/// If Juju refuses.
#[hook("{peers:zookeeper-quorum}-relation-departed")]
pub fn departed(peers: ZookeeperPeers, flags: Flags) -> Result {
    if peers.endpoint.is_leaving() {
        flags.set(peers.endpoint.flag(LEAVING));
        return Ok(());
    }
    let Some(peer) = peers.endpoint.conversation(Scope::Unit)? else { return Ok(()) };
    tell_departed(&peer)
}

fn tell_departed(peer: &Conversation) -> Result {
    // Its last address is needed once it is gone.
    known(peer)?;
    peer.clear_flag(JOINED);
    peer.clear_flag(CHANGED);
    peer.set_flag(DEPARTED);
    Ok(())
}

/// The units of the application, where Juju does not always tell that a peer has departed: that is Juju 4 (contract 5.5, juju
/// issue 23326). A handler that asks for them is skipped on any other.
#[derive(Debug)]
pub struct UnitsThatAre(BTreeMap<String, String>);

impl FromContext for UnitsThatAre {
    fn from_context(context: &Context, param: &Param<'_>) -> std::result::Result<Self, Rejection> {
        let unit = Unit::of(context);
        let major = unit.juju_version().and_then(|version| version.split('.').next()?.parse::<u32>().ok());
        if major.is_none_or(|major| major < 4) {
            return Err(Rejection::Skip("this Juju tells every departure".to_owned()));
        }
        let units = GoalState::from_context(context, param)?.units;
        if !units.contains_key(unit.name().as_str()) {
            return Err(Rejection::Skip("goal-state leaves out this unit, too, and is not to be believed".to_owned()));
        }
        Ok(Self(units))
    }
}

/// A peer that is no unit of the application any more has departed, although Juju has not told (difference D20).
///
/// # Errors
///
/// If Juju refuses.
#[hook("update-status")]
#[sets("{relation_name}.departed")]
pub fn departed_untold(endpoints: Vec<ZookeeperPeers>, units: UnitsThatAre) -> Result {
    for peers in endpoints.iter().filter(|peers| !peers.is_leaving()) {
        for peer in peers.endpoint.conversations().iter().filter(|peer| !peer.has_departed()) {
            if peer.scope().parse::<UnitName>().is_ok() && !units.0.contains_key(peer.scope()) {
                tell_departed(peer)?;
                peer.end()?;
            }
        }
    }
    Ok(())
}

/// Reads what a peer has published, and keeps it.
fn look_at(peer: &Conversation) -> Result<Published, Error> {
    let published = Published::from(peer.remote()?);
    let kept = peer.get_local(PUBLISHED)?.and_then(|kept: Published| kept.address);
    let published = Published { address: published.address.or(kept), ..published };
    peer.set_local(PUBLISHED, &published)?;
    Ok(published)
}

/// What is known of a peer; one that this charm's Python forerunner has met is looked at once.
fn known(peer: &Conversation) -> Result<Published, Error> {
    match peer.get_local(PUBLISHED)? {
        Some(known) => Ok(known),
        None => look_at(peer),
    }
}

fn node(peer: &Conversation, known: &Published) -> Option<Node> {
    Some(Node { unit: peer.scope().parse().ok()?, address: known.address.clone()? })
}

impl ZookeeperPeers {
    /// The endpoint and its relations.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The quorum's other members, in the order of their numbers: those that have joined and have not departed, dismissed or
    /// not; never this unit. While this unit leaves they are the peers that it knew.
    ///
    /// So in a handler of `joined` as in one of `departed` it is these, and this unit, that are wanted. (The Python
    /// interface gives only the peers that have the flag which woke the handler; those are
    /// [`joined_nodes`](Self::joined_nodes) and [`departed_nodes`](Self::departed_nodes).)
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn get_nodes(&self) -> Result<Vec<Node>, Error> {
        self.members_that(|_| true)
    }

    /// The peers that have joined and were not dismissed since, in the order in which they joined.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn joined_nodes(&self) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        for peer in self.endpoint.conversations_in(JOINED)? {
            nodes.extend(node(&peer, &known(&peer)?));
        }
        Ok(nodes)
    }

    /// The peers that have departed and were not dismissed since, in the order in which they departed.
    ///
    /// # Errors
    ///
    /// If what is stored of them cannot be read.
    pub fn departed_nodes(&self) -> Result<Vec<DepartedNode>, Error> {
        let mut nodes = Vec::new();
        for peer in self.endpoint.conversations_in(DEPARTED)? {
            let Ok(unit) = peer.scope().parse() else { continue };
            let known: Option<Published> = peer.get_local(PUBLISHED)?;
            nodes.push(DepartedNode { unit, address: known.and_then(|known| known.address) });
        }
        Ok(nodes)
    }

    /// The other members that have restarted as the leader has ordered last; none if it has ordered nothing.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn restarted_nodes(&self) -> Result<Vec<Node>, Error> {
        match self.restart_nonce()? {
            Some(nonce) => self.members_that(|known| known.restarted.contains(&nonce)),
            None => Ok(Vec::new()),
        }
    }

    /// Tells the peers that this unit has restarted as the leader has ordered last, and takes back what it has told of
    /// earlier restarts. If the leader has ordered nothing there is nothing to tell.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn inform_restart(&self) -> Result<(), Error> {
        let Some(nonce) = self.restart_nonce()? else { return Ok(()) };
        for relation in self.endpoint.relations()? {
            for (old, _) in relation.published()?.iter().filter(|(key, _)| key.starts_with(RESTARTED)) {
                relation.unpublish(old)?;
            }
        }
        self.tell(&format!("{RESTARTED}{nonce}"), YES)
    }

    /// Tells the peers whether this unit's server leads the ensemble: also that it no longer does.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn set_zk_leader(&self, leads: bool) -> Result<(), Error> {
        self.tell(IS_ZK_LEADER, if leads { YES } else { "" })
    }

    /// The other member whose server leads the ensemble, by its own account; of several that say so, the one of the lowest
    /// number.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn find_zk_leader(&self) -> Result<Option<Node>, Error> {
        Ok(self.members_that(|known| known.is_zk_leader)?.into_iter().next())
    }

    /// Whether this unit is being removed (flag `{relation_name}.leaving`).
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        Flags::of(self.endpoint.context()).is_set(self.endpoint.flag(LEAVING))
    }

    /// Clears `{relation_name}.joined` for all peers.
    pub fn dismiss_joined(&self) {
        self.endpoint.clear_flag(JOINED);
    }

    /// Clears `{relation_name}.departed` for all peers; what was known of them is forgotten when the hook has succeeded.
    pub fn dismiss_departed(&self) {
        self.endpoint.clear_flag(DEPARTED);
    }

    /// Clears `{relation_name}.changed` for all peers.
    pub fn dismiss_changed(&self) {
        self.endpoint.clear_flag(CHANGED);
    }

    fn members_that(&self, wanted: impl Fn(&Published) -> bool) -> Result<Vec<Node>, Error> {
        // By number: a peer that is met over two relations, which Juju has been seen to make (contract 4.1), is one member.
        let mut nodes = BTreeMap::new();
        for peer in self.endpoint.conversations().iter().filter(|peer| !peer.has_departed()) {
            let known = known(peer)?;
            nodes.extend(node(peer, &known).filter(|_| wanted(&known)).map(|node| (node.unit.number(), node)));
        }
        Ok(nodes.into_values().collect())
    }

    fn restart_nonce(&self) -> Result<Option<String>, Error> {
        Leader::of(self.endpoint.context()).get(RESTART_NONCE)
    }

    /// Publishes to all peers, those that join later included; once the relation is entered, which is right after `install`.
    fn tell(&self, key: &str, value: &str) -> Result<(), Error> {
        let relations = self.endpoint.relations()?;
        if relations.is_empty() {
            let kept = Kv::of(self.endpoint.context());
            let waiting = self.endpoint.flag(TO_BE_TOLD);
            let mut all: BTreeMap<String, String> = kept.get(&waiting)?.unwrap_or_default();
            // Of several restarts the last is told.
            all.retain(|told, _| !(told.starts_with(RESTARTED) && key.starts_with(RESTARTED)));
            all.insert(key.to_owned(), value.to_owned());
            return kept.set(&waiting, &all);
        }
        relations.iter().try_for_each(|relation| relation.publish_raw(key, value))
    }

    /// Publishes what was to be told before the relation was entered.
    fn tell_what_waits(&self) -> Result<(), Error> {
        let kept = Kv::of(self.endpoint.context());
        let key = self.endpoint.flag(TO_BE_TOLD);
        for (name, value) in kept.get::<BTreeMap<String, String>>(&key)?.into_iter().flatten() {
            self.tell(&name, &value)?;
        }
        kept.unset(&key);
        Ok(())
    }
}
