use zkpeer_core::when;

struct Charm;

impl Charm {
    #[when("a")]
    fn install() {}
}

fn main() {
    let _ = Charm;
}
