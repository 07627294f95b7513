//! The names of handlers and of what stands around them are the author's.
#![deny(warnings)]

use zkpeer_core::__private::{Registration, inventory};
use zkpeer_core::{FromContext, HandlerDef, handlers, when};

// Names that a macro without care would find in place of its own.
#[allow(dead_code)]
mod core {}
#[allow(dead_code)]
mod std {}
#[allow(dead_code, non_camel_case_types)]
struct Ok;
#[allow(dead_code)]
struct Err;
#[allow(dead_code)]
struct Result;
#[allow(dead_code)]
struct Some;
#[allow(dead_code)]
struct Flags;

mod install {
    #[zkpeer_core::when("a")]
    pub(super) fn install() {}

    pub(super) mod install {
        #[zkpeer_core::when("a")]
        pub(in super::super) fn install() {}
    }
}

/// A function of the module's name.
#[when("a")]
fn install() {}

#[when("a")]
fn call(call: zkpeer_core::Flags, value: zkpeer_core::Flags, param_0: zkpeer_core::Flags) {
    drop((call, value, param_0));
}

#[when("a")]
fn rejection() {}

/// The author's own type to ask for.
struct Mine;

impl FromContext for Mine {
    fn from_context(
        _: &zkpeer_core::Context,
        _: &zkpeer_core::Param<'_>,
    ) -> ::std::result::Result<Self, zkpeer_core::Rejection> {
        ::std::result::Result::Ok(Self)
    }
}

#[when("a")]
fn mine(Mine: Mine) {}

fn main() {
    /// A handler inside of a function.
    #[when("a")]
    fn inner() {}

    const LISTED: &[&HandlerDef] = handlers![self::install, inner];
    assert_eq!(LISTED.len(), 2);
    assert_eq!(handlers![].len(), 0);
    let listed = handlers![install, install::install, install::install::install, crate::call, rejection, mine, inner];
    let modules: Vec<&str> = listed[..3].iter().map(|handler| handler.module).collect();
    let root = module_path!();
    assert_eq!(modules, [root.to_owned(), format!("{root}::install"), format!("{root}::install::install")]);
    let registered = inventory::iter::<Registration>()
        .filter(|registration| {
            matches!(registration, Registration::Handler(handler) if handler.crate_name() != "zkpeer_core")
        })
        .count();
    assert_eq!(registered, listed.len());
}
