//! The steps of a story: one table of all there are, and what each takes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::super::hook::{HookFamily, RelationKind};
use super::super::yaml::{Entry, Kind, Node, shown};
use super::deploy;
use super::expect;
use super::reader::{Field, Fields, Reader, listed};
use super::words::{self, nearest};
use super::{Remote, Step, StepKind};
use crate::juju::UnitName;
use crate::juju::names::{is_action, is_storage, is_storage_id};

/// One kind of step.
struct Form {
    name: &'static str,
    /// The key that `name: value` is short for.
    short: Option<&'static str>,
    keys: &'static [&'static str],
    example: &'static str,
    read: fn(&mut Reader<'_>, &Fields<'_>) -> Option<StepKind>,
}

const fn form(
    name: &'static str,
    short: Option<&'static str>,
    keys: &'static [&'static str],
    example: &'static str,
    read: fn(&mut Reader<'_>, &Fields<'_>) -> Option<StepKind>,
) -> Form {
    Form { name, short, keys, example, read }
}

const UNIT: Option<&str> = Some("unit");
const APPLICATION: Option<&str> = Some("application");

/// All steps, in the order in which messages list them.
const FORMS: [Form; 27] = [
    form("settle", None, &[], "settle", |_, _| Some(StepKind::Settle)),
    form("deploy", None, &deploy::DEPLOY, "deploy: {application: zk, charm: ./charm, units: 3}", |reader, fields| {
        deploy::deploy(reader, fields).map(StepKind::Deploy)
    }),
    form("add-units", APPLICATION, &["application", "count"], "add-units: {application: zk, count: 2}", add_units),
    form("remove-unit", UNIT, &["unit", "force"], "remove-unit: zk/1", remove_unit),
    form("remove-application", APPLICATION, &["application", "force"], "remove-application: zk", remove_application),
    form("relate", Some("relate"), &[], "relate: [zk:client, client:zookeeper]", |reader, fields| {
        Some(StepKind::Relate { sides: reader.need(fields, "relate", Reader::sides)? })
    }),
    form(
        "remove-relation",
        Some("remove-relation"),
        &[],
        "remove-relation: [zk:client, client:zookeeper]",
        |reader, fields| {
            Some(StepKind::RemoveRelation { sides: reader.need(fields, "remove-relation", Reader::sides)? })
        },
    ),
    form("config", None, &["application", "set", "reset"], "config: {application: zk, set: {port: 2182}}", config),
    form("trust", APPLICATION, &["application", "trust"], "trust: {application: zk, trust: true}", trust),
    form("leader", UNIT, &["application", "unit"], "leader: {application: zk, unit: zk/1}", leader),
    form("action", None, &["unit", "name", "params"], "action: {unit: zk/0, name: backup, params: {level: 3}}", action),
    form("kill", UNIT, &["unit", "hook", "at"], "kill: {unit: zk/0, hook: start, at: command 2}", kill),
    form("refuse-commit", UNIT, &["unit", "reason"], "refuse-commit: {unit: zk/0, reason: lost}", refuse_commit),
    form(
        "refresh",
        APPLICATION,
        &["application", "charm", "force"],
        "refresh: {application: zk, charm: ../v2}",
        refresh,
    ),
    form("resolve", UNIT, &["unit", "retry"], "resolve: {unit: zk/0, retry: false}", resolve),
    form("reboot", UNIT, &["unit"], "reboot: zk/0", |reader, fields| {
        Some(StepKind::Reboot { unit: unit(reader, fields)? })
    }),
    form("restart-agent", UNIT, &["unit"], "restart-agent: zk/0", |reader, fields| {
        Some(StepKind::RestartAgent { unit: unit(reader, fields)? })
    }),
    form("address", None, &["unit", "to"], "address: {unit: zk/0, to: 10.0.0.99}", address),
    form("pass", Some("time"), &["time"], "pass: 10m", |reader, fields| {
        Some(StepKind::Pass { time: reader.need(fields, "time", Reader::time)? })
    }),
    form("update-status", UNIT, &["unit"], "update-status: zk/0", |reader, fields| {
        Some(StepKind::UpdateStatus { unit: unit(reader, fields)? })
    }),
    form("run", UNIT, &["unit", "hook", "remote"], "run: {unit: zk/0, hook: config-changed}", run),
    form("add-storage", None, &["unit", "name", "count"], "add-storage: {unit: zk/0, name: data}", add_storage),
    form("attach-storage", None, &["unit", "storage"], "attach-storage: {unit: zk/0, storage: data/0}", attach_storage),
    form("detach-storage", Some("storage"), &["storage"], "detach-storage: data/0", |reader, fields| {
        Some(StepKind::DetachStorage { storage: reader.need(fields, "storage", storage)? })
    }),
    form("hold", UNIT, &["unit"], "hold: zk/2", |reader, fields| Some(StepKind::Hold { unit: unit(reader, fields)? })),
    form("release", UNIT, &["unit"], "release: zk/2", |reader, fields| {
        Some(StepKind::Release { unit: unit(reader, fields)? })
    }),
    form("expect", None, &expect::KEYS, expect::EXAMPLE, |reader, fields| {
        expect::read(reader, fields).map(StepKind::Expect)
    }),
];

/// The name by which a file has this step.
pub(super) fn name(kind: &StepKind) -> &'static str {
    match kind {
        StepKind::Settle => "settle",
        StepKind::Deploy(_) => "deploy",
        StepKind::AddUnits { .. } => "add-units",
        StepKind::RemoveUnit { .. } => "remove-unit",
        StepKind::RemoveApplication { .. } => "remove-application",
        StepKind::Relate { .. } => "relate",
        StepKind::RemoveRelation { .. } => "remove-relation",
        StepKind::Config { .. } => "config",
        StepKind::Trust { .. } => "trust",
        StepKind::Leader { .. } => "leader",
        StepKind::Action { .. } => "action",
        StepKind::Kill { .. } => "kill",
        StepKind::RefuseCommit { .. } => "refuse-commit",
        StepKind::Refresh { .. } => "refresh",
        StepKind::Resolve { .. } => "resolve",
        StepKind::Reboot { .. } => "reboot",
        StepKind::RestartAgent { .. } => "restart-agent",
        StepKind::Address { .. } => "address",
        StepKind::Pass { .. } => "pass",
        StepKind::UpdateStatus { .. } => "update-status",
        StepKind::Run { .. } => "run",
        StepKind::AddStorage { .. } => "add-storage",
        StepKind::AttachStorage { .. } => "attach-storage",
        StepKind::DetachStorage { .. } => "detach-storage",
        StepKind::Hold { .. } => "hold",
        StepKind::Release { .. } => "release",
        StepKind::Expect(_) => "expect",
    }
}

/// Every step with its example.
#[cfg(test)]
pub(super) fn examples() -> impl Iterator<Item = (&'static str, &'static str)> {
    FORMS.iter().map(|form| (form.name, form.example))
}

/// Reads the list of steps.
pub(super) fn read(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Vec<Step>> {
    let Kind::List(items) = &field.node.kind else {
        return reader.wrong(field, "a list, each step with a `-` before it");
    };
    if items.is_empty() {
        return reader.problem(field.node.line, "`steps` is empty; the shortest is `[settle]`");
    }
    let steps: Vec<_> = items.iter().map(|item| step(reader, item)).collect();
    steps.into_iter().collect()
}

fn step(reader: &mut Reader<'_>, node: &Node) -> Option<Step> {
    let kind = match &node.kind {
        Kind::Scalar(text, _) => word(reader, node.line, text),
        Kind::Map(entries) => match entries.as_slice() {
            [entry] => named(reader, entry),
            entries => several(reader, node.line, entries),
        },
        _ => reader.problem(node.line, format!("a step is a name, or a name with what it takes, not {node}")),
    };
    Some(Step { line: node.line, kind: kind? })
}

/// A step that takes nothing, or one whose colon is not there.
fn word(reader: &mut Reader<'_>, line: u64, text: &str) -> Option<StepKind> {
    if let Some(form) = FORMS.iter().find(|form| form.name == text) {
        return (form.read)(reader, &Fields::none(what(form), form.example, line));
    }
    let first = text.split([' ', ':', '=']).next().unwrap_or_default();
    match FORMS.iter().find(|form| form.name == first) {
        Some(form) => {
            let text = format!("`{}` lacks `: ` after the step's name, as in `{}`", shown(text), form.example);
            reader.problem(line, text)
        }
        None => unknown(reader, line, text),
    }
}

fn named(reader: &mut Reader<'_>, entry: &Entry) -> Option<StepKind> {
    let Some(form) = FORMS.iter().find(|form| form.name == entry.key) else {
        return unknown(reader, entry.line, &entry.key);
    };
    let (node, what) = (&entry.value, what(form));
    let fields = match (&node.kind, form.short) {
        (Kind::Nothing, _) => Fields::none(what, form.example, entry.line),
        (Kind::Scalar(..), Some(short)) => Fields::of_one(what, form.example, short, node),
        (_, Some(short)) if form.keys.is_empty() => Fields::of_one(what, form.example, short, node),
        (_, None) if form.keys.is_empty() => {
            return reader.problem(node.line, format!("{what} takes nothing, not {node}"));
        }
        _ => reader.fields(node, what, form.keys, form.example)?,
    };
    (form.read)(reader, &fields)
}

/// A map with several keys is mostly a wrong indentation.
fn several(reader: &mut Reader<'_>, line: u64, entries: &[Entry]) -> Option<StepKind> {
    let form = entries.first().and_then(|entry| FORMS.iter().find(|form| form.name == entry.key));
    let second = entries.get(1).map(|entry| (entry.line, shown(&entry.key)));
    match (form, second) {
        (Some(form), Some((line, second))) => {
            let text = format!(
                "`{second}` stands beside step `{}`; indent it more than the step's name, or write a `-` before it if \
                 it is a step of its own",
                form.name
            );
            reader.problem(line, text)
        }
        (None, Some(_)) => unknown(reader, line, &entries[0].key),
        _ => reader.problem(line, "a step needs a name, such as `settle`"),
    }
}

fn unknown(reader: &mut Reader<'_>, line: u64, name: &str) -> Option<StepKind> {
    let names = FORMS.iter().map(|form| form.name);
    let hint = match meant(name).or_else(|| nearest(name, names.clone())) {
        Some(name) => format!("is it `{name}`?"),
        None => format!("there are {}", listed(names)),
    };
    reader.problem(line, format!("there is no step `{}`; {hint}", shown(name)))
}

/// The step for what Juju's own commands are called.
fn meant(name: &str) -> Option<&'static str> {
    Some(match name {
        "add-unit" | "scale" | "scale-application" => "add-units",
        "integrate" | "add-relation" => "relate",
        "resolved" => "resolve",
        "run-action" => "action",
        "set" | "reset" => "config",
        "upgrade" | "upgrade-charm" => "refresh",
        "sleep" | "wait" => "pass",
        "assert" | "check" => "expect",
        "remove-units" => "remove-unit",
        _ => return None,
    })
}

fn what(form: &Form) -> String {
    format!("step `{}`", form.name)
}

fn unit(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<UnitName> {
    reader.need(fields, "unit", Reader::unit)
}

fn application(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<String> {
    reader.need(fields, "application", Reader::application)
}

fn add_units(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let application = application(reader, fields);
    let count = reader.may(fields, "count", |reader, field| reader.count(field, 1));
    Some(StepKind::AddUnits { application: application?, count: count?.unwrap_or(1) })
}

fn remove_unit(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let force = reader.or_default(fields, "force", Reader::truth);
    Some(StepKind::RemoveUnit { unit: unit?, force: force? })
}

fn remove_application(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let application = application(reader, fields);
    let force = reader.or_default(fields, "force", Reader::truth);
    let application = application?;
    reader.removes(&application);
    Some(StepKind::RemoveApplication { application, force: force? })
}

fn config(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let application = application(reader, fields);
    let set = reader.or_default(fields, "set", deploy::config);
    let reset = reader.or_default(fields, "reset", |reader, field| reader.set(field, Reader::text));
    let (application, set, reset) = (application?, set?, reset?);
    if set.is_empty() && reset.is_empty() {
        return reader.problem(fields.line(), "step `config` needs `set`, `reset`, or both, with at least one option");
    }
    if let Some(both) = reset.iter().find(|option| set.contains_key(*option)) {
        return reader.problem(fields.line(), format!("option `{both}` is both set and reset"));
    }
    Some(StepKind::Config { application, set, reset })
}

fn trust(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let application = application(reader, fields);
    let trust = reader.may(fields, "trust", Reader::truth);
    Some(StepKind::Trust { application: application?, trust: trust?.unwrap_or(true) })
}

fn leader(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let application = reader.may(fields, "application", Reader::application);
    let unit = reader.need(fields, "unit", Reader::unit_or_none);
    match (application?, unit?) {
        (Some(application), Some(unit)) if unit.application() != application => {
            reader.problem(fields.line(), format!("unit `{unit}` cannot lead application `{application}`"))
        }
        (None, None) => {
            let text = "step `leader` needs `application`, as in `leader: {application: zk, unit: none}`";
            reader.problem(fields.line(), text)
        }
        (application, unit) => {
            let of_unit = unit.as_ref().map(|unit| unit.application().to_owned());
            Some(StepKind::Leader { application: application.or(of_unit)?, unit })
        }
    }
}

/// The name of an action.
pub(super) fn action_name(reader: &mut Reader<'_>, field: Field<'_>) -> Option<String> {
    reader.checked(field, is_action, "the name of an action such as `backup`")
}

fn action(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let name = reader.need(fields, "name", action_name);
    let params: Option<BTreeMap<_, _>> =
        reader.or_default(fields, "params", |reader, field| reader.map(field, |_, field| Some(field.node.value())));
    Some(StepKind::Action { unit: unit?, name: name?, params: params? })
}

fn kill(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let hook = reader.may(fields, "hook", hook);
    let at = reader.may(fields, "at", |reader, field| match field.node.literal().and_then(words::kill_point) {
        Some(at) => Some(at),
        None => reader.wrong(field, words::KILL),
    });
    let hook = hook?.map(|(name, _)| name);
    Some(StepKind::Kill { unit: unit?, hook, at: at?.unwrap_or(super::KillPoint::Start) })
}

/// The name of a hook, and what it is about.
fn hook(reader: &mut Reader<'_>, field: Field<'_>) -> Option<(String, HookFamily)> {
    let name = reader.text(field)?;
    match words::hook(&name) {
        Ok(family) => Some((name, family)),
        Err(why) => reader.problem(field.node.line, why),
    }
}

fn refuse_commit(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let reason = reader.may(fields, "reason", Reader::text);
    Some(StepKind::RefuseCommit { unit: unit?, reason: reason? })
}

fn refresh(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let application = application(reader, fields);
    let charm = reader.may(fields, "charm", Reader::path);
    let force = reader.or_default(fields, "force", Reader::truth);
    Some(StepKind::Refresh { application: application?, charm: charm?, force: force? })
}

fn resolve(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let retry = reader.may(fields, "retry", Reader::truth);
    Some(StepKind::Resolve { unit: unit?, retry: retry?.unwrap_or(true) })
}

fn address(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let to = reader.need(fields, "to", |reader, field| match field.node.literal() {
        Some("none") => Some(None),
        text => match text.and_then(|text| text.parse::<IpAddr>().ok()) {
            Some(address) => Some(Some(address)),
            None => reader.wrong(field, "an address such as `10.0.0.99`, or `none`"),
        },
    });
    Some(StepKind::Address { unit: unit?, to: to? })
}

fn run(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let hook = reader.may(fields, "hook", hook);
    let remote = reader.may(fields, "remote", remote);
    let (hook, remote) = (hook?, remote?);
    match (fields.get("remote"), &remote, &hook) {
        (Some(field), Some(remote), Some((name, family))) => fits(reader, field, name, *family, remote)?,
        (Some(field), Some(_), None) => reader.problem(field.node.line, "`remote` needs a `hook` of a relation")?,
        _ => {}
    }
    Some(StepKind::Run { unit: unit?, hook: hook.map(|(name, _)| name), remote })
}

fn remote(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Remote> {
    if field.node.literal().is_some_and(|text| text.contains('/')) {
        reader.unit(field).map(Remote::Unit)
    } else {
        reader.application(field).map(Remote::Application)
    }
}

/// Which hooks are about a unit, and which about an application (contract 6.2).
fn fits(reader: &mut Reader<'_>, field: Field<'_>, hook: &str, family: HookFamily, remote: &Remote) -> Option<()> {
    use RelationKind::{Broken, Created, Departed, Joined};
    let wanted = match (family, remote) {
        (HookFamily::Relation(Joined | Departed), Remote::Application(_)) => "a unit such as `zk/1`",
        (HookFamily::Relation(Created | Broken), Remote::Unit(_)) => "an application",
        (HookFamily::Relation(_), _) => return Some(()),
        _ => return reader.problem(field.node.line, format!("hook `{hook}` has no remote unit or application")),
    };
    reader.wrong(field, format!("{wanted} for hook `{hook}`"))
}

fn storage(reader: &mut Reader<'_>, field: Field<'_>) -> Option<String> {
    reader.checked(field, is_storage_id, "a storage instance such as `data/0`")
}

fn add_storage(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let wanted = "the name of a storage such as `data`";
    let name = reader.need(fields, "name", |reader, field| reader.checked(field, is_storage, wanted));
    let count = reader.may(fields, "count", |reader, field| reader.count(field, 1));
    Some(StepKind::AddStorage { unit: unit?, name: name?, count: count?.unwrap_or(1) })
}

fn attach_storage(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<StepKind> {
    let unit = unit(reader, fields);
    let storage = reader.need(fields, "storage", storage);
    Some(StepKind::AttachStorage { unit: unit?, storage: storage? })
}
