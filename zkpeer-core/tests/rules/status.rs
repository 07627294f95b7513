//! What operators see: the worst of what handlers say.

use zkpeer_core::juju::StatusName;
use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Charm, CharmDir, Context, Flags, HookOutcome, Log, Result, Status, collect_metrics, handlers, when, when_not,
};

/// The statuses that the last hook has sent, in order.
fn sent(unit: &Unit) -> Vec<String> {
    let commands = unit.commands().into_iter();
    commands.filter_map(|command| command.strip_prefix("status-set ").map(str::to_owned)).collect()
}

#[when("db.missing")]
fn waits_for_a_database(status: Status) -> Result {
    Ok(status.waiting("for a database")?)
}

#[when("option.missing")]
fn needs_an_option(status: Status) -> Result {
    Ok(status.blocked("set the option `port`")?)
}

#[when("option.missing")]
fn needs_another_option(status: Status) -> Result {
    Ok(status.blocked("set the option `host`")?)
}

#[when_not("never")]
fn serves(status: Status) -> Result {
    Ok(status.active("ready")?)
}

#[test]
fn blocked_goes_over_waiting_and_that_over_active() {
    let mut unit = Unit::new(handlers![waits_for_a_database, needs_an_option, needs_another_option, serves]);
    unit.run("install");
    assert_eq!(sent(&unit), ["active ready"]);
    unit.store("reactive.states.db.missing", &());
    unit.run("update-status");
    assert_eq!(sent(&unit), ["waiting for a database"]);
    unit.store("reactive.states.option.missing", &());
    unit.run("update-status");
    assert_eq!(sent(&unit), ["blocked set the option `port`"], "of several, the one that was said first");
}

#[when_not("never")]
fn works(status: Status, log: Log) -> Result {
    status.waiting("for nothing any longer")?;
    log.info("before");
    status.maintenance("unpacking")?;
    log.info("after");
    Ok(())
}

#[test]
fn maintenance_is_shown_at_once_and_the_rest_once_at_the_end() {
    let mut unit = Unit::new(handlers![works]);
    unit.run("install");
    let commands = ["juju-log INFO before", "status-set maintenance unpacking", "juju-log INFO after"];
    assert_eq!(unit.commands(), commands, "the handler has said something else since");
    let mut unit = Unit::new(handlers![works, serves]);
    unit.run("install");
    assert_eq!(sent(&unit), ["maintenance unpacking", "active ready"]);
    assert_eq!(unit.commands().last().unwrap(), "status-set active ready");
}

#[when_not("done")]
fn begins(status: Status, flags: Flags) -> Result {
    flags.set("done");
    Ok(status.blocked("it has not begun")?)
}

#[when("done")]
fn goes_on(status: Status, flags: Flags) -> Result {
    if !flags.is_set("again") {
        flags.set("again");
        flags.clear("done");
        flags.set("done");
        return Ok(status.blocked("the first time")?);
    }
    Ok(status.waiting("the second time")?)
}

#[test]
fn a_handler_that_runs_again_replaces_its_own_word_and_no_others() {
    let mut unit = Unit::new(handlers![goes_on]);
    unit.store("reactive.states.done", &());
    assert_eq!(unit.run("install").handlers(), ["goes_on", "goes_on"]);
    assert_eq!(sent(&unit), ["waiting the second time"]);
    let mut unit = Unit::new(handlers![begins, serves]);
    unit.run("install");
    assert_eq!(sent(&unit), ["blocked it has not begun"]);
    unit.run("start");
    assert_eq!(sent(&unit), ["active ready"], "words are those of one hook");
}

#[when_not("db")]
fn misses_the_database(status: Status, flags: Flags) -> Result {
    status.context("db").waiting("for a database")?;
    flags.set("db");
    Ok(())
}

#[when("db")]
fn has_the_database(status: Status) {
    status.context("db").withdraw();
}

#[when("db")]
fn has_another_database(status: Status) -> Result {
    Ok(status.context("db").active("on the second database")?)
}

#[test]
fn a_context_by_name_is_shared_by_handlers() {
    let mut unit = Unit::new(handlers![misses_the_database]);
    unit.run("install");
    assert_eq!(sent(&unit), ["waiting for a database"]);
    let mut unit = Unit::new(handlers![misses_the_database, has_the_database]);
    unit.run("install");
    assert_eq!(sent(&unit), [""; 0], "nobody has anything to say");
    let mut unit = Unit::new(handlers![misses_the_database, has_another_database]);
    unit.run("install");
    assert_eq!(sent(&unit), ["active on the second database"]);
}

#[when_not("never")]
fn shows_at_once(status: Status, log: Log) -> Result {
    status.blocked("overtaken by itself")?;
    status.set_now(StatusName::Active, "right now")?;
    log.info("after");
    Ok(())
}

#[test]
fn difference_d30_at_once_has_a_name_of_its_own() {
    // DIFFERENCE D30: charmhelpers' status_set shows everything at once.
    let mut unit = Unit::new(handlers![shows_at_once]);
    unit.run("install");
    assert_eq!(unit.commands(), ["status-set active right now", "juju-log INFO after"]);
    let mut unit = Unit::new(handlers![shows_at_once, waits_for_a_database]);
    unit.store("reactive.states.db.missing", &());
    unit.run("install");
    assert_eq!(sent(&unit), ["active right now", "waiting for a database"], "the end of the hook comes later");
}

#[when_not("never")]
fn fails_if_told(charm_dir: CharmDir, status: Status) -> Result {
    status.blocked("as it seems")?;
    if charm_dir.join("fails").exists() { Err("as told".into()) } else { Ok(()) }
}

#[test]
fn difference_d30_a_hook_that_fails_shows_nothing_but_what_was_shown_at_once() {
    // DIFFERENCE D30: charmhelpers' status_set shows everything at once, and it stays.
    let mut unit = Unit::new(handlers![works, fails_if_told]);
    std::fs::write(unit.charm_dir().join("fails"), "").unwrap();
    assert_eq!(unit.try_run("install").outcome, HookOutcome::Failed);
    assert_eq!(sent(&unit), ["maintenance unpacking"]);
    std::fs::remove_file(unit.charm_dir().join("fails")).unwrap();
    unit.run("install");
    assert_eq!(sent(&unit), ["maintenance unpacking", "blocked as it seems"]);
}

#[when_not("never")]
fn speaks_for_the_application(status: Status) -> Result {
    let application = status.application();
    application.active("led")?;
    application.context("quorum").waiting("for a third unit")?;
    status.active("ready")?;
    Ok(())
}

#[test]
fn the_applications_status_goes_by_the_same_rules_and_is_the_leaders() {
    let mut unit = Unit::new(handlers![speaks_for_the_application]);
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("not the leader") && error.contains("speaks_for_the_application"), "{error}");
    unit.set_leader(true);
    unit.run("install");
    assert_eq!(sent(&unit), ["--application waiting for a third unit", "active ready"]);
}

#[when_not("never")]
fn reads_back(status: Status, log: Log) -> Result {
    let say = |status: &Status| status.get().map(|shown| log.info(&format!("{}: {}", shown.status, shown.message)));
    say(&status)?;
    status.maintenance("working")?;
    say(&status)?;
    status.context("one").waiting("for one")?;
    status.active("ready")?;
    say(&status)?;
    status.application().blocked("all of it")?;
    say(&status.application())?;
    Ok(())
}

#[test]
fn what_is_read_back_is_what_will_be_shown() {
    let mut unit = Unit::new(handlers![reads_back]);
    unit.set_leader(true);
    unit.run("install");
    let log = unit.commands();
    let log: Vec<&str> = log.iter().filter_map(|command| command.strip_prefix("juju-log INFO ")).collect();
    assert_eq!(log, ["waiting: installing agent", "maintenance: working", "waiting: for one", "blocked: all of it"]);
}

#[when_not("never")]
fn reads_the_applications(status: Status, log: Log) -> Result {
    let shown = status.application().get()?;
    log.info(&format!("{}:{}", shown.status, shown.message));
    Ok(())
}

#[test]
fn what_juju_has_is_asked_where_nothing_was_said() {
    let mut unit = Unit::new(handlers![reads_the_applications]);
    unit.set_leader(true);
    unit.run("install");
    assert_eq!(unit.commands(), ["status-get --include-data --application", "juju-log INFO unknown:"]);
}

fn reports(context: &Context) -> Result {
    Ok(context.ask_for::<Status>()?.active("as the callback says")?)
}

#[test]
fn callbacks_have_a_context_of_their_own() {
    let mut unit = Unit::of(Charm::new().handlers(handlers![waits_for_a_database, serves]).at_exit(reports));
    unit.run("install");
    assert_eq!(sent(&unit), ["active ready"], "the handler spoke first");
    unit.store("reactive.states.db.missing", &());
    unit.run("start");
    assert_eq!(sent(&unit), ["waiting for a database"]);
    let mut unit = Unit::of(Charm::new().handlers(handlers![waits_for_a_database]).at_exit(reports));
    unit.run("install");
    assert_eq!(sent(&unit), ["active as the callback says"]);
}

#[collect_metrics]
fn measures(status: Status) -> Result {
    Ok(status.active("measured")?)
}

#[test]
fn c1_5_a_restricted_hook_cannot_set_a_status() {
    let mut unit = Unit::new(handlers![measures]).juju("3.6.9");
    unit.fail_command("status-set", Some("ERROR not implemented for restricted context"));
    let error = unit.try_run("collect-metrics").error.unwrap();
    assert!(error.contains("not implemented for restricted context"), "{error}");
}
