//! Writing, as `json.dumps(value, sort_keys=True)` does.

use std::fmt::{self, Write};

use super::{Json, JsonObject, JsonString, Part, Parts, Text};

pub(super) fn value(out: &mut dyn Write, value: &Json) -> fmt::Result {
    match value {
        Json::Null => out.write_str("null"),
        Json::Bool(true) => out.write_str("true"),
        Json::Bool(false) => out.write_str("false"),
        Json::Integer(number) => write!(out, "{number}"),
        Json::Float(number) => float(out, *number),
        Json::String(text) => string(out, text),
        Json::Array(items) => array(out, items),
        Json::Object(entries) => object(out, entries),
    }
}

fn array(out: &mut dyn Write, items: &[Json]) -> fmt::Result {
    out.write_char('[')?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        value(out, item)?;
    }
    out.write_char(']')
}

pub(super) fn object(out: &mut dyn Write, entries: &JsonObject) -> fmt::Result {
    out.write_char('{')?;
    for (index, (key, item)) in entries.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        string(out, key)?;
        out.write_str(": ")?;
        value(out, item)?;
    }
    out.write_char('}')
}

/// The shortest digits that read back as the same number, as Python's `repr` arranges them.
pub(super) fn float(out: &mut dyn Write, number: f64) -> fmt::Result {
    if number.is_nan() {
        return out.write_str("NaN");
    }
    if number.is_infinite() {
        return out.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let scientific = shortest(number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    match exponent {
        ..-4 => return write!(out, "{mantissa}e-{:02}", -exponent),
        16.. => return write!(out, "{mantissa}e+{exponent}"),
        _ => {}
    }
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let mut digits = mantissa.replace('.', "");
    out.write_str(sign)?;
    if exponent < 0 {
        let zeros = "0".repeat((-1 - exponent).unsigned_abs() as usize);
        return write!(out, "0.{zeros}{digits}");
    }
    let point = 1 + exponent.unsigned_abs() as usize;
    while digits.len() <= point {
        digits.push('0');
    }
    let (whole, fraction) = digits.split_at(point);
    write!(out, "{whole}.{fraction}")
}

/// The shortest digits, with an exponent.
///
/// Where two of that length are equally near, Rust takes the larger one and Python the even one, which is also what
/// Rust takes when it is told the length: 246760438897724.625 is `246760438897724.62` to Python.
fn shortest(number: f64) -> String {
    let shortest = format!("{number:e}");
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let even = format!("{number:.*e}", digits.saturating_sub(1));
    if even.parse() == Ok(number) { even } else { shortest }
}

pub(super) fn string(out: &mut dyn Write, text: &JsonString) -> fmt::Result {
    out.write_char('"')?;
    match &text.0 {
        Text::Utf8(text) => escaped(out, text)?,
        Text::Wide(bytes) => {
            for part in Parts(bytes) {
                match part {
                    Part::Utf8(text) => escaped(out, text)?,
                    Part::Surrogate(unit) => write!(out, "\\u{unit:04x}")?,
                }
            }
        }
    }
    out.write_char('"')
}

fn escaped(out: &mut dyn Write, text: &str) -> fmt::Result {
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| !matches!(c, ' '..='~') || matches!(c, '"' | '\\')) {
        let (plain, special) = rest.split_at(at);
        out.write_str(plain)?;
        let mut characters = special.chars();
        match characters.next().unwrap_or_default() {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\u{8}' => out.write_str("\\b")?,
            '\u{c}' => out.write_str("\\f")?,
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
        }
        rest = characters.as_str();
    }
    out.write_str(rest)
}
