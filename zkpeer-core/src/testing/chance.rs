//! What Juju leaves to chance, decided by a seed, by a script, or always the same way.

use std::collections::{BTreeSet, VecDeque};

use super::model::Step;
use crate::juju::UnitName;

/// Who decides.
#[derive(Clone, Debug, Default)]
pub(crate) enum Chance {
    /// Always the first.
    #[default]
    First,
    /// A generator in this state: the same again from the same seed.
    Seed(u64),
    /// The numbers of the steps to take, each among those that are possible then; afterwards the first.
    Script(VecDeque<usize>),
}

impl Chance {
    /// A number below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        match self {
            Self::First | Self::Script(_) => 0,
            Self::Seed(state) => next(state).checked_rem(bound).unwrap_or_default(),
        }
    }

    /// One of several; none of none.
    pub(crate) fn pick<'t, T>(&mut self, among: &'t [T]) -> Option<&'t T> {
        let at = self.below(among.len() as u64);
        among.get(usize::try_from(at).ok()?)
    }

    /// The number of one of the steps. A seed chooses first a unit, then what it does, so that a unit with many relations is
    /// not always next.
    pub(crate) fn step(&mut self, among: &[Step]) -> Option<usize> {
        match self {
            Self::First => return (!among.is_empty()).then_some(0),
            Self::Script(_) if among.is_empty() => return None,
            Self::Script(choices) => return Some(choices.pop_front().unwrap_or_default()),
            Self::Seed(_) => {}
        }
        let units: BTreeSet<&UnitName> = among.iter().map(Step::unit).collect();
        let units: Vec<&UnitName> = units.into_iter().collect();
        let unit = self.pick(&units).copied()?;
        let own: Vec<usize> = (0..among.len()).filter(|at| among[*at].unit() == unit).collect();
        self.pick(&own).copied()
    }
}

/// One step of the generator SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mix(*state)
}

/// The mixing function of SplitMix64.
pub(crate) fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Where a text stands in an order that is chance in Juju: it differs from hook to hook, and is the same in every repetition.
pub(crate) fn place(context_id: &str, text: &str) -> u64 {
    // FNV-1a over both.
    let step = |sum: u64, byte: u8| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    mix(context_id.bytes().chain(text.bytes()).fold(0xcbf2_9ce4_8422_2325, step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_numbers_and_another_has_others() {
        let numbers = |seed| {
            let mut chance = Chance::Seed(seed);
            (0..20).map(|_| chance.below(1000)).collect::<Vec<_>>()
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
        assert_eq!(Chance::First.below(5), 0);
        assert_eq!(Chance::Seed(1).pick::<u8>(&[]), None);
    }
}
