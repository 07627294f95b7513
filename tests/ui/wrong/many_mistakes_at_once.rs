use zkpeer_core::{handlers, hook, not_unless, only_once, when, when_not};

#[when("two words", "a", "a")]
#[when_not("a")]
#[hook("config-change", "{peer:x}-relation-joined")]
#[only_once(twice)]
#[only_once]
#[not_unless("")]
async fn everything<T>(name: String, value: impl Clone) -> u8 {
    let _ = (name, value);
    1
}

#[when("two words")]
fn name_and_types(name: String) -> u8 {
    let _ = name;
    1
}

fn main() {
    // Those that are wrong can still be listed and called: one mistake makes one message.
    let _ = handlers![name_and_types, everything];
    name_and_types(String::new());
}
