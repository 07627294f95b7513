use zkpeer_core::only_once;

#[only_once("reactive/x.py:12:install")]
fn without_was() {}

#[only_once(key = "reactive/x.py:12:install", forever)]
fn unknown() {}

#[only_once(was = "install", was = ["reactive/x.py:install", "reactive/x.py:12:a", 1], was = "reactive/x.py:12:a")]
fn not_a_key() {}

#[only_once(was = KEY)]
fn not_a_literal() {}

fn main() {}
