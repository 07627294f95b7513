use zkpeer_core::{handlers, when};

mod layer {
    #[zkpeer_core::when("a")]
    fn hidden() {}

    pub fn plain() {}
}

#[when("a")]
fn install() {}

fn plain() {}

fn main() {
    let _ = handlers![install, plain];
    let _ = handlers![instal];
    let _ = handlers![layer::hidden];
    let _ = handlers![layer::plain];
    let _ = handlers![install, self::install, install];
    let _ = handlers![install()];
    let _ = handlers!["install"];
    layer::plain();
    plain();
}
