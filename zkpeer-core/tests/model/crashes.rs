//! What an exploration of crashes finds: charms with a fault each, which it names; and one without.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use zkpeer_core::testing::{
    Application, Crash, CrashError, Crashes, Doing, Error, Fake, Model, Programs, explore_crashes,
};
use zkpeer_core::{
    Action, Charm, CharmDir, Commands, Context, Flags, HandlerDef, Kv, Leader, Port, Ports, Resource, Result, Root,
    Status, action, handlers, hook, when, when_not,
};

/// What a unit has outside Juju: marks that handlers set.
struct Marks(Fake<Vec<&'static str>>);

impl Marks {
    fn add(&self, mark: &'static str) {
        self.0.change(|marks| marks.push(mark));
    }

    fn set(&self, mark: &'static str) {
        self.0.change(|marks| {
            marks.retain(|other| *other != mark);
            marks.push(mark);
        });
    }
}

/// A charm's files, for all of these tests.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crashes");
        let metadata = "name: zk\nsummary: s\ndescription: d\npeers:\n  friends: {interface: friends}\n";
        let options = "options:\n  port: {type: int, default: 80, description: p}\n";
        fs::create_dir_all(&directory).unwrap();
        for (name, text) in [("metadata.yaml", metadata), ("actions.yaml", "order: {}\n"), ("config.yaml", options)] {
            fs::write(directory.join(name), text).unwrap();
        }
        directory
    })
}

fn model(juju: &str, handlers: &[&'static HandlerDef], units: u64) -> std::result::Result<Model, Error> {
    let mut model = Model::juju(juju)?;
    let application = Application::new(directory()).in_process(Charm::new().handlers(handlers)).units(units);
    model.deploy(application.fake(|fakes| {
        let marks = fakes.state(Vec::new());
        fakes.resource_as(Rc::new(Marks(marks)));
        fakes.programs(Programs::new().answer("useradd *", ""));
    }))?;
    Ok(model)
}

fn crashes(handlers: &[&'static HandlerDef]) -> Crashes {
    explore_crashes(model("3.6.25", handlers, 2).unwrap())
}

fn found(crashes: Crashes) -> Crash {
    match crashes.run() {
        Err(CrashError::Found(crash)) => *crash,
        Err(error) => panic!("{error}"),
        Ok(survived) => panic!("nothing found: {survived}"),
    }
}

#[when_not("installed")]
fn install(marks: Resource<Marks>, commands: Commands, ports: Ports, status: Status, flags: Flags) -> Result {
    marks.set("installed");
    commands.run("useradd", ["zk"])?;
    ports.open(Port::tcp(80));
    status.active("ready")?;
    flags.set("installed");
    Ok(())
}

#[when("config.changed.port")]
fn write(root: Root, dir: CharmDir, config: zkpeer_core::Config) -> Result {
    fs::write(root.join("/etc/port"), format!("{:?}", config.get::<u16>("port")?))?;
    fs::write(dir.join("port"), format!("{:?}", config.get::<u16>("port")?))?;
    Ok(())
}

#[action("order")]
fn order(action: Action, marks: Resource<Marks>, kv: Kv, flags: Flags) -> Result {
    kv.set("ordered", &true)?;
    flags.set("ordered");
    marks.set("ordered");
    action.set("done", "yes");
    Ok(())
}

#[test]
fn a_charm_that_is_safe_to_repeat_survives_everything() -> std::result::Result<(), CrashError> {
    let survived = crashes(handlers![install, write])
        .afterwards(Doing::set_config("zk", "port", 8080.0))
        .afterwards(Doing::add_unit("zk"))
        .afterwards(Doing::remove_unit("zk/0"))
        .seeds([1])
        .run()?;
    assert!(survived.hooks > 30 && survived.instants > 250 && survived.refusals == survived.hooks, "{survived}");
    assert!(survived.lost > 3 && survived.told < survived.instants, "{survived}");
    Ok(())
}

#[when_not("counted")]
fn count(marks: Resource<Marks>, flags: Flags) {
    marks.add("one more");
    flags.set("counted");
}

#[test]
fn an_effect_that_happens_twice_is_named_with_its_handler() {
    let crash = found(crashes(handlers![count]));
    assert_eq!(crash.hook, "install of zk/0");
    assert_eq!(crash.instant, "was killed after it changed `Vec<&str>`");
    assert!(
        crash.handler.as_ref().unwrap().starts_with("`model::crashes::count` (zkpeer-core/tests/model/crashes.rs:")
    );
    let text = crash.to_string();
    let differs = "install of zk/0 was killed after it changed `Vec<&str>`, in handler `model::crashes::count`";
    assert!(text.starts_with(differs), "{text}");
    let differs = "    undisturbed: [\"one more\"]\n    now:         [\"one more\", \"one more\"]\n";
    assert!(text.contains(differs), "{text}");
    assert!(text.contains("\nHandler `model::crashes::count` (zkpeer-core/tests/model/crashes.rs:"), "{text}");
    assert!(
        text.contains(") changed `Vec<&str>` twice: before that, and again in the next try; it should look first"),
        "{text}"
    );
    assert!(text.contains("`fn explored_crashes() -> Result<Crashes, Error>` makes"), "{text}");
    assert!(text.contains("fn install_of_zk_0_hook_1_changed_1() -> Result<(), CrashError> {"), "{text}");
    let again = crashes(handlers![count]).replay(&crash.replay).unwrap_err();
    assert_eq!(again.to_string(), text, "the same again");
}

#[when_not("file")]
fn append(dir: CharmDir, marks: Resource<Marks>, flags: Flags) -> Result {
    let file = dir.join("log");
    fs::write(&file, format!("{}line\n", fs::read_to_string(&file).unwrap_or_default()))?;
    marks.set("appended");
    flags.set("file");
    Ok(())
}

#[test]
fn files_are_compared_too() {
    let crash = found(crashes(handlers![append]));
    assert!(crash.to_string().contains("log: \"line\\nline\\n\""), "{crash}");
    assert!(crash.repeated.is_empty() || crash.repeated[0].contains("append"), "{crash}");
}

/// Outside the store it says that it is done before it is.
#[when_not("never")]
fn mark_first(marks: Resource<Marks>, status: Status) -> Result {
    if !marks.0.read(|marks| marks.contains(&"done")) {
        marks.add("done");
        marks.add("really done");
    }
    status.active("")?;
    Ok(())
}

#[test]
fn what_is_said_to_be_done_before_it_is_done_never_is() {
    let crash = found(crashes(handlers![mark_first]));
    assert_eq!(crash.instant, "was killed after it changed `Vec<&str>`");
    assert!(crash.to_string().contains("undisturbed: [\"done\", \"really done\"]\n"), "{crash}");
}

/// Told to Juju at once, while the flag waits for the end of the hook.
#[hook("start")]
fn lead_at_once(leader: Leader, context: Context, kv: Kv) -> Result {
    if leader.is_leader()? {
        let counted: u64 = leader.get("times")?.and_then(|times| times.parse().ok()).unwrap_or(0);
        leader.set_now("times", &(counted + 1).to_string())?;
        kv.set("times", &(counted + 1))?;
    }
    let _ = context;
    Ok(())
}

#[test]
fn what_is_published_at_once_and_not_safe_to_repeat_is_found() {
    let crash = found(crashes(handlers![lead_at_once]));
    assert!(crash.hook.starts_with("start of zk/0"), "{crash}");
    assert!(crash.to_string().contains("times=2"), "{crash}");
}

#[test]
fn an_action_is_whole_or_not_at_all() -> std::result::Result<(), CrashError> {
    crashes(handlers![install, order_whole]).afterwards(Doing::run_action("zk/0", "order")).run()?;
    let crash = found(crashes(handlers![install, order]).afterwards(Doing::run_action("zk/0", "order")));
    assert!(crash.hook.starts_with("action `order`") || crash.hook.contains("order"), "{crash}");
    let not_run = "\nand other than if the action had not run:\n  fake 1 `Vec<&str>` of zk/0:\n    not run: [\"installed\"]\n    \
                   now:     [\"installed\", \"ordered\"]\n";
    assert!(
        crash.differs.contains("  flags of zk/0:\n    undisturbed: ordered\n    now:         not there"),
        "{crash}"
    );
    assert!(crash.to_string().contains(not_run), "{crash}");
    Ok(())
}

/// Only what belongs to the hook.
#[action("order")]
fn order_whole(kv: Kv, flags: Flags) -> Result {
    kv.set("ordered", &true)?;
    flags.set("ordered");
    Ok(())
}

#[hook("update-status")]
fn fails(flags: Flags) -> Result {
    if flags.is_set("installed") { Err("never mind".into()) } else { Ok(()) }
}

#[test]
fn a_story_that_does_not_go_well_by_itself_is_no_base() {
    let error = crashes(handlers![install, fails]).run().unwrap_err();
    assert!(matches!(error, CrashError::Undisturbed(_)), "{error}");
    assert!(error.to_string().contains("never mind"), "{error}");
}

#[test]
fn a_crash_that_there_is_not_is_refused() {
    for wrong in ["hook 1000, exit", "hook 1, changed 99", "seed 1", "whatever"] {
        assert!(matches!(crashes(handlers![install]).replay(wrong), Err(CrashError::NoCrash(_))), "{wrong}");
    }
}

static CALLS: AtomicU32 = AtomicU32::new(0);

/// Depends on how often it was called in this process.
#[when_not("called")]
fn call(kv: Kv, flags: Flags) -> Result {
    kv.set("call", &CALLS.fetch_add(1, Ordering::Relaxed))?;
    flags.set("called");
    Ok(())
}

#[test]
fn what_chance_does_is_not_blamed_on_a_crash() {
    let error = crashes(handlers![install, call]).run().unwrap_err();
    assert!(matches!(error, CrashError::NotDeterministic { .. }), "{error}");
    let text = error.to_string();
    assert!(
        text.starts_with("zk/0 begins install did something else when it was run again in the same state"),
        "{text}"
    );
    assert!(text.contains("what `model::crashes::call` (zkpeer-core/tests/model/crashes.rs:"), "{text}");
    assert!(text.contains("\n  stored of zk/0:\n    once:  call: ") && text.contains("\n    again: call: "), "{text}");
}

/// Begins anew, whatever there was.
#[when("config.changed.port")]
fn begin_anew(config: zkpeer_core::Config, marks: Resource<Marks>) -> Result {
    let port = config.get::<u16>("port")?;
    marks.0.change(|marks| {
        if port == Some(81) {
            marks.clear()
        }
    });
    Ok(())
}

#[test]
fn what_an_operator_mends_later_is_found_before() {
    let story = || crashes(handlers![count, begin_anew]).afterwards(Doing::set_config("zk", "port", 81.0));
    let crash = found(story());
    assert!(crash.differs.starts_with("Once all was quiet, before `juju config zk port=81"), "{crash}");
    let again = story().replay(&crash.replay).unwrap_err();
    assert_eq!(again.to_string(), crash.to_string());
}

/// Puts up with what one try before it has left, and not with what two have.
#[when_not("clean")]
fn clean_up_twice(marks: Resource<Marks>, flags: Flags) {
    marks.add("draft");
    marks.0.change(|marks| {
        for _ in 0..2 {
            if let Some(at) = marks.iter().position(|mark| *mark == "draft") {
                marks.remove(at);
            }
        }
    });
    flags.set("clean");
}

#[test]
fn a_hook_may_be_killed_in_its_next_try_too() -> std::result::Result<(), CrashError> {
    let once = crashes(handlers![clean_up_twice]).run()?;
    let crash = found(crashes(handlers![clean_up_twice]).kills(2));
    assert!(crash.replay.ends_with(", changed 1, changed 1"), "{crash}");
    let both = "was killed after it changed `Vec<&str>`; in its next try it was killed after it changed `Vec<&str>`";
    assert_eq!(crash.instant, both);
    let again = crashes(handlers![clean_up_twice]).replay(&crash.replay).unwrap_err();
    assert_eq!(again.to_string(), crash.to_string());
    let twice = crashes(handlers![install]).kills(2).run()?;
    assert!(twice.instants > 2 * once.instants && twice.told < twice.instants, "{twice}");
    Ok(())
}

#[test]
fn a_step_of_the_authors_that_panics_is_told() {
    let greeted = Doing::other("somebody looks", |model: &mut Model| {
        assert_eq!(model.status("zk/0").message, "good day", "no greeting");
        Ok(())
    });
    let error = crashes(handlers![install]).afterwards(greeted).run().unwrap_err();
    assert!(matches!(error, CrashError::Undisturbed(_)), "{error}");
    assert!(error.to_string().contains("`somebody looks` did not work: it panicked: "), "{error}");
}

#[test]
fn without_a_story_or_a_kill_nothing_can_be_said() {
    for none in [crashes(handlers![install]).seeds([]), crashes(handlers![install]).kills(0)] {
        let error = none.run().unwrap_err();
        assert!(matches!(error, CrashError::Nothing(_)), "{error}");
        assert!(error.to_string().contains("nothing can be said: give it at least one"), "{error}");
    }
}

#[test]
fn where_no_hook_runs_none_can_be_killed() {
    let error = explore_crashes(Model::new()).run().unwrap_err();
    assert!(
        matches!(error, CrashError::Nothing(_)) && error.to_string().contains("no hook runs in this model"),
        "{error}"
    );
}

/// Holds what a second try cannot get.
#[when_not("locked")]
fn lock(marks: Resource<Marks>, flags: Flags) -> Result {
    if marks.0.read(|marks| marks.contains(&"lock")) {
        return Err("it is locked".into());
    }
    marks.add("lock");
    marks.0.change(Vec::clear);
    flags.set("locked");
    Ok(())
}

#[test]
fn a_hook_that_fails_after_a_crash_is_told_with_its_reason() {
    let crash = found(crashes(handlers![lock]));
    assert_eq!(crash.instant, "was killed after it changed `Vec<&str>`");
    assert!(crash.differs.starts_with("Then hook install failed on zk/0: it exited with code 1\n"), "{crash}");
    assert!(crash.differs.contains("it is locked"), "{crash}");
}

#[test]
fn a_step_of_the_authors_that_an_action_should_have_prepared_is_told_after_its_crash() {
    let ordered = Doing::other("somebody looks", |model: &mut Model| {
        assert!(model.flags("zk/0").contains(&"ordered".to_owned()), "nothing was ordered");
        Ok(())
    });
    let story = crashes(handlers![install, order_whole]).afterwards(Doing::run_action("zk/0", "order"));
    let crash = found(story.afterwards(ordered));
    assert_eq!(crash.hook, "action order (1) of zk/0");
    let told =
        "Then `somebody looks` did not work: it panicked: nothing was ordered (at zkpeer-core/tests/model/crashes.rs:";
    assert!(crash.differs.starts_with(told), "{crash}");
}
