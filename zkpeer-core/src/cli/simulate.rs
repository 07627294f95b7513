//! `cargo zkpeer simulate`: the life of one unit, from `install` to `remove`, in the charm's real program.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use zkpeer_core::HookOutcome;
use zkpeer_core::testing::{Error, HookRun, JujuVersion, UnitAgent, Value};

use crate::program;
use crate::table::{Ending, Format, Table};

/// What to play, and how.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The charm: a directory with a metadata.yaml and either a Cargo.toml, or its own `dispatch` or `hooks`.
    charm: PathBuf,
    /// The unit's name [default: the charm's name with /0]
    #[arg(long)]
    unit: Option<String>,
    /// The version of Juju, from 2.9 to 4.0.
    #[arg(long, value_name = "VERSION", default_value_t = JujuVersion::default().to_string())]
    juju: String,
    /// The unit is its application's leader; this is the default.
    #[arg(long, overrides_with = "no_leader")]
    leader: bool,
    /// The unit is not its application's leader.
    #[arg(long)]
    no_leader: bool,
    /// A value of the charm's configuration; may be given several times.
    #[arg(long, value_name = "OPTION=VALUE")]
    config: Vec<String>,
    /// How many peers join, if the charm has a peer endpoint.
    #[arg(long, value_name = "N", default_value_t = 2)]
    peers: u64,
    /// An action to run, with parameters as a JSON object [default: each that needs no parameters]
    #[arg(long, value_name = "NAME[:JSON]")]
    action: Vec<String>,
    /// How often a hook that fails is run again before it counts as failed for good.
    #[arg(long, value_name = "N", default_value_t = 1)]
    retries: u32,
    /// How long a hook may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, value_parser = seconds)]
    limit: f64,
    /// How the output is written.
    #[arg(long, default_value = "text")]
    format: Format,
    /// Build the charm with optimisation.
    #[arg(long)]
    release: bool,
    /// Show all that the charm logs and prints, not only its warnings and errors
    #[arg(long, short)]
    verbose: bool,

    /// Keep the unit's charm directory and say where it is.
    #[arg(long)]
    keep: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "it has to be a number of seconds".to_owned())?;
    if (0.001..1e9).contains(&seconds) { Ok(seconds) } else { Err("it has to be more than 0".to_owned()) }
}

/// Why the story ends early.
enum Stop {
    /// Something that the user has to put right.
    Problem(String),
    /// Nobody reads the output any more.
    Output,
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Output
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self::Problem(text)
    }
}

/// Plays the story; the exit code says whether the charm came through it.
pub(crate) fn run(options: &Options) -> ExitCode {
    let mut table = Table::new(options.format, options.verbose);
    let prepared = prepare(options).and_then(|agent| Ok((actions(options, &agent)?, agent)));
    let (actions, mut agent) = match prepared {
        Ok(prepared) => prepared,
        Err(Stop::Problem(problem)) => {
            eprintln!("error: {problem}");
            return ExitCode::FAILURE;
        }
        Err(Stop::Output) => return ExitCode::FAILURE,
    };
    let charm = options.charm.display().to_string();
    let began = table.begin(&agent, &options.juju, &charm).map_err(Stop::from);
    let mut ending = Ending::default();
    let played = began.and_then(|()| play(options, &mut agent, actions, &mut table, &mut ending));
    let problem = match played {
        Ok(()) => None,
        Err(Stop::Problem(problem)) => Some(problem),
        Err(Stop::Output) => return ExitCode::FAILURE,
    };
    // The reason comes first, then where it ended.
    if let Some(problem) = &problem {
        eprintln!("error: {problem}");
        ending = look(&agent, &table);
    }
    if options.keep {
        ending.kept = Some(agent.keep().display().to_string());
    }
    let ended = table.end(&ending, problem.as_deref());
    if problem.is_some() || ended.is_err() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn prepare(options: &Options) -> Result<UnitAgent, Stop> {
    // What is wrong with the charm's files is said before minutes of building.
    if !options.charm.join("metadata.yaml").exists() {
        UnitAgent::builder(&options.charm).build()?;
    }
    let mut builder = UnitAgent::builder(&options.charm).juju(&options.juju).leader(!options.no_leader);
    builder = builder.limit(Duration::from_secs_f64(options.limit));
    if let Some(unit) = &options.unit {
        builder = builder.unit(unit);
    }
    for pair in &options.config {
        let Some((option, value)) = pair.split_once('=') else {
            return Err(Stop::Problem(format!("--config {pair}: it has to look like OPTION=VALUE")));
        };
        builder = builder.config(option, value);
    }
    if let Some(program) = program::find(&options.charm, options.release).map_err(Stop::Problem)? {
        builder = builder.program(program);
    }
    Ok(builder.build()?)
}

/// The story: first start, peers that come, write and go, a quiet moment, the actions, the end.
fn play(
    options: &Options,
    agent: &mut UnitAgent,
    actions: Vec<Action>,
    table: &mut Table,
    ending: &mut Ending,
) -> Result<(), Stop> {
    settle(options, agent, table)?;
    let own = agent.name().clone();
    let endpoints: Vec<String> = agent.peer_endpoints().map(str::to_owned).collect();
    let peers: Vec<String> =
        (0..options.peers).map(|at| format!("{}/{}", own.application(), own.number() + 1 + at)).collect();
    for peer in &peers {
        for endpoint in &endpoints {
            agent.add_peer(endpoint, peer, &[])?;
        }
        settle(options, agent, table)?;
        // A peer is a unit of the same charm: after a while it has written what this one has.
        for endpoint in &endpoints {
            let mine = agent.relation_data(endpoint, own.as_str());
            let juju = ["private-address", "ingress-address", "egress-subnets"];
            let written: Vec<(&str, &str)> = mine
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .filter(|(key, _)| !juju.contains(key))
                .collect();
            agent.change_peer(endpoint, peer, &written)?;
        }
        settle(options, agent, table)?;
    }
    if let Some(peer) = peers.last().filter(|_| !endpoints.is_empty()) {
        agent.remove_peer(peer)?;
        settle(options, agent, table)?;
    }
    update_status(options, agent, table)?;
    for (name, params) in actions {
        let params: Vec<(&str, Value)> = params.iter().map(|(key, value)| (key.as_str(), value.clone())).collect();
        let report = agent.run_action(&name, &params)?;
        table.hook(&report.run, 0)?;
        table.action(&report)?;
        if report.run.failed() {
            return Err(Stop::Problem(reason(&report.run, 0)));
        }
        settle(options, agent, table)?;
    }
    *ending = look(agent, table);
    agent.remove();
    settle(options, agent, table)?;
    ending.removed = true;
    Ok(())
}

/// An action's name and its parameters.
type Action = (String, BTreeMap<String, Value>);

/// The actions to run: those asked for, otherwise each that needs no parameters.
fn actions(options: &Options, agent: &UnitAgent) -> Result<Vec<Action>, Stop> {
    if options.action.is_empty() {
        let simple = agent.actions().filter(|(_, simple)| *simple);
        return Ok(simple.map(|(name, _)| (name.to_owned(), BTreeMap::new())).collect());
    }
    let known: Vec<String> = agent.actions().map(|(name, _)| name.to_owned()).collect();
    let mut actions = Vec::new();
    for text in &options.action {
        let (name, json) = text.split_once(':').unwrap_or((text, "{}"));
        if !known.iter().any(|known| known == name) {
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Stop::Problem(format!("--action {name}: actions.yaml has no such action; it has: {known}")));
        }
        let params = serde_json::from_str(json).map_err(|error| {
            Stop::Problem(format!("--action {text}: the parameters have to be a JSON object: {error}"))
        })?;
        actions.push((name.to_owned(), params));
    }
    Ok(actions)
}

/// Runs what is due, each hook as often as it may be tried.
fn settle(options: &Options, agent: &mut UnitAgent, table: &mut Table) -> Result<(), Stop> {
    // A charm that answers its own changes with changes goes on for ever.
    for _ in 0..1000 {
        let Some(run) = agent.step()? else { return Ok(()) };
        table.hook(&run, 0)?;
        retry(options, agent, table, run)?;
    }
    Err(Stop::Problem(format!("{} has run 1000 hooks in a row and the next is due already", agent.name())))
}

fn retry(options: &Options, agent: &mut UnitAgent, table: &mut Table, mut run: HookRun) -> Result<(), Stop> {
    for attempt in 1..=options.retries {
        if !run.failed() {
            break;
        }
        run = agent.retry()?;
        table.hook(&run, attempt)?;
    }
    match &run.report {
        _ if run.failed() => Err(Stop::Problem(reason(&run, options.retries))),
        Some(report) if report.outcome == HookOutcome::Failed => {
            let why = report.error.as_deref().unwrap_or_default();
            Err(Stop::Problem(format!(
                "hook {run} failed on {}, but the program exited with code 0, so Juju would take it for done: {why}\n\
                 `main` has to return what `zkpeer_core::main()` returns: fn main() -> std::process::ExitCode",
                run.unit
            )))
        }
        Some(report) if report.outcome == HookOutcome::NotSettled => {
            let why = report.error.as_deref().map(|error| format!(": {error}")).unwrap_or_default();
            Err(Stop::Problem(format!("the flags did not settle in hook {run} on {}{why}", run.unit)))
        }
        _ => Ok(()),
    }
}

/// What went wrong: the charm's own words first, if its report has any.
fn reason(run: &HookRun, retries: u32) -> String {
    let tries = match retries {
        0 => String::new(),
        1 => "\na retry did not help".to_owned(),
        n => format!("\n{n} retries did not help"),
    };
    match run.report.as_ref().and_then(|report| report.error.as_deref()) {
        Some(error) => format!("hook {run} failed on {}: {error}{tries}", run.unit),
        None => {
            let problem = run.problem().unwrap_or_default();
            match problem.split_once('\n') {
                Some((first, rest)) => format!("{first}\n{rest}{tries}"),
                None => problem + &tries,
            }
        }
    }
}

fn update_status(options: &Options, agent: &mut UnitAgent, table: &mut Table) -> Result<(), Stop> {
    agent.make_update_status_due();
    settle(options, agent, table)
}

/// Where the unit stands now.
fn look(agent: &UnitAgent, table: &Table) -> Ending {
    let status = agent.status();
    let mut ending = Ending { status: (status.status, status.message), flags: table.flags(), ..Ending::default() };
    for id in agent.relations() {
        let name = agent.name();
        ending.relations.insert(id.to_string(), agent.relation_data(&id.endpoint, name.as_str()));
        let shared = agent.app_data(&id.endpoint, name.application());
        if !shared.is_empty() {
            ending.applications.insert(format!("{id} {}", name.application()), shared);
        }
    }
    ending
}
