//! `secret-add`, `secret-set`, `secret-get`, `secret-remove`, `secret-grant`, `secret-revoke`, `secret-ids` and
//! `secret-info-get` (contract 9.12).

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use super::super::base64;
use super::super::chance;
use super::super::clock;
use super::super::controller::Entries;
use super::super::controller::secrets::{Content, Grant, Owner, Rotation, Secret, Subject, Update, parse_uri};
use super::super::entries;
use super::super::options::{Format, Opt, quoted, switch, valued};
use super::super::run::secrets::Read;
use super::super::value::{Value, map, texts};
use super::{Answered, Call, FILE, Failure, RELATION, failed, go_error, usage};
use crate::juju::UnitName;
use crate::juju::names::is_application;

const LABEL: Opt = valued(&["label"]);
pub(super) const CHANGE: &[Opt] =
    &[FILE, LABEL, valued(&["description"]), valued(&["rotate"]), valued(&["expire"]), valued(&["owner"])];
pub(super) const GET: &[Opt] = &[LABEL, switch(&["peek"]), switch(&["refresh"])];
pub(super) const INFO: &[Opt] = &[LABEL];
pub(super) const REMOVE: &[Opt] = &[valued(&["revision"])];
pub(super) const GRANT: &[Opt] = &[RELATION, valued(&["unit"])];
pub(super) const REVOKE: &[Opt] = &[RELATION, valued(&["app", "application"]), valued(&["unit"])];

/// The most bytes that one value, and all together, may have in base64.
const MOST: usize = 1_000_000;
const NOT_LEADER: &str = "this unit is not the leader";

pub(super) fn add(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    if args.is_empty() && call.given("file").is_none() {
        return usage("missing secret value or filename");
    }
    let update = update(call, &args)?;
    if update.content.is_none() {
        return failed("empty secret value not valid");
    }
    let unit = call.run.unit.clone();
    let owner = if call.option("owner") == Some("unit") {
        Owner::Unit(unit)
    } else if call.run.is_leader(call.controller) {
        Owner::Application(unit.application().to_owned())
    } else {
        return failed(NOT_LEADER);
    };
    let now = call.controller.now;
    let id = call.controller.secrets.new_id(now);
    call.run.secrets.add(id.clone(), owner, update, now).map_err(Failure::Failed)?;
    Ok(format!("secret:{id}\n"))
}

pub(super) fn set(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some((uri, pairs)) = args.split_first() else { return usage("missing secret URI") };
    let id = id(uri)?;
    let update = update(call, pairs)?;
    must_be_leader(call, &id)?;
    if update != Update::default() {
        let now = call.controller.now;
        call.run.secrets.set(&id, update, now);
    }
    Ok(String::new())
}

pub(super) fn get(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let id = uri_or_label(call, args.first())?;
    let read = match (call.is_on("peek"), call.is_on("refresh")) {
        (true, true) => return usage("specify one of --peek or --refresh but not both"),
        (true, false) => Read::Peek,
        (false, true) => Read::Refresh,
        (false, false) => Read::Tracked,
    };
    call.args(2)?;
    let leader = call.controller.is_leader(&call.run.unit);
    let label = call.option("label").unwrap_or_default().to_owned();
    let (run, controller) = (&mut *call.run, &*call.controller);
    let content = run.secrets.read(controller, &run.unit, leader, id.as_deref(), &label, read);
    let content = content.map_err(Failure::Failed)?;
    match args.get(1).filter(|key| !key.is_empty()) {
        None => {
            let plain = content.iter().map(|(key, value)| Ok((key.clone(), decoded(value)?)));
            Ok(call.print(&Value::Map(plain.collect::<Result<_, Failure>>()?)))
        }
        Some(key) => {
            let (name, as_stored) = key.strip_suffix("#base64").map_or((key.as_str(), false), |name| (name, true));
            let Some(value) = content.get(name) else {
                return failed(format!("secret key value {} not found", quoted(name)));
            };
            Ok(call.print(&if as_stored { Value::from(value.as_str()) } else { decoded(value)? }))
        }
    }
}

pub(super) fn remove(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some(uri) = args.first() else { return usage("missing secret URI") };
    let id = id(uri)?;
    call.args(1)?;
    let revision = call.option("revision").map(|text| text.parse::<i64>().unwrap_or_default()).unwrap_or_default();
    must_be_leader(call, &id)?;
    call.run.secrets.remove(&id, u32::try_from(revision).ok().filter(|revision| *revision > 0));
    Ok(String::new())
}

pub(super) fn grant(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some(uri) = args.first() else { return usage("missing secret URI") };
    let id = id(uri)?;
    let relation = call.relation_number()?;
    let app = call.run.relations.get(&relation).map(|found| found.remote_app.clone()).unwrap_or_default();
    let unit = unit_option(call)?;
    if let Some(unit) = unit.as_ref().filter(|unit| unit.application() != app) {
        let (unit, app) = (quoted(unit.as_str()), quoted(&app));
        return usage(format!("cannot specify unit {unit} in relation to application {app}"));
    }
    call.args(1)?;
    let leader = call.controller.is_leader(&call.run.unit);
    // A unit that is not leader does not know its application's secrets (contract 9.12: the owner is the leader).
    let managed = call.run.secrets.managed(call.controller, &call.run.unit, leader);
    let Some(secret) = managed.get(&id) else { return failed(format!("secret {} not found", quoted(&id))) };
    let grant = Grant { relation, subject: unit.map_or(Subject::Application(app), Subject::Unit) };
    if is_granted(secret, &grant)? {
        return Ok(String::new());
    }
    call.run.secrets.grant(&id, grant);
    Ok(String::new())
}

/// Whether an earlier grant in the same relation says it already.
fn is_granted(secret: &Secret, grant: &Grant) -> Result<bool, Failure> {
    let mut earlier = secret.grants.iter().filter(|earlier| earlier.relation == grant.relation).peekable();
    if earlier.peek().is_none() {
        return Ok(false);
    }
    if earlier.any(|earlier| earlier == grant || matches!(earlier.subject, Subject::Application(_))) {
        return Ok(true);
    }
    match grant.subject {
        Subject::Unit(_) => Ok(false),
        Subject::Application(_) => {
            failed("any unit level grants need to be revoked before granting access to the corresponding application")
        }
    }
}

pub(super) fn revoke(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some(uri) = args.first() else { return usage("missing secret URI") };
    let id = id(uri)?;
    let app = call.given("app").map(str::to_owned);
    if let Some(app) = app.as_ref().filter(|app| !is_application(app)) {
        return usage(format!("application {} not valid", quoted(app)));
    }
    let unit = unit_option(call)?;
    if app.is_some() && unit.is_some() {
        return usage("specify only one of application or unit");
    }
    if app.is_some() && call.relation.is_some() {
        return usage("do not specify both relation and app");
    }
    let related =
        call.relation.and_then(|number| call.run.relations.get(&number)).map(|found| found.remote_app.clone());
    let subject = unit.map(Subject::Unit).or(app.or(related).map(Subject::Application));
    let Some(subject) = subject else { return usage("missing relation or application or unit") };
    call.args(1)?;
    must_be_leader(call, &id)?;
    call.run.secrets.revoke(&id, subject);
    Ok(String::new())
}

pub(super) fn ids(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let leader = call.controller.is_leader(&call.run.unit);
    let managed = call.run.secrets.managed(call.controller, &call.run.unit, leader);
    let mut ids: Vec<&String> = managed.keys().collect();
    // The order is chance (contract 9.12).
    ids.sort_by_key(|id| chance::place(&call.run.context_id, id));
    match (ids.is_empty(), call.format) {
        (true, Format::Json) => Ok(call.print(&Value::Null)),
        _ => Ok(call.print(&texts(ids))),
    }
}

pub(super) fn info_get(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let id = uri_or_label(call, args.first())?;
    let label = call.given("label").map(str::to_owned);
    if id.is_some() && label.is_some() {
        return usage("specify either a secret URI or label but not both");
    }
    call.args(1)?;
    let leader = call.controller.is_leader(&call.run.unit);
    let managed = call.run.secrets.managed(call.controller, &call.run.unit, leader);
    let wanted = id.clone().or(label.clone()).unwrap_or_default();
    let found = managed.iter().find(|(of, secret)| match &id {
        Some(id) => *of == id,
        None => secret.label == wanted,
    });
    let Some((id, secret)) = found else { return failed(format!("secret {} not found", quoted(&wanted))) };
    let shown = map([(id, info(call, secret))]);
    let text = call.print_fields(&shown, INFO_FIELDS);
    Ok(if call.format == Format::Yaml { without_quotes(&text, &["expiry", "rotates"]) } else { text })
}

const INFO_FIELDS: &[&str] = &[
    "revision",
    "label",
    "owner",
    "description",
    "rotation",
    "expiry",
    "rotates",
    "access",
    "target",
    "scope",
    "role",
];

fn info(call: &Call<'_>, secret: &Secret) -> Value {
    let owner = if matches!(secret.owner, Owner::Unit(_)) { "unit" } else { "application" };
    let mut shown = BTreeMap::from([
        ("revision".to_owned(), Value::from(f64::from(secret.latest))),
        ("label".to_owned(), Value::from(secret.label.as_str())),
        ("owner".to_owned(), Value::from(owner)),
    ]);
    let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    if !secret.description.is_empty() {
        set("description", Value::from(secret.description.as_str()));
    }
    if let Some(policy) = secret.rotation {
        set("rotation", Value::from(policy.name()));
    }
    if let Some(at) = secret.revisions.values().next_back().and_then(|revision| revision.expires) {
        set("expiry", Value::from(clock::rfc3339(at)));
    }
    if let Some(at) = secret.next_rotation {
        set("rotates", Value::from(clock::rfc3339(at)));
    }
    if !secret.grants.is_empty() {
        set("access", Value::List(secret.grants.iter().map(|grant| access(call, grant)).collect()));
    }
    Value::Map(shown)
}

/// Target and scope are Juju's tags: `application-kafka`, `relation-zk.client#kafka.zookeeper`.
fn access(call: &Call<'_>, grant: &Grant) -> Value {
    let key = call.controller.relations.get(&grant.relation).map(|relation| relation.key()).unwrap_or_default();
    let scope = format!("relation-{}", key.replace(':', ".").replace(' ', "#"));
    map([
        ("target", Value::from(grant.subject.to_string())),
        ("scope", Value::from(scope)),
        ("role", Value::from("view")),
    ])
}

/// YAML has times without quotes.
fn without_quotes(text: &str, keys: &[&str]) -> String {
    let is_time = |line: &str| line.trim_start().split_once(':').is_some_and(|(key, _)| keys.contains(&key));
    text.split_inclusive('\n').map(|line| if is_time(line) { line.replace('"', "") } else { line.to_owned() }).collect()
}

fn id(uri: &str) -> Result<String, Failure> {
    let wrong = || Failure::Usage(format!("secret URI {} not valid", quoted(uri)));
    parse_uri(uri).map(str::to_owned).ok_or_else(wrong)
}

fn uri_or_label(call: &Call<'_>, uri: Option<&String>) -> Result<Option<String>, Failure> {
    match uri {
        Some(uri) => id(uri).map(Some),
        None if call.given("label").is_some() => Ok(None),
        None => usage("require either a secret URI or label"),
    }
}

fn unit_option(call: &Call<'_>) -> Result<Option<UnitName>, Failure> {
    let Some(unit) = call.given("unit") else { return Ok(None) };
    unit.parse().map(Some).or_else(|_| usage(format!("unit {} not valid", quoted(unit))))
}

/// An application's secret is its leader's to change; whose else it is not, the commit refuses.
fn must_be_leader(call: &mut Call<'_>, id: &str) -> Result<(), Failure> {
    let own = Owner::Application(call.run.unit.application().to_owned());
    let of_app = call.controller.secrets.get(id).is_some_and(|secret| secret.owner == own);
    if of_app && !call.run.is_leader(call.controller) { failed(NOT_LEADER) } else { Ok(()) }
}

/// What the options and pairs say; no content if there are none.
fn update(call: &Call<'_>, pairs: &[String]) -> Result<Update, Failure> {
    let expires = call.given("expire").map(|text| expiry(text, call.controller.now)).transpose()?;
    let rotation = match call.given("rotate") {
        None => None,
        Some(text) => match Rotation::parse(text) {
            None => return usage(format!("rotate policy {} not valid", quoted(text))),
            policy => policy,
        },
    };
    if let Some(owner) = call.option("owner").filter(|owner| !matches!(*owner, "application" | "unit")) {
        return usage(format!("secret owner {} not valid", quoted(owner)));
    }
    let mut given = from_args(call, pairs)?;
    if let Some(file) = call.given("file") {
        let bytes = read(call, file).map_err(Failure::Usage)?;
        given.extend(encoded(&entries::from_yaml(&bytes).map_err(Failure::Usage)?)?);
    }
    Ok(Update {
        content: Some(given).filter(|content| !content.is_empty()),
        label: call.given("label").map(str::to_owned),
        description: call.given("description").map(str::to_owned),
        rotation,
        expires,
    })
}

/// A time, or a duration from now.
fn expiry(text: &str, now: Duration) -> Result<Duration, Failure> {
    if let Some(at) = clock::parse_time(text) {
        return Ok(at);
    }
    let Some(nanos) = clock::parse_duration(text) else {
        return usage(format!("expire time or duration {} not valid", quoted(text)));
    };
    match u64::try_from(nanos) {
        Ok(nanos) if nanos > 0 => Ok(now + Duration::from_nanos(nanos)),
        _ => usage(format!("negative expire duration {} not valid", quoted(text))),
    }
}

/// `key=value`, `key#base64=value` and `key#file=name`. Padding at the end is not taken for the `=` of the pair.
fn from_args(call: &Call<'_>, args: &[String]) -> Result<Content, Failure> {
    let mut plain = Entries::new();
    for arg in args {
        let at = arg.trim_end_matches('=').find('=').filter(|at| *at > 0);
        let Some((key, value)) = at.and_then(|at| arg.split_at_checked(at)) else {
            return usage(format!("key value {} not valid", quoted(arg)));
        };
        let value = value.get(1..).unwrap_or_default();
        match key.strip_suffix("#file") {
            None => plain.insert(key.to_owned(), value.to_owned()),
            Some(key) => {
                let bytes = read(call, value)
                    .map_err(|why| Failure::Usage(format!("reading content for secret key {}: {why}", quoted(key))))?;
                plain.insert(format!("{key}#base64"), base64::encode(&bytes))
            }
        };
    }
    encoded(&plain)
}

/// Checks names and sizes, and puts into base64 what is not yet.
fn encoded(plain: &Entries) -> Result<Content, Failure> {
    let mut content = Content::new();
    let mut size = 0;
    for (key, value) in plain {
        let (key, value) = match key.strip_suffix("#base64") {
            Some(key) => (key, value.clone()),
            None => (key.as_str(), base64::encode(value.as_bytes())),
        };
        if !is_key(key) {
            return usage(format!("key {} not valid", quoted(key)));
        }
        if value.len() > MOST {
            return usage(format!("secret content for key {} too large: {} bytes", quoted(key), value.len()));
        }
        size += value.len();
        content.insert(key.to_owned(), value);
    }
    if size > MOST { usage(format!("secret content too large: {size} bytes")) } else { Ok(content) }
}

/// At least three lower-case letters and digits, a letter first; single hyphens between them.
fn is_key(key: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    key.starts_with(|c: char| c.is_ascii_lowercase())
        && key.chars().filter(|c| plain(*c)).count() >= 3
        && key.split('-').all(|part| !part.is_empty() && part.chars().all(plain))
}

fn read(call: &Call<'_>, file: &str) -> Result<Vec<u8>, String> {
    let path = call.directory.join(file);
    fs::read(&path).map_err(|error| format!("open {}: {}", path.display(), go_error(&error)))
}

fn decoded(value: &str) -> Result<Value, Failure> {
    match base64::decode(value) {
        Ok(bytes) => Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned())),
        Err(at) => failed(format!("illegal base64 data at input byte {at}")),
    }
}
