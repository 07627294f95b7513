//! What `layer.yaml` in the charm's directory says of the charm's layers: the options of each, held to a schema.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::metadata;

/// The file's name in the charm's directory.
pub(crate) const FILE: &str = "layer.yaml";

/// The options of all layers, read when they are first asked for.
#[derive(Debug)]
pub(crate) struct Layers {
    charm_dir: PathBuf,
    options: OnceCell<BTreeMap<String, Map<String, Value>>>,
}

impl Layers {
    pub(crate) fn of(charm_dir: &Path) -> Self {
        Self { charm_dir: charm_dir.to_owned(), options: OnceCell::new() }
    }

    /// The options of one layer as a type, which says what there may be and what is the default.
    pub(crate) fn options<T: DeserializeOwned>(&self, layer: &str) -> Result<T, Error> {
        let options = self.all()?.get(layer).cloned().unwrap_or_default();
        T::deserialize(Options(&options)).map_err(|error| Error::Malformed {
            path: self.file(),
            reason: format!("options of layer `{layer}`: {error}"),
        })
    }

    fn file(&self) -> PathBuf {
        self.charm_dir.join(FILE)
    }

    fn all(&self) -> Result<&BTreeMap<String, Map<String, Value>>, Error> {
        if let Some(options) = self.options.get() {
            return Ok(options);
        }
        let path = self.file();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::Read { path, source }),
        };
        let malformed = |what: &str| Error::Malformed { path: path.clone(), reason: format!("{what} is no map") };
        let options = metadata::map_of(metadata::yaml_map(&text, &path)?.remove("options"));
        let options = options.ok_or_else(|| malformed("`options`"))?.into_iter();
        let of_layer = |(layer, options): (String, Value)| match metadata::map_of(Some(options)) {
            Some(options) => Ok((layer, options)),
            None => Err(malformed(&format!("`{layer}` in `options`"))),
        };
        let options = options.map(of_layer).collect::<Result<_, _>>()?;
        Ok(self.options.get_or_init(|| options))
    }
}

/// The options of one layer, for a type: an option that the type has not is an error, and every error names its option.
struct Options<'de>(&'de Map<String, Value>);

impl<'de> Options<'de> {
    fn entries(self) -> Entries<'de> {
        Entries { rest: self.0.iter(), value: None }
    }
}

impl<'de> Deserializer<'de> for Options<'de> {
    type Error = serde_json::Error;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if let Some(unknown) = self.0.keys().find(|option| !fields.contains(&option.as_str())) {
            let known: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Self::Error::custom(format!("there is no option `{unknown}`; the layer has: {known}")));
        }
        visitor.visit_map(self.entries())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_map(self.entries())
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq tuple
        tuple_struct map enum identifier ignored_any
    }
}

struct Entries<'de> {
    rest: serde_json::map::Iter<'de>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = serde_json::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        self.value = self.rest.next().map(|(option, value)| (option.as_str(), value));
        let option = self.value.map(|(option, _)| BorrowedStrDeserializer::new(option));
        option.map(|option| seed.deserialize(option)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        let (option, value) = self.value.take().unwrap_or(("", &Value::Null));
        seed.deserialize(value).map_err(|error| Self::Error::custom(format!("`{option}`: {error}")))
    }
}
