//! Stories played: each step happens in the model, what is expected is compared, and what goes wrong is told with its place.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on should stop")]

mod failures;
mod steps;

use std::fs;
use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zkpeer_core::testing::{Happening, Model, PlayError, Player, Story};

const METADATA: &str = "\
name: zk
summary: s
description: d
peers: {zkpeer: {interface: zookeeper-quorum}}
provides: {client: {interface: zookeeper}}
storage: {data: {type: filesystem, multiple: {range: 0-2}}}
";

const CLIENT: &str = "name: client\nsummary: s\ndescription: d\nrequires: {zookeeper: {interface: zookeeper}}\n";

/// What the charm does unless a test says otherwise.
const SCRIPT: &str = r#"
case $JUJU_HOOK_NAME in
  start | config-changed) status-set active "port $(config-get port)" ;;
  *-relation-created) relation-set "name=$JUJU_UNIT_NAME" ;;
esac
case $JUJU_DISPATCH_PATH in
  actions/backup) action-set size=12 "level=$(action-get level)" ;;
  actions/refuse) action-fail "not now" ;;
  actions/crash) exit 3 ;;
esac
"#;

/// A directory with the charms `zk` and `client`, and stories beside them.
struct Stage {
    directory: TempDir,
}

impl Stage {
    fn new() -> Self {
        Self::of(SCRIPT)
    }

    fn of(script: &str) -> Self {
        let stage = Self { directory: tempfile::tempdir().unwrap() };
        stage.charm("zk", METADATA, script);
        stage.charm("client", CLIENT, "");
        stage.write("zk/config.yaml", "options: {port: {type: int, default: 2181}}\n");
        let backup = "backup: {params: {level: {type: integer, default: 1}}}\nrefuse: {}\ncrash: {}\n";
        stage.write("zk/actions.yaml", backup);
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        fs::write(self.path(name), text).unwrap();
    }

    fn charm(&self, name: &str, metadata: &str, script: &str) {
        self.write(&format!("{name}/metadata.yaml"), metadata);
        self.write(
            &format!("{name}/manifest.yaml"),
            "bases: [{name: ubuntu, channel: '22.04', architectures: [amd64]}]\n",
        );
        self.write(&format!("{name}/dispatch"), &format!("#!/bin/sh\n{script}\n"));
        let dispatch = self.path(&format!("{name}/dispatch"));
        fs::set_permissions(dispatch, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn player(&self, story: &str) -> Player {
        Player::new(Story::parse(story, &self.path("story.yaml")).unwrap())
    }

    /// Steps after a head that deploys `zk` with so many units; the first step is on line 3.
    fn steps(&self, units: u32, steps: &str) -> Player {
        self.player(&format!("applications: {{zk: {{charm: zk, units: {units}}}}}\nsteps:\n{steps}"))
    }
}

/// Plays, and gives back the hooks with their units.
fn hooks(player: &mut Player) -> Result<Vec<String>, PlayError> {
    let mut hooks = Vec::new();
    player.play_to(&mut |happening, _| {
        match happening {
            Happening::Hook(run, _) => hooks.push(format!("{} {run}", run.unit)),
            Happening::Action(report) => hooks.push(format!("{} {}", report.run.unit, report.run)),
            _ => {}
        }
        ControlFlow::Continue(())
    })?;
    Ok(hooks)
}

/// The line and the reason of what goes wrong.
fn wrong(player: &mut Player) -> (u64, String) {
    let error = player.play().expect_err("nothing went wrong");
    let text = error.to_string();
    let (_, rest) = text.split_once("story.yaml:").expect("the story's place comes first");
    let (line, rest) = rest.split_once(": ").expect("the place ends with a colon");
    assert_eq!(rest, error.problem());
    (line.parse().unwrap(), rest.to_owned())
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn a_story_is_played_to_its_end_and_the_model_is_there() -> Result<(), PlayError> {
    let stage = Stage::new();
    let mut player = stage.steps(2, "  - settle\n  - expect: {application: zk, units: 2, leader: zk/0}\n");
    player.play()?;
    let model: Model = player.into_model();
    assert_eq!(model.members("zk/0", "zkpeer"), ["zk/1"]);
    assert!(exists(&model.charm_dir("zk/0").unwrap().join("dispatch")));
    Ok(())
}

#[test]
fn a_listener_is_told_everything_in_order_with_the_model_as_it_is() {
    let stage = Stage::new();
    let mut player = stage.steps(
        1,
        "  - settle\n  - action: {unit: zk/0, name: backup}\n  - settle\n  - expect: {unit: zk/0, status: active}\n",
    );
    let mut told = Vec::new();
    let mut listener = |happening: &Happening<'_>, model: &Model| {
        told.push(match happening {
            Happening::Step(number, step) => format!("step {number} {step}"),
            Happening::Begins(unit, hook) => format!("{unit} begins {hook}"),
            Happening::Hook(run, tries) => format!("{run} is over after {tries}, {}", model.status("zk/0").status),
            Happening::Action(report) => format!("{} is {}", report.run, report.completed),
            Happening::Leader(unit) => format!("{unit} leads"),
            Happening::Expected(step, wrong) => format!("{step} {wrong:?}"),
            _ => "?".to_owned(),
        });
        ControlFlow::Continue(())
    };
    player.play_to(&mut listener).unwrap();
    let beginning = ["step 0 settle", "zk/0 leads", "zk/0 begins install", "install is over after 0, maintenance"];
    assert_eq!(told[..4], beginning);
    let end = [
        "start is over after 0, active",
        "step 1 action: backup on zk/0",
        "step 2 settle",
        "zk/0 begins action backup (1)",
        "action backup (1) is true",
        "step 3 expect: zk/0",
        "expect: zk/0 []",
    ];
    assert_eq!(told[told.len() - end.len()..], end);
}

#[test]
fn a_listener_may_end_the_story_and_the_rest_is_played_later() -> Result<(), PlayError> {
    let stage = Stage::new();
    let mut player = stage.steps(1, "  - settle\n  - remove-unit: zk/0\n  - settle\n");
    player.play_to(&mut |happening, _| match happening {
        Happening::Step(1, _) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })?;
    assert!(!player.model().is_gone("zk/0"));
    assert_eq!(hooks(&mut player)?, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_seed_repeats_a_story() -> Result<(), PlayError> {
    let stage = Stage::new();
    let play = |seed: u32| {
        let head = format!("seed: {seed}\napplications: {{zk: {{charm: zk, units: 3}}}}\n");
        hooks(&mut stage.player(&(head + "steps: [settle, {remove-unit: zk/1}, settle]\n")))
    };
    assert_eq!(play(1)?, play(1)?);
    assert!((2..5).any(|seed| play(seed).unwrap() != play(1).unwrap()));
    Ok(())
}

#[test]
fn handlers_in_this_process_play_stories_too() -> Result<(), PlayError> {
    use zkpeer_core::{Charm, Flags, handlers, when_not};

    #[when_not("zk.installed")]
    fn install(flags: Flags) {
        flags.set("zk.installed");
    }

    let stage = Stage::of("exit 1");
    let steps = "  - settle\n  - expect: {unit: zk/0, flags: [zk.installed], not-flags: [zk.started]}\n";
    stage.steps(1, steps).in_process(stage.path("zk"), Charm::new().handlers(handlers![install])).play()?;
    let (line, problem) = wrong(
        &mut stage
            .steps(1, "  - settle\n  - expect: {unit: zk/0, flags: [a], not-flags: [zk.installed]}\n")
            .in_process(stage.path("zk"), Charm::new().handlers(handlers![install])),
    );
    assert_eq!(line, 4);
    assert_eq!(problem, "flag `a` is not set on zk/0; set are zk.installed\nflag `zk.installed` is set on zk/0");
    Ok(())
}
