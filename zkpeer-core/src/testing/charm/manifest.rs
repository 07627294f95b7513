//! The bases of manifest.yaml (contract 11.4).

use crate::testing::yaml::{Node, Wrong};

/// One system on which the charm runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base {
    /// `ubuntu`.
    pub(crate) name: String,
    /// `22.04` or `22.04/stable`.
    pub(crate) channel: String,
    pub(crate) architectures: Vec<String>,
}

/// Reads and checks the document.
pub(super) fn read(root: &Node) -> Result<Vec<Base>, Wrong> {
    let bases = root.get("bases").ok_or_else(|| {
        Wrong::somewhere(
            "`bases` is missing; it lists name, channel and architectures of each system the charm runs on",
        )
    })?;
    bases.list("`bases`")?.iter().map(base).collect()
}

fn base(node: &Node) -> Result<Base, Wrong> {
    node.entries("each of `bases`")?;
    let text = |key: &str| match node.get(key) {
        Some(value) => value.text(&format!("`{key}` of a base")),
        None => {
            Err(node.wrong(format!("a base without `{key}`; it looks like `name: ubuntu` and `channel: \"24.04\"`")))
        }
    };
    let (name, channel) = (text("name")?.to_owned(), text("channel")?.to_owned());
    if name.is_empty() || channel.is_empty() {
        return Err(node.wrong("a base needs a name and a channel that are not empty"));
    }
    let architectures = node.get("architectures").map(|list| list.texts("`architectures` of a base"));
    Ok(Base { name, channel, architectures: architectures.transpose()?.unwrap_or_default() })
}
