//! Attributes and function to a checked handler: every rule, and all the mistakes at once.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::{FnArg, Pat, ReturnType, Safety, Type};

use crate::parse::{Allowance, Applied, Arg, Arguments, Errors, Function, Kind};
use crate::uses::What;

/// What a method is told.
pub(crate) const NO_METHOD: &str = "a handler is a free function, not a method: there is no `self` to call it on; move \
                                    it out of the `impl` and ask for what it needs as parameters";

/// A function with attributes, checked.
pub(crate) struct Handler {
    /// What must hold for it to run; empty if it is no handler, only guarded.
    pub(crate) conditions: Vec<Applied>,
    /// What `not_unless` asks for.
    pub(crate) guard: Option<Guard>,
    /// What `sets`, `clears` and `reads` say.
    pub(crate) declared: Vec<Declared>,
    pub(crate) allowed: Vec<Allowance>,
    pub(crate) params: Vec<Param>,
    /// Whether calls of the function can be emitted; not, if its signature is at fault.
    pub(crate) callable: bool,
}

/// `not_unless`
pub(crate) struct Guard {
    pub(crate) wanted: Vec<Arg>,
    /// Which parameter is of type `Flags`.
    pub(crate) param: usize,
}

/// `sets`, `clears`, `reads`
pub(crate) struct Declared {
    pub(crate) what: What,
    pub(crate) flags: Vec<Arg>,
}

/// A parameter.
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) ty: Type,
}

/// Checks everything that can be seen from here.
pub(crate) fn check(applied: Vec<Applied>, function: &Function, errors: &mut Errors) -> Handler {
    let (applied, declared, allowed) = apart(applied);
    never_together(&applied, errors);
    contradictions(&applied, errors);

    let (guards, conditions): (Vec<Applied>, Vec<Applied>) =
        applied.into_iter().partition(|attribute| attribute.kind == Kind::NotUnless);
    let is_handler = !conditions.is_empty();
    let before = errors.len();
    if is_handler {
        signature(function, errors);
    }
    let callable = errors.len() == before;
    let guard = guard(guards, function, errors);
    let params = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(param) => {
            let name = match &*param.pat {
                Pat::Ident(name) => name.ident.unraw().to_string(),
                _ => "_".to_owned(),
            };
            Some(Param { name, ty: (*param.ty).clone() })
        }
        FnArg::Receiver(_) => None,
    });
    Handler { conditions, guard, declared, allowed, params: params.collect(), callable }
}

/// What decides when the function runs, and what is only said of it.
fn apart(applied: Vec<Applied>) -> (Vec<Applied>, Vec<Declared>, Vec<Allowance>) {
    let (mut conditions, mut declared, mut allowed) = (Vec::new(), Vec::new(), Vec::new());
    for attribute in applied {
        let what = match attribute.kind {
            Kind::Sets => What::Sets,
            Kind::Clears => What::Clears,
            _ => What::Reads,
        };
        match (attribute.kind, attribute.arguments) {
            (Kind::Sets | Kind::Clears | Kind::Reads, Arguments::Flags(flags)) => {
                declared.push(Declared { what, flags })
            }
            (_, Arguments::Allowance(allowance)) => allowed.extend(allowance),
            (kind, arguments) => conditions.push(Applied { kind, place: attribute.place, arguments }),
        }
    }
    (conditions, declared, allowed)
}

/// When handlers of an attribute are tested (design, rules 1 and 2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Restricted,
    Hooks,
    Other,
    /// `not_unless` asks in the call.
    Call,
}

fn phase(kind: Kind) -> Phase {
    match kind {
        Kind::CollectMetrics | Kind::MeterStatusChanged => Phase::Restricted,
        Kind::Hook | Kind::Action => Phase::Hooks,
        Kind::NotUnless => Phase::Call,
        _ => Phase::Other,
    }
}

/// Attributes that can never match together, and those that stand only once.
fn never_together(applied: &[Applied], errors: &mut Errors) {
    for (at, attribute) in applied.iter().enumerate() {
        let name = attribute.kind.name();
        if applied[..at].iter().any(|other| other.kind == attribute.kind) {
            let instead = match attribute.kind {
                Kind::Hook => {
                    "both would have to match, and there is one hook at a time: give one `hook` all the names"
                }
                Kind::Action => {
                    "both would have to match, and there is one action at a time: give one `action` all the names"
                }
                Kind::OnlyOnce => "once is enough; it takes several `was`",
                Kind::NotUnless => "give one `not_unless` all the flags",
                Kind::CollectMetrics | Kind::MeterStatusChanged => "once is enough",
                _ => continue,
            };
            errors.push(&attribute.place, format_args!("`{name}` stands twice on this function: {instead}"));
        }
    }

    let of_phase = |wanted: Phase| applied.iter().position(|attribute| phase(attribute.kind) == wanted);
    if let Some(restricted) = of_phase(Phase::Restricted) {
        let kind = applied[restricted].kind;
        if let Some(other) = applied.iter().position(|attribute| attribute.kind != kind) {
            let later = &applied[restricted.max(other)];
            if applied[other].kind == Kind::NotUnless {
                errors.push(
                    &later.place,
                    format_args!(
                        "`{0}` and `not_unless` do not stand on one function: the hook `{1}` runs apart from all flags; \
                         call a function with `not_unless` elsewhere",
                        kind.name(),
                        kind.name().replace('_', "-"),
                    ),
                );
                return;
            }
            errors.push(
                &later.place,
                format_args!(
                    "`{0}` and `{1}` on one function can never match: Juju runs the hook `{2}` by itself, and only the \
                     handlers with `#[{0}]` are looked at then; give it a function of its own",
                    kind.name(),
                    applied[other].kind.name(),
                    kind.name().replace('_', "-"),
                ),
            );
        }
        return;
    }
    let of_kind = |kind: Kind| applied.iter().position(|attribute| attribute.kind == kind);
    if let (Some(hook), Some(action)) = (of_kind(Kind::Hook), of_kind(Kind::Action)) {
        errors.push(
            &applied[hook.max(action)].place,
            "`hook` and `action` on one function can never match: a run is for a hook or for an action, never for \
             both; write two functions",
        );
    }
    if let (Some(hook), Some(other)) = (of_phase(Phase::Hooks), of_phase(Phase::Other)) {
        let (of_hook, of_other) = (applied[hook].kind, applied[other].kind);
        let instead = match (of_hook, of_other) {
            (_, Kind::OnlyOnce) => "put `only_once` on a function without it, beside `when` or alone".to_owned(),
            (_, Kind::WhenFileChanged) => "put `when_file_changed` on a function of its own".to_owned(),
            _ => format!(
                "let a function with `{}` set a flag, and one with `{}` wait for it; or ask for `Flags` and look",
                of_hook.name(),
                of_other.name()
            ),
        };
        errors.push(
            &applied[hook.max(other)].place,
            format_args!(
                "`{}` and `{}` on one function can never match: the first is looked at in the phase `hooks`, the \
                 second in the phase `other` after it; {instead}",
                of_hook.name(),
                of_other.name()
            ),
        );
    }
}

/// Flags that would have to be set and not set.
fn contradictions(applied: &[Applied], errors: &mut Errors) {
    // Each flag with the name of the attribute that wants it so.
    let mut set: Vec<(String, &'static str)> = Vec::new();
    let mut unset: Vec<(String, &'static str)> = Vec::new();
    let contradicts = |flag: &Arg, name: &str, other: &str| {
        format!("`{name}` and `{other}` with the same flag {} can never match: it is set, or it is not", flag.shown())
    };
    let find = |list: &[(String, &'static str)], flag: &Arg| {
        let key = flag.key();
        list.iter().find(|(other, _)| *other == key).map(|(_, name)| *name)
    };

    let mut alternatives = Vec::new();
    for attribute in applied {
        let Arguments::Flags(flags) = &attribute.arguments else { continue };
        let name = attribute.kind.name();
        let wants_set = match (attribute.kind, flags.len()) {
            (Kind::When | Kind::WhenAll, _) | (Kind::WhenAny, 1) => true,
            (Kind::WhenNot | Kind::WhenNone, _) | (Kind::WhenNotAll, 1) => false,
            (Kind::WhenAny | Kind::WhenNotAll, 2..) => {
                alternatives.push((attribute.kind, flags));
                continue;
            }
            _ => continue,
        };
        for flag in flags {
            let (same, opposite) = if wants_set { (&mut set, &unset) } else { (&mut unset, &set) };
            match find(opposite, flag) {
                Some(other) => errors.push(flag, contradicts(flag, name, other)),
                None => same.push((flag.key(), name)),
            }
        }
    }
    for (kind, flags) in alternatives {
        let opposite = if kind == Kind::WhenAny { &unset } else { &set };
        let others: Option<Vec<&str>> = flags.iter().map(|flag| find(opposite, flag)).collect();
        if let Some(other) = others.and_then(|names| names.first().copied()) {
            let list: TokenStream = flags.iter().flat_map(|flag| [flag.to_token_stream(), quote::quote!(,)]).collect();
            let why = if kind == Kind::WhenAny { "not one of them may be set" } else { "all of them must be set" };
            errors.push(
                without_last(list),
                format_args!("`{}` with these flags can never match: `{other}` says that {why}", kind.name()),
            );
        }
    }
}

fn without_last(tokens: TokenStream) -> TokenStream {
    let mut tokens: Vec<TokenTree> = tokens.into_iter().collect();
    tokens.pop();
    tokens.into_iter().collect()
}

/// What a handler's signature cannot be.
fn signature(function: &Function, errors: &mut Errors) {
    let sig = &function.sig;
    if let Some(token) = &sig.asyncness {
        errors.push(token, "a handler is not `async`: one runs after the other, and nothing else while it does");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors
            .push(token, "a handler is not `unsafe`: it is called with whatever the hook finds; put the block inside");
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi, "a handler is not `extern`: it is called from Rust");
    }
    for param in &sig.generics.params {
        let (what, instead) = match param {
            syn::GenericParam::Lifetime(_) => ("lifetime", "a handler's parameters are taken by value"),
            syn::GenericParam::Type(_) => {
                ("type", "a handler's parameters are found by their types, so they are written out")
            }
            syn::GenericParam::Const(_) => ("constant", "nobody is there to choose it"),
        };
        errors.push(param, format_args!("a handler has no {what} parameters: {instead}"));
    }
    if let (Some(clause), true) = (&sig.generics.where_clause, sig.generics.params.is_empty()) {
        errors.push(
            clause.where_token,
            "a handler has no `where`: its parameters are found by their types, which are written out",
        );
    }
    if let Some(variadic) = &sig.variadic {
        errors.push(variadic, "a handler has no `...`: each of its parameters is found by its type");
    }
    for input in &sig.inputs {
        match input {
            FnArg::Receiver(receiver) => errors.push(receiver, NO_METHOD),
            FnArg::Typed(param) => {
                for attribute in &param.attrs {
                    if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
                        errors.push(
                            attribute,
                            "a handler's parameter is not under `cfg`: write the function twice, each under its `cfg`",
                        );
                    }
                }
                if let Some(token) = find_impl(param.ty.to_token_stream()) {
                    errors.push(
                        token,
                        "a handler's parameter is not `impl Trait`: parameters are found by their types, so write the type",
                    );
                }
            }
        }
    }
    if let ReturnType::Type(_, ty) = &sig.output
        && let Type::ImplTrait(ty) = &**ty
    {
        errors.push(ty, "a handler does not return `impl Trait`: it returns nothing or a `Result<(), E>`, written out");
    }
}

fn find_impl(tokens: TokenStream) -> Option<TokenTree> {
    tokens.into_iter().find_map(|token| match &token {
        TokenTree::Ident(word) if word == "impl" => Some(token),
        TokenTree::Group(group) => find_impl(group.stream()),
        _ => None,
    })
}

/// The guard of `not_unless`, if it stands there and the function can have it.
fn guard(guards: Vec<Applied>, function: &Function, errors: &mut Errors) -> Option<Guard> {
    let Applied { arguments: Arguments::Flags(wanted), .. } = guards.into_iter().next()? else { return None };
    let sig = &function.sig;
    if let Some(token) = &sig.constness {
        errors.push(token, "`not_unless` looks at the flags when the function is called: it cannot be `const`");
    }
    match &sig.output {
        ReturnType::Default => errors.push(
            &sig.ident,
            "`not_unless` returns an error when the flags are not set, and this function returns nothing: let it \
             return `zkpeer_core::Result`",
        ),
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(_) | Type::Macro(_) | Type::Group(_) => {}
            other => errors.push(
                other,
                "`not_unless` returns an error when the flags are not set: let the function return a `Result`",
            ),
        },
    }
    let is_flags = |ty: &Type| match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Flags"),
        _ => false,
    };
    let param = sig.inputs.iter().position(|input| matches!(input, FnArg::Typed(param) if is_flags(&param.ty)));
    let Some(param) = param else {
        errors.push(&sig.ident, "`not_unless` looks at the flags: give this function a parameter of type `Flags`");
        return None;
    };
    if let Some(FnArg::Typed(typed)) = sig.inputs.iter().nth(param)
        && !matches!(&*typed.pat, Pat::Ident(name) if name.subpat.is_none())
        && !matches!(&*typed.pat, Pat::Wild(_))
    {
        errors.push(&typed.pat, "`not_unless` looks at this parameter: give it a name");
        return None;
    }
    Some(Guard { wanted, param })
}
