//! `cargo zkpeer simulate`: a story of a charm, from a file or from flags, played with the charm's real program.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgMatches, Args};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use tempfile::TempDir;
use zkpeer_core::testing::story::StepKind;
use zkpeer_core::testing::{Happening, JujuVersion, PlayError, Player, Story};

use crate::archive;
use crate::check;
use crate::flags::{self, Asked, Event, Known, Plan, Wanted};
use crate::output::{Ending, Format, Output};
use crate::program;
use crate::standing;
use crate::trial;

/// What to play, and how.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub(crate) struct Options {
    /// The charm: a directory with a metadata.yaml and either a Cargo.toml, or its own `dispatch` or `hooks`; or an archive
    #[arg(required_unless_present = "story", conflicts_with = "story")]
    charm: Option<PathBuf>,

    /// Play the story in this YAML file instead
    #[arg(long, value_name = "FILE", conflicts_with_all = FLAGS)]
    story: Option<PathBuf>,
    /// How many units are deployed [default: 3 if the charm has a peer endpoint, otherwise 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=1000))]
    units: Option<u32>,
    /// A value of the charm's configuration at its deployment; may be given several times
    #[arg(long, value_name = "OPTION=VALUE", value_parser = option)]
    config: Vec<(String, String)>,
    /// The version of Juju, from 2.9 to 4.0 [default: 3.6.25]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    juju: Option<JujuVersion>,
    /// Nobody leads the application
    #[arg(long, conflicts_with = "leader")]
    no_leader: bool,

    /// Add so many units, or this one
    #[arg(long, value_name = "N|UNIT", value_parser = Event::add, help_heading = EVENTS)]
    add: Vec<Event>,
    /// Remove a unit
    #[arg(long, value_name = "UNIT", value_parser = Event::remove, help_heading = EVENTS)]
    remove: Vec<Event>,
    /// Leadership moves to this unit
    #[arg(long, value_name = "UNIT", value_parser = Event::leader, help_heading = EVENTS)]
    leader: Vec<Event>,
    /// Run an action, on the first unit if none is named, with parameters as a JSON object
    #[arg(long, value_name = "[UNIT:]NAME[:JSON]", value_parser = Event::action, help_heading = EVENTS)]
    action: Vec<Event>,
    /// Refresh the application to the charm in another directory or archive
    #[arg(long, value_name = "CHARM", value_parser = Event::refresh, help_heading = EVENTS)]
    refresh: Vec<Event>,
    /// Kill the unit's next hook of this name; POINT is start, command-N (instead of its N-th hook command), answer-N
    /// (after it) or after-TIME such as after-200ms [default point: start]
    #[arg(long, value_name = "UNIT:HOOK[:POINT]", value_parser = Event::kill, help_heading = EVENTS)]
    kill: Vec<Event>,

    /// What Juju leaves to chance depends on this number: the order among units and relations, what overlaps
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often a hook that fails is run again before it counts as failed for good
    #[arg(long, value_name = "N", default_value_t = 1)]
    retries: u32,
    /// How long a hook may take
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    limit: Duration,
    /// How many hooks one unit may run before all is quiet
    #[arg(long, value_name = "N", default_value_t = 1000)]
    max_hooks: u32,
    /// How the output is written
    #[arg(long, default_value = "text")]
    format: Format,
    /// Build Rust charms with optimisation
    #[arg(long)]
    release: bool,
    /// Show all that the charm logs and prints, not only its warnings and errors
    #[arg(long, short)]
    verbose: bool,
    /// Keep the units' charm directories and say where they are
    #[arg(long)]
    keep: bool,
}

/// What a story says itself.
const FLAGS: [&str; 10] =
    ["units", "config", "juju", "no_leader", "add", "remove", "leader", "action", "refresh", "kill"];

const EVENTS: &str = "What happens, in the order in which it is given";

const HELP: &str = "\
Without a flag of what happens, the charm is deployed; if it has a peer endpoint, a unit is added; leadership
moves; update-status runs, and each action that needs no parameters; a unit is removed. After each of these, all
that becomes due runs. At the end it is shown where everything stands, and the application is removed.
A kill concerns what runs from the flag before it on.

Each line with --format json is an object with an `event`:
  begin        story, juju, seed, applications: [{application, charm, units}], steps
  step         number, line, step
  hook         unit, hook, remote, attempt, outcome (done, no file, failed, refused, killed, timed out), exit, problem,
               handlers, set, cleared (flags), commands: {name: how often}, notes, ms
  action       the same, and completed, message, results, log
  leader       unit: it has become leader
  expectation  line, held, wrong: [text]
  end          ok, problem, hooks, ms, before_removal (whether what follows is as it was then),
               units: [{unit, leader, status, message, flags}],
               applications: [{application, status, message, version, leader_settings}],
               relations: [{relation, number, bags: {unit or application: {key: value}}}], kept

The exit code is 0 if everything went well, 2 if a flag is not understood, 1 if anything else is wrong.
Stories: `cargo doc -p zkpeer-core --features testing --open`, module `testing::story`.";

fn option(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(option, _)| !option.is_empty());
    pair.map(|(option, value)| (option.to_owned(), value.to_owned()))
        .ok_or_else(|| "it has to look like OPTION=VALUE".to_owned())
}

fn version(text: &str) -> Result<JujuVersion, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it has to be a number of seconds".to_owned())?;
    if (0.001..1e9).contains(&seconds) {
        Ok(Duration::from_secs_f64(seconds))
    } else {
        Err("it has to be more than 0".to_owned())
    }
}

/// The flags that make something happen, with what each was given, in the order of the command line.
fn asked(matches: &ArgMatches) -> Vec<Asked> {
    let mut asked = Vec::new();
    for id in ["add", "remove", "leader", "action", "refresh", "kill"] {
        let (Some(indices), Some(raw), Some(events)) =
            (matches.indices_of(id), matches.get_raw(id), matches.get_many::<Event>(id))
        else {
            continue;
        };
        for ((index, raw), event) in indices.zip(raw).zip(events) {
            asked.push((index, (format!("--{id} {}", raw.display()), event.clone())));
        }
    }
    asked.sort_by_key(|(index, _)| *index);
    asked.into_iter().map(|(_, asked)| asked).collect()
}

/// Plays the story; the exit code says whether the charm came through it.
pub(crate) fn run(options: &Options, matches: &ArgMatches) -> ExitCode {
    // Archives are played as the directories that are in them, which are there as long as this runs.
    let mut unpacked = Vec::new();
    match prepare(options, matches, &mut unpacked) {
        Ok((player, origins)) => play(options, player, &origins),
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Where the steps come from, if they come from flags.
#[derive(Debug, Default)]
struct Origins {
    /// For each step its flag; none for a story from a file, whose places are lines.
    flags: Option<Vec<Option<String>>>,
    /// The step that removes the application at the end.
    removal: Option<usize>,
}

impl Origins {
    /// What went wrong, after the place in the user's own words.
    fn problem(&self, error: &PlayError) -> String {
        let Some(flags) = &self.flags else { return error.to_string() };
        match error.step().and_then(|step| flags.get(step)).and_then(Option::as_ref) {
            Some(flag) => format!("{flag}: {}", error.problem()),
            None => error.problem().to_owned(),
        }
    }
}

/// The story, checked as far as that can be done without running anything, and then the programs.
fn prepare(options: &Options, matches: &ArgMatches, unpacked: &mut Vec<TempDir>) -> Result<(Player, Origins), String> {
    let (story, origins) = match (&options.story, &options.charm) {
        (Some(path), _) => (Story::read(path).map_err(|error| error.to_string())?, Origins::default()),
        (None, Some(charm)) => {
            let (mut charm, mut asked) = (charm.clone(), asked(matches));
            *unpacked = unpack(&mut charm, &mut asked)?;
            let Plan { story, origins, removal } = plan(options, &charm, asked)?;
            (story, Origins { flags: Some(origins), removal: Some(removal) })
        }
        (None, None) => return Err("there is nothing to play; name a charm, or a story with --story".to_owned()),
    };
    let story = Story { seed: options.seed.or(story.seed), ..story };
    // What is wrong with the charms' files is said before minutes of building.
    let charms = charms(&story, origins.flags.is_some())?;
    let mut player = Player::new(story).retries(options.retries).limit(options.limit).max_hooks(options.max_hooks);
    // Hooks are in process groups of their own: they have to be told of a signal, and the directories to be removed.
    player = player.interrupt_by(signals().map_err(|error| format!("cannot watch for signals: {error}"))?);
    for (charm, place) in charms {
        if let Some(program) = program::find(&charm, options.release).map_err(|why| format!("{place}{why}"))? {
            player = player.program(charm, program);
        }
    }
    Ok((player, origins))
}

/// Unpacks what is an archive, and names the directory instead.
fn unpack(charm: &mut PathBuf, asked: &mut [Asked]) -> Result<Vec<TempDir>, String> {
    let refreshed = asked.iter_mut().filter_map(|(_, event)| match event {
        Event::Refresh(charm) => Some(charm),
        _ => None,
    });
    let archives = refreshed.chain([charm]).filter(|charm| charm.is_file());
    let unpacked = archives.map(|archive| {
        let directory = archive::unpack(archive)?;
        *archive = directory.path().to_owned();
        Ok(directory)
    });
    unpacked.collect()
}

/// A stream in which something stands once this program is to end.
fn signals() -> io::Result<UnixStream> {
    let (read, write) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        pipe::register(signal, write.try_clone()?)?;
    }
    Ok(read)
}

fn plan(options: &Options, charm: &Path, events: Vec<Asked>) -> Result<Plan, String> {
    let config: BTreeMap<String, String> = options.config.iter().cloned().collect();
    let juju = options.juju.clone().unwrap_or_default();
    let wanted =
        Wanted { charm, units: options.units, config, no_leader: options.no_leader, events, seed: options.seed, juju };
    let model = trial::deploy(charm, &wanted.config, &wanted.juju)?;
    let name = model.applications().first().copied().unwrap_or_default().to_owned();
    let actions = model.actions(&name).into_iter().map(|(name, simple)| (name.to_owned(), simple)).collect();
    let known = Known { peers: !model.peer_endpoints(&name).is_empty(), application: name, actions };
    flags::plan(wanted, &known)
}

/// Every directory with a charm of the story, each once and tried, with the place in the story for messages.
fn charms(story: &Story, from_flags: bool) -> Result<Vec<(PathBuf, String)>, String> {
    let mut charms: Vec<(PathBuf, String)> = Vec::new();
    let head = story.applications.iter().map(|deployment| (deployment.line, &deployment.charm, Some(deployment)));
    let steps = story.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Deploy(deployment) => Some((step.line, &deployment.charm, Some(deployment))),
        StepKind::Refresh { charm: Some(charm), .. } => Some((step.line, charm, None)),
        _ => None,
    });
    for (line, charm, deployment) in head.chain(steps) {
        let place = if from_flags { String::new() } else { format!("{}:{line}: ", story.path.display()) };
        let config = deployment.into_iter().flat_map(|deployment| &deployment.config);
        trial::deploy(charm, config, &story.juju).map_err(|problem| place.clone() + &problem)?;
        if charms.iter().all(|(known, _)| known != charm) {
            check::warn_of_scripts(charm);
            charms.push((charm.clone(), place));
        }
    }
    Ok(charms)
}

fn play(options: &Options, mut player: Player, origins: &Origins) -> ExitCode {
    let mut output = Output::new(options.format, options.verbose);
    output.begin(player.story());
    let mut before_removal = None;
    let played = player.play_to(&mut |happening, model| {
        if let Happening::Step(number, _) = happening
            && origins.removal == Some(*number)
        {
            before_removal = Some(standing::look(model));
        }
        output.happening(happening, model)
    });
    output.finish();
    let problem = played.err().map(|error| origins.problem(&error));
    // The reason comes first, then where it ended.
    if let Some(problem) = &problem {
        eprintln!("error: {problem}");
    }
    let mut ending = Ending { problem, ..Ending::default() };
    ending.standing = standing::look(player.model());
    // Where it failed with units still there, they are what there is to look at.
    if let Some(standing) = before_removal.filter(|_| ending.problem.is_none() || ending.standing.units.is_empty()) {
        ending.standing = standing;
        ending.removed = true;
    }
    let failed = ending.problem.is_some();
    if options.keep {
        ending.kept = player.into_model().keep().map(|path| path.join("agents").display().to_string());
    }
    if output.end(ending) && !failed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
