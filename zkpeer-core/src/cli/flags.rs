//! A story made of command-line flags: a charm is deployed, something happens to it, it is removed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use zkpeer_core::juju::UnitName;
use zkpeer_core::testing::story::{self, Deployment, ModelConfig, Step, StepKind};
use zkpeer_core::testing::{JujuVersion, KillPoint, Story, Value};

/// One thing that a flag makes happen.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Event {
    /// `--add N` or `--add UNIT`.
    Add(Added),
    /// `--remove UNIT`
    Remove(UnitName),
    /// `--kill UNIT:HOOK[:POINT]`
    Kill { unit: UnitName, hook: String, at: KillPoint },
    /// `--leader UNIT`
    Leader(UnitName),
    /// `--action [UNIT:]NAME[:JSON]`
    Action { unit: Option<UnitName>, name: String, params: BTreeMap<String, Value> },
    /// `--refresh CHARM`
    Refresh(PathBuf),
}

/// The units that are added.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Added {
    Count(u32),
    Unit(UnitName),
}

/// An event with the flag that asked for it, as it was written.
pub(crate) type Asked = (String, Event);

fn unit(text: &str) -> Result<UnitName, String> {
    text.parse().map_err(|_| format!("`{text}` is no unit: it has to look like hello/0"))
}

impl Event {
    pub(crate) fn add(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(0) => Err("it has to be at least 1".to_owned()),
            Ok(1001..) => Err("it has to be at most 1000".to_owned()),
            Ok(count) => Ok(Self::Add(Added::Count(count))),
            Err(_) if text.contains('/') => unit(text).map(|unit| Self::Add(Added::Unit(unit))),
            Err(_) => Err("it has to be a number, or a unit such as hello/3".to_owned()),
        }
    }

    pub(crate) fn remove(text: &str) -> Result<Self, String> {
        unit(text).map(Self::Remove)
    }

    pub(crate) fn leader(text: &str) -> Result<Self, String> {
        unit(text).map(Self::Leader)
    }

    pub(crate) fn kill(text: &str) -> Result<Self, String> {
        let mut parts = text.splitn(3, ':');
        let (Some(name), Some(hook)) = (parts.next(), parts.next()) else {
            return Err("it has to look like hello/0:config-changed or hello/0:config-changed:command-2".to_owned());
        };
        story::check_hook_name(hook).map_err(|error| error.to_string())?;
        let at = parts.next().map_or(Ok(KillPoint::Start), str::parse);
        Ok(Self::Kill { unit: unit(name)?, hook: hook.to_owned(), at: at.map_err(|error| error.to_string())? })
    }

    pub(crate) fn action(text: &str) -> Result<Self, String> {
        let (of, rest) = match text.split_once(':') {
            Some((of, rest)) if of.contains('/') => (Some(unit(of)?), rest),
            _ => (None, text),
        };
        let (name, json) = rest.split_once(':').unwrap_or((rest, "{}"));
        let params = serde_json::from_str(json)
            .map_err(|error| format!("the parameters of `{name}` have to be a JSON object: {error}"))?;
        Ok(Self::Action { unit: of, name: name.to_owned(), params })
    }

    pub(crate) fn refresh(text: &str) -> Result<Self, String> {
        Ok(Self::Refresh(PathBuf::from(text)))
    }
}

/// What the flags say of the application.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) charm: &'a Path,
    pub(crate) juju: JujuVersion,
    pub(crate) seed: Option<u64>,
    pub(crate) units: Option<u32>,
    pub(crate) config: BTreeMap<String, String>,
    pub(crate) no_leader: bool,
    pub(crate) events: Vec<Asked>,
}

/// What the charm says of itself.
#[derive(Debug)]
pub(crate) struct Known {
    /// The application has the charm's name.
    pub(crate) application: String,
    pub(crate) peers: bool,
    /// Each action, and whether it can be run without parameters.
    pub(crate) actions: Vec<(String, bool)>,
}

/// A story with what has to be known to tell of it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) story: Story,
    /// For each step the flag that it comes from.
    pub(crate) origins: Vec<Option<String>>,
    /// The step before which it is shown where everything stands.
    pub(crate) removal: usize,
}

/// Makes the story.
///
/// # Errors
///
/// If a flag does not fit the charm; the message begins with the flag.
pub(crate) fn plan(wanted: Wanted<'_>, known: &Known) -> Result<Plan, String> {
    let units = wanted.units.unwrap_or(if known.peers { 3 } else { 1 });
    let mut steps = Steps { known, next_unit: units, no_leader: wanted.no_leader, list: Vec::new() };
    if wanted.no_leader {
        steps.push(None, StepKind::Leader { application: known.application.clone(), unit: None });
    }
    match wanted.events.as_slice() {
        [] => steps.default_story()?,
        events => steps.events(events)?,
    }
    let removal = steps.list.len();
    let application = known.application.clone();
    steps.push(None, StepKind::RemoveApplication { application: application.clone(), force: false });
    steps.push(None, StepKind::Settle);
    let (origins, steps) = steps.list.into_iter().unzip();
    let deployment = Deployment {
        line: 0,
        application,
        charm: wanted.charm.to_owned(),
        units,
        config: wanted.config,
        trust: false,
        resources: BTreeMap::new(),
        storage: BTreeMap::new(),
    };
    let story = Story {
        path: wanted.charm.to_owned(),
        juju: wanted.juju,
        seed: wanted.seed,
        bugs: BTreeSet::new(),
        model_config: ModelConfig::default(),
        applications: vec![deployment],
        relations: Vec::new(),
        steps,
    };
    Ok(Plan { story, origins, removal })
}

/// The steps as they are gathered.
struct Steps<'a> {
    known: &'a Known,
    next_unit: u32,
    no_leader: bool,
    list: Vec<(Option<String>, Step)>,
}

impl Steps<'_> {
    fn push(&mut self, origin: Option<&str>, kind: StepKind) {
        self.list.push((origin.map(str::to_owned), Step { line: 0, kind }));
    }

    fn settle(&mut self) {
        self.push(None, StepKind::Settle);
    }

    /// Each event and what comes of it. A kill is planned before what it is to interrupt: it follows the event before it, or the
    /// deployment, at once.
    fn events(&mut self, events: &[Asked]) -> Result<(), String> {
        for (flag, event) in events {
            if !matches!(event, Event::Kill { .. }) {
                self.settle();
            }
            let kind = self.kind(event).map_err(|why| format!("{flag}: {why}"))?;
            self.push(Some(flag), kind);
        }
        self.settle();
        Ok(())
    }

    fn kind(&mut self, event: &Event) -> Result<StepKind, String> {
        let application = self.known.application.clone();
        Ok(match event {
            Event::Add(added) => {
                let count = match added {
                    Added::Count(count) => *count,
                    Added::Unit(unit) if unit.as_str() == self.unit(self.next_unit) => 1,
                    Added::Unit(_) => {
                        let next = self.unit(self.next_unit);
                        return Err(format!("Juju gives units their numbers, and the next unit is {next}"));
                    }
                };
                self.next_unit = self.next_unit.saturating_add(count);
                StepKind::AddUnits { application, count }
            }
            Event::Remove(unit) => StepKind::RemoveUnit { unit: self.known_unit(unit)?, force: false },
            Event::Kill { unit, hook, at } => {
                StepKind::Kill { unit: self.known_unit(unit)?, hook: Some(hook.clone()), at: *at }
            }
            Event::Leader(unit) => StepKind::Leader { application, unit: Some(self.known_unit(unit)?) },
            Event::Action { unit, name, params } => {
                self.known_action(name)?;
                let unit = match unit {
                    Some(unit) => self.known_unit(unit)?,
                    None => self.first_unit()?,
                };
                StepKind::Action { unit, name: name.clone(), params: params.clone() }
            }
            Event::Refresh(charm) => StepKind::Refresh { application, charm: Some(charm.clone()), force: false },
        })
    }

    fn unit(&self, number: u32) -> String {
        format!("{}/{number}", self.known.application)
    }

    fn first_unit(&self) -> Result<UnitName, String> {
        if self.next_unit == 0 {
            return Err("there is no unit yet".to_owned());
        }
        self.unit(0).parse().map_err(|error| format!("{error}"))
    }

    /// A unit that is there at some time; whether it is then, the model knows.
    fn known_unit(&self, unit: &UnitName) -> Result<UnitName, String> {
        if unit.application() == self.known.application && unit.number() < u64::from(self.next_unit) {
            return Ok(unit.clone());
        }
        match self.next_unit {
            0 => Err(format!("there is no unit {unit}, nor any other")),
            1 => Err(format!("there is no unit {unit}; there is {}", self.unit(0))),
            next => Err(format!("there is no unit {unit}; there are {} to {}", self.unit(0), self.unit(next - 1))),
        }
    }

    fn known_action(&self, name: &str) -> Result<(), String> {
        if self.known.actions.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let known: Vec<&str> = self.known.actions.iter().map(|(name, _)| name.as_str()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(format!("actions.yaml has no such action; it has: {known}"))
    }

    /// What happens to a charm when nothing else is asked for: it grows, its leadership moves, time passes, its actions run, it
    /// shrinks.
    fn default_story(&mut self) -> Result<(), String> {
        let mut kinds = Vec::new();
        let application = &self.known.application;
        if self.known.peers {
            kinds.push(StepKind::AddUnits { application: application.clone(), count: 1 });
            self.next_unit += 1;
        }
        let name = |number| self.unit(number).parse::<UnitName>().map_err(|error| error.to_string());
        let leader = u32::from(self.next_unit > 1);
        if leader == 1 && !self.no_leader {
            kinds.push(StepKind::Leader { application: application.clone(), unit: Some(name(leader)?) });
        }
        if self.next_unit > 0 {
            kinds.push(StepKind::UpdateStatus { unit: name(0)? });
            for (action, _) in self.known.actions.iter().filter(|(_, simple)| *simple) {
                kinds.push(StepKind::Action { unit: name(leader)?, name: action.clone(), params: BTreeMap::new() });
            }
        }
        if self.next_unit > 1 {
            kinds.push(StepKind::RemoveUnit { unit: name(0)?, force: false });
        }
        self.settle();
        for kind in kinds {
            self.push(None, kind);
            self.settle();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let actions = vec![("backup".to_owned(), true), ("restore".to_owned(), false)];
        Known { application: "zk".to_owned(), peers: true, actions }
    }

    fn of(units: Option<u32>, events: Vec<Event>, no_leader: bool) -> Result<Vec<String>, String> {
        let events = events.into_iter().map(|event| ("--flag".to_owned(), event)).collect();
        let wanted = Wanted {
            charm: Path::new("."),
            juju: JujuVersion::default(),
            seed: None,
            units,
            config: BTreeMap::new(),
            no_leader,
            events,
        };
        let plan = plan(wanted, &known())?;
        assert_eq!(plan.origins.len(), plan.story.steps.len());
        Ok(plan.story.steps[..plan.removal].iter().map(ToString::to_string).collect())
    }

    #[test]
    fn without_flags_a_charm_grows_moves_acts_and_shrinks() {
        let expected = [
            "settle",
            "add-units: zk (1)",
            "settle",
            "leader: zk/1",
            "settle",
            "update-status: zk/0",
            "settle",
            "action: backup on zk/1",
            "settle",
            "remove-unit: zk/0",
            "settle",
        ];
        assert_eq!(of(None, Vec::new(), false).unwrap(), expected);
        assert_eq!(of(Some(1), Vec::new(), true).unwrap()[..2], ["leader: nobody leads zk", "settle"]);
    }

    #[test]
    fn events_happen_in_their_order_and_kills_before_what_they_interrupt() {
        let events = vec![
            Event::kill("zk/0:install:command-2").unwrap(),
            Event::add("zk/2").unwrap(),
            Event::kill("zk/2:start").unwrap(),
            Event::leader("zk/2").unwrap(),
        ];
        let expected = [
            "kill: install of zk/0 at command 2",
            "settle",
            "add-units: zk (1)",
            "kill: start of zk/2 at start",
            "settle",
            "leader: zk/2",
            "settle",
        ];
        assert_eq!(of(Some(2), events, false).unwrap(), expected);
    }

    #[test]
    fn what_the_charm_cannot_have_is_refused_with_what_there_is() {
        let wrong = |event| of(Some(2), vec![event], false).unwrap_err();
        assert_eq!(wrong(Event::remove("zk/2").unwrap()), "--flag: there is no unit zk/2; there are zk/0 to zk/1");
        assert!(wrong(Event::add("zk/7").unwrap()).contains("the next unit is zk/2"));
        assert!(wrong(Event::action("zk/1:nope").unwrap()).contains("it has: backup, restore"));
        assert!(of(Some(0), vec![Event::action("backup").unwrap()], false).unwrap_err().contains("no unit yet"));
    }

    #[test]
    fn values_are_checked_when_they_are_read() {
        for (read, text, words) in [
            (Event::add as fn(&str) -> _, "0", "at least 1"),
            (Event::add, "many", "a number"),
            (Event::add, "zk/x", "hello/0"),
            (Event::remove, "zk", "hello/0"),
            (Event::kill, "zk/0", "hello/0:config-changed"),
            (Event::kill, "zk/0:instal", "is it `install`?"),
            (Event::kill, "zk/0:install:soon", "`command N`"),
            (Event::action, "backup:[1]", "JSON object"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(words), "{text}: {error}");
        }
        let action = Event::action("zk/1:backup:{\"a\": {\"b\": \"c:d\"}}").unwrap();
        assert!(matches!(action, Event::Action { unit: Some(_), params, .. } if params.len() == 1));
    }
}
