//! Contract section 6, and what section 1.2 says of the process.

use std::collections::BTreeMap;
use std::fs;

use crate::support::Charm;
use zkpeer_core::testing::{HookRun, UnitAgent};

/// A charm that writes its environment, arguments and directory to a file.
const DUMP: &str = "env -0 > environment; echo \"$0 $#\" > arguments; pwd -P > directory; cat > stdin";

/// The environment as the charm's process saw it; the shell's own additions are left out.
fn seen(agent: &UnitAgent) -> BTreeMap<String, String> {
    let bytes = fs::read(agent.charm_dir().join("environment")).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let own = ["PWD", "OLDPWD", "SHLVL", "_"];
    text.split('\0')
        .filter_map(|entry| entry.split_once('='))
        .filter(|(name, _)| !own.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

const ALWAYS: &[&str] = &[
    "APT_LISTCHANGES_FRONTEND",
    "CHARM_DIR",
    "CLOUD_API_VERSION",
    "DEBIAN_FRONTEND",
    "JUJU_AGENT_SOCKET_ADDRESS",
    "JUJU_AGENT_SOCKET_NETWORK",
    "JUJU_API_ADDRESSES",
    "JUJU_AVAILABILITY_ZONE",
    "JUJU_CHARM_DIR",
    "JUJU_CHARM_FTP_PROXY",
    "JUJU_CHARM_HTTPS_PROXY",
    "JUJU_CHARM_HTTP_PROXY",
    "JUJU_CHARM_NO_PROXY",
    "JUJU_CONTEXT_ID",
    "JUJU_DISPATCH_PATH",
    "JUJU_HOOK_NAME",
    "JUJU_MACHINE_ID",
    "JUJU_MODEL_NAME",
    "JUJU_MODEL_UUID",
    "JUJU_PRINCIPAL_UNIT",
    "JUJU_SLA",
    "JUJU_UNIT_NAME",
    "JUJU_VERSION",
    "LANG",
    "PATH",
    "TERM",
    "ZKPEER_REPORT",
    "ZKPEER_ROOT",
];

fn check(agent: &UnitAgent, run: &HookRun, more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let seen = seen(agent);
    assert_eq!(seen, run.environment, "the charm sees what the agent gives, and nothing else");
    let mut expected: Vec<&str> = ALWAYS.iter().copied().chain(more.iter().map(|(name, _)| *name)).collect();
    expected.sort_unstable();
    assert_eq!(seen.keys().map(String::as_str).collect::<Vec<_>>(), expected);
    for (name, value) in more {
        assert_eq!(seen[*name], *value, "{name}");
    }
    seen
}

#[test]
fn c6_1_plain_hook() {
    let charm = Charm::dispatch(DUMP);
    let mut agent = charm.agent();
    let run = agent.run_hook("install").unwrap();
    let seen = check(&agent, &run, &[]);
    assert_eq!(seen["JUJU_HOOK_NAME"], "install");
    assert_eq!(seen["JUJU_DISPATCH_PATH"], "hooks/install");
    assert_eq!(seen["JUJU_UNIT_NAME"], "hello/0");
    assert_eq!(seen["JUJU_VERSION"], "3.6.25");
    assert_eq!(seen["JUJU_CHARM_DIR"], agent.charm_dir().to_str().unwrap());
    assert!(seen["JUJU_CHARM_DIR"].ends_with("/agents/unit-hello-0/charm"));
    assert_eq!(seen["JUJU_AGENT_SOCKET_NETWORK"], "unix");
    assert!(seen["PATH"].split(':').next().unwrap().ends_with("/tools/unit-hello-0"));
    assert!(seen["JUJU_CONTEXT_ID"].starts_with("hello/0-install-"));
    for empty in ["JUJU_CHARM_HTTP_PROXY", "JUJU_CHARM_NO_PROXY", "JUJU_PRINCIPAL_UNIT"] {
        assert_eq!(seen[empty], "", "{empty} is set, but empty");
    }
}

#[test]
fn c1_2_the_process() {
    let charm = Charm::dispatch(DUMP);
    let mut agent = charm.agent();
    agent.run_hook("install").unwrap();
    let directory = agent.charm_dir().to_str().unwrap().to_owned();
    let read = |name: &str| fs::read_to_string(agent.charm_dir().join(name)).unwrap();
    assert_eq!(read("arguments"), format!("{directory}/dispatch 0\n"));
    assert_eq!(read("directory"), format!("{directory}\n"));
    assert_eq!(read("stdin"), "");
}

#[test]
fn c6_2_relation_hooks() {
    let charm = Charm::dispatch(DUMP);
    let mut agent = charm.agent();
    agent.run_hook("install").unwrap();
    let relation = [("JUJU_RELATION", "zkpeer"), ("JUJU_RELATION_ID", "zkpeer:0"), ("JUJU_REMOTE_APP", "hello")];
    let with = |more: &[(&'static str, &'static str)]| [&relation[..], more].concat();

    let run = agent.run_hook("zkpeer-relation-created").unwrap();
    check(&agent, &run, &with(&[("JUJU_REMOTE_UNIT", "")]));
    agent.deploy().unwrap();

    agent.add_peer("zkpeer", "hello/1", &[]).unwrap();
    let run = agent.step().unwrap().unwrap();
    let seen = check(&agent, &run, &with(&[("JUJU_REMOTE_UNIT", "hello/1")]));
    assert_eq!(seen["JUJU_HOOK_NAME"], "zkpeer-relation-joined");
    agent.settle().unwrap();

    agent.change_app("zkpeer", "hello", &[("a", "1")]).unwrap();
    let run = agent.step().unwrap().unwrap();
    let seen = check(&agent, &run, &with(&[("JUJU_REMOTE_UNIT", "")]));
    assert_eq!(seen["JUJU_HOOK_NAME"], "zkpeer-relation-changed");

    agent.remove_peer("hello/1").unwrap();
    let run = agent.step().unwrap().unwrap();
    check(&agent, &run, &with(&[("JUJU_REMOTE_UNIT", "hello/1"), ("JUJU_DEPARTING_UNIT", "hello/1")]));
}

#[test]
fn c6_2_broken_has_an_empty_remote_unit_and_the_leaving_unit_departs_as_itself() {
    let charm = Charm::dispatch(DUMP);
    let mut agent = charm.agent();
    agent.deploy().unwrap();
    let client = agent.relate("client", "kafka").unwrap();
    agent.add_remote(&client, "kafka/0", &[]).unwrap();
    agent.settle().unwrap();
    agent.remove();
    let relation = [("JUJU_RELATION", "client"), ("JUJU_RELATION_ID", "client:1"), ("JUJU_REMOTE_APP", "kafka")];
    let run = agent.step().unwrap().unwrap();
    let more = [("JUJU_REMOTE_UNIT", "kafka/0"), ("JUJU_DEPARTING_UNIT", "hello/0")];
    check(&agent, &run, &[&relation[..], &more].concat());
    let run = agent.step().unwrap().unwrap();
    check(&agent, &run, &[&relation[..], &[("JUJU_REMOTE_UNIT", "")]].concat());
}

#[test]
fn c6_2_actions() {
    let charm = Charm::dispatch(DUMP);
    let mut agent = charm.agent();
    agent.deploy().unwrap();
    let report = agent.run_action("backup", &[]).unwrap();
    let more = [("JUJU_ACTION_NAME", "backup"), ("JUJU_ACTION_UUID", "1"), ("JUJU_ACTION_TAG", "action-1")];
    let seen = check(&agent, &report.run, &more);
    assert_eq!(seen["JUJU_HOOK_NAME"], "", "set, but empty");
    assert_eq!(seen["JUJU_DISPATCH_PATH"], "actions/backup");
}

#[test]
fn c6_1_juju_4() {
    let charm = Charm::dispatch(DUMP);
    let mut agent = charm.builder().juju("4.0.14").build().unwrap();
    agent.run_hook("install").unwrap();
    let seen = seen(&agent);
    assert!(!seen.contains_key("JUJU_SLA"));
    assert_eq!(seen["JUJU_CHARM_TRACE_CONFIG_HTTP"], "");
}

#[test]
fn c1_5_restricted_hooks_have_a_reduced_environment() {
    let charm = Charm::dispatch("env -0 > environment; juju-log fine; is-leader");
    let mut agent = charm.builder().juju("3.6.9").build().unwrap();
    agent.deploy().unwrap();
    let run = agent.run_hook("collect-metrics").unwrap();
    let seen = seen(&agent);
    for missing in ["JUJU_VERSION", "JUJU_MODEL_NAME", "JUJU_MODEL_UUID", "JUJU_HOOK_NAME", "JUJU_API_ADDRESSES"] {
        assert!(!seen.contains_key(missing), "{missing}");
    }
    assert_eq!(seen["JUJU_DISPATCH_PATH"], "hooks/collect-metrics");
    assert_eq!((run.commands[0].code, run.commands[1].code), (0, 1));
    assert!(run.commands[1].stderr.contains("not implemented for restricted context"));
    assert!(agent.failed().is_none(), "a restricted hook that fails is logged, and nothing else");
    let mut agent = charm.builder().juju("3.6.25").build().unwrap();
    agent.deploy().unwrap();
    assert!(agent.run_hook("collect-metrics").is_err());
}
