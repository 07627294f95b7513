//! Tokens to arguments: which attribute it is, what it was given, and the function that it stands on.

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Attribute, Expr, ExprPath, Lit, LitStr, Meta, Path, Signature, Visibility};

use crate::pattern;

/// The mistakes of one function, all of them.
#[derive(Debug, Default)]
pub(crate) struct Errors(Vec<syn::Error>);

impl Errors {
    /// Underlines `tokens` and says `message`.
    pub(crate) fn push(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.0.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds what `syn` has to say.
    pub(crate) fn add(&mut self, error: syn::Error) {
        self.0.push(error);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One `compile_error!` for each mistake.
    pub(crate) fn to_compile_errors(&self) -> TokenStream {
        self.0.iter().map(syn::Error::to_compile_error).collect()
    }
}

/// One of the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Action,
    AllowFinding,
    Clears,
    CollectMetrics,
    Hook,
    MeterStatusChanged,
    NotUnless,
    OnlyOnce,
    Reads,
    Sets,
    When,
    WhenAll,
    WhenAny,
    WhenFileChanged,
    WhenNone,
    WhenNot,
    WhenNotAll,
}

impl Kind {
    const ALL: [Self; 17] = [
        Self::Action,
        Self::AllowFinding,
        Self::Clears,
        Self::CollectMetrics,
        Self::Hook,
        Self::MeterStatusChanged,
        Self::NotUnless,
        Self::OnlyOnce,
        Self::Reads,
        Self::Sets,
        Self::When,
        Self::WhenAll,
        Self::WhenAny,
        Self::WhenFileChanged,
        Self::WhenNone,
        Self::WhenNot,
        Self::WhenNotAll,
    ];

    /// Its name, as it is written.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::AllowFinding => "allow_finding",
            Self::Clears => "clears",
            Self::CollectMetrics => "collect_metrics",
            Self::Hook => "hook",
            Self::MeterStatusChanged => "meter_status_changed",
            Self::NotUnless => "not_unless",
            Self::OnlyOnce => "only_once",
            Self::Reads => "reads",
            Self::Sets => "sets",
            Self::When => "when",
            Self::WhenAll => "when_all",
            Self::WhenAny => "when_any",
            Self::WhenFileChanged => "when_file_changed",
            Self::WhenNone => "when_none",
            Self::WhenNot => "when_not",
            Self::WhenNotAll => "when_not_all",
        }
    }

    /// Whether it is a condition, and so makes a handler of a function.
    pub(crate) fn is_condition(self) -> bool {
        !matches!(self, Self::AllowFinding | Self::Clears | Self::NotUnless | Self::Reads | Self::Sets)
    }

    /// The attribute that a path names by its last segment: `when`, `zkpeer_core::when`.
    pub(crate) fn from_path(path: &Path) -> Option<Self> {
        let last = &path.segments.last()?.ident;
        Self::ALL.into_iter().find(|kind| last == kind.name())
    }
}

/// An argument that is a text or the path of a constant.
pub(crate) enum Arg {
    Literal(LitStr),
    Constant(ExprPath),
}

impl Arg {
    /// What makes two of them the same: the text, or the path as written.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Literal(text) => format!("`{}`", pattern::one_placeholder(&text.value())),
            Self::Constant(path) => format!("constant {}", path.to_token_stream()),
        }
    }

    /// How a message calls it.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Literal(text) => format!("`{}`", text.value()),
            Self::Constant(path) => format!("`{}`", path.to_token_stream().to_string().replace(' ', "")),
        }
    }
}

impl ToTokens for Arg {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Self::Literal(text) => text.to_tokens(tokens),
            Self::Constant(path) => path.to_tokens(tokens),
        }
    }
}

/// What an attribute was given; wrong ones are left out, and are in the errors.
pub(crate) enum Arguments {
    Nothing,
    Flags(Vec<Arg>),
    Files(Vec<Arg>),
    Hooks(Vec<LitStr>),
    Actions(Vec<LitStr>),
    Was(Vec<LitStr>),
    Allowance(Option<Allowance>),
}

/// `allow_finding(never_set = "a", reason = "..")`
pub(crate) struct Allowance {
    /// The kind of the finding, as findings name it: `never-set`.
    pub(crate) kind: LitStr,
    /// What it is about; none for a finding about the handler itself.
    pub(crate) subject: Option<Arg>,
    pub(crate) reason: LitStr,
}

/// An attribute as it stands on a function.
pub(crate) struct Applied {
    pub(crate) kind: Kind,
    /// What to underline when the attribute as a whole is at fault.
    pub(crate) place: TokenStream,
    pub(crate) arguments: Arguments,
}

impl Applied {
    /// The attribute that the compiler is calling us for.
    pub(crate) fn outermost(kind: Kind, place: Ident, tokens: TokenStream, errors: &mut Errors) -> Self {
        let place = place.into_token_stream();
        let arguments = Arguments::parse(kind, &place, tokens, errors);
        Self { kind, place, arguments }
    }

    /// An attribute of ours among those that follow.
    pub(crate) fn absorbed(kind: Kind, attribute: &Attribute, errors: &mut Errors) -> Self {
        let place = attribute.path().to_token_stream();
        let tokens = match &attribute.meta {
            Meta::Path(_) => TokenStream::new(),
            Meta::List(list) => list.tokens.clone(),
            Meta::NameValue(pair) => {
                errors.push(
                    pair.eq_token,
                    format_args!("arguments stand in parentheses: `{}`", example(kind, Example::Attribute)),
                );
                return Self { kind, place, arguments: Arguments::Nothing };
            }
        };
        let arguments = Arguments::parse(kind, &place, tokens, errors);
        Self { kind, place, arguments }
    }
}

enum Example {
    Attribute,
    OneArgument,
}

fn example(kind: Kind, which: Example) -> String {
    let argument = match kind {
        Kind::Hook => "\"config-changed\"",
        Kind::Action => "\"backup\"",
        Kind::WhenFileChanged => "\"/etc/hosts\"",
        Kind::OnlyOnce => "was = \"reactive/zookeeper.py:12:install\"",
        Kind::AllowFinding => "never_set = \"zookeeper.installed\", reason = \"an operator sets it\"",
        Kind::CollectMetrics | Kind::MeterStatusChanged => "",
        _ => "\"zookeeper.installed\"",
    };
    match which {
        Example::OneArgument => argument.to_owned(),
        Example::Attribute if argument.is_empty() => format!("#[{}]", kind.name()),
        Example::Attribute => format!("#[{}({argument})]", kind.name()),
    }
}

impl Arguments {
    /// The arguments of each attribute:
    ///
    /// - `when`, `when_all`, `when_any`, `when_not`, `when_none`, `when_not_all`, `not_unless`: `"flag", CONSTANT,
    ///   a::CONSTANT`
    /// - `when_file_changed`: `"/a/path", CONSTANT`
    /// - `hook`: `"install", "{peers:zookeeper-quorum}-relation-{joined,changed}"`
    /// - `action`: `"backup", "restore"`
    /// - `only_once`: nothing, `was = "reactive/x.py:12:install"`, `was = ["..", ".."]`
    /// - `collect_metrics`, `meter_status_changed`: nothing
    /// - `sets`, `clears`, `reads`: as `when`
    /// - `allow_finding`: `never_set = "flag", reason = ".."`, `never_runs, reason = ".."`
    fn parse(kind: Kind, place: &TokenStream, tokens: TokenStream, errors: &mut Errors) -> Self {
        match kind {
            Kind::CollectMetrics | Kind::MeterStatusChanged => {
                if !tokens.is_empty() {
                    errors.push(tokens, format_args!("`{}` takes no arguments", kind.name()));
                }
                Self::Nothing
            }
            Kind::OnlyOnce => Self::Was(was(tokens, errors)),
            Kind::AllowFinding => Self::Allowance(allowance(place, tokens, errors)),
            Kind::Hook => {
                let elements = elements(kind, place, tokens, errors);
                Self::Hooks(literals(elements, "the name of a hook", errors, |text, errors| {
                    for message in pattern::check(&text.value()) {
                        errors.push(text, message);
                    }
                }))
            }
            Kind::Action => {
                let elements = elements(kind, place, tokens, errors);
                Self::Actions(literals(elements, "the name of an action", errors, |text, errors| {
                    if let Some(message) = pattern::check_action(&text.value()) {
                        errors.push(text, message);
                    }
                }))
            }
            Kind::WhenFileChanged => {
                let elements = elements(kind, place, tokens, errors);
                let kinds = "a file is a string literal, or the path of a constant of type `&str`";
                Self::Files(literals_or_constants(elements, kinds, "file", errors, |text| match text {
                    "" => Some("the path of a file is not empty"),
                    text if text.contains('\0') => Some("the path of a file has no NUL"),
                    _ => None,
                }))
            }
            _ => {
                let elements = elements(kind, place, tokens, errors);
                let kinds = "a flag is a string literal, or the path of a constant of type `Flag`";
                Self::Flags(literals_or_constants(elements, kinds, "flag", errors, pattern::check_flag))
            }
        }
    }
}

/// What stands between the commas; one at least.
fn elements(kind: Kind, place: &TokenStream, tokens: TokenStream, errors: &mut Errors) -> Vec<TokenStream> {
    let elements = split(tokens, errors);
    if elements.is_empty() {
        let thing = match kind {
            Kind::Hook => "hook",
            Kind::Action => "action",
            Kind::WhenFileChanged => "file",
            _ => "flag",
        };
        let example = example(kind, Example::Attribute);
        errors.push(place, format_args!("`{}` needs at least one {thing}: `{example}`", kind.name()));
    }
    elements
}

fn split(tokens: TokenStream, errors: &mut Errors) -> Vec<TokenStream> {
    let mut elements = Vec::new();
    let mut current = TokenStream::new();
    for token in tokens {
        match token {
            TokenTree::Punct(comma) if comma.as_char() == ',' => {
                if current.is_empty() {
                    errors.push(comma, "nothing stands before this comma");
                } else {
                    elements.push(std::mem::take(&mut current));
                }
            }
            token => current.extend([token]),
        }
    }
    if !current.is_empty() {
        elements.push(current);
    }
    elements
}

/// An argument as an expression, out of the invisible groups that `macro_rules!` puts around it.
fn expression(element: TokenStream) -> syn::Result<Expr> {
    let mut expr = syn::parse2::<Expr>(element)?;
    while let Expr::Group(group) = expr {
        expr = *group.expr;
    }
    Ok(expr)
}

fn literal(expr: &Expr) -> Option<LitStr> {
    match expr {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Str(text) if text.suffix().is_empty() && literal.attrs.is_empty() => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn literals(
    elements: Vec<TokenStream>,
    what: &str,
    errors: &mut Errors,
    check: impl Fn(&LitStr, &mut Errors),
) -> Vec<LitStr> {
    let mut texts: Vec<LitStr> = Vec::new();
    for element in elements {
        let Some(text) = expression(element.clone()).ok().as_ref().and_then(literal) else {
            errors.push(
                element,
                format_args!("{what} is a string literal here: it is checked when the charm is compiled"),
            );
            continue;
        };
        if texts.iter().any(|other| other.value() == text.value()) {
            errors.push(&text, format_args!("`{}` is named twice here", text.value()));
            continue;
        }
        check(&text, errors);
        texts.push(text);
    }
    texts
}

fn literals_or_constants(
    elements: Vec<TokenStream>,
    kinds: &str,
    thing: &str,
    errors: &mut Errors,
    check: impl Fn(&str) -> Option<&'static str>,
) -> Vec<Arg> {
    let mut args: Vec<Arg> = Vec::new();
    for element in elements {
        let expr = expression(element.clone()).ok();
        let arg = match (expr.as_ref().and_then(literal), expr) {
            (Some(text), _) => {
                if let Some(message) = check(&text.value()) {
                    errors.push(text, message);
                    continue;
                }
                Arg::Literal(text)
            }
            (None, Some(Expr::Path(path))) if path.attrs.is_empty() => Arg::Constant(path),
            _ => {
                errors.push(element, kinds);
                continue;
            }
        };
        if args.iter().any(|other| other.key() == arg.key()) {
            errors.push(&arg, format_args!("the {thing} {} is named twice here", arg.shown()));
            continue;
        }
        args.push(arg);
    }
    args
}

/// `was = "reactive/x.py:12:install"`, `was = ["..", ".."]`, both repeated.
fn was(tokens: TokenStream, errors: &mut Errors) -> Vec<LitStr> {
    let takes = format!("`only_once` takes nothing, or `{}`", example(Kind::OnlyOnce, Example::OneArgument));
    let mut elements_of_was = Vec::new();
    for element in split(tokens, errors) {
        match expression(element.clone()) {
            Ok(Expr::Assign(assign)) => match &*assign.left {
                Expr::Path(path) if path.path.is_ident("was") => match *assign.right {
                    Expr::Array(array) => {
                        elements_of_was.extend(array.elems.iter().map(ToTokens::to_token_stream));
                    }
                    one => elements_of_was.push(one.into_token_stream()),
                },
                other => errors.push(other, &takes),
            },
            _ => errors.push(element, &takes),
        }
    }
    literals(elements_of_was, "the identity of a Python function", errors, |text, errors| {
        if !pattern::is_python_identity(&text.value()) {
            errors.push(
                text,
                "this is the key that charms.reactive keeps: file, line and function, as in `reactive/zookeeper.py:12:install`",
            );
        }
    })
}

/// The kinds of findings, and whether each is about something that has a name.
const FINDINGS: [(&str, bool); 13] = [
    ("never_set", true),
    ("never_read", true),
    ("never_runs", false),
    ("no_endpoint", false),
    ("not_executable", true),
    ("order_decides", true),
    ("never_settles", false),
    ("unanswered_action", true),
    ("undeclared_change", true),
    ("unknown_action", true),
    ("unknown_decorator", true),
    ("unknown_endpoint", true),
    ("unknown_option", true),
];

/// `never_set = "flag", reason = ".."`
fn allowance(place: &TokenStream, tokens: TokenStream, errors: &mut Errors) -> Option<Allowance> {
    let before = errors.len();
    let (mut kind, mut reason) = (None, None);
    for element in split(tokens, errors) {
        let expr = expression(element.clone());
        let (path, value) = match &expr {
            Ok(Expr::Assign(assign)) => (&*assign.left, Some(&*assign.right)),
            Ok(other) => (other, None),
            Err(_) => {
                errors.push(element, takes());
                continue;
            }
        };
        let name = match path {
            Expr::Path(path) => path.path.get_ident().cloned(),
            _ => None,
        };
        let Some(name) = name else {
            errors.push(element, takes());
            continue;
        };
        if name == "reason" {
            reason = reason_of(&name, value, errors).or(reason);
        } else if kind.is_some() {
            errors.push(name, "one `allow_finding` allows one finding: write another for this one");
        } else {
            kind = Some((kind_of(&name, value, errors), name));
        }
    }
    if errors.len() > before {
        return None;
    }
    let (Some((subject, name)), Some(reason)) = (kind, reason) else {
        errors.push(place, takes());
        return None;
    };
    let kind = LitStr::new(&name.to_string().replace('_', "-"), name.span());
    Some(Allowance { kind, subject, reason })
}

fn takes() -> String {
    format!("`allow_finding` takes a finding and a reason: `{}`", example(Kind::AllowFinding, Example::OneArgument))
}

/// What the finding is about.
fn kind_of(name: &Ident, value: Option<&Expr>, errors: &mut Errors) -> Option<Arg> {
    let Some((_, has_subject)) = FINDINGS.iter().find(|(known, _)| name == known) else {
        let all: Vec<String> = FINDINGS.iter().map(|(known, _)| format!("`{known}`")).collect();
        errors.push(
            name,
            format_args!("`{name}` is no kind of finding that can be allowed; there are {}", all.join(", ")),
        );
        return None;
    };
    match (value, has_subject) {
        (None, true) => {
            errors.push(name, format_args!("`{name}` is about something: `{name} = \"..\"`, as the finding says"));
            None
        }
        (Some(value), false) => {
            errors.push(value, format_args!("`{name}` is about the function that this stands on: it takes no value"));
            None
        }
        (None, false) => None,
        (Some(value), true) => match (literal(value), value) {
            (Some(text), _) => Some(Arg::Literal(text)),
            (None, Expr::Path(path)) if path.attrs.is_empty() => Some(Arg::Constant(path.clone())),
            _ => {
                errors.push(value, "what is allowed is a string literal, or the path of a constant of type `Flag`");
                None
            }
        },
    }
}

fn reason_of(name: &Ident, value: Option<&Expr>, errors: &mut Errors) -> Option<LitStr> {
    match value.and_then(literal) {
        Some(text) if !text.value().trim().is_empty() => Some(text),
        _ => {
            errors.push(name, "a reason is a text that tells the next reader why: `reason = \"an operator sets it\"`");
            None
        }
    }
}

/// A function, its body as it was written.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attrs {
            attribute.to_tokens(tokens);
        }
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

/// An item that one of our attributes stands on: its other attributes, and what it is.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) rest: TokenStream,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(Self { attrs: input.call(Attribute::parse_outer)?, rest: input.parse()? })
    }
}

impl Item {
    /// The item as a function, with the attributes given.
    ///
    /// # Errors
    ///
    /// What it is instead.
    pub(crate) fn function(&self, kind: Kind, attrs: Vec<Attribute>) -> syn::Result<Function> {
        let parser = |input: ParseStream<'_>| {
            let vis: Visibility = input.parse()?;
            let begin = input.cursor().token_tree().map(|(token, _)| token).into_token_stream();
            let no_function = || {
                let message = match kind {
                    Kind::Sets | Kind::Clears | Kind::Reads | Kind::AllowFinding => {
                        format!("`{}` stands on a function, of which it says something", kind.name())
                    }
                    _ => format!(
                        "`{0}` stands on a function: a handler is a function, and `#[{0}]` says when it runs",
                        kind.name()
                    ),
                };
                syn::Error::new_spanned(&begin, message)
            };
            let sig: Signature = input.parse().map_err(|_| no_function())?;
            let Ok(body) = input.parse::<TokenTree>() else { return Err(no_function()) };
            let TokenTree::Group(body) = body else {
                return Err(syn::Error::new_spanned(
                    &sig.ident,
                    "a handler is a free function with a body, not a declaration of one",
                ));
            };
            Ok(Function { attrs, vis, sig, body })
        };
        parser.parse2(self.rest.clone())
    }
}

/// `a::install, b::start`
pub(crate) struct HandlerPaths(pub(crate) Vec<Path>);

impl Parse for HandlerPaths {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let paths = input.parse_terminated(Path::parse_mod_style, syn::Token![,]).map_err(|error| {
            syn::Error::new(
                error.span(),
                "`handlers!` takes the paths of functions: `handlers![install, peers::quorum_add]`",
            )
        })?;
        Ok(Self(paths.into_iter().collect()))
    }
}

/// `a_crate, another`
pub(crate) struct CrateNames(pub(crate) Vec<Ident>);

impl Parse for CrateNames {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let names = input.parse_terminated(Ident::parse_any, syn::Token![,]).map_err(|error| {
            syn::Error::new(
                error.span(),
                "`interfaces!` takes the names of crates, as they are written in `use`: `interfaces![my_layer]`",
            )
        })?;
        Ok(Self(names.into_iter().collect()))
    }
}
