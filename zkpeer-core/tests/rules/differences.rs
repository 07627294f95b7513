//! Differences D2, D10 and D13; the others stand with the rule that they belong to.

use std::cell::Cell;

use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Charm, Flags, HookOutcome, Kv, OnNotSettled, Resource, Result, handlers, hook, not_unless, when, when_not,
};

use crate::Quorum;

#[when_not("lamp")]
fn switches_on(flags: Flags) {
    flags.set("lamp");
}

#[when("lamp")]
fn switches_off(flags: Flags) {
    flags.clear("lamp");
}

#[test]
fn difference_d2_flags_that_never_settle_fail_the_hook_and_the_round_is_shown() {
    // DIFFERENCE D2: charms.reactive stops without a word after 100 rounds, and commits.
    let mut unit = Unit::new(handlers![switches_on, switches_off]);
    let report = unit.try_run("install");
    let error = report.error.unwrap();
    for part in ["do not settle", "differences::switches_on", "+lamp", "differences::switches_off", "-lamp"] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert_eq!(error.matches("switches_on").count(), 1, "each of the repeating rounds is shown once: {error}");
    assert_eq!(unit.flags(), [""; 0]);
}

#[when("turn")]
fn turns(flags: Flags, kv: Kv) -> Result {
    kv.set("at", &((kv.get::<u32>("at")?.unwrap_or(0) + 1) % 3))?;
    flags.clear("turn");
    flags.set("turn");
    Ok(())
}

#[test]
fn difference_d2_as_many_rounds_are_shown_as_repeat() {
    let mut unit = Unit::new(handlers![turns]);
    unit.store("at", &0);
    unit.set_flag("turn");
    let error = unit.try_run("install").error.unwrap();
    assert_eq!(error.matches("differences::turns").count(), 3, "{error}");
}

#[test]
fn difference_d2_with_a_warning_instead_the_hook_succeeds() {
    let charm = Charm::new().handlers(handlers![switches_on, switches_off]).on_not_settled(OnNotSettled::Warn);
    let mut unit = Unit::of(charm);
    assert_eq!(unit.run("install").outcome, HookOutcome::NotSettled);
    assert!(unit.commands().iter().any(|command| command.starts_with("juju-log WARNING the flags do not settle")));
}

#[when("count")]
fn counts_up_to_1000(flags: Flags, kv: Kv) -> Result {
    let count: u32 = kv.get("count")?.unwrap_or(0);
    flags.clear("count");
    if count < 1000 {
        kv.set("count", &(count + 1))?;
        flags.set("count");
    }
    Ok(())
}

#[test]
fn difference_d2_a_thousand_rounds_settle() {
    let mut unit = Unit::new(handlers![counts_up_to_1000]);
    unit.store("reactive.states.count", &());
    let report = unit.run("install");
    assert_eq!((report.rounds.len(), report.outcome), (1001, HookOutcome::Settled), "{:?}", report.error);
}

#[when_not("wake")]
fn changes_another_flag_in_each_of_200_rounds(round: Resource<Cell<u32>>, flags: Flags) {
    if round.replace(round.get() + 1) < 200 {
        for flag in ["wake".to_owned(), format!("round.{}", round.get())] {
            flags.set(&flag);
            flags.clear(&flag);
        }
    }
}

#[test]
fn difference_d2_rounds_that_change_other_flags_are_no_repetition() {
    let charm = Charm::new().handlers(handlers![changes_another_flag_in_each_of_200_rounds]).resource(Cell::new(0_u32));
    let report = Unit::of(charm).try_run("install");
    assert_eq!((report.rounds.len(), report.outcome), (201, HookOutcome::Settled), "{:?}", report.error);
}

#[not_unless("zk.installed", "zk.configured")]
fn start_server(flags: Flags) -> Result {
    flags.set("zk.started");
    Ok(())
}

#[when_not("zk.started")]
fn starts(flags: Flags) -> Result {
    start_server(flags)
}

#[test]
fn difference_d10_a_call_of_not_unless_without_its_flags_is_an_error() {
    // DIFFERENCE D10: charms.reactive logs a warning and goes on.
    let mut unit = Unit::new(handlers![starts]);
    unit.store("reactive.states.zk.installed", &());
    let error = unit.try_run("start").error.unwrap();
    assert!(error.contains("start_server` was called before this flag was set: zk.configured"), "{error}");
    assert!(!unit.is_set("zk.started"));
    unit.store("reactive.states.zk.configured", &());
    assert_eq!(unit.run("start").outcome, HookOutcome::Settled);
    assert!(unit.is_set("zk.started"));
}

const ONE: &str = "name: zk\npeers:\n  zkpeer: {interface: quorum}\n";
const TWO: &str = "name: zk\npeers:\n  a: {interface: quorum}\n  b: {interface: quorum}\n";
const NONE: &str = "name: zk\n";

#[hook("{peers:quorum}-relation-joined")]
fn on_joined(quorum: Quorum, flags: Flags) {
    flags.set(quorum.0.flag("{relation_name}.seen"));
}

#[test]
fn difference_d13_a_pattern_with_a_role_matches() {
    // DIFFERENCE D13: the documented `{peer:iface}` of charms.reactive never matches; here it does not compile, and
    // `{peers:iface}` is what works in both.
    let mut unit = Unit::new(handlers![on_joined]).metadata(TWO);
    assert_eq!(unit.run_relation("b-relation-joined", "b:1", "zk/1").handlers(), ["on_joined"]);
    assert_eq!(unit.flags(), ["b.seen"]);
}

#[when("go")]
fn needs_quorum(quorum: Quorum, flags: Flags) {
    flags.set(quorum.0.flag("{relation_name}.used"));
}

#[when("b.joined")]
fn by_flag(quorum: Quorum, flags: Flags) {
    flags.set(quorum.0.flag("{relation_name}.by_flag"));
}

#[when("go")]
fn by_parameter(b: Quorum, flags: Flags) {
    flags.set(b.0.flag("{relation_name}.by_parameter"));
}

#[when("go")]
fn may_be_missing(quorum: Option<Quorum>, flags: Flags) {
    flags.toggle("had_none", quorum.is_none());
}

#[when("{relation_name}.joined")]
fn for_each(quorum: Quorum, flags: Flags) {
    flags.set(quorum.0.flag("{endpoint_name}.each"));
}

#[test]
fn difference_d13_a_parameter_that_no_endpoint_can_fill_is_an_error_at_the_start() {
    let mut unit = Unit::new(handlers![needs_quorum]).metadata(NONE);
    let error = unit.try_run("install").error.unwrap();
    for part in
        ["needs_quorum", "differences.rs:", "`quorum: Quorum`", "no endpoint of the interface `quorum` under `peers`"]
    {
        assert!(error.contains(part), "{part} is not in {error}");
    }
}

#[test]
fn difference_d13_a_parameter_that_two_endpoints_could_fill_is_an_error_at_the_start() {
    let mut unit = Unit::new(handlers![needs_quorum]).metadata(TWO);
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("needs_quorum") && error.contains("could be each of the endpoints `a`, `b`"), "{error}");
}

#[test]
fn an_endpoint_is_found_by_the_flags_prefix_then_by_the_parameters_name_then_as_the_only_one() {
    let mut unit = Unit::new(handlers![by_flag, by_parameter]).metadata(TWO);
    for flag in ["go", "a.joined", "b.joined"] {
        unit.store(&format!("reactive.states.{flag}"), &());
    }
    unit.run("install");
    assert!(unit.is_set("b.by_flag") && unit.is_set("b.by_parameter"), "{:?}", unit.flags());

    let mut unit = Unit::new(handlers![needs_quorum, may_be_missing]).metadata(ONE);
    unit.store("reactive.states.go", &());
    unit.run("install");
    assert_eq!(unit.flags(), ["go", "zkpeer.used"]);
}

#[test]
fn an_option_takes_a_missing_endpoint_as_a_value() {
    let mut unit = Unit::new(handlers![may_be_missing]).metadata(NONE);
    unit.store("reactive.states.go", &());
    unit.run("install");
    assert!(unit.is_set("had_none"));
}

#[test]
fn a_placeholder_makes_an_instance_of_the_handler_for_each_endpoint() {
    let mut unit = Unit::new(handlers![for_each]).metadata(TWO);
    for flag in ["a.joined", "b.joined"] {
        unit.store(&format!("reactive.states.{flag}"), &());
    }
    assert_eq!(unit.run("install").handlers(), ["for_each[a]", "for_each[b]"]);
    assert!(unit.is_set("a.each") && unit.is_set("b.each"));
    let none = Unit::new(handlers![for_each]).metadata(NONE).run("install");
    assert_eq!(
        (none.handlers(), none.outcome),
        (vec![], HookOutcome::Settled),
        "an interface that the charm does not use"
    );
}

#[when_not("x")]
fn uses_server(server: Resource<String>, flags: Flags) {
    flags.set(format!("server.{}", *server));
}

#[test]
fn a_resource_that_is_not_given_is_an_error_at_the_start() {
    let error = Unit::new(handlers![uses_server]).try_run("install").error.unwrap();
    assert!(
        error.contains("`server`") && error.contains("String") && error.contains("Charm::new().resource"),
        "{error}"
    );
    let mut unit = Unit::of(Charm::new().handlers(handlers![uses_server]).resource("real".to_owned()));
    unit.run("install");
    assert_eq!(unit.flags(), ["server.real"]);
}
