//! The interface `zookeeper-namespace`: a client asks for a part of the tree of its own, the servers make it.
//!
//! ```yaml
//! provides: {namespaces: {interface: zookeeper-namespace}} # the servers' charm
//! requires: {namespace: {interface: zookeeper-namespace}}  # a client's charm
//! ```
//!
//! It is requests and responses ([`request_response`](crate::request_response)), and has their flags: the servers' charm waits for
//! `endpoint.NAME.new_requests`, a client's for `endpoint.NAME.all_responses`.
//!
//! ```
//! use zkpeer_core::interfaces::zookeeper_namespace::Made;
//! use zkpeer_core::{Result, ZookeeperNamespace, ZookeeperNamespaces, when};
//!
//! #[when("endpoint.namespaces.new_requests")]
//! fn make(namespaces: ZookeeperNamespaces) -> Result {
//!     for request in namespaces.new_requests()? {
//!         let path = request.fields()?.path;
//!         request.respond(&Made { path, refused: None })?;
//!     }
//!     Ok(())
//! }
//!
//! #[when("endpoint.namespace.joined")]
//! fn ask(namespace: ZookeeperNamespace) -> Result {
//!     namespace.ask("/shop")?;
//!     Ok(())
//! }
//!
//! #[when("endpoint.namespace.has_responses")]
//! fn ready(namespace: ZookeeperNamespace) -> Result {
//!     for made in namespace.made()? {
//!         println!("{} is ours", made.path);
//!     }
//!     Ok(())
//! }
//! ```

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::metadata::Role;
use crate::request_response::{Request, Requester, Responder};
use crate::{Endpoint, Error, Interface, Result};

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// The znode under which everything of the client will be, such as `/shop`.
    pub path: String,
}

/// What the servers answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// The znode.
    pub path: String,
    /// Why there is none, if it was refused.
    pub refused: Option<String>,
}

impl Request for Namespace {
    type Response = Made;
}

impl Namespace {
    /// What is wrong with the path, if ZooKeeper would not take it.
    #[must_use]
    pub fn fault(&self) -> Option<&'static str> {
        let mut names = self.path.split('/').skip(1);
        if !self.path.starts_with('/') {
            Some("a path begins with `/`")
        } else if names.any(|name| matches!(name, "" | "." | ".." | "zookeeper") || name.contains('\0')) {
            Some("a name in the path is empty, `.`, `..` or `zookeeper`")
        } else {
            None
        }
    }
}

/// The servers' side; its methods are those of [`Responder`].
#[derive(Debug)]
pub struct ZookeeperNamespaces(Responder<Namespace>);

impl Interface for ZookeeperNamespaces {
    const ROLE: Role = Role::Provides;
    const NAME: &'static str = "zookeeper-namespace";
    const FLAGS: &'static [&'static str] = Responder::<Namespace>::FLAGS;

    fn new(endpoint: Endpoint) -> Self {
        Self(Responder::new(endpoint))
    }

    fn manage_flags(&self) -> Result {
        self.0.manage_flags()
    }
}

impl Deref for ZookeeperNamespaces {
    type Target = Responder<Namespace>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

/// A client's side.
#[derive(Debug)]
pub struct ZookeeperNamespace(Requester<Namespace>);

impl Interface for ZookeeperNamespace {
    const ROLE: Role = Role::Requires;
    const NAME: &'static str = "zookeeper-namespace";
    const FLAGS: &'static [&'static str] = Requester::<Namespace>::FLAGS;

    fn new(endpoint: Endpoint) -> Self {
        Self(Requester::new(endpoint))
    }

    fn manage_flags(&self) -> Result {
        self.0.manage_flags()
    }
}

impl ZookeeperNamespace {
    /// Asks all servers for a namespace; once for each path, however often it is called.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn ask(&self, path: &str) -> Result<(), Error> {
        let wanted = Namespace { path: path.to_owned() };
        for relation in self.0.endpoint().relations()? {
            self.0.create_or_update(&relation, |known| *known == wanted, &wanted)?;
        }
        Ok(())
    }

    /// What has been answered so far.
    ///
    /// # Errors
    ///
    /// If an answer is none of this interface, or Juju refuses.
    pub fn made(&self) -> Result<Vec<Made>, Error> {
        let answers = self.0.responses()?.into_iter().map(|request| request.response());
        Ok(answers.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }
}
