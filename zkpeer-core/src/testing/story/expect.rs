//! What a story expects of a unit, an application, a relation or an action.

use super::super::yaml::{Kind, Scalar};
use super::reader::{Field, Fields, Reader, listed};
use super::steps;
use super::{EndpointName, Expectation, ExpectedLeader, Remote, Units};

/// The keys of all kinds together.
pub(super) const KEYS: [&str; 13] = [
    "unit",
    "application",
    "relation",
    "action",
    "status",
    "message",
    "flags",
    "not-flags",
    "leader",
    "units",
    "data",
    "members",
    "results",
];

pub(super) const EXAMPLE: &str = "expect: {unit: zk/0, status: active}";

/// The workload status of a unit; `error` while a hook has failed (contract 2.2, 9.9).
const STATUSES: [&str; 6] = ["active", "blocked", "maintenance", "waiting", "unknown", "error"];

const OUTCOMES: [&str; 2] = ["completed", "failed"];

/// Reads one expectation; which kind it is, its keys say.
pub(super) fn read(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Expectation> {
    let (of, named_by, checks, read): (&str, &[&str], &[&str], Read) = if fields.has("relation") {
        ("a relation", &["relation", "unit", "application"], &["data", "members"], relation)
    } else if fields.has("action") {
        ("an action", &["action", "unit"], &["status", "message", "results"], action)
    } else if fields.has("unit") {
        ("a unit", &["unit"], &["status", "message", "flags", "not-flags", "leader"], unit)
    } else if fields.has("application") {
        ("an application", &["application"], &["units", "leader", "status", "message"], application)
    } else {
        let text = format!("step `expect` needs `unit`, `application`, `relation` or `action`, as in `{EXAMPLE}`");
        return reader.problem(fields.line(), text);
    };
    let surplus = KEYS.iter().filter(|key| !named_by.contains(key) && !checks.contains(key));
    let surplus: Vec<_> = surplus.filter_map(|key| fields.get(key)).collect();
    for field in &surplus {
        let text = format!("`{}` cannot be expected of {of}, only {}", field.name, listed(checks.iter().copied()));
        reader.problem::<()>(field.node.line, text);
    }
    if surplus.is_empty() && !checks.iter().any(|key| fields.means(key)) {
        let text = format!("nothing is expected of {of}; name at least one of {}", listed(checks.iter().copied()));
        reader.problem::<()>(fields.line(), text);
    }
    read(reader, fields)
}

type Read = fn(&mut Reader<'_>, &Fields<'_>) -> Option<Expectation>;

fn unit(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Expectation> {
    let unit = reader.need(fields, "unit", Reader::unit);
    let status = reader.may(fields, "status", status);
    let message = reader.may(fields, "message", Reader::text);
    let flags = reader.or_default(fields, "flags", |reader, field| reader.set(field, Reader::flag));
    let not_flags = reader.or_default(fields, "not-flags", |reader, field| reader.set(field, Reader::flag));
    let leader = reader.may(fields, "leader", Reader::truth);
    let (flags, not_flags) = (flags?, not_flags?);
    if let Some(both) = flags.intersection(&not_flags).next() {
        return reader.problem(fields.line(), format!("flag `{both}` cannot be both set and not set"));
    }
    Some(Expectation::Unit { unit: unit?, status: status?, message: message?, flags, not_flags, leader: leader? })
}

fn status(reader: &mut Reader<'_>, field: Field<'_>) -> Option<String> {
    reader.one_of(field, &STATUSES)
}

fn application(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Expectation> {
    let application = reader.need(fields, "application", Reader::application);
    let units = reader.may(fields, "units", units);
    let leader = reader.may(fields, "leader", Reader::unit_or_none);
    let status = reader.may(fields, "status", status);
    let message = reader.may(fields, "message", Reader::text);
    let (application, units, leader) = (application?, units?, leader?);
    let named = match &units {
        Some(Units::Named(units)) => units.iter().collect(),
        _ => Vec::new(),
    };
    let stranger = named.into_iter().chain(leader.iter().flatten()).find(|unit| unit.application() != application);
    if let Some(unit) = stranger {
        return reader.problem(fields.line(), format!("unit `{unit}` is none of application `{application}`"));
    }
    let leader = leader.map(|unit| unit.map_or(ExpectedLeader::Nobody, ExpectedLeader::Unit));
    Some(Expectation::Application { application, units, leader, status: status?, message: message? })
}

fn units(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Units> {
    match &field.node.kind {
        Kind::Scalar(_, Scalar::Whole(_) | Scalar::Broken(_)) => reader.count(field, 0).map(Units::Count),
        Kind::List(_) => reader.set(field, Reader::unit).map(Units::Named),
        _ => reader.wrong(field, "a number, or a list such as `[zk/0, zk/1]`"),
    }
}

fn relation(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Expectation> {
    let relation = reader.need(fields, "relation", which);
    let owner = owner(reader, fields);
    let data = reader.or_default(fields, "data", |reader, field| reader.map(field, datum));
    let members = reader.may(fields, "members", |reader, field| reader.set(field, Reader::unit));
    let ((relation, with), owner, members) = (relation?, owner?, members?);
    if let (Remote::Application(application), Some(_)) = (&owner, &members) {
        let text =
            format!("`members` are those that one unit sees; name a unit instead of application `{application}`");
        return reader.problem(fields.line(), text);
    }
    let application = match &owner {
        Remote::Unit(unit) => unit.application(),
        Remote::Application(application) => application,
    };
    if let Some(with) = &with
        && ![&relation, with].iter().any(|side| side.application == application)
    {
        let text = format!("application `{application}` has no side in relation `{relation} {with}`");
        return reader.problem(fields.line(), text);
    }
    Some(Expectation::Relation { relation, with, owner, data: data?, members })
}

/// One side, or both.
fn which(reader: &mut Reader<'_>, field: Field<'_>) -> Option<(EndpointName, Option<EndpointName>)> {
    match field.node.kind {
        Kind::List(_) => reader.sides(field).map(|[relation, with]| (relation, Some(with))),
        _ => reader.endpoint(field).map(|relation| (relation, None)),
    }
}

fn owner(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Remote> {
    match (fields.has("unit"), fields.has("application")) {
        (true, false) => reader.need(fields, "unit", Reader::unit).map(Remote::Unit),
        (false, true) => reader.need(fields, "application", Reader::application).map(Remote::Application),
        _ => {
            let text = "what is expected of a relation needs `unit` or `application`, as in \
                        `expect: {relation: zk:zkpeer, unit: zk/0, data: {port: 2181}}`";
            reader.problem(fields.line(), text)
        }
    }
}

/// An entry of a databag. A key with an empty value cannot exist (contract 4.6), so that there has to be none.
fn datum(reader: &mut Reader<'_>, field: Field<'_>) -> Option<Option<String>> {
    match field.node.kind {
        Kind::Nothing => Some(None),
        _ => reader.text(field).map(|text| Some(text).filter(|text| !text.is_empty())),
    }
}

fn action(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Option<Expectation> {
    let unit = reader.need(fields, "unit", Reader::unit);
    let name = reader.need(fields, "action", steps::action_name);
    let status = reader.may(fields, "status", |reader, field| reader.one_of(field, &OUTCOMES));
    let message = reader.may(fields, "message", Reader::text);
    // Results are texts (contract 9.13).
    let results = reader
        .or_default(fields, "results", |reader, field| reader.map(field, |_, field| Some(field.node.literal_value())));
    let completed = status?.map(|status| status == "completed");
    Some(Expectation::Action { unit: unit?, name: name?, completed, message: message?, results: results? })
}
