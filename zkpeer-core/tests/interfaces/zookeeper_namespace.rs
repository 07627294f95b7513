//! The interface `zookeeper-namespace`, both sides.

use zkpeer_core::interfaces::zookeeper_namespace::{Made, Namespace};
use zkpeer_core::testing::Unit;
use zkpeer_core::{Kv, Result, ZookeeperNamespace, ZookeeperNamespaces, handlers, when};

const METADATA: &str = "\
name: a
provides: {namespaces: {interface: zookeeper-namespace}}
requires: {namespace: {interface: zookeeper-namespace}}
";

#[when("endpoint.namespaces.new_requests")]
fn make(namespaces: ZookeeperNamespaces) -> Result {
    for request in namespaces.new_requests()? {
        let namespace = request.fields()?;
        let refused = namespace.fault().map(str::to_owned);
        request.respond(&Made { path: namespace.path, refused })?;
    }
    Ok(())
}

#[when("endpoint.namespace.joined")]
fn ask(namespace: ZookeeperNamespace) -> Result {
    namespace.ask("/shop")?;
    namespace.ask("/shop/cart")?;
    Ok(())
}

#[when("endpoint.namespace.all_responses")]
fn note(namespace: ZookeeperNamespace, kv: Kv) -> Result {
    let paths: Vec<String> = namespace.made()?.into_iter().map(|made| made.path).collect();
    kv.set("made", &paths)?;
    Ok(())
}

#[test]
fn what_is_asked_for_by_one_side_is_made_by_the_other() {
    let mut client = Unit::new(handlers![ask, note]).metadata(METADATA);
    client.set_member("namespace:1", "server/0", &[]);
    client.run_relation("namespace-relation-joined", "namespace:1", "server/0");
    client.run("update-status");
    let asked: Vec<(String, String)> = client.published("namespace:1").into_iter().collect();
    assert_eq!(asked.len(), 2, "each path once: {asked:?}");

    let mut server = Unit::new(handlers![make]).metadata(METADATA);
    let asked: Vec<(&str, &str)> = asked.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    server.set_member("namespaces:1", "shop/0", &asked);
    server.run_relation("namespaces-relation-joined", "namespaces:1", "shop/0");
    assert!(!server.is_set("endpoint.namespaces.new_requests"));

    let answered: Vec<(String, String)> = server.published("namespaces:1").into_iter().collect();
    let answered: Vec<(&str, &str)> = answered.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    client.set_member("namespace:1", "server/0", &answered);
    client.run_relation("namespace-relation-changed", "namespace:1", "server/0");
    let mut made: Vec<String> = serde_json::from_str(&client.stored()["made"]).unwrap();
    made.sort();
    assert_eq!(made, ["/shop", "/shop/cart"]);
}

#[test]
fn a_path_that_zookeeper_would_not_take_is_refused() {
    let fault = |path: &str| Namespace { path: path.to_owned() }.fault();
    for good in ["/shop", "/shop/cart", "/a.b"] {
        assert_eq!(fault(good), None, "{good}");
    }
    for bad in ["", "shop", "/", "/shop/", "//shop", "/..", "/shop/./cart", "/zookeeper/config", "/a\0"] {
        assert!(fault(bad).is_some(), "{bad}");
    }
}
