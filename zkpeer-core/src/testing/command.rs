//! The hook commands: what each takes, answers and refuses (contract sections 7 to 9).
//!
//! Everything is parsed, checked and printed here, as it is in Juju; the program that the charm starts only carries
//! arguments and answers.

mod actions;
mod machine;
mod misc;
mod network;
mod relations;
mod secrets;
mod state;
mod storage;
#[cfg(test)]
mod tests;
mod workloads;

use std::borrow::Cow;
use std::path::Path;
use std::{fs, mem};

use super::agent::Agent;
use super::charm::CharmFiles;
use super::controller::{Controller, Entries};
use super::entries;
use super::names::JujuVersion;
use super::options::{self, Format, Opt, Parsed, quoted, quoted_list, switch, valued};
use super::run::Run;
use super::value::Value;
use crate::juju::names::is_storage_id;

/// What a hook command may use.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) run: &'a mut Run,
    pub(crate) controller: &'a mut Controller,
    pub(crate) unit: &'a mut Agent,
    pub(crate) charm: &'a CharmFiles,
    /// Where the unit's copies of resources are.
    resources: &'a Path,
    /// The caller's working directory.
    pub(crate) directory: &'a Path,
    /// The caller's standard input, once it has been asked for.
    pub(crate) stdin: Option<&'a [u8]>,
    parsed: Parsed,
    relation: Option<u32>,
    format: Format,
}

/// What a unit has on its machine beside the hook that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Files<'a> {
    pub(crate) charm: &'a CharmFiles,
    /// The directory of the unit's copies of resources.
    pub(crate) resources: &'a Path,
}

/// How a hook command ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It ran.
    Done(Output),
    /// The agent did not run it; the program prints this after `ERROR `.
    Refused(String),
}

/// What a hook command prints, and its exit code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The text by which the agent asks for standard input; the call is then made again with it.
pub(crate) const NEEDS_STDIN: &str = "hook tool requires stdin, none supplied";

/// Why a hook command did not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Failure {
    /// Wrong use: exit code 2.
    Usage(String),
    /// It failed: exit code 1.
    Failed(String),
    /// It has to be called again with standard input.
    NeedsStdin,
}

type Answered = Result<String, Failure>;

fn usage<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Usage(text.into()))
}

fn failed<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Failed(text.into()))
}

/// One hook command of the table in contract 8.
#[derive(Clone, Copy)]
struct Command {
    name: &'static str,
    arguments: &'static str,
    options: &'static [Opt],
    /// Whether it takes `--format` and `--output`, and which format it has by itself.
    formatted: Option<Format>,
    run: fn(&mut Call<'_>) -> Answered,
}

const RELATION: Opt = valued(&["r", "relation"]);
const APP: Opt = switch(&["app"]);
const FILE: Opt = valued(&["file"]);
const FORMAT: Opt = valued(&["format"]);
const OUTPUT: Opt = valued(&["o", "output"]);
const ENDPOINTS: Opt = valued(&["endpoints"]);

const fn command(
    name: &'static str,
    arguments: &'static str,
    options: &'static [Opt],
    formatted: Option<Format>,
    run: fn(&mut Call<'_>) -> Answered,
) -> Command {
    Command { name, arguments, options, formatted, run }
}

const SMART: Option<Format> = Some(Format::Smart);
const YAML: Option<Format> = Some(Format::Yaml);

const PORT: &str = "PORT[/PROTOCOL]|FROM-TO[/PROTOCOL]|icmp";
const METRIC: &[Opt] = &[valued(&["l", "labels"])];

/// All commands, in the order of their names.
const COMMANDS: &[Command] = &[
    command("action-fail", "[MESSAGE]", &[], None, actions::fail),
    command("action-get", "[KEY[.KEY...]]", &[], SMART, actions::get),
    command("action-log", "MESSAGE ...", &[], None, actions::log),
    command("action-set", "KEY[.KEY...]=VALUE ...", &[], None, actions::set),
    command("add-metric", "KEY=VALUE ...", METRIC, None, machine::add_metric),
    command("application-version-set", "VERSION", &[], None, misc::application_version_set),
    command("close-port", PORT, &[ENDPOINTS, FORMAT], None, network::close_port),
    command("config-get", "[KEY]", &[switch(&["a", "all"])], SMART, misc::config_get),
    command("credential-get", "", &[], SMART, machine::credential_get),
    command("goal-state", "", &[], YAML, misc::goal_state),
    command("is-leader", "", &[], SMART, misc::is_leader),
    command("juju-log", "MESSAGE ...", &[switch(&["debug"]), valued(&["l", "log-level"])], None, misc::juju_log),
    command("juju-reboot", "", &[switch(&["now"])], None, machine::juju_reboot),
    command("k8s-raw-get", "", &[], None, workloads::raw_get),
    command("k8s-raw-set", "", &[FILE], None, workloads::raw_set),
    command("k8s-spec-get", "", &[], None, workloads::spec_get),
    command("k8s-spec-set", "", workloads::SPEC, None, workloads::spec_set),
    command("leader-get", "[KEY|-]", &[], SMART, misc::leader_get),
    command("leader-set", "KEY=VALUE ...", &[], None, misc::leader_set),
    command("network-get", "ENDPOINT", network::GET, SMART, network::network_get),
    command("open-port", PORT, &[ENDPOINTS, FORMAT], None, network::open_port),
    command("opened-ports", "", &[switch(&["endpoints"])], SMART, network::opened_ports),
    command("payload-register", "TYPE CLASS ID [LABEL ...]", &[], None, workloads::payload_register),
    command("payload-status-set", "CLASS ID STATUS", &[], None, workloads::payload_status_set),
    command("payload-unregister", "CLASS ID", &[], None, workloads::payload_unregister),
    command("pod-spec-get", "", &[], None, workloads::spec_get),
    command("pod-spec-set", "", workloads::SPEC, None, workloads::spec_set),
    command("relation-get", "[KEY|-] [UNIT|APPLICATION]", &[RELATION, APP], SMART, relations::get),
    command("relation-ids", "[ENDPOINT]", &[], SMART, relations::ids),
    command("relation-list", "", &[RELATION, APP], SMART, relations::list),
    command("relation-model-get", "", &[RELATION], SMART, relations::model_get),
    command("relation-set", "[KEY=VALUE ...]", &[RELATION, APP, FILE, FORMAT], None, relations::set),
    command("resource-get", "NAME", &[], None, machine::resource_get),
    command("secret-add", "KEY[#base64|#file]=VALUE ...", secrets::CHANGE, None, secrets::add),
    command("secret-get", "[URI] [KEY[#base64]]", secrets::GET, YAML, secrets::get),
    command("secret-grant", "URI", secrets::GRANT, None, secrets::grant),
    command("secret-ids", "", &[], SMART, secrets::ids),
    command("secret-info-get", "[URI]", secrets::INFO, YAML, secrets::info_get),
    command("secret-remove", "URI", secrets::REMOVE, None, secrets::remove),
    command("secret-revoke", "URI", secrets::REVOKE, None, secrets::revoke),
    command("secret-set", "URI [KEY[#base64|#file]=VALUE ...]", secrets::CHANGE, None, secrets::set),
    command("state-delete", "KEY", &[], None, state::delete),
    command("state-get", "[KEY|-]", &[switch(&["strict"])], SMART, state::get),
    command("state-set", "[KEY=VALUE ...]", &[FILE], None, state::set),
    command("status-get", "", &[switch(&["include-data"]), switch(&["application"])], SMART, misc::status_get),
    command("status-set", "STATUS [MESSAGE]", &[switch(&["application"])], None, misc::status_set),
    command("storage-add", "NAME[=COUNT] ...", &[], None, storage::add),
    command("storage-get", "[KEY]", storage::GET, SMART, storage::get),
    command("storage-list", "[NAME]", &[], SMART, storage::list),
    command("unit-get", "private-address|public-address", &[], SMART, network::unit_get),
];

/// Whether that version of Juju has the command (contract 8, 12).
fn is_in(juju: &JujuVersion, name: &str) -> bool {
    let group = name.split('-').next().unwrap_or_default();
    match (group, name) {
        ("secret", _) => juju.at_least(3, 0, 0),
        (_, "relation-model-get") => juju.at_least(3, 6, 1),
        (_, "add-metric") => juju.has_metrics(),
        ("payload" | "k8s" | "pod", _) | (_, "leader-get" | "leader-set") => !juju.is_four(),
        _ => true,
    }
}

/// The names of all hook commands of that version of Juju, in their order.
pub(crate) fn names(juju: &JujuVersion) -> Vec<&'static str> {
    COMMANDS.iter().map(|command| command.name).filter(|name| is_in(juju, name)).collect()
}

/// A request of the hook-command program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Request<'a> {
    pub(crate) context_id: Cow<'a, str>,
    pub(crate) directory: Cow<'a, str>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) args: Vec<String>,
    pub(crate) stdin: Option<Cow<'a, [u8]>>,
}

/// Checks the request as Juju's server does (agent-socket 4) and runs the command.
pub(crate) fn answer(
    request: &Request<'_>,
    run: &mut Run,
    controller: &mut Controller,
    unit: &mut Agent,
    files: &Files<'_>,
) -> Answer {
    let bad = |text: String| Answer::Refused(format!("bad request: {text}"));
    if request.name.is_empty() {
        return bad("command not specified".to_owned());
    }
    if !request.directory.starts_with('/') {
        return bad("Dir is not absolute".to_owned());
    }
    if request.context_id != run.context_id {
        return bad(format!("wrong context ID; got {}", quoted(&request.context_id)));
    }
    let metrics = request.name == "add-metric" && run.hook.is("collect-metrics");
    if run.hook.is_restricted() && request.name != "juju-log" && !metrics {
        return bad("not implemented for restricted context not implemented".to_owned());
    }
    let known = COMMANDS.binary_search_by(|command| command.name.cmp(&request.name)).ok().map(|at| &COMMANDS[at]);
    let Some(command) = known.filter(|command| is_in(&controller.juju, command.name)) else {
        return bad(format!("unknown command: {}", request.name));
    };
    let parsed = options::parse(&command.all_options(), &request.args);
    let mut call = Call {
        relation: run.own_relation(),
        run,
        controller,
        unit,
        charm: files.charm,
        resources: files.resources,
        directory: Path::new(&*request.directory),
        stdin: request.stdin.as_deref(),
        parsed,
        format: command.formatted.unwrap_or_default(),
    };
    match call.prepared(command).and_then(|()| call.run(command)) {
        Ok(stdout) => Answer::Done(Output { stdout, stderr: call.notice(command), ..Output::default() }),
        Err(Failure::Usage(text)) => Answer::Done(error(2, &text)),
        Err(Failure::Failed(text)) => Answer::Done(error(1, &text)),
        Err(Failure::NeedsStdin) => Answer::Refused(NEEDS_STDIN.to_owned()),
    }
}

fn error(code: i32, text: &str) -> Output {
    Output { code, stdout: String::new(), stderr: format!("ERROR {text}\n") }
}

impl Command {
    fn all_options(&self) -> impl Iterator<Item = &'static Opt> + Clone + use<> {
        const FORMATTED: &[Opt] = &[FORMAT, OUTPUT];
        self.options.iter().chain(if self.formatted.is_some() { FORMATTED } else { &[] })
    }

    fn help(&self) -> String {
        let options = if self.all_options().next().is_none() { "" } else { " [options]" };
        let arguments = if self.arguments.is_empty() { String::new() } else { format!(" {}", self.arguments) };
        let mut text = format!("Usage: {}{options}{arguments}\n", self.name);
        for option in self.all_options() {
            let names: Vec<String> =
                option.names.iter().map(|name| format!("{}{name}", if name.len() == 1 { "-" } else { "--" })).collect();
            text.push_str(&format!("    {}{}\n", names.join(", "), if option.takes_value { " VALUE" } else { "" }));
        }
        text
    }
}

impl Call<'_> {
    /// Looks at the options in the order in which they were given.
    fn prepared(&mut self, command: &Command) -> Result<(), Failure> {
        let parsed = mem::take(&mut self.parsed);
        let looked_at = self.look_at(command, &parsed);
        self.parsed = parsed;
        looked_at
    }

    fn look_at(&mut self, command: &Command, parsed: &Parsed) -> Result<(), Failure> {
        for given in &parsed.given {
            let wrong =
                |why: &str| format!("invalid value {} for option {}: {why}", quoted(&given.value), given.spelled);
            match given.name {
                "r" => {
                    let number = given.value.rsplit(':').next().unwrap_or_default().parse::<i64>();
                    let Ok(number) = number else { return usage(wrong("invalid relation id")) };
                    let known = u32::try_from(number).ok().filter(|number| self.run.relations.contains_key(number));
                    let Some(number) = known else { return usage(wrong("relation not found")) };
                    self.relation = Some(number);
                }
                "s" => {
                    if !is_storage_id(&given.value) {
                        return usage(wrong(&format!("invalid storage ID {}", quoted(&given.value))));
                    }
                    if self.controller.storage.of_unit(&self.run.unit, &given.value).is_none() {
                        return usage(wrong("storage not found"));
                    }
                }
                "revision" if given.value.parse::<i64>().is_err() => {
                    let parsing = format!("strconv.ParseInt: parsing {}: invalid syntax", quoted(&given.value));
                    return usage(wrong(&parsing));
                }
                "format" if command.formatted.is_some() => {
                    let format = Format::parse(&given.value)
                        .filter(|format| !(command.formatted == Some(Format::Yaml) && *format == Format::Smart));
                    let Some(format) = format else {
                        return usage(wrong(&format!("unknown format {}", quoted(&given.value))));
                    };
                    self.format = format;
                }
                _ => {}
            }
        }
        match &parsed.error {
            Some(error) => usage(error.clone()),
            None => Ok(()),
        }
    }

    /// Runs the command and puts its answer where it belongs.
    fn run(&mut self, command: &Command) -> Answered {
        if self.parsed.help {
            return Ok(command.help());
        }
        let text = (command.run)(self)?;
        let Some(output) = self.parsed.value("o").filter(|_| command.formatted.is_some()) else { return Ok(text) };
        let path = self.directory.join(output);
        match fs::write(&path, text) {
            Ok(()) => Ok(String::new()),
            Err(error) => failed(format!("open {}: {}", path.display(), go_error(&error))),
        }
    }

    /// `--format` is accepted by some that print nothing, with a notice (contract 9.2).
    fn notice(&self, command: &Command) -> String {
        if command.formatted.is_none() && self.parsed.value("format").is_some() {
            format!("--format flag deprecated for command {}\n", quoted(command.name))
        } else {
            String::new()
        }
    }

    fn print(&self, value: &Value) -> String {
        self.format.print(value)
    }

    /// Prints structures of Juju's, whose entries stand in the order of `fields`, not of their names.
    fn print_fields(&self, value: &Value, fields: &[&str]) -> String {
        self.format.print_fields(value, fields)
    }

    fn is_on(&self, switch: &str) -> bool {
        self.parsed.is_on(switch)
    }

    fn option(&self, name: &str) -> Option<&str> {
        self.parsed.value(name)
    }

    /// The value of an option that is not empty.
    fn given(&self, name: &str) -> Option<&str> {
        self.option(name).filter(|value| !value.is_empty())
    }

    /// The arguments that are not options, at most so many.
    fn args(&self, most: usize) -> Result<Vec<String>, Failure> {
        match self.parsed.args.get(most..) {
            Some(surplus) if !surplus.is_empty() => usage(format!("unrecognized args: {}", quoted_list(surplus))),
            _ => Ok(self.parsed.args.clone()),
        }
    }

    /// The relation of the hook, or of `-r`.
    fn relation_number(&self) -> Result<u32, Failure> {
        self.relation.ok_or_else(|| Failure::Usage("no relation id specified".to_owned()))
    }

    /// The entries of `--file` and of the arguments, which win.
    fn entries(&self) -> Result<Entries, Failure> {
        let given = entries::from_args(&self.parsed.args).map_err(Failure::Usage)?;
        let Some(file) = self.given("file") else { return Ok(given) };
        let bytes = self.file(file)?;
        let mut entries = entries::from_yaml(&bytes).map_err(Failure::Failed)?;
        entries.extend(given);
        Ok(entries)
    }

    /// The content of a file, or of standard input for `-`; relative names are in the caller's directory.
    fn file(&self, name: &str) -> Result<Vec<u8>, Failure> {
        if name == "-" {
            return self.stdin.map(<[u8]>::to_vec).ok_or(Failure::NeedsStdin);
        }
        let path = self.directory.join(name);
        fs::read(&path).map_err(|error| Failure::Failed(format!("open {}: {}", path.display(), go_error(&error))))
    }
}

/// The system's words as Go writes them.
fn go_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        std::io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => error.to_string(),
    }
}
