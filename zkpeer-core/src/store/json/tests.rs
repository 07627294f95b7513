#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::*;

/// What Python would make of a text: `json.dumps(json.loads(text), sort_keys=True)`.
fn rewritten(text: &str) -> String {
    Json::parse(text).unwrap().to_string()
}

fn dumped<T: Serialize + ?Sized>(value: &T) -> String {
    Json::from_serialize(value).unwrap().to_string()
}

#[test]
fn what_only_python_accepts_is_read_and_written() {
    for text in ["NaN", "Infinity", "-Infinity", "[NaN, -Infinity]", r#""\ud800""#, r#""\udc00\ud800x""#, "-0.0"] {
        assert_eq!(rewritten(text), text);
    }
    let big = "-123456789012345678901234567890123456789012345678901234567890";
    assert_eq!(rewritten(big), big);
    assert_eq!(rewritten(r#"{"a": 1, "b": 2, "a": 3}"#), r#"{"a": 3, "b": 2}"#);
    assert_eq!(rewritten("-0"), "0");
    assert_eq!(rewritten("1e999"), "Infinity");
    assert_eq!(rewritten(" [ 1 ,\t2 ,\r\n{ \"a\" : null } ] "), r#"[1, 2, {"a": null}]"#);
    assert_eq!(rewritten(r#""\/\u0041\b\f\n\r\t\"\\\u0000\u007f""#), r#""/A\b\f\n\r\t\"\\\u0000\u007f""#);
    assert_eq!(rewritten("\"é😀\u{2028}\""), r#""\u00e9\ud83d\ude00\u2028""#);
    assert_eq!(rewritten(r#""\uD83D\uDE00\ud83d\ud83d\ude00""#), r#""\ud83d\ude00\ud83d\ud83d\ude00""#);
}

#[test]
fn what_python_refuses_is_refused() {
    let texts = [
        "",
        " ",
        "nul",
        "nan",
        "+1",
        "01",
        "-",
        "-01",
        "1.",
        ".5",
        "1.e5",
        "1e",
        "1e+",
        "0x1",
        "1_000",
        "--1",
        "-NaN",
        "+Infinity",
        "-Infinit",
        "'a'",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1",
        "[",
        "]",
        "{",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{1:1}",
        "{,}",
        "1 2",
        "nullx",
        "\"",
        "\"a",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud800\\u12g4\"",
        "\"\\",
        "\"\\u",
        "\"a\nb\"",
        "\"\t\"",
        "\u{feff}1",
        "[1]\u{a0}",
        "\u{c}1",
        "/* */ 1",
        "\"\\u+123\"",
        "٣",
    ];
    for text in texts {
        assert!(Json::parse(text).is_err(), "{text:?} was read as {:?}", Json::parse(text));
    }
}

#[test]
fn an_error_names_what_was_wrong_and_where() {
    let message = |text: &str| Json::parse(text).unwrap_err().to_string();
    assert_eq!(message("[1, é]"), "expected a value, found 'é' at byte 4");
    assert_eq!(message("[1"), "expected `,` or `]`, found the end of the text");
    assert_eq!(message("{\"a\" 1}"), "expected `:`, found '1' at byte 5");
    assert_eq!(message("1.5x"), "expected the end of the text, found 'x' at byte 3");
}

#[test]
fn floats_are_written_as_python_writes_them() {
    let floats = [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (0.000_012_3, "1.23e-05"),
        (1e-7, "1e-07"),
        (9_999_999_999_999_998.0, "9999999999999998.0"),
        (1e15, "1000000000000000.0"),
        (1e16, "1e+16"),
        (-1.5e16, "-1.5e+16"),
        (1e22, "1e+22"),
        (1e100, "1e+100"),
        (1.797_693_134_862_315_7e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (2.225_073_858_507_201_4e-308, "2.2250738585072014e-308"),
        (123_456.789, "123456.789"),
        (-0.001_5, "-0.0015"),
        // As near to one as to the other of the two shortest texts.
        (1_974_083_511_181_797.0 / 8.0, "246760438897724.62"),
        (163_254_807_032_181.0 / 16.0, "10203425439511.312"),
        // The nearest of 16 digits is outside the interval that reads back.
        (9_007_199_254_740_992.0, "9007199254740992.0"),
        (5.684_341_886_080_802e-14, "5.684341886080802e-14"),
    ];
    for (number, text) in floats {
        assert_eq!(Json::Float(number).to_string(), text);
    }
    assert_eq!(dumped(&[f64::NAN, -f64::NAN, f64::INFINITY, f64::NEG_INFINITY]), "[NaN, NaN, Infinity, -Infinity]");
    assert_eq!(dumped(&1.1_f32), "1.100000023841858");
}

#[test]
fn keys_are_sorted_by_code_point() {
    // In UTF-16 the emoji would come before U+E000; the lone surrogate is in between.
    assert_eq!(
        rewritten(r#"{"\ud83d\ude00": 4, "\ue000": 3, "\ud800": 2, "b": 1, "B": 0, "": -1}"#),
        r#"{"": -1, "B": 0, "b": 1, "\ud800": 2, "\ue000": 3, "\ud83d\ude00": 4}"#
    );
}

#[test]
fn keys_that_are_no_texts_are_converted_and_sorted_as_python_does() {
    assert_eq!(dumped(&BTreeMap::from([(10, 1), (9, 2), (-1, 3)])), r#"{"-1": 3, "9": 2, "10": 1}"#);
    assert_eq!(dumped(&HashMap::from([(true, 1), (false, 2)])), r#"{"false": 2, "true": 1}"#);
    assert_eq!(dumped(&HashMap::from([(None::<u8>, 1)])), r#"{"null": 1}"#);
    let bounds = HashMap::from([(u128::MAX, 1), (1, 2), (u128::from(u64::MAX), 3)]);
    assert_eq!(dumped(&bounds), format!(r#"{{"1": 2, "{}": 3, "{}": 1}}"#, u64::MAX, u128::MAX));
    assert_eq!(dumped(&HashMap::from([('b', 1), ('a', 2)])), r#"{"a": 2, "b": 1}"#);
    let mixed = HashMap::from([(Some(1), 1), (None, 2)]);
    let error = Json::from_serialize(&mixed).unwrap_err().to_string();
    assert!(error.contains("several kinds"), "{error}");
    assert!(Json::from_serialize(&HashMap::from([((1, 2), 3)])).is_err());
}

#[test]
fn the_order_of_keys_does_not_count_for_equality() {
    let by_number = Json::from_serialize(&BTreeMap::from([(9, 1), (10, 2)])).unwrap();
    let by_text = Json::parse(&by_number.to_string()).unwrap();
    assert_ne!(by_number.to_string(), by_text.to_string());
    assert_eq!(by_number, by_text);
    for (a, b) in [("1", "1.0"), ("0.0", "-0.0"), ("{\"a\": 1}", "{\"b\": 1}"), ("[1]", "[2]"), ("true", "1")] {
        assert_ne!(Json::parse(a).unwrap(), Json::parse(b).unwrap());
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Shape {
    Unit,
    Newtype(i8),
    Tuple(u8, String),
    Struct { z: Option<f32>, a: char },
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    shapes: Vec<Shape>,
    numbers: (i64, u64, i128, u128, f64),
    by_port: BTreeMap<u16, Vec<u8>>,
    by_shape: BTreeMap<Option<bool>, ()>,
    #[serde(flatten)]
    more: BTreeMap<String, Option<bool>>,
}

#[test]
fn rust_types_survive_the_way_there_and_back() {
    let everything = Everything {
        shapes: vec![
            Shape::Unit,
            Shape::Newtype(-3),
            Shape::Tuple(4, "é".into()),
            Shape::Struct { z: None, a: '😀' },
            Shape::Struct { z: Some(0.1), a: 'a' },
        ],
        numbers: (i64::MIN, u64::MAX, i128::MIN, u128::MAX, 1e300),
        by_port: BTreeMap::from([(10, vec![1]), (9, vec![])]),
        by_shape: BTreeMap::from([(Some(true), ()), (Some(false), ())]),
        more: BTreeMap::from([("x".into(), None), ("y".into(), Some(true))]),
    };
    let text = dumped(&everything);
    assert_eq!(
        text,
        format!(
            concat!(
                r#"{{"by_port": {{"9": [], "10": [1]}}, "by_shape": {{"false": null, "true": null}}, "#,
                r#""numbers": [{}, {}, {}, {}, 1e+300], "shapes": ["Unit", {{"Newtype": -3}}, "#,
                r#"{{"Tuple": [4, "\u00e9"]}}, {{"Struct": {{"a": "\ud83d\ude00", "z": null}}}}, "#,
                r#"{{"Struct": {{"a": "a", "z": 0.10000000149011612}}}}], "x": null, "y": true}}"#
            ),
            i64::MIN,
            u64::MAX,
            i128::MIN,
            u128::MAX
        )
    );
    // `flatten` gathers everything first, and serde cannot gather 128 bits; so the numbers on their own.
    let numbers: (i64, u64, i128, u128, f64) = Json::from_serialize(&everything.numbers).unwrap().to().unwrap();
    assert_eq!(numbers, everything.numbers);
    let shapes: Vec<Shape> = Json::from_serialize(&everything.shapes).unwrap().to().unwrap();
    assert_eq!(shapes, everything.shapes);
    let by_port: BTreeMap<u16, Vec<u8>> = Json::from_serialize(&everything.by_port).unwrap().to().unwrap();
    assert_eq!(by_port, everything.by_port);
    let by_shape: BTreeMap<Option<bool>, ()> = Json::from_serialize(&everything.by_shape).unwrap().to().unwrap();
    assert_eq!(by_shape, everything.by_shape);
}

#[test]
fn a_lone_surrogate_fails_only_where_it_is_wanted_as_a_text() {
    #[derive(Deserialize)]
    struct Known {
        known: u8,
    }
    let value = Json::parse(r#"{"known": 1, "other": "\ud800", "\udfff": [1]}"#).unwrap();
    let error = value.to::<Known>().map(|known| known.known).unwrap_err().to_string();
    assert!(error.contains(r#""\udfff" has a lone surrogate"#), "{error}");
    let value = Json::parse(r#"{"known": 1, "other": "\ud800"}"#).unwrap();
    assert_eq!(value.to::<Known>().unwrap().known, 1);
    assert!(value.to::<BTreeMap<String, serde_json::Value>>().is_err());
    assert_eq!(value.get("other").unwrap().as_str(), None);
    let Some(Json::String(text)) = value.get("other") else { panic!("{value:?}") };
    assert_eq!(text.to_string_lossy(), "\u{fffd}");
}

#[test]
fn numbers_fit_or_are_refused() {
    assert_eq!(Json::parse("3").unwrap().to::<f64>().unwrap().to_bits(), 3.0_f64.to_bits());
    let e40 = format!("1{}", "0".repeat(40));
    assert_eq!(Json::parse(&e40).unwrap().to::<f64>().unwrap().to_bits(), 1e40_f64.to_bits());
    assert!(Json::parse(&e40).unwrap().to::<u128>().is_err());
    assert!(Json::parse(&"9".repeat(400)).unwrap().to::<f64>().is_err());
    assert!(Json::parse("300").unwrap().to::<u8>().is_err());
    assert!(Json::parse("-1").unwrap().to::<u64>().is_err());
    assert!(Json::parse(&"9".repeat(MAX_DIGITS)).is_ok());
    let error = Json::parse(&format!("[-{}]", "9".repeat(MAX_DIGITS + 1))).unwrap_err().to_string();
    assert!(error.contains("4301 digits at byte 1"), "{error}");
}

#[test]
fn deep_nesting_is_refused_before_it_can_exhaust_the_stack() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    // Half of what a test's thread has, and an eighth of what a process has.
    let worker = std::thread::Builder::new().stack_size(1 << 20).spawn(move || {
        let value = Json::parse(&nested(MAX_DEPTH)).unwrap();
        assert_eq!(value.to_string(), nested(MAX_DEPTH));
        assert_eq!(value, value.clone());
        assert_eq!(format!("{value:?}"), nested(MAX_DEPTH));
        drop(value);
        let objects = format!("{}1{}", r#"{"a": "#.repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
        assert_eq!(rewritten(&objects), objects);
        assert_eq!(Json::parse(&nested(MAX_DEPTH + 1)), Err(JsonError::too_deep()));
        assert_eq!(Json::parse(&"[".repeat(1_000_000)), Err(JsonError::too_deep()));
        assert_eq!(Json::parse(&r#"{"a":"#.repeat(1_000_000)), Err(JsonError::too_deep()));
    });
    worker.unwrap().join().unwrap();
}

#[derive(Debug, Serialize, Deserialize)]
struct Nested(Vec<Nested>);

#[test]
fn recursive_types_are_read_and_written_to_the_limit() {
    // What a thread has if nothing else is asked for; in a debug build half of it would not do.
    let worker = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
        let text = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        let nested: Nested = Json::parse(&text).unwrap().to().unwrap();
        assert_eq!(dumped(&nested), text);
        assert_eq!(Json::from_serialize(&Nested(vec![nested])), Err(JsonError::too_deep()));
        let value: serde_json::Value = Json::parse(&text).unwrap().to().unwrap();
        assert_eq!(dumped(&value), text);
    });
    worker.unwrap().join().unwrap();
}

fn any_string() -> impl Strategy<Value = JsonString> {
    // Code points, surrogates included but no pairs, of which Python makes one character when it reads them.
    prop::collection::vec(prop_oneof![0..0x80_u32, 0xd7f0..0xe010_u32, 0..0x11_0000_u32], 0..8).prop_map(|points| {
        let mut bytes = Vec::new();
        let mut last = 0;
        for point in points {
            match (char::from_u32(point), last, point) {
                (Some(c), ..) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                (None, 0xd800..0xdc00, 0xdc00..) => continue,
                (None, ..) => push_surrogate(&mut bytes, u16::try_from(point).unwrap()),
            }
            last = point;
        }
        JsonString::from_bytes(bytes)
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::Bool),
        any::<i64>().prop_map(|number| Json::Integer(number.into())),
        "-?[1-9][0-9]{0,60}".prop_map(|digits| Json::Integer(JsonInteger::from_digits(&digits))),
        any::<u64>().prop_map(|bits| Json::Float(f64::from_bits(bits))),
        any_string().prop_map(Json::String),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::Array),
            prop::collection::vec((any_string(), inner), 0..6)
                .prop_map(|entries| Json::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_as_the_same_value(value in any_json()) {
        let text = value.to_string();
        prop_assert!(text.is_ascii());
        let read = Json::parse(&text).unwrap();
        prop_assert_eq!(&read, &value);
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in r#"([\[\]{},:" 0-9eE.+\\-]|\\u|d8|true|NaN|\PC){0,40}"#) {
        if let Ok(value) = Json::parse(&text) {
            prop_assert_eq!(Json::parse(&value.to_string()).unwrap(), value);
        }
    }

    #[test]
    fn integers_are_ordered_as_numbers(a in any::<i128>(), b in any::<i128>(), shift in 0..127_u32) {
        let (a, b) = (a >> shift, b >> shift);
        let of = |number: i128| JsonInteger::from_digits(&number.to_string());
        prop_assert_eq!(of(a).cmp(&of(b)), a.cmp(&b));
    }
}
