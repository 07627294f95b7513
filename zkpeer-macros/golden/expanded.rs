#[allow(unused)]
/// A handler.
#[rustfmt::zkpeer_handler]
pub(crate) fn start(
    mut flags: Flags,
    peers: Option<ZookeeperPeers>,
    _: Config,
) -> Result {
    flags.set("c");
    Ok(())
}
#[doc(hidden)]
pub(crate) static __zkpeer_start: ::zkpeer_core::__private::HandlerDef = {
    ::zkpeer_core::__private::inventory::submit! {
        ::zkpeer_core::__private::Registration::Handler(& __zkpeer_start)
    }
    ::zkpeer_core::__private::HandlerDef::new(
        ::core::env!("CARGO_PKG_NAME"),
        ::core::module_path!(),
        "start",
        ::core::file!(),
        ::core::line!(),
        &[
            ::zkpeer_core::__private::ConditionDef::Flags(
                ::zkpeer_core::__private::Quantifier::All,
                &[::zkpeer_core::__private::Flag::new("a"), flags::READY],
            ),
            ::zkpeer_core::__private::ConditionDef::Flags(
                ::zkpeer_core::__private::Quantifier::None,
                &[::zkpeer_core::__private::Flag::new("b")],
            ),
        ],
        &[
            ::zkpeer_core::__private::ParamDef::of::<Flags>("flags", "Flags"),
            ::zkpeer_core::__private::ParamDef::of::<
                Option<ZookeeperPeers>,
            >("peers", "Option<ZookeeperPeers>"),
            ::zkpeer_core::__private::ParamDef::of::<Config>("_", "Config"),
        ],
        |call| {
            let param_0 = match <Flags as ::zkpeer_core::__private::FromContext>::from_context(
                call.context(),
                &call.param(0usize),
            ) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    return ::zkpeer_core::__private::not_filled(0usize, rejection);
                }
            };
            let param_1 = match <Option<
                ZookeeperPeers,
            > as ::zkpeer_core::__private::FromContext>::from_context(
                call.context(),
                &call.param(1usize),
            ) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    return ::zkpeer_core::__private::not_filled(1usize, rejection);
                }
            };
            let param_2 = match <Config as ::zkpeer_core::__private::FromContext>::from_context(
                call.context(),
                &call.param(2usize),
            ) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    return ::zkpeer_core::__private::not_filled(2usize, rejection);
                }
            };
            <Result as ::zkpeer_core::__private::HandlerReturn<
                _,
            >>::into_outcome(start(param_0, param_1, param_2))
        },
        &::zkpeer_core::__private::Notes {
            uses: &[
                ::zkpeer_core::__private::FlagUse {
                    what: ::zkpeer_core::__private::What::Sets,
                    flag: ::zkpeer_core::__private::FlagName::Text("c"),
                    line: ::core::line!(),
                    always: true,
                },
            ],
            whole: true,
            declared: false,
            allowed: &[],
        },
    )
};
const _: () = {
    #[when_not(__zkpeer_absorbed)]
    const _: () = ();
};
#[rustfmt::zkpeer_handler]
fn install() {}
#[doc(hidden)]
static __zkpeer_install: ::zkpeer_core::__private::HandlerDef = {
    ::zkpeer_core::__private::inventory::submit! {
        ::zkpeer_core::__private::Registration::Handler(& __zkpeer_install)
    }
    ::zkpeer_core::__private::HandlerDef::new(
        ::core::env!("CARGO_PKG_NAME"),
        ::core::module_path!(),
        "install",
        ::core::file!(),
        ::core::line!(),
        &[
            ::zkpeer_core::__private::ConditionDef::Hook(
                &["install", "{peers:zookeeper-quorum}-relation-{joined,changed}"],
            ),
        ],
        &[],
        |_call| { ::zkpeer_core::__private::HandlerReturn::into_outcome(install()) },
        &::zkpeer_core::__private::Notes {
            uses: &[],
            whole: true,
            declared: false,
            allowed: &[],
        },
    )
};
#[deprecated]
#[rustfmt::zkpeer_handler]
fn once(flags: Flags) -> Result {
    ::zkpeer_core::__private::require(
        &flags,
        &[::zkpeer_core::__private::Flag::new("a")],
        ::core::concat!(::core::module_path!(), "::", "once"),
    )?;
    Ok(())
}
#[doc(hidden)]
#[allow(deprecated)]
static __zkpeer_once: ::zkpeer_core::__private::HandlerDef = {
    ::zkpeer_core::__private::inventory::submit! {
        ::zkpeer_core::__private::Registration::Handler(& __zkpeer_once)
    }
    ::zkpeer_core::__private::HandlerDef::new(
        ::core::env!("CARGO_PKG_NAME"),
        ::core::module_path!(),
        "once",
        ::core::file!(),
        ::core::line!(),
        &[
            ::zkpeer_core::__private::ConditionDef::OnlyOnce(&["reactive/x.py:12:once"]),
            ::zkpeer_core::__private::ConditionDef::FileChanged(&["/etc/hosts", PATH]),
        ],
        &[::zkpeer_core::__private::ParamDef::of::<Flags>("_", "Flags")],
        |call| {
            let param_0 = match <Flags as ::zkpeer_core::__private::FromContext>::from_context(
                call.context(),
                &call.param(0usize),
            ) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    return ::zkpeer_core::__private::not_filled(0usize, rejection);
                }
            };
            <Result as ::zkpeer_core::__private::HandlerReturn<
                _,
            >>::into_outcome(once(param_0))
        },
        &::zkpeer_core::__private::Notes {
            uses: &[
                ::zkpeer_core::__private::FlagUse {
                    what: ::zkpeer_core::__private::What::Reads,
                    flag: ::zkpeer_core::__private::FlagName::Text("a"),
                    line: ::core::line!(),
                    always: false,
                },
            ],
            whole: true,
            declared: false,
            allowed: &[],
        },
    )
};
const _: () = {
    #[when_file_changed(__zkpeer_absorbed)]
    const _: () = ();
    #[not_unless(__zkpeer_absorbed)]
    const _: () = ();
};
pub fn guarded(&self, x: u8, flags: Flags) -> Result<u8, Error> {
    #![allow(unused)]
    const _: () = {
        ::zkpeer_core::__private::inventory::submit! {
            ::zkpeer_core::__private::Registration::Function(&
            ::zkpeer_core::__private::FunctionDef { module : ::core::module_path!(), name
            : "guarded", file : ::core::file!(), line : ::core::line!(), notes :
            ::zkpeer_core::__private::Notes { uses : & [::zkpeer_core::__private::FlagUse
            { what : ::zkpeer_core::__private::What::Reads, flag :
            ::zkpeer_core::__private::FlagName::Text("a"), line : ::core::line!(), always
            : false }, ::zkpeer_core::__private::FlagUse { what :
            ::zkpeer_core::__private::What::Reads, flag :
            ::zkpeer_core::__private::FlagName::Of(|| { #[allow(unused_imports)] use
            ::zkpeer_core::__private:: { Named as _, Nameless as _ }; (&
            ::zkpeer_core::__private::Maybe(& READY)).flag_name() }), line :
            ::core::line!(), always : false }], whole : true, declared : false, allowed :
            & [] }, })
        }
    };
    ::zkpeer_core::__private::require(
        &flags,
        &[::zkpeer_core::__private::Flag::new("a"), READY],
        ::core::concat!(::core::module_path!(), "::", "guarded"),
    )?;
    Ok(x)
}
#[allow(dead_code)]
fn wrong(name: String) {}
#[doc(hidden)]
static __zkpeer_wrong: ::zkpeer_core::__private::HandlerDef = {
    ::zkpeer_core::__private::HandlerDef::new(
        ::core::env!("CARGO_PKG_NAME"),
        ::core::module_path!(),
        "wrong",
        ::core::file!(),
        ::core::line!(),
        &[
            ::zkpeer_core::__private::ConditionDef::Flags(
                ::zkpeer_core::__private::Quantifier::All,
                &[],
            ),
        ],
        &[::zkpeer_core::__private::ParamDef::of::<String>("name", "String")],
        |call| {
            let param_0 = match <String as ::zkpeer_core::__private::FromContext>::from_context(
                call.context(),
                &call.param(0usize),
            ) {
                ::core::result::Result::Ok(value) => value,
                ::core::result::Result::Err(rejection) => {
                    return ::zkpeer_core::__private::not_filled(0usize, rejection);
                }
            };
            ::zkpeer_core::__private::HandlerReturn::into_outcome(wrong(param_0))
        },
        &::zkpeer_core::__private::Notes {
            uses: &[],
            whole: true,
            declared: false,
            allowed: &[],
        },
    )
};
::core::compile_error! {
    "a flag's name has no white space or control characters"
}
#[allow(dead_code)]
async fn very_wrong<T>(name: T) {}
#[doc(hidden)]
static __zkpeer_very_wrong: ::zkpeer_core::__private::HandlerDef = {
    ::zkpeer_core::__private::HandlerDef::new(
        ::core::env!("CARGO_PKG_NAME"),
        ::core::module_path!(),
        "very_wrong",
        ::core::file!(),
        ::core::line!(),
        &[
            ::zkpeer_core::__private::ConditionDef::Restricted(
                ::zkpeer_core::__private::RestrictedHook::CollectMetrics,
            ),
            ::zkpeer_core::__private::ConditionDef::Flags(
                ::zkpeer_core::__private::Quantifier::All,
                &[::zkpeer_core::__private::Flag::new("a")],
            ),
        ],
        &[],
        |_| ::zkpeer_core::__private::Outcome::Done,
        &::zkpeer_core::__private::Notes {
            uses: &[],
            whole: true,
            declared: false,
            allowed: &[],
        },
    )
};
const _: () = {
    #[when(__zkpeer_absorbed)]
    const _: () = ();
};
::core::compile_error! {
    "`collect_metrics` and `when` on one function can never match: Juju runs the hook `collect-metrics` by itself, and only the handlers with `#[collect_metrics]` are looked at then; give it a function of its own"
}
::core::compile_error! {
    "a handler is not `async`: one runs after the other, and nothing else while it does"
}
::core::compile_error! {
    "a handler has no type parameters: a handler's parameters are found by their types, so they are written out"
}
