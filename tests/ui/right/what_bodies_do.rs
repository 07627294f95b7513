//! What bodies do to flags is noted, and nothing that an author may write there is in the way.
#![deny(warnings)]

use zkpeer_core::{Flag, Flags, Result, allow_finding, clears, flag, hook, not_unless, reads, sets, when, when_not};

const READY: Flag = flag!("app.ready");
const NAME: &str = "app.name";

mod names {
    pub const DEEP: zkpeer_core::Flag = zkpeer_core::Flag::new("app.deep");
}

/// A type of the author's with a method of the same name, for something else.
struct Socket;

struct Options(#[allow(dead_code)] u32);

impl Socket {
    const NODELAY: u32 = 1;

    fn set_flag(&self, _: u32) {}

    fn clear_flag(&self, _: Options) {}

    /// On methods, too; with `self`.
    #[sets("app.told", READY)]
    #[clears("app.name")]
    fn tell(&self, flags: &Flags) {
        flags.set(format!("app.{}", "told"));
    }
}

const FAST: u32 = 7;

#[when_not(READY)]
#[allow_finding(never_read = READY, reason = "for the test")]
#[allow_finding(never_read = "app.name", reason = "for the test")]
fn names_of_all_kinds(flags: Flags) -> Result {
    flags.set(READY);
    flags.set(&NAME);
    flags.set(names::DEEP);
    flags.clear(flag!("app.x"));
    flags.toggle(String::from("app.y"), flags.is_set(READY));
    if flags.all_set([READY, names::DEEP]) || flags.any_set(["a"]) {
        return Ok(());
    }
    Socket.set_flag(FAST);
    Socket.set_flag(Socket::NODELAY);
    Socket.clear_flag(Options(1));
    Socket.tell(&flags);
    Ok(())
}

/// Names of its own, which are not there beside the function.
#[hook("install")]
fn hides_names(flags: Flags) {
    const INNER: &str = "app.inner";
    use names::DEEP as OTHER;
    flags.set(INNER);
    flags.set(OTHER);
}

#[when("a")]
fn is_cut_out(flags: Flags) {
    #[cfg(any())]
    flags.set(NOT_THERE);
    flags.clear("a");
}

macro_rules! handlers_of {
    ($($name:ident $flag:literal)*) => {$(
        #[when_not($flag)]
        fn $name(flags: Flags) {
            flags.set($flag);
        }
    )*};
}
handlers_of! { first "app.first" second "app.second" }

#[not_unless("a")]
#[reads("b")]
fn generic<T: AsRef<str>>(flags: Flags, name: T) -> Result {
    let _ = flags.is_set(name);
    Ok(())
}

#[sets("c")]
const fn constant() {}

#[allow_finding(unanswered_action = "backup", reason = "a handler in bash is for it")]
fn main() {
    let _ = generic::<&str>;
    constant();
    let noted = names_of_all_kinds;
    let _ = noted;
}
