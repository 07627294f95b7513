//! Into Rust's types, through serde.

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::{Integer, Json, JsonError, JsonInteger, JsonObject, JsonString};

fn string<'de, V: Visitor<'de>>(text: &'de JsonString, visitor: V) -> Result<V::Value, JsonError> {
    match text.as_str() {
        Some(text) => visitor.visit_borrowed_str(text),
        None => {
            Err(JsonError::new(format!("the text {text:?} has a lone surrogate, which a Rust `String` cannot hold")))
        }
    }
}

fn integer<'de, V: Visitor<'de>>(number: &JsonInteger, visitor: V) -> Result<V::Value, JsonError> {
    let digits = match &number.0 {
        Integer::Small(number) => return visitor.visit_i64(*number),
        Integer::Big(digits) => digits,
    };
    if let Ok(number) = digits.parse() {
        visitor.visit_u64(number)
    } else if let Ok(number) = digits.parse() {
        visitor.visit_i128(number)
    } else if let Ok(number) = digits.parse() {
        visitor.visit_u128(number)
    } else {
        Err(JsonError::invalid_value(Unexpected::Other("an integer of more than 128 bits"), &visitor))
    }
}

fn float<'de, V: Visitor<'de>>(number: &JsonInteger, visitor: V) -> Result<V::Value, JsonError> {
    match number.to_string().parse::<f64>() {
        Ok(float) if float.is_finite() => visitor.visit_f64(float),
        _ => Err(JsonError::invalid_value(Unexpected::Other("an integer beyond the range of floats"), &visitor)),
    }
}

fn entries(object: &JsonObject) -> impl Iterator<Item = (Key<'_>, &Json)> {
    object.iter().map(|(key, value)| (Key(key), value))
}

impl<'de> Deserializer<'de> for &'de Json {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Json::Null => visitor.visit_unit(),
            Json::Bool(value) => visitor.visit_bool(*value),
            Json::Integer(number) => integer(number, visitor),
            Json::Float(number) => visitor.visit_f64(*number),
            Json::String(text) => string(text, visitor),
            Json::Array(items) => {
                let mut access = SeqDeserializer::new(items.iter());
                let value = visitor.visit_seq(&mut access)?;
                access.end()?;
                Ok(value)
            }
            Json::Object(object) => {
                let mut access = MapDeserializer::new(entries(object));
                let value = visitor.visit_map(&mut access)?;
                access.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Json::Integer(number) => float(number, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self {
            Json::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self {
            Json::String(text) => match text.as_str() {
                Some(variant) => visitor.visit_enum(variant.into_deserializer()),
                None => string(text, visitor),
            },
            Json::Object(object) if object.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(entries(object))))
            }
            _ => Err(JsonError::new("expected the name of a variant, or an object with it as its only key")),
        }
    }

    /// Not looked at, so that it may be anything.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

impl<'de> IntoDeserializer<'de, JsonError> for &'de Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The key of an object: a text, or what Python made a text of.
#[derive(Clone, Copy)]
struct Key<'de>(&'de JsonString);

impl<'de> Key<'de> {
    /// Reads the text as the value that it was, if it was one of those that are keys.
    fn unwrapped<V: Visitor<'de>>(
        self,
        visitor: V,
        visit: impl FnOnce(&Json, V) -> Result<V::Value, JsonError>,
    ) -> Result<V::Value, JsonError> {
        match self.0.as_str().map(Json::parse) {
            Some(Ok(value @ (Json::Bool(_) | Json::Integer(_) | Json::Float(_)))) => visit(&value, visitor),
            _ => string(self.0, visitor),
        }
    }
}

macro_rules! scalar_keys {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
            self.unwrapped(visitor, |value, visitor| match value {
                Json::Bool(value) => visitor.visit_bool(*value),
                Json::Integer(number) => integer(number, visitor),
                Json::Float(number) => visitor.visit_f64(*number),
                _ => visitor.visit_unit(),
            })
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        string(self.0, visitor)
    }

    scalar_keys! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        if self.0.as_str() == Some("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.0.as_str() {
            Some(variant) => visitor.visit_enum(variant.into_deserializer()),
            None => string(self.0, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
    }
}

impl<'de> IntoDeserializer<'de, JsonError> for Key<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
