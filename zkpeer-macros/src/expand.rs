//! A checked handler to tokens. With mistakes: the function as it was, and the messages.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, LitStr, Pat, Path, ReturnType, Token};

use crate::model::{self, Guard, Handler, Param};
use crate::parse::{Allowance, Applied, Arg, Arguments, CrateNames, Errors, Function, HandlerPaths, Item, Kind};
use crate::pattern;
use crate::uses::{self, Uses, What};

/// Inert for the compiler, which leaves to `rustfmt` what begins with its name; and seen by a later attribute of ours
/// that this one did not know, because it was imported under another name.
fn marker() -> TokenStream {
    quote!(#[rustfmt::zkpeer_handler])
}

fn is_marker(attribute: &Attribute) -> bool {
    let segments = &attribute.path().segments;
    segments.len() == 2 && segments[0].ident == "rustfmt" && segments[1].ident == "zkpeer_handler"
}

/// The argument with which an attribute that another has absorbed is called again, on an empty item: so that the
/// compiler looks up its path, counts its import as used, and says so when there is no such attribute.
const ABSORBED: &str = "__zkpeer_absorbed";

fn look_up(absorbed: &[&Attribute]) -> TokenStream {
    if absorbed.is_empty() {
        return TokenStream::new();
    }
    let paths = absorbed.iter().map(|attribute| attribute.path());
    let argument = Ident::new(ABSORBED, Span::call_site());
    quote! {
        const _: () = {
            #(#[#paths(#argument)] const _: () = ();)*
        };
    }
}

/// An attribute on an item.
pub(crate) fn attribute(kind: Kind, arguments: TokenStream, item: TokenStream) -> TokenStream {
    if syn::parse2::<Ident>(arguments.clone()).is_ok_and(|argument| argument == ABSORBED) {
        return TokenStream::new();
    }
    let item = match syn::parse2::<Item>(item.clone()) {
        Ok(item) => item,
        Err(error) => {
            let error = error.to_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let place = Ident::new(kind.name(), authors(Span::call_site(), &item.rest));
    let mut applied = vec![Applied::outermost(kind, place, arguments, &mut errors)];
    let mut absorbed = Vec::new();
    let mut attrs = Vec::new();
    let mut marked = false;
    for attribute in &item.attrs {
        marked |= is_marker(attribute);
        match Kind::from_path(attribute.path()) {
            Some(kind) => {
                applied.push(Applied::absorbed(kind, attribute, &mut errors));
                absorbed.push(attribute);
            }
            None => attrs.push(attribute.clone()),
        }
    }
    if marked {
        let place = &applied[0].place;
        let name = kind.name();
        errors.push(
            place,
            format_args!(
                "this is `{name}` under another name, and another attribute has already made a handler of this \
                 function: the attributes keep their names so that they can be stacked; write `#[zkpeer_core::{name}(..)]`"
            ),
        );
        return unchanged(&attrs, &item, &errors, look_up(&absorbed));
    }

    let function = match item.function(kind, attrs.clone()) {
        Ok(function) => function,
        Err(error) => {
            errors.add(error);
            return unchanged(&attrs, &item, &errors, TokenStream::new());
        }
    };
    if let Some(receiver) = function.sig.receiver()
        && applied.iter().any(|attribute| attribute.kind.is_condition())
    {
        // Within an `impl` nothing can stand beside the function.
        errors.push(receiver, model::NO_METHOD);
        return unchanged(&attrs, &item, &errors, TokenStream::new());
    }
    let handler = model::check(applied, &function, &mut errors);
    handler_tokens(&handler, function, &errors, look_up(&absorbed))
}

/// The item without our attributes, and the messages.
fn unchanged(attrs: &[Attribute], item: &Item, errors: &Errors, beside: TokenStream) -> TokenStream {
    let errors = errors.to_compile_errors();
    let rest = &item.rest;
    quote!(#(#attrs)* #rest #beside #errors)
}

/// The function, and beside it what makes it a handler.
fn handler_tokens(handler: &Handler, mut function: Function, errors: &Errors, look_up: TokenStream) -> TokenStream {
    let mut beside = TokenStream::new();
    let notes = notes(handler, &function);
    if !handler.conditions.is_empty() {
        let hidden = hidden_name(&function.sig.ident);
        let registration = errors.is_empty().then(|| {
            quote! {
                ::zkpeer_core::__private::inventory::submit! {
                    ::zkpeer_core::__private::Registration::Handler(&#hidden)
                }
            }
        });
        beside = definition(handler, &function, &hidden, registration, &notes);
        beside.extend(look_up.clone());
    }
    if !errors.is_empty() {
        let errors = errors.to_compile_errors();
        return quote!(#[allow(dead_code)] #function #beside #errors);
    }
    if let Some(guard) = &handler.guard {
        insert(guard, &mut function);
    }
    if handler.conditions.is_empty() {
        register(&notes, look_up, &mut function);
        return function.into_token_stream();
    }
    let Function { attrs, vis, sig, body } = &function;
    let marker = marker();
    quote!(#(#attrs)* #marker #vis #sig #body #beside)
}

/// The item that `handlers!` names. Its name is the macro's own, so that no lint about names looks at it.
fn hidden_name(function: &Ident) -> Ident {
    Ident::new(&format!("__zkpeer_{}", function.unraw()), ours(function.span()))
}

/// At the place of `span`, but as if the author had written it: messages do not speak of macros then.
fn authors(span: Span, item: &TokenStream) -> Span {
    item.clone().into_iter().next().map_or(span, |token| span.resolved_at(token.span()))
}

/// At the place of `span`, but with the names and lints of the macro.
fn ours(span: Span) -> Span {
    Span::call_site().located_at(span)
}

fn definition(
    handler: &Handler,
    function: &Function,
    hidden: &Ident,
    registration: Option<TokenStream>,
    notes: &TokenStream,
) -> TokenStream {
    let private = quote!(::zkpeer_core::__private);
    let vis = &function.vis;
    let function_name = &function.sig.ident;
    let name = function_name.unraw().to_string();
    // The place of the function's name, even if that comes out of a macro of the author's.
    let here = function_name.span();
    let file = quote_spanned!(here=> ::core::file!());
    let line = quote_spanned!(here=> ::core::line!());
    let conditions = handler.conditions.iter().filter_map(condition);
    let deprecated = function.attrs.iter().any(|attribute| attribute.path().is_ident("deprecated"));
    let allow = deprecated.then(|| quote!(#[allow(deprecated)]));

    // A wrong signature has its message already: no second one from here.
    let params = handler.params.iter().filter(|_| handler.callable).map(|Param { name, ty }| {
        let text = type_text(ty.to_token_stream());
        let of = quote_spanned!(ours(ty.span())=> ::zkpeer_core::__private::ParamDef::of);
        quote!(#of::<#ty>(#name, #text))
    });
    let run = if handler.callable { call(handler, function) } else { quote!(|_| #private::Outcome::Done) };
    quote! {
        #[doc(hidden)]
        #allow
        #vis static #hidden: #private::HandlerDef = {
            #registration
            #private::HandlerDef::new(
                ::core::env!("CARGO_PKG_NAME"),
                ::core::module_path!(),
                #name,
                #file,
                #line,
                &[#(#conditions),*],
                &[#(#params),*],
                #run,
                &#notes,
            )
        };
    }
}

/// Takes the parameters out of the context, in the same body as their definitions: one wrong type, one message.
fn call(handler: &Handler, function: &Function) -> TokenStream {
    let call = Ident::new("call", Span::mixed_site());
    let mut takes = TokenStream::new();
    let mut names = Vec::new();
    for (index, Param { ty, .. }) in handler.params.iter().enumerate() {
        let span = ty.span();
        let name = Ident::new(&format!("param_{index}"), Span::mixed_site().located_at(span));
        let (value, rejection) = (Ident::new("value", Span::mixed_site()), Ident::new("rejection", Span::mixed_site()));
        let take = quote_spanned! {ours(span)=>
            <#ty as ::zkpeer_core::__private::FromContext>::from_context(#call.context(), &#call.param(#index))
        };
        takes.extend(quote! {
            let #name = match #take {
                ::core::result::Result::Ok(#value) => #value,
                ::core::result::Result::Err(#rejection) => {
                    return ::zkpeer_core::__private::not_filled(#index, #rejection);
                }
            };
        });
        names.push(name);
    }
    let name = &function.sig.ident;
    let outcome = match &function.sig.output {
        ReturnType::Default => quote!(::zkpeer_core::__private::HandlerReturn::into_outcome(#name(#(#names),*))),
        ReturnType::Type(_, ty) => quote_spanned! {ours(ty.span())=>
            <#ty as ::zkpeer_core::__private::HandlerReturn<_>>::into_outcome(#name(#(#names),*))
        },
    };
    let unused = if names.is_empty() { Ident::new("_call", Span::mixed_site()) } else { call };
    quote! {
        |#unused| {
            #takes
            #outcome
        }
    }
}

fn condition(attribute: &Applied) -> Option<TokenStream> {
    let private = quote!(::zkpeer_core::__private);
    Some(match &attribute.arguments {
        Arguments::Flags(flags) => {
            let quantifier = match attribute.kind {
                Kind::WhenAny => quote!(Any),
                Kind::WhenNot | Kind::WhenNone => quote!(None),
                Kind::WhenNotAll => quote!(NotAll),
                _ => quote!(All),
            };
            let flags = flags.iter().map(flag);
            quote!(#private::ConditionDef::Flags(#private::Quantifier::#quantifier, &[#(#flags),*]))
        }
        Arguments::Files(files) => quote!(#private::ConditionDef::FileChanged(&[#(#files),*])),
        Arguments::Hooks(patterns) => quote!(#private::ConditionDef::Hook(&[#(#patterns),*])),
        Arguments::Actions(names) => quote!(#private::ConditionDef::Action(&[#(#names),*])),
        Arguments::Was(identities) => quote!(#private::ConditionDef::OnlyOnce(&[#(#identities),*])),
        Arguments::Allowance(_) => return None,
        Arguments::Nothing => {
            let hook = match attribute.kind {
                Kind::CollectMetrics => quote!(CollectMetrics),
                Kind::MeterStatusChanged => quote!(MeterStatusChanged),
                _ => return None,
            };
            quote!(#private::ConditionDef::Restricted(#private::RestrictedHook::#hook))
        }
    })
}

fn flag(flag: &Arg) -> TokenStream {
    match flag {
        Arg::Literal(name) => quote!(::zkpeer_core::__private::Flag::new(#name)),
        Arg::Constant(path) => path.to_token_stream(),
    }
}

/// What is known of the function's dealings with flags, for the check of all handlers.
fn notes(handler: &Handler, function: &Function) -> TokenStream {
    let private = quote!(::zkpeer_core::__private);
    let Uses { found, whole } = uses::find(&function.sig, &function.body.stream());
    let declares = !handler.declared.is_empty();
    let mut uses: Vec<TokenStream> = found
        .iter()
        .map(|found| {
            let name = match &found.name {
                uses::Name::Text(text) => quote!(#private::FlagName::Text(#text)),
                uses::Name::Constant(path) => constant(path),
            };
            flag_use(found.what, &name, found.place, found.always)
        })
        .collect();
    let declared = handler.declared.iter().flat_map(|declared| declared.flags.iter().map(|flag| (declared.what, flag)));
    let guarded = handler.guard.iter().flat_map(|guard| guard.wanted.iter().map(|flag| (What::Reads, flag)));
    uses.extend(declared.chain(guarded).map(|(what, flag)| flag_use(what, &flag_name(flag), flag.span(), false)));
    let allowed = handler.allowed.iter().map(|Allowance { kind, subject, reason }| {
        let line = quote_spanned!(kind.span()=> ::core::line!());
        let subject = match subject {
            Some(subject) => {
                let name = flag_name(subject);
                quote!(::core::option::Option::Some(#name))
            }
            None => quote!(::core::option::Option::None),
        };
        quote!(#private::AllowanceDef { kind: #kind, subject: #subject, reason: #reason, line: #line })
    });
    quote!(#private::Notes { uses: &[#(#uses),*], whole: #whole, declared: #declares, allowed: &[#(#allowed),*] })
}

fn flag_use(what: What, name: &TokenStream, place: Span, always: bool) -> TokenStream {
    let what = match what {
        What::Sets => quote!(Sets),
        What::Clears => quote!(Clears),
        What::Reads => quote!(Reads),
    };
    let line = quote_spanned!(place=> ::core::line!());
    let private = quote!(::zkpeer_core::__private);
    quote!(#private::FlagUse { what: #private::What::#what, flag: #name, line: #line, always: #always })
}

fn flag_name(arg: &Arg) -> TokenStream {
    match arg {
        Arg::Literal(text) => quote!(::zkpeer_core::__private::FlagName::Text(#text)),
        Arg::Constant(path) => constant(&path.to_token_stream()),
    }
}

/// The name that a constant of any type has, if it has one.
fn constant(path: &TokenStream) -> TokenStream {
    quote! {
        ::zkpeer_core::__private::FlagName::Of(|| {
            #[allow(unused_imports)]
            use ::zkpeer_core::__private::{Named as _, Nameless as _};
            (&::zkpeer_core::__private::Maybe(&#path)).flag_name()
        })
    }
}

/// Makes what is known of a function that is no handler known to the check, from within its body: beside it there may be
/// no room.
fn register(notes: &TokenStream, look_up: TokenStream, function: &mut Function) {
    let name = function.sig.ident.unraw().to_string();
    let line = quote_spanned!(function.sig.ident.span()=> ::core::line!());
    let (inner, rest) = inner_attributes(function.body.stream());
    let private = quote!(::zkpeer_core::__private);
    let registration = quote! {
        const _: () = {
            #private::inventory::submit! {
                #private::Registration::Function(&#private::FunctionDef {
                    module: ::core::module_path!(),
                    name: #name,
                    file: ::core::file!(),
                    line: #line,
                    notes: #notes,
                })
            }
        };
    };
    let mut body = Group::new(Delimiter::Brace, quote!(#inner #registration #look_up #rest));
    body.set_span(function.body.span());
    function.body = body;
}

/// Puts the guard of `not_unless` at the beginning of the body.
fn insert(guard: &Guard, function: &mut Function) {
    let Some(FnArg::Typed(param)) = function.sig.inputs.iter_mut().nth(guard.param) else { return };
    let flags = match &*param.pat {
        Pat::Ident(name) => name.ident.clone(),
        _ => {
            let name = Ident::new("flags", Span::mixed_site());
            *param.pat = syn::parse_quote!(#name);
            name
        }
    };
    let name = function.sig.ident.unraw().to_string();
    let wanted = guard.wanted.iter().map(flag);
    let question = Token![?](ours(match &function.sig.output {
        ReturnType::Type(_, ty) => ty.span(),
        ReturnType::Default => function.sig.ident.span(),
    }));
    let require = quote! {
        ::zkpeer_core::__private::require(
            &#flags,
            &[#(#wanted),*],
            ::core::concat!(::core::module_path!(), "::", #name),
        )#question;
    };
    let (inner, rest) = inner_attributes(function.body.stream());
    let mut body = Group::new(Delimiter::Brace, quote!(#inner #require #rest));
    body.set_span(function.body.span());
    function.body = body;
}

/// The `#![..]` at the beginning of a body, and what follows.
fn inner_attributes(body: TokenStream) -> (TokenStream, TokenStream) {
    let tokens: Vec<TokenTree> = body.into_iter().collect();
    let is =
        |token: Option<&TokenTree>, wanted: char| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == wanted);
    let mut at = 0;
    while is(tokens.get(at), '#') && is(tokens.get(at + 1), '!') {
        at += 3;
    }
    let rest = tokens.iter().skip(at).cloned().collect();
    (tokens.into_iter().take(at).collect(), rest)
}

/// A type as an author writes it, without the blanks that `to_string` puts between tokens.
fn type_text(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut word_before = false;
    let mut arrow = false;
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let inner = type_text(group.stream());
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                if word_before && open == "[" {
                    text.push(' ');
                }
                text.extend([open, &inner, close]);
                word_before = group.delimiter() == Delimiter::None;
            }
            TokenTree::Punct(punct) => {
                match punct.as_char() {
                    ',' => text.push_str(", "),
                    ';' => text.push_str("; "),
                    '+' => text.push_str(" + "),
                    '=' => text.push_str(" = "),
                    '-' => text.push_str(" -"),
                    '>' if arrow => text.push_str("> "),
                    '\'' if word_before => text.push_str(" '"),
                    other => text.push(other),
                }
                arrow = punct.as_char() == '-';
                word_before = false;
                continue;
            }
            word => {
                if word_before {
                    text.push(' ');
                }
                text.push_str(&word.to_string());
                word_before = true;
            }
        }
        arrow = false;
    }
    text
}

/// `flag!("name")`
pub(crate) fn flag_macro(input: TokenStream) -> TokenStream {
    let name = match syn::parse2::<LitStr>(input.clone()) {
        Ok(name) if name.suffix().is_empty() => name,
        _ => {
            let place = if input.is_empty() { Span::call_site() } else { Span::call_site().located_at(input.span()) };
            let message = "`flag!` takes one string literal: `flag!(\"zookeeper.installed\")`";
            return if input.is_empty() {
                syn::Error::new(place, message).to_compile_error()
            } else {
                syn::Error::new_spanned(input, message).to_compile_error()
            };
        }
    };
    match pattern::check_flag(&name.value()) {
        Some(message) => syn::Error::new_spanned(name, message).to_compile_error(),
        None => quote!(const { ::zkpeer_core::__private::Flag::new(#name) }),
    }
}

/// `handlers![a::install, b::start]`
pub(crate) fn handlers_macro(input: TokenStream) -> TokenStream {
    let paths = match syn::parse2::<HandlerPaths>(input) {
        Ok(paths) => paths.0,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    let mut seen: Vec<String> = Vec::new();
    for path in &paths {
        let text = path.to_token_stream().to_string();
        if seen.contains(&text) {
            errors.push(path, format_args!("the handler `{}` is listed twice", text.replace(' ', "")));
        }
        seen.push(text);
    }
    if !errors.is_empty() {
        return errors.to_compile_errors();
    }
    let hidden = paths.into_iter().map(|mut path: Path| {
        if let Some(last) = path.segments.last_mut() {
            last.ident = hidden_name(&last.ident);
        }
        path
    });
    quote! {{
        const __ZKPEER_HANDLERS: &'static [&'static ::zkpeer_core::__private::HandlerDef] = &[#(&#hidden),*];
        __ZKPEER_HANDLERS
    }}
}

/// `interfaces![a_crate, another]`
pub(crate) fn interfaces_macro(input: TokenStream) -> TokenStream {
    let names = match syn::parse2::<CrateNames>(input) {
        Ok(names) => names.0,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Errors::default();
    if names.is_empty() {
        errors.push(
            Ident::new("interfaces", Span::call_site()),
            "`interfaces!` names at least one crate; a charm that uses only the interfaces of `zkpeer_core` needs none",
        );
    }
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            errors.push(name, format_args!("the crate `{name}` is named twice: its place in the order is one"));
        }
        if name == "crate" || name == "self" || name == "super" || name == "Self" {
            errors.push(name, "the charm's own handlers come last, always: `interfaces!` names other crates");
        }
        if name == "zkpeer_core" {
            errors.push(name, "the interfaces of `zkpeer_core` come first, always: `interfaces!` names other crates");
        }
    }
    if !errors.is_empty() {
        return errors.to_compile_errors();
    }
    let texts = names.iter().map(|name| name.unraw().to_string());
    // The colons at the author's place too, so that a crate that is not there is underlined alone.
    let uses = names.iter().map(|name| quote_spanned!(ours(name.span())=> use ::#name as _;));
    quote! {
        #(#uses)*
        const _: () = {
            ::zkpeer_core::__private::inventory::submit! {
                ::zkpeer_core::__private::Registration::Interfaces {
                    package: ::core::env!("CARGO_PKG_NAME"),
                    crates: &[#(#texts),*],
                }
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `golden/input.rs` becomes, for a reviewer's eyes. `GOLDEN=overwrite` writes it anew.
    #[test]
    fn the_expansion_is_the_golden_one() {
        let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
        let input: syn::File = syn::parse_str(&std::fs::read_to_string(directory.join("input.rs")).unwrap()).unwrap();
        let mut expanded = TokenStream::new();
        for item in input.items {
            let syn::Item::Fn(mut function) = item else { panic!("only functions") };
            let first = function.attrs.remove(0);
            let kind = Kind::from_path(first.path()).unwrap();
            let arguments = match &first.meta {
                syn::Meta::List(list) => list.tokens.clone(),
                _ => TokenStream::new(),
            };
            expanded.extend(attribute(kind, arguments, function.into_token_stream()));
        }
        let text = prettyplease::unparse(&syn::parse2(expanded).unwrap());
        let path = directory.join("expanded.rs");
        if std::env::var_os("GOLDEN").is_some_and(|value| value == "overwrite") {
            std::fs::write(&path, &text).unwrap();
        }
        assert!(std::fs::read_to_string(&path).unwrap() == text, "the expansion is now\n{text}");
    }

    #[test]
    fn types_are_written_as_an_author_writes_them() {
        for text in [
            "Flags",
            "Option<zkpeer_core::ZookeeperPeers>",
            "Resource<Vec<(u8, String)>>",
            "&'static mut [u8; 4]",
            "fn(u8, &str) -> Box<dyn Fn() + Send>",
            "dyn Iterator<Item = u8>",
        ] {
            let ty: syn::Type = syn::parse_str(text).unwrap();
            assert_eq!(type_text(ty.to_token_stream()), text);
        }
    }
}
