use zkpeer_core::action;

#[action("", "Backup", "back_up", "-a", "juju", "juju-run", "fine", "fine", BACKUP)]
fn names() {}

#[action()]
fn none() {}

fn main() {}
