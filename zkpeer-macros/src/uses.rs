//! What a function's body does to flags, as far as its tokens tell: calls with a name that is written there.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use syn::{FnArg, LitStr, Pat, Signature, Type};

use crate::pattern;

/// What happens to a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    Sets,
    Clears,
    Reads,
}

/// How a body names a flag.
#[derive(Clone)]
pub(crate) enum Name {
    Text(LitStr),
    /// The path of something in capitals: a constant, probably of a type that is a flag's name.
    Constant(TokenStream),
}

/// One call on one flag.
pub(crate) struct Use {
    pub(crate) what: What,
    pub(crate) name: Name,
    pub(crate) place: Span,
    /// Whether a call of the function that comes to its end has always done this.
    pub(crate) always: bool,
}

/// All that is seen in a body.
pub(crate) struct Uses {
    pub(crate) found: Vec<Use>,
    /// Whether nothing else can be done to flags through what the tokens show.
    pub(crate) whole: bool,
}

/// Looks through the body of a function.
pub(crate) fn find(sig: &Signature, body: &TokenStream) -> Uses {
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    let mut reader = Reader {
        flags: params_of(sig, "Flags"),
        triggers: params_of(sig, "Triggers"),
        knows_constants: !hides_names(&tokens),
        returned: false,
        found: Vec::new(),
        whole: true,
    };
    locals(&tokens, &mut reader.flags);
    reader.whole = reader.triggers.is_empty();
    reader.read(&tokens, true, false);
    Uses { found: reader.found, whole: reader.whole }
}

/// The names of the parameters of this type, by value or by reference.
fn params_of(sig: &Signature, wanted: &str) -> Vec<String> {
    let of_type = |input: &FnArg| {
        let FnArg::Typed(param) = input else { return None };
        let ty = match &*param.ty {
            Type::Reference(reference) => &*reference.elem,
            ty => ty,
        };
        let Type::Path(path) = ty else { return None };
        let Pat::Ident(name) = &*param.pat else { return None };
        (path.path.segments.last()?.ident == wanted).then(|| name.ident.to_string())
    };
    sig.inputs.iter().filter_map(of_type).collect()
}

/// Whether the body may give names a meaning that they have not beside the function, or uses what may not be there.
fn hides_names(tokens: &[TokenTree]) -> bool {
    tokens.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) => {
            let next = tokens.get(at + 1);
            let names = |token: Option<&TokenTree>| matches!(token, Some(TokenTree::Ident(name)) if is_constant(name));
            ["const", "static", "use", "unsafe", "cfg"].iter().any(|hiding| word == hiding)
                || (word == "let" || word == "mut") && names(next)
        }
        TokenTree::Group(group) => hides_names(&inside(group)),
        _ => false,
    })
}

/// Adds the names of `let flags: Flags`, `|flags: &Flags|` and the like.
fn locals(tokens: &[TokenTree], flags: &mut Vec<String>) {
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => locals(&inside(group), flags),
            TokenTree::Ident(name) if is(tokens.get(at + 1), ':') && !is(tokens.get(at + 2), ':') => {
                let ty = if is(tokens.get(at + 2), '&') { at + 3 } else { at + 2 };
                if is_word(tokens.get(ty), "Flags") {
                    flags.push(name.to_string());
                }
            }
            _ => {}
        }
    }
}

fn inside(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

fn is(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_word(token: Option<&TokenTree>, wanted: &str) -> bool {
    matches!(token, Some(TokenTree::Ident(word)) if word == wanted)
}

fn is_constant(name: &Ident) -> bool {
    let name = name.to_string();
    name.chars().any(|c| c.is_ascii_uppercase()) && !name.chars().any(|c| c.is_ascii_lowercase())
}

struct Reader {
    /// The names under which the body has `Flags`, and `Triggers`.
    flags: Vec<String>,
    triggers: Vec<String>,
    knows_constants: bool,
    /// Whether the function may have been left before the place that is looked at.
    returned: bool,
    found: Vec<Use>,
    whole: bool,
}

impl Reader {
    /// Looks at one level of tokens; `top` for the statements of the body itself, `in_macro` for what a macro is given.
    fn read(&mut self, tokens: &[TokenTree], top: bool, in_macro: bool) {
        let mut statement = 0;
        let mut at = 0;
        let mut trigger = false;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Punct(punct) => {
                    if punct.as_char() == ';' {
                        statement = at + 1;
                        trigger = false;
                    }
                    if punct.as_char() == '.'
                        && let (Some(TokenTree::Ident(method)), Some(TokenTree::Group(group))) =
                            (tokens.get(at + 1), tokens.get(at + 2))
                        && group.delimiter() == Delimiter::Parenthesis
                    {
                        let receiver = self.receiver(tokens, at);
                        let ends = at + 3 == tokens.len() || is(tokens.get(at + 3), ';');
                        let plain = tokens[statement..at].iter().all(is_plain);
                        let always = top && ends && plain && !self.returned;
                        trigger |= receiver == Receiver::Triggers;
                        let receiver = if trigger { Receiver::Triggers } else { receiver };
                        self.call(method, group, receiver, always, in_macro);
                        self.read(&inside(group), false, in_macro);
                        at += 3;
                        continue;
                    }
                }
                TokenTree::Ident(word) => {
                    // `EndHook` ends the hook as `return` ends the function, and what follows is not done.
                    self.returned |= word == "return" || word == "EndHook";
                    let known = self.flags.contains(&word.to_string()) && !is(before(tokens, at), '.');
                    // Anything but a call on it, or its declaration, may do everything.
                    if known && !is(tokens.get(at + 1), '.') && !is(tokens.get(at + 1), ':') {
                        self.whole = false;
                    }
                }
                TokenTree::Group(group) => {
                    let in_macro = in_macro || is(before(tokens, at), '!');
                    let is_invisible = group.delimiter() == Delimiter::None;
                    self.read(&inside(group), top && is_invisible, in_macro);
                    if group.delimiter() == Delimiter::Brace {
                        statement = at + 1;
                        trigger = false;
                    }
                }
                TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    /// What the method whose dot is here is called on, if it is a name that is known.
    fn receiver(&self, tokens: &[TokenTree], dot: usize) -> Receiver {
        let Some(TokenTree::Ident(name)) = before(tokens, dot) else { return Receiver::Other };
        if dot >= 2 && is(tokens.get(dot - 2), '.') {
            return Receiver::Other;
        }
        let name = name.to_string();
        if self.flags.contains(&name) {
            Receiver::Flags
        } else if self.triggers.contains(&name) {
            Receiver::Triggers
        } else {
            Receiver::Other
        }
    }

    fn call(&mut self, method: &Ident, group: &Group, receiver: Receiver, always: bool, in_macro: bool) {
        use What::{Clears, Reads, Sets};
        let arguments = inside(group);
        let method = method.to_string();
        let (what, is_list): (&[What], bool) = match (receiver, method.as_str()) {
            (Receiver::Flags | Receiver::Triggers, "set") | (_, "set_flag") => (&[Sets], false),
            (Receiver::Flags | Receiver::Triggers, "clear") | (_, "clear_flag") => (&[Clears], false),
            (Receiver::Flags, "toggle") | (_, "toggle_flag") => (&[Sets, Clears], false),
            (Receiver::Flags, "is_set") | (Receiver::Triggers, "when" | "when_not") => (&[Reads], false),
            (_, "is_flag_set" | "conversations_in") => (&[Reads], false),
            (Receiver::Flags, "all_set" | "any_set" | "not_set") => (&[Reads], true),
            (Receiver::Flags, _) => {
                self.whole = false;
                return;
            }
            _ => return,
        };
        let names = if is_list { list(&arguments) } else { vec![first(&arguments)] };
        for tokens in names {
            let name = named(&tokens);
            let place = tokens.first().map_or_else(Span::call_site, TokenTree::span);
            let name = match name {
                Some(Name::Constant(_)) if in_macro || !self.knows_constants => None,
                Some(Name::Text(text)) if pattern::check_flag(&text.value()).is_some() => None,
                name => name,
            };
            let Some(name) = name else {
                self.whole = false;
                continue;
            };
            // The flag of a conversation may stand on for another one; those of an endpoint have no conversations.
            let is_total = match (receiver, &name) {
                (Receiver::Flags, _) => true,
                (Receiver::Other, Name::Text(text)) => text.value().starts_with("endpoint."),
                _ => false,
            };
            let always = always && is_total && what.len() == 1;
            for &what in what {
                self.found.push(Use { what, name: name.clone(), place, always: always && what != Reads });
            }
        }
    }
}

/// What a method is called on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Receiver {
    Flags,
    Triggers,
    Other,
}

fn before(tokens: &[TokenTree], at: usize) -> Option<&TokenTree> {
    at.checked_sub(1).and_then(|before| tokens.get(before))
}

/// Whether the token may stand in `cluster.endpoint.0`.
fn is_plain(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => !["return", "let", "move", "break"].iter().any(|other| word == other),
        TokenTree::Punct(punct) => punct.as_char() == '.',
        TokenTree::Literal(_) => true,
        TokenTree::Group(_) => false,
    }
}

/// The first argument.
fn first(arguments: &[TokenTree]) -> Vec<TokenTree> {
    arguments.iter().take_while(|token| !is(Some(token), ',')).cloned().collect()
}

/// The elements of an array that is the argument; an argument that is none is one element, whose name nobody knows.
fn list(arguments: &[TokenTree]) -> Vec<Vec<TokenTree>> {
    let mut arguments = arguments;
    while is(arguments.first(), '&') {
        arguments = &arguments[1..];
    }
    match arguments {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Bracket => {
            let elements = inside(group);
            let elements = elements.split(|token| is(Some(token), ',')).map(<[TokenTree]>::to_vec);
            elements.filter(|element| !element.is_empty()).collect()
        }
        other => vec![other.to_vec()],
    }
}

/// The name that an argument gives to a flag, if that can be seen: `"a"`, `READY`, `&READY`, `flag!("a")`, `Flag::new("a")`,
/// `READY.name()`, `endpoint.flag("a")`.
fn named(tokens: &[TokenTree]) -> Option<Name> {
    match tokens {
        [TokenTree::Punct(and), rest @ ..] if and.as_char() == '&' => named(rest),
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => named(&inside(group)),
        [TokenTree::Literal(literal)] => {
            let text = syn::parse2::<LitStr>(TokenTree::Literal(literal.clone()).into()).ok()?;
            text.suffix().is_empty().then_some(Name::Text(text))
        }
        [.., TokenTree::Punct(dot), TokenTree::Ident(method), TokenTree::Group(group)] if dot.as_char() == '.' => {
            let inside = inside(group);
            match method.to_string().as_str() {
                "flag" => named(&first(&inside)),
                "name" | "as_ref" | "to_owned" | "to_string" if inside.is_empty() => named(&tokens[..tokens.len() - 3]),
                _ => None,
            }
        }
        [.., TokenTree::Ident(name), TokenTree::Punct(bang), TokenTree::Group(group)]
            if name == "flag" && bang.as_char() == '!' =>
        {
            named(&inside(group))
        }
        [
            ..,
            TokenTree::Ident(ty),
            TokenTree::Punct(_),
            TokenTree::Punct(_),
            TokenTree::Ident(new),
            TokenTree::Group(group),
        ] if ty == "Flag" && new == "new" => named(&inside(group)),
        [.., TokenTree::Ident(last)] if is_constant(last) && tokens.iter().all(is_in_path) => {
            Some(Name::Constant(tokens.iter().cloned().collect()))
        }
        _ => None,
    }
}

fn is_in_path(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(word) => word != "Self",
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `+a!` for what is always set, `-a` for what may be cleared, `?a` for what is read; and whether that is all.
    fn seen(function: &str) -> (String, bool) {
        let function: syn::ItemFn = syn::parse_str(function).unwrap();
        let body: TokenStream = quote::ToTokens::to_token_stream(&function.block)
            .into_iter()
            .flat_map(|block| match block {
                TokenTree::Group(block) => block.stream(),
                other => other.into(),
            })
            .collect();
        let uses = find(&function.sig, &body);
        let shown = uses.found.iter().map(|found| {
            let sign = match found.what {
                What::Sets => "+",
                What::Clears => "-",
                What::Reads => "?",
            };
            let name = match &found.name {
                Name::Text(text) => text.value(),
                Name::Constant(path) => path.to_string().replace(' ', ""),
            };
            format!("{sign}{name}{}", if found.always { "!" } else { "" })
        });
        (shown.collect::<Vec<_>>().join(" "), uses.whole)
    }

    fn check(body: &str, shown: &str, whole: bool) {
        let function = format!("fn f(flags: Flags, triggers: &Other, peers: Peers) {{ {body} }}");
        assert_eq!(seen(&function), (shown.to_owned(), whole), "{body}");
    }

    #[test]
    fn calls_with_names_are_seen() {
        check(r#"flags.set("a"); flags.clear(READY);"#, "+a! -READY!", true);
        check(r#"flags.set(&a::READY); flags.set(flag!("b")); flags.set(Flag::new("c"))"#, "+a::READY! +b! +c!", true);
        check(r#"flags.toggle("a", x);"#, "+a -a", true);
        check(r#"let x = flags.is_set("a"); flags.all_set(["b", READY]);"#, "?a ?b ?READY", true);
        check(r#"flags.set(peers.endpoint.flag("{endpoint_name}.x"))"#, "+{endpoint_name}.x!", true);
    }

    #[test]
    fn what_is_done_only_sometimes_is_not_always_done() {
        check(r#"if x { flags.set("a"); } flags.set("b");"#, "+a +b!", true);
        check(r#"if x { return; } flags.set("b");"#, "+b", true);
        check(r#"let Some(x) = y else { return Ok(()) }; flags.set("b");"#, "+b", true);
        check(r#"x()?; flags.set("b"); Ok(())"#, "+b!", true);
        check(r#"Err(EndHook)?; flags.set("b");"#, "+b", true);
        check(r#"let f = || flags.set("a");"#, "+a", true);
        check(r#"x.then(|| flags.set("a"));"#, "+a", true);
        check(r#"#[cfg(x)] flags.set("a");"#, "+a", true);
    }

    #[test]
    fn flags_that_go_elsewhere_may_do_everything() {
        for body in
            ["helper(&flags);", "flags.clone();", "flags.set(name);", "flags.set(format!(\"a\"))", "let f = flags;"]
        {
            check(body, "", false);
        }
        check("const READY: &str = \"a\"; flags.set(READY);", "", false);
        check("log!(flags.set(READY));", "", false);
    }

    #[test]
    fn endpoints_and_conversations_are_seen_by_the_names_of_their_methods() {
        check(r#"peers.0.clear_flag("endpoint.{endpoint_name}.changed");"#, "-endpoint.{endpoint_name}.changed!", true);
        check(r#"peer.clear_flag("x"); peer.set_flag(JOINED); peer.toggle_flag("y", z)"#, "-x +JOINED +y -y", true);
        check(r#"peer.is_flag_set("x");"#, "?x", true);
        check(r#"kv.set("x", &1)?; action.set("y", "z");"#, "", true);
        check(r#"other.set_flag("two words");"#, "", false);
    }

    #[test]
    fn triggers_are_seen_and_do_more_later() {
        let (shown, whole) = seen(r#"fn f(triggers: Triggers) { triggers.when("a").set("b").clear("c"); }"#);
        assert_eq!((shown.as_str(), whole), ("?a +b -c", false));
    }

    #[test]
    fn flags_that_are_asked_for_are_seen() {
        let (shown, _) = seen(r#"fn f(context: &Context) { let flags: Flags = context.ask_for()?; flags.set("a"); }"#);
        assert_eq!(shown, "+a!");
        let (shown, _) = seen(r#"fn f() { x.call(|flags: &Flags| { flags.set("a"); Ok(()) }); }"#);
        assert_eq!(shown, "+a");
    }
}
