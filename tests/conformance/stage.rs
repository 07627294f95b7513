//! The stage of the suite: a simulated Juju whose units do what a script says, on every driver.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::ops::{Deref, DerefMut};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tempfile::TempDir;
use tests::actor::{NOTES, Note, SCRIPT};
use tests::script::{Rule, ScriptedCommand, words};
use zkpeer_core::testing::{Application, CommandOutput, Error, Event, Hook, HookContext, HookRun, Model, Step};

/// A charm with a peer relation and an endpoint that others may use.
pub(crate) const METADATA: &str = "\
name: zk
summary: s
description: d
peers:
  zkpeer: {interface: zookeeper-quorum}
provides:
  client: {interface: zookeeper}
";

/// A charm that uses the other one.
pub(crate) const CLIENT: &str = "\
name: kafka
summary: s
description: d
requires:
  zookeeper: {interface: zookeeper}
";

/// Juju 4 takes no charm without one.
const MANIFEST: &str = "bases:\n- {name: ubuntu, channel: 22.04/stable, architectures: [amd64]}\n";

/// Longer than any hook of a test takes.
const LIMIT: Duration = Duration::from_secs(20);

/// More steps than any story of a test has.
const MAX_STEPS: usize = 2_000;

/// What runs for the hooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    /// A function in this process.
    InProcess,
    /// The charm `actor`, as processes.
    Processes,
}

/// How often, by unit and hook.
type Runs = BTreeMap<(String, String), usize>;

/// Where a test plays: one driver, and one version of Juju.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) driver: Driver,
    /// The version given by [`on_every_version`]; otherwise 3.6.25.
    pub(crate) version: &'a str,
}

pub(crate) const VERSIONS: [&str; 4] = ["2.9.52", "3.1.7", "3.6.25", "4.0.14"];

/// Plays the test with each driver, on Juju 3.6.25 unless it chooses another.
pub(crate) fn on_every_driver(test: impl Fn(&Stage<'_>)) {
    on_every_version(&["3.6.25"], test);
}

/// Plays the test with each driver on each of these versions.
pub(crate) fn on_every_version(versions: &[&str], test: impl Fn(&Stage<'_>)) {
    for version in versions {
        for driver in [Driver::InProcess, Driver::Processes] {
            test(&Stage { driver, version });
        }
    }
}

/// Plays the test with processes only: for what a function in this process does not have.
pub(crate) fn on_processes(test: impl Fn(&Stage<'_>)) {
    test(&Stage { driver: Driver::Processes, version: "3.6.25" });
}

impl Stage<'_> {
    /// An empty model of the stage's version.
    pub(crate) fn model(&self) -> Play {
        self.juju(self.version)
    }

    /// An empty model of this version.
    pub(crate) fn juju(&self, version: &str) -> Play {
        let mut model = Model::juju(version).unwrap();
        model.set_limit(LIMIT);
        Play {
            model,
            driver: self.driver,
            version: version.to_owned(),
            script: Rc::default(),
            runs: Rc::default(),
            charms: Vec::new(),
            story: Vec::new(),
        }
    }
}

/// The files of a charm; `metadata.yaml` alone will do.
#[derive(Clone, Debug)]
pub(crate) struct CharmFiles {
    files: Vec<(String, String, u32)>,
    links: Vec<(String, PathBuf)>,
    dispatch: bool,
}

/// A charm with this `metadata.yaml`.
pub(crate) fn charm(metadata: &str) -> CharmFiles {
    let empty = CharmFiles { files: Vec::new(), links: Vec::new(), dispatch: true };
    empty.file("metadata.yaml", metadata).file("manifest.yaml", MANIFEST)
}

impl From<&str> for CharmFiles {
    fn from(metadata: &str) -> Self {
        charm(metadata)
    }
}

impl CharmFiles {
    /// With this `config.yaml`.
    pub(crate) fn config(self, yaml: &str) -> Self {
        self.file("config.yaml", yaml)
    }

    /// With this `actions.yaml`.
    pub(crate) fn actions(self, yaml: &str) -> Self {
        self.file("actions.yaml", yaml)
    }

    /// With this file; it is not executable.
    pub(crate) fn file(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned(), 0o644));
        self
    }

    /// With this file, which is executable.
    pub(crate) fn executable(mut self, path: &str, text: &str) -> Self {
        self.files.push((path.to_owned(), text.to_owned(), 0o755));
        self
    }

    /// With a symbolic link.
    pub(crate) fn link(mut self, path: &str, target: impl Into<PathBuf>) -> Self {
        self.links.push((path.to_owned(), target.into()));
        self
    }

    /// With a link to the charm `actor`, and no `dispatch` but what was put there: the old layout.
    pub(crate) fn actor_at(self, path: &str) -> Self {
        self.link(path, actor()).without_dispatch()
    }

    /// Without a `dispatch` but what was put there.
    pub(crate) fn without_dispatch(mut self) -> Self {
        self.dispatch = false;
        self
    }

    fn write(&self) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        let place = |path: &str| {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        };
        for (path, text, mode) in &self.files {
            fs::write(place(path), text).unwrap();
            fs::set_permissions(place(path), fs::Permissions::from_mode(*mode)).unwrap();
        }
        for (path, target) in &self.links {
            symlink(target, place(path)).unwrap();
        }
        directory
    }
}

/// The program of the charm `actor`.
fn actor() -> PathBuf {
    tests::program("actor", env!("CARGO_BIN_EXE_actor"))
}

/// A model whose units do what a script says. If the test fails, the whole story is printed.
#[derive(Debug)]
pub(crate) struct Play {
    model: Model,
    pub(crate) driver: Driver,
    version: String,
    script: Rc<RefCell<Vec<Rule>>>,
    /// How often each hook has run on each unit, in this process.
    runs: Rc<RefCell<Runs>>,
    charms: Vec<TempDir>,
    story: Vec<HookRun>,
}

/// All that operators do is done to the model itself.
impl Deref for Play {
    type Target = Model;

    fn deref(&self) -> &Model {
        &self.model
    }
}

impl DerefMut for Play {
    fn deref_mut(&mut self) -> &mut Model {
        &mut self.model
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Juju {}, {:?}; the story so far:\n{}", self.version, self.driver, self.told());
        }
    }
}

impl Play {
    /// With an application of this charm, of so many units; its name is the charm's.
    pub(crate) fn deploy(mut self, charm: impl Into<CharmFiles>, units: u64) -> Self {
        self.add_application(charm, |application| application.units(units));
        self
    }

    /// Deploys an application, with what is peculiar to it.
    pub(crate) fn add_application(
        &mut self,
        charm: impl Into<CharmFiles>,
        with: impl FnOnce(Application) -> Application,
    ) {
        let application = with(self.application(&charm.into()));
        self.model.deploy(application).unwrap();
    }

    /// The charm as something to deploy or refresh to.
    pub(crate) fn application(&mut self, charm: &CharmFiles) -> Application {
        let directory = charm.write();
        let application = Application::new(directory.path());
        self.charms.push(directory);
        match self.driver {
            Driver::Processes if charm.dispatch => application.program(actor()),
            Driver::Processes => application,
            Driver::InProcess => {
                let (script, runs) = (Rc::clone(&self.script), Rc::clone(&self.runs));
                application.function(move |hook| follow(&script.borrow(), hook, &mut runs.borrow_mut()))
            }
        }
    }

    /// `juju refresh` to another charm.
    pub(crate) fn refresh(&mut self, name: &str, charm: impl Into<CharmFiles>) {
        let application = self.application(&charm.into());
        self.model.refresh(name, application).unwrap();
    }

    /// `juju refresh --force-units`.
    pub(crate) fn refresh_by_force(&mut self, name: &str, charm: impl Into<CharmFiles>) {
        let application = self.application(&charm.into());
        self.model.refresh_by_force(name, application).unwrap();
    }

    /// All units run these hook commands in this hook or action. `$JUJU_...` stands for a variable, `$1` for what the first
    /// command of the hook has printed. A hook may be scripted several times: all of it is done, in that order.
    pub(crate) fn script(&mut self, hook: &str, commands: &[&str]) -> Written<'_> {
        self.write(None, hook, commands)
    }

    /// The same for one unit.
    pub(crate) fn on(&mut self, unit: &str, hook: &str, commands: &[&str]) -> Written<'_> {
        self.write(Some(unit), hook, commands)
    }

    fn write(&mut self, unit: Option<&str>, hook: &str, commands: &[&str]) -> Written<'_> {
        let rule = Rule { unit: unit.map(str::to_owned), hook: hook.to_owned(), ..Rule::default() };
        self.script.borrow_mut().push(rule);
        commands.iter().fold(Written(self), |written, line| written.command(words(line), true))
    }

    /// Nothing is done any more in this hook or action.
    pub(crate) fn unscript(&mut self, hook: &str) {
        self.script.borrow_mut().retain(|rule| rule.hook != hook);
    }

    /// Puts the script where the charm `actor` reads it.
    fn hand_out_script(&self) {
        let Some(unit) = self.model.units().into_iter().next() else { return };
        if let (Driver::Processes, Some(charm)) = (self.driver, self.model.charm_dir(unit.as_str())) {
            fs::write(charm.join(SCRIPT), serde_json::to_string(&*self.script.borrow()).unwrap()).unwrap();
        }
    }

    /// Lets all that is due happen; no hook fails.
    pub(crate) fn settle(&mut self) -> Vec<HookRun> {
        self.settle_retrying(0)
    }

    /// The same, with so many retries of each hook that fails.
    pub(crate) fn settle_retrying(&mut self, retries: u32) -> Vec<HookRun> {
        let (runs, result) = self.try_to_settle(retries);
        result.unwrap();
        runs
    }

    /// The same until a hook fails, which is returned.
    pub(crate) fn settle_until_failure(&mut self) -> HookRun {
        match self.try_to_settle(0).1 {
            Err(Error::HookFailed(failed)) => *failed,
            Err(error) => panic!("{error}"),
            Ok(()) => panic!("no hook has failed"),
        }
    }

    fn try_to_settle(&mut self, retries: u32) -> (Vec<HookRun>, Result<(), Error>) {
        self.hand_out_script();
        let mut runs = Vec::new();
        let result = self.model.settle_with(retries, &mut |run| runs.push(run.clone()));
        self.story.extend(runs.iter().cloned());
        (runs, result)
    }

    /// Lets time pass, with all that is due then; hooks may fail.
    pub(crate) fn pass(&mut self, time: Duration) -> Vec<HookRun> {
        self.hand_out_script();
        let runs = self.model.pass(time).unwrap();
        self.story.extend(runs.iter().cloned());
        runs
    }

    /// Lets one thing happen; none if all is quiet.
    pub(crate) fn step(&mut self) -> Option<Event> {
        self.hand_out_script();
        let event = self.model.step().unwrap();
        self.remember(event.as_ref());
        event
    }

    /// Lets one of the possible steps happen.
    pub(crate) fn take(&mut self, step: &Step) -> Event {
        self.hand_out_script();
        let event = self.model.take(step).unwrap();
        self.remember(Some(&event));
        event
    }

    fn remember(&mut self, event: Option<&Event>) {
        if let Some(Event::Ended(run)) = event {
            self.story.push((**run).clone());
        }
    }

    /// The model itself, for what it refuses.
    pub(crate) fn model_mut(&mut self) -> &mut Model {
        self.hand_out_script();
        &mut self.model
    }

    /// Runs the hook now, whether or not it is due.
    pub(crate) fn run_hook(&mut self, unit: &str, hook: &str) -> HookRun {
        self.hand_out_script();
        let run = self.model.run_hook(unit, hook).unwrap();
        self.story.push(run.clone());
        run
    }

    /// Takes single steps until this holds.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Play) -> bool) {
        for _ in 0..MAX_STEPS {
            if holds(self) {
                return;
            }
            assert!(self.step().is_some(), "all is quiet, and never: {what}");
        }
        panic!("{MAX_STEPS} steps, and never: {what}");
    }

    /// Takes single steps until the program of this hook has run on the unit, and its changes wait.
    pub(crate) fn until_begun(&mut self, unit: &str, hook: &str) {
        self.until(&format!("{unit} begins {hook}"), |play| play.running(unit).is_some_and(|own| is(own, hook)));
    }

    /// Takes single steps until this hook has ended on the unit for the n-th time; the first is 1.
    pub(crate) fn until_done(&mut self, unit: &str, hook: &str, nth: usize) {
        self.until(&format!("{unit} has run {hook}"), |play| play.runs(unit, hook).len() >= nth);
    }

    /// The unit begins its next hook, the first if several may be: the program runs, and its changes wait.
    pub(crate) fn begin(&mut self, unit: &str) -> Hook {
        let steps = self.model.steps();
        let step = steps.iter().find(|step| matches!(step, Step::Begin(..)) && step.unit().as_str() == unit);
        match self.take(step.unwrap_or_else(|| panic!("{unit} has no hook to begin"))) {
            Event::Began(_, hook) => hook,
            event => panic!("{event:?}"),
        }
    }

    /// The unit's hook ends.
    pub(crate) fn end(&mut self, unit: &str) -> HookRun {
        match self.take(&Step::End(unit.parse().unwrap())) {
            Event::Ended(run) => *run,
            event => panic!("{event:?}"),
        }
    }

    /// `juju exec`: what these hook commands, separated by semicolons, come to on the unit now, before anything else happens.
    pub(crate) fn ask(&mut self, unit: &str, commands: &str) -> Vec<CommandOutput> {
        self.exec(unit, commands, None).unwrap();
        let begun = self.begin(unit);
        assert!(matches!(begun, Hook::Exec { .. }), "{unit} has begun {begun} in the place of a command");
        answers_of(&self.end(unit))
    }

    /// The hooks that the unit runs now that it need not wait any longer; others go on, too.
    pub(crate) fn catch_up(&mut self, unit: &str) -> Vec<String> {
        self.release(unit).unwrap();
        hooks_of(&self.settle(), unit)
    }

    /// All hooks that have ended, in that order.
    pub(crate) fn story(&self) -> &[HookRun] {
        &self.story
    }

    /// The hooks that the unit has run: `zkpeer-relation-joined (zk/1)`.
    pub(crate) fn hooks(&self, unit: &str) -> Vec<String> {
        hooks_of(&self.story, unit)
    }

    /// The unit's runs of this hook.
    pub(crate) fn runs(&self, unit: &str, hook: &str) -> Vec<&HookRun> {
        self.story.iter().filter(|run| run.unit.as_str() == unit && is(&run.hook, hook)).collect()
    }

    /// What the hook commands came to in all runs of this hook on the unit.
    pub(crate) fn answers(&self, unit: &str, hook: &str) -> Vec<CommandOutput> {
        self.runs(unit, hook).into_iter().flat_map(answers_of).collect()
    }

    /// What the n-th of them came to; the first is 0.
    pub(crate) fn answer(&self, unit: &str, hook: &str, nth: usize) -> CommandOutput {
        let answers = self.answers(unit, hook);
        assert!(
            nth < answers.len(),
            "{hook} on {unit} has run {} hook commands, not {nth} and one more",
            answers.len()
        );
        answers[nth].clone()
    }

    /// A variable of the unit's last run of this hook; none if it was not set.
    pub(crate) fn variable(&self, unit: &str, hook: &str, name: &str) -> Option<&str> {
        let runs = self.runs(unit, hook);
        let run = runs.last().unwrap_or_else(|| panic!("{unit} has not run {hook}"));
        run.environment.get(name).map(String::as_str)
    }

    /// What the charm `actor` has written down on the unit.
    pub(crate) fn notes(&self, unit: &str) -> Vec<Note> {
        let notes = self.model.charm_dir(unit).unwrap().join(NOTES);
        let text = fs::read_to_string(notes).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn told(&self) -> String {
        let mut told = String::new();
        for run in &self.story {
            let _ = writeln!(told, "{} {run}: {:?}", run.unit, run.outcome);
            for line in run.stdout.lines().chain(run.stderr.lines()) {
                let _ = writeln!(told, "    {line}");
            }
            for command in &run.commands {
                let answer = if command.code == 0 { &command.stdout } else { &command.stderr };
                let _ = writeln!(told, "    {} {:?} -> {} {answer:?}", command.name, command.args, command.code);
            }
        }
        for unit in self.model.units() {
            if let Some(hook) = self.model.running(unit.as_str()) {
                let _ = writeln!(told, "{unit} {hook}: runs");
            }
        }
        told
    }
}

/// A rule of the script that has just been written, to be made more precise.
#[derive(Debug)]
pub(crate) struct Written<'a>(&'a mut Play);

impl Written<'_> {
    fn change(self, change: impl FnOnce(&mut Rule)) -> Self {
        if let Some(rule) = self.0.script.borrow_mut().last_mut() {
            change(rule);
        }
        self
    }

    fn command(self, words: Vec<String>, expands: bool) -> Self {
        self.change(|rule| rule.commands.push(ScriptedCommand { words, expands, stdin: None }))
    }

    /// One more hook command, of exactly these words.
    pub(crate) fn run(self, words: &[&str]) -> Self {
        self.command(words.iter().map(|word| (*word).to_owned()).collect(), false)
    }

    /// What the last command can read on its standard input.
    pub(crate) fn stdin(self, text: &str) -> Self {
        self.change(|rule| rule.commands.last_mut().unwrap().stdin = Some(text.to_owned()))
    }

    /// Only in the n-th run of the hook on a unit; the first is 1.
    pub(crate) fn nth(self, nth: usize) -> Self {
        self.change(|rule| rule.nth = Some(nth))
    }

    /// The program ends with this exit code.
    pub(crate) fn exits(self, code: i32) -> Self {
        self.change(|rule| rule.code = code)
    }

    /// The program prints this on standard output.
    pub(crate) fn prints(self, text: &str) -> Self {
        self.change(|rule| text.clone_into(&mut rule.stdout))
    }

    /// The program prints this on standard error.
    pub(crate) fn complains(self, text: &str) -> Self {
        self.change(|rule| text.clone_into(&mut rule.stderr))
    }
}

/// Follows the script in this process.
fn follow(script: &[Rule], hook: &mut HookContext<'_>, runs: &mut Runs) -> i32 {
    if let Hook::Exec { command, .. } = hook.hook().clone() {
        return follow_shell(&command, hook);
    }
    let (unit, shown) = (hook.variable("JUJU_UNIT_NAME").unwrap_or_default().to_owned(), shown(hook.hook()));
    let nth = runs.entry((unit.clone(), shown.clone())).or_default();
    *nth += 1;
    let (mut printed, mut code) = (Vec::new(), 0);
    for rule in script.iter().filter(|rule| rule.is_for(&unit, &shown, *nth)) {
        for command in &rule.commands {
            let words = command.expanded(hook.environment(), &printed);
            printed.push(run_words(hook, &words, command.stdin.as_deref()).stdout);
        }
        for line in rule.stdout.lines() {
            hook.print(line);
        }
        for line in rule.stderr.lines() {
            hook.complain(line);
        }
        code = if rule.code == 0 { code } else { rule.code };
    }
    code
}

/// Does what a shell does with hook commands and `exit`, separated by semicolons.
fn follow_shell(line: &str, hook: &mut HookContext<'_>) -> i32 {
    let mut code = 0;
    for command in line.split(';') {
        let words = words(command);
        if words[0] == "exit" {
            return words[1].parse().unwrap();
        }
        let output = run_words(hook, &words, None);
        output.stdout.lines().for_each(|line| hook.print(line));
        output.stderr.lines().for_each(|line| hook.complain(line));
        code = output.code;
    }
    code
}

fn run_words(hook: &HookContext<'_>, words: &[String], stdin: Option<&str>) -> CommandOutput {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (name, arguments) = words.split_first().unwrap();
    match stdin {
        Some(text) => hook.run_with(name, arguments, text.as_bytes()),
        None => hook.run(name, arguments),
    }
}

/// The hook as a script names it: as Juju does, with the remote unit or application of a relation hook.
fn shown(hook: &Hook) -> String {
    if hook.is_action() { hook.name() } else { hook.to_string() }
}

fn is(hook: &Hook, name: &str) -> bool {
    hook.name() == name || hook.to_string() == name
}

/// Of these hooks those that the unit has run.
pub(crate) fn hooks_of(runs: &[HookRun], unit: &str) -> Vec<String> {
    runs.iter().filter(|run| run.unit.as_str() == unit).map(ToString::to_string).collect()
}

/// What the hook commands of one run came to.
pub(crate) fn answers_of(run: &HookRun) -> Vec<CommandOutput> {
    let outputs = run.commands.iter().map(|command| CommandOutput {
        code: command.code,
        stdout: command.stdout.clone(),
        stderr: command.stderr.clone(),
    });
    outputs.collect()
}

/// A hook command that did its work and printed this.
pub(crate) fn ok(stdout: &str) -> CommandOutput {
    CommandOutput { code: 0, stdout: stdout.to_owned(), stderr: String::new() }
}

/// A hook command that failed with this code and message.
pub(crate) fn error(code: i32, text: &str) -> CommandOutput {
    CommandOutput { code, stdout: String::new(), stderr: format!("ERROR {text}\n") }
}

/// What tells two runs of a hook apart is not compared: the context, the time it took, where it ran.
fn comparable(run: &HookRun) -> String {
    let commands = run.commands.iter().map(|command| (&command.name, &command.args, command.code, &command.stdout));
    format!("{} {run} {:?} {:?}", run.unit, run.outcome, commands.collect::<Vec<_>>())
}

#[test]
fn both_drivers_tell_the_same_story() {
    let stories = [Driver::InProcess, Driver::Processes].map(|driver| {
        let mut model = Stage { driver, version: "3.6.25" }.model().deploy(METADATA, 2);
        model.script("install", &["relation-ids zkpeer --format=json", "juju-log -l INFO 'I am $JUJU_UNIT_NAME'"]);
        model.script("zkpeer-relation-created", &["relation-set name=$JUJU_UNIT_NAME"]);
        model.script("zkpeer-relation-changed", &["relation-get --format=json name", "relation-set got=$1"]);
        let words = ["relation-set", "-r", "zkpeer:0", "cost= $1 "];
        model.script("start", &["relation-set -r zkpeer:0 --file -"]).stdin("a: b c\n").run(&words).nth(1);
        model.on("zk/1", "config-changed", &["status-set active"]).exits(3).nth(1);
        model.settle_retrying(1);
        assert_eq!(model.answer("zk/0", "install", 0), ok("[]\n"));
        assert_eq!(model.hooks("zk/0")[..2], ["install", "zkpeer-relation-created"]);
        assert_eq!(model.unit_data(0, "zk/1")["got"], "\"zk/0\"");
        assert_eq!(model.unit_data(0, "zk/1")["a"], "b c");
        assert_eq!(model.unit_data(0, "zk/1")["cost"], "$1");
        model.story().iter().map(comparable).collect::<Vec<_>>()
    });
    assert_eq!(stories[0], stories[1]);
}

#[test]
fn a_charm_sees_what_the_model_says_that_it_saw() {
    on_processes(|stage| {
        let mut model = stage.model().deploy(METADATA, 1);
        model.script("install", &["is-leader", "config-get nothing --format=json", "relation-get"]).prints("out\n");
        model.script("zkpeer-relation-created", &["relation-set a=1", "relation-get - $JUJU_UNIT_NAME"]);
        model.settle();
        let mut notes = model.notes("zk/0").into_iter().peekable();
        for run in model.story() {
            let Some(Note::Start(start)) = notes.next() else { panic!("{run} was not noted") };
            assert_eq!((start.shown, start.environment), (run.to_string(), run.environment.clone()));
            for command in &run.commands {
                let Some(Note::Command(seen)) = notes.next() else { panic!("{command:?} was not noted") };
                let words: Vec<String> = std::iter::once(&command.name).chain(&command.args).cloned().collect();
                assert_eq!((seen.words, seen.code), (words, command.code));
                assert_eq!((seen.stdout, seen.stderr), (command.stdout.clone(), command.stderr.clone()));
            }
        }
        assert!(notes.next().is_none());
    });
}
