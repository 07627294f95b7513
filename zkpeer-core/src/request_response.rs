//! Requests and responses over a relation: one side asks, as often and for as much as it likes, the other answers each.
//!
//! The databags are those of charms.reactive's pattern of this name, so that the other side may be a Python charm: a request is
//! the key `request_ID` in the databag of the unit that asks, with its fields and the field `request_id` as JSON; its response
//! is `response_ID` in the databag of a unit that answers.
//!
//! | flag | set while |
//! |---|---|
//! | `endpoint.NAME.has_responses` | a request of this unit is answered |
//! | `endpoint.NAME.all_responses` | none of this unit's requests is unanswered; also if it has made none |
//! | `endpoint.NAME.has_requests` | there are requests of others |
//! | `endpoint.NAME.new_requests` | one of them is not answered by this unit |
//!
//! A request that is changed after its answer counts as answered: who needs another answer asks anew.
//!
//! They are brought up to date in the hooks of the endpoint, and by making and answering requests. What does not decode
//! fails the handler that asks for it, and no other.
//!
//! An interface of either side is a few lines:
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use zkpeer_core::metadata::Role;
//! use zkpeer_core::request_response::{Request, Requester, Responder};
//! use zkpeer_core::{Endpoint, Interface, Result, when};
//!
//! #[derive(Serialize, Deserialize)]
//! pub struct Certificate {
//!     pub common_name: String,
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! pub struct Signed {
//!     pub pem: String,
//! }
//!
//! impl Request for Certificate {
//!     type Response = Signed;
//! }
//!
//! pub struct Authority(pub Responder<Certificate>);
//!
//! impl Interface for Authority {
//!     const ROLE: Role = Role::Provides;
//!     const NAME: &'static str = "tiny-certificates";
//!     const FLAGS: &'static [&'static str] = Responder::<Certificate>::FLAGS;
//!
//!     fn new(endpoint: Endpoint) -> Self {
//!         Self(Responder::new(endpoint))
//!     }
//!
//!     fn manage_flags(&self) -> Result {
//!         self.0.manage_flags()
//!     }
//! }
//!
//! #[when("endpoint.{endpoint_name}.new_requests")]
//! fn sign(authority: Authority) -> Result {
//!     for request in authority.0.new_requests()? {
//!         let certificate = request.fields()?;
//!         request.respond(&Signed { pem: format!("signed for {}", certificate.common_name) })?;
//!     }
//!     Ok(())
//! }
//!
//! pub struct Certificates(pub Requester<Certificate>);
//!
//! impl Interface for Certificates {
//!     const ROLE: Role = Role::Requires;
//!     const NAME: &'static str = "tiny-certificates";
//!     const FLAGS: &'static [&'static str] = Requester::<Certificate>::FLAGS;
//!
//!     fn new(endpoint: Endpoint) -> Self {
//!         Self(Requester::new(endpoint))
//!     }
//!
//!     fn manage_flags(&self) -> Result {
//!         self.0.manage_flags()
//!     }
//! }
//!
//! #[when("endpoint.{endpoint_name}.joined")]
//! fn ask(certificates: Certificates) -> Result {
//!     for relation in certificates.0.endpoint().relations()? {
//!         let wanted = Certificate { common_name: "shop.example".to_owned() };
//!         certificates.0.create_or_update(&relation, |known| known.common_name == wanted.common_name, &wanted)?;
//!     }
//!     Ok(())
//! }
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::hash::Hash;
use crate::{Databag, Endpoint, Error, Kv, RelatedUnit, Relation, Result};

const REQUEST: &str = "request_";
const RESPONSE: &str = "response_";
/// The field of a request that has its id.
const ID: &str = "request_id";

/// The fields of a request, and what answers it.
pub trait Request: Serialize + DeserializeOwned {
    /// The fields of a response.
    type Response: Serialize + DeserializeOwned;
}

/// The ids of the requests in a databag, in order.
fn ids(databag: &Databag, prefix: &'static str) -> Vec<String> {
    databag.iter().filter_map(|(key, _)| key.strip_prefix(prefix)).map(str::to_owned).collect()
}

fn fields<T: DeserializeOwned>(databag: &Databag, key: &str) -> Result<T, Error> {
    // A type may refuse fields that it does not know.
    let fields: Option<BTreeMap<String, Value>> = databag.get(key)?;
    let fields = fields.unwrap_or_default().into_iter().filter(|(name, _)| name != ID).collect();
    serde_json::from_value(Value::Object(fields)).map_err(|error| databag.unfit_key(key, &error))
}

/// Whether flags may have to change: in the endpoint's own hooks, and in the first with this charm.
fn may_have_changed(endpoint: &Endpoint) -> Result<bool, Error> {
    let marker = endpoint.flag("zkpeer.request-response.{endpoint_name}");
    let kv = Kv::of(endpoint.context());
    let is_known = kv.get::<bool>(&marker)?.is_some();
    kv.set(&marker, &true)?;
    let event = endpoint.context().event();
    Ok(!is_known || endpoint.relation_of_hook().is_some() || event.is_hook("upgrade-charm"))
}

fn toggle(endpoint: &Endpoint, flag: &str, set: bool) {
    endpoint.toggle_flag(&format!("endpoint.{{endpoint_name}}.{flag}"), set);
}

/// The side that asks.
pub struct Requester<R> {
    endpoint: Endpoint,
    request: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Requester<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Requester").field(&self.endpoint.name()).finish()
    }
}

impl<R: Request> Requester<R> {
    /// The flags that it sets and clears; for [`Interface::FLAGS`](crate::Interface::FLAGS).
    pub const FLAGS: &'static [&'static str] =
        &["endpoint.{endpoint_name}.has_responses", "endpoint.{endpoint_name}.all_responses"];

    /// The requests over an endpoint.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, request: PhantomData }
    }

    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Brings the flags up to date; for [`Interface::manage_flags`](crate::Interface::manage_flags).
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn manage_flags(&self) -> Result {
        if may_have_changed(&self.endpoint)? {
            self.set_flags()?;
        }
        Ok(())
    }

    fn set_flags(&self) -> Result<(), Error> {
        let requests = self.requests()?;
        let answered = requests.iter().filter(|request| request.answer.is_some()).count();
        toggle(&self.endpoint, "has_responses", answered > 0);
        toggle(&self.endpoint, "all_responses", answered == requests.len());
        Ok(())
    }

    /// Asks. The id is that of the new request.
    ///
    /// # Errors
    ///
    /// As for [`Relation::publish`].
    pub fn create(&self, relation: &Relation, request: &R) -> Result<String, Error> {
        let published = relation.published()?;
        let taken = |id: &String| published.raw(&format!("{REQUEST}{id}")).is_some();
        let context = self.endpoint.context();
        let (kv, made) = (Kv::of(context), self.endpoint.flag("zkpeer.requests.{endpoint_name}"));
        let unit = &context.outside().unit;
        let numbers = kv.get::<u64>(&made)?.unwrap_or_default() + 1..;
        let mut ids = numbers.map(|number| (number, id_of(&format!("{} {unit} {number}", relation.id()))));
        let (number, id) = ids.find(|(_, id)| !taken(id)).unwrap_or_default();
        kv.set(&made, &number)?;
        self.write(relation, &id, request)?;
        Ok(id)
    }

    /// Changes the first request over this relation of which `is_it` is true, or asks anew if there is none. The id is that of
    /// the request.
    ///
    /// A request that is answered stays answered, with the answer to what it was before: the other side does not answer twice,
    /// nor does charms.reactive. Where a change needs another answer, [`withdraw`](Self::withdraw) the request and
    /// [`create`](Self::create) a new one.
    ///
    /// # Errors
    ///
    /// As for [`create`](Self::create), and if what this unit has published before is not such a request.
    pub fn create_or_update(
        &self,
        relation: &Relation,
        is_it: impl Fn(&R) -> bool,
        request: &R,
    ) -> Result<String, Error> {
        for sent in self.requests_over(relation)? {
            if is_it(&sent.fields()?) {
                self.write(relation, &sent.id, request)?;
                return Ok(sent.id);
            }
        }
        self.create(relation, request)
    }

    /// Takes a request back.
    ///
    /// # Errors
    ///
    /// As for [`Relation::unpublish`].
    pub fn withdraw(&self, request: &Sent<R>) -> Result<(), Error> {
        request.relation.unpublish(&format!("{REQUEST}{}", request.id))?;
        self.set_flags()
    }

    fn write(&self, relation: &Relation, id: &str, request: &R) -> Result<(), Error> {
        let with_id = WithId { request_id: id, request };
        relation.publish(&format!("{REQUEST}{id}"), &with_id)?;
        self.set_flags()
    }

    /// All requests of this unit, in the order of their ids.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn requests(&self) -> Result<Vec<Sent<R>>, Error> {
        let mut requests = Vec::new();
        for relation in self.endpoint.relations()? {
            requests.extend(self.requests_over(&relation)?);
        }
        requests.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(requests)
    }

    fn requests_over(&self, relation: &Relation) -> Result<Vec<Sent<R>>, Error> {
        let published = relation.published()?;
        let ids = ids(&published, REQUEST);
        let units = if ids.is_empty() { None } else { Some(relation.joined_units()?) };
        let mut requests = Vec::new();
        for id in ids {
            let key = format!("{RESPONSE}{id}");
            let mut received = units.iter().flatten().map(RelatedUnit::received);
            // An error is one, whether or not the answer would be there.
            let answer = received.find(|received| received.as_ref().map_or(true, |bag| bag.raw(&key).is_some()));
            let answer = answer.transpose()?;
            let (relation, published) = (relation.clone(), published.clone());
            requests.push(Sent { id, relation, published, answer, request: PhantomData });
        }
        Ok(requests)
    }

    /// Those of them that are answered.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn responses(&self) -> Result<Vec<Sent<R>>, Error> {
        let mut requests = self.requests()?;
        requests.retain(|request| request.answer.is_some());
        Ok(requests)
    }
}

/// The fields, and the id among them.
#[derive(Serialize)]
struct WithId<'r, R> {
    request_id: &'r str,
    #[serde(flatten)]
    request: &'r R,
}

/// An id that looks like the ones charms.reactive makes by chance. A hook that runs again makes the same ones again.
fn id_of(text: &str) -> String {
    // A UUID that is made of a name's MD5 says so: version 3, variant 8.
    let hex = Hash::Md5.of_text(text);
    format!("{}-{}-3{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// A request of this unit.
pub struct Sent<R> {
    id: String,
    relation: Relation,
    published: Databag,
    /// The databag in which the response is.
    answer: Option<Databag>,
    request: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Sent<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("id", &self.id).field("relation", self.relation.id()).finish_non_exhaustive()
    }
}

impl<R: Request> Sent<R> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The relation over which it was made.
    #[must_use]
    pub fn relation(&self) -> &Relation {
        &self.relation
    }

    /// What was asked for.
    ///
    /// # Errors
    ///
    /// If it is not of this type, as it may be after an upgrade.
    pub fn fields(&self) -> Result<R, Error> {
        fields(&self.published, &format!("{REQUEST}{}", self.id))
    }

    /// The answer, if there is one.
    ///
    /// # Errors
    ///
    /// If it is not of the type of responses.
    pub fn response(&self) -> Result<Option<R::Response>, Error> {
        match &self.answer {
            Some(databag) => fields(databag, &format!("{RESPONSE}{}", self.id)).map(Some),
            None => Ok(None),
        }
    }
}

/// The side that answers.
pub struct Responder<R> {
    endpoint: Endpoint,
    request: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Responder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Responder").field(&self.endpoint.name()).finish()
    }
}

impl<R: Request> Responder<R> {
    /// The flags that it sets and clears; for [`Interface::FLAGS`](crate::Interface::FLAGS).
    pub const FLAGS: &'static [&'static str] =
        &["endpoint.{endpoint_name}.has_requests", "endpoint.{endpoint_name}.new_requests"];

    /// The requests that arrive over an endpoint.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, request: PhantomData }
    }

    /// The endpoint.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Brings the flags up to date; for [`Interface::manage_flags`](crate::Interface::manage_flags).
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn manage_flags(&self) -> Result {
        if may_have_changed(&self.endpoint)? {
            set_flags(&self.endpoint, &self.all_requests()?)?;
        }
        Ok(())
    }

    /// The requests of all joined units, in the order of their ids.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn all_requests(&self) -> Result<Vec<Received<R>>, Error> {
        let mut requests = Vec::new();
        for unit in self.endpoint.all_joined_units()? {
            let received = unit.received()?;
            for id in ids(&received, REQUEST) {
                let (endpoint, unit, received) = (self.endpoint.clone(), unit.clone(), received.clone());
                requests.push(Received { id, endpoint, unit, received, request: PhantomData });
            }
        }
        requests.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(requests)
    }

    /// Those of them that this unit has not answered.
    ///
    /// # Errors
    ///
    /// If Juju refuses.
    pub fn new_requests(&self) -> Result<Vec<Received<R>>, Error> {
        let mut new = Vec::new();
        for request in self.all_requests()? {
            if !request.is_answered()? {
                new.push(request);
            }
        }
        Ok(new)
    }
}

fn set_flags<R: Request>(endpoint: &Endpoint, requests: &[Received<R>]) -> Result<(), Error> {
    let mut is_new = false;
    for request in requests {
        is_new |= !request.is_answered()?;
    }
    toggle(endpoint, "has_requests", !requests.is_empty());
    toggle(endpoint, "new_requests", is_new);
    Ok(())
}

/// A request of another unit.
pub struct Received<R> {
    id: String,
    endpoint: Endpoint,
    unit: RelatedUnit,
    received: Databag,
    request: PhantomData<fn() -> R>,
}

impl<R> fmt::Debug for Received<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("id", &self.id).field("unit", self.unit.name()).finish_non_exhaustive()
    }
}

impl<R: Request> Received<R> {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The unit that asks.
    #[must_use]
    pub fn unit(&self) -> &RelatedUnit {
        &self.unit
    }

    /// What is asked for.
    ///
    /// # Errors
    ///
    /// If it is not of this type; the message names relation, unit, key and value.
    pub fn fields(&self) -> Result<R, Error> {
        fields(&self.received, &format!("{REQUEST}{}", self.id))
    }

    /// The address under which the unit that asks can be reached.
    #[must_use]
    pub fn ingress_address(&self) -> Option<&str> {
        self.received.raw("ingress-address")
    }

    /// The subnets from which it comes, with commas between them.
    #[must_use]
    pub fn egress_subnets(&self) -> Option<&str> {
        self.received.raw("egress-subnets")
    }

    /// What this unit has answered, if it has.
    ///
    /// # Errors
    ///
    /// If it is not of the type of responses, as it may be after an upgrade.
    pub fn response(&self) -> Result<Option<R::Response>, Error> {
        if !self.is_answered()? {
            return Ok(None);
        }
        fields(&self.unit.relation().published()?, &self.key()).map(Some)
    }

    /// Answers, when the hook has succeeded; a second answer replaces the first.
    ///
    /// # Errors
    ///
    /// As for [`Relation::publish`].
    pub fn respond(&self, response: &R::Response) -> Result<(), Error> {
        self.unit.relation().publish(&self.key(), response)?;
        set_flags(&self.endpoint, &Responder::<R>::new(self.endpoint.clone()).all_requests()?)
    }

    fn is_answered(&self) -> Result<bool, Error> {
        Ok(self.unit.relation().published()?.raw(&self.key()).is_some())
    }

    fn key(&self) -> String {
        format!("{RESPONSE}{}", self.id)
    }
}
