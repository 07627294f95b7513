//! A databag as it is read: texts, or values of the author's types.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map;
use std::fmt;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::Error;
use crate::juju::{Bag, RelationId};
use crate::store::{Json, JsonError};

/// Of a value that is not what was asked for, so many characters are shown.
const SHOWN: usize = 60;

/// What a unit or an application has published over a relation: texts, most of which are JSON.
///
/// Values are decoded one by one, as charms.reactive decodes them: a text that is not JSON is taken as it is. So is one that is
/// JSON where a text is asked for: `2.10` is a number to charms.reactive, and `"2.10"` to `get::<String>`.
///
/// ```
/// use zkpeer_core::{RelatedUnit, Result};
///
/// #[derive(serde::Deserialize)]
/// struct Server {
///     hostname: String,
///     port: u16,
///     #[serde(default)]
///     databases: Vec<String>,
/// }
///
/// fn look_at(unit: &RelatedUnit) -> Result {
///     let port: Option<u16> = unit.received()?.get("port")?;
///     let hostname: Option<String> = unit.received()?.raw("hostname").map(str::to_owned);
///     let server: Server = unit.received()?.all()?;
///     println!("{hostname:?}:{port:?} has {:?}", server.databases);
///     # let _ = (server.hostname, server.port);
///     Ok(())
/// }
/// # let _ = look_at;
/// ```
#[derive(Clone, Debug)]
pub struct Databag {
    /// Whose it is, for messages.
    about: String,
    bag: Rc<Bag>,
}

impl Databag {
    pub(super) fn new(relation: &RelationId, owner: impl fmt::Display, bag: Rc<Bag>) -> Self {
        Self { about: format!("what {owner} has published over {relation}"), bag }
    }

    /// Those of several units as one: of a key that is in several, the first one's value.
    pub(super) fn merged(bags: impl IntoIterator<Item = Result<Self, Error>>) -> Result<Self, Error> {
        let mut all = Bag::new();
        for bag in bags {
            for (key, value) in bag?.iter() {
                all.entry(key.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        Ok(Self { about: "what several units have published".to_owned(), bag: Rc::new(all) })
    }

    /// A value as it was published; none if the key is not there.
    #[must_use]
    pub fn raw(&self, key: &str) -> Option<&str> {
        self.bag.get(key).map(String::as_str)
    }

    /// All keys with their values as they were published, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.bag.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// A value; none if the key is not there, or the value is JSON's `null`.
    ///
    /// # Errors
    ///
    /// If the value is not of the type that is asked for; the message names relation, unit, key and value.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let Some(text) = self.raw(key) else { return Ok(None) };
        let json = Json::parse(text).ok();
        let value = Value { text, json: json.as_ref() };
        Option::<T>::deserialize(value).map_err(|source| self.unfit(Some((key, text)), source))
    }

    /// The whole databag as one type, such as a struct with a field for each key; keys that it does not have are not looked
    /// at.
    ///
    /// # Errors
    ///
    /// If a value does not fit, or a key is missing.
    pub fn all<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let json: BTreeMap<&str, (&str, Option<Json>)> =
            self.iter().map(|(key, text)| (key, (text, Json::parse(text).ok()))).collect();
        let at = Cell::new(None);
        let fields = Fields { left: json.iter(), value: None, at: &at };
        T::deserialize(serde::de::value::MapAccessDeserializer::new(fields))
            .map_err(|source| self.unfit(at.get(), source))
    }

    /// The values as charms.reactive decodes them.
    pub(crate) fn decoded(&self) -> impl Iterator<Item = (&str, Json)> {
        self.iter().map(|(key, text)| (key, Json::parse(text).unwrap_or_else(|_| Json::String(text.into()))))
    }

    pub(super) fn bag(&self) -> &Bag {
        &self.bag
    }

    /// What was decoded of this key is not what it should be.
    pub(crate) fn unfit_key(&self, key: &str, why: &serde_json::Error) -> Error {
        let source = serde::de::Error::custom(why);
        self.unfit(self.raw(key).map(|text| (key, text)), source)
    }

    fn unfit(&self, value: Option<(&str, &str)>, source: JsonError) -> Error {
        let what = match value {
            Some((key, text)) => {
                let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
                format!("`{key}`, which is `{}{}`,", &text[..end], if end < text.len() { ".." } else { "" })
            }
            None => "all together".to_owned(),
        };
        Error::Databag { about: self.about.clone(), what, source }
    }
}

/// One value, and what it is as JSON.
#[derive(Clone, Copy)]
struct Value<'de> {
    text: &'de str,
    json: Option<&'de Json>,
}

/// Where a text is asked for, only JSON that is a text is decoded; a `null` is none.
macro_rules! texts {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
            match self.json {
                Some(json @ (Json::String(_) | Json::Null)) => json.$method(visitor),
                _ => visitor.visit_borrowed_str(self.text),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'de> {
    type Error = JsonError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.json {
            Some(json) => json.deserialize_any(visitor),
            None => visitor.visit_borrowed_str(self.text),
        }
    }

    texts! { deserialize_char deserialize_str deserialize_string }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.json {
            Some(json) => json.deserialize_f64(visitor),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        match self.json {
            Some(Json::Null) => visitor.visit_none(),
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
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, JsonError> {
        match self.json {
            Some(json @ (Json::String(_) | Json::Object(_))) => json.deserialize_enum(name, variants, visitor),
            _ => {
                let variant: StrDeserializer<'_, JsonError> = self.text.into_deserializer();
                visitor.visit_enum(variant)
            }
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, JsonError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier
    }
}

/// The keys and values of a databag, one after the other; it tells at which it is.
struct Fields<'de, 'a> {
    left: btree_map::Iter<'de, &'de str, (&'de str, Option<Json>)>,
    value: Option<Value<'de>>,
    at: &'a Cell<Option<(&'de str, &'de str)>>,
}

impl<'de> MapAccess<'de> for Fields<'de, '_> {
    type Error = JsonError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, JsonError> {
        self.at.set(None);
        let Some((key, (text, json))) = self.left.next() else { return Ok(None) };
        self.at.set(Some((key, text)));
        self.value = Some(Value { text, json: json.as_ref() });
        let key: StrDeserializer<'de, JsonError> = (*key).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, JsonError> {
        match self.value.take() {
            Some(value) => seed.deserialize(value),
            None => Err(serde::de::Error::custom("a value was asked for before its key")),
        }
    }
}
