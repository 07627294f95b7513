//! Reading. The grammar is walked without recursion, so that no text can exhaust the stack.

use super::{Json, JsonError, JsonInteger, JsonObject, JsonString, MAX_DEPTH, MAX_DIGITS, push_surrogate};

/// An array or object whose end has not been read yet.
enum Open {
    Array(Vec<Json>),
    Object(Vec<(JsonString, Json)>, JsonString),
}

/// Reads one value and nothing after it but white space.
pub(super) fn document(text: &str) -> Result<Json, JsonError> {
    let mut reader = Reader { text, at: 0 };
    let mut open: Vec<Open> = Vec::new();
    loop {
        reader.skip_white_space();
        let begun = match reader.peek() {
            Some(b'[' | b'{') if open.len() == MAX_DEPTH => return Err(JsonError::too_deep()),
            Some(b'[') => reader.begin_array()?,
            Some(b'{') => reader.begin_object()?,
            _ => Begun::Whole(reader.scalar()?),
        };
        let mut value = match begun {
            Begun::Whole(value) => value,
            Begun::Open(container) => {
                open.push(container);
                continue;
            }
        };
        // A value is complete: it goes into its container, which may be complete with it, and so on outwards.
        loop {
            reader.skip_white_space();
            let next = reader.peek();
            match (open.pop(), next) {
                (None, None) => return Ok(value),
                (None, Some(_)) => return Err(reader.error("expected the end of the text")),
                (Some(Open::Array(mut items)), Some(end @ (b',' | b']'))) => {
                    reader.at += 1;
                    items.push(value);
                    if end == b',' {
                        open.push(Open::Array(items));
                        break;
                    }
                    value = Json::Array(items);
                }
                (Some(Open::Object(mut entries, key)), Some(end @ (b',' | b'}'))) => {
                    reader.at += 1;
                    entries.push((key, value));
                    if end == b',' {
                        let key = reader.key()?;
                        open.push(Open::Object(entries, key));
                        break;
                    }
                    value = Json::Object(JsonObject::from_iter(entries));
                }
                (Some(Open::Array(_)), _) => return Err(reader.error("expected `,` or `]`")),
                (Some(Open::Object(..)), _) => return Err(reader.error("expected `,` or `}`")),
            }
        }
    }
}

enum Begun {
    Whole(Json),
    Open(Open),
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn error(&self, what: &str) -> JsonError {
        self.error_at(self.at, what)
    }

    fn error_at(&self, at: usize, what: &str) -> JsonError {
        match self.text.get(at..).and_then(|rest| rest.chars().next()) {
            Some(found) => JsonError::new(format!("{what}, found {found:?} at byte {at}")),
            None => JsonError::new(format!("{what}, found the end of the text")),
        }
    }

    fn begin_array(&mut self) -> Result<Begun, JsonError> {
        self.at += 1;
        self.skip_white_space();
        Ok(if self.take(b']') { Begun::Whole(Json::Array(Vec::new())) } else { Begun::Open(Open::Array(Vec::new())) })
    }

    fn begin_object(&mut self) -> Result<Begun, JsonError> {
        self.at += 1;
        self.skip_white_space();
        if self.take(b'}') {
            return Ok(Begun::Whole(Json::Object(JsonObject::default())));
        }
        Ok(Begun::Open(Open::Object(Vec::new(), self.key()?)))
    }

    /// A key and its colon.
    fn key(&mut self) -> Result<JsonString, JsonError> {
        self.skip_white_space();
        if self.peek() != Some(b'"') {
            return Err(self.error("expected a key in double quotes"));
        }
        let key = self.string()?;
        self.skip_white_space();
        if self.take(b':') { Ok(key) } else { Err(self.error("expected `:`")) }
    }

    fn scalar(&mut self) -> Result<Json, JsonError> {
        const WORDS: [(&str, Json); 6] = [
            ("null", Json::Null),
            ("true", Json::Bool(true)),
            ("false", Json::Bool(false)),
            ("NaN", Json::Float(f64::NAN)),
            ("Infinity", Json::Float(f64::INFINITY)),
            ("-Infinity", Json::Float(f64::NEG_INFINITY)),
        ];
        if self.peek() == Some(b'"') {
            return self.string().map(Json::String);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        for (word, value) in WORDS {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        self.number()
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let from = self.at;
        self.take(b'-');
        let first = self.at;
        if !self.take(b'0') && self.digits() == 0 {
            return Err(self.error_at(from, "expected a value"));
        }
        let integer_digits = self.at - first;
        // A point or an `e` without digits does not belong to the number; what follows then refuses it.
        let mut is_float = false;
        let before_fraction = self.at;
        if self.take(b'.') {
            if self.digits() > 0 {
                is_float = true;
            } else {
                self.at = before_fraction;
            }
        }
        let before_exponent = self.at;
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            if self.digits() > 0 {
                is_float = true;
            } else {
                self.at = before_exponent;
            }
        }
        let number = self.text.get(from..self.at).unwrap_or_default();
        if is_float {
            // Out of range is infinity, as in Python.
            return number.parse().map(Json::Float).map_err(|_| self.error_at(from, "expected a number"));
        }
        if integer_digits > MAX_DIGITS {
            return Err(JsonError::new(format!(
                "an integer of {integer_digits} digits at byte {from}: Python reads no more than {MAX_DIGITS}"
            )));
        }
        Ok(Json::Integer(JsonInteger::from_digits(number)))
    }

    fn string(&mut self) -> Result<JsonString, JsonError> {
        self.at += 1;
        let plain = self.plain();
        if self.take(b'"') {
            return Ok(JsonString::from(plain));
        }
        let mut bytes = plain.as_bytes().to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(JsonString::from_bytes(bytes));
                }
                Some(b'\\') => self.escape(&mut bytes)?,
                Some(0..b' ') => return Err(self.error("expected no control character in a string")),
                None => return Err(self.error("expected `\"`")),
                Some(_) => bytes.extend_from_slice(self.plain().as_bytes()),
            }
        }
    }

    /// The part of a string up to the next thing that is not itself.
    fn plain(&mut self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..b' ')).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).unwrap_or_default()
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsonError> {
        self.at += 1;
        let byte = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape(bytes);
            }
            _ => return Err(self.error("expected one of `\"\\/bfnrtu` after `\\`")),
        };
        self.at += 1;
        bytes.push(byte);
        Ok(())
    }

    fn unicode_escape(&mut self, bytes: &mut Vec<u8>) -> Result<(), JsonError> {
        let first = self.four_digits()?;
        let mut units = vec![first];
        if (0xd800..0xdc00).contains(&first) {
            let after_first = self.at;
            if self.take(b'\\') && self.take(b'u') {
                let second = self.four_digits()?;
                if (0xdc00..0xe000).contains(&second) {
                    units.push(second);
                }
            }
            if units.len() == 1 {
                self.at = after_first;
            }
        }
        match char::decode_utf16(units).next() {
            Some(Ok(character)) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            _ => push_surrogate(bytes, first),
        }
        Ok(())
    }

    fn four_digits(&mut self) -> Result<u16, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit.and_then(|digit| u16::try_from(digit).ok()) else {
                return Err(self.error("expected four hexadecimal digits after `\\u`"));
            };
            unit = unit << 4 | digit;
            self.at += 1;
        }
        Ok(unit)
    }
}
