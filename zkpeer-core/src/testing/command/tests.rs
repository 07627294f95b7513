//! Hook commands against a small model: what they print, refuse, buffer and leave behind.

use std::fs;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::{Answer, COMMANDS, Files, Output, Request, answer, names};
use crate::juju::{RelationId, UnitName};
use crate::testing::agent::Agent;
use crate::testing::charm::{CharmFiles, StorageKind};
use crate::testing::controller::Controller;
use crate::testing::hook::{Hook, RelationHook, RelationKind, StorageHook};
use crate::testing::run::{Reboot, Run};
use crate::testing::value::Value;

/// zk/0, leader, with zk/1 and a related kafka/0.
struct World {
    controller: Controller,
    charm: Rc<CharmFiles>,
    directory: tempfile::TempDir,
}

/// One hook of one unit.
struct InHook<'w> {
    world: &'w mut World,
    agent: Agent,
    run: Run,
    stdin: Option<Vec<u8>>,
}

const METADATA: &str = "\
name: zk
summary: s
description: d
peers: {zkpeer: {interface: q}}
provides: {client: {interface: zookeeper}}
requires: {zookeeper: {interface: zookeeper}}
";
const PEERS: u32 = 0;
const CLIENT: u32 = 1;

impl World {
    fn new(juju: &str) -> Self {
        Self::of(juju, "")
    }

    /// With more in metadata.yaml.
    fn of(juju: &str, more: &str) -> Self {
        let charm = Rc::new(CharmFiles::from_texts(&format!("{METADATA}{more}\n"), None, None).unwrap());
        let mut controller = Controller::new(juju.parse().unwrap());
        controller.application("zk").charm = Rc::clone(&charm);
        controller.add_relation(&[("zk", "zkpeer")]);
        controller.add_relation(&[("zk", "client"), ("kafka", "zookeeper")]);
        for name in ["zk/0", "zk/1", "kafka/0"] {
            let unit: UnitName = name.parse().unwrap();
            controller.add_unit(&unit, None);
            controller.enter(&unit, CLIENT);
            if unit.application() == "zk" {
                controller.enter(&unit, PEERS);
            }
        }
        controller.application("zk").leader = Some("zk/0".parse().unwrap());
        Self { controller, charm, directory: tempfile::tempdir().unwrap() }
    }

    fn hook(&mut self, unit: &str, hook: Hook) -> InHook<'_> {
        let mut agent = Agent::new(unit.parse().unwrap(), 0, Rc::clone(&self.charm));
        agent.installed = true;
        agent.look(&mut self.controller);
        let run = Run::begin(hook, "zk/0-hook-1".to_owned(), Value::Null, &self.controller, &mut agent);
        InHook { world: self, agent, run, stdin: None }
    }

    fn plain(&mut self, unit: &str) -> InHook<'_> {
        self.hook(unit, Hook::plain("config-changed"))
    }

    /// Runs one command in a hook of its own, which is committed.
    fn once(&mut self, unit: &str, command: &str) -> String {
        let mut hook = self.plain(unit);
        let printed = hook.ok(command);
        hook.commit().unwrap();
        printed
    }

    fn relation_hook(&mut self, kind: RelationKind, remote: Option<&str>) -> InHook<'_> {
        let relation = RelationId { endpoint: "client".to_owned(), number: CLIENT };
        let (unit, app) = (remote.map(|unit| unit.parse().unwrap()), "kafka".to_owned());
        self.hook("zk/0", Hook::Relation(RelationHook { kind, relation, app, unit, departing: None, version: 0 }))
    }
}

impl InHook<'_> {
    /// The words of the command are separated by single spaces.
    fn done(&mut self, command: &str) -> Output {
        let mut words = command.split(' ').map(str::to_owned);
        let request = Request {
            context_id: self.run.context_id.clone().into(),
            directory: self.world.directory.path().to_str().unwrap().to_owned().into(),
            name: words.next().unwrap().into(),
            args: words.collect(),
            stdin: self.stdin.clone().map(Into::into),
        };
        let world = &mut *self.world;
        let resources = world.directory.path().join("resources");
        let files = Files { charm: &world.charm, resources: &resources };
        match answer(&request, &mut self.run, &mut world.controller, &mut self.agent, &files) {
            Answer::Done(output) => output,
            Answer::Refused(why) => Output { code: 1, stderr: format!("ERROR {why}\n"), ..Output::default() },
        }
    }

    fn ok(&mut self, command: &str) -> String {
        let output = self.done(command);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{command}");
        output.stdout
    }

    /// The exit code and the text of a command that fails.
    fn fails(&mut self, command: &str) -> (i32, String) {
        let output = self.done(command);
        assert_eq!(output.stdout, "", "{command}");
        let text = output.stderr.strip_prefix("ERROR ").unwrap_or_else(|| panic!("{command} did not fail"));
        (output.code, text.trim_end().to_owned())
    }

    fn commit(self) -> Result<(), String> {
        self.run.commit(&mut self.world.controller)
    }
}

fn fails(code: i32, text: &str) -> (i32, String) {
    (code, text.to_owned())
}

fn write(directory: &Path, name: &str, text: &str) {
    fs::write(directory.join(name), text).unwrap();
}

#[test]
fn c8_every_version_has_its_commands_and_no_others() {
    let has = |juju: &str, name: &str| names(&juju.parse().unwrap()).contains(&name);
    for (name, from, until) in [
        ("secret-get", "3.0.0", "4.0.14"),
        ("relation-model-get", "3.6.1", "4.0.14"),
        ("add-metric", "2.9.0", "3.6.9"),
        ("payload-register", "2.9.0", "3.6.25"),
        ("k8s-raw-get", "2.9.0", "3.6.25"),
        ("pod-spec-set", "2.9.0", "3.6.25"),
        ("leader-get", "2.9.0", "3.6.25"),
    ] {
        assert!(has(from, name) && has(until, name), "{name}");
    }
    assert!(!has("2.9.52", "secret-get") && !has("3.6.0", "relation-model-get") && !has("3.6.10", "add-metric"));
    assert!(!has("4.0.0", "payload-register") && !has("4.0.0", "k8s-raw-get") && !has("4.0.0", "pod-spec-set"));
    assert!(COMMANDS.is_sorted_by_key(|command| command.name));
    let mut world = World::new("2.9.52");
    assert_eq!(world.plain("zk/0").fails("secret-ids"), fails(1, "bad request: unknown command: secret-ids"));
}

#[test]
fn c9_1_the_default_unit_is_the_hook_s_whatever_the_relation() {
    let mut world = World::new("3.6.25");
    let mut hook = world.relation_hook(RelationKind::Changed, Some("kafka/0"));
    assert_eq!(hook.fails("relation-get -r zkpeer:0"), fails(1, "permission denied"));
    assert_eq!(hook.fails("relation-get -  x"), fails(2, "invalid unit name \"\""));
    let mut hook = world.relation_hook(RelationKind::Created, None);
    assert_eq!(hook.ok("relation-get"), "{}\n");
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.fails("relation-get -r 1"), fails(2, "no unit or application specified"));
    assert_eq!(hook.fails("relation-get -r 1 - kafka"), fails(2, "expected unit name, got application name \"kafka\""));
}

#[test]
fn c9_5_relation_model_get_names_the_model_of_the_other_side() {
    let mut world = World::new("3.6.25");
    let uuid = world.controller.uuid.clone();
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.ok("relation-model-get -r 1 --format json"), format!("{{\"uuid\":\"{uuid}\"}}\n"));
    assert_eq!(hook.fails("relation-model-get"), fails(2, "no relation id specified"));
}

#[test]
fn c9_11_and_c9_14_structures_keep_their_order() {
    let mut world = World::new("3.6.25");
    world.controller.now += Duration::from_secs(90);
    world.once("zk/1", "status-set active");
    let mut hook = world.plain("zk/0");
    assert_eq!(
        hook.ok("network-get zkpeer --format json"),
        "{\"bind-addresses\":[{\"mac-address\":\"00:16:3e:00:00:04\",\"interface-name\":\"eth0\",\
         \"addresses\":[{\"hostname\":\"\",\"value\":\"10.0.0.4\",\"cidr\":\"10.0.0.0/24\"}]}],\
         \"egress-subnets\":[\"10.0.0.4/32\"],\"ingress-addresses\":[\"10.0.0.4\"]}\n"
    );
    assert_eq!(
        hook.ok("goal-state --format json"),
        "{\"units\":{\"zk/0\":{\"status\":\"waiting\",\"since\":\"2024-05-01 10:00:00Z\"},\
         \"zk/1\":{\"status\":\"active\",\"since\":\"2024-05-01 10:01:30Z\"}},\
         \"relations\":{\"client\":{\"kafka\":{\"status\":\"joined\",\"since\":\"2024-05-01 10:00:00Z\"},\
         \"kafka/0\":{\"status\":\"waiting\",\"since\":\"2024-05-01 10:00:00Z\"}}}}\n"
    );
}

#[test]
fn c9_12_secret_add_prints_the_uri_and_the_hook_reads_it() {
    let mut world = World::new("3.6.25");
    let mut hook = world.plain("zk/0");
    let uri = hook.ok("secret-add password=s3cret key-1#base64=AA== --label db");
    let uri = uri.trim_end();
    assert!(uri.starts_with("secret:") && uri.len() == 27, "{uri}");
    assert_eq!(hook.ok(&format!("secret-get {uri} password")), "s3cret\n");
    assert_eq!(hook.ok(&format!("secret-get {uri} key-1#base64 --format json")), "\"AA==\"\n");
    assert_eq!(hook.ok("secret-get --label db --format json"), "{\"key-1\":\"\\u0000\",\"password\":\"s3cret\"}\n");
    assert_eq!(hook.fails(&format!("secret-get {uri} other")), fails(1, "secret key value \"other\" not found"));
    assert_eq!(hook.fails("secret-add abc=d --label db"), fails(1, "secret with label \"db\" already exists"));
    // Dropped with the hook: nothing was committed.
    let id = &uri[7..];
    let text = format!("secret \"{id}\" not found");
    assert_eq!(world.plain("zk/0").fails(&format!("secret-get {uri}")), (1, text));
}

#[test]
fn c9_12_what_secret_add_refuses() {
    let mut world = World::new("3.6.25");
    let mut hook = world.plain("zk/0");
    for (command, text) in [
        ("secret-add", "missing secret value or filename"),
        ("secret-add key=", "key value \"key=\" not valid"),
        ("secret-add ab=x", "key \"ab\" not valid"),
        ("secret-add Abc=x", "key \"Abc\" not valid"),
        ("secret-add a--bc=x", "key \"a--bc\" not valid"),
        ("secret-add abc=x --rotate often", "rotate policy \"often\" not valid"),
        ("secret-add abc=x --expire soon", "expire time or duration \"soon\" not valid"),
        ("secret-add abc=x --expire -1h", "negative expire duration \"-1h\" not valid"),
        ("secret-add abc=x --owner me", "secret owner \"me\" not valid"),
        ("secret-set", "missing secret URI"),
        ("secret-set x", "secret URI \"x\" not valid"),
        ("secret-get", "require either a secret URI or label"),
        ("secret-get --label a --peek --refresh", "specify one of --peek or --refresh but not both"),
        ("secret-grant secret:9m4e2mr0ui3e8a215n4g", "no relation id specified"),
        ("secret-revoke secret:9m4e2mr0ui3e8a215n4g", "missing relation or application or unit"),
        (
            "secret-remove secret:9m4e2mr0ui3e8a215n4g --revision x",
            "invalid value \"x\" for option --revision: strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
    ] {
        assert_eq!(hook.fails(command), fails(2, text), "{command}");
    }
    let long = format!("secret-add abc={}", "x".repeat(750_001));
    assert_eq!(hook.fails(&long), fails(2, "secret content for key \"abc\" too large: 1000004 bytes"));
    assert_eq!(world.plain("zk/1").fails("secret-add abc=x"), fails(1, "this unit is not the leader"));
    world.once("zk/1", "secret-add --owner unit abc=x");
}

#[test]
fn c9_12_content_comes_from_files_too() {
    let mut world = World::new("3.6.25");
    write(world.directory.path(), "all.yaml", "abc: from file\nnum: 1.50\n");
    write(world.directory.path(), "one", "line\n");
    let mut hook = world.plain("zk/0");
    let uri = hook.ok("secret-add --file all.yaml abc=argument key#file=one");
    let content = hook.ok(&format!("secret-get {} --format json", uri.trim_end()));
    assert_eq!(content, "{\"abc\":\"from file\",\"key\":\"line\\n\",\"num\":\"1.50\"}\n");
    let (code, text) = hook.fails("secret-add key#file=none");
    assert!(code == 2 && text.starts_with("reading content for secret key \"key\": open "), "{text}");
}

/// A secret of the application, granted to kafka.
fn granted(world: &mut World) -> String {
    let mut hook = world.plain("zk/0");
    let uri = hook.ok("secret-add abc=one --label own").trim_end().to_owned();
    hook.ok(&format!("secret-grant {uri} -r 1"));
    hook.commit().unwrap();
    uri
}

#[test]
fn c9_12_a_secret_is_pinned_at_the_first_read() {
    let mut world = World::new("3.6.25");
    let uri = granted(&mut world);
    let read = |world: &mut World, options: &str| world.once("kafka/0", &format!("secret-get {uri} abc{options}"));
    assert_eq!(read(&mut world, " --peek"), "one\n");
    assert_eq!(read(&mut world, " --label theirs"), "one\n");
    world.once("zk/0", &format!("secret-set {uri} abc=two"));
    assert_eq!(world.once("kafka/0", "secret-get --label theirs"), "abc: one\n");
    assert_eq!(read(&mut world, " --peek"), "two\n");
    assert_eq!(read(&mut world, ""), "one\n");
    assert_eq!(read(&mut world, " --refresh"), "two\n");
    assert_eq!(read(&mut world, ""), "two\n");
}

#[test]
fn c9_12_an_update_of_the_hook_shows_with_peek_and_refresh_only() {
    let mut world = World::new("3.6.25");
    let uri = granted(&mut world);
    let mut hook = world.plain("zk/0");
    hook.ok(&format!("secret-set {uri} abc=two"));
    hook.ok(&format!("secret-set {uri} abc=three"));
    assert_eq!(hook.ok(&format!("secret-get {uri} abc")), "one\n");
    assert_eq!(hook.ok(&format!("secret-get {uri} abc --peek")), "three\n");
    assert_eq!(hook.ok(&format!("secret-get {uri} abc --refresh")), "three\n");
    assert_eq!(hook.ok(&format!("secret-get {uri} abc")), "three\n");
    hook.commit().unwrap();
    let secret = world.controller.secrets.get(&uri[7..]).unwrap();
    assert_eq!((secret.latest, secret.consumers.values().next().unwrap().revision), (2, 2));
}

#[test]
fn c9_12_only_owners_and_whom_it_is_granted_to_read_a_secret() {
    let mut world = World::new("3.6.25");
    let uri = granted(&mut world);
    assert_eq!(world.once("zk/1", &format!("secret-get {uri} abc")), "one\n");
    world.once("zk/0", &format!("secret-revoke {uri} --app kafka"));
    assert_eq!(world.plain("kafka/0").fails(&format!("secret-get {uri}")), fails(1, "permission denied"));
    world.once("zk/0", &format!("secret-grant {uri} -r 1 --unit kafka/0"));
    assert_eq!(world.once("kafka/0", &format!("secret-get {uri} abc")), "one\n");
    let mut hook = world.plain("zk/0");
    let text = "any unit level grants need to be revoked before granting access to the corresponding application";
    assert_eq!(hook.fails(&format!("secret-grant {uri} -r 1")), fails(1, text));
    let text = "cannot specify unit \"zk/1\" in relation to application \"kafka\"";
    assert_eq!(hook.fails(&format!("secret-grant {uri} -r 1 --unit zk/1")), fails(2, text));
    drop(hook);
    world.controller.relations.remove(&CLIENT);
    assert_eq!(world.plain("kafka/0").fails(&format!("secret-get {uri}")), fails(1, "permission denied"));
}

#[test]
fn c9_12_only_the_owner_changes_a_secret() {
    let mut world = World::new("3.6.25");
    let uri = granted(&mut world);
    for command in
        [format!("secret-set {uri} abc=x"), format!("secret-remove {uri}"), format!("secret-revoke {uri} --app a")]
    {
        assert_eq!(world.plain("zk/1").fails(&command), fails(1, "this unit is not the leader"));
        let mut hook = world.plain("kafka/0");
        hook.ok(&command);
        assert_eq!(hook.commit().unwrap_err(), "permission denied");
    }
    let mut hook = world.plain("zk/0");
    hook.ok(&format!("secret-set {uri} abc=x"));
    hook.world.controller.application("zk").leader = None;
    assert!(hook.commit().unwrap_err().contains("not the leader"));
}

#[test]
fn c9_12_ids_and_metadata_of_what_the_unit_owns() {
    let mut world = World::new("3.6.25");
    assert_eq!(world.once("zk/0", "secret-ids --format json"), "null\n");
    assert_eq!(world.once("zk/0", "secret-ids"), "");
    let uri = granted(&mut world);
    let id = &uri[7..];
    world.once("zk/0", &format!("secret-set {uri} --rotate daily --expire 24h --description words"));
    assert_eq!(world.once("zk/0", "secret-ids --format json"), format!("[\"{id}\"]\n"));
    assert_eq!(world.once("zk/1", "secret-ids"), "");
    let access =
        "{\"target\":\"application-kafka\",\"scope\":\"relation-zk.client#kafka.zookeeper\",\"role\":\"view\"}";
    assert_eq!(
        world.once("zk/0", "secret-info-get --label own --format json"),
        format!(
            "{{\"{id}\":{{\"revision\":1,\"label\":\"own\",\"owner\":\"application\",\"description\":\"words\",\
             \"rotation\":\"daily\",\"expiry\":\"2024-05-02T10:00:00Z\",\"rotates\":\"2024-05-02T10:00:00Z\",\
             \"access\":[{access}]}}}}\n"
        )
    );
    assert!(world.once("zk/0", &format!("secret-info-get {uri}")).contains("\n  expiry: 2024-05-02T10:00:00Z\n"));
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.fails("secret-info-get --label no"), fails(1, "secret \"no\" not found"));
    let both = "specify either a secret URI or label but not both";
    assert_eq!(hook.fails(&format!("secret-info-get {uri} --label own")), fails(2, both));
}

#[test]
fn c9_12_the_order_of_ids_is_not_the_same_in_every_hook() {
    let mut world = World::new("3.6.25");
    for _ in 0..8 {
        world.once("zk/0", "secret-add abc=x");
    }
    let mut order = |context: &str| {
        let mut hook = world.plain("zk/0");
        hook.run.context_id = context.to_owned();
        hook.ok("secret-ids")
    };
    assert_eq!(order("a"), order("a"));
    assert_ne!(order("a"), order("b"));
}

#[test]
fn c9_12_a_secret_is_removed_by_revision_or_whole() {
    let mut world = World::new("3.6.25");
    let uri = granted(&mut world);
    world.once("kafka/0", &format!("secret-get {uri} abc"));
    world.once("zk/0", &format!("secret-set {uri} abc=two"));
    world.once("zk/0", &format!("secret-remove {uri} --revision 1"));
    let gone = format!("secret revision \"{}/1\" not found", &uri[7..]);
    assert_eq!(world.plain("kafka/0").fails(&format!("secret-get {uri}")), (1, gone));
    world.once("zk/0", &format!("secret-remove {uri}"));
    let gone = format!("secret \"{}\" not found", &uri[7..]);
    assert_eq!(world.plain("zk/0").fails(&format!("secret-get {uri}")), (1, gone));
}

#[test]
fn c2_1_secrets_stay_when_the_rest_is_refused_until_4_0_12() {
    for (juju, kept) in [("3.6.25", true), ("4.0.11", true), ("4.0.12", false)] {
        let mut world = World::new(juju);
        let mut hook = world.plain("zk/0");
        let uri = hook.ok("secret-add --owner unit abc=x");
        hook.ok("relation-set --app -r 0 a=b");
        hook.world.controller.application("zk").leader = None;
        assert!(hook.commit().is_err());
        assert_eq!(world.controller.secrets.get(&uri.trim_end()[7..]).is_some(), kept, "{juju}");
    }
}

#[test]
fn c9_15_storage_is_listed_and_shown() {
    let mut world = World::of("3.6.25", "storage: {data: {type: filesystem, location: /srv/data}}");
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.ok("storage-list"), "data/0\n");
    assert_eq!(hook.ok("storage-list --format json other"), "[]\n");
    let shown = "{\"kind\":\"filesystem\",\"location\":\"/srv/data\"}\n";
    assert_eq!(hook.ok("storage-get -s data/0 --format json"), shown);
    assert_eq!(hook.ok("storage-get -s data/0 location"), "/srv/data\n");
    assert_eq!(hook.fails("storage-get"), fails(2, "no storage instance specified"));
    let wrong = "invalid value \"x\" for option -s: invalid storage ID \"x\"";
    assert_eq!(hook.fails("storage-get -s x"), fails(2, wrong));
    assert_eq!(hook.fails("storage-get -s data/0 size"), fails(1, "invalid storage attribute \"size\""));
    drop(hook);
    let storage = StorageHook {
        detaching: false,
        id: "data/0".to_owned(),
        location: "/srv/data".to_owned(),
        kind: StorageKind::Filesystem,
    };
    assert_eq!(world.hook("zk/0", Hook::Storage(storage)).ok("storage-get --format json"), shown);
}

#[test]
fn c9_15_storage_add_waits_for_the_commit() {
    let mut world = World::of("3.6.25", "storage: {data: {type: block, multiple: {range: 1-3}}}");
    let mut hook = world.plain("zk/0");
    hook.ok("storage-add data=2");
    assert_eq!(hook.ok("storage-list"), "data/0\n");
    hook.commit().unwrap();
    assert_eq!(world.once("zk/0", "storage-list"), "data/0\ndata/2\ndata/3\n");
    for (command, why) in [("storage-add data", "at most 3 instances"), ("storage-add disk", "\"disk\" not found")] {
        let mut hook = world.plain("zk/0");
        hook.ok(command);
        let refused = hook.commit().unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    let mut hook = world.plain("zk/0");
    for (command, text) in [
        ("storage-add", "storage add requires a storage directive"),
        ("storage-add data=1G", "only count can be specified for \"data\""),
        ("storage-add data data", "storage \"data\" specified more than once"),
        ("storage-add =1", "expected \"name=constraints\" or \"name\", got \"=1\""),
    ] {
        assert_eq!(hook.fails(command), fails(2, text));
    }
}

#[test]
fn c9_15_resource_get_prints_a_path_without_a_newline() {
    let mut world = World::of("3.6.25", "resources: {server: {type: file, filename: s.tgz}}");
    write(world.directory.path(), "given", "content");
    let given = world.directory.path().join("given");
    world.controller.application("zk").resources.insert("server".to_owned(), given);
    let path = world.directory.path().join("resources/server/s.tgz");
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.ok("resource-get server"), path.to_str().unwrap());
    assert_eq!(fs::read_to_string(path).unwrap(), "content");
    assert_eq!(hook.fails("resource-get"), fails(2, "missing required resource name"));
    let (code, text) = hook.fails("resource-get other");
    assert!(code == 1 && text.starts_with("could not download resource: "), "{text}");
}

#[test]
fn c9_15_credential_get_needs_trust() {
    let mut world = World::new("3.6.25");
    let (code, text) = world.plain("zk/0").fails("credential-get");
    assert!(code == 1 && text.starts_with("cannot access cloud credentials: "), "{text}");
    world.controller.application("zk").trust = true;
    let shown = world.once("zk/0", "credential-get --format json");
    assert!(shown.starts_with("{\"type\":\"lxd\",\"name\":\"localhost\""), "{shown}");
}

#[test]
fn c9_16_juju_reboot_is_noted_and_not_for_actions() {
    let mut world = World::new("3.6.25");
    let mut hook = world.plain("zk/0");
    hook.ok("juju-reboot");
    assert_eq!(hook.run.reboot, Some(Reboot::After));
    hook.ok("juju-reboot --now");
    assert_eq!(hook.run.reboot, Some(Reboot::Now));
    drop(hook);
    let mut action = world.hook("zk/0", Hook::Action { id: 1, name: "backup".to_owned() });
    let text = "juju-reboot is not supported when running an action.";
    assert_eq!((action.fails("juju-reboot"), action.run.reboot), (fails(1, text), None));
}

#[test]
fn c9_17_add_metric_is_for_collect_metrics_only() {
    let mut world = World::new("3.6.9");
    let mut hook = world.hook("zk/0", Hook::plain("collect-metrics"));
    hook.ok("add-metric users=3 -l a=b,c=d");
    assert_eq!((hook.run.metrics.len(), hook.run.metrics[0].labels.len()), (1, 2));
    assert_eq!(hook.fails("add-metric"), fails(2, "no metrics specified"));
    assert_eq!(hook.fails("add-metric a="), fails(2, "invalid metrics: expected \"key=value\", got \"a=\""));
    assert_eq!(hook.fails("add-metric juju-units=1"), fails(1, "juju-units uses a reserved prefix"));
    let restricted = fails(1, "bad request: not implemented for restricted context not implemented");
    assert_eq!(hook.fails("config-get"), restricted);
    assert_eq!(world.hook("zk/0", Hook::plain("meter-status-changed")).fails("add-metric a=1"), restricted);
    let text = "cannot record metric: metrics not allowed in this context";
    assert_eq!(world.plain("zk/0").fails("add-metric a=1"), fails(1, text));
}

#[test]
fn c9_17_payloads_are_those_of_metadata_yaml_and_take_effect_at_once() {
    let mut world = World::of("3.6.25", "payloads: {monitor: {type: docker}}");
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.fails("payload-register docker monitor"), fails(2, "missing required arguments"));
    let text = "incorrect type \"kvm\" for payload \"monitor\", expected \"docker\"";
    assert_eq!(hook.fails("payload-register kvm monitor a1"), fails(1, text));
    assert_eq!(hook.fails("payload-register kvm x a1"), fails(1, "payload \"x\" not found in metadata.yaml"));
    hook.ok("payload-register docker monitor a1 label");
    hook.ok("payload-status-set monitor a1 stopping");
    assert_eq!(hook.fails("payload-status-set monitor a1 gone").0, 1);
    drop(hook);
    let payloads = |world: &World| world.controller.units[&"zk/0".parse().unwrap()].payloads.clone();
    let kept = payloads(&world);
    assert_eq!(kept.values().next().map(|payload| payload.status.as_str()), Some("stopping"));
    world.once("zk/0", "payload-unregister monitor a1");
    assert!(payloads(&world).is_empty());
}

#[test]
fn c9_17_pod_specs_are_set_by_the_leader_at_the_commit_and_printed_as_they_are() {
    let mut world = World::new("3.6.25");
    let mut hook = world.plain("zk/0");
    assert_eq!(hook.fails("k8s-spec-set"), fails(1, super::NEEDS_STDIN));
    hook.stdin = Some(b"containers: []".to_vec());
    hook.ok("pod-spec-set");
    assert_eq!(hook.done("k8s-spec-get").code, 1);
    hook.commit().unwrap();
    assert_eq!(world.once("zk/1", "k8s-spec-get"), "containers: []");
    let mut hook = world.plain("zk/1");
    hook.stdin = Some(b"x".to_vec());
    assert_eq!(hook.fails("k8s-raw-set"), fails(1, "this unit is not the leader"));
}

#[test]
fn c9_13_keys_of_results_are_checked_part_by_part() {
    let mut world = World::new("3.6.25");
    let mut action = world.hook("zk/0", Hook::Action { id: 1, name: "backup".to_owned() });
    let text =
        "key \"A\" must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens";
    assert_eq!(action.fails("action-set a.A=1"), fails(2, text));
    assert_eq!(action.fails("action-set a.stdout=1"), fails(2, "cannot set reserved action key \"stdout\""));
    let mut world = World::new("2.9.52");
    let mut action = world.hook("zk/0", Hook::Action { id: 1, name: "backup".to_owned() });
    assert!(action.fails("action-set A=1").1.ends_with("lowercase alphanumeric, hyphens and periods"));
}

#[test]
fn c10_application_data_of_the_hook_shows_while_the_unit_is_leader() {
    let mut world = World::new("3.6.25");
    let mut hook = world.plain("zk/0");
    hook.ok("relation-set --app -r 0 a=b");
    assert_eq!(hook.ok("relation-get --app -r 0 a zk"), "b\n");
    hook.world.controller.application("zk").leader = None;
    assert_eq!(hook.ok("relation-get --app -r 0 a zk"), "");
}

#[test]
fn c9_11_ranges_of_other_units_on_the_machine_conflict() {
    let mut world = World::new("3.6.25");
    let machine = world.controller.units[&"kafka/0".parse().unwrap()].machine;
    world.controller.units.get_mut(&"zk/0".parse().unwrap()).unwrap().machine = machine;
    world.once("kafka/0", "open-port 85");
    let text = "cannot open 80-90/tcp (unit \"zk/0\"): port range conflicts with 85/tcp (unit \"kafka/0\")";
    assert_eq!(world.plain("zk/0").fails("open-port 80-90"), fails(1, text));
    assert_eq!(world.plain("zk/1").ok("open-port 80-90"), "");
    assert_eq!(world.plain("zk/0").ok("close-port 85"), "");
}
