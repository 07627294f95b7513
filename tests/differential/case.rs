//! A charm and its story as data: what both interpreters are given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The unit that runs everything, and its application.
pub(crate) const APPLICATION: &str = "app";

/// A charm and what happens to one unit of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) endpoints: Vec<Endpoint>,
    #[serde(default)]
    pub(crate) handlers: Vec<Handler>,
    /// The charm's own triggers, registered in each hook.
    #[serde(default)]
    pub(crate) triggers: Vec<Trigger>,
    /// What is done before the first handler of each hook, and after the last one.
    #[serde(default)]
    pub(crate) at_start: Vec<Step>,
    #[serde(default)]
    pub(crate) at_exit: Vec<Step>,
    pub(crate) story: Vec<Event>,
}

/// An endpoint of its metadata. The interface says how it is spoken: in conversations of a scope, or as `modern`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub(crate) name: String,
    pub(crate) role: Role,
    pub(crate) interface: String,
    /// What a modern interface registers at the beginning of each hook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) triggers: Vec<Trigger>,
    /// What it does with flags at the beginning of each hook.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) manage: Vec<Step>,
}

/// The interface of endpoints that are spoken without conversations.
pub(crate) const MODERN: &str = "modern";

/// The side that the charm has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    Provides,
    Requires,
    Peers,
}

/// A handler: when it runs, and what it does then.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Handler {
    /// It belongs to the modern interface in this role: there is one instance for each such endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) of: Option<Role>,
    pub(crate) conditions: Vec<Condition>,
    /// What it does in its first run, in its second, and so on; the last goes for all that come after.
    pub(crate) runs: Vec<Vec<Step>>,
}

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Condition {
    All(Vec<String>),
    Any(Vec<String>),
    None(Vec<String>),
    NotAll(Vec<String>),
    Hook(Vec<String>),
    Action(Vec<String>),
    File(Vec<String>),
    Once,
    CollectMetrics,
    MeterStatusChanged,
}

impl Condition {
    /// Whether the handler is not one of the phase `other`.
    pub(crate) fn is_of_hook(&self) -> bool {
        matches!(self, Self::Hook(_) | Self::Action(_) | Self::CollectMetrics | Self::MeterStatusChanged)
    }

    /// The names in it, if there are any.
    pub(crate) fn names(&mut self) -> Option<&mut Vec<String>> {
        match self {
            Self::All(names)
            | Self::Any(names)
            | Self::None(names)
            | Self::NotAll(names)
            | Self::Hook(names)
            | Self::Action(names)
            | Self::File(names) => Some(names),
            Self::Once | Self::CollectMetrics | Self::MeterStatusChanged => None,
        }
    }
}

/// One thing that a handler does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Set(String),
    Clear(String),
    Toggle(String, bool),
    /// The second flag is set if the first is, otherwise cleared.
    Copy(String, String),
    Trigger(Trigger),
    Write(String, String),
    Remove(String),
    KvSet(String, Value),
    KvUnset(String),
    /// Counts from 0 to 2 and again from 0.
    KvAdd(String),
    /// What is under the first key goes under the second.
    KvCopy(String, String),
    /// A leader setting, at once.
    Setting(String, String),
    /// The flag is set if there is such a leader setting.
    ReadSetting(String, String),
    /// The flag is set if the unit leads.
    Leads(String),
    /// The flag is set if the option has a value.
    Config(String, String),
    /// Calls a function that needs the flags.
    Unless(Vec<String>),
    /// The flag is set if the data differs from what was noted under the name, and is noted.
    Data(String, Value, String),
    /// The same, and nothing is noted.
    IsData(String, Value, String),
    /// The flag is set if one of the files differs from what was noted, and is noted.
    AnyFile(Vec<String>, String),
    /// The flag is set if the name was marked.
    Invoked(String, String),
    Invoke(String),
    /// The flag is set if the hook matches one of the patterns.
    AnyHook(Vec<String>, String),
    /// Stores those of the flags that are not set.
    Unset(Vec<String>),
    /// Steps that are taken when the hook has succeeded.
    AtExit(Vec<Step>),
    /// With each of the conversations that the handler is about.
    Talk(Talk),
    /// With the endpoint of this name; `self` is that of the instance.
    Bond(String, Bond),
    /// Ends the hook, successfully.
    End,
    Fail,
}

/// One thing that is done with a conversation. Flags are named without the endpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Talk {
    Set(String),
    Clear(String),
    Toggle(String, bool),
    /// A flag of the charm is set if the conversation has the flag.
    Copy(String, String),
    Publish(String, String),
    /// What the other side has published is stored.
    Read(String),
    Keep(String, Value),
    /// What was kept is stored.
    Kept(String),
}

/// One thing that is done with a modern endpoint. What is looked at is stored under the endpoint's name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bond {
    /// The flag is set if somebody is joined.
    IsJoined(String),
    Joined,
    Departed,
    ClearDeparted,
    Applications,
    Received(String),
    ReceivedRaw(String),
    ReceivedApp(String),
    /// Of all units as one.
    Merged(String),
    Publish(String, Value),
    PublishRaw(String, String),
    Unpublish(String),
    PublishApp(String, Value),
    PublishAppRaw(String, String),
}

/// What a flag's change sets off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) on: String,
    pub(crate) edge: Edge,
    pub(crate) set: Option<String>,
    pub(crate) clear: Option<String>,
    /// Steps that change flags.
    pub(crate) call: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Edge {
    Set,
    Cleared,
}

/// What happens: a hook, or something that a later hook sees. A databag that is given is the whole of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Hook(String),
    Action(String),
    Created(String),
    Joined(String, String, Bag),
    Changed(String, String, Bag),
    /// A unit has published, and the hook that tells of it has not run yet.
    Published(String, String, Bag),
    /// The application at the other side has published.
    ChangedApp(String, Bag),
    Departed(String, String),
    Broken(String),
    /// The unit itself leaves: from now on there are departures only.
    Leaves,
    /// The unit leads from now on, or no longer.
    Leads(bool),
    Config(String, String),
    /// The leader has set it; an empty value removes it.
    Setting(String, String),
    /// Somebody else has written the file, or removed it.
    File(String, Option<String>),
}

pub(crate) type Bag = BTreeMap<String, String>;

impl Case {
    pub(crate) fn endpoint(&self, relation: &str) -> Option<&Endpoint> {
        let name = relation.split(':').next()?;
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }
}

impl Event {
    /// The databag in it.
    pub(crate) fn bag(&mut self) -> Option<&mut Bag> {
        match self {
            Self::Joined(_, _, bag)
            | Self::Changed(_, _, bag)
            | Self::Published(_, _, bag)
            | Self::ChangedApp(_, bag) => Some(bag),
            _ => None,
        }
    }
}

impl Handler {
    /// The role of the interface whose endpoints it has instances for, if its flags name them.
    pub(crate) fn instances_of(&self) -> Option<Role> {
        let names = self.conditions.iter().flat_map(|condition| match condition {
            Condition::All(names) | Condition::Any(names) | Condition::None(names) | Condition::NotAll(names) => {
                names.as_slice()
            }
            _ => &[],
        });
        self.of.filter(|_| names.into_iter().any(|name| name.contains("{endpoint_name}")))
    }
}

impl Role {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Provides => "provides",
            Self::Requires => "requires",
            Self::Peers => "peers",
        }
    }
}
