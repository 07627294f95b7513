//! One story in many tellings: each chapter may be in another language, and all tell the same.

use std::sync::OnceLock;

use tests::dice::Dice;

use crate::charm::{APP, Language};
use crate::telling::{Record, Telling};

/// What happens in a chapter.
struct Chapter {
    name: &'static str,
    happens: fn(&mut Telling),
}

const STORY: [Chapter; 15] = [
    Chapter { name: "there are rules", happens: |telling| rules(telling, "rule 1") },
    Chapter {
        name: "clients come",
        happens: |telling| {
            for _ in 0..2 {
                telling.model.add_unit("client").unwrap();
            }
            telling.model.relate("keeper:site", "client:site").unwrap();
        },
    },
    Chapter {
        name: "a store comes",
        happens: |telling| {
            telling.model.add_unit("vault").unwrap();
            telling.model.relate("keeper:store", "vault:store").unwrap();
        },
    },
    Chapter { name: "there is a new word", happens: |telling| set(telling, "word", "hello") },
    Chapter { name: "a unit comes", happens: |telling| drop(telling.model.add_unit(APP).unwrap()) },
    Chapter { name: "a client goes", happens: |telling| telling.model.remove_unit("client/0").unwrap() },
    Chapter { name: "the rules change", happens: |telling| rules(telling, "rule 2") },
    Chapter { name: "another one leads", happens: |telling| telling.model.set_leader("keeper/1").unwrap() },
    Chapter { name: "it is tidied up", happens: |telling| telling.model.set_config(APP, "tidy", true).unwrap() },
    Chapter {
        name: "there is a greeting and a note",
        happens: |telling| {
            telling.model.set_config(APP, "greet", true).unwrap();
            set(telling, "note", "a note");
        },
    },
    Chapter {
        name: "the client is called by another name",
        happens: |telling| telling.model.set_config("client", "name", "second").unwrap(),
    },
    Chapter { name: "the old word is back", happens: |telling| telling.model.reset_config(APP, "word").unwrap() },
    Chapter { name: "a unit goes", happens: |telling| telling.model.remove_unit("keeper/2").unwrap() },
    Chapter { name: "the rules are the first again", happens: |telling| rules(telling, "rule 1") },
    Chapter { name: "nothing happens", happens: Telling::update_status },
];

fn rules(telling: &mut Telling, text: &str) {
    telling.write("rules.txt", text);
    telling.update_status();
}

fn set(telling: &mut Telling, option: &str, value: &str) {
    telling.model.set_config(APP, option, value).unwrap();
}

/// When a chapter's refresh comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refresh {
    /// After what happened before has come to rest.
    AtRest,
    /// So many hooks after something has happened.
    After(usize),
}

/// A telling in these languages: that of the beginning, and of each chapter.
fn tell(language: impl Fn(usize) -> Language, refresh: impl Fn(usize) -> Refresh) -> Telling {
    let mut telling = Telling::new();
    telling.deploy(language(0), 2);
    telling.settle();
    for (number, chapter) in STORY.iter().enumerate() {
        let language = language(number + 1);
        match refresh(number) {
            Refresh::AtRest => {
                telling.refresh(language);
                telling.settle();
                (chapter.happens)(&mut telling);
            }
            Refresh::After(hooks) => {
                (chapter.happens)(&mut telling);
                telling.settle_some(hooks);
                telling.refresh(language);
            }
        }
        telling.settle();
        telling.end_chapter();
    }
    telling
}

/// The story in Python alone, which is refreshed to Python.
fn in_python() -> &'static Record {
    static RECORD: OnceLock<Record> = OnceLock::new();
    RECORD.get_or_init(|| tell(|_| Language::Python, |_| Refresh::AtRest).record)
}

fn assert_told_as_in_python(language: impl Fn(usize) -> Language) {
    let names: Vec<_> =
        STORY.iter().enumerate().map(|(number, chapter)| (chapter.name, language(number + 1))).collect();
    let telling = tell(language, |_| Refresh::AtRest);
    telling.record.assert_same(in_python(), &format!("{names:#?}"));
}

#[test]
fn rust_alone_runs_each_handler_as_often_as_python_alone() {
    assert_told_as_in_python(|_| Language::Rust);
}

#[test]
fn everything_happens_in_the_story() {
    let mut seen: Vec<&str> = Vec::new();
    for call in in_python().hooks.iter().flat_map(|told| &told.calls) {
        seen.push(call.split('"').nth(1).unwrap());
    }
    for handler in [
        "install",
        "introduce",
        "greet",
        "rules_changed",
        "any_option",
        "word_changed",
        "has_note",
        "order",
        "ordered",
        "meet",
        "part",
        "sweep",
        "serve",
        "named",
        "gone",
        "use_store",
        "new_store",
        "ring_joined",
        "ring_departed",
        "store_changed",
    ] {
        assert!(seen.contains(&handler), "`{handler}` never runs");
    }
    let kept = in_python().left.iter().flat_map(|left| left.values()).flat_map(|left| left.stored.keys());
    let kept: Vec<&String> = kept.collect();
    for prefix in [
        "reactive.states.ring.",
        "reactive.conversations.ring:",
        "reactive.conversations.store.global",
        "reactive.endpoints.departed.site",
        "reactive.files_changed.rules.txt",
        "reactive.data_changed.keeper.uri",
        "reactive.data_changed.endpoint.site.",
        "reactive.invoked.CHARM/reactive/keeper.py:",
        "leadership.settings.word",
    ] {
        assert!(kept.iter().any(|key| key.starts_with(prefix)), "nothing is kept under `{prefix}`");
    }
}

#[test]
fn a_refresh_to_rust_in_the_middle_and_the_way_back_run_no_handler_more_or_less() {
    assert_told_as_in_python(|chapter| if (5..11).contains(&chapter) { Language::Rust } else { Language::Python });
}

#[test]
fn a_charm_that_goes_to_and_fro_runs_no_handler_more_or_less() {
    assert_told_as_in_python(|chapter| if chapter % 2 == 1 { Language::Rust } else { Language::Python });
    assert_told_as_in_python(|chapter| if chapter % 2 == 0 { Language::Rust } else { Language::Python });
}

/// How many stories chance tells in each of its tests.
const BY_CHANCE: u64 = 2;

/// The seeds of a test, or the one of `ZKPEER_SEED` if that is set.
fn seeds() -> Vec<u64> {
    match std::env::var("ZKPEER_SEED") {
        Ok(seed) => vec![seed.parse().expect("ZKPEER_SEED is a number")],
        Err(_) => (1..=BY_CHANCE).collect(),
    }
}

/// A language for each chapter.
fn languages(dice: &mut Dice) -> Vec<Language> {
    (0..=STORY.len()).map(|_| *dice.one(&[Language::Python, Language::Rust])).collect()
}

#[test]
fn whenever_it_goes_to_and_fro_it_runs_no_handler_more_or_less() {
    for seed in seeds() {
        println!("languages by ZKPEER_SEED={seed}");
        let languages = languages(&mut Dice(seed));
        assert_told_as_in_python(|chapter| languages[chapter]);
    }
}

#[test]
fn between_whichever_hooks_it_is_refreshed_it_runs_no_handler_more_or_less() {
    for seed in seeds() {
        println!("languages and refreshes by ZKPEER_SEED={seed}");
        let mut dice = Dice(!seed);
        let languages = languages(&mut dice);
        let cuts: Vec<Refresh> = STORY.iter().map(|_| Refresh::After(dice.below(8))).collect();
        let told = tell(|chapter| languages[chapter], |chapter| cuts[chapter]);
        let in_python = tell(|_| Language::Python, |chapter| cuts[chapter]);
        told.record.assert_same(&in_python.record, &format!("seed {seed}, {languages:?}, {cuts:?}"));
    }
}
