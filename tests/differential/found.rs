//! What the random cases have found, and stays found.

use crate::case::Case;
use crate::play::{Also, Tally, play};
use crate::show::as_test;
use crate::theirs::Theirs;

/// Both sides do the same in this case.
#[track_caller]
fn same(case: &str) {
    let case: Case = serde_json::from_str(case).unwrap();
    let also = Also { original: true, order: None };
    if let Some(parting) = play(&case, &mut Theirs::start(), also, &mut Tally::default()) {
        panic!("{}", as_test(&case, &parting));
    }
}

/// A hook without a remote unit took the mark from a departed conversation, which then was never forgotten.
#[test]
fn a_conversation_with_all_stays_departed_in_the_last_hook_of_a_relation() {
    same(
        r##"{
  "endpoints": [
    {"name":"ep","role":"provides","interface":"named"}
  ],
  "handlers": [
    {"conditions":[{"hook":["ep-relation-{changed,departed,broken}"]}],"runs":[[{"talk":{"toggle":["gone",true]}}]]}
  ],
  "story": [
    {"hook":"install"},
    {"created":"ep:2"},
    {"joined":["ep:2","r2/2",{}]},
    {"departed":["ep:2","r2/2"]},
    {"broken":"ep:2"}
  ]
}"##,
    );
}

/// What the leader published to its peers was not seen in the same hook.
#[test]
fn what_the_application_tells_its_own_units_is_seen_at_once() {
    same(
        r##"{
  "endpoints": [
    {"name":"ep","role":"peers","interface":"modern"}
  ],
  "handlers": [
    {"conditions":[{"all":["endpoint.ep.joined"]}],"runs":[[{"bond":["ep",{"publish_app":["x",[1]]}]},{"bond":["ep",{"received_app":"x"}]}]]}
  ],
  "story": [
    {"leads":true},
    {"hook":"install"},
    {"created":"ep:2"},
    {"joined":["ep:2","app/2",{}]}
  ]
}"##,
    );
}

/// A flag may name a conversation whose relation is gone.
#[test]
fn a_relation_that_is_gone_has_nothing_to_say() {
    same(
        r##"{
  "endpoints": [
    {"name":"ep","role":"requires","interface":"app"},
    {"name":"db","role":"provides","interface":"unit"}
  ],
  "handlers": [
    {"conditions":[{"hook":["ep-relation-broken"]}],"runs":[[{"talk":{"set":"ready"}}]]},
    {"conditions":[{"all":["ep.ready"]}],"runs":[[{"talk":{"read":"address"}}]]}
  ],
  "story": [
    {"hook":"install"},
    {"created":"ep:2"},
    {"created":"db:10"},
    {"joined":["db:10","r10/2",{}]},
    {"broken":"ep:2"}
  ]
}"##,
    );
}
