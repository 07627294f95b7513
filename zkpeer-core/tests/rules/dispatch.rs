//! Rules 1 to 7, 9 and 10.

use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Action, CharmDir, Flags, HookEvent, HookOutcome, Kv, Phase, Result, action, collect_metrics, handlers, hook,
    meter_status_changed, only_once, when, when_any, when_file_changed, when_not, when_not_all,
};

#[collect_metrics]
fn metrics(flags: Flags) {
    flags.set("metrics");
}

#[meter_status_changed]
fn meter() {}

#[hook("{peers:quorum}-relation-{joined,changed}", "install", "start")]
fn by_hook(flags: Flags) {
    flags.set("hooked");
}

#[when("hooked")]
fn after_hook() {}

#[when_not("never")]
fn always() {}

#[test]
fn rule_1_restricted_hooks_run_their_own_handlers_and_nothing_else() {
    let mut unit = Unit::new(handlers![metrics, meter, by_hook, after_hook, always]).juju("3.6.9");
    let report = unit.run("collect-metrics");
    assert_eq!(report.handlers(), ["metrics"]);
    assert_eq!(report.rounds[0].phase, Phase::Restricted);
    assert_eq!(unit.flags(), [""; 0], "the store is left alone");
    assert_eq!(unit.run("meter-status-changed").handlers(), ["meter"]);
    assert_eq!(unit.run("update-status").handlers(), ["always"]);
}

#[test]
fn rule_1_the_hooks_phase_comes_before_the_other() {
    let mut unit = Unit::new(handlers![always, after_hook, by_hook]);
    let report = unit.run("install");
    let phases: Vec<_> = report.rounds.iter().map(|round| (round.phase, round.round)).collect();
    assert_eq!(phases, [(Phase::Hooks, 0), (Phase::Other, 0)]);
    assert_eq!(
        report.handlers(),
        ["by_hook", "after_hook", "always"],
        "flags set by a hook handler are seen in round 0"
    );
}

#[action("backup")]
fn backup(action: Action) {
    action.set("file", "x");
}

#[hook("start")]
fn on_start(action: Option<Action>) {
    assert!(action.is_none());
}

#[test]
fn rule_2_hook_and_action_handlers_match_only_in_the_hooks_phase() {
    let mut unit = Unit::new(handlers![backup, on_start, always]);
    let report = unit.run_action("backup", &[]);
    assert_eq!(report.handlers(), ["backup", "always"]);
    assert!(unit.commands().contains(&"action-set file=x".to_owned()), "{:?}", unit.commands());
    assert_eq!(unit.run("start").handlers(), ["on_start", "always"]);
    let (report, _) = unit.run_event(HookEvent::hook("backup"));
    assert_eq!(report.handlers(), ["always"], "a hook of the action's name is no action");
}

#[when_not("first.done")]
fn first(flags: Flags) {
    flags.set("first.done");
    flags.set("wake");
}

#[when("wake")]
fn woken() {}

#[when_not("wake")]
fn sleeper() {}

#[test]
fn rule_3_all_are_tested_before_the_first_runs() {
    let report = Unit::new(handlers![first, woken]).run("install");
    assert_eq!(report.handlers_by_round(), [vec!["first"], vec!["woken"]]);
}

#[test]
fn rule_4_a_flag_that_is_set_wakes_in_the_next_round() {
    let report = Unit::new(handlers![first, woken, always]).run("install");
    assert_eq!(report.handlers_by_round(), [vec!["always", "first"], vec!["woken"]]);
}

#[when("job")]
fn takes_job_first(flags: Flags) {
    flags.clear("job");
}

#[when("job")]
fn takes_job_second(flags: Flags) {
    flags.clear("job");
}

#[test]
fn rule_5_what_is_queued_is_tested_again_after_a_flag_was_cleared() {
    let mut unit = Unit::new(handlers![takes_job_second, takes_job_first]);
    unit.store("reactive.states.job", &());
    assert_eq!(unit.run("install").handlers(), ["takes_job_first"]);
}

#[test]
fn difference_d14_what_is_queued_is_tested_again_after_a_flag_was_set() {
    // DIFFERENCE D14: charms.reactive tests again after clearing only, and would run `sleeper`.
    let report = Unit::new(handlers![first, sleeper]).run("install");
    assert_eq!(report.handlers_by_round(), [vec!["first"]]);
}

#[when_not("tried")]
fn clears_what_is_not_set(flags: Flags) {
    flags.clear("no.such.flag");
    flags.set("tried");
}

#[test]
fn difference_d14_clearing_what_is_not_set_is_no_change() {
    // DIFFERENCE D14: charms.reactive tests again whenever a flag is cleared, set or not.
    let report = Unit::new(handlers![clears_what_is_not_set]).run("install");
    assert_eq!(report.rounds[0].handlers[0].changes.len(), 1);
}

#[when("a")]
fn flips_and_back(flags: Flags) {
    flags.clear("b");
    flags.set("b");
}

#[when("b")]
fn watches_b() {}

#[test]
fn rule_5_a_flag_cleared_and_set_again_leaves_the_queue_as_it_is() {
    let mut unit = Unit::new(handlers![flips_and_back, watches_b]);
    unit.store("reactive.states.a", &());
    unit.store("reactive.states.b", &());
    let report = unit.run("install");
    assert_eq!(
        report.handlers_by_round(),
        [vec!["flips_and_back", "watches_b"], vec!["watches_b"]],
        "and counts as changed"
    );
}

#[when("x")]
fn drops_y(flags: Flags) {
    flags.clear("y");
}

#[when("x")]
fn lifts_y(flags: Flags) {
    flags.set("y");
}

#[when("y")]
fn on_y() {}

#[test]
fn rule_5_what_has_left_the_queue_comes_back_in_the_next_round_at_the_earliest() {
    let mut unit = Unit::new(handlers![drops_y, lifts_y, on_y]);
    unit.store("reactive.states.x", &());
    unit.store("reactive.states.y", &());
    assert_eq!(unit.run("install").handlers_by_round(), [vec!["drops_y", "lifts_y"], vec!["on_y"]]);
}

#[when_any("p", "q")]
fn on_p_or_q() {}

#[when("p")]
fn p_sets_q(flags: Flags) {
    flags.set("q");
}

#[when_not_all("p", "q")]
fn not_both() {}

#[test]
fn rule_6_round_0_takes_all_and_later_rounds_those_that_watch_what_changed() {
    let mut unit = Unit::new(handlers![on_p_or_q, p_sets_q, not_both, always]);
    unit.store("reactive.states.p", &());
    let report = unit.run("install");
    // `not_both` stands below `p_sets_q` and does not hold any longer when its turn comes.
    assert_eq!(report.handlers_by_round(), [vec!["always", "on_p_or_q", "p_sets_q"], vec!["on_p_or_q"]]);
    let again = unit.run("update-status");
    assert_eq!(again.handlers_by_round(), [vec!["always", "on_p_or_q", "p_sets_q"]], "every hook has its round 0");
}

#[when_not("blinked")]
fn blinks(flags: Flags) {
    flags.set("light");
    flags.clear("light");
    flags.set("blinked");
}

#[when_not("light")]
fn watches_light() {}

#[test]
fn rule_6_set_and_cleared_within_a_round_counts_as_changed() {
    let report = Unit::new(handlers![blinks, watches_light]).run("install");
    assert_eq!(report.handlers_by_round(), [vec!["blinks", "watches_light"], vec!["watches_light"]]);
}

#[only_once]
fn once(kv: Kv) -> Result {
    if kv.get::<bool>("fail")?.unwrap_or(false) {
        return Err("not yet".into());
    }
    Ok(())
}

#[test]
fn rule_7_only_once_runs_until_it_has_once_succeeded() {
    let mut unit = Unit::new(handlers![once]);
    unit.store("fail", &true);
    for _ in 0..2 {
        let report = unit.try_run("install");
        assert_eq!((report.handlers(), report.outcome), (vec!["once"], HookOutcome::Failed));
    }
    unit.store("fail", &false);
    assert_eq!(unit.run("install").handlers(), ["once"]);
    assert_eq!(unit.run("install").handlers(), [""; 0]);
    let stored = unit.stored();
    let key = format!("reactive.invoked.{}::once", module_path!());
    assert_eq!(stored.get(&key).map(String::as_str), Some("true"), "no line number in {stored:?}");
}

#[only_once(was = "reactive/zk.py:12:install")]
fn replaces_python() {}

#[test]
fn rule_7_only_once_knows_the_python_function_that_it_replaces() {
    let mut unit = Unit::new(handlers![replaces_python]);
    let key = format!("reactive.invoked.{}/reactive/zk.py:12:install", unit.charm_dir().display());
    unit.store(&key, &true);
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0]);
}

#[test]
fn rule_7_only_once_tells_the_python_function_that_it_replaces() {
    let mut unit = Unit::new(handlers![replaces_python]);
    assert_eq!(unit.run("install").handlers(), ["replaces_python"]);
    let key = format!("reactive.invoked.{}/reactive/zk.py:12:install", unit.charm_dir().display());
    assert_eq!(unit.stored().get(&key).map(String::as_str), Some("true"));
}

#[when_file_changed("zoo.cfg")]
fn on_file(kv: Kv) -> Result {
    if kv.get::<bool>("fail")?.unwrap_or(false) { Err("not yet".into()) } else { Ok(()) }
}

#[when_file_changed("zoo.cfg", "myid")]
fn on_either_file() {}

#[when_not("written")]
fn writes_file(dir: CharmDir, flags: Flags) -> Result {
    std::fs::write(dir.join("zoo.cfg"), "tick")?;
    flags.set("written");
    Ok(())
}

#[test]
fn rule_7_a_file_has_changed_for_each_handler_until_that_handler_has_succeeded() {
    let mut unit = Unit::new(handlers![on_file, on_either_file]);
    let file = unit.charm_dir().join("zoo.cfg");
    let ran = |unit: &mut Unit| unit.try_run("update-status").handlers().join(" ");
    assert_eq!(ran(&mut unit), "", "absent from the beginning is no change");
    std::fs::write(&file, "a").unwrap();
    assert_eq!(ran(&mut unit), "on_file on_either_file", "appearing is one");
    assert_eq!(ran(&mut unit), "");
    std::fs::write(&file, "b").unwrap();
    unit.store("fail", &true);
    assert_eq!(ran(&mut unit), "on_file", "a failure keeps it changed");
    unit.store("fail", &false);
    assert_eq!(ran(&mut unit), "on_file on_either_file");
    std::fs::remove_file(&file).unwrap();
    assert_eq!(ran(&mut unit), "on_file on_either_file", "vanishing is one");
    assert_eq!(ran(&mut unit), "");
}

#[test]
fn difference_d9_the_python_key_of_a_file_is_written_when_its_last_watcher_has_succeeded() {
    // DIFFERENCE D9: charms.reactive has one hash for each file, stored by the test itself.
    let mut unit = Unit::new(handlers![on_file, on_either_file]);
    std::fs::write(unit.charm_dir().join("zoo.cfg"), "a").unwrap();
    unit.run("update-status");
    let md5_of_a = "\"0cc175b9c0f1b6a831c399e269772661\"";
    assert_eq!(unit.stored().get("reactive.files_changed.zoo.cfg").map(String::as_str), Some(md5_of_a));
}

#[test]
fn difference_d9_the_hash_that_python_stored_is_the_beginning() {
    let mut unit = Unit::new(handlers![on_file]);
    std::fs::write(unit.charm_dir().join("zoo.cfg"), "a").unwrap();
    unit.store("reactive.files_changed.zoo.cfg", "0cc175b9c0f1b6a831c399e269772661");
    assert_eq!(unit.run("upgrade-charm").handlers(), [""; 0]);
}

#[test]
fn difference_d16_a_handler_without_flags_is_tested_in_round_0_and_not_again() {
    // DIFFERENCE D16: charms.reactive tests such a handler in the hooks phase, too, and in every round.
    let mut unit = Unit::new(handlers![on_file, writes_file, once]).juju("3.6.9");
    let report = unit.run("install");
    assert_eq!(report.handlers_by_round(), [vec!["once", "writes_file"]], "the file was not there in round 0");
    assert_eq!(unit.run("start").handlers_by_round(), [vec!["on_file"]]);
    assert_eq!(unit.run("collect-metrics").handlers(), [""; 0]);
}

#[test]
fn rule_9_a_round_with_nothing_to_run_ends_the_hook() {
    let report = Unit::new(handlers![woken]).run("install");
    assert_eq!((report.rounds.len(), report.outcome), (0, HookOutcome::Settled));
}

mod zebra {
    use zkpeer_core::when_not;

    #[when_not("never")]
    pub(super) fn in_a_later_module() {}
}

mod aardvark {
    use zkpeer_core::when_not;

    #[when_not("never")]
    pub(super) fn second_by_line() {}

    #[when_not("never")]
    pub(super) fn added_later() {}
}

#[test]
fn rule_10_the_order_is_by_module_and_line_however_they_are_listed() {
    // DIFFERENCE D1: the order of charms.reactive is undefined.
    let expected = ["always", "second_by_line", "added_later", "in_a_later_module"];
    let one = Unit::new(handlers![zebra::in_a_later_module, aardvark::second_by_line, always, aardvark::added_later])
        .run("update-status");
    assert_eq!(one.handlers(), expected);
    let other = Unit::new(handlers![aardvark::added_later, always, aardvark::second_by_line, zebra::in_a_later_module])
        .run("update-status");
    assert_eq!(one, other);
}
