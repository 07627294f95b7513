//! Why a handler cannot run now: the first of its conditions that does not hold, in words.

use std::fmt::Display;

use super::{Condition, Predicate, World};
use crate::handler::Quantifier;

impl Predicate {
    /// The first condition that does not hold, in the order in which [`holds`](Self::holds) asks; none if all hold. A program
    /// is not asked again: it has just been.
    pub(crate) fn unmet(&self, handler: usize, world: &impl World) -> Option<String> {
        self.0.iter().find_map(|condition| condition.unmet(handler, world))
    }
}

impl Condition {
    fn unmet(&self, handler: usize, world: &impl World) -> Option<String> {
        match self {
            Self::Flags(quantifier, flags) => quantifier.unmet(flags, world),
            Self::Hook { names, patterns } if names.is_empty() => {
                Some(format!("no hook of this charm is called {}", listed(patterns, "or")))
            }
            Self::Hook { names, .. } => {
                let runs = names.iter().any(|name| world.is_hook(name));
                (!runs).then(|| format!("it is for the hook {}", listed(names, "or")))
            }
            Self::Action(names) => {
                let runs = names.iter().any(|name| world.is_action(name));
                (!runs).then(|| format!("it is for the action {}", listed(names, "or")))
            }
            Self::Restricted(hook) => {
                (!world.is_hook(hook.name())).then(|| format!("it is for the hook `{}`", hook.name()))
            }
            Self::FileChanged(files) => (!world.file_changed(handler, files))
                .then(|| format!("{} is as it was when the handler last succeeded", listed(files, "and"))),
            Self::OnlyOnce => world.has_succeeded(handler).then(|| "it has succeeded once".to_owned()),
            Self::External => Some("its `--test` did not ask for it".to_owned()),
        }
    }
}

impl Quantifier {
    fn unmet(self, flags: &[impl AsRef<str>], world: &impl World) -> Option<String> {
        let names: Vec<&str> = flags.iter().map(AsRef::as_ref).collect();
        let first = |set: bool| names.iter().find(|flag| world.is_set(flag) == set);
        match self {
            Self::All => first(false).map(|flag| format!("`{flag}` is not set")),
            Self::None => first(true).map(|flag| format!("`{flag}` is set")),
            Self::Any if first(true).is_some() => None,
            Self::Any => Some(format!("none of {} is set", listed(&names, "and"))),
            Self::NotAll if first(false).is_some() => None,
            Self::NotAll => Some(format!("{} are set", listed(&names, "and"))),
        }
    }
}

/// "`a`, `b` or `c`".
fn listed(items: &[impl Display], last: &str) -> String {
    let mut text = String::new();
    for (i, item) in items.iter().enumerate() {
        let before = match i {
            0 => String::new(),
            _ if i + 1 == items.len() => format!(" {last} "),
            _ => ", ".to_owned(),
        };
        text.push_str(&format!("{before}`{item}`"));
    }
    text
}
