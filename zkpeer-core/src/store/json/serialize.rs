//! From Rust's types, through serde.

use std::cmp::Ordering;

use serde::ser::{self, Serialize};

use super::{Integer, Json, JsonError, JsonInteger, JsonObject, JsonString, MAX_DEPTH, keep_last, write};

/// Makes a [`Json`] of what it is given.
#[derive(Clone, Copy)]
pub(super) struct Serializer {
    depth: usize,
}

impl Serializer {
    pub(super) fn new() -> Self {
        Self { depth: 0 }
    }

    /// The serializer for what is inside an array or object.
    fn inside(self) -> Result<Self, JsonError> {
        if self.depth == MAX_DEPTH { Err(JsonError::too_deep()) } else { Ok(Self { depth: self.depth + 1 }) }
    }
}

fn integer<N: TryInto<i64> + ToString + Copy>(number: N) -> JsonInteger {
    JsonInteger(number.try_into().map_or_else(|_| Integer::Big(number.to_string()), Integer::Small))
}

fn text(text: &str) -> Json {
    Json::String(text.into())
}

/// `{variant: value}`, as serde's externally tagged enums are.
fn tagged(variant: &'static str, value: Json) -> Json {
    Json::Object(JsonObject(vec![(variant.into(), value)]))
}

impl ser::Serializer for Serializer {
    type Ok = Json;
    type Error = JsonError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    fn serialize_bool(self, value: bool) -> Result<Json, JsonError> {
        Ok(Json::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result<Json, JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i16(self, value: i16) -> Result<Json, JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i32(self, value: i32) -> Result<Json, JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_i64(self, value: i64) -> Result<Json, JsonError> {
        Ok(Json::Integer(value.into()))
    }

    fn serialize_i128(self, value: i128) -> Result<Json, JsonError> {
        Ok(Json::Integer(integer(value)))
    }

    fn serialize_u8(self, value: u8) -> Result<Json, JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<Json, JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<Json, JsonError> {
        self.serialize_i64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Json, JsonError> {
        Ok(Json::Integer(integer(value)))
    }

    fn serialize_u128(self, value: u128) -> Result<Json, JsonError> {
        Ok(Json::Integer(integer(value)))
    }

    fn serialize_f32(self, value: f32) -> Result<Json, JsonError> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<Json, JsonError> {
        Ok(Json::Float(value))
    }

    fn serialize_char(self, value: char) -> Result<Json, JsonError> {
        Ok(text(value.encode_utf8(&mut [0; 4])))
    }

    fn serialize_str(self, value: &str) -> Result<Json, JsonError> {
        Ok(text(value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Json, JsonError> {
        value.serialize(self)
    }

    fn serialize_none(self) -> Result<Json, JsonError> {
        Ok(Json::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Json, JsonError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Json, JsonError> {
        Ok(Json::Null)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<Json, JsonError> {
        Ok(Json::Null)
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Json, JsonError> {
        Ok(text(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Json, JsonError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Json, JsonError> {
        Ok(tagged(variant, value.serialize(self.inside()?)?))
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Items, JsonError> {
        // The length is a hint, and may come from something that is wrong about it.
        let items = Vec::with_capacity(len.unwrap_or_default().min(1024));
        Ok(Items { variant: None, items, inner: self.inside()? })
    }

    fn serialize_tuple(self, len: usize) -> Result<Items, JsonError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Items, JsonError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Items, JsonError> {
        Ok(Items { variant: Some(variant), ..self.inside()?.serialize_seq(Some(len))? })
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Entries, JsonError> {
        Ok(Entries { variant: None, entries: Vec::new(), key: None, inner: self.inside()? })
    }

    fn serialize_struct(self, _name: &'static str, len: usize) -> Result<Entries, JsonError> {
        self.serialize_map(Some(len))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Entries, JsonError> {
        Ok(Entries { variant: Some(variant), ..self.inside()?.serialize_map(Some(len))? })
    }
}

/// An array being made.
pub(super) struct Items {
    variant: Option<&'static str>,
    items: Vec<Json>,
    inner: Serializer,
}

impl Items {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        self.items.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn finish(self) -> Json {
        let array = Json::Array(self.items);
        match self.variant {
            Some(variant) => tagged(variant, array),
            None => array,
        }
    }
}

macro_rules! serialize_items {
    ($($trait:ident :: $method:ident),*) => {$(
        impl ser::$trait for Items {
            type Ok = Json;
            type Error = JsonError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
                self.push(value)
            }

            fn end(self) -> Result<Json, JsonError> {
                Ok(self.finish())
            }
        }
    )*};
}

serialize_items!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// An object being made.
pub(super) struct Entries {
    variant: Option<&'static str>,
    entries: Vec<(Key, Json)>,
    key: Option<Key>,
    inner: Serializer,
}

/// The key of a map before Python makes a text of it.
#[derive(PartialEq)]
enum Key {
    None,
    Bool(bool),
    Integer(JsonInteger),
    Float(f64),
    Text(JsonString),
}

impl Key {
    fn of(key: Json) -> Result<Self, JsonError> {
        match key {
            Json::Null => Ok(Self::None),
            Json::Bool(value) => Ok(Self::Bool(value)),
            Json::Integer(value) => Ok(Self::Integer(value)),
            Json::Float(value) => Ok(Self::Float(value)),
            Json::String(value) => Ok(Self::Text(value)),
            Json::Array(_) | Json::Object(_) => {
                Err(JsonError::new("the key of a map is a text, a number, a boolean or none, not an array or object"))
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Bool(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "float",
            Self::Text(_) => "text",
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Float(a), Self::Float(b)) => a.total_cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            _ => Ordering::Equal,
        }
    }

    fn into_text(self) -> JsonString {
        match self {
            Self::None => "null".into(),
            Self::Bool(true) => "true".into(),
            Self::Bool(false) => "false".into(),
            Self::Integer(number) => number.to_string().into(),
            Self::Float(number) => {
                let mut text = String::new();
                // Writing to a `String` does not fail.
                let _ = write::float(&mut text, number);
                text.into()
            }
            Self::Text(text) => text,
        }
    }
}

impl Entries {
    fn finish(mut self) -> Result<Json, JsonError> {
        let mut kinds = self.entries.iter().map(|(key, _)| key.kind());
        if let Some(first) = kinds.next()
            && let Some(other) = kinds.find(|kind| *kind != first)
        {
            return Err(JsonError::new(format!(
                "a map has keys of several kinds ({first}, {other}): Python cannot sort them"
            )));
        }
        self.entries.sort_by(|(a, _), (b, _)| a.compare(b));
        keep_last(&mut self.entries);
        let object =
            Json::Object(JsonObject(self.entries.into_iter().map(|(key, value)| (key.into_text(), value)).collect()));
        Ok(match self.variant {
            Some(variant) => tagged(variant, object),
            None => object,
        })
    }

    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), JsonError> {
        self.entries.push((Key::Text(name.into()), value.serialize(self.inner)?));
        Ok(())
    }
}

impl ser::SerializeMap for Entries {
    type Ok = Json;
    type Error = JsonError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), JsonError> {
        self.key = Some(Key::of(key.serialize(self.inner)?)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), JsonError> {
        let key = self.key.take().ok_or_else(|| JsonError::new("a map gave a value without a key"))?;
        self.entries.push((key, value.serialize(self.inner)?));
        Ok(())
    }

    fn end(self) -> Result<Json, JsonError> {
        self.finish()
    }
}

macro_rules! serialize_fields {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Entries {
            type Ok = Json;
            type Error = JsonError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), JsonError> {
                self.field(name, value)
            }

            fn end(self) -> Result<Json, JsonError> {
                self.finish()
            }
        }
    )*};
}

serialize_fields!(SerializeStruct, SerializeStructVariant);
