//! A charm that does what the file `behaviour` in its directory says, after it has changed flags and a value.

use zkpeer_core::metadata::Role;
use zkpeer_core::store::{Options, Store};
use zkpeer_core::{
    Action, Charm, CharmDir, Config, Endpoint, Flags, Interface, Kv, Leader, Log, Result, Scope, Status, action,
    allow_finding, collect_metrics, hook, when, when_not,
};

struct Friends(Endpoint);

impl Interface for Friends {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "friends";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

#[hook("{peers:friends}-relation-{joined,changed}")]
#[allow_finding(never_read = "{relation_name}.met", reason = "the tests look for it")]
fn meet(friends: Friends) -> Result {
    let Some(friend) = friends.0.conversation(Scope::Unit)? else { return Ok(()) };
    friend.set_flag("{relation_name}.met");
    friend.set_local("address", &friend.get_remote("ingress-address")?)?;
    friend.set_remote("greeting", "hello\n")?;
    Ok(())
}

#[hook("{peers:friends}-relation-departed")]
fn part(friends: Friends) -> Result {
    if let Some(friend) = friends.0.conversation(Scope::Unit)? {
        friend.clear_flag("{relation_name}.met");
    }
    Ok(())
}

#[when_not("probe.installed")]
fn a_install(flags: Flags, kv: Kv) -> Result {
    flags.set("probe.installed");
    flags.set("probe.pending");
    kv.set("probe.value", &1)?;
    Ok(())
}

#[when("probe.pending")]
fn b_misbehave(dir: CharmDir, flags: Flags, kv: Kv, log: Log, leader: Leader) -> Result {
    let behaviour = std::fs::read_to_string(dir.join("behaviour")).unwrap_or_default();
    kv.set("probe.value", &2)?;
    match behaviour.trim() {
        "error" => return Err("told to fail".into()),
        "panic" => panic!("told to panic"),
        "exit" => std::process::exit(0),
        "exit elsewhere" => {
            let thread = std::thread::spawn(|| std::process::exit(0));
            return thread.join().map_err(|_| "the thread has gone".into());
        }
        "thread" => {
            let thread = std::thread::spawn(|| panic!("told to panic elsewhere"));
            return thread.join().map_err(|_| "the thread has gone".into());
        }
        "not settled" => {
            flags.clear("probe.pending");
            flags.set("probe.pending");
            return Ok(());
        }
        "log" => log.info("told to log"),
        "leader" => drop(leader.is_leader()?),
        "write behind" => {
            let mut store = Store::open(dir.join(".unit-state.db"), &Options::default())?;
            store.set("written.behind", &true)?;
            store.commit()?;
        }
        _ => {}
    }
    flags.clear("probe.pending");
    Ok(())
}

#[when_not("probe.pending")]
fn c_finish(flags: Flags, status: Status) -> Result {
    if !flags.is_set("probe.done") {
        status.active("done")?;
    }
    flags.set("probe.done");
    Ok(())
}

#[when("config.changed.word")]
fn d_configure(config: Config, kv: Kv) -> Result {
    kv.set("probe.word", &config.get::<String>("word")?)?;
    Ok(())
}

#[collect_metrics]
fn metrics(dir: CharmDir) -> Result {
    if dir.join("measure").exists() {
        std::fs::write(dir.join("measured"), "")?;
    }
    Ok(())
}

#[action("echo")]
fn echo(action: Action) -> Result {
    let word: Option<String> = action.get("word")?;
    match word.as_deref() {
        Some("fail") => action.fail("told to fail"),
        Some("error") => return Err("told to err".into()),
        word => action.set("word", word.unwrap_or("nothing")),
    }
    Ok(())
}

#[allow_finding(never_read = "probe.triggered", reason = "the tests look for it")]
fn main() -> std::process::ExitCode {
    let charm = Charm::new().triggers(|triggers| {
        assert!(!std::path::Path::new("panic-early").exists(), "told to panic early");
        if std::path::Path::new("exit-early").exists() {
            std::process::exit(0);
        }
        triggers.when("probe.installed").set("probe.triggered");
    });
    charm.main()
}
