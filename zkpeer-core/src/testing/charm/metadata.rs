//! What metadata.yaml says, and all that Juju refuses in it (contract 11.1).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::juju::names::{is_application, is_endpoint};
use crate::metadata::{EndpointMetadata, Metadata, Role};
use crate::testing::yaml::{Entry, Node, Wrong};

/// All that stands in metadata.yaml.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    pub(super) metadata: Metadata,
    pub(super) subordinate: bool,
    pub(super) terms: BTreeMap<String, EndpointTerms>,
    pub(super) extra_bindings: Vec<String>,
    pub(super) storage: BTreeMap<String, StorageSpec>,
    pub(super) resources: BTreeMap<String, ResourceSpec>,
    pub(super) payloads: BTreeMap<String, String>,
    pub(super) containers: BTreeSet<String>,
}

/// What an endpoint asks of its relations, beside role and interface.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct EndpointTerms {
    pub(crate) scope: EndpointScope,
    /// The most relations on the endpoint; no limit if there is none.
    pub(crate) limit: Option<u32>,
    /// Juju stores it and does not act on it.
    pub(crate) optional: bool,
}

/// Which units of a relation see each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum EndpointScope {
    /// All.
    #[default]
    Global,
    /// A subordinate's unit and its principal's, on the same machine.
    Container,
}

/// One storage of the charm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StorageSpec {
    pub(crate) kind: StorageKind,
    /// How many a unit has at least.
    pub(crate) minimum: u32,
    /// How many a unit has at most; no limit if there is none.
    pub(crate) maximum: Option<u32>,
    /// Where a filesystem is mounted.
    pub(crate) location: Option<String>,
    pub(crate) shared: bool,
    pub(crate) read_only: bool,
}

/// What a storage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StorageKind {
    /// A directory that is mounted.
    Filesystem,
    /// A device.
    Block,
}

/// As in `JUJU_STORAGE_KIND`.
impl fmt::Display for StorageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Filesystem => "filesystem",
            Self::Block => "block",
        })
    }
}

/// One resource of the charm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResourceSpec {
    pub(crate) kind: ResourceKind,
    /// The name of the file on the unit; empty for an image.
    pub(crate) filename: String,
}

/// What a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResourceKind {
    File,
    OciImage,
}

const ROLES: [Role; 3] = [Role::Peers, Role::Provides, Role::Requires];

/// Keys of which those of one format do not stand beside those of the other.
const FORMATS: [&[&str]; 2] = [&["deployment", "min-juju-version", "series"], &["assumes", "charm-user", "containers"]];

/// Checks the document and reads what it says.
pub(super) fn read(root: &Node) -> Result<Details, Wrong> {
    root.entries("metadata.yaml")?;
    one_format(root)?;
    let name = required(root, "name")?;
    for key in ["summary", "description"] {
        required(root, key)?;
    }
    if !is_application(name) {
        let advice =
            "groups of lower-case letters and digits joined by `-`, each with a letter, the first beginning with one";
        return Err(at(root, "name").wrong(format!("`{name}` is no name for a charm: it has to be {advice}")));
    }
    let subordinate = root.get("subordinate").map_or(Ok(false), |node| node.boolean("`subordinate`"))?;
    let mut metadata = Metadata { name: name.to_owned(), ..Metadata::default() };
    let terms = endpoints(root, &mut metadata, subordinate)?;
    let details = Details {
        extra_bindings: extra_bindings(root, &metadata)?,
        metadata,
        subordinate,
        terms,
        storage: each(root, "storage", storage)?,
        resources: each(root, "resources", resource)?,
        payloads: each(root, "payloads", payload)?,
        containers: each(root, "containers", |_, node| node.entries("a container").map(|_| ()))?.into_keys().collect(),
    };
    if let Some(series) = root.get("series") {
        series.texts("`series`")?;
    }
    if let Some(assumes) = root.get("assumes") {
        assumes.list("`assumes`")?;
    }
    if let Some(user) = root.get("charm-user")
        && !matches!(user.as_text(), Some("root" | "sudoer" | "non-root"))
    {
        return Err(user.wrong(format!("`charm-user` must be root, sudoer or non-root, not {user}")));
    }
    Ok(details)
}

/// The two formats of metadata do not mix.
fn one_format(root: &Node) -> Result<(), Wrong> {
    let present = FORMATS.map(|keys| keys.iter().copied().filter(|key| root.get(key).is_some()).collect::<Vec<_>>());
    let [first, second] = &present;
    let (Some(one), Some(two)) = (first.first(), second.first()) else { return Ok(()) };
    // The key that comes first in the alphabet says which format is meant.
    let (matched, mismatched) = if one < two { (first, second) } else { (second, first) };
    let quoted = |keys: &[&str]| format!("\"{}\"", keys.join("\", \""));
    let (wrong, right) = (quoted(mismatched), quoted(matched));
    Err(Wrong::somewhere(format!("ambiguous metadata: keys {wrong} cannot be used with {right}")))
}

fn required<'n>(root: &'n Node, key: &str) -> Result<&'n str, Wrong> {
    let missing =
        || Wrong::somewhere(format!("`{key}` is missing; every charm has a name, a summary and a description"));
    root.get(key).ok_or_else(missing)?.text(&format!("`{key}`"))
}

/// The value under `key`, or all if there is none: for messages.
fn at<'n>(node: &'n Node, key: &str) -> &'n Node {
    node.get(key).unwrap_or(node)
}

/// Reads each entry of the map under `key`, if there is one.
fn each<T>(
    root: &Node,
    key: &str,
    read: impl Fn(&str, &Node) -> Result<T, Wrong>,
) -> Result<BTreeMap<String, T>, Wrong> {
    let Some(map) = root.get(key) else { return Ok(BTreeMap::new()) };
    let entries = map.entries(&format!("`{key}`"))?;
    entries.iter().map(|entry| Ok((entry.key.clone(), read(&entry.key, &entry.value)?))).collect()
}

/// Adds the endpoints to the metadata, and gives what they ask of their relations.
fn endpoints(
    root: &Node,
    metadata: &mut Metadata,
    subordinate: bool,
) -> Result<BTreeMap<String, EndpointTerms>, Wrong> {
    let mut all = BTreeMap::new();
    let mut contained = false;
    for role in ROLES {
        let Some(group) = root.get(&role.to_string()) else { continue };
        for entry in group.entries(&format!("`{role}`"))? {
            let (interface, terms) = endpoint(entry)?;
            let inside = role == Role::Requires && terms.scope == EndpointScope::Container;
            contained |= inside;
            if let Some(wrong) = reserved(&metadata.name, entry, role, interface, subordinate && inside) {
                return Err(wrong);
            }
            let endpoint = EndpointMetadata { name: entry.key.clone(), role, interface: interface.to_owned() };
            metadata.add_endpoint(endpoint).map_err(|reason| entry.wrong(reason))?;
            all.insert(entry.key.clone(), terms);
        }
    }
    if subordinate && !contained {
        let advice =
            "its units live beside those of another charm, which it names under `requires` with `scope: container`";
        return Err(
            at(root, "subordinate").wrong(format!("a subordinate without a container-scoped endpoint; {advice}"))
        );
    }
    Ok(all)
}

/// The interface and the terms of one endpoint; a text is the interface alone.
fn endpoint(entry: &Entry) -> Result<(&str, EndpointTerms), Wrong> {
    let (name, node) = (&entry.key, &entry.value);
    if !is_endpoint(name) {
        let advice = "groups of lower-case letters and digits joined by `-` or `_`, beginning with a letter";
        return Err(entry.wrong(format!("`{name}` is no name for an endpoint: it has to be {advice}")));
    }
    if let Some(interface) = node.as_text() {
        return Ok((interface, EndpointTerms::default()));
    }
    node.entries(&format!("endpoint `{name}`"))?;
    let of = |key: &str| format!("`{key}` of endpoint `{name}`");
    let interface = node.get("interface").ok_or_else(|| entry.wrong(format!("{} is missing", of("interface"))))?;
    let scope = match node.get("scope").map(|scope| (scope.as_text(), scope)) {
        None | Some((Some("global"), _)) => EndpointScope::Global,
        Some((Some("container"), _)) => EndpointScope::Container,
        Some((_, scope)) => {
            return Err(scope.wrong(format!("{} must be global or container, not {scope}", of("scope"))));
        }
    };
    let limit =
        node.get("limit").filter(|limit| !limit.is_nothing()).map(|limit| limit.whole(&of("limit"))).transpose()?;
    let limit = limit.and_then(|limit| u32::try_from(limit).ok()).filter(|limit| *limit > 0);
    let optional = node.get("optional").map_or(Ok(false), |optional| optional.boolean(&of("optional")))?;
    Ok((interface.text(&of("interface"))?, EndpointTerms { scope, limit, optional }))
}

/// Whether Juju keeps the name for itself; its own charms may use it.
pub(super) fn is_reserved(charm: &str, name: &str) -> bool {
    !charm.starts_with("juju-") && (name == "juju" || name.starts_with("juju-"))
}

/// What is wrong with an endpoint that has a reserved name or interface. A subordinate reaches its principal by one.
fn reserved(charm: &str, entry: &Entry, role: Role, interface: &str, to_principal: bool) -> Option<Wrong> {
    let name = &entry.key;
    if is_reserved(charm, name) && !to_principal {
        let advice = "`juju` and names that begin with `juju-` are reserved; choose another";
        return Some(entry.wrong(format!("endpoint `{name}` cannot be called so: {advice}")));
    }
    if is_reserved(charm, interface) && role != Role::Requires {
        let advice = "`juju` and interfaces that begin with `juju-` are reserved under peers and provides";
        return Some(at(&entry.value, "interface").wrong(format!("endpoint `{name}`: {advice}; choose another")));
    }
    None
}

/// Names with nothing beside them, other than those of the endpoints.
fn extra_bindings(root: &Node, metadata: &Metadata) -> Result<Vec<String>, Wrong> {
    let Some(map) = root.get("extra-bindings") else { return Ok(Vec::new()) };
    let entries = map.entries("`extra-bindings`")?;
    if entries.is_empty() {
        return Err(map.wrong("`extra-bindings` is empty; leave it out"));
    }
    for entry in entries {
        let name = &entry.key;
        if name.is_empty() || !entry.value.is_nothing() {
            return Err(
                entry.wrong(format!("extra binding `{name}`: it has to be a name with nothing after the colon"))
            );
        }
        if let Some(endpoint) = metadata.endpoints.get(name) {
            let role = endpoint.role;
            return Err(entry.wrong(format!("extra binding `{name}` has the name of an endpoint under `{role}`")));
        }
    }
    Ok(entries.iter().map(|entry| entry.key.clone()).collect())
}

fn storage(name: &str, node: &Node) -> Result<StorageSpec, Wrong> {
    node.entries(&format!("storage `{name}`"))?;
    let of = |key: &str| format!("`{key}` of storage `{name}`");
    let kind = match node.get("type").map(|kind| (kind.as_text(), kind)) {
        Some((Some("filesystem"), _)) => StorageKind::Filesystem,
        Some((Some("block"), _)) => StorageKind::Block,
        Some((_, kind)) => return Err(kind.wrong(format!("{} must be filesystem or block, not {kind}", of("type")))),
        None => return Err(node.wrong(format!("{} is missing; it is filesystem or block", of("type")))),
    };
    let location = node.get("location").map(|location| location.text(&of("location"))).transpose()?;
    let location = location.filter(|location| !location.is_empty()).map(str::to_owned);
    if location.is_some() && kind == StorageKind::Block {
        return Err(at(node, "location").wrong(format!("{} is only for a filesystem", of("location"))));
    }
    if let Some(size) = node.get("minimum-size") {
        size.text(&of("minimum-size"))?;
    }
    let (minimum, maximum) = node.get("multiple").map_or(Ok((1, Some(1))), |multiple| range(multiple, name))?;
    let switch = |key: &str| node.get(key).map_or(Ok(false), |value| value.boolean(&of(key)));
    Ok(StorageSpec { kind, minimum, maximum, location, shared: switch("shared")?, read_only: switch("read-only")? })
}

/// `multiple: {range: ..}`: `3`, `1-3`, `1+`, or `1-`, which means the same as `1+`.
fn range(multiple: &Node, storage: &str) -> Result<(u32, Option<u32>), Wrong> {
    let what = format!("`multiple` of storage `{storage}`");
    multiple.entries(&what)?;
    let node = multiple.get("range").ok_or_else(|| multiple.wrong(format!("{what} has no `range`")))?;
    let wrong = || node.wrong(format!("`range` of storage `{storage}` must look like 3, 1-3 or 1+, not {node}"));
    if let Ok(number) = node.whole("it") {
        let number = u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(wrong)?;
        return Ok((number, Some(number)));
    }
    let text = node.as_text().ok_or_else(wrong)?;
    let number = |digits: &str| {
        let plain = digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<u32>().ok().filter(|_| plain).ok_or_else(wrong)
    };
    if let Some(minimum) = text.strip_suffix(['+', '-']) {
        return Ok((number(minimum)?, None));
    }
    let (minimum, maximum) = text.split_once('-').ok_or_else(wrong)?;
    match number(maximum)? {
        0 => Err(wrong()),
        maximum => Ok((number(minimum)?, Some(maximum))),
    }
}

fn resource(name: &str, node: &Node) -> Result<ResourceSpec, Wrong> {
    node.entries(&format!("resource `{name}`"))?;
    let of = |key: &str| format!("`{key}` of resource `{name}`");
    let kind = match node.get("type").map(|kind| (kind.as_text(), kind)) {
        None | Some((Some("file"), _)) => ResourceKind::File,
        Some((Some("oci-image"), _)) => ResourceKind::OciImage,
        Some((_, kind)) => return Err(kind.wrong(format!("{} must be file or oci-image, not {kind}", of("type")))),
    };
    let filename = node.get("filename").map_or(Ok(""), |filename| filename.text(&of("filename")))?.to_owned();
    if kind == ResourceKind::File && (filename.is_empty() || filename.contains('/')) {
        let advice = "it is the name that the file has on the unit, without `/`";
        return Err(at(node, "filename").wrong(format!("{} is missing or wrong; {advice}", of("filename"))));
    }
    Ok(ResourceSpec { kind, filename })
}

/// The type of a payload.
fn payload(name: &str, node: &Node) -> Result<String, Wrong> {
    node.entries(&format!("payload `{name}`"))?;
    let what = format!("`type` of payload `{name}`");
    let kind = node.get("type").ok_or_else(|| node.wrong(format!("{what} is missing; it can be any text")))?;
    match kind.text(&what)? {
        "" => Err(kind.wrong(format!("{what} is empty; it can be any other text"))),
        text => Ok(text.to_owned()),
    }
}
