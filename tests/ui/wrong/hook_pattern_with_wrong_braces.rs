use zkpeer_core::hook;

#[hook(
    "",
    "{}-relation-joined",
    "{a,,b}-relation-joined",
    "{a,{b,c}}-relation-joined",
    "{a-relation-joined",
    "a}-relation-joined",
    "{peer:zookeeper-quorum}-relation-joined",
    "{provider:http}-relation-joined",
    "{server:http}-relation-joined",
    "{requires:}-relation-joined",
    "{requires:http,https}-relation-joined",
    "{peers:zookeeper-quorum}",
    "my-{peers:zookeeper-quorum}-relation-joined",
    "{peers:zookeeper-quorum}-storage-attached",
    "{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}-relation-joined"
)]
fn patterns() {}

fn main() {}
