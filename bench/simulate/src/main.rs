//! `bench-simulate CASE CHARM RUNS [PROGRAM]`: what the simulated Juju takes; prints lines of `WHAT NANOSECONDS [COUNT]`.
//!
//! CHARM is a charm's directory without a program. The cases: `round-trips`, hook commands over one connection to the
//! agent's socket; `commands`, hook commands as processes, beside `true` and PROGRAM; `hooks`, whole hooks of a charm
//! whose program is `true`; `function` and `handlers`, the events of a story in this process.
//!
//! Started under the name `dispatch` it is the charm of the first two.

mod client;
mod hook;
mod ordinary;
mod story;

use std::error::Error;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::Instant;

use zkpeer_core::Charm;
use zkpeer_core::testing::{Application, Model, Outcome};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args();
    let program = arguments.next().unwrap_or_default();
    if Path::new(&program).file_name() == Some(OsStr::new("dispatch")) {
        return hook::run();
    }
    let arguments: Vec<String> = arguments.collect();
    let (case, charm, runs, beside) = match arguments.as_slice() {
        [case, charm, runs] => (case, charm, runs, None),
        [case, charm, runs, beside] => (case, charm, runs, Some(beside)),
        _ => return Err("bench-simulate CASE CHARM RUNS [PROGRAM]".into()),
    };
    let (application, runs) = (Application::new(charm).units(1), runs.parse()?);
    match (case.as_str(), beside) {
        ("round-trips", None) => in_a_hook(application.units(2), &format!("round-trips {runs}")),
        ("commands", Some(beside)) => in_a_hook(application, &format!("commands {runs} {beside}")),
        ("hooks", None) => hooks(application, runs),
        ("function", None) => stories("function", runs, || application.clone().function(|_| 0)),
        ("handlers", None) => stories("handlers", runs, || application.clone().in_process(Charm::new())),
        _ => Err(format!("no case `{case}` with these arguments").into()),
    }
}

/// Has this program do something in a hook of the unit 0, and prints what it measured.
fn in_a_hook(application: Application, task: &str) -> Result<(), Box<dyn Error>> {
    let mut model = Model::new();
    let units = model.deploy(application.program(std::env::current_exe()?))?;
    model.settle()?;
    let unit = units.first().ok_or("no unit")?.as_str();
    let directory = model.charm_dir(unit).ok_or("no charm directory")?.to_owned();
    fs::write(directory.join(hook::TASK), task)?;
    let run = model.run_hook(unit, "update-status")?;
    if run.outcome != Outcome::Done {
        return Err(format!("{run}: {:?}\n{}", run.outcome, run.stderr).into());
    }
    print!("{}", fs::read_to_string(directory.join(hook::MEASURED))?);
    Ok(())
}

/// Whole hooks, as the simulated agent runs them; the charm itself does nothing.
fn hooks(application: Application, runs: u64) -> Result<(), Box<dyn Error>> {
    let mut model = Model::new();
    model.deploy(application.program("/bin/true"))?;
    model.settle()?;
    for _ in 0..runs {
        let begun = Instant::now();
        let run = model.run_hook("bench/0", "update-status")?;
        let time = begun.elapsed();
        if run.outcome != Outcome::Done {
            return Err(format!("{run}: {:?}", run.outcome).into());
        }
        println!("hook {}", time.as_nanos());
    }
    Ok(())
}

/// The same story again and again, each time by another chance.
fn stories(name: &str, runs: u64, application: impl Fn() -> Application) -> Result<(), Box<dyn Error>> {
    for seed in 0..runs {
        let story = story::play(application(), seed)?;
        println!("event-{name} {} {}", story.time.as_nanos(), story.events);
    }
    Ok(())
}
