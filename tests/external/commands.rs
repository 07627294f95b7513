//! The command line `charms.reactive` in a handler, line by line: the original and ours print the same and end with the same code.

use std::thread;

use crate::scene::Unit;

/// Uses of the command line, in this order; flags in the order of their names, as the original prints values as they were set.
const LINES: &str = r#"
set_flag a
set_flag b --value 5
set_flag "it's"
set_flag long --value 'a text that is long enough for another line in the form that is meant for reading'
get_flags
-r get_flags
--format json get_flags
--format yaml get_flags
--format py get_flags
--csv get_flags
-t get_flags
get_states
-j get_states
-y get_states
-p get_states
-c get_states
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
when b no
when_all b
when_any b no
when_not no
when_not b no
when_none no
when_not_all b no
when_not_all b
when
only_once some:1:thing
mark_invoked some:1:thing other
only_once some:1:thing
only_once third
when_file_changed metadata.yaml
when_file_changed metadata.yaml config.yaml
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

/// The charm in a hook about a database, and what came of each line, with the hook handlers and after them.
fn answers(mut unit: Unit) -> (Vec<String>, Unit) {
    unit.agent.deploy().unwrap();
    let relation = unit.agent.relate("db", "postgresql").unwrap();
    unit.agent.add_remote(&relation, "postgresql/0", &[("uri", "postgresql://here")]).unwrap();
    while unit.agent.due().is_some_and(|hook| hook.to_string() != "db-relation-changed (postgresql/0)") {
        assert_eq!(unit.agent.step().unwrap().unwrap().problem(), None);
    }
    unit.write("lines", LINES.trim_start());
    let run = unit.agent.step().unwrap().unwrap();
    assert_eq!(run.problem(), None);
    let all = unit.file("answers.hooks") + &unit.file("answers.other");
    (all.split("|\n").map(str::to_owned).collect(), unit)
}

#[test]
fn every_command_prints_and_returns_what_the_original_does() {
    let python = thread::spawn(|| answers(Unit::python("commands")));
    let (ours, our_unit) = answers(Unit::ours("commands"));
    let (python, python_unit) = python.join().unwrap();
    let different: Vec<String> =
        ours.iter().zip(&python).filter(|(a, b)| a != b).map(|(a, b)| format!("ours {a}\nthe original {b}")).collect();
    assert!(different.is_empty(), "{}", different.join("\n"));
    assert_eq!((ours.len(), our_unit.stored()), (python.len(), python_unit.stored()));
    assert_eq!(ours.len(), 2 * LINES.trim().lines().count() + 1);
    let published = |unit: &Unit| unit.agent.relation_data("db", "web/0")["greeting"].to_owned();
    assert_eq!(published(&our_unit), published(&python_unit));
}
