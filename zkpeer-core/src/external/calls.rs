//! `relation_call`: the methods of an interface, by name, for handlers in other languages.

use super::arguments::Line;
use super::session::Refusal;
use crate::context::{Context, Param};
use crate::error::describe;
use crate::registry::Registry;
use crate::relation::{Conversation, Endpoint};
use crate::store::Json;

/// The methods that every interface of charms.reactive has, by their names there and how many arguments they take.
const OF_CONVERSATIONS: [(&str, usize, usize); 13] = [
    ("conversations", 0, 0),
    ("set_flag", 1, 2),
    ("set_state", 1, 2),
    ("remove_flag", 1, 2),
    ("remove_state", 1, 2),
    ("is_flag_set", 1, 2),
    ("is_state", 1, 2),
    ("toggle_flag", 1, 3),
    ("toggle_state", 1, 3),
    ("get_remote", 1, 3),
    ("set_remote", 2, 2),
    ("get_local", 1, 3),
    ("set_local", 2, 2),
];

/// Calls a method on the interface behind a flag or an endpoint, and gives what it returns.
pub(super) fn relation_call(
    context: &Context,
    registry: &Registry,
    line: &Line,
    is_test: bool,
) -> Result<Json, Refusal> {
    let named = line.option("relation_name");
    let flag = line.option("flag").or_else(|| line.option("state")).filter(|_| named.is_none());
    let endpoint = match (named, flag) {
        (Some(name), _) => name.to_owned(),
        (None, Some(flag)) => endpoint_of(context, flag).ok_or_else(|| format!("no relation has the flag `{flag}`"))?,
        (None, None) => return Err("it takes --relation_name or --flag".into()),
    };
    if !context.outside().metadata.endpoints.contains_key(&endpoint) {
        return Err(format!("metadata.yaml has no endpoint `{endpoint}`").into());
    }
    let method = line.argument(0);
    let arguments = line.arguments.get(1..).unwrap_or_default();
    let param = Param::of(&endpoint);
    if let Some(call) = registry.method_caller(&context.outside().metadata, &endpoint) {
        let before = context.sum();
        let given = call(context, &param, method, arguments).map_err(|error| describe(&*error))?;
        if is_test && context.sum() != before {
            return Err(Refusal::broken(format!("a test changes nothing, and `{method}` of `{endpoint}` does")));
        }
        if let Some(value) = given {
            return Ok(Json::from_serialize(&value).map_err(|error| error.to_string())?);
        }
    }
    let Some((_, least, most)) = OF_CONVERSATIONS.iter().find(|(known, ..)| *known == method) else {
        return Err(format!(
            "nothing answers to `{method}` on `{endpoint}`; the interface offers methods by name with `Interface::call`"
        )
        .into());
    };
    if !(*least..=*most).contains(&arguments.len()) {
        return Err(format!("`{method}` takes {least} to {most} arguments, not {}", arguments.len()).into());
    }
    let changes = ["set_", "remove_", "toggle_"].iter().any(|begin| method.starts_with(begin));
    if is_test && changes {
        return Err(Refusal::broken(format!("a test changes nothing, and this one wants to {method}")));
    }
    let endpoint = Endpoint::new(context, &endpoint);
    let conversations = Conversations::of(&endpoint, flag);
    of_conversations(&conversations, method, arguments)
}

/// The endpoint that a flag belongs to: the one that its conversations are on, else the one that it is named after.
fn endpoint_of(context: &Context, flag: &str) -> Option<String> {
    if !context.is_set(flag) {
        return None;
    }
    #[derive(serde::Deserialize)]
    struct OfRelation {
        relation: String,
    }
    if let Ok(Some(value)) = context.flag_value::<OfRelation>(flag) {
        return Some(value.relation);
    }
    let name = flag.strip_prefix("endpoint.").unwrap_or(flag).split('.').next()?;
    context.outside().metadata.endpoints.contains_key(name).then(|| name.to_owned())
}

/// The conversations that a call is about.
struct Conversations<'c> {
    endpoint: &'c Endpoint,
    all: Vec<Conversation>,
}

impl<'c> Conversations<'c> {
    /// Those that have the flag; without a flag those with whom the hook is about; otherwise all on the endpoint.
    fn of(endpoint: &'c Endpoint, flag: Option<&str>) -> Self {
        let event = endpoint.context().event().relation().filter(|event| event.id.endpoint == endpoint.name());
        let unit = event.and_then(|event| event.remote_unit.as_ref());
        let of_hook = |one: &Conversation| unit.is_some_and(|unit| one.units().any(|other| other == unit.as_str()));
        let all = endpoint.conversations();
        let wanted: Vec<Conversation> = match flag {
            Some(flag) => endpoint.conversations_in(flag).unwrap_or_default(),
            None => all.iter().filter(|one| of_hook(one)).cloned().collect(),
        };
        Self { endpoint, all: if wanted.is_empty() { all } else { wanted } }
    }

    /// The one of this scope; without a scope the one with whom the hook is about, or the only one.
    fn one(&self, scope: Option<&String>) -> Result<&Conversation, Refusal> {
        let find = |scope: &str| self.all.iter().find(|conversation| conversation.scope() == scope);
        if let Some(scope) = scope.filter(|scope| !scope.is_empty()) {
            return find(scope).ok_or_else(|| format!("there is no conversation of the scope `{scope}`").into());
        }
        let event = self.endpoint.context().event().relation();
        let event = event.filter(|event| event.id.endpoint == self.endpoint.name());
        let unit = event.and_then(|event| event.remote_unit.as_ref()).map(ToString::to_string);
        let application = event.and_then(|event| event.remote_application.clone());
        let of_hook = unit.iter().chain(&application).find_map(|scope| find(scope));
        match (of_hook, self.all.as_slice()) {
            (Some(of_hook), _) => Ok(of_hook),
            (None, [only]) => Ok(only),
            (None, []) => Err("there is no conversation".into()),
            (None, several) => {
                let scopes: Vec<&str> = several.iter().map(Conversation::scope).collect();
                Err(format!("several conversations could be meant; name a scope, one of {}", scopes.join(", ")).into())
            }
        }
    }
}

/// What each interface of charms.reactive can do with its conversations.
fn of_conversations(on: &Conversations<'_>, method: &str, arguments: &[String]) -> Result<Json, Refusal> {
    let first = arguments.first().map_or("", String::as_str);
    let second = arguments.get(1);
    let said = |error: crate::Error| describe(&error);
    match method {
        "conversations" => {
            return Ok(Json::Array(on.all.iter().map(|one| Json::String(one.scope().into())).collect()));
        }
        "set_flag" | "set_state" => on.one(second)?.set_flag(first),
        "remove_flag" | "remove_state" => on.one(second)?.clear_flag(first),
        "is_flag_set" | "is_state" => return Ok(Json::Bool(on.one(second)?.is_flag_set(first))),
        "toggle_flag" | "toggle_state" => {
            let one = on.one(arguments.get(2))?;
            one.toggle_flag(first, second.map_or_else(|| !one.is_flag_set(first), |set| !set.is_empty()));
        }
        "get_remote" => {
            let value = on.one(arguments.get(2))?.get_remote(first).map_err(said)?;
            return Ok(value.as_ref().or(second).map_or(Json::Null, |value| Json::String(value.as_str().into())));
        }
        "set_remote" => on.one(None)?.set_remote(first, second.map_or("", String::as_str)).map_err(said)?,
        "get_local" => {
            let value: Option<serde_json::Value> = on.one(arguments.get(2))?.get_local(first).map_err(said)?;
            let value = value.or_else(|| second.map(|default| default.as_str().into())).unwrap_or_default();
            return Ok(Json::from_serialize(&value).map_err(|error| error.to_string())?);
        }
        _ => on.one(None)?.set_local(first, second.map_or("", String::as_str)).map_err(said)?,
    }
    Ok(Json::Null)
}
