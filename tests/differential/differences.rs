//! The differences from D40 on, each in a case in which it is used: both sides do what it says, the original something else.

use crate::case::Case;
use crate::play::{Also, Tally, play};
use crate::show::as_test;
use crate::theirs::Theirs;

/// Both sides do the same where the difference is put into charms.reactive, and it does something else where it is not.
#[track_caller]
fn difference(number: &str, case: &str) {
    let case: Case = serde_json::from_str(case).unwrap();
    let (also, mut tally) = (Also { original: true, order: None }, Tally::default());
    if let Some(parting) = play(&case, &mut Theirs::start(), also, &mut tally) {
        panic!("{}", as_test(&case, &parting));
    }
    let uses = tally.numbers.get(number).copied().unwrap_or_default();
    assert!(uses.hooks > 0, "{number} was not used, but {:?}", tally.numbers.keys());
    assert!(uses.mattered > 0, "{number} made no difference");
}

// DIFFERENCE
#[test]
fn difference_d15_what_a_unit_has_published_is_compared_in_its_own_hooks() {
    difference(
        "D15",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "modern"}],
  "handlers": [{"conditions": [{"all": ["endpoint.ep.changed"]}], "runs": [[{"clear": "endpoint.ep.changed"}]]}],
  "story": [
    {"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "r2/2", {"x": "1"}]},
    {"joined": ["ep:2", "r2/3", {}]}, {"published": ["ep:2", "r2/2", {"x": "2"}]}, {"changed": ["ep:2", "r2/3", {}]}
  ]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d40_a_restricted_hook_stores_nothing() {
    difference(
        "D40",
        r#"{
  "handlers": [{"conditions": ["meter_status_changed"], "runs": [[{"set": "a"}]]}],
  "story": [{"hook": "install"}, {"hook": "config-changed"}, {"hook": "start"}, {"hook": "meter-status-changed"}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d41_a_flag_of_conversations_that_is_set_plainly_stays_theirs() {
    difference(
        "D41",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "unit"}],
  "handlers": [
    {"conditions": [{"hook": ["ep-relation-joined"]}], "runs": [[{"talk": {"set": "ready"}}]]},
    {"conditions": [{"all": ["ep.ready"]}], "runs": [[{"set": "ep.ready"}]]}
  ],
  "story": [{"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "r2/2", {}]}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d42_each_run_of_a_handler_is_about_the_conversations_of_that_moment() {
    difference(
        "D42",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "unit"}],
  "handlers": [
    {"conditions": [{"hook": ["ep-relation-joined"]}], "runs": [[{"talk": {"set": "ready"}}], [{"set": "a"}]]},
    {"conditions": [{"all": ["ep.ready"]}, {"any": ["a", "b", "ep.ready"]}], "runs": [[{"talk": {"read": "x"}}]]},
    {"conditions": [{"all": ["ep.gone"]}], "runs": [[{"talk": {"set": "ready"}}, {"set": "b"}]]},
    {"conditions": [{"hook": ["ep-relation-joined"]}], "runs": [[], [{"talk": {"set": "gone"}}]]}
  ],
  "story": [
    {"hook": "install"}, {"created": "ep:2"},
    {"joined": ["ep:2", "r2/2", {"x": "1"}]}, {"joined": ["ep:2", "r2/3", {"x": "2"}]}
  ]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d43_without_a_remote_unit_no_conversation_begins() {
    difference(
        "D43",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "unit"}],
  "handlers": [{"conditions": [{"hook": ["ep-relation-created"]}], "runs": []}],
  "story": [{"hook": "install"}, {"created": "ep:2"}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d44_with_a_partner_that_has_departed_go_the_local_values() {
    difference(
        "D44",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "unit"}],
  "handlers": [{"conditions": [{"hook": ["ep-relation-joined"]}], "runs": [[{"talk": {"keep": ["x", 1]}}]]}],
  "story": [{"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "r2/2", {}]}, {"departed": ["ep:2", "r2/2"]}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d44_a_partner_that_departs_is_told_nothing() {
    difference(
        "D44",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "unit"}],
  "handlers": [
    {"conditions": [{"hook": ["ep-relation-departed"]}], "runs": [[{"talk": {"publish": ["x", "1"]}}]]}
  ],
  "story": [{"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "r2/2", {}]}, {"departed": ["ep:2", "r2/2"]}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d45_who_is_joined_is_looked_at_in_the_hooks_of_the_endpoint() {
    difference(
        "D45",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "modern"}],
  "handlers": [
    {"conditions": [{"hook": ["ep-relation-joined"]}], "runs": [["fail"]]},
    {"conditions": [{"all": ["endpoint.ep.joined"]}], "runs": [[{"set": "a"}]]}
  ],
  "story": [
    {"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "r2/2", {}]}, {"hook": "config-changed"}
  ]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d46_a_handler_that_ends_the_hook_has_succeeded() {
    difference(
        "D46",
        r#"{
  "handlers": [{"conditions": ["once", {"none": ["a"]}], "runs": [["end"]]}],
  "story": [{"hook": "install"}, {"hook": "config-changed"}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d47_a_conversation_under_a_name_goes_over_all_relations() {
    difference(
        "D47",
        r#"{
  "endpoints": [{"name": "ep", "role": "provides", "interface": "named"}],
  "handlers": [{"conditions": [{"hook": ["ep-relation-joined"]}], "runs": [[{"talk": {"read": "x"}}]]}],
  "story": [{"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "r2/2", {"x": "1"}]}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d48_who_does_not_lead_is_told_when_it_publishes_for_the_application() {
    difference(
        "D48",
        r#"{
  "endpoints": [{"name": "ep", "role": "peers", "interface": "modern"}],
  "handlers": [
    {"conditions": [{"all": ["endpoint.ep.joined"]}], "runs": [[{"bond": ["ep", {"publish_app": ["x", 1]}]}]]},
    {"conditions": [{"any": ["endpoint.ep.joined"]}], "runs": [[{"write": ["f0", "x"]}]]}
  ],
  "story": [{"hook": "install"}, {"created": "ep:2"}, {"joined": ["ep:2", "app/2", {}]}]
}"#,
    );
}

// DIFFERENCE
#[test]
fn difference_d49_all_triggers_stand_before_the_flags_of_any_endpoint_change() {
    difference(
        "D49",
        r#"{
  "endpoints": [
    {"name": "db", "role": "provides", "interface": "modern"},
    {
      "name": "ep", "role": "provides", "interface": "modern",
      "triggers": [{"on": "endpoint.db.joined", "edge": "set", "set": "a", "clear": null, "call": []}]
    }
  ],
  "handlers": [{"of": "provides", "conditions": [{"all": ["endpoint.{endpoint_name}.joined"]}], "runs": []}],
  "story": [{"hook": "install"}, {"created": "db:2"}, {"created": "ep:3"}, {"joined": ["db:2", "r2/2", {}]}]
}"#,
    );
}
