//! What an exploration of crashes finds: charms with a fault each, which it names; and one without.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::OnceLock;

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
    assert!(text.contains("now: [ \"one more\", \"one more\", ]"), "{text}");
    assert!(text.contains("handler `model::crashes::count` (zkpeer-core/tests/model/crashes.rs:"), "{text}");
    assert!(
        text.contains(") changed `Vec<&str>` twice: before that, and again in the next try; it has to look"),
        "{text}"
    );
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
    assert!(crash.to_string().contains("undisturbed: \"really done\","), "{crash}");
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
    assert!(crash.to_string().contains("ordered"), "{crash}");
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
    for wrong in ["hook 1000, exit", "seed 1", "whatever"] {
        assert!(matches!(crashes(handlers![install]).replay(wrong), Err(CrashError::NoCrash(_))), "{wrong}");
    }
}
