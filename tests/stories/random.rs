//! Stories by chance: a seed decides what operators do, and all that Juju leaves to chance.

use tests::dice::Dice;

use crate::lockstep::{APP, Tale};

/// So many units there are at most.
const MAX_UNITS: usize = 7;
/// So many times something is done.
const DEEDS: usize = 12;

/// So many stories a test tells.
const STORIES: u64 = 10;

#[test]
fn stories_by_chance_with_odd_seeds() {
    tell((0..STORIES).map(|story| story * 2 + 1));
}

#[test]
fn stories_by_chance_with_even_seeds() {
    tell((0..STORIES).map(|story| story * 2 + 2));
}

/// These stories, or the one of `ZKPEER_SEED` if that is set.
fn tell(mut seeds: impl Iterator<Item = u64>) {
    match std::env::var("ZKPEER_SEED").map(|seed| seed.parse::<u64>().expect("ZKPEER_SEED is a number")) {
        Ok(seed) => {
            if seeds.any(|usual| usual % 2 == seed % 2) {
                play(seed);
            }
        }
        Err(_) => seeds.for_each(play),
    }
}

fn play(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x5851_f42d_4c95_7f2d));
    let units = 1 + dice.below(4) as u64;
    let mut story = Story {
        tale: Tale::random(&format!("by chance, seed {seed}"), units, seed),
        dice,
        waiting: Vec::new(),
        made: 0,
    };
    for unit in story.tale.units() {
        story.perhaps_wait(&unit);
    }
    for _ in 0..DEEDS {
        let steps = story.dice.below(16);
        story.tale.go_on(steps);
        story.deed();
    }
    for unit in std::mem::take(&mut story.waiting) {
        story.let_install(&unit);
    }
    story.tale.elect();
    story.tale.end();
}

struct Story {
    tale: Tale,
    dice: Dice,
    /// The units whose `install` waits.
    waiting: Vec<String>,
    made: usize,
}

impl Story {
    /// Something that an operator does, or fate.
    fn deed(&mut self) {
        let units = self.tale.living();
        let Some(unit) = (!units.is_empty()).then(|| self.dice.one(&units).clone()) else {
            drop(self.tale.add_unit());
            return;
        };
        self.made += 1;
        match self.dice.below(16) {
            0..3 if units.len() < MAX_UNITS => {
                let unit = self.tale.add_unit();
                self.perhaps_wait(&unit);
            }
            0..6 if units.len() > 1 || self.dice.below(4) == 0 => self.tale.remove_unit(&unit),
            6 | 7 => {
                let address = format!("10.0.2.{}", self.made);
                self.tale.set_address(&unit, &address);
            }
            8 | 9 => {
                let times = 1 + self.dice.below(2);
                self.tale.stumble(&unit, times);
            }
            10 => self.tale.set_leader(&unit),
            11 => self.tale.remove_leader(),
            12 => {
                let ticks = 1000 + self.made as i32;
                self.tale.operate(&format!("tick-time {ticks}"), |model| model.set_config(APP, "tick-time", ticks));
            }
            13 => {
                let action = *self.dice.one(&["restart", "restart", "quorum"]);
                self.tale.run_action(&unit, action);
            }
            14 => self.tale.update_status(&unit),
            _ => {
                if let Some(unit) = self.waiting.pop() {
                    self.let_install(&unit);
                }
            }
        }
    }

    fn perhaps_wait(&mut self, unit: &str) {
        if self.dice.below(3) == 0 {
            self.tale.hold_install(unit);
            self.waiting.push(unit.to_owned());
        }
    }

    fn let_install(&mut self, unit: &str) {
        self.tale.let_install(unit);
        if self.tale.living().iter().any(|living| living == unit) {
            self.tale.update_status(unit);
        }
    }
}
