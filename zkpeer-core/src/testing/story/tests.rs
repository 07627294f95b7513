//! Stories that are right, and above all those that are wrong.

use std::path::PathBuf;

use super::*;

/// The first step stands on line 5.
const HEAD: &str = "applications:\n  zk: {charm: ., units: 3}\n  client: ../client\nsteps:\n";

fn parse(text: &str) -> Result<Story, StoryError> {
    Story::parse(text, Path::new("stories/story.yaml"))
}

fn steps(steps: &str) -> Vec<StepKind> {
    parse(&format!("{HEAD}{steps}")).unwrap().steps.into_iter().map(|step| step.kind).collect()
}

fn step(step: &str) -> StepKind {
    steps(&format!("  - {step}\n")).remove(0)
}

/// The one thing that is wrong with a story: its line and the reason.
fn one(text: &str) -> (Option<u64>, String) {
    match parse(text).expect_err(text).problems() {
        [problem] => (problem.line, problem.text.clone()),
        problems => panic!("{text}: {problems:?}"),
    }
}

/// What is wrong with the first line of a step.
fn wrong(step: &str) -> String {
    let (line, text) = one(&format!("{HEAD}  - {step}\n"));
    assert_eq!(line, Some(5), "{step}: {text}");
    text
}

/// Each story is wrong on the given line, for a reason that has these words.
fn all_wrong(stories: &[(&str, u64, &str)]) {
    for (text, line, words) in stories {
        let (at, reason) = one(text);
        assert!(at == Some(*line) && reason.contains(words), "{text}\nis wrong at {at:?}: {reason}");
    }
}

fn all_steps_wrong(steps: &[(&str, &str)]) {
    for (step, words) in steps {
        let reason = wrong(step);
        assert!(reason.contains(words), "{step}\nis wrong: {reason}");
    }
}

fn unit(name: &str) -> UnitName {
    name.parse().unwrap()
}

fn endpoint(name: &str) -> EndpointName {
    name.parse().unwrap()
}

// What is right.

#[test]
fn the_stories_of_the_guide_are_right() {
    let guide = include_str!("../../docs/stories.md");
    let stories: Vec<&str> = guide.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(stories.len(), 2);
    let short = parse(stories[0]).unwrap();
    assert_eq!((short.applications.len(), short.steps.len()), (1, 5));
    let long = parse(stories[1]).unwrap();
    assert_eq!((long.juju.to_string().as_str(), long.seed, long.relations.len()), ("3.6.25", Some(7), 1));
    assert_eq!(long.place(&long.steps[0]), "stories/story.yaml:14");
}

#[test]
fn the_guide_names_every_step_and_every_example_is_one() {
    let guide = include_str!("../../docs/stories.md");
    for (name, example) in super::steps::examples() {
        assert!(guide.contains(&format!("\n| `{name}` |")), "{name}");
        let head = HEAD.replace("  zk: ", "  zk2: ");
        let text = if name == "deploy" { format!("{head}  - {example}\n") } else { format!("{HEAD}  - {example}\n") };
        let story = parse(&text).unwrap();
        assert_eq!(story.steps[0].name(), name);
    }
}

#[test]
fn the_head_is_read() {
    let story = parse(
        "juju: 4.0\nseed: 18446744073709551615\nbugs: 23326\n\
         model-config: {automatically-retry-hooks: false, update-status-hook-interval: 1m30s}\n\
         applications:\n  zk:\n    charm: ./charm\n    units: 0\n    config: {port: 0x10, name: '', on: yes}\n    \
         trust: true\n    resources: {server: ./server.tgz}\n    storage: {data: 2}\n  client: /client\n\
         relations: [[zk:client, client:zookeeper]]\nsteps: [settle]\n",
    )
    .unwrap();
    assert!(story.juju.is_four() && story.bugs.contains(&23326) && story.seed == Some(u64::MAX));
    assert!(!story.model_config.automatically_retry_hooks);
    assert_eq!(story.model_config.update_status_hook_interval, Duration::from_secs(90));
    let zk = &story.applications[0];
    assert_eq!((zk.line, zk.application.as_str(), zk.units, zk.trust), (6, "zk", 0, true));
    assert_eq!(
        (zk.charm.as_path(), &zk.resources["server"]),
        (Path::new("stories/charm"), &PathBuf::from("stories/server.tgz"))
    );
    assert_eq!(["port", "name", "on"].map(|option| zk.config[option].as_str()), ["0x10", "", "yes"]);
    assert_eq!(zk.storage["data"], 2);
    assert_eq!((story.applications[1].charm.as_path(), story.applications[1].units), (Path::new("/client"), 1));
    assert_eq!(story.relations[0].sides, [endpoint("zk:client"), endpoint("client:zookeeper")]);
}

#[test]
fn what_is_missing_has_its_default() {
    let story = Story::parse("applications: {zk: .}\nsteps: [settle]", Path::new("story.yaml")).unwrap();
    assert_eq!((story.juju, story.seed, story.model_config), (JujuVersion::default(), None, ModelConfig::default()));
    assert_eq!((story.applications[0].charm.as_path(), story.applications[0].units), (Path::new("."), 1));
    assert!(story.relations.is_empty() && story.bugs.is_empty());
}

#[test]
fn a_version_is_a_text_though_it_looks_like_a_number() {
    let story = parse("juju: 3.10\napplications: {zk: .}\nsteps: [settle]").unwrap();
    assert_eq!(story.juju.to_string(), "3.10");
}

#[test]
fn short_and_long_forms_are_the_same() {
    for (short, long) in [
        ("add-units: zk", "add-units: {application: zk, count: 1}"),
        ("remove-unit: zk/1", "remove-unit: {unit: zk/1, force: false}"),
        ("trust: zk", "trust: {application: zk, trust: true}"),
        ("leader: zk/1", "leader: {application: zk, unit: zk/1}"),
        ("kill: zk/0", "kill: {unit: zk/0, at: start}"),
        ("resolve: zk/0", "resolve: {unit: zk/0, retry: true}"),
        ("pass: 10m", "pass: {time: 600s}"),
        ("run: zk/0", "run: {unit: zk/0}"),
        ("detach-storage: data/0", "detach-storage: {storage: data/0}"),
        ("settle", "settle:"),
    ] {
        assert_eq!(step(short), step(long), "{short}");
    }
}

#[test]
fn steps_are_read() {
    assert_eq!(
        step("remove-unit: {unit: zk/1, force: true}"),
        StepKind::RemoveUnit { unit: unit("zk/1"), force: true }
    );
    assert_eq!(
        step("leader: {application: zk, unit: none}"),
        StepKind::Leader { application: "zk".to_owned(), unit: None }
    );
    assert_eq!(
        step("kill: {unit: zk/0, at: answer 3}"),
        StepKind::Kill { unit: unit("zk/0"), hook: None, at: KillPoint::Answer(3) }
    );
    assert_eq!(
        step("address: {unit: zk/0, to: '2001:db8::1'}"),
        StepKind::Address { unit: unit("zk/0"), to: Some("2001:db8::1".parse().unwrap()) }
    );
    assert_eq!(
        step("run: {unit: zk/0, hook: zkpeer-relation-joined, remote: zk/1}"),
        StepKind::Run {
            unit: unit("zk/0"),
            hook: Some("zkpeer-relation-joined".to_owned()),
            remote: Some(Remote::Unit(unit("zk/1"))),
        }
    );
    assert_eq!(
        step("refresh: {application: zk, charm: ../v2, force: true}"),
        StepKind::Refresh { application: "zk".to_owned(), charm: Some(PathBuf::from("stories/../v2")), force: true }
    );
}

#[test]
fn options_are_texts_and_parameters_are_values() {
    let StepKind::Config { set, reset, .. } = step("config: {application: zk, set: {port: 010}, reset: name}") else {
        panic!()
    };
    assert_eq!((set["port"].as_str(), reset.len()), ("010", 1));
    let StepKind::Action { params, .. } = step("action: {unit: zk/0, name: b, params: {n: 3, t: [x, true], z: null}}")
    else {
        panic!()
    };
    assert_eq!(Value::Map(params).to_json(), r#"{"n":3,"t":["x",true],"z":null}"#);
}

#[test]
fn expectations_are_read() {
    assert_eq!(
        step("expect: {unit: zk/0, status: error, message: 'hook failed: \"start\"', flags: a.b, not-flags: [c, d]}"),
        StepKind::Expect(Expectation::Unit {
            unit: unit("zk/0"),
            status: Some("error".to_owned()),
            message: Some("hook failed: \"start\"".to_owned()),
            flags: BTreeSet::from(["a.b".to_owned()]),
            not_flags: BTreeSet::from(["c".to_owned(), "d".to_owned()]),
            leader: None,
        })
    );
    let units = |step: StepKind| match step {
        StepKind::Expect(Expectation::Application { units, leader, .. }) => (units, leader),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        units(step("expect: {application: zk, units: 3, leader: none}")),
        (Some(Units::Count(3)), Some(ExpectedLeader::Nobody))
    );
    assert_eq!(
        units(step("expect: {application: zk, units: [], leader: zk/1}")),
        (Some(Units::Named(BTreeSet::new())), Some(ExpectedLeader::Unit(unit("zk/1"))))
    );
    assert_eq!(
        step("expect: {relation: [zk:c, client:z], application: zk, data: {port: 2181, gone: null, empty: ''}}"),
        StepKind::Expect(Expectation::Relation {
            relation: endpoint("zk:c"),
            with: Some(endpoint("client:z")),
            owner: Remote::Application("zk".to_owned()),
            data: BTreeMap::from([
                ("port".to_owned(), Some("2181".to_owned())),
                ("gone".to_owned(), None),
                ("empty".to_owned(), None),
            ]),
            members: None,
        })
    );
    assert_eq!(
        step("expect: {action: backup, unit: zk/0, status: failed, results: {a: {b: 1.50}}}"),
        StepKind::Expect(Expectation::Action {
            unit: unit("zk/0"),
            name: "backup".to_owned(),
            completed: Some(false),
            message: None,
            results: BTreeMap::from([(
                "a".to_owned(),
                Value::Map(BTreeMap::from([("b".to_owned(), Value::from("1.50"))])),
            )]),
        })
    );
}

#[test]
fn an_application_can_come_later_and_come_back() {
    let kinds = steps(
        "  - deploy: {application: late, charm: ./late}\n  - add-units: late\n  - remove-application: late\n  \
         - settle\n  - deploy: {application: late, charm: ./late}\n",
    );
    assert_eq!(kinds.len(), 5);
    let only_steps = parse("steps:\n  - deploy: {application: zk, charm: .}\n  - settle\n").unwrap();
    assert!(only_steps.applications.is_empty());
}

#[test]
fn a_byte_order_mark_and_windows_line_ends_do_no_harm() {
    let text = format!("\u{feff}{HEAD}  - pass: 10m\n  - oops\n").replace('\n', "\r\n");
    assert_eq!(one(&text).0, Some(6));
    assert!(parse(&text.replace("oops", "settle")).is_ok());
}

// What is wrong with the file.

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Story::read(Path::new("no/such/story.yaml")).unwrap_err().to_string();
    assert!(error.starts_with("no/such/story.yaml: cannot be read: "), "{error}");
}

#[test]
fn a_file_is_read_with_its_directory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("story.yaml");
    std::fs::write(&path, HEAD.to_owned() + "  - settle\n").unwrap();
    assert_eq!(Story::read(&path).unwrap().applications[0].charm, directory.path());
    std::fs::write(&path, "#".repeat((1 << 20) + 1)).unwrap();
    assert!(Story::read(&path).unwrap_err().to_string().contains("is larger than 1048576 bytes"));
    std::fs::write(&path, b"applications: \xff").unwrap();
    assert!(Story::read(&path).unwrap_err().to_string().contains("UTF-8"));
}

#[test]
fn what_is_no_story_is_refused() {
    for text in ["", "\n# nothing\n", "~"] {
        let (line, reason) = one(text);
        assert!(line.is_none() && reason.contains("is empty; a story looks like"), "{reason}");
    }
    all_wrong(&[
        ("just words", 1, "a story has to be a map, as in `{applications"),
        ("- settle", 1, "not a list"),
        ("a: [\n", 1, "is not YAML: "),
        ("applications: {zk: .}\nsteps:\n\t- settle\n", 3, "is not YAML: "),
        ("applications: {zk: .}\nsteps: [settle]\n---\nsteps: []\n", 4, "a second document begins"),
        ("applications: {zk: *nowhere}\nsteps: [settle]\n", 1, "is not YAML: "),
        ("a: b: c\n", 1, "is not YAML: "),
    ]);
}

#[test]
fn a_story_is_never_too_deep_nor_too_large_to_be_refused() {
    let deep = format!("{HEAD}  - action: {{unit: zk/0, name: b, params: {{p: {}}}}}\n", "[".repeat(20_000));
    assert_eq!(parse(&deep).unwrap_err().problems().len(), 1);
    let bomb: String = (1..12).map(|n| format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9))).collect();
    assert_eq!(parse(&format!("a0: &a0 x\n{bomb}")).unwrap_err().problems().len(), 1);
}

// What is wrong with the head.

#[test]
fn keys_of_the_head_are_checked() {
    all_wrong(&[
        (
            "aplications: {zk: .}\napplications: {zk: .}\nsteps: [settle]",
            1,
            "a story has no `aplications`; is it `applications`?",
        ),
        ("applications: {zk: .}\nsteps: [settle]\nversion: 1", 3, "a story has no `version`, but `juju`, `seed`,"),
        ("applications: {zk: .}\nsteps: [settle]\nsteps: [settle]", 3, "key `steps` is there twice, first on line 2"),
        ("applications: {zk: .}\n", 1, "a story needs `steps`, as in `{applications"),
        ("applications: {zk: .}\nsteps:\n", 2, "`steps` has to be a list, each step with a `-` before it, not nothing"),
        ("applications: {zk: .}\nsteps: settle\n", 2, "not `settle`"),
        ("applications: {zk: .}\nsteps: {settle: }\n", 2, "not a map"),
        ("applications: {zk: .}\nsteps: []\n", 2, "`steps` is empty"),
        ("applications:\nsteps: [settle]\n", 1, "`applications` has to be a map such as"),
        ("applications: [zk]\nsteps: [settle]\n", 1, "not a list"),
        ("applications: {}\nsteps: [settle]\n", 1, "`applications` is empty"),
    ]);
    assert!(one("steps: [settle]").1.contains("nothing is deployed"));
}

#[test]
fn versions_seeds_bugs_and_model_options_are_checked() {
    const REST: &str = "\napplications: {zk: .}\nsteps: [settle]\n";
    for (head, words) in [
        ("juju: 2.7.8", "Juju 2.7.8 is not simulated: choose a version from 2.9 to 4.0"),
        ("juju: new", "`new` is not a version of Juju"),
        ("juju: [3, 6]", "`juju` has to be a text, not a list"),
        ("juju:", "not nothing"),
        ("seed: -1", "`seed` has to be a whole number, not `-1`"),
        ("seed: 1.5", "not `1.5`"),
        ("seed: 18446744073709551616", "not `18446744073709551616`"),
        ("bugs: [1]", "`bugs` has to be one of `23326`, not `1`"),
        ("bugs: [23326]", "Juju 3.6.25 does not have bug 23326"),
        ("model-config: {automatically-retry-hook: true}", "is it `automatically-retry-hooks`?"),
        ("model-config: {automatically-retry-hooks: 1}", "has to be true or false, not `1`"),
        ("model-config: {update-status-hook-interval: 5}", "has to be a time such as `10m`"),
        ("model-config: off", "`model-config` has to be a map"),
        ("relations: zk:client", "`relations` has to be a list of pairs"),
        ("relations: [zk:client, client:zookeeper]", "one pair is `[[zk:client, client:zookeeper]]`"),
    ] {
        let story = format!("{head}{REST}");
        let problems = parse(&story).expect_err(head).problems().to_vec();
        assert!(problems.iter().all(|problem| problem.line == Some(1)), "{head}: {problems:?}");
        assert!(problems[0].text.contains(words), "{head}: {problems:?}");
    }
}

#[test]
fn applications_are_checked() {
    for (application, words) in [
        ("zk: {units: 3}", "application `zk` needs `charm`, as in `{charm: ./charm, units: 3}`"),
        ("zk:", "application `zk` has to be a map, as in `{charm: ./charm, units: 3}`, not nothing"),
        ("zk: ''", "`charm` has to be a path, relative to the story's file, not an empty text"),
        ("zk: {charm: [a]}", "`charm` has to be a path"),
        ("zk: {charm: ., unit: 3}", "application `zk` has no `unit`; is it `units`?"),
        ("zk: {charm: ., units: three}", "`units` has to be a whole number from 0 to 1000, not `three`"),
        ("zk: {charm: ., units: -1}", "not `-1`"),
        ("zk: {charm: ., units: 1001}", "not `1001`"),
        ("zk: {charm: ., units: 1.5}", "not `1.5`"),
        ("zk: {charm: ., units: 1, units: 2}", "key `units` is there twice"),
        ("zk: {charm: ., trust: maybe}", "`trust` has to be true or false, not `maybe`"),
        ("zk: {charm: ., config: [port]}", "`config` has to be a map of names and values, not a list"),
        ("zk: {charm: ., config: {port: }}", "option `port` has no value"),
        ("zk: {charm: ., config: {port: [1]}}", "`port` has to be a text, a number, or true or false, not a list"),
        ("zk: {charm: ., config: {port: 1, port: 2}}", "key `port` is there twice"),
        ("zk: {charm: ., resources: ./x.tgz}", "`resources` has to be a map"),
        ("zk: {charm: ., resources: {x: }}", "`x` has to be a path"),
        ("zk: {charm: ., storage: {data: lots}}", "`data` has to be a whole number"),
        ("zk: {charm: ., storage: {Data!: 1}}", "`Data!` is no name of a storage"),
        ("Zk: .", "`Zk` is no name of an application"),
        ("zk/0: .", "`zk/0` is no name of an application"),
        ("zk-2: .", "`zk-2` is no name of an application"),
        ("3: .", "`3` is no name of an application"),
    ] {
        let (line, reason) = one(&format!("applications:\n  other: .\n  {application}\nsteps: [settle]\n"));
        assert!(line == Some(3) && reason.contains(words), "{application}: {line:?}: {reason}");
    }
    let twice = "applications:\n  zk: .\n  zk: .\nsteps: [settle]\n";
    all_wrong(&[(twice, 3, "key `zk` is there twice, first on line 2")]);
}

#[test]
fn relations_are_checked() {
    for (relation, words) in [
        ("[zk:client]", "a relation has two endpoints, not 1"),
        ("[zk:client, zk:a, client:zookeeper]", "two endpoints, not 3"),
        ("[]", "two endpoints, not 0"),
        ("zk:client client:zookeeper", "a relation is a pair such as `[zk:client, client:zookeeper]`"),
        ("{zk: client}", "a relation is a pair such as `[zk:client, client:zookeeper]`"),
        ("[zk, client:zookeeper]", "`zk` is no endpoint; one looks like `zk:client`"),
        ("[zk/0:client, client:zookeeper]", "`zk/0:client` is no endpoint"),
        ("['zk:', client:zookeeper]", "`zk:` is no endpoint"),
        ("[zk:Client, client:zookeeper]", "`zk:Client` is no endpoint"),
        ("[zk: client, client:zookeeper]", "a map is no endpoint"),
        ("[zkk:client, client:zookeeper]", "the story has no application `zkk`; is it `zk`?"),
        ("[zk:client, kafka:zookeeper]", "the story has no application `kafka`; by then there is `client` and `zk`"),
        ("[zk:zkpeer, zk:zkpeer]", "a peer relation is there from deployment on"),
    ] {
        let (line, reason) =
            one(&format!("relations:\n  - {relation}\napplications: {{zk: ., client: .}}\nsteps: [settle]\n"));
        assert!(line == Some(2) && reason.contains(words), "{relation}: {line:?}: {reason}");
        let reason = wrong(&format!("relate: {relation}"));
        assert!(reason.contains(words), "{relation}: {reason}");
    }
}

// What is wrong with a step.

#[test]
fn a_step_that_is_none_is_told_what_it_might_be() {
    all_steps_wrong(&[
        ("setle", "there is no step `setle`; is it `settle`?"),
        ("add_units: zk", "is it `add-units`?"),
        ("Remove-Unit: zk/0", "is it `remove-unit`?"),
        ("add-relation: [zk:a, client:b]", "is it `relate`?"),
        ("integrate: [zk:a, client:b]", "is it `relate`?"),
        ("resolved: zk/0", "is it `resolve`?"),
        ("sleep: 10", "is it `pass`?"),
        ("frobnicate: zk/0", "there are `settle`, `deploy`, `add-units`"),
        ("''", "there is no step ``"),
        ("3", "there is no step `3`"),
        ("reboot zk/0", "`reboot zk/0` lacks `: ` after the step's name, as in `reboot: zk/0`"),
        ("reboot:zk/0", "lacks `: `"),
        ("", "not nothing"),
        ("[settle]", "not a list"),
        ("{}", "a step needs a name"),
    ]);
}

#[test]
fn a_wrong_indentation_is_told_as_such() {
    let (line, reason) = one(&format!("{HEAD}  - add-units: zk\n    count: 2\n"));
    assert_eq!(line, Some(6));
    assert!(reason.contains("`count` stands beside step `add-units`; indent it more"), "{reason}");
    let (line, reason) = one(&format!("{HEAD}  - foo: zk\n    count: 2\n"));
    assert!(line == Some(5) && reason.contains("there is no step `foo`"), "{reason}");
}

#[test]
fn what_a_step_takes_is_checked() {
    all_steps_wrong(&[
        ("settle: now", "step `settle` takes nothing, not `now`"),
        ("settle: {times: 2}", "step `settle` takes nothing, not a map"),
        ("reboot", "step `reboot` needs `unit`, as in `reboot: zk/0`"),
        ("reboot:", "step `reboot` needs `unit`"),
        ("reboot: {}", "step `reboot` needs `unit`"),
        ("reboot: [zk/0, zk/1]", "step `reboot` has to be a map, as in `reboot: zk/0`, not a list"),
        ("reboot: {unti: zk/0}", "step `reboot` has no `unti`; is it `unit`?"),
        ("add-units: {application: zk, count: 0}", "`count` has to be a whole number from 1 to 1000, not `0`"),
        ("add-units: {application: zk, number: 1}", "step `add-units` has no `number`, but `application` and `count`"),
        ("remove-unit: {unit: zk/1, force: 1}", "`force` has to be true or false"),
        ("remove-unit: {unit: zk/1, unit: zk/2}", "key `unit` is there twice"),
        ("config: zk", "step `config` has to be a map, as in `config: {application: zk, set: {port: 2182}}`"),
        ("config: {application: zk}", "needs `set`, `reset`, or both"),
        ("config: {application: zk, set: {}, reset: []}", "needs `set`, `reset`, or both"),
        ("config: {application: zk, set: {a: 1}, reset: [b, a]}", "option `a` is both set and reset"),
        ("config: {application: zk, reset: [[a]]}", "`reset` has to be a text, not a list"),
        ("trust: {application: zk, trust: 2}", "true or false"),
        ("leader: none", "step `leader` needs `application`"),
        ("leader: {application: zk, unit: client/0}", "unit `client/0` cannot lead application `zk`"),
        ("leader: {application: zk}", "step `leader` needs `unit`"),
        ("action: {unit: zk/0}", "step `action` needs `name`"),
        ("action: {unit: zk/0, name: Back_Up}", "`name` has to be the name of an action such as `backup`"),
        ("action: {unit: zk/0, name: b, params: [1]}", "`params` has to be a map"),
        ("kill: {unit: zk/0, at: end}", "`at` has to be `start`, `command N`"),
        ("kill: {unit: zk/0, at: command 0}", "not `command 0`"),
        ("kill: {unit: zk/0, at: after 3}", "not `after 3`"),
        ("kill: {unit: zk/0, at: 3}", "not `3`"),
        ("refuse-commit: {unit: zk/0, reason: [x]}", "`reason` has to be a text"),
        ("refresh: {application: zk, charm: }", "`charm` has to be a path"),
        ("resolve: {unit: zk/0, retry: never}", "`retry` has to be true or false"),
        ("address: {unit: zk/0}", "step `address` needs `to`"),
        ("address: {unit: zk/0, to: here}", "`to` has to be an address such as `10.0.0.99`, or `none`, not `here`"),
        ("address: {unit: zk/0, to: 10.0.0.999}", "not `10.0.0.999`"),
        ("pass: 10", "`time` has to be a time such as `10m`, `1h30m` or `200ms`, not `10`"),
        ("pass: -1s", "not `-1s`"),
        ("pass", "step `pass` needs `time`, as in `pass: 10m`"),
        ("deploy: {application: new, units: 1}", "step `deploy` needs `charm`"),
        ("deploy: {application: zk, charm: .}", "application `zk` is deployed already"),
        (
            "deploy: {application: zk/0, charm: .}",
            "`application` has to be the name of an application, without a unit's number",
        ),
        ("add-storage: {unit: zk/0, name: data/0}", "`name` has to be the name of a storage such as `data`"),
        ("attach-storage: {unit: zk/0, storage: data}", "`storage` has to be a storage instance such as `data/0`"),
        ("detach-storage: data/x", "not `data/x`"),
    ]);
}

#[test]
fn names_have_to_be_those_of_the_story() {
    all_steps_wrong(&[
        ("reboot: zk", "`unit` has to be the name of a unit such as `zk/0`, not `zk`"),
        ("reboot: zk/00", "not `zk/00`"),
        ("reboot: zk/x", "not `zk/x`"),
        ("reboot: 3", "not `3`"),
        ("reboot: \"zk/0\\n\"", "not `zk/0\\n`"),
        ("reboot: clint/0", "the story has no application `clint`; is it `client`?"),
        ("reboot: kafka/0", "the story has no application `kafka`; by then there is `client` and `zk`"),
        ("add-units: zk/0", "the name of an application, without a unit's number, not `zk/0`"),
        ("add-units: Zk", "`application` has to be the name of an application such as `zk`, not `Zk`"),
        ("add-units: kafka", "the story has no application `kafka`"),
        ("expect: {unit: kafka/0, status: active}", "the story has no application `kafka`"),
    ]);
    let early = format!("{HEAD}  - add-units: late\n  - deploy: {{application: late, charm: .}}\n");
    all_wrong(&[(&early, 5, "the story has no application `late`; by then there is `client` and `zk`")]);
}

#[test]
fn a_hook_has_to_be_one_of_juju_and_fit_its_remote() {
    all_steps_wrong(&[
        ("run: {unit: zk/0, hook: config-change}", "Juju has no hook `config-change`; is it `config-changed`?"),
        ("run: {unit: zk/0, hook: backup}", "Juju has no hook `backup`; it has to look like"),
        ("run: {unit: zk/0, hook: leader-deposed}", "Juju never runs `leader-deposed`"),
        ("run: {unit: zk/0, hook: [start]}", "`hook` has to be a text"),
        ("run: {unit: zk/0, remote: zk/1}", "`remote` needs a `hook` of a relation"),
        ("run: {unit: zk/0, hook: start, remote: zk/1}", "hook `start` has no remote unit or application"),
        (
            "run: {unit: zk/0, hook: a-relation-joined, remote: zk}",
            "a unit such as `zk/1` for hook `a-relation-joined`",
        ),
        ("run: {unit: zk/0, hook: a-relation-broken, remote: zk/1}", "an application for hook `a-relation-broken`"),
        ("run: {unit: zk/0, hook: a-relation-changed, remote: kafka}", "no application `kafka`"),
    ]);
    for remote in ["zk", "zk/1"] {
        step(&format!("run: {{unit: zk/0, hook: a-relation-changed, remote: {remote}}}"));
    }
}

#[test]
fn an_expectation_is_about_one_thing_and_expects_something() {
    all_steps_wrong(&[
        ("expect", "step `expect` needs `unit`, `application`, `relation` or `action`"),
        ("expect: active", "step `expect` has to be a map, as in `expect: {unit: zk/0, status: active}`"),
        ("expect: {status: active}", "needs `unit`, `application`, `relation` or `action`"),
        ("expect: {units: [zk/0]}", "needs `unit`, `application`"),
        ("expect: {unit: zk/0}", "nothing is expected of a unit; name at least one of `status`, `message`"),
        ("expect: {unit: zk/0, state: active}", "step `expect` has no `state`; is it `status`?"),
        ("expect: {unit: zk/0, status: activ}", "`status` cannot be `activ`; is it `active`?"),
        ("expect: {unit: zk/0, status: fine}", "`status` has to be one of `active`, `blocked`"),
        ("expect: {unit: zk/0, status: [active]}", "not a list"),
        ("expect: {unit: zk/0, status: active, members: [zk/1]}", "`members` cannot be expected of a unit, only"),
        ("expect: {unit: zk/0, application: zk, leader: true}", "`application` cannot be expected of a unit"),
        ("expect: {unit: zk/0, flags: [two words]}", "`two words` is no flag"),
        ("expect: {unit: zk/0, flags: [a, b], not-flags: [b]}", "flag `b` cannot be both set and not set"),
        ("expect: {unit: zk/0, leader: zk/1}", "`leader` has to be true or false"),
        ("expect: {application: zk}", "nothing is expected of an application"),
        ("expect: {application: zk, units: many}", "`units` has to be a number, or a list such as `[zk/0, zk/1]`"),
        ("expect: {application: zk, units: [client/0]}", "unit `client/0` is none of application `zk`"),
        ("expect: {application: zk, leader: client/0}", "unit `client/0` is none of application `zk`"),
        ("expect: {application: zk, leader: true}", "`leader` has to be the name of a unit"),
        ("expect: {relation: zk:p, unit: zk/0}", "nothing is expected of a relation"),
        ("expect: {relation: zk:p, data: {a: 1}}", "needs `unit` or `application`"),
        ("expect: {relation: zk:p, unit: zk/0, application: zk, data: {a: 1}}", "needs `unit` or `application`"),
        ("expect: {relation: zk, unit: zk/0, data: {a: 1}}", "`zk` is no endpoint; one looks like `zk:client`"),
        ("expect: {relation: zk:p, application: zk, members: [zk/1]}", "name a unit instead of application `zk`"),
        ("expect: {relation: zk:p, unit: zk/0, data: {a: [1]}}", "`a` has to be a text, not a list"),
        ("expect: {action: backup, unit: zk/0}", "nothing is expected of an action"),
        ("expect: {action: backup, status: completed}", "step `expect` needs `unit`"),
        ("expect: {action: backup, unit: zk/0, status: done}", "`status` has to be one of `completed` and `failed`"),
        ("expect: {action: backup, unit: zk/0, flags: [a]}", "`flags` cannot be expected of an action"),
    ]);
    let text = "applications: {zk: ., client: ., third: .}\nsteps:\n  \
                - expect: {relation: [zk:a, client:b], unit: third/0, data: {a: 1}}\n";
    all_wrong(&[(text, 3, "application `third` has no side in relation `zk:a client:b`")]);
}

#[test]
fn a_comma_within_braces_is_told_as_such() {
    let reason = wrong("expect: {unit: zk/0, message: ready, 3 members}");
    assert!(reason.contains("a text with a comma needs quotes within braces"), "{reason}");
}

#[test]
fn whatever_is_left_out_or_put_in_the_answer_is_a_story_or_lines_that_are_wrong() {
    let story = include_str!("../../docs/stories.md").split("```yaml\n").nth(2).unwrap().split("```").next().unwrap();
    let check = |text: &str| {
        let lines = text.lines().count() as u64;
        let problems = parse(text).err().map(|error| error.problems().to_vec()).unwrap_or_default();
        assert!(
            problems.iter().all(|problem| problem.line.is_none_or(|line| (1..=lines + 1).contains(&line))),
            "{text}"
        );
        assert!(problems.iter().all(|problem| !problem.text.contains(char::is_control)), "{text}");
    };
    for at in (0..story.len()).step_by(9) {
        let (before, after) = story.split_at(at);
        check(before);
        check(&(before.to_owned() + &after[1..]));
        for odd in ["\t", "\n", "{", "]", ": ", "- ", "'", "*", "&a ", "!!int ", "\u{0}", "\u{e9}"]
            .iter()
            .skip(at % 4)
            .step_by(4)
        {
            check(&format!("{before}{odd}{after}"));
        }
    }
}

// How it is told.

#[test]
fn everything_wrong_is_told_at_once_in_the_order_of_the_lines() {
    let error = parse(
        "seed: x\napplications:\n  zk: {charm: ., units: x}\n  Client: .\nrelations:\n  - [zk:a]\nsteps:\n  - setle\n  \
         - add-units: {application: kafka, count: x, more: 1}\n  - settle\n  - pass: x\n",
    )
    .unwrap_err();
    let lines: Vec<u64> = error.problems().iter().filter_map(|problem| problem.line).collect();
    assert_eq!(lines, [1, 3, 4, 6, 8, 9, 9, 9, 11]);
    let text = error.to_string();
    assert!(text.lines().all(|line| line.starts_with("stories/story.yaml:")), "{text}");
    assert_eq!(text, format!("{error:?}"));
}

#[test]
fn a_value_over_several_lines_is_told_on_its_own_line() {
    let text = format!("{HEAD}  - config:\n      application: zk\n      set:\n        port:\n          - 1\n");
    assert_eq!(one(&text).0, Some(9));
    let text = format!("{HEAD}  - kill:\n      unit: zk/0\n      at:\n");
    assert_eq!(one(&text).0, Some(7));
}

#[test]
fn very_many_problems_are_counted() {
    let text = HEAD.to_owned() + &"  - oops\n".repeat(50);
    let error = parse(&text).unwrap_err();
    assert_eq!(error.problems().len(), 50);
    assert!(error.to_string().ends_with("\nstories/story.yaml: and 30 more"));
}

#[test]
fn texts_of_the_file_cannot_break_a_message() {
    let reason = wrong(r#""a\nb\e[31m": zk/0"#);
    assert!(!reason.contains(['\n', '\u{1b}']), "{reason}");
    let reason = wrong(&format!("{}: 1", "x".repeat(500)));
    assert!(reason.contains("xxx...`"), "{reason}");
    let reason = wrong(r#"reboot: {"uni\e[31mt": zk/0, unit: zk/0}"#);
    assert!(!reason.contains('\u{1b}'), "{reason}");
}
