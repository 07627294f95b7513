//! Requests and responses: flags, keys, what does not decode (difference D27).

use serde::{Deserialize, Serialize};
use zkpeer_core::metadata::Role;
use zkpeer_core::request_response::{Request, Requester, Responder};
use zkpeer_core::testing::Unit;
use zkpeer_core::{Endpoint, Interface, Kv, Result, handlers, when};

const METADATA: &str = "name: shop\nprovides: {jobs: {interface: job}}\nrequires: {work: {interface: job}}\n";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Job {
    name: String,
    size: u32,
}

#[derive(Debug, Serialize, Deserialize)]
struct JobDone {
    result: u32,
}

impl Request for Job {
    type Response = JobDone;
}

struct Asks(Requester<Job>);
impl Interface for Asks {
    const ROLE: Role = Role::Requires;
    const NAME: &str = "job";
    fn new(endpoint: Endpoint) -> Self {
        Self(Requester::new(endpoint))
    }
    fn manage_flags(&self) -> Result {
        self.0.manage_flags()
    }
}

struct Answers(Responder<Job>);
impl Interface for Answers {
    const ROLE: Role = Role::Provides;
    const NAME: &str = "job";
    fn new(endpoint: Endpoint) -> Self {
        Self(Responder::new(endpoint))
    }
    fn manage_flags(&self) -> Result {
        self.0.manage_flags()
    }
}

#[when("endpoint.work.joined", "ask")]
fn asks(work: Asks, kv: Kv) -> Result {
    for relation in work.0.endpoint().relations()? {
        for name in ["a", "b"] {
            let size = kv.get("size")?.unwrap_or(1);
            let job = Job { name: name.to_owned(), size };
            work.0.create_or_update(&relation, |known| known.name == name, &job)?;
        }
    }
    Ok(())
}

#[when("withdraw")]
fn withdraws(work: Asks) -> Result {
    for request in work.0.requests()? {
        if request.fields()?.name == "b" {
            work.0.withdraw(&request)?;
        }
    }
    Ok(())
}

#[when("endpoint.work.has_responses")]
fn collects(work: Asks, kv: Kv) -> Result {
    for request in work.0.responses()? {
        let result = request.response()?.map(|done| done.result);
        kv.set(&format!("result.{}", request.fields()?.name), &result)?;
    }
    Ok(())
}

#[when("endpoint.jobs.new_requests")]
fn answers(jobs: Answers, kv: Kv) -> Result {
    for request in jobs.0.new_requests()? {
        let job = request.fields()?;
        kv.set("asked.by", request.unit().name().as_str())?;
        request.respond(&JobDone { result: job.size * 2 })?;
        assert_eq!(request.response()?.map(|done| done.result), Some(job.size * 2));
    }
    Ok(())
}

fn requester() -> Unit {
    let mut unit = Unit::new(handlers![asks, withdraws, collects]).metadata(METADATA);
    unit.set_flag("ask");
    unit.set_member("work:1", "crew/0", &[]);
    unit.run_relation("work-relation-joined", "work:1", "crew/0");
    unit
}

/// Keys and values of the requests that the unit has published.
fn requests(unit: &Unit) -> Vec<(String, serde_json::Value)> {
    let published = unit.published("work:1").into_iter().filter(|(key, _)| key.starts_with("request_"));
    published.map(|(key, text)| (key, serde_json::from_str(&text).unwrap_or_default())).collect()
}

fn id(request: &(String, serde_json::Value)) -> &str {
    request.0.trim_start_matches("request_")
}

#[test]
fn a_request_is_published_under_its_id_with_its_id_in_it() {
    let unit = requester();
    let requests = requests(&unit);
    assert_eq!(requests.len(), 2, "{requests:?}");
    for request in &requests {
        assert_eq!(request.1["request_id"], id(request));
        assert_eq!(id(request).len(), 36);
    }
    assert!(!unit.is_set("endpoint.work.has_responses") && !unit.is_set("endpoint.work.all_responses"));
}

#[test]
fn a_request_that_is_known_is_changed_and_not_made_twice() {
    let mut unit = requester();
    let before = requests(&unit);
    unit.store("size", &7);
    unit.run("config-changed");
    let after = requests(&unit);
    assert_eq!(before.iter().map(id).collect::<Vec<_>>(), after.iter().map(id).collect::<Vec<_>>());
    assert!(after.iter().all(|(_, fields)| fields["size"] == 7));
}

#[test]
fn responses_set_the_flags_one_by_one_and_all_together() {
    let mut unit = requester();
    let requests = requests(&unit);
    let keys: Vec<String> = requests.iter().map(|request| format!("response_{}", id(request))).collect();
    unit.set_member("work:1", "crew/0", &[(&keys[0], r#"{"result": 5}"#)]);
    unit.run_relation("work-relation-changed", "work:1", "crew/0");
    assert!(unit.is_set("endpoint.work.has_responses") && !unit.is_set("endpoint.work.all_responses"));
    unit.set_member("work:1", "crew/0", &[(&keys[0], r#"{"result": 5}"#), (&keys[1], r#"{"result": 6}"#)]);
    unit.run_relation("work-relation-changed", "work:1", "crew/0");
    assert!(unit.is_set("endpoint.work.all_responses"));
    let first = requests[0].1["name"].as_str().unwrap();
    assert_eq!(unit.stored()[&format!("result.{first}")], "5");
    // One that is taken back is not waited for.
    unit.set_member("work:1", "crew/0", &[]);
    unit.run_relation("work-relation-changed", "work:1", "crew/0");
    assert!(!unit.is_set("endpoint.work.all_responses"));
    unit.clear_flag("ask");
    unit.set_flag("withdraw");
    unit.run("update-status");
    assert_eq!(unit.published("work:1").keys().filter(|key| key.starts_with("request_")).count(), 1);
}

// DIFFERENCE D27
#[test]
fn requests_are_answered_and_the_flag_is_cleared_in_the_same_hook() {
    let mut unit = Unit::new(handlers![answers]).metadata(METADATA);
    let request = r#"{"name": "a", "request_id": "x-1", "size": 4}"#;
    unit.set_member("jobs:2", "boss/3", &[("request_x-1", request)]);
    let report = unit.run_relation("jobs-relation-joined", "jobs:2", "boss/3");
    assert_eq!(report.rounds.len(), 1, "{report:?}");
    assert_eq!(unit.published("jobs:2")["response_x-1"], r#"{"result": 8}"#);
    assert_eq!(unit.stored()["asked.by"], "\"boss/3\"");
    assert!(unit.is_set("endpoint.jobs.has_requests") && !unit.is_set("endpoint.jobs.new_requests"));
    unit.run("update-status");
    assert_eq!(unit.commands().iter().filter(|command| command.starts_with("relation")).count(), 0);
    unit.remove_member("jobs:2", "boss/3");
    unit.run_relation("jobs-relation-departed", "jobs:2", "boss/3");
    assert!(!unit.is_set("endpoint.jobs.has_requests"));
}

#[test]
fn a_request_that_does_not_decode_fails_only_who_asks_for_it() {
    let mut unit = Unit::new(handlers![answers]).metadata(METADATA);
    unit.set_member("jobs:2", "boss/3", &[("request_x", r#"{"name": "a", "request_id": "x", "size": "big"}"#)]);
    let error = unit.try_run_relation("jobs-relation-joined", "jobs:2", "boss/3").error.unwrap();
    for part in ["boss/3", "jobs:2", "`request_x`", "\"size\": \"big\"", "u32"] {
        assert!(error.contains(part), "{part} in {error}");
    }
    // Flags need no fields.
    let mut unit = Unit::new(handlers![counts]).metadata(METADATA);
    unit.set_member("jobs:2", "boss/3", &[("request_x", "no JSON at all")]);
    unit.run_relation("jobs-relation-joined", "jobs:2", "boss/3");
    assert!(unit.is_set("endpoint.jobs.new_requests"));
}

#[when("endpoint.jobs.has_requests")]
fn counts(jobs: Answers, kv: Kv) -> Result {
    kv.set("requests", &jobs.0.all_requests()?.len())?;
    Ok(())
}
