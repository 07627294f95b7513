//! The names of flags: which are Juju's, and which one was probably meant.

use super::files::Files;

/// Whether a flag follows Juju by itself (`docs/automatic.md`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Automatic {
    Yes,
    No,
    /// It would, if the charm had this endpoint.
    UnknownEndpoint(String),
    /// It would, if the charm had this option.
    UnknownOption(String),
}

/// The automatic flags that have no name in them.
const FIXED: [&str; 4] = ["config.changed", "leadership.changed", "leadership.is_leader", "upgrade.series.in-progress"];
const OF_OPTIONS: [&str; 3] = ["config.changed.", "config.default.", "config.set."];
const OF_SETTINGS: [&str; 2] = ["leadership.changed.", "leadership.set."];
const OF_ENDPOINTS: [&str; 3] = ["changed", "departed", "joined"];

/// Whether the flag follows Juju in this charm.
pub(super) fn automatic(flag: &str, files: &Files) -> Automatic {
    let is_below = |prefix: &str| flag.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty());
    if FIXED.contains(&flag) || OF_SETTINGS.into_iter().any(is_below) {
        return Automatic::Yes;
    }
    if let Some(option) = OF_OPTIONS.iter().find_map(|prefix| flag.strip_prefix(prefix)) {
        let known = files.options.contains(option);
        return if known { Automatic::Yes } else { Automatic::UnknownOption(option.to_owned()) };
    }
    let Some((endpoint, rest)) = flag.strip_prefix("endpoint.").and_then(|rest| rest.split_once('.')) else {
        return Automatic::No;
    };
    let is_known = files.metadata.endpoints.contains_key(endpoint);
    let is_automatic = OF_ENDPOINTS.contains(&rest) || rest.strip_prefix("changed.").is_some_and(|key| !key.is_empty());
    match (is_known, is_automatic) {
        (true, true) => Automatic::Yes,
        (true, false) => Automatic::No,
        (false, _) => Automatic::UnknownEndpoint(endpoint.to_owned()),
    }
}

/// All automatic flags of the charm whose names can be known.
pub(super) fn all_automatic(files: &Files) -> Vec<String> {
    let fixed = FIXED.iter().map(|name| (*name).to_owned());
    let of_options = files.options.iter().flat_map(|option| OF_OPTIONS.map(|prefix| format!("{prefix}{option}")));
    let endpoints = files.metadata.endpoints.keys();
    let of_endpoints = endpoints.flat_map(|name| OF_ENDPOINTS.map(|flag| format!("endpoint.{name}.{flag}")));
    fixed.chain(of_options).chain(of_endpoints).collect()
}

/// The one of the names that is most like this one, if it is like it at all.
pub(super) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let most = (name.chars().count() / 4).clamp(1, 3);
    let other = names.into_iter().filter(|other| *other != name);
    let near = other.map(|other| (distance(name, other), other)).filter(|(distance, _)| *distance <= most);
    near.min().map(|(_, other)| other)
}

/// ", did you mean `x`?", if there is one.
pub(super) fn meant<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> String {
    nearest(name, names).map_or_else(String::new, |other| format!("; did you mean `{other}`?"))
}

/// How many letters have to be added, removed, changed, or exchanged with the next one.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    for i in 1..=one.len() {
        let mut row = vec![i];
        for j in 1..=other.len() {
            let change = last[j - 1] + usize::from(one[i - 1] != other[j - 1]);
            let mut least = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1] {
                least = least.min(before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_one_that_is_near() {
        let names = ["zookeeper.installed", "zookeeper.started", "leadership.is_leader"];
        assert_eq!(nearest("zookeper.instaled", names), Some("zookeeper.installed"));
        assert_eq!(nearest("zookeeper.installde", names), Some("zookeeper.installed"));
        assert_eq!(nearest("leadership.is_leder", names), Some("leadership.is_leader"));
        assert_eq!(nearest("database.ready", names), None);
        assert_eq!(nearest("a", ["b"]), Some("b"));
    }

    #[test]
    fn automatic_flags_are_those_of_this_charm() {
        let files = Files::of_texts("name: app\nrequires: {web: {interface: http}}\n", &["port"], &[]);
        for yes in
            ["config.changed", "config.set.port", "leadership.set.x", "endpoint.web.joined", "endpoint.web.changed.a"]
        {
            assert_eq!(automatic(yes, &files), Automatic::Yes, "{yes}");
        }
        for no in ["config.set", "leadership.is_leder", "endpoint.web.joind", "web.joined", "leadership.set."] {
            assert_eq!(automatic(no, &files), Automatic::No, "{no}");
        }
        assert_eq!(automatic("config.set.prot", &files), Automatic::UnknownOption("prot".to_owned()));
        assert_eq!(automatic("endpoint.wbe.joined", &files), Automatic::UnknownEndpoint("wbe".to_owned()));
    }
}
