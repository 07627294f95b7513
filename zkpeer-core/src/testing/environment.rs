//! The environment of a hook, built from nothing (contract section 6).

use std::collections::BTreeMap;
use std::path::Path;

use super::controller::Controller;
use super::hook::{Hook, RelationKind, SecretKind};
use crate::juju::UnitName;

/// The two variables that Juju does not set: the file to which a charm on `zkpeer` appends what its dispatcher did.
const REPORT: &str = "ZKPEER_REPORT";
/// And what it takes for `/`.
const ROOT: &str = "ZKPEER_ROOT";

/// What a machine's agent has on its `PATH`.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin";

/// Where things are, and what hook runs.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    pub(crate) unit: &'a UnitName,
    pub(crate) charm: &'a Path,
    pub(crate) socket: &'a Path,
    pub(crate) tools: &'a Path,
    pub(crate) report: &'a Path,
    pub(crate) root: &'a Path,
    pub(crate) path: &'a str,
    pub(crate) context_id: &'a str,
}

/// All variables of the hook's process.
pub(crate) fn variables(hook: &Hook, controller: &Controller, place: &Place<'_>) -> BTreeMap<String, String> {
    let mut all: Vec<(String, String)> = Vec::with_capacity(40);
    let mut set = |name: &str, value: &str| all.push((name.to_owned(), value.to_owned()));
    let charm = place.charm.to_string_lossy();
    set("CHARM_DIR", &charm);
    set("JUJU_CHARM_DIR", &charm);
    set("JUJU_CONTEXT_ID", place.context_id);
    set("JUJU_AGENT_SOCKET_ADDRESS", &place.socket.to_string_lossy());
    set("JUJU_AGENT_SOCKET_NETWORK", "unix");
    set("JUJU_UNIT_NAME", place.unit.as_str());
    if !hook.is_exec() {
        set("JUJU_DISPATCH_PATH", &hook.path());
    }
    set("PATH", &format!("{}:{}", place.tools.display(), place.path));
    set("LANG", "C.UTF-8");
    set("DEBIAN_FRONTEND", "noninteractive");
    set("APT_LISTCHANGES_FRONTEND", "none");
    set("TERM", "tmux-256color");
    set(REPORT, &place.report.to_string_lossy());
    set(ROOT, &place.root.to_string_lossy());
    if hook.is_restricted() {
        if hook.is("meter-status-changed") {
            set("JUJU_METER_STATUS", "GREEN");
            set("JUJU_METER_INFO", "");
        }
        return all.into_iter().collect();
    }

    set("JUJU_MODEL_NAME", &controller.name);
    set("JUJU_MODEL_UUID", &controller.uuid);
    set("JUJU_VERSION", &controller.juju.to_string());
    set("JUJU_API_ADDRESSES", &controller.api_addresses.join(" "));
    let unit = controller.units.get(place.unit);
    set("JUJU_MACHINE_ID", &unit.map_or(0, |unit| unit.machine).to_string());
    set("JUJU_AVAILABILITY_ZONE", "zone1");
    set("CLOUD_API_VERSION", "");
    let option = |name: &str| controller.options.get(name).map(String::as_str);
    for (variable, charms, all, names) in PROXIES {
        set(variable, option(charms).unwrap_or_default());
        if let Some(proxy) = option(all) {
            names.iter().for_each(|name| set(name, proxy));
        }
    }
    let principal = unit.and_then(|unit| unit.principal.as_ref());
    set("JUJU_PRINCIPAL_UNIT", principal.map_or("", UnitName::as_str));
    if !controller.juju.is_four() {
        set("JUJU_SLA", "unsupported");
    }
    if controller.juju.at_least(4, 0, 6) {
        for name in ["HTTP", "GRPC", "CA_CERT"] {
            set(&format!("JUJU_CHARM_TRACE_CONFIG_{name}"), "");
        }
    }

    match hook {
        Hook::Action { id, name } => {
            set("JUJU_HOOK_NAME", "");
            set("JUJU_ACTION_NAME", name);
            set("JUJU_ACTION_UUID", &id.to_string());
            set("JUJU_ACTION_TAG", &format!("action-{id}"));
        }
        Hook::Exec { .. } => set("JUJU_HOOK_NAME", ""),
        Hook::Relation(_) => set("JUJU_HOOK_NAME", &hook.name()),
        Hook::Storage(storage) => {
            set("JUJU_HOOK_NAME", &hook.name());
            if controller.juju.at_least(2, 9, 21) {
                set("JUJU_STORAGE_ID", &storage.id);
                set("JUJU_STORAGE_LOCATION", &storage.location);
                set("JUJU_STORAGE_KIND", &storage.kind.to_string());
            }
        }
        Hook::Secret(secret) => {
            set("JUJU_HOOK_NAME", &hook.name());
            set("JUJU_SECRET_ID", &secret.id);
            set("JUJU_SECRET_LABEL", &secret.label);
            if matches!(secret.kind, SecretKind::Remove | SecretKind::Expired) {
                set("JUJU_SECRET_REVISION", &secret.revision.to_string());
            }
        }
        Hook::Plain(name) => {
            set("JUJU_HOOK_NAME", name);
            if name == "pre-series-upgrade" {
                if controller.juju.at_least(2, 9, 9) {
                    set("JUJU_TARGET_SERIES", "jammy");
                }
                if controller.juju.at_least(3, 0, 3) {
                    set("JUJU_TARGET_BASE", "ubuntu@22.04/stable");
                }
            }
        }
    }
    if let Some(relation) = hook.relation() {
        set("JUJU_RELATION", &relation.relation.endpoint);
        set("JUJU_RELATION_ID", &relation.relation.to_string());
        set("JUJU_REMOTE_UNIT", relation.unit.as_ref().map_or("", UnitName::as_str));
        set("JUJU_REMOTE_APP", &relation.app);
        if let Some(departing) = relation.departing.as_ref().filter(|_| relation.kind == RelationKind::Departed) {
            set("JUJU_DEPARTING_UNIT", departing.as_str());
        }
    }
    all.into_iter().collect()
}

/// The kinds of proxies: the variable that charms have, the model's options that are behind it and behind a proxy of all
/// programs, and the variables of that.
const PROXIES: [(&str, &str, &str, [&str; 2]); 4] = [
    ("JUJU_CHARM_HTTP_PROXY", "juju-http-proxy", "http-proxy", ["http_proxy", "HTTP_PROXY"]),
    ("JUJU_CHARM_HTTPS_PROXY", "juju-https-proxy", "https-proxy", ["https_proxy", "HTTPS_PROXY"]),
    ("JUJU_CHARM_FTP_PROXY", "juju-ftp-proxy", "ftp-proxy", ["ftp_proxy", "FTP_PROXY"]),
    ("JUJU_CHARM_NO_PROXY", "juju-no-proxy", "no-proxy", ["no_proxy", "NO_PROXY"]),
];
