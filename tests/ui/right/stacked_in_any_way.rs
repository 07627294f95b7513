//! However the attributes are stacked, written, imported or switched, a function is one handler.
#![deny(warnings, dead_code)]

use zkpeer_core::__private::{Registration, inventory};
use zkpeer_core::{HandlerDef, Quantifier, handlers, when, when_any, when_not};

#[when("a")]
#[when_not("b")]
#[when_any("c", "d")]
fn in_order() {}

#[when_any("c", "d")]
#[when_not("b")]
#[when("a")]
fn turned_round() {}

#[zkpeer_core::when("a")]
#[zkpeer_core::when_not("b")]
#[::zkpeer_core::when_any("c", "d")]
fn by_path() {}

/// With documentation and lints between.
#[when("a")]
/// And here.
#[allow(dead_code)]
#[when_not("b")]
#[inline]
#[when_any("c", "d")]
fn with_others_between() {}

mod renamed {
    use zkpeer_core::when as wait_for;
    use zkpeer_core::when_not;

    #[wait_for("a")]
    #[when_not("b")]
    #[zkpeer_core::when_any("c", "d")]
    pub(crate) fn outermost() {}

    #[wait_for("a")]
    #[cfg_attr(all(), when_not("b"))]
    #[zkpeer_core::when_any("c", "d")]
    pub(crate) fn outermost_with_cfg_attr() {}

    #[wait_for("alone")]
    pub(crate) fn alone() {}
}

#[cfg_attr(all(), when("a"))]
#[when_not("b")]
#[when_any("c", "d")]
fn cfg_attr_first() {}

#[when("a")]
#[cfg_attr(all(), when_not("b"))]
#[when_any("c", "d")]
fn cfg_attr_between() {}

#[when("a")]
#[when_not("b")]
#[cfg_attr(all(), zkpeer_core::when_any("c", "d"))]
fn cfg_attr_last() {}

#[cfg_attr(all(), when("a"))]
#[cfg_attr(all(), cfg_attr(all(), when_not("b")))]
#[cfg_attr(all(), when_any("c", "d"), allow(dead_code))]
fn cfg_attr_only() {}

#[when("a")]
#[cfg_attr(any(), when("never"), broken)]
#[when_not("b")]
#[cfg_attr(any(), when_not("never"))]
#[when_any("c", "d")]
#[cfg(all())]
fn cfg_attr_off() {}

#[when("never")]
#[cfg(any())]
fn cfg_after() {}

#[cfg(any())]
#[when("never")]
fn cfg_before() {}

#[when("never")]
#[cfg_attr(all(), cfg(any()))]
fn cfg_in_cfg_attr() {}

/// The same name under opposite `cfg`s.
#[when("a")]
#[when_not("b")]
#[cfg(all())]
#[when_any("c", "d")]
fn twins() {}

#[when("never")]
#[cfg(not(all()))]
fn twins() {}

/// Here the only attribute is switched off: no handler.
#[cfg_attr(any(), when("never"))]
fn no_handler() {}

fn main() {
    no_handler();
    let same = handlers![
        in_order,
        turned_round,
        by_path,
        with_others_between,
        renamed::outermost,
        renamed::outermost_with_cfg_attr,
        cfg_attr_first,
        cfg_attr_between,
        cfg_attr_last,
        cfg_attr_only,
        cfg_attr_off,
        twins,
    ];
    for handler in same {
        let mut conditions: Vec<String> = handler.conditions.iter().map(|condition| format!("{condition:?}")).collect();
        conditions.sort();
        let wanted = [(Quantifier::All, "a"), (Quantifier::Any, "c"), (Quantifier::None, "b")];
        assert_eq!(conditions.len(), 3, "{handler}: {conditions:?}");
        for (condition, (quantifier, flag)) in conditions.iter().zip(wanted) {
            assert!(condition.starts_with(&format!("Flags({quantifier:?}, [Flag({flag:?})")), "{handler}: {condition}");
        }
    }
    let registered: Vec<&'static HandlerDef> = inventory::iter::<Registration>()
        .filter_map(|registration| match registration {
            Registration::Handler(handler) if handler.crate_name() != "zkpeer_core" => Some(*handler),
            _ => None,
        })
        .collect();
    assert_eq!(registered.len(), same.len() + handlers![renamed::alone].len());
}
