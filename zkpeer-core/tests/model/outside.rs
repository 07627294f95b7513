//! What handlers do outside Juju, and what a test puts in its place.

use std::fs;
use std::rc::Rc;

use zkpeer_core::testing::{Application, Error, Model, Programs, Unit};
use zkpeer_core::{Charm, Commands, Context, Resource, Result, Root, handlers, when_not};

fn charm() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("metadata.yaml"), "name: zk\nsummary: s\ndescription: d\n").unwrap();
    directory
}

#[when_not("installed")]
fn install(commands: Commands, context: Context) -> Result {
    commands.run("apt-get", ["install", "-y", "zookeeper"])?;
    let java = commands.program("java").arg("-version").output()?;
    context.ask_for::<zkpeer_core::Log>()?.info(&format!("java says {} and {}", java.code, java.stderr));
    context.ask_for::<zkpeer_core::Flags>()?.set("installed");
    Ok(())
}

#[test]
fn no_program_runs_where_a_test_says_what_they_answer() -> std::result::Result<(), Error> {
    let charm = charm();
    let mut model = Model::new();
    model.deploy(Application::new(charm.path()).in_process(Charm::new().handlers(handlers![install])).fake(
        |fakes| {
            fakes.programs(Programs::new().answer("apt-get install *", "").fail("java *", 127, "no java"));
        },
    ))?;
    let runs = model.settle()?;
    assert_eq!(model.programs("zk/0"), ["apt-get install -y zookeeper", "java -version"]);
    assert!(runs[0].log.iter().any(|line| line.message.contains("java says 127 and no java")), "{:?}", runs[0].log);
    Ok(())
}

#[test]
fn a_program_that_the_test_does_not_know_fails_the_hook() -> std::result::Result<(), Error> {
    let charm = charm();
    let mut model = Model::new();
    model.deploy(Application::new(charm.path()).in_process(Charm::new().handlers(handlers![install])).fake(
        |fakes| {
            fakes.programs(Programs::new().answer("snap *", ""));
        },
    ))?;
    let run = model.run_hook("zk/0", "install")?;
    let wanted = "add `.answer(\"apt-get install -y zookeeper\", \"\")` to its `Programs`; there is: snap *";
    assert!(run.stderr.contains(wanted), "{}", run.stderr);
    Ok(())
}

#[when_not("configured")]
fn configure(root: Root) -> Result {
    fs::create_dir_all(root.join("/etc/zookeeper"))?;
    fs::write(root.join("/etc/zookeeper/zoo.cfg"), "tickTime=2000\n")?;
    Ok(())
}

#[test]
fn each_unit_has_a_root_of_its_own() -> std::result::Result<(), Error> {
    let charm = charm();
    let mut model = Model::new();
    model.deploy(Application::new(charm.path()).in_process(Charm::new().handlers(handlers![configure])).units(2))?;
    model.run_hook("zk/1", "install")?;
    let file = |unit: &str| model.root_dir(unit).unwrap().join("etc/zookeeper/zoo.cfg");
    assert_eq!(fs::read_to_string(file("zk/1")).unwrap(), "tickTime=2000\n");
    assert!(!file("zk/0").exists() && !model.charm_dir("zk/1").unwrap().join("etc").exists());
    Ok(())
}

trait Greeter {
    fn greet(&self) -> String;
}

struct Polite(String);

impl Greeter for Polite {
    fn greet(&self) -> String {
        format!("good day, {}", self.0)
    }
}

#[when_not("greeted")]
fn greet(greeter: Resource<dyn Greeter>, status: zkpeer_core::Status) -> Result {
    status.active(&greeter.greet())?;
    Ok(())
}

#[test]
fn a_resource_is_a_trait_that_the_test_gives_another_form() -> std::result::Result<(), Error> {
    struct Rude;
    impl Greeter for Rude {
        fn greet(&self) -> String {
            "what?".to_owned()
        }
    }
    let directory = charm();
    let charm = || {
        Charm::new().handlers(handlers![greet]).resource_from::<dyn Greeter>(|context| {
            Ok(Rc::new(Polite(context.ask_for::<zkpeer_core::Unit>()?.name().to_string())))
        })
    };
    let mut model = Model::new();
    model.deploy(Application::new(directory.path()).in_process(charm()))?;
    let rude = Application::new(directory.path()).named("rude").in_process(charm());
    model.deploy(rude.fake(|fakes| fakes.resource_as::<dyn Greeter>(Rc::new(Rude))))?;
    model.run_hook("zk/0", "install")?;
    model.run_hook("rude/0", "install")?;
    assert_eq!(model.status("zk/0").message, "good day, zk/0");
    assert_eq!(model.status("rude/0").message, "what?");
    Ok(())
}

#[test]
fn a_resource_that_is_not_there_is_an_error_before_any_handler_runs() -> std::result::Result<(), Error> {
    let directory = charm();
    let mut model = Model::new();
    model.deploy(Application::new(directory.path()).in_process(Charm::new().handlers(handlers![greet])))?;
    let run = model.run_hook("zk/0", "install")?;
    assert!(run.stderr.contains("there is no resource of type `dyn model::outside::Greeter`"), "{}", run.stderr);
    assert!(
        run.stderr.contains("`Charm::new().resource_as::<dyn model::outside::Greeter>(..).main()`"),
        "{}",
        run.stderr
    );
    Ok(())
}

#[test]
fn a_unit_of_its_own_has_programs_and_a_root_too() {
    let mut unit = Unit::new(handlers![install, configure])
        .fake(|fakes| fakes.programs(Programs::new().answer("apt-get *", "").answer("java *", "")));
    let before = unit.clone();
    unit.run("install");
    assert_eq!(unit.programs(), ["apt-get install -y zookeeper", "java -version"]);
    assert_eq!(fs::read_to_string(unit.root_dir().join("etc/zookeeper/zoo.cfg")).unwrap(), "tickTime=2000\n");
    assert!(before.programs().is_empty() && !before.root_dir().join("etc/zookeeper").exists(), "a copy has its own");
}

#[test]
fn what_several_calls_of_fake_give_is_all_there() {
    let unit = Unit::new(handlers![install, configure])
        .fake(|fakes| fakes.programs(Programs::new().answer("apt-get *", "").answer("java *", "")))
        .fake(|fakes| drop(fakes.state(7_u32)));
    let installed = unit.after("install");
    assert_eq!((installed.programs().len(), installed.faked::<u32>()), (2, Some(7)));
}

#[test]
fn a_test_may_put_files_below_the_root_before_any_hook() {
    let unit = Unit::new(handlers![install]);
    fs::write(unit.root_dir().join("etc/hosts"), "127.0.0.1 localhost\n").unwrap();
    assert!(unit.clone().root_dir().join("etc/hosts").exists());
}
