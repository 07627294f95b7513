//! JSON: what Python reads and writes is what we read and write.

use std::collections::BTreeMap;

use serde_json::json;
use zkpeer_core::store::Json;

use crate::Random;
use crate::peer::Peer;

#[test]
fn what_python_writes_in_any_order_is_written_by_us_as_python_writes_it_sorted() {
    let (mut peer, mut random) = (Peer::start(), Random::new());
    let mut cases = 0;
    for _ in 0..10 {
        let values = peer.call(json!(["random_values", random.next() >> 32, 1000]));
        for value in values.as_array().unwrap() {
            let (written, sorted) = (value[0].as_str().unwrap(), value[1].as_str().unwrap());
            assert_eq!(Json::parse(written).unwrap().to_string(), sorted, "from {written}");
            assert_eq!(Json::parse(sorted).unwrap(), Json::parse(written).unwrap());
            cases += 1;
        }
    }
    assert_eq!(cases, 10_000);
}

/// A text that may be JSON, made from one that is by a few small accidents.
fn damaged(text: &str, random: &mut Random) -> String {
    const PIECES: [&str; 30] = [
        "\"", "\\", "[", "]", "{", "}", ",", ":", " ", "\n", "\t", "\u{c}", "\0", "0", "1", "-", "+", ".", "e", "E",
        "u", "\\u", "\\ud83d", "\\udE00", "NaN", "Infinity", "true", "null", "é", "\u{feff}",
    ];
    let mut characters: Vec<String> = text.chars().map(String::from).collect();
    for _ in 0..=random.below(3) {
        let at = random.below(characters.len() + 1);
        match random.below(3) {
            0 if at < characters.len() => drop(characters.remove(at)),
            1 if at < characters.len() => characters[at] = PIECES[random.below(PIECES.len())].to_owned(),
            _ => characters.insert(at, PIECES[random.below(PIECES.len())].to_owned()),
        }
    }
    characters.concat()
}

#[test]
fn what_python_refuses_we_refuse_and_what_it_accepts_we_accept() {
    let (mut peer, mut random) = (Peer::start(), Random::new());
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..10 {
        let values = peer.call(json!(["random_values", random.next() >> 32, 1000]));
        let texts: Vec<_> =
            values.as_array().unwrap().iter().map(|value| damaged(value[0].as_str().unwrap(), &mut random)).collect();
        let theirs = peer.call(json!(["rewrite", texts]));
        for (text, theirs) in texts.iter().zip(theirs.as_array().unwrap()) {
            let ours = Json::parse(text);
            assert_eq!(ours.as_ref().ok().map(Json::to_string).as_deref(), theirs.as_str(), "{text:?}: {ours:?}");
            if theirs.is_null() { refused += 1 } else { accepted += 1 }
        }
    }
    assert!(accepted > 1000 && refused > 1000, "{accepted} accepted, {refused} refused");
}

#[test]
fn the_corners_of_the_grammar_are_those_of_python() {
    let digits = |count: usize| "9".repeat(count);
    let mut texts: Vec<String> = [
        "",
        " ",
        "-",
        "-0",
        "-0.0",
        "0.",
        "0.0e",
        "1e5",
        "1E+05",
        "1e-7",
        "1e400",
        "-1e400",
        "1e-400",
        "01",
        "1.5.5",
        "NaN",
        "-NaN",
        "nan",
        "Infinity",
        "-Infinity",
        "+Infinity",
        "infinity",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud800\\ud800\\udc00\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\u00\"",
        "\"\\ud800\\\"",
        "\"\\uD83D\\uDe00\"",
        "\"\\x41\"",
        "\"\\u+041\"",
        "\"\\u 041\"",
        "\"\u{7f}\u{80}\u{ffff}\u{10ffff}\"",
        "\"\u{1f}\"",
        "\u{feff}1",
        "1\u{a0}",
        "\u{b}1",
        "[1,]",
        "[,]",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "{\"b\":1,\"a\":2,\"b\":{\"d\":1,\"c\":2}}",
        "{\"\":{}}",
        "[[],{}]",
        "'a'",
        "{a:1}",
        "1 1",
        "[1]]",
        "1_0",
        "٣",
        "\"\\/\"",
        "//1",
        "tru",
        "truee",
        "[true,false,null]",
        "9007199254740993",
        "9007199254740993.0",
        "0.1e1",
        "123456789012345678",
        "1234567890123456789012",
        "1e22",
        "1e21",
        "1e16",
        "123456789012345680.0",
        "5e-324",
        "2.4703282292062328e-324",
        "2.4703282292062327e-324",
        "1.7976931348623159e308",
        "9223372036854775808",
        "-9223372036854775809",
    ]
    .map(String::from)
    .to_vec();
    texts.extend([digits(4300), digits(4301), format!("-{}", digits(4300)), format!("-{}", digits(4301))]);
    texts.extend([format!("{}.5", digits(4301)), format!("0.{}", digits(5000))]);
    texts.push(format!("{}{}", "[".repeat(900), "]".repeat(900)));
    let theirs = Peer::start().call(json!(["rewrite", texts]));
    for (text, theirs) in texts.iter().zip(theirs.as_array().unwrap()) {
        let ours = Json::parse(text).map(|value| value.to_string());
        assert_eq!(ours.as_deref().ok(), theirs.as_str(), "{text:?}: {ours:?}");
    }
}

#[test]
fn floats_of_any_bits_have_the_text_that_python_gives_them() {
    let (mut peer, mut random) = (Peer::start(), Random::new());
    for round in 0..10 {
        let bits: Vec<u64> = (0..10_000)
            .map(|_| match round {
                // Any bits; then halfway between two short texts; then what people write; then whole numbers, large
                // ones too; then powers of two, whose neighbours are not equally far; then what is hardly above zero.
                0..=2 => random.next(),
                3 | 4 => ((random.next() >> (11 + random.below(8))) as f64 / (1 << random.below(8)) as f64).to_bits(),
                5 | 6 => (random.below(1_000_000) as f64 / 10_f64.powi(random.below(30) as i32 - 8)).to_bits(),
                7 => ((random.next() >> random.below(64)) as f64).to_bits(),
                8 => (random.next() >> 52) << 52,
                _ => random.next() >> random.below(64),
            })
            .collect();
        let theirs = peer.call(json!(["floats", bits]));
        for (&bits, theirs) in bits.iter().zip(theirs.as_array().unwrap()) {
            let theirs = theirs.as_str().unwrap();
            assert_eq!(Json::Float(f64::from_bits(bits)).to_string(), theirs, "{bits:#x}");
            assert_eq!(Json::parse(theirs).unwrap(), Json::Float(f64::from_bits(bits)), "{bits:#x}");
        }
    }
}

#[test]
fn keys_that_are_no_texts_are_sorted_and_written_as_python_does() {
    let (mut peer, mut random) = (Peer::start(), Random::new());
    for _ in 0..100 {
        let mut keys: Vec<i64> = (0..20).map(|_| (random.next() as i64) >> random.below(64)).collect();
        keys.sort_unstable();
        keys.dedup();
        let map: BTreeMap<i64, usize> = keys.iter().enumerate().map(|(index, &key)| (key, index)).collect();
        let theirs = peer.call(json!(["keyed", "int", keys]));
        assert_eq!(Json::from_serialize(&map).unwrap().to_string(), theirs.as_str().unwrap());
    }
    let flags = BTreeMap::from([(true, 0), (false, 1)]);
    let theirs = peer.call(json!(["keyed", "bool", [true, false]]));
    assert_eq!(Json::from_serialize(&flags).unwrap().to_string(), theirs.as_str().unwrap());
    let none = BTreeMap::from([(None::<u8>, 0)]);
    let theirs = peer.call(json!(["keyed", "none", [0]]));
    assert_eq!(Json::from_serialize(&none).unwrap().to_string(), theirs.as_str().unwrap());
}
