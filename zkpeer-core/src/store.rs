//! What a unit remembers between hooks: an ordered map with a list of changes, and the file behind it.

mod json;

pub use json::{Json, JsonError, JsonInteger, JsonObject, JsonString};
