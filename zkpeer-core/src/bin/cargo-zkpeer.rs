//! `cargo zkpeer`: the program for people who write charms.

fn main() {}
