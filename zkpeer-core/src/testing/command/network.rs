//! `network-get`, `unit-get`, `open-port`, `close-port`, `opened-ports` (contract 9.11).

use std::collections::{BTreeMap, BTreeSet};

use super::super::controller::{OpenPorts, PortRange};
use super::super::options::{Format, Opt, quoted, switch};
use super::super::value::{Value, map, texts};
use super::{Answered, Call, Failure, RELATION, failed, usage};
use crate::juju::UnitName;

pub(super) const GET: &[Opt] = &[
    RELATION,
    switch(&["bind-address"]),
    switch(&["ingress-address"]),
    switch(&["egress-subnets"]),
    switch(&["primary-address"]),
];

pub(super) fn network_get(call: &mut Call<'_>) -> Answered {
    let args = call.args(1)?;
    let Some(binding) = args.first() else { return usage("no arguments specified") };
    if binding.is_empty() {
        return usage("no binding name specified");
    }
    let chosen: Vec<&str> = ["bind-address", "ingress-address", "egress-subnets", "primary-address"]
        .into_iter()
        .filter(|switch| call.is_on(switch))
        .collect();
    if chosen.contains(&"primary-address") && chosen.len() > 1 {
        return failed("--primary-address must be the only flag specified");
    }
    let known = call.charm.endpoints().contains_key(binding)
        || call.charm.extra_bindings.contains(binding)
        || call.charm.is_implicit(binding);
    let address = call.controller.units.get(&call.run.unit).and_then(|unit| unit.address.clone());
    let Some(address) = address.filter(|_| known) else {
        return failed(format!("no network config found for binding {}", quoted(binding)));
    };
    let subnets = call.controller.egress_subnets(&call.run.unit);
    let one = |name: &str| match name {
        "egress-subnets" => texts(&subnets),
        _ => Value::from(address.as_str()),
    };
    let value = match chosen.as_slice() {
        [] => whole(&address, &subnets, call.format),
        [name] => one(name),
        names => Value::Map(names.iter().map(|name| ((*name).to_owned(), one(name))).collect()),
    };
    Ok(call.print_fields(&value, NETWORK))
}

/// How Juju orders what it prints of a network (contract 9.11).
const NETWORK: &[&str] = &[
    "bind-addresses",
    "egress-subnets",
    "ingress-addresses",
    "mac-address",
    "macaddress",
    "interface-name",
    "interfacename",
    "addresses",
    "hostname",
    "address",
    "value",
    "cidr",
];

/// All that is known of the network; YAML has the older names beside the newer ones.
fn whole(address: &str, subnets: &[String], format: Format) -> Value {
    let network = match address.rsplit_once('.') {
        Some((network, _)) => format!("{network}.0/24"),
        None => format!("{address}/128"),
    };
    let mut of_address: BTreeMap<String, Value> = BTreeMap::from([
        ("hostname".to_owned(), Value::from("")),
        ("value".to_owned(), Value::from(address)),
        ("cidr".to_owned(), Value::from(network)),
    ]);
    let mac = "00:16:3e:00:00:04";
    let mut interface: BTreeMap<String, Value> = BTreeMap::from([
        ("mac-address".to_owned(), Value::from(mac)),
        ("interface-name".to_owned(), Value::from("eth0")),
    ]);
    if format != Format::Json {
        of_address.insert("address".to_owned(), Value::from(address));
        interface.insert("macaddress".to_owned(), Value::from(mac));
        interface.insert("interfacename".to_owned(), Value::from("eth0"));
    }
    interface.insert("addresses".to_owned(), Value::List(vec![Value::Map(of_address)]));
    map([
        ("bind-addresses", Value::List(vec![Value::Map(interface)])),
        ("egress-subnets", texts(subnets)),
        ("ingress-addresses", texts([address])),
    ])
}

pub(super) fn unit_get(call: &mut Call<'_>) -> Answered {
    let args = call.args(usize::MAX)?;
    let Some(setting) = args.first() else { return usage("no setting specified") };
    if !matches!(setting.as_str(), "private-address" | "public-address") {
        return usage(format!("unknown setting {}", quoted(setting)));
    }
    call.args(1)?;
    match call.controller.units.get(&call.run.unit).and_then(|unit| unit.address.clone()) {
        Some(address) => Ok(call.print(&Value::from(address))),
        None => failed(format!("{} not found", setting.replace('-', " "))),
    }
}

pub(super) fn open_port(call: &mut Call<'_>) -> Answered {
    let (range, endpoints) = port_arguments(call)?;
    let mut ports = call.run.ports(call.controller);
    conflict(call, &ports, &range, "open")?;
    let open = ports.entry(range).or_insert_with(|| endpoints.clone());
    if endpoints.is_empty() {
        open.clear();
    } else if !open.is_empty() {
        open.extend(endpoints);
    }
    call.run.set_ports(ports);
    Ok(String::new())
}

pub(super) fn close_port(call: &mut Call<'_>) -> Answered {
    let (range, endpoints) = port_arguments(call)?;
    let mut ports = call.run.ports(call.controller);
    conflict(call, &ports, &range, "close")?;
    if let Some(open) = ports.get_mut(&range) {
        let all: BTreeSet<String> = call.charm.endpoints().keys().cloned().collect();
        let left: BTreeSet<String> =
            if open.is_empty() { &all } else { &*open }.difference(&endpoints).cloned().collect();
        if endpoints.is_empty() || left.is_empty() {
            ports.remove(&range);
        } else {
            *open = left;
        }
    }
    call.run.set_ports(ports);
    Ok(String::new())
}

/// A range must be the same as one that the unit has open, or not touch it, and not touch any of others on the machine.
fn conflict(call: &Call<'_>, ports: &OpenPorts, range: &PortRange, verb: &str) -> Result<(), Failure> {
    let touches =
        |other: &&PortRange| other.protocol == range.protocol && other.from <= range.to && range.from <= other.to;
    let unit = &call.run.unit;
    let refuse = |other: &PortRange, owner: &UnitName, when: &str| {
        let conflicts = format!("port range conflicts with {other} (unit \"{owner}\"){when}");
        failed(format!("cannot {verb} {range} (unit \"{unit}\"): {conflicts}"))
    };
    let own = call.controller.units.get(unit);
    if let Some(other) = ports.keys().filter(touches).find(|other| *other != range) {
        let stored = own.is_some_and(|unit| unit.ports.contains_key(other));
        return refuse(other, unit, if stored { "" } else { " requested earlier" });
    }
    let machine = own.filter(|_| verb == "open").map(|unit| unit.machine);
    let mut others =
        call.controller.units.iter().filter(|(name, other)| *name != unit && Some(other.machine) == machine);
    match others.find_map(|(name, other)| Some((name, other.ports.keys().find(touches)?))) {
        Some((owner, other)) => refuse(other, owner, ""),
        None => Ok(()),
    }
}

fn port_arguments(call: &Call<'_>) -> Result<(PortRange, BTreeSet<String>), Failure> {
    let args = call.args(usize::MAX)?;
    let Some(text) = args.first() else { return usage("no port or range specified") };
    let range = port_range(&text.to_lowercase(), call.controller.juju.at_least(3, 6, 0))?;
    call.args(1)?;
    let endpoints = call.option("endpoints").unwrap_or_default().split(',').map(|name| name.trim().to_owned());
    Ok((range, endpoints.filter(|name| !name.is_empty()).collect()))
}

fn port_range(text: &str, from_zero: bool) -> Result<PortRange, Failure> {
    if text == "icmp" {
        return Ok(PortRange { protocol: text.to_owned(), from: 0, to: 0 });
    }
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let bounds: Vec<&str> = ports.split('-').collect();
    let (from, to) = match bounds.as_slice() {
        [one] => (*one, *one),
        [from, to] => (*from, *to),
        _ => return usage(format!("invalid port range {}", quoted(ports))),
    };
    let number = |text: &str| {
        text.parse::<i64>().map_err(|_| {
            let text = quoted(text);
            Failure::Usage(format!("invalid port {text}: strconv.Atoi: parsing {text}: invalid syntax"))
        })
    };
    let (from, to) = (number(from)?, number(to)?);
    if !matches!(protocol, "tcp" | "udp") {
        return usage(format!("invalid protocol {}, expected \"tcp\", \"udp\", or \"icmp\"", quoted(protocol)));
    }
    if from > to {
        return usage(format!("invalid port range {from}-{to}/{protocol}"));
    }
    let least = if from_zero { 0 } else { 1 };
    match (u16::try_from(from), u16::try_from(to)) {
        (Ok(from), Ok(to)) if from >= least => Ok(PortRange { protocol: protocol.to_owned(), from, to }),
        _ => usage(format!("port range bounds must be between {least} and 65535, got {from}-{to}")),
    }
}

pub(super) fn opened_ports(call: &mut Call<'_>) -> Answered {
    call.args(0)?;
    let with_endpoints = call.is_on("endpoints");
    let stored = || call.controller.units.get(&call.run.unit).map(|unit| unit.ports.clone()).unwrap_or_default();
    let ports = if call.controller.juju.at_least(3, 1, 1) { call.run.ports(call.controller) } else { stored() };
    let shown = ports.iter().map(|(range, endpoints)| match (with_endpoints, endpoints.is_empty()) {
        (false, _) => range.to_string(),
        (true, true) => format!("{range} (*)"),
        (true, false) => format!("{range} ({})", endpoints.iter().cloned().collect::<Vec<_>>().join(", ")),
    });
    let list: Vec<String> = shown.collect();
    Ok(call.print(&texts(list)))
}
