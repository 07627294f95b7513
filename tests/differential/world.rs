//! What there is around the unit, event by event; which events could not be is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::case::{APPLICATION, Bag, Case, Event, Role};

/// What Juju knows.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct World {
    pub(crate) leader: bool,
    /// The unit is being removed.
    pub(crate) leaves: bool,
    pub(crate) config: Bag,
    pub(crate) settings: Bag,
    pub(crate) relations: BTreeMap<String, Relation>,
}

/// One relation, as the unit sees it.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Relation {
    pub(crate) application: String,
    pub(crate) listed: bool,
    pub(crate) members: Vec<String>,
    /// Those of the units that are members, or were.
    pub(crate) bags: BTreeMap<String, Bag>,
    pub(crate) applications: BTreeMap<String, Bag>,
    pub(crate) own: Bag,
}

/// A hook that is to run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Hook {
    pub(crate) name: String,
    pub(crate) action: bool,
    pub(crate) relation: Option<String>,
    pub(crate) unit: Option<String>,
}

impl World {
    /// The world after the event, and the hook that it brings.
    pub(crate) fn take(&mut self, case: &Case, event: &Event) -> Option<Hook> {
        match event {
            Event::Hook(name) => Some(Hook { name: name.clone(), ..Hook::default() }),
            Event::Action(name) => Some(Hook { name: name.clone(), action: true, ..Hook::default() }),
            Event::Created(relation) => {
                let is_peer = case.endpoint(relation).is_some_and(|endpoint| endpoint.role == Role::Peers);
                let application = if is_peer { APPLICATION.to_owned() } else { remote(relation) };
                let new = Relation { application, listed: true, ..Relation::default() };
                self.relations.insert(relation.clone(), new);
                Some(of_relation(relation, "created", None))
            }
            Event::Joined(relation, unit, bag) => {
                let known = self.relations.get_mut(relation)?;
                known.members.push(unit.clone());
                known.members.sort();
                known.bags.insert(unit.clone(), bag.clone());
                Some(of_relation(relation, "joined", Some(unit)))
            }
            Event::Changed(relation, unit, bag) => {
                self.relations.get_mut(relation)?.bags.insert(unit.clone(), bag.clone());
                Some(of_relation(relation, "changed", Some(unit)))
            }
            Event::Published(relation, unit, bag) => {
                self.relations.get_mut(relation)?.bags.insert(unit.clone(), bag.clone());
                None
            }
            Event::ChangedApp(relation, bag) => {
                let known = self.relations.get_mut(relation)?;
                known.applications.insert(known.application.clone(), bag.clone());
                Some(of_relation(relation, "changed", None))
            }
            Event::Departed(relation, unit) => {
                self.relations.get_mut(relation)?.members.retain(|member| member != unit);
                Some(of_relation(relation, "departed", Some(unit)))
            }
            Event::Broken(relation) => Some(of_relation(relation, "broken", None)),
            Event::Leaves => {
                self.leaves = true;
                None
            }
            Event::Leads(leader) => {
                self.leader = *leader;
                None
            }
            Event::Config(option, value) => {
                self.config.insert(option.clone(), value.clone());
                None
            }
            Event::Setting(key, value) => {
                if value.is_empty() {
                    self.settings.remove(key);
                } else {
                    self.settings.insert(key.clone(), value.clone());
                }
                None
            }
            Event::File(..) => None,
        }
    }

    /// The hook has ended for good.
    pub(crate) fn done(&mut self, event: &Event) {
        if let Event::Broken(relation) = event {
            self.relations.remove(relation);
        }
    }
}

/// The application at the other side of a relation that is none of peers.
pub(crate) fn remote(relation: &str) -> String {
    format!("r{}", relation.split(':').nth(1).unwrap_or_default())
}

fn of_relation(relation: &str, kind: &str, unit: Option<&String>) -> Hook {
    let endpoint = relation.split(':').next().unwrap_or_default();
    Hook {
        name: format!("{endpoint}-relation-{kind}"),
        action: false,
        relation: Some(relation.to_owned()),
        unit: unit.cloned(),
    }
}

/// What a unit has been through, as far as it decides what may come (contract 3 to 5).
#[derive(Default)]
struct Life {
    installed: bool,
    configured: bool,
    started: bool,
    leader: bool,
    leaves: bool,
    created: BTreeSet<String>,
    over: BTreeSet<String>,
    members: BTreeSet<(String, String)>,
    departed: BTreeSet<(String, String)>,
    owed: Option<(String, String, Bag)>,
}

/// The story without what Juju could not do, and with the `-changed` that follows each `-joined` (contract 4.3).
pub(crate) fn lawful(case: &Case) -> Vec<Event> {
    let mut life = Life::default();
    let mut story = Vec::new();
    for event in &case.story {
        life.settle_debt(event, &mut story);
        if life.allows(case, event) {
            story.push(event.clone());
        }
    }
    if let Some((relation, unit, bag)) = life.owed.take() {
        story.push(Event::Changed(relation, unit, bag));
    }
    story
}

impl Life {
    /// The next hook of a relation after `-joined` is `-changed` for the same unit.
    fn settle_debt(&mut self, event: &Event, story: &mut Vec<Event>) {
        let Some((relation, unit, bag)) = self.owed.clone() else { return };
        let of = match event {
            Event::Changed(of, about, _) if *of == relation && *about == unit => {
                self.owed = None;
                return;
            }
            Event::Joined(of, ..)
            | Event::Changed(of, ..)
            | Event::ChangedApp(of, _)
            | Event::Departed(of, _)
            | Event::Broken(of) => of,
            _ => return,
        };
        // Joined elsewhere, a second debt would have to be kept: this one is paid first.
        if *of == relation || matches!(event, Event::Joined(..)) {
            story.push(Event::Changed(relation, unit, bag));
            self.owed = None;
        }
    }

    fn allows(&mut self, case: &Case, event: &Event) -> bool {
        let is_of_the_end = matches!(event, Event::Departed(..) | Event::Broken(_));
        if self.leaves && !is_of_the_end && *event != Event::Hook("stop".to_owned()) {
            return false;
        }
        match event {
            Event::Leaves => {
                self.leaves = self.installed;
                self.installed
            }
            Event::Hook(name) => self.allows_hook(name),
            Event::Action(name) => self.started && has_action(case, name),
            Event::Created(relation) => {
                self.installed && case.endpoint(relation).is_some() && self.created.insert(relation.clone())
            }
            Event::Joined(relation, unit, bag) => {
                let member = (relation.clone(), unit.clone());
                let may = self.is_open(relation) && !self.departed.contains(&member) && self.members.insert(member);
                if may {
                    self.owed = Some((relation.clone(), unit.clone(), bag.clone()));
                }
                may
            }
            Event::Changed(relation, unit, _) | Event::Published(relation, unit, _) => {
                self.is_open(relation) && self.members.contains(&(relation.clone(), unit.clone()))
            }
            Event::ChangedApp(relation, _) => {
                let is_peer = case.endpoint(relation).is_none_or(|endpoint| endpoint.role == Role::Peers);
                self.is_open(relation) && !is_peer
            }
            Event::Departed(relation, unit) => {
                let member = (relation.clone(), unit.clone());
                self.is_open(relation) && self.members.remove(&member) && self.departed.insert(member)
            }
            Event::Broken(relation) => {
                let is_peer = case.endpoint(relation).is_none_or(|endpoint| endpoint.role == Role::Peers);
                let has_members = self.members.iter().any(|(of, _)| of == relation);
                self.is_open(relation) && !is_peer && !has_members && self.over.insert(relation.clone())
            }
            Event::Leads(leader) => {
                self.leader = *leader;
                true
            }
            Event::Setting(..) => !self.leader,
            Event::Config(..) | Event::File(..) => true,
        }
    }

    fn is_open(&self, relation: &str) -> bool {
        self.created.contains(relation) && !self.over.contains(relation)
    }

    fn allows_hook(&mut self, name: &str) -> bool {
        match name {
            "install" => !std::mem::replace(&mut self.installed, true),
            _ if !self.installed => false,
            "config-changed" => {
                self.configured = true;
                true
            }
            "start" => {
                self.started = self.configured;
                self.configured
            }
            "leader-elected" => self.leader,
            "leader-settings-changed" => !self.leader,
            "upgrade-charm" => true,
            _ => self.started,
        }
    }
}

fn has_action(case: &Case, name: &str) -> bool {
    use crate::case::Condition;
    let is_for =
        |condition: &Condition| matches!(condition, Condition::Action(names) if names.iter().any(|n| n == name));
    case.handlers.iter().any(|handler| handler.conditions.iter().any(is_for))
}
