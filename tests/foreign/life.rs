//! The life of one unit of a foreign charm, with peers that are data: deployment, peers, configuration, another
//! application, leadership, failures, removal.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use zkpeer_core::testing::{ActionReport, HookRun, Outcome, UnitAgent, Value};

use crate::charm::{Charm, Manner};
use crate::ledger::Ledger;
use crate::view::{self, View};

/// A unit and the ledger beside it.
struct Life {
    agent: UnitAgent,
    ledger: Ledger,
    app: String,
    manner: Manner,
}

/// What went wrong, with what the charm has logged: frameworks say there what they have to say.
pub(crate) fn explain(run: &HookRun) -> String {
    let log: Vec<&str> = run.log.iter().map(|line| line.message.as_str()).collect();
    format!("{}\n{}", run.problem().unwrap_or_default(), log.join("\n"))
}

/// A charm's unit goes through its life under one version of Juju.
pub(crate) fn of(charm: &Charm, juju: &str) {
    let mut life = Life::new(charm, juju);
    life.deployment();
    life.five_units();
    life.configuration();
    life.another_application();
    life.leadership();
    life.failures();
    life.resolution();
    life.leadership_that_is_lost_before_the_commit();
    life.removal();
}

/// What is changed in a record, and how.
type Lie = (&'static str, fn(&mut View));

/// What a charm could have seen that is not so, in a `-changed` of its first peer.
const LIES: [Lie; 15] = [
    ("hook", |view| view.hook = "cluster-relation-joined".to_owned()),
    ("unit", |view| view.unit.push('0')),
    ("relation", |view| view.relation.clear()),
    ("remote unit", |view| view.remote_unit.clear()),
    ("remote application", |view| view.remote_app.clear()),
    ("departing unit", |view| view.departing_unit = view.unit.clone()),
    ("bag of the remote unit", |view| view.remote_bag = None),
    ("leadership", |view| view.leader = !view.leader),
    ("relations", |view| view.relations.clear()),
    ("members", |view| view.relations.values_mut().for_each(|seen| seen.members.clear())),
    ("own bag", |view| view.relations.values_mut().for_each(|seen| seen.own.clear())),
    ("application's bag", |view| view.relations.values_mut().for_each(|seen| seen.app = None)),
    ("configuration", |view| view.config.clear()),
    ("leader settings", |view| view.settings = None),
    ("state", |view| view.done += 1),
];

/// The comparison notices everything that could differ.
pub(crate) fn with_lies(charm: &Charm) {
    let mut life = Life::new(charm, "3.6.25");
    life.deployment();
    life.add_peer(1, "one");
    life.step();
    let (before, told_by) = (life.ledger.clone(), &life.unit(0));
    let run = life.step().unwrap();
    let view = view::read(life.agent.charm_dir()).pop().unwrap();
    for (about, lie) in LIES {
        let (mut ledger, mut told) = (before.clone(), view.clone());
        lie(&mut told);
        let compared = catch_unwind(AssertUnwindSafe(|| ledger.begin(told_by, &run.hook, false, &told)));
        assert!(compared.is_err(), "a lie about {about} is not noticed");
    }
}

impl Life {
    fn new(charm: &Charm, juju: &str) -> Self {
        let app = charm.app();
        Self {
            agent: charm.builder().juju(juju).build().unwrap(),
            ledger: Ledger::new(&app, charm.manner, juju),
            app,
            manner: charm.manner,
        }
    }

    fn unit(&self, number: u32) -> String {
        format!("{}/{number}", self.app)
    }

    fn deployment(&mut self) {
        let runs = self.settle();
        assert_eq!(runs[..2], ["install", "cluster-relation-created"]);
        assert_eq!(runs[runs.len() - 2..], ["config-changed", "start"]);
        assert_eq!(self.agent.status().status, "active");
    }

    fn five_units(&mut self) {
        self.add_peer(1, "one");
        self.settle();
        for (number, word) in [(2, "two"), (10, "ten"), (3, "three")] {
            self.add_peer(number, word);
        }
        let joined: Vec<String> = self.settle().into_iter().step_by(2).collect();
        assert_eq!(joined, [10, 2, 3].map(|number| format!("cluster-relation-joined ({})", self.unit(number))));
        self.change_peer(2, "second");
        assert_eq!(self.settle().len(), 1);
    }

    fn configuration(&mut self) {
        // What another unit has written by now is not seen before its own hook (contract 4.6).
        self.change_peer(1, "first");
        self.set_config("word", "moon");
        self.set_config("port", 80);
        self.set_config("loud", true);
        let runs = self.settle();
        assert_eq!(runs, ["config-changed".to_owned(), format!("cluster-relation-changed ({})", self.unit(1))]);
        assert_eq!(self.agent.relation_data("cluster", &self.unit(0))["word"], "MOON");
    }

    fn another_application(&mut self) {
        let relation = self.agent.relate("website", "proxy").unwrap();
        let id = relation.to_string();
        self.ledger.relate(&id, "proxy");
        for unit in ["proxy/0", "proxy/1"] {
            self.agent.add_remote(&relation, unit, &[("host", unit)]).unwrap();
            self.ledger.join(&id, unit);
            self.ledger.publish(&id, unit, &[("host", unit)]);
        }
        assert_eq!(self.settle().len(), 5, "created, and twice joined and changed");
        self.agent.change_app("website", "proxy", &[("certificate", "c")]).unwrap();
        self.ledger.publish(&id, "proxy", &[("certificate", "c")]);
        assert_eq!(self.settle(), ["website-relation-changed (proxy)"]);
        assert_eq!(self.agent.relation_data("website", &self.unit(0))["port"], "80");
    }

    fn leadership(&mut self) {
        self.agent.set_leader(true);
        assert_eq!(self.settle()[0], "leader-elected");
        self.update_status();
        self.agent.set_leader(false);
        // Losing leadership runs no hook; that the settings have changed since one is told (contract 3.2, row 5).
        let told = if self.ledger.has_settings() { vec!["leader-settings-changed"] } else { Vec::new() };
        assert_eq!(self.settle(), told);
        if self.agent.set_leader_settings(&[("members", "nobody")]).is_ok() {
            self.ledger.publish("settings", &self.app, &[("members", "nobody")]);
            assert_eq!(self.settle(), ["leader-settings-changed"]);
        }
        self.agent.set_leader(true);
        assert_eq!(self.settle()[0], "leader-elected");
    }

    fn failures(&mut self) {
        self.fail("config-changed", 2, |_| {});
        self.fail("cluster-relation-joined", 1, |life| life.add_peer(4, "four"));
        self.fail("cluster-relation-changed", 2, |life| life.change_peer(4, "fourth"));
        self.fail("cluster-relation-departed", 1, |life| life.remove_peer(4));
        self.fail("update-status", 1, |life| life.agent.make_update_status_due());
    }

    /// The operator gives up on a hook: it counts as done, and what it wrote is dropped all the same.
    fn resolution(&mut self) {
        self.tell_to_fail("cluster-relation-joined", 1);
        self.settle();
        self.add_peer(5, "five");
        let run = self.step().unwrap();
        assert!(run.failed(), "{run} did not fail");
        self.agent.resolve().unwrap();
        self.ledger.resolve(&run);
        assert_eq!(self.settle()[0], format!("cluster-relation-changed ({})", self.unit(5)));
        self.remove_peer(5);
        self.settle();
    }

    fn leadership_that_is_lost_before_the_commit(&mut self) {
        // The departure is a change of what the leader publishes.
        self.remove_peer(3);
        self.agent.lose_leadership_before_commit();
        let run = self.step().unwrap();
        match run.outcome {
            // Leader settings are written at once: there is nothing left that could be refused.
            Outcome::Done => assert!(!self.manner.writes_application_bags, "{run} was not refused"),
            Outcome::Refused(_) => {
                self.retry();
            }
            _ => panic!("{:?}", run.problem()),
        }
        self.settle();
        self.agent.set_leader(true);
        self.settle();
    }

    fn removal(&mut self) {
        let website = self.agent.relations().into_iter().find(|id| id.endpoint == "website").unwrap();
        self.agent.unrelate(&website).unwrap();
        self.ledger.end_relation(&website.to_string());
        let expected =
            ["website-relation-departed (proxy/0)", "website-relation-departed (proxy/1)", "website-relation-broken"];
        assert_eq!(self.settle(), expected);
        self.report();
        self.agent.remove();
        self.ledger.leave(&self.unit(0));
        let mut expected =
            [1, 10, 2].map(|number| format!("cluster-relation-departed ({})", self.unit(number))).to_vec();
        expected.extend(["stop".to_owned(), "remove".to_owned()]);
        assert_eq!(self.settle(), expected);
        assert!(self.agent.is_gone());
        let recorded: Vec<String> = view::read(self.agent.charm_dir()).into_iter().map(|view| view.hook).collect();
        assert_eq!(recorded, self.ledger.hooks(&self.unit(0)), "the order in which the hooks ran");
    }

    /// A hook fails as often as it is told; what it wrote is dropped, and in between only actions run.
    fn fail(&mut self, hook: &str, times: usize, cause: impl FnOnce(&mut Self)) {
        self.tell_to_fail(hook, times);
        if hook != "config-changed" {
            self.settle();
        }
        cause(self);
        let mut run = self.step().unwrap();
        let context = run.context_id().to_owned();
        for tries in 1..=times {
            assert_eq!(run.exit, Some(1), "try {tries} of {run}: {:?}", run.problem());
            assert_eq!(self.agent.status().message, format!("hook failed: \"{hook}\""));
            assert!(self.agent.step().unwrap().is_none(), "a failed hook waits");
            self.report();
            run = self.retry();
        }
        assert_eq!((&run.outcome, run.hook.name().as_str()), (&Outcome::Done, hook), "{:?}", run.problem());
        assert_ne!(run.context_id(), context, "the hook is the same, the context is new");
        self.settle();
        assert_eq!(self.agent.ports(), [""; 0], "a port opened by a hook that failed");
    }

    fn tell_to_fail(&mut self, hook: &str, times: usize) {
        fs::write(self.agent.charm_dir().join("failures"), times.to_string()).unwrap();
        self.set_config("fail-in", hook);
    }

    fn add_peer(&mut self, number: u32, word: &str) {
        let unit = self.unit(number);
        let bag = [("name", unit.as_str()), ("word", word)];
        self.agent.add_peer("cluster", &unit, &bag).unwrap();
        self.ledger.join("cluster:0", &unit);
        self.ledger.publish("cluster:0", &unit, &bag);
    }

    fn change_peer(&mut self, number: u32, word: &str) {
        let unit = self.unit(number);
        self.agent.change_peer("cluster", &unit, &[("word", word)]).unwrap();
        self.ledger.publish("cluster:0", &unit, &[("word", word)]);
    }

    fn remove_peer(&mut self, number: u32) {
        self.agent.remove_peer(&self.unit(number)).unwrap();
        self.ledger.leave(&self.unit(number));
    }

    fn set_config<T: Into<Value> + Into<serde_json::Value> + Clone>(&mut self, option: &str, value: T) {
        self.agent.set_config(option, value.clone()).unwrap();
        self.ledger.set_config(option, value);
    }

    fn update_status(&mut self) {
        self.agent.make_update_status_due();
        assert_eq!(self.settle(), ["update-status"]);
    }

    /// Runs the action, which says what the unit has recorded.
    fn report(&mut self) {
        let leader = self.agent.is_leader();
        let report: ActionReport = self.agent.run_action("report", &[]).unwrap();
        assert!(report.completed, "{}: {}", report.message, report.run.stderr);
        self.compare(&report.run, leader);
        let text = report.results["view"].as_str().unwrap();
        assert_eq!(text.lines().collect::<Vec<_>>(), self.ledger.hooks(&self.unit(0)));
    }

    /// Runs hooks until none is due, and returns them.
    fn settle(&mut self) -> Vec<String> {
        let mut runs = Vec::new();
        while let Some(run) = self.step() {
            assert!(!run.failed(), "{}", run.problem().unwrap());
            runs.push(run.to_string());
        }
        self.ledger.quiet();
        runs
    }

    fn step(&mut self) -> Option<HookRun> {
        let leader = self.agent.is_leader();
        let run = self.agent.step().unwrap()?;
        self.compare(&run, leader);
        Some(run)
    }

    fn retry(&mut self) -> HookRun {
        let leader = self.agent.is_leader();
        let run = self.agent.retry().unwrap();
        self.compare(&run, leader);
        run
    }

    /// Each run of the charm's program has made one record, and this is what it has to say.
    fn compare(&mut self, run: &HookRun, leader: bool) {
        let unit = self.unit(0);
        let before = self.ledger.hooks(&unit).len();
        assert!(view::read(self.agent.charm_dir()).len() > before, "{run} recorded nothing: {}", explain(run));
        let view = view::next(self.agent.charm_dir(), before);
        self.ledger.begin(&unit, &run.hook, leader, &view);
        self.ledger.end(run);
    }
}
