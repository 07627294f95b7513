#[when("a", flags::READY)]
#[allow(unused)]
#[when_not("b")]
/// A handler.
pub(crate) fn start(mut flags: Flags, peers: Option<ZookeeperPeers>, _: Config) -> Result {
    flags.set("c");
    Ok(())
}

#[hook("install", "{peers:zookeeper-quorum}-relation-{joined,changed}")]
fn install() {}

#[zkpeer_core::only_once(was = "reactive/x.py:12:once")]
#[when_file_changed("/etc/hosts", PATH)]
#[not_unless("a")]
#[deprecated]
fn once(_: Flags) -> Result {
    Ok(())
}

#[not_unless("a", READY)]
pub fn guarded(&self, x: u8, flags: Flags) -> Result<u8, Error> {
    #![allow(unused)]
    Ok(x)
}

#[when("two words")]
fn wrong(name: String) {}

#[collect_metrics]
#[when("a")]
async fn very_wrong<T>(name: T) {}
