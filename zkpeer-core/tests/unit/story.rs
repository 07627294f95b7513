//! What a failed assertion prints: the whole story, as it stands in `told/`. `TOLD=overwrite` writes it anew.
//!
//! Lines of this file are left out of the texts, so that it can grow.

use std::fs;
use std::path::Path;

use zkpeer_core::testing::{Unit, event};
use zkpeer_core::{
    Charm, Config, EndHook, Endpoint, Flags, Interface, Result, Status, handlers, hook, metadata::Role, only_once,
    when, when_any, when_file_changed, when_not, when_not_all,
};

use crate::{METADATA, said};

struct Staff(Endpoint);

impl Interface for Staff {
    const ROLE: Role = Role::Peers;
    const NAME: &'static str = "staff";

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

#[when_not("installed")]
fn install(flags: Flags, status: Status) -> Result {
    status.maintenance("getting ready")?;
    flags.set("installed");
    Ok(())
}

#[when("installed", "config.changed.greeting")]
fn greet(config: Config, status: Status) -> Result {
    status.active(&config.get::<String>("greeting")?.unwrap_or_default())?;
    Ok(())
}

#[when("installed", "endpoint.staff.joined")]
fn count(staff: Staff, status: Status) -> Result {
    let units = staff.0.all_joined_units()?.len();
    for relation in staff.0.relations()? {
        relation.publish_raw("knows", &units.to_string())?;
    }
    status.active(&format!("{units} of us"))?;
    Ok(())
}

#[hook("start", "stop")]
fn starts() {}

#[only_once]
fn once() {}

#[when_file_changed("settings")]
fn reads() {}

#[when_any("a", "b")]
fn either() {}

#[when_not_all("installed", "counted")]
fn not_both() {}

#[when("left")]
fn left() {}

#[when("installed")]
fn ends(flags: Flags) -> Result {
    flags.set("left");
    Err(EndHook.into())
}

#[when("installed")]
fn fails(flags: Flags) -> Result {
    flags.set("lost");
    Err("the disk is full".into())
}

/// Compares a message with the text of that name.
fn compare(name: &str, message: &str) -> Result {
    let lines = message.lines().map(|line| match line.split_once(concat!(file!(), ":")) {
        Some((before, rest)) => {
            format!("{before}story.rs{}\n", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => format!("{line}\n"),
    });
    let message: String = lines.collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/unit/told").join(name);
    if std::env::var_os("TOLD").is_some() {
        fs::write(&path, &message)?;
    }
    assert_eq!(message, fs::read_to_string(&path)?, "TOLD=overwrite writes {name} anew");
    Ok(())
}

#[test]
fn a_handler_that_did_not_run() -> Result {
    let mut unit = Unit::new(handlers![install, greet, starts, once, reads, either, not_both]).metadata(METADATA);
    unit.set_config("greeting", "good day");
    let again = unit.after("config-changed");
    compare("did_not_run.txt", &said(|| again.on("update-status").assert_ran(["greet", "strats"]).report().clone()))
}

#[test]
fn a_status_that_is_another_one() -> Result {
    let charm = Charm::new().handlers(handlers![install, greet, count]).triggers(|triggers| {
        triggers.when("installed").set("ready").clear("broken");
    });
    let mut unit = Unit::of(charm).metadata(METADATA);
    unit.set_leader(true);
    unit.set_flag("broken");
    unit.set_leader_setting("password", "secret");
    unit.set_member("staff:0", "shop/2", &[("knows", "1")]);
    unit.set_member("db:7", "sql/0", &[]);
    let run = unit.on(event::joined("staff:0", "shop/1"));
    compare("status.txt", &said(|| run.assert_status("active", "3 of us").report().clone()))
}

#[test]
fn a_hook_that_failed() -> Result {
    let unit = Unit::new(handlers![install, fails, greet]).metadata(METADATA);
    compare("failed.txt", &said(|| unit.on("install").assert_flag("installed").report().clone()))
}

#[test]
fn a_hook_that_was_ended_early() -> Result {
    let unit = Unit::new(handlers![install, ends, left]).metadata(METADATA);
    compare("ended.txt", &said(|| unit.on("install").assert_ran(["install", "left"]).report().clone()))
}
