//! In what two models differ that should be in the same state.

use super::place::Places;
use crate::testing::model::Model;

/// In words.
pub(super) fn tell(one: &Model, other: &Model) -> String {
    if let Some(places) = Places::of(one).differs_from(&Places::of(other), ("once", "and once")) {
        return places;
    }
    for (unit, running) in &one.running {
        let Some(again) = other.running.get(unit) else { continue };
        let commands = running.result.commands.iter().zip(&again.result.commands);
        if let Some((first, second)) = commands.into_iter().find(|(first, second)| first != second) {
            return format!("it called `{first}`, and then `{second}`");
        }
        if running.result.outcome != again.result.outcome {
            return format!("it ended as {:?}, and then as {:?}", running.result.outcome, again.result.outcome);
        }
    }
    "what is stored differs".to_owned()
}
