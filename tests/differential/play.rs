//! A case on both sides, hook by hook, and where they part.

use std::collections::BTreeMap;

use crate::case::{APPLICATION, Case, Event};
use crate::ours::Ours;
use crate::outcome::{Aspect, Outcome, difference};
use crate::theirs::{AS_OURS, Answer, Before, ORIGINAL, Theirs, Told, Way};
use crate::world::{Hook, World, lawful};

/// How often a hook that has failed is run again, before the operator goes on without it.
const RETRIES: usize = 2;

/// What else is looked at while a case is played.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Also {
    /// Each hook is run by the original as it is, too.
    pub(crate) original: bool,
    /// Each hook is run in another order, too.
    pub(crate) order: Option<u64>,
}

/// Where the two sides part.
#[derive(Clone, Debug)]
pub(crate) struct Parting {
    pub(crate) aspect: Aspect,
    /// The event, by its number in the story.
    pub(crate) event: usize,
    pub(crate) hook: String,
    pub(crate) what: String,
}

/// What has been seen on the way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) cases: u64,
    pub(crate) hooks: u64,
    pub(crate) calls: u64,
    pub(crate) failed: u64,
    pub(crate) numbers: BTreeMap<String, Uses>,
    /// Hooks that the original ran, and those in which it did something else.
    pub(crate) originals: (u64, u64),
    /// Hooks that were run in another order, and those that ended otherwise.
    pub(crate) orders: (u64, u64),
}

/// How often a difference was used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uses {
    pub(crate) hooks: u64,
    /// Of these, where the original was run, too.
    pub(crate) compared: u64,
    /// Of these, where the original came to another end.
    pub(crate) mattered: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.hooks += other.hooks;
        self.calls += other.calls;
        self.failed += other.failed;
        self.originals.0 += other.originals.0;
        self.originals.1 += other.originals.1;
        self.orders.0 += other.orders.0;
        self.orders.1 += other.orders.1;
        for (number, uses) in &other.numbers {
            let sum = self.numbers.entry(number.clone()).or_default();
            sum.hooks += uses.hooks;
            sum.compared += uses.compared;
            sum.mattered += uses.mattered;
        }
    }

    fn note(&mut self, ours: &Outcome, answers: &[Answer], also: Also) {
        self.hooks += 1;
        self.calls += ours.rounds.iter().map(|round| round.2.len() as u64).sum::<u64>();
        self.failed += u64::from(ours.failure.is_some());
        let mut rest = answers[1..].iter();
        let other = also.original.then(|| rest.next()).flatten();
        let differs = other.is_some_and(|other| differs(&answers[0].outcome, &other.outcome));
        self.originals.0 += u64::from(other.is_some());
        self.originals.1 += u64::from(differs);
        for number in answers[0].used.keys() {
            let uses = self.numbers.entry(number.clone()).or_default();
            uses.hooks += 1;
            uses.compared += u64::from(other.is_some());
            uses.mattered += u64::from(differs);
        }
        if let Some(shuffled) = also.order.and_then(|_| rest.next()) {
            self.orders.0 += 1;
            self.orders.1 += u64::from(ends_otherwise(&answers[0].outcome, &shuffled.outcome));
        }
    }
}

/// Whether two runs of charms.reactive differ in anything but the keys that only the differences write.
fn differs(as_ours: &Outcome, original: &Outcome) -> bool {
    let shared = |outcome: &Outcome| {
        let mut outcome = outcome.clone();
        outcome.rows.retain(|key, _| !key.starts_with("zkpeer."));
        outcome
    };
    difference(&shared(as_ours), &shared(original)).is_some()
}

fn ends_otherwise(one: &Outcome, other: &Outcome) -> bool {
    let rounds = |outcome: &Outcome| outcome.rounds.iter().map(|r| format!("{:?}", r.unordered())).collect::<Vec<_>>();
    one.failure.is_some() != other.failure.is_some()
        || rounds(one) != rounds(other)
        || one.rows != other.rows
        || one.own != other.own
        || one.own_app != other.own_app
}

/// Plays the case to its end, or to where the two sides part.
pub(crate) fn play(case: &Case, theirs: &mut Theirs, also: Also, tally: &mut Tally) -> Option<Parting> {
    play_another(case, case, theirs, also, tally)
}

/// The same where ours is told another charm than theirs, to see that it is noticed.
pub(crate) fn play_another(
    told: &Case,
    case: &Case,
    theirs: &mut Theirs,
    also: Also,
    tally: &mut Tally,
) -> Option<Parting> {
    let mut stage = Stage {
        case,
        told: Told::new(case),
        ours: Ours::new(told),
        world: World::default(),
        before: Before { counts: vec![0; case.handlers.len()], ..Before::default() },
    };
    tally.cases += 1;
    for (number, event) in lawful(case).iter().enumerate() {
        match stage.event(event, theirs, also, tally) {
            Ok(Next::StoryEnds) => return None,
            Ok(_) => {}
            Err(parting) => return Some(Parting { event: number, ..parting }),
        }
    }
    None
}

/// Whether the hook has failed because flags do not settle (D2), or a cascade of triggers does not end (D3).
fn is_endless(outcome: &Outcome) -> bool {
    let failure = outcome.failure.as_deref().unwrap_or_default();
    ["the flags do not settle", "a cascade of triggers does not end"].iter().any(|text| failure.contains(text))
}

/// How it goes on after a hook.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    GoOn,
    RunAgain,
    StoryEnds,
}

struct Stage<'c> {
    case: &'c Case,
    told: Told,
    ours: Ours,
    world: World,
    before: Before,
}

impl Stage<'_> {
    /// Lets the event happen; the hook that it brings is run again where it fails, as Juju does.
    fn event(&mut self, event: &Event, theirs: &mut Theirs, also: Also, tally: &mut Tally) -> Result<Next, Parting> {
        if let Event::File(file, text) = event {
            match text {
                Some(text) => drop(self.before.files.insert(file.clone(), text.clone())),
                None => drop(self.before.files.remove(file)),
            }
        }
        let hook = self.world.take(self.case, event);
        self.ours.take(event, &self.world);
        let Some(hook) = hook else { return Ok(Next::GoOn) };
        for _ in 0..=RETRIES {
            match self.hook(&hook, theirs, also, tally)? {
                Next::RunAgain => {}
                Next::StoryEnds => return Ok(Next::StoryEnds),
                Next::GoOn => {
                    self.world.done(event);
                    return Ok(Next::GoOn);
                }
            }
        }
        self.ours.resolve(&hook);
        self.world.done(event);
        Ok(Next::GoOn)
    }

    /// Runs a hook once, on both sides.
    fn hook(&mut self, hook: &Hook, theirs: &mut Theirs, also: Also, tally: &mut Tally) -> Result<Next, Parting> {
        let mut ways: Vec<Way> = vec![AS_OURS];
        ways.extend(also.original.then_some(ORIGINAL));
        ways.extend(also.order.map(|order| Way { order: Some(order), ..AS_OURS }));
        let answers = theirs.run(&self.told, hook, &self.world, &self.before, &ways);
        let ours = self.ours.run(hook, &self.world);
        tally.note(&ours, &answers, also);
        let theirs = &answers[0];
        // What does not end fails on both sides, but not at the same step (D2, D3), and what was done until then stays.
        if is_endless(&ours) && is_endless(&theirs.outcome) {
            return Ok(Next::StoryEnds);
        }
        let parting = |(aspect, what)| Parting { aspect, event: 0, hook: hook.name.clone(), what };
        if let Some(found) = difference(&ours, &theirs.outcome) {
            return Err(parting(found));
        }
        if also.original && theirs.used.is_empty() && differs(&theirs.outcome, &answers[1].outcome) {
            let what = difference(&theirs.outcome, &answers[1].outcome).map_or_else(String::new, |(_, what)| what);
            let what = format!("in the place of `ours`: theirs with the differences\n{what}");
            return Err(parting((Aspect::Unnumbered, what)));
        }
        let next = if ours.failure.is_some() { Next::RunAgain } else { Next::GoOn };
        self.keep(ours, &theirs.outcome);
        Ok(next)
    }

    /// What the hook has left is what the next one finds.
    fn keep(&mut self, ours: Outcome, theirs: &Outcome) {
        self.world.settings = ours.settings;
        for (of, relation) in &mut self.world.relations {
            relation.own = ours.own.get(of).cloned().unwrap_or_default();
            let of_application = ours.own_app.get(of).cloned().unwrap_or_default();
            relation.applications.insert(APPLICATION.to_owned(), of_application);
        }
        self.before = Before { rows: theirs.rows.clone(), counts: ours.counts, files: ours.files };
    }
}
