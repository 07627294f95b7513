use zkpeer_core::interfaces;

interfaces![];
interfaces![serde_json, tempfile, serde_json];
interfaces![crate, self, zkpeer_core];
interfaces!["serde_json"];
interfaces![serde_json::value];
interfaces![no_such_crate];

fn main() {}
