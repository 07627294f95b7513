//! Stories as text that is known to be whole, and to be of the same exploration.

use std::hash::Hash;

use super::settings::Explore;
use super::story::Path;
use crate::testing::shared::sum_of;

/// So many values has each half of a seal: as many as two characters.
const SEALS: u128 = 36 * 36;

/// The stories, with a seal.
pub(super) fn seal<'p>(explore: &Explore, paths: impl Iterator<Item = &'p Path>) -> String {
    let stories: Vec<String> = paths.map(Path::encode).collect();
    let stories = stories.join("/");
    format!("{stories}-{}{}", short(&stories), short(&settings(explore)))
}

/// The stories, if the seal is theirs; otherwise why they cannot be played.
pub(super) fn open(explore: &Explore, text: &str) -> Result<Vec<Path>, String> {
    let not_whole = || "it is not whole; copy all that is printed between the quotes of `.replay(\"..\")`".to_owned();
    let (stories, seal) = text.rsplit_once('-').ok_or_else(not_whole)?;
    let of_settings = seal.strip_prefix(&short(stories)).filter(|rest| rest.len() == 2).ok_or_else(not_whole)?;
    if of_settings != short(&settings(explore)) {
        return Err(
            "it was found with another model, other doings or other faults; give the exploration what it had then"
                .to_owned(),
        );
    }
    stories.split('/').map(Path::decode).collect::<Option<_>>().ok_or_else(not_whole)
}

/// What decides which move has which number, but for the charm itself, which may be mended.
fn settings(explore: &Explore) -> impl Hash {
    let doings: Vec<(String, Option<usize>)> =
        explore.doings.iter().map(|planned| (planned.doing.to_string(), planned.after)).collect();
    let units: Vec<String> = explore.model.units().iter().map(ToString::to_string).collect();
    (doings, explore.faults, units)
}

fn short(of: &(impl Hash + ?Sized)) -> String {
    let number = u32::try_from(sum_of(of) % SEALS).unwrap_or_default();
    let digit = |number: u32| char::from_digit(number, 36).unwrap_or('0');
    [digit(number / 36), digit(number % 36)].iter().collect()
}
