use zkpeer_core::when;

#[when("a")]
unsafe extern "C" fn print(format: *const u8, _: ...) {
    let _ = format;
}

fn main() {}
