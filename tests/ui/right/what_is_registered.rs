//! What the attributes say arrives as data, once for each function.

use zkpeer_core::__private::{Registration, inventory};
use zkpeer_core::{
    ConditionDef, Flag, Flags, HandlerDef, Quantifier, RestrictedHook, Result, action, collect_metrics, flag, handlers,
    hook, meter_status_changed, not_unless, only_once, when, when_all, when_any, when_file_changed, when_none,
    when_not, when_not_all,
};

mod flags {
    use zkpeer_core::{Flag, flag};
    pub const READY: Flag = flag!("ready");
}
const PATH: &str = "/etc/hosts";
const TEMPLATE: Flag = flag!("{relation_name}.joined");

#[when("a", flags::READY, TEMPLATE)]
#[when_all("b")]
#[when_any("c", "d")]
#[when_not("e")]
#[when_none("f")]
#[when_not_all("g", "h")]
#[when_file_changed("/etc/passwd", PATH)]
#[only_once(was = ["reactive/x.py:1:all", "reactive/x.py:2:all"], was = "x.py:3:all")]
fn all() {}

#[only_once]
fn once() {}

#[only_once()]
fn once_too() {}

#[hook("install", "{peers:zookeeper-quorum}-relation-{joined,changed}")]
#[not_unless("a")]
fn hooks(first: Option<Flags>, mut flags: Flags, _: Flags) -> Result {
    drop(first);
    flags = flags.clone();
    drop(flags);
    Ok(())
}

#[action("backup", "restore")]
fn actions() {}

#[collect_metrics]
fn metrics() {}

#[meter_status_changed()]
fn meter() {}

#[when("raw")]
fn r#type(r#in: Flags) {
    drop(r#in);
}

// A flag, a pattern, a function and its type that come out of an author's macro.
macro_rules! handler {
    ($vis:vis $name:ident, $flag:literal, $path:path, $other:expr, $ty:ty) => {
        #[when($flag, $path, $other)]
        $vis fn $name(param: $ty) {
            drop(param);
        }
    };
}
handler!(pub(crate) from_macro, "m", flags::READY, "n", Option<Flags>);

fn find(handlers: &[&'static HandlerDef], name: &str) -> &'static HandlerDef {
    handlers.iter().find(|handler| handler.name == name).unwrap()
}

fn main() {
    let registered: Vec<&'static HandlerDef> = inventory::iter::<Registration>()
        .filter_map(|registration| match registration {
            Registration::Handler(handler) if handler.crate_name() != "zkpeer_core" => Some(*handler),
            _ => None,
        })
        .collect();
    let listed = handlers![all, once, once_too, hooks, actions, metrics, meter, r#type, from_macro];
    assert_eq!(registered.len(), listed.len());
    for handler in listed {
        assert_eq!(registered.iter().filter(|other| std::ptr::eq(**other, *handler)).count(), 1, "{handler}");
        assert_eq!(handler.module, module_path!());
        assert_eq!(handler.package, env!("CARGO_PKG_NAME"));
        assert!(handler.file.ends_with("what_is_registered.rs"), "{handler}");
        let source = include_str!("what_is_registered.rs").lines().nth(handler.line as usize - 1).unwrap();
        assert!(source.contains(handler.name) || handler.name == "r#type", "{handler}: {source}");
    }

    let is = |name: &str, wanted: &[ConditionDef]| {
        let mut conditions = find(listed, name).conditions.to_vec();
        let mut wanted = wanted.to_vec();
        conditions.sort_by_key(|condition| format!("{condition:?}"));
        wanted.sort_by_key(|condition| format!("{condition:?}"));
        assert_eq!(conditions, wanted, "{name}");
    };
    is(
        "all",
        &[
            ConditionDef::Flags(Quantifier::All, &[flag!("a"), flag!("ready"), flag!("{relation_name}.joined")]),
            ConditionDef::Flags(Quantifier::All, &[flag!("b")]),
            ConditionDef::Flags(Quantifier::Any, &[flag!("c"), flag!("d")]),
            ConditionDef::Flags(Quantifier::None, &[flag!("e")]),
            ConditionDef::Flags(Quantifier::None, &[flag!("f")]),
            ConditionDef::Flags(Quantifier::NotAll, &[flag!("g"), flag!("h")]),
            ConditionDef::FileChanged(&["/etc/passwd", "/etc/hosts"]),
            ConditionDef::OnlyOnce(&["reactive/x.py:1:all", "reactive/x.py:2:all", "x.py:3:all"]),
        ],
    );
    is("once", &[ConditionDef::OnlyOnce(&[])]);
    is("once_too", &[ConditionDef::OnlyOnce(&[])]);
    is("hooks", &[ConditionDef::Hook(&["install", "{peers:zookeeper-quorum}-relation-{joined,changed}"])]);
    is("actions", &[ConditionDef::Action(&["backup", "restore"])]);
    is("metrics", &[ConditionDef::Restricted(RestrictedHook::CollectMetrics)]);
    is("meter", &[ConditionDef::Restricted(RestrictedHook::MeterStatusChanged)]);
    is("from_macro", &[ConditionDef::Flags(Quantifier::All, &[flag!("m"), flag!("ready"), flag!("n")])]);

    let params = |name: &str| {
        find(listed, name).params.iter().map(|param| (param.name, param.type_name, param.optional)).collect::<Vec<_>>()
    };
    assert_eq!(params("hooks"), [("first", "Option<Flags>", true), ("flags", "Flags", false), ("_", "Flags", false)]);
    assert_eq!(params("type"), [("in", "Flags", false)]);
    assert_eq!(params("from_macro"), [("param", "Option<Flags>", true)]);
    assert_eq!(find(listed, "type").path(), format!("{}::type", module_path!()));
}
