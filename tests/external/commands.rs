//! The command line `charms.reactive` in a handler, line by line: the original and ours print the same and end with the same code.

use std::collections::BTreeMap;
use std::thread;

use crate::scene::Unit;

/// Uses of the command line, in this order. Without an order of their own, as in -r and -j, values are left out: the original
/// prints them as they were set.
const LINES: &str = r#"
set_flag a
set_flag b --value 5
set_flag "it's"
set_flag text --value 'a text'
get_flags
-r get_flags
--format json get_flags
--format yaml get_flags
--format py get_flags
--csv get_flags
-t get_flags
-y get_states
-p get_states
is_flag_set a
is_flag_set no
-j is_flag_set a
-y is_flag_set a
-p is_flag_set no
is_state a
all_flags_set a b
all_flags_set a no
all_flags_set
all_states a
any_flags_set no a
any_flags_set no
any_flags_set
any_states a
get_unset_flags z a y y
-j get_unset_flags a
toggle_flag c yes
toggle_flag a ''
toggle_flag d False
clear_flag no
remove_state d
set_state e
get_flags
register_trigger --when f --set_flag g
register_trigger --when_not f --clear_flag g
set_flag f
is_flag_set g
clear_flag f
is_flag_set g
register_trigger
register_trigger --when f
register_trigger --when f --when_not f --set_flag g
any_hook db-relation-changed
any_hook '{requires:web-db}-relation-{joined,changed}'
any_hook start '{provides:web-db}-relation-changed'
any_hook
hook db-relation-changed
hook start
when b
when_not no
only_once some:1:thing
mark_invoked some:1:thing other
only_once some:1:thing
only_once third
when_file_changed metadata.yaml
when_file_changed no-such-file metadata.yaml
when_file_changed no-such-file
test "f some:2:f when 'b' when_not 'no'"
test "f id hook 'db-relation-changed'"
test "f id when '\"b\" \"c\"'" "'g' 'id2' 'when_any' '\"no\" \"c\"'" "h id3 when no"
test
test only-a-name
test "f id nope 'b'"
test "f id when 'b"
relation_call --flag db.connected conversations
relation_call --state db.connected conversations
-j relation_call --flag db.connected conversations
relation_call --relation_name db conversations
relation_call --flag db.available uri
relation_call --flag db.connected get_remote uri
relation_call --flag db.connected get_remote no
relation_call --flag db.connected get_remote no otherwise
relation_call --flag db.connected get_remote uri otherwise postgresql/0
relation_call --flag db.connected get_remote uri otherwise postgresql/9
relation_call --flag db.connected set_local key value
relation_call --flag db.connected get_local key
relation_call --flag db.connected get_local no otherwise
relation_call --flag db.connected is_state '{relation_name}.connected'
relation_call --flag db.connected is_flag_set db.no
relation_call --flag db.connected set_state '{relation_name}.spoken'
relation_call --flag db.spoken toggle_flag '{relation_name}.spoken'
is_flag_set db.spoken
relation_call --flag db.connected set_remote greeting hello
relation_call --flag db.connected nope
relation_call --flag no.such uri
relation_call --relation_name no uri
relation_call uri
relation_call
set_flag
set_flag a b
set_flag a --nope b
nope
--format xml get_flags
only_once
-c is_flag_set a
-c relation_call --flag db.connected get_remote no
"#;

/// Those whose answer is another one after the hook handlers.
const LINES_AFTER: &str = r#"
hook db-relation-changed
any_hook db-relation-changed
when b
when b no
when_all b
when_any b no
when_not no
when_not b no
when_none no
when_not_all b no
when_not_all b
when
test "f some:2:f when 'b' when_not 'no'"
test "f id hook 'db-relation-changed'"
test "f id when '\"b\" \"c\"'" "'g' 'id2' 'when_any' '\"no\" \"c\"'" "h id3 when no"
only_once some:1:thing
"#;

/// What there is after a hook about a database in which all lines were used, with the hook handlers and after them.
#[derive(Debug, PartialEq)]
struct Left {
    answers: Vec<String>,
    stored: BTreeMap<String, String>,
    greeting: String,
}

fn left_by(mut unit: Unit) -> Left {
    unit.agent.deploy().unwrap();
    let relation = unit.agent.relate("db", "postgresql").unwrap();
    unit.agent.add_remote(&relation, "postgresql/0", &[("uri", "postgresql://here")]).unwrap();
    while unit.agent.due().is_some_and(|hook| hook.to_string() != "db-relation-changed (postgresql/0)") {
        assert_eq!(unit.agent.step().unwrap().unwrap().problem(), None);
    }
    unit.write("lines.hooks", LINES.trim_start());
    unit.write("lines.other", LINES_AFTER.trim_start());
    let run = unit.agent.step().unwrap().unwrap();
    assert_eq!(run.problem(), None);
    let answers = unit.file("answers.hooks") + &unit.file("answers.other");
    Left {
        answers: answers.split_terminator("|\n").map(str::to_owned).collect(),
        stored: unit.stored(),
        greeting: unit.agent.relation_data("db", "web/0")["greeting"].to_owned(),
    }
}

#[test]
fn every_command_prints_and_returns_what_the_original_does() {
    let python = thread::spawn(|| left_by(Unit::python("commands")));
    let ours = left_by(Unit::ours("commands"));
    let python = python.join().unwrap();
    let different = |(a, b): (&String, &String)| (a != b).then(|| format!("ours {a}\nthe original {b}"));
    let different: Vec<String> = ours.answers.iter().zip(&python.answers).filter_map(different).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!(ours, python);
    assert_eq!(ours.answers.len(), LINES.trim().lines().count() + LINES_AFTER.trim().lines().count());
}
