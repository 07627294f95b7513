//! The texts in attributes: names of flags, hooks and actions, checked without their places.

/// What is wrong with the name of a flag; the rules of `zkpeer_core::Flag`, placeholders allowed.
pub(crate) fn check_flag(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("a flag's name is not empty");
    }
    if name.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        return Some("a flag's name has no white space or control characters");
    }
    let mut rest = name;
    while let Some(at) = rest.find(['{', '}']) {
        let Some(after) = PLACEHOLDERS.iter().find_map(|placeholder| rest[at..].strip_prefix(placeholder)) else {
            return Some("a flag's name has no braces, except as `{endpoint_name}` or `{relation_name}`");
        };
        rest = after;
    }
    None
}

const PLACEHOLDERS: [&str; 2] = ["{endpoint_name}", "{relation_name}"];

/// The name with the older of the two placeholders in the place of both.
pub(crate) fn one_placeholder(name: &str) -> String {
    name.replace(PLACEHOLDERS[0], PLACEHOLDERS[1])
}

/// What is wrong with the name of an action.
pub(crate) fn check_action(name: &str) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() {
        return Some("an action's name is not empty".to_owned());
    }
    if !name.bytes().all(allowed) || name.starts_with('-') || name.ends_with('-') {
        return Some(
            "an action's name consists of lower-case letters, digits and dashes, with no dash at its beginning or end"
                .to_owned(),
        );
    }
    if name == "juju" || name.starts_with("juju-") {
        return Some(format!("an action cannot be called `{name}`: Juju keeps `juju` and `juju-...` for itself"));
    }
    None
}

/// Whether this is an identity as charms.reactive keeps it: `reactive/x.py:12:install`.
pub(crate) fn is_python_identity(text: &str) -> bool {
    let mut parts = text.rsplitn(3, ':');
    let (Some(function), Some(line), Some(file)) = (parts.next(), parts.next(), parts.next()) else { return false };
    let word = |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control());
    word(function) && word(file) && !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit())
}

/// Hooks whose names are complete (contract 1.3).
const HOOKS: [&str; 15] = [
    "install",
    "start",
    "config-changed",
    "upgrade-charm",
    "stop",
    "remove",
    "update-status",
    "leader-elected",
    "leader-settings-changed",
    "secret-changed",
    "secret-rotate",
    "secret-expired",
    "secret-remove",
    "pre-series-upgrade",
    "post-series-upgrade",
];

/// Hooks that begin with a name from the metadata.
struct Family {
    /// How a message calls that name.
    begin: &'static str,
    between: &'static str,
    ends: &'static [&'static str],
}

const FAMILIES: [Family; 3] = [
    Family {
        begin: "<endpoint>",
        between: "-relation-",
        ends: &["created", "joined", "changed", "departed", "broken"],
    },
    Family { begin: "<storage>", between: "-storage-", ends: &["attached", "detaching"] },
    Family {
        begin: "<container>",
        between: "-pebble-",
        ends: &["ready", "custom-notice", "check-failed", "check-recovered"],
    },
];

/// Hooks that have an attribute of their own.
const RESTRICTED: [(&str, &str); 2] =
    [("collect-metrics", "collect_metrics"), ("meter-status-changed", "meter_status_changed")];

/// One pattern stands for so many hooks at the most; more is a mistake.
const MOST_HOOKS: usize = 1000;

/// What is wrong with a pattern of hooks; nothing if it can match.
pub(crate) fn check(pattern: &str) -> Vec<String> {
    let pieces = match pieces(pattern) {
        Ok(pieces) => pieces,
        Err(message) => return vec![message],
    };
    let mut names = vec![String::new()];
    for piece in &pieces {
        names = match piece {
            Piece::Text(text) => names.iter().map(|name| format!("{name}{text}")).collect(),
            // The role and interface stand for an endpoint; written so, they look like none that could be written.
            Piece::Role(text) => names.iter().map(|name| format!("{name}{{{text}}}")).collect(),
            Piece::Alternatives(texts) => {
                if names.len() * texts.len() > MOST_HOOKS {
                    return vec![format!("this pattern stands for more than {MOST_HOOKS} hooks")];
                }
                names.iter().flat_map(|name| texts.iter().map(move |text| format!("{name}{text}"))).collect()
            }
        };
    }
    // `{db,web}-relation-leave` is one mistake.
    let mut ends = Vec::new();
    let mut messages = Vec::new();
    for name in &names {
        let Some(message) = check_name(name) else { continue };
        let end = family(name).map_or(name.as_str(), |(_, _, end)| end);
        if !ends.contains(&end) {
            ends.push(end);
            messages.push(message);
        }
    }
    messages
}

#[derive(Debug, PartialEq, Eq)]
enum Piece<'p> {
    Text(&'p str),
    /// `{peers:zookeeper-quorum}`
    Role(&'p str),
    /// `{joined,changed}`
    Alternatives(Vec<&'p str>),
}

fn pieces(pattern: &str) -> Result<Vec<Piece<'_>>, String> {
    if pattern.is_empty() {
        return Err("the name of a hook is not empty".to_owned());
    }
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(at) = rest.find(['{', '}']) {
        if at > 0 {
            pieces.push(Piece::Text(&rest[..at]));
        }
        if rest[at..].starts_with('}') {
            return Err(format!("in `{pattern}` a `}}` closes nothing"));
        }
        let inner = &rest[at + 1..];
        let Some(end) = inner.find(['{', '}']) else {
            return Err(format!("in `{pattern}` a `{{` is not closed"));
        };
        if inner[end..].starts_with('{') {
            return Err(format!("in `{pattern}` braces stand inside of braces; write the alternatives one by one"));
        }
        rest = &inner[end + 1..];
        pieces.push(group(&inner[..end], pieces.is_empty(), rest)?);
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest));
    }
    Ok(pieces)
}

fn group<'p>(inner: &'p str, first: bool, rest: &str) -> Result<Piece<'p>, String> {
    let Some((role, interface)) = inner.split_once(':') else {
        let alternatives: Vec<&str> = inner.split(',').collect();
        return match alternatives.iter().position(|alternative| alternative.trim().is_empty()) {
            Some(_) if alternatives.len() == 1 => {
                Err("the braces are empty: `{a,b}` stands for alternatives, `{peers:interface}` for an endpoint"
                    .to_owned())
            }
            Some(_) => Err(format!("in `{{{inner}}}` an alternative is empty")),
            None => Ok(Piece::Alternatives(alternatives)),
        };
    };
    const ROLES: [&str; 3] = ["peers", "provides", "requires"];
    if !ROLES.contains(&role) {
        let hint = match role {
            "peer" => "; say `peers`".to_owned(),
            "provide" | "provider" => "; say `provides`".to_owned(),
            "require" | "requirer" => "; say `requires`".to_owned(),
            _ => String::new(),
        };
        return Err(format!(
            "`{role}` is no role: it is `peers`, `provides` or `requires`, as in `metadata.yaml`{hint}"
        ));
    }
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if interface.contains(',') {
        return Err(format!("`{{{inner}}}` names two interfaces; give `hook` one pattern for each"));
    }
    if interface.is_empty() {
        return Err(format!("`{{{inner}}}` names no interface"));
    }
    if !interface.bytes().all(word) {
        return Err(format!("`{interface}` is no name of an interface: letters, digits, dashes and underscores"));
    }
    if !first || !rest.starts_with("-relation-") {
        return Err(format!(
            "`{{{inner}}}` stands for an endpoint: it begins the name of a hook, and `-relation-` follows it"
        ));
    }
    Ok(Piece::Role(inner))
}

fn check_name(name: &str) -> Option<String> {
    if HOOKS.contains(&name) {
        return None;
    }
    if let Some((_, attribute)) = RESTRICTED.iter().find(|(hook, _)| *hook == name) {
        return Some(format!(
            "`{name}` runs outside of the normal sequence, and `hook` never sees it: use `#[{attribute}]`"
        ));
    }
    if name == "leader-deposed" {
        return Some("Juju never runs `leader-deposed`: wait for `#[when_not(\"leadership.is_leader\")]`".to_owned());
    }
    if family(name).is_some_and(|(begin, family, end)| is_word(begin) && family.ends.contains(&end)) {
        return None;
    }
    let hint = nearest(name).unwrap_or_else(|| {
        "the hooks are `install`, `start`, `config-changed`, `update-status`, `upgrade-charm`, `leader-elected`, \
         `stop`, `remove`, `<endpoint>-relation-joined` and so on"
            .to_owned()
    });
    Some(format!("Juju has no hook `{name}`; {hint}"))
}

/// The family of a hook, with what stands before and after its middle.
fn family(name: &str) -> Option<(&str, &'static Family, &str)> {
    FAMILIES.iter().find_map(|family| {
        let (begin, end) = name.rsplit_once(family.between)?;
        Some((begin, family, end))
    })
}

/// Whether this can be the name of an endpoint, a storage or a container; a role pattern can.
fn is_word(name: &str) -> bool {
    if name.starts_with('{') {
        return true;
    }
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// What was probably meant, as the end of a message.
fn nearest(name: &str) -> Option<String> {
    let dashed = name.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    let of_family = |begin: &str, family: &Family, end: &str| {
        let begin = if begin.is_empty() { family.begin } else { begin };
        match closest(end, family.ends) {
            Some(end) => format!("is it `{begin}{}{end}`?", family.between),
            None => format!("after `{begin}{}` comes one of `{}`", family.between, family.ends.join("`, `")),
        }
    };
    if let Some((begin, family, end)) = family(&dashed) {
        return Some(of_family(begin, family, end));
    }
    for family in &FAMILIES {
        if let Some(end) = dashed.strip_prefix(family.between.trim_start_matches('-')) {
            return Some(of_family("", family, end));
        }
    }
    closest(&dashed, &HOOKS).map(|hook| format!("is it `{hook}`?"))
}

/// The candidate with the fewest letters to change, if these are few; of two, the one that begins alike.
fn closest(word: &str, candidates: &[&'static str]) -> Option<&'static str> {
    let alike = |candidate: &str| word.bytes().zip(candidate.bytes()).take_while(|(a, b)| a == b).count();
    candidates
        .iter()
        .map(|candidate| (distance(word, candidate), *candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().max(6) / 3)
        .min_by_key(|(distance, candidate)| (2 * distance).saturating_sub(alike(candidate)))
        .map(|(_, candidate)| candidate)
}

/// How many letters to insert, leave out or replace.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.bytes().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hooks_of_juju_are_accepted() {
        for pattern in [
            "install",
            "leader-settings-changed",
            "post-series-upgrade",
            "secret-rotate",
            "zkpeer-relation-created",
            "my-relation-db-relation-broken",
            "{peers:zookeeper-quorum}-relation-{joined,changed}",
            "{provides:http_x}-relation-departed",
            "{start,stop}",
            "{db,web}-relation-{joined,changed}",
            "data-storage-{attached,detaching}",
            "web-pebble-{ready,custom-notice,check-failed,check-recovered}",
            "config-{changed}",
            "{pre,post}-series-upgrade",
        ] {
            assert_eq!(check(pattern), Vec::<String>::new(), "{pattern}");
        }
    }

    #[test]
    fn braces_have_a_grammar() {
        for (pattern, message) in [
            ("", "is not empty"),
            ("a}-relation-joined", "`}` closes nothing"),
            ("{db-relation-joined", "is not closed"),
            ("{a,{b,c}}-relation-joined", "inside of braces"),
            ("{}-relation-joined", "the braces are empty"),
            ("{a,,b}-relation-joined", "an alternative is empty"),
            ("{a,}-relation-joined", "an alternative is empty"),
            ("{peer:zookeeper-quorum}-relation-joined", "say `peers`"),
            ("{server:http}-relation-joined", "`server` is no role"),
            ("{peers:}-relation-joined", "names no interface"),
            ("{peers:a b}-relation-joined", "no name of an interface"),
            ("{provides:http,https}-relation-joined", "names two interfaces"),
            ("{peers:zookeeper-quorum}", "`-relation-` follows it"),
            ("x{peers:zookeeper-quorum}-relation-joined", "`-relation-` follows it"),
            ("{peers:zookeeper-quorum}-storage-attached", "`-relation-` follows it"),
        ] {
            let messages = check(pattern);
            assert!(messages.len() == 1 && messages[0].contains(message), "{pattern}: {messages:?}");
        }
    }

    #[test]
    fn the_nearest_hook_is_named() {
        for (pattern, message) in [
            ("config-change", "is it `config-changed`?"),
            ("config_changed", "is it `config-changed`?"),
            ("Install", "is it `install`?"),
            ("upgrade", "Juju has no hook `upgrade`"),
            ("zkpeer-relation-join", "is it `zkpeer-relation-joined`?"),
            ("zkpeer_relation_changed", "is it `zkpeer-relation-changed`?"),
            ("relation-joined", "is it `<endpoint>-relation-joined`?"),
            ("-relation-joined", "is it `<endpoint>-relation-joined`?"),
            (
                "{peers:zookeeper-quorum}-relation-leave",
                "after `{peers:zookeeper-quorum}-relation-` comes one of `created`, ",
            ),
            ("{db,web}-relation-leave", "no hook `db-relation-leave`"),
            ("data-storage-detached", "is it `data-storage-detaching`?"),
            ("leader-deposed", "never runs"),
            ("collect-metrics", "use `#[collect_metrics]`"),
            ("meter-status-changed", "use `#[meter_status_changed]`"),
            ("{install, start}", "Juju has no hook ` start`; is it `start`?"),
            ("backup-the-database", "the hooks are `install`"),
        ] {
            let messages = check(pattern);
            assert!(messages.len() == 1 && messages[0].contains(message), "{pattern}: {messages:?}");
        }
    }

    #[test]
    fn one_pattern_does_not_grow_without_end() {
        assert!(check(&"{a,b}".repeat(64))[0].contains("more than"));
    }

    #[test]
    fn actions_have_the_names_that_juju_allows() {
        for name in ["backup", "b", "4lw", "backup-all"] {
            assert_eq!(check_action(name), None, "{name}");
        }
        for name in ["", "Backup", "back_up", "-b", "b-", "juju", "juju-run", "bäck"] {
            assert!(check_action(name).is_some(), "{name}");
        }
        assert_eq!(check_action("jujube"), None);
    }

    #[test]
    fn flags_have_the_names_that_core_allows() {
        for name in ["zookeeper.installed", "{relation_name}.joined", "a.{endpoint_name}.b", "ä"] {
            assert_eq!(check_flag(name), None, "{name}");
        }
        for name in [
            "",
            "a b",
            "a\n",
            "a\u{7f}",
            "{endpoint_nam}",
            "a}",
            "{",
            "{{endpoint_name}}",
            "{relation_{endpoint_name}name}",
        ] {
            assert!(check_flag(name).is_some(), "{name}");
        }
    }

    #[test]
    fn python_identities_have_three_parts() {
        assert!(is_python_identity("reactive/x.py:12:install"));
        assert!(is_python_identity("/srv/a:b/x.py:12:install"));
        for text in ["", "install", "reactive/x.py:install", "reactive/x.py:a:install", ":1:a", "x.py:1:", "x y.py:1:a"]
        {
            assert!(!is_python_identity(text), "{text}");
        }
    }
}
