//! Each kind of finding, by a charm that has it and one that has not.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;

use tempfile::TempDir;

use super::{Finding, Graph, Kind};
use crate::metadata::Role;
use crate::testing::Unit;
use crate::{
    Charm, Context, Endpoint, Error, Flag, Flags, HandlerDef, Interface, Result, Triggers, action, allow_finding,
    clears, handlers, hook, not_unless, only_once, reads, sets, when, when_any, when_file_changed, when_not,
};

const METADATA: &str = "name: app\nrequires:\n  website: {interface: http}\nstorage:\n  data: {type: filesystem}\n";

/// The directory of a charm with these files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("metadata.yaml"), METADATA).unwrap();
    for (name, text) in files {
        fs::create_dir_all(directory.path().join(name).parent().unwrap()).unwrap();
        fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

fn graph_of(charm: &Charm) -> Graph {
    let files = [("config.yaml", "options:\n  greeting: {type: string}\n"), ("actions.yaml", "\nbackup: {}\n")];
    charm.graph(directory(&files).path()).unwrap()
}

/// What is found in a charm of these handlers; that `backup` is not answered is left out.
fn found(handlers: &[&'static HandlerDef]) -> Vec<Finding> {
    let mut found = graph_of(&Charm::new().handlers(handlers)).findings();
    found.retain(|finding| finding.subject.as_deref() != Some("backup"));
    found
}

/// The findings as kinds and subjects.
fn kinds(handlers: &[&'static HandlerDef]) -> Vec<String> {
    let shown = |finding: &Finding| format!("{} {}", finding.kind, finding.subject.as_deref().unwrap_or("-"));
    found(handlers).iter().map(shown).collect()
}

fn message(handlers: &[&'static HandlerDef]) -> String {
    let found = found(handlers);
    assert_eq!(found.len(), 1, "{found:#?}");
    found[0].message.clone()
}

#[when_not("app.installed")]
fn install(flags: Flags) {
    flags.set("app.installed");
}

#[when("app.installed")]
fn greet() {}

#[test]
fn a_charm_in_order_has_no_findings() {
    assert_eq!(kinds(handlers![install, greet]), Vec::<String>::new());
}

#[when("app.instaled")]
fn misspelt() {}

#[test]
fn a_flag_that_nobody_sets_is_found_with_the_name_that_was_meant() {
    assert_eq!(kinds(handlers![install, greet, misspelt]), ["never-set app.instaled"]);
    let message = message(handlers![install, greet, misspelt]);
    assert_eq!(message, "nobody sets the flag `app.instaled`; so `misspelt` never runs; did you mean `app.installed`?");
}

#[test]
fn findings_have_file_and_line_and_are_certain_if_all_is_known() {
    let found = found(handlers![install, greet, misspelt]);
    let (file, line) = found[0].place.rsplit_once(':').unwrap();
    assert!(file.ends_with("check/tests.rs"), "{file}");
    assert!(line.parse::<u32>().is_ok());
    assert!(found[0].certain);
    assert_eq!(found[0].handlers, ["zkpeer_core::check::tests::misspelt"]);
}

#[when("app.installed")]
fn clears_what_is_not_set(flags: Flags) {
    flags.clear("app.instaled");
    if flags.is_set("app.strated") {}
}

#[test]
fn what_is_cleared_and_looked_for_counts_too() {
    assert_eq!(kinds(handlers![install, clears_what_is_not_set]), ["never-set app.instaled", "never-set app.strated"]);
}

#[when("app.installed")]
fn asks_a_helper(flags: Flags) {
    note(&flags, "greeted");
}

fn note(flags: &Flags, what: &str) {
    flags.set(format!("app.{what}"));
}

#[when("app.greeted")]
fn after_the_greeting() {}

#[sets("app.told")]
fn tell(flags: &Flags) {
    flags.set(["app", "told"].join("."));
}

#[when("app.told")]
fn after_the_tale() {}

#[when("app.installed")]
#[sets("app.greeted")]
fn says_what_the_helper_does(flags: Flags) {
    note(&flags, "greeted");
}

#[test]
fn what_a_helper_sets_is_not_seen_unless_it_is_said() {
    let found = found(handlers![install, asks_a_helper, after_the_greeting]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].kind, found[0].certain), (Kind::NeverSet, false));
    assert!(kinds(handlers![install, says_what_the_helper_does, after_the_greeting]).is_empty());
    assert!(kinds(handlers![install, greet, after_the_tale]).is_empty());
}

#[test]
fn what_a_run_has_shown_is_known() {
    let charm = || Charm::new().handlers(handlers![install, asks_a_helper, after_the_greeting]);
    let mut graph = graph_of(&charm());
    graph.seen(&Unit::of(charm()).run("install"));
    assert!(graph.findings().iter().all(|finding| finding.kind == Kind::UnansweredAction));
    let _ = tell;
}

#[when("app.installed")]
#[sets("app.other")]
fn says_something_else(flags: Flags) {
    note(&flags, "greeted");
}

#[when("app.other")]
fn after_the_other() {}

#[test]
fn a_run_that_shows_more_than_was_said_is_found() {
    let charm = || Charm::new().handlers(handlers![install, says_something_else, after_the_greeting, after_the_other]);
    let mut graph = graph_of(&charm());
    graph.seen(&Unit::of(charm()).run("install"));
    let found = graph.findings();
    let of_kind = found.iter().find(|finding| finding.kind == Kind::UndeclaredChange).unwrap();
    assert_eq!(of_kind.subject.as_deref(), Some("app.greeted"));
    assert!(of_kind.message.ends_with("`#[sets(\"app.greeted\")]`"), "{}", of_kind.message);
}

#[when_not("app.installed")]
fn sets_in_vain(flags: Flags) {
    flags.set("app.installed");
    flags.set("app.greting");
}

#[when("app.greeting")]
#[allow_finding(never_set = "app.greeting", reason = "an operator sets it")]
fn on_greeting() {}

#[test]
fn a_flag_that_nobody_reads_is_found() {
    assert_eq!(kinds(handlers![sets_in_vain, greet, on_greeting]), ["never-read app.greting"]);
    let message = message(handlers![sets_in_vain, greet, on_greeting]);
    assert_eq!(message, "nobody waits for the flag `app.greting`, which is set here; did you mean `app.greeting`?");
}

#[not_unless("app.guarded")]
fn guarded(flags: Flags) -> Result {
    Ok(())
}

#[reads("app.read")]
fn read(flags: &Flags) -> bool {
    flags.is_set(["app", "read"].join("."))
}

#[when_not("app.guarded")]
fn sets_for_guards(flags: Flags) -> Result {
    flags.set("app.guarded");
    flags.set("app.read");
    if read(&flags) { guarded(flags) } else { Ok(()) }
}

#[test]
fn guards_and_helpers_read() {
    assert!(kinds(handlers![sets_for_guards]).is_empty());
}

const INSTALLED: Flag = Flag::new("app.installed");

#[when(INSTALLED)]
#[when_not("app.installed")]
fn contradicts_by_a_constant() {}

#[when_any("app.installed", "app.greeted")]
#[when_not("app.greeted")]
#[when_not(INSTALLED)]
fn contradicts_in_all_alternatives() {}

#[test]
fn conditions_that_contradict_each_other_are_found() {
    assert_eq!(kinds(handlers![install, contradicts_by_a_constant]), ["never-runs -"]);
    let handlers = handlers![install, asks_a_helper, says_what_the_helper_does, contradicts_in_all_alternatives];
    assert_eq!(kinds(handlers), ["never-runs -"]);
}

#[when("app.never")]
#[allow_finding(never_set = "app.never", reason = "for the test")]
fn never(flags: Flags) {
    flags.set("app.later");
}

#[when("app.later")]
fn later() {}

#[test]
fn a_handler_that_waits_for_one_that_never_runs_is_found() {
    assert_eq!(
        message(handlers![never, later]),
        "`later` never runs: it waits for `app.later`, which only `never` would set, and never can"
    );
}

#[hook("logs-storage-attached")]
fn attached() {}

#[hook("data-storage-attached")]
fn data_attached() {}

#[test]
fn a_hook_of_a_storage_that_is_not_there_is_found() {
    let message = message(handlers![attached, data_attached]);
    assert_eq!(
        message,
        "`attached` never runs: it is for the hook `logs-storage-attached`, and metadata.yaml has no such storage"
    );
}

struct Website(Endpoint);

impl Interface for Website {
    const ROLE: Role = Role::Provides;
    const NAME: &'static str = "http";
    const FLAGS: &'static [&'static str] = &["{endpoint_name}.ready"];

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }

    fn register_triggers(&self, triggers: &Triggers) {
        triggers.when_not(self.0.flag("{endpoint_name}.ready")).clear(self.0.flag("{endpoint_name}.used"));
    }
}

struct Proxy(Endpoint);

impl Interface for Proxy {
    const ROLE: Role = Role::Requires;
    const NAME: &'static str = "http";
    const FLAGS: &'static [&'static str] = &["{endpoint_name}.ready"];

    fn new(endpoint: Endpoint) -> Self {
        Self(endpoint)
    }
}

#[when("endpoint.{endpoint_name}.joined")]
fn wrong_role(_website: Website) {}

#[hook("{provides:http}-relation-joined")]
fn wrong_role_of_hook(_website: Website) {}

#[when("{endpoint_name}.ready")]
fn on_ready(proxy: Proxy) {
    proxy.0.clear_flag("{endpoint_name}.ready");
}

#[test]
fn an_interface_in_a_role_that_the_charm_does_not_play_is_found() {
    assert_eq!(kinds(handlers![wrong_role, wrong_role_of_hook]), ["no-endpoint -", "no-endpoint -"]);
    let message = message(handlers![wrong_role]);
    assert!(message.ends_with("and metadata.yaml has none; `website` has it under `requires`"), "{message}");
    assert!(kinds(handlers![on_ready]).is_empty());
}

#[when("endpoint.webiste.joined")]
fn misspelt_endpoint() {}

#[when("website.redy")]
fn misspelt_flag_of_interface(_proxy: Proxy) {}

#[when("config.changed.greting")]
fn misspelt_option() {}

#[when("leadership.is_leder")]
fn misspelt_leadership() {}

#[when("config.changed.greeting", "endpoint.website.changed.port", "leadership.set.key")]
fn automatic() {}

#[test]
fn misspelt_endpoints_options_and_automatic_flags_are_found() {
    assert_eq!(kinds(handlers![misspelt_endpoint]), ["unknown-endpoint endpoint.webiste.joined"]);
    assert!(message(handlers![misspelt_endpoint]).ends_with("did you mean `website`?"));
    assert_eq!(kinds(handlers![misspelt_option]), ["unknown-option config.changed.greting"]);
    assert!(message(handlers![misspelt_option]).ends_with("did you mean `greeting`?"));
    assert!(message(handlers![misspelt_leadership]).ends_with("did you mean `leadership.is_leader`?"));
    assert!(message(handlers![misspelt_flag_of_interface]).ends_with("did you mean `website.ready`?"));
    assert!(kinds(handlers![automatic]).is_empty());
}

#[action("bakup")]
fn misspelt_action() {}

#[action("backup")]
fn backup() {}

#[test]
fn actions_without_handlers_and_handlers_without_actions_are_found() {
    let both = graph_of(&Charm::new().handlers(handlers![misspelt_action])).findings();
    assert_eq!(
        both.iter().map(|finding| finding.kind).collect::<Vec<_>>(),
        [Kind::UnansweredAction, Kind::UnknownAction]
    );
    assert_eq!(both[0].place, "actions.yaml:2");
    assert!(both.iter().all(|finding| finding.message.contains("did you mean")), "{both:#?}");
    assert!(graph_of(&Charm::new().handlers(handlers![backup])).findings().is_empty());
}

#[when("app.event")]
#[allow_finding(never_set = "app.event", reason = "for the test")]
fn takes_the_event(flags: Flags) {
    flags.clear("app.event");
}

#[when("app.event")]
#[allow_finding(never_set = "app.event", reason = "for the test")]
fn wants_the_event_too() {}

#[when("app.event", "app.installed")]
#[allow_finding(never_set = "app.event", reason = "for the test")]
fn takes_it_when_installed(flags: Flags) {
    flags.clear("app.event");
}

#[when("app.event")]
#[allow_finding(never_set = "app.event", reason = "for the test")]
fn takes_it_sometimes(flags: Flags) {
    if flags.is_set("app.installed") {
        flags.clear("app.event");
    }
}

#[test]
fn a_handler_that_takes_what_a_later_one_waits_for_is_found() {
    let handlers = handlers![takes_the_event, wants_the_event_too];
    assert_eq!(kinds(handlers), ["order-decides app.event"]);
    assert!(message(handlers).starts_with("`wants_the_event_too` never gets its turn"));
    let mut unit = Unit::new(handlers);
    unit.set_flag("app.event");
    assert_eq!(unit.run("update-status").handlers(), ["takes_the_event"]);
}

#[when("app.event")]
#[allow_finding(never_set = "app.event", reason = "for the test")]
fn wants_the_event_last() {}

#[test]
fn a_handler_that_may_run_without_the_other_is_found_too() {
    let handlers = handlers![install, takes_it_when_installed, wants_the_event_last];
    assert!(message(handlers).contains("does not run in a round in which `takes_it_when_installed`"));
    assert!(kinds(handlers![install, takes_it_sometimes, wants_the_event_last]).is_empty());
}

#[only_once]
#[when("app.a")]
#[clears("app.b")]
fn breaks_it(context: Context) {
    let _ = context;
}

#[hook("install")]
fn begin(flags: Flags) {
    flags.set("app.a");
}

#[when("app.a")]
fn a_to_b(flags: Flags) {
    flags.clear("app.a");
    flags.set("app.b");
}

#[when("app.b")]
fn b_to_a(flags: Flags) {
    flags.clear("app.b");
    flags.set("app.a");
}

#[when("app.b")]
fn b_to_a_sometimes(flags: Flags) {
    flags.clear("app.b");
    if flags.is_set("app.again") {
        flags.set("app.a");
    }
}

#[when_file_changed("again")]
#[sets("app.again")]
fn again(context: Context) {
    let _ = context;
}

#[test]
fn handlers_that_wake_each_other_without_end_are_found() {
    let handlers = handlers![begin, a_to_b, b_to_a];
    assert_eq!(kinds(handlers), ["never-settles -"]);
    assert_eq!(
        message(handlers),
        "flags never settle, once `app.a` is set, and the hook fails: `b_to_a` -app.b +app.a; then `a_to_b` -app.a +app.b; \
         and so on"
    );
    assert!(Unit::new(handlers).try_run("install").error.unwrap().contains("settle"));
}

#[test]
fn a_cycle_that_nobody_begins_never_runs() {
    assert_eq!(kinds(handlers![a_to_b, b_to_a]), ["never-runs -", "never-runs -"]);
    assert!(Unit::new(handlers![a_to_b, b_to_a]).run("install").handlers().is_empty());
}

#[test]
fn what_may_end_a_cycle_makes_it_no_finding() {
    assert!(kinds(handlers![begin, a_to_b, b_to_a_sometimes, again]).is_empty());
    assert!(kinds(handlers![begin, a_to_b, b_to_a, breaks_it]).is_empty());
}

#[test]
fn triggers_are_known() {
    let charm = |triggers: fn(&Triggers)| Charm::new().handlers(handlers![begin, a_to_b, greet]).triggers(triggers);
    let charm = charm(|triggers| {
        triggers.when("app.b").clear("app.b").set("app.a");
        triggers.when("app.strated").set("app.installed");
    });
    let found = graph_of(&charm).findings();
    let shown: Vec<String> =
        found.iter().filter_map(|finding| Some(format!("{} {}", finding.kind, finding.subject.as_ref()?))).collect();
    assert!(shown.contains(&"never-set app.strated".to_owned()), "{shown:?}");
    assert!(
        !shown.iter().any(|finding| finding.contains("app.installed") || finding.contains("never-read")),
        "{shown:?}"
    );
    assert!(found.iter().any(|finding| finding.kind == Kind::NeverSettles), "{found:#?}");
}

#[when("app.installed")]
#[allow_finding(never_set = "app.gone", reason = "it was needed once")]
fn allows_nothing() {}

#[test]
fn an_allowance_that_allows_nothing_is_found() {
    assert_eq!(kinds(handlers![install, allows_nothing]), ["unused-allowance -"]);
    assert!(message(handlers![install, allows_nothing]).contains("`never-set` of `app.gone`"));
}

#[test]
fn flags_in_handlers_of_other_languages_are_mentioned() {
    let script =
        "#!/bin/bash\nsource charms.reactive.sh\n@when app.greting\nfunction f() {\n set_flag app.greeted\n}\n";
    let directory = directory(&[("reactive/x.sh", script)]);
    let charm = Charm::new().handlers(handlers![sets_in_vain, greet, after_the_greeting]);
    let found = charm.graph(directory.path()).unwrap().findings();
    assert_eq!(found[0].kind, Kind::NotExecutable);
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(directory.path().join("reactive/x.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(charm.graph(directory.path()).unwrap().findings().is_empty());
}

#[test]
fn a_charm_that_cannot_be_read_is_an_error_that_says_why() {
    let error = |files: &[(&str, &str)]| {
        let directory = directory(files);
        match Charm::new().handlers(handlers![install]).graph(directory.path()) {
            Ok(_) => panic!("it was read"),
            Err(error) => crate::error::describe(&error),
        }
    };
    assert!(error(&[("metadata.yaml", "name: [\n")]).contains("metadata.yaml"));
    assert!(error(&[("metadata.yaml", "name: App 1\n")]).ends_with("`App 1` is no name for a charm"));
    assert!(error(&[("actions.yaml", "- a\n")]).contains("actions.yaml"));
    assert!(error(&[("config.yaml", "options: 7\n")]).contains("config.yaml"));
    let nothing = tempfile::tempdir().unwrap();
    let error = Charm::new().handlers(handlers![install]).graph(nothing.path()).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
}
