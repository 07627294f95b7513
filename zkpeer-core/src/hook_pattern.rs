//! Patterns of hooks' names, and the hooks that they mean in a charm.

use crate::error::Error;
use crate::metadata::{Metadata, Role};

/// The hooks that a pattern means in this charm: `{role:interface}` stands for each such endpoint, `{a,b}` for each
/// alternative.
pub(crate) fn hook_names(pattern: &str, metadata: &Metadata) -> Vec<String> {
    let Some((before, inside, after)) = first_group(pattern) else { return vec![pattern.to_owned()] };
    let choices: Vec<&str> = match inside.split_once(':') {
        Some((role, interface)) => match Role::from_name(role) {
            Some(role) => endpoints(metadata, role, interface),
            None => Vec::new(),
        },
        None => inside.split(',').collect(),
    };
    choices.iter().flat_map(|choice| hook_names(&format!("{before}{choice}{after}"), metadata)).collect()
}

/// Before, inside and after the first pair of braces.
fn first_group(pattern: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = pattern.split_once('{')?;
    let (inside, after) = rest.split_once('}')?;
    Some((before, inside, after))
}

fn endpoints<'m>(metadata: &'m Metadata, role: Role, interface: &str) -> Vec<&'m str> {
    let of = metadata.endpoints.values().filter(|endpoint| endpoint.role == role && endpoint.interface == interface);
    of.map(|endpoint| endpoint.name.as_str()).collect()
}

/// Looks whether a pattern can mean anything; those in attributes have been checked by the compiler.
///
/// # Errors
///
/// If it cannot match whatever the charm is: charms.reactive says nothing there (difference D13).
pub(crate) fn check(pattern: &str) -> Result<(), Error> {
    let bad = |reason: String| Err(Error::HookPattern { pattern: pattern.to_owned(), reason });
    let mut rest = pattern;
    while let Some((before, inside, after)) = first_group(rest) {
        if before.contains('}') || inside.contains('{') {
            return bad("its braces do not match".to_owned());
        }
        match inside.split_once(':') {
            Some((role, _)) if Role::from_name(role).is_none() => {
                return bad(format!(
                    "`{role}` is no role: it is `peers`, `provides` or `requires`, as in metadata.yaml"
                ));
            }
            Some((_, interface)) if interface.is_empty() || interface.contains([',', ':']) => {
                return bad(format!("`{interface}` is no interface; `{{role:interface}}` has one of each"));
            }
            None if inside.split(',').any(str::is_empty) => return bad("an alternative in braces is empty".to_owned()),
            _ => {}
        }
        rest = after;
    }
    if pattern.is_empty() {
        return bad("a hook's name is not empty".to_owned());
    }
    if rest.contains(['{', '}']) { bad("its braces do not match".to_owned()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn patterns_of_hooks_are_expanded_in_all_combinations() {
        let text = "name: zk\npeers:\n  a: {interface: quorum}\n  b: {interface: quorum}\n";
        let metadata = Metadata::parse(text, Path::new("metadata.yaml")).unwrap();
        assert_eq!(
            hook_names("{peers:quorum}-relation-{joined,changed}", &metadata),
            ["a-relation-joined", "a-relation-changed", "b-relation-joined", "b-relation-changed"]
        );
        assert_eq!(hook_names("{provides:quorum}-relation-joined", &metadata), Vec::<String>::new());
        assert_eq!(hook_names("install", &metadata), ["install"]);
    }

    #[test]
    fn a_pattern_that_can_mean_nothing_is_refused() {
        for right in ["install", "{peers:q}-relation-{joined,changed}", "a-{b}-c"] {
            assert!(check(right).is_ok(), "{right}");
        }
        let roles = ["{peer:q}-relation-joined", "{peers:}-x", "{peers:a,b}-x", "{peers:a:b}-x"];
        let braces = ["a-{b", "a}-b", "a}-{b}", "{a}-b}", "{a}-{b", "{a{b}}", "{a{b}-c", "}{"];
        for wrong in ["", "{a,}", "{}"].iter().chain(&roles).chain(&braces) {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
