//! The live view on a terminal, as it is on the screen.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::{READY, charm};

/// Everything that the program writes to a terminal of this size.
fn on_terminal(arguments: &[&str], columns: u16, variables: &[(&str, &str)]) -> String {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
    let terminal = openpt(flags).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: 20, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let path = ptsname(&terminal, Vec::new()).unwrap();
    let other_end = OpenOptions::new().read(true).write(true).open(path.to_str().unwrap()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-zkpeer"));
    command.arg("simulate").args(arguments).stdin(Stdio::null()).stdout(other_end);
    command.env("TERM", "xterm").env_remove("NO_COLOR").envs(variables.iter().copied());
    let mut child = command.spawn().unwrap();
    // Nobody but the child holds the other end now: reading ends when the child does.
    drop(command);
    let mut written = Vec::new();
    let mut terminal = File::from(terminal);
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = terminal.read(&mut buffer) {
        written.extend_from_slice(&buffer[..read]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(written).unwrap()
}

/// The lines that are on the screen, and those above it, when all has been written.
fn screen(written: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut at = 0;
    let mut rest = written.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' => {}
            '\n' => {
                at += 1;
                if lines.len() == at {
                    lines.push(String::new());
                }
            }
            '\x1b' => {
                assert_eq!(rest.next(), Some('['));
                let mut number = String::new();
                let code = loop {
                    match rest.next().unwrap() {
                        digit if digit.is_ascii_digit() => number.push(digit),
                        code => break code,
                    }
                };
                match code {
                    'A' => at -= number.parse::<usize>().unwrap(),
                    'J' => {
                        lines.truncate(at);
                        lines.push(String::new());
                    }
                    'm' => {}
                    code => panic!("an unknown code: {code}"),
                }
            }
            c => lines[at].push(c),
        }
    }
    lines
}

#[test]
fn the_view_is_drawn_in_place_and_leaves_only_what_a_file_would_have() {
    let charm = charm(READY);
    let path = charm.path().to_str().unwrap();
    let written = on_terminal(&[path, "--units", "3"], 80, &[]);
    assert!(written.contains("hooks, ") && written.contains(" of 13: "), "progress is shown: {written}");
    assert!(written.contains("\x1b[1mzkpeer-relation-joined (hello/0)\x1b[0m"), "what runs is shown");
    let screen = screen(&written);
    let began = screen.iter().filter(|line| line.starts_with("hello/2   install  ")).count();
    assert_eq!(began, 1, "each hook has one line: {screen:#?}");
    assert!(!screen.iter().any(|line| line.contains(" of 13: ")), "the view is gone: {screen:#?}");
    assert!(screen.iter().any(|line| line == "hello/1  leader  active  ready"), "{screen:#?}");
}

#[test]
fn there_is_no_view_and_no_colour_where_they_are_not_wanted() {
    let charm = charm(READY);
    let path = charm.path().to_str().unwrap();
    let lines = on_terminal(&[path, "--units", "1", "--format", "lines"], 80, &[("NO_COLOR", "1")]);
    assert!(!lines.contains('\x1b') && lines.contains("hello/0   install"), "{lines}");
    let dumb = on_terminal(&[path, "--units", "1"], 80, &[("TERM", "dumb")]);
    assert!(!dumb.contains('\x1b'), "{dumb}");
    let plain = on_terminal(&[path, "--units", "1"], 80, &[("NO_COLOR", "1")]);
    assert!(plain.contains("\x1b[J") && !plain.contains("\x1b[1m"), "the view is no colour: {plain}");
}
