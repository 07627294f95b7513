//! JSON as Python's `json` module reads and writes it.
//!
//! What is read is what `json.loads` accepts, and nothing else: besides standard JSON that is `NaN`, `Infinity`,
//! `-Infinity`, integers of up to 4,300 digits, escapes of lone surrogates and duplicate keys (the last one counts).
//! What is written is, byte for byte, what `json.dumps(value, sort_keys=True)` writes for the same value.

mod deserialize;
mod read;
mod serialize;
mod write;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// How deeply arrays and objects may be nested. Python's own limit is a little less (its recursion limit, 1,000 by
/// default, minus the calls that are already open).
const MAX_DEPTH: usize = 1000;

/// How many digits an integer may have: `int()` and `str()` of Python refuse more.
const MAX_DIGITS: usize = 4300;

/// A JSON value with all that Python makes of one.
///
/// Two values are equal if Python would write them as the same text with sorted keys: `1` and `1.0` differ, `0.0` and
/// `-0.0` differ, `NaN` is equal to itself.
///
/// ```
/// use zkpeer_core::store::Json;
///
/// let value: Json = r#"{"b": [1e-7, NaN], "a": "\u00e9\ud800"}"#.parse()?;
/// assert_eq!(value.to_string(), r#"{"a": "\u00e9\ud800", "b": [1e-07, NaN]}"#);
/// # Ok::<(), zkpeer_core::store::JsonError>(())
/// ```
#[derive(Clone)]
pub enum Json {
    /// `null`, Python's `None`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent, Python's `int`.
    Integer(JsonInteger),
    /// A number with fraction or exponent, or `NaN`, `Infinity`, `-Infinity`: Python's `float`.
    Float(f64),
    /// A text, Python's `str`.
    String(JsonString),
    /// An array, Python's `list`.
    Array(Vec<Json>),
    /// An object, Python's `dict`.
    Object(JsonObject),
}

impl Json {
    /// Reads a JSON text, as `json.loads` does.
    ///
    /// # Errors
    ///
    /// If Python would refuse the text, or if it is nested more than 1,000 deep; the message names the byte.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        read::document(text)
    }

    /// The value as JSON, with Python's conversions: the keys of maps may be numbers and booleans, and an `f32` is
    /// widened (`1.1_f32` is `1.100000023841858`).
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use zkpeer_core::store::Json;
    ///
    /// let ports = BTreeMap::from([(9, true), (10, false)]);
    /// assert_eq!(Json::from_serialize(&ports)?.to_string(), r#"{"9": true, "10": false}"#);
    /// # Ok::<(), zkpeer_core::store::JsonError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the value's own `Serialize` fails, if a map has a key that is neither text nor number, boolean or none, or
    /// keys of several kinds (which Python cannot sort), or if it is nested more than 1,000 deep.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        value.serialize(serialize::Serializer::new())
    }

    /// The value as a Rust type.
    ///
    /// ```
    /// use std::collections::BTreeMap;
    /// use zkpeer_core::store::Json;
    ///
    /// let ports: BTreeMap<u16, bool> = Json::parse(r#"{"10": false, "9": true}"#)?.to()?;
    /// assert_eq!(ports, BTreeMap::from([(9, true), (10, false)]));
    /// # Ok::<(), zkpeer_core::store::JsonError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the value does not have the shape of `T`, or has what Rust's types do not: a lone surrogate in a text.
    pub fn to<T: DeserializeOwned>(&self) -> Result<T, JsonError> {
        T::deserialize(self)
    }

    /// The text, if this is one that Rust can hold.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => text.as_str(),
            _ => None,
        }
    }

    /// The value under `key`, if this is an object that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(object) => object.get(key),
            _ => None,
        }
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Self::String(a), Self::String(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Json {}

impl FromStr for Json {
    type Err = JsonError;

    fn from_str(text: &str) -> Result<Self, JsonError> {
        Self::parse(text)
    }
}

/// Writes the text that `json.dumps(value, sort_keys=True)` gives.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::value(f, self)
    }
}

/// As `Display`: the text of a value shows all there is to see.
impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An integer of any size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonInteger(Integer);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Integer {
    Small(i64),
    /// What does not fit: the digits, without leading zeros, and `-` where it is negative.
    Big(String),
}

impl JsonInteger {
    /// The integer with these digits, which have no leading zeros.
    fn from_digits(digits: &str) -> Self {
        Self(digits.parse().map_or_else(|_| Integer::Big(digits.to_owned()), Integer::Small))
    }

    /// The number, if it is that small.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self.0 {
            Integer::Small(number) => Some(number),
            Integer::Big(_) => None,
        }
    }
}

impl From<i64> for JsonInteger {
    fn from(number: i64) -> Self {
        Self(Integer::Small(number))
    }
}

impl fmt::Display for JsonInteger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Integer::Small(number) => fmt::Display::fmt(number, f),
            Integer::Big(digits) => f.write_str(digits),
        }
    }
}

impl PartialOrd for JsonInteger {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for JsonInteger {
    fn cmp(&self, other: &Self) -> Ordering {
        // A big one is further from zero than any small one.
        let is_negative = |digits: &str| digits.starts_with('-');
        match (&self.0, &other.0) {
            (Integer::Small(a), Integer::Small(b)) => a.cmp(b),
            (Integer::Small(_), Integer::Big(b)) if is_negative(b) => Ordering::Greater,
            (Integer::Small(_), Integer::Big(_)) => Ordering::Less,
            (Integer::Big(_), Integer::Small(_)) => other.cmp(self).reverse(),
            (Integer::Big(a), Integer::Big(b)) => match (is_negative(a), is_negative(b)) {
                (true, false) => Ordering::Less,
                (false, true) => Ordering::Greater,
                (false, false) => (a.len(), a).cmp(&(b.len(), b)),
                (true, true) => (b.len(), b).cmp(&(a.len(), a)),
            },
        }
    }
}

/// A text of Python: unlike Rust's it may contain surrogates that have no partner. Ordered by code points.
#[derive(Clone)]
pub struct JsonString(Text);

#[derive(Clone)]
enum Text {
    Utf8(String),
    /// A text with lone surrogates, encoded as if they were characters (this is known as WTF-8).
    Wide(Vec<u8>),
}

impl JsonString {
    fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(String::from_utf8(bytes).map_or_else(|error| Text::Wide(error.into_bytes()), Text::Utf8))
    }

    /// The bytes; their order is the order of the code points.
    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Utf8(text) => text.as_bytes(),
            Text::Wide(bytes) => bytes,
        }
    }

    /// The text, unless it has a lone surrogate.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.0 {
            Text::Utf8(text) => Some(text),
            Text::Wide(_) => None,
        }
    }

    /// The text for people, with U+FFFD for each lone surrogate.
    #[must_use]
    pub fn to_string_lossy(&self) -> Cow<'_, str> {
        match &self.0 {
            Text::Utf8(text) => Cow::Borrowed(text),
            Text::Wide(bytes) => {
                let mut text = String::with_capacity(bytes.len());
                for part in Parts(bytes) {
                    match part {
                        Part::Utf8(part) => text.push_str(part),
                        Part::Surrogate(_) => text.push(char::REPLACEMENT_CHARACTER),
                    }
                }
                Cow::Owned(text)
            }
        }
    }
}

/// What the bytes of a text with lone surrogates consist of.
struct Parts<'t>(&'t [u8]);

enum Part<'t> {
    Utf8(&'t str),
    Surrogate(u16),
}

impl<'t> Iterator for Parts<'t> {
    type Item = Part<'t>;

    fn next(&mut self) -> Option<Part<'t>> {
        // U+D800 to U+DFFF are ED A0 80 to ED BF BF; nothing else has ED before a byte of A0 or more.
        if let [0xed, second @ 0xa0..=0xff, third, rest @ ..] = self.0 {
            self.0 = rest;
            return Some(Part::Surrogate(0xd000 | (u16::from(second & 0x3f) << 6) | u16::from(third & 0x3f)));
        }
        let end = self.0.windows(2).position(|two| two[0] == 0xed && two[1] >= 0xa0).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        if text.is_empty() { None } else { Some(Part::Utf8(str::from_utf8(text).unwrap_or_default())) }
    }
}

/// Adds a surrogate that has no partner to the bytes of a text.
fn push_surrogate(bytes: &mut Vec<u8>, unit: u16) {
    let [high, low] = unit.to_be_bytes();
    bytes.extend([0xe0 | (high >> 4), 0x80 | ((high & 0xf) << 2) | (low >> 6), 0x80 | (low & 0x3f)]);
}

impl From<&str> for JsonString {
    fn from(text: &str) -> Self {
        Self(Text::Utf8(text.to_owned()))
    }
}

impl From<String> for JsonString {
    fn from(text: String) -> Self {
        Self(Text::Utf8(text))
    }
}

impl PartialEq for JsonString {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for JsonString {}

impl PartialOrd for JsonString {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for JsonString {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

/// As JSON writes it, with quotes and escapes.
impl fmt::Debug for JsonString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::string(f, self)
    }
}

/// An object: values under unique keys, in the order in which Python writes them with `sort_keys=True`.
///
/// That is the order of the code points of the keys, except that an object made from a Rust map with numbers as keys
/// has the order of the numbers: Python sorts before it makes texts of them. For equality the order does not count.
#[derive(Clone, Default)]
pub struct JsonObject(Vec<(JsonString, Json)>);

impl JsonObject {
    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.iter().find(|(name, _)| name.as_bytes() == key.as_bytes()).map(|(_, value)| value)
    }

    /// The keys and values, in the order in which they are written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&JsonString, &Json)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn keys(&self) -> impl Iterator<Item = &JsonString> {
        self.0.iter().map(|(key, _)| key)
    }

    fn in_text_order(&self) -> Vec<&(JsonString, Json)> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(key, _)| key);
        entries
    }
}

/// Of several values under one key the last one counts.
impl FromIterator<(JsonString, Json)> for JsonObject {
    fn from_iter<I: IntoIterator<Item = (JsonString, Json)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        keep_last(&mut entries);
        Self(entries)
    }
}

/// Of sorted entries with the same key, keeps the last one.
fn keep_last<K: PartialEq>(entries: &mut Vec<(K, Json)>) {
    entries.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0;
        if same {
            std::mem::swap(later, earlier);
        }
        same
    });
}

impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        // Values are compared in one of the two ways only, or nesting would cost a power of two.
        if self.keys().eq(other.keys()) { self.0 == other.0 } else { self.in_text_order() == other.in_text_order() }
    }
}

impl Eq for JsonObject {}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write::object(f, self)
    }
}

/// Why a text is not JSON, or a value does not fit a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonError {
    message: String,
}

impl JsonError {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    fn too_deep() -> Self {
        Self::new(format!("arrays and objects are nested more than {MAX_DEPTH} deep"))
    }
}

impl serde::ser::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::de::Error for JsonError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

#[cfg(test)]
mod tests;
