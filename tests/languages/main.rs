//! Charms in two languages at the two ends of one relation: one in Rust, one in Python on charms.reactive 1.5.3, in all four
//! pairings, end in the same place.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use tests::python::{self, Zygote};
use zkpeer_core::testing::{Application, HookRun, Model};

fn source(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("languages").join(part)
}

fn zygote() -> &'static Zygote {
    static ZYGOTE: OnceLock<Zygote> = OnceLock::new();
    ZYGOTE.get_or_init(|| Zygote::start(&source("python")))
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    Rust,
    Python,
}
use Language::{Python, Rust};

/// A charm as it is deployed; the directory is its source, and has to stay until then.
struct Charm {
    directory: TempDir,
    program: &'static str,
}

impl Charm {
    fn rust(name: &str, program: &'static str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(source(name)).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, directory.path().join(path.file_name().unwrap())).unwrap();
        }
        Self { directory, program }
    }

    /// With the handlers of this name, and all interfaces.
    fn python(name: &str) -> Self {
        let charm = Self::rust(name, env!("CARGO_BIN_EXE_deputy"));
        let reactive = charm.directory.path().join("reactive");
        copy(&source("python/reactive/relations"), &reactive.join("relations"));
        for file in ["__init__.py", &format!("{name}.py")] {
            fs::copy(source("python/reactive").join(file), reactive.join(file)).unwrap();
        }
        fs::write(charm.directory.path().join("deputy"), zygote().socket().to_str().unwrap()).unwrap();
        charm
    }

    fn of(name: &str, language: Language) -> Self {
        match language {
            Rust => Self::rust(name, env!("CARGO_BIN_EXE_jobs")),
            Python => Self::python(name),
        }
    }

    fn application(&self) -> Application {
        Application::new(self.directory.path()).program(self.program)
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(drop).unwrap() }
    }
}

fn settle(model: &mut Model) {
    let runs = model.settle().unwrap();
    let failed: Vec<&HookRun> = runs.iter().filter(|run| run.failed()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Where everything stands: statuses, flags, databags, with requests named by what they ask for and not by their ids, also those
/// of units that have gone.
type Stand = BTreeMap<String, String>;

fn stand(model: &Model, names: &mut BTreeMap<String, String>) -> Stand {
    let mut stand = Stand::new();
    let units: Vec<String> = model.units().iter().map(ToString::to_string).collect();
    let relation = model.relations("boss").into_iter().next().map(|id| id.number);
    for unit in &units {
        for (key, value) in relation.map(|number| model.unit_data(number, unit)).unwrap_or_default() {
            if let Some(id) = key.strip_prefix("request_") {
                let fields: BTreeMap<String, serde_json::Value> = serde_json::from_str(&value).unwrap();
                assert_eq!(fields["request_id"], id);
                names.insert(id.to_owned(), format!("{unit}:{}", fields["name"].as_str().unwrap()));
            }
        }
    }
    let named = |text: &str| names.iter().fold(text.to_owned(), |text, (id, name)| text.replace(id, name));
    for unit in &units {
        let status = model.status(unit);
        stand.insert(format!("{unit} status"), format!("{} {}", status.status, status.message));
        for (key, value) in relation.map(|number| model.unit_data(number, unit)).unwrap_or_default() {
            stand.insert(format!("{unit} {}", named(&key)), named(&value));
        }
        // Those of the pattern; ours has the others of an endpoint only where somebody waits for them (difference D28).
        let of_pattern = ["has_responses", "all_responses", "has_requests", "new_requests"];
        for flag in model.flags(unit).iter().filter(|flag| of_pattern.iter().any(|end| flag.ends_with(end))) {
            stand.insert(format!("{unit} {flag}"), String::new());
        }
    }
    stand
}

/// The same life with each side in its language, and where it stands after each part of it.
fn life(boss: Language, crew: Language) -> Vec<Stand> {
    let mut model = Model::juju("3.6.25").unwrap();
    model.seed(1);
    python::prepare(&mut model);
    let (boss, crew) = (Charm::of("boss", boss), Charm::of("crew", crew));
    model.deploy(boss.application().units(2)).unwrap();
    model.deploy(crew.application().units(1)).unwrap();
    settle(&mut model);
    let (mut stands, mut names) = (Vec::new(), BTreeMap::new());
    let mut note = |model: &mut Model| {
        settle(model);
        // In Python the flags of a hook's own doing follow at the beginning of the next (difference D27).
        for unit in model.units() {
            model.update_status(unit.as_str()).unwrap();
        }
        settle(model);
        stands.push(stand(model, &mut names));
    };
    note(&mut model);
    model.relate("boss:work", "crew:jobs").unwrap();
    note(&mut model);
    model.set_config("boss", "jobs", 3).unwrap();
    note(&mut model);
    // What is known already is asked for differently; an answer that is there is not given again.
    model.set_config("boss", "size", 20).unwrap();
    note(&mut model);
    model.add_unit("crew").unwrap();
    note(&mut model);
    model.remove_unit("boss/0").unwrap();
    note(&mut model);
    model.remove_unit("crew/0").unwrap();
    note(&mut model);
    model.remove_relation("boss:work", "crew:jobs").unwrap();
    note(&mut model);
    stands
}

#[test]
fn requests_and_responses_end_in_the_same_place_in_all_four_pairings() {
    let original = life(Python, Python);
    assert_eq!(original[1]["boss/0 status"], "active job-0=20 job-1=22");
    assert_eq!(original[1]["crew/0 status"], "active 4 jobs");
    for (boss, crew) in [(Rust, Python), (Python, Rust), (Rust, Rust)] {
        for (part, (original, ours)) in original.iter().zip(life(boss, crew)).enumerate() {
            assert_eq!(*original, ours, "part {part} of the life with {boss:?} asking and {crew:?} answering");
        }
    }
}

#[test]
fn a_client_in_rust_finds_a_zookeeper_of_the_old_kind_in_python() {
    let mut model = Model::juju("3.6.25").unwrap();
    python::prepare(&mut model);
    let store = Charm::python("store");
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/client");
    model.deploy(store.application().units(2)).unwrap();
    model.deploy(Application::new(client).program(env!("CARGO_BIN_EXE_client-charm"))).unwrap();
    model.relate("client:zookeeper", "store:zkclient").unwrap();
    settle(&mut model);
    let address = |unit: &str| model.unit_data(0, unit)["host"].clone();
    let known = model.flags("client/0");
    assert!(known.contains(&"zookeeper.available".to_owned()), "{known:?}");
    assert_eq!(model.status("client/0").message, "for a namespace");
    let servers = stored(&model, "client/0", "zkpeer.zookeeper.zookeeper");
    for unit in ["store/0", "store/1"] {
        assert!(servers.contains(&format!("\"host\": \"{}\"", address(unit))), "{servers}");
    }
}

#[test]
fn a_client_and_a_zookeeper_both_in_rust_share_a_namespace() {
    let charm = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let story = charm("client").join("story.yaml");
    let player = zkpeer_core::testing::Player::read(story).unwrap();
    let player = player.program(charm("zookeeper"), env!("CARGO_BIN_EXE_zookeeper-charm"));
    player.program(charm("client"), env!("CARGO_BIN_EXE_client-charm")).play().unwrap();
}

/// The text that a unit has stored under a key.
fn stored(model: &Model, unit: &str, key: &str) -> String {
    let path = model.charm_dir(unit).unwrap().join(".unit-state.db");
    let database = rusqlite::Connection::open(path).unwrap();
    database.query_row("select data from kv where key = ?", [key], |row| row.get(0)).unwrap()
}
