//! Handlers in this process, killed at each kind of instant: what is left then, and that nothing of the dead counts.

use std::fs;
use std::rc::Rc;

use zkpeer_core::testing::{Application, Error, Fake, KillPoint, Model, Outcome};
use zkpeer_core::{Charm, Flags, Kv, Port, Ports, Resource, handlers, when_not};

/// Steps that have been taken, and what says so when it goes.
struct Journal(Fake<Vec<&'static str>>);

struct Last<'j>(&'j Journal);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        self.0.0.change(|steps| steps.push("dropped"));
    }
}

#[when_not("installed")]
fn install(journal: Resource<Journal>, kv: Kv, ports: Ports, flags: Flags) -> zkpeer_core::Result {
    let _last = Last(&journal);
    journal.0.change(|steps| steps.push("one"));
    kv.set("one", &1)?;
    journal.0.change(|steps| steps.push("two"));
    ports.open(Port::tcp(80));
    flags.set("installed");
    Ok(())
}

fn killed_at(point: KillPoint) -> Result<(Model, Vec<&'static str>), Error> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("metadata.yaml"), "name: zk\nsummary: s\ndescription: d\n").unwrap();
    let application = Application::new(directory.path()).in_process(Charm::new().handlers(handlers![install]));
    let mut model = Model::new();
    model.deploy(application.fake(|fakes| {
        let steps = fakes.state(Vec::new());
        fakes.resource_as(Rc::new(Journal(steps)));
    }))?;
    model.kill_at("zk/0", point)?;
    let run = model.run_hook("zk/0", "install")?;
    assert_eq!(run.outcome, Outcome::Killed, "{point}: {:?}", run.notes);
    assert!(run.report.is_none());
    let steps = model.fake("zk/0").unwrap();
    Ok((model, steps))
}

#[test]
fn what_was_done_before_the_kill_is_done_and_nothing_after_it() -> Result<(), Error> {
    let all = vec!["one", "two", "dropped"];
    let steps = [
        (KillPoint::Start, vec![]),
        (KillPoint::Change(1), vec![]),
        (KillPoint::Changed(1), vec!["one"]),
        (KillPoint::Write(1), vec!["one"]),
        (KillPoint::Change(2), vec!["one"]),
        (KillPoint::Changed(2), vec!["one", "two"]),
        (KillPoint::Changed(3), all.clone()),
        (KillPoint::Command(1), all.clone()),
        (KillPoint::Answer(1), all.clone()),
        (KillPoint::Commit(1), all.clone()),
        (KillPoint::Committed(1), all.clone()),
        (KillPoint::Exit, all),
    ];
    for (point, wanted) in steps {
        let (model, steps) = killed_at(point)?;
        assert_eq!(steps, wanted, "{point}");
        assert!(model.ports("zk/0").is_empty(), "{point}: Juju keeps nothing of a hook that was killed");
        let committed = matches!(point, KillPoint::Committed(_) | KillPoint::Exit);
        assert_eq!(model.flags("zk/0").contains(&"installed".to_owned()), committed, "{point}");
    }
    Ok(())
}

#[test]
fn the_same_hook_runs_again_and_takes_back_what_juju_has_not_kept() -> Result<(), Error> {
    for point in [KillPoint::Changed(1), KillPoint::Commit(1), KillPoint::Committed(1), KillPoint::Exit] {
        let (mut model, _) = killed_at(point)?;
        model.settle()?;
        assert_eq!(model.ports("zk/0"), ["80/tcp"], "{point}");
        assert_eq!(model.flags("zk/0"), ["installed"], "{point}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_killed_there_is_refused() -> Result<(), Error> {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("metadata.yaml"), "name: zk\nsummary: s\ndescription: d\n").unwrap();
    let mut model = Model::new();
    model.deploy(Application::new(directory.path()).function(|_| 0))?;
    let error = model.kill_at("zk/0", KillPoint::Change(1)).unwrap_err().to_string();
    let wanted = "zk/0 runs as a function in this process, which cannot be killed at `change 1`; they can at `start`, \
                  `command N` and `answer N`";
    assert!(error.contains(wanted), "{error}");
    fs::create_dir(directory.path().join("hooks")).unwrap();
    fs::write(directory.path().join("hooks/install"), "").unwrap();
    model.deploy(Application::new(directory.path()).named("files"))?;
    assert!(model.kill_at("files/0", KillPoint::Exit).unwrap_err().to_string().contains("runs as processes"));
    Ok(())
}
