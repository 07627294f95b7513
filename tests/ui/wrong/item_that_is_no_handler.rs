use zkpeer_core::{Flags, Result, hook, not_unless, when, when_not};

#[when("a")]
#[when_not("b")]
struct Handler;

#[hook("install")]
mod module {}

#[not_unless("a")]
const CONSTANT: u8 = 1;

impl Handler {
    #[when("a")]
    #[when_not("b")]
    fn method(&self, flags: Flags) -> Result {
        let _ = flags;
        Ok(())
    }

    #[not_unless("a")]
    fn guarded(&self) {}
}

trait Declares {
    #[when("a")]
    fn declared();
}

#[when("a")]
async fn asynchronous() {}

#[when("a")]
unsafe fn not_safe() {}

#[when("a")]
extern "C" fn foreign() {}

#[when("a")]
fn generic<'a, T: Clone, const N: usize>(flags: &'a Flags, t: T) -> Result
where
    T: Send,
{
    let _ = (flags, t, [0; N]);
    Ok(())
}

#[when("a")]
fn bounded() where u8: Copy {}

#[when("a")]
fn any(value: impl Clone, option: Option<impl Copy>) -> impl Sized {
    let _ = (value, option);
}

#[when("a")]
fn under_cfg(#[cfg(unix)] flags: Flags) {
    let _ = flags;
}

fn main() {
    let _ = CONSTANT;
    let _ = Handler;
}
