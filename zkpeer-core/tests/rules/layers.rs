//! Options of the charm's layers, held to their types before any handler runs.

use std::fs;

use serde::Deserialize;
use zkpeer_core::testing::Unit;
use zkpeer_core::{Flags, HookOutcome, Layer, LayerOptions, handlers, when_not};

#[derive(Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Server {
    java_heap: u32,
    packages: Vec<String>,
    proxy: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { java_heap: 256, packages: vec!["default-jre".to_owned()], proxy: None }
    }
}

impl Layer for Server {
    const NAME: &'static str = "server";
}

#[when_not("never")]
fn says(options: LayerOptions<Server>, flags: Flags) {
    flags.set(format!(
        "{}:{}:{}",
        options.java_heap,
        options.packages.join("+"),
        options.proxy.as_deref().unwrap_or("-")
    ));
}

fn unit(layer_yaml: &str) -> Unit {
    let unit = Unit::new(handlers![says]);
    assert!(fs::write(unit.charm_dir().join("layer.yaml"), layer_yaml).is_ok());
    unit
}

/// What the handler has seen.
fn seen(layer_yaml: &str) -> Vec<String> {
    let mut unit = unit(layer_yaml);
    unit.run("install");
    unit.flags()
}

#[test]
fn a_layer_has_its_defaults_where_nothing_is_said() {
    let mut unit = Unit::new(handlers![says]);
    unit.run("install");
    assert_eq!(unit.flags(), ["256:default-jre:-"], "without a file");
    for nothing in
        ["", "# nothing\n", "includes: [basic]\n", "options:\n", "options:\n  server:\n", "options: {other: {a: 1}}\n"]
    {
        assert_eq!(seen(nothing), ["256:default-jre:-"], "{nothing:?}");
    }
}

#[test]
fn options_are_read_from_the_file_and_the_rest_has_its_defaults() {
    let yaml = "includes: ['layer:basic']\noptions:\n  basic: {use_venv: true}\n  server:\n    java-heap: 512\n    proxy: 'http://p'\n";
    assert_eq!(seen(yaml), ["512:default-jre:http://p"]);
    assert_eq!(seen("options: {server: {packages: []}}\n"), ["256::-"]);
}

#[test]
fn what_does_not_fit_is_an_error_before_any_handler_runs() {
    let error = |yaml: &str| {
        let report = unit(yaml).try_run("install");
        assert_eq!((report.handlers(), report.outcome), (vec![], HookOutcome::Failed), "{yaml}");
        report.error.unwrap()
    };
    for (yaml, parts) in [
        ("options: {server: {java-heap: much}}", ["layer.yaml", "`server`", "`java-heap`: invalid type"]),
        ("options: {server: {java-heap: -1}}", ["layer.yaml", "`server`", "`java-heap`: invalid value"]),
        ("options: {server: {packages: a}}", ["layer.yaml", "`server`", "`packages`: invalid type"]),
        (
            "options: {server: {java_heap: 1}}",
            ["layer.yaml", "no option `java_heap`", "`java-heap`, `packages`, `proxy`"],
        ),
        ("options: {server: 1}", ["layer.yaml", "`server` in `options`", "is no map"]),
        ("options: [", ["layer.yaml", "line", "says"]),
    ] {
        let error = error(yaml);
        assert!(parts.iter().all(|part| error.contains(part)), "{yaml}: {error}");
    }
}

#[derive(Deserialize)]
struct Strict {
    port: u16,
    #[serde(default)]
    tls: bool,
}

impl Layer for Strict {
    const NAME: &'static str = "strict";
}

#[when_not("never")]
fn needs(options: LayerOptions<Strict>, flags: Flags) {
    flags.set(format!("port.{}", options.port));
    flags.toggle("tls", options.tls);
}

#[test]
fn an_option_without_a_default_has_to_be_there() {
    let mut unit = Unit::new(handlers![needs]);
    let error = unit.try_run("install").error.unwrap();
    assert!(error.contains("layer.yaml") && error.contains("`strict`: missing field `port`"), "{error}");
    fs::write(unit.charm_dir().join("layer.yaml"), "options: {strict: {port: 2181, tls: yes}}").unwrap();
    unit.run("install");
    assert_eq!(unit.flags(), ["port.2181", "tls"]);
}

#[test]
fn a_unit_of_a_charms_directory_has_its_layer_yaml() {
    let charm = tempfile::tempdir().unwrap();
    fs::write(charm.path().join("metadata.yaml"), "name: a-charm\nsummary: s\ndescription: d\n").unwrap();
    fs::write(charm.path().join("layer.yaml"), "options: {strict: {port: 2182}}").unwrap();
    let mut unit = Unit::new(handlers![needs]).charm(charm.path());
    unit.run("install");
    assert_eq!(unit.flags(), ["port.2182"]);
}
