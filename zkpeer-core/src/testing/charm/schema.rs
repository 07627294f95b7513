//! JSON Schema draft 4, as far as the parameters of actions use it (contract 11.3).
//!
//! Kept are `type`, `enum`, `default`, `required`, `properties`, `additionalProperties`, `items`, `minimum` and `maximum`
//! with their `exclusive..`, `minLength` and `maxLength`. Other keys are taken and not looked at.

use std::collections::BTreeMap;
use std::fmt;

use crate::testing::value::Value;
use crate::testing::yaml::{Node, Wrong};

/// What a value has to be like.
#[derive(Clone, Debug, Default)]
pub(super) struct Schema {
    /// Any, if there are none.
    kinds: Vec<Kind>,
    choices: Option<Vec<Value>>,
    default: Option<Value>,
    required: Vec<String>,
    properties: BTreeMap<String, Schema>,
    additional: Option<Additional>,
    items: Option<Box<Schema>>,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    min_length: Option<i64>,
    max_length: Option<i64>,
}

/// The types of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Array,
    Boolean,
    Integer,
    Null,
    Number,
    Object,
    String,
}

/// What becomes of entries that are not among the properties.
#[derive(Clone, Debug)]
enum Additional {
    Any,
    None,
    Like(Box<Schema>),
}

/// A limit of a number.
#[derive(Clone, Copy, Debug)]
struct Bound {
    value: f64,
    /// The limit itself is outside.
    exclusive: bool,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::Array, Self::Boolean, Self::Integer, Self::Null, Self::Number, Self::Object, Self::String];

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Array => "array",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Null => "null",
            Self::Number => "number",
            Self::Object => "object",
            Self::String => "string",
        }
    }

    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Array, Value::List(_))
            | (Self::Boolean, Value::Bool(_))
            | (Self::Null, Value::Null)
            | (Self::Number, Value::Number(_))
            | (Self::Object, Value::Map(_))
            | (Self::String, Value::Text(_)) => true,
            (Self::Integer, Value::Number(number)) => number.fract() == 0.0,
            _ => false,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Schema {
    /// The schema of an action's parameters, whose properties stand under `params`.
    pub(super) fn of_action(node: &Node, name: &str) -> Result<Self, Wrong> {
        let of = format!("action `{name}`");
        Ok(Self { properties: properties(node, "params", &of)?, ..Self::read(node, &of)? })
    }

    fn read(node: &Node, of: &str) -> Result<Self, Wrong> {
        node.entries(of)?;
        let what = |key: &str| format!("`{key}` of {of}");
        let number = |key: &str| node.get(key).map(|value| value.number(&what(key))).transpose();
        let length = |key: &str| node.get(key).map(|value| value.whole(&what(key))).transpose();
        let switch = |key: &str| node.get(key).map_or(Ok(false), |value| value.boolean(&what(key)));
        let bound = |key: &str, exclusive: &str| -> Result<Option<Bound>, Wrong> {
            let exclusive = switch(exclusive)?;
            Ok(number(key)?.map(|value| Bound { value, exclusive }))
        };
        let choices = node.get("enum").map(|list| list.list(&what("enum"))).transpose()?;
        let items = node.get("items").map(|items| Self::read(items, &what("items"))).transpose()?;
        Ok(Self {
            kinds: node.get("type").map_or(Ok(Vec::new()), |kinds| kinds_of(kinds, &what("type")))?,
            choices: choices.map(|choices| choices.iter().map(Node::value).collect()),
            default: node.get("default").map(Node::value),
            required: node.get("required").map_or(Ok(Vec::new()), |list| list.texts(&what("required")))?,
            properties: properties(node, "properties", of)?,
            additional: additional(node, of)?,
            items: items.map(Box::new),
            minimum: bound("minimum", "exclusiveMinimum")?,
            maximum: bound("maximum", "exclusiveMaximum")?,
            min_length: length("minLength")?,
            max_length: length("maxLength")?,
        })
    }

    /// Checks a value that is at `place`.
    fn check(&self, value: &Value, place: &str) -> Result<(), String> {
        let wrong = |must: String| Err(format!("parameter `{place}` must {must}, not `{}`", value.to_json()));
        if !self.kinds.is_empty() && !self.kinds.iter().any(|kind| kind.takes(value)) {
            return wrong(format!("be of type {}", list(&self.kinds)));
        }
        if let Some(choices) = &self.choices
            && !choices.contains(value)
        {
            return wrong(format!("be one of {}", list(&choices.iter().map(Value::to_json).collect::<Vec<_>>())));
        }
        match value {
            Value::Number(number) => self.number_wrong(*number).map_or(Ok(()), wrong),
            Value::Text(text) => self.length_wrong(text).map_or(Ok(()), wrong),
            Value::List(items) => match &self.items {
                Some(schema) => {
                    items.iter().enumerate().try_for_each(|(at, item)| schema.check(item, &format!("{place}[{at}]")))
                }
                None => Ok(()),
            },
            Value::Map(map) => self.check_map(map, place, true),
            Value::Null | Value::Bool(_) => Ok(()),
        }
    }

    fn number_wrong(&self, number: f64) -> Option<String> {
        let below = |bound: &Bound| number < bound.value || bound.exclusive && number == bound.value;
        let above = |bound: &Bound| number > bound.value || bound.exclusive && number == bound.value;
        let than = |bound: &Bound| if bound.exclusive { "than" } else { "or equal to" };
        if let Some(bound) = self.minimum.as_ref().filter(|bound| below(bound)) {
            return Some(format!("be greater {} {}", than(bound), bound.value));
        }
        let bound = self.maximum.as_ref().filter(|bound| above(bound))?;
        Some(format!("be less {} {}", than(bound), bound.value))
    }

    fn length_wrong(&self, text: &str) -> Option<String> {
        let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        if let Some(least) = self.min_length.filter(|least| length < *least) {
            return Some(format!("have at least {least} characters"));
        }
        let most = self.max_length.filter(|most| length > *most)?;
        Some(format!("have at most {most} characters"))
    }

    /// Checks the entries of a map that is at `place`; the parameters as a whole have none. `open` says whether entries
    /// that are not among the properties are taken where the schema does not say it.
    pub(super) fn check_map(&self, map: &BTreeMap<String, Value>, place: &str, open: bool) -> Result<(), String> {
        let inside = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
        if let Some(missing) = self.required.iter().find(|key| !map.contains_key(*key)) {
            return Err(format!("parameter `{}` is required", inside(missing)));
        }
        for (key, value) in map {
            match (self.properties.get(key), &self.additional) {
                (Some(schema), _) => schema.check(value, &inside(key))?,
                (None, Some(Additional::Like(schema))) => schema.check(value, &inside(key))?,
                (None, Some(Additional::Any)) => {}
                (None, None) if open => {}
                (None, None | Some(Additional::None)) => {
                    return Err(format!("parameter `{}` is not in actions.yaml", inside(key)));
                }
            }
        }
        Ok(())
    }

    /// Puts in the defaults of what is missing, within what is there and what has defaults inside, too.
    pub(super) fn fill(&self, map: &mut BTreeMap<String, Value>) {
        for (key, schema) in &self.properties {
            match (map.get_mut(key), &schema.default) {
                (Some(Value::Map(inner)), _) => schema.fill(inner),
                (Some(_), _) => {}
                (None, Some(default)) => {
                    map.insert(key.clone(), default.clone());
                }
                (None, None) => {
                    let mut inner = BTreeMap::new();
                    schema.fill(&mut inner);
                    if !inner.is_empty() {
                        map.insert(key.clone(), Value::Map(inner));
                    }
                }
            }
        }
    }
}

fn kinds_of(node: &Node, what: &str) -> Result<Vec<Kind>, Wrong> {
    let kind = |node: &Node| {
        node.as_text()
            .and_then(Kind::from_name)
            .ok_or_else(|| node.wrong(format!("{what} must be {}, not {node}", list(&Kind::ALL))))
    };
    match node.list(what) {
        Ok(kinds) => kinds.iter().map(kind).collect(),
        Err(_) => Ok(vec![kind(node)?]),
    }
}

fn properties(node: &Node, key: &str, of: &str) -> Result<BTreeMap<String, Schema>, Wrong> {
    let Some(map) = node.get(key) else { return Ok(BTreeMap::new()) };
    let entries = map.entries(&format!("`{key}` of {of}"))?;
    let read = |name: &str, schema: &Node| Schema::read(schema, &format!("parameter `{name}` of {of}"));
    entries.iter().map(|entry| Ok((entry.key.clone(), read(&entry.key, &entry.value)?))).collect()
}

fn additional(node: &Node, of: &str) -> Result<Option<Additional>, Wrong> {
    let Some(value) = node.get("additionalProperties") else { return Ok(None) };
    let what = format!("`additionalProperties` of {of}");
    if value.entries(&what).is_ok() {
        return Ok(Some(Additional::Like(Box::new(Schema::read(value, &what)?))));
    }
    Ok(Some(if value.boolean(&what)? { Additional::Any } else { Additional::None }))
}

fn list<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
