//! `bench-scenario CASE CHARM RUNS`: what a charm's tests would do; prints for each run the nanoseconds and how many hooks they
//! were. CHARM is a charm's directory.
//!
//! The cases: `unit`, twenty hooks of one unit with ten handlers, hook by hook, on `testing::Unit`; `model`, three such units and
//! what an operator does to them, on `testing::Model`. `python/on_scenario.py` is the first one on ops-scenario. `explore` goes
//! through all orders of three units that know their peers; it prints nanoseconds, states, moves, and the bytes that the
//! process had more at most.

mod peers;
mod ten;

use std::error::Error;
use std::fs;
use std::time::{Duration, Instant};

use zkpeer_core::Charm;
use zkpeer_core::testing::{Application, Event, Model, Outcome, Unit};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [case, charm, runs] = arguments.as_slice() else { return Err("bench-scenario CASE CHARM RUNS".into()) };
    for _ in 0..runs.parse()? {
        if case == "explore" {
            println!("{}", exploration(charm)?);
            continue;
        }
        let (time, hooks) = match case.as_str() {
            "unit" => unit(charm)?,
            "model" => model(charm)?,
            _ => return Err(format!("no case `{case}`").into()),
        };
        println!("{} {hooks}", time.as_nanos());
    }
    Ok(())
}

fn exploration(charm: &str) -> Result<String, Box<dyn Error>> {
    let before = resident("VmRSS:")?;
    let explored = peers::explored(charm)?;
    let more = resident("VmHWM:")?.saturating_sub(before);
    Ok(format!("{} {} {} {more}", explored.elapsed.as_nanos(), explored.states, explored.moves))
}

/// How many bytes of memory this process has (`VmRSS:`), or has had at most (`VmHWM:`).
fn resident(what: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let kib = status.lines().find_map(|line| line.strip_prefix(what)).ok_or("no such line in /proc/self/status")?;
    Ok(kib.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
}

/// The relation of the peers, and those who come and go over it.
const QUORUM: &str = "quorum:0";
const PEERS: [&str; 2] = ["bench/1", "bench/2"];

/// What a unit lives through, hook by hook; a test's time before the first hook does not count.
fn unit(charm: &str) -> Result<(Duration, u32), Box<dyn Error>> {
    let mut unit = Unit::new(ten::HANDLERS).charm(charm);
    let mut hooks = 0;
    let begun = Instant::now();
    let mut run = |unit: &mut Unit, hook: &str| {
        unit.run(hook);
        hooks += 1;
    };
    run(&mut unit, "install");
    unit.set_leader(true);
    for hook in ["leader-elected", "config-changed", "start"] {
        run(&mut unit, hook);
    }
    for (number, peer) in PEERS.iter().enumerate() {
        unit.set_member(QUORUM, peer, &[("ingress-address", &format!("10.0.0.{}", number + 1))]);
        for kind in ["joined", "changed"] {
            unit.run_relation(&format!("quorum-relation-{kind}"), QUORUM, peer);
        }
    }
    for _ in 0..5 {
        run(&mut unit, "update-status");
    }
    for tick_time in 1..=3 {
        unit.set_config("tick-time", tick_time);
        run(&mut unit, "config-changed");
    }
    run(&mut unit, "upgrade-charm");
    for peer in PEERS {
        unit.remove_member(QUORUM, peer);
        unit.run_relation("quorum-relation-departed", QUORUM, peer);
    }
    run(&mut unit, "stop");
    let time = begun.elapsed();
    let counted: u32 = ten::NAMES.iter().filter_map(|name| unit.stored().get(*name)?.parse::<u32>().ok()).sum();
    let met = unit.published(QUORUM).get("met").cloned().unwrap_or_default();
    if (counted, met.as_str()) != (hooks + 6, "10.0.0.1 10.0.0.2") {
        return Err(format!("the story has ended wrongly: {counted} of {} hooks, {met}", hooks + 6).into());
    }
    Ok((time, counted))
}

/// Three units, five changes of the configuration, one unit more, and one less.
fn model(charm: &str) -> Result<(Duration, u32), Box<dyn Error>> {
    let mut model = Model::new();
    let mut played = (Duration::ZERO, 0);
    model.deploy(Application::new(charm).in_process(Charm::new().handlers(ten::HANDLERS)).units(3))?;
    settle(&mut model, &mut played)?;
    for tick_time in 1..=5 {
        model.set_config("bench", "tick-time", tick_time)?;
        settle(&mut model, &mut played)?;
    }
    model.add_unit("bench")?;
    settle(&mut model, &mut played)?;
    model.remove_unit("bench/2")?;
    settle(&mut model, &mut played)?;
    if model.members("bench/0", "quorum").len() != 2 {
        return Err(format!("the story has ended wrongly: {:?}", model.units()).into());
    }
    Ok(played)
}

fn settle(model: &mut Model, (time, hooks): &mut (Duration, u32)) -> Result<(), Box<dyn Error>> {
    let begun = Instant::now();
    while let Some(event) = model.step()? {
        match event {
            Event::Ended(run) if run.outcome == Outcome::Done => *hooks += 1,
            Event::Ended(run) => return Err(format!("{run}: {:?}\n{}", run.outcome, run.stderr).into()),
            _ => {}
        }
    }
    *time += begun.elapsed();
    Ok(())
}
