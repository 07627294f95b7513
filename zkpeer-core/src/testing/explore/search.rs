//! Every order, breadth first, so that the first story that is found is the shortest.
//!
//! States that are the same are one, whatever led to them. Each is kept as its sum and its way: the state before it, and the
//! number of the move. Only those that wait to be looked at are there as models.

use std::collections::{HashMap, VecDeque};

use super::differ::Twice;
use super::fairness::Graph;
use super::found::ExploreError;
use super::moves::{Came, Move, State};
use super::progress::Progress;
use super::property::When;
use super::settings::{Explore, Explored};
use super::story::{self, Path};
use super::watch::{AGAIN_AND_AGAIN, Broken, NEVER, Watch};
use crate::juju::UnitName;
use crate::testing::model::Step;
use crate::testing::outcome::HookRun;

/// The first moves are made twice, and of the rest one in so many, to find handlers that do not do the same each time.
const FIRST_TWICE: usize = 300;
const THEN_TWICE: usize = 64;

/// How a state was found.
#[derive(Clone, Copy, Debug)]
struct Node {
    from: u32,
    choice: u16,
}

/// A search that is under way.
pub(super) struct Search<'e> {
    explore: &'e Explore,
    watch: Watch<'e>,
    nodes: Vec<Node>,
    /// The number of each state, by its sum. It is only asked, never gone through.
    known: HashMap<u128, u32>,
    waiting: VecDeque<(u32, State)>,
    moves: usize,
    progress: Progress,
    /// Which of the operators' doings have happened in some story, a bit each.
    done: u64,
    /// Where what is to hold eventually is looked for, if there is anything.
    fair: Option<Fair>,
}

/// What has to be remembered of all states to say what holds eventually.
#[derive(Default)]
struct Fair {
    graph: Graph,
    /// Which properties hold in each state, a bit each.
    held: Vec<u64>,
    ends: Vec<u32>,
    actors: Vec<UnitName>,
}

impl Fair {
    fn actor(&mut self, unit: &UnitName) -> Option<u8> {
        let at = self.actors.iter().position(|known| known == unit).unwrap_or_else(|| {
            self.actors.push(unit.clone());
            self.actors.len() - 1
        });
        u8::try_from(at).ok()
    }
}

impl<'e> Search<'e> {
    pub(super) fn new(explore: &'e Explore) -> Self {
        let eventually = explore.properties.iter().any(|property| property.when == When::Eventually);
        Self {
            explore,
            watch: Watch::new(explore),
            nodes: Vec::new(),
            known: HashMap::new(),
            waiting: VecDeque::new(),
            moves: 0,
            progress: Progress::new(),
            done: 0,
            fair: eventually.then(Fair::default),
        }
    }

    pub(super) fn run(mut self) -> Result<Explored, ExploreError> {
        let first = self.explore.beginning();
        self.meet(first, Node { from: 0, choice: 0 })?;
        while let Some((number, state)) = self.waiting.pop_front() {
            if number as usize >= self.explore.most_states {
                let (states, waiting) = (number as usize, self.waiting.len() + 1);
                return Err(ExploreError::TooSmall { states, waiting, depth: self.depth(number) });
            }
            let waiting = self.waiting.len();
            let depth = || format!(", depth {}, {waiting} wait", depth(&self.nodes, number));
            self.progress.show(number as usize, self.explore.most_states, "states", depth);
            self.expand(number, &state)?;
        }
        self.check_fair()?;
        self.check_the_whole()?;
        let last = u32::try_from(self.nodes.len().saturating_sub(1)).unwrap_or(u32::MAX);
        Ok(Explored {
            states: self.nodes.len(),
            moves: self.moves,
            depth: self.depth(last),
            ends: self.watch.ends(),
            elapsed: self.progress.elapsed(),
            reports: self.watch.reports(),
        })
    }

    /// Makes each of the state's moves.
    fn expand(&mut self, number: u32, state: &State) -> Result<(), ExploreError> {
        let doings = &self.explore.doings;
        let moves = state.moves(doings);
        if moves.due.is_empty() {
            let nodes = &self.nodes;
            if let Some(broken) = self.watch.at_end(state, &|| path(nodes, number))? {
                return Err(self.explore.found(broken, &self.path(number), true));
            }
            if let Some(fair) = &mut self.fair {
                fair.ends.push(number);
            }
        }
        for (choice, chosen) in moves.all().enumerate() {
            let mut next = state.fork();
            let came = next.take(chosen, doings)?;
            self.moves += 1;
            let node = Node { from: number, choice: u16::try_from(choice).unwrap_or(u16::MAX) };
            if self.moves < FIRST_TWICE || self.moves.is_multiple_of(THEN_TWICE) {
                self.again(state, chosen, &next, node)?;
            }
            if let Some(broken) = self.watch.after(&came) {
                return Err(self.explore.found(broken, &self.path_by(node), true));
            }
            self.done |= next.done;
            let met = self.meet(next, node)?;
            if let Some(fair) = &mut self.fair {
                let is_due = choice < moves.due.len();
                let actor = chosen.actor().filter(|_| is_due).cloned();
                let actor = actor.and_then(|unit| fair.actor(&unit));
                fair.graph.add(number, met, actor);
            }
        }
        Ok(())
    }

    /// The number of the state; if it is a new one, it is judged, and waits to be looked at.
    fn meet(&mut self, state: State, node: Node) -> Result<u32, ExploreError> {
        let next = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        let number = *self.known.entry(state.fingerprint()).or_insert(next);
        if number != next {
            return Ok(number);
        }
        self.nodes.push(node);
        match self.watch.at(&state) {
            Ok(here) => {
                if let Some(fair) = &mut self.fair {
                    fair.graph.make(number);
                    fair.held.push(here);
                }
            }
            Err(broken) => return Err(self.explore.found(broken, &self.path(number), true)),
        }
        self.waiting.push_back((number, state));
        Ok(number)
    }

    /// The same move from the same state has to lead to the same state.
    fn again(&self, state: &State, chosen: &Move, next: &State, node: Node) -> Result<(), ExploreError> {
        let Move::Step(Step::Begin(unit, _)) = chosen else { return Ok(()) };
        let (other, run) = self.noted(state, chosen, unit)?;
        if other.fingerprint() == next.fingerprint() {
            return Ok(());
        }
        // What the first one did was not noted; one more may have done the same.
        let (_, third) = self.noted(state, chosen, unit)?;
        let noted = run.iter().chain(&third).collect();
        let what = Twice { once: &next.model, again: &other.model, unit: Some(unit), noted }.tell();
        let told = story::tell(self.explore, &self.path_by(node))?;
        let step = chosen.describe(&self.explore.doings);
        Err(ExploreError::NotDeterministic { step, what, story: story::numbered(&told.lines, 0) })
    }

    /// The same move once more, its instants being noted.
    fn noted(&self, state: &State, chosen: &Move, unit: &UnitName) -> Result<(State, Option<HookRun>), ExploreError> {
        let mut other = state.fork();
        other.model.note_instants(true);
        let run = match other.take(chosen, &self.explore.doings)? {
            Came::Ended(run) => Some(*run),
            _ => other.model.run_of(unit).map(|running| running.result.clone()),
        };
        Ok((other, run))
    }

    /// What holds eventually.
    fn check_fair(&self) -> Result<(), ExploreError> {
        let Some(fair) = &self.fair else { return Ok(()) };
        let eventually = self.explore.properties.iter().enumerate().filter(|(_, p)| p.when == When::Eventually);
        for (at, property) in eventually {
            let has = |state: u32| fair.held.get(state as usize).is_some_and(|held| held & (1 << at) != 0);
            let is_end = |state: u32| fair.ends.binary_search(&state).is_ok();
            let Some(state) = fair.graph.avoids(has, is_end) else { continue };
            let why = if is_end(state) { NEVER } else { AGAIN_AND_AGAIN };
            let path = self.path_avoiding(state, &has);
            return Err(self.explore.found(Broken::of(property, why.to_owned()), &path, true));
        }
        Ok(())
    }

    /// The shortest way to the state through states that are not among these.
    fn path_avoiding(&self, state: u32, has: &impl Fn(u32) -> bool) -> Path {
        let Some(fair) = &self.fair else { return Path::default() };
        let mut from: HashMap<u32, u32> = HashMap::new();
        let mut waiting = VecDeque::from([0]);
        while let Some(here) = waiting.pop_front() {
            for (to, _) in fair.graph.edges.get(here as usize).into_iter().flatten() {
                if *to != 0 && !has(*to) && !from.contains_key(to) {
                    from.insert(*to, here);
                    waiting.push_back(*to);
                }
            }
        }
        let mut states = vec![state];
        while let Some(before) = states.last().and_then(|state| from.get(state)) {
            states.push(*before);
        }
        states.reverse();
        self.moves_through(&states)
    }

    /// The numbers of moves that lead through these states.
    fn moves_through(&self, states: &[u32]) -> Path {
        let mut path = Path::default();
        let mut state = self.explore.beginning();
        for wanted in states.iter().skip(1) {
            let moves = state.moves(&self.explore.doings);
            let leads = |(_, chosen): &(usize, &Move)| {
                let mut next = state.fork();
                next.take(chosen, &self.explore.doings).is_ok() && self.known.get(&next.fingerprint()) == Some(wanted)
            };
            let Some((choice, chosen)) = moves.all().enumerate().find(leads) else { break };
            if state.take(chosen, &self.explore.doings).is_ok() {
                path.0.push(u16::try_from(choice).unwrap_or(u16::MAX));
            }
        }
        path
    }

    /// What can only be said once everything was looked at.
    fn check_the_whole(&self) -> Result<(), ExploreError> {
        let states = self.nodes.len();
        for (number, planned) in self.explore.doings.iter().enumerate() {
            if self.done & (1 << number) == 0 {
                let why = planned.doing.why_not(&self.explore.model);
                let why = why.map_or_else(|| "what comes before it never happens".to_owned(), |why| why.to_string());
                return Err(ExploreError::NeverPossible { doing: planned.doing.to_string(), states, why });
            }
        }
        let quiet = self.explore.properties.iter().find(|property| property.when == When::OnceQuiet);
        if let Some(property) = quiet.filter(|_| self.watch.ends() == 0) {
            return Err(ExploreError::Nothing(format!(
                "`{}` was never asked: in none of the {states} states all is quiet, so nothing can be said of what holds then",
                property.name
            )));
        }
        let sometimes = self.explore.properties.iter().enumerate().filter(|(_, p)| p.when == When::Sometimes);
        for (number, property) in sometimes {
            if self.watch.held & (1 << number) == 0 {
                return Err(ExploreError::Never { property: property.name.clone(), states });
            }
        }
        Ok(())
    }

    fn path(&self, number: u32) -> Path {
        path(&self.nodes, number)
    }

    fn path_by(&self, node: Node) -> Path {
        let mut path = self.path(node.from);
        path.0.push(node.choice);
        path
    }

    fn depth(&self, number: u32) -> usize {
        depth(&self.nodes, number)
    }
}

/// The way to a state.
fn path(nodes: &[Node], number: u32) -> Path {
    let mut path = Vec::new();
    let mut at = number;
    while let Some(node) = nodes.get(at as usize).filter(|_| at != 0) {
        path.push(node.choice);
        at = node.from;
    }
    path.reverse();
    Path(path)
}

fn depth(nodes: &[Node], number: u32) -> usize {
    path(nodes, number).0.len()
}
