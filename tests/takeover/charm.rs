//! The charm in both languages, and the applications that it is related to.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tempfile::TempDir;
use tests::python::Zygote;
use zkpeer_core::testing::{Application, HookContext};

/// The application in every story.
pub(crate) const APP: &str = "keeper";

/// What a charm is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Rust,
}

/// The charm's directories, in both languages.
pub(crate) struct Charm {
    python: TempDir,
    rust: TempDir,
}

impl Charm {
    pub(crate) fn new() -> Self {
        let (python, rust) = (files(), files());
        copy(&source("python/reactive"), &python.path().join("reactive"));
        fs::write(python.path().join("deputy"), zygote().socket().to_str().unwrap()).unwrap();
        Self { python, rust }
    }

    pub(crate) fn application(&self, language: Language) -> Application {
        match language {
            Language::Python => Application::new(self.python.path()).program(env!("CARGO_BIN_EXE_deputy")),
            Language::Rust => self.of_program(&program()),
        }
    }

    /// In Rust, with this program in place of its own.
    pub(crate) fn of_program(&self, program: &Path) -> Application {
        Application::new(self.rust.path()).program(program)
    }
}

/// The charm's program in Rust.
pub(crate) fn program() -> PathBuf {
    tests::program("keeper", env!("CARGO_BIN_EXE_keeper"))
}

/// Tells its name, which is an option, to all its relations.
pub(crate) fn client() -> Application {
    tells(Application::new(source("client")), "site", |context| {
        let name = context.run("config-get", &["name"]).stdout;
        format!("name={}", name.trim())
    })
}

/// Tells where it is.
pub(crate) fn vault() -> Application {
    tells(Application::new(source("vault")), "store", |context| {
        let unit = context.variable("JUJU_UNIT_NAME").unwrap_or_default();
        format!("uri=vault://{unit}")
    })
}

fn tells(
    application: Application,
    endpoint: &'static str,
    word: impl Fn(&HookContext<'_>) -> String + 'static,
) -> Application {
    application.function(move |context| {
        let word = word(context);
        let relations = context.run("relation-ids", &[endpoint, "--format=json"]).stdout;
        let relations: Vec<String> = serde_json::from_str(&relations).unwrap();
        relations.iter().map(|relation| context.run("relation-set", &["-r", relation, &word]).code).max().unwrap_or(0)
    })
}

/// The process of this one in which charms.reactive is imported.
fn zygote() -> &'static Zygote {
    static ZYGOTE: OnceLock<Zygote> = OnceLock::new();
    ZYGOTE.get_or_init(|| Zygote::start(&source("python")))
}

/// The files that are the same in both languages, in a directory of their own.
fn files() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    copy(&source("charm"), directory.path());
    directory
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

fn source(part: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("takeover").join(part)
}
