//! What runs before the first handler of a hook, and after the last one.

use zkpeer_core::testing::Unit;
use zkpeer_core::{
    Charm, Context, EndHook, Flags, HookOutcome, Kv, Ports, Result, collect_metrics, handlers, when, when_not,
};

/// Adds a word to what the hook has written down.
fn note(context: &Context, word: &str) -> Result {
    let kv: Kv = context.ask_for()?;
    let before: String = kv.get("words")?.unwrap_or_default();
    Ok(kv.set("words", &format!("{before}{word} "))?)
}

fn words(unit: &Unit) -> String {
    unit.stored().get("words").cloned().unwrap_or_default()
}

#[when_not("never")]
fn handles(context: Context) -> Result {
    note(&context, "handler")?;
    context.at_exit(|context| note(context, "exit-3"));
    context.at_exit(|context| {
        context.at_exit(|context| note(context, "exit-5"));
        note(context, "exit-4")
    });
    Ok(())
}

#[test]
fn start_callbacks_run_in_their_order_and_exit_callbacks_in_reverse() {
    let charm = Charm::new()
        .handlers(handlers![handles])
        .at_exit(|context| note(context, "exit-1"))
        .at_exit(|context| note(context, "exit-2"))
        .at_start(|context| note(context, "start-1"))
        .at_start(|context| note(context, "start-2"));
    let mut unit = Unit::of(charm);
    unit.run("install");
    assert_eq!(words(&unit), "\"start-1 start-2 handler exit-4 exit-5 exit-3 exit-2 exit-1 \"");
    unit.store("words", "");
    unit.run("start");
    assert_eq!(
        words(&unit),
        "\"start-1 start-2 handler exit-4 exit-5 exit-3 exit-2 exit-1 \"",
        "so it is in every hook"
    );
}

#[when("leads")]
fn woken_at_the_start() {}

#[when("late")]
fn woken_by_the_exit() {}

#[when_not("never")]
fn registers(context: Context) {
    context.at_exit(|context| {
        Flags::of(context).set("late");
        context.ask_for::<Ports>()?.open(zkpeer_core::Port::tcp(80));
        Ok(())
    });
}

#[test]
fn what_callbacks_change_belongs_to_the_hook() {
    let charm = Charm::new().handlers(handlers![registers, woken_at_the_start, woken_by_the_exit]);
    let mut unit = Unit::of(charm.at_start(|context| {
        // The automatic flags are in place.
        if Flags::of(context).is_set("leadership.is_leader") {
            Flags::of(context).set("leads");
        }
        Ok(())
    }));
    unit.set_leader(true);
    let report = unit.run("install");
    assert_eq!(report.handlers(), ["woken_at_the_start", "registers"], "an exit callback wakes nobody in its own hook");
    assert_eq!(report.set, ["late", "leadership.is_leader", "leads"]);
    assert_eq!(unit.commands().last().unwrap(), "open-port 80/tcp", "what waits for the end comes after them");
    assert_eq!(unit.run("start").handlers(), ["woken_at_the_start", "woken_by_the_exit", "registers"]);
}

#[when("ends")]
fn ends(context: Context) -> Result {
    context.at_exit(|context| note(context, "exit"));
    Err(EndHook.into())
}

#[when("fails")]
fn fails(context: Context) -> Result {
    context.at_exit(|_| unreachable!("the hook has failed"));
    Err("as told".into())
}

#[test]
fn exit_callbacks_run_only_when_the_hook_succeeds() {
    let mut unit = Unit::new(handlers![ends, fails]);
    unit.store("reactive.states.fails", &());
    assert_eq!(unit.try_run("install").outcome, HookOutcome::Failed);
    unit.store("reactive.states.ends", &());
    assert_eq!(unit.run("install").outcome, HookOutcome::EndedEarly);
    assert_eq!(words(&unit), "\"exit \"");
}

#[test]
fn a_callback_that_fails_fails_the_hook_and_is_named() {
    let line = line!() + 1;
    let at_exit = |charm: Charm| charm.at_exit(|_| Err("no space".into()));
    let mut unit = Unit::of(at_exit(Charm::new().handlers(handlers![handles])));
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("exit callback") && error.contains("install: no space"), "{error}");
    assert!(error.contains(&format!("tests/rules/callbacks.rs:{line}")), "{error}");
    assert_eq!(words(&unit), "", "nothing is kept");

    let mut unit = Unit::of(Charm::new().handlers(handlers![handles]).at_start(|context| {
        Flags::of(context).set("no flag");
        Ok(())
    }));
    let report = unit.try_run("install");
    let error = report.error.as_deref().unwrap();
    assert!(error.contains("start callback") && error.contains("`no flag` cannot be set"), "{error}");
    assert_eq!(report.handlers(), [""; 0]);
}

#[test]
fn a_start_callback_can_end_the_hook() {
    let charm = Charm::new().handlers(handlers![handles]).at_exit(|context| note(context, "exit"));
    let mut unit = Unit::of(charm.at_start(|context| {
        note(context, "start")?;
        Err(EndHook.into())
    }));
    let report = unit.run("install");
    assert_eq!((report.handlers(), report.outcome), (vec![], HookOutcome::EndedEarly));
    assert_eq!(words(&unit), "\"start exit \"");
}

#[collect_metrics]
fn measures(context: Context) {
    context.at_exit(|_| unreachable!("there is no such end"));
}

#[test]
fn callbacks_are_not_for_restricted_hooks() {
    let charm = Charm::new().handlers(handlers![measures]);
    let charm = charm.at_start(|_| unreachable!("not here")).at_exit(|_| unreachable!("nor here"));
    let mut unit = Unit::of(charm).juju("3.6.9");
    assert_eq!(unit.run("collect-metrics").handlers(), ["measures"]);
}
