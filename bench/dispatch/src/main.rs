//! `bench-dispatch CASE N RUNS`: hooks in this process, each on a new unit; prints the nanoseconds of each.
//!
//! The cases: `all`, N handlers that wait for one of N flags each, all of which are set; `none`, the same with N flags
//! set that nobody waits for; `chain`, N handlers that each set the next one's flag; `alone`, N flags and no handler,
//! which is what a unit in process costs without dispatch.

use std::error::Error;
use std::hint::black_box;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use zkpeer_core::__private::Notes;
use zkpeer_core::testing::Unit;
use zkpeer_core::{ConditionDef, Flag, Flags, HandlerDef, HookOutcome, Outcome, ParamDef, Quantifier, Report};

/// The flags, by number.
static FLAGS: OnceLock<Vec<Flag>> = OnceLock::new();
/// Which link of the chain runs next.
static LINK: AtomicUsize = AtomicUsize::new(0);

fn nothing(call: &zkpeer_core::__private::Call<'_>) -> Outcome {
    black_box(call.context());
    Outcome::Done
}

fn link(call: &zkpeer_core::__private::Call<'_>) -> Outcome {
    let next = LINK.fetch_add(1, Ordering::Relaxed) + 1;
    match <Flags as zkpeer_core::FromContext>::from_context(call.context(), &call.param(0)) {
        Ok(flags) => {
            FLAGS.get().and_then(|all| all.get(next)).into_iter().for_each(|flag| flags.set(flag));
            Outcome::Done
        }
        Err(rejection) => zkpeer_core::__private::not_filled(0, rejection),
    }
}

/// What the attributes would write for `#[when("flag")] fn handler(flags: Flags)`.
fn handler(number: usize, flag: Flag, run: fn(&zkpeer_core::__private::Call<'_>) -> Outcome) -> &'static HandlerDef {
    let line = u32::try_from(number + 1).unwrap_or(u32::MAX);
    let name: &'static str = format!("handler_{number}").leak();
    let conditions: &'static [ConditionDef] = vec![ConditionDef::Flags(Quantifier::All, vec![flag].leak())].leak();
    let params: &'static [ParamDef] = vec![ParamDef::of::<Flags>("flags", "Flags")].leak();
    let def = HandlerDef::new("bench", "bench::handlers", name, "src/handlers.rs", line, conditions, params, run, Notes::UNKNOWN);
    Box::leak(Box::new(def))
}

/// One hook on a new unit on which these flags are set.
fn hook(handlers: &[&'static HandlerDef], set: &[Flag]) -> (Duration, Report) {
    let mut unit = Unit::new(handlers);
    for flag in set {
        unit.store(&format!("reactive.states.{flag}"), &());
    }
    LINK.store(0, Ordering::Relaxed);
    let begun = Instant::now();
    let report = unit.run("update-status");
    (begun.elapsed(), report)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, n, runs] = arguments.as_slice() else { return Err("bench-dispatch CASE N RUNS".into()) };
    let (n, runs): (usize, usize) = (n.parse()?, runs.parse()?);
    let named = |prefix: &str| (0..=n).map(|i| Flag::new(format!("{prefix}.{i}").leak())).collect::<Vec<_>>();
    let flags = FLAGS.get_or_init(|| named("flag"));
    let others = named("other");
    let run = if case == "chain" { link } else { nothing };
    let mut handlers: Vec<_> = (0..n).map(|i| handler(i, flags[i], run)).collect();
    let (set, calls) = match case.as_str() {
        "all" => (&flags[..n], n),
        "none" => (&others[..n], 0),
        "chain" => (&flags[..1], n),
        "alone" => {
            handlers.clear();
            (&others[..n], 0)
        }
        _ => return Err(format!("no case `{case}`").into()),
    };
    for _ in 0..runs {
        let (time, report) = hook(&handlers, set);
        if report.outcome != HookOutcome::Settled || report.handlers().len() != calls {
            return Err(
                format!("{} handlers ran instead of {calls}: {:?}", report.handlers().len(), report.error).into()
            );
        }
        println!("{}", time.as_nanos());
    }
    Ok(())
}
