//! What must hold for a handler to run, with names filled in; pure, and printed as the attribute is written.

mod unmet;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use crate::handler::{Quantifier, RestrictedHook};

/// One condition of a handler; a handler runs when all of its conditions hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// On flags.
    Flags(Quantifier, Vec<Cow<'static, str>>),
    /// The hook has one of the names; the texts are what the author wrote, the names what they mean in this charm.
    Hook { patterns: Vec<&'static str>, names: Vec<String> },
    /// The action has one of the names.
    Action(Vec<&'static str>),
    /// The hook is this one of the two that run apart.
    Restricted(RestrictedHook),
    /// One of the files differs from what this handler last succeeded on.
    FileChanged(Vec<&'static str>),
    /// The handler has not succeeded yet.
    OnlyOnce,
    /// The handler is a program, and says so by itself.
    External,
}

/// The part of a hook's run in which a handler can match (rules 1 and 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// `collect-metrics` and `meter-status-changed`, which run apart from everything else.
    Restricted,
    /// The handlers of this hook or action by name.
    Hooks,
    /// The handlers on flags, round by round.
    Other,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restricted => "restricted",
            Self::Hooks => "hooks",
            Self::Other => "other",
        })
    }
}

/// When handlers are tested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'c> {
    pub(crate) phase: Phase,
    /// The flags changed in the round before; none in round 0, in which every handler is considered (rule 6).
    pub(crate) changed: Option<&'c BTreeSet<String>>,
}

/// What conditions are asked of. Asking changes nothing (rule 3).
pub(crate) trait World {
    /// Whether the flag is set.
    fn is_set(&self, flag: &str) -> bool;
    /// Whether the running hook has this name.
    fn is_hook(&self, name: &str) -> bool;
    /// Whether an action of this name is running.
    fn is_action(&self, name: &str) -> bool;
    /// Whether one of the files differs from what the handler of this number last succeeded on.
    fn file_changed(&self, handler: usize, files: &[&'static str]) -> bool;
    /// Whether the handler of this number has succeeded once.
    fn has_succeeded(&self, handler: usize) -> bool;
    /// Whether the program that is the handler of this number wants to run at this moment.
    fn wants_to_run(&self, handler: usize, moment: &Moment<'_>) -> bool;
}

/// All conditions of one handler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Predicate(pub(crate) Vec<Condition>);

impl Predicate {
    /// Whether the handler of this number may run now.
    pub(crate) fn holds(&self, handler: usize, moment: &Moment<'_>, world: &impl World) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Flags(quantifier, flags) => quantifier.holds(flags, world),
            Condition::Hook { names, .. } => names.iter().any(|name| world.is_hook(name)),
            Condition::Action(names) => names.iter().any(|name| world.is_action(name)),
            Condition::Restricted(hook) => world.is_hook(hook.name()),
            Condition::FileChanged(files) => world.file_changed(handler, files),
            Condition::OnlyOnce => !world.has_succeeded(handler),
            Condition::External => world.wants_to_run(handler, moment),
        })
    }

    /// Whether the handler can match in this phase; a program can in each.
    pub(crate) fn can_match_in(&self, phase: Phase) -> bool {
        let phase_of = |condition: &Condition| match condition {
            Condition::Restricted(_) => Phase::Restricted,
            Condition::Hook { .. } | Condition::Action(_) => Phase::Hooks,
            Condition::Flags(..) | Condition::FileChanged(_) | Condition::OnlyOnce => Phase::Other,
            Condition::External => phase,
        };
        self.0.iter().map(phase_of).min().unwrap_or(Phase::Other) == phase
    }

    /// Whether the handler is a program, whose conditions nobody else knows.
    pub(crate) fn is_external(&self) -> bool {
        self.0.contains(&Condition::External)
    }

    /// The flags on which the handler waits, each as often as it is written.
    pub(crate) fn flags(&self) -> impl Iterator<Item = &Cow<'static, str>> {
        self.0.iter().flat_map(|condition| match condition {
            Condition::Flags(_, flags) => flags.as_slice(),
            _ => &[],
        })
    }

    /// Whether something other than flags decides, too, and may change while handlers run.
    pub(crate) fn looks_beyond_flags(&self) -> bool {
        self.0.iter().any(|condition| matches!(condition, Condition::FileChanged(_) | Condition::External))
    }
}

impl Quantifier {
    fn holds(self, flags: &[Cow<'static, str>], world: &impl World) -> bool {
        match self {
            Self::All => flags.iter().all(|flag| world.is_set(flag)),
            Self::Any => flags.iter().any(|flag| world.is_set(flag)),
            Self::None => !flags.iter().any(|flag| world.is_set(flag)),
            Self::NotAll => !flags.iter().all(|flag| world.is_set(flag)),
        }
    }

    fn attribute(self) -> &'static str {
        match self {
            Self::All => "when",
            Self::Any => "when_any",
            Self::None => "when_not",
            Self::NotAll => "when_not_all",
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fn list<T: fmt::Debug>(f: &mut fmt::Formatter<'_>, name: &str, items: &[T]) -> fmt::Result {
            write!(f, "#[{name}(")?;
            for (i, item) in items.iter().enumerate() {
                write!(f, "{}{item:?}", if i == 0 { "" } else { ", " })?;
            }
            f.write_str(")]")
        }
        match self {
            Self::Flags(quantifier, flags) => list(f, quantifier.attribute(), flags),
            Self::Hook { patterns, .. } => list(f, "hook", patterns),
            Self::Action(names) => list(f, "action", names),
            Self::Restricted(RestrictedHook::CollectMetrics) => f.write_str("#[collect_metrics]"),
            Self::Restricted(RestrictedHook::MeterStatusChanged) => f.write_str("#[meter_status_changed]"),
            Self::FileChanged(files) => list(f, "when_file_changed", files),
            Self::OnlyOnce => f.write_str("#[only_once]"),
            Self::External => f.write_str("--test"),
        }
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, condition) in self.0.iter().enumerate() {
            write!(f, "{}{condition}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_printed_as_their_attributes_are_written() {
        let flags = |quantifier| Condition::Flags(quantifier, vec!["a".into(), "b.c".into()]);
        let conditions = [
            (flags(Quantifier::All), r#"#[when("a", "b.c")]"#),
            (flags(Quantifier::Any), r#"#[when_any("a", "b.c")]"#),
            (flags(Quantifier::None), r#"#[when_not("a", "b.c")]"#),
            (flags(Quantifier::NotAll), r#"#[when_not_all("a", "b.c")]"#),
            (
                Condition::Hook {
                    patterns: vec!["{peers:q}-relation-joined"],
                    names: vec!["p-relation-joined".to_owned()],
                },
                r#"#[hook("{peers:q}-relation-joined")]"#,
            ),
            (Condition::Action(vec!["backup"]), r#"#[action("backup")]"#),
            (Condition::Restricted(RestrictedHook::CollectMetrics), "#[collect_metrics]"),
            (Condition::Restricted(RestrictedHook::MeterStatusChanged), "#[meter_status_changed]"),
            (Condition::FileChanged(vec!["zoo.cfg"]), r#"#[when_file_changed("zoo.cfg")]"#),
            (Condition::OnlyOnce, "#[only_once]"),
        ];
        conditions.iter().for_each(|(condition, written)| assert_eq!(condition.to_string(), *written));
        let both = Predicate(vec![flags(Quantifier::All), Condition::OnlyOnce]);
        assert_eq!(both.to_string(), r#"#[when("a", "b.c")] #[only_once]"#);
    }
}
