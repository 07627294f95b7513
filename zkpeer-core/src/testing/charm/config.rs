//! The options of config.yaml (contract 11.2).

use std::collections::BTreeMap;
use std::fmt;

use crate::testing::options::boolean;
use crate::testing::value::Value;
use crate::testing::yaml::{Node, Wrong};

/// One option of the charm's configuration.
#[derive(Clone, Debug)]
pub(crate) struct ConfigOption {
    pub(crate) kind: OptionKind,
    /// The value while the user sets none.
    pub(crate) default: Value,
}

/// The type of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionKind {
    String,
    Int,
    Float,
    Boolean,
    Secret,
}

impl fmt::Display for OptionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Float => "float",
            Self::Boolean => "boolean",
            Self::Secret => "secret",
        })
    }
}

impl ConfigOption {
    /// Reads a value given as text, as `juju config` does.
    pub(crate) fn parse(&self, name: &str, text: &str) -> Result<Value, String> {
        let wrong = |kind: &str| format!("option `{name}` takes {kind}, not `{text}`");
        match self.kind {
            OptionKind::Int => {
                text.parse::<i64>().map(|n| Value::Number(n as f64)).map_err(|_| wrong("a whole number"))
            }
            OptionKind::Float => text.parse().map(Value::Number).map_err(|_| wrong("a number")),
            OptionKind::Boolean => boolean(text).map(Value::Bool).ok_or_else(|| wrong("true or false")),
            OptionKind::String | OptionKind::Secret => Ok(Value::from(text)),
        }
    }

    /// Whether the value fits the type.
    pub(crate) fn fits(&self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Text(_) => matches!(self.kind, OptionKind::String | OptionKind::Secret),
            Value::Number(number) => {
                self.kind == OptionKind::Float || self.kind == OptionKind::Int && number.fract() == 0.0
            }
            Value::Bool(_) => self.kind == OptionKind::Boolean,
            Value::List(_) | Value::Map(_) => false,
        }
    }
}

/// Reads and checks the document.
pub(super) fn read(root: &Node) -> Result<BTreeMap<String, ConfigOption>, Wrong> {
    let options = root.get("options").ok_or_else(|| Wrong::somewhere("invalid config: empty configuration"))?;
    if options.is_nothing() {
        return Ok(BTreeMap::new());
    }
    let entries = options.entries("`options`")?;
    entries.iter().map(|entry| Ok((entry.key.clone(), option(&entry.key, &entry.value)?))).collect()
}

fn option(name: &str, node: &Node) -> Result<ConfigOption, Wrong> {
    if !node.is_nothing() {
        node.entries(&format!("option `{name}`"))?;
    }
    let kind = match node.get("type") {
        Some(kind) => option_kind(name, kind)?,
        None => OptionKind::String,
    };
    let default = node.get("default").filter(|default| !default.is_nothing());
    let default = default.map_or(Ok(Value::Null), |default| default_value(name, kind, default))?;
    Ok(ConfigOption { kind, default })
}

fn option_kind(name: &str, node: &Node) -> Result<OptionKind, Wrong> {
    match node.as_text() {
        Some("string" | "") => Ok(OptionKind::String),
        Some("int") => Ok(OptionKind::Int),
        Some("float") => Ok(OptionKind::Float),
        Some("boolean") => Ok(OptionKind::Boolean),
        Some("secret") => Ok(OptionKind::Secret),
        None if node.is_nothing() => Ok(OptionKind::String),
        _ => {
            let advice = "it has to be string, int, float, boolean or secret";
            Err(node.wrong(format!("option `{name}` has the unknown type {node}; {advice}")))
        }
    }
}

/// A default fits its type as Juju reads it: text may spell an int or a boolean; a float has a decimal point.
fn default_value(name: &str, kind: OptionKind, node: &Node) -> Result<Value, Wrong> {
    let what = format!("the default of option `{name}` of type {kind}");
    match kind {
        OptionKind::String => node.text(&what).map(Value::from),
        OptionKind::Int => node.whole(&what).map(|number| Value::Number(number as f64)),
        OptionKind::Float => node.broken(&what).map(Value::Number),
        OptionKind::Boolean => node.boolean(&what).map(Value::Bool),
        OptionKind::Secret => {
            let text = node.text(&what)?;
            if !text.is_empty() && !text.starts_with("secret:") {
                return Err(node.wrong(format!("{what} must be empty or a secret's URI (`secret:..`), not {node}")));
            }
            Ok(Value::from(text))
        }
    }
}
