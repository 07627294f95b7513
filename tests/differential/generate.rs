//! Random charms and their stories.

use serde_json::{Value, json};
use tests::dice::Dice;

use crate::case::{
    APPLICATION, Bag, Bond, Case, Condition, Edge, Endpoint, Event, Handler, MODERN, Role, Step, Talk, Trigger,
};
use crate::world::remote;

const FLAGS: [&str; 5] = ["a", "b", "c", "d", "e"];
/// Flags of conversations, without the endpoint.
const TALKS: [&str; 2] = ["ready", "gone"];
/// Flags of modern endpoints, behind the endpoint.
const BONDS: [&str; 6] = ["joined", "changed", "changed.x", "departed", "changed", "departed"];
const FILES: [&str; 2] = ["f0", "f1"];
const KEYS: [&str; 3] = ["k0", "k1", "k2"];
const OPTIONS: [&str; 2] = ["port", "word"];
const ACTIONS: [&str; 2] = ["backup", "report"];
const HOOKS: [&str; 12] = [
    "update-status",
    "update-status",
    "config-changed",
    "upgrade-charm",
    "leader-elected",
    "leader-settings-changed",
    "pre-series-upgrade",
    "post-series-upgrade",
    "collect-metrics",
    "meter-status-changed",
    "start",
    "stop",
];
/// What Python's JSON takes, and that in its own way; handlers look at it as text only.
const ODD: [&str; 16] = [
    "1e3",
    "1.0",
    "-0",
    "-0.0",
    "1e400",
    "NaN",
    "-Infinity",
    "123456789012345678901234567890",
    " 2 ",
    "\"\\ud800\"",
    "\"\\u00e9\\/\"",
    "{\"b\": 1, \"a\": 2, \"b\": 3}",
    "[1,]",
    "{\"a\": {\"d\": 1, \"c\": [0.1, 1e-7]}}",
    "\"a",
    "true",
];
const RELATION_HOOKS: [&str; 5] = ["created", "joined", "changed", "departed", "broken"];

/// The case of a seed.
pub(crate) fn case(seed: u64) -> Case {
    let mut generator = Generator { dice: Dice(seed), case: Case::default() };
    generator.endpoints();
    for _ in 0..2 + generator.dice.below(8) {
        let handler = generator.handler();
        generator.case.handlers.push(handler);
    }
    for _ in 0..generator.dice.below(7).saturating_sub(3) {
        let trigger = generator.trigger();
        generator.case.triggers.push(trigger);
    }
    if generator.chance(5) {
        generator.tangle();
    }
    for _ in 0..generator.dice.below(8).saturating_sub(6) {
        let step = generator.flag_step();
        generator.case.at_start.push(step);
    }
    for _ in 0..generator.dice.below(8).saturating_sub(6) {
        let step = generator.flag_step();
        generator.case.at_exit.push(step);
    }
    generator.story();
    generator.case
}

struct Generator {
    dice: Dice,
    case: Case,
}

impl Generator {
    fn chance(&mut self, percent: usize) -> bool {
        self.dice.below(100) < percent
    }

    fn one(&mut self, among: &[&str]) -> String {
        (*self.dice.one(among)).to_owned()
    }

    // ---- the charm ----

    fn endpoints(&mut self) {
        let many = *self.dice.one(&[0, 0, 1, 1, 1, 2, 2, 3]);
        for name in ["ep", "db", "pe"].into_iter().take(many) {
            let role = *self.dice.one(&[Role::Provides, Role::Requires, Role::Peers]);
            let interface = self.one(&["unit", "unit", "app", "global", "named", MODERN, MODERN, MODERN, MODERN]);
            let (triggers, manage) = (Vec::new(), Vec::new());
            self.case.endpoints.push(Endpoint { name: name.to_owned(), role, interface, triggers, manage });
        }
        for number in 0..self.case.endpoints.len() {
            if self.case.endpoints[number].interface != MODERN {
                continue;
            }
            for _ in 0..self.dice.below(4).saturating_sub(1) {
                let trigger = self.trigger();
                self.case.endpoints[number].triggers.push(trigger);
            }
            for _ in 0..self.dice.below(4).saturating_sub(1) {
                let step = self.flag_step();
                self.case.endpoints[number].manage.push(step);
            }
            // The flags of an endpoint for which nobody waits are those of one hook, and that if they are asked for.
            let name = &self.case.endpoints[number].name;
            let conditions = vec![Condition::All(vec![format!("endpoint.{name}.joined")])];
            let runs = self.runs(false, true);
            self.case.handlers.push(Handler { of: None, conditions, runs });
        }
    }

    /// A flag to wait for, or to change by its name.
    fn flag(&mut self) -> String {
        let of_talk = if self.case.endpoints.is_empty() { 0 } else { 25 };
        if self.chance(of_talk) { self.talk_flag() } else { self.one(&FLAGS) }
    }

    fn talk_flag(&mut self) -> String {
        let endpoint = self.dice.one(&self.case.endpoints).clone();
        if endpoint.interface == MODERN {
            return format!("endpoint.{}.{}", endpoint.name, self.dice.one(&BONDS));
        }
        format!("{}.{}", endpoint.name, self.dice.one(&TALKS))
    }

    fn plain_flag(&mut self) -> String {
        if self.chance(8) { self.flag() } else { self.one(&FLAGS) }
    }

    fn flags(&mut self) -> Vec<String> {
        let many = *self.dice.one(&[1, 1, 1, 2, 2, 3]);
        let mut flags: Vec<String> = (0..many).map(|_| self.flag()).collect();
        flags.sort();
        flags.dedup();
        flags
    }

    fn handler(&mut self) -> Handler {
        let mut conditions = Vec::new();
        let modern = self.case.endpoints.iter().filter(|endpoint| endpoint.interface == MODERN);
        let roles: Vec<Role> = modern.map(|endpoint| endpoint.role).collect();
        if !roles.is_empty() && self.chance(40) {
            let of = Some(*self.dice.one(&roles));
            return Handler { of, conditions: self.conditions_of_interface(), runs: self.runs(false, true) };
        }
        match self.dice.below(20) {
            0 => {}
            1 => conditions.push(Condition::Once),
            2 => conditions.push(Condition::File(self.files())),
            3 => conditions.push(Condition::Action(vec![self.one(&ACTIONS)])),
            4 if self.chance(50) => {
                let restricted = [Condition::CollectMetrics, Condition::MeterStatusChanged];
                conditions.push(self.dice.one(&restricted).clone());
                return Handler { of: None, conditions, runs: self.harmless_runs() };
            }
            5..=9 => conditions.push(self.hook()),
            _ => {
                for _ in 0..*self.dice.one(&[1, 1, 1, 2, 2, 3]) {
                    let condition = self.flag_condition();
                    conditions.push(condition);
                }
            }
        }
        let is_of_hook = conditions.iter().any(Condition::is_of_hook);
        if !is_of_hook && !conditions.is_empty() && self.chance(12) {
            conditions.push(Condition::File(self.files()));
        }
        if !is_of_hook && self.chance(8) && !conditions.contains(&Condition::Once) {
            conditions.push(Condition::Once);
        }
        let talks = conditions.iter().any(|condition| match condition {
            Condition::Hook(patterns) => patterns.iter().any(|pattern| pattern.contains("-relation-")),
            Condition::All(flags) => flags.iter().any(|flag| flag.contains('.')),
            _ => false,
        });
        Handler { of: None, conditions, runs: self.runs(talks, !roles.is_empty()) }
    }

    /// Those of a handler that belongs to an interface.
    fn conditions_of_interface(&mut self) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for _ in 0..*self.dice.one(&[1, 1, 2]) {
            let mut flags = vec![format!("endpoint.{{endpoint_name}}.{}", self.dice.one(&BONDS))];
            if self.chance(25) {
                flags.push(self.plain_flag());
            }
            let condition = match self.dice.below(8) {
                0..=4 => Condition::All(flags),
                5 => Condition::Any(flags),
                6 => Condition::None(flags),
                _ => Condition::NotAll(flags),
            };
            conditions.push(condition);
        }
        conditions
    }

    fn files(&mut self) -> Vec<String> {
        if self.chance(25) { FILES.map(str::to_owned).to_vec() } else { vec![self.one(&FILES)] }
    }

    fn flag_condition(&mut self) -> Condition {
        let flags = self.flags();
        match self.dice.below(8) {
            0..=1 => Condition::All(flags),
            2 => Condition::Any(flags),
            3..=5 => Condition::None(flags),
            6 => Condition::NotAll(flags),
            _ if self.case.endpoints.is_empty() => Condition::All(flags),
            _ => Condition::All(vec![self.talk_flag()]),
        }
    }

    fn hook(&mut self) -> Condition {
        let mut patterns = Vec::new();
        for _ in 0..*self.dice.one(&[1, 1, 2]) {
            let pattern =
                if self.case.endpoints.is_empty() || self.chance(25) { self.one(&HOOKS) } else { self.relation_hook() };
            patterns.push(pattern);
        }
        patterns.dedup();
        Condition::Hook(patterns)
    }

    fn relation_hook(&mut self) -> String {
        let endpoint = self.dice.one(&self.case.endpoints).clone();
        let of = if self.chance(50) {
            endpoint.name
        } else {
            format!("{{{}:{}}}", endpoint.role.name(), endpoint.interface)
        };
        let kind = match self.dice.below(4) {
            0 => "{joined,changed}".to_owned(),
            1 => "{changed,departed,broken}".to_owned(),
            _ => self.one(&RELATION_HOOKS),
        };
        format!("{of}-relation-{kind}")
    }

    // ---- what handlers do ----

    /// Most handlers come to rest: what they do in the end is nothing.
    fn runs(&mut self, talks: bool, bonds: bool) -> Vec<Vec<Step>> {
        let mut runs: Vec<Vec<Step>> = Vec::new();
        for _ in 0..1 + self.dice.below(3) {
            let many = *self.dice.one(&[1, 1, 2, 2, 3, 4]);
            let steps = (0..many).map(|_| self.step(talks, bonds)).collect();
            runs.push(steps);
        }
        if self.chance(65) {
            runs.push(Vec::new());
        }
        runs
    }

    /// In a restricted hook Juju allows little, and nothing is kept.
    fn harmless_runs(&mut self) -> Vec<Vec<Step>> {
        let many = 1 + self.dice.below(3);
        vec![(0..many).map(|_| if self.chance(30) { self.kv_step() } else { self.flag_step() }).collect()]
    }

    fn step(&mut self, talks: bool, bonds: bool) -> Step {
        if bonds && self.chance(45) {
            let mut names: Vec<String> = self.case.endpoints.iter().map(|endpoint| endpoint.name.clone()).collect();
            names.push("self".to_owned());
            let name = self.dice.one(&names).clone();
            return if self.chance(15) { Step::Clear(self.talk_flag()) } else { Step::Bond(name, self.bond()) };
        }
        if talks && self.chance(55) {
            return Step::Talk(self.talk());
        }
        match self.dice.below(46) {
            40..=45 => self.helper_step(),
            0 => Step::Fail,
            1 => Step::End,
            2 if self.chance(40) => Step::Unless(self.flags()),
            3..=5 => Step::Trigger(self.trigger()),
            6..=7 => Step::Write(self.one(&FILES), self.one(&["x", "y", ""])),
            8 => Step::Remove(self.one(&FILES)),
            9..=13 => self.kv_step(),
            14 => Step::Setting(self.one(&KEYS), self.one(&["1", "2", ""])),
            15 => Step::ReadSetting(self.one(&KEYS), self.plain_flag()),
            16 => Step::Leads(self.plain_flag()),
            17 => Step::Config(self.one(&OPTIONS), self.plain_flag()),
            _ => self.flag_step(),
        }
    }

    fn helper_step(&mut self) -> Step {
        match self.dice.below(10) {
            0..=1 => Step::Data(self.one(&KEYS), self.value(), self.plain_flag()),
            2 => Step::IsData(self.one(&KEYS), self.value(), self.plain_flag()),
            3 => Step::AnyFile(self.files(), self.plain_flag()),
            4 => Step::Invoked(self.one(&["i0", "i1"]), self.plain_flag()),
            5 => Step::Invoke(self.one(&["i0", "i1"])),
            6 => {
                let Condition::Hook(patterns) = self.hook() else { return Step::Fail };
                Step::AnyHook(patterns, self.plain_flag())
            }
            7 => Step::Unset(self.flags()),
            _ => {
                let many = 1 + self.dice.below(2);
                let mut steps: Vec<Step> = (0..many).map(|_| self.flag_step()).collect();
                if self.chance(5) {
                    steps.push(Step::Fail);
                }
                Step::AtExit(steps)
            }
        }
    }

    fn flag_step(&mut self) -> Step {
        match self.dice.below(10) {
            0..=4 => Step::Set(self.plain_flag()),
            5..=7 => Step::Clear(self.plain_flag()),
            8 => Step::Toggle(self.plain_flag(), self.dice.below(2) == 0),
            _ => Step::Copy(self.flag(), self.plain_flag()),
        }
    }

    fn kv_step(&mut self) -> Step {
        match self.dice.below(6) {
            0..=2 => Step::KvSet(self.one(&KEYS), self.value()),
            3 => Step::KvUnset(self.one(&KEYS)),
            4 => Step::KvAdd(self.one(&KEYS)),
            _ => Step::KvCopy(self.one(&KEYS), self.one(&KEYS)),
        }
    }

    fn value(&mut self) -> Value {
        let values = [
            json!(null),
            json!(true),
            json!(0),
            json!(-7),
            json!(1.5),
            json!(""),
            json!("ü€😀\n\"\\"),
            json!([1, "a", null]),
            json!({"b": 1, "a": [{}], "ä": false}),
            json!(9_007_199_254_740_993_i64),
        ];
        self.dice.one(&values).clone()
    }

    fn talk(&mut self) -> Talk {
        match self.dice.below(14) {
            0..=3 => Talk::Set(self.one(&TALKS)),
            4..=5 => Talk::Clear(self.one(&TALKS)),
            6 => Talk::Toggle(self.one(&TALKS), self.dice.below(2) == 0),
            7 => Talk::Copy(self.one(&TALKS), self.one(&FLAGS)),
            8..=9 => Talk::Publish(self.one(&["x", "y"]), self.one(&["1", "2", "ü", ""])),
            10..=11 => Talk::Read(self.one(&["x", "address"])),
            12 => Talk::Keep(self.one(&["x", "y"]), self.value()),
            _ => Talk::Kept(self.one(&["x", "y"])),
        }
    }

    fn bond(&mut self) -> Bond {
        let key = self.one(&["x", "y", "address"]);
        match self.dice.below(20) {
            0 => Bond::IsJoined(self.one(&FLAGS)),
            1..=2 => Bond::Joined,
            3..=4 => Bond::Departed,
            5..=6 => Bond::ClearDeparted,
            7 => Bond::Applications,
            8..=9 => Bond::Received(key),
            10 => Bond::ReceivedRaw(self.one(&["x", "odd"])),
            11 => Bond::ReceivedApp(key),
            12 => Bond::Merged(key),
            13..=15 => Bond::Publish(key, self.value()),
            16 => Bond::PublishRaw(key, self.one(&["1", "ü", ""])),
            17 => Bond::Unpublish(key),
            18 => Bond::PublishApp(key, self.value()),
            _ => Bond::PublishAppRaw(key, self.one(&["1", "ü", ""])),
        }
    }

    fn trigger(&mut self) -> Trigger {
        let edge = *self.dice.one(&[Edge::Set, Edge::Set, Edge::Cleared]);
        let mut trigger = Trigger { on: self.flag(), edge, set: None, clear: None, call: Vec::new() };
        match self.dice.below(8) {
            0..=2 => trigger.set = Some(self.plain_flag()),
            3..=4 => trigger.clear = Some(self.plain_flag()),
            5 => {
                trigger.set = Some(self.plain_flag());
                trigger.clear = Some(self.plain_flag());
            }
            _ => {
                let many = 1 + self.dice.below(2);
                trigger.call = (0..many).map(|_| self.flag_step()).collect();
                trigger.set = if self.chance(20) { Some(self.plain_flag()) } else { None };
            }
        }
        trigger
    }

    /// Triggers on two flags alone: some of these cascades do not end.
    fn tangle(&mut self) {
        for _ in 0..4 {
            let [on, other] = [self.one(&FLAGS[..2]), self.one(&FLAGS[..2])];
            let edge = *self.dice.one(&[Edge::Set, Edge::Cleared]);
            let (set, clear) = if self.chance(50) { (Some(other), None) } else { (None, Some(other)) };
            self.case.triggers.push(Trigger { on, edge, set, clear, call: Vec::new() });
        }
    }

    // ---- the story ----

    fn story(&mut self) {
        self.around();
        self.push(Event::Hook("install".to_owned()));
        let relations = self.relations();
        for relation in &relations {
            self.push(Event::Created(relation.clone()));
        }
        if self.chance(60) {
            self.push(Event::Hook("config-changed".to_owned()));
            self.push(Event::Hook("start".to_owned()));
        }
        let most = if relations.is_empty() { 5 } else { 9 };
        for _ in 0..2 + self.dice.below(most) {
            if self.chance(25) {
                self.around();
            }
            if relations.is_empty() || self.chance(20) {
                self.plain_event();
            } else {
                let relation = self.dice.one(&relations).clone();
                self.relation_event(&relation);
            }
        }
        if self.chance(12) {
            self.push(Event::Leaves);
            for relation in &relations {
                let is_peer = self.case.endpoint(relation).is_some_and(|endpoint| endpoint.role == Role::Peers);
                let application = if is_peer { APPLICATION.to_owned() } else { remote(relation) };
                for number in [2, 10] {
                    self.push(Event::Departed(relation.clone(), format!("{application}/{number}")));
                }
                self.push(Event::Broken(relation.clone()));
            }
            self.push(Event::Hook("stop".to_owned()));
        }
        self.case.story = crate::world::lawful(&self.case);
    }

    fn push(&mut self, event: Event) {
        self.case.story.push(event);
    }

    /// The numbers are those of the model, one for all relations.
    fn relations(&mut self) -> Vec<String> {
        let endpoints = self.case.endpoints.clone();
        let mut relations = Vec::new();
        let mut number = 2;
        for endpoint in endpoints {
            let many = if endpoint.role == Role::Peers { 1 } else { *self.dice.one(&[1, 1, 1, 2]) };
            for _ in 0..many {
                relations.push(format!("{}:{number}", endpoint.name));
                number = if number == 2 { 10 } else { number + 1 };
            }
        }
        relations
    }

    /// Something changes that the next hooks see.
    fn around(&mut self) {
        let event = match self.dice.below(6) {
            0..=1 => Event::Leads(self.dice.below(2) == 0),
            2 => Event::Config(self.one(&OPTIONS), self.one(&["1", "two"])),
            3 => Event::Setting(self.one(&KEYS), self.one(&["1", "2", ""])),
            4 => Event::File(self.one(&FILES), Some(self.one(&["x", "y"]))),
            _ => Event::File(self.one(&FILES), None),
        };
        self.push(event);
    }

    fn plain_event(&mut self) {
        let event = match self.dice.below(6) {
            0 => Event::Action(self.one(&ACTIONS)),
            _ => Event::Hook(self.one(&HOOKS)),
        };
        self.push(event);
    }

    fn relation_event(&mut self, relation: &str) {
        let is_peer = self.case.endpoint(relation).is_some_and(|endpoint| endpoint.role == Role::Peers);
        let application = if is_peer { APPLICATION.to_owned() } else { remote(relation) };
        let unit = format!("{application}/{}", self.dice.one(&[2, 10]));
        let of = relation.to_owned();
        let event = match self.dice.below(10) {
            0..=3 => Event::Joined(of, unit, self.bag()),
            4 if self.chance(50) => Event::ChangedApp(of, self.bag()),
            5 if self.chance(40) => Event::Published(of, unit, self.bag()),
            4..=5 => Event::Changed(of, unit, self.bag()),
            6..=8 => Event::Departed(of, unit),
            _ => Event::Broken(of),
        };
        self.push(event);
    }

    fn bag(&mut self) -> Bag {
        let mut bag = Bag::new();
        for key in ["x", "y", "address"] {
            if self.chance(45) {
                let value = self.one(&["1", "\"2\"", "[1, 2]", "{\"a\": 1}", "plain", "10.0.0.1", "null", "ü"]);
                bag.insert(key.to_owned(), value);
            }
        }
        if self.chance(25) {
            bag.insert("odd".to_owned(), self.one(&ODD));
        }
        bag
    }
}
